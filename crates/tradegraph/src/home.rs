//! `Home`: the folder of runs, catalog and reports.

use crate::failure::{Failure, Kind};
use std::path::{Path, PathBuf};
use tradegraph_store::{Catalog, RunId, Store};

/// The folder of runs, catalog and reports.
#[derive(Clone, Debug)]
pub struct Home {
    path: PathBuf,
}

impl Home {
    /// The home at a path, which need not exist yet.
    pub fn new(path: PathBuf) -> Home {
        Home { path }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Store and catalog for writing; takes the home's lock.
    pub fn open(&self) -> Result<(Store, Catalog), Failure> {
        let store = Store::open(&self.path)?;
        Ok((store, Catalog::open(&self.path)?))
    }

    /// The catalog for reading; `None` in a home that was never written to.
    pub fn catalog(&self) -> Result<Option<Catalog>, Failure> {
        if self.path.join("catalog").is_dir() { Ok(Some(Catalog::open(&self.path)?)) } else { Ok(None) }
    }

    /// Store for reading; never waits for a writer.
    pub fn read(&self) -> Result<Store, Failure> {
        Ok(Store::open_read_only(&self.path)?)
    }

    /// The folder of a run's report, made if it is missing.
    pub fn run_folder(&self, run: &RunId) -> Result<PathBuf, Failure> {
        let folder = self.path.join("runs").join(run.as_str());
        std::fs::create_dir_all(&folder).map_err(|e| cannot("made", &folder, &e))?;
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

/// Writes a file so that a reader sees the old one or the new one, never half of it.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let done = std::fs::write(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, path));
    done.map_err(|e| {
        let _ = std::fs::remove_file(&temporary);
        cannot("written", path, &e)
    })
}
