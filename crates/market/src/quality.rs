//! Quality: what is impossible, doubtful or worth knowing in a series. Data are flagged and kept; nothing is repaired.
//!
//! A *fault* is a number that cannot be right: in the panel its cell is `Suspect` and has no value. A *doubt* is a
//! number that may be right: it is used, and the confidence of the signals that it touches is cut. A *note* changes
//! nothing and is told. What the panel uses is computed from the row and those before it; checks that look at what
//! comes after (a print that was taken back, a split that stayed) are for reading only.

mod bars;
mod quotes;
mod trailing;
mod values;

pub use bars::{BarColumns, MISSING, check_bars, compare_volumes, mark};
pub use quotes::{QuoteColumns, check_clock, check_quotes};
pub use values::{TradeColumns, check_trades, check_values};

use crate::calendar::CalendarId;
use tradegraph_domain::{BarPeriod, Price};

/// What a finding does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing; it is told.
    Note,
    /// Confidence is cut.
    Doubt,
    /// The value is not used.
    Fault,
}

impl Severity {
    /// For people and programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Doubt => "doubt",
            Severity::Fault => "fault",
        }
    }
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Check {
    /// A price of zero or below where there cannot be one.
    Impossible = 0,
    /// High below low, or open or close outside of them.
    Range,
    /// Outside the bounds that were told.
    Bounds,
    /// The best bid is above the best ask.
    Crossed,
    /// The best bid equals the best ask.
    Locked,
    /// A part of the bar or quote is missing while others are there.
    Missing,
    /// A change far from what the series did before.
    Outlier,
    /// A print that the next one takes back.
    Spike,
    /// Bars that the calendar expects and the source lacks.
    Gap,
    /// The same moment again.
    Duplicate,
    /// Earlier than the row before it.
    Disorder,
    /// The same price again and again.
    Stale,
    /// The step of the printed price is large against what the price moves.
    Rounding,
    /// A jump by a small-integer ratio that stays.
    Split,
    /// A bar while the market is shut.
    OffSession,
    /// Bars that fit their sessions when shifted by whole hours.
    TimeZone,
    /// The level of volume changes by orders of magnitude, or differs so between series of one asset.
    VolumeUnit,
    /// Volume zero in a bar whose price moved.
    NoVolume,
    /// Received before it happened: two clocks disagree.
    Clock,
    /// A column that knows the future.
    Future,
    /// Known only from the day on which the picture was taken.
    Snapshot,
    /// Numbers that were revised later.
    Revised,
}

impl Check {
    /// All checks: name, what it does, and the sentence that explains it.
    pub const ALL: [(Check, &'static str, Severity, &'static str); 22] = [
        (Check::Impossible, "impossible", Severity::Fault, "a price of zero or below where there cannot be one"),
        (
            Check::Range,
            "range",
            Severity::Fault,
            "high below low, or open or close outside of them by more than rounding",
        ),
        (Check::Bounds, "bounds", Severity::Fault, "a value outside the bounds that hold for it"),
        (Check::Crossed, "crossed", Severity::Fault, "the bid is above the ask"),
        (Check::Locked, "locked", Severity::Doubt, "the bid equals the ask"),
        (Check::Missing, "missing", Severity::Doubt, "a part is missing while others are there"),
        (Check::Outlier, "outlier", Severity::Doubt, "a change more than 12 robust deviations from the 63 before it"),
        (Check::Spike, "spike", Severity::Note, "an outlier that the next price takes back: perhaps a wrong print"),
        (Check::Gap, "gap", Severity::Doubt, "bars that the calendar expects are missing before it"),
        (Check::Duplicate, "duplicate", Severity::Doubt, "the same moment again"),
        (Check::Disorder, "out of order", Severity::Doubt, "earlier than a row before it"),
        (Check::Stale, "stale", Severity::Doubt, "the price has not changed for long"),
        (
            Check::Rounding,
            "rounding",
            Severity::Doubt,
            "the printed step of the price is above a tenth of a day's volatility, or the traded one above half",
        ),
        (
            Check::Split,
            "split",
            Severity::Note,
            "a jump by a small-integer ratio that stays: perhaps a split not applied",
        ),
        (Check::OffSession, "off session", Severity::Note, "the market is shut then"),
        (Check::TimeZone, "time zone", Severity::Note, "shifted by whole hours the bars would fit their sessions"),
        (Check::VolumeUnit, "volume unit", Severity::Note, "volume on another scale"),
        (Check::NoVolume, "no volume", Severity::Note, "volume zero while the price moved"),
        (Check::Clock, "clock", Severity::Note, "received before it happened: two clocks disagree"),
        (Check::Future, "future", Severity::Note, "a column that knows the future: never an input"),
        (
            Check::Snapshot,
            "snapshot",
            Severity::Note,
            "known only from its date on: look-ahead in an earlier back-test",
        ),
        (Check::Revised, "revised", Severity::Note, "revised later: not what was known at the time"),
    ];

