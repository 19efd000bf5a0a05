//! What nodes and routers see of the channels, and the store behind it.

use crate::bits;
use crate::channel::slot::{NOBODY, Slot};
use crate::channel::{Chan, ChanId, ChannelKind};
use crate::compile::Plan;
use crate::dynamic::Value;
use crate::effect::{Aged, RequestId};
use crate::error::{ChannelError, NodeError};
use crate::exec::task::{Env, Task, TaskError};
use crate::interrupt::{Ask, InterruptId};
use crate::node::{END, NodeId};
use crate::packet::{Packed, Packet};
use std::any::{Any, TypeId};
use std::sync::Arc;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// The channels as a router sees them: what is committed, and what its own node wrote in this step.
pub struct Reads<'a> {
    pub(crate) channels: &'a Channels,
    pub(crate) reader: u32,
}

impl<'a> Reads<'a> {
    pub(crate) fn new(channels: &'a Channels, reader: u32) -> Self {
        Reads { channels, reader }
    }

    /// The value of a channel.
    ///
    /// # Errors
    /// The channel is empty, only declared, or of another graph.
    #[inline]
    pub fn get<T: 'static, U>(&self, chan: Chan<T, U>) -> Result<&'a T, ChannelError> {
        self.channels.get(chan.id(), self.reader)
    }
}

/// Where a router that chooses freely puts its choices.
pub struct Out<'a> {
    pub(crate) plan: &'a Plan,
    /// The targets that its route declares.
    pub(crate) targets: &'a [Option<u16>],
    pub(crate) gotos: &'a mut Vec<u16>,
    pub(crate) sends: &'a mut Vec<Packet>,
}

impl Out<'_> {
    /// Goes to a target of the route; END adds nothing.
    ///
    /// # Errors
    /// The route does not declare the target.
    pub fn goto(&mut self, target: NodeId) -> Result<(), NodeError> {
        if let Some(rank) = self.plan.target(target, |rank| self.targets.contains(&Some(rank)), "fan_out")? {
            self.gotos.push(rank);
        }
        Ok(())
    }

    /// Sends a packet to a target of the route: one run of it, in the next step, after those that edges led to.
    ///
    /// # Errors
    /// The route does not declare the target, or the target takes another type.
    pub fn send<A: Packed>(&mut self, target: NodeId, arg: A) -> Result<(), NodeError> {
        if let Some(rank) = self.plan.target(target, |rank| self.targets.contains(&Some(rank)), "fan_out")? {
            self.sends.push(self.plan.packet(rank, arg)?);
        }
        Ok(())
    }
}

/// A write that waits outside its channel until all nodes of the step have run.
pub(crate) struct Parcel {
    pub(crate) chan: u16,
    pub(crate) what: What,
    /// An `Option` of the update or the value; of an import the exported value.
    pub(crate) load: Box<dyn Any + Send + Sync>,
}

pub(crate) enum What {
    Update,
    Overwrite,
    Import,
    /// The row is filled already.
    Filled,
}

pub(crate) enum Board<'a> {
    /// Writes go straight to the channels, and there is nothing else: the step of plain graphs.
    Plain(&'a mut Channels),
    /// Writes go straight to the channels.
    Direct(&'a mut Channels, Desk<'a>),
    /// Others read the channels at the same time.
    Apart(&'a Channels, &'a mut Vec<Parcel>, Desk<'a>),
}

/// What a task has beyond channels.
pub(crate) struct Desk<'a> {
    pub(crate) task: &'a mut Task,
    pub(crate) env: &'a Env,
    pub(crate) plan: &'a Plan,
}

/// The channels as a node sees them: committed values to read, a buffer to write. And what else a node may ask for.
pub struct Io<'a> {
    board: Board<'a>,
    writer: u32,
    access: &'a Access,
}

impl<'a> Io<'a> {
    #[inline]
    pub(crate) fn new(channels: &'a mut Channels, writer: u32, access: &'a Access) -> Self {
        Io { board: Board::Plain(channels), writer, access }
    }

