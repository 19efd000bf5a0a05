//! `Refusal`: the answer no, with the rule, its limit and what was asked. `Rule::ALL` is the one registry of rules: the
//! order of precedence, the codes, and the table of `docs/refusals.md`, which a test writes from it.

/// The rules of the gate. Their numbers are those of journals and never change; the order in which they are asked is
/// that of `ALL`, and the first that refuses is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Rule {
    /// Trading is halted; only reductions that say so, and cancels, pass.
    Halted = 0,
    /// Only orders that reduce the position pass.
    ReduceOnly = 1,
    /// The instrument does not trade (halted, delisted, an index, a contract on margin).
    NotTradable = 2,
    /// There is no price to judge the order by.
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
    /// The breaker of the day's loss has tripped.
    DailyLoss = 15,
    /// The breaker of the fall from the peak has tripped.
    Drawdown = 16,
    /// The breaker of realised volatility has tripped.
    Volatility = 17,
    /// The breaker of overdue bars has tripped.
    StaleData = 18,
    /// The breaker of rejections by the venue has tripped.
    RejectRate = 19,
    /// The market is shut and the order cannot wait for its open.
    Session = 20,
    /// The last price is too old.
    StalePrice = 21,
    /// The same order again within a short time.
    Duplicate = 22,
    /// Orders in a period.
    OrderRate = 23,
    /// Notional in a period.
    NotionalRate = 24,
    /// Worst-case exposure of a sector.
    Sector = 25,
    /// A worst-case short position beyond what was located to borrow.
    Locate = 26,
    /// Worst-case net exposure.
    Net = 27,
    /// Worst-case value of what is owned, over NAV.
    Leverage = 28,
    /// Worst-case exposure in one currency.
    Currency = 29,
    /// Worst-case exposure on one venue.
    Venue = 30,
    /// Cash that has settled, after all holds.
    SettledCash = 31,
    /// Initial margin of the worst case.
    InitialMargin = 32,
    /// Maintenance margin of what is held.
    Maintenance = 33,
    /// Least equity for borrowing and for shorts.
    MinimumEquity = 34,
    /// Day trades of an account below the equity that they need.
    DayTrading = 35,
    /// An order that would leave an intraday margin deficit.
    IntradayMargin = 36,
}

/// What a person must know of a rule: one row of the table of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleRow {
    /// The rule.
    pub rule: Rule,
    /// The code that journals, reports and JSON carry.
    pub code: &'static str,
    /// What it checks, and what the two numbers of a refusal are.
    pub what: &'static str,
    /// What the two numbers count.
    pub unit: &'static str,
    /// Keys of the mandate that set the limit; empty for what is always on.
    pub key: &'static str,
    /// When it is off or does not apply.
    pub off: &'static str,
    /// The regulation or text behind it; empty for the product's own.
    pub source: &'static str,
}

const fn row(
    rule: Rule,
    code: &'static str,
    unit: &'static str,
    key: &'static str,
    off: &'static str,
    source: &'static str,
    what: &'static str,
) -> RuleRow {
    RuleRow { rule, code, what, unit, key, off, source }
}

const COUNT: &str = "count";
const UNITS: &str = "units of the instrument";
const PRICE: &str = "price";
const MONEY: &str = "money, base currency";
const SHARE: &str = "share of net asset value";
const MARKET_ACCESS: &str = "17 CFR 240.15c3-5(c)(1)(ii)";
const CAPITAL: &str = "17 CFR 240.15c3-5(c)(1)(i)";
const RTS6: &str = "RTS 6 art. 15";
const LATCH: &str = "not set, reductions";

