//! `tradegraph data`: the data sets of a home.

mod check;
mod import;
mod instruments;

use crate::cli::Context;
use crate::failure::{Failure, Kind};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use tradegraph_domain::Timestamp;
use tradegraph_store::dataset::{Column, DatasetEntry, DatasetError, Datasets, Manifest};
use tradegraph_store::{Catalog, SourceError};

/// Exit code of a command that did its work and found rows in the data that it could not use.
pub const QUARANTINED: u8 = 7;

/// What can be typed behind `data`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Read a file into the catalog
    #[command(
        after_help = "Exit codes: 0 everything was kept · 3 nothing could be imported · 7 imported, with rows or \
cells left out (they are in the quarantine file)"
    )]
    Import(Box<import::Arguments>),
    /// List the data sets of the catalog
    List,
    /// Show what a data set is, and its first rows
    Show(Show),
    /// Look for what is wrong or doubtful in a data set
    #[command(after_help = "Exit codes: 0 no fault was found · 7 faults were found")]
    Check(check::Arguments),
    /// Show tick, lot and currency of instruments, as a mandate wants them
    Instruments(instruments::Arguments),
    /// Write a data set to a CSV or Parquet file
    Export(Export),
    /// Remove a data set from the catalog
    Remove {
        /// Its name, or the beginning of its content id
        name: String,
    },
    /// Read data sets again and compare their content with their ids
    Verify {
        /// One of them; all if left out
        name: Option<String>,
    },
}

#[derive(clap::Args, Debug)]
struct Show {
    /// Its name, or the beginning of its content id
    name: String,
    /// Rows to show
    #[arg(long, default_value_t = 5)]
    rows: usize,
    /// Only rows known at this moment: 2024-01-31 or 2024-01-31T16:00:00Z
    #[arg(long, value_parser = moment)]
    known_by: Option<Timestamp>,
}

#[derive(clap::Args, Debug)]
struct Export {
    /// Its name, or the beginning of its content id
    name: String,
    /// The file to write; .parquet writes Parquet, everything else CSV
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let day = || tradegraph_domain::Date::parse(text).map(|d| d.midnight());
    let instant = || text.parse::<jiff::Timestamp>().ok().and_then(|t| i64::try_from(t.as_nanosecond()).ok());
    day().or_else(|| instant().map(Timestamp)).ok_or_else(|| "a date, or a time with Z or an offset".to_owned())
}

/// The data sets of a home.
pub fn datasets(context: &Context) -> Result<Datasets, Failure> {
    Ok(Catalog::open(context.home.path())?.datasets())
}

