//! Agents over a panel: against opinions computed elsewhere on real prices, and what must hold for any prices.
#![allow(clippy::unwrap_used, reason = "helpers outside #[test] functions fail the test too")]

mod fixture;
mod oracles;
mod properties;
