//! What allocators read and what they produce. Buffers are kept from one decision to the next.

use tradegraph_columns::Status;
use tradegraph_domain::{AgentId, InstrumentId, Waterfall, WaterfallUnit};

/// One agent's opinion about all instruments, to read. Factor `f` of instrument `i` is at `f × n + i`.
#[derive(Clone, Copy, Debug)]
pub struct SignalRef<'a> {
    /// Whose opinion.
    pub agent: AgentId,
    /// Factor after factor.
    pub factors: &'a [f64],
    /// Confidence on [0, 1].
    pub confidence: &'a [f64],
    /// Where there is an opinion.
    pub status: &'a [Status],
}

impl SignalRef<'_> {
    /// Factors of instrument `i` in their order.
    #[inline]
    pub fn factors_of(&self, i: usize) -> impl Iterator<Item = f64> + '_ {
        self.factors.iter().skip(i).step_by(self.status.len().max(1)).copied()
    }

    /// True if the agent has an opinion about instrument `i`.
    #[inline]
    #[must_use]
    pub fn is_ok(&self, i: usize) -> bool {
        self.status.get(i) == Some(&Status::Ok)
    }

    /// The value for instrument `i`: the sum of its factors in their order.
    #[inline]
    #[must_use]
    pub fn value(&self, i: usize) -> f64 {
        self.factors_of(i).fold(0.0, |sum, f| sum + f)
    }
}

/// A change that the allocator wants, with its reasons so far.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// What is to change.
    pub instrument: InstrumentId,
    /// What is held and on order now, in the waterfall's unit.
    pub current: i64,
    /// Reasons; `last` is the target.
    pub waterfall: Waterfall,
}

impl Decision {
    /// True if the change brings the position nearer to zero without crossing it.
    #[must_use]
    pub fn reduces(&self) -> bool {
        let (target, current) = (self.waterfall.last, self.current);
        target.unsigned_abs() <= current.unsigned_abs() && (target == 0 || target.signum() == current.signum())
    }
}

/// The decisions of one cycle.
#[derive(Clone, Debug, Default)]
pub struct Decisions {
    items: Vec<Decision>,
    len: usize,
}

impl Decisions {
    /// Forgets the last cycle and keeps its memory.
    #[inline]
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Starts a decision.
    #[inline]
    pub fn push(&mut self, instrument: InstrumentId, current: i64, unit: WaterfallUnit) -> &mut Decision {
        if self.len == self.items.len() {
            self.items.push(Decision::default());
        }
        let at = self.len;
        self.len += 1;
        let d = &mut self.items[at];
        (d.instrument, d.current) = (instrument, current);
        d.waterfall.clear(unit);
        d
    }

    /// Takes the last decision back.
    pub fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
    }

    /// The decisions in order of their instruments.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[Decision] {
        &self.items[..self.len]
    }

    /// The decisions, to be cut and sized.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [Decision] {
        &mut self.items[..self.len]
    }
}