    pub(crate) fn on(board: Board<'a>, writer: u32, access: &'a Access) -> Self {
        Io { board, writer, access }
    }

    #[inline]
    fn channels(&self) -> &Channels {
        match &self.board {
            Board::Plain(channels) | Board::Direct(channels, _) => channels,
            Board::Apart(channels, ..) => channels,
        }
    }

    /// The value of a channel at the end of the previous step.
    ///
    /// # Errors
    /// The channel is empty, only declared, of another graph, or not among the node's declared reads.
    #[inline]
    pub fn get<T: 'static, U>(&self, chan: Chan<T, U>) -> Result<&T, ChannelError> {
        if !allowed(&self.access.reads, chan.id()) {
            return Err(ChannelError::UndeclaredRead { channel: self.channels().name(chan.id()) });
        }
        self.channels().get(chan.id(), NOBODY)
    }

    /// Writes to a channel; the others see it from the next step on.
    ///
    /// # Errors
    /// The channel is only declared, of another graph, or not among the node's declared writes.
    #[inline]
    pub fn write<T, U: Send + Sync + 'static>(&mut self, chan: Chan<T, U>, update: U) -> Result<(), ChannelError> {
        self.may_write(chan.id())?;
        match &mut self.board {
            Board::Plain(channels) | Board::Direct(channels, _) => channels.write(chan, self.writer, update),
            Board::Apart(channels, out, _) => {
                channels.must_take(chan.id(), TypeId::of::<U>(), false)?;
                out.push(Parcel { chan: chan.id().0, what: What::Update, load: Box::new(Some(update)) });
                Ok(())
            }
        }
    }

    /// Replaces the value of a channel past its reducer: it wins over every other write of the step, and two are an
    /// error.
    ///
    /// # Errors
    /// As [`Io::write`].
    #[inline]
    pub fn overwrite<T: Send + Sync + 'static, U>(&mut self, chan: Chan<T, U>, value: T) -> Result<(), ChannelError> {
        self.may_write(chan.id())?;
        match &mut self.board {
            Board::Plain(channels) | Board::Direct(channels, _) => channels.overwrite(chan, self.writer, value),
            Board::Apart(channels, out, _) => {
                channels.must_take(chan.id(), TypeId::of::<T>(), true)?;
                out.push(Parcel { chan: chan.id().0, what: What::Overwrite, load: Box::new(Some(value)) });
                Ok(())
            }
        }
    }

    /// Fills a row of a channel of rows. The buffer holds what the row held some steps ago: fill all of it.
    ///
    /// # Errors
    /// As [`Io::write`]; the channel has no such row.
    pub fn fill<T: Send + Sync + 'static>(
        &mut self,
        chan: Chan<Vec<T>, (usize, T)>,
        row: usize,
        fill: impl FnOnce(&mut T),
    ) -> Result<(), ChannelError> {
        self.may_write(chan.id())?;
        self.channels().must_take(chan.id(), TypeId::of::<T>(), false)?;
        let mut fill = Some(fill);
        let mut act = |spare: &mut dyn Any| {
            if let (Some(spare), Some(fill)) = (spare.downcast_mut::<T>(), fill.take()) {
                fill(spare);
            }
        };
        let writer = self.writer;
        match &mut self.board {
            Board::Plain(channels) | Board::Direct(channels, _) => {
                channels.fill(chan.id(), writer, row, &mut act)?;
                channels.touch(chan.id());
                Ok(())
            }
            Board::Apart(channels, out, _) => {
                channels.fill(chan.id(), writer, row, &mut act)?;
                out.push(Parcel { chan: chan.id().0, what: What::Filled, load: Box::new(()) });
                Ok(())
            }
        }
    }

    /// Goes to a node of the graph, beside the node's edges (LangGraph's `Command(goto=…)`); END adds nothing.
    ///
    /// # Errors
    /// The node does not declare the target with `goes_to`.
    pub fn goto(&mut self, target: NodeId) -> Result<(), NodeError> {
        let Desk { task, plan, .. } = self.desk().ok_or(NodeError::Plain { call: "goto", declare: "goes_to" })?;
        if target == END {
            return Ok(());
        }
        let declared = |rank| plan.nodes.get(usize::from(task.rank)).is_some_and(|n| bits::has(&n.goes, rank));
        if let Some(rank) = plan.target(target, declared, "goes_to")? {
            task.gotos.push(rank);
        }
        Ok(())
    }

    /// Sends a packet: one run of the target with this argument, in the next step, after those that edges led to.
    ///
    /// # Errors
    /// The node does not declare the target with `sends_to`, or the target takes another type.
    pub fn send<A: Packed>(&mut self, target: NodeId, arg: A) -> Result<(), NodeError> {
        let Desk { task, plan, .. } = self.desk().ok_or(NodeError::Plain { call: "send", declare: "sends_to" })?;
        let declared = |rank| plan.nodes.get(usize::from(task.rank)).is_some_and(|n| bits::has(&n.sends, rank));
        if let Some(rank) = plan.target(target, declared, "sends_to")? {
            task.sends.push(plan.packet(rank, arg)?);
        }
        Ok(())
    }

    /// The argument of the packet that this run is for.
    ///
    /// # Errors
    /// The node was led to by an edge, or takes another type.
    pub fn arg<A: Packed>(&self) -> Result<A, NodeError> {
        let arg = self.desk_ref().and_then(|desk| desk.task.arg.as_ref()).ok_or(NodeError::NoArgument)?;
        arg.as_any().downcast_ref::<A>().cloned().ok_or(NodeError::NoArgument)
    }

    /// Whether this run is for a packet.
    #[must_use]
    pub fn has_arg(&self) -> bool {
        self.desk_ref().is_some_and(|desk| desk.task.arg.is_some())
    }

    /// Asks a human. Without an answer the run stops after this step, and the node runs again from its first line when
    /// the answer is there: so nothing may happen outside before this line. Answers are matched by the order of calls.
    ///
    /// # Errors
    /// There is no answer yet; pass the error on.
    pub fn interrupt(&mut self, question: impl Into<Value>) -> Result<Value, NodeError> {
        self.ask(None, question.into())
    }

    /// As [`Io::interrupt`], asking an effect of the outside (a model, a vendor) instead of a human.
    ///
    /// # Errors
    /// As [`Io::interrupt`].
    pub fn await_effect(&mut self, effect: &str, request: impl Into<Value>) -> Result<Value, NodeError> {
        self.ask(Some(effect), request.into())
    }

    fn ask(&mut self, effect: Option<&str>, value: Value) -> Result<Value, NodeError> {
        let Desk { task, env, .. } = self.desk().ok_or(NodeError::Interrupted)?;
        let id = InterruptId::of(task.id, task.asked);
        task.asked += 1;
        if let Some(answer) = task.known.iter().chain(&env.given).find(|(known, _)| *known == id) {
            let answer = answer.clone();
            if env.given.contains(&answer) {
                // It has its question.
                task.loose.take().and_then(|loose| loose.take());
            }
            if !task.known.iter().any(|(known, _)| *known == id) {
                task.known.push(answer.clone());
            }
            return Ok(answer.1);
        }
        if let Some(answer) = task.loose.take().and_then(|loose| loose.take()) {
            task.known.push((id, answer.clone()));
            return Ok(answer);
        }
        let node = self.desk_ref().map(|desk| desk.plan.name_of(u32::from(desk.task.rank))).unwrap_or_default();
        if let Some(desk) = self.desk() {
            desk.task.asks.push(Ask { id, node, effect: effect.map(str::to_owned), value });
        }
        Err(NodeError::Interrupted)
    }

    /// Asks an effect and does not wait: the request leaves with the end of the step, and [`Io::newest`] brings the
    /// answer of a later run.
    ///
    /// # Errors
    /// The effect was not declared with `GraphBuilder::effect`.
    pub fn request(&mut self, effect: &str, request: impl Into<Value>) -> Result<RequestId, NodeError> {
        let Desk { task, env, plan } =
            self.desk().ok_or(NodeError::Plain { call: "request", declare: "GraphBuilder::effect" })?;
        env.effects.must_have(effect)?;
        Ok(task.request(effect, request.into(), plan))
    }

    /// The newest answer of an effect known at this run, with its age; none before the first.
    ///
    /// # Errors
    /// The effect was not declared with `GraphBuilder::effect`.
    pub fn newest(&self, effect: &str) -> Result<Option<Aged<'_>>, NodeError> {
        let desk = self.desk_ref().ok_or(NodeError::Plain { call: "newest", declare: "GraphBuilder::effect" })?;
        desk.env.effects.newest(effect, desk.env.now_ns)
    }

    /// Shows a value to whoever observes the run, in merge order, when the step ends.
    pub fn emit(&mut self, value: impl Into<Value>) {
        if let Some(desk) = self.desk() {
            desk.task.customs.push(value.into());
        }
    }

    /// Declares work done, in nanoseconds of a clock that counts work.
    pub fn charge(&mut self, ns: u64) {
        if let Some(desk) = self.desk() {
            desk.task.charged = desk.task.charged.saturating_add(ns);
        }
    }

    /// Whether the attempt is past the node's deadline: loops over chunks stop then.
    #[must_use]
    pub fn over_budget(&self) -> bool {
        self.desk_ref().is_some_and(|desk| desk.task.is_late(desk.env))
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.desk_ref().map_or(1, |desk| desk.task.attempt)
    }

    /// In an error handler: the node that failed and why.
    #[must_use]
    pub fn error(&self) -> Option<Arc<TaskError>> {
        self.desk_ref().and_then(|desk| desk.task.error.clone())
    }

    /// A number of this task and no other, the same in every replay: the seed of its random numbers.
    #[must_use]
    pub fn task_id(&self) -> u64 {
        self.desk_ref().map_or(0, |desk| desk.task.id)
    }

    pub(crate) fn desk(&mut self) -> Option<&mut Desk<'a>> {
        match &mut self.board {
            Board::Plain(_) => None,
            Board::Direct(_, desk) | Board::Apart(_, _, desk) => Some(desk),
        }
    }

    fn desk_ref(&self) -> Option<&Desk<'a>> {
        match &self.board {
            Board::Plain(_) => None,
            Board::Direct(_, desk) | Board::Apart(_, _, desk) => Some(desk),
        }
    }

    pub(crate) fn import(&mut self, chan: u16, exported: Box<dyn Any + Send + Sync>) {
        match &mut self.board {
            Board::Plain(channels) | Board::Direct(channels, _) => channels.import(chan, self.writer, exported),
            Board::Apart(_, out, _) => out.push(Parcel { chan, what: What::Import, load: exported }),
        }
    }

    pub(crate) fn export(&self, chan: u16) -> Option<Box<dyn Any + Send + Sync>> {
        self.channels().export(chan)
    }

    /// Hands over a write that was made for this graph elsewhere.
    pub(crate) fn deliver(&mut self, mut parcel: Parcel) -> Result<(), ChannelError> {
        self.may_write(ChanId(parcel.chan))?;
        match &mut self.board {
            Board::Plain(channels) | Board::Direct(channels, _) => channels.deliver(self.writer, &mut parcel),
            Board::Apart(_, out, _) => {
                out.push(parcel);
                Ok(())
            }
        }
    }

    #[inline]
    fn may_write(&self, chan: ChanId) -> Result<(), ChannelError> {
        if allowed(&self.access.writes, chan) {
            return Ok(());
        }
        Err(ChannelError::UndeclaredWrite { channel: self.channels().name(chan) })
    }
}

