//! Relative vigor index: whether closes are above opens, as a share of the range.

use super::parts::{Sum, Window, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of};

/// Sums over `n` bars of `close − open` and of `high − low`, each smoothed by the weights 1, 2, 2, 1 over 6; the index is
/// their quotient (line value), and that smoothed by the same weights is line signal.
///
/// - Shape: one value a bar; none before bar `n + 5`, since both lines begin together.
/// - Range: −1 to 1; no value over `n` bars without any range, nor while such a bar is in the signal. `n` in bars, at least
///   1 (default of the field: 10).
/// - Source: Ehlers, Relative Vigor Index, Technical Analysis of Stocks & Commodities 20:1 (2002).
#[derive(Clone, Debug)]
pub struct RelativeVigor {
    body: Smooth,
    range: Smooth,
    bodies: Sum,
    ranges: Sum,
    signal: Smooth,
}

impl RelativeVigor {
    /// A kernel without data. Holds `2 n` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<RelativeVigor, 2> {
        let smooth = Smooth(Window::new(n_instruments, 4));
        let sum = Sum::new(n_instruments, period_of(n, 1));
        let study = RelativeVigor {
            body: smooth.clone(),
            range: smooth.clone(),
            bodies: sum.clone(),
            ranges: sum,
            signal: smooth,
        };
        Columns::of(study, n_instruments)
    }
}

impl Study<2> for RelativeVigor {
    const INPUTS: Inputs = Inputs::OPEN.and(Inputs::RANGE);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        let body = self.body.step(i, bar.close - bar.open);
        let range = self.range.step(i, bar.high - bar.low)?;
        let body = self.bodies.step(i, body?);
        let range = self.ranges.step(i, range)?;
        // A bar without a value passes through the signal and leaves it without one for four bars.
        let value = if range > 0.0 { body? / range } else { f64::NAN };
        let signal = self.signal.step(i, value)?;
        Ok([value, signal])
    }

    state!(body, range, bodies, ranges, signal);
}

/// Weights 1, 2, 2, 1 over 6.
#[derive(Clone, Debug)]
struct Smooth(Window);

impl super::parts::Part for Smooth {
    state!(0);
}

impl Smooth {
    fn step(&mut self, i: usize, x: f64) -> Result<f64, Status> {
        self.0.push(i, x);
        if !self.0.is_full(i) {
            return Err(Status::WarmUp);
        }
        let back = |b| self.0.back(i, b);
        Ok((back(0) + 2.0 * back(1) + 2.0 * back(2) + back(3)) / 6.0)
    }
}
