//! `Orders`: the open orders of an account and what the venue said about each.

use crate::codec::{load_order, save_order};
use crate::state::{Input, OrderState, next};
use std::collections::BTreeSet;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_controls::Approved;
use tradegraph_domain::{ExecId, InstrumentId, Order, OrderId, Overflow, Price, Quantity, Side, Split, VenueReport};
use tradegraph_ledger::HoldId;

/// One open order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// The order.
    pub order: Order,
    /// Where it stands.
    pub state: OrderState,
    /// Units that traded.
    pub filled: Quantity,
    /// What it reserves.
    pub hold: HoldId,
}

impl OpenOrder {
    /// Units that did not trade.
    #[inline]
    #[must_use]
    pub fn remaining(&self) -> Quantity {
        Quantity::from_nano(self.order.quantity.nano().saturating_sub(self.filled.nano()).max(0))
    }
}

/// What a report did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The order goes on.
    Open(OpenOrder),
    /// The order ended.
    Ended(OpenOrder),
    /// The report does not fit: for an unknown or finished order, more than was ordered, or out of turn. A fill is
    /// booked all the same; the anomaly is flagged and counted.
    Anomaly,
}

/// The open orders of an account, in the order of their ids.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// By id. Orders that ended stay as such until they are half of all, then they are swept: n reports that each end
    /// an order cost n.
    entries: Vec<OpenOrder>,
    n_open: usize,
    /// Where the next report is expected; reports mostly come in the order of their orders.
    hint: usize,
    last_id: u64,
    n_anomalies: u64,
    /// Signed units of open orders by instrument.
    working: Vec<i128>,
    /// Executions of orders that filled in part: a redelivered one counts once.
    execs: BTreeSet<(OrderId, ExecId)>,
}

/// The same orders; where ended ones wait to be swept is no difference.
impl PartialEq for Orders {
    fn eq(&self, other: &Self) -> bool {
        self.open().eq(other.open())
            && (self.last_id, self.n_anomalies) == (other.last_id, other.n_anomalies)
            && self.working == other.working
            && self.execs == other.execs
    }
}

impl Eq for Orders {}

impl Orders {
    /// No orders, in a universe of `n_instruments`.
    #[must_use]
    pub fn new(n_instruments: usize) -> Self {
        Orders { working: vec![0; n_instruments], ..Self::default() }
    }

    /// The id of the next order. Ids count up, so a restart cannot use one again: the counter is part of the state.
    #[inline]
    pub fn next_id(&mut self) -> OrderId {
        self.last_id = self.last_id.saturating_add(1);
        OrderId(self.last_id)
    }

    /// Ids given out so far.
    #[must_use]
    pub fn n_ids(&self) -> u64 {
        self.last_id
    }

    /// Takes an approved order into the books as sent. The approval is used up here. An id that is open already is an
    /// anomaly: what is in the books stays and is returned, and the caller must not send.
    #[inline]
    pub fn send(&mut self, approved: Approved<Order>) -> OpenOrder {
        let (order, approval) = approved.into_parts();
        let open = OpenOrder { order, state: OrderState::Sent, filled: Quantity::ZERO, hold: approval.hold };
        if self.entries.last().is_none_or(|last| last.order.id < order.id) {
            self.entries.push(open);
        } else {
            match self.entries.binary_search_by(|o| o.order.id.cmp(&order.id)) {
                Ok(at) => match self.entries.get_mut(at) {
                    Some(ended) if ended.state.is_final() => *ended = open,
                    Some(there) => {
                        self.n_anomalies = self.n_anomalies.saturating_add(1);
                        return *there;
                    }
                    None => {}
                },
                Err(at) => self.entries.insert(at, open),
            }
        }
        self.n_open = self.n_open.saturating_add(1);
        self.add_working(order.instrument, order.side, order.quantity.nano());
        open
    }

    /// Open orders, oldest first.
    #[inline]
    pub fn open(&self) -> impl DoubleEndedIterator<Item = &OpenOrder> {
        self.entries.iter().filter(|o| !o.state.is_final())
    }

    /// Number of open orders.
    #[inline]
    #[must_use]
    pub fn n_open(&self) -> usize {
        self.n_open
    }

    /// An open order.
    #[must_use]
    pub fn get(&self, id: OrderId) -> Option<&OpenOrder> {
        self.find(id).and_then(|at| self.entries.get(at))
    }

    /// Signed units of an instrument's open orders.
    #[inline]
    #[must_use]
    pub fn working(&self, i: InstrumentId) -> Quantity {
        Quantity::from_nano(self.working.get(i.index()).copied().unwrap_or_default())
    }

    /// Reports that did not fit.
    #[must_use]
    pub fn n_anomalies(&self) -> u64 {
        self.n_anomalies
    }

    /// Applies what a venue said.
    #[inline]
    pub fn apply(&mut self, report: &VenueReport) -> Applied {
        let Some(at) = self.find(report.order()) else { return self.anomaly() };
        let Some(open) = self.entries.get(at) else { return self.anomaly() };
        let before = open.filled;
        let fill = match report {
            VenueReport::Accepted(_) => return self.step(at, Input::Accepted, before),
            VenueReport::Cancelled(..) => return self.step(at, Input::Cancelled, before),
            VenueReport::Rejected(..) => return self.step(at, Input::Rejected, before),
            VenueReport::Fill(fill) => fill,
        };
        let fits = fill.instrument == open.order.instrument
            && fill.side == open.order.side
            && fill.quantity.signum() > 0
            && fill.quantity <= open.remaining();
        let filled = Quantity::from_nano(before.nano().saturating_add(fill.quantity.nano()));
        let is_last = filled == open.order.quantity;
        let seen = (fill.order, fill.exec);
        if !fits || (!before.is_zero() && self.execs.contains(&seen)) {
            return self.anomaly();
        }
        if is_last {
            return self.step(at, Input::LastFill, filled);
        }
        let applied = self.step(at, Input::PartFill, filled);
        if let Applied::Open(_) = applied {
            self.execs.insert(seen);
        }
        applied
    }

