//! Times of rows: zones, forms of dates and instants, and when a row is known.

use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use tradegraph_domain::{Date, Nanos, Timestamp};

use super::fault::Fault;
use super::options::{DateForm, Period};
use crate::reading::Value;
use crate::reading::cells::{self, Stamp};

/// A zone of local times.
#[derive(Clone, Debug, PartialEq)]
pub enum Zone {
    /// A fixed number of seconds east of UTC.
    Fixed(i32),
    /// A zone of the IANA database, with its name.
    Named(String, TimeZone),
}

impl Zone {
    /// UTC.
    pub const UTC: Zone = Zone::Fixed(0);

    /// Reads `UTC`, `Z`, `+05:30`, `-0500` or an IANA name. The database is the one built in, so that a file means the
    /// same on every machine.
    #[must_use]
    pub fn parse(text: &str) -> Option<Zone> {
        if matches!(text, "UTC" | "utc" | "Z" | "GMT") {
            return Some(Zone::UTC);
        }
        if let Some(sign) = text.chars().next().filter(|c| matches!(c, '+' | '-')) {
            let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
            if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let n: i32 = digits.parse().ok()?;
            let (hours, minutes) = (n / 100, n % 100);
            let seconds = hours * 3_600 + minutes * 60;
            return (hours < 24 && minutes < 60).then_some(Zone::Fixed(if sign == '-' { -seconds } else { seconds }));
        }
        TimeZoneDatabase::bundled().get(text).ok().map(|zone| Zone::Named(text.to_owned(), zone))
    }

    /// The instant of a local time in nanoseconds since 1970-01-01T00:00 on its clocks.
    fn instant(&self, local: i64) -> Result<i64, Fault> {
        match self {
            Zone::Fixed(seconds) => local.checked_sub(i64::from(*seconds) * Nanos::SECOND.0).ok_or(Fault::FarTime),
            Zone::Named(name, zone) => {
                let days = local.div_euclid(Nanos::DAY.0);
                let day = civil_date(days).ok_or(Fault::FarTime)?;
                let in_day = local.rem_euclid(Nanos::DAY.0);
                let at = day.to_datetime(civil::Time::midnight());
                let at = at.checked_add(jiff::SignedDuration::from_nanos(in_day)).map_err(|_| Fault::FarTime)?;
                let offset = match zone.to_ambiguous_timestamp(at).offset() {
                    AmbiguousOffset::Unambiguous { offset } => offset,
                    AmbiguousOffset::Gap { .. } => return Err(Fault::NonExistent { zone: name.clone() }),
                    AmbiguousOffset::Fold { .. } => return Err(Fault::Ambiguous { zone: name.clone() }),
                };
                local.checked_sub(i64::from(offset.seconds()) * Nanos::SECOND.0).ok_or(Fault::FarTime)
            }
        }
    }

    /// The first instant of a date on its clocks.
    #[must_use]
    pub fn midnight(&self, date: Date) -> Timestamp {
        let utc = date.midnight();
        match self {
            Zone::Fixed(seconds) => Timestamp(utc.0.saturating_sub(i64::from(*seconds) * Nanos::SECOND.0)),
            Zone::Named(_, zone) => {
                let start = civil_date(i64::from(date.0)).and_then(|d| d.to_zoned(zone.clone()).ok());
                let nanos = start.and_then(|z| i64::try_from(z.timestamp().as_nanosecond()).ok());
                nanos.map_or(utc, Timestamp)
            }
        }
    }
}

impl std::fmt::Display for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Zone::Fixed(0) => f.write_str("UTC"),
            Zone::Fixed(s) => {
                let sign = if *s < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", s.abs() / 3_600, s.abs() % 3_600 / 60)
            }
            Zone::Named(name, _) => f.write_str(name),
        }
    }
}

fn civil_date(days: i64) -> Option<civil::Date> {
    let (y, m, d) = Date(i32::try_from(days).ok()?).ymd();
    civil::Date::new(i16::try_from(y).ok()?, i8::try_from(m).ok()?, i8::try_from(d).ok()?).ok()
}

