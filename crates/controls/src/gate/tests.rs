//! The refusals as a table that a risk officer could audit, the worst case with holds, and a naive model beside it.
//!
//! The account: 10,000 USD. X trades at 100 (lot 1, tick 0.01), Y at 50 (lot 1, no tick).

use super::*;
use crate::breakers::{Breaker, Breakers};
use crate::limits::Groups;
use crate::windows::Within;
use proptest::prelude::*;
use std::sync::Arc;
use tradegraph_columns::Status;
use tradegraph_domain::{
    AssetClass, BarPeriod, BarSpec, Basis, Currency, Date, ExecId, FeedId, Fill, Instrument, Money, Nanos, OrderId,
    Rounding, TimeInForce, Timestamp, parse_nano,
};
use tradegraph_ledger::HoldId;
use tradegraph_market::calendar::CalendarId;
use tradegraph_market::{Batch, BatchParts, Universe};

pub(crate) const X: InstrumentId = InstrumentId(0);
const Y: InstrumentId = InstrumentId(1);
const SUSPENDED: InstrumentId = InstrumentId(2);
const INDEX: InstrumentId = InstrumentId(3);
const NEVER_PRICED: InstrumentId = InstrumentId(4);
const EURO: InstrumentId = InstrumentId(5);

pub(crate) fn nano(text: &str) -> i128 {
    parse_nano(text, Rounding::Exact).unwrap()
}

fn instrument(symbol: &str, class: AssetClass, status: TradingStatus, tick: &str) -> Instrument {
    Instrument {
        symbol: symbol.into(),
        class,
        currency: if symbol == "EURO" { Currency::EUR } else { Currency::USD },
        venue: "TEST".into(),
        tick: Price::parse(tick).unwrap(),
        lot: Quantity::parse("1").unwrap(),
        multiplier: Quantity::ONE,
        status,
    }
}

fn market(instruments: Vec<Instrument>, closes: &[i64]) -> Panel {
    let universe = Arc::new(Universe::new(instruments).unwrap());
    let batch = Batch::new(BatchParts {
        spec: BarSpec { period: BarPeriod::Session, basis: Basis::Raw, has_open: false },
        width: closes.len(),
        starts: vec![Timestamp(0)],
        ends: vec![Timestamp(Nanos::DAY.0)],
        open: vec![],
        high: vec![],
        low: vec![],
        close: closes.iter().map(|c| c * NANO).collect(),
        volume: vec![],
        status: closes.iter().map(|c| if *c == 0 { Status::NoData } else { Status::Ok }).collect(),
    });
    let mut panel = Panel::new(universe, vec![Arc::new(batch.unwrap())], &[]);
    panel.advance(FeedId(0), 0);
    panel
}

/// One account and its gate.
struct Desk {
    gate: Gate,
    panel: Panel,
    books: Ledger,
    n_execs: u64,
}

fn desk(limits: Limits) -> Desk {
    use {AssetClass as C, TradingStatus as T};
    let instruments = vec![
        instrument("X", C::Equity, T::Active, "0.01"),
        instrument("Y", C::Equity, T::Active, "0"),
        instrument("SUSPENDED", C::Equity, T::Halted, "0"),
        instrument("INDEX", C::Index, T::Active, "0"),
        instrument("NEVER_PRICED", C::Equity, T::Active, "0"),
        instrument("EURO", C::Equity, T::Active, "0"),
    ];
    desk_of(limits, market(instruments, &[100, 50, 10, 10, 0, 10]))
}

fn desk_of(limits: Limits, panel: Panel) -> Desk {
    let currencies: Vec<Currency> = panel.universe().iter().map(|(_, i)| i.currency).collect();
    let mut books = Ledger::new(Currency::USD, &currencies);
    books.deposit(Money::from_units(10_000, Currency::USD).unwrap()).unwrap();
    let batch = panel.batch(FeedId(0)).unwrap();
    books.mark_row(batch.closes(0, 1), batch.statuses(0, 1), batch.is_complete(0)).unwrap();
    if limits.account == AccountKind::Margin {
        books.lend();
    }
    Desk { gate: Gate::new(limits, currencies.len()), panel, books, n_execs: 0 }
}

impl Desk {
    fn ask(&mut self, order: Order) -> Result<HoldId, Refusal> {
        self.gate.approve(order, &self.panel, &mut self.books).map(|yes| yes.into_parts().1.hold)
    }

    fn ask_reduction(&mut self, order: Order) -> Result<HoldId, Refusal> {
        let yes = self.gate.approve_reduction(order, &self.panel, &mut self.books)?;
        assert_eq!(yes.get().order(), &order);
        Ok(yes.into_order().into_parts().1.hold)
    }

    /// Books a trade at a price without a fee.
    fn trade(&mut self, i: InstrumentId, signed: i64, price: &str) {
        self.book(i, signed, Price::parse(price).unwrap(), 0);
    }

    /// Books a trade at 100 whose cash settles on a date.
    fn trade_settling(&mut self, i: InstrumentId, signed: i64, settles: Date) {
        self.post(i, signed, Price::parse("100").unwrap(), 0, Some(settles));
    }

    /// The time is noon of a date.
    fn on(&mut self, date: &str) {
        let midnight = Date::parse(date).unwrap().midnight();
        self.gate.advance(Timestamp(midnight.0 + 12 * Nanos::HOUR.0));
    }

    fn withdraw(&mut self, units: i64) {
        self.books.deposit(Money::from_units(-units, Currency::USD).unwrap()).unwrap();
    }

    /// Opens and closes one unit at 100.
    fn round_trip(&mut self, i: InstrumentId) {
        for signed in [1, -1] {
            let before = self.books.position(i);
            self.trade(i, signed, "100");
            self.gate.observe_fill(i, before, self.books.position(i));
        }
    }

    fn book(&mut self, i: InstrumentId, signed: i64, price: Price, fee_nano: i128) {
        self.post(i, signed, price, fee_nano, None);
    }

    fn post(&mut self, i: InstrumentId, signed: i64, price: Price, fee_nano: i128, settles: Option<Date>) {
        self.n_execs += 1;
        let quantity = Quantity::from_units(signed).unwrap();
        let fill = Fill {
            exec: ExecId(self.n_execs),
            order: OrderId(self.n_execs),
            instrument: i,
            side: Side::of(quantity),
            quantity: quantity.abs(),
            price,
            fee_nano,
        };
        self.books.post_fill(&fill, Timestamp(0), settles, |_| ()).unwrap();
    }
}

