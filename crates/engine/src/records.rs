//! The records of a journal: what they hold and how they become bytes: a tag, then fields in order, the frequent records
//! packed. A change bumps `FORMAT` and keeps a reader of the old ones. Version 2 binds corporate actions and has a record
//! for each; version 3 has records of breakers, orders with stops, costs of fills by kind, financing, what the council learned, the market's regimes
//! and the agents' results. Journals of older versions can be read, and not be run again.

use crate::coordinator::{AgentClaim, Negotiation};
use crate::packed::{Line, count, int, small, wide};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_controls::{Action, Change, Trip};
use tradegraph_domain::{
    ActionKind, AgentId, BaseEntry, CancelReason, CorporateAction, Currency, Date, ExecId, FactorId, Fill,
    InstrumentId, LotLine, Order, OrderId, OrderKind, Price, Quantity, Refusal, Regime, RejectReason, Resolution, Rule,
    Side, Step, StepEntry, Timestamp, Unit, Waterfall, WaterfallUnit,
};
use tradegraph_execution::FillCosts;
use tradegraph_learning::{Lesson, Line as AgentLine, Statement};
use tradegraph_ledger::{ActionBooked, Financed};
use tradegraph_market::{ActionsId, BatchId};

/// Version of the records' encoding.
pub const FORMAT: u32 = 3;

/// Record 0 of every run: what determines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The mandate as the user wrote it.
    pub mandate: String,
    /// Seed of all random streams.
    pub seed: u64,
    /// Content of each feed.
    pub batches: Vec<BatchId>,
    /// Names of the instruments in each feed's columns: they are no part of a batch's content.
    pub symbols: Vec<Vec<String>>,
    /// Content of the table of corporate actions; `None` in a journal of version 1, which knew none.
    pub actions: Option<ActionsId>,
    /// Version of the program that made the run. The state hash does not contain it.
    pub binary: String,
    /// Version of the records: `FORMAT` in a journal that is written now.
    pub format: u32,
}

/// The value of one feature at a decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// The agent that read it.
    pub agent: AgentId,
    /// Its place among the agent's needs.
    pub need: u16,
    /// The value, if there was one.
    pub value: Option<f64>,
}

/// A decision about one instrument: an order, or why there was none.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionRecord {
    /// Event that decided.
    pub seq: u64,
    /// When.
    pub ts: Timestamp,
    /// The order.
    pub order: Order,
    /// Why the gate refused it, if it did.
    pub refusal: Option<Refusal>,
    /// The last price at the decision.
    pub price: Price,
    /// NAV at the decision, at 1e-9; 0 if there was none.
    pub nav_nano: i128,
    /// The reasons; empty if the run did not record them.
    pub waterfall: Waterfall,
    /// The features that the agents saw.
    pub evidence: Vec<Evidence>,
}

/// A corporate action that took effect, and what it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRecord {
    /// Event.
    pub seq: u64,
    /// When.
    pub ts: Timestamp,
    /// The action.
    pub action: CorporateAction,
    /// The new symbol of a rename; empty for other actions.
    pub symbol: String,
    /// What it did to the books.
    pub booked: ActionBooked,
    /// Open orders that it changed or ended.
    pub n_orders: u32,
}

/// What nights cost and earned in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinancingRecord {
    /// The first event after the nights.
    pub seq: u64,
    /// When it came.
    pub ts: Timestamp,
    /// The day on which the first night began.
    pub from: Date,
    /// The day on which the last one ended.
    pub to: Date,
    /// When it is paid; accrued until then.
    pub pay: Date,
    /// Currency of the amounts.
    pub currency: Currency,
    /// What was accrued.
    pub financed: Financed,
}

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// What determines the run.
    Binding(Binding),
    /// A decision.
    Decision(Box<DecisionRecord>),
    /// An execution that was booked.
    Fill {
        /// Event.
        seq: u64,
        /// When.
        ts: Timestamp,
        /// The execution.
        fill: Fill,
        /// Gain of what it closed, before fees, at 1e-9.
        realised_nano: i128,
        /// True if it did not fit the order's state; it was booked all the same.
        anomaly: bool,
    },
    /// The venue ended an order that was not filled.
    Cancelled {
        /// Event.
        seq: u64,
        /// When.
        ts: Timestamp,
        /// The order.
        order: OrderId,
        /// Why.
        reason: CancelReason,
    },
    /// The venue refused an order.
    Rejected {
        /// Event.
        seq: u64,
        /// When.
        ts: Timestamp,
        /// The order.
        order: OrderId,
        /// Why.
        reason: RejectReason,
    },
    /// A person's command.
    Command {
        /// Event.
        seq: u64,
        /// When.
        ts: Timestamp,
        /// True for a halt, false for its end.
        halt: bool,
    },
    /// A corporate action took effect.
    Action(Box<ActionRecord>),
    /// A breaker tripped: its rule refuses from here on.
    BreakerTripped {
        /// Event.
        seq: u64,
        /// Which, when, its limit, what was measured, and what still passes.
        trip: Trip,
    },
    /// A tripped daily loss ended with its day, as the mandate allows. What a person lifts is a `Command`.
    BreakerEnded {
        /// Event.
        seq: u64,
        /// When.
        ts: Timestamp,
        /// Which.
        rule: Rule,
    },
    /// The council learned.
    Lesson {
        /// Event.
        seq: u64,
        /// When.
        ts: Timestamp,
        /// The weights from here on.
        lesson: Lesson,
    },
    /// The market's regime changed.
    Regime {
        /// Event.
        seq: u64,
        /// When.
        ts: Timestamp,
        /// The regime from here on.
        regime: Regime,
    },
    /// What each agent has earned.
    Results {
        /// Event.
        seq: u64,
        /// When.
        ts: Timestamp,
        /// NAV at 1e-9.
        nav_nano: i128,
        /// The account's result, line by line.
        statement: Statement,
    },
    /// What an execution cost by kind, after the record of the fill.
    Costs {
        /// Event.
        seq: u64,
        /// The execution.
        exec: ExecId,
        /// The parts.
        costs: FillCosts,
    },
    /// Borrow fees and interest of some nights.
    Financing(Box<FinancingRecord>),
    /// Not every strategy could run for a decision.
    Negotiation(Negotiation),
    /// An agent panicked: it has no opinion from this decision on.
    AgentStopped {
        /// Event.
        seq: u64,
        /// When.
        ts: Timestamp,
        /// The agent.
        agent: AgentId,
        /// What the panic said.
        what: String,
    },
    /// The canonical state's hash after an event.
    StateHash {
        /// Event.
        seq: u64,
        /// blake3.
        hash: [u8; 32],
    },
}

