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
    /// Whom it is for
    #[arg(long, value_name = "PROFILE", default_value = "starter")]
    pub profile: Profile,
}

/// What a mandate to start from is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// One agent, with every key explained
    Starter,
    /// $5,000, fractions of shares, at most ten positions, 2 % risk a position
    Student,
    /// Every agent, shorts, risk limits, a volatility target, fees by share
    Institutional,
}

impl Profile {
    /// The mandate.
    pub fn mandate(self) -> &'static str {
        match self {
            Profile::Starter => include_str!("../starter.toml"),
            Profile::Student => include_str!("../student.toml"),
            Profile::Institutional => include_str!("../institutional.toml"),
        }
    }
}

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
    file.write_all(arguments.profile.mandate().as_bytes()).map_err(|e| cannot("written", &path, &e))?;
    context.out.say(&format!("wrote         {}", path.display()));
    context.out.say(&format!("try next      tradegraph backtest {}", path.display()));
    context.out.result(&json!({ "mandate": path.display().to_string() }));
    Ok(())
}
