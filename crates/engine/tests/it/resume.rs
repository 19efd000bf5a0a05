//! A run that stops at any snapshot and goes on in a new process ends as if it had never stopped.

use crate::engine::{BackTest, RunConfig, RunFailure, Schedule, Snapshot, StateError};
use crate::fixture::{
    Draws, MINUTE, Recorder, START, Walk, binding, config, council, result, roads, run, with_actions,
};
use tradegraph_domain::{FeedId, Nanos, Timestamp};

fn resumed(c: &RunConfig, from: &Snapshot, full: &Recorder) -> (tradegraph_engine::Outcome, Recorder) {
    let before = full.groups.iter().filter(|g| g.index < from.next_group).cloned().collect();
    let taken = full.snapshots.iter().filter(|s| s.next_group <= from.next_group).cloned().collect();
    let mut journal = Recorder { groups: before, snapshots: taken };
    let mut test = BackTest::new(c.clone(), None).unwrap();
    test.resume_from(from).unwrap();
    let outcome = test.run(&binding(c), &mut journal, &mut |_| ()).unwrap();
    (outcome, journal)
}

pub fn check_every_snapshot(name: &str, c: &RunConfig) {
    let (outcome, full) = run(c);
    assert!(full.snapshots.len() > 4, "{name}");
    for snapshot in &full.snapshots {
        let (again, journal) = resumed(c, snapshot, &full);
        let seq = snapshot.seq;
        assert_eq!(result(again), result(outcome.clone()), "{name}, from event {seq}");
        assert!(journal == full, "{name}, from event {seq}: the journal differs");
    }
}

#[test]
fn every_snapshot_of_one_feed() {
    for walk in [Walk { missing: 80, ..Walk::default() }, Walk { n: 1, rows: 300, move_ppm: 600, ..Walk::default() }] {
        for (name, c) in roads(vec![walk.batch()]) {
            let c = RunConfig { snapshot_rows: 37, block_rows: Some(10), ..c };
            check_every_snapshot(name, &c);
            check_every_snapshot(&format!("{name} with actions"), &with_actions(c));
        }
    }
    // The last row is the end of a stretch between snapshots.
    let even = config(vec![Walk { rows: 120, ..Walk::default() }.batch()]);
    check_every_snapshot("even", &RunConfig { snapshot_rows: 20, ..even });
}

#[test]
fn every_snapshot_of_two_feeds() {
    let minutes = Walk { rows: 150, missing: 100, ..Walk::default() };
    let start = Timestamp(START.0 + 5 * MINUTE);
    let late = Walk { seed: 3, rows: 20, period: 15 * MINUTE, start, has_open: false, ..Walk::default() };
    let schedules = vec![Schedule::OnBars(FeedId(1)), Schedule::Every(Nanos(11 * MINUTE))];
    for (name, c) in roads(vec![minutes.batch(), late.batch()]) {
        let c = RunConfig { schedules: schedules.clone(), snapshot_rows: 23, ..c };
        check_every_snapshot(name, &c);
        check_every_snapshot(&format!("{name} with actions"), &with_actions(c));
    }
}

/// Orders rest over the snapshot and wishes wait in their pauses: what a restart loses most easily.
#[test]
fn snapshots_with_open_orders_and_pauses() {
    let walk = Walk { n: 4, rows: 90, missing: 400, ..Walk::default() };
    for (name, c) in roads(vec![walk.batch()]) {
        let c = RunConfig { snapshot_rows: 1, cash: crate::fixture::usd(400), ..c };
        check_every_snapshot(name, &c);
        check_every_snapshot(&format!("{name} with actions"), &with_actions(c));
    }
}

#[test]
fn a_damaged_snapshot_is_refused() {
    let c = council(vec![Walk { rows: 60, ..Walk::default() }.batch()]);
    let (_, full) = run(&RunConfig { snapshot_rows: 30, ..c.clone() });
    let good = &full.snapshots[0];
    let try_it = |s: &Snapshot| BackTest::new(c.clone(), None).unwrap().resume_from(s);
    assert!(try_it(good).is_ok());
    let mut draws = Draws(5);
    for _ in 0..200 {
        let mut bad = good.clone();
        let at = draws.next() as usize % bad.state.len();
        bad.state[at] ^= 1 << (draws.next() % 8);
        assert!(matches!(try_it(&bad), Err(RunFailure::State(StateError::Damaged { seq })) if seq == good.seq));
    }
    let short = Snapshot { state: good.state[..good.state.len() - 1].to_vec(), ..good.clone() };
    assert!(try_it(&short).is_err());
    assert!(try_it(&Snapshot { seq: good.seq + 1, ..good.clone() }).is_err());
}

/// Bytes with a hash that fits are still no reason to panic: they are an error, or a state that could exist.
#[test]
fn forged_bytes_do_not_panic() {
    let c = with_actions(council(vec![Walk { rows: 60, missing: 100, ..Walk::default() }.batch()]));
    let (_, full) = run(&RunConfig { snapshot_rows: 30, ..c.clone() });
    let mut test = BackTest::new(c.clone(), None).unwrap();
    let mut forged = |state: Vec<u8>| {
        let hash = *blake3::hash(&state).as_bytes();
        test.resume_from(&Snapshot { hash, state, ..full.snapshots[0].clone() })
    };
    let good = &full.snapshots[0].state;
    for cut in 0..good.len() {
        assert!(forged(good[..cut].to_vec()).is_err(), "{cut} bytes");
    }
    assert!(forged([good.as_slice(), &[0]].concat()).is_err(), "a byte too many");
    let mut refused = 0;
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        refused += usize::from(forged(bytes).is_err());
    }
    assert!(refused > 0);
}

#[test]
fn a_snapshot_of_another_run_is_refused() {
    let walk = Walk { rows: 60, ..Walk::default() };
    let c = council(vec![walk.batch()]);
    let (_, full) = run(&RunConfig { snapshot_rows: 30, ..c.clone() });
    let wider = council(vec![Walk { n: 4, ..walk }.batch()]);
    let shorter = council(vec![Walk { rows: 20, ..walk }.batch()]);
    let direct = config(vec![walk.batch()]);
    for other in [wider, shorter, direct] {
        let mut test = BackTest::new(other, None).unwrap();
        assert!(matches!(test.resume_from(&full.snapshots[0]), Err(RunFailure::State(_))));
    }
}
