//! Bollinger bands: the mean of recent closes and a multiple of their spread on both sides.

use super::parts::{Moments, state};
use super::{Bar, Bars, Columns, Inputs, Status, Study, period_of};
use tradegraph_columns::wide;

/// The three lines of [`bollinger`], one value a bar each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BollingerSeries {
    /// Middle line plus the multiple of the deviation.
    pub upper: Vec<f64>,
    /// Mean of the closes.
    pub middle: Vec<f64>,
    /// Middle line less the multiple of the deviation.
    pub lower: Vec<f64>,
}

/// Bollinger bands of one series: `m ± width · σ`, where m and σ are the mean and the population standard deviation
/// (divisor `n`) of the last `n` closes.
///
/// - Shape: one value a bar, oldest first; NaN before bar `n − 1`.
/// - Units: those of `close`; `n` in bars, at least 2; `width` in deviations (default of the field: 20 and 2).
/// - Source: Bollinger, Bollinger on Bollinger Bands (2001); TA-Lib 0.8 `TA_BBANDS` with a simple average.
#[must_use]
pub fn bollinger(close: &[f64], n: usize, width: f64) -> BollingerSeries {
    let kernel = Bollinger::columns(1, n.min(close.len() + 2), width);
    let [upper, middle, lower] = kernel.series(&Bars::closes(close));
    BollingerSeries { upper, middle, lower }
}

/// Bollinger bands of all instruments: upper, middle, lower. Definition: [`bollinger`].
#[derive(Clone, Debug)]
pub struct Bollinger {
    period: f64,
    width: f64,
    /// `width / √period`: the band for a root of the sum of squares of 1.
    reach: f64,
    moments: Moments,
}

impl Bollinger {
    /// A kernel without data; `n` is the period in bars, at least 2. Holds `n` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize, width: f64) -> Columns<Bollinger, 3> {
        let period = period_of(n, 2);
        let moments = Moments::new(n_instruments, period);
        let period = f64::from(period);
        Columns::of(Bollinger { period, width, reach: width / period.sqrt(), moments }, n_instruments)
    }
}

impl Study<3> for Bollinger {
    const INPUTS: Inputs = Inputs::CLOSE;

    #[inline(always)]
    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 3], Status> {
        let (mean, squares) = self.moments.step(i, bar.close)?;
        let band = self.reach * squares.sqrt();
        Ok([mean + band, mean, mean - band])
    }

    fn row(&mut self, bars: &Bars<'_>, [upper, middle, lower]: &mut [&mut [f64]; 3]) -> bool {
        let reach = self.reach;
        let Some((mean, squares)) = self.moments.row(bars.close) else { return false };
        bands(reach, mean, squares, upper, middle, lower);
        true
    }

    state!(period, width, moments);
}

wide! {
    /// The lines of a row.
    fn bands<'a>(
        reach: f64,
        mean: &'a [f64],
        squares: &'a [f64],
        upper: &'a mut [f64],
        middle: &'a mut [f64],
        lower: &'a mut [f64],
    ) {
        let lines = upper.iter_mut().zip(middle).zip(lower);
        for (((u, m), l), (mean, squares)) in lines.zip(mean.iter().zip(squares)) {
            let band = reach * squares.sqrt();
            *u = mean + band;
            *m = *mean;
            *l = mean - band;
        }
    }
}
