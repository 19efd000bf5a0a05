//! Agents over a panel: against opinions computed elsewhere on real prices, and what must hold for any prices.

mod fixture;
mod oracles;
mod properties;
