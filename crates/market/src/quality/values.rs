//! Checks of trades, and of numbers by period.

use super::trailing::Robust;
use super::{Check, Findings, MISSING};
use std::collections::BTreeSet;
use tradegraph_domain::{Price, Timestamp};

/// One series of trades in the order of its source; prices at 1e-9. `size` and `id` may be empty.
#[derive(Clone, Copy, Debug)]
pub struct TradeColumns<'a> {
    /// When each was known.
    pub ts: &'a [Timestamp],
    /// Prices, `MISSING` where there is none.
    pub price: &'a [i64],
    /// Sizes.
    pub size: &'a [f64],
    /// The venue's numbers of trades.
    pub id: &'a [i64],
}

/// Moves that an outlier is measured against.
const WINDOW: usize = 255;
const LEAST: usize = 60;
/// A trade this many robust deviations and this share of its price away from the one before it is an outlier.
const FAR: f64 = 25.0;
const SHARE: f64 = 0.005;

/// Impossible prices and sizes, outliers, numbers that come twice, rows out of order.
///
/// # Panics
/// If `price` has another length than `ts`.
#[must_use]
pub fn check_trades(trades: &TradeColumns<'_>) -> Findings {
    let n = trades.ts.len();
    assert!(trades.price.len() == n, "every column must have {n} rows");
    let mut found = Findings::new(n);
    let mut robust = Robust::new(WINDOW);
    let mut ids = BTreeSet::new();
    let mut last: Option<(Timestamp, i64)> = None;
    for (row, (ts, price)) in trades.ts.iter().zip(trades.price).enumerate() {
        if let Some(size) = trades.size.get(row).filter(|s| **s <= 0.0) {
            found.mark(Check::Bounds, row, || format!("a size of {size}"));
        }
        if let Some(id) = trades.id.get(row)
            && !ids.insert(*id)
        {
            found.mark(Check::Duplicate, row, || format!("trade {id} again"));
            continue;
        }
        if *price == MISSING {
            found.mark(Check::Missing, row, || format!("no price at {ts}"));
            continue;
        }
        if *price <= 0 {
            found.mark(Check::Impossible, row, || format!("a price of {}", Price::from_nano(*price)));
            continue;
        }
        if let Some((before, last_price)) = last {
            if *ts < before {
                found.mark(Check::Disorder, row, || format!("{ts} comes after {before}"));
                continue;
            }
            let change = (*price as f64 - last_price as f64) / last_price as f64;
            if robust.len() >= LEAST && change.abs() > SHARE && robust.z(change, SHARE / FAR) > FAR {
                let (from, to) = (Price::from_nano(last_price), Price::from_nano(*price));
                found.mark(Check::Outlier, row, || format!("{from} to {to} at {ts}"));
            }
            robust.push(change);
        }
        last = Some((*ts, *price));
    }
    found
}

/// Periods that a jump is measured against, and how many of them there must be.
const PERIODS: usize = 60;
const LEAST_PERIODS: usize = 24;
const FAR_VALUE: f64 = 15.0;

/// A series of numbers by period, NaN where there is none: periods out of order or twice, gaps of more than one and a
/// half of the usual distance, jumps.
///
/// # Panics
/// If `value` has another length than `at`.
#[must_use]
pub fn check_values(at: &[Timestamp], value: &[f64]) -> Findings {
    assert!(at.len() == value.len(), "every column must have {} rows", at.len());
    let mut found = Findings::new(at.len());
    let mut steps: Vec<i64> = at.windows(2).map(|w| w[1].0.saturating_sub(w[0].0)).filter(|s| *s > 0).collect();
    steps.sort_unstable();
    let usual = steps.get(steps.len() / 2).copied().unwrap_or_default();
    let mut robust = Robust::new(PERIODS);
    let mut last: Option<(Timestamp, f64)> = None;
    for (row, (ts, value)) in at.iter().zip(value).enumerate() {
        if !value.is_finite() {
            continue;
        }
        if let Some((before, last_value)) = last {
            if *ts == before {
                found.mark(Check::Duplicate, row, || format!("{ts} again"));
                continue;
            }
            if *ts < before {
                found.mark(Check::Disorder, row, || format!("{ts} comes after {before}"));
                continue;
            }
            if ts.0.saturating_sub(before.0) > usual.saturating_mul(3) / 2 && usual > 0 {
                found.note(Check::Gap, Some(row), || format!("nothing between {before} and {ts}"));
            }
            let change = value - last_value;
            let floor = 1e-3 * last_value.abs().max(1e-12);
            if robust.len() >= LEAST_PERIODS && robust.z(change, floor) > FAR_VALUE {
                found.mark(Check::Outlier, row, || format!("{last_value} to {value} at {ts}"));
            }
            robust.push(change);
        }
        last = Some((*ts, *value));
    }
    found
}
