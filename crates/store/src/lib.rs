//! What outlives a process: data sets imported from files, the catalog of batches, the runs of a home with their
//! journals. No trading decisions.
//!
//! A home is a folder: `store.sqlite` (runs, journals, snapshots), `catalog/` (batches as Parquet; data sets in `data/`,
//! rows that were not kept in `quarantine/`) and `lock`.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod actions;
pub mod catalog;
pub mod csv_bars;
pub mod dataset;
pub mod disk;
mod guard;
mod journal;
mod lock;
mod reading;
mod runs;
mod saver;
mod sqlite;
mod steps;
pub mod tables;
mod text;

pub use catalog::{BatchMeta, Catalog, CatalogEntry, CatalogError};
pub use csv_bars::{
    BarLabel, CsvRequest, CsvSource, ImportError, Imported, PriceColumn, Reason, RowProblem, import_csv,
};
pub use dataset::{Dataset, DatasetError, DatasetId, Datasets, ImportOptions, ImportReport};
pub use disk::{Disk, DiskFile, FileSystem, SqliteFiles};
pub use guard::quiet_guarded_panics;
pub use journal::{JournalReader, SqliteJournal, Tip, WriteFailed, WriterGone};
pub use lock::{HomeLock, LockError};
pub use reading::SourceError;
pub use runs::{Fork, RunId, RunInfo, RunRecord, RunStatus, Store, StoreError};
pub use saver::SqliteSaver;
#[cfg(feature = "postgres")]
pub use saver::{PostgresError, PostgresSaver};
pub use tables::{Answer, Cell, Tables};
