//! Reports in and out of turn, against a naive model.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use tradegraph_columns::Status;
use tradegraph_controls::{Gate, Limits};
use tradegraph_domain::{
    AssetClass, BarPeriod, BarSpec, Basis, CancelReason, Currency, FeedId, Fill, Instrument, NANO, OrderKind, Price,
    RejectReason, Split, TimeInForce, Timestamp, TradingStatus,
};
use tradegraph_ledger::Ledger;
use tradegraph_market::{Batch, BatchParts, Panel, Universe};

const N: usize = 2;

/// A market buy for the day.
pub(crate) fn order(id: u64, instrument: u32, units: i64) -> Order {
    Order {
        id: OrderId(id),
        instrument: InstrumentId(instrument),
        side: Side::Buy,
        kind: OrderKind::Market,
        tif: TimeInForce::Day,
        quantity: Quantity::from_units(units).unwrap(),
    }
}

/// Approvals come from a gate only, so the tests keep one that refuses little.
struct Desk {
    gate: Gate,
    panel: Panel,
    books: Ledger,
    orders: Orders,
    n_execs: u64,
}

fn desk() -> Desk {
    let instrument = |i: usize| Instrument {
        symbol: format!("S{i}"),
        class: AssetClass::Equity,
        currency: Currency::USD,
        venue: "TEST".into(),
        tick: Price::ZERO,
        lot: Quantity::from_units(1).unwrap(),
        multiplier: Quantity::ONE,
        status: TradingStatus::Active,
    };
    let universe = Arc::new(Universe::new((0..N).map(instrument).collect()).unwrap());
    let batch = Batch::new(BatchParts {
        spec: BarSpec { period: BarPeriod::Session, basis: Basis::Raw, has_open: false },
        width: N,
        starts: vec![Timestamp(0)],
        ends: vec![Timestamp(1)],
        open: vec![],
        high: vec![],
        low: vec![],
        close: vec![NANO; N],
        volume: vec![],
        status: vec![Status::Ok; N],
    });
    let mut panel = Panel::new(universe, vec![Arc::new(batch.unwrap())], &[]);
    panel.advance(FeedId(0), 0);
    let mut books = Ledger::new(Currency::USD, &[Currency::USD; N]);
    books.deposit(tradegraph_domain::Money::from_units(1_000_000_000, Currency::USD).unwrap()).unwrap();
    let limits = Limits { allow_short: true, open_orders: None, ..Limits::default() };
    Desk { gate: Gate::new(limits, N), panel, books, orders: Orders::new(N), n_execs: 0 }
}

impl Desk {
    fn send(&mut self, order: Order) -> OpenOrder {
        let approved = self.gate.approve(order, &self.panel, &mut self.books).unwrap();
        self.orders.send(approved)
    }

    fn say(&mut self, report: VenueReport) -> (Applied, u64) {
        let before = self.orders.n_anomalies();
        let applied = self.orders.apply(&report);
        assert_working(&self.orders);
        (applied, self.orders.n_anomalies() - before)
    }

    fn fill(&mut self, of: Order, units: i64) -> VenueReport {
        self.n_execs += 1;
        fill(self.n_execs, of, units)
    }
}

fn fill(exec: u64, of: Order, units: i64) -> VenueReport {
    VenueReport::Fill(Fill {
        exec: ExecId(exec),
        order: of.id,
        instrument: of.instrument,
        side: of.side,
        quantity: Quantity::from_units(units).unwrap(),
        price: Price::from_nano(NANO),
        fee_nano: 0,
    })
}

/// `working` is the sum over open orders.
fn assert_working(orders: &Orders) {
    for i in (0..N as u32).map(InstrumentId) {
        let of_i = orders.open().filter(|o| o.order.instrument == i);
        let sum: i128 = of_i.map(|o| o.order.side.signed(o.remaining()).nano()).sum();
        assert_eq!(orders.working(i).nano(), sum);
    }
    assert_eq!(orders.open().count(), orders.n_open());
}

fn state(applied: Applied) -> (OrderState, i64) {
    match applied {
        Applied::Open(o) | Applied::Ended(o) => (o.state, (o.filled.nano() / i128::from(NANO)) as i64),
        Applied::Anomaly => panic!("an anomaly"),
    }
}

