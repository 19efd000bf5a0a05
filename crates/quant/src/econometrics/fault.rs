//! What a series is refused for.

use std::fmt;

/// Why a statistic has no value.
#[derive(Clone, Debug, PartialEq)]
pub enum EconometricsError {
    /// Fewer rows than the statistic needs.
    TooFew {
        /// What was asked for.
        what: &'static str,
        /// Rows given.
        got: usize,
        /// Rows needed.
        need: usize,
    },
    /// A value that is NaN or infinite.
    NotFinite {
        /// The series.
        what: &'static str,
        /// Its row.
        row: usize,
    },
    /// A series whose values are all equal.
    NoVariance {
        /// The series.
        what: &'static str,
    },
    /// A column that the columns before it determine, up to 1e-10 of its length.
    Collinear {
        /// The regression.
        what: &'static str,
        /// Index of the column, those of the trend first.
        column: usize,
    },
    /// A series of another length than the first.
    Shape {
        /// The series.
        what: &'static str,
        /// Its rows.
        got: usize,
        /// Rows expected.
        expected: usize,
    },
    /// A parameter outside its range.
    OutOfRange {
        /// The parameter.
        what: &'static str,
        /// Its value.
        got: f64,
        /// Least value allowed.
        least: f64,
        /// Largest value allowed.
        most: f64,
    },
    /// What one of several series is refused for.
    Series {
        /// Its index.
        at: usize,
        /// The reason.
        cause: Box<EconometricsError>,
    },
    /// The search did not settle.
    NotConverged {
        /// What was fitted.
        what: &'static str,
        /// Steps taken.
        steps: usize,
    },
}

impl fmt::Display for EconometricsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew { what, got, need } => {
                write!(f, "{what}: {got} rows, at least {need} are needed: take a longer series or fewer lags")
            }
            Self::NotFinite { what, row } => {
                write!(f, "{what}: row {row} is NaN or infinite: drop or fill the rows without a value")
            }
            Self::NoVariance { what } => write!(f, "{what}: all values are equal: leave the series out"),
            Self::Collinear { what, column } => {
                write!(f, "{what}: column {column} follows from the columns before it: leave it out")
            }
            Self::Shape { what, got, expected } => {
                write!(f, "{what}: {got} rows where {expected} are expected: align the series first")
            }
            Self::OutOfRange { what, got, least, most } => {
                write!(f, "{what}: {got} is outside {least} to {most}")
            }
            Self::Series { at, cause } => write!(f, "series {at}: {cause}"),
            Self::NotConverged { what, steps } => {
                write!(f, "{what}: not settled after {steps} steps: allow more or change the start")
            }
        }
    }
}

impl std::error::Error for EconometricsError {}

/// Refuses the first value that is not finite.
pub(super) fn finite(what: &'static str, x: &[f64]) -> Result<(), EconometricsError> {
    match x.iter().position(|v| !v.is_finite()) {
        Some(row) => Err(EconometricsError::NotFinite { what, row }),
        None => Ok(()),
    }
}

/// Refuses values that are not finite, fewer than `need` rows and a constant series.
pub(super) fn varied(what: &'static str, x: &[f64], need: usize) -> Result<(), EconometricsError> {
    finite(what, x)?;
    if x.len() < need.max(2) {
        return Err(EconometricsError::TooFew { what, got: x.len(), need: need.max(2) });
    }
    let mean = super::dense::mean(x);
    let squares = super::dense::sum_of(x, |v| (v - mean) * (v - mean));
    // Equal values leave deviations of the size of the rounding of their mean: that is no variance.
    let rounding = 4.0 * f64::EPSILON * mean.abs();
    if squares <= x.len() as f64 * rounding * rounding {
        return Err(EconometricsError::NoVariance { what });
    }
    Ok(())
}