const BINDING: u8 = 0;
const DECISION: u8 = 1;
const FILL: u8 = 2;
const CANCELLED: u8 = 3;
const REJECTED: u8 = 4;
const COMMAND: u8 = 5;
const STATE_HASH: u8 = 6;
const ACTION: u8 = 7;
/// A decision in a known regime, or in which opinions contradicted each other.
const COUNCIL_DECISION: u8 = 12;
const LESSON: u8 = 13;
const REGIME: u8 = 14;
const RESULTS: u8 = 15;
const NEGOTIATION: u8 = 16;
const AGENT_STOPPED: u8 = 17;
const COSTS: u8 = 10;
const FINANCING: u8 = 11;
const BREAKER_TRIPPED: u8 = 8;
const BREAKER_ENDED: u8 = 9;

// Kinds of actions.
const SPLIT: u8 = 0;
const DIVIDEND: u8 = 1;
const RENAME: u8 = 2;
const DELISTING: u8 = 3;

// Flags of a decision and of a fill.
const SELL: u8 = 1;
const LIMIT: u8 = 2;
const REFUSED: u8 = 4;
const REASONS: u8 = 8;
const IN_LOTS: u8 = 16;
const ANOMALY: u8 = 32;
/// Of a decision: the order has a stop; its price comes after the limit's.
const STOP: u8 = 32;
/// The time in force stands in the two highest bits.
const TIF: u8 = 6;

// What comes next in a decision's evidence.
const END: u8 = 0;
const VALUE: u8 = 1;
const NO_VALUE: u8 = 2;
const AGENT: u8 = 3;

pub(crate) fn put_binding(to: &mut Encoder, b: &Binding) {
    to.u8(BINDING);
    to.u32(b.format);
    to.str(&b.mandate);
    to.u64(b.seed);
    to.len(b.batches.len());
    b.batches.iter().for_each(|id| to.bytes(&id.0));
    to.len(b.symbols.len());
    for names in &b.symbols {
        to.len(names.len());
        names.iter().for_each(|name| to.str(name));
    }
    to.str(&b.binary);
    if let Some(id) = b.actions {
        to.bytes(&id.0);
    }
}

pub(crate) fn put_lesson(to: &mut Encoder, seq: u64, ts: Timestamp, lesson: &Lesson) {
    let mut line = Line::new(to);
    line.byte(LESSON);
    line.count(seq);
    line.int(ts.0);
    line.count(lesson.agents.len() as u64);
    for (agent, weight, gain) in &lesson.agents {
        line.count(agent.0.into());
        line.int(*weight);
        line.byte(if gain.is_some() { VALUE } else { NO_VALUE });
        gain.iter().for_each(|g| line.int(*g));
    }
    line.flush();
}

pub(crate) fn put_agent_stopped(to: &mut Encoder, seq: u64, ts: Timestamp, agent: AgentId, what: &str) {
    to.u8(AGENT_STOPPED);
    to.u64(seq);
    to.i64(ts.0);
    to.u16(agent.0);
    to.str(what);
}

pub(crate) fn put_negotiation(to: &mut Encoder, seq: u64, ts: Timestamp, n: &Negotiation) {
    let mut line = Line::new(to);
    line.byte(NEGOTIATION);
    line.count(seq);
    line.int(ts.0);
    line.count(n.budget_ns);
    line.count(n.claims.len() as u64);
    for c in &n.claims {
        line.count(c.agent.0.into());
        line.tagged_float(u8::from(c.runs), c.value);
        [c.cost_ns, c.missed.into(), c.rank.into(), c.left_ns].into_iter().for_each(|x| line.count(x));
        line.int(c.priority.into());
    }
    line.flush();
}

pub(crate) fn put_regime(to: &mut Encoder, seq: u64, ts: Timestamp, regime: Regime) {
    let mut line = Line::new(to);
    line.byte(REGIME);
    line.count(seq);
    line.int(ts.0);
    line.byte(regime as u8);
    line.flush();
}

pub(crate) fn put_results(to: &mut Encoder, seq: u64, ts: Timestamp, nav_nano: i128, s: &Statement) {
    let mut line = Line::new(to);
    line.byte(RESULTS);
    line.count(seq);
    line.int(ts.0);
    [nav_nano, s.total, s.construction].into_iter().for_each(|x| line.wide(x));
    line.count(s.lines.len() as u64);
    for l in &s.lines {
        [l.gross, l.costs, l.exposure].into_iter().for_each(|x| line.wide(x));
        line.count(l.decisions);
    }
    line.flush();
}

pub(crate) fn put_action(to: &mut Encoder, r: &ActionRecord) {
    let mut line = Line::new(to);
    line.byte(ACTION);
    let (kind, x, y) = match r.action.kind {
        ActionKind::Split { new, old } => (SPLIT, i64::from(new), i64::from(old)),
        ActionKind::Dividend { amount, pay } => (DIVIDEND, amount.nano(), i64::from(pay.0)),
        ActionKind::Rename { name } => (RENAME, i64::from(name), 0),
        ActionKind::Delisting { price } => (DELISTING, price.nano(), 0),
    };
    line.byte(kind);
    line.count(r.seq);
    for v in [r.ts.0, r.action.ts.0, i64::from(r.action.ex.0), i64::from(r.action.instrument.0), x, y] {
        line.int(v);
    }
    for v in [r.booked.before.nano(), r.booked.after.nano(), r.booked.cash_nano, r.booked.realised_nano] {
        line.wide(v);
    }
    line.count(r.n_orders.into());
    line.flush();
    to.str(&r.symbol);
}

