//! One configuration has one result: whatever the blocks, the threads and the records are.

use crate::engine::{AllocatorConfig, RecordLevel, RunConfig, Schedule};
use crate::fixture::{
    MINUTE, Recorder, START, Walk, close, config, council, crossing, decisions, fills, fused, momentum, result, roads,
    run, try_run, units, usd, with_actions,
};
use std::sync::Arc;
use tradegraph_agents::RuleSpec;
use tradegraph_domain::{FeedId, Nanos, Timestamp};
use tradegraph_engine::AgentConfig;
use tradegraph_engine::records::Record;
use tradegraph_portfolio::DirectSize;

/// Everything that a run leaves behind.
fn trace(c: &RunConfig, threads: Option<usize>) -> (tradegraph_engine::Outcome, Recorder) {
    let pool = threads.map(|n| Arc::new(rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap()));
    let (outcome, journal) = try_run(c, pool).unwrap();
    (result(outcome), journal)
}

fn two_feeds() -> Vec<(&'static str, RunConfig)> {
    let minutes = Walk { rows: 200, missing: 100, ..Walk::default() };
    let start = Timestamp(START.0 + 5 * MINUTE);
    let late = Walk { seed: 3, rows: 13, period: 15 * MINUTE, start, missing: 50, ..Walk::default() };
    let schedules = vec![Schedule::OnBars(FeedId(0)), Schedule::Every(Nanos::HOUR)];
    let agents = vec![AgentConfig::Rule(crossing(1)), momentum(0)];
    let change = |c| RunConfig { schedules: schedules.clone(), agents: agents.clone(), ..c };
    roads(vec![minutes.batch(), late.batch()]).into_iter().map(|(name, c)| (name, change(c))).collect()
}

#[test]
fn blocks_of_any_size_leave_the_same_journal() {
    let one = roads(vec![Walk { missing: 80, ..Walk::default() }.batch()]);
    let all: Vec<_> = one.into_iter().chain(two_feeds()).collect();
    let acted: Vec<_> = all.iter().map(|(name, c)| (*name, with_actions(c.clone()))).collect();
    for (name, c) in all.into_iter().chain(acted) {
        let of = |block_rows| trace(&RunConfig { block_rows, snapshot_rows: 50, ..c.clone() }, None);
        let (outcome, journal) = of(Some(1));
        assert!(outcome.counts.fills > 0, "{name}");
        assert!(journal.snapshots.len() > 3, "{name}");
        for block_rows in [Some(7), Some(50), Some(64), None] {
            let (other, again) = of(block_rows);
            assert_eq!(outcome, other, "{name}, blocks of {block_rows:?}");
            assert!(journal == again, "{name}, blocks of {block_rows:?}: groups or snapshots differ");
        }
    }
}

#[test]
fn when_snapshots_are_taken_changes_nothing_but_their_hashes() {
    let c = council(vec![Walk::default().batch()]);
    let story = |snapshot_rows| {
        let (outcome, journal) = trace(&RunConfig { snapshot_rows, ..c.clone() }, None);
        let all = journal.records().into_iter().filter(|r| !matches!(r, Record::StateHash { .. }));
        (outcome, all.collect::<Vec<_>>())
    };
    let whole = story(u32::MAX);
    for rows in [0, 1, 17, 299, 300, 301] {
        assert!(whole == story(rows), "a snapshot every {rows} rows");
    }
}

#[test]
fn threads_change_nothing() {
    for (name, c) in roads(vec![Walk { missing: 80, ..Walk::default() }.batch()]) {
        let alone = trace(&c, None);
        assert!(alone == trace(&c, Some(1)), "{name}, one thread");
        assert!(alone == trace(&c, Some(2)), "{name}, two threads");
    }
}

