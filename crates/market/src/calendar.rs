//! Sessions of exchanges: when a market is open, which sessions follow each other, when a trade settles.
//!
//! XNYS is an embedded table of what differs from "Monday to Friday, 09:30 to 16:00 in New York", made and checked by
//! `scripts/calendars/xnys.py`; it is read once into a sorted list of sessions in UTC. Hours are the scheduled ones:
//! halts inside a session are not here. Left out: lunch breaks (no calendar here has one), and overrides by the user.

use std::sync::LazyLock;

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
}

impl CalendarId {
    /// All calendars.
    pub const ALL: [CalendarId; 2] = [CalendarId::Xnys, CalendarId::AlwaysOpen];

    /// The name used in mandates.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CalendarId::Xnys => "XNYS",
            CalendarId::AlwaysOpen => "24/7",
        }
    }

    /// The calendar with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<CalendarId> {
        CalendarId::ALL.into_iter().find(|c| c.name() == name)
    }

    /// First and last date that the calendar knows.
    #[must_use]
    pub fn range(self) -> (Date, Date) {
        match self {
            CalendarId::Xnys => XNYS.covers,
            CalendarId::AlwaysOpen => ALWAYS,
        }
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
        match self {
            CalendarId::Xnys => XNYS.sessions.get(XNYS.sessions.binary_search_by_key(&date, |s| s.date).ok()?).copied(),
            CalendarId::AlwaysOpen => self.covers(date).then(|| utc_day(date)),
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
        let (listed, days) = match self {
            CalendarId::Xnys => {
                let start = XNYS.sessions.partition_point(|s| s.date < from);
                let end = XNYS.sessions.partition_point(|s| s.date <= to);
                (XNYS.sessions.get(start..end).unwrap_or_default(), None)
            }
            CalendarId::AlwaysOpen => (&[][..], (from <= to).then_some(from.0..=to.0)),
        };
        listed.iter().copied().chain(days.into_iter().flatten().map(|d| utc_day(Date(d))))
    }

    /// The session that is open at `ts`.
    #[must_use]
    pub fn session_at(self, ts: Timestamp) -> Option<Session> {
        let session = match self {
            CalendarId::Xnys => {
                let after = XNYS.sessions.partition_point(|s| s.open <= ts);
                XNYS.sessions.get(after.checked_sub(1)?).copied()
            }
            CalendarId::AlwaysOpen => self.session(ts.date()),
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
        match self {
            CalendarId::Xnys => {
                let first = XNYS.sessions.partition_point(|s| s.date < from);
                XNYS.sessions.get(first.checked_add(usize::try_from(n).ok()?)?).copied()
            }
            CalendarId::AlwaysOpen => {
                let date = from.max(self.range().0).0.checked_add(i32::try_from(n).ok()?)?;
                self.session(Date(date))
            }
        }
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

/// New York is five hours behind UTC in winter and four in summer; the table says when summer is.
const WINTER_OFFSET: Nanos = Nanos(5 * Nanos::HOUR.0);

/// Expands a table to its sessions. A line that cannot be read has no effect; the tests compare every day of the
/// embedded table with its source, so there is none.
fn expand(table: &str) -> Table {
    let mut covers = (Date(1), Date(0));
    let mut usual = (Nanos(0), Nanos(0));
    let mut summers = Vec::new();
    let mut exceptions: Vec<(Date, Option<(Nanos, Nanos)>)> = Vec::new();
    for line in table.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let date = |i: usize| words.get(i).and_then(|w| Date::parse(w));
        let clock = |i: usize| words.get(i).and_then(|w| clock(w));
        match words.first() {
            Some(&"covers") => covers = date(1).zip(date(2)).unwrap_or(covers),
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
    let sessions = (covers.0.0..=covers.1.0).map(Date).filter_map(|date| {
        let (open, close) = hours(date)?;
        let summer = summers.iter().any(|(first, last)| *first <= date && date <= *last);
        let offset = if summer { WINTER_OFFSET.0 - Nanos::HOUR.0 } else { WINTER_OFFSET.0 };
        let utc = |local: Nanos| Timestamp(date.midnight().0 + offset + local.0);
        Some(Session { date, open: utc(open), close: utc(close) })
    });
    Table { covers, sessions: sessions.collect() }
}

/// Reads `HH:MM` as the time since midnight.
fn clock(text: &str) -> Option<Nanos> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    Some(Nanos(hours * Nanos::HOUR.0 + minutes * Nanos::MINUTE.0))
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

    #[test]
    fn every_day_is_as_the_source_says() {
        let mut letters = std::collections::BTreeMap::new();
        let mut seen = 0;
        let mut expected = Vec::new();
        for line in include_str!("calendar/xnys_oracle.txt").lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                for (letter, hours) in comment.split(' ').filter_map(|w| w.split_once('=')) {
                    letters.insert(letter.to_owned(), hours.split_once('-').unwrap());
                }
                continue;
            }
            let (month, days) = line.split_once(' ').unwrap();
            for (n, letter) in days.chars().enumerate() {
                let date = day(&format!("{month}-{:02}", n + 1));
                let wanted = letters.get(&letter.to_string()).map(|(open, close)| hours(date, open, close));
                assert_eq!(X.session(date), wanted, "{date}");
                expected.extend(wanted);
                seen += 1;
            }
        }
        assert_eq!(seen, 13_879); // days of 1990–2027
        assert_eq!(expected.len(), 9_569);
        assert!(X.sessions(Date(i32::MIN), Date(i32::MAX)).eq(expected));
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
        for c in CalendarId::ALL {
            assert_eq!(CalendarId::parse(c.name()), Some(c));
        }
        assert_eq!(CalendarId::parse("xnys"), None);
    }
}
