//! `tradegraph quant pairs`: which pairs of a universe keep together, by the Engle–Granger test of every ordered pair.

use super::series::Source;
use super::{columns, shown, wrong};
use crate::cli::Context;
use crate::failure::Failure;
use serde_json::json;
use tradegraph_quant::econometrics::{Lags, PairScreen, Trend, half_life};

/// What can be typed behind `quant pairs`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Lagged differences of the test; chosen by Akaike's criterion if not given
    #[arg(long, value_name = "N")]
    lags: Option<usize>,
    /// Pairs that are shown, the surest first
    #[arg(long, value_name = "N", default_value_t = 10)]
    rows: usize,
}

/// Runs the command.
pub fn run(context: &Context, a: &Arguments) -> Result<(), Failure> {
    let series = a.source.read(context)?;
    let (rows, closes) = series.common();
    if let Some((at, bad)) = closes.iter().enumerate().find_map(|(i, c)| Some((i, c.iter().find(|x| **x <= 0.0)?))) {
        let symbol = series.symbols.get(at).map_or("", String::as_str);
        return Err(wrong(format!("{symbol}: a price of {bad} has no logarithm")));
    }
    let logs: Vec<Vec<f64>> = closes.iter().map(|c| c.iter().map(|x| x.ln()).collect()).collect();
    let views: Vec<&[f64]> = logs.iter().map(Vec::as_slice).collect();
    let lags = a.lags.map_or(Lags::Aic { most: None }, Lags::Fixed);
    let mut found = Vec::new();
    let mut same = 0_usize;
    let mut screen =
        PairScreen::new(views.len(), rows.len(), Trend::Constant, lags).map_err(|e| wrong(e.to_string()))?;
    screen
        .run(&views, |_, _, test| match test {
            Some(test) => found.push(test),
            None => same += 1,
        })
        .map_err(|e| wrong(e.to_string()))?;
    // The surest first; equals by their place, so that the order is total.
    found.sort_by(|x, y| x.p.total_cmp(&y.p).then((x.y, x.x).cmp(&(y.y, y.x))));
    let tests = found.len();
    let below = found.iter().filter(|t| t.p < 0.05).count();
    let name = |i: usize| series.symbols.get(i).cloned().unwrap_or_default();
    let mut list = Vec::new();
    let mut table = Vec::new();
    for t in found.iter().take(a.rows) {
        let spread: Vec<f64> = match (logs.get(t.y), logs.get(t.x)) {
            (Some(y), Some(x)) => y.iter().zip(x).map(|(y, x)| y - t.hedge * x).collect(),
            _ => Vec::new(),
        };
        let half = half_life(&spread).map(|r| r.half_life).ok().filter(|h| h.is_finite());
        table.push(vec![
            name(t.y),
            name(t.x),
            format!("{:.4}", t.hedge),
            format!("{:.3}", t.statistic),
            shown(t.p),
            t.lags.to_string(),
            half.map_or("–".to_owned(), |h| format!("{h:.1}")),
        ]);
        list.push(json!({ "y": name(t.y), "x": name(t.x), "hedge": t.hedge, "statistic": t.statistic, "p": t.p,
            "lags": t.lags, "half_life": half }));
    }
    let by_chance = tests as f64 * 0.05;
    context.out.say(&format!(
        "{} series, {} common bars, {tests} ordered pairs tested",
        series.symbols.len(),
        rows.len()
    ));
    let head = ["explained", "by", "hedge ratio", "statistic", "p", "lags", "half-life"];
    context.out.say(&columns(&head, table, &[2, 3, 4, 5, 6]));
    context.out.say(&format!(
        "{below} of {tests} have p below 0.05; {by_chance:.0} would by chance alone. A pair picked from many tests is luck in part: look \
         whether it holds in other years (--from, --to)."
    ));
    context.out.result(&json!({ "bars": rows.len(), "tests": tests, "below_five_per_cent": below,
        "by_chance": by_chance, "multiples_of_each_other": same, "pairs": list }));
    Ok(())
}