/// The first and last instant that a row may have: inside them every sum of a time, a period and a lag fits.
const FIRST: i64 = -98_615 * Nanos::DAY.0;
const LAST: i64 = 84_006 * Nanos::DAY.0;

/// How the time of rows is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeForm {
    Date(DateForm),
    Stamp,
    Month,
    Quarter,
    Year,
}

/// Reads instants of one column.
#[derive(Clone, Debug)]
pub(crate) struct Instants {
    /// Nanoseconds in a unit of integers; the first integer decides if nobody else does.
    pub unit: Option<i64>,
    pub zone: Zone,
    /// True if rows without an offset may stand beside rows with one.
    pub mixed: bool,
    /// Whether the first row had an offset.
    aware: Option<bool>,
}

impl Instants {
    pub(crate) fn new(unit: Option<i64>, zone: Option<&Zone>) -> Instants {
        Instants { unit, zone: zone.cloned().unwrap_or(Zone::UTC), mixed: zone.is_some(), aware: None }
    }

    /// The instant in ns; `None` if there is none.
    #[inline]
    pub(crate) fn read(&mut self, value: Value<'_>) -> Result<Option<i64>, Fault> {
        let nanos = match value {
            Value::Missing => return Ok(None),
            Value::Text(bytes) => match cells::stamp(bytes).ok_or(Fault::Time)? {
                Stamp::Nanos(n) => {
                    self.aware.get_or_insert(true);
                    n
                }
                Stamp::Local(n) => {
                    if *self.aware.get_or_insert(false) && !self.mixed {
                        return Err(Fault::NoOffset);
                    }
                    self.zone.instant(n)?
                }
                Stamp::Integer(n) => self.scaled(n)?,
            },
            Value::Integer(n) => self.scaled(n)?,
            Value::Stamp { units, nanos, utc } => {
                let n = units.checked_mul(nanos).ok_or(Fault::FarTime)?;
                if utc { n } else { self.zone.instant(n)? }
            }
            Value::Date(days) => {
                let days = i32::try_from(days).map_err(|_| Fault::FarTime)?;
                self.zone.midnight(Date(days)).0
            }
            Value::Doubled(_) | Value::Float(_) | Value::Float32(_) | Value::Decimal(..) => return Err(Fault::Time),
        };
        if (FIRST..LAST).contains(&nanos) { Ok(Some(nanos)) } else { Err(Fault::FarTime) }
    }

    fn scaled(&mut self, n: i64) -> Result<i64, Fault> {
        n.checked_mul(*self.unit.get_or_insert_with(|| cells::unit_of(n))).ok_or(Fault::FarTime)
    }
}

/// Reads a date of a form.
#[inline]
pub(crate) fn date(form: DateForm, value: Value<'_>) -> Result<Option<i32>, Fault> {
    let found = match value {
        Value::Missing => return Ok(None),
        Value::Text(bytes) => written(form, bytes)?,
        Value::Integer(n) if form == DateForm::Compact => written(form, n.to_string().as_bytes())?,
        Value::Date(days) => Date(i32::try_from(days).map_err(|_| Fault::FarTime)?),
        Value::Stamp { units, nanos, .. } => {
            let n = units.checked_mul(nanos).ok_or(Fault::FarTime)?;
            if n.rem_euclid(Nanos::DAY.0) != 0 {
                return Err(Fault::Date { expected: "a time without hours" });
            }
            Timestamp(n).date()
        }
        _ => return Err(Fault::Date { expected: form.example() }),
    };
    in_range(found).map(Some)
}

fn in_range(date: Date) -> Result<i32, Fault> {
    let range = (FIRST / Nanos::DAY.0) as i32..(LAST / Nanos::DAY.0) as i32;
    if range.contains(&date.0) { Ok(date.0) } else { Err(Fault::FarTime) }
}

