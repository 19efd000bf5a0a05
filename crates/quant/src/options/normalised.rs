//! Black's formula without units, the one kernel under prices, Greeks and implied volatilities.
//!
//! For `x = ln(F / K) ≤ 0` and `s = σ√T`, with `h = x / s`, `t = s / 2`, `d₁ = h + t`, `d₂ = h − t`:
//! `b(x, s) = e^(x/2) Φ(d₁) − e^(−x/2) Φ(d₂)`, the undiscounted call over `√(F K)`, after Jäckel (2015), "Let's be
//! rational", equation 2.3. With `w(u) = erfcx(u)` it is `½ E (w(−d₁/√2) − w(−d₂/√2))`, `E = e^(−(h²+t²)/2)`. The
//! difference loses every digit for small `t`; his four zones are avoided by dividing it out: `w(u) = r P(1 − 7 r)` with
//! `r = 1 / (u + 4)`, hence
//! `w(u₁) − w(u₂) = (u₂ − u₁) r₁ r₂ (P(τ₁) − 7 r₂ P[τ₁, τ₂])`, where `u₂ − u₁ = s / √2` exactly, the divided difference
//! `P[τ₁, τ₂]` costs one more Horner scheme, and both terms are positive. Nothing cancels, at the money or in the wings.

use crate::vmath::{OFFSET, SCALED, SCALED_ROUGHLY, SPAN, several};
use std::f64::consts::FRAC_1_SQRT_2;

/// Above this `d₁` the price is taken as `e^(x/2)` less a remainder, `½ E (w(d₁/√2) + w(−d₂/√2))`.
pub(super) const UPPER: f64 = 0.7;

/// Where the polynomial of `erfcx` is taken for an option.
#[derive(Clone, Copy)]
pub(super) struct Points {
    /// `h + s / 2`.
    pub(super) d1: f64,
    /// `r1 r2`.
    pub(super) both: f64,
    pub(super) r1: f64,
    pub(super) r2: f64,
    pub(super) tau1: f64,
    pub(super) tau2: f64,
}

/// For `h = x / s ≤ 0`, `s > 0`.
#[inline(always)]
pub(super) fn points(h: f64, s: f64) -> Points {
    let t = 0.5 * s;
    let d1 = h + t;
    let u1 = if d1 > UPPER { d1 } else { -d1 } * FRAC_1_SQRT_2;
    let u2 = (t - h) * FRAC_1_SQRT_2;
    let (y1, y2) = (u1 + OFFSET, u2 + OFFSET);
    let both = 1.0 / (y1 * y2);
    let (r1, r2) = (both * y2, both * y1);
    Points { d1, both, r1, r2, tau1: 1.0 - SPAN * r1, tau2: 1.0 - SPAN * r2 }
}

impl Points {
    /// `erfcx(±d₁/√2)` with the sign that makes the argument small, `erfcx(−d₂/√2)`, and what the premium is made of:
    /// their sum above [`UPPER`], the first less the second below, positive either way. `value` is the polynomial's at
    /// `tau1`, `slope` its divided difference.
    #[inline(always)]
    pub(super) fn combine(&self, s: f64, value: f64, slope: f64) -> (f64, f64, f64) {
        let Self { d1, both, r1, r2, tau1, tau2 } = *self;
        let first = r1 * value;
        let second = r2 * (value - (tau1 - tau2) * slope);
        let apart = s * FRAC_1_SQRT_2 * both * (value - SPAN * r2 * slope);
        (first, second, if d1 > UPPER { first + second } else { apart })
    }
}

/// `P(a)` and `(P(a) − P(b)) / (a − b)`, the derivative where `a = b`, for the polynomial of `erfcx`.
#[inline(always)]
pub(super) fn divided_differences<const W: usize>(a: [f64; W], b: [f64; W]) -> ([f64; W], [f64; W]) {
    halves(&PAIRS, a, b)
}

/// [`divided_differences`] to about 1e-5.
#[inline(always)]
pub(super) fn divided_differences_roughly<const W: usize>(a: [f64; W], b: [f64; W]) -> ([f64; W], [f64; W]) {
    halves(&PAIRS_ROUGHLY, a, b)
}

/// Even and odd powers apart, `P(a) = A(a²) + a B(a²)`: four short chains of products instead of two long ones.
#[inline(always)]
fn halves<const N: usize, const W: usize>(pairs: &[[f64; 2]; N], a: [f64; W], b: [f64; W]) -> ([f64; W], [f64; W]) {
    const { assert!(N > 2) };
    let a2: [f64; W] = several(|j| a[j] * a[j]);
    let b2: [f64; W] = several(|j| b[j] * b[j]);
    let ([even, odd], [c, d]) = (pairs[N - 1], pairs[N - 2]);
    let (mut even_slope, mut odd_slope) = ([even; W], [odd; W]);
    let (mut even, mut odd): ([f64; W], [f64; W]) = (several(|j| even * a2[j] + c), several(|j| odd * a2[j] + d));
    for [c, d] in pairs[..N - 2].iter().rev() {
        for j in 0..W {
            even_slope[j] = even_slope[j] * b2[j] + even[j];
            odd_slope[j] = odd_slope[j] * b2[j] + odd[j];
            even[j] = even[j] * a2[j] + c;
            odd[j] = odd[j] * a2[j] + d;
        }
    }
    (several(|j| even[j] + a[j] * odd[j]), several(|j| odd[j] + (a[j] + b[j]) * (even_slope[j] + b[j] * odd_slope[j])))
}

const PAIRS: [[f64; 2]; 13] = pairs(&SCALED);
const PAIRS_ROUGHLY: [[f64; 2]; 6] = pairs(&SCALED_ROUGHLY);

/// The coefficient of an even power beside that of the odd one after it.
const fn pairs<const N: usize, const HALF: usize>(coefficients: &[f64; N]) -> [[f64; 2]; HALF] {
    let mut pairs = [[0.0; 2]; HALF];
    let mut i = 0;
    while i < HALF {
        pairs[i] = [coefficients[2 * i], coefficients[2 * i + 1]];
        i += 1;
    }
    pairs
}

/// `−erfcx′(u) = 2/√π − 2 u erfcx(u)` for `u ≥ −½`, without the cancellation of the two.
#[inline(always)]
pub(super) fn falling(u: f64) -> f64 {
    let r = 1.0 / (u + OFFSET);
    let tau = 1.0 - SPAN * r;
    let (value, slope) = single(&PAIRS, tau, tau);
    r * r * (value - SPAN * r * slope)
}

#[inline(always)]
fn single<const N: usize>(pairs: &[[f64; 2]; N], a: f64, b: f64) -> (f64, f64) {
    let ([value], [slope]) = halves(pairs, [a], [b]);
    (value, slope)
}
