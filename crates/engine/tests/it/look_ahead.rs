//! No decision and no fill knows anything of what comes later, and nobody's orders depend on what nobody trades.

use crate::engine::records::Record;
use crate::engine::{RunConfig, Schedule};
use crate::fixture::{Draws, MINUTE, START, Walk, decisions, fills, roads, run};
use proptest::prelude::*;
use std::sync::Arc;
use tradegraph_columns::Status;
use tradegraph_domain::{AssetClass, FeedId, InstrumentId, NANO, Nanos, Side, Timestamp};
use tradegraph_market::{Batch, BatchParts, Universe};

fn story(c: &RunConfig, until: Timestamp) -> Vec<Record> {
    let ts = |r: &Record| match r {
        Record::Decision(d) => Some(d.ts),
        Record::Fill { ts, .. } | Record::Cancelled { ts, .. } | Record::Rejected { ts, .. } => Some(*ts),
        _ => None,
    };
    run(c).1.records().into_iter().filter(|r| ts(r).is_some_and(|ts| ts <= until)).collect()
}

/// Other prices and other gaps after row `t`. The open of the next bar belongs to the moment at which row `t` ends:
/// fills at it may know it, so it stays as it is.
fn perturbed(mut p: BatchParts, t: usize, seed: u64) -> BatchParts {
    let mut draws = Draws(seed);
    for cell in (t + 1) * p.width..p.close.len() {
        let next_row = cell < (t + 2) * p.width;
        p.close[cell] = (1 + draws.next() % 200) as i64 * NANO;
        p.volume[cell] = (draws.next() % 5_000) as f64;
        if p.spec.has_open {
            if !next_row {
                p.open[cell] = (1 + draws.next() % 200) as i64 * NANO;
            }
            p.high[cell] = p.open[cell].max(p.close[cell]);
            p.low[cell] = p.open[cell].min(p.close[cell]);
        }
        if !(next_row && p.spec.has_open) {
            p.status[cell] = if draws.next().is_multiple_of(4) { Status::NoData } else { Status::Ok };
        }
    }
    p
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn changing_the_future_changes_no_past_decision(
        seed in any::<u64>(),
        t in 20_usize..118,
        missing in prop_oneof![Just(0_u64), 1_u64..300],
        has_open in any::<bool>(),
    ) {
        let walk = Walk { seed, rows: 120, missing, has_open, ..Walk::default() };
        let (true_parts, other_parts) = (walk.parts(), perturbed(walk.parts(), t, seed ^ 1));
        let until = true_parts.ends[t];
        let now = roads(vec![Batch::new(true_parts).unwrap()]);
        let then = roads(vec![Batch::new(other_parts).unwrap()]);
        for ((name, a), (_, b)) in now.iter().zip(&then) {
            prop_assert_eq!(story(a, until), story(b, until), "{}", name);
        }
    }

    /// Also if the future of a slow feed differs, which the fast one has partly lived through.
    #[test]
    fn changing_the_future_of_a_slow_feed_changes_no_past_decision(seed in any::<u64>(), t in 3_usize..15) {
        let fast = Walk { rows: 250, ..Walk::default() }.batch();
        let slow = Walk { seed, rows: 16, period: 15 * MINUTE, has_open: false, ..Walk::default() };
        let until = slow.parts().ends[t];
        let of = |parts: BatchParts| {
            let change = |(_, c)| RunConfig {
                schedules: vec![Schedule::OnBars(FeedId(1)), Schedule::Every(Nanos(5 * MINUTE))],
                agents: vec![
                    crate::fixture::momentum(0),
                    crate::fixture::mean_reversion(0),
                    crate::fixture::long_term(1),
                    crate::engine::AgentConfig::Rule(crate::fixture::crossing(1)),
                ],
                ..c
            };
            roads(vec![fast.clone(), Batch::new(parts).unwrap()]).into_iter().map(change).collect::<Vec<_>>()
        };
        for (a, b) in of(slow.parts()).iter().zip(&of(perturbed(slow.parts(), t, seed ^ 1))) {
            prop_assert_eq!(story(a, until), story(b, until));
        }
    }
}

/// Before and after row `t` the stories do differ: the comparison above is of something.
#[test]
fn changing_the_past_changes_decisions() {
    let walk = Walk { rows: 120, ..Walk::default() };
    let end = Timestamp(START.0 + 120 * MINUTE);
    let now = roads(vec![walk.batch()]);
    let then = roads(vec![Batch::new(perturbed(walk.parts(), 60, 3)).unwrap()]);
    for ((name, a), (_, b)) in now.iter().zip(&then) {
        assert!(story(a, Timestamp(START.0 + 61 * MINUTE)).len() > 2, "{name}");
        assert_ne!(story(a, end), story(b, end), "{name}");
    }
}

