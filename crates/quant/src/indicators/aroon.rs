//! Aroon: how long ago the last high and the last low were.

use super::parts::{Window, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of};

/// `100 (n − bars since the highest high) / n`, over the last `n + 1` bars, the same of the lowest low, and their
/// difference: lines up, down, oscillator. Of equal highs or lows the latest counts.
///
/// - Shape: one value a bar; none before bar `n`. A bar costs `n` operations.
/// - Range: 0 to 100, the oscillator −100 to 100; `n` in bars, at least 1.
/// - Source: Chande, Technical Analysis of Stocks & Commodities 13 (1995); TA-Lib 0.8 `TA_AROON`, `TA_AROONOSC`.
#[derive(Clone, Debug)]
pub struct Aroon {
    period: u32,
    high: Window,
    low: Window,
}

impl Aroon {
    /// A kernel without data. Holds `2 n` prices an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Aroon, 3> {
        let period = period_of(n, 1);
        let window = Window::new(n_instruments, period + 1);
        Columns::of(Aroon { period, high: window.clone(), low: window }, n_instruments)
    }

    /// Bars since the datum that no later one reaches.
    fn since(&self, window: &Window, i: usize, reaches: impl Fn(f64, f64) -> bool) -> f64 {
        let (mut best, mut at) = (window.back(i, 0), 0);
        for back in 1..=self.period {
            let x = window.back(i, back);
            if !reaches(best, x) {
                (best, at) = (x, back);
            }
        }
        f64::from(at)
    }
}

impl Study<3> for Aroon {
    const INPUTS: Inputs = Inputs::HIGH.and(Inputs::LOW);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 3], Status> {
        self.high.push(i, bar.high);
        self.low.push(i, bar.low);
        if !self.high.is_full(i) {
            return Err(Status::WarmUp);
        }
        let n = f64::from(self.period);
        let up = 100.0 * (n - self.since(&self.high, i, |a, b| a >= b)) / n;
        let down = 100.0 * (n - self.since(&self.low, i, |a, b| a <= b)) / n;
        Ok([up, down, up - down])
    }

    state!(period, high, low);
}
