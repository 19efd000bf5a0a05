//! Realised volatility: the spread of recent log returns.

use super::window::Window;
use super::{batch, check_shape, period_of};
use tradegraph_columns::Status;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Sample standard deviation (divisor `n − 1`) of the last `n` log returns `ln(xₜ / xₜ₋₁)` of one series.
///
/// Mean and squared deviations are carried from bar to bar (Welford) and taken afresh from the window, in two
/// passes, every `n` data, which bounds what rounding leaves behind after a large return.
///
/// - Shape: one value a bar, oldest first; NaN before bar `n` (n returns need n + 1 closes).
/// - Units: per bar, not annualised (multiply by the root of the bars in a year); `n` in bars, at least 2.
/// - Edges: a close of 0 or below has no log return: history starts again at the next positive close. A constant
///   series gives 0.
/// - Source: Hull, Options, Futures and Other Derivatives, "Estimating volatility from historical data"; the
///   window: Welford, Technometrics 4 (1962) 419.
#[must_use]
pub fn realised_vol(close: &[f64], n: usize) -> Vec<f64> {
    let mut kernel = RealisedVol::new(1, n.min(close.len() + 2));
    let [values] = batch(close, |x, p, [(v, s)]| kernel.update(x, p, v, s));
    values
}

/// One realised volatility for all instruments, a slice at a time. Definition: [`realised_vol`].
#[derive(Clone, Debug)]
pub struct RealisedVol {
    period: u32,
    /// The last `period` log returns.
    window: Window,
    previous: Vec<f64>,
    mean: Vec<f64>,
    squares: Vec<f64>,
    value: Vec<f64>,
    status: Vec<Status>,
}

impl RealisedVol {
    /// A kernel without data; `n` counts returns, at least 2. Holds `n` returns an instrument.
    #[must_use]
    pub fn new(n_instruments: usize, n: usize) -> Self {
        let period = period_of(n, 2);
        RealisedVol {
            period,
            window: Window::new(n_instruments, period),
            previous: vec![0.0; n_instruments],
            mean: vec![0.0; n_instruments],
            squares: vec![0.0; n_instruments],
            value: vec![0.0; n_instruments],
            status: vec![Status::NoData; n_instruments],
        }
    }

    /// Takes one slice and writes one cell an instrument. One logarithm an instrument: there is no SIMD path.
    ///
    /// # Panics
    /// If a slice does not have one cell an instrument.
    pub fn update(&mut self, close: &[f64], present: &[Status], out_values: &mut [f64], out_status: &mut [Status]) {
        check_shape(self.value.len(), close, present, &[(&mut *out_values, &mut *out_status)]);
        for (i, (x, p)) in close.iter().zip(present).enumerate() {
            if *p == Status::Ok {
                self.step(i, *x);
            }
        }
        out_values.copy_from_slice(&self.value);
        out_status.copy_from_slice(&self.status);
    }

    fn step(&mut self, i: usize, x: f64) {
        let previous = std::mem::replace(&mut self.previous[i], x);
        (self.value[i], self.status[i]) = (0.0, Status::WarmUp);
        let r = libm::log(x / previous);
        // The last case is a quotient that overflows.
        if x <= 0.0 || previous <= 0.0 || !r.is_finite() {
            self.window.clear(i);
            (self.mean[i], self.squares[i]) = (0.0, 0.0);
            return;
        }
        let (mean, squares) = (&mut self.mean[i], &mut self.squares[i]);
        let replaced = self.window.push(i, r);
        let held = f64::from(self.window.held(i));
        let before = *mean;
        match replaced {
            Some(old) => {
                *mean += (r - old) / held;
                *squares += (r - old) * ((r - *mean) + (old - before));
            }
            None => {
                *mean += (r - before) / held;
                *squares += (r - before) * (r - *mean);
            }
        }
        if self.window.at_start(i) {
            *mean = self.window.data(i).sum::<f64>() / held;
            *squares = self.window.data(i).map(|v| (v - *mean) * (v - *mean)).sum();
        }
        if self.window.held(i) == self.period {
            // Rounding may leave the sum of squares just below zero.
            let variance = if *squares > 0.0 { *squares / (held - 1.0) } else { 0.0 };
            (self.value[i], self.status[i]) = (variance.sqrt(), Status::Ok);
        }
    }

    /// Writes parameters and state canonically.
    pub fn save(&self, to: &mut Encoder) {
        self.window.save(to);
        for column in [&self.previous, &self.mean, &self.squares, &self.value] {
            to.f64s(column);
        }
        to.statuses(&self.status);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are short, damaged, or of another period or number of instruments.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.window.load(from)?;
        for column in [&mut self.previous, &mut self.mean, &mut self.squares, &mut self.value] {
            from.f64s_into(column)?;
        }
        from.statuses_into(&mut self.status)
    }
}
