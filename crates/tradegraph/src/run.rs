//! Runs: what a run is made of, from a mandate or from a stored run, and driving it with a progress bar.

use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::home::Home;
use crate::mandate::{Feed, Feeds, LoadedData, Mandate, MandateText};
use crate::output::Output;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use tradegraph_domain::Timestamp;
use tradegraph_engine::records::{Binding, FORMAT, Record, decode};
use tradegraph_engine::{BackTest, CommitGroup, Journal, JournalError, Outcome, Progress, RunConfig, Snapshot};
use tradegraph_market::Actions;
use tradegraph_market::calendar::CalendarId;
use tradegraph_store::{BatchMeta, Catalog, JournalReader, RunRecord, Store};

/// Everything that determines a run.
#[derive(Debug)]
pub struct Prepared {
    /// The mandate.
    pub mandate: Mandate,
    /// The bars.
    pub feeds: Feeds,
    /// The engine's configuration.
    pub config: RunConfig,
    /// The first record of its journal.
    pub binding: Binding,
}

/// Version and build of this program. The build is a hash of the binary: two builds of one version differ.
pub fn binary() -> String {
    static BINARY: OnceLock<String> = OnceLock::new();
    BINARY.get_or_init(hash_of_binary).clone()
}

fn hash_of_binary() -> String {
    let build = std::env::current_exe().and_then(std::fs::read).map(|bytes| {
        let hash = blake3::hash(&bytes).to_hex();
        hash.chars().take(12).collect::<String>()
    });
    format!("tradegraph {} build {}", env!("CARGO_PKG_VERSION"), build.as_deref().unwrap_or("unknown"))
}

/// Now, for names of runs. No decision depends on it.
pub fn now() -> Timestamp {
    Timestamp(i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or_default())
}

