//! Data sets: what imports made. One file of the catalog each, `catalog/data/<content id>.parquet`: the rows with
//! their types, the time from which each was known, and the manifest in the footer.
//!
//! | kind | time column | known at |
//! |---|---|---|
//! | bars | `date` + `start` (sessions) or `start` (instants) | end of the bar |
//! | quotes, trades, messages, chain, text | `ts`, or `date` | that time; the end of that day |
//! | table | `date` (first day of a month, quarter, year), or `ts` | end of the period |
//! | snapshot | – | end of the date told |
//! | actions | `ex_date` | its beginning |
//! | labelled-text, lexicon, properties | – | never dated |
//!
//! plus the lag that was told. A file may say it row by row in a column `known_at`. `line` is the line of the source.
//! Prices are integers at 1e-9, everything else that is a number is a float or an integer of 64 bits.
//!
//! An import never changes a row: what cannot be represented goes to `catalog/quarantine/<content id>.csv` with file,
//! line, column, value, reason and the row itself; what is merely implausible is kept for the quality checks, in the
//! order of the source. In tables with a column for each series a wrong cell costs the cell, not the row.
//!
//! The id is the hash of the rows and of the facts that change their meaning (`Facts`), not of names: importing a file
//! twice changes nothing. A file is written under a temporary name, made durable and then moved to its place; a
//! leftover of an import that was killed is never read, and the next import removes it.
//! Left out: changing rows, sources that are not files.

mod batch;
mod check;
mod column;
mod convert;
mod error;
mod export;
mod fault;
mod file;
mod fuzz;
mod import;
mod kinds;
mod manifest;
mod options;
mod plan;
mod quarantine;
mod read;
mod rows;
mod table;
mod time;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use batch::{BatchPrice, BatchRequest};
pub use check::{CheckOptions, Checked};
pub use column::{Column, StoredType};
pub use error::{DatasetError, HeaderFault};
pub use fault::{Fate, Fault, NumberFault, Problem};
pub use fuzz::{Fuzzed, Parser, fuzz};
pub use import::Progress;
pub use kinds::{ColumnSpec, ColumnType, KINDS, Kind, KindSpec, Timing};
pub use manifest::{ColumnInfo, Counts, DatasetId, Facts, KnownAt, Manifest, Role, SeriesInfo, Shape, Source};
pub use options::{DateForm, ImportOptions, LINE_LIMIT, Period, TimeUnit, duration};
pub use read::{Chunk, Chunks};
pub use table::{TableColumn, write_parquet};
pub use time::Zone;

use crate::disk::Disk;
use crate::text::nearest;
use error::io;
use file::Table;
use import::Paths;

/// Version of the manifest and of the layout of files.
pub(crate) const VERSION: u32 = 1;

/// The data sets of a catalog. Reading needs no lock: files are never changed in place.
#[derive(Clone, Debug)]
pub struct Datasets {
    data: PathBuf,
    quarantine: PathBuf,
    disk: Arc<dyn Disk>,
}

/// A data set that is open for reading.
#[derive(Debug)]
pub struct Dataset {
    id: DatasetId,
    path: PathBuf,
    table: Table,
    manifest: Manifest,
}

/// What an import did.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportReport {
    /// The data set.
    pub id: DatasetId,
    /// What is known of it.
    pub manifest: Manifest,
    /// What became of the catalog.
    pub outcome: Outcome,
    /// The quarantine file, if there is one.
    pub quarantine: Option<PathBuf>,
}

/// What became of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A data set more.
    Added,
    /// This content was there under this name: nothing changed.
    Unchanged,
    /// This content was there under another name: nothing changed.
    KnownAs(String),
    /// It took the place of another content of the same name.
    Replaced(DatasetId),
    /// Nothing was to be written.
    DryRun,
}

/// One file of the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetEntry {
    /// Its id.
    pub id: DatasetId,
    /// What is known of it.
    pub manifest: Manifest,
    /// Size of the file.
    pub bytes: u64,
}

/// Names of all kinds, for messages.
pub(crate) fn kind_names() -> String {
    KINDS.iter().map(|k| k.name).collect::<Vec<_>>().join(", ")
}

impl Datasets {
    /// The data sets of the catalog in `folder`. Nothing is made before the first import.
    #[must_use]
    pub(crate) fn of(folder: &Path, disk: Arc<dyn Disk>) -> Datasets {
        Datasets { data: folder.join("data"), quarantine: folder.join("quarantine"), disk }
    }

    /// The file of a data set.
    #[must_use]
    pub fn path(&self, id: DatasetId) -> PathBuf {
        self.data.join(format!("{id}.parquet"))
    }

    /// Where the quarantine file of a data set is, if it has one.
    #[must_use]
    pub fn quarantine_path(&self, id: DatasetId) -> PathBuf {
        self.quarantine.join(format!("{id}.csv"))
    }

