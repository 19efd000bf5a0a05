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
//! - There is no market impact, no latency and no queue at this level; the report says so.

use crate::codec::{load_order, save_order};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{
    BarPeriod, Bps, CancelReason, Commission, Currency, Date, ExecId, Fill, InstrumentId, Lots, Order, OrderId,
    OrderKind, Overflow, Price, Quantity, RejectReason, Side, Split, TimeInForce, VenueReport, mul_div_half_even,
};
use tradegraph_ledger::{HoldId, Ledger};
use tradegraph_market::{Batch, Universe};

/// Bars whose mean volume limits participation at an open.
const VOLUME_BARS: usize = 20;

/// What trading costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Frictions {
    /// The broker's fee.
    pub commission: Commission,
    /// Half the spread, paid by market orders.
    pub half_spread: Bps,
    /// Largest share of volume that fills may take, at 1e-9; `None` for no limit.
    pub participation_nano: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Resting {
    order: Order,
    /// Zero once the order was taken out of the book.
    remaining: Quantity,
    hold: HoldId,
    /// UTC date of the first row in which the instrument traded since the order came: its session, for fixed bars.
    session: Option<Date>,
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
    /// The last `VOLUME_BARS` volumes of each instrument, and their sums; empty without a participation limit.
    volumes: Vec<[f64; VOLUME_BARS]>,
    n_volumes: Vec<u32>,
    /// Units that fills of the present moment took, by instrument; empty without a participation limit.
    taken: Vec<i128>,
    /// By currency, what fills of the present moment cost beyond their reservations: the books learn of it later.
    spent: Vec<(Currency, i128)>,
}

/// Where in a bar the exchange stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Open,
    Close,
}

/// The row that trades now.
struct Row<'a> {
    moment: Moment,
    batch: &'a Batch,
    row: usize,
    closes_only: bool,
    universe: &'a Universe,
    books: &'a Ledger,
}

