//! `tradegraph resume`: an interrupted run from its last snapshot. What is made again is compared with what is stored.

use crate::cli::Context;
use crate::commands::backtest::tell;
use crate::commands::finish::finish;
use crate::failure::{Failure, Kind};
use crate::run::{Prepared, binary};
use tradegraph_engine::{Journal, JournalError, Snapshot};
use tradegraph_store::{Catalog, RunId, RunStatus, SqliteJournal, Store};

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
    let reopened = reopen(&store, &catalog, &arguments.run)?;
    for damage in &reopened.damaged {
        out.warn(&format!("{damage}; it is left out"));
    }
    let Reopened { id, prepared, mut journal, snapshot, .. } = reopened;
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

/// An interrupted run, ready to go on.
pub struct Reopened {
    /// The run.
    pub id: RunId,
    /// What determines it.
    pub prepared: Prepared,
    /// Its journal, behind the last durable group.
    pub journal: SqliteJournal,
    /// Where it goes on; none is its start.
    pub snapshot: Option<Snapshot>,
    /// Newer snapshots that are damaged.
    pub damaged: Vec<JournalError>,
}

/// Everything that an interrupted run needs to go on, from the store and the catalog alone.
pub fn reopen(store: &Store, catalog: &Catalog, run: &str) -> Result<Reopened, Failure> {
    let record = store.find(run)?;
    let id = record.info.id.clone();
    if record.status == RunStatus::Finished {
        return Err(Failure::new(Kind::Failed, format!("run '{id}' is finished: there is nothing to go on with"))
            .next(format!("see it: tradegraph report {id}")));
    }
    let mut journal = store.journal(&id)?;
    let (snapshot, damaged) = journal.reader().newest_good_snapshot()?;
    let snapshot = match snapshot {
        Some(snapshot) => Some(snapshot),
        // A fork begins where it left its parent.
        None => store.fork_of(&id)?.map(|f| f.snapshot),
    };
    // Interrupted before its first record: the data are in the catalog, but nothing binds the run to them.
    let prepared = Prepared::from_run(store, catalog, &record)?;
    prepared.check_version(id.as_str())?;
    Ok(Reopened { id, prepared, journal, snapshot, damaged })
}
