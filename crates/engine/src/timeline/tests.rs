use super::*;
use crate as engine;
use crate::backtest::tests::fixture::{START, Walk, action, config, naive};
use engine::RunConfig;
use proptest::prelude::*;
use tradegraph_domain::{ActionKind, Nanos};

const MINUTE: i64 = Nanos::MINUTE.0;
const HOUR: i64 = Nanos::HOUR.0;

/// Ticks in blocks of the sizes given (the last one repeats), each as (ts, class, source, row).
fn stream(config: &RunConfig, sizes: &[u32]) -> Vec<Tick> {
    let mut timeline = Timeline::new(config.feeds.clone(), config.schedules.clone(), config.actions.clone());
    let (mut all, mut block) = (vec![], vec![]);
    let last = *sizes.last().unwrap();
    for rows in sizes.iter().copied().chain(std::iter::repeat(last)) {
        timeline.next_block(rows, &mut block);
        if block.is_empty() {
            return all;
        }
        assert_block(&block, rows, all.last());
        all.append(&mut block);
    }
    all
}

/// A block ends after the bars and decisions of a moment (only actions and opens may follow at it), and no feed has more
/// rows in it than was asked.
fn assert_block(block: &[Tick], rows: u32, before: Option<&Tick>) {
    let first = block[0];
    let may_follow = matches!(first.payload, Open(..) | Action(_));
    assert!(before.is_none_or(|b| b.ts < first.ts || may_follow), "{before:?}, {first:?}");
    let of_feed = |f| block.iter().filter(|t| matches!(t.payload, Bars(feed, _) if feed == f)).count();
    assert!((0..4).all(|f| of_feed(FeedId(f)) <= rows as usize));
}

/// The naive sort in the timeline's own terms.
fn expected(config: &RunConfig) -> Vec<Tick> {
    let tick = |(key, _, payload): (SourceKey, Interval, Payload)| {
        let payload = match payload {
            Payload::Bars(at) => TickPayload::Bars(at.feed, at.row),
            Payload::Open(at) => TickPayload::Open(at.feed, at.row),
            Payload::Decide(id) => TickPayload::Decide(id),
            Payload::Action(at) => TickPayload::Action(at),
            other => panic!("{other:?} comes from outside"),
        };
        Tick { ts: key.ts, payload }
    };
    naive(config).into_iter().map(tick).collect()
}

fn at_feed(start: i64, period: i64, rows: usize, has_open: bool) -> Batch {
    Walk { n: 1, rows, start: Timestamp(START.0 + start), period, has_open, ..Walk::default() }.batch()
}

fn with(feeds: Vec<Batch>, schedules: &[Schedule]) -> RunConfig {
    RunConfig { schedules: schedules.to_vec(), ..config(feeds) }
}

/// Payloads at one moment, in order.
fn at(ticks: &[Tick], ts: i64) -> Vec<TickPayload> {
    ticks.iter().filter(|t| t.ts.0 == START.0 + ts).map(|t| t.payload).collect()
}

fn decides(ticks: &[Tick]) -> Vec<(Timestamp, u16)> {
    let one = |t: &Tick| if let TickPayload::Decide(id) = t.payload { Some((t.ts, id.0)) } else { None };
    ticks.iter().filter_map(one).collect()
}

use TickPayload::{Action, Bars, Decide, Open};
const F0: FeedId = FeedId(0);
const F1: FeedId = FeedId(1);

#[test]
fn at_one_moment_bars_come_before_the_decision_and_it_before_opens() {
    let c = with(vec![at_feed(0, MINUTE, 3, true)], &[Schedule::OnBars(F0)]);
    let ticks = stream(&c, &[100]);
    assert_eq!(at(&ticks, MINUTE), vec![Bars(F0, 0), Decide(ScheduleId(0)), Open(F0, 1)]);
    assert_eq!(ticks.first().map(|t| t.payload), Some(Open(F0, 0)));
    assert_eq!(ticks.last().map(|t| t.payload), Some(Decide(ScheduleId(0))));
}

