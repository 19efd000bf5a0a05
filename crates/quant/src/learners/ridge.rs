//! Ridge regression, one observation at a time.

use super::{LearnerError, above_zero, dot, features, finite, memory};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Variance of a weight, in variances of the prior, beyond which nothing more is forgotten.
const MOST_FORGOTTEN: f64 = 1e8;

/// Recursive least squares with forgetting: after T observations the weights are those of ridge regression with weights
/// `memory^(T−t)` on the observations and the penalty `memory^T · penalty`. There is no intercept; add a feature of 1.
///
/// Without new information forgetting alone would make the covariance grow without bound, and the next observation throw
/// the weights anywhere. While a weight's variance is above 10⁸ that of the prior, nothing is forgotten.
///
/// Source: Plackett, Biometrika 37 (1950) 149; Haykin, Adaptive Filter Theory, 4th ed. (2002), table 9.1.
#[derive(Clone, Debug, PartialEq)]
pub struct OnlineRidge {
    penalty: f64,
    memory: f64,
    weights: Vec<f64>,
    /// Inverse of the penalised moments, row by row, symmetric.
    covariance: Vec<f64>,
    /// `P x` of the observation at hand.
    gain: Vec<f64>,
}

impl OnlineRidge {
    /// Weights of 0 for `features` features (1 or more); `penalty` above 0, in squares of the features; `memory` above 0, at
    /// most 1 (0.99 forgets half in 69 observations, 1 nothing).
    ///
    /// # Errors
    /// `OutOfRange`.
    pub fn new(features: usize, penalty: f64, memory: f64) -> Result<Self, LearnerError> {
        above_zero("number of features", features as f64)?;
        above_zero("penalty", penalty)?;
        finite("inverse of the penalty", 1.0 / penalty)?;
        self::memory(memory)?;
        let mut covariance = vec![0.0; features * features];
        covariance.iter_mut().step_by(features + 1).for_each(|p| *p = 1.0 / penalty);
        Ok(OnlineRidge { penalty, memory, weights: vec![0.0; features], covariance, gain: vec![0.0; features] })
    }

    /// Takes an observation and gives the error that the prediction for it had.
    ///
    /// # Errors
    /// `Length`, `OutOfRange`.
    pub fn update(&mut self, x: &[f64], y: f64) -> Result<f64, LearnerError> {
        let n = self.weights.len();
        features(x, n)?;
        finite("outcome", y)?;
        for (g, row) in self.gain.iter_mut().zip(self.covariance.chunks_exact(n)) {
            *g = dot(row, x);
        }
        let error = y - dot(&self.weights, x);
        let scale = self.memory + dot(&self.gain, x);
        finite("size of the features", scale)?;
        finite("size of the error", error)?;
        for (w, g) in self.weights.iter_mut().zip(&self.gain) {
            *w += g / scale * error;
        }
        let most = MOST_FORGOTTEN / self.penalty;
        let wide = self.covariance.iter().step_by(n + 1).any(|p| *p > most);
        let kept = if wide { 1.0 } else { self.memory };
        for i in 0..n {
            for j in 0..=i {
                let p = (self.covariance[i * n + j] - self.gain[i] * self.gain[j] / scale) / kept;
                self.covariance[i * n + j] = p;
                self.covariance[j * n + i] = p;
            }
        }
        Ok(error)
    }

    /// The prediction for these features.
    ///
    /// # Errors
    /// `Length`, `OutOfRange`.
    pub fn predict(&self, x: &[f64]) -> Result<f64, LearnerError> {
        features(x, self.weights.len())?;
        Ok(dot(&self.weights, x))
    }

    /// `xᵀ P x`, the variance of the prediction in variances of the noise.
    ///
    /// # Errors
    /// `Length`, `OutOfRange`.
    pub fn uncertainty(&self, x: &[f64]) -> Result<f64, LearnerError> {
        let n = self.weights.len();
        features(x, n)?;
        let rows = self.covariance.chunks_exact(n);
        Ok(rows.zip(x).fold(0.0, |sum, (row, xi)| sum + xi * dot(row, x)).max(0.0))
    }

    /// The weights.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Writes the state canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.f64s(&self.weights);
        to.f64s(&self.covariance);
    }

    /// Reads what `save` wrote, into a learner of the same parameters.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged or of another number of features.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        from.f64s_into(&mut self.weights)?;
        from.f64s_into(&mut self.covariance)
    }
}