fn order(i: InstrumentId, side: Side, quantity: &str, kind: OrderKind) -> Order {
    let quantity = Quantity::parse(quantity).unwrap();
    Order { id: OrderId(1), instrument: i, side, kind, tif: TimeInForce::Day, quantity }
}

pub(crate) fn buy(i: InstrumentId, quantity: &str) -> Order {
    order(i, Side::Buy, quantity, OrderKind::Market)
}

pub(crate) fn sell(i: InstrumentId, quantity: &str) -> Order {
    order(i, Side::Sell, quantity, OrderKind::Market)
}

pub(crate) fn at(order: Order, price: &str) -> Order {
    Order { kind: OrderKind::Limit(Price::parse(price).unwrap()), ..order }
}

fn refusal(rule: Rule, limit: i128, actual: i128, unit: Unit) -> Refusal {
    Refusal { rule, limit, actual, unit }
}

fn off() -> Limits {
    Limits { allow_short: true, open_orders: None, ..Limits::default() }
}

type Case = (&'static str, Limits, fn(&mut Desk), Order, Rule, &'static str, &'static str, Unit);

/// Trips above a share.
fn breaker(most: &str) -> Option<Breaker<i64>> {
    Some(Breaker { most: i64::try_from(nano(most)).unwrap(), action: Action::ReduceOnly })
}

/// At most so many of each within a minute.
fn windows(duplicates: Option<u32>, orders: Option<u32>, notional: Option<&str>) -> Windows {
    let per = Nanos::MINUTE;
    Windows {
        duplicates: duplicates.map(|most| Within { most, per }),
        orders: orders.map(|most| Within { most, per }),
        notional_nano: notional.map(|n| Within { most: nano(n), per }),
    }
}

fn margin() -> Limits {
    Limits { account: AccountKind::Margin, ..off() }
}

/// The account is seen at 10,000, then with a loss of 600.
fn lose_600(d: &mut Desk) {
    d.gate.observe(d.books.nav().unwrap());
    d.trade(X, 10, "160");
    d.gate.observe(d.books.nav().unwrap());
}

/// One row per refusal, in order of precedence: situation, limits, what happened before, order → rule, limit, asked.
#[test]
fn refusal_table() {
    use {Rule as R, Unit as U};
    const ONE: &str = "0.000000001"; // a plain count of 1
    let nothing: fn(&mut Desk) = |_| ();
    let ten_x: fn(&mut Desk) = |d| d.trade(X, 10, "100");
    let pct = |p: &str| Some(i64::try_from(nano(p)).unwrap() / 100);
    let collar = || Limits { collar: Some(Bps::from_units(500)), ..off() };
    let min_fee = Commission { minimum_nano: NANO, ..Commission::default() };
    #[rustfmt::skip]
    let rows: Vec<Case> = vec![
        ("halted", off(), |d| d.gate.halt(), buy(X, "1"), R::Halted, "0", ONE, U::Count),
        // 10,000 at the first bar, 9,400 after 10 X fell from 100 to 40: 6 %.
        ("lost 6 % of 5 % today", Limits { breakers: Breakers { daily_loss: breaker("0.05"), ..Breakers::default() }, ..off() }, lose_600,
            buy(Y, "1"), R::DailyLoss, "0.05", "0.06", U::NavNano),
        ("6 % below the peak of 5 %", Limits { breakers: Breakers { drawdown: breaker("0.05"), ..Breakers::default() }, ..off() }, lose_600,
            buy(Y, "1"), R::Drawdown, "0.05", "0.06", U::NavNano),
        ("one return of −6 %", Limits { breakers: Breakers { volatility: breaker("0.05"), volatility_bars: 20, ..Breakers::default() }, ..off() }, lose_600,
            buy(Y, "1"), R::Volatility, "0.05", "0.06", U::NavNano),
        // The bar of one day ended a day ago and more: two are due.
        ("data of a day ago", Limits { breakers: Breakers { stale_bars: Some(Breaker { most: 1, action: Action::ReduceOnly }), ..Breakers::default() }, ..off() },
            |d| { d.gate.advance(Timestamp(2 * Nanos::DAY.0 + 1)); d.gate.observe_data(&d.panel); }, buy(X, "1"), R::StaleData, ONE, "0.000000002", U::Count),
        ("two rejections of one", Limits { breakers: Breakers { rejects: Some(Breaker { most: 1, action: Action::ReduceOnly }), rejects_of: 5, ..Breakers::default() }, ..off() },
            |d| { d.gate.observe_answer(true); d.gate.observe_answer(true); }, buy(X, "1"), R::RejectRate, ONE, "0.000000002", U::Count),
        // 10 held, 4 of them in an open sale: 6 can be closed.
        ("latched to reductions", off(), |d| { d.trade(X, 10, "100"); d.ask(sell(X, "4")).unwrap(); d.gate.set_reduce_only(X, true); },
            sell(X, "7"), R::ReduceOnly, "6", "7", U::QuantityNano),
        ("latched, adding", off(), |d| { d.trade(X, 10, "100"); d.gate.set_reduce_only(X, true); }, buy(X, "1"), R::ReduceOnly, "0", "1", U::QuantityNano),
        ("suspended instrument 2", off(), nothing, buy(SUSPENDED, "1"), R::NotTradable, "0", "0.000000002", U::Count),
        ("index, instrument 3", off(), nothing, buy(INDEX, "1"), R::NotTradable, "0", "0.000000003", U::Count),
        ("delisted instrument 0", off(), |d| d.gate.delist(X), buy(X, "1"), R::NotTradable, "0", "0", U::Count),
        ("unknown instrument 9", off(), nothing, buy(InstrumentId(9), "1"), R::NotTradable, "0", "0.000000009", U::Count),
        // Saturday 1970-01-03, noon.
        ("shut, only open markets", Limits { session: SessionRule::OpenOnly, calendars: vec![Some(CalendarId::Weekdays)], ..off() },
            |d| d.gate.advance(Timestamp(5 * Nanos::DAY.0 / 2)), buy(X, "1"), R::Session, "0", "0", U::Count),
        ("shut, a limit that cannot wait", Limits { calendars: vec![None, Some(CalendarId::Weekdays)], ..off() },
            |d| d.gate.advance(Timestamp(5 * Nanos::DAY.0 / 2)), Order { tif: TimeInForce::ImmediateOrCancel, ..at(buy(Y, "1"), "50") },
            R::Session, "0", ONE, U::Count),
        ("never priced", off(), nothing, buy(NEVER_PRICED, "1"), R::NoPrice, ONE, "0", U::Count),
        ("no rate to the base currency", off(), nothing, buy(EURO, "1"), R::NoPrice, ONE, "0", U::Count),
        // Priced at the end of day 1; an hour later at most.
        ("a price of two hours ago", Limits { price_age: Some(Nanos::HOUR), ..off() }, |d| d.gate.advance(Timestamp(26 * Nanos::HOUR.0)),
            buy(X, "1"), R::StalePrice, "3600", "7200", U::Nanos),
        ("half a share", off(), nothing, buy(X, "1.5"), R::Lot, "1", "1.5", U::QuantityNano),
        ("nothing", off(), nothing, buy(X, "0"), R::Lot, "1", "0", U::QuantityNano),
        ("a negative sale", off(), ten_x, sell(X, "-5"), R::Lot, "1", "-5", U::QuantityNano),
        ("between ticks", off(), nothing, at(buy(X, "1"), "99.995"), R::Tick, "0.01", "99.995", U::PriceNano),
        // 5 % around 100.
        ("buy above the collar", collar(), nothing, at(buy(X, "1"), "105.01"), R::Collar, "105", "105.01", U::PriceNano),
        ("sale below the collar", collar(), ten_x, at(sell(X, "1"), "94.99"), R::Collar, "95", "94.99", U::PriceNano),
        ("11 units of 10", Limits { order_quantity: Some(Quantity::parse("10").unwrap()), ..off() }, nothing, buy(X, "11"),
            R::OrderQuantity, "10", "11", U::QuantityNano),
        // 10 × 100 × (1 + 5 % collar + 1 bp) = 1,050.10.
        ("notional of a market buy", Limits { order_notional_nano: Some(nano("1050")), half_spread: Bps::from_units(1), ..collar() }, nothing,
            buy(X, "10"), R::OrderNotional, "1050", "1050.1", U::MoneyNano),
        // A sale at 1 and more, at an open of 100, sells for 100.
        ("notional of a low sale", Limits { order_notional_nano: Some(nano("500")), ..off() }, ten_x, at(sell(X, "6"), "1"),
            R::OrderNotional, "500", "600", U::MoneyNano),
        ("the same order twice", Limits { windows: windows(Some(1), None, None), ..off() }, |d| { d.ask(buy(X, "1")).unwrap(); }, buy(X, "1"),
            R::Duplicate, ONE, "0.000000002", U::Count),
        ("two orders of one", Limits { windows: windows(None, Some(1), None), ..off() }, |d| { d.ask(buy(X, "1")).unwrap(); }, buy(Y, "1"),
            R::OrderRate, ONE, "0.000000002", U::Count),
        // 9 × 100 + 3 × 50 = 1,050.
        ("notional of two orders", Limits { windows: windows(None, None, Some("1000")), ..off() }, |d| { d.ask(buy(X, "9")).unwrap(); }, buy(Y, "3"),
            R::NotionalRate, "1000", "1050", U::MoneyNano),
        ("one order is open", Limits { open_orders: Some(1), ..off() }, |d| { d.ask(buy(X, "1")).unwrap(); }, buy(Y, "1"),
            R::OpenOrders, ONE, "0.000000002", U::Count),
        // 51 × 100 = 5,100 of 10,000.
        ("position", Limits { position_nano_nav: pct("50"), ..off() }, nothing, buy(X, "51"), R::Position, "0.5", "0.51", U::NavNano),
        ("short position", Limits { position_nano_nav: pct("50"), ..off() }, nothing, sell(X, "51"), R::Position, "0.5", "0.51", U::NavNano),
        // 60 held at 100; one more at a far limit of 1 does not make them small: 61 %.
        ("position at a far limit", Limits { position_nano_nav: pct("50"), ..off() }, |d| d.trade(X, 60, "100"), at(buy(X, "1"), "1"),
            R::Position, "0.5", "0.61", U::NavNano),
        ("short", Limits { allow_short: false, ..off() }, nothing, sell(X, "1"), R::Short, "0", "-1", U::QuantityNano),
        ("short beyond the position", Limits { allow_short: false, ..off() }, ten_x, sell(X, "12"), R::Short, "0", "-2", U::QuantityNano),
        ("short of 5 with 4 to borrow", Limits { locate: Some(vec![Quantity::parse("4").unwrap()]), ..off() }, nothing, sell(X, "5"),
            R::Locate, "4", "5", U::QuantityNano),
        // X and Y are one sector: 60 × 100 + 21 × 50 = 7,050.
        ("sector", Limits { sector: Groups { of: vec![0, 0], nano_nav: pct("70") }, ..off() }, |d| d.trade(X, 60, "100"), buy(Y, "21"),
            R::Sector, "0.7", "0.705", U::NavNano),
        // 60 × 100 + 81 × 50 = 10,050.
        ("gross", Limits { gross_nano_nav: pct("100"), ..off() }, |d| d.trade(X, 60, "100"), buy(Y, "81"), R::Gross, "1", "1.005", U::NavNano),
        // 60 × 100 − 10 × 50 (held) = 5,500 net; one more X is 5,600. Gross would be 6,600.
        ("net", Limits { net_nano_nav: pct("55"), ..off() }, |d| { d.trade(X, 60, "100"); d.trade(Y, -10, "50"); }, buy(X, "1"),
            R::Net, "0.55", "0.56", U::NavNano),
        ("net short", Limits { net_nano_nav: pct("55"), ..off() }, |d| d.trade(X, -50, "100"), sell(X, "6"), R::Net, "0.55", "0.56", U::NavNano),
        // 60 × 100 owned, 5,000 short: what is owned is 60 %, and 90 × 50 more are 105 %.
        ("leverage", Limits { leverage_nano_nav: pct("100"), ..off() }, |d| { d.trade(X, 60, "100"); d.trade(Y, -100, "50"); }, buy(Y, "191"),
            R::Leverage, "1", "1.055", U::NavNano),
        ("currency", Limits { currency: Groups { of: vec![0, 0], nano_nav: pct("70") }, ..off() }, |d| d.trade(X, 60, "100"), buy(Y, "21"),
            R::Currency, "0.7", "0.705", U::NavNano),
        ("venue", Limits { venue: Groups { of: vec![1, 0], nano_nav: pct("50") }, ..off() }, |d| d.trade(X, 60, "100"), buy(Y, "101"),
            R::Venue, "0.5", "0.505", U::NavNano),
        // 1,900 of equity: 19 X are paid in full, the twentieth is not.
        ("borrowing with less than 2,000", margin(), |d| { d.on("2026-10-01"); d.withdraw(8_100); }, buy(X, "20"),
            R::MinimumEquity, "2000", "1900", U::MoneyNano),
        ("the fourth day trade", margin(), |d| { d.on("2026-06-03"); (0..3).for_each(|_| d.round_trip(X)); }, buy(X, "1"),
            R::DayTrading, "0.000000003", "0.000000004", U::Count),
        // 350 X at 100 need 8,750; 7,000 lost elsewhere leave an equity of 3,000.
        ("a margin call", margin(), |d| { d.on("2026-10-01"); d.trade(X, 350, "100"); d.trade(Y, -100, "79.9"); d.trade(Y, 100, "149.9"); }, buy(X, "1"),
            R::Maintenance, "3000", "8750", U::MoneyNano),
        ("maintenance of an order before 2026-06-04", margin(), |d| d.on("2026-06-03"), buy(X, "401"), R::Maintenance, "10000", "10025", U::MoneyNano),
        ("maintenance of an order since 2026-06-04", margin(), |d| d.on("2026-06-04"), buy(X, "401"), R::IntradayMargin, "10000", "10025", U::MoneyNano),
        ("201 X at 50 %", margin(), |d| d.on("2026-10-01"), buy(X, "201"), R::InitialMargin, "10000", "10050", U::MoneyNano),
        ("201 X short at 50 %", margin(), |d| d.on("2026-10-01"), sell(X, "201"), R::InitialMargin, "10000", "10050", U::MoneyNano),
        // 100 × 100 + 1 fee.
        ("cash and fee", Limits { commission: min_fee, ..off() }, nothing, buy(X, "100"), R::Cash, "10000", "10001", U::MoneyNano),
        // 9e18 × 100 does not fit 128 bits at 1e-18.
        // 10,000 − 5,000 + 5,000 that settle tomorrow: 5,000 may be spent.
        ("proceeds that have not settled", Limits { account: AccountKind::Cash, ..off() }, |d| { d.trade(X, 50, "100"); d.trade_settling(X, -50, Date(1)); },
            buy(Y, "101"), R::SettledCash, "5000", "5050", U::MoneyNano),
        ("a number that does not fit", off(), nothing, buy(X, "9000000000000000000"), R::Overflow, "0", ONE, U::Count),
    ];
    for (situation, limits, before, order, rule, limit, asked, unit) in &rows {
        let mut d = desk(limits.clone());
        before(&mut d);
        let holds = d.books.holds().len();
        let refused = d.gate.n_refused();
        let want = refusal(*rule, nano(limit), nano(asked), *unit);
        assert_eq!(d.ask(*order), Err(want), "{situation}");
        assert_eq!(d.books.holds().len(), holds, "{situation}: a refused order holds nothing");
        assert_eq!(d.gate.n_refused(), refused + 1, "{situation}");
    }
    let mut shown: Vec<Rule> = rows.iter().map(|r| r.4).collect();
    assert!(shown.is_sorted_by_key(|r| r.precedence()), "rows stand in order of precedence");
    shown.dedup();
    assert_eq!(shown, Rule::ALL.map(|r| r.rule), "every rule has a row");
}

/// An order that breaks rule k and all later ones is refused by rule k; repaired through `SETTLED_CASH`, it passes. Of
/// rules that exclude each other (kinds of accounts, dates, sides) one at a time is broken.
#[test]
fn the_first_rule_that_says_no_is_reported() {
    use Rule as R;
    for (k, row) in Rule::ALL.iter().enumerate() {
        let (rule, code) = (row.rule, row.code);
        let broken = |r: Rule| k <= r.precedence();
        let status = if broken(R::NotTradable) { TradingStatus::Halted } else { TradingStatus::Active };
        let price = if broken(R::NoPrice) { 0 } else { 100 };
        let instruments = vec![instrument("X", AssetClass::Equity, status, "0.01")];
        let cash_account = matches!(rule, R::Cash | R::SettledCash | R::Overflow);
        let cap = |r| broken(r).then_some(1_i64);
        let group = |r| Groups { of: vec![0], nano_nav: cap(r) };
        let per = Nanos::DAY;
        let breakers = Breakers {
            daily_loss: broken(R::DailyLoss).then_some(Breaker { most: -1, action: Action::ReduceOnly }),
            daily_loss_resets: false,
            drawdown: broken(R::Drawdown).then_some(Breaker { most: -1, action: Action::ReduceOnly }),
            volatility: broken(R::Volatility).then_some(Breaker { most: -1, action: Action::ReduceOnly }),
            volatility_bars: 3,
            stale_bars: broken(R::StaleData).then_some(Breaker { most: 0, action: Action::ReduceOnly }),
            calendars: vec![],
            rejects: broken(R::RejectRate).then_some(Breaker { most: 0, action: Action::ReduceOnly }),
            rejects_of: 3,
        };
        let limits = Limits {
            order_quantity: broken(R::OrderQuantity).then(|| Quantity::parse("1000").unwrap()),
            order_notional_nano: broken(R::OrderNotional).then_some(1),
            open_orders: broken(R::OpenOrders).then_some(0),
            position_nano_nav: cap(R::Position),
            allow_short: !broken(R::Short),
            locate: broken(R::Locate).then(Vec::new),
            gross_nano_nav: cap(R::Gross),
            net_nano_nav: cap(R::Net),
            // What is owned does not grow by a sale: this rule is broken by a buy of its own below.
            leverage_nano_nav: (rule == R::Leverage).then_some(1),
            sector: group(R::Sector),
            currency: group(R::Currency),
            venue: group(R::Venue),
            collar: Some(Bps::from_units(500)),
            price_age: broken(R::StalePrice).then_some(Nanos(0)),
            session: if broken(R::Session) { SessionRule::OpenOnly } else { SessionRule::Off },
            calendars: vec![Some(CalendarId::Weekdays)],
            windows: Windows {
                duplicates: broken(R::Duplicate).then_some(Within { most: 0, per }),
                orders: broken(R::OrderRate).then_some(Within { most: 0, per }),
                notional_nano: broken(R::NotionalRate).then_some(Within { most: 0, per }),
            },
            breakers,
            account: match rule {
                R::Overflow => AccountKind::Unrestricted,
                _ if cash_account => AccountKind::Cash,
                _ => AccountKind::Margin,
            },
            commission: Commission::default(),
            half_spread: Bps::ZERO,
        };
        let mut d = desk_of(limits, market(instruments, &[price]));
        let buys = rule == R::Leverage || cash_account;
        // Shut, old, and before the rule of day trades ended: a Saturday.
        d.on(if broken(R::DayTrading) { "2026-05-30" } else { "2026-06-06" });
        if broken(R::MinimumEquity) && !cash_account {
            d.withdraw(8_001);
        }
        if broken(R::DayTrading) {
            (0..3).for_each(|_| d.round_trip(X));
        }
        if rule == R::Maintenance {
            d.trade(X, -400, "100"); // 40,000 short: 30 % of it is more than the account has
        }
        if cash_account && rule != R::Overflow {
            d.trade(X, 50, "100");
            d.trade_settling(X, -50, Date(99_999));
        }
        d.gate.observe(nano("10000"));
        d.gate.observe(nano("10000"));
        d.gate.observe_data(&d.panel);
        d.gate.observe_answer(true);
        if broken(R::Halted) {
            d.gate.halt();
        }
        d.gate.set_reduce_only(X, broken(R::ReduceOnly));
        let quantity = match rule {
            _ if broken(R::Lot) => "1000.5",
            R::InitialMargin => "210",
            R::Cash => "101",
            R::SettledCash => "51",
            R::Overflow => "1",
            _ => "1001",
        };
        let limit = match rule {
            _ if broken(R::Tick) => "94.005",
            _ if broken(R::Collar) => "94",
            _ if buys => "100",
            _ => "96",
        };
        let order = if buys { buy(X, quantity) } else { sell(X, quantity) };
        let answer = d.ask(at(order, limit)).map_err(|r| r.rule);
        let want = if rule == R::Overflow { Ok(()) } else { Err(rule) };
        assert_eq!(answer.map(|_| ()), want, "{code}");
    }
}

#[test]
fn two_buys_each_fine_alone_and_the_second_is_refused() {
    let half = Limits { position_nano_nav: Some(500_000_000), ..off() };
    let mut d = desk(half);
    let first = d.ask(buy(X, "30")).unwrap();
    // 30 in an open order + 30 = 60 × 100 = 60 %.
    let no = refusal(Rule::Position, 500_000_000, 600_000_000, Unit::NavNano);
    assert_eq!(d.ask(buy(X, "30")), Err(no));
    d.books.release(first);
    assert!(d.ask(buy(X, "30")).is_ok(), "a released hold is free again");

    let mut d = desk(off());
    d.ask(buy(X, "60")).unwrap();
    assert_eq!(d.ask(buy(Y, "81")), Err(refusal(Rule::Cash, nano("4000"), nano("4050"), Unit::MoneyNano)));
    assert!(d.ask(buy(Y, "80")).is_ok());
}

#[test]
fn sales_count_the_sales_before_them() {
    let mut d = desk(Limits { allow_short: false, ..off() });
    d.trade(X, 10, "100");
    let first = d.ask(sell(X, "6")).unwrap();
    assert_eq!(d.ask(sell(X, "6")), Err(refusal(Rule::Short, 0, nano("-2"), Unit::QuantityNano)));
    assert!(d.ask(sell(X, "4")).is_ok());
    // A buy that is open proves nothing: it may not fill.
    d.ask(buy(X, "5")).unwrap();
    assert_eq!(d.ask(sell(X, "1")).unwrap_err().rule, Rule::Short);
    d.books.release(first);
    assert!(d.ask(sell(X, "6")).is_ok());
}

#[test]
fn reductions_pass_where_nothing_else_does() {
    let limits =
        Limits { position_nano_nav: Some(100_000_000), gross_nano_nav: Some(100_000_000), allow_short: false, ..off() };
    let mut d = desk(limits);
    d.trade(X, 60, "100"); // six times the limit
    assert!(d.ask(sell(X, "10")).is_ok(), "over the limits");
    d.gate.set_reduce_only(X, true);
    assert!(d.ask(sell(X, "10")).is_ok(), "latched");
    d.gate.halt();
    assert_eq!(d.ask(sell(X, "10")).unwrap_err().rule, Rule::Halted, "only what says that it reduces");
    assert!(d.ask_reduction(sell(X, "10")).is_ok(), "halted");
    // 60 − 3 open sales of 10 = 30.
    let no = refusal(Rule::ReduceOnly, nano("30"), nano("31"), Unit::QuantityNano);
    assert_eq!(d.ask_reduction(sell(X, "31")), Err(no));
    assert_eq!(d.ask_reduction(buy(X, "1")).unwrap_err().rule, Rule::ReduceOnly);
    assert!(d.ask_reduction(sell(X, "30")).is_ok());
    assert_eq!(d.ask_reduction(sell(X, "1")).unwrap_err().limit, 0);
    d.gate.lift_halt();
    assert!(!d.gate.is_halted());

    let mut d = desk(Limits { position_nano_nav: Some(100_000_000), ..off() });
    d.trade(X, -60, "100");
    d.gate.halt();
    assert!(d.ask_reduction(buy(X, "50")).is_ok());
    let no = refusal(Rule::ReduceOnly, nano("10"), nano("11"), Unit::QuantityNano);
    assert_eq!(d.ask_reduction(buy(X, "11")), Err(no));
}

#[test]
fn a_missing_nav_blocks_what_adds_risk_and_nothing_else() {
    let mut d = desk(off());
    d.trade(X, 10, "100");
    d.trade(NEVER_PRICED, 1, "5");
    assert!(d.books.nav().is_err());
    assert_eq!(d.ask(buy(X, "1")), Err(refusal(Rule::NoPrice, 1, 0, Unit::Count)));
    assert!(d.ask(sell(X, "10")).is_ok());
}

/// Stops hold the cash and the worth of their worst fill; they may stand far from the market, their limits not far from
/// them. X is at 100, the collar 5 %.
#[test]
fn stops_are_judged_by_where_they_would_trade() {
    let p = |t: &str| Price::parse(t).unwrap();
    let stop = |o: Order, at: &str| Order { kind: OrderKind::Stop(p(at)), ..o };
    let both =
        |o: Order, at: &str, limit: &str| Order { kind: OrderKind::StopLimit { stop: p(at), limit: p(limit) }, ..o };
    let limits = || Limits { collar: Some(Bps::from_units(500)), allow_short: false, ..off() };
    let mut d = desk(limits());
    d.trade(X, 10, "100");
    let hold = |d: &mut Desk, o: Order| {
        let id = d.ask(o).unwrap();
        let cash = d.books.holds().get(id).unwrap().cash_nano;
        d.books.release(id);
        cash
    };
    // 10 × 120 × 1.05; 10 × 100 × 1.05 for one that the market has passed; a limit is the worst price itself.
    assert_eq!(hold(&mut d, stop(buy(X, "10"), "120")), nano("1260"));
    assert_eq!(hold(&mut d, stop(buy(X, "10"), "90")), nano("1050"));
    assert_eq!(hold(&mut d, both(buy(X, "10"), "120", "121")), nano("1210"));
    assert_eq!(hold(&mut d, stop(sell(X, "10"), "80")), 0);
    assert_eq!(hold(&mut d, both(sell(X, "10"), "80", "79")), 0);
    let refused = |d: &mut Desk, o: Order, rule, limit: &str, asked: &str, unit| {
        assert_eq!(d.ask(o), Err(refusal(rule, nano(limit), nano(asked), unit)), "{o:?}");
    };
    refused(&mut d, stop(sell(X, "10"), "80.005"), Rule::Tick, "0.01", "80.005", Unit::PriceNano);
    refused(&mut d, both(sell(X, "10"), "80", "79.005"), Rule::Tick, "0.01", "79.005", Unit::PriceNano);
    refused(&mut d, both(sell(X, "10"), "80", "75.99"), Rule::Collar, "76", "75.99", Unit::PriceNano);
    refused(&mut d, both(buy(X, "1"), "120", "126.01"), Rule::Collar, "126", "126.01", Unit::PriceNano);
    refused(&mut d, stop(sell(X, "11"), "80"), Rule::Short, "0", "-1", Unit::QuantityNano);
    d.gate.halt();
    assert!(d.ask_reduction(stop(sell(X, "10"), "80")).is_ok(), "a protective stop reduces, also while halted");
    // A stop that may add risk is as large as the price that wakes it.
    let mut d = desk(Limits { position_nano_nav: Some(500_000_000), ..off() });
    refused(&mut d, stop(buy(X, "40"), "130"), Rule::Position, "0.5", "0.52", Unit::NavNano);
}

#[test]
fn sums_are_carried_from_order_to_order() {
    let mut d = desk(Limits { gross_nano_nav: Some(NANO), ..off() });
    d.ask(buy(X, "1")).unwrap();
    assert!(d.gate.sums.are_of(&d.books, None), "the next order of the cycle finds them");
    d.ask(sell(X, "2")).unwrap();
    assert_eq!((d.gate.sums.all.gross, d.gate.sums.are_of(&d.books, None)), (nano("200"), true));
    d.trade(Y, 1, "50");
    assert!(!d.gate.sums.are_of(&d.books, None), "a fill comes from outside");
}

/// A long position of the whole limit can be turned into a short one of the same size: 100 % before and after.
#[test]
fn a_turn_through_zero_is_not_charged_for_what_it_closes() {
    let mut d = desk(Limits { gross_nano_nav: Some(NANO), ..off() });
    d.trade(X, 100, "100");
    let no = refusal(Rule::Gross, i128::from(NANO), nano("1.01"), Unit::NavNano);
    assert_eq!(d.ask(sell(X, "201")), Err(no));
    assert!(d.ask(sell(X, "200")).is_ok());
}

/// 10 held. A sells 10 to close, B sells 10 short. B fills first: now A opens a short of 10, and still counts.
#[test]
fn a_sale_that_no_longer_closes_counts_as_exposure() {
    let mut d = desk(Limits { gross_nano_nav: Some(NANO / 10), ..off() });
    d.trade(X, 10, "100");
    d.ask(sell(X, "10")).unwrap();
    let b = d.ask(sell(X, "10")).unwrap();
    d.trade(X, -10, "100");
    d.books.release(b);
    // Position 0, an open sale of 10 × 100 = 10 %: no room for one more Y at 50.
    assert_eq!(d.ask(buy(Y, "1")), Err(refusal(Rule::Gross, nano("0.1"), nano("0.105"), Unit::NavNano)));
}

#[test]
fn a_sale_holds_the_fee_beyond_its_proceeds() {
    let commission = Commission { minimum_nano: 150 * NANO, ..Commission::default() };
    let mut d = desk(Limits { commission, ..off() });
    d.trade(X, 100, "99.9");
    // Free: 10,000 − 9,990 = 10. One share brings 100 and costs 150.
    assert_eq!(d.ask(sell(X, "1")), Err(refusal(Rule::Cash, nano("10"), nano("50"), Unit::MoneyNano)));
    assert!(d.ask(sell(X, "2")).is_ok(), "200 pay for 150");
}

#[test]
fn below_zero_the_collar_still_lies_on_both_sides() {
    let wti = |collar| {
        let panel = market(vec![instrument("WTI", AssetClass::Commodity, TradingStatus::Active, "0")], &[-40]);
        desk_of(Limits { collar, ..off() }, panel)
    };
    // 5 % of 40 is 2: from −42 to −38.
    let mut d = wti(Some(Bps::from_units(500)));
    assert!(d.ask(at(buy(X, "1"), "-38")).is_ok());
    assert_eq!(
        d.ask(at(buy(X, "1"), "-37.9")),
        Err(refusal(Rule::Collar, nano("-38"), nano("-37.9"), Unit::PriceNano))
    );
    assert!(d.ask(at(sell(X, "1"), "-42")).is_ok());
    assert_eq!(d.ask(at(sell(X, "1"), "-42.1")).unwrap_err().limit, nano("-42"));
}

#[test]
fn an_approval_is_issued_again_only_for_the_same_order_while_it_is_held() {
    let mut d = desk(off());
    let asked = at(buy(X, "10"), "100");
    let (order, approval) = d.gate.approve(asked, &d.panel, &mut d.books).unwrap().into_parts();
    let again = |d: &Desk, o: Order| d.gate.readmit(o, approval, &d.books).map(|yes| yes.into_parts());
    assert_eq!(again(&d, order), Ok((order, approval)));
    for other in [buy(X, "11"), sell(X, "10"), buy(Y, "10")] {
        assert_eq!(again(&d, other).unwrap_err().rule, Rule::Cash, "{other:?}");
    }
    // The reservation covers a limit of 100 only.
    assert_eq!(again(&d, at(order, "101")), Err(refusal(Rule::Cash, nano("1000"), nano("1010"), Unit::MoneyNano)));
    d.gate.set_reduce_only(X, true);
    assert_eq!(again(&d, order), Err(refusal(Rule::ReduceOnly, 0, nano("10"), Unit::QuantityNano)));
    d.trade(X, -10, "100");
    assert!(again(&d, order).is_ok(), "it closes a short by now");
    d.gate.halt();
    assert_eq!(again(&d, order).unwrap_err().rule, Rule::Halted);
    d.gate.lift_halt();
    d.books.fill_hold(approval.hold, Quantity::parse("4").unwrap());
    assert_eq!(again(&d, order).unwrap_err().rule, Rule::Cash, "it was sent: a part of it traded");
    d.books.release(approval.hold);
    assert_eq!(again(&d, order).unwrap_err().rule, Rule::Cash);
}

#[test]
fn a_delisting_is_for_good_and_margin_contracts_are_not_traded() {
    let mut d = desk(off());
    d.gate.delist(X);
    d.gate.set_reduce_only(X, false);
    assert_eq!(d.ask(buy(X, "1")).unwrap_err().rule, Rule::NotTradable);
    assert!(d.gate.is_delisted(X) && d.gate.is_reduce_only(X) && !d.gate.is_delisted(Y));
    for (class, name) in AssetClass::ALL {
        let mut d = desk_of(off(), market(vec![instrument("X", class, TradingStatus::Active, "0")], &[100]));
        let traded = matches!(name, "equity" | "etf" | "fx" | "crypto" | "commodity");
        assert_eq!(d.ask(buy(X, "1")).is_ok(), traded, "{name}");
    }
}

/// A tripped breaker lets through what its action says, survives a restart and is lifted by a person only.
#[test]
fn a_breaker_is_a_latch() {
    for action in [Action::ReduceOnly, Action::Halt] {
        let drawdown = Some(Breaker { most: 50_000_000, action });
        let limits = Limits { breakers: Breakers { drawdown, ..Breakers::default() }, ..off() };
        let mut d = desk(limits.clone());
        lose_600(&mut d);
        let changes = d.gate.take_changes();
        assert!(matches!(changes.as_slice(), [Change::Tripped(t)] if t.action == action), "{changes:?}");
        let mut bytes = Encoder::new();
        d.gate.save(&mut bytes);
        d.gate = Gate::new(limits, 6);
        d.gate.load(&mut Decoder::new(bytes.as_bytes())).unwrap();
        d.gate.observe(nano("20000"));
        d.gate.begin_day(Some(nano("20000")));
        assert_eq!(d.gate.is_halted(), action == Action::Halt);
        assert_eq!(d.ask(buy(X, "1")).unwrap_err().rule, Rule::Drawdown, "neither gains nor a new day lift it");
        let sale = d.ask(sell(X, "4")).map(|_| ()).map_err(|r| r.rule);
        assert_eq!(sale, if action == Action::Halt { Err(Rule::Drawdown) } else { Ok(()) });
        assert!(d.ask_reduction(sell(X, "4")).is_ok());
        assert_eq!(d.ask_reduction(sell(X, "90")).unwrap_err().rule, Rule::Drawdown, "more than a reduction");
        d.gate.set_reduce_only(Y, true);
        d.gate.lift_halt();
        assert!(d.ask(buy(X, "1")).is_ok());
        assert_eq!(d.ask(buy(Y, "1")).unwrap_err().rule, Rule::ReduceOnly, "an instrument's latch stays");
        assert_eq!(d.gate.take_changes(), vec![], "lifting is a person's command and no change of its own");
    }
}

/// What a person must be able to do while limits refuse everything else: close.
#[test]
fn reductions_pass_limits_over_periods_and_old_prices() {
    let limits = Limits {
        windows: windows(Some(0), Some(0), Some("0")),
        price_age: Some(Nanos(1)),
        locate: Some(vec![]),
        net_nano_nav: Some(0),
        leverage_nano_nav: Some(0),
        sector: Groups { of: vec![0], nano_nav: Some(0) },
        currency: Groups { of: vec![0], nano_nav: Some(0) },
        venue: Groups { of: vec![0], nano_nav: Some(0) },
        account: AccountKind::Margin,
        ..off()
    };
    let mut d = desk(limits);
    d.on("2026-10-01");
    d.trade(X, 10, "100");
    d.trade(Y, -10, "50");
    d.withdraw(9_999);
    assert!(d.ask(sell(X, "10")).is_ok() && d.ask(buy(Y, "10")).is_ok());
}

#[test]
fn latches_survive_a_restart() {
    let mut d = desk(off());
    d.gate.halt();
    d.gate.set_reduce_only(Y, true);
    d.gate.delist(INDEX);
    let _ = d.ask(buy(X, "1"));
    let mut bytes = Encoder::new();
    d.gate.save(&mut bytes);
    let mut restored = Gate::new(off(), 6);
    restored.load(&mut Decoder::new(bytes.as_bytes())).unwrap();
    assert!(restored.is_halted() && restored.is_reduce_only(Y) && !restored.is_reduce_only(X));
    assert!(restored.is_delisted(INDEX) && !restored.is_delisted(Y));
    assert_eq!(restored.n_refused(), 1);
    assert!(Gate::new(off(), 5).load(&mut Decoder::new(bytes.as_bytes())).is_err());
}

/// The table of `docs/refusals.md` is written from the registry: `UPDATE_GOLDEN=1` writes it, a difference fails.
#[test]
#[allow(clippy::disallowed_methods, reason = "a test that writes the page it checks")]
fn the_docs_show_the_registry() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/refusals.md");
    let docs = std::fs::read_to_string(path).unwrap();
    let mut table = String::from(
        "| | code | what it checks | unit | key of the mandate | off or not asked | source |\n|---|---|---|---|---|---|---|\n",
    );
    for (n, r) in Rule::ALL.iter().enumerate() {
        let or_dash = |text: &'static str| if text.is_empty() { "–" } else { text };
        let (key, source) = (or_dash(r.key), or_dash(r.source));
        table.push_str(&format!(
            "| {} | `{}` | {} | {} | {key} | {} | {source} |\n",
            n + 1,
            r.code,
            r.what,
            r.unit,
            r.off
        ));
    }
    let (head, rest) = docs.split_once("<!-- table -->\n").unwrap();
    let (_, tail) = rest.split_once("<!-- end of table -->").unwrap();
    let want = format!("{head}<!-- table -->\n{table}<!-- end of table -->{tail}");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &want).unwrap();
    }
    assert!(docs == want, "docs/refusals.md is not what the registry says: run this test with UPDATE_GOLDEN=1");
}

