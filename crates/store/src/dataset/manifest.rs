//! The manifest: what a data set is, where it came from, and what was wrong in its source. It lies in the footer of the
//! data set's own file, so the two can never disagree.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradegraph_domain::{Basis, Currency, Date, Nanos, Timestamp};
use tradegraph_market::calendar::CalendarId;

use super::column::StoredType;
use super::fault::Problem;
use super::kinds::Kind;
use super::options::{ImportOptions, Period};
use super::time::Zone;
use crate::csv_bars::BarLabel;

/// blake3 over the rows and over the facts that change what they mean.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasetId(pub [u8; 32]);

impl DatasetId {
    /// The first twelve digits.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<DatasetId> {
        crate::catalog::parse_id(text).map(|id| DatasetId(id.0))
    }
}

impl std::fmt::Display for DatasetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl std::fmt::Debug for DatasetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// What a data set is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format.
    pub version: u32,
    /// Hash of the content and name of the file.
    pub id: String,
    /// Unique in a catalog.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// How the kind was found.
    pub kind_why: String,
    /// The file it was made of.
    pub source: Source,
    /// How that file was read.
    pub shape: Shape,
    /// What changes the meaning of the rows.
    pub facts: Facts,
    /// When a row is known.
    pub known_at: KnownAt,
    /// The same in words.
    pub known_at_words: String,
    /// What was taken for granted because nobody told it.
    pub assumed: Vec<String>,
    /// True if prices may be zero or below.
    pub allow_negative: bool,
    /// The columns of the file, in order.
    pub columns: Vec<ColumnInfo>,
    /// The series in it, in order of appearance.
    pub series: Vec<SeriesInfo>,
    /// Rows by what became of them.
    pub rows: Counts,
    /// Problems by reason.
    pub problems: BTreeMap<String, u64>,
    /// The first problems.
    pub first_problems: Vec<Problem>,
    /// The data set that this one took the name of.
    pub replaces: Option<String>,
}

/// The file that was imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name without folders.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Hash of its bytes.
    pub blake3: String,
    /// `csv`, `csv.gz`, `jsonl`, `jsonl.gz` or `parquet`, by its content.
    pub format: String,
    /// Origin and licence, as told.
    pub origin: Option<String>,
}

/// How the file was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// What separates fields, in CSV.
    pub delimiter: Option<String>,
    /// True if numbers have decimal commas.
    pub decimal_comma: bool,
    /// How times are written: `date`, `instant`, `month`, `quarter`, `year`, or nothing.
    pub times: Option<String>,
    /// What the time of a bar marked in the file: `start` or `end`.
    pub label: Option<String>,
    /// One series a column rather than a row.
    pub wide: bool,
    /// Columns that were not read.
    pub ignored: Vec<String>,
    /// What is odd about the file.
    pub notes: Vec<String>,
}

/// What changes the meaning of the rows; part of the content id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Symbol of a single series, if told.
    pub symbol: Option<String>,
    /// Venue, if told.
    pub venue: Option<String>,
    /// `raw`, `split-adjusted` or `total-return`.
    pub basis: String,
    /// Calendar of sessions, if told.
    pub calendar: Option<String>,
    /// Zone of the days that dates are.
    pub day_zone: Option<String>,
    /// The same for single venues.
    pub venue_zones: BTreeMap<String, String>,
    /// Length of a bar or of a period: `session`, `1h`, `month`.
    pub period: Option<String>,
    /// How long after its time a row is known.
    pub lag_ns: i64,
    /// Date of a snapshot.
    pub snapshot: Option<String>,
    /// Currency of the prices, if told.
    pub currency: Option<String>,
}

/// When a row is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownAt {
    /// At the end of its bar.
    BarEnd,
    /// At its own time, or at the end of its date.
    RowTime,
    /// At the end of its period.
    PeriodEnd,
    /// At the end of the date of the snapshot.
    SnapshotDate,
    /// When its ex-date begins.
    ExDate,
    /// As the file says, row by row.
    Given,
    /// Never: the rows are not dated.
    Undated,
}

/// A stored column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its name in the source; nothing if it was made here.
    pub from: Option<String>,
    /// What its values are.
    pub kind: StoredType,
    /// What it is there for.
    pub role: Role,
    /// Hash of its values.
    pub blake3: String,
}

