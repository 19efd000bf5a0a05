//! `e^x`.

use super::{polynomial, polynomials, several};

/// `1.5 · 2^52`: a number added to it is rounded to an integer, which then stands in its low bits.
pub(super) const ROUNDER: f64 = 6_755_399_441_055_744.0;
pub(super) const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
pub(super) const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `(e^r − 1 − r) / r²` for `|r| ≤ ln 2 / 2`.
const POLYNOMIAL: [f64; 10] = [
    0.500_000_000_000_000_1,
    0.166_666_666_666_666_7,
    0.041_666_666_666_624_12,
    0.008_333_333_333_326_134,
    0.001_388_888_891_721_558_6,
    0.000_198_412_698_748_223_07,
    2.480_152_129_346_386_2e-05,
    2.755_725_539_833_871e-06,
    2.762_008_948_195_459e-07,
    2.510_521_769_568_451_6e-08,
];

/// `e^x`, at most 0.8 units in the last place away; 0 below −745.2, ∞ above 709.8.
///
/// `x = n ln 2 + r`, a polynomial of degree 11 in `r`, and the power of two in two steps so that subnormal results are
/// rounded once. Source: Cody and Waite (1980), chapter 6.
#[inline(always)]
#[must_use]
pub fn exp(x: f64) -> f64 {
    exp_sum(x, 0.0)
}

/// `e^(x + tail)` for a tail that is small against 1.
#[inline(always)]
pub(super) fn exp_sum(x: f64, tail: f64) -> f64 {
    let x = if x < -746.0 { -746.0 } else { x };
    let x = if x > 710.0 { 710.0 } else { x };
    let n = x * std::f64::consts::LOG2_E + ROUNDER - ROUNDER;
    let (high, low) = (x - n * LN2_HIGH, n * LN2_LOW - tail);
    let r = high - low;
    let lost = (high - r) - low;
    let e = 1.0 + (r + (lost + r * r * polynomial(&POLYNOMIAL, r)));
    let half = 0.5 * n + ROUNDER - ROUNDER;
    e * power_of_two(half) * power_of_two(n - half)
}

/// `2^n` for an integer from −1022 to 1023.
#[inline(always)]
fn power_of_two(n: f64) -> f64 {
    f64::from_bits((n + (ROUNDER + 1023.0)).to_bits() << 52)
}

/// `e^x` for kernels that lose nothing by it: at most 1.2 units in the last place away, 0 below −708 and ∞ above 709.4.
///
/// As [`exp`], but `r` is rounded once and the power of two is one factor.
#[inline(always)]
pub(crate) fn exp_normal(x: f64) -> f64 {
    exp_normals([x])[0]
}

/// [`exp_normal`] of several numbers side by side.
#[inline(always)]
pub(crate) fn exp_normals<const W: usize>(x: [f64; W]) -> [f64; W] {
    let shifted: [f64; W] = several(|j| x[j] * std::f64::consts::LOG2_E + (ROUNDER + 1023.0));
    let n: [f64; W] = several(|j| shifted[j] - (ROUNDER + 1023.0));
    let high: [f64; W] = several(|j| x[j] - n[j] * LN2_HIGH);
    let r: [f64; W] = several(|j| high[j] - n[j] * LN2_LOW);
    let p = polynomials(&POLYNOMIAL, &r);
    let y: [f64; W] = several(|j| (1.0 + (r[j] + r[j] * r[j] * p[j])) * f64::from_bits(shifted[j].to_bits() << 52));
    let y: [f64; W] = several(|j| if x[j] < -708.0 { 0.0 } else { y[j] });
    several(|j| if x[j] > 709.4 { f64::INFINITY } else { y[j] })
}
