//! `Home`: the folder of runs, catalog and reports.

use crate::failure::{Failure, Kind};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tradegraph_store::{Catalog, Disk, FileSystem, RunId, Store, disk};

/// The folder of runs, catalog and reports.
#[derive(Clone, Debug)]
pub struct Home {
    path: PathBuf,
    disk: Arc<dyn Disk>,
}

impl Home {
    /// The home at a path, which need not exist yet.
    pub fn new(path: PathBuf) -> Home {
        Home { path, disk: Arc::new(FileSystem) }
    }

    /// The same on a disk of one's own.
    pub fn on(path: PathBuf, disk: Arc<dyn Disk>) -> Home {
        Home { path, disk }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Store and catalog for writing; takes the home's lock.
    pub fn open(&self) -> Result<(Store, Catalog), Failure> {
        let store = Store::open_on(&self.path, &*self.disk)?;
        Ok((store, self.data()?))
    }

    /// The catalog for reading; `None` in a home that was never written to.
    pub fn catalog(&self) -> Result<Option<Catalog>, Failure> {
        if self.path.join("catalog").is_dir() { Ok(Some(self.data()?)) } else { Ok(None) }
    }

    /// The catalog; its folder is made if it is missing.
    pub fn data(&self) -> Result<Catalog, Failure> {
        Ok(Catalog::open_on(&self.path, self.disk.clone())?)
    }

    /// Store for reading; never waits for a writer.
    pub fn read(&self) -> Result<Store, Failure> {
        Ok(Store::open_read_only_on(&self.path, &*self.disk)?)
    }

    /// The folder of a run's report, made if it is missing.
    pub fn run_folder(&self, run: &RunId) -> Result<PathBuf, Failure> {
        let folder = self.path.join("runs").join(run.as_str());
        self.disk.make_folders(&folder).map_err(|e| cannot("made", &folder, &e))?;
        Ok(std::path::absolute(&folder).unwrap_or(folder))
    }
}

/// A file or folder that the system refuses.
pub fn cannot(doing: &str, path: &Path, e: &std::io::Error) -> Failure {
    let next = match e.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => "free some space and try again",
        _ => "check that the folder may be written, or use another --home DIR",
    };
    Failure::new(Kind::Failed, format!("{}: cannot be {doing}: {e}", path.display())).next(next)
}

/// Writes a file so that a reader, and a start after any crash, sees the old one or the new one, never half of it.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    disk::replace(&FileSystem, path, |e| e, |file| file.write_all(bytes)).map_err(|e| cannot("written", path, &e))
}
