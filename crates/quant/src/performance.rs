//! Performance of an equity curve or of its returns, with the uncertainty of what is claimed.
//!
//! Rows are bars, oldest first. Returns are simple and per bar (0.01 is one per cent). `periods_per_year` is the
//! number of bars in a year and always the caller's to name (252, 365, 12 …). Whatever is undefined (too few
//! observations, zero variance, a value that is not finite, an equity that starts at 0 or below) is `None` or an error,
//! never NaN. Standard deviations have the divisor `n − 1`; sums run in the fixed order of `sum8`. Random numbers come
//! from [`Random`] and the seed that the caller names.
//!
//! `docs/statistics.md` lists every statistic with its convention, its source and its distance from other libraries.

mod benchmark;
mod calendar;
mod combinations;
mod downside;
mod drawdown;
mod interval;
mod moments;
pub mod normal;
mod overfitting;
mod purged;
mod random;
mod resample;
mod serial;
mod sharpe;
mod snooping;
mod tail;
mod wins;

pub use benchmark::{Capture, Regression, capture, information_ratio, regression, tracking_error};
pub use calendar::{YearReturns, calendar_returns};
pub use downside::{downside_deviation, omega, sortino};
pub use drawdown::{Drawdown, Underwater, calmar, drawdowns, longest_drawdown, max_drawdown, ulcer_index};
pub use interval::{Interval, IntervalMethod, interval};
pub use moments::{excess_kurtosis, sample_variance, skewness};
pub use overfitting::{MOST_BLOCKS, Overfitting, OverfittingError, backtest_overfitting};
pub use purged::{MOST_FOLDS, PurgedError, PurgedSplits, Split};
pub use random::Random;
pub use resample::{BlockLengths, Bootstrap, BootstrapError, Scheme, optimal_block_length};
pub use serial::{SerialSharpe, autocorrelations, serial_sharpe};
pub use sharpe::{DeflatedSharpe, Sharpe, expected_maximum_sharpe, probabilistic_sharpe, rolling_sharpe, sharpe};
pub use snooping::{SuperiorAbility, Superiority, reality_check, superior_ability};
pub use tail::{expected_shortfall, quantile, tail_ratio, value_at_risk};
pub use wins::{hit_rate, kelly_bet, kelly_leverage, payoff, profit_factor};

use moments::Moments;
use tradegraph_columns::sum8;

/// What a return is measured against. It has a name because two ratios compare only if theirs is the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RiskFree<'a> {
    /// Nothing is subtracted.
    Zero,
    /// A constant rate a bar.
    PerPeriod(f64),
    /// A constant yearly rate `r`, compounded: `(1 + r)^(1 / periods_per_year) − 1` a bar.
    PerYear {
        /// Rate of a year, above −1.
        rate: f64,
        /// Bars in a year, above 0.
        periods_per_year: f64,
    },
    /// A rate for each bar; as many as there are returns.
    Series(&'a [f64]),
}

/// Simple returns `eₜ / eₜ₋₁ − 1` of an equity curve: one fewer than rows. `None` for fewer than two rows, or if
/// a row that is divided by is not above 0 or any is not finite.
#[must_use]
pub fn returns(equity: &[f64]) -> Option<Vec<f64>> {
    if equity.len() < 2 {
        return None;
    }
    let step = |w: &[f64]| if w[0] > 0.0 { finite(w[1] / w[0] - 1.0) } else { None };
    equity.windows(2).map(step).collect()
}

/// Returns less the risk-free rate of their bar. `None` if a series of rates has another length or any number is
/// not finite.
#[must_use]
pub fn excess(returns: &[f64], risk_free: RiskFree<'_>) -> Option<Vec<f64>> {
    let rate = match risk_free {
        RiskFree::Zero => 0.0,
        RiskFree::PerPeriod(rate) => rate,
        RiskFree::PerYear { rate, periods_per_year } => {
            if rate <= -1.0 || periods_per_year <= 0.0 {
                return None;
            }
            libm::expm1(libm::log1p(rate) / periods_per_year)
        }
        RiskFree::Series(rates) => {
            if rates.len() != returns.len() {
                return None;
            }
            return returns.iter().zip(rates).map(|(r, f)| finite(r - f)).collect();
        }
    };
    returns.iter().map(|r| finite(r - rate)).collect()
}

/// Total return `e_last / e_first − 1`, a fraction. `None` for fewer than two rows or a start not above 0.
#[must_use]
pub fn total_return(equity: &[f64]) -> Option<f64> {
    match equity {
        [first, .., last] if *first > 0.0 => finite(last / first - 1.0),
        _ => None,
    }
}

/// Compound annual growth rate `(e_last / e_first)^(periods_per_year / (rows − 1)) − 1`, a fraction.
///
/// `None` as [`total_return`], for an end below 0, or if the result is not finite; an end of 0 is −1.
/// Source: GIPS Standards (2020), annualised geometric return; equal to empyrical's `annual_return`.
#[must_use]
pub fn cagr(equity: &[f64], periods_per_year: f64) -> Option<f64> {
    let total = total_return(equity)?;
    if total < -1.0 || periods_per_year.is_nan() || periods_per_year <= 0.0 {
        return None;
    }
    let years = (equity.len() - 1) as f64 / periods_per_year;
    finite(libm::expm1(libm::log1p(total) / years))
}

/// Annualised volatility `s · √periods_per_year`, `s` the sample standard deviation of the returns. A constant
/// series has 0; fewer than two returns have `None`. The root of time assumes uncorrelated returns.
#[must_use]
pub fn volatility(returns: &[f64], periods_per_year: f64) -> Option<f64> {
    let Moments { variance, .. } = Moments::of(returns)?;
    finite(variance.sqrt() * periods_per_year.sqrt())
}

fn finite(x: f64) -> Option<f64> {
    if x.is_finite() { Some(x) } else { None }
}

/// Sum in the order of `sum8`.
fn sum_of(values: impl Iterator<Item = f64>) -> f64 {
    sum8(&values.collect::<Vec<f64>>())
}

#[cfg(test)]
mod tests;
