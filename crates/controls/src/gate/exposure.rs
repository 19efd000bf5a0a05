//! The rules about the worst case of the whole account: position, short, sums over instruments, margin. They are asked
//! of orders that can do more than reduce.

use super::{Gate, Prices, overflow, refuse, within_nav};
use crate::limits::AccountKind;
use crate::margin::InForce;
use crate::sums::{Sums, Units, Worst, groups, mark, rules_of};
use tradegraph_domain::{AssetClass, InstrumentId, NANO, Order, Quantity, Refusal, Rule, Side, Unit};
use tradegraph_ledger::{Ledger, NavMissing};
use tradegraph_market::Panel;

impl Gate {
    /// Position, short, exposure and margin rules; returns the notional by which the order may raise gross exposure, in
    /// base, and the worst cases of its instrument without it, if sums are kept.
    #[inline]
    pub(super) fn check_exposure(
        &mut self,
        order: &Order,
        prices: &Prices,
        cash_nano: i128,
        panel: &Panel,
        books: &Ledger,
    ) -> Result<(i128, Option<Worst>), Refusal> {
        let limits = &self.limits;
        let i = order.instrument;
        // A missing NAV blocks what adds risk. Only limits in shares of NAV need its value.
        let missing = || refuse(Rule::NoPrice, 1, 0, Unit::Count);
        let nav = if limits.position_nano_nav.is_some() || self.has.sums {
            books.nav().map_err(|_| missing())?
        } else if books.has_nav() {
            0
        } else {
            return Err(missing());
        };
        let in_base = |units: i128| -> Result<i128, Refusal> {
            let own = prices.worth.notional_nano(Quantity::from_nano(units)).map_err(|_| overflow())?;
            books.to_base(i, own.saturating_abs()).map_err(no_rate)
        };
        let mut units = Units::of(i, books);
        let worst_position = match order.side {
            Side::Buy => {
                units.buying = units.buying.saturating_add(order.quantity.nano());
                units.held.saturating_add(units.buying)
            }
            Side::Sell => {
                units.selling = units.selling.saturating_add(order.quantity.nano());
                units.held.saturating_sub(units.selling)
            }
        };
        if let Some(limit) = limits.position_nano_nav {
            within_nav(Rule::Position, limit, in_base(worst_position)?, nav)?;
        }
        if !limits.allow_short && worst_position < 0 {
            return Err(refuse(Rule::Short, 0, worst_position, Unit::QuantityNano));
        }
        if let (Some(located), true) = (&limits.locate, worst_position < 0) {
            let units = located.get(i.index()).map_or(0, |q| q.nano());
            if worst_position.saturating_abs() > units {
                return Err(refuse(Rule::Locate, units, worst_position.saturating_abs(), Unit::QuantityNano));
            }
        }
        let without = if self.has.sums {
            Some(self.check_sums(order, units, prices, cash_nano, nav, panel, books)?)
        } else {
            None
        };
        let exposure = if prices.worth == prices.trade {
            books.to_base(i, prices.notional_nano).map_err(|_| missing())?
        } else {
            in_base(order.quantity.nano())?
        };
        Ok((exposure, without))
    }

    /// The rules about sums over all instruments. `units` are those with the order; returns the worst cases without it.
    #[allow(clippy::too_many_arguments, reason = "an order and what it is judged by")]
    fn check_sums(
        &mut self,
        order: &Order,
        units: Units,
        prices: &Prices,
        cash_nano: i128,
        nav: i128,
        panel: &Panel,
        books: &Ledger,
    ) -> Result<Worst, Refusal> {
        let (i, limits) = (order.instrument, &self.limits);
        let rules = rules_of(limits, self.now);
        self.sums.refresh(limits, rules, panel, books).map_err(|_| overflow())?;
        let sums = &self.sums;
        let without = sums.worst(i, Units::of(i, books), mark(i, panel, books), panel, books).map_err(no_rate)?;
        let with = sums.worst(i, units, prices.worth, panel, books).map_err(no_rate)?;
        let all = sums.all.swap(without, with);
        let [sector, currency, venue] = groups(limits);
        let group =
            |rule, kind: usize, of: &crate::limits::Groups| match (of.nano_nav, sums.group(kind, of, i, without, with))
            {
                (Some(limit), Some(sum)) => within_nav(rule, limit, sum, nav),
                _ => Ok(()),
            };
        group(Rule::Sector, 0, sector)?;
        if let Some(limit) = limits.gross_nano_nav {
            within_nav(Rule::Gross, limit, all.gross, nav)?;
        }
        if let Some(limit) = limits.net_nano_nav {
            let net = if order.side == Side::Buy { all.up } else { all.down.saturating_neg() };
            within_nav(Rule::Net, limit, net.max(0), nav)?;
        }
        if let (Some(limit), Side::Buy) = (limits.leverage_nano_nav, order.side) {
            within_nav(Rule::Leverage, limit, all.long, nav)?;
        }
        group(Rule::Currency, 1, currency)?;
        group(Rule::Venue, 2, venue)?;
        if let Some(rules) = rules {
            self.check_margin(order, units, &rules, prices, cash_nano, all, nav, panel, books)?;
        }
        Ok(without)
    }

