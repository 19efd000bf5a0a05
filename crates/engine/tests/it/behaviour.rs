//! What a user sees happen: refusals and pauses, partial fills, halts, weights, shorts, bands, missing NAV, faults.

use crate::engine::records::{Record, decode};
use crate::engine::{AgentConfig, AllocatorConfig, Effects, Fault, RunConfig, RunFailure, State, step};
use crate::fixture::{
    START, Walk, above, bars, config, council, crossing, decisions, fills, fused, instrument, naive, run, try_run,
    units, usd,
};
use std::sync::Arc;
use tradegraph_agents::RuleSpec;
use tradegraph_controls::Limits;
use tradegraph_domain::{
    AssetClass, CancelReason, Currency, Event, ExecId, Fill, Instrument, InstrumentId, Interval, Money, NANO, OrderId,
    Payload, Price, Quantity, Rule, Side, Step, Timestamp, TradingStatus, VenueReport,
};
use tradegraph_execution::Frictions;
use tradegraph_ledger::NavMissing;
use tradegraph_market::Universe;
use tradegraph_portfolio::DirectSize;

const I: InstrumentId = InstrumentId(0);

/// One instrument, no costs, one rule.
fn plain(prices: &[(i64, i64)], rule: RuleSpec) -> RunConfig {
    let c = config(vec![bars(prices)]);
    let (limits, frictions) = (Limits::default(), Frictions::default());
    RunConfig { agents: vec![AgentConfig::Rule(rule)], limits, frictions, ..c }
}

fn flat(parts: &[(usize, i64)]) -> Vec<(i64, i64)> {
    parts.iter().flat_map(|(n, price)| std::iter::repeat_n((*price, *price), *n)).collect()
}

/// Minute in which something happened.
fn minute(ts: Timestamp) -> i64 {
    (ts.0 - START.0) / crate::fixture::MINUTE
}

fn refusals(records: &[Record]) -> Vec<(i64, Rule)> {
    decisions(records).into_iter().filter_map(|d| Some((minute(d.ts), d.refusal?.rule))).collect()
}

fn gaps(refused: &[(i64, Rule)]) -> Vec<i64> {
    refused.windows(2).map(|w| w[1].0 - w[0].0).collect()
}

#[test]
fn what_the_account_cannot_pay_is_asked_for_ever_more_seldom() {
    let (outcome, journal) = run(&RunConfig { cash: usd(400), ..plain(&flat(&[(1_000, 50)]), above("0")) });
    let refused = refusals(&journal.records());
    assert!(refused.iter().all(|(_, rule)| *rule == Rule::Cash));
    assert_eq!(gaps(&refused)[..9], [1, 2, 4, 8, 16, 32, 64, 64, 64]);
    assert_eq!(outcome.counts.refused, refused.len() as u64);
    assert!(refused.len() <= 7 + 1_000 / 64, "{}", refused.len());
    assert_eq!((outcome.counts.orders, outcome.counts.fills), (0, 0));
}

#[test]
fn a_new_side_is_a_new_wish_without_a_pause() {
    // Refused at 50 until the pause is long; at 30 the wish ends; back at 50 it is tried at once.
    let prices = flat(&[(40, 50), (5, 30), (5, 50)]);
    let c = RunConfig { cash: usd(400), ..plain(&prices, above("40")) };
    let refused = refusals(&run(&c).1.records());
    let minutes: Vec<_> = refused.iter().map(|r| r.0).collect();
    assert_eq!(minutes, vec![1, 2, 4, 8, 16, 32, 46, 47, 49]);
}

#[test]
fn what_becomes_affordable_is_bought() {
    let (outcome, journal) = run(&RunConfig { cash: usd(400), ..plain(&flat(&[(10, 50), (100, 39)]), above("0")) });
    assert_eq!((outcome.counts.orders, outcome.counts.fills), (1, 1));
    let fills = fills(&journal.records());
    assert_eq!((minute(fills[0].1), fills[0].2.quantity), (16, units(10)));
}

