//! A run in blocks, with quiet rows passed over and rules evaluated for a block, is the plain story told tick by tick.

use super::*;
use crate as engine;
use crate::config::Schedule;
use crate::records::{Record, decode};
use fixture::{MINUTE, START, Walk, binding, config, naive, result, roads, run, try_run, with_actions};
use tradegraph_domain::{Nanos, Timestamp};
use tradegraph_market::calendar::CalendarId;

#[path = "../../tests/it/fixture.rs"]
pub(crate) mod fixture;

/// The story: one `step` an event, in naive order, without any preparation.
fn told_tick_by_tick(config: &RunConfig) -> (State, Vec<u8>) {
    let mut state = State::new(config).unwrap();
    let mut out = Effects::default();
    for (key, about, payload) in naive(config) {
        let seq = state.next_seq();
        step(&mut state, &Event { seq, ts: key.ts, about, payload }, &mut out);
    }
    assert_eq!(state.fault(), None);
    state.desk.finish();
    out.absorb(&mut state.desk.out);
    (state, out.records.into_bytes())
}

/// The records of a run without those of its journal: what binds it and the hashes of its snapshots.
fn story(bytes: &[u8]) -> Vec<Record> {
    let all = decode(bytes).unwrap().into_iter();
    all.filter(|r| !matches!(r, Record::Binding(_) | Record::StateHash { .. })).collect()
}

fn assert_same_story(name: &str, config: &RunConfig) -> Counts {
    let (outcome, journal) = run(config);
    let (state, bytes) = told_tick_by_tick(config);
    let mut e = Encoder::new();
    state.save(&mut e);
    // Record by record: a whole story is too long to be read.
    for (k, (a, b)) in story(&journal.bytes()).iter().zip(&story(&bytes)).enumerate() {
        assert_eq!(a, b, "{name}: record {k}");
    }
    assert_eq!(story(&journal.bytes()).len(), story(&bytes).len(), "{name}: records");
    assert_eq!(outcome.n_events, state.desk.seq.0, "{name}: events");
    assert_eq!(outcome.rolling, state.desk.hash.value(), "{name}: rolling hash");
    assert_eq!(outcome.state_hash, *blake3::hash(e.as_bytes()).as_bytes(), "{name}: state hash");
    assert_eq!(outcome.final_nav, state.desk.books.nav());
    assert_eq!(outcome.equity, state.desk.equity.points());
    assert!(state.desk.books.is_sound());
    outcome.counts
}

/// Data of one feed: whole, with gaps, wide, series of closes.
fn one_feed() -> Vec<(&'static str, Walk)> {
    let w = Walk::default();
    vec![
        ("one instrument", Walk { n: 1, rows: 400, move_ppm: 2_000, ..w }),
        ("quiet", Walk { n: 1, rows: 3_000, move_ppm: 300, ..w }),
        ("three with gaps", Walk { missing: 150, ..w }),
        ("one with gaps", Walk { n: 1, rows: 500, missing: 300, ..w }),
        ("twenty", Walk { n: 20, rows: 80, missing: 50, ..w }),
        ("closes", Walk { has_open: false, missing: 100, ..w }),
        ("days", Walk { period: Nanos::DAY.0, ..w }),
    ]
}

#[test]
fn a_run_is_the_story_told_tick_by_tick() {
    for (data, walk) in one_feed() {
        for (name, config) in roads(vec![walk.batch()]) {
            let counts = assert_same_story(&format!("{name}, {data}"), &config);
            assert!(counts.fills > 0, "{name}, {data}: nothing happened");
            let counts = assert_same_story(&format!("{name}, {data}, with actions"), &with_actions(config));
            assert!(counts.fills > 0, "{name}, {data}, with actions: nothing happened");
        }
    }
}

#[test]
fn also_over_several_feeds_and_schedules() {
    let minutes = Walk { rows: 600, missing: 100, ..Walk::default() };
    let hours = Walk { seed: 2, rows: 10, period: 60 * MINUTE, ..Walk::default() };
    let late = Walk { seed: 3, rows: 30, period: 17 * MINUTE, start: Timestamp(START.0 + 5 * MINUTE), ..minutes };
    let closes = Walk { has_open: false, ..late };
    let schedules = [
        vec![Schedule::OnBars(FeedId(0))],
        vec![Schedule::OnBars(FeedId(1))],
        vec![Schedule::Every(Nanos(7 * MINUTE)), Schedule::OnBars(FeedId(1))],
        vec![Schedule::OnClose(CalendarId::AlwaysOpen), Schedule::Every(Nanos(25 * MINUTE))],
    ];
    for (data, second) in [("hours", hours), ("late", late), ("closes", closes)] {
        for schedules in &schedules {
            for (name, c) in roads(vec![minutes.batch(), second.batch()]) {
                let agents = vec![crate::AgentConfig::Rule(fixture::crossing(1)), fixture::momentum(0)];
                let c = RunConfig { schedules: schedules.clone(), agents, ..c };
                assert_same_story(&format!("{name}, {data}, {schedules:?}"), &c);
                assert_same_story(&format!("{name}, {data}, {schedules:?}, with actions"), &with_actions(c));
            }
        }
    }
}

/// Quiet rows are really passed over: without that the comparison above would prove little.
#[test]
fn quiet_rows_do_not_wake_the_council() {
    let c = config(vec![Walk { n: 1, rows: 3_000, move_ppm: 300, ..Walk::default() }.batch()]);
    let (outcome, _) = run(&c);
    assert!(outcome.counts.fills > 10, "{:?}", outcome.counts);
    // The first decision, and one for every change of side.
    assert!(outcome.counts.cycles <= outcome.counts.orders + 2, "{:?}", outcome.counts);
    assert_eq!(outcome.n_events, 3 * 3_000 + outcome.counts.orders + outcome.counts.fills);
}

#[test]
fn nothing_to_run_is_an_error() {
    let c = config(vec![Walk::default().batch()]);
    let without = |c: RunConfig| try_run(&c, None).unwrap_err().to_string();
    assert!(without(RunConfig { feeds: vec![], ..c.clone() }).contains("no data"));
    assert!(without(RunConfig { schedules: vec![], ..c }).contains("no schedule"));
}

#[test]
fn progress_ends_at_all_rows() {
    let c = RunConfig { block_rows: Some(16), ..config(vec![Walk::default().batch()]) };
    let mut seen = vec![];
    let mut journal = fixture::Recorder::default();
    let mut test = BackTest::new(c.clone(), None).unwrap();
    let outcome = test.run(&binding(&c), &mut journal, &mut |p| seen.push(p)).unwrap();
    assert!(seen.windows(2).all(|w| w[0].rows_done < w[1].rows_done && w[0].ts < w[1].ts));
    assert_eq!(seen.last().map(|p| (p.rows_done, p.rows_total)), Some((300, 300)));
    assert_eq!(test.state().desk().counts().fills, result(outcome).counts.fills);
}
