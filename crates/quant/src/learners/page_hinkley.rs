//! Page and Hinkley's test: a mean that has moved by more than is tolerated, for long enough.

use super::{LearnerError, above_zero, finite, within};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Sums the distances of the observations from their mean so far, less a tolerance, and says "drift" when the sum has risen
/// (or fallen) by more than a threshold. After a drift it begins anew with the next observation.
///
/// Sources: Page, Biometrika 41 (1954) 100; Hinkley, Biometrika 58 (1971) 509; fading as in Gama and others, ACM Computing
/// Surveys 46 (2014) 44.
#[derive(Clone, Debug, PartialEq)]
pub struct PageHinkley {
    least: u64,
    tolerance: f64,
    threshold: f64,
    fading: f64,
    n: u64,
    mean: f64,
    rise: f64,
    fall: f64,
    lowest: f64,
    highest: f64,
    drift: bool,
}

impl PageHinkley {
    /// A test that speaks from `least` observations on: `tolerance` 0 or more and `threshold` above 0, both in units of the
    /// observations (0.005 and 50 are usual for errors of 0 and 1), `fading` of the sums above 0, at most 1 (0.9999).
    ///
    /// # Errors
    /// `OutOfRange`.
    pub fn new(least: u64, tolerance: f64, threshold: f64, fading: f64) -> Result<Self, LearnerError> {
        within("tolerance", tolerance, "finite and not below 0", tolerance >= 0.0)?;
        above_zero("threshold", threshold)?;
        within("fading", fading, "above 0 and at most 1", fading > 0.0 && fading <= 1.0)?;
        let mut test = PageHinkley {
            least,
            tolerance,
            threshold,
            fading,
            n: 0,
            mean: 0.0,
            rise: 0.0,
            fall: 0.0,
            lowest: 0.0,
            highest: 0.0,
            drift: false,
        };
        test.reset();
        Ok(test)
    }

    /// Forgets all observations.
    pub fn reset(&mut self) {
        (self.n, self.mean, self.rise, self.fall) = (0, 0.0, 0.0, 0.0);
        (self.lowest, self.highest, self.drift) = (f64::INFINITY, f64::NEG_INFINITY, false);
    }

    /// Takes the next observation; true if the mean has moved.
    ///
    /// # Errors
    /// `OutOfRange` for one that is not finite.
    pub fn update(&mut self, x: f64) -> Result<bool, LearnerError> {
        finite("observation", x)?;
        if self.drift {
            self.reset();
        }
        self.n += 1;
        self.mean += (x - self.mean) / self.n as f64;
        let away = x - self.mean;
        self.rise = self.fading * self.rise + away - self.tolerance;
        self.fall = self.fading * self.fall + away + self.tolerance;
        self.lowest = self.lowest.min(self.rise);
        self.highest = self.highest.max(self.fall);
        let (up, down) = (self.rise - self.lowest, self.highest - self.fall);
        self.drift = self.n >= self.least && (up > self.threshold || down > self.threshold);
        Ok(self.drift)
    }

    /// Observations since the last drift.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.n
    }

    /// Writes the state canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.u64(self.n);
        [self.mean, self.rise, self.fall, self.lowest, self.highest].into_iter().for_each(|x| to.f64(x));
        to.bool(self.drift);
    }

    /// Reads what `save` wrote, into a test of the same parameters.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.n = from.u64("observations of a drift test")?;
        for x in [&mut self.mean, &mut self.rise, &mut self.fall, &mut self.lowest, &mut self.highest] {
            *x = from.f64("drift test")?;
        }
        self.drift = from.bool("drift")?;
        Ok(())
    }
}
