//! The canonical encoding: little endian, fixed width, lengths before contents, floats by their bits.
//! The same state gives the same bytes on every machine, so hashing the bytes hashes the state.

use crate::col::Status;

/// Bytes that do not decode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside a value.
    #[error("{what}: the bytes end at {at}, {need} more were needed")]
    Short {
        /// The value that was read.
        what: &'static str,
        /// Offset of the value.
        at: usize,
        /// Bytes that are missing.
        need: usize,
    },
    /// A value that its type does not have.
    #[error("{what}: {found} at offset {at} is not a value of this kind")]
    Invalid {
        /// The kind of value.
        what: &'static str,
        /// Offset of the value.
        at: usize,
        /// What was found.
        found: u64,
    },
    /// A length or version that differs from the one expected.
    #[error("{what}: found {found}, this state needs {expected}")]
    Mismatch {
        /// What is compared.
        what: &'static str,
        /// Found in the bytes.
        found: u64,
        /// Needed by the state that loads them.
        expected: u64,
    },
}

/// Appends values to a buffer.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    bytes: Vec<u8>,
}

macro_rules! put {
    ($($name:ident: $t:ty),*) => { $(
        #[doc = concat!("Appends a `", stringify!($t), "`, little endian.")]
        #[inline]
        pub fn $name(&mut self, v: $t) {
            self.bytes.extend_from_slice(&v.to_le_bytes());
        }
    )* };
}

impl Encoder {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty buffer with room for `bytes`.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Encoder { bytes: Vec::with_capacity(bytes) }
    }

    put!(u8: u8, u16: u16, u32: u32, u64: u64, i32: i32, i64: i64, i128: i128);

    /// Appends a float by its bits.
    #[inline]
    pub fn f64(&mut self, v: f64) {
        self.u64(v.to_bits());
    }

    /// Appends a bool as one byte.
    #[inline]
    pub fn bool(&mut self, v: bool) {
        self.u8(u8::from(v));
    }

    /// Appends a length.
    #[inline]
    pub fn len(&mut self, v: usize) {
        self.u64(v as u64);
    }

    /// Appends a length and the bytes.
    pub fn bytes(&mut self, v: &[u8]) {
        self.len(v.len());
        self.bytes.extend_from_slice(v);
    }

    /// Appends a text as its UTF-8 bytes.
    pub fn str(&mut self, v: &str) {
        self.bytes(v.as_bytes());
    }

    /// Appends a length and floats by their bits.
    pub fn f64s(&mut self, v: &[f64]) {
        self.len(v.len());
        for x in v {
            self.f64(*x);
        }
    }

    /// Appends a length and integers.
    pub fn i64s(&mut self, v: &[i64]) {
        self.len(v.len());
        for x in v {
            self.i64(*x);
        }
    }

    /// Appends a length and statuses, a byte each.
    pub fn statuses(&mut self, v: &[Status]) {
        self.len(v.len());
        self.bytes.extend(v.iter().map(|s| *s as u8));
    }

    /// Appends bytes that are encoded already.
    #[inline]
    pub fn append(&mut self, encoded: &[u8]) {
        self.bytes.extend_from_slice(encoded);
    }

    /// What was written so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The buffer itself.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Empties the buffer and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }
}

/// Reads values in the order in which they were written.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
}

macro_rules! get {
    ($($name:ident: $t:ty),*) => { $(
        #[doc = concat!("Reads a `", stringify!($t), "`.\n\n# Errors\n`Short` at the end of the bytes.")]
        #[inline]
        pub fn $name(&mut self, what: &'static str) -> Result<$t, DecodeError> {
            Ok(<$t>::from_le_bytes(self.array(what)?))
        }
    )* };
}

