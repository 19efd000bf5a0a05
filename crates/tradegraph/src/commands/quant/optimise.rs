//! `tradegraph quant optimise`: weights by several goals, under limits.

use super::series::Source;
use super::{columns, percent, share, wrong};
use crate::cli::Context;
use crate::failure::Failure;
use serde_json::json;
use tradegraph_quant::allocation::{
    AllocationError, Constraints, Linkage, Returns, Symmetric, hierarchical_risk_parity, ledoit_wolf, maximise_sharpe,
    maximise_utility, minimise_cvar, minimise_variance, risk_contributions, risk_parity, sample_covariance,
};

/// What can be typed behind `quant optimise`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// What the weights are to reach
    #[arg(long, default_value = "min-variance",
        value_parser = ["min-variance", "max-sharpe", "mean-variance", "risk-parity", "hrp", "min-cvar"])]
    goal: String,
    /// Least and largest weight of one name
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = share, allow_hyphen_values = true)]
    least: f64,
    /// Largest weight of one name
    #[arg(long, value_name = "SHARE", default_value = "100%", value_parser = share)]
    most: f64,
    /// Of mean-variance: how much a unit of variance a year counts
    #[arg(long, value_name = "NUMBER", default_value_t = 5.0)]
    aversion: f64,
    /// Of min-cvar: probability of the tail
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share)]
    tail: f64,
    /// Covariance of the bars
    #[arg(long, default_value = "ledoit-wolf", value_parser = ["sample", "ledoit-wolf"])]
    covariance: String,
    /// Bars a year, for the figures
    #[arg(long, value_name = "N", default_value_t = 252.0)]
    bars_per_year: f64,
}

/// Runs the command.
pub fn run(context: &Context, a: &Arguments) -> Result<(), Failure> {
    let series = a.source.read(context)?;
    let values = series.returns()?;
    let fail = |e: AllocationError| wrong(e.to_string());
    let n = series.symbols.len();
    let returns = Returns::new(&values, n).map_err(fail)?;
    let covariance: Symmetric = match a.covariance.as_str() {
        "sample" => sample_covariance(returns),
        _ => ledoit_wolf(returns).map(|s| s.covariance),
    }
    .map_err(fail)?;
    let means = returns.means();
    let limits = Constraints::within(n, a.least, a.most);
    let bounded = !matches!(a.goal.as_str(), "risk-parity" | "hrp");
    if !bounded && (a.least != 0.0 || a.most != 1.0) {
        return Err(wrong(format!("{} has no limits on weights: leave --least and --most out", a.goal)));
    }
    let weights = match a.goal.as_str() {
        "max-sharpe" => maximise_sharpe(&means, &covariance, 0.0, &limits),
        "mean-variance" => maximise_utility(&means, &covariance, a.aversion, &limits, None),
        "risk-parity" => risk_parity(&covariance, &vec![1.0 / n as f64; n]),
        "hrp" => hierarchical_risk_parity(&covariance, Linkage::Single),
        "min-cvar" => minimise_cvar(returns, a.tail, None, &limits).map(|c| c.weights),
        _ => minimise_variance(&covariance, &limits, None),
    }
    .map_err(fail)?;
    let risk = risk_contributions(&weights, &covariance).map_err(fail)?;
    let whole: f64 = risk.iter().sum();
    let mean: f64 = weights.iter().zip(&means).map(|(w, m)| w * m).sum::<f64>() * a.bars_per_year;
    let volatility = (covariance.quadratic(&weights) * a.bars_per_year).sqrt();
    let text = series.symbols.iter().zip(&weights).zip(&risk).map(|((symbol, w), r)| {
        let part = if whole == 0.0 { 0.0 } else { r / whole };
        vec![symbol.clone(), percent(*w), percent(part)]
    });
    context.out.say(&format!("{} over {} bars of {n} names, covariance {}", a.goal, returns.bars(), a.covariance));
    context.out.say(&columns(&["name", "weight", "share of the variance"], text.collect(), &[1, 2]));
    context.out.say(&format!(
        "in these bars: mean {} a year, volatility {} a year. The weights were made for them: later ones will be worse.",
        percent(mean),
        percent(volatility)
    ));
    let list: Vec<_> = series
        .symbols
        .iter()
        .zip(&weights)
        .zip(&risk)
        .map(|((s, w), r)| json!({ "symbol": s, "weight": w, "variance": r }))
        .collect();
    context.out.result(&json!({ "goal": a.goal, "bars": returns.bars(), "weights": list, "mean_per_year": mean,
        "volatility_per_year": volatility }));
    Ok(())
}
