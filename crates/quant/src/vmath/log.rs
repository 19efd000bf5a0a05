//! The natural logarithm, of a number and of a quotient.

use super::exp::{LN2_HIGH, LN2_LOW};
use super::{polynomial, polynomials, several};

/// `(2 atanh(s) / s − 2) / s²` as a polynomial in `s²`, for numbers from `√½` to `√2`.
const POLYNOMIAL: [f64; 8] = [
    0.666_666_666_666_666_6,
    0.400_000_000_000_008_85,
    0.285_714_285_708_007_4,
    0.222_222_223_923_090_24,
    0.181_817_955_814_883_94,
    0.153_862_426_683_655_2,
    0.132_686_988_001_469_27,
    0.130_873_580_199_913_35,
];

const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
const ONE: u64 = 0x3ff0_0000_0000_0000;
const MANTISSA: u64 = 0x000f_ffff_ffff_ffff;
/// `2^52 + 1023`: in the low bits of `2^52` stands an integer.
const TWO_52_BIASED: f64 = 4_503_599_627_371_519.0;
const TWO_52: u64 = 0x4330_0000_0000_0000;

/// `x = 2^n m` with `m` from `√½` to `√2`, for a normal `x`.
#[inline(always)]
fn split(x: f64) -> (f64, f64) {
    let moved = x.to_bits().wrapping_add(ONE - ROOT_HALF);
    let n = f64::from_bits((moved >> 52) | TWO_52) - TWO_52_BIASED;
    (n, f64::from_bits((moved & MANTISSA) + ROOT_HALF))
}

/// `n ln 2 + 2 atanh(s)`.
#[inline(always)]
fn combine(n: f64, s: f64) -> f64 {
    let z = s * s;
    n * LN2_HIGH + (2.0 * s + (s * (z * polynomial(&POLYNOMIAL, z)) + n * LN2_LOW))
}

/// The natural logarithm, at most 1.8 units in the last place away; −∞ at 0, NaN below 0.
///
/// `ln x = n ln 2 + 2 atanh((m − 1) / (m + 1))`. Source: Cody and Waite (1980), chapter 5.
#[inline(always)]
#[must_use]
pub fn ln(x: f64) -> f64 {
    let subnormal = x < f64::MIN_POSITIVE;
    let (n, m) = split(if subnormal { x * 18_014_398_509_481_984.0 } else { x });
    let n = if subnormal { n - 54.0 } else { n };
    let y = combine(n, (m - 1.0) / (m + 1.0));
    let y = if x < f64::INFINITY { y } else { x };
    let y = if x == 0.0 { f64::NEG_INFINITY } else { y };
    if x < 0.0 { f64::NAN } else { y }
}

/// `ln(a / b)` of two positive finite numbers: where they are near each other, to 2.5 units in the last place of the
/// result, because `a − b` is then exact and the quotient is not.
#[inline(always)]
#[must_use]
pub fn ln_ratio(a: f64, b: f64) -> f64 {
    let q = a / b;
    let usual = q >= f64::MIN_POSITIVE && q < f64::INFINITY;
    let y = ln_ratio_by(a, b, q);
    if usual { y } else { ln(q) }
}

/// `ln(a / b)` where the quotient, to some units in the last place, is known already and a normal number.
#[inline(always)]
fn ln_ratio_by(a: f64, b: f64, quotient: f64) -> f64 {
    let (n, m) = split(quotient);
    let near = n == 0.0;
    let (over, under) = if near { (a - b, a + b) } else { (m - 1.0, m + 1.0) };
    combine(n, over / under)
}

/// `ln(a / b)` of several pairs of normal numbers side by side, each to 3 units in the last place.
///
/// The difference of the bits of `a` and `b` is about the logarithm to base 2 of their quotient, at most 0.09 away, so
/// that `a 2⁻ⁿ` is within a factor of 1.51 of `b` and the difference of the two is exact.
#[inline(always)]
pub(crate) fn ln_ratios_usual<const W: usize>(a: [f64; W], b: [f64; W]) -> [f64; W] {
    let mut moved = [0; W];
    for j in 0..W {
        let apart = a[j].to_bits().wrapping_sub(b[j].to_bits()).cast_signed();
        moved[j] = apart.wrapping_add(1 << 51) >> 52;
    }
    let n: [f64; W] = several(|j| moved[j] as f64);
    let c: [f64; W] = several(|j| f64::from_bits(a[j].to_bits().wrapping_sub(moved[j].cast_unsigned() << 52)));
    let s: [f64; W] = several(|j| (c[j] - b[j]) / (c[j] + b[j]));
    let z: [f64; W] = several(|j| s[j] * s[j]);
    let p = polynomials(&POLYNOMIAL, &z);
    several(|j| n[j] * LN2_HIGH + (2.0 * s[j] + (s[j] * (z[j] * p[j]) + n[j] * LN2_LOW)))
}