#[inline]
fn written(form: DateForm, bytes: &[u8]) -> Result<Date, Fault> {
    if form == DateForm::Iso
        && let Some(date) = cells::date(bytes)
    {
        return Ok(date);
    }
    let wrong = || Fault::Date { expected: form.example() };
    let text = std::str::from_utf8(bytes).map_err(|_| wrong())?;
    let parts: Vec<&str> = match form {
        DateForm::Iso => text.split('-').collect(),
        DateForm::Compact => match (text.get(..4), text.get(4..6), text.get(6..)) {
            (Some(y), Some(m), Some(d)) => vec![y, m, d],
            _ => return Err(wrong()),
        },
        DateForm::DayFirst | DateForm::MonthFirst => text.split(['.', '/', '-']).collect(),
    };
    let [a, b, c] = parts.as_slice() else { return Err(wrong()) };
    let number = |s: &str, most: usize| {
        let digits = (1..=most).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| s.parse::<u32>().unwrap_or_default())
    };
    let fixed = matches!(form, DateForm::Iso | DateForm::Compact);
    let (y, m, d) = match form {
        DateForm::Iso | DateForm::Compact => (a, b, c),
        DateForm::DayFirst => (c, b, a),
        DateForm::MonthFirst => (c, a, b),
    };
    if y.len() != 4 || (fixed && (m.len() != 2 || d.len() != 2)) {
        return Err(wrong());
    }
    let (Some(y), Some(m), Some(d)) = (number(y, 4), number(m, 2), number(d, 2)) else { return Err(wrong()) };
    Date::from_ymd(y as i32, m, d).ok_or(Fault::NoSuchDate)
}

/// The first day of a month (`2024-01`, also a whole date), a quarter (`2024Q1`) or a year.
pub(crate) fn first_day(form: TimeForm, value: Value<'_>) -> Result<Option<i32>, Fault> {
    let text = match value {
        Value::Missing => return Ok(None),
        other => other.to_string(),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit()).then(|| s.parse::<u32>().ok()).flatten();
    let year = text.get(..4).and_then(digits);
    let rest = text.get(4..).unwrap_or_default();
    let (name, month) = match form {
        TimeForm::Month => {
            let month = rest.strip_prefix(['-', '/', 'M', 'm']).filter(|m| m.len() == 2);
            ("month (YYYY-MM)", month.and_then(digits))
        }
        TimeForm::Quarter => {
            let quarter = rest.trim_start_matches(['-', ' ']).strip_prefix(['Q', 'q']).and_then(digits);
            ("quarter (YYYYQn)", quarter.and_then(|q| first_month(i64::from(q))))
        }
        _ => ("year (YYYY)", rest.is_empty().then_some(1)),
    };
    let date = year.zip(month).and_then(|(y, m)| Date::from_ymd(y as i32, m, 1)).ok_or(Fault::Period(name))?;
    in_range(date).map(Some)
}

/// The first month of a quarter from 1 to 4.
pub(crate) fn first_month(quarter: i64) -> Option<u32> {
    (1..=4).contains(&quarter).then(|| quarter as u32 * 3 - 2)
}

