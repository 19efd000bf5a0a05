//! What a compiled graph is given before it runs, and what it is asked for afterwards.

use super::Compiled;
use crate::clock::Clock;
use crate::coordinate::{Budget, Decision};
use crate::effect::Effects;
use crate::node::NodeId;
use crate::stream::{Event, Modes, Observer};
use crate::verdict::Verdict;
use std::sync::Arc;

impl<C> Compiled<C> {
    /// Time for deadlines, retries and caches. Without it a `VirtualClock` that stands still.
    pub fn set_clock(&mut self, clock: Arc<dyn Clock>) {
        self.full.env.clock = clock;
    }

    /// Threads for shared nodes, of which at most `at_once` run at a time. Without it they run one after the other.
    pub fn set_pool(&mut self, pool: Arc<rayon::ThreadPool>, at_once: usize) {
        self.full.pool = Some(pool);
        self.full.at_once = at_once.max(1);
    }

    /// The time of a run, which nodes with a bid share.
    pub fn set_budget(&mut self, budget: Option<Budget>) {
        self.full.budget = budget;
    }

    /// The handle of the node of this name; none if there is none or it was removed.
    #[must_use]
    pub fn node_id(&self, name: &str) -> Option<NodeId> {
        let rank = self.plan.nodes.iter().position(|n| n.name == name)?;
        let index = self.plan.rank_of.iter().position(|r| r.is_some_and(|r| usize::from(r) == rank))?;
        Some(NodeId(index as u16))
    }

    /// The number of the last run; the next has one more. Ids of requests and verdicts depend on it.
    #[must_use]
    pub fn cycle(&self) -> u64 {
        self.full.env.cycle
    }

    /// Sets the number of the last run, when a runner goes on from its own journal.
    pub fn set_cycle(&mut self, cycle: u64) {
        self.full.env.cycle = cycle;
    }

    /// Shows events of these kinds as they happen. Plain runs show them if the graph was built `observed`.
    pub fn observe(&mut self, modes: Modes, show: impl FnMut(&Event<'_>) + Send + 'static) {
        self.full.observers.push(Observer::new(modes, Box::new(show)));
    }

    /// Ends all observation.
    pub fn unobserve(&mut self) {
        self.full.observers.clear();
    }

    /// The effects: requests to be taken, answers to be brought in.
    pub fn effects(&mut self) -> &mut Effects {
        &mut self.full.env.effects
    }

    /// Takes the verdicts made so far, for the journal.
    pub fn take_verdicts(&mut self) -> Vec<Verdict> {
        std::mem::take(&mut self.full.verdicts.made)
    }

    /// From now on recorded verdicts decide who was late, stopped or stood back, and no clock does.
    pub fn force_verdicts(&mut self, recorded: Vec<Verdict>) {
        self.full.verdicts.forced = recorded;
        self.full.env.replays = true;
    }

    /// Takes the negotiations in which somebody stood back.
    pub fn take_decisions(&mut self) -> Vec<Decision> {
        std::mem::take(&mut self.full.decisions)
    }

    /// Lets a node that stopped half-way run again, after its state was loaded.
    pub fn restore_node(&mut self, node: NodeId) {
        if let Some(rank) = self.plan.rank(node)
            && let Some(broken) = self.full.broken.get_mut(usize::from(rank))
        {
            *broken = false;
        }
    }

    /// The nodes that stopped half-way and do not run.
    pub fn out_of_service(&self) -> impl Iterator<Item = &str> {
        let broken = self.plan.nodes.iter().zip(&self.full.broken).filter(|(_, broken)| **broken);
        broken.map(|(node, _)| node.name.as_str())
    }
}
