//! Falls of an equity curve from its peaks: depth, length and what they average to.

use super::{cagr, finite, sum_of};

/// A fall from a peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawdown {
    /// Fall as a fraction of the peak, 0 or more; above 1 if equity fell below zero.
    pub depth: f64,
    /// Row of the peak: the last row at that height before the fall.
    pub start: usize,
    /// First row of the lowest value.
    pub trough: usize,
    /// First row after the trough at or above the peak; `None` if it never came back.
    pub recovery: Option<usize>,
}

/// The longest time below a peak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Underwater {
    /// Row of the peak.
    pub start: usize,
    /// Row of the recovery, or the last row.
    pub end: usize,
    /// Days from the peak to the recovery, or to the last row.
    pub days: i32,
    /// Whether equity came back to the peak.
    pub recovered: bool,
}

/// Every fall from a peak, in order of time; they do not overlap and only the last may lack a recovery. Empty for a
/// curve that never falls.
///
/// `None` for no rows, a first row not above 0, or a row that is not finite.
#[must_use]
pub fn drawdowns(equity: &[f64]) -> Option<Vec<Drawdown>> {
    let first = *equity.first()?;
    if first <= 0.0 || equity.iter().any(|e| !e.is_finite()) {
        return None;
    }
    let mut falls = Vec::new();
    let mut open: Option<Drawdown> = None;
    let (mut peak, mut peak_row) = (first, 0);
    for (row, e) in equity.iter().enumerate() {
        if *e >= peak {
            falls.extend(open.take().map(|fall| Drawdown { recovery: Some(row), ..fall }));
            (peak, peak_row) = (*e, row);
            continue;
        }
        let depth = (peak - e) / peak;
        let fall = open.get_or_insert(Drawdown { depth, start: peak_row, trough: row, recovery: None });
        if depth > fall.depth {
            (fall.depth, fall.trough) = (depth, row);
        }
    }
    falls.extend(open);
    Some(falls)
}

/// Maximum drawdown `max over t of (peakₜ − eₜ) / peakₜ`; of equal depths the first. A curve that never falls has
/// depth 0 at row 0.
///
/// `None` as [`drawdowns`]. Source: Magdon-Ismail and Atiya, Risk 17 (2004) 99; empyrical and quantstats give the same
/// with a minus sign.
#[must_use]
pub fn max_drawdown(equity: &[f64]) -> Option<Drawdown> {
    let mut worst = Drawdown { depth: 0.0, start: 0, trough: 0, recovery: Some(0) };
    for fall in drawdowns(equity)? {
        if fall.depth > worst.depth {
            worst = fall;
        }
    }
    Some(worst)
}

/// The fall that lasts longest in days, from its peak to its recovery or, if there is none, to the last row; of equal
/// ones the first. `days` has the day number of each row (days since 1970-01-01, say), never decreasing.
///
/// `None` for a curve that never falls, as [`drawdowns`], or if `days` does not fit. quantstats' `drawdown_details`
/// counts from the first to the last day *below* the peak, both included: one recovery less, one peak less.
#[must_use]
pub fn longest_drawdown(equity: &[f64], days: &[i32]) -> Option<Underwater> {
    if days.len() != equity.len() || !days.is_sorted() {
        return None;
    }
    let mut longest: Option<Underwater> = None;
    for fall in drawdowns(equity)? {
        let end = fall.recovery.unwrap_or(equity.len() - 1);
        let length = days[end].checked_sub(days[fall.start])?;
        if longest.is_none_or(|l| length > l.days) {
            longest = Some(Underwater { start: fall.start, end, days: length, recovered: fall.recovery.is_some() });
        }
    }
    longest
}

/// Calmar ratio: [`cagr`] over the depth of the [`max_drawdown`], both of the whole curve (Young's own window is the
/// last 36 months).
///
/// `None` as those two or for a curve that never falls. Source: Young, Futures 20 (1991) 40; equal to empyrical's
/// `calmar_ratio` and quantstats' `calmar`.
#[must_use]
pub fn calmar(equity: &[f64], periods_per_year: f64) -> Option<f64> {
    finite(cagr(equity, periods_per_year)? / max_drawdown(equity)?.depth)
}

/// Ulcer index: the root of the mean squared drawdown over the rows after the first, a fraction, 0 or more.
///
/// `None` for fewer than two rows or as [`drawdowns`]. Source: Martin and McCann, The Investor's Guide to Fidelity
/// Funds (1989), in per cent there; quantstats divides by one row less.
#[must_use]
pub fn ulcer_index(equity: &[f64]) -> Option<f64> {
    drawdowns(equity)?;
    if equity.len() < 2 {
        return None;
    }
    let mut peak = equity[0];
    let squares = sum_of(equity.iter().map(|e| {
        peak = peak.max(*e);
        let fall = (peak - e) / peak;
        fall * fall
    }));
    finite((squares / (equity.len() - 1) as f64).sqrt())
}
