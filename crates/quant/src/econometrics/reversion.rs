//! How fast and whether a series turns back: half-life, variance ratio, Hurst exponents.

use super::dense::{dot, mean, sum_of};
use super::{Covariance, EconometricsError, Ols, Trend, varied};
use crate::indicators::{expected_range, mean_range};
use crate::vmath;

/// How a series returns to its mean: `Δxₜ = c + ρ xₜ₋₁ + e`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reversion {
    /// Bars after which half of a deviation is expected to be left: `−ln 2 / ln(1 + ρ)`.
    pub half_life: f64,
    /// `ρ`, between −1 and 0.
    pub reversion: f64,
    /// Standard error of `ρ`. Its t-statistic is Dickey and Fuller's, not Student's.
    pub error: f64,
    /// Where the series returns to: `−c / ρ`.
    pub mean: f64,
    /// Standard deviation of the residuals, a bar.
    pub residual: f64,
}

/// Half-life of a series that returns to its mean.
///
/// Small samples make it look faster: ρ is biased by about `−(1 + 3(1 + ρ)) / n`.
/// - Errors: `TooFew` below four rows, `NotFinite`, `NoVariance`; `OutOfRange` if the estimate does not return (ρ ≥ 0) or
///   overshoots (ρ ≤ −1), where there is no half-life.
/// - Source: Uhlenbeck and Ornstein, Physical Review 36 (1930) 823; Chan, Algorithmic Trading (2013), chapter 2.
pub fn half_life(x: &[f64]) -> Result<Reversion, EconometricsError> {
    const WHAT: &str = "series of a half-life";
    varied(WHAT, x, 4)?;
    let change: Vec<f64> = x.windows(2).map(|w| w[1] - w[0]).collect();
    let ols = Ols::fit(&change, &[&x[..x.len() - 1]], Trend::Constant)?;
    let [constant, reversion] = ols.coefficients[..] else { return Err(EconometricsError::NoVariance { what: WHAT }) };
    if !(reversion < 0.0 && reversion > -1.0) {
        return Err(EconometricsError::OutOfRange {
            what: "reversion of a half-life",
            got: reversion,
            least: -1.0,
            most: 0.0,
        });
    }
    Ok(Reversion {
        half_life: -std::f64::consts::LN_2 / libm::log1p(reversion),
        reversion,
        error: ols.inference(Covariance::Classic)?.errors[1],
        mean: -constant / reversion,
        residual: (ols.rss / ols.degrees_of_freedom() as f64).sqrt(),
    })
}

/// Variance of `q` bars over `q` times that of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VarianceRatio {
    /// 1 for a random walk, above for trends, below for a series that turns back.
    pub ratio: f64,
    /// Its distance from 1 in standard errors.
    pub statistic: f64,
    /// Two-sided normal p-value.
    pub p: f64,
}

/// Variance ratio of log prices over `q` bars, overlapping and with the unbiased variances of Lo and MacKinlay. `robust`
/// errors allow a variance that changes; otherwise returns are taken as equally distributed. Equal to arch's
/// `VarianceRatio` (`trend="c"`, overlap, debiased).
///
/// - Errors: `OutOfRange` for `q` below 2 or not below the number of returns, `TooFew`, `NotFinite`, `NoVariance`.
/// - Source: Lo and MacKinlay, Review of Financial Studies 1 (1988) 41, equations 12 to 20.
pub fn variance_ratio(log_prices: &[f64], q: usize, robust: bool) -> Result<VarianceRatio, EconometricsError> {
    const WHAT: &str = "log prices of a variance ratio";
    varied(WHAT, log_prices, 4)?;
    let n = log_prices.len() - 1;
    if q < 2 || q >= n {
        return Err(EconometricsError::OutOfRange {
            what: "bars of a variance ratio",
            got: q as f64,
            least: 2.0,
            most: (n - 1) as f64,
        });
    }
    let (size, bars) = (n as f64, q as f64);
    let drift = (log_prices[n] - log_prices[0]) / size;
    let squares: Vec<f64> = log_prices.windows(2).map(|w| w[1] - w[0] - drift).map(|d| d * d).collect();
    let total = sum_of(&squares, |s| s);
    let whole = sum_of(log_prices, f64::abs) / (size + 1.0);
    if total <= size * (4.0 * f64::EPSILON * whole) * (4.0 * f64::EPSILON * whole) {
        return Err(EconometricsError::NoVariance { what: "returns of a variance ratio" });
    }
    let long: Vec<f64> = log_prices[q..].iter().zip(log_prices).map(|(b, a)| b - a - bars * drift).collect();
    let one = total / (size - 1.0);
    let many = dot(&long, &long) / (bars * (size - bars + 1.0) * (1.0 - bars / size));
    let variance = if robust {
        (1..q).fold(0.0, |sum, k| {
            let weight = 1.0 - k as f64 / bars;
            sum + 4.0 * weight * weight * (size * dot(&squares[k..], &squares) / (total * total))
        })
    } else {
        2.0 * (2.0 * bars - 1.0) * (bars - 1.0) / (3.0 * bars)
    };
    let ratio = many / one;
    let statistic = size.sqrt() * (ratio - 1.0) / variance.sqrt();
    if !statistic.is_finite() {
        return Err(EconometricsError::NoVariance { what: "returns of a variance ratio" });
    }
    Ok(VarianceRatio { ratio, statistic, p: 2.0 * vmath::normal_cdf(-statistic.abs()) })
}

