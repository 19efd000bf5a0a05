//! The likelihood of a GARCH model and its derivatives.

use super::super::dense::{mean, sum_of};
use super::descent::Point;
use super::{GarchModel, GarchParameters, Shocks, backcast, mean_square};
use std::f64::consts::PI;

/// Least degrees of freedom.
const LEAST_DEGREES: f64 = 2.05;

/// Coordinates without bounds: mean over its scale, ln ω, then α/2, (α + γ)/2 and β as shares of 1 (as logarithms over
/// what is left of it), ln(ν − 2.05). Without asymmetry the first share is α and the second is not used.
pub(super) fn raw(p: &GarchParameters, model: GarchModel) -> Point {
    let left = libm::log(1.0 - p.persistence());
    let share = |x: f64| libm::log(x.max(1e-8)) - left;
    let (first, second) = if model.asymmetric {
        (share(0.5 * p.arch), share(0.5 * (p.arch + p.asymmetry)))
    } else {
        (share(p.arch), 0.0)
    };
    let degrees = if model.shocks == Shocks::Student { libm::log(p.degrees - LEAST_DEGREES) } else { 0.0 };
    [p.mean, libm::log(p.constant), first, second, share(p.garch), degrees]
}

/// Shares of the coordinates and what is left.
fn shares(theta: &Point, model: GarchModel) -> ([f64; 3], f64) {
    let most = theta[2..5].iter().fold(0.0_f64, |m, t| m.max(*t));
    let weight = |at: usize| libm::exp(theta[at] - most);
    let (a, b, c) = (weight(2), if model.asymmetric { weight(3) } else { 0.0 }, weight(4));
    let rest = libm::exp(-most);
    let sum = a + b + c + rest;
    ([a / sum, b / sum, c / sum], rest / sum)
}

pub(super) fn natural(theta: &Point, model: GarchModel) -> GarchParameters {
    let ([a, b, garch], _) = shares(theta, model);
    let (arch, asymmetry) = if model.asymmetric { (2.0 * a, 2.0 * (b - a)) } else { (a, 0.0) };
    let degrees = if model.shocks == Shocks::Student { LEAST_DEGREES + libm::exp(theta[5]) } else { f64::INFINITY };
    GarchParameters { mean: theta[0], constant: libm::exp(theta[1]), arch, asymmetry, garch, degrees }
}

/// Returns with what starts and bounds their variances.
pub(super) struct Likelihood<'a> {
    returns: &'a [f64],
    model: GarchModel,
    backcast: f64,
    /// Least and largest variance of a bar.
    bounds: Vec<(f64, f64)>,
}

impl<'a> Likelihood<'a> {
    /// Bounds are a millionth and a million times an exponential variance.
    pub(super) fn new(returns: &'a [f64], e: &[f64], model: GarchModel) -> Self {
        let backcast = backcast(e);
        let centre = mean(e);
        let variance = sum_of(e, |v| (v - centre) * (v - centre)) / e.len() as f64;
        let largest = e.iter().fold(0.0_f64, |m, v| m.max(v * v));
        let mut smooth = backcast;
        let bounds = e.iter().map(|e| {
            let bound =
                ((smooth / 1e6).max(variance / 1e8), (smooth * 1e6).max(1.0 + largest).min(1e7 * (1.0 + largest)));
            smooth = 0.94 * smooth + 0.06 * e * e;
            bound
        });
        Likelihood { returns, model, backcast, bounds: bounds.collect() }
    }

    /// Starting values: the best of a grid for normal shocks; degrees of freedom from the kurtosis.
    pub(super) fn start(&self, e: &[f64], mean: f64) -> GarchParameters {
        const ARCH: [f64; 4] = [0.01, 0.05, 0.1, 0.2];
        let target = mean_square(e);
        let normal = Likelihood {
            returns: e,
            model: GarchModel { shocks: Shocks::Normal, ..self.model },
            backcast: self.backcast,
            bounds: self.bounds.clone(),
        };
        let mut variances = vec![0.0; e.len()];
        let mut best = (
            f64::NEG_INFINITY,
            GarchParameters {
                mean,
                constant: 0.1 * target,
                arch: 0.05,
                asymmetry: 0.0,
                garch: 0.85,
                degrees: f64::INFINITY,
            },
        );
        for arch in ARCH {
            for asymmetry in if self.model.asymmetric { &ARCH[..] } else { &[0.0] } {
                for persistence in [0.5, 0.7, 0.9, 0.98] {
                    let garch = persistence - arch - 0.5 * asymmetry;
                    let p = GarchParameters {
                        mean: 0.0,
                        constant: (1.0 - persistence) * target,
                        arch,
                        asymmetry: *asymmetry,
                        garch,
                        degrees: f64::INFINITY,
                    };
                    let value = normal.value(&p, &mut variances);
                    if value > best.0 {
                        best = (value, GarchParameters { mean, ..p });
                    }
                }
            }
        }
        let mut start = best.1;
        if self.model.shocks == Shocks::Student {
            normal.value(&GarchParameters { mean: 0.0, ..start }, &mut variances);
            let z: Vec<f64> = e.iter().zip(&variances).map(|(e, v)| e / v.sqrt()).collect();
            let kurtosis = crate::performance::excess_kurtosis(&z).unwrap_or(0.0) + 3.0;
            start.degrees = if kurtosis > 3.75 { (4.0 * kurtosis - 6.0) / (kurtosis - 3.0) } else { 12.0 };
            start.degrees = start.degrees.max(4.0);
        }
        start
    }

