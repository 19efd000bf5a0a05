//! Tails of distributions with known parameters.

use super::{RiskError, Tail, in_tail, student_density, student_inverse};
use crate::vmath;

fn deviation(value: f64) -> Result<(), RiskError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(RiskError::Range { what: "deviation", value, expected: "finite and not below 0" })
    }
}

fn centre(value: f64) -> Result<(), RiskError> {
    if value.is_finite() { Ok(()) } else { Err(RiskError::NotFinite { what: "mean", row: 0 }) }
}

/// Normal P&L: `VaR = −μ − σ z`, `ES = −μ + σ φ(z) / tail` with `z = Φ⁻¹(tail)`.
///
/// # Errors
/// `tail` out of range, a mean that is not finite, a deviation below 0 or not finite. Source: McNeil, Frey and Embrechts,
/// Quantitative Risk Management (2015), examples 2.11 and 2.14.
pub fn normal(mean: f64, deviation: f64, tail: f64) -> Result<Tail, RiskError> {
    in_tail(tail)?;
    centre(mean)?;
    self::deviation(deviation)?;
    let z = vmath::normal_inverse(tail);
    Ok(Tail { var: -mean - deviation * z, es: -mean + deviation * vmath::normal_density(z) / tail })
}

/// Student's t scaled to the given standard deviation: `dof` degrees of freedom, above 2.
///
/// # Errors
/// As [`normal`], or `dof` at or below 2 (no variance). Source: McNeil, Frey and Embrechts (2015), examples 2.12 and 2.15.
pub fn student_t(mean: f64, deviation: f64, dof: f64, tail: f64) -> Result<Tail, RiskError> {
    in_tail(tail)?;
    centre(mean)?;
    self::deviation(deviation)?;
    if dof.is_nan() || dof <= 2.0 {
        return Err(RiskError::Range { what: "degrees of freedom", value: dof, expected: "above 2" });
    }
    if dof > 1e8 {
        return normal(mean, deviation, tail);
    }
    let scale = deviation * ((dof - 2.0) / dof).sqrt();
    let z = student_inverse(tail, dof);
    let beyond = student_density(z, dof) / tail * (dof + z * z) / (dof - 1.0);
    Ok(Tail { var: -mean - scale * z, es: -mean + scale * beyond })
}

/// Cornish and Fisher's expansion: a normal quantile moved by skewness and excess kurtosis (population moments, 0 for a
/// normal), and the expected shortfall that belongs to the same quantile function, integrated exactly over the tail.
///
/// # Errors
/// As [`normal`], or moments for which the expansion falls somewhere and so is no quantile function. Sources: Zangari,
/// RiskMetrics Monitor (1996); Maillard, "A user's guide to the Cornish Fisher expansion" (2012), section 3 for the range
/// and the integral.
pub fn cornish_fisher(mean: f64, deviation: f64, skewness: f64, kurtosis: f64, tail: f64) -> Result<Tail, RiskError> {
    in_tail(tail)?;
    centre(mean)?;
    self::deviation(deviation)?;
    if !skewness.is_finite() || !kurtosis.is_finite() {
        return Err(RiskError::NotMonotone { skewness, kurtosis });
    }
    let (s, k) = (skewness / 6.0, kurtosis / 24.0);
    // x(z) = c₃z³ + c₂z² + c₁z + c₀; its slope may not be negative anywhere.
    let (c3, c2, c1, c0) = (k - 2.0 * s * s, s, 1.0 - 3.0 * k + 5.0 * s * s, -s);
    if c1 < 0.0 || c3 < 0.0 || c2 * c2 > 3.0 * c3 * c1 {
        return Err(RiskError::NotMonotone { skewness, kurtosis });
    }
    let z = vmath::normal_inverse(tail);
    let x = ((c3 * z + c2) * z + c1) * z + c0;
    // ∫ z³φ = −(z² + 2)φ, ∫ z²φ = Φ − zφ, ∫ zφ = −φ, all up to z.
    let density = vmath::normal_density(z);
    let integral = -c3 * (z * z + 2.0) * density + c2 * (tail - z * density) - c1 * density + c0 * tail;
    Ok(Tail { var: -mean - deviation * x, es: (-mean - deviation * integral / tail).max(-mean - deviation * x) })
}
