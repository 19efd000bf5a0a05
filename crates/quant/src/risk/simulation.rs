//! Monte Carlo: the P&L of a book under random returns with a covariance.

use super::{RiskError, all_finite};
use crate::allocation::Symmetric;
use crate::performance::Random;
use crate::vmath;

/// The distribution of the returns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shocks {
    /// Multivariate normal.
    Normal,
    /// Multivariate t scaled to the covariance: all names share the mixing variable, so that extremes come together.
    Student {
        /// Degrees of freedom: a whole number of 3 or more.
        dof: u32,
    },
}

/// P&L of `exposures` in `n` random scenarios, for [`super::historical`]. Scenarios come in pairs of opposite shocks (an
/// odd last one is alone). The same seed gives the same numbers everywhere.
///
/// # Errors
/// Lengths that differ, values that are not finite, a covariance that is not positive definite, no scenario, `dof` below 3.
/// Source: Glasserman, Monte Carlo Methods in Financial Engineering (2003), sections 2.3.3, 4.2 and 9.3.
pub fn simulate(
    exposures: &[f64],
    means: &[f64],
    covariance: &Symmetric,
    shocks: Shocks,
    n: usize,
    seed: u64,
) -> Result<Vec<f64>, RiskError> {
    let names = covariance.n();
    for (what, values) in [("exposures", exposures), ("means", means)] {
        if values.len() != names {
            return Err(RiskError::Shape { what, given: values.len(), expected: names });
        }
        all_finite(what, values)?;
    }
    if n == 0 {
        return Err(RiskError::TooFew { what: "scenarios", given: 0, least: 1 });
    }
    let factor = covariance.cholesky()?;
    // x'L: the P&L of one unit of each independent shock.
    let mut loading = vec![0.0; names];
    for (i, x) in exposures.iter().enumerate() {
        loading.iter_mut().zip(factor.row(i)).for_each(|(l, f)| *l += x * f);
    }
    let mean: f64 = exposures.iter().zip(means).map(|(x, m)| x * m).sum();
    let mut random = Random::new(seed);
    let mut draw = || vmath::normal_inverse(random.uniform() + 0.5 / (1_u64 << 53) as f64);
    let mut out = Vec::with_capacity(n);
    while out.len() < n {
        let shock: f64 = loading.iter().map(|l| l * draw()).sum();
        let size = match shocks {
            Shocks::Normal => 1.0,
            Shocks::Student { dof } if dof >= 3 => {
                let chi: f64 = (0..dof).map(|_| draw()).map(|z| z * z).sum();
                (f64::from(dof - 2) / chi).sqrt()
            }
            Shocks::Student { dof } => {
                let value = f64::from(dof);
                return Err(RiskError::Range { what: "degrees of freedom", value, expected: "3 or more" });
            }
        };
        out.push(mean + size * shock);
        if out.len() < n {
            out.push(mean - size * shock);
        }
    }
    Ok(out)
}
