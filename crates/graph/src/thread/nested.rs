//! Looking into subgraphs: LangGraph's `get_state(subgraphs=True)`, and `get_state` and `get_state_history` of a namespace.

use super::{At, Snapshot};
use crate::channel::Chan;
use crate::error::RunError;
use crate::run::Compiled;
use crate::saver::{CheckpointId, Link, Query};
use crate::subgraph::{Keep, namespace};
use tradegraph_columns::codec::DecodeError;

/// A subgraph among the tasks of the step that is next.
#[derive(Clone, Debug, PartialEq)]
pub struct SubgraphState {
    /// The node that it is.
    pub node: String,
    /// Where its checkpoints are: nodes joined by `|`, each followed by `:` and its task unless it is kept by thread.
    pub ns: String,
    /// Its newest state; none before its first checkpoint.
    pub state: Option<Snapshot>,
    /// Subgraphs of its own next step.
    pub subgraphs: Vec<SubgraphState>,
}

impl<C> Compiled<C> {
    /// The subgraphs among the tasks of a thread's next step, in merge order, finished ones too; not those that keep
    /// nothing. A thread without unfinished work has none, as in LangGraph; what a subgraph did before is in
    /// [`Compiled::history_within`].
    ///
    /// # Errors
    /// Without a saver, or a checkpoint does not load.
    pub fn subgraphs(&mut self, at: &At) -> Result<Vec<SubgraphState>, RunError> {
        if self.full.session.home.is_none() {
            return Err(RunError::NoSaver);
        }
        if !self.open(at)? {
            return Ok(Vec::new());
        }
        self.apply_nulls()?;
        let found = self.subgraphs_of_step();
        self.full.session.current = None;
        found
    }

    /// The state of a subgraph's namespace, the newest or that of `at`'s checkpoint; none if it has no checkpoint.
    ///
    /// # Errors
    /// As [`Compiled::subgraphs`], and no subgraph has such a namespace.
    pub fn state_within(&mut self, at: &At, ns: &str) -> Result<Option<Snapshot>, RunError> {
        let link = self.link_within(at, ns)?;
        let inner = self.within_mut(ns)?;
        Ok(if inner.look(link, at.checkpoint)? { inner.current_snapshot()? } else { None })
    }

    /// The checkpoints of a subgraph's namespace, newest first, as [`Compiled::history`].
    ///
    /// # Errors
    /// As [`Compiled::state_within`].
    pub fn history_within(&mut self, at: &At, ns: &str, query: Query) -> Result<Vec<Snapshot>, RunError> {
        let link = self.link_within(at, ns)?;
        let saver = link.saver.clone();
        let inner = self.within_mut(ns)?;
        inner.look(link, None)?;
        let before = query.before.or(at.checkpoint);
        let list = saver.list(crate::saver::Place { thread: &at.thread, ns }, Query { before, ..query })?;
        list.into_iter().map(|saved| inner.snapshot_of(saved)).collect()
    }

    /// A value of a subgraph's snapshot, by the subgraph's own channel; as [`Compiled::value_in`].
    ///
    /// # Errors
    /// No subgraph has such a namespace, or the bytes are of another type.
    pub fn value_within<T: 'static, U>(
        &self,
        ns: &str,
        snapshot: &Snapshot,
        chan: Chan<T, U>,
    ) -> Result<Option<T>, RunError> {
        let mut graph = self;
        for part in ns.split('|') {
            let node = graph.rank_of_subgraph(part).and_then(|rank| graph.nodes.get(rank));
            let Some((inner, _)) = node.and_then(|n| n.subgraph()) else { return Err(graph.no_subgraph(ns)) };
            graph = inner;
        }
        let bad = |source: DecodeError| RunError::BadCheckpoint { id: snapshot.id, source: source.into() };
        graph.value_in(snapshot, chan).map_err(bad)
    }

    /// Brings the link to the thread, and gives that of the namespace.
    fn link_within(&mut self, at: &At, ns: &str) -> Result<Link, RunError> {
        if self.full.session.home.is_none() {
            return Err(RunError::NoSaver);
        }
        self.open(&At::thread(&at.thread))?;
        // Subgraphs hold another checkpoint from here on; the next run loads its own.
        self.full.session.current = None;
        let Some(link) = &self.full.env.link else { return Err(RunError::NoSaver) };
        Ok(Link { ns: ns.to_owned(), before: None, ..link.clone() })
    }

    fn within_mut(&mut self, ns: &str) -> Result<&mut Self, RunError> {
        let mut graph = self;
        for part in ns.split('|') {
            let missing = graph.no_subgraph(ns);
            let rank = graph.rank_of_subgraph(part);
            let node = rank.and_then(|rank| graph.nodes.get_mut(rank));
            let Some((inner, _)) = node.and_then(|n| n.subgraph_mut()) else { return Err(missing) };
            graph = inner;
        }
        Ok(graph)
    }

    fn rank_of_subgraph(&self, part: &str) -> Option<usize> {
        let name = part.split_once(':').map_or(part, |(name, _)| name);
        self.plan.nodes.iter().position(|n| n.name == name)
    }

    fn no_subgraph(&self, ns: &str) -> RunError {
        let is_graph = |rank: &usize| self.nodes.get(*rank).is_some_and(|n| n.subgraph().is_some());
        let known = (0..self.nodes.len()).filter(is_graph).map(|rank| self.plan.name_of(rank as u32)).collect();
        RunError::NoSubgraph { ns: ns.to_owned(), known }
    }

    /// Loads a checkpoint of the link's place to be looked at. False if there is none.
    fn look(&mut self, link: Link, id: Option<CheckpointId>) -> Result<bool, RunError> {
        self.full.env.link = Some(link);
        self.load_checkpoint(id)
    }

    fn subgraphs_of_step(&mut self) -> Result<Vec<SubgraphState>, RunError> {
        let Some(link) = self.full.env.link.clone().filter(|_| !self.full.session.start) else { return Ok(Vec::new()) };
        self.name_tasks();
        self.list_tasks();
        let full = &self.full;
        let tasks: Vec<(u16, u64)> = full.tasks.iter().take(full.n_tasks).map(|t| (t.rank, t.id)).collect();
        let mut all = Vec::new();
        for (rank, task) in tasks {
            let node = self.plan.name_of(u32::from(rank));
            let inner = self.nodes.get_mut(usize::from(rank)).and_then(|n| n.subgraph_mut());
            let Some((inner, keep)) = inner.filter(|(_, keep)| *keep != Keep::Nothing) else { continue };
            let ns = namespace(&link.ns, &node, keep, task);
            let nested = Link { ns: ns.clone(), before: None, ..link.clone() };
            let (mut state, mut subgraphs) = (None, Vec::new());
            if inner.look(nested, None)? {
                inner.apply_nulls()?;
                subgraphs = inner.subgraphs_of_step()?;
                state = inner.current_snapshot()?;
            }
            all.push(SubgraphState { node, ns, state, subgraphs });
        }
        Ok(all)
    }
}
