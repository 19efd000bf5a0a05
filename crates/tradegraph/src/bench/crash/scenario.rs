//! The scenario that is crashed: a council over real bars with corporate actions, kept in a home on a recording disk; what
//! brings it back; and what must then be true.

use crate::commands::backtest::begin;
use crate::commands::finish::enter;
use crate::commands::resume::{Reopened, reopen};
use crate::failure::{Failure, Kind};
use crate::home::Home;
use crate::mandate::MandateText;
use crate::output::Output;
use crate::run::{Prepared, hex};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tradegraph_domain::Timestamp;
use tradegraph_engine::records::{Record, decode};
use tradegraph_engine::{CommitGroup, Journal, JournalError, Snapshot};
use tradegraph_simulation::{Image, Op, RecordingDisk};
use tradegraph_store::{RunId, RunStatus, Store, StoreError};

/// Three shares as traded, over a dividend of 3.08 (MSFT, 2004-11-15) and a split of two for one (AAPL, 2005-02-28).
const MANDATE: &str = r#"
name = "crash"
[account]
cash = "100000"
[[data]]
source = "sample:us4-raw"
symbols = ["AAPL", "GOOG", "MSFT"]
actions = "wiki"
from = "2004-10-01"
to = "2005-05-31"
[instruments]
lot = "1"
[agents.momentum_trader]
fast = 5
slow = 15
[allocator]
kind = "council"
max_weight = "60%"
gross = "95%"
[limits]
order_notional = "8000"
[costs]
commission = "1bp"
half_spread = "1bp"
"#;

/// Days between snapshots, fewer than a mandate may ask for: groups, snapshots and their pruning all happen often.
const SNAPSHOT_ROWS: u32 = 12;
/// Pages of the log after which SQLite copies it back: few, so that it happens many times.
const CHECKPOINT_PAGES: u32 = 24;
/// Time of the run; a scenario has no clock.
const CREATED: Timestamp = Timestamp(1_600_000_000_000_000_000);

/// How a difference begins that the program itself did not report.
pub const WRONG: &str = "wrong result";
/// What was acknowledged: nothing, that the run exists, a number of commit groups, or its end.
pub const EXISTS: u64 = 1;
const GROUPS: u64 = 2;
/// The run is finished.
pub const FINISHED: u64 = u64::MAX;

/// A scenario with what it comes to when nothing disturbs it.
pub struct Scenario {
    text: MandateText,
    prepared: Prepared,
    /// Every operation on the disk, in order.
    pub ops: Vec<Op>,
    groups: Vec<CommitGroup>,
    summary: Value,
}

/// What a run came to.
struct End {
    store: Store,
    id: RunId,
    summary: Value,
}

/// Waits for every group and snapshot and notes what was acknowledged: the operations of a run are then the same every time,
/// although another thread writes.
struct Waiting<'a> {
    journal: &'a mut dyn Journal,
    disk: &'a RecordingDisk,
}

impl Journal for Waiting<'_> {
    fn append(&mut self, group: CommitGroup) -> Result<(), JournalError> {
        let index = group.index;
        self.journal.append(group)?;
        self.journal.flush()?;
        self.disk.mark(GROUPS + index);
        Ok(())
    }

    fn snapshot(&mut self, snapshot: Snapshot) -> Result<(), JournalError> {
        self.journal.snapshot(snapshot)?;
        self.journal.flush().map(|_| ())
    }

    fn durable_seq(&self) -> u64 {
        self.journal.durable_seq()
    }

    fn flush(&mut self) -> Result<u64, JournalError> {
        self.journal.flush()
    }

    fn read(&mut self, index: u64) -> Result<Option<CommitGroup>, JournalError> {
        self.journal.read(index)
    }

    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, JournalError> {
        self.journal.latest_snapshot()
    }
}

/// The last thing that was acknowledged before operation `at`.
pub fn acknowledged(ops: &[Op], at: usize) -> u64 {
    let marks = ops.iter().take(at).filter_map(|op| if let Op::Mark(n) = op { Some(*n) } else { None });
    marks.max().unwrap_or_default()
}

/// A result of the run that is without its name and the number of runs around it.
fn content(mut summary: Value) -> Value {
    if let Some(object) = summary.as_object_mut() {
        object.remove("run");
    }
    summary
}

