//! `Gate`: the checks that every order passes, in the order of `Rule`. An approval reserves cash and quantity in the
//! ledger, so the next order is judged with this one filled.

use crate::approval::{Approval, Approved, ReduceOnly};
use crate::limits::Limits;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{
    AssetClass, Bps, InstrumentId, NANO, Order, OrderKind, Overflow, Price, Quantity, Refusal, Rule, Side,
    TradingStatus, Unit,
};
use tradegraph_ledger::{Hold, Ledger};
use tradegraph_market::Panel;

/// The state of the controls.
#[derive(Clone, Debug)]
pub struct Gate {
    limits: Limits,
    halted: bool,
    reduce_only: Vec<bool>,
    n_refused: u64,
}

/// What the worst case of an order costs.
struct WorstCase {
    price: Price,
    notional: i128,
    reduces: bool,
}

impl Gate {
    /// A gate for an account of `n_instruments`.
    #[must_use]
    pub fn new(limits: Limits, n_instruments: usize) -> Self {
        Gate { limits, halted: false, reduce_only: vec![false; n_instruments], n_refused: 0 }
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Stops every order but reductions and cancels, until a person lifts it.
    pub fn halt(&mut self) {
        self.halted = true;
    }

    /// A person lifts the halt.
    pub fn lift_halt(&mut self) {
        self.halted = false;
    }

    /// True while halted.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.halted
    }

    /// Lets only reductions of one instrument pass, or everything again.
    pub fn set_reduce_only(&mut self, i: InstrumentId, on: bool) {
        if let Some(flag) = self.reduce_only.get_mut(i.index()) {
            *flag = on;
        }
    }

    /// Orders refused so far.
    #[must_use]
    pub fn n_refused(&self) -> u64 {
        self.n_refused
    }

    /// Judges an order. A yes reserves what it may cost and move.
    ///
    /// # Errors
    /// The first rule that says no, with its limit and what was asked.
    #[inline]
    pub fn approve(&mut self, order: Order, panel: &Panel, books: &mut Ledger) -> Result<Approved<Order>, Refusal> {
        self.judge(order, panel, books, false).inspect_err(|_| self.n_refused = self.n_refused.saturating_add(1))
    }

    /// Judges an order that may only reduce a position. It passes while halted.
    ///
    /// # Errors
    /// As `approve`; `REDUCE_ONLY` if it could do anything but reduce.
    pub fn approve_reduction(
        &mut self,
        order: Order,
        panel: &Panel,
        books: &mut Ledger,
    ) -> Result<Approved<ReduceOnly>, Refusal> {
        let approved =
            self.judge(order, panel, books, true).inspect_err(|_| self.n_refused = self.n_refused.saturating_add(1))?;
        let (order, approval) = approved.into_parts();
        Ok(Approved::new(ReduceOnly(order), approval.hold))
    }

    /// Re-issues the approval of an order that was approved and not sent before a restart: for the same order, while
    /// its reservation still stands.
    ///
    /// # Errors
    /// `HALTED` while halted, `CASH` if the reservation is gone or is another one.
    pub fn readmit(&self, order: Order, approval: Approval, books: &Ledger) -> Result<Approved<Order>, Refusal> {
        if self.halted {
            return Err(refuse(Rule::Halted, 0, 1, Unit::Count));
        }
        let same = |h: &&Hold| h.instrument == order.instrument && h.side == order.side && h.quantity == order.quantity;
        match books.holds().get(approval.hold).filter(same) {
            Some(_) => Ok(Approved::new(order, approval.hold)),
            None => Err(refuse(Rule::Cash, 0, order.quantity.nano(), Unit::QuantityNano)),
        }
    }

