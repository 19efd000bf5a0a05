//! `SqliteSaver`: checkpoints of state graphs in one SQLite file.
//!
//! Puts are gathered and written in one transaction when they must be durable (`flush`), when somebody reads, or when
//! they grow large. A process that is killed leaves all of a transaction or nothing of it; of what was not flushed,
//! nothing. What could not be written stays gathered for the next call.

use super::{Blobs, Found, Gathered, NEWEST, SELECT, Wanted, kept};
use crate::StoreError;
use crate::sqlite::BUSY;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::path::{Path, PathBuf};
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

struct Inner {
    connection: Connection,
    path: PathBuf,
    gathered: Gathered,
}

/// Checkpoints in one SQLite file.
pub struct SqliteSaver {
    inner: Mutex<Inner>,
}

impl std::fmt::Debug for SqliteSaver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteSaver").field("file", &self.lock().path).finish()
    }
}

impl SqliteSaver {
    /// Opens the file, or makes it. `full` waits for the disk at every flush; without it a power cut may take the last
    /// flushes with it, and never leaves a broken file.
    ///
    /// # Errors
    /// `StoreError` naming the file.
    pub fn open(path: &Path, full: bool) -> Result<SqliteSaver, StoreError> {
        let failed = |source| StoreError::Checkpoints { doing: "opened", path: path.to_owned(), source };
        let mut connection = Connection::open(path).map_err(failed)?;
        let found = set_up(&mut connection, full).map_err(failed)?;
        let known = MIGRATIONS.len() as i64;
        if found > known {
            return Err(StoreError::Newer { path: path.to_owned(), found, known });
        }
        let inner = Inner { connection, path: path.to_owned(), gathered: Gathered::default() };
        Ok(SqliteSaver { inner: Mutex::new(inner) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it is held; what a poisoned lock guards is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Settings, then the tables brought to the newest version; gives the version that was found.
fn set_up(c: &mut Connection, full: bool) -> rusqlite::Result<i64> {
    c.busy_timeout(BUSY)?;
    c.pragma_update(None, "journal_mode", "WAL")?;
    c.pragma_update(None, "synchronous", if full { "FULL" } else { "NORMAL" })?;
    c.set_prepared_statement_cache_capacity(16);
    let version = |c: &Connection| c.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    if version(c)? == MIGRATIONS.len() as i64 {
        return Ok(MIGRATIONS.len() as i64);
    }
    let t = c.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&t)?;
    for (next, script) in (1_i64..).zip(MIGRATIONS).skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        t.execute_batch(script)?;
        t.pragma_update(None, "user_version", next)?;
    }
    t.commit()?;
    Ok(found)
}

impl Inner {
    fn failed(&self, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> SaverError {
        let path = self.path.clone();
        move |source| SaverError::Failed(Box::new(StoreError::Checkpoints { doing, path, source }))
    }

    /// Writes everything that was put; what cannot be written stays.
    fn write(&mut self) -> Result<(), SaverError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        insert(&mut self.connection, &self.gathered).map_err(self.failed("written"))?;
        self.gathered.clear();
        Ok(())
    }

    fn read(&mut self, place: Place<'_>, wanted: Wanted) -> Result<Vec<Saved>, SaverError> {
        self.write()?;
        let (found, blobs) = select(&mut self.connection, place, wanted).map_err(self.failed("read"))?;
        found.into_iter().map(|f| f.with(&blobs)).collect()
    }
}

fn insert(c: &mut Connection, gathered: &Gathered) -> rusqlite::Result<()> {
    let t = c.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !gathered.checkpoints.is_empty() {
        let mut put = t.prepare_cached("INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
        for r in &gathered.checkpoints {
            let parent = (r.parent.map(|p| kept(p.seq)), r.parent.map(|p| kept(p.hash)));
            let (seq, hash) = (kept(r.id.seq), kept(r.id.hash));
            put.execute(params![r.thread, r.ns, seq, hash, parent.0, parent.1, r.step, r.source, r.body, r.versions])?;
        }
    }
    if !gathered.channels.is_empty() {
        let mut put = t.prepare_cached("INSERT OR REPLACE INTO channels VALUES (?, ?, ?, ?, ?)")?;
        for r in &gathered.channels {
            put.execute(params![r.thread, r.ns, r.version, r.channel, r.bytes])?;
        }
    }
    if !gathered.writes.is_empty() {
        let mut put = t.prepare_cached("INSERT OR REPLACE INTO task_writes VALUES (?, ?, ?, ?, ?, ?, ?)")?;
        for r in &gathered.writes {
            let (seq, hash, task) = (kept(r.id.seq), kept(r.id.hash), kept(r.write.task));
            put.execute(params![r.thread, r.ns, seq, hash, task, r.write.index, r.write.bytes])?;
        }
    }
    t.commit()
}

fn select(c: &mut Connection, place: Place<'_>, wanted: Wanted) -> rusqlite::Result<(Vec<Found>, Blobs)> {
    // The questions see one moment: another program may forget the thread meanwhile.
    let t = c.transaction()?;
    let (thread, ns) = (place.thread, place.ns);
    let Wanted { first, last, hash, before, source, step, limit } = wanted;
    let mut found = Vec::new();
    {
        let mut ask = t.prepare_cached(SELECT)?;
        let mut rows = ask.query(params![thread, ns, first, last, hash, before, source, step, limit])?;
        while let Some(row) = rows.next()? {
            let (id, parent) = ((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?));
            let (source, versions): (String, String) = (row.get(5)?, row.get(7)?);
            let one = Found::new(id, parent, row.get(4)?, &source, row.get(6)?, &versions);
            found.push(one.map_err(|e| rusqlite::Error::FromSqlConversionFailure(e.column, Type::Text, Box::new(e)))?);
        }
    }
    let mut blobs = Blobs::new();
    let mut channel =
        t.prepare_cached("SELECT bytes FROM channels WHERE thread = ? AND ns = ? AND version = ? AND channel = ?")?;
    let mut writes = t.prepare_cached(
        "SELECT task, idx, bytes FROM task_writes WHERE thread = ? AND ns = ? AND seq = ? AND hash = ?",
    )?;
    for f in &mut found {
        for key in &f.versions {
            if !blobs.contains_key(key) {
                let bytes = channel.query_row(params![thread, ns, kept(key.1), key.0], |row| row.get(0)).optional()?;
                bytes.map(|bytes| blobs.insert(key.clone(), bytes));
            }
        }
        let id = f.saved.id;
        let mut rows = writes.query(params![thread, ns, kept(id.seq), kept(id.hash)])?;
        while let Some(row) = rows.next()? {
            let task = row.get::<_, i64>(0)?.cast_unsigned();
            f.saved.writes.push(TaskWrite { task, index: row.get(1)?, bytes: row.get(2)? });
        }
    }
    drop((channel, writes));
    t.commit()?;
    Ok((found, blobs))
}

fn delete(c: &mut Connection, thread: &str) -> rusqlite::Result<()> {
    let t = c.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for table in ["checkpoints", "channels", "task_writes"] {
        t.execute(&format!("DELETE FROM {table} WHERE thread = ?"), [thread])?;
    }
    t.commit()
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
        let newest: Option<i64> = inner
            .connection
            .prepare_cached(NEWEST)
            .and_then(|mut ask| ask.query_row([thread], |row| row.get(0)))
            .map_err(inner.failed("read"))?;
        Ok(newest.map_or(0, i64::cast_unsigned))
    }

    fn delete_thread(&self, thread: &str) -> Result<(), SaverError> {
        let mut inner = self.lock();
        inner.write()?;
        delete(&mut inner.connection, thread).map_err(inner.failed("changed"))
    }

    fn flush(&self) -> Result<(), SaverError> {
        self.lock().write()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradegraph_graph::{Source, check_saver};

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
