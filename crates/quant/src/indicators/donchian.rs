//! Donchian channel: where the price has been.

use super::parts::{Extreme, state};
use super::{Bar, Bars, Columns, Inputs, Status, Study, period_of};

/// Highest high and lowest low of the last `n` bars, that of the bar included, and the middle between them: lines upper,
/// middle, lower.
///
/// - Shape: one value a bar; none before bar `n − 1`.
/// - Units: those of the prices; `n` in bars, at least 1.
/// - Source: TA-Lib 0.8 `TA_DONCHIAN`; the middle is its `TA_MIDPRICE`.
#[derive(Clone, Debug)]
pub struct Donchian {
    high: Extreme,
    low: Extreme,
}

impl Donchian {
    /// A kernel without data. Holds `2 n` prices an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Donchian, 3> {
        Columns::of(Donchian::new(n_instruments, n), n_instruments)
    }

    pub(super) fn new(n_instruments: usize, n: usize) -> Donchian {
        let n = period_of(n, 1);
        Donchian { high: Extreme::highest(n_instruments, n), low: Extreme::lowest(n_instruments, n) }
    }

    /// Highest high and lowest low, as a part of another indicator.
    pub(super) fn range(&mut self, i: usize, high: f64, low: f64) -> Result<(f64, f64), Status> {
        let (high, low) = (self.high.step(i, high), self.low.step(i, low));
        Ok((high?, low?))
    }
}

impl super::parts::Part for Donchian {
    state!(high, low);
}

impl Study<3> for Donchian {
    const INPUTS: Inputs = Inputs::HIGH.and(Inputs::LOW);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 3], Status> {
        let (high, low) = self.range(i, bar.high, bar.low)?;
        Ok([high, (high + low) / 2.0, low])
    }

    fn row(&mut self, bars: &Bars<'_>, [upper, middle, lower]: &mut [&mut [f64]; 3]) -> bool {
        // Both are in step or neither: they take the same bars.
        if !self.high.row(bars.high, upper) || !self.low.row(bars.low, lower) {
            return false;
        }
        for ((m, high), low) in middle.iter_mut().zip(&**upper).zip(&**lower) {
            *m = (high + low) / 2.0;
        }
        true
    }

    state!(high, low);
}
