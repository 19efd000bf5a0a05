//! `Failure`: what a user is told when a command does not succeed, and the exit code that scripts see.

use tradegraph_engine::{JournalError, RunFailure, StateError};
use tradegraph_store::{CatalogError, ImportError, LockError, StoreError};

/// Why a command failed; its number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The work could not be done (disk, permission, a run that stopped).
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A mandate or a data file is wrong.
    Input = 3,
    /// A run, an order or a file is not there.
    NotFound = 4,
    /// Another process writes into the home.
    Busy = 5,
    /// A run made again differs from what was stored, or the journal is damaged.
    Differs = 6,
}

impl Kind {
    /// The word that JSON carries.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Failed => "failed",
            Kind::Usage => "usage",
            Kind::Input => "bad-input",
            Kind::NotFound => "not-found",
            Kind::Busy => "busy",
            Kind::Differs => "differs",
        }
    }
}

/// What happened, where, and what to do next.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which exit code.
    pub kind: Kind,
    /// What happened, and where.
    pub what: String,
    /// What to do next.
    pub next: Option<String>,
}

impl Failure {
    /// A failure without advice.
    pub fn new(kind: Kind, what: impl Into<String>) -> Failure {
        Failure { kind, what: what.into(), next: None }
    }

    /// Adds what to do next.
    pub fn next(mut self, next: impl Into<String>) -> Failure {
        self.next = Some(next.into());
        self
    }
}

impl From<StoreError> for Failure {
    fn from(e: StoreError) -> Failure {
        let what = e.to_string();
        match e {
            StoreError::Lock(LockError::Held { .. }) => Failure::new(Kind::Busy, what),
            StoreError::NoSuchRun { .. } | StoreError::Ambiguous { .. } => {
                Failure::new(Kind::NotFound, what).next("list the runs with: tradegraph runs")
            }
            StoreError::NoRuns { .. } | StoreError::NoStore { .. } => Failure::new(Kind::NotFound, what)
                .next("make a run with: tradegraph, or name the folder that has one with --home DIR"),
            StoreError::Journal { .. } => Failure::new(Kind::Differs, what),
            StoreError::Entry { .. } => Failure::new(Kind::Differs, what)
                .next("restore store.sqlite from a copy, or run the mandate again with another --home DIR"),
            StoreError::Io { .. } => {
                Failure::new(Kind::Failed, what).next("check that the folder may be written, or use another --home DIR")
            }
            _ => Failure::new(Kind::Failed, what),
        }
    }
}

impl From<CatalogError> for Failure {
    fn from(e: CatalogError) -> Failure {
        let kind = match e {
            CatalogError::NotFound { .. } => Kind::NotFound,
            CatalogError::Damaged { .. } => Kind::Differs,
            _ => Kind::Failed,
        };
        Failure::new(kind, e.to_string())
    }
}

impl From<ImportError> for Failure {
    fn from(e: ImportError) -> Failure {
        let kind = match e {
            ImportError::Missing { .. } => Kind::NotFound,
            ImportError::Read { .. } => Kind::Failed,
            _ => Kind::Input,
        };
        Failure::new(kind, e.to_string())
    }
}

impl From<JournalError> for Failure {
    fn from(e: JournalError) -> Failure {
        let kind = match e {
            JournalError::Store { .. } => Kind::Failed,
            _ => Kind::Differs,
        };
        Failure::new(kind, e.to_string())
    }
}

impl From<RunFailure> for Failure {
    fn from(e: RunFailure) -> Failure {
        match e {
            RunFailure::Journal(e) => e.into(),
            RunFailure::State(
                StateError::Snapshot(_) | StateError::CouncilSnapshot(_) | StateError::Damaged { .. },
            ) => Failure::new(Kind::Differs, e.to_string()),
            RunFailure::State(StateError::Agent(_)) | RunFailure::Nothing(_) => {
                Failure::new(Kind::Input, e.to_string())
            }
            _ => Failure::new(Kind::Failed, e.to_string()),
        }
    }
}
