//! The common form of indicators: what they read, and the three forms that follow from one definition.
//!
//! A [`Study`] says what one bar of one instrument does to its columns of state. [`Columns`] makes of it the streaming,
//! the block and the batch form, which therefore agree to the bit; a study may add a faster pass over whole rows that
//! does the same operations. [`Kernel`] is what they all look like from outside.

use super::all_ok;
use std::fmt::Debug;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::{Status, wide};

/// Values and statuses that a kernel writes: one slice, or K slices row after row.
pub type Out<'a> = (&'a mut [f64], &'a mut [Status]);

/// Which fields of a bar an indicator reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inputs(u8);

impl Inputs {
    /// The open.
    pub const OPEN: Inputs = Inputs(1);
    /// The high.
    pub const HIGH: Inputs = Inputs(2);
    /// The low.
    pub const LOW: Inputs = Inputs(4);
    /// The close.
    pub const CLOSE: Inputs = Inputs(8);
    /// The volume.
    pub const VOLUME: Inputs = Inputs(16);
    /// A second series beside the close.
    pub const OTHER: Inputs = Inputs(32);
    /// High, low and close.
    pub const RANGE: Inputs = Inputs::HIGH.and(Inputs::LOW).and(Inputs::CLOSE);

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Inputs) -> Inputs {
        Inputs(self.0 | other.0)
    }

    /// True if every field of `other` is among these.
    #[must_use]
    pub const fn has(self, other: Inputs) -> bool {
        self.0 & other.0 == other.0
    }
}

/// One bar of one instrument. A field that the indicator does not read is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bar {
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Units traded.
    pub volume: f64,
    /// The second series of measures of two, a market's return for example.
    pub other: f64,
}

/// Bars of one series oldest first, of all instruments in one slice, or of K slices row after row. Fields that the
/// indicator does not read may be empty; the others have one length.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bars<'a> {
    /// First prices.
    pub open: &'a [f64],
    /// Highest prices.
    pub high: &'a [f64],
    /// Lowest prices.
    pub low: &'a [f64],
    /// Last prices.
    pub close: &'a [f64],
    /// Units traded.
    pub volume: &'a [f64],
    /// The second series of measures of two.
    pub other: &'a [f64],
    /// Log returns of the closes, each from the instrument's bar before, if the caller has them and all are there: what
    /// several indicators would compute again.
    pub log_return: &'a [f64],
}

impl<'a> Bars<'a> {
    /// Closes alone.
    #[must_use]
    pub fn closes(close: &'a [f64]) -> Self {
        Bars { close, ..Bars::default() }
    }

    /// Highs, lows and closes.
    #[must_use]
    pub fn ranges(high: &'a [f64], low: &'a [f64], close: &'a [f64]) -> Self {
        Bars { high, low, close, ..Bars::default() }
    }