impl Scenario {
    /// Runs it once in an empty folder.
    pub fn new(folder: &Path) -> Result<Scenario, String> {
        let text = MandateText {
            file: "the mandate of the crash sweep".to_owned(),
            text: MANDATE.to_owned(),
            folder: folder.to_owned(),
        };
        let (mut prepared, _) = Prepared::from_text(&text, &Home::new(folder.join("none"))).map_err(|e| e.what)?;
        prepared.config.snapshot_rows = SNAPSHOT_ROWS;
        let mut scenario = Scenario { text, prepared, ops: vec![], groups: vec![], summary: Value::Null };
        let disk = RecordingDisk::new(folder, &Image::default(), CHECKPOINT_PAGES).map_err(|e| e.to_string())?;
        let end = scenario.begin(&disk).map_err(|e| e.what)?;
        let mut reader = end.store.reader(&end.id).map_err(|e| e.to_string())?;
        while let Some(group) = reader.read(scenario.groups.len() as u64).map_err(|e| e.to_string())? {
            scenario.groups.push(group);
        }
        scenario.summary = content(end.summary);
        drop((reader, end.store));
        scenario.ops = disk.take();
        scenario.orders_are_sent_once()?;
        Ok(scenario)
    }

    /// Orders in the journal of the undisturbed run, none twice.
    fn orders_are_sent_once(&self) -> Result<usize, String> {
        let mut seen = BTreeSet::new();
        for group in &self.groups {
            for record in decode(&group.records).map_err(|e| e.to_string())? {
                if let Record::Decision(d) = record
                    && !seen.insert(d.order.id)
                {
                    return Err(format!("order {} is on record twice", d.order.id.0));
                }
            }
        }
        Ok(seen.len())
    }

    /// How much happens in it: commit groups and orders.
    pub fn size(&self) -> (usize, usize) {
        (self.groups.len(), self.orders_are_sent_once().unwrap_or_default())
    }

    /// A disk in a folder that holds exactly an image.
    pub fn disk(&self, folder: &Path, image: &Image) -> Result<RecordingDisk, String> {
        RecordingDisk::new(folder, image, CHECKPOINT_PAGES).map_err(|e| e.to_string())
    }

    fn home(disk: &RecordingDisk) -> Home {
        Home::on(disk.root().join("home"), Arc::new(disk.clone()))
    }

    /// The run from its start, as `tradegraph backtest` makes it.
    fn begin(&self, disk: &RecordingDisk) -> Result<End, Failure> {
        let (store, id) = begin(&Scenario::home(disk), &self.prepared, &self.text, None, CREATED)?;
        disk.mark(EXISTS);
        let mut journal = store.journal(&id)?;
        self.to_end(disk, &store, &id, &self.prepared, &mut journal, None)
            .map(|summary| (drop(journal), summary).1)
            .map(|summary| End { store, id, summary })
    }

    fn to_end(
        &self,
        disk: &RecordingDisk,
        store: &Store,
        id: &RunId,
        prepared: &Prepared,
        journal: &mut dyn Journal,
        from: Option<&Snapshot>,
    ) -> Result<Value, Failure> {
        let mut waiting = Waiting { journal, disk };
        let (_, outcome) = prepared.drive(&mut waiting, from, Some(1), Output::new(true, true))?;
        let summary = enter(store, id, prepared, &outcome, CREATED)?.summary;
        disk.mark(FINISHED);
        Ok(summary)
    }

    /// What a user does after a crash: go on with the newest run, or start it if it has no record yet.
    fn go_on(&self, disk: &RecordingDisk) -> Result<Option<End>, Failure> {
        let home = Scenario::home(disk);
        let (store, catalog) = match home.read().map_err(|e| e.kind) {
            Err(Kind::NotFound) => return self.begin(disk).map(Some),
            _ => home.open()?,
        };
        let newest = match store.find("last") {
            Err(StoreError::NoRuns { .. }) => None,
            found => Some(found?),
        };
        match newest {
            Some(run) if run.status == RunStatus::Finished => Ok(None),
            Some(run) => match reopen(&store, &catalog, run.info.id.as_str()) {
                Ok(Reopened { id, mut prepared, mut journal, snapshot, .. }) => {
                    prepared.config.snapshot_rows = SNAPSHOT_ROWS;
                    let summary = self.to_end(disk, &store, &id, &prepared, &mut journal, snapshot.as_ref())?;
                    drop(journal);
                    Ok(Some(End { store, id, summary }))
                }
                Err(failure) if failure.kind == Kind::NotFound => {
                    drop((store, catalog));
                    self.begin(disk).map(Some)
                }
                Err(failure) => Err(failure),
            },
            None => {
                drop((store, catalog));
                self.begin(disk).map(Some)
            }
        }
    }

