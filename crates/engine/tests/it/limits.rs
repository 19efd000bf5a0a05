//! Every limit of the gate and every breaker, tripped by what a run does: small back-tests and sequences of events in
//! which one rule refuses by itself, and what reduces a position still passes.
//!
//! One unit of price is one dollar; bars are minutes from 2024-03-01T00:00Z, a Friday. The rule is long above 50.

use crate::engine::records::{Record, decode};
use crate::engine::{AllocatorConfig, BackTest, Effects, RunConfig, Schedule, State, step};
use crate::fixture::{
    MINUTE, Recorder, START, above, binding, config, decisions, fills, naive, result, run, units, usd,
};
use tradegraph_agents::RuleSpec;
use tradegraph_columns::Status;
use tradegraph_columns::codec::{Decoder, Encoder};
use tradegraph_controls::{AccountKind, Action, Breaker, Breakers, Groups, Limits, SessionRule, Trip, Windows, Within};
use tradegraph_domain::{
    BarPeriod, BarSpec, Basis, Bps, Event, Interval, NANO, Nanos, OrderId, Payload, Quantity, Refusal, RejectReason,
    Rule, Side, Timestamp, Unit, VenueReport,
};
use tradegraph_execution::Frictions;
use tradegraph_market::calendar::CalendarId;
use tradegraph_market::{Batch, BatchParts};
use tradegraph_portfolio::DirectSize;

const PERCENT: i64 = NANO / 100;

fn minute(ts: Timestamp) -> i64 {
    (ts.0 - START.0) / MINUTE
}

/// Bars of several instruments, one minute each from a moment, open = close.
fn market(start: Timestamp, period: i64, rows: &[&[i64]]) -> Batch {
    let n = rows.len();
    let at = |k: usize| Timestamp(start.0 + period * k as i64);
    let prices: Vec<i64> = rows.iter().flat_map(|r| r.iter().map(|p| p * NANO)).collect();
    let status = prices.iter().map(|p| if *p == 0 { Status::NoData } else { Status::Ok }).collect();
    Batch::new(BatchParts {
        spec: BarSpec { period: BarPeriod::Fixed(Nanos(period)), basis: Basis::Raw, has_open: true },
        width: rows[0].len(),
        starts: (0..n).map(at).collect(),
        ends: (1..=n).map(at).collect(),
        open: prices.clone(),
        high: prices.clone(),
        low: prices.clone(),
        close: prices,
        volume: vec![1_000.0; n * rows[0].len()],
        status,
    })
    .unwrap()
}

fn direct(quantity: i64, allow_short: bool) -> AllocatorConfig {
    AllocatorConfig::Direct { size: DirectSize::Quantity(units(quantity)), allow_short }
}

/// Free of costs, 10 units of everything above 50.
fn plain(batch: Batch, limits: Limits) -> RunConfig {
    let c = config(vec![batch]);
    let limits = Limits { open_orders: None, ..limits };
    let agents = vec![crate::engine::AgentConfig::Rule(above("50"))];
    RunConfig { agents, limits, frictions: Frictions::default(), ..c }
}

fn minutes(rows: &[&[i64]], limits: Limits) -> RunConfig {
    plain(market(START, MINUTE, rows), limits)
}

/// Long above 50, short below.
fn both_sides() -> RuleSpec {
    RuleSpec { short: Some("close < 50".into()), ..above("50") }
}

fn shorting(rows: &[&[i64]], limits: Limits) -> RunConfig {
    let agents = vec![crate::engine::AgentConfig::Rule(both_sides())];
    let limits = Limits { allow_short: true, ..limits };
    RunConfig { agents, allocator: direct(10, true), ..minutes(rows, limits) }
}

/// What was refused: minute, instrument, rule.
fn refused(records: &[Record]) -> Vec<(i64, u32, Refusal)> {
    let all = decisions(records).into_iter();
    all.filter_map(|d| Some((minute(d.ts), d.order.instrument.0, d.refusal?))).collect()
}

