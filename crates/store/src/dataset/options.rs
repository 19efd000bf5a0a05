//! What a user may tell about a source. Everything that is not told is looked for in the file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradegraph_domain::{Basis, Currency, Date, Nanos};
use tradegraph_market::calendar::CalendarId;

use super::column::StoredType;
use super::kinds::Kind;
use super::time::Zone;
use crate::csv_bars::BarLabel;

/// How long a bar or a period of a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// One session of the calendar, or one day.
    Session,
    /// A fixed length of time.
    Fixed(Nanos),
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
    /// A calendar year.
    Year,
}

impl Period {
    /// Reads `1d`, `session`, `month` (`1mo`), `quarter`, `year`, or a number with `ns us ms s m h`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Period> {
        match text {
            "session" | "day" | "1d" | "d" => return Some(Period::Session),
            "month" | "1mo" | "mo" => return Some(Period::Month),
            "quarter" | "1q" | "q" => return Some(Period::Quarter),
            "year" | "1y" | "y" => return Some(Period::Year),
            _ => {}
        }
        duration(text).filter(|n| n.0 > 0 && n.0 <= 366 * Nanos::DAY.0).map(Period::Fixed)
    }
}

/// Reads a length of time: a number with `ns us ms s m h d`.
#[must_use]
pub fn duration(text: &str) -> Option<Nanos> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = match unit {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" => Nanos::SECOND.0,
        "m" | "min" => Nanos::MINUTE.0,
        "h" => Nanos::HOUR.0,
        "d" => Nanos::DAY.0,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit).map(Nanos)
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Period::Session => f.write_str("session"),
            Period::Month => f.write_str("month"),
            Period::Quarter => f.write_str("quarter"),
            Period::Year => f.write_str("year"),
            Period::Fixed(n) => {
                let units = [
                    (Nanos::HOUR.0, "h"),
                    (Nanos::MINUTE.0, "m"),
                    (Nanos::SECOND.0, "s"),
                    (1_000_000, "ms"),
                    (1_000, "us"),
                ];
                let (unit, name) = units.into_iter().find(|(u, _)| n.0 % u == 0).unwrap_or((1, "ns"));
                write!(f, "{}{name}", n.0 / unit)
            }
        }
    }
}

/// How dates are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateForm {
    /// `2024-01-31`; found without being told.
    Iso,
    /// `20240131`; found without being told.
    Compact,
    /// `31.01.2024` or `31/01/2024`.
    DayFirst,
    /// `01/31/2024`.
    MonthFirst,
}

impl DateForm {
    /// How it looks.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            DateForm::Iso => "YYYY-MM-DD",
            DateForm::Compact => "YYYYMMDD",
            DateForm::DayFirst => "DD.MM.YYYY",
            DateForm::MonthFirst => "MM/DD/YYYY",
        }
    }
}

/// Units of integer times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

impl TimeUnit {
    pub(crate) fn nanos(self) -> i64 {
        match self {
            TimeUnit::Seconds => 1_000_000_000,
            TimeUnit::Millis => 1_000_000,
            TimeUnit::Micros => 1_000,
            TimeUnit::Nanos => 1,
        }
    }
}

/// What is told about one source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportOptions {
    /// Name in the catalog; the stem of the file if not told.
    pub name: Option<String>,
    /// What it is.
    pub kind: Option<Kind>,
    /// Symbol of a file with one series.
    pub symbol: Option<String>,
    /// Venue of a file without a column of venues.
    pub venue: Option<String>,
    /// Only rows (in wide tables: columns) of these symbols.
    pub symbols: Option<Vec<String>>,
    /// Whose sessions the dates are; UTC days if not told.
    pub calendar: Option<CalendarId>,
    /// What the prices contain; raw if not told.
    pub basis: Option<Basis>,
    /// Prices of the file × 10^this are prices in the currency: -2 for pence.
    pub price_exponent: i8,
    /// What the time of a bar marks; its start if not told.
    pub label: Option<BarLabel>,
    /// Length of a bar or of a period of a table.
    pub period: Option<Period>,
    /// How long after the end of its bar, its time or its period a row is known.
    pub lag: Nanos,
    /// The date of a snapshot.
    pub snapshot: Option<Date>,
    /// Unit of integer times.
    pub time_unit: Option<TimeUnit>,
    /// Zone of times without an offset and of the days that dates are; UTC if not told.
    pub zone: Option<Zone>,
    /// Zones of the days of single venues, where they differ.
    pub venue_zones: BTreeMap<String, Zone>,
    /// How dates are written.
    pub dates: Option<DateForm>,
    /// What separates fields: `,` `;` tab or `|`.
    pub delimiter: Option<u8>,
    /// True for decimal commas, false for dots; looked for if not told.
    pub decimal_comma: Option<bool>,
    /// Texts that mark a missing value, besides the empty one.
    pub missing: Vec<String>,
    /// Names of the columns of a file without a header.
    pub header: Option<Vec<String>>,
    /// Column of the file → column of the kind, where the name does not say it.
    pub roles: BTreeMap<String, String>,
    /// Columns that are not read.
    pub ignore: Vec<String>,
    /// Types of columns that the kind does not know; found by their cells if not told.
    pub types: BTreeMap<String, StoredType>,
    /// Currency of the prices.
    pub currency: Option<Currency>,
    /// True for series whose prices may be zero or below; for quality checks and for `to_batch`.
    pub allow_negative: bool,
    /// Origin and licence, for people.
    pub origin: Option<String>,
    /// Replaces a data set of the same name.
    pub replace: bool,
    /// Longest line in bytes; 16 MiB if 0.
    pub line_limit: usize,
}

/// The longest line if none is told.
pub const LINE_LIMIT: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_printed_as_they_are_read() {
        for text in ["session", "month", "quarter", "year", "1m", "15m", "1h", "24h", "250ms", "1us", "7ns", "90s"] {
            assert_eq!(Period::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Period::parse("1d"), Some(Period::Session));
        for wrong in ["", "m", "0m", "-1m", "1x", "99999999999999999999h", "400d"] {
            assert_eq!(Period::parse(wrong), None, "{wrong}");
        }
        assert_eq!(duration("45d"), Some(Nanos(45 * Nanos::DAY.0)));
    }
}
