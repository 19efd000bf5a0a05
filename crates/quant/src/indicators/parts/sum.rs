//! Sum of the last `n` data, exactly 0 where all of them are.

use super::super::Status;
use super::{Part, Window};

/// Carried from datum to datum and taken afresh from the window every `n` data. Quotients of such sums ask whether one is
/// 0, which rounding must not decide: hence the count of zeros.
#[derive(Clone, Debug)]
pub(in crate::indicators) struct Sum {
    period: f64,
    window: Window,
    sum: Vec<f64>,
    /// How many data up to the last are 0.
    zeros: Vec<f64>,
}

impl Part for Sum {
    state!(period, window, sum, zeros);
}

impl Sum {
    pub(in crate::indicators) fn new(n_instruments: usize, period: u32) -> Self {
        Sum {
            period: f64::from(period),
            window: Window::new(n_instruments, period),
            sum: vec![0.0; n_instruments],
            zeros: vec![0.0; n_instruments],
        }
    }

    pub(in crate::indicators) fn step(&mut self, i: usize, x: f64) -> Result<f64, Status> {
        let sum = &mut self.sum[i];
        *sum += x - self.window.push(i, x).unwrap_or(0.0);
        self.zeros[i] = if x == 0.0 { self.zeros[i] + 1.0 } else { 0.0 };
        if self.window.at_start(i) {
            *sum = self.window.data(i).fold(0.0, |sum, x| sum + x);
        }
        if self.zeros[i] >= self.period {
            *sum = 0.0;
        }
        if self.window.is_full(i) { Ok(*sum) } else { Err(Status::WarmUp) }
    }
}
