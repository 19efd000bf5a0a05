//! Everything that a report works out of a run, once, for the page, the JSON and the diagnosis.

use super::Subject;
use super::capacity::{Capacity, capacity};
use super::diagnosis::{Facts, Remark, diagnose};
use super::evidence::{Against, Evidence, Ratio, against, ratios, risk_free};
use super::trips::{Trip, TripFigures, figures, trips};
use super::windows::{Window, falls, worst};
use crate::mandate::Source;
use tradegraph_agents::AGENTS;
use tradegraph_domain::{InstrumentId, Side, Timestamp};
use tradegraph_engine::BackTest;
use tradegraph_quant::performance::{
    RiskFree, YearReturns, calendar_returns, excess_kurtosis, longest_drawdown, returns, rolling_sharpe, sharpe,
    skewness, volatility,
};

/// Falls that are listed.
const FALLS: usize = 5;

/// The rolling ratios of the account: one cell a return, absent in the first ones.
#[derive(Clone, Debug, Default)]
pub struct Rolling {
    /// Days of a window.
    pub window: usize,
    /// Annualised Sharpe ratio.
    pub sharpe: Vec<Option<f64>>,
    /// Annualised volatility.
    pub volatility: Vec<Option<f64>>,
}

/// What a report says beyond the figures.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// Returns by month and year; empty if the curve is too short or touches zero.
    pub months: Vec<YearReturns>,
    /// Over a year, or a quarter for curves of less than two years; `None` for less than two quarters.
    pub rolling: Option<Rolling>,
    /// Round trips; `None` if the fills are too many.
    pub trips: Option<Vec<Trip>>,
    /// What they came to.
    pub trip_figures: Option<TripFigures>,
    /// The worst stretches.
    pub worst: Vec<Window>,
    /// The deepest falls.
    pub falls: Vec<Window>,
    /// How sure it is.
    pub evidence: Evidence,
    /// Ratios of the account and its benchmarks.
    pub ratios: Vec<Ratio>,
    /// The account against equal weight.
    pub against: Against,
    /// How large it could be.
    pub capacity: Capacity,
    /// What stands out.
    pub remarks: Vec<Remark>,
}

impl Analysis {
    /// Of a run.
    pub fn of(s: &Subject<'_>) -> Analysis {
        let (curves, prepared) = (s.curves, s.prepared);
        let days: Vec<i32> = curves.dates.iter().map(|d| d.0).collect();
        let financing = prepared.mandate.financing.as_ref();
        let (rates, _) = risk_free(financing, &curves.dates);
        let trips = trips(&prepared.feeds, s.log, &|i| open_gain(s.run, InstrumentId(i as u32)));
        let mut out = Analysis {
            months: calendar_returns(&days, &curves.net).unwrap_or_default(),
            rolling: rolling(s, &rates),
            trip_figures: trips.as_deref().map(figures),
            trips,
            worst: worst(&curves.dates, &curves.net, &curves.benchmark),
            falls: falls(&curves.dates, &curves.net, &curves.benchmark, FALLS),
            evidence: Evidence::of(s.figures, curves, financing, prepared.mandate.seed),
            ratios: ratios(s.figures, curves, &rates),
            against: against(s.figures, curves, &rates),
            capacity: capacity(&prepared.feeds, s.log, s.figures, curves),
            remarks: vec![],
        };
        out.remarks = diagnose(&facts(s, &out, &rates, &days));
        out
    }
}

/// What the lots of an instrument have gained at the last price, at 1e-9.
fn open_gain(run: &BackTest, id: InstrumentId) -> i128 {
    let books = run.state().desk().books();
    let cost: i128 = books.lots(id).map(|l| l.cost_nano).sum();
    let value = books.mark(id).and_then(|p| p.notional_nano(books.position(id)).ok());
    value.map_or(0, |v| v.saturating_sub(cost))
}

fn rolling(s: &Subject<'_>, rates: &[f64]) -> Option<Rolling> {
    let per_year = s.figures.days_per_year?;
    let steps = returns(&s.curves.net)?;
    let quarter = (per_year / 4.0).round() as usize;
    let window = if steps.len() as f64 >= 2.0 * per_year { per_year.round() as usize } else { quarter.max(2) };
    if steps.len() < 2 * window {
        return None;
    }
    let mut volatilities = vec![None; window - 1];
    volatilities.extend(steps.windows(window).map(|w| volatility(w, per_year)));
    let sharpe = rolling_sharpe(&steps, RiskFree::Series(rates), window, per_year)?;
    Some(Rolling { window, sharpe, volatility: volatilities })
}

