//! Limits over a short period of event time: orders, notional, and the same order again.
//!
//! Source: 17 CFR 240.15c3-5(c)(1)(ii), orders that exceed limits "on an order-by-order basis or over a short period of
//! time, or that indicate duplicative orders". What was approved counts, from just after `now − period` to now. A
//! reduction counts and is never refused. Memory is bounded by `MAX_ENTRIES` for each window.

use std::collections::{BTreeMap, VecDeque};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{Nanos, Order, Price, Refusal, Rule, Timestamp, Unit};

/// Entries that a window keeps at most. In a full window an order that adds risk is refused, and a reduction is put
/// together with the newest entry, which forgets it later than it could.
pub const MAX_ENTRIES: usize = 65_536;

/// At most `most` within `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within<T> {
    /// The most.
    pub most: T,
    /// The period, above zero.
    pub per: Nanos,
}

/// Limits over periods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// Orders.
    pub orders: Option<Within<u32>>,
    /// Notional at 1e-9 of the base currency.
    pub notional_nano: Option<Within<i128>>,
    /// Orders of the same instrument, side, quantity and price.
    pub duplicates: Option<Within<u32>>,
}

/// Instrument, side, units and limit price of an order.
type Key = (u32, u8, i128, Option<i64>);

/// A sum over the last stretch of time. An entry is a moment, a number of orders and an amount.
#[derive(Clone, Debug, Default)]
struct Window {
    entries: VecDeque<(Timestamp, u32, i128)>,
    orders: u64,
    amount: i128,
}

impl Window {
    fn expire(&mut self, now: Timestamp, per: Nanos) {
        let is_past = |ts: Timestamp| now.0.saturating_sub(ts.0) >= per.0;
        while let Some((_, orders, amount)) = self.entries.front().copied().filter(|(ts, ..)| is_past(*ts)) {
            self.entries.pop_front();
            self.orders = self.orders.saturating_sub(orders.into());
            self.amount = self.amount.saturating_sub(amount);
        }
    }

    fn push(&mut self, now: Timestamp, amount: i128) {
        self.orders = self.orders.saturating_add(1);
        self.amount = self.amount.saturating_add(amount);
        let full = self.entries.len() >= MAX_ENTRIES;
        match self.entries.back_mut() {
            Some((ts, n, sum)) if full || *ts == now => {
                (*ts, *n, *sum) = (now, n.saturating_add(1), sum.saturating_add(amount));
            }
            _ => self.entries.push_back((now, 1, amount)),
        }
    }

    fn is_full(&self) -> bool {
        self.entries.len() >= MAX_ENTRIES
    }

    fn save(&self, to: &mut Encoder) {
        to.len(self.entries.len());
        for (ts, n, amount) in &self.entries {
            to.i64(ts.0);
            to.u32(*n);
            to.i128(*amount);
        }
    }

    fn load(from: &mut Decoder<'_>) -> Result<Window, DecodeError> {
        let mut w = Window::default();
        for _ in 0..from.len("window")? {
            let entry = (Timestamp(from.i64("window")?), from.u32("window")?, from.i128("window")?);
            w.orders = w.orders.saturating_add(entry.1.into());
            w.amount = w.amount.saturating_add(entry.2);
            w.entries.push_back(entry);
        }
        Ok(w)
    }
}

/// What passed lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passed {
    orders: Window,
    notional: Window,
    recent: VecDeque<(Timestamp, Key)>,
    same: BTreeMap<Key, u32>,
}

impl Passed {
    /// Says no to an order that would be too many, too much or the same again.
    pub(crate) fn check(
        &mut self,
        limits: &Windows,
        order: &Order,
        notional_nano: i128,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let no = |rule, limit, actual, unit| Err(Refusal { rule, limit, actual, unit });
        if let Some(w) = limits.duplicates {
            self.forget(now, w.per);
            let same = self.same.get(&key(order)).copied().unwrap_or_default();
            if same >= w.most {
                return no(Rule::Duplicate, w.most.into(), i128::from(same).saturating_add(1), Unit::Count);
            }
            if self.recent.len() >= MAX_ENTRIES {
                let asked = (self.recent.len() as i128).saturating_add(1);
                return no(Rule::Duplicate, MAX_ENTRIES as i128, asked, Unit::Count);
            }
        }
        if let Some(w) = limits.orders {
            self.orders.expire(now, w.per);
            let asked = i128::from(self.orders.orders).saturating_add(1);
            if asked > i128::from(w.most) || self.orders.is_full() {
                return no(Rule::OrderRate, w.most.into(), asked, Unit::Count);
            }
        }
        if let Some(w) = limits.notional_nano {
            self.notional.expire(now, w.per);
            let asked = self.notional.amount.saturating_add(notional_nano);
            if asked > w.most || self.notional.is_full() {
                return no(Rule::NotionalRate, w.most, asked, Unit::MoneyNano);
            }
        }
        Ok(())
    }

    /// Counts an order that passed all rules.
    pub(crate) fn note(&mut self, limits: &Windows, order: &Order, notional_nano: i128, now: Timestamp) {
        if let Some(w) = limits.duplicates {
            self.forget(now, w.per);
            if self.recent.len() < MAX_ENTRIES {
                self.recent.push_back((now, key(order)));
                let same = self.same.entry(key(order)).or_default();
                *same = same.saturating_add(1);
            }
        }
        if let Some(w) = limits.orders {
            self.orders.expire(now, w.per);
            self.orders.push(now, 0);
        }
        if let Some(w) = limits.notional_nano {
            self.notional.expire(now, w.per);
            self.notional.push(now, notional_nano);
        }
    }

