//! `BackTest`: drives history through `step`, hands records to a journal, takes snapshots, and goes on from one.

use crate::config::{RunConfig, Schedule};
use crate::desk::{Counts, Effects, Fault};
use crate::equity::EquityPoint;
use crate::journal::{CommitGroup, Journal, JournalError, Snapshot};
use crate::records::{Binding, put_binding, put_state_hash};
use crate::state::{State, StateError, step};
use crate::timeline::{Tick, TickPayload, Timeline};
use std::sync::Arc;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{Event, FeedId, ScheduleId, Timestamp};
use tradegraph_ledger::Nav;

/// Records are handed to the journal when this many bytes have gathered, at the end of a block.
const GROUP_BYTES: usize = 256 * 1024;

/// Why a run ended before its data.
#[derive(Debug, thiserror::Error)]
pub enum RunFailure {
    /// It could not begin, or a snapshot does not fit.
    #[error(transparent)]
    State(#[from] StateError),
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Something that must not happen.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A feed whose rows are not as wide as the universe.
    #[error("feed {feed} has {found} instruments, the universe has {expected}")]
    Width {
        /// The feed.
        feed: usize,
        /// Instruments in a row of it.
        found: usize,
        /// Instruments of the universe.
        expected: usize,
    },
    /// A schedule on a feed that is not there.
    #[error("a schedule waits for bars of feed {0}, which the mandate does not have")]
    NoFeed(u16),
    /// The mandate has no data or no schedule.
    #[error("the mandate names no {0}: there is nothing to run")]
    Nothing(&'static str),
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Rows of all feeds that are done.
    pub rows_done: u64,
    /// Rows of all feeds.
    pub rows_total: u64,
    /// Time of the last event.
    pub ts: Timestamp,
}

/// What came out of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// blake3 of the canonical state after the last event.
    pub state_hash: [u8; 32],
    /// Rolling hash over all events.
    pub rolling: u64,
    /// Events consumed.
    pub n_events: u64,
    /// Counts of orders, fills and refusals.
    pub counts: Counts,
    /// NAV after the last event.
    pub final_nav: Nav,
    /// NAV by day.
    pub equity: Vec<EquityPoint>,
}

/// A run over history.
#[derive(Debug)]
pub struct BackTest {
    config: RunConfig,
    state: State,
    timeline: Timeline,
    pool: Option<Arc<rayon::ThreadPool>>,
    /// Where the next group starts.
    next_group: u64,
    group_first_seq: u64,
    rows_since_snapshot: u64,
}

impl BackTest {
    /// A run before its first event.
    ///
    /// # Errors
    /// `RunFailure` for a mandate without data or schedule, or a rule that cannot run.
    pub fn new(config: RunConfig, pool: Option<Arc<rayon::ThreadPool>>) -> Result<Self, RunFailure> {
        if config.feeds.is_empty() || config.universe.is_empty() {
            return Err(RunFailure::Nothing("data"));
        }
        if config.schedules.is_empty() {
            return Err(RunFailure::Nothing("schedule"));
        }
        let expected = config.universe.len();
        if let Some((feed, b)) = config.feeds.iter().enumerate().find(|(_, b)| b.width() != expected) {
            return Err(RunFailure::Width { feed, found: b.width(), expected });
        }
        for schedule in &config.schedules {
            if let Schedule::OnBars(FeedId(feed)) = schedule
                && usize::from(*feed) >= config.feeds.len()
            {
                return Err(RunFailure::NoFeed(*feed));
            }
        }
        let state = State::new(&config)?;
        let timeline = Timeline::new(config.feeds.clone(), config.schedules.clone(), Arc::clone(&config.actions));
        Ok(BackTest { config, state, timeline, pool, next_group: 0, group_first_seq: 1, rows_since_snapshot: 0 })
    }

    /// The state of the run.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Goes on from a snapshot. The journal must hold the groups before it.
    ///
    /// # Errors
    /// `RunFailure` if the snapshot is of another run or damaged.
    pub fn resume_from(&mut self, snapshot: &Snapshot) -> Result<(), RunFailure> {
        if *blake3::hash(&snapshot.state).as_bytes() != snapshot.hash {
            return Err(StateError::Damaged { seq: snapshot.seq }.into());
        }
        let mut from = Decoder::new(&snapshot.state);
        self.state.load(&mut from)?;
        self.timeline.load(&mut from).map_err(StateError::from)?;
        from.finish().map_err(StateError::from)?;
        let (found, expected) = (self.state.desk.seq.0, snapshot.seq);
        if found != expected {
            let what = "last event of a snapshot";
            return Err(StateError::from(DecodeError::Mismatch { what, found, expected }).into());
        }
        self.next_group = snapshot.next_group;
        self.group_first_seq = snapshot.seq + 1;
        Ok(())
    }