/// What traded: minute, instrument, signed units.
fn traded(records: &[Record]) -> Vec<(i64, u32, i64)> {
    let signed = |side: Side, q: Quantity| side.signed(q).nano() as i64 / NANO;
    fills(records).iter().map(|(_, ts, f)| (minute(*ts), f.instrument.0, signed(f.side, f.quantity))).collect()
}

/// Runs; the first refusal must be this one, and every refusal must be of its rule. Gives what traded.
fn check(name: &str, c: &RunConfig, first: (i64, u32, Rule, i128, i128)) -> Vec<(i64, u32, i64)> {
    let (_, journal) = run(c);
    let records = journal.records();
    let all = refused(&records);
    let got = all.first().map(|(m, i, r)| (*m, *i, r.rule, r.limit, r.actual));
    assert_eq!(got, Some(first), "{name}");
    assert!(all.iter().all(|(_, _, r)| r.rule == first.2), "{name}: {all:?}");
    traded(&records)
}

fn nano(n: i64) -> i128 {
    i128::from(n) * i128::from(NANO)
}

fn share(tenths_of_percent: i64) -> i128 {
    i128::from(tenths_of_percent * NANO / 1_000)
}

const OFF: fn() -> Limits = Limits::default;

/// 10 of A and B at 60 are 600 each, 6 % of 10,000. Both signals come together; A is asked first.
#[test]
fn limits_on_the_worst_case_of_the_account() {
    // Up at minute 2, down at minute 6: what was bought is sold whatever the limit says.
    let rows: &[&[i64]] = &[&[40, 40], &[60, 60], &[60, 60], &[60, 60], &[40, 40], &[40, 40], &[40, 40]];
    let group = |of: Vec<u16>| Groups { of, nano_nav: Some(10 * PERCENT) };
    let second = |rule| (2, 1, rule, share(100), share(120));
    let cap = Some(10 * PERCENT);
    for (name, limits, first) in [
        ("sector", Limits { sector: group(vec![0, 0]), ..OFF() }, second(Rule::Sector)),
        ("currency", Limits { currency: group(vec![0, 0]), ..OFF() }, second(Rule::Currency)),
        ("venue", Limits { venue: group(vec![0, 0]), ..OFF() }, second(Rule::Venue)),
        ("gross", Limits { gross_nano_nav: cap, ..OFF() }, second(Rule::Gross)),
        ("net", Limits { net_nano_nav: cap, ..OFF() }, second(Rule::Net)),
        ("leverage", Limits { leverage_nano_nav: cap, ..OFF() }, second(Rule::Leverage)),
    ] {
        let c = minutes(rows, limits);
        let traded = check(name, &c, first);
        assert_eq!(traded[0], (2, 0, 10), "{name}: the first order is within the limit");
        let sold = traded.iter().filter(|t| t.0 == 5).map(|t| t.2).sum::<i64>();
        let held = traded.iter().filter(|t| t.0 < 5).map(|t| t.2).sum::<i64>();
        assert_eq!(sold, -held, "{name}: a reduction passes");
    }
    let mut c = minutes(rows, OFF());
    c.limits.open_orders = Some(1);
    let traded_one = check("open orders", &c, (2, 1, Rule::OpenOrders, 1, 2));
    assert_eq!(traded_one[..2], [(2, 0, 10), (3, 1, 10)], "the second order leaves when the first is done");
    // Groups apart: nothing is refused.
    let apart = Limits { sector: group(vec![0, 1]), currency: group(vec![1, 0]), venue: group(vec![0, 9]), ..OFF() };
    assert_eq!(traded(&run(&minutes(rows, apart)).1.records()).len(), 4);
    let unknown = Limits { sector: group(vec![Groups::NONE, 0]), ..OFF() };
    assert_eq!(traded(&run(&minutes(rows, unknown)).1.records()).len(), 4, "a sector that is not known has no limit");
}

