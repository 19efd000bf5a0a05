//! The books after every event, and the records as an account that anybody can add up again.

use crate::engine::records::Record;
use crate::engine::{Effects, RunConfig, State, step};
use crate::fixture::{Walk, council, decisions, fills, naive, roads, run};
use std::collections::BTreeMap;
use tradegraph_domain::{Event, InstrumentId, Money, OrderId, OrderKind, Quantity, Side, TimeInForce};
use tradegraph_ledger::Account;

/// Steps through a run, looking at the books after every event; the last state and its records.
pub fn watched(name: &str, c: &RunConfig) -> (State, Vec<Record>) {
    let mut state = State::new(c).unwrap();
    let mut out = Effects::default();
    for (key, about, payload) in naive(c) {
        let seq = state.next_seq();
        step(&mut state, &Event { seq, ts: key.ts, about, payload }, &mut out);
        let (desk, holds) = (state.desk(), state.desk().books().holds());
        assert!(desk.books().is_sound(), "{name}, event {}: {:?}", seq.0, desk.books().nav());
        assert_eq!(holds.len(), desk.orders().n_open(), "{name}, event {}: a hold for every open order", seq.0);
        // Without open orders nothing is reserved.
        if holds.is_empty() {
            assert_eq!((holds.cash(0), holds.exposure()), (0, 0), "{name}, event {}", seq.0);
        }
        for i in (0..c.universe.len()).map(|i| InstrumentId(i as u32)) {
            let open = desk.orders().open().filter(|o| o.order.instrument == i);
            let working = open.map(|o| o.order.side.signed(o.remaining()).nano()).sum::<i128>();
            assert_eq!(holds.buying(i).nano() - holds.selling(i).nano(), working, "{name}, event {}", seq.0);
        }
        assert!(cash(&state) >= 0 || c.limits.allow_short, "{name}, event {}: cash below zero", seq.0);
    }
    assert_eq!(state.fault(), None);
    let records = crate::engine::records::decode(out.records.as_bytes()).unwrap();
    (state, records)
}

fn cash(state: &State) -> i128 {
    state.desk().books().currencies().map(|(_, b)| b.balance(Account::Cash)).sum()
}

