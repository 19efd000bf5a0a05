//! The last `n` data of every instrument in one ring. Slots are rows, so that instruments that always had their
//! data together are updated as rows; an instrument that missed a slice has a slot of its own from then on.

use super::super::{expect_u64, load_counts, save_counts};
use super::Part;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

#[derive(Clone, Debug)]
pub(crate) struct Window {
    period: u32,
    n_instruments: usize,
    /// `period` rows of one datum an instrument.
    ring: Vec<f64>,
    /// Row of the oldest datum (once full), the next to be overwritten.
    slot: Vec<u32>,
    /// Data held, at most `period`.
    held: Vec<u32>,
    /// Every instrument is full and has the same slot.
    in_step: bool,
}

impl Window {
    pub(crate) fn new(n_instruments: usize, period: u32) -> Self {
        Window {
            period,
            n_instruments,
            ring: vec![0.0; n_instruments * period as usize],
            slot: vec![0; n_instruments],
            held: vec![0; n_instruments],
            in_step: false,
        }
    }

    /// Adds a datum of instrument `i`; gives the one it replaces once the window is full.
    pub(crate) fn push(&mut self, i: usize, x: f64) -> Option<f64> {
        let cell = &mut self.ring[self.slot[i] as usize * self.n_instruments + i];
        let old = std::mem::replace(cell, x);
        self.slot[i] = next(self.slot[i], self.period);
        if self.held[i] == self.period {
            return Some(old);
        }
        self.held[i] += 1;
        None
    }

    pub(crate) fn held(&self, i: usize) -> u32 {
        self.held[i]
    }

    /// True once the window of instrument `i` is full.
    pub(crate) fn is_full(&self, i: usize) -> bool {
        self.held[i] == self.period
    }

    /// The datum of instrument `i` that came `back` data before the newest; `back` must be below the period.
    pub(crate) fn back(&self, i: usize, back: u32) -> f64 {
        self.ring[self.row_of(self.slot[i], back) * self.n_instruments + i]
    }

    /// The row that came `back` rows before the newest, if all windows are full and in step.
    pub(crate) fn row_back(&self, back: u32) -> &[f64] {
        let row = self.row_of(self.slot.first().copied().unwrap_or(0), back);
        &self.ring[row * self.n_instruments..(row + 1) * self.n_instruments]
    }

    /// Row of the datum that came `back` data before the newest, for a window whose next row is `slot`.
    #[inline]
    fn row_of(&self, slot: u32, back: u32) -> usize {
        let before = back + 1;
        (if slot >= before { slot - before } else { slot + self.period - before }) as usize
    }

    /// The ring itself, row after row.
    pub(crate) fn all(&self) -> &[f64] {
        &self.ring
    }

    /// True if the next row is the last of the ring, for windows that are full and in step.
    pub(crate) fn renews_next(&self) -> bool {
        self.slot.first().is_some_and(|slot| slot + 1 == self.period)
    }

    /// True just after a datum came to the last row: time to recompute sums from the window itself.
    pub(crate) fn at_start(&self, i: usize) -> bool {
        self.slot[i] == 0
    }

    /// Data of instrument `i` by row: oldest first if `at_start`. Only the first `held` rows have a datum.
    pub(crate) fn data(&self, i: usize) -> impl Iterator<Item = f64> + '_ {
        let held = self.held[i] as usize;
        self.ring.iter().skip(i).step_by(self.n_instruments).take(held).copied()
    }

    /// Forgets the data of instrument `i`.
    pub(crate) fn clear(&mut self, i: usize) {
        self.slot[i] = 0;
        self.held[i] = 0;
    }

    /// True if all windows are full and in step.
    pub(crate) fn is_in_step(&self) -> bool {
        self.in_step
    }

    /// The row that one datum of every instrument replaces, if all windows are full and in step.
    pub(crate) fn row(&mut self) -> Option<&mut [f64]> {
        let n = self.n_instruments;
        let slot = *self.slot.first()? as usize;
        if self.in_step { self.ring.get_mut(slot * n..(slot + 1) * n) } else { None }
    }

    /// To be called after the row was replaced; true if all windows are `at_start`.
    pub(crate) fn advance(&mut self) -> bool {
        let slot = next(self.slot.first().copied().unwrap_or(0), self.period);
        self.slot.fill(slot);
        slot == 0
    }
}

impl Part for Window {
    fn passed(&mut self) {
        let first = self.slot.first().copied();
        self.in_step = self.held.iter().all(|h| *h == self.period) && self.slot.iter().all(|s| Some(*s) == first);
    }

    fn save(&self, to: &mut Encoder) {
        to.u64(u64::from(self.period));
        to.f64s(&self.ring);
        save_counts(to, &self.slot);
        save_counts(to, &self.held);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        expect_u64(from, "window period", u64::from(self.period))?;
        from.f64s_into(&mut self.ring)?;
        load_counts(from, &mut self.slot, self.period - 1)?;
        load_counts(from, &mut self.held, self.period)?;
        self.passed();
        Ok(())
    }
}

#[inline]
fn next(slot: u32, period: u32) -> u32 {
    if slot + 1 == period { 0 } else { slot + 1 }
}
