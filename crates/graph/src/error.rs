//! What can go wrong: in a node, with a channel, at compile, in a run, at load. Each names the place and the remedy.

use std::error::Error;
use tradegraph_columns::codec::DecodeError;

/// Why a node or a router stopped.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// A channel could not be read or written.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// A reason of the node's own.
    #[error(transparent)]
    Failed(Box<dyn Error + Send + Sync>),
}

impl NodeError {
    /// Wraps a node's own error.
    pub fn failed(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        NodeError::Failed(cause.into())
    }
}

/// Why a channel could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// Nothing was written to a channel that has no initial value.
    #[error("channel `{channel}` is empty: write it in an earlier step or give it an initial value")]
    Empty {
        /// The channel.
        channel: String,
    },
    /// An external channel or a channel of rows, which is only declared.
    #[error("channel `{channel}` holds nothing here: its data is in the context of the run")]
    HoldsNothing {
        /// The channel.
        channel: String,
    },
    /// The handle was made by another builder.
    #[error("channel #{index} of this type is not in this graph: use the handle its own builder returned")]
    Foreign {
        /// The number inside the handle.
        index: u16,
    },
    /// The node declared what it reads, and this is not in it.
    #[error("channel `{channel}` is read but not declared: add it to the node's `reads`")]
    UndeclaredRead {
        /// The channel.
        channel: String,
    },
    /// The node declared what it writes, and this is not in it.
    #[error("channel `{channel}` is written but not declared: add it to the node's `writes`")]
    UndeclaredWrite {
        /// The channel.
        channel: String,
    },
}

/// Why a graph was refused. `steps` are the frontiers of a shortest run that shows the fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// Nothing follows START, or only disabled nodes do.
    #[error("graph `{graph}`: nothing enabled follows START; add an edge or a route from START")]
    NoEntry {
        /// The graph.
        graph: String,
    },
    /// More nodes or channels than their numbers can tell apart.
    #[error("{found} {what} are more than the {limit} a graph may have; split the graph")]
    TooMany {
        /// "nodes" or "channels".
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many may be.
        limit: usize,
    },
    /// A handle that this builder did not return.
    #[error("{place}: node #{index} is not in this graph; use the handles its own builder returned")]
    UnknownNode {
        /// The edge, join, route or call.
        place: String,
        /// The number inside the handle.
        index: u16,
    },
    /// A declared channel that this builder did not return.
    #[error("node `{node}` declares channel #{index}, which is not in this graph; use this builder's handles")]
    UnknownChannel {
        /// The node.
        node: String,
        /// The number inside the handle.
        index: u16,
    },
    /// END leads nowhere.
    #[error("{place}: END cannot be a source; remove it")]
    EndAsSource {
        /// The edge, join or route.
        place: String,
    },
    /// Nothing leads to START.
    #[error("{place}: START cannot be a target; aim at the first node instead")]
    StartAsTarget {
        /// The edge, join or route.
        place: String,
    },
    /// START is no member that a join could wait for.
    #[error("{place}: START cannot be a member of a join; leave it out, every run begins there")]
    StartInJoin {
        /// The join.
        place: String,
    },
    /// Two nodes of one name.
    #[error("two nodes are named `{name}`; names order the merge, so rename one")]
    DuplicateNode {
        /// The name.
        name: String,
    },
    /// Two channels of one name.
    #[error("two channels are named `{name}`; rename one")]
    DuplicateChannel {
        /// The name.
        name: String,
    },
    /// An empty name, a name of START or END, or one with `:` or `|`, which later separate subgraphs.
    #[error("`{name}` cannot name a node: it is empty, reserved or contains `:` or `|`; choose another")]
    ReservedName {
        /// The name.
        name: String,
    },
    /// A join without members never fills.
    #[error("{place}: the join has no members; name them or remove it")]
    EmptyJoin {
        /// The join.
        place: String,
    },
    /// A route without options leads nowhere.
    #[error("the route from `{node}` has no options; list its labels and their targets")]
    EmptyRoute {
        /// The node.
        node: String,
    },
    /// One label leads to two targets.
    #[error("the route from `{node}` has the label `{label}` twice; give each option its own")]
    DuplicateLabel {
        /// The node.
        node: String,
        /// The label.
        label: String,
    },
    /// No edge, join or route leads from START to the node.
    #[error("nothing leads from START to `{node}`; connect it, disable it or remove it")]
    Unreachable {
        /// The node.
        node: String,
    },
    /// Edges lead to the node, but no choice of routes ever runs it.
    #[error("no run reaches `{node}`: a join on its way waits for nodes that never run in one run; use edges instead")]
    NeverRuns {
        /// The node.
        node: String,
    },
    /// A `once` node that some run would run again.
    #[error("`{node}` is `once` but can run twice in one run: {}; join its predecessors or break the cycle", arrows(.steps))]
    RunsTwice {
        /// The node.
        node: String,
        /// The frontiers up to the second run.
        steps: Vec<Vec<String>>,
    },
    /// Nodes of one step declare writing a channel that takes one value a step.
    #[error(
        "{} may run in the same step and all declare writing `{channel}`, which takes one write a step: {}; give it a reducer or order the nodes",
        list(.nodes), arrows(.steps)
    )]
    RivalWriters {
        /// The channel.
        channel: String,
        /// The nodes.
        nodes: Vec<String>,
        /// The frontiers up to that step.
        steps: Vec<Vec<String>>,
    },
    /// A breakpoint at which other nodes may be about to run.
    #[error("the run cannot stop at `{node}` alone: {}; join its siblings into it", arrows(.steps))]
    BreakpointShared {
        /// The breakpoint.
        node: String,
        /// The frontiers up to it.
        steps: Vec<Vec<String>>,
    },
    /// A breakpoint that some run does not pass.
    #[error("a run may end without passing the breakpoint `{node}`: {}; choose a node on every path", arrows(.steps))]
    BreakpointMissed {
        /// The breakpoint.
        node: String,
        /// The frontiers of the run that misses it.
        steps: Vec<Vec<String>>,
    },
    /// A breakpoint that is disabled, or removed because only disabled nodes led to it.
    #[error("the breakpoint `{node}` is not in the compiled graph; enable it or move the breakpoint")]
    BreakpointRemoved {
        /// The breakpoint.
        node: String,
    },
    /// The graph is too wide for the proof that `once`, declared writes or breakpoints ask for.
    #[error(
        "graph `{graph}` has more than {limit} reachable states, too many to prove `once`, declared writes and breakpoints; \
         join parallel routed branches earlier"
    )]
    TooManyStates {
        /// The graph.
        graph: String,
        /// How many states are looked at.
        limit: usize,
    },
}

