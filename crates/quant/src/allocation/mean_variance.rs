//! The best balance of mean and variance under constraints.

use super::active_set::{self, Quadratic};
use super::{AllocationError, Constraints, Symmetric, interior, one_each};

/// Weights with the largest `m'w − ½ λ w'Σw − Σ cᵢ |wᵢ − fromᵢ|`: `λ` is the risk aversion, above 0.
///
/// `start` may be an earlier optimum: a warm start, taken if it is still allowed. Without groups an active-set method
/// finds the exact optimum; with groups an interior-point method (clarabel) comes within 1e-9 of its value.
///
/// # Errors
/// Shapes and values that do not fit, constraints that contradict each other (it says which).
/// Source: Markowitz, Journal of Finance 7 (1952) 77.
pub fn maximise_utility(
    means: &[f64],
    covariance: &Symmetric,
    aversion: f64,
    limits: &Constraints,
    start: Option<&[f64]>,
) -> Result<Vec<f64>, AllocationError> {
    if !aversion.is_finite() || aversion <= 0.0 {
        return Err(AllocationError::Range { what: "risk aversion", value: aversion, expected: "finite and above 0" });
    }
    one_each("means", means, covariance.n())?;
    solve(Quadratic { covariance, scale: aversion, means }, limits, start)
}

/// Weights with the least variance under constraints; costs of trading do not count, turnover does.
///
/// # Errors
/// As [`maximise_utility`].
pub fn minimise_variance(
    covariance: &Symmetric,
    limits: &Constraints,
    start: Option<&[f64]>,
) -> Result<Vec<f64>, AllocationError> {
    let mut limits = limits.clone();
    if let Some(trading) = &mut limits.trading {
        trading.costs.fill(0.0);
    }
    // Variances of 1e-4 and smaller would make the tolerances of the interior-point method too coarse.
    let n = covariance.n();
    let size = (0..n).map(|i| covariance.at(i, i)).fold(0.0_f64, f64::max);
    let scale = if size > 0.0 { 1.0 / size } else { 1.0 };
    solve(Quadratic { covariance, scale, means: &vec![0.0; n] }, &limits, start)
}

pub(super) fn solve(
    problem: Quadratic<'_>,
    limits: &Constraints,
    start: Option<&[f64]>,
) -> Result<Vec<f64>, AllocationError> {
    let nearest = limits.nearest(problem.covariance.n())?;
    if !limits.groups.is_empty() {
        return interior::quadratic(problem, limits);
    }
    let (start, warm) = match start {
        Some(start) => {
            one_each("start", start, nearest.len())?;
            if allowed(limits, start) { (start.to_vec(), true) } else { (nearest, false) }
        }
        None => (nearest, false),
    };
    match active_set::solve(problem, limits, start, warm) {
        Err(AllocationError::NoConvergence | AllocationError::Singular { .. }) => interior::quadratic(problem, limits),
        found => found,
    }
}

fn allowed(limits: &Constraints, w: &[f64]) -> bool {
    let inside = w.iter().zip(&limits.low).zip(&limits.high).all(|((w, l), h)| w >= l && w <= h);
    let traded = limits.trading.as_ref().and_then(|t| {
        let traded: f64 = w.iter().zip(&t.from).map(|(w, f)| (w - f).abs()).sum();
        Some(t.turnover? - traded)
    });
    inside && (w.iter().sum::<f64>() - limits.budget).abs() <= 1e-9 && traded.is_none_or(|left| left >= -1e-9)
}

/// Weights with the largest Sharpe ratio `(m'w − r Σw) / √(w'Σw)` under constraints. Costs are not counted, turnover is.
///
/// The ratio's square is `max over y of 2 y a − y² v` with excess return `a` and variance `v`; the weights and `y = a / v`
/// are optimised in turn, which never falls and ends at the optimum, since `a` is linear and `v` convex.
///
/// # Errors
/// As [`maximise_utility`], or if no allowed portfolio earns more than the riskless rate. Source of the transform: Shen and
/// Yu, IEEE Transactions on Signal Processing 66 (2018) 2616.
pub fn maximise_sharpe(
    means: &[f64],
    covariance: &Symmetric,
    riskless: f64,
    limits: &Constraints,
) -> Result<Vec<f64>, AllocationError> {
    let n = covariance.n();
    one_each("means", means, n)?;
    if !riskless.is_finite() {
        return Err(AllocationError::NotFinite { what: "riskless rate", row: 0, column: 0 });
    }
    let mut limits = limits.clone();
    if let Some(trading) = &mut limits.trading {
        trading.costs.fill(0.0);
    }
    let excess: Vec<f64> = means.iter().map(|m| m - riskless).collect();
    let measure = |w: &[f64]| {
        let a: f64 = w.iter().zip(&excess).map(|(w, m)| w * m).sum();
        (a, covariance.quadratic(w))
    };
    // The start: little aversion, so that the excess return is near its largest.
    let size = (0..n).map(|i| covariance.at(i, i)).fold(0.0_f64, f64::max);
    let largest = excess.iter().fold(0.0_f64, |m, e| m.max(e.abs()));
    if size <= 0.0 || largest <= 0.0 {
        return Err(AllocationError::NoExcessReturn);
    }
    let mut w = maximise_utility(&excess, covariance, 1e-6 * largest / size, &limits, None)?;
    let (mut a, mut v) = measure(&w);
    if a <= 0.0 {
        return Err(AllocationError::NoExcessReturn);
    }
    let mut aversion = a / v;
    let mut best = a * a / v;
    for _ in 0..500 {
        if !aversion.is_finite() {
            return Err(AllocationError::NoVariance { name: 0 });
        }
        let next = maximise_utility(&excess, covariance, aversion, &limits, Some(&w))?;
        (a, v) = measure(&next);
        let ratio = a * a / v;
        let gain = ratio - best;
        w = if gain >= 0.0 { next } else { w };
        best = best.max(ratio);
        let found = a / v;
        if (found - aversion).abs() <= 1e-12 * aversion || gain.abs() <= 1e-15 * best {
            return Ok(w);
        }
        aversion = found;
    }
    Err(AllocationError::NoConvergence)
}
