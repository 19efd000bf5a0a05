//! A data set as CSV or Parquet for others. What was made at import stays behind: importing an export again with
//! `Manifest::options` gives the same data set.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::error::{DatasetError, io};
use super::file::Writer;
use super::manifest::Role;
use super::{Column, Dataset, Kind};
use crate::disk::{Disk, FileSystem};

/// A field as CSV has it: in quotation marks if it needs them.
pub(crate) fn quoted(text: &str) -> String {
    let blank = |c: char| c.is_whitespace();
    if text.contains(['"', ',', '\n', '\r']) || text.starts_with(blank) || text.ends_with(blank) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

impl Dataset {
    /// Columns that the source had. The start of a bar with an instant is one: it is derived only for sessions.
    fn exported(&self) -> Vec<&str> {
        let columns = self.manifest.columns.iter();
        columns.filter(|c| c.role != Role::Derived).map(|c| c.name.as_str()).collect()
    }

    /// The name of a stored column in an export: the start of a bar is its `ts` there.
    fn name_of<'c>(&self, column: &'c str) -> &'c str {
        if column == "start" && self.manifest.kind == Kind::Bars { "ts" } else { column }
    }

    /// Writes CSV.
    ///
    /// # Errors
    /// `DatasetError::Io` naming the data set's own file if it cannot be read, `Damaged`, or `Io` for the writer.
    pub fn export_csv(&self, to: &mut impl Write) -> Result<(), DatasetError> {
        let columns = self.exported();
        let failed = |source| DatasetError::Io { doing: "written", path: "the CSV export".into(), source };
        let header: Vec<String> = columns.iter().map(|c| quoted(self.name_of(c))).collect();
        writeln!(to, "{}", header.join(",")).map_err(failed)?;
        for chunk in self.read(&columns)? {
            let chunk = chunk?;
            let mut line = String::new();
            for row in 0..chunk.rows() {
                line.clear();
                for (at, column) in chunk.columns().iter().enumerate() {
                    if at > 0 {
                        line.push(',');
                    }
                    line += &quoted(&column.show(row));
                }
                // A row of one empty cell would be a blank line.
                if line.is_empty() {
                    line += "\"\"";
                }
                writeln!(to, "{line}").map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Writes CSV to a file, completely or not at all.
    ///
    /// # Errors
    /// `DatasetError::Io` naming the file.
    pub fn export_csv_file(&self, path: &Path) -> Result<(), DatasetError> {
        whole(path, |temporary| {
            let file = File::create(temporary).map_err(io("written", path))?;
            let mut file = BufWriter::with_capacity(1 << 18, file);
            self.export_csv(&mut file)?;
            file.flush().and_then(|()| file.get_ref().sync_all()).map_err(io("written", path))
        })
    }

    /// Writes Parquet with all columns and the manifest to a file, completely or not at all.
    ///
    /// # Errors
    /// `DatasetError::Io` or `Encode` naming the file.
    pub fn export_parquet(&self, path: &Path) -> Result<(), DatasetError> {
        let columns = self.exported();
        whole(path, |temporary| {
            let mut writer: Option<Writer> = None;
            for chunk in self.read(&columns)? {
                let chunk: Vec<Column> = chunk?
                    .into_columns()
                    .into_iter()
                    .map(|c| Column { name: self.name_of(&c.name).into(), ..c })
                    .collect();
                let wide =
                    |c: &Column| c.prices().is_some_and(|p| p.iter().any(|v| v.unsigned_abs() >= 10_u64.pow(18)));
                let writer = match &mut writer {
                    Some(writer) => writer,
                    None => {
                        let exact = !self.has_wide_prices(&columns)? && !chunk.iter().any(wide);
                        writer.insert(Writer::create(&FileSystem, temporary, &chunk, exact)?)
                    }
                };
                writer.group(&chunk)?;
            }
            writer.map_or(Ok(()), Writer::finish_plain)
        })
    }

    fn has_wide_prices(&self, columns: &[&str]) -> Result<bool, DatasetError> {
        for chunk in self.read(columns)? {
            let wide = |c: &Column| c.prices().is_some_and(|p| p.iter().any(|v| v.unsigned_abs() >= 10_u64.pow(18)));
            if chunk?.columns().iter().any(wide) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Makes a file under another name and moves it to its place once it is whole.
pub(super) fn whole(path: &Path, write: impl FnOnce(&Path) -> Result<(), DatasetError>) -> Result<(), DatasetError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let done = write(&temporary)
        .and_then(|()| FileSystem.rename(&temporary, path).map_err(io("written", path)))
        .and_then(|()| FileSystem.sync_folder(folder).map_err(io("written", path)));
    if done.is_err() {
        // The first error is what the user must see.
        let _ = std::fs::remove_file(&temporary);
    }
    done
}
