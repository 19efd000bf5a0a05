//! Midpoint of recent closes.

use super::parts::{Extreme, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of};

/// Middle between the highest and the lowest of the last `n` closes.
///
/// - Shape: one value a bar; none before bar `n − 1`. Units: those of the prices; `n` in bars, at least 1.
/// - Source: TA-Lib 0.8 `TA_MIDPOINT`.
#[derive(Clone, Debug)]
pub struct Midpoint {
    high: Extreme,
    low: Extreme,
}

impl Midpoint {
    /// A kernel without data. Holds `2 n` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Midpoint, 1> {
        let n = period_of(n, 1);
        let (high, low) = (Extreme::highest(n_instruments, n), Extreme::lowest(n_instruments, n));
        Columns::of(Midpoint { high, low }, n_instruments)
    }
}

impl Study<1> for Midpoint {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let (high, low) = (self.high.step(i, bar.close), self.low.step(i, bar.close));
        Ok([(high? + low?) / 2.0])
    }

    state!(high, low);
}
