//! Vertical horizontal filter: how much of the way that a price went led somewhere.

use super::parts::{Extreme, Sum, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of};

/// Range of the last `n` closes over the sum of the last `n` distances from close to close.
///
/// - Shape: one value a bar; none before bar `n`. Range: 0 to 1, high in a trend; 0 where the price stood still, as
///   TA-Lib's. `n` in bars, at least 2.
/// - Source: White, Futures (August 1991); TA-Lib 0.8 `TA_VHF`.
#[derive(Clone, Debug)]
pub struct Vhf {
    high: Extreme,
    low: Extreme,
    way: Sum,
    previous: Vec<f64>,
    begun: Vec<u32>,
}

impl Vhf {
    /// A kernel without data. Holds `3 n` numbers an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Vhf, 1> {
        let n = period_of(n, 2);
        let study = Vhf {
            high: Extreme::highest(n_instruments, n),
            low: Extreme::lowest(n_instruments, n),
            way: Sum::new(n_instruments, n),
            previous: vec![0.0; n_instruments],
            begun: vec![0; n_instruments],
        };
        Columns::of(study, n_instruments)
    }
}

impl Study<1> for Vhf {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let previous = std::mem::replace(&mut self.previous[i], bar.close);
        let (high, low) = (self.high.step(i, bar.close), self.low.step(i, bar.close));
        if std::mem::replace(&mut self.begun[i], 1) == 0 {
            return Err(Status::WarmUp);
        }
        let way = self.way.step(i, (bar.close - previous).abs())?;
        Ok([if way > 0.0 { (high? - low?) / way } else { 0.0 }])
    }

    state!(high, low, way, previous, begun);
}
