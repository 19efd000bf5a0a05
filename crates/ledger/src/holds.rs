//! Reservations: the first phase of a posting. An open order holds the cash it may cost and the quantity it may move;
//! each fill posts a part, and what is left is voided when the order ends.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{InstrumentId, Overflow, Quantity, Side, Split};

/// Place of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(u32);

impl HoldId {
    /// The number that journals and snapshots carry.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// A hold from its number in a snapshot.
    #[must_use]
    pub const fn from_number(number: u32) -> Self {
        HoldId(number)
    }
}

/// What one open order reserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// What it trades.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Units still open.
    pub quantity: Quantity,
    /// Cash still reserved at 1e-9 of the instrument's currency: cost at the worst price plus fees.
    pub cash_nano: i128,
    /// Notional at the worst price by which the order may raise gross exposure, at 1e-9 of the currency.
    pub exposure_nano: i128,
}

/// All holds and their sums by instrument and currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    slots: Vec<Option<Hold>>,
    free: Vec<u32>,
    buy: Vec<i128>,
    sell: Vec<i128>,
    cash: Vec<i128>,
    exposure: i128,
    n_open: u32,
}

impl Holds {
    pub(crate) fn new(n_instruments: usize, n_currencies: usize) -> Self {
        Holds {
            buy: vec![0; n_instruments],
            sell: vec![0; n_instruments],
            cash: vec![0; n_currencies],
            ..Self::default()
        }
    }

    /// Units that open buy orders may add.
    #[inline]
    #[must_use]
    pub fn buying(&self, i: InstrumentId) -> Quantity {
        Quantity::from_nano(self.buy.get(i.index()).copied().unwrap_or_default())
    }

    /// Units that open sell orders may take away.
    #[inline]
    #[must_use]
    pub fn selling(&self, i: InstrumentId) -> Quantity {
        Quantity::from_nano(self.sell.get(i.index()).copied().unwrap_or_default())
    }

    /// Cash reserved in a currency (by its place in the ledger).
    #[inline]
    #[must_use]
    pub fn cash(&self, currency: usize) -> i128 {
        self.cash.get(currency).copied().unwrap_or_default()
    }

    /// Notional by which all open orders may raise gross exposure.
    #[inline]
    #[must_use]
    pub fn exposure(&self) -> i128 {
        self.exposure
    }

