//! Columns of values with a mask of what is missing, and their hash.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tradegraph_domain::{Date, Price, Timestamp};

/// What the values of a stored column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoredType {
    /// `i64` at 1e-9.
    Price,
    /// `f64`.
    Number,
    /// `i64`.
    Integer,
    /// Nanoseconds since 1970 UTC.
    Time,
    /// Days since 1970.
    Date,
    /// UTF-8, few different ones.
    Name,
    /// UTF-8.
    Text,
}

/// Texts end to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Texts {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[inline]
    pub(crate) fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        // Row groups are cut long before 4 GB of text.
        self.ends.push(self.bytes.len() as u32);
    }

    #[inline]
    pub(crate) fn span(&self, row: usize) -> (usize, usize) {
        let end = self.ends.get(row).map_or(0, |e| *e as usize);
        let start = row.checked_sub(1).and_then(|r| self.ends.get(r)).map_or(0, |e| *e as usize);
        (start, end)
    }

    #[inline]
    pub(crate) fn get(&self, row: usize) -> &[u8] {
        let (start, end) = self.span(row);
        self.bytes.get(start..end).unwrap_or_default()
    }

    fn retain(&mut self, from: usize, bad: &[bool]) {
        let mut kept = Texts::default();
        for (at, bad) in bad.iter().enumerate() {
            if !bad {
                kept.push(self.get(from + at));
            }
        }
        let start = from.checked_sub(1).map_or(0, |r| self.span(r).1);
        self.bytes.truncate(start);
        self.ends.truncate(from);
        (0..kept.len()).for_each(|row| self.push(kept.get(row)));
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Price(Vec<i64>),
    Integer(Vec<i64>),
    Time(Vec<i64>),
    Date(Vec<i32>),
    Number(Vec<f64>),
    Text(Texts),
}

/// One column of some rows. A missing value has the payload zero or the empty text.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: Arc<str>,
    /// What its values are.
    pub kind: StoredType,
    pub(crate) values: Values,
    /// False where a value is missing; empty if none is.
    pub(crate) present: Vec<bool>,
}

