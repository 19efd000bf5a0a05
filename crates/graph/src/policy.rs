//! What happens around a node: retries, deadline, fallback, error handler, cache, priority, bid for time.

use crate::error::NodeError;
use crate::io::Reads;
use crate::node::{Node, NodeId};
use tradegraph_columns::RollingHash;

/// When and how often a failed node is tried again. The delay before attempt `n + 1` is
/// `min(initial × factor^(n − 1), max)`; jitter adds up to one second, drawn from the task's id and the attempt.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// The first delay, in nanoseconds.
    pub initial_ns: u64,
    /// By what each further delay is larger.
    pub factor: f64,
    /// The longest delay, in nanoseconds.
    pub max_ns: u64,
    /// Whether delays are spread.
    pub jitter: bool,
    /// Which errors are worth another attempt.
    pub retry_on: fn(&NodeError) -> bool,
}

impl Default for Retry {
    /// LangGraph's: three attempts, 0.5 s, twice as long each time, at most 128 s, with jitter. Every error is retried.
    fn default() -> Self {
        let (initial_ns, max_ns) = (500_000_000, 128_000_000_000);
        Retry { attempts: 3, initial_ns, factor: 2.0, max_ns, jitter: true, retry_on: |_| true }
    }
}

impl Retry {
    /// The delay after a failed attempt, counted from 1.
    pub(crate) fn delay_ns(&self, attempt: u32, task: u64) -> u64 {
        let mut delay = self.initial_ns as f64;
        for _ in 1..attempt {
            delay = (delay * self.factor).min(self.max_ns as f64);
        }
        let mut delay = (delay as u64).min(self.max_ns);
        if self.jitter {
            let mut hash = RollingHash::new(task);
            hash.word(u64::from(attempt));
            delay = delay.saturating_add(hash.value() % 1_000_000_000);
        }
        delay
    }
}

/// What stands in for the output of a node that was late, panicked or failed.
#[derive(Default)]
pub enum Fallback<C> {
    /// The run fails. What a node that may only fail closed has.
    #[default]
    Fail,
    /// Nothing: the node's edges are followed, its channels keep their values.
    Skip,
    /// What the node wrote when it last succeeded, if that is not older than so many runs of the graph; then as `Skip`.
    LastGood {
        /// Runs since then.
        max_age: u64,
    },
    /// Another node, run in the same step with the same input under the node's name.
    Node(Box<dyn Node<C>>),
}

impl<C> Fallback<C> {
    /// Another node as the fallback.
    pub fn node(node: impl Node<C> + 'static) -> Self {
        Fallback::Node(Box::new(node))
    }
}

/// A node's claim on the time of a cycle that is nearly over.
#[derive(Clone, Copy)]
pub struct Bid {
    /// What a run of the node is expected to be worth, in any unit common to the graph.
    pub value: fn(&Reads<'_>) -> f64,
    /// What a run of the node is expected to take, in nanoseconds.
    pub cost_ns: u64,
}

/// Finished outputs by the hash of what the node read.
#[derive(Clone, Copy, Debug, Default)]
pub struct CachePolicy {
    /// How long an output is used, in nanoseconds of the clock; none is for good.
    pub ttl_ns: Option<u64>,
    /// What the key is made of; none takes all saved channels that the node may read, and the argument of a `Send`.
    pub key: Option<fn(&Reads<'_>) -> u64>,
}

/// All of it, of one node.
pub(crate) struct Policy<C> {
    pub(crate) retry: Vec<Retry>,
    pub(crate) on_error: Option<NodeId>,
    pub(crate) deadline_ns: Option<u64>,
    pub(crate) fallback: Fallback<C>,
    pub(crate) fail_closed: bool,
    pub(crate) cache: Option<CachePolicy>,
    pub(crate) priority: i32,
    pub(crate) bid: Option<Bid>,
}

impl<C> Default for Policy<C> {
    fn default() -> Self {
        Policy {
            retry: Vec::new(),
            on_error: None,
            deadline_ns: None,
            fallback: Fallback::Fail,
            fail_closed: false,
            cache: None,
            priority: 0,
            bid: None,
        }
    }
}

impl<C> Policy<C> {
    /// Whether the node needs more than being run.
    pub(crate) fn is_plain(&self) -> bool {
        self.retry.is_empty()
            && self.on_error.is_none()
            && self.deadline_ns.is_none()
            && matches!(self.fallback, Fallback::Fail)
            && self.cache.is_none()
            && self.priority == 0
            && self.bid.is_none()
    }
}