    /// Imports a file. `progress` is called about every 256 KiB of text.
    ///
    /// # Errors
    /// `DatasetError`; the catalog is then as it was.
    pub fn import(
        &self,
        path: &Path,
        options: &ImportOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<ImportReport, DatasetError> {
        let _lock = self.lock()?;
        self.clean()?;
        let temporary = |folder: &Path| folder.join(format!(".{}.tmp", std::process::id()));
        let paths =
            Paths { data: temporary(&self.data), quarantine: temporary(&self.quarantine), disk: self.disk.clone() };
        let done = self.import_to(path, options, &paths, progress);
        // Whatever happened, what is left here is of no use; a leftover does no harm, it is never read.
        for path in [&paths.data, &paths.quarantine] {
            if path.exists() {
                let _ = self.disk.remove(path);
            }
        }
        done
    }

    /// Reads a file as an import would and writes nothing.
    ///
    /// # Errors
    /// `DatasetError` as `import`, except for what only writing can meet.
    pub fn inspect(
        path: &Path,
        options: &ImportOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<ImportReport, DatasetError> {
        let made = import::make(path, options, None, progress)?;
        let id = id_of(&made.manifest)?;
        Ok(ImportReport { id, manifest: made.manifest, outcome: Outcome::DryRun, quarantine: None })
    }

    fn import_to(
        &self,
        path: &Path,
        options: &ImportOptions,
        paths: &Paths,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<ImportReport, DatasetError> {
        check_name(options.name.as_deref())?;
        let mut made = import::make(path, options, Some(paths), progress)?;
        let id = id_of(&made.manifest)?;
        let place = self.path(id);
        let quarantine = (made.quarantine.lines > 0).then(|| self.quarantine_path(id));
        if let Ok(there) = self.open(id)
            && there.verify().is_ok()
        {
            let outcome = if there.manifest.name == made.manifest.name {
                Outcome::Unchanged
            } else {
                Outcome::KnownAs(there.manifest.name.clone())
            };
            let quarantine = Some(self.quarantine_path(id)).filter(|p| p.exists());
            return Ok(ImportReport { id, manifest: there.manifest, outcome, quarantine });
        }
        let taken = self.find_name(&made.manifest.name)?.filter(|taken| *taken != id);
        if let Some(taken) = taken {
            if !options.replace {
                return Err(DatasetError::NameTaken { name: made.manifest.name, taken });
            }
            made.manifest.replaces = Some(taken.to_string());
        }
        if let Some(writer) = made.writer.take() {
            writer.finish(&made.manifest)?;
        }
        if let Some(quarantine) = &quarantine {
            self.disk.rename(&paths.quarantine, quarantine).map_err(io("written", quarantine))?;
            self.sync_folder(&self.quarantine)?;
        }
        // From here on the data set exists.
        self.disk.rename(&paths.data, &place).map_err(io("written", &place))?;
        self.sync_folder(&self.data)?;
        if let Some(taken) = taken {
            self.delete(taken)?;
        }
        let outcome = taken.map_or(Outcome::Added, Outcome::Replaced);
        Ok(ImportReport { id, manifest: made.manifest, outcome, quarantine })
    }

    /// One import at a time: the operating system holds the lock, so an import that was killed holds none.
    fn lock(&self) -> Result<File, DatasetError> {
        for folder in [&self.data, &self.quarantine] {
            self.disk.make_folders(folder).map_err(io("written", folder))?;
        }
        let path = self.data.join(".lock");
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(io("written", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(DatasetError::Busy { path }),
            Err(TryLockError::Error(e)) => Err(io("written", &path)(e)),
        }
    }

    /// Removes what killed imports left: temporary files, quarantines without data, data that was replaced.
    fn clean(&self) -> Result<(), DatasetError> {
        let ids = self.ids()?;
        for folder in [&self.data, &self.quarantine] {
            for file in fs::read_dir(folder).map_err(io("read", folder))? {
                let path = file.map_err(io("read", folder))?.path();
                let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
                let orphan = name.strip_suffix(".csv").and_then(DatasetId::parse).is_some_and(|id| !ids.contains(&id));
                if (name.starts_with('.') && name.ends_with(".tmp")) || orphan {
                    self.disk.remove(&path).map_err(io("removed", &path))?;
                }
            }
        }
        for superseded in self.superseded()? {
            self.delete(superseded)?;
        }
        Ok(())
    }

    /// Data sets whose name was taken over by another that is whole.
    fn superseded(&self) -> Result<Vec<DatasetId>, DatasetError> {
        let manifests: Vec<Manifest> =
            self.ids()?.into_iter().filter_map(|id| Table::open(&self.path(id)).ok()).map(|(_, m)| m).collect();
        let replaced = manifests.iter().filter_map(|m| {
            let id = DatasetId::parse(m.replaces.as_deref()?)?;
            manifests.iter().any(|old| old.dataset_id() == Some(id) && old.name == m.name).then_some(id)
        });
        Ok(replaced.collect())
    }

    fn ids(&self) -> Result<Vec<DatasetId>, DatasetError> {
        let mut ids = Vec::new();
        let files = match fs::read_dir(&self.data) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(ids),
            files => files.map_err(io("read", &self.data))?,
        };
        for file in files {
            let name = file.map_err(io("read", &self.data))?.file_name();
            ids.extend(name.to_str().and_then(|n| n.strip_suffix(".parquet")).and_then(DatasetId::parse));
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// All data sets, by id; a damaged file is an error in its place.
    ///
    /// # Errors
    /// `DatasetError::Io` if the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Result<DatasetEntry, DatasetError>>, DatasetError> {
        let superseded = self.superseded()?;
        let entry = |id: DatasetId| {
            let path = self.path(id);
            let bytes = fs::metadata(&path).map(|m| m.len()).unwrap_or_default();
            let (_, manifest) = Table::open(&path)?;
            if manifest.dataset_id() != Some(id) {
                return Err(file::damaged(&path, "its manifest is that of another data set"));
            }
            Ok(DatasetEntry { id, manifest, bytes })
        };
        Ok(self.ids()?.into_iter().filter(|id| !superseded.contains(id)).map(entry).collect())
    }

    fn find_name(&self, name: &str) -> Result<Option<DatasetId>, DatasetError> {
        Ok(self.list()?.into_iter().flatten().find(|e| e.manifest.name == name).map(|e| e.id))
    }

    /// The id that a name, an id or the beginning of an id (four digits or more) names.
    ///
    /// # Errors
    /// `DatasetError::NotFound` with the nearest name, `Ambiguous` with all that fit.
    pub fn find(&self, asked: &str) -> Result<DatasetId, DatasetError> {
        let entries: Vec<DatasetEntry> = self.list()?.into_iter().flatten().collect();
        let named: Vec<&DatasetEntry> = entries.iter().filter(|e| e.manifest.name == asked).collect();
        if let [one] = named.as_slice() {
            return Ok(one.id);
        }
        let mut ids = Vec::new();
        if named.is_empty() && asked.len() >= 4 {
            // A damaged file has no name any more, but it can be removed by its id.
            ids = self.ids()?.into_iter().filter(|id| id.to_string().starts_with(asked)).collect();
        }
        ids.extend(named.iter().map(|e| e.id));
        match ids.as_slice() {
            [one] => Ok(*one),
            [] => Err(DatasetError::NotFound {
                asked: asked.to_owned(),
                nearest: nearest(asked, entries.iter().map(|e| e.manifest.name.as_str())),
            }),
            several => Err(DatasetError::Ambiguous {
                asked: asked.to_owned(),
                found: several.iter().map(DatasetId::to_string).collect(),
            }),
        }
    }

    /// Opens a data set.
    ///
    /// # Errors
    /// `DatasetError::NotFound`, `Damaged` or `Io`, naming the file.
    pub fn open(&self, id: DatasetId) -> Result<Dataset, DatasetError> {
        let path = self.path(id);
        if !path.exists() {
            return Err(DatasetError::NotFound { asked: id.to_string(), nearest: None });
        }
        let (table, manifest) = Table::open(&path)?;
        if manifest.dataset_id() != Some(id) {
            return Err(file::damaged(&path, "its manifest is that of another data set"));
        }
        Ok(Dataset { id, path, table, manifest })
    }

    /// Opens the data set that a name or an id names.
    ///
    /// # Errors
    /// As `find` and `open`.
    pub fn get(&self, asked: &str) -> Result<Dataset, DatasetError> {
        self.open(self.find(asked)?)
    }

    /// Removes a data set, damaged or not, with its quarantine.
    ///
    /// # Errors
    /// `DatasetError::NotFound`, `Busy` or `Io`.
    pub fn remove(&self, id: DatasetId) -> Result<(), DatasetError> {
        if !self.path(id).exists() {
            return Err(DatasetError::NotFound { asked: id.to_string(), nearest: None });
        }
        let _lock = self.lock()?;
        self.delete(id)
    }

    fn delete(&self, id: DatasetId) -> Result<(), DatasetError> {
        let path = self.path(id);
        self.disk.remove(&path).map_err(io("removed", &path))?;
        let path = self.quarantine_path(id);
        if path.exists() {
            self.disk.remove(&path).map_err(io("removed", &path))?;
        }
        self.sync_folder(&self.data)
    }

    fn sync_folder(&self, folder: &Path) -> Result<(), DatasetError> {
        self.disk.sync_folder(folder).map_err(io("written", folder))
    }
}

impl Dataset {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> DatasetId {
        self.id
    }

    /// What is known of it.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

fn id_of(manifest: &Manifest) -> Result<DatasetId, DatasetError> {
    // The import made this id a moment ago; it is always 64 digits.
    manifest.dataset_id().ok_or(DatasetError::Option { option: "id", why: manifest.id.clone() })
}

/// A new name is durable only with its folder.
fn check_name(name: Option<&str>) -> Result<(), DatasetError> {
    let Some(name) = name else { return Ok(()) };
    let good = !name.trim().is_empty() && name.len() <= 100 && !name.contains(char::is_control);
    if good {
        return Ok(());
    }
    Err(DatasetError::Option { option: "name", why: format!("'{name}' is no name: 1 to 100 printable characters") })
}
