//! Volume-weighted averages: over a window, and since the beginning (VWAP).

use super::parts::{Mean, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of};

/// Mean of the last `n` closes weighted by volume.
///
/// - Shape: one value a bar; none before bar `n − 1`.
/// - Units: those of the prices; `n` in bars, at least 1. Without any volume in the window there is no value.
/// - Source: TA-Lib 0.8 `TA_VWMA`.
#[derive(Clone, Debug)]
pub struct Vwma {
    turnover: Mean,
    volume: Mean,
}

impl Vwma {
    /// A kernel without data. Holds `2 n` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Vwma, 1> {
        let mean = Mean::new(n_instruments, period_of(n, 1));
        Columns::of(Vwma { turnover: mean.clone(), volume: mean }, n_instruments)
    }
}

impl Study<1> for Vwma {
    const INPUTS: Inputs = Inputs::CLOSE.and(Inputs::VOLUME);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let turnover = self.turnover.step(i, bar.close * bar.volume);
        let volume = self.volume.step(i, bar.volume)?;
        Ok([if volume > 0.0 { turnover? / volume } else { f64::NAN }])
    }

    state!(turnover, volume);
}

/// Mean of all typical prices `(high + low + close) / 3` so far, weighted by volume.
///
/// - Shape: one value a bar, from the first with volume on.
/// - Units: those of the prices.
/// - Source: Berkowitz, Logue and Noser, Journal of Finance 43 (1988) 97; TA-Lib 0.8 `TA_VWAP`.
#[derive(Clone, Debug)]
pub struct Vwap {
    turnover: Vec<f64>,
    volume: Vec<f64>,
}

impl Vwap {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<Vwap, 1> {
        let zeros = vec![0.0; n_instruments];
        Columns::of(Vwap { turnover: zeros.clone(), volume: zeros }, n_instruments)
    }
}

impl Study<1> for Vwap {
    const INPUTS: Inputs = Inputs::RANGE.and(Inputs::VOLUME);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        self.turnover[i] += super::typical(bar) * bar.volume;
        self.volume[i] += bar.volume;
        Ok([if self.volume[i] > 0.0 { self.turnover[i] / self.volume[i] } else { f64::NAN }])
    }

    state!(turnover, volume);
}
