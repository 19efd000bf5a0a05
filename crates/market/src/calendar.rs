//! Sessions of markets: when a market is open, which sessions follow each other, when a trade settles.
//!
//! | name | sessions |
//! |---|---|
//! | XNYS | the New York Stock Exchange, 1990 to 2027 |
//! | FX | currencies: Monday to Friday, each the 24 hours to 17:00 in New York, 1990 to 2027 |
//! | FX UTC-12 … FX UTC+14 | the same week cut at midnight of a fixed distance from UTC, as a source of daily bars cuts it: Sunday is a short session, Friday ends at 17:00 in New York |
//! | 24/5 | Monday to Friday, UTC days: reference prices and rates of no exchange |
//! | 24/7 | open always; a session is a UTC day |
//!
//! XNYS and FX are embedded tables of what differs from a rule of the week, made and checked by `scripts/calendars`;
//! a table is read once into a sorted list of sessions in UTC. Hours are the scheduled ones: halts inside a session
//! are not here. Left out: lunch breaks (no calendar here has one), and overrides by the user.

use std::sync::{LazyLock, OnceLock};

use tradegraph_domain::{Date, Nanos, Timestamp};

/// One session: from `open` until just before `close`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Session {
    /// The date the exchange gives the session.
    pub date: Date,
    /// First instant.
    pub open: Timestamp,
    /// First instant after it.
    pub close: Timestamp,
}

impl Session {
    /// True from the open until just before the close.
    #[must_use]
    pub fn contains(&self, ts: Timestamp) -> bool {
        self.open <= ts && ts < self.close
    }
}

/// The calendars that are built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CalendarId {
    /// New York Stock Exchange, 1990-01-01 to 2027-12-31.
    Xnys,
    /// Open always; a session is a UTC day.
    AlwaysOpen,
    /// Monday to Friday; a session is a UTC day.
    Weekdays,
    /// The week of currencies in sessions that end at 17:00 in New York, 1990-01-01 to 2027-12-31.
    Fx,
    /// The week of currencies in days that begin at midnight of a fixed distance from UTC.
    FxDay(DayOffset),
}

/// Whole hours by which a source's midnight is ahead of UTC's: −12 to 14.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayOffset(i8);

impl DayOffset {
    /// A distance of whole hours; `None` outside −12 to 14.
    #[must_use]
    pub fn hours(hours: i8) -> Option<DayOffset> {
        (-12..=14).contains(&hours).then_some(DayOffset(hours))
    }

    /// Place among all distances.
    fn index(self) -> usize {
        usize::try_from(i16::from(self.0) + 12).unwrap_or_default()
    }
}

/// Names of `FxDay`, by distance.
const FX_DAYS: [&str; 27] = [
    "FX UTC-12",
    "FX UTC-11",
    "FX UTC-10",
    "FX UTC-09",
    "FX UTC-08",
    "FX UTC-07",
    "FX UTC-06",
    "FX UTC-05",
    "FX UTC-04",
    "FX UTC-03",
    "FX UTC-02",
    "FX UTC-01",
    "FX UTC+00",
    "FX UTC+01",
    "FX UTC+02",
    "FX UTC+03",
    "FX UTC+04",
    "FX UTC+05",
    "FX UTC+06",
    "FX UTC+07",
    "FX UTC+08",
    "FX UTC+09",
    "FX UTC+10",
    "FX UTC+11",
    "FX UTC+12",
    "FX UTC+13",
    "FX UTC+14",
];

impl CalendarId {
    /// All calendars; of those that a source's midnight cuts, the one in UTC.
    pub const ALL: [CalendarId; 5] = [
        CalendarId::Xnys,
        CalendarId::AlwaysOpen,
        CalendarId::Weekdays,
        CalendarId::Fx,
        CalendarId::FxDay(DayOffset(0)),
    ];

