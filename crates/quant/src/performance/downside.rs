//! Ratios that count only what falls below a rate.

use super::{RiskFree, excess, finite, sum_of};
use tradegraph_columns::sum8;

/// Downside deviation `√(Σ min(xᵢ, 0)² / n) · √periods_per_year` over all `n` excess returns, not only the losses.
/// 0 without a loss.
///
/// `None` without returns or with one that is not finite. Source: Sortino and Price, Journal of Investing 3 (1994) 59;
/// equal to empyrical's `downside_risk`.
#[must_use]
pub fn downside_deviation(returns: &[f64], risk_free: RiskFree<'_>, periods_per_year: f64) -> Option<f64> {
    let excess = excess(returns, risk_free)?;
    if excess.is_empty() {
        return None;
    }
    let squares = sum_of(excess.iter().map(|x| x.min(0.0) * x.min(0.0)));
    finite((squares / excess.len() as f64).sqrt() * periods_per_year.sqrt())
}

/// Sortino ratio `mean / d · √periods_per_year` of the excess returns, `d` the [`downside_deviation`] of one bar.
///
/// `None` without returns or without a loss. Source: Sortino and Price, Journal of Investing 3 (1994) 59; equal to
/// empyrical's `sortino_ratio` and quantstats' `sortino`.
#[must_use]
pub fn sortino(returns: &[f64], risk_free: RiskFree<'_>, periods_per_year: f64) -> Option<f64> {
    let downside = downside_deviation(returns, risk_free, 1.0)?;
    let excess = excess(returns, risk_free)?;
    if downside == 0.0 {
        return None;
    }
    finite(sum8(&excess) / excess.len() as f64 / downside * periods_per_year.sqrt())
}

/// Omega ratio: the sum of what exceeds the rate over the sum of what falls short of it; 0 or more, 1 where the mean
/// excess is 0.
///
/// `None` without a shortfall or with a return that is not finite. Source: Keating and Shadwick, Journal of Performance
/// Measurement 6 (2002) 59; equal to empyrical's and quantstats' `omega`, whose `required_return` is
/// [`RiskFree::PerYear`].
#[must_use]
pub fn omega(returns: &[f64], threshold: RiskFree<'_>) -> Option<f64> {
    let excess = excess(returns, threshold)?;
    let shortfall = -sum_of(excess.iter().map(|x| x.min(0.0)));
    if shortfall > 0.0 { finite(sum_of(excess.iter().map(|x| x.max(0.0))) / shortfall) } else { None }
}
