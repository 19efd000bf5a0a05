//! The program as its users meet it: the binary, a folder, and what it prints.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod bad_input;
mod browser;
mod comparison;
mod crash;
mod data;
mod documents;
mod homes;
mod layering;
mod own;
mod proof;
mod quant;
mod recovery;
mod report;
mod results;
mod sql;
mod travel;

use assert_cmd::Command;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

/// A temporary folder that is the working folder of commands and holds their home.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn home(&self) -> PathBuf {
        self.path().join("tradegraph-data")
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradegraph"));
        command.current_dir(self.path()).env_remove("TRADEGRAPH_HOME");
        command.env("TRADEGRAPH_SOURCE", concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must succeed; gives what it printed.
    fn good(&self, arguments: &[&str]) -> String {
        let out = self.run(arguments);
        let (text, errors) = (text(&out.stdout), text(&out.stderr));
        assert_eq!(out.status.code(), Some(0), "{arguments:?}\n{text}\n{errors}");
        text
    }

    /// Runs a command with `--json` that must succeed; gives its document.
    fn json(&self, arguments: &[&str]) -> Value {
        let all: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let printed = self.good(&all);
        serde_json::from_str(&printed).unwrap_or_else(|e| panic!("{arguments:?}: {e}\n{printed}"))
    }

    /// Runs a command with `--json` that must fail; gives its code and message.
    fn bad(&self, arguments: &[&str]) -> (i32, String) {
        let out = self.run(&arguments.iter().copied().chain(["--json"]).collect::<Vec<_>>());
        let (printed, errors) = (text(&out.stdout), text(&out.stderr));
        assert!(!errors.contains("panicked"), "{arguments:?}\n{errors}");
        let code = out.status.code().unwrap_or(-1);
        let value: Value =
            serde_json::from_str(&printed).unwrap_or_else(|e| panic!("{arguments:?}: {e}\n{printed}\n{errors}"));
        assert_eq!(value["error"]["code"], code, "{arguments:?}");
        let next = value["error"]["next"].as_str().unwrap_or_default();
        (code, format!("{} | {next}", value["error"]["message"].as_str().unwrap()))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A small mandate that trades a few hundred days.
const SMALL: &str = r#"
name = "small"
[account]
cash = "100000"
[[data]]
source = "sample:us20"
symbols = ["AAPL", "KO", "XOM"]
from = "2019-01-01"
to = "2021-12-31"
[agents.momentum_trader]
fast = 10
slow = 30
[allocator]
kind = "council"
max_weight = "60%"
gross = "95%"
[limits]
order_notional = "8000"
[costs]
commission = "1bp"
half_spread = "1bp"
"#;
