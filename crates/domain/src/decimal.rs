//! Integers at 1e-9: parsing, printing and the one division that every product needs.

/// Units in one: the workspace-wide scale.
pub const NANO: i64 = 1_000_000_000;

/// A result that does not fit its type. Carries the operation so that the message can say where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}: the result does not fit")]
pub struct Overflow(pub &'static str);

/// What happens to digits beyond the ninth decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// They are an error.
    Exact,
    /// Round to the nearest, ties to even.
    HalfEven,
}

/// Text that is no number of this scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseNumber {
    /// No digits at all.
    #[error("empty")]
    Empty,
    /// A character that a plain decimal number does not have.
    #[error("'{found}' at character {at} is not part of a decimal number")]
    Character {
        /// The character.
        found: char,
        /// Its place, from 1.
        at: usize,
    },
    /// More than nine decimals where none may be lost.
    #[error("more than 9 decimals")]
    TooFine,
    /// Larger than the type holds.
    #[error("out of range")]
    OutOfRange,
}

/// Quotient and remainder by 1e9. Below 2^93, where every product of a usual price and quantity lies, by one multiplication
/// with a reciprocal; above by three divisions of 64 bits with a constant. A general 128-bit division costs several times
/// as much.
#[inline]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "every intermediate is bounded: the estimate is at most 2 below the quotient, so the remainder is below 3e9;
              further down remainder < 1e9 < 2^30, shifted by 32 < 2^62"
)]
fn div_rem_nano(n: u128) -> (u128, u64) {
    const D: u64 = NANO as u64;
    /// 2^(64 + 29) / 1e9, rounded down.
    const RECIPROCAL: u64 = ((1_u128 << 93) / D as u128) as u64;
    let (hi, lo) = ((n >> 64) as u64, n as u64);
    if hi < 1 << 29 {
        // Three roundings down, of the dividend by less than 0.54, of the reciprocal and of the product by less than 1 each.
        let estimate = ((u128::from((n >> 29) as u64) * u128::from(RECIPROCAL)) >> 64) as u64;
        let rest = lo.wrapping_sub(estimate.wrapping_mul(D));
        let (once, twice) = (u64::from(rest >= D), u64::from(rest >= 2 * D));
        return (u128::from(estimate + once + twice), rest - (once + twice) * D);
    }
    let middle = ((hi % D) << 32) | (lo >> 32);
    let low = ((middle % D) << 32) | (lo & 0xFFFF_FFFF);
    let quotient = (u128::from(hi / D) << 64) | (u128::from(middle / D) << 32) | u128::from(low / D);
    (quotient, low % D)
}

/// `n / 1e9`, rounded to the nearest, ties to even.
#[inline]
#[must_use]
#[allow(clippy::arithmetic_side_effects, reason = "the quotient is at most 2^127 / 1e9")]
pub fn div_nano_half_even(n: i128) -> i128 {
    const HALF: u64 = NANO as u64 / 2;
    let (q, r) = div_rem_nano(n.unsigned_abs());
    let up = r > HALF || (r == HALF && q & 1 == 1);
    let q = (q + u128::from(up)) as i128;
    if n < 0 { -q } else { q }
}

/// `a × b / 1e9`, rounded to the nearest, ties to even: an amount times a factor at 1e-9. Saturates at the ends of `i64`.
#[inline]
#[must_use]
#[allow(clippy::arithmetic_side_effects, reason = "division by a constant; the quotient is at most 2^63 / 1e9 + 1")]
pub fn mul_nano(a: i64, b: i64) -> i64 {
    const HALF: i64 = NANO / 2;
    let Some(product) = a.checked_mul(b) else {
        let wide = div_nano_half_even(i128::from(a).saturating_mul(i128::from(b)));
        return i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX });
    };
    let (q, r) = (product / NANO, product % NANO);
    let away = r.abs() > HALF || (r.abs() == HALF && q & 1 == 1);
    q + if away { r.signum() } else { 0 }
}

/// `a × b / d`, rounded to the nearest, ties to even; the product may be twice as wide as 128 bits.
/// `None` if `d` is zero or the result does not fit.
#[inline]
#[must_use]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "signs and a checked division; the wide path shifts below its bounds"
)]
pub fn mul_div_half_even(a: i128, b: i128, d: i128) -> Option<i128> {
    if d == 0 {
        return None;
    }
    let negative = (a < 0) ^ (b < 0) ^ (d < 0);
    let (ua, ub, ud) = (a.unsigned_abs(), b.unsigned_abs(), d.unsigned_abs());
    let (q, r) = match ua.checked_mul(ub) {
        Some(p) => match (u64::try_from(p), u64::try_from(ud)) {
            (Ok(p), Ok(d)) => (u128::from(p / d), u128::from(p % d)),
            _ => (p / ud, p % ud),
        },
        None => wide_div(ua, ub, ud)?,
    };
    let rest = ud - r;
    let up = r > rest || (r == rest && q & 1 == 1);
    let q = i128::try_from(q.checked_add(u128::from(up))?).ok()?;
    Some(if negative { -q } else { q })
}

