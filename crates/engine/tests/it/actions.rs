//! Corporate actions through the whole engine: real ones to the cent, an open order over a split, the same rule on raw
//! prices with actions and on total-return prices, and what ends with a delisting.

use crate::books::watched;
use crate::engine::records::{ActionRecord, Record};
use crate::engine::{
    AgentConfig, AllocatorConfig, ConfigError, Effects, Outcome, RunConfig, RunFailure, State, StateError, step,
};
use crate::fixture::{
    START, Walk, above, action, binding, config, council, decisions, ema, fills, instrument, naive, roads, run,
    try_run, units, usd, with_actions,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use tradegraph_agents::RuleSpec;
use tradegraph_columns::Status;
use tradegraph_controls::Limits;
use tradegraph_domain::{
    ActionKind, AssetClass, BarPeriod, BarSpec, Basis, CancelReason, CorporateAction, Date, Event, Instrument,
    InstrumentId, NANO, Price, Quantity, Rule, Side, Timestamp,
};
use tradegraph_execution::Frictions;
use tradegraph_ledger::{Account, Ledger};
use tradegraph_market::actions::{AdjustedClose, Derivation, derive};
use tradegraph_market::calendar::CalendarId;
use tradegraph_market::{Actions, Batch, BatchParts, EmaSeed, Universe};
use tradegraph_portfolio::DirectSize;

const I: InstrumentId = InstrumentId(0);

fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

/// One session of a symbol in the sample of unadjusted prices.
struct Day {
    date: Date,
    /// Open, high, low, close.
    raw: [Price; 4],
    adjusted: Price,
}

fn sample(symbol: &str, from: &str, to: &str) -> Vec<Day> {
    let text = include_str!("../../../../samples/equities/us4_ohlcv_unadjusted_2000_2013.csv");
    let (from, to) = (day(from), day(to));
    let one = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let date = Date::parse(cells[1])?;
        let raw = [2, 3, 4, 5].map(|k: usize| price(cells[k]));
        (cells[0] == symbol && from <= date && date <= to).then(|| Day { date, raw, adjusted: price(cells[7]) })
    };
    text.lines().filter_map(one).collect()
}

/// The sessions as bars of one instrument; series of closes without `opens`.
fn sessions(days: &[Day], basis: Basis, opens: bool, of: impl Fn(&Day, usize) -> Price) -> Batch {
    let session = |d: &Day| CalendarId::Xnys.session(d.date).unwrap();
    let column = |k: usize| days.iter().map(|d| of(d, k).nano()).collect::<Vec<_>>();
    let with_open = |k: usize| if opens { column(k) } else { vec![] };
    Batch::new(BatchParts {
        spec: BarSpec { period: BarPeriod::Session, basis, has_open: opens },
        width: 1,
        starts: days.iter().map(|d| session(d).open).collect(),
        ends: days.iter().map(|d| session(d).close).collect(),
        open: with_open(0),
        high: with_open(1),
        low: with_open(2),
        close: column(3),
        volume: vec![],
        status: vec![Status::Ok; days.len()],
    })
    .unwrap()
}

fn derived(days: &[Day]) -> Vec<CorporateAction> {
    let closes: Vec<_> =
        days.iter().map(|d| AdjustedClose { date: d.date, raw: d.raw[3], adjusted: d.adjusted }).collect();
    derive(Derivation::Wiki, I, CalendarId::Xnys, &closes).actions
}

/// One share class without costs, settled at once; the rule holds `quantity` while the close is above zero.
fn holding(feed: Batch, actions: Vec<CorporateAction>, quantity: i64) -> RunConfig {
    let c = config(vec![feed]);
    let rule = RuleSpec { features: above("0").features, ..RuleSpec::default() };
    let rule = match quantity {
        0.. => RuleSpec { long: Some("close > 0".into()), ..rule },
        _ => RuleSpec { short: Some("close > 0".into()), ..rule },
    };
    RunConfig {
        actions: Arc::new(Actions::new(actions, vec![]).unwrap()),
        agents: vec![AgentConfig::Rule(rule)],
        allocator: AllocatorConfig::Direct {
            size: DirectSize::Quantity(units(quantity.abs())),
            allow_short: quantity < 0,
        },
        limits: Limits { allow_short: quantity < 0, ..Limits::default() },
        frictions: Frictions::default(),
        settlement_days: None,
        ..c
    }
}