/// Hurst exponent of returns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HurstExponent {
    /// Slope of the line through the logarithms: 0.5 for noise, above for returns that persist.
    pub exponent: f64,
    /// Standard error of the slope as if the points were independent, which they are not: the true one is larger.
    pub error: f64,
    /// Lengths of run used.
    pub lengths: usize,
}

/// Hurst exponent of all `returns` by rescaled range, with Anis and Lloyd's correction: as
/// [`Hurst`](crate::indicators::Hurst) computes for a window, runs of `n, n/2, n/4, … ≥ 8` from the new end.
///
/// Errors: `TooFew` below 16 rows, `NotFinite`, `NoVariance`. Sources: as there.
pub fn rescaled_range(returns: &[f64]) -> Result<HurstExponent, EconometricsError> {
    const WHAT: &str = "returns of a rescaled range";
    varied(WHAT, returns, 16)?;
    let lengths = std::iter::successors(Some(returns.len()), |w| Some(w / 2)).take_while(|w| *w >= 8);
    let points: Vec<(f64, f64)> = lengths
        .filter_map(|w| {
            let range = mean_range(returns, w)?;
            Some((libm::log(w as f64), libm::log(range) - libm::log(expected_range(w))))
        })
        .collect();
    let mut h = slope(WHAT, &points)?;
    h.exponent += 0.5;
    Ok(h)
}

/// Scaling exponent of `returns` by detrended fluctuations: their sums are cut into runs, a line is taken out of each,
/// and the exponent is the slope of the logarithm of the root mean square against that of the length. Lengths are
/// `4 · 1.2ᵏ` up to a tenth of the rows. Equal to nolds' `dfa(overlap=False, order=1)`.
///
/// Short runs lift it: noise gives about 0.55. Errors: `TooFew` below 100 rows, `NotFinite`, `NoVariance`. Source: Peng et
/// al., Physical Review E 49 (1994) 1685.
pub fn detrended_fluctuation(returns: &[f64]) -> Result<HurstExponent, EconometricsError> {
    const WHAT: &str = "returns of detrended fluctuations";
    varied(WHAT, returns, 100)?;
    let mean = mean(returns);
    let mut sum = 0.0;
    let walk: Vec<f64> = returns
        .iter()
        .map(|r| {
            sum += r - mean;
            sum
        })
        .collect();
    let most = 0.1 * returns.len() as f64;
    let steps = libm::floor(libm::log(most / 4.0) / libm::log(1.2)) as i32;
    let mut lengths: Vec<usize> = (0..=steps).map(|k| (4.0 * libm::pow(1.2, f64::from(k))) as usize).collect();
    lengths.dedup();
    let points: Vec<(f64, f64)> = lengths
        .into_iter()
        .map(|w| {
            let runs = walk.chunks_exact(w);
            let n = runs.len() as f64;
            let squares = runs.fold(0.0, |sum, run| sum + about_line(run) / w as f64);
            (libm::log(w as f64), 0.5 * libm::log(squares / n))
        })
        .filter(|(_, f)| f.is_finite())
        .collect();
    slope(WHAT, &points)
}

/// Sum of squares about the least-squares line.
fn about_line(run: &[f64]) -> f64 {
    let n = run.len() as f64;
    let (middle, level) = (0.5 * (n - 1.0), mean(run));
    let xx = n * (n * n - 1.0) / 12.0;
    let xy = run.iter().enumerate().fold(0.0, |sum, (k, v)| sum + (k as f64 - middle) * (v - level));
    let slope = xy / xx;
    run.iter().enumerate().fold(0.0, |sum, (k, v)| {
        let e = v - level - slope * (k as f64 - middle);
        sum + e * e
    })
}

fn slope(what: &'static str, points: &[(f64, f64)]) -> Result<HurstExponent, EconometricsError> {
    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let lengths = points.len();
    match lengths {
        0 | 1 => Err(EconometricsError::NoVariance { what }),
        2 => Ok(HurstExponent { exponent: (y[1] - y[0]) / (x[1] - x[0]), error: f64::INFINITY, lengths }),
        _ => {
            let ols = Ols::fit(&y, &[&x], Trend::Constant)?;
            let error = ols.inference(Covariance::Classic)?.errors[1];
            Ok(HurstExponent { exponent: ols.coefficients[1], error, lengths })
        }
    }
}
