//! A stored run made again in memory, for what its journal does not hold: the days between decisions.

use crate::cli::Context;
use crate::commands::replay::catalog;
use crate::failure::{Failure, Kind};
use crate::figures::{Curves, Figures, trials};
use crate::run::{Comparison, Prepared, hex};
use crate::trades::TradeLog;

/// A run made again, equal to what was stored.
pub struct Again {
    /// The run's id.
    pub id: String,
    /// Its days.
    pub curves: Curves,
    /// What it came to.
    pub figures: Figures,
}

/// Makes a finished run again; a result that differs from the stored one is a failure.
pub fn again(context: &Context, run: &str) -> Result<Again, Failure> {
    let store = context.home.read()?;
    let record = store.find(run)?;
    let id = &record.info.id;
    let Some(stored) = record.final_hash else {
        let what = format!("run '{id}' is {}: it has no result to measure", record.status.name());
        return Err(Failure::new(Kind::Failed, what).next(format!("go on with it: tradegraph resume {id}")));
    };
    let prepared = Prepared::from_run(&store, &catalog(&context.home)?, &record)?;
    prepared.check_version(id.as_str())?;
    let mut journal = Comparison::new(store.reader(id)?);
    let from = store.fork_of(id)?.map(|f| f.snapshot);
    let (_, outcome) = prepared.drive(&mut journal, from.as_ref(), None, context.out)?;
    if outcome.state_hash != stored {
        let what =
            format!("run '{id}' made again ends with state {}, {} is stored", hex(&outcome.state_hash), hex(&stored));
        return Err(Failure::new(Kind::Differs, what).next(format!("see where: tradegraph replay {id}")));
    }
    let log = TradeLog::read(&mut store.reader(id)?)?;
    let curves = Curves::of(&outcome, &prepared.feeds, &prepared.config.actions, &log, prepared.mandate.cash.nano());
    let mut figures = Figures::of(&prepared.mandate, &prepared.feeds, &outcome, &log, &curves);
    (figures.trials, figures.trial_sharpes) = trials(&store, &prepared.mandate, &figures.data);
    Ok(Again { id: id.to_string(), curves, figures })
}
