//! Dates, instants and numbers from bytes: a fast path for what markets print, the exact parser for the rest.

use tradegraph_domain::{Date, ParseNumber, Price};

const POW10: [u64; 19] = {
    let mut table = [1_u64; 19];
    let mut i = 1;
    while i < 19 {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};

/// Digits with at most one dot: the integer of all digits, how many digits, how many after the dot.
#[inline]
fn plain(bytes: &[u8]) -> Option<(u64, usize, usize)> {
    // 18 digits and a dot: the integer stays below 10^18.
    if bytes.len() > 19 {
        return None;
    }
    let mut integer = 0_u64;
    let mut dot = None;
    for (at, b) in bytes.iter().enumerate() {
        let digit = b.wrapping_sub(b'0');
        if digit < 10 {
            integer = integer.wrapping_mul(10).wrapping_add(u64::from(digit));
        } else if *b == b'.' && dot.is_none() {
            dot = Some(at);
        } else {
            return None;
        }
    }
    let digits = bytes.len() - usize::from(dot.is_some());
    let decimals = dot.map_or(0, |at| bytes.len() - at - 1);
    (1..=18).contains(&digits).then_some((integer, digits, decimals))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// A price in 1e-9, exactly as `Price::parse` reads it.
#[inline]
pub(crate) fn price(bytes: &[u8]) -> Result<i64, ParseNumber> {
    let (negative, unsigned) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    if let Some((integer, _, decimals)) = plain(unsigned)
        && let Some(factor) = 9_usize.checked_sub(decimals).and_then(|n| POW10.get(n))
        && let Some(nano) = integer.checked_mul(*factor)
        && let Ok(nano) = i64::try_from(nano)
    {
        return Ok(if negative { -nano } else { nano });
    }
    Price::parse(text(bytes)).map(Price::nano)
}

/// A volume: the float nearest to the decimal text, `None` unless finite and not below zero.
#[inline]
pub(crate) fn volume(bytes: &[u8]) -> Option<f64> {
    number(bytes).filter(|v| *v >= 0.0)
}

/// The float nearest to the decimal text, `None` unless finite. Minus zero is zero.
#[inline]
pub(crate) fn number(bytes: &[u8]) -> Option<f64> {
    match bytes {
        [b'-', rest @ ..] if !matches!(rest.first(), Some(b'+' | b'-')) => unsigned(rest).map(|v| 0.0 - v),
        _ => unsigned(bytes),
    }
}

/// A whole number without a plus sign.
#[inline]
pub(crate) fn integer(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    match plain(digits) {
        Some((n, _, 0)) if !digits.contains(&b'.') => i64::try_from(n).ok().map(|n| if negative { -n } else { n }),
        _ if digits.first().is_some_and(u8::is_ascii_digit) => text(bytes).parse().ok(),
        _ => None,
    }
}

#[inline]
fn unsigned(bytes: &[u8]) -> Option<f64> {
    // Both the integer (below 2^53) and the power of ten (below 10^22) are exact floats, so their quotient is the
    // nearest one (W. Clinger, How to read floating point numbers accurately, 1990).
    if let Some((integer, _, decimals)) = plain(bytes)
        && integer < 1 << 53
        && let Some(divisor) = POW10.get(decimals)
    {
        return Some(integer as f64 / *divisor as f64);
    }
    let text = text(bytes);
    // Rust also reads "inf", "nan" and "infinity".
    if text.bytes().any(|b| b.is_ascii_alphabetic() && !b.eq_ignore_ascii_case(&b'e')) {
        return None;
    }
    text.parse::<f64>().ok().filter(|v| v.is_finite()).map(|v| v + 0.0)
}

/// `YYYY-MM-DD`.
#[inline]
pub(crate) fn date(bytes: &[u8]) -> Option<Date> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = bytes else { return None };
    let two = |a: u8, b: u8| {
        let (a, b) = (a.wrapping_sub(b'0'), b.wrapping_sub(b'0'));
        (a < 10 && b < 10).then_some(u32::from(a) * 10 + u32::from(b))
    };
    let year = i32::try_from(two(y1, y2)? * 100 + two(y3, y4)?).ok()?;
    Date::from_ymd(year, two(m1, m2)?, two(d1, d2)?)
}

/// An instant in nanoseconds, a local time whose zone is not known yet, or an integer whose unit is not.
pub(crate) enum Stamp {
    Nanos(i64),
    Local(i64),
    Integer(i64),
}

/// An ISO 8601 instant with or without its offset, or an integer.
#[inline]
pub(crate) fn stamp(bytes: &[u8]) -> Option<Stamp> {
    if let &[_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b't' | b' ', h1, h2, b':', m1, m2, ref rest @ ..] = bytes {
        let date = date(bytes.get(..10)?)?;
        let two = |a: u8, b: u8, limit: i64| {
            let (a, b) = (a.wrapping_sub(b'0'), b.wrapping_sub(b'0'));
            (a < 10 && b < 10).then_some(i64::from(a) * 10 + i64::from(b)).filter(|v| *v < limit)
        };
        let (mut nanos, rest) = match rest {
            &[b':', s1, s2, ref rest @ ..] => (two(s1, s2, 60)? * 1_000_000_000, rest),
            rest => (0, rest),
        };
        let rest = match rest {
            [b'.', rest @ ..] => {
                let n = rest.iter().take_while(|b| b.is_ascii_digit()).count();
                let (digits, rest) = rest.split_at_checked(n)?;
                let (fraction, _, _) = plain(digits)?;
                nanos += i64::try_from(fraction * *POW10.get(9_usize.checked_sub(n)?)?).ok()?;
                rest
            }
            rest => rest,
        };
        let offset_minutes = match *rest {
            [b'Z' | b'z'] => Some(0),
            [] => None,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] | [sign @ (b'+' | b'-'), h1, h2, m1, m2] => {
                let minutes = two(h1, h2, 24)? * 60 + two(m1, m2, 60)?;
                Some(if sign == b'-' { -minutes } else { minutes })
            }
            _ => return None,
        };
        let seconds = i64::from(date.0) * 86_400 + two(h1, h2, 24)? * 3_600 + two(m1, m2, 60)? * 60;
        let seconds = seconds - offset_minutes.unwrap_or_default() * 60;
        let nanos = seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?;
        return Some(if offset_minutes.is_some() { Stamp::Nanos(nanos) } else { Stamp::Local(nanos) });
    }
    text(bytes).parse().ok().map(Stamp::Integer)
}

