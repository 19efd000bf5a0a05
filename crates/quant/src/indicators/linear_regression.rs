//! Linear regression of the close on time.

use super::parts::{Weighted, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of};

/// Line of least squares through the last `n` closes: lines value (at the newest bar), slope (per bar), intercept (at the
/// oldest) and forecast (one bar ahead).
///
/// - Shape: one value a bar; none before bar `n − 1`.
/// - Units: those of the prices, the slope per bar; `n` in bars, at least 2.
/// - Source: TA-Lib 0.8 `TA_LINEARREG`, `_SLOPE`, `_INTERCEPT`, `TA_TSF`.
#[derive(Clone, Debug)]
pub struct LinearRegression {
    period: f64,
    sums: Weighted,
}

impl LinearRegression {
    /// A kernel without data. Holds `n` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<LinearRegression, 4> {
        let n = period_of(n, 2);
        let study = LinearRegression { period: f64::from(n), sums: Weighted::new(n_instruments, n) };
        Columns::of(study, n_instruments)
    }
}

impl Study<4> for LinearRegression {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 4], Status> {
        let (y, weighted) = self.sums.step(i, bar.close)?;
        // With bars at 0 to n − 1: Σx = n (n − 1) / 2, Σ(x − mean)² = n (n² − 1) / 12.
        let n = self.period;
        let (mean_x, spread) = ((n - 1.0) / 2.0, n * (n * n - 1.0) / 12.0);
        let slope = ((weighted - y) - mean_x * y) / spread;
        let intercept = y / n - slope * mean_x;
        Ok([intercept + slope * (n - 1.0), slope, intercept, intercept + slope * n])
    }

    state!(period, sums);
}
