//! Mean and sum of squared deviations of the last `n` data.

use super::super::Status;
use super::{Part, Window};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::wide;

/// Both are carried from datum to datum (Welford, Technometrics 4 (1962) 419) and taken afresh from the window, in two
/// passes, every `n` data and when they have fallen far, which bounds what rounding leaves behind after a large datum. A window of equal data has
/// exactly that datum as its mean and no deviation; data that differ by rounding alone are equal, so that a price that
/// stands still does so across a split of three for one.
#[derive(Clone, Debug)]
pub(in crate::indicators) struct Moments {
    period: u32,
    window: Window,
    mean: Vec<f64>,
    squares: Vec<f64>,
    last: Vec<f64>,
    /// How many data up to the last are equal to it.
    equal: Vec<f64>,
    /// The largest sum of squares since they were last taken afresh.
    peak: Vec<f64>,
}

/// Sums that have fallen to this share of what they were are taken afresh: what rounding left of the old ones would be
/// more than a few 1e-12 of the new.
const FALLEN: f64 = 1e-4;

impl Moments {
    pub(in crate::indicators) fn new(n_instruments: usize, period: u32) -> Self {
        Moments {
            period,
            window: Window::new(n_instruments, period),
            mean: vec![0.0; n_instruments],
            squares: vec![0.0; n_instruments],
            last: vec![0.0; n_instruments],
            equal: vec![0.0; n_instruments],
            peak: vec![0.0; n_instruments],
        }
    }

    /// Mean and sum of squared deviations, at least 0.
    #[inline(always)]
    pub(in crate::indicators) fn step(&mut self, i: usize, x: f64) -> Result<(f64, f64), Status> {
        let (mean, squares) = (&mut self.mean[i], &mut self.squares[i]);
        let replaced = self.window.push(i, x);
        let held = f64::from(self.window.held(i));
        let before = *mean;
        match replaced {
            Some(old) => {
                *mean += (x - old) / held;
                *squares += (x - old) * ((x - *mean) + (old - before));
            }
            None => {
                *mean += (x - before) / held;
                *squares += (x - before) * (x - *mean);
            }
        }
        if self.window.at_start(i) {
            (*mean, *squares) = afresh(&self.window, i, held);
            self.peak[i] = *squares;
        }
        self.equal[i] = if same(x, self.last[i]) { self.equal[i] + 1.0 } else { 1.0 };
        self.last[i] = x;
        if self.equal[i] >= held {
            (*mean, *squares, self.peak[i]) = (x, 0.0, 0.0);
        }
        self.peak[i] = if *squares > self.peak[i] { *squares } else { self.peak[i] };
        if *squares < FALLEN * self.peak[i] {
            (*mean, *squares) = afresh(&self.window, i, held);
            self.peak[i] = *squares;
        }
        // Rounding may leave the sum of squares just below zero.
        let above = if *squares > 0.0 { *squares } else { 0.0 };
        if self.window.is_full(i) { Ok((*mean, above)) } else { Err(Status::WarmUp) }
    }

    /// One datum of every instrument; gives the means and the sums of squared deviations, which rounding may leave
    /// just below zero.
    pub(in crate::indicators) fn row(&mut self, x: &[f64]) -> Option<(&[f64], &[f64])> {
        let held = f64::from(self.period);
        let renews = self.window.renews_next();
        let row = self.window.row()?;
        let (mean, squares, peak) = (&mut self.mean[..], &mut self.squares[..], &mut self.peak[..]);
        let (last, equal) = (&mut self.last[..], &mut self.equal[..]);
        let fallen = if renews {
            row.copy_from_slice(x);
            self.window.advance();
            renew_row(self.window.all(), x.len(), held, mean, squares);
            peak.copy_from_slice(squares);
            settle_row(x, held, mean, squares, peak, last, equal)
        } else {
            let fallen = carry_row(x, row, held, mean, squares, peak, last, equal);
            self.window.advance();
            fallen
        };
        if fallen {
            for i in 0..x.len() {
                if self.squares[i] < FALLEN * self.peak[i] {
                    (self.mean[i], self.squares[i]) = afresh(&self.window, i, held);
                    self.peak[i] = self.squares[i];
                }
            }
        }
        Some((&self.mean, &self.squares))
    }

    /// Data of instrument `i` once the next one is there.
    pub(super) fn held_after(&self, i: usize) -> f64 {
        f64::from(self.period.min(self.window.held(i) + 1))
    }

    /// The datum of instrument `i` that the next one replaces, if its window is full.
    pub(super) fn oldest(&self, i: usize) -> Option<f64> {
        self.window.is_full(i).then(|| self.window.back(i, self.period - 1))
    }

    /// The data that the next row replaces, if `row` will answer.
    pub(super) fn row_oldest(&self) -> Option<&[f64]> {
        self.is_in_step().then(|| self.window.row_back(self.period - 1))
    }

    /// True if all data of instrument `i` are equal.
    pub(super) fn is_flat(&self, i: usize) -> bool {
        self.equal[i] >= f64::from(self.window.held(i))
    }

    /// True just after the sums of instrument `i` were taken afresh.
    pub(super) fn at_start(&self, i: usize) -> bool {
        self.window.at_start(i)
    }

