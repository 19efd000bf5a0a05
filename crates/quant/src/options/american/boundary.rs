//! The exercise boundary of puts with a strike of one, `L` of them side by side.

use super::super::European;
use super::super::Right;
use super::scheme::{AmericanScheme, MOST_NODES, Point};
use crate::vmath::{OFFSET, SCALED, SCALED_ROUGHLY, SPAN, exp_normal, exp_normals, ln, polynomials, several};
use std::f64::consts::FRAC_1_SQRT_2;

const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// The share of a step that is taken. Whole ones overshoot by up to 0.45 of the error; of 0.7, 0.8 and 1 this one leaves
/// the least over the 321 options of the oracle table (2.5e-5 of the strike after two steps, 4.9e-5 with whole ones).
const DAMPING: f64 = 0.8;

/// Steps of QD+, and those before its correction is known.
const QD_STEPS: usize = 5;
const QD_PLAIN: usize = 3;

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

/// Puts side by side. `W` of them, a divisor of `L`, go through the long chains of products together.
struct Lanes<'a, const L: usize, const W: usize> {
    r: &'a [f64; L],
    q: &'a [f64; L],
    vol: &'a [f64; L],
    root: &'a [f64; L],
    ln_x: &'a [f64; L],
    /// No option pays a dividend yield: what it multiplies is left out, which changes no bit.
    plain: bool,
}

/// `e^x` of each.
#[inline(always)]
fn exps<const L: usize, const W: usize>(x: &mut [f64; L]) {
    for i in 0..L / W {
        let y = exp_normals::<W>(several(|j| x[i + j * (L / W)]));
        for j in 0..W {
            x[i + j * (L / W)] = y[j];
        }
    }
}

/// `Φ(d)` of each, where `√(2π) φ(d)` is known.
#[inline(always)]
fn below<const L: usize, const W: usize, const ROUGH: bool>(d: &[f64; L], density: &[f64; L], out: &mut [f64; L]) {
    for i in 0..L / W {
        let row = |j: usize| i + j * (L / W);
        let r: [f64; W] = several(|j| 1.0 / (d[row(j)].abs() * FRAC_1_SQRT_2 + OFFSET));
        let tau: [f64; W] = several(|j| 1.0 - SPAN * r[j]);
        let p = if ROUGH { polynomials(&SCALED_ROUGHLY, &tau) } else { polynomials(&SCALED, &tau) };
        for j in 0..W {
            let tail = 0.5 * density[row(j)] * r[j] * p[j];
            out[row(j)] = if d[row(j)] > 0.0 { 1.0 - tail } else { tail };
        }
    }
}

/// Values of American puts. What [`super::usual`] excludes gives a number without meaning.
#[inline(always)]
pub(super) fn puts<const L: usize, const W: usize>(
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
    let mut pay = 0;
    for i in 0..L {
        ln_x[i] = if q[i] > r[i] { ln(r[i] / q[i]) } else { 0.0 };
        root[i] = years[i].sqrt();
        pay |= u64::from(q[i] != 0.0);
    }
    let lanes = Lanes::<L, W> { r, q, vol, root: &root, ln_x: &ln_x, plain: pay == 0 };
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
            last[i] = if growth > 0.0 { growth * last[i] } else { 2.5 * vol[i] * (part * root[i]) };
        }
        lanes.qd_plus(*part, &mut last);
        fall[node] = last;
        for i in 0..L {
            squares[node][i] = last[i] * last[i];
        }
    }
    for _ in 0..scheme.steps {
        for (node, part) in scheme.nodes.iter().enumerate() {
            if scheme.rough {
                lanes.improve::<true>(&scheme.inner[node], *part, &mut fall[node], &squares);
            } else {
                lanes.improve::<false>(&scheme.inner[node], *part, &mut fall[node], &squares);
            }
        }
        for (s, f) in squares.iter_mut().zip(&fall).take(scheme.nodes.len()) {
            for i in 0..L {
                s[i] = f[i] * f[i];
            }
        }
    }
    let premium = if scheme.rough {
        lanes.premium::<true>(&scheme.outer, ratio, &squares)
    } else {
        lanes.premium::<false>(&scheme.outer, ratio, &squares)
    };
    let mut value = [0.0; L];
    for i in 0..L {
        let put = European::on_spot(Right::Put, ratio[i], 1.0, years[i], r[i], q[i], vol[i]);
        let held = put.premium() + premium[i];
        let now = 1.0 - ratio[i];
        let exercised = ratio[i] <= exp_normal(ln_x[i] - fall[0][i]);
        value[i] = if exercised || held < now { now } else { held };
    }
    value
}