impl Column {
    pub(crate) fn new(name: &str, kind: StoredType) -> Column {
        let values = match kind {
            StoredType::Price => Values::Price(Vec::new()),
            StoredType::Number => Values::Number(Vec::new()),
            StoredType::Integer => Values::Integer(Vec::new()),
            StoredType::Time => Values::Time(Vec::new()),
            StoredType::Date => Values::Date(Vec::new()),
            StoredType::Name | StoredType::Text => Values::Text(Texts::default()),
        };
        Column { name: name.into(), kind, values, present: Vec::new() }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Price(v) | Values::Integer(v) | Values::Time(v) => v.len(),
            Values::Date(v) => v.len(),
            Values::Number(v) => v.len(),
            Values::Text(t) => t.len(),
        }
    }

    /// True without rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True if the row has a value.
    #[inline]
    #[must_use]
    pub fn is_present(&self, row: usize) -> bool {
        if self.present.is_empty() { row < self.len() } else { self.present.get(row).copied().unwrap_or_default() }
    }

    /// True if every row has a value.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.present.is_empty()
    }

    /// Prices at 1e-9, zero where missing; `None` for columns of another type.
    #[must_use]
    pub fn prices(&self) -> Option<&[i64]> {
        if let Values::Price(v) = &self.values { Some(v) } else { None }
    }

    /// Floats, zero where missing; `None` for columns of another type.
    #[must_use]
    pub fn numbers(&self) -> Option<&[f64]> {
        if let Values::Number(v) = &self.values { Some(v) } else { None }
    }

    /// Integers, zero where missing; `None` for columns of another type.
    #[must_use]
    pub fn integers(&self) -> Option<&[i64]> {
        if let Values::Integer(v) = &self.values { Some(v) } else { None }
    }

    /// Instants in ns, zero where missing; `None` for columns of another type.
    #[must_use]
    pub fn times(&self) -> Option<&[i64]> {
        if let Values::Time(v) = &self.values { Some(v) } else { None }
    }

    /// Days since 1970, zero where missing; `None` for columns of another type.
    #[must_use]
    pub fn dates(&self) -> Option<&[i32]> {
        if let Values::Date(v) = &self.values { Some(v) } else { None }
    }

    /// The price of a row.
    #[must_use]
    pub fn price(&self, row: usize) -> Option<Price> {
        self.prices()?.get(row).filter(|_| self.is_present(row)).map(|v| Price::from_nano(*v))
    }

    /// The float of a row.
    #[must_use]
    pub fn number(&self, row: usize) -> Option<f64> {
        self.numbers()?.get(row).filter(|_| self.is_present(row)).copied()
    }

    /// The integer of a row.
    #[must_use]
    pub fn integer(&self, row: usize) -> Option<i64> {
        self.integers()?.get(row).filter(|_| self.is_present(row)).copied()
    }

    /// The instant of a row.
    #[must_use]
    pub fn time(&self, row: usize) -> Option<Timestamp> {
        self.times()?.get(row).filter(|_| self.is_present(row)).map(|v| Timestamp(*v))
    }

    /// The date of a row.
    #[must_use]
    pub fn date(&self, row: usize) -> Option<Date> {
        self.dates()?.get(row).filter(|_| self.is_present(row)).map(|v| Date(*v))
    }

    /// The text of a row.
    #[must_use]
    pub fn text(&self, row: usize) -> Option<&str> {
        let Values::Text(t) = &self.values else { return None };
        if !self.is_present(row) {
            return None;
        }
        std::str::from_utf8(t.get(row)).ok()
    }

    /// The value of a row as CSV has it: decimals, ISO 8601, plain text; empty if missing.
    #[must_use]
    pub fn show(&self, row: usize) -> String {
        if !self.is_present(row) {
            return String::new();
        }
        match &self.values {
            Values::Price(v) => v.get(row).map(|n| tradegraph_domain::format_nano(i128::from(*n))).unwrap_or_default(),
            Values::Integer(v) => v.get(row).map(ToString::to_string).unwrap_or_default(),
            Values::Time(v) => v.get(row).map(|n| Timestamp(*n).to_string()).unwrap_or_default(),
            Values::Date(v) => v.get(row).map(|n| Date(*n).to_string()).unwrap_or_default(),
            Values::Number(v) => v.get(row).map(ToString::to_string).unwrap_or_default(),
            Values::Text(t) => String::from_utf8_lossy(t.get(row)).into_owned(),
        }
    }

    /// Marks the row pushed last as missing.
    pub(crate) fn mark_last_missing(&mut self) {
        let n = self.len();
        self.present.resize(n, true);
        if let Some(last) = self.present.last_mut() {
            *last = false;
        }
    }

    /// Makes the mask as long as the column, if there is one.
    pub(crate) fn settle(&mut self) {
        if !self.present.is_empty() {
            self.present.resize(self.len(), true);
        }
    }

    /// Drops the rows from `from` on that are marked bad.
    pub(crate) fn retain(&mut self, from: usize, bad: &[bool]) {
        fn keep<T: Copy>(values: &mut Vec<T>, from: usize, bad: &[bool]) {
            let mut to = from;
            for (at, bad) in bad.iter().enumerate() {
                if !bad
                    && let Some(v) = values.get(from + at).copied()
                    && let Some(place) = values.get_mut(to)
                {
                    *place = v;
                    to += 1;
                }
            }
            values.truncate(to);
        }
        match &mut self.values {
            Values::Price(v) | Values::Integer(v) | Values::Time(v) => keep(v, from, bad),
            Values::Date(v) => keep(v, from, bad),
            Values::Number(v) => keep(v, from, bad),
            Values::Text(t) => t.retain(from, bad),
        }
        if !self.present.is_empty() {
            keep(&mut self.present, from, bad);
        }
    }

    /// Forgets all rows, keeps the memory.
    pub(crate) fn clear(&mut self) {
        match &mut self.values {
            Values::Price(v) | Values::Integer(v) | Values::Time(v) => v.clear(),
            Values::Date(v) => v.clear(),
            Values::Number(v) => v.clear(),
            Values::Text(t) => {
                t.bytes.clear();
                t.ends.clear();
            }
        }
        self.present.clear();
    }

    /// Bytes of memory of its texts.
    pub(crate) fn text_bytes(&self) -> usize {
        if let Values::Text(t) = &self.values { t.bytes.len() } else { 0 }
    }
}