#[test]
fn actions_come_after_what_was_traded_before_them() {
    let split = ActionKind::Split { new: 2, old: 1 };
    let at_minute = |m: i64| Timestamp(START.0 + m * MINUTE);
    let all = [at_minute(1), at_minute(0), Timestamp(START.0 - 1), Timestamp(at_minute(2).0 - 1), at_minute(3)];
    let all = all.map(|ts| action(ts, 0, split)).to_vec();
    let c = with(vec![at_feed(0, MINUTE, 3, true)], &[Schedule::OnBars(F0)]);
    let c = RunConfig { actions: Arc::new(Actions::new(all, vec![]).unwrap()), ..c };
    let ticks = stream(&c, &[100]);
    assert_eq!(at(&ticks, 0), vec![Action(1), Open(F0, 0)]);
    assert_eq!(at(&ticks, MINUTE), vec![Bars(F0, 0), Decide(ScheduleId(0)), Action(2), Open(F0, 1)]);
    assert_eq!(at(&ticks, 2 * MINUTE - 1), vec![Action(3)]);
    // Neither the one before the first bar nor the one at the end of the last.
    assert_eq!(ticks.iter().filter(|t| matches!(t.payload, Action(_))).count(), 3);
}

#[test]
fn feeds_of_one_moment_come_by_rank() {
    let feeds = vec![at_feed(0, MINUTE, 4, true), at_feed(0, MINUTE, 4, true)];
    let ticks = stream(&with(feeds, &[Schedule::OnBars(F1)]), &[1]);
    let id = ScheduleId(0);
    assert_eq!(at(&ticks, MINUTE), vec![Bars(F0, 0), Bars(F1, 0), Decide(id), Open(F0, 1), Open(F1, 1)]);
}

#[test]
fn schedules_of_one_moment_decide_once_each_by_rank() {
    let feeds = vec![at_feed(0, MINUTE, 120, true), at_feed(0, HOUR, 2, true)];
    let schedules = [Schedule::Every(Nanos::HOUR), Schedule::OnBars(F0), Schedule::OnBars(F1)];
    let ticks = stream(&with(feeds, &schedules), &[7]);
    assert_eq!(
        at(&ticks, HOUR),
        vec![
            Bars(F0, 59),
            Bars(F1, 0),
            Decide(ScheduleId(0)),
            Decide(ScheduleId(1)),
            Decide(ScheduleId(2)),
            Open(F0, 60),
            Open(F1, 1),
        ]
    );
    let mut all = decides(&ticks);
    let n = all.len();
    all.dedup();
    assert_eq!((all.len(), n), (n, 3 + 120 + 2), "midnight, 01:00 and 02:00; a minute each; an hour each");
}

#[test]
fn every_hour_means_whole_hours_also_between_bars() {
    // Bars of 45 minutes from 00:10: known at 00:55, 01:40, 02:25, 03:10.
    let c = with(vec![at_feed(10 * MINUTE, 45 * MINUTE, 4, false)], &[Schedule::Every(Nanos::HOUR)]);
    let ticks = stream(&c, &[2]);
    let hours: Vec<_> = decides(&ticks).iter().map(|(ts, _)| (ts.0 - START.0) / HOUR).collect();
    assert_eq!(hours, vec![1, 2, 3]);
    assert_eq!(at(&ticks, 3 * HOUR), vec![Decide(ScheduleId(0))]);
    // Before 1970 as well.
    let early = Walk { n: 1, rows: 3, start: Timestamp(-90 * MINUTE), period: HOUR, ..Walk::default() }.batch();
    let ticks = stream(&with(vec![early], &[Schedule::Every(Nanos::HOUR)]), &[9]);
    assert_eq!(decides(&ticks).iter().map(|(ts, _)| ts.0 / HOUR).collect::<Vec<_>>(), vec![-1, 0, 1]);
}

#[test]
fn closes_of_new_york_on_half_days_and_across_summer_time() {
    let days = |from: &str, n: usize| {
        let start = Date::parse(from).unwrap().midnight();
        let feed = Walk { n: 1, rows: n, start, period: Nanos::DAY.0, ..Walk::default() }.batch();
        let ticks = stream(&with(vec![feed], &[Schedule::OnClose(CalendarId::Xnys)]), &[3]);
        let clock = |ts: Timestamp| {
            let (_, month, day) = ts.date().ymd();
            let minutes = (ts.0 - ts.date().midnight().0) / MINUTE;
            format!("{month:02}-{day:02} {:02}:{:02}", minutes / 60, minutes % 60)
        };
        decides(&ticks).iter().map(|(ts, _)| clock(*ts)).collect::<Vec<_>>()
    };
    // Published by the exchange: 13:00 in New York on 3 July and on the day after Thanksgiving.
    assert_eq!(days("2024-07-02", 5), vec!["07-02 20:00", "07-03 17:00", "07-05 20:00"]);
    assert_eq!(days("2024-11-27", 4), vec!["11-27 21:00", "11-29 18:00"]);
    assert_eq!(days("2024-03-08", 4), vec!["03-08 21:00", "03-11 20:00"]);
    assert_eq!(days("2024-11-01", 4), vec!["11-01 20:00", "11-04 21:00"]);
}

