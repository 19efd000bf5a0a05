//! Wins against losses, and the bet that they would justify.
//!
//! The same formulas serve returns of bars and results of trades. A return of 0 is neither a win nor a loss.

use super::moments::Moments;
use super::{RiskFree, excess, finite, sum_of};

/// Share of the returns other than 0 that are above 0. Bars without a return (no position) do not count.
///
/// `None` if there is no such return or one is not finite. Equal to quantstats' `win_rate`.
#[must_use]
pub fn hit_rate(returns: &[f64]) -> Option<f64> {
    let (wins, losses) = sides(returns)?;
    if wins.n + losses.n == 0 {
        return None;
    }
    Some(wins.n as f64 / (wins.n + losses.n) as f64)
}

/// Mean win over mean loss, above 0.
///
/// `None` without a win, without a loss, or with a return that is not finite. Equal to quantstats' `payoff_ratio`.
#[must_use]
pub fn payoff(returns: &[f64]) -> Option<f64> {
    let (wins, losses) = sides(returns)?;
    if wins.n == 0 || losses.n == 0 {
        return None;
    }
    finite((wins.sum / wins.n as f64) / (losses.sum / losses.n as f64))
}

/// Sum of wins over sum of losses, 0 or more; 0 if all are losses.
///
/// `None` without a loss (quantstats' `profit_factor` says infinity there) or with a return that is not finite.
#[must_use]
pub fn profit_factor(returns: &[f64]) -> Option<f64> {
    let (wins, losses) = sides(returns)?;
    finite(wins.sum / losses.sum)
}

/// Kelly's fraction of a bet with two outcomes, `w − (1 − w) / b`, with `w` the [`hit_rate`] and `b` the [`payoff`]: the
/// share of capital to risk, at most 1; 0 or below says do not bet.
///
/// `None` as those two. Source: Kelly, Bell System Technical Journal 35 (1956) 917; equal to quantstats'
/// `kelly_criterion`. It takes every loss as total: for sizing see [`kelly_leverage`].
#[must_use]
pub fn kelly_bet(returns: &[f64]) -> Option<f64> {
    let w = hit_rate(returns)?;
    finite(w - (1.0 - w) / payoff(returns)?)
}

/// Kelly's leverage for returns that are nearly normal, `mean / variance` of the excess returns, the variance with the
/// divisor `n − 1`: the exposure, in multiples of capital, that maximises expected log growth. It has no cap and a
/// standard error of about `1 / (s √n)`.
///
/// `None` for fewer than two returns, zero variance, or a rate that does not fit. Source: Thorp, Handbook of Asset and
/// Liability Management 1 (2006) 385, eq. 7.3.
#[must_use]
pub fn kelly_leverage(returns: &[f64], risk_free: RiskFree<'_>) -> Option<f64> {
    let m = Moments::of(&excess(returns, risk_free)?)?;
    finite(m.mean / m.variance)
}

struct Side {
    n: usize,
    /// Of magnitudes.
    sum: f64,
}

/// Wins and losses. `None` if a return is not finite.
fn sides(returns: &[f64]) -> Option<(Side, Side)> {
    if returns.iter().any(|r| !r.is_finite()) {
        return None;
    }
    let side = |sign: f64| {
        let of_side = || returns.iter().map(move |r| sign * r).filter(|r| *r > 0.0);
        Side { n: of_side().count(), sum: sum_of(of_side()) }
    };
    Some((side(1.0), side(-1.0)))
}
