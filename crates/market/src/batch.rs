//! `Batch`: the history of one bar specification for all instruments of a universe, time-major and content-hashed.
//!
//! Row k holds the bars that are known at one moment; cell (k, i) is instrument i. A batch never changes after it was
//! built, and its id is the hash of everything in it, so a journal that names (batch, row) names the data.

use crate::quality::{Marks, Severity};
use tradegraph_columns::Status;
use tradegraph_domain::{BarPeriod, BarSpec, Interval, Price, Timestamp};

/// blake3 of a batch's canonical content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub [u8; 32]);

impl std::fmt::Display for BatchId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl std::fmt::Debug for BatchId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Columns that do not make a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// A buffer whose length is not rows × instruments.
    #[error("column '{column}' has {found} cells, {rows} rows of {width} need {expected}", expected = rows * width)]
    Shape {
        /// Column.
        column: &'static str,
        /// Cells found.
        found: usize,
        /// Rows of the batch.
        rows: usize,
        /// Instruments of the batch.
        width: usize,
    },
    /// Rows that do not follow each other in time.
    #[error("row {row} is known at {ts}, not after the row before it")]
    Order {
        /// The row.
        row: usize,
        /// When it is known.
        ts: Timestamp,
    },
    /// A bar that ends before it starts.
    #[error("row {row} ends before it starts")]
    Interval {
        /// The row.
        row: usize,
    },
    /// Nothing in it.
    #[error("a batch needs at least one row and one instrument")]
    Empty,
    /// More rows than an event can name.
    #[error("{0} rows are more than a batch can hold")]
    TooLong(usize),
}

/// Buffers of a batch before they are checked and hashed. All prices are integers at 1e-9, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchParts {
    /// What a row is.
    pub spec: BarSpec,
    /// Instruments in a row.
    pub width: usize,
    /// First instant of each row's bars.
    pub starts: Vec<Timestamp>,
    /// When each row is known: the first instant after its bars.
    pub ends: Vec<Timestamp>,
    /// Opens, highs and lows; empty for series of closes.
    pub open: Vec<i64>,
    /// Highs; empty for series of closes.
    pub high: Vec<i64>,
    /// Lows; empty for series of closes.
    pub low: Vec<i64>,
    /// Closes.
    pub close: Vec<i64>,
    /// Volumes in units of the instrument; empty where the source has none.
    pub volume: Vec<f64>,
    /// `Ok` where there is a bar, else why not; the payload of other cells is zero.
    pub status: Vec<Status>,
}

/// Checked, hashed history.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    id: BatchId,
    parts: BatchParts,
    /// A bit a row would do; a byte a row is simpler. True if every cell of the row is `Ok`.
    complete: Vec<bool>,
    /// The checks that each cell failed; empty if none did.
    marks: Vec<Marks>,
}

impl Batch {
    /// Checks shapes and order in time, clears the payload of cells without a bar and hashes the content.
    ///
    /// # Errors
    /// `BatchError` naming the column or the row.
    pub fn new(mut parts: BatchParts) -> Result<Batch, BatchError> {
        let (rows, width) = (parts.ends.len(), parts.width);
        if rows == 0 || width == 0 {
            return Err(BatchError::Empty);
        }
        if u32::try_from(rows).is_err() {
            return Err(BatchError::TooLong(rows));
        }
        let cells = rows * width;
        let shape = |column, found, expected| {
            if found == expected { Ok(()) } else { Err(BatchError::Shape { column, found, rows, width }) }
        };
        shape("start", parts.starts.len() * width, cells)?;
        shape("close", parts.close.len(), cells)?;
        shape("status", parts.status.len(), cells)?;
        let with_open = if parts.spec.has_open { cells } else { 0 };
        shape("open", parts.open.len(), with_open)?;
        shape("high", parts.high.len(), with_open)?;
        shape("low", parts.low.len(), with_open)?;
        if !parts.volume.is_empty() {
            shape("volume", parts.volume.len(), cells)?;
        }
        for row in 0..rows {
            if parts.ends[row] <= parts.starts[row] {
                return Err(BatchError::Interval { row });
            }
            if row > 0 && (parts.ends[row] <= parts.ends[row - 1] || parts.starts[row] < parts.ends[row - 1]) {
                return Err(BatchError::Order { row, ts: parts.ends[row] });
            }
        }
        for cell in (0..cells).filter(|c| parts.status[*c] != Status::Ok) {
            parts.close[cell] = 0;
            for column in [&mut parts.open, &mut parts.high, &mut parts.low] {
                if let Some(v) = column.get_mut(cell) {
                    *v = 0;
                }
            }
            if let Some(v) = parts.volume.get_mut(cell) {
                *v = 0.0;
            }
        }
        let complete = parts.status.chunks_exact(width).map(|row| row.iter().all(|s| *s == Status::Ok)).collect();
        Ok(Batch { id: hash(&parts), parts, complete, marks: Vec::new() })
    }

