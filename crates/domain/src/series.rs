//! Series: which bars, adjusted how.

use crate::time::Nanos;

/// How much of corporate actions a price series already contains. One mandate never mixes bases of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// Prices as traded.
    Raw,
    /// Splits removed.
    SplitAdjusted,
    /// Splits and dividends removed: the return of a holder who reinvests.
    TotalReturn,
}

impl Basis {
    /// All bases with the names used in mandates and catalogs.
    pub const ALL: [(Basis, &'static str); 3] =
        [(Basis::Raw, "raw"), (Basis::SplitAdjusted, "split-adjusted"), (Basis::TotalReturn, "total-return")];

    /// The name used in mandates.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Basis::Raw => "raw",
            Basis::SplitAdjusted => "split-adjusted",
            Basis::TotalReturn => "total-return",
        }
    }
}

/// The interval that one bar covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BarPeriod {
    /// One session of the series' calendar.
    Session,
    /// A fixed length of time.
    Fixed(Nanos),
}

/// Bar specification: instruments that share it and are known at one moment come as one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BarSpec {
    /// Length of a bar.
    pub period: BarPeriod,
    /// What the prices contain.
    pub basis: Basis,
    /// False for series of closes: no open, high or low, and orders fill at the next close.
    pub has_open: bool,
}