impl Rule {
    /// All rules in order of precedence.
    #[rustfmt::skip]
    pub const ALL: [RuleRow; 37] = [
        row(Rule::Halted, "HALTED", COUNT, "", "no halt in force", "RTS 6 art. 12",
            "trading is halted by a person; an order sent as a reduction (flatten) and every cancel still pass"),
        row(Rule::DailyLoss, "DAILY_LOSS", SHARE, "`[breakers] daily_loss`", LATCH, CAPITAL,
            "breaker tripped: loss of the UTC day, of the value at its start"),
        row(Rule::Drawdown, "DRAWDOWN", SHARE, "`[breakers] drawdown`", LATCH, CAPITAL,
            "breaker tripped: fall from the highest value seen at a bar, of that value"),
        row(Rule::Volatility, "VOLATILITY", SHARE, "`[breakers] volatility`", LATCH, "Andersen, Bollerslev, Diebold, Labys (2003), realised variance",
            "breaker tripped: realised volatility of the account, the root of the sum of squared returns of the last bars"),
        row(Rule::StaleData, "STALE_DATA", COUNT, "`[breakers] stale_bars`", LATCH, RTS6,
            "breaker tripped: lengths of a bar since the last bar of a feed, counted from the session's open"),
        row(Rule::RejectRate, "REJECT_RATE", COUNT, "`[breakers] rejects`", LATCH, RTS6,
            "breaker tripped: orders that the venue rejected among the last ones"),
        row(Rule::ReduceOnly, "REDUCE_ONLY", UNITS, "", "no latch", "",
            "the instrument is latched, or the order was sent as a reduction, or a protective stop filled on its side less than `[exits] cooldown` ago: units that it can still close, against its own"),
        row(Rule::NotTradable, "NOT_TRADABLE", COUNT, "", "never", "",
            "suspended, delisted, an index, a contract on margin or unknown; shows the instrument's number"),
        row(Rule::Session, "SESSION", COUNT, "`[limits] session`", "off, 24/7", "RTS 6 art. 15; design of sessions",
            "the market is shut and the order cannot wait: a limit that must fill at once, or any order if only open markets are allowed; shows the instrument's number"),
        row(Rule::NoPrice, "NO_PRICE", COUNT, "", "never", "",
            "no price to judge the order by; for an order that adds risk also no net asset value or exchange rate"),
        row(Rule::StalePrice, "STALE_PRICE", "seconds", "`[limits] price_age`", "not set, reductions", MARKET_ACCESS,
            "age of the last price by which the order is judged, also of a market order"),
        row(Rule::Lot, "LOT", UNITS, "`[instruments] lot`", "never", "",
            "quantity is above zero and a whole number of lots"),
        row(Rule::Tick, "TICK", PRICE, "`[instruments] tick`", "tick 0 (adjusted series), market orders", "17 CFR 242.612",
            "a limit price is a whole number of ticks"),
        row(Rule::Collar, "COLLAR", PRICE, "`[limits] collar`", "not set, market orders", RTS6,
            "a limit price at most this far beyond the last price: above for a buy, below for a sale"),
        row(Rule::OrderQuantity, "ORDER_QUANTITY", UNITS, "`[limits] order_quantity`", "not set", MARKET_ACCESS,
            "units of one order"),
        row(Rule::OrderNotional, "ORDER_NOTIONAL", MONEY, "`[limits] order_notional`", "not set; a reduction without an exchange rate", MARKET_ACCESS,
            "notional of one order: a market buy at the collar and half a spread, a sale at the higher of limit and last price"),
        row(Rule::Duplicate, "DUPLICATE", COUNT, "`[limits] duplicates`", LATCH, MARKET_ACCESS,
            "orders of the same instrument, side, quantity and price within a period, this one included"),
        row(Rule::OrderRate, "ORDER_RATE", COUNT, "`[limits] orders`", LATCH, MARKET_ACCESS,
            "approved orders within a period, this one included"),
        row(Rule::NotionalRate, "NOTIONAL_RATE", MONEY, "`[limits] turnover`", LATCH, MARKET_ACCESS,
            "notional of approved orders within a period, this one included"),
        row(Rule::OpenOrders, "OPEN_ORDERS", COUNT, "`[limits] open_orders`", "`off`", RTS6,
            "open orders of the account, this one included"),
        row(Rule::Position, "POSITION", SHARE, "`[limits] position`", LATCH, CAPITAL,
            "position with all open orders of the side, at the higher of order price and last price"),
        row(Rule::Short, "SHORT", UNITS, "`[allocator] allow_short`", "`allow_short`, reductions", "",
            "position with all open sales"),
        row(Rule::Locate, "LOCATE", UNITS, "`[limits] locate`, `[instruments] locate`", LATCH, "17 CFR 242.203(b)(1)",
            "units short with all open sales, against those located to borrow"),
        row(Rule::Sector, "SECTOR", SHARE, "`[limits] sector`, `[instruments] sector`", "not set, sector unknown, reductions", CAPITAL,
            "sum over the sector's instruments of the largest position that open orders can make"),
        row(Rule::Gross, "GROSS", SHARE, "`[limits] gross`", LATCH, CAPITAL,
            "sum over instruments of the largest position that open orders can make"),
        row(Rule::Net, "NET", SHARE, "`[limits] net`", LATCH, CAPITAL,
            "sum of signed positions with all open orders of the order's side; shown without its sign"),
        row(Rule::Leverage, "LEVERAGE", SHARE, "`[limits] leverage`", LATCH, CAPITAL,
            "value of what is owned with all open buys filled: above 1 it is paid with borrowed money or proceeds of shorts"),
        row(Rule::Currency, "CURRENCY", SHARE, "`[limits] currency`", LATCH, CAPITAL,
            "sum over the instruments priced in the currency of the largest position that open orders can make"),
        row(Rule::Venue, "VENUE", SHARE, "`[limits] venue`", LATCH, CAPITAL,
            "sum over the venue's instruments of the largest position that open orders can make"),
        row(Rule::MinimumEquity, "MINIMUM_EQUITY", MONEY, "`[account] kind`", "no margin account, paid in full, reductions", "FINRA Rule 4210(b)",
            "equity of an account that would borrow money or go short"),
        row(Rule::DayTrading, "DAY_TRADING", COUNT, "`[account] kind`", "no margin account, from 2026-06-04, equity of 25,000, reductions", "FINRA Rule 4210(f)(8)(B) before 2026-06-04",
            "day trades of the last five business days if this position is closed on the day on which it opens"),
        row(Rule::Maintenance, "MAINTENANCE", MONEY, "`[account] kind`", "no margin account, reductions", "FINRA Rule 4210(c)",
            "equity against the maintenance margin of what is held; before 2026-06-04 with this order and all open ones filled"),
        row(Rule::IntradayMargin, "INTRADAY_MARGIN", MONEY, "`[account] kind`", "no margin account, before 2026-06-04, reductions", "FINRA Rule 4210(d)(2) from 2026-06-04",
            "equity against the maintenance margin with this order and all open ones filled: blocked at once, so that no intraday deficit begins"),
        row(Rule::InitialMargin, "INITIAL_MARGIN", MONEY, "`[account] kind`", "no margin account, reductions", "Regulation T, 12 CFR 220.12",
            "equity against the initial margin with this order and all open ones filled"),
        row(Rule::Cash, "CASH", "money, instrument's currency", "`[account] cash`", "margin account", "",
            "a buy's notional and fee, a sale's fee beyond its proceeds, against cash after all reservations"),
        row(Rule::SettledCash, "SETTLED_CASH", "money, instrument's currency", "`[account] kind`, `[account] settlement`", "no cash account, sales", "Regulation T, 12 CFR 220.8(a), (c)",
            "a buy's notional and fee against settled cash after all reservations: proceeds that have not settled are not spent"),
        row(Rule::Overflow, "OVERFLOW", COUNT, "", "never", "",
            "a number that does not fit; nothing is sent on a guess"),
    ];

