//! From a share of NAV to whole lots, and back.

use crate::decisions::Decision;
use tradegraph_domain::{InstrumentId, Lots, NANO, Overflow, Quantity, Step, WaterfallUnit, mul_div_half_even};
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
    let value = mul_div_half_even(d.waterfall.last.into(), nav, NANO.into()).ok_or(size)?;
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
fn share(value: i128, nav: i128) -> Option<i64> {
    if nav <= 0 {
        return None;
    }
    i64::try_from(value.checked_mul(NANO.into())? / nav).ok()
}
