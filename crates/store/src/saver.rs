//! `SqliteSaver`: checkpoints of state graphs in one SQLite file.
//!
//! Puts are gathered and written in one transaction when they must be durable (`flush`), when somebody reads, or when
//! they grow large. A process that is killed leaves all of a transaction or nothing of it; of what was not flushed,
//! nothing.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, Row};
use tradegraph_graph::{CheckpointId, NewCheckpoint, Place, Query, Saved, Saver, SaverError, Source, TaskWrite};

use crate::StoreError;
use crate::sqlite::{BUSY, Database};

/// Bytes that are gathered before they are written unasked.
const GATHER: usize = 1 << 20;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS checkpoints (
        thread TEXT NOT NULL, ns TEXT NOT NULL, seq INTEGER NOT NULL, hash INTEGER NOT NULL,
        parent_seq INTEGER, parent_hash INTEGER, step INTEGER NOT NULL, source TEXT NOT NULL,
        body BLOB NOT NULL, versions TEXT NOT NULL,
        PRIMARY KEY (thread, ns, seq, hash)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS channels (
        thread TEXT NOT NULL, ns TEXT NOT NULL, channel TEXT NOT NULL, version INTEGER NOT NULL, bytes BLOB NOT NULL,
        PRIMARY KEY (thread, ns, channel, version)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS task_writes (
        thread TEXT NOT NULL, ns TEXT NOT NULL, seq INTEGER NOT NULL, hash INTEGER NOT NULL,
        task INTEGER NOT NULL, idx INTEGER NOT NULL, bytes BLOB NOT NULL,
        PRIMARY KEY (thread, ns, seq, hash, task, idx)
    ) WITHOUT ROWID;
";

/// Something that was put and is not written yet.
enum Pending {
    Checkpoint {
        thread: String,
        ns: String,
        id: CheckpointId,
        parent: Option<CheckpointId>,
        step: i64,
        source: &'static str,
        body: Vec<u8>,
        versions: String,
        changed: Vec<(String, Vec<u8>)>,
    },
    Writes {
        thread: String,
        ns: String,
        id: CheckpointId,
        writes: Vec<TaskWrite>,
    },
}

struct Inner {
    database: Database,
    pending: Vec<Pending>,
    bytes: usize,
}

/// Checkpoints in one SQLite file.
pub struct SqliteSaver {
    inner: Mutex<Inner>,
}

impl std::fmt::Debug for SqliteSaver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteSaver").field("file", &self.lock().database.path()).finish()
    }
}

