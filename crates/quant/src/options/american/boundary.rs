//! The exercise boundary of puts with a strike of one, `L` of them side by side.

use super::super::European;
use super::super::Right;
use super::scheme::{AmericanScheme, MOST_NODES, Point};
use crate::vmath::{OFFSET, SCALED, SCALED_ROUGHLY, SPAN, exp, ln, polynomial};
use std::f64::consts::FRAC_1_SQRT_2;

const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// The share of a step that is taken. Whole ones overshoot by up to 0.45 of the error; of 0.7, 0.8 and 1 this one leaves
/// the least over the 321 options of the oracle table (2.5e-5 of the strike after two steps, 4.9e-5 with whole ones).
const DAMPING: f64 = 0.8;

/// A put with a strike of one; `scale` is what its value counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Put {
    pub(super) ratio: f64,
    pub(super) scale: f64,
    pub(super) rate: f64,
    pub(super) dividend_yield: f64,
    pub(super) vol: f64,
    pub(super) years: f64,
}

/// `(Φ(d), √(2π) φ(d))`.
#[inline(always)]
fn normal<const ROUGH: bool>(d: f64) -> (f64, f64) {
    let density = exp(-0.5 * d * d);
    let r = 1.0 / (d.abs() * FRAC_1_SQRT_2 + OFFSET);
    let tau = 1.0 - SPAN * r;
    let tail = 0.5 * density * r * if ROUGH { polynomial(&SCALED_ROUGHLY, tau) } else { polynomial(&SCALED, tau) };
    (if d > 0.0 { 1.0 - tail } else { tail }, density)
}

/// Values of American puts. What [`super::usual`] excludes gives a number without meaning.
#[inline(always)]
pub(super) fn puts<const L: usize>(
    scheme: &AmericanScheme,
    ratio: &[f64; L],
    rate: &[f64; L],
    dividends: &[f64; L],
    vol: &[f64; L],
    years: &[f64; L],
) -> [f64; L] {
    let (r, q) = (rate, dividends);
    let mut ln_x = [0.0; L];
    let mut root = [0.0; L];
    for i in 0..L {
        ln_x[i] = if q[i] > r[i] { ln(r[i] / q[i]) } else { 0.0 };
        root[i] = years[i].sqrt();
    }
    // √(ln²(B / X)) = ln(X / B) at the nodes, and its squares.
    let mut fall = [[0.0; L]; MOST_NODES];
    let mut squares = [[0.0; L]; MOST_NODES];
    let mut last = [0.0; L];
    let mut before = 0.0;
    for (node, part) in scheme.nodes.iter().enumerate().rev() {
        // The boundary falls about with the root of time.
        let growth = if before > 0.0 { part / before } else { 0.0 };
        before = *part;
        for i in 0..L {
            let root_tau = part * root[i];
            let start = if growth > 0.0 { growth * last[i] } else { 2.5 * vol[i] * root_tau };
            last[i] = qd_plus(r[i], q[i], vol[i], root_tau, ln_x[i], start);
            fall[node][i] = last[i];
            squares[node][i] = last[i] * last[i];
        }
    }
    for _ in 0..scheme.steps {
        for (node, part) in scheme.nodes.iter().enumerate() {
            let f = if scheme.rough {
                improve::<L, true>(&scheme.inner[node], *part, r, q, vol, &root, &ln_x, &fall[node], &squares)
            } else {
                improve::<L, false>(&scheme.inner[node], *part, r, q, vol, &root, &ln_x, &fall[node], &squares)
            };
            fall[node] = f;
        }
        for (s, f) in squares.iter_mut().zip(&fall).take(scheme.nodes.len()) {
            for i in 0..L {
                s[i] = f[i] * f[i];
            }
        }
    }
    let premium = if scheme.rough {
        premium::<L, true>(&scheme.outer, ratio, r, q, vol, &root, &ln_x, &squares)
    } else {
        premium::<L, false>(&scheme.outer, ratio, r, q, vol, &root, &ln_x, &squares)
    };
    let mut value = [0.0; L];
    for i in 0..L {
        let put = European::on_spot(Right::Put, ratio[i], 1.0, years[i], r[i], q[i], vol[i]);
        let held = put.premium() + premium[i];
        let now = 1.0 - ratio[i];
        let exercised = ratio[i] <= exp(ln_x[i] - fall[0][i]);
        value[i] = if exercised || held < now { now } else { held };
    }
    value
}

