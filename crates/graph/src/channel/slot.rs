//! Where a channel keeps its value and the writes of the step, behind one object-safe trait.
//!
//! Types are erased at the value, not at the slot: a read is downcast from `&dyn Any`, a write is handed over as
//! `&mut Option<U>` and taken out, so neither allocates.

use std::any::{Any, TypeId};
use std::sync::{Arc, OnceLock};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// A reader that wrote nothing, so that it sees only what is committed.
pub(crate) const NOBODY: u32 = u32::MAX;

type Load<T> = Arc<dyn Fn(&mut Decoder<'_>) -> Result<T, DecodeError> + Send + Sync>;

pub(crate) struct Codec<T> {
    pub(crate) save: fn(&T, &mut Encoder),
    pub(crate) load: Load<T>,
}

impl<T> Clone for Codec<T> {
    fn clone(&self) -> Self {
        Codec { save: self.save, load: self.load.clone() }
    }
}

/// How the updates are made that bring a value of this channel into the same channel of another graph.
pub(crate) type Explode<T, U> = Option<fn(&T) -> Vec<U>>;

/// The encodings of a channel's value and of its updates, and how its value is shared with a subgraph.
pub(crate) struct Codecs<T, U> {
    pub(crate) value: Option<Codec<T>>,
    pub(crate) update: Option<Codec<U>>,
    pub(crate) explode: Explode<T, U>,
}

pub(crate) trait Slot: Send + Sync {
    /// The committed value with the reader's own writes of this step, but nobody else's; none if there is no value.
    fn seen_by(&self, reader: u32) -> Option<&dyn Any>;
    /// Buffers an `Option<U>` and says how many writes are buffered now; none if it is of another type.
    fn write(&mut self, writer: u32, update: &mut dyn Any) -> Option<usize>;
    /// As `write`, for an `Option<T>` that wins over all writes of the step.
    fn overwrite(&mut self, writer: u32, value: &mut dyn Any) -> Option<usize>;
    /// Lets a writer fill the spare buffer of a row, and says how many filled it in this step; none if there is no such
    /// row. Several writers may fill rows at the same time.
    fn fill(&self, _writer: u32, _row: usize, _fill: &mut dyn FnMut(&mut dyn Any)) -> Option<usize> {
        None
    }
    /// Takes back what a writer filled.
    fn unfill(&self, _writer: u32) {}
    /// Whether `write` would take an `Option` of this type, `overwrite` one of that.
    fn takes(&self, update: TypeId, overwrite: bool) -> bool;
    /// Whether the buffered writes cannot be merged.
    fn conflicts(&self) -> bool;
    /// Who wrote, in order: for the error.
    fn writers(&self) -> Vec<u32>;
    /// Merges the buffered writes; the caller has asked for conflicts before.
    fn commit(&mut self);
    /// A step ended in which nobody wrote here: true if that changed the value.
    fn idle(&mut self) -> bool;
    /// Nothing is left to run: true if that made the value visible.
    fn finish(&mut self) -> bool;
    /// Forgets the buffered writes.
    fn discard(&mut self);
    /// Forgets the buffered writes of one writer and says how many are left.
    fn retract(&mut self, writer: u32) -> usize;
    /// Forgets what was computed for [`Slot::seen_by`].
    fn forget_seen(&mut self);
    /// Back to the initial value.
    fn reset(&mut self);
    /// Whether it has an encoding.
    fn is_saved(&self) -> bool;
    fn save(&self, to: &mut Encoder);
    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError>;
    /// A value of this channel from its bytes, boxed; none if there was no value or it has no encoding.
    fn decode(&self, from: &mut Decoder<'_>) -> Result<Option<Box<dyn Any>>, DecodeError>;
    /// Shows each buffered write of a writer: as `&U`, or as `&T` and `true` if it overwrites.
    fn writes_of(&self, writer: u32, show: &mut dyn FnMut(&dyn Any, bool));
    /// Appends the buffered writes of a writer. False if one of them has no encoding.
    fn save_writes(&self, writer: u32, to: &mut Encoder) -> bool;
    /// Whether `save_writes` can.
    fn saves_updates(&self) -> bool;
    /// Buffers what `save_writes` wrote, and says how many writes are buffered now.
    fn load_writes(&mut self, writer: u32, from: &mut Decoder<'_>) -> Result<usize, DecodeError>;
    /// The updates that bring this channel's value into one like it, as a boxed `Vec<U>`; none if there is no value.
    fn export(&self) -> Option<Box<dyn Any + Send + Sync>>;
    /// Buffers an exported value, and says how many writes are buffered now; none if it is of another type.
    fn import(&mut self, writer: u32, exported: Box<dyn Any + Send + Sync>) -> Option<usize>;
    /// The type of updates if values of this channel can be exported.
    fn shares(&self) -> Option<TypeId>;
}

/// What a channel of single values does with several writes, with none, and when it shows its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    Last,
    Any,
    Ephemeral { guard: bool },
    Untracked,
    AfterFinish,
}

/// Holds one value.
pub(crate) struct Single<T> {
    hold: Hold,
    initial: Option<T>,
    value: Option<T>,
    /// Of [`Hold::AfterFinish`]: the value is visible.
    finished: bool,
    pending: Vec<(u32, T)>,
    codecs: Codecs<T, T>,
}

impl<T: Clone> Single<T> {
    pub(crate) fn new(hold: Hold, initial: Option<T>, mut codecs: Codecs<T, T>) -> Self {
        if hold == Hold::Untracked {
            (codecs.value, codecs.update) = (None, None);
        }
        Single { hold, value: initial.clone(), initial, finished: false, pending: Vec::new(), codecs }
    }
}

impl<T: Clone + Send + Sync + 'static> Slot for Single<T> {
    #[inline]
    fn seen_by(&self, reader: u32) -> Option<&dyn Any> {
        if let Some((writer, own)) = self.pending.last()
            && *writer == reader
        {
            return (self.hold != Hold::AfterFinish).then_some(own as &dyn Any);
        }
        match self.hold {
            // A router sees the state after its own node's step, and that step cleared what its node did not write.
            Hold::Any | Hold::Ephemeral { .. } if reader != NOBODY => None,
            Hold::AfterFinish if !self.finished => None,
            _ => self.value.as_ref().map(|v| v as &dyn Any),
        }
    }

    #[inline]
    fn write(&mut self, writer: u32, update: &mut dyn Any) -> Option<usize> {
        let value = update.downcast_mut::<Option<T>>()?.take()?;
        self.pending.push((writer, value));
        Some(self.pending.len())
    }

    fn overwrite(&mut self, writer: u32, value: &mut dyn Any) -> Option<usize> {
        self.write(writer, value)
    }

    fn takes(&self, update: TypeId, _overwrite: bool) -> bool {
        update == TypeId::of::<T>()
    }

    #[inline]
    fn conflicts(&self) -> bool {
        self.pending.len() > 1 && matches!(self.hold, Hold::Last | Hold::Untracked | Hold::Ephemeral { guard: true })
    }

    fn writers(&self) -> Vec<u32> {
        self.pending.iter().map(|(writer, _)| *writer).collect()
    }

    #[inline]
    fn commit(&mut self) {
        if let Some((_, value)) = self.pending.pop() {
            self.value = Some(value);
            self.finished = false;
        }
        self.pending.clear();
    }

    fn idle(&mut self) -> bool {
        matches!(self.hold, Hold::Any | Hold::Ephemeral { .. }) && self.value.take().is_some()
    }

    fn finish(&mut self) -> bool {
        let now = self.hold == Hold::AfterFinish && !self.finished && self.value.is_some();
        self.finished |= now;
        now
    }

    fn discard(&mut self) {
        self.pending.clear();
    }

    fn retract(&mut self, writer: u32) -> usize {
        self.pending.retain(|(w, _)| *w != writer);
        self.pending.len()
    }

    #[inline]
    fn forget_seen(&mut self) {}

    fn reset(&mut self) {
        self.value.clone_from(&self.initial);
        self.finished = false;
    }

    fn is_saved(&self) -> bool {
        self.codecs.value.is_some()
    }

    fn save(&self, to: &mut Encoder) {
        if let Some(codec) = &self.codecs.value {
            to.bool(self.value.is_some());
            if let Some(value) = &self.value {
                (codec.save)(value, to);
            }
            if self.hold == Hold::AfterFinish {
                to.bool(self.finished);
            }
        }
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        if let Some(codec) = &self.codecs.value {
            self.value = if from.bool("channel with a value")? { Some((codec.load)(from)?) } else { None };
            self.finished = self.hold == Hold::AfterFinish && from.bool("finished channel")?;
        }
        Ok(())
    }

    fn decode(&self, from: &mut Decoder<'_>) -> Result<Option<Box<dyn Any>>, DecodeError> {
        let Some(codec) = &self.codecs.value else { return Ok(None) };
        let value = if from.bool("channel with a value")? { Some((codec.load)(from)?) } else { None };
        let hidden = self.hold == Hold::AfterFinish && !from.bool("finished channel")?;
        Ok(value.filter(|_| !hidden).map(|v| Box::new(v) as Box<dyn Any>))
    }

    fn writes_of(&self, writer: u32, show: &mut dyn FnMut(&dyn Any, bool)) {
        self.pending.iter().filter(|(w, _)| *w == writer).for_each(|(_, value)| show(value, false));
    }

    fn save_writes(&self, writer: u32, to: &mut Encoder) -> bool {
        let own = || self.pending.iter().filter(|(w, _)| *w == writer);
        let Some(codec) = &self.codecs.update else { return false };
        to.len(own().count());
        own().for_each(|(_, value)| (codec.save)(value, to));
        true
    }

    fn saves_updates(&self) -> bool {
        self.codecs.update.is_some()
    }

    fn load_writes(&mut self, writer: u32, from: &mut Decoder<'_>) -> Result<usize, DecodeError> {
        if let Some(codec) = &self.codecs.update {
            for _ in 0..from.u64("writes")? {
                self.pending.push((writer, (codec.load)(from)?));
            }
        }
        Ok(self.pending.len())
    }

    fn export(&self) -> Option<Box<dyn Any + Send + Sync>> {
        let value = self.seen_by(NOBODY)?.downcast_ref::<T>()?;
        let all = self.codecs.explode.map_or_else(|| vec![value.clone()], |explode| explode(value));
        Some(Box::new(all))
    }

    fn import(&mut self, writer: u32, exported: Box<dyn Any + Send + Sync>) -> Option<usize> {
        let all = exported.downcast::<Vec<T>>().ok()?;
        self.pending.extend(all.into_iter().map(|value| (writer, value)));
        Some(self.pending.len())
    }

    fn shares(&self) -> Option<TypeId> {
        Some(TypeId::of::<T>())
    }
}

pub(crate) type Fold<T, U> = Box<dyn Fn(&mut T, U) + Send + Sync>;

enum Update<T, U> {
    Fold(U),
    Overwrite(T),
}

/// How long a folded value lasts.
pub(crate) enum Span<T> {
    /// For good.
    Lasting,
    /// For good; a value of which this is true is no value.
    LastingIf(fn(&T) -> bool),
    /// For one step; a value of which this is true is no value.
    OneStep(fn(&T) -> bool),
}

/// Folds all writes of a step into its value, in merge order.
pub(crate) struct Folded<T, U> {
    span: Span<T>,
    initial: T,
    value: T,
    fold: Fold<T, U>,
    pending: Vec<(u32, Update<T, U>)>,
    /// The value as the node sees it whose router runs now.
    seen: OnceLock<T>,
    codecs: Codecs<T, U>,
}

impl<T: Clone, U> Folded<T, U> {
    pub(crate) fn new(span: Span<T>, initial: T, fold: Fold<T, U>, codecs: Codecs<T, U>) -> Self {
        let (value, seen) = (initial.clone(), OnceLock::new());
        Folded { span, value, initial, fold, pending: Vec::new(), seen, codecs }
    }

    fn overwrites(&self) -> usize {
        self.pending.iter().filter(|(_, u)| matches!(u, Update::Overwrite(_))).count()
    }

    fn shown<'a>(&self, value: &'a T) -> Option<&'a T> {
        match self.span {
            Span::LastingIf(none) | Span::OneStep(none) if none(value) => None,
            _ => Some(value),
        }
    }

    fn is_one_step(&self) -> bool {
        matches!(self.span, Span::OneStep(_))
    }
}

