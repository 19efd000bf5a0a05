//! Protective stops: each position has a resting stop order at a share of its average cost.
//!
//! The stop is replaced whenever the position or what other orders reduce of it changes, so that stop and other orders
//! together never close more than there is: it is as large as the position less the units of open orders that reduce it,
//! and it is withdrawn before such an order is sent. After a stop filled, nothing is added on the side that it closed
//! before the pause is over. Left out: venues outside, whose cancels take time.

use crate::config::{ExitRules, RecordLevel};
use crate::desk::Desk;
use crate::records::put_decision;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_controls::Approved;
use tradegraph_domain::{
    InstrumentId, NANO, Order, OrderId, OrderKind, Price, Quantity, Refusal, Rule, Side, Split, TimeInForce, Timestamp,
    Unit, mul_div_half_even,
};
use tradegraph_execution::Input;

/// The stops of a run.
#[derive(Debug)]
pub(crate) struct Exits {
    rules: ExitRules,
    /// The resting stop of each instrument.
    resting: Vec<Option<OrderId>>,
    /// Until when nothing is bought (first) or sold short (second) again.
    paused: Vec<[Timestamp; 2]>,
    /// Instruments of which something changed in this event.
    touched: Vec<InstrumentId>,
}

impl Exits {
    pub(crate) fn new(rules: ExitRules, n_instruments: usize) -> Self {
        let (resting, paused) = (vec![None; n_instruments], vec![[Timestamp::MIN; 2]; n_instruments]);
        Exits { rules, resting, paused, touched: vec![] }
    }

    /// True if the order is a resting stop.
    pub(crate) fn owns(&self, i: InstrumentId, id: OrderId) -> bool {
        self.resting.get(i.index()) == Some(&Some(id))
    }

    /// Something of an instrument changed.
    pub(crate) fn touch(&mut self, i: InstrumentId) {
        if !self.touched.contains(&i) {
            self.touched.push(i);
        }
    }

    /// An order ended; if it was the stop, there is none.
    pub(crate) fn forget(&mut self, i: InstrumentId, id: OrderId) {
        if let Some(slot) = self.resting.get_mut(i.index()).filter(|slot| **slot == Some(id)) {
            *slot = None;
        }
    }

    /// A stop filled: its side is closed for a while.
    pub(crate) fn filled(&mut self, i: InstrumentId, id: OrderId, side: Side, now: Timestamp) {
        if !self.owns(i, id) {
            return;
        }
        let until = Timestamp(now.0.saturating_add(self.rules.cooldown.0));
        if let Some([bought, sold]) = self.paused.get_mut(i.index()) {
            *(if side == Side::Sell { bought } else { sold }) = until;
        }
    }

    /// Why an order that adds to a position must wait.
    pub(crate) fn refusal(&self, i: InstrumentId, side: Side, quantity: Quantity, now: Timestamp) -> Option<Refusal> {
        let [bought, sold] = self.paused.get(i.index())?;
        let until = if side == Side::Buy { bought } else { sold };
        let refusal = Refusal { rule: Rule::ReduceOnly, limit: 0, actual: quantity.nano(), unit: Unit::QuantityNano };
        (now < *until).then_some(refusal)
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        for (id, [bought, sold]) in self.resting.iter().zip(&self.paused) {
            to.u64(id.map_or(0, |id| id.0));
            to.i64(bought.0);
            to.i64(sold.0);
        }
    }

    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        for (slot, paused) in self.resting.iter_mut().zip(&mut self.paused) {
            let id = from.u64("resting stop")?;
            *slot = (id > 0).then_some(OrderId(id));
            *paused = [Timestamp(from.i64("pause")?), Timestamp(from.i64("pause")?)];
        }
        self.touched.clear();
        Ok(())
    }
}

/// Takes the stop of an instrument out of the market, if it is of this side.
pub(crate) fn withdraw(desk: &mut Desk, i: InstrumentId, side: Side) {
    let resting = desk.exits.as_ref().and_then(|e| e.resting.get(i.index()).copied().flatten());
    let Some(open) = resting.and_then(|id| desk.orders.get(id)).filter(|o| o.order.side == side) else { return };
    let id = open.order.id;
    if let Some(exchange) = &mut desk.exchange {
        desk.orders.input(id, Input::RequestCancel);
        exchange.cancel(id, &mut desk.out.reports);
    }
}

