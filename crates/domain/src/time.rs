//! `Timestamp`: nanoseconds since 1970-01-01 UTC. `Date`: days since then. No clock is read here.

use crate::decimal::Overflow;

/// Nanoseconds since 1970-01-01T00:00:00Z; covers the years 1678 to 2262.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// A length of time in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nanos(pub i64);

impl Nanos {
    /// One second.
    pub const SECOND: Nanos = Nanos(1_000_000_000);
    /// One minute.
    pub const MINUTE: Nanos = Nanos(60_000_000_000);
    /// One hour.
    pub const HOUR: Nanos = Nanos(3_600_000_000_000);
    /// One day of 24 hours.
    pub const DAY: Nanos = Nanos(86_400_000_000_000);
}

impl Timestamp {
    /// The first instant that fits.
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    /// The last instant that fits.
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// Later by a length of time.
    ///
    /// # Errors
    /// `Overflow` past the year 2262.
    pub fn checked_add(self, by: Nanos) -> Result<Timestamp, Overflow> {
        self.0.checked_add(by.0).map(Timestamp).ok_or(Overflow("time + duration"))
    }

    /// The UTC date.
    #[must_use]
    pub fn date(self) -> Date {
        // A day count of a 64-bit nanosecond stamp is below 107,000.
        Date(self.0.div_euclid(Nanos::DAY.0) as i32)
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date(pub i32);

impl Date {
    /// The date of a year, month and day, if there is one. Source: Howard Hinnant, `days_from_civil`.
    #[must_use]
    #[allow(clippy::arithmetic_side_effects, reason = "years are limited to four digits")]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Date> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        if !(1..=9_999).contains(&year) || day < 1 || day > last {
            return None;
        }
        let y = i64::from(year) - i64::from(month <= 2);
        let era = y.div_euclid(400);
        let yoe = y.rem_euclid(400);
        let doy = (153 * i64::from((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        Some(Date((era * 146_097 + doe - 719_468) as i32))
    }

    /// Year, month and day. Source: Howard Hinnant, `civil_from_days`.
    #[must_use]
    #[allow(clippy::arithmetic_side_effects, reason = "a 32-bit day count stays far inside 64 bits")]
    pub fn ymd(self) -> (i32, u32, u32) {
        let z = i64::from(self.0) + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i64::from(month <= 2);
        (year as i32, month as u32, day as u32)
    }

    /// Reads `YYYY-MM-DD`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Date> {
        let mut parts = text.split('-');
        let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_digit());
        if parts.next().is_some() || !digits(y, 4) || !digits(m, 2) || !digits(d, 2) {
            return None;
        }
        Date::from_ymd(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?)
    }

    /// Midnight UTC at the start of the date; saturates outside the years of a `Timestamp`.
    #[must_use]
    pub const fn midnight(self) -> Timestamp {
        Timestamp((self.0 as i64).saturating_mul(Nanos::DAY.0))
    }

    /// Monday is 0.
    #[must_use]
    #[allow(clippy::arithmetic_side_effects, reason = "a remainder of seven")]
    pub const fn weekday(self) -> u8 {
        ((self.0 as i64 + 3).rem_euclid(7)) as u8
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (y, m, d) = self.ymd();
        write!(f, "{y:04}-{m:02}-{d:02}")
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.div_euclid(Nanos::SECOND.0);
        let nanos = self.0.rem_euclid(Nanos::SECOND.0);
        let in_day = seconds.rem_euclid(86_400);
        let hour = in_day.div_euclid(3_600);
        let minute = in_day.rem_euclid(3_600).div_euclid(60);
        let second = in_day.rem_euclid(60);
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}", self.date())?;
        if nanos != 0 {
            write!(f, ".{nanos:09}")?;
        }
        f.write_str("Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_days() {
        assert_eq!(Date::from_ymd(1970, 1, 1), Some(Date(0)));
        assert_eq!(Date::parse("2000-02-29").map(|d| d.0), Some(11_016));
        assert_eq!(Date::parse("1900-02-29"), None);
        assert_eq!(Date::parse("2021-13-01"), None);
        assert_eq!(Date::parse("2021-1-01"), None);
        assert_eq!(Date::from_ymd(2026, 11, 22).unwrap().weekday(), 6); // a Sunday
        assert_eq!(Timestamp(1_262_304_000_000_000_000).to_string(), "2010-01-01T00:00:00Z");
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59.999999999Z");
    }

    proptest! {
        #[test]
        fn dates_and_their_parts_are_inverse(days in -700_000_i32..2_900_000) {
            let (y, m, d) = Date(days).ymd();
            prop_assert_eq!(Date::from_ymd(y, m, d), Some(Date(days)));
        }
    }
}
