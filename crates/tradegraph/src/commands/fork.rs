//! `tradegraph fork`: another future of a stored run, from one of its moments, with another council or mandate. What both
//! have is the parent's; what comes after is a run of its own that can be explained, replayed and resumed.

use crate::cli::Context;
use crate::commands::finish::{finish, ten_lines};
use crate::commands::inspect::{decision, of};
use crate::explanation::explain;
use crate::failure::{Failure, Kind};
use crate::figures::money;
use crate::mandate::MandateText;
use crate::run::{Prepared, binary, now, pool};
use crate::trades::{each, story};
use crate::travel::{Moment, Passing, must_have_begun, reach, run_to};
use serde_json::{Value, json};
use tradegraph_domain::{Timestamp, format_nano};
use tradegraph_engine::records::{Binding, DecisionRecord, Record};
use tradegraph_engine::{BackTest, BranchError, CommitGroup, Journal, JournalError, Snapshot};
use tradegraph_store::{Fork, RunId, RunInfo, RunStatus, Store};

/// What can be typed behind `fork`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The run: its id, the beginning of it, or `last`
    pub run: String,
    /// The last moment that both have: the number of an event, a day (its end) or a time in UTC
    #[arg(long, value_name = "SEQ|DATE|TIME")]
    pub at: Moment,
    /// An agent that leaves the council; may be given again
    #[arg(long, value_name = "AGENT")]
    pub without: Vec<String>,
    /// A key of the mandate with its new value, as `allocator.band=1%`; may be given again
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Threads; changes no result [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let out = context.out;
    if arguments.without.is_empty() && arguments.set.is_empty() {
        return Err(Failure::new(Kind::Usage, "a fork changes something: give --without AGENT or --set KEY=VALUE"));
    }
    // A look before the lock: a wrong name must not make a home.
    context.home.read()?.find(&arguments.run)?;
    let (store, catalog) = context.home.open()?;
    let record = store.find(&arguments.run)?;
    let parent = &record.info.id;
    let theirs = Prepared::from_run(&store, &catalog, &record)?;
    theirs.check_version(parent.as_str())?;
    let threads = arguments.threads.map(usize::from);
    let reached = reach(&store, &catalog, &record, arguments.at, threads)?;
    let (mut old, next_group) = (reached.run, reached.next_group);
    let change = change(arguments);
    let head = format!("# Forked from run {parent} at {}: {change}.\n", words(arguments.at));
    let mine = changed(&theirs, arguments, &head)?;

    // The journal is made before the run is: what a wrong change would leave is nothing.
    let mut early = Kept::default();
    run_to(&mut old, arguments.at, &mut early)?;
    must_have_begun(&old, &theirs)?;
    if old.is_over() {
        let what = format!("run '{parent}' has no data after {}: there is no other future", old.now());
        return Err(Failure::new(Kind::NotFound, what).next("choose an earlier --at"));
    }
    let at = old.now();
    let mut new = BackTest::new(mine.config.clone(), pool(threads)?)?;
    new.run_to(at, &mut Passing::default())?;

    let created = now();
    let hash = *blake3::hash(mine.binding.mandate.as_bytes()).as_bytes();
    let info = RunInfo {
        id: RunId::new(created, &format!("{}-fork", mine.mandate.name), &hash),
        created,
        mandate: mine.binding.mandate.clone(),
        mandate_hash: hash,
        binary: mine.binding.binary.clone(),
    };
    // A branch that would need another past is refused before anything is stored.
    let mut trial = Kept::default();
    new.branch_from(&old, &mut trial).map_err(|e| refused(&e))?;
    let id = store.create_run(&info)?;
    out.stage(&format!("run       {id}, a fork of {parent} after event {} ({at}): {change}", old.seq()));
    let missing = || Failure::new(Kind::Failed, "the fork took no snapshot: a defect of the program");
    let snapshot = trial.snapshot.ok_or_else(missing)?;
    let fork = Fork { parent: parent.to_string(), snapshot, change: change.clone() };
    store.bind_fork(&id, &fork)?;
    let done: Result<_, Failure> = (|| {
        let mut journal = store.journal(&id)?;
        journal.append(BackTest::first_group(&mine.binding))?;
        let mut stored = store.reader(&reached.id)?;
        for index in 1..next_group {
            let missing = || Failure::new(Kind::Differs, format!("commit group {index} of run '{parent}' is missing"));
            journal.append(stored.read(index)?.ok_or_else(missing)?)?;
        }
        for group in early.groups.into_iter().chain(trial.groups) {
            journal.append(group)?;
        }
        journal.snapshot(fork.snapshot.clone())?;
        // From here on it can be resumed.
        journal.flush()?;
        let outcome = mine.go_on(&mut new, &mut journal, out)?;
        journal.flush()?;
        Ok(outcome)
    })();
    let outcome = match done {
        Ok(done) => done,
        Err(failure) => {
            // The first failure is what the user must see.
            let status = if failure.kind == Kind::Failed { RunStatus::Interrupted } else { RunStatus::Failed };
            let _ = store.set_status(&id, status);
            return Err(failure);
        }
    };
    let finished = finish(context, &store, &id, &mine, (&new, &outcome))?;
    let told = compare(&store, (parent, &theirs), (&id, &mine), fork.snapshot.seq)?;
    let summary: Value = record.summary.as_deref().and_then(|s| serde_json::from_str(s).ok()).unwrap_or_default();
    let (before, after) = (of(&summary, "nav_end").as_str(), of(&finished.json, "nav_end").as_str());
    let nano = |text: Option<&str>| {
        text.and_then(|t| tradegraph_domain::parse_nano(t, tradegraph_domain::Rounding::HalfEven).ok())
    };
    let difference = nano(after).zip(nano(before)).and_then(|(a, b)| a.checked_sub(b)).map(format_nano);
    out.say("");
    ten_lines(&finished.figures).iter().for_each(|line| out.say(line));
    out.say(&format!("\nfork          of {parent} after event {} ({at}): {change}", fork.snapshot.seq));
    told.text.iter().for_each(|line| out.say(line));
    let shown = |v: Option<&str>| v.map_or("unknown (it is not finished)".to_owned(), money);
    out.say(&format!(
        "result        parent {}, fork {}: difference {}",
        shown(before),
        shown(after),
        difference.as_deref().map_or("unknown".to_owned(), money)
    ));
    out.say(&format!("report        {}", finished.report.display()));
    let mut value = finished.json.clone();
    if let Some(object) = value.as_object_mut() {
        object.insert(
            "fork".to_owned(),
            json!({
                "parent": parent.as_str(), "seq": fork.snapshot.seq, "ts": at.to_string(), "change": change,
                "first_difference": told.json, "nav_parent": before, "nav_fork": after, "nav_difference": difference,
            }),
        );
    }
    out.result(&value);
    Ok(())
}