/// Nanoseconds in one unit of an integer instant: the largest unit that keeps it before the year 2262.
pub(crate) fn unit_of(integer: i64) -> i64 {
    [1_000_000_000, 1_000_000, 1_000].into_iter().find(|unit| integer.checked_mul(*unit).is_some()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn instants() {
        let read = |t: &str| match stamp(t.as_bytes()) {
            Some(Stamp::Nanos(n)) => Some(n),
            Some(Stamp::Integer(n)) => n.checked_mul(unit_of(n)),
            Some(Stamp::Local(_)) | None => None,
        };
        let wanted = Some(1_632_750_300_000_000_000); // 2021-09-27T13:45:00Z, date -u +%s
        for same in [
            "2021-09-27T13:45:00Z",
            "2021-09-27T13:45Z",
            "2021-09-27 13:45:00.000+00:00",
            "2021-09-27T14:45:00+01:00",
            "2021-09-27T08:45:00-0500",
            "1632750300",
            "1632750300000",
            "1632750300000000",
            "1632750300000000000",
        ] {
            assert_eq!(read(same), wanted, "{same}");
        }
        assert_eq!(read("1969-12-31T23:59:59.999999999Z"), Some(-1));
        for wrong in [
            "2021-09-27T13:45:00",
            "2021-09-27",
            "2021-09-27T24:00:00Z",
            "2021-02-30T00:00:00Z",
            "",
            "x",
            "2021-09-27T13:45:00.Z",
            "2021-09-27T13:45:00.1234567891Z",
            "9999-01-01T00:00:00Z",
            "92233720368547758080",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn the_fast_path_reads_what_the_exact_parser_reads(text in "-?[0-9]{0,12}(\\.[0-9]{0,12})?") {
            prop_assert_eq!(price(text.as_bytes()), Price::parse(&text).map(Price::nano));
        }

        #[test]
        fn the_fast_volume_is_the_nearest_float(text in "[0-9]{1,19}(\\.[0-9]{1,9})?") {
            let expected: f64 = text.parse().unwrap();
            prop_assert_eq!(volume(text.as_bytes()).map(f64::to_bits), Some(expected.to_bits()));
            prop_assert_eq!(number(format!("-{text}").as_bytes()), Some(-expected));
        }

        #[test]
        fn whole_numbers_are_read_as_the_standard_parser_reads_them(text in "-?[0-9]{0,20}(\\.[0-9]{0,2})?") {
            prop_assert_eq!(integer(text.as_bytes()), text.parse::<i64>().ok());
        }

        #[test]
        fn dates_are_read_as_the_domain_reads_them(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}") {
            prop_assert_eq!(date(text.as_bytes()), Date::parse(&text));
        }
    }
}
