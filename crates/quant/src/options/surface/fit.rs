//! Fits of SVI slices and of SSVI surfaces to quoted variances, by weighted least squares.

use super::simplex::minimise;
use super::{Slice, Ssvi, Svi};

/// A quote: total variance at a log-moneyness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// `ln(K / F)`.
    pub k: f64,
    /// `σ² T`, above 0.
    pub variance: f64,
    /// Weight, above 0: 1, or one over the squared spread of the quote.
    pub weight: f64,
}

/// Why a surface was not fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitError {
    /// Fewer quotes than parameters: five for SVI, three and one at each expiry for SSVI.
    TooFewPoints {
        /// Quotes that there are.
        have: usize,
        /// Quotes that it takes.
        need: usize,
    },
    /// The quote with this index has a number that is not finite, or a variance or weight that is not positive.
    BadPoint(usize),
    /// Variances at the money are not above 0 and rising: the expiry with this index.
    BadTheta(usize),
}

impl std::fmt::Display for FitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FitError::TooFewPoints { have, need } => {
                write!(f, "{have} quotes are too few to fit a smile: give {need} or more")
            }
            FitError::BadPoint(i) => {
                write!(
                    f,
                    "quote {i} has a variance or weight that is not above 0, or a number that is not finite: leave it out"
                )
            }
            FitError::BadTheta(i) => {
                write!(f, "the variance at the money of expiry {i} is not above that of the one before: leave it out")
            }
        }
    }
}

impl std::error::Error for FitError {}

fn check<'a>(points: impl Iterator<Item = &'a Point>, need: usize) -> Result<(), FitError> {
    let mut have = 0;
    for (i, p) in points.enumerate() {
        have = i + 1;
        let good = p.k.is_finite() && p.variance > 0.0 && p.weight > 0.0 && (p.variance + p.weight).is_finite();
        if !good {
            return Err(FitError::BadPoint(i));
        }
    }
    if have < need { Err(FitError::TooFewPoints { have, need }) } else { Ok(()) }
}

/// The SVI slice nearest to five quotes or more: for each turn `(m, σ)` the other three parameters are the solution of a
/// least-squares problem in a box, found exactly (Zeliade 2009); the turn is found by a simplex from several starts. The
/// box keeps both wings' slopes at most 4 (Lee 2004) and variance positive; butterflies are for
/// [`super::butterflies`] to report.
///
/// # Errors
/// Too few quotes, or a bad one.
pub fn fit_svi(points: &[Point]) -> Result<Svi, FitError> {
    check(points.iter(), 5)?;
    let (low, high) = points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p.k), h.max(p.k)));
    let width = (high - low).max(1e-3);
    let mut best: Option<(f64, Svi)> = None;
    for at in [0.25, 0.5, 0.75] {
        for sigma in [0.1, 0.5] {
            let start = [low + at * width, libm::log(sigma * width)];
            let turn = minimise(start, [0.1 * width, 0.5], 600, |x| inner(points, x[0], libm::exp(x[1])).0);
            let turn = minimise(turn, [0.01 * width, 0.1], 600, |x| inner(points, x[0], libm::exp(x[1])).0);
            let found = inner(points, turn[0], libm::exp(turn[1]));
            if best.is_none_or(|b| found.0 < b.0) {
                best = Some(found);
            }
        }
    }
    best.map(|b| b.1).ok_or(FitError::TooFewPoints { have: points.len(), need: 5 })
}

