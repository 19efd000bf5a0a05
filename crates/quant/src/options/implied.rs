//! Implied volatility of Black's formula, to the last digits that the premium has.
//!
//! The premium is reduced to one out of the money and without units (Jäckel 2015, "Let's be rational", section 2). The
//! first guess inverts the formula with Pólya's approximation of the normal distribution (Stefanica and Radoičić 2017,
//! "An explicit implied volatility formula"): within 6 %. Householder's iteration of third order then works on the
//! logarithm of the premium below `d₁ = 0.7` and on the logarithm of its distance from the upper bound above; each step
//! raises the relative error to about its fourth power (6 % → 1e-6 → rounding). Both logarithms come without an
//! exponential from the tails of [`Points`], which do not cancel. Two steps suffice but for premiums below about 1e-12 of the
//! underlying, which take a few more.

use super::normalised::{Points, UPPER, divided_differences, divided_differences_roughly, points};
use super::{BLOCK, Right, blocks, load, store};
use crate::vmath::{exp_normal, exp_normals, ln, ln_ratios_usual, several, widest};
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
    let r = reduce(right.sign(), premium, forward, strike, ln_ratios_usual([forward], [strike])[0]);
    let (w, beyond) = invert(&r, exp_normal(-FRAC_2_PI * r.x));
    let first = start(&r, ln_ratios_usual([w], [1.0])[0], beyond);
    let (s, _) = step(&r, first, true);
    let p = at(&r, s);
    let ([value], [slope]) = divided_differences([p.tau1], [p.tau2]);
    let (s, last) = polish(&r, s, exp_normal(exponent(&r, s)), p.combine(s, value, slope).2);
    let s = if last < SMALL_STEP { s } else { patient(&r, first) };
    finish(&r, s, years)
}

#[inline(always)]
fn reduce(sign: f64, premium: f64, forward: f64, strike: f64, moneyness: f64) -> Reduced {
    let scale = 1.0 / (forward * strike).sqrt();
    let (f, k) = (forward * scale, strike * scale);
    let difference = sign * (forward - strike);
    let out = if difference > 0.0 { premium - difference } else { premium };
    let (bound, floor) = if f < k { (f, k) } else { (k, f) };
    Reduced { x: -moneyness.abs(), price: out * scale, bound, inverse: floor }
}

/// Pólya's formula solved for `w = e^(−2 m / π)`, and whether the answer is the larger root (above 0). `p = e^(−2 x / π)`.
#[inline(always)]
fn invert(r: &Reduced, p: f64) -> (f64, f64) {
    let (e2, i2) = (r.bound * r.bound, r.inverse * r.inverse);
    let q = 1.0 / p;
    let whole = r.price + 0.5 * (r.inverse - r.bound);
    let square = 4.0 * whole * whole;
    let a = square - e2 - i2;
    let k = p * e2 + q * i2;
    let middle = a * k + 2.0 * (p + q);
    let under = middle * middle - (k * k - 4.0) * (a * a - 4.0);
    let w = (4.0 - a * a) / (middle + (if under > 0.0 { under } else { 0.0 }).sqrt());
    (if w > 0.0 { w } else { f64::NAN }, square - i2 * (1.0 - q * q))
}

