//! The test of Kwiatkowski, Phillips, Schmidt and Shin: its hypothesis is that a series is stationary.

use super::dense::{dot, mean};
use super::{EconometricsError, Ols, Trend, varied};

/// How many autocovariances go into the long-run variance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bandwidth {
    /// So many.
    Fixed(usize),
    /// `12 (n / 100)^¼`, rounded up.
    Schwert,
    /// From the data: Hobijn, Franses and Ooms, Statistica Neerlandica 58 (2004) 483.
    Automatic,
}

/// Result of the test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kpss {
    /// `Σ Sₜ² / (n² s²)` of the partial sums `S` of the residuals and their long-run variance.
    pub statistic: f64,
    /// p-value, between lines through the published critical values; 0.01 and 0.1 also stand for what is below and above.
    pub p: f64,
    /// Autocovariances used.
    pub lags: usize,
    /// Critical values at 10, 5, 2.5 and 1 per cent.
    pub critical: [f64; 4],
}

/// KPSS test about a mean (`Trend::Constant`) or a line (`Trend::Linear`). Equal to statsmodels' `kpss`.
///
/// - Errors: `OutOfRange` for another trend or as many lags as rows, `NotFinite`, `NoVariance`, `TooFew`.
/// - Source: Kwiatkowski et al., Journal of Econometrics 54 (1992) 159, equations 11 and 13, table 1.
pub fn kpss(x: &[f64], trend: Trend, bandwidth: Bandwidth) -> Result<Kpss, EconometricsError> {
    varied("series of a KPSS test", x, 4)?;
    let n = x.len();
    let (residuals, critical) = match trend {
        Trend::Constant => {
            let mean = mean(x);
            (x.iter().map(|v| v - mean).collect(), [0.347, 0.463, 0.574, 0.739])
        }
        Trend::Linear => (Ols::fit(x, &[], trend)?.residuals, [0.119, 0.146, 0.176, 0.216]),
        Trend::None | Trend::Quadratic => {
            let got = trend.columns() as f64;
            return Err(EconometricsError::OutOfRange {
                what: "trend columns of a KPSS test",
                got,
                least: 1.0,
                most: 2.0,
            });
        }
    };
    let lags = match bandwidth {
        Bandwidth::Fixed(lags) if lags >= n => {
            let most = (n - 1) as f64;
            return Err(EconometricsError::OutOfRange {
                what: "lags of a KPSS test",
                got: lags as f64,
                least: 0.0,
                most,
            });
        }
        Bandwidth::Fixed(lags) => lags,
        Bandwidth::Schwert => (libm::ceil(12.0 * libm::pow(n as f64 / 100.0, 0.25)) as usize).min(n - 1),
        Bandwidth::Automatic => automatic(&residuals).min(n - 1),
    };
    let product = |lag: usize| dot(&residuals[lag..], &residuals);
    let weighted = (1..=lags).fold(0.0, |sum, lag| sum + product(lag) * (1.0 - lag as f64 / (lags + 1) as f64));
    let size = n as f64;
    let variance = (product(0) + 2.0 * weighted) / size;
    let (mut partial, mut squares) = (0.0, 0.0);
    for e in &residuals {
        partial += e;
        squares += partial * partial;
    }
    let statistic = squares / (size * size) / variance;
    // A line leaves residuals of the size of the rounding.
    let whole = x.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    if variance.is_nan() || variance <= 0.0 || product(0) <= size * (1e-13 * whole) * (1e-13 * whole) {
        return Err(EconometricsError::NoVariance { what: "residuals of a KPSS test" });
    }
    Ok(Kpss { statistic, p: between(statistic, &critical), lags, critical })
}

fn automatic(residuals: &[f64]) -> usize {
    let n = residuals.len() as f64;
    let reach = libm::pow(n, 2.0 / 9.0) as usize;
    let (mut s0, mut s1) = (dot(residuals, residuals) / n, 0.0);
    for lag in 1..=reach {
        let product = dot(&residuals[lag..], residuals) / (n / 2.0);
        s0 += product;
        s1 += lag as f64 * product;
    }
    let ratio = s1 / s0;
    let lags = 1.1447 * libm::cbrt(ratio * ratio) * libm::cbrt(n);
    // A long-run variance of 0 asks for every autocovariance.
    if lags.is_finite() { lags as usize } else { usize::MAX }
}

fn between(statistic: f64, critical: &[f64; 4]) -> f64 {
    const P: [f64; 4] = [0.1, 0.05, 0.025, 0.01];
    for (c, p) in critical.windows(2).zip(P.windows(2)) {
        if statistic <= c[0] {
            return p[0];
        }
        if statistic <= c[1] {
            return p[0] + (p[1] - p[0]) * (statistic - c[0]) / (c[1] - c[0]);
        }
    }
    0.01
}
