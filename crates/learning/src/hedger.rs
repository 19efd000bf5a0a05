//! Weights over agents, learned from what each earned per unit of the exposure that it asked for.
//!
//! Every so many decisions there is a lesson: each agent that asked for anything since the last one gained its net result
//! over the exposure that it asked for on average. Hedge multiplies its weight by exp(rate × gain / 5 %), and a floor keeps
//! every agent in the council. A lesson is an event: it goes on record before it counts.

use crate::results::Line;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::AgentId;
use tradegraph_quant::hedge::hedge;

/// A gain per unit of exposure that counts as a whole one.
const WHOLE_GAIN: f64 = 0.05;

/// How the council learns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HedgerParameters {
    /// Decisions between two lessons.
    pub every: u32,
    /// How much a lesson counts, above 0.
    pub rate: f64,
    /// Share of the equal weight that no agent falls below, 0 to 1.
    pub floor: f64,
}

impl Default for HedgerParameters {
    fn default() -> Self {
        HedgerParameters { every: 21, rate: 0.25, floor: 0.3 }
    }
}

/// What was learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    /// For each agent that learns: its weight at 1e-9 (1 is the equal weight) and what it gained per unit of exposure since
    /// the last lesson, at 1e-9 (`None`: it asked for nothing).
    pub agents: Vec<(AgentId, i64, Option<i64>)>,
}

/// The weights and what was seen at the last lesson.
#[derive(Clone, Debug, PartialEq)]
pub struct Hedger {
    parameters: HedgerParameters,
    agents: Vec<AgentId>,
    weights: Vec<f64>,
    seen: Vec<Line>,
    decisions: u32,
}

impl Hedger {
    /// Equal weights over these agents.
    #[must_use]
    pub fn new(parameters: HedgerParameters, agents: Vec<AgentId>) -> Self {
        let n = agents.len();
        Hedger {
            parameters,
            agents,
            weights: vec![1.0 / n.max(1) as f64; n],
            seen: vec![Line::default(); n],
            decisions: 0,
        }
    }

    /// One decision has passed; the lesson that is due, if one is. `lines` are the agents' results, by agent id.
    pub fn lesson(&mut self, lines: &[Line]) -> Option<Lesson> {
        self.decisions += 1;
        if self.decisions < self.parameters.every || self.agents.len() < 2 {
            return None;
        }
        self.decisions = 0;
        let mut gains = Vec::with_capacity(self.agents.len());
        for (agent, seen) in self.agents.iter().zip(&mut self.seen) {
            let now = lines.get(usize::from(agent.0)).copied().unwrap_or_default();
            let since = Line {
                gross: now.gross - seen.gross,
                costs: now.costs - seen.costs,
                exposure: now.exposure - seen.exposure,
                decisions: now.decisions - seen.decisions,
            };
            gains.push(since.per_exposure());
            *seen = now;
        }
        let scaled: Vec<_> = gains.iter().map(|g| g.map(|g| g / WHOLE_GAIN)).collect();
        hedge(&mut self.weights, &scaled, self.parameters.rate, self.parameters.floor);
        let n = self.agents.len() as f64;
        let nano = |x: f64| (x * 1e9).round_ties_even() as i64;
        let agents = self.agents.iter().zip(&self.weights).zip(&gains);
        Some(Lesson { agents: agents.map(|((a, w), g)| (*a, nano(w * n), g.map(nano))).collect() })
    }

    /// Writes the weights canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.u32(self.decisions);
        to.f64s(&self.weights);
        for l in &self.seen {
            [l.gross, l.costs, l.exposure].into_iter().for_each(|x| to.i128(x));
            to.u64(l.decisions);
        }
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes do not fit this council.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.decisions = from.u32("decisions since the last lesson")?;
        from.f64s_into(&mut self.weights)?;
        for l in &mut self.seen {
            let mut x = || from.i128("lesson");
            let (gross, costs, exposure) = (x()?, x()?, x()?);
            *l = Line { gross, costs, exposure, decisions: from.u64("lesson")? };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradegraph_domain::NANO;

    fn line(net: i128, exposure: i128, decisions: u64) -> Line {
        Line { gross: net, costs: 0, exposure, decisions }
    }

    #[test]
    fn hand_worked_lesson() {
        let p = HedgerParameters { every: 2, rate: std::f64::consts::LN_2, floor: 0.0 };
        let mut h = Hedger::new(p, vec![AgentId(1), AgentId(3)]);
        let mut lines = vec![Line::default(); 4];
        // 100 asked for at each of two decisions, 5 earned: a whole gain. The other asked for nothing.
        lines[1] = line(5, 200, 2);
        assert_eq!(h.lesson(&lines), None);
        let l = h.lesson(&lines).unwrap();
        assert_eq!(l.agents, vec![(AgentId(1), NANO, Some(50_000_000)), (AgentId(3), NANO, None)]);
        // Then it loses 2.5 of 50 while the other earns 5 of 100: 2⁻¹ against 2¹.
        (lines[1], lines[3]) = (line(0, 250, 3), line(5, 100, 1));
        h.lesson(&lines);
        let mut saved = Encoder::new();
        h.save(&mut saved);
        let l = h.lesson(&lines).unwrap();
        assert_eq!(l.agents.iter().map(|a| a.1).collect::<Vec<_>>(), vec![400_000_000, 1_600_000_000]);
        // A restart between two decisions keeps it.
        let mut again = Hedger::new(p, vec![AgentId(1), AgentId(3)]);
        again.load(&mut Decoder::new(saved.as_bytes())).unwrap();
        assert_eq!(again.lesson(&lines), Some(l));
    }

    #[test]
    fn one_agent_has_nothing_to_learn() {
        let mut h = Hedger::new(HedgerParameters { every: 1, ..HedgerParameters::default() }, vec![AgentId(0)]);
        assert_eq!(h.lesson(&[line(5, 100, 1)]), None);
    }
}
