//! Execution: how to spread an order over time, and what that costs.
//!
//! Optimal liquidation (Almgren and Chriss), the share of a day's volume that each bucket of the session has, the square-root
//! law of impact with its fit, and schedules in whole lots. Times, prices and quantities are in units of the caller's
//! choice, the same everywhere; volumes and costs are floats, lots are integers and add up exactly.
//!
//! What does not belong here: orders, venues and money in fixed point, which are `tradegraph-execution`'s.
//! `docs/execution-mathematics.md` states every function's distance from other libraries.

mod almgren_chriss;
mod impact;
mod schedule;
mod volume_curve;

pub use almgren_chriss::{Cost, Liquidation, Market};
pub use impact::{Impact, ImpactFit, SQUARE_ROOT, fit_exponent, fit_impact};
pub use schedule::{Pov, schedule, twap};
pub use volume_curve::{Centre, VolumeCurves};

/// What execution mathematics cannot be done with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ExecutionError {
    /// A parameter or an observation outside its range, or NaN.
    OutOfRange {
        /// Its name.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What it may be.
        range: &'static str,
    },
    /// A slice of the wrong length.
    Length {
        /// Its name.
        name: &'static str,
        /// Cells given.
        found: usize,
        /// Cells needed.
        expected: usize,
    },
    /// Too few observations.
    TooFew {
        /// What there is too little of.
        name: &'static str,
        /// How many there are.
        found: usize,
        /// How many are needed.
        least: usize,
    },
    /// Weights or volumes that are all zero.
    NoVolume,
    /// No exponent fits: all orders have the same participation, or costs do not grow with it.
    NoExponent,
}

impl std::fmt::Display for ExecutionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OutOfRange { name, value, range } => write!(f, "{name} is {value}: it must be {range}"),
            Self::Length { name, found, expected } => write!(f, "{name} has {found} cells: it must have {expected}"),
            Self::TooFew { name, found, least } => write!(f, "{found} {name}: give {least} or more"),
            Self::NoVolume => write!(f, "all volumes are zero, so no bucket has a share: leave the session out"),
            Self::NoExponent => {
                write!(f, "no exponent fits: give orders of different participation, or fix the exponent at 0.5")
            }
        }
    }
}

impl std::error::Error for ExecutionError {}

/// `value` if it is finite and `good`.
fn within(name: &'static str, value: f64, range: &'static str, good: bool) -> Result<f64, ExecutionError> {
    if good && value.is_finite() { Ok(value) } else { Err(ExecutionError::OutOfRange { name, value, range }) }
}

fn at_least_zero(name: &'static str, value: f64) -> Result<f64, ExecutionError> {
    within(name, value, "finite and not below 0", value >= 0.0)
}

fn above_zero(name: &'static str, value: f64) -> Result<f64, ExecutionError> {
    within(name, value, "finite and above 0", value > 0.0)
}

fn length(name: &'static str, found: usize, expected: usize) -> Result<(), ExecutionError> {
    if found == expected { Ok(()) } else { Err(ExecutionError::Length { name, found, expected }) }
}

#[cfg(test)]
pub(crate) mod tests;