fn facts(s: &Subject<'_>, a: &Analysis, rates: &[f64], days: &[i32]) -> Facts {
    let (f, curves) = (s.figures, s.curves);
    let steps = returns(&curves.net).unwrap_or_default();
    let mean = |x: &[f64]| if x.is_empty() { None } else { Some(x.iter().sum::<f64>() / x.len() as f64) };
    let most = |x: &[f64]| x.iter().copied().max_by(f64::total_cmp);
    let amount = |text: &str| text.parse::<f64>().unwrap_or_default();
    let half = |of: std::ops::Range<usize>| {
        let ratio = sharpe(steps.get(of.clone())?, RiskFree::Series(rates.get(of)?), f.days_per_year?)?;
        Some(ratio.annual)
    };
    let middle = steps.len() / 2;
    let growth = |c: &crate::figures::Curve| c.cagr.or(c.total_return);
    let results: Vec<f64> = a.trips.iter().flatten().map(|t| t.result_nano as f64 / 1e9).collect();
    let losses: Vec<f64> = a.trips.iter().flatten().filter(|t| !t.open && t.result_nano < 0).map(|t| -t.gain).collect();
    let below = longest_drawdown(&curves.net, days);
    let whole = days.last().zip(days.first()).map(|(b, a)| f64::from(b.saturating_sub(*a)));
    let (fill_correlation, fill_pairs) = fill_correlation(s);
    let agents = agents(s);
    Facts {
        years: a.evidence.years,
        sharpe: a.evidence.sharpe,
        sharpe_error: a.evidence.sharpe_error,
        probabilistic: a.evidence.probabilistic,
        trials: a.evidence.trials,
        deflated: a.evidence.deflated,
        minimum_years: a.evidence.minimum_years,
        growth: growth(&f.net),
        benchmark_growth: growth(&f.benchmark),
        benchmark_sharpe: a.ratios.iter().find(|r| r.name == "Sharpe ratio").and_then(|r| r.equal_weight),
        alpha: a.against.alpha,
        alpha_error: a.against.alpha_error,
        beta: a.against.beta,
        r_squared: a.against.r_squared,
        months: a.months.iter().flat_map(|y| y.months).flatten().map(f64::ln_1p).collect(),
        halves: half(0..middle).zip(half(middle..steps.len())),
        regimes: regimes(s, &steps),
        skewness: skewness(&steps),
        kurtosis: excess_kurtosis(&steps),
        fill_correlation,
        fill_pairs,
        parameters: parameters(&s.prepared.binding.mandate),
        result: f.nav_end.as_deref().map_or(0.0, amount) - amount(&f.cash_start),
        costs: amount(&f.fees)
            + amount(&f.spread)
            + amount(&f.costs.impact)
            + amount(&f.costs.borrow)
            + amount(&f.costs.margin_interest),
        turnover: f.turnover_per_year,
        closed: a.trip_figures.as_ref().map(|t| t.closed),
        fills: f.fills,
        trips: results,
        favourable_of_losers: a.trip_figures.as_ref().and_then(|t| t.favourable_of_losers),
        loss: mean(&losses),
        names: names(s),
        capacity: a.capacity.account,
        capacity_says: a.capacity.says.clone(),
        account: mean(&curves.net).unwrap_or_default(),
        close_only: f.data.iter().any(|d| !d.has_open),
        orders: f.orders,
        cancelled: f.cancelled,
        refused: f.refused,
        refused_most: f.refused_by.iter().max_by_key(|(_, n)| **n).map(|(rule, n)| ((*rule).to_owned(), *n)),
        breakers: f.breakers.len(),
        stopped: f.stopped.clone(),
        agents: agents.len(),
        losing_agents: agents.into_iter().filter(|(_, r)| *r < 0.0).collect(),
        suspect_fills: suspect_fills(s),
        survivorship: s.prepared.mandate.data.iter().any(|part| match part.source {
            Source::Sample(name) => {
                let caveat = crate::samples::sample(name).and_then(|x| x.caveat);
                caveat.is_some_and(|c| c.contains("survivorship"))
            }
            _ => false,
        }),
        underwater: below.map(|u| f64::from(u.days)).zip(whole),
        drawdown: f.net.max_drawdown,
        drawdown_limit: s.prepared.config.limits.breakers.drawdown.map(|b| b.most as f64 / 1e9),
        gross: mean(&curves.gross).zip(most(&curves.gross)),
        net: mean(&curves.exposure),
        largest: most(&curves.largest),
        instruments: s.prepared.config.universe.len(),
    }
}

/// Numbers that a mandate sets for agents, allocator and risk manager.
fn parameters(mandate: &str) -> usize {
    fn count(value: &toml::Value) -> usize {
        match value {
            toml::Value::Table(t) => t.values().map(count).sum(),
            toml::Value::Array(a) => a.iter().map(count).sum(),
            toml::Value::Integer(_) | toml::Value::Float(_) => 1,
            toml::Value::String(text) => usize::from(text.starts_with(|c: char| c.is_ascii_digit())),
            _ => 0,
        }
    }
    let table: toml::Table = mandate.parse().unwrap_or_default();
    ["agents", "allocator", "risk"].iter().filter_map(|key| table.get(*key)).map(count).sum()
}