impl SqliteSaver {
    /// Opens the file, or makes it. `full` waits for the disk at every flush; without it a power cut may take the last
    /// flushes with it, and never leaves a broken file.
    ///
    /// # Errors
    /// `StoreError` naming the file.
    pub fn open(path: &Path, full: bool) -> Result<SqliteSaver, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(if full { SqliteSynchronous::Full } else { SqliteSynchronous::Normal })
            .busy_timeout(BUSY);
        let mut database = Database::connect(path.to_owned(), options)?;
        database.call("set up", |c| Box::pin(async move { sqlx::raw_sql(SCHEMA).execute(c).await.map(|_| ()) }))?;
        Ok(SqliteSaver { inner: Mutex::new(Inner { database, pending: Vec::new(), bytes: 0 }) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it is held; what a poisoned lock guards is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(e: StoreError) -> SaverError {
    SaverError::Failed(Box::new(e))
}

/// Numbers of 64 bits as SQLite keeps them: the same bits with a sign.
fn kept(n: u64) -> i64 {
    n.cast_signed()
}

impl Inner {
    fn add(&mut self, pending: Pending, bytes: usize) -> Result<(), SaverError> {
        self.pending.push(pending);
        self.bytes += bytes;
        if self.bytes > GATHER { self.write() } else { Ok(()) }
    }

    /// Writes everything that was put.
    fn write(&mut self) -> Result<(), SaverError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let pending = std::mem::take(&mut self.pending);
        self.bytes = 0;
        let done = self.database.call("written", |c| {
            Box::pin(async move {
                let mut transaction = c.begin_with("BEGIN IMMEDIATE").await?;
                for one in &pending {
                    put(&mut transaction, one).await?;
                }
                transaction.commit().await
            })
        });
        done.map_err(failed)
    }

    /// Checkpoints that a condition chooses, newest first, with their channels and writes.
    fn read(&mut self, place: Place<'_>, wanted: Wanted) -> Result<Vec<Saved>, SaverError> {
        self.write()?;
        let (thread, ns) = (place.thread.to_owned(), place.ns.to_owned());
        let found =
            self.database.call("read", move |c| Box::pin(async move { select(c, &thread, &ns, &wanted).await }));
        found.map_err(failed)?.into_iter().collect()
    }
}

async fn put(c: &mut SqliteConnection, pending: &Pending) -> Result<(), sqlx::Error> {
    match pending {
        Pending::Checkpoint { thread, ns, id, parent, step, source, body, versions, changed } => {
            sqlx::query("INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
                .bind(thread)
                .bind(ns)
                .bind(kept(id.seq))
                .bind(kept(id.hash))
                .bind(parent.map(|p| kept(p.seq)))
                .bind(parent.map(|p| kept(p.hash)))
                .bind(step)
                .bind(*source)
                .bind(body)
                .bind(versions)
                .execute(&mut *c)
                .await?;
            for (channel, bytes) in changed {
                sqlx::query("INSERT OR REPLACE INTO channels VALUES (?, ?, ?, ?, ?)")
                    .bind(thread)
                    .bind(ns)
                    .bind(channel)
                    .bind(kept(id.seq))
                    .bind(bytes)
                    .execute(&mut *c)
                    .await?;
            }
        }
        Pending::Writes { thread, ns, id, writes } => {
            for w in writes {
                sqlx::query("INSERT OR REPLACE INTO task_writes VALUES (?, ?, ?, ?, ?, ?, ?)")
                    .bind(thread)
                    .bind(ns)
                    .bind(kept(id.seq))
                    .bind(kept(id.hash))
                    .bind(kept(w.task))
                    .bind(i64::from(w.index))
                    .bind(&w.bytes)
                    .execute(&mut *c)
                    .await?;
            }
        }
    }
    Ok(())
}

/// Which checkpoints to read.
enum Wanted {
    One(CheckpointId),
    Newest,
    Listed(Query),
}

impl Wanted {
    fn takes(&self, id: CheckpointId, step: i64, source: &str) -> bool {
        match self {
            Wanted::One(one) => *one == id,
            Wanted::Newest => true,
            Wanted::Listed(q) => {
                q.before.is_none_or(|before| id < before)
                    && q.step.is_none_or(|s| s == step)
                    && q.source.is_none_or(|s| s.name() == source)
            }
        }
    }

    fn limit(&self) -> usize {
        match self {
            Wanted::One(_) | Wanted::Newest => 1,
            Wanted::Listed(q) => q.limit.unwrap_or(usize::MAX),
        }
    }
}

async fn select(
    c: &mut SqliteConnection,
    thread: &str,
    ns: &str,
    wanted: &Wanted,
) -> Result<Vec<Result<Saved, SaverError>>, sqlx::Error> {
    let most = match wanted {
        Wanted::One(id) => kept(id.seq),
        Wanted::Listed(Query { before: Some(id), .. }) => kept(id.seq),
        _ => i64::MAX,
    };
    let rows = sqlx::query(
        "SELECT seq, hash, parent_seq, parent_hash, step, source, body, versions FROM checkpoints \
         WHERE thread = ? AND ns = ? AND seq <= ? ORDER BY seq DESC",
    )
    .bind(thread)
    .bind(ns)
    .bind(most)
    .fetch_all(&mut *c)
    .await?;
    let mut chosen = Vec::new();
    for row in rows {
        let number = |at: usize| row.try_get::<i64, _>(at).map(i64::cast_unsigned);
        let id = CheckpointId { seq: number(0)?, hash: number(1)? };
        let parent = match (row.try_get::<Option<i64>, _>(2)?, row.try_get::<Option<i64>, _>(3)?) {
            (Some(seq), Some(hash)) => Some(CheckpointId { seq: seq.cast_unsigned(), hash: hash.cast_unsigned() }),
            _ => None,
        };
        let (step, source): (i64, String) = (row.try_get(4)?, row.try_get(5)?);
        if wanted.takes(id, step, &source) {
            chosen.push((id, parent, step, source, row.try_get::<Vec<u8>, _>(6)?, row.try_get::<String, _>(7)?));
        }
    }
    // SQLite's order is signed and by number alone; ids are ordered by number and hash without a sign.
    chosen.sort_by_key(|c| std::cmp::Reverse(c.0));
    chosen.truncate(wanted.limit());
    let mut out = Vec::with_capacity(chosen.len());
    for (id, parent, step, source, body, versions) in chosen {
        let wrong = |what: &str| sqlx::Error::Decode(format!("checkpoint {id} has unreadable {what}").into());
        let source = Source::of_name(&source).ok_or_else(|| wrong("source"))?;
        let versions: Vec<(String, u64)> = serde_json::from_str(&versions).map_err(|_| wrong("versions"))?;
        let values = values(c, thread, ns, versions).await?;
        let writes = writes(c, thread, ns, id).await?;
        out.push(values.map(|values| Saved { id, parent, step, source, body, values, writes }));
    }
    Ok(out)
}

type Values = Vec<(String, u64, Vec<u8>)>;

async fn values(
    c: &mut SqliteConnection,
    thread: &str,
    ns: &str,
    versions: Vec<(String, u64)>,
) -> Result<Result<Values, SaverError>, sqlx::Error> {
    let mut out = Vec::with_capacity(versions.len());
    for (channel, version) in versions {
        let bytes: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT bytes FROM channels WHERE thread = ? AND ns = ? AND channel = ? AND version = ?",
        )
        .bind(thread)
        .bind(ns)
        .bind(&channel)
        .bind(kept(version))
        .fetch_optional(&mut *c)
        .await?;
        match bytes {
            Some(bytes) => out.push((channel, version, bytes)),
            None => return Ok(Err(SaverError::MissingBlob { channel, version })),
        }
    }
    Ok(Ok(out))
}

async fn writes(
    c: &mut SqliteConnection,
    thread: &str,
    ns: &str,
    id: CheckpointId,
) -> Result<Vec<TaskWrite>, sqlx::Error> {
    let rows =
        sqlx::query("SELECT task, idx, bytes FROM task_writes WHERE thread = ? AND ns = ? AND seq = ? AND hash = ?")
            .bind(thread)
            .bind(ns)
            .bind(kept(id.seq))
            .bind(kept(id.hash))
            .fetch_all(c)
            .await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let index = u32::try_from(row.try_get::<i64, _>(1)?).unwrap_or_default();
        out.push(TaskWrite { task: row.try_get::<i64, _>(0)?.cast_unsigned(), index, bytes: row.try_get(2)? });
    }
    out.sort_by_key(|w| (w.task, w.index));
    Ok(out)
}

impl Saver for SqliteSaver {
    fn put(&self, place: Place<'_>, checkpoint: &NewCheckpoint<'_>) -> Result<(), SaverError> {
        let versions: Vec<(&str, u64)> = checkpoint.versions().collect();
        let versions = serde_json::to_string(&versions).map_err(|e| SaverError::Failed(Box::new(e)))?;
        let changed: Vec<_> = checkpoint.changed().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect();
        let bytes = checkpoint.body.len() + versions.len() + changed.iter().map(|(_, b)| b.len()).sum::<usize>();
        let pending = Pending::Checkpoint {
            thread: place.thread.to_owned(),
            ns: place.ns.to_owned(),
            id: checkpoint.id,
            parent: checkpoint.parent,
            step: checkpoint.step,
            source: checkpoint.source.name(),
            body: checkpoint.body.to_vec(),
            versions,
            changed,
        };
        self.lock().add(pending, bytes)
    }

