//! Exponential, logarithm, complementary error function and the normal distribution, the same bits everywhere.
//!
//! Each function is written once, without a branch, a table or a fused product: a call on one number and a call on a
//! column run the same operations in the same order, whatever instructions the processor has for the column. The
//! polynomials come from `scripts/oracles/options_coefficients.py`; `docs/options.md` states the errors in units in the
//! last place against 60 digits.
//!
//! | function | domain | at its edges |
//! |---|---|---|
//! | [`exp`] | all | 0 below −745.2, ∞ above 709.8 |
//! | [`ln`] | above 0, subnormals too | −∞ at 0, NaN below |
//! | [`ln_ratio`] | both arguments positive and finite | as `ln` of the quotient |
//! | [`erfc`], [`erfcx`] | all | 0 above 27.3; ∞ below −26.7 (`erfcx`) |
//! | [`normal_cdf`] | all | 0 below −38.6, 1 above 8.3 |
//! | [`normal_inverse`] | 0 to 1 | −∞ at 0, ∞ at 1, NaN outside |
//!
//! NaN gives NaN.
#![allow(clippy::manual_range_contains, reason = "two comparisons compile to masks; a call in a kernel may not")]

mod erfc;
mod exp;
mod log;
mod normal;
#[cfg(test)]
pub(crate) mod tests;

pub use erfc::{erfc, erfcx};
pub use exp::exp;
pub use log::{ln, ln_ratio};
pub use normal::{normal_cdf, normal_density, normal_inverse};

pub(crate) use erfc::{OFFSET, SCALED, SCALED_ROUGHLY, SPAN};
pub(crate) use exp::{exp_normal, exp_normals};
pub(crate) use log::ln_ratios_usual;

use pulp::{Arch, Simd, WithSimd};

/// Runs a kernel with the widest instructions of this processor; what it computes does not depend on them.
pub(crate) fn widest<K: WithSimd>(kernel: K) -> K::Output {
    Arch::new().dispatch(kernel)
}

/// `out[i] = f(x[i])`.
struct Each<'a, F> {
    x: &'a [f64],
    out: &'a mut [f64],
    f: F,
}

impl<F: Fn(f64) -> f64> WithSimd for Each<'_, F> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (o, x) in self.out.iter_mut().zip(self.x) {
            *o = (self.f)(*x);
        }
    }
}

macro_rules! columns {
    ($($function:ident: $doc:literal),*) => {
        /// The functions on columns: `out[i] = f(x[i])`, the bits of the function on one number.
        ///
        /// # Panics
        /// If the columns differ in length.
        pub mod columns {
            use super::{Each, widest};
            $(
                #[doc = $doc]
                pub fn $function(x: &[f64], out: &mut [f64]) {
                    assert_eq!(x.len(), out.len(), "columns of one length");
                    widest(Each { x, out, f: super::$function });
                }
            )*
        }
    };
}

columns! {
    exp: "`e^x`.",
    ln: "The natural logarithm.",
    erfc: "The complementary error function.",
    erfcx: "The scaled complementary error function.",
    normal_cdf: "`Φ(x)`.",
    normal_inverse: "`Φ⁻¹(x)`."
}

/// Horner's scheme; the coefficient of the highest power comes last.
#[inline(always)]
pub(crate) fn polynomial<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    const { assert!(N > 0) };
    let mut sum = coefficients[N - 1];
    for c in coefficients[..N - 1].iter().rev() {
        sum = sum * x + c;
    }
    sum
}

/// `out[j] = f(j)`: several numbers that take the same way. A kernel that works on some at once gives the processor
/// independent steps close to each other, of which it can see only about a hundred ahead.
#[inline(always)]
pub(crate) fn several<const W: usize>(f: impl Fn(usize) -> f64) -> [f64; W] {
    let mut out = [0.0; W];
    for (j, o) in out.iter_mut().enumerate() {
        *o = f(j);
    }
    out
}

/// [`polynomial`] of several numbers, step by step side by side.
#[inline(always)]
pub(crate) fn polynomials<const N: usize, const W: usize>(coefficients: &[f64; N], x: &[f64; W]) -> [f64; W] {
    const { assert!(N > 0) };
    let mut sums = [coefficients[N - 1]; W];
    for c in coefficients[..N - 1].iter().rev() {
        for (sum, x) in sums.iter_mut().zip(x) {
            *sum = *sum * x + c;
        }
    }
    sums
}
