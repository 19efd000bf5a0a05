//! Stress: what a named shock, or the worst stretch of history, would cost.

use super::{RiskError, all_finite};
use crate::allocation::{AllocationError, Symmetric};

/// Loss of a book under shocks of factors: `−Σᵢ xᵢ Σₖ βᵢₖ sₖ`, second order left out. `sensitivities` has one row of
/// factors a position.
///
/// # Errors
/// Shapes that do not fit, values that are not finite.
pub fn stress_loss(exposures: &[f64], sensitivities: &[f64], shocks: &[f64]) -> Result<f64, RiskError> {
    let cells = exposures.len() * shocks.len();
    if sensitivities.len() != cells || shocks.is_empty() {
        return Err(RiskError::Shape { what: "sensitivities", given: sensitivities.len(), expected: cells });
    }
    for (what, values) in [("exposures", exposures), ("sensitivities", sensitivities), ("shocks", shocks)] {
        all_finite(what, values)?;
    }
    let rows = exposures.iter().zip(sensitivities.chunks_exact(shocks.len()));
    Ok(-rows.map(|(x, row)| x * row.iter().zip(shocks).map(|(b, s)| b * s).sum::<f64>()).sum::<f64>())
}

/// What all names are expected to do when some move as given: `E[r | r_S = s] = Σ·S Σ_SS⁻¹ s`. Of the shocked names the
/// result is the shock itself.
///
/// # Errors
/// No shock, a name that does not exist or is named twice, a shock that is not finite, a covariance of the shocked names
/// that is singular. Source: Kupiec, Journal of Derivatives 6 (1998) 7, the mean of the conditional normal distribution.
pub fn propagated_shocks(covariance: &Symmetric, shocks: &[(usize, f64)]) -> Result<Vec<f64>, RiskError> {
    let n = covariance.n();
    if shocks.is_empty() {
        return Err(RiskError::TooFew { what: "shocks", given: 0, least: 1 });
    }
    for (k, (name, size)) in shocks.iter().enumerate() {
        if *name >= n {
            return Err(RiskError::Shape { what: "names", given: name + 1, expected: n });
        }
        if shocks[..k].iter().any(|s| s.0 == *name) {
            return Err(RiskError::Covariance(AllocationError::Singular { name: *name }));
        }
        all_finite("shocks", &[*size])?;
    }
    let part = Symmetric::from_fn(shocks.len(), |a, b| covariance.at(shocks[a].0, shocks[b].0));
    let mut weights: Vec<f64> = shocks.iter().map(|s| s.1).collect();
    part.cholesky()?.solve(&mut weights);
    let expected = |i: usize| shocks.iter().zip(&weights).map(|((s, _), w)| covariance.at(i, *s) * w).sum();
    let mut all: Vec<f64> = (0..n).map(expected).collect();
    shocks.iter().for_each(|(name, size)| all[*name] = *size);
    Ok(all)
}

/// The `count` worst stretches of `bars` bars that do not overlap, as (first row, loss), the worst first: the loss is
/// minus the sum of P&L over the stretch. Fewer if history has no more room.
///
/// # Errors
/// A length of 0 or beyond history, a row that is not finite.
pub fn worst_windows(pnl: &[f64], bars: usize, count: usize) -> Result<Vec<(usize, f64)>, RiskError> {
    if bars == 0 || pnl.len() < bars {
        return Err(RiskError::TooFew { what: "P&L", given: pnl.len(), least: bars.max(1) });
    }
    all_finite("P&L", pnl)?;
    let mut windows: Vec<(usize, f64)> = pnl.windows(bars).map(|w| -w.iter().sum::<f64>()).enumerate().collect();
    windows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut chosen: Vec<(usize, f64)> = Vec::new();
    for w in windows {
        if chosen.len() == count {
            break;
        }
        if chosen.iter().all(|c| c.0.abs_diff(w.0) >= bars) {
            chosen.push(w);
        }
    }
    Ok(chosen)
}
