//! `Gate`: the checks that every order passes, in the order of `Rule`. An approval reserves cash and quantity in the
//! ledger, so the next order is judged with this one filled.

mod exposure;

use crate::approval::{Approval, Approved, ReduceOnly};
use crate::breakers::{Action, Change, Trip, Watch};
use crate::limits::{AccountKind, Limits, SessionRule};
use crate::margin::DayTrades;
use crate::sums::Sums;
use crate::windows::{Passed, Windows};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{
    Bps, Commission, InstrumentId, NANO, Order, OrderKind, Overflow, Price, Quantity, Refusal, Rule, Side, TimeInForce,
    Timestamp, TradingStatus, Unit,
};
use tradegraph_ledger::{Hold, Ledger};
use tradegraph_market::Panel;

/// What may pass of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Latch {
    /// Everything.
    Open = 0,
    /// Only reductions.
    ReduceOnly = 1,
    /// Nothing: it no longer exists.
    Delisted = 2,
}

/// The state of the controls.
#[derive(Clone, Debug)]
pub struct Gate {
    limits: Limits,
    halted: bool,
    latches: Vec<Latch>,
    n_refused: u64,
    /// The time of the present event.
    now: Timestamp,
    /// Halted, or a breaker has tripped: what most orders need not look at.
    blocked: bool,
    watch: Watch,
    passed: Passed,
    day_trades: DayTrades,
    sums: Sums,
    /// Which parts of the limits are on.
    has: Parts,
}

/// Which parts of the limits are on: one that is off costs a look at a byte.
#[derive(Clone, Copy, Debug)]
struct Parts {
    sums: bool,
    windows: bool,
}

/// The prices that an order is judged by. Each errs toward the worse.
struct Prices {
    /// Per unit, the most that a buy pays or the least that a sale brings.
    cash: Price,
    /// The highest price at which it may trade before the gate sees another one.
    trade: Price,
    /// Notional at that price.
    notional_nano: i128,
    /// What a unit may be worth once it traded: a far limit does not make a position small.
    worth: Price,
}

impl Gate {
    /// A gate for an account of `n_instruments`.
    #[must_use]
    pub fn new(limits: Limits, n_instruments: usize) -> Self {
        let has = Parts { sums: limits.needs_sums(), windows: limits.windows != Windows::default() };
        Gate {
            limits,
            halted: false,
            latches: vec![Latch::Open; n_instruments],
            n_refused: 0,
            now: Timestamp::MIN,
            blocked: false,
            watch: Watch::default(),
            passed: Passed::default(),
            day_trades: DayTrades::default(),
            sums: Sums::default(),
            has,
        }
    }

    /// The time of the present event, by which windows, sessions, ages and dated rules are judged. Events come in order.
    #[inline]
    pub fn advance(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Stops every order but reductions and cancels, until a person lifts it.
    pub fn halt(&mut self) {
        self.halted = true;
        self.blocked = true;
    }

    /// A person lifts the halt and every tripped breaker, whose measures begin anew from the present. Latches of an
    /// instrument and delistings stay.
    pub fn lift_halt(&mut self) {
        self.halted = false;
        self.watch.lift();
        self.blocked = false;
    }

    /// True while a person or a breaker has halted trading: only orders sent as reductions pass.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.halted || self.watch.trips().any(|t| t.action == Action::Halt)
    }

    /// The tripped breakers, in order of precedence.
    pub fn trips(&self) -> impl Iterator<Item = &Trip> {
        self.watch.trips()
    }

