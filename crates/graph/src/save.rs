//! The saved state of a graph: the channels that have an encoding, and what the nodes keep. Taken between runs.

use crate::error::LoadError;
use crate::io::Entry;
use crate::run::Compiled;
use std::sync::Arc;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Of the layout below.
const VERSION: u16 = 1;

impl<C> Compiled<C> {
    /// Appends the state: every saved channel and every node, each under its name and with its length, so that a
    /// state that was read wrongly is reported where it begins.
    pub fn save(&self, to: &mut Encoder) {
        to.u16(VERSION);
        let mut part = Encoder::new();
        let channels = || self.channels.entries.iter().filter(|e| is_saved(e));
        to.len(channels().count());
        for entry in channels() {
            part.clear();
            if let Some(slot) = &entry.slot {
                slot.save(&mut part);
            }
            to.str(&entry.name);
            to.bytes(part.as_bytes());
        }
        to.len(self.nodes.len());
        for (node, shape) in self.nodes.iter().zip(&self.plan.nodes) {
            part.clear();
            node.save(&mut part);
            to.str(&shape.name);
            to.bytes(part.as_bytes());
        }
        // Graphs of plain steps have neither, and their bytes are those of before there were any.
        if !self.plan.simple {
            to.u64(self.full.env.cycle);
            self.full.broken.iter().for_each(|broken| to.bool(*broken));
            self.full.missed.iter().for_each(|missed| to.u32(*missed));
            for good in &self.full.good {
                to.bool(good.is_some());
                if let Some((cycle, record)) = good {
                    to.u64(*cycle);
                    to.bytes(record);
                }
            }
            self.full.env.effects.save(to);
        }
    }

    /// The state of the nodes alone, of a subgraph whose channels are in checkpoints of its own; nothing if none of
    /// them keeps any.
    pub(crate) fn save_nodes(&self, to: &mut Encoder) {
        let mut part = Encoder::new();
        let mut kept = Vec::new();
        for (rank, node) in (0_u16..).zip(&self.nodes) {
            part.clear();
            node.save(&mut part);
            if !part.as_bytes().is_empty() {
                kept.push((rank, part.as_bytes().to_vec()));
            }
        }
        if !kept.is_empty() {
            to.len(kept.len());
            for (rank, bytes) in kept {
                to.u16(rank);
                to.bytes(&bytes);
            }
        }
    }

    pub(crate) fn load_nodes(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        if from.left() == 0 {
            return Ok(());
        }
        for _ in 0..from.len("nodes")? {
            let (rank, bytes) = (from.u16("node")?, from.bytes("state")?);
            let node = self.nodes.get_mut(usize::from(rank));
            let node = node.ok_or(DecodeError::Invalid { what: "node", at: 0, found: u64::from(rank) })?;
            node.load(&mut Decoder::new(bytes))?;
        }
        Ok(())
    }

    /// Reads what [`Compiled::save`] wrote. Channels without an encoding go back to their initial values; input that
    /// was not used is dropped.
    ///
    /// # Errors
    /// The state is of another graph or does not decode; the graph may then be half loaded.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), LoadError> {
        self.reset();
        must_equal("version of the saved graph", u64::from(from.u16("version")?), u64::from(VERSION))?;
        let saved = self.channels.entries.iter_mut().filter(|e| is_saved(e));
        let expected = saved.count() as u64;
        must_equal("saved channels", from.len("channels")? as u64, expected)?;
        for entry in self.channels.entries.iter_mut().filter(|e| is_saved(e)) {
            let mut part = named_part(from, &entry.name)?;
            if let Some(slot) = &mut entry.slot {
                let loaded = slot.load(&mut part).and_then(|()| part.finish());
                loaded.map_err(|source| LoadError::Channel { channel: entry.name.clone(), source })?;
            }
        }
        must_equal("saved nodes", from.len("nodes")? as u64, self.nodes.len() as u64)?;
        for (node, shape) in self.nodes.iter_mut().zip(&self.plan.nodes) {
            let mut part = named_part(from, &shape.name)?;
            let loaded = node.load(&mut part).and_then(|()| part.finish());
            loaded.map_err(|source| LoadError::Node { node: shape.name.clone(), source })?;
        }
        if !self.plan.simple {
            self.full.env.cycle = from.u64("cycle")?;
            for broken in &mut self.full.broken {
                *broken = from.bool("node out of service")?;
            }
            for missed in &mut self.full.missed {
                *missed = from.u32("runs missed")?;
            }
            for good in &mut self.full.good {
                *good = match from.bool("last good output")? {
                    true => Some((from.u64("cycle")?, Arc::new(from.bytes("output")?.to_vec()))),
                    false => None,
                };
            }
            self.full.env.effects.load(from)?;
        }
        Ok(())
    }

    /// The channels that hold values from run to run and are not saved: a restart loses them.
    pub fn unsaved(&self) -> impl Iterator<Item = &str> {
        let kept = self.channels.entries.iter().filter(|e| e.slot.is_some() && !e.each_run && !is_saved(e));
        kept.map(|e| e.name.as_str())
    }
}

fn is_saved(entry: &Entry) -> bool {
    entry.slot.as_ref().is_some_and(|s| s.is_saved())
}

fn must_equal(what: &'static str, found: u64, expected: u64) -> Result<(), DecodeError> {
    if found == expected { Ok(()) } else { Err(DecodeError::Mismatch { what, found, expected }) }
}

fn named_part<'a>(from: &mut Decoder<'a>, expected: &str) -> Result<Decoder<'a>, LoadError> {
    let found = from.str("name")?;
    if found != expected {
        return Err(LoadError::OtherGraph { found: found.to_owned(), expected: expected.to_owned() });
    }
    Ok(Decoder::new(from.bytes("state")?))
}
