//! What accounts of the United States must put up, as dated rules: initial and maintenance margin, least equity, day
//! trades, intraday margin.
//!
//! What is simpler than the rules, always on the strict side: initial margin is asked of the whole account at every
//! order that adds risk, not of the new trade alone (no special memorandum account); the intraday deficit of Rule
//! 4210(d)(2) is blocked before it begins, which the rule lets a firm do, so no deficit has to be met within five days.
//! Other than shares and funds (currencies, coins, commodities) is paid in full, as 220.12(e) asks of non-margin
//! securities. Left out: house requirements above these, concentrated and leveraged funds, portfolio margin, options.

use std::collections::VecDeque;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{AssetClass, Date, NANO, Overflow, Price, Quantity, mul_div_half_even};
use tradegraph_market::calendar::CalendarId;

/// A rule of a jurisdiction, in force from a date until before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatedRule {
    /// Whose rule: ISO 3166.
    pub jurisdiction: &'static str,
    /// First date.
    pub valid_from: Date,
    /// First date after it; `None` while in force.
    pub valid_to: Option<Date>,
    /// What it demands.
    pub demand: Demand,
    /// Where it is written.
    pub source: &'static str,
}

/// What a rule demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Equity for a new position, in 1e-9 of its value.
    Initial {
        /// Long shares.
        long: i64,
        /// Short shares, beyond the proceeds.
        short: i64,
        /// What is no margin security.
        other: i64,
    },
    /// Equity while a position is held.
    Maintenance {
        /// Long shares, in 1e-9 of their value.
        long: i64,
        /// Short shares at `low_price` or above: the greater of a share of their value and an amount for each.
        short: i64,
        /// Price per share at 1e-9.
        short_each: i64,
        /// Below this price at 1e-9 the next two hold.
        low_price: i64,
        /// In 1e-9 of the value of cheap short shares.
        cheap: i64,
        /// For each cheap short share, at 1e-9.
        cheap_each: i64,
    },
    /// Least equity for borrowing and for shorts, at 1e-9.
    MinimumEquity(i128),
    /// `trades` day trades within five business days need an equity, if they are more than a share of all trades.
    DayTrading {
        /// Day trades that make a pattern.
        trades: u32,
        /// Of all trades, in 1e-9.
        share: i64,
        /// Equity at 1e-9.
        equity: i128,
    },
    /// No order may leave an intraday margin deficit.
    Intraday,
}

/// Shares of a value in 1e-9.
const fn percent(n: i64) -> i64 {
    n.saturating_mul(10_000_000)
}

/// Whole units at 1e-9.
const fn whole(n: i64) -> i64 {
    n.saturating_mul(NANO)
}

const REGULATION_T: Date = Date(1_463); // 1974-01-03: 50 % since then
const DAY_TRADING: Date = Date(11_593); // 2001-09-28
const INTRADAY: Date = Date(20_608); // 2026-06-04

/// The rules of margin accounts.
pub const RULES: [DatedRule; 5] = [
    DatedRule {
        jurisdiction: "US",
        valid_from: REGULATION_T,
        valid_to: None,
        demand: Demand::Initial { long: percent(50), short: percent(50), other: percent(100) },
        source: "Regulation T, 12 CFR 220.12(a), (c), (e)",
    },
    DatedRule {
        jurisdiction: "US",
        valid_from: REGULATION_T,
        valid_to: None,
        demand: Demand::Maintenance {
            long: percent(25),
            short: percent(30),
            short_each: whole(5),
            low_price: whole(5),
            cheap: percent(100),
            cheap_each: 2_500_000_000,
        },
        source: "FINRA Rule 4210(c)(1) to (3)",
    },
    DatedRule {
        jurisdiction: "US",
        valid_from: REGULATION_T,
        valid_to: None,
        demand: Demand::MinimumEquity(2_000 * NANO as i128),
        source: "FINRA Rule 4210(b)",
    },
    DatedRule {
        jurisdiction: "US",
        valid_from: DAY_TRADING,
        valid_to: Some(INTRADAY),
        demand: Demand::DayTrading { trades: 4, share: percent(6), equity: 25_000 * NANO as i128 },
        source: "FINRA Rule 4210(f)(8)(B), until replaced by SR-FINRA-2025-017",
    },
    DatedRule {
        jurisdiction: "US",
        valid_from: INTRADAY,
        valid_to: None,
        demand: Demand::Intraday,
        source: "FINRA Rule 4210(d)(2), SR-FINRA-2025-017, Regulatory Notice 26-10",
    },
];

