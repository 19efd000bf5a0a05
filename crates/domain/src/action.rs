//! `CorporateAction`: what a company does to its shares, and when holders feel it.

use crate::instrument::InstrumentId;
use crate::price::Price;
use crate::time::{Date, Timestamp};

/// What happens to one unit of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionKind {
    /// `old` units become `new` units: 2 for 1 is `{new: 2, old: 1}`, a reverse split 1 for 10 is `{new: 1, old: 10}`.
    /// Both are at least 1.
    Split {
        /// Units after.
        new: u32,
        /// Units before.
        old: u32,
    },
    /// Cash for each unit, in the instrument's currency, above zero: regular and special together.
    Dividend {
        /// Cash for one unit as traded on the ex-date.
        amount: Price,
        /// When it is paid; the ex-date where the source does not say.
        pay: Date,
    },
    /// Another symbol for the same instrument: the index of the name in the run's table of actions.
    Rename {
        /// Place of the name.
        name: u32,
    },
    /// The last thing that happens: every unit becomes this much cash (zero for a bankruptcy).
    Delisting {
        /// Cash for one unit.
        price: Price,
    },
}

/// One corporate action of one instrument.
///
/// Ordered by moment, instrument and kind: a split comes before a dividend of the same day, whose amount is for a unit
/// after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CorporateAction {
    /// The first instant at which the instrument trades without it: the open of the ex-date's session.
    pub ts: Timestamp,
    /// Whose.
    pub instrument: InstrumentId,
    /// What.
    pub kind: ActionKind,
    /// The ex-date.
    pub ex: Date,
}