    /// The name used in mandates.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CalendarId::Xnys => "XNYS",
            CalendarId::AlwaysOpen => "24/7",
            CalendarId::Weekdays => "24/5",
            CalendarId::Fx => "FX",
            CalendarId::FxDay(offset) => FX_DAYS.get(offset.index()).copied().unwrap_or("FX UTC+00"),
        }
    }

    /// The calendar with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<CalendarId> {
        let day = || (-12..=14).map(|h| CalendarId::FxDay(DayOffset(h))).find(|c| c.name() == name);
        CalendarId::ALL.into_iter().find(|c| c.name() == name).or_else(day)
    }

    /// The table of a calendar that has one.
    fn table(self) -> Option<&'static Table> {
        match self {
            CalendarId::Xnys => Some(&XNYS),
            CalendarId::Fx => Some(&FX),
            CalendarId::FxDay(offset) => {
                Some(FX_DAY.get(offset.index())?.get_or_init(|| cut(&FX.sessions, FX.covers, offset)))
            }
            CalendarId::AlwaysOpen | CalendarId::Weekdays => None,
        }
    }

    /// First and last date that the calendar knows.
    #[must_use]
    pub fn range(self) -> (Date, Date) {
        self.table().map_or(ALWAYS, |t| t.covers)
    }

    /// True if the calendar knows whether there is a session on `date`.
    #[must_use]
    pub fn covers(self, date: Date) -> bool {
        let (first, last) = self.range();
        first <= date && date <= last
    }

    /// The session of `date`; `None` if there is none or the calendar does not cover the date.
    #[must_use]
    pub fn session(self, date: Date) -> Option<Session> {
        match self.table() {
            Some(t) => t.sessions.get(t.sessions.binary_search_by_key(&date, |s| s.date).ok()?).copied(),
            None => (self.covers(date) && self.has_day(date)).then(|| utc_day(date)),
        }
    }

    /// The first session of a later date; `None` past the end of the calendar.
    #[must_use]
    pub fn next_session(self, after: Date) -> Option<Session> {
        self.nth_from(after.0.checked_add(1).map(Date)?, 0)
    }

    /// The sessions from one date to another, both included, in order. Dates outside the calendar have none.
    pub fn sessions(self, from: Date, to: Date) -> impl Iterator<Item = Session> {
        let (first, last) = self.range();
        let (from, to) = (from.max(first), to.min(last));
        let (listed, days) = match self.table() {
            Some(t) => {
                let start = t.sessions.partition_point(|s| s.date < from);
                let end = t.sessions.partition_point(|s| s.date <= to);
                (t.sessions.get(start..end).unwrap_or_default(), None)
            }
            None => (&[][..], (from <= to).then_some(from.0..=to.0)),
        };
        let days = days.into_iter().flatten().map(Date).filter(move |date| self.has_day(*date));
        listed.iter().copied().chain(days.map(utc_day))
    }

    /// The session that is open at `ts`.
    #[must_use]
    pub fn session_at(self, ts: Timestamp) -> Option<Session> {
        let session = match self.table() {
            Some(t) => {
                let after = t.sessions.partition_point(|s| s.open <= ts);
                t.sessions.get(after.checked_sub(1)?).copied()
            }
            None => self.session(ts.date()),
        };
        session.filter(|s| s.contains(ts))
    }

    /// True if a session is open at `ts`.
    #[must_use]
    pub fn is_open(self, ts: Timestamp) -> bool {
        self.session_at(ts).is_some()
    }

    /// The date `business_days` sessions after `date`, as settlement counts them: 0 is the date itself or, if it has
    /// no session, the next one that has; n is the n-th session of a later date. `None` outside the calendar, also
    /// where `date` itself is.
    #[must_use]
    pub fn roll(self, date: Date, business_days: u32) -> Option<Date> {
        if !self.covers(date) {
            return None;
        }
        let session = match business_days.checked_sub(1) {
            None => self.nth_from(date, 0),
            Some(n) => self.nth_from(date.0.checked_add(1).map(Date)?, n),
        };
        session.map(|s| s.date)
    }

    /// Session `n`, from 0, of those on `from` or later.
    fn nth_from(self, from: Date, n: u32) -> Option<Session> {
        match self.table() {
            Some(t) => {
                let first = t.sessions.partition_point(|s| s.date < from);
                t.sessions.get(first.checked_add(usize::try_from(n).ok()?)?).copied()
            }
            None if self == CalendarId::AlwaysOpen => {
                let date = from.max(self.range().0).0.checked_add(i32::try_from(n).ok()?)?;
                self.session(Date(date))
            }
            None => self.sessions(from, self.range().1).nth(usize::try_from(n).ok()?),
        }
    }

    /// Of calendars without a table: true if the date is one of their days of the week.
    fn has_day(self, date: Date) -> bool {
        self == CalendarId::AlwaysOpen || date.weekday() < 5
    }
}

