//! Mean of the last `n` data.

use super::super::Status;
use super::{Part, Window};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::wide;

/// The sum is carried from datum to datum and taken afresh from the window every `n` data: the cost of one addition
/// a datum bounds the rounding error for ever, also after a spike.
#[derive(Clone, Debug)]
pub(in crate::indicators) struct Mean {
    period: u32,
    window: Window,
    sum: Vec<f64>,
}

impl Mean {
    pub(in crate::indicators) fn new(n_instruments: usize, period: u32) -> Self {
        Mean { period, window: Window::new(n_instruments, period), sum: vec![0.0; n_instruments] }
    }

    pub(in crate::indicators) fn step(&mut self, i: usize, x: f64) -> Result<f64, Status> {
        let sum = &mut self.sum[i];
        *sum += match self.window.push(i, x) {
            Some(old) => x - old,
            None => x,
        };
        if self.window.at_start(i) {
            *sum = self.window.data(i).sum();
        }
        if self.window.is_full(i) { Ok(*sum / f64::from(self.period)) } else { Err(Status::WarmUp) }
    }

    pub(in crate::indicators) fn row(&mut self, x: &[f64], out: &mut [f64]) -> bool {
        let period = f64::from(self.period);
        let Some(row) = self.window.row() else { return false };
        carry_row(x, row, period, &mut self.sum, out);
        if self.window.advance() {
            renew_row(self.window.all(), x.len(), period, &mut self.sum, out);
        }
        true
    }
}

wide! {
    /// Sums of the rows of a ring of `n` instruments, and their means.
    fn renew_row<'a>(ring: &'a [f64], n: usize, period: f64, sum: &'a mut [f64], out: &'a mut [f64]) {
        // What `Iterator::sum` begins with.
        sum.fill(-0.0);
        for row in ring.chunks_exact(n) {
            sum.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
        }
        out.iter_mut().zip(sum).for_each(|(o, sum)| *o = *sum / period);
    }
}

wide! {
    /// Carries sums from a row of data to the next, and writes the means.
    fn carry_row<'a>(x: &'a [f64], old: &'a mut [f64], period: f64, sum: &'a mut [f64], out: &'a mut [f64]) {
        for (((sum, old), x), o) in sum.iter_mut().zip(old).zip(x).zip(out) {
            *sum += x - *old;
            *old = *x;
            *o = *sum / period;
        }
    }
}

impl Part for Mean {
    fn passed(&mut self) {
        self.window.passed();
    }

    fn save(&self, to: &mut Encoder) {
        self.window.save(to);
        to.f64s(&self.sum);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.window.load(from)?;
        from.f64s_into(&mut self.sum)
    }
}
