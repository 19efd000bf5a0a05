//! The limits of an account, from its mandate. `None` means that a limit is off, and the report says so.

use crate::breakers::Breakers;
use crate::windows::Windows;
use tradegraph_domain::{Bps, Commission, Nanos, Quantity};
use tradegraph_market::calendar::CalendarId;

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
    /// Units of each instrument that were located to borrow, in the order of the universe; an instrument beyond the
    /// end has none. `None` lets every instrument be borrowed.
    pub locate: Option<Vec<Quantity>>,
    /// Σ |position| in 1e-9 of NAV.
    pub gross_nano_nav: Option<i64>,
    /// |Σ position| in 1e-9 of NAV.
    pub net_nano_nav: Option<i64>,
    /// Value of what is owned (Σ of long positions) in 1e-9 of NAV: above 1e9 it is paid with borrowed money or with
    /// the proceeds of shorts.
    pub leverage_nano_nav: Option<i64>,
    /// Σ |position| of the instruments of a sector.
    pub sector: Groups,
    /// Σ |position| of the instruments priced in a currency.
    pub currency: Groups,
    /// Σ |position| of the instruments of a venue.
    pub venue: Groups,
    /// Furthest a limit price may be from the last price; also how far beyond the last price cash is held.
    pub collar: Option<Bps>,
    /// Oldest that the last price may be for an order that adds risk.
    pub price_age: Option<Nanos>,
    /// Which orders pass while their market is shut.
    pub session: SessionRule,
    /// Whose sessions each instrument has, in the order of the universe; without an entry it trades always.
    pub calendars: Vec<Option<CalendarId>>,
    /// Orders, notional and repetitions in a period.
    pub windows: Windows,
    /// What stops an account that loses money or whose data or venue fail.
    pub breakers: Breakers,
    /// What the account may spend and borrow.
    pub account: AccountKind,
    /// The commission by which cash is held; the one that the venue charges.
    pub commission: Commission,
    /// The half-spread by which cash is held.
    pub half_spread: Bps,
}

/// Which group each instrument belongs to, and what all instruments of a group may come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// Group of each instrument, in the order of the universe; beyond the end, or `Groups::NONE`, none.
    pub of: Vec<u16>,
    /// Σ |position| of one group in 1e-9 of NAV; `None` is off.
    pub nano_nav: Option<i64>,
}

impl Groups {
    /// An instrument of no group.
    pub const NONE: u16 = u16::MAX;

    /// Numbers groups by their names, in the order in which they come. More than 65,535 names share the last number,
    /// which is stricter.
    #[must_use]
    pub fn named<'a>(names: impl IntoIterator<Item = Option<&'a str>>, nano_nav: Option<i64>) -> Groups {
        let mut known: Vec<&str> = Vec::new();
        let of = names.into_iter().map(|name| {
            let Some(name) = name else { return Groups::NONE };
            let at = known.iter().position(|k| *k == name).unwrap_or_else(|| {
                known.push(name);
                known.len().saturating_sub(1)
            });
            u16::try_from(at).unwrap_or(Groups::NONE).min(Groups::NONE.saturating_sub(1))
        });
        Groups { of: of.collect(), nano_nav }
    }

    /// The group of an instrument, if the limit is on.
    #[inline]
    pub(crate) fn group(&self, i: usize) -> Option<usize> {
        self.nano_nav?;
        self.of.get(i).filter(|g| **g != Groups::NONE).map(|g| usize::from(*g))
    }

    /// Number of groups; 0 if the limit is off.
    pub(crate) fn len(&self) -> usize {
        if self.nano_nav.is_none() {
            return 0;
        }
        self.of.iter().filter(|g| **g != Groups::NONE).max().map_or(0, |g| usize::from(*g).saturating_add(1))
    }
}

/// Which orders pass while the market of their instrument is shut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionRule {
    /// All.
    Off,
    /// Those that may wait for the next open: market orders, which fill at it, and limits that live as long. A limit
    /// that must fill at once is refused.
    #[default]
    Waiting,
    /// None.
    OpenOnly,
}

/// What an account may spend and borrow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccountKind {
    /// Buys are paid with cash, settled or not; shorts need no margin.
    #[default]
    Unrestricted,
    /// Buys are paid with settled cash (Regulation T, 12 CFR 220.8).
    Cash,
    /// Buys and shorts need margin by the rules of the United States in force at the order's date.
    Margin,
}

impl AccountKind {
    /// All kinds with the names used in mandates.
    pub const ALL: [(AccountKind, &'static str); 3] =
        [(AccountKind::Unrestricted, "unrestricted"), (AccountKind::Cash, "cash"), (AccountKind::Margin, "margin")];
}

impl Limits {
    /// True if a rule needs sums over all instruments.
    pub(crate) fn needs_sums(&self) -> bool {
        let groups = [&self.sector, &self.currency, &self.venue];
        self.gross_nano_nav.is_some()
            || self.net_nano_nav.is_some()
            || self.leverage_nano_nav.is_some()
            || self.account == AccountKind::Margin
            || groups.iter().any(|g| g.nano_nav.is_some())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            order_quantity: None,
            order_notional_nano: None,
            open_orders: Some(10_000),
            position_nano_nav: None,
            allow_short: false,
            locate: None,
            gross_nano_nav: None,
            net_nano_nav: None,
            leverage_nano_nav: None,
            sector: Groups::default(),
            currency: Groups::default(),
            venue: Groups::default(),
            collar: None,
            price_age: None,
            session: SessionRule::default(),
            calendars: Vec::new(),
            windows: Windows::default(),
            breakers: Breakers::default(),
            account: AccountKind::default(),
            commission: Commission::default(),
            half_spread: Bps::ZERO,
        }
    }
}
