//! The records of a journal: what they hold and how they become bytes. Version 1: a tag, then fixed fields, little
//! endian. A change bumps `FORMAT` and keeps a reader of the old one.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::ExecId;
use tradegraph_domain::{
    AgentId, BaseEntry, CancelReason, FactorId, Fill, InstrumentId, LotLine, Order, OrderId, OrderKind, Price,
    Quantity, Refusal, RejectReason, Rule, Side, Step, StepEntry, Timestamp, Unit, Waterfall, WaterfallUnit,
};
use tradegraph_market::BatchId;

/// Version of the records' encoding.
pub const FORMAT: u32 = 1;

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
    /// Version of the program that made the run. The state hash does not contain it.
    pub binary: String,
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

/// Where a field may be missing: no rule refused, no reasons were recorded.
const NONE: u8 = 255;

pub(crate) fn put_binding(to: &mut Encoder, b: &Binding) {
    to.u8(BINDING);
    to.u32(FORMAT);
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
}

/// Fixed part of a decision: everything but the reasons.
const HEAD: usize = 92;

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
    let limit = match order.kind {
        OrderKind::Market => 0,
        OrderKind::Limit(p) => p.nano(),
    };
    // Constant places: the compiler checks them once and for all.
    let mut head = [0_u8; HEAD];
    head[0] = DECISION;
    head[1..9].copy_from_slice(&seq.to_le_bytes());
    head[9..17].copy_from_slice(&ts.0.to_le_bytes());
    head[17..25].copy_from_slice(&order.id.0.to_le_bytes());
    head[25..29].copy_from_slice(&order.instrument.0.to_le_bytes());
    head[29] = order.side as u8;
    head[30] = u8::from(order.kind != OrderKind::Market);
    head[31..39].copy_from_slice(&limit.to_le_bytes());
    head[39] = order.tif as u8;
    head[40..56].copy_from_slice(&order.quantity.nano().to_le_bytes());
    head[56..64].copy_from_slice(&price.nano().to_le_bytes());
    head[64..80].copy_from_slice(&nav_nano.to_le_bytes());
    head[80] = refusal.map_or(NONE, |r| r.rule as u8);
    head[81] = waterfall.map_or(NONE, |w| w.unit as u8);
    if let Some(w) = waterfall {
        // A council has fewer than 256 factors and steps.
        head[82] = w.base.len() as u8;
        head[83] = w.steps.len() as u8;
        head[84..92].copy_from_slice(&w.last.to_le_bytes());
    }
    out.append(&head);
    if let Some(r) = refusal {
        out.u8(r.unit as u8);
        out.i128(r.limit);
        out.i128(r.actual);
    }
    let Some(w) = waterfall else { return };
    for b in &w.base {
        let mut entry = [0_u8; 12];
        entry[0..2].copy_from_slice(&b.agent.0.to_le_bytes());
        entry[2..4].copy_from_slice(&b.factor.0.to_le_bytes());
        entry[4..12].copy_from_slice(&b.amount.to_le_bytes());
        out.append(&entry);
    }
    for s in &w.steps {
        let mut entry = [0_u8; 9];
        entry[0] = s.step as u8;
        entry[1..9].copy_from_slice(&s.amount.to_le_bytes());
        out.append(&entry);
    }
    let mut lots = [0_u8; 32];
    lots[0..8].copy_from_slice(&w.lots.target.to_le_bytes());
    lots[8..16].copy_from_slice(&w.lots.position.to_le_bytes());
    lots[16..24].copy_from_slice(&w.lots.open.to_le_bytes());
    lots[24..32].copy_from_slice(&w.lots.order.to_le_bytes());
    out.append(&lots);
    evidence(&mut |e| {
        let mut entry = [0_u8; 13];
        entry[0..2].copy_from_slice(&e.agent.0.to_le_bytes());
        entry[2..4].copy_from_slice(&e.need.to_le_bytes());
        entry[4] = u8::from(e.value.is_some());
        entry[5..13].copy_from_slice(&e.value.unwrap_or_default().to_bits().to_le_bytes());
        out.append(&entry);
    });
    out.u16(u16::MAX);
}

