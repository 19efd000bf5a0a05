//! FIFO tax lots: a slab with a free list, one queue an instrument. A lot stores its cost, so that closing it in parts
//! loses nothing.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{InstrumentId, Overflow, Quantity, Split, Timestamp, mul_div_half_even};

const NONE: u32 = u32::MAX;

/// Units bought (or sold short) together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Signed units that are left.
    pub quantity: Quantity,
    /// Signed cost of what is left at 1e-9 of the instrument's currency, without fees.
    pub cost_nano: i128,
    /// When it was opened.
    pub opened: Timestamp,
}

/// A lot, or a part of one, that a fill closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedLot {
    /// What it was.
    pub instrument: InstrumentId,
    /// Signed units: positive for a long lot.
    pub quantity: Quantity,
    /// Signed cost at 1e-9 of the currency.
    pub cost_nano: i128,
    /// Gain (positive) or loss at 1e-9 of the currency, before fees.
    pub gain_nano: i128,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was closed.
    pub closed: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    lot: Lot,
    next: u32,
}

/// All open lots.
#[derive(Clone, Debug, Default)]
pub struct LotBook {
    nodes: Vec<Node>,
    free: u32,
    /// First and last lot of each instrument.
    ends: Vec<(u32, u32)>,
}

impl LotBook {
    pub(crate) fn new(n_instruments: usize) -> Self {
        LotBook { nodes: Vec::new(), free: NONE, ends: vec![(NONE, NONE); n_instruments] }
    }

    /// Open lots of an instrument, oldest first.
    pub fn of(&self, i: InstrumentId) -> impl Iterator<Item = Lot> + '_ {
        let mut at = self.ends.get(i.index()).map_or(NONE, |e| e.0);
        std::iter::from_fn(move || {
            let node = self.nodes.get(at as usize)?;
            at = node.next;
            Some(node.lot)
        })
    }

    pub(crate) fn push(&mut self, i: InstrumentId, lot: Lot) -> Result<(), Overflow> {
        let node = Node { lot, next: NONE };
        let at = self.free;
        let at = match self.nodes.get_mut(at as usize) {
            Some(slot) => {
                self.free = slot.next;
                *slot = node;
                at
            }
            None => {
                self.nodes.push(node);
                u32::try_from(self.nodes.len().saturating_sub(1)).map_err(|_| Overflow("number of lots"))?
            }
        };
        let ends = self.ends.get_mut(i.index()).ok_or(Overflow("instrument of a lot"))?;
        let last = ends.1;
        ends.1 = at;
        match self.nodes.get_mut(last as usize) {
            Some(node) => node.next = at,
            None => ends.0 = at,
        }
        Ok(())
    }

    /// Cost of closing `quantity` units (without sign) of an instrument, oldest lots first, without closing them.
    pub(crate) fn cost_of(&self, i: InstrumentId, quantity: Quantity) -> Result<i128, Overflow> {
        cost_of(self.of(i), quantity)
    }

    /// Puts other lots, oldest first, in the place of an instrument's own.
    pub(crate) fn replace(&mut self, i: InstrumentId, lots: &[Lot]) -> Result<(), Overflow> {
        if let Some(ends) = self.ends.get_mut(i.index()) {
            let mut at = std::mem::replace(ends, (NONE, NONE)).0;
            while let Some(node) = self.nodes.get_mut(at as usize) {
                let next = std::mem::replace(&mut node.next, self.free);
                self.free = at;
                at = next;
            }
        }
        lots.iter().try_for_each(|lot| self.push(i, *lot))
    }

    /// Closes `quantity` units (without sign), oldest lots first. `proceeds` is the signed value exchanged for all of
    /// them (what the buyer pays); it is spread over the lots by quantity and the last part takes the remainder.
    pub(crate) fn close(
        &mut self,
        i: InstrumentId,
        quantity: Quantity,
        proceeds: i128,
        now: Timestamp,
        mut each: impl FnMut(ClosedLot),
    ) -> Result<(), Overflow> {
        let total = quantity.abs().nano();
        let (mut left, mut value_left) = (total, proceeds);
        while left > 0 {
            let Some(ends) = self.ends.get_mut(i.index()) else { break };
            let at = ends.0;
            let Some(node) = self.nodes.get_mut(at as usize) else { break };
            let (cost, units) = part_of(&node.lot, left)?;
            let value = if units == left {
                value_left
            } else {
                mul_div_half_even(proceeds, units, total).ok_or(Overflow("value of a lot"))?
            };
            let sign = node.lot.quantity.signum();
            let opened = node.lot.opened;
            let whole = units >= node.lot.quantity.abs().nano();
            if whole {
                ends.0 = node.next;
                if ends.0 == NONE {
                    ends.1 = NONE;
                }
                node.next = self.free;
                self.free = at;
            } else {
                node.lot.quantity =
                    Quantity::from_nano(node.lot.quantity.nano().saturating_sub(units.saturating_mul(sign)));
                node.lot.cost_nano = node.lot.cost_nano.saturating_sub(cost);
            }
            left = left.saturating_sub(units);
            value_left = value_left.saturating_sub(value);
            each(ClosedLot {
                instrument: i,
                quantity: Quantity::from_nano(units.saturating_mul(sign)),
                cost_nano: cost,
                gain_nano: value.saturating_sub(cost),
                opened,
                closed: now,
            });
        }
        Ok(())
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        for i in 0..self.ends.len() {
            let id = InstrumentId(i as u32);
            to.len(self.of(id).count());
            for lot in self.of(id) {
                to.i128(lot.quantity.nano());
                to.i128(lot.cost_nano);
                to.i64(lot.opened.0);
            }
        }
    }

    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        *self = LotBook::new(self.ends.len());
        for i in 0..self.ends.len() {
            for _ in 0..from.len("lots")? {
                let quantity = Quantity::from_nano(from.i128("lot quantity")?);
                let lot = Lot { quantity, cost_nano: from.i128("lot cost")?, opened: Timestamp(from.i64("lot time")?) };
                let n = self.ends.len() as u64;
                self.push(InstrumentId(i as u32), lot).map_err(|_| DecodeError::Mismatch {
                    what: "lots",
                    found: 0,
                    expected: n,
                })?;
            }
        }
        Ok(())
    }
}

