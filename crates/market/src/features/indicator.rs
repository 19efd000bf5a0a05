//! `IndicatorSpec`: any indicator of the registry by name, checked once, as a small value that can be compared.

use tradegraph_quant::indicators::{INDICATORS, Indicator, Parameter};

/// An indicator with parameters and a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndicatorSpec {
    /// Its place in the registry.
    at: u16,
    /// In thousandths.
    parameters: [i32; PARAMETERS],
    line: u8,
}

/// Parameters of an indicator at most.
const PARAMETERS: usize = 4;

/// What is no indicator.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum IndicatorError {
    /// A name that the registry does not have.
    #[error("there is no indicator '{0}'")]
    Unknown(String),
    /// Too few or too many parameters.
    #[error("{indicator} takes {expected} parameters, not {found}")]
    Parameters {
        /// The indicator.
        indicator: &'static str,
        /// How many it takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A parameter out of its range, or not a whole number where it counts.
    #[error("{parameter} of {indicator} must be {kind} from {least} to {most}", kind = if *whole { "a whole number" } else { "a number" })]
    Range {
        /// The indicator.
        indicator: &'static str,
        /// Its parameter.
        parameter: &'static str,
        /// Least value.
        least: f64,
        /// Most.
        most: f64,
        /// True for a count.
        whole: bool,
    },
    /// A line that it does not have.
    #[error("{indicator} has no line '{line}'")]
    Line {
        /// The indicator.
        indicator: &'static str,
        /// The line.
        line: String,
    },
}

impl IndicatorSpec {
    /// The indicator of a name with its parameters in order, to the thousandth, and one of its lines; the name of an only
    /// line is empty.
    ///
    /// # Errors
    /// `IndicatorError`.
    pub fn new(name: &str, parameters: &[f64], line: &str) -> Result<IndicatorSpec, IndicatorError> {
        let at = INDICATORS.iter().position(|i| i.name == name);
        let at = at.ok_or_else(|| IndicatorError::Unknown(name.to_owned()))?;
        let Indicator { name: indicator, parameters: expected, lines, .. } = INDICATORS[at];
        if parameters.len() != expected.len() || expected.len() > PARAMETERS {
            let (expected, found) = (expected.len(), parameters.len());
            return Err(IndicatorError::Parameters { indicator, expected, found });
        }
        let mut thousandths = [0; PARAMETERS];
        for ((to, x), p) in thousandths.iter_mut().zip(parameters).zip(expected) {
            if !(p.least..=p.most).contains(x) || (p.whole && x.fract() != 0.0) {
                let Parameter { name: parameter, least, most, whole, .. } = *p;
                return Err(IndicatorError::Range { indicator, parameter, least, most, whole });
            }
            *to = (x * 1000.0).round() as i32;
        }
        match lines.iter().position(|l| l.name == line) {
            Some(line) => Ok(IndicatorSpec { at: at as u16, parameters: thousandths, line: line as u8 }),
            None => Err(IndicatorError::Line { indicator, line: line.to_owned() }),
        }
    }

    /// The indicator.
    #[must_use]
    pub fn indicator(&self) -> &'static Indicator {
        &INDICATORS[usize::from(self.at)]
    }

    /// Its parameters, in order.
    #[must_use]
    pub fn parameters(&self) -> Vec<f64> {
        self.parameters.iter().take(self.indicator().parameters.len()).map(|x| f64::from(*x) / 1000.0).collect()
    }

    pub(super) fn line(&self) -> usize {
        usize::from(self.line)
    }

    /// The spec that stands for all lines of its kernel.
    pub(super) fn first_line(self) -> IndicatorSpec {
        IndicatorSpec { line: 0, ..self }
    }
}