#[test]
fn limits_on_one_order_and_one_position() {
    let rows: &[&[i64]] = &[&[40], &[60], &[60], &[60]];
    let collar = Some(Bps::from_units(500));
    for (name, limits, first) in [
        (
            "quantity",
            Limits { order_quantity: Some(units(9)), ..OFF() },
            (2, 0, Rule::OrderQuantity, nano(9), nano(10)),
        ),
        // 10 × 60 × 1.05.
        (
            "notional",
            Limits { order_notional_nano: Some(nano(620)), collar, ..OFF() },
            (2, 0, Rule::OrderNotional, nano(620), nano(630)),
        ),
        (
            "position",
            Limits { position_nano_nav: Some(5 * PERCENT), ..OFF() },
            (2, 0, Rule::Position, share(50), share(60)),
        ),
        ("cash", OFF(), (2, 0, Rule::Cash, nano(500), nano(600))),
    ] {
        let cash = if name == "cash" { usd(500) } else { usd(10_000) };
        let c = RunConfig { cash, ..minutes(rows, limits) };
        assert_eq!(check(name, &c, first), vec![], "{name}");
    }
    let c = RunConfig { allocator: direct(10, true), ..shorting(&[&[40], &[40]], OFF()) };
    let forbidden = RunConfig { limits: Limits { allow_short: false, ..c.limits.clone() }, ..c.clone() };
    assert_eq!(check("short", &forbidden, (1, 0, Rule::Short, 0, nano(-10))), vec![]);
    let located = |n| RunConfig { limits: Limits { locate: Some(vec![units(n)]), ..c.limits.clone() }, ..c.clone() };
    assert_eq!(check("locate", &located(9), (1, 0, Rule::Locate, nano(9), nano(10))), vec![]);
    assert_eq!(traded(&run(&located(10)).1.records()), vec![(1, 0, -10)]);
}

/// A signal that changes every other minute sends an order of the same size each time.
#[test]
fn limits_over_a_period() {
    let rows: Vec<&[i64]> = (0..24).map(|k| if k / 2 % 2 == 0 { &[40][..] } else { &[60][..] }).collect();
    let per = Nanos(20 * MINUTE);
    for (name, windows, first) in [
        // Buys at 3, 7, 11 and sales at 5, 9: the third buy within 20 minutes is one too many.
        (
            "duplicates",
            Windows { duplicates: Some(Within { most: 2, per }), ..Windows::default() },
            (11, 0, Rule::Duplicate, 2, 3),
        ),
        (
            "orders",
            Windows { orders: Some(Within { most: 4, per }), ..Windows::default() },
            (11, 0, Rule::OrderRate, 4, 5),
        ),
        // 600 + 400 + 600 + 400 + 600.
        (
            "notional",
            Windows { notional_nano: Some(Within { most: nano(2_500), per }), ..Windows::default() },
            (11, 0, Rule::NotionalRate, nano(2_500), nano(2_600)),
        ),
    ] {
        let traded = check(name, &minutes(&rows, Limits { windows, ..OFF() }), first);
        assert_eq!(traded[..4], [(3, 0, 10), (5, 0, -10), (7, 0, 10), (9, 0, -10)], "{name}");
        assert!(
            traded[4..].iter().all(|t| t.0 >= 23),
            "{name}: only once the first ones are 20 minutes old: {traded:?}"
        );
    }
    // Three orders use the window up: the sale that comes next reduces, and passes.
    let windows = Windows { orders: Some(Within { most: 3, per }), ..Windows::default() };
    let traded = check("reduction", &minutes(&rows, Limits { windows, ..OFF() }), (11, 0, Rule::OrderRate, 3, 5));
    assert_eq!(traded[..4].last(), Some(&(9, 0, -10)));
}

