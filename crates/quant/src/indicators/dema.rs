//! Double exponential moving average: an average with less lag.

use super::parts::state;
use super::{Bar, Columns, Ema, Inputs, Seed, Status, Study};

/// `2 e − e(e)` of the close, where e is the exponential average over `n` bars and `e(e)` that of its values; both start
/// at a simple mean.
///
/// - Shape: one value a bar; none before bar `2 (n − 1)`.
/// - Units: those of the prices; `n` in bars, at least 1.
/// - Source: Mulloy, Technical Analysis of Stocks & Commodities 12 (1994); TA-Lib 0.8 `TA_DEMA`.
#[derive(Clone, Debug)]
pub struct Dema {
    once: Ema,
    twice: Ema,
}

impl Dema {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Dema, 1> {
        let ema = Ema::new(n_instruments, n, Seed::Sma);
        Columns::of(Dema { once: ema.clone(), twice: ema }, n_instruments)
    }
}

impl Study<1> for Dema {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let once = self.once.step(i, bar.close)?;
        let twice = self.twice.step(i, once)?;
        Ok([2.0 * once - twice])
    }

    state!(once, twice);
}
