//! The thread that a graph's channels are of: opening, putting checkpoints, closing.

use super::At;
use super::position::outer_of;
use crate::bits;
use crate::compile::Plan;
use crate::dynamic::Value;
use crate::error::{LoadError, RunError};
use crate::interrupt::{Ask, InterruptId, load_answers, save_answers};
use crate::io::Channels;
use crate::run::{Compiled, INPUT};
use crate::saver::{CheckpointId, Durability, Link, NewCheckpoint, Place, Saved, Saver, Source, Spot, TaskWrite};
use crate::stream::Event;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tradegraph_columns::RollingHash;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// The task of changes that come from outside.
const NULL_TASK: u64 = 0;

/// What is left of a task of a step that did not end.
pub(crate) enum Pending {
    Done(Arc<Vec<u8>>),
    Asked { answers: Vec<(InterruptId, Value)>, asks: Vec<Ask> },
}

impl Pending {
    /// Places among a task's writes: a question stays on record when its task has finished.
    pub(super) const ASKED: u32 = 0;
    const DONE: u32 = 1;

    fn index(&self) -> u32 {
        if matches!(self, Pending::Done(_)) { Self::DONE } else { Self::ASKED }
    }

    fn encode(&self) -> Vec<u8> {
        let mut to = Encoder::new();
        match self {
            Pending::Done(record) => {
                to.u8(0);
                to.bytes(record);
            }
            Pending::Asked { answers, asks } => {
                to.u8(1);
                save_answers(answers, &mut to);
                to.len(asks.len());
                asks.iter().for_each(|ask| ask.save(&mut to));
            }
        }
        to.into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Decoder::new(bytes);
        let pending = match from.u8("task")? {
            0 => Pending::Done(Arc::new(from.bytes("record")?.to_vec())),
            1 => {
                let answers = load_answers(&mut from)?;
                let n = from.len("questions")?;
                Pending::Asked { answers, asks: (0..n).map(|_| Ask::load(&mut from)).collect::<Result<_, _>>()? }
            }
            found => return Err(DecodeError::Invalid { what: "task", at: 0, found: u64::from(found) }),
        };
        from.finish()?;
        Ok(pending)
    }
}

pub(crate) struct Session {
    pub(crate) home: Option<(Arc<dyn Saver>, Durability)>,
    /// Thread, namespace and newest `seq` that the channels are of; none if they may be of anything.
    pub(crate) current: Option<(String, String, u64)>,
    /// The checkpoint that tasks are named by, the last that was put, and its parent.
    pub(crate) id: Option<CheckpointId>,
    pub(crate) saved: Option<CheckpointId>,
    pub(crate) parent: Option<CheckpointId>,
    /// Of a subgraph: the checkpoint of the graph around it when the opened one was made.
    pub(crate) outer: Option<Spot>,
    pub(crate) step: i64,
    pub(crate) source: Source,
    /// START's step is next; its input is in the channels' buffers or in the record.
    pub(crate) start: bool,
    pub(crate) start_live: bool,
    pub(crate) start_record: Option<Vec<u8>>,
    pub(crate) pending: BTreeMap<u64, Pending>,
    /// Tasks whose pending entry is not saved yet.
    pub(crate) unsaved: Vec<u64>,
    /// Changes from outside that belong to the step that did not end.
    pub(crate) nulls: Vec<Vec<u8>>,
    pub(crate) worked_ns: u64,
    owed: bool,
    /// The channels are of a checkpoint that is not the newest.
    old: bool,
    /// Channels, then nodes.
    names: Vec<String>,
    layout: u64,
    versions: Vec<u64>,
    /// Nodes that ran since the last checkpoint.
    pub(crate) ran: Vec<u64>,
    body: Encoder,
    blobs: Encoder,
    changed: Vec<(u16, Range<usize>)>,
    listed: Vec<(u16, u64)>,
}

impl Default for Session {
    fn default() -> Self {
        Session {
            home: None,
            current: None,
            id: None,
            saved: None,
            parent: None,
            outer: None,
            step: -2,
            source: Source::Input,
            start: false,
            start_live: false,
            start_record: None,
            pending: BTreeMap::new(),
            unsaved: Vec::new(),
            nulls: Vec::new(),
            worked_ns: 0,
            owed: false,
            old: false,
            names: Vec::new(),
            layout: 0,
            versions: Vec::new(),
            ran: Vec::new(),
            body: Encoder::new(),
            blobs: Encoder::new(),
            changed: Vec::new(),
            listed: Vec::new(),
        }
    }
}

