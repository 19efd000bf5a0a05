//! `tradegraph quant`: the library of formulas on the command line, over a file, a sample or a data set of the catalog.

mod indicator;
mod option;
mod series;

use crate::cli::Context;
use crate::failure::Failure;

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