impl std::fmt::Display for CalendarId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// 1700-01-01 to 2199-12-31: inside what a `Timestamp` holds.
const ALWAYS: (Date, Date) = (Date(-98_615), Date(84_005));

fn utc_day(date: Date) -> Session {
    let open = date.midnight();
    Session { date, open, close: Timestamp(open.0.saturating_add(Nanos::DAY.0)) }
}

struct Table {
    covers: (Date, Date),
    sessions: Vec<Session>,
}

static XNYS: LazyLock<Table> = LazyLock::new(|| expand(include_str!("calendar/xnys.txt")));
static FX: LazyLock<Table> = LazyLock::new(|| expand(include_str!("calendar/fx.txt")));
static FX_DAY: [OnceLock<Table>; FX_DAYS.len()] = [const { OnceLock::new() }; FX_DAYS.len()];

/// Expands a table to its sessions.
///
/// | line | says |
/// |---|---|
/// | `covers FROM TO` | the dates that the table knows |
/// | `offset ±HH:MM` | what local time is ahead of UTC in winter |
/// | `summer FROM TO` | dates on which it is an hour more |
/// | `hours OPEN CLOSE` | of a session from Monday to Friday; −07:00 is 17:00 of the day before |
/// | `closed DATE`, `special DATE OPEN CLOSE` | what differs |
///
/// A line that cannot be read has no effect; the tests compare every day of an embedded table with its source, so there
/// is none.
fn expand(table: &str) -> Table {
    let mut covers = (Date(1), Date(0));
    let mut usual = (Nanos(0), Nanos(0));
    let mut winter = Nanos(0);
    let mut summers = Vec::new();
    let mut exceptions: Vec<(Date, Option<(Nanos, Nanos)>)> = Vec::new();
    for line in table.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let date = |i: usize| words.get(i).and_then(|w| Date::parse(w));
        let clock = |i: usize| words.get(i).and_then(|w| clock(w));
        match words.first() {
            Some(&"covers") => covers = date(1).zip(date(2)).unwrap_or(covers),
            Some(&"offset") => winter = clock(1).unwrap_or(winter),
            Some(&"hours") => usual = clock(1).zip(clock(2)).unwrap_or(usual),
            Some(&"summer") => summers.extend(date(1).zip(date(2))),
            Some(&"closed") => exceptions.extend(date(1).map(|d| (d, None))),
            Some(&"special") => exceptions.extend(date(1).map(|d| (d, clock(2).zip(clock(3))))),
            _ => {}
        }
    }
    exceptions.sort_unstable_by_key(|e| e.0);
    let hours = |date: Date| match exceptions.binary_search_by_key(&date, |e| e.0) {
        Ok(at) => exceptions.get(at).and_then(|e| e.1),
        Err(_) => (date.weekday() < 5).then_some(usual),
    };
    // A local time and the clock of the date on which it falls: no change of the clock is between noon and a session.
    let utc = |date: Date, local: Nanos| {
        let instant = date.midnight().0 + local.0;
        let falls_on = Timestamp(instant).date();
        let summer = summers.iter().any(|(first, last)| *first <= falls_on && falls_on <= *last);
        Timestamp(instant - winter.0 - if summer { Nanos::HOUR.0 } else { 0 })
    };
    let sessions = (covers.0.0..=covers.1.0).map(Date).filter_map(|date| {
        let (open, close) = hours(date)?;
        Some(Session { date, open: utc(date, open), close: utc(date, close) })
    });
    Table { covers, sessions: sessions.collect() }
}

