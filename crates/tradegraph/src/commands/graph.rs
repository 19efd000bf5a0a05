//! `tradegraph graph`: the council of a mandate as a Mermaid diagram.

use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::mandate::MandateText;
use crate::run::Prepared;
use serde_json::json;
use tradegraph_engine::State;

/// What can be typed behind `graph`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The mandate [default: the demonstration's]
    #[arg(value_name = "MANDATE")]
    pub mandate: Option<String>,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let text = MandateText::read(arguments.mandate.as_deref().unwrap_or("sample:demo"))?;
    let (prepared, _) = Prepared::from_text(&text, &context.home)?;
    let state = State::new(&prepared.config).map_err(|e| Failure::new(Kind::Input, e.to_string()))?;
    let drawing = state.mermaid();
    context.out.say(drawing.trim_end());
    context.out.result(&json!({ "mandate": prepared.mandate.name, "mermaid": drawing }));
    Ok(())
}