    /// Number of bars: the length of the longest field.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields().iter().map(|(_, x)| x.len()).max().unwrap_or(0)
    }

    /// True without a bar.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bars `from..to` of every field that is not empty.
    #[must_use]
    pub fn cells(&self, from: usize, to: usize) -> Bars<'a> {
        let cut = |x: &'a [f64]| if x.is_empty() { x } else { &x[from..to] };
        Bars {
            open: cut(self.open),
            high: cut(self.high),
            low: cut(self.low),
            close: cut(self.close),
            volume: cut(self.volume),
            other: cut(self.other),
            log_return: cut(self.log_return),
        }
    }

    fn fields(&self) -> [(Inputs, &'a [f64]); 6] {
        [
            (Inputs::OPEN, self.open),
            (Inputs::HIGH, self.high),
            (Inputs::LOW, self.low),
            (Inputs::CLOSE, self.close),
            (Inputs::VOLUME, self.volume),
            (Inputs::OTHER, self.other),
        ]
    }

    #[inline]
    fn bar(&self, i: usize, inputs: Inputs) -> Bar {
        let get = |field, x: &[f64]| if inputs.has(field) { x[i] } else { 0.0 };
        Bar {
            open: get(Inputs::OPEN, self.open),
            high: get(Inputs::HIGH, self.high),
            low: get(Inputs::LOW, self.low),
            close: get(Inputs::CLOSE, self.close),
            volume: get(Inputs::VOLUME, self.volume),
            other: get(Inputs::OTHER, self.other),
        }
    }

    /// Panics unless every field that is read, the statuses and all outputs have `cells` cells.
    #[inline]
    pub(super) fn check(&self, inputs: Inputs, present: &[Status], cells: usize, out: &[Out<'_>]) {
        let read = || self.fields().into_iter().filter(|(field, _)| inputs.has(*field)).map(|(_, x)| x);
        let same = read().all(|x| x.len() == cells)
            && present.len() == cells
            && out.iter().all(|(v, s)| v.len() == cells && s.len() == cells);
        assert!(same, "every slice must have {cells} cells");
        debug_assert!(
            read().all(|x| x.iter().zip(present).all(|(x, s)| *s != Status::Ok || x.is_finite())),
            "a bar with status Ok must be finite"
        );
    }
}

/// The definition of an indicator with `M` lines: what one bar of one instrument does. State is kept in columns, one
/// entry an instrument.
pub trait Study<const M: usize>: Debug + Send {
    /// What it reads.
    const INPUTS: Inputs;

    /// Takes a bar of instrument `i` and gives the value of each line. A value that is not finite stands for
    /// `NotApplicable`.
    ///
    /// # Errors
    /// `WarmUp` before there is enough history, `NotApplicable` where the formula has no value.
    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; M], Status>;

    /// One bar of every instrument at once, if there is a faster way with the same bits: writes the lines, with NaN where
    /// there is no value, and returns true. Else it changes nothing.
    #[inline]
    fn row(&mut self, _bars: &Bars<'_>, _lines: &mut [&mut [f64]; M]) -> bool {
        false
    }

    /// Why `row` wrote no value for instrument `i`.
    #[inline]
    fn missing(&self, _i: usize) -> Status {
        Status::NotApplicable
    }

    /// Called after a pass of `step` over the instruments.
    #[inline]
    fn passed(&mut self) {}

    /// Writes parameters and state canonically.
    fn save(&self, to: &mut Encoder);

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are short, damaged, or of other parameters or another number of instruments.
    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError>;
}

/// An indicator over all instruments, whatever its formula: what the panel computes features with.
pub trait Kernel: Debug + Send {
    /// Number of lines.
    fn lines(&self) -> usize;

    /// What it reads.
    fn inputs(&self) -> Inputs;

    /// Takes `k` slices, row after row, and writes `k` rows for each line.
    ///
    /// # Panics
    /// If a slice does not have `k` × instruments cells, or `out` not one entry a line.
    fn update_block(&mut self, bars: &Bars<'_>, present: &[Status], k: usize, out: &mut [Out<'_>]);

    /// Writes parameters and state canonically.
    fn save(&self, to: &mut Encoder);

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are short, damaged, or of other parameters or another number of instruments.
    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError>;
}

/// The streaming and block forms of a study, with the last cell of every instrument.
#[derive(Clone, Debug)]
pub struct Columns<S, const M: usize> {
    study: S,
    value: [Vec<f64>; M],
    status: Vec<Status>,
}

impl<S: Study<M>, const M: usize> Columns<S, M> {
    /// A kernel without data; the study has state for `n_instruments`.
    pub(crate) fn of(study: S, n_instruments: usize) -> Self {
        Columns {
            study,
            value: std::array::from_fn(|_| vec![0.0; n_instruments]),
            status: vec![Status::NoData; n_instruments],
        }
    }

