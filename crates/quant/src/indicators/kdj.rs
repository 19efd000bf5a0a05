//! KDJ: a stochastic oscillator that is smoothed as Wilder smooths, with a third line that runs ahead.

use super::parts::state;
use super::{Bar, Columns, Donchian, Ema, Inputs, Status, Study, percent};

/// The raw stochastic of the last `n` bars, `100 (close − lowest low) / (highest high − lowest low)`; Wilder's averages of
/// it over `slow` values (line k) and of that over `d` values (line d); `j = 3 k − 2 d`. Both averages start at a mean, as
/// TA-Lib's; programs that start them at 50 agree after some `10 d` bars.
///
/// - Shape: one value a bar; none before bar `n + slow + d − 3`.
/// - Range: 0 to 100, j −200 to 300; the raw value is 0 where there is no range. Periods in bars, at least 1 (default of
///   the field: 9, 3, 3).
/// - Source: Lane's stochastic in the form of Chinese charting programs; TA-Lib 0.8 `TA_KDJ`.
#[derive(Clone, Debug)]
pub struct Kdj {
    range: Donchian,
    k: Ema,
    d: Ema,
}

impl Kdj {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize, slow: usize, d: usize) -> Columns<Kdj, 3> {
        let [k, d] = [slow, d].map(|n| Ema::wilder(n_instruments, n));
        Columns::of(Kdj { range: Donchian::new(n_instruments, n), k, d }, n_instruments)
    }
}

impl Study<3> for Kdj {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 3], Status> {
        let (high, low) = self.range.range(i, bar.high, bar.low)?;
        let k = self.k.step(i, percent(bar.close - low, high - low))?;
        let d = self.d.step(i, k)?;
        Ok([k, d, 3.0 * k - 2.0 * d])
    }

    state!(range, k, d);
}