    #[inline]
    fn judge(
        &mut self,
        order: Order,
        panel: &Panel,
        books: &mut Ledger,
        must_reduce: bool,
    ) -> Result<Approved<Order>, Refusal> {
        let limits = &self.limits;
        let i = order.instrument;
        let held = books.position(i);
        let (buying, selling) = (books.holds().buying(i), books.holds().selling(i));
        let worst = self.worst_case(&order, panel, books, held, buying, selling);
        let reduces = worst.as_ref().map_or(false, |w| w.reduces);
        if self.halted && !must_reduce {
            return Err(refuse(Rule::Halted, 0, 1, Unit::Count));
        }
        let only_reductions = must_reduce || self.reduce_only.get(i.index()).copied().unwrap_or(true);
        if only_reductions && !reduces {
            return Err(refuse(
                Rule::ReduceOnly,
                held.nano(),
                order.side.signed(order.quantity).nano(),
                Unit::QuantityNano,
            ));
        }
        let Some(instrument) = panel.universe().get(i) else {
            return Err(refuse(Rule::NotTradable, 0, i128::from(i.0), Unit::Count));
        };
        if instrument.status != TradingStatus::Active || instrument.class == AssetClass::Index {
            return Err(refuse(Rule::NotTradable, 0, i128::from(i.0), Unit::Count));
        }
        let Some((last, _)) = panel.last(i) else { return Err(refuse(Rule::NoPrice, 1, 0, Unit::Count)) };
        let lot_rest = order.quantity.lots(instrument.lot).map(|(_, rest)| rest);
        if order.quantity.signum() <= 0 || lot_rest != Ok(Quantity::ZERO) {
            return Err(refuse(Rule::Lot, instrument.lot.nano(), order.quantity.nano(), Unit::QuantityNano));
        }
        if let OrderKind::Limit(price) = order.kind {
            let tick = instrument.tick.nano();
            if tick > 0 && price.nano().checked_rem(tick) != Some(0) {
                return Err(refuse(Rule::Tick, i128::from(tick), i128::from(price.nano()), Unit::PriceNano));
            }
            if let Some(collar) = limits.collar {
                let side = if order.side == Side::Buy {
                    collar
                } else {
                    Bps::from_nano_fraction(collar.nano_fraction().saturating_neg())
                };
                let edge = last.shifted(side).map_err(|o| overflow(&o))?;
                let beyond = if order.side == Side::Buy { price > edge } else { price < edge };
                if beyond {
                    return Err(refuse(
                        Rule::Collar,
                        i128::from(edge.nano()),
                        i128::from(price.nano()),
                        Unit::PriceNano,
                    ));
                }
            }
        }
        let worst = worst.map_err(|o| overflow(&o))?;
        if let Some(limit) = limits.order_quantity.filter(|l| order.quantity > *l) {
            return Err(refuse(Rule::OrderQuantity, limit.nano(), order.quantity.nano(), Unit::QuantityNano));
        }
        let in_base = books.to_base(i, worst.notional);
        if let (Some(limit), Ok(notional)) = (limits.order_notional_nano, in_base)
            && notional > limit
        {
            return Err(refuse(Rule::OrderNotional, limit, notional, Unit::MoneyNano));
        }
        let open = books.holds().len();
        if let Some(limit) = limits.open_orders.filter(|l| open >= *l as usize) {
            return Err(refuse(Rule::OpenOrders, i128::from(limit), (open as i128).saturating_add(1), Unit::Count));
        }
        let mut exposure = 0;
        if !worst.reduces {
            exposure = self.check_exposure(&order, &worst, books, held, buying, selling)?;
        }
        let cash = self.cash_needed(&order, &worst).map_err(|o| overflow(&o))?;
        let free = books.free_cash(i);
        if cash > 0 && cash > free {
            return Err(refuse(Rule::Cash, free, cash, Unit::MoneyNano));
        }
        let hold = Hold {
            instrument: i,
            side: order.side,
            quantity: order.quantity,
            cash_nano: cash,
            exposure_nano: exposure,
        };
        let id = books.hold(hold).map_err(|_| overflow(&Overflow("reservation")))?;
        Ok(Approved::new(order, id))
    }

    /// The price at which the order is judged and whether it can only reduce.
    #[inline]
    fn worst_case(
        &self,
        order: &Order,
        panel: &Panel,
        _books: &Ledger,
        held: Quantity,
        buying: Quantity,
        selling: Quantity,
    ) -> Result<WorstCase, Overflow> {
        let last = panel.last(order.instrument).map_or(Price::ZERO, |(p, _)| p);
        let up = i128::from(self.limits.collar.unwrap_or_default().nano_fraction())
            .saturating_add(i128::from(self.limits.half_spread.nano_fraction()));
        let price = match (order.kind, order.side) {
            (OrderKind::Limit(p), _) => p,
            (OrderKind::Market, Side::Buy) if up != 0 => {
                last.shifted(Bps::from_nano_fraction(i64::try_from(up).unwrap_or(i64::MAX)))?
            }
            (OrderKind::Market, _) => last,
        };
        let notional = price.notional_nano(order.quantity)?.saturating_abs();
        // With every open order on the same side filled, what is left to close?
        let reduces = match order.side {
            Side::Sell => held.nano().saturating_sub(selling.nano()) >= order.quantity.nano(),
            Side::Buy => held.nano().saturating_add(buying.nano()).saturating_add(order.quantity.nano()) <= 0,
        };
        Ok(WorstCase { price, notional, reduces })
    }