fn walks() -> [(&'static str, Walk); 3] {
    let w = Walk { rows: 250, ..Walk::default() };
    [
        ("whole", w),
        ("gaps", Walk { missing: 250, seed: 4, ..w }),
        ("closes", Walk { missing: 100, has_open: false, seed: 9, ..w }),
    ]
}

#[test]
fn books_are_sound_after_every_event_and_records_add_up() {
    for (data, walk) in walks() {
        for (road, c) in roads(vec![walk.batch()]) {
            let name = format!("{road}, {data}");
            let (state, records) = watched(&name, &c);
            let (fills, desk) = (fills(&records), state.desk());
            assert_eq!(fills.len() as u64, desk.counts().fills, "{name}");
            let mut positions = BTreeMap::<InstrumentId, i128>::new();
            let (mut money, mut fees) = (c.cash.nano(), 0);
            for (_, _, f) in &fills {
                *positions.entry(f.instrument).or_default() += f.side.signed(f.quantity).nano();
                let notional = f.price.notional_nano(f.quantity).unwrap();
                money += if f.side == Side::Buy { -notional } else { notional } - f.fee_nano;
                fees += f.fee_nano;
                assert_eq!(c.frictions.commission.fee_nano(notional, f.quantity), Ok(f.fee_nano), "{name}");
            }
            for i in (0..c.universe.len()).map(|i| InstrumentId(i as u32)) {
                let sum = positions.get(&i).copied().unwrap_or_default();
                assert_eq!(desk.books().position(i), Quantity::from_nano(sum), "{name}, {i:?}");
            }
            assert_eq!(cash(&state), money, "{name}");
            let all_fees = (0..c.universe.len()).map(|i| desk.books().fees_of(InstrumentId(i as u32))).sum::<i128>();
            assert_eq!(all_fees, fees, "{name}");
            // NAV from the records and the last closes alone.
            let worth = positions.iter().fold(0, |sum, (i, q)| {
                let batch = &c.feeds[0];
                let last = (0..batch.rows()).rev().find_map(|k| batch.close(k, i.index())).unwrap();
                sum + last.notional_nano(Quantity::from_nano(*q)).unwrap()
            });
            assert_eq!(desk.books().nav(), Ok(money + worth), "{name}");
        }
    }
}

/// What the records say of one order.
#[derive(Default)]
struct Life {
    decided: u32,
    refused: bool,
    wanted: i128,
    filled: i128,
    ended: u32,
    after_end: u32,
}

#[test]
fn an_order_is_decided_once_and_ends_at_most_once() {
    for (data, walk) in walks() {
        for (road, c) in roads(vec![walk.batch()]) {
            let name = format!("{road}, {data}");
            let (state, records) = watched(&name, &c);
            let mut lives = BTreeMap::<OrderId, Life>::new();
            for r in &records {
                match r {
                    Record::Decision(d) => {
                        let life = lives.entry(d.order.id).or_default();
                        life.decided += 1;
                        life.refused = d.refusal.is_some();
                        life.wanted = d.order.quantity.nano();
                        assert!(life.wanted > 0);
                        assert_eq!((d.order.kind, d.order.tif), (OrderKind::Market, TimeInForce::ImmediateOrCancel));
                    }
                    Record::Fill { fill, anomaly, .. } => {
                        let life = lives.entry(fill.order).or_default();
                        assert!(!anomaly && fill.quantity.nano() > 0);
                        life.after_end += u32::from(life.ended > 0);
                        life.filled += fill.quantity.nano();
                        life.ended += u32::from(life.filled == life.wanted);
                    }
                    Record::Cancelled { order, .. } | Record::Rejected { order, .. } => {
                        lives.entry(*order).or_default().ended += 1;
                    }
                    _ => {}
                }
            }
            let mut n_open = 0;
            for (id, life) in &lives {
                assert_eq!(life.decided, 1, "{name}, {id:?}");
                assert!(life.filled <= life.wanted, "{name}, {id:?}");
                assert_eq!(life.after_end, 0, "{name}, {id:?}: a fill after its end");
                if life.refused {
                    assert_eq!((life.filled, life.ended), (0, 0), "{name}, {id:?}: refused, yet at the venue");
                } else if state.desk().orders().get(*id).is_some() {
                    n_open += 1;
                    assert_eq!(life.ended, 0, "{name}, {id:?}");
                } else {
                    assert_eq!(life.ended, 1, "{name}, {id:?}");
                }
            }
            assert_eq!(n_open, state.desk().orders().n_open(), "{name}");
            assert_eq!(state.desk().orders().n_anomalies(), 0, "{name}");
            let counts = state.desk().counts();
            let n = |f: fn(&Life) -> bool| lives.values().filter(|l| f(l)).count() as u64;
            assert_eq!((counts.orders, counts.refused), (n(|l| !l.refused), n(|l| l.refused)), "{name}");
            assert_eq!(lives.len() as u64, counts.orders + counts.refused, "{name}: ids without a gap");
            assert_eq!(lives.keys().last().map(|id| id.0), Some(lives.len() as u64), "{name}");
        }
    }
}

/// Realised gains in the records are those of first in, first out, worked out here with plain queues.
#[test]
fn realised_gains_are_first_in_first_out() {
    let c = council(vec![Walk { rows: 400, ..Walk::default() }.batch()]);
    let (_, journal) = run(&c);
    let mut lots = BTreeMap::<InstrumentId, Vec<(i128, f64)>>::new();
    let mut n_closing = 0;
    for r in journal.records() {
        let Record::Fill { fill, realised_nano, .. } = r else { continue };
        let queue = lots.entry(fill.instrument).or_default();
        let price = fill.price.to_f64();
        if fill.side == Side::Buy {
            queue.push((fill.quantity.nano(), price));
            assert_eq!(realised_nano, 0);
            continue;
        }
        let (mut left, mut gain) = (fill.quantity.nano(), 0.0);
        while left > 0 {
            let (held, cost) = &mut queue[0];
            let part = left.min(*held);
            gain += part as f64 / 1e9 * (price - *cost);
            (*held, left) = (*held - part, left - part);
            if *held == 0 {
                queue.remove(0);
            }
        }
        n_closing += 1;
        assert!((gain - realised_nano as f64 / 1e9).abs() < 1e-6, "{gain} against {realised_nano}");
    }
    assert!(n_closing > 20);
}

#[test]
fn closing_nav_is_what_came_in_plus_results_less_fees() {
    let c = council(vec![Walk { rows: 400, missing: 50, ..Walk::default() }.batch()]);
    let (state, records) = watched("council", &c);
    let books = state.desk().books();
    let of = |f: fn(&tradegraph_ledger::Ledger, InstrumentId) -> i128| {
        (0..c.universe.len()).map(|i| f(books, InstrumentId(i as u32))).sum::<i128>()
    };
    let cost: i128 = (0..c.universe.len()).flat_map(|i| books.lots(InstrumentId(i as u32))).map(|l| l.cost_nano).sum();
    let worth: i128 = (0..c.universe.len() as u32)
        .map(InstrumentId)
        .filter_map(|i| books.mark(i)?.notional_nano(books.position(i)).ok())
        .sum();
    let results = of(|b, i| b.realised_of(i)) + worth - cost - of(|b, i| b.fees_of(i));
    assert_eq!(books.nav(), Ok(Money::from_units(10_000, c.base).unwrap().nano() + results));
    assert!(!decisions(&records).is_empty());
}