/// Cost of closing `quantity` units (without sign) of lots in their order.
pub(crate) fn cost_of(lots: impl Iterator<Item = Lot>, quantity: Quantity) -> Result<i128, Overflow> {
    let mut left = quantity.abs().nano();
    let mut cost = 0_i128;
    for lot in lots {
        if left == 0 {
            break;
        }
        let (part, units) = part_of(&lot, left)?;
        cost = cost.checked_add(part).ok_or(Overflow("cost of lots"))?;
        left = left.saturating_sub(units);
    }
    Ok(cost)
}

/// Lots after a split, with the costs they had. Sums are scaled, not lots, so that together they are the position
/// after it to the last unit; a lot of which nothing is left leaves its cost to its neighbour.
pub(crate) fn split_lots(lots: impl Iterator<Item = Lot>, split: Split) -> Result<Vec<Lot>, Overflow> {
    let scaled = |sum: i128| split.quantity(Quantity::from_nano(sum), Quantity::from_nano(1)).map(|(q, _)| q.nano());
    let (mut sum, mut done) = (0_i128, 0_i128);
    let mut out: Vec<Lot> = Vec::new();
    for lot in lots {
        sum = sum.checked_add(lot.quantity.nano()).ok_or(Overflow("quantity of lots"))?;
        let units = scaled(sum)?.saturating_sub(done);
        done = done.saturating_add(units);
        let add = |a: i128, b: i128| a.checked_add(b).ok_or(Overflow("cost of lots"));
        match out.last_mut() {
            Some(last) if units == 0 || last.quantity.is_zero() => {
                last.quantity = Quantity::from_nano(last.quantity.nano().saturating_add(units));
                last.cost_nano = add(last.cost_nano, lot.cost_nano)?;
            }
            _ => out.push(Lot { quantity: Quantity::from_nano(units), ..lot }),
        }
    }
    Ok(out)
}

/// Signed cost of up to `units` units of a lot, and how many units that is.
#[inline]
fn part_of(lot: &Lot, units: i128) -> Result<(i128, i128), Overflow> {
    let held = lot.quantity.abs().nano();
    if units >= held {
        return Ok((lot.cost_nano, held));
    }
    let cost = mul_div_half_even(lot.cost_nano, units, held).ok_or(Overflow("cost of a part of a lot"))?;
    Ok((cost, units))
}
