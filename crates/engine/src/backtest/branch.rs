//! Travel in time: a run up to a moment, a look at what the council holds there, and a branch on which another council
//! goes on with the account.

use super::{BackTest, GROUP_BYTES, RunFailure};
use crate::config::{AllocatorConfig, RunConfig};
use crate::desk::{Allocator, Desk, Effects};
use crate::journal::{CommitGroup, Journal};
use crate::records::{Binding, put_binding};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{AgentId, InstrumentId, Timestamp};

/// Why a council cannot go on with the account of another.
#[derive(Debug, thiserror::Error)]
pub enum BranchError {
    /// A part of the configuration that the past rests on.
    #[error("{0} cannot change in the middle of a run: its past would be another")]
    Past(&'static str),
    /// The two runs stand at different moments.
    #[error("the branch stands at {branch}, its parent at {parent}")]
    Apart {
        /// Where the branch stands.
        branch: Timestamp,
        /// Where the parent stands.
        parent: Timestamp,
    },
    /// The account does not decode: a defect.
    #[error("the account cannot be taken over: {0}")]
    Account(#[from] DecodeError),
    /// The branch cannot run.
    #[error(transparent)]
    Run(#[from] RunFailure),
}

/// What an agent thinks of an instrument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opinion {
    /// The agent.
    pub agent: AgentId,
    /// The instrument.
    pub instrument: InstrumentId,
    /// From −1, sell, to 1, buy.
    pub value: f64,
    /// From 0 to 1.
    pub confidence: f64,
}

impl BackTest {
    /// Runs everything that happens up to a moment, and hands all records over. The state is the one that `run` passes
    /// through; a run that goes on from it before the end of its data comes to the same end.
    ///
    /// # Errors
    /// As `run`.
    pub fn run_to(&mut self, until: Timestamp, journal: &mut dyn Journal) -> Result<(), RunFailure> {
        self.go(until, u32::MAX, u64::MAX, journal)
    }

    /// Runs row by row until the moment is over that holds event `seq`.
    ///
    /// # Errors
    /// As `run`.
    pub fn run_to_event(&mut self, seq: u64, journal: &mut dyn Journal) -> Result<(), RunFailure> {
        self.go(Timestamp(i64::MAX), 1, seq, journal)
    }

    fn go(&mut self, until: Timestamp, most_rows: u32, last: u64, journal: &mut dyn Journal) -> Result<(), RunFailure> {
        let mut out = Effects::default();
        let mut ticks = Vec::new();
        let block = self.state.desk.panel.block_rows() as u32;
        let row_by_row = self.timeline.is_row_by_row();
        self.next_group = self.next_group.max(1);
        while self.state.desk.seq.0 < last {
            let (rows_before, _) = self.timeline.progress();
            let left = u64::from(self.config.snapshot_rows).saturating_sub(self.rows_since_snapshot).max(1);
            let rows = u32::try_from(left).unwrap_or(block).min(block).min(most_rows);
            let more = if row_by_row {
                self.run_rows(rows.min(self.timeline.rows_to(until)), &mut out)
            } else {
                self.timeline.next_block_to(until, rows, &mut ticks);
                self.state.prepare(&ticks, self.pool.as_deref());
                ticks.iter().for_each(|tick| self.step(*tick, &mut out));
                !ticks.is_empty()
            };
            if let Some(fault) = self.state.fault().cloned() {
                return Err(fault.into());
            }
            if !more {
                break;
            }
            let (done, total) = self.timeline.progress();
            self.rows_since_snapshot += done - rows_before;
            if done < total && self.rows_since_snapshot >= u64::from(self.config.snapshot_rows) {
                self.rows_since_snapshot = 0;
                self.snapshot(&mut out, journal)?;
            } else if out.records.as_bytes().len() >= GROUP_BYTES {
                self.flush_group(&mut out, journal)?;
            }
        }
        if !out.records.as_bytes().is_empty() || self.state.desk.seq.0 >= self.group_first_seq {
            self.flush_group(&mut out, journal)?;
        }
        Ok(())
    }

    /// This council goes on with the account of `parent`, both standing at the same moment: books, orders, what rests at
    /// the exchange, limits used, results, the account's curve and the numbers of events are the parent's; the market, opinions,
    /// their scores and what was learned are this run's own, as if its agents had always been there. Takes a snapshot at once, from
    /// which the branch can be run again.
    ///
    /// # Errors
    /// `BranchError` if the past of the two is not the same, or the journal fails.
    pub fn branch_from(&mut self, parent: &BackTest, journal: &mut dyn Journal) -> Result<(), BranchError> {
        same_past(&self.config, &parent.config)?;
        let (mine, theirs) = (&mut self.state.desk, &parent.state.desk);
        if (mine.ts, self.timeline.progress()) != (theirs.ts, parent.timeline.progress()) {
            return Err(BranchError::Apart { branch: mine.ts, parent: theirs.ts });
        }
        let mut e = Encoder::new();
        save_account(theirs, &mut e);
        let mut from = Decoder::new(e.as_bytes());
        load_account(mine, &mut from)?;
        from.finish()?;
        (mine.seq, mine.hash, mine.counts) = (theirs.seq, theirs.hash, theirs.counts);
        mine.signals_are_new = true;
        self.next_group = parent.next_group;
        self.group_first_seq = parent.group_first_seq;
        self.rows_since_snapshot = 0;
        self.snapshot(&mut Effects::default(), journal).map_err(RunFailure::from)?;
        Ok(())
    }

    /// The group that begins every journal: what binds the run.
    #[must_use]
    pub fn first_group(binding: &Binding) -> CommitGroup {
        let mut e = Encoder::new();
        put_binding(&mut e, binding);
        CommitGroup { index: 0, first_seq: 0, n_events: 0, records: e.into_bytes() }
    }

    /// True if no row of the data is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let (done, total) = self.timeline.progress();
        done == total
    }

    /// Time of the last event.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state.desk.ts
    }