/// What a column is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A column of the kind.
    Known,
    /// The value of one series, in tables with a column for each.
    Series,
    /// A column that the kind does not know.
    Extra,
    /// Made at import: line, start, `known_at`.
    Derived,
}

/// One series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesInfo {
    /// Where it trades, if the source says so.
    pub venue: Option<String>,
    /// Spot, perpetual, future…, if the source says so.
    pub segment: Option<String>,
    /// Its name.
    pub symbol: String,
    /// Its rows (in tables with a column for each series: its cells with a value).
    pub rows: u64,
    /// Time of the first and last row in order of time, in ns.
    pub first_ns: Option<i64>,
    /// See `first_ns`.
    pub last_ns: Option<i64>,
}

/// Rows by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Rows of the source; blank lines are none.
    pub read: u64,
    /// Rows in the data set.
    pub kept: u64,
    /// Rows in the quarantine file.
    pub quarantined: u64,
    /// Rows of symbols that were not asked for.
    pub filtered: u64,
    /// Cells of kept rows that were left out.
    pub cells_left_out: u64,
    /// Kept rows whose date is no session of the calendar.
    pub without_session: u64,
}

impl Manifest {
    /// Its id.
    #[must_use]
    pub fn dataset_id(&self) -> Option<DatasetId> {
        DatasetId::parse(&self.id)
    }

    /// The basis of its prices.
    #[must_use]
    pub fn basis(&self) -> Basis {
        Basis::ALL.iter().find(|(_, name)| *name == self.facts.basis).map_or(Basis::Raw, |(b, _)| *b)
    }

    /// The calendar told, or UTC days.
    #[must_use]
    pub fn calendar(&self) -> CalendarId {
        self.facts.calendar.as_deref().and_then(CalendarId::parse).unwrap_or(CalendarId::AlwaysOpen)
    }

    /// Length of a bar or of a period.
    #[must_use]
    pub fn period(&self) -> Option<Period> {
        self.facts.period.as_deref().and_then(Period::parse)
    }

    /// First and last time of its series.
    #[must_use]
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.series.iter().filter_map(|s| s.first_ns).min()?;
        let last = self.series.iter().filter_map(|s| s.last_ns).max()?;
        Some((Timestamp(first), Timestamp(last)))
    }

    /// True if rows were left out or cells were.
    #[must_use]
    pub fn has_losses(&self) -> bool {
        self.rows.quarantined > 0 || self.rows.cells_left_out > 0
    }

    /// What to tell when an export of this data set is imported, so that it becomes the same data set.
    #[must_use]
    pub fn options(&self) -> ImportOptions {
        let f = &self.facts;
        let zone = |text: &String| Zone::parse(text);
        ImportOptions {
            name: Some(self.name.clone()),
            kind: Some(self.kind),
            symbol: f.symbol.clone(),
            venue: f.venue.clone(),
            calendar: f.calendar.as_deref().and_then(CalendarId::parse),
            basis: Some(self.basis()),
            label: Some(BarLabel::Start),
            period: self.period(),
            lag: Nanos(f.lag_ns),
            snapshot: f.snapshot.as_deref().and_then(Date::parse),
            zone: f.day_zone.as_ref().and_then(zone),
            venue_zones: f.venue_zones.iter().filter_map(|(v, z)| Some((v.clone(), zone(z)?))).collect(),
            delimiter: Some(b','),
            decimal_comma: Some(false),
            types: self.columns.iter().filter(|c| c.role == Role::Extra).map(|c| (c.name.clone(), c.kind)).collect(),
            currency: f.currency.as_deref().and_then(Currency::parse),
            allow_negative: self.allow_negative,
            origin: self.source.origin.clone(),
            ..ImportOptions::default()
        }
    }
}

/// The content id: facts, then name, type and hash of every column that came from the source.
pub(crate) fn content_id(kind: Kind, wide: bool, facts: &Facts, columns: &[ColumnInfo]) -> DatasetId {
    let mut hash = blake3::Hasher::new();
    let mut field = |text: &str| {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    field("tradegraph data set 1");
    field(kind.name());
    field(if wide { "wide" } else { "long" });
    // A struct of texts, numbers and sorted maps always becomes the same JSON.
    field(&serde_json::to_string(facts).unwrap_or_default());
    for column in columns.iter().filter(|c| c.role != Role::Derived) {
        field(&column.name);
        field(&format!("{:?}", column.kind));
        field(&column.blake3);
    }
    DatasetId(*hash.finalize().as_bytes())
}
