//! How much of each name to hold: estimates of covariance, and the portfolios that are best under them.
//!
//! Returns run in rows of bars, oldest first, and are simple. Weights are fractions of wealth, names in the caller's
//! order. Everything is per bar: means, covariances, costs. What has no answer is an [`AllocationError`] that names the
//! reason; of constraints that contradict each other it names the one.
//!
//! `docs/optimisers.md` lists every function with its source and its distance from other libraries.

mod active_set;
mod black_litterman;
mod cardinality;
mod constraints;
mod covariance;
mod cvar;
mod error;
mod factors;
mod gram;
mod growth;
mod hierarchical;
mod interior;
mod linkage;
mod mean_variance;
mod repair;
mod risk_parity;
mod symmetric;

pub use black_litterman::{Posterior, View, black_litterman, implied_returns};
pub use cardinality::few_names;
pub use constraints::{Constraints, Group, Trading};
pub use covariance::{
    Returns, Shrunk, ledoit_wolf, ledoit_wolf_constant_correlation, oracle_approximating, sample_covariance,
    weighted_covariance,
};
pub use cvar::{LeastCvar, minimise_cvar};
pub use error::{AllocationError, Infeasible};
pub use factors::{FactorModel, principal_factors};
pub use growth::{kelly_weights, maximise_growth};
pub use hierarchical::hierarchical_risk_parity;
pub use linkage::Linkage;
pub use mean_variance::{maximise_sharpe, maximise_utility, minimise_variance};
pub use repair::{clip_eigenvalues, nearest_correlation};
pub use risk_parity::{risk_contributions, risk_parity};
pub use symmetric::{Cholesky, Symmetric};

fn one_each(what: &'static str, values: &[f64], expected: usize) -> Result<(), AllocationError> {
    if values.len() != expected {
        return Err(AllocationError::Shape { what, given: values.len(), expected });
    }
    match values.iter().position(|v| !v.is_finite()) {
        Some(row) => Err(AllocationError::NotFinite { what, row, column: 0 }),
        None => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