    /// Position, short and gross rules; returns the notional by which the order may raise gross exposure, in base.
    #[inline]
    fn check_exposure(
        &self,
        order: &Order,
        worst: &WorstCase,
        books: &Ledger,
        held: Quantity,
        buying: Quantity,
        selling: Quantity,
    ) -> Result<i128, Refusal> {
        let limits = &self.limits;
        let i = order.instrument;
        // A missing NAV blocks what adds risk.
        let (Ok(nav), Ok(exposure)) = (books.nav(), books.to_base(i, worst.notional)) else {
            return Err(refuse(Rule::NoPrice, 1, 0, Unit::Count));
        };
        let worst_position = match order.side {
            Side::Buy => held.nano().saturating_add(buying.nano()).saturating_add(order.quantity.nano()),
            Side::Sell => held.nano().saturating_sub(selling.nano()).saturating_sub(order.quantity.nano()),
        };
        if let Some(limit) = limits.position_nano_nav {
            let value = worst
                .price
                .notional_nano(Quantity::from_nano(worst_position))
                .ok()
                .and_then(|v| books.to_base(i, v.saturating_abs()).ok())
                .ok_or_else(|| overflow(&Overflow("worst-case position")))?;
            within_nav(Rule::Position, limit, value, nav)?;
        }
        if !limits.allow_short && worst_position < 0 {
            return Err(refuse(Rule::Short, 0, worst_position, Unit::QuantityNano));
        }
        if let Some(limit) = limits.gross_nano_nav {
            let gross = books.gross_nano().saturating_add(books.holds().exposure()).saturating_add(exposure);
            within_nav(Rule::Gross, limit, gross, nav)?;
        }
        Ok(exposure)
    }

    /// Cash that the order may cost at its worst: a buy's notional and every order's fee beyond its proceeds.
    #[inline]
    fn cash_needed(&self, order: &Order, worst: &WorstCase) -> Result<i128, Overflow> {
        let fee = self.limits.commission.fee_nano(worst.notional, order.quantity)?;
        Ok(match order.side {
            Side::Buy => worst.notional.saturating_add(fee),
            Side::Sell => 0,
        })
    }

    /// Writes the latches canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.bool(self.halted);
        to.len(self.reduce_only.len());
        self.reduce_only.iter().for_each(|r| to.bool(*r));
        to.u64(self.n_refused);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes do not fit this account.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.halted = from.bool("halted")?;
        let (found, expected) = (from.len("latches")? as u64, self.reduce_only.len() as u64);
        if found != expected {
            return Err(DecodeError::Mismatch { what: "latches", found, expected });
        }
        for r in &mut self.reduce_only {
            *r = from.bool("reduce only")?;
        }
        self.n_refused = from.u64("refusals")?;
        Ok(())
    }
}

#[inline]
fn within_nav(rule: Rule, limit_nano: i64, value: i128, nav: i128) -> Result<(), Refusal> {
    // value ≤ limit × NAV, without a division on the way to yes.
    let left = value.checked_mul(i128::from(NANO)).ok_or_else(|| overflow(&Overflow("exposure")))?;
    let right = nav.checked_mul(i128::from(limit_nano)).ok_or_else(|| overflow(&Overflow("limit")))?;
    if left <= right {
        return Ok(());
    }
    let actual = left.checked_div(nav.max(1)).unwrap_or(i128::MAX);
    Err(refuse(rule, i128::from(limit_nano), actual, Unit::NavNano))
}

fn refuse(rule: Rule, limit: i128, actual: i128, unit: Unit) -> Refusal {
    Refusal { rule, limit, actual, unit }
}

#[cold]
fn overflow(_what: &Overflow) -> Refusal {
    refuse(Rule::Overflow, 0, 1, Unit::Count)
}

#[cfg(test)]
mod tests;