impl Session {
    pub(crate) fn name_everything(&mut self, channels: &Channels, plan: &Plan) {
        let channels = channels.entries.iter().map(|e| e.name.clone());
        // A channel cannot have such a name: `check_names` keeps `:` for this.
        self.names = channels.chain(plan.nodes.iter().map(|n| format!("node:{}", n.name))).collect();
        self.layout = crate::saver::layout_of(&self.names);
        self.versions = vec![0; self.names.len()];
        self.ran = vec![0; plan.words()];
    }

    pub(crate) fn asks(&self) -> Vec<Ask> {
        let asks =
            self.pending.values().filter_map(|p| if let Pending::Asked { asks, .. } = p { Some(asks) } else { None });
        asks.flatten().cloned().collect()
    }

    pub(crate) fn waiting(&self) -> Vec<InterruptId> {
        self.asks().into_iter().map(|ask| ask.id).collect()
    }

    /// Before a replay: tasks run again; `all` forgets answers too.
    pub(crate) fn forget_finished(&mut self, all: bool) {
        self.pending.retain(|_, p| !all && matches!(p, Pending::Asked { .. }));
    }

    fn begin_fresh(&mut self) {
        (self.id, self.saved, self.parent, self.outer) = (None, None, None, None);
        (self.step, self.source) = (-2, Source::Input);
        (self.start, self.start_live, self.start_record) = (false, false, None);
        self.pending.clear();
        self.unsaved.clear();
        self.nulls.clear();
        self.owed = false;
        self.versions.fill(0);
    }
}

impl<C> Compiled<C> {
    /// Brings a thread into the channels. False if it has no checkpoint.
    pub(crate) fn open(&mut self, at: &At) -> Result<bool, RunError> {
        self.mend();
        let at = &*self.settle(at)?;
        let full = &mut *self.full;
        full.env.resuming = false;
        full.env.given.clear();
        full.env.loose = None;
        full.session.worked_ns = 0;
        let Some((saver, durability)) = &full.session.home else {
            full.env.link = None;
            self.open_fresh();
            return Ok(false);
        };
        let newest = saver.newest_seq(&at.thread)?;
        match &mut full.env.link {
            Some(link) if link.thread == at.thread && link.ns.is_empty() => {
                link.durability = *durability;
                link.seq.store(newest, Ordering::SeqCst);
                link.before = None;
                if !(link.inside.is_empty() && at.inside.is_empty()) {
                    link.inside = Arc::new(at.inside.clone());
                }
            }
            link => {
                *link = Some(Link {
                    saver: saver.clone(),
                    thread: at.thread.clone(),
                    ns: String::new(),
                    durability: *durability,
                    seq: Arc::new(AtomicU64::new(newest)),
                    before: None,
                    met: Arc::new(Mutex::new(Vec::new())),
                    inside: Arc::new(at.inside.clone()),
                    outer: None,
                });
            }
        }
        if let Some(link) = &full.env.link
            && let Ok(mut met) = link.met.lock()
        {
            met.clear();
        }
        let current = full.session.current.as_ref();
        let is_current = current.is_some_and(|(t, ns, seq)| *t == at.thread && ns.is_empty() && *seq == newest);
        if is_current && at.checkpoint.is_none() {
            return Ok(full.session.saved.is_some());
        }
        let found = self.load_checkpoint(at.checkpoint)?;
        self.full.session.old = at.checkpoint.is_some();
        if !found && at.checkpoint.is_some() {
            return Err(RunError::NoCheckpoint { thread: at.thread.clone() });
        }
        Ok(found)
    }

    /// Loads a checkpoint of the link's place, or begins fresh if there is none.
    pub(crate) fn load_checkpoint(&mut self, id: Option<CheckpointId>) -> Result<bool, RunError> {
        let Some(link) = self.full.env.link.clone() else { return Ok(false) };
        match link.saver.get(link.place(), id)? {
            Some(saved) => {
                let id = saved.id;
                self.apply_saved(saved).map_err(|source| RunError::BadCheckpoint { id, source })?;
                Ok(true)
            }
            None => {
                self.open_fresh();
                Ok(false)
            }
        }
    }

    pub(crate) fn open_fresh(&mut self) {
        self.channels.discard();
        self.channels.reset(|_| true);
        self.channels.tracks = true;
        bits::clear(&mut self.frontier);
        self.arrived.fill(0);
        self.full.clear_position();
        self.full.session.begin_fresh();
        self.full.session.current = None;
    }