#[test]
fn a_close_at_the_first_and_at_the_last_instant_counts() {
    let close = CalendarId::Xnys.session(Date::parse("2024-07-03").unwrap()).unwrap().close;
    let feed = |start: i64, rows: usize| {
        Walk { n: 1, rows, start: Timestamp(start), period: MINUTE, ..Walk::default() }.batch()
    };
    let count = |b| decides(&stream(&with(vec![b], &[Schedule::OnClose(CalendarId::Xnys)]), &[2])).len();
    assert_eq!(count(feed(close.0, 2)), 1);
    assert_eq!(count(feed(close.0 - 2 * MINUTE, 2)), 1);
    assert_eq!(count(feed(close.0 - 2 * MINUTE - 1, 2)), 0);
    assert_eq!(count(feed(close.0 + 1, 2)), 0);
}

#[test]
fn a_day_of_the_market_that_never_closes_ends_at_midnight() {
    let c = with(vec![at_feed(0, HOUR, 49, true)], &[Schedule::OnClose(CalendarId::AlwaysOpen)]);
    let days: Vec<_> = decides(&stream(&c, &[5])).iter().map(|(ts, _)| (ts.0 - START.0) / Nanos::DAY.0).collect();
    assert_eq!(days, vec![0, 1, 2]);
}

#[test]
fn series_of_closes_have_no_opens() {
    let c = with(vec![at_feed(0, MINUTE, 5, false)], &[Schedule::OnBars(F0)]);
    assert!(!stream(&c, &[2]).iter().any(|t| matches!(t.payload, Open(..))));
}

#[test]
fn an_event_is_about_its_bar() {
    let c = with(vec![at_feed(0, MINUTE, 2, true)], &[Schedule::OnBars(F0)]);
    let mine: Vec<_> = stream(&c, &[9]).iter().map(|t| (t.ts, t.event(&c.feeds))).collect();
    let theirs: Vec<_> = naive(&c).into_iter().map(|(key, about, payload)| (key.ts, (about, payload))).collect();
    assert_eq!(mine, theirs);
}