    /// Runs from the start on a disk that may have troubles.
    #[cfg(test)]
    pub fn try_begin(&self, disk: &RecordingDisk) -> Result<(), Failure> {
        self.begin(disk).map(|_| ())
    }

    /// What is there after a crash is a beginning of the undisturbed run and has all that was acknowledged.
    fn check_what_is_left(&self, disk: &RecordingDisk, acknowledged: u64) -> Result<(), String> {
        let store = match Scenario::home(disk).read() {
            Ok(store) => store,
            Err(e) if e.kind == Kind::NotFound && acknowledged == 0 => return Ok(()),
            Err(e) => return Err(format!("the store cannot be read: {}", e.what)),
        };
        let run = match store.find("last") {
            Ok(run) => run,
            Err(StoreError::NoRuns { .. }) if acknowledged < EXISTS => return Ok(()),
            Err(e) => return Err(format!("an acknowledged run is lost: {e}")),
        };
        let mut reader = store.reader(&run.info.id).map_err(|e| e.to_string())?;
        let mut found = 0;
        while let Some(group) = reader.read(found).map_err(|e| e.to_string())? {
            if usize::try_from(found).ok().and_then(|i| self.groups.get(i)) != Some(&group) {
                return Err(format!("{WRONG}: commit group {found} after the crash is none of the undisturbed run"));
            }
            found += 1;
        }
        let promised = match acknowledged {
            FINISHED => self.groups.len() as u64,
            n => n.saturating_sub(EXISTS),
        };
        if found < promised {
            return Err(format!("{promised} commit groups were acknowledged, {found} are left"));
        }
        if acknowledged == FINISHED && run.status != RunStatus::Finished {
            return Err(format!("the run was acknowledged as finished and is {}", run.status.name()));
        }
        Ok(())
    }

    /// Starts the program on what a crash left and compares what it comes to with the undisturbed run.
    pub fn recover(&self, disk: &RecordingDisk, acknowledged: u64) -> Result<(), String> {
        self.check_what_is_left(disk, acknowledged)?;
        let end = self.go_on(disk).map_err(|e| format!("the run does not go on: {}", e.what))?;
        drop(end.map(|e| e.store));
        self.check_result(disk)
    }

    /// The newest run is finished, and its hashes, books and records are those of the undisturbed one.
    pub fn check_result(&self, disk: &RecordingDisk) -> Result<(), String> {
        self.result(disk).map_err(|e| e.what)
    }

    fn result(&self, disk: &RecordingDisk) -> Result<(), Failure> {
        let differs = |what: String| Err(Failure::new(Kind::Differs, format!("{WRONG}: {what}")));
        let home = Scenario::home(disk);
        let store = home.read()?;
        let run = store.find("last")?;
        if run.status != RunStatus::Finished {
            return differs(format!("the run is {}", run.status.name()));
        }
        let summary: Value = run.summary.as_deref().and_then(|s| serde_json::from_str(s).ok()).unwrap_or_default();
        if content(summary.clone()) != self.summary {
            let keys = self.summary.as_object().into_iter().flatten();
            let other = keys.filter(|(k, v)| summary.get(k) != Some(v)).map(|(k, _)| k.as_str()).collect::<Vec<_>>();
            return differs(format!("figures of the undisturbed run that differ: {}", other.join(", ")));
        }
        let hash = run.final_hash.map(|h| hex(&h));
        if self.summary.get("state_hash").and_then(Value::as_str) != hash.as_deref() {
            return differs(format!("the state hash is {}", hash.unwrap_or_default()));
        }
        let mut reader = store.reader(&run.info.id)?;
        for index in 0..=self.groups.len() as u64 {
            // Behind the last there is none.
            let expected = usize::try_from(index).ok().and_then(|i| self.groups.get(i));
            if reader.read(index)?.as_ref() != expected {
                return differs(format!("commit group {index} differs"));
            }
        }
        // The data that the run is bound to are there and whole: it can be made again.
        Prepared::from_run(&store, &home.data()?, &run).map(|_| ())
    }
}
