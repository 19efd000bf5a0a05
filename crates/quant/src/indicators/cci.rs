//! Commodity channel index, and the mean deviation that it is measured in.

use super::parts::{Window, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of, typical};

/// Mean of the last `n` closes' distances from their mean.
///
/// - Shape: one value a bar; none before bar `n − 1`. A bar costs `n` operations: the deviation has no running form.
/// - Units: those of the prices; `n` in bars, at least 2.
/// - Source: TA-Lib 0.8 `TA_AVGDEV`.
#[derive(Clone, Debug)]
pub struct AverageDeviation(Deviation);

impl AverageDeviation {
    /// A kernel without data. Holds `n` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<AverageDeviation, 1> {
        Columns::of(AverageDeviation(Deviation::new(n_instruments, n)), n_instruments)
    }
}

impl Study<1> for AverageDeviation {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let (_, deviation) = self.0.step(i, bar.close)?;
        Ok([deviation])
    }

    state!(0);
}

/// `(t − m) / (0.015 d)`, where t is the typical price `(high + low + close) / 3`, m its mean over the last `n` bars and d
/// their mean distance from m.
///
/// - Shape: one value a bar; none before bar `n − 1`. A bar costs `n` operations.
/// - Range: mostly −100 to 100; 0 where the price stood still, as TA-Lib's. `n` in bars, at least 2.
/// - Source: Lambert, Commodities (October 1980); TA-Lib 0.8 `TA_CCI`.
#[derive(Clone, Debug)]
pub struct Cci(Deviation);

impl Cci {
    /// A kernel without data. Holds `n` prices an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Cci, 1> {
        Columns::of(Cci(Deviation::new(n_instruments, n)), n_instruments)
    }
}

impl Study<1> for Cci {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let price = typical(bar);
        let (mean, deviation) = self.0.step(i, price)?;
        Ok([if deviation > 0.0 { (price - mean) / (0.015 * deviation) } else { 0.0 }])
    }

    state!(0);
}

/// Mean, and mean distance from it, of the last `n` data.
#[derive(Clone, Debug)]
struct Deviation {
    period: u32,
    window: Window,
}

impl super::parts::Part for Deviation {
    state!(period, window);
}

impl Deviation {
    fn new(n_instruments: usize, n: usize) -> Deviation {
        let period = period_of(n, 2);
        Deviation { period, window: Window::new(n_instruments, period) }
    }

    fn step(&mut self, i: usize, x: f64) -> Result<(f64, f64), Status> {
        self.window.push(i, x);
        if !self.window.is_full(i) {
            return Err(Status::WarmUp);
        }
        let n = f64::from(self.period);
        let mean = self.window.data(i).fold(0.0, |sum, x| sum + x) / n;
        let deviation = self.window.data(i).fold(0.0, |sum, x| sum + (x - mean).abs()) / n;
        // A mean that rounding put beside equal data is no deviation.
        Ok((mean, if deviation > 8.0 * f64::EPSILON * mean.abs() { deviation } else { 0.0 }))
    }
}
