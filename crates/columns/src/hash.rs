//! The rolling hash of a run: version 1 of a fixed 64-bit mix, cheap enough for every event.
//! It detects differences between two runs; it is no protection against an attacker (blake3 covers commit groups).

/// A 64-bit state into which words are folded in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollingHash(u64);

/// Odd constants with balanced bits (fractions of the golden ratio and of π).
const K0: u64 = 0x9E37_79B9_7F4A_7C15;
const K1: u64 = 0x243F_6A88_85A3_08D3;

impl RollingHash {
    /// The version of the mix; part of every journal's first record.
    pub const VERSION: u32 = 1;

    /// A hash that starts from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        RollingHash(seed ^ K1)
    }

    /// Folds one word in: the 128-bit product of (state ⊕ word) and (state rotated ⊕ constant), halves xored.
    #[inline]
    pub fn word(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(self.0.rotate_left(32) ^ K0);
        self.0 = (product as u64) ^ ((product >> 64) as u64) ^ word.rotate_left(17);
    }

    /// Folds bytes in, eight at a time, little endian, the length last.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for w in words {
            self.word(u64::from_le_bytes(*w));
        }
        let mut tail = [0_u8; 8];
        for (t, b) in tail.iter_mut().zip(rest) {
            *t = *b;
        }
        self.word(u64::from_le_bytes(tail));
        self.word(bytes.len() as u64);
    }

    /// The value so far.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// Continues from a value read from a snapshot.
    #[must_use]
    pub const fn resume(value: u64) -> Self {
        RollingHash(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_length_and_every_bit_matter() {
        let of = |bytes: &[u8]| {
            let mut h = RollingHash::new(7);
            h.bytes(bytes);
            h.value()
        };
        assert_ne!(of(&[1, 2]), of(&[2, 1]));
        assert_ne!(of(&[0]), of(&[0, 0]));
        let base = [7_u8; 24];
        let mut seen = std::collections::BTreeSet::from([of(&base)]);
        for bit in 0..24 * 8 {
            let mut changed = base;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(seen.insert(of(&changed)), "bit {bit}");
        }
    }

    #[test]
    fn the_mix_is_frozen() {
        // A change of these values breaks every stored journal: bump VERSION and keep the old mix.
        let mut h = RollingHash::new(1);
        h.word(2);
        h.word(3);
        assert_eq!(RollingHash::VERSION, 1);
        assert_eq!(h.value(), FROZEN);
    }
    // By the same formula in Python integers.
    const FROZEN: u64 = 0xf280860adc2662b5;
}