pub(crate) fn put_fill(out: &mut Encoder, seq: u64, ts: Timestamp, f: &Fill, realised_nano: i128, anomaly: bool) {
    let mut r = [0_u8; 95];
    r[0] = FILL;
    r[1..9].copy_from_slice(&seq.to_le_bytes());
    r[9..17].copy_from_slice(&ts.0.to_le_bytes());
    r[17..25].copy_from_slice(&f.exec.0.to_le_bytes());
    r[25..33].copy_from_slice(&f.order.0.to_le_bytes());
    r[33..37].copy_from_slice(&f.instrument.0.to_le_bytes());
    r[37] = f.side as u8;
    r[38..54].copy_from_slice(&f.quantity.nano().to_le_bytes());
    r[54..62].copy_from_slice(&f.price.nano().to_le_bytes());
    r[62..78].copy_from_slice(&f.fee_nano.to_le_bytes());
    r[78..94].copy_from_slice(&realised_nano.to_le_bytes());
    r[94] = u8::from(anomaly);
    out.append(&r);
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
        DECISION => Record::Decision(Box::new(decision(d, at)?)),
        FILL => {
            let (seq, ts) = (d.u64("seq")?, Timestamp(d.i64("time")?));
            let (exec, order) = (ExecId(d.u64("execution")?), OrderId(d.u64("order")?));
            let instrument = InstrumentId(d.u32("instrument")?);
            let side = side(d, at)?;
            let quantity = Quantity::from_nano(d.i128("quantity")?);
            let price = Price::from_nano(d.i64("price")?);
            let fill = Fill { exec, order, instrument, side, quantity, price, fee_nano: d.i128("fee")? };
            Record::Fill { seq, ts, fill, realised_nano: d.i128("realised")?, anomaly: d.bool("anomaly")? }
        }
        tag @ (CANCELLED | REJECTED) => {
            let (seq, ts, order) = (d.u64("seq")?, Timestamp(d.i64("time")?), OrderId(d.u64("order")?));
            let byte = d.u8("reason")?;
            if tag == CANCELLED {
                let reason = match byte {
                    0 => CancelReason::Requested,
                    1 => CancelReason::Cash,
                    2 => CancelReason::ImmediateOrCancel,
                    3 => CancelReason::EndOfSession,
                    4 => CancelReason::Participation,
                    other => return Err(invalid("reason of a cancel", other)),
                };
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
        STATE_HASH => {
            let seq = d.u64("seq")?;
            let raw = d.bytes("state hash")?;
            let found = raw.len() as u64;
            let hash = raw.try_into().map_err(|_| DecodeError::Mismatch { what: "state hash", found, expected: 32 })?;
            Record::StateHash { seq, hash }
        }
        other => return Err(invalid("record tag", other)),
    })
}

fn binding(d: &mut Decoder<'_>) -> Result<Binding, DecodeError> {
    let format = d.u32("record format")?;
    if format != FORMAT {
        let (found, expected) = (u64::from(format), u64::from(FORMAT));
        return Err(DecodeError::Mismatch { what: "record format", found, expected });
    }
    let mandate = d.str("mandate")?.to_owned();
    let seed = d.u64("seed")?;
    let mut batches = Vec::new();
    for _ in 0..d.len("batches")? {
        let raw = d.bytes("batch id")?;
        let found = raw.len() as u64;
        let id = raw.try_into().map_err(|_| DecodeError::Mismatch { what: "batch id", found, expected: 32 })?;
        batches.push(BatchId(id));
    }
    let mut symbols = Vec::new();
    for _ in 0..d.len("symbols")? {
        let n = d.len("symbols")?;
        symbols.push((0..n).map(|_| d.str("symbol").map(str::to_owned)).collect::<Result<_, _>>()?);
    }
    Ok(Binding { mandate, seed, batches, symbols, binary: d.str("binary")?.to_owned() })
}

fn side(d: &mut Decoder<'_>, at: usize) -> Result<Side, DecodeError> {
    match d.u8("side")? {
        0 => Ok(Side::Buy),
        1 => Ok(Side::Sell),
        other => Err(DecodeError::Invalid { what: "side", at, found: u64::from(other) }),
    }
}