/// A clock decides every 12 hours, also on Saturday and Sunday when the market has no session. B has no bar after the
/// first day.
#[test]
fn sessions_and_old_prices() {
    let day = Nanos::DAY.0;
    let rows: &[&[i64]] = &[&[60, 60], &[60, 0], &[60, 0], &[60, 0]];
    // Friday to Monday; A's bars come also on the weekend, as a source of another calendar sends them.
    let c = plain(market(START, day, rows), OFF());
    let c = RunConfig { schedules: vec![Schedule::Every(Nanos(day / 2))], settlement_days: None, ..c };
    let shut = Limits {
        session: SessionRule::OpenOnly,
        calendars: vec![None, Some(CalendarId::Weekdays)],
        ..c.limits.clone()
    };
    // Known from Saturday 00:00 on: A is bought, B waits for Monday.
    let (_, journal) = run(&RunConfig { limits: shut, ..c.clone() });
    let all = refused(&journal.records());
    assert_eq!(all[0].0, 24 * 60);
    assert!(all.iter().all(|(m, i, r)| *i == 1 && r.rule == Rule::Session && *m < 72 * 60), "{all:?}");
    assert!(traded(&journal.records()).contains(&(24 * 60, 0, 10)));
    let waiting =
        Limits { session: SessionRule::Waiting, calendars: vec![Some(CalendarId::Weekdays); 2], ..c.limits.clone() };
    assert_eq!(refused(&run(&RunConfig { limits: waiting, ..c.clone() }).1.records()), vec![], "market orders wait");

    // B's order waits in vain for a bar; asked again it is refused once the price is a day old.
    let old = Limits { price_age: Some(Nanos(day)), ..c.limits.clone() };
    let late = RuleSpec { long: Some("close > 60".into()), ..above("60") };
    let rows: &[&[i64]] = &[&[60, 70], &[60, 70], &[70, 0], &[70, 0], &[70, 0]];
    let c = RunConfig { agents: vec![crate::engine::AgentConfig::Rule(late)], cash: usd(500), limits: old, ..c };
    let c = RunConfig { feeds: plain(market(START, day, rows), OFF()).feeds, ..c };
    let (_, journal) = run(&c);
    let all = refused(&journal.records());
    let rules: Vec<_> = all.iter().filter(|r| r.1 == 1).map(|(m, _, r)| (m / 720, r.rule)).collect();
    assert_eq!(rules[0].1, Rule::Cash);
    let first_old = rules.iter().find(|(_, rule)| *rule == Rule::StalePrice).unwrap().0;
    assert!(rules.iter().all(|(half, rule)| (*rule == Rule::StalePrice) == (*half > 6)), "{rules:?}");
    assert!(first_old > 6, "priced at the end of day 2, a day old at the end of day 3");
}

/// Bars of a day each from a date.
fn daily(from: &str, rows: &[&[i64]], kind: AccountKind) -> RunConfig {
    let start = tradegraph_domain::Date::parse(from).unwrap().midnight();
    plain(market(start, Nanos::DAY.0, rows), Limits { account: kind, ..OFF() })
}

/// Bought on Monday, sold on Tuesday, and wanted again on Tuesday evening: the proceeds settle on Wednesday.
#[test]
fn a_cash_account_does_not_spend_proceeds_before_they_settle() {
    let rows: &[&[i64]] = &[&[60], &[60], &[40], &[60], &[60], &[60], &[60], &[60]];
    // 2024-03-04 is a Monday. 900 pay for 10 at 60 once, and not twice.
    let of = |kind, days| {
        let c = daily("2024-03-04", rows, kind);
        RunConfig { cash: usd(900), settlement_days: Some(days), ..c }
    };
    let day =
        |ts: Timestamp| (ts.0 - tradegraph_domain::Date::parse("2024-03-04").unwrap().midnight().0) / Nanos::DAY.0;
    let bought = |c: &RunConfig| -> (Vec<(i64, bool)>, Vec<Refusal>) {
        let records = run(c).1.records();
        let all = fills(&records).iter().map(|(_, ts, f)| (day(*ts), f.side == Side::Buy)).collect();
        (all, refused(&records).into_iter().map(|r| r.2).collect())
    };
    let (traded, refusals) = bought(&of(AccountKind::Cash, 2));
    // Bought at the open of day 1, sold at that of day 3 (a Thursday) for 600, which settle on Monday, day 7.
    assert_eq!(traded[..2], [(1, true), (3, false)]);
    let no = Refusal { rule: Rule::SettledCash, limit: nano(300), actual: nano(600), unit: Unit::MoneyNano };
    assert_eq!(refusals.first(), Some(&no));
    assert!(refusals.iter().all(|r| r.rule == Rule::SettledCash));
    assert!(traded[2..].iter().all(|(d, _)| *d >= 7), "{traded:?}");
    let (traded, refusals) = bought(&of(AccountKind::Unrestricted, 2));
    assert_eq!((traded[..3].to_vec(), refusals), (vec![(1, true), (3, false), (4, true)], vec![]));
}