    /// Number of the last event.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.state.desk.seq.0
    }

    /// The opinions that the last decision saw, by agent and instrument; where there is none, there is none.
    #[must_use]
    pub fn opinions(&self) -> Vec<Opinion> {
        let desk = &self.state.desk;
        let k = desk.points.at.min(desk.points.ts.len());
        let mut all = Vec::new();
        for row in desk.signals.live().iter().map(|at| desk.signals.row(*at, k)) {
            for i in (0..row.status.len()).filter(|i| row.is_ok(*i)) {
                let (instrument, confidence) = (InstrumentId(i as u32), row.confidence[i]);
                all.push(Opinion { agent: row.agent, instrument, value: row.value(i), confidence });
            }
        }
        all
    }

    /// The fused targets as 1e-9 of NAV by instrument; none with an allocator that sizes each opinion directly.
    #[must_use]
    pub fn targets(&self) -> Option<&[i64]> {
        match &self.state.desk.allocator {
            Allocator::Fusion(fusion) => Some(fusion.current()),
            Allocator::Direct(_) => None,
        }
    }
}

fn same_past(a: &RunConfig, b: &RunConfig) -> Result<(), BranchError> {
    let ids = |c: &RunConfig| c.feeds.iter().map(|f| f.id()).collect::<Vec<_>>();
    let kind = |c: &RunConfig| matches!(c.allocator, AllocatorConfig::Direct { .. });
    let parts = [
        (a.seed == b.seed, "the seed"),
        (a.base == b.base && a.cash == b.cash, "the cash at the start"),
        (a.universe.iter().eq(b.universe.iter()), "the universe"),
        (ids(a) == ids(b), "the data"),
        (a.actions.id() == b.actions.id(), "the table of corporate actions"),
        (a.schedules == b.schedules, "the schedule"),
        (kind(a) == kind(b), "the kind of allocator"),
        (a.exits.is_some() == b.exits.is_some(), "whether positions have stops"),
        (a.financing.is_some() == b.financing.is_some(), "whether nights cost and earn"),
        (
            a.limits.breakers == b.limits.breakers && a.limits.account == b.limits.account,
            "breakers and the account's kind",
        ),
    ];
    parts.into_iter().find(|(same, _)| !same).map_or(Ok(()), |(_, what)| Err(BranchError::Past(what)))
}

