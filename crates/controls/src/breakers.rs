//! Circuit breakers: measures of the account, its data and its venue that stop trading when they pass a limit.
//!
//! | breaker | measure | when it is measured |
//! |---|---|---|
//! | `DAILY_LOSS` | fall of NAV since the start of the UTC day, of the NAV then | after every row of bars |
//! | `DRAWDOWN` | fall of NAV from its highest value after a row of bars, of that value | after every row of bars |
//! | `VOLATILITY` | √Σ r² over the last n rows of bars, r = NAV ÷ NAV a row before − 1: realised volatility (Andersen, Bollerslev, Diebold and Labys, 2003, "Modeling and forecasting realized volatility", eq. 5) | after every row of bars |
//! | `STALE_DATA` | time of open sessions since the end of a feed's last bar, in lengths of that bar | before every decision |
//! | `REJECT_RATE` | rejections among the last n orders that the venue answered | after every answer |
//!
//! A breaker that trips is a latch: it is part of the snapshot, and a person lifts it (`Payload::Resume`), after which
//! every measure begins anew from the present. Only the day's loss may end with its day, if the mandate says so.

use std::collections::VecDeque;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{Date, FeedId, NANO, Nanos, Refusal, Rule, Timestamp, Unit, mul_div_half_even};
use tradegraph_market::Panel;
use tradegraph_market::calendar::CalendarId;

/// Longest window of realised volatility, in rows of bars.
pub const MAX_BARS: u16 = 10_000;
/// Longest window of answers of the venue.
pub const MAX_ANSWERS: u8 = 64;

/// What a tripped breaker lets pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Action {
    /// Orders that only reduce a position.
    #[default]
    ReduceOnly = 0,
    /// Nothing but orders sent as reductions (flatten), and cancels.
    Halt = 1,
}

impl Action {
    /// All actions with the names used in mandates.
    pub const ALL: [(Action, &'static str); 2] = [(Action::ReduceOnly, "reduce-only"), (Action::Halt, "halt")];

    /// The action with this number in a journal.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Action> {
        Self::ALL.iter().map(|(a, _)| *a).find(|a| *a as u8 == byte)
    }

    /// The name used in mandates.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(a, _)| *a == self).map_or("?", |(_, name)| name)
    }
}

/// The most that a measure may be, and what happens above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker<T> {
    /// The most.
    pub most: T,
    /// What still passes.
    pub action: Action,
}

/// The breakers of an account; `None` is off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breakers {
    /// Loss of a day at 1e-9 of the NAV at its start.
    pub daily_loss: Option<Breaker<i64>>,
    /// True if a tripped daily loss ends with its UTC day.
    pub daily_loss_resets: bool,
    /// Fall from the peak at 1e-9 of it.
    pub drawdown: Option<Breaker<i64>>,
    /// Realised volatility over the window, at 1e-9.
    pub volatility: Option<Breaker<i64>>,
    /// Rows of bars of that window, 1 to `MAX_BARS`.
    pub volatility_bars: u16,
    /// Lengths of a bar since the last one of a feed.
    pub stale_bars: Option<Breaker<u32>>,
    /// Whose sessions each feed has; without an entry it is always open.
    pub calendars: Vec<Option<CalendarId>>,
    /// Rejections among the last answers.
    pub rejects: Option<Breaker<u8>>,
    /// Answers of that window, 1 to `MAX_ANSWERS`.
    pub rejects_of: u8,
}

impl Breakers {
    /// True if a breaker looks at NAV after every row of bars.
    #[must_use]
    pub fn watch_nav(&self) -> bool {
        self.daily_loss.is_some() || self.drawdown.is_some() || self.volatility.is_some()
    }
}

/// A breaker tripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trip {
    /// When.
    pub ts: Timestamp,
    /// Which: the rule that refuses from now on, its limit and what was measured.
    pub why: Refusal,
    /// What still passes.
    pub action: Action,
}

/// What changed, for the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A breaker tripped.
    Tripped(Trip),
    /// The day of a tripped daily loss is over and the mandate lets it end.
    Ended {
        /// When.
        ts: Timestamp,
        /// Which.
        rule: Rule,
    },
}

/// The breakers in order of precedence.
pub(crate) const RULES: [Rule; 5] =
    [Rule::DailyLoss, Rule::Drawdown, Rule::Volatility, Rule::StaleData, Rule::RejectRate];

/// Measures and trips.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    day_start: Option<i128>,
    peak: Option<i128>,
    last: Option<i128>,
    /// Squared returns at 1e-18, oldest first, and their sum.
    squares: VecDeque<i128>,
    sum: i128,
    /// The last answers, newest in the lowest bit: 1 is a rejection.
    answers: u64,
    n_answers: u8,
    trips: [Option<Trip>; 5],
    changes: Vec<Change>,
}

