//! Averages whose period changes from bar to bar.

use super::parts::{Part, Window, state};
use super::{Bar, Columns, HilbertPeriod, Inputs, Status, Study, period_of};

/// Mean of the last n closes, where n is the second series of that bar without its fraction, within `least` to `most`.
///
/// - Shape: one value a bar; none before bar `most − 1`.
/// - Units: those of the prices; `least` and `most` in bars, at least 1; exchanged if they are in the wrong order.
/// - Source: TA-Lib 0.8 `TA_MAVP` with simple averages.
#[derive(Clone, Debug)]
pub struct VariableAverage {
    least: u32,
    most: u32,
    closes: Window,
}

impl VariableAverage {
    /// A kernel without data. Holds `most` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, least: usize, most: usize) -> Columns<VariableAverage, 1> {
        Columns::of(VariableAverage::new(n_instruments, least, most), n_instruments)
    }

    fn new(n_instruments: usize, least: usize, most: usize) -> VariableAverage {
        let [least, most] = [least.min(most), least.max(most)].map(|n| period_of(n, 1));
        VariableAverage { least, most, closes: Window::new(n_instruments, most) }
    }

    fn mean(&mut self, i: usize, close: f64, n: f64) -> Result<[f64; 1], Status> {
        self.closes.push(i, close);
        if !self.closes.is_full(i) {
            return Err(Status::WarmUp);
        }
        let n = (n as u32).clamp(self.least, self.most);
        let sum = (0..n).fold(0.0, |sum, b| sum + self.closes.back(i, b));
        Ok([sum / f64::from(n)])
    }
}

impl Part for VariableAverage {
    state!(least, most, closes);
}

impl Study<1> for VariableAverage {
    const INPUTS: Inputs = Inputs::CLOSE.and(Inputs::OTHER);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        self.mean(i, bar.close, bar.other)
    }

    state!(least, most, closes);
}

/// The variable average over the period of the dominant cycle: see [`VariableAverage`] and [`HilbertPeriod`].
///
/// - Shape: one value a bar; none before bar `31 + most`.
/// - Units: those of the prices; `least` and `most` in bars, at least 1 (default of the field: 2 and 30).
/// - Source: TA-Lib 0.8 `TA_MAVP` of `TA_HT_DCPERIOD`.
#[derive(Clone, Debug)]
pub struct CycleAverage {
    period: HilbertPeriod,
    average: VariableAverage,
}

impl CycleAverage {
    /// A kernel without data. Holds `most` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, least: usize, most: usize) -> Columns<CycleAverage, 1> {
        let period = HilbertPeriod::new(n_instruments);
        Columns::of(CycleAverage { period, average: VariableAverage::new(n_instruments, least, most) }, n_instruments)
    }
}

impl Study<1> for CycleAverage {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let [period] = self.period.step(i, bar)?;
        self.average.mean(i, bar.close, period)
    }

    state!(period, average);
}
