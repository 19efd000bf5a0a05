//! What a portfolio can lose: value at risk and expected shortfall by six models, what each position adds to them, tests
//! of forecasts against what happened, drawdowns, the price of getting out, and stress.
//!
//! Returns and P&L run in rows of time or scenario, oldest first. A loss is positive in every result. `tail` is the
//! probability of the tail: 0.01 for a 99 % value at risk, above 0 and below 1. What has no answer is a [`RiskError`]
//! that names the reason, never NaN. Random numbers come from the seed that the caller names.
//!
//! `docs/risk.md` lists every function with its source and its distance from other libraries.

mod backtest;
mod contribution;
mod drawdown;
mod error;
mod filtered;
mod liquidity;
mod parametric;
mod scenarios;
mod simulation;
mod stress;
mod student;
mod tail;

pub use backtest::{Backtest, Coverage, christoffersen, kupiec};
pub use contribution::{Contributions, Parametric, contributions, incremental};
pub use drawdown::{Drawdowns, drawdown_measures};
pub use error::RiskError;
pub use filtered::{filtered_historical, weighted_volatilities};
pub use liquidity::{liquidation_factor, spread_cost};
pub use parametric::{cornish_fisher, normal, student_t};
pub use scenarios::{Cell, ScenarioBook};
pub use simulation::{Shocks, simulate};
pub use stress::{propagated_shocks, stress_loss, worst_windows};
pub use student::{student_cdf, student_density, student_inverse};
pub use tail::{Tail, historical, weighted_historical};

fn in_tail(tail: f64) -> Result<(), RiskError> {
    if tail > 0.0 && tail < 1.0 { Ok(()) } else { Err(RiskError::Tail { tail }) }
}

fn all_finite(what: &'static str, values: &[f64]) -> Result<(), RiskError> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(row) => Err(RiskError::NotFinite { what, row }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