    /// Log-likelihood, and the variances into a slice as long as the returns.
    pub(super) fn value(&self, p: &GarchParameters, variances: &mut [f64]) -> f64 {
        let density = Density::new(p.degrees);
        let mut sum = 0.0;
        let mut next = p.constant + (p.arch + 0.5 * p.asymmetry + p.garch) * self.backcast;
        for ((r, bounds), to) in self.returns.iter().zip(&self.bounds).zip(variances) {
            let (variance, _) = bounded(next, *bounds);
            *to = variance;
            let e = r - p.mean;
            sum += density.of(e * e, variance).0;
            next = p.next(variance, *r);
        }
        sum
    }

    /// Mean of the negative log-likelihood and its gradient by the coordinates.
    pub(super) fn cost(&self, theta: &Point, gradient: &mut Point) -> f64 {
        let p = natural(theta, self.model);
        let density = Density::new(p.degrees);
        let mut sum = 0.0;
        // By mean, ω, α, γ, β, ν.
        let mut total = [0.0; 6];
        let mut next = p.constant + (p.arch + 0.5 * p.asymmetry + p.garch) * self.backcast;
        let mut slope = [0.0, 1.0, self.backcast, 0.5 * self.backcast, self.backcast];
        for (r, bounds) in self.returns.iter().zip(&self.bounds) {
            let (variance, inside) = bounded(next, *bounds);
            slope.iter_mut().for_each(|s| *s *= inside);
            let e = r - p.mean;
            let square = e * e;
            let (value, by_square, by_variance, by_degrees) = density.of(square, variance);
            sum += value;
            for (t, s) in total.iter_mut().zip(&slope) {
                *t += by_variance * s;
            }
            total[0] -= 2.0 * e * by_square;
            total[5] += by_degrees;
            let fell = if e < 0.0 { 1.0 } else { 0.0 };
            let arch = p.arch + fell * p.asymmetry;
            let own = [-2.0 * e * arch, 1.0, square, fell * square, variance];
            for (s, own) in slope.iter_mut().zip(own) {
                *s = p.garch * *s + own;
            }
            next = p.constant + arch * square + p.garch * variance;
        }
        let n = self.returns.len() as f64;
        let ([a, b, c], _) = shares(theta, self.model);
        let [by_mean, by_constant, by_arch, by_asymmetry, by_garch, by_degrees] = total;
        // By the shares; those of a share by its coordinates are share · ([same] − share).
        let (by_a, by_b) =
            if self.model.asymmetric { (2.0 * (by_arch - by_asymmetry), 2.0 * by_asymmetry) } else { (by_arch, 0.0) };
        let common = a * by_a + b * by_b + c * by_garch;
        *gradient = [
            if self.model.mean { by_mean } else { 0.0 },
            p.constant * by_constant,
            a * (by_a - common),
            b * (by_b - common),
            c * (by_garch - common),
            if self.model.shocks == Shocks::Student { (p.degrees - LEAST_DEGREES) * by_degrees } else { 0.0 },
        ];
        gradient.iter_mut().for_each(|g| *g = -*g / n);
        if sum.is_nan() { f64::INFINITY } else { -sum / n }
    }
}

/// A variance within its bounds (above the upper one it grows by the logarithm), and how much of a change is left.
fn bounded(variance: f64, (least, most): (f64, f64)) -> (f64, f64) {
    if variance < least {
        (least, 0.0)
    } else if variance <= most {
        (variance, 1.0)
    } else if variance.is_finite() {
        (most + libm::log(variance / most), 1.0 / variance)
    } else {
        (most + 1000.0, 0.0)
    }
}

/// Log-density of a shock; constants of the degrees of freedom.
struct Density {
    degrees: f64,
    constant: f64,
    by_degrees: f64,
}

impl Density {
    fn new(degrees: f64) -> Density {
        if degrees.is_infinite() {
            return Density { degrees, constant: -0.5 * libm::log(2.0 * PI), by_degrees: 0.0 };
        }
        let half = 0.5 * degrees;
        let constant = libm::lgamma(half + 0.5) - libm::lgamma(half) - 0.5 * libm::log(PI * (degrees - 2.0));
        let by_degrees = 0.5 * (digamma(half + 0.5) - digamma(half) - 1.0 / (degrees - 2.0));
        Density { degrees, constant, by_degrees }
    }

    /// Log-density of a squared deviation at a variance; by the square, the variance and the degrees of freedom.
    fn of(&self, square: f64, variance: f64) -> (f64, f64, f64, f64) {
        let ratio = square / variance;
        if self.degrees.is_infinite() {
            let value = self.constant - 0.5 * (libm::log(variance) + ratio);
            return (value, -0.5 / variance, 0.5 * (ratio - 1.0) / variance, 0.0);
        }
        let room = self.degrees - 2.0;
        let power = 0.5 * (self.degrees + 1.0);
        let inner = ratio / room;
        let log = libm::log1p(inner);
        let value = self.constant - 0.5 * libm::log(variance) - power * log;
        let by_ratio = -power / (room * (1.0 + inner));
        let by_degrees = self.by_degrees - 0.5 * log + power * inner / (room * (1.0 + inner));
        (value, by_ratio / variance, -(0.5 + by_ratio * ratio) / variance, by_degrees)
    }
}

/// Derivative of the logarithm of the gamma function, for `x` above 0. Source: Abramowitz and Stegun (1964), 6.3.5 and
/// 6.3.18.
fn digamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 10.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let z = 1.0 / (x * x);
    let series = z * (1.0 / 12.0 - z * (1.0 / 120.0 - z * (1.0 / 252.0 - z * (1.0 / 240.0 - z * (1.0 / 132.0)))));
    sum + libm::log(x) - 0.5 / x - series
}
