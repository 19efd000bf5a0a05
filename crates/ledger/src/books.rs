//! The accounts of one currency. A transaction is applied as a whole or not at all.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{Date, Overflow};

/// Accounts of one currency. Debits are positive: assets and expenses grow upward, income and capital downward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Account {
    /// Money at the broker, settled and unsettled.
    Cash = 0,
    /// Cost of what is held (negative for short positions).
    Positions = 1,
    /// Commissions paid.
    Fees = 2,
    /// Results of closed lots (a gain is negative, as income is).
    Realised = 3,
    /// Deposits and withdrawals.
    Capital = 4,
    /// Dividends received.
    Dividends = 5,
    /// Interest received on cash.
    Interest = 6,
    /// The counterpart of currency trades, so that each currency balances by itself.
    Exchange = 7,
    /// Dividends and interest that are due and not paid yet: a receivable, or what a short position or a loan owes.
    Accrued = 8,
    /// Fees for borrowed stock.
    Borrow = 9,
    /// Interest paid on borrowed cash.
    MarginInterest = 10,
}

const N_ACCOUNTS: usize = 11;
/// Accounts that every snapshot has; the others are there with financing only.
const N_ALWAYS: usize = 9;

/// Balances of one currency, its cash that has not settled, and the days on which accrued dividends are paid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CurrencyBooks {
    balances: [i128; N_ACCOUNTS],
    /// Cash by settlement date, oldest first.
    unsettled: Vec<(Date, i128)>,
    /// Accrued amounts by payment date, oldest first.
    accrued: Vec<(Date, i128)>,
    /// What sales brought, by settlement date, oldest first: the part of `unsettled` that came in.
    proceeds: Vec<(Date, i128)>,
}

impl CurrencyBooks {
    /// Balance of an account at 1e-9; debits are positive.
    #[inline]
    #[must_use]
    pub fn balance(&self, account: Account) -> i128 {
        self.balances.get(account as usize).copied().unwrap_or_default()
    }

    /// True if all accounts sum to zero and the payments to come sum to what is accrued.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let payments = self.accrued.iter().try_fold(0_i128, |sum, (_, amount)| sum.checked_add(*amount));
        self.balances.iter().try_fold(0_i128, |sum, b| sum.checked_add(*b)) == Some(0)
            && payments == Some(self.balance(Account::Accrued))
    }

    /// Cash that is not settled yet.
    #[must_use]
    pub fn unsettled(&self) -> i128 {
        self.unsettled.iter().fold(0, |sum, (_, amount)| sum.saturating_add(*amount))
    }

    /// Applies postings that must sum to zero.
    ///
    /// # Errors
    /// `Overflow` if a balance does not fit or the postings do not sum to zero; the books are as before.
    #[inline]
    pub(crate) fn post<const N: usize>(&mut self, postings: [(Account, i128); N]) -> Result<(), Overflow> {
        let mut after = self.balances;
        let mut sum = 0_i128;
        for (account, amount) in postings {
            sum = sum.checked_add(amount).ok_or(Overflow("sum of postings"))?;
            if let Some(balance) = after.get_mut(account as usize) {
                *balance = balance.checked_add(amount).ok_or(Overflow("account balance"))?;
            }
        }
        if sum != 0 {
            return Err(Overflow("postings that do not sum to zero"));
        }
        self.balances = after;
        Ok(())
    }

    /// Proceeds of sales that have not settled. What buys will pay is not taken off: that cash is spent.
    #[inline]
    #[must_use]
    pub fn unsettled_proceeds(&self) -> i128 {
        self.proceeds.iter().fold(0, |sum, (_, amount)| sum.saturating_add(*amount))
    }

    /// Notes that a cash posting settles on a date.
    pub(crate) fn settle_later(&mut self, date: Date, amount: i128) {
        note(&mut self.unsettled, date, amount);
        if amount > 0 {
            note(&mut self.proceeds, date, amount);
        }
    }

    /// Books a dividend that is paid on a date (negative if it is owed).
    ///
    /// # Errors
    /// As `post`.
    pub(crate) fn accrue(&mut self, pay: Date, amount: i128) -> Result<(), Overflow> {
        let income = amount.checked_neg().ok_or(Overflow("dividend"))?;
        self.accrue_all(pay, amount, [(Account::Accrued, amount), (Account::Dividends, income)])
    }

    /// Books postings of which `amount` is accrued and paid on a date.
    ///
    /// # Errors
    /// As `post`.
    pub(crate) fn accrue_all<const N: usize>(
        &mut self,
        pay: Date,
        amount: i128,
        postings: [(Account, i128); N],
    ) -> Result<(), Overflow> {
        self.post(postings)?;
        note(&mut self.accrued, pay, amount);
        Ok(())
    }

    /// Settles what is due on or before a date: cash is settled, and dividends become cash.
    ///
    /// # Errors
    /// `Overflow` if the cash does not fit; what is not paid stays accrued.
    pub(crate) fn settle_through(&mut self, date: Date) -> Result<(), Overflow> {
        if self.unsettled.first().is_some_and(|(d, _)| *d <= date) {
            self.unsettled.retain(|(d, _)| *d > date);
            self.proceeds.retain(|(d, _)| *d > date);
        }
        while let Some((_, amount)) = self.accrued.first().copied().filter(|(d, _)| *d <= date) {
            let out = amount.checked_neg().ok_or(Overflow("dividend"))?;
            self.post([(Account::Cash, amount), (Account::Accrued, out)])?;
            self.accrued.remove(0);
        }
        Ok(())
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        self.balances.iter().take(N_ALWAYS).for_each(|b| to.i128(*b));
        for dated in [&self.unsettled, &self.accrued, &self.proceeds] {
            to.len(dated.len());
            for (date, amount) in dated {
                to.i32(date.0);
                to.i128(*amount);
            }
        }
    }

    pub(crate) fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut books = CurrencyBooks::default();
        for b in books.balances.iter_mut().take(N_ALWAYS) {
            *b = from.i128("balance")?;
        }
        for dated in [&mut books.unsettled, &mut books.accrued, &mut books.proceeds] {
            for _ in 0..from.len("dated amounts")? {
                dated.push((Date(from.i32("date")?), from.i128("dated amount")?));
            }
        }
        Ok(books)
    }

    /// The accounts of financing.
    pub(crate) fn save_financing(&self, to: &mut Encoder) {
        self.balances.iter().skip(N_ALWAYS).for_each(|b| to.i128(*b));
    }

    pub(crate) fn load_financing(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        for b in self.balances.iter_mut().skip(N_ALWAYS) {
            *b = from.i128("balance")?;
        }
        Ok(())
    }
}

