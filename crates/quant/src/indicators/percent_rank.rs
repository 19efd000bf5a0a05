//! Percent rank: how many of the last closes were lower.

use super::parts::{Window, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of};

/// Share of the `n` closes before that are below this one.
///
/// - Shape: one value a bar; none before bar `n`. A bar costs `n` operations. Units: per cent, 0 to 100; `n` in bars, at
///   least 1.
/// - Source: TA-Lib 0.8 `TA_PERCENTRANK`.
#[derive(Clone, Debug)]
pub struct PercentRank {
    period: u32,
    window: Window,
}

impl PercentRank {
    /// A kernel without data. Holds `n` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<PercentRank, 1> {
        let period = period_of(n, 1);
        Columns::of(PercentRank { period, window: Window::new(n_instruments, period) }, n_instruments)
    }
}

impl Study<1> for PercentRank {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let full = self.window.is_full(i);
        let below = if full { self.window.data(i).filter(|x| *x < bar.close).count() } else { 0 };
        self.window.push(i, bar.close);
        if full { Ok([100.0 * below as f64 / f64::from(self.period)]) } else { Err(Status::WarmUp) }
    }

    state!(period, window);
}
