//! How fine a boundary is computed, with the tables that depend on it alone.

use std::f64::consts::PI;

pub(super) const MOST_NODES: usize = 24;

/// A node of the integral in the fixed point.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// `(τ − u) / τ`, and its root.
    pub(super) part: f64,
    pub(super) root: f64,
    /// Weight of the integrand times `√(τ − u)` parts: `w (1 + y) / 2`.
    pub(super) weight: f64,
    /// What each node of the boundary counts in `ln²(B(u) / X)`; 0 for the nodes beyond the last that fill up a four.
    pub(super) basis: Vec<[f64; 4]>,
}

/// Numbers of nodes and of iterations, and the tables for them; made once.
#[derive(Clone, Debug)]
pub struct AmericanScheme {
    pub(super) steps: usize,
    pub(super) rough: bool,
    /// `√(τ_i / T)`, from 1 down to 0 exclusive.
    pub(super) nodes: Vec<f64>,
    /// For each node its integral's points.
    pub(super) inner: Vec<Vec<Point>>,
    /// Points of the premium's integral.
    pub(super) outer: Vec<Point>,
}

impl AmericanScheme {
    /// 7 nodes, 7 points, 2 iterations, 15 points for the premium; tails to 1e-7: within 3e-5 of the strike
    /// over the options of `docs/options.md` (QuantLib's fast scheme: 2e-5).
    #[must_use]
    pub fn fast() -> Self {
        Self::new(7, 7, 2, 15, true)
    }

    /// 16 nodes, 24 points, 8 iterations, 48 points for the premium: within 4e-7 of the strike over
    /// the same options.
    #[must_use]
    pub fn accurate() -> Self {
        Self::new(16, 24, 8, 48, false)
    }

    /// `nodes` of the boundary (2 to 23), `points` of its integral, `steps` of the iteration, `outer` points of the
    /// premium's integral; `rough` takes tails of the normal distribution to 1e-7.
    fn new(nodes: usize, points: usize, steps: usize, outer: usize, rough: bool) -> Self {
        let chebyshev: Vec<f64> = (0..nodes).map(|i| libm::cos(PI * i as f64 / nodes as f64)).collect();
        let roots: Vec<f64> = chebyshev.iter().map(|z| 0.5 * (1.0 + z)).collect();
        let inner = roots.iter().map(|root| integral(points, nodes, *root)).collect();
        Self { steps, rough, nodes: roots, inner, outer: integral(outer, nodes, 1.0) }
    }
}

/// Points of an integral over `u` from 0 to `τ` with `τ − u = τ (1 + y)² / 4`, for `√(τ / T)`.
fn integral(points: usize, nodes: usize, root_of_tau: f64) -> Vec<Point> {
    gauss_legendre(points)
        .into_iter()
        .map(|(y, w)| {
            let root = 0.5 * (1.0 + y);
            let part = root * root;
            let z = 2.0 * root_of_tau * (1.0 - part).max(0.0).sqrt() - 1.0;
            Point { part, root, weight: 0.5 * w * (1.0 + y), basis: basis(nodes, z) }
        })
        .collect()
}

/// Chebyshev interpolation at `z` from the extrema `cos(iπ/n)`, of which the last has the value 0 and is left out.
fn basis(n: usize, z: f64) -> Vec<[f64; 4]> {
    let angle = libm::acos(z.clamp(-1.0, 1.0));
    let half = |i: usize| if i == 0 || i == n { 0.5 } else { 1.0 };
    let of = |i: usize| {
        let term = |m: usize| half(m) * libm::cos(PI * (i * m) as f64 / n as f64) * libm::cos(m as f64 * angle);
        half(i) * 2.0 / n as f64 * (0..=n).map(term).sum::<f64>()
    };
    let at = |i: usize| if i < n { of(i) } else { 0.0 };
    (0..n.div_ceil(4)).map(|k| [0, 1, 2, 3].map(|j| at(4 * k + j))).collect()
}

/// Nodes and weights on −1 to 1, by Newton's method on the Legendre polynomial (Abramowitz and Stegun 25.4.29).
fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    let node = |i: usize| {
        let mut y = libm::cos(PI * (i as f64 + 0.75) / (n as f64 + 0.5));
        let mut slope = 1.0;
        for _ in 0..20 {
            let (mut before, mut value) = (1.0, y);
            for k in 2..=n {
                let k = k as f64;
                (before, value) = (value, ((2.0 * k - 1.0) * y * value - (k - 1.0) * before) / k);
            }
            slope = n as f64 * (y * value - before) / (y * y - 1.0);
            y -= value / slope;
        }
        (y, 2.0 / ((1.0 - y * y) * slope * slope))
    };
    (0..n).map(node).collect()
}
