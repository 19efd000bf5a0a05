//! Log return from bar to bar.

use super::parts::state;
use super::{Bar, Bars, Columns, Inputs, Status, Study};
use tradegraph_columns::wide;

/// The log return `ln(xₜ / xₜ₋₁)` of all instruments, from the bar before of each to this one. Units: a natural
/// logarithm per bar. Without a bar before: `WarmUp`; at closes of 0 or below `NotApplicable`.
#[derive(Clone, Debug)]
pub struct LogReturn {
    previous: Vec<f64>,
    begun: Vec<u32>,
}

impl LogReturn {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<LogReturn, 1> {
        Columns::of(LogReturn { previous: vec![0.0; n_instruments], begun: vec![0; n_instruments] }, n_instruments)
    }
}

impl Study<1> for LogReturn {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let previous = std::mem::replace(&mut self.previous[i], bar.close);
        match std::mem::replace(&mut self.begun[i], 1) {
            0 => Err(Status::WarmUp),
            _ => Ok([log_return(previous, bar.close)]),
        }
    }

    fn row(&mut self, bars: &Bars<'_>, [line]: &mut [&mut [f64]; 1]) -> bool {
        if !self.begun.iter().fold(true, |all, begun| all & (*begun > 0)) {
            return false;
        }
        log_returns(&self.previous, bars.close, line);
        self.previous.copy_from_slice(bars.close);
        true
    }

    state!(previous, begun);
}

/// `ln(x / previous)`; not finite if one of them is not positive or their quotient overflows.
#[inline]
pub(super) fn log_return(previous: f64, x: f64) -> f64 {
    if x > 0.0 && previous > 0.0 { libm::log(x / previous) } else { f64::NAN }
}

/// [`log_return`] of columns, to the bit. True if all are finite.
pub(super) fn log_returns(previous: &[f64], x: &[f64], out: &mut [f64]) -> bool {
    if usual_returns(previous, x, out) {
        return true;
    }
    for ((o, previous), x) in out.iter_mut().zip(previous).zip(x) {
        *o = log_return(*previous, *x);
    }
    out.iter().all(|o| o.is_finite())
}

wide! {
    /// [`log_return`] where the quotient is a normal number, NaN elsewhere. True if all are.
    fn usual_returns<'a>(previous: &'a [f64], x: &'a [f64], out: &'a mut [f64]) -> bool {
        let mut all = true;
        for ((o, previous), x) in out.iter_mut().zip(previous).zip(x) {
            let quotient = x / previous;
            let usual = (*x > 0.0) & (*previous > 0.0) & (f64::MIN_POSITIVE..=f64::MAX).contains(&quotient);
            let log = log_of_normal(quotient);
            *o = if usual { log } else { f64::NAN };
            all &= usual;
        }
        all
    }
}

/// High words of 1 and of √½.
const ONE: u64 = 0x3ff0_0000_0000_0000;
const ROOT_HALF: u64 = 0x3fe6_a09e_0000_0000;
const MANTISSA: u64 = 0x000f_ffff_ffff_ffff;
/// `2^52 + 1023`: in the low bits of `2^52` stands an integer.
const TWO_52_BIASED: f64 = 4_503_599_627_371_519.0;
const TWO_52: u64 = 0x4330_0000_0000_0000;
/// ln 2 in two parts.
const LN2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
/// `(ln(1 + f) − 2 s) / s` with `s = f / (2 + f)` in powers of `s²` (Remez).
const POLYNOMIAL: [f64; 7] = [
    0.666_666_666_666_673_5,
    0.399_999_999_994_094_2,
    0.285_714_287_436_623_9,
    0.222_221_984_321_497_84,
    0.181_835_721_616_180_5,
    0.153_138_376_992_093_73,
    0.147_981_986_051_165_86,
];

/// The natural logarithm of a positive normal number with the bits of `libm::log`, but without a branch. Source: the
/// algorithm of Sun's fdlibm, `e_log`: `x = 2^k (1 + f)`, and for `ln(1 + f)` a polynomial in `s²`.
#[inline(always)]
fn log_of_normal(x: f64) -> f64 {
    let [c1, c2, c3, c4, c5, c6, c7] = POLYNOMIAL;
    let moved = x.to_bits().wrapping_add(ONE - ROOT_HALF);
    let k = f64::from_bits((moved >> 52) | TWO_52) - TWO_52_BIASED;
    let f = f64::from_bits((moved & MANTISSA).wrapping_add(ROOT_HALF)) - 1.0;
    let half = 0.5 * f * f;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w * (c2 + w * (c4 + w * c6));
    let odd = z * (c1 + w * (c3 + w * (c5 + w * c7)));
    s * (half + (odd + even)) + k * LN2[1] - half + f + k * LN2[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(previous: &[f64], x: &[f64]) {
        let mut out = vec![7.0; x.len()];
        let all = log_returns(previous, x, &mut out);
        assert_eq!(all, out.iter().all(|o| o.is_finite()));
        for ((o, previous), x) in out.iter().zip(previous).zip(x) {
            let expected = if *x > 0.0 && *previous > 0.0 { libm::log(x / previous) } else { f64::NAN };
            assert!(
                o.to_bits() == expected.to_bits() || o.is_nan() && expected.is_nan(),
                "{previous} {x}: {o} {expected}"
            );
        }
    }

    #[test]
    fn edges() {
        check(
            &[1.0, 2.0, 5e-324, 1e308, 1.0, 0.0, -1.0, 1.0, 3.0],
            &[1.0, 1.0, 1e308, 5e-324, 0.0, 1.0, 1.0, -2.0, 3.0],
        );
        check(&[1.0; 9], &[1.0; 9]);
        check(&[], &[]);
    }

    proptest! {
        /// Against the library, over quotients near 1, all exponents, and what has no logarithm.
        #[test]
        fn bits_of_the_library(pairs in prop::collection::vec((prop_oneof![1e-3_f64..1e6, 0.99_f64..1.01, any::<f64>().prop_filter("finite", |x| x.is_finite())], prop_oneof![1e-3_f64..1e6, 0.99_f64..1.01]), 0..80)) {
            let (x, previous): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            check(&previous, &x);
            check(&vec![1.0; x.len()], &x);
        }
    }
}
