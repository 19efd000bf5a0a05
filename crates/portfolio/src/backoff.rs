//! Pauses after a wish that was not met. Without one, a loop proposes every bar what the account cannot pay, and fills
//! the journal with refusals.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::InstrumentId;

/// Longest pause between tries, in decisions.
const LONGEST: u32 = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    instrument: InstrumentId,
    wait: u32,
    pause: u32,
}

/// Instruments whose wish was not met, each with a pause that doubles with every failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    entries: Vec<Entry>,
}

impl Backoff {
    /// True if every wish was met.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A wish was not met.
    pub(crate) fn failed(&mut self, i: InstrumentId) {
        match self.entries.iter_mut().find(|e| e.instrument == i) {
            Some(e) => {
                e.pause = (e.pause * 2).min(LONGEST);
                e.wait = e.pause;
            }
            None => self.entries.push(Entry { instrument: i, wait: 1, pause: 1 }),
        }
    }

    /// A wish was met or replaced.
    pub(crate) fn forget(&mut self, i: InstrumentId) {
        if !self.entries.is_empty() {
            self.entries.retain(|e| e.instrument != i);
        }
    }

    /// Forgets the wishes that were met or given up.
    pub(crate) fn forget_met(&mut self, is_met: impl Fn(InstrumentId) -> bool) {
        self.entries.retain(|e| !is_met(e.instrument));
    }

    /// One decision has passed.
    pub(crate) fn tick(&mut self) {
        self.entries.iter_mut().for_each(|e| e.wait = e.wait.saturating_sub(1));
    }

    /// True if the instrument's pause lasted at the last decision; one that began at it does not count.
    pub(crate) fn was_waiting(&self, i: InstrumentId) -> bool {
        self.entries.iter().any(|e| e.instrument == i && e.wait > 0 && e.wait < e.pause)
    }

    /// True while the instrument's pause lasts.
    pub(crate) fn is_waiting(&self, i: InstrumentId) -> bool {
        self.entries.iter().any(|e| e.instrument == i && e.wait > 0)
    }

    /// The `k`-th instrument whose pause is over.
    pub(crate) fn due(&self, k: usize) -> Option<InstrumentId> {
        self.entries.iter().filter(|e| e.wait == 0).nth(k).map(|e| e.instrument)
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        to.len(self.entries.len());
        for e in &self.entries {
            to.u32(e.instrument.0);
            to.u32(e.wait);
            to.u32(e.pause);
        }
    }

    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let n = from.len("pauses")?;
        let mut entry = || {
            let instrument = InstrumentId(from.u32("pause")?);
            Ok(Entry { instrument, wait: from.u32("pause")?, pause: from.u32("pause")? })
        };
        self.entries = (0..n).map(|_| entry()).collect::<Result<_, _>>()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let (i, mut b) = (InstrumentId(3), Backoff::default());
        let mut pauses = vec![];
        for _ in 0..9 {
            b.failed(i);
            let mut pause = 0;
            while b.is_waiting(i) {
                b.tick();
                pause += 1;
            }
            assert_eq!(b.due(0), Some(i));
            pauses.push(pause);
        }
        assert_eq!(pauses, vec![1, 2, 4, 8, 16, 32, 64, 64, 64]);
        b.forget(i);
        assert!(b.is_empty());
    }
}
