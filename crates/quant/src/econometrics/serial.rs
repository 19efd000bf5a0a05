//! Serial dependence and normality.

use super::distribution::chi_squared_above;
use super::{EconometricsError, varied};
use crate::performance::{autocorrelations, excess_kurtosis, skewness};

/// A statistic that is χ² under its hypothesis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Portmanteau {
    /// Its value, 0 or more.
    pub statistic: f64,
    /// Probability of that much or more.
    pub p: f64,
}

fn correlations(what: &'static str, x: &[f64], lags: usize) -> Result<Vec<f64>, EconometricsError> {
    varied(what, x, lags.saturating_add(1))?;
    autocorrelations(x, lags).ok_or(EconometricsError::NoVariance { what })
}

/// Partial autocorrelations at lags 1 to `lags` by the Yule–Walker equations with the autocovariances of
/// [`autocorrelations`], solved by Levinson's recursion. Equal to statsmodels' `pacf(method="ldbiased")`.
///
/// Errors: `TooFew` unless `lags` is below the number of rows, `NotFinite`, `NoVariance`. Source: Durbin, Review of the
/// International Statistical Institute 28 (1960) 233.
pub fn partial_autocorrelations(x: &[f64], lags: usize) -> Result<Vec<f64>, EconometricsError> {
    let rho = correlations("series of partial autocorrelations", x, lags)?;
    let mut partial = Vec::with_capacity(lags);
    let (mut phi, mut before) = (vec![0.0; lags], vec![0.0; lags]);
    let mut variance = 1.0;
    for k in 0..lags {
        let explained = (0..k).fold(0.0, |sum, j| sum + phi[j] * rho[k - 1 - j]);
        let last = (rho[k] - explained) / variance;
        before[..k].copy_from_slice(&phi[..k]);
        for j in 0..k {
            phi[j] = before[j] - last * before[k - 1 - j];
        }
        phi[k] = last;
        variance *= 1.0 - last * last;
        partial.push(last);
    }
    Ok(partial)
}

/// Ljung and Box's test that a series has no autocorrelation up to each lag 1 to `lags`: `n (n + 2) Σ ρₖ² / (n − k)`.
/// For residuals of a model, `fitted` is its number of ARMA coefficients; the p-value is NaN up to that lag.
///
/// Errors: as [`partial_autocorrelations`]. Source: Ljung and Box, Biometrika 65 (1978) 297.
pub fn ljung_box(x: &[f64], lags: usize, fitted: usize) -> Result<Vec<Portmanteau>, EconometricsError> {
    let rho = correlations("series of a Ljung–Box test", x, lags)?;
    let n = x.len() as f64;
    let mut sum = 0.0;
    let each = rho.iter().zip(1..).map(|(r, k)| {
        sum += r * r / (n - k as f64);
        let statistic = n * (n + 2.0) * sum;
        Portmanteau { statistic, p: chi_squared_above(statistic, k as f64 - fitted as f64) }
    });
    Ok(each.collect())
}

/// Jarque and Bera's test of a normal distribution: `n (g₁² + g₂² / 4) / 6` with skewness and excess kurtosis. The χ² is
/// asymptotic: below a few hundred rows too few normal series are refused.
///
/// Errors: `TooFew` below two rows, `NotFinite`, `NoVariance`. Source: Jarque and Bera, Economics Letters 6 (1980) 255.
pub fn jarque_bera(x: &[f64]) -> Result<Portmanteau, EconometricsError> {
    const WHAT: &str = "series of a Jarque–Bera test";
    varied(WHAT, x, 2)?;
    let moments = skewness(x).zip(excess_kurtosis(x));
    let (skew, kurtosis) = moments.ok_or(EconometricsError::NoVariance { what: WHAT })?;
    let statistic = x.len() as f64 / 6.0 * (skew * skew + 0.25 * kurtosis * kurtosis);
    Ok(Portmanteau { statistic, p: chi_squared_above(statistic, 2.0) })
}