/// Cuts a week of sessions that follow each other at midnights of a fixed distance from UTC.
fn cut(week: &[Session], covers: (Date, Date), offset: DayOffset) -> Table {
    let midnight = |date: Date| date.midnight().0 - i64::from(offset.0) * Nanos::HOUR.0;
    let sessions = (covers.0.0..=covers.1.0).map(Date).filter_map(|date| {
        let (start, end) = (midnight(date), midnight(date) + Nanos::DAY.0);
        let first = week.partition_point(|s| s.close.0 <= start);
        let after = week.partition_point(|s| s.open.0 < end);
        let inside = week.get(first..after)?;
        let (first, last) = (inside.first()?, inside.last()?);
        Some(Session { date, open: Timestamp(first.open.0.max(start)), close: Timestamp(last.close.0.min(end)) })
    });
    Table { covers, sessions: sessions.collect() }
}

/// Reads `HH:MM`, with a sign before it if need be, as the time since midnight.
fn clock(text: &str) -> Option<Nanos> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (hours, minutes) = digits.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    Some(Nanos(sign * (hours * Nanos::HOUR.0 + minutes * Nanos::MINUTE.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: CalendarId = CalendarId::Xnys;

    fn day(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    fn hours(date: Date, open: &str, close: &str) -> Session {
        let at = |t: &str| Timestamp(date.midnight().0 + clock(t).unwrap().0);
        Session { date, open: at(open), close: at(close) }
    }

    /// Compares every day with an oracle; returns the days seen and the sessions.
    fn compare(calendar: CalendarId, oracle: &str, opens_the_day_before: bool) -> (usize, Vec<Session>) {
        let mut letters = std::collections::BTreeMap::new();
        let mut seen = 0;
        let mut expected = Vec::new();
        for line in oracle.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                for (letter, hours) in comment.split(' ').filter_map(|w| w.split_once('=')) {
                    letters.insert(letter.to_owned(), hours.split_once('-').unwrap());
                }
                continue;
            }
            let (month, days) = line.split_once(' ').unwrap();
            for (n, letter) in days.chars().enumerate() {
                let date = day(&format!("{month}-{:02}", n + 1));
                let wanted = letters.get(&letter.to_string()).map(|(open, close)| {
                    let mut session = hours(date, open, close);
                    session.open.0 -= if opens_the_day_before { Nanos::DAY.0 } else { 0 };
                    session
                });
                assert_eq!(calendar.session(date), wanted, "{date}");
                expected.extend(wanted);
                seen += 1;
            }
        }
        assert!(calendar.sessions(Date(i32::MIN), Date(i32::MAX)).eq(expected.iter().copied()));
        (seen, expected)
    }

    #[test]
    fn every_day_is_as_the_source_says() {
        let (seen, sessions) = compare(X, include_str!("calendar/xnys_oracle.txt"), false);
        assert_eq!((seen, sessions.len()), (13_879, 9_569)); // days of 1990–2027
        let (seen, sessions) = compare(CalendarId::Fx, include_str!("calendar/fx_oracle.txt"), true);
        assert_eq!((seen, sessions.len()), (13_879, 9_915));
        // The oracle of currencies took its dates from the calendar 24/5.
        let (first, last) = CalendarId::Fx.range();
        let dates = |c: CalendarId| c.sessions(first, last).map(|s| s.date).collect::<Vec<_>>();
        assert_eq!(dates(CalendarId::Weekdays), dates(CalendarId::Fx));
        assert_eq!(CalendarId::Weekdays.roll(day("2024-12-27"), 2), Some(day("2024-12-31")));
    }

    #[test]
    fn the_week_of_currencies() {
        let ts = |text: &str| {
            let (date, time) = text.split_once('T').unwrap();
            Timestamp(day(date).midnight().0 + clock(time).unwrap().0)
        };
        let open = |text: &str| CalendarId::Fx.is_open(ts(text));
        // Sunday 17:00 in New York is 22:00 UTC in winter and 21:00 in summer; the clock changes on Sunday at 02:00.
        assert!(!open("2017-01-08T21:59") && open("2017-01-08T22:00"));
        assert!(!open("2017-03-12T20:59") && open("2017-03-12T21:00"));
        assert!(open("2017-11-03T20:59") && !open("2017-11-03T21:00")); // Friday
        assert!(!open("2017-11-05T21:30") && open("2017-11-05T22:00"));
        // Days of Oanda end at midnight UTC, those of FXCM at 05:00 UTC.
        let utc = CalendarId::parse("FX UTC+00").unwrap();
        let fxcm = CalendarId::parse("FX UTC-05").unwrap();
        assert_eq!(
            utc.session(day("2017-01-08")).map(|s| (s.open, s.close)),
            Some((ts("2017-01-08T22:00"), ts("2017-01-09T00:00")))
        );
        assert_eq!(utc.session(day("2017-01-13")).map(|s| s.close), Some(ts("2017-01-13T22:00")));
        assert_eq!(
            fxcm.session(day("2017-01-08")).map(|s| (s.open, s.close)),
            Some((ts("2017-01-08T22:00"), ts("2017-01-09T05:00")))
        );
        assert_eq!(
            fxcm.session(day("2017-01-10")).map(|s| (s.open, s.close)),
            Some((ts("2017-01-10T05:00"), ts("2017-01-11T05:00")))
        );
        assert_eq!(utc.session(day("2017-01-07")), None);
        // Far east of New York the week begins on Monday and ends on Saturday.
        let east = CalendarId::parse("FX UTC+14").unwrap();
        assert_eq!(east.session(day("2017-01-08")), None);
        assert_eq!(east.session(day("2017-01-14")).map(|s| s.close), Some(ts("2017-01-13T22:00")));
        for hours in -12..=14 {
            let calendar = CalendarId::FxDay(DayOffset::hours(hours).unwrap());
            let (from, to) = (day("2000-01-01"), day("2000-12-31"));
            let length = |c: CalendarId| c.sessions(from, to).map(|s| s.close.0 - s.open.0).sum::<i64>();
            let near = (length(calendar) - length(CalendarId::Fx)).abs() <= Nanos::DAY.0; // the year's two ends
            assert!(near, "{calendar}");
            assert!(
                calendar.sessions(from, to).zip(calendar.sessions(from, to).skip(1)).all(|(a, b)| a.close <= b.open)
            );
        }
        assert_eq!(DayOffset::hours(15), None);
    }

    #[test]
    fn closures_that_people_remember() {
        let closed = [
            "1994-04-27", // Nixon
            "2001-09-11",
            "2001-09-12",
            "2001-09-13",
            "2001-09-14",
            "2004-06-11", // Reagan
            "2007-01-02", // Ford
            "2012-10-29", // Sandy
            "2012-10-30",
            "2018-12-05", // Bush
            "2022-06-20", // the first Juneteenth
            "2025-01-09", // Carter
            "2024-03-29", // Good Friday
        ];
        for date in closed {
            assert_eq!(X.session(day(date)), None, "{date}");
            assert!(X.covers(day(date)));
        }
        assert!(X.session(day("2021-06-18")).is_some());
        assert_eq!(X.session(day("2023-11-24")), Some(hours(day("2023-11-24"), "14:30", "18:00")));
        assert_eq!(X.session(day("2024-07-03")), Some(hours(day("2024-07-03"), "13:30", "17:00")));
        // Daylight-saving time began in April until 2006 and in March from 2007.
        assert_eq!(X.session(day("2006-03-31")), Some(hours(day("2006-03-31"), "14:30", "21:00")));
        assert_eq!(X.session(day("2007-03-12")), Some(hours(day("2007-03-12"), "13:30", "20:00")));
        assert_eq!(X.session(day("2024-11-01")), Some(hours(day("2024-11-01"), "13:30", "20:00")));
        assert_eq!(X.session(day("2024-11-04")), Some(hours(day("2024-11-04"), "14:30", "21:00")));
    }

    #[test]
    fn sessions_of_a_year() {
        // Published by the exchange: 248 in 2001 (four lost), 253 in 2020 (leap), 250 in 2012 and 2025.
        for (year, n) in [(1990, 253), (1996, 254), (2001, 248), (2012, 250), (2020, 253), (2024, 252), (2025, 250)] {
            let first = Date::from_ymd(year, 1, 1).unwrap();
            let last = Date::from_ymd(year, 12, 31).unwrap();
            assert_eq!(X.sessions(first, last).count(), n, "{year}");
        }
    }

    #[test]
    fn the_way_from_session_to_session() {
        assert_eq!(X.next_session(day("2001-09-10")).map(|s| s.date), Some(day("2001-09-17")));
        assert_eq!(X.next_session(day("1980-01-01")).map(|s| s.date), Some(day("1990-01-02")));
        assert_eq!(X.next_session(day("2027-12-31")), None);
        assert_eq!(X.next_session(Date(i32::MAX)), None);
        assert_eq!(X.roll(day("2024-07-03"), 0), Some(day("2024-07-03")));
        assert_eq!(X.roll(day("2024-07-04"), 0), Some(day("2024-07-05")));
        assert_eq!(X.roll(day("2024-07-03"), 1), Some(day("2024-07-05")));
        assert_eq!(X.roll(day("2024-07-03"), 2), Some(day("2024-07-08")));
        assert_eq!(X.roll(day("2027-12-30"), 2), None);
        assert_eq!(X.roll(day("1989-12-29"), 1), None);
        assert_eq!(X.roll(day("2024-07-03"), u32::MAX), None);
        let always = CalendarId::AlwaysOpen;
        assert_eq!(always.roll(day("2024-12-31"), 2), Some(day("2025-01-02")));
        assert_eq!(always.next_session(day("2024-02-28")).map(|s| s.date), Some(day("2024-02-29")));
        assert_eq!(always.sessions(day("2024-02-01"), day("2024-02-29")).count(), 29);
        assert_eq!(always.sessions(day("2024-02-02"), day("2024-02-01")).count(), 0);
        assert_eq!(always.range(), (day("1700-01-01"), day("2199-12-31")));
        assert_eq!(always.session(day("1699-12-31")), None);
    }

    #[test]
    fn open_is_open_and_close_is_shut() {
        let s = X.session(day("2024-07-03")).unwrap();
        assert!(X.is_open(s.open) && X.is_open(Timestamp(s.close.0 - 1)));
        assert!(!X.is_open(s.close) && !X.is_open(Timestamp(s.open.0 - 1)));
        assert!(!X.is_open(Timestamp::MIN) && !X.is_open(Timestamp::MAX));
        assert!(CalendarId::AlwaysOpen.is_open(Timestamp(0)));
        assert!(!CalendarId::AlwaysOpen.is_open(Timestamp::MAX));
    }

    #[test]
    fn names_are_read_back() {
        let days = (-12..=14).map(|h| CalendarId::FxDay(DayOffset::hours(h).unwrap()));
        for c in CalendarId::ALL.into_iter().chain(days) {
            assert_eq!(CalendarId::parse(c.name()), Some(c));
        }
        assert_eq!(CalendarId::parse("xnys"), None);
    }
}
