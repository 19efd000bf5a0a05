//! From a share of NAV to whole lots, and back.

use crate::decisions::Decision;
use tradegraph_domain::{
    InstrumentId, Lots, NANO, Overflow, Quantity, Step, WaterfallUnit, div_nano_half_even, mul_div_half_even,
};
use tradegraph_ledger::{Ledger, NavMissing};
use tradegraph_market::Panel;

/// Why a target has no size in lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// No price, no instrument.
    #[error("instrument {} has no price", .0.0)]
    NoPrice(InstrumentId),
    /// No net asset value or no rate.
    #[error(transparent)]
    Nav(#[from] NavMissing),
    /// A number does not fit.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// A quantity as a share of NAV in 1e-9, toward zero.
///
/// # Errors
/// `SizeError` without a price or NAV.
pub fn nano_nav_of(
    i: InstrumentId,
    quantity: Quantity,
    nav: i128,
    panel: &Panel,
    books: &Ledger,
) -> Result<i64, SizeError> {
    if quantity.is_zero() {
        return Ok(0);
    }
    let (price, _) = panel.last(i).ok_or(SizeError::NoPrice(i))?;
    let value = books.to_base(i, price.notional_nano(quantity)?)?;
    share(value, nav).ok_or(SizeError::Overflow(Overflow("share of NAV")))
}

/// `nano_nav_of` of what is not zero, by way of 64 bits where all numbers fit them.
#[inline]
pub(crate) fn share_of_nav(i: InstrumentId, held: Quantity, nav: i128, panel: &Panel, books: &Ledger) -> Option<i64> {
    let narrow = || {
        let (price, _) = panel.last(i)?;
        let value = books.to_base(i, price.notional_nano(held).ok()?).ok()?;
        narrow_share(i64::try_from(value).ok()?, i64::try_from(nav).ok().filter(|nav| *nav > 0)?)
    };
    narrow().or_else(|| nano_nav_of(i, held, nav, panel, books).ok())
}

/// The quantity stage: turns a decision's target into lots toward zero, records the rounding as a step, and fills the
/// line target − position − open = order. Decisions that are in lots already are left alone.
///
/// # Errors
/// `SizeError` without a price or NAV.
pub fn size_in_lots(d: &mut Decision, nav: i128, panel: &Panel, books: &Ledger) -> Result<(), SizeError> {
    if d.waterfall.unit == WaterfallUnit::Lots {
        return Ok(());
    }
    let i = d.instrument;
    let lot = panel.universe().get(i).ok_or(SizeError::NoPrice(i))?.lot;
    let size = Overflow("size in lots");
    if nav <= 0 {
        return Err(size.into());
    }
    let last = i128::from(d.waterfall.last);
    let narrow = last.checked_mul(nav).map(div_nano_half_even);
    let value = narrow.or_else(|| mul_div_half_even(last, nav, NANO.into())).ok_or(size)?;
    let target = lots_worth(i, value, panel, books)?;
    let rounded = nano_nav_of(i, Lots(target).quantity(lot)?, nav, panel, books)?;
    d.waterfall.step_to(Step::Lot, rounded);
    let lots = |q: Quantity| q.lots(lot).map(|(lots, _)| lots.0);
    let line = &mut d.waterfall.lots;
    line.target = target;
    line.position = lots(books.position(i))?;
    line.open = lots(books.holds().buying(i))? - lots(books.holds().selling(i))?;
    line.order = target.checked_sub(line.position).and_then(|x| x.checked_sub(line.open)).ok_or(size)?;
    Ok(())
}

/// Whole lots that a value in the base currency buys, toward zero. The price of one lot is never rounded: a lot of
/// 1e-8 of a coin is worth too few units of 1e-9 for that.
pub(crate) fn lots_worth(i: InstrumentId, value: i128, panel: &Panel, books: &Ledger) -> Result<i64, SizeError> {
    let missing = SizeError::NoPrice(i);
    let lot = panel.universe().get(i).ok_or(missing)?.lot;
    let (price, _) = panel.last(i).ok_or(missing)?;
    let one = books.to_base(i, price.nano().into())?;
    if one <= 0 {
        return Err(missing);
    }
    let size = Overflow("size in lots");
    let a_lot = one.checked_mul(lot.nano()).ok_or(size)?;
    let lots = value.checked_mul(NANO.into()).and_then(|v| v.checked_div(a_lot)).ok_or(size)?;
    Ok(i64::try_from(lots).map_err(|_| size)?)
}

/// value / NAV in 1e-9, toward zero.
#[inline]
fn share(value: i128, nav: i128) -> Option<i64> {
    if nav <= 0 {
        return None;
    }
    if let (Ok(value), Ok(nav)) = (i64::try_from(value), i64::try_from(nav))
        && let Some(share) = narrow_share(value, nav)
    {
        return Some(share);
    }
    i64::try_from(value.checked_mul(NANO.into())? / nav).ok()
}

/// `share` where a float is the quotient to within one; the exact remainder says by how much it is off.
#[inline]
fn narrow_share(value: i64, nav: i64) -> Option<i64> {
    let size = value.checked_abs()?;
    let near = size as f64 * 1e9 / nav as f64;
    if near >= 1_125_899_906_842_624.0 {
        return None; // 2⁵⁰
    }
    let near = near as i64;
    let rest = i128::from(size) * i128::from(NANO) - i128::from(near) * i128::from(nav);
    let whole = near - i64::from(rest < 0) + i64::from(rest >= i128::from(nav));
    Some(if value < 0 { -whole } else { whole })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shares_of_nav_are_exact(value in any::<i64>(), nav in 1_i64.., shifts in (0_u32..63, 0_u32..63), whole in 0_i64..4) {
            let (mut value, nav) = (value >> shifts.0, (nav >> shifts.1).max(1));
            if whole > 0 {
                value = nav.saturating_mul(whole); // the edge of a whole number
            }
            let exact = i128::from(value) * i128::from(NANO) / i128::from(nav);
            prop_assert_eq!(share(value.into(), nav.into()), i64::try_from(exact).ok());
        }
    }
}
