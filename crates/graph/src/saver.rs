//! Where checkpoints go: the trait that a store implements, and a store in memory.
//!
//! A checkpoint is a small body (what would run next), the versions of all saved channels, and the bytes of those
//! channels that changed since the checkpoint before; a channel that did not change is not written again. A saver keeps
//! three things: checkpoints by (thread, namespace, id), channel bytes by (thread, namespace, channel, version), and
//! the writes of tasks that finished or asked in a step that did not, by (…, id, task, index). [`check_saver`] tests
//! any implementation.

mod conformance;
mod memory;

pub use conformance::check_saver;
pub use memory::MemorySaver;

use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tradegraph_columns::RollingHash;

/// The name of a checkpoint. Ids of a thread, its subgraphs included, are in the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckpointId {
    /// The number in the thread, from 1; also the version of what was written with this checkpoint.
    pub seq: u64,
    /// Of the thread, the namespace, the parent and the step: the same in every run that does the same.
    pub hash: u64,
}

impl fmt::Display for CheckpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{:016x}", self.seq, self.hash)
    }
}

/// Why there is a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Input came in.
    Input,
    /// A step ended.
    Loop,
    /// The state was changed from outside.
    Update,
    /// An old checkpoint is gone on from.
    Fork,
}

impl Source {
    /// LangGraph's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Source::Input => "input",
            Source::Loop => "loop",
            Source::Update => "update",
            Source::Fork => "fork",
        }
    }

    /// The source of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Source::Input, Source::Loop, Source::Update, Source::Fork].into_iter().find(|s| s.name() == name)
    }
}

/// Whose checkpoints: a thread, and in it the graph (empty) or one of its subgraphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The thread.
    pub thread: &'a str,
    /// The namespace.
    pub ns: &'a str,
}

/// A checkpoint to be put.
#[derive(Clone, Debug)]
pub struct NewCheckpoint<'a> {
    /// Its id.
    pub id: CheckpointId,
    /// The checkpoint it came from.
    pub parent: Option<CheckpointId>,
    /// −1 for the first input, then one more for each checkpoint on its branch.
    pub step: i64,
    /// Why it was made.
    pub source: Source,
    /// What would run next; opaque to the saver.
    pub body: &'a [u8],
    pub(crate) names: &'a [String],
    pub(crate) versions: &'a [(u16, u64)],
    pub(crate) changed: &'a [(u16, Range<usize>)],
    pub(crate) blobs: &'a [u8],
    /// A hash of the names, so that a saver knows them again without comparing.
    pub(crate) layout: u64,
}

/// The hash of a graph's names.
pub(crate) fn layout_of(names: &[String]) -> u64 {
    let mut hash = RollingHash::new(names.len() as u64);
    names.iter().for_each(|name| hash.bytes(name.as_bytes()));
    hash.value()
}

impl<'a> NewCheckpoint<'a> {
    /// A checkpoint from its parts, for tests of savers. `versions` are places in `names` with versions; `changed` are
    /// places in `names` with ranges of `blobs`.
    #[must_use]
    pub fn new(
        (id, parent): (CheckpointId, Option<CheckpointId>),
        (step, source): (i64, Source),
        body: &'a [u8],
        (names, versions): (&'a [String], &'a [(u16, u64)]),
        (changed, blobs): (&'a [(u16, Range<usize>)], &'a [u8]),
    ) -> Self {
        let layout = layout_of(names);
        NewCheckpoint { id, parent, step, source, body, names, versions, changed, blobs, layout }
    }

    /// The channels that have a value, with the version that this checkpoint has of each.
    pub fn versions(&self) -> impl Iterator<Item = (&'a str, u64)> + '_ {
        self.versions.iter().filter_map(|(at, version)| Some((self.names.get(usize::from(*at))?.as_str(), *version)))
    }

    /// The channels that changed, with their bytes; their version is `id.seq`.
    pub fn changed(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + '_ {
        let one = |(at, range): &(u16, Range<usize>)| {
            Some((self.names.get(usize::from(*at))?.as_str(), self.blobs.get(range.clone())?))
        };
        self.changed.iter().filter_map(one)
    }
}

/// Something of a task in a step that did not end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskWrite {
    /// The task.
    pub task: u64,
    /// The place among the task's writes. A write of the same task and place replaces.
    pub index: u32,
    /// Opaque to the saver.
    pub bytes: Vec<u8>,
}