/// The first date after the period of a table that `date` is in.
pub(crate) fn after_period(period: Period, date: Date) -> Date {
    let (year, month, _) = date.ymd();
    let (year, month) = match period {
        Period::Session | Period::Fixed(_) => return Date(date.0.saturating_add(1)),
        Period::Month => (year, month + 1),
        Period::Quarter => (year, (month - 1) / 3 * 3 + 4),
        Period::Year => (year + 1, 1),
    };
    let (year, month) = if month > 12 { (year + 1, month - 12) } else { (year, month) };
    Date::from_ymd(year, month, 1).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn zones() {
        for (text, shown) in
            [("UTC", "UTC"), ("-05:00", "-05:00"), ("+0530", "+05:30"), ("Europe/Berlin", "Europe/Berlin")]
        {
            assert_eq!(Zone::parse(text).unwrap().to_string(), shown);
        }
        assert!(
            Zone::parse("Mars/Olympus").is_none() && Zone::parse("+25:00").is_none() && Zone::parse("+x").is_none()
        );
        // `date -u -d 'TZ="America/New_York" 2014-05-07 00:00' +%s` and the same for Berlin.
        let new_york = Zone::parse("America/New_York").unwrap();
        assert_eq!(new_york.midnight(day("2014-05-07")).0, 1_399_435_200_000_000_000);
        assert_eq!(Zone::parse("-05:00").unwrap().midnight(day("2014-05-07")).0, 1_399_438_800_000_000_000);
        assert_eq!(Zone::parse("Europe/Berlin").unwrap().midnight(day("2014-05-07")).0, 1_399_413_600_000_000_000);
    }

    #[test]
    fn local_times() {
        let mut new_york = Instants::new(None, Some(&Zone::parse("America/New_York").unwrap()));
        let mut read = |t: &str| new_york.read(Value::Text(t.as_bytes()));
        assert_eq!(read("2021-07-01 09:30:00"), Ok(Some(1_625_146_200_000_000_000)));
        assert_eq!(read("2021-07-01T13:30:00Z"), Ok(Some(1_625_146_200_000_000_000)));
        let zone = "America/New_York".to_owned();
        assert_eq!(read("2021-11-07 01:30:00"), Err(Fault::Ambiguous { zone: zone.clone() }));
        assert_eq!(read("2021-03-14 02:30:00"), Err(Fault::NonExistent { zone }));
        assert_eq!(read(""), Err(Fault::Time));
        let mut untold = Instants::new(None, None);
        assert!(untold.read(Value::Text(b"2021-07-01T13:30:00+02:00")).is_ok());
        assert_eq!(untold.read(Value::Text(b"2021-07-01T13:30:00")), Err(Fault::NoOffset));
        assert_eq!(untold.read(Value::Integer(i64::MAX)), Err(Fault::FarTime));
        let far = Value::Stamp { units: i64::MAX, nanos: 1_000, utc: true };
        assert_eq!(untold.read(far), Err(Fault::FarTime));
    }

    #[test]
    fn dates_in_their_forms() {
        use DateForm::*;
        let wanted = Ok(Some(day("2024-02-05").0));
        for (form, text) in [
            (Iso, "2024-02-05"),
            (Compact, "20240205"),
            (DayFirst, "5.2.2024"),
            (DayFirst, "05/02/2024"),
            (MonthFirst, "2/5/2024"),
        ] {
            assert_eq!(date(form, Value::Text(text.as_bytes())), wanted, "{text}");
        }
        assert_eq!(date(Iso, Value::Text(b"2023-02-29")), Err(Fault::NoSuchDate));
        assert_eq!(date(Iso, Value::Text(b"5/2/2024")), Err(Fault::Date { expected: "YYYY-MM-DD" }));
        assert_eq!(date(Compact, Value::Text("2024é205".as_bytes())), Err(Fault::Date { expected: "YYYYMMDD" }));
        assert_eq!(date(Iso, Value::Text(b"1500-01-01")), Err(Fault::FarTime));
        assert_eq!(date(Iso, Value::Date(i64::MAX)), Err(Fault::FarTime));
    }

    #[test]
    fn periods() {
        let first =
            |form, text: &str| first_day(form, Value::Text(text.as_bytes())).map(|d| d.map(|d| Date(d).to_string()));
        assert_eq!(first(TimeForm::Month, "2024-12"), Ok(Some("2024-12-01".into())));
        assert_eq!(first(TimeForm::Quarter, "2024-Q3"), Ok(Some("2024-07-01".into())));
        assert_eq!(first(TimeForm::Year, "1999"), Ok(Some("1999-01-01".into())));
        for (form, text) in [
            (TimeForm::Month, "2024-13"),
            (TimeForm::Quarter, "2024Q5"),
            (TimeForm::Year, "99"),
            (TimeForm::Month, "é"),
        ] {
            assert!(matches!(first(form, text), Err(Fault::Period(_))), "{text}");
        }
        for (period, date, next) in [
            (Period::Month, "2024-12-15", "2025-01-01"),
            (Period::Quarter, "2009-09-30", "2009-10-01"),
            (Period::Quarter, "2009-11-30", "2010-01-01"),
            (Period::Year, "2009-01-01", "2010-01-01"),
            (Period::Session, "2009-12-31", "2010-01-01"),
        ] {
            assert_eq!(after_period(period, day(date)), day(next));
        }
    }
}