fn save_account(desk: &Desk, to: &mut Encoder) {
    desk.books.save(to);
    desk.gate.save(to);
    desk.orders.save(to);
    if let Some(x) = &desk.exchange {
        x.save(to);
    }
    match &desk.allocator {
        Allocator::Direct(a) => a.save(to),
        Allocator::Fusion(a) => a.save_account(to),
    }
    if let Some(exits) = &desk.exits {
        exits.save(to);
    }
    desk.results.save(to);
    desk.equity.save(to);
}

fn load_account(desk: &mut Desk, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
    desk.books.load(from)?;
    desk.gate.load(from)?;
    desk.orders.load(from)?;
    if let Some(x) = &mut desk.exchange {
        x.load(from)?;
    }
    match &mut desk.allocator {
        Allocator::Direct(a) => a.load(from)?,
        Allocator::Fusion(a) => a.load_account(from)?,
    }
    if let Some(exits) = &mut desk.exits {
        exits.load(from)?;
    }
    desk.results.load(from)?;
    desk.equity.load(from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backtest::tests::fixture::{
        MINUTE, START, Walk, binding, config, council, crossing, momentum, roads, run, usd,
    };
    use crate::config::AgentConfig;
    use crate::journal::MemoryJournal;

    fn at(row: i64) -> Timestamp {
        Timestamp(START.0 + MINUTE * row)
    }

    #[test]
    fn a_run_that_stops_anywhere_comes_to_the_same_end() {
        let walk = Walk { rows: 200, ..Walk::default() };
        for (name, config) in roads(vec![walk.batch()]) {
            let (whole, _) = run(&config);
            for row in [0, 1, 77, 190] {
                let mut journal = with_first();
                let mut stopped = BackTest::new(config.clone(), None).unwrap();
                stopped.run_to(at(row), &mut journal).unwrap();
                assert!(stopped.now() <= at(row), "{name} {row}");
                let mut seen = stopped.seq();
                stopped.run_to_event(seen + 3, &mut journal).unwrap();
                assert!(stopped.seq() >= (seen + 3).min(whole.n_events), "{name} {row}");
                seen = stopped.seq();
                let outcome = stopped.run(&binding(&config), &mut journal, &mut |_| ()).unwrap();
                assert!(outcome.n_events >= seen);
                assert_eq!((outcome.state_hash, outcome.rolling), (whole.state_hash, whole.rolling), "{name} {row}");
            }
        }
    }

    #[test]
    fn a_branch_that_changes_nothing_is_its_parent() {
        let config = council(vec![Walk { rows: 150, n: 3, ..Walk::default() }.batch()]);
        let (whole, _) = run(&config);
        for row in [3, 60, 149] {
            let mut parent = BackTest::new(config.clone(), None).unwrap();
            let mut branch = BackTest::new(config.clone(), None).unwrap();
            let mut journal = with_first();
            parent.run_to(at(row), &mut journal).unwrap();
            branch.run_to(at(row), &mut MemoryOf::default()).unwrap();
            branch.branch_from(&parent, &mut journal).unwrap();
            let snapshot = journal.latest_snapshot().unwrap().unwrap();
            let outcome = branch.run(&binding(&config), &mut journal, &mut |_| ()).unwrap();
            assert_eq!((outcome.final_nav, outcome.counts), (whole.final_nav, whole.counts));
            assert_eq!((outcome.state_hash, outcome.rolling), (whole.state_hash, whole.rolling), "{row}");
            // And its snapshot is where it can be begun again.
            let mut again = BackTest::new(config.clone(), None).unwrap();
            again.resume_from(&snapshot).unwrap();
            let replayed = again.run(&binding(&config), &mut MemoryOf::default(), &mut |_| ()).unwrap();
            assert_eq!(replayed.state_hash, whole.state_hash);
        }
    }

    #[test]
    fn without_an_agent_the_account_goes_on_and_the_past_stays() {
        let config = council(vec![Walk { rows: 300, n: 3, ..Walk::default() }.batch()]);
        let (whole, _) = run(&config);
        let alone = RunConfig { agents: vec![AgentConfig::Rule(crossing(0))], ..config.clone() };
        let (never, _) = run(&alone);
        let mut parent = BackTest::new(config.clone(), None).unwrap();
        let mut branch = BackTest::new(alone.clone(), None).unwrap();
        parent.run_to(at(150), &mut with_first()).unwrap();
        branch.run_to(at(150), &mut MemoryOf::default()).unwrap();
        let agents = |b: &BackTest| b.opinions().iter().map(|o| o.agent).collect::<std::collections::BTreeSet<_>>();
        assert_eq!((agents(&parent).len(), agents(&branch).len()), (2, 1));
        assert_ne!(parent.state().desk().books().nav(), branch.state().desk().books().nav());
        branch.branch_from(&parent, &mut MemoryOf::default()).unwrap();
        assert_eq!(branch.state().desk().books().nav(), parent.state().desk().books().nav());
        assert_eq!(branch.seq(), parent.seq());
        let outcome = branch.run(&binding(&alone), &mut MemoryOf::default(), &mut |_| ()).unwrap();
        assert!(branch.state().desk().books().is_sound());
        assert_ne!(outcome.final_nav, whole.final_nav);
        assert_ne!(outcome.final_nav, never.final_nav);
        let n = outcome.equity.iter().zip(&whole.equity).filter(|(a, b)| a == b).count();
        assert!(n > 0 || outcome.equity.len() < 2, "the curve before the branch is the parent's");
    }

    #[test]
    fn a_past_that_would_be_another_is_refused() {
        let base = council(vec![Walk { rows: 50, ..Walk::default() }.batch()]);
        let refused = |changed: RunConfig| {
            let parent = BackTest::new(base.clone(), None).unwrap();
            let mut branch = BackTest::new(changed, None).unwrap();
            branch.branch_from(&parent, &mut MemoryOf::default()).unwrap_err().to_string()
        };
        assert!(refused(RunConfig { cash: usd(5), ..base.clone() }).contains("cash"));
        assert!(refused(RunConfig { seed: 99, ..base.clone() }).contains("seed"));
        let other = vec![Walk { rows: 50, seed: 9, ..Walk::default() }.batch()];
        assert!(refused(RunConfig { feeds: config(other).feeds, ..base.clone() }).contains("data"));
        let mut parent = BackTest::new(base.clone(), None).unwrap();
        parent.run_to(at(20), &mut with_first()).unwrap();
        let agents = vec![momentum(0)];
        let mut branch = BackTest::new(RunConfig { agents, ..base.clone() }, None).unwrap();
        let apart = branch.branch_from(&parent, &mut MemoryOf::default()).unwrap_err();
        assert!(matches!(apart, BranchError::Apart { .. }), "{apart}");
    }

    /// A journal that has its first group.
    fn with_first() -> MemoryJournal {
        let mut journal = MemoryJournal::default();
        journal.append(crate::journal::CommitGroup { index: 0, first_seq: 0, n_events: 0, records: vec![] }).unwrap();
        journal
    }

    /// A journal that takes anything.
    #[derive(Default)]
    struct MemoryOf(Option<crate::journal::Snapshot>);

    impl Journal for MemoryOf {
        fn append(&mut self, _: crate::journal::CommitGroup) -> Result<(), crate::journal::JournalError> {
            Ok(())
        }
        fn snapshot(&mut self, s: crate::journal::Snapshot) -> Result<(), crate::journal::JournalError> {
            self.0 = Some(s);
            Ok(())
        }
        fn durable_seq(&self) -> u64 {
            0
        }
        fn flush(&mut self) -> Result<u64, crate::journal::JournalError> {
            Ok(0)
        }
        fn read(&mut self, _: u64) -> Result<Option<crate::journal::CommitGroup>, crate::journal::JournalError> {
            Ok(None)
        }
        fn latest_snapshot(&mut self) -> Result<Option<crate::journal::Snapshot>, crate::journal::JournalError> {
            Ok(self.0.clone())
        }
    }
}
