//! `tradegraph data check`: what is wrong or doubtful in a data set.

use crate::cli::Context;
use crate::commands::data::{QUARANTINED, datasets, plural};
use crate::failure::{Failure, Kind};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};
use std::process::ExitCode;
use tradegraph_domain::Price;
use tradegraph_market::calendar::CalendarId;
use tradegraph_market::quality::{Check, Severity};
use tradegraph_store::dataset::{CheckOptions, Checked};

/// What can be typed behind `data check`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The data set's name, or the beginning of its content id
    pub name: String,
    /// Whose sessions the bars should lie in, if another than at import
    #[arg(long)]
    pub calendar: Option<String>,
    /// Least price that can be right
    #[arg(long, requires = "most", allow_hyphen_values = true)]
    pub least: Option<String>,
    /// Greatest price that can be right
    #[arg(long, requires = "least", allow_hyphen_values = true)]
    pub most: Option<String>,
    /// Show at most this many series
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub limit: usize,
}

fn options(a: &Arguments) -> Result<CheckOptions, Failure> {
    let wrong = |what: String| Failure::new(Kind::Usage, what);
    let calendar = a.calendar.as_deref().map(|text| {
        CalendarId::parse(text)
            .ok_or_else(|| wrong(format!("--calendar {text}: no such calendar (XNYS, FX, 24/5, 24/7)")))
    });
    let price = |option: &str, text: &str| {
        Price::parse(text).map_err(|e| wrong(format!("--{option} {text}: is no price: {e}")))
    };
    let bounds = match (&a.least, &a.most) {
        (Some(least), Some(most)) => Some((price("least", least)?, price("most", most)?)),
        _ => None,
    };
    Ok(CheckOptions { calendar: calendar.transpose()?, bounds })
}

/// Runs the command.
pub fn run(context: &Context, a: &Arguments) -> Result<ExitCode, Failure> {
    let out = context.out;
    let dataset = datasets(context)?.get(&a.name)?;
    let checked = dataset.check(&options(a)?)?;
    let m = dataset.manifest();
    let worst = checked.iter().filter_map(|c| c.findings.severity()).max();
    let mut found: Vec<&Checked> = checked.iter().filter(|c| c.findings.severity().is_some()).collect();
    // The worst first, and of those the ones with most.
    let weight = |c: &&Checked| {
        let faults: u64 = counts(c).filter(|(_, s, _)| *s == Severity::Fault).map(|(.., n)| n).sum();
        let doubts: u64 = counts(c).filter(|(_, s, _)| *s == Severity::Doubt).map(|(.., n)| n).sum();
        std::cmp::Reverse((c.findings.severity(), faults, doubts))
    };
    found.sort_by_key(weight);
    out.say(&format!(
        "{:<13} {} of {}, {} in quarantine since the import",
        m.name,
        plural(m.rows.kept, "row"),
        m.rows.read,
        m.rows.quarantined
    ));
    if found.is_empty() {
        out.say("nothing was found");
    } else {
        out.say(&table(&found, a.limit));
        out.say(&examples(&found, &m.source.file, a.limit));
    }
    if found.len() > a.limit {
        out.say(&format!("{} more series have findings; --limit N shows more", found.len() - a.limit));
    }
    out.result(&json!({
        "name": m.name, "id": m.id, "worst": worst.map(Severity::name),
        "series": checked.iter().map(row).collect::<Vec<_>>(),
    }));
    Ok(if worst == Some(Severity::Fault) { ExitCode::from(QUARANTINED) } else { ExitCode::SUCCESS })
}

/// Checks that failed: name, what they do, how often.
fn counts(c: &Checked) -> impl Iterator<Item = (&'static str, Severity, u64)> {
    Check::ALL
        .iter()
        .zip(c.findings.counts)
        .filter(|(_, n)| *n > 0)
        .map(|((_, name, severity, _), n)| (*name, *severity, n))
}

fn row(c: &Checked) -> Value {
    json!({
        "series": c.series, "price": c.what, "rows": c.rows,
        "found": counts(c).map(|(name, severity, n)| json!({ "check": name, "severity": severity.name(), "n": n })).collect::<Vec<_>>(),
        "examples": c.findings.examples.iter().map(|e| json!({
            "check": e.check.name(), "line": c.line(e.row), "detail": e.detail })).collect::<Vec<_>>(),
    })
}

fn name(c: &Checked) -> String {
    match (c.series.is_empty(), c.what.is_empty()) {
        (true, true) => "whole data set".to_owned(),
        (true, false) => c.what.clone(),
        (false, _) => c.series.clone(),
    }
}

fn table(found: &[&Checked], limit: usize) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["series", "price", "rows", "faults", "doubts", "notes"]);
    for c in found.iter().take(limit) {
        let of = |severity: Severity| {
            let some = counts(c).filter(|(_, s, _)| *s == severity).map(|(name, _, n)| format!("{name} {n}"));
            some.collect::<Vec<_>>().join(", ")
        };
        let price = if c.series.is_empty() { String::new() } else { c.what.clone() };
        let [faults, doubts, notes] = [Severity::Fault, Severity::Doubt, Severity::Note].map(of);
        table.add_row([name(c), price, c.rows.to_string(), faults, doubts, notes]);
    }
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// One example of each check, with its place.
fn examples(found: &[&Checked], file: &str, limit: usize) -> String {
    let mut lines = Vec::new();
    for (check, check_name, severity, sentence) in Check::ALL {
        let with = found.iter().take(limit).flat_map(|c| c.findings.examples.iter().map(move |e| (c, e)));
        let mut with = with.filter(|(_, e)| e.check == check);
        if let Some((c, e)) = with.next() {
            let place = c.line(e.row).map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"));
            lines.push(format!("{check_name} ({}): {sentence}", severity.name()));
            for (c, e) in std::iter::once((c, e)).chain(with.take(2)) {
                let place = c.line(e.row).map_or_else(|| place.clone(), |line| format!("{file}:{line}"));
                lines.push(format!("  {place}: {}: {}", name(c), e.detail));
            }
        }
    }
    lines.join("\n")
}