#[test]
fn the_life_of_an_order() {
    let mut d = desk();
    let a = order(1, 0, 10);
    assert_eq!(d.send(a).state, OrderState::Sent);
    assert_eq!(d.orders.working(InstrumentId(0)), Quantity::from_units(10).unwrap());
    assert_eq!(state(d.say(VenueReport::Accepted(a.id)).0), (OrderState::Working, 0));
    let part = d.fill(a, 4);
    assert_eq!(state(d.say(part).0), (OrderState::PartiallyFilled, 4));
    assert_eq!(state(d.orders.input(a.id, Input::RequestCancel)), (OrderState::CancelRequested, 4));
    let rest = d.fill(a, 6);
    let (last, n) = d.say(rest);
    assert!(matches!(last, Applied::Ended(_)) && n == 0);
    assert_eq!(state(last), (OrderState::Filled, 10), "the fill won the race");
    assert_eq!(d.orders.n_open(), 0);
    assert_eq!(d.orders.get(a.id), None);
}

#[test]
fn what_does_not_fit_is_an_anomaly_and_changes_nothing() {
    let mut d = desk();
    let (a, b) = (order(1, 0, 10), order(2, 1, 5));
    d.send(a);
    d.send(b);
    d.say(VenueReport::Accepted(a.id));
    let part = d.fill(a, 4);
    d.say(part);
    let other = Order { side: Side::Sell, ..a };
    let elsewhere = Order { instrument: InstrumentId(1), ..a };
    let rows = [
        ("unknown order", VenueReport::Accepted(OrderId(77))),
        ("fill for an unknown order", fill(900, order(77, 0, 1), 1)),
        ("redelivered fill", part),
        ("more than was ordered", fill(901, a, 7)),
        ("nothing", fill(902, a, 0)),
        ("less than nothing", fill(903, a, -1)),
        ("another side", fill(904, other, 1)),
        ("another instrument", fill(905, elsewhere, 1)),
        ("rejected after it worked", VenueReport::Rejected(a.id, RejectReason::NotTradable)),
    ];
    for (what, report) in rows {
        let before: Vec<OpenOrder> = d.orders.open().copied().collect();
        assert_eq!(d.say(report), (Applied::Anomaly, 1), "{what}");
        assert_eq!(d.orders.open().copied().collect::<Vec<_>>(), before, "{what}");
    }
    d.say(VenueReport::Cancelled(a.id, CancelReason::Requested));
    for (what, report) in [
        ("fill for a finished order", fill(906, a, 1)),
        ("finished twice", VenueReport::Cancelled(a.id, CancelReason::Requested)),
        ("acknowledged when finished", VenueReport::Accepted(a.id)),
    ] {
        assert_eq!(d.say(report), (Applied::Anomaly, 1), "{what}");
    }
    for input in [Input::Accepted, Input::PartFill, Input::LastFill, Input::Cancelled, Input::Rejected] {
        assert_eq!(d.orders.input(b.id, input), Applied::Anomaly, "only a venue says {input:?}");
    }
    let kept = d.send(order(2, 0, 3));
    assert_eq!(kept.order, b, "an id that is open is not replaced");
    assert_working(&d.orders);
}

#[test]
fn unknown_orders_stay_until_the_venue_says() {
    let mut d = desk();
    let a = order(1, 0, 10);
    d.send(a);
    assert_eq!(state(d.orders.input(a.id, Input::TimedOut)), (OrderState::Unknown, 0));
    assert_eq!(state(d.orders.input(a.id, Input::TimedOut)), (OrderState::Unknown, 0));
    assert_eq!(d.orders.working(InstrumentId(0)), a.quantity, "it keeps its place");
    assert_eq!(state(d.say(VenueReport::Accepted(a.id)).0), (OrderState::Working, 0));
}

#[test]
fn orders_sent_out_of_turn_are_found() {
    let mut d = desk();
    for id in [5, 2, 9, 1] {
        d.send(order(id, 0, 1));
    }
    assert_eq!(d.orders.open().map(|o| o.order.id.0).collect::<Vec<_>>(), [1, 2, 5, 9]);
    for id in [9, 1, 5, 2] {
        assert!(matches!(d.say(VenueReport::Rejected(OrderId(id), RejectReason::NotTradable)).0, Applied::Ended(_)));
    }
}

