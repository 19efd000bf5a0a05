//! `SqliteSaver`: checkpoints of state graphs in one SQLite file.
//!
//! A process that is killed leaves all of a transaction or nothing of it; of what was not flushed,
//! nothing. What could not be written stays gathered for the next call.

use super::shared::{Database, DatabaseSaver};
use super::{Blobs, Found, Gathered, NEWEST, SELECT, Wanted, changed_in, kept};
use crate::StoreError;
use crate::sqlite::BUSY;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tradegraph_graph::{Place, Saved, SaverError, TaskWrite};

/// Each brings a file from its index to the next version, which `user_version` counts.
const MIGRATIONS: [&str; 3] = [
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
    // What a checkpoint changed is in its own row: a cycle of eleven nodes writes 9 rows instead of 29. Rows of before
    // have none, and their channels stay where they are.
    "ALTER TABLE checkpoints ADD COLUMN changed BLOB;",
];

/// A file of checkpoints.
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
    /// The newest numbers of threads that were asked for, as long as no other program wrote: the file counts what others
    /// commit in `data_version`.
    newest: BTreeMap<String, i64>,
    version: i64,
}

/// Checkpoints in one SQLite file.
pub type SqliteSaver = DatabaseSaver<Sqlite>;

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteSaver").field("file", &self.path).finish()
    }
}

impl SqliteSaver {
    /// Opens the file, or makes it. `full` waits for the disk at every flush; without it a power cut may take the last
    /// flushes with it, and never leaves a broken file.
    ///
    /// # Errors
    /// `StoreError` naming the file.
    pub fn open(path: &Path, full: bool) -> Result<SqliteSaver, StoreError> {
        open(path, full, false)
    }

    /// As [`SqliteSaver::open`], and keeps every other program out until it is dropped: no locks are taken and given
    /// back around each transaction. Nobody else can look at the file meanwhile; who tries waits 30 s and is told that
    /// it is locked.
    ///
    /// # Errors
    /// As [`SqliteSaver::open`]; somebody else has the file open.
    pub fn open_alone(path: &Path, full: bool) -> Result<SqliteSaver, StoreError> {
        open(path, full, true)
    }
}

fn open(path: &Path, full: bool, alone: bool) -> Result<SqliteSaver, StoreError> {
    let failed = |source| StoreError::Checkpoints { doing: "opened", path: path.to_owned(), source };
    let mut connection = Connection::open(path).map_err(failed)?;
    let found = set_up(&mut connection, full, alone).map_err(failed)?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    let path = path.to_owned();
    Ok(DatabaseSaver::over(Sqlite { connection, path, newest: BTreeMap::new(), version: 0 }))
}

