//! Simple moving average.

use super::window::Window;
use super::{all_ok, batch, cell, check_shape, period_of};
use tradegraph_columns::Status;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Mean of the last `n` closes of one series.
///
/// The sum is carried from bar to bar and taken afresh from the window every `n` data: the cost of one addition
/// a bar bounds the rounding error for ever, also after a spike.
///
/// - Shape: one value a bar, oldest first; NaN before bar `n − 1`.
/// - Units: those of `close`; `n` in bars, at least 1.
/// - Source: TA-Lib 0.8 `TA_SMA`.
#[must_use]
pub fn sma(close: &[f64], n: usize) -> Vec<f64> {
    let mut kernel = Sma::new(1, n.min(close.len() + 1));
    let [values] = batch(close, |x, p, [(v, s)]| kernel.update(x, p, v, s));
    values
}

/// One simple moving average for all instruments, a slice at a time. Definition: [`sma`].
#[derive(Clone, Debug)]
pub struct Sma {
    period: u32,
    window: Window,
    sum: Vec<f64>,
}

impl Sma {
    /// A kernel without data; `n` is the period in bars, at least 1. Holds `n` closes an instrument.
    #[must_use]
    pub fn new(n_instruments: usize, n: usize) -> Self {
        let period = period_of(n, 1);
        Sma { period, window: Window::new(n_instruments, period), sum: vec![0.0; n_instruments] }
    }

    /// Takes one slice and writes one cell an instrument.
    ///
    /// # Panics
    /// If a slice does not have one cell an instrument.
    pub fn update(&mut self, close: &[f64], present: &[Status], out_values: &mut [f64], out_status: &mut [Status]) {
        check_shape(self.sum.len(), close, present, &[(&mut *out_values, &mut *out_status)]);
        let period = f64::from(self.period);
        if all_ok(present)
            && let Some(row) = self.window.row()
        {
            for (((sum, old), x), o) in self.sum.iter_mut().zip(row).zip(close).zip(&mut *out_values) {
                *sum += x - *old;
                *old = *x;
                *o = *sum / period;
            }
            if self.window.advance() {
                for (i, (sum, o)) in self.sum.iter_mut().zip(out_values).enumerate() {
                    *sum = self.window.data(i).sum();
                    *o = *sum / period;
                }
            }
            out_status.fill(Status::Ok);
            return;
        }
        let data = close.iter().zip(present);
        let out = out_values.iter_mut().zip(out_status);
        for (i, ((sum, (x, p)), (o, s))) in self.sum.iter_mut().zip(data).zip(out).enumerate() {
            if *p == Status::Ok {
                *sum += match self.window.push(i, *x) {
                    Some(old) => x - old,
                    None => *x,
                };
                if self.window.at_start(i) {
                    *sum = self.window.data(i).sum();
                }
            }
            (*o, *s) = cell(*sum / period, self.window.held(i), self.period);
        }
        self.window.see_if_in_step();
    }

    /// Writes parameters and state canonically.
    pub fn save(&self, to: &mut Encoder) {
        self.window.save(to);
        to.f64s(&self.sum);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are short, damaged, or of another period or number of instruments.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.window.load(from)?;
        from.f64s_into(&mut self.sum)
    }
}
