//! The rolling hash of a run: version 1 of a fixed 64-bit mix, cheap enough for every event.
//! It detects differences between two runs; it is no protection against an attacker (blake3 covers commit groups).

/// A state into which words are folded in order: a strong lane for what events produce, and a light lane for the
/// market events that merely come by, millions of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollingHash {
    strong: u64,
    light: u64,
}

/// Odd constants with balanced bits (fractions of the golden ratio and of π), and the 64-bit FNV prime.
const K0: u64 = 0x9E37_79B9_7F4A_7C15;
const K1: u64 = 0x243F_6A88_85A3_08D3;
const FNV: u64 = 0x0000_0100_0000_01B3;

/// Both halves of a 128-bit product, xored.
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128) * (b as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

impl RollingHash {
    /// The version of the mix; part of every journal's first record.
    pub const VERSION: u32 = 1;

    /// A hash that starts from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        RollingHash { strong: seed ^ K1, light: seed }
    }

    /// Folds one word into the strong lane.
    #[inline]
    pub fn word(&mut self, word: u64) {
        self.pair(word, K0);
    }

    /// Folds one word into the light lane (FNV-1a on words): one multiplication, in order.
    #[inline]
    pub fn light(&mut self, word: u64) {
        self.light = (self.light ^ word).wrapping_mul(FNV);
    }

    /// Folds bytes into the strong lane, sixteen at a time, little endian, the length last.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        let (pairs, rest) = bytes.as_chunks::<16>();
        for p in pairs {
            let both = u128::from_le_bytes(*p);
            self.pair(both as u64, (both >> 64) as u64);
        }
        let mut tail = [0_u8; 16];
        for (t, b) in tail.iter_mut().zip(rest) {
            *t = *b;
        }
        let both = u128::from_le_bytes(tail);
        self.pair(both as u64, (both >> 64) as u64);
        self.word(bytes.len() as u64);
    }

    #[inline]
    fn pair(&mut self, a: u64, b: u64) {
        self.strong = fold(self.strong ^ a, self.strong.rotate_left(32) ^ b ^ K0) ^ a.rotate_left(17);
    }

    /// Both lanes as one value.
    #[must_use]
    pub const fn value(self) -> u64 {
        fold(self.strong ^ K0, self.light ^ K1)
    }

    /// Both lanes, for a snapshot.
    #[must_use]
    pub const fn lanes(self) -> [u64; 2] {
        [self.strong, self.light]
    }

    /// Continues from the lanes of a snapshot.
    #[must_use]
    pub const fn resume([strong, light]: [u64; 2]) -> Self {
        RollingHash { strong, light }
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
        h.light(3);
        h.bytes(b"sixteen bytes and some more");
        assert_eq!(RollingHash::VERSION, 1);
        assert_eq!(h.value(), FROZEN);
    }
    // By the same formula in Python integers.
    const FROZEN: u64 = 0xb45a9dfff43236d9;
}
