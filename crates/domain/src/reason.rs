//! `Waterfall`: the reasons of one decision, in integers that add up exactly.
//!
//! `base` says what each factor of each agent asked for; every later stage reads an integer, produces an integer and
//! records the difference as a step. Hence Σ base + Σ steps = final, always, by integer equality. Up to the quantity
//! stage the unit is nano-NAV (1e-9 of NAV); `LotLine` goes on in whole lots:
//! target − position − open = order.

use crate::council::{Regime, Resolution};
use crate::signal::{AgentId, FactorId};

/// The stages that can change a decision after the agents have spoken. Their numbers are those of journals; the order in
/// which they run is that of `ALL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Step {
    /// Values scaled by the agents' weights and confidence.
    Weight = 0,
    /// Values clamped to the range of a signal.
    Normalise = 1,
    /// A forbidden direction set to zero.
    LongOnly = 2,
    /// Shares of the account given to each instrument.
    Construct = 3,
    /// Changes too small to be worth their cost left out.
    Turnover = 4,
    /// The risk manager's cap on one position.
    RiskPosition = 5,
    /// The risk manager's cap on gross exposure.
    RiskGross = 6,
    /// Whole lots.
    Lot = 7,
    /// Confidence cut because a bar failed a quality check; it runs after `Weight`.
    Doubt = 8,
    /// Agents that speak loudly brought to the loudness of the others.
    Scale = 9,
    /// Confidence corrected by how often and how well the agent was right so far.
    Calibrate = 10,
    /// Strategies weighted by the market's regime.
    Regime = 11,
    /// Weights that the council learned.
    Learned = 12,
    /// Contradicting opinions resolved.
    Conflict = 13,
    /// Smaller positions in instruments that move more.
    Volatility = 14,
    /// All positions made smaller so that the portfolio moves no more than the mandate wants.
    VolatilityTarget = 15,
}

impl Step {
    /// All steps in the order in which they run, with the sentence that explains them.
    pub const ALL: [(Step, &'static str, &'static str); 16] = [
        (Step::Weight, "weight", "the agents' weights in the council, and how sure each agent is"),
        (Step::Scale, "scale", "agents that speak loudly are brought to the loudness of the others"),
        (Step::Calibrate, "calibrate", "what each agent's record so far says about its confidence"),
        (Step::Regime, "regime", "the market's regime, and which strategies it suits"),
        (Step::Learned, "learned weight", "the weights that the council has learned from its agents' results"),
        (Step::Conflict, "conflict", "contradicting opinions resolved by a named rule"),
        (Step::Doubt, "data quality", "a bar of the last 20 failed a quality check, so the opinions count for less"),
        (Step::Normalise, "normalise", "the sum of all opinions clamped to the range of a signal"),
        (Step::LongOnly, "long-only", "the mandate forbids short positions"),
        (Step::Volatility, "volatility", "instruments that move more get smaller positions"),
        (Step::VolatilityTarget, "volatility target", "the portfolio is to move no more than the mandate wants"),
        (Step::Construct, "construct", "the share of the account that one instrument may have at full signal"),
        (Step::Turnover, "turnover", "the change was too small to be worth its cost"),
        (Step::RiskPosition, "risk: position", "the risk manager's cap on one position"),
        (Step::RiskGross, "risk: gross", "the risk manager's cap on gross exposure"),
        (Step::Lot, "lot", "rounding to whole lots"),
    ];

    /// Short name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(s, _, _)| *s == self).map_or("?", |(_, name, _)| name)
    }

    /// Plain sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        Self::ALL.iter().find(|(s, _, _)| *s == self).map_or("?", |(_, _, text)| text)
    }

    /// The step with this number in a journal.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Step> {
        Self::ALL.iter().map(|(s, _, _)| *s).find(|s| *s as u8 == byte)
    }
}

/// What one factor of one agent asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaseEntry {
    /// The agent.
    pub agent: AgentId,
    /// Its factor.
    pub factor: FactorId,
    /// In the waterfall's unit.
    pub amount: i64,
}

/// What one stage changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepEntry {
    /// The stage.
    pub step: Step,
    /// After − before, in the waterfall's unit.
    pub amount: i64,
}

