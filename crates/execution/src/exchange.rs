//! The simulated exchange at bar level. It is part of a back-test's state.
//!
//! What it assumes, and on which side it errs:
//! - Market orders fill at the next open of their instrument (series of closes: at the next close), half a spread
//!   worse. Real orders may fill better or worse inside the first seconds.
//! - Limit orders fill at their limit, only after the price traded *through* it: a touch is no fill, since the place
//!   in the queue is unknown. At an open beyond the limit they fill at the open.
//! - With a participation limit, the fills of an instrument at one moment take at most that share of volume together:
//!   of the mean of the last 20 bars at an open, because the bar's own volume is not known yet, and of the bar's own
//!   at its close.
//! - A buy that costs more than the account has fills in part, and the rest is cancelled. Sales of the same moment pay
//!   for nothing: their proceeds are there from the next one.
//! - An order lives by the rows in which its instrument has a bar: while its market is shut it waits, also a day order.
//! - A stop wakes when its instrument trades at it or beyond: at an open beyond it, it fills at that open; within a bar
//!   at the stop itself (a bar that lies beyond it as a whole fills at its close); of series of closes at the close
//!   that shows it. Half the spread and the impact come on top. Stops go before all other orders of a bar: of a stop
//!   and a target that one bar touches, the stop fills.
//! - A stop-limit becomes a limit order when it wakes and never fills better than its limit. In the bar that wakes it, it
//!   fills only if the bar also closes at the limit or better; else it waits.
//! - Costs are the models in `costs`. There is no latency and no queue at this level; the report says so.

use crate::codec::{load_order, save_order};
use crate::costs::{FillCosts, Frictions, Trailing};
use std::collections::VecDeque;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{
    BarPeriod, Billed, Bps, CancelReason, Commission, Currency, Date, ExecId, Fees, Fill, InstrumentId, Lots, Order,
    OrderId, OrderKind, Overflow, Price, Quantity, RejectReason, Schedule, Side, Split, TimeInForce, VenueReport,
    mul_div_half_even,
};
use tradegraph_ledger::{HoldId, Ledger};
use tradegraph_market::{Batch, Universe};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Resting {
    order: Order,
    /// Zero once the order was taken out of the book.
    remaining: Quantity,
    hold: HoldId,
    /// UTC date of the first row in which the instrument traded since the order came: its session, for fixed bars.
    session: Option<Date>,
    /// A stop that woke.
    awake: bool,
    /// What a schedule billed it for.
    billed: Billed,
}

/// The exchange's books.
#[derive(Clone, Debug)]
pub struct Exchange {
    frictions: Frictions,
    n_instruments: usize,
    /// In the order in which they came: the order in which they compete for cash and volume.
    resting: Vec<Resting>,
    /// Entries of `resting` that were taken out; they are swept in bulk, so that cancelling n orders costs n.
    n_gone: usize,
    /// Highest id of the book since it was last empty, and whether ids ascend: an order is then found by halving.
    highest: OrderId,
    in_order: bool,
    last_exec: u64,
    trailing: Trailing,
    /// Units that fills of the present moment took, by instrument; empty without participation and impact.
    taken: Vec<i128>,
    /// By currency, what fills of the present moment cost beyond their reservations: the books learn of it later.
    spent: Vec<(Currency, i128)>,
    /// The calendar month (12 × year + month) and the units that traded in it, for tiers by volume.
    month: (i32, Quantity),
    /// Costs of fills that were reported and not asked for yet.
    costs: VecDeque<(ExecId, FillCosts)>,
}

/// Where in a bar the exchange stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Open,
    Close,
}

/// At what an order trades now.
#[derive(Clone, Copy)]
struct Offer {
    /// Before spread and impact.
    base: Price,
    /// It takes what is offered, and pays spread and impact.
    takes: bool,
}

/// The row that trades now.
struct Row<'a> {
    moment: Moment,
    batch: &'a Batch,
    row: usize,
    day: Date,
    closes_only: bool,
    universe: &'a Universe,
    books: &'a Ledger,
}