impl Watch {
    /// The trips in force, in order of precedence.
    pub(crate) fn trips(&self) -> impl Iterator<Item = &Trip> {
        self.trips.iter().flatten()
    }

    /// True if something changed since the last call of `take_changes`.
    #[inline]
    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// What changed since the last call.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// A person lifts all trips; every measure begins anew.
    pub(crate) fn lift(&mut self) {
        *self = Watch { changes: std::mem::take(&mut self.changes), ..Watch::default() };
    }

    /// A day begins; `nav` is the value at the end of the one before.
    pub(crate) fn new_day(&mut self, b: &Breakers, ts: Timestamp, nav: Option<i128>) {
        self.day_start = nav.or(self.day_start);
        if b.daily_loss_resets
            && let Some(slot) = self.trips.first_mut()
            && slot.take().is_some()
        {
            self.changes.push(Change::Ended { ts, rule: Rule::DailyLoss });
        }
    }

    /// NAV after a row of bars.
    pub(crate) fn value(&mut self, b: &Breakers, ts: Timestamp, nav: i128) {
        let start = *self.day_start.get_or_insert(nav);
        if let Some(breaker) = b.daily_loss {
            self.judge(breaker, Rule::DailyLoss, ts, fall(start, nav), Unit::NavNano);
        }
        let peak = self.peak.map_or(nav, |p| p.max(nav));
        self.peak = Some(peak);
        if let Some(breaker) = b.drawdown {
            self.judge(breaker, Rule::Drawdown, ts, fall(peak, nav), Unit::NavNano);
        }
        let before = self.last.replace(nav);
        if let (Some(breaker), Some(before)) = (b.volatility, before) {
            // A return of more than ± 1000 has no meaning; the bound keeps the squares inside 128 bits.
            let bound = i128::from(NANO).saturating_mul(1_000);
            let r = fall(before, nav).clamp(bound.saturating_neg(), bound);
            let square = r.saturating_mul(r);
            self.squares.push_back(square);
            self.sum = self.sum.saturating_add(square);
            if self.squares.len() > usize::from(b.volatility_bars.clamp(1, MAX_BARS)) {
                self.sum = self.sum.saturating_sub(self.squares.pop_front().unwrap_or_default());
            }
            self.judge(breaker, Rule::Volatility, ts, root_up(self.sum), Unit::NavNano);
        }
    }

    /// The age of every feed's last bar.
    pub(crate) fn feeds(&mut self, b: &Breakers, ts: Timestamp, panel: &Panel) {
        let Some(breaker) = b.stale_bars else { return };
        for feed in (0..panel.n_feeds()).map(|f| FeedId(f as u16)) {
            let known = panel.known(feed);
            let Some((batch, last)) = panel.batch(feed).zip(known.checked_sub(1)) else { continue };
            let bar = batch.interval(last);
            let length = bar.end.0.saturating_sub(bar.start.0).max(1);
            let calendar = b.calendars.get(usize::from(feed.0)).copied().flatten();
            let age = open_time(calendar, bar.end, ts, length.saturating_mul(i64::from(breaker.most)));
            // Rounded up: the bars that are due and did not come.
            let bars = age.saturating_add(length.saturating_sub(1)).checked_div(length).unwrap_or_default();
            self.judge(breaker, Rule::StaleData, ts, bars.into(), Unit::Count);
        }
    }

    /// The venue took or rejected an order.
    pub(crate) fn answer(&mut self, b: &Breakers, ts: Timestamp, rejected: bool) {
        let Some(breaker) = b.rejects else { return };
        let of = b.rejects_of.clamp(1, MAX_ANSWERS);
        self.n_answers = self.n_answers.saturating_add(1).min(of);
        self.answers = self.answers.wrapping_shl(1) | u64::from(rejected);
        let mask = u64::MAX.checked_shr(u32::from(MAX_ANSWERS.saturating_sub(self.n_answers))).unwrap_or_default();
        self.judge(breaker, Rule::RejectRate, ts, (self.answers & mask).count_ones().into(), Unit::Count);
    }

    fn judge<T: Into<i128>>(&mut self, breaker: Breaker<T>, rule: Rule, ts: Timestamp, actual: i128, unit: Unit) {
        let limit = breaker.most.into();
        let Some(slot) = RULES.iter().position(|r| *r == rule).and_then(|at| self.trips.get_mut(at)) else { return };
        if actual > limit && slot.is_none() {
            let trip = Trip { ts, why: Refusal { rule, limit, actual, unit }, action: breaker.action };
            *slot = Some(trip);
            self.changes.push(Change::Tripped(trip));
        }
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        for value in [self.day_start, self.peak, self.last] {
            to.bool(value.is_some());
            to.i128(value.unwrap_or_default());
        }
        to.len(self.squares.len());
        self.squares.iter().for_each(|s| to.i128(*s));
        to.u64(self.answers);
        to.u8(self.n_answers);
        for trip in &self.trips {
            to.bool(trip.is_some());
            if let Some(t) = trip {
                to.i64(t.ts.0);
                to.i128(t.why.limit);
                to.i128(t.why.actual);
                to.u8(t.why.unit as u8);
                to.u8(t.action as u8);
            }
        }
    }