/// The demands in force on a date. Dates before 1974 have those of 1974.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InForce {
    /// `Demand::Initial`: long, short, other.
    pub initial: (i64, i64, i64),
    /// `Demand::Maintenance`.
    pub maintenance: Maintenance,
    /// `Demand::MinimumEquity`.
    pub minimum_equity: i128,
    /// `Demand::DayTrading`: trades, share, equity.
    pub day_trading: Option<(u32, i64, i128)>,
    /// `Demand::Intraday`.
    pub intraday: bool,
}

/// `Demand::Maintenance` as one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Maintenance {
    long: i64,
    short: i64,
    short_each: i64,
    low_price: i64,
    cheap: i64,
    cheap_each: i64,
}

impl InForce {
    /// The demands of a date.
    #[must_use]
    pub fn on(date: Date) -> InForce {
        let date = date.max(REGULATION_T);
        let mut f = InForce::default();
        for rule in RULES.iter().filter(|r| r.valid_from <= date && r.valid_to.is_none_or(|end| date < end)) {
            match rule.demand {
                Demand::Initial { long, short, other } => f.initial = (long, short, other),
                Demand::Maintenance { long, short, short_each, low_price, cheap, cheap_each } => {
                    f.maintenance = Maintenance { long, short, short_each, low_price, cheap, cheap_each };
                }
                Demand::MinimumEquity(equity) => f.minimum_equity = equity,
                Demand::DayTrading { trades, share, equity } => f.day_trading = Some((trades, share, equity)),
                Demand::Intraday => f.intraday = true,
            }
        }
        f
    }

    /// Initial and maintenance margin of signed units at a price, at 1e-9 of the instrument's currency.
    ///
    /// # Errors
    /// `Overflow` if a number does not fit.
    pub fn margin(&self, class: AssetClass, units: i128, price: Price) -> Result<(i128, i128), Overflow> {
        if units == 0 {
            return Ok((0, 0));
        }
        let size = Quantity::from_nano(units.saturating_abs());
        let value = price.notional_nano(size)?.saturating_abs();
        let share = |of: i64| mul_div_half_even(value, of.into(), NANO.into()).ok_or(Overflow("margin"));
        let each = |amount: i64| Price::from_nano(amount).notional_nano(size);
        let (m, (long, short, other)) = (&self.maintenance, self.initial);
        if !matches!(class, AssetClass::Equity | AssetClass::Etf) {
            return Ok((share(other)?, share(other)?));
        }
        if units > 0 {
            return Ok((share(long)?, share(m.long)?));
        }
        let maintenance = if price.nano() < m.low_price {
            share(m.cheap)?.max(each(m.cheap_each)?)
        } else {
            share(m.short)?.max(each(m.short_each)?)
        };
        Ok((share(short)?, maintenance))
    }
}

/// Day trades and trades of the last five business days.
///
/// A day trade opens and closes a position of one security on one day. Fills that close after fills that opened are
/// one, until the next fill that opens (Regulatory Notice 21-13, trades that change direction).
#[derive(Clone, Debug, Default)]
pub(crate) struct DayTrades {
    /// Date, day trades and trades, oldest first, five at most.
    days: VecDeque<(Date, u32, u32)>,
    /// Instruments in which today's last trade opened, sorted.
    opened: Vec<u32>,
}

impl DayTrades {
    /// A fill of an instrument whose position was `before` and is `after`.
    pub(crate) fn fill(&mut self, date: Date, i: u32, before: i128, after: i128) {
        self.roll(date);
        let closed =
            before != 0 && (after.signum() != before.signum() || after.saturating_abs() < before.saturating_abs());
        let opens =
            after != 0 && (after.signum() != before.signum() || after.saturating_abs() > before.saturating_abs());
        let mut day_trade = 0;
        if closed && let Ok(at) = self.opened.binary_search(&i) {
            self.opened.remove(at);
            day_trade = 1;
        }
        if opens && let Err(at) = self.opened.binary_search(&i) {
            self.opened.insert(at, i);
        }
        if self.days.back().is_none_or(|(d, ..)| *d != date) {
            self.days.push_back((date, 0, 0));
        }
        if let Some((_, day, all)) = self.days.back_mut() {
            *day = day.saturating_add(day_trade);
            *all = all.saturating_add(1);
        }
    }

    /// Forgets what is older than five business days, the date's own included, and what was opened on another day.
    fn roll(&mut self, date: Date) {
        if self.days.back().is_some_and(|(d, ..)| *d != date) {
            self.opened.clear();
        }
        let first = first_of_five(date);
        while self.days.front().is_some_and(|(d, ..)| *d < first) {
            self.days.pop_front();
        }
    }