    /// Takes one slice: `update_block` with `k = 1`.
    ///
    /// # Panics
    /// As `update_block`.
    pub fn update(&mut self, bars: &Bars<'_>, present: &[Status], out: &mut [Out<'_>; M]) {
        self.update_block(bars, present, 1, out);
    }

    /// Takes `k` slices, row after row, and writes `k` rows for each line.
    ///
    /// # Panics
    /// If a slice does not have `k` × instruments cells.
    pub fn update_block(&mut self, bars: &Bars<'_>, present: &[Status], k: usize, out: &mut [Out<'_>; M]) {
        let n = self.status.len();
        bars.check(S::INPUTS, present, k * n, out);
        match n {
            0 => return,
            1 => self.one_instrument(bars, present, out),
            _ => (0..k).for_each(|row| self.row(bars, present, row, out)),
        }
        if k > 0 {
            for (last, (v, _)) in self.value.iter_mut().zip(&*out) {
                last.copy_from_slice(&v[(k - 1) * n..]);
            }
            if let Some((_, s)) = out.first() {
                self.status.copy_from_slice(&s[(k - 1) * n..]);
            }
        }
    }

    fn one_instrument(&mut self, bars: &Bars<'_>, present: &[Status], out: &mut [Out<'_>; M]) {
        let mut cell = (self.value.each_ref().map(|v| v[0]), self.status[0]);
        for (t, p) in present.iter().enumerate() {
            cell = match *p {
                Status::Ok => sealed(self.study.step(0, &bars.bar(t, S::INPUTS))),
                p => repeated(cell, p),
            };
            for ((v, s), x) in out.iter_mut().zip(cell.0) {
                (v[t], s[t]) = (x, cell.1);
            }
        }
        self.study.passed();
    }

    fn row(&mut self, bars: &Bars<'_>, present: &[Status], row: usize, out: &mut [Out<'_>; M]) {
        let n = self.status.len();
        let (from, to) = (row * n, (row + 1) * n);
        let (bars, present) = (bars.cells(from, to), &present[from..to]);
        if all_ok(present) && self.study.row(&bars, &mut out.each_mut().map(|(v, _)| &mut v[from..to])) {
            seal_row(out, from, to, |i| self.study.missing(i));
            return;
        }
        for (i, p) in present.iter().enumerate() {
            let (values, status) = match *p {
                Status::Ok => sealed(self.study.step(i, &bars.bar(i, S::INPUTS))),
                p if row == 0 => repeated((self.value.each_ref().map(|v| v[i]), self.status[i]), p),
                p => repeated((out.each_ref().map(|(v, _)| v[from - n + i]), out[0].1[from - n + i]), p),
            };
            for ((v, s), x) in out.iter_mut().zip(values) {
                (v[from + i], s[from + i]) = (x, status);
            }
        }
        self.study.passed();
    }

    /// The batch form: one value a bar for each line, NaN where there is none. A bar of which a field that is read is
    /// not finite is a bar without datum. The kernel must be one of a single instrument without data.
    ///
    /// # Panics
    /// If it is not, or if the fields that are read differ in length.
    #[must_use]
    pub fn series(mut self, bars: &Bars<'_>) -> [Vec<f64>; M] {
        assert_eq!(self.status.len(), 1, "a series is of one instrument");
        batch_of(bars, S::INPUTS, |bars, present, out| self.update_block(bars, present, present.len(), out))
    }
}

impl<S: Study<M>, const M: usize> Kernel for Columns<S, M> {
    fn lines(&self) -> usize {
        M
    }

    fn inputs(&self) -> Inputs {
        S::INPUTS
    }

    fn update_block(&mut self, bars: &Bars<'_>, present: &[Status], k: usize, out: &mut [Out<'_>]) {
        Columns::update_block(self, bars, present, k, lines_of(out));
    }

    fn save(&self, to: &mut Encoder) {
        self.study.save(to);
        self.value.iter().for_each(|v| to.f64s(v));
        to.statuses(&self.status);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.study.load(from)?;
        for v in &mut self.value {
            from.f64s_into(v)?;
        }
        from.statuses_into(&mut self.status)
    }
}

