//! Triangular moving average: the middle of the window counts most.

use super::parts::{Mean, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of};

/// Mean over `⌈n / 2⌉` bars of means over `⌊n / 2⌋ + 1` bars of the close, so that the weights rise to the middle of the
/// window of `n` and fall again.
///
/// - Shape: one value a bar; none before bar `n − 1`.
/// - Units: those of the prices; `n` in bars, at least 1.
/// - Source: TA-Lib 0.8 `TA_TRIMA`.
#[derive(Clone, Debug)]
pub struct Trima {
    first: Mean,
    second: Mean,
}

impl Trima {
    /// A kernel without data. Holds about `n` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Trima, 1> {
        let n = period_of(n, 1);
        let (first, second) = (Mean::new(n_instruments, n / 2 + 1), Mean::new(n_instruments, n.div_ceil(2)));
        Columns::of(Trima { first, second }, n_instruments)
    }
}

impl Study<1> for Trima {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let first = self.first.step(i, bar.close)?;
        Ok([self.second.step(i, first)?])
    }

    state!(first, second);
}
