//! The quarantine file: every row that was not kept, as it was, with its place and the reason.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{DatasetError, io};
use super::export::quoted;
use super::fault::Fault;
use crate::disk::{Disk, DiskFile};

/// Problems of one import on their way to a file, which is made with the first of them.
pub(crate) struct Quarantine {
    source: String,
    path: Option<(PathBuf, Arc<dyn Disk>)>,
    file: Option<BufWriter<Box<dyn DiskFile>>>,
    pub lines: u64,
}

impl Quarantine {
    pub(crate) fn new(source: &Path, path: Option<(&Path, &Arc<dyn Disk>)>) -> Quarantine {
        let source = quoted(&source.display().to_string());
        Quarantine { source, path: path.map(|(path, disk)| (path.to_owned(), disk.clone())), file: None, lines: 0 }
    }

    pub(crate) fn add(
        &mut self,
        line: u64,
        column: &str,
        value: &str,
        fault: &Fault,
        row: &str,
    ) -> Result<(), DatasetError> {
        self.lines += 1;
        let Some((path, disk)) = &self.path else { return Ok(()) };
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let mut file = BufWriter::new(disk.create(path).map_err(io("written", path))?);
                writeln!(file, "file,line,column,value,reason,row").map_err(io("written", path))?;
                self.file.insert(file)
            }
        };
        let reason = fault.to_string();
        let cells = [column, value, &reason, row.trim_end_matches(['\r', '\n'])].map(quoted);
        writeln!(file, "{},{line},{}", self.source, cells.join(",")).map_err(io("written", path))
    }

    /// Writes everything and waits until it is on the disk.
    pub(crate) fn close(&mut self) -> Result<(), DatasetError> {
        if let (Some(mut file), Some((path, _))) = (self.file.take(), &self.path) {
            file.flush().and_then(|()| file.get_mut().sync()).map_err(io("written", path))?;
        }
        Ok(())
    }
}
