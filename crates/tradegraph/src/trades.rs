//! `TradeLog`: what a journal says about orders and fills.

use crate::failure::{Failure, Kind};
use std::collections::BTreeMap;
use tradegraph_domain::{ActionKind, AgentId, Fill, OrderId, Quantity, Regime, Timestamp};
use tradegraph_engine::records::{ActionRecord, DecisionRecord, Record, decode};
use tradegraph_engine::{Financed, Negotiation};
use tradegraph_execution::FillCosts;
use tradegraph_learning::{Lesson, Statement};
use tradegraph_store::JournalReader;

/// Fills that are kept one by one; the rest is counted.
const MAX_FILLS: usize = 200_000;

/// One booked fill.
#[derive(Clone, Copy, Debug)]
pub struct FillRow {
    /// When.
    pub ts: Timestamp,
    /// The execution.
    pub fill: Fill,
    /// Gain of what it closed, before fees, at 1e-9.
    pub realised_nano: i128,
}

/// What a journal says about orders and fills.
#[derive(Clone, Debug, Default)]
pub struct TradeLog {
    /// Fills in order; the first `MAX_FILLS`.
    pub fills: Vec<FillRow>,
    /// All fills.
    pub n_fills: u64,
    /// Fees of all fills at 1e-9.
    pub fees_nano: i128,
    /// Notional of all fills at 1e-9.
    pub notional_nano: i128,
    /// Corporate actions of what was held.
    pub actions: Vec<ActionRecord>,
    /// Dividends received less dividends paid, at 1e-9.
    pub dividends_nano: i128,
    /// What the council learned, in order.
    pub lessons: Vec<(Timestamp, Lesson)>,
    /// Regimes of the market, each from its moment on.
    pub regimes: Vec<(Timestamp, Regime)>,
    /// What each agent had earned, at every lesson and at the end.
    pub results: Vec<(Timestamp, Statement)>,
    /// Decisions for which not every strategy could run.
    pub n_short_of_work: u64,
    /// How often each agent stood back in them.
    pub stood_back: BTreeMap<AgentId, u64>,
    /// Agents that panicked: when, and what they said.
    pub stopped: Vec<(Timestamp, AgentId, String)>,
    /// What fills cost by kind, where the journal says it.
    pub costs: Option<FillCosts>,
    /// Borrow fees and interest.
    pub financed: Financed,
    /// Refusals by rule.
    pub refused: BTreeMap<&'static str, u64>,
    /// Breakers that tripped, in order, as sentences.
    pub breakers: Vec<String>,
    /// An order worth explaining: of the last year, with three reasons if any has them, the largest.
    pub example: Option<Box<DecisionRecord>>,
    /// How the work of its decision was shared, if not every strategy could run.
    pub example_shared: Option<Negotiation>,
}

impl TradeLog {
    /// Reads a whole journal.
    pub fn read(reader: &mut JournalReader) -> Result<TradeLog, Failure> {
        let mut log = TradeLog::default();
        let mut shared: Option<Negotiation> = None;
        each(reader, |record| match record {
            Record::Fill { ts, fill, realised_nano, .. } => log.add(FillRow { ts, fill, realised_nano }),
            Record::Costs { costs, .. } => {
                let sum = log.costs.get_or_insert_default();
                sum.commission_nano = sum.commission_nano.saturating_add(costs.commission_nano);
                sum.regulatory_nano = sum.regulatory_nano.saturating_add(costs.regulatory_nano);
                sum.spread_nano = sum.spread_nano.saturating_add(costs.spread_nano);
                sum.impact_nano = sum.impact_nano.saturating_add(costs.impact_nano);
            }
            Record::Financing(f) => {
                let sum = &mut log.financed;
                sum.borrow_nano = sum.borrow_nano.saturating_add(f.financed.borrow_nano);
                sum.margin_nano = sum.margin_nano.saturating_add(f.financed.margin_nano);
                sum.earned_nano = sum.earned_nano.saturating_add(f.financed.earned_nano);
            }
            Record::Decision(d) => match d.refusal {
                Some(r) => *log.refused.entry(r.rule.code()).or_default() += 1,
                None if log.example.as_ref().is_none_or(|held| tells_more(&d, held)) => {
                    log.example_shared = shared.clone().filter(|n| n.seq == d.seq);
                    log.example = Some(d);
                }
                None => {}
            },
            Record::BreakerTripped { trip, .. } => {
                log.breakers.push(format!("{} {}, then {}", trip.ts, trip.why, trip.action.name()));
            }
            Record::Action(a) if a.booked.before != Quantity::ZERO || a.n_orders > 0 => {
                if let ActionKind::Dividend { .. } = a.action.kind {
                    log.dividends_nano = log.dividends_nano.saturating_add(a.booked.cash_nano);
                }
                log.actions.push(*a);
            }
            Record::Lesson { ts, lesson, .. } => log.lessons.push((ts, lesson)),
            Record::Regime { ts, regime, .. } => log.regimes.push((ts, regime)),
            Record::Negotiation(n) => {
                log.n_short_of_work += 1;
                n.stood_back().for_each(|agent| *log.stood_back.entry(agent).or_default() += 1);
                shared = Some(n);
            }
            Record::AgentStopped { ts, agent, what, .. } => log.stopped.push((ts, agent, what)),
            Record::Results { ts, statement, .. } => log.results.push((ts, statement)),
            _ => {}
        })?;
        Ok(log)
    }

