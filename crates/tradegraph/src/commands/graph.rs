//! `tradegraph graph`: the council of a mandate as a Mermaid diagram or as a picture.

use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::mandate::MandateText;
use crate::run::Prepared;
use serde_json::json;
use std::path::PathBuf;
use tradegraph_engine::State;

/// What can be typed behind `graph`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The mandate [default: the demonstration's]
    #[arg(value_name = "MANDATE")]
    pub mandate: Option<String>,
    /// Write a picture to this file in place of the Mermaid text
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let text = MandateText::read(arguments.mandate.as_deref().unwrap_or("sample:demo"))?;
    let (prepared, _) = Prepared::from_text(&text, &context.home)?;
    let state = State::new(&prepared.config).map_err(|e| Failure::new(Kind::Input, e.to_string()))?;
    if let Some(file) = &arguments.svg {
        let picture = state.svg();
        std::fs::write(file, &picture).map_err(|e| {
            Failure::new(Kind::Failed, format!("{}: the picture cannot be written: {e}", file.display()))
                .next("name a file in a folder that exists and may be written")
        })?;
        context.out.say(&format!("picture       {}", file.display()));
        context.out.result(&json!({ "mandate": prepared.mandate.name, "svg": file.display().to_string() }));
        return Ok(());
    }
    let drawing = state.mermaid();
    context.out.say(drawing.trim_end());
    context.out.result(&json!({ "mandate": prepared.mandate.name, "mermaid": drawing }));
    Ok(())
}