impl Exchange {
    /// An exchange without orders.
    #[must_use]
    pub fn new(frictions: Frictions, n_instruments: usize) -> Self {
        let trailing = Trailing::new(&frictions, n_instruments);
        Exchange {
            frictions,
            n_instruments,
            resting: vec![],
            n_gone: 0,
            highest: OrderId::default(),
            in_order: true,
            last_exec: 0,
            taken: vec![0; trailing.len()],
            trailing,
            spent: vec![],
            month: (0, Quantity::ZERO),
            costs: VecDeque::new(),
        }
    }

    /// What trading costs here.
    #[must_use]
    pub fn frictions(&self) -> &Frictions {
        &self.frictions
    }

    /// True if an order waits in the book.
    #[inline]
    #[must_use]
    pub fn has_orders(&self) -> bool {
        self.resting.len() > self.n_gone
    }

    /// True if bars and opens change nothing here: no order rests and no volume is noted.
    #[inline]
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.resting.is_empty() && self.trailing.is_empty()
    }

    /// Receives an order and answers at once.
    #[inline]
    pub fn submit(&mut self, order: Order, hold: HoldId, reports: &mut Vec<VenueReport>) {
        let newest = self.resting.is_empty() || order.id > self.highest;
        let reject = if order.quantity.signum() <= 0 {
            Some(RejectReason::OutOfRange)
        } else if order.instrument.index() >= self.n_instruments {
            Some(RejectReason::NotTradable)
        } else if !newest && self.find(order.id).is_some() {
            Some(RejectReason::DuplicateId)
        } else {
            None
        };
        if let Some(reason) = reject {
            reports.push(VenueReport::Rejected(order.id, reason));
            return;
        }
        self.in_order &= newest;
        self.highest = if newest { order.id } else { self.highest };
        let (remaining, billed) = (order.quantity, Billed::default());
        self.resting.push(Resting { order, remaining, hold, session: None, awake: false, billed });
        reports.push(VenueReport::Accepted(order.id));
    }

    /// Takes an order out of the book. An order that is not there answers nothing: it ended before.
    pub fn cancel(&mut self, id: OrderId, reports: &mut Vec<VenueReport>) {
        if let Some(r) = self.find(id).and_then(|at| self.resting.get_mut(at)) {
            r.remaining = Quantity::ZERO;
            self.n_gone = self.n_gone.saturating_add(1);
            reports.push(VenueReport::Cancelled(id, CancelReason::Requested));
            self.sweep();
        }
    }

    /// A split of an instrument: its orders in its new units, and the volumes of its last bars. An order of which less
    /// than a lot is left is cancelled.
    ///
    /// # Errors
    /// `Overflow` if a number does not fit; nothing is changed.
    pub fn split(
        &mut self,
        i: InstrumentId,
        split: Split,
        lot: Quantity,
        tick: Price,
        reports: &mut Vec<VenueReport>,
    ) -> Result<(), Overflow> {
        let mut after = Vec::new();
        for (at, r) in self.resting.iter().enumerate() {
            if r.order.instrument == i && !r.remaining.is_zero() {
                let (order, filled) = r.order.split(r.order.quantity.checked_sub(r.remaining)?, split, lot, tick)?;
                after.push((at, Resting { order, remaining: order.quantity.checked_sub(filled)?, ..*r }));
            }
        }
        for (at, new) in after {
            if new.remaining.is_zero() {
                self.n_gone = self.n_gone.saturating_add(1);
                reports.push(VenueReport::Cancelled(new.order.id, CancelReason::Split));
            }
            if let Some(slot) = self.resting.get_mut(at) {
                *slot = new;
            }
        }
        self.sweep();
        let ratio = f64::from(split.new) / f64::from(split.old);
        self.trailing.split(i.index(), ratio);
        Ok(())
    }

    /// The end of an instrument: its orders are cancelled.
    pub fn delist(&mut self, i: InstrumentId, reports: &mut Vec<VenueReport>) {
        for r in self.resting.iter_mut().filter(|r| r.order.instrument == i && !r.remaining.is_zero()) {
            r.remaining = Quantity::ZERO;
            self.n_gone = self.n_gone.saturating_add(1);
            reports.push(VenueReport::Cancelled(r.order.id, CancelReason::Delisted));
        }
        self.sweep();
    }

    fn find(&self, id: OrderId) -> Option<usize> {
        let waits = |r: &Resting| !r.remaining.is_zero();
        if self.in_order {
            let at = self.resting.binary_search_by(|r| r.order.id.cmp(&id)).ok()?;
            return self.resting.get(at).is_some_and(waits).then_some(at);
        }
        self.resting.iter().position(|r| r.order.id == id && waits(r))
    }

    /// Drops the orders that were taken out, once they are more than half.
    fn sweep(&mut self) {
        if self.n_gone.saturating_mul(2) > self.resting.len() {
            self.resting.retain(|r| !r.remaining.is_zero());
            self.swept();
        }
    }

    fn swept(&mut self) {
        self.n_gone = 0;
        self.in_order |= self.resting.is_empty();
    }

    /// The opens of a row: market orders trade, and limits that the open is beyond.
    #[inline]
    pub fn on_open(
        &mut self,
        batch: &Batch,
        row: usize,
        universe: &Universe,
        books: &Ledger,
        reports: &mut Vec<VenueReport>,
    ) {
        if !self.resting.is_empty() {
            let closes_only = !batch.spec().has_open;
            let day = batch.interval(row).start.date();
            self.trade(&Row { moment: Moment::Open, batch, row, day, closes_only, universe, books }, reports);
        }
    }

    /// Complete bars of a row: limits that were traded through, orders of series without opens, the session's end.
    #[inline]
    pub fn on_bars(
        &mut self,
        batch: &Batch,
        row: usize,
        universe: &Universe,
        books: &Ledger,
        reports: &mut Vec<VenueReport>,
    ) {
        if !self.resting.is_empty() {
            let closes_only = !batch.spec().has_open;
            let day = batch.interval(row).start.date();
            self.trade(&Row { moment: Moment::Close, batch, row, day, closes_only, universe, books }, reports);
        }
        self.trailing.note(batch, row);
    }

    fn trade(&mut self, now: &Row<'_>, reports: &mut Vec<VenueReport>) {
        self.spent.clear();
        if !self.taken.is_empty() {
            for r in &self.resting {
                if let Some(units) = self.taken.get_mut(r.order.instrument.index()) {
                    *units = 0;
                }
            }
        }
        let (interval, day) = (now.batch.interval(now.row), now.day);
        let session_ends = now.moment == Moment::Close
            && match now.batch.spec().period {
                BarPeriod::Session => true,
                BarPeriod::Fixed(_) => day != interval.end.date(),
            };
        // Lent out for the loop, which uses the rest of the exchange's state; its memory comes back.
        let mut resting = std::mem::take(&mut self.resting);
        let is_stop = |r: &Resting| r.order.kind.stop().is_some();
        let stops = now.moment == Moment::Close && resting.len() > 1 && resting.iter().any(is_stop);
        if stops {
            resting.retain_mut(|r| {
                !r.remaining.is_zero() && (!is_stop(r) || self.stays(r, now, day, session_ends, reports))
            });
        }
        resting.retain_mut(|r| {
            !r.remaining.is_zero() && ((stops && is_stop(r)) || self.stays(r, now, day, session_ends, reports))
        });
        self.resting = resting;
        self.swept();
    }

    /// What the row does to one order; false if it ended.
    #[inline]
    fn stays(
        &mut self,
        r: &mut Resting,
        now: &Row<'_>,
        day: Date,
        session_ends: bool,
        reports: &mut Vec<VenueReport>,
    ) -> bool {
        let i = r.order.instrument.index();
        let price = match now.moment {
            Moment::Open => now.batch.open(now.row, i),
            Moment::Close => now.batch.close(now.row, i),
        };
        let Some(price) = price else { return true };
        let id = r.order.id;
        let mut end = |reason| {
            reports.push(VenueReport::Cancelled(id, reason));
            false
        };
        if r.order.tif == TimeInForce::Day && *r.session.get_or_insert(day) != day {
            // The session's last bar did not touch midnight, so only this one shows that it is over.
            return end(CancelReason::EndOfSession);
        }
        let stays = match offer(r, price, now) {
            Some(at) => self.fill(r, at, now, reports),
            None if r.order.tif == TimeInForce::ImmediateOrCancel && r.order.kind != OrderKind::Market => {
                return end(CancelReason::ImmediateOrCancel);
            }
            None => true,
        };
        if stays && session_ends && r.order.tif == TimeInForce::Day {
            reports.push(VenueReport::Cancelled(r.order.id, CancelReason::EndOfSession));
            return false;
        }
        stays
    }

    /// The price of `quantity` units: with half a spread and the impact of all that was taken at this moment, if the
    /// order takes.
    #[inline]
    fn price(&self, i: InstrumentId, at: Offer, buy: bool, quantity: Quantity) -> Result<Price, Overflow> {
        let half = self.frictions.half_spread;
        if !at.takes || (half == Bps::ZERO && self.frictions.impact_nano.is_none()) {
            return Ok(at.base);
        }
        let impact = self.frictions.impact_nano.map_or(0, |factor| {
            let taken = self.taken.get(i.index()).copied().unwrap_or_default();
            let units = Quantity::from_nano(taken.saturating_add(quantity.nano())).to_f64();
            self.trailing.impact_nano(factor, i.index(), units)
        });
        against(at.base, half.nano_fraction().saturating_add(impact), buy)
    }

    /// Trades what volume and cash allow; false if the order ended.
    #[inline]
    fn fill(&mut self, r: &mut Resting, at: Offer, now: &Row<'_>, reports: &mut Vec<VenueReport>) -> bool {
        let i = r.order.instrument;
        let (lot, currency) =
            now.universe.get(i).map_or((Quantity::from_nano(1), now.books.base()), |x| (x.lot, x.currency));
        let buy = r.order.side == Side::Buy;
        let mut quantity = r.remaining;
        let mut short_of = None;
        if let Some(allowed) = self.participation(i, now, lot)
            && allowed < quantity
        {
            (quantity, short_of) = (allowed, Some(CancelReason::Participation));
        }
        let commission = self.frictions.commission;
        let free = commission == Commission::default();
        let (month, steep) = (self.month_of(now.day), self.frictions.impact_nano.is_some());
        // The fee, and what cash falls by.
        let cost = |q: Quantity| {
            let notional = self.price(i, at, buy, q)?.notional_nano(q)?;
            let fee = match commission.schedule {
                None if free => 0,
                None => commission.fee_nano(notional, q)?,
                Some(s) => {
                    s.fees(r.order.side, notional.saturating_abs(), q, now.day, month.1, r.billed)?.0.total_nano()?
                }
            };
            Ok::<_, Overflow>((fee, if buy { notional } else { notional.saturating_neg() }.saturating_add(fee)))
        };
        let own = now.books.holds().get(r.hold).copied();
        let own_cash = own.map_or(0, |h| h.cash_nano);
        // An order that volume does not let trade costs nothing; a minimum fee would say otherwise.
        let mut paid = if quantity.is_zero() { Ok((0, 0)) } else { cost(quantity) };
        match paid {
            Ok((_, total)) if buy && total > 0 => {
                // Its own reservation and what nobody reserved.
                let free = now.books.free_cash(i).saturating_add(own_cash);
                let budget = free.saturating_sub(self.spent(currency));
                if total > budget {
                    quantity = affordable(quantity, total, budget, lot, steep, |q| cost(q).map(|(_, total)| total));
                    short_of = Some(CancelReason::Cash);
                    paid = if quantity.is_zero() { Ok((0, 0)) } else { cost(quantity) };
                }
            }
            Ok(_) => {}
            Err(_) => (quantity, short_of) = (Quantity::ZERO, Some(CancelReason::Cash)),
        }
        let (fee_nano, total) = paid.unwrap_or_default();
        let price = self.price(i, at, buy, quantity).unwrap_or(at.base);
        if quantity.signum() > 0 {
            self.last_exec = self.last_exec.saturating_add(1);
            let exec = ExecId(self.last_exec);
            let (order, side) = (r.order.id, r.order.side);
            reports.push(VenueReport::Fill(Fill { exec, order, instrument: i, side, quantity, price, fee_nano }));
            if self.frictions.itemises() {
                let fill = Fill { exec, order, instrument: i, side, quantity, price, fee_nano };
                self.itemise(r, &fill, at, now.day, month);
            }
            r.remaining = Quantity::from_nano(r.remaining.nano().saturating_sub(quantity.nano()));
            if let Some(units) = self.taken.get_mut(i.index()) {
                *units = units.saturating_add(quantity.nano());
            }
        }
        let filled = r.remaining.is_zero();
        let stays =
            !filled && short_of == Some(CancelReason::Participation) && r.order.tif != TimeInForce::ImmediateOrCancel;
        if !filled && !stays {
            reports.push(VenueReport::Cancelled(r.order.id, short_of.unwrap_or(CancelReason::ImmediateOrCancel)));
        }
        // What the order still reserves is not free for those behind it.
        let freed = match own {
            Some(h) if stays => mul_div_half_even(h.cash_nano, quantity.nano(), h.quantity.nano()).unwrap_or_default(),
            _ => own_cash,
        };
        self.spend(currency, total.max(0).saturating_sub(freed));
        stays
    }

    #[inline]
    fn spent(&self, currency: Currency) -> i128 {
        self.spent.iter().find(|(c, _)| *c == currency).map_or(0, |(_, sum)| *sum)
    }

    #[inline]
    fn spend(&mut self, currency: Currency, nano: i128) {
        match self.spent.iter_mut().find(|(c, _)| *c == currency) {
            Some((_, sum)) => *sum = sum.saturating_add(nano),
            None => self.spent.push((currency, nano)),
        }
    }

    /// Units that the participation limit allows now, after those that were taken; `None` without a limit.
    #[inline]
    fn participation(&self, i: InstrumentId, now: &Row<'_>, lot: Quantity) -> Option<Quantity> {
        let share = self.frictions.participation_nano? as f64 / 1e9;
        let at = i.index();
        let volume = match now.moment {
            Moment::Close => now.batch.volume(now.row, at).unwrap_or_default(),
            Moment::Open => self.trailing.volume(at),
        };
        let lots = (volume * share / lot.to_f64()).floor();
        // 9e18 lots and more are no limit at all; the cast takes a volume that is no number for none.
        let lots = if lots >= 9.0e18 { i64::MAX } else { lots as i64 };
        let allowed = Lots(lots.max(0)).quantity(lot).map_or(i128::MAX, Quantity::nano);
        let taken = self.taken.get(at).copied().unwrap_or_default();
        Some(Quantity::from_nano(allowed.saturating_sub(taken).max(0)))
    }

    /// The month of a day and the units that traded in it; nothing without tiers.
    #[inline]
    fn month_of(&self, day: Date) -> (i32, Quantity) {
        if !self.frictions.commission.schedule.is_some_and(Schedule::is_tiered) {
            return self.month;
        }
        let (year, month, _) = day.ymd();
        let key = year.saturating_mul(12).saturating_add(i32::try_from(month).unwrap_or_default());
        if key == self.month.0 { self.month } else { (key, Quantity::ZERO) }
    }

    /// Puts a fill on its order's bill and notes what it cost by kind.
    fn itemise(&mut self, r: &mut Resting, fill: &Fill, at: Offer, day: Date, month: (i32, Quantity)) {
        let (side, quantity) = (fill.side, fill.quantity);
        let mut fees = Fees { commission_nano: fill.fee_nano, regulatory_nano: 0 };
        let notional = |p: Price| p.notional_nano(quantity).unwrap_or_default();
        if let Some(schedule) = self.frictions.commission.schedule {
            // The same sums gave the fill its fee, so they fit.
            let bill = schedule.fees(side, notional(fill.price).saturating_abs(), quantity, day, month.1, r.billed);
            (fees, r.billed) = bill.unwrap_or((fees, r.billed));
            if schedule.is_tiered() {
                let units = month.1.nano().saturating_add(quantity.nano());
                self.month = (month.0, Quantity::from_nano(units));
            }
        }
        let half = self.frictions.half_spread.nano_fraction();
        let quoted = if at.takes { against(at.base, half, side == Side::Buy).unwrap_or(at.base) } else { at.base };
        let apart = |a: Price, b: Price| notional(a).saturating_sub(notional(b)).saturating_abs();
        let costs = FillCosts {
            commission_nano: fees.commission_nano,
            regulatory_nano: fees.regulatory_nano,
            spread_nano: apart(quoted, at.base),
            impact_nano: apart(fill.price, quoted),
        };
        self.costs.push_back((fill.exec, costs));
    }

    /// What a fill cost by kind, once; `None` where frictions do not itemise.
    #[inline]
    pub fn take_costs(&mut self, exec: ExecId) -> Option<FillCosts> {
        while let Some((id, costs)) = self.costs.pop_front() {
            if id == exec {
                return Some(costs);
            }
        }
        None
    }

    fn bills(&self) -> bool {
        self.frictions.commission.schedule.is_some()
    }

    /// Writes the exchange's books canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.u64(self.last_exec);
        to.len(self.resting.len().saturating_sub(self.n_gone));
        for r in self.resting.iter().filter(|r| !r.remaining.is_zero()) {
            save_order(to, &r.order);
            to.i128(r.remaining.nano());
            to.u32(r.hold.number());
            to.bool(r.session.is_some());
            to.i32(r.session.map_or(0, |day| day.0));
            if r.order.kind.stop().is_some() {
                to.bool(r.awake);
            }
            if self.bills() {
                [r.billed.raw_nano, r.billed.own_nano, r.billed.notional_nano].into_iter().for_each(|n| to.i128(n));
            }
        }
        self.trailing.save(to);
        if self.bills() {
            to.i32(self.month.0);
            to.i128(self.month.1.nano());
        }
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.last_exec = from.u64("executions")?;
        self.resting.clear();
        (self.n_gone, self.in_order) = (0, true);
        for _ in 0..from.len("resting orders")? {
            let order = load_order(from)?;
            let remaining = Quantity::from_nano(from.i128("remaining quantity")?);
            let hold = HoldId::from_number(from.u32("hold")?);
            let traded = from.bool("session")?;
            let day = Date(from.i32("session")?);
            if remaining.signum() <= 0 || remaining > order.quantity || order.instrument.index() >= self.n_instruments {
                return Err(DecodeError::Invalid { what: "resting order", at: 0, found: order.id.0 });
            }
            self.in_order &= self.resting.is_empty() || order.id > self.highest;
            self.highest = if self.resting.is_empty() { order.id } else { self.highest.max(order.id) };
            let awake = order.kind.stop().is_some() && from.bool("stop that woke")?;
            let mut billed = Billed::default();
            if self.bills() {
                let mut n = || from.i128("bill of an order");
                billed = Billed { raw_nano: n()?, own_nano: n()?, notional_nano: n()? };
            }
            self.resting.push(Resting { order, remaining, hold, session: traded.then_some(day), awake, billed });
        }
        self.trailing.load(from)?;
        if self.bills() {
            self.month = (from.i32("month")?, Quantity::from_nano(from.i128("units of the month")?));
        }
        Ok(())
    }
}

