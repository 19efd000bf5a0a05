//! `Price`: currency per unit, signed (a barrel of WTI traded at −36.98 on 2020-04-20).
//!
//! | operation | result |
//! |---|---|
//! | `Price × Quantity` (`notional`) | `Result<Money, Overflow>`, one division, half-even |
//! | `Price − Price` (`checked_sub`) | `Result<Price, Overflow>` |
//! | `Price × Bps` (`shifted`) | `Result<Price, Overflow>`, half-even |
//! | `to_f64`, `from_f64_half_even` | the only ways to and from a float |

use crate::decimal::{NANO, Overflow, ParseNumber, Rounding, div_nano_half_even, format_nano, parse_nano};
use crate::money::{Bps, Currency, Money};
use crate::quantity::Quantity;

/// Currency per unit in 1e-9, from about −9.2e9 to 9.2e9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Price(i64);

impl Price {
    /// Zero.
    pub const ZERO: Price = Price(0);

    /// A price from its integer at 1e-9.
    #[inline]
    #[must_use]
    pub const fn from_nano(nano: i64) -> Self {
        Price(nano)
    }

    /// The integer at 1e-9.
    #[inline]
    #[must_use]
    pub const fn nano(self) -> i64 {
        self.0
    }

    /// Reads a decimal number; digits beyond the ninth decimal are rounded half-even.
    ///
    /// # Errors
    /// `ParseNumber` if the text is no number or does not fit.
    pub fn parse(text: &str) -> Result<Self, ParseNumber> {
        let nano = parse_nano(text, Rounding::HalfEven)?;
        i64::try_from(nano).map(Price).map_err(|_| ParseNumber::OutOfRange)
    }

    /// The nearest float of the decimal value.
    #[inline]
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The nearest price, ties to even.
    ///
    /// # Errors
    /// `Overflow` for NaN, infinities and values out of range.
    pub fn from_f64_half_even(value: f64) -> Result<Self, Overflow> {
        let scaled = (value * 1e9).round_ties_even();
        // 2^63 as a float; the comparison is false for NaN.
        if scaled.abs() < 9_223_372_036_854_775_808.0 {
            Ok(Price(scaled as i64))
        } else {
            Err(Overflow("price from float"))
        }
    }

    /// Price × quantity as money.
    ///
    /// # Errors
    /// `Overflow` if the product does not fit 128 bits.
    #[inline]
    pub fn notional(self, quantity: Quantity, currency: Currency) -> Result<Money, Overflow> {
        Ok(Money::from_nano(self.notional_nano(quantity)?, currency))
    }

    /// Price × quantity as an integer at 1e-9.
    ///
    /// # Errors
    /// `Overflow` if the product does not fit 128 bits.
    #[inline]
    pub fn notional_nano(self, quantity: Quantity) -> Result<i128, Overflow> {
        let product = match i64::try_from(quantity.nano()) {
            // Two 64-bit factors always fit, in one multiplication.
            Ok(q) => i128::from(self.0).wrapping_mul(i128::from(q)),
            Err(_) => i128::from(self.0).checked_mul(quantity.nano()).ok_or(Overflow("price × quantity"))?,
        };
        Ok(div_nano_half_even(product))
    }

    /// The price moved by a number of basis points of itself, half-even.
    ///
    /// # Errors
    /// `Overflow` if it does not fit.
    pub fn shifted(self, by: Bps) -> Result<Price, Overflow> {
        let factor = i128::from(by.nano_fraction()).wrapping_add(i128::from(NANO));
        let nano = div_nano_half_even(i128::from(self.0).wrapping_mul(factor));
        i64::try_from(nano).map(Price).map_err(|_| Overflow("price × basis points"))
    }

    /// The difference.
    ///
    /// # Errors
    /// `Overflow` if it does not fit.
    pub fn checked_sub(self, other: Price) -> Result<Price, Overflow> {
        self.0.checked_sub(other.0).map(Price).ok_or(Overflow("price − price"))
    }

    /// True for prices above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl std::fmt::Display for Price {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format_nano(i128::from(self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ten_thousand_billion_tokens_at_a_hundredth_of_a_millionth() {
        let quantity = Quantity::from_units(10_000_000_000_000).unwrap();
        let price = Price::parse("1e-8").unwrap();
        assert_eq!(
            price.notional(quantity, Currency::USD).unwrap(),
            Money::from_units(100_000, Currency::USD).unwrap()
        );
    }

    #[test]
    fn a_product_that_does_not_fit_is_an_error_value() {
        let huge = Quantity::from_nano(i128::MAX);
        assert_eq!(Price::from_nano(i64::MAX).notional_nano(huge), Err(Overflow("price × quantity")));
        assert_eq!(Price::from_f64_half_even(f64::NAN), Err(Overflow("price from float")));
        assert_eq!(Price::from_f64_half_even(1e10), Err(Overflow("price from float")));
        assert!(Price::from_nano(i64::MAX).shifted(Bps::from_units(1)).is_err());
    }

    #[test]
    fn half_spread_of_a_price() {
        let p = Price::parse("100").unwrap();
        assert_eq!(p.shifted(Bps::from_units(5)).unwrap(), Price::parse("100.05").unwrap());
        assert_eq!(p.shifted(Bps::from_units(-5)).unwrap(), Price::parse("99.95").unwrap());
    }

    proptest! {
        #[test]
        fn notional_is_exact_where_no_digit_is_lost(price in -1_000_000_i64..1_000_000, quantity in -1_000_000_i128..1_000_000) {
            let p = Price::from_nano(price * 10_000_000); // cents
            let q = Quantity::from_units(quantity as i64).unwrap();
            prop_assert_eq!(p.notional_nano(q), Ok(i128::from(price) * quantity * 10_000_000));
        }

        #[test]
        fn cents_survive_the_float(cents in -100_000_000_i64..100_000_000) {
            let p = Price::from_nano(cents * 10_000_000);
            prop_assert_eq!(Price::from_f64_half_even(p.to_f64()), Ok(p));
        }
    }
}