/// Brings the stops of what was touched in line with the books; false if nothing was touched.
pub(crate) fn settle(desk: &mut Desk) -> bool {
    let Some(exits) = desk.exits.as_mut().filter(|e| !e.touched.is_empty()) else { return false };
    let touched = std::mem::take(&mut exits.touched);
    for i in touched {
        protect(desk, i);
    }
    true
}

fn protect(desk: &mut Desk, i: InstrumentId) {
    let wanted = wanted(desk, i);
    let resting = desk.exits.as_ref().and_then(|e| e.resting.get(i.index()).copied().flatten());
    if let Some(open) = resting.and_then(|id| desk.orders.get(id)) {
        let as_wanted = wanted.is_some_and(|(side, stop, quantity)| {
            (open.order.side, open.order.kind, open.remaining()) == (side, OrderKind::Stop(stop), quantity)
        });
        if !as_wanted {
            // Its end touches the instrument again, and the new stop is placed then.
            withdraw(desk, i, open.order.side);
        }
        return;
    }
    let Some((side, stop, quantity)) = wanted else { return };
    let (id, tif) = (desk.orders.next_id(), TimeInForce::GoodTillCancelled);
    let order = Order { id, instrument: i, side, kind: OrderKind::Stop(stop), tif, quantity };
    let answer = desk.gate.approve_exit(order, &desk.panel, &mut desk.books).map(Approved::into_order);
    if desk.record >= RecordLevel::Outcomes {
        let from = desk.out.records.as_bytes().len();
        let price = desk.panel.last(i).map_or(Price::ZERO, |(p, _)| p);
        let nav = desk.books.nav().unwrap_or_default();
        let (records, refusal) = (&mut desk.out.records, answer.as_ref().err());
        put_decision(records, desk.seq.0, desk.ts, &order, refusal, price, nav, None, |_| ());
        desk.hash_records(from);
    }
    let (Ok(approved), Some(exchange)) = (answer, &mut desk.exchange) else {
        desk.counts.refused += 1;
        return;
    };
    let open = desk.orders.send(approved);
    desk.counts.orders += 1;
    exchange.submit(open.order, open.hold, &mut desk.out.reports);
    if let Some(slot) = desk.exits.as_mut().and_then(|e| e.resting.get_mut(i.index())) {
        *slot = Some(id);
    }
}

/// Side, price and quantity of the stop that an instrument should have: a share of the average cost away, on the tick, no
/// later than that; whole lots of what no open order reduces.
fn wanted(desk: &Desk, i: InstrumentId) -> Option<(Side, Price, Quantity)> {
    let (rules, instrument) = (desk.exits.as_ref()?.rules, desk.panel.universe().get(i)?);
    let held = desk.books.position(i);
    let (side, reducing) = match held.signum() {
        1 => (Side::Sell, desk.books.holds().selling(i)),
        -1 => (Side::Buy, desk.books.holds().buying(i)),
        _ => return None,
    };
    let free = Quantity::from_nano(held.abs().nano().saturating_sub(reducing.nano()).max(0));
    let quantity = free.lots(instrument.lot).and_then(|(lots, _)| lots.quantity(instrument.lot)).ok()?;
    let cost = desk.books.lots(i).fold(0_i128, |sum, lot| sum.saturating_add(lot.cost_nano));
    let average = mul_div_half_even(cost, NANO.into(), held.nano())?;
    let share = i128::from(NANO) - i128::from(rules.stop_loss_nano) * held.signum();
    let stop = i64::try_from(mul_div_half_even(average, share, NANO.into())?).ok()?;
    let stop = Split { new: 1, old: 1 }.limit(Price::from_nano(stop), instrument.tick, side).ok()?;
    (!quantity.is_zero() && stop.is_positive()).then_some((side, stop, quantity))
}