#[test]
fn margin_by_the_rules_of_the_date() {
    let rows: &[&[i64]] = &[&[60], &[60], &[60]];
    let long = |from, quantity: i64, cash: i64| {
        let c = daily(from, rows, AccountKind::Margin);
        RunConfig { cash: usd(cash), allocator: direct(quantity, false), ..c }
    };
    let first = |c: &RunConfig| {
        let records = run(c).1.records();
        let refusal = refused(&records).first().map(|(_, _, r)| (r.rule, r.limit / nano(1), r.actual / nano(1)));
        (refusal, traded(&records).first().map(|t| t.2))
    };
    // 333 × 60 = 19,980: half of it is less than 10,000. One more unit is 10,020.
    assert_eq!(first(&long("2026-08-03", 333, 10_000)), (None, Some(333)), "bought with borrowed money");
    let too_much = long("2026-08-03", 334, 10_000);
    assert_eq!(first(&too_much), (Some((Rule::InitialMargin, 10_000, 10_020)), None));
    // 667 × 60 × 25 % = 10,005: the maintenance margin before the date, the intraday margin from it.
    assert_eq!(first(&long("2026-05-25", 667, 10_000)), (Some((Rule::Maintenance, 10_000, 10_005)), None));
    assert_eq!(first(&long("2026-08-03", 667, 10_000)), (Some((Rule::IntradayMargin, 10_000, 10_005)), None));
    // 1,900 pay for 31 at 60, and less than 2,000 borrow nothing.
    assert_eq!(first(&long("2026-08-03", 31, 1_900)), (None, Some(31)));
    assert_eq!(first(&long("2026-08-03", 32, 1_900)), (Some((Rule::MinimumEquity, 2_000, 1_900)), None));
}

/// 300 A at 60 with 9,500 borrow 8,500. At 36 they are worth 10,800 and the equity is 2,300: less than a quarter of
/// it, 2,700. B is wanted then and refused; A is sold below 30, whatever is missing.
#[test]
fn below_maintenance_only_reductions_pass() {
    let rows: &[&[i64]] = &[&[60, 40], &[60, 40], &[36, 40], &[36, 60], &[36, 60], &[29, 60], &[29, 60], &[29, 60]];
    let keep = RuleSpec { exit: Some("close < 30".into()), ..above("50") };
    let c = daily("2026-08-03", rows, AccountKind::Margin);
    let agents = vec![crate::engine::AgentConfig::Rule(keep)];
    let c = RunConfig { agents, cash: usd(9_500), allocator: direct(300, false), ..c };
    let (outcome, journal) = run(&c);
    let records = journal.records();
    let (_, i, first) = refused(&records)[0];
    let no = Refusal { rule: Rule::Maintenance, limit: nano(2_300), actual: nano(2_700), unit: Unit::MoneyNano };
    assert_eq!((i, first), (1, no));
    assert_eq!(traded(&records).iter().map(|t| (t.1, t.2)).collect::<Vec<_>>(), vec![(0, 300), (0, -300)]);
    // 200 are left, which is too little to borrow anything.
    assert_eq!(outcome.final_nav, Ok(nano(200)));
    assert!(refused(&records).iter().all(|r| matches!(r.2.rule, Rule::Maintenance | Rule::MinimumEquity)));
}

