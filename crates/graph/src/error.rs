//! What can go wrong: in a node, with a channel, at compile, in a run, at load. Each names the place and the remedy.

use crate::exec::task::ParentCommand;
use crate::interrupt::InterruptId;
use crate::saver::{CheckpointId, SaverError};
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
    /// The node waits for an answer. Pass it on: the run stops after this step.
    #[error("the node waits for an answer; run the graph on a thread with a saver to be able to give it")]
    Interrupted,
    /// The node wants something done in the graph around its own.
    #[error("the node commands the graph around its own, and there is none")]
    ToParent(ParentCommand),
    /// The node used what a plain run does not have.
    #[error("`{call}` needs its declaration: add `{declare}` to the node or the graph")]
    Plain {
        /// What was called.
        call: &'static str,
        /// What is missing.
        declare: &'static str,
    },
    /// There is no packet, or one of another type.
    #[error("this run has no packet of that type; ask `has_arg` first, or send the type that the node `takes`")]
    NoArgument,
    /// The node or router chose a target that it does not declare.
    #[error("`{target}` is not among the declared targets; add it to `{how}`")]
    UndeclaredTarget {
        /// The target.
        target: String,
        /// Where it is declared.
        how: &'static str,
    },
    /// The target is not in this graph.
    #[error("node #{index} is not in this graph; use the handles its own builder returned")]
    UnknownTarget {
        /// The number inside the handle.
        index: u16,
    },
    /// The target takes packets of another type, or none.
    #[error("`{target}` does not take packets of type {sent}; declare it with `takes`")]
    WrongPacket {
        /// The target.
        target: String,
        /// The type that was sent.
        sent: &'static str,
    },
    /// A router chose a label or number that its route does not have.
    #[error("the router chose `{label}`; its route has {}", list(.known))]
    UnknownLabel {
        /// What was chosen.
        label: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The router failed, not the node.
    #[error("its router: {0}")]
    InRouter(Box<NodeError>),
    /// The attempt took longer than the node's deadline.
    #[error("not done within {deadline_ns} ns; raise the deadline, or give the node a fallback")]
    Late {
        /// The deadline.
        deadline_ns: u64,
    },
    /// The node panicked.
    #[error("panicked: {message}; the node does not run again before it is restored")]
    Panicked {
        /// The panic's text.
        message: String,
    },
    /// The node stopped half-way before, and holds a state that nobody knows.
    #[error("out of service since it stopped half-way; load a saved state or call `restore_node`")]
    OutOfService,
    /// The node stood back, because others are worth more in the time that is left.
    #[error("stood back for nodes that are worth more in the time that is left")]
    Yielded,
    /// The effect is not declared.
    #[error("effect `{effect}` is not declared; add it with `GraphBuilder::effect`")]
    UnknownEffect {
        /// The effect.
        effect: String,
    },
    /// A replay made a request that was not made when it was recorded.
    #[error("a request to `{effect}` is not in the journal at this place: the replay has left the recorded path")]
    NotRecorded {
        /// The effect.
        effect: String,
    },
}

impl From<ParentCommand> for NodeError {
    fn from(command: ParentCommand) -> Self {
        NodeError::ToParent(command)
    }
}

impl NodeError {
    /// Wraps a node's own error.
    pub fn failed(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        NodeError::Failed(cause.into())
    }

