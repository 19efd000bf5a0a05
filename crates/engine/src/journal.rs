//! `Journal`: where a run writes what happened, and reads it again. The engine knows the records and their order;
//! a store knows how bytes become durable.
//!
//! One row of a journal is a commit group: the records of consecutive events, hash-chained. A back-test hands groups
//! over without waiting; whatever must not leave before it is durable waits for `durable_seq`.

/// Records of consecutive events, encoded by the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitGroup {
    /// Number of the group within its run, from 0. Group 0 is the binding record.
    pub index: u64,
    /// First event whose records are in the group.
    pub first_seq: u64,
    /// Number of events that the group covers, those without records included.
    pub n_events: u64,
    /// The records, in order.
    pub records: Vec<u8>,
}

/// The canonical state after an event, from which a run can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last event that is part of the state.
    pub seq: u64,
    /// The first group that was not yet handed over when the snapshot was taken.
    pub next_group: u64,
    /// blake3 of `state`.
    pub hash: [u8; 32],
    /// Canonical bytes.
    pub state: Vec<u8>,
}

/// Why a journal could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The store refused or the disk is full or broken.
    #[error("the journal could not be {doing}: {source}")]
    Store {
        /// `written` or `read`.
        doing: &'static str,
        /// The store's own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The chain of hashes is broken.
    #[error("commit group {index} of the journal is damaged: {what}")]
    Damaged {
        /// The group.
        index: u64,
        /// What does not fit.
        what: &'static str,
    },
    /// A group that is not the next one.
    #[error("commit group {found} was handed over where {expected} was next")]
    OutOfOrder {
        /// Handed over.
        found: u64,
        /// Next.
        expected: u64,
    },
}

/// Append-only storage of one run.
pub trait Journal: Send {
    /// Takes a group; it becomes durable in order, later. Blocks only while the store's bounded queue is full.
    ///
    /// # Errors
    /// `JournalError` if the group is not the next one or an earlier write failed.
    fn append(&mut self, group: CommitGroup) -> Result<(), JournalError>;

    /// Takes a snapshot; it becomes durable after the groups before it.
    ///
    /// # Errors
    /// `JournalError` if an earlier write failed.
    fn snapshot(&mut self, snapshot: Snapshot) -> Result<(), JournalError>;

    /// The last event whose group is durable; 0 before the first.
    fn durable_seq(&self) -> u64;

    /// Waits until everything that was handed over is durable.
    ///
    /// # Errors
    /// `JournalError` if a write failed.
    fn flush(&mut self) -> Result<u64, JournalError>;

    /// Group `index` of the run, checked against the chain; `None` after the last durable one.
    ///
    /// # Errors
    /// `JournalError` if it cannot be read or is damaged.
    fn read(&mut self, index: u64) -> Result<Option<CommitGroup>, JournalError>;

    /// The newest durable snapshot.
    ///
    /// # Errors
    /// `JournalError` if it cannot be read or its hash does not fit.
    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, JournalError>;
}

/// A journal in memory: for tests, and for back-tests that are not kept.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    groups: Vec<CommitGroup>,
    snapshot: Option<Snapshot>,
}

impl MemoryJournal {
    /// All groups.
    #[must_use]
    pub fn groups(&self) -> &[CommitGroup] {
        &self.groups
    }
}

impl Journal for MemoryJournal {
    fn append(&mut self, group: CommitGroup) -> Result<(), JournalError> {
        let expected = self.groups.len() as u64;
        if group.index != expected {
            return Err(JournalError::OutOfOrder { found: group.index, expected });
        }
        self.groups.push(group);
        Ok(())
    }

    fn snapshot(&mut self, snapshot: Snapshot) -> Result<(), JournalError> {
        self.snapshot = Some(snapshot);
        Ok(())
    }

    fn durable_seq(&self) -> u64 {
        self.groups.last().map_or(0, |g| (g.first_seq + g.n_events).saturating_sub(1))
    }

    fn flush(&mut self) -> Result<u64, JournalError> {
        Ok(self.durable_seq())
    }

    fn read(&mut self, index: u64) -> Result<Option<CommitGroup>, JournalError> {
        Ok(usize::try_from(index).ok().and_then(|i| self.groups.get(i)).cloned())
    }

    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, JournalError> {
        Ok(self.snapshot.clone())
    }
}