/// What the row offers an order, if it trades; `first` is the row's open or close. Wakes a stop.
#[inline]
fn offer(r: &mut Resting, first: Price, now: &Row<'_>) -> Option<Offer> {
    let buy = r.order.side == Side::Buy;
    let taking = |base| Some(Offer { base, takes: true });
    let resting = |base| Some(Offer { base, takes: false });
    match (r.order.kind, now.moment) {
        (OrderKind::Market, Moment::Close) if !now.closes_only => None,
        (OrderKind::Market, _) => taking(first),
        (OrderKind::Limit(limit), _) => limit_price(limit, r, first, now).and_then(resting),
        (OrderKind::Stop(_), Moment::Close) if r.awake && !now.closes_only => None,
        (OrderKind::Stop(_), _) if r.awake => taking(first),
        // Never better than its limit: what an open would give more is not counted on.
        (OrderKind::StopLimit { limit, .. }, _) if r.awake => limit_price(limit, r, first, now).and(resting(limit)),
        (OrderKind::Stop(stop) | OrderKind::StopLimit { stop, .. }, _) => {
            let at = waking_price(stop, r, first, now)?;
            r.awake = true;
            match r.order.kind.limit() {
                None => taking(at),
                Some(limit) if (buy && first <= limit) || (!buy && first >= limit) => resting(limit),
                Some(_) => None,
            }
        }
    }
}

