//! Weighted moving average: the newest closes count most.

use super::parts::{Weighted, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of};

/// Mean of the last `n` closes with weights that rise from 1 for the oldest to `n` for the newest.
///
/// - Shape: one value a bar; none before bar `n − 1`.
/// - Units: those of the prices; `n` in bars, at least 1.
/// - Source: TA-Lib 0.8 `TA_WMA`.
#[derive(Clone, Debug)]
pub struct Wma(Weighted);

impl Wma {
    /// A kernel without data. Holds `n` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Wma, 1> {
        Columns::of(Wma(Weighted::new(n_instruments, period_of(n, 1))), n_instruments)
    }
}

impl Study<1> for Wma {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        Ok([self.0.mean(i, bar.close)?])
    }

    state!(0);
}
