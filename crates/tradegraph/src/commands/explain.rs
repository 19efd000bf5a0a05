//! `tradegraph explain`: one order, from the opinions to the fills.

mod why_not;

use crate::cli::Context;
use crate::commands::replay::catalog;
use crate::explanation::explain;
use crate::failure::{Failure, Kind};
use crate::run::Prepared;
use crate::trades::story;
use crate::travel::Moment;
use serde_json::{Value, json};
use tradegraph_domain::OrderId;

/// What can be typed behind `explain`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The run: its id, the beginning of it, or `last`
    pub run: String,
    /// The order's number, from 1; or an instrument, with a date
    #[arg(value_name = "ORDER|INSTRUMENT")]
    pub what: String,
    /// For an instrument: the moment whose last decision is explained, also if there was no order
    #[arg(value_name = "SEQ|DATE|TIME")]
    pub at: Option<Moment>,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let store = context.home.read()?;
    let record = store.find(&arguments.run)?;
    if let Some(at) = arguments.at {
        return why_not::run(context, &store, &record, &arguments.what, at);
    }
    let Ok(order) = arguments.what.parse::<u64>() else {
        let what = format!("'{}' is no order's number", arguments.what);
        let next = format!("for an instrument add a date: explain {} {} 2020-06-30", arguments.run, arguments.what);
        return Err(Failure::new(Kind::Usage, what).next(next));
    };
    let id = &record.info.id;
    let catalog = catalog(&context.home)?;
    let prepared = Prepared::from_run(&store, &catalog, &record)?;
    let story = story(&mut store.reader(id)?, OrderId(order))?;
    if story.decision.is_none() {
        let what = format!("run '{id}' has no order {}", order);
        let next = match story.last_order {
            0 => "the run made no order, or did not record decisions ([record] level)".to_owned(),
            last => format!("orders of this run have numbers from 1 to {last}"),
        };
        return Err(Failure::new(Kind::NotFound, what).next(next));
    }
    let explanation = explain(&prepared.config, &story)?;
    context.out.say(&explanation.text());
    let mut value = explanation.json().clone();
    put(&mut value, "run", json!(id.as_str()));
    let decision = story.decision.as_ref().filter(|d| !d.waterfall.base.is_empty());
    if let Some(d) = decision
        && let Some((lines, without)) = why_not::counterfactual(&catalog, &store, &record, d)?
    {
        context.out.say(&format!("\n{}", lines.join("\n")));
        put(&mut value, "without", without);
    }
    context.out.result(&value);
    Ok(())
}

/// A field of an object.
fn put(value: &mut Value, key: &str, part: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(key.to_owned(), part);
    }
}
