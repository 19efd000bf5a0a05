//! `Ledger`: the books of one account over all currencies and instruments, with marks and net asset value.
//!
//! A fill of q units at price p with fee f, for n = p × q, posts in the instrument's currency (debits positive):
//!
//! | account | buy that opens | sell that closes lots of cost c |
//! |---|---|---|
//! | Cash | −n − f | +n − f |
//! | Positions | +n | −c |
//! | Realised | – | −(n − c) |
//! | Fees | +f | +f |
//!
//! NAV(base) = Σ rate × (cash + accrued + value of positions); closing NAV = capital + realised + unrealised + dividends +
//! interest + currency result − fees − borrow fees − margin interest. Both hold after every event. What corporate actions
//! post is the table in `actions`, what nights post the one in `financing`.

mod actions;
mod financing;

pub use actions::ActionBooked;
pub use financing::{Financed, Financing, Rate};

use crate::books::{Account, CurrencyBooks};
use crate::execs::SeenExecs;
use crate::holds::{Hold, HoldId, Holds};
use crate::lots::{ClosedLot, Lot, LotBook};
use tradegraph_columns::Status;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{
    Currency, Date, ExecId, Fill, InstrumentId, Money, NANO, Overflow, Price, Quantity, Side, Timestamp,
    div_nano_half_even, mul_div_half_even,
};

/// Why a change of the books was refused. The books are as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The execution was booked before: it posts once.
    #[error("execution {} was booked before", .0.0)]
    SeenBefore(ExecId),
    /// The instrument is not part of the run's universe.
    #[error("instrument {} is not part of this account", .0.0)]
    UnknownInstrument(InstrumentId),
    /// The currency is not part of the account.
    #[error("currency {0} is not part of this account")]
    UnknownCurrency(Currency),
    /// A number does not fit.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// Why there is no net asset value. Orders that add risk are refused until there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NavMissing {
    /// A position was never priced.
    #[error("instrument {} is held and has no price", .0.0)]
    Price(InstrumentId),
    /// A currency has a balance and no rate to the base currency.
    #[error("{0} has a balance and no rate to the base currency")]
    Rate(Currency),
    /// A number does not fit.
    #[error("the net asset value does not fit")]
    Overflow,
}

/// Net asset value at 1e-9 of the base currency, or why there is none.
pub type Nav = Result<i128, NavMissing>;

/// What booking a fill did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillBooked {
    /// Price × quantity at 1e-9, without sign.
    pub notional_nano: i128,
    /// Gain of the lots that it closed at 1e-9, before fees.
    pub realised_nano: i128,
    /// Signed position after it.
    pub position: Quantity,
}

/// What a buy may use where the broker lends; half the range leaves room for sums.
const LENT: i128 = i128::MAX / 4;

/// The books of one account.
#[derive(Clone, Debug)]
pub struct Ledger {
    currencies: Vec<Currency>,
    books: Vec<CurrencyBooks>,
    rates: Vec<Option<Price>>,
    /// Value of all positions of a currency at 1e-18.
    value: Vec<i128>,
    currency_of: Vec<u16>,
    quantity: Vec<i128>,
    /// The same where it fits 64 bits; marking multiplies these. The others are counted in `n_wide`.
    quantity64: Vec<i64>,
    n_wide: usize,
    marks: Vec<i64>,
    marked: Vec<bool>,
    /// Positions that are held and were never priced.
    n_unpriced: usize,
    lots: LotBook,
    holds: Holds,
    seen: SeenExecs,
    fee_of: Vec<i128>,
    realised_of: Vec<i128>,
    dividend_of: Vec<i128>,
    n_fills: u64,
    /// Whether nights cost and earn: the accounts of financing are part of snapshots then.
    financed: bool,
    /// Counts what may change exposures; no part of the books.
    version: u64,
    lends: bool,
}

