//! Splitting an integer total into integer parts that add up to it exactly: the arithmetic of reasons that add up.

/// Parts that cannot be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApportionError {
    /// `out` has not one cell a weight.
    Length {
        /// Number of weights.
        weights: usize,
        /// Number of cells in `out`.
        out: usize,
    },
    /// A total other than 0 and nothing to put it on.
    NoWeights {
        /// The total.
        total: i64,
    },
    /// A part does not fit: signed weights that nearly cancel make parts larger than the total.
    Overflow {
        /// Index of the weight.
        index: usize,
    },
}

impl std::fmt::Display for ApportionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Length { weights, out } => {
                write!(f, "{weights} weights but {out} parts to write: give one part a weight")
            }
            Self::NoWeights { total } => write!(f, "{total} cannot be split over no weights"),
            Self::Overflow { index } => {
                write!(f, "part {index} does not fit 64 bits: the weights nearly cancel")
            }
        }
    }
}

impl std::error::Error for ApportionError {}

/// Weights that are split without allocation.
const ON_STACK: usize = 64;

/// Splits `total` in proportion to `weights` so that the parts sum to `total` exactly: the method of the largest
/// remainder.
///
/// With `W = Σ wᵢ`, each part is `total · wᵢ / W` rounded down; the units that are missing go, one each, to the
/// largest remainders, of equal ones to the lower index. Every part is less than one unit away from its exact share.
///
/// Weights are factors quantised by the caller ([`quantise`]) and may be signed: parts may then have either sign and
/// exceed the total. If `W = 0` no proportion exists; then
/// - if any weight is not 0, the total is split by the magnitudes `|wᵢ|` (who pushed hard answers for much, whatever
///   the direction);
/// - if all are 0, equally.
///
/// - Shape: `out` has one cell a weight. Units: those of `total`.
/// - Cost: `O(n)`; no allocation up to 64 weights, one above.
/// - Source: Hamilton's method, Balinski and Young, Fair Representation (1982), chapter 3.
///
/// # Errors
/// [`ApportionError`]; `out` is then unspecified.
pub fn apportion(total: i64, weights: &[i64], out: &mut [i64]) -> Result<(), ApportionError> {
    if weights.len() != out.len() {
        return Err(ApportionError::Length { weights: weights.len(), out: out.len() });
    }
    if weights.is_empty() {
        return if total == 0 { Ok(()) } else { Err(ApportionError::NoWeights { total }) };
    }
    let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
    let magnitudes: i128 = weights.iter().map(|w| i128::from(w.unsigned_abs())).sum();
    if sum != 0 {
        // A common sign cancels; a positive divisor makes the Euclidean quotient the floor.
        let sign = sum.signum();
        split(total, weights, sum.abs(), |w| sign * i128::from(w), out)
    } else if magnitudes != 0 {
        split(total, weights, magnitudes, |w| i128::from(w.unsigned_abs()), out)
    } else {
        split(total, weights, weights.len() as i128, |_| 1, out)
    }
}

/// Remainder of a part and its index.
type Rest = (i128, usize);

fn split(
    total: i64,
    weights: &[i64],
    divisor: i128,
    weight: impl Fn(i64) -> i128,
    out: &mut [i64],
) -> Result<(), ApportionError> {
    let mut few = [(0, 0); ON_STACK];
    let mut many = Vec::new();
    let rests: &mut [Rest] = match few.get_mut(..weights.len()) {
        Some(few) => few,
        None => {
            many.resize(weights.len(), (0, 0));
            &mut many
        }
    };
    let mut missing = i128::from(total);
    for (index, ((w, part), rest)) in weights.iter().zip(&mut *out).zip(&mut *rests).enumerate() {
        let product = i128::from(total) * weight(*w);
        let (floor, left) = match (i64::try_from(product), i64::try_from(divisor)) {
            // A division of 64 bits is several times as fast.
            (Ok(product), Ok(divisor)) => (product.div_euclid(divisor).into(), product.rem_euclid(divisor).into()),
            _ => (product.div_euclid(divisor), product.rem_euclid(divisor)),
        };
        *part = i64::try_from(floor).map_err(|_| ApportionError::Overflow { index })?;
        *rest = (left, index);
        missing -= floor;
    }
    // The remainders sum to `missing · divisor` and each is below `divisor`, so 0 ≤ missing < number of weights.
    let missing = usize::try_from(missing).unwrap_or(0);
    if missing == 0 {
        return Ok(());
    }
    rests.select_nth_unstable_by(missing, |a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, index) in rests.iter().take(missing) {
        let part = &mut out[*index];
        *part = part.checked_add(1).ok_or(ApportionError::Overflow { index: *index })?;
    }
    Ok(())
}

