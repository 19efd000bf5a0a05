//! Travel in time through a stored run: where a moment is, and the run brought there.

use crate::failure::{Failure, Kind};
use crate::run::{Prepared, pool};
use tradegraph_domain::{Date, Nanos, Timestamp};
use tradegraph_engine::records::{Record, decode};
use tradegraph_engine::{BackTest, CommitGroup, Journal, JournalError, Snapshot};
use tradegraph_store::{Catalog, RunId, RunRecord, Store};

/// A moment of a run, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// After everything up to this time; a day means its end.
    Time(Timestamp),
    /// After the moment that holds this event.
    Event(u64),
}

impl std::str::FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        if let Ok(seq) = text.parse() {
            return Ok(Moment::Event(seq));
        }
        if let Some(day) = Date::parse(text) {
            return Ok(Moment::Time(Timestamp(day.midnight().0.saturating_add(Nanos::DAY.0 - 1))));
        }
        let ts: jiff::Timestamp =
            text.parse().map_err(|_| "give an event's number, a day (2020-06-30) or a time (2020-06-30T14:30:00Z)")?;
        i64::try_from(ts.as_nanosecond()).map(|n| Moment::Time(Timestamp(n))).map_err(|_| "is out of range".to_owned())
    }
}

/// A journal that keeps the records of what passes and nothing else.
#[derive(Debug, Default)]
pub struct Passing {
    /// Since they were taken last.
    pub records: Vec<Record>,
    end: u64,
}

impl Journal for Passing {
    fn append(&mut self, group: CommitGroup) -> Result<(), JournalError> {
        self.end = group.first_seq.saturating_add(group.n_events);
        // Nobody else has written them.
        self.records.extend(decode(&group.records).unwrap_or_default());
        Ok(())
    }

    fn snapshot(&mut self, _: Snapshot) -> Result<(), JournalError> {
        Ok(())
    }

    fn durable_seq(&self) -> u64 {
        self.end.saturating_sub(1)
    }

    fn flush(&mut self) -> Result<u64, JournalError> {
        Ok(self.durable_seq())
    }

    fn read(&mut self, _: u64) -> Result<Option<CommitGroup>, JournalError> {
        Ok(None)
    }

    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, JournalError> {
        Ok(None)
    }
}

/// A run at a moment that was saved.
pub struct Reached {
    /// What the run is made of there: of a fork before its fork, the run that it came from.
    pub prepared: Prepared,
    /// That run's name.
    pub id: RunId,
    /// The run.
    pub run: BackTest,
    /// The first commit group that is not in it.
    pub next_group: u64,
}

/// The newest saved state that is not after a moment: a snapshot, the beginning of a fork, or the beginning.
pub fn reach(
    store: &Store,
    catalog: &Catalog,
    record: &RunRecord,
    moment: Moment,
    threads: Option<usize>,
) -> Result<Reached, Failure> {
    let id = record.info.id.clone();
    let prepared = Prepared::from_run(store, catalog, record)?;
    prepared.check_version(id.as_str())?;
    let fork = store.fork_of(&id)?;
    let mut stored = store.reader(&id)?;
    let mut before = match moment {
        Moment::Event(seq) => Some(seq.saturating_add(1)),
        Moment::Time(_) => None,
    };
    let new = || Ok::<_, Failure>(BackTest::new(prepared.config.clone(), pool(threads)?)?);
    let fits = |run: &BackTest| match moment {
        Moment::Event(seq) => run.seq() <= seq,
        Moment::Time(ts) => run.now() <= ts,
    };
    while let Some(snapshot) = stored.snapshot_before(before)? {
        let mut run = new()?;
        run.resume_from(&snapshot)?;
        if fits(&run) {
            return Ok(Reached { run, next_group: snapshot.next_group, id, prepared });
        }
        before = Some(snapshot.seq);
    }
    let mut run = new()?;
    let Some(fork) = fork else { return Ok(Reached { run, next_group: 1, id, prepared }) };
    run.resume_from(&fork.snapshot)?;
    if fits(&run) {
        return Ok(Reached { run, next_group: fork.snapshot.next_group, id, prepared });
    }
    reach(store, catalog, &store.find(&fork.parent)?, moment, threads)
}

/// Runs on to the moment.
pub fn run_to(run: &mut BackTest, moment: Moment, journal: &mut dyn Journal) -> Result<(), Failure> {
    match moment {
        Moment::Time(ts) => run.run_to(ts, journal)?,
        Moment::Event(seq) => run.run_to_event(seq, journal)?,
    }
    Ok(())
}

/// Refuses a moment before the first event.
pub fn must_have_begun(run: &BackTest, prepared: &Prepared) -> Result<(), Failure> {
    if run.seq() > 0 {
        return Ok(());
    }
    let first = prepared.feeds.iter().map(|f| f.batch.interval(0).end).min().unwrap_or_default();
    Err(Failure::new(Kind::NotFound, "nothing has happened at that moment").next(format!("the data begin at {first}")))
}
