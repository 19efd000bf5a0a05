//! Log return from bar to bar.

use super::parts::state;
use super::realised_vol::log_return;
use super::{Bar, Bars, Columns, Inputs, Status, Study};

/// The log return `ln(xₜ / xₜ₋₁)` of all instruments, from the bar before of each to this one. Units: a natural
/// logarithm per bar. Without a bar before: `WarmUp`; at closes of 0 or below `NotApplicable`.
#[derive(Clone, Debug)]
pub struct LogReturn {
    previous: Vec<f64>,
    begun: Vec<u32>,
}

impl LogReturn {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<LogReturn, 1> {
        Columns::of(LogReturn { previous: vec![0.0; n_instruments], begun: vec![0; n_instruments] }, n_instruments)
    }
}

impl Study<1> for LogReturn {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let previous = std::mem::replace(&mut self.previous[i], bar.close);
        match std::mem::replace(&mut self.begun[i], 1) {
            0 => Err(Status::WarmUp),
            _ => Ok([log_return(previous, bar.close)]),
        }
    }

    fn row(&mut self, bars: &Bars<'_>, [line]: &mut [&mut [f64]; 1]) -> bool {
        if !self.begun.iter().fold(true, |all, begun| all & (*begun > 0)) {
            return false;
        }
        for ((o, previous), x) in line.iter_mut().zip(&mut self.previous).zip(bars.close) {
            *o = log_return(*previous, *x);
            *previous = *x;
        }
        true
    }

    state!(previous, begun);
}
