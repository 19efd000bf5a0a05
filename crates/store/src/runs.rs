//! `Store`: the runs of a home. One SQLite file holds what a run is, its commit groups and its snapshots.

mod forks;

pub use forks::Fork;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tradegraph_domain::Timestamp;
use tradegraph_engine::JournalError;

use crate::disk::{Disk, FileSystem, SqliteFiles};
use crate::journal::{JournalReader, SqliteJournal};
use crate::lock::{HomeLock, LockError};
use crate::sqlite::Database;

/// Why the store could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer has the home, or the lock file cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The system refused.
    #[error("{}: cannot be {doing}: {source}", path.display())]
    Io {
        /// What was tried, as a participle.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database refused.
    #[error("{}: the store cannot be {doing}: {source}{}", path.display(), advice(source))]
    Sql {
        /// What was tried, as a participle.
        doing: &'static str,
        /// The database file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// The database of checkpoints refused.
    #[error("{}: checkpoints cannot be {doing}: {source}{}", path.display(), advice_of(code_of(source)))]
    Checkpoints {
        /// What was tried, as a participle.
        doing: &'static str,
        /// The database file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// Nothing was ever stored.
    #[error("{}: there is no store; a run makes it", path.display())]
    NoStore {
        /// The database file.
        path: PathBuf,
    },
    /// Written by a later version of this program.
    #[error("{}: the store has version {found}, this program knows up to {known}; use a newer program", path.display())]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// The store was opened for reading.
    #[error("{}: the store was opened for reading and cannot be changed", path.display())]
    ReadOnly {
        /// The database file.
        path: PathBuf,
    },
    /// No runs at all.
    #[error("{}: the store has no runs yet", path.display())]
    NoRuns {
        /// The database file.
        path: PathBuf,
    },
    /// No run of this name.
    #[error("no run begins with '{text}'; the newest are {}", newest.iter().map(RunId::as_str).collect::<Vec<_>>().join(", "))]
    NoSuchRun {
        /// What was asked for.
        text: String,
        /// The newest runs.
        newest: Vec<RunId>,
    },
    /// Several runs.
    #[error("'{text}' is the beginning of {} runs: {}; type more of it", candidates.len(), candidates.iter().map(RunId::as_str).collect::<Vec<_>>().join(", "))]
    Ambiguous {
        /// What was asked for.
        text: String,
        /// The runs it may mean.
        candidates: Vec<RunId>,
    },
    /// The end of the journal is damaged, so nothing can follow it.
    #[error("run '{run}' cannot go on: {source}; resume from a copy of the store, or start the run again")]
    Journal {
        /// The run.
        run: RunId,
        /// What is wrong.
        source: JournalError,
    },
    /// A run's entry is not what was written.
    #[error("{}: the entry of run '{run}' is damaged: its content does not fit its hash", path.display())]
    Entry {
        /// The database file.
        path: PathBuf,
        /// The run.
        run: RunId,
    },
    /// A row that this program did not write.
    #[error("{}: run '{run}' has the unreadable {column} '{value}'", path.display())]
    Row {
        /// The database file.
        path: PathBuf,
        /// The run.
        run: RunId,
        /// The column.
        column: &'static str,
        /// The value found.
        value: String,
    },
}

impl StoreError {
    pub(crate) fn sql(doing: &'static str, path: &Path, source: sqlx::Error) -> StoreError {
        StoreError::Sql { doing, path: path.to_owned(), source }
    }
}

/// What to do next, for the errors that users meet.
pub(crate) fn advice(error: &sqlx::Error) -> &'static str {
    // SQLite's primary result codes; extended codes have them in the low byte.
    advice_of(error.as_database_error().and_then(|e| e.code()).and_then(|c| c.parse::<i32>().ok()))
}

fn code_of(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|e| e.extended_code)
}

fn advice_of(code: Option<i32>) -> &'static str {
    match code.map(|c| c & 0xff) {
        Some(5 | 6) => "; another program holds the file locked for longer than 30 s: close it",
        Some(8) => "; the file or its folder is read-only: allow writing or use another --home",
        Some(10) => "; the disk reports errors or a size limit: check it before going on",
        Some(11 | 26) => "; the file is damaged: restore it from a copy",
        Some(13) => "; the disk is full: free space and resume the run",
        Some(14) => "; check that the folder exists and may be read and written",
        _ => "",
    }
}