    /// A split of an instrument: its open orders in its new units. What is below a lot is dropped; an order of which
    /// nothing is left stays open until the venue ends it. Returns how many there are.
    ///
    /// # Errors
    /// `Overflow` if a number does not fit; nothing is changed.
    pub fn split(&mut self, i: InstrumentId, split: Split, lot: Quantity, tick: Price) -> Result<usize, Overflow> {
        let mut after = Vec::new();
        for (at, o) in self.entries.iter().enumerate() {
            if o.order.instrument == i && !o.state.is_final() {
                let (order, filled) = o.order.split(o.filled, split, lot, tick)?;
                after.push((at, OpenOrder { order, filled, ..*o }));
            }
        }
        for (at, new) in &after {
            if let Some(old) = self.entries.get_mut(*at).map(|entry| std::mem::replace(entry, *new)) {
                let more = new.remaining().nano().saturating_sub(old.remaining().nano());
                self.add_working(i, new.order.side, more);
            }
        }
        Ok(after.len())
    }

    /// Moves an order by something that is not a report: a cancel that we ask for, a time-out. What only a venue can
    /// say is an anomaly here.
    pub fn input(&mut self, id: OrderId, input: Input) -> Applied {
        let ours = matches!(input, Input::Send | Input::RequestCancel | Input::TimedOut);
        match self.find(id).filter(|_| ours).and_then(|at| Some((at, self.entries.get(at)?.filled))) {
            Some((at, filled)) => self.step(at, input, filled),
            None => self.anomaly(),
        }
    }

    #[inline]
    fn step(&mut self, at: usize, input: Input, filled: Quantity) -> Applied {
        let Some(entry) = self.entries.get_mut(at) else { return self.anomaly() };
        let Some(state) = next(entry.state, input) else { return self.anomaly() };
        let (before, left) = (entry.filled, entry.remaining());
        (entry.state, entry.filled) = (state, filled);
        let after = *entry;
        let order = &after.order;
        if !state.is_final() {
            self.hint = at;
            if filled != before {
                self.add_working(order.instrument, order.side, before.nano().saturating_sub(filled.nano()));
            }
            return Applied::Open(after);
        }
        self.add_working(order.instrument, order.side, left.nano().saturating_neg());
        if !before.is_zero() {
            while let Some(seen) = self.execs.range((order.id, ExecId(0))..=(order.id, ExecId(u64::MAX))).next() {
                let seen = *seen;
                self.execs.remove(&seen);
            }
        }
        self.n_open = self.n_open.saturating_sub(1);
        self.hint = at.saturating_add(1);
        if self.n_open.saturating_mul(2) < self.entries.len() {
            self.entries.retain(|o| !o.state.is_final());
            self.hint = 0;
        }
        Applied::Ended(after)
    }

    fn anomaly(&mut self) -> Applied {
        self.n_anomalies = self.n_anomalies.saturating_add(1);
        Applied::Anomaly
    }

    #[inline]
    fn add_working(&mut self, i: InstrumentId, side: Side, units: i128) {
        if let Some(w) = self.working.get_mut(i.index()) {
            *w = w.saturating_add(side.signed(Quantity::from_nano(units)).nano());
        }
    }

    #[inline]
    fn find(&self, id: OrderId) -> Option<usize> {
        let at = match self.entries.get(self.hint) {
            Some(o) if o.order.id == id => self.hint,
            _ => self.entries.binary_search_by(|o| o.order.id.cmp(&id)).ok()?,
        };
        self.entries.get(at).is_some_and(|o| !o.state.is_final()).then_some(at)
    }

    /// Writes open orders canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.u64(self.last_id);
        to.u64(self.n_anomalies);
        to.len(self.n_open);
        for o in self.open() {
            save_order(to, &o.order);
            to.u8(o.state as u8);
            to.i128(o.filled.nano());
            to.u32(o.hold.number());
        }
        to.len(self.execs.len());
        for (order, exec) in &self.execs {
            to.u64(order.0);
            to.u64(exec.0);
        }
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        *self = Orders::new(self.working.len());
        self.last_id = from.u64("order counter")?;
        self.n_anomalies = from.u64("anomalies")?;
        for _ in 0..from.len("open orders")? {
            let order = load_order(from)?;
            let byte = from.u8("order state")?;
            let invalid = |what, found| DecodeError::Invalid { what, at: 0, found };
            let state =
                OrderState::from_byte(byte).filter(|s| !s.is_final()).ok_or(invalid("order state", u64::from(byte)))?;
            let filled = Quantity::from_nano(from.i128("filled quantity")?);
            let open = OpenOrder { order, state, filled, hold: HoldId::from_number(from.u32("hold")?) };
            let ascends = self.entries.last().is_none_or(|last| last.order.id < order.id);
            let in_range = filled.signum() >= 0 && filled < order.quantity;
            if !ascends || !in_range || order.instrument.index() >= self.working.len() {
                return Err(invalid("open order", order.id.0));
            }
            self.add_working(order.instrument, order.side, open.remaining().nano());
            self.entries.push(open);
        }
        self.n_open = self.entries.len();
        for _ in 0..from.len("executions of open orders")? {
            self.execs.insert((OrderId(from.u64("order of an execution")?), ExecId(from.u64("execution")?)));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
