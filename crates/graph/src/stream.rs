//! What a running graph shows: tasks, custom values, updates, values, checkpoints, questions, in merge order. Events are
//! shown at barriers by the run itself, never from inside a node, so their order does not depend on threads.

use crate::channel::Chan;
use crate::channel::slot::NOBODY;
use crate::dynamic::Value;
use crate::error::ChannelError;
use crate::interrupt::Ask;
use crate::io::Channels;
use crate::saver::{CheckpointId, Source};
use std::ops::BitOr;

/// Kinds of events, to be combined with `|`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes(u8);

impl Modes {
    /// The channels after each step.
    pub const VALUES: Modes = Modes(1);
    /// What each node wrote.
    pub const UPDATES: Modes = Modes(2);
    /// The tasks of each step, before they run.
    pub const TASKS: Modes = Modes(4);
    /// Checkpoints, when they are put.
    pub const CHECKPOINTS: Modes = Modes(8);
    /// What nodes emit.
    pub const CUSTOM: Modes = Modes(16);
    /// Questions that stop the run.
    pub const ASKS: Modes = Modes(32);
    /// All of them.
    pub const ALL: Modes = Modes(63);
}

impl BitOr for Modes {
    type Output = Modes;

    fn bitor(self, other: Modes) -> Modes {
        Modes(self.0 | other.0)
    }
}

/// The committed channels.
pub type State = Channels;

/// Something that happened.
pub enum Event<'a> {
    /// A task is about to run.
    Task {
        /// The step.
        step: i64,
        /// The task.
        id: u64,
        /// Its node.
        node: &'a str,
        /// Its place among the step's packets.
        packet: Option<u32>,
        /// Its output is known already.
        cached: bool,
        /// Its place among those that start in this step, from 1: shared nodes first, then by priority, then in merge
        /// order. None if it does not run: its output is known, or it stands back or is out of service.
        turn: Option<u32>,
    },
    /// A node has written.
    Updates {
        /// The step.
        step: i64,
        /// The node.
        node: &'a str,
        /// The output is from a cache or from before the run was taken up.
        cached: bool,
        /// What it wrote.
        updates: Updates<'a>,
    },
    /// A step has ended.
    Values {
        /// The step.
        step: i64,
        /// The channels.
        channels: &'a State,
    },
    /// A checkpoint was put.
    Checkpoint {
        /// Its id.
        id: CheckpointId,
        /// Its step.
        step: i64,
        /// Why.
        source: Source,
    },
    /// A node emitted a value.
    Custom {
        /// The step.
        step: i64,
        /// The node.
        node: &'a str,
        /// The value.
        value: &'a Value,
    },
    /// The run stops with a question.
    Ask {
        /// The step.
        step: i64,
        /// The question.
        ask: &'a Ask,
    },
}

impl Event<'_> {
    fn mode(&self) -> Modes {
        match self {
            Event::Task { .. } => Modes::TASKS,
            Event::Updates { .. } => Modes::UPDATES,
            Event::Values { .. } => Modes::VALUES,
            Event::Checkpoint { .. } => Modes::CHECKPOINTS,
            Event::Custom { .. } => Modes::CUSTOM,
            Event::Ask { .. } => Modes::ASKS,
        }
    }
}

impl Channels {
    /// The committed value of a channel, for observers.
    ///
    /// # Errors
    /// As `Compiled::get`.
    pub fn value<T: 'static, U>(&self, chan: Chan<T, U>) -> Result<&T, ChannelError> {
        self.get(chan.id(), NOBODY)
    }

    /// All saved channels by name, as the bytes of their encoding.
    pub fn encoded(&self) -> impl Iterator<Item = (&str, Vec<u8>)> {
        self.entries.iter().filter_map(|e| {
            let slot = e.slot.as_ref().filter(|s| s.is_saved())?;
            let mut to = tradegraph_columns::codec::Encoder::new();
            slot.save(&mut to);
            Some((e.name.as_str(), to.into_bytes()))
        })
    }
}

/// The writes of one node in one step.
pub struct Updates<'a> {
    channels: &'a Channels,
    writer: u32,
}

impl<'a> Updates<'a> {
    pub(crate) fn new(channels: &'a Channels, writer: u32) -> Self {
        Updates { channels, writer }
    }

    /// The updates of a channel, in the order of writing; overwrites are left out.
    #[must_use]
    pub fn of<T, U: Clone + 'static>(&self, chan: Chan<T, U>) -> Vec<U> {
        let mut all = Vec::new();
        let slot = self.channels.entries.get(usize::from(chan.id().0)).and_then(|e| e.slot.as_ref());
        if let Some(slot) = slot {
            slot.writes_of(self.writer, &mut |write, overwrites| {
                if let Some(update) = write.downcast_ref::<U>().filter(|_| !overwrites) {
                    all.push(update.clone());
                }
            });
        }
        all
    }

    /// The names of the channels written, in the order of the channels.
    #[must_use]
    pub fn channels(&self) -> Vec<&'a str> {
        let wrote = |e: &&crate::io::Entry| {
            let mut any = false;
            if let Some(slot) = &e.slot {
                slot.writes_of(self.writer, &mut |_, _| any = true);
            }
            any
        };
        self.channels.entries.iter().filter(wrote).map(|e| e.name.as_str()).collect()
    }
}

type Show = Box<dyn FnMut(&Event<'_>) + Send>;

pub(crate) struct Observer {
    modes: Modes,
    show: Show,
}

impl Observer {
    pub(crate) fn new(modes: Modes, show: Show) -> Self {
        Observer { modes, show }
    }

    pub(crate) fn show(&mut self, event: &Event<'_>) {
        if self.modes.0 & event.mode().0 != 0 {
            (self.show)(event);
        }
    }
}

impl std::fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Event::Task { step, node, packet, cached, turn, .. } => {
                write!(f, "{step} task {node} {packet:?} {cached} {turn:?}")
            }
            Event::Updates { step, node, cached, updates } => {
                write!(f, "{step} updates {node} {:?} {cached}", updates.channels())
            }
            Event::Values { step, .. } => write!(f, "{step} values"),
            Event::Checkpoint { step, source, .. } => write!(f, "{step} checkpoint {}", source.name()),
            Event::Custom { step, node, value } => write!(f, "{step} custom {node} {value:?}"),
            Event::Ask { step, ask } => write!(f, "{step} ask {} {:?}", ask.node, ask.value),
        }
    }
}
