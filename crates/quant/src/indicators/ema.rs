//! Exponential moving average: the seed of half the agents' signals and the hot loop of the engine, hence the bank.

use super::{
    Bars, Inputs, Kernel, Out, all_ok, batch_of, cell, check_shape, expect_u64, lines_of, load_counts, period_of,
    save_counts,
};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::{Status, wide};

/// How a recursive average starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Seed {
    /// The first value, at bar `n − 1`, is the mean of the first `n` closes (TA-Lib's default).
    #[default]
    Sma = 0,
    /// The average starts at the first close (pandas' `ewm(adjust=False)`); printed from bar `n − 1` on, as above.
    First = 1,
}

/// Exponential moving average of one series.
///
/// `eₜ = eₜ₋₁ + α (xₜ − eₜ₋₁)` with `α = 2 / (n + 1)`; the mean that seeds it is a running one,
/// `m += (x − m) / count`. Written this way, and not as `α x + (1 − α) e` and `Σ x / n`, the average of a constant
/// series is that constant to the bit, so averages of a flat series never seem to cross.
///
/// - Shape: one value a bar, oldest first; NaN before bar `n − 1` and in an empty series nothing.
/// - Units: those of `close`. `n` in bars, at least 1 (`n = 1` is the series itself).
/// - Source: TA-Lib 0.8 `TA_EMA`, default compatibility, unstable period 0.
#[must_use]
pub fn ema(close: &[f64], n: usize, seed: Seed) -> Vec<f64> {
    let mut kernel = Ema::new(1, n, seed);
    let [values] = batch_of(&Bars::closes(close), Inputs::CLOSE, |bars, present, out| {
        Kernel::update_block(&mut kernel, bars, present, present.len(), out);
    });
    values
}

/// One exponential moving average for all instruments, a slice at a time. Definition: [`ema`].
#[derive(Clone, Debug)]
pub struct Ema {
    period: u32,
    alpha: f64,
    seed: Seed,
    /// The average; with `Seed::Sma` the plain mean so far during warm-up.
    value: Vec<f64>,
    /// Data so far, at most `period`.
    seen: Vec<u32>,
    /// Instruments that are not past warm-up.
    cold: usize,
}

impl Ema {
    /// A kernel without data; `n` is the period in bars, at least 1.
    #[must_use]
    pub fn new(n_instruments: usize, n: usize, seed: Seed) -> Self {
        let period = period_of(n, 1);
        Ema {
            period,
            alpha: 2.0 / (f64::from(period) + 1.0),
            seed,
            value: vec![0.0; n_instruments],
            seen: vec![0; n_instruments],
            cold: n_instruments,
        }
    }

    /// Wilder's average: as `new` with `α = 1 / n`, seeded by the mean of the first `n`.
    pub(super) fn wilder(n_instruments: usize, n: usize) -> Self {
        let ema = Ema::new(n_instruments, n, Seed::Sma);
        Ema { alpha: 1.0 / f64::from(ema.period), ..ema }
    }

    /// Takes a datum of instrument `i`, as a part of another indicator.
    #[inline]
    pub(super) fn step(&mut self, i: usize, x: f64) -> Result<f64, Status> {
        let (value, seen) = (&mut self.value[i], &mut self.seen[i]);
        if *seen >= self.period {
            *value += self.alpha * (x - *value);
            return Ok(*value);
        }
        warm_up(self.alpha, self.seed, value, seen, x);
        if *seen < self.period {
            return Err(Status::WarmUp);
        }
        self.cold -= 1;
        Ok(*value)
    }

    /// Replaces a row of data by their averages if every instrument is past warm-up, as a part of another indicator.
    #[inline]
    pub(super) fn row(&mut self, data: &mut [f64]) -> bool {
        if self.cold > 0 {
            return false;
        }
        replace(self.alpha, &mut self.value, data);
        true
    }

    /// The weight and the averages if every instrument is past warm-up, for a pass of another indicator.
    pub(super) fn warm(&mut self) -> Option<(f64, &mut [f64])> {
        if self.cold == 0 { Some((self.alpha, &mut self.value)) } else { None }
    }

    /// Bars of the period.
    pub(super) fn period(&self) -> u32 {
        self.period
    }

    /// True if every instrument is past warm-up, so that `row` will answer.
    pub(super) fn is_warm(&self) -> bool {
        self.cold == 0
    }

    /// Takes one slice and writes one cell an instrument.
    ///
    /// # Panics
    /// If a slice does not have one cell an instrument.
    pub fn update(&mut self, close: &[f64], present: &[Status], out_values: &mut [f64], out_status: &mut [Status]) {
        check_shape(self.value.len(), close, present, &[(&mut *out_values, &mut *out_status)]);
        if self.cold == 0 && all_ok(present) {
            self.warm_row(close, out_values);
            out_status.fill(Status::Ok);
        } else if self.cold == 0 {
            self.gappy_row(close, present, out_values);
            out_status.fill(Status::Ok);
        } else {
            self.any_row(close, present, out_values, out_status);
        }
    }

