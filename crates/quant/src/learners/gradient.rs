//! Exponentiated gradient: weights on the simplex that follow the gradient of a loss.

use super::{LearnerError, above_zero, dot, finite, length};

/// One step of weights down a gradient: `wᵢ e^{−rate · gᵢ}`, brought back to a sum of 1.
///
/// With convex losses whose gradients have coordinates within R of each other, T rounds from equal weights lose at most
/// `ln n / rate + rate R² T / 8` more than any fixed weights.
///
/// - Shape: a slope a weight, one or more. Units: weights 0 or more with a sum above 0 (a weight of 0 stays 0); `rate` above
///   0, in 1/slope.
/// - Source: Kivinen and Warmuth, Information and Computation 132 (1997) 1, eq. 3.2; the bound: Cesa-Bianchi and Lugosi,
///   Prediction, Learning, and Games (2006), theorem 2.2 and section 2.4.
///
/// # Errors
/// `Length`, `OutOfRange`; the weights are then unchanged.
pub fn exponentiated_gradient(weights: &mut [f64], gradient: &[f64], rate: f64) -> Result<(), LearnerError> {
    length("gradient", gradient.len(), weights.len())?;
    check(weights, rate)?;
    let mut least = f64::INFINITY;
    for (w, g) in weights.iter().zip(gradient) {
        finite("slope", *g)?;
        if *w > 0.0 {
            least = least.min(*g);
        }
    }
    step(weights, |k| -rate * (gradient[k] - least));
    Ok(())
}

/// One step of a portfolio toward what gained: `wᵢ e^{rate · xᵢ / (w·x)}`, brought back to a sum of 1; the exponentiated
/// gradient of the logarithm of wealth.
///
/// If all relatives of a period are within `r` to 1 of the largest, T periods at the rate `2 r √(2 ln n / T)` end with a
/// logarithm of wealth at most `√(T ln n / 2) / r` below that of the best portfolio rebalanced to constant weights.
///
/// - Shape: a price relative (price over the one before) a weight. Range: relatives 0 or more; what is held must not lose all.
/// - Source: Helmbold, Schapire, Singer and Warmuth, Mathematical Finance 8 (1998) 325, eq. 3.4 and theorem 4.1.
///
/// # Errors
/// `Length`, `OutOfRange`; the weights are then unchanged.
pub fn exponentiated_portfolio(weights: &mut [f64], relatives: &[f64], rate: f64) -> Result<(), LearnerError> {
    length("price relatives", relatives.len(), weights.len())?;
    check(weights, rate)?;
    let mut most = 0.0_f64;
    for (w, x) in weights.iter().zip(relatives) {
        super::within("price relative", *x, "finite and not below 0", *x >= 0.0)?;
        if *w > 0.0 {
            most = most.max(*x);
        }
    }
    let sum = weights.iter().fold(0.0, |sum, w| sum + w);
    let wealth = above_zero("return of the portfolio", dot(weights, relatives) / sum)?;
    step(weights, |k| rate * (relatives[k] - most) / wealth);
    Ok(())
}

fn check(weights: &[f64], rate: f64) -> Result<(), LearnerError> {
    above_zero("rate", rate)?;
    let mut sum = 0.0;
    for w in weights {
        sum += super::within("weight", *w, "finite and not below 0", *w >= 0.0)?;
    }
    above_zero("sum of the weights", sum).map(|_| ())
}

/// Multiplies by powers that are at most 1, the largest of them exactly 1.
fn step(weights: &mut [f64], power: impl Fn(usize) -> f64) {
    let mut sum = 0.0;
    for (k, w) in weights.iter_mut().enumerate() {
        if *w > 0.0 {
            *w *= libm::exp(power(k));
        }
        sum += *w;
    }
    weights.iter_mut().for_each(|w| *w /= sum);
}