    /// What the table of refusals says of the rule.
    #[must_use]
    pub fn about(self) -> &'static RuleRow {
        const TABLE: &[RuleRow; 37] = &Rule::ALL;
        let [first, ..] = TABLE;
        // Every rule has a row: a test holds it.
        TABLE.iter().find(|r| r.rule == self).unwrap_or(first)
    }

    /// The code that journals, reports and JSON carry.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.about().code
    }

    /// The rule with this number in a journal.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Rule> {
        Self::ALL.iter().map(|r| r.rule).find(|r| *r as u8 == byte)
    }

    /// Place in the order of precedence, from 0.
    #[must_use]
    pub fn precedence(self) -> usize {
        Self::ALL.iter().position(|r| r.rule == self).unwrap_or_default()
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
    /// Nanoseconds.
    Nanos = 5,
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
            5 => Unit::Nanos,
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
            Unit::Nanos => format!("{} s", crate::decimal::format_nano(n)),
            _ => crate::decimal::format_nano(n),
        };
        write!(f, "{}: limit {}, asked {}", self.rule.code(), show(self.limit), show(self.actual))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_row_and_a_number_of_its_own_without_a_gap() {
        let mut numbers: Vec<u8> = Rule::ALL.iter().map(|r| r.rule as u8).collect();
        numbers.sort_unstable();
        assert!(numbers.iter().map(|n| usize::from(*n)).eq(0..Rule::ALL.len()));
        for (at, r) in Rule::ALL.iter().enumerate() {
            assert_eq!((Rule::from_byte(r.rule as u8), r.rule.precedence()), (Some(r.rule), at));
            assert_eq!(r.rule.about(), r);
        }
        assert_eq!(Rule::from_byte(99), None);
        let mut codes: Vec<_> = Rule::ALL.map(|r| r.code).to_vec();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Rule::ALL.len());
    }

    /// The numbers of version 1 and 2 of the journal, written down when they were in use.
    #[test]
    fn numbers_of_old_journals_mean_what_they_meant() {
        let codes = [
            "HALTED",
            "REDUCE_ONLY",
            "NOT_TRADABLE",
            "NO_PRICE",
            "LOT",
            "TICK",
            "COLLAR",
            "ORDER_QUANTITY",
            "ORDER_NOTIONAL",
            "OPEN_ORDERS",
            "POSITION",
            "SHORT",
            "GROSS",
            "CASH",
            "OVERFLOW",
        ];
        for (byte, code) in (0_u8..).zip(codes) {
            assert_eq!(Rule::from_byte(byte).map(Rule::code), Some(code));
        }
    }
}
