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
    /// Interest received or paid.
    Interest = 6,
    /// The counterpart of currency trades, so that each currency balances by itself.
    Exchange = 7,
}

const N_ACCOUNTS: usize = 8;

/// Balances of one currency, and its cash that has not settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CurrencyBooks {
    balances: [i128; N_ACCOUNTS],
    /// Cash by settlement date, oldest first.
    unsettled: Vec<(Date, i128)>,
}

impl CurrencyBooks {
    /// Balance of an account at 1e-9; debits are positive.
    #[inline]
    #[must_use]
    pub fn balance(&self, account: Account) -> i128 {
        self.balances.get(account as usize).copied().unwrap_or_default()
    }

    /// True if all accounts sum to zero.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.balances.iter().try_fold(0_i128, |sum, b| sum.checked_add(*b)) == Some(0)
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

    /// Notes that a cash posting settles on a date.
    pub(crate) fn settle_later(&mut self, date: Date, amount: i128) {
        match self.unsettled.iter_mut().rev().find(|(d, _)| *d <= date) {
            Some((d, sum)) if *d == date => *sum = sum.saturating_add(amount),
            _ => {
                let at = self.unsettled.partition_point(|(d, _)| *d < date);
                self.unsettled.insert(at, (date, amount));
            }
        }
    }

    /// Settles what is due on or before a date.
    pub(crate) fn settle_through(&mut self, date: Date) {
        if self.unsettled.first().is_some_and(|(d, _)| *d <= date) {
            self.unsettled.retain(|(d, _)| *d > date);
        }
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        self.balances.iter().for_each(|b| to.i128(*b));
        to.len(self.unsettled.len());
        for (date, amount) in &self.unsettled {
            to.i32(date.0);
            to.i128(*amount);
        }
    }

    pub(crate) fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut books = CurrencyBooks::default();
        for b in &mut books.balances {
            *b = from.i128("balance")?;
        }
        for _ in 0..from.len("unsettled cash")? {
            books.unsettled.push((Date(from.i32("settlement date")?), from.i128("unsettled cash")?));
        }
        Ok(books)
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
        b.settle_through(Date(2));
        assert_eq!(b.unsettled(), 33);
    }
}
