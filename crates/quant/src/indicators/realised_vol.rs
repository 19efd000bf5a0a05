//! Realised volatility: the spread of recent log returns.

use super::log_return::{log_return, log_returns};
use super::parts::{Moments, state};
use super::{Bar, Bars, Columns, Inputs, Status, Study, period_of};
use tradegraph_columns::wide;

/// Sample standard deviation (divisor `n − 1`) of the last `n` log returns `ln(xₜ / xₜ₋₁)` of one series.
///
/// - Shape: one value a bar, oldest first; NaN before bar `n` (n returns need n + 1 closes).
/// - Units: per bar, not annualised (multiply by the root of the bars in a year); `n` in bars, at least 2.
/// - Edges: a close of 0 or below has no log return: history starts again at the next positive close. A constant
///   series gives 0.
/// - Source: Hull, Options, Futures and Other Derivatives, "Estimating volatility from historical data".
#[must_use]
pub fn realised_vol(close: &[f64], n: usize) -> Vec<f64> {
    let [values] = RealisedVol::columns(1, n.min(close.len() + 2)).series(&Bars::closes(close));
    values
}

/// One realised volatility for all instruments. Definition: [`realised_vol`].
#[derive(Clone, Debug)]
pub struct RealisedVol {
    /// Returns less 1.
    divisor: f64,
    moments: Moments,
    previous: Vec<f64>,
    /// Log returns of the row that is being taken.
    returns: Vec<f64>,
}

impl RealisedVol {
    /// A kernel without data; `n` counts returns, at least 2. Holds `n` returns an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<RealisedVol, 1> {
        let period = period_of(n, 2);
        let study = RealisedVol {
            divisor: f64::from(period) - 1.0,
            moments: Moments::new(n_instruments, period),
            previous: vec![0.0; n_instruments],
            returns: vec![0.0; n_instruments],
        };
        Columns::of(study, n_instruments)
    }
}

impl Study<1> for RealisedVol {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let previous = std::mem::replace(&mut self.previous[i], bar.close);
        let r = log_return(previous, bar.close);
        if !r.is_finite() {
            self.moments.clear(i);
            return Err(Status::WarmUp);
        }
        let (_, squares) = self.moments.step(i, r)?;
        Ok([(squares / self.divisor).sqrt()])
    }

    fn row(&mut self, bars: &Bars<'_>, [line]: &mut [&mut [f64]; 1]) -> bool {
        if !self.moments.is_in_step() {
            return false;
        }
        let returns = if bars.log_return.is_empty() {
            if !log_returns(&self.previous, bars.close, &mut self.returns) {
                return false;
            }
            &self.returns
        } else {
            bars.log_return
        };
        let Some((_, squares)) = self.moments.row(returns) else { return false };
        deviation_row(squares, self.divisor, line);
        self.previous.copy_from_slice(bars.close);
        true
    }

    state!(divisor, moments, previous);
}

wide! {
    fn deviation_row<'a>(squares: &'a [f64], divisor: f64, out: &'a mut [f64]) {
        for (o, squares) in out.iter_mut().zip(squares) {
            let squares = if *squares > 0.0 { *squares } else { 0.0 };
            *o = (squares / divisor).sqrt();
        }
    }
}
