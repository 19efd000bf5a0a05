//! One deterministic `step`; wires the council graph; journal trait, snapshots, recovery as pure code.
#![forbid(unsafe_code)]

mod journal;

pub use journal::{CommitGroup, Journal, JournalError, MemoryJournal, Snapshot};
