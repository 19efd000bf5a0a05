//! The normal distribution, the same bits on every machine.

use crate::vmath;

/// `Φ(z)`, the probability that a standard normal is below `z`; 0 to 1, NaN for NaN.
///
/// [`vmath::normal_cdf`], which states its error; 0 below −38.6.
#[must_use]
pub fn cdf(z: f64) -> f64 {
    vmath::normal_cdf(z)
}

/// `Φ⁻¹(p)`: the `z` with `Φ(z) = p`.
///
/// [`vmath::normal_inverse`]: −∞ at 0 and ∞ at 1; NaN outside `[0, 1]` and for NaN.
#[must_use]
pub fn inverse(p: f64) -> f64 {
    vmath::normal_inverse(p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn edges() {
        assert_eq!((cdf(0.0), cdf(-40.0), cdf(f64::INFINITY)), (0.5, 0.0, 1.0));
        assert_eq!((inverse(0.5), inverse(0.0), inverse(1.0)), (0.0, f64::NEG_INFINITY, f64::INFINITY));
        for p in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(inverse(p).is_nan(), "{p}");
        }
    }

    proptest! {
        #[test]
        fn they_undo_each_other(z in -8.0..5.0_f64) {
            // dz = dp / φ(z): one unit in the last place of p near 1 moves z by 1e-16 / φ(z).
            let density = libm::exp(-0.5 * z * z) / (2.0 * std::f64::consts::PI).sqrt();
            let slack = 4.0 * f64::EPSILON * cdf(z) / density + 1e-14 * (1.0 + z.abs());
            prop_assert!((inverse(cdf(z)) - z).abs() <= slack);
        }

        #[test]
        fn symmetric_and_monotone(steps in 0_u32..1 << 30, p in 0.0_f64..1.0, q in 0.0_f64..1.0) {
            let p_exact = f64::from(steps) / f64::from(1_u32 << 31);
            prop_assert_eq!(inverse(0.5 - p_exact), -inverse(0.5 + p_exact));
            // Two neighbouring floats may come out in either order.
            if p + 1e-12 < q {
                prop_assert!(inverse(p) < inverse(q) && cdf(p) < cdf(q));
            }
        }
    }
}