/// A first guess of `s = σ√T`, within 6 % of it for premiums above 1e-12 or so; possibly useless below.
/// At least `√(2π) β`, which is the answer at the money and a lower bound everywhere.
#[inline(always)]
fn start(r: &Reduced, ln_w: f64, beyond: f64) -> f64 {
    let m = -FRAC_PI_2 * ln_w;
    let inner = m * m - r.x * r.x;
    let sum = m + (if inner > 0.0 { inner } else { 0.0 }).sqrt();
    let s = if beyond > 0.0 { 2.0 * sum } else { 2.0 * r.x * r.x / sum }.sqrt();
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
fn objective(h: f64, s: f64, per_s: f64, upper: bool, mix: f64, f: f64) -> Objective {
    let per_slope = (if upper { -0.5 * SQRT_2PI } else { 0.5 * SQRT_2PI }) * mix;
    let newton = -f * per_slope;
    let h2 = h * h * per_s;
    let c = h2 - 0.25 * s;
    let second = c * newton;
    let third = (c * c - 3.0 * h2 * per_s - 0.25) * newton * newton;
    Objective { newton, second: second + f, third: third + f * (3.0 * second + 2.0 * f) }
}

/// The part of the premium that `s` is compared by: itself, or its distance from the bound above.
#[inline(always)]
fn target(r: &Reduced, upper: bool) -> f64 {
    if upper { r.bound - r.price } else { r.price }
}

/// [`points`] of a volatility.
#[inline(always)]
fn at(r: &Reduced, s: f64) -> Points {
    points(r.x / s, s)
}

/// `−(h² + t²) / 2`.
#[inline(always)]
fn exponent(r: &Reduced, s: f64) -> f64 {
    let (h, t) = (r.x / s, 0.5 * s);
    -0.5 * (h * h + t * t)
}

/// One step of Householder's third order: the new `s`, and its distance from the old one relative to it.
#[inline(always)]
fn step(r: &Reduced, s: f64, rough: bool) -> (f64, f64) {
    let p = at(r, s);
    let (a, b) = ([p.tau1], [p.tau2]);
    let ([value], [slope]) = if rough { divided_differences_roughly(a, b) } else { divided_differences(a, b) };
    let mix = p.combine(s, value, slope).2;
    let [ln_ratio] = ln_ratios_usual([0.5 * mix], [target(r, p.d1 > UPPER)]);
    householder(r, s, p.d1 > UPPER, mix, ln_ratio)
}

/// The step of [`step`], where the tails and `ln(½ mix / target)` are known.
#[inline(always)]
fn householder(r: &Reduced, s: f64, upper: bool, mix: f64, ln_ratio: f64) -> (f64, f64) {
    let per_s = 1.0 / s;
    let h = r.x * per_s;
    let t = 0.5 * s;
    let o = objective(h, s, per_s, upper, mix, ln_ratio - 0.5 * (h * h + t * t));
    let moved = o.newton * (1.0 + 0.5 * o.second) / (1.0 + o.second + o.third * (1.0 / 6.0));
    (s + moved, moved.abs() * per_s)
}

/// The last step, for an `s` that is nearly right: logarithm and quotient are short series. The second number says how
/// nearly: the error left is below its fourth power. `grown` is the exponential of [`exponent`].
#[inline(always)]
fn polish(r: &Reduced, s: f64, grown: f64, mix: f64) -> (f64, f64) {
    let per_s = 1.0 / s;
    let h = r.x * per_s;
    let upper = h + 0.5 * s > UPPER;
    let target = target(r, upper);
    let e = (0.5 * mix * grown - target) / target;
    let f = e * (1.0 - e * (1.0 / 2.0 - e * (1.0 / 3.0 - e * (1.0 / 4.0 - e * (1.0 / 5.0)))));
    let o = objective(h, s, per_s, upper, mix, f);
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

/// Options that a stage works on side by side, and the parts of a block that they come from.
const WIDE: usize = 4;
const PART: usize = BLOCK / WIDE;

/// What the stages of a block hand on.
#[repr(align(64))]
struct Work {
    x: [f64; BLOCK],
    price: [f64; BLOCK],
    bound: [f64; BLOCK],
    inverse: [f64; BLOCK],
    beyond: [f64; BLOCK],
    s: [f64; BLOCK],
    first: [f64; BLOCK],
    last: [f64; BLOCK],
    d1: [f64; BLOCK],
    both: [f64; BLOCK],
    r1: [f64; BLOCK],
    r2: [f64; BLOCK],
    tau1: [f64; BLOCK],
    tau2: [f64; BLOCK],
    value: [f64; BLOCK],
    slope: [f64; BLOCK],
    mix: [f64; BLOCK],
    /// What goes into an exponential or a logarithm, and comes out.
    a: [f64; BLOCK],
    b: [f64; BLOCK],
}

impl Work {
    const fn new() -> Self {
        let o = [0.0; BLOCK];
        Self {
            x: o,
            price: o,
            bound: o,
            inverse: o,
            beyond: o,
            s: o,
            first: o,
            last: o,
            d1: o,
            both: o,
            r1: o,
            r2: o,
            tau1: o,
            tau2: o,
            value: o,
            slope: o,
            mix: o,
            a: o,
            b: o,
        }
    }

    #[inline(always)]
    fn row(&self, i: usize) -> Reduced {
        Reduced { x: self.x[i], price: self.price[i], bound: self.bound[i], inverse: self.inverse[i] }
    }

    /// `a = e^a`.
    #[inline(always)]
    fn exponentials(&mut self) {
        for i in 0..PART {
            let y = exp_normals::<WIDE>(several(|j| self.a[i + j * PART]));
            for j in 0..WIDE {
                self.a[i + j * PART] = y[j];
            }
        }
    }

    /// `a = ln(a / b)`.
    #[inline(always)]
    fn logarithms(&mut self) {
        for i in 0..PART {
            let (a, b) = (several(|j| self.a[i + j * PART]), several(|j| self.b[i + j * PART]));
            let y = ln_ratios_usual::<WIDE>(a, b);
            for j in 0..WIDE {
                self.a[i + j * PART] = y[j];
            }
        }
    }

    /// `mix` at `s`.
    #[inline(always)]
    fn mixes(&mut self, rough: bool) {
        const HALF: usize = BLOCK / 2;
        for i in 0..BLOCK {
            let p = at(&self.row(i), self.s[i]);
            (self.d1[i], self.both[i]) = (p.d1, p.both);
            (self.r1[i], self.r2[i], self.tau1[i], self.tau2[i]) = (p.r1, p.r2, p.tau1, p.tau2);
        }
        for i in 0..HALF {
            let (a, b) = ([self.tau1[i], self.tau1[i + HALF]], [self.tau2[i], self.tau2[i + HALF]]);
            let (value, slope) = if rough { divided_differences_roughly(a, b) } else { divided_differences(a, b) };
            [self.value[i], self.value[i + HALF]] = value;
            [self.slope[i], self.slope[i + HALF]] = slope;
        }
        for i in 0..BLOCK {
            let p = Points {
                d1: self.d1[i],
                both: self.both[i],
                r1: self.r1[i],
                r2: self.r2[i],
                tau1: self.tau1[i],
                tau2: self.tau2[i],
            };
            self.mix[i] = p.combine(self.s[i], self.value[i], self.slope[i]).2;
        }
    }
}

impl WithSimd for Invert<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { options: o, vol } = self;
        let mut w = Work::new();
        for (start_at, length) in blocks(vol.len()) {
            let sign = load(o.right, start_at, length, Right::Call).map(Right::sign);
            let premium = load(o.premium, start_at, length, 0.1);
            w.a = load(o.forward, start_at, length, 1.0);
            w.b = load(o.strike, start_at, length, 1.0);
            let (forward, strike) = (w.a, w.b);
            let years = load(o.years, start_at, length, 1.0);
            w.logarithms();
            for i in 0..BLOCK {
                let r = reduce(sign[i], premium[i], forward[i], strike[i], w.a[i]);
                (w.x[i], w.price[i], w.bound[i], w.inverse[i]) = (r.x, r.price, r.bound, r.inverse);
                w.a[i] = -FRAC_2_PI * r.x;
            }
            w.exponentials();
            for i in 0..BLOCK {
                (w.a[i], w.beyond[i]) = invert(&w.row(i), w.a[i]);
                w.b[i] = 1.0;
            }
            w.logarithms();
            for i in 0..BLOCK {
                w.first[i] = start(&w.row(i), w.a[i], w.beyond[i]);
                w.s[i] = w.first[i];
            }
            w.mixes(true);
            for i in 0..BLOCK {
                w.a[i] = 0.5 * w.mix[i];
                w.b[i] = target(&w.row(i), w.d1[i] > UPPER);
            }
            w.logarithms();
            for i in 0..BLOCK {
                (w.s[i], _) = householder(&w.row(i), w.s[i], w.d1[i] > UPPER, w.mix[i], w.a[i]);
            }
            w.mixes(false);
            for i in 0..BLOCK {
                w.a[i] = exponent(&w.row(i), w.s[i]);
            }
            w.exponentials();
            for i in 0..BLOCK {
                (w.s[i], w.last[i]) = polish(&w.row(i), w.s[i], w.a[i], w.mix[i]);
            }
            for i in 0..length {
                if !(w.last[i] < SMALL_STEP) {
                    w.s[i] = patient(&w.row(i), w.first[i]);
                }
            }
            for i in 0..BLOCK {
                w.s[i] = finish(&w.row(i), w.s[i], years[i]);
            }
            store(vol, start_at, length, &w.s);
        }
    }
}
