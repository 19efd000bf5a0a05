//! `tradegraph sweep`: a mandate with many settings, and how much of the best one is luck.

mod members;
mod show;
mod table;
mod verdict;

use crate::cli::Context;
use crate::failure::Failure;
use crate::figures::{Curves, Figures, data_used, trials_of};
use crate::home::cannot;
use crate::mandate::{Feeds, MandateText};
use crate::run::{Prepared, hex, pool, tell_problems};
use crate::sweeps::{Folder, Outcome};
use crate::trades::TradeLog;
use members::{Member, Members, label, members};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tradegraph_engine::{BackTest, CommitGroup, Journal, JournalError, RecordLevel, RunConfig, Snapshot};
use tradegraph_market::Actions;
use verdict::Verdict;

/// What can be typed behind `sweep`.
#[derive(clap::Args, Debug, Default)]
pub struct Arguments {
    /// The mandate: a TOML file, or one of the binary's own (sample:demo, sample:ema-cross, …)
    #[arg(value_name = "MANDATE")]
    pub mandate: String,
    /// A key with its values, as `agents.momentum_trader.fast=10,20,40`; with --random also a range `5..40`; may be given again
    #[arg(long, value_name = "KEY=V1,V2,…", required = true)]
    pub set: Vec<String>,
    /// Draw so many members instead of running every combination
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub random: Option<u32>,
    /// Seed of the draws
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Folds of the walk-forward
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(2..=60))]
    pub folds: u16,
    /// Days left out before each fold
    #[arg(long, value_name = "DAYS", default_value_t = 10)]
    pub purge: u16,
    /// Members that the table shows, best first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub rows: usize,
    /// All members as a file: CSV, or Parquet if it ends so; may be given again
    #[arg(long, value_name = "FILE")]
    pub to: Vec<PathBuf>,
    /// Where the page goes [default: the sweep's folder in the home]
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Threads; changes no result [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// A sweep that is over.
pub struct Sweep {
    /// The mandate's name.
    pub name: String,
    /// What was swept.
    pub members: Members,
    /// What each came to, in their order.
    pub outcomes: Vec<Outcome>,
    /// How much of it is luck.
    pub verdict: Verdict,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let out = context.out;
    let text = MandateText::read(&arguments.mandate)?;
    let base = text.parse()?;
    let members = members(&text, &base, arguments)?;
    for to in &arguments.to {
        table::check(to)?;
    }
    let (prepared, loaded) = Prepared::from_text(&text, &context.home)?;
    tell_problems(context, &loaded);
    if let Some(reason) = members.reason.as_ref().filter(|_| members.refused > 0) {
        out.warn(&format!("{} combinations are no mandates and are left out; the first: {reason}", members.refused));
    }
    let data = data_hash(&prepared.feeds, &prepared.config.actions);
    let folder = Folder::open(&context.home, &data, &prepared.binding.binary)?;
    let n = members.list.len();
    out.stage(&format!("sweep     {n} members of {}", base.name));
    let bar = out.bar(n as u64);
    let kept = AtomicUsize::new(0);
    let one = |m: &Member| -> Result<Outcome, Failure> {
        let done = match folder.kept(&m.fingerprint) {
            Some(outcome) => {
                kept.fetch_add(1, Ordering::Relaxed);
                outcome
            }
            None => execute(m, &prepared.feeds, &prepared.config.actions, &folder)?,
        };
        bar.inc(1);
        Ok(done)
    };
    let outcomes: Result<Vec<Outcome>, Failure> = match pool(arguments.threads.map(usize::from))? {
        Some(pool) => pool.install(|| members.list.par_iter().map(one).collect()),
        None => members.list.iter().map(one).collect(),
    };
    bar.finish_and_clear();
    let outcomes = outcomes?;
    let kept = kept.into_inner();
    out.stage(&format!("ran       {} members, {kept} were kept from before", n - kept));
    let bars: Vec<_> = prepared.feeds.iter().map(data_used).collect();
    folder.note_data(&json!({ "data": bars }))?;
    // A home without a run has no store.
    let trials = trials_of(context.home.read().ok().as_ref(), context.home.path(), &bars).max(n);
    let verdict = Verdict::of(&outcomes, trials, arguments);
    let sweep = Sweep { name: base.name.clone(), members, outcomes, verdict };
    let page = sweep.write_page(context, arguments, &data)?;
    for to in &arguments.to {
        table::write(to, &sweep)?;
    }
    out.say(&sweep.table(arguments.rows));
    sweep.lines().iter().for_each(|line| out.say(line));
    out.say(&format!("page          {}", page.display()));
    let mut value = sweep.json();
    if let Some(object) = value.as_object_mut() {
        object.insert("kept".to_owned(), json!(kept));
        object.insert("page".to_owned(), json!(page.display().to_string()));
    }
    out.result(&value);
    Ok(())
}

/// What identifies the bars and actions of a sweep.
fn data_hash(feeds: &Feeds, actions: &Actions) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for feed in feeds {
        hasher.update(feed.batch.id().to_string().as_bytes());
        feed.symbols.iter().for_each(|s| {
            hasher.update(s.as_bytes());
            hasher.update(b"\n");
        });
    }
    hasher.update(format!("{:?}", actions.id()).as_bytes());
    *hasher.finalize().as_bytes()
}

