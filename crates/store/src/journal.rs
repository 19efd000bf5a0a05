//! `SqliteJournal`: commit groups and snapshots of one run in SQLite.
//!
//! One thread writes. It takes what waits in a bounded channel, stores it in one transaction (group commit) and says
//! up to which event everything is durable; whoever hands groups over waits only when the channel is full. Each group
//! carries the hash of the one before it, so a missing, changed or exchanged group is found when it is read. Readers
//! have connections of their own and never wait for the writer.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, Row};
use tradegraph_engine::{CommitGroup, Journal, JournalError, Snapshot};

use crate::disk::SqliteFiles;
use crate::lock::HomeLock;
use crate::runs::{RunId, StoreError, advice};
use crate::sqlite::{Database, FILE};

/// Groups that may wait for the writer.
const QUEUE: usize = 64;
/// Bytes after which a transaction is committed although more groups wait.
const TRANSACTION_BYTES: usize = 32 << 20;
/// Snapshots kept of a run: the newest, and one more in case the newest turns out to be damaged.
const SNAPSHOTS: i64 = 2;

/// Hash of a group: version, run, place, content and the hash of the group before it (zeros before the first).
fn chain_hash(run: &RunId, index: u64, first_seq: u64, n: u64, prev: &[u8; 32], blob: &[u8]) -> [u8; 32] {
    let mut h = blake3::Hasher::new();
    h.update(b"tradegraph commit group 1");
    h.update(&(run.as_str().len() as u64).to_le_bytes());
    h.update(run.as_str().as_bytes());
    for word in [index, first_seq, n] {
        h.update(&word.to_le_bytes());
    }
    h.update(prev);
    h.update(blob);
    *h.finalize().as_bytes()
}

/// A failed write, kept so that every later call can say it again.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "{}: groups of run {run} after event {durable_seq} were not stored: {source}{}",
    path.display(),
    advice(source)
)]
pub struct WriteFailed {
    /// The database file.
    pub path: PathBuf,
    /// The run.
    pub run: RunId,
    /// The last event that is durable.
    pub durable_seq: u64,
    /// Why.
    pub source: Arc<sqlx::Error>,
}

/// The writer's thread ended without an error of its own: a bug, or the process is ending.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the thread that writes the journal has ended")]
pub struct WriterGone;

enum Message {
    Group(CommitGroup),
    Snapshot(Snapshot),
    Flush(Sender<()>),
}

/// What the writer tells the others.
struct Shared {
    /// Last durable event plus one; 0 before the first.
    durable_end: AtomicU64,
    failed: Mutex<Option<WriteFailed>>,
}

impl Shared {
    fn check(&self) -> Result<(), JournalError> {
        match &*self.failed.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(failed) => Err(JournalError::Store { doing: "written", source: Box::new(failed.clone()) }),
        }
    }
}

/// The journal of one run, for its one writer.
pub struct SqliteJournal {
    reader: JournalReader,
    sender: Option<Sender<Message>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    /// Groups that were stored when the journal was opened.
    stored: u64,
    /// The group to be handed over next; unknown until the first one after opening.
    next: Option<u64>,
    /// Keeps the home locked.
    _lock: Arc<HomeLock>,
}

impl std::fmt::Debug for SqliteJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteJournal").field("run", &self.reader.run).field("next", &self.next).finish()
    }
}

