//! Why the last decision made no change, and what it would have been without an agent. Reads only: the allocator stays as it
//! is.

use super::{FusionAllocator, Nowhere, Portfolio, Wish, no_trade_half_width, quantise, shrink};
use crate::decisions::SignalRef;
use crate::sizing::RiskColumns;
use tradegraph_domain::{AgentId, InstrumentId, NANO, Step, Waterfall, WaterfallUnit};
use tradegraph_market::{Panel, View};

/// What the last decision meant for one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    /// The instrument no longer exists.
    Gone,
    /// No agent had an opinion: what is held stays.
    NoOpinion,
    /// Nothing is wanted and nothing is held.
    Nothing,
    /// What is wanted is held.
    AtTarget,
    /// The change is smaller than the no-trade band; both in 1e-9 of NAV.
    InsideBand {
        /// |target − held|.
        distance: i64,
        /// Changes from here on are made.
        band: i64,
    },
    /// A wish that was refused waits before it is asked for again.
    Waiting,
    /// A change was asked for, to this target; what stopped it came after the allocator.
    Asked {
        /// Target after the no-trade band, in 1e-9 of NAV.
        after: i64,
    },
}

/// The last decision about one instrument, in 1e-9 of NAV.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// What it meant.
    pub stance: Stance,
    /// What was held and on order.
    pub current: i64,
    /// The target before the no-trade band; what is held where there is no opinion.
    pub target: i64,
    /// The way from opinions to what the decision left: the target that is asked for, or what is held.
    pub waterfall: Waterfall,
    /// For each agent that spoke: the target before the no-trade band if it had asked for nothing anywhere.
    pub without: Vec<(AgentId, i64)>,
}

impl FusionAllocator {
    /// The last decision about instrument `i`. The arguments are those of the moment of [`FusionAllocator::decide`]; `None` for
    /// an instrument that there is not, and if nothing was decided since it was made or loaded.
    #[must_use]
    pub fn why(&self, i: InstrumentId, signals: &[SignalRef<'_>], panel: &Panel, view: &View<'_>) -> Option<Why> {
        let at = i.index();
        let current = *self.current.get(at).filter(|_| self.has_decided)?;
        let risk = self.risk.map(|(v, c)| RiskColumns { volatility: view.feature(v), correlation: view.feature(c) });
        let portfolio = self.portfolio(risk.as_ref());
        let mut waterfall = Waterfall::default();
        waterfall.clear(WaterfallUnit::NanoNav);
        let fused = if self.gone[at] {
            None
        } else {
            self.fuse(signals, at, panel.is_doubtful(i), risk.as_ref(), &mut waterfall)
        };
        let target = fused.map_or(current, |wanted| portfolio.apply(wanted));
        let mut stance = match (self.gone[at], fused) {
            (true, _) => Stance::Gone,
            (false, None) => Stance::NoOpinion,
            (false, Some(wanted)) => self.stance(at, wanted, target, &portfolio),
        };
        if let Stance::Asked { .. } = stance {
            let grows = !(target.unsigned_abs() <= current.unsigned_abs()
                && (target == 0 || target.signum() == current.signum()));
            if grows && self.backoff.was_waiting(i) {
                stance = Stance::Waiting;
            }
        }
        if let Some(wanted) = fused {
            waterfall.step_to(Step::VolatilityTarget, shrink(wanted, portfolio.calm));
            waterfall.step_to(Step::Construct, target);
            waterfall.step_to(Step::Turnover, if let Stance::Asked { after } = stance { after } else { current });
        }
        let without = self.speakers.iter().enumerate().map(|(k, agent)| {
            let mut other = self.clone();
            let n = other.wanted.len();
            other.asked[k * n..(k + 1) * n].fill(0);
            for j in (0..n).filter(|j| other.has_opinion[*j]) {
                let doubtful = panel.is_doubtful(InstrumentId(j as u32));
                let fused = other.fuse(signals, j, doubtful, risk.as_ref(), &mut Nowhere);
                other.wanted[j] = fused.unwrap_or(other.current[j]);
            }
            let target =
                if other.has_opinion[at] { other.portfolio(risk.as_ref()).apply(other.wanted[at]) } else { current };
            (*agent, target)
        });
        Some(Why { stance, current, target, without: without.collect(), waterfall })
    }

    /// What all targets of the last decision were multiplied by.
    fn portfolio(&self, risk: Option<&RiskColumns<'_>>) -> Portfolio {
        let calm = match (&self.parameters.sizing, risk) {
            (Some(sizing), Some(columns)) => sizing.scale(columns, &self.wanted),
            _ => NANO,
        };
        let sum = self.wanted.iter().fold(0_i128, |sum, w| sum + i128::from(shrink(*w, calm).unsigned_abs()));
        Portfolio { calm, fit: self.fit(sum) }
    }

    fn stance(&self, at: usize, wanted: i64, target: i64, portfolio: &Portfolio) -> Stance {
        let current = self.current[at];
        if let Some(Wish { after, .. }) = self.wish(at, portfolio) {
            return Stance::Asked { after };
        }
        if wanted == 0 && current == 0 {
            return Stance::Nothing;
        }
        if target == current {
            return Stance::AtTarget;
        }
        let p = &self.parameters;
        let pays = quantise(no_trade_half_width(target as f64 / 1e9, p.cost, 1.0), 1e9).unwrap_or_default();
        Stance::InsideBand { distance: (target - current).abs(), band: p.band_nano.abs().max(pays) }
    }
}

impl Portfolio {
    /// A target after the portfolio's stages.
    fn apply(&self, wanted: i64) -> i64 {
        let calmed = shrink(wanted, self.calm);
        if self.fit >= NANO { calmed } else { super::down(calmed, self.fit) }
    }
}
