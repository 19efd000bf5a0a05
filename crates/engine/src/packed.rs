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
    /// A field more than a line: its bytes are written in one piece, those that do not count too.
    bytes: [u8; LINE + FIELD],
    at: u8,
}

impl<'a> Line<'a> {
    #[inline]
    pub(crate) fn new(to: &'a mut Encoder) -> Self {
        Line { to, bytes: [0; LINE + FIELD], at: 0 }
    }

    /// Writes `N` bytes, at most a field, of which the first `used` count.
    #[inline]
    fn put<const N: usize>(&mut self, used: usize, write: impl FnOnce(&mut [u8; N])) {
        const { assert!(N <= FIELD && LINE == 256) };
        if usize::from(self.at) > LINE - 1 - FIELD {
            self.flush();
        }
        let at = usize::from(self.at);
        // Always there: 255 and a field lie within. The compiler sees it too.
        if let Some(room) = self.bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
            write(room);
            self.at = (at + used) as u8;
        }
    }

    /// One byte.
    #[inline]
    pub(crate) fn byte(&mut self, v: u8) {
        self.put(1, |room| *room = [v]);
    }

    /// A byte, then a float by its bits.
    #[inline]
    pub(crate) fn tagged_float(&mut self, tag: u8, v: f64) {
        let bits = v.to_bits().to_le_bytes();
        self.put(9, |[head, rest @ ..]: &mut [u8; 9]| (*head, *rest) = (tag, bits));
    }

    /// A number that is mostly small.
    #[inline]
    pub(crate) fn int(&mut self, v: i64) {
        // A sign bit and the bits that differ from it.
        let used = (((v ^ (v >> 63)) as u64 | 1).ilog2() as usize + 9) / 8;
        self.put(1 + used, |[head, rest @ ..]: &mut [u8; 9]| (*head, *rest) = (used as u8, v.to_le_bytes()));
    }

    /// A number of 128 bits that is mostly small.
    #[inline]
    pub(crate) fn wide(&mut self, v: i128) {
        match i64::try_from(v) {
            Ok(v) => self.int(v),
            Err(_) => self.widest(v),
        }
    }

    #[cold]
    fn widest(&mut self, v: i128) {
        let used = (128 - (v ^ (v >> 127)).leading_zeros() as usize) / 8 + 1;
        self.put(1 + used, |[head, rest @ ..]: &mut [u8; FIELD]| (*head, *rest) = (used as u8, v.to_le_bytes()));
    }

    /// A counter. Counters stay below 2^63.
    #[inline]
    pub(crate) fn count(&mut self, v: u64) {
        self.int(v as i64);
    }

    /// Hands over what was collected.
    #[inline]
    pub(crate) fn flush(&mut self) {
        self.to.append(&self.bytes[..usize::from(self.at)]);
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