    pub(crate) fn apply_saved(&mut self, saved: Saved) -> Result<(), LoadError> {
        self.open_fresh();
        self.load_position(&mut Decoder::new(&saved.body))?;
        let n = self.channels.entries.len();
        let session = &mut self.full.session;
        (session.id, session.saved, session.parent) = (Some(saved.id), Some(saved.id), saved.parent);
        (session.step, session.source) = (saved.step, saved.source);
        for (name, version, bytes) in &saved.values {
            // A channel that the graph no longer has is left out.
            let Some(at) = session.names.iter().position(|n| n == name) else { continue };
            if let Some(v) = session.versions.get_mut(at) {
                *v = *version;
            }
            let mut part = Decoder::new(bytes);
            if at < n {
                let slot = self.channels.entries.get_mut(at).and_then(|e| e.slot.as_mut()).filter(|s| s.is_saved());
                let Some(slot) = slot else { continue };
                let loaded = slot.load(&mut part).and_then(|()| part.finish());
                loaded.map_err(|source| LoadError::Channel { channel: name.clone(), source })?;
            } else if let Some(node) = self.nodes.get_mut(at - n) {
                let loaded = node.load(&mut part).and_then(|()| part.finish());
                loaded.map_err(|source| LoadError::Node { node: name.clone(), source })?;
            }
        }
        for write in saved.writes {
            if write.task == NULL_TASK {
                session.nulls.push(write.bytes);
            } else {
                session.pending.insert(write.task, Pending::decode(&write.bytes)?);
            }
        }
        bits::clear(&mut self.channels.dirty);
        bits::clear(&mut session.ran);
        Ok(())
    }

