//! `tradegraph runs`: what a home holds.

use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::figures::percent;
use crate::run::hex;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};
use tradegraph_store::{RunRecord, Store, StoreError};

/// What can be typed behind `runs`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Show at most this many of the newest runs
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub newest: usize,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let out = context.out;
    let home = context.home.path();
    if home.exists() && !home.is_dir() {
        let what = format!("{} is no folder", home.display());
        return Err(Failure::new(Kind::Failed, what).next("name a folder with --home DIR"));
    }
    let runs = match Store::open_read_only(home) {
        Ok(store) => store.runs()?,
        // A home that was never written to has no runs; that is an answer, not an error.
        Err(StoreError::NoStore { .. }) => Vec::new(),
        Err(e) => return Err(e.into()),
    };
    let skip = runs.len().saturating_sub(arguments.newest);
    let shown: Vec<&RunRecord> = runs.iter().skip(skip).collect();
    if shown.is_empty() {
        out.say(&format!("no runs in {}; make one with: tradegraph", context.home.path().display()));
    } else {
        out.say(&table(&shown));
    }
    out.result(&json!({
        "home": context.home.path().display().to_string(),
        "runs": shown.iter().map(|r| row(r)).collect::<Vec<_>>(),
        "total": runs.len(),
    }));
    Ok(())
}

fn summary(run: &RunRecord) -> Value {
    run.summary.as_deref().and_then(|s| serde_json::from_str(s).ok()).unwrap_or_default()
}

fn row(run: &RunRecord) -> Value {
    json!({
        "run": run.info.id.as_str(), "status": run.status.name(), "created": run.info.created.to_string(),
        "finished": run.finished.map(|t| t.to_string()), "state_hash": run.final_hash.as_ref().map(hex),
        "binary": run.info.binary, "summary": summary(run),
    })
}

fn table(runs: &[&RunRecord]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["run", "status", "growth in all", "Sharpe", "drawdown", "orders", "state hash"]);
    for run in runs {
        let s = summary(run);
        let number = |path: &str| s.pointer(path).and_then(Value::as_f64);
        let figure = |path: &str| percent(number(path));
        table.add_row([
            run.info.id.to_string(),
            run.status.name().to_owned(),
            figure("/net/total_return"),
            number("/net/sharpe").map_or("–".to_owned(), |x| format!("{x:.2}")),
            figure("/net/max_drawdown"),
            s.get("orders").and_then(Value::as_u64).map_or("–".to_owned(), |n| n.to_string()),
            run.final_hash.as_ref().map_or("–".to_owned(), |h| hex(h).chars().take(12).collect()),
        ]);
    }
    for at in 2..6 {
        if let Some(column) = table.column_mut(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}
