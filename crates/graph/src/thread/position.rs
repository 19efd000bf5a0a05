//! Where a run is: what would run next, as the body of a checkpoint.

use crate::error::LoadError;
use crate::exec::{load_packets, save_packets};
use crate::run::Compiled;
use crate::saver::{CheckpointId, Spot};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Of the layout below; of checkpoints of a subgraph, which begin with the checkpoint around them.
const VERSION: u16 = 1;
const VERSION_INSIDE: u16 = 2;

impl<C> Compiled<C> {
    pub(crate) fn save_position(&self, to: &mut Encoder) {
        let (full, session) = (&self.full, &self.full.session);
        let outer = full.env.link.as_ref().and_then(|link| link.outer.as_ref()).or(session.outer.as_ref());
        to.u16(if outer.is_some() { VERSION_INSIDE } else { VERSION });
        if let Some((ns, id)) = outer {
            to.str(ns);
            to.u64(id.seq);
            to.u64(id.hash);
        }
        to.u64(self.plan.fingerprint);
        to.bool(session.start);
        if session.start {
            to.bool(session.start_record.is_some());
            if let Some(record) = &session.start_record {
                to.bytes(record);
            }
        }
        for words in [&self.frontier, &full.waiting, &full.last, &self.arrived] {
            words.iter().for_each(|w| to.u64(*w));
        }
        save_packets(&full.sends, to);
        if !full.env.effects.none() {
            full.env.effects.save(to);
        }
    }

    pub(crate) fn load_position(&mut self, from: &mut Decoder<'_>) -> Result<(), LoadError> {
        let outer = load_outer(from)?;
        let found = from.u64("graph")?;
        if found != self.plan.fingerprint {
            return Err(LoadError::OtherShape);
        }
        let session = &mut self.full.session;
        session.outer = outer;
        session.start = from.bool("start")?;
        session.start_record = None;
        if session.start && from.bool("input")? {
            session.start_record = Some(from.bytes("input")?.to_vec());
        }
        let full = &mut *self.full;
        for words in [&mut self.frontier, &mut full.waiting, &mut full.last, &mut self.arrived] {
            for word in words.iter_mut() {
                *word = from.u64("nodes")?;
            }
        }
        full.sends = load_packets(from, &self.plan)?;
        if !full.env.effects.none() {
            full.env.effects.load(from)?;
        }
        Ok(from.finish()?)
    }
}

/// The checkpoint around one of a subgraph, from its body.
pub(super) fn outer_of(body: &[u8]) -> Result<Option<Spot>, DecodeError> {
    load_outer(&mut Decoder::new(body))
}

fn load_outer(from: &mut Decoder<'_>) -> Result<Option<Spot>, DecodeError> {
    match from.u16("version")? {
        VERSION => Ok(None),
        VERSION_INSIDE => {
            let ns = from.str("namespace")?.to_owned();
            Ok(Some((ns, CheckpointId { seq: from.u64("checkpoint")?, hash: from.u64("checkpoint")? })))
        }
        version => {
            let (found, expected) = (u64::from(version), u64::from(VERSION_INSIDE));
            Err(DecodeError::Mismatch { what: "version of the checkpoint", found, expected })
        }
    }
}
