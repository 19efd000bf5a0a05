//! Orders, fills and what a venue says about them.

use crate::action::Split;
use crate::decimal::Overflow;
use crate::instrument::InstrumentId;
use crate::price::Price;
use crate::quantity::Quantity;

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// Increases the position.
    Buy = 0,
    /// Decreases the position.
    Sell = 1,
}

impl Side {
    /// The side of a signed quantity; zero counts as a buy.
    #[inline]
    #[must_use]
    pub const fn of(quantity: Quantity) -> Side {
        if quantity.nano() < 0 { Side::Sell } else { Side::Buy }
    }

    /// A quantity with this side's sign.
    #[inline]
    #[must_use]
    pub const fn signed(self, quantity: Quantity) -> Quantity {
        match self {
            Side::Buy => quantity,
            Side::Sell => quantity.negated(),
        }
    }

    /// `buy` or `sell`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Side::Buy => "buy",
            Side::Sell => "sell",
        }
    }
}

/// Counter of orders within a run, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct OrderId(pub u64);

/// The id that a venue sees, derived from the run and the order, so that a repeated send carries the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientOrderId(pub u64, pub u64);

impl ClientOrderId {
    /// The id of an order of a run; `run` is a number drawn from the run's first record.
    #[inline]
    #[must_use]
    pub const fn derive(run: u64, order: OrderId) -> Self {
        ClientOrderId(run, order.0)
    }
}

impl std::fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "tg-{:016x}-{}", self.0, self.1)
    }
}

/// A venue's id of one execution; each posts exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecId(pub u64);

/// How an order may fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKind {
    /// At the next price the market gives.
    Market,
    /// At this price or better.
    Limit(Price),
    /// At the next price once the market trades at this one or beyond it: a sale below the market, a buy above it.
    Stop(Price),
    /// A limit order from the moment at which the market trades at the stop or beyond it.
    StopLimit {
        /// What wakes it.
        stop: Price,
        /// At this price or better from then on.
        limit: Price,
    },
}

impl OrderKind {
    /// The price that wakes the order, if it waits for one.
    #[inline]
    #[must_use]
    pub const fn stop(self) -> Option<Price> {
        match self {
            OrderKind::Stop(stop) | OrderKind::StopLimit { stop, .. } => Some(stop),
            OrderKind::Market | OrderKind::Limit(_) => None,
        }
    }

    /// The worst price at which the order may fill, if it names one.
    #[inline]
    #[must_use]
    pub const fn limit(self) -> Option<Price> {
        match self {
            OrderKind::Limit(limit) | OrderKind::StopLimit { limit, .. } => Some(limit),
            OrderKind::Market | OrderKind::Stop(_) => None,
        }
    }

    /// The same kind with its prices changed.
    ///
    /// # Errors
    /// Those of `change`.
    pub fn try_map<E>(self, mut change: impl FnMut(Price) -> Result<Price, E>) -> Result<OrderKind, E> {
        Ok(match self {
            OrderKind::Market => OrderKind::Market,
            OrderKind::Limit(limit) => OrderKind::Limit(change(limit)?),
            OrderKind::Stop(stop) => OrderKind::Stop(change(stop)?),
            OrderKind::StopLimit { stop, limit } => OrderKind::StopLimit { stop: change(stop)?, limit: change(limit)? },
        })
    }
}

/// How long an order lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TimeInForce {
    /// Until the end of the session.
    Day = 0,
    /// Until it is cancelled.
    GoodTillCancelled = 1,
    /// What does not fill at once is cancelled.
    ImmediateOrCancel = 2,
}

/// An intention to trade, before and after approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Counter within the run.
    pub id: OrderId,
    /// What is traded.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// How it may fill.
    pub kind: OrderKind,
    /// How long it lives.
    pub tif: TimeInForce,
    /// Units, always positive.
    pub quantity: Quantity,
}