/// Three round trips a day apart in an account of 10,000: the fourth purchase of the five days is refused before
/// 2026-06-04 and not after it.
#[test]
fn day_trades_need_equity_until_the_rule_ends() {
    let rows: Vec<&[i64]> = (0..40).map(|k| if k / 2 % 2 == 0 { &[40][..] } else { &[60][..] }).collect();
    for (date, limited) in [("2026-06-01", true), ("2026-06-08", false)] {
        let start = tradegraph_domain::Date::parse(date).unwrap().midnight();
        let limits = Limits { account: AccountKind::Margin, ..OFF() };
        let c = plain(market(Timestamp(start.0 + 14 * Nanos::HOUR.0), MINUTE, &rows), limits);
        let (_, journal) = run(&c);
        let records = journal.records();
        let bought = fills(&records).iter().filter(|(_, _, f)| f.side == Side::Buy).count();
        let rules: Vec<_> = refused(&records).iter().map(|(_, _, r)| (r.rule, r.limit, r.actual)).collect();
        if limited {
            assert_eq!((bought, rules[0]), (3, (Rule::DayTrading, 3, 4)));
        } else {
            assert_eq!((bought, rules), (10, vec![]));
        }
        let rich = RunConfig { cash: usd(28_000), ..c };
        let bought = fills(&run(&rich).1.records()).iter().filter(|(_, _, f)| f.side == Side::Buy).count();
        assert_eq!(bought, 10, "25,000 of equity and ten losses of 200 are enough");
    }
}

/// Steps through a run; at the minutes given, payloads come after the decision. After every event the state is saved
/// and loaded into a new one.
fn restarted(c: &RunConfig, commands: &[(i64, Payload)]) -> (State, Vec<Record>) {
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
            let mut bytes = Encoder::new();
            state.save(&mut bytes);
            state = State::new(c).unwrap();
            state.load(&mut Decoder::new(bytes.as_bytes())).unwrap();
        }
    }
    (state, decode(out.records.as_bytes()).unwrap())
}

fn trips(records: &[Record]) -> Vec<Trip> {
    records
        .iter()
        .filter_map(|r| if let Record::BreakerTripped { trip, .. } = r { Some(*trip) } else { None })
        .collect()
}

fn breaker(most: i64, action: Action) -> Option<Breaker<i64>> {
    Some(Breaker { most, action })
}

/// 100 A are bought at 60 in minute 2; at minute 6 A falls to 51, which costs 900 of 10,000. B is wanted from minute 8
/// on and refused; A falls below 50 at minute 10 and is sold; a person resumes at minute 14, and B is bought.
fn losing() -> Vec<&'static [i64]> {
    let part = |n: usize, row: &'static [i64]| std::iter::repeat_n(row, n);
    part(1, &[40, 40][..])
        .chain(part(4, &[60, 40]))
        .chain(part(2, &[51, 40]))
        .chain(part(2, &[51, 60]))
        .chain(part(21, &[49, 60]))
        .collect()
}

#[test]
fn breakers_of_the_account_are_latches_that_a_person_lifts() {
    for action in [Action::ReduceOnly, Action::Halt] {
        for (breakers, rule) in [
            (Breakers { daily_loss: breaker(5 * PERCENT, action), ..Breakers::default() }, Rule::DailyLoss),
            (Breakers { drawdown: breaker(5 * PERCENT, action), ..Breakers::default() }, Rule::Drawdown),
            (
                Breakers { volatility: breaker(5 * PERCENT, action), volatility_bars: 10, ..Breakers::default() },
                Rule::Volatility,
            ),
        ] {
            let limits = Limits { breakers, ..OFF() };
            let c = RunConfig { allocator: direct(100, false), ..minutes(&losing(), limits) };
            let why = Refusal { rule, limit: (5 * PERCENT).into(), actual: (9 * PERCENT).into(), unit: Unit::NavNano };
            let trip = Trip { ts: Timestamp(START.0 + 6 * MINUTE), why, action };
            let (state, records) = restarted(&c, &[(14, Payload::Resume)]);
            assert_eq!(trips(&records), vec![trip]);
            let all = refused(&records);
            assert!(all.iter().all(|(m, i, r)| (8..=14).contains(m) && *i == 1 && *r == why), "{all:?}");
            assert_eq!(all[0].0, 8, "{rule:?}");
            let done = traded(&records);
            assert_eq!(done[..2], [(2, 0, 100), (10, 0, -100)], "{rule:?}: the position is closed");
            assert_eq!((done.len(), done[2].1, done[2].2), (3, 1, 100), "{rule:?}");
            assert!(done[2].0 > 14, "{rule:?}: after the person said so");
            assert_eq!(state.desk().gate().trips().count(), 0);
            // Nobody resumes: nothing is bought again.
            let (state, records) = restarted(&c, &[]);
            assert_eq!(traded(&records).len(), 2);
            assert_eq!(state.desk().gate().trips().map(|t| t.why).collect::<Vec<_>>(), vec![why]);
        }
    }
}