impl<T: Clone, U: Clone> Folded<T, U> {
    fn with_writes_of(&self, reader: u32) -> T {
        let own = || self.pending.iter().filter(|(writer, _)| *writer == reader).map(|(_, update)| update);
        let replaced = own().find_map(|u| if let Update::Overwrite(v) = u { Some(v.clone()) } else { None });
        replaced.unwrap_or_else(|| {
            let mut value = if self.is_one_step() { self.initial.clone() } else { self.value.clone() };
            for update in own() {
                if let Update::Fold(u) = update {
                    (self.fold)(&mut value, u.clone());
                }
            }
            value
        })
    }
}

impl<T: Clone + Send + Sync + 'static, U: Clone + Send + Sync + 'static> Slot for Folded<T, U> {
    #[inline]
    fn seen_by(&self, reader: u32) -> Option<&dyn Any> {
        let value = match self.pending.last() {
            Some((writer, _)) if *writer == reader => self.seen.get_or_init(|| self.with_writes_of(reader)),
            _ if self.is_one_step() && reader != NOBODY => return None,
            _ => &self.value,
        };
        self.shown(value).map(|v| v as &dyn Any)
    }

    #[inline]
    fn write(&mut self, writer: u32, update: &mut dyn Any) -> Option<usize> {
        let update = update.downcast_mut::<Option<U>>()?.take()?;
        self.pending.push((writer, Update::Fold(update)));
        Some(self.pending.len())
    }

