//! Runs of full steps: plain ones, without a thread, and those on a thread, with a checkpoint after each step.

use super::{Compiled, Halt, INPUT, RunStats};
use crate::bits;
use crate::error::RunError;
use crate::exec::StepEnd;
use crate::saver::{CheckpointId, Link, Query, Source};
use crate::stream::Event;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tradegraph_columns::RollingHash;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// How a run on a thread begins.
pub(crate) enum Go {
    /// With the input that is in the channels' buffers.
    Input,
    /// Where the position is.
    On,
}

/// Why a run on a thread returned.
pub(crate) enum Stop {
    Ended,
    Asked,
    Before(Vec<String>),
    After(Vec<String>),
    Drained,
}

impl<C> Compiled<C> {
    fn count_cycle(&mut self) {
        let env = &mut self.full.env;
        env.cycle += 1;
        env.now_ns = env.clock.now_ns();
        self.full.session.worked_ns = 0;
    }

    fn name_plain(&mut self) {
        self.full.env.link = None;
        self.count_cycle();
        let mut seed = RollingHash::new(self.plan.fingerprint);
        seed.word(self.full.env.cycle);
        self.full.env.seed = seed.value();
        self.full.env.step = 0;
        self.full.session.pending.clear();
        self.full.session.unsaved.clear();
        self.full.session.current = None;
    }

    pub(super) fn begin_full(&mut self) -> Result<(), RunError> {
        self.mend();
        self.name_plain();
        self.channels.reset(|entry| entry.each_run);
        self.arrived.fill(0);
        self.start_step()
    }

    pub(super) fn resume_full(&mut self, waiting: &[(u32, u64)]) {
        self.name_plain();
        self.full.clear_position();
        for (i, word) in waiting {
            if let Some(waiting) = self.full.waiting.get_mut(*i as usize) {
                *waiting = *word;
            }
        }
    }

    /// As `drive`, with full steps.
    pub(super) fn drive_plain(&mut self, ctx: &mut C, until: Option<u16>, before: u32) -> Result<Halt, RunError> {
        let mut stats = RunStats::default();
        loop {
            if let Some(at) = until
                && bits::has(&self.frontier, at)
            {
                let others: Vec<String> = self.full.sends.iter().map(|p| self.plan.name_of(u32::from(p.to))).collect();
                if !others.is_empty() {
                    return Err(RunError::BreakpointShared { node: self.plan.name_of(u32::from(at)), others });
                }
                return self.alone(at).map(|()| Halt::At(stats));
            }
            if before + stats.steps >= self.plan.limit {
                return Err(self.too_long());
            }
            if !self.has_work() {
                return Ok(Halt::Ended(stats));
            }
            self.full.env.step = i64::from(before + stats.steps) + 1;
            match self.step_full(ctx)? {
                StepEnd::Ran(n) => stats.nodes_run += n,
                StepEnd::Asked => {
                    let asking = self.full.tasks.iter().take(self.full.n_tasks).find(|t| !t.asks.is_empty());
                    let node = asking.map(|t| self.plan.name_of(u32::from(t.rank))).unwrap_or_default();
                    self.full.session.pending.clear();
                    return Err(RunError::Unanswerable { node });
                }
            }
            stats.steps += 1;
        }
    }

    pub(crate) fn has_work(&self) -> bool {
        self.full.session.start && self.full.env.link.is_some()
            || !bits::is_empty(&self.frontier)
            || !self.full.sends.is_empty()
    }

    fn too_long(&self) -> RunError {
        RunError::RecursionLimit { limit: self.plan.limit, pending: self.plan.names(&self.frontier) }
    }

    /// The input in the channels' buffers becomes START's, and what was left to run is dropped.
    pub(crate) fn take_start(&mut self) {
        self.arrived.fill(0);
        bits::clear(&mut self.frontier);
        self.full.clear_position();
        let session = &mut self.full.session;
        session.pending.clear();
        session.unsaved.clear();
        (session.start, session.start_live, session.start_record) = (true, true, None);
        if self.full.env.link.is_some() {
            let mut record = Encoder::with_capacity(128);
            if self.channels.save_writes(INPUT, &mut record) {
                self.full.session.start_record = Some(record.into_bytes());
            }
        }
    }

    /// Runs what was opened until something stops it.
    pub(crate) fn go(&mut self, ctx: &mut C, go: Go) -> Result<(Stop, RunStats), RunError> {
        self.count_cycle();
        let mut ticks = self.plan.limit.saturating_add(1);
        match go {
            Go::Input => {
                self.channels.reset(|entry| entry.each_run);
                self.take_start();
                self.put(Source::Input)?;
            }
            Go::On => {
                self.full.env.resuming = true;
                ticks = ticks.saturating_add(u32::from(self.full.session.source != Source::Fork));
            }
        }
        let mut stats = RunStats::default();
        loop {
            if ticks == 0 {
                return Err(self.too_long());
            }
            ticks -= 1;
            if let Some(stop) = self.tick(ctx, &mut stats)? {
                return Ok((stop, stats));
            }
        }
    }