/// The back-test passes over quiet rows, unless a breaker watches them; blocks, snapshots and single steps agree.
#[test]
fn breakers_see_every_row_of_a_back_test_and_survive_its_snapshots() {
    let breakers = Breakers { drawdown: breaker(5 * PERCENT, Action::ReduceOnly), ..Breakers::default() };
    let limits = Limits { breakers, ..OFF() };
    let c = RunConfig { allocator: direct(100, false), snapshot_rows: 3, ..minutes(&losing(), limits) };
    let (outcome, journal) = run(&c);
    let (_, stepped) = restarted(&c, &[]);
    let kept = |r: &&Record| !matches!(r, Record::Binding(_) | Record::StateHash { .. });
    let records = journal.records();
    assert_eq!(records.iter().filter(kept).collect::<Vec<_>>(), stepped.iter().collect::<Vec<_>>());
    assert_eq!((outcome.counts.breakers, trips(&records).len()), (1, 1));
    for snapshot in &journal.snapshots {
        let before = journal.groups.iter().filter(|g| g.index < snapshot.next_group).cloned().collect();
        let taken = journal.snapshots.iter().filter(|s| s.next_group <= snapshot.next_group).cloned().collect();
        let mut again = Recorder { groups: before, snapshots: taken };
        let mut test = BackTest::new(c.clone(), None).unwrap();
        test.resume_from(snapshot).unwrap();
        let ended = test.run(&binding(&c), &mut again, &mut |_| ()).unwrap();
        assert_eq!((result(ended), again == journal), (result(outcome.clone()), true), "event {}", snapshot.seq);
    }
}

/// Two days of bars of six hours: a loss on the first one ends with it only if the mandate says so.
#[test]
fn a_daily_loss_ends_with_its_day_only_if_it_may() {
    let rows: &[&[i64]] = &[&[60, 40], &[60, 40], &[51, 60], &[51, 60], &[51, 60], &[51, 60], &[51, 60], &[51, 60]];
    for daily_loss_resets in [false, true] {
        let daily_loss = breaker(5 * PERCENT, Action::ReduceOnly);
        let breakers = Breakers { daily_loss, daily_loss_resets, ..Breakers::default() };
        let c = plain(market(START, Nanos::HOUR.0 * 6, rows), Limits { breakers, ..OFF() });
        let c = RunConfig { allocator: direct(70, false), ..c };
        let (_, records) = restarted(&c, &[]);
        assert_eq!(trips(&records).iter().map(|t| minute(t.ts) / 360).collect::<Vec<_>>(), vec![3]);
        let ended = records.iter().filter(|r| matches!(r, Record::BreakerEnded { rule: Rule::DailyLoss, .. })).count();
        let bought: Vec<_> = traded(&records).iter().map(|t| (t.0 / 360, t.1)).collect();
        if daily_loss_resets {
            assert_eq!((ended, bought[0], bought[1].1), (1, (1, 0), 1));
            assert!(bought[1].0 >= 4, "on the second day");
        } else {
            assert_eq!((ended, bought), (0, vec![(1, 0)]));
        }
    }
}

