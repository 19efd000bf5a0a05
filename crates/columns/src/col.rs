//! `Col<T>`: a value and a status for each instrument. The payload of a cell that is not `Ok` is the default
//! value and no public accessor returns it.

use crate::codec::{DecodeError, Decoder, Encoder};

/// Why a cell has no value, or that it has one. Ordered by severity: combining cells keeps the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum Status {
    /// The value is good.
    Ok = 0,
    /// Not enough history yet.
    WarmUp = 1,
    /// The value is old: its market is shut or its feed is silent.
    Stale = 2,
    /// A quality check doubts the datum.
    Suspect = 3,
    /// Trading is halted.
    Halted = 4,
    /// The series lacks what this column needs (no volume, no high and low).
    NotApplicable = 5,
    /// Nothing was ever received.
    #[default]
    NoData = 6,
}

impl Status {
    /// The status of a result computed from two cells: the worse one.
    #[inline]
    #[must_use]
    pub fn worst(self, other: Status) -> Status {
        if (other as u8) > (self as u8) { other } else { self }
    }

    /// The status with this byte, if there is one.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Status> {
        Some(match byte {
            0 => Status::Ok,
            1 => Status::WarmUp,
            2 => Status::Stale,
            3 => Status::Suspect,
            4 => Status::Halted,
            5 => Status::NotApplicable,
            6 => Status::NoData,
            _ => return None,
        })
    }

    /// The word that people read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::WarmUp => "warming up",
            Status::Stale => "stale",
            Status::Suspect => "suspect",
            Status::Halted => "halted",
            Status::NotApplicable => "not applicable",
            Status::NoData => "no data",
        }
    }
}

/// A column that owns its cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Col<T> {
    values: Vec<T>,
    status: Vec<Status>,
}

impl<T: Copy + Default> Col<T> {
    /// `n` cells without data.
    #[must_use]
    pub fn new(n: usize) -> Self {
        Col { values: vec![T::default(); n], status: vec![Status::NoData; n] }
    }

    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True if the column has no cells.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A shared view of all cells.
    #[inline]
    #[must_use]
    pub fn as_ref(&self) -> ColRef<'_, T> {
        ColRef { values: &self.values, status: &self.status }
    }

    /// A mutable view of all cells.
    #[inline]
    pub fn as_mut(&mut self) -> ColMut<'_, T> {
        ColMut { values: &mut self.values, status: &mut self.status }
    }
}

impl Col<f64> {
    /// Writes cells canonically: floats by their bits.
    pub fn save(&self, to: &mut Encoder) {
        to.f64s(&self.values);
        to.statuses(&self.status);
    }

    /// Reads what `save` wrote; the number of cells must be the same.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are short or hold another number of cells.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        from.f64s_into(&mut self.values)?;
        from.statuses_into(&mut self.status)
    }
}

/// A shared view of a column.
#[derive(Clone, Copy, Debug)]
pub struct ColRef<'a, T> {
    values: &'a [T],
    status: &'a [Status],
}

impl<'a, T: Copy + Default> ColRef<'a, T> {
    /// A column over two slices of one length; the longer one is cut.
    #[inline]
    #[must_use]
    pub fn new(values: &'a [T], status: &'a [Status]) -> Self {
        let n = values.len().min(status.len());
        ColRef { values: &values[..n], status: &status[..n] }
    }

    /// Number of cells.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True if the column has no cells.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of cell `i`, or why there is none. A cell out of range has no data.
    #[inline]
    pub fn get(&self, i: usize) -> Result<T, Status> {
        match (self.values.get(i), self.status.get(i)) {
            (Some(v), Some(Status::Ok)) => Ok(*v),
            (Some(_), Some(s)) => Err(*s),
            _ => Err(Status::NoData),
        }
    }

    /// The status of cell `i`.
    #[inline]
    #[must_use]
    pub fn status(&self, i: usize) -> Status {
        self.status.get(i).copied().unwrap_or_default()
    }

