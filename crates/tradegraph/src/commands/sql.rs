//! `tradegraph sql`: questions about everything that a home holds.

use crate::cli::Context;
use crate::commands::replay::catalog;
use crate::failure::{Failure, Kind};
use crate::tables::{TABLES, refresh};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};
use tradegraph_store::tables::SCHEMA;
use tradegraph_store::{Answer, Cell, StoreError, Tables};

/// What can be typed behind `sql`.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example: tradegraph sql \"SELECT symbol, count(*) AS n, sum(pnl) FROM trades GROUP BY symbol ORDER BY n DESC\""
)]
pub struct Arguments {
    /// One SELECT over the tables; without it, the tables and their columns are shown
    pub query: Option<String>,
    /// Show at most this many rows
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub limit: usize,
    /// Write comma-separated values
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let out = context.out;
    let Some(query) = arguments.query.as_deref() else {
        out.say(SCHEMA.trim_end());
        out.result(
            &json!({ "schema": SCHEMA, "tables": TABLES.map(|(name, about)| json!({ "name": name, "about": about })) }),
        );
        return Ok(());
    };
    // A home with imported data and without runs can be asked too.
    let store = match context.home.read() {
        Ok(store) => Some(store),
        Err(e) if context.home.path().join("catalog").is_dir() && e.kind == Kind::NotFound => None,
        Err(e) => return Err(e),
    };
    let mut tables = Tables::open(context.home.path())?;
    refresh(&mut tables, store.as_ref(), &catalog(&context.home)?, query, &mut |what| {
        if !arguments.csv {
            out.stage(&format!("filling {what}"));
        }
    })?;
    let answer = tables.ask(query, arguments.limit).map_err(not_understood)?;
    if arguments.csv {
        out.say(csv(&answer).trim_end());
    } else {
        out.say(&table(&answer));
    }
    if answer.more {
        out.warn(&format!("only the first {} rows are shown; --limit N shows more", arguments.limit));
    }
    out.result(&json!({
        "columns": answer.columns,
        "rows": answer.rows.iter().map(|r| r.iter().map(value).collect::<Vec<_>>()).collect::<Vec<_>>(),
        "more": answer.more,
    }));
    Ok(())
}

/// SQLite's own words about a question, without what is ours around it.
fn not_understood(e: StoreError) -> Failure {
    let StoreError::Sql { source, .. } = &e else { return e.into() };
    let Some(words) = source.as_database_error().map(|d| d.message().to_owned()) else { return e.into() };
    let names = TABLES.map(|(name, _)| name).join(", ");
    Failure::new(Kind::Usage, format!("the query cannot be answered: {words}")).next(match words.contains("readonly") {
        true => "tables are made from journals and catalog: ask with SELECT".to_owned(),
        false => format!("tables are {names}; `tradegraph sql` without a query shows their columns"),
    })
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(n) => json!(n),
        Cell::Real(x) => json!(x),
        Cell::Text(t) => json!(t),
    }
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Integer(n) => n.to_string(),
        Cell::Real(x) => x.to_string(),
        Cell::Text(t) => t.clone(),
    }
}

/// Longest cell on a terminal; --json and --csv show all.
const LONGEST: usize = 72;

fn shortened(text: String) -> String {
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST - 1).collect::<String>() + "…" }
}

fn csv(answer: &Answer) -> String {
    let quoted = |t: String| {
        if t.contains([',', '"', '\n', '\r']) { format!("\"{}\"", t.replace('"', "\"\"")) } else { t }
    };
    let line = |cells: Vec<String>| cells.into_iter().map(quoted).collect::<Vec<_>>().join(",") + "\n";
    let rows = answer.rows.iter().map(|r| line(r.iter().map(shown).collect()));
    line(answer.columns.clone()) + &rows.collect::<String>()
}

fn table(answer: &Answer) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(&answer.columns);
    for row in &answer.rows {
        table.add_row(row.iter().map(|cell| shortened(shown(cell))));
    }
    for at in 0..answer.columns.len() {
        let numbers = |r: &Vec<Cell>| matches!(r.get(at), Some(Cell::Integer(_) | Cell::Real(_) | Cell::Null));
        if let Some(column) = table.column_mut(at).filter(|_| answer.rows.iter().all(numbers)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}
