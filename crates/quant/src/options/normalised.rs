//! Black's formula without units, the one kernel under prices, Greeks and implied volatilities.
//!
//! For `x = ln(F / K) ≤ 0` and `s = σ√T`, with `h = x / s`, `t = s / 2`, `d₁ = h + t`, `d₂ = h − t`:
//! `b(x, s) = e^(x/2) Φ(d₁) − e^(−x/2) Φ(d₂)`, the undiscounted call over `√(F K)`, after Jäckel (2015), "Let's be
//! rational", equation 2.3. With `w(u) = erfcx(u)` it is `½ E (w(−d₁/√2) − w(−d₂/√2))`, `E = e^(−(h²+t²)/2)`. The
//! difference loses every digit for small `t`; his four zones are avoided by dividing it out: `w(u) = r P(1 − 7 r)` with
//! `r = 1 / (u + 4)`, hence
//! `w(u₁) − w(u₂) = (u₂ − u₁) r₁ r₂ (P(τ₁) − 7 r₂ P[τ₁, τ₂])`, where `u₂ − u₁ = s / √2` exactly, the divided difference
//! `P[τ₁, τ₂]` costs one more Horner scheme, and both terms are positive. Nothing cancels, at the money or in the wings.

use crate::vmath::{OFFSET, SCALED, SCALED_ROUGHLY, SPAN};
use std::f64::consts::FRAC_1_SQRT_2;

/// Above this `d₁` the price is taken as `e^(x/2)` less a remainder, `½ E (w(d₁/√2) + w(−d₂/√2))`.
const UPPER: f64 = 0.7;

/// The two scaled tails of an option out of the money.
#[derive(Clone, Copy)]
pub(super) struct Tails {
    pub(super) h: f64,
    pub(super) t: f64,
    /// `d₁` is above [`UPPER`].
    pub(super) upper: bool,
    /// `erfcx(d₁/√2)` if `upper`, else `erfcx(−d₁/√2)`.
    pub(super) first: f64,
    /// `erfcx(−d₂/√2)`.
    pub(super) second: f64,
    /// `first + second` if `upper`, else `erfcx(−d₁/√2) − erfcx(−d₂/√2)`; positive.
    pub(super) mix: f64,
}

/// For `h = x / s ≤ 0`, `s > 0`.
#[inline(always)]
pub(super) fn tails(h: f64, s: f64) -> Tails {
    tails_by(&PAIRS, h, s)
}

/// [`tails`] to about 1e-5.
#[inline(always)]
pub(super) fn tails_roughly(h: f64, s: f64) -> Tails {
    tails_by(&PAIRS_ROUGHLY, h, s)
}

#[inline(always)]
fn tails_by<const N: usize>(pairs: &[[f64; 2]; N], h: f64, s: f64) -> Tails {
    let t = 0.5 * s;
    let d1 = h + t;
    let upper = d1 > UPPER;
    let u1 = if upper { d1 } else { -d1 } * FRAC_1_SQRT_2;
    let u2 = (t - h) * FRAC_1_SQRT_2;
    let (y1, y2) = (u1 + OFFSET, u2 + OFFSET);
    let both = 1.0 / (y1 * y2);
    let (r1, r2) = (both * y2, both * y1);
    let (tau1, tau2) = (1.0 - SPAN * r1, 1.0 - SPAN * r2);
    let (value, slope) = divided_difference(pairs, tau1, tau2);
    let first = r1 * value;
    let second = r2 * (value - (tau1 - tau2) * slope);
    let apart = s * FRAC_1_SQRT_2 * both * (value - SPAN * r2 * slope);
    Tails { h, t, upper, first, second, mix: if upper { first + second } else { apart } }
}

/// `P(a)` and `(P(a) − P(b)) / (a − b)`, the derivative where `a = b`, for the polynomial of `erfcx`.
///
/// Even and odd powers apart, `P(a) = A(a²) + a B(a²)`: four short chains of products instead of two long ones.
#[inline(always)]
fn divided_difference<const N: usize>(pairs: &[[f64; 2]; N], a: f64, b: f64) -> (f64, f64) {
    let (a2, b2) = (a * a, b * b);
    let (mut even, mut even_slope, mut odd, mut odd_slope) = (0.0, 0.0, 0.0, 0.0);
    for [c, d] in pairs.iter().rev() {
        even_slope = even_slope * b2 + even;
        odd_slope = odd_slope * b2 + odd;
        even = even * a2 + c;
        odd = odd * a2 + d;
    }
    (even + a * odd, odd + (a + b) * (even_slope + b * odd_slope))
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
    let (value, slope) = divided_difference(&PAIRS, tau, tau);
    r * r * (value - SPAN * r * slope)
}
