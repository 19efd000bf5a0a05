//! The three strongest reasons of a decision: by absolute amount over what each agent asked for, and each step.

use tradegraph_domain::{AgentId, Step, Waterfall};

/// Who or what moved the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// All factors of an agent together.
    Agent(AgentId),
    /// A stage.
    Step(Step),
}

/// One reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// From 1.
    pub rank: usize,
    /// Who or what.
    pub cause: Cause,
    /// By how much, in the waterfall's unit.
    pub amount: i64,
}

/// The (up to) three strongest reasons, strongest first; ties in the order of the waterfall.
#[must_use]
pub fn top_reasons(w: &Waterfall) -> Vec<Reason> {
    let mut all: Vec<(Cause, i64)> = Vec::new();
    for entry in &w.base {
        match all.iter_mut().find(|(c, _)| *c == Cause::Agent(entry.agent)) {
            Some((_, sum)) => *sum += entry.amount,
            None => all.push((Cause::Agent(entry.agent), entry.amount)),
        }
    }
    all.extend(w.steps.iter().map(|s| (Cause::Step(s.step), s.amount)));
    all.retain(|(_, amount)| *amount != 0);
    all.sort_by_key(|(_, amount)| std::cmp::Reverse(amount.unsigned_abs()));
    all.into_iter().take(3).zip(1..).map(|((cause, amount), rank)| Reason { rank, cause, amount }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradegraph_domain::{FactorId, WaterfallUnit};

    #[test]
    fn agents_count_as_a_whole_and_ties_keep_their_order() {
        let mut w = Waterfall::default();
        w.clear(WaterfallUnit::NanoNav);
        w.add_base(AgentId(1), FactorId(0), 30);
        w.add_base(AgentId(1), FactorId(1), -25);
        w.add_base(AgentId(2), FactorId(0), 10);
        w.step_to(Step::Weight, 5);
        w.step_to(Step::Lot, 3);
        // Agent 1: 5, agent 2: 10, weight: −10, lot: −2.
        let top: Vec<_> = top_reasons(&w).iter().map(|r| (r.cause, r.amount)).collect();
        assert_eq!(
            top,
            vec![(Cause::Agent(AgentId(2)), 10), (Cause::Step(Step::Weight), -10), (Cause::Agent(AgentId(1)), 5),]
        );
    }
}