/// What an account shows at the close of a day, to the cent.
#[derive(Debug, PartialEq)]
struct Statement {
    nav: String,
    cash: String,
    accrued: String,
    position: String,
}

fn statement(nav: &str, cash: &str, accrued: &str, position: &str) -> Statement {
    let [nav, cash, accrued, position] = [nav, cash, accrued, position].map(str::to_owned);
    Statement { nav, cash, accrued, position }
}

/// Steps through a run; the account after the decision of each day asked for.
fn statements(c: &RunConfig, at: &[&str]) -> Vec<Statement> {
    let mut state = State::new(c).unwrap();
    let (mut out, mut found) = (Effects::default(), BTreeMap::new());
    for (key, about, payload) in naive(c) {
        let seq = state.next_seq();
        step(&mut state, &Event { seq, ts: key.ts, about, payload }, &mut out);
        let books = state.desk().books();
        assert!(books.is_sound(), "event {}", seq.0);
        let cents = |nano: i128| {
            assert_eq!(nano % 10_000_000, 0, "{nano} is no cent");
            format!("{:.2}", nano as f64 / 1e9)
        };
        let (_, usd) = books.currencies().next().unwrap();
        // Between actions and the next bar there are no whole cents.
        if matches!(payload, tradegraph_domain::Payload::Decide(_)) {
            let statement = Statement {
                nav: cents(books.nav().unwrap()),
                cash: cents(usd.balance(Account::Cash)),
                accrued: cents(usd.balance(Account::Accrued)),
                position: books.position(I).to_string(),
            };
            found.insert(key.ts.date(), statement);
        }
    }
    assert_eq!(state.fault(), None);
    at.iter().map(|text| found.remove(&day(text)).unwrap()).collect()
}

fn acted(records: &[Record]) -> Vec<ActionRecord> {
    let one = |r: &Record| if let Record::Action(a) = r { Some((**a).clone()) } else { None };
    records.iter().filter_map(one).collect()
}

/// The dividends with the dates on which Microsoft paid them.
fn msft(days: &[Day]) -> Vec<CorporateAction> {
    let paid = [
        ("2003-02-19", "2003-03-07"),
        ("2003-10-15", "2003-11-07"),
        ("2004-08-23", "2004-09-14"),
        ("2004-11-15", "2004-12-02"),
    ];
    let mut all = derived(days);
    for a in &mut all {
        if let ActionKind::Dividend { pay, .. } = &mut a.kind {
            *pay = day(paid.iter().find(|(ex, _)| day(ex) == a.ex).unwrap().1);
        }
    }
    all
}