/// A feed and a schedule as drawn numbers.
fn markets() -> impl Strategy<Value = RunConfig> {
    let period = prop_oneof![Just(MINUTE), Just(7 * MINUTE), Just(HOUR), Just(6 * HOUR), Just(Nanos::DAY.0)];
    let feed = (0_i64..200, period, 1_usize..40, any::<bool>());
    let schedule = prop_oneof![
        (0_u16..4).prop_map(|f| Schedule::OnBars(FeedId(f))),
        Just(Schedule::OnClose(CalendarId::Xnys)),
        Just(Schedule::OnClose(CalendarId::AlwaysOpen)),
        (1_i64..500).prop_map(|m| Schedule::Every(Nanos(m * MINUTE))),
    ];
    let actions = prop::collection::vec((0_i64..3_000, 0_i64..2), 0..6);
    let all = (prop::collection::vec(feed, 1..4), prop::collection::vec(schedule, 1..4), actions);
    all.prop_map(|(feeds, schedules, actions)| {
        let feeds = feeds.into_iter().map(|(s, p, rows, open)| at_feed(s * MINUTE, p, rows, open)).collect();
        let split = |(new, (minute, offset)): (u32, (i64, i64))| {
            action(Timestamp(START.0 + minute * MINUTE + offset), new, ActionKind::Split { new: 2, old: 1 })
        };
        let actions = Actions::new((0..).zip(actions).map(split).collect(), vec![]).unwrap();
        RunConfig { actions: Arc::new(actions), ..with(feeds, &schedules) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Any feeds and schedules, in blocks of any sizes, give the naive sort of all events.
    #[test]
    fn blocks_of_any_size_give_the_sorted_stream(c in markets(), sizes in prop::collection::vec(1_u32..30, 1..6)) {
        let want = expected(&c);
        prop_assert_eq!(&stream(&c, &sizes), &want);
        prop_assert_eq!(&stream(&c, &[u32::MAX]), &want);
    }

    /// A timeline that was saved between blocks and read by a new one goes on as if nothing had happened.
    #[test]
    fn a_saved_timeline_goes_on(c in markets(), sizes in prop::collection::vec(1_u32..10, 1..30)) {
        let fresh = || Timeline::new(c.feeds.clone(), c.schedules.clone(), c.actions.clone());
        let (mut timeline, mut all, mut block) = (fresh(), vec![], vec![]);
        for rows in sizes.into_iter().chain(std::iter::repeat(50)) {
            let mut e = Encoder::new();
            timeline.save(&mut e);
            let before = timeline.progress();
            timeline = fresh();
            let mut d = Decoder::new(e.as_bytes());
            timeline.load(&mut d).unwrap();
            d.finish().unwrap();
            prop_assert_eq!(timeline.progress(), before);
            timeline.next_block(rows, &mut block);
            if block.is_empty() {
                break;
            }
            all.append(&mut block);
        }
        prop_assert_eq!(all, expected(&c));
        let (done, total) = timeline.progress();
        prop_assert_eq!(done, total);
    }

    /// The fast way of one feed that decides on its bars is the general merge.
    #[test]
    fn row_by_row_is_the_merge(gaps in prop::collection::vec(0_i64..3, 1..60), has_open in any::<bool>(), rows in 1_u32..20) {
        let mut parts = Walk { n: 1, rows: gaps.len(), has_open, ..Walk::default() }.parts();
        let mut now = START.0;
        for (k, gap) in gaps.iter().enumerate() {
            parts.starts[k] = Timestamp(now + gap * MINUTE);
            now = parts.starts[k].0 + MINUTE;
            parts.ends[k] = Timestamp(now);
        }
        let c = with(vec![Batch::new(parts).unwrap()], &[Schedule::OnBars(F0)]);
        let mut timeline = Timeline::new(c.feeds.clone(), c.schedules.clone(), c.actions.clone());
        prop_assert!(timeline.is_row_by_row());
        let mut all = vec![];
        loop {
            let range = timeline.next_rows(rows);
            if range.is_empty() {
                break;
            }
            for row in range {
                let about = c.feeds[0].interval(row as usize);
                if has_open {
                    all.push(Tick { ts: about.start, payload: Open(F0, row) });
                }
                all.push(Tick { ts: about.end, payload: Bars(F0, row) });
                all.push(Tick { ts: about.end, payload: Decide(ScheduleId(0)) });
            }
        }
        prop_assert_eq!(all, expected(&c));
        prop_assert_eq!(timeline.progress(), (gaps.len() as u64, gaps.len() as u64));
    }
}

#[test]
fn only_one_feed_that_decides_on_its_bars_goes_row_by_row() {
    let one = || vec![at_feed(0, MINUTE, 3, true)];
    let is = |feeds: Vec<Batch>, schedules: &[Schedule]| {
        Timeline::new(feeds.into_iter().map(Arc::new).collect(), schedules.to_vec(), Arc::default()).is_row_by_row()
    };
    assert!(is(one(), &[Schedule::OnBars(F0)]));
    assert!(!is(one(), &[Schedule::OnBars(F1)]));
    assert!(!is(one(), &[Schedule::Every(Nanos::MINUTE)]));
    assert!(!is(one(), &[Schedule::OnBars(F0), Schedule::OnBars(F0)]));
    assert!(!is([one(), one()].concat(), &[Schedule::OnBars(F0)]));
}

#[test]
fn a_timeline_of_more_rows_is_refused() {
    let long = with(vec![at_feed(0, MINUTE, 9, true)], &[Schedule::OnBars(F0)]);
    let mut timeline = Timeline::new(long.feeds.clone(), long.schedules.clone(), long.actions.clone());
    timeline.next_block(8, &mut vec![]);
    let mut e = Encoder::new();
    timeline.save(&mut e);
    let short = with(vec![at_feed(0, MINUTE, 5, true)], &[Schedule::OnBars(F0)]);
    let mut other = Timeline::new(short.feeds.clone(), short.schedules.clone(), short.actions.clone());
    assert!(matches!(
        other.load(&mut Decoder::new(e.as_bytes())),
        Err(DecodeError::Mismatch { what: "rows done", .. })
    ));
    for cut in 0..e.as_bytes().len() {
        assert!(timeline.load(&mut Decoder::new(&e.as_bytes()[..cut])).is_err());
    }
}

#[test]
fn trades_settle_by_the_calendar_of_new_york() {
    let noon = |day: &str| Timestamp(Date::parse(day).unwrap().midnight().0 + 12 * HOUR);
    let settles = |day: &str, days| settlement(noon(day), days).map(|d| d.ymd());
    assert_eq!(settles("2024-07-03", Some(1)), Some((2024, 7, 5)), "Independence Day");
    assert_eq!(settles("2024-03-28", Some(2)), Some((2024, 4, 2)), "Good Friday and a weekend");
    assert_eq!(settles("2024-03-28", None), None);
    assert_eq!(settles("1980-01-01", Some(2)), None, "before the calendar: settles at once");
}