/// The council decides on a clock while the bars stop after minute 5: at minute 8 three are due, and two are allowed.
#[test]
fn overdue_bars_stop_new_risk() {
    let rows: &[&[i64]] = &[&[40, 40], &[60, 40], &[60, 40], &[60, 40], &[60, 40]];
    let stale_bars = Some(Breaker { most: 2, action: Action::ReduceOnly });
    let breakers = Breakers { stale_bars, ..Breakers::default() };
    let c = minutes(rows, Limits { breakers, ..OFF() });
    let mut state = State::new(&c).unwrap();
    let mut out = Effects::default();
    for (key, about, payload) in naive(&c) {
        let seq = state.next_seq();
        step(&mut state, &Event { seq, ts: key.ts, about, payload }, &mut out);
    }
    let mut decide = |state: &mut State, at: i64| {
        let ts = Timestamp(START.0 + at * MINUTE);
        let (seq, about) = (state.next_seq(), Interval { start: ts, end: ts });
        let payload = Payload::Decide(tradegraph_domain::ScheduleId(0));
        step(state, &Event { seq, ts, about, payload }, &mut out);
        state.desk().gate().trips().map(|t| (t.why.rule, t.why.actual)).collect::<Vec<_>>()
    };
    assert_eq!((decide(&mut state, 6), decide(&mut state, 7)), (vec![], vec![]));
    assert_eq!(decide(&mut state, 8), vec![(Rule::StaleData, 3)]);
    assert_eq!(trips(&decode(out.records.as_bytes()).unwrap()).len(), 1);
}

/// The venue rejects what it is sent, three times of four.
#[test]
fn rejections_of_the_venue_stop_new_risk() {
    let rejects = Some(Breaker { most: 2, action: Action::Halt });
    let breakers = Breakers { rejects, rejects_of: 4, ..Breakers::default() };
    let rows: Vec<&[i64]> = (0..30).map(|k| if k / 2 % 2 == 0 { &[40][..] } else { &[60][..] }).collect();
    let c = minutes(&rows, Limits { breakers, ..OFF() });
    let no = |order| Payload::Venue(VenueReport::Rejected(OrderId(order), RejectReason::OutOfRange));
    let (state, records) = restarted(&c, &[(4, no(901)), (5, no(902)), (8, Payload::Resume)]);
    assert_eq!(trips(&records), vec![], "two of the last four are allowed: {:?}", traded(&records));
    assert!(!state.desk().gate().is_halted());
    let (state, records) = restarted(&c, &[(4, no(901)), (5, no(902)), (6, no(903)), (20, Payload::Resume)]);
    assert_eq!(
        trips(&records).iter().map(|t| (minute(t.ts), t.why.rule, t.why.actual)).collect::<Vec<_>>(),
        [(6, Rule::RejectRate, 3)]
    );
    let all = refused(&records);
    assert!(
        !all.is_empty() && all.iter().all(|(m, _, r)| r.rule == Rule::RejectRate && (7..=20).contains(m)),
        "{all:?}"
    );
    assert!(traded(&records).iter().any(|t| t.0 > 20) && !state.desk().gate().is_halted());
}

/// Nothing of what is here bites by itself: a run with every limit far away is the run without them.
#[test]
fn far_limits_change_no_result() {
    let far = 1_000_000 * NANO;
    let group = || Groups { of: vec![0, 1], nano_nav: Some(far) };
    let per = Nanos::DAY;
    let b = |most: i64| breaker(most, Action::Halt);
    let limits = Limits {
        gross_nano_nav: Some(far),
        net_nano_nav: Some(far),
        leverage_nano_nav: Some(far),
        sector: group(),
        currency: group(),
        venue: group(),
        price_age: Some(Nanos(i64::MAX)),
        locate: Some(vec![]),
        windows: Windows {
            orders: Some(Within { most: u32::MAX, per }),
            notional_nano: Some(Within { most: i128::MAX, per }),
            duplicates: Some(Within { most: u32::MAX, per }),
        },
        breakers: Breakers {
            daily_loss: b(NANO),
            drawdown: b(NANO),
            volatility: b(far),
            volatility_bars: 9,
            ..Breakers::default()
        },
        ..OFF()
    };
    let with = run(&minutes(&losing(), limits));
    let without = run(&minutes(&losing(), OFF()));
    assert_eq!(traded(&with.1.records()), traded(&without.1.records()));
    assert_eq!((with.0.final_nav, with.0.equity), (without.0.final_nav, without.0.equity));
}
