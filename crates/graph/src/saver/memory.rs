//! Checkpoints in memory, in a few growing buffers a namespace, so that a put costs little more than its bytes.

use super::{CheckpointId, NewCheckpoint, Place, Query, Saved, Saver, SaverError, Source, TaskWrite};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard};

/// A saver that lasts as long as the process. It grows without bound; `delete_thread` frees a thread.
#[derive(Debug, Default)]
pub struct MemorySaver {
    threads: Mutex<BTreeMap<String, Thread>>,
}

impl MemorySaver {
    /// Without checkpoints.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of bodies and channels kept for a thread.
    #[must_use]
    pub fn bytes(&self, thread: &str) -> usize {
        self.lock().get(thread).map_or(0, |t| t.spaces().map(|s| s.bytes.len()).sum())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Thread>> {
        // Nothing panics while it is held; what a poisoned lock guards is whole.
        self.threads.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn with<R>(&self, place: Place<'_>, act: impl FnOnce(&mut Space) -> R) -> R {
        let mut threads = self.lock();
        if let Some(thread) = threads.get_mut(place.thread) {
            return act(thread.space_mut(place.ns));
        }
        act(threads.entry(place.thread.to_owned()).or_default().space_mut(place.ns))
    }
}

/// The graph's own checkpoints apart from those of subgraphs: comparing two empty names costs more than all else here,
/// because the vector instructions that do it stumble over the address of an empty string.
#[derive(Debug, Default)]
struct Thread {
    own: Space,
    nested: BTreeMap<String, Space>,
}

impl Thread {
    fn space(&self, ns: &str) -> Option<&Space> {
        if ns.is_empty() { Some(&self.own) } else { self.nested.get(ns) }
    }

    fn space_mut(&mut self, ns: &str) -> &mut Space {
        if ns.is_empty() { &mut self.own } else { self.nested.entry(ns.to_owned()).or_default() }
    }

    fn spaces(&self) -> impl Iterator<Item = &Space> {
        std::iter::once(&self.own).chain(self.nested.values())
    }
}

#[derive(Debug, Default)]
struct Space {
    names: Vec<String>,
    bytes: Vec<u8>,
    versions: Vec<(u16, u64)>,
    rows: Vec<Row>,
    /// Of each channel, by version; versions only grow.
    blobs: Vec<Vec<(u64, Range<usize>)>>,
    /// The names are those of graphs with this hash, in their order.
    layout: Option<u64>,
    writes: BTreeMap<(CheckpointId, u64, u32), Vec<u8>>,
}

#[derive(Debug)]
struct Row {
    id: CheckpointId,
    parent: Option<CheckpointId>,
    step: i64,
    source: Source,
    body: Range<usize>,
    versions: Range<usize>,
}

impl Space {
    fn number(&mut self, known: bool, at: u16, name: &str) -> u16 {
        if known || self.names.get(usize::from(at)).is_some_and(|n| n == name) {
            return at;
        }
        let found = self.names.iter().position(|n| n == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.blobs.push(Vec::new());
            self.names.len() - 1
        });
        found as u16
    }

    fn blob(&self, number: u16, version: u64) -> Option<&Range<usize>> {
        let all = self.blobs.get(usize::from(number))?;
        all.binary_search_by_key(&version, |(v, _)| *v).ok().and_then(|at| all.get(at)).map(|(_, range)| range)
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let first = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        first..self.bytes.len()
    }

    fn put(&mut self, c: &NewCheckpoint<'_>) {
        if self.names.is_empty() {
            self.names.extend_from_slice(c.names);
            self.blobs.resize_with(c.names.len(), Vec::new);
            self.layout = Some(c.layout);
        }
        let known = self.layout == Some(c.layout);
        let first = self.versions.len();
        for (at, version) in c.versions {
            let Some(name) = c.names.get(usize::from(*at)) else { continue };
            let number = self.number(known, *at, name);
            self.versions.push((number, *version));
        }
        for (at, range) in c.changed {
            let (Some(name), Some(bytes)) = (c.names.get(usize::from(*at)), c.blobs.get(range.clone())) else {
                continue;
            };
            let number = self.number(known, *at, name);
            let range = self.keep(bytes);
            let Some(all) = self.blobs.get_mut(usize::from(number)) else { continue };
            // Nearly always the newest.
            if all.last().is_none_or(|(version, _)| *version < c.id.seq) {
                all.push((c.id.seq, range));
                continue;
            }
            let at = all.partition_point(|(version, _)| *version < c.id.seq);
            match all.get_mut(at) {
                Some((version, same)) if *version == c.id.seq => *same = range,
                _ => all.insert(at, (c.id.seq, range)),
            }
        }
        let body = self.keep(c.body);
        let row = Row {
            id: c.id,
            parent: c.parent,
            step: c.step,
            source: c.source,
            body,
            versions: first..self.versions.len(),
        };
        if self.rows.last().is_none_or(|r| r.id < c.id) {
            self.rows.push(row);
            return;
        }
        let at = self.rows.partition_point(|r| r.id < c.id);
        match self.rows.get_mut(at) {
            Some(same) if same.id == c.id => *same = row,
            _ => self.rows.insert(at, row),
        }
    }

    fn saved(&self, row: &Row) -> Result<Saved, SaverError> {
        let slice = |range: &Range<usize>| self.bytes.get(range.clone()).unwrap_or_default().to_vec();
        let mut values = Vec::new();
        for (number, version) in self.versions.get(row.versions.clone()).unwrap_or_default() {
            let channel = self.names.get(usize::from(*number)).cloned().unwrap_or_default();
            match self.blob(*number, *version) {
                Some(range) => values.push((channel, *version, slice(range))),
                None => return Err(SaverError::MissingBlob { channel, version: *version }),
            }
        }
        let writes = self.writes.range((row.id, 0, 0)..=(row.id, u64::MAX, u32::MAX));
        let writes = writes.map(|((_, task, index), b)| TaskWrite { task: *task, index: *index, bytes: b.clone() });
        let (id, parent, step, source) = (row.id, row.parent, row.step, row.source);
        Ok(Saved { id, parent, step, source, body: slice(&row.body), values, writes: writes.collect() })
    }
}

impl Saver for MemorySaver {
    fn put(&self, place: Place<'_>, checkpoint: &NewCheckpoint<'_>) -> Result<(), SaverError> {
        self.with(place, |space| space.put(checkpoint));
        Ok(())
    }