/// More than one chunk of 8,192 instruments, so that features are computed by several threads.
#[test]
fn threads_change_nothing_in_a_wide_universe() {
    let walk = Walk { n: 9_000, rows: 14, missing: 20, ..Walk::default() };
    let batch = walk.batch();
    let up = RuleSpec { features: vec![("close".into(), close(0))], long: Some("close > 50".into()), ..crossing(0) };
    let base = RunConfig { cash: usd(2_000_000), agents: vec![AgentConfig::Rule(crossing(0))], ..config(vec![batch]) };
    let limits = tradegraph_controls::Limits { open_orders: None, ..base.limits.clone() };
    let base = RunConfig { limits, ..base };
    let few = || AllocatorConfig::Direct { size: DirectSize::Quantity(units(1)), allow_short: false };
    let all = [
        ("direct", RunConfig { allocator: few(), ..base.clone() }),
        ("direct without cash", RunConfig { allocator: few(), cash: usd(100_000), ..base.clone() }),
        ("council", RunConfig { agents: vec![AgentConfig::Rule(up)], allocator: fused(1, 80, 0, false), ..base }),
    ];
    for (name, c) in all {
        let alone = trace(&c, None);
        assert!(alone.0.counts.fills > 1_000, "{name}: {:?}", alone.0.counts);
        assert!(alone == trace(&c, Some(1)), "{name}, one thread");
        assert!(alone == trace(&c, Some(2)), "{name}, two threads");
    }
}

#[test]
fn what_is_recorded_changes_no_fill() {
    let one = roads(vec![Walk { missing: 80, ..Walk::default() }.batch()]);
    for (name, c) in one.into_iter().chain(two_feeds()).map(|(name, c)| (name, with_actions(c))) {
        let of = |record| trace(&RunConfig { record, ..c.clone() }, None);
        let (full, with_reasons) = of(RecordLevel::Reasons);
        let (short, outcomes) = of(RecordLevel::Outcomes);
        let (silent, hashes) = of(RecordLevel::Hashes);
        for other in [&short, &silent] {
            assert_eq!((&full.counts, &full.final_nav), (&other.counts, &other.final_nav), "{name}");
            assert_eq!((full.n_events, &full.equity), (other.n_events, &other.equity), "{name}");
        }
        let (rich, poor) = (with_reasons.records(), outcomes.records());
        assert_eq!(fills(&rich), fills(&poor), "{name}");
        let what = |records: &[Record]| {
            decisions(records).into_iter().map(|d| (d.seq, d.order, d.refusal, d.price, d.nav_nano)).collect::<Vec<_>>()
        };
        assert_eq!(what(&rich), what(&poor), "{name}");
        assert!(decisions(&poor).iter().all(|d| d.waterfall.base.is_empty() && d.evidence.is_empty()));
        let all = hashes.records();
        assert!(all.iter().all(|r| matches!(r, Record::Binding(_) | Record::StateHash { .. })), "{name}");
    }
}

#[test]
fn a_seed_and_the_data_are_part_of_the_hash() {
    let walk = Walk { rows: 60, ..Walk::default() };
    let c = config(vec![walk.batch()]);
    let (outcome, _) = run(&c);
    let (again, _) = run(&c);
    let (seeded, _) = run(&RunConfig { seed: 8, ..c });
    let (shorter, _) = run(&config(vec![Walk { rows: 59, ..walk }.batch()]));
    assert_eq!(outcome, again);
    assert_ne!(outcome.rolling, seeded.rolling);
    assert_ne!(outcome.state_hash, seeded.state_hash);
    assert_ne!(outcome.rolling, shorter.rolling);
}

/// Two runs with the same events whose fills cost something else.
#[test]
fn what_happens_is_part_of_the_rolling_hash() {
    let c = config(vec![Walk { rows: 60, ..Walk::default() }.batch()]);
    let frictions = tradegraph_execution::Frictions { half_spread: tradegraph_domain::Bps::ZERO, ..c.frictions };
    let (dear, _) = run(&c);
    let (cheap, _) = run(&RunConfig { frictions, ..c });
    assert_eq!((dear.n_events, dear.counts.fills), (cheap.n_events, cheap.counts.fills));
    assert_ne!(dear.rolling, cheap.rolling);
}