    /// All statuses.
    #[inline]
    #[must_use]
    pub fn statuses(&self) -> &'a [Status] {
        self.status
    }

    /// Cells `from..to`; empty if out of range.
    #[inline]
    #[must_use]
    pub fn cells(self, from: usize, to: usize) -> Self {
        match (self.values.get(from..to), self.status.get(from..to)) {
            (Some(values), Some(status)) => ColRef { values, status },
            _ => ColRef { values: &[], status: &[] },
        }
    }

    /// All values, if every cell is `Ok`: for kernels over whole columns.
    #[inline]
    #[must_use]
    pub fn whole(self) -> Option<&'a [T]> {
        all_ok(self.status).then_some(self.values)
    }

    /// Cells in order: a value or the reason why there is none.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Result<T, Status>> + 'a {
        self.values.iter().zip(self.status).map(|(v, s)| if *s == Status::Ok { Ok(*v) } else { Err(*s) })
    }

    /// Writes `f(a)` into `out` cell by cell where this column is `Ok`; elsewhere the default with the status.
    /// `f` also runs on cells that are not `Ok` (their payload is the default value) and its result is dropped,
    /// so that the loop has no branch.
    #[inline]
    pub fn map_into(self, out: &mut ColMut<'_, T>, f: impl Fn(T) -> T) {
        let n = self.len().min(out.values.len());
        let (v, s) = (&self.values[..n], &self.status[..n]);
        let (ov, os) = (&mut out.values[..n], &mut out.status[..n]);
        for i in 0..n {
            let r = f(v[i]);
            ov[i] = if s[i] == Status::Ok { r } else { T::default() };
            os[i] = s[i];
        }
    }

    /// Writes `f(a, b)` into `out` where both columns are `Ok`; elsewhere the default with the worse status.
    #[inline]
    pub fn zip_into(self, other: ColRef<'_, T>, out: &mut ColMut<'_, T>, f: impl Fn(T, T) -> T) {
        let n = self.len().min(other.len()).min(out.values.len());
        let (a, sa) = (&self.values[..n], &self.status[..n]);
        let (b, sb) = (&other.values[..n], &other.status[..n]);
        let (ov, os) = (&mut out.values[..n], &mut out.status[..n]);
        if all_ok(sa) && all_ok(sb) {
            // The usual case: a loop over floats alone, which the compiler turns into vectors.
            for i in 0..n {
                ov[i] = f(a[i], b[i]);
            }
            os.fill(Status::Ok);
            return;
        }
        for i in 0..n {
            let s = sa[i].worst(sb[i]);
            let r = f(a[i], b[i]);
            ov[i] = if s == Status::Ok { r } else { T::default() };
            os[i] = s;
        }
    }
}

/// True if every status is `Ok`: one pass over bytes without an early exit.
#[inline]
#[must_use]
pub fn all_ok(status: &[Status]) -> bool {
    status.iter().fold(0, |worst, s| worst | *s as u8) == Status::Ok as u8
}

/// A mutable view of a column.
#[derive(Debug)]
pub struct ColMut<'a, T> {
    values: &'a mut [T],
    status: &'a mut [Status],
}

impl<'a, T: Copy + Default> ColMut<'a, T> {
    /// A column over two slices of one length; the longer one is cut.
    #[inline]
    #[must_use]
    pub fn new(values: &'a mut [T], status: &'a mut [Status]) -> Self {
        let n = values.len().min(status.len());
        ColMut { values: &mut values[..n], status: &mut status[..n] }
    }

    /// Number of cells.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True if the column has no cells.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Sets cell `i` to a value or to the reason why there is none. Out of range does nothing.
    #[inline]
    pub fn set(&mut self, i: usize, cell: Result<T, Status>) {
        if let (Some(v), Some(s)) = (self.values.get_mut(i), self.status.get_mut(i)) {
            match cell {
                Ok(x) => (*v, *s) = (x, Status::Ok),
                Err(why) => (*v, *s) = (T::default(), why),
            }
        }
    }

    /// Sets every cell to one status without a value.
    pub fn clear(&mut self, why: Status) {
        self.values.fill(T::default());
        self.status.fill(why);
    }

    /// The same cells, shared.
    #[inline]
    #[must_use]
    pub fn as_ref(&self) -> ColRef<'_, T> {
        ColRef { values: self.values, status: self.status }
    }

    /// The same cells for a shorter while.
    #[inline]
    pub fn reborrow(&mut self) -> ColMut<'_, T> {
        ColMut { values: self.values, status: self.status }
    }

    /// Values and statuses for kernels that write whole rows. A cell whose status is not `Ok` must hold the
    /// default value when the kernel is done.
    #[inline]
    pub fn parts(&mut self) -> (&mut [T], &mut [Status]) {
        (self.values, self.status)
    }
}

/// `rows` rows of `n` cells in one buffer, row after row: a column over consecutive moments.
#[derive(Clone, Debug, Default)]
pub struct Block<T> {
    values: Vec<T>,
    status: Vec<Status>,
    n: usize,
    rows: usize,
}

