//! Matrices that ought to be covariances and are not: negative eigenvalues from missing data, edits or rounding.

use super::{AllocationError, Symmetric};

/// Lifts eigenvalues of the correlations to at least `least` (of 1; 0 to 1) and restores the variances.
///
/// # Errors
/// A variance not above 0, `least` out of range. Source: Rebonato and Jäckel, Journal of Risk 2 (2000) 17, spectral
/// decomposition.
pub fn clip_eigenvalues(covariance: &Symmetric, least: f64) -> Result<Symmetric, AllocationError> {
    if !(0.0..1.0).contains(&least) {
        return Err(AllocationError::Range {
            what: "least eigenvalue",
            value: least,
            expected: "0 or more and below 1",
        });
    }
    let (correlation, vol) = covariance.correlation()?;
    let (lambda, vectors) = correlation.eigen()?;
    if lambda.iter().all(|l| *l >= least) {
        return Ok(covariance.clone());
    }
    let lifted: Vec<f64> = lambda.iter().map(|l| l.max(least)).collect();
    let repaired = Symmetric::from_eigen(&lifted, &vectors);
    let scale: Vec<f64> = (0..vol.len()).map(|i| vol[i] / repaired.at(i, i).sqrt()).collect();
    Ok(repaired.scaled(&scale))
}

/// The correlation matrix nearest in the Frobenius norm, by alternating projections with Dykstra's correction, to a step
/// of 1e-12 of its size.
///
/// # Errors
/// No convergence within 10,000 steps. Source: Higham, IMA Journal of Numerical Analysis 22 (2002) 329, algorithm 3.3.
pub fn nearest_correlation(matrix: &Symmetric) -> Result<Symmetric, AllocationError> {
    let n = matrix.n();
    let mut y = matrix.clone();
    let mut correction = vec![0.0; n * n];
    for _ in 0..10_000 {
        let r: Vec<f64> = y.values().iter().zip(&correction).map(|(y, c)| y - c).collect();
        let (lambda, vectors) = Symmetric::raw(n, r.clone()).eigen()?;
        let positive: Vec<f64> = lambda.iter().map(|l| l.max(0.0)).collect();
        let x = Symmetric::from_eigen(&positive, &vectors);
        correction.iter_mut().zip(x.values()).zip(&r).for_each(|((c, x), r)| *c = x - r);
        let next = Symmetric::from_fn(n, |i, j| if i == j { 1.0 } else { x.at(i, j) });
        let norm = |f: &dyn Fn(usize) -> f64| (0..n * n).map(f).map(|d| d * d).sum::<f64>().sqrt();
        let moved = norm(&|k| next.values()[k] - y.values()[k]);
        let apart = norm(&|k| next.values()[k] - x.values()[k]);
        let size = norm(&|k| next.values()[k]);
        y = next;
        if moved.max(apart) <= 1e-12 * size {
            return Ok(y);
        }
    }
    Err(AllocationError::NoConvergence)
}