    fn forget(&mut self, now: Timestamp, per: Nanos) {
        let is_past = |ts: Timestamp| now.0.saturating_sub(ts.0) >= per.0;
        while let Some((_, k)) = self.recent.front().copied().filter(|(ts, _)| is_past(*ts)) {
            self.recent.pop_front();
            if let Some(n) = self.same.get_mut(&k) {
                *n = n.saturating_sub(1);
                if *n == 0 {
                    self.same.remove(&k);
                }
            }
        }
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        self.orders.save(to);
        self.notional.save(to);
        to.len(self.recent.len());
        for (ts, (i, side, quantity, price)) in &self.recent {
            to.i64(ts.0);
            to.u32(*i);
            to.u8(*side);
            to.i128(*quantity);
            to.bool(price.is_some());
            to.i64(price.unwrap_or_default());
        }
    }

    pub(crate) fn load(from: &mut Decoder<'_>) -> Result<Passed, DecodeError> {
        let (orders, notional) = (Window::load(from)?, Window::load(from)?);
        let mut passed = Passed { orders, notional, ..Passed::default() };
        for _ in 0..from.len("recent orders")? {
            let ts = Timestamp(from.i64("recent order")?);
            let (i, side, quantity) = (from.u32("recent order")?, from.u8("side")?, from.i128("quantity")?);
            let limit = from.bool("limit price")?;
            let price = from.i64("limit price")?;
            let key = (i, side, quantity, limit.then_some(price));
            passed.recent.push_back((ts, key));
            let same = passed.same.entry(key).or_default();
            *same = same.saturating_add(1);
        }
        Ok(passed)
    }
}

fn key(order: &Order) -> Key {
    let price = order.kind.limit().or(order.kind.stop()).map(Price::nano);
    (order.instrument.0, order.side as u8, order.quantity.nano(), price)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tradegraph_domain::{InstrumentId, OrderId, OrderKind, Quantity, Side, TimeInForce};

    fn order(i: u32, quantity: i64) -> Order {
        let quantity = Quantity::from_units(quantity).unwrap();
        let (kind, tif) = (OrderKind::Limit(Price::from_nano(7)), TimeInForce::Day);
        Order { id: OrderId(1), instrument: InstrumentId(i), side: Side::Buy, kind, tif, quantity }
    }

    proptest! {
        /// A naive model keeps every order that passed and counts those of the period anew each time.
        #[test]
        fn windows_agree_with_a_count_from_scratch(
            asks in prop::collection::vec((0_i64..40, 0_u32..2, 1_i64..3, any::<bool>()), 1..120),
            (most, most_same) in (1_u32..6, 1_u32..4),
            (per, per_same) in (1_i64..100, 1_i64..100),
        ) {
            let limits = Windows {
                orders: Some(Within { most, per: Nanos(per) }),
                notional_nano: Some(Within { most: 9, per: Nanos(per) }),
                duplicates: Some(Within { most: most_same, per: Nanos(per_same) }),
            };
            let mut passed = Passed::default();
            let mut log: Vec<(i64, u32, i64)> = vec![];
            let mut now = 0;
            for (wait, i, quantity, reduces) in asks {
                now += wait;
                let o = order(i, quantity);
                let of = |per: i64| log.iter().filter(move |(ts, ..)| *ts > now - per);
                let same = of(per_same).filter(|(_, k, q)| (*k, *q) == (i, quantity)).count() as u32;
                let notional: i64 = of(per).map(|(_, _, q)| q).sum();
                let want = if same >= most_same {
                    Some(Rule::Duplicate)
                } else if of(per).count() as u32 >= most {
                    Some(Rule::OrderRate)
                } else if notional + quantity > 9 {
                    Some(Rule::NotionalRate)
                } else {
                    None
                };
                let answer = passed.check(&limits, &o, quantity.into(), Timestamp(now));
                prop_assert_eq!(answer.err().map(|r| r.rule), want);
                if want.is_none() || reduces {
                    passed.note(&limits, &o, quantity.into(), Timestamp(now));
                    log.push((now, i, quantity));
                }
                let mut e = Encoder::new();
                passed.save(&mut e);
                let again = Passed::load(&mut Decoder::new(e.as_bytes())).unwrap();
                let mut b = Encoder::new();
                again.save(&mut b);
                prop_assert_eq!(b.as_bytes(), e.as_bytes());
                passed = again;
            }
        }
    }

    #[test]
    fn a_full_window_refuses_and_does_not_grow() {
        let per = Nanos(i64::MAX / 2);
        let limits = Windows { notional_nano: Some(Within { most: i128::MAX, per }), ..Windows::default() };
        let mut passed = Passed::default();
        for ts in 0..MAX_ENTRIES as i64 + 10 {
            passed.note(&limits, &order(0, 1), 1, Timestamp(ts));
        }
        assert_eq!((passed.notional.entries.len(), passed.notional.amount), (MAX_ENTRIES, MAX_ENTRIES as i128 + 10));
        let no = passed.check(&limits, &order(0, 1), 1, Timestamp(i64::from(u32::MAX))).unwrap_err();
        assert_eq!(no.rule, Rule::NotionalRate);
    }
}
