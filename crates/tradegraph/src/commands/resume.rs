//! `tradegraph resume`: an interrupted run from its last snapshot. What is made again is compared with what is stored.

use crate::cli::Context;
use crate::commands::backtest::tell;
use crate::commands::finish::finish;
use crate::failure::{Failure, Kind};
use crate::run::{Prepared, binary};
use tradegraph_engine::Journal;
use tradegraph_store::RunStatus;

/// What can be typed behind `resume`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The run: its id, the beginning of it, or `last`
    pub run: String,
    /// Threads; changes no result [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let out = context.out;
    // A look before the lock: a wrong name must not make a home.
    context.home.read()?.find(&arguments.run)?;
    let (store, catalog) = context.home.open()?;
    let record = store.find(&arguments.run)?;
    let id = record.info.id.clone();
    if record.status == RunStatus::Finished {
        return Err(Failure::new(Kind::Failed, format!("run '{id}' is finished: there is nothing to go on with"))
            .next(format!("see it: tradegraph report {id}")));
    }
    let mut journal = store.journal(&id)?;
    let snapshot = match journal.latest_snapshot()? {
        Some(snapshot) => Some(snapshot),
        // A fork begins where it left its parent.
        None => store.fork_of(&id)?.map(|f| f.snapshot),
    };
    // Interrupted before its first record: the data are in the catalog, but nothing binds the run to them.
    let prepared = Prepared::from_run(&store, &catalog, &record)?;
    prepared.check_version(id.as_str())?;
    let this = binary();
    if this != prepared.binding.binary {
        out.warn(&format!("run '{id}' was begun by {}, this is {this}: results may differ", prepared.binding.binary));
    }
    match &snapshot {
        Some(s) => out.stage(&format!("resume    {id} after event {} (snapshot)", s.seq)),
        None => out.stage(&format!("resume    {id} from its start (no snapshot yet)")),
    }
    let (run, outcome) = prepared.drive(&mut journal, snapshot.as_ref(), arguments.threads.map(usize::from), out)?;
    journal.flush()?;
    let finished = finish(context, &store, &id, &prepared, (&run, &outcome))?;
    tell(context, &finished);
    Ok(())
}
