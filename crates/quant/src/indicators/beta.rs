//! Beta: how much a price moves with another.

use super::parts::{CoMoments, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of};

/// Slope of the least-squares line of the last `n` returns of the close on those of `other`, a market for example.
///
/// - Shape: one value a bar; none before bar `n`. Units: none; 1 moves as the market does. `n` counts returns, at least 2.
/// - Edges: no value where the market's returns are all equal (TA-Lib gives 0). A price of 0 or below has no return; warm-up
///   begins anew after it.
/// - Source: Sharpe, Journal of Finance 19 (1964) 425; TA-Lib 0.8 `TA_BETA` of the market and the close.
#[derive(Clone, Debug)]
pub struct Beta {
    returns: CoMoments,
    previous: Vec<f64>,
    market: Vec<f64>,
    begun: Vec<u32>,
}

impl Beta {
    /// A kernel without data. Holds `2 n` returns an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Beta, 1> {
        let zeros = || vec![0.0; n_instruments];
        let returns = CoMoments::new(n_instruments, period_of(n, 2));
        Columns::of(Beta { returns, previous: zeros(), market: zeros(), begun: vec![0; n_instruments] }, n_instruments)
    }
}

impl Study<1> for Beta {
    const INPUTS: Inputs = Inputs::CLOSE.and(Inputs::OTHER);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let previous = std::mem::replace(&mut self.previous[i], bar.close);
        let market = std::mem::replace(&mut self.market[i], bar.other);
        let first = std::mem::replace(&mut self.begun[i], 1) == 0;
        if first || !(previous > 0.0 && market > 0.0 && bar.close > 0.0 && bar.other > 0.0) {
            self.returns.clear(i);
            return Err(Status::WarmUp);
        }
        let sums = self.returns.step(i, bar.other / market - 1.0, bar.close / previous - 1.0)?;
        Ok([if sums.xx > 0.0 { sums.xy / sums.xx } else { f64::NAN }])
    }

    state!(returns, previous, market, begun);
}
