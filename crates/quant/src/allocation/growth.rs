//! Kelly's criterion: the fastest growth.

use super::active_set::Quadratic;
use super::gram::gram;
use super::mean_variance::solve;
use super::symmetric::add_scaled;
use super::{AllocationError, Constraints, Returns, Symmetric, one_each};

/// Kelly weights of small normal returns, a share `fraction` (above 0; 1 is full Kelly, ½ usual) of `Σ⁻¹(μ − r)`, scaled
/// down as a whole if `Σ|w|` is above `most`. The rest is in cash or borrowed.
///
/// # Errors
/// Values that do not fit, a fraction or limit not above 0, a covariance that is not positive definite.
/// Source: Thorp, "The Kelly criterion in blackjack, sports betting and the stock market" (2006), section 8.
pub fn kelly_weights(
    means: &[f64],
    covariance: &Symmetric,
    riskless: f64,
    fraction: f64,
    most: f64,
) -> Result<Vec<f64>, AllocationError> {
    one_each("means", means, covariance.n())?;
    one_each("riskless rate", &[riskless], 1)?;
    for (what, value) in [("fraction", fraction), ("largest exposure", most)] {
        if value.is_nan() || value <= 0.0 {
            return Err(AllocationError::Range { what, value, expected: "above 0" });
        }
    }
    let mut w: Vec<f64> = means.iter().map(|m| m - riskless).collect();
    covariance.cholesky()?.solve(&mut w);
    let size: f64 = w.iter().map(|x| x.abs()).sum::<f64>() * fraction;
    let scale = if size > most { fraction * most / size } else { fraction };
    w.iter_mut().for_each(|x| *x *= scale);
    Ok(w)
}

/// Weights with the largest mean of `ln(1 + r'w)` over equally likely scenarios, under constraints: Kelly's criterion
/// with history's own tails. Costs of trading count as a loss of return.
///
/// Newton's method, each step a quadratic problem under the same constraints, with a line search; it ends when a step
/// promises less than 1e-12 a bar.
///
/// # Errors
/// As [`super::maximise_utility`], or if no allowed portfolio survives every scenario (`NoConvergence`).
/// Source: Kelly, Bell System Technical Journal 35 (1956) 917; Cover, IEEE Transactions on Information Theory 30 (1984) 369.
pub fn maximise_growth(scenarios: Returns<'_>, limits: &Constraints) -> Result<Vec<f64>, AllocationError> {
    let (n, bars) = (scenarios.names(), scenarios.bars() as f64);
    let nothing = vec![0.0; n];
    let mut w = limits.nearest(n)?;
    if !limits.groups.is_empty() {
        // A point that groups allow: the least sum of squares.
        let unit = Symmetric::from_fn(n, |i, j| if i == j { 1.0 } else { 0.0 });
        w = solve(Quadratic { covariance: &unit, scale: 1.0, means: &nothing }, limits, None)?;
    }
    let cost = |w: &[f64]| -> f64 {
        let Some(t) = &limits.trading else { return 0.0 };
        w.iter().zip(&t.from).zip(&t.costs).map(|((w, f), c)| c * (w - f).abs()).sum()
    };
    let wealth = |w: &[f64]| -> Vec<f64> {
        scenarios.rows().map(|r| 1.0 + r.iter().zip(w).map(|(r, w)| r * w).sum::<f64>()).collect()
    };
    let growth = |w: &[f64]| -> f64 {
        let sum: f64 = wealth(w).iter().map(|x| if *x > 0.0 { libm::log(*x) } else { f64::NEG_INFINITY }).sum();
        sum / bars - cost(w)
    };
    let mut now = growth(&w);
    if !now.is_finite() {
        return Err(AllocationError::NoConvergence);
    }
    for _ in 0..200 {
        let x = wealth(&w);
        let scaled: Vec<f64> = scenarios.rows().zip(&x).flat_map(|(r, x)| r.iter().map(move |r| r / x)).collect();
        let curvature = gram(&scaled, n, &nothing, 1.0 / bars, |_| {});
        let mut slope = vec![0.0; n];
        scaled.chunks_exact(n).for_each(|r| add_scaled(&mut slope, 1.0 / bars, r));
        // ½(v − w)'H(v − w) − s'(v − w): the linear part in v is Hw + s.
        let mut linear = vec![0.0; n];
        curvature.times(&w, &mut linear);
        linear.iter_mut().zip(&slope).for_each(|(l, s)| *l += s);
        let target = solve(Quadratic { covariance: &curvature, scale: 1.0, means: &linear }, limits, Some(&w))?;
        let step: Vec<f64> = target.iter().zip(&w).map(|(t, w)| t - w).collect();
        let promised = step.iter().zip(&slope).map(|(d, s)| d * s).sum::<f64>() - cost(&target) + cost(&w);
        if promised <= 1e-12 {
            return Ok(w);
        }
        let mut length = 1.0;
        loop {
            let next: Vec<f64> = w.iter().zip(&step).map(|(w, d)| w + length * d).collect();
            let value = growth(&next);
            if value >= now + 1e-4 * length * promised {
                (w, now) = (next, value);
                break;
            }
            length *= 0.5;
            if length < 1e-12 {
                return Ok(w);
            }
        }
    }
    Err(AllocationError::NoConvergence)
}