/// The name of a run: readable, sorted by time, unique in its home.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// The usual name: `20261122-174210-ema-cross-3f2a`, from the time the run was made, the mandate's name and the
    /// first two bytes of the mandate's hash.
    #[must_use]
    pub fn new(created: Timestamp, mandate_name: &str, mandate_hash: &[u8; 32]) -> RunId {
        let time: String = created.to_string().chars().take(19).filter(|c| !matches!(c, '-' | ':')).collect();
        let mut name = String::new();
        for c in mandate_name.chars().take(40) {
            match c.to_ascii_lowercase() {
                c if c.is_ascii_alphanumeric() => name.push(c),
                _ if !name.ends_with('-') && !name.is_empty() => name.push('-'),
                _ => {}
            }
        }
        let name = name.trim_end_matches('-');
        let name = if name.is_empty() { "run" } else { name };
        RunId(format!("{}-{name}-{:02x}{:02x}", time.replace('T', "-"), mandate_hash[0], mandate_hash[1]))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// Its process writes.
    Running,
    /// Ended as planned.
    Finished,
    /// Ended by an error.
    Failed,
    /// Its process is gone; it can be resumed.
    Interrupted,
}

impl RunStatus {
    /// All of them.
    pub const ALL: [RunStatus; 4] =
        [RunStatus::Running, RunStatus::Finished, RunStatus::Failed, RunStatus::Interrupted];

    /// The word that is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RunStatus::Running => "running",
            RunStatus::Finished => "finished",
            RunStatus::Failed => "failed",
            RunStatus::Interrupted => "interrupted",
        }
    }
}

/// What is known of a run when it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInfo {
    /// The name to give it; the store appends `-2`, `-3`… if it is taken.
    pub id: RunId,
    /// When it was made.
    pub created: Timestamp,
    /// The mandate as written.
    pub mandate: String,
    /// Its hash.
    pub mandate_hash: [u8; 32],
    /// Version and build of the program.
    pub binary: String,
}

/// A run of the store. Times are kept to the millisecond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// Its name and what it began with.
    pub info: RunInfo,
    /// How far it is.
    pub status: RunStatus,
    /// Hash of its last state, once it has finished.
    pub final_hash: Option<[u8; 32]>,
    /// Key figures as JSON, once it has finished.
    pub summary: Option<String>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// Commit groups of its journal, once it has finished; a journal that has fewer is damaged.
    pub groups: Option<u64>,
}

/// The runs of a home.
pub struct Store {
    home: PathBuf,
    database: Mutex<Database>,
    files: SqliteFiles,
    /// Shared with the journals, so that the home stays locked as long as one of them writes.
    lock: Option<Arc<HomeLock>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("home", &self.home).field("writes", &self.lock.is_some()).finish()
    }
}

impl Store {
    /// Opens a home for writing: makes the folder and the database if they are missing and takes the lock. Runs that
    /// a killed process left as running become interrupted.
    ///
    /// # Errors
    /// `StoreError::Lock` if another process writes there, else `Io`, `Sql` or `Newer`.
    pub fn open(home: &Path) -> Result<Store, StoreError> {
        Store::open_on(home, &FileSystem)
    }