/// A checkpoint as it was put, with all its channels and the writes of its tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its id.
    pub id: CheckpointId,
    /// The checkpoint it came from.
    pub parent: Option<CheckpointId>,
    /// As in [`NewCheckpoint`].
    pub step: i64,
    /// Why it was made.
    pub source: Source,
    /// As in [`NewCheckpoint`].
    pub body: Vec<u8>,
    /// Channel, version and bytes, in the order of `NewCheckpoint::versions`.
    pub values: Vec<(String, u64, Vec<u8>)>,
    /// By task and index.
    pub writes: Vec<TaskWrite>,
}

/// Which checkpoints to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Only those made before this one.
    pub before: Option<CheckpointId>,
    /// At most so many.
    pub limit: Option<usize>,
    /// Only of this source.
    pub source: Option<Source>,
    /// Only of this step.
    pub step: Option<i64>,
}

/// Why a saver did not do it.
#[derive(Debug, thiserror::Error)]
pub enum SaverError {
    /// The store's own reason.
    #[error("the saver failed: {0}")]
    Failed(Box<dyn Error + Send + Sync>),
    /// A channel's bytes are gone.
    #[error("version {version} of channel `{channel}` is not in the saver; its checkpoints cannot be loaded")]
    MissingBlob {
        /// The channel.
        channel: String,
        /// The version.
        version: u64,
    },
}

/// A store of checkpoints. Calls come from one run at a time; several runs may share a saver.
pub trait Saver: Send + Sync {
    /// Keeps a checkpoint. It need not be durable before [`Saver::flush`] returns.
    ///
    /// # Errors
    /// The store's.
    fn put(&self, place: Place<'_>, checkpoint: &NewCheckpoint<'_>) -> Result<(), SaverError>;

    /// Keeps writes of tasks of a checkpoint; of the same task and index the last counts.
    ///
    /// # Errors
    /// The store's.
    fn put_writes(&self, place: Place<'_>, id: CheckpointId, writes: &[TaskWrite]) -> Result<(), SaverError>;

    /// A checkpoint, or the newest.
    ///
    /// # Errors
    /// The store's.
    fn get(&self, place: Place<'_>, id: Option<CheckpointId>) -> Result<Option<Saved>, SaverError>;

    /// Checkpoints, newest first.
    ///
    /// # Errors
    /// The store's.
    fn list(&self, place: Place<'_>, query: Query) -> Result<Vec<Saved>, SaverError>;

    /// The highest `seq` of a thread over all its namespaces; 0 if it has none.
    ///
    /// # Errors
    /// The store's.
    fn newest_seq(&self, thread: &str) -> Result<u64, SaverError>;

    /// Forgets a thread.
    ///
    /// # Errors
    /// The store's.
    fn delete_thread(&self, thread: &str) -> Result<(), SaverError>;

    /// Returns when everything put so far is durable.
    ///
    /// # Errors
    /// The store's.
    fn flush(&self) -> Result<(), SaverError>;
}

/// When checkpoints are put and made durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Each is durable before the next step begins.
    Sync,
    /// Each is put after its step; the last call of a run makes all durable.
    #[default]
    Async,
    /// One, when the run ends, stops or fails.
    Exit,
}

/// A checkpoint with its namespace.
pub(crate) type Spot = (String, CheckpointId);

/// A graph's way to its saver in one run.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) saver: Arc<dyn Saver>,
    pub(crate) thread: String,
    pub(crate) ns: String,
    pub(crate) durability: Durability,
    /// The thread's last `seq`, shared with its subgraphs.
    pub(crate) seq: Arc<AtomicU64>,
    /// Of a replay: subgraphs load what they had before this `seq`, each when it is first met.
    pub(crate) before: Option<u64>,
    pub(crate) met: Arc<Mutex<Vec<String>>>,
    /// Subgraphs that begin again from a checkpoint of theirs.
    pub(crate) inside: Arc<Vec<Spot>>,
    /// Of a subgraph: the checkpoint at which the graph around it runs.
    pub(crate) outer: Option<Spot>,
}

impl Link {
    pub(crate) fn place(&self) -> Place<'_> {
        Place { thread: &self.thread, ns: &self.ns }
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.seq.fetch_add(1, Ordering::SeqCst) + 1
    }
}