impl SqliteJournal {
    /// Opens the journal behind its last durable group.
    pub(crate) fn open_at(
        home: &Path,
        run: &RunId,
        lock: Arc<HomeLock>,
        files: &SqliteFiles,
    ) -> Result<SqliteJournal, StoreError> {
        let database = Database::open(home, files)?;
        let mut reader = JournalReader::open(home, run, files)?;
        let tip = reader.tip()?;
        if let Some(tip) = &tip {
            reader.read(tip.index).map_err(|source| StoreError::Journal { run: run.clone(), source })?;
        }
        let stored = tip.as_ref().map_or(0, |t| t.index + 1);
        let shared = Arc::new(Shared {
            durable_end: AtomicU64::new(tip.as_ref().map_or(0, |t| t.first_seq.saturating_add(t.n))),
            failed: Mutex::new(None),
        });
        let (sender, receiver) = bounded(QUEUE);
        let writer = Writer {
            database,
            run: run.clone(),
            prev: tip.map_or([0; 32], |t| t.hash),
            shared: shared.clone(),
            receiver,
        };
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| StoreError::Io { doing: "written", path: home.join(FILE), source })?;
        Ok(SqliteJournal {
            reader,
            sender: Some(sender),
            thread: Some(thread),
            shared,
            stored,
            next: None,
            _lock: lock,
        })
    }

    /// The group that a resumed run would have to hand over first if it went on behind everything stored.
    #[must_use]
    pub fn stored_groups(&self) -> u64 {
        self.stored
    }

    /// The durable part of the journal, for checks of the whole chain.
    pub fn reader(&mut self) -> &mut JournalReader {
        &mut self.reader
    }

    /// Takes a group that a resumed run has made again, or the next new one: a group that is stored already must be
    /// the same. The first group after opening may be any that is stored, or the next.
    ///
    /// # Errors
    /// `JournalError::Damaged` if it differs, `OutOfOrder` if it is not the next, `Store` if an earlier write failed.
    pub fn append_or_verify(&mut self, group: CommitGroup) -> Result<(), JournalError> {
        self.shared.check()?;
        let expected = self.next.unwrap_or(self.stored.min(group.index));
        if group.index != expected {
            return Err(JournalError::OutOfOrder { found: group.index, expected });
        }
        let index = group.index;
        if index < self.stored {
            match self.reader.read(index)? {
                None => return Err(JournalError::Damaged { index, what: "it is missing" }),
                Some(stored) if stored != group => {
                    return Err(JournalError::Damaged {
                        index,
                        what: "the run made again differs from what is stored",
                    });
                }
                Some(_) => {}
            }
        } else {
            self.send(Message::Group(group))?;
        }
        self.next = Some(index + 1);
        Ok(())
    }

    fn send(&self, message: Message) -> Result<(), JournalError> {
        let gone = || JournalError::Store { doing: "written", source: Box::new(WriterGone) };
        let sent = self.sender.as_ref().ok_or_else(gone)?.send(message);
        if sent.is_err() {
            // The writer notes why before it goes.
            self.shared.check()?;
        }
        sent.map_err(|_| gone())
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        // The writer ends when it has stored what waits.
        drop(self.sender.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Journal for SqliteJournal {
    fn append(&mut self, group: CommitGroup) -> Result<(), JournalError> {
        self.append_or_verify(group)
    }

    fn snapshot(&mut self, snapshot: Snapshot) -> Result<(), JournalError> {
        self.shared.check()?;
        self.send(Message::Snapshot(snapshot))
    }

    fn durable_seq(&self) -> u64 {
        self.shared.durable_end.load(Ordering::Acquire).saturating_sub(1)
    }

    fn flush(&mut self) -> Result<u64, JournalError> {
        self.shared.check()?;
        let (done, wait) = bounded(1);
        self.send(Message::Flush(done))?;
        let answered = wait.recv();
        self.shared.check()?;
        answered.map_err(|_| JournalError::Store { doing: "written", source: Box::new(WriterGone) })?;
        Ok(self.durable_seq())
    }

    fn read(&mut self, index: u64) -> Result<Option<CommitGroup>, JournalError> {
        self.reader.read(index)
    }

    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, JournalError> {
        self.reader.snapshot_before(None)
    }
}

/// The thread that writes.
struct Writer {
    database: Database,
    run: RunId,
    prev: [u8; 32],
    shared: Arc<Shared>,
    receiver: Receiver<Message>,
}

/// A group with its place in the chain.
struct Link {
    group: CommitGroup,
    prev: [u8; 32],
    hash: [u8; 32],
}

impl Writer {
    fn run(mut self) {
        while let Ok(first) = self.receiver.recv() {
            let mut links = Vec::new();
            let mut snapshots = Vec::new();
            let mut waiting = Vec::new();
            let mut bytes = 0;
            let mut message = Some(first);
            while let Some(next) = message {
                match next {
                    Message::Group(group) => {
                        bytes += group.records.len();
                        let prev = self.prev;
                        self.prev =
                            chain_hash(&self.run, group.index, group.first_seq, group.n_events, &prev, &group.records);
                        links.push(Link { group, prev, hash: self.prev });
                    }
                    Message::Snapshot(snapshot) => {
                        bytes += snapshot.state.len();
                        snapshots.push(snapshot);
                    }
                    Message::Flush(done) => waiting.push(done),
                }
                message = if bytes < TRANSACTION_BYTES { self.receiver.try_recv().ok() } else { None };
            }
            let end = links.last().map(|l| l.group.first_seq.saturating_add(l.group.n_events));
            if let Err(source) = self.store(links, snapshots) {
                let durable_seq = self.shared.durable_end.load(Ordering::Acquire).saturating_sub(1);
                let path = self.database.path().to_owned();
                let failed = WriteFailed { path, run: self.run.clone(), durable_seq, source: Arc::new(source) };
                *self.shared.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(failed);
                // Nothing may follow a gap. Whoever waits is woken when what it sent is dropped; a channel whose receiver is
                // gone would keep what was sent a moment before, and its sender waiting for ever.
                drop(waiting);
                while self.receiver.recv().is_ok() {}
                return;
            }
            if let Some(end) = end {
                self.shared.durable_end.store(end, Ordering::Release);
            }
            for done in waiting {
                // Whoever waited may be gone.
                let _ = done.send(());
            }
        }
    }

    fn store(&mut self, links: Vec<Link>, snapshots: Vec<Snapshot>) -> Result<(), sqlx::Error> {
        if links.is_empty() && snapshots.is_empty() {
            return Ok(());
        }
        let run = self.run.as_str().to_owned();
        let outcome = self.database.call("written", move |c| Box::pin(transaction(c, run, links, snapshots)));
        match outcome {
            Ok(()) => Ok(()),
            Err(StoreError::Sql { source, .. }) => Err(source),
            Err(_) => Err(sqlx::Error::WorkerCrashed),
        }
    }
}

async fn transaction(
    connection: &mut SqliteConnection,
    run: String,
    links: Vec<Link>,
    snapshots: Vec<Snapshot>,
) -> Result<(), sqlx::Error> {
    // A journal would have to run for centuries to pass 2^63 events.
    let int = |n: u64| i64::try_from(n).map_err(|e| sqlx::Error::Encode(Box::new(e)));
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for link in links {
        sqlx::query(
            "INSERT INTO commit_groups (run, idx, first_seq, n, prev_hash, hash, blob) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(run.clone())
        .bind(int(link.group.index)?)
        .bind(int(link.group.first_seq)?)
        .bind(int(link.group.n_events)?)
        .bind(link.prev.to_vec())
        .bind(link.hash.to_vec())
        .bind(link.group.records)
        .execute(&mut *transaction)
        .await?;
    }
    let any = !snapshots.is_empty();
    for s in snapshots {
        sqlx::query("INSERT OR REPLACE INTO snapshots (run, seq, next_group, hash, blob) VALUES (?, ?, ?, ?, ?)")
            .bind(run.clone())
            .bind(int(s.seq)?)
            .bind(int(s.next_group)?)
            .bind(s.hash.to_vec())
            .bind(s.state)
            .execute(&mut *transaction)
            .await?;
    }
    if any {
        sqlx::query(
            "DELETE FROM snapshots WHERE run = ?1 AND seq NOT IN
             (SELECT seq FROM snapshots WHERE run = ?1 ORDER BY seq DESC LIMIT ?2)",
        )
        .bind(run)
        .bind(SNAPSHOTS)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await
}

/// The last durable group of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its number.
    pub index: u64,
    /// Its first event.
    pub first_seq: u64,
    /// Its number of events.
    pub n: u64,
    /// Its hash, which covers all groups before it.
    pub hash: [u8; 32],
}

/// The durable part of a journal, read through a connection of its own.
pub struct JournalReader {
    database: Database,
    run: RunId,
    /// Groups that a finished run has; one of them that is not found is missing.
    least: u64,
}

impl std::fmt::Debug for JournalReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JournalReader").field("run", &self.run).finish()
    }
}

fn hash_of(row: &SqliteRow, column: &str) -> Option<[u8; 32]> {
    row.try_get::<&[u8], _>(column).ok().and_then(|h| h.try_into().ok())
}

fn number(row: &SqliteRow, column: &str) -> Option<u64> {
    row.try_get::<i64, _>(column).ok().and_then(|n| u64::try_from(n).ok())
}

impl JournalReader {
    pub(crate) fn open(home: &Path, run: &RunId, files: &SqliteFiles) -> Result<JournalReader, StoreError> {
        Ok(JournalReader { database: Database::open_read_only(home, files)?, run: run.clone(), least: 0 })
    }

    pub(crate) fn with_at_least(self, least: u64) -> JournalReader {
        JournalReader { least, ..self }
    }

    fn failed(error: StoreError) -> JournalError {
        JournalError::Store { doing: "read", source: Box::new(error) }
    }

    /// The last group that is durable now.
    ///
    /// # Errors
    /// `StoreError` if it cannot be read.
    pub fn tip(&mut self) -> Result<Option<Tip>, StoreError> {
        let run = self.run.as_str().to_owned();
        let row = self.database.call("read", move |c| {
            Box::pin(async move {
                sqlx::query("SELECT idx, first_seq, n, hash FROM commit_groups WHERE run = ? ORDER BY idx DESC LIMIT 1")
                    .bind(run)
                    .fetch_optional(c)
                    .await
            })
        })?;
        let Some(row) = row else { return Ok(None) };
        let tip = (|| {
            Some(Tip {
                index: number(&row, "idx")?,
                first_seq: number(&row, "first_seq")?,
                n: number(&row, "n")?,
                hash: hash_of(&row, "hash")?,
            })
        })();
        tip.map(Some).ok_or_else(|| StoreError::Row {
            path: self.database.path().to_owned(),
            run: self.run.clone(),
            column: "last commit group",
            value: "wrong types".to_owned(),
        })
    }

    /// Group `index`, checked against its hash and against the group before it; `None` after the last durable one.
    ///
    /// # Errors
    /// `JournalError::Damaged` naming the group, or `Store` if it cannot be read.
    pub fn read(&mut self, index: u64) -> Result<Option<CommitGroup>, JournalError> {
        let damaged = |what| JournalError::Damaged { index, what };
        let Ok(idx) = i64::try_from(index) else { return Ok(None) };
        let run = self.run.as_str().to_owned();
        let row = self
            .database
            .call("read", move |c| {
                Box::pin(async move {
                    sqlx::query(
                        "SELECT g.idx AS found, g.first_seq, g.n, g.prev_hash, g.hash, g.blob, p.hash AS before,
                                (SELECT max(idx) FROM commit_groups WHERE run = ?1) AS last
                         FROM (SELECT 1) LEFT JOIN commit_groups g ON g.run = ?1 AND g.idx = ?2
                         LEFT JOIN commit_groups p ON p.run = ?1 AND p.idx = ?2 - 1",
                    )
                    .bind(run)
                    .bind(idx)
                    .fetch_one(c)
                    .await
                })
            })
            .map_err(Self::failed)?;
        if row.try_get::<Option<i64>, _>("last").ok().flatten().is_none_or(|last| last < idx) {
            return if index < self.least { Err(damaged("it is missing")) } else { Ok(None) };
        }
        if row.try_get::<Option<i64>, _>("found").ok().flatten().is_none() {
            return Err(damaged("it is missing"));
        }
        let Ok(blob) = row.try_get::<Vec<u8>, _>("blob") else { return Err(damaged("its content is none")) };
        let (Some(first_seq), Some(n_events)) = (number(&row, "first_seq"), number(&row, "n")) else {
            return Err(damaged("its event numbers are none"));
        };
        let (Some(prev), Some(hash)) = (hash_of(&row, "prev_hash"), hash_of(&row, "hash")) else {
            return Err(damaged("its hashes are none"));
        };
        let before = if index == 0 { Some([0; 32]) } else { hash_of(&row, "before") };
        match before {
            None => return Err(damaged("the group before it is missing")),
            Some(before) if before != prev => return Err(damaged("it does not follow the group before it")),
            Some(_) => {}
        }
        if chain_hash(&self.run, index, first_seq, n_events, &prev, &blob) != hash {
            return Err(damaged("its content does not fit its hash"));
        }
        Ok(Some(CommitGroup { index, first_seq, n_events, records: blob }))
    }

    /// Reads the whole chain: the number of groups that are good.
    ///
    /// # Errors
    /// `JournalError::Damaged` naming the first group that is not.
    pub fn verify(&mut self) -> Result<u64, JournalError> {
        let mut next_seq = None;
        let mut index = 0;
        while let Some(group) = self.read(index)? {
            if next_seq.is_some_and(|next| group.first_seq < next) {
                return Err(JournalError::Damaged { index, what: "its events begin before the group before it ended" });
            }
            next_seq = group.first_seq.checked_add(group.n_events);
            index += 1;
        }
        Ok(index)
    }

    /// The newest durable snapshot, or the newest before an event (to step back over a damaged one).
    ///
    /// # Errors
    /// `JournalError::Damaged` if its hash does not fit, with the number of the group that follows it.
    pub fn snapshot_before(&mut self, seq: Option<u64>) -> Result<Option<Snapshot>, JournalError> {
        let run = self.run.as_str().to_owned();
        let limit = seq.and_then(|s| i64::try_from(s).ok()).unwrap_or(i64::MAX);
        let row = self
            .database
            .call("read", move |c| {
                Box::pin(async move {
                    sqlx::query(
                        "SELECT seq, next_group, hash, blob FROM snapshots
                         WHERE run = ? AND seq < ? ORDER BY seq DESC LIMIT 1",
                    )
                    .bind(run)
                    .bind(limit)
                    .fetch_optional(c)
                    .await
                })
            })
            .map_err(Self::failed)?;
        let Some(row) = row else { return Ok(None) };
        let next_group = number(&row, "next_group").unwrap_or_default();
        let damaged = |what| JournalError::Damaged { index: next_group, what };
        let (Some(seq), Some(hash), Ok(state)) =
            (number(&row, "seq"), hash_of(&row, "hash"), row.try_get::<Vec<u8>, _>("blob"))
        else {
            return Err(damaged("the snapshot before it cannot be read"));
        };
        if *blake3::hash(&state).as_bytes() != hash {
            return Err(damaged("the snapshot before it does not fit its hash"));
        }
        Ok(Some(Snapshot { seq, next_group, hash, state }))
    }

    /// The newest durable snapshot that is good, with what is wrong with those after it.
    ///
    /// # Errors
    /// `JournalError::Store` if they cannot be read.
    pub fn newest_good_snapshot(&mut self) -> Result<(Option<Snapshot>, Vec<JournalError>), JournalError> {
        let run = self.run.as_str().to_owned();
        let seqs: Vec<i64> = self
            .database
            .call("read", move |c| {
                Box::pin(async move {
                    let query = "SELECT seq FROM snapshots WHERE run = ? ORDER BY seq DESC";
                    sqlx::query_scalar(query).bind(run).fetch_all(c).await
                })
            })
            .map_err(Self::failed)?;
        let mut damaged = Vec::new();
        for seq in seqs {
            match self.snapshot_before(Some(seq.saturating_add(1).cast_unsigned())) {
                Err(e @ JournalError::Damaged { .. }) => damaged.push(e),
                found => return found.map(|snapshot| (snapshot, damaged)),
            }
        }
        Ok((None, damaged))
    }
}
