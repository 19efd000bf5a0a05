//! Channels: the named, typed values that nodes share, and the handles to them.
//!
//! A channel is described by a [`Channel`], registered with the builder under a name, and from then on known by its
//! handle [`Chan`]. Kinds differ in what several writes of one step mean; further kinds are further `Slot`s.

mod rows;
pub(crate) mod slot;
mod value;

pub use value::ChannelValue;

use slot::{Codec, Codecs, Folded, Hold, Single, Slot, Span};
use std::marker::PhantomData;
use std::sync::Arc;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// A channel of any type: for declaring what a node reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChanId(pub(crate) u16);

/// A typed handle to a channel: reads give `T`, writes take `U`.
pub struct Chan<T, U = T> {
    id: ChanId,
    types: PhantomData<fn(U) -> T>,
}

impl<T, U> Chan<T, U> {
    pub(crate) fn new(index: u16) -> Self {
        Chan { id: ChanId(index), types: PhantomData }
    }

    /// The handle without its types.
    #[must_use]
    pub fn id(self) -> ChanId {
        self.id
    }
}

impl<T, U> Clone for Chan<T, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, U> Copy for Chan<T, U> {}

impl<T, U> std::fmt::Debug for Chan<T, U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chan({})", self.id.0)
    }
}

impl<T, U> From<Chan<T, U>> for ChanId {
    fn from(chan: Chan<T, U>) -> ChanId {
        chan.id
    }
}

/// What several writes of one step mean, and how long a value lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// One write a step; it replaces the value.
    Last,
    /// Any number of writes a step, the last in merge order counts; a step without a write empties it.
    Any,
    /// Any number of writes, folded in merge order.
    Reduce,
    /// Any number of writes, collected in merge order.
    Topic,
    /// The value lasts for the one step after the write.
    Ephemeral,
    /// As `Last`, and never saved.
    Untracked,
    /// As `Last` for the writer; readers see the value once nothing else is left to run.
    AfterFinish,
    /// Declared only: the data is outside the graph.
    External,
    /// Rows with one owner each; without values of its own it is only declared, and the rows are outside the graph.
    Rows,
}

type MakeSlot<T, U> = Box<dyn FnOnce(Codecs<T, U>) -> Box<dyn Slot>>;

/// The description of a channel, before it has a name.
pub struct Channel<T, U = T> {
    pub(crate) kind: ChannelKind,
    pub(crate) each_run: bool,
    codecs: Codecs<T, U>,
    make: Option<MakeSlot<T, U>>,
}

impl<T: Clone + Send + Sync + 'static> Channel<T, T> {
    /// A channel that holds the last value; two writes in one step are an error.
    #[must_use]
    pub fn last(initial: T) -> Self {
        Self::single(ChannelKind::Last, Hold::Last, Some(initial))
    }

    /// As [`Channel::last`], with no value until the first write: reading it before is an error.
    #[must_use]
    pub fn empty() -> Self {
        Self::single(ChannelKind::Last, Hold::Last, None)
    }

    /// A channel for writers that all write the same: the last write counts, and a step without one empties it.
    #[must_use]
    pub fn any() -> Self {
        Self::single(ChannelKind::Any, Hold::Any, None)
    }

    /// A channel whose value lasts for the step after the write; two writes in one step are an error.
    #[must_use]
    pub fn ephemeral() -> Self {
        Self::single(ChannelKind::Ephemeral, Hold::Ephemeral { guard: true }, None)
    }

    /// As [`Channel::ephemeral`]; of several writes the last counts.
    #[must_use]
    pub fn ephemeral_unguarded() -> Self {
        Self::single(ChannelKind::Ephemeral, Hold::Ephemeral { guard: false }, None)
    }

    /// As [`Channel::empty`], and never part of a saved state or checkpoint.
    #[must_use]
    pub fn untracked() -> Self {
        Self::single(ChannelKind::Untracked, Hold::Untracked, None)
    }

    /// A channel that shows its value once nothing else is left to run.
    #[must_use]
    pub fn after_finish() -> Self {
        Self::single(ChannelKind::AfterFinish, Hold::AfterFinish, None)
    }

    fn single(kind: ChannelKind, hold: Hold, initial: Option<T>) -> Self {
        Channel::holding(kind, move |codecs| Box::new(Single::new(hold, initial, codecs)))
    }
}

impl<T: Clone + Send + Sync + 'static, U: Clone + Send + Sync + 'static> Channel<T, U> {
    /// A channel into which every write is folded, in merge order.
    #[must_use]
    pub fn reduce(initial: T, fold: impl Fn(&mut T, U) + Send + Sync + 'static) -> Self {
        Self::folding(ChannelKind::Reduce, Span::Lasting, initial, fold)
    }

    fn folding(kind: ChannelKind, span: Span<T>, initial: T, fold: impl Fn(&mut T, U) + Send + Sync + 'static) -> Self {
        Channel::holding(kind, move |codecs| Box::new(Folded::new(span, initial, Box::new(fold), codecs)))
    }
}