/// A decision. `evidence` gives the values of each agent's needs in their order, agent after agent.
#[allow(clippy::too_many_arguments, reason = "the fields of one record, from places of their own")]
pub(crate) fn put_decision(
    out: &mut Encoder,
    seq: u64,
    ts: Timestamp,
    order: &Order,
    refusal: Option<&Refusal>,
    price: Price,
    nav_nano: i128,
    waterfall: Option<&Waterfall>,
    evidence: impl FnOnce(&mut dyn FnMut(Evidence)),
) {
    let flag = |on: bool, bit: u8| if on { bit } else { 0 };
    let mut line = Line::new(out);
    let council = waterfall.filter(|w| w.regime != Regime::Unknown || w.resolution != Resolution::Agreement);
    line.byte(if council.is_some() { COUNCIL_DECISION } else { DECISION });
    line.byte(
        flag(order.side == Side::Sell, SELL)
            | flag(order.kind.limit().is_some(), LIMIT)
            | flag(order.kind.stop().is_some(), STOP)
            | flag(refusal.is_some(), REFUSED)
            | flag(waterfall.is_some(), REASONS)
            | flag(waterfall.is_some_and(|w| w.unit == WaterfallUnit::Lots), IN_LOTS)
            | ((order.tif as u8) << TIF),
    );
    line.count(seq);
    line.int(ts.0);
    line.count(order.id.0);
    line.count(order.instrument.0.into());
    line.wide(order.quantity.nano());
    line.int(price.nano());
    line.wide(nav_nano);
    if let Some(limit) = order.kind.limit() {
        line.int(limit.nano());
    }
    if let Some(stop) = order.kind.stop() {
        line.int(stop.nano());
    }
    if let Some(r) = refusal {
        line.byte(r.rule as u8);
        line.byte(r.unit as u8);
        line.wide(r.limit);
        line.wide(r.actual);
    }
    let Some(w) = waterfall else { return line.flush() };
    line.count(w.base.len() as u64);
    for b in &w.base {
        line.count(b.agent.0.into());
        line.count(b.factor.0.into());
        line.int(b.amount);
    }
    line.count(w.steps.len() as u64);
    for s in &w.steps {
        line.byte(s.step as u8);
        line.int(s.amount);
    }
    for v in [w.last, w.lots.target, w.lots.position, w.lots.open, w.lots.order] {
        line.int(v);
    }
    if let Some(w) = council {
        line.byte(w.regime as u8);
        line.byte(w.resolution as u8);
    }
    let mut speaker = None;
    evidence(&mut |e| {
        if speaker != Some(e.agent) {
            speaker = Some(e.agent);
            line.byte(AGENT);
            line.count(e.agent.0.into());
        }
        match e.value {
            Some(v) => line.tagged_float(VALUE, v),
            None => line.byte(NO_VALUE),
        }
    });
    line.byte(END);
    line.flush();
}

pub(crate) fn put_fill(out: &mut Encoder, seq: u64, ts: Timestamp, f: &Fill, realised_nano: i128, anomaly: bool) {
    let mut line = Line::new(out);
    line.byte(FILL);
    line.byte(if f.side == Side::Sell { SELL } else { 0 } | if anomaly { ANOMALY } else { 0 });
    line.count(seq);
    line.int(ts.0);
    line.count(f.exec.0);
    line.count(f.order.0);
    line.count(f.instrument.0.into());
    line.wide(f.quantity.nano());
    line.int(f.price.nano());
    line.wide(f.fee_nano);
    line.wide(realised_nano);
    line.flush();
}

pub(crate) fn put_costs(out: &mut Encoder, seq: u64, exec: ExecId, c: &FillCosts) {
    let mut line = Line::new(out);
    line.byte(COSTS);
    line.count(seq);
    line.count(exec.0);
    for v in [c.commission_nano, c.regulatory_nano, c.spread_nano, c.impact_nano] {
        line.wide(v);
    }
    line.flush();
}

pub(crate) fn put_financing(out: &mut Encoder, r: &FinancingRecord) {
    let mut line = Line::new(out);
    line.byte(FINANCING);
    line.count(r.seq);
    for v in [r.ts.0, i64::from(r.from.0), i64::from(r.to.0), i64::from(r.pay.0)] {
        line.int(v);
    }
    for v in [r.financed.borrow_nano, r.financed.margin_nano, r.financed.earned_nano] {
        line.wide(v);
    }
    line.flush();
    out.str(r.currency.code());
}

pub(crate) fn put_cancelled(to: &mut Encoder, seq: u64, ts: Timestamp, order: OrderId, reason: CancelReason) {
    put_ended(to, CANCELLED, seq, ts, order, reason as u8);
}

pub(crate) fn put_rejected(to: &mut Encoder, seq: u64, ts: Timestamp, order: OrderId, reason: RejectReason) {
    put_ended(to, REJECTED, seq, ts, order, reason as u8);
}

fn put_ended(to: &mut Encoder, tag: u8, seq: u64, ts: Timestamp, order: OrderId, reason: u8) {
    to.u8(tag);
    to.u64(seq);
    to.i64(ts.0);
    to.u64(order.0);
    to.u8(reason);
}

pub(crate) fn put_command(to: &mut Encoder, seq: u64, ts: Timestamp, halt: bool) {
    to.u8(COMMAND);
    to.u64(seq);
    to.i64(ts.0);
    to.bool(halt);
}

pub(crate) fn put_breaker(to: &mut Encoder, seq: u64, change: &Change) {
    match change {
        Change::Tripped(trip) => {
            to.u8(BREAKER_TRIPPED);
            to.u64(seq);
            to.i64(trip.ts.0);
            to.u8(trip.why.rule as u8);
            to.u8(trip.why.unit as u8);
            to.i128(trip.why.limit);
            to.i128(trip.why.actual);
            to.u8(trip.action as u8);
        }
        Change::Ended { ts, rule } => {
            to.u8(BREAKER_ENDED);
            to.u64(seq);
            to.i64(ts.0);
            to.u8(*rule as u8);
        }
    }
}

