//! Looking into subgraphs and changing them: LangGraph's `get_state(subgraphs=True)`, and `get_state`,
//! `get_state_history` and `update_state` of a namespace.

use super::{At, Snapshot, Update};
use crate::channel::Chan;
use crate::error::RunError;
use crate::node::NodeId;
use crate::run::Compiled;
use crate::saver::{CheckpointId, Link, Query};
use crate::stream::{Event, Modes};
use crate::subgraph::{Keep, namespace, of_thread};
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
        let (link, inner) = self.enter(at, ns)?;
        Ok(if inner.look(link, at.checkpoint)? { inner.current_snapshot()? } else { None })
    }

    /// The checkpoints of a subgraph's namespace, newest first, as [`Compiled::history`].
    ///
    /// # Errors
    /// As [`Compiled::state_within`].
    pub fn history_within(&mut self, at: &At, ns: &str, query: Query) -> Result<Vec<Snapshot>, RunError> {
        let (link, inner) = self.enter(at, ns)?;
        inner.look(link.clone(), None)?;
        let before = query.before.or(at.checkpoint);
        let list = link.saver.list(link.place(), Query { before, ..query })?;
        list.into_iter().map(|saved| inner.snapshot_of(saved)).collect()
    }

    /// Changes the state of a subgraph's namespace, at its newest checkpoint or at that of `at`, as
    /// [`Compiled::update_state`]; nodes and channels are the subgraph's own. The next run of the thread that takes the
    /// subgraph up finds the change; [`At::within`] runs from it after the thread went on.
    ///
    /// # Errors
    /// As [`Compiled::state_within`] and [`Compiled::update_state`].
    pub fn update_within(&mut self, at: &At, ns: &str, update: Update<'_>) -> Result<CheckpointId, RunError> {
        self.bulk_update_within(at, ns, vec![vec![update]])
    }

    /// Several changes of a namespace, as [`Compiled::bulk_update`].
    ///
    /// # Errors
    /// As [`Compiled::update_within`].
    pub fn bulk_update_within(
        &mut self,
        at: &At,
        ns: &str,
        steps: Vec<Vec<Update<'_>>>,
    ) -> Result<CheckpointId, RunError> {
        self.open_within(at, ns)?.1.update_steps(steps)
    }

    /// Copies a checkpoint of a namespace, as [`Compiled::copy_checkpoint`].
    ///
    /// # Errors
    /// As [`Compiled::state_within`], and there is no checkpoint.
    pub fn copy_within(&mut self, at: &At, ns: &str) -> Result<CheckpointId, RunError> {
        let (found, inner) = self.open_within(at, ns)?;
        if found { inner.copy_opened() } else { Err(RunError::NoCheckpoint { thread: at.thread.clone() }) }
    }

    /// As [`Compiled::observe`] for a subgraph, LangGraph's `stream(subgraphs=True)`: its events come while its node runs,
    /// and so before those of the step around it.
    ///
    /// # Errors
    /// No subgraph has such a namespace.
    pub fn observe_within(
        &mut self,
        ns: &str,
        modes: Modes,
        show: impl FnMut(&Event<'_>) + Send + 'static,
    ) -> Result<(), RunError> {
        self.within_mut(ns)?.0.observe(modes, show);
        Ok(())
    }

    /// The handle of a node of a subgraph; none if the namespace or the subgraph has none of this name.
    #[must_use]
    pub fn node_within(&self, ns: &str, name: &str) -> Option<NodeId> {
        self.graph_within(ns).and_then(|graph| graph.node_id(name))
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
        let graph = self.graph_within(ns).ok_or_else(|| self.no_subgraph(ns))?;
        let bad = |source: DecodeError| RunError::BadCheckpoint { id: snapshot.id, source: source.into() };
        graph.value_in(snapshot, chan).map_err(bad)
    }

    fn graph_within(&self, ns: &str) -> Option<&Self> {
        ns.split('|').try_fold(self, |graph, part| {
            let node = graph.rank_of_subgraph(part).and_then(|rank| graph.nodes.get(rank));
            node.and_then(|n| n.subgraph()).map(|(inner, _)| inner)
        })
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

    /// The graph of a namespace with its link.
    fn enter(&mut self, at: &At, ns: &str) -> Result<(Link, &mut Self), RunError> {
        let mut link = self.link_within(at, ns)?;
        let (inner, keep) = self.within_mut(ns)?;
        if keep == Keep::Thread {
            link.ns = of_thread(ns);
        }
        Ok((link, inner))
    }

    /// The same with its checkpoint opened, to be changed.
    fn open_within(&mut self, at: &At, ns: &str) -> Result<(bool, &mut Self), RunError> {
        let (link, inner) = self.enter(at, ns)?;
        inner.full.session.home = Some((link.saver.clone(), link.durability));
        let found = inner.look(link, at.checkpoint)?;
        if !found && at.checkpoint.is_some() {
            return Err(RunError::NoCheckpoint { thread: at.thread.clone() });
        }
        Ok((found, inner))
    }

    fn within_mut(&mut self, ns: &str) -> Result<(&mut Self, Keep), RunError> {
        let (mut graph, mut kept) = (self, Keep::Run);
        for part in ns.split('|') {
            let missing = graph.no_subgraph(ns);
            let rank = graph.rank_of_subgraph(part);
            let node = rank.and_then(|rank| graph.nodes.get_mut(rank));
            let Some((inner, keep)) = node.and_then(|n| n.subgraph_mut()) else { return Err(missing) };
            (graph, kept) = (inner, keep);
        }
        Ok((graph, kept))
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
