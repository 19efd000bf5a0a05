//! Fills as a table, and a naive account beside the exchange.

use super::*;
use crate::orders::tests::order;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use tradegraph_columns::Status;
use tradegraph_domain::{
    AssetClass, BarSpec, Basis, Instrument, Money, NANO, Nanos, Rounding, Timestamp, TradingStatus, parse_nano,
};
use tradegraph_ledger::Hold;
use tradegraph_market::BatchParts;

const GTC: TimeInForce = TimeInForce::GoodTillCancelled;
const IOC: TimeInForce = TimeInForce::ImmediateOrCancel;
const DAY: TimeInForce = TimeInForce::Day;

fn nano(text: &str) -> i128 {
    parse_nano(text, Rounding::Exact).unwrap()
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn universe(n: usize) -> Universe {
    let instrument = |i: usize| Instrument {
        symbol: format!("S{i}"),
        class: AssetClass::Equity,
        currency: if i == 2 { Currency::EUR } else { Currency::USD },
        venue: "TEST".into(),
        tick: Price::ZERO,
        lot: Quantity::from_units(1).unwrap(),
        multiplier: Quantity::ONE,
        status: TradingStatus::Active,
    };
    Universe::new((0..n).map(instrument).collect()).unwrap()
}

/// Open, high, low, close, volume; `None` where there is no bar.
type Bar = Option<[i64; 5]>;

/// Rows of one hour (`hours`) or one session each, one after the other from midnight.
fn bars(hours: Option<i64>, has_open: bool, rows: &[Vec<Bar>]) -> Batch {
    let period = hours.map_or(BarPeriod::Session, |h| BarPeriod::Fixed(Nanos(h * Nanos::HOUR.0)));
    let length = hours.map_or(Nanos::DAY.0, |h| h * Nanos::HOUR.0);
    let cells: Vec<Bar> = rows.iter().flatten().copied().collect();
    let column = |k: usize| cells.iter().map(|b| b.map_or(0, |b| b[k] * NANO)).collect::<Vec<_>>();
    let with_open = |k: usize| if has_open { column(k) } else { vec![] };
    Batch::new(BatchParts {
        spec: BarSpec { period, basis: Basis::Raw, has_open },
        width: rows[0].len(),
        starts: (0..rows.len() as i64).map(|k| Timestamp(k * length)).collect(),
        ends: (1..=rows.len() as i64).map(|k| Timestamp(k * length)).collect(),
        open: with_open(0),
        high: with_open(1),
        low: with_open(2),
        close: column(3),
        volume: cells.iter().map(|b| b.map_or(0.0, |b| b[4] as f64)).collect(),
        status: cells.iter().map(|b| if b.is_some() { Status::Ok } else { Status::NoData }).collect(),
    })
    .unwrap()
}

/// An exchange with its account, which books what the exchange reports as the engine does.
#[derive(Clone)]
struct Floor {
    exchange: Exchange,
    universe: Arc<Universe>,
    books: Ledger,
    holds: BTreeMap<OrderId, HoldId>,
    said: Vec<VenueReport>,
}

fn floor(frictions: Frictions, n: usize, cash: &str) -> Floor {
    let universe = universe(n);
    let currencies: Vec<Currency> = universe.iter().map(|(_, i)| i.currency).collect();
    let mut books = Ledger::new(Currency::USD, &currencies);
    books.deposit(Money::parse(cash, Currency::USD).unwrap()).unwrap();
    if n > 2 {
        books.deposit(Money::parse(cash, Currency::EUR).unwrap()).unwrap();
    }
    let exchange = Exchange::new(frictions, n);
    Floor { exchange, universe: Arc::new(universe), books, holds: BTreeMap::new(), said: vec![] }
}

impl Floor {
    /// Submits an order that reserves so much cash.
    fn submit(&mut self, order: Order, cash: &str) {
        let hold = Hold {
            instrument: order.instrument,
            side: order.side,
            quantity: order.quantity,
            cash_nano: nano(cash),
            exposure_nano: 0,
        };
        let hold = self.books.hold(hold).unwrap();
        self.holds.insert(order.id, hold);
        let mut reports = vec![];
        self.exchange.submit(order, hold, &mut reports);
        self.book(reports);
    }

    fn open(&mut self, batch: &Batch, row: usize) -> Vec<String> {
        let mut reports = vec![];
        self.exchange.on_open(batch, row, &self.universe, &self.books, &mut reports);
        self.book(reports)
    }

    fn close(&mut self, batch: &Batch, row: usize) -> Vec<String> {
        let mut reports = vec![];
        self.exchange.on_bars(batch, row, &self.universe, &self.books, &mut reports);
        self.book(reports)
    }

    fn cancel(&mut self, id: u64) -> Vec<String> {
        let mut reports = vec![];
        self.exchange.cancel(OrderId(id), &mut reports);
        self.book(reports)
    }

    fn book(&mut self, reports: Vec<VenueReport>) -> Vec<String> {
        for r in &reports {
            let hold = self.holds[&r.order()];
            match r {
                VenueReport::Accepted(_) => {}
                VenueReport::Cancelled(..) | VenueReport::Rejected(..) => self.books.release(hold),
                VenueReport::Fill(f) => {
                    self.books.post_fill(f, Timestamp(0), None, |_| ()).unwrap();
                    self.books.fill_hold(hold, f.quantity);
                }
            }
        }
        self.said.extend(&reports);
        reports.iter().map(show).collect()
    }

    fn cash(&self, currency: Currency) -> i128 {
        let of = |(_, b): (_, &tradegraph_ledger::CurrencyBooks)| b.balance(tradegraph_ledger::Account::Cash);
        self.books.currencies().find(|(c, _)| *c == currency).map(of).unwrap()
    }
}

fn show(report: &VenueReport) -> String {
    match report {
        VenueReport::Accepted(id) => format!("{} accepted", id.0),
        VenueReport::Rejected(id, why) => format!("{} rejected {why:?}", id.0),
        VenueReport::Cancelled(id, why) => format!("{} cancelled {why:?}", id.0),
        VenueReport::Fill(f) => {
            let fee = Quantity::from_nano(f.fee_nano);
            format!("{} {} {} at {} fee {fee}", f.order.0, f.side.name(), f.quantity, f.price)
        }
    }
}

type Case =
    (&'static str, Side, OrderKind, TimeInForce, bool, [i64; 5], &'static [&'static str], &'static [&'static str]);

/// One row: kind, time in force, series with opens?, bar → what the open and the close report. Half a spread of 5 bp.
#[test]
fn fill_table() {
    let limit = |p: &str| OrderKind::Limit(price(p));
    let m = OrderKind::Market;
    let stop = |p: &str| OrderKind::Stop(price(p));
    let both = |stop: &str, limit: &str| OrderKind::StopLimit { stop: price(stop), limit: price(limit) };
    let bar = [100, 110, 90, 105, 0];
    let (buy, sell) = (Side::Buy, Side::Sell);
    #[rustfmt::skip]
    let rows: Vec<Case> = vec![
        ("market buy: the open and half a spread", buy, m, DAY, true, bar, &["1 buy 10 at 100.05 fee 0"], &[]),
        ("market sale", sell, m, DAY, true, bar, &["1 sell 10 at 99.95 fee 0"], &[]),
        ("below zero half a spread is still against us", buy, m, DAY, true, [-40; 5], &["1 buy 10 at -39.98 fee 0"], &[]),
        ("market IOC waits for the open", buy, m, IOC, true, bar, &["1 buy 10 at 100.05 fee 0"], &[]),
        ("series of closes: the next close", buy, m, DAY, false, bar, &[], &["1 buy 10 at 105.0525 fee 0"]),
        ("series of closes, sale", sell, m, DAY, false, bar, &[], &["1 sell 10 at 104.9475 fee 0"]),
        ("a touch of the low is no fill", buy, limit("90"), GTC, true, bar, &[], &[]),
        ("through: at the limit, no spread", buy, limit("90.01"), GTC, true, bar, &[], &["1 buy 10 at 90.01 fee 0"]),
        ("a touch of the open is no fill at the open", buy, limit("100"), GTC, true, bar, &[], &["1 buy 10 at 100 fee 0"]),
        ("open beyond the limit: at the open", buy, limit("101"), GTC, true, bar, &["1 buy 10 at 100 fee 0"], &[]),
        ("sale: a touch of the high is no fill", sell, limit("110"), GTC, true, bar, &[], &[]),
        ("sale: through", sell, limit("109.99"), GTC, true, bar, &[], &["1 sell 10 at 109.99 fee 0"]),
        ("sale: open beyond", sell, limit("99"), GTC, true, bar, &["1 sell 10 at 100 fee 0"], &[]),
        ("closes: a touch is no fill", buy, limit("105"), GTC, false, bar, &[], &[]),
        ("closes: through", buy, limit("106"), GTC, false, bar, &[], &["1 buy 10 at 106 fee 0"]),
        ("closes: sale through", sell, limit("104"), GTC, false, bar, &[], &["1 sell 10 at 104 fee 0"]),
        ("a day order ends with its session", buy, limit("80"), DAY, true, bar, &[], &["1 cancelled EndOfSession"]),
        ("IOC ends at the first open", buy, limit("95"), IOC, true, bar, &["1 cancelled ImmediateOrCancel"], &[]),
        ("IOC that trades", buy, limit("101"), IOC, true, bar, &["1 buy 10 at 100 fee 0"], &[]),
        ("stop sale: within the bar at the stop, half a spread worse", sell, stop("95"), GTC, true, bar, &[], &["1 sell 10 at 94.9525 fee 0"]),
        ("stop: a touch wakes it", sell, stop("90"), GTC, true, bar, &[], &["1 sell 10 at 89.955 fee 0"]),
        ("stop: not reached", sell, stop("89.99"), GTC, true, bar, &[], &[]),
        ("stop: a gap fills at the open", sell, stop("101"), GTC, true, bar, &["1 sell 10 at 99.95 fee 0"], &[]),
        ("stop buy", buy, stop("108"), DAY, true, bar, &[], &["1 buy 10 at 108.054 fee 0"]),
        ("stop buy: a gap", buy, stop("99"), DAY, true, bar, &["1 buy 10 at 100.05 fee 0"], &[]),
        ("stop day order ends asleep", sell, stop("80"), DAY, true, bar, &[], &["1 cancelled EndOfSession"]),
        ("stop IOC that does not wake at once", sell, stop("95"), IOC, true, bar, &["1 cancelled ImmediateOrCancel"], &[]),
        ("stop of closes: at the close that shows it", sell, stop("106"), GTC, false, bar, &[], &["1 sell 10 at 104.9475 fee 0"]),
        ("stop of closes: asleep", sell, stop("104"), GTC, false, bar, &[], &[]),
        ("stop-limit: wakes, closes better: at the limit", sell, both("95", "93"), GTC, true, bar, &[], &["1 sell 10 at 93 fee 0"]),
        ("stop-limit: wakes, closes worse than its limit: waits", sell, both("107", "106"), GTC, true, [108, 110, 90, 105, 0], &[], &[]),
        ("stop-limit at an open between: never better than its limit", sell, both("101", "99"), GTC, true, bar, &["1 sell 10 at 99 fee 0"], &[]),
        ("stop-limit buy: wakes and closes above its limit", buy, both("101", "102"), GTC, true, bar, &[], &[]),
        ("stop-limit buy: wakes and closes below its limit", buy, both("101", "106"), GTC, true, bar, &[], &["1 buy 10 at 106 fee 0"]),
        ("IOC on closes", buy, limit("80"), IOC, false, bar, &[], &["1 cancelled ImmediateOrCancel"]),
    ];
    for (what, side, kind, tif, has_open, bar, at_open, at_close) in rows {
        let frictions = Frictions { half_spread: Bps::from_units(5), ..Frictions::default() };
        let mut f = floor(frictions, 1, "1000000");
        let batch = bars(None, has_open, &[vec![Some(bar)]]);
        f.submit(Order { side, kind, tif, ..order(1, 0, 10) }, "0");
        assert_eq!(f.open(&batch, 0), at_open, "{what}: open");
        assert_eq!(f.close(&batch, 0), at_close, "{what}: close");
        assert_eq!(f.exchange.has_orders(), at_open.is_empty() && at_close.is_empty(), "{what}");
    }
}

#[test]
fn a_bar_that_touches_stop_and_target_fills_the_stop_first() {
    let batch = bars(None, true, &[vec![Some([100, 110, 90, 105, 0])]]);
    let mut f = floor(Frictions::default(), 1, "1000000");
    f.submit(Order { side: Side::Sell, tif: GTC, kind: OrderKind::Limit(price("108")), ..order(1, 0, 10) }, "0");
    f.submit(Order { side: Side::Sell, tif: GTC, kind: OrderKind::Stop(price("95")), ..order(2, 0, 10) }, "0");
    assert!(f.open(&batch, 0).is_empty());
    assert_eq!(f.close(&batch, 0), ["2 sell 10 at 95 fee 0", "1 sell 10 at 108 fee 0"]);
}

/// Awake, it takes what the next opens give; a bar beyond it as a whole, which it did not see open, gives its close.
#[test]
fn a_stop_that_woke_stays_awake() {
    let bar = |b: [i64; 5]| vec![Some(b)];
    let rows = [bar([100, 110, 100, 105, 100]), bar([100, 101, 90, 99, 100]), bar([103, 120, 102, 110, 100])];
    let batch = bars(None, true, &rows);
    let frictions = Frictions { participation_nano: Some(NANO / 10), ..Frictions::default() };
    let mut f = floor(frictions, 1, "1000000");
    f.submit(Order { side: Side::Sell, tif: GTC, kind: OrderKind::Stop(price("95")), ..order(1, 0, 25) }, "0");
    f.submit(
        Order {
            side: Side::Sell,
            tif: GTC,
            kind: OrderKind::StopLimit { stop: price("95"), limit: price("104") },
            ..order(2, 0, 5)
        },
        "0",
    );
    assert!(f.open(&batch, 0).is_empty() && f.close(&batch, 0).is_empty() && f.open(&batch, 1).is_empty());
    assert_eq!(f.close(&batch, 1), ["1 sell 10 at 95 fee 0"], "a tenth of the volume; the other order waits for 104");
    let mut e = Encoder::new();
    f.exchange.save(&mut e);
    let mut back = Exchange::new(frictions, 1);
    back.load(&mut Decoder::new(e.as_bytes())).unwrap();
    let mut again = Encoder::new();
    back.save(&mut again);
    assert_eq!(again.as_bytes(), e.as_bytes());
    f.exchange = back;
    assert_eq!(f.open(&batch, 2), ["1 sell 10 at 103 fee 0"]);
    assert_eq!(
        f.close(&batch, 2),
        ["2 sell 5 at 104 fee 0"],
        "the stop waits for opens, the other is a limit order now"
    );

    let batch = bars(None, true, &[bar([80, 85, 75, 78, 0])]);
    let mut f = floor(Frictions::default(), 1, "1000000");
    assert!(f.open(&batch, 0).is_empty());
    f.submit(Order { side: Side::Sell, tif: GTC, kind: OrderKind::Stop(price("95")), ..order(1, 0, 10) }, "0");
    assert_eq!(f.close(&batch, 0), ["1 sell 10 at 78 fee 0"]);
}

/// Five returns of 10 %, 10,000 a bar: 100 units move the price by 0.1 × √0.01 = 1 %, 400 by 2 %.
#[test]
fn square_root_impact_by_hand() {
    let closes = [1_000_000, 1_100_000, 1_210_000, 1_331_000, 1_464_100, 1_610_510];
    let mut rows: Vec<_> = closes.iter().map(|c| vec![Some([*c, *c, *c, *c, 10_000])]).collect();
    // Neither the volume nor the range of the bar that trades is looked at.
    rows.push(vec![Some([1_000_000, 9_000_000, 1, 500, 1])]);
    let batch = bars(None, true, &rows);
    let frictions = Frictions { impact_nano: Some(NANO), half_spread: Bps::from_units(5), ..Frictions::default() };
    let mut f = floor(frictions, 1, "1000000000000");
    for (row, close) in closes.into_iter().enumerate() {
        // Too few returns: half the spread alone.
        f.submit(Order { tif: IOC, ..order(row as u64 + 1, 0, 1) }, "0");
        let at = Price::from_nano(close * NANO).shifted(Bps::from_units(5)).unwrap();
        assert_eq!(f.open(&batch, row), [format!("{} buy 1 at {at} fee 0", row + 1)]);
        assert!(f.close(&batch, row).is_empty());
    }
    let mut before = f.clone();
    f.submit(Order { tif: IOC, ..order(10, 0, 100) }, "0");
    f.submit(Order { tif: IOC, side: Side::Sell, ..order(11, 0, 300) }, "0");
    // The second pays for what both took.
    assert_eq!(f.open(&batch, 6), ["10 buy 100 at 1010500 fee 0", "11 sell 300 at 979500 fee 0"]);
    let of = |exec, f: &mut Floor| f.exchange.take_costs(ExecId(exec)).unwrap();
    let costs = |spread: &str, impact: &str| FillCosts {
        spread_nano: nano(spread),
        impact_nano: nano(impact),
        ..FillCosts::default()
    };
    assert_eq!(of(7, &mut f), costs("50000", "1000000"));
    assert_eq!(of(8, &mut f), costs("150000", "6000000"));
    assert_eq!(f.exchange.take_costs(ExecId(9)), None);
    // A limit order moves nothing, a stop does; Y scales.
    before.submit(Order { tif: GTC, kind: OrderKind::Limit(price("1000001")), ..order(12, 0, 100) }, "0");
    before.submit(Order { tif: GTC, kind: OrderKind::Stop(price("1000000")), ..order(13, 0, 300) }, "0");
    assert_eq!(before.open(&batch, 6), ["12 buy 100 at 1000000 fee 0", "13 buy 300 at 1020500 fee 0"]);
    // A split halves the prices and doubles the volumes: what 100 units cost, 200 cost now.
    let split = Split { new: 2, old: 1 };
    let (mut a, mut b) = (before.exchange.trailing.clone(), before.exchange.trailing.clone());
    a.split(0, f64::from(split.new) / f64::from(split.old));
    assert_eq!(a.impact_nano(NANO, 0, 200.0), b.impact_nano(NANO, 0, 100.0));
    let after = bars(None, true, &[vec![Some([805_255, 805_255, 805_255, 805_255, 20_000])]]);
    let whole = bars(None, true, &[vec![Some([1_610_510, 1_610_510, 1_610_510, 1_610_510, 10_000])]]);
    a.note(&after, 0);
    b.note(&whole, 0);
    assert_eq!(a.impact_nano(2 * NANO, 0, 200.0), b.impact_nano(2 * NANO, 0, 100.0));
}

#[test]
fn a_split_moves_a_resting_stop() {
    let rows = [vec![Some([100, 110, 96, 105, 0])], vec![Some([50, 55, 47, 48, 0])]];
    let batch = bars(None, true, &rows);
    let mut f = floor(Frictions::default(), 1, "1000000");
    f.submit(Order { side: Side::Sell, tif: GTC, kind: OrderKind::Stop(price("95.01")), ..order(1, 0, 10) }, "0");
    assert!(f.open(&batch, 0).is_empty() && f.close(&batch, 0).is_empty());
    let mut reports = vec![];
    let split = Split { new: 2, old: 1 };
    f.exchange.split(InstrumentId(0), split, Quantity::ONE, price("0.01"), &mut reports).unwrap();
    assert!(reports.is_empty() && f.open(&batch, 1).is_empty(), "50 is above the stop of 47.51");
    assert_eq!(f.close(&batch, 1), ["1 sell 20 at 47.51 fee 0"]);
}

/// What the account cannot pay with the impact is left out, to the lot.
#[test]
fn cash_pays_for_the_impact_of_what_fills() {
    let closes = [1_000_000, 1_100_000, 1_210_000, 1_331_000, 1_464_100, 1_610_510];
    let mut rows: Vec<_> = closes.iter().map(|c| vec![Some([*c, *c, *c, *c, 10_000])]).collect();
    rows.push(vec![Some([100; 5])]);
    let batch = bars(None, true, &rows);
    let mut f = floor(Frictions { impact_nano: Some(NANO), ..Frictions::default() }, 1, "10000");
    (0..6).for_each(|row| assert!(f.close(&batch, row).is_empty()));
    f.submit(Order { tif: IOC, ..order(1, 0, 200) }, "0");
    // 100 × q × (1 + 0.1 √(q / 10,000)) ≤ 10,000: 99 cost 9,998.50…; 100 cost 10,100.
    let price = 100.0 * (1.0 + 0.1 * (99.0_f64 / 10_000.0).sqrt());
    let said = f.open(&batch, 6);
    assert!(said[0].starts_with(&format!("1 buy 99 at {price:.6}")), "{said:?}");
    assert_eq!(said[1..], ["1 cancelled Cash"]);
}

/// One order, one minimum: 1 dollar for 100 shares in three fills, and the month's tier over two orders.
#[test]
fn a_schedule_bills_the_order_over_its_fills() {
    let rows: Vec<_> = (0..4).map(|_| vec![Some([25, 25, 25, 25, 400])]).collect();
    let batch = bars(None, true, &rows);
    let commission = Commission::of(tradegraph_domain::schedule("ibkr-fixed").unwrap());
    let frictions = Frictions { commission, participation_nano: Some(NANO / 10), ..Frictions::default() };
    let mut f = floor(frictions, 1, "1000000");
    assert!(f.close(&batch, 0).is_empty());
    f.submit(Order { tif: GTC, ..order(1, 0, 100) }, "0");
    assert_eq!(f.open(&batch, 1), ["1 buy 40 at 25 fee 1"]);
    f.close(&batch, 1);
    let mut e = Encoder::new();
    f.exchange.save(&mut e);
    f.exchange = Exchange::new(frictions, 1);
    f.exchange.load(&mut Decoder::new(e.as_bytes())).unwrap();
    assert_eq!(f.open(&batch, 2), ["1 buy 40 at 25 fee 0"]);
    f.close(&batch, 2);
    assert_eq!(f.open(&batch, 3), ["1 buy 20 at 25 fee 0"]);

    let commission = Commission::of(tradegraph_domain::schedule("ibkr-tiered").unwrap());
    let mut f = floor(Frictions { commission, ..Frictions::default() }, 1, "100000000");
    f.submit(Order { tif: GTC, ..order(1, 0, 299_900) }, "0");
    f.submit(Order { tif: GTC, ..order(2, 0, 200) }, "0");
    f.open(&batch, 0);
    // 100 × 0.0035 + 100 × 0.0020 = 0.55, × 1.000738, + 200 × 0.0032.
    assert_eq!(f.exchange.take_costs(ExecId(2)).unwrap().commission_nano, nano("1.1904059"));
}

#[test]
fn without_a_bar_an_order_waits() {
    let bar = Some([100, 110, 90, 105, 0]);
    let batch = bars(None, true, &[vec![None, bar], vec![bar, bar], vec![bar, bar]]);
    let mut f = floor(Frictions::default(), 2, "1000000");
    f.submit(Order { tif: DAY, ..order(1, 0, 10) }, "0");
    f.submit(Order { tif: DAY, kind: OrderKind::Limit(price("80")), ..order(2, 0, 10) }, "0");
    f.submit(Order { tif: IOC, kind: OrderKind::Limit(price("80")), ..order(3, 0, 10) }, "0");
    assert!(f.open(&batch, 0).is_empty() && f.close(&batch, 0).is_empty(), "its market is shut");
    assert_eq!(f.open(&batch, 1), ["1 buy 10 at 100 fee 0", "3 cancelled ImmediateOrCancel"]);
    assert_eq!(f.close(&batch, 1), ["2 cancelled EndOfSession"]);
}

#[test]
fn day_orders_on_hours_end_with_the_day() {
    let bar = Some([100, 110, 90, 105, 0]);
    let day = |k: i64, seen: bool| (0..k).map(move |_| vec![if seen { bar } else { None }]);
    let limit = Order { tif: DAY, kind: OrderKind::Limit(price("80")), ..order(1, 0, 10) };
    // Around the clock: with the bar that ends at midnight.
    let batch = bars(Some(8), true, &day(3, true).collect::<Vec<_>>());
    let mut f = floor(Frictions::default(), 1, "1000000");
    f.submit(limit, "0");
    for row in 0..2 {
        assert!(f.open(&batch, row).is_empty() && f.close(&batch, row).is_empty());
    }
    assert_eq!(f.close(&batch, 2), ["1 cancelled EndOfSession"]);
    // Shut at night: nothing shows the end of the session before the next day's first bar.
    let rows: Vec<_> = day(2, true).chain(day(1, false)).chain(day(1, true)).collect();
    let batch = bars(Some(8), true, &rows);
    let mut f = floor(Frictions::default(), 1, "1000000");
    f.submit(limit, "0");
    for row in 0..3 {
        assert!(f.open(&batch, row).is_empty() && f.close(&batch, row).is_empty());
    }
    assert_eq!(f.open(&batch, 3), ["1 cancelled EndOfSession"]);
}

#[test]
fn participation_at_an_open_uses_the_mean_of_the_bars_before() {
    let frictions = Frictions { participation_nano: Some(NANO / 10), ..Frictions::default() };
    let bar = |volume| vec![Some([100, 110, 90, 105, volume])];
    let batch = bars(None, true, &[bar(100), bar(300), bar(50), bar(50)]);
    let mut f = floor(frictions, 1, "1000000");
    f.submit(Order { tif: GTC, ..order(1, 0, 45) }, "0");
    assert!(f.open(&batch, 0).is_empty(), "no volume is known yet");
    f.close(&batch, 0);
    assert_eq!(f.open(&batch, 1), ["1 buy 10 at 100 fee 0"], "a tenth of 100");
    f.close(&batch, 1);
    // A tenth of (100 + 300) / 2 for both orders together; the second is IOC and gets nothing.
    f.submit(Order { tif: IOC, ..order(2, 0, 5) }, "0");
    assert_eq!(f.open(&batch, 2), ["1 buy 20 at 100 fee 0", "2 cancelled Participation"]);
    f.close(&batch, 2);
    // A tenth of 450 / 3 = 15 is the rest.
    f.submit(Order { tif: IOC, ..order(3, 0, 5) }, "0");
    assert_eq!(f.open(&batch, 3), ["1 buy 15 at 100 fee 0", "3 cancelled Participation"]);
    // At the close, a tenth of the bar's own 50.
    f.submit(Order { tif: GTC, kind: OrderKind::Limit(price("95")), ..order(4, 0, 8) }, "0");
    assert_eq!(f.close(&batch, 3), ["4 buy 5 at 95 fee 0"]);
    assert!(f.exchange.has_orders());
}

#[test]
fn a_gap_beyond_the_reservation_fills_what_cash_allows() {
    let one = |open: i64| bars(None, true, &[vec![Some([open, open, open, open, 0]); 3]]);
    // 1,000 held for 10 at 100; at an open of 120 that buys 8 for 960.
    let mut f = floor(Frictions::default(), 1, "1000");
    f.submit(order(1, 0, 10), "1000");
    assert_eq!(f.open(&one(120), 0), ["1 buy 8 at 120 fee 0", "1 cancelled Cash"]);
    assert_eq!(f.cash(Currency::USD), nano("40"));
    assert!(f.books.holds().is_empty());
    // A fee of 1 % and at least 50: 7 × 120 + 50 = 890, 8 × 120 + 50 = 1,010.
    let commission = Commission { rate: Bps::from_units(100), minimum_nano: 50 * NANO, ..Commission::default() };
    let mut f = floor(Frictions { commission, ..Frictions::default() }, 1, "1000");
    f.submit(order(1, 0, 10), "1000");
    assert_eq!(f.open(&one(120), 0), ["1 buy 7 at 120 fee 50", "1 cancelled Cash"]);
    // Nothing fits.
    let mut f = floor(Frictions { commission, ..Frictions::default() }, 1, "100");
    f.submit(order(1, 0, 10), "100");
    assert_eq!(f.open(&one(120), 0), ["1 cancelled Cash"]);
    assert_eq!(f.cash(Currency::USD), nano("100"));
}

#[test]
fn orders_of_one_open_compete_for_cash_in_their_order() {
    let batch = bars(None, true, &[vec![Some([120, 120, 120, 120, 0]); 3]]);
    let mut f = floor(Frictions::default(), 3, "1100");
    f.submit(order(1, 0, 5), "500");
    f.submit(order(2, 1, 5), "500");
    f.submit(order(3, 2, 5), "500"); // in euros, of which there are 1,100 too
    // The first takes the 100 that nobody reserved; the second has its own 500: 4 for 480.
    let said = f.open(&batch, 0);
    assert_eq!(said, ["1 buy 5 at 120 fee 0", "2 buy 4 at 120 fee 0", "2 cancelled Cash", "3 buy 5 at 120 fee 0"]);
    assert_eq!((f.cash(Currency::USD), f.cash(Currency::EUR)), (nano("20"), nano("500")));
}

/// Volume lets the first order fill in part only: what it still reserves is not there for the second.
#[test]
fn an_order_that_stays_keeps_its_reservation() {
    let commission = Commission { minimum_nano: NANO, ..Commission::default() };
    let frictions = Frictions { participation_nano: Some(NANO / 10), commission, ..Frictions::default() };
    let batch =
        bars(None, true, &[vec![None, Some([100, 100, 100, 100, 900])], vec![Some([100, 100, 100, 100, 0]); 2]]);
    let mut f = floor(frictions, 2, "1000");
    f.close(&batch, 0);
    f.submit(Order { tif: GTC, ..order(1, 0, 5) }, "501");
    f.submit(Order { tif: GTC, ..order(2, 1, 9) }, "400");
    // The first has no known volume; the second may spend 1,000 − 501 = 499: 4 for 401.
    assert_eq!(f.open(&batch, 1), ["2 buy 4 at 100 fee 1", "2 cancelled Cash"]);
    assert_eq!(f.books.free_cash(InstrumentId(0)), nano("98"));
}

#[test]
fn submissions_that_are_refused_and_cancels() {
    let mut f = floor(Frictions::default(), 1, "1000");
    for id in [1, 2, 3, 4, 5] {
        f.submit(order(id, 0, 1), "0");
    }
    f.submit(order(3, 0, 1), "0");
    f.submit(Order { quantity: Quantity::ZERO, ..order(7, 0, 1) }, "0");
    // Of an instrument that the account does not have there is nothing to hold either.
    f.exchange.submit(order(6, 9, 1), HoldId::from_number(0), &mut f.said);
    let last: Vec<String> = f.said.iter().rev().take(3).rev().map(show).collect();
    assert_eq!(last, ["3 rejected DuplicateId", "7 rejected OutOfRange", "6 rejected NotTradable"]);
    assert_eq!(f.cancel(3), ["3 cancelled Requested"]);
    assert!(f.cancel(3).is_empty(), "it ended before");
    assert!(f.cancel(99).is_empty());
    for id in [1, 5, 2, 4] {
        assert_eq!(f.cancel(id), [format!("{id} cancelled Requested")]);
    }
    assert!(!f.exchange.has_orders());
    let batch = bars(None, true, &[vec![Some([100; 5])]]);
    assert!(f.open(&batch, 0).is_empty());
}

#[test]
fn ids_out_of_order_are_found_and_trade_in_the_order_in_which_they_came() {
    let mut f = floor(Frictions::default(), 1, "10000");
    for id in [5, 2, 9, 1] {
        f.submit(order(id, 0, 1), "0");
    }
    f.submit(order(2, 0, 1), "0");
    assert_eq!(show(f.said.last().unwrap()), "2 rejected DuplicateId");
    assert_eq!(f.cancel(2), ["2 cancelled Requested"]);
    let batch = bars(None, true, &[vec![Some([100; 5])]]);
    let ids: Vec<String> = f.open(&batch, 0).iter().map(|s| s[..1].to_string()).collect();
    assert_eq!(ids, ["5", "9", "1"]);
}

#[test]
fn orders_over_a_split_trade_in_new_units() {
    // Before: 100 a share, a part of the first order trades at a tenth of 40; 3 for 2; after: 66.
    let batch = bars(None, true, &[vec![Some([100, 110, 90, 100, 40]); 2], vec![Some([66, 70, 60, 66, 60]); 2]]);
    let frictions = Frictions { participation_nano: Some(100_000_000), ..Frictions::default() };
    let mut f = floor(frictions, 2, "1000000");
    assert!(f.close(&batch, 0).is_empty());
    f.submit(Order { tif: GTC, ..order(1, 0, 10) }, "1000");
    f.submit(Order { tif: GTC, kind: OrderKind::Limit(price("95")), ..order(2, 0, 5) }, "475");
    f.submit(Order { tif: GTC, ..order(3, 1, 2) }, "200");
    assert_eq!(f.open(&batch, 0), ["1 buy 4 at 100 fee 0", "3 buy 2 at 100 fee 0"]);
    let mut reports = vec![];
    let split = Split { new: 3, old: 2 };
    f.exchange.split(InstrumentId(0), split, Quantity::ONE, price("0.01"), &mut reports).unwrap();
    f.books.split(InstrumentId(0), split, Quantity::ONE, Timestamp(0), |_| ()).unwrap();
    assert!(reports.is_empty());
    // 6 left are 9; 5 at 95 are 7 at 63.33. A tenth of 40 × 1.5 is 6 at the open, of which a copy that was saved and
    // read trades the same; a tenth of 60 is 6 at the close, 3 for the first order and 3 for the second.
    let mut bytes = Encoder::new();
    f.exchange.save(&mut bytes);
    let mut copy = f.clone();
    copy.exchange = Exchange::new(frictions, 2);
    copy.exchange.load(&mut Decoder::new(bytes.as_bytes())).unwrap();
    for mut f in [f, copy] {
        assert_eq!(f.open(&batch, 1), ["1 buy 6 at 66 fee 0"]);
        assert_eq!(f.close(&batch, 1), ["2 buy 6 at 63.33 fee 0"]);
        assert_eq!(f.books.position(InstrumentId(0)).to_string(), "18");
    }
}

#[test]
fn what_a_split_leaves_below_a_lot_and_what_is_delisted_is_cancelled() {
    let mut f = floor(Frictions::default(), 2, "1000000");
    for (id, i, n) in [(1, 0, 9), (2, 0, 10), (3, 1, 5), (4, 1, 6)] {
        f.submit(Order { tif: GTC, ..order(id, i, n) }, "100");
    }
    let mut reports = vec![];
    let split = Split { new: 1, old: 10 };
    f.exchange.split(InstrumentId(0), split, Quantity::ONE, Price::ZERO, &mut reports).unwrap();
    f.books.split(InstrumentId(0), split, Quantity::ONE, Timestamp(0), |_| ()).unwrap();
    assert_eq!(f.book(std::mem::take(&mut reports)), ["1 cancelled Split"]);
    f.exchange.delist(InstrumentId(1), &mut reports);
    assert_eq!(f.book(std::mem::take(&mut reports)), ["3 cancelled Delisted", "4 cancelled Delisted"]);
    assert!(f.cancel(3).is_empty() && f.exchange.has_orders());
    let batch = bars(None, true, &[vec![Some([100, 100, 100, 100, 0]); 2]]);
    assert_eq!(f.open(&batch, 0), ["2 buy 1 at 100 fee 0"]);
    assert!(f.exchange.is_idle() && f.books.holds().is_empty());
}

#[test]
fn damaged_bytes_are_errors() {
    let mut f = floor(Frictions::default(), 1, "10000");
    f.submit(order(1, 0, 1), "0");
    let mut e = Encoder::new();
    f.exchange.save(&mut e);
    for cut in 0..e.as_bytes().len() {
        let mut other = Exchange::new(Frictions::default(), 1);
        assert!(other.load(&mut Decoder::new(&e.as_bytes()[..cut])).is_err(), "cut at {cut}");
    }
    assert!(Exchange::new(Frictions::default(), 0).load(&mut Decoder::new(e.as_bytes())).is_err());
}

proptest! {
    /// The proportional guess and its repair find what trying every number of lots finds.
    #[test]
    fn affordable_is_the_largest_that_fits(
        wanted in 1_i64..400, unit in 1_i64..50, budget in 0_i64..5_000, rate in 0_i32..2_000, per_unit in 0_i64..3, minimum in 0_i64..300,
    ) {
        let commission = Commission { rate: Bps::from_units(rate), per_unit_nano: per_unit * NANO, minimum_nano: minimum * NANO, schedule: None };
        let cost = |q: Quantity| {
            let notional = Price::from_nano(unit * NANO).notional_nano(q)?;
            Ok(notional + commission.fee_nano(notional, q)?)
        };
        let units = |n: i64| Quantity::from_units(n).unwrap();
        let budget = i128::from(budget) * i128::from(NANO);
        let total = cost(units(wanted)).unwrap();
        prop_assume!(total > budget);
        let naive = (1..=wanted).rev().find(|n| cost(units(*n)).unwrap() <= budget).unwrap_or(0);
        prop_assert_eq!(affordable(units(wanted), total, budget, units(1), false, cost), units(naive));
    }
}

#[derive(Clone, Debug)]
enum Act {
    Submit { i: u32, sell: bool, quantity: i64, stop: Option<i64>, limit: Option<i64>, tif: u8, percent_held: i64 },
    Cancel { which: usize },
    Row,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let price = || prop::option::of(80_i64..120);
    let submit = (0_u32..3, prop::bool::weighted(0.3), 1_i64..60, price(), price(), 0_u8..3, 50_i64..120).prop_map(
        |(i, sell, quantity, stop, limit, tif, percent_held)| Act::Submit {
            i,
            sell,
            quantity,
            stop,
            limit,
            tif,
            percent_held,
        },
    );
    let cancel = (0_usize..6).prop_map(|which| Act::Cancel { which });
    prop::collection::vec(prop_oneof![5 => submit, 1 => cancel, 3 => Just(Act::Row)], 1..60)
}

fn random_rows() -> impl Strategy<Value = Vec<Vec<Bar>>> {
    let bar =
        (80_i64..120, 80_i64..120, 0_i64..15, 0_i64..15, 0_i64..400).prop_map(|(open, close, up, down, volume)| {
            [open, open.max(close) + up, open.min(close) - down, close, volume]
        });
    prop::collection::vec(prop::collection::vec(prop::option::weighted(0.8, bar), 3), 60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    /// Buys never take cash below zero, nothing fills beyond its order, every order ends once, executions count up, and
    /// a restart at any moment changes nothing.
    #[test]
    fn what_always_holds(
        acts in acts(), rows in random_rows(), has_open in any::<bool>(), hours in prop::option::of(Just(8_i64)),
        minimum in 0_i64..3, share in prop::option::of(0_i64..1_000_000_000), restart in 0_usize..60, model in 0_u8..4,
    ) {
        // Impact can take all that a sale brings: then a minimum fee would be more than the account has.
        let minimum = if model == 3 { 0 } else { minimum };
        let own = Commission { rate: Bps::from_units(10), minimum_nano: minimum * NANO, ..Commission::default() };
        let commission = match model {
            1 => Commission::of(tradegraph_domain::schedule("ibkr-tiered").unwrap()),
            _ => own,
        };
        let impact_nano = (model == 3).then_some(NANO);
        let frictions =
            Frictions { commission, half_spread: Bps::from_units(5), participation_nano: share, impact_nano };
        let batch = bars(hours, has_open, &rows);
        let mut f = floor(frictions, 3, "10000");
        let mut twin = f.clone();
        let (mut row, mut orders) = (0, BTreeMap::new());
        for (k, act) in acts.iter().enumerate() {
            if k == restart {
                let mut e = Encoder::new();
                twin.exchange.save(&mut e);
                twin.exchange = Exchange::new(frictions, 3);
                let mut d = Decoder::new(e.as_bytes());
                twin.exchange.load(&mut d).unwrap();
                d.finish().unwrap();
            }
            for f in [&mut f, &mut twin] {
                match *act {
                    Act::Submit { i, sell, quantity, stop, limit, tif, percent_held } => {
                        let at = |p: i64| Price::from_nano(p * NANO);
                        let o = Order {
                            side: if sell { Side::Sell } else { Side::Buy },
                            kind: match (stop, limit) {
                                (None, None) => OrderKind::Market,
                                (None, Some(l)) => OrderKind::Limit(at(l)),
                                (Some(s), None) => OrderKind::Stop(at(s)),
                                (Some(s), Some(l)) => OrderKind::StopLimit { stop: at(s), limit: at(l) },
                            },
                            tif: [DAY, GTC, IOC][usize::from(tif)],
                            ..order(k as u64 + 1, i, quantity)
                        };
                        // Reserved on a guess of the price, as a gate does, and never more than there is.
                        let held = i128::from(quantity * percent_held) * i128::from(NANO);
                        if sell || held <= f.books.free_cash(o.instrument) {
                            orders.insert(o.id, o);
                            f.submit(o, &if sell { "0".to_string() } else { (quantity * percent_held).to_string() });
                        }
                    }
                    Act::Cancel { which } => {
                        let id = orders.keys().rev().nth(which).map_or(0, |id: &OrderId| id.0);
                        f.cancel(id);
                    }
                    Act::Row => {
                        for moment in [Moment::Open, Moment::Close] {
                            let before = [f.cash(Currency::USD), f.cash(Currency::EUR)];
                            if moment == Moment::Open { f.open(&batch, row) } else { f.close(&batch, row) };
                            for (c, was) in [Currency::USD, Currency::EUR].into_iter().zip(before) {
                                // The smallest sale brings 80, the largest minimum fee is 2.
                                prop_assert!(f.cash(c) >= 0, "cash {} after {was}", f.cash(c));
                            }
                        }
                    }
                }
            }
            row += usize::from(matches!(act, Act::Row));
            prop_assert_eq!(&f.said, &twin.said);
        }
        let mut last = 0;
        let mut filled: BTreeMap<OrderId, i128> = BTreeMap::new();
        let mut ended: BTreeMap<OrderId, u32> = BTreeMap::new();
        for r in &f.said {
            prop_assert!(!ended.contains_key(&r.order()), "a report after the end: {}", show(r));
            match r {
                VenueReport::Accepted(_) => {}
                VenueReport::Cancelled(id, _) | VenueReport::Rejected(id, _) => *ended.entry(*id).or_default() += 1,
                VenueReport::Fill(x) => {
                    prop_assert!(x.exec.0 > last && x.quantity.signum() > 0);
                    last = x.exec.0;
                    let sum = filled.entry(x.order).or_default();
                    let o = orders[&x.order];
                    let no_better = |than: Price| if o.side == Side::Buy { x.price >= than } else { x.price <= than };
                    match o.kind {
                        OrderKind::StopLimit { limit, .. } => prop_assert_eq!(x.price, limit),
                        // Without volume it wakes and waits.
                        OrderKind::Stop(stop) if *sum == 0 && share.is_none() => prop_assert!(no_better(stop), "{stop}: {}", show(r)),
                        _ => {}
                    }
                    *sum += x.quantity.nano();
                    let whole = orders[&x.order].quantity.nano();
                    prop_assert!(*sum <= whole);
                    if *sum == whole {
                        *ended.entry(x.order).or_default() += 1;
                    }
                }
            }
        }
        let waiting = orders.len() - ended.len();
        prop_assert_eq!(f.exchange.has_orders(), waiting > 0);
        prop_assert_eq!(f.books.holds().len(), waiting, "what ended holds nothing");
        prop_assert!(ended.values().all(|n| *n == 1));
        for id in orders.keys().filter(|id| !ended.contains_key(id)) {
            f.cancel(id.0);
            prop_assert_eq!(f.said.last(), Some(&VenueReport::Cancelled(*id, CancelReason::Requested)));
        }
        prop_assert!(f.books.holds().is_empty() && f.books.is_sound() | f.books.nav().is_err());
    }
}