    /// Every instrument is past warm-up and has a datum.
    #[inline]
    fn warm_row(&mut self, close: &[f64], out: &mut [f64]) {
        smooth(self.alpha, &self.value, close, out);
        self.value.copy_from_slice(out);
    }

    /// Every instrument is past warm-up, some have no datum: both results are computed and one is chosen, since
    /// markets that are shut half of the time make a branch that cannot be foreseen.
    fn gappy_row(&mut self, close: &[f64], present: &[Status], out: &mut [f64]) {
        for (((v, x), p), o) in self.value.iter_mut().zip(close).zip(present).zip(out) {
            let next = *v + self.alpha * (x - *v);
            *v = if *p == Status::Ok { next } else { *v };
            *o = *v;
        }
    }

    fn any_row(&mut self, close: &[f64], present: &[Status], out: &mut [f64], status: &mut [Status]) {
        let state = self.value.iter_mut().zip(&mut self.seen);
        let data = close.iter().zip(present);
        self.cold = 0;
        for (((value, seen), (x, p)), (o, s)) in state.zip(data).zip(out.iter_mut().zip(status)) {
            if *p == Status::Ok {
                if *seen >= self.period {
                    *value += self.alpha * (x - *value);
                } else {
                    warm_up(self.alpha, self.seed, value, seen, *x);
                }
            }
            (*o, *s) = cell(*value, *seen, self.period);
            self.cold += usize::from(*seen < self.period);
        }
    }

    /// Writes parameters and state canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.u64(u64::from(self.period));
        to.u64(self.seed as u64);
        to.f64s(&self.value);
        save_counts(to, &self.seen);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are short, damaged, or of other parameters or another number of instruments.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        expect_u64(from, "EMA period", u64::from(self.period))?;
        expect_u64(from, "EMA seed", self.seed as u64)?;
        from.f64s_into(&mut self.value)?;
        load_counts(from, &mut self.seen, self.period)?;
        self.cold = self.seen.iter().filter(|s| **s < self.period).count();
        Ok(())
    }
}

impl Kernel for Ema {
    fn lines(&self) -> usize {
        1
    }

    fn inputs(&self) -> Inputs {
        Inputs::CLOSE
    }

    fn update_block(&mut self, bars: &Bars<'_>, present: &[Status], k: usize, out: &mut [Out<'_>]) {
        let n = self.value.len();
        let [(values, status)] = lines_of(out);
        check_shape(k * n, bars.close, present, &[(&mut *values, &mut *status)]);
        let mut row = 0;
        while n > 0 && row < k {
            if n == 1 && self.cold == 0 && all_ok(&present[row..]) {
                chains::<1>(std::slice::from_mut(self), &bars.close[row..], row, &mut [(values, status)]);
                status[row..].fill(Status::Ok);
                return;
            }
            let c = row * n..(row + 1) * n;
            self.update(&bars.close[c.clone()], &present[c.clone()], &mut values[c.clone()], &mut status[c]);
            row += 1;
        }
    }

    fn save(&self, to: &mut Encoder) {
        Ema::save(self, to);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        Ema::load(self, from)
    }
}

wide! {
    /// One slice past warm-up: no branch, so the loop becomes SIMD.
    fn smooth<'a>(alpha: f64, state: &'a [f64], close: &'a [f64], out: &'a mut [f64]) {
        for ((o, v), x) in out.iter_mut().zip(state).zip(close) {
            *o = v + alpha * (x - v);
        }
    }
}

wide! {
    /// One slice past warm-up, whose data are replaced by their averages.
    fn replace<'a>(alpha: f64, state: &'a mut [f64], data: &'a mut [f64]) {
        for (x, v) in data.iter_mut().zip(state) {
            *v += alpha * (*x - *v);
            *x = *v;
        }
    }
}

/// One datum of an instrument that has fewer than `period`.
fn warm_up(alpha: f64, seed: Seed, value: &mut f64, seen: &mut u32, x: f64) {
    *seen += 1;
    *value += match seed {
        Seed::Sma => (x - *value) / f64::from(*seen),
        Seed::First if *seen == 1 => x,
        Seed::First => alpha * (x - *value),
    };
}

/// Chains that run side by side when there is one instrument. A step waits about ten cycles for the one before
/// it; four chains fill that time and their state still fits into registers.
const CHAINS: usize = 4;

/// Several exponential moving averages of the same closes, K slices a call. Definition: [`ema`]; the results are
/// those of [`Ema::update`] called slice by slice, to the bit.
#[derive(Clone, Debug)]
pub struct EmaBank {
    n_instruments: usize,
    sets: Vec<Ema>,
}

