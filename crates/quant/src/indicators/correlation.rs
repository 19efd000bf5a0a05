//! Correlation of two series: how much of the movement is the same.

use super::parts::{CoMoments, CoSums, state};
use super::{Bar, Bars, Columns, Inputs, Status, Study, period_of};
use tradegraph_columns::wide;

/// Pearson correlation of the last `n` pairs of two series, levels or returns as they are given.
///
/// - Shape: one value a pair, oldest first; NaN before pair `n − 1`.
/// - Range: −1 to 1; `n` in pairs, at least 2.
/// - Edges: if one side of the `n` pairs is constant there is no correlation: NaN here, `NotApplicable` in
///   [`Correlation`] (TA-Lib gives 0, which an agent could not tell from "uncorrelated").
/// - Source: Pearson, Proceedings of the Royal Society 58 (1895) 240; TA-Lib 0.8 `TA_CORREL`.
///
/// # Panics
/// If the slices differ in length.
#[must_use]
pub fn correlation(x: &[f64], y: &[f64], n: usize) -> Vec<f64> {
    let bars = Bars { close: x, other: y, ..Bars::default() };
    let [values] = Correlation::columns(1, n.min(x.len() + 2)).series(&bars);
    values
}

/// One correlation of `close` with `other` for all instruments. Definition: [`correlation`].
#[derive(Clone, Debug)]
pub struct Correlation(CoMoments);

impl Correlation {
    /// A kernel without data; `n` counts pairs, at least 2. Holds `n` pairs an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Correlation, 1> {
        Columns::of(Correlation(CoMoments::new(n_instruments, period_of(n, 2))), n_instruments)
    }
}

impl Study<1> for Correlation {
    const INPUTS: Inputs = Inputs::CLOSE.and(Inputs::OTHER);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let CoSums { xx, yy, xy } = self.0.step(i, bar.close, bar.other)?;
        Ok([coefficient(xx, yy, xy)])
    }

    fn row(&mut self, bars: &Bars<'_>, [line]: &mut [&mut [f64]; 1]) -> bool {
        let Some([xx, yy, xy]) = self.0.row(bars.close, bars.other) else { return false };
        coefficient_row(xx, yy, xy, line);
        true
    }

    state!(0);
}

wide! {
    fn coefficient_row<'a>(xx: &'a [f64], yy: &'a [f64], xy: &'a [f64], out: &'a mut [f64]) {
        for (o, ((xx, yy), xy)) in out.iter_mut().zip(xx.iter().zip(yy).zip(xy)) {
            *o = coefficient(*xx, *yy, *xy);
        }
    }
}

/// NaN where a side is constant.
#[inline(always)]
fn coefficient(xx: f64, yy: f64, xy: f64) -> f64 {
    let r = xy / (xx.sqrt() * yy.sqrt());
    let r = if r > 1.0 { 1.0 } else { r };
    let r = if r < -1.0 { -1.0 } else { r };
    if xx > 0.0 && yy > 0.0 { r } else { f64::NAN }
}
