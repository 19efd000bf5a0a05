//! Which instruments have had a bar of doubtful quality lately.

use crate::batch::Batch;
use crate::quality::Marks;

/// Bars for which a mark is remembered: about what short averages and indices still feel.
const WINDOW: usize = 20;

/// One feed with marks.
#[derive(Debug)]
pub(super) struct Doubt {
    /// For each instrument, the first row at which the last mark is forgotten.
    until: Vec<usize>,
}

impl Doubt {
    /// `None` for a batch without marks, which costs nothing then.
    pub(super) fn new(batch: &Batch) -> Option<Doubt> {
        (!batch.all_marks().is_empty()).then(|| Doubt { until: vec![0; batch.width()] })
    }

    /// Takes the marks of a row that becomes known. A batch keeps doubts and faults alone.
    pub(super) fn take(&mut self, batch: &Batch, row: usize) {
        for (until, mark) in self.until.iter_mut().zip(batch.marks(row)) {
            if *mark != Marks::NONE {
                *until = row + WINDOW;
            }
        }
    }

    /// Remembers what a feed with `known` rows remembers: it depends on the batch alone and is in no snapshot.
    pub(super) fn start_at(&mut self, batch: &Batch, known: usize) {
        self.until.fill(0);
        (known.saturating_sub(WINDOW)..known).for_each(|row| self.take(batch, row));
    }

    /// True if instrument `i` had a mark in the last bars before row `known`.
    pub(super) fn holds(&self, i: usize, known: usize) -> bool {
        self.until.get(i).is_some_and(|until| known <= *until && *until > 0)
    }
}
