//! The life of an order, and the simulated exchange. An order that was not approved cannot be expressed here: sending
//! takes an `Approved<Order>` by value.
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

mod codec;
mod costs;
mod exchange;
mod orders;
mod state;

pub use costs::{FillCosts, Frictions, RETURNS_MIN, TRAILING_BARS};
pub use exchange::Exchange;
pub use orders::{Applied, OpenOrder, Orders};
pub use state::{Input, OrderState, TRANSITIONS, next};
