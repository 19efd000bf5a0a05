//! The largest of the last `n` data; the least of them by turning signs.

use super::super::{Status, expect_u64, load_counts, save_counts};
use super::Part;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Data come in runs of `n`. A ring holds the run that is being filled and, in the rows that it has not reached, the
/// largest of the run before from that row on; together with the largest of the present run they cover the window. So
/// a datum costs one comparison, and the end of a run one more for each of its data.
/// Source: van Herk, Pattern Recognition Letters 13 (1992) 517; Gil and Werman, IEEE PAMI 15 (1993) 504.
#[derive(Clone, Debug)]
pub(in crate::indicators) struct Extreme {
    period: u32,
    n_instruments: usize,
    /// 1 for the largest, −1 for the least; the ring holds data times this.
    sign: f64,
    ring: Vec<f64>,
    /// The largest of the present run.
    run: Vec<f64>,
    /// Row of the next datum.
    slot: Vec<u32>,
    held: Vec<u32>,
    in_step: bool,
}

impl Extreme {
    pub(in crate::indicators) fn highest(n_instruments: usize, period: u32) -> Self {
        Extreme {
            period,
            n_instruments,
            sign: 1.0,
            ring: vec![0.0; n_instruments * period as usize],
            run: vec![0.0; n_instruments],
            slot: vec![0; n_instruments],
            held: vec![0; n_instruments],
            in_step: false,
        }
    }

    pub(in crate::indicators) fn lowest(n_instruments: usize, period: u32) -> Self {
        Extreme { sign: -1.0, ..Extreme::highest(n_instruments, period) }
    }

    pub(in crate::indicators) fn step(&mut self, i: usize, x: f64) -> Result<f64, Status> {
        let (n, x) = (self.n_instruments, self.sign * x);
        let slot = self.slot[i] as usize;
        self.ring[slot * n + i] = x;
        self.run[i] = if slot == 0 { x } else { larger(x, self.run[i]) };
        let last = slot + 1 == self.period as usize;
        let largest = if last { self.run[i] } else { larger(self.run[i], self.ring[(slot + 1) * n + i]) };
        if last {
            for row in (0..slot).rev() {
                self.ring[row * n + i] = larger(self.ring[row * n + i], self.ring[(row + 1) * n + i]);
            }
        }
        self.slot[i] = if last { 0 } else { slot as u32 + 1 };
        self.held[i] = self.period.min(self.held[i] + 1);
        if self.held[i] == self.period { Ok(self.sign * largest) } else { Err(Status::WarmUp) }
    }

    pub(in crate::indicators) fn row(&mut self, x: &[f64], out: &mut [f64]) -> bool {
        if !self.in_step || x.is_empty() {
            return false;
        }
        let (n, sign) = (self.n_instruments, self.sign);
        let slot = self.slot[0] as usize;
        let (filled, ahead) = self.ring.split_at_mut((slot + 1) * n);
        let now = &mut filled[slot * n..];
        for ((now, x), run) in now.iter_mut().zip(x).zip(&mut self.run) {
            *now = sign * x;
            *run = if slot == 0 { *now } else { larger(*now, *run) };
        }
        let last = ahead.is_empty();
        if last {
            out.iter_mut().zip(&self.run).for_each(|(o, run)| *o = sign * run);
            for row in (0..slot).rev() {
                let (before, after) = self.ring[row * n..(row + 2) * n].split_at_mut(n);
                before.iter_mut().zip(after).for_each(|(b, a)| *b = larger(*b, *a));
            }
        } else {
            for ((o, run), old) in out.iter_mut().zip(&self.run).zip(&ahead[..n]) {
                *o = sign * larger(*run, *old);
            }
        }
        self.slot.fill(if last { 0 } else { slot as u32 + 1 });
        true
    }
}

impl Part for Extreme {
    fn passed(&mut self) {
        let first = self.slot.first().copied();
        self.in_step = self.held.iter().all(|h| *h == self.period) && self.slot.iter().all(|s| Some(*s) == first);
    }

    fn save(&self, to: &mut Encoder) {
        to.u64(u64::from(self.period));
        to.f64s(&self.ring);
        to.f64s(&self.run);
        save_counts(to, &self.slot);
        save_counts(to, &self.held);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        expect_u64(from, "window period", u64::from(self.period))?;
        from.f64s_into(&mut self.ring)?;
        from.f64s_into(&mut self.run)?;
        load_counts(from, &mut self.slot, self.period - 1)?;
        load_counts(from, &mut self.held, self.period)?;
        self.passed();
        Ok(())
    }
}

/// One instruction, unlike `f64::max`. Never meets NaN.
#[inline]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}
