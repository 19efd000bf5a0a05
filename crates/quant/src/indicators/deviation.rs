//! Variance and standard deviation of recent closes.

use super::parts::{Moments, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of};

/// Population variance (divisor `n`) of the last `n` closes and its root: lines deviation, variance.
///
/// - Shape: one value a bar; none before bar `n − 1`.
/// - Units: those of the prices, the variance squared; `n` in bars, at least 2.
/// - Source: TA-Lib 0.8 `TA_STDDEV`, `TA_VAR`.
#[derive(Clone, Debug)]
pub struct Deviation {
    period: f64,
    moments: Moments,
}

impl Deviation {
    /// A kernel without data. Holds `n` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Deviation, 2> {
        let n = period_of(n, 2);
        let study = Deviation { period: f64::from(n), moments: Moments::new(n_instruments, n) };
        Columns::of(study, n_instruments)
    }
}

impl Study<2> for Deviation {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        let (_, squares) = self.moments.step(i, bar.close)?;
        let variance = squares / self.period;
        Ok([variance.sqrt(), variance])
    }

    state!(period, moments);
}
