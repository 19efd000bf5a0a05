//! How large the account could be: the size at which square-root market impact would take half of the return, or at which
//! a twentieth of the fills would be more than a tenth of the day's volume, whichever is smaller.
//!
//! A fill of notional q in a bar whose instrument trades the notional V a day and has the daily volatility σ costs
//! σ √(q / V) of q (Grinold and Kahn, Active Portfolio Management (2000), chapter 16; the factor is 1). An account m
//! times as large trades m q, so impact costs c √m of it a year, c the sum of today's; it is half of the return g at
//! m = (g / 2c)².

use crate::figures::{Curves, Figures, rows_in_time};
use crate::mandate::Feeds;
use crate::trades::TradeLog;
use serde::Serialize;
use tradegraph_quant::performance::{quantile, returns};

/// Share of the daily volume beyond which the square root is not trusted.
const MOST_PARTICIPATION: f64 = 0.1;
/// Rows over which volume and volatility trail.
const TRAILING: usize = 20;

/// An estimate of capacity, or why there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Capacity {
    /// Account at which impact takes half of the return or fills are a tenth of the volume; absent if it is not known or there is no return.
    pub account: Option<f64>,
    /// The estimate in a sentence, or why it is not known.
    pub says: String,
    /// Impact a year at the size of the run, as a fraction of the account.
    pub impact: Option<f64>,
    /// Share of the trailing daily volume that 95 % of the fills stay below.
    pub participation: Option<f64>,
}

/// Trailing notional and volatility of one instrument by row.
struct Trail {
    closes: Vec<f64>,
    notional: Vec<f64>,
}

impl Trail {
    /// Mean notional and deviation of returns of the last rows; `None` before there are enough or without volume.
    fn now(&self) -> Option<(f64, f64)> {
        let tail = |x: &[f64]| x.get(x.len().checked_sub(TRAILING)?..).map(<[f64]>::to_vec);
        let volume = tail(&self.notional)?.iter().sum::<f64>() / TRAILING as f64;
        let deviation = tradegraph_quant::performance::volatility(&returns(&tail(&self.closes)?)?, 1.0)?;
        (volume > 0.0).then_some((volume, deviation))
    }
}

/// The capacity of a run.
pub fn capacity(feeds: &Feeds, log: &TradeLog, figures: &Figures, curves: &Curves) -> Capacity {
    let unknown = |why: &str| Capacity { says: format!("not known: {why}"), ..Capacity::default() };
    let (Some(per_year), Some(steps)) = (figures.days_per_year, returns(&curves.net)) else {
        return unknown("too few days");
    };
    if !feeds.iter().all(|f| f.batch.parts().volume.iter().any(|v| *v > 0.0)) {
        return unknown("no volume");
    }
    if log.fills.is_empty() || log.fills.len() as u64 != log.n_fills {
        return unknown(if log.n_fills == 0 { "no fills" } else { "too many fills are left out" });
    }
    let years = steps.len() as f64 / per_year;
    let rows = rows_in_time(feeds);
    let rows_a_day = rows.len() as f64 / curves.dates.len().max(1) as f64 / feeds.len().max(1) as f64;
    let width = feeds.first().map_or(0, |f| f.symbols.len());
    let mut trails: Vec<Trail> = (0..width).map(|_| Trail { closes: vec![], notional: vec![] }).collect();
    let (mut fill, mut cost, mut shares) = (0, 0.0, Vec::new());
    for (ts, f, k) in rows {
        // A fill sees the rows that ended before it.
        while let Some(next) = log.fills.get(fill).filter(|x| x.ts < ts) {
            fill += 1;
            let Some((volume, deviation)) = trails.get(next.fill.instrument.index()).and_then(Trail::now) else {
                continue;
            };
            let (volume, deviation) = (volume * rows_a_day.max(1.0), deviation * rows_a_day.max(1.0).sqrt());
            let notional = next.fill.quantity.to_f64() * next.fill.price.to_f64();
            cost += notional * deviation * (notional / volume).sqrt();
            shares.push(notional / volume);
        }
        let Some(batch) = feeds.get(f).map(|feed| &feed.batch) else { continue };
        for (i, trail) in trails.iter_mut().enumerate() {
            if let (Some(close), Some(volume)) = (batch.close(k, i), batch.volume(k, i)) {
                trail.closes.push(close.to_f64());
                trail.notional.push(close.to_f64() * volume);
            }
        }
    }
    if shares.is_empty() {
        return unknown("no fill has enough volume before it");
    }
    let average = curves.net.iter().sum::<f64>() / curves.net.len().max(1) as f64;
    let impact = cost / years / average;
    let growth = steps.iter().sum::<f64>() / steps.len() as f64 * per_year;
    let participation = quantile(&shares, 0.95);
    let (account, says) = size(growth, impact, participation.unwrap_or_default(), average, &figures.currency);
    Capacity { account, says, impact: Some(impact), participation }
}

/// The largest account and what limits it.
fn size(growth: f64, impact: f64, participation: f64, average: f64, currency: &str) -> (Option<f64>, String) {
    if growth <= 0.0 {
        return (None, "none: there is no return for impact to take".to_owned());
    }
    let by_impact = average * (growth / (2.0 * impact)) * (growth / (2.0 * impact));
    let by_volume = average * MOST_PARTICIPATION / participation;
    let account = by_impact.min(by_volume);
    if !account.is_finite() {
        return (None, "not known: no impact could be estimated".to_owned());
    }
    let why = if by_impact <= by_volume {
        "square-root impact takes half of the return"
    } else {
        "fills come to a tenth of the daily volume"
    };
    let text = match account {
        a if a >= 1e9 => format!("{:.1} billion", a / 1e9),
        a if a >= 1e6 => format!("{:.1} million", a / 1e6),
        a => format!("{:.0} thousand", a / 1e3),
    };
    (Some(account), format!("about {text} {currency}: there {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_return_is_gone_at_capacity() {
        // 10 % a year, impact of 0.5 % at 200,000: the root of the multiple is 10, so 100 × 200,000.
        let (account, says) = size(0.10, 0.005, 1e-4, 200_000.0, "USD");
        assert!((account.unwrap() - 20e6).abs() < 1e-6 && says.starts_with("about 20.0 million USD"), "{says}");
        // There impact is √100 × 0.5 % = 5 %.
        assert!((0.005 * (account.unwrap() / 200_000.0_f64).sqrt() - 0.05).abs() < 1e-12);
        // Fills of 1 % of the volume are a tenth of it at ten times the account.
        let (account, says) = size(0.10, 0.005, 0.01, 200_000.0, "USD");
        assert!((account.unwrap() - 2e6).abs() < 1e-6 && says.ends_with("a tenth of the daily volume"), "{says}");
        assert_eq!(size(-0.01, 0.005, 1e-4, 1.0, "USD").0, None);
    }
}
