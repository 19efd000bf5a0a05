//! What is wrong with a row or a cell of a source.

use tradegraph_domain::Date;

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// The line of the file, from 1; of a Parquet file the row, from 1.
    pub line: u64,
    /// The column by its name in the file; empty if it is the whole row.
    pub column: String,
    /// What is there, shortened to 64 characters.
    pub value: String,
    /// The reason in one word: `Fault::code`.
    pub code: String,
    /// The reason in a sentence without its subject.
    pub reason: String,
    /// What became of the row.
    pub fate: Fate,
}

/// What becomes of a row with a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// The row is in the quarantine file.
    Quarantined,
    /// The row is kept without this cell (tables with a column for each series).
    CellLeftOut,
    /// The row is kept as it is.
    Kept,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", self.line)?;
        if !self.column.is_empty() {
            write!(f, "{} ", self.column)?;
        }
        write!(f, "'{}' {}", self.value, self.reason)?;
        f.write_str(match self.fate {
            Fate::Quarantined => "",
            Fate::CellLeftOut => " (row kept without it)",
            Fate::Kept => " (kept)",
        })
    }
}

/// Why a text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberFault {
    /// `1,234.5`
    #[error("has thousands separators; write the number without them")]
    Thousands,
    /// `1,5`
    #[error("has a decimal comma where the file has decimal dots (or tell decimal = comma)")]
    DecimalComma,
    /// `1.5` in a file of decimal commas.
    #[error("has a decimal dot where the file has decimal commas (or tell decimal = dot)")]
    DecimalDot,
    /// `NaN`, `NA`, `-`
    #[error("is no number; if it marks a missing value, tell it (missing)")]
    Marker,
    /// `inf`
    #[error("is not finite")]
    Infinite,
    /// `$5`, `5%`
    #[error("has a currency or percent sign; write the bare number")]
    Sign,
    /// Anything else.
    #[error("is no number")]
    Other,
    /// Too large.
    #[error("is out of range")]
    OutOfRange,
    /// A fraction where only whole numbers are.
    #[error("is no whole number")]
    Fraction,
}

/// Why a row or cell is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More or fewer fields than the header.
    #[error("has {found} fields where the header has {expected}")]
    Fields {
        /// In the row.
        found: usize,
        /// In the header.
        expected: usize,
    },
    /// A message without its time.
    #[error("is no message: '<receive time in ns> <JSON>' or a JSON object with its time is expected")]
    Message,
    /// A quotation mark without its partner.
    #[error("has a quotation mark that is not closed, or text after a closing one")]
    Quotes,
    /// A zero byte.
    #[error("has a NUL byte")]
    Nul,
    /// No number.
    #[error("{0}")]
    Number(NumberFault),
    /// No date.
    #[error("is no date ({expected})")]
    Date {
        /// The form of dates in this file.
        expected: &'static str,
    },
    /// A date that no calendar has.
    #[error("is a date that does not exist")]
    NoSuchDate,
    /// No instant.
    #[error("is no time (2021-09-27T13:45:00Z, or seconds, ms, µs or ns since 1970)")]
    Time,
    /// Outside of what a timestamp holds.
    #[error("is outside the years 1700 to 2199")]
    FarTime,
    /// No month, quarter or year.
    #[error("is no {0}")]
    Period(&'static str),
    /// No offset where others have one.
    #[error("has no offset from UTC while other rows have one; tell the time zone of such rows")]
    NoOffset,
    /// Twice on the clock.
    #[error("comes twice in {zone}: clocks are set back then; give the offset or UTC")]
    Ambiguous {
        /// The zone.
        zone: String,
    },
    /// Never on the clock.
    #[error("does not exist in {zone}: clocks are set forward then")]
    NonExistent {
        /// The zone.
        zone: String,
    },
    /// Empty, and the row cannot be without it.
    #[error("is empty")]
    Missing,
    /// None of the words.
    #[error("is none of: {known}")]
    Choice {
        /// The words.
        known: String,
    },
    /// No JSON.
    #[error("is no JSON: {0}")]
    Json(String),
    /// An action that lacks what its kind needs.
    #[error("{0}")]
    Action(&'static str),
    /// A text that is not UTF-8.
    #[error("is not UTF-8")]
    NotUtf8,
    /// The market was shut.
    #[error("is no session of the {calendar} calendar")]
    NoSession {
        /// The calendar.
        calendar: &'static str,
    },
    /// The calendar does not know.
    #[error("is outside the {calendar} calendar ({first} to {last})")]
    OutsideCalendar {
        /// The calendar.
        calendar: &'static str,
        /// Its first date.
        first: Date,
        /// Its last date.
        last: Date,
    },
}

impl Fault {
    /// The reason in one word, for counts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Fault::Fields { .. } => "fields",
            Fault::Message => "message",
            Fault::Quotes => "quotes",
            Fault::Nul => "nul-byte",
            Fault::Number(NumberFault::Thousands) => "thousands-separator",
            Fault::Number(NumberFault::DecimalComma | NumberFault::DecimalDot) => "decimal-mark",
            Fault::Number(NumberFault::Marker) => "missing-marker",
            Fault::Number(NumberFault::Infinite) => "infinite",
            Fault::Number(NumberFault::OutOfRange) => "out-of-range",
            Fault::Number(_) => "number",
            Fault::Date { .. } => "date",
            Fault::NoSuchDate => "impossible-date",
            Fault::Time => "time",
            Fault::FarTime => "far-time",
            Fault::Period(_) => "period",
            Fault::NoOffset => "no-offset",
            Fault::Ambiguous { .. } => "ambiguous-time",
            Fault::NonExistent { .. } => "nonexistent-time",
            Fault::Missing => "missing",
            Fault::Choice { .. } => "unknown-word",
            Fault::Json(_) => "json",
            Fault::Action(_) => "action",
            Fault::NotUtf8 => "not-utf-8",
            Fault::NoSession { .. } => "no-session",
            Fault::OutsideCalendar { .. } => "outside-calendar",
        }
    }
}

