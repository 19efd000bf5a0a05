//! Beta: how much a series moves with another.

use super::parts::{CoMoments, CoSums, state};
use super::{Bar, Bars, Columns, Inputs, Status, Study, period_of};

/// Slope of the least-squares line of the last `n` closes on `other`, levels or returns as they are given: the beta of a
/// market model if they are the returns of an instrument and of its market.
///
/// - Shape: one value a pair; none before pair `n − 1`. Units: those of the close over those of `other`; `n` in pairs, at
///   least 2.
/// - Edges: no value where the `n` data of `other` are all equal.
/// - Source: Sharpe, Journal of Finance 19 (1964) 425.
#[derive(Clone, Debug)]
pub struct Beta(CoMoments);

impl Beta {
    /// A kernel without data. Holds `n` pairs an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Beta, 1> {
        Columns::of(Beta(CoMoments::new(n_instruments, period_of(n, 2))), n_instruments)
    }
}

impl Study<1> for Beta {
    const INPUTS: Inputs = Inputs::CLOSE.and(Inputs::OTHER);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let CoSums { yy, xy, .. } = self.0.step(i, bar.close, bar.other)?;
        Ok([slope(yy, xy)])
    }

    fn row(&mut self, bars: &Bars<'_>, [line]: &mut [&mut [f64]; 1]) -> bool {
        let Some([_, yy, xy]) = self.0.row(bars.close, bars.other) else { return false };
        for (o, (yy, xy)) in line.iter_mut().zip(yy.iter().zip(xy)) {
            *o = slope(*yy, *xy);
        }
        true
    }

    state!(0);
}

/// NaN where the other side is constant.
#[inline]
fn slope(yy: f64, xy: f64) -> f64 {
    if yy > 0.0 { xy / yy } else { f64::NAN }
}
