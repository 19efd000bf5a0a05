//! The limits of an account, from its mandate. `None` means that a limit is off, and the report says so.

use tradegraph_domain::{Bps, Commission, Quantity};

/// Limits that the gate holds on every order, on the worst case with all open orders filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Units of one order.
    pub order_quantity: Option<Quantity>,
    /// Notional of one order at 1e-9 of the base currency.
    pub order_notional_nano: Option<i128>,
    /// Open orders of the account.
    pub open_orders: Option<u32>,
    /// |position| of one instrument in 1e-9 of NAV.
    pub position_nano_nav: Option<i64>,
    /// Whether positions may be short.
    pub allow_short: bool,
    /// Σ |position| in 1e-9 of NAV.
    pub gross_nano_nav: Option<i64>,
    /// Furthest a limit price may be from the last price; also how far beyond the last price cash is held.
    pub collar: Option<Bps>,
    /// The commission by which cash is held; the one that the venue charges.
    pub commission: Commission,
    /// The half-spread by which cash is held.
    pub half_spread: Bps,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            order_quantity: None,
            order_notional_nano: None,
            open_orders: Some(10_000),
            position_nano_nav: None,
            allow_short: false,
            gross_nano_nav: None,
            collar: None,
            commission: Commission::default(),
            half_spread: Bps::ZERO,
        }
    }
}
