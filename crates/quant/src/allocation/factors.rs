//! A covariance of few statistical factors and each name's own variance.

use super::{AllocationError, Symmetric};

/// `Σ = B B' + D`.
#[derive(Clone, Debug, PartialEq)]
pub struct FactorModel {
    /// One row a factor, the strongest first: what one deviation of it moves each name by.
    pub loadings: Vec<Vec<f64>>,
    /// Own variance of each name, 0 or more.
    pub own: Vec<f64>,
    /// Share of the total variance that each factor has.
    pub explained: Vec<f64>,
    /// The covariance of the model; its variances are those of the sample.
    pub covariance: Symmetric,
}

/// The `factors` largest principal components of a covariance; what they leave of each variance is the name's own, and
/// covariances between names come from the factors alone. Positive definite even with fewer bars than names, unless
/// factors explain a name fully.
///
/// # Errors
/// No factor or more than names, no variance at all. Source: Connor and Korajczyk, Journal of Financial Economics 15
/// (1986) 373; components equal to sklearn's `PCA`.
pub fn principal_factors(covariance: &Symmetric, factors: usize) -> Result<FactorModel, AllocationError> {
    let n = covariance.n();
    if factors == 0 || factors > n {
        let value = factors as f64;
        return Err(AllocationError::Range { what: "factors", value, expected: "from 1 to the number of names" });
    }
    let total: f64 = (0..n).map(|i| covariance.at(i, i)).sum();
    if total <= 0.0 {
        return Err(AllocationError::NoVariance { name: 0 });
    }
    let (lambda, vectors) = covariance.eigen()?;
    let kept: Vec<f64> = lambda[..factors].iter().map(|l| l.max(0.0)).collect();
    let loadings: Vec<Vec<f64>> =
        kept.iter().zip(&vectors).map(|(l, v)| v.iter().map(|x| x * l.sqrt()).collect()).collect();
    let common = |i: usize, j: usize| loadings.iter().map(|b| b[i] * b[j]).sum::<f64>();
    let own: Vec<f64> = (0..n).map(|i| (covariance.at(i, i) - common(i, i)).max(0.0)).collect();
    let cell = |i: usize, j: usize| if i == j { common(i, i) + own[i] } else { common(i, j) };
    let model = Symmetric::from_fn(n, cell);
    let explained = kept.iter().map(|l| l / total).collect();
    Ok(FactorModel { covariance: model, own, explained, loadings })
}