/// Quotient and remainder of the 256-bit product `a × b` by `d`; `None` if the quotient does not fit 128 bits.
#[cold]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "halves of 64 bits multiply within 128; the loop keeps remainder < d"
)]
fn wide_div(a: u128, b: u128, d: u128) -> Option<(u128, u128)> {
    const MASK: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & MASK, b >> 64, b & MASK);
    let low = a0 * b0;
    let (middle, carry_middle) = (a1 * b0).overflowing_add(a0 * b1);
    let (lo, carry_low) = low.overflowing_add(middle << 64);
    let hi = a1 * b1 + (middle >> 64) + (u128::from(carry_middle) << 64) + u128::from(carry_low);
    if hi >= d {
        return None;
    }
    let (mut rest, mut q) = (hi, 0_u128);
    for bit in (0..128).rev() {
        let carry = rest >> 127 == 1;
        rest = (rest << 1) | ((lo >> bit) & 1);
        q <<= 1;
        if carry || rest >= d {
            rest = rest.wrapping_sub(d);
            q |= 1;
        }
    }
    Some((q, rest))
}

/// Reads a plain decimal number (sign, digits, one dot, optional exponent) as an integer at 1e-9.
///
/// # Errors
/// `ParseNumber` with the place of the first wrong character.
pub fn parse_nano(text: &str, rounding: Rounding) -> Result<i128, ParseNumber> {
    let wrong = |found: char, index: usize| ParseNumber::Character { found, at: index.saturating_add(1) };
    let mut mantissa: i128 = 0;
    let mut scale: i32 = 9; // powers of ten still to multiply
    let mut digits = 0_u32;
    let mut seen_dot = false;
    let mut negative = false;
    let mut sticky = false; // a nonzero digit was dropped
    let mut dropped: Option<u8> = None; // the first dropped digit
    let mut chars = text.char_indices().peekable();
    if let Some((_, c @ ('+' | '-'))) = chars.peek().copied() {
        negative = c == '-';
        chars.next();
    }
    let mut exponent: i32 = 0;
    for (at, c) in chars {
        match c {
            '0'..='9' => {
                digits = digits.saturating_add(1);
                let d = (c as u8).wrapping_sub(b'0');
                // 30 significant digits are kept; a float printed in full has at most 17.
                if mantissa >= 1_000_000_000_000_000_000_000_000_000_000 {
                    if dropped.is_none() {
                        dropped = Some(d);
                    } else {
                        sticky |= d != 0;
                    }
                    if !seen_dot {
                        scale = scale.saturating_add(1);
                    }
                } else {
                    mantissa = mantissa
                        .checked_mul(10)
                        .and_then(|m| m.checked_add(i128::from(d)))
                        .ok_or(ParseNumber::OutOfRange)?;
                    if seen_dot {
                        scale = scale.saturating_sub(1);
                    }
                }
            }
            '.' if !seen_dot => seen_dot = true,
            'e' | 'E' if digits > 0 => {
                let rest = text.get(at.saturating_add(1)..).unwrap_or_default();
                exponent = rest.parse().map_err(|_| wrong(c, at))?;
                break;
            }
            other => return Err(wrong(other, at)),
        }
    }
    if digits == 0 {
        return Err(ParseNumber::Empty);
    }
    if dropped.is_some_and(|d| d != 0) || sticky {
        // Only numbers of more than 30 digits come here: none that a market prints.
        if rounding == Rounding::Exact {
            return Err(ParseNumber::TooFine);
        }
    }
    let scale = scale.saturating_add(exponent);
    let value = if scale >= 0 {
        let factor = 10_i128.checked_pow(scale.unsigned_abs()).ok_or(ParseNumber::OutOfRange);
        if mantissa == 0 { 0 } else { mantissa.checked_mul(factor?).ok_or(ParseNumber::OutOfRange)? }
    } else {
        match 10_i128.checked_pow(scale.unsigned_abs()) {
            None => {
                if rounding == Rounding::Exact && mantissa != 0 {
                    return Err(ParseNumber::TooFine);
                }
                0
            }
            Some(divisor) => {
                let q = mantissa.checked_div(divisor).unwrap_or_default();
                let r = mantissa.checked_rem(divisor).unwrap_or_default();
                if r != 0 && rounding == Rounding::Exact {
                    return Err(ParseNumber::TooFine);
                }
                let twice = r.checked_mul(2).unwrap_or(i128::MAX);
                let up =
                    twice > divisor || (twice == divisor && (sticky || dropped.is_some_and(|d| d > 0) || q & 1 == 1));
                q.checked_add(i128::from(up)).ok_or(ParseNumber::OutOfRange)?
            }
        }
    };
    Ok(if negative { value.wrapping_neg() } else { value })
}

