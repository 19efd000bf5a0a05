//! `Refusal`: the answer no, with the rule, its limit and what was asked.

/// The rules of the gate, in their order of precedence: the first that refuses is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Rule {
    /// Trading is halted; only cancels pass.
    Halted = 0,
    /// Only orders that reduce the position pass.
    ReduceOnly = 1,
    /// The instrument does not trade (halted, delisted, an index, a contract on margin).
    NotTradable = 2,
    /// There is no price that is recent enough to judge the order by.
    NoPrice = 3,
    /// Quantity is zero, negative or no multiple of the lot.
    Lot = 4,
    /// A limit price off the tick.
    Tick = 5,
    /// A limit price too far from the last price.
    Collar = 6,
    /// Quantity of one order.
    OrderQuantity = 7,
    /// Notional of one order.
    OrderNotional = 8,
    /// Open orders of the account.
    OpenOrders = 9,
    /// Worst-case position of the instrument as a share of NAV.
    Position = 10,
    /// A worst-case short position where the mandate forbids one.
    Short = 11,
    /// Worst-case gross exposure as a share of NAV.
    Gross = 12,
    /// Cash after all holds.
    Cash = 13,
    /// A number that does not fit; nothing is sent on a guess.
    Overflow = 14,
}

impl Rule {
    /// All rules with their codes, in order of precedence.
    pub const ALL: [(Rule, &'static str); 15] = [
        (Rule::Halted, "HALTED"),
        (Rule::ReduceOnly, "REDUCE_ONLY"),
        (Rule::NotTradable, "NOT_TRADABLE"),
        (Rule::NoPrice, "NO_PRICE"),
        (Rule::Lot, "LOT"),
        (Rule::Tick, "TICK"),
        (Rule::Collar, "COLLAR"),
        (Rule::OrderQuantity, "ORDER_QUANTITY"),
        (Rule::OrderNotional, "ORDER_NOTIONAL"),
        (Rule::OpenOrders, "OPEN_ORDERS"),
        (Rule::Position, "POSITION"),
        (Rule::Short, "SHORT"),
        (Rule::Gross, "GROSS"),
        (Rule::Cash, "CASH"),
        (Rule::Overflow, "OVERFLOW"),
    ];

    /// The code that journals, reports and JSON carry.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(r, _)| *r == self).map_or("?", |(_, code)| code)
    }

    /// The rule with this number in a journal.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Rule> {
        Self::ALL.iter().map(|(r, _)| *r).find(|r| *r as u8 == byte)
    }
}

/// What the two numbers of a refusal count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Unit {
    /// 1e-9 units of the instrument.
    QuantityNano = 0,
    /// 1e-9 units of the account's currency.
    MoneyNano = 1,
    /// 1e-9 of NAV.
    NavNano = 2,
    /// 1e-9 of a price.
    PriceNano = 3,
    /// A plain count.
    Count = 4,
}

impl Unit {
    /// The unit with this number in a journal.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Unit> {
        Some(match byte {
            0 => Unit::QuantityNano,
            1 => Unit::MoneyNano,
            2 => Unit::NavNano,
            3 => Unit::PriceNano,
            4 => Unit::Count,
            _ => return None,
        })
    }
}

/// A rule said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// What the rule allows.
    pub limit: i128,
    /// What was asked.
    pub actual: i128,
    /// What both count.
    pub unit: Unit,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let show = |n: i128| match self.unit {
            Unit::Count => n.to_string(),
            Unit::NavNano => format!("{} % of NAV", crate::decimal::format_nano(n.saturating_mul(100))),
            _ => crate::decimal::format_nano(n),
        };
        write!(f, "{}: limit {}, asked {}", self.rule.code(), show(self.limit), show(self.actual))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_order_of_precedence_agree() {
        for (i, (rule, _)) in Rule::ALL.iter().enumerate() {
            assert_eq!(*rule as usize, i);
            assert_eq!(Rule::from_byte(i as u8), Some(*rule));
        }
        assert_eq!(Rule::from_byte(99), None);
    }
}
