//! `Figures`: what a run came to, with the uncertainty of what is claimed and the benchmark that asks for no skill.

mod curves;
mod trials;

pub use curves::{Curves, rows_in_time};
pub use trials::{trials, trials_of};

use crate::cost_models::{CostModel, cost_models};
use crate::mandate::{Feeds, Mandate};
use crate::trades::TradeLog;
use serde::Serialize;
use std::collections::BTreeMap;
use tradegraph_domain::{Date, format_nano};
use tradegraph_engine::Outcome;
use tradegraph_execution::FillCosts;
use tradegraph_market::quality::Check;
use tradegraph_quant::performance::{RiskFree, cagr, max_drawdown, returns, sharpe, total_return, volatility};

/// Numbers of one curve. Fractions, not per cent; absent where they are not defined.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Curve {
    /// Last over first, less 1.
    pub total_return: Option<f64>,
    /// Compound annual growth rate; absent for less than a year.
    pub cagr: Option<f64>,
    /// Annualised standard deviation.
    pub volatility: Option<f64>,
    /// Annualised Sharpe ratio against zero.
    pub sharpe: Option<f64>,
    /// Its standard error.
    pub sharpe_error: Option<f64>,
    /// Deepest fall from a peak.
    pub max_drawdown: Option<f64>,
    /// Dates of that peak, the lowest point, and the return to the peak.
    pub drawdown_dates: [Option<String>; 3],
}

/// The bars that a run saw.
#[derive(Clone, Debug, Serialize)]
pub struct DataUsed {
    /// Content hash.
    pub batch: String,
    /// Where it came from.
    pub source: String,
    /// Instruments.
    pub symbols: Vec<String>,
    /// First and last date.
    pub from: String,
    /// Last date.
    pub to: String,
    /// Rows of bars.
    pub rows: usize,
    /// What the prices contain.
    pub basis: &'static str,
    /// False for series of closes.
    pub has_open: bool,
    /// Bars of each instrument that failed a quality check; a bar may fail several.
    pub quality: Vec<Failed>,
}

/// Bars of one instrument that failed one quality check.
#[derive(Clone, Debug, Serialize)]
pub struct Failed {
    /// The instrument.
    pub symbol: String,
    /// The check's name.
    pub check: &'static str,
    /// What the check does with a bar: `doubt` cuts the confidence of signals, `fault` leaves the bar out.
    pub severity: &'static str,
    /// Bars.
    pub bars: u64,
}

/// What trading and nights cost, by kind: exact amounts of the account's currency.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CostsByKind {
    /// What brokers, exchanges and clearing take.
    pub commission: String,
    /// What regulators take.
    pub regulatory: String,
    /// Half-spreads.
    pub spread: String,
    /// Market impact.
    pub impact: String,
    /// Fees for borrowed stock.
    pub borrow: String,
    /// Interest on borrowed cash.
    pub margin_interest: String,
    /// Interest on idle cash, which the account received.
    pub interest_earned: String,
}