fn words(at: Moment) -> String {
    match at {
        Moment::Time(ts) => ts.to_string(),
        Moment::Event(seq) => format!("event {seq}"),
    }
}

fn change(arguments: &Arguments) -> String {
    let without = arguments.without.iter().map(|a| format!("without {a}"));
    without.chain(arguments.set.iter().map(|s| format!("with {s}"))).collect::<Vec<_>>().join(", ")
}

fn refused(e: &BranchError) -> Failure {
    let next = "change agents, the allocator's numbers, risk, limits or costs; for the rest run another mandate";
    Failure::new(Kind::Input, e.to_string()).next(next)
}

/// The parent's data under the changed mandate.
fn changed(theirs: &Prepared, arguments: &Arguments, head: &str) -> Result<Prepared, Failure> {
    let bad = |what: String, next: String| Failure::new(Kind::Input, what).next(next);
    let mut table: toml::Table = theirs
        .binding
        .mandate
        .parse()
        .map_err(|e: toml::de::Error| bad(e.message().to_owned(), "restore store.sqlite from a copy".to_owned()))?;
    for agent in &arguments.without {
        let agents = table.get_mut("agents").and_then(toml::Value::as_table_mut);
        let known = agents.as_ref().map(|t| t.keys().cloned().collect::<Vec<_>>().join(", ")).unwrap_or_default();
        if agents.and_then(|t| t.remove(agent)).is_none() {
            return Err(bad(format!("the council has no agent '{agent}'"), format!("it has {known}")));
        }
    }
    for set in &arguments.set {
        let Some((key, value)) = set.split_once('=').filter(|(key, _)| !key.trim().is_empty()) else {
            return Err(
                Failure::new(Kind::Usage, format!("'{set}' is not KEY=VALUE")).next("as --set allocator.band=1%")
            );
        };
        crate::settings::set(&mut table, key, value)?;
    }
    let text =
        MandateText { file: "the forked mandate".to_owned(), text: format!("{head}{table}"), folder: ".".into() };
    let mandate = text.parse()?;
    if mandate.data != theirs.mandate.data {
        return Err(refused(&BranchError::Past("the data")));
    }
    let config = mandate.config(&theirs.feeds, &theirs.config.actions)?;
    let binding = Binding { mandate: text.text, seed: mandate.seed, binary: binary(), ..theirs.binding.clone() };
    Ok(Prepared { mandate, feeds: theirs.feeds.clone(), config, binding })
}

