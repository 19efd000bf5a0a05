//! Simple moving average.

use super::parts::{Mean, state};
use super::{Bar, Bars, Columns, Inputs, Status, Study, period_of};

/// Mean of the last `n` closes of one series.
///
/// - Shape: one value a bar, oldest first; NaN before bar `n − 1`.
/// - Units: those of `close`; `n` in bars, at least 1.
/// - Source: TA-Lib 0.8 `TA_SMA`.
#[must_use]
pub fn sma(close: &[f64], n: usize) -> Vec<f64> {
    let [values] = Sma::columns(1, n.min(close.len() + 1)).series(&Bars::closes(close));
    values
}

/// One simple moving average for all instruments. Definition: [`sma`].
#[derive(Clone, Debug)]
pub struct Sma(Mean);

impl Sma {
    /// A kernel without data; `n` is the period in bars, at least 1. Holds `n` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Sma, 1> {
        Columns::of(Sma(Mean::new(n_instruments, period_of(n, 1))), n_instruments)
    }
}

impl Study<1> for Sma {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        Ok([self.0.step(i, bar.close)?])
    }

    fn row(&mut self, bars: &Bars<'_>, [line]: &mut [&mut [f64]; 1]) -> bool {
        self.0.row(bars.close, line)
    }

    state!(0);
}
