//! What outlives a process: CSV files read to batches, the catalog of batches, the runs of a home with their journals.
//! No trading decisions.
//!
//! A home is a folder: `store.sqlite` (runs, journals, snapshots), `catalog/` (batches as Parquet) and `lock`.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod catalog;
pub mod csv_bars;
mod journal;
mod lock;
mod runs;
mod sqlite;

pub use catalog::{BatchMeta, Catalog, CatalogEntry, CatalogError};
pub use csv_bars::{
    BarLabel, CsvRequest, CsvSource, ImportError, Imported, PriceColumn, Reason, RowProblem, import_csv,
};
pub use journal::{JournalReader, SqliteJournal, Tip, WriteFailed, WriterGone};
pub use lock::{HomeLock, LockError};
pub use runs::{RunId, RunInfo, RunRecord, RunStatus, Store, StoreError};