/// Counted, not timed: n reports that each end an order move less than 2n entries in sweeps, whatever their order.
#[test]
fn sweeps_are_linear() {
    let mut d = desk();
    let n = 4_096_u64;
    for order_of_ends in [0, 1, 2] {
        for id in 1..=n {
            d.send(order(id, 0, 1));
        }
        let (mut moved, mut len) = (0, d.orders.entries.len());
        for k in 0..n {
            // Oldest first, newest first, and a stride that visits all.
            let id = [k, n - 1 - k, (k * 1_031) % n][order_of_ends] + 1;
            let last = d.fill(order(id, 0, 1), 1);
            assert!(matches!(d.orders.apply(&last), Applied::Ended(_)));
            if d.orders.entries.len() != len {
                moved += len;
                len = d.orders.entries.len();
            }
        }
        assert!(moved <= 2 * n as usize + 64, "{moved}");
        assert_eq!(d.orders.n_open(), 0);
    }
}

#[test]
fn damaged_bytes_are_errors() {
    let mut d = desk();
    let a = order(1, 0, 10);
    d.send(a);
    let part = d.fill(a, 4);
    d.say(part);
    let mut e = Encoder::new();
    d.orders.save(&mut e);
    for cut in 0..e.as_bytes().len() {
        assert!(Orders::new(N).load(&mut Decoder::new(&e.as_bytes()[..cut])).is_err(), "cut at {cut}");
    }
    assert!(Orders::new(0).load(&mut Decoder::new(e.as_bytes())).is_err(), "another universe");
    let mut restored = Orders::new(N);
    restored.load(&mut Decoder::new(e.as_bytes())).unwrap();
    assert_eq!(restored, d.orders);
    assert_eq!(restored.apply(&part), Applied::Anomaly, "the redelivered fill is known after a restart");
}

#[derive(Clone, Debug)]
enum Act {
    Send { i: u32, sell: bool, units: i64 },
    Report { kind: u8, id: u64, units: i64, again: bool },
    Input { id: u64, input: usize },
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let send = (0_u32..2, any::<bool>(), 1_i64..6).prop_map(|(i, sell, units)| Act::Send { i, sell, units });
    let report = (0_u8..6, 1_u64..20, 0_i64..6, prop::bool::weighted(0.2))
        .prop_map(|(kind, id, units, again)| Act::Report { kind, id, units, again });
    let input = (1_u64..20, 0_usize..8).prop_map(|(id, input)| Act::Input { id, input });
    prop::collection::vec(prop_oneof![4 => send, 8 => report, 2 => input, 1 => Just(Act::Restart)], 1..120)
}

#[derive(Clone)]
struct Naive {
    order: Order,
    state: OrderState,
    fills: BTreeMap<u64, i64>,
}

proptest! {
    /// Any sequence of reports leaves what a map of orders that knows the transition table is left with.
    #[test]
    fn agrees_with_a_naive_model(acts in acts()) {
        let mut d = desk();
        let mut naive: BTreeMap<u64, Naive> = BTreeMap::new();
        let mut anomalies = 0;
        for act in acts {
            match act {
                Act::Send { i, sell, units } => {
                    let id = d.orders.next_id();
                    let o = Order { side: if sell { Side::Sell } else { Side::Buy }, ..order(id.0, i, units) };
                    d.send(o);
                    naive.insert(id.0, Naive { order: o, state: OrderState::Sent, fills: BTreeMap::new() });
                }
                Act::Report { kind, id, units, again } => {
                    let known = naive.get(&id).map_or(order(id, 0, 1), |n| n.order);
                    if !again {
                        d.n_execs += 1;
                    }
                    let exec = d.n_execs;
                    let (report, mut input) = match kind {
                        0 => (VenueReport::Accepted(OrderId(id)), Input::Accepted),
                        1 => (VenueReport::Cancelled(OrderId(id), CancelReason::Cash), Input::Cancelled),
                        2 => (VenueReport::Rejected(OrderId(id), RejectReason::OutOfRange), Input::Rejected),
                        _ => (fill(exec, known, units), Input::PartFill),
                    };
                    let mut fits = false;
                    if let Some(n) = naive.get_mut(&id) {
                        fits = true;
                        if input == Input::PartFill {
                            let left = known.quantity.nano() as i64 / NANO - n.fills.values().sum::<i64>();
                            fits = units > 0 && units <= left && !n.fills.contains_key(&exec);
                            if units == left {
                                input = Input::LastFill;
                            }
                        }
                        let to = next(n.state, input).filter(|_| fits);
                        fits = to.is_some();
                        if let Some(to) = to {
                            n.state = to;
                            if matches!(input, Input::PartFill | Input::LastFill) {
                                n.fills.insert(exec, units);
                            }
                        }
                    }
                    anomalies += u64::from(!fits);
                    prop_assert_eq!(d.orders.apply(&report) == Applied::Anomaly, !fits, "{:?}", report);
                }
                Act::Input { id, input } => {
                    let input = Input::ALL[input].0;
                    let ours = matches!(input, Input::Send | Input::RequestCancel | Input::TimedOut);
                    let to = naive.get(&id).and_then(|n| next(n.state, input)).filter(|_| ours);
                    if let Some(to) = to {
                        naive.get_mut(&id).unwrap().state = to;
                    }
                    anomalies += u64::from(to.is_none());
                    prop_assert_eq!(d.orders.input(OrderId(id), input) == Applied::Anomaly, to.is_none());
                }
                Act::Restart => {
                    let mut e = Encoder::new();
                    d.orders.save(&mut e);
                    let mut restored = Orders::new(N);
                    let mut from = Decoder::new(e.as_bytes());
                    restored.load(&mut from).unwrap();
                    from.finish().unwrap();
                    prop_assert_eq!(&restored, &d.orders);
                    let mut again = Encoder::new();
                    restored.save(&mut again);
                    prop_assert_eq!(again.as_bytes(), e.as_bytes(), "one state, one encoding");
                    d.orders = restored;
                }
            }
            assert_working(&d.orders);
            prop_assert_eq!(d.orders.n_anomalies(), anomalies);
            let open: Vec<_> = naive.values().filter(|n| !n.state.is_final()).collect();
            prop_assert_eq!(d.orders.n_open(), open.len());
            for (mine, theirs) in d.orders.open().zip(open) {
                let filled = Quantity::from_units(theirs.fills.values().sum()).unwrap();
                prop_assert_eq!((mine.order, mine.state, mine.filled), (theirs.order, theirs.state, filled));
            }
        }
    }
}