    /// The story of the example, from what was read.
    pub fn example_story(&self) -> Option<OrderStory> {
        let decision = self.example.clone()?;
        let order = decision.order.id;
        let fills = self.fills.iter().filter(|f| f.fill.order == order).copied().collect();
        let negotiation = self.example_shared.clone();
        Some(OrderStory { decision: Some(decision), negotiation, fills, ended: None, last_order: order.0 })
    }

    fn add(&mut self, row: FillRow) {
        self.n_fills += 1;
        self.fees_nano = self.fees_nano.saturating_add(row.fill.fee_nano);
        let notional = row.fill.price.notional_nano(row.fill.quantity).unwrap_or_default();
        self.notional_nano = self.notional_nano.saturating_add(notional.saturating_abs());
        if self.fills.len() < MAX_FILLS {
            self.fills.push(row);
        }
    }
}

/// True if a later order is the better example: more reasons, much newer, or larger.
fn tells_more(later: &DecisionRecord, held: &DecisionRecord) -> bool {
    let reasons = |d: &DecisionRecord| tradegraph_portfolio::top_reasons(&d.waterfall).len();
    let size = |d: &DecisionRecord| {
        let notional = d.price.notional_nano(d.order.quantity).unwrap_or_default();
        notional.saturating_abs() as f64 / (d.nav_nano as f64).max(1.0)
    };
    match reasons(later).cmp(&reasons(held)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => {
            later.ts.0.saturating_sub(held.ts.0) > 365 * tradegraph_domain::Nanos::DAY.0 || size(later) >= size(held)
        }
    }
}

/// Everything that a journal says about one order.
#[derive(Clone, Debug, Default)]
pub struct OrderStory {
    /// The decision.
    pub decision: Option<Box<DecisionRecord>>,
    /// How its work was shared, if not every strategy could run.
    pub negotiation: Option<Negotiation>,
    /// Its fills.
    pub fills: Vec<FillRow>,
    /// How the venue ended it, if it did not fill.
    pub ended: Option<String>,
    /// The highest order number seen.
    pub last_order: u64,
}

/// Reads what happened to one order.
pub fn story(reader: &mut JournalReader, id: OrderId) -> Result<OrderStory, Failure> {
    let mut story = OrderStory::default();
    let mut shared = None;
    each(reader, |record| match record {
        Record::Negotiation(n) => shared = Some(n),
        Record::Decision(d) => {
            story.last_order = story.last_order.max(d.order.id.0);
            if d.order.id == id {
                story.negotiation = shared.take().filter(|n| n.seq == d.seq);
                story.decision = Some(d);
            }
        }
        Record::Fill { ts, fill, realised_nano, .. } if fill.order == id => {
            story.fills.push(FillRow { ts, fill, realised_nano });
        }
        Record::Cancelled { ts, order, reason, .. } if order == id => {
            story.ended = Some(format!("{ts}: cancelled by the venue ({reason:?})"));
        }
        Record::Rejected { ts, order, reason, .. } if order == id => {
            story.ended = Some(format!("{ts}: rejected by the venue ({reason:?})"));
        }
        _ => {}
    })?;
    Ok(story)
}

/// Calls `with` for every record.
pub fn each(reader: &mut JournalReader, mut with: impl FnMut(Record)) -> Result<(), Failure> {
    let mut index = 0;
    while let Some(group) = reader.read(index)? {
        let records = decode(&group.records).map_err(|e| {
            Failure::new(Kind::Differs, format!("commit group {index} of the journal cannot be read: {e}"))
                .next("restore store.sqlite from a copy, or run the mandate again")
        })?;
        records.into_iter().for_each(&mut with);
        index += 1;
    }
    Ok(())
}

/// An action in a few words: what happened to one unit.
pub fn action_text(a: &ActionRecord) -> String {
    match a.action.kind {
        ActionKind::Split { new, old } => format!("split {new} for {old}"),
        ActionKind::Dividend { amount, pay } if pay > a.action.ex => format!("dividend {amount}, paid {pay}"),
        ActionKind::Dividend { amount, .. } => format!("dividend {amount}"),
        ActionKind::Rename { .. } => format!("renamed to {}", a.symbol),
        ActionKind::Delisting { price } => format!("delisted at {price}"),
    }
}
