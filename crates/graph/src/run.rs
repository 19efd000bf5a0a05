//! Running a compiled graph: super-steps, pauses, resumes. Nothing is allocated once the buffers have grown.

mod full;
mod options;

pub(crate) use full::{Go, Stop};

use crate::bits;
use crate::builder::{Choice, Router};
use crate::channel::Chan;
use crate::channel::slot::NOBODY;
use crate::compile::Plan;
use crate::error::{ChannelError, RunError};
use crate::exec::Full;
use crate::io::{Channels, Io, Reads};
use crate::node::{Node, NodeId};
use std::ops::Range;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// The writer of what [`Compiled::input`] brings; not [`NOBODY`], whose writes everyone would see at once.
pub(crate) const INPUT: u32 = NOBODY - 1;

/// How much a run or a part of it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunStats {
    /// Super-steps.
    pub steps: u32,
    /// Nodes run, counting each time.
    pub nodes_run: u32,
}

/// A run that stopped before its breakpoint: the frontier is that one node, and these are the half-filled joins.
/// It does not hold channel values: a resume goes on from those of the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    graph: u64,
    at: u16,
    stats: RunStats,
    /// The words of the barriers that are not zero; usually none, and then nothing is allocated.
    arrived: Vec<(u32, u64)>,
    /// The words of the deferred nodes that wait.
    waiting: Vec<(u32, u64)>,
}

impl Paused {
    /// Appends the pause, to go on from it in another process with the same graph, loaded from the same state.
    pub fn save(&self, to: &mut Encoder) {
        to.u64(self.graph);
        to.u16(self.at);
        to.u32(self.stats.steps);
        to.u32(self.stats.nodes_run);
        for words in [&self.arrived, &self.waiting] {
            to.len(words.len());
            for (i, word) in words {
                to.u32(*i);
                to.u64(*word);
            }
        }
    }

    /// Reads what [`Paused::save`] wrote.
    ///
    /// # Errors
    /// Bytes that are no pause.
    pub fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (graph, at) = (from.u64("graph")?, from.u16("node")?);
        let stats = RunStats { steps: from.u32("steps")?, nodes_run: from.u32("nodes run")? };
        let mut words = || -> Result<Vec<(u32, u64)>, DecodeError> {
            let n = from.len("words")?;
            (0..n).map(|_| Ok((from.u32("place")?, from.u64("word")?))).collect()
        };
        let (arrived, waiting) = (words()?, words()?);
        Ok(Paused { graph, at, stats, arrived, waiting })
    }

    /// What ran before the pause.
    #[must_use]
    pub fn stats(&self) -> RunStats {
        self.stats
    }
}

/// A validated graph with its nodes and channels, ready to run any number of times.
pub struct Compiled<C> {
    pub(crate) plan: Plan,
    pub(crate) nodes: Vec<Box<dyn Node<C>>>,
    pub(crate) routers: Vec<Router>,
    pub(crate) channels: Channels,
    pub(crate) frontier: Vec<u64>,
    pub(crate) next: Vec<u64>,
    pub(crate) arrived: Vec<u64>,
    pub(crate) full: Box<Full<C>>,
    /// A step is under way; still true when the next run begins if a node panicked and the caller caught it.
    torn: bool,
}

pub(crate) enum Halt {
    Ended(RunStats),
    At(RunStats),
}

impl Halt {
    #[inline]
    fn stats(self) -> RunStats {
        let (Halt::Ended(stats) | Halt::At(stats)) = self;
        stats
    }
}

impl<C> Compiled<C> {
    pub(crate) fn new(
        plan: Plan,
        nodes: Vec<Box<dyn Node<C>>>,
        routers: Vec<Router>,
        channels: Channels,
        full: Box<Full<C>>,
    ) -> Self {
        let (frontier, arrived) = (vec![0; plan.words()], vec![0; plan.barrier_words()]);
        Compiled { plan, nodes, routers, channels, next: frontier.clone(), frontier, arrived, full, torn: false }
    }

    /// Runs from START to END.
    ///
    /// # Errors
    /// Whatever ended the run early; the channels are as the last barrier left them.
    pub fn run(&mut self, ctx: &mut C) -> Result<RunStats, RunError> {
        if !self.plan.simple {
            self.begin_full()?;
            return self.drive_plain(ctx, None, 0).map(|halt| halt.stats());
        }
        self.begin()?;
        self.drive(ctx, None, 0).map(|halt| halt.stats())
    }