    /// The same history with the checks that each cell failed, row after row: cells with a fault become `Suspect`, and
    /// marks are part of the id. Without a mark that matters the batch is as it was.
    ///
    /// # Errors
    /// `BatchError::Shape` if there is not one mark a cell.
    pub fn with_marks(self, mut marks: Vec<Marks>) -> Result<Batch, BatchError> {
        let (cells, rows, width) = (self.parts.status.len(), self.rows(), self.width());
        if marks.len() != cells {
            return Err(BatchError::Shape { column: "marks", found: marks.len(), rows, width });
        }
        let mut parts = self.parts;
        for (mark, status) in marks.iter_mut().zip(&mut parts.status) {
            match (mark.severity(), *status) {
                // A cell that is suspect already was marked before.
                (Some(Severity::Fault), Status::Ok | Status::Suspect) => *status = Status::Suspect,
                (Some(Severity::Doubt), Status::Ok) => {}
                _ => *mark = Marks::NONE,
            }
        }
        let batch = Batch::new(parts)?;
        if marks.iter().all(|m| *m == Marks::NONE) {
            return Ok(batch);
        }
        let mut h = blake3::Hasher::new();
        h.update(b"tradegraph batch marks 1");
        h.update(&batch.id.0);
        marks.iter().for_each(|m| {
            h.update(&m.0.to_le_bytes());
        });
        Ok(Batch { id: BatchId(*h.finalize().as_bytes()), marks, ..batch })
    }

    /// The checks that the cells of a row failed; empty if no cell of the batch did.
    #[inline]
    #[must_use]
    pub fn marks(&self, k: usize) -> &[Marks] {
        self.marks.get(k * self.parts.width..(k + 1) * self.parts.width).unwrap_or_default()
    }

    /// All marks, row after row, for writers of files; empty if there are none.
    #[must_use]
    pub fn all_marks(&self) -> &[Marks] {
        &self.marks
    }

    /// Hash of the content.
    #[must_use]
    pub fn id(&self) -> BatchId {
        self.id
    }

    /// What a row is.
    #[must_use]
    pub fn spec(&self) -> BarSpec {
        self.parts.spec
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.parts.ends.len()
    }

    /// Number of instruments.
    #[must_use]
    pub fn width(&self) -> usize {
        self.parts.width
    }

    /// The stretch of time that row `k` describes. `k` must be below `rows()`.
    #[inline]
    #[must_use]
    pub fn interval(&self, k: usize) -> Interval {
        Interval { start: self.parts.starts[k], end: self.parts.ends[k] }
    }

    /// When rows `from..to` become known.
    #[must_use]
    pub fn ends(&self, from: usize, to: usize) -> &[Timestamp] {
        &self.parts.ends[from..to]
    }

    /// True if every instrument has a bar in row `k`.
    #[inline]
    #[must_use]
    pub fn is_complete(&self, k: usize) -> bool {
        self.complete[k]
    }

    /// Closes of rows `from..to`, row after row, at 1e-9.
    #[inline]
    #[must_use]
    pub fn closes(&self, from: usize, to: usize) -> &[i64] {
        &self.parts.close[from * self.parts.width..to * self.parts.width]
    }