#[test]
fn cash_that_pays_a_part_buys_a_part_and_the_rest_later() {
    // Decided at 10 for 10 units; the open is at 15 and 105 pays 7. The other 3 cost 30 until the price is 0.
    let prices = [&[(10, 10), (15, 10)][..], &flat(&[(10, 10)]), &flat(&[(70, 0), (70, 0)])].concat();
    let prices: Vec<_> = prices.into_iter().map(|(o, c)| (o.max(1), c.max(1))).collect();
    let (outcome, journal) = run(&RunConfig { cash: usd(109), ..plain(&prices, above("0")) });
    let records = journal.records();
    let done: Vec<_> = fills(&records).iter().map(|(_, _, f)| (f.quantity, f.price.to_f64())).collect();
    assert_eq!(done, vec![(units(7), 15.0), (units(3), 1.0)]);
    let cancelled: Vec<_> = records
        .iter()
        .filter_map(|r| if let Record::Cancelled { order, reason, .. } = r { Some((*order, *reason)) } else { None })
        .collect();
    assert_eq!(cancelled, vec![(OrderId(1), CancelReason::Cash)]);
    let refused = refusals(&records);
    assert!(!refused.is_empty() && refused.iter().all(|(_, rule)| *rule == Rule::Cash));
    // The first try comes at the decision after the order's end, the pauses double from there.
    assert_eq!((refused[0].0, gaps(&refused)), (2, vec![2, 4]));
    assert_eq!(outcome.final_nav, Ok((109 - 7 * 15 - 3 + 10) * i128::from(NANO)));
}

/// Steps through a run; at the minutes given, commands come after the decision.
fn commanded(c: &RunConfig, commands: &[(i64, Payload)]) -> (State, Vec<Record>) {
    let mut state = State::new(c).unwrap();
    let mut out = Effects::default();
    for (key, about, payload) in naive(c) {
        let mut all = vec![payload];
        if matches!(payload, Payload::Decide(_)) {
            all.extend(commands.iter().filter(|(m, _)| *m == minute(key.ts)).map(|(_, p)| *p));
        }
        for payload in all {
            let seq = state.next_seq();
            step(&mut state, &Event { seq, ts: key.ts, about, payload }, &mut out);
            assert!(state.desk().books().is_sound());
        }
    }
    (state, decode(out.records.as_bytes()).unwrap())
}

#[test]
fn a_halt_blocks_new_risk_but_neither_fills_nor_reductions() {
    // Buys are decided at minute 2, filled in minute 3; the sale at 5; another buy at 8 and, after the halt, at 15.
    let prices = flat(&[(1, 40), (3, 60), (3, 40), (30, 60)]);
    let direct = plain(&prices, above("50"));
    let fusion = RunConfig { allocator: fused(30, 90, 2, false), ..direct.clone() };
    for (name, c) in [("direct", direct), ("council", fusion)] {
        let (state, records) = commanded(&c, &[(2, Payload::Halt), (12, Payload::Resume)]);
        let traded: Vec<_> = fills(&records).iter().map(|(_, ts, f)| (minute(*ts), f.side)).collect();
        let wanted = [(2, Side::Buy), (5, Side::Sell)];
        assert_eq!(traded[..2], wanted, "{name}: the order on its way fills, the position is closed");
        assert_eq!((traded.len(), traded[2].1), (3, Side::Buy), "{name}");
        assert!(traded[2].0 >= 12, "{name}");
        let refused = refusals(&records);
        assert_eq!(refused[..2], [(8, Rule::Halted), (9, Rule::Halted)], "{name}");
        assert!(refused.iter().all(|(m, rule)| *m <= 12 && *rule == Rule::Halted), "{name}: {refused:?}");
        assert!(!state.desk().gate().is_halted());
        let commands: Vec<_> = records
            .iter()
            .filter_map(|r| if let Record::Command { ts, halt, .. } = r { Some((minute(*ts), *halt)) } else { None })
            .collect();
        assert_eq!(commands, vec![(2, true), (12, false)]);
    }
}

#[test]
fn a_halted_account_does_not_turn_around() {
    let rule = RuleSpec { short: Some("close < 50".into()), ..above("50") };
    let c = plain(&flat(&[(1, 50), (3, 60), (20, 40)]), rule);
    let limits = Limits { allow_short: true, ..Limits::default() };
    let allocator = AllocatorConfig::Direct { size: DirectSize::Quantity(units(10)), allow_short: true };
    let c = RunConfig { limits, allocator, ..c };
    let (free, _) = commanded(&c, &[]);
    assert_eq!(free.desk().books().position(I), units(-10));
    // From long to short is more than a reduction: it is refused as a whole.
    let (halted, records) = commanded(&c, &[(4, Payload::Halt)]);
    assert_eq!(halted.desk().books().position(I), units(10));
    assert!(refusals(&records).iter().all(|(_, rule)| *rule == Rule::Halted));
}