/// Why a run ended early. The channels are as the last barrier left them.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A node failed.
    #[error("node `{node}` failed: {source}")]
    Node {
        /// The node.
        node: String,
        /// Its reason.
        source: NodeError,
    },
    /// The router after a node failed.
    #[error("the router after `{node}` failed: {source}")]
    Router {
        /// The node, or START.
        node: String,
        /// Its reason.
        source: NodeError,
    },
    /// A router chose a label or number that its route does not have.
    #[error("the router after `{node}` chose `{label}`; its route has {}", list(.known))]
    UnknownLabel {
        /// The node, or START.
        node: String,
        /// What was chosen.
        label: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A channel that takes one value a step was written more often, or overwritten twice.
    #[error("channel `{channel}` takes one write a step and was written by {}; give it a reducer or order the nodes", list(.nodes))]
    Conflict {
        /// The channel.
        channel: String,
        /// The writers, in merge order; START for input.
        nodes: Vec<String>,
    },
    /// The run is longer than the limit.
    #[error("no end after {limit} steps, {} would run next; break the cycle or raise `Limits::recursion`", list(.pending))]
    RecursionLimit {
        /// The limit.
        limit: u32,
        /// The frontier at that point.
        pending: Vec<String>,
    },
    /// The breakpoint was reached together with other nodes.
    #[error("the run cannot stop at `{node}`: {} would run beside it", list(.others))]
    BreakpointShared {
        /// The breakpoint.
        node: String,
        /// The other nodes of the frontier.
        others: Vec<String>,
    },
    /// The run ended without reaching the breakpoint.
    #[error(
        "the run ended without passing the breakpoint `{node}`; declare it with `breakpoint` to be told at compile"
    )]
    BreakpointMissed {
        /// The breakpoint.
        node: String,
    },
    /// The breakpoint is START, END, removed or of another graph.
    #[error("node #{index} is not in the compiled graph; only enabled nodes can be breakpoints")]
    NoSuchBreakpoint {
        /// The number inside the handle.
        index: u16,
    },
    /// The pause was made by a graph of another shape.
    #[error("this pause was made by another graph; resume it on the one that made it")]
    ForeignPause,
}

/// Why a saved state was not loaded. The graph may be half loaded: load another state or drop it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The frame around channels and nodes does not decode.
    #[error("the saved graph does not decode: {0}")]
    Frame(#[from] DecodeError),
    /// The state is of a graph with other channels or nodes.
    #[error("the saved graph has `{found}` where this graph has `{expected}`; load it into the graph that saved it")]
    OtherGraph {
        /// Name in the bytes.
        found: String,
        /// Name in this graph.
        expected: String,
    },
    /// A channel's value does not decode.
    #[error("channel `{channel}`: {source}")]
    Channel {
        /// The channel.
        channel: String,
        /// Why.
        source: DecodeError,
    },
    /// A node's state does not decode.
    #[error("node `{node}`: {source}")]
    Node {
        /// The node.
        node: String,
        /// Why.
        source: DecodeError,
    },
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    quoted.join(", ")
}

fn arrows(steps: &[Vec<String>]) -> String {
    let shown: Vec<String> = steps.iter().map(|s| s.join(" + ")).collect();
    format!("START > {}", shown.join(" > "))
}