impl Ledger {
    /// Empty books. The first currency is the base; `currency_of` has a currency for each instrument.
    ///
    /// # Errors
    /// `UnknownCurrency` never: currencies of instruments are added as they come.
    #[must_use]
    pub fn new(base: Currency, currency_of: &[Currency]) -> Self {
        let mut currencies = vec![base];
        let of = currency_of
            .iter()
            .map(|c| {
                let at = currencies.iter().position(|k| k == c).unwrap_or_else(|| {
                    currencies.push(*c);
                    currencies.len().saturating_sub(1)
                });
                at as u16
            })
            .collect();
        let (n, k) = (currency_of.len(), currencies.len());
        let mut rates = vec![None; k];
        if let Some(r) = rates.first_mut() {
            *r = Some(Price::from_nano(NANO));
        }
        Ledger {
            books: vec![CurrencyBooks::default(); k],
            rates,
            value: vec![0; k],
            currencies,
            currency_of: of,
            quantity: vec![0; n],
            quantity64: vec![0; n],
            n_wide: 0,
            marks: vec![0; n],
            marked: vec![false; n],
            n_unpriced: 0,
            lots: LotBook::new(n),
            holds: Holds::new(n, k),
            seen: SeenExecs::default(),
            fee_of: vec![0; n],
            realised_of: vec![0; n],
            dividend_of: vec![0; n],
            n_fills: 0,
            financed: false,
            version: 0,
            lends: false,
        }
    }

    /// The base currency.
    #[must_use]
    pub fn base(&self) -> Currency {
        self.currencies.first().copied().unwrap_or(Currency::USD)
    }

    /// Number of instruments.
    #[must_use]
    pub fn width(&self) -> usize {
        self.quantity.len()
    }

    /// Currencies with their books, base first.
    pub fn currencies(&self) -> impl Iterator<Item = (Currency, &CurrencyBooks)> {
        self.currencies.iter().copied().zip(&self.books)
    }

    /// Signed units held.
    #[inline]
    #[must_use]
    pub fn position(&self, i: InstrumentId) -> Quantity {
        Quantity::from_nano(self.quantity.get(i.index()).copied().unwrap_or_default())
    }

    /// The last price by which a position is valued.
    #[inline]
    #[must_use]
    pub fn mark(&self, i: InstrumentId) -> Option<Price> {
        match (self.marks.get(i.index()), self.marked.get(i.index())) {
            (Some(m), Some(true)) => Some(Price::from_nano(*m)),
            _ => None,
        }
    }

    /// Fees paid on an instrument at 1e-9 of its currency.
    #[must_use]
    pub fn fees_of(&self, i: InstrumentId) -> i128 {
        self.fee_of.get(i.index()).copied().unwrap_or_default()
    }

    /// Realised result of an instrument at 1e-9 of its currency, before fees.
    #[must_use]
    pub fn realised_of(&self, i: InstrumentId) -> i128 {
        self.realised_of.get(i.index()).copied().unwrap_or_default()
    }