    /// Statuses of rows `from..to`, row after row.
    #[inline]
    #[must_use]
    pub fn statuses(&self, from: usize, to: usize) -> &[Status] {
        &self.parts.status[from * self.parts.width..to * self.parts.width]
    }

    /// The open of a cell, if the series has opens and the cell a bar.
    #[inline]
    #[must_use]
    pub fn open(&self, k: usize, i: usize) -> Option<Price> {
        self.cell(&self.parts.open, k, i)
    }

    /// The high of a cell.
    #[inline]
    #[must_use]
    pub fn high(&self, k: usize, i: usize) -> Option<Price> {
        self.cell(&self.parts.high, k, i)
    }

    /// The low of a cell.
    #[inline]
    #[must_use]
    pub fn low(&self, k: usize, i: usize) -> Option<Price> {
        self.cell(&self.parts.low, k, i)
    }

    /// The close of a cell.
    #[inline]
    #[must_use]
    pub fn close(&self, k: usize, i: usize) -> Option<Price> {
        self.cell(&self.parts.close, k, i)
    }

    /// The volume of a cell, if the series has volumes and the cell a bar.
    #[must_use]
    pub fn volume(&self, k: usize, i: usize) -> Option<f64> {
        let at = k * self.parts.width + i;
        match self.parts.status.get(at) {
            Some(Status::Ok) => self.parts.volume.get(at).copied(),
            _ => None,
        }
    }

    /// The buffers, for writers of files.
    #[must_use]
    pub fn parts(&self) -> &BatchParts {
        &self.parts
    }

    #[inline]
    fn cell(&self, column: &[i64], k: usize, i: usize) -> Option<Price> {
        let at = k * self.parts.width + i;
        match self.parts.status.get(at) {
            Some(Status::Ok) => column.get(at).map(|v| Price::from_nano(*v)),
            _ => None,
        }
    }
}

