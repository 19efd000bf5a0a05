//! `tradegraph report`: the report of a stored run, written again. The run is made again in memory, since a journal
//! holds decisions and not the days between them; a result that differs from the stored one is an error.

use crate::cli::Context;
use crate::commands::replay::catalog;
use crate::failure::{Failure, Kind};
use crate::figures::{Curves, Figures, trials};
use crate::home::write_whole;
use crate::report::{Subject, compare, write};
use crate::run::{Comparison, Prepared, hex};
use crate::trades::TradeLog;
use serde_json::json;
use tradegraph_store::RunId;

/// What can be typed behind `report`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The run: its id, the beginning of it, or `last`
    pub run: String,
    /// Another run to compare it with, in place of writing its report again
    pub other: Option<String>,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let store = context.home.read()?;
    let record = store.find(&arguments.run)?;
    if let Some(other) = &arguments.other {
        return side_by_side(context, &record.info.id, &store.find(other)?.info.id);
    }
    let id = &record.info.id;
    let Some(stored) = record.final_hash else {
        let what = format!("run '{id}' is {}: it has no result to report", record.status.name());
        return Err(Failure::new(Kind::Failed, what).next(format!("go on with it: tradegraph resume {id}")));
    };
    let prepared = Prepared::from_run(&store, &catalog(&context.home)?, &record)?;
    let mut journal = Comparison::new(store.reader(id)?);
    // A fork begins where it left its parent.
    let from = store.fork_of(id)?.map(|f| f.snapshot);
    let (run, outcome) = prepared.drive(&mut journal, from.as_ref(), None, context.out)?;
    if outcome.state_hash != stored {
        let what =
            format!("run '{id}' made again ends with state {}, {} is stored", hex(&outcome.state_hash), hex(&stored));
        return Err(Failure::new(Kind::Differs, what).next(format!("see where: tradegraph replay {id}")));
    }
    let log = TradeLog::read(&mut store.reader(id)?)?;
    let curves = Curves::of(&outcome, &prepared.feeds, &prepared.config.actions, &log, prepared.mandate.cash.nano());
    let mut figures = Figures::of(&prepared.mandate, &prepared.feeds, &outcome, &log, &curves);
    (figures.trials, figures.trial_sharpes) = trials(&store, &prepared.mandate, &figures.data);
    let summary = crate::commands::finish::summary(id, &prepared, &outcome, &figures);
    let subject = Subject {
        id,
        prepared: &prepared,
        run: &run,
        figures: &figures,
        log: &log,
        curves: &curves,
        summary: &summary,
    };
    let path = write(&context.home.run_folder(id)?, &subject)?;
    context.out.say(&format!("report        {}", path.display()));
    context.out.result(&json!({
        "run": id.as_str(), "report": path.display().to_string(),
        "json": path.with_extension("json").display().to_string(),
    }));
    Ok(())
}

/// Two runs, from the reports that they left.
fn side_by_side(context: &Context, a: &RunId, b: &RunId) -> Result<(), Failure> {
    if a == b {
        return Err(Failure::new(Kind::Usage, format!("'{a}' is the same run twice")).next("name two: tradegraph runs"));
    }
    let side = |id: &RunId| compare::read(id.as_str(), &context.home.run_folder(id)?);
    let path = context.home.run_folder(a)?.join(format!("against-{b}.html"));
    let (a, b) = (side(a)?, side(b)?);
    write_whole(&path, compare::html(&a, &b).as_bytes())?;
    let mut found = compare::json_of(&a, &b);
    if let Some(object) = found.as_object_mut() {
        object.insert("report".to_owned(), json!(path.display().to_string()));
    }
    context.out.say(&format!("A             {}\nB             {}", a.id, b.id));
    context.out.say(&format!("report        {}", path.display()));
    context.out.result(&found);
    Ok(())
}
