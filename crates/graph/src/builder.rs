//! Describing a graph: channels, nodes, edges, joins, routes. Nothing is judged here; `compile` reports what is wrong.

use crate::channel::{Chan, ChanId, Channel};
use crate::error::NodeError;
use crate::io::{Entry, Io, Out, Reads};
use crate::node::{END, Node, NodeId, START, SharedNode, Sharing};
use crate::packet::{Loader, Packed, load_packed};
use crate::policy::{Bid, CachePolicy, Fallback, Policy, Retry};
use crate::run::Compiled;
use crate::subgraph::{Keep, Subgraph};
use std::any::TypeId;
use std::sync::Arc;

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

pub(crate) type One = Box<dyn Fn(&Reads<'_>) -> Result<Choice, NodeError> + Send + Sync>;
pub(crate) type Many = Box<dyn Fn(&Reads<'_>, &mut Out<'_>) -> Result<(), NodeError> + Send + Sync>;

pub(crate) enum Router {
    One(One),
    Many(Many),
}

pub(crate) struct NodeSpec<C> {
    pub(crate) name: String,
    pub(crate) node: Box<dyn Node<C>>,
    pub(crate) shared: Option<Sharing<C>>,
    pub(crate) policy: Policy<C>,
    pub(crate) deferred: bool,
    pub(crate) goes_to: Vec<NodeId>,
    pub(crate) sends_to: Vec<NodeId>,
    pub(crate) takes: Option<(TypeId, Loader)>,
    pub(crate) is_subgraph: bool,
    /// Of a subgraph: its channels with their places and the types of what they share.
    pub(crate) inner: Vec<(String, u16, Option<TypeId>)>,
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
    pub(crate) before: Vec<NodeId>,
    pub(crate) after: Vec<NodeId>,
    pub(crate) effects: Vec<String>,
    /// Every run uses the full step.
    pub(crate) full: bool,
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
            before: Vec::new(),
            after: Vec::new(),
            effects: Vec::new(),
            full: false,
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
        self.nodes.push(NodeSpec {
            name: name.into(),
            node: Box::new(node),
            shared: None,
            policy: Policy::default(),
            deferred: false,
            goes_to: Vec::new(),
            sends_to: Vec::new(),
            takes: None,
            is_subgraph: false,
            inner: Vec::new(),
            once: false,
            disabled: false,
            reads: None,
            writes: None,
        });
        id
    }

    /// Adds a node that may run beside others on the pool of the runtime. It sees the context as the step found it.
    pub fn shared(&mut self, name: impl Into<String>, node: impl SharedNode<C> + 'static) -> NodeId
    where
        C: Sync + 'static,
    {
        let node: Arc<dyn SharedNode<C>> = Arc::new(node);
        let id = self.node(name, crate::node::Alone(node.clone()));
        if let Some(spec) = self.nodes.last_mut() {
            spec.shared = Some(Sharing { node, run: crate::exec::jobs::run::<C> });
        }
        id
    }

    /// Adds a closure as a shared node.
    pub fn shared_fn<F>(&mut self, name: impl Into<String>, node: F) -> NodeId
    where
        C: Sync + 'static,
        F: Fn(&C, &mut Io<'_>) -> Result<(), NodeError> + Send + Sync + 'static,
    {
        self.shared(name, node)
    }

    /// Adds a compiled graph as a node. Channels of one name are shared: the subgraph starts with this graph's values,
    /// and its values at the end are this node's writes, for an appending channel its whole list, as in LangGraph.
    pub fn subgraph(&mut self, name: impl Into<String>, graph: Compiled<C>, keep: Keep) -> NodeId
    where
        C: 'static,
    {
        let all = (0_u16..).zip(&graph.channels.entries);
        let inner = all.filter_map(|(at, e)| Some((e.name.clone(), at, e.slot.as_ref()?.shares()))).collect();
        let id = self.node(name, Subgraph::new(graph, keep));
        if let Some(spec) = self.nodes.last_mut() {
            spec.is_subgraph = true;
            spec.inner = inner;
        }
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
        F: Fn(&Reads<'_>) -> Result<L, NodeError> + Send + Sync + 'static,
    {
        let options = options.iter().map(|(label, to)| ((*label).to_owned(), *to)).collect();
        let router = Router::One(Box::new(move |state| router(state).map(Into::into)));
        self.routes.push(RouteSpec { from, options, router });
        self
    }

    /// After `from`, the router goes to any number of the targets and sends any number of packets to them.
    pub fn fan_out<F>(&mut self, from: NodeId, targets: &[NodeId], router: F) -> &mut Self
    where
        F: Fn(&Reads<'_>, &mut Out<'_>) -> Result<(), NodeError> + Send + Sync + 'static,
    {
        let options = targets.iter().map(|to| (self.name_of(*to), *to)).collect();
        self.routes.push(RouteSpec { from, options, router: Router::Many(Box::new(router)) });
        self
    }

    /// Demands that `compile` proves: every run passes `node`, and nothing else is about to run at that moment.
    pub fn breakpoint(&mut self, node: NodeId) -> &mut Self {
        self.breakpoints.push(node);
        self
    }

    /// A run on a thread stops before the step in which `node` would run; the next call passes it.
    pub fn interrupt_before(&mut self, node: NodeId) -> &mut Self {
        self.before.push(node);
        self
    }

    /// A run on a thread stops after the step in which `node` ran.
    pub fn interrupt_after(&mut self, node: NodeId) -> &mut Self {
        self.after.push(node);
        self
    }

    /// Declares something outside that nodes may ask with `Io::request`.
    pub fn effect(&mut self, name: impl Into<String>) -> &mut Self {
        self.effects.push(name.into());
        self
    }

    /// Every run uses the full step, also where none of its features is declared: nodes may emit values in plain runs,
    /// panics are caught, observers are shown what happens.
    pub fn observed(&mut self) -> &mut Self {
        self.full = true;
        self
    }

    /// The channels of this graph and of a subgraph that have one name and one type of updates.
    pub(crate) fn shares(&self, spec: &NodeSpec<C>) -> Vec<(u16, u16)> {
        let outer = |name: &str| (0_u16..).zip(&self.channels).find(|(_, e)| e.name == name && e.slot.is_some());
        spec.inner.iter().filter_map(|(name, at, _)| Some((outer(name)?.0, *at))).collect()
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

    /// The node runs once nothing else is left to run, however often it was led to.
    pub fn deferred(self) -> Self {
        self.with(|spec| spec.deferred = true)
    }

    /// Where the node may go by itself with `Io::goto`, beside its edges.
    pub fn goes_to(self, targets: &[NodeId]) -> Self {
        self.with(|spec| spec.goes_to.extend(targets))
    }

    /// To which nodes the node may send packets with `Io::send`.
    pub fn sends_to(self, targets: &[NodeId]) -> Self {
        self.with(|spec| spec.sends_to.extend(targets))
    }

    /// The type of the packets that can be sent to the node; it reads them with `Io::arg`.
    pub fn takes<A: Packed>(self) -> Self {
        self.with(|spec| spec.takes = Some((TypeId::of::<A>(), load_packed::<A>)))
    }

    /// Tries the node again when it fails; of several policies the first that wants the error counts.
    pub fn retry(self, retry: Retry) -> Self {
        self.with(|spec| spec.policy.retry.push(retry))
    }

    /// Runs another node in its place when it failed for good; the run goes on along that node's edges.
    pub fn on_error(self, handler: NodeId) -> Self {
        self.with(|spec| spec.policy.on_error = Some(handler))
    }

    /// The longest that an attempt may take. What comes later is not used: see [`NodeMut::fallback`].
    pub fn deadline_ns(self, ns: u64) -> Self {
        self.with(|spec| spec.policy.deadline_ns = Some(ns))
    }

    /// What stands in for the output when the node is late, panicked or failed for good.
    pub fn fallback(self, fallback: Fallback<C>) -> Self {
        self.with(|spec| spec.policy.fallback = fallback)
    }

    /// `compile` refuses any fallback but [`Fallback::Fail`] and any error handler.
    pub fn fail_closed(self) -> Self {
        self.with(|spec| spec.policy.fail_closed = true)
    }

    /// Uses an earlier output when the node would read what it read then.
    pub fn cache(self, cache: CachePolicy) -> Self {
        self.with(|spec| spec.policy.cache = Some(cache))
    }

    /// Nodes of one step with a higher number start first, and are served first when bids share the end of a cycle.
    /// All nodes of a step see the same state and merge in the order of their names, so that in a run with time for
    /// all a priority changes no result. Shared nodes start before those that change the context.
    pub fn priority(self, priority: i32) -> Self {
        self.with(|spec| spec.policy.priority = priority)
    }

    /// Lets the node stand back, with its fallback, when the cycle nears its deadline and others are worth more.
    pub fn bid(self, bid: Bid) -> Self {
        self.with(|spec| spec.policy.bid = Some(bid))
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
