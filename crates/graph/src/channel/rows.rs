//! Rows of columns as one channel: every row has one owner a step, who fills a spare buffer; the barrier swaps the
//! buffers and copies nothing. Readers see all rows in their fixed order, so a fold over them is the same for any number
//! of threads.

use super::slot::{Codecs, NOBODY, Slot};
use std::any::{Any, TypeId};
use std::sync::{Mutex, OnceLock, PoisonError};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// The spare buffer of a row, and who filled it in this step.
struct Spare<T> {
    owners: Vec<u32>,
    buffer: T,
}

pub(crate) struct Rows<T> {
    initial: Vec<T>,
    value: Vec<T>,
    /// Behind locks, because owners fill their rows beside each other; a lock is never waited for by one owner.
    spares: Vec<Mutex<Spare<T>>>,
    seen: OnceLock<Vec<T>>,
    codecs: Codecs<Vec<T>, (usize, T)>,
}

impl<T: Clone> Rows<T> {
    pub(crate) fn new(initial: Vec<T>, codecs: Codecs<Vec<T>, (usize, T)>) -> Self {
        let spare = |row: &T| Mutex::new(Spare { owners: Vec::with_capacity(1), buffer: row.clone() });
        let spares = initial.iter().map(spare).collect();
        Rows { value: initial.clone(), initial, spares, seen: OnceLock::new(), codecs }
    }

    fn each(&self, mut act: impl FnMut(usize, &mut Spare<T>)) {
        for (row, spare) in self.spares.iter().enumerate() {
            act(row, &mut spare.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn filled(&self) -> usize {
        let mut n = 0;
        self.each(|_, spare| n += spare.owners.len());
        n
    }

    fn with_rows_of(&self, reader: u32) -> Vec<T> {
        let mut value = self.value.clone();
        self.each(|row, spare| {
            if let (Some(row), true) = (value.get_mut(row), spare.owners.contains(&reader)) {
                row.clone_from(&spare.buffer);
            }
        });
        value
    }
}

impl<T: Clone + Send + Sync + 'static> Slot for Rows<T> {
    fn seen_by(&self, reader: u32) -> Option<&dyn Any> {
        let mut own = false;
        if reader != NOBODY {
            self.each(|_, spare| own |= spare.owners.contains(&reader));
        }
        Some(if own { self.seen.get_or_init(|| self.with_rows_of(reader)) } else { &self.value })
    }

    fn write(&mut self, writer: u32, update: &mut dyn Any) -> Option<usize> {
        let (row, value) = update.downcast_mut::<Option<(usize, T)>>()?.take()?;
        let mut value = Some(value);
        self.fill(writer, row, &mut |spare| {
            if let (Some(spare), Some(value)) = (spare.downcast_mut::<T>(), value.take()) {
                *spare = value;
            }
        })?;
        Some(self.filled())
    }

    fn overwrite(&mut self, _writer: u32, _value: &mut dyn Any) -> Option<usize> {
        None
    }

    fn fill(&self, writer: u32, row: usize, fill: &mut dyn FnMut(&mut dyn Any)) -> Option<usize> {
        let mut spare = self.spares.get(row)?.lock().unwrap_or_else(PoisonError::into_inner);
        fill(&mut spare.buffer);
        spare.owners.push(writer);
        Some(spare.owners.len())
    }

    fn unfill(&self, writer: u32) {
        self.each(|_, spare| spare.owners.retain(|w| *w != writer));
    }

    fn takes(&self, update: TypeId, overwrite: bool) -> bool {
        !overwrite && (update == TypeId::of::<(usize, T)>() || update == TypeId::of::<T>())
    }

    fn conflicts(&self) -> bool {
        let mut twice = false;
        self.each(|_, spare| twice |= spare.owners.len() > 1);
        twice
    }

    fn writers(&self) -> Vec<u32> {
        let mut writers = Vec::new();
        self.each(|_, spare| {
            if spare.owners.len() > 1 {
                writers.extend(&spare.owners);
            }
        });
        writers.sort_unstable();
        writers
    }

    fn commit(&mut self) {
        for (row, spare) in self.value.iter_mut().zip(&mut self.spares) {
            let spare = spare.get_mut().unwrap_or_else(PoisonError::into_inner);
            if !spare.owners.is_empty() {
                std::mem::swap(row, &mut spare.buffer);
                spare.owners.clear();
            }
        }
        self.forget_seen();
    }

    fn idle(&mut self) -> bool {
        false
    }

    fn finish(&mut self) -> bool {
        false
    }

    fn discard(&mut self) {
        self.each(|_, spare| spare.owners.clear());
        self.forget_seen();
    }

    fn retract(&mut self, writer: u32) -> usize {
        self.unfill(writer);
        self.forget_seen();
        self.filled()
    }

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
            let value = (codec.load)(from)?;
            if value.len() != self.value.len() {
                let (found, expected) = (value.len() as u64, self.value.len() as u64);
                return Err(DecodeError::Mismatch { what: "rows", found, expected });
            }
            self.value = value;
        }
        Ok(())
    }

    fn decode(&self, from: &mut Decoder<'_>) -> Result<Option<Box<dyn Any>>, DecodeError> {
        let Some(codec) = &self.codecs.value else { return Ok(None) };
        Ok(Some(Box::new((codec.load)(from)?)))
    }

    fn writes_of(&self, writer: u32, show: &mut dyn FnMut(&dyn Any, bool)) {
        self.each(|row, spare| {
            if spare.owners.contains(&writer) {
                show(&(row, spare.buffer.clone()), false);
            }
        });
    }

    fn save_writes(&self, writer: u32, to: &mut Encoder) -> bool {
        let Some(codec) = &self.codecs.update else { return false };
        let mut own = Vec::new();
        self.each(|row, spare| {
            if spare.owners.contains(&writer) {
                own.push((row, spare.buffer.clone()));
            }
        });
        to.len(own.len());
        own.iter().for_each(|update| (codec.save)(update, to));
        true
    }

    fn saves_updates(&self) -> bool {
        self.codecs.update.is_some()
    }

    fn load_writes(&mut self, writer: u32, from: &mut Decoder<'_>) -> Result<usize, DecodeError> {
        if let Some(load) = self.codecs.update.as_ref().map(|c| c.load.clone()) {
            for _ in 0..from.u64("writes")? {
                let mut update = Some(load(from)?);
                self.write(writer, &mut update);
            }
        }
        Ok(self.filled())
    }

    fn export(&self) -> Option<Box<dyn Any + Send + Sync>> {
        let rows: Vec<(usize, T)> = self.value.iter().cloned().enumerate().collect();
        Some(Box::new(rows))
    }

    fn import(&mut self, writer: u32, exported: Box<dyn Any + Send + Sync>) -> Option<usize> {
        for update in *exported.downcast::<Vec<(usize, T)>>().ok()? {
            self.write(writer, &mut Some(update));
        }
        Some(self.filled())
    }

    fn shares(&self) -> Option<TypeId> {
        Some(TypeId::of::<(usize, T)>())
    }
}
