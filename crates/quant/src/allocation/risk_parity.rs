//! Portfolios whose risk is shared out by budgets.

use super::symmetric::{add_scaled, dot};
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
/// contribution. The shares are within 1e-9 of the budgets, relative.
///
/// Minimises `½ x'Cx − Σ bᵢ ln xᵢ` over the correlations `C` by Newton's method, whose steps conjugate gradients
/// find, and divides by volatilities.
///
/// # Errors
/// Budgets that are not above 0, a variance not above 0, a covariance so singular that the steps stall. Sources:
/// Spinu, "An algorithm for computing risk parity weights" (2013), section 3, for the length of the steps. Equal to skfolio's `RiskBudgeting`.
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
    let mut newton = Newton { correlation: &correlation, with: vec![0.0; n], product: vec![0.0; n] };
    for _ in 0..200 {
        correlation.times(&x, &mut newton.with);
        let square = dot(&newton.with, &x);
        let far = x.iter().zip(&newton.with).zip(&budgets).map(|((x, c), b)| (x * c / square - b).abs() / b);
        if far.fold(0.0_f64, f64::max) < 1e-9 {
            let sum: f64 = x.iter().zip(&vol).map(|(x, v)| x / v).sum();
            return Ok(x.iter().zip(&vol).map(|(x, v)| x / v / sum).collect());
        }
        let step = newton.step(&x, &budgets);
        let largest = step.iter().zip(&x).fold(0.0_f64, |m, (d, x)| m.max((d / x).abs()));
        let length = if largest < 0.5 { 1.0 } else { 1.0 / (1.0 + largest) };
        x.iter_mut().zip(&step).for_each(|(x, d)| *x += length * d);
    }
    Err(AllocationError::NoConvergence)
}

struct Newton<'a> {
    correlation: &'a Symmetric,
    /// `C x`.
    with: Vec<f64>,
    product: Vec<f64>,
}

impl Newton<'_> {
    /// The step `(C + diag(b / x²))⁻¹ (b / x − C x)` by conjugate gradients, the closer the nearer the optimum.
    fn step(&mut self, x: &[f64], budgets: &[f64]) -> Vec<f64> {
        let n = x.len();
        let curvature: Vec<f64> = x.iter().zip(budgets).map(|(x, b)| b / (x * x)).collect();
        let mut left: Vec<f64> = (0..n).map(|i| budgets[i] / x[i] - self.with[i]).collect();
        let eased = |left: &[f64]| -> Vec<f64> { left.iter().zip(&curvature).map(|(r, c)| r / (1.0 + c)).collect() };
        let mut direction = eased(&left);
        let mut size = dot(&left, &direction);
        let start = size;
        let wanted = start.sqrt().clamp(1e-10, 0.1);
        let mut step = vec![0.0; n];
        for _ in 0..4 * n + 50 {
            if size <= wanted * wanted * start || size <= 0.0 {
                break;
            }
            self.correlation.times(&direction, &mut self.product);
            for ((p, c), d) in self.product.iter_mut().zip(&curvature).zip(&direction) {
                *p += c * d;
            }
            let length = size / dot(&direction, &self.product);
            add_scaled(&mut step, length, &direction);
            add_scaled(&mut left, -length, &self.product);
            let next = eased(&left);
            let grown = dot(&left, &next);
            let keep = grown / size;
            direction.iter_mut().zip(&next).for_each(|(d, z)| *d = z + keep * *d);
            size = grown;
        }
        step
    }
}
