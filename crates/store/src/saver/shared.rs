//! `DatabaseSaver`: what the savers in databases have in common. What was put is gathered, and the database writes it in
//! one transaction when it must be durable (`flush`), when somebody reads, or when it grows large.

use super::{Gathered, Wanted};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tradegraph_graph::{CheckpointId, NewCheckpoint, Place, Query, Saved, Saver, SaverError, TaskWrite};

/// A database of checkpoints.
pub trait Database: fmt::Debug + Send {
    /// Writes all of it in one transaction, or nothing.
    fn write(&mut self, gathered: &Gathered) -> Result<(), SaverError>;

    /// Checkpoints, newest first.
    fn read(&mut self, place: Place<'_>, wanted: Wanted) -> Result<Vec<Saved>, SaverError>;

    /// The newest number of a thread.
    fn newest(&mut self, thread: &str) -> Result<Option<i64>, SaverError>;

    /// Forgets a thread.
    fn forget(&mut self, thread: &str) -> Result<(), SaverError>;
}

struct Inner<D> {
    database: D,
    gathered: Gathered,
}

/// A saver over a database.
pub struct DatabaseSaver<D> {
    inner: Mutex<Inner<D>>,
}

impl<D: Database> fmt::Debug for DatabaseSaver<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock().database.fmt(f)
    }
}

impl<D> DatabaseSaver<D> {
    pub(super) fn over(database: D) -> Self {
        DatabaseSaver { inner: Mutex::new(Inner { database, gathered: Gathered::default() }) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<D>> {
        // Nothing panics while it is held; what a poisoned lock guards is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Database> Inner<D> {
    /// Writes everything that was put; what cannot be written stays.
    fn write(&mut self) -> Result<(), SaverError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        self.database.write(&self.gathered)?;
        self.gathered.clear();
        Ok(())
    }

    fn write_if_full(&mut self) -> Result<(), SaverError> {
        if self.gathered.is_full() { self.write() } else { Ok(()) }
    }
}

impl<D: Database> DatabaseSaver<D> {
    /// The database with everything written.
    fn written<T>(&self, ask: impl FnOnce(&mut D) -> Result<T, SaverError>) -> Result<T, SaverError> {
        let mut inner = self.lock();
        inner.write()?;
        ask(&mut inner.database)
    }
}

impl<D: Database> Saver for DatabaseSaver<D> {
    fn put(&self, place: Place<'_>, checkpoint: &NewCheckpoint<'_>) -> Result<(), SaverError> {
        let mut inner = self.lock();
        inner.gathered.put(place, checkpoint)?;
        inner.write_if_full()
    }

    fn put_writes(&self, place: Place<'_>, id: CheckpointId, writes: &[TaskWrite]) -> Result<(), SaverError> {
        let mut inner = self.lock();
        inner.gathered.put_writes(place, id, writes);
        inner.write_if_full()
    }

    fn get(&self, place: Place<'_>, id: Option<CheckpointId>) -> Result<Option<Saved>, SaverError> {
        Ok(self.written(|d| d.read(place, Wanted::one(id)))?.into_iter().next())
    }

    fn list(&self, place: Place<'_>, query: Query) -> Result<Vec<Saved>, SaverError> {
        self.written(|d| d.read(place, Wanted::listed(query)))
    }

    fn newest_seq(&self, thread: &str) -> Result<u64, SaverError> {
        Ok(self.written(|d| d.newest(thread))?.map_or(0, i64::cast_unsigned))
    }

    fn delete_thread(&self, thread: &str) -> Result<(), SaverError> {
        self.written(|d| d.forget(thread))
    }

    fn flush(&self) -> Result<(), SaverError> {
        self.written(|_| Ok(()))
    }
}