/// `ln(X / B)` by QD+: Newton's method on the equation without its correction `c₀`, then with it as it is there, bounded
/// by half of the power that it corrects.
#[inline(always)]
fn qd_plus(r: f64, q: f64, vol: f64, root_tau: f64, ln_x: f64, start: f64) -> f64 {
    let tau = root_tau * root_tau;
    let (bond, share) = (exp(-r * tau), exp(-q * tau));
    let h = 1.0 - bond;
    let variance = vol * vol;
    let (omega, alpha) = (2.0 * (r - q) / variance, 2.0 * r / variance);
    let under = ((omega - 1.0) * (omega - 1.0) + 4.0 * alpha / h).sqrt();
    let lambda = -0.5 * (omega - 1.0 + under);
    let slope = alpha / (h * h * under);
    let s = vol * root_tau;
    let (mut fall, mut power) = (start, lambda);
    for k in 0..5 {
        let ln_b = ln_x - fall;
        let b = exp(ln_b);
        let d1 = (ln_b + (r - q) * tau) / s + 0.5 * s;
        let (above, density) = normal::<true>(-d1);
        let (above_2, _) = normal::<true>(s - d1);
        let held = 1.0 - share * above;
        let gain = 1.0 - b * held - bond * above_2;
        if k == 3 {
            let decay = 0.5 * vol / root_tau * b * share * FRAC_1_SQRT_2PI * density;
            let theta = r * bond * above_2 - q * b * share * above - decay;
            let c0 = (1.0 - h) * alpha / under * (1.0 / h - theta / (bond * r * gain) - slope / under);
            let c0 = if c0 < 0.5 * lambda { 0.5 * lambda } else { c0 };
            power = lambda + if c0 > -0.5 * lambda { -0.5 * lambda } else { c0 };
        }
        let f = held * b + power * gain;
        let f1 = held * (1.0 - power) + share * FRAC_1_SQRT_2PI * density / s;
        let step = f / (f1 * b);
        let step = if step > 0.5 { 0.5 } else { step };
        fall += if step < -0.6 * fall { -0.6 * fall } else { step };
    }
    fall
}