    fn entry(self) -> &'static (Check, &'static str, Severity, &'static str) {
        // The table is in the order of the numbers; a test says so.
        Self::ALL.get(self as usize).unwrap_or(&Self::ALL[0])
    }

    /// Short name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// What it does.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.entry().2
    }

    /// Plain sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        self.entry().3
    }
}

/// The checks that a row failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(pub u32);

impl Marks {
    /// None.
    pub const NONE: Marks = Marks(0);

    /// With one more.
    #[must_use]
    pub fn with(self, check: Check) -> Marks {
        Marks(self.0 | 1 << check as u32)
    }

    /// True if the row failed it.
    #[must_use]
    pub fn has(self, check: Check) -> bool {
        self.0 & 1 << check as u32 != 0
    }

    /// The worst that they do; `None` without marks.
    #[must_use]
    pub fn severity(self) -> Option<Severity> {
        self.iter().map(Check::severity).max()
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = Check> {
        Check::ALL.into_iter().map(|(check, ..)| check).filter(move |c| self.has(*c))
    }
}

/// What holds for a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Whose sessions its bars lie in.
    pub calendar: CalendarId,
    /// Length of its bars.
    pub period: BarPeriod,
    /// True where a price may be zero or below: oil on 2020-04-20, yields, spreads.
    pub may_be_negative: bool,
    /// Least and greatest price, if told.
    pub bounds: Option<(Price, Price)>,
}

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub check: Check,
    /// Row of the series, from 0; `None` for the whole series.
    pub row: Option<usize>,
    /// In words, with the numbers.
    pub detail: String,
}

/// What the checks of a series found: every row's marks, a count for each check, and the first few in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// One a row.
    pub marks: Vec<Marks>,
    /// How often each check failed, in the order of `Check::ALL`.
    pub counts: [u64; Check::ALL.len()],
    /// The first of each check, at most `EXAMPLES`, in the order of rows.
    pub examples: Vec<Finding>,
}

/// Findings of one check that are kept in words.
pub const EXAMPLES: u64 = 5;

impl Findings {
    fn new(rows: usize) -> Findings {
        Findings { marks: vec![Marks::NONE; rows], ..Findings::default() }
    }

    /// Adds a finding to the counts and, among the first, in words; it marks no row.
    pub fn note(&mut self, check: Check, row: Option<usize>, detail: impl FnOnce() -> String) {
        if let Some(n) = self.counts.get_mut(check as usize) {
            *n += 1;
            if *n <= EXAMPLES {
                self.examples.push(Finding { check, row, detail: detail() });
            }
        }
    }

    /// The same, and marks the row.
    fn mark(&mut self, check: Check, row: usize, detail: impl FnOnce() -> String) {
        if let Some(m) = self.marks.get_mut(row) {
            *m = m.with(check);
        }
        self.note(check, Some(row), detail);
    }

    /// Takes checks out again, for columns that do not bear on them.
    pub fn forget(&mut self, checks: &[Check]) {
        for check in checks {
            if let Some(n) = self.counts.get_mut(*check as usize) {
                *n = 0;
            }
            self.marks.iter_mut().for_each(|m| m.0 &= !(1 << *check as u32));
        }
        self.examples.retain(|e| !checks.contains(&e.check));
    }

    /// How often a check failed.
    #[must_use]
    pub fn count(&self, check: Check) -> u64 {
        self.counts.get(check as usize).copied().unwrap_or_default()
    }

    /// The worst that was found.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        Check::ALL.iter().zip(&self.counts).filter(|(_, n)| **n > 0).map(|((_, _, s, _), _)| *s).max()
    }
}

#[cfg(test)]
mod tests;