    fn overwrite(&mut self, writer: u32, value: &mut dyn Any) -> Option<usize> {
        let value = value.downcast_mut::<Option<T>>()?.take()?;
        self.pending.push((writer, Update::Overwrite(value)));
        Some(self.pending.len())
    }

    fn takes(&self, update: TypeId, overwrite: bool) -> bool {
        update == if overwrite { TypeId::of::<T>() } else { TypeId::of::<U>() }
    }

    #[inline]
    fn conflicts(&self) -> bool {
        self.overwrites() > 1
    }

    fn writers(&self) -> Vec<u32> {
        let overwriting = self.pending.iter().filter(|(_, u)| matches!(u, Update::Overwrite(_)));
        overwriting.map(|(writer, _)| *writer).collect()
    }

    fn commit(&mut self) {
        let replaced = self.overwrites() > 0;
        if self.is_one_step() {
            self.value.clone_from(&self.initial);
        }
        for (_, update) in self.pending.drain(..) {
            match update {
                Update::Overwrite(value) => self.value = value,
                Update::Fold(u) if !replaced => (self.fold)(&mut self.value, u),
                Update::Fold(_) => {}
            }
        }
    }

    fn idle(&mut self) -> bool {
        let clears = self.is_one_step() && self.shown(&self.value).is_some();
        if clears {
            self.value.clone_from(&self.initial);
        }
        clears
    }