pub(crate) fn put_state_hash(to: &mut Encoder, seq: u64, hash: &[u8; 32]) {
    to.u8(STATE_HASH);
    to.u64(seq);
    to.bytes(hash);
}

/// Reads the records of a commit group.
///
/// # Errors
/// `DecodeError` with the offset, if the bytes are no records of this format.
pub fn decode(bytes: &[u8]) -> Result<Vec<Record>, DecodeError> {
    let mut d = Decoder::new(bytes);
    let mut out = Vec::new();
    while d.left() > 0 {
        out.push(one(&mut d, bytes.len())?);
    }
    Ok(out)
}

fn one(d: &mut Decoder<'_>, len: usize) -> Result<Record, DecodeError> {
    let at = len - d.left();
    let invalid = |what, found: u8| DecodeError::Invalid { what, at, found: u64::from(found) };
    Ok(match d.u8("record tag")? {
        BINDING => Record::Binding(binding(d)?),
        tag @ (DECISION | COUNCIL_DECISION) => Record::Decision(Box::new(decision(d, at, tag == COUNCIL_DECISION)?)),
        FILL => {
            let flags = d.u8("flags")?;
            let (seq, ts) = (count(d, "seq")?, Timestamp(int(d, "time")?));
            let (exec, order) = (ExecId(count(d, "execution")?), OrderId(count(d, "order")?));
            let instrument = InstrumentId(small(d, "instrument")?);
            let quantity = Quantity::from_nano(wide(d, "quantity")?);
            let price = Price::from_nano(int(d, "price")?);
            let (fee_nano, realised_nano) = (wide(d, "fee")?, wide(d, "realised")?);
            let fill = Fill { exec, order, instrument, side: side(flags), quantity, price, fee_nano };
            Record::Fill { seq, ts, fill, realised_nano, anomaly: flags & ANOMALY != 0 }
        }
        tag @ (CANCELLED | REJECTED) => {
            let (seq, ts, order) = (d.u64("seq")?, Timestamp(d.i64("time")?), OrderId(d.u64("order")?));
            let byte = d.u8("reason")?;
            if tag == CANCELLED {
                let reason = CancelReason::from_byte(byte).ok_or(invalid("reason of a cancel", byte))?;
                Record::Cancelled { seq, ts, order, reason }
            } else {
                let reason = match byte {
                    0 => RejectReason::NotTradable,
                    1 => RejectReason::DuplicateId,
                    2 => RejectReason::OutOfRange,
                    other => return Err(invalid("reason of a rejection", other)),
                };
                Record::Rejected { seq, ts, order, reason }
            }
        }
        COMMAND => Record::Command { seq: d.u64("seq")?, ts: Timestamp(d.i64("time")?), halt: d.bool("halt")? },
        ACTION => Record::Action(Box::new(action(d, at)?)),
        LESSON => {
            let (seq, ts) = (count(d, "seq")?, Timestamp(int(d, "time")?));
            let mut agents = Vec::new();
            for _ in 0..count(d, "agents")? {
                let (agent, weight) = (AgentId(small(d, "agent")?), int(d, "weight")?);
                let gain = match d.u8("gain")? {
                    VALUE => Some(int(d, "gain")?),
                    NO_VALUE => None,
                    other => return Err(invalid("gain", other)),
                };
                agents.push((agent, weight, gain));
            }
            Record::Lesson { seq, ts, lesson: Lesson { agents } }
        }
        REGIME => {
            let (seq, ts) = (count(d, "seq")?, Timestamp(int(d, "time")?));
            let byte = d.u8("regime")?;
            Record::Regime { seq, ts, regime: Regime::from_byte(byte).ok_or(invalid("regime", byte))? }
        }
        AGENT_STOPPED => {
            let (seq, ts, agent) = (d.u64("seq")?, Timestamp(d.i64("time")?), AgentId(d.u16("agent")?));
            Record::AgentStopped { seq, ts, agent, what: d.str("what it said")?.to_owned() }
        }
        NEGOTIATION => {
            let (seq, ts, budget_ns) = (count(d, "seq")?, Timestamp(int(d, "time")?), count(d, "work")?);
            let mut claims = Vec::new();
            for _ in 0..count(d, "claims")? {
                let agent = AgentId(small(d, "agent")?);
                let runs = d.bool("whether it runs")?;
                let value = d.f64("value")?;
                let (cost_ns, missed, rank) = (count(d, "cost")?, small(d, "missed")?, small(d, "rank")?);
                let (left_ns, priority) = (count(d, "work left")?, small(d, "priority")?);
                claims.push(AgentClaim { agent, value, cost_ns, missed, priority, rank, runs, left_ns });
            }
            Record::Negotiation(Negotiation { seq, ts, budget_ns, claims })
        }
        RESULTS => {
            let (seq, ts) = (count(d, "seq")?, Timestamp(int(d, "time")?));
            let (nav_nano, total, construction) = (wide(d, "NAV")?, wide(d, "result")?, wide(d, "result")?);
            let mut lines = Vec::new();
            for _ in 0..count(d, "agents")? {
                let (gross, costs, exposure) = (wide(d, "result")?, wide(d, "costs")?, wide(d, "exposure")?);
                lines.push(AgentLine { gross, costs, exposure, decisions: count(d, "decisions")? });
            }
            Record::Results { seq, ts, nav_nano, statement: Statement { total, lines, construction } }
        }
        COSTS => {
            let (seq, exec) = (count(d, "seq")?, ExecId(count(d, "execution")?));
            let costs = FillCosts {
                commission_nano: wide(d, "commission")?,
                regulatory_nano: wide(d, "regulators' fees")?,
                spread_nano: wide(d, "spread")?,
                impact_nano: wide(d, "impact")?,
            };
            Record::Costs { seq, exec, costs }
        }
        FINANCING => Record::Financing(Box::new(financing(d, at)?)),
        BREAKER_TRIPPED => {
            let (seq, ts) = (d.u64("seq")?, Timestamp(d.i64("time")?));
            let (rule, unit) = (d.u8("rule")?, d.u8("unit")?);
            let (limit, actual, action) = (d.i128("limit")?, d.i128("measured")?, d.u8("action of a breaker")?);
            let rule = Rule::from_byte(rule).ok_or(invalid("rule", rule))?;
            let unit = Unit::from_byte(unit).ok_or(invalid("unit", unit))?;
            let action = Action::from_byte(action).ok_or(invalid("action of a breaker", action))?;
            Record::BreakerTripped { seq, trip: Trip { ts, why: Refusal { rule, limit, actual, unit }, action } }
        }
        BREAKER_ENDED => {
            let (seq, ts, rule) = (d.u64("seq")?, Timestamp(d.i64("time")?), d.u8("rule")?);
            Record::BreakerEnded { seq, ts, rule: Rule::from_byte(rule).ok_or(invalid("rule", rule))? }
        }
        STATE_HASH => Record::StateHash { seq: d.u64("seq")?, hash: id(d, "state hash")? },
        other => return Err(invalid("record tag", other)),
    })
}