impl<E: Clone + Send + Sync + 'static> Channel<Vec<E>, E> {
    /// The writes of the last step, in merge order; empty, hence an error to read, after a step without one.
    #[must_use]
    pub fn topic() -> Self {
        Self::folding(ChannelKind::Topic, Span::OneStep(Vec::is_empty), Vec::new(), Vec::push)
    }

    /// The writes of all steps, in merge order; an error to read before the first.
    #[must_use]
    pub fn topic_of_all() -> Self {
        Self::folding(ChannelKind::Topic, Span::LastingIf(Vec::is_empty), Vec::new(), Vec::push)
    }
}

impl Channel<crate::Value, crate::Value> {
    /// A topic of untyped values, a list; a written list is taken apart. `accumulate` keeps it from step to step.
    #[must_use]
    pub fn value_topic(accumulate: bool) -> Self {
        let none = |v: &crate::Value| v.as_list().is_none_or(<[_]>::is_empty);
        let span = if accumulate { Span::LastingIf(none) } else { Span::OneStep(none) };
        Self::folding(ChannelKind::Topic, span, crate::Value::List(Vec::new()), crate::Value::extend)
    }
}

impl<T: Clone + Send + Sync + 'static> Channel<Vec<T>, (usize, T)> {
    /// Rows, each with one owner a step, who fills a spare buffer with `Io::fill` (or hands one over with `Io::write`).
    /// The end of the step swaps buffers and copies nothing. Two owners of one row in one step are an error.
    #[must_use]
    pub fn rows_of(rows: Vec<T>) -> Self {
        Channel::holding(ChannelKind::Rows, move |codecs| Box::new(rows::Rows::new(rows, codecs)))
    }
}

impl Channel<(), ()> {
    /// A channel that is only declared: the data is in the context of the run.
    #[must_use]
    pub fn external() -> Self {
        Channel::declared(ChannelKind::External)
    }

    /// A channel that is only declared and in which every writer owns its own row.
    #[must_use]
    pub fn rows() -> Self {
        Channel::declared(ChannelKind::Rows)
    }

    fn declared(kind: ChannelKind) -> Self {
        Channel { kind, each_run: false, codecs: Codecs { value: None, update: None, explode: None }, make: None }
    }
}

impl<T: 'static, U> Channel<T, U> {
    fn holding(kind: ChannelKind, make: impl FnOnce(Codecs<T, U>) -> Box<dyn Slot> + 'static) -> Self {
        let codecs = Codecs { value: None, update: None, explode: None };
        Channel { kind, each_run: false, codecs, make: Some(Box::new(make)) }
    }

    /// Goes back to its initial value when a run starts (not when one resumes). Otherwise values last from run to run.
    #[must_use]
    pub fn reset_each_run(mut self) -> Self {
        self.each_run = true;
        self
    }

    /// Is part of the saved state and of checkpoints, with the writes of a node that finished before its siblings.
    #[must_use]
    pub fn saved(mut self) -> Self
    where
        T: ChannelValue,
        U: ChannelValue + 'static,
    {
        self.codecs.update = Some(Codec { save: U::save, load: Arc::new(U::load) });
        self.saved_with(T::save, T::load)
    }

    /// Is part of the saved state, with an encoding of its own. A node that wrote here runs again when a step is
    /// taken up that stopped half-way, because its update has no encoding: see [`Channel::updates_saved_with`].
    #[must_use]
    pub fn saved_with(
        mut self,
        save: fn(&T, &mut Encoder),
        load: fn(&mut Decoder<'_>) -> Result<T, DecodeError>,
    ) -> Self {
        self.codecs.value = Some(Codec { save, load: Arc::new(load) });
        self
    }

    /// The encoding of single writes.
    #[must_use]
    pub fn updates_saved_with(
        mut self,
        save: fn(&U, &mut Encoder),
        load: fn(&mut Decoder<'_>) -> Result<U, DecodeError>,
    ) -> Self
    where
        U: 'static,
    {
        self.codecs.update = Some(Codec { save, load: Arc::new(load) });
        self
    }

    /// Is saved as a key, eight bytes a checkpoint however large the value is: market columns by batch id.
    /// `save` appends the key of a value, `find` brings the value of a key from where it is kept.
    #[must_use]
    pub fn saved_by_key(
        mut self,
        save: fn(&T, &mut Encoder),
        find: impl Fn(u64) -> Option<T> + Send + Sync + 'static,
    ) -> Self {
        let load = move |from: &mut Decoder<'_>| {
            let key = from.u64("key")?;
            find(key).ok_or(DecodeError::Invalid { what: "key of a value that is kept elsewhere", at: 0, found: key })
        };
        self.codecs.value = Some(Codec { save, load: Arc::new(load) });
        self
    }

    /// How the value becomes updates of the channel of the same name in a subgraph, and back. Needed only where the
    /// types of values and updates differ.
    #[must_use]
    pub fn shared_as(mut self, explode: fn(&T) -> Vec<U>) -> Self {
        self.codecs.explode = Some(explode);
        self
    }

    pub(crate) fn into_slot(self) -> Option<Box<dyn Slot>> {
        let codecs = self.codecs;
        self.make.map(|make| make(codecs))
    }
}