/// A number of threads.
pub fn pool(threads: Option<usize>) -> Result<Option<Arc<rayon::ThreadPool>>, Failure> {
    let threads = threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    if threads <= 1 {
        return Ok(None);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map(|p| Some(Arc::new(p))).map_err(|e| Failure::new(Kind::Failed, format!("threads cannot be started: {e}")))
}

impl Prepared {
    /// A new run of a mandate.
    pub fn from_text(text: &MandateText, home: &Home) -> Result<(Prepared, LoadedData), Failure> {
        let mandate = text.parse()?;
        let loaded = crate::mandate::load(&mandate, &text.folder, home.catalog()?.as_ref())?;
        let feeds = loaded.feeds.clone();
        let config = mandate.config(&feeds, &loaded.actions)?;
        let binding = Binding {
            mandate: text.text.clone(),
            seed: mandate.seed,
            batches: feeds.iter().map(|f| f.batch.id()).collect(),
            symbols: feeds.iter().map(|f| f.symbols.clone()).collect(),
            actions: Some(config.actions.id()),
            format: FORMAT,
            binary: binary(),
        };
        Ok((Prepared { mandate, feeds, config, binding }, loaded))
    }

    /// A stored run, from the first record of its journal and the catalog.
    pub fn from_run(store: &Store, catalog: &Catalog, run: &RunRecord) -> Result<Prepared, Failure> {
        let id = &run.info.id;
        let group = store.reader(id)?.read(0)?.ok_or_else(|| {
            Failure::new(Kind::NotFound, format!("run '{id}' ended before its journal had a first record"))
                .next("start it again with: tradegraph backtest")
        })?;
        let damaged = |e: &dyn std::fmt::Display| {
            Failure::new(Kind::Differs, format!("the first record of run '{id}' cannot be read: {e}"))
                .next("restore store.sqlite from a copy, or run the mandate again")
        };
        let records = decode(&group.records).map_err(|e| damaged(&e))?;
        let Some(Record::Binding(binding)) = records.into_iter().next() else {
            return Err(damaged(&"it binds no mandate"));
        };
        let text = MandateText {
            file: format!("mandate of run {id}"),
            text: binding.mandate.clone(),
            folder: PathBuf::from("."),
        };
        let mandate = text.parse()?;
        let mut feeds = Vec::new();
        // The catalog keeps content; the names are those that the run was bound to.
        for (batch, symbols) in binding.batches.iter().zip(&binding.symbols).take(mandate.data.len()) {
            let (batch, meta) = catalog.get(*batch)?;
            let calendar = CalendarId::parse(&meta.calendar).unwrap_or(CalendarId::AlwaysOpen).name();
            feeds.push(Feed { batch: Arc::new(batch), symbols: symbols.clone(), source: meta.source, calendar });
        }
        if feeds.len() != mandate.data.len() {
            return Err(damaged(&"it names another number of feeds than its mandate"));
        }
        let actions = match binding.actions {
            Some(id) if id != Actions::default().id() => Arc::new(catalog.get_actions(id)?),
            _ => Arc::default(),
        };
        let config = mandate.config(&feeds, &actions)?;
        Ok(Prepared { mandate, feeds, config, binding })
    }

    /// Refuses what cannot be run again: a journal of an older version, whose states this one does not make.
    pub fn check_version(&self, id: &str) -> Result<(), Failure> {
        if self.binding.format == FORMAT {
            return Ok(());
        }
        let what =
            format!("run '{id}' was made by {}: its journal can be read, but not run again", self.binding.binary);
        Err(Failure::new(Kind::Differs, what).next("run its mandate again: tradegraph backtest"))
    }

    /// Puts the bars into the catalog, so that the run can be made again without its files.
    pub fn keep_data(&self, catalog: &Catalog) -> Result<(), Failure> {
        for feed in &self.feeds {
            let meta = BatchMeta {
                symbols: feed.symbols.clone(),
                calendar: feed.calendar.to_owned(),
                source: feed.source.clone(),
            };
            catalog.put(&feed.batch, &meta)?;
        }
        if !self.config.actions.is_empty() {
            catalog.put_actions(&self.config.actions)?;
        }
        Ok(())
    }

    /// Runs to the end of the data, from the start or from a snapshot.
    pub fn drive(
        &self,
        journal: &mut dyn Journal,
        from: Option<&Snapshot>,
        threads: Option<usize>,
        out: Output,
    ) -> Result<(BackTest, Outcome), Failure> {
        let mut run = BackTest::new(self.config.clone(), pool(threads)?)?;
        if let Some(snapshot) = from {
            run.resume_from(snapshot)?;
        }
        let outcome = self.go_on(&mut run, journal, out)?;
        Ok((run, outcome))
    }

    /// Runs on to the end of the data from where a run stands.
    pub fn go_on(&self, run: &mut BackTest, journal: &mut dyn Journal, out: Output) -> Result<Outcome, Failure> {
        let total = self.feeds.iter().map(|f| f.batch.rows() as u64).sum();
        let bar = out.bar(total);
        let mut progress = |p: Progress| {
            bar.set_length(p.rows_total);
            bar.set_position(p.rows_done);
            bar.set_message(p.ts.date().to_string());
        };
        let outcome = run.run(&self.binding, journal, &mut progress);
        bar.finish_and_clear();
        Ok(outcome?)
    }
}

/// A journal that keeps nothing and compares what a replay makes with what was stored.
pub struct Comparison {
    stored: JournalReader,
    /// Groups that were the same.
    pub same: u64,
    /// The first group that was not, or that was not stored.
    pub first_difference: Option<u64>,
    end: u64,
}

impl Comparison {
    /// Compares with the groups of a reader.
    pub fn new(stored: JournalReader) -> Comparison {
        Comparison { stored, same: 0, first_difference: None, end: 0 }
    }
}

impl Journal for Comparison {
    fn append(&mut self, group: CommitGroup) -> Result<(), JournalError> {
        self.end = group.first_seq.saturating_add(group.n_events);
        if self.first_difference.is_none() {
            if self.stored.read(group.index)?.as_ref() == Some(&group) {
                self.same += 1;
            } else {
                self.first_difference = Some(group.index);
            }
        }
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

    fn read(&mut self, index: u64) -> Result<Option<CommitGroup>, JournalError> {
        self.stored.read(index)
    }

    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, JournalError> {
        Ok(None)
    }
}

/// 64 hexadecimal digits.
pub fn hex(hash: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

/// Lines about what was wrong in the data, for people.
pub fn tell_problems(context: &Context, loaded: &LoadedData) {
    for doubt in loaded.doubts.iter().take(3) {
        context.out.warn(doubt);
    }
    if loaded.doubts.len() > 3 {
        context.out.warn(&format!("and {} more steps that are no actions", loaded.doubts.len() - 3));
    }
    let left_out = loaded.problems.iter().filter(|p| !p.kept).count();
    let kept = loaded.problems.len() - left_out;
    if loaded.problems.is_empty() {
        return;
    }
    context.out.warn(&format!("{left_out} rows or cells of the data were left out and {kept} kept with a doubt:"));
    for problem in loaded.problems.iter().take(3) {
        context.out.warn(&format!("  {problem}"));
    }
    if loaded.problems.len() > 3 {
        context.out.warn(&format!("  and {} more", loaded.problems.len() - 3));
    }
}