/// Prints an integer at 1e-9 as a decimal without trailing zeros.
#[must_use]
pub fn format_nano(n: i128) -> String {
    let (whole, fraction) = div_rem_nano(n.unsigned_abs());
    let sign = if n < 0 { "-" } else { "" };
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let digits = format!("{fraction:09}");
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn mul_nano_is_the_exact_product(a in prop_oneof![any::<i64>(), -5_000_000_000_i64..5_000_000_000], b in prop_oneof![any::<i64>(), -5_000_000_000_i64..5_000_000_000]) {
            let exact = div_nano_half_even(i128::from(a) * i128::from(b));
            prop_assert_eq!(i128::from(mul_nano(a, b)), exact.clamp(i64::MIN.into(), i64::MAX.into()));
        }
    }

    #[test]
    fn mul_nano_rounds_ties_to_even() {
        let half = NANO / 2;
        let got = [1, 2, 3, -1, -2, -3, 5].map(|a| mul_nano(a, half));
        assert_eq!(got, [0, 1, 2, 0, -1, -2, 2]);
        assert_eq!((mul_nano(i64::MAX, i64::MAX), mul_nano(i64::MIN, i64::MAX)), (i64::MAX, i64::MIN));
    }

    #[test]
    fn reads_what_markets_print() {
        let read = |t: &str| parse_nano(t, Rounding::HalfEven);
        assert_eq!(read("-36.98"), Ok(-36_980_000_000));
        assert_eq!(read("1e-8"), Ok(10));
        assert_eq!(read("1.5E3"), Ok(1_500_000_000_000));
        assert_eq!(read("4.186662803811"), Ok(4_186_662_804));
        assert_eq!(read("0.0000000005"), Ok(0));
        assert_eq!(read("0.0000000015"), Ok(2));
        assert_eq!(read(".5"), Ok(500_000_000));
        assert_eq!(read("18565664997.0"), Ok(18_565_664_997_000_000_000));
        assert_eq!(read(""), Err(ParseNumber::Empty));
        assert_eq!(read("-"), Err(ParseNumber::Empty));
        assert_eq!(read("1,5"), Err(ParseNumber::Character { found: ',', at: 2 }));
        assert_eq!(read("NaN"), Err(ParseNumber::Character { found: 'N', at: 1 }));
        assert_eq!(read("1e999"), Err(ParseNumber::OutOfRange));
        assert_eq!(parse_nano("0.1234567891", Rounding::Exact), Err(ParseNumber::TooFine));
    }

    proptest! {
        #[test]
        fn division_is_half_even(n in any::<i128>()) {
            let (q, r) = (n.div_euclid(i128::from(NANO)), n.rem_euclid(i128::from(NANO)));
            let half = i128::from(NANO) / 2;
            let expected = if r > half || (r == half && q & 1 == 1) { q + 1 } else { q };
            prop_assert_eq!(div_nano_half_even(n), expected);
        }

        #[test]
        fn wide_products_divide_as_narrow_ones(a in any::<i64>(), b in any::<i64>(), d in 1_i64.., shift in 0_u32..60) {
            // Scaling a and d by the same power of two changes nothing but the width of the product.
            let (a, b, d) = (i128::from(a), i128::from(b), i128::from(d));
            let narrow = mul_div_half_even(a, b, d);
            let wide = mul_div_half_even(a << shift, b, d << shift);
            prop_assert_eq!(narrow, wide);
            let exact = a * b;
            let q = narrow.unwrap();
            prop_assert!((exact - q * d).abs() * 2 <= d);
        }

        #[test]
        fn printing_and_reading_are_inverse(n in -(10_i128.pow(30))..10_i128.pow(30)) {
            prop_assert_eq!(parse_nano(&format_nano(n), Rounding::Exact), Ok(n));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = parse_nano(&text, Rounding::HalfEven);
        }

        #[test]
        fn agrees_with_the_float_parser(x in -1.0e9_f64..1.0e9) {
            let ours = parse_nano(&format!("{x}"), Rounding::HalfEven).unwrap();
            prop_assert!((ours as f64 / 1e9 - x).abs() <= 1e-9 + x.abs() * 1e-15);
        }
    }
}