fn binding(d: &mut Decoder<'_>) -> Result<Binding, DecodeError> {
    let format = d.u32("record format")?;
    if !(1..=FORMAT).contains(&format) {
        let (found, expected) = (u64::from(format), u64::from(FORMAT));
        return Err(DecodeError::Mismatch { what: "record format", found, expected });
    }
    let mandate = d.str("mandate")?.to_owned();
    let seed = d.u64("seed")?;
    let mut batches = Vec::new();
    for _ in 0..d.len("batches")? {
        batches.push(BatchId(id(d, "batch id")?));
    }
    let mut symbols = Vec::new();
    for _ in 0..d.len("symbols")? {
        let n = d.len("symbols")?;
        symbols.push((0..n).map(|_| d.str("symbol").map(str::to_owned)).collect::<Result<_, _>>()?);
    }
    let binary = d.str("binary")?.to_owned();
    let actions = if format == 1 { None } else { Some(ActionsId(id(d, "id of actions")?)) };
    Ok(Binding { mandate, seed, batches, symbols, actions, binary, format })
}

/// 32 bytes.
fn id(d: &mut Decoder<'_>, what: &'static str) -> Result<[u8; 32], DecodeError> {
    let raw = d.bytes(what)?;
    let found = raw.len() as u64;
    raw.try_into().map_err(|_| DecodeError::Mismatch { what, found, expected: 32 })
}

fn action(d: &mut Decoder<'_>, at: usize) -> Result<ActionRecord, DecodeError> {
    let kind = d.u8("kind of an action")?;
    let (seq, ts) = (count(d, "seq")?, Timestamp(int(d, "time")?));
    let (happens, ex) = (Timestamp(int(d, "time of an action")?), Date(small(d, "ex-date")?));
    let instrument = InstrumentId(small(d, "instrument")?);
    let kind = match kind {
        SPLIT => ActionKind::Split { new: small(d, "units after")?, old: small(d, "units before")? },
        DIVIDEND => {
            let amount = Price::from_nano(int(d, "dividend")?);
            ActionKind::Dividend { amount, pay: Date(small(d, "payment date")?) }
        }
        RENAME => {
            let name = small(d, "name")?;
            int(d, "name")?;
            ActionKind::Rename { name }
        }
        DELISTING => {
            let price = Price::from_nano(int(d, "final price")?);
            int(d, "final price")?;
            ActionKind::Delisting { price }
        }
        other => return Err(DecodeError::Invalid { what: "kind of an action", at, found: other.into() }),
    };
    let mut wide = |what| wide(d, what);
    let (before, after) = (Quantity::from_nano(wide("position")?), Quantity::from_nano(wide("position")?));
    let booked = ActionBooked { before, after, cash_nano: wide("cash")?, realised_nano: wide("realised")? };
    let n_orders = small(d, "orders")?;
    let symbol = d.str("symbol")?.to_owned();
    Ok(ActionRecord {
        seq,
        ts,
        action: CorporateAction { ts: happens, instrument, kind, ex },
        symbol,
        booked,
        n_orders,
    })
}

fn financing(d: &mut Decoder<'_>, at: usize) -> Result<FinancingRecord, DecodeError> {
    let (seq, ts) = (count(d, "seq")?, Timestamp(int(d, "time")?));
    let (from, to, pay) =
        (Date(small(d, "first night")?), Date(small(d, "last night")?), Date(small(d, "payment date")?));
    let financed = Financed {
        borrow_nano: wide(d, "borrow fee")?,
        margin_nano: wide(d, "margin interest")?,
        earned_nano: wide(d, "interest on cash")?,
    };
    let code = d.str("currency")?;
    let found = code.len() as u64;
    let currency = Currency::parse(code).ok_or(DecodeError::Invalid { what: "currency", at, found })?;
    Ok(FinancingRecord { seq, ts, from, to, pay, currency, financed })
}

fn side(flags: u8) -> Side {
    if flags & SELL == 0 { Side::Buy } else { Side::Sell }
}