    /// The error of a run that this ended.
    pub(crate) fn at(self, node: String) -> RunError {
        match self {
            NodeError::UnknownLabel { label, known } => RunError::UnknownLabel { node, label, known },
            NodeError::InRouter(source) => RunError::Router { node, source: *source },
            NodeError::ToParent(command) => RunError::ToParent(command),
            source => RunError::Node { node, source },
        }
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
    /// The channel has fewer rows.
    #[error("channel `{channel}` has no row {row}")]
    NoSuchRow {
        /// The channel.
        channel: String,
        /// The row.
        row: usize,
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
    /// A node sends packets to one that takes none.
    #[error("`{node}` sends packets to `{target}`, which takes none; declare their type with `takes`")]
    TakesNothing {
        /// The sender.
        node: String,
        /// The target.
        target: String,
    },
    /// A `once` node that takes packets.
    #[error("`{node}` is `once` and takes packets, of which there may be many in a run; remove one of the two")]
    OncePacket {
        /// The node.
        node: String,
    },
    /// A node that may only fail closed has a fallback.
    #[error("`{node}` must fail closed and has a fallback or an error handler; remove it")]
    MustFailClosed {
        /// The node.
        node: String,
    },
    /// A node that may stand back has nothing in its place.
    #[error("`{node}` bids for time and has no fallback for when it stands back; give it one")]
    BidWithoutFallback {
        /// The node.
        node: String,
    },
    /// A retry policy without attempts.
    #[error("`{node}` has a retry policy of {attempts} attempts; allow at least one")]
    NoAttempt {
        /// The node.
        node: String,
        /// The attempts.
        attempts: u32,
    },
    /// What a cached or last good output is made of or keyed by cannot be stored.
    #[error(
        "the output of `{node}` is to be used again, but channel `{channel}` has no encoding; declare it `saved`, or declare what the node reads and writes"
    )]
    NotStorable {
        /// The node.
        node: String,
        /// The channel.
        channel: String,
    },
    /// A subgraph and its parent have a channel of one name and different types.
    #[error(
        "channel `{channel}` of `{node}` and of the graph around it cannot be shared; give both one type, or `shared_as`, or rename one"
    )]
    NotShared {
        /// The subgraph's node.
        node: String,
        /// The channel.
        channel: String,
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
    /// A subgraph's node wants something done in the graph around it.
    #[error("a node commands the graph around its own, and there is none; run the graph as a subgraph")]
    ToParent(ParentCommand),
    /// A node asks a question and nobody can answer.
    #[error("`{node}` asks a question; run the graph on a thread with a saver to be able to answer")]
    Unanswerable {
        /// The node.
        node: String,
    },
    /// Threads need a saver.
    #[error("the graph has no saver; attach one to answer, go on, look back or change the state")]
    NoSaver,
    /// The saver failed.
    #[error(transparent)]
    Saver(#[from] SaverError),
    /// A checkpoint does not load into this graph.
    #[error("checkpoint {id} does not load: {source}")]
    BadCheckpoint {
        /// Its id.
        id: CheckpointId,
        /// Why.
        source: LoadError,
    },
    /// There is no such checkpoint.
    #[error("thread `{thread}` has no such checkpoint")]
    NoCheckpoint {
        /// The thread.
        thread: String,
    },
    /// There is no such subgraph.
    #[error("no subgraph has the namespace `{ns}`; subgraphs there are: {}", .known.join(", "))]
    NoSubgraph {
        /// The namespace.
        ns: String,
        /// The subgraphs of the graph in which the search ended.
        known: Vec<String>,
    },
    /// Several questions wait and the answer does not say for which it is.
    #[error("several questions wait; answer by id: {}", ids(.waiting))]
    Ambiguous {
        /// The ids.
        waiting: Vec<InterruptId>,
    },
    /// No such question waits.
    #[error("question {id} does not wait; waiting are: {}", ids(.waiting))]
    NoSuchQuestion {
        /// The id.
        id: InterruptId,
        /// What waits.
        waiting: Vec<InterruptId>,
    },
    /// Nothing waits for the answer.
    #[error("no question waits for an answer")]
    NothingAsked,
    /// An update does not say as which node, and several wrote last.
    #[error("several nodes ran last; say as which node the state is updated")]
    AmbiguousUpdate,
    /// An update of nothing.
    #[error("the update has no steps, or a step without a node")]
    EmptyUpdate,
    /// A channel could not be written.
    #[error(transparent)]
    Channel(#[from] ChannelError),
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
    /// The position in the graph is one of a graph of another shape.
    #[error("the checkpoint is of a graph with other nodes, edges or routes; run it on the one that made it")]
    OtherShape,
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

fn ids(waiting: &[InterruptId]) -> String {
    let shown: Vec<String> = waiting.iter().map(InterruptId::to_string).collect();
    shown.join(", ")
}

fn arrows(steps: &[Vec<String>]) -> String {
    let shown: Vec<String> = steps.iter().map(|s| s.join(" + ")).collect();
    format!("START > {}", shown.join(" > "))
}
