//! Looking at a thread and changing it: state, history, updates, copies.

use super::{At, Input, Pending, Write};
use crate::bits;
use crate::channel::Chan;
use crate::error::{ChannelError, RunError};
use crate::interrupt::Ask;
use crate::node::{END, NodeId, START};
use crate::run::{Compiled, INPUT};
use crate::saver::{CheckpointId, Query, Saved, Source};
use tradegraph_columns::codec::{DecodeError, Decoder};

/// A thread as it is or was.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The checkpoint.
    pub id: CheckpointId,
    /// The checkpoint it came from.
    pub parent: Option<CheckpointId>,
    /// −1 for the first input, then one more for each checkpoint on its branch.
    pub step: i64,
    /// Why it was made.
    pub source: Source,
    /// The nodes that would run next, in merge order; `START` before the input is taken up.
    pub next: Vec<String>,
    /// The questions that wait.
    pub asks: Vec<Ask>,
    /// The bytes of the saved channels, by name.
    pub values: Vec<(String, Vec<u8>)>,
}

/// A change of a thread's state, as if a node had written it.
pub struct Update<'a> {
    as_node: Option<NodeId>,
    write: Write<'a>,
}

impl<'a> Update<'a> {
    /// As if `node` had run and written this; after START its edges are followed, END drops what would run next.
    #[must_use]
    pub fn of(node: NodeId, write: impl FnOnce(&mut Input<'_>) -> Result<(), ChannelError> + 'a) -> Self {
        Update { as_node: Some(node), write: Box::new(write) }
    }

    /// As if the node that ran last had written this.
    #[must_use]
    pub fn of_last(write: impl FnOnce(&mut Input<'_>) -> Result<(), ChannelError> + 'a) -> Self {
        Update { as_node: None, write: Box::new(write) }
    }
}

impl<C> Compiled<C> {
    /// The state of a thread, with what tasks of an unfinished step have written; none before its first checkpoint.
    ///
    /// # Errors
    /// Without a saver, or the checkpoint does not load.
    pub fn state(&mut self, at: &At) -> Result<Option<Snapshot>, RunError> {
        if self.full.session.home.is_none() {
            return Err(RunError::NoSaver);
        }
        if self.open(at)? { self.current_snapshot() } else { Ok(None) }
    }

    /// Of the checkpoint that was opened.
    pub(super) fn current_snapshot(&mut self) -> Result<Option<Snapshot>, RunError> {
        self.apply_nulls()?;
        let done = self.finished_tasks();
        let next = done.iter().filter(|(_, record)| record.is_none()).map(|(name, _)| name.clone()).collect();
        for (writer, (_, record)) in (0_u32..).zip(&done) {
            if let Some(record) = record {
                self.load_record(writer, record).map_err(|source| self.bad(source))?;
            }
        }
        self.merge()?;
        let values = self.encoded_values();
        let session = &mut self.full.session;
        session.current = None;
        let Some(id) = session.saved else { return Ok(None) };
        let (parent, step, source, asks) = (session.parent, session.step, session.source, session.asks());
        Ok(Some(Snapshot { id, parent, step, source, next, asks, values }))
    }

    /// The checkpoints of a thread, newest first: values as of the start of each step, and all its tasks.
    ///
    /// # Errors
    /// Without a saver, or a checkpoint does not load.
    pub fn history(&mut self, at: &At, query: Query) -> Result<Vec<Snapshot>, RunError> {
        let Some((saver, _)) = self.full.session.home.clone() else { return Err(RunError::NoSaver) };
        self.open(&At::thread(&at.thread))?;
        self.full.session.current = None;
        let before = query.before.or(at.checkpoint);
        let place = crate::saver::Place { thread: &at.thread, ns: "" };
        let list = saver.list(place, Query { before, ..query })?;
        list.into_iter().map(|saved| self.snapshot_of(saved)).collect()
    }

    pub(super) fn snapshot_of(&mut self, saved: Saved) -> Result<Snapshot, RunError> {
        let bad = |source| RunError::BadCheckpoint { id: saved.id, source };
        if saved.writes.iter().any(|w| w.task == 0) {
            return self.changed_snapshot(saved);
        }
        self.load_position(&mut Decoder::new(&saved.body)).map_err(bad)?;
        let next = self.next_names();
        let mut asks = Vec::new();
        for write in saved.writes.iter().filter(|w| w.task != 0 && w.index == Pending::ASKED) {
            if let Pending::Asked { asks: more, .. } = Pending::decode(&write.bytes).map_err(|e| bad(e.into()))? {
                asks.extend(more);
            }
        }
        let channels = |name: &str| self.channels.entries.iter().any(|e| e.name == name);
        let values = saved.values.iter().filter(|(name, ..)| channels(name));
        let values = values.map(|(name, _, bytes)| (name.clone(), bytes.clone())).collect();
        let Saved { id, parent, step, source, .. } = saved;
        Ok(Snapshot { id, parent, step, source, next, asks, values })
    }

    /// The snapshot of a checkpoint beside which changes from outside were saved: they are part of its state.
    fn changed_snapshot(&mut self, saved: Saved) -> Result<Snapshot, RunError> {
        let Saved { id, parent, step, source, .. } = saved;
        self.apply_saved(saved).map_err(|source| RunError::BadCheckpoint { id, source })?;
        self.apply_nulls()?;
        let (next, asks, values) = (self.next_names(), self.full.session.asks(), self.encoded_values());
        Ok(Snapshot { id, parent, step, source, next, asks, values })
    }

    fn encoded_values(&self) -> Vec<(String, Vec<u8>)> {
        self.channels.encoded().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
    }

    /// A channel's value in a snapshot; none if it had none or is not saved.
    ///
    /// # Errors
    /// The bytes are of another type.
    pub fn value_in<T: 'static, U>(&self, snapshot: &Snapshot, chan: Chan<T, U>) -> Result<Option<T>, DecodeError> {
        let entry = self.channels.entries.get(usize::from(chan.id().0));
        let Some((entry, slot)) = entry.and_then(|e| Some((e, e.slot.as_ref()?))) else { return Ok(None) };
        let Some((_, bytes)) = snapshot.values.iter().find(|(name, _)| *name == entry.name) else { return Ok(None) };
        let value = slot.decode(&mut Decoder::new(bytes))?;
        Ok(value.and_then(|v| v.downcast::<T>().ok()).map(|v| *v))
    }

    /// Changes the state of a thread; the changed state is a new checkpoint, and old ones stay as they are.
    ///
    /// # Errors
    /// Without a saver; the node is not in the graph; it is not said as which node and several ran last.
    pub fn update_state(&mut self, at: &At, update: Update<'_>) -> Result<CheckpointId, RunError> {
        self.bulk_update(at, vec![vec![update]])
    }

    /// Several changes, each list as one step. With more than one in a step each must say as which node.
    ///
    /// # Errors
    /// As [`Compiled::update_state`].
    pub fn bulk_update(&mut self, at: &At, steps: Vec<Vec<Update<'_>>>) -> Result<CheckpointId, RunError> {
        if self.full.session.home.is_none() {
            return Err(RunError::NoSaver);
        }
        self.open(at)?;
        self.update_steps(steps)
    }

    /// Of the checkpoint that was opened.
    pub(super) fn update_steps(&mut self, steps: Vec<Vec<Update<'_>>>) -> Result<CheckpointId, RunError> {
        if steps.is_empty() || steps.iter().any(Vec::is_empty) {
            return Err(RunError::EmptyUpdate);
        }
        for step in steps {
            let done = self.update_step(step);
            if done.is_err() {
                self.channels.discard();
                self.full.session.current = None;
            }
            done?;
        }
        self.full.session.start_live = false;
        self.close()?;
        self.full.session.saved.ok_or(RunError::EmptyUpdate)
    }

    fn update_step(&mut self, step: Vec<Update<'_>>) -> Result<(), RunError> {
        let session = &mut self.full.session;
        session.pending.clear();
        session.nulls.clear();
        session.step = session.step.max(-1);
        let single = step.len() == 1;
        let mut ranks = Vec::new();
        for (writer, update) in (0_u32..).zip(step) {
            let as_node = match update.as_node {
                Some(node) => node,
                None if single => self.wrote_last()?,
                None => return Err(RunError::AmbiguousUpdate),
            };
            match as_node {
                START if single => {
                    self.channels.discard();
                    (update.write)(&mut Input { channels: &mut self.channels, writer: INPUT })?;
                    self.full.session.start = false;
                    self.name_tasks();
                    self.start_step()?;
                    return self.put(Source::Update);
                }
                END if single => {
                    bits::clear(&mut self.frontier);
                    self.full.clear_position();
                    self.full.session.start = false;
                    return self.put(Source::Update);
                }
                START | END => return Err(RunError::AmbiguousUpdate),
                _ => {}
            }
            ranks.push(self.rank_or_stray(as_node)?);
            (update.write)(&mut Input { channels: &mut self.channels, writer })?;
        }
        self.full.session.start = false;
        self.name_tasks();
        self.act_as(&ranks)?;
        self.put(Source::Update)
    }

    /// The same state as a new checkpoint with the same parent, from which another branch can go.
    ///
    /// # Errors
    /// Without a saver or a checkpoint.
    pub fn copy_checkpoint(&mut self, at: &At) -> Result<CheckpointId, RunError> {
        if self.full.session.home.is_none() {
            return Err(RunError::NoSaver);
        }
        if !self.open(at)? {
            return Err(RunError::NoCheckpoint { thread: at.thread.clone() });
        }
        self.copy_opened()
    }

    pub(super) fn copy_opened(&mut self) -> Result<CheckpointId, RunError> {
        self.full.session.pending.clear();
        self.full.session.saved = self.full.session.parent;
        self.put(Source::Fork)?;
        self.close()?;
        self.full.session.saved.ok_or(RunError::EmptyUpdate)
    }

    /// START if nothing ran yet.
    fn wrote_last(&self) -> Result<NodeId, RunError> {
        let last = &self.full.last;
        match (bits::count(last), bits::members(last).next()) {
            (0, _) => Ok(START),
            (1, Some(rank)) => {
                let index = self.plan.rank_of.iter().position(|r| *r == Some(rank));
                index.map(|i| NodeId(i as u16)).ok_or(RunError::AmbiguousUpdate)
            }
            _ => Err(RunError::AmbiguousUpdate),
        }
    }

    fn next_names(&self) -> Vec<String> {
        if self.full.session.start {
            return vec!["START".to_owned()];
        }
        let packets = self.full.sends.iter().map(|p| self.plan.name_of(u32::from(p.to)));
        self.plan.names(&self.frontier).into_iter().chain(packets).collect()
    }

    /// The tasks of the step that is next, with the records of those that are finished.
    fn finished_tasks(&mut self) -> Vec<(String, Option<std::sync::Arc<Vec<u8>>>)> {
        if self.full.session.start {
            return vec![("START".to_owned(), None)];
        }
        self.name_tasks();
        self.list_tasks();
        let full = &self.full;
        let one = |task: &crate::exec::task::Task| {
            let record = match full.session.pending.get(&task.id) {
                Some(Pending::Done(record)) => Some(record.clone()),
                _ => None,
            };
            (self.plan.name_of(u32::from(task.rank)), record)
        };
        full.tasks.iter().take(full.n_tasks).map(one).collect()
    }

    fn bad(&self, source: DecodeError) -> RunError {
        let id = self.full.session.saved.unwrap_or(CheckpointId { seq: 0, hash: 0 });
        RunError::BadCheckpoint { id, source: source.into() }
    }
}
