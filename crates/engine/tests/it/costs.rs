//! Schedules, impact and nights in whole runs: the books after every event, the records as their account, and restarts.

use crate::books::watched;
use crate::engine::records::Record;
use crate::engine::{Effects, Financing, Rate, RunConfig, State, step};
use crate::fixture::{Walk, naive, roads, run, with_actions};
use crate::resume::check_every_snapshot;
use tradegraph_domain::{Commission, Date, Event, InstrumentId, NANO, Nanos, Timestamp, schedule};
use tradegraph_execution::{FillCosts, Frictions};
use tradegraph_ledger::{Account, Financed};

const SIX_HOURS: i64 = 6 * Nanos::HOUR.0;

/// Everything that costs, over some forty days.
fn dear(c: RunConfig) -> RunConfig {
    let commission = Commission::of(schedule("ibkr-tiered").unwrap());
    let frictions = Frictions { commission, impact_nano: Some(NANO), ..c.frictions };
    let first = c.feeds[0].interval(0).start.date();
    let cash = Rate {
        benchmark: vec![(Date(first.0 + 3), 30_000_000), (Date(first.0 + 20), 45_000_000)],
        spread_nano: -5_000_000,
    };
    let financing =
        Financing { borrow_nano: vec![20_000_000, 300_000_000, 5_000_000], margin: Rate::fixed(70_000_000), cash };
    let limits = tradegraph_controls::Limits { commission, ..c.limits.clone() };
    RunConfig { frictions, limits, financing: Some(financing), ..c }
}

fn walks() -> [(&'static str, Walk); 2] {
    let w = Walk { rows: 160, period: SIX_HOURS, move_ppm: 12_000, ..Walk::default() };
    [("whole", w), ("closes", Walk { missing: 100, has_open: false, seed: 9, ..w })]
}

#[test]
fn books_are_sound_with_all_costs_and_records_are_their_account() {
    let (mut shorts, mut impacts) = (0, 0);
    for (data, walk) in walks() {
        for (road, c) in roads(vec![walk.batch()]) {
            for (kind, c) in [("plain", dear(c.clone())), ("actions", with_actions(dear(c)))] {
                let name = format!("{road}, {data}, {kind}");
                let (state, records) = watched(&name, &c);
                let (mut nights, mut costs, mut fees) = (Financed::default(), FillCosts::default(), 0);
                for r in &records {
                    match r {
                        Record::Financing(f) => {
                            nights.borrow_nano += f.financed.borrow_nano;
                            nights.margin_nano += f.financed.margin_nano;
                            nights.earned_nano += f.financed.earned_nano;
                            assert!(f.from < f.to && f.to < f.pay && f.pay.ymd().2 == 1, "{name}");
                        }
                        Record::Costs { costs: x, .. } => {
                            costs.commission_nano += x.commission_nano;
                            costs.regulatory_nano += x.regulatory_nano;
                            costs.impact_nano += x.impact_nano;
                        }
                        Record::Fill { fill, .. } => fees += fill.fee_nano,
                        _ => {}
                    }
                }
                let books = state.desk().books().currencies().next().unwrap().1;
                let of = |a| books.balance(a);
                assert_eq!(
                    (of(Account::Borrow), of(Account::MarginInterest)),
                    (nights.borrow_nano, nights.margin_nano),
                    "{name}"
                );
                assert_eq!(of(Account::Interest), -nights.earned_nano, "{name}");
                assert_eq!((of(Account::Fees), costs.commission_nano + costs.regulatory_nano), (fees, fees), "{name}");
                assert!(nights.earned_nano > 0, "{name}");
                shorts += i32::from(nights.borrow_nano > 0);
                impacts += i32::from(costs.impact_nano > 0);
            }
        }
    }
    assert!(shorts > 8 && impacts > 20, "{shorts} runs borrowed, {impacts} had impact");
}

/// The nights of a run against floating-point sums over the books as they stood before the first event of each day.
#[test]
fn nights_are_what_a_naive_account_says() {
    for (road, c) in roads(vec![walks()[0].1.batch()]) {
        let c = with_actions(dear(c));
        let terms = c.financing.clone().unwrap();
        let (mut state, mut out) = (State::new(&c).unwrap(), Effects::default());
        let (mut day, mut expected) = (None, vec![]);
        for (key, about, payload) in naive(&c) {
            let today = Timestamp(key.ts.0 - 1).date();
            let books = state.desk().books();
            if let Some(from) = day.filter(|d: &Date| *d < today) {
                let cash = books.currencies().next().unwrap().1.balance(Account::Cash) as f64 / 1e9;
                let nights = f64::from(today.0 - from.0);
                let (mut short, mut borrow) = (0.0, 0.0);
                for i in (0..c.universe.len()).filter(|i| books.position(InstrumentId(*i as u32)).signum() < 0) {
                    let id = InstrumentId(i as u32);
                    let value = -books.position(id).to_f64() * books.mark(id).unwrap().to_f64();
                    short += value;
                    borrow += value * terms.borrow_nano[i] as f64 / 1e9 * nights / 360.0;
                }
                let own = cash - short;
                let rate = |d: i32| {
                    if own < 0.0 {
                        0.07
                    } else {
                        terms
                            .cash
                            .benchmark
                            .iter()
                            .rev()
                            .find(|(f, _)| f.0 <= d)
                            .map_or(0.0, |(_, r)| *r as f64 / 1e9 - 0.005)
                    }
                };
                let interest = own * (from.0..today.0).map(rate).sum::<f64>() / 360.0;
                expected.push((from, today, borrow, interest));
            }
            day = Some(today);
            let seq = state.next_seq();
            step(&mut state, &Event { seq, ts: key.ts, about, payload }, &mut out);
        }
        let records = crate::engine::records::decode(out.records.as_bytes()).unwrap();
        let mut found = records.iter().filter_map(|r| match r {
            Record::Financing(f) => Some(*f.clone()),
            _ => None,
        });
        for (from, to, borrow, interest) in expected.into_iter().filter(|(_, _, b, i)| *b != 0.0 || *i != 0.0) {
            let f = found.next().unwrap();
            let net = (f.financed.earned_nano - f.financed.margin_nano) as f64 / 1e9;
            assert_eq!((f.from, f.to), (from, to), "{road}");
            assert!((f.financed.borrow_nano as f64 / 1e9 - borrow).abs() < 1e-7, "{road}: {f:?}, {borrow}");
            assert!((net - interest).abs() < 1e-7, "{road}: {f:?}, {interest}");
        }
        assert_eq!(found.next(), None, "{road}");
    }
}

#[test]
fn every_snapshot_with_accruals_pending_and_bills_open() {
    for (road, c) in roads(vec![walks()[1].1.batch()]) {
        let c = RunConfig { snapshot_rows: 17, block_rows: Some(10), ..dear(c) };
        check_every_snapshot(road, &c);
        check_every_snapshot(&format!("{road} with actions"), &with_actions(c));
    }
}

/// Nights that cost nothing change nothing that is traded, recorded or hashed on the way.
#[test]
fn financing_at_rates_of_zero_is_no_financing() {
    for (road, c) in roads(vec![walks()[0].1.batch()]) {
        let (without, journal) = run(&c);
        let (with, same) = run(&RunConfig { financing: Some(Financing::default()), ..c });
        assert_eq!(
            (with.rolling, with.equity, with.final_nav),
            (without.rolling, without.equity, without.final_nav),
            "{road}"
        );
        assert_eq!(journal.groups.len(), same.groups.len(), "{road}");
    }
}