/// One step at a node of Jacobi and Newton's iteration (section 4.3 there) for `B = K e^(−(r−q)τ) N / D`, as a new
/// `ln(X / B)`.
#[allow(clippy::too_many_arguments, reason = "columns of one block")]
#[inline(always)]
fn improve<const L: usize, const ROUGH: bool>(
    points: &[Point],
    part: f64,
    r: &[f64; L],
    q: &[f64; L],
    vol: &[f64; L],
    root: &[f64; L],
    ln_x: &[f64; L],
    fall: &[f64; L],
    squares: &[[f64; L]; MOST_NODES],
) -> [f64; L] {
    let (mut over, mut under, mut over_slope, mut under_slope) = ([0.0; L], [0.0; L], [0.0; L], [0.0; L]);
    for p in points {
        let mut h = [0.0; L];
        for (weight, square) in p.basis.iter().zip(squares) {
            for i in 0..L {
                h[i] += weight * square[i];
            }
        }
        for i in 0..L {
            let root_tau = part * root[i];
            let tau = root_tau * root_tau;
            let (left, passed) = (tau * p.part, tau * (1.0 - p.part));
            let sd = vol[i] * root_tau * p.root;
            let then = (if h[i] > 0.0 { h[i] } else { 0.0 }).sqrt();
            let d2 = (then - fall[i] + (r[i] - q[i]) * left) / sd - 0.5 * sd;
            let (below, density) = normal::<ROUGH>(d2 + sd);
            let grown = exp(q[i] * passed);
            // Φ(d₁) weighs (1 + y) / 2, φ / (σ √(τ − u)) the constant left of it.
            let near = p.weight / p.root * exp(r[i] * passed - 0.5 * d2 * d2);
            let far = grown * p.weight / p.root * FRAC_1_SQRT_2PI * density;
            over[i] += near;
            under[i] += grown * p.weight * below * vol[i] * root_tau + far;
            over_slope[i] += near * d2 / p.root;
            under_slope[i] += far * d2 / p.root;
        }
    }
    let mut new = [0.0; L];
    for i in 0..L {
        let root_tau = part * root[i];
        let tau = root_tau * root_tau;
        let sd = vol[i] * root_tau;
        let d2 = (ln_x[i] - fall[i] + (r[i] - q[i]) * tau) / sd - 0.5 * sd;
        let (below, density) = normal::<ROUGH>(d2 + sd);
        // Both sides times σ √τ.
        let density_2 = exp(-0.5 * d2 * d2);
        let n = FRAC_1_SQRT_2PI * (density_2 + r[i] * tau * over[i]);
        let d = FRAC_1_SQRT_2PI * density + sd * below + q[i] * tau * under[i];
        let n1 = -FRAC_1_SQRT_2PI * (d2 * density_2 + r[i] * tau * over_slope[i]) / sd;
        let d1 = -(FRAC_1_SQRT_2PI * d2 * density + q[i] * tau * under_slope[i]) / sd;
        // Newton on ln B − ln(N / D) for this node alone: the derivative of the logarithm of the right-hand side.
        let slope = n1 / n - d1 / d;
        let off = ln_x[i] + (r[i] - q[i]) * tau - ln(n / d) - fall[i];
        let f = fall[i] + DAMPING * off / (1.0 - slope);
        new[i] = if f > 1e-8 * sd { f } else { 1e-8 * sd };
    }
    new
}

/// The premium of early exercise: `∫ r K e^(−r(T−u)) Φ(−d₂) − q S e^(−q(T−u)) Φ(−d₁) du`.
#[allow(clippy::too_many_arguments, reason = "columns of one block")]
#[inline(always)]
fn premium<const L: usize, const ROUGH: bool>(
    points: &[Point],
    ratio: &[f64; L],
    r: &[f64; L],
    q: &[f64; L],
    vol: &[f64; L],
    root: &[f64; L],
    ln_x: &[f64; L],
    squares: &[[f64; L]; MOST_NODES],
) -> [f64; L] {
    let mut above = [0.0; L];
    let mut sum = [0.0; L];
    for i in 0..L {
        above[i] = ln(ratio[i]) - ln_x[i];
    }
    for p in points {
        let mut h = [0.0; L];
        for (weight, square) in p.basis.iter().zip(squares) {
            for i in 0..L {
                h[i] += weight * square[i];
            }
        }
        for i in 0..L {
            let left = root[i] * root[i] * p.part;
            let sd = vol[i] * root[i] * p.root;
            let then = (if h[i] > 0.0 { h[i] } else { 0.0 }).sqrt();
            let d2 = (above[i] + then + (r[i] - q[i]) * left) / sd - 0.5 * sd;
            let (bond_side, _) = normal::<ROUGH>(-d2);
            let (share_side, _) = normal::<ROUGH>(-d2 - sd);
            let rate = r[i] * exp(-r[i] * left) * bond_side - q[i] * ratio[i] * exp(-q[i] * left) * share_side;
            sum[i] += p.weight * rate;
        }
    }
    for i in 0..L {
        sum[i] *= root[i] * root[i];
    }
    sum
}
