//! Integers in as few bytes as they need: a byte that says how many, then that many, little endian, two's complement.
//! Most numbers of a record are small, and half the cost of a record is the writing of its bytes.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Bytes that a line holds before it is handed over.
const LINE: usize = 256;
/// The longest single field.
const FIELD: usize = 17;

/// Collects the fields of a record on the stack: a few appends a record instead of one a field.
pub(crate) struct Line<'a> {
    to: &'a mut Encoder,
    bytes: [u8; LINE],
    at: usize,
}

impl<'a> Line<'a> {
    #[inline]
    pub(crate) fn new(to: &'a mut Encoder) -> Self {
        Line { to, bytes: [0; LINE], at: 0 }
    }

    /// Writes `N` bytes of which the first `used` count.
    #[inline]
    fn put<const N: usize>(&mut self, field: [u8; N], used: usize) {
        if self.at > LINE - FIELD {
            self.flush();
        }
        if let Some(room) = self.bytes.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut::<N>()) {
            *room = field;
            self.at += used;
        }
    }

    /// One byte.
    #[inline]
    pub(crate) fn byte(&mut self, v: u8) {
        self.put([v], 1);
    }

    /// A float by its bits.
    #[inline]
    pub(crate) fn float(&mut self, v: f64) {
        self.put(v.to_bits().to_le_bytes(), 8);
    }

    /// A number that is mostly small.
    #[inline]
    pub(crate) fn int(&mut self, v: i64) {
        // A sign bit and the bits that differ from it.
        let used = (64 - (v ^ (v >> 63)).leading_zeros() as usize) / 8 + 1;
        let mut field = [0; 9];
        field[0] = used as u8;
        field[1..].copy_from_slice(&v.to_le_bytes());
        self.put(field, 1 + used);
    }

    /// A number of 128 bits that is mostly small.
    #[inline]
    pub(crate) fn wide(&mut self, v: i128) {
        match i64::try_from(v) {
            Ok(v) => self.int(v),
            Err(_) => {
                let used = (128 - (v ^ (v >> 127)).leading_zeros() as usize) / 8 + 1;
                let mut field = [0; FIELD];
                field[0] = used as u8;
                field[1..].copy_from_slice(&v.to_le_bytes());
                self.put(field, 1 + used);
            }
        }
    }

    /// A counter. Counters stay below 2^63.
    #[inline]
    pub(crate) fn count(&mut self, v: u64) {
        self.int(v as i64);
    }

    /// Hands over what was collected.
    #[inline]
    pub(crate) fn flush(&mut self) {
        self.to.append(self.bytes.get(..self.at).unwrap_or_default());
        self.at = 0;
    }
}

/// Reads what `Line::wide` and `Line::int` wrote.
pub(crate) fn wide(d: &mut Decoder<'_>, what: &'static str) -> Result<i128, DecodeError> {
    let used = usize::from(d.u8(what)?);
    if !(1..=16).contains(&used) {
        return Err(DecodeError::Invalid { what, at: 0, found: used as u64 });
    }
    let mut bytes = [0_u8; 16];
    for b in bytes.iter_mut().take(used) {
        *b = d.u8(what)?;
    }
    let unused = 128 - 8 * used as u32;
    Ok((i128::from_le_bytes(bytes) << unused) >> unused)
}

/// Reads a number of 64 bits.
pub(crate) fn int(d: &mut Decoder<'_>, what: &'static str) -> Result<i64, DecodeError> {
    let v = wide(d, what)?;
    i64::try_from(v).map_err(|_| DecodeError::Invalid { what, at: 0, found: v as u64 })
}

/// Reads a counter.
pub(crate) fn count(d: &mut Decoder<'_>, what: &'static str) -> Result<u64, DecodeError> {
    Ok(int(d, what)? as u64)
}

/// Reads a number of a smaller type.
pub(crate) fn small<T: TryFrom<i64>>(d: &mut Decoder<'_>, what: &'static str) -> Result<T, DecodeError> {
    let v = int(d, what)?;
    T::try_from(v).map_err(|_| DecodeError::Invalid { what, at: 0, found: v as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_the_least() {
        for (v, length) in [(0, 1), (-1, 1), (127, 1), (128, 2), (-128, 1), (-129, 2), (i64::MAX, 8), (i64::MIN, 8)] {
            let mut e = Encoder::new();
            let mut line = Line::new(&mut e);
            line.int(v);
            line.flush();
            assert_eq!(e.as_bytes().len(), 1 + length, "{v}");
        }
    }

    proptest! {
        #[test]
        fn numbers_survive(numbers in prop::collection::vec((any::<i128>(), 0_u32..128), 0..60), bytes in prop::collection::vec(any::<u8>(), 0..9)) {
            let numbers: Vec<i128> = numbers.iter().map(|(v, shift)| v >> shift).collect();
            let mut e = Encoder::new();
            let mut line = Line::new(&mut e);
            numbers.iter().for_each(|v| line.wide(*v));
            bytes.iter().for_each(|b| line.byte(*b));
            line.flush();
            let mut d = Decoder::new(e.as_bytes());
            for v in &numbers {
                prop_assert_eq!(wide(&mut d, "n"), Ok(*v));
            }
            for b in &bytes {
                prop_assert_eq!(d.u8("b"), Ok(*b));
            }
            prop_assert_eq!(d.finish(), Ok(()));
        }
    }
}
