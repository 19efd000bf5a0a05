//! Random numbers that a seed determines.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// The generator xoshiro256** whose state is filled by splitmix64 from a 64-bit seed: the same numbers on every machine,
/// period 2²⁵⁶ − 1, not for secrets.
///
/// Its streams are to be told apart by their seeds, which the caller derives from run, component and purpose. Sources:
/// Blackman and Vigna, ACM Transactions on Mathematical Software 47 (2021) 36; Steele, Lea and Flood, OOPSLA (2014) 453.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut counter = seed;
        Random { state: std::array::from_fn(|_| splitmix64(&mut counter)) }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let bits = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        bits
    }

    /// Uniform on `[0, 1)`: a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Writes the place in the stream canonically.
    pub fn save(&self, to: &mut Encoder) {
        self.state.iter().for_each(|s| to.u64(*s));
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged; four zeros are no place in the stream.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let mut state = [0; 4];
        for s in &mut state {
            *s = from.u64("random numbers")?;
        }
        if state == [0; 4] {
            return Err(DecodeError::Mismatch { what: "random numbers", found: 0, expected: 1 });
        }
        self.state = state;
        Ok(())
    }

    /// Uniform on `0..n`, each with exactly the same probability; `n` is above 0. Source: Lemire, ACM Transactions on
    /// Modeling and Computer Simulation 29 (2019) 3.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "there is no number below 0");
        let n = n as u64;
        loop {
            let product = u128::from(self.bits()) * u128::from(n);
            // Low halves below 2⁶⁴ mod n belong to values that would come up once too often.
            if product as u64 >= n.wrapping_neg() % n {
                return (product >> 64) as usize;
            }
        }
    }
}

fn splitmix64(counter: &mut u64) -> u64 {
    *counter = counter.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *counter;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outputs of the authors' C programs, as their Rust and Julia ports test them.
    #[test]
    fn published_sequences() {
        let mut counter = 1_234_567;
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423_u64];
        assert_eq!(expected.map(|_| splitmix64(&mut counter)), expected);
        let mut random = Random { state: [1, 2, 3, 4] };
        let expected = [
            11_520,
            0,
            1_509_978_240,
            1_215_971_899_390_074_240,
            1_216_172_134_540_287_360,
            607_988_272_756_665_600,
            16_172_922_978_634_559_625,
            8_476_171_486_693_032_832_u64,
        ];
        assert_eq!(expected.map(|_| random.bits()), expected);
    }

    #[test]
    fn below_is_even() {
        let mut random = Random::new(7);
        let mut counts = [0_u32; 6];
        for _ in 0..60_000 {
            counts[random.below(6)] += 1;
        }
        // χ² with 5 degrees of freedom: 20.5 is exceeded once in a thousand.
        let chi: f64 = counts.iter().map(|c| (f64::from(*c) - 1e4).powi(2) / 1e4).sum();
        assert!(chi < 20.5, "{counts:?}");
        let mean = (0..10_000).map(|_| random.uniform()).sum::<f64>() / 1e4;
        assert!((mean - 0.5).abs() < 4.0 / (12.0_f64 * 1e4).sqrt(), "{mean}");
        assert_eq!(random.below(1), 0);
    }
}
