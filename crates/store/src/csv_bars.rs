//! Bars from CSV files: every shape of table that the sample data has, into one `Batch`.
//!
//! | shape | header |
//! |---|---|
//! | long | `symbol,date,open,high,low,close[,volume][,adj_close]` (rows of several symbols, any order of symbols) |
//! | single | `date,open,high,low,close[,adj_close][,volume]` · `date,close` · `date,price` |
//! | wide | `date,AAPL,AMD,…`: one column of closes per symbol |
//!
//! `ts` in place of `date` gives bars of a fixed length. `date` is a session of the calendar: the bar is its open to
//! its close. `ts` is UTC: ISO 8601 with `Z` or an offset, or an integer of seconds, milli-, micro- or nanoseconds
//! since 1970. Names are read without regard to case, `Adj Close` as `adj_close`; columns of other names are ignored
//! and listed, except in wide tables, where they are symbols.
//!
//! What is wrong is reported with file, line, column, value and reason; what is good is kept:
//!
//! | found | what happens |
//! |---|---|
//! | unparsable or non-positive price, unparsable or negative volume, wrong number of fields | row (in wide tables: cell) left out, reported |
//! | some of open, high, low and close empty, others not; high below low | row left out, reported |
//! | open or close outside low…high by at most 1e-4 of the price (rounding of the source) | kept, reported |
//! | the same by more | row left out, reported: one of the four is wrong and the file cannot say which |
//! | empty volume of a good bar | kept with volume 0, reported: nothing can be filled against it |
//! | same key twice | first kept, later reported |
//! | a bar of a `ts` file that begins before the one before it has ended | left out, reported |
//! | out of order | the fewest rows that break the order are left out and reported; a file that runs from new to old is read backwards |
//! | prices on a date (or at a `ts`) without a session | row left out, reported |
//! | nothing but empty cells on such a date | left out silently: source and calendar agree |
//! | empty cell | `Status::NoData`, no problem |
//!
//! Left out: other dialects and files larger than memory; `Datasets::import` reads those.

pub(crate) mod assemble;
pub(crate) mod bar;
pub(crate) mod header;
pub(crate) mod read;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tradegraph_domain::{Basis, Date, Nanos, ParseNumber};
use tradegraph_market::calendar::CalendarId;
use tradegraph_market::{Batch, BatchError};

/// Where the text comes from.
#[derive(Clone, Debug)]
pub enum CsvSource<'a> {
    /// A file.
    Path(PathBuf),
    /// Text in memory, with the name that messages give it.
    Bytes {
        /// Name for messages; its stem is the symbol of a single series.
        name: String,
        /// The whole file.
        bytes: &'a [u8],
    },
}

/// Which column is the close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PriceColumn {
    /// `close` or `price`, with open, high, low and volume where the file has them.
    #[default]
    Close,
    /// `adj_close`, alone: open, high, low and volume are on another basis and are left out.
    AdjClose,
}

/// What a `ts` marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BarLabel {
    /// The first instant of the bar.
    #[default]
    Start,
    /// The first instant after it.
    End,
}

/// What to import and how to read it.
#[derive(Clone, Debug)]
pub struct CsvRequest<'a> {
    /// The text.
    pub source: CsvSource<'a>,
    /// Instruments of the batch, in this order; all of the file in its own order if `None`. For a single series: the
    /// one name to give it.
    pub symbols: Option<Vec<String>>,
    /// Whose sessions the dates are.
    pub calendar: CalendarId,
    /// What the prices contain.
    pub basis: Basis,
    /// Which column is the close.
    pub price: PriceColumn,
    /// Length of the bars of a `ts` file; `None` takes the most frequent step between bars of one
    /// symbol.
    pub period: Option<Nanos>,
    /// What a `ts` marks.
    pub label: BarLabel,
    /// True for series whose prices may be zero or below (oil on 2020-04-20, yields, spreads).
    pub allow_negative: bool,
    /// First date to read.
    pub from: Option<Date>,
    /// Last date to read.
    pub to: Option<Date>,
}

impl<'a> CsvRequest<'a> {
    /// Everything in a file: raw closes, positive prices.
    #[must_use]
    pub fn path(path: &Path, calendar: CalendarId) -> CsvRequest<'a> {
        CsvRequest::new(CsvSource::Path(path.to_owned()), calendar)
    }

    /// Everything in a text: raw closes, positive prices.
    #[must_use]
    pub fn bytes(name: &str, bytes: &'a [u8], calendar: CalendarId) -> CsvRequest<'a> {
        CsvRequest::new(CsvSource::Bytes { name: name.to_owned(), bytes }, calendar)
    }

    fn new(source: CsvSource<'a>, calendar: CalendarId) -> CsvRequest<'a> {
        CsvRequest {
            source,
            symbols: None,
            calendar,
            basis: Basis::Raw,
            price: PriceColumn::Close,
            period: None,
            label: BarLabel::Start,
            allow_negative: false,
            from: None,
            to: None,
        }
    }
}

/// What came out of a file.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The bars.
    pub batch: Batch,
    /// The instruments of the batch, by position.
    pub symbols: Vec<String>,
    /// Rows of data that the file has, blank lines not counted.
    pub rows_read: u64,
    /// Cells with a bar.
    pub cells_kept: u64,
    /// Columns that were not used.
    pub ignored_columns: Vec<String>,
    /// What is wrong in the file, by line.
    pub quarantine: Vec<RowProblem>,
}

