//! `tradegraph data instruments`: what a data set of properties says about instruments, as a mandate wants it.

use crate::cli::Context;
use crate::commands::data::datasets;
use crate::failure::{Failure, Kind};
use crate::run::now;
use serde_json::{Value, json};
use tradegraph_domain::{AssetClass, Date, Quantity};
use tradegraph_market::Reference;
use tradegraph_market::reference::Listing;
use tradegraph_store::dataset::{Dataset, Kind as DataKind, Role};

/// What can be typed behind `data instruments`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The data set of properties: its name, or the beginning of its content id
    pub name: String,
    /// Symbols
    #[arg(required = true)]
    pub symbols: Vec<String>,
    /// The venue, as the data set calls it
    #[arg(long)]
    pub venue: String,
    /// The type, where a venue has a symbol in several
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// The day on which the symbols are meant [default: today]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub on: Option<Date>,
}

fn day(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "a date such as 2024-01-31".to_owned())
}

/// Names of columns of data sets that have another name in a reference.
const NAMES: [(&str, &str); 2] = [("venue_symbol", "market_ticker"), ("min_order", "minimum_order_size")];

/// The reference that a data set of properties makes, and what could not be read.
fn reference(dataset: &Dataset) -> Result<(Reference, Vec<String>), Failure> {
    let m = dataset.manifest();
    if m.kind != DataKind::Properties {
        let what = format!("data set '{}' holds {}, not properties of instruments", m.name, m.kind.spec().about);
        return Err(Failure::new(Kind::Input, what).next("name one of kind `properties`: `tradegraph data list`"));
    }
    let columns: Vec<&str> = m.columns.iter().filter(|c| c.role != Role::Derived).map(|c| c.name.as_str()).collect();
    let header: Vec<&str> =
        columns.iter().map(|c| NAMES.iter().find(|(own, _)| own == c).map_or(*c, |(_, other)| *other)).collect();
    let mut rows = Vec::new();
    let wanted: Vec<&str> = std::iter::once("line").chain(columns.iter().copied()).collect();
    for chunk in dataset.read(&wanted)? {
        let chunk = chunk?;
        for row in 0..chunk.rows() {
            let mut cells = chunk.columns().iter();
            let line = cells.next().and_then(|c| c.integer(row)).and_then(|l| u64::try_from(l).ok());
            rows.push((line.unwrap_or_default(), cells.map(|c| c.show(row)).collect()));
        }
    }
    let wrong = |e: &dyn std::fmt::Display| format!("{}: {e}", m.source.file);
    let (reference, problems) =
        Reference::from_table(&header, rows).map_err(|e| Failure::new(Kind::Input, wrong(&e)))?;
    Ok((reference, problems.iter().map(|p| wrong(p)).collect()))
}

/// Runs the command.
pub fn run(context: &Context, a: &Arguments) -> Result<(), Failure> {
    let out = context.out;
    let (reference, problems) = reference(&datasets(context)?.get(&a.name)?)?;
    let on = a.on.unwrap_or_else(|| now().date());
    let mut found = Vec::new();
    for symbol in &a.symbols {
        let listing = reference.find(symbol, &a.venue, on, a.kind.as_deref()).map_err(|e| {
            Failure::new(Kind::NotFound, e.to_string()).next("--venue, --type and --on say which one is meant")
        })?;
        found.push((symbol, listing));
    }
    for problem in problems.iter().take(3) {
        out.warn(problem);
    }
    if problems.len() > 3 {
        out.warn(&format!("and {} more rows that say nothing usable", problems.len() - 3));
    }
    out.say(&found.iter().map(|(symbol, listing)| toml(symbol, listing)).collect::<Vec<_>>().join("\n"));
    out.result(&json!({
        "instruments": found.iter().map(|(symbol, l)| row(symbol, l)).collect::<Vec<_>>(), "problems": problems,
    }));
    Ok(())
}

fn class(listing: &Listing) -> &'static str {
    AssetClass::ALL.iter().find(|(c, _)| *c == listing.instrument.class).map_or("?", |(_, name)| name)
}

/// The table that a mandate can take over as it is.
fn toml(symbol: &str, l: &Listing) -> String {
    let x = &l.instrument;
    let mut lines = Vec::new();
    if !l.description.is_empty() {
        lines.push(format!("# {}", l.description));
    }
    if x.multiplier != Quantity::ONE {
        lines.push(format!("# one contract is {} units: a run of this version refuses it", x.multiplier));
    }
    if let Some(calendar) = l.calendar {
        lines.push(format!("# calendar {calendar}"));
    }
    lines.push(format!("[instruments.{symbol}]"));
    lines.push(format!("class = \"{}\"", class(l)));
    lines.push(format!("currency = \"{}\"", x.currency));
    lines.push(format!("venue = \"{}\"", x.venue));
    lines.push(format!("tick = \"{}\"", x.tick));
    lines.push(format!("lot = \"{}\"\n", x.lot));
    lines.join("\n")
}

fn row(symbol: &str, l: &Listing) -> Value {
    let x = &l.instrument;
    json!({
        "symbol": symbol, "now": x.symbol, "class": class(l), "currency": x.currency.to_string(), "venue": x.venue,
        "tick": x.tick.to_string(), "lot": x.lot.to_string(), "multiplier": x.multiplier.to_string(),
        "calendar": l.calendar.map(|c| c.name()), "description": l.description,
        "names": l.names.iter().map(|n| json!({ "symbol": n.symbol, "from": n.from.to_string() })).collect::<Vec<_>>(),
    })
}