    /// Runs from START until `breakpoint` is all that would run next.
    ///
    /// # Errors
    /// As [`Compiled::run`]; and if the run ends without passing the breakpoint or other nodes would run beside it.
    pub fn run_until(&mut self, ctx: &mut C, breakpoint: NodeId) -> Result<Paused, RunError> {
        let at = self.plan.rank(breakpoint).ok_or(RunError::NoSuchBreakpoint { index: breakpoint.0 })?;
        let halt = if self.plan.simple {
            self.begin()?;
            self.drive(ctx, Some(at), 0)?
        } else {
            self.begin_full()?;
            self.drive_plain(ctx, Some(at), 0)?
        };
        match halt {
            Halt::Ended(_) => Err(RunError::BreakpointMissed { node: self.plan.name_of(u32::from(at)) }),
            Halt::At(stats) => {
                let words = |words: &[u64]| {
                    let filled = (0_u32..).zip(words).filter(|(_, word)| **word != 0);
                    filled.map(|(i, word)| (i, *word)).collect()
                };
                let waiting = if self.plan.simple { Vec::new() } else { words(&self.full.waiting) };
                Ok(Paused { graph: self.plan.fingerprint, at, stats, arrived: words(&self.arrived), waiting })
            }
        }
    }

    /// Goes on from a pause to END, as often as wanted from the same pause. The statistics are of this part alone.
    ///
    /// # Errors
    /// As [`Compiled::run`]; and if the pause is of a graph of another shape.
    pub fn resume(&mut self, ctx: &mut C, paused: &Paused) -> Result<RunStats, RunError> {
        if paused.graph != self.plan.fingerprint {
            return Err(RunError::ForeignPause);
        }
        self.mend();
        self.commit()?;
        bits::clear(&mut self.frontier);
        bits::insert(&mut self.frontier, paused.at);
        self.arrived.fill(0);
        for (i, word) in &paused.arrived {
            if let Some(arrived) = self.arrived.get_mut(*i as usize) {
                *arrived = *word;
            }
        }
        if !self.plan.simple {
            self.resume_full(&paused.waiting);
            return self.drive_plain(ctx, None, paused.stats.steps).map(|halt| halt.stats());
        }
        self.drive(ctx, None, paused.stats.steps).map(|halt| halt.stats())
    }

