//! `tradegraph explain`: one order, from the opinions to the fills.

use crate::cli::Context;
use crate::commands::replay::catalog;
use crate::explanation::explain;
use crate::failure::{Failure, Kind};
use crate::run::Prepared;
use crate::trades::story;
use serde_json::json;
use tradegraph_domain::OrderId;

/// What can be typed behind `explain`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The run: its id, the beginning of it, or `last`
    pub run: String,
    /// The order's number, from 1
    pub order: u64,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let store = context.home.read()?;
    let record = store.find(&arguments.run)?;
    let id = &record.info.id;
    let prepared = Prepared::from_run(&store, &catalog(&context.home)?, &record)?;
    let story = story(&mut store.reader(id)?, OrderId(arguments.order))?;
    if story.decision.is_none() {
        let what = format!("run '{id}' has no order {}", arguments.order);
        let next = match story.last_order {
            0 => "the run made no order, or did not record decisions ([record] level)".to_owned(),
            last => format!("orders of this run have numbers from 1 to {last}"),
        };
        return Err(Failure::new(Kind::NotFound, what).next(next));
    }
    let explanation = explain(&prepared.config, &story)?;
    context.out.say(&explanation.text());
    let mut value = explanation.json().clone();
    if let Some(object) = value.as_object_mut() {
        object.insert("run".to_owned(), json!(id.as_str()));
    }
    context.out.result(&value);
    Ok(())
}
