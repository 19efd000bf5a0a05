//! Mean, variance, skewness and kurtosis in one pass over deviations from the mean.

use super::finite;
use tradegraph_columns::sum8;

pub(super) struct Moments {
    pub(super) mean: f64,
    /// Sample variance, divisor `n − 1`.
    pub(super) variance: f64,
    /// Population skewness; `None` without variance.
    pub(super) skewness: Option<f64>,
    /// Population kurtosis; `None` without variance.
    pub(super) kurtosis: Option<f64>,
}

impl Moments {
    /// `None` for fewer than two values or values that are not finite.
    pub(super) fn of(x: &[f64]) -> Option<Moments> {
        if x.len() < 2 {
            return None;
        }
        let n = x.len() as f64;
        let mean = finite(sum8(x) / n)?;
        let mut power: Vec<f64> = x.iter().map(|v| (v - mean) * (v - mean)).collect();
        let squares = finite(sum8(&power))?;
        // Equal values leave deviations of the size of the rounding of their mean: that is no variance.
        let rounding = 4.0 * f64::EPSILON * mean.abs();
        if squares <= n * rounding * rounding {
            return Some(Moments { mean, variance: 0.0, skewness: None, kurtosis: None });
        }
        let m2 = squares / n;
        power.iter_mut().for_each(|p| *p *= *p);
        let m4 = sum8(&power) / n;
        for (p, v) in power.iter_mut().zip(x) {
            let d = v - mean;
            *p = d * d * d;
        }
        let m3 = sum8(&power) / n;
        Some(Moments {
            mean,
            variance: squares / (n - 1.0),
            skewness: finite(m3 / (m2 * m2.sqrt())),
            kurtosis: finite(m4 / (m2 * m2)),
        })
    }
}

/// Sample variance, divisor `n − 1`; 0 for values that are equal up to rounding.
///
/// `None` for fewer than two values or a value that is not finite.
#[must_use]
pub fn sample_variance(x: &[f64]) -> Option<f64> {
    Moments::of(x).map(|m| m.variance)
}

/// Skewness `m₃ / m₂^1.5` with population moments (divisor `n`): 0 for a symmetric series.
///
/// Equal to scipy's `skew`. The sample-corrected `G₁ = √(n(n − 1)) / (n − 2) · g₁` of pandas and quantstats is larger.
/// `None` for fewer than two values, zero variance or a value that is not finite. Source: Joanes and Gill, The
/// Statistician 47 (1998) 183, g₁.
#[must_use]
pub fn skewness(x: &[f64]) -> Option<f64> {
    Moments::of(x)?.skewness
}

/// Excess kurtosis `m₄ / m₂² − 3` with population moments (divisor `n`): 0 for a normal, −2 or more.
///
/// Equal to scipy's `kurtosis`. The sample-corrected `G₂ = ((n + 1) g₂ + 6)(n − 1) / ((n − 2)(n − 3))` of pandas and
/// quantstats differs. `None` as [`skewness`]. Source: Joanes and Gill, The Statistician 47 (1998) 183, g₂.
#[must_use]
pub fn excess_kurtosis(x: &[f64]) -> Option<f64> {
    Moments::of(x)?.kurtosis.map(|k| k - 3.0)
}