    /// Finds the checkpoints around that of a namespace.
    pub(crate) fn settle<'a>(&self, at: &'a At) -> Result<Cow<'a, At>, RunError> {
        let Some((saver, _)) = self.full.session.home.as_ref().filter(|_| at.within.is_some()) else {
            return Ok(Cow::Borrowed(at));
        };
        let mut at = at.clone();
        while let Some((ns, id)) = at.within.take() {
            let missing = || RunError::NoCheckpoint { thread: at.thread.clone() };
            let saved = saver.get(Place { thread: &at.thread, ns: &ns }, Some(id))?.ok_or_else(missing)?;
            let outer = outer_of(&saved.body).map_err(|e| RunError::BadCheckpoint { id, source: e.into() })?;
            // Without one it was made from outside before a run came there: the thread's newest run takes it up.
            let Some((around, outer)) = outer else {
                at.inside.clear();
                break;
            };
            at.inside.push((ns, id));
            if around.is_empty() {
                at.checkpoint = Some(outer);
            } else {
                at.within = Some((around, outer));
            }
        }
        Ok(Cow::Owned(at))
    }

    /// Whether the opened checkpoint is not the newest of its place.
    pub(crate) fn is_superseded(&self, id: Option<CheckpointId>) -> Result<bool, RunError> {
        let (Some(link), Some(id)) = (&self.full.env.link, id) else { return Ok(false) };
        let newest = link.saver.list(link.place(), crate::Query { limit: Some(1), ..crate::Query::default() })?;
        Ok(newest.first().is_some_and(|newest| newest.id != id))
    }

    /// Changes from outside that were saved beside the checkpoint become part of the state.
    pub(crate) fn apply_nulls(&mut self) -> Result<(), RunError> {
        if self.full.session.nulls.is_empty() {
            return Ok(());
        }
        let id = self.full.session.saved.unwrap_or(CheckpointId { seq: 0, hash: 0 });
        let bad = |source: DecodeError| RunError::BadCheckpoint { id, source: source.into() };
        for record in std::mem::take(&mut self.full.session.nulls) {
            let mut from = Decoder::new(&record);
            from.u16("node").map_err(bad)?;
            for _ in 0..from.len("targets").map_err(bad)? {
                bits::insert(&mut self.frontier, from.u16("target").map_err(bad)?);
            }
            from.len("packets").map_err(bad)?;
            self.channels.load_writes(INPUT, &mut from).map_err(bad)?;
            self.merge()?;
        }
        // They are in the channels now; another load brings them back from the saver.
        self.full.session.current = None;
        Ok(())
    }

    /// Saves a change from outside beside the checkpoint, so that the step is taken up with it again.
    pub(crate) fn keep_null(&mut self, record: Vec<u8>) -> Result<(), RunError> {
        if let (Some(link), Some(id)) = (&self.full.env.link, self.full.session.saved) {
            let saved = link.saver.get(link.place(), Some(id))?;
            let index = saved.map_or(0, |s| s.writes.iter().filter(|w| w.task == NULL_TASK).count());
            link.saver.put_writes(
                link.place(),
                id,
                &[TaskWrite { task: NULL_TASK, index: index as u32, bytes: record }],
            )?;
        }
        Ok(())
    }

    /// Names the tasks of the next step.
    pub(crate) fn name_tasks(&mut self) {
        let full = &mut *self.full;
        if let Some(id) = full.session.id {
            full.env.seed = id.hash;
        }
        full.env.checkpoint = full.session.id;
        full.env.step = full.session.step + 1;
    }

    /// A checkpoint of the state as it is.
    pub(crate) fn put(&mut self, source: Source) -> Result<(), RunError> {
        let full = &mut *self.full;
        full.session.step += 1;
        full.session.source = source;
        let Some(link) = &full.env.link else { return Ok(()) };
        let mut hash = RollingHash::new(full.session.id.map_or(0, |id| id.hash));
        hash.bytes(link.thread.as_bytes());
        hash.bytes(link.ns.as_bytes());
        hash.word(full.session.step as u64);
        hash.word(source as u64);
        let seq = link.next_seq();
        hash.word(seq);
        full.session.id = Some(CheckpointId { seq, hash: hash.value() });
        full.session.owed = true;
        if link.durability == Durability::Exit && matches!(source, Source::Loop | Source::Input) {
            return Ok(());
        }
        self.write_checkpoint()
    }

    /// A subgraph that came to its end is not saved on exit: what it did is in the graph around it.
    pub(crate) fn forget_owed(&mut self) {
        self.full.session.owed = false;
    }

    fn write_checkpoint(&mut self) -> Result<(), RunError> {
        let Some(id) = self.full.session.id.filter(|_| self.full.session.owed) else { return Ok(()) };
        let mut body = std::mem::take(&mut self.full.session.body);
        body.clear();
        self.save_position(&mut body);
        let Compiled { nodes, channels, full, .. } = self;
        let crate::exec::Full { session, env, observers, .. } = &mut **full;
        session.body = body;
        let Session { blobs, changed, versions, listed, names, ran, layout, .. } = session;
        blobs.clear();
        changed.clear();
        listed.clear();
        let n = channels.entries.len();
        for index in bits::members(&channels.dirty) {
            let slot = channels.entries.get(usize::from(index)).and_then(|e| e.slot.as_ref()).filter(|s| s.is_saved());
            if let Some(slot) = slot {
                let first = blobs.as_bytes().len();
                slot.save(blobs);
                changed.push((index, first..blobs.as_bytes().len()));
            }
        }
        for rank in bits::members(ran) {
            let first = blobs.as_bytes().len();
            if let Some(node) = nodes.get(usize::from(rank)) {
                node.save(blobs);
            }
            let range = first..blobs.as_bytes().len();
            if !range.is_empty() {
                changed.push((n as u16 + rank, range));
            }
        }
        for (index, _) in changed.iter() {
            if let Some(version) = versions.get_mut(usize::from(*index)) {
                *version = id.seq;
            }
        }
        listed.extend((0_u16..).zip(versions.iter().copied()).filter(|(_, version)| *version > 0));
        if let Some(link) = &env.link {
            let (parent, step, source) = (session.saved, session.step, session.source);
            let body = session.body.as_bytes();
            let blobs = blobs.as_bytes();
            let new = NewCheckpoint {
                id,
                parent,
                step,
                source,
                body,
                names,
                versions: listed,
                changed,
                blobs,
                layout: *layout,
            };
            link.saver.put(link.place(), &new)?;
            if link.durability == Durability::Sync {
                link.saver.flush()?;
            }
        }
        session.parent = session.saved;
        session.saved = Some(id);
        (session.owed, session.old) = (false, false);
        bits::clear(&mut channels.dirty);
        bits::clear(&mut session.ran);
        let event = Event::Checkpoint { id, step: session.step, source: session.source };
        observers.iter_mut().for_each(|o| o.show(&event));
        Ok(())
    }

    /// Saves what is owed, and what is left of a step that did not end.
    pub(crate) fn close(&mut self) -> Result<(), RunError> {
        self.full.env.given.clear();
        self.full.env.loose = None;
        self.full.env.resuming = false;
        if self.full.env.link.is_none() {
            return Ok(());
        }
        self.write_checkpoint()?;
        let full = &mut *self.full;
        let Some(link) = &full.env.link else { return Ok(()) };
        let session = &mut full.session;
        if let (Some(id), false) = (session.saved, session.unsaved.is_empty()) {
            let write = |task: &u64| {
                session.pending.get(task).map(|p| TaskWrite { task: *task, index: p.index(), bytes: p.encode() })
            };
            let writes: Vec<TaskWrite> = session.unsaved.iter().filter_map(write).collect();
            link.saver.put_writes(link.place(), id, &writes)?;
        }
        session.unsaved.clear();
        link.saver.flush()?;
        let newest = link.seq.load(Ordering::SeqCst);
        match &mut session.current {
            Some((thread, ns, seq)) if ns.is_empty() && link.ns.is_empty() && *thread == link.thread => *seq = newest,
            current => *current = Some((link.thread.clone(), link.ns.clone(), newest)),
        }
        if session.old || session.start_live {
            session.current = None;
        }
        Ok(())
    }
}