#[test]
fn a_weight_becomes_lots_when_the_side_changes_and_stays() {
    let allocator = AllocatorConfig::Direct { size: DirectSize::WeightNano(400_000_000), allow_short: false };
    let prices = flat(&[(1, 40), (5, 70), (5, 90), (5, 40), (5, 60)]);
    let (_, journal) = run(&RunConfig { allocator, ..plain(&prices, above("50")) });
    let records = journal.records();
    let traded: Vec<_> = fills(&records).iter().map(|(_, _, f)| (f.side, f.quantity)).collect();
    // 40 % of 10,000 at 70 is 57; they lose 30 each. 40 % of 8,290 at 60 is 55.
    assert_eq!(traded, vec![(Side::Buy, units(57)), (Side::Sell, units(57)), (Side::Buy, units(55))]);
}

/// A lot of 1e-8 coins at 4 cents is worth less than a unit of money: the price of a lot must not be rounded.
#[test]
fn lots_that_are_worth_next_to_nothing_are_counted_exactly() {
    let coin = Instrument { class: AssetClass::Crypto, lot: Quantity::from_nano(10), ..instrument(0) };
    let universe = Arc::new(Universe::new(vec![coin]).unwrap());
    let mut parts = Walk { n: 1, rows: 5, ..Walk::default() }.parts();
    for column in [&mut parts.open, &mut parts.high, &mut parts.low, &mut parts.close] {
        column.fill(40_000_000);
    }
    let feeds = vec![Arc::new(tradegraph_market::Batch::new(parts).unwrap())];
    let c = RunConfig { universe, feeds, ..plain(&flat(&[(1, 1)]), above("0")) };
    let direct = AllocatorConfig::Direct { size: DirectSize::WeightNano(300_000_000), allow_short: false };
    for allocator in [direct, fused(30, 90, 2, false)] {
        let (_, journal) = run(&RunConfig { allocator, ..c.clone() });
        let traded: Vec<_> = fills(&journal.records()).iter().map(|(_, _, f)| f.quantity).collect();
        assert_eq!(traded, vec![units(75_000)], "3,000 at 0.04");
    }
}

#[test]
fn shorts_need_the_mandate_twice() {
    let rule = RuleSpec { short: Some("close < 50".into()), ..above("50") };
    let c = plain(&flat(&[(3, 40), (3, 60)]), rule);
    let with = |allocator: bool, gate: bool| {
        let allocator = AllocatorConfig::Direct { size: DirectSize::Quantity(units(10)), allow_short: allocator };
        let limits = Limits { allow_short: gate, ..Limits::default() };
        let (_, journal) = run(&RunConfig { allocator, limits, ..c.clone() });
        let records = journal.records();
        let traded: Vec<_> = fills(&records).iter().map(|(_, _, f)| (f.side, f.quantity)).collect();
        (traded, refusals(&records).first().map(|r| r.1))
    };
    assert_eq!(with(true, true), (vec![(Side::Sell, units(10)), (Side::Buy, units(20))], None));
    assert_eq!(with(true, false), (vec![(Side::Buy, units(10))], Some(Rule::Short)));
    assert_eq!(with(false, true), (vec![(Side::Buy, units(10))], None));
}

#[test]
fn a_change_below_the_band_is_not_made() {
    let base = council(vec![Walk { rows: 400, ..Walk::default() }.batch()]);
    let agents = vec![crate::fixture::momentum(0)];
    let count = |band| {
        let c = RunConfig { allocator: fused(60, 100, band, false), agents: agents.clone(), ..base.clone() };
        let all = decisions(&run(&c).1.records());
        for d in &all {
            let worth = |lots: i64| d.price.notional_nano(units(lots)).unwrap() * i128::from(NANO) / d.nav_nano;
            let w = &d.waterfall;
            let lot = w.steps.iter().filter(|s| s.step == Step::Lot).map(|s| s.amount).sum::<i64>();
            let (target, held) = (i128::from(w.last - lot), worth(w.lots.position + w.lots.open));
            assert!(target == 0 || (target - held).abs() >= i128::from(band * NANO / 100), "{d:?}");
        }
        all.len()
    };
    let (all, some, few) = (count(0), count(5), count(20));
    assert!(all > some + some / 2 && some > 2 * few && few > 0, "{all}, {some}, {few}");
}