/// Runs one member in memory and keeps what it came to.
fn execute(m: &Member, feeds: &Feeds, actions: &Arc<Actions>, folder: &Folder) -> Result<Outcome, Failure> {
    // What is recorded changes no decision.
    let config = RunConfig { record: RecordLevel::Hashes, ..m.mandate.config(feeds, actions)? };
    let binding = tradegraph_engine::records::Binding {
        mandate: String::new(),
        seed: m.mandate.seed,
        batches: vec![],
        symbols: vec![],
        actions: None,
        format: tradegraph_engine::records::FORMAT,
        binary: String::new(),
    };
    let mut run = BackTest::new(config, None)?;
    let done = run.run(&binding, &mut Nothing::default(), &mut |_| ())?;
    let log = TradeLog::default();
    let curves = Curves::of(&done, feeds, actions, &log, m.mandate.cash.nano());
    let f = Figures::of(&m.mandate, feeds, &done, &log, &curves);
    let outcome = Outcome {
        fingerprint: m.fingerprint.clone(),
        state_hash: hex(&done.state_hash),
        dates: curves.dates.iter().map(ToString::to_string).collect(),
        net: curves.net,
        sharpe: f.net.sharpe,
        benchmark_sharpe: f.benchmark.sharpe,
        total_return: f.net.total_return,
        cagr: f.net.cagr,
        volatility: f.net.volatility,
        max_drawdown: f.net.max_drawdown,
        days_per_year: f.days_per_year,
        orders: done.counts.orders,
        fills: done.counts.fills,
        refused: done.counts.refused,
    };
    folder.keep(&outcome)?;
    Ok(outcome)
}

impl Sweep {
    /// The best member's values, and its ratio.
    fn best(&self) -> (String, Option<f64>) {
        let best = self.verdict.best;
        let values = best.and_then(|k| self.members.list.get(k)).map(|m| label(&self.members.axes, &m.values));
        (values.unwrap_or_else(|| "none".to_owned()), best.and_then(|k| self.outcomes.get(k)).and_then(|o| o.sharpe))
    }

    /// How much of it is luck, in sentences.
    fn lines(&self) -> Vec<String> {
        let (best, sharpe) = self.best();
        let mut lines = self.verdict.lines(&best, sharpe);
        lines.extend(self.verdict.folds.iter().map(|f| {
            let chosen = self.members.list.get(f.chosen).map(|m| label(&self.members.axes, &m.values));
            format!(
                "  {} to {}: {} had {:.2} before, then {}",
                f.from,
                f.to,
                chosen.unwrap_or_default(),
                f.before,
                f.after.map_or("–".to_owned(), |x| format!("{x:.2}"))
            )
        }));
        lines
    }

    /// For programs.
    fn json(&self) -> Value {
        let member = |(m, o): (&Member, &Outcome)| {
            let values: serde_json::Map<String, Value> =
                self.members.axes.iter().zip(&m.values).map(|(a, v)| (a.key.clone(), json!(v))).collect();
            json!({
                "values": values, "fingerprint": m.fingerprint, "state_hash": o.state_hash, "sharpe": o.sharpe,
                "total_return": o.total_return, "cagr": o.cagr, "volatility": o.volatility,
                "max_drawdown": o.max_drawdown, "orders": o.orders, "fills": o.fills, "refused": o.refused,
            })
        };
        json!({
            "mandate": self.name, "left_out": self.members.refused,
            "members": self.members.list.iter().zip(&self.outcomes).map(member).collect::<Vec<_>>(),
            "verdict": self.verdict,
        })
    }

    fn write_page(&self, context: &Context, a: &Arguments, data: &[u8; 32]) -> Result<PathBuf, Failure> {
        let path = match &a.html {
            Some(path) => path.clone(),
            None => {
                let mut hasher = blake3::Hasher::new();
                hasher.update(data);
                self.members.list.iter().for_each(|m| {
                    hasher.update(m.fingerprint.as_bytes());
                });
                let folder = context.home.path().join("sweeps");
                std::fs::create_dir_all(&folder).map_err(|e| cannot("made", &folder, &e))?;
                let name: String = hasher.finalize().to_hex().chars().take(8).collect();
                folder.join(format!("sweep-{name}.html"))
            }
        };
        crate::home::write_whole(&path, self.page().as_bytes())?;
        Ok(std::path::absolute(&path).unwrap_or(path))
    }
}

/// A journal that keeps nothing: a member is made again from its mandate.
#[derive(Default)]
struct Nothing {
    end: u64,
}

impl Journal for Nothing {
    fn append(&mut self, group: CommitGroup) -> Result<(), JournalError> {
        self.end = group.first_seq.saturating_add(group.n_events);
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
