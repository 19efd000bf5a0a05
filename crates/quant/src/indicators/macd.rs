//! Moving average convergence divergence: the gap of two EMAs, its own EMA, and the gap of those two.

use super::{
    Bars, Inputs, Kernel, Out, Seed, all_ok, batch_of, check_shape, expect_u64, lines_of, load_counts, period_of,
    save_counts, status_of,
};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::{Status, wide};

/// The three lines of [`macd`], one value a bar each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MacdSeries {
    /// Fast minus slow average.
    pub macd: Vec<f64>,
    /// Average of `macd`.
    pub signal: Vec<f64>,
    /// `macd` minus `signal`.
    pub hist: Vec<f64>,
}

/// MACD of one series: `EMA(fast) − EMA(slow)`, its EMA over `signal` values, and their difference.
///
/// All three averages have `α = 2 / (n + 1)`.
/// - `Seed::Sma`: all three start at a simple mean. Both averages of the close start at bar `slow − 1`: the fast one at
///   the mean of the last `fast` closes up to that bar, which is not what an EMA over the whole series has there.
/// - `Seed::First`: both averages of the close start at the first close, that of their difference at its first value, 0.
///
/// - Shape: one value a bar, oldest first; all three lines are NaN before bar `slow + signal − 2`.
/// - Units: those of `close`; periods in bars, at least 1 (default of the field: 12, 26, 9). If `slow < fast` the
///   two are exchanged.
/// - Source: Appel, Technical Analysis (2005), chapter 8; TA-Lib 0.8 `TA_MACD`; pandas'
///   `ewm(adjust=False)` for `Seed::First`.
#[must_use]
pub fn macd(close: &[f64], fast: usize, slow: usize, signal: usize, seed: Seed) -> MacdSeries {
    let mut kernel = Macd::new(1, fast, slow, signal, seed);
    let [macd, signal, hist] = batch_of(&Bars::closes(close), Inputs::CLOSE, |bars, present, out| {
        kernel.update_block(bars.close, present, present.len(), out);
    });
    MacdSeries { macd, signal, hist }
}

#[derive(Clone, Copy, Debug)]
struct Periods {
    fast: u32,
    slow: u32,
    signal: u32,
    alpha: [f64; 3],
    seed: Seed,
}

impl Periods {
    /// Data until the first value.
    #[inline]
    fn need(&self) -> u32 {
        self.slow + self.signal - 1
    }

    /// One datum of an instrument past warm-up.
    #[inline(always)]
    fn smooth(&self, fast: &mut f64, slow: &mut f64, signal: &mut f64, x: f64) {
        let [a, b, c] = self.alpha;
        *fast += a * (x - *fast);
        *slow += b * (x - *slow);
        *signal += c * ((*fast - *slow) - *signal);
    }

    /// One datum of an instrument that has fewer than `need`. With `Seed::Sma` a line is the running mean of what it
    /// has seen until it has seen its period: so every line of a constant series is exact, and `macd` is 0.
    fn warm_up(&self, fast: &mut f64, slow: &mut f64, signal: &mut f64, seen: &mut u32, x: f64) {
        *seen += 1;
        if self.seed == Seed::First {
            if *seen == 1 {
                (*fast, *slow) = (x, x);
            }
            self.smooth(fast, slow, signal, x);
            return;
        }
        if *seen > self.slow {
            *fast += self.alpha[0] * (x - *fast);
            *slow += self.alpha[1] * (x - *slow);
        } else {
            *slow += (x - *slow) / f64::from(*seen);
            let before = self.slow - self.fast;
            if *seen > before {
                *fast += (x - *fast) / f64::from(*seen - before);
            }
        }
        if *seen >= self.slow {
            *signal += ((*fast - *slow) - *signal) / f64::from(*seen - self.slow + 1);
        }
    }
}

/// One MACD for all instruments, a slice at a time. Definition: [`macd`].
#[derive(Clone, Debug)]
pub struct Macd {
    periods: Periods,
    fast: Vec<f64>,
    slow: Vec<f64>,
    signal: Vec<f64>,
    /// Closes so far, at most `need`.
    seen: Vec<u32>,
    /// Instruments that are not past warm-up.
    cold: usize,
}

impl Macd {
    /// A kernel without data; periods in bars, at least 1, `fast` and `slow` in either order.
    #[must_use]
    pub fn new(n_instruments: usize, fast: usize, slow: usize, signal: usize, seed: Seed) -> Self {
        let [fast, slow, signal] = [fast.min(slow), fast.max(slow), signal].map(|n| period_of(n, 1));
        Macd {
            periods: Periods {
                fast,
                slow,
                signal,
                alpha: [fast, slow, signal].map(|n| 2.0 / (f64::from(n) + 1.0)),
                seed,
            },
            fast: vec![0.0; n_instruments],
            slow: vec![0.0; n_instruments],
            signal: vec![0.0; n_instruments],
            seen: vec![0; n_instruments],
            cold: n_instruments,
        }
    }