fn hash(parts: &BatchParts) -> BatchId {
    let mut h = blake3::Hasher::new();
    h.update(b"tradegraph batch 1");
    let period = match parts.spec.period {
        BarPeriod::Session => 0,
        BarPeriod::Fixed(n) => n.0,
    };
    for word in
        [period, parts.spec.basis as i64, i64::from(parts.spec.has_open), parts.width as i64, parts.ends.len() as i64]
    {
        h.update(&word.to_le_bytes());
    }
    let mut buffer = Vec::with_capacity(1 << 16);
    let mut feed = |words: &mut dyn Iterator<Item = [u8; 8]>| {
        for w in words {
            buffer.extend_from_slice(&w);
            if buffer.len() >= 1 << 16 {
                h.update(&buffer);
                buffer.clear();
            }
        }
        h.update(&buffer);
        buffer.clear();
    };
    feed(&mut parts.starts.iter().map(|t| t.0.to_le_bytes()));
    feed(&mut parts.ends.iter().map(|t| t.0.to_le_bytes()));
    for column in [&parts.open, &parts.high, &parts.low, &parts.close] {
        feed(&mut column.iter().map(|v| v.to_le_bytes()));
    }
    feed(&mut std::iter::once((parts.volume.len() as u64).to_le_bytes()));
    feed(&mut parts.volume.iter().map(|v| v.to_bits().to_le_bytes()));
    feed(&mut parts.status.iter().map(|s| [*s as u8, 0, 0, 0, 0, 0, 0, 0]));
    BatchId(*h.finalize().as_bytes())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::quality::Check;
    use tradegraph_domain::{Basis, Nanos};

    /// Closes of whole units, one bar a minute, for tests of this crate.
    pub(crate) fn closes(rows: &[&[i64]]) -> Batch {
        let width = rows[0].len();
        let end = |k: usize| Timestamp(Nanos::MINUTE.0 * (k as i64 + 1));
        Batch::new(BatchParts {
            spec: BarSpec { period: BarPeriod::Fixed(Nanos::MINUTE), basis: Basis::Raw, has_open: false },
            width,
            starts: (0..rows.len()).map(|k| Timestamp(end(k).0 - Nanos::MINUTE.0)).collect(),
            ends: (0..rows.len()).map(end).collect(),
            open: vec![],
            high: vec![],
            low: vec![],
            close: rows.iter().flat_map(|r| r.iter().map(|v| v * 1_000_000_000)).collect(),
            volume: vec![],
            status: rows
                .iter()
                .flat_map(|r| r.iter().map(|v| if *v == 0 { Status::NoData } else { Status::Ok }))
                .collect(),
        })
        .unwrap()
    }

    #[test]
    fn every_number_is_part_of_the_id() {
        let a = closes(&[&[1, 2], &[3, 4]]);
        let b = closes(&[&[1, 2], &[3, 5]]);
        assert_ne!(a.id(), b.id());
        assert_eq!(a.id(), closes(&[&[1, 2], &[3, 4]]).id());
        let mut parts = a.parts().clone();
        parts.spec.basis = Basis::TotalReturn;
        assert_ne!(Batch::new(parts).unwrap().id(), a.id());
        let mut parts = a.parts().clone();
        parts.starts[0] = Timestamp(1);
        assert_ne!(Batch::new(parts).unwrap().id(), a.id());
    }

    #[test]
    fn wrong_shapes_and_times_are_named() {
        let good = closes(&[&[1, 2], &[3, 4]]).parts().clone();
        let mut p = good.clone();
        p.close.pop();
        assert!(matches!(Batch::new(p), Err(BatchError::Shape { column: "close", found: 3, .. })));
        let mut p = good.clone();
        p.ends[1] = p.ends[0];
        assert!(matches!(Batch::new(p), Err(BatchError::Interval { row: 1 })));
        let mut p = good.clone();
        p.starts[1] = Timestamp(1);
        assert!(matches!(Batch::new(p), Err(BatchError::Order { row: 1, .. })));
        let mut p = good.clone();
        p.ends.clear();
        assert_eq!(Batch::new(p), Err(BatchError::Empty));
        let mut p = good;
        p.open = vec![1; 4];
        assert!(matches!(Batch::new(p), Err(BatchError::Shape { column: "open", .. })));
    }

    #[test]
    fn a_fault_takes_the_value_and_a_doubt_keeps_it() {
        let plain = closes(&[&[1, 2], &[3, 4]]);
        let (doubt, fault) = (Marks::NONE.with(Check::Outlier), Marks::NONE.with(Check::Crossed).with(Check::Gap));
        let note = Marks::NONE.with(Check::Split);
        let marked = plain.clone().with_marks(vec![Marks::NONE, doubt, fault, note]).unwrap();
        assert_eq!(marked.marks(0), [Marks::NONE, doubt]);
        assert_eq!(marked.marks(1), [fault, Marks::NONE]);
        assert_eq!((marked.close(0, 1), marked.close(1, 0)), (plain.close(0, 1), None));
        assert_eq!(marked.statuses(1, 2), [Status::Suspect, Status::Ok]);
        assert!(marked.is_complete(0) && !marked.is_complete(1));
        assert_ne!(marked.id(), plain.id());
        // What a file of the batch holds makes the same batch.
        let again = Batch::new(marked.parts().clone()).unwrap().with_marks(marked.all_marks().to_vec()).unwrap();
        assert_eq!(again, marked);
        let same = plain.clone().with_marks(vec![Marks::NONE, note, Marks::NONE, Marks::NONE]).unwrap();
        assert_eq!(same, plain);
        assert!(same.marks(0).is_empty());
        assert!(matches!(plain.with_marks(vec![doubt]), Err(BatchError::Shape { column: "marks", found: 1, .. })));
    }

    #[test]
    fn a_missing_bar_has_no_price() {
        let b = closes(&[&[1, 0]]);
        assert_eq!(b.close(0, 0), Some(Price::from_nano(1_000_000_000)));
        assert_eq!(b.close(0, 1), None);
        assert_eq!(b.open(0, 0), None);
        assert!(!b.is_complete(0));
    }
}
