//! `Authority`: what a parent's approval turns into. Children are drawn from it, and together they never exceed it.

use crate::approval::Approved;
use tradegraph_domain::{InstrumentId, Order, OrderKind, Price, Quantity, Refusal, Rule, Side, Timestamp, Unit};
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

    /// Draws a child order. `last` is the last price; the gate's halt is checked by its caller's `Gate`.
    ///
    /// # Errors
    /// The rule that says no: another instrument or side, expired, outside the band, or more than is left.
    pub fn draw(
        &mut self,
        child: Order,
        last: Price,
        now: Timestamp,
        halted: bool,
    ) -> Result<Approved<Order>, Refusal> {
        let refuse = |rule, limit, actual, unit| Err(Refusal { rule, limit, actual, unit });
        if halted {
            return refuse(Rule::Halted, 0, 1, Unit::Count);
        }
        if child.instrument != self.instrument || child.side != self.side || child.quantity.signum() <= 0 {
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
        let price = match child.kind {
            OrderKind::Limit(p) => p,
            OrderKind::Market => last,
        };
        if price < self.band.low || price > self.band.high {
            let edge = if price < self.band.low { self.band.low } else { self.band.high };
            return refuse(Rule::Collar, i128::from(edge.nano()), i128::from(price.nano()), Unit::PriceNano);
        }
        match self.remaining.checked_sub(child.quantity) {
            Ok(rest) if rest.signum() >= 0 => {
                self.remaining = rest;
                Ok(Approved::new(child, self.hold))
            }
            _ => refuse(Rule::OrderQuantity, self.remaining.nano(), child.quantity.nano(), Unit::QuantityNano),
        }
    }

    /// Gives back what a cancelled child did not trade.
    pub fn give_back(&mut self, unfilled: Quantity) {
        if let Ok(sum) = self.remaining.checked_add(unfilled) {
            self.remaining = sum;
        }
    }
}