/// What the amounts of a waterfall count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum WaterfallUnit {
    /// 1e-9 of NAV.
    #[default]
    NanoNav = 0,
    /// Whole lots (the `direct` allocator with a fixed quantity).
    Lots = 1,
}

/// The quantity stage: target − position − open = order, all in lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LotLine {
    /// Lots wanted.
    pub target: i64,
    /// Lots held.
    pub position: i64,
    /// Signed lots of open orders.
    pub open: i64,
    /// Signed lots to order.
    pub order: i64,
}

impl LotLine {
    /// True if the line adds up.
    #[must_use]
    pub fn balances(&self) -> bool {
        i128::from(self.target).wrapping_sub(i128::from(self.position)).wrapping_sub(i128::from(self.open))
            == i128::from(self.order)
    }
}

/// The reasons of one decision. The buffers are reused: `clear` keeps their memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waterfall {
    /// What the amounts count.
    pub unit: WaterfallUnit,
    /// What the agents asked for.
    pub base: Vec<BaseEntry>,
    /// What later stages changed.
    pub steps: Vec<StepEntry>,
    /// The decision.
    pub last: i64,
    /// The quantity stage.
    pub lots: LotLine,
    /// The market's regime at the decision.
    pub regime: Regime,
    /// How contradicting opinions became one.
    pub resolution: Resolution,
}

impl Waterfall {
    /// Empties the waterfall and keeps its memory.
    #[inline]
    pub fn clear(&mut self, unit: WaterfallUnit) {
        self.unit = unit;
        self.base.clear();
        self.steps.clear();
        self.last = 0;
        self.lots = LotLine::default();
        self.regime = Regime::Unknown;
        self.resolution = Resolution::Agreement;
    }

    /// Adds what a factor asked for. Amounts are at most 1e18 in absolute value, so sums of a council fit.
    #[inline]
    pub fn add_base(&mut self, agent: AgentId, factor: FactorId, amount: i64) {
        self.base.push(BaseEntry { agent, factor, amount });
        self.last = self.last.saturating_add(amount);
    }

    /// Records that a stage made `after` of the value so far; a stage that changes nothing leaves no entry.
    #[inline]
    pub fn step_to(&mut self, step: Step, after: i64) {
        if after != self.last {
            self.steps.push(StepEntry { step, amount: after.saturating_sub(self.last) });
            self.last = after;
        }
    }

    /// True if base and steps sum to the decision and the lots add up.
    #[must_use]
    pub fn balances(&self) -> bool {
        let base: i128 = self.base.iter().map(|e| i128::from(e.amount)).sum();
        let steps: i128 = self.steps.iter().map(|e| i128::from(e.amount)).sum();
        base.checked_add(steps) == Some(i128::from(self.last)) && self.lots.balances()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_waterfall_adds_up(base in prop::collection::vec(-1_000_000_000_i64..1_000_000_000, 0..20),
                                   after in prop::collection::vec((0_u8..8, -1_000_000_000_i64..1_000_000_000), 0..8)) {
            let mut w = Waterfall::default();
            for (i, amount) in base.iter().enumerate() {
                w.add_base(AgentId(i as u16 / 3), FactorId(i as u16 % 3), *amount);
            }
            for (step, value) in &after {
                w.step_to(Step::from_byte(*step).unwrap(), *value);
            }
            prop_assert!(w.balances());
            prop_assert_eq!(w.last, after.last().map_or(base.iter().sum(), |(_, v)| *v));
            w.last = w.last.wrapping_add(1);
            prop_assert!(!w.balances());
        }
    }

    #[test]
    fn every_step_has_a_number_of_its_own_without_a_gap() {
        let mut numbers: Vec<u8> = Step::ALL.iter().map(|(step, _, _)| *step as u8).collect();
        numbers.sort_unstable();
        assert!(numbers.iter().map(|n| usize::from(*n)).eq(0..Step::ALL.len()));
        assert!(Step::ALL.iter().all(|(step, _, _)| Step::from_byte(*step as u8) == Some(*step)));
    }
}