    /// The rules of a margin account. `all` are the sums with the order; equity is NAV after the order's fee.
    #[allow(clippy::too_many_arguments, reason = "an order and what it is judged by")]
    fn check_margin(
        &mut self,
        order: &Order,
        units: Units,
        rules: &InForce,
        prices: &Prices,
        cash_nano: i128,
        all: Worst,
        nav: i128,
        panel: &Panel,
        books: &Ledger,
    ) -> Result<(), Refusal> {
        let i = order.instrument;
        let no = |rule, limit, actual| Err(refuse(rule, limit, actual, Unit::MoneyNano));
        let borrows = match order.side {
            Side::Buy => cash_nano > books.own_cash(i),
            Side::Sell => units.held.saturating_sub(units.selling) < 0,
        };
        if nav < rules.minimum_equity && borrows {
            return no(Rule::MinimumEquity, rules.minimum_equity, nav);
        }
        let class = panel.universe().get(i).map(|x| x.class);
        if let (Some((trades, share, equity)), Some(AssetClass::Equity | AssetClass::Etf)) = (rules.day_trading, class)
            && nav < equity
        {
            // If what opens now is closed today, that is one day trade and one trade more, this one not counted.
            let (day, trades_of_all) = self.day_trades.count(self.now.date());
            let (day, all) = (i128::from(day).saturating_add(1), i128::from(trades_of_all).saturating_add(2));
            let is_pattern = day.saturating_mul(NANO.into()) > all.saturating_mul(share.into());
            if day >= i128::from(trades) && is_pattern {
                return Err(refuse(Rule::DayTrading, i128::from(trades).saturating_sub(1), day, Unit::Count));
            }
        }
        let fee = self.limits.commission.fee_nano(prices.notional_nano, order.quantity).map_err(|_| overflow())?;
        let equity = nav.saturating_sub(books.to_base(i, fee).map_err(no_rate)?);
        let present = self.sums.all.maintenance;
        if present > nav || (!rules.intraday && all.maintenance > equity) {
            return no(Rule::Maintenance, nav, if present > nav { present } else { all.maintenance });
        }
        if all.maintenance > equity {
            return no(Rule::IntradayMargin, equity, all.maintenance);
        }
        if all.initial > equity {
            return no(Rule::InitialMargin, equity, all.initial);
        }
        Ok(())
    }

    /// The worst cases of an instrument as the sums have them, if they are those of these books.
    pub(super) fn summed(&self, i: InstrumentId, panel: &Panel, books: &Ledger) -> Option<Worst> {
        if !self.sums.are_of(books, rules_of(&self.limits, self.now)) {
            return None;
        }
        self.sums.worst(i, Units::of(i, books), mark(i, panel, books), panel, books).ok()
    }

    /// Takes over a reservation into the sums.
    pub(super) fn carry(&mut self, i: InstrumentId, without: Worst, panel: &Panel, books: &Ledger) {
        let with = self.sums.worst(i, Units::of(i, books), mark(i, panel, books), panel, books);
        match with {
            Ok(with) => self.sums.carry(&self.limits, i, without, with, books),
            Err(_) => self.sums = Sums::default(),
        }
    }

    /// True if the account's buys are bound by margin, not by cash: the books lend (`Ledger::lend`).
    #[must_use]
    pub fn lends(&self) -> bool {
        self.limits.account == AccountKind::Margin
    }
}

fn no_rate(why: NavMissing) -> Refusal {
    match why {
        NavMissing::Overflow => overflow(),
        _ => refuse(Rule::NoPrice, 1, 0, Unit::Count),
    }
}
