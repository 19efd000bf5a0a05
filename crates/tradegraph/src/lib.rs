//! The product: command line, mandates, homes, reports. It makes no trading decision.
//!
//! As a library it is the same program with agents of your own: `run(&[…])` is the whole command line, and `agent` is what
//! an agent is written with. `tradegraph new agent NAME` writes a program that uses it; docs/add-an-agent.md walks through.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod agent;
#[cfg(test)]
mod agents_results;
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
mod own;
mod report;
mod run;
mod samples;
mod settings;
mod sweeps;
mod tables;
mod trades;
mod travel;

use std::process::ExitCode;

/// The command line with these agents beside those of the project: everything from `main` to the exit code. A mandate names
/// each by its node, `[agents.NODE]`.
#[must_use]
pub fn run(own: &[agent::OwnAgent]) -> ExitCode {
    tradegraph_store::quiet_guarded_panics();
    cli::main(own)
}
