//! The SQLite file of a home: opening it, its tables, and calls that wait for their answer.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use tokio::runtime::Runtime;

use crate::StoreError;
use crate::disk::SqliteFiles;

/// Name of the file in its home.
pub(crate) const FILE: &str = "store.sqlite";

/// Version of the tables, kept in `user_version`; each entry brings a file from its index to the next version
/// and says so.
const MIGRATIONS: [&str; 2] = [
    "
    CREATE TABLE runs (
        id           TEXT NOT NULL PRIMARY KEY,
        created_ms   INTEGER NOT NULL,
        status       TEXT NOT NULL CHECK (status IN ('running', 'finished', 'failed', 'interrupted')),
        mandate      TEXT NOT NULL,
        mandate_hash BLOB NOT NULL,
        binary       TEXT NOT NULL,
        final_hash   BLOB,
        summary      TEXT,
        finished_ms  INTEGER
    );
    CREATE TABLE commit_groups (
        run       TEXT NOT NULL REFERENCES runs (id),
        idx       INTEGER NOT NULL,
        first_seq INTEGER NOT NULL,
        n         INTEGER NOT NULL,
        prev_hash BLOB NOT NULL,
        hash      BLOB NOT NULL,
        blob      BLOB NOT NULL,
        PRIMARY KEY (run, idx)
    );
    CREATE TABLE snapshots (
        run        TEXT NOT NULL REFERENCES runs (id),
        seq        INTEGER NOT NULL,
        next_group INTEGER NOT NULL,
        hash       BLOB NOT NULL,
        blob       BLOB NOT NULL,
        PRIMARY KEY (run, seq)
    );
    PRAGMA user_version = 1;
",
    // How many commit groups a finished run has, and a hash of what its entry says, its status apart. Entries of older
    // programs have neither.
    "
    ALTER TABLE runs ADD COLUMN groups INTEGER;
    ALTER TABLE runs ADD COLUMN sum BLOB;
    PRAGMA user_version = 2;
",
];

/// How long a connection waits while another one commits. Commits take milliseconds; a disk that is being flushed by
/// others may take seconds.
pub(crate) const BUSY: Duration = Duration::from_secs(30);

pub(crate) type Answer<'c, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'c>>;

/// One connection with the runtime that drives it.
pub(crate) struct Database {
    runtime: Option<Runtime>,
    connection: Option<SqliteConnection>,
    path: PathBuf,
}

impl Database {
    /// Opens the file for writing, makes or updates its tables.
    pub(crate) fn open(home: &Path, files: &SqliteFiles) -> Result<Database, StoreError> {
        let path = home.join(FILE);
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            // Rows are large blobs: four times fewer pages to write, check and copy back than by default.
            .page_size(16_384)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let mut database = Database::connect(path, on(options, files))?;
        let found = database.version()?;
        for (script, version) in MIGRATIONS.iter().zip(0_i64..).skip(usize::try_from(found).unwrap_or(usize::MAX)) {
            database.call("set up", move |c| {
                Box::pin(async move {
                    let mut transaction = c.begin_with("BEGIN IMMEDIATE").await?;
                    // Another process may have done it while this one waited.
                    let now: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *transaction).await?;
                    if now == version {
                        sqlx::raw_sql(*script).execute(&mut *transaction).await?;
                    }
                    transaction.commit().await
                })
            })?;
        }
        Ok(database)
    }

    /// Opens the file for reading; a writer in another process does not wait for it, nor it for the writer.
    pub(crate) fn open_read_only(home: &Path, files: &SqliteFiles) -> Result<Database, StoreError> {
        let path = home.join(FILE);
        if !path.is_file() {
            return Err(StoreError::NoStore { path });
        }
        let options = on(SqliteConnectOptions::new().filename(&path).busy_timeout(BUSY), files);
        let read = || -> Result<(Database, i64), StoreError> {
            let mut database = Database::connect(path.clone(), options.clone().read_only(true))?;
            let found = database.version()?;
            Ok((database, found))
        };
        let (database, found) = match read() {
            Err(e) if is_half_made(&e) => {
                // A crash while the file was made left a journal that only a writer can roll back; after that SQLite
                // keeps a log instead.
                Database::connect(path.clone(), options.clone())?.version()?;
                read()?
            }
            other => other?,
        };
        if found == 0 {
            return Err(StoreError::NoStore { path: database.path().to_owned() });
        }
        Ok(database)
    }

    pub(crate) fn connect(path: PathBuf, options: SqliteConnectOptions) -> Result<Database, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|source| StoreError::Io {
            doing: "opened",
            path: path.clone(),
            source,
        })?;
        let options = options.disable_statement_logging();
        let connection = wait(&runtime, Box::pin(async move { options.connect().await }))
            .map_err(|source| StoreError::sql("opened", &path, source))?;
        Ok(Database { runtime: Some(runtime), connection: Some(connection), path })
    }

    fn version(&mut self) -> Result<i64, StoreError> {
        let found: i64 = self.call("opened", |c| {
            Box::pin(async move { sqlx::query_scalar("PRAGMA user_version").fetch_one(c).await })
        })?;
        let known = MIGRATIONS.len() as i64;
        if found > known {
            return Err(StoreError::Newer { path: self.path.clone(), found, known });
        }
        Ok(found)
    }

    /// Runs statements and waits for their answer.
    pub(crate) fn call<'s, T: Send>(
        &'s mut self,
        doing: &'static str,
        work: impl FnOnce(&'s mut SqliteConnection) -> Answer<'s, T>,
    ) -> Result<T, StoreError> {
        let (Some(runtime), Some(connection)) = (self.runtime.as_ref(), self.connection.as_mut()) else {
            return Err(StoreError::sql(doing, &self.path, sqlx::Error::WorkerCrashed));
        };
        wait(runtime, work(connection)).map_err(|source| StoreError::sql(doing, &self.path, source))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let (Some(runtime), Some(connection)) = (self.runtime.take(), self.connection.take()) {
            // Everything that was acknowledged is durable already; closing only tidies the files up.
            let _ = wait(&runtime, Box::pin(connection.close()));
            // A runtime that is dropped inside another one panics.
            runtime.shutdown_background();
        }
    }
}

/// SQLite's SQLITE_READONLY_ROLLBACK.
fn is_half_made(error: &StoreError) -> bool {
    let StoreError::Sql { source, .. } = error else { return false };
    source.as_database_error().and_then(|e| e.code()).is_some_and(|c| c == "776")
}

fn on(options: SqliteConnectOptions, files: &SqliteFiles) -> SqliteConnectOptions {
    let options = match &files.layer {
        Some(layer) => options.vfs(layer.clone()),
        None => options,
    };
    match files.checkpoint_pages {
        Some(pages) => options.pragma("wal_autocheckpoint", pages.to_string()),
        None => options,
    }
}

/// A runtime cannot wait inside another one (the server's): there, a thread of its own waits.
fn wait<T: Send>(runtime: &Runtime, answer: Answer<'_, T>) -> Result<T, sqlx::Error> {
    if tokio::runtime::Handle::try_current().is_err() {
        return runtime.block_on(answer);
    }
    std::thread::scope(|scope| {
        scope.spawn(|| runtime.block_on(answer)).join().unwrap_or(Err(sqlx::Error::WorkerCrashed))
    })
}