/// Rows with one more instrument at the end.
fn widened(p: &BatchParts, price: Option<i64>) -> BatchParts {
    let mut draws = Draws(77);
    let rows = p.ends.len();
    let mut add = |column: &[i64], moves: bool| {
        let mut out = vec![];
        for row in column.chunks(p.width) {
            out.extend_from_slice(row);
            out.push(price.map_or(0, |x| if moves { x + draws.within(x / 20) } else { x }));
        }
        out
    };
    let status = if price.is_some() { Status::Ok } else { Status::NoData };
    let mut wide = BatchParts { width: p.width + 1, ..p.clone() };
    wide.close = add(&p.close, true);
    wide.open = add(&p.open, false);
    wide.high = add(&p.high, false);
    wide.low = add(&p.low, false);
    wide.status = p.status.chunks(p.width).flat_map(|row| [row, &[status]].concat()).collect();
    wide.volume = p.volume.chunks(p.width).flat_map(|row| [row, &[100.0]].concat()).collect();
    assert_eq!(wide.close.len(), rows * wide.width);
    wide
}

/// Decisions and fills of the first `n` instruments; order ids count refused orders of others too and are left out.
fn of_first(c: &RunConfig, n: usize) -> (Vec<impl PartialEq + std::fmt::Debug>, Vec<impl PartialEq + std::fmt::Debug>) {
    let records = run(c).1.records();
    let first = |i: InstrumentId| i.index() < n;
    let what = decisions(&records).into_iter().filter(|d| first(d.order.instrument)).map(|d| {
        (d.seq, d.ts, d.order.instrument, d.order.side, d.order.quantity, d.refusal, d.price, d.nav_nano, d.waterfall)
    });
    let done = fills(&records).into_iter().filter(|(_, _, f)| first(f.instrument));
    let done = done.map(|(seq, ts, f)| (seq, ts, f.instrument, f.side, f.quantity, f.price, f.fee_nano));
    (what.collect(), done.collect())
}

#[test]
fn an_instrument_that_nobody_trades_changes_nothing() {
    for missing in [0, 120] {
        let walk = Walk { missing, rows: 200, ..Walk::default() };
        let n = walk.n;
        for (price, class) in [(None, AssetClass::Equity), (Some(500 * NANO), AssetClass::Index)] {
            let narrow = roads(vec![walk.batch()]);
            let wide = roads(vec![Batch::new(widened(&walk.parts(), price)).unwrap()]);
            for ((name, a), (_, b)) in narrow.into_iter().zip(wide) {
                if !name.starts_with("direct") && price.is_some() {
                    continue; // the council spreads its gross over all opinions, those on an index included
                }
                let mut all: Vec<_> = b.universe.iter().map(|(_, x)| x.clone()).collect();
                all[n].class = class;
                let b = RunConfig { universe: Arc::new(Universe::new(all).unwrap()), ..b };
                let (x, y) = (of_first(&a, n), of_first(&b, n));
                assert!(!x.1.is_empty(), "{name}");
                assert!(x == y, "{name}, {class:?}");
            }
        }
    }
}

/// An order that is decided at a close fills at the next open of its instrument, half a spread worse, or at the next
/// close where there are no opens.
#[test]
fn orders_fill_at_the_next_price_and_never_at_the_one_they_saw() {
    for has_open in [true, false] {
        for (name, c) in roads(vec![Walk { missing: 150, has_open, ..Walk::default() }.batch()]) {
            let records = run(&c).1.records();
            let (all, batch) = (decisions(&records), &c.feeds[0]);
            let fills = fills(&records);
            assert!(!fills.is_empty(), "{name}");
            for (_, ts, f) in fills {
                let d = all.iter().find(|d| d.order.id == f.order).unwrap();
                let i = f.instrument.index();
                let seen = (0..batch.rows()).find(|k| batch.interval(*k).end == d.ts).unwrap();
                let decided = (0..=seen).rev().find_map(|k| batch.close(k, i));
                assert_eq!(decided, Some(d.price), "{name}: the last price it saw");
                let mut later = (seen + 1..batch.rows()).filter(|k| batch.close(*k, i).is_some());
                // With a participation limit and no volume yet an order ends without trading, never later.
                let row = later.next().unwrap();
                let (price, when) = match has_open {
                    true => (batch.open(row, i), batch.interval(row).start),
                    false => (batch.close(row, i), batch.interval(row).end),
                };
                let price = price.unwrap();
                let half = i128::from(price.nano()) * i128::from(c.frictions.half_spread.nano_fraction());
                let worse = tradegraph_domain::div_nano_half_even(half) as i64;
                let paid = if f.side == Side::Buy { price.nano() + worse } else { price.nano() - worse };
                assert_eq!((f.price.nano(), ts), (paid, when), "{name}: {f:?}");
            }
        }
    }
}
