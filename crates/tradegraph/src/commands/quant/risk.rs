//! `tradegraph quant risk`: what a portfolio of the series can lose, by several models, and which position it comes from.

use super::series::Source;
use super::{columns, percent, share, wrong};
use crate::cli::Context;
use crate::failure::{Failure, Kind};
use serde_json::json;
use tradegraph_quant::risk::{
    RiskError, ScenarioBook, Tail, cornish_fisher, drawdown_measures, filtered_historical, historical, normal,
    weighted_volatilities,
};

/// What can be typed behind `quant risk`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Weights, as `AAPL=60%,KO=40%`; equal ones if not given
    #[arg(long, value_delimiter = ',', value_name = "A=60%,B=40%", allow_hyphen_values = true)]
    weights: Vec<String>,
    /// Probability of the tail
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share)]
    tail: f64,
}

/// Runs the command.
pub fn run(context: &Context, a: &Arguments) -> Result<(), Failure> {
    let series = a.source.read(context)?;
    let weights = weights(&a.weights, &series.symbols)?;
    let returns = series.returns()?;
    let n = weights.len();
    let pnl: Vec<f64> = returns.chunks_exact(n).map(|r| r.iter().zip(&weights).map(|(r, w)| r * w).sum()).collect();
    let fail = |e: RiskError| wrong(e.to_string());
    let bars = pnl.len() as f64;
    let mean = pnl.iter().sum::<f64>() / bars;
    let moment = |k: i32| pnl.iter().map(|x| (x - mean).powi(k)).sum::<f64>() / bars;
    let deviation = moment(2).sqrt();
    let (skewness, kurtosis) = (moment(3) / deviation.powi(3), moment(4) / deviation.powi(4) - 3.0);
    let warm = 60.min(pnl.len());
    let volatilities = weighted_volatilities(&pnl, 0.94, warm).map_err(fail)?;
    let models: [(&str, Result<Tail, RiskError>); 4] = [
        ("historical", historical(&pnl, a.tail)),
        ("normal", normal(mean, deviation, a.tail)),
        ("Cornish-Fisher", cornish_fisher(mean, deviation, skewness, kurtosis, a.tail)),
        ("filtered historical", filtered_historical(&pnl, &volatilities, mean, a.tail)),
    ];
    context.out.say(&format!(
        "{} positions, {} bars; a loss of one bar in the worst {} of bars, as a share of the value held",
        n,
        pnl.len(),
        percent(a.tail)
    ));
    let text = models.iter().map(|(name, tail)| match tail {
        Ok(t) => vec![(*name).to_owned(), percent(t.var), percent(t.es)],
        Err(e) => vec![(*name).to_owned(), "–".to_owned(), e.to_string()],
    });
    context.out.say(&columns(&["model", "value at risk", "expected shortfall"], text.collect(), &[1, 2]));
    let mut book = ScenarioBook::new(returns, n, a.tail).map_err(fail)?;
    let whole = book.set_exposures(&weights).map_err(fail)?;
    let mut parts = vec![0.0; n];
    book.components_es(&mut parts);
    let text = series.symbols.iter().zip(&weights).zip(&parts).map(|((symbol, w), c)| {
        let part = if whole.es == 0.0 { 0.0 } else { c / whole.es };
        vec![symbol.clone(), percent(*w), percent(*c), percent(part)]
    });
    context.out.say(&columns(&["position", "weight", "of the shortfall", "share"], text.collect(), &[1, 2, 3]));
    let mut equity = vec![1.0];
    for r in &pnl {
        equity.push(equity.last().copied().unwrap_or(1.0) * (1.0 + r));
    }
    // A leveraged portfolio can lose everything: then there is no curve to measure.
    let falls = drawdown_measures(&equity, a.tail).ok();
    if let Some(d) = falls {
        context.out.say(&format!(
            "drawdown, weights kept every bar: {} at most, {} on average, {} in the worst {} of bars",
            percent(d.max),
            percent(d.average),
            percent(d.conditional),
            percent(a.tail)
        ));
    }
    let models: Vec<_> = models
        .iter()
        .map(|(name, t)| json!({ "model": name, "var": t.as_ref().ok().map(|t| t.var), "es": t.as_ref().ok().map(|t| t.es) }))
        .collect();
    let parts: Vec<_> = series
        .symbols
        .iter()
        .zip(&weights)
        .zip(&parts)
        .map(|((s, w), c)| json!({ "symbol": s, "weight": w, "component_es": c }))
        .collect();
    context.out.result(&json!({ "bars": pnl.len(), "tail": a.tail, "models": models, "positions": parts,
        "drawdown": falls.map(|d| json!({ "max": d.max, "average": d.average, "conditional": d.conditional, "ulcer": d.ulcer })) }));
    Ok(())
}

/// One weight a symbol: 0 for those that are not named, equal ones if none is.
fn weights(named: &[String], symbols: &[String]) -> Result<Vec<f64>, Failure> {
    let usage = |what: String| Failure::new(Kind::Usage, what);
    if named.is_empty() {
        return Ok(vec![1.0 / symbols.len().max(1) as f64; symbols.len()]);
    }
    let mut out = vec![0.0; symbols.len()];
    for text in named {
        let (symbol, weight) =
            text.split_once('=').ok_or_else(|| usage(format!("--weights '{text}': SYMBOL=SHARE is wanted")))?;
        let weight = share(weight).map_err(|e| usage(format!("--weights '{text}': {e}")))?;
        let at = symbols.iter().position(|s| s == symbol);
        match at.and_then(|at| out.get_mut(at)) {
            Some(slot) => *slot = weight,
            None => return Err(usage(format!("--weights '{text}': the data have {}", symbols.join(", ")))),
        }
    }
    Ok(out)
}
