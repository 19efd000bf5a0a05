//! Where a channel keeps its value and the writes of the step, behind one object-safe trait.
//!
//! Types are erased at the value, not at the slot: a read is downcast from `&dyn Any`, a write is handed over as
//! `&mut Option<U>` and taken out, so neither allocates.

use std::any::Any;
use std::cell::OnceCell;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// A reader that wrote nothing, so that it sees only what is committed.
pub(crate) const NOBODY: u16 = u16::MAX;

pub(crate) struct Codec<T> {
    pub(crate) save: fn(&T, &mut Encoder),
    pub(crate) load: fn(&mut Decoder<'_>) -> Result<T, DecodeError>,
}

pub(crate) trait Slot: Send {
    /// The committed value with the reader's own writes of this step, but nobody else's; none if there is no value.
    fn seen_by(&self, reader: u16) -> Option<&dyn Any>;
    /// Buffers an `Option<U>` and says how many writes are buffered now; none if it is of another type.
    fn write(&mut self, writer: u16, update: &mut dyn Any) -> Option<usize>;
    /// As `write`, for an `Option<T>` that wins over all writes of the step.
    fn overwrite(&mut self, writer: u16, value: &mut dyn Any) -> Option<usize>;
    /// Whether the buffered writes cannot be merged.
    fn conflicts(&self) -> bool;
    /// Who wrote, in order: for the error.
    fn writers(&self) -> Vec<u16>;
    /// Merges the buffered writes; the caller has asked for conflicts before.
    fn commit(&mut self);
    /// Forgets the buffered writes.
    fn discard(&mut self);
    /// Forgets what was computed for [`Slot::seen_by`].
    fn forget_seen(&mut self);
    /// Back to the initial value.
    fn reset(&mut self);
    /// Whether it has an encoding.
    fn is_saved(&self) -> bool;
    fn save(&self, to: &mut Encoder);
    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError>;
}

/// Holds the last value.
pub(crate) struct Last<T> {
    initial: Option<T>,
    value: Option<T>,
    pending: Vec<(u16, T)>,
    codec: Option<Codec<T>>,
}

impl<T: Clone> Last<T> {
    pub(crate) fn new(initial: Option<T>, codec: Option<Codec<T>>) -> Self {
        Last { value: initial.clone(), initial, pending: Vec::new(), codec }
    }
}

impl<T: Clone + Send + 'static> Slot for Last<T> {
    #[inline]
    fn seen_by(&self, reader: u16) -> Option<&dyn Any> {
        match self.pending.last() {
            Some((writer, own)) if *writer == reader => Some(own),
            _ => self.value.as_ref().map(|v| v as &dyn Any),
        }
    }

    fn write(&mut self, writer: u16, update: &mut dyn Any) -> Option<usize> {
        let value = update.downcast_mut::<Option<T>>()?.take()?;
        self.pending.push((writer, value));
        Some(self.pending.len())
    }

    fn overwrite(&mut self, writer: u16, value: &mut dyn Any) -> Option<usize> {
        self.write(writer, value)
    }

    fn conflicts(&self) -> bool {
        self.pending.len() > 1
    }

    fn writers(&self) -> Vec<u16> {
        self.pending.iter().map(|(writer, _)| *writer).collect()
    }

    fn commit(&mut self) {
        if let Some((_, value)) = self.pending.pop() {
            self.value = Some(value);
        }
        self.pending.clear();
    }

    fn discard(&mut self) {
        self.pending.clear();
    }

    fn forget_seen(&mut self) {}

    fn reset(&mut self) {
        self.value.clone_from(&self.initial);
    }

    fn is_saved(&self) -> bool {
        self.codec.is_some()
    }

    fn save(&self, to: &mut Encoder) {
        if let Some(codec) = &self.codec {
            to.bool(self.value.is_some());
            if let Some(value) = &self.value {
                (codec.save)(value, to);
            }
        }
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        if let Some(codec) = &self.codec {
            self.value = if from.bool("channel with a value")? { Some((codec.load)(from)?) } else { None };
        }
        Ok(())
    }
}

