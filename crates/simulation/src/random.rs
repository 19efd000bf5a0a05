//! `Random`: numbers from a seed, the same everywhere.

/// SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", figure 15).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of a seed and a purpose, for example the number of a crash point.
    #[must_use]
    pub fn new(seed: u64, purpose: u64) -> Random {
        let mut mixed = Random(seed);
        let seed = mixed.next();
        Random(seed ^ purpose.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// 64 bits.
    #[allow(clippy::should_implement_trait, reason = "a stream without an end is no iterator to loop over")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 if there is none. The bias is below n/2^64.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from((u128::from(self.next()) * n as u128) >> 64).unwrap_or_default()
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        // The first outputs for seed 1234567, from the reference implementation by Vigna (splitmix64.c).
        let mut random = Random(1_234_567);
        let found: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(found, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
        let mut random = Random::new(7, 8);
        assert!((0..1_000).all(|_| random.below(3) < 3) && random.below(0) == 0);
    }
}
