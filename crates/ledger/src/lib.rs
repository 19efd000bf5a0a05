//! Double-entry books: cash, positions, FIFO lots, fees, realised and unrealised results, holds and settlement.
//! The truth of what happened. Prices come from events only, and nothing is edited in place: every change is a
//! transaction whose postings sum to zero in each currency.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::arithmetic_side_effects
    )
)]

mod books;
mod execs;
mod holds;
mod ledger;
mod lots;

pub use books::{Account, CurrencyBooks};
pub use execs::SeenExecs;
pub use holds::{Hold, HoldId, Holds};
pub use ledger::{ActionBooked, FillBooked, Financed, Financing, Ledger, LedgerError, Nav, NavMissing, Rate};
pub use lots::{ClosedLot, Lot, LotBook};
