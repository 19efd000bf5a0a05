//! Implied volatility of Black's formula, to the last digits that the premium has.
//!
//! The premium is reduced to one out of the money and without units (Jäckel 2015, "Let's be rational", section 2). The
//! first guess inverts the formula with Pólya's approximation of the normal distribution (Stefanica and Radoičić 2017,
//! "An explicit implied volatility formula"): within 6 %. Householder's iteration of third order then works on the
//! logarithm of the premium below `d₁ = 0.7` and on the logarithm of its distance from the upper bound above; each step
//! raises the relative error to about its fourth power (6 % → 1e-6 → rounding). Both logarithms come without an
//! exponential from [`tails`], which does not cancel. Two steps suffice but for premiums below about 1e-12 of the
//! underlying, which take a few more.

use super::normalised::{Tails, tails, tails_roughly};
use super::{BLOCK, Right, blocks, load, store};
use crate::vmath::{exp, ln, ln_ratio_by, widest};
use pulp::{Simd, WithSimd};
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

const SQRT_2PI: f64 = 2.506_628_274_631_000_7;
/// A last step smaller than this leaves an error below its fourth power.
const SMALL_STEP: f64 = 1e-4;
const MOST_STEPS: usize = 64;

/// A premium without units: `x = −|ln(F / K)|`, its part out of the money over `√(F K)`, and the bound of that part.
#[derive(Clone, Copy)]
struct Reduced {
    x: f64,
    price: f64,
    /// `√(min(F, K) / max(F, K))`.
    bound: f64,
    /// One over the bound.
    inverse: f64,
}

/// The volatility at which an option on a forward price has this premium.
///
/// `premium` is undiscounted (premium over the discount factor), in units of the forward; `years` above 0. 0 if the
/// premium is the intrinsic value. NaN where there is none: below the intrinsic value, at or above the forward (a call) or
/// the strike (a put), a price that is not positive, and for NaN. In the money the digits of the premium that exceed the
/// intrinsic value decide.
#[must_use]
pub fn implied_vol(right: Right, premium: f64, forward: f64, strike: f64, years: f64) -> f64 {
    let reduced = reduce(right.sign(), premium, forward, strike);
    let first = start(&reduced);
    let (s, _) = step(&reduced, first, true);
    let (s, last) = polish(&reduced, s);
    let s = if last < SMALL_STEP { s } else { patient(&reduced, first) };
    finish(&reduced, s, years)
}

#[inline(always)]
fn reduce(sign: f64, premium: f64, forward: f64, strike: f64) -> Reduced {
    let scale = 1.0 / (forward * strike).sqrt();
    let (f, k) = (forward * scale, strike * scale);
    let moneyness = ln_ratio_by(forward, strike, f * f);
    let difference = sign * (forward - strike);
    let out = if difference > 0.0 { premium - difference } else { premium };
    let (bound, floor) = if f < k { (f, k) } else { (k, f) };
    Reduced { x: -moneyness.abs(), price: out * scale, bound, inverse: floor }
}

/// A first guess of `s = σ√T`, within 6 % of it for premiums above 1e-12 or so; possibly useless below.
/// At least `√(2π) β`, which is the answer at the money and a lower bound everywhere.
#[inline(always)]
fn start(r: &Reduced) -> f64 {
    let (e2, i2) = (r.bound * r.bound, r.inverse * r.inverse);
    let p = exp(-FRAC_2_PI * r.x);
    let q = 1.0 / p;
    let whole = r.price + 0.5 * (r.inverse - r.bound);
    let square = 4.0 * whole * whole;
    let a = square - e2 - i2;
    let k = p * e2 + q * i2;
    let middle = a * k + 2.0 * (p + q);
    let under = middle * middle - (k * k - 4.0) * (a * a - 4.0);
    let w = (4.0 - a * a) / (middle + (if under > 0.0 { under } else { 0.0 }).sqrt());
    let m = -FRAC_PI_2 * ln(w);
    let inner = m * m - r.x * r.x;
    let root = (if inner > 0.0 { inner } else { 0.0 }).sqrt();
    let upper = square > i2 * (1.0 - q * q);
    let s2 = if upper { 2.0 * (m + root) } else { 2.0 * r.x * r.x / (m + root) };
    let s = s2.sqrt();
    let least = SQRT_2PI * r.price;
    if s > least { s } else { least }
}

/// `f = ln b(s) − ln β`, or `ln(bound − b(s)) − ln(bound − β)` above, with what Householder's step needs of it.
#[derive(Clone, Copy)]
struct Objective {
    /// Newton's step, and its products with the ratios of the derivatives: `f″/f′ · n` and `f‴/f′ · n²`.
    newton: f64,
    second: f64,
    third: f64,
}

/// `ratio` is `½ mix / target`, `f` the objective; the slope of it is `±1 / (√(2π) ½ mix)` and needs no exponential.
#[inline(always)]
fn objective(h: f64, s: f64, per_s: f64, w: &Tails, f: f64) -> Objective {
    let per_slope = (if w.upper { -0.5 * SQRT_2PI } else { 0.5 * SQRT_2PI }) * w.mix;
    let newton = -f * per_slope;
    let h2 = h * h * per_s;
    let c = h2 - 0.25 * s;
    let second = c * newton;
    let third = (c * c - 3.0 * h2 * per_s - 0.25) * newton * newton;
    Objective { newton, second: second + f, third: third + f * (3.0 * second + 2.0 * f) }
}