/// The price of a limit order that trades now.
#[inline]
fn limit_price(limit: Price, r: &Resting, first: Price, now: &Row<'_>) -> Option<Price> {
    let (i, buy) = (r.order.instrument.index(), r.order.side == Side::Buy);
    match now.moment {
        Moment::Open => {
            let beyond = if buy { first < limit } else { first > limit };
            beyond.then_some(first)
        }
        Moment::Close => {
            let extreme = match (now.closes_only, buy) {
                (true, _) => first,
                (false, true) => now.batch.low(now.row, i)?,
                (false, false) => now.batch.high(now.row, i)?,
            };
            let through = if buy { extreme < limit } else { extreme > limit };
            through.then_some(limit)
        }
    }
}

/// The price at which a stop wakes now.
#[inline]
fn waking_price(stop: Price, r: &Resting, first: Price, now: &Row<'_>) -> Option<Price> {
    let (i, buy) = (r.order.instrument.index(), r.order.side == Side::Buy);
    let touches = |p: Price| if buy { p >= stop } else { p <= stop };
    if now.moment == Moment::Open || now.closes_only {
        return touches(first).then_some(first);
    }
    let (low, high) = (now.batch.low(now.row, i)?, now.batch.high(now.row, i)?);
    let (near, far) = if buy { (low, high) } else { (high, low) };
    // A bar beyond the stop as a whole never traded at it.
    touches(far).then_some(if touches(near) { first } else { stop })
}