    pub(crate) fn load(from: &mut Decoder<'_>) -> Result<Watch, DecodeError> {
        let mut w = Watch::default();
        for value in [&mut w.day_start, &mut w.peak, &mut w.last] {
            let some = from.bool("measure")?;
            let nano = from.i128("measure")?;
            *value = some.then_some(nano);
        }
        for _ in 0..from.len("squared returns")? {
            let square = from.i128("squared return")?;
            w.sum = w.sum.saturating_add(square);
            w.squares.push_back(square);
        }
        w.answers = from.u64("answers")?;
        w.n_answers = from.u8("answers")?;
        for (slot, rule) in w.trips.iter_mut().zip(RULES) {
            if from.bool("trip")? {
                let ts = Timestamp(from.i64("trip")?);
                let (limit, actual) = (from.i128("limit")?, from.i128("measured")?);
                let (unit, action) = (from.u8("unit")?, from.u8("action")?);
                let invalid = |what, found: u8| DecodeError::Invalid { what, at: 0, found: found.into() };
                let unit = Unit::from_byte(unit).ok_or(invalid("unit", unit))?;
                let action = Action::from_byte(action).ok_or(invalid("action", action))?;
                *slot = Some(Trip { ts, why: Refusal { rule, limit, actual, unit }, action });
            }
        }
        Ok(w)
    }
}

/// (from − to) ÷ from at 1e-9; negative for a rise. From nothing, any fall is one of the whole.
fn fall(from: i128, to: i128) -> i128 {
    let by = from.saturating_sub(to);
    if from <= 0 {
        return i128::from(NANO).saturating_mul(by.signum());
    }
    mul_div_half_even(by, i128::from(NANO), from).unwrap_or(i128::MAX)
}

/// √x, rounded up.
fn root_up(x: i128) -> i128 {
    let root = x.max(0).isqrt();
    if root.saturating_mul(root) < x { root.saturating_add(1) } else { root }
}

