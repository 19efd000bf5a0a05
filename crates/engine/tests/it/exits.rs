//! Protective stops: where they fill, that they never close more than there is, and that a restart keeps them.

use crate::engine::records::{Record, decode};
use crate::engine::{AgentConfig, Effects, ExitRules, RunConfig, State, step};
use crate::fixture::{Walk, above, bars, config, decisions, fills, naive, roads, run, units, with_actions};
use crate::resume::check_every_snapshot;
use tradegraph_controls::Limits;
use tradegraph_domain::{Event, InstrumentId, NANO, Nanos, OrderKind, Price, Rule, Side};
use tradegraph_execution::Frictions;

const SIX_HOURS: i64 = 6 * Nanos::HOUR.0;

fn stops(percent: i64, minutes: i64) -> Option<ExitRules> {
    Some(ExitRules { stop_loss_nano: percent * NANO / 100, cooldown: Nanos(minutes * Nanos::MINUTE.0) })
}

/// One instrument, no costs, long 10 while the close is above a level.
fn plain(prices: &[(i64, i64)], level: &str, exits: Option<ExitRules>) -> RunConfig {
    let c = config(vec![bars(prices)]);
    let (limits, frictions) = (Limits::default(), Frictions::default());
    RunConfig { agents: vec![AgentConfig::Rule(above(level))], limits, frictions, exits, ..c }
}

fn trades(records: &[Record]) -> Vec<(Side, i128, Price)> {
    fills(records).iter().map(|(_, _, f)| (f.side, f.quantity.nano() / i128::from(NANO), f.price)).collect()
}

/// Bought at the open of 100: the stop of 8 % rests at 92 from then on. A bar that falls through it fills there, a gap at
/// the open of 80. The wish stays, so nothing is bought again before the side changes.
#[test]
fn a_stop_fills_within_a_bar_and_behind_a_gap() {
    let p = |n: i64| Price::from_nano(n * NANO);
    for (fall, at) in [((100, 90), 92), ((80, 85), 80)] {
        let prices = [(100, 100), (100, 101), fall, (90, 90), (90, 90)];
        let (_, journal) = run(&plain(&prices, "50", stops(8, 1)));
        let records = journal.records();
        assert_eq!(trades(&records), [(Side::Buy, 10, p(100)), (Side::Sell, 10, p(at))]);
        let orders: Vec<_> = decisions(&records).iter().map(|d| (d.order.kind, d.refusal)).collect();
        assert_eq!(orders, [(OrderKind::Market, None), (OrderKind::Stop(p(92)), None)]);
    }
}

/// When the rule sells, the stop is withdrawn before; when it buys again, a new one is placed.
#[test]
fn a_rule_that_sells_takes_its_stop_out_of_the_market() {
    let p = |n: i64| Price::from_nano(n * NANO);
    let prices = [(100, 100), (100, 100), (100, 97), (90, 90), (90, 100), (100, 100), (100, 100)];
    let (outcome, journal) = run(&plain(&prices, "98", stops(8, 1)));
    let records = journal.records();
    // The sale decided at 97 fills at the open of 90, where the stop of 92 would have filled too.
    assert_eq!(trades(&records), [(Side::Buy, 10, p(100)), (Side::Sell, 10, p(90)), (Side::Buy, 10, p(100))]);
    let kinds: Vec<_> = decisions(&records).iter().map(|d| d.order.kind).collect();
    let (market, stop) = (OrderKind::Market, OrderKind::Stop(p(92)));
    assert_eq!(kinds, [market, stop, market, market, stop]);
    assert_eq!(outcome.counts.cancelled, 1);
}