    /// Runs to the end of the data. On a journal that already holds groups (a resumed run), what is made again is
    /// compared with them.
    ///
    /// # Errors
    /// `RunFailure` if the journal fails or something happens that must not.
    pub fn run(
        &mut self,
        binding: &Binding,
        journal: &mut dyn Journal,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, RunFailure> {
        if self.next_group == 0 {
            let mut e = Encoder::new();
            put_binding(&mut e, binding);
            journal.append(CommitGroup { index: 0, first_seq: 0, n_events: 0, records: e.into_bytes() })?;
            self.next_group = 1;
        }
        let block = self.state.desk.panel.block_rows() as u32;
        let mut out = Effects::default();
        let mut ticks = Vec::new();
        let row_by_row = self.timeline.is_row_by_row();
        let (done, total) = self.timeline.progress();
        let was_over = done == total; // resumed from the last snapshot, whose group is in the journal
        loop {
            let (rows_before, _) = self.timeline.progress();
            // Snapshots come after the same rows whatever the blocks are.
            let until = u64::from(self.config.snapshot_rows).saturating_sub(self.rows_since_snapshot).max(1);
            let rows = u32::try_from(until).unwrap_or(block).min(block);
            let more =
                if row_by_row { self.run_rows(rows, &mut out) } else { self.run_block(rows, &mut ticks, &mut out) };
            if !more {
                break;
            }
            if let Some(fault) = self.state.fault().cloned() {
                // What led to it is worth more than ever.
                self.flush_group(&mut out, journal)?;
                journal.flush()?;
                return Err(fault.into());
            }
            let (rows_done, rows_total) = self.timeline.progress();
            self.rows_since_snapshot += rows_done - rows_before;
            if rows_done < rows_total && self.rows_since_snapshot >= u64::from(self.config.snapshot_rows) {
                self.rows_since_snapshot = 0;
                self.snapshot(&mut out, journal)?;
            } else if out.records.as_bytes().len() >= GROUP_BYTES {
                self.flush_group(&mut out, journal)?;
            }
            progress(Progress { rows_done, rows_total, ts: self.state.desk.now() });
        }
        let state_hash = if was_over {
            self.state.hash()
        } else {
            self.state.desk.finish();
            out.absorb(&mut self.state.desk.out);
            self.snapshot(&mut out, journal)?
        };
        journal.flush()?;
        let desk = &self.state.desk;
        Ok(Outcome {
            state_hash,
            rolling: desk.hash.value(),
            n_events: desk.seq.0,
            counts: desk.counts,
            final_nav: desk.books.nav(),
            equity: desk.equity.points().to_vec(),
        })
    }

    /// Runs a block of merged events; false at the end of the data.
    fn run_block(&mut self, rows: u32, ticks: &mut Vec<Tick>, out: &mut Effects) -> bool {
        self.timeline.next_block(rows, ticks);
        self.state.prepare(ticks, self.pool.as_deref());
        for tick in &*ticks {
            self.step(*tick, out);
        }
        !ticks.is_empty()
    }

    /// Runs a block of one feed that decides on its bars; false at the end of the data. Rows on which nothing can
    /// happen pass as one.
    fn run_rows(&mut self, rows: u32, out: &mut Effects) -> bool {
        let feed = FeedId(0);
        let range = self.timeline.next_rows(rows);
        let Some(batch) = self.config.feeds.first().cloned() else { return false };
        self.state.prepare_rows(range.clone(), self.pool.as_deref());
        let (mut row, mut opened) = (range.start, false);
        let mut stop = self.timeline.next_action_row();
        while row < range.end {
            let skipped = self.state.skip_quiet(row as usize, opened, range.end.min(stop) as usize);
            (row, opened) = (skipped.row as u32, skipped.opened);
            if row >= range.end {
                break;
            }
            let about = batch.interval(row as usize);
            if !skipped.bars {
                let opens = batch.spec().has_open && !opened;
                if row >= stop {
                    let until = if opens { about.start } else { Timestamp(about.end.0 - 1) };
                    while let Some(tick) = self.timeline.take_action(until) {
                        self.step(tick, out);
                    }
                    stop = self.timeline.next_action_row();
                }
                if opens {
                    self.step(Tick { ts: about.start, payload: TickPayload::Open(feed, row) }, out);
                    opened = true;
                    continue; // what rested may have traded, and the rest of the row is quiet
                }
                self.step(Tick { ts: about.end, payload: TickPayload::Bars(feed, row) }, out);
            }
            self.step(Tick { ts: about.end, payload: TickPayload::Decide(ScheduleId(0)) }, out);
            (row, opened) = (row + 1, false);
        }
        !range.is_empty()
    }

    #[inline]
    fn step(&mut self, tick: Tick, out: &mut Effects) {
        let (about, payload) = tick.event(&self.config.feeds);
        let seq = self.state.next_seq();
        step(&mut self.state, &Event { seq, ts: tick.ts, about, payload }, out);
    }

    /// Puts the state's hash on record, hands the group over, then the snapshot.
    fn snapshot(&mut self, out: &mut Effects, journal: &mut dyn Journal) -> Result<[u8; 32], JournalError> {
        let mut e = Encoder::new();
        self.state.save(&mut e);
        let hash = *blake3::hash(e.as_bytes()).as_bytes();
        let seq = self.state.desk.seq.0;
        put_state_hash(&mut out.records, seq, &hash);
        self.flush_group(out, journal)?;
        self.timeline.save(&mut e);
        let state = e.into_bytes();
        let whole = *blake3::hash(&state).as_bytes();
        journal.snapshot(Snapshot { seq, next_group: self.next_group, hash: whole, state })?;
        Ok(hash)
    }

    fn flush_group(&mut self, out: &mut Effects, journal: &mut dyn Journal) -> Result<(), JournalError> {
        let seq = self.state.desk.seq.0;
        let records = std::mem::replace(&mut out.records, Encoder::with_capacity(2 * GROUP_BYTES)).into_bytes();
        let group = CommitGroup {
            index: self.next_group,
            first_seq: self.group_first_seq,
            n_events: (seq + 1).saturating_sub(self.group_first_seq),
            records,
        };
        journal.append(group)?;
        self.next_group += 1;
        self.group_first_seq = seq + 1;
        Ok(())
    }
}

mod branch;
mod why;

pub use branch::{BranchError, Opinion};
pub use why::WhyNot;

#[cfg(test)]
pub(crate) mod tests;