    /// As `open`, on a disk of one's own.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_on(home: &Path, disk: &dyn Disk) -> Result<Store, StoreError> {
        let io = |source| StoreError::Io { doing: "made", path: home.to_owned(), source };
        disk.make_folders(home).map_err(io)?;
        let lock = HomeLock::acquire(home)?;
        let files = disk.sqlite();
        let mut database = Database::open(home, &files)?;
        database.call("written", |c| {
            Box::pin(async move {
                sqlx::query("UPDATE runs SET status = 'interrupted' WHERE status = 'running'").execute(c).await
            })
        })?;
        Ok(Store { home: home.to_owned(), database: Mutex::new(database), files, lock: Some(Arc::new(lock)) })
    }

    /// Opens a home for reading; needs no lock and never waits for a writer.
    ///
    /// # Errors
    /// `StoreError::NoStore` if nothing was ever stored there, else `Sql` or `Newer`.
    pub fn open_read_only(home: &Path) -> Result<Store, StoreError> {
        Store::open_read_only_on(home, &FileSystem)
    }

    /// As `open_read_only`, on a disk of one's own.
    ///
    /// # Errors
    /// As `open_read_only`.
    pub fn open_read_only_on(home: &Path, disk: &dyn Disk) -> Result<Store, StoreError> {
        let files = disk.sqlite();
        let database = Database::open_read_only(home, &files)?;
        Ok(Store { home: home.to_owned(), database: Mutex::new(database), files, lock: None })
    }

    /// The home.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Adds a run with the status `running`.
    ///
    /// # Errors
    /// `StoreError` if it cannot be written.
    pub fn create_run(&self, info: &RunInfo) -> Result<RunId, StoreError> {
        self.must_write()?;
        for n in 1_u32.. {
            let id = if n == 1 { info.id.0.clone() } else { format!("{}-{n}", info.id) };
            let row = (id.clone(), info.clone());
            let sum = sum(&RunInfo { id: RunId(id.clone()), ..info.clone() }, None);
            let added = self.database().call("written", move |c| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO runs (id, created_ms, status, mandate, mandate_hash, binary, sum)
                         VALUES (?, ?, 'running', ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    )
                    .bind(row.0)
                    .bind(millis(row.1.created))
                    .bind(row.1.mandate)
                    .bind(row.1.mandate_hash.to_vec())
                    .bind(row.1.binary)
                    .bind(sum.to_vec())
                    .execute(c)
                    .await
                })
            })?;
            if added.rows_affected() == 1 {
                return Ok(RunId(id));
            }
        }
        Ok(info.id.clone())
    }

    /// All runs, oldest first.
    ///
    /// # Errors
    /// `StoreError` if they cannot be read.
    pub fn runs(&self) -> Result<Vec<RunRecord>, StoreError> {
        let mut database = self.database();
        let path = database.path().to_owned();
        let rows = database.call("read", |c| {
            Box::pin(async move { sqlx::query("SELECT * FROM runs ORDER BY created_ms, id").fetch_all(c).await })
        })?;
        rows.iter().map(|row| record(row, &path)).collect()
    }

    /// The run that a name, the beginning of a name, or `last` means.
    ///
    /// # Errors
    /// `StoreError::NoRuns`, `NoSuchRun` or `Ambiguous`, with the names it may have meant.
    pub fn find(&self, text: &str) -> Result<RunRecord, StoreError> {
        let mut runs = self.runs()?;
        if runs.is_empty() {
            return Err(StoreError::NoRuns { path: self.home.join(crate::sqlite::FILE) });
        }
        if text == "last" || text.is_empty() {
            return runs.pop().ok_or_else(|| StoreError::NoRuns { path: self.home.clone() });
        }
        if let Some(exact) = runs.iter().find(|r| r.info.id.0 == text) {
            return Ok(exact.clone());
        }
        let mut matching = runs.iter().filter(|r| r.info.id.0.starts_with(text));
        match (matching.next(), matching.next()) {
            (Some(one), None) => Ok(one.clone()),
            (None, _) => {
                let newest = runs.iter().rev().take(5).map(|r| r.info.id.clone()).collect();
                Err(StoreError::NoSuchRun { text: text.to_owned(), newest })
            }
            _ => {
                let all = runs.iter().filter(|r| r.info.id.0.starts_with(text));
                let candidates = all.map(|r| r.info.id.clone()).collect();
                Err(StoreError::Ambiguous { text: text.to_owned(), candidates })
            }
        }
    }

    /// Notes how a run ended: finished, with the hash of its last state and its key figures as JSON.
    ///
    /// # Errors
    /// `StoreError` if it cannot be written or there is no such run.
    pub fn finish_run(
        &self,
        run: &RunId,
        finished: Timestamp,
        final_hash: [u8; 32],
        summary: &str,
    ) -> Result<(), StoreError> {
        self.must_write()?;
        let row = (run.0.clone(), summary.to_owned());
        let info = self.find(&run.0)?.info;
        // A journal whose end is gone must be told from one that was shorter.
        let groups = self.reader(run)?.tip()?.map_or(0, |tip| tip.index.saturating_add(1)).cast_signed();
        let sum = sum(&info, Some((&final_hash, summary, millis(finished), groups)));
        let changed = self.database().call("written", move |c| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE runs SET status = 'finished', final_hash = ?, summary = ?, finished_ms = ?, groups = ?,
                     sum = ?
                     WHERE id = ?",
                )
                .bind(final_hash.to_vec())
                .bind(row.1)
                .bind(millis(finished))
                .bind(groups)
                .bind(sum.to_vec())
                .bind(row.0)
                .execute(c)
                .await
            })
        })?;
        self.must_exist(run, changed.rows_affected())
    }

    /// Sets how far a run is.
    ///
    /// # Errors
    /// `StoreError` if it cannot be written or there is no such run.
    pub fn set_status(&self, run: &RunId, status: RunStatus) -> Result<(), StoreError> {
        self.must_write()?;
        let id = run.0.clone();
        let changed = self.database().call("written", move |c| {
            Box::pin(async move {
                sqlx::query("UPDATE runs SET status = ? WHERE id = ?").bind(status.name()).bind(id).execute(c).await
            })
        })?;
        self.must_exist(run, changed.rows_affected())
    }

    /// The journal of a run, to be written. After a crash it goes on behind the last durable group; groups handed over
    /// again are compared with those stored.
    ///
    /// # Errors
    /// `StoreError` if the store was opened for reading, the run does not exist or its journal cannot be opened.
    pub fn journal(&self, run: &RunId) -> Result<SqliteJournal, StoreError> {
        let lock = self.must_write()?;
        self.find(&run.0)?;
        SqliteJournal::open_at(&self.home, run, lock, &self.files)
    }

    /// The journal of a run, to be read, through a connection of its own.
    ///
    /// # Errors
    /// `StoreError` if the database cannot be opened or the run's entry is damaged.
    pub fn reader(&self, run: &RunId) -> Result<JournalReader, StoreError> {
        let groups = match self.find(&run.0) {
            Ok(record) => record.groups.unwrap_or_default(),
            Err(StoreError::NoRuns { .. } | StoreError::NoSuchRun { .. }) => 0,
            Err(e) => return Err(e),
        };
        Ok(JournalReader::open(&self.home, run, &self.files)?.with_at_least(groups))
    }

    fn must_write(&self) -> Result<Arc<HomeLock>, StoreError> {
        self.lock.clone().ok_or_else(|| StoreError::ReadOnly { path: self.home.join(crate::sqlite::FILE) })
    }

    fn must_exist(&self, run: &RunId, changed: u64) -> Result<(), StoreError> {
        if changed == 0 { self.find(&run.0).map(|_| ()) } else { Ok(()) }
    }

    fn database(&self) -> MutexGuard<'_, Database> {
        // A panic while the lock was held left no half-done statement: SQLite rolls back.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(ts: Timestamp) -> i64 {
    ts.0.div_euclid(1_000_000)
}

