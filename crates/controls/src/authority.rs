//! `Authority`: what a parent's approval turns into. Children are drawn from it, and together they never exceed it.

use crate::approval::Approved;
use crate::gate::Gate;
use tradegraph_domain::{
    InstrumentId, Order, OrderKind, Overflow, Price, Quantity, Refusal, Rule, Side, Split, Timestamp, Unit,
};
use tradegraph_ledger::HoldId;

/// Prices between which children may trade, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// Lowest.
    pub low: Price,
    /// Highest.
    pub high: Price,
}

/// The right to trade what is left of an approved parent order.
#[derive(Debug)]
pub struct Authority {
    instrument: InstrumentId,
    side: Side,
    ordered: Quantity,
    remaining: Quantity,
    band: Band,
    expires: Timestamp,
    hold: HoldId,
}

impl Authority {
    /// Uses up a parent's approval.
    #[must_use]
    pub fn new(parent: Approved<Order>, band: Band, expires: Timestamp) -> Self {
        let (order, approval) = parent.into_parts();
        Authority {
            instrument: order.instrument,
            side: order.side,
            ordered: order.quantity,
            remaining: order.quantity,
            band,
            expires,
            hold: approval.hold,
        }
    }

    /// Units that no child has drawn.
    #[must_use]
    pub fn remaining(&self) -> Quantity {
        self.remaining
    }

    /// Draws a child order. `last` is the last price; the gate's latches hold for children as for orders.
    ///
    /// Children share the parent's reservation: it is filled child by child and released with the parent, not with a
    /// child. Lots and ticks of children are their planner's, and the venue's.
    ///
    /// # Errors
    /// The rule that says no. `HALTED`, the code of a breaker, and `REDUCE_ONLY`: a latch of the gate. `NOT_TRADABLE`: another instrument.
    /// `LOT`: no quantity. `NO_PRICE`: expired, the parent was judged by a price that is too old. `COLLAR`: outside the
    /// band. `ORDER_QUANTITY`: more than is left, both signed by their side, so that the other side shows.
    pub fn draw(&mut self, child: Order, last: Price, now: Timestamp, gate: &Gate) -> Result<Approved<Order>, Refusal> {
        let refuse = |rule, limit, actual, unit| Err(Refusal { rule, limit, actual, unit });
        if let Some(why) = gate.stopped() {
            return Err(why);
        }
        if gate.is_reduce_only(self.instrument) {
            return refuse(Rule::ReduceOnly, 0, child.quantity.nano(), Unit::QuantityNano);
        }
        if child.instrument != self.instrument {
            return refuse(
                Rule::NotTradable,
                i128::from(self.instrument.0),
                i128::from(child.instrument.0),
                Unit::Count,
            );
        }
        if now >= self.expires {
            return refuse(Rule::NoPrice, i128::from(self.expires.0), i128::from(now.0), Unit::Count);
        }
        if child.quantity.signum() <= 0 {
            return refuse(Rule::Lot, 1, child.quantity.nano(), Unit::QuantityNano);
        }
        let price = match child.kind {
            OrderKind::Limit(p) | OrderKind::Stop(p) | OrderKind::StopLimit { limit: p, .. } => p,
            OrderKind::Market => last,
        };
        if price < self.band.low || price > self.band.high {
            let edge = if price < self.band.low { self.band.low } else { self.band.high };
            return refuse(Rule::Collar, i128::from(edge.nano()), i128::from(price.nano()), Unit::PriceNano);
        }
        match self.remaining.checked_sub(child.quantity) {
            Ok(rest) if rest.signum() >= 0 && child.side == self.side => {
                self.remaining = rest;
                Ok(Approved::new(child, self.hold))
            }
            _ => refuse(
                Rule::OrderQuantity,
                self.side.signed(self.remaining).nano(),
                child.side.signed(child.quantity).nano(),
                Unit::QuantityNano,
            ),
        }
    }

    /// A split of the instrument: what is left is in whole lots of it, and the band in its units, never wider.
    ///
    /// # Errors
    /// `Overflow` if a number does not fit; the authority is unchanged.
    pub fn split(&mut self, split: Split, lot: Quantity) -> Result<(), Overflow> {
        let drawn = self.ordered.checked_sub(self.remaining)?;
        let remaining = split.quantity(self.remaining, lot)?.0;
        let ordered = split.quantity(drawn, Quantity::from_nano(1))?.0.checked_add(remaining)?;
        let low = split.limit(self.band.low, Price::ZERO, Side::Sell)?;
        let high = split.limit(self.band.high, Price::ZERO, Side::Buy)?;
        (self.remaining, self.ordered, self.band) = (remaining, ordered, Band { low, high });
        Ok(())
    }

    /// Gives back what an ended child did not trade. Never more than the parent was approved for, and a negative
    /// quantity takes nothing.
    pub fn give_back(&mut self, unfilled: Quantity) {
        let sum = self.remaining.nano().saturating_add(unfilled.nano().max(0));
        self.remaining = Quantity::from_nano(sum.min(self.ordered.nano()));
    }
}

#[cfg(test)]
mod tests;