/// `ln(X / B)` at a point of an integral, from its squares at the nodes.
#[inline(always)]
fn interpolate<const L: usize>(p: &Point, squares: &[[f64; L]; MOST_NODES], out: &mut [f64; L]) {
    *out = [0.0; L];
    for (w, s) in p.basis.iter().zip(squares.as_chunks::<4>().0) {
        for i in 0..L {
            out[i] += (w[0] * s[0][i] + w[1] * s[1][i]) + (w[2] * s[2][i] + w[3] * s[3][i]);
        }
    }
    for h in out {
        *h = (if *h > 0.0 { *h } else { 0.0 }).sqrt();
    }
}

impl<const L: usize, const W: usize> Lanes<'_, L, W> {
    /// `ln(X / B)` by QD+ from a guess: Newton's method on the equation without its correction `c₀`, then with it as it is
    /// there, bounded by half of the power that it corrects.
    #[inline(always)]
    fn qd_plus(&self, part: f64, fall: &mut [f64; L]) {
        let zero = [0.0; L];
        let (mut bond, mut share, mut under, mut power, mut s, mut per_s) = (zero, zero, zero, zero, zero, zero);
        for i in 0..L {
            let root_tau = part * self.root[i];
            let tau = root_tau * root_tau;
            (bond[i], share[i]) = (-self.r[i] * tau, -self.q[i] * tau);
            s[i] = self.vol[i] * root_tau;
            per_s[i] = 1.0 / s[i];
        }
        exps::<L, W>(&mut bond);
        exps::<L, W>(&mut share);
        for i in 0..L {
            let per_variance = 2.0 / (self.vol[i] * self.vol[i]);
            let (omega, alpha) = (per_variance * (self.r[i] - self.q[i]), per_variance * self.r[i]);
            under[i] = ((omega - 1.0) * (omega - 1.0) + 4.0 * alpha / (1.0 - bond[i])).sqrt();
            power[i] = -0.5 * (omega - 1.0 + under[i]);
        }
        let (mut b, mut d1, mut d2, mut first, mut second) = (zero, zero, zero, zero, zero);
        let (mut above, mut above_2) = (zero, zero);
        for k in 0..QD_STEPS {
            for i in 0..L {
                let root_tau = part * self.root[i];
                let ln_b = self.ln_x[i] - fall[i];
                let d = (ln_b + (self.r[i] - self.q[i]) * (root_tau * root_tau)) * per_s[i] + 0.5 * s[i];
                (b[i], d1[i], d2[i]) = (ln_b, -d, s[i] - d);
                first[i] = -0.5 * d * d;
                second[i] = -0.5 * d2[i] * d2[i];
            }
            exps::<L, W>(&mut b);
            exps::<L, W>(&mut first);
            exps::<L, W>(&mut second);
            below::<L, W, true>(&d1, &first, &mut above);
            below::<L, W, true>(&d2, &second, &mut above_2);
            if k == QD_PLAIN {
                for i in 0..L {
                    let root_tau = part * self.root[i];
                    let (r, q, h) = (self.r[i], self.q[i], 1.0 - bond[i]);
                    let alpha = 2.0 * r / (self.vol[i] * self.vol[i]);
                    let gain = 1.0 - b[i] * (1.0 - share[i] * above[i]) - bond[i] * above_2[i];
                    let decay = 0.5 * self.vol[i] / root_tau * b[i] * share[i] * FRAC_1_SQRT_2PI * first[i];
                    let theta = r * bond[i] * above_2[i] - q * b[i] * share[i] * above[i] - decay;
                    let slope = alpha / (h * h * under[i]);
                    let c0 = bond[i] * alpha / under[i] * (1.0 / h - theta / (bond[i] * r * gain) - slope / under[i]);
                    let lambda = power[i];
                    let c0 = if c0 < 0.5 * lambda { 0.5 * lambda } else { c0 };
                    power[i] = lambda + if c0 > -0.5 * lambda { -0.5 * lambda } else { c0 };
                }
            }
            for i in 0..L {
                let held = 1.0 - share[i] * above[i];
                let gain = 1.0 - b[i] * held - bond[i] * above_2[i];
                let f = held * b[i] + power[i] * gain;
                let f1 = held * (1.0 - power[i]) + share[i] * FRAC_1_SQRT_2PI * first[i] * per_s[i];
                let step = f / (f1 * b[i]);
                let step = if step > 0.5 { 0.5 } else { step };
                fall[i] += if step < -0.6 * fall[i] { -0.6 * fall[i] } else { step };
            }
        }
    }

    /// One step at a node of Jacobi and Newton's iteration (section 4.3 there) for `B = K e^(−(r−q)τ) N / D`.
    #[inline(always)]
    fn improve<const ROUGH: bool>(
        &self,
        points: &[Point],
        part: f64,
        fall: &mut [f64; L],
        squares: &[[f64; L]; MOST_NODES],
    ) {
        let Self { r, q, vol, root, ln_x, plain } = *self;
        let zero = [0.0; L];
        let (mut over, mut under, mut over_slope, mut under_slope) = (zero, zero, zero, zero);
        let (mut tau, mut sd, mut per_sd) = (zero, zero, zero);
        for i in 0..L {
            let root_tau = part * root[i];
            tau[i] = root_tau * root_tau;
            sd[i] = vol[i] * root_tau;
            per_sd[i] = 1.0 / sd[i];
        }
        let (mut then, mut near, mut grown, mut density, mut d1, mut d2, mut mass) =
            (zero, zero, zero, zero, zero, zero, zero);
        for p in points {
            // Φ(d₁) weighs (1 + y) / 2, φ / (σ √(τ − u)) the constant left of it.
            let (per_root, left, passed) = (1.0 / p.root, p.part, 1.0 - p.part);
            let constant = p.weight * per_root;
            interpolate(p, squares, &mut then);
            for i in 0..L {
                let apart = then[i] - fall[i] + (r[i] - q[i]) * (tau[i] * left);
                d2[i] = apart * (per_sd[i] * per_root) - 0.5 * (sd[i] * p.root);
                near[i] = r[i] * (tau[i] * passed) - 0.5 * d2[i] * d2[i];
            }
            exps::<L, W>(&mut near);
            for i in 0..L {
                over[i] += constant * near[i];
                over_slope[i] += constant * per_root * near[i] * d2[i];
            }
            if plain {
                continue;
            }
            for i in 0..L {
                d1[i] = d2[i] + sd[i] * p.root;
                grown[i] = q[i] * (tau[i] * passed);
                density[i] = -0.5 * d1[i] * d1[i];
            }
            exps::<L, W>(&mut grown);
            exps::<L, W>(&mut density);
            below::<L, W, ROUGH>(&d1, &density, &mut mass);
            for i in 0..L {
                let far = constant * FRAC_1_SQRT_2PI * (grown[i] * density[i]);
                under[i] += p.weight * (grown[i] * mass[i]) * sd[i] + far;
                under_slope[i] += per_root * far * d2[i];
            }
        }
        for i in 0..L {
            d2[i] = (ln_x[i] - fall[i] + (r[i] - q[i]) * tau[i]) * per_sd[i] - 0.5 * sd[i];
            d1[i] = d2[i] + sd[i];
            near[i] = -0.5 * d2[i] * d2[i];
            density[i] = -0.5 * d1[i] * d1[i];
        }
        exps::<L, W>(&mut near);
        exps::<L, W>(&mut density);
        below::<L, W, ROUGH>(&d1, &density, &mut mass);
        for i in 0..L {
            // Both sides times σ √τ.
            let n = FRAC_1_SQRT_2PI * (near[i] + r[i] * tau[i] * over[i]);
            let d = FRAC_1_SQRT_2PI * density[i] + sd[i] * mass[i] + q[i] * tau[i] * under[i];
            let n1 = -FRAC_1_SQRT_2PI * (d2[i] * near[i] + r[i] * tau[i] * over_slope[i]) * per_sd[i];
            let d1 = -(FRAC_1_SQRT_2PI * d2[i] * density[i] + q[i] * tau[i] * under_slope[i]) * per_sd[i];
            // Newton on ln B − ln(N / D) for this node alone: the derivative of the logarithm of the right-hand side.
            let (quotient, slope) = (n / d, n1 / n - d1 / d);
            let off = ln_x[i] + (r[i] - q[i]) * tau[i] - ln(quotient) - fall[i];
            let f = fall[i] + DAMPING * off / (1.0 - slope);
            fall[i] = if f > 1e-8 * sd[i] { f } else { 1e-8 * sd[i] };
        }
    }

    /// The premium of early exercise: `∫ r K e^(−r(T−u)) Φ(−d₂) − q S e^(−q(T−u)) Φ(−d₁) du`.
    #[inline(always)]
    fn premium<const ROUGH: bool>(
        &self,
        points: &[Point],
        ratio: &[f64; L],
        squares: &[[f64; L]; MOST_NODES],
    ) -> [f64; L] {
        let Self { r, q, vol, root, ln_x, plain } = *self;
        let zero = [0.0; L];
        let (mut above, mut sum, mut sd, mut per_sd) = (zero, zero, zero, zero);
        let (mut then, mut d, mut density, mut mass, mut grown) = (zero, zero, zero, zero, zero);
        for i in 0..L {
            above[i] = ln(ratio[i]) - ln_x[i];
            sd[i] = vol[i] * root[i];
            per_sd[i] = 1.0 / sd[i];
        }
        for p in points {
            let per_root = 1.0 / p.root;
            interpolate(p, squares, &mut then);
            for i in 0..L {
                let left = root[i] * root[i] * p.part;
                let apart = above[i] + then[i] + (r[i] - q[i]) * left;
                d[i] = 0.5 * (sd[i] * p.root) - apart * (per_sd[i] * per_root);
                density[i] = -0.5 * d[i] * d[i];
                grown[i] = -r[i] * left;
            }
            exps::<L, W>(&mut density);
            exps::<L, W>(&mut grown);
            below::<L, W, ROUGH>(&d, &density, &mut mass);
            for i in 0..L {
                sum[i] += p.weight * (r[i] * grown[i] * mass[i]);
            }
            if plain {
                continue;
            }
            for i in 0..L {
                d[i] -= sd[i] * p.root;
                density[i] = -0.5 * d[i] * d[i];
                grown[i] = -q[i] * (root[i] * root[i] * p.part);
            }
            exps::<L, W>(&mut density);
            exps::<L, W>(&mut grown);
            below::<L, W, ROUGH>(&d, &density, &mut mass);
            for i in 0..L {
                sum[i] -= p.weight * (q[i] * ratio[i] * grown[i] * mass[i]);
            }
        }
        for i in 0..L {
            sum[i] *= root[i] * root[i];
        }
        sum
    }
}