    fn put_writes(&self, place: Place<'_>, id: CheckpointId, writes: &[TaskWrite]) -> Result<(), SaverError> {
        let bytes = writes.iter().map(|w| w.bytes.len() + 16).sum();
        let (thread, ns) = (place.thread.to_owned(), place.ns.to_owned());
        self.lock().add(Pending::Writes { thread, ns, id, writes: writes.to_vec() }, bytes)
    }

    fn get(&self, place: Place<'_>, id: Option<CheckpointId>) -> Result<Option<Saved>, SaverError> {
        let wanted = id.map_or(Wanted::Newest, Wanted::One);
        Ok(self.lock().read(place, wanted)?.into_iter().next())
    }

    fn list(&self, place: Place<'_>, query: Query) -> Result<Vec<Saved>, SaverError> {
        self.lock().read(place, Wanted::Listed(query))
    }

    fn newest_seq(&self, thread: &str) -> Result<u64, SaverError> {
        let mut inner = self.lock();
        inner.write()?;
        let thread = thread.to_owned();
        let newest: Result<Option<i64>, StoreError> = inner.database.call("read", move |c| {
            Box::pin(async move {
                sqlx::query_scalar("SELECT max(seq) FROM checkpoints WHERE thread = ?").bind(thread).fetch_one(c).await
            })
        });
        Ok(newest.map_err(failed)?.map_or(0, i64::cast_unsigned))
    }

