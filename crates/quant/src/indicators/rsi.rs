//! Relative strength index: how much of the recent movement was upward.

use super::{
    Bars, Inputs, Kernel, Out, all_ok, batch_of, cell, check_shape, expect_u64, lines_of, load_counts, period_of,
    save_counts,
};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::{Status, wide};

/// Wilder's relative strength index of one series.
///
/// `100 · U / (U + D)`, where `U` and `D` are averages of the rises and falls from close to close: the mean of the
/// first `n`, then `U += (u − U) / n`.
///
/// - Shape: one value a bar, oldest first; NaN before bar `n` (n moves need n + 1 closes).
/// - Range: 0 to 100; `n` in bars, at least 1. Without any movement `U + D = 0` and the value is 0, as TA-Lib's:
///   an agent that buys low values must ask for movement first. TA-Lib and this function differ only where
///   `0 < U + D < 1e-14`, which TA-Lib may take for zero.
/// - Source: Wilder, New Concepts in Technical Trading Systems (1978), section VI; TA-Lib 0.8 `TA_RSI`.
#[must_use]
pub fn rsi(close: &[f64], n: usize) -> Vec<f64> {
    let mut kernel = Rsi::new(1, n);
    let [values] = batch_of(&Bars::closes(close), Inputs::CLOSE, |bars, present, [out]| {
        kernel.update_block(bars.close, present, present.len(), out);
    });
    values
}

/// One relative strength index for all instruments, a slice at a time. Definition: [`rsi`].
#[derive(Clone, Debug)]
pub struct Rsi {
    period: u32,
    weight: f64,
    previous: Vec<f64>,
    /// Sum of rises during warm-up, then their average.
    up: Vec<f64>,
    /// The same of falls.
    down: Vec<f64>,
    /// Closes so far, at most `period + 1`.
    seen: Vec<u32>,
    /// Instruments that are not past warm-up.
    cold: usize,
}

impl Rsi {
    /// A kernel without data; `n` is the period in bars, at least 1.
    #[must_use]
    pub fn new(n_instruments: usize, n: usize) -> Self {
        let period = period_of(n, 1);
        Rsi {
            period,
            weight: 1.0 / f64::from(period),
            previous: vec![0.0; n_instruments],
            up: vec![0.0; n_instruments],
            down: vec![0.0; n_instruments],
            seen: vec![0; n_instruments],
            cold: n_instruments,
        }
    }

    /// Takes a close of instrument `i`, as a part of another indicator: the averages of rises and of falls.
    pub(super) fn step(&mut self, i: usize, x: f64) -> Result<(f64, f64), Status> {
        let (previous, up, down) = (&mut self.previous[i], &mut self.up[i], &mut self.down[i]);
        if self.seen[i] > self.period {
            smooth(self.weight, previous, up, down, x);
            return Ok((*up, *down));
        }
        warm_up(self.period, previous, up, down, &mut self.seen[i], x);
        if self.seen[i] <= self.period {
            return Err(Status::WarmUp);
        }
        self.cold -= 1;
        Ok((*up, *down))
    }

    /// Takes one slice and writes one cell an instrument.
    ///
    /// # Panics
    /// If a slice does not have one cell an instrument.
    #[inline]
    pub fn update(&mut self, close: &[f64], present: &[Status], out_values: &mut [f64], out_status: &mut [Status]) {
        check_shape(self.previous.len(), close, present, &[(&mut *out_values, &mut *out_status)]);
        if self.cold == 0 && all_ok(present) {
            self.warm_row(close, out_values);
            out_status.fill(Status::Ok);
        } else {
            self.any_row(close, present, out_values, out_status);
        }
    }

    /// Takes `k` slices, row after row; the same bits as `update` slice by slice.
    ///
    /// # Panics
    /// If a slice does not have `k` × instruments cells.
    pub fn update_block(&mut self, close: &[f64], present: &[Status], k: usize, out: &mut Out<'_>) {
        let n = self.previous.len();
        let (values, status) = (&mut *out.0, &mut *out.1);
        check_shape(k * n, close, present, &[(&mut *values, &mut *status)]);
        let mut row = 0;
        while n > 0 && row < k {
            if let ([previous], [up], [down]) = (&mut self.previous[..], &mut self.up[..], &mut self.down[..])
                && self.cold == 0
                && all_ok(&present[row..])
            {
                // One instrument: its state stays in registers.
                let mut state = (*previous, *up, *down);
                for (x, o) in close[row..].iter().zip(&mut values[row..]) {
                    smooth(self.weight, &mut state.0, &mut state.1, &mut state.2, *x);
                    *o = index(state.1, state.2);
                }
                (*previous, *up, *down) = state;
                status[row..].fill(Status::Ok);
                return;
            }
            let c = row * n..(row + 1) * n;
            let (v, s) = (&mut values[c.clone()], &mut status[c.clone()]);
            self.update(&close[c.clone()], &present[c], v, s);
            row += 1;
        }
    }

