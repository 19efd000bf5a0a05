//! LinUCB: arms whose reward is linear in a context, chosen by the upper end of what they may be worth.

use super::{LearnerError, OnlineRidge, above_zero, arm, features, first_largest, within};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// One ridge regression an arm; the arm with the largest `θ·x + width √(xᵀ A⁻¹ x)` is chosen, of equal ones the first.
///
/// Source: Li, Chu, Langford and Schapire, WWW (2010) 661, algorithm 1 (disjoint models), with any penalty instead of 1.
#[derive(Clone, Debug, PartialEq)]
pub struct LinUcb {
    width: f64,
    features: usize,
    arms: Vec<OnlineRidge>,
}

impl LinUcb {
    /// `arms` arms (1 or more) over contexts of `features` features; `width` 0 or more (1 + √(ln(2/δ)/2) covers with
    /// probability 1 − δ); penalty and memory are those of [`OnlineRidge::new`].
    ///
    /// # Errors
    /// `OutOfRange`.
    pub fn new(arms: usize, features: usize, width: f64, penalty: f64, memory: f64) -> Result<Self, LearnerError> {
        above_zero("number of arms", arms as f64)?;
        within("width", width, "finite and not below 0", width >= 0.0)?;
        let one = OnlineRidge::new(features, penalty, memory)?;
        Ok(LinUcb { width, features, arms: vec![one; arms] })
    }

    /// The upper end of what an arm may be worth in a context.
    ///
    /// # Errors
    /// `Length`, `OutOfRange`.
    pub fn bound(&self, arm: usize, context: &[f64]) -> Result<f64, LearnerError> {
        self::arm(arm, self.arms.len())?;
        let ridge = &self.arms[arm];
        Ok(ridge.predict(context)? + self.width * ridge.uncertainty(context)?.sqrt())
    }

    /// The arm to try in a context.
    ///
    /// # Errors
    /// `Length`, `OutOfRange`.
    pub fn choose(&self, context: &[f64]) -> Result<usize, LearnerError> {
        features(context, self.features)?;
        Ok(first_largest((0..self.arms.len()).map(|k| self.bound(k, context).unwrap_or(f64::NEG_INFINITY))))
    }

    /// Takes what an arm gained in a context.
    ///
    /// # Errors
    /// `Length`, `OutOfRange`.
    pub fn update(&mut self, arm: usize, context: &[f64], reward: f64) -> Result<(), LearnerError> {
        self::arm(arm, self.arms.len())?;
        self.arms[arm].update(context, reward).map(|_| ())
    }

    /// Weights of an arm; `None` if there is no such arm.
    #[must_use]
    pub fn weights(&self, arm: usize) -> Option<&[f64]> {
        self.arms.get(arm).map(OnlineRidge::weights)
    }

    /// Writes the state canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.len(self.arms.len());
        self.arms.iter().for_each(|a| a.save(to));
    }

    /// Reads what `save` wrote, into arms of the same parameters.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged or of another shape.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let n = from.u64("arms")?;
        if n != self.arms.len() as u64 {
            return Err(DecodeError::Mismatch { what: "arms", found: n, expected: self.arms.len() as u64 });
        }
        self.arms.iter_mut().try_for_each(|a| a.load(from))
    }
}