/// After the stop the rule changes its side twice within the pause: what it wants then is refused, and granted after it.
#[test]
fn nothing_is_added_before_the_pause_is_over() {
    let mut prices = vec![(100, 100), (100, 100), (100, 90), (90, 40), (60, 60)];
    prices.extend(std::iter::repeat_n((60, 60), 20));
    let (_, journal) = run(&plain(&prices, "50", stops(8, 8)));
    let records = journal.records();
    let p = |n: i64| Price::from_nano(n * NANO);
    assert_eq!(trades(&records)[..2], [(Side::Buy, 10, p(100)), (Side::Sell, 10, p(92))]);
    let refused = decisions(&records).iter().filter(|d| d.refusal.is_some_and(|r| r.rule == Rule::ReduceOnly)).count();
    assert!(refused >= 2, "{refused}");
    let (_, ts, again) = fills(&records)[2];
    assert_eq!((again.side, again.price), (Side::Buy, p(60)));
    let (_, stopped, _) = fills(&records)[1];
    assert!(ts.0 - stopped.0 >= 8 * Nanos::MINUTE.0);
}

/// On every road, after every event: stops and the other orders that reduce never close more than there is, every
/// protected position has its stop, and no position changes its side by a stop.
#[test]
fn stops_never_close_more_than_there_is() {
    let mut filled = 0;
    for has_open in [true, false] {
        let walk = Walk { rows: 160, period: SIX_HOURS, move_ppm: 12_000, missing: 60, has_open, ..Walk::default() };
        for (road, c) in roads(vec![walk.batch()]) {
            let c = RunConfig { exits: stops(1, 60 * 24), ..c };
            for c in [c.clone(), with_actions(c)] {
                let (mut state, mut out) = (State::new(&c).unwrap(), Effects::default());
                for (key, about, payload) in naive(&c) {
                    let seq = state.next_seq();
                    step(&mut state, &Event { seq, ts: key.ts, about, payload }, &mut out);
                    let (desk, books) = (state.desk(), state.desk().books());
                    assert!(state.fault().is_none() && books.is_sound(), "{road}, event {}", seq.0);
                    assert_eq!(books.holds().len(), desk.orders().n_open(), "{road}, event {}", seq.0);
                    for i in (0..c.universe.len()).map(|i| InstrumentId(i as u32)) {
                        let held = books.position(i).nano();
                        assert!(held >= 0 || c.limits.allow_short, "{road}, event {}", seq.0);
                        let open = || desk.orders().open().filter(|o| o.order.instrument == i);
                        let mut closing = 0;
                        for o in open().filter(|o| o.order.side.signed(o.remaining()).nano().signum() == -held.signum())
                        {
                            closing += o.remaining().nano();
                        }
                        let stop = |o: &&tradegraph_execution::OpenOrder| o.order.kind.stop().is_some();
                        let n = open().filter(stop).count();
                        assert!(
                            n <= 1 && (n == 0 || closing <= held.abs()),
                            "{road}, event {}: {n}, {closing} of {held}",
                            seq.0
                        );
                        assert!(open().all(|o| o.order.kind.stop().is_none() || held != 0), "{road}, event {}", seq.0);
                        let lot = units(1).nano();
                        let plain = matches!(payload, tradegraph_domain::Payload::Bars(_)) && closing == 0;
                        assert!(!plain || held.abs() < lot || n == 1, "{road}, event {}: {held} without a stop", seq.0);
                    }
                }
                let records = decode(out.records.as_bytes()).unwrap();
                let ids: Vec<_> =
                    decisions(&records).iter().filter(|d| d.order.kind.stop().is_some()).map(|d| d.order.id).collect();
                filled += fills(&records).iter().filter(|(_, _, f)| ids.contains(&f.order)).count();
            }
        }
    }
    assert!(filled > 100, "{filled} stops filled");
}

#[test]
fn every_snapshot_with_stops() {
    let walk = Walk { rows: 160, period: SIX_HOURS, move_ppm: 12_000, missing: 60, ..Walk::default() };
    for (road, c) in roads(vec![walk.batch()]) {
        let c = RunConfig { exits: stops(1, 60 * 24), snapshot_rows: 17, block_rows: Some(10), ..c };
        check_every_snapshot(road, &c);
        check_every_snapshot(&format!("{road} with actions"), &with_actions(c));
    }
}
