//! `SqliteSaver`: checkpoints of state graphs in one SQLite file.
//!
//! Puts are gathered and written in one transaction when they must be durable (`flush`), when somebody reads, or when
//! they grow large. A process that is killed leaves all of a transaction or nothing of it; of what was not flushed,
//! nothing. What could not be written stays gathered for the next call.

use super::{Blobs, ChannelRow, CheckpointRow, Found, Gathered, NEWEST, SELECT, Wanted, WriteRow, kept};
use crate::StoreError;
use crate::sqlite::{BUSY, Database};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, Row};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tradegraph_graph::{CheckpointId, NewCheckpoint, Place, Query, Saved, Saver, SaverError, TaskWrite};

/// Each brings a file from its index to the next version, which `user_version` counts.
const MIGRATIONS: [&str; 2] = [
    // Files of the first version did not count.
    "CREATE TABLE IF NOT EXISTS checkpoints (
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
    ) WITHOUT ROWID;",
    // By version first: what a commit adds is in one page instead of one a channel.
    "ALTER TABLE channels RENAME TO channels_of_version_1;
    CREATE TABLE channels (
        thread TEXT NOT NULL, ns TEXT NOT NULL, version INTEGER NOT NULL, channel TEXT NOT NULL, bytes BLOB NOT NULL,
        PRIMARY KEY (thread, ns, version, channel)
    ) WITHOUT ROWID;
    INSERT INTO channels SELECT thread, ns, version, channel, bytes FROM channels_of_version_1;
    DROP TABLE channels_of_version_1;",
];

/// Rows of a table that one statement writes.
const CHUNK: usize = 64;

struct Inner {
    database: Database,
    gathered: Gathered,
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
        let found = database.call("set up", |c| Box::pin(migrate(c)))?;
        let known = MIGRATIONS.len() as i64;
        if found > known {
            return Err(StoreError::Newer { path: path.to_owned(), found, known });
        }
        Ok(SqliteSaver { inner: Mutex::new(Inner { database, gathered: Gathered::default() }) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it is held; what a poisoned lock guards is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Brings the tables to the newest version and gives the one that was found.
async fn migrate(c: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let version = "PRAGMA user_version";
    if sqlx::query_scalar::<_, i64>(version).fetch_one(&mut *c).await? == MIGRATIONS.len() as i64 {
        return Ok(MIGRATIONS.len() as i64);
    }
    let mut t = c.begin_with("BEGIN IMMEDIATE").await?;
    let found: i64 = sqlx::query_scalar(version).fetch_one(&mut *t).await?;
    for (next, script) in (1_i64..).zip(MIGRATIONS).skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        sqlx::raw_sql(script).execute(&mut *t).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("PRAGMA user_version = {next}"))).execute(&mut *t).await?;
    }
    t.commit().await?;
    Ok(found)
}

fn failed(e: StoreError) -> SaverError {
    SaverError::Failed(Box::new(e))
}

impl Inner {
    /// Writes everything that was put; what cannot be written stays.
    fn write(&mut self) -> Result<(), SaverError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let gathered = &self.gathered;
        self.database.call("written", |c| Box::pin(insert(c, gathered))).map_err(failed)?;
        self.gathered.clear();
        Ok(())
    }

    fn read(&mut self, place: Place<'_>, wanted: Wanted) -> Result<Vec<Saved>, SaverError> {
        self.write()?;
        let (thread, ns) = (place.thread, place.ns);
        let found = self.database.call("read", |c| Box::pin(select(c, thread, ns, wanted)));
        let (found, blobs) = found.map_err(failed)?;
        found.into_iter().map(|f| f.with(&blobs)).collect()
    }
}

/// One transaction. A cycle's rows, which are few, go over to SQLite's thread in one piece with its BEGIN and COMMIT:
/// each way there and back costs as much as writing ten rows.
async fn insert(c: &mut SqliteConnection, gathered: &Gathered) -> Result<(), sqlx::Error> {
    let Gathered { checkpoints, channels, writes, .. } = gathered;
    let chunks = checkpoints.len().max(channels.len()).max(writes.len()).div_ceil(CHUNK);
    let mut done = Ok(());
    for k in 0..chunks {
        let ends = (k == 0, k + 1 == chunks);
        done = insert_chunk(c, chunk(checkpoints, k), chunk(channels, k), chunk(writes, k), ends).await;
        if done.is_err() {
            // The answer that counts is the first; without a transaction there is nothing to roll back.
            let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *c).await;
            break;
        }
    }
    done
}

fn chunk<T>(rows: &[T], k: usize) -> &[T] {
    rows.chunks(CHUNK).nth(k).unwrap_or_default()
}

