//! `RecordingDisk`: real files below, every operation noted above, and troubles on demand. Waits for the disk are noted
//! and not carried out: whether something survives is decided by `Image`, not by the machine that the test runs on.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tradegraph_store::{Disk, DiskFile, SqliteFiles};

use crate::image::Image;
use crate::sqlite_layer;

/// One operation. Paths are relative to the root of the disk; files are numbered, because names may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A new folder.
    Folder(PathBuf),
    /// A new empty file.
    Create(usize, PathBuf),
    /// Bytes at an offset.
    Write(usize, u64, Arc<[u8]>),
    /// Another length.
    Truncate(usize, u64),
    /// A wait until the file's content is durable.
    Sync(usize),
    /// Another name within the folder.
    Rename(PathBuf, PathBuf),
    /// A name less.
    Remove(PathBuf),
    /// A wait until the names in a folder are durable.
    SyncFolder(PathBuf),
    /// No operation: what the program was told is durable by now, as it counts it.
    Mark(u64),
}

/// What goes wrong instead of working.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// From this operation on there is no space: nothing is made or grows.
    Full {
        /// Number of the operation, from 0.
        from: usize,
    },
    /// This wait for the disk, or the next one after it, reports an error, once.
    SyncFails {
        /// Number of the operation, from 0.
        at: usize,
    },
}

#[derive(Debug, Default)]
struct Log {
    ops: Vec<Op>,
    names: BTreeMap<PathBuf, usize>,
    files: usize,
    trouble: Option<Trouble>,
    /// True once the trouble has shown.
    met: bool,
}

/// A folder as a disk.
#[derive(Clone, Debug)]
pub struct RecordingDisk {
    shared: Arc<Shared>,
    checkpoint_pages: u32,
}

/// What the files of SQLite share with the disk that they are on.
#[derive(Debug)]
pub(crate) struct Shared {
    root: PathBuf,
    log: Mutex<Log>,
}

/// Disks that exist, for the layer under SQLite, which knows paths only.
static DISKS: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// The disk that a path is on.
pub(crate) fn disk_of(path: &Path) -> Option<Arc<Shared>> {
    let disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    disks.iter().filter_map(Weak::upgrade).find(|d| path.starts_with(&d.root))
}

impl RecordingDisk {
    /// A disk in a folder that holds exactly `base`. SQLite copies its log back after `checkpoint_pages`.
    ///
    /// # Errors
    /// The system's, or `Other` if SQLite does not take the file layer.
    pub fn new(root: &Path, base: &Image, checkpoint_pages: u32) -> io::Result<RecordingDisk> {
        sqlite_layer::register()?;
        let root = root.canonicalize()?;
        let names: BTreeMap<PathBuf, usize> = base.files().enumerate().map(|(n, (p, _))| (p.to_owned(), n)).collect();
        let log = Mutex::new(Log { files: names.len(), names, ..Log::default() });
        let shared = Arc::new(Shared { root, log });
        let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
        disks.retain(|d| d.strong_count() > 0);
        disks.push(Arc::downgrade(&shared));
        Ok(RecordingDisk { shared, checkpoint_pages })
    }

    /// The folder, without symbolic links.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.shared.root
    }

    /// Lets something go wrong.
    pub fn trouble(&self, trouble: Trouble) {
        self.shared.log().trouble = Some(trouble);
    }

    /// Ends what goes wrong; true if it was met.
    pub fn heal(&self) -> bool {
        let mut log = self.shared.log();
        log.trouble = None;
        std::mem::take(&mut log.met)
    }

    /// Notes what the program was told is durable.
    pub fn mark(&self, count: u64) {
        self.shared.log().ops.push(Op::Mark(count));
    }

    /// Everything noted so far; the disk begins anew with what it holds then.
    #[must_use]
    pub fn take(&self) -> Vec<Op> {
        std::mem::take(&mut self.shared.log().ops)
    }
}

fn full() -> io::Error {
    io::Error::from_raw_os_error(28) // ENOSPC
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }

    /// Whether an operation that needs space is refused now.
    fn needs_space(&self, log: &mut Log) -> io::Result<()> {
        match log.trouble {
            Some(Trouble::Full { from }) if log.ops.len() >= from => {
                log.met = true;
                Err(full())
            }
            _ => Ok(()),
        }
    }

    fn waits(&self, log: &mut Log) -> io::Result<()> {
        match log.trouble {
            Some(Trouble::SyncFails { at }) if log.ops.len() >= at => {
                log.met = true;
                log.trouble = None;
                Err(io::Error::from_raw_os_error(5)) // EIO
            }
            _ => Ok(()),
        }
    }

    /// A file that is opened: its number, and whether it is to be made, which is noted.
    pub(crate) fn open(&self, path: &Path, make: bool) -> io::Result<(usize, bool)> {
        let mut log = self.log();
        let name = self.relative(path);
        if let Some(file) = log.names.get(&name) {
            return Ok((*file, false));
        }
        if !make {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.needs_space(&mut log)?;
        let file = log.files;
        log.files += 1;
        log.names.insert(name.clone(), file);
        log.ops.push(Op::Create(file, name));
        Ok((file, true))
    }

    /// Notes bytes; `length` is the file's before.
    pub(crate) fn write(&self, file: usize, offset: u64, bytes: &[u8], length: u64) -> io::Result<()> {
        let mut log = self.log();
        if offset.saturating_add(bytes.len() as u64) > length {
            self.needs_space(&mut log)?;
        }
        log.ops.push(Op::Write(file, offset, bytes.into()));
        Ok(())
    }

    pub(crate) fn truncate(&self, file: usize, length: u64) {
        self.log().ops.push(Op::Truncate(file, length));
    }

    pub(crate) fn sync(&self, file: usize) -> io::Result<()> {
        let mut log = self.log();
        self.waits(&mut log)?;
        log.ops.push(Op::Sync(file));
        Ok(())
    }

    pub(crate) fn remove(&self, path: &Path) {
        let name = self.relative(path);
        let mut log = self.log();
        log.names.remove(&name);
        log.ops.push(Op::Remove(name));
    }

    pub(crate) fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut log = self.log();
        self.waits(&mut log)?;
        log.ops.push(Op::SyncFolder(self.relative(path)));
        Ok(())
    }
}

impl Disk for RecordingDisk {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let mut log = self.shared.log();
        self.shared.needs_space(&mut log)?;
        fs::create_dir(path)?;
        log.ops.push(Op::Folder(self.shared.relative(path)));
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let (number, made) = self.shared.open(path, true)?;
        let file = fs::File::create(path)?;
        if !made {
            self.shared.truncate(number, 0);
        }
        Ok(Box::new(RecordedFile { shared: self.shared.clone(), number, file, length: 0 }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        let (from, to) = (self.shared.relative(from), self.shared.relative(to));
        let mut log = self.shared.log();
        if let Some(file) = log.names.remove(&from) {
            log.names.insert(to.clone(), file);
        }
        log.ops.push(Op::Rename(from, to));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)?;
        self.shared.remove(path);
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.shared.sync_folder(path)
    }

    fn sqlite(&self) -> SqliteFiles {
        SqliteFiles { layer: Some(sqlite_layer::NAME.to_owned()), checkpoint_pages: Some(self.checkpoint_pages) }
    }
}

struct RecordedFile {
    shared: Arc<Shared>,
    number: usize,
    file: fs::File,
    length: u64,
}

impl Write for RecordedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.shared.write(self.number, self.length, bytes, self.length)?;
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DiskFile for RecordedFile {
    fn sync(&mut self) -> io::Result<()> {
        self.shared.sync(self.number)
    }
}
