//! Why a measure of risk has no answer.

use crate::allocation::AllocationError;
use std::fmt;

/// What is wrong, and where. Rows and names are numbered from 0.
#[derive(Clone, Debug, PartialEq)]
pub enum RiskError {
    /// A probability of the tail outside 0 to 1, both excluded.
    Tail {
        /// The probability.
        tail: f64,
    },
    /// Too few observations.
    TooFew {
        /// What was given.
        what: &'static str,
        /// How many.
        given: usize,
        /// How many are needed.
        least: usize,
    },
    /// A number of values other than expected.
    Shape {
        /// What was given.
        what: &'static str,
        /// How many.
        given: usize,
        /// How many there must be.
        expected: usize,
    },
    /// A value that is NaN or infinite.
    NotFinite {
        /// What it belongs to.
        what: &'static str,
        /// Its row.
        row: usize,
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
    /// Nothing varies, so that no share of the risk can be told.
    NoRisk,
    /// Skewness and kurtosis for which the expansion of Cornish and Fisher is no quantile function.
    NotMonotone {
        /// Skewness.
        skewness: f64,
        /// Excess kurtosis.
        kurtosis: f64,
    },
    /// A covariance that cannot be used.
    Covariance(AllocationError),
}

impl fmt::Display for RiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tail { tail } => write!(f, "tail {tail}: a probability above 0 and below 1 is needed, 0.01 for 99 %"),
            Self::TooFew { what, given, least } => write!(f, "{what}: {given} given, at least {least} are needed"),
            Self::Shape { what, given, expected } => write!(f, "{what}: {given} values instead of {expected}"),
            Self::NotFinite { what, row } => write!(f, "{what}, row {row}: not a finite number: drop or fill it"),
            Self::Range { what, value, expected } => write!(f, "{what} is {value}: it must be {expected}"),
            Self::NoRisk => f.write_str("nothing varies: there is no risk to share out"),
            Self::NotMonotone { skewness, kurtosis } => write!(
                f,
                "skewness {skewness}, excess kurtosis {kurtosis}: outside the range of Cornish and Fisher's expansion: \
                 use the historical measure"
            ),
            Self::Covariance(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RiskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Covariance(error) = self { Some(error) } else { None }
    }
}

impl From<AllocationError> for RiskError {
    fn from(error: AllocationError) -> Self {
        RiskError::Covariance(error)
    }
}