/// Live agents of a council and what each earned after fees.
fn agents(s: &Subject<'_>) -> Vec<(String, f64)> {
    let desk = s.run.state().desk();
    let Some(statement) = desk.fusion().and_then(|_| desk.statement()) else { return vec![] };
    let live = |at: usize| s.prepared.config.agents.iter().any(|a| usize::from(a.id().0) == at);
    let lines = statement.lines.iter().enumerate().filter(|(at, _)| live(*at));
    lines.filter_map(|(at, l)| Some((AGENTS.get(at)?.node.to_owned(), l.net() as f64 / 1e9))).collect()
}

/// Symbol and result of each instrument after fees.
fn names(s: &Subject<'_>) -> Vec<(String, f64)> {
    let books = s.run.state().desk().books();
    let of = |(id, x): (InstrumentId, &tradegraph_domain::Instrument)| {
        let earned = books.realised_of(id).saturating_add(open_gain(s.run, id));
        let nano = earned.saturating_add(books.dividends_of(id)).saturating_sub(books.fees_of(id));
        (x.symbol.clone(), nano as f64 / 1e9)
    };
    s.prepared.config.universe.iter().map(of).collect()
}

/// Share of the time and log return in each regime.
fn regimes(s: &Subject<'_>, steps: &[f64]) -> Vec<(String, f64, f64)> {
    if s.log.regimes.is_empty() {
        return vec![];
    }
    let mut out: Vec<(String, f64, f64)> = Vec::new();
    for (date, step) in s.curves.dates.iter().skip(1).zip(steps) {
        // The regime that was known before the day began.
        let at = s.log.regimes.partition_point(|(ts, _)| *ts < date.midnight());
        let regime = at.checked_sub(1).and_then(|i| s.log.regimes.get(i)).map_or("unknown", |(_, r)| r.name());
        let share = 1.0 / steps.len().max(1) as f64;
        match out.iter_mut().find(|(name, ..)| name == regime) {
            Some(slot) => (slot.1, slot.2) = (slot.1 + share, slot.2 + step.ln_1p()),
            None => out.push((regime.to_owned(), share, step.ln_1p())),
        }
    }
    out
}

/// Row of the first bar of an instrument that ends at a moment or later, by feed.
fn row_at<'a>(s: &'a Subject<'_>, ts: Timestamp) -> impl Iterator<Item = (usize, usize)> + 'a {
    s.prepared.feeds.iter().enumerate().filter_map(move |(f, feed)| {
        let ends = feed.batch.ends(0, feed.batch.rows());
        let row = ends.partition_point(|end| *end < ts);
        (row < ends.len()).then_some((f, row))
    })
}

/// Correlation of a fill's side with the return from its price to the end of its bar, or to the next close where it
/// traded at a close; and how many fills have one.
fn fill_correlation(s: &Subject<'_>) -> (Option<f64>, usize) {
    let (mut sides, mut moves) = (Vec::new(), Vec::new());
    for row in &s.log.fills {
        let i = row.fill.instrument.index();
        let price = row.fill.price.to_f64();
        let later = row_at(s, row.ts).find_map(|(f, k)| {
            let batch = &s.prepared.feeds.get(f)?.batch;
            let k = if batch.interval(k).end == row.ts { k + 1 } else { k };
            if k < batch.rows() { batch.close(k, i) } else { None }
        });
        if let Some(close) = later.filter(|_| price > 0.0) {
            sides.push(if row.fill.side == Side::Buy { 1.0 } else { -1.0 });
            moves.push(close.to_f64() / price - 1.0);
        }
    }
    let n = sides.len() as f64;
    let centred = |x: &[f64]| x.iter().map(|v| v - x.iter().sum::<f64>() / n).collect::<Vec<f64>>();
    let (a, b) = (centred(&sides), centred(&moves));
    let sum = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
    let correlation = sum(&a, &b) / (sum(&a, &a) * sum(&b, &b)).sqrt();
    (Some(correlation).filter(|c| c.is_finite()), sides.len())
}

/// Fills in a bar that failed a quality check, or in the one after it.
fn suspect_fills(s: &Subject<'_>) -> u64 {
    let suspect = |ts: Timestamp, i: usize| {
        row_at(s, ts).any(|(f, k)| {
            let Some(batch) = s.prepared.feeds.get(f).map(|feed| &feed.batch) else { return false };
            [Some(k), k.checked_sub(1)].into_iter().flatten().any(|k| batch.marks(k).get(i).is_some_and(|m| m.0 != 0))
        })
    };
    s.log.fills.iter().filter(|x| suspect(x.ts, x.fill.instrument.index())).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_mandate_are_counted() {
        let text = "seed = 1\n[agents.x]\nfast = 10\nweight = \"2%\"\nmode = \"calm\"\n[agents.x.f]\na = { n = 3 }\n[costs]\nminimum = 1\n[risk]\nmax = \"5%\"\n";
        assert_eq!(parameters(text), 4);
    }
}
