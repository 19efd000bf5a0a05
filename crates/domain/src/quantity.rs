//! `Quantity`: units of an instrument at 1e-9 in 128 bits, signed (a short position is negative).
//!
//! | operation | result |
//! |---|---|
//! | `Quantity ± Quantity` (`checked_add`, `checked_sub`) | `Result<Quantity, Overflow>` |
//! | `Quantity ÷ lot` (`lots`) | whole lots and the remainder |
//! | `Lots × lot` (`Lots::quantity`) | `Result<Quantity, Overflow>` |

use crate::decimal::{NANO, Overflow, ParseNumber, Rounding, format_nano, parse_nano};

/// Units in 1e-9. Ten thousand billion tokens are a normal position, hence 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(i128);

/// A whole number of lots, signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lots(pub i64);

impl Quantity {
    /// Zero.
    pub const ZERO: Quantity = Quantity(0);

    /// One unit.
    pub const ONE: Quantity = Quantity(NANO as i128);

    /// A quantity from its integer at 1e-9.
    #[inline]
    #[must_use]
    pub const fn from_nano(nano: i128) -> Self {
        Quantity(nano)
    }

    /// Whole units.
    ///
    /// # Errors
    /// Never for a 64-bit number of units; the `Result` keeps the named conversions alike.
    pub fn from_units(units: i64) -> Result<Self, Overflow> {
        i128::from(units).checked_mul(i128::from(NANO)).map(Quantity).ok_or(Overflow("quantity from units"))
    }

    /// Reads a decimal number; digits beyond the ninth decimal are an error.
    ///
    /// # Errors
    /// `ParseNumber` if the text is no number, is too fine or does not fit.
    pub fn parse(text: &str) -> Result<Self, ParseNumber> {
        parse_nano(text, Rounding::Exact).map(Quantity)
    }

    /// The integer at 1e-9.
    #[inline]
    #[must_use]
    pub const fn nano(self) -> i128 {
        self.0
    }

    /// The nearest float.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The sum.
    ///
    /// # Errors
    /// `Overflow` if it does not fit.
    #[inline]
    pub fn checked_add(self, other: Quantity) -> Result<Quantity, Overflow> {
        self.0.checked_add(other.0).map(Quantity).ok_or(Overflow("quantity + quantity"))
    }

    /// The difference.
    ///
    /// # Errors
    /// `Overflow` if it does not fit.
    #[inline]
    pub fn checked_sub(self, other: Quantity) -> Result<Quantity, Overflow> {
        self.0.checked_sub(other.0).map(Quantity).ok_or(Overflow("quantity − quantity"))
    }

    /// The opposite; the one value without an opposite becomes the largest.
    #[inline]
    #[must_use]
    pub const fn negated(self) -> Quantity {
        Quantity(self.0.saturating_neg())
    }

    /// Without its sign; saturates at the largest value.
    #[inline]
    #[must_use]
    pub const fn abs(self) -> Quantity {
        Quantity(self.0.saturating_abs())
    }

    /// Whole lots toward zero, and what is left. A lot of zero or below counts as 1e-9.
    ///
    /// # Errors
    /// `Overflow` if the number of lots does not fit 64 bits.
    #[inline]
    pub fn lots(self, lot: Quantity) -> Result<(Lots, Quantity), Overflow> {
        let lot = lot.0.max(1);
        let (n, rest) = match (i64::try_from(self.0), i64::try_from(lot)) {
            // 64-bit division is several times as fast and covers nine billion units.
            (Ok(q), Ok(l)) => {
                (i128::from(q.checked_div(l).unwrap_or_default()), i128::from(q.checked_rem(l).unwrap_or_default()))
            }
            _ => (self.0.checked_div(lot).unwrap_or_default(), self.0.checked_rem(lot).unwrap_or_default()),
        };
        let n = i64::try_from(n).map_err(|_| Overflow("quantity ÷ lot"))?;
        Ok((Lots(n), Quantity(rest)))
    }

    /// True for zero.
    #[inline]
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// −1, 0 or 1.
    #[inline]
    #[must_use]
    pub const fn signum(self) -> i128 {
        self.0.signum()
    }
}

impl Lots {
    /// Lots × lot size.
    ///
    /// # Errors
    /// `Overflow` if it does not fit.
    #[inline]
    pub fn quantity(self, lot: Quantity) -> Result<Quantity, Overflow> {
        i128::from(self.0).checked_mul(lot.0.max(1)).map(Quantity).ok_or(Overflow("lots × lot"))
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format_nano(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lots_and_remainder_make_the_quantity(q in -(10_i128.pow(24))..10_i128.pow(24), lot in 1_i128..10_i128.pow(12)) {
            let (q, lot) = (Quantity::from_nano(q), Quantity::from_nano(lot));
            if let Ok((lots, rest)) = q.lots(lot) {
                prop_assert_eq!(lots.quantity(lot).unwrap().checked_add(rest), Ok(q));
                prop_assert!(rest.abs() < lot);
            } else {
                prop_assert!(q.nano() / lot.nano() > i128::from(i64::MAX) || q.nano() / lot.nano() < i128::from(i64::MIN));
            }
        }

        #[test]
        fn sums_that_do_not_fit_are_errors(a in any::<i128>(), b in any::<i128>()) {
            let sum = Quantity::from_nano(a).checked_add(Quantity::from_nano(b));
            prop_assert_eq!(sum.ok().map(Quantity::nano), a.checked_add(b));
        }
    }
}
