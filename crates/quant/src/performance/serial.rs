//! Sharpe ratio of returns that are correlated in time.

use super::{RiskFree, excess, finite, sharpe};
use tradegraph_columns::sum8;

/// Sharpe ratio of `q` bars with what serial correlation does to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SerialSharpe {
    /// Ratio of one bar, as [`sharpe`] has it.
    pub per_period: f64,
    /// What a ratio of one bar is multiplied with: `√q` for uncorrelated returns, less where they trend.
    pub scale: f64,
    /// Ratio of `q` bars, `scale · per_period`.
    pub aggregated: f64,
    /// Standard error of `aggregated`, robust to serial correlation and to changing variance.
    pub error: f64,
}

/// Autocorrelations `γₖ / γ₀` for k = 1 to `lags`, each autocovariance `γₖ = Σ (xₜ − x̄)(xₜ₋ₖ − x̄) / n` with the mean
/// and the divisor of the whole series; each within −1 and 1.
///
/// `None` unless `lags` is below the number of values, for zero variance, or a value that is not finite. Equal to
/// statsmodels' `acf(adjusted=False)`. Source: Box and Jenkins, Time Series Analysis (1970), section 2.1.5.
#[must_use]
pub fn autocorrelations(x: &[f64], lags: usize) -> Option<Vec<f64>> {
    if lags >= x.len() || super::moments::Moments::of(x)?.variance == 0.0 {
        return None;
    }
    let x = centred(x);
    let variance = autocovariance(&x, 0);
    (1..=lags).map(|k| finite(autocovariance(&x, k) / variance)).collect()
}

/// Sharpe ratio aggregated over `q` bars (252 for daily returns and a year): `η(q) · SR` with
/// `η(q) = q / √(q + 2 Σ (q − k) ρₖ)`, k from 1 to `lags`, at most `q − 1`, and its standard error.
///
/// Lo's own choice is `lags = q − 1`. With many bars a year that is a sum of hundreds of noisy autocorrelations; a
/// smaller number takes those beyond it as 0. The error is that of the generalised method of moments: the delta method
/// over mean, variance and the autocovariances used, with Newey and West's weights `1 − j / (bandwidth + 1)` for j up
/// to `bandwidth`; `q = 1` is the robust error of one bar's ratio.
///
/// `None` as [`sharpe`], for `q = 0`, `lags ≥ q`, `lags` or `bandwidth` not below the number of returns, or if the
/// estimated variance of `q` bars is not above 0. Source: Lo, Financial Analysts Journal 58 (2002) 36, section "Time
/// aggregation" and its appendix (there σ has the divisor `n`, here the ratio keeps that of [`sharpe`], `n − 1`).
#[must_use]
pub fn serial_sharpe(
    returns: &[f64],
    risk_free: RiskFree<'_>,
    q: usize,
    lags: usize,
    bandwidth: usize,
) -> Option<SerialSharpe> {
    let n = returns.len();
    if lags >= q || lags >= n || bandwidth >= n {
        return None;
    }
    let per_period = sharpe(returns, risk_free, 1.0)?.per_period;
    let excess = excess(returns, risk_free)?;
    let mean = sum8(&excess) / n as f64;
    let x = centred(&excess);
    let covariance: Vec<f64> = (0..=lags).map(|k| autocovariance(&x, k)).collect();
    let weight = |k: usize| if k == 0 { q as f64 } else { 2.0 * (q - k) as f64 };
    // Variance of the sum of q bars; the ratio is g = q · mean / √variance.
    let variance = sum8(&covariance.iter().enumerate().map(|(k, c)| weight(k) * c).collect::<Vec<_>>());
    if variance <= 0.0 {
        return None;
    }
    let scale = q as f64 * (covariance[0] / variance).sqrt();
    // One observation's influence on g: its derivatives times its moment conditions.
    let by_mean = q as f64 / variance.sqrt();
    let by_variance = -0.5 * by_mean * mean / variance;
    let influence: Vec<f64> = (0..n)
        .map(|t| {
            let spread = covariance.iter().enumerate().map(|(k, c)| {
                let product = if k <= t { x[t] * x[t - k] } else { 0.0 };
                weight(k) * (product - c)
            });
            by_mean * x[t] + by_variance * spread.sum::<f64>()
        })
        .collect();
    let newey_west: Vec<f64> = (0..=bandwidth)
        .map(|j| {
            let taper = 1.0 - j as f64 / (bandwidth + 1) as f64;
            autocovariance(&influence, j) * if j == 0 { 1.0 } else { 2.0 * taper }
        })
        .collect();
    let error = (sum8(&newey_west).max(0.0) / n as f64).sqrt();
    Some(SerialSharpe {
        per_period,
        scale: finite(scale)?,
        aggregated: finite(scale * per_period)?,
        error: finite(error)?,
    })
}

fn centred(x: &[f64]) -> Vec<f64> {
    let mean = sum8(x) / x.len() as f64;
    x.iter().map(|v| v - mean).collect()
}

/// Of values whose mean is 0, with the divisor `n`.
fn autocovariance(x: &[f64], lag: usize) -> f64 {
    let products: Vec<f64> = x.iter().skip(lag).zip(x).map(|(a, b)| a * b).collect();
    sum8(&products) / x.len() as f64
}