    fn put_writes(&self, place: Place<'_>, id: CheckpointId, writes: &[TaskWrite]) -> Result<(), SaverError> {
        self.with(place, |space| {
            for w in writes {
                space.writes.insert((id, w.task, w.index), w.bytes.clone());
            }
        });
        Ok(())
    }

    fn get(&self, place: Place<'_>, id: Option<CheckpointId>) -> Result<Option<Saved>, SaverError> {
        let threads = self.lock();
        let Some(space) = threads.get(place.thread).and_then(|t| t.space(place.ns)) else { return Ok(None) };
        let row = match id {
            Some(id) => space.rows.binary_search_by_key(&id, |r| r.id).ok().and_then(|at| space.rows.get(at)),
            None => space.rows.last(),
        };
        row.map(|row| space.saved(row)).transpose()
    }

    fn list(&self, place: Place<'_>, query: Query) -> Result<Vec<Saved>, SaverError> {
        let threads = self.lock();
        let Some(space) = threads.get(place.thread).and_then(|t| t.space(place.ns)) else {
            return Ok(Vec::new());
        };
        let wanted = |row: &&Row| {
            query.before.is_none_or(|before| row.id < before)
                && query.source.is_none_or(|source| row.source == source)
                && query.step.is_none_or(|step| row.step == step)
        };
        let rows = space.rows.iter().rev().filter(wanted).take(query.limit.unwrap_or(usize::MAX));
        rows.map(|row| space.saved(row)).collect()
    }

    fn newest_seq(&self, thread: &str) -> Result<u64, SaverError> {
        let threads = self.lock();
        let newest = threads.get(thread).into_iter().flat_map(Thread::spaces).filter_map(|s| s.rows.last());
        Ok(newest.map(|row| row.id.seq).max().unwrap_or(0))
    }

    fn delete_thread(&self, thread: &str) -> Result<(), SaverError> {
        self.lock().remove(thread);
        Ok(())
    }

    fn flush(&self) -> Result<(), SaverError> {
        Ok(())
    }
}
