//! The saved state of a graph: the channels that have an encoding, and what the nodes keep. Taken between runs.

use crate::error::LoadError;
use crate::io::Entry;
use crate::run::Compiled;
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