fn decision(d: &mut Decoder<'_>, at: usize, council: bool) -> Result<DecisionRecord, DecodeError> {
    use tradegraph_domain::TimeInForce as Tif;
    let invalid = |what, found: u8| DecodeError::Invalid { what, at, found: u64::from(found) };
    let flags = d.u8("flags")?;
    let has = |bit: u8| flags & bit != 0;
    let (seq, ts) = (count(d, "seq")?, Timestamp(int(d, "time")?));
    let id = OrderId(count(d, "order")?);
    let instrument = InstrumentId(small(d, "instrument")?);
    let quantity = Quantity::from_nano(wide(d, "quantity")?);
    let price = Price::from_nano(int(d, "price")?);
    let nav_nano = wide(d, "NAV")?;
    let limit = if has(LIMIT) { Some(Price::from_nano(int(d, "limit")?)) } else { None };
    let stop = if has(STOP) { Some(Price::from_nano(int(d, "stop")?)) } else { None };
    let kind = match (stop, limit) {
        (None, None) => OrderKind::Market,
        (None, Some(limit)) => OrderKind::Limit(limit),
        (Some(stop), None) => OrderKind::Stop(stop),
        (Some(stop), Some(limit)) => OrderKind::StopLimit { stop, limit },
    };
    let tif = match flags >> TIF {
        0 => Tif::Day,
        1 => Tif::GoodTillCancelled,
        2 => Tif::ImmediateOrCancel,
        other => return Err(invalid("time in force", other)),
    };
    let order = Order { id, instrument, side: side(flags), kind, tif, quantity };
    let mut refusal = None;
    if has(REFUSED) {
        let byte = d.u8("rule")?;
        let rule = Rule::from_byte(byte).ok_or(invalid("rule", byte))?;
        let byte = d.u8("unit")?;
        let unit = Unit::from_byte(byte).ok_or(invalid("unit", byte))?;
        refusal = Some(Refusal { rule, limit: wide(d, "limit")?, actual: wide(d, "actual")?, unit });
    }
    let mut waterfall = Waterfall::default();
    let mut evidence = Vec::new();
    if has(REASONS) {
        waterfall.unit = if has(IN_LOTS) { WaterfallUnit::Lots } else { WaterfallUnit::NanoNav };
        for _ in 0..count(d, "base entries")? {
            let (agent, factor) = (AgentId(small(d, "agent")?), FactorId(small(d, "factor")?));
            waterfall.base.push(BaseEntry { agent, factor, amount: int(d, "amount")? });
        }
        for _ in 0..count(d, "steps")? {
            let byte = d.u8("step")?;
            let step = Step::from_byte(byte).ok_or(invalid("step", byte))?;
            waterfall.steps.push(StepEntry { step, amount: int(d, "amount")? });
        }
        waterfall.last = int(d, "target")?;
        waterfall.lots = LotLine {
            target: int(d, "target lots")?,
            position: int(d, "position lots")?,
            open: int(d, "open lots")?,
            order: int(d, "order lots")?,
        };
        if council {
            let byte = d.u8("regime")?;
            waterfall.regime = Regime::from_byte(byte).ok_or(invalid("regime", byte))?;
            let byte = d.u8("resolution")?;
            waterfall.resolution = Resolution::from_byte(byte).ok_or(invalid("resolution", byte))?;
        }
        evidence = values(d, at)?;
    }
    Ok(DecisionRecord { seq, ts, order, refusal, price, nav_nano, waterfall, evidence })
}