/// A refused wish of the council waits; what was met or given up starts with a fresh pause.
#[test]
fn the_council_pauses_and_forgets_what_was_met() {
    let prices = flat(&[(40, 20), (80, 60), (10, 5), (12, 20)]);
    let c = plain(&prices, above("10"));
    // 30 % of 10,000 is 150 units at 20: too many for one order; 50 at 60 are not.
    let limits = Limits { order_quantity: Some(units(100)), ..Limits::default() };
    let (_, journal) = run(&RunConfig { allocator: fused(30, 90, 2, false), limits, ..c });
    let records = journal.records();
    let refused = refusals(&records);
    assert!(refused.iter().all(|(_, rule)| *rule == Rule::OrderQuantity));
    let (before, after): (Vec<_>, Vec<_>) = refused.into_iter().partition(|(m, _)| *m <= 40);
    assert_eq!((before[0].0, gaps(&before)), (1, vec![1, 2, 4, 8, 16]));
    let traded: Vec<_> = fills(&records).iter().map(|(_, ts, f)| (minute(*ts), f.side)).collect();
    assert_eq!(traded, vec![(64, Side::Buy), (121, Side::Sell)]);
    assert_eq!((after[0].0, gaps(&after)), (131, vec![1, 2, 4]));
}

#[test]
fn what_cannot_be_traded_is_refused_with_its_rule() {
    for (class, status) in [(AssetClass::Index, TradingStatus::Active), (AssetClass::Equity, TradingStatus::Halted)] {
        let universe = Arc::new(Universe::new(vec![Instrument { class, status, ..instrument(0) }]).unwrap());
        let (outcome, journal) = run(&RunConfig { universe, ..plain(&flat(&[(20, 50)]), above("0")) });
        assert_eq!(outcome.counts.fills, 0);
        assert!(refusals(&journal.records()).iter().all(|(_, rule)| *rule == Rule::NotTradable));
    }
}

#[test]
fn the_council_has_eleven_nodes_and_a_direct_run_its_live_ones() {
    let eleven = [
        "market_data_ingestor",
        "sentiment_analyzer",
        "momentum_trader",
        "mean_reversion_trader",
        "options_trader",
        "short_seller",
        "long_term_investor",
        "portfolio_allocator",
        "risk_manager",
        "execution_engine",
        "learning_optimizer",
    ];
    let data = || vec![Walk { rows: 10, ..Walk::default() }.batch()];
    let drawing = |c: RunConfig| State::new(&c).unwrap().mermaid();
    let has = |drawing: &str, node: &str| drawing.contains(&format!("\"{node}\""));
    let nodes =
        |drawing: &str| -> Vec<&str> { eleven.into_iter().chain(["rule"]).filter(|node| has(drawing, node)).collect() };
    let whole = drawing(RunConfig { agents: vec![crate::fixture::momentum(0)], ..council(data()) });
    assert_eq!(nodes(&whole), eleven, "{whole}");
    let with_rule = drawing(council(data()));
    assert_eq!(nodes(&with_rule), [&eleven[..], &["rule"]].concat(), "{with_rule}");
    let direct = drawing(config(data()));
    assert_eq!(nodes(&direct), ["market_data_ingestor", "portfolio_allocator", "execution_engine", "rule"], "{direct}");
}

/// An account in euros that counts in dollars, without a rate.
#[test]
fn without_a_net_asset_value_nothing_adds_risk_and_it_is_counted() {
    let eur = Currency::parse("EUR").unwrap();
    let universe = Arc::new(Universe::new(vec![Instrument { currency: eur, ..instrument(0) }]).unwrap());
    let cash = Money::from_units(10_000, eur).unwrap();
    let c = RunConfig { universe, cash, ..plain(&flat(&[(100, 50)]), above("0")) };
    let (outcome, journal) = run(&RunConfig { allocator: fused(30, 90, 2, false), ..c.clone() });
    assert_eq!(outcome.final_nav, Err(NavMissing::Rate(eur)));
    assert_eq!((outcome.counts.unpriced, outcome.counts.orders, outcome.counts.refused), (100, 0, 0));
    assert!(decisions(&journal.records()).is_empty() && outcome.equity.is_empty());
    let (outcome, journal) = run(&c);
    assert_eq!((outcome.counts.orders, outcome.counts.fills), (0, 0));
    assert!(refusals(&journal.records()).iter().all(|(_, rule)| *rule == Rule::NoPrice));
    let allocator = AllocatorConfig::Direct { size: DirectSize::WeightNano(400_000_000), allow_short: false };
    let (outcome, _) = run(&RunConfig { allocator, ..c });
    assert_eq!((outcome.counts.unpriced, outcome.counts.orders), (1, 0), "a weight of what?");
}

