//! Sum of the last `n` data, plain and with weights that rise from 1 for the oldest to `n` for the newest.

use super::super::Status;
use super::{Part, Window};

/// Both sums are carried from datum to datum (the weighted one grows by `n · x` less the plain sum before) and taken
/// afresh from the window every `n` data.
#[derive(Clone, Debug)]
pub(in crate::indicators) struct Weighted {
    period: f64,
    window: Window,
    plain: Vec<f64>,
    weighted: Vec<f64>,
}

impl Part for Weighted {
    state!(period, window, plain, weighted);
}

impl Weighted {
    pub(in crate::indicators) fn new(n_instruments: usize, period: u32) -> Self {
        Weighted {
            period: f64::from(period),
            window: Window::new(n_instruments, period),
            plain: vec![0.0; n_instruments],
            weighted: vec![0.0; n_instruments],
        }
    }

    /// The plain and the weighted sum.
    pub(in crate::indicators) fn step(&mut self, i: usize, x: f64) -> Result<(f64, f64), Status> {
        let (plain, weighted) = (&mut self.plain[i], &mut self.weighted[i]);
        match self.window.push(i, x) {
            Some(old) => {
                *weighted += self.period * x - *plain;
                *plain += x - old;
            }
            None => {
                *weighted += f64::from(self.window.held(i)) * x;
                *plain += x;
            }
        }
        if self.window.at_start(i) {
            (*plain, *weighted) = (0.0, 0.0);
            for (weight, x) in (1_u32..).zip(self.window.data(i)) {
                *plain += x;
                *weighted += f64::from(weight) * x;
            }
        }
        if self.window.is_full(i) { Ok((*plain, *weighted)) } else { Err(Status::WarmUp) }
    }

    /// The weighted mean.
    pub(in crate::indicators) fn mean(&mut self, i: usize, x: f64) -> Result<f64, Status> {
        let (_, weighted) = self.step(i, x)?;
        Ok(weighted / (self.period * (self.period + 1.0) / 2.0))
    }
}
