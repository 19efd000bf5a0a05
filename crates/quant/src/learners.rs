//! Learners: what is learned one observation at a time, how probabilities are calibrated, and when the world has changed.
//!
//! Every learner is deterministic, takes an observation without allocating, and is saved and loaded by the codec of the
//! indicators. A refused observation changes nothing. Experts that are weighted by what they gain are in [`crate::hedge`].
//! `docs/learners.md` states every function's distance from other libraries.

mod adwin;
mod boosting;
mod gradient;
mod isotonic;
mod lin_ucb;
mod logistic;
mod page_hinkley;
mod platt;
mod ridge;
mod thompson;

pub use adwin::Adwin;
pub use boosting::{BoostedTrees, BoostingParameters, BoostingTarget};
pub use gradient::{exponentiated_gradient, exponentiated_portfolio};
pub use isotonic::Isotonic;
pub use lin_ucb::LinUcb;
pub use logistic::OnlineLogistic;
pub use page_hinkley::PageHinkley;
pub use platt::Platt;
pub use ridge::OnlineRidge;
pub use thompson::{BetaThompson, GaussianThompson};

use tradegraph_columns::codec::DecodeError;

/// What a learner cannot be made of or cannot learn from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LearnerError {
    /// A parameter or a part of an observation outside its range, or NaN.
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
    /// Nothing to learn from.
    Empty {
        /// What is missing.
        name: &'static str,
    },
    /// A fit that found no optimum.
    NotConverged,
}

impl std::fmt::Display for LearnerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OutOfRange { name, value, range } => write!(f, "{name} is {value}: it must be {range}"),
            Self::Length { name, found, expected } => write!(f, "{name} has {found} cells: it must have {expected}"),
            Self::Empty { name } => write!(f, "no {name}: give one or more"),
            Self::NotConverged => write!(f, "the fit found no optimum: look for scores of very different size"),
        }
    }
}

impl std::error::Error for LearnerError {}

/// `value` if it is finite and `good`.
fn within(name: &'static str, value: f64, range: &'static str, good: bool) -> Result<f64, LearnerError> {
    if good && value.is_finite() { Ok(value) } else { Err(LearnerError::OutOfRange { name, value, range }) }
}

fn finite(name: &'static str, value: f64) -> Result<f64, LearnerError> {
    within(name, value, "finite", true)
}

fn above_zero(name: &'static str, value: f64) -> Result<f64, LearnerError> {
    within(name, value, "finite and above 0", value > 0.0)
}

/// A share of what was known that is kept from one observation to the next.
fn memory(value: f64) -> Result<f64, LearnerError> {
    within("memory", value, "above 0 and at most 1", value > 0.0 && value <= 1.0)
}

fn length(name: &'static str, found: usize, expected: usize) -> Result<(), LearnerError> {
    if found == expected { Ok(()) } else { Err(LearnerError::Length { name, found, expected }) }
}

/// Features of one observation: as many as expected, all finite.
fn features(x: &[f64], expected: usize) -> Result<(), LearnerError> {
    length("features", x.len(), expected)?;
    x.iter().try_for_each(|v| finite("feature", *v).map(|_| ()))
}

/// An arm that exists.
fn arm(arm: usize, arms: usize) -> Result<(), LearnerError> {
    within("arm", arm as f64, "one of the arms", arm < arms).map(|_| ())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

/// `1 / (1 + e^−z)`, with powers of numbers below 1 only.
fn logistic(z: f64) -> f64 {
    let e = libm::exp(-z.abs());
    if z >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

/// The first of the largest values.
fn first_largest(values: impl Iterator<Item = f64>) -> usize {
    values.enumerate().fold((0, f64::NEG_INFINITY), |best, (k, v)| if v > best.1 { (k, v) } else { best }).0
}

/// A float of a snapshot that cannot be what was saved.
fn damaged(what: &'static str, found: f64) -> DecodeError {
    DecodeError::Mismatch { what, found: found.to_bits(), expected: 0 }
}

#[cfg(test)]
mod tests;