#[test]
fn a_split_scales_open_orders_and_what_of_them_traded() {
    let mut d = desk();
    let limit = Order { kind: OrderKind::Limit(Price::from_nano(NANO)), ..order(1, 0, 10) };
    let (a, b, other) = (d.send(limit).order, d.send(order(2, 0, 1)).order, d.send(order(3, 1, 10)).order);
    let done = d.fill(a, 4);
    d.say(done);
    // 3 for 2, ticks of a hundredth: 4 and 6 become 6 and 9, the one becomes one and a half, whose half is dropped; a
    // buy limit of 1 becomes 0.66.
    let (split, tick) = (Split { new: 3, old: 2 }, Price::from_nano(NANO / 100));
    assert_eq!(d.orders.split(InstrumentId(0), split, Quantity::ONE, tick), Ok(2));
    assert_working(&d.orders);
    let units = |n: i64| Quantity::from_units(n).unwrap();
    let shown = |d: &Desk, id| d.orders.get(id).map(|o| (o.order.quantity, o.filled, o.order.kind));
    let kind = OrderKind::Limit(Price::from_nano(660_000_000));
    assert_eq!(shown(&d, a.id), Some((units(15), units(6), kind)));
    assert_eq!(shown(&d, b.id), Some((units(1), Quantity::ZERO, OrderKind::Market)));
    assert_eq!(shown(&d, other.id), Some((units(10), Quantity::ZERO, OrderKind::Market)));
    let rest = d.fill(Order { quantity: units(15), ..a }, 9);
    assert_eq!(state(d.say(rest).0), (OrderState::Filled, 15));
    // 1 for 10 leaves nothing of one share: the order waits for the venue's word.
    assert_eq!(d.orders.split(InstrumentId(0), Split { new: 1, old: 10 }, Quantity::ONE, tick), Ok(1));
    assert_eq!(d.orders.get(b.id).map(OpenOrder::remaining), Some(Quantity::ZERO));
    assert_eq!(state(d.say(VenueReport::Cancelled(b.id, CancelReason::Split)).0).0, OrderState::Cancelled);
    assert_eq!(d.orders.working(InstrumentId(0)), Quantity::ZERO);
    // What does not fit changes nothing.
    let huge = Order { kind: OrderKind::Limit(Price::from_nano(i64::MAX / 2)), ..order(4, 1, 1) };
    d.books.deposit(tradegraph_domain::Money::from_units(i64::MAX / NANO, Currency::USD).unwrap()).unwrap();
    let huge = d.send(huge).order;
    assert!(d.orders.split(InstrumentId(1), Split { new: 1, old: 100 }, Quantity::from_nano(1), tick).is_err());
    assert_eq!(shown(&d, other.id), Some((units(10), Quantity::ZERO, OrderKind::Market)));
    assert_eq!(shown(&d, huge.id), Some((units(1), Quantity::ZERO, huge.kind)));
}
