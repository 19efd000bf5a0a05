//! What is wrong with an allocation problem, and where.

use std::fmt;

/// Why there is no answer. Names are numbered from 0 in the caller's order.
#[derive(Clone, Debug, PartialEq)]
pub enum AllocationError {
    /// A number of values other than the problem has.
    Shape {
        /// What was given.
        what: &'static str,
        /// How many values.
        given: usize,
        /// How many there must be.
        expected: usize,
    },
    /// Fewer bars than the estimate needs.
    TooFewRows {
        /// Bars given.
        rows: usize,
        /// Bars needed.
        least: usize,
    },
    /// A value that is NaN or infinite.
    NotFinite {
        /// What it belongs to.
        what: &'static str,
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
    },
    /// Cells across the diagonal that differ.
    Asymmetric {
        /// Row.
        row: usize,
        /// Column.
        column: usize,
    },
    /// A variance that is not above 0.
    NoVariance {
        /// Whose.
        name: usize,
    },
    /// A covariance that is not positive definite: shrink it, or repair it.
    Singular {
        /// The first name that the others determine.
        name: usize,
    },
    /// A parameter outside its range.
    Range {
        /// Which.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
    /// No portfolio meets the constraints.
    Infeasible(Infeasible),
    /// No allowed portfolio earns more than the riskless rate.
    NoExcessReturn,
    /// An iteration that did not converge.
    NoConvergence,
}

/// Which constraint cannot be met.
#[derive(Clone, Debug, PartialEq)]
pub enum Infeasible {
    /// A lower bound above the upper one.
    Bounds {
        /// Whose.
        name: usize,
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// Bounds whose sums leave no room for the budget.
    Budget {
        /// Sum of weights asked for.
        budget: f64,
        /// Least sum that the bounds allow.
        low: f64,
        /// Largest sum that the bounds allow.
        high: f64,
    },
    /// A group that cannot lie within its limits.
    Group {
        /// Its label.
        label: String,
        /// Least sum asked for.
        low: f64,
        /// Largest sum asked for.
        high: f64,
        /// By how much the nearest portfolio misses, of wealth.
        short: f64,
    },
    /// A turnover below what the other constraints need.
    Turnover {
        /// The limit.
        limit: f64,
        /// What the other constraints need at least.
        needed: f64,
    },
    /// A return above what any allowed portfolio earns.
    Return {
        /// The least return asked for.
        least: f64,
        /// What can be had.
        best: f64,
    },
    /// So few names that their bounds cannot add up to the budget.
    Names {
        /// Names allowed.
        most: usize,
        /// Names needed.
        needed: usize,
    },
}

impl fmt::Display for AllocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { what, given, expected } => {
                write!(f, "{what}: {given} values instead of {expected}: give one for each name")
            }
            Self::TooFewRows { rows, least } => {
                write!(f, "{rows} bars, at least {least} are needed: give a longer history")
            }
            Self::NotFinite { what, row, column } => {
                write!(f, "{what}, row {row}, column {column}: not a finite number: drop or fill it")
            }
            Self::Asymmetric { row, column } => {
                write!(f, "matrix, row {row}, column {column}: differs from its mirror cell: give a symmetric matrix")
            }
            Self::NoVariance { name } => write!(f, "name {name}: its variance is not above 0: leave it out"),
            Self::Singular { name } => {
                write!(f, "name {name}: the covariance is not positive definite there: shrink or repair it")
            }
            Self::Range { what, value, expected } => write!(f, "{what} is {value}: it must be {expected}"),
            Self::Infeasible(which) => which.fmt(f),
            Self::NoExcessReturn => {
                f.write_str("no allowed portfolio earns more than the riskless rate: minimise variance instead")
            }
            Self::NoConvergence => f.write_str("the iteration did not converge: check the scale of the inputs"),
        }
    }
}

impl fmt::Display for Infeasible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bounds { name, low, high } => {
                write!(f, "name {name}: its lower bound {low} is above its upper bound {high}: exchange or widen them")
            }
            Self::Budget { budget, low, high } => {
                write!(
                    f,
                    "budget {budget}: the bounds allow sums from {low} to {high}: widen the bounds or change the budget"
                )
            }
            Self::Group { label, low, high, short } => {
                write!(f, "group {label}: {low} to {high} cannot be met, it misses by {short}: widen it by that much")
            }
            Self::Turnover { limit, needed } => {
                write!(f, "turnover {limit}: the other constraints need at least {needed}: raise it")
            }
            Self::Return { least, best } => {
                write!(f, "return {least}: no allowed portfolio expects more than {best}: lower it")
            }
            Self::Names { most, needed } => {
                write!(
                    f,
                    "{most} names: their bounds need at least {needed} to reach the budget: allow more names or weight"
                )
            }
        }
    }
}

impl std::error::Error for AllocationError {}