    /// Day trades and trades of the five business days that end with a date.
    pub(crate) fn count(&mut self, date: Date) -> (u32, u32) {
        self.roll(date);
        self.days.iter().fold((0, 0), |(d, a), (_, day, all)| (d.saturating_add(*day), a.saturating_add(*all)))
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        to.len(self.days.len());
        for (date, day, all) in &self.days {
            to.i32(date.0);
            to.u32(*day);
            to.u32(*all);
        }
        to.len(self.opened.len());
        self.opened.iter().for_each(|i| to.u32(*i));
    }

    pub(crate) fn load(from: &mut Decoder<'_>) -> Result<DayTrades, DecodeError> {
        let mut t = DayTrades::default();
        for _ in 0..from.len("days")? {
            t.days.push_back((Date(from.i32("date")?), from.u32("day trades")?, from.u32("trades")?));
        }
        t.opened = (0..from.len("opened today")?).map(|_| from.u32("instrument")).collect::<Result<_, _>>()?;
        Ok(t)
    }
}

/// The first of the five sessions of XNYS that end with a date; outside the calendar, six days before it.
fn first_of_five(date: Date) -> Date {
    let earliest = Date(date.0.saturating_sub(14));
    let sessions: Vec<Date> = CalendarId::Xnys.sessions(earliest, date).map(|s| s.date).collect();
    sessions.len().checked_sub(5).and_then(|at| sessions.get(at).copied()).unwrap_or(Date(date.0.saturating_sub(6)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn dates_are_those_of_their_sources() {
        assert_eq!((REGULATION_T, DAY_TRADING, INTRADAY), (date("1974-01-03"), date("2001-09-28"), date("2026-06-04")));
        let before = InForce::on(date("2026-06-03"));
        let after = InForce::on(date("2026-06-04"));
        assert_eq!((before.day_trading.map(|d| d.0), before.intraday), (Some(4), false));
        assert_eq!((after.day_trading, after.intraday), (None, true));
        assert_eq!(InForce::on(date("1950-01-01")), InForce::on(date("1990-01-01")));
        assert!(RULES.iter().all(|r| !r.source.is_empty() && r.valid_to.is_none_or(|end| r.valid_from < end)));
    }

    /// 100 shares: what Regulation T and Rule 4210(c) print, worked by hand.
    #[test]
    fn margins_by_hand() {
        use AssetClass::{Crypto, Equity};
        let f = InForce::on(date("2025-01-02"));
        for (class, units, price, initial, maintenance) in [
            (Equity, 100, "40", 2_000, 1_000),
            (Equity, -100, "40", 2_000, 1_200), // 30 % of 4,000 is more than 5 a share
            (Equity, -100, "10", 500, 500),     // 5 a share is more than 30 %
            (Equity, -100, "5", 250, 500),
            (Equity, -100, "4", 200, 400), // below 5: 100 % is more than 2.50 a share
            (Equity, -100, "1", 50, 250),  // 2.50 a share is more than 100 %
            (Crypto, 100, "40", 4_000, 4_000),
            (Equity, 0, "40", 0, 0),
        ] {
            let got = f.margin(class, units * i128::from(NANO), Price::parse(price).unwrap()).unwrap();
            let nano = |n: i64| i128::from(n) * i128::from(NANO);
            assert_eq!(got, (nano(initial), nano(maintenance)), "{units} at {price}");
        }
    }

    #[test]
    fn day_trades_count_what_opens_and_closes_on_a_day() {
        let mut t = DayTrades::default();
        let monday = date("2024-03-04");
        // Bought, and sold in two parts: one day trade. Bought and sold again: two.
        for (before, after) in [(0, 100), (100, 50), (50, 0), (0, 10), (10, 0)] {
            t.fill(monday, 0, before, after);
        }
        assert_eq!(t.count(monday), (2, 5));
        // What was held overnight is closed without one, and a turn through zero opens.
        t.fill(monday, 1, 0, 10);
        let tuesday = date("2024-03-05");
        t.fill(tuesday, 1, 10, -10);
        assert_eq!(t.count(tuesday), (2, 7));
        t.fill(tuesday, 1, -10, 0);
        assert_eq!(t.count(tuesday), (3, 8));
        let mut e = Encoder::new();
        t.save(&mut e);
        let mut again = DayTrades::load(&mut Decoder::new(e.as_bytes())).unwrap();
        // Monday leaves the five business days on the Monday after: 5, 6, 7, 8, 11 March.
        assert_eq!(again.count(date("2024-03-08")), (3, 8));
        assert_eq!(again.count(date("2024-03-11")), (1, 2));
    }
}