/// `out` as an array of one entry a line.
///
/// # Panics
/// If it has another number of entries.
pub(super) fn lines_of<'a, 'b, const M: usize>(out: &'a mut [Out<'b>]) -> &'a mut [Out<'b>; M] {
    match out.try_into() {
        Ok(out) => out,
        Err(_) => panic!("one output a line, of which there are {M}"),
    }
}

/// Runs the block form of one instrument over a series: a list for each line.
pub(super) fn series_of(
    bars: &Bars<'_>,
    inputs: Inputs,
    lines: usize,
    update: impl FnOnce(&Bars<'_>, &[Status], &mut [Out<'_>]),
) -> Vec<Vec<f64>> {
    let n = bars.len();
    let mut present = vec![Status::Ok; n];
    for (_, field) in bars.fields().into_iter().filter(|(field, _)| inputs.has(*field)) {
        present[field.len().min(n)..].fill(Status::NoData);
        note_missing(field, &mut present);
    }
    let mut values = vec![vec![0.0; n]; lines];
    let mut status = vec![vec![Status::NoData; n]; lines];
    let mut out: Vec<Out<'_>> = values.iter_mut().zip(&mut status).map(|(v, s)| (&mut v[..], &mut s[..])).collect();
    update(bars, &present, &mut out);
    for (v, s) in values.iter_mut().zip(&status) {
        blank(s, v);
    }
    values
}

/// [`series_of`] for a number of lines that is known.
pub(super) fn batch_of<const M: usize>(
    bars: &Bars<'_>,
    inputs: Inputs,
    update: impl FnOnce(&Bars<'_>, &[Status], &mut [Out<'_>; M]),
) -> [Vec<f64>; M] {
    let mut values = series_of(bars, inputs, M, |bars, present, out| update(bars, present, lines_of(out))).into_iter();
    std::array::from_fn(|_| values.next().unwrap_or_default())
}

/// The cell that a step leaves.
#[inline]
fn sealed<const M: usize>(result: Result<[f64; M], Status>) -> ([f64; M], Status) {
    match result {
        Ok(values) if values.iter().all(|v| v.is_finite()) => (values, Status::Ok),
        Ok(_) => ([0.0; M], Status::NotApplicable),
        Err(status) => ([0.0; M], status),
    }
}

/// The cell of an instrument without a bar: the one before. A kernel whose input is itself warming up has begun.
#[inline]
fn repeated<const M: usize>(cell: ([f64; M], Status), present: Status) -> ([f64; M], Status) {
    match cell {
        (v, Status::NoData) if present == Status::WarmUp => (v, Status::WarmUp),
        cell => cell,
    }
}

wide! {
    fn note_missing<'a>(field: &'a [f64], present: &'a mut [Status]) {
        for (p, x) in present.iter_mut().zip(field) {
            *p = if x.is_finite() { *p } else { Status::NoData };
        }
    }
}

wide! {
    fn blank<'a>(status: &'a [Status], values: &'a mut [f64]) {
        for (v, s) in values.iter_mut().zip(status) {
            *v = if *s == Status::Ok { *v } else { f64::NAN };
        }
    }
}

wide! {
    fn are_finite<'a>(x: &'a [f64]) -> bool {
        x.iter().fold(true, |all, x| all & x.is_finite())
    }
}

/// Statuses of rows that a study wrote at once.
fn seal_row<const M: usize>(out: &mut [Out<'_>; M], from: usize, to: usize, missing: impl Fn(usize) -> Status) {
    let whole = out.iter().all(|(v, _)| are_finite(&v[from..to]));
    if whole {
        out.iter_mut().for_each(|(_, s)| s[from..to].fill(Status::Ok));
        return;
    }
    for i in from..to {
        let ok = out.iter().all(|(v, _)| v[i].is_finite());
        for (v, s) in out.iter_mut() {
            if !ok {
                v[i] = 0.0;
            }
            s[i] = if ok { Status::Ok } else { missing(i - from) };
        }
    }
}