/// The values that the agents saw.
fn values(d: &mut Decoder<'_>, at: usize) -> Result<Vec<Evidence>, DecodeError> {
    let mut out = Vec::new();
    let (mut agent, mut need) = (AgentId(0), 0);
    loop {
        let value = match d.u8("evidence")? {
            END => return Ok(out),
            AGENT => {
                (agent, need) = (AgentId(small(d, "agent")?), 0);
                continue;
            }
            VALUE => Some(d.f64("evidence")?),
            NO_VALUE => None,
            other => return Err(DecodeError::Invalid { what: "evidence", at, found: other.into() }),
        };
        out.push(Evidence { agent, need, value });
        need = need.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tradegraph_domain::TimeInForce;

    fn sample(amounts: &[i64], refused: bool) -> (Vec<u8>, DecisionRecord) {
        let mut waterfall = Waterfall::default();
        for (i, a) in amounts.iter().enumerate() {
            waterfall.add_base(AgentId(i as u16), FactorId(1), *a);
        }
        waterfall.step_to(Step::Weight, 5);
        waterfall.lots = LotLine { target: 3, position: 1, open: 1, order: 1 };
        if amounts.len() % 2 == 1 {
            (waterfall.regime, waterfall.resolution) = (Regime::RangeVolatile, Resolution::Agreement);
        }
        let order = Order {
            id: OrderId(9),
            instrument: InstrumentId(2),
            side: Side::Sell,
            kind: OrderKind::Limit(Price::from_nano(7)),
            tif: TimeInForce::GoodTillCancelled,
            quantity: Quantity::from_nano(10_i128.pow(22)),
        };
        let refusal =
            refused.then_some(Refusal { rule: Rule::Cash, limit: -1, actual: 1 << 100, unit: Unit::MoneyNano });
        let evidence = vec![
            Evidence { agent: AgentId(1), need: 0, value: Some(-0.5) },
            Evidence { agent: AgentId(1), need: 1, value: None },
        ];
        let record = DecisionRecord {
            seq: 4,
            ts: Timestamp(5),
            order,
            refusal,
            price: Price::from_nano(8),
            nav_nano: -3,
            waterfall,
            evidence,
        };
        let mut e = Encoder::new();
        put_decision(
            &mut e,
            4,
            Timestamp(5),
            &record.order,
            record.refusal.as_ref(),
            record.price,
            -3,
            Some(&record.waterfall),
            |put| record.evidence.iter().for_each(|e| put(*e)),
        );
        (e.into_bytes(), record)
    }

    /// A journal that version 1 wrote: its binding, a refused decision, a fill, what ended orders, a halt, a hash.
    #[test]
    fn journals_of_version_1_are_read() {
        let bytes = bytes_of(include_str!("records/version_1.hex"));
        let records = decode(&bytes).unwrap();
        let Record::Binding(b) = &records[0] else { panic!("{:?}", records[0]) };
        assert_eq!((b.mandate.as_str(), b.seed, b.actions), ("name = \"old\"", 7, None));
        assert_eq!(
            (b.batches.clone(), b.symbols.clone()),
            (vec![BatchId([9; 32])], vec![vec!["AAPL".into(), "MSFT".into()]])
        );
        let Record::Decision(d) = &records[1] else { panic!("{:?}", records[1]) };
        assert_eq!(
            (d.seq, d.ts, d.order.id, d.waterfall.last, d.waterfall.lots.order),
            (3, Timestamp(40), OrderId(1), 100_000_000, 10)
        );
        assert_eq!(d.refusal.map(|r| (r.rule, r.limit, r.actual)), Some((Rule::Cash, 5, 6)));
        assert_eq!(d.evidence, vec![Evidence { agent: AgentId(1), need: 0, value: Some(1.5) }]);
        let Record::Fill { fill, realised_nano: -7, anomaly: false, .. } = &records[2] else {
            panic!("{:?}", records[2])
        };
        assert_eq!(
            (fill.side, fill.quantity, fill.price.nano(), fill.fee_nano),
            (Side::Sell, Quantity::from_units(10).unwrap(), 25_000_000_000, 5)
        );
        let (ts, order) = (Timestamp, OrderId);
        assert_eq!(
            records[3..],
            [
                Record::Cancelled { seq: 5, ts: ts(60), order: order(2), reason: CancelReason::Participation },
                Record::Rejected { seq: 6, ts: ts(61), order: order(3), reason: RejectReason::DuplicateId },
                Record::Command { seq: 7, ts: ts(62), halt: true },
                Record::StateHash { seq: 7, hash: [3; 32] },
            ]
        );
        // The next version is not guessed at.
        let mut newer = bytes;
        newer[1] = 4;
        assert_eq!(decode(&newer), Err(DecodeError::Mismatch { what: "record format", found: 4, expected: 3 }));
    }

    /// A journal that version 2 wrote: its binding, a refused decision with reasons, a split, a hash.
    #[test]
    fn journals_of_version_2_are_read() {
        let records = decode(&bytes_of(include_str!("records/version_2.hex"))).unwrap();
        let Record::Binding(b) = &records[0] else { panic!("{:?}", records[0]) };
        assert_eq!((b.seed, b.format, b.actions), (7, 2, Some(ActionsId([5; 32]))));
        let Record::Decision(d) = &records[1] else { panic!("{:?}", records[1]) };
        assert_eq!(d.waterfall.base.iter().map(|b| b.amount).collect::<Vec<_>>(), vec![30, -5, 7]);
        assert_eq!(
            (d.waterfall.last, d.waterfall.regime, d.waterfall.resolution),
            (5, Regime::Unknown, Resolution::Agreement)
        );
        assert_eq!(d.evidence.len(), 2);
        let Record::Action(a) = &records[2] else { panic!("{:?}", records[2]) };
        assert_eq!((a.action.kind, a.booked.after.nano()), (ActionKind::Split { new: 2, old: 1 }, 8));
        assert_eq!(records[3..], [Record::StateHash { seq: 8, hash: [3; 32] }]);
    }

    fn bytes_of(hex: &str) -> Vec<u8> {
        let digits = hex.trim().as_bytes();
        digits.chunks(2).map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap()).collect()
    }

    #[test]
    fn every_kind_of_order_survives() {
        let (stop, limit) = (Price::from_nano(-5), Price::from_nano(6));
        for kind in
            [OrderKind::Market, OrderKind::Limit(limit), OrderKind::Stop(stop), OrderKind::StopLimit { stop, limit }]
        {
            let (_, mut record) = sample(&[1], true);
            record.order.kind = kind;
            let (refusal, w) = (record.refusal.as_ref(), Some(&record.waterfall));
            let mut e = Encoder::new();
            put_decision(&mut e, 4, Timestamp(5), &record.order, refusal, record.price, -3, w, |put| {
                record.evidence.iter().for_each(|e| put(*e));
            });
            assert_eq!(decode(e.as_bytes()), Ok(vec![Record::Decision(Box::new(record))]));
        }
    }

    proptest! {
        #[test]
        fn decisions_survive(amounts in prop::collection::vec(-1_000_000_000_i64..1_000_000_000, 0..20), refused in any::<bool>()) {
            let (bytes, record) = sample(&amounts, refused);
            prop_assert_eq!(decode(&bytes), Ok(vec![Record::Decision(Box::new(record))]));
            for cut in 1..bytes.len() {
                prop_assert!(decode(&bytes[..cut]).is_err());
            }
        }

        #[test]
        fn costs_and_financing_survive(n in prop::collection::vec(any::<i128>(), 7), exec in any::<u64>(), days in prop::collection::vec(any::<i32>(), 3)) {
            let costs = FillCosts { commission_nano: n[0], regulatory_nano: n[1], spread_nano: n[2], impact_nano: n[3] };
            let financed = Financed { borrow_nano: n[4], margin_nano: n[5], earned_nano: n[6] };
            let r = FinancingRecord {
                seq: 9, ts: Timestamp(-4), from: Date(days[0]), to: Date(days[1]), pay: Date(days[2]), currency: Currency::EUR, financed,
            };
            let mut e = Encoder::new();
            put_costs(&mut e, 3, ExecId(exec), &costs);
            let first = e.as_bytes().len();
            put_financing(&mut e, &r);
            let expected = vec![Record::Costs { seq: 3, exec: ExecId(exec), costs }, Record::Financing(Box::new(r))];
            prop_assert_eq!(decode(e.as_bytes()), Ok(expected));
            for cut in (1..e.as_bytes().len()).filter(|c| *c != first) {
                prop_assert!(decode(&e.as_bytes()[..cut]).is_err());
            }
        }

        #[test]
        fn bindings_survive(names in prop::collection::vec(prop::collection::vec("[A-Z]{1,5}", 0..4), 0..4), seed in any::<u64>(), actions in any::<bool>()) {
            let b = Binding {
                mandate: "name = \"é\"".into(),
                seed,
                batches: names.iter().map(|_| BatchId([7; 32])).collect(),
                symbols: names,
                actions: actions.then_some(ActionsId([5; 32])),
                binary: "x".into(),
                format: if actions { FORMAT } else { 1 },
            };
            let mut e = Encoder::new();
            put_binding(&mut e, &b);
            prop_assert_eq!(decode(e.as_bytes()), Ok(vec![Record::Binding(b)]));
            for cut in 1..e.as_bytes().len() {
                prop_assert!(decode(&e.as_bytes()[..cut]).is_err());
            }
        }

        #[test]
        fn actions_survive(
            kind in prop_oneof![
                (any::<u32>(), any::<u32>()).prop_map(|(new, old)| ActionKind::Split { new, old }),
                (any::<i64>(), any::<i32>()).prop_map(|(p, d)| ActionKind::Dividend { amount: Price::from_nano(p), pay: Date(d) }),
                any::<u32>().prop_map(|name| ActionKind::Rename { name }),
                any::<i64>().prop_map(|p| ActionKind::Delisting { price: Price::from_nano(p) }),
            ],
            numbers in prop::collection::vec(any::<i128>(), 4),
            (ts, ex, instrument) in (any::<i64>(), any::<i32>(), any::<u32>()),
            symbol in "[A-Z]{0,5}",
        ) {
            let booked = ActionBooked {
                before: Quantity::from_nano(numbers[0]),
                after: Quantity::from_nano(numbers[1]),
                cash_nano: numbers[2],
                realised_nano: numbers[3],
            };
            let action = CorporateAction { ts: Timestamp(ts), instrument: InstrumentId(instrument), kind, ex: Date(ex) };
            let record = ActionRecord { seq: 3, ts: Timestamp(ts / 2), action, symbol, booked, n_orders: 7 };
            let mut e = Encoder::new();
            put_action(&mut e, &record);
            prop_assert_eq!(decode(e.as_bytes()), Ok(vec![Record::Action(Box::new(record))]));
            for cut in 1..e.as_bytes().len() {
                prop_assert!(decode(&e.as_bytes()[..cut]).is_err());
            }
        }

        #[test]
        fn negotiations_survive(
            claims in prop::collection::vec((any::<u16>(), any::<f64>(), (0..i64::MAX as u64, any::<u32>(), any::<u32>()), any::<bool>(), any::<i32>()), 0..5),
            (budget_ns, left_ns, ts) in (0..i64::MAX as u64, 0..i64::MAX as u64, any::<i64>()),
        ) {
            let claim = |(agent, value, (cost_ns, missed, rank), runs, priority)| {
                AgentClaim { agent: AgentId(agent), value, cost_ns, missed, priority, rank, runs, left_ns }
            };
            let claims: Vec<_> = claims.into_iter().map(claim).collect();
            prop_assume!(claims.iter().all(|c| !c.value.is_nan()));
            let n = Negotiation { seq: 5, ts: Timestamp(ts), budget_ns, claims };
            let mut e = Encoder::new();
            put_negotiation(&mut e, n.seq, n.ts, &n);
            prop_assert_eq!(decode(e.as_bytes()), Ok(vec![Record::Negotiation(n)]));
            let mut e = Encoder::new();
            put_agent_stopped(&mut e, budget_ns, Timestamp(ts), AgentId(9), "index out of bounds");
            let stopped = Record::AgentStopped {
                seq: budget_ns, ts: Timestamp(ts), agent: AgentId(9), what: "index out of bounds".to_owned(),
            };
            prop_assert_eq!(decode(e.as_bytes()), Ok(vec![stopped]));
            for cut in 1..e.as_bytes().len() {
                prop_assert!(decode(&e.as_bytes()[..cut]).is_err());
            }
        }

        #[test]
        fn what_the_council_knows_survives(
            agents in prop::collection::vec((any::<u16>(), any::<i64>(), prop::option::of(any::<i64>())), 0..5),
            regime in 0_u8..6,
            lines in prop::collection::vec((any::<i128>(), any::<i128>(), any::<i128>(), any::<u64>()), 0..5),
            numbers in (any::<i64>(), any::<i128>(), any::<i128>(), any::<i128>()),
        ) {
            let (seq, ts) = (9, Timestamp(numbers.0));
            let lesson = Lesson { agents: agents.into_iter().map(|(a, w, g)| (AgentId(a), w, g)).collect() };
            let regime = Regime::from_byte(regime).unwrap();
            let lines = lines.into_iter().map(|(gross, costs, exposure, decisions)| AgentLine { gross, costs, exposure, decisions });
            let statement = Statement { total: numbers.1, lines: lines.collect(), construction: numbers.2 };
            let mut e = Encoder::new();
            put_lesson(&mut e, seq, ts, &lesson);
            put_regime(&mut e, seq, ts, regime);
            put_results(&mut e, seq, ts, numbers.3, &statement);
            let expected = vec![
                Record::Lesson { seq, ts, lesson },
                Record::Regime { seq, ts, regime },
                Record::Results { seq, ts, nav_nano: numbers.3, statement },
            ];
            prop_assert_eq!(decode(e.as_bytes()), Ok(expected));
        }

        #[test]
        fn breakers_survive(
            (seq, ts, limit, actual) in (any::<u64>(), any::<i64>(), any::<i128>(), any::<i128>()),
            at in 0..Rule::ALL.len(),
            (unit, action) in (0_u8..6, 0_u8..2),
        ) {
            let (rule, ts) = (Rule::ALL[at].rule, Timestamp(ts));
            let why = Refusal { rule, limit, actual, unit: Unit::from_byte(unit).unwrap() };
            let trip = Trip { ts, why, action: Action::from_byte(action).unwrap() };
            let mut e = Encoder::new();
            put_breaker(&mut e, seq, &Change::Tripped(trip));
            put_breaker(&mut e, seq, &Change::Ended { ts, rule });
            let both = vec![Record::BreakerTripped { seq, trip }, Record::BreakerEnded { seq, ts, rule }];
            prop_assert_eq!(decode(e.as_bytes()), Ok(both));
            let whole = [52, 70]; // where a record ends, the rest is a journal too
            for cut in (1..e.as_bytes().len()).filter(|c| !whole.contains(c)) {
                prop_assert!(decode(&e.as_bytes()[..cut]).is_err());
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }
}