    /// Takes one slice and writes one cell an instrument for macd, signal and histogram, in this order.
    ///
    /// # Panics
    /// If a slice does not have one cell an instrument.
    #[inline]
    pub fn update(&mut self, close: &[f64], present: &[Status], out: &mut [Out<'_>; 3]) {
        check_shape(self.fast.len(), close, present, out);
        let [(macd, s0), (signal, s1), (hist, s2)] = out;
        if self.cold == 0 && all_ok(present) {
            self.warm_row(close, [macd, signal, hist]);
            [s0, s1, s2].into_iter().for_each(|s| s.fill(Status::Ok));
        } else {
            self.any_row(close, present, [macd, signal, hist], s0);
            s1.copy_from_slice(s0);
            s2.copy_from_slice(s0);
        }
    }

    /// Takes `k` slices, row after row; the same bits as `update` slice by slice.
    ///
    /// # Panics
    /// If a slice does not have `k` × instruments cells.
    pub fn update_block(&mut self, close: &[f64], present: &[Status], k: usize, out: &mut [Out<'_>; 3]) {
        let n = self.fast.len();
        check_shape(k * n, close, present, out);
        let mut row = 0;
        while n > 0 && row < k {
            if let ([fast], [slow], [signal]) = (&mut self.fast[..], &mut self.slow[..], &mut self.signal[..])
                && self.cold == 0
                && all_ok(&present[row..])
            {
                // One instrument: its state stays in registers.
                let mut state = (*fast, *slow, *signal);
                let [(macd, s0), (average, s1), (hist, s2)] = out;
                let lines = macd[row..].iter_mut().zip(&mut average[row..]).zip(&mut hist[row..]);
                for (x, ((m, a), h)) in close[row..].iter().zip(lines) {
                    self.periods.smooth(&mut state.0, &mut state.1, &mut state.2, *x);
                    *m = state.0 - state.1;
                    *a = state.2;
                    *h = *m - *a;
                }
                (*fast, *slow, *signal) = state;
                [s0, s1, s2].into_iter().for_each(|s| s[row..].fill(Status::Ok));
                return;
            }
            let c = row * n..(row + 1) * n;
            let mut cells = out.each_mut().map(|(v, s)| (&mut v[c.clone()], &mut s[c.clone()]));
            self.update(&close[c.clone()], &present[c], &mut cells);
            row += 1;
        }
    }

    #[inline]
    fn warm_row(&mut self, close: &[f64], [macd, signal, hist]: [&mut [f64]; 3]) {
        let periods = self.periods;
        smooth_row(periods, close, &mut self.fast, &mut self.slow, &mut self.signal, macd, signal, hist);
    }

    fn any_row(
        &mut self,
        close: &[f64],
        present: &[Status],
        [macd, signal, hist]: [&mut [f64]; 3],
        status: &mut [Status],
    ) {
        let periods = self.periods;
        let need = periods.need();
        let lines = self.fast.iter_mut().zip(&mut self.slow).zip(&mut self.signal);
        let out = macd.iter_mut().zip(signal).zip(hist).zip(status);
        let data = close.iter().zip(present);
        self.cold = 0;
        for (((((fast, slow), average), seen), (x, p)), (((m, s), h), status)) in
            lines.zip(&mut self.seen).zip(data).zip(out)
        {
            if *p == Status::Ok {
                if *seen >= need {
                    periods.smooth(fast, slow, average, *x);
                } else {
                    periods.warm_up(fast, slow, average, seen, *x);
                }
            }
            *status = status_of(*seen, need);
            (*m, *s, *h) = (0.0, 0.0, 0.0);
            if *status == Status::Ok {
                *m = *fast - *slow;
                *s = *average;
                *h = *m - *s;
            } else {
                self.cold += 1;
            }
        }
    }

    /// Writes parameters and state canonically.
    pub fn save(&self, to: &mut Encoder) {
        for n in [self.periods.fast, self.periods.slow, self.periods.signal] {
            to.u64(u64::from(n));
        }
        to.u64(self.periods.seed as u64);
        to.f64s(&self.fast);
        to.f64s(&self.slow);
        to.f64s(&self.signal);
        save_counts(to, &self.seen);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are short, damaged, or of other periods or another number of instruments.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        expect_u64(from, "MACD fast period", u64::from(self.periods.fast))?;
        expect_u64(from, "MACD slow period", u64::from(self.periods.slow))?;
        expect_u64(from, "MACD signal period", u64::from(self.periods.signal))?;
        expect_u64(from, "MACD seed", self.periods.seed as u64)?;
        from.f64s_into(&mut self.fast)?;
        from.f64s_into(&mut self.slow)?;
        from.f64s_into(&mut self.signal)?;
        let need = self.periods.need();
        load_counts(from, &mut self.seen, need)?;
        self.cold = self.seen.iter().filter(|s| **s < need).count();
        Ok(())
    }
}

wide! {
    /// One datum of every instrument, past warm-up.
    fn smooth_row<'a>(
        periods: Periods,
        x: &'a [f64],
        fast: &'a mut [f64],
        slow: &'a mut [f64],
        average: &'a mut [f64],
        macd: &'a mut [f64],
        signal: &'a mut [f64],
        hist: &'a mut [f64],
    ) {
        let state = fast.iter_mut().zip(slow).zip(average);
        let out = macd.iter_mut().zip(signal).zip(hist);
        for ((((fast, slow), average), x), ((m, s), h)) in state.zip(x).zip(out) {
            periods.smooth(fast, slow, average, *x);
            *m = *fast - *slow;
            *s = *average;
            *h = *m - *s;
        }
    }
}

impl Kernel for Macd {
    fn lines(&self) -> usize {
        3
    }

    fn inputs(&self) -> Inputs {
        Inputs::CLOSE
    }

    fn update_block(&mut self, bars: &Bars<'_>, present: &[Status], k: usize, out: &mut [Out<'_>]) {
        Macd::update_block(self, bars.close, present, k, lines_of(out));
    }

    fn save(&self, to: &mut Encoder) {
        Macd::save(self, to);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        Macd::load(self, from)
    }
}