/// One thing that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProblem {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1, the header included.
    pub line: u64,
    /// The column, by its name in the header; empty if it is the whole row.
    pub column: Arc<str>,
    /// The text found, shortened to 64 characters.
    pub value: String,
    /// What is wrong with it.
    pub reason: Reason,
    /// True if the bar was kept nevertheless.
    pub kept: bool,
}

impl std::fmt::Display for RowProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.column.is_empty() {
            write!(f, "{} ", self.column)?;
        }
        write!(f, "'{}' {}", self.value, self.reason)?;
        f.write_str(if self.kept { " (kept)" } else { "" })
    }
}

/// Why a row or cell is a problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// More or fewer fields than the header.
    #[error("has {found} fields where the header has {expected}")]
    Fields {
        /// In the row.
        found: usize,
        /// In the header.
        expected: usize,
    },
    /// A quoted field without its end.
    #[error("has a quotation mark that is not closed")]
    Quotes,
    /// No date.
    #[error("is no date (YYYY-MM-DD)")]
    Date,
    /// No instant.
    #[error("is no time (2021-09-27T13:45:00Z, or seconds, ms, µs or ns since 1970)")]
    Time,
    /// No symbol.
    #[error("names no instrument")]
    Symbol,
    /// No number.
    #[error("is no price: {0}")]
    Price(ParseNumber),
    /// Zero or below.
    #[error("is not above zero (allow_negative lets it pass)")]
    NotPositive,
    /// Empty while the rest of the bar is there.
    #[error("is empty while other prices of the bar are not")]
    MissingPrice,
    /// The bar is impossible.
    #[error("is below the low {low}")]
    HighBelowLow {
        /// The low.
        low: tradegraph_domain::Price,
    },
    /// Open or close is not between low and high.
    #[error("is outside low {low} to high {high}")]
    OutsideRange {
        /// The low.
        low: tradegraph_domain::Price,
        /// The high.
        high: tradegraph_domain::Price,
    },
    /// No finite number from zero up.
    #[error("is no volume: a finite number of zero or more is expected")]
    Volume,
    /// Empty.
    #[error("is empty, taken as 0")]
    MissingVolume,
    /// A date that the calendar does not know.
    #[error("is outside the {calendar} calendar ({first} to {last})")]
    OutsideCalendar {
        /// The calendar.
        calendar: CalendarId,
        /// Its first date.
        first: Date,
        /// Its last date.
        last: Date,
    },
    /// The market was shut.
    #[error("is no session of the {calendar} calendar")]
    NotASession {
        /// The calendar.
        calendar: CalendarId,
    },
    /// Seen before.
    #[error("repeats line {line}")]
    Duplicate {
        /// The line that was kept.
        line: u64,
    },
    /// Does not fit between its neighbours.
    #[error("is out of order: line {line} is the row that it does not follow")]
    OutOfOrder {
        /// The row it should have followed.
        line: u64,
    },
    /// A bar that begins before the one before it has ended.
    #[error("begins before the bar of line {line} has ended (bars last {} s)", period.0 / 1_000_000_000)]
    Overlap {
        /// The earlier bar.
        line: u64,
        /// Length of the bars.
        period: Nanos,
    },
}

