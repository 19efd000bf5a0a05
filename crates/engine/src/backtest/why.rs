//! Why nothing was done about an instrument at the last decision.

use super::BackTest;
use crate::coordinator::Negotiation;
use crate::desk::Allocator;
use crate::records::Evidence;
use tradegraph_domain::{InstrumentId, Price};
use tradegraph_portfolio::{SignalRef, Why};

/// The last decision about one instrument, with what it rested on.
#[derive(Clone, Debug, PartialEq)]
pub struct WhyNot {
    /// Stance, waterfall and what it would have been without each agent.
    pub why: Why,
    /// The last price.
    pub price: Price,
    /// NAV at 1e-9; `None` if it cannot be known.
    pub nav_nano: Option<i128>,
    /// The features that the agents saw.
    pub evidence: Vec<Evidence>,
    /// How its work was shared, if not every strategy could run.
    pub negotiation: Option<Negotiation>,
}

impl BackTest {
    /// The last decision about an instrument; `None` with an allocator that sizes each opinion directly, for an instrument
    /// that there is not, and if nothing was decided since the beginning or the snapshot that it went on from.
    #[must_use]
    pub fn why(&self, i: InstrumentId) -> Option<WhyNot> {
        let desk = &self.state.desk;
        let Allocator::Fusion(fusion) = &desk.allocator else { return None };
        let k = desk.points.at.min(desk.points.ts.len());
        let signals: Vec<SignalRef<'_>> = desk.signals.live().iter().map(|at| desk.signals.row(*at, k)).collect();
        let view = desk.panel.view(desk.ts, &desk.present);
        let nav = desk.books.nav().ok();
        let why = fusion.why(i, &signals, &desk.panel, &view, nav.unwrap_or_default())?;
        let negotiation = desk.points.negotiation_of_row(k).cloned();
        let mut evidence = Vec::new();
        for at in desk.signals.live().iter().filter(|at| desk.signals.row(**at, k).is_ok(i.index())) {
            let (agent, columns) = &desk.evidence[*at];
            if negotiation.as_ref().is_some_and(|n| n.waits(*agent)) {
                continue;
            }
            for (need, id) in (0_u16..).zip(columns) {
                evidence.push(Evidence { agent: *agent, need, value: view.feature(*id).get(i.index()).ok() });
            }
        }
        let price = desk.panel.last(i).map_or(Price::ZERO, |(p, _)| p);
        Some(WhyNot { why, price, nav_nano: nav, evidence, negotiation })
    }
}
