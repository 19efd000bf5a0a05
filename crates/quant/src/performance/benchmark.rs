//! A strategy beside a benchmark: one return a bar of each, of the same bars.

use super::{RiskFree, Sharpe, cagr, excess, finite, sharpe, sum_of, volatility};
use tradegraph_columns::sum8;

/// Least-squares line of the strategy's excess returns on the benchmark's, with standard errors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regression {
    /// Slope.
    pub beta: f64,
    /// Standard error of `beta`.
    pub beta_error: f64,
    /// Intercept, a return of one bar (Jensen's alpha).
    pub alpha_per_period: f64,
    /// Standard error of `alpha_per_period`.
    pub alpha_error_per_period: f64,
    /// `alpha_per_period · periods_per_year`, not compounded.
    pub alpha_annual: f64,
    /// Share of the strategy's variance that the line explains, 0 to 1; `None` if the strategy has no variance.
    pub r_squared: Option<f64>,
}

/// What a strategy earned while the benchmark rose or fell, as a multiple of what the benchmark did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capture {
    /// Over the bars on which the benchmark rose.
    pub up: Option<f64>,
    /// Over the bars on which it fell.
    pub down: Option<f64>,
}

/// Beta and Jensen's alpha by ordinary least squares; the errors assume residuals of equal variance without serial
/// correlation (divisor `n − 2`).
///
/// `None` for fewer than three bars, series of different lengths, a benchmark without variance, or a number that is not
/// finite. Source: Jensen, Journal of Finance 23 (1968) 389. Beta equals empyrical's and quantstats'; `alpha_annual`
/// equals quantstats', empyrical's is `(1 + alpha_per_period)^periods_per_year − 1`.
#[must_use]
pub fn regression(
    returns: &[f64],
    benchmark: &[f64],
    risk_free: RiskFree<'_>,
    periods_per_year: f64,
) -> Option<Regression> {
    let (y, x) = (excess(returns, risk_free)?, excess(benchmark, risk_free)?);
    let line = Line::through(&x, &y)?;
    let degrees = y.len().checked_sub(2).filter(|d| *d > 0)? as f64;
    let residual_variance = line.residual_squares / degrees;
    let n = y.len() as f64;
    Some(Regression {
        beta: line.slope,
        beta_error: finite((residual_variance / line.x_squares).sqrt())?,
        alpha_per_period: line.intercept,
        alpha_error_per_period: finite(
            (residual_variance * (1.0 / n + line.x_mean * line.x_mean / line.x_squares)).sqrt(),
        )?,
        alpha_annual: finite(line.intercept * periods_per_year)?,
        r_squared: finite(1.0 - line.residual_squares / line.y_squares).map(|r| r.clamp(0.0, 1.0)),
    })
}

/// Tracking error: the [`volatility`] of the return less the benchmark's, annualised by `√periods_per_year`, divisor
/// `n − 1`.
///
/// `None` for fewer than two bars, series of different lengths, or a number that is not finite. Source: Grinold and Kahn,
/// Active Portfolio Management (2000), chapter 3.
#[must_use]
pub fn tracking_error(returns: &[f64], benchmark: &[f64], periods_per_year: f64) -> Option<f64> {
    volatility(&excess(returns, RiskFree::Series(benchmark))?, periods_per_year)
}

/// Information ratio: the [`sharpe`] of the return less the benchmark's, with its standard error. `per_period` equals
/// empyrical's `excess_sharpe` and quantstats' `information_ratio`.
///
/// `None` as [`sharpe`]. Source: Goodwin, Financial Analysts Journal 54 (1998) 34.
#[must_use]
pub fn information_ratio(returns: &[f64], benchmark: &[f64], periods_per_year: f64) -> Option<Sharpe> {
    sharpe(returns, RiskFree::Series(benchmark), periods_per_year)
}

/// Up and down capture: the compound annual return of the strategy over that of the benchmark, each over the bars on
/// which the benchmark's return was above (below) 0. A side without bars, or over which the benchmark's growth is
/// undefined or 0, is `None`.
///
/// `None` for series of different lengths or a number that is not finite. Equal to empyrical's `up_capture` and
/// `down_capture`.
#[must_use]
pub fn capture(returns: &[f64], benchmark: &[f64], periods_per_year: f64) -> Option<Capture> {
    if returns.len() != benchmark.len() || returns.iter().chain(benchmark).any(|r| !r.is_finite()) {
        return None;
    }
    let side = |sign: f64| {
        let bars = || returns.iter().zip(benchmark).filter(|(_, b)| sign * **b > 0.0);
        let growth = |factors: Vec<f64>| cagr(&factors, periods_per_year);
        let own = growth(compounded(bars().map(|(r, _)| *r)))?;
        finite(own / growth(compounded(bars().map(|(_, b)| *b)))?)
    };
    Some(Capture { up: side(1.0), down: side(-1.0) })
}

/// Growth of 1, starting with it.
fn compounded(returns: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut equity = vec![1.0];
    let mut last = 1.0;
    equity.extend(returns.map(|r| {
        last *= 1.0 + r;
        last
    }));
    equity
}

/// The least-squares line `intercept + slope · x` and the sums of squares that belong to it.
pub(super) struct Line {
    pub(super) slope: f64,
    pub(super) intercept: f64,
    x_mean: f64,
    x_squares: f64,
    y_squares: f64,
    residual_squares: f64,
}

impl Line {
    /// `None` for no points, different lengths, or `x` without variance.
    pub(super) fn through(x: &[f64], y: &[f64]) -> Option<Line> {
        if x.len() != y.len() || super::moments::Moments::of(x)?.variance == 0.0 {
            return None;
        }
        let n = x.len() as f64;
        let (x_mean, y_mean) = (sum8(x) / n, sum8(y) / n);
        let square = |v: f64| v * v;
        let x_squares = sum_of(x.iter().map(|v| square(v - x_mean)));
        let slope = finite(sum_of(x.iter().zip(y).map(|(a, b)| (a - x_mean) * (b - y_mean))) / x_squares)?;
        let residuals = x.iter().zip(y).map(|(a, b)| square((b - y_mean) - slope * (a - x_mean)));
        Some(Line {
            slope,
            intercept: finite(y_mean - slope * x_mean)?,
            x_mean,
            x_squares,
            y_squares: sum_of(y.iter().map(|v| square(v - y_mean))),
            residual_squares: sum_of(residuals),
        })
    }
}