impl CostsByKind {
    /// What is there, in words; nothing if only commissions and half-spreads are.
    pub fn text(&self) -> Option<String> {
        let kinds = [
            ("commission", &self.commission),
            ("regulators", &self.regulatory),
            ("half-spreads", &self.spread),
            ("impact", &self.impact),
            ("borrowed stock", &self.borrow),
            ("margin interest", &self.margin_interest),
            ("interest earned", &self.interest_earned),
        ];
        let known = |(_, amount): &(&str, &String)| amount.as_str() != "0";
        kinds
            .iter()
            .skip_while(|(kind, _)| *kind != "regulators")
            .filter(|(kind, _)| *kind != "half-spreads")
            .find(|k| known(k))?;
        Some(
            kinds
                .iter()
                .filter(|k| known(k))
                .map(|(kind, n)| format!("{kind} {}", money(n)))
                .collect::<Vec<_>>()
                .join(", "),
        )
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Figures {
    /// First and last day of the curve.
    pub from: Option<String>,
    /// Last day.
    pub to: Option<String>,
    /// Days on the curve.
    pub days: usize,
    /// Days of the curve in a year, which annualise the ratios.
    pub days_per_year: Option<f64>,
    /// Currency of all amounts.
    pub currency: String,
    /// Exact amounts.
    pub cash_start: String,
    /// NAV at the end; absent if it could not be known.
    pub nav_end: Option<String>,
    /// The account after all costs.
    pub net: Curve,
    /// Equal weights of the same universe, rebalanced every bar, without costs.
    pub benchmark: Curve,
    /// The same instruments bought once at equal amounts and held, without costs.
    pub buy_and_hold: Curve,
    /// False if the prices of some instrument are without its dividends and none were given: benchmarks lack them then.
    pub benchmark_has_dividends: bool,
    /// Commissions and fees.
    pub fees: String,
    /// Dividends received less dividends paid.
    pub dividends: String,
    /// Splits, dividends, renames and delistings of what was held.
    pub corporate_actions: usize,
    /// Half-spreads paid; estimated as half-spread × notional where fills do not come with their costs.
    pub spread: String,
    /// True if every fill came with its costs, so that the spread is no estimate.
    pub itemised: bool,
    /// Costs by kind.
    pub costs: CostsByKind,
    /// The models of costs in force.
    pub cost_models: Vec<CostModel>,
    /// Fees, spread, impact, borrow fees and margin interest a year as a fraction of the average NAV.
    pub cost_per_year: Option<f64>,
    /// Traded notional a year over the average NAV.
    pub turnover_per_year: Option<f64>,
    /// Σ |position| as a fraction of NAV, averaged over the days.
    pub invested_average: Option<f64>,
    /// Orders sent.
    pub orders: u64,
    /// Fills booked.
    pub fills: u64,
    /// Orders that the gate refused.
    pub refused: u64,
    /// Refusals by rule.
    pub refused_by: BTreeMap<&'static str, u64>,
    /// Breakers that tripped: when, which, its limit and what was measured, and what still passes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breakers: Vec<String>,
    /// Agents that panicked and had no opinion from then on: which, when, and what they said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<String>,
    /// Orders that the venue ended before they were filled.
    pub cancelled: u64,
    /// Different mandates that were run in this home on overlapping data, this one included.
    pub trials: usize,
    /// Annualised Sharpe ratios of the other ones, as far as they were stored.
    pub trial_sharpes: Vec<f64>,
    /// The bars.
    pub data: Vec<DataUsed>,
}

fn curve(values: &[f64], dates: &[Date], per_year: Option<f64>) -> Curve {
    let Some(per_year) = per_year else { return Curve { total_return: total_return(values), ..Curve::default() } };
    let steps = returns(values).unwrap_or_default();
    let ratio = sharpe(&steps, RiskFree::Zero, per_year);
    let fall = max_drawdown(values);
    let day = |row: Option<usize>| row.and_then(|r| dates.get(r)).map(Date::to_string);
    Curve {
        total_return: total_return(values),
        // Less than a year is not made into one.
        cagr: cagr(values, per_year).filter(|_| (values.len() as f64 - 1.0) / per_year > 0.99),
        volatility: volatility(&steps, per_year),
        sharpe: ratio.map(|s| s.annual),
        sharpe_error: ratio.map(|s| s.error_annual),
        max_drawdown: fall.map(|d| d.depth),
        drawdown_dates: match fall {
            Some(d) if d.depth > 0.0 => [day(Some(d.start)), day(Some(d.trough)), day(d.recovery)],
            _ => [None, None, None],
        },
    }
}

impl Figures {
    /// The figures of a run.
    pub fn of(mandate: &Mandate, feeds: &Feeds, outcome: &Outcome, log: &TradeLog, curves: &Curves) -> Figures {
        let (first, last) = (curves.dates.first().copied(), curves.dates.last().copied());
        let days = first.zip(last).map(|(a, b)| f64::from(b.0) - f64::from(a.0)).filter(|d| *d > 0.0);
        let years = days.map(|d| d / 365.25);
        let per_year = years.map(|y| curves.dates.len().saturating_sub(1) as f64 / y);
        let average = curves.net.iter().sum::<f64>() / curves.net.len().max(1) as f64;
        let yearly = |nano: i128| years.filter(|_| average > 0.0).map(|y| nano as f64 / 1e9 / average / y);
        let parts = log.costs.unwrap_or_else(|| FillCosts {
            commission_nano: log.fees_nano,
            spread_nano: mandate.frictions.half_spread.of_nano(log.notional_nano).unwrap_or_default(),
            ..FillCosts::default()
        });
        let nights = log.financed;
        let paid = [log.fees_nano, parts.spread_nano, parts.impact_nano, nights.borrow_nano, nights.margin_nano];
        let costs = CostsByKind {
            commission: format_nano(parts.commission_nano),
            regulatory: format_nano(parts.regulatory_nano),
            spread: format_nano(parts.spread_nano),
            impact: format_nano(parts.impact_nano),
            borrow: format_nano(nights.borrow_nano),
            margin_interest: format_nano(nights.margin_nano),
            interest_earned: format_nano(nights.earned_nano),
        };
        Figures {
            from: first.map(|d| d.to_string()),
            to: last.map(|d| d.to_string()),
            days: curves.dates.len(),
            days_per_year: per_year,
            currency: mandate.base.to_string(),
            cash_start: format_nano(mandate.cash.nano()),
            nav_end: outcome.final_nav.ok().map(format_nano),
            net: curve(&curves.net, &curves.dates, per_year),
            benchmark: curve(&curves.benchmark, &curves.dates, per_year),
            buy_and_hold: curve(&curves.held, &curves.dates, per_year),
            benchmark_has_dividends: curves.has_dividends,
            fees: format_nano(log.fees_nano),
            dividends: format_nano(log.dividends_nano),
            corporate_actions: log.actions.len(),
            spread: format_nano(parts.spread_nano),
            itemised: log.costs.is_some(),
            costs,
            cost_models: cost_models(mandate),
            cost_per_year: yearly(paid.iter().fold(0, |sum, cost| sum.saturating_add(*cost))),
            turnover_per_year: yearly(log.notional_nano),
            invested_average: (!curves.gross.is_empty())
                .then(|| curves.gross.iter().sum::<f64>() / curves.gross.len() as f64),
            orders: outcome.counts.orders,
            fills: outcome.counts.fills,
            refused: outcome.counts.refused,
            refused_by: log.refused.clone(),
            breakers: log.breakers.clone(),
            stopped: log.stopped.iter().map(|(ts, a, what)| format!("{} at {ts}: {what}", mandate.node(*a))).collect(),
            cancelled: outcome.counts.cancelled,
            trials: 1,
            trial_sharpes: vec![],
            data: feeds.iter().map(data_used).collect(),
        }
    }
}

/// The bars of a feed, as runs name them.
pub fn data_used(feed: &crate::mandate::Feed) -> DataUsed {
    let date = |k: usize| feed.batch.interval(k).start.date().to_string();
    let spec = feed.batch.spec();
    DataUsed {
        batch: feed.batch.id().to_string(),
        source: feed.source.clone(),
        symbols: feed.symbols.clone(),
        from: date(0),
        to: date(feed.batch.rows().saturating_sub(1)),
        rows: feed.batch.rows(),
        basis: spec.basis.name(),
        has_open: spec.has_open,
        quality: failed(feed),
    }
}

/// By instrument, in the order of the checks.
fn failed(feed: &crate::mandate::Feed) -> Vec<Failed> {
    let mut counts = vec![[0_u64; Check::ALL.len()]; feed.symbols.len()];
    for (marks, count) in (0..feed.batch.rows()).flat_map(|k| feed.batch.marks(k).iter().zip(0..)) {
        for (slot, _) in
            counts.get_mut(count).into_iter().flatten().zip(0_u32..).filter(|(_, at)| marks.0 >> at & 1 == 1)
        {
            *slot += 1;
        }
    }
    let rows = feed.symbols.iter().zip(&counts).flat_map(|(symbol, counts)| {
        Check::ALL.iter().zip(counts).filter(|(_, n)| **n > 0).map(move |((_, check, severity, _), n)| Failed {
            symbol: symbol.clone(),
            check,
            severity: severity.name(),
            bars: *n,
        })
    });
    rows.collect()
}

/// Growth a year, or in all where there is no whole year, in words.
pub fn growth(c: &Curve) -> String {
    match c.cagr {
        Some(_) => format!("{} a year", percent(c.cagr)),
        None => format!("{} in all", percent(c.total_return)),
    }
}

/// `12.3 %`
pub fn percent(x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), |x| format!("{:.1} %", x * 100.0))
}

/// `13,028`
pub fn count(n: u64) -> String {
    money(&n.to_string()).trim_end_matches("00").trim_end_matches('.').to_owned()
}

/// `1,234,567.89`: an amount of 1e-9 units with two decimals, for people.
pub fn money(nano_text: &str) -> String {
    let (whole, fraction) = nano_text.split_once('.').unwrap_or((nano_text, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |w| ("-", w));
    let mut grouped = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(c);
    }
    let cents: String = fraction.chars().chain("00".chars()).take(2).collect();
    format!("{sign}{grouped}.{cents}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped() {
        for (text, expected) in [
            ("0", "0.00"),
            ("999.5", "999.50"),
            ("1000", "1,000.00"),
            ("-1234567.891", "-1,234,567.89"),
            ("-0.05", "-0.05"),
        ] {
            assert_eq!(money(text), expected);
        }
        assert_eq!((count(0), count(1_000), count(13_028)), ("0".into(), "1,000".into(), "13,028".into()));
    }
}
