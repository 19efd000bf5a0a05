//! The command line: what can be typed, and which command it means.

use crate::commands;
use crate::failure::{Failure, Kind};
use crate::home::Home;
use crate::output::Output;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use tradegraph_engine::OwnAgent;

/// Exit codes, as `--help` shows them.
const EXIT_CODES: &str = "Exit codes: 0 done · 1 failed · 2 wrong command line · 3 bad mandate or data · 4 not found · \
5 home in use by another process · 6 a run made again differs, or a journal is damaged · 7 done, but data were left out or are faulty · 8 a check found a difference";

/// A council of trading agents on your own machine. Without a command it runs the demonstration: 20 US stocks, 33
/// years, real prices, no network, no key.
#[derive(Debug, Parser)]
#[command(name = "tradegraph", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args, Debug)]
struct Global {
    /// Folder of runs, catalog and reports
    #[arg(long, global = true, env = "TRADEGRAPH_HOME", default_value = "tradegraph-data", value_name = "DIR")]
    home: PathBuf,
    /// Write one JSON document to standard output and everything else to standard error
    #[arg(long, global = true)]
    json: bool,
    /// Leave out stages and progress
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a mandate over history
    Backtest(commands::backtest::Arguments),
    /// Run a stored run again and compare every commit group and the final hashes
    Replay(commands::replay::Arguments),
    /// Go on with an interrupted run from its last snapshot
    Resume(commands::resume::Arguments),
    /// Watch the council cycle by cycle, of a run that is over or under way
    Watch(commands::watch::Arguments),
    /// What the council held at any past moment: opinions, targets, decisions, books
    Inspect(commands::inspect::Arguments),
    /// Another future of a run: from a past moment on with another council or mandate
    Fork(commands::fork::Arguments),
    /// Look for decisions that know the future, or hang on where the data begin
    Check(commands::check::Arguments),
    /// List the runs of a home
    Runs(commands::runs::Arguments),
    /// Import, list, show, check and export data sets
    Data(commands::data::Arguments),
    /// Ask the tables of a home: decisions with reasons, trades, bars
    Sql(commands::sql::Arguments),
    /// Explain one order to the last unit, refused ones too, or why there was none
    Explain(commands::explain::Arguments),
    /// Write the report of a run again
    Report(commands::report::Arguments),
    /// What a target asks for, and how likely it is with what was measured
    Plan(commands::plan::Arguments),
    /// A mandate with many settings, and how much of the best one is luck
    Sweep(commands::sweep::Arguments),
    /// The formulas over data of yours: indicators, options, and more
    Quant(commands::quant::Arguments),
    /// Draw the council as a Mermaid diagram
    Graph(commands::graph::Arguments),
    /// Write a commented starter mandate
    Init(commands::init::Arguments),
    /// Write a program with an agent of your own
    New(commands::new::Arguments),
    /// Check the set-up
    Doctor,
    /// Print where the embedded sample data come from, and their licences
    Notice,
    /// Measure the engine on the bench data
    Bench(crate::bench::Arguments),
}

/// What every command gets.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where runs are kept.
    pub home: Home,
    /// Where words go.
    pub out: Output,
}

/// Reads the command line, runs the command, and says how it went.
pub fn main(own: &[OwnAgent]) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return usage(&e),
    };
    let out = Output::new(cli.global.json, cli.global.quiet);
    if let Err(failure) = crate::own::register(own) {
        out.failure(&failure);
        return ExitCode::from(failure.kind as u8);
    }
    let context = Context { home: Home::new(cli.global.home), out };
    let done = match cli.command {
        None => commands::demo::run(&context),
        Some(Command::Backtest(a)) => commands::backtest::run(&context, &a),
        Some(Command::Replay(a)) => commands::replay::run(&context, &a),
        Some(Command::Resume(a)) => commands::resume::run(&context, &a),
        Some(Command::Watch(a)) => commands::watch::run(&context, &a),
        Some(Command::Inspect(a)) => commands::inspect::run(&context, &a),
        Some(Command::Fork(a)) => commands::fork::run(&context, &a),
        Some(Command::Check(a)) => match commands::check::run(&context, &a) {
            Ok(code) => return code,
            Err(failure) => Err(failure),
        },
        Some(Command::Runs(a)) => commands::runs::run(&context, &a),
        Some(Command::Data(a)) => match commands::data::run(&context, &a) {
            Ok(code) => return code,
            Err(failure) => Err(failure),
        },
        Some(Command::Sql(a)) => commands::sql::run(&context, &a),
        Some(Command::Explain(a)) => commands::explain::run(&context, &a),
        Some(Command::Report(a)) => commands::report::run(&context, &a),
        Some(Command::Plan(a)) => commands::plan::run(&context, &a),
        Some(Command::Sweep(a)) => commands::sweep::run(&context, &a),
        Some(Command::Quant(a)) => commands::quant::run(&context, &a),
        Some(Command::Graph(a)) => commands::graph::run(&context, &a),
        Some(Command::Init(a)) => commands::init::run(&context, &a),
        Some(Command::New(a)) => commands::new::run(&context, &a),
        Some(Command::Doctor) => commands::doctor::run(&context),
        Some(Command::Notice) => commands::notice::run(&context),
        Some(Command::Bench(a)) => crate::bench::run(&context, &a),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out.failure(&failure);
            ExitCode::from(failure.kind as u8)
        }
    }
}

/// A command line that could not be read, or a wish for help.
fn usage(e: &clap::Error) -> ExitCode {
    if matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A closed pipe is the reader's wish.
        let _ = e.print();
        return ExitCode::SUCCESS;
    }
    if std::env::args_os().any(|a| a == "--json") {
        let text = e.to_string();
        let what = text.trim().trim_start_matches("error: ").to_owned();
        Output::new(true, false).failure(&Failure::new(Kind::Usage, what).next("see: tradegraph --help"));
    } else {
        let _ = e.print();
    }
    ExitCode::from(Kind::Usage as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_is_described() {
        let text = include_str!("../../../docs/commands.md");
        for name in Cli::command().get_subcommands().map(|c| c.get_name().to_owned()) {
            assert!(text.contains(&format!("## `tradegraph {name}")), "docs/commands.md lacks {name}");
        }
    }
}