impl<'a> Decoder<'a> {
    /// A decoder at the start of the bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Decoder { bytes, at: 0 }
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match rest.first_chunk::<N>() {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => Err(DecodeError::Short { what, at: self.at, need: N - rest.len() }),
        }
    }

    get!(u8: u8, u16: u16, u32: u32, u64: u64, i32: i32, i64: i64, i128: i128);

    /// Reads a float by its bits.
    ///
    /// # Errors
    /// `Short` at the end of the bytes.
    pub fn f64(&mut self, what: &'static str) -> Result<f64, DecodeError> {
        Ok(f64::from_bits(self.u64(what)?))
    }

    /// Reads a bool.
    ///
    /// # Errors
    /// `Short`, or `Invalid` for a byte other than 0 and 1.
    pub fn bool(&mut self, what: &'static str) -> Result<bool, DecodeError> {
        let at = self.at;
        match self.u8(what)? {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(DecodeError::Invalid { what, at, found: u64::from(found) }),
        }
    }

    /// Reads a length; it may not be larger than the bytes that are left, so no length can exhaust the memory.
    ///
    /// # Errors
    /// `Short` at the end of the bytes or if the length is larger than what is left.
    pub fn len(&mut self, what: &'static str) -> Result<usize, DecodeError> {
        let n = self.u64(what)?;
        let left = self.left() as u64;
        if n > left {
            return Err(DecodeError::Short {
                what,
                at: self.at,
                need: usize::try_from(n - left).unwrap_or(usize::MAX),
            });
        }
        Ok(n as usize)
    }

    /// Reads a length and that many bytes.
    ///
    /// # Errors
    /// `Short` at the end of the bytes.
    pub fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let n = self.len(what)?;
        let out = self.bytes.get(self.at..self.at + n).unwrap_or_default();
        self.at += n;
        Ok(out)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// `Short`, or `Invalid` if the bytes are not UTF-8.
    pub fn str(&mut self, what: &'static str) -> Result<&'a str, DecodeError> {
        let at = self.at;
        let raw = self.bytes(what)?;
        std::str::from_utf8(raw).map_err(|e| DecodeError::Invalid { what, at, found: e.valid_up_to() as u64 })
    }

    fn same_len(&mut self, what: &'static str, expected: usize) -> Result<(), DecodeError> {
        let found = self.u64(what)?;
        if found == expected as u64 {
            Ok(())
        } else {
            Err(DecodeError::Mismatch { what, found, expected: expected as u64 })
        }
    }

    /// Reads floats into a slice of the same length.
    ///
    /// # Errors
    /// `Short`, or `Mismatch` if another number of floats was written.
    pub fn f64s_into(&mut self, out: &mut [f64]) -> Result<(), DecodeError> {
        self.same_len("floats", out.len())?;
        for x in out {
            *x = self.f64("floats")?;
        }
        Ok(())
    }

    /// Reads integers into a slice of the same length.
    ///
    /// # Errors
    /// `Short`, or `Mismatch` if another number of integers was written.
    pub fn i64s_into(&mut self, out: &mut [i64]) -> Result<(), DecodeError> {
        self.same_len("integers", out.len())?;
        for x in out {
            *x = self.i64("integers")?;
        }
        Ok(())
    }

    /// Reads statuses into a slice of the same length.
    ///
    /// # Errors
    /// `Short`, `Mismatch`, or `Invalid` for a byte that is no status.
    pub fn statuses_into(&mut self, out: &mut [Status]) -> Result<(), DecodeError> {
        self.same_len("statuses", out.len())?;
        for x in out {
            let at = self.at;
            let byte = self.u8("statuses")?;
            *x =
                Status::from_byte(byte).ok_or(DecodeError::Invalid { what: "statuses", at, found: u64::from(byte) })?;
        }
        Ok(())
    }

    /// Bytes that are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// Refuses bytes after the last value.
    ///
    /// # Errors
    /// `Mismatch` if bytes are left.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.left() {
            0 => Ok(()),
            n => Err(DecodeError::Mismatch { what: "bytes after the last value", found: n as u64, expected: 0 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut e = Encoder::new();
        e.i128(-5);
        e.f64(-0.0);
        e.str("é");
        e.statuses(&[Status::Ok, Status::Stale]);
        let bytes = e.into_bytes();
        let mut d = Decoder::new(&bytes);
        assert_eq!(d.i128("a"), Ok(-5));
        assert_eq!(d.f64("b").unwrap().to_bits(), (-0.0_f64).to_bits());
        assert_eq!(d.str("c"), Ok("é"));
        let mut s = [Status::NoData; 2];
        d.statuses_into(&mut s).unwrap();
        assert_eq!(s, [Status::Ok, Status::Stale]);
        d.finish().unwrap();
    }

    #[test]
    fn every_cut_of_the_bytes_is_an_error_and_never_a_panic() {
        let mut e = Encoder::new();
        e.u64(7);
        e.str("text");
        e.f64s(&[1.0, 2.0]);
        let bytes = e.into_bytes();
        for cut in 0..bytes.len() {
            let mut d = Decoder::new(&bytes[..cut]);
            let mut out = [0.0; 2];
            let all = d.u64("a").and_then(|_| d.str("b").map(|_| ())).and_then(|()| d.f64s_into(&mut out));
            assert!(all.is_err(), "cut at {cut}");
        }
        let mut d = Decoder::new(&[255; 8]);
        assert!(matches!(d.bytes("huge"), Err(DecodeError::Short { .. })));
    }
}