impl EmaBank {
    /// A bank without data; a parameter set is a period in bars and a seed.
    #[must_use]
    pub fn new(n_instruments: usize, sets: &[(usize, Seed)]) -> Self {
        let sets = sets.iter().map(|(n, seed)| Ema::new(n_instruments, *n, *seed)).collect();
        EmaBank { n_instruments, sets }
    }

    /// Number of parameter sets.
    #[must_use]
    pub fn n_sets(&self) -> usize {
        self.sets.len()
    }

    /// Takes one slice: `update_block` with `k = 1`.
    ///
    /// # Panics
    /// As `update_block`.
    pub fn update(&mut self, close: &[f64], present: &[Status], out: &mut [Out<'_>]) {
        self.update_block(close, present, 1, out);
    }

    /// Takes `k` slices, row after row, and writes `k` rows for each parameter set, in the order of `new`.
    ///
    /// # Panics
    /// If a slice does not have `k` × instruments cells, or `out` not one entry a parameter set.
    pub fn update_block(&mut self, close: &[f64], present: &[Status], k: usize, out: &mut [Out<'_>]) {
        let n = self.n_instruments;
        check_shape(k * n, close, present, out);
        assert_eq!(out.len(), self.sets.len(), "one output a parameter set");
        if n == 0 {
            return;
        }
        // The usual block is whole: one scan of the bytes, then no look at a status.
        let whole = all_ok(present);
        let mut row = 0;
        while row < k {
            let warm = self.sets.iter().all(|set| set.cold == 0);
            let run = if !warm {
                0
            } else if whole {
                k - row
            } else {
                present[row * n..].chunks_exact(n).take_while(|r| all_ok(r)).count()
            };
            if run > 0 {
                self.warm_rows(&close[row * n..(row + run) * n], row * n, out);
                row += run;
            } else {
                let cells = row * n..(row + 1) * n;
                for (set, (v, s)) in self.sets.iter_mut().zip(out.iter_mut()) {
                    let (v, s) = (&mut v[cells.clone()], &mut s[cells.clone()]);
                    set.update(&close[cells.clone()], &present[cells.clone()], v, s);
                }
                row += 1;
            }
        }
    }

    /// Rows in which every instrument has a datum and every set is past warm-up; `at` is the first cell of `out`.
    fn warm_rows(&mut self, close: &[f64], at: usize, out: &mut [Out<'_>]) {
        let cells = at..at + close.len();
        for (_, status) in out.iter_mut() {
            status[cells.clone()].fill(Status::Ok);
        }
        if self.n_instruments == 1 {
            for (sets, out) in self.sets.chunks_mut(CHAINS).zip(out.chunks_mut(CHAINS)) {
                match sets.len() {
                    1 => chains::<1>(sets, close, at, out),
                    2 => chains::<2>(sets, close, at, out),
                    3 => chains::<3>(sets, close, at, out),
                    _ => chains::<CHAINS>(sets, close, at, out),
                }
            }
            return;
        }
        let n = self.n_instruments;
        for (k, x) in close.chunks_exact(n).enumerate() {
            let from = at + k * n;
            for (set, (values, _)) in self.sets.iter_mut().zip(out.iter_mut()) {
                let (before, row) = values[at..from + n].split_at_mut(k * n);
                // The row before is the state: one store a cell instead of two.
                let state = if k == 0 { &set.value[..] } else { &before[(k - 1) * n..] };
                smooth(set.alpha, state, x, row);
            }
        }
        for (set, (values, _)) in self.sets.iter_mut().zip(out.iter()) {
            set.value.copy_from_slice(&values[cells.end - n..cells.end]);
        }
    }

    /// Writes every parameter set, in order.
    pub fn save(&self, to: &mut Encoder) {
        to.len(self.sets.len());
        self.sets.iter().for_each(|set| set.save(to));
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// As [`Ema::load`], also if the number of parameter sets differs.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        expect_u64(from, "EMA parameter sets", self.sets.len() as u64)?;
        self.sets.iter_mut().try_for_each(|set| set.load(from))
    }
}

/// `M` averages of one instrument over a run of closes, their state in registers.
fn chains<const M: usize>(sets: &mut [Ema], close: &[f64], at: usize, out: &mut [Out<'_>]) {
    let mut outs = out.iter_mut();
    let to: [&mut [f64]; M] = std::array::from_fn(|_| match outs.next() {
        Some((v, _)) => &mut v[at..at + close.len()],
        None => &mut [],
    });
    let alpha: [f64; M] = std::array::from_fn(|m| sets[m].alpha);
    let mut value: [f64; M] = std::array::from_fn(|m| sets[m].value[0]);
    for (t, x) in close.iter().enumerate() {
        for m in 0..M {
            value[m] += alpha[m] * (x - value[m]);
            to[m][t] = value[m];
        }
    }
    for (set, v) in sets.iter_mut().zip(value) {
        set.value[0] = v;
    }
}
