//! Zero-lag exponential moving average.

use super::parts::{Window, state};
use super::{Bar, Columns, Ema, Inputs, Seed, Status, Study, period_of};

/// Exponential average over `n` bars of `2 xₜ − xₜ₋ₖ`, with x the close and `k = (n − 1) / 2` rounded down; it starts at a
/// simple mean.
///
/// - Shape: one value a bar; none before bar `n − 1 + k`.
/// - Units: those of the prices; `n` in bars, at least 3.
/// - Source: Ehlers and Way, Technical Analysis of Stocks & Commodities 28 (2010); TA-Lib 0.8 `TA_ZLEMA`.
#[derive(Clone, Debug)]
pub struct Zlema {
    lag: Window,
    average: Ema,
}

impl Zlema {
    /// A kernel without data. Holds half of `n` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Zlema, 1> {
        let lag = Window::new(n_instruments, (period_of(n, 3) - 1) / 2);
        Columns::of(Zlema { lag, average: Ema::new(n_instruments, n.max(3), Seed::Sma) }, n_instruments)
    }
}

impl Study<1> for Zlema {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let old = self.lag.push(i, bar.close).ok_or(Status::WarmUp)?;
        Ok([self.average.step(i, 2.0 * bar.close - old)?])
    }

    state!(lag, average);
}