/// Why a text is no number, for people.
#[must_use]
pub(crate) fn number_fault(text: &[u8], decimal_comma: bool) -> NumberFault {
    let body = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let lower = body.to_ascii_lowercase();
    if matches!(lower.as_slice(), b"inf" | b"infinity") {
        return NumberFault::Infinite;
    }
    let markers: [&[u8]; 11] = [b"nan", b"na", b"n/a", b"#n/a", b"null", b"none", b"-", b".", b"--", b"nil", b"?"];
    if text == b"-" || markers.contains(&lower.as_slice()) {
        return NumberFault::Marker;
    }
    if body.first().is_some_and(|b| matches!(b, b'$' | b'%')) || body.last() == Some(&b'%') || has_symbol(body) {
        return NumberFault::Sign;
    }
    let (group, mark) = if decimal_comma { (b'.', b',') } else { (b',', b'.') };
    let digits = body.iter().all(|b| b.is_ascii_digit() || matches!(b, b',' | b'.' | b' ' | b'\''));
    if digits && body.first().is_some_and(u8::is_ascii_digit) {
        let groups = body.iter().filter(|b| **b == group).count();
        let after = body.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let spaced = body.iter().any(|b| matches!(b, b' ' | b'\''));
        return match groups {
            0 if spaced => NumberFault::Thousands,
            1 if !body.contains(&mark) && after != 3 => {
                if decimal_comma {
                    NumberFault::DecimalDot
                } else {
                    NumberFault::DecimalComma
                }
            }
            0 => NumberFault::Other,
            _ => NumberFault::Thousands,
        };
    }
    let exponent = lower.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'-' | b'+'));
    if exponent && std::str::from_utf8(text).is_ok_and(|t| t.parse::<f64>().is_ok_and(|v| !v.is_finite())) {
        return NumberFault::OutOfRange;
    }
    NumberFault::Other
}

fn has_symbol(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|t| t.starts_with(['€', '£', '¥']) || t.ends_with(['€', '£', '¥']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_explained() {
        for (text, comma, expected) in [
            ("1,234.5", false, NumberFault::Thousands),
            ("1,234", false, NumberFault::Thousands),
            ("1,234,567", false, NumberFault::Thousands),
            ("1 234", false, NumberFault::Thousands),
            ("1,5", false, NumberFault::DecimalComma),
            ("1.5", true, NumberFault::DecimalDot),
            ("1.234,5", true, NumberFault::Thousands),
            ("NaN", false, NumberFault::Marker),
            ("#N/A", false, NumberFault::Marker),
            ("-", false, NumberFault::Marker),
            ("-inf", false, NumberFault::Infinite),
            ("$5", false, NumberFault::Sign),
            ("5%", false, NumberFault::Sign),
            ("5 €", false, NumberFault::Sign),
            ("1e400", false, NumberFault::OutOfRange),
            ("abc", false, NumberFault::Other),
            ("", false, NumberFault::Other),
        ] {
            assert_eq!(number_fault(text.as_bytes(), comma), expected, "{text}");
        }
    }
}