/// 100 Microsoft shares are bought at the open of 2003-02-13, 46.41, with 10,000 dollars: 5,359.00 are left. The 2:1
/// makes 200 of them, which bring 0.08, 0.16, 0.08 and 3.08: 16, 32, 16 and 616 dollars.
#[test]
fn microsoft_through_its_split_and_its_special_dividend() {
    let days = sample("MSFT", "2003-02-12", "2004-12-06");
    let c = holding(sessions(&days, Basis::Raw, true, |d, k| d.raw[k]), msft(&days), 100);
    let shown = statements(
        &c,
        &[
            "2003-02-14",
            "2003-02-18",
            "2003-02-19",
            "2004-11-12",
            "2004-11-15",
            "2004-12-01",
            "2004-12-02",
            "2004-12-06",
        ],
    );
    let at = statement;
    let expected = vec![
        at("10189.00", "5359.00", "0.00", "100"),   // + 100 × 48.30
        at("10351.00", "5359.00", "0.00", "200"),   // + 200 × 24.96
        at("10281.00", "5359.00", "16.00", "200"),  // + 200 × 24.53
        at("11417.00", "5423.00", "0.00", "200"),   // 16 + 32 + 16 are paid; + 200 × 29.97
        at("11517.00", "5423.00", "616.00", "200"), // + 200 × 27.39
        at("11489.00", "5423.00", "616.00", "200"), // + 200 × 27.25
        at("11457.00", "6039.00", "0.00", "200"),   // paid; + 200 × 27.09
        at("11505.00", "6039.00", "0.00", "200"),   // + 200 × 27.33
    ];
    assert_eq!(shown, expected);
    let (outcome, journal) = run(&c);
    assert_eq!(outcome.final_nav, Ok(11_505 * i128::from(NANO)));
    // One order, no other: a split makes none.
    assert_eq!((outcome.counts.orders, outcome.counts.fills), (1, 1));
    let records = acted(&journal.records());
    let shown: Vec<_> = records
        .iter()
        .map(|r| {
            (
                r.action.ex.to_string(),
                r.booked.before.to_string(),
                r.booked.after.to_string(),
                r.booked.cash_nano / i128::from(NANO),
            )
        })
        .collect();
    let row = |ex: &str, before: &str, cash| (ex.to_owned(), before.to_owned(), "200".to_owned(), cash);
    let expected = vec![
        row("2003-02-18", "100", 0),
        row("2003-02-19", "200", 16),
        row("2003-10-15", "200", 32),
        row("2004-08-23", "200", 16),
        row("2004-11-15", "200", 616),
    ];
    assert_eq!(shown, expected);
}

/// 100 sold short at 46.41 bring 4,641.00; the short pays 680 and owes 200 × 27.33.
#[test]
fn a_short_pays_the_dividends() {
    let days = sample("MSFT", "2003-02-12", "2004-12-06");
    let c = holding(sessions(&days, Basis::Raw, true, |d, k| d.raw[k]), msft(&days), -100);
    let shown = statements(&c, &["2003-02-18", "2004-11-15", "2004-12-06"]);
    let at = |nav, cash, accrued| statement(nav, cash, accrued, "-200");
    let expected = vec![
        at("9649.00", "14641.00", "0.00"),
        at("8483.00", "14577.00", "-616.00"),
        at("8495.00", "13961.00", "0.00"),
    ];
    assert_eq!(shown, expected);
}

/// Decided at the close of Friday 2003-02-14, the order waits over the holiday; 100 become 200 on Tuesday before the
/// open at 24.62.
#[test]
fn an_open_order_over_a_split_fills_in_new_shares() {
    let days = sample("MSFT", "2003-02-14", "2003-02-21");
    let c = holding(sessions(&days, Basis::Raw, true, |d, k| d.raw[k]), derived(&days), 100);
    let (outcome, journal) = run(&c);
    let records = journal.records();
    let done: Vec<_> = fills(&records).iter().map(|(_, ts, f)| (ts.date().to_string(), f.quantity, f.price)).collect();
    assert_eq!(done, vec![("2003-02-18".into(), units(200), price("24.62"))]);
    assert_eq!(
        decisions(&records).iter().map(|d| (d.order.quantity, d.price)).collect::<Vec<_>>(),
        vec![(units(100), price("48.30"))]
    );
    assert_eq!(
        acted(&records).iter().map(|a| (a.action.kind.name(), a.n_orders)).collect::<Vec<_>>(),
        vec![("split", 1), ("dividend", 0)]
    );
    // 10,000 − 200 × 24.62 + 200 × 0.08 + 200 × 24.15, the close of 2003-02-21.
    let last = days.last().unwrap().raw[3];
    assert_eq!(outcome.final_nav, Ok(i128::from(5_092 * NANO) + 200 * i128::from(last.nano())));
}