    fn delete_thread(&self, thread: &str) -> Result<(), SaverError> {
        let mut inner = self.lock();
        inner.write()?;
        let thread = thread.to_owned();
        let done = inner.database.call("changed", move |c| {
            Box::pin(async move {
                let mut transaction = c.begin_with("BEGIN IMMEDIATE").await?;
                for table in ["checkpoints", "channels", "task_writes"] {
                    let sql = format!("DELETE FROM {table} WHERE thread = ?");
                    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&thread).execute(&mut *transaction).await?;
                }
                transaction.commit().await
            })
        });
        done.map_err(failed)
    }

    fn flush(&self) -> Result<(), SaverError> {
        self.lock().write()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradegraph_graph::check_saver;

    #[test]
    fn does_what_every_saver_must() {
        let home = tempfile::tempdir().unwrap();
        let next = std::cell::Cell::new(0);
        let make = || -> Box<dyn Saver> {
            next.set(next.get() + 1);
            Box::new(SqliteSaver::open(&home.path().join(format!("{}.sqlite", next.get())), true).unwrap())
        };
        check_saver(&make).unwrap();
    }

    #[test]
    fn what_was_flushed_is_there_after_the_process_and_what_was_not_is_gone_whole() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("graph.sqlite");
        let place = Place { thread: "t", ns: "" };
        let names = ["a".to_owned()];
        let put = |saver: &SqliteSaver, seq: u64| {
            let id = CheckpointId { seq, hash: seq << 63 | seq };
            let parent = (seq > 1).then(|| CheckpointId { seq: seq - 1, hash: (seq - 1) << 63 | (seq - 1) });
            let (versions, changed) = ([(0, seq)], [(0, 0..5)]);
            let from = (seq as i64 - 2, Source::Loop);
            let new = NewCheckpoint::new((id, parent), from, b"body", (&names, &versions), (&changed, b"value"));
            saver.put(place, &new).unwrap();
        };
        let saver = SqliteSaver::open(&path, true).unwrap();
        put(&saver, 1);
        put(&saver, 2);
        saver.flush().unwrap();
        put(&saver, 3);
        // As a killed process leaves it: what was not flushed was never written.
        let other = SqliteSaver::open(&path, true).unwrap();
        assert_eq!(other.newest_seq("t").unwrap(), 2);
        let all = other.list(place, Query::default()).unwrap();
        assert_eq!(all.iter().map(|s| s.id.seq).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(all[0].values, [("a".to_owned(), 2, b"value".to_vec())]);
        drop(saver);
    }
}