    pub(super) fn data(&self, i: usize) -> impl Iterator<Item = f64> + '_ {
        self.window.data(i)
    }

    /// The ring of the window, row after row.
    pub(super) fn all(&self) -> &[f64] {
        self.window.all()
    }

    pub(super) fn mean(&self, i: usize) -> f64 {
        self.mean[i]
    }

    pub(super) fn means(&self) -> &[f64] {
        &self.mean
    }

    pub(super) fn squares(&self) -> &[f64] {
        &self.squares
    }

    pub(super) fn equal(&self) -> &[f64] {
        &self.equal
    }

    pub(super) fn period(&self) -> f64 {
        f64::from(self.period)
    }

    /// True if `row` will answer.
    pub(in crate::indicators) fn is_in_step(&self) -> bool {
        self.window.is_in_step()
    }

    /// Forgets the data of instrument `i`.
    pub(in crate::indicators) fn clear(&mut self, i: usize) {
        self.window.clear(i);
        for column in [&mut self.mean, &mut self.squares, &mut self.last, &mut self.equal, &mut self.peak] {
            column[i] = 0.0;
        }
    }
}

impl Part for Moments {
    fn passed(&mut self) {
        self.window.passed();
    }

    fn save(&self, to: &mut Encoder) {
        self.window.save(to);
        for column in [&self.mean, &self.squares, &self.last, &self.equal, &self.peak] {
            to.f64s(column);
        }
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.window.load(from)?;
        for column in [&mut self.mean, &mut self.squares, &mut self.last, &mut self.equal, &mut self.peak] {
            from.f64s_into(column)?;
        }
        Ok(())
    }
}

wide! {
    /// Carries means and sums of squares from a row of data to the next and settles them; `x` replaces `old`.
    fn carry_row<'a>(
        x: &'a [f64],
        old: &'a mut [f64],
        held: f64,
        mean: &'a mut [f64],
        squares: &'a mut [f64],
        peak: &'a mut [f64],
        last: &'a mut [f64],
        equal: &'a mut [f64],
    ) -> bool {
        let sums = mean.iter_mut().zip(squares).zip(peak);
        let runs = old.iter_mut().zip(last.iter_mut().zip(equal));
        let mut fallen = false;
        for ((x, (old, (last, equal))), ((mean, squares), peak)) in x.iter().zip(runs).zip(sums) {
            let before = *mean;
            *mean += (x - *old) / held;
            *squares += (x - *old) * ((x - *mean) + (*old - before));
            *old = *x;
            fallen |= settle(*x, held, mean, squares, peak, last, equal);
        }
        fallen
    }
}

wide! {
    /// What `afresh` computes, for the `n` instruments of a ring.
    fn renew_row<'a>(ring: &'a [f64], n: usize, held: f64, mean: &'a mut [f64], squares: &'a mut [f64]) {
        for (at, (mean, squares)) in mean.chunks_mut(TILE).zip(squares.chunks_mut(TILE)).enumerate() {
            let (from, to) = (at * TILE, at * TILE + mean.len());
            mean.fill(0.0);
            squares.fill(0.0);
            for row in ring.chunks_exact(n) {
                mean.iter_mut().zip(&row[from..to]).for_each(|(sum, v)| *sum += v);
            }
            mean.iter_mut().for_each(|sum| *sum /= held);
            for row in ring.chunks_exact(n) {
                for ((sum, v), mean) in squares.iter_mut().zip(&row[from..to]).zip(&*mean) {
                    *sum += (v - mean) * (v - mean);
                }
            }
        }
    }
}

wide! {
    /// Takes note of equal data and of the largest sums of squares; true if a sum has fallen too far.
    fn settle_row<'a>(
        x: &'a [f64],
        held: f64,
        mean: &'a mut [f64],
        squares: &'a mut [f64],
        peak: &'a mut [f64],
        last: &'a mut [f64],
        equal: &'a mut [f64],
    ) -> bool {
        let sums = mean.iter_mut().zip(squares).zip(peak);
        let mut fallen = false;
        for ((x, (last, equal)), ((mean, squares), peak)) in x.iter().zip(last.iter_mut().zip(equal)).zip(sums) {
            fallen |= settle(*x, held, mean, squares, peak, last, equal);
        }
        fallen
    }
}

#[inline(always)]
fn settle(
    x: f64,
    held: f64,
    mean: &mut f64,
    squares: &mut f64,
    peak: &mut f64,
    last: &mut f64,
    equal: &mut f64,
) -> bool {
    *equal = if same(x, *last) { *equal + 1.0 } else { 1.0 };
    *last = x;
    let flat = *equal >= held;
    *mean = if flat { x } else { *mean };
    *squares = if flat { 0.0 } else { *squares };
    let before = if flat { 0.0 } else { *peak };
    *peak = if *squares > before { *squares } else { before };
    *squares < FALLEN * *peak
}

/// Instruments whose sums are taken afresh together: their data of a long window stay in the second-level cache for the second
/// pass.
pub(super) const TILE: usize = 512;

/// Mean and squared deviations of the data of instrument `i`, in two passes.
fn afresh(window: &Window, i: usize, held: f64) -> (f64, f64) {
    let mean = window.data(i).fold(0.0, |sum, v| sum + v) / held;
    (mean, window.data(i).fold(0.0, |sum, v| sum + (v - mean) * (v - mean)))
}

/// True if two data differ by no more than the rounding of a few operations.
#[inline(always)]
fn same(x: f64, last: f64) -> bool {
    (x - last).abs() <= 4.0 * f64::EPSILON * x.abs()
}
