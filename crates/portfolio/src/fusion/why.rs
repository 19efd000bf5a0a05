//! Why the last decision made no change, and what it would have been without an agent. Reads only: the allocator stays as it
//! is.

use super::{FusionAllocator, Portfolio, Wish, columns, down, no_trade_half_width, quantise};
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
    /// Something is wanted, but `max_positions` instruments are wanted more.
    Crowded,
    /// The change is worth making but its order would be smaller than `min_order`; both in 1e-9 of NAV.
    TooSmall {
        /// |target after the band − held|.
        change: i64,
        /// The smallest order.
        least: u64,
    },
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
    /// The last decision about instrument `i`. The arguments are those of the moment of [`FusionAllocator::decide`], `nav` at
    /// 1e-9; `None` for an instrument that there is not, and if nothing was decided since it was made or loaded.
    #[must_use]
    pub fn why(
        &self,
        i: InstrumentId,
        signals: &[SignalRef<'_>],
        panel: &Panel,
        view: &View<'_>,
        nav: i128,
    ) -> Option<Why> {
        let at = i.index();
        let current = *self.current.get(at).filter(|_| self.has_decided)?;
        let risk = self.risk.map(|(v, c)| RiskColumns { volatility: view.feature(v), correlation: view.feature(c) });
        let portfolio = self.portfolio(nav);
        let mut waterfall = empty();
        let target = self.target(at, &portfolio);
        let mut stance = match (self.gone[at], self.has_opinion[at]) {
            (true, _) => Stance::Gone,
            (false, false) => Stance::NoOpinion,
            (false, true) => self.stance(at, target, &portfolio),
        };
        if let Stance::Asked { .. } = stance {
            let is_nearer = target.unsigned_abs() <= current.unsigned_abs();
            let reduces = is_nearer && (target == 0 || target.signum() == current.signum());
            if !reduces && self.backoff.was_waiting(i) {
                stance = Stance::Waiting;
            }
        }
        if self.has_opinion[at] {
            self.fuse(signals, at, panel.is_doubtful(i), risk.as_ref(), &mut waterfall);
            waterfall.step_to(Step::VolatilityTarget, self.calmed[at]);
            waterfall.step_to(Step::Construct, target);
            waterfall.step_to(Step::Turnover, if let Stance::Asked { after } = stance { after } else { current });
        }
        let without = self.speakers.iter().enumerate().map(|(k, agent)| {
            let mut other = self.clone();
            let n = other.wanted.len();
            other.asked[k * n..(k + 1) * n].fill(0);
            for j in (0..n).filter(|j| self.has_opinion[*j]) {
                let mut way = empty();
                other.fuse(signals, j, panel.is_doubtful(InstrumentId(j as u32)), risk.as_ref(), &mut way);
                other.wanted[j] = way.last;
            }
            let calm = match (&other.parameters.sizing, &risk) {
                (Some(sizing), Some(columns)) => sizing.scale(columns, &other.wanted),
                _ => NANO,
            };
            columns::shrink(&other.wanted, calm, &mut other.calmed);
            other.keep_strongest();
            (*agent, other.target(at, &other.portfolio(nav)))
        });
        Some(Why { stance, current, target, without: without.collect(), waterfall })
    }

    /// What all targets of the last decision were multiplied by.
    fn portfolio(&self, nav: i128) -> Portfolio {
        let sizes = self.calmed.iter().zip(&self.kept).filter(|(_, kept)| **kept).map(|(w, _)| w.unsigned_abs());
        let sum = sizes.fold(0_i128, |sum, size| sum + i128::from(size));
        Portfolio { fit: self.fit(sum), least: self.least_order(nav) }
    }

    /// The target before the no-trade band; what is held where there is no opinion.
    fn target(&self, at: usize, portfolio: &Portfolio) -> i64 {
        if !self.has_opinion[at] {
            return self.current[at];
        }
        let kept = if self.kept[at] { self.calmed[at] } else { 0 };
        if portfolio.fit >= NANO { kept } else { down(kept, portfolio.fit) }
    }

    fn stance(&self, at: usize, target: i64, portfolio: &Portfolio) -> Stance {
        let (wanted, current) = (self.wanted[at], self.current[at]);
        if let Some(Wish { after, .. }) = self.wish(at, portfolio) {
            return Stance::Asked { after };
        }
        if wanted == 0 && current == 0 {
            return Stance::Nothing;
        }
        if target == current {
            return if self.kept[at] { Stance::AtTarget } else { Stance::Crowded };
        }
        let p = &self.parameters;
        let pays = quantise(no_trade_half_width(target as f64 / 1e9, p.cost, 1.0), 1e9).unwrap_or_default();
        let (distance, band) = ((target - current).abs(), p.band_nano.abs().max(pays));
        if distance < band {
            return Stance::InsideBand { distance, band };
        }
        let change = if p.stages.to_edge { distance - band } else { distance };
        Stance::TooSmall { change, least: portfolio.least.max(1) }
    }
}

fn empty() -> Waterfall {
    let mut waterfall = Waterfall::default();
    waterfall.clear(WaterfallUnit::NanoNav);
    waterfall
}