impl From<DatasetError> for Failure {
    fn from(e: DatasetError) -> Failure {
        let what = e.to_string();
        match e {
            DatasetError::NotFound { .. } | DatasetError::Ambiguous { .. } => {
                Failure::new(Kind::NotFound, what).next("list the data sets with: tradegraph data list")
            }
            DatasetError::Source(SourceError::Missing { .. }) => Failure::new(Kind::NotFound, what),
            DatasetError::Busy { .. } => Failure::new(Kind::Busy, what),
            DatasetError::Io { .. } | DatasetError::Encode { .. } => Failure::new(Kind::Failed, what)
                .next("the catalog is as it was; check the disk and that the folder may be written"),
            DatasetError::Damaged { .. } => Failure::new(Kind::Differs, what),
            DatasetError::NameTaken { .. } => {
                Failure::new(Kind::Input, what).next("--name gives another name, --replace takes its place")
            }
            _ => Failure::new(Kind::Input, what).next("`tradegraph data import --help` lists what can be told"),
        }
    }
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let done = match &arguments.command {
        Command::Import(a) => return import::run(context, a),
        Command::Check(a) => return check::run(context, a),
        Command::List => list(context),
        Command::Show(a) => show(context, a),
        Command::Instruments(a) => instruments::run(context, a),
        Command::Export(a) => export(context, a),
        Command::Remove { name } => remove(context, name),
        Command::Verify { name } => verify(context, name.as_deref()),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// `1 row`, `2 rows`.
fn plural(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// The series of a data set in a few words.
fn series_text(m: &Manifest) -> String {
    let names: Vec<String> = m
        .series
        .iter()
        .take(8)
        .map(|s| {
            let parts = [s.venue.as_deref(), s.segment.as_deref(), Some(s.symbol.as_str())];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        })
        .collect();
    let more = m.series.len().saturating_sub(names.len());
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    match m.series.is_empty() {
        true => "–".to_owned(),
        false => format!("{}{rest}", names.join(", ")),
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let out = context.out;
    let mut shown = Vec::new();
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["name", "kind", "series", "rows", "from", "to", "basis", "content"]);
    for entry in datasets(context)?.list()? {
        match entry {
            Ok(DatasetEntry { manifest: m, .. }) => {
                let day = |t: Option<Timestamp>| t.map_or("–".to_owned(), |t| t.date().to_string());
                let span = m.span();
                table.add_row([
                    m.name.clone(),
                    m.kind.name().to_owned(),
                    series_text(&m),
                    m.rows.kept.to_string(),
                    day(span.map(|s| s.0)),
                    day(span.map(|s| s.1)),
                    m.facts.basis.clone(),
                    m.id.chars().take(12).collect(),
                ]);
                shown.push(serde_json::to_value(&m).unwrap_or(Value::Null));
            }
            Err(e) => out.warn(&e.to_string()),
        }
    }
    if let Some(column) = table.column_mut(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    if shown.is_empty() {
        out.say(&format!(
            "no data sets in {}; make one with: tradegraph data import FILE",
            context.home.path().display()
        ));
    } else {
        out.say(&table.to_string());
    }
    out.result(&json!({ "home": context.home.path().display().to_string(), "datasets": shown }));
    Ok(())
}

fn show(context: &Context, a: &Show) -> Result<(), Failure> {
    let out = context.out;
    let dataset = datasets(context)?.get(&a.name)?;
    let m = dataset.manifest();
    let mut chunks = match a.known_by {
        Some(ts) => dataset.read_known_by(ts, &[])?,
        None => dataset.read(&[])?,
    };
    // The first rows; a chunk may have none that were known.
    let columns: Vec<Column> = loop {
        match chunks.next().transpose()? {
            Some(chunk) if chunk.rows() == 0 => {}
            Some(chunk) => break chunk.into_columns(),
            None => break Vec::new(),
        }
    };
    let rows = columns.first().map_or(0, Column::len).min(a.rows);
    let mut lines = vec![format!("{:<13} {} from {}", m.name, m.kind.spec().about, m.source.file)];
    let mut line = |name: &str, text: String| lines.push(format!("{name:<13} {text}"));
    line("rows", format!("{} kept of {}, {} in quarantine", m.rows.kept, m.rows.read, m.rows.quarantined));
    line("series", series_text(m));
    if let Some((first, last)) = m.span() {
        line("period", format!("{first} to {last}"));
    }
    line("known", m.known_at_words.clone());
    line("basis", m.facts.basis.clone());
    if let Some(origin) = &m.source.origin {
        line("origin", origin.clone());
    }
    line("content", m.id.clone());
    out.say(&lines.join("\n"));
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns.iter().map(|c| c.name.to_string()));
    let short = |t: String| if t.chars().count() > 40 { t.chars().take(39).collect::<String>() + "…" } else { t };
    for row in 0..rows {
        table.add_row(columns.iter().map(|c| short(c.show(row))));
    }
    out.say(&table.to_string());
    out.result(&json!({
        "manifest": serde_json::to_value(m).unwrap_or(Value::Null),
        "columns": columns.iter().map(|c| &*c.name).collect::<Vec<_>>(),
        "rows": (0..rows).map(|r| columns.iter().map(|c| c.show(r)).collect::<Vec<_>>()).collect::<Vec<_>>(),
    }));
    Ok(())
}

fn export(context: &Context, a: &Export) -> Result<(), Failure> {
    let dataset = datasets(context)?.get(&a.name)?;
    if a.to.extension().is_some_and(|e| e == "parquet") {
        dataset.export_parquet(&a.to)?;
    } else {
        dataset.export_csv_file(&a.to)?;
    }
    let rows = dataset.manifest().rows.kept;
    context.out.say(&format!("wrote         {} to {}", plural(rows, "row"), a.to.display()));
    context.out.result(&json!({ "file": a.to.display().to_string(), "rows": rows }));
    Ok(())
}

fn remove(context: &Context, name: &str) -> Result<(), Failure> {
    let sets = datasets(context)?;
    let id = sets.find(name)?;
    sets.remove(id)?;
    context.out.say(&format!("removed       {name} ({id})"));
    context.out.result(&json!({ "removed": name, "id": id.to_string() }));
    Ok(())
}

fn verify(context: &Context, name: Option<&str>) -> Result<(), Failure> {
    let sets = datasets(context)?;
    let ids = match name {
        Some(name) => vec![sets.find(name)?],
        None => sets.list()?.into_iter().map(|e| e.map(|e| e.id)).collect::<Result<Vec<_>, _>>()?,
    };
    for id in &ids {
        let dataset = sets.open(*id)?;
        dataset.verify()?;
        context.out.stage(&format!("as it was imported: {}", dataset.manifest().name));
    }
    context.out.result(&json!({ "verified": ids.len() }));
    Ok(())
}
