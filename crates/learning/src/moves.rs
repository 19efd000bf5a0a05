//! What every price did since the last decision: by it opinions are judged, agents are paid and the market's regime is known.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Simple returns of all instruments from one decision to the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moves {
    /// Prices at the last decision at 1e-9; 0 for none.
    prices: Vec<i64>,
    /// Returns at 1e-9; 0 where a price was missing or none at all.
    returns: Vec<i64>,
    mean: Option<f64>,
}

/// Largest return that is believed, at 1e-9: a thousand times.
const LARGEST: f64 = 1e12;

impl Moves {
    /// No prices yet.
    #[must_use]
    pub fn new(n_instruments: usize) -> Self {
        Moves { prices: vec![0; n_instruments], returns: vec![0; n_instruments], mean: None }
    }

    /// Takes the prices that are known now (at 1e-9, 0 for none). An instrument without a price above zero before and now
    /// has no return.
    pub fn update(&mut self, price_of: impl Fn(usize) -> i64) {
        let (mut sum, mut n) = (0_i128, 0_u32);
        for (i, (price, r)) in self.prices.iter_mut().zip(&mut self.returns).enumerate() {
            let (before, now) = (*price, price_of(i));
            *price = now;
            *r = 0;
            if before > 0 && now > 0 {
                *r = simple_return(before as f64, now as f64);
                sum += i128::from(*r);
                n += 1;
            }
        }
        self.mean = (n > 0).then(|| sum as f64 / f64::from(n) / 1e9);
    }

    /// Returns at 1e-9, by instrument.
    #[must_use]
    pub fn returns_nano(&self) -> &[i64] {
        &self.returns
    }

    /// The mean return with equal weights; `None` if no instrument has one.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        self.mean
    }

    /// A corporate action changes what the last price of an instrument is to be compared with (0: with nothing).
    pub fn reprice(&mut self, instrument: usize, now: impl FnOnce(i64) -> i64) {
        if let Some(price) = self.prices.get_mut(instrument) {
            *price = now(*price);
        }
    }

    /// Writes the prices canonically; the returns are made anew at the next decision.
    pub fn save(&self, to: &mut Encoder) {
        to.i64s(&self.prices);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes do not fit.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.returns.fill(0);
        self.mean = None;
        from.i64s_into(&mut self.prices)
    }
}

/// The return from a price above zero to another at 1e-9, halves to even, at most `LARGEST`.
#[inline]
fn simple_return(before: f64, now: f64) -> i64 {
    /// 1.5 · 2⁵²: floats of this size are whole, so an addition rounds to a whole number, ties to even.
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    // At least −1e9 and, after the cap, at most 1e12: both lie where the addition rounds.
    let exact = ((now - before) / before * 1e9).min(LARGEST);
    (exact + WHOLE).to_bits() as i64 - WHOLE.to_bits() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// Rounding by an addition is rounding half to even.
        #[test]
        fn returns_round_half_to_even(before in 1_i64.., now in 1_i64.., shift in 0_u32..62) {
            let (before, now) = ((before >> shift).max(1), (now >> shift).max(1));
            let exact = (now as f64 - before as f64) / before as f64 * 1e9;
            let expected = exact.round_ties_even().min(LARGEST) as i64;
            proptest::prop_assert_eq!(simple_return(before as f64, now as f64), expected);
        }
    }

    #[test]
    fn hand_worked_returns() {
        let mut m = Moves::new(4);
        m.update(|i| [100, 200, 0, 50][i]);
        assert_eq!((m.returns_nano(), m.mean()), (&[0; 4][..], None));
        m.update(|i| [101, 190, 10, 0][i]);
        assert_eq!(m.returns_nano(), &[10_000_000, -50_000_000, 0, 0]);
        assert!((m.mean().unwrap() + 0.02).abs() < 1e-15);
        // A split of two for one is no return.
        m.reprice(0, |p| p / 2);
        m.reprice(9, |p| p);
        m.update(|i| [50, -190, 10, 0][i]);
        assert_eq!(m.returns_nano(), &[0, 0, 0, 0], "a price below zero has no return");
        m.update(|i| [i64::MAX, 1, i64::MAX, 0][i]);
        assert_eq!(m.returns_nano()[2], 1_000_000_000_000);
    }
}
