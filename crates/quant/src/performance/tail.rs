//! The tails of the returns, as history has them: no distribution is assumed.

use super::{finite, sum_of};

/// The quantile at `p` (0 to 1) of the values, linear between order statistics: position `(n − 1) p` counted from 0.
///
/// `None` without values, for `p` outside `[0, 1]` or a value that is not finite. Source: Hyndman and Fan, American
/// Statistician 50 (1996) 361, definition 7; equal to numpy's `quantile`.
#[must_use]
pub fn quantile(x: &[f64], p: f64) -> Option<f64> {
    quantile_of_sorted(&sorted(x)?, p)
}

/// Ascending. `None` if a value is not finite.
pub(super) fn sorted(x: &[f64]) -> Option<Vec<f64>> {
    let mut sorted: Vec<f64> = x.iter().map(|v| finite(*v)).collect::<Option<_>>()?;
    sorted.sort_unstable_by(f64::total_cmp);
    Some(sorted)
}

pub(super) fn quantile_of_sorted(sorted: &[f64], p: f64) -> Option<f64> {
    if sorted.is_empty() || !(0.0..=1.0).contains(&p) {
        return None;
    }
    let position = (sorted.len() - 1) as f64 * p;
    let below = position.floor() as usize;
    let (low, high) = (sorted[below], sorted[(below + 1).min(sorted.len() - 1)]);
    Some(low + (high - low) * (position - below as f64))
}

/// Historical value at risk: the loss of one bar that is exceeded with probability `tail` (0.05 for 95 %), a fraction,
/// positive for a loss: minus the [`quantile`] at `tail`.
///
/// `None` as [`quantile`]. Source: McNeil, Frey and Embrechts, Quantitative Risk Management (2015), section 2.3;
/// empyrical's `value_at_risk` has the other sign; quantstats' is that of a normal distribution.
#[must_use]
pub fn value_at_risk(returns: &[f64], tail: f64) -> Option<f64> {
    quantile(returns, tail).map(|q| -q)
}

/// Historical expected shortfall: the mean loss of the worst `⌊(n − 1) tail⌋ + 1` bars, a fraction, positive for a loss;
/// never below the [`value_at_risk`].
///
/// `None` as [`quantile`]. Source: Acerbi and Tasche, Journal of Banking and Finance 26 (2002) 1487, without their share
/// of the bar at the border; empyrical's `conditional_value_at_risk` and the historical one of quantstats have the other
/// sign.
#[must_use]
pub fn expected_shortfall(returns: &[f64], tail: f64) -> Option<f64> {
    let sorted = sorted(returns)?;
    if sorted.is_empty() || !(0.0..=1.0).contains(&tail) {
        return None;
    }
    let n = ((sorted.len() - 1) as f64 * tail).floor() as usize + 1;
    finite(-sum_of(sorted.iter().take(n).copied()) / n as f64)
}

/// Tail ratio `|q₉₅| / |q₅|` of the [`quantile`]s at 95 % and 5 %: above 1 if the best bars outweigh the worst.
///
/// `None` as [`quantile`] or if the lower one is 0. Equal to empyrical's and quantstats' `tail_ratio`.
#[must_use]
pub fn tail_ratio(returns: &[f64]) -> Option<f64> {
    let sorted = sorted(returns)?;
    finite(quantile_of_sorted(&sorted, 0.95)?.abs() / quantile_of_sorted(&sorted, 0.05)?.abs())
}
