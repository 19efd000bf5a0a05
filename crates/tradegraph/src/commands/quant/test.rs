//! `tradegraph quant test`: what a series is like: does it wander, turn back, remember, change its volatility.

use super::series::Source;
use super::{columns, shown, wrong};
use crate::cli::Context;
use crate::failure::Failure;
use serde_json::{Map, Value, json};
use tradegraph_quant::econometrics::{
    Bandwidth, EconometricsError, GarchModel, Lags, Shocks, Trend, adf, garch, half_life, jarque_bera, kpss, ljung_box,
    rescaled_range, variance_ratio,
};

/// What can be typed behind `quant test`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
}

type Row = (&'static str, Result<f64, EconometricsError>, &'static str);

/// Runs the command.
pub fn run(context: &Context, a: &Arguments) -> Result<(), Failure> {
    let series = a.source.read(context)?;
    let mut out = Vec::new();
    for (i, symbol) in series.symbols.iter().enumerate() {
        let closes: Vec<f64> = series.closes(i).into_iter().filter(|x| x.is_finite()).collect();
        if let Some(bad) = closes.iter().find(|x| **x <= 0.0) {
            return Err(wrong(format!("{symbol}: a price of {bad} has no logarithm")));
        }
        let logs: Vec<f64> = closes.iter().map(|x| x.ln()).collect();
        let returns: Vec<f64> = logs.windows(2).filter_map(|w| Some(w.get(1)? - w.first()?)).collect();
        let rows = measures(&logs, &returns);
        context.out.say(&format!("{symbol}: {} bars", closes.len()));
        let text = rows.iter().map(|(name, value, meaning)| match value {
            Ok(x) => vec![(*name).to_owned(), shown(*x), (*meaning).to_owned()],
            Err(e) => vec![(*name).to_owned(), "–".to_owned(), e.to_string()],
        });
        context.out.say(&columns(&["", "value", "what it means"], text.collect(), &[1]));
        let values: Map<String, Value> =
            rows.iter().map(|(name, value, _)| ((*name).to_owned(), json!(value.as_ref().ok()))).collect();
        out.push(json!({ "symbol": symbol, "bars": closes.len(), "measures": values }));
    }
    context.out.result(&json!({ "series": out }));
    Ok(())
}

fn measures(logs: &[f64], returns: &[f64]) -> Vec<Row> {
    let unit_root = adf(logs, Trend::Constant, Lags::Aic { most: None });
    let level = kpss(logs, Trend::Constant, Bandwidth::Automatic);
    let ratio = variance_ratio(logs, 10, true);
    let model = GarchModel { asymmetric: false, mean: true, shocks: Shocks::Normal };
    // Per cent, so that the search is well scaled.
    let per_cent: Vec<f64> = returns.iter().map(|r| 100.0 * r).collect();
    let volatility = garch(&per_cent, model);
    let last = |found: Result<Vec<tradegraph_quant::econometrics::Portmanteau>, _>| {
        found.map(|v| v.last().map_or(f64::NAN, |p| p.p))
    };
    let squares: Vec<f64> = returns.iter().map(|r| r * r).collect();
    vec![
        ("ADF p", unit_root.map(|x| x.p), "of a unit root in log prices; below 0.05 they turn back"),
        ("KPSS p", level.map(|x| x.p), "of log prices about a mean; below 0.05 they wander (0.01 and 0.1 are bounds)"),
        ("half-life", half_life(logs).map(|x| x.half_life), "bars until half of a deviation is gone, if it turns back"),
        (
            "variance ratio",
            ratio.clone().map(|x| x.ratio),
            "10 bars against one: 1 for a random walk, below it turns back",
        ),
        ("variance ratio p", ratio.map(|x| x.p), "of a random walk, robust to changing volatility"),
        (
            "Hurst",
            rescaled_range(returns).map(|x| x.exponent),
            "of returns: 0.5 without memory, above it trends persist",
        ),
        ("Ljung-Box p", last(ljung_box(returns, 10, 0)), "of returns without autocorrelation up to lag 10"),
        ("Ljung-Box p of squares", last(ljung_box(&squares, 10, 0)), "small: volatility comes in clusters"),
        ("Jarque-Bera p", jarque_bera(returns).map(|x| x.p), "of normal returns"),
        (
            "GARCH persistence",
            volatility.clone().map(|g| g.parameters.persistence()),
            "share of a volatility shock left after a bar",
        ),
        ("GARCH next", volatility.map(|g| g.next.sqrt() / 100.0), "volatility of the next bar"),
    ]
}
