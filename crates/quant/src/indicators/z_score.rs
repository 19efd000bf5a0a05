//! Z-score: how many deviations the close is away from its recent mean.

use super::parts::{Moments, state};
use super::{Bar, Bars, Columns, Inputs, Status, Study, period_of};
use tradegraph_columns::wide;

/// `(xₜ − m) / σ` of one series, where m and σ are the mean and the population standard deviation (divisor `n`) of the
/// last `n` closes, that of the bar included.
///
/// - Shape: one value a bar, oldest first; NaN before bar `n − 1`.
/// - Range: a number of deviations, between `−√(n − 1)` and `√(n − 1)`; `n` in bars, at least 2.
/// - Edges: `n` equal closes have no deviation: NaN here, `NotApplicable` in [`ZScore`].
/// - Source: the definition; numpy `(x − mean) / std` with `ddof = 0`.
#[must_use]
pub fn z_score(close: &[f64], n: usize) -> Vec<f64> {
    let [values] = ZScore::columns(1, n.min(close.len() + 2)).series(&Bars::closes(close));
    values
}

/// One z-score for all instruments. Definition: [`z_score`].
#[derive(Clone, Debug)]
pub struct ZScore {
    period: f64,
    moments: Moments,
}

impl ZScore {
    /// A kernel without data; `n` is the period in bars, at least 2. Holds `n` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<ZScore, 1> {
        let period = period_of(n, 2);
        Columns::of(ZScore { period: f64::from(period), moments: Moments::new(n_instruments, period) }, n_instruments)
    }
}

impl Study<1> for ZScore {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let (mean, squares) = self.moments.step(i, bar.close)?;
        Ok([score(bar.close, mean, squares, self.period)])
    }

    fn row(&mut self, bars: &Bars<'_>, [line]: &mut [&mut [f64]; 1]) -> bool {
        let Some((mean, squares)) = self.moments.row(bars.close) else { return false };
        score_row(bars.close, mean, squares, self.period, line);
        true
    }

    state!(period, moments);
}

wide! {
    fn score_row<'a>(x: &'a [f64], mean: &'a [f64], squares: &'a [f64], period: f64, out: &'a mut [f64]) {
        for (((o, x), mean), squares) in out.iter_mut().zip(x).zip(mean).zip(squares) {
            *o = score(*x, *mean, *squares, period);
        }
    }
}

#[inline(always)]
fn score(x: f64, mean: f64, squares: f64, period: f64) -> f64 {
    let score = (x - mean) / (squares / period).sqrt();
    if squares > 0.0 { score } else { f64::NAN }
}