    fn tick(&mut self, ctx: &mut C, stats: &mut RunStats) -> Result<Option<Stop>, RunError> {
        self.name_tasks();
        let starting = self.full.session.start;
        if !starting && !self.has_work() {
            return Ok(Some(Stop::Ended));
        }
        let at_once = |names: Vec<String>| (!names.is_empty()).then_some(names);
        if !starting && !self.full.env.resuming && !bits::is_empty(&self.full.before) {
            let mut runs = self.frontier.clone();
            self.full.sends.iter().for_each(|p| bits::insert(&mut runs, p.to));
            if let Some(names) = at_once(self.plan.names(&bits::both(&runs, &self.full.before))) {
                return Ok(Some(Stop::Before(names)));
            }
        }
        if self.full.env.drain.load(Ordering::SeqCst) {
            return Ok(Some(Stop::Drained));
        }
        if starting {
            self.load_start()?;
            self.start_step()?;
            (self.full.session.start, self.full.session.start_live) = (false, false);
            self.full.session.start_record = None;
        } else {
            match self.step_full(ctx)? {
                StepEnd::Ran(n) => stats.nodes_run += n,
                StepEnd::Asked => return Ok(Some(self.asked())),
            }
            stats.steps += 1;
            let full = &mut *self.full;
            for task in full.tasks.iter().take(full.n_tasks) {
                bits::insert(&mut full.session.ran, task.rank);
                bits::insert(&mut full.session.ran, task.acting);
            }
        }
        self.put(Source::Loop)?;
        self.full.env.resuming = false;
        if self.full.env.link.as_ref().is_none_or(|link| link.ns.is_empty()) {
            self.full.env.loose = None;
        }
        if !starting && !bits::is_empty(&self.full.after) {
            let full = &self.full;
            let mut ran = vec![0; self.plan.words()];
            full.tasks.iter().take(full.n_tasks).for_each(|t| bits::insert(&mut ran, t.rank));
            if let Some(names) = at_once(self.plan.names(&bits::both(&ran, &full.after))) {
                return Ok(Some(Stop::After(names)));
            }
        }
        Ok(None)
    }

    fn load_start(&mut self) -> Result<(), RunError> {
        if self.full.session.start_live {
            return Ok(());
        }
        let id = self.full.session.saved.unwrap_or(CheckpointId { seq: 0, hash: 0 });
        let bad = |source: DecodeError| RunError::BadCheckpoint { id, source: source.into() };
        let Some(record) = self.full.session.start_record.clone() else {
            return Err(bad(DecodeError::Short { what: "input, which has no encoding", at: 0, need: 1 }));
        };
        self.channels.load_writes(INPUT, &mut Decoder::new(&record)).map_err(bad)
    }

    fn asked(&mut self) -> Stop {
        let asks = self.full.session.asks();
        let full = &mut *self.full;
        for ask in &asks {
            let event = Event::Ask { step: full.env.step, ask };
            full.observers.iter_mut().for_each(|o| o.show(&event));
        }
        if full.env.drain.load(Ordering::SeqCst) && asks.is_empty() {
            return Stop::Drained;
        }
        if asks.is_empty() {
            // A breakpoint inside a subgraph.
            let stopped = full.session.pending.keys().copied().collect::<Vec<_>>();
            let tasks = full.tasks.iter().take(full.n_tasks).filter(|t| stopped.contains(&t.id));
            return Stop::Before(tasks.map(|t| self.plan.name_of(u32::from(t.rank))).collect());
        }
        Stop::Asked
    }

    /// Brings a subgraph to where it goes on: true if it is in the middle of a run that the parent takes up.
    pub(crate) fn open_nested(&mut self, link: Option<Link>, resuming: bool) -> Result<bool, RunError> {
        self.mend();
        self.full.session.home = link.as_ref().map(|l| (l.saver.clone(), l.durability));
        self.full.env.link = link.clone();
        let Some(link) = link else {
            self.open_fresh();
            return Ok(false);
        };
        let stable = link.ns.rsplit_once(':').map_or(link.ns.as_str(), |(name, _)| name).to_owned();
        if let Some((_, id)) = link.inside.iter().find(|(ns, _)| *ns == link.ns) {
            let id = Some(*id);
            let found = self.load_checkpoint(id)?;
            if found && resuming {
                self.branch(id)?;
            }
            return Ok(found && resuming);
        }
        let first = link.met.lock().is_ok_and(|mut met| {
            let new = !met.contains(&stable);
            if new {
                met.push(stable);
            }
            new
        });
        let found = match link.before.filter(|_| first) {
            Some(seq) => {
                let before = Some(CheckpointId { seq, hash: 0 });
                let list = link.saver.list(link.place(), Query { before, limit: Some(1), ..Query::default() })?;
                match list.into_iter().next() {
                    Some(saved) => self.load_checkpoint(Some(saved.id))?,
                    None => {
                        self.open_fresh();
                        false
                    }
                }
            }
            None => self.load_checkpoint(None)?,
        };
        // Without work it may be at the end of this run's task (a change put it there), or of one before.
        let at_its_end = !self.has_work() && link.before.is_none() && self.full.session.outer == link.outer;
        Ok(found && resuming && (self.has_work() || at_its_end))
    }

    /// Begins another branch at the opened checkpoint of a subgraph, unless that was made for it.
    fn branch(&mut self, id: Option<CheckpointId>) -> Result<(), RunError> {
        let superseded = self.is_superseded(id)?;
        self.full.session.forget_finished(true);
        if superseded || !matches!(self.full.session.source, Source::Update | Source::Fork) {
            self.put(Source::Fork)?;
        }
        Ok(())
    }

    /// The output of a finished task into the channels' buffers.
    pub(crate) fn load_record(&mut self, writer: u32, record: &Arc<Vec<u8>>) -> Result<(), DecodeError> {
        let mut from = Decoder::new(record);
        from.u16("node")?;
        for _ in 0..from.len("targets")? {
            from.u16("target")?;
        }
        crate::exec::load_packets(&mut from, &self.plan)?;
        self.channels.load_writes(writer, &mut from)
    }
}