/// What the council did first that its parent did not, or the other way round.
struct Difference {
    text: Vec<String>,
    json: Value,
}

fn after(store: &Store, id: &RunId, seq: u64) -> Result<Vec<DecisionRecord>, Failure> {
    let mut all = Vec::new();
    each(&mut store.reader(id)?, |record| {
        if let Record::Decision(d) = record
            && d.seq > seq
        {
            all.push(*d);
        }
    })?;
    Ok(all)
}

fn compare(
    store: &Store,
    (parent, theirs): (&RunId, &Prepared),
    (fork, mine): (&RunId, &Prepared),
    seq: u64,
) -> Result<Difference, Failure> {
    let (old, new) = (after(store, parent, seq)?, after(store, fork, seq)?);
    let order = |d: &DecisionRecord| (d.ts, d.order.instrument, d.order.side, d.order.quantity, d.refusal.is_some());
    let first = (0..old.len().max(new.len())).find(|k| old.get(*k).map(&order) != new.get(*k).map(&order));
    let Some(k) = first else {
        let text = vec![format!("difference    none: the same {} orders", new.len())];
        return Ok(Difference { text, json: Value::Null });
    };
    // Of two that stand at the same place, the one that comes first; the other run did nothing then.
    let ts = [old.get(k), new.get(k)].into_iter().flatten().map(|d| d.ts).min().unwrap_or(Timestamp(0));
    let mut json = serde_json::Map::new();
    json.insert("ts".to_owned(), json!(ts.to_string()));
    let mut text = vec![format!("difference    the first is at {ts}")];
    for (name, id, prepared, d) in [("parent", parent, theirs, old.get(k)), ("fork", fork, mine, new.get(k))] {
        let Some(d) = d.filter(|d| d.ts == ts) else {
            text.push(format!("  {name}: nothing"));
            json.insert(name.to_owned(), Value::Null);
            continue;
        };
        let explanation = explain(&prepared.config, &story(&mut store.reader(id)?, d.order.id)?)?;
        text.push(format!("  {name}:"));
        text.extend(explanation.text().lines().map(|line| format!("    {line}")));
        let mut one = decision(d, prepared);
        if let Some(object) = one.as_object_mut() {
            object.insert("explanation".to_owned(), explanation.json().clone());
        }
        json.insert(name.to_owned(), one);
    }
    Ok(Difference { text, json: Value::Object(json) })
}

/// A journal in memory; of snapshots the last.
#[derive(Default)]
struct Kept {
    groups: Vec<CommitGroup>,
    snapshot: Option<Snapshot>,
}

impl Journal for Kept {
    fn append(&mut self, group: CommitGroup) -> Result<(), JournalError> {
        self.groups.push(group);
        Ok(())
    }

    fn snapshot(&mut self, snapshot: Snapshot) -> Result<(), JournalError> {
        self.snapshot = Some(snapshot);
        Ok(())
    }

    fn durable_seq(&self) -> u64 {
        self.groups.last().map_or(0, |g| (g.first_seq + g.n_events).saturating_sub(1))
    }

    fn flush(&mut self) -> Result<u64, JournalError> {
        Ok(self.durable_seq())
    }

    fn read(&mut self, index: u64) -> Result<Option<CommitGroup>, JournalError> {
        Ok(self.groups.iter().find(|g| g.index == index).cloned())
    }

    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, JournalError> {
        Ok(self.snapshot.clone())
    }
}
