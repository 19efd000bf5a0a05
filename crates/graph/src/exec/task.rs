//! One run of a node in one step, with everything it asked for beyond writing channels; and what all tasks share.

use crate::clock::Clock;
use crate::compile::Plan;
use crate::dynamic::Value;
use crate::effect::{Effects, Request, RequestId};
use crate::error::NodeError;
use crate::interrupt::{Ask, InterruptId, Loose};
use crate::io::Parcel;
use crate::packet::{Arg, Packet};
use crate::saver::{CheckpointId, Link};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tradegraph_columns::RollingHash;

/// Why an error handler runs.
#[derive(Debug)]
pub struct TaskError {
    /// The node that failed.
    pub node: String,
    /// Its reason after the last attempt.
    pub error: NodeError,
}

/// What the tasks of a run share and do not change.
pub(crate) struct Env {
    pub(crate) clock: Arc<dyn Clock>,
    /// The clock when the run began.
    pub(crate) now_ns: u64,
    pub(crate) effects: Effects,
    /// Answers that this run brought.
    pub(crate) given: Vec<(InterruptId, Value)>,
    /// Of an answer that may have lost its question.
    pub(crate) loose: Option<Loose>,
    /// Names what runs: a thread's checkpoint, or the number of the run.
    pub(crate) seed: u64,
    /// Runs so far.
    pub(crate) cycle: u64,
    pub(crate) step: i64,
    pub(crate) link: Option<Link>,
    /// The checkpoint that the step begins with.
    pub(crate) checkpoint: Option<CheckpointId>,
    /// The first step of a run that goes on from a checkpoint.
    pub(crate) resuming: bool,
    pub(crate) drain: Arc<AtomicBool>,
    /// Late attempts are those that a record says were late.
    pub(crate) replays: bool,
}

/// How a task ended.
#[derive(Debug, Default)]
pub(crate) enum Status {
    #[default]
    Waiting,
    Done,
    Asked,
    Up(ParentCommand),
    Failed(NodeError),
}

/// LangGraph's `Command(graph=Command.PARENT)`: what a node of a subgraph wants done in the graph around it. Given back
/// as an error (`Err(command.into())`), because it ends the subgraph, whose own unfinished writes are dropped.
#[derive(Default)]
pub struct ParentCommand {
    pub(crate) parcels: Vec<Parcel>,
    pub(crate) gotos: Vec<crate::node::NodeId>,
}

impl ParentCommand {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A write to a channel of the parent, by the parent's handle.
    #[must_use]
    pub fn write<T, U: Send + Sync + 'static>(mut self, chan: crate::Chan<T, U>, update: U) -> Self {
        let what = crate::io::What::Update;
        self.parcels.push(Parcel { chan: chan.id().0, what, load: Box::new(Some(update)) });
        self
    }

    /// A node of the parent to go to; the subgraph's node must declare it with `goes_to`.
    #[must_use]
    pub fn goto(mut self, target: crate::node::NodeId) -> Self {
        self.gotos.push(target);
        self
    }
}

impl std::fmt::Debug for ParentCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ParentCommand({} writes, goto {:?})", self.parcels.len(), self.gotos)
    }
}

#[derive(Default)]
pub(crate) struct Task {
    pub(crate) id: u64,
    /// The node that was led to.
    pub(crate) rank: u16,
    /// The node whose edges are followed: the same, or its error handler.
    pub(crate) acting: u16,
    /// The place among the step's packets.
    pub(crate) index: Option<u32>,
    pub(crate) arg: Option<Arc<dyn Arg>>,
    pub(crate) known: Vec<(InterruptId, Value)>,
    pub(crate) loose: Option<Loose>,
    pub(crate) asked: u32,
    pub(crate) asks: Vec<Ask>,
    pub(crate) gotos: Vec<u16>,
    pub(crate) sends: Vec<Packet>,
    pub(crate) customs: Vec<Value>,
    pub(crate) requests: Vec<Request>,
    pub(crate) parcels: Vec<Parcel>,
    pub(crate) error: Option<Arc<TaskError>>,
    pub(crate) attempt: u32,
    pub(crate) charged: u64,
    pub(crate) started_ns: u64,
    pub(crate) deadline_ns: Option<u64>,
    /// Attempts that were late, and of a replay those that a record says were.
    pub(crate) late: u32,
    pub(crate) late_before: u32,
    /// Whether `over_budget` said yes, so that the node may have stopped half-way.
    pub(crate) stopped: std::sync::atomic::AtomicBool,
    /// It panicked, or stopped at its deadline.
    pub(crate) half_way: bool,
    pub(crate) status: Status,
    /// The output is not of this run: from a cache, or from a step that stopped half-way.
    pub(crate) cached: bool,
    pub(crate) reused: bool,
    /// A verdict chose another output.
    pub(crate) replaced: bool,
}

impl Task {
    pub(crate) fn prepare(&mut self, id: u64, rank: u16, index: Option<u32>, arg: Option<Arc<dyn Arg>>) {
        self.clear_attempt();
        (self.id, self.rank, self.acting, self.index, self.arg) = (id, rank, rank, index, arg);
        self.known.clear();
        self.loose = None;
        self.error = None;
        (self.attempt, self.late, self.late_before, self.deadline_ns) = (0, 0, 0, None);
        self.status = Status::Waiting;
        (self.cached, self.reused, self.replaced, self.half_way) = (false, false, false, false);
    }

    /// Forgets what an attempt asked for.
    pub(crate) fn clear_attempt(&mut self) {
        self.asked = 0;
        self.asks.clear();
        self.gotos.clear();
        self.sends.clear();
        self.customs.clear();
        self.requests.clear();
        self.parcels.clear();
        self.charged = 0;
        *self.stopped.get_mut() = false;
    }

    pub(crate) fn elapsed_ns(&self, env: &Env) -> u64 {
        if env.clock.counts_work() { self.charged } else { env.clock.now_ns().saturating_sub(self.started_ns) }
    }

    /// For the node's own loop: past the deadline. The answer is remembered, because the node then stops half-way.
    pub(crate) fn is_late(&self, env: &Env) -> bool {
        let late = !env.replays && self.deadline_ns.is_some_and(|d| self.elapsed_ns(env) > d);
        if late {
            self.stopped.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        late
    }

    pub(crate) fn request(&mut self, effect: &str, value: Value, plan: &Plan) -> RequestId {
        let mut hash = RollingHash::new(self.id);
        hash.bytes(effect.as_bytes());
        hash.word(self.requests.len() as u64);
        let (id, node) = (RequestId(hash.value()), plan.name_of(u32::from(self.rank)));
        self.requests.push(Request { id, effect: effect.to_owned(), node, value });
        id
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.status, Status::Done)
    }
}
