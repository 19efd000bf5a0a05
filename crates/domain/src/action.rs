//! `CorporateAction`: what a company does to its shares, and when holders feel it.

use crate::decimal::{Overflow, mul_div_half_even};
use crate::instrument::InstrumentId;
use crate::order::Side;
use crate::price::Price;
use crate::quantity::Quantity;
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

impl ActionKind {
    /// The ratio of a split.
    #[must_use]
    pub const fn split(self) -> Option<Split> {
        match self {
            ActionKind::Split { new, old } => Some(Split { new, old }),
            _ => None,
        }
    }

    /// `split`, `dividend`, `rename` or `delisting`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ActionKind::Split { .. } => "split",
            ActionKind::Dividend { .. } => "dividend",
            ActionKind::Rename { .. } => "rename",
            ActionKind::Delisting { .. } => "delisting",
        }
    }
}

/// The ratio of a split: `old` units become `new`. What it makes of quantities and prices, for everybody who holds
/// some: the books, the orders, the venue and the controls round alike.
///
/// | of | becomes | rounded |
/// |---|---|---|
/// | a quantity | × new ÷ old | toward zero to whole lots; the rest is returned |
/// | a price | × old ÷ new | half-even at 1e-9 |
/// | a limit | × old ÷ new | to the tick, never to the order's harm: a buy down, a sale up |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// Units after, at least 1.
    pub new: u32,
    /// Units before, at least 1.
    pub old: u32,
}

impl Split {
    /// A quantity in whole lots, and what is left over, both with the sign of `before`. What is finer than 1e-9 of a
    /// unit is lost.
    ///
    /// # Errors
    /// `Overflow` if it does not fit, or for a ratio with a zero in it.
    pub fn quantity(self, before: Quantity, lot: Quantity) -> Result<(Quantity, Quantity), Overflow> {
        let what = Overflow("quantity after a split");
        let product = before.nano().checked_mul(self.new.into()).ok_or(what)?;
        let after = product.checked_div(self.old.into()).filter(|_| self.new > 0).ok_or(what)?;
        let rest = after.checked_rem(lot.nano().max(1)).ok_or(what)?;
        Ok((Quantity::from_nano(after.saturating_sub(rest)), Quantity::from_nano(rest)))
    }

    /// A price in units after the split.
    ///
    /// # Errors
    /// `Overflow` if it does not fit, or for a ratio with a zero in it.
    pub fn price(self, before: Price) -> Result<Price, Overflow> {
        let what = Overflow("price after a split");
        let after = mul_div_half_even(before.nano().into(), self.old.into(), self.new.into()).ok_or(what)?;
        i64::try_from(after).map(Price::from_nano).map_err(|_| what)
    }

    /// A limit price in units after the split, on the tick. A tick of zero or below counts as 1e-9.
    ///
    /// # Errors
    /// As `price`.
    pub fn limit(self, before: Price, tick: Price, side: Side) -> Result<Price, Overflow> {
        let what = Overflow("limit after a split");
        let product = i128::from(before.nano()).checked_mul(self.old.into()).ok_or(what)?;
        let step = i128::from(tick.nano().max(1)).checked_mul(self.new.into()).ok_or(what)?;
        let down = product.checked_div_euclid(step).ok_or(what)?;
        let exact = product.checked_rem_euclid(step) == Some(0);
        let ticks = if side == Side::Sell && !exact { down.saturating_add(1) } else { down };
        let after = ticks.checked_mul(tick.nano().max(1).into()).ok_or(what)?;
        i64::try_from(after).map(Price::from_nano).map_err(|_| what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hand_worked_ratios() {
        let q = |t: &str| Quantity::parse(t).unwrap();
        let p = |t: &str| Price::parse(t).unwrap();
        let (two, three, tenth) = (Split { new: 2, old: 1 }, Split { new: 3, old: 2 }, Split { new: 1, old: 10 });
        assert_eq!(two.quantity(q("-7"), Quantity::ONE), Ok((q("-14"), q("0"))));
        assert_eq!(three.quantity(q("101"), Quantity::ONE), Ok((q("151"), q("0.5"))));
        assert_eq!(tenth.quantity(q("-125"), Quantity::ONE), Ok((q("-12"), q("-0.5"))));
        assert_eq!(tenth.quantity(q("125"), q("0.1")), Ok((q("12.5"), q("0"))));
        assert_eq!(two.price(p("48.30")), Ok(p("24.15")));
        assert_eq!(three.limit(p("10"), p("0.01"), Side::Buy), Ok(p("6.66")));
        assert_eq!(three.limit(p("10"), p("0.01"), Side::Sell), Ok(p("6.67")));
        assert_eq!(two.limit(p("-36.98"), p("0.01"), Side::Buy), Ok(p("-18.49")));
        assert_eq!(two.limit(p("10"), p("0.01"), Side::Sell), Ok(p("5")));
        assert!(tenth.price(Price::from_nano(i64::MAX)).is_err());
        assert!(Split { new: 0, old: 1 }.quantity(q("1"), Quantity::ONE).is_err());
        assert!(Split { new: 1, old: 0 }.quantity(q("1"), Quantity::ONE).is_err());
    }

    proptest! {
        /// Lots and rest make the scaled quantity, less what is finer than 1e-9; a limit is never to the order's harm.
        #[test]
        fn nothing_is_lost_but_what_is_too_fine(
            before in -(10_i128.pow(24))..10_i128.pow(24), lot in 1_i128..10_i128.pow(10),
            new in 1_u32..200, old in 1_u32..200, price in 1_i64..1_000_000_000_000, tick in 0_i64..1_000_000_000,
        ) {
            let split = Split { new, old };
            let (after, rest) = split.quantity(Quantity::from_nano(before), Quantity::from_nano(lot)).unwrap();
            let exact = before * i128::from(new) - (after.nano() + rest.nano()) * i128::from(old);
            prop_assert!(exact.abs() < i128::from(old) && (exact == 0 || exact.signum() == before.signum()));
            prop_assert!(after.nano() % lot == 0 && rest.nano().abs() < lot);
            let limit = |side| split.limit(Price::from_nano(price), Price::from_nano(tick), side).unwrap().nano();
            let value = i128::from(price) * i128::from(old);
            prop_assert!(i128::from(limit(Side::Buy)) * i128::from(new) <= value);
            prop_assert!(i128::from(limit(Side::Sell)) * i128::from(new) >= value);
            prop_assert!(limit(Side::Sell) - limit(Side::Buy) <= tick.max(1));
        }
    }
}