impl Order {
    /// The order, and what of it traded before, as a split of its instrument leaves them: what is open in whole lots, its
    /// prices on the tick: a limit never to the order's harm, a stop never further away.
    ///
    /// # Errors
    /// `Overflow` if a number does not fit.
    pub fn split(
        self,
        filled: Quantity,
        split: Split,
        lot: Quantity,
        tick: Price,
    ) -> Result<(Order, Quantity), Overflow> {
        let (open, _) = split.quantity(self.quantity.checked_sub(filled)?, lot)?;
        let (filled, _) = split.quantity(filled, Quantity::from_nano(1))?;
        // A sale's limit and a sale's stop both round up, a buy's down: the one asks no less, the other wakes no later.
        let kind = self.kind.try_map(|price| split.limit(price, tick, self.side))?;
        Ok((Order { quantity: filled.checked_add(open)?, kind, ..self }, filled))
    }
}

/// One execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The venue's id of this execution.
    pub exec: ExecId,
    /// The order it belongs to.
    pub order: OrderId,
    /// What was traded.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Units, always positive.
    pub quantity: Quantity,
    /// Price per unit, spread and slippage included.
    pub price: Price,
    /// Commission at 1e-9 of the instrument's currency.
    pub fee_nano: i128,
}

/// Why a venue ended an order that was not filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CancelReason {
    /// We asked for it.
    Requested = 0,
    /// The account's cash did not cover the rest.
    Cash = 1,
    /// What did not fill at once was cancelled.
    ImmediateOrCancel = 2,
    /// The session ended.
    EndOfSession = 3,
    /// The volume that participation allows was used up.
    Participation = 4,
    /// The instrument was delisted.
    Delisted = 5,
    /// A split left less than a lot of it.
    Split = 6,
}

impl CancelReason {
    /// The reason with this number in a journal.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<CancelReason> {
        Some(match byte {
            0 => CancelReason::Requested,
            1 => CancelReason::Cash,
            2 => CancelReason::ImmediateOrCancel,
            3 => CancelReason::EndOfSession,
            4 => CancelReason::Participation,
            5 => CancelReason::Delisted,
            6 => CancelReason::Split,
            _ => return None,
        })
    }
}

/// Why a venue refused an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RejectReason {
    /// The instrument does not trade.
    NotTradable = 0,
    /// The id was used before.
    DuplicateId = 1,
    /// A number that the venue cannot represent.
    OutOfRange = 2,
}

/// What a venue says about one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VenueReport {
    /// The order is in the book.
    Accepted(OrderId),
    /// Part or all of it traded.
    Fill(Fill),
    /// The rest will not trade.
    Cancelled(OrderId, CancelReason),
    /// It never entered the book.
    Rejected(OrderId, RejectReason),
}

impl VenueReport {
    /// The order that the report is about.
    #[must_use]
    pub const fn order(&self) -> OrderId {
        match self {
            VenueReport::Accepted(id) | VenueReport::Cancelled(id, _) | VenueReport::Rejected(id, _) => *id,
            VenueReport::Fill(fill) => fill.order,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_moves_stops_and_limits_to_its_own_units() {
        let p = |t: &str| Price::parse(t).unwrap();
        let order = |side, kind| Order {
            id: OrderId(1),
            instrument: InstrumentId(0),
            side,
            kind,
            tif: TimeInForce::GoodTillCancelled,
            quantity: Quantity::from_units(10).unwrap(),
        };
        let three_for_two = Split { new: 3, old: 2 };
        let after = |side, kind| {
            let (o, filled) = order(side, kind)
                .split(Quantity::from_units(4).unwrap(), three_for_two, Quantity::ONE, p("0.01"))
                .unwrap();
            (o.kind, o.quantity, filled)
        };
        let (fifteen, six) = (Quantity::from_units(15).unwrap(), Quantity::from_units(6).unwrap());
        assert_eq!(after(Side::Sell, OrderKind::Stop(p("10"))), (OrderKind::Stop(p("6.67")), fifteen, six));
        assert_eq!(after(Side::Buy, OrderKind::Stop(p("10"))), (OrderKind::Stop(p("6.66")), fifteen, six));
        let kind = OrderKind::StopLimit { stop: p("10"), limit: p("9.5") };
        let expected = OrderKind::StopLimit { stop: p("6.67"), limit: p("6.34") }; // 6.666…, 6.333…
        assert_eq!(after(Side::Sell, kind), (expected, fifteen, six));
        assert_eq!((kind.stop(), kind.limit()), (Some(p("10")), Some(p("9.5"))));
        assert_eq!(
            (OrderKind::Market.stop(), OrderKind::Limit(p("1")).stop(), OrderKind::Stop(p("1")).limit()),
            (None, None, None)
        );
    }
}
