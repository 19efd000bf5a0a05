//! What nodes and routers see of the channels, and the store behind it.

use crate::bits;
use crate::channel::slot::{NOBODY, Slot};
use crate::channel::{Chan, ChanId, ChannelKind};
use crate::error::ChannelError;

/// The channels as a router sees them: what is committed, and what its own node wrote in this step.
pub struct Reads<'a> {
    channels: &'a Channels,
    reader: u16,
}

impl<'a> Reads<'a> {
    pub(crate) fn new(channels: &'a Channels, reader: u16) -> Self {
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

/// The channels as a node sees them: committed values to read, a buffer to write.
pub struct Io<'a> {
    channels: &'a mut Channels,
    node: u16,
    access: &'a Access,
}

impl<'a> Io<'a> {
    pub(crate) fn new(channels: &'a mut Channels, node: u16, access: &'a Access) -> Self {
        Io { channels, node, access }
    }

    /// The value of a channel at the end of the previous step.
    ///
    /// # Errors
    /// The channel is empty, only declared, of another graph, or not among the node's declared reads.
    #[inline]
    pub fn get<T: 'static, U>(&self, chan: Chan<T, U>) -> Result<&T, ChannelError> {
        if !allowed(&self.access.reads, chan.id()) {
            return Err(ChannelError::UndeclaredRead { channel: self.channels.name(chan.id()) });
        }
        self.channels.get(chan.id(), NOBODY)
    }

    /// Writes to a channel; the others see it from the next step on.
    ///
    /// # Errors
    /// The channel is only declared, of another graph, or not among the node's declared writes.
    #[inline]
    pub fn write<T, U: 'static>(&mut self, chan: Chan<T, U>, update: U) -> Result<(), ChannelError> {
        self.may_write(chan.id())?;
        self.channels.write(chan, self.node, update)
    }

    /// Replaces the value of a channel past its reducer: it wins over every other write of the step, and two are an
    /// error.
    ///
    /// # Errors
    /// As [`Io::write`].
    #[inline]
    pub fn overwrite<T: 'static, U>(&mut self, chan: Chan<T, U>, value: T) -> Result<(), ChannelError> {
        self.may_write(chan.id())?;
        self.channels.overwrite(chan, self.node, value)
    }

    #[inline]
    fn may_write(&self, chan: ChanId) -> Result<(), ChannelError> {
        if allowed(&self.access.writes, chan) {
            return Ok(());
        }
        Err(ChannelError::UndeclaredWrite { channel: self.channels.name(chan) })
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

/// All channels of a graph and the list of those written in this step.
pub(crate) struct Channels {
    pub(crate) entries: Vec<Entry>,
    touched: Vec<u16>,
}

impl Channels {
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        Channels { entries, touched: Vec::new() }
    }

    pub(crate) fn name(&self, chan: ChanId) -> String {
        self.entries.get(usize::from(chan.0)).map_or_else(|| format!("#{}", chan.0), |e| e.name.clone())
    }

    #[inline]
    pub(crate) fn get<T: 'static>(&self, chan: ChanId, reader: u16) -> Result<&T, ChannelError> {
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
        writer: u16,
        update: U,
    ) -> Result<(), ChannelError> {
        let mut update = Some(update);
        self.buffer(chan.id(), |slot| slot.write(writer, &mut update))
    }

    #[inline]
    pub(crate) fn overwrite<T: 'static, U>(
        &mut self,
        chan: Chan<T, U>,
        writer: u16,
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
    pub(crate) fn commit(&mut self) -> Result<(), ChanId> {
        for index in &self.touched {
            if slot_at(&mut self.entries, *index).is_some_and(|s| s.conflicts()) {
                return Err(ChanId(*index));
            }
        }
        for index in self.touched.drain(..) {
            if let Some(slot) = slot_at(&mut self.entries, index) {
                slot.commit();
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

    pub(crate) fn writers(&self, chan: ChanId) -> Vec<u16> {
        let slot = self.entries.get(usize::from(chan.0)).and_then(|e| e.slot.as_deref());
        slot.map(Slot::writers).unwrap_or_default()
    }

    pub(crate) fn reset(&mut self, which: impl Fn(&Entry) -> bool) {
        for entry in &mut self.entries {
            if which(entry)
                && let Some(slot) = &mut entry.slot
            {
                slot.reset();
            }
        }
    }
}

#[inline]
fn slot_at(entries: &mut [Entry], index: u16) -> Option<&mut Box<dyn Slot>> {
    entries.get_mut(usize::from(index)).and_then(|e| e.slot.as_mut())
}