/// Hash of what an entry says: what it began with, and its end (hash, summary, time, commit groups) once it has one.
fn sum(info: &RunInfo, end: Option<(&[u8; 32], &str, i64, i64)>) -> [u8; 32] {
    let mut h = blake3::Hasher::new();
    let mut field = |bytes: &[u8]| {
        h.update(&(bytes.len() as u64).to_le_bytes());
        h.update(bytes);
    };
    field(b"tradegraph run 1");
    field(info.id.0.as_bytes());
    field(&millis(info.created).to_le_bytes());
    field(info.mandate.as_bytes());
    field(&info.mandate_hash);
    field(info.binary.as_bytes());
    if let Some((hash, summary, ms, groups)) = end {
        field(hash);
        field(summary.as_bytes());
        field(&ms.to_le_bytes());
        field(&groups.to_le_bytes());
    }
    *h.finalize().as_bytes()
}

fn record(row: &SqliteRow, path: &Path) -> Result<RunRecord, StoreError> {
    let sql = |source| StoreError::sql("read", path, source);
    let id = RunId(row.try_get("id").map_err(sql)?);
    let wrong = |column, value: String| StoreError::Row { path: path.to_owned(), run: id.clone(), column, value };
    let ts = |ms: i64| Timestamp(ms.saturating_mul(1_000_000));
    let hash = |column: &'static str, bytes: Vec<u8>| {
        <[u8; 32]>::try_from(bytes).map_err(|b| wrong(column, format!("{} bytes", b.len())))
    };
    let status: String = row.try_get("status").map_err(sql)?;
    let final_hash: Option<Vec<u8>> = row.try_get("final_hash").map_err(sql)?;
    // Stores that were only read since an older program wrote them do not have these columns.
    let groups: Option<i64> = row.try_get("groups").unwrap_or_default();
    let record = RunRecord {
        groups: groups.map(i64::cast_unsigned),
        status: RunStatus::ALL
            .into_iter()
            .find(|s| s.name() == status)
            .ok_or_else(|| wrong("status", status.clone()))?,
        final_hash: final_hash.map(|h| hash("final_hash", h)).transpose()?,
        summary: row.try_get("summary").map_err(sql)?,
        finished: row.try_get::<Option<i64>, _>("finished_ms").map_err(sql)?.map(ts),
        info: RunInfo {
            created: ts(row.try_get("created_ms").map_err(sql)?),
            mandate: row.try_get("mandate").map_err(sql)?,
            mandate_hash: hash("mandate_hash", row.try_get("mandate_hash").map_err(sql)?)?,
            binary: row.try_get("binary").map_err(sql)?,
            id: id.clone(),
        },
    };
    let stored: Option<Vec<u8>> = row.try_get("sum").unwrap_or_default();
    let times = record.finished.map(millis).zip(groups);
    let end = record.final_hash.as_ref().zip(record.summary.as_deref()).zip(times).map(|((h, s), (f, g))| (h, s, f, g));
    match stored {
        Some(stored) if stored != sum(&record.info, end) => {
            Err(StoreError::Entry { path: path.to_owned(), run: id.clone() })
        }
        _ => Ok(record),
    }
}
