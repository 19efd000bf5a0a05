//! Bollinger bands: the mean of recent closes and a multiple of their spread on both sides.

use super::parts::{Moments, state};
use super::{Bar, Bars, Columns, Inputs, Status, Study, period_of};

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
    moments: Moments,
}

impl Bollinger {
    /// A kernel without data; `n` is the period in bars, at least 2. Holds `n` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize, width: f64) -> Columns<Bollinger, 3> {
        let period = period_of(n, 2);
        let moments = Moments::new(n_instruments, period);
        Columns::of(Bollinger { period: f64::from(period), width, moments }, n_instruments)
    }

    #[inline]
    fn band(&self, squares: f64) -> f64 {
        self.width * (squares / self.period).sqrt()
    }
}

impl Study<3> for Bollinger {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 3], Status> {
        let (mean, squares) = self.moments.step(i, bar.close)?;
        let band = self.band(squares);
        Ok([mean + band, mean, mean - band])
    }

    fn row(&mut self, bars: &Bars<'_>, [upper, middle, lower]: &mut [&mut [f64]; 3]) -> bool {
        let (width, period) = (self.width, self.period);
        let Some((mean, squares)) = self.moments.row(bars.close) else { return false };
        middle.copy_from_slice(mean);
        for (((u, l), mean), squares) in upper.iter_mut().zip(lower.iter_mut()).zip(mean).zip(squares) {
            let band = width * (squares / period).sqrt();
            *u = mean + band;
            *l = mean - band;
        }
        true
    }

    state!(period, width, moments);
}