async fn insert_chunk(
    c: &mut SqliteConnection,
    checkpoints: &[CheckpointRow],
    channels: &[ChannelRow],
    writes: &[WriteRow],
    (begin, commit): (bool, bool),
) -> Result<(), sqlx::Error> {
    let mut sql = String::with_capacity(1024);
    sql.push_str(if begin { "BEGIN IMMEDIATE;" } else { "" });
    let tables = [("checkpoints", checkpoints.len(), 10), ("channels", channels.len(), 5), ("task_writes", writes.len(), 7)];
    for (table, rows, columns) in tables.into_iter().filter(|(_, rows, _)| *rows > 0) {
        sql.push_str("INSERT OR REPLACE INTO ");
        sql.push_str(table);
        sql.push_str(" VALUES ");
        for row in 0..rows {
            sql.push_str(if row > 0 { ",(?" } else { "(?" });
            (1..columns).for_each(|_| sql.push_str(",?"));
            sql.push(')');
        }
        sql.push(';');
    }
    sql.push_str(if commit { "COMMIT" } else { "" });
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for r in checkpoints {
        query = query.bind(r.thread.as_str()).bind(r.ns.as_str()).bind(kept(r.id.seq)).bind(kept(r.id.hash));
        query = query.bind(r.parent.map(|p| kept(p.seq))).bind(r.parent.map(|p| kept(p.hash)));
        query = query.bind(r.step).bind(r.source).bind(r.body.as_slice()).bind(r.versions.as_str());
    }
    for r in channels {
        query = query.bind(r.thread.as_str()).bind(r.ns.as_str()).bind(r.version).bind(r.channel.as_str());
        query = query.bind(r.bytes.as_slice());
    }
    for r in writes {
        query = query.bind(r.thread.as_str()).bind(r.ns.as_str()).bind(kept(r.id.seq)).bind(kept(r.id.hash));
        query = query.bind(kept(r.write.task)).bind(i64::from(r.write.index)).bind(r.write.bytes.as_slice());
    }
    query.execute(c).await.map(|_| ())
}

async fn select(
    c: &mut SqliteConnection,
    thread: &str,
    ns: &str,
    wanted: Wanted,
) -> Result<(Vec<Found>, Blobs), sqlx::Error> {
    // The questions see one moment: another program may forget the thread meanwhile.
    let mut t = c.begin().await?;
    let rows = sqlx::query(SELECT)
        .bind(thread)
        .bind(ns)
        .bind(wanted.first)
        .bind(wanted.last)
        .bind(wanted.hash)
        .bind(wanted.before)
        .bind(wanted.source)
        .bind(wanted.step)
        .bind(wanted.limit)
        .fetch_all(&mut *t)
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, parent) = ((row.try_get(0)?, row.try_get(1)?), (row.try_get(2)?, row.try_get(3)?));
        found.push(Found::new(id, parent, row.try_get(4)?, row.try_get(5)?, row.try_get(6)?, row.try_get(7)?)?);
    }
    let mut blobs = Blobs::new();
    for f in &mut found {
        for (channel, version) in &f.versions {
            let key = (channel.clone(), *version);
            if blobs.contains_key(&key) {
                continue;
            }
            let sql = "SELECT bytes FROM channels WHERE thread = ? AND ns = ? AND version = ? AND channel = ?";
            let query = sqlx::query_scalar(sql).bind(thread).bind(ns).bind(kept(*version)).bind(channel);
            if let Some(bytes) = query.fetch_optional(&mut *t).await? {
                blobs.insert(key, bytes);
            }
        }
        let sql = "SELECT task, idx, bytes FROM task_writes WHERE thread = ? AND ns = ? AND seq = ? AND hash = ?";
        let id = f.saved.id;
        let query = sqlx::query(sql).bind(thread).bind(ns).bind(kept(id.seq)).bind(kept(id.hash));
        for row in query.fetch_all(&mut *t).await? {
            let index = u32::try_from(row.try_get::<i64, _>(1)?).unwrap_or_default();
            let task = row.try_get::<i64, _>(0)?.cast_unsigned();
            f.saved.writes.push(TaskWrite { task, index, bytes: row.try_get(2)? });
        }
    }
    t.commit().await?;
    Ok((found, blobs))
}

impl Saver for SqliteSaver {
    fn put(&self, place: Place<'_>, checkpoint: &NewCheckpoint<'_>) -> Result<(), SaverError> {
        let mut inner = self.lock();
        inner.gathered.put(place, checkpoint)?;
        if inner.gathered.is_full() { inner.write() } else { Ok(()) }
    }

    fn put_writes(&self, place: Place<'_>, id: CheckpointId, writes: &[TaskWrite]) -> Result<(), SaverError> {
        let mut inner = self.lock();
        inner.gathered.put_writes(place, id, writes);
        if inner.gathered.is_full() { inner.write() } else { Ok(()) }
    }

    fn get(&self, place: Place<'_>, id: Option<CheckpointId>) -> Result<Option<Saved>, SaverError> {
        Ok(self.lock().read(place, Wanted::one(id))?.into_iter().next())
    }

    fn list(&self, place: Place<'_>, query: Query) -> Result<Vec<Saved>, SaverError> {
        self.lock().read(place, Wanted::listed(query))
    }

    fn newest_seq(&self, thread: &str) -> Result<u64, SaverError> {
        let mut inner = self.lock();
        inner.write()?;
        let newest: Result<Option<i64>, StoreError> =
            inner.database.call("read", |c| Box::pin(sqlx::query_scalar(NEWEST).bind(thread).fetch_one(c)));
        Ok(newest.map_err(failed)?.map_or(0, i64::cast_unsigned))
    }

    fn delete_thread(&self, thread: &str) -> Result<(), SaverError> {
        let mut inner = self.lock();
        inner.write()?;
        let done = inner.database.call("changed", |c| {
            Box::pin(async move {
                let mut transaction = c.begin_with("BEGIN IMMEDIATE").await?;
                for table in ["checkpoints", "channels", "task_writes"] {
                    let sql = format!("DELETE FROM {table} WHERE thread = ?");
                    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(thread).execute(&mut *transaction).await?;
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