/// The best `a`, `u = c + d`, `v = c − d` of `w = a + u (√(y²+1) + y)/2 + v (√(y²+1) − y)/2`, `y = (k − m)/σ`, in their box:
/// the best of the solutions on its faces.
fn inner(points: &[Point], m: f64, sigma: f64) -> (f64, Svi) {
    let none = (f64::INFINITY, Svi { a: 0.0, b: 0.0, rho: 0.0, m, sigma });
    if !(sigma > 1e-6 && sigma < 1e3) {
        return none;
    }
    let row = |p: &Point| {
        let y = (p.k - m) / sigma;
        let root = (y * y + 1.0).sqrt();
        [1.0, 0.5 * (root + y), 0.5 * (root - y)]
    };
    let mut gram = [[0.0; 3]; 3];
    let mut right = [0.0; 3];
    let mut most = 0.0_f64;
    for p in points {
        let r = row(p);
        for i in 0..3 {
            right[i] += p.weight * r[i] * p.variance;
            for j in 0..3 {
                gram[i][j] += p.weight * r[i] * r[j];
            }
        }
        most = most.max(p.variance);
    }
    let bounds = [(-most, most), (0.0, 4.0 * sigma), (0.0, 4.0 * sigma)];
    let mut best = none;
    // Each parameter is free, at its lower or at its upper bound.
    for face in 0..27 {
        let state = [face % 3, face / 3 % 3, face / 9];
        let fixed = |i: usize| [None, Some(bounds[i].0), Some(bounds[i].1)][state[i]];
        let Some(x) = solve(&gram, &right, [fixed(0), fixed(1), fixed(2)]) else { continue };
        let inside = (0..3).all(|i| x[i] >= bounds[i].0 && x[i] <= bounds[i].1);
        let (c, d) = (0.5 * (x[1] + x[2]), 0.5 * (x[1] - x[2]));
        let least = x[0] + (c * c - d * d).max(0.0).sqrt();
        if !inside || least < 0.0 {
            continue;
        }
        let cost = points.iter().map(|p| {
            let r = row(p);
            let e = r[0] * x[0] + r[1] * x[1] + r[2] * x[2] - p.variance;
            p.weight * e * e
        });
        let cost = cost.sum::<f64>();
        if cost < best.0 {
            let rho = if c > 0.0 { d / c } else { 0.0 };
            best = (cost, Svi { a: x[0], b: c / sigma, rho, m, sigma });
        }
    }
    best
}

/// The normal equations with some unknowns fixed, by elimination with pivots.
fn solve(gram: &[[f64; 3]; 3], right: &[f64; 3], fixed: [Option<f64>; 3]) -> Option<[f64; 3]> {
    let (mut a, mut b) = (*gram, *right);
    for i in 0..3 {
        if let Some(x) = fixed[i] {
            a[i] = [0.0; 3];
            a[i][i] = 1.0;
            b[i] = x;
        }
    }
    for i in 0..3 {
        let p = (i..3).max_by(|x, y| a[*x][i].abs().total_cmp(&a[*y][i].abs()))?;
        a.swap(i, p);
        b.swap(i, p);
        if a[i][i].abs() < 1e-14 {
            return None;
        }
        for j in i + 1..3 {
            let f = a[j][i] / a[i][i];
            for k in i..3 {
                a[j][k] -= f * a[i][k];
            }
            b[j] -= f * b[i];
        }
    }
    let mut x = [0.0; 3];
    for i in (0..3).rev() {
        let known: f64 = (i + 1..3).map(|k| a[i][k] * x[k]).sum();
        x[i] = (b[i] - known) / a[i][i];
    }
    Some(x)
}

/// The SSVI surface nearest to quotes at expiries with these variances at the money, earliest first. `0 < γ ≤ ½` and
/// `η (1 + |ρ|) ≤ 2` by construction, which with `γ = ½` is free of static arbitrage (remark 4.4); for others
/// [`super::butterflies`] and [`super::calendars`] say so.
///
/// # Errors
/// Too few quotes, a bad one, or variances at the money that do not rise.
pub fn fit_ssvi(expiries: &[(f64, &[Point])]) -> Result<Ssvi, FitError> {
    check(expiries.iter().flat_map(|e| e.1), 3)?;
    let mut before = 0.0;
    for (i, (theta, points)) in expiries.iter().enumerate() {
        if !(*theta > before && theta.is_finite()) {
            return Err(FitError::BadTheta(i));
        }
        if points.is_empty() {
            return Err(FitError::TooFewPoints { have: 0, need: 1 });
        }
        before = *theta;
    }
    let surface = |x: &[f64; 3]| {
        let share = |x: f64| 1.0 / (1.0 + libm::exp(-x));
        let rho = libm::tanh(x[0]);
        Ssvi { rho, eta: 2.0 * share(x[1]) / (1.0 + rho.abs()), gamma: 0.5 * share(x[2]) }
    };
    let cost = |x: &[f64; 3]| {
        let s = surface(x);
        let of = |theta: f64, points: &[Point]| {
            let slice = s.slice(theta);
            points.iter().map(|p| p.weight * (slice.variance(p.k).0 - p.variance).powi(2)).sum::<f64>()
        };
        expiries.iter().map(|(theta, points)| of(*theta, points)).sum::<f64>()
    };
    let mut x = [0.0, 0.0, 1.0];
    for size in [1.0, 0.3, 0.1, 0.03] {
        x = minimise(x, [size; 3], 800, cost);
    }
    Ok(surface(&x))
}