    fn finish(&mut self) -> bool {
        false
    }

    fn discard(&mut self) {
        self.pending.clear();
        self.forget_seen();
    }

    fn retract(&mut self, writer: u32) -> usize {
        self.pending.retain(|(w, _)| *w != writer);
        self.forget_seen();
        self.pending.len()
    }

    #[inline]
    fn forget_seen(&mut self) {
        self.seen.take();
    }

    fn reset(&mut self) {
        self.value.clone_from(&self.initial);
    }

    fn is_saved(&self) -> bool {
        self.codecs.value.is_some()
    }

    fn save(&self, to: &mut Encoder) {
        if let Some(codec) = &self.codecs.value {
            (codec.save)(&self.value, to);
        }
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        if let Some(codec) = &self.codecs.value {
            self.value = (codec.load)(from)?;
        }
        Ok(())
    }

    fn decode(&self, from: &mut Decoder<'_>) -> Result<Option<Box<dyn Any>>, DecodeError> {
        let Some(codec) = &self.codecs.value else { return Ok(None) };
        let value = (codec.load)(from)?;
        Ok(self.shown(&value).is_some().then(|| Box::new(value) as Box<dyn Any>))
    }

    fn writes_of(&self, writer: u32, show: &mut dyn FnMut(&dyn Any, bool)) {
        for (_, update) in self.pending.iter().filter(|(w, _)| *w == writer) {
            match update {
                Update::Fold(u) => show(u, false),
                Update::Overwrite(value) => show(value, true),
            }
        }
    }

    fn save_writes(&self, writer: u32, to: &mut Encoder) -> bool {
        let own = || self.pending.iter().filter(|(w, _)| *w == writer);
        to.len(own().count());
        own().all(|(_, update)| match (update, &self.codecs.update, &self.codecs.value) {
            (Update::Fold(u), Some(codec), _) => {
                to.bool(false);
                (codec.save)(u, to);
                true
            }
            (Update::Overwrite(value), _, Some(codec)) => {
                to.bool(true);
                (codec.save)(value, to);
                true
            }
            _ => false,
        })
    }

    fn saves_updates(&self) -> bool {
        self.codecs.update.is_some()
    }

    fn load_writes(&mut self, writer: u32, from: &mut Decoder<'_>) -> Result<usize, DecodeError> {
        for _ in 0..from.u64("writes")? {
            let overwrites = from.bool("overwrite")?;
            let update = match (overwrites, &self.codecs.update, &self.codecs.value) {
                (false, Some(codec), _) => Update::Fold((codec.load)(from)?),
                (true, _, Some(codec)) => Update::Overwrite((codec.load)(from)?),
                _ => continue,
            };
            self.pending.push((writer, update));
        }
        Ok(self.pending.len())
    }

    fn export(&self) -> Option<Box<dyn Any + Send + Sync>> {
        let value = self.seen_by(NOBODY)?;
        if let Some(explode) = self.codecs.explode {
            return Some(Box::new(explode(value.downcast_ref::<T>()?)));
        }
        // The whole value is an update only where the two types are one.
        Some(Box::new(vec![value.downcast_ref::<U>()?.clone()]))
    }

    fn import(&mut self, writer: u32, exported: Box<dyn Any + Send + Sync>) -> Option<usize> {
        let all = exported.downcast::<Vec<U>>().ok()?;
        self.pending.extend(all.into_iter().map(|u| (writer, Update::Fold(u))));
        Some(self.pending.len())
    }

    fn shares(&self) -> Option<TypeId> {
        let same = TypeId::of::<T>() == TypeId::of::<U>();
        (same || self.codecs.explode.is_some()).then(TypeId::of::<U>)
    }
}
