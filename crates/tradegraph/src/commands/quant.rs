//! `tradegraph quant`: the library of formulas on the command line, over a file, a sample or a data set of the catalog.

mod indicator;
mod optimise;
mod option;
mod pairs;
mod risk;
mod series;
mod test;

use crate::cli::Context;
use crate::failure::{Failure, Kind};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// What can be typed behind `quant`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// An indicator over every instrument of the data
    Indicator(indicator::Arguments),
    /// The list of indicators with their parameters
    Indicators,
    /// Price, Greeks or implied volatility of an option
    Option(option::Arguments),
    /// What series are like: unit root, memory, clusters of volatility
    Test(test::Arguments),
    /// Which pairs of a universe keep together
    Pairs(pairs::Arguments),
    /// What a portfolio can lose, and from which position it comes
    Risk(risk::Arguments),
    /// Weights by a goal, under limits
    Optimise(optimise::Arguments),
}

/// Runs the command.
pub fn run(context: &Context, a: &Arguments) -> Result<(), Failure> {
    match &a.command {
        Command::Indicator(a) => indicator::run(context, a),
        Command::Indicators => {
            indicator::list(context);
            Ok(())
        }
        Command::Option(a) => option::run(context, a),
        Command::Test(a) => test::run(context, a),
        Command::Pairs(a) => pairs::run(context, a),
        Command::Risk(a) => risk::run(context, a),
        Command::Optimise(a) => optimise::run(context, a),
    }
}

/// A number as a person wants to read it: ten digits, no more.
fn shown(x: f64) -> String {
    if !x.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{x:.10}");
    let trimmed = text.trim_end_matches('0').trim_end_matches('.');
    if x != 0.0 && x.abs() < 1e-6 { format!("{x:.6e}") } else { trimmed.to_owned() }
}

/// A share written with its sign, `4%`, as a fraction.
fn share(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').ok_or("a share is written with %, as 4%")?;
    match number.trim().parse::<f64>() {
        Ok(x) if x.is_finite() && x.abs() <= 100_000.0 => Ok(x / 100.0),
        _ => Err("is not a number".to_owned()),
    }
}

/// A fraction as per cent.
fn percent(x: f64) -> String {
    format!("{:.2} %", 100.0 * x)
}

/// A computation that these data do not allow.
fn wrong(what: String) -> Failure {
    Failure::new(Kind::Input, what)
        .next("docs/quant.md says what each computation needs; choose with --symbols, --from and --to")
}

/// A table whose columns `right` are numbers.
fn columns(head: &[&str], rows: Vec<Vec<String>>, right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    for at in right {
        if let Some(column) = table.column_mut(*at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}
