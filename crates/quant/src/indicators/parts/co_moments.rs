//! Sums of squared and of joint deviations of the last `n` pairs of data.

use super::super::Status;
use super::moments::TILE;
use super::{Moments, Part};
use tradegraph_columns::wide;

/// Sums over a window of pairs, of deviations from the means.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::indicators) struct CoSums {
    /// Of x squared, at least 0.
    pub(in crate::indicators) xx: f64,
    /// Of y squared, at least 0.
    pub(in crate::indicators) yy: f64,
    /// Of x times y.
    pub(in crate::indicators) xy: f64,
}

/// As [`Moments`], for pairs: where x replaces o and y replaces p, with m and k the means before and k' the mean of y
/// after, the joint sum grows by `(x − o)(y − k') + (o − m)(y − p)`.
#[derive(Clone, Debug)]
pub(in crate::indicators) struct CoMoments {
    x: Moments,
    y: Moments,
    joint: Vec<f64>,
    /// The largest product of both sums of squares since the joint sum was last taken afresh.
    peak: Vec<f64>,
}

/// The share of its peak at which the joint sum is taken afresh: that of [`Moments`] for both sides.
const FALLEN: f64 = 1e-8;

impl Part for CoMoments {
    state!(x, y, joint, peak);
}

impl CoMoments {
    pub(in crate::indicators) fn new(n_instruments: usize, period: u32) -> Self {
        CoMoments {
            x: Moments::new(n_instruments, period),
            y: Moments::new(n_instruments, period),
            joint: vec![0.0; n_instruments],
            peak: vec![0.0; n_instruments],
        }
    }

    pub(in crate::indicators) fn step(&mut self, i: usize, x: f64, y: f64) -> Result<CoSums, Status> {
        let (m, k) = (self.x.mean(i), self.y.mean(i));
        let joint = &mut self.joint[i];
        *joint += match self.x.oldest(i).zip(self.y.oldest(i)) {
            Some((o, p)) => growth(x, y, o, p, m, k, self.x.held_after(i)),
            None => (x - m) * (y - (k + (y - k) / self.x.held_after(i))),
        };
        let (xx, yy) = (self.x.step(i, x), self.y.step(i, y));
        self.renew(i);
        Ok(CoSums { xx: xx?.1, yy: yy?.1, xy: self.joint[i] })
    }

    /// Takes the joint sum of instrument `i` afresh where it is time to.
    fn renew(&mut self, i: usize) {
        let product = self.x.squares()[i] * self.y.squares()[i];
        let fallen = product < FALLEN * self.peak[i];
        self.peak[i] = if fallen || self.x.at_start(i) || product > self.peak[i] { product } else { self.peak[i] };
        if fallen || self.x.at_start(i) {
            let (m, k) = (self.x.mean(i), self.y.mean(i));
            self.joint[i] = self.x.data(i).zip(self.y.data(i)).fold(0.0, |sum, (x, y)| sum + (x - m) * (y - k));
        }
        if self.x.is_flat(i) || self.y.is_flat(i) {
            self.joint[i] = 0.0;
        }
    }

    /// Takes the joint sums of all windows afresh, which are full and in step: row after row, each sum in the order of `renew`.
    fn renew_all(&mut self, n: f64) {
        renew_row(self.x.all(), self.y.all(), self.x.means(), self.y.means(), &mut self.joint);
        let squares = self.x.squares().iter().zip(self.y.squares());
        let flat = self.x.equal().iter().zip(self.y.equal());
        for ((joint, peak), ((xx, yy), (x, y))) in self.joint.iter_mut().zip(&mut self.peak).zip(squares.zip(flat)) {
            *peak = xx * yy;
            *joint = if *x >= n || *y >= n { 0.0 } else { *joint };
        }
    }

    /// One pair of every instrument, if all are past warm-up and in step: sums of squares of x and of y, which rounding
    /// may leave just below zero, and of products.
    pub(in crate::indicators) fn row(&mut self, x: &[f64], y: &[f64]) -> Option<[&[f64]; 3]> {
        let n = self.x.period();
        let (before, after) = (self.x.row_oldest()?, self.y.row_oldest()?);
        grow_row(x, y, before, after, self.x.means(), self.y.means(), n, &mut self.joint);
        self.x.row(x)?;
        self.y.row(y)?;
        let start = self.x.at_start(0);
        let (squares, equal) = ((self.x.squares(), self.y.squares()), (self.x.equal(), self.y.equal()));
        let renew = settle_row(squares.0, squares.1, equal.0, equal.1, n, &mut self.joint, &mut self.peak);
        if start {
            self.renew_all(n);
        } else if renew {
            (0..self.joint.len()).for_each(|i| self.renew(i));
        }
        Some([self.x.squares(), self.y.squares(), &self.joint])
    }
}

wide! {
    /// Joint sums of the pairs of two rings, in the order of their rows.
    fn renew_row<'a>(x: &'a [f64], y: &'a [f64], x_means: &'a [f64], y_means: &'a [f64], joint: &'a mut [f64]) {
        let n = joint.len();
        for (at, joint) in joint.chunks_mut(TILE).enumerate() {
            let cells = at * TILE..at * TILE + joint.len();
            let (m, k) = (&x_means[cells.clone()], &y_means[cells.clone()]);
            joint.fill(0.0);
            for (x, y) in x.chunks_exact(n).zip(y.chunks_exact(n)) {
                let pairs = x[cells.clone()].iter().zip(&y[cells.clone()]);
                for ((joint, (m, k)), (x, y)) in joint.iter_mut().zip(m.iter().zip(k)).zip(pairs) {
                    *joint += (x - m) * (y - k);
                }
            }
        }
    }
}

wide! {
    /// Carries joint sums from a row of pairs to the next.
    fn grow_row<'a>(
        x: &'a [f64],
        y: &'a [f64],
        before: &'a [f64],
        after: &'a [f64],
        x_means: &'a [f64],
        y_means: &'a [f64],
        n: f64,
        joint: &'a mut [f64],
    ) {
        let (pairs, old, means) = (x.iter().zip(y), before.iter().zip(after), x_means.iter().zip(y_means));
        for ((joint, (x, y)), ((o, p), (m, k))) in joint.iter_mut().zip(pairs).zip(old.zip(means)) {
            *joint += growth(*x, *y, *o, *p, *m, *k, n);
        }
    }
}

wide! {
    /// Takes note of equal data and of the largest products; true if one has fallen too far.
    fn settle_row<'a>(
        xx: &'a [f64],
        yy: &'a [f64],
        x_equal: &'a [f64],
        y_equal: &'a [f64],
        n: f64,
        joint: &'a mut [f64],
        peak: &'a mut [f64],
    ) -> bool {
        let (squares, flat) = (xx.iter().zip(yy), x_equal.iter().zip(y_equal));
        let mut renew = false;
        for ((joint, peak), ((xx, yy), (x, y))) in joint.iter_mut().zip(peak).zip(squares.zip(flat)) {
            let product = xx * yy;
            renew |= product < FALLEN * *peak;
            *peak = if product > *peak { product } else { *peak };
            *joint = if (*x >= n) | (*y >= n) { 0.0 } else { *joint };
        }
        renew
    }
}

#[inline(always)]
fn growth(x: f64, y: f64, o: f64, p: f64, m: f64, k: f64, n: f64) -> f64 {
    (x - o) * (y - (k + (y - p) / n)) + (o - m) * (y - p)
}
