//! Channels: the named, typed values that nodes share, and the handles to them.
//!
//! A channel is described by a [`Channel`], registered with the builder under a name, and from then on known by its
//! handle [`Chan`]. Kinds differ in what several writes of one step mean; further kinds are further `Slot`s.

pub(crate) mod slot;
mod value;

pub use value::ChannelValue;

use slot::{Codec, Last, Reduce, Slot};
use std::marker::PhantomData;
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

/// What several writes of one step mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// One write a step; it replaces the value.
    Last,
    /// Any number of writes, folded in merge order.
    Reduce,
    /// Declared only: the data is outside the graph.
    External,
    /// Declared only: every writer owns a row of data outside the graph.
    Rows,
}

type MakeSlot<T> = Box<dyn FnOnce(Option<Codec<T>>) -> Box<dyn Slot>>;

/// The description of a channel, before it has a name.
pub struct Channel<T, U = T> {
    pub(crate) kind: ChannelKind,
    pub(crate) each_run: bool,
    codec: Option<Codec<T>>,
    make: Option<MakeSlot<T>>,
    updates: PhantomData<fn(U)>,
}

impl<T: Clone + Send + 'static> Channel<T, T> {
    /// A channel that holds the last value; two writes in one step are an error.
    #[must_use]
    pub fn last(initial: T) -> Self {
        Self::last_of(Some(initial))
    }

    /// As [`Channel::last`], with no value until the first write: reading it before is an error.
    #[must_use]
    pub fn empty() -> Self {
        Self::last_of(None)
    }

    fn last_of(initial: Option<T>) -> Self {
        Channel::holding(ChannelKind::Last, move |codec| Box::new(Last::new(initial, codec)))
    }
}

impl<T: Clone + Send + 'static, U: Clone + Send + 'static> Channel<T, U> {
    /// A channel into which every write is folded, in merge order.
    #[must_use]
    pub fn reduce(initial: T, fold: impl Fn(&mut T, U) + Send + 'static) -> Self {
        Channel::holding(ChannelKind::Reduce, move |codec| Box::new(Reduce::new(initial, Box::new(fold), codec)))
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
        Channel { kind, each_run: false, codec: None, make: None, updates: PhantomData }
    }
}

impl<T: 'static, U> Channel<T, U> {
    fn holding(kind: ChannelKind, make: impl FnOnce(Option<Codec<T>>) -> Box<dyn Slot> + 'static) -> Self {
        Channel { kind, each_run: false, codec: None, make: Some(Box::new(make)), updates: PhantomData }
    }

    /// Goes back to its initial value when a run starts (not when one resumes). Otherwise values last from run to run.
    #[must_use]
    pub fn reset_each_run(mut self) -> Self {
        self.each_run = true;
        self
    }

    /// Is part of the saved state.
    #[must_use]
    pub fn saved(self) -> Self
    where
        T: ChannelValue,
    {
        self.saved_with(T::save, T::load)
    }

    /// Is part of the saved state, with an encoding of its own.
    #[must_use]
    pub fn saved_with(
        mut self,
        save: fn(&T, &mut Encoder),
        load: fn(&mut Decoder<'_>) -> Result<T, DecodeError>,
    ) -> Self {
        self.codec = Some(Codec { save, load });
        self
    }

    pub(crate) fn into_slot(self) -> Option<Box<dyn Slot>> {
        self.make.map(|make| make(self.codec))
    }
}