/// Time between two moments in which a market was open; not counted further once it is more than `enough`.
fn open_time(calendar: Option<CalendarId>, from: Timestamp, to: Timestamp, enough: i64) -> i64 {
    let Some(calendar) = calendar.filter(|c| *c != CalendarId::AlwaysOpen) else {
        return to.0.saturating_sub(from.0).max(0);
    };
    // A session may bear the date of the day before or after the one of its hours in UTC.
    let (first, last) = (Date(from.date().0.saturating_sub(1)), Date(to.date().0.saturating_add(1)));
    let mut sum = Nanos(0);
    for s in calendar.sessions(first, last) {
        sum.0 = sum.0.saturating_add(s.close.min(to).0.saturating_sub(s.open.max(from).0).max(0));
        if sum.0 > enough {
            break;
        }
    }
    sum.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker<T>(most: T) -> Option<Breaker<T>> {
        Some(Breaker { most, action: Action::ReduceOnly })
    }

    fn nano(x: &str) -> i128 {
        tradegraph_domain::parse_nano(x, tradegraph_domain::Rounding::Exact).unwrap()
    }

    /// Values 100, 110, 99, 103.95, 93.555 with returns +10 %, −10 %, +5 %, −10 %.
    #[test]
    fn measures_agree_with_the_hand() {
        let b = Breakers {
            drawdown: breaker(149_500_000),
            volatility: breaker(150_000_000),
            volatility_bars: 3,
            ..Breakers::default()
        };
        let mut w = Watch::default();
        let mut seen = vec![];
        for (ts, nav) in (1..).zip(["100", "110", "99", "103.95", "93.555"]) {
            w.value(&b, Timestamp(ts), nano(nav));
            seen.extend(w.take_changes());
        }
        // √(0.01 + 0.01) = 14.1 %, √(0.0225) = 15 % exactly is not above; after −10 %: √(0.01 + 0.0025 + 0.01) = 15 %.
        // The fall from 110 to 93.555 is 14.95 %: the limit itself does not trip.
        assert_eq!(seen, vec![]);
        w.value(&b, Timestamp(6), nano("93.5"));
        let drawdown = Refusal { rule: Rule::Drawdown, limit: 149_500_000, actual: 150_000_000, unit: Unit::NavNano };
        let trip = Trip { ts: Timestamp(6), why: drawdown, action: Action::ReduceOnly };
        assert_eq!(w.take_changes(), vec![Change::Tripped(trip)]);
        w.value(&b, Timestamp(7), nano("50"));
        let changes = w.take_changes();
        assert!(
            matches!(changes.as_slice(), [Change::Tripped(t)] if t.why.rule == Rule::Volatility),
            "a breaker trips once: {changes:?}"
        );
        assert_eq!(w.trips().map(|t| t.why.actual).next(), Some(150_000_000), "with what it measured then");
        w.lift();
        w.value(&b, Timestamp(8), nano("50"));
        assert_eq!((w.trips().count(), w.take_changes()), (0, vec![]), "the peak is the present");
    }

    #[test]
    fn a_day_is_measured_from_its_start_and_ends_only_if_it_may() {
        for resets in [false, true] {
            let b = Breakers { daily_loss: breaker(50_000_000), daily_loss_resets: resets, ..Breakers::default() };
            let mut w = Watch::default();
            w.value(&b, Timestamp(1), nano("100"));
            w.new_day(&b, Timestamp(2), Some(nano("96")));
            w.value(&b, Timestamp(3), nano("92"));
            assert_eq!(w.trips().count(), 0, "8 % over two days, 4.2 % today");
            w.value(&b, Timestamp(4), nano("91.1"));
            let why = w.trips().next().unwrap().why;
            assert_eq!((why.rule, why.actual), (Rule::DailyLoss, 51_041_667)); // 4.9 ÷ 96
            let _ = w.take_changes();
            w.new_day(&b, Timestamp(5), Some(nano("91.1")));
            let ended = Change::Ended { ts: Timestamp(5), rule: Rule::DailyLoss };
            assert_eq!(w.take_changes(), if resets { vec![ended] } else { vec![] });
            assert_eq!(w.trips().count(), usize::from(!resets));
        }
    }

    #[test]
    fn rejections_are_counted_among_the_last_answers() {
        let b = Breakers { rejects: breaker(2), rejects_of: 4, ..Breakers::default() };
        let mut w = Watch::default();
        for rejected in [true, true, false, false, false, true, true, false, false, true, false, true] {
            w.answer(&b, Timestamp(0), rejected);
            assert_eq!(w.trips().count(), 0);
        }
        w.answer(&b, Timestamp(0), true);
        assert_eq!(w.trips().map(|t| t.why.actual).collect::<Vec<_>>(), vec![3]);
        let whole = Breakers { rejects: breaker(0), rejects_of: 64, ..Breakers::default() };
        let mut w = Watch::default();
        (0..64).for_each(|_| w.answer(&whole, Timestamp(0), false));
        w.answer(&whole, Timestamp(0), true);
        assert_eq!(w.trips().count(), 1);
    }

    /// XNYS, from Friday 2024-03-01 21:00Z (the close) to Monday 16:30Z: two hours of Monday's session.
    #[test]
    fn only_time_of_open_sessions_makes_data_old() {
        let at = |date: &str, hours: i64, minutes: i64| {
            let midnight = Date::parse(date).unwrap().midnight().0;
            Timestamp(midnight + hours * Nanos::HOUR.0 + minutes * Nanos::MINUTE.0)
        };
        let (friday, monday) = (at("2024-03-01", 21, 0), at("2024-03-04", 16, 30));
        assert_eq!(open_time(Some(CalendarId::Xnys), friday, monday, i64::MAX), 2 * Nanos::HOUR.0);
        assert_eq!(open_time(None, friday, monday, i64::MAX), 67 * Nanos::HOUR.0 + 30 * Nanos::MINUTE.0);
        let tuesday = at("2024-03-05", 15, 30);
        assert_eq!(open_time(Some(CalendarId::Xnys), friday, tuesday, i64::MAX), 7 * Nanos::HOUR.0 + Nanos::HOUR.0 / 2);
    }

    #[test]
    fn the_state_survives() {
        let b = Breakers {
            daily_loss: breaker(1),
            drawdown: breaker(1),
            volatility: breaker(1),
            volatility_bars: 5,
            rejects: Some(Breaker { most: 0, action: Action::Halt }),
            rejects_of: 9,
            ..Breakers::default()
        };
        let mut w = Watch::default();
        for nav in [100, 90, 95, 80] {
            w.value(&b, Timestamp(nav), i128::from(nav) * i128::from(NANO));
        }
        w.answer(&b, Timestamp(5), true);
        let bytes = |w: &Watch| {
            let mut e = Encoder::new();
            w.save(&mut e);
            e.into_bytes()
        };
        let saved = bytes(&w);
        let again = Watch::load(&mut Decoder::new(&saved)).unwrap();
        assert_eq!(bytes(&again), saved);
        assert_eq!((again.sum, again.trips), (w.sum, w.trips));
        assert_eq!(again.trips().count(), 4);
    }
}
