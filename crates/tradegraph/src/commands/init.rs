//! `tradegraph init`: a commented mandate to start from.

use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::home::cannot;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// What can be typed behind `init`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The folder that gets `mandate.toml`
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
}

/// The starter mandate.
pub const STARTER: &str = include_str!("../starter.toml");

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let folder = &arguments.folder;
    std::fs::create_dir_all(folder).map_err(|e| cannot("made", folder, &e))?;
    let path = folder.join("mandate.toml");
    // `create_new` decides and writes in one step: an existing file is never touched.
    let made = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
    let mut file = made.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::new(Kind::Failed, format!("{}: the file exists and is left as it is", path.display()))
                .next("name another folder: tradegraph init DIR")
        }
        _ => cannot("written", &path, &e),
    })?;
    file.write_all(STARTER.as_bytes()).map_err(|e| cannot("written", &path, &e))?;
    context.out.say(&format!("wrote         {}", path.display()));
    context.out.say(&format!("try next      tradegraph backtest {}", path.display()));
    context.out.result(&json!({ "mandate": path.display().to_string() }));
    Ok(())
}
