//! The report of a run: one HTML file that needs nothing else, and the same facts as JSON.
//!
//! Plotly comes from its crate and is copied into the file. Text from outside (names, symbols) is escaped.

mod analysis;
mod assumptions;
mod capacity;
mod charts;
pub mod compare;
mod council;
mod decision;
mod diagnosis;
mod evidence;
mod files;
#[cfg(test)]
mod oracle;
mod page;
mod sections;
mod sheet;
mod trips;
mod windows;

pub use sheet::Sheet;

use crate::failure::Failure;
use crate::figures::{Curves, Figures};
use crate::home::write_whole;
use crate::run::Prepared;
use crate::trades::TradeLog;
use analysis::Analysis;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tradegraph_domain::format_nano;
use tradegraph_engine::BackTest;
use tradegraph_store::RunId;

/// Fills that `report.json` lists.
const JSON_FILLS: usize = 20_000;

/// What a report is about.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The run.
    pub id: &'a RunId,
    /// What determined it.
    pub prepared: &'a Prepared,
    /// Its last state.
    pub run: &'a BackTest,
    /// What it came to.
    pub figures: &'a Figures,
    /// Orders and fills.
    pub log: &'a TradeLog,
    /// The curves.
    pub curves: &'a Curves,
    /// Hashes and figures.
    pub summary: &'a Value,
}

/// Writes `report.html`, `report.json` and the tables `equity` and `trades` as CSV and Parquet into a folder; gives the path of the first.
pub fn write(folder: &Path, subject: &Subject<'_>) -> Result<PathBuf, Failure> {
    let assumptions = assumptions::list(subject);
    let analysis = Analysis::of(subject);
    let html = page::html(subject, &analysis, &assumptions);
    files::write(folder, subject, &analysis)?;
    let path = folder.join("report.html");
    write_whole(&path, html.as_bytes())?;
    write_whole(&folder.join("report.json"), json_of(subject, &analysis, &assumptions).to_string().as_bytes())?;
    Ok(path)
}

fn json_of(s: &Subject<'_>, a: &Analysis, assumptions: &[String]) -> Value {
    let universe = &s.prepared.config.universe;
    let symbol = |i| universe.get(i).map_or("?", |x| x.symbol.as_str());
    let fills: Vec<Value> = s
        .log
        .fills
        .iter()
        .take(JSON_FILLS)
        .map(|f| {
            json!({
                "time": f.ts.to_string(), "order": f.fill.order.0, "symbol": symbol(f.fill.instrument),
                "side": f.fill.side.name(), "quantity": f.fill.quantity.to_string(), "price": f.fill.price.to_string(),
                "fee": format_nano(f.fill.fee_nano), "realised": format_nano(f.realised_nano),
            })
        })
        .collect();
    json!({
        "summary": s.summary,
        "assumptions": assumptions,
        "council": council::json_of(s),
        "curves": {
            "date": s.curves.dates.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "nav": s.curves.net, "equal_weight": s.curves.benchmark, "buy_and_hold": s.curves.held,
            "gross": s.curves.gross, "net": s.curves.exposure, "largest": s.curves.largest, "traded": s.curves.traded,
            "rolling_days": a.rolling.as_ref().map(|r| r.window),
            "rolling_sharpe": a.rolling.as_ref().map(|r| &r.sharpe),
            "rolling_volatility": a.rolling.as_ref().map(|r| &r.volatility),
        },
        "diagnosis": a.remarks.iter().map(|r| json!({
            "check": r.check, "severity": r.severity.name(), "says": r.says, "advice": r.advice,
            "evidence": r.evidence.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect::<serde_json::Map<_, _>>(),
        })).collect::<Vec<_>>(),
        "months": a.months.iter().map(|y| json!({ "year": y.year, "months": y.months, "total": y.total })).collect::<Vec<_>>(),
        "evidence": a.evidence,
        "ratios": a.ratios,
        "against_equal_weight": a.against,
        "worst": a.worst,
        "falls": a.falls,
        "capacity": a.capacity,
        "trips": a.trip_figures,
        "trips_total": a.trips.as_ref().map(Vec::len),
        "fills": fills,
        "fills_total": s.log.n_fills,
        "mandate_text": s.prepared.binding.mandate,
    })
}