    /// Number of holds.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.n_open as usize
    }

    /// True without holds.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.n_open == 0
    }

    /// The hold at a place.
    #[inline]
    #[must_use]
    pub fn get(&self, id: HoldId) -> Option<&Hold> {
        self.slots.get(id.0 as usize).and_then(Option::as_ref)
    }

    pub(crate) fn open(&mut self, hold: Hold, currency: usize) -> Result<HoldId, Overflow> {
        let sums = if hold.side == Side::Buy { &mut self.buy } else { &mut self.sell };
        let sum = sums.get_mut(hold.instrument.index()).ok_or(Overflow("instrument of a hold"))?;
        let cash = self.cash.get_mut(currency).ok_or(Overflow("currency of a hold"))?;
        let new_sum = sum.checked_add(hold.quantity.nano()).ok_or(Overflow("held quantity"))?;
        let new_cash = cash.checked_add(hold.cash_nano).ok_or(Overflow("held cash"))?;
        let new_exposure = self.exposure.checked_add(hold.exposure_nano).ok_or(Overflow("held exposure"))?;
        (*sum, *cash, self.exposure) = (new_sum, new_cash, new_exposure);
        self.n_open = self.n_open.saturating_add(1);
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                self.slots.push(None);
                u32::try_from(self.slots.len().saturating_sub(1)).map_err(|_| Overflow("number of holds"))?
            }
        };
        if let Some(slot) = self.slots.get_mut(at as usize) {
            *slot = Some(hold);
        }
        Ok(HoldId(at))
    }

    /// Posts a part of a hold: `filled` units are no longer open and the cash and exposure held for them are freed,
    /// in proportion; the last part frees everything. Filling more than is open voids the hold.
    pub(crate) fn fill(&mut self, id: HoldId, filled: Quantity, currency: usize) {
        let Some(hold) = self.slots.get_mut(id.0 as usize).and_then(Option::as_mut) else { return };
        if hold.quantity.is_zero() {
            return; // it reserves no units: it goes with its order
        }
        if filled >= hold.quantity {
            return self.close(id, currency);
        }
        let part = |amount: i128| {
            tradegraph_domain::mul_div_half_even(amount, filled.nano(), hold.quantity.nano()).unwrap_or_default()
        };
        let (cash, exposure) = (part(hold.cash_nano), part(hold.exposure_nano));
        hold.quantity = Quantity::from_nano(hold.quantity.nano().saturating_sub(filled.nano()));
        hold.cash_nano = hold.cash_nano.saturating_sub(cash);
        hold.exposure_nano = hold.exposure_nano.saturating_sub(exposure);
        let freed = Hold { quantity: filled, cash_nano: cash, exposure_nano: exposure, ..*hold };
        self.subtract(freed, currency);
    }

    /// Voids what is left of a hold. Voiding twice does nothing.
    pub(crate) fn close(&mut self, id: HoldId, currency: usize) {
        if let Some(hold) = self.slots.get_mut(id.0 as usize).and_then(Option::take) {
            self.subtract(hold, currency);
            self.free.push(id.0);
            self.n_open = self.n_open.saturating_sub(1);
        }
    }

    /// The holds of an instrument as a split leaves them: quantities in whole lots, the cash as it was, since what more
    /// units cost less each. Nothing is changed.
    pub(crate) fn after_split(
        &self,
        i: InstrumentId,
        split: Split,
        lot: Quantity,
    ) -> Result<Vec<(HoldId, Hold)>, Overflow> {
        let mut sums = [0_i128; 2];
        let mut out = Vec::new();
        for (id, hold) in self.iter().filter(|(_, h)| h.instrument == i) {
            let quantity = split.quantity(hold.quantity, lot)?.0;
            let [buy, sell] = &mut sums;
            let sum = if hold.side == Side::Buy { buy } else { sell };
            *sum = sum.checked_add(quantity.nano()).ok_or(Overflow("held quantity"))?;
            out.push((id, Hold { quantity, ..*hold }));
        }
        Ok(out)
    }

    /// Puts what `after_split` made in the place of what was there.
    pub(crate) fn put_split(&mut self, after: Vec<(HoldId, Hold)>) {
        for (id, hold) in after {
            let Some(slot) = self.slots.get_mut(id.0 as usize).and_then(Option::as_mut) else { continue };
            let sums = if hold.side == Side::Buy { &mut self.buy } else { &mut self.sell };
            if let Some(sum) = sums.get_mut(hold.instrument.index()) {
                *sum = sum.saturating_sub(slot.quantity.nano()).saturating_add(hold.quantity.nano());
            }
            *slot = hold;
        }
    }

    fn subtract(&mut self, hold: Hold, currency: usize) {
        let sums = if hold.side == Side::Buy { &mut self.buy } else { &mut self.sell };
        if let Some(sum) = sums.get_mut(hold.instrument.index()) {
            *sum = sum.saturating_sub(hold.quantity.nano());
        }
        if let Some(cash) = self.cash.get_mut(currency) {
            *cash = cash.saturating_sub(hold.cash_nano);
        }
        self.exposure = self.exposure.saturating_sub(hold.exposure_nano);
    }

    /// All open holds in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = (HoldId, &Hold)> {
        self.slots.iter().enumerate().filter_map(|(at, h)| h.as_ref().map(|h| (HoldId(at as u32), h)))
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        to.len(self.slots.len());
        for slot in &self.slots {
            to.bool(slot.is_some());
            if let Some(h) = slot {
                to.u32(h.instrument.0);
                to.u8(h.side as u8);
                to.i128(h.quantity.nano());
                to.i128(h.cash_nano);
                to.i128(h.exposure_nano);
            }
        }
        // The order of free places decides which one the next order gets.
        to.len(self.free.len());
        self.free.iter().for_each(|f| to.u32(*f));
    }

    pub(crate) fn load(
        &mut self,
        from: &mut Decoder<'_>,
        currency_of: impl Fn(InstrumentId) -> usize,
    ) -> Result<(), DecodeError> {
        let (n, c) = (self.buy.len(), self.cash.len());
        *self = Holds::new(n, c);
        let n_slots = from.len("holds")?;
        for _ in 0..n_slots {
            let hold = if from.bool("hold")? {
                let instrument = InstrumentId(from.u32("hold instrument")?);
                let side = if from.u8("hold side")? == 0 { Side::Buy } else { Side::Sell };
                let quantity = Quantity::from_nano(from.i128("hold quantity")?);
                let (cash_nano, exposure_nano) = (from.i128("hold cash")?, from.i128("hold exposure")?);
                Some(Hold { instrument, side, quantity, cash_nano, exposure_nano })
            } else {
                None
            };
            let mismatch = DecodeError::Mismatch { what: "holds", found: 0, expected: n as u64 };
            match hold {
                Some(h) => {
                    self.free.clear(); // so that `open` appends
                    self.open(h, currency_of(h.instrument)).map_err(|_| mismatch)?;
                }
                None => self.slots.push(None),
            }
        }
        self.free = (0..from.len("free holds")?).map(|_| from.u32("free hold")).collect::<Result<_, _>>()?;
        Ok(())
    }
}
