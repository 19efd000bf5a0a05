//! Rolling high and rolling low: the edges of where a price has been.

use super::parts::{Extreme, state};
use super::{Bar, Bars, Columns, Inputs, Status, Study, period_of};

/// The highest of the last `n` highs of one series.
///
/// - Shape: one value a bar, oldest first; NaN before bar `n − 1`.
/// - Units: those of `high`; `n` in bars, at least 1.
/// - Source: TA-Lib 0.8 `TA_MAX` of the high.
#[must_use]
pub fn rolling_high(high: &[f64], n: usize) -> Vec<f64> {
    let bars = Bars { high, ..Bars::default() };
    let [values] = RollingHigh::columns(1, n.min(high.len() + 1)).series(&bars);
    values
}

/// The lowest of the last `n` lows of one series.
///
/// - Shape: one value a bar, oldest first; NaN before bar `n − 1`.
/// - Units: those of `low`; `n` in bars, at least 1.
/// - Source: TA-Lib 0.8 `TA_MIN` of the low.
#[must_use]
pub fn rolling_low(low: &[f64], n: usize) -> Vec<f64> {
    let bars = Bars { low, ..Bars::default() };
    let [values] = RollingLow::columns(1, n.min(low.len() + 1)).series(&bars);
    values
}

/// One rolling high for all instruments. Definition: [`rolling_high`].
#[derive(Clone, Debug)]
pub struct RollingHigh(Extreme);

impl RollingHigh {
    /// A kernel without data; `n` is the period in bars, at least 1. Holds `n` highs an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<RollingHigh, 1> {
        Columns::of(RollingHigh(Extreme::highest(n_instruments, period_of(n, 1))), n_instruments)
    }
}

impl Study<1> for RollingHigh {
    const INPUTS: Inputs = Inputs::HIGH;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        Ok([self.0.step(i, bar.high)?])
    }

    fn row(&mut self, bars: &Bars<'_>, [line]: &mut [&mut [f64]; 1]) -> bool {
        self.0.row(bars.high, line)
    }

    state!(0);
}

/// One rolling low for all instruments. Definition: [`rolling_low`].
#[derive(Clone, Debug)]
pub struct RollingLow(Extreme);

impl RollingLow {
    /// A kernel without data; `n` is the period in bars, at least 1. Holds `n` lows an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<RollingLow, 1> {
        Columns::of(RollingLow(Extreme::lowest(n_instruments, period_of(n, 1))), n_instruments)
    }
}

impl Study<1> for RollingLow {
    const INPUTS: Inputs = Inputs::LOW;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        Ok([self.0.step(i, bar.low)?])
    }

    fn row(&mut self, bars: &Bars<'_>, [line]: &mut [&mut [f64]; 1]) -> bool {
        self.0.row(bars.low, line)
    }

    state!(0);
}