pub(crate) type Fold<T, U> = Box<dyn Fn(&mut T, U) + Send>;

enum Update<T, U> {
    Fold(U),
    Overwrite(T),
}

/// Folds all writes of a step into its value, in merge order.
pub(crate) struct Reduce<T, U> {
    initial: T,
    value: T,
    fold: Fold<T, U>,
    pending: Vec<(u16, Update<T, U>)>,
    /// The value as the node sees it whose router runs now.
    seen: OnceCell<T>,
    codec: Option<Codec<T>>,
}

impl<T: Clone, U> Reduce<T, U> {
    pub(crate) fn new(initial: T, fold: Fold<T, U>, codec: Option<Codec<T>>) -> Self {
        Reduce { value: initial.clone(), initial, fold, pending: Vec::new(), seen: OnceCell::new(), codec }
    }

    fn overwrites(&self) -> usize {
        self.pending.iter().filter(|(_, u)| matches!(u, Update::Overwrite(_))).count()
    }
}

impl<T: Clone, U: Clone> Reduce<T, U> {
    fn with_writes_of(&self, reader: u16) -> T {
        let own = || self.pending.iter().filter(|(writer, _)| *writer == reader).map(|(_, update)| update);
        let replaced = own().find_map(|u| if let Update::Overwrite(v) = u { Some(v.clone()) } else { None });
        replaced.unwrap_or_else(|| {
            let mut value = self.value.clone();
            for update in own() {
                if let Update::Fold(u) = update {
                    (self.fold)(&mut value, u.clone());
                }
            }
            value
        })
    }
}

impl<T: Clone + Send + 'static, U: Clone + Send + 'static> Slot for Reduce<T, U> {
    #[inline]
    fn seen_by(&self, reader: u16) -> Option<&dyn Any> {
        match self.pending.last() {
            Some((writer, _)) if *writer == reader => Some(self.seen.get_or_init(|| self.with_writes_of(reader))),
            _ => Some(&self.value),
        }
    }

    fn write(&mut self, writer: u16, update: &mut dyn Any) -> Option<usize> {
        let update = update.downcast_mut::<Option<U>>()?.take()?;
        self.pending.push((writer, Update::Fold(update)));
        Some(self.pending.len())
    }

    fn overwrite(&mut self, writer: u16, value: &mut dyn Any) -> Option<usize> {
        let value = value.downcast_mut::<Option<T>>()?.take()?;
        self.pending.push((writer, Update::Overwrite(value)));
        Some(self.pending.len())
    }

    fn conflicts(&self) -> bool {
        self.overwrites() > 1
    }

    fn writers(&self) -> Vec<u16> {
        let overwriting = self.pending.iter().filter(|(_, u)| matches!(u, Update::Overwrite(_)));
        overwriting.map(|(writer, _)| *writer).collect()
    }

    fn commit(&mut self) {
        let replaced = self.overwrites() > 0;
        for (_, update) in self.pending.drain(..) {
            match update {
                Update::Overwrite(value) => self.value = value,
                Update::Fold(u) if !replaced => (self.fold)(&mut self.value, u),
                Update::Fold(_) => {}
            }
        }
    }

    fn discard(&mut self) {
        self.pending.clear();
        self.forget_seen();
    }

    fn forget_seen(&mut self) {
        self.seen.take();
    }

    fn reset(&mut self) {
        self.value.clone_from(&self.initial);
    }

    fn is_saved(&self) -> bool {
        self.codec.is_some()
    }

    fn save(&self, to: &mut Encoder) {
        if let Some(codec) = &self.codec {
            (codec.save)(&self.value, to);
        }
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        if let Some(codec) = &self.codec {
            self.value = (codec.load)(from)?;
        }
        Ok(())
    }
}
