//! Where a forked run came from.

use super::{RunId, Store, StoreError};
use sqlx::Row;
use tradegraph_engine::Snapshot;

/// A run's place on the tree of runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The run that it left.
    pub parent: String,
    /// Its state where it left: the last event that both have, and its first commit group of its own; those before,
    /// but for the first, hold the parent's records.
    pub snapshot: Snapshot,
    /// What was changed, in words.
    pub change: String,
}

impl Store {
    /// Notes where a run came from; once.
    ///
    /// # Errors
    /// `StoreError` if it cannot be written.
    pub fn bind_fork(&self, run: &RunId, fork: &Fork) -> Result<(), StoreError> {
        self.must_write()?;
        let (run, fork) = (run.0.clone(), fork.clone());
        self.database().call("written", move |c| {
            Box::pin(async move {
                sqlx::raw_sql(
                    "CREATE TABLE IF NOT EXISTS forks (run TEXT NOT NULL PRIMARY KEY REFERENCES runs (id), \
                     parent TEXT NOT NULL, seq INTEGER NOT NULL, next_group INTEGER NOT NULL, change TEXT NOT NULL, \
                     hash BLOB NOT NULL, blob BLOB NOT NULL)",
                )
                .execute(&mut *c)
                .await?;
                sqlx::query("INSERT INTO forks VALUES (?, ?, ?, ?, ?, ?, ?)")
                    .bind(run)
                    .bind(fork.parent)
                    .bind(fork.snapshot.seq.cast_signed())
                    .bind(fork.snapshot.next_group.cast_signed())
                    .bind(fork.change)
                    .bind(fork.snapshot.hash.to_vec())
                    .bind(fork.snapshot.state)
                    .execute(c)
                    .await
            })
        })?;
        Ok(())
    }

    /// Where a run came from; none for a run of its own.
    ///
    /// # Errors
    /// `StoreError` if it cannot be read.
    pub fn fork_of(&self, run: &RunId) -> Result<Option<Fork>, StoreError> {
        let run = run.0.clone();
        let row = self.database().call("read", move |c| {
            Box::pin(async move {
                // Homes without a fork do not have the table.
                let known = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'forks'";
                if sqlx::query_scalar::<_, i64>(known).fetch_one(&mut *c).await? == 0 {
                    return Ok(None);
                }
                let row = sqlx::query("SELECT parent, seq, next_group, change, hash, blob FROM forks WHERE run = ?")
                    .bind(run);
                let Some(row) = row.fetch_optional(c).await? else { return Ok(None) };
                let number = |at: usize| row.try_get::<i64, _>(at).map(i64::cast_unsigned);
                let (parent, change) = (row.try_get(0)?, row.try_get(3)?);
                let hash: Vec<u8> = row.try_get(4)?;
                // A hash of another length fits no state, which whoever resumes from it is told.
                let hash = hash.try_into().unwrap_or_default();
                let snapshot = Snapshot { seq: number(1)?, next_group: number(2)?, hash, state: row.try_get(5)? };
                Ok(Some(Fork { parent, snapshot, change }))
            })
        })?;
        Ok(row)
    }
}
