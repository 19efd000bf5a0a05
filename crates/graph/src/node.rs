//! What a node is, and how nodes are named in a graph under construction.

use crate::error::NodeError;
use crate::exec::jobs::Jobs;
use crate::io::Io;
use crate::run::Compiled;
use crate::subgraph::Keep;
use std::sync::Arc;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// A node of the graph that gave the handle, or [`START`] or [`END`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u16);

/// Where every run begins; only a source of edges and routes.
pub const START: NodeId = NodeId(u16::MAX - 1);

/// Where a branch of a run ends; only a target of edges and routes.
pub const END: NodeId = NodeId(u16::MAX);

/// Nodes and channels that a graph may have: their numbers are `u16` and the last two are START and END.
pub(crate) const MAX_ITEMS: usize = (u16::MAX - 2) as usize;

/// One step of the graph's work. `C` is the world outside the channels, passed in at every run.
///
/// A run that fails leaves the channels as the last barrier left them; what a node changed in itself or in `ctx`
/// stays changed.
pub trait Node<C>: Send {
    /// Reads committed channel values, buffers writes.
    ///
    /// # Errors
    /// Whatever the node cannot go on from; it ends the run, and the run's error names the node.
    fn run(&mut self, ctx: &mut C, io: &mut Io<'_>) -> Result<(), NodeError>;

    /// Appends the state that must survive a restart.
    fn save(&self, _to: &mut Encoder) {}

    /// Reads what [`Node::save`] wrote.
    ///
    /// # Errors
    /// Bytes that are no state of this node.
    fn load(&mut self, _from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        Ok(())
    }

    /// The graph that this node is, if it is one.
    #[doc(hidden)]
    fn subgraph(&self) -> Option<(&Compiled<C>, Keep)> {
        None
    }

    /// As [`Node::subgraph`], to load checkpoints into it.
    #[doc(hidden)]
    fn subgraph_mut(&mut self) -> Option<(&mut Compiled<C>, Keep)> {
        None
    }
}

/// A node without state of its own and with read access to the context, so that it can run beside others.
pub trait SharedNode<C>: Send + Sync {
    /// As [`Node::run`].
    ///
    /// # Errors
    /// As [`Node::run`].
    fn run(&self, ctx: &C, io: &mut Io<'_>) -> Result<(), NodeError>;
}

impl<C, F> SharedNode<C> for F
where
    F: Fn(&C, &mut Io<'_>) -> Result<(), NodeError> + Send + Sync,
{
    fn run(&self, ctx: &C, io: &mut Io<'_>) -> Result<(), NodeError> {
        self(ctx, io)
    }
}

/// A shared node and the function that runs many of them; it is made where `C: Sync` is known.
pub(crate) struct Sharing<C> {
    pub(crate) node: Arc<dyn SharedNode<C>>,
    pub(crate) run: Jobs<C>,
}

/// A shared node run by itself.
pub(crate) struct Alone<C>(pub(crate) Arc<dyn SharedNode<C>>);

impl<C> Node<C> for Alone<C> {
    fn run(&mut self, ctx: &mut C, io: &mut Io<'_>) -> Result<(), NodeError> {
        self.0.run(ctx, io)
    }
}

impl<C, F> Node<C> for F
where
    F: FnMut(&mut C, &mut Io<'_>) -> Result<(), NodeError> + Send,
{
    #[inline]
    fn run(&mut self, ctx: &mut C, io: &mut Io<'_>) -> Result<(), NodeError> {
        self(ctx, io)
    }
}