impl Exchange {
    /// An exchange without orders.
    #[must_use]
    pub fn new(frictions: Frictions, n_instruments: usize) -> Self {
        let n = if frictions.participation_nano.is_some() { n_instruments } else { 0 };
        Exchange {
            frictions,
            n_instruments,
            resting: vec![],
            n_gone: 0,
            highest: OrderId::default(),
            in_order: true,
            last_exec: 0,
            volumes: vec![[0.0; VOLUME_BARS]; n],
            n_volumes: vec![0; n],
            taken: vec![0; n],
            spent: vec![],
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
        self.resting.is_empty() && self.volumes.is_empty()
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
        self.resting.push(Resting { order, remaining: order.quantity, hold, session: None });
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
        self.volumes.get_mut(i.index()).into_iter().flatten().for_each(|v| *v *= ratio);
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
            self.trade(&Row { moment: Moment::Open, batch, row, closes_only, universe, books }, reports);
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
            self.trade(&Row { moment: Moment::Close, batch, row, closes_only, universe, books }, reports);
        }
        self.note_volumes(batch, row);
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
        let interval = now.batch.interval(now.row);
        let day = interval.start.date();
        let session_ends = now.moment == Moment::Close
            && match now.batch.spec().period {
                BarPeriod::Session => true,
                BarPeriod::Fixed(_) => day != interval.end.date(),
            };
        // Lent out for the loop, which uses the rest of the exchange's state; its memory comes back.
        let mut resting = std::mem::take(&mut self.resting);
        resting.retain_mut(|r| !r.remaining.is_zero() && self.stays(r, now, day, session_ends, reports));
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
        let mut end = |reason| {
            reports.push(VenueReport::Cancelled(r.order.id, reason));
            false
        };
        if r.order.tif == TimeInForce::Day && *r.session.get_or_insert(day) != day {
            // The session's last bar did not touch midnight, so only this one shows that it is over.
            return end(CancelReason::EndOfSession);
        }
        let stays = match self.price(&r.order, price, now) {
            Some(Ok(price)) => self.fill(r, price, now, reports),
            Some(Err(_)) => return end(CancelReason::Cash),
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

    /// The price at which an order trades now, if it does; `first` is the row's open or close.
    #[inline]
    fn price(&self, order: &Order, first: Price, now: &Row<'_>) -> Option<Result<Price, Overflow>> {
        let i = order.instrument.index();
        let buy = order.side == Side::Buy;
        match (order.kind, now.moment) {
            (OrderKind::Market, Moment::Close) if !now.closes_only => None,
            (OrderKind::Market, _) => Some(self.with_spread(first, buy)),
            (OrderKind::Limit(limit), Moment::Open) => {
                let beyond = if buy { first < limit } else { first > limit };
                beyond.then_some(Ok(first))
            }
            (OrderKind::Limit(limit), Moment::Close) => {
                let extreme = match (now.closes_only, buy) {
                    (true, _) => first,
                    (false, true) => now.batch.low(now.row, i)?,
                    (false, false) => now.batch.high(now.row, i)?,
                };
                let through = if buy { extreme < limit } else { extreme > limit };
                through.then_some(Ok(limit))
            }
        }
    }

    #[inline]
    fn with_spread(&self, price: Price, buy: bool) -> Result<Price, Overflow> {
        let half = self.frictions.half_spread;
        if half == Bps::ZERO {
            return Ok(price);
        }
        // Against the order, also where prices are below zero.
        let up = buy == (price.nano() >= 0);
        price.shifted(if up { half } else { Bps::from_nano_fraction(half.nano_fraction().saturating_neg()) })
    }

    /// Trades what volume and cash allow; false if the order ended.
    #[inline]
    fn fill(&mut self, r: &mut Resting, price: Price, now: &Row<'_>, reports: &mut Vec<VenueReport>) -> bool {
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
        // The fee, and what cash falls by.
        let cost = |q: Quantity| {
            let notional = price.notional_nano(q)?;
            let fee = if free { 0 } else { commission.fee_nano(notional, q)? };
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
                    quantity = affordable(quantity, total, budget, lot, |q| cost(q).map(|(_, total)| total));
                    short_of = Some(CancelReason::Cash);
                    paid = if quantity.is_zero() { Ok((0, 0)) } else { cost(quantity) };
                }
            }
            Ok(_) => {}
            Err(_) => (quantity, short_of) = (Quantity::ZERO, Some(CancelReason::Cash)),
        }
        let (fee_nano, total) = paid.unwrap_or_default();
        if quantity.signum() > 0 {
            self.last_exec = self.last_exec.saturating_add(1);
            let exec = ExecId(self.last_exec);
            let (order, side) = (r.order.id, r.order.side);
            reports.push(VenueReport::Fill(Fill { exec, order, instrument: i, side, quantity, price, fee_nano }));
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
            Moment::Open => {
                let n = self.n_volumes.get(at).copied().unwrap_or_default().min(VOLUME_BARS as u32);
                let sum: f64 = self.volumes.get(at).map_or(0.0, |v| v.iter().sum());
                if n == 0 { 0.0 } else { sum / f64::from(n) }
            }
        };
        let lots = (volume * share / lot.to_f64()).floor();
        // 9e18 lots and more are no limit at all; the cast takes a volume that is no number for none.
        let lots = if lots >= 9.0e18 { i64::MAX } else { lots as i64 };
        let allowed = Lots(lots.max(0)).quantity(lot).map_or(i128::MAX, Quantity::nano);
        let taken = self.taken.get(at).copied().unwrap_or_default();
        Some(Quantity::from_nano(allowed.saturating_sub(taken).max(0)))
    }

    fn note_volumes(&mut self, batch: &Batch, row: usize) {
        for (i, (window, n)) in self.volumes.iter_mut().zip(&mut self.n_volumes).enumerate() {
            if let Some(volume) = batch.volume(row, i) {
                let at = *n as usize;
                if let Some(slot) = window.get_mut(at.checked_rem(VOLUME_BARS).unwrap_or_default()) {
                    *slot = volume;
                }
                *n = n.saturating_add(1);
            }
        }
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
        }
        for (v, n) in self.volumes.iter().zip(&self.n_volumes) {
            to.u32(*n);
            v.iter().for_each(|x| to.f64(*x));
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
            self.resting.push(Resting { order, remaining, hold, session: traded.then_some(day) });
        }
        for (v, n) in self.volumes.iter_mut().zip(&mut self.n_volumes) {
            *n = from.u32("volumes")?;
            for x in v {
                *x = from.f64("volume")?;
            }
        }
        Ok(())
    }
}

/// The largest whole number of lots, below `wanted`, whose cost is within the budget. `cost` is that of all of it.
#[cold]
fn affordable(
    wanted: Quantity,
    cost: i128,
    budget: i128,
    lot: Quantity,
    cost_of: impl Fn(Quantity) -> Result<i128, Overflow>,
) -> Quantity {
    if budget <= 0 || cost <= 0 {
        return Quantity::ZERO;
    }
    let lot = lot.nano().max(1);
    let fits = |lots: i128| cost_of(Quantity::from_nano(lots.saturating_mul(lot))).is_ok_and(|c| c <= budget);
    // Fees do not fall with size, so the proportional part is never too small; a fee per order can make it too large.
    let part = mul_div_half_even(wanted.nano(), budget, cost).unwrap_or_default().saturating_add(1);
    let most = part.min(wanted.nano()).checked_div(lot).unwrap_or_default();
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
