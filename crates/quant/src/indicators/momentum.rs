//! Momentum: the return over `n` bars.

use super::window::Window;
use super::{all_ok, batch, check_shape, period_of};
use tradegraph_columns::Status;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Rate of change of one series over `n` bars: `(xₜ − xₜ₋ₙ) / xₜ₋ₙ`.
///
/// - Shape: one value a bar, oldest first; NaN before bar `n`.
/// - Units: a fraction (0.1 is ten per cent); `n` in bars, at least 1.
/// - Edges: a base of 0 or below has no return: NaN here, `NotApplicable` in [`Momentum`] (TA-Lib gives 0 for a
///   base of 0, which an agent could not tell from "unchanged").
/// - Source: TA-Lib 0.8 `TA_ROCP`.
#[must_use]
pub fn momentum(close: &[f64], n: usize) -> Vec<f64> {
    let mut kernel = Momentum::new(1, n.min(close.len() + 1));
    let [values] = batch(close, |x, p, [(v, s)]| kernel.update(x, p, v, s));
    values
}

/// One rate of change for all instruments, a slice at a time. Definition: [`momentum`].
#[derive(Clone, Debug)]
pub struct Momentum {
    window: Window,
    value: Vec<f64>,
    status: Vec<Status>,
}

impl Momentum {
    /// A kernel without data; `n` is the distance in bars, at least 1. Holds `n` closes an instrument.
    #[must_use]
    pub fn new(n_instruments: usize, n: usize) -> Self {
        Momentum {
            window: Window::new(n_instruments, period_of(n, 1)),
            value: vec![0.0; n_instruments],
            status: vec![Status::NoData; n_instruments],
        }
    }

    /// Takes one slice and writes one cell an instrument.
    ///
    /// # Panics
    /// If a slice does not have one cell an instrument.
    pub fn update(&mut self, close: &[f64], present: &[Status], out_values: &mut [f64], out_status: &mut [Status]) {
        check_shape(self.value.len(), close, present, &[(&mut *out_values, &mut *out_status)]);
        let cells = self.value.iter_mut().zip(&mut self.status);
        if all_ok(present)
            && let Some(row) = self.window.row()
        {
            for (((v, s), old), x) in cells.zip(row).zip(close) {
                (*v, *s) = change(*old, *x);
                *old = *x;
            }
            self.window.advance();
        } else {
            for (i, ((v, s), (x, p))) in cells.zip(close.iter().zip(present)).enumerate() {
                if *p == Status::Ok {
                    (*v, *s) = match self.window.push(i, *x) {
                        Some(old) => change(old, *x),
                        None => (0.0, Status::WarmUp),
                    };
                }
            }
            self.window.see_if_in_step();
        }
        out_values.copy_from_slice(&self.value);
        out_status.copy_from_slice(&self.status);
    }

    /// Writes parameters and state canonically.
    pub fn save(&self, to: &mut Encoder) {
        self.window.save(to);
        to.f64s(&self.value);
        to.statuses(&self.status);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are short, damaged, or of another period or number of instruments.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.window.load(from)?;
        from.f64s_into(&mut self.value)?;
        from.statuses_into(&mut self.status)
    }
}

#[inline]
fn change(old: f64, x: f64) -> (f64, Status) {
    let value = (x - old) / old;
    // A tiny base can overflow the quotient; such a return means nothing either.
    if old > 0.0 && value < f64::INFINITY && value > f64::NEG_INFINITY {
        (value, Status::Ok)
    } else {
        (0.0, Status::NotApplicable)
    }
}
