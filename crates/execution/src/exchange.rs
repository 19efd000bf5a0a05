//! The simulated exchange at bar level. It is part of a back-test's state.
//!
//! What it assumes, and on which side it errs:
//! - Market orders fill at the next open of their instrument (series of closes: at the next close), half a spread
//!   worse. Real orders may fill better or worse inside the first seconds.
//! - Limit orders fill at their limit, only after the price traded *through* it: a touch is no fill, since the place
//!   in the queue is unknown. At an open beyond the limit they fill at the open.
//! - With a participation limit, a fill takes at most that share of volume: of the mean of the last 20 bars at an
//!   open, because the bar's own volume is not known yet, and of the bar's own at its close.
//! - A buy that costs more than the account has fills in part, and the rest is cancelled.
//! - There is no market impact, no latency and no queue at this level; the report says so.

use crate::codec::{load_order, save_order};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{
    BarPeriod, Bps, CancelReason, Commission, ExecId, Fill, Order, OrderId, OrderKind, Overflow, Price, Quantity,
    RejectReason, Side, TimeInForce, VenueReport, mul_div_half_even,
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
    remaining: Quantity,
    hold: HoldId,
}

/// The exchange's books.
#[derive(Clone, Debug)]
pub struct Exchange {
    frictions: Frictions,
    resting: Vec<Resting>,
    n_limits: usize,
    last_exec: u64,
    /// The last `VOLUME_BARS` volumes of each instrument, and their sums; empty without a participation limit.
    volumes: Vec<[f64; VOLUME_BARS]>,
    n_volumes: Vec<u32>,
}

/// Where in a bar the exchange stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Open,
    Close,
}

