//! `Orders`: the open orders of an account and what the venue said about each.

use crate::codec::{load_order, save_order};
use crate::state::{Input, OrderState, next};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_controls::Approved;
use tradegraph_domain::{InstrumentId, Order, OrderId, Quantity, Side, VenueReport};
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    open: Vec<OpenOrder>,
    /// Where the next report is expected; reports mostly come in the order of their orders.
    hint: usize,
    last_id: u64,
    n_anomalies: u64,
    /// Signed units of open orders by instrument.
    working: Vec<i128>,
}

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

    /// Takes an approved order into the books as sent. The approval is used up here.
    #[inline]
    pub fn send(&mut self, approved: Approved<Order>) -> OpenOrder {
        let (order, approval) = approved.into_parts();
        let open = OpenOrder { order, state: OrderState::Sent, filled: Quantity::ZERO, hold: approval.hold };
        self.open.push(open);
        self.add_working(order.instrument, order.side, order.quantity.nano());
        open
    }

    /// Open orders, oldest first.
    #[inline]
    #[must_use]
    pub fn open(&self) -> &[OpenOrder] {
        &self.open
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
        let id = report.order();
        let Some(at) = self.find(id) else { return self.anomaly() };
        let Some(open) = self.open.get_mut(at) else { return self.anomaly() };
        let mut filled = open.filled;
        let input = match report {
            VenueReport::Accepted(_) => Input::Accepted,
            VenueReport::Cancelled(..) => Input::Cancelled,
            VenueReport::Rejected(..) => Input::Rejected,
            VenueReport::Fill(fill) => {
                filled = Quantity::from_nano(filled.nano().saturating_add(fill.quantity.nano()));
                if filled > open.order.quantity {
                    return self.anomaly();
                }
                if filled == open.order.quantity { Input::LastFill } else { Input::PartFill }
            }
        };
        let Some(state) = next(open.state, input) else { return self.anomaly() };
        let traded = filled.nano().saturating_sub(open.filled.nano());
        (open.state, open.filled) = (state, filled);
        let open = *open;
        let mut gone = traded;
        if state.is_final() {
            gone = gone.saturating_add(open.remaining().nano());
            if at == 0 && self.open.len() == 1 {
                self.open.clear();
            } else {
                self.open.remove(at);
            }
            self.hint = at;
        } else {
            self.hint = at;
        }
        self.add_working(open.order.instrument, open.order.side, gone.saturating_neg());
        if state.is_final() { Applied::Ended(open) } else { Applied::Open(open) }
    }

    /// Moves an order by something that is not a report (a cancel that we ask for, a time-out).
    pub fn input(&mut self, id: OrderId, input: Input) -> Applied {
        let Some(at) = self.find(id) else { return self.anomaly() };
        let Some(open) = self.open.get_mut(at) else { return self.anomaly() };
        let Some(state) = next(open.state, input) else { return self.anomaly() };
        open.state = state;
        let open = *open;
        if !state.is_final() {
            return Applied::Open(open);
        }
        self.open.remove(at);
        self.add_working(open.order.instrument, open.order.side, open.remaining().nano().saturating_neg());
        Applied::Ended(open)
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
        match self.open.get(self.hint) {
            Some(o) if o.order.id == id => Some(self.hint),
            _ => self.open.binary_search_by(|o| o.order.id.cmp(&id)).ok(),
        }
    }

    /// Writes open orders canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.u64(self.last_id);
        to.u64(self.n_anomalies);
        to.len(self.open.len());
        for o in &self.open {
            save_order(to, &o.order);
            to.u8(o.state as u8);
            to.i128(o.filled.nano());
            to.u32(o.hold.number());
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
            let state = OrderState::from_byte(byte).ok_or(DecodeError::Invalid {
                what: "order state",
                at: 0,
                found: u64::from(byte),
            })?;
            let filled = Quantity::from_nano(from.i128("filled quantity")?);
            let open = OpenOrder { order, state, filled, hold: HoldId::from_number(from.u32("hold")?) };
            self.add_working(order.instrument, order.side, open.remaining().nano());
            self.open.push(open);
        }
        Ok(())
    }
}