/// The channels that a node declared; none declared means all allowed.
#[derive(Default)]
pub(crate) struct Access {
    pub(crate) reads: Option<Vec<u64>>,
    pub(crate) writes: Option<Vec<u64>>,
}

#[inline]
fn allowed(declared: &Option<Vec<u64>>, chan: ChanId) -> bool {
    declared.as_ref().is_none_or(|set| bits::has(set, chan.0))
}

pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) kind: ChannelKind,
    pub(crate) each_run: bool,
    /// None for a channel that is only declared.
    pub(crate) slot: Option<Box<dyn Slot>>,
}

/// All channels of a graph, and which were written in this step.
pub struct Channels {
    pub(crate) entries: Vec<Entry>,
    pub(crate) touched: Vec<u16>,
    /// Those that a step without a write changes.
    transient: Vec<u16>,
    /// Those that the end of all work changes.
    finishing: Vec<u16>,
    /// Changed since the last checkpoint; kept only where `tracks` is set.
    pub(crate) dirty: Vec<u64>,
    pub(crate) tracks: bool,
    /// Whether any goes back to its initial value when a run starts.
    pub(crate) resets: bool,
}

impl Channels {
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        let of = |kinds: &[ChannelKind], one_step: bool| -> Vec<u16> {
            let all = (0_u16..).zip(&entries);
            all.filter(|(_, e)| kinds.contains(&e.kind) && (one_step || e.slot.is_some())).map(|(i, _)| i).collect()
        };
        let transient = of(&[ChannelKind::Any, ChannelKind::Ephemeral, ChannelKind::Topic], true);
        let finishing = of(&[ChannelKind::AfterFinish], true);
        let dirty = vec![0; bits::words_for(entries.len())];
        let resets = entries.iter().any(|e| e.each_run);
        Channels { resets, touched: Vec::new(), transient, finishing, dirty, tracks: false, entries }
    }

    pub(crate) fn name(&self, chan: ChanId) -> String {
        self.entries.get(usize::from(chan.0)).map_or_else(|| format!("#{}", chan.0), |e| e.name.clone())
    }

    #[inline]
    pub(crate) fn get<T: 'static>(&self, chan: ChanId, reader: u32) -> Result<&T, ChannelError> {
        let foreign = || ChannelError::Foreign { index: chan.0 };
        let entry = self.entries.get(usize::from(chan.0)).ok_or_else(foreign)?;
        let Some(slot) = &entry.slot else {
            return Err(ChannelError::HoldsNothing { channel: entry.name.clone() });
        };
        let Some(value) = slot.seen_by(reader) else {
            return Err(ChannelError::Empty { channel: entry.name.clone() });
        };
        value.downcast_ref().ok_or_else(foreign)
    }

    #[inline]
    pub(crate) fn write<T, U: 'static>(
        &mut self,
        chan: Chan<T, U>,
        writer: u32,
        update: U,
    ) -> Result<(), ChannelError> {
        let mut update = Some(update);
        self.buffer(chan.id(), |slot| slot.write(writer, &mut update))
    }

    #[inline]
    pub(crate) fn overwrite<T: 'static, U>(
        &mut self,
        chan: Chan<T, U>,
        writer: u32,
        value: T,
    ) -> Result<(), ChannelError> {
        let mut value = Some(value);
        self.buffer(chan.id(), |slot| slot.overwrite(writer, &mut value))
    }

    #[inline]
    fn buffer(&mut self, chan: ChanId, put: impl FnOnce(&mut dyn Slot) -> Option<usize>) -> Result<(), ChannelError> {
        let foreign = || ChannelError::Foreign { index: chan.0 };
        let entry = self.entries.get_mut(usize::from(chan.0)).ok_or_else(foreign)?;
        let Some(slot) = &mut entry.slot else {
            return Err(ChannelError::HoldsNothing { channel: entry.name.clone() });
        };
        if put(slot.as_mut()).ok_or_else(foreign)? == 1 {
            self.touched.push(chan.0);
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn untouched(&self) -> bool {
        self.touched.is_empty()
    }

    /// Merges the step's writes: validates all channels, then changes them, so that an error leaves them untouched.
    /// The error is the channel that cannot be merged.
    #[inline(always)]
    pub(crate) fn commit(&mut self) -> Result<(), ChanId> {
        if let Some(chan) = self.conflict() {
            return Err(chan);
        }
        for index in self.touched.drain(..) {
            if let Some(slot) = slot_at(&mut self.entries, index) {
                slot.commit();
            }
            if self.tracks {
                bits::insert(&mut self.dirty, index);
            }
        }
        Ok(())
    }

    /// A channel whose writes cannot be merged.
    #[inline]
    pub(crate) fn conflict(&self) -> Option<ChanId> {
        let conflicts = |index: &&u16| {
            let slot = self.entries.get(usize::from(**index)).and_then(|e| e.slot.as_ref());
            slot.is_some_and(|s| s.conflicts())
        };
        self.touched.iter().find(conflicts).map(|index| ChanId(*index))
    }

    /// As `commit`, and tells the channels that nobody wrote to that a step has ended.
    pub(crate) fn commit_step(&mut self) -> Result<(), ChanId> {
        let idle = |index: &u16, touched: &[u16]| !touched.contains(index);
        if self.transient.is_empty() {
            return self.commit();
        }
        let quiet: Vec<u16> = self.transient.iter().copied().filter(|i| idle(i, &self.touched)).collect();
        self.commit()?;
        for index in quiet {
            if slot_at(&mut self.entries, index).is_some_and(|s| s.idle()) {
                bits::insert(&mut self.dirty, index);
            }
        }
        Ok(())
    }

    /// Nothing is left to run.
    pub(crate) fn finish(&mut self) {
        for index in &self.finishing {
            if slot_at(&mut self.entries, *index).is_some_and(|s| s.finish()) {
                bits::insert(&mut self.dirty, *index);
            }
        }
    }

    /// Whether steps and their end change channels by themselves.
    pub(crate) fn has_moods(&self) -> bool {
        !self.transient.is_empty() || !self.finishing.is_empty()
    }

    pub(crate) fn must_take(&self, chan: ChanId, update: TypeId, overwrite: bool) -> Result<(), ChannelError> {
        let foreign = || ChannelError::Foreign { index: chan.0 };
        let entry = self.entries.get(usize::from(chan.0)).ok_or_else(foreign)?;
        let Some(slot) = &entry.slot else {
            return Err(ChannelError::HoldsNothing { channel: entry.name.clone() });
        };
        if slot.takes(update, overwrite) { Ok(()) } else { Err(foreign()) }
    }

    fn fill(
        &self,
        chan: ChanId,
        writer: u32,
        row: usize,
        act: &mut dyn FnMut(&mut dyn Any),
    ) -> Result<(), ChannelError> {
        let slot = self.entries.get(usize::from(chan.0)).and_then(|e| e.slot.as_ref());
        let filled = slot.and_then(|s| s.fill(writer, row, act));
        filled.map(drop).ok_or_else(|| ChannelError::NoSuchRow { channel: self.name(chan), row })
    }

    /// Drops parcels that are not to be delivered.
    pub(crate) fn drop_parcels(&self, writer: u32, parcels: &mut Vec<Parcel>) {
        for parcel in parcels.drain(..).filter(|p| matches!(p.what, What::Filled)) {
            if let Some(slot) = self.entries.get(usize::from(parcel.chan)).and_then(|e| e.slot.as_ref()) {
                slot.unfill(writer);
            }
        }
    }

    fn touch(&mut self, chan: ChanId) {
        if !self.touched.contains(&chan.0) {
            self.touched.push(chan.0);
        }
    }

    /// Puts a parcel into its channel.
    pub(crate) fn deliver(&mut self, writer: u32, parcel: &mut Parcel) -> Result<(), ChannelError> {
        let load = &mut parcel.load;
        match parcel.what {
            What::Update => self.buffer(ChanId(parcel.chan), |slot| slot.write(writer, load.as_mut())),
            What::Overwrite => self.buffer(ChanId(parcel.chan), |slot| slot.overwrite(writer, load.as_mut())),
            What::Filled => {
                self.touch(ChanId(parcel.chan));
                Ok(())
            }
            What::Import => {
                self.import(parcel.chan, writer, std::mem::replace(load, Box::new(())));
                Ok(())
            }
        }
    }

    pub(crate) fn import(&mut self, chan: u16, writer: u32, exported: Box<dyn Any + Send + Sync>) {
        if let Some(slot) = slot_at(&mut self.entries, chan)
            && slot.import(writer, exported).is_some()
            && !self.touched.contains(&chan)
        {
            self.touched.push(chan);
        }
    }

    pub(crate) fn export(&self, chan: u16) -> Option<Box<dyn Any + Send + Sync>> {
        self.entries.get(usize::from(chan)).and_then(|e| e.slot.as_ref()).and_then(|s| s.export())
    }

    /// Forgets what a writer wrote in this step.
    pub(crate) fn retract(&mut self, writer: u32) {
        let Channels { entries, touched, .. } = self;
        touched.retain(|index| slot_at(entries, *index).is_some_and(|s| s.retract(writer) > 0));
    }

    /// Appends what a writer wrote in this step. False if something of it has no encoding.
    pub(crate) fn save_writes(&self, writer: u32, to: &mut Encoder) -> bool {
        let slots = || {
            let slot = |i: &u16| Some((*i, self.entries.get(usize::from(*i))?.slot.as_ref()?));
            let mut written = self.touched.iter().filter_map(slot);
            std::iter::from_fn(move || {
                written.find(|(_, slot)| {
                    let mut any = false;
                    slot.writes_of(writer, &mut |_, _| any = true);
                    any
                })
            })
        };
        to.len(slots().count());
        slots().all(|(index, slot)| {
            to.u16(index);
            slot.save_writes(writer, to)
        })
    }

    /// Buffers what `save_writes` wrote.
    pub(crate) fn load_writes(&mut self, writer: u32, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        for _ in 0..from.u64("channels")? {
            let index = from.u16("channel")?;
            let Some(slot) = slot_at(&mut self.entries, index) else {
                return Err(DecodeError::Invalid { what: "channel", at: 0, found: u64::from(index) });
            };
            if slot.load_writes(writer, from)? > 0 && !self.touched.contains(&index) {
                self.touched.push(index);
            }
        }
        Ok(())
    }

    pub(crate) fn discard(&mut self) {
        for index in self.touched.drain(..) {
            if let Some(slot) = slot_at(&mut self.entries, index) {
                slot.discard();
            }
        }
    }

    /// After a node's routers have run: the next node's routers see something else.
    pub(crate) fn forget_seen(&mut self) {
        for index in &self.touched {
            if let Some(slot) = slot_at(&mut self.entries, *index) {
                slot.forget_seen();
            }
        }
    }

    pub(crate) fn writers(&self, chan: ChanId) -> Vec<u32> {
        let slot = self.entries.get(usize::from(chan.0)).and_then(|e| e.slot.as_deref());
        slot.map(Slot::writers).unwrap_or_default()
    }

    pub(crate) fn reset(&mut self, which: impl Fn(&Entry) -> bool) {
        for (index, entry) in (0_u16..).zip(&mut self.entries) {
            if which(entry)
                && let Some(slot) = &mut entry.slot
            {
                slot.reset();
                bits::insert(&mut self.dirty, index);
            }
        }
    }
}

#[inline]
fn slot_at(entries: &mut [Entry], index: u16) -> Option<&mut Box<dyn Slot>> {
    entries.get_mut(usize::from(index)).and_then(|e| e.slot.as_mut())
}