    #[inline]
    fn warm_row(&mut self, close: &[f64], out: &mut [f64]) {
        smooth_row(self.weight, close, &mut self.previous, &mut self.up, &mut self.down, out);
    }

    fn any_row(&mut self, close: &[f64], present: &[Status], out: &mut [f64], status: &mut [Status]) {
        let need = self.period + 1;
        let averages = self.up.iter_mut().zip(&mut self.down);
        let state = self.previous.iter_mut().zip(averages).zip(&mut self.seen);
        let data = close.iter().zip(present);
        self.cold = 0;
        for ((((previous, (up, down)), seen), (x, p)), (o, s)) in state.zip(data).zip(out.iter_mut().zip(status)) {
            if *p == Status::Ok {
                if *seen >= need {
                    smooth(self.weight, previous, up, down, *x);
                } else {
                    warm_up(self.period, previous, up, down, seen, *x);
                }
            }
            (*o, *s) = cell(index(*up, *down), *seen, need);
            self.cold += usize::from(*seen < need);
        }
    }

    /// Writes parameters and state canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.u64(u64::from(self.period));
        to.f64s(&self.previous);
        to.f64s(&self.up);
        to.f64s(&self.down);
        save_counts(to, &self.seen);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are short, damaged, or of another period or number of instruments.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        expect_u64(from, "RSI period", u64::from(self.period))?;
        from.f64s_into(&mut self.previous)?;
        from.f64s_into(&mut self.up)?;
        from.f64s_into(&mut self.down)?;
        load_counts(from, &mut self.seen, self.period + 1)?;
        self.cold = self.seen.iter().filter(|s| **s <= self.period).count();
        Ok(())
    }
}

impl Kernel for Rsi {
    fn lines(&self) -> usize {
        1
    }

    fn inputs(&self) -> Inputs {
        Inputs::CLOSE
    }

    fn update_block(&mut self, bars: &Bars<'_>, present: &[Status], k: usize, out: &mut [Out<'_>]) {
        let [out] = lines_of(out);
        Rsi::update_block(self, bars.close, present, k, out);
    }

    fn save(&self, to: &mut Encoder) {
        Rsi::save(self, to);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        Rsi::load(self, from)
    }
}

wide! {
    /// One datum of every instrument, past warm-up.
    fn smooth_row<'a>(
        weight: f64,
        x: &'a [f64],
        previous: &'a mut [f64],
        up: &'a mut [f64],
        down: &'a mut [f64],
        out: &'a mut [f64],
    ) {
        let state = previous.iter_mut().zip(up.iter_mut().zip(down));
        for (((previous, (up, down)), x), o) in state.zip(x).zip(out) {
            smooth(weight, previous, up, down, *x);
            *o = index(*up, *down);
        }
    }
}

/// Rise and fall of one move, both at least 0. Comparisons instead of `f64::max` compile to one instruction.
#[inline(always)]
fn rise_and_fall(move_: f64) -> (f64, f64) {
    (if move_ > 0.0 { move_ } else { 0.0 }, if move_ < 0.0 { -move_ } else { 0.0 })
}

/// One datum of an instrument past warm-up.
#[inline(always)]
fn smooth(weight: f64, previous: &mut f64, up: &mut f64, down: &mut f64, x: f64) {
    let (rise, fall) = rise_and_fall(x - *previous);
    *previous = x;
    *up += (rise - *up) * weight;
    *down += (fall - *down) * weight;
}

/// One datum of an instrument that has at most `period` closes.
fn warm_up(period: u32, previous: &mut f64, up: &mut f64, down: &mut f64, seen: &mut u32, x: f64) {
    if *seen > 0 {
        let (rise, fall) = rise_and_fall(x - *previous);
        *up += rise;
        *down += fall;
    }
    *previous = x;
    *seen += 1;
    if *seen == period + 1 {
        *up /= f64::from(period);
        *down /= f64::from(period);
    }
}

#[inline(always)]
pub(super) fn index(up: f64, down: f64) -> f64 {
    let moved = up + down;
    let index = 100.0 * (up / moved);
    if moved > 0.0 { index } else { 0.0 }
}
