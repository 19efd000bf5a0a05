//! `Commission`: what a broker takes for one fill.

use crate::decimal::{Overflow, div_nano_half_even};
use crate::money::Bps;
use crate::quantity::Quantity;
use crate::schedule::Schedule;

/// Basis points of notional plus an amount per unit, with a minimum per fill; or a broker's own schedule in their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Commission {
    /// Share of the notional.
    pub rate: Bps,
    /// 1e-9 of the currency per unit.
    pub per_unit_nano: i64,
    /// 1e-9 of the currency, at least, per fill.
    pub minimum_nano: i64,
    /// A published schedule. With one, the other fields count for nothing.
    pub schedule: Option<&'static Schedule>,
}

impl Commission {
    /// The commission of a published schedule.
    #[must_use]
    pub fn of(schedule: &'static Schedule) -> Self {
        Commission { schedule: Some(schedule), ..Commission::default() }
    }

    /// The fee of one fill at 1e-9 of the instrument's currency; `notional_nano` may have either sign. With a schedule,
    /// the most that one fill may cost: what is reserved before the side, the day and the month's volume are known.
    ///
    /// # Errors
    /// `Overflow` if it does not fit.
    #[inline]
    pub fn fee_nano(&self, notional_nano: i128, quantity: Quantity) -> Result<i128, Overflow> {
        let notional = notional_nano.checked_abs().ok_or(Overflow("fee"))?;
        if let Some(schedule) = self.schedule {
            return schedule.most_nano(notional, quantity);
        }
        let mut fee = self.rate.of_nano(notional)?;
        if self.per_unit_nano != 0 {
            let units =
                i128::from(self.per_unit_nano).checked_mul(quantity.abs().nano()).ok_or(Overflow("fee per unit"))?;
            fee = fee.checked_add(div_nano_half_even(units)).ok_or(Overflow("fee"))?;
        }
        Ok(fee.max(i128::from(self.minimum_nano)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_fees() {
        let shares = |n| Quantity::from_units(n).unwrap();
        let ten_thousand = 10_000 * 1_000_000_000_i128;
        let bps = Commission { rate: Bps::from_units(1), ..Commission::default() };
        assert_eq!(bps.fee_nano(-ten_thousand, shares(100)), Ok(1_000_000_000));
        let per_share = Commission { per_unit_nano: 5_000_000, minimum_nano: 1_000_000_000, ..Commission::default() };
        assert_eq!(per_share.fee_nano(ten_thousand, shares(100)), Ok(1_000_000_000)); // 0.50, raised to the minimum 1.00
        assert_eq!(per_share.fee_nano(ten_thousand, shares(1_000)), Ok(5_000_000_000));
    }
}
