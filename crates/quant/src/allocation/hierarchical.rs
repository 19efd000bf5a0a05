//! Risk shared out down a tree of what moves together.

use super::linkage::leaves;
use super::{AllocationError, Linkage, Symmetric};

/// Hierarchical risk parity: names are ordered by a tree over the distances `√((1 − ρ) / 2)`, the list is halved again and
/// again, and each time the halves share their weight by the inverse of their variances under inverse-variance weights.
/// Long-only, sum 1; works with a singular covariance.
///
/// # Errors
/// A variance that is not above 0. Source: López de Prado, Journal of Portfolio Management 42 (2016) 59, without his
/// second distance between the columns of distances; equal to PyPortfolioOpt's `HRPOpt`.
pub fn hierarchical_risk_parity(covariance: &Symmetric, linkage: Linkage) -> Result<Vec<f64>, AllocationError> {
    let n = covariance.n();
    let (correlation, _) = covariance.correlation()?;
    let distances: Vec<f64> = correlation.values().iter().map(|r| ((1.0 - r) / 2.0).clamp(0.0, 1.0).sqrt()).collect();
    let order = leaves(&distances, n, linkage);
    let mut weights = vec![1.0; n];
    share(covariance, &order, &mut weights);
    Ok(weights)
}

fn share(covariance: &Symmetric, order: &[usize], weights: &mut [f64]) {
    if order.len() < 2 {
        return;
    }
    let (left, right) = order.split_at(order.len() / 2);
    let (a, b) = (variance(covariance, left), variance(covariance, right));
    let part = 1.0 - a / (a + b);
    left.iter().for_each(|i| weights[*i] *= part);
    right.iter().for_each(|i| weights[*i] *= 1.0 - part);
    share(covariance, left, weights);
    share(covariance, right, weights);
}

/// Variance of a cluster under inverse-variance weights.
fn variance(covariance: &Symmetric, names: &[usize]) -> f64 {
    let inverse: Vec<f64> = names.iter().map(|i| 1.0 / covariance.at(*i, *i)).collect();
    let total: f64 = inverse.iter().sum();
    let mut sum = 0.0;
    for (i, x) in names.iter().zip(&inverse) {
        let row = covariance.row(*i);
        sum += x * names.iter().zip(&inverse).map(|(j, y)| row[*j] * y).sum::<f64>();
    }
    sum / (total * total)
}
