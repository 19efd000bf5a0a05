//! The product: command line, mandates, homes, reports. It makes no trading decision.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod bench;
mod cli;
mod commands;
mod cost_models;
mod explanation;
mod failure;
mod figures;
mod home;
mod mandate;
mod output;
mod report;
mod run;
mod samples;
mod settings;
mod sweeps;
mod tables;
mod trades;
mod travel;

use std::process::ExitCode;

fn main() -> ExitCode {
    tradegraph_store::quiet_guarded_panics();
    cli::main()
}