    /// Open lots of an instrument, oldest first.
    pub fn lots(&self, i: InstrumentId) -> impl Iterator<Item = Lot> + '_ {
        self.lots.of(i)
    }

    /// Reservations of open orders.
    #[inline]
    #[must_use]
    pub fn holds(&self) -> &Holds {
        &self.holds
    }

    /// Cash of an instrument's currency that a buy may use, at 1e-9: what is there after all holds, and without an end
    /// where the broker lends (`lend`).
    #[inline]
    #[must_use]
    pub fn free_cash(&self, i: InstrumentId) -> i128 {
        if self.lends {
            return LENT;
        }
        self.own_cash(i)
    }

    /// Cash of an instrument's currency after all holds, at 1e-9, whether or not the broker lends.
    #[inline]
    #[must_use]
    pub fn own_cash(&self, i: InstrumentId) -> i128 {
        let at = self.currency_index(i);
        let cash = self.books.get(at).map_or(0, |b| b.balance(Account::Cash));
        cash.saturating_sub(self.holds.cash(at))
    }

    /// Cash of an instrument's currency that has settled, after all holds, at 1e-9.
    #[must_use]
    pub fn settled_cash(&self, i: InstrumentId) -> i128 {
        let proceeds = self.books.get(self.currency_index(i)).map_or(0, CurrencyBooks::unsettled_proceeds);
        self.own_cash(i).saturating_sub(proceeds)
    }

    /// The broker lends against the account: buys are bound by margin, not by cash, which may go below zero. Part of
    /// the account's configuration, not of its books.
    pub fn lend(&mut self) {
        self.lends = true;
    }

    /// A number that differs after anything that can change a position, a hold, a mark or a rate. It tells those who
    /// keep sums over the books when to form them anew, and is no part of the books.
    #[inline]
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    #[inline]
    fn touch(&mut self) {
        self.version = self.version.wrapping_add(1);
    }

    /// Fills booked so far.
    #[must_use]
    pub fn n_fills(&self) -> u64 {
        self.n_fills
    }

    /// True if the execution was booked.
    #[must_use]
    pub fn has_booked(&self, id: ExecId) -> bool {
        self.seen.contains(id)
    }

    /// Books a deposit, or a withdrawal if it is negative.
    ///
    /// # Errors
    /// `LedgerError` for a currency that the account does not have, or an overflow.
    pub fn deposit(&mut self, amount: Money) -> Result<(), LedgerError> {
        let at = self.index_of(amount.currency())?;
        let n = amount.nano();
        let out = n.checked_neg().ok_or(Overflow("deposit"))?;
        self.post(at, [(Account::Cash, n), (Account::Capital, out)])
    }

    /// Books a currency trade: `paid` leaves, `got` comes; each currency balances through its exchange account.
    ///
    /// # Errors
    /// `LedgerError` for a currency that the account does not have, or an overflow.
    pub fn exchange(&mut self, paid: Money, got: Money) -> Result<(), LedgerError> {
        let (from, to) = (self.index_of(paid.currency())?, self.index_of(got.currency())?);
        let out = |m: Money| m.nano().checked_neg().ok_or(Overflow("currency trade"));
        let (paid_out, got_out) = (out(paid)?, out(got)?);
        self.post(from, [(Account::Cash, paid_out), (Account::Exchange, paid.nano())])?;
        self.post(to, [(Account::Cash, got.nano()), (Account::Exchange, got_out)]).inspect_err(|_| {
            // The first leg is undone so that half a trade is never on the books; it fitted, so its opposite does.
            let _ = self.post(from, [(Account::Cash, paid.nano()), (Account::Exchange, paid_out)]);
        })
    }

    /// Sets what one unit of a currency is worth in the base currency.
    ///
    /// # Errors
    /// `UnknownCurrency`.
    pub fn set_rate(&mut self, currency: Currency, rate: Price) -> Result<(), LedgerError> {
        self.touch();
        let at = self.index_of(currency)?;
        if let Some(r) = self.rates.get_mut(at) {
            *r = Some(rate);
        }
        Ok(())
    }

    /// Books one execution. Cash settles on `settles`, at once if `None`. `each` sees every lot that it closes.
    ///
    /// # Errors
    /// `SeenBefore` for an execution that is on the books, `UnknownInstrument`, `Overflow`. The books are unchanged.
    pub fn post_fill(
        &mut self,
        fill: &Fill,
        now: Timestamp,
        settles: Option<Date>,
        each: impl FnMut(ClosedLot),
    ) -> Result<FillBooked, LedgerError> {
        if self.seen.contains(fill.exec) {
            return Err(LedgerError::SeenBefore(fill.exec));
        }
        let i = fill.instrument;
        let held = *self.quantity.get(i.index()).ok_or(LedgerError::UnknownInstrument(i))?;
        let at = self.currency_index(i);
        let notional = fill.price.notional_nano(fill.quantity)?;
        // Signed by what the account pays: buys positive.
        let (signed, value) = match fill.side {
            Side::Buy => (fill.quantity.nano(), notional),
            Side::Sell => (fill.quantity.nano().saturating_neg(), notional.saturating_neg()),
        };
        let after = held.checked_add(signed).ok_or(Overflow("position"))?;
        let closing = if held.signum().saturating_mul(signed.signum()) < 0 {
            signed.saturating_abs().min(held.saturating_abs())
        } else {
            0
        };
        let opening = fill.quantity.nano().saturating_sub(closing);
        let value_closing = match (closing, opening) {
            (0, _) => 0,
            (_, 0) => value,
            _ => mul_div_half_even(value, closing, fill.quantity.nano()).ok_or(Overflow("value of a fill"))?,
        };
        let value_opening = value.checked_sub(value_closing).ok_or(Overflow("value of a fill"))?;
        let cost = if closing == 0 { 0 } else { self.lots.cost_of(i, Quantity::from_nano(closing))? };
        // What the account gets for closing is −value_closing; a short lot's cost is negative.
        let gain = value_closing.checked_neg().and_then(|v| v.checked_sub(cost)).ok_or(Overflow("gain"))?;
        let cash = value.checked_add(fill.fee_nano).and_then(i128::checked_neg).ok_or(Overflow("cash of a fill"))?;
        let positions = value_opening.checked_sub(cost).ok_or(Overflow("cost of positions"))?;
        let new_value = self.revalued(at, i, signed)?;
        self.post(
            at,
            [
                (Account::Cash, cash),
                (Account::Positions, positions),
                (Account::Realised, gain.checked_neg().ok_or(Overflow("gain"))?),
                (Account::Fees, fill.fee_nano),
            ],
        )?;
        // From here on nothing fails: every sum was formed above.
        if closing > 0 {
            self.lots.close(i, Quantity::from_nano(closing), value_closing.saturating_neg(), now, each)?;
        }
        if opening > 0 {
            let quantity = Quantity::from_nano(opening.saturating_mul(signed.signum()));
            self.lots.push(i, Lot { quantity, cost_nano: value_opening, opened: now })?;
        }
        self.set_position(i, held, after);
        if let Some(v) = self.value.get_mut(at) {
            *v = new_value;
        }
        if let (Some(f), Some(r)) = (self.fee_of.get_mut(i.index()), self.realised_of.get_mut(i.index())) {
            *f = f.saturating_add(fill.fee_nano);
            *r = r.saturating_add(gain);
        }
        if let (Some(date), Some(books)) = (settles, self.books.get_mut(at)) {
            books.settle_later(date, cash);
        }
        self.seen.insert(fill.exec);
        self.n_fills = self.n_fills.saturating_add(1);
        Ok(FillBooked { notional_nano: notional, realised_nano: gain, position: Quantity::from_nano(after) })
    }

    /// Settles what is due on or before a date: cash of trades, and dividends that become cash.
    ///
    /// # Errors
    /// `Overflow` if a currency's cash does not fit; what is not paid stays accrued.
    pub fn settle_through(&mut self, date: Date) -> Result<(), LedgerError> {
        self.books.iter_mut().try_for_each(|b| b.settle_through(date))?;
        Ok(())
    }

    /// Reserves what an open order may cost and move.
    ///
    /// # Errors
    /// `Overflow` if a sum of reservations does not fit.
    #[inline]
    pub fn hold(&mut self, hold: Hold) -> Result<HoldId, LedgerError> {
        self.touch();
        let at = self.currency_index(hold.instrument);
        Ok(self.holds.open(hold, at)?)
    }

    /// Frees the part of a hold that a fill used.
    #[inline]
    pub fn fill_hold(&mut self, id: HoldId, filled: Quantity) {
        self.touch();
        if let Some(h) = self.holds.get(id) {
            let at = self.currency_index(h.instrument);
            self.holds.fill(id, filled, at);
        }
    }

    /// Voids what is left of a hold.
    #[inline]
    pub fn release(&mut self, id: HoldId) {
        self.touch();
        if let Some(h) = self.holds.get(id) {
            let at = self.currency_index(h.instrument);
            self.holds.close(id, at);
        }
    }

    /// Values all positions by a row of prices at 1e-9; a cell that is not `Ok` keeps its last mark.
    ///
    /// # Errors
    /// `Overflow` if the value of the positions does not fit; marks are set, the value is as before.
    #[inline]
    pub fn mark_row(&mut self, prices: &[i64], status: &[Status], complete: bool) -> Result<(), LedgerError> {
        self.touch();
        let n = self.marks.len().min(prices.len()).min(status.len());
        let (marks, prices, status) = (&mut self.marks, prices, status);
        if complete && self.n_unpriced == 0 && n == marks.len() {
            if let (Some(m), Some(p)) = (marks.get_mut(..n), prices.get(..n)) {
                match (m, p) {
                    ([m], [p]) => *m = *p, // one cell without the call that a copy of unknown length costs
                    (m, p) => m.copy_from_slice(p),
                }
            }
            if self.marked.first() != Some(&true) || self.marked.last() != Some(&true) {
                self.marked.fill(true);
            }
        } else {
            for (((mark, marked), p), s) in marks.iter_mut().zip(&mut self.marked).zip(prices).zip(status) {
                if *s == Status::Ok {
                    *mark = *p;
                    *marked = true;
                }
            }
            self.count_unpriced();
        }
        self.revalue()
    }

    /// True if no price and no rate is missing for a net asset value.
    #[inline]
    #[must_use]
    pub fn has_nav(&self) -> bool {
        match self.rates.as_slice() {
            [Some(_)] => self.n_unpriced == 0,
            _ => self.nav().is_ok(),
        }
    }

    /// Net asset value in the base currency.
    ///
    /// # Errors
    /// `NavMissing` if a position has no price or a currency no rate.
    #[inline]
    pub fn nav(&self) -> Nav {
        if self.n_unpriced > 0 {
            return Err(self.first_unpriced());
        }
        let mut nav = 0_i128;
        for (((books, value), rate), currency) in
            self.books.iter().zip(&self.value).zip(&self.rates).zip(&self.currencies)
        {
            let money = books.balance(Account::Cash).checked_add(books.balance(Account::Accrued));
            let own = money.and_then(|m| m.checked_add(div_nano_half_even(*value))).ok_or(NavMissing::Overflow)?;
            let in_base = match rate {
                Some(r) if r.nano() == NANO => own,
                Some(r) => {
                    mul_div_half_even(own, i128::from(r.nano()), i128::from(NANO)).ok_or(NavMissing::Overflow)?
                }
                None if own == 0 => 0,
                None => return Err(NavMissing::Rate(*currency)),
            };
            nav = nav.checked_add(in_base).ok_or(NavMissing::Overflow)?;
        }
        Ok(nav)
    }

    /// Net asset value from the other side of the books: capital + realised + unrealised + dividends + interest +
    /// currency result − fees − borrow fees − margin interest, with every position valued anew. Must equal `nav` to the last unit.
    ///
    /// # Errors
    /// `NavMissing` as `nav`.
    pub fn nav_recomputed(&self) -> Nav {
        let mut nav = 0_i128;
        for (at, (currency, books)) in self.currencies().enumerate() {
            let mut value = 0_i128;
            for i in (0..self.quantity.len()).map(|i| InstrumentId(i as u32)) {
                if self.currency_index(i) != at || self.position(i).is_zero() {
                    continue;
                }
                let mark = self.mark(i).ok_or(NavMissing::Price(i))?;
                let product =
                    i128::from(mark.nano()).checked_mul(self.position(i).nano()).ok_or(NavMissing::Overflow)?;
                value = value.checked_add(product).ok_or(NavMissing::Overflow)?;
            }
            let unrealised = div_nano_half_even(value).saturating_sub(books.balance(Account::Positions));
            let flows = [
                Account::Capital,
                Account::Realised,
                Account::Dividends,
                Account::Interest,
                Account::Exchange,
                Account::Fees,
                Account::Borrow,
                Account::MarginInterest,
            ];
            let own = flows.iter().fold(unrealised, |sum, a| sum.saturating_sub(books.balance(*a)));
            let rate = self.rates.get(at).copied().flatten();
            nav = nav.saturating_add(match rate {
                Some(r) => {
                    mul_div_half_even(own, i128::from(r.nano()), i128::from(NANO)).ok_or(NavMissing::Overflow)?
                }
                None if own == 0 => 0,
                None => return Err(NavMissing::Rate(currency)),
            });
        }
        Ok(nav)
    }

    /// Σ |position × mark| at 1e-9 of the base currency (positions without a price or a rate count as zero: `nav`
    /// says that they are missing).
    #[must_use]
    pub fn gross_nano(&self) -> i128 {
        let mut gross = 0_i128;
        for (at, rate) in self.rates.iter().enumerate() {
            let Some(rate) = rate else { continue };
            let mut own = 0_i128;
            for ((q, m), c) in self.quantity.iter().zip(&self.marks).zip(&self.currency_of) {
                if usize::from(*c) == at && *q != 0 {
                    own = own.saturating_add(q.saturating_mul(i128::from(*m)).saturating_abs());
                }
            }
            let own = div_nano_half_even(own);
            gross = gross
                .saturating_add(mul_div_half_even(own, i128::from(rate.nano()), i128::from(NANO)).unwrap_or(i128::MAX));
        }
        gross
    }

    /// Converts an amount of an instrument's currency to the base currency.
    ///
    /// # Errors
    /// `NavMissing` without a rate.
    #[inline]
    pub fn to_base(&self, i: InstrumentId, nano: i128) -> Nav {
        let at = self.currency_index(i);
        match self.rates.get(at).copied().flatten() {
            Some(r) if r.nano() == NANO => Ok(nano),
            Some(r) => mul_div_half_even(nano, i128::from(r.nano()), i128::from(NANO)).ok_or(NavMissing::Overflow),
            None => Err(NavMissing::Rate(self.currencies.get(at).copied().unwrap_or(Currency::USD))),
        }
    }

    /// True if every currency balances, lots match positions and costs, and both NAVs agree.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let lots_match = (0..self.quantity.len()).map(|i| InstrumentId(i as u32)).all(|i| {
            let sum = self.lots(i).fold(0_i128, |s, l| s.saturating_add(l.quantity.nano()));
            sum == self.position(i).nano()
        });
        let cost_match = (0..self.books.len()).all(|at| {
            let cost = (0..self.quantity.len())
                .map(|i| InstrumentId(i as u32))
                .filter(|i| self.currency_index(*i) == at)
                .flat_map(|i| self.lots(i))
                .fold(0_i128, |s, l| s.saturating_add(l.cost_nano));
            self.books.get(at).map(|b| b.balance(Account::Positions)) == Some(cost)
        });
        lots_match
            && cost_match
            && self.books.iter().all(CurrencyBooks::is_balanced)
            && self.nav() == self.nav_recomputed()
    }

    /// Writes the books canonically.
    pub fn save(&self, to: &mut Encoder) {
        self.books.iter().for_each(|b| b.save(to));
        for rate in &self.rates {
            to.bool(rate.is_some());
            to.i64(rate.map_or(0, Price::nano));
        }
        self.quantity.iter().for_each(|q| to.i128(*q));
        to.i64s(&self.marks);
        self.marked.iter().for_each(|m| to.bool(*m));
        for i in [&self.fee_of, &self.realised_of, &self.dividend_of].into_iter().flatten() {
            to.i128(*i);
        }
        self.lots.save(to);
        self.holds.save(to);
        self.seen.save(to);
        to.u64(self.n_fills);
        if self.financed {
            self.books.iter().for_each(|b| b.save_financing(to));
        }
    }

    /// Reads what `save` wrote into books of the same instruments and currencies.
    ///
    /// # Errors
    /// `DecodeError` if the bytes do not fit this account.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.touch();
        for b in &mut self.books {
            *b = CurrencyBooks::load(from)?;
        }
        for rate in &mut self.rates {
            let some = from.bool("rate")?;
            let nano = from.i64("rate")?;
            *rate = some.then_some(Price::from_nano(nano));
        }
        for i in 0..self.quantity.len() {
            let q = from.i128("position")?;
            let before = self.quantity.get(i).copied().unwrap_or_default();
            self.set_position(InstrumentId(i as u32), before, q);
        }
        from.i64s_into(&mut self.marks)?;
        for m in &mut self.marked {
            *m = from.bool("marked")?;
        }
        for v in self.fee_of.iter_mut().chain(&mut self.realised_of).chain(&mut self.dividend_of) {
            *v = from.i128("result of an instrument")?;
        }
        self.lots.load(from)?;
        let currency_of = std::mem::take(&mut self.currency_of);
        let loaded = self.holds.load(from, |i| currency_of.get(i.index()).copied().unwrap_or_default().into());
        self.currency_of = currency_of;
        loaded?;
        self.seen = SeenExecs::load(from)?;
        self.n_fills = from.u64("fills")?;
        if self.financed {
            self.books.iter_mut().try_for_each(|b| b.load_financing(from))?;
        }
        self.count_unpriced();
        self.revalue().map_err(|_| DecodeError::Mismatch { what: "value of positions", found: 0, expected: 0 })
    }

    fn post<const N: usize>(&mut self, at: usize, postings: [(Account, i128); N]) -> Result<(), LedgerError> {
        match self.books.get_mut(at) {
            Some(books) => Ok(books.post(postings)?),
            None => Err(LedgerError::UnknownCurrency(self.base())),
        }
    }

    #[inline]
    fn currency_index(&self, i: InstrumentId) -> usize {
        self.currency_of.get(i.index()).copied().unwrap_or_default().into()
    }

    fn index_of(&self, currency: Currency) -> Result<usize, LedgerError> {
        self.currencies.iter().position(|c| *c == currency).ok_or(LedgerError::UnknownCurrency(currency))
    }

    #[inline]
    fn set_position(&mut self, i: InstrumentId, before: i128, after: i128) {
        self.touch();
        let narrow = i64::try_from(after);
        if let (Some(q), Some(q64)) = (self.quantity.get_mut(i.index()), self.quantity64.get_mut(i.index())) {
            *q = after;
            *q64 = narrow.unwrap_or_default();
        }
        let wide = |q: i128| usize::from(i64::try_from(q).is_err());
        self.n_wide = self.n_wide.saturating_add(wide(after)).saturating_sub(wide(before));
        if self.marked.get(i.index()) == Some(&false) {
            let open = |q: i128| usize::from(q != 0);
            self.n_unpriced = self.n_unpriced.saturating_add(open(after)).saturating_sub(open(before));
        }
    }

    /// Value of a currency's positions after a position changes by `signed` units.
    #[inline]
    fn revalued(&self, at: usize, i: InstrumentId, signed: i128) -> Result<i128, Overflow> {
        let mark = i128::from(self.marks.get(i.index()).copied().unwrap_or_default());
        let change = mark.checked_mul(signed).ok_or(Overflow("value of a position"))?;
        self.value.get(at).copied().unwrap_or_default().checked_add(change).ok_or(Overflow("value of positions"))
    }

    fn count_unpriced(&mut self) {
        self.n_unpriced = self.quantity.iter().zip(&self.marked).filter(|(q, m)| **q != 0 && !**m).count();
    }

    #[cold]
    fn first_unpriced(&self) -> NavMissing {
        let at = self.quantity.iter().zip(&self.marked).position(|(q, m)| *q != 0 && !*m).unwrap_or_default();
        NavMissing::Price(InstrumentId(at as u32))
    }

    #[inline]
    fn revalue(&mut self) -> Result<(), LedgerError> {
        if let ([value], 0) = (self.value.as_mut_slice(), self.n_wide) {
            // One currency and 64-bit positions: two 64-bit factors fit 128 bits, so only the sum is checked.
            let mut sum = 0_i128;
            let mut overflow = false;
            for (q, m) in self.quantity64.iter().zip(&self.marks) {
                let (s, o) = sum.overflowing_add(i128::from(*q).wrapping_mul(i128::from(*m)));
                sum = s;
                overflow |= o;
            }
            if overflow {
                return Err(Overflow("value of positions").into());
            }
            *value = sum;
            return Ok(());
        }
        let mut sums = vec![0_i128; self.value.len()];
        for ((q, m), c) in self.quantity.iter().zip(&self.marks).zip(&self.currency_of) {
            if let Some(sum) = sums.get_mut(usize::from(*c)) {
                let product = q.checked_mul(i128::from(*m)).ok_or(Overflow("value of a position"))?;
                *sum = sum.checked_add(product).ok_or(Overflow("value of positions"))?;
            }
        }
        self.value = sums;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