impl<T: Copy + Default> Block<T> {
    /// `rows` × `n` cells without data.
    #[must_use]
    pub fn new(rows: usize, n: usize) -> Self {
        Block { values: vec![T::default(); rows * n], status: vec![Status::NoData; rows * n], n, rows }
    }

    /// Number of rows.
    #[inline]
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Cells in a row.
    #[inline]
    #[must_use]
    pub fn width(&self) -> usize {
        self.n
    }

    /// Row `k`; empty if out of range.
    #[inline]
    #[must_use]
    pub fn row(&self, k: usize) -> ColRef<'_, T> {
        let at = k * self.n;
        match (self.values.get(at..at + self.n), self.status.get(at..at + self.n)) {
            (Some(values), Some(status)) => ColRef { values, status },
            _ => ColRef { values: &[], status: &[] },
        }
    }

    /// Rows `from..to` as one long column; empty if out of range.
    #[inline]
    #[must_use]
    pub fn rows_ref(&self, from: usize, to: usize) -> ColRef<'_, T> {
        let cells = from * self.n..to * self.n;
        match (self.values.get(cells.clone()), self.status.get(cells)) {
            (Some(values), Some(status)) => ColRef { values, status },
            _ => ColRef { values: &[], status: &[] },
        }
    }

    /// Row `k`, mutable; empty if out of range.
    #[inline]
    pub fn row_mut(&mut self, k: usize) -> ColMut<'_, T> {
        let at = k * self.n;
        match (self.values.get_mut(at..at + self.n), self.status.get_mut(at..at + self.n)) {
            (Some(values), Some(status)) => ColMut { values, status },
            _ => ColMut { values: &mut [], status: &mut [] },
        }
    }

    /// Rows `k − 1` (shared) and `k` (mutable) for kernels that carry a row forward. `k` must be at least 1.
    #[inline]
    pub fn previous_and_row_mut(&mut self, k: usize) -> (ColRef<'_, T>, ColMut<'_, T>) {
        let at = k * self.n;
        let (v0, v1) = self.values.split_at_mut(at);
        let (s0, s1) = self.status.split_at_mut(at);
        let from = at - self.n;
        (
            ColRef { values: &v0[from..], status: &s0[from..] },
            ColMut { values: &mut v1[..self.n], status: &mut s1[..self.n] },
        )
    }

    /// All cells, row after row, for kernels.
    #[inline]
    pub fn parts_mut(&mut self) -> (&mut [T], &mut [Status]) {
        (&mut self.values, &mut self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_without_value_never_shows_its_payload() {
        let mut col = Col::<f64>::new(3);
        col.as_mut().set(0, Ok(2.0));
        col.as_mut().set(1, Err(Status::WarmUp));
        let view = col.as_ref();
        assert_eq!(view.get(0), Ok(2.0));
        assert_eq!(view.get(1), Err(Status::WarmUp));
        assert_eq!(view.get(2), Err(Status::NoData));
        assert_eq!(view.get(99), Err(Status::NoData));
    }

    #[test]
    fn zip_keeps_the_worse_status_and_clears_the_payload() {
        let mut a = Col::<f64>::new(2);
        a.as_mut().set(0, Ok(2.0));
        a.as_mut().set(1, Ok(2.0));
        let mut b = Col::<f64>::new(2);
        b.as_mut().set(0, Ok(3.0));
        b.as_mut().set(1, Err(Status::Suspect));
        let mut out = Col::<f64>::new(2);
        a.as_ref().zip_into(b.as_ref(), &mut out.as_mut(), |x, y| x * y + 1.0);
        assert_eq!(out.as_ref().get(0), Ok(7.0));
        assert_eq!(out.as_ref().get(1), Err(Status::Suspect));
        let mut view = out.as_mut();
        assert_eq!(view.parts().0[1].to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn statuses_survive_their_byte() {
        for byte in 0..=u8::MAX {
            if let Some(s) = Status::from_byte(byte) {
                assert_eq!(s as u8, byte);
            } else {
                assert!(byte > Status::NoData as u8);
            }
        }
    }

    #[test]
    fn block_rows_are_apart() {
        let mut block = Block::<f64>::new(3, 2);
        block.row_mut(1).set(1, Ok(5.0));
        assert_eq!(block.row(0).get(1), Err(Status::NoData));
        assert_eq!(block.row(1).get(1), Ok(5.0));
        assert!(block.row(3).is_empty());
        let (before, mut row) = block.previous_and_row_mut(2);
        row.set(1, before.get(1));
        assert_eq!(block.row(2).get(1), Ok(5.0));
    }
}
