//! `tradegraph replay`: a stored run again, from its journal's first record and the catalog.

use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::home::Home;
use crate::run::{Comparison, Prepared, binary, hex};
use serde_json::{Value, json};
use tradegraph_store::{Catalog, RunStatus};

/// What can be typed behind `replay`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The run: its id, the beginning of it, or `last`
    pub run: String,
    /// Threads; changes no result [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// The catalog of a home that exists.
pub fn catalog(home: &Home) -> Result<Catalog, Failure> {
    home.data()
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let out = context.out;
    let store = context.home.read()?;
    let record = store.find(&arguments.run)?;
    let id = record.info.id.clone();
    let Some(stored_hash) = record.final_hash.filter(|_| record.status == RunStatus::Finished) else {
        let what = format!("run '{id}' is {}: there is no final state to compare with", record.status.name());
        let next = match record.status {
            RunStatus::Interrupted | RunStatus::Running => format!("go on with it: tradegraph resume {id}"),
            _ => "run its mandate again: tradegraph backtest".to_owned(),
        };
        return Err(Failure::new(Kind::Failed, what).next(next));
    };
    let prepared = Prepared::from_run(&store, &catalog(&context.home)?, &record)?;
    prepared.check_version(id.as_str())?;
    let this = binary();
    if this != prepared.binding.binary {
        out.warn(&format!("run '{id}' was made by {}, this is {this}: results may differ", prepared.binding.binary));
    }
    // The chain is read once in full, so that damage is told from a difference.
    let stored_groups = store.reader(&id)?.verify()?;
    let mut journal = Comparison::new(store.reader(&id)?);
    // A fork has its past from its parent, and begins at its own first snapshot.
    let fork = store.fork_of(&id)?;
    let from = fork.map(|f| f.snapshot);
    let stored_groups = stored_groups - from.as_ref().map_or(0, |s| s.next_group);
    let (_, outcome) = prepared.drive(&mut journal, from.as_ref(), arguments.threads.map(usize::from), out)?;
    let summary: Value = record.summary.as_deref().and_then(|s| serde_json::from_str(s).ok()).unwrap_or_default();
    let rolling = format!("{:016x}", outcome.rolling);
    let stored_rolling = summary.get("rolling_hash").and_then(Value::as_str).unwrap_or("unknown").to_owned();
    let same_hash = outcome.state_hash == stored_hash;
    let same =
        same_hash && rolling == stored_rolling && journal.first_difference.is_none() && journal.same == stored_groups;
    if same {
        out.say(&format!("run {id}: the replay is the same"));
        out.say(&format!("  commit groups  {stored_groups} of {stored_groups} equal"));
        out.say(&format!("  state hash     {}", hex(&stored_hash)));
        out.say(&format!("  rolling hash   {rolling}"));
        out.result(&json!({
            "run": id.as_str(), "same": true, "groups": stored_groups, "state_hash": hex(&stored_hash),
            "rolling_hash": rolling, "events": outcome.n_events, "binary": this,
            "binary_of_run": prepared.binding.binary,
        }));
        return Ok(());
    }
    let place = match journal.first_difference {
        Some(index) => format!("commit group {index} is the first that differs"),
        None if journal.same != stored_groups => {
            format!("{} groups were made, {stored_groups} are stored", journal.same)
        }
        None => "all commit groups are equal".to_owned(),
    };
    let what = format!(
        "the replay of run '{id}' differs: {place}; state hash {} was stored, {} came out; rolling hash {stored_rolling} was stored, {rolling} came out",
        hex(&stored_hash),
        hex(&outcome.state_hash)
    );
    Err(Failure::new(Kind::Differs, what)
        .next("compare the program versions of both; a difference in one version is a bug to report"))
}
