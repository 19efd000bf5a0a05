//! The report of a run: one HTML file that needs nothing else, and the same facts as JSON.
//!
//! Plotly comes from its crate and is copied into the file. Text from outside (names, symbols) is escaped.

mod assumptions;
mod charts;
mod council;
mod page;
mod sheet;

pub use sheet::Sheet;

use crate::failure::Failure;
use crate::figures::{Curves, Figures};
use crate::home::write_whole;
use crate::run::Prepared;
use crate::trades::TradeLog;
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

/// Writes `report.html` and `report.json` into a folder; gives the path of the first.
pub fn write(folder: &Path, subject: &Subject<'_>) -> Result<PathBuf, Failure> {
    let assumptions = assumptions::list(subject);
    let html = page::html(subject, &assumptions);
    let path = folder.join("report.html");
    write_whole(&path, html.as_bytes())?;
    write_whole(&folder.join("report.json"), json_of(subject, &assumptions).to_string().as_bytes())?;
    Ok(path)
}

fn json_of(s: &Subject<'_>, assumptions: &[String]) -> Value {
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
            "nav": s.curves.net, "equal_weight": s.curves.benchmark,
        },
        "fills": fills,
        "fills_total": s.log.n_fills,
        "mandate_text": s.prepared.binding.mandate,
    })
}
