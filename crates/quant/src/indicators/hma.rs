//! Hull moving average: a weighted average with most of its lag taken out.

use super::parts::{Weighted, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of};

/// `WMA(2 · WMA(n / 2) − WMA(n), √n)` of the close; half and root are rounded down.
///
/// - Shape: one value a bar; none before bar `n + ⌊√n⌋ − 2`.
/// - Units: those of the prices; `n` in bars, at least 2.
/// - Source: Hull, alanhull.com/hull-moving-average (2005); TA-Lib 0.8 `TA_HMA`.
#[derive(Clone, Debug)]
pub struct Hma {
    half: Weighted,
    whole: Weighted,
    root: Weighted,
}

impl Hma {
    /// A kernel without data. Holds about `1.5 n + √n` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Hma, 1> {
        let n = period_of(n, 2);
        let part = |period| Weighted::new(n_instruments, period);
        Columns::of(Hma { half: part(n / 2), whole: part(n), root: part(n.isqrt()) }, n_instruments)
    }
}

impl Study<1> for Hma {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let half = self.half.mean(i, bar.close);
        let whole = self.whole.mean(i, bar.close)?;
        Ok([self.root.mean(i, 2.0 * half? - whole)?])
    }

    state!(half, whole, root);
}