/// Adds an amount to those of its date, in order of dates.
fn note(dated: &mut Vec<(Date, i128)>, date: Date, amount: i128) {
    match dated.iter_mut().rev().find(|(d, _)| *d <= date) {
        Some((d, sum)) if *d == date => *sum = sum.saturating_add(amount),
        _ => {
            let at = dated.partition_point(|(d, _)| *d < date);
            dated.insert(at, (date, amount));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_applied_as_a_whole_or_not_at_all() {
        let mut b = CurrencyBooks::default();
        b.post([(Account::Cash, 10), (Account::Capital, -10)]).unwrap();
        assert!(b.post([(Account::Cash, 1), (Account::Capital, -2)]).is_err());
        assert!(b.post([(Account::Cash, i128::MAX), (Account::Capital, -i128::MAX)]).is_err());
        assert_eq!(b.balance(Account::Cash), 10);
        assert!(b.is_balanced());
    }

    #[test]
    fn cash_settles_by_date() {
        let mut b = CurrencyBooks::default();
        for (day, amount) in [(3, 30), (1, 10), (3, 3), (2, 20)] {
            b.settle_later(Date(day), amount);
        }
        assert_eq!(b.unsettled, vec![(Date(1), 10), (Date(2), 20), (Date(3), 33)]);
        b.settle_through(Date(2)).unwrap();
        assert_eq!(b.unsettled(), 33);
    }

    /// A sale of 30 and a buy of 50 settle together: the 30 are not there yet, and the 50 are gone already.
    #[test]
    fn proceeds_are_not_reduced_by_buys_of_the_same_date() {
        let mut b = CurrencyBooks::default();
        b.settle_later(Date(2), 30);
        b.settle_later(Date(2), -50);
        assert_eq!((b.unsettled(), b.unsettled_proceeds()), (-20, 30));
        let mut e = Encoder::new();
        b.save(&mut e);
        assert_eq!(CurrencyBooks::load(&mut Decoder::new(e.as_bytes())).unwrap(), b);
        b.settle_through(Date(2)).unwrap();
        assert_eq!((b.unsettled(), b.unsettled_proceeds()), (0, 0));
    }

    #[test]
    fn a_dividend_is_accrued_and_paid_on_its_day() {
        let mut b = CurrencyBooks::default();
        for (day, amount) in [(3, 30), (1, -10), (3, 3)] {
            b.accrue(Date(day), amount).unwrap();
            assert!(b.is_balanced());
        }
        assert_eq!((b.balance(Account::Accrued), b.balance(Account::Dividends)), (23, -23));
        b.settle_through(Date(2)).unwrap();
        assert_eq!((b.balance(Account::Cash), b.balance(Account::Accrued)), (-10, 33));
        b.settle_through(Date(9)).unwrap();
        assert_eq!((b.balance(Account::Cash), b.balance(Account::Accrued)), (23, 0));
        assert!(b.is_balanced());
    }
}
