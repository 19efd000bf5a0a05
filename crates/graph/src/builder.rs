//! Describing a graph: channels, nodes, edges, joins, routes. Nothing is judged here; `compile` reports what is wrong.

use crate::channel::{Chan, ChanId, Channel};
use crate::error::NodeError;
use crate::io::{Entry, Io, Reads};
use crate::node::{END, Node, NodeId, START};

/// Bounds of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// As LangGraph counts it: a chain of n nodes needs n + 1.
    pub recursion: u32,
}

impl Default for Limits {
    /// 25 steps.
    fn default() -> Self {
        Limits { recursion: 25 }
    }
}

/// What a router chose among the options of its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The option with this label.
    Label(&'static str),
    /// The option at this place of the list.
    Index(usize),
}

impl From<&'static str> for Choice {
    fn from(label: &'static str) -> Self {
        Choice::Label(label)
    }
}

impl From<usize> for Choice {
    fn from(index: usize) -> Self {
        Choice::Index(index)
    }
}

pub(crate) type Router = Box<dyn Fn(&Reads<'_>) -> Result<Choice, NodeError> + Send>;

pub(crate) struct NodeSpec<C> {
    pub(crate) name: String,
    pub(crate) node: Box<dyn Node<C>>,
    pub(crate) once: bool,
    pub(crate) disabled: bool,
    pub(crate) reads: Option<Vec<ChanId>>,
    pub(crate) writes: Option<Vec<ChanId>>,
}

pub(crate) struct RouteSpec {
    pub(crate) from: NodeId,
    pub(crate) options: Vec<(String, NodeId)>,
    pub(crate) router: Router,
}

/// A graph under construction over contexts of type `C`.
pub struct GraphBuilder<C> {
    pub(crate) name: String,
    pub(crate) nodes: Vec<NodeSpec<C>>,
    pub(crate) channels: Vec<Entry>,
    pub(crate) edges: Vec<(NodeId, NodeId)>,
    pub(crate) joins: Vec<(Vec<NodeId>, NodeId)>,
    pub(crate) routes: Vec<RouteSpec>,
    pub(crate) breakpoints: Vec<NodeId>,
    /// Handles of another builder that were given to `node_mut`.
    pub(crate) strays: Vec<NodeId>,
}

impl<C> GraphBuilder<C> {
    /// An empty graph.
    pub fn new(name: impl Into<String>) -> Self {
        GraphBuilder {
            name: name.into(),
            nodes: Vec::new(),
            channels: Vec::new(),
            edges: Vec::new(),
            joins: Vec::new(),
            routes: Vec::new(),
            breakpoints: Vec::new(),
            strays: Vec::new(),
        }
    }

    /// Adds a channel.
    pub fn channel<T: 'static, U>(&mut self, name: impl Into<String>, channel: Channel<T, U>) -> Chan<T, U> {
        let index = number(self.channels.len());
        let (kind, each_run) = (channel.kind, channel.each_run);
        self.channels.push(Entry { name: name.into(), kind, each_run, slot: channel.into_slot() });
        Chan::new(index)
    }

    /// Adds a node. Its name decides its place in the merge order.
    pub fn node(&mut self, name: impl Into<String>, node: impl Node<C> + 'static) -> NodeId {
        let id = NodeId(number(self.nodes.len()));
        let (name, node) = (name.into(), Box::new(node));
        self.nodes.push(NodeSpec { name, node, once: false, disabled: false, reads: None, writes: None });
        id
    }

    /// Adds a closure as a node. As [`GraphBuilder::node`], but the compiler infers the closure's argument types.
    pub fn node_fn<F>(&mut self, name: impl Into<String>, node: F) -> NodeId
    where
        F: FnMut(&mut C, &mut Io<'_>) -> Result<(), NodeError> + Send + 'static,
    {
        self.node(name, node)
    }

    /// The options of a node.
    pub fn node_mut(&mut self, id: NodeId) -> NodeMut<'_, C> {
        let spec = self.nodes.get_mut(usize::from(id.0));
        if spec.is_none() {
            self.strays.push(id);
        }
        NodeMut { spec }
    }

    /// `to` runs in the step after `from`. Predecessors of one step trigger it once, of different steps once each.
    pub fn edge(&mut self, from: NodeId, to: NodeId) -> &mut Self {
        self.edges.push((from, to));
        self
    }

    /// `to` runs in the step after the last of `members` has run, and waits for all of them again after that.
    pub fn join(&mut self, members: &[NodeId], to: NodeId) -> &mut Self {
        self.joins.push((members.to_vec(), to));
        self
    }

    /// After `from`, the router chooses one of the options, by label or by place. It sees the channels with the
    /// writes of `from` and of no other node of that step.
    pub fn route<L, F>(&mut self, from: NodeId, options: &[(&str, NodeId)], router: F) -> &mut Self
    where
        L: Into<Choice>,
        F: Fn(&Reads<'_>) -> Result<L, NodeError> + Send + 'static,
    {
        let options = options.iter().map(|(label, to)| ((*label).to_owned(), *to)).collect();
        self.routes.push(RouteSpec { from, options, router: Box::new(move |state| router(state).map(Into::into)) });
        self
    }

    /// Demands that `compile` proves: every run passes `node`, and nothing else is about to run at that moment.
    pub fn breakpoint(&mut self, node: NodeId) -> &mut Self {
        self.breakpoints.push(node);
        self
    }

    /// The name behind a handle, for messages.
    pub(crate) fn name_of(&self, id: NodeId) -> String {
        match id {
            START => "START".to_owned(),
            END => "END".to_owned(),
            _ => self.nodes.get(usize::from(id.0)).map_or_else(|| format!("#{}", id.0), |n| n.name.clone()),
        }
    }
}

/// Options of a node of a graph under construction.
pub struct NodeMut<'a, C> {
    spec: Option<&'a mut NodeSpec<C>>,
}

impl<C> NodeMut<'_, C> {
    /// The node may run at most once in a run; `compile` refuses the graph if it cannot prove that.
    pub fn once(self) -> Self {
        self.with(|spec| spec.once = true)
    }

    /// The node reads these channels and no others.
    pub fn reads(self, channels: &[ChanId]) -> Self {
        self.with(|spec| spec.reads = Some(channels.to_vec()))
    }

    /// The node writes these channels and no others.
    pub fn writes(self, channels: &[ChanId]) -> Self {
        self.with(|spec| spec.writes = Some(channels.to_vec()))
    }

    /// The node is left out at compile: its edges are dropped, a route's option to it ends there, joins do not wait
    /// for it.
    pub fn disabled(self) -> Self {
        self.with(|spec| spec.disabled = true)
    }

    fn with(mut self, change: impl FnOnce(&mut NodeSpec<C>)) -> Self {
        if let Some(spec) = &mut self.spec {
            change(spec);
        }
        self
    }
}

/// Handles saturate; `compile` refuses a graph with that many nodes or channels.
fn number(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(END.0 - 2)
}