fn decision(d: &mut Decoder<'_>, at: usize) -> Result<DecisionRecord, DecodeError> {
    use tradegraph_domain::TimeInForce as Tif;
    let invalid = |what, found: u8| DecodeError::Invalid { what, at, found: u64::from(found) };
    let (seq, ts) = (d.u64("seq")?, Timestamp(d.i64("time")?));
    let id = OrderId(d.u64("order")?);
    let instrument = InstrumentId(d.u32("instrument")?);
    let side = side(d, at)?;
    let byte = d.u8("order kind")?;
    let limit = Price::from_nano(d.i64("limit")?);
    let kind = match byte {
        0 => OrderKind::Market,
        1 => OrderKind::Limit(limit),
        other => return Err(invalid("order kind", other)),
    };
    let tif = match d.u8("time in force")? {
        0 => Tif::Day,
        1 => Tif::GoodTillCancelled,
        2 => Tif::ImmediateOrCancel,
        other => return Err(invalid("time in force", other)),
    };
    let order = Order { id, instrument, side, kind, tif, quantity: Quantity::from_nano(d.i128("quantity")?) };
    let price = Price::from_nano(d.i64("price")?);
    let nav_nano = d.i128("NAV")?;
    let (rule, unit) = (d.u8("rule")?, d.u8("waterfall unit")?);
    let (n_base, n_steps) = (d.u8("base entries")?, d.u8("steps")?);
    let mut waterfall = Waterfall { last: d.i64("target")?, ..Waterfall::default() };
    let refusal = match rule {
        NONE => None,
        byte => {
            let rule = Rule::from_byte(byte).ok_or(invalid("rule", byte))?;
            let byte = d.u8("unit")?;
            let unit = Unit::from_byte(byte).ok_or(invalid("unit", byte))?;
            Some(Refusal { rule, limit: d.i128("limit")?, actual: d.i128("actual")?, unit })
        }
    };
    let mut evidence = Vec::new();
    if unit != NONE {
        waterfall.unit = match unit {
            0 => WaterfallUnit::NanoNav,
            1 => WaterfallUnit::Lots,
            other => return Err(invalid("waterfall unit", other)),
        };
        for _ in 0..n_base {
            let (agent, factor) = (AgentId(d.u16("agent")?), FactorId(d.u16("factor")?));
            waterfall.base.push(BaseEntry { agent, factor, amount: d.i64("amount")? });
        }
        for _ in 0..n_steps {
            let byte = d.u8("step")?;
            let step = Step::from_byte(byte).ok_or(invalid("step", byte))?;
            waterfall.steps.push(StepEntry { step, amount: d.i64("amount")? });
        }
        waterfall.lots = LotLine {
            target: d.i64("target lots")?,
            position: d.i64("position lots")?,
            open: d.i64("open lots")?,
            order: d.i64("order lots")?,
        };
        loop {
            match d.u16("evidence")? {
                u16::MAX => break,
                agent => {
                    let (agent, need) = (AgentId(agent), d.u16("need")?);
                    let some = d.bool("evidence")?;
                    let value = d.f64("evidence")?;
                    evidence.push(Evidence { agent, need, value: some.then_some(value) });
                }
            }
        }
    }
    Ok(DecisionRecord { seq, ts, order, refusal, price, nav_nano, waterfall, evidence })
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
        fn bindings_survive(names in prop::collection::vec(prop::collection::vec("[A-Z]{1,5}", 0..4), 0..4), seed in any::<u64>()) {
            let b = Binding {
                mandate: "name = \"é\"".into(),
                seed,
                batches: names.iter().map(|_| BatchId([7; 32])).collect(),
                symbols: names,
                binary: "x".into(),
            };
            let mut e = Encoder::new();
            put_binding(&mut e, &b);
            prop_assert_eq!(decode(e.as_bytes()), Ok(vec![Record::Binding(b)]));
            for cut in 1..e.as_bytes().len() {
                prop_assert!(decode(&e.as_bytes()[..cut]).is_err());
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }
}