    /// Buffers a write from outside; it passes the reducer before the first node of the next run or resume.
    ///
    /// # Errors
    /// The channel is only declared or of another graph.
    pub fn input<T, U: Send + Sync + 'static>(&mut self, chan: Chan<T, U>, update: U) -> Result<(), ChannelError> {
        self.mend();
        self.channels.write(chan, INPUT, update)
    }

    /// The committed value of a channel.
    ///
    /// # Errors
    /// The channel is empty, only declared or of another graph.
    pub fn get<T: 'static, U>(&self, chan: Chan<T, U>) -> Result<&T, ChannelError> {
        self.channels.get(chan.id(), NOBODY)
    }

    /// Sets all channels back to their initial values and drops input that was not used. Nodes keep their state.
    pub fn reset(&mut self) {
        self.full.session.current = None;
        self.channels.discard();
        self.channels.reset(|_| true);
    }

    /// The names of the nodes in rank order, which is the merge order.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.plan.nodes.iter().map(|n| n.name.as_str())
    }

    /// The names of the nodes that were disabled or to which only disabled nodes led.
    #[must_use]
    pub fn removed(&self) -> &[String] {
        &self.plan.removed
    }

    /// Drops the writes of a step that a panic tore, so that they are not taken for input.
    pub(crate) fn mend(&mut self) {
        if std::mem::take(&mut self.torn) {
            self.channels.discard();
        }
    }

    fn begin(&mut self) -> Result<(), RunError> {
        self.mend();
        if self.full.session.current.is_some() {
            self.full.session.current = None;
        }
        if self.channels.resets {
            self.channels.reset(|entry| entry.each_run);
        }
        self.commit()?;
        self.arrived.fill(0);
        self.frontier.copy_from_slice(&self.plan.entry);
        let routes = self.plan.entry_routes.clone();
        follow(&self.plan, &self.routers, routes, &self.channels, NOBODY, &mut self.frontier)
    }

    /// Runs steps until nothing is left, or until the breakpoint is the whole frontier.
    fn drive(&mut self, ctx: &mut C, until: Option<u16>, before: u32) -> Result<Halt, RunError> {
        let mut stats = RunStats::default();
        loop {
            if let Some(at) = until
                && bits::has(&self.frontier, at)
            {
                return self.alone(at).map(|()| Halt::At(stats));
            }
            // Before the look at the frontier, as in LangGraph: a chain of n nodes needs a limit of n + 1.
            if before + stats.steps >= self.plan.limit {
                let pending = self.plan.names(&self.frontier);
                return Err(RunError::RecursionLimit { limit: self.plan.limit, pending });
            }
            if bits::is_empty(&self.frontier) {
                return Ok(Halt::Ended(stats));
            }
            self.torn = true;
            let step = self.super_step(ctx);
            self.torn = false;
            match step {
                Ok(nodes_run) => stats.nodes_run += nodes_run,
                Err(error) => {
                    self.channels.discard();
                    return Err(error);
                }
            }
            stats.steps += 1;
        }
    }

    #[inline(always)]
    pub(crate) fn alone(&self, at: u16) -> Result<(), RunError> {
        if bits::count(&self.frontier) == 1 {
            return Ok(());
        }
        let others = bits::members(&self.frontier).filter(|rank| *rank != at);
        let others = others.map(|rank| self.plan.name_of(u32::from(rank))).collect();
        Err(RunError::BreakpointShared { node: self.plan.name_of(u32::from(at)), others })
    }

    /// Runs the frontier in rank order, merges its writes and puts what runs next in its place.
    #[inline]
    fn super_step(&mut self, ctx: &mut C) -> Result<u32, RunError> {
        let Compiled { plan, nodes, routers, channels, frontier, next, arrived, .. } = self;
        bits::clear(next);
        let (mut nodes_run, mut any_arrived) = (0, false);
        for rank in bits::members(frontier) {
            let (Some(node), Some(shape)) = (nodes.get_mut(usize::from(rank)), plan.nodes.get(usize::from(rank)))
            else {
                continue;
            };
            node.run(ctx, &mut Io::new(channels, u32::from(rank), &shape.access))
                .map_err(|source| RunError::Node { node: shape.name.clone(), source })?;
            nodes_run += 1;
            any_arrived |= plan.leave(rank, shape, next, arrived);
            if !shape.routes.is_empty() {
                follow(plan, routers, shape.routes.clone(), channels, u32::from(rank), next)?;
                channels.forget_seen();
            }
        }
        self.commit()?;
        if any_arrived {
            self.plan.release(&mut self.next, &mut self.arrived);
        }
        std::mem::swap(&mut self.frontier, &mut self.next);
        Ok(nodes_run)
    }

    #[inline]
    fn commit(&mut self) -> Result<(), RunError> {
        // Most steps of an engine write to its context and not to channels.
        if self.channels.untouched() { Ok(()) } else { self.merge() }
    }

    pub(crate) fn merge(&mut self) -> Result<(), RunError> {
        self.channels.commit().map_err(|chan| {
            let writers = self.channels.writers(chan);
            let nodes = writers.into_iter().map(|rank| self.plan.name_of(rank)).collect();
            self.channels.discard();
            RunError::Conflict { channel: self.channels.name(chan), nodes }
        })
    }
}

/// Asks the routers after a node and adds what they chose.
#[inline]
fn follow(
    plan: &Plan,
    routers: &[Router],
    routes: Range<usize>,
    channels: &Channels,
    rank: u32,
    next: &mut [u64],
) -> Result<(), RunError> {
    for at in routes {
        let (Some(router), Some(route)) = (routers.get(at), plan.routes.get(at)) else { continue };
        // A graph with a router of many choices takes the full step.
        let Router::One(router) = router else { continue };
        let choice = router(&Reads::new(channels, rank))
            .map_err(|source| RunError::Router { node: plan.name_of(rank), source })?;
        match route.target(choice) {
            Some(Some(target)) => bits::insert(next, target),
            Some(None) => {}
            None => {
                let label = match choice {
                    Choice::Label(label) => label.to_owned(),
                    Choice::Index(index) => format!("option {index}"),
                };
                return Err(RunError::UnknownLabel { node: plan.name_of(rank), label, known: route.labels.clone() });
            }
        }
    }
    Ok(())
}
