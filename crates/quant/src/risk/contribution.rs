//! What each position adds to the risk of a book whose returns have a covariance.

use super::{RiskError, Tail, all_finite, normal, student_t};
use crate::allocation::Symmetric;

/// The distribution of the P&L.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Parametric {
    /// Normal.
    Normal,
    /// Student's t with these degrees of freedom, above 2, scaled to the covariance.
    Student {
        /// Degrees of freedom.
        dof: f64,
    },
}

/// Value at risk and expected shortfall of a book, and what belongs to each position. Components add up to the total.
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    /// Of the whole book.
    pub total: Tail,
    /// By how much each grows for one more unit of exposure.
    pub marginal: Vec<Tail>,
    /// Exposure times marginal.
    pub component: Vec<Tail>,
}

/// Shares out value at risk and expected shortfall of `exposures` (money, signed) by Euler's theorem: with `σ² = x'Σx`
/// the marginal of `i` is `−μᵢ + c (Σx)ᵢ / σ`, `c` the measure of a standard variable.
///
/// # Errors
/// Lengths that differ, values that are not finite, a book without risk, `tail` or degrees of freedom out of range.
/// Source: McNeil, Frey and Embrechts (2015), section 8.5; Garman, Risk 9 (1996) 61.
pub fn contributions(
    exposures: &[f64],
    means: &[f64],
    covariance: &Symmetric,
    model: Parametric,
    tail: f64,
) -> Result<Contributions, RiskError> {
    let n = covariance.n();
    for (what, values) in [("exposures", exposures), ("means", means)] {
        if values.len() != n {
            return Err(RiskError::Shape { what, given: values.len(), expected: n });
        }
        all_finite(what, values)?;
    }
    let standard = match model {
        Parametric::Normal => normal(0.0, 1.0, tail)?,
        Parametric::Student { dof } => student_t(0.0, 1.0, dof, tail)?,
    };
    let mut with = vec![0.0; n];
    covariance.times(exposures, &mut with);
    let variance: f64 = with.iter().zip(exposures).map(|(c, x)| c * x).sum();
    if variance.is_nan() || variance <= 0.0 {
        return Err(RiskError::NoRisk);
    }
    let sigma = variance.sqrt();
    let mean: f64 = means.iter().zip(exposures).map(|(m, x)| m * x).sum();
    let marginal: Vec<Tail> = (with.iter().zip(means))
        .map(|(c, m)| Tail { var: standard.var * c / sigma - m, es: standard.es * c / sigma - m })
        .collect();
    let component = marginal.iter().zip(exposures).map(|(m, x)| Tail { var: m.var * x, es: m.es * x }).collect();
    let total = Tail { var: standard.var * sigma - mean, es: standard.es * sigma - mean };
    Ok(Contributions { total, marginal, component })
}

/// By how much value at risk and expected shortfall change when `change` is added to `exposures`.
///
/// # Errors
/// As [`contributions`]; a book without risk counts as one whose P&L is its mean.
pub fn incremental(
    exposures: &[f64],
    change: &[f64],
    means: &[f64],
    covariance: &Symmetric,
    model: Parametric,
    tail: f64,
) -> Result<Tail, RiskError> {
    if change.len() != exposures.len() {
        return Err(RiskError::Shape { what: "change", given: change.len(), expected: exposures.len() });
    }
    let measure = |x: &[f64]| match contributions(x, means, covariance, model, tail) {
        Ok(found) => Ok(found.total),
        Err(RiskError::NoRisk) => {
            let loss = -x.iter().zip(means).map(|(x, m)| x * m).sum::<f64>();
            Ok(Tail { var: loss, es: loss })
        }
        Err(error) => Err(error),
    };
    let after: Vec<f64> = exposures.iter().zip(change).map(|(x, c)| x + c).collect();
    let (before, after) = (measure(exposures)?, measure(&after)?);
    Ok(Tail { var: after.var - before.var, es: after.es - before.es })
}