#[test]
fn a_fault_stops_the_run_and_names_its_event() {
    // Ten billion lots of 9e18 units at 1e-9 each; then the price is a billion times that.
    let lot = Quantity::from_units(9_000_000_000_000_000_000).unwrap();
    let universe = Arc::new(Universe::new(vec![Instrument { lot, ..instrument(0) }]).unwrap());
    let mut parts = Walk { n: 1, rows: 12, ..Walk::default() }.parts();
    for column in [&mut parts.open, &mut parts.high, &mut parts.low, &mut parts.close] {
        for (k, p) in column.iter_mut().enumerate() {
            *p = if k < 6 { 1 } else { 9 * NANO };
        }
    }
    let size = DirectSize::Quantity(Quantity::from_nano(lot.nano() * 10_000_000_000));
    let c = RunConfig {
        universe,
        cash: Money::from_nano(10_i128.pow(33), Currency::USD),
        allocator: AllocatorConfig::Direct { size, allow_short: false },
        feeds: vec![Arc::new(tradegraph_market::Batch::new(parts).unwrap())],
        ..plain(&flat(&[(1, 1)]), above("0"))
    };
    let error = try_run(&c, None).unwrap_err();
    // A bar is three events; the order, decided at the first, is accepted and filled by one more each. The seventh
    // bar opens with event 21.
    assert!(matches!(&error, RunFailure::Fault(Fault::Books { seq: 22, .. })), "{error:?}");
    assert!(error.to_string().starts_with("event 22: "), "{error}");
}

fn from_outside(exec: u64, order: u64, quantity: i64) -> VenueReport {
    let price = Price::from_nano(50 * NANO);
    let (exec, order, quantity) = (ExecId(exec), OrderId(order), units(quantity));
    VenueReport::Fill(Fill { exec, order, instrument: I, side: Side::Buy, quantity, price, fee_nano: 0 })
}

/// A fill of an order that nobody knows is booked and flagged; each execution posts once.
#[test]
fn fills_from_outside_are_booked_once_whatever_their_order() {
    let c = plain(&flat(&[(3, 50)]), above("1000"));
    let mut state = State::new(&c).unwrap();
    let mut out = Effects::default();
    let mut tell = |ts: Timestamp, about: Interval, payload: Payload| {
        let seq = state.next_seq();
        step(&mut state, &Event { seq, ts, about, payload }, &mut out);
    };
    for (k, (key, about, payload)) in naive(&c).into_iter().enumerate() {
        tell(key.ts, about, payload);
        if k == 4 {
            for (exec, quantity) in [(77, 3), (77, 3), (78, 4), (77, 9)] {
                tell(key.ts, about, Payload::Venue(from_outside(exec, 999, quantity)));
            }
        }
    }
    assert_eq!(state.fault(), None);
    assert_eq!(state.desk().books().position(I), units(7));
    assert!(state.desk().books().is_sound());
    let counts = state.desk().counts();
    assert_eq!((counts.fills, counts.duplicates), (2, 2));
    let flagged = |r: &Record| matches!(r, Record::Fill { anomaly: true, .. });
    assert_eq!(decode(out.records.as_bytes()).unwrap().iter().filter(|r| flagged(r)).count(), 2);
}

#[test]
fn a_rule_that_cannot_be_read_is_an_error() {
    let bad = RuleSpec { long: Some("fast >".into()), ..crossing(0) };
    let c = RunConfig { agents: vec![AgentConfig::Rule(bad)], ..config(vec![Walk::default().batch()]) };
    assert!(matches!(try_run(&c, None), Err(RunFailure::State(_))));
}
