//! Portfolios whose risk is shared out by budgets.

use super::symmetric::add_scaled;
use super::{AllocationError, Symmetric, one_each};

/// What each name adds to the variance, as a share of it: `wᵢ (Σw)ᵢ / w'Σw`; they add up to 1.
///
/// # Errors
/// A number of weights other than names, weights that are not finite, or a portfolio without variance.
pub fn risk_contributions(weights: &[f64], covariance: &Symmetric) -> Result<Vec<f64>, AllocationError> {
    one_each("weights", weights, covariance.n())?;
    let mut with = vec![0.0; weights.len()];
    covariance.times(weights, &mut with);
    let variance: f64 = with.iter().zip(weights).map(|(c, w)| c * w).sum();
    if variance.is_nan() || variance <= 0.0 {
        return Err(AllocationError::NoVariance { name: 0 });
    }
    Ok(with.iter().zip(weights).map(|(c, w)| c * w / variance).collect())
}

/// Long-only weights, sum 1, of which each name's share of the variance is its budget; equal budgets make an equal risk
/// contribution. The shares are within 1e-10 of the budgets.
///
/// Minimises `½ x'Cx − Σ bᵢ ln xᵢ` over the correlations `C` by cyclical coordinate descent and divides by volatilities.
///
/// # Errors
/// Budgets that are not above 0, a variance not above 0, a covariance so singular that the descent stalls. Sources:
/// Spinu, "An algorithm for computing risk parity weights" (2013); Griveau-Billion, Richard and Roncalli, "A fast
/// algorithm for computing high-dimensional risk parity portfolios" (2013). Equal to skfolio's `RiskBudgeting`.
pub fn risk_parity(covariance: &Symmetric, budgets: &[f64]) -> Result<Vec<f64>, AllocationError> {
    let n = covariance.n();
    one_each("budgets", budgets, n)?;
    if let Some(value) = budgets.iter().find(|b| **b <= 0.0) {
        return Err(AllocationError::Range { what: "budget", value: *value, expected: "above 0" });
    }
    let total: f64 = budgets.iter().sum();
    let budgets: Vec<f64> = budgets.iter().map(|b| b / total).collect();
    let (correlation, vol) = covariance.correlation()?;
    // Without correlation the answer; scaled so that x'Cx = 1, as at the optimum.
    let mut x: Vec<f64> = budgets.iter().map(|b| b.sqrt()).collect();
    let size = correlation.quadratic(&x).sqrt();
    x.iter_mut().for_each(|v| *v /= size);
    let mut with = vec![0.0; n];
    correlation.times(&x, &mut with);
    for sweep in 0..2_000 {
        for i in 0..n {
            let others = with[i] - x[i];
            // x² + others x = b, its positive root without cancellation.
            let root = (others * others + 4.0 * budgets[i]).sqrt();
            let next = if others > 0.0 { 2.0 * budgets[i] / (others + root) } else { 0.5 * (root - others) };
            let change = next - x[i];
            if change != 0.0 {
                x[i] = next;
                add_scaled(&mut with, change, correlation.row(i));
            }
        }
        if sweep % 64 == 63 {
            correlation.times(&x, &mut with);
        }
        // The common size converges last: put it right at once, x'Cx = Σ b = 1.
        let square: f64 = with.iter().zip(&x).map(|(c, x)| c * x).sum();
        let far = x.iter().zip(&with).zip(&budgets).map(|((x, c), b)| (x * c / square - b).abs() / b);
        if far.fold(0.0_f64, f64::max) < 1e-10 {
            let sum: f64 = x.iter().zip(&vol).map(|(x, v)| x / v).sum();
            return Ok(x.iter().zip(&vol).map(|(x, v)| x / v / sum).collect());
        }
        let scale = 1.0 / square.sqrt();
        x.iter_mut().zip(&mut with).for_each(|(x, c)| (*x, *c) = (*x * scale, *c * scale));
    }
    Err(AllocationError::NoConvergence)
}
