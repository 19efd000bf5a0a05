//! `Money`: an amount with its currency; `Bps`: basis points.
//!
//! | operation | result |
//! |---|---|
//! | `Money ± Money` (`checked_add`, `checked_sub`) | `Result<Money, MoneyError>`: another currency is an error value |
//! | `Money × Bps` (`share`) | `Result<Money, Overflow>`, half-even |

use crate::decimal::{NANO, Overflow, ParseNumber, Rounding, div_nano_half_even, format_nano, parse_nano};

/// A currency code of up to eight capital letters or digits (`USD`, `USDT`). Orders as the code does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 8]);

impl Currency {
    /// US dollar.
    pub const USD: Currency = Currency(*b"USD\0\0\0\0\0");
    /// Euro.
    pub const EUR: Currency = Currency(*b"EUR\0\0\0\0\0");

    /// Reads a code of 1 to 8 capital letters or digits (one venue trades a coin of the name U).
    #[must_use]
    pub fn parse(code: &str) -> Option<Currency> {
        let bytes = code.as_bytes();
        let good = (1..=8).contains(&bytes.len()) && bytes.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !good {
            return None;
        }
        let mut out = [0_u8; 8];
        for (o, b) in out.iter_mut().zip(bytes) {
            *o = *b;
        }
        Some(Currency(out))
    }

    /// The code's bytes, padded with zeros.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(8);
        self.0.get(..end).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or("?")
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.code())
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// Why two amounts do not combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two currencies; convert one through the exchange accounts first.
    #[error("{left} and {right} do not add")]
    Currencies {
        /// Left operand.
        left: Currency,
        /// Right operand.
        right: Currency,
    },
    /// The sum does not fit.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// An amount at 1e-9 in 128 bits, with its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    amount: i128,
    currency: Currency,
}

impl Money {
    /// Nothing, in a currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Money { amount: 0, currency }
    }

    /// An amount from its integer at 1e-9.
    #[inline]
    #[must_use]
    pub const fn from_nano(amount: i128, currency: Currency) -> Self {
        Money { amount, currency }
    }

    /// Whole units.
    ///
    /// # Errors
    /// Never for a 64-bit number of units; the `Result` keeps the named conversions alike.
    pub fn from_units(units: i64, currency: Currency) -> Result<Self, Overflow> {
        let amount = i128::from(units).checked_mul(i128::from(NANO)).ok_or(Overflow("money from units"))?;
        Ok(Money { amount, currency })
    }

    /// Reads a decimal number; digits beyond the ninth decimal are an error.
    ///
    /// # Errors
    /// `ParseNumber` if the text is no number, is too fine or does not fit.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, ParseNumber> {
        Ok(Money { amount: parse_nano(text, Rounding::Exact)?, currency })
    }

    /// The integer at 1e-9.
    #[inline]
    #[must_use]
    pub const fn nano(self) -> i128 {
        self.amount
    }

    /// The currency.
    #[inline]
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The nearest float.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.amount as f64 / 1e9
    }

    /// The sum.
    ///
    /// # Errors
    /// `MoneyError` for two currencies or a sum that does not fit.
    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        self.same(other)?;
        let amount = self.amount.checked_add(other.amount).ok_or(Overflow("money + money"))?;
        Ok(Money { amount, currency: self.currency })
    }

    /// The difference.
    ///
    /// # Errors
    /// `MoneyError` for two currencies or a difference that does not fit.
    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.same(other)?;
        let amount = self.amount.checked_sub(other.amount).ok_or(Overflow("money − money"))?;
        Ok(Money { amount, currency: self.currency })
    }

    /// That many basis points of the amount, half-even.
    ///
    /// # Errors
    /// `Overflow` if the product does not fit.
    pub fn share(self, of: Bps) -> Result<Money, Overflow> {
        Ok(Money { amount: of.of_nano(self.amount)?, currency: self.currency })
    }

    fn same(self, other: Money) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::Currencies { left: self.currency, right: other.currency })
        }
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", format_nano(self.amount), self.currency)
    }
}

/// Basis points (1 bp = 0.01 %), kept as a fraction at 1e-9, so 1 bp is 100,000 and the finest step is 0.00001 bp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Bps(i64);

impl Bps {
    /// None.
    pub const ZERO: Bps = Bps(0);

    /// Whole basis points.
    #[must_use]
    pub const fn from_units(bps: i32) -> Self {
        Bps((bps as i64).saturating_mul(100_000))
    }

    /// From a fraction at 1e-9 (1 % is 10,000,000).
    #[must_use]
    pub const fn from_nano_fraction(nano: i64) -> Self {
        Bps(nano)
    }

    /// Reads a number of basis points, to 0.00001 bp.
    ///
    /// # Errors
    /// `ParseNumber` if the text is no number, is finer than 0.00001 bp or does not fit.
    pub fn parse(text: &str) -> Result<Self, ParseNumber> {
        let nano = parse_nano(text, Rounding::Exact)?;
        if nano.checked_rem(10_000) != Some(0) {
            return Err(ParseNumber::TooFine);
        }
        nano.checked_div(10_000).and_then(|n| i64::try_from(n).ok()).map(Bps).ok_or(ParseNumber::OutOfRange)
    }

    /// As a fraction at 1e-9.
    #[inline]
    #[must_use]
    pub const fn nano_fraction(self) -> i64 {
        self.0
    }

    /// As a number of basis points.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e5
    }

    /// That many basis points of an integer at 1e-9, half-even.
    ///
    /// # Errors
    /// `Overflow` if the product does not fit.
    #[inline]
    pub fn of_nano(self, amount: i128) -> Result<i128, Overflow> {
        let product = match i64::try_from(amount) {
            Ok(a) => i128::from(a).wrapping_mul(i128::from(self.0)),
            Err(_) => amount.checked_mul(i128::from(self.0)).ok_or(Overflow("money × basis points"))?,
        };
        Ok(div_nano_half_even(product))
    }
}

impl std::fmt::Display for Bps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bp", format_nano(i128::from(self.0).saturating_mul(10_000)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn two_currencies_do_not_add() {
        let a = Money::from_units(1, Currency::USD).unwrap();
        let b = Money::from_units(1, Currency::EUR).unwrap();
        assert_eq!(a.checked_add(b), Err(MoneyError::Currencies { left: Currency::USD, right: Currency::EUR }));
        assert_eq!(Currency::parse("usd"), None);
        assert_eq!(Currency::parse("TOOLONGXX"), None);
        assert_eq!(Currency::parse("USDT").unwrap().code(), "USDT");
    }

    #[test]
    fn one_basis_point_of_ten_thousand_is_one() {
        let m = Money::from_units(10_000, Currency::USD).unwrap();
        assert_eq!(m.share(Bps::from_units(1)).unwrap(), Money::from_units(1, Currency::USD).unwrap());
        assert_eq!(Bps::parse("0.5").unwrap().nano_fraction(), 50_000);
        assert_eq!(Bps::parse("0.000001"), Err(ParseNumber::TooFine));
        assert_eq!(Bps::from_units(10).to_string(), "10 bp");
    }

    proptest! {
        #[test]
        fn sums_keep_every_unit(a in any::<i64>(), b in any::<i64>()) {
            let of = |n: i64| Money::from_nano(i128::from(n), Currency::USD);
            let sum = of(a).checked_add(of(b)).unwrap();
            prop_assert_eq!(sum.checked_sub(of(b)).unwrap(), of(a));
        }
    }
}
