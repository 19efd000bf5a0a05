//! What corporate actions do to the books. n is price × quantity, c the cost of the lots that are closed (negative for
//! short ones), debits positive:
//!
//! | account | split, for the rest below a lot | dividend at the ex-date | its payment | delisting |
//! |---|---|---|---|---|
//! | Cash | +n | – | +n | +n |
//! | Positions | −c | – | – | −c |
//! | Realised | −(n − c) | – | – | −(n − c) |
//! | Dividends | – | −n | – | – |
//! | Accrued | – | +n | −n | – |
//!
//! A short position has a negative n: it pays the dividend and the final price. A split multiplies every lot and keeps
//! its cost, and divides the mark; what does not make a whole lot leaves, oldest first, for cash in lieu at the mark
//! after the split (it stays as it is while there is no mark). A dividend lowers the mark by its amount, if the mark is
//! above it. So neither changes NAV when it happens, but for what is finer than the ninth decimal of a mark or of a
//! position.

use super::{Ledger, LedgerError};
use crate::books::Account;
use crate::lots::{ClosedLot, cost_of, split_lots};
use tradegraph_domain::{Date, InstrumentId, Overflow, Price, Quantity, Split, Timestamp};

/// What a corporate action did to the books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActionBooked {
    /// Signed position before it.
    pub before: Quantity,
    /// Signed position after it.
    pub after: Quantity,
    /// Cash at 1e-9 of the instrument's currency that came, or comes on the payment date; negative if it is paid.
    pub cash_nano: i128,
    /// Gain of the lots that it closed, at 1e-9.
    pub realised_nano: i128,
}

impl Ledger {
    /// Books a split: position, lots, mark and the quantities of open orders. `lot` is the instrument's.
    ///
    /// # Errors
    /// `UnknownInstrument`, `Overflow`. The books are unchanged.
    pub fn split(
        &mut self,
        i: InstrumentId,
        split: Split,
        lot: Quantity,
        now: Timestamp,
        each: impl FnMut(ClosedLot),
    ) -> Result<ActionBooked, LedgerError> {
        let held = *self.quantity.get(i.index()).ok_or(LedgerError::UnknownInstrument(i))?;
        let before = Quantity::from_nano(held);
        let at = self.currency_index(i);
        let mark = self.mark(i).map(|m| split.price(m)).transpose()?;
        let smallest = if mark.is_some() { lot } else { Quantity::from_nano(1) };
        let (after, rest) = split.quantity(before, smallest)?;
        let holds = self.holds.after_split(i, split, lot)?;
        // Too little for a lot: all of it leaves as it was before the split.
        let all = after.is_zero() && !before.is_zero();
        let leaving = if all { before.abs() } else { rest.abs() };
        let lots = if all { self.lots(i).collect() } else { split_lots(self.lots(i), split)? };
        let cost = cost_of(lots.iter().copied(), leaving)?;
        let cash = mark.unwrap_or_default().notional_nano(rest)?;
        let gain = cash.checked_sub(cost).ok_or(Overflow("gain"))?;
        let value = self.value_with(at, i, after, mark)?;
        self.post_closing(at, cash, cost, gain)?;
        // From here on nothing fails: every sum was formed above.
        self.lots.replace(i, &lots)?;
        self.lots.close(i, leaving, cash, now, each)?;
        self.holds.put_split(holds);
        self.set_position(i, held, after.nano());
        self.set_mark(at, i, mark, value);
        self.add_realised(i, gain);
        Ok(ActionBooked { before, after, cash_nano: cash, realised_nano: gain })
    }