/// `x · scale` as an integer, halves to even. `None` if the product is not finite or does not fit `i64`.
///
/// The product is rounded to 53 bits before it is rounded to an integer, as every float is.
#[inline]
#[must_use]
pub fn quantise(x: f64, scale: f64) -> Option<i64> {
    /// 2⁶³, the first float above the range.
    const END: f64 = 9_223_372_036_854_775_808.0;
    /// 1.5 · 2⁵²: floats of this size are whole, so an addition rounds to a whole number, ties to even.
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    let product = x * scale;
    if product.abs() < 1_125_899_906_842_624.0 {
        return Some((product + WHOLE).to_bits() as i64 - WHOLE.to_bits() as i64);
    }
    let rounded = product.round_ties_even();
    if (-END..END).contains(&rounded) { Some(rounded as i64) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(total: i64, weights: &[i64], expected: Result<&[i64], ApportionError>) {
        let mut out = vec![0; weights.len()];
        let result = apportion(total, weights, &mut out).map(|()| out.as_slice());
        assert_eq!(result, expected, "{total} over {weights:?}");
    }

    #[test]
    fn table() {
        // Balinski and Young's kind of example: quotas 1.6, 3.0, 5.4.
        check(10, &[16, 30, 54], Ok(&[2, 3, 5]));
        check(10, &[1, 1, 1], Ok(&[4, 3, 3]));
        check(11, &[1, 1, 1], Ok(&[4, 4, 3]));
        // Floors −4 each leave two units.
        check(-10, &[1, 1, 1], Ok(&[-3, -3, -4]));
        check(10, &[-1, -1, -1], Ok(&[4, 3, 3]));
        check(0, &[5, -3], Ok(&[0, 0]));
        // Signed: exact shares 15 and −5.
        check(10, &[3, -1], Ok(&[15, -5]));
        check(10, &[-3, 1], Ok(&[15, -5]));
        // Cancelling weights: by magnitude. All zero: equally.
        check(10, &[3, -3], Ok(&[5, 5]));
        check(10, &[3, -1, -2], Ok(&[5, 2, 3]));
        check(7, &[0, 0, 0], Ok(&[3, 2, 2]));
        check(7, &[0, 9, 0], Ok(&[0, 7, 0]));
        check(0, &[], Ok(&[]));
        check(1, &[], Err(ApportionError::NoWeights { total: 1 }));
        check(i64::MAX, &[i64::MAX, i64::MAX], Ok(&[i64::MAX / 2 + 1, i64::MAX / 2]));
        check(i64::MIN, &[i64::MIN], Ok(&[i64::MIN]));
        check(4, &[i64::MAX, -(i64::MAX - 1)], Err(ApportionError::Overflow { index: 0 }));
        let wrong = apportion(1, &[1], &mut []);
        assert_eq!(wrong, Err(ApportionError::Length { weights: 1, out: 0 }));
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        for (x, scale, expected) in [
            (0.5, 1.0, Some(0)),
            (1.5, 1.0, Some(2)),
            (-2.5, 1.0, Some(-2)),
            (0.125, 100.0, Some(12)),
            (-0.0, 1.0, Some(0)),
            (9_223_372_036_854_775_807.0, 1.0, None),
            (-9_223_372_036_854_775_808.0, 1.0, Some(i64::MIN)),
            (f64::NAN, 1.0, None),
            (f64::INFINITY, 1.0, None),
            (1e300, 1e300, None),
        ] {
            assert_eq!(quantise(x, scale), expected, "{x} × {scale}");
        }
    }

    /// One weight: small, cancelling or anything.
    fn weight() -> impl Strategy<Value = i64> {
        prop_oneof![-3_i64..=3, -1_000_000_i64..=1_000_000, any::<i64>()]
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_total_and_are_within_a_unit(
            total in prop_oneof![-100_i64..=100, any::<i64>()],
            weights in prop::collection::vec(weight(), 1..100),
        ) {
            let mut out = vec![0; weights.len()];
            let result = apportion(total, &weights, &mut out);
            let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            if result.is_err() {
                // Only parts larger than the total can fail to fit, and only weights of both signs make them.
                prop_assert!(weights.iter().any(|w| *w < 0) && weights.iter().any(|w| *w > 0));
                return Ok(());
            }
            prop_assert_eq!(out.iter().map(|p| i128::from(*p)).sum::<i128>(), i128::from(total));
            if sum != 0 {
                for (part, w) in out.iter().zip(&weights) {
                    // |part − total·w/W| < 1, without division and within i128: 2⁶³ · 2⁷⁰ would not fit.
                    let share = i128::from(total) * i128::from(*w);
                    let floor = (share * sum.signum()).div_euclid(sum.abs());
                    let exact = share % sum == 0;
                    prop_assert!(i128::from(*part) == floor || (!exact && i128::from(*part) == floor + 1));
                }
            }
        }

        #[test]
        fn equal_weights_get_parts_in_order(total in any::<i64>(), n in 1_usize..90, w in 1_i64..9) {
            let mut out = vec![0; n];
            apportion(total, &vec![w; n], &mut out).unwrap();
            prop_assert!(out.is_sorted_by(|a, b| a >= b) && out[0] - out[n - 1] <= 1);
        }
    }
}
