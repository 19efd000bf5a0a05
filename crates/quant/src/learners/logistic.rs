//! Logistic regression, one observation at a time.

use super::{LearnerError, above_zero, dot, features, logistic, within};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Logistic regression by online gradient descent: each weight moves by `−rate · ((p − y) x + penalty · weight)`, the intercept
/// by `−rate · (p − y)`. Features should be of size one: a feature that is a hundred times larger learns ten thousand times faster.
///
/// Source: Zinkevich, ICML (2003) 928, online gradient descent; the loss is Cox's, J. Royal Statistical Society B 20 (1958) 215.
#[derive(Clone, Debug, PartialEq)]
pub struct OnlineLogistic {
    rate: f64,
    penalty: f64,
    weights: Vec<f64>,
    intercept: f64,
}

impl OnlineLogistic {
    /// A probability of one half for anything; `features` 1 or more, `rate` above 0 (0.01 is usual), `penalty` 0 or more with
    /// `rate · penalty` below 1.
    ///
    /// # Errors
    /// `OutOfRange`.
    pub fn new(features: usize, rate: f64, penalty: f64) -> Result<Self, LearnerError> {
        above_zero("number of features", features as f64)?;
        above_zero("rate", rate)?;
        within("penalty", penalty, "not below 0 and below 1 / rate", penalty >= 0.0 && rate * penalty < 1.0)?;
        Ok(OnlineLogistic { rate, penalty, weights: vec![0.0; features], intercept: 0.0 })
    }

    /// Takes an observation and gives the probability that was predicted for it.
    ///
    /// # Errors
    /// `Length`, `OutOfRange`.
    pub fn update(&mut self, x: &[f64], happened: bool) -> Result<f64, LearnerError> {
        let p = self.predict(x)?;
        let slope = p - f64::from(u8::from(happened));
        for (w, v) in self.weights.iter_mut().zip(x) {
            *w -= self.rate * (slope * v + self.penalty * *w);
        }
        self.intercept -= self.rate * slope;
        Ok(p)
    }

    /// The probability for these features, 0 to 1.
    ///
    /// # Errors
    /// `Length`, `OutOfRange` (also if weights times features overflow).
    pub fn predict(&self, x: &[f64]) -> Result<f64, LearnerError> {
        features(x, self.weights.len())?;
        let z = super::finite("weights times features", dot(&self.weights, x) + self.intercept)?;
        Ok(logistic(z))
    }

    /// The weights.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The intercept.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// Writes the state canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.f64s(&self.weights);
        to.f64(self.intercept);
    }

    /// Reads what `save` wrote, into a learner of the same parameters.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged or of another number of features.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        from.f64s_into(&mut self.weights)?;
        self.intercept = from.f64("intercept")?;
        Ok(())
    }
}