    /// Books a dividend of `amount` a unit: what the position held at the open of the ex-date `ex` gets, or pays if it
    /// is short. It is accrued until `pay`, and cash at once if that is no later than the ex-date.
    ///
    /// # Errors
    /// `UnknownInstrument`, `Overflow`. The books are unchanged.
    pub fn dividend(
        &mut self,
        i: InstrumentId,
        amount: Price,
        ex: Date,
        pay: Date,
    ) -> Result<ActionBooked, LedgerError> {
        let held = *self.quantity.get(i.index()).ok_or(LedgerError::UnknownInstrument(i))?;
        let position = Quantity::from_nano(held);
        let at = self.currency_index(i);
        let cash = amount.notional_nano(position)?;
        let mark = match self.mark(i) {
            Some(m) if m > amount => Some(m.checked_sub(amount)?),
            mark => mark,
        };
        let value = self.value_with(at, i, position, mark)?;
        if pay <= ex {
            let income = cash.checked_neg().ok_or(Overflow("dividend"))?;
            self.post(at, [(Account::Cash, cash), (Account::Dividends, income)])?;
        } else if let Some(books) = self.books.get_mut(at).filter(|_| cash != 0) {
            books.accrue(pay, cash)?;
        }
        self.set_mark(at, i, mark, value);
        if let Some(sum) = self.dividend_of.get_mut(i.index()) {
            *sum = sum.saturating_add(cash);
        }
        Ok(ActionBooked { before: position, after: position, cash_nano: cash, realised_nano: 0 })
    }

    /// Books the end of an instrument: every unit becomes `price`, at once and without a fee. Reservations of its open
    /// orders stay until the orders end.
    ///
    /// # Errors
    /// `UnknownInstrument`, `Overflow`. The books are unchanged.
    pub fn delist(
        &mut self,
        i: InstrumentId,
        price: Price,
        now: Timestamp,
        each: impl FnMut(ClosedLot),
    ) -> Result<ActionBooked, LedgerError> {
        let held = *self.quantity.get(i.index()).ok_or(LedgerError::UnknownInstrument(i))?;
        let before = Quantity::from_nano(held);
        let at = self.currency_index(i);
        let cost = cost_of(self.lots(i), before.abs())?;
        let cash = price.notional_nano(before)?;
        let gain = cash.checked_sub(cost).ok_or(Overflow("gain"))?;
        let value = self.value_with(at, i, Quantity::ZERO, Some(price))?;
        self.post_closing(at, cash, cost, gain)?;
        self.lots.close(i, before.abs(), cash, now, each)?;
        self.set_position(i, held, 0);
        self.set_mark(at, i, Some(price), value);
        self.add_realised(i, gain);
        Ok(ActionBooked { before, after: Quantity::ZERO, cash_nano: cash, realised_nano: gain })
    }

    /// Dividends that an instrument brought (negative: that short positions paid), at 1e-9 of its currency.
    #[must_use]
    pub fn dividends_of(&self, i: InstrumentId) -> i128 {
        self.dividend_of.get(i.index()).copied().unwrap_or_default()
    }

    /// Cash for lots of a cost.
    fn post_closing(&mut self, at: usize, cash: i128, cost: i128, gain: i128) -> Result<(), LedgerError> {
        let out = |v: i128| v.checked_neg().ok_or(Overflow("corporate action"));
        let (cost_out, gain_out) = (out(cost)?, out(gain)?);
        self.post(at, [(Account::Cash, cash), (Account::Positions, cost_out), (Account::Realised, gain_out)])
    }

    /// Value of a currency's positions with another quantity and mark of one instrument.
    fn value_with(
        &self,
        at: usize,
        i: InstrumentId,
        after: Quantity,
        mark: Option<Price>,
    ) -> Result<i128, LedgerError> {
        let of = |mark: Option<Price>, q: Quantity| {
            i128::from(mark.unwrap_or_default().nano()).checked_mul(q.nano()).ok_or(Overflow("value of a position"))
        };
        let (old, new) = (of(self.mark(i), self.position(i))?, of(mark, after)?);
        let all = self.value.get(at).copied().unwrap_or_default();
        let value = all.checked_sub(old).and_then(|v| v.checked_add(new)).ok_or(Overflow("value of positions"))?;
        Ok(value)
    }

    fn set_mark(&mut self, at: usize, i: InstrumentId, mark: Option<Price>, value: i128) {
        if let (Some(price), Some(m), Some(marked)) =
            (mark, self.marks.get_mut(i.index()), self.marked.get_mut(i.index()))
        {
            if !*marked && self.quantity.get(i.index()).is_some_and(|q| *q != 0) {
                self.n_unpriced = self.n_unpriced.saturating_sub(1);
            }
            (*m, *marked) = (price.nano(), true);
        }
        if let Some(v) = self.value.get_mut(at) {
            *v = value;
        }
    }

    fn add_realised(&mut self, i: InstrumentId, gain: i128) {
        if let Some(sum) = self.realised_of.get_mut(i.index()) {
            *sum = sum.saturating_add(gain);
        }
    }
}