    /// True if a breaker tripped or ended since the last call of `take_changes`.
    #[inline]
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.watch.has_changes()
    }

    /// Breakers that tripped or ended since the last call.
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.watch.take_changes()
    }

    /// True if a breaker looks at every row of bars, so that none may be passed over.
    #[inline]
    #[must_use]
    pub fn watches_bars(&self) -> bool {
        self.limits.breakers.watch_nav() || self.limits.breakers.stale_bars.is_some()
    }

    /// A UTC day begins; `nav` is the account's value at the end of the one before.
    pub fn begin_day(&mut self, nav: Option<i128>) {
        self.watch.new_day(&self.limits.breakers, self.now, nav);
        self.blocked = self.halted || self.watch.trips().next().is_some();
    }

    /// The account's value after a row of bars, for the breakers.
    pub fn observe(&mut self, nav: i128) {
        self.watch.value(&self.limits.breakers, self.now, nav);
        self.blocked |= self.watch.trips().next().is_some();
    }

    /// Looks at the age of every feed's last bar, for the breakers, before a decision.
    pub fn observe_data(&mut self, panel: &Panel) {
        self.watch.feeds(&self.limits.breakers, self.now, panel);
        self.blocked |= self.watch.trips().next().is_some();
    }

    /// The venue took or rejected an order, for the breakers.
    pub fn observe_answer(&mut self, rejected: bool) {
        self.watch.answer(&self.limits.breakers, self.now, rejected);
        self.blocked |= self.watch.trips().next().is_some();
    }

    /// A fill took the position of an instrument from `before` to `after`: day trades of margin accounts are counted.
    #[inline]
    pub fn observe_fill(&mut self, i: InstrumentId, before: Quantity, after: Quantity) {
        if self.limits.account == AccountKind::Margin {
            self.day_trades.fill(self.now.date(), i.0, before.nano(), after.nano());
        }
    }

    /// Lets only reductions of one instrument pass, or everything again.
    pub fn set_reduce_only(&mut self, i: InstrumentId, on: bool) {
        if let Some(latch) = self.latches.get_mut(i.index()).filter(|l| **l != Latch::Delisted) {
            *latch = if on { Latch::ReduceOnly } else { Latch::Open };
        }
    }

    /// True if at most reductions of an instrument pass: by its own latch, whatever the account's breakers say.
    #[must_use]
    pub fn is_reduce_only(&self, i: InstrumentId) -> bool {
        self.latches.get(i.index()) != Some(&Latch::Open)
    }

    /// What stops orders of the account that add risk, if anything does: a halt, then the breakers.
    pub(crate) fn stopped(&self) -> Option<Refusal> {
        if self.halted {
            return Some(refuse(Rule::Halted, 0, 1, Unit::Count));
        }
        self.watch.trips().next().map(|t| t.why)
    }

    /// The instrument no longer exists: no order of it passes any more.
    pub fn delist(&mut self, i: InstrumentId) {
        if let Some(latch) = self.latches.get_mut(i.index()) {
            *latch = Latch::Delisted;
        }
    }

    /// True if an instrument was delisted.
    #[must_use]
    pub fn is_delisted(&self, i: InstrumentId) -> bool {
        self.latches.get(i.index()) == Some(&Latch::Delisted)
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

    /// Judges a protective order that rests until the market comes to it. It may only reduce what no other open order
    /// reduces, passes while halted, and reserves cash but no units: its sender withdraws it before another order of its
    /// side is sent.
    ///
    /// # Errors
    /// As `approve_reduction`.
    pub fn approve_exit(
        &mut self,
        order: Order,
        panel: &Panel,
        books: &mut Ledger,
    ) -> Result<Approved<ReduceOnly>, Refusal> {
        let (reduction, approval) = self.approve_reduction(order, panel, books)?.into_parts();
        let held = books.holds().get(approval.hold).copied();
        books.release(approval.hold);
        let hold = held.map(|h| Hold { quantity: Quantity::ZERO, ..h }).ok_or_else(overflow)?;
        let id = books.hold(hold).map_err(|_| overflow())?;
        Ok(Approved::new(reduction, id))
    }

    /// Re-issues the approval of an order that was approved and not sent before a restart: for the same order, while
    /// its reservation still stands and covers it. A part that traded shrank the reservation, so an order that was
    /// sent and filled in part does not pass. That an unfilled order was not sent is the caller's to know, from the
    /// outbox.
    ///
    /// # Errors
    /// `HALTED` while halted, the code of a breaker that tripped, `REDUCE_ONLY` if the instrument was latched since and the order could add to a position,
    /// `CASH` if the reservation is gone, is another one or is too small.
    pub fn readmit(&self, order: Order, approval: Approval, books: &Ledger) -> Result<Approved<Order>, Refusal> {
        if self.halted {
            return Err(refuse(Rule::Halted, 0, 1, Unit::Count));
        }
        let same = |h: &&Hold| h.instrument == order.instrument && h.side == order.side && h.quantity == order.quantity;
        let Some(hold) = books.holds().get(approval.hold).filter(same) else {
            return Err(refuse(Rule::Cash, 0, order.quantity.nano(), Unit::QuantityNano));
        };
        // Its own reservation is among the open orders; without it the order is judged as at first.
        let room = closable(&order, books).saturating_add(order.quantity.nano());
        let adds = order.quantity.nano() > room;
        if let Some(trip) = self.watch.trips().find(|t| adds || t.action == Action::Halt) {
            return Err(trip.why);
        }
        if self.is_reduce_only(order.instrument) && adds {
            return Err(refuse(Rule::ReduceOnly, room.max(0), order.quantity.nano(), Unit::QuantityNano));
        }
        if let (Some(limit), Side::Buy) = (order.kind.limit(), order.side) {
            let notional = limit.notional_nano(order.quantity).map_err(|_| overflow())?.saturating_abs();
            let fee = self.limits.commission.fee_nano(notional, order.quantity).map_err(|_| overflow())?;
            let cash = notional.saturating_add(fee);
            if cash > hold.cash_nano {
                return Err(refuse(Rule::Cash, hold.cash_nano, cash, Unit::MoneyNano));
            }
        }
        Ok(Approved::new(order, approval.hold))
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
        if self.halted && !must_reduce {
            return Err(refuse(Rule::Halted, 0, 1, Unit::Count));
        }
        let room = closable(&order, books);
        let reduces = order.quantity.nano() <= room;
        if self.blocked {
            let stops = |t: &&Trip| if t.action == Action::Halt { !must_reduce || !reduces } else { !reduces };
            if let Some(trip) = self.watch.trips().find(stops) {
                return Err(trip.why);
            }
        }
        let latch = self.latches.get(i.index());
        if (must_reduce || latch == Some(&Latch::ReduceOnly)) && !reduces {
            return Err(refuse(Rule::ReduceOnly, room.max(0), order.quantity.nano(), Unit::QuantityNano));
        }
        let (Some(instrument), Some(Latch::Open | Latch::ReduceOnly)) = (panel.universe().get(i), latch) else {
            return Err(refuse(Rule::NotTradable, 0, i128::from(i.0), Unit::Count));
        };
        if instrument.status != TradingStatus::Active || !instrument.class.is_tradable() {
            return Err(refuse(Rule::NotTradable, 0, i128::from(i.0), Unit::Count));
        }
        self.check_session(&order)?;
        let Some((last, seen)) = panel.last(i) else { return Err(refuse(Rule::NoPrice, 1, 0, Unit::Count)) };
        if let Some(oldest) = limits.price_age {
            let age = self.now.0.saturating_sub(seen.0);
            if age > oldest.0 && !reduces {
                return Err(refuse(Rule::StalePrice, oldest.0.into(), age.into(), Unit::Nanos));
            }
        }
        let lot_rest = order.quantity.lots(instrument.lot).map(|(_, rest)| rest);
        if order.quantity.signum() <= 0 || lot_rest != Ok(Quantity::ZERO) {
            return Err(refuse(Rule::Lot, instrument.lot.nano(), order.quantity.nano(), Unit::QuantityNano));
        }
        if order.kind != OrderKind::Market {
            let tick = instrument.tick.nano();
            for price in [order.kind.stop(), order.kind.limit()].into_iter().flatten() {
                if tick > 0 && price.nano().checked_rem(tick) != Some(0) {
                    return Err(refuse(Rule::Tick, i128::from(tick), i128::from(price.nano()), Unit::PriceNano));
                }
            }
            // A stop is asleep until the market is there: its limit is judged from it.
            if let (Some(collar), Some(price)) = (limits.collar, order.kind.limit()) {
                let from = order.kind.stop().unwrap_or(last);
                let edge = worse(from, order.side, collar.nano_fraction()).map_err(|_| overflow())?;
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
        if let Some(limit) = limits.order_quantity.filter(|l| order.quantity > *l) {
            return Err(refuse(Rule::OrderQuantity, limit.nano(), order.quantity.nano(), Unit::QuantityNano));
        }
        let prices = self.prices(&order, last).map_err(|_| overflow())?;
        // Without a rate to the base currency only reductions get past the exposure check below.
        if let (Some(limit), Ok(notional)) = (limits.order_notional_nano, books.to_base(i, prices.notional_nano))
            && notional > limit
        {
            return Err(refuse(Rule::OrderNotional, limit, notional, Unit::MoneyNano));
        }
        if self.has.windows && !reduces {
            let notional = books.to_base(i, prices.notional_nano).unwrap_or_default();
            self.passed.check(&limits.windows, &order, notional, self.now)?;
        }
        let limits = &self.limits;
        let open = books.holds().len();
        if let Some(limit) = limits.open_orders.filter(|l| open >= *l as usize) {
            return Err(refuse(Rule::OpenOrders, i128::from(limit), (open as i128).saturating_add(1), Unit::Count));
        }
        let cash_nano = self.cash_needed(&order, &prices).map_err(|_| overflow())?;
        let (exposure_nano, without) =
            if reduces { (0, None) } else { self.check_exposure(&order, &prices, cash_nano, panel, books)? };
        let free = books.free_cash(i);
        if cash_nano > 0 && cash_nano > free {
            return Err(refuse(Rule::Cash, free, cash_nano, Unit::MoneyNano));
        }
        if self.limits.account == AccountKind::Cash && order.side == Side::Buy {
            let settled = books.settled_cash(i);
            if cash_nano > settled {
                return Err(refuse(Rule::SettledCash, settled, cash_nano, Unit::MoneyNano));
            }
        }
        let without = if self.has.sums { without.or_else(|| self.summed(i, panel, books)) } else { None };
        let hold = Hold { instrument: i, side: order.side, quantity: order.quantity, cash_nano, exposure_nano };
        let id = books.hold(hold).map_err(|_| overflow())?;
        if let Some(without) = without {
            self.carry(i, without, panel, books);
        }
        if self.has.windows {
            let notional = books.to_base(i, prices.notional_nano).unwrap_or_default();
            self.passed.note(&self.limits.windows, &order, notional, self.now);
        }
        Ok(Approved::new(order, id))
    }

    /// Refuses what cannot wait for its market's next open while it is shut.
    #[inline]
    fn check_session(&self, order: &Order) -> Result<(), Refusal> {
        let waits = !matches!((order.kind, order.tif), (OrderKind::Limit(_), TimeInForce::ImmediateOrCancel));
        match self.limits.session {
            SessionRule::Off => return Ok(()),
            SessionRule::Waiting if waits => return Ok(()),
            SessionRule::Waiting | SessionRule::OpenOnly => {}
        }
        let i = order.instrument;
        match self.limits.calendars.get(i.index()).copied().flatten() {
            Some(calendar) if !calendar.is_open(self.now) => {
                Err(refuse(Rule::Session, 0, i128::from(i.0), Unit::Count))
            }
            _ => Ok(()),
        }
    }

    #[inline]
    fn prices(&self, order: &Order, last: Price) -> Result<Prices, Overflow> {
        let collar = self.limits.collar.unwrap_or_default().nano_fraction();
        let beyond = collar.saturating_add(self.limits.half_spread.nano_fraction());
        let (cash, trade) = match (order.kind, order.side) {
            (OrderKind::Limit(p), Side::Buy) => (p, p),
            // An open beyond a sale's limit pays the open.
            (OrderKind::Limit(p), Side::Sell) => (p, larger(p, last)),
            (OrderKind::Market, Side::Buy) => {
                let worst = worse(last, Side::Buy, beyond)?;
                (worst, worst)
            }
            (OrderKind::Market, Side::Sell) => (worse(last, Side::Sell, beyond)?, last),
            // A stop trades at itself or beyond; one that the market has passed already, from the last price.
            (OrderKind::Stop(stop), Side::Buy) => {
                let worst = worse(stop.max(last), Side::Buy, beyond)?;
                (worst, worst)
            }
            (OrderKind::Stop(stop), Side::Sell) => (worse(stop.min(last), Side::Sell, beyond)?, larger(stop, last)),
            (OrderKind::StopLimit { limit, .. }, Side::Buy) => (limit, limit),
            (OrderKind::StopLimit { stop, limit }, Side::Sell) => (limit, larger(limit, larger(stop, last))),
        };
        let notional_nano = trade.notional_nano(order.quantity)?.saturating_abs();
        Ok(Prices { cash, trade, notional_nano, worth: larger(trade, last) })
    }

    /// Cash that the order may cost at its worst: a buy's notional and fee, a sale's fee beyond its proceeds.
    #[inline]
    fn cash_needed(&self, order: &Order, prices: &Prices) -> Result<i128, Overflow> {
        let commission = &self.limits.commission;
        // Most of a check's time is its divisions; without a commission there is none here.
        let free = *commission == Commission::default();
        let fee = if free { 0 } else { commission.fee_nano(prices.notional_nano, order.quantity)? };
        Ok(match order.side {
            Side::Buy => prices.notional_nano.saturating_add(fee),
            Side::Sell if fee == 0 && prices.cash.nano() >= 0 => 0,
            Side::Sell => fee.saturating_sub(prices.cash.notional_nano(order.quantity)?).max(0),
        })
    }

    /// Writes the latches, the breakers and what windows remember canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.bool(self.halted);
        to.len(self.latches.len());
        self.latches.iter().for_each(|l| to.u8(*l as u8));
        to.u64(self.n_refused);
        self.watch.save(to);
        self.passed.save(to);
        self.day_trades.save(to);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes do not fit this account.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.halted = from.bool("halted")?;
        let (found, expected) = (from.len("latches")? as u64, self.latches.len() as u64);
        if found != expected {
            return Err(DecodeError::Mismatch { what: "latches", found, expected });
        }
        for latch in &mut self.latches {
            *latch = match from.u8("latch")? {
                0 => Latch::Open,
                1 => Latch::ReduceOnly,
                2 => Latch::Delisted,
                other => return Err(DecodeError::Invalid { what: "latch", at: 0, found: u64::from(other) }),
            };
        }
        self.n_refused = from.u64("refusals")?;
        self.watch = Watch::load(from)?;
        self.passed = Passed::load(from)?;
        self.day_trades = DayTrades::load(from)?;
        self.blocked = self.halted || self.watch.trips().next().is_some();
        self.sums = Sums::default();
        Ok(())
    }
}

/// Units of the order's side that can only bring the position nearer to zero, with every open order of that side
/// filled; negative if the position is on the order's side.
#[inline]
fn closable(order: &Order, books: &Ledger) -> i128 {
    let (i, held) = (order.instrument, books.position(order.instrument).nano());
    match order.side {
        Side::Sell => held.saturating_sub(books.holds().selling(i).nano()),
        Side::Buy => held.saturating_add(books.holds().buying(i).nano()).saturating_neg(),
    }
}

/// A price moved against an order by a share of its size: up for a buy, down for a sale, also below zero.
#[inline]
fn worse(price: Price, side: Side, share_nano: i64) -> Result<Price, Overflow> {
    if share_nano == 0 {
        return Ok(price);
    }
    let away = (side == Side::Buy) == (price.nano() >= 0);
    price.shifted(Bps::from_nano_fraction(if away { share_nano } else { share_nano.saturating_neg() }))
}

#[inline]
fn larger(a: Price, b: Price) -> Price {
    if a.nano().unsigned_abs() >= b.nano().unsigned_abs() { a } else { b }
}

#[inline]
fn within_nav(rule: Rule, limit_nano: i64, value: i128, nav: i128) -> Result<(), Refusal> {
    // value ≤ limit × NAV, without a division on the way to yes.
    let left = value.checked_mul(i128::from(NANO)).ok_or_else(overflow)?;
    let right = nav.checked_mul(i128::from(limit_nano)).ok_or_else(overflow)?;
    if left <= right {
        return Ok(());
    }
    // Rounded up, so that what was asked never shows as the limit itself.
    let nav = nav.max(1);
    let actual = left.saturating_add(nav.saturating_sub(1)).checked_div(nav).unwrap_or(i128::MAX);
    Err(refuse(rule, i128::from(limit_nano), actual, Unit::NavNano))
}

fn refuse(rule: Rule, limit: i128, actual: i128, unit: Unit) -> Refusal {
    Refusal { rule, limit, actual, unit }
}

#[cold]
fn overflow() -> Refusal {
    refuse(Rule::Overflow, 0, 1, Unit::Count)
}

#[cfg(test)]
pub(crate) mod tests;