/// Why nothing could be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No such file.
    #[error("{}: there is no such file", path.display())]
    Missing {
        /// The path asked for.
        path: PathBuf,
    },
    /// A folder.
    #[error("{}: this is a folder; name one CSV file", path.display())]
    Folder {
        /// The path asked for.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{}: the file cannot be read: {source}", path.display())]
    Read {
        /// The path asked for.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another encoding or not text at all.
    #[error("{file}:{line}: byte {column} of the line is not UTF-8; save the file as UTF-8")]
    NotUtf8 {
        /// The file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Byte of the line, from 1.
        column: u64,
    },
    /// More lines than can be counted.
    #[error("{file}: the file has more than {} rows; split it", u32::MAX)]
    TooLong {
        /// The file.
        file: String,
    },
    /// A table that is mostly holes.
    #[error(
        "{file}: {symbols} symbols and their dates make more cells than fit; import fewer symbols or dates at once"
    )]
    TooSparse {
        /// The file.
        file: String,
        /// Symbols of the table.
        symbols: usize,
    },
    /// A header of no known shape.
    #[error("{file}:1: the header '{found}' is not understood: {fault}. Known shapes: {}", SHAPES.join(" | "))]
    Header {
        /// The file.
        file: String,
        /// The header line, shortened.
        found: String,
        /// What is missing in it.
        fault: HeaderFault,
    },
    /// The price column asked for is not there.
    #[error("{file}:1: there is no column 'adj_close'; the file has {}", columns.join(", "))]
    NoAdjustedClose {
        /// The file.
        file: String,
        /// Its columns.
        columns: Vec<String>,
    },
    /// An instrument that the file does not have.
    #[error("{file}: there is no '{symbol}'{}; the file has {}", did_you_mean(nearest.as_deref()), shorten(known))]
    UnknownSymbol {
        /// The file.
        file: String,
        /// Asked for.
        symbol: String,
        /// The most similar one.
        nearest: Option<String>,
        /// All of the file.
        known: Vec<String>,
    },
    /// An instrument asked for twice, or none at all.
    #[error("{file}: the list of instruments is wrong: {}", match symbol { Some(s) => format!("'{s}' is in it twice"), None => "it is empty".to_owned() })]
    Symbols {
        /// The file.
        file: String,
        /// The one that is there twice.
        symbol: Option<String>,
    },
    /// Several names for the one series of a file.
    #[error("{file}: the file has one series without a name; {found} names were given, one is needed")]
    OneSeries {
        /// The file.
        file: String,
        /// Names given.
        found: usize,
    },
    /// The length of a bar is not known.
    #[error("{file}: the length of a bar cannot be told from fewer than two rows of one symbol; give the period")]
    Period {
        /// The file.
        file: String,
    },
    /// A length of a bar that is none.
    #[error("{file}: a period of {} ns is no length of a bar", period.0)]
    BadPeriod {
        /// The file.
        file: String,
        /// Asked for.
        period: Nanos,
    },
    /// Nothing left.
    #[error("{file}: no bar is left of {rows_read} rows{}", match first { Some(p) => format!("; the first problem: {p}"), None => "; every row is empty or outside the dates asked for".to_owned() })]
    NoRows {
        /// The file.
        file: String,
        /// Rows that the file has.
        rows_read: u64,
        /// The first problem.
        first: Option<Box<RowProblem>>,
    },
    /// The bars do not make a batch.
    #[error("{file}: {source}")]
    Batch {
        /// The file.
        file: String,
        /// Why.
        source: BatchError,
    },
}

/// What a header lacks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// The file is empty.
    #[error("the file is empty")]
    Empty,
    /// Neither date nor ts.
    #[error("no column is called date or ts")]
    NoTime,
    /// Neither close nor price.
    #[error("no column holds prices (close, price, or one column per symbol)")]
    NoPrice,
    /// A column without a name.
    #[error("column {0} has no name")]
    Unnamed(usize),
    /// The same name twice.
    #[error("'{0}' is there twice")]
    Twice(String),
}

/// The headers that are understood.
pub const SHAPES: [&str; 5] = [
    "symbol,date,open,high,low,close,volume,adj_close",
    "date,open,high,low,close,volume",
    "date,close",
    "date,price",
    "date,AAPL,MSFT,…",
];

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|n| format!(" (nearest: '{n}')")).unwrap_or_default()
}

fn shorten(names: &[String]) -> String {
    match names.get(..12) {
        Some(some) if names.len() > 12 => format!("{} and {} more", some.join(", "), names.len() - 12),
        _ => names.join(", "),
    }
}

/// Reads a file of bars.
///
/// # Errors
/// `ImportError` if nothing can be imported. Single wrong rows are not errors: they are in `Imported::quarantine`.
pub fn import_csv(request: &CsvRequest<'_>) -> Result<Imported, ImportError> {
    match &request.source {
        CsvSource::Bytes { name, bytes } => import(request, name, stem(Path::new(name)), bytes),
        CsvSource::Path(path) => {
            let shown = path.display().to_string();
            let failed = |source: std::io::Error| match source.kind() {
                std::io::ErrorKind::NotFound => ImportError::Missing { path: path.clone() },
                std::io::ErrorKind::IsADirectory => ImportError::Folder { path: path.clone() },
                _ => ImportError::Read { path: path.clone(), source },
            };
            if std::fs::metadata(path).map_err(failed)?.is_dir() {
                return Err(ImportError::Folder { path: path.clone() });
            }
            let bytes = std::fs::read(path).map_err(failed)?;
            import(request, &shown, stem(path), &bytes)
        }
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "series".to_owned(), |s| s.to_string_lossy().into_owned())
}

fn import(request: &CsvRequest<'_>, file: &str, stem: String, bytes: &[u8]) -> Result<Imported, ImportError> {
    let text = read::utf8(file, bytes)?;
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let header = header::read(file, first, request.price)?;
    let table = read::rows(request, file, &header, stem, rest)?;
    let session = |date| request.calendar.session(date).map(|s| (s.open, s.close));
    assemble::batch(request, file, &header, table, &session)
}
