//! Student's t distribution with any degrees of freedom above 0.

use crate::vmath;
use core::f64::consts::PI;

/// Density at `x` with `dof` degrees of freedom; NaN for `dof` at or below 0.
#[must_use]
pub fn student_density(x: f64, dof: f64) -> f64 {
    if dof.is_nan() || dof <= 0.0 {
        return f64::NAN;
    }
    let log = libm::lgamma(0.5 * (dof + 1.0)) - libm::lgamma(0.5 * dof) - 0.5 * libm::log(dof * PI);
    libm::exp(log - 0.5 * (dof + 1.0) * libm::log1p(x * x / dof))
}

/// The probability of a value below `x` with `dof` degrees of freedom; NaN for `dof` at or below 0.
///
/// Source: DLMF 8.17.22, the continued fraction of the incomplete beta function, by Lentz's method.
#[must_use]
pub fn student_cdf(x: f64, dof: f64) -> f64 {
    if dof.is_nan() || dof <= 0.0 || x.is_nan() {
        return f64::NAN;
    }
    if dof > 1e8 {
        return vmath::normal_cdf(x);
    }
    let square = x * x;
    // I_z(dof/2, 1/2) with z = dof / (dof + x²), from the side where the fraction converges fast.
    let (a, b) = (0.5 * dof, 0.5);
    let both = if square < dof * 3.0 / (dof + 2.0) {
        1.0 - incomplete_beta(b, a, square / (dof + square))
    } else {
        incomplete_beta(a, b, dof / (dof + square))
    };
    if x > 0.0 { 1.0 - 0.5 * both } else { 0.5 * both }
}

/// `I_z(a, b)` for `z < (a + 1) / (a + b + 2)`.
fn incomplete_beta(a: f64, b: f64, z: f64) -> f64 {
    if z <= 0.0 {
        return 0.0;
    }
    let front = a * libm::log(z) + b * libm::log1p(-z) + libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
    let tiny = 1e-300;
    let (mut c, mut d) = (1.0, 1.0 - (a + b) * z / (a + 1.0));
    d = 1.0 / if d.abs() < tiny { tiny } else { d };
    let mut h = d;
    for m in 1..=500 {
        let m = f64::from(m);
        let terms = [
            m * (b - m) * z / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * z / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ];
        let mut change = 1.0;
        for term in terms {
            d = 1.0 + term * d;
            d = 1.0 / if d.abs() < tiny { tiny } else { d };
            c = 1.0 + term / c;
            c = if c.abs() < tiny { tiny } else { c };
            change = d * c;
            h *= change;
        }
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    libm::exp(front) * h / a
}

/// The `x` below which the probability is `p`, with `dof` degrees of freedom; −∞ at 0, ∞ at 1, NaN outside and for `dof`
/// at or below 0.
///
/// Newton's method on the probability, held inside a bracket.
#[must_use]
pub fn student_inverse(p: f64, dof: f64) -> f64 {
    if dof.is_nan() || dof <= 0.0 || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p > 0.5 {
        return -student_inverse(1.0 - p, dof);
    }
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 0.5 {
        return 0.0;
    }
    let (mut low, mut high) = (-1.0, 0.0);
    while student_cdf(low, dof) > p {
        (high, low) = (low, low * 2.0);
        if low < -1e300 {
            return f64::NEG_INFINITY;
        }
    }
    let mut x = vmath::normal_inverse(p).clamp(low, high);
    for _ in 0..200 {
        let miss = student_cdf(x, dof) - p;
        if miss > 0.0 {
            high = x
        } else {
            low = x
        }
        let step = miss / student_density(x, dof);
        let next = x - step;
        let next = if next > low && next < high { next } else { 0.5 * (low + high) };
        if (next - x).abs() <= 4.0 * f64::EPSILON * x.abs() {
            return next;
        }
        x = next;
    }
    x
}