/// A price moved against an order by a share at 1e-9, also where prices are below zero.
#[inline]
fn against(price: Price, share_nano: i64, buy: bool) -> Result<Price, Overflow> {
    let up = buy == (price.nano() >= 0);
    price.shifted(Bps::from_nano_fraction(if up { share_nano } else { share_nano.saturating_neg() }))
}

/// The largest whole number of lots, below `wanted`, whose cost is within the budget. `cost` is that of all of it; `steep`
/// if it may grow faster than the quantity.
#[cold]
fn affordable(
    wanted: Quantity,
    cost: i128,
    budget: i128,
    lot: Quantity,
    steep: bool,
    cost_of: impl Fn(Quantity) -> Result<i128, Overflow>,
) -> Quantity {
    if budget <= 0 || cost <= 0 {
        return Quantity::ZERO;
    }
    let lot = lot.nano().max(1);
    let fits = |lots: i128| cost_of(Quantity::from_nano(lots.saturating_mul(lot))).is_ok_and(|c| c <= budget);
    // Fees do not fall with size, so the proportional part is never too small; a fee per order can make it too large.
    let part = mul_div_half_even(wanted.nano(), budget, cost).unwrap_or_default().saturating_add(1);
    let most = if steep { wanted.nano() } else { part.min(wanted.nano()) };
    let most = most.checked_div(lot).unwrap_or_default();
    let (mut fit, mut not) = (0, most.saturating_add(1));
    for guess in [most, most.saturating_sub(1)] {
        if guess > 0 && not == guess.saturating_add(1) {
            if fits(guess) {
                fit = guess;
            } else {
                not = guess;
            }
        }
    }
    while fit.saturating_add(1) < not {
        let middle = fit.saturating_add(not.saturating_sub(fit).checked_div(2).unwrap_or_default());
        if fits(middle) {
            fit = middle;
        } else {
            not = middle;
        }
    }
    Quantity::from_nano(fit.saturating_mul(lot))
}

#[cfg(test)]
mod tests;
