//! What agents say (`SignalColumn`) and what the allocator wants (`TargetColumn`).

use tradegraph_columns::Status;

/// Dense index of an agent in the council of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentId(pub u16);

/// Index of a factor within its agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactorId(pub u16);

/// Version of the model that made a signal; part of every signal's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelVersion(pub u32);

/// One agent's opinion about all instruments at one moment.
///
/// The value for instrument `i` is *defined* as the sum of its factors in their fixed order; a clamp is a factor of
/// its own. Values lie on [−1, 1] (−1 = as short as the mandate allows), confidence on [0, 1]. Factors are stored
/// factor after factor: factor `f` of instrument `i` is at `f × n + i`.
#[derive(Debug)]
pub struct SignalColumn<'a> {
    factors: &'a mut [f64],
    confidence: &'a mut [f64],
    status: &'a mut [Status],
}

impl<'a> SignalColumn<'a> {
    /// A column over `n` instruments (the length of `status` and `confidence`) and `factors.len() / n` factors.
    #[inline]
    #[must_use]
    pub fn new(factors: &'a mut [f64], confidence: &'a mut [f64], status: &'a mut [Status]) -> Self {
        SignalColumn { factors, confidence, status }
    }

    /// Number of instruments.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.status.len()
    }

    /// True without instruments.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.status.is_empty()
    }

    /// Sets the opinion about one instrument. Factors beyond those of the column are ignored.
    #[inline]
    #[allow(clippy::arithmetic_side_effects, reason = "an index into the column")]
    pub fn set(&mut self, i: usize, factors: &[f64], confidence: f64) {
        let n = self.status.len();
        for (f, value) in factors.iter().enumerate() {
            if let Some(slot) = self.factors.get_mut(f * n + i) {
                *slot = *value;
            }
        }
        if let (Some(c), Some(s)) = (self.confidence.get_mut(i), self.status.get_mut(i)) {
            *c = confidence;
            *s = Status::Ok;
        }
    }

    /// Says that there is no opinion about one instrument, and why.
    #[inline]
    #[allow(clippy::arithmetic_side_effects, reason = "an index into the column")]
    pub fn set_none(&mut self, i: usize, why: Status) {
        let n = self.status.len();
        let mut at = i;
        while let Some(slot) = self.factors.get_mut(at) {
            *slot = 0.0;
            at += n.max(1);
        }
        if let (Some(c), Some(s)) = (self.confidence.get_mut(i), self.status.get_mut(i)) {
            *c = 0.0;
            *s = why;
        }
    }

    /// Says the same about all instruments: no opinion, and why.
    pub fn clear(&mut self, why: Status) {
        self.factors.fill(0.0);
        self.confidence.fill(0.0);
        self.status.fill(why);
    }

    /// Factors, confidence and statuses for agents that write whole rows. A cell whose status is not `Ok` must hold
    /// zeros when the agent is done.
    #[inline]
    pub fn parts(&mut self) -> (&mut [f64], &mut [f64], &mut [Status]) {
        (self.factors, self.confidence, self.status)
    }
}

/// The position wanted of each instrument, as a signed share of NAV in 1e-9 (nano-NAV).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetColumn {
    /// 1e-9 of NAV for each instrument.
    pub nano_nav: Vec<i64>,
}
