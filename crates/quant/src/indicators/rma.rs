//! Wilder's moving average, slower than an exponential one of the same period.

use super::parts::state;
use super::{Bar, Columns, Ema, Inputs, Status, Study};

/// `a += (x − a) / n` of the close, from the mean of the first `n` on.
///
/// - Shape: one value a bar; none before bar `n − 1`.
/// - Units: those of the prices; `n` in bars, at least 1.
/// - Source: Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib 0.8 `TA_RMA`.
#[derive(Clone, Debug)]
pub struct Rma(Ema);

impl Rma {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Rma, 1> {
        Columns::of(Rma(Ema::wilder(n_instruments, n)), n_instruments)
    }
}

impl Study<1> for Rma {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        Ok([self.0.step(i, bar.close)?])
    }

    fn row(&mut self, bars: &super::Bars<'_>, [line]: &mut [&mut [f64]; 1]) -> bool {
        if !self.0.is_warm() {
            return false;
        }
        line.copy_from_slice(bars.close);
        self.0.row(line)
    }

    state!(0);
}