#[derive(Clone, Debug)]
enum Act {
    Ask { i: u32, sell: bool, quantity: i64, limit: Option<i64> },
    Fill { which: usize, part: i64 },
    Release { which: usize },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let ask = (0_u32..2, any::<bool>(), 1_i64..90, prop::option::of(95_i64..106))
        .prop_map(|(i, sell, quantity, limit)| Act::Ask { i, sell, quantity, limit });
    let fill = (0_usize..8, 1_i64..90).prop_map(|(which, part)| Act::Fill { which, part });
    let release = (0_usize..8).prop_map(|which| Act::Release { which });
    prop::collection::vec(prop_oneof![4 => ask, 3 => fill, 1 => release], 1..60)
}

/// An open order as the naive model sees it: instrument, signed units left, price per unit at its worst.
struct Open {
    i: usize,
    left: i64,
    worst: i64,
    hold: HoldId,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    /// Whatever passes keeps position, gross and cash within their limits, whichever open orders fill. Prices stand
    /// still, so the model needs integers only; with fees NAV falls, and only cash is compared.
    #[test]
    fn limits_hold_on_the_worst_case_at_every_moment(acts in acts(), fees in any::<bool>(), shorts in any::<bool>()) {
        let rate = if fees { Bps::from_units(10) } else { Bps::ZERO };
        let limits = Limits {
            position_nano_nav: Some(600_000_000),
            gross_nano_nav: Some(900_000_000),
            net_nano_nav: Some(850_000_000),
            sector: Groups { of: vec![0, 0], nano_nav: Some(900_000_000) },
            venue: Groups { of: vec![0, 1], nano_nav: Some(900_000_000) },
            allow_short: shorts,
            collar: Some(Bps::from_units(400)),
            commission: Commission { rate, ..Commission::default() },
            ..Limits::default()
        };
        let mut d = desk(limits);
        let last = [100_i64, 50];
        let (mut cash, mut held) = (10_000.0_f64, [0_i64; 2]);
        let mut open: Vec<Open> = vec![];
        for act in acts {
            match act {
                Act::Ask { i, sell: selling, quantity, limit } => {
                    let q = quantity.to_string();
                    let o = if selling { sell(InstrumentId(i), &q) } else { buy(InstrumentId(i), &q) };
                    // A limit is given in percent of the last price.
                    let price = limit.map(|pct| last[i as usize] * pct / 100);
                    let o = price.map_or(o, |p| at(o, &p.to_string()));
                    if let Ok(hold) = d.ask(o) {
                        let worst = price.unwrap_or(last[i as usize] * 104 / 100);
                        open.push(Open { i: i as usize, left: if selling { -quantity } else { quantity }, worst, hold });
                    }
                }
                Act::Fill { which, part } if !open.is_empty() => {
                    let at = which % open.len();
                    let o = &mut open[at];
                    let part = part.min(o.left.abs()) * o.left.signum();
                    // Exposure is watched at a standing price, cash at the worst one.
                    let price = if fees && part > 0 { o.worst } else { last[o.i] };
                    let notional = part * price;
                    let fee = if fees { notional.abs() as f64 / 1_000.0 } else { 0.0 };
                    (cash, held[o.i], o.left) = (cash - notional as f64 - fee, held[o.i] + part, o.left - part);
                    let fee_nano = rate.of_nano(i128::from(notional.abs()) * i128::from(NANO)).unwrap();
                    d.book(InstrumentId(o.i as u32), part, Price::from_nano(price * NANO), fee_nano);
                    d.books.fill_hold(o.hold, Quantity::from_units(part.abs()).unwrap());
                    if o.left == 0 {
                        d.books.release(o.hold);
                        open.remove(at);
                    }
                }
                Act::Release { which } if !open.is_empty() => {
                    let o = open.remove(which % open.len());
                    d.books.release(o.hold);
                }
                Act::Fill { .. } | Act::Release { .. } => {}
            }
            let mut anew = Sums::default();
            anew.refresh(d.gate.limits(), None, &d.panel, &d.books).unwrap();
            let mut without_groups = Sums::default();
            without_groups.refresh(&Limits::default(), None, &d.panel, &d.books).unwrap();
            prop_assert_eq!(without_groups.all, anew.all, "the shorter way comes to the same");
            if d.gate.sums.are_of(&d.books, None) {
                prop_assert_eq!(&d.gate.sums, &anew, "sums that are carried along are those formed anew");
            }
            let (mut gross, mut worst_cash) = (0, cash);
            for i in 0..2 {
                let up = held[i] + open.iter().filter(|o| o.i == i).map(|o| o.left.max(0)).sum::<i64>();
                let down = held[i] + open.iter().filter(|o| o.i == i).map(|o| o.left.min(0)).sum::<i64>();
                let worst = up.abs().max(down.abs()) * last[i];
                gross += worst;
                prop_assert!(fees || worst <= 6_000, "position {worst}");
                prop_assert!(shorts || down >= 0, "short {down}");
            }
            for o in open.iter().filter(|o| o.left > 0) {
                worst_cash -= (o.left * o.worst) as f64 * if fees { 1.001 } else { 1.0 };
            }
            prop_assert!(fees || gross <= 9_000, "gross {gross}");
            prop_assert!(worst_cash >= -1e-6, "cash {worst_cash}");
        }
    }
}