impl Exchange {
    /// An exchange without orders.
    #[must_use]
    pub fn new(frictions: Frictions, n_instruments: usize) -> Self {
        let n = if frictions.participation_nano.is_some() { n_instruments } else { 0 };
        Exchange {
            frictions,
            resting: vec![],
            n_limits: 0,
            last_exec: 0,
            volumes: vec![[0.0; VOLUME_BARS]; n],
            n_volumes: vec![0; n],
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
        !self.resting.is_empty()
    }

    /// Receives an order and answers at once.
    #[inline]
    pub fn submit(&mut self, order: Order, hold: HoldId, reports: &mut Vec<VenueReport>) {
        if order.quantity.signum() <= 0 {
            reports.push(VenueReport::Rejected(order.id, RejectReason::OutOfRange));
            return;
        }
        self.n_limits = self.n_limits.saturating_add(usize::from(order.kind != OrderKind::Market));
        self.resting.push(Resting { order, remaining: order.quantity, hold });
        reports.push(VenueReport::Accepted(order.id));
    }

    /// Takes an order out of the book. An order that is not there answers nothing: it ended before.
    pub fn cancel(&mut self, id: OrderId, reports: &mut Vec<VenueReport>) {
        if let Some(at) = self.resting.iter().position(|r| r.order.id == id) {
            let r = self.resting.remove(at);
            self.n_limits = self.n_limits.saturating_sub(usize::from(r.order.kind != OrderKind::Market));
            reports.push(VenueReport::Cancelled(id, CancelReason::Requested));
        }
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
            self.trade(Moment::Open, batch, row, universe, books, reports);
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
        let closes_only = !batch.spec().has_open;
        if !self.resting.is_empty() && (closes_only || self.n_limits > 0) {
            self.trade(Moment::Close, batch, row, universe, books, reports);
            self.end_session(batch, row, reports);
        }
        self.note_volumes(batch, row);
    }

    fn trade(
        &mut self,
        moment: Moment,
        batch: &Batch,
        row: usize,
        universe: &Universe,
        books: &Ledger,
        reports: &mut Vec<VenueReport>,
    ) {
        // The books learn of these fills after this loop, so what they spend is counted here.
        let mut spent = 0_i128;
        let mut kept = 0;
        for at in 0..self.resting.len() {
            let Some(mut r) = self.resting.get(at).copied() else { break };
            let ended = match self.price(&r, moment, batch, row) {
                None => false,
                Some(Err(_)) => {
                    reports.push(VenueReport::Cancelled(r.order.id, CancelReason::Cash));
                    true
                }
                Some(Ok(price)) => self.fill(&mut r, price, moment, batch, row, universe, books, &mut spent, reports),
            };
            if ended {
                self.n_limits = self.n_limits.saturating_sub(usize::from(r.order.kind != OrderKind::Market));
            } else {
                if let Some(slot) = self.resting.get_mut(kept) {
                    *slot = r;
                }
                kept = kept.saturating_add(1);
            }
        }
        self.resting.truncate(kept);
    }

    /// The price at which an order trades now, if it does.
    #[inline]
    fn price(&self, r: &Resting, moment: Moment, batch: &Batch, row: usize) -> Option<Result<Price, Overflow>> {
        let i = r.order.instrument.index();
        let closes_only = !batch.spec().has_open;
        let buy = r.order.side == Side::Buy;
        match (r.order.kind, moment) {
            (OrderKind::Market, Moment::Open) => batch.open(row, i).map(|p| self.with_spread(p, buy)),
            (OrderKind::Market, Moment::Close) if closes_only => batch.close(row, i).map(|p| self.with_spread(p, buy)),
            (OrderKind::Market, Moment::Close) => None,
            (OrderKind::Limit(limit), Moment::Open) => {
                let open = batch.open(row, i)?;
                let beyond = if buy { open < limit } else { open > limit };
                beyond.then_some(Ok(open))
            }
            (OrderKind::Limit(limit), Moment::Close) => {
                let extreme = match (closes_only, buy) {
                    (true, _) => batch.close(row, i)?,
                    (false, true) => batch.low(row, i)?,
                    (false, false) => batch.high(row, i)?,
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
        let signed = half.nano_fraction();
        price.shifted(Bps::from_nano_fraction(if buy { signed } else { signed.saturating_neg() }))
    }

    /// Trades what volume and cash allow; true if the order ended.
    #[allow(clippy::too_many_arguments, reason = "the loop's own state")]
    #[inline]
    fn fill(
        &mut self,
        r: &mut Resting,
        price: Price,
        moment: Moment,
        batch: &Batch,
        row: usize,
        universe: &Universe,
        books: &Ledger,
        spent: &mut i128,
        reports: &mut Vec<VenueReport>,
    ) -> bool {
        let i = r.order.instrument;
        let lot = universe.get(i).map_or(Quantity::from_nano(1), |x| x.lot);
        let mut quantity = r.remaining;
        let mut short_of = None;
        if let Some(allowed) = self.participation(i.index(), moment, batch, row, lot)
            && allowed < quantity
        {
            (quantity, short_of) = (allowed, Some(CancelReason::Participation));
        }
        let fee = |q: Quantity| {
            let notional = price.notional_nano(q)?;
            Ok::<_, Overflow>((notional, self.frictions.commission.fee_nano(notional, q)?))
        };
        let costs = fee(quantity);
        let (mut notional, mut paid_fee) = match costs {
            Ok(x) => x,
            Err(_) => {
                reports.push(VenueReport::Cancelled(r.order.id, CancelReason::Cash));
                return true;
            }
        };
        if r.order.side == Side::Buy {
            // Its own reservation and what nobody reserved.
            let own = books.holds().get(r.hold).map_or(0, |h| h.cash_nano);
            let budget = books.free_cash(i).saturating_add(own).saturating_sub(*spent);
            let cost = notional.saturating_add(paid_fee);
            if cost > budget {
                quantity = affordable(quantity, cost, budget, lot, |q| fee(q).map(|(n, f)| n.saturating_add(f)));
                short_of = Some(CancelReason::Cash);
                (notional, paid_fee) = fee(quantity).unwrap_or_default();
            }
            *spent = spent.saturating_add(notional).saturating_add(paid_fee).saturating_sub(own);
        }
        if quantity.signum() > 0 {
            self.last_exec = self.last_exec.saturating_add(1);
            reports.push(VenueReport::Fill(Fill {
                exec: ExecId(self.last_exec),
                order: r.order.id,
                instrument: i,
                side: r.order.side,
                quantity,
                price,
                fee_nano: paid_fee,
            }));
            r.remaining = Quantity::from_nano(r.remaining.nano().saturating_sub(quantity.nano()));
        }
        if r.remaining.is_zero() {
            return true;
        }
        let keeps_rest = short_of == Some(CancelReason::Participation) && r.order.tif != TimeInForce::ImmediateOrCancel;
        if keeps_rest {
            return false;
        }
        reports.push(VenueReport::Cancelled(r.order.id, short_of.unwrap_or(CancelReason::ImmediateOrCancel)));
        true
    }

    /// Units that the participation limit allows now; `None` without a limit.
    fn participation(&self, i: usize, moment: Moment, batch: &Batch, row: usize, lot: Quantity) -> Option<Quantity> {
        let share = self.frictions.participation_nano? as f64 / 1e9;
        let volume = match moment {
            Moment::Close => batch.volume(row, i).unwrap_or_default(),
            Moment::Open => {
                let n = self.n_volumes.get(i).copied().unwrap_or_default().min(VOLUME_BARS as u32);
                let sum: f64 = self.volumes.get(i).map_or(0.0, |v| v.iter().sum());
                if n == 0 { 0.0 } else { sum / f64::from(n) }
            }
        };
        let lots = (volume * share / lot.to_f64()).floor();
        // 9.2e18 lots and more are no limit at all.
        let lots = if lots.is_finite() && lots < 9.0e18 { lots as i64 } else { i64::MAX };
        Some(tradegraph_domain::Lots(lots.max(0)).quantity(lot).unwrap_or(Quantity::from_nano(i128::MAX)))
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

    /// Day orders end with the session: with the bar of a session, or when the UTC date changes.
    fn end_session(&mut self, batch: &Batch, row: usize, reports: &mut Vec<VenueReport>) {
        let interval = batch.interval(row);
        let last_bar = match batch.spec().period {
            BarPeriod::Session => true,
            BarPeriod::Fixed(_) => interval.start.date() != interval.end.date(),
        };
        if last_bar {
            self.resting.retain(|r| {
                let ends = r.order.tif == TimeInForce::Day;
                if ends {
                    reports.push(VenueReport::Cancelled(r.order.id, CancelReason::EndOfSession));
                }
                !ends
            });
            self.n_limits = self.resting.iter().filter(|r| r.order.kind != OrderKind::Market).count();
        }
    }

    /// Writes the exchange's books canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.u64(self.last_exec);
        to.len(self.resting.len());
        for r in &self.resting {
            save_order(to, &r.order);
            to.i128(r.remaining.nano());
            to.u32(r.hold.number());
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
        for _ in 0..from.len("resting orders")? {
            let order = load_order(from)?;
            let remaining = Quantity::from_nano(from.i128("remaining quantity")?);
            self.resting.push(Resting { order, remaining, hold: HoldId::from_number(from.u32("hold")?) });
        }
        self.n_limits = self.resting.iter().filter(|r| r.order.kind != OrderKind::Market).count();
        for (v, n) in self.volumes.iter_mut().zip(&mut self.n_volumes) {
            *n = from.u32("volumes")?;
            for x in v {
                *x = from.f64("volume")?;
            }
        }
        Ok(())
    }
}

/// The largest whole number of lots, below `wanted`, whose cost is within the budget.
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
    let whole = |q: i128| Quantity::from_nano(q).lots(lot).and_then(|(lots, _)| lots.quantity(lot)).unwrap_or_default();
    let mut guess = whole(mul_div_half_even(wanted.nano(), budget, cost).unwrap_or_default());
    // A minimum fee makes cost not proportional: step down until it fits. Each step sheds the excess.
    for _ in 0..64 {
        let Ok(cost) = cost_of(guess) else { return Quantity::ZERO };
        if cost <= budget || guess.is_zero() {
            return guess;
        }
        let excess = mul_div_half_even(guess.nano(), cost.saturating_sub(budget), cost).unwrap_or_default();
        guess = whole(guess.nano().saturating_sub(excess.max(lot.nano())).max(0));
    }
    Quantity::ZERO
}

#[cfg(test)]
mod tests;