/// Settings, then the tables brought to the newest version; gives the version that was found.
fn set_up(c: &mut Connection, full: bool, alone: bool) -> rusqlite::Result<i64> {
    c.busy_timeout(BUSY)?;
    if alone {
        // Before the file is touched: then its index of the log is in memory.
        c.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    }
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

impl Sqlite {
    fn failed(&self, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> SaverError {
        let path = self.path.clone();
        move |source| SaverError::Failed(Box::new(StoreError::Checkpoints { doing, path, source }))
    }
}

impl Database for Sqlite {
    fn write(&mut self, gathered: &Gathered) -> Result<(), SaverError> {
        insert(&self.connection, gathered).map_err(self.failed("written"))?;
        for r in &gathered.checkpoints {
            if let Some(newest) = self.newest.get_mut(&r.thread) {
                *newest = kept(r.id.seq).max(*newest);
            }
        }
        Ok(())
    }

    fn read(&mut self, place: Place<'_>, wanted: Wanted) -> Result<Vec<Saved>, SaverError> {
        let (found, blobs) = select(&mut self.connection, place, wanted).map_err(|e| self.failed("read")(e))?;
        found.into_iter().map(|f| f.with(&blobs)).collect()
    }

    fn newest(&mut self, thread: &str) -> Result<Option<i64>, SaverError> {
        let ask = |sql, thread: &[&str]| -> rusqlite::Result<Option<i64>> {
            self.connection.prepare_cached(sql)?.query_row(rusqlite::params_from_iter(thread), |row| row.get(0))
        };
        let version = ask("PRAGMA data_version", &[]).map_err(self.failed("read"))?.unwrap_or(0);
        if version != self.version {
            self.newest.clear();
            self.version = version;
        }
        if let Some(newest) = self.newest.get(thread) {
            return Ok(Some(*newest));
        }
        let newest = ask(NEWEST, &[thread]).map_err(self.failed("read"))?;
        newest.map(|newest| self.newest.insert(thread.to_owned(), newest));
        Ok(newest)
    }

    fn forget(&mut self, thread: &str) -> Result<(), SaverError> {
        self.newest.remove(thread);
        delete(&mut self.connection, thread).map_err(|e| self.failed("changed")(e))
    }
}

/// One transaction, of statements that are parsed once.
fn insert(c: &Connection, gathered: &Gathered) -> rusqlite::Result<()> {
    c.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let done = insert_rows(c, gathered).and_then(|()| c.prepare_cached("COMMIT")?.execute([]));
    if done.is_err() && !c.is_autocommit() {
        c.execute_batch("ROLLBACK")?;
    }
    done.map(|_| ())
}

fn insert_rows(c: &Connection, gathered: &Gathered) -> rusqlite::Result<()> {
    if !gathered.checkpoints.is_empty() {
        let mut put =
            c.prepare_cached("INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
        for r in &gathered.checkpoints {
            let (seq, hash) = (kept(r.id.seq), kept(r.id.hash));
            let (parent_seq, parent_hash) = (r.parent.map(|p| kept(p.seq)), r.parent.map(|p| kept(p.hash)));
            let (body, versions, changed) = (&r.body, &r.versions, &r.changed);
            put.execute(params![
                r.thread,
                r.ns,
                seq,
                hash,
                parent_seq,
                parent_hash,
                r.step,
                r.source,
                body,
                versions,
                changed
            ])?;
        }
    }
    if !gathered.writes.is_empty() {
        let mut put = c.prepare_cached("INSERT OR REPLACE INTO task_writes VALUES (?, ?, ?, ?, ?, ?, ?)")?;
        for r in &gathered.writes {
            let (seq, hash, task) = (kept(r.id.seq), kept(r.id.hash), kept(r.write.task));
            put.execute(params![r.thread, r.ns, seq, hash, task, r.write.index, r.write.bytes])?;
        }
    }
    Ok(())
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
    let mut changed = t.prepare_cached(
        "SELECT changed FROM checkpoints WHERE thread = ? AND ns = ? AND seq = ? AND changed IS NOT NULL",
    )?;
    let mut channel =
        t.prepare_cached("SELECT bytes FROM channels WHERE thread = ? AND ns = ? AND version = ? AND channel = ?")?;
    let mut writes = t.prepare_cached(
        "SELECT task, idx, bytes FROM task_writes WHERE thread = ? AND ns = ? AND seq = ? AND hash = ?",
    )?;
    for f in &mut found {
        for key in &f.versions {
            if blobs.contains_key(key) {
                continue;
            }
            let mut rows = changed.query(params![thread, ns, kept(key.1)])?;
            while let Some(row) = rows.next()? {
                let wrong = |e| rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, Box::new(e));
                for (name, bytes) in changed_in(row.get_ref(0)?.as_blob()?).map_err(wrong)? {
                    blobs.insert((name.to_owned(), key.1), bytes.to_vec());
                }
            }
            drop(rows);
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
    drop((changed, channel, writes));
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

#[cfg(test)]
mod tests {
    use super::*;
    use tradegraph_graph::{CheckpointId, NewCheckpoint, Query, Saver, Source, check_saver};

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
    fn alone_it_keeps_others_out_until_it_is_dropped() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("graph.sqlite");
        let next = std::cell::Cell::new(0);
        let make = || -> Box<dyn Saver> {
            next.set(next.get() + 1);
            Box::new(SqliteSaver::open_alone(&home.path().join(format!("{}.sqlite", next.get())), false).unwrap())
        };
        check_saver(&make).unwrap();
        let saver = SqliteSaver::open_alone(&path, true).unwrap();
        let other = Connection::open(&path).unwrap();
        other.busy_timeout(std::time::Duration::ZERO).unwrap();
        let count = |c: &Connection| c.query_row("SELECT count(*) FROM checkpoints", [], |row| row.get::<_, i64>(0));
        assert!(count(&other).unwrap_err().to_string().contains("locked"));
        drop(saver);
        assert_eq!(count(&other).unwrap(), 0);
    }

    #[test]
    fn what_another_program_wrote_is_the_newest() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("graph.sqlite");
        let savers = [SqliteSaver::open(&path, false).unwrap(), SqliteSaver::open(&path, false).unwrap()];
        for seq in 1..=6_u64 {
            let id = CheckpointId { seq, hash: seq };
            let new = NewCheckpoint::new((id, None), (0, Source::Loop), b"", (&[], &[]), (&[], b""));
            let (writer, reader) = (&savers[seq as usize % 2], &savers[(seq as usize + 1) % 2]);
            writer.put(Place { thread: "t", ns: "" }, &new).unwrap();
            assert_eq!(writer.newest_seq("t").unwrap(), seq);
            assert_eq!(reader.newest_seq("t").unwrap(), seq);
        }
        savers[0].delete_thread("t").unwrap();
        assert_eq!(savers.map(|s| s.newest_seq("t").unwrap()), [0, 0]);
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
