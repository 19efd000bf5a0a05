//! Momentum: the return over `n` bars, the latest of which may be left out.

use super::parts::{Window, state};
use super::{Bar, Bars, Columns, Inputs, Status, Study, period_of};
use tradegraph_columns::wide;

/// Return of one series from `n` bars ago to `skip` bars ago: `(xₜ₋ₛ − xₜ₋ₙ) / xₜ₋ₙ`. Momentum "12-1" of daily bars is
/// `n = 252`, `skip = 21`.
///
/// - Shape: one value a bar, oldest first; NaN before bar `n`.
/// - Units: a fraction (0.1 is ten per cent); `n` in bars, at least 1; `skip` below `n`, else it is read as `n − 1`.
/// - Edges: a base of 0 or below has no return: NaN here, `NotApplicable` in [`Momentum`] (TA-Lib gives 0 for a
///   base of 0, which an agent could not tell from "unchanged").
/// - Source: TA-Lib 0.8 `TA_ROCP` for `skip = 0`; Jegadeesh and Titman, Journal of Finance 48 (1993) 65, for the rest.
#[must_use]
pub fn momentum(close: &[f64], n: usize, skip: usize) -> Vec<f64> {
    let [values] = Momentum::columns(1, n.min(close.len() + 1), skip).series(&Bars::closes(close));
    values
}

/// One momentum for all instruments. Definition: [`momentum`].
#[derive(Clone, Debug)]
pub struct Momentum {
    skip: u32,
    window: Window,
}

impl Momentum {
    /// A kernel without data; `n` is the distance in bars, at least 1. Holds `n` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize, skip: usize) -> Columns<Momentum, 1> {
        let period = period_of(n, 1);
        let study = Momentum { skip: period_of(skip, 0).min(period - 1), window: Window::new(n_instruments, period) };
        Columns::of(study, n_instruments)
    }
}

impl Study<1> for Momentum {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let old = self.window.push(i, bar.close).ok_or(Status::WarmUp)?;
        Ok([change(old, self.window.back(i, self.skip))])
    }

    fn row(&mut self, bars: &Bars<'_>, [line]: &mut [&mut [f64]; 1]) -> bool {
        let Some(row) = self.window.row() else { return false };
        if self.skip == 0 {
            latest_row(bars.close, row, line);
            self.window.advance();
            return true;
        }
        line.copy_from_slice(row);
        row.copy_from_slice(bars.close);
        self.window.advance();
        change_row(self.window.row_back(self.skip), line);
        true
    }

    state!(skip, window);
}

wide! {
    /// Turns the bases in `out` into returns to `x`.
    fn change_row<'a>(x: &'a [f64], out: &'a mut [f64]) {
        out.iter_mut().zip(x).for_each(|(o, x)| *o = change(*o, *x));
    }
}

wide! {
    /// Returns from `old` to `x`, which replaces it.
    fn latest_row<'a>(x: &'a [f64], old: &'a mut [f64], out: &'a mut [f64]) {
        for ((o, old), x) in out.iter_mut().zip(old).zip(x) {
            *o = change(*old, *x);
            *old = *x;
        }
    }
}

/// NaN or infinite where there is no return.
#[inline(always)]
fn change(old: f64, x: f64) -> f64 {
    let change = (x - old) / old;
    if old > 0.0 { change } else { f64::NAN }
}