/// Net asset values by day, in whole currency.
fn curve(outcome: &Outcome) -> Vec<f64> {
    outcome.equity.iter().map(|p| p.nav_nano as f64 / 1e9).collect()
}

/// A naive account in floats: EMA 20 above EMA 50 of total-return prices, nine tenths of the account when it begins,
/// orders of one close fill at the next. Dividends stay cash, or are invested at the close of their ex-date.
fn naive_account(days: &[Day], actions: &[CorporateAction], reinvests: bool) -> Vec<f64> {
    let (mut cash, mut held, mut order, mut side) = (1_000_000.0, 0.0, 0.0, 0.0);
    let (mut fast, mut slow) = (days[0].adjusted.to_f64(), days[0].adjusted.to_f64());
    let mut out = vec![];
    for (k, d) in days.iter().enumerate() {
        let (close, adjusted) = (d.raw[3].to_f64(), d.adjusted.to_f64());
        for a in actions.iter().filter(|a| a.ex == d.date) {
            match a.kind {
                ActionKind::Split { new, old } => {
                    held *= f64::from(new) / f64::from(old);
                    order *= f64::from(new) / f64::from(old);
                }
                ActionKind::Dividend { amount, .. } => {
                    let paid = held * amount.to_f64();
                    if reinvests {
                        held += paid / close;
                        // A sale sells what came too.
                        order *= 1.0 + amount.to_f64() / close;
                    } else {
                        cash += paid;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
        cash -= order * close;
        held += order;
        order = 0.0;
        fast += 2.0 / 21.0 * (adjusted - fast);
        slow += 2.0 / 51.0 * (adjusted - slow);
        let nav = cash + held * close;
        out.push(nav);
        let wanted = f64::from(u8::from(fast > slow));
        if k + 1 >= 50 && wanted != side {
            side = wanted;
            order = 0.9 * nav * wanted / close - held;
        }
    }
    out
}

/// The largest difference of two curves, as a share.
fn gap(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max)
}

/// The same rule on raw closes with derived actions and on the source's adjusted closes, without costs and in
/// thousandths of shares: the same trades on the same days. What differs is when dividends are put to work: the
/// adjusted series invests them at once, the account keeps them as cash until its next order. Two accounts in floats
/// that differ in nothing but that show it: one is the raw run, the other the adjusted one.
///
/// | | trades | raw | total return | largest difference | at the end |
/// |---|---|---|---|---|---|
/// | AAPL | 56 | 9.7113 | 9.7121 | 0.045 % | 0.008 % |
/// | MSFT | 73 | 0.8279 | 0.8236 | 0.70 % | 0.53 % |
/// | GOOG | 35 | 2.3084 | 2.3084 | 0.00002 % | 0.00002 % |
///
/// Microsoft's is that of one dividend: 3.08 dollars, 10 % of the price, were held as cash while the share fell.
#[test]
fn raw_with_actions_returns_what_total_return_prices_do() {
    let mut table = vec![];
    for symbol in ["AAPL", "MSFT", "GOOG"] {
        let days = sample(symbol, "2000-03-01", "2013-03-01");
        let rule = RuleSpec {
            features: vec![("fast".into(), ema(0, 20, EmaSeed::First)), ("slow".into(), ema(0, 50, EmaSeed::First))],
            long: Some("fast > slow".into()),
            ..RuleSpec::default()
        };
        let of = |basis, actions, close: fn(&Day) -> Price| {
            let lot = Quantity::from_nano(1_000_000);
            let universe = Universe::new(vec![Instrument { lot, ..instrument(0) }]).unwrap();
            let size = DirectSize::WeightNano(900_000_000);
            let c = RunConfig {
                cash: usd(1_000_000),
                universe: Arc::new(universe),
                agents: vec![AgentConfig::Rule(rule.clone())],
                allocator: AllocatorConfig::Direct { size, allow_short: false },
                ..holding(sessions(&days, basis, false, |d, _| close(d)), actions, 1)
            };
            let (outcome, journal) = run(&c);
            let traded: Vec<_> = fills(&journal.records()).iter().map(|(_, ts, f)| (ts.date(), f.side)).collect();
            (curve(&outcome), traded)
        };
        let actions = derived(&days);
        let (raw, raw_trades) = of(Basis::Raw, actions.clone(), |d| d.raw[3]);
        let (total, total_trades) = of(Basis::TotalReturn, vec![], |d| d.adjusted);
        assert_eq!(raw_trades, total_trades, "{symbol}");
        // Rounding: a thousandth of a share of some hundred dollars at each of the trades, in a million.
        let rounding =
            [gap(&raw, &naive_account(&days, &actions, false)), gap(&total, &naive_account(&days, &actions, true))];
        assert!(rounding.iter().all(|g| *g < 2e-6), "{symbol}: {rounding:?}");
        let last = raw.len() - 1;
        let share = |nav: f64| format!("{:.4}", nav / 1e6);
        let worst = format!("{:.3}", 100.0 * gap(&raw, &total));
        table.push((symbol, raw_trades.len(), share(raw[last]), share(total[last]), worst));
    }
    let row = |symbol, n, raw: &str, total: &str, worst: &str| (symbol, n, raw.into(), total.into(), worst.into());
    let expected = vec![
        row("AAPL", 56, "9.7113", "9.7121", "0.045"),
        row("MSFT", 73, "0.8279", "0.8236", "0.699"),
        row("GOOG", 35, "2.3084", "2.3084", "0.000"),
    ];
    assert_eq!(table, expected);
}

/// Rises from 10 to 30 so that the rule buys, and then stays.
fn rising() -> Batch {
    crate::fixture::bars(&(0..40).map(|k| (10 + k.min(20), 10 + k.min(20))).collect::<Vec<_>>())
}

fn minute(m: i64) -> Timestamp {
    Timestamp(START.0 + m * crate::fixture::MINUTE)
}

/// The order that was decided at minute 6 waits for the open at which its instrument is no more.
#[test]
fn a_delisting_cancels_orders_pays_holders_and_ends_all_wishes() {
    let direct = RunConfig { agents: vec![AgentConfig::Rule(above("15"))], ..config(vec![rising()]) };
    let fusion = RunConfig { allocator: crate::fixture::fused(30, 90, 2, false), ..direct.clone() };
    let end = |m, text| {
        Arc::new(
            Actions::new(vec![action(minute(m), 0, ActionKind::Delisting { price: price(text) })], vec![]).unwrap(),
        )
    };
    for c in [direct, fusion] {
        // Closes are above 15 from minute 7 on, when row 6 is known.
        let early = RunConfig { actions: end(7, "16"), ..c.clone() };
        let (outcome, journal) = run(&early);
        let records = journal.records();
        let cancelled: Vec<_> = records
            .iter()
            .filter_map(|r| if let Record::Cancelled { reason, .. } = r { Some(*reason) } else { None })
            .collect();
        assert_eq!(cancelled, vec![CancelReason::Delisted]);
        assert_eq!((outcome.counts.orders, outcome.counts.fills, outcome.counts.refused), (1, 0, 0));
        assert_eq!((acted(&records)[0].n_orders, outcome.final_nav), (1, Ok(usd(10_000).nano())));

        let late = RunConfig { actions: end(12, "5.5"), ..c };
        let (outcome, journal) = run(&late);
        let records = journal.records();
        let (bought, ended) = (fills(&records), acted(&records));
        assert!(!bought.is_empty() && bought.iter().all(|(_, ts, _)| *ts < minute(12)));
        // The council also sells a little while the price rises.
        let signed: Vec<_> = bought.iter().map(|(_, _, f)| (f.side.signed(f.quantity), f.price)).collect();
        let held: i128 = signed.iter().map(|(q, _)| q.nano()).sum();
        let cost: i128 = signed.iter().map(|(q, price)| price.notional_nano(*q).unwrap()).sum();
        let fees: i128 = bought.iter().map(|(_, _, f)| f.fee_nano).sum();
        let paid = price("5.5").notional_nano(Quantity::from_nano(held)).unwrap();
        let booked = ended[0].booked;
        assert_eq!((booked.before.nano(), booked.after, booked.cash_nano), (held, Quantity::ZERO, paid));
        let sold: i128 =
            records.iter().map(|r| if let Record::Fill { realised_nano, .. } = r { *realised_nano } else { 0 }).sum();
        assert_eq!(booked.realised_nano + sold, paid - cost);
        assert_eq!(outcome.final_nav, Ok(usd(10_000).nano() - cost - fees + paid));
        // The rule says long for the rest of the run, and nobody asks the gate.
        assert!(decisions(&records).iter().all(|d| d.ts < minute(12) && d.refusal.is_none()));
    }
}

/// An order that reaches the gate all the same is refused, and the instrument's other orders are not touched.
#[test]
fn the_gate_knows_the_delisted() {
    let walk = Walk { rows: 60, ..Walk::default() };
    let c = config(vec![walk.batch()]);
    let end = ActionKind::Delisting { price: price("1") };
    let c = RunConfig { actions: Arc::new(Actions::new(vec![action(minute(20), 1, end)], vec![]).unwrap()), ..c };
    let (state, records) = watched("delisted", &c);
    let gone: Vec<bool> = (0..3).map(|i| state.desk().gate().is_delisted(InstrumentId(i))).collect();
    assert_eq!(gone, vec![false, true, false]);
    let late: Vec<u32> =
        decisions(&records).iter().filter(|d| d.ts > minute(20)).map(|d| d.order.instrument.0).collect();
    assert!(!late.is_empty() && !late.contains(&1), "{late:?}");
}

/// Books, orders and reservations fit together after every event, and the records of fills and actions add up to the
/// account: cash, positions and, from the marks, NAV.
#[test]
fn books_are_sound_with_actions_and_records_add_up() {
    for walk in [
        Walk { rows: 250, ..Walk::default() },
        Walk { missing: 250, seed: 4, rows: 250, ..Walk::default() },
        Walk { has_open: false, missing: 100, rows: 250, ..Walk::default() },
    ] {
        for (name, c) in roads(vec![walk.batch()]) {
            let c = with_actions(c);
            let (state, records) = watched(name, &c);
            let mut positions = BTreeMap::<InstrumentId, i128>::new();
            let (mut money, mut kinds) = (c.cash.nano(), BTreeMap::<&str, u32>::new());
            for r in &records {
                match r {
                    Record::Fill { fill: f, .. } => {
                        *positions.entry(f.instrument).or_default() += f.side.signed(f.quantity).nano();
                        let notional = f.price.notional_nano(f.quantity).unwrap();
                        money += if f.side == Side::Buy { -notional } else { notional } - f.fee_nano;
                    }
                    Record::Action(a) => {
                        let held = positions.entry(a.action.instrument).or_default();
                        assert_eq!(a.booked.before.nano(), *held, "{name}, event {}", a.seq);
                        *held = a.booked.after.nano();
                        money += a.booked.cash_nano;
                        *kinds.entry(a.action.kind.name()).or_default() += 1;
                        assert_eq!(a.symbol, if a.action.kind.name() == "rename" { "NEW" } else { "" });
                    }
                    _ => {}
                }
            }
            assert_eq!(
                kinds.into_iter().collect::<Vec<_>>(),
                vec![("delisting", 1), ("dividend", 3), ("rename", 1), ("split", 4)],
                "{name}"
            );
            let books = state.desk().books();
            let (_, own) = books.currencies().next().unwrap();
            assert_eq!(own.balance(Account::Cash) + own.balance(Account::Accrued), money, "{name}");
            let all = |f: fn(&Ledger, InstrumentId) -> i128| {
                (0..c.universe.len() as u32).map(|i| f(books, InstrumentId(i))).sum::<i128>()
            };
            assert_eq!(-own.balance(Account::Dividends), all(Ledger::dividends_of), "{name}");
            for (i, held) in &positions {
                assert_eq!(books.position(*i).nano(), *held, "{name}, {i:?}");
            }
            assert_eq!(state.desk().orders().n_anomalies(), 0, "{name}");
        }
    }
}

/// Actions that are still to come change nothing before them.
#[test]
fn later_actions_change_no_past_decision() {
    for (name, c) in roads(vec![Walk { rows: 120, ..Walk::default() }.batch()]) {
        let now = with_actions(c.clone());
        let t = minute(80);
        let more =
            |ts: Timestamp| if let Some(a) = now.actions.items().iter().find(|a| a.ts >= ts) { a.ts } else { ts };
        let past: Vec<_> = now.actions.items().iter().filter(|a| a.ts < t).copied().collect();
        let then = RunConfig { actions: Arc::new(Actions::new(past, vec!["NEW".into()]).unwrap()), ..c };
        let story = |c: &RunConfig| {
            let records = run(c).1.records();
            let until = more(t);
            let ts = |r: &Record| match r {
                Record::Decision(d) => Some(d.ts),
                Record::Action(a) => Some(a.ts),
                Record::Fill { ts, .. } | Record::Cancelled { ts, .. } => Some(*ts),
                _ => None,
            };
            records.into_iter().filter(|r| ts(r).is_some_and(|ts| ts < until)).collect::<Vec<_>>()
        };
        let (a, b) = (story(&now), story(&then));
        assert!(a.len() > 10, "{name}");
        assert!(a == b, "{name}");
    }
}

#[test]
fn what_cannot_be_run_with_actions_is_said() {
    let walk = Walk { rows: 20, ..Walk::default() };
    let why = |c: &RunConfig| match try_run(c, None) {
        Err(RunFailure::State(StateError::Config(e))) => e,
        other => panic!("{other:?}"),
    };
    let c = with_actions(config(vec![walk.batch()]));
    let mut parts = walk.parts();
    parts.spec.basis = Basis::SplitAdjusted;
    let adjusted = RunConfig { feeds: vec![Arc::new(Batch::new(parts).unwrap())], ..c.clone() };
    assert_eq!(why(&adjusted).to_string(), "feed 0 is split-adjusted: corporate actions go with raw prices only");
    assert!(try_run(&RunConfig { actions: Arc::default(), ..adjusted }, None).is_ok());
    let far = Actions::new(vec![action(START, 3, ActionKind::Split { new: 2, old: 1 })], vec![]).unwrap();
    let unknown = RunConfig { actions: Arc::new(far), ..c.clone() };
    assert_eq!(why(&unknown), ConfigError::Action { at: 0, instrument: InstrumentId(3), n: 3 });
    let mut contract = instrument(1);
    (contract.class, contract.multiplier) = (AssetClass::Future, Quantity::from_units(50).unwrap());
    let universe = Universe::new(vec![instrument(0), contract, instrument(2)]).unwrap();
    let contracts = RunConfig { universe: Arc::new(universe), actions: Arc::default(), ..c };
    let said = why(&contracts).to_string();
    assert!(said.starts_with("'S00001' has a contract multiplier of 50"), "{said}");
}

/// A table of actions is part of what binds a run.
#[test]
fn the_first_record_binds_the_actions() {
    let c = council(vec![Walk { rows: 40, ..Walk::default() }.batch()]);
    let bound = |c: &RunConfig| match &run(c).1.records()[0] {
        Record::Binding(b) => b.actions,
        other => panic!("{other:?}"),
    };
    let acted = with_actions(c.clone());
    assert_eq!(bound(&acted), Some(acted.actions.id()));
    assert_ne!(bound(&acted), bound(&c));
    assert_eq!(bound(&c), binding(&c).actions);
}

/// A fixed quantity stays as told for the next purchase, and what is held is not corrected to it.
#[test]
fn a_fixed_quantity_is_told_in_the_units_of_the_day() {
    // Ten are bought at 20, are twenty after the split, are sold, and ten new ones are bought.
    let prices = [&[(10, 10); 3][..], &[(20, 20); 5], &[(10, 10); 5], &[(5, 5); 3], &[(12, 12); 5]].concat();
    let rule = RuleSpec { long: Some("close > 9".into()), ..above("9") };
    let c = RunConfig { agents: vec![AgentConfig::Rule(rule)], ..config(vec![crate::fixture::bars(&prices)]) };
    let c = RunConfig { limits: Limits::default(), frictions: Frictions::default(), ..c };
    let split = action(minute(8), 0, ActionKind::Split { new: 2, old: 1 });
    let c = RunConfig { actions: Arc::new(Actions::new(vec![split], vec![]).unwrap()), ..c };
    let (_, journal) = run(&c);
    let traded: Vec<_> = fills(&journal.records()).iter().map(|(_, _, f)| (f.side, f.quantity)).collect();
    assert_eq!(traded, vec![(Side::Buy, units(10)), (Side::Sell, units(20)), (Side::Buy, units(10))]);
}

/// While a wish waits after a refusal, a split makes no order that was not wanted.
#[test]
fn pauses_go_on_over_a_split() {
    let prices: Vec<(i64, i64)> = [vec![(50, 50); 20], vec![(25, 25); 20]].concat();
    let split = action(minute(20), 0, ActionKind::Split { new: 2, old: 1 });
    let c = RunConfig {
        cash: usd(400),
        agents: vec![AgentConfig::Rule(above("0"))],
        ..config(vec![crate::fixture::bars(&prices)])
    };
    let c = RunConfig { actions: Arc::new(Actions::new(vec![split], vec![]).unwrap()), ..c };
    let records = run(&c).1.records();
    assert!(fills(&records).is_empty());
    let asked: Vec<_> = decisions(&records).iter().map(|d| (d.order.quantity, d.refusal.map(|r| r.rule))).collect();
    assert!(asked.iter().all(|(_, rule)| *rule == Some(Rule::Cash)));
    // What was wanted before is wanted after: ten old shares are twenty new ones.
    assert_eq!(asked.iter().map(|(q, _)| *q).collect::<Vec<_>>(), [vec![units(10); 5], vec![units(20)]].concat());
}

/// A split is no move: what agents earned and how often they were right is that of the run without it.
#[test]
fn agents_are_judged_and_paid_through_a_split() {
    let parts = Walk { rows: 200, ..Walk::default() }.parts();
    let plain = RunConfig { actions: Arc::default(), ..council(vec![Batch::new(parts.clone()).unwrap()]) };
    let at = 120;
    let mut halved = parts.clone();
    for cell in (at * parts.width..parts.close.len()).filter(|cell| cell % parts.width == 0) {
        for column in [&mut halved.open, &mut halved.high, &mut halved.low, &mut halved.close] {
            column[cell] /= 2;
        }
    }
    let split = action(parts.starts[at], 0, ActionKind::Split { new: 2, old: 1 });
    let actions = Arc::new(Actions::new(vec![split], vec![]).unwrap());
    let split = RunConfig { actions, ..council(vec![Batch::new(halved).unwrap()]) };
    let told = |c: &RunConfig| {
        let records = run(c).1.records();
        let results = records.iter().rev().find_map(|r| match r {
            Record::Results { statement, .. } => Some(statement.clone()),
            _ => None,
        });
        results.unwrap().lines
    };
    for (a, b) in told(&plain).iter().zip(&told(&split)) {
        assert_eq!(a.decisions, b.decisions);
        // Lots are whole: the account differs by roundings.
        let (a, b) = (a.gross as f64, b.gross as f64);
        assert!((a - b).abs() <= 0.01 * a.abs().max(1e9), "{a} {b}");
    }
}