/// One step of Householder's third order: the new `s`, and its distance from the old one relative to it.
#[inline(always)]
fn step(r: &Reduced, s: f64, rough: bool) -> (f64, f64) {
    let per_s = 1.0 / s;
    let h = r.x * per_s;
    let w = if rough { tails_roughly(h, s) } else { tails(h, s) };
    let target = if w.upper { r.bound - r.price } else { r.price };
    let o = objective(h, s, per_s, &w, ln(0.5 * w.mix / target) - 0.5 * (h * h + w.t * w.t));
    let moved = o.newton * (1.0 + 0.5 * o.second) / (1.0 + o.second + o.third * (1.0 / 6.0));
    (s + moved, moved.abs() * per_s)
}

/// The last step, for an `s` that is nearly right: logarithm and quotient are short series. The second number says how
/// nearly: the error left is below its fourth power.
#[inline(always)]
fn polish(r: &Reduced, s: f64) -> (f64, f64) {
    let per_s = 1.0 / s;
    let h = r.x * per_s;
    let w = tails(h, s);
    let target = if w.upper { r.bound - r.price } else { r.price };
    let value = 0.5 * w.mix * exp(-0.5 * (h * h + w.t * w.t));
    let e = (value - target) / target;
    let f = e * (1.0 - e * (1.0 / 2.0 - e * (1.0 / 3.0 - e * (1.0 / 4.0 - e * (1.0 / 5.0)))));
    let o = objective(h, s, per_s, &w, f);
    let moved = o.newton * (1.0 + o.second * (0.5 * o.second - 0.5) - o.third * (1.0 / 6.0));
    let size = moved.abs() * per_s;
    (s + moved, if size > 0.1 * e.abs() { size } else { 0.1 * e.abs() })
}

/// Steps until they are small; one that leaves the bracket is replaced by a bisection in `ln s`.
#[cold]
#[inline(never)]
fn patient(r: &Reduced, first: f64) -> f64 {
    let (mut low, mut high) = (SQRT_2PI * r.price, 1e4);
    let wing = asymptotic(r);
    let wing = if wing > low { wing } else { low };
    let mut s = if first < 100.0 && r.price > 1e-12 { first } else { wing };
    for _ in 0..MOST_STEPS {
        let (next, relative) = step(r, s, false);
        if relative < SMALL_STEP {
            return next;
        }
        if next > s {
            low = s;
        } else {
            high = s;
        }
        s = if next > low && next < high { next } else { (low * high).sqrt() };
    }
    s
}

/// Far out of the money: `ln β ≈ −(h² + t²) / 2`, the smaller root for `s`.
fn asymptotic(r: &Reduced) -> f64 {
    let m = -2.0 * ln(r.price);
    let m = if m > -r.x { m } else { -r.x };
    (2.0 * r.x * r.x / (m + (m * m - r.x * r.x).sqrt())).sqrt()
}

#[inline(always)]
fn finish(r: &Reduced, s: f64, years: f64) -> f64 {
    let vol = s / years.sqrt();
    let vol = if r.price == 0.0 { 0.0 } else { vol };
    if r.price >= 0.0 && r.price < r.bound && years > 0.0 { vol } else { f64::NAN }
}

/// Premiums to be inverted, as columns of one length. Units as in [`implied_vol`].
#[derive(Clone, Copy, Debug)]
pub struct PremiumColumns<'a> {
    /// Calls and puts.
    pub right: &'a [Right],
    /// Undiscounted premiums.
    pub premium: &'a [f64],
    /// Forward prices.
    pub forward: &'a [f64],
    /// Strikes.
    pub strike: &'a [f64],
    /// Years to expiry.
    pub years: &'a [f64],
}

/// Implied volatilities of a column of premiums, the bits of [`implied_vol`].
///
/// # Panics
/// If the columns differ in length.
pub fn implied_vols(options: PremiumColumns<'_>, vol: &mut [f64]) {
    let n = options.right.len();
    let columns = [options.premium, options.forward, options.strike, options.years, vol];
    assert!(columns.iter().all(|c| c.len() == n), "option columns of one length");
    widest(Invert { options, vol });
}

struct Invert<'a> {
    options: PremiumColumns<'a>,
    vol: &'a mut [f64],
}

impl WithSimd for Invert<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { options: o, vol } = self;
        let zero = [0.0; BLOCK];
        let (mut x, mut price, mut bound, mut inverse) = (zero, zero, zero, zero);
        let (mut s, mut last) = (zero, zero);
        for (at, length) in blocks(vol.len()) {
            let sign = load(o.right, at, length, Right::Call).map(Right::sign);
            let premium = load(o.premium, at, length, 0.1);
            let forward = load(o.forward, at, length, 1.0);
            let strike = load(o.strike, at, length, 1.0);
            let years = load(o.years, at, length, 1.0);
            for i in 0..BLOCK {
                let r = reduce(sign[i], premium[i], forward[i], strike[i]);
                (x[i], price[i], bound[i], inverse[i]) = (r.x, r.price, r.bound, r.inverse);
            }
            let row = |i: usize| Reduced { x: x[i], price: price[i], bound: bound[i], inverse: inverse[i] };
            for i in 0..BLOCK {
                s[i] = start(&row(i));
            }
            let first = s;
            for i in 0..BLOCK {
                (s[i], _) = step(&row(i), s[i], true);
            }
            for i in 0..BLOCK {
                (s[i], last[i]) = polish(&row(i), s[i]);
            }
            for i in 0..length {
                if !(last[i] < SMALL_STEP) {
                    s[i] = patient(&row(i), first[i]);
                }
            }
            for i in 0..BLOCK {
                s[i] = finish(&row(i), s[i], years[i]);
            }
            store(vol, at, length, &s);
        }
    }
}