/// blake3 of a column's values, lengths of texts and missing rows, however it is cut into pieces.
#[derive(Debug)]
pub(crate) struct ColumnHash {
    values: blake3::Hasher,
    lengths: blake3::Hasher,
    missing: blake3::Hasher,
    rows: u64,
    buffer: Vec<u8>,
}

impl ColumnHash {
    pub(crate) fn new() -> ColumnHash {
        let hasher = blake3::Hasher::new;
        ColumnHash { values: hasher(), lengths: hasher(), missing: hasher(), rows: 0, buffer: Vec::new() }
    }

    pub(crate) fn update(&mut self, column: &Column) {
        match &column.values {
            Values::Price(v) | Values::Integer(v) | Values::Time(v) => {
                feed(&mut self.values, &mut self.buffer, v, |v| v.to_le_bytes());
            }
            Values::Number(v) => feed(&mut self.values, &mut self.buffer, v, |v| v.to_bits().to_le_bytes()),
            Values::Date(v) => feed(&mut self.values, &mut self.buffer, v, |v| v.to_le_bytes()),
            Values::Text(t) => {
                self.values.update(&t.bytes);
                for row in 0..t.len() {
                    let (start, end) = t.span(row);
                    self.lengths.update(&((end - start) as u32).to_le_bytes());
                }
            }
        }
        for (row, _) in column.present.iter().enumerate().filter(|(_, p)| !**p) {
            self.missing.update(&(self.rows + row as u64).to_le_bytes());
        }
        self.rows += column.len() as u64;
    }

    pub(crate) fn finish(&self) -> [u8; 32] {
        let mut all = blake3::Hasher::new();
        all.update(&self.rows.to_le_bytes());
        for part in [&self.values, &self.lengths, &self.missing] {
            all.update(part.finalize().as_bytes());
        }
        *all.finalize().as_bytes()
    }
}

fn feed<T: Copy, const N: usize>(
    hash: &mut blake3::Hasher,
    buffer: &mut Vec<u8>,
    values: &[T],
    bytes: impl Fn(T) -> [u8; N],
) {
    for part in values.chunks(1 << 13) {
        buffer.resize(part.len() * N, 0);
        for (to, v) in buffer.chunks_exact_mut(N).zip(part) {
            to.copy_from_slice(&bytes(*v));
        }
        hash.update(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(texts: &[Option<&str>]) -> Column {
        let mut c = Column::new("t", StoredType::Text);
        for t in texts {
            if let Values::Text(v) = &mut c.values {
                v.push(t.unwrap_or_default().as_bytes());
            }
            if t.is_none() {
                c.mark_last_missing();
            }
        }
        c.settle();
        c
    }

    fn hash(parts: &[Column]) -> [u8; 32] {
        let mut h = ColumnHash::new();
        parts.iter().for_each(|c| h.update(c));
        h.finish()
    }

    #[test]
    fn the_hash_sees_everything_but_the_cuts() {
        let whole = hash(&[column(&[Some("a"), None, Some("bc"), Some("")])]);
        assert_eq!(whole, hash(&[column(&[Some("a")]), column(&[None, Some("bc"), Some("")])]));
        for other in [
            &[Some("ab"), None, Some("c"), Some("")],
            &[Some("a"), Some(""), Some("bc"), Some("")],
            &[Some("a"), None, Some("bc"), None],
        ] {
            assert_ne!(whole, hash(&[column(other)]));
        }
    }

    #[test]
    fn bad_rows_are_dropped() {
        let mut c = column(&[Some("x"), Some("a"), None, Some("c")]);
        c.retain(1, &[true, false, false]);
        assert_eq!((c.len(), c.text(0), c.text(1), c.text(2)), (3, Some("x"), None, Some("c")));
        let mut n = Column {
            name: "n".into(),
            kind: StoredType::Number,
            values: Values::Number(vec![1.0, 2.0, 3.0]),
            present: vec![],
        };
        n.retain(1, &[true, false]);
        assert_eq!((n.numbers(), n.number(1)), (Some(&[1.0, 3.0][..]), Some(3.0)));
        assert!(n.is_complete());
    }
}
