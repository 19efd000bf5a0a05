//! Why a data set could not be imported, found, read or written.

use std::path::{Path, PathBuf};

use super::fault::Problem;
use super::manifest::DatasetId;
use crate::reading::SourceError;

/// Why nothing was done. The catalog is then as it was.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The header cannot be used.
    #[error("{}:{line}: the header '{found}' cannot be used: {fault}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// Its line.
        line: u64,
        /// The header, shortened.
        found: String,
        /// Why.
        fault: HeaderFault,
    },
    /// No kind fits.
    #[error("{}: what the file holds cannot be told from its columns ({columns}); tell the kind: {}", path.display(), super::kind_names())]
    NoKind {
        /// The file.
        path: PathBuf,
        /// Its columns, shortened.
        columns: String,
    },
    /// The kind told does not fit.
    #[error("{}: for {kind} a column is missing: {missing}; the file has {columns}; name it with a role (its column = {example})", path.display())]
    KindNeeds {
        /// The file.
        path: PathBuf,
        /// The kind.
        kind: &'static str,
        /// What is missing.
        missing: &'static str,
        /// A name of the missing column.
        example: &'static str,
        /// The columns of the file, shortened.
        columns: String,
    },
    /// Something that the file does not have was told.
    #[error("{}: {what} '{name}' was told, but the file has {columns}", path.display())]
    NotThere {
        /// The file.
        path: PathBuf,
        /// What was told.
        what: &'static str,
        /// Its name.
        name: String,
        /// What the file has, shortened.
        columns: String,
    },
    /// An option with a value that is none.
    #[error("{option}: {why}")]
    Option {
        /// The option.
        option: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Something that only the user knows.
    #[error("{}: {what}", path.display())]
    Tell {
        /// The file.
        path: PathBuf,
        /// What is to be told, and why.
        what: &'static str,
    },
    /// No row is left.
    #[error("{}: nothing can be kept of {read} rows{}", path.display(), match first { Some(p) => format!("; the first problem: {}:{p}", path.display()), None => String::new() })]
    NothingKept {
        /// The file.
        path: PathBuf,
        /// Rows of the file.
        read: u64,
        /// The first problem.
        first: Option<Box<Problem>>,
    },
    /// Another content under a name that is taken.
    #[error("the name '{name}' is taken by another content ({}); give another name or replace it", taken.short())]
    NameTaken {
        /// The name.
        name: String,
        /// What has it.
        taken: DatasetId,
    },
    /// Nothing has this name or id.
    #[error("there is no data set '{asked}'{}", match nearest { Some(n) => format!(" (nearest: '{n}')"), None => String::new() })]
    NotFound {
        /// Asked for.
        asked: String,
        /// The most similar name.
        nearest: Option<String>,
    },
    /// Several have it.
    #[error("'{asked}' names several data sets: {}", found.join(", "))]
    Ambiguous {
        /// Asked for.
        asked: String,
        /// Ids and names.
        found: Vec<String>,
    },
    /// Another import is running.
    #[error("{}: another import is running; wait until it ends", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{}: the file cannot be {doing}: {source}", path.display())]
    Io {
        /// `written`, `read` or `removed`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file could not be encoded.
    #[error("{}: the file cannot be written: {source}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        source: parquet::errors::ParquetError,
    },
    /// A file of the catalog is not what was written.
    #[error("{}: the file is damaged ({what}); remove it and import its source again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// A column that the data set does not have.
    #[error("{name}: there is no column '{column}'; it has {columns}")]
    NoColumn {
        /// The data set.
        name: String,
        /// Asked for.
        column: String,
        /// Its columns.
        columns: String,
    },
    /// A question about time to data without times.
    #[error("{name}: its rows are not dated ({kind}), so none of them can be said to be known at a time")]
    Undated {
        /// The data set.
        name: String,
        /// Its kind.
        kind: &'static str,
    },
    /// Data that are no bars.
    #[error("{name}: {why}")]
    NoBars {
        /// The data set.
        name: String,
        /// Why.
        why: String,
    },
    /// The rows make no batch.
    #[error(transparent)]
    Batch(#[from] crate::csv_bars::ImportError),
}

/// What is wrong with a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// No names at all.
    #[error("it is empty")]
    Empty,
    /// A column without a name.
    #[error("column {0} has no name; name it, or tell the names (header)")]
    Unnamed(usize),
    /// The same name twice.
    #[error("'{0}' is there twice")]
    Twice(String),
    /// The first line is data.
    #[error("it looks like data; tell the names of the columns (header)")]
    Data,
    /// A quotation mark.
    #[error("a quotation mark is not closed")]
    Quotes,
    /// Two columns for one thing.
    #[error("'{0}' and '{1}' both are {2}; leave one out (ignore)")]
    Both(String, String, &'static str),
    /// Date and time of day apart.
    #[error("'{0}' has dates and '{1}' times of day; join them to one column")]
    SplitTime(String, String),
    /// A number of names that the rows do not have.
    #[error("{told} names were told, the first row has {found} fields")]
    Count {
        /// Names told.
        told: usize,
        /// Fields found.
        found: usize,
    },
    /// Numbers whose commas may be anything.
    #[error("numbers like '1,234' may be thousands or decimals; tell decimal_comma")]
    Commas,
}

pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> DatasetError {
    let path = path.to_owned();
    move |source| DatasetError::Io { doing, path, source }
}
