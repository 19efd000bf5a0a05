//! What nights cost and earn: fees for borrowed stock, interest on borrowed cash, interest on idle cash. A year has 360
//! days (ACT/360, as US brokers count), every calendar day counts, and the balances of a day are those at its end.
//!
//! | account | borrow fee b | margin interest m | interest on cash e |
//! |---|---|---|---|
//! | Accrued | −b | −m | +e |
//! | Borrow | +b | – | – |
//! | Margin interest | – | +m | – |
//! | Interest | – | – | −e |
//!
//! What a day accrues is NAV at once and becomes cash on the payment date. Interest is reckoned on cash less the value of
//! short positions: their proceeds are the lender's security, so they earn nothing and pay back no loan. Both are
//! reckoned from the trade date, and what is accrued earns no interest before it is paid.

use super::{Ledger, LedgerError};
use crate::books::Account;
use tradegraph_domain::{Currency, Date, InstrumentId, NANO, Overflow, div_nano_half_even, mul_div_half_even};

/// Days of a year in which rates are quoted.
const YEAR: i128 = 360;

/// A yearly rate: a benchmark that changes with time plus a spread, never below zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Benchmark at 1e-9 a year from each date on, by date; zero before the first and without rows.
    pub benchmark: Vec<(Date, i64)>,
    /// Added to it, at 1e-9 a year.
    pub spread_nano: i64,
}

impl Rate {
    /// The same rate at all times.
    #[must_use]
    pub fn fixed(nano: i64) -> Rate {
        Rate { benchmark: vec![], spread_nano: nano }
    }

    /// The rate of a night, by the day on which it begins, at 1e-9 a year.
    #[must_use]
    pub fn of(&self, night: Date) -> i64 {
        let at = self.benchmark.partition_point(|(from, _)| *from <= night);
        let row = at.checked_sub(1).and_then(|i| self.benchmark.get(i));
        row.map_or(0, |(_, rate)| *rate).saturating_add(self.spread_nano).max(0)
    }

    /// Σ over the nights from a day up to, not including, another.
    fn over(&self, from: Date, to: Date) -> i128 {
        let (mut at, mut sum) = (from, 0_i128);
        while at < to {
            let later = self.benchmark.partition_point(|(from, _)| *from <= at);
            let next = self.benchmark.get(later).map_or(to, |(d, _)| (*d).min(to));
            let nights = i128::from(next.0).saturating_sub(at.0.into());
            sum = sum.saturating_add(i128::from(self.of(at)).saturating_mul(nights));
            at = next;
        }
        sum
    }
}

/// What nights cost and earn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Financing {
    /// Yearly fee for borrowed stock at 1e-9 of its value, by instrument.
    pub borrow_nano: Vec<i64>,
    /// On borrowed cash.
    pub margin: Rate,
    /// On idle cash.
    pub cash: Rate,
}

/// What some nights cost and earned in one currency, at 1e-9; none is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Financed {
    /// Fees for borrowed stock.
    pub borrow_nano: i128,
    /// Interest on borrowed cash.
    pub margin_nano: i128,
    /// Interest on idle cash.
    pub earned_nano: i128,
}

impl Ledger {
    /// The same books with the accounts of financing as part of their snapshots.
    #[must_use]
    pub fn with_financing(self) -> Ledger {
        Ledger { financed: true, ..self }
    }

    /// Accrues the nights from the day `from` up to the day `to`, by the balances and marks of now, to be paid on `pay`.
    /// `each` sees every currency in which there was something. A short position without a price costs nothing: there is
    /// no NAV either.
    ///
    /// # Errors
    /// `Overflow`. The currency's books are unchanged; those before it are booked.
    pub fn finance(
        &mut self,
        terms: &Financing,
        from: Date,
        to: Date,
        pay: Date,
        mut each: impl FnMut(Currency, Financed),
    ) -> Result<(), LedgerError> {
        let nights = i128::from(to.0).saturating_sub(from.0.into());
        if nights <= 0 {
            return Ok(());
        }
        let what = Overflow("interest");
        for at in 0..self.books.len() {
            let (short, borrow_nano) = self.borrowed(terms, at, nights)?;
            let cash = self.books.get(at).map_or(0, |b| b.balance(Account::Cash));
            let own = cash.checked_sub(short).ok_or(what)?;
            let rate = if own < 0 { &terms.margin } else { &terms.cash };
            let interest = of_year(own.saturating_abs(), rate.over(from, to))?;
            let (margin_nano, earned_nano) = if own < 0 { (interest, 0) } else { (0, interest) };
            let done = Financed { borrow_nano, margin_nano, earned_nano };
            if done == Financed::default() {
                continue;
            }
            let net = earned_nano.checked_sub(borrow_nano).and_then(|n| n.checked_sub(margin_nano)).ok_or(what)?;
            let postings = [
                (Account::Accrued, net),
                (Account::Borrow, borrow_nano),
                (Account::MarginInterest, margin_nano),
                (Account::Interest, earned_nano.checked_neg().ok_or(what)?),
            ];
            if let Some(books) = self.books.get_mut(at) {
                books.accrue_all(pay, net, postings)?;
            }
            each(self.currencies.get(at).copied().unwrap_or(Currency::USD), done);
        }
        Ok(())
    }

    /// Value of a currency's short positions, without sign, and the fee for it.
    fn borrowed(&self, terms: &Financing, at: usize, nights: i128) -> Result<(i128, i128), Overflow> {
        let (mut value, mut fee) = (0_i128, 0_i128);
        for (i, quantity) in self.quantity.iter().enumerate().filter(|(_, q)| **q < 0) {
            let id = InstrumentId(i as u32);
            let Some(mark) = self.mark(id).filter(|_| self.currency_index(id) == at) else { continue };
            let product = quantity.checked_mul(mark.nano().into()).ok_or(Overflow("value of a short position"))?;
            let own = div_nano_half_even(product).saturating_abs();
            let rate = i128::from(terms.borrow_nano.get(i).copied().unwrap_or_default()).saturating_mul(nights);
            fee = fee.checked_add(of_year(own, rate)?).ok_or(Overflow("borrow fee"))?;
            value = value.checked_add(own).ok_or(Overflow("value of short positions"))?;
        }
        Ok((value, fee))
    }
}

/// A share at 1e-9 a year, summed over days, of an amount.
fn of_year(amount: i128, rate_days: i128) -> Result<i128, Overflow> {
    mul_div_half_even(amount, rate_days, i128::from(NANO).saturating_mul(YEAR)).ok_or(Overflow("interest"))
}
