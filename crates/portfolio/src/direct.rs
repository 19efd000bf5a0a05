//! The direct allocator: a fixed quantity or weight on the side that the agents' signal has, without fusion. It runs a
//! single rule through the same controls, execution and ledger as the council; it is how we compare with other engines.
//!
//! The target changes only when the side changes; a weight is turned into lots at that moment and kept.

use crate::backoff::Backoff;
use crate::decisions::{Decisions, SignalRef};
use crate::lots::lots_worth;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::{LANES, Status, all_ok};
use tradegraph_domain::{FactorId, InstrumentId, NANO, Quantity, Split, Step, WaterfallUnit, mul_div_half_even};
use tradegraph_ledger::Ledger;
use tradegraph_market::Panel;
use tradegraph_quant::attribution::{apportion, quantise};

/// How much is held at a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectSize {
    /// Units of the instrument.
    Quantity(Quantity),
    /// 1e-9 of NAV when the side changes.
    WeightNano(i64),
}

/// The direct allocator.
#[derive(Clone, Debug)]
pub struct DirectAllocator {
    size: DirectSize,
    allow_short: bool,
    /// Side that each instrument was given: −1, 0, 1, as a float because signals are compared with it.
    side: Vec<f64>,
    /// Lots wanted.
    target: Vec<i64>,
    backoff: Backoff,
    /// Instruments that no longer exist: nothing is wanted of them.
    gone: Vec<bool>,
    /// Wishes of this decision that no price or net asset value could size.
    n_unpriced: u64,
}

impl DirectAllocator {
    /// An allocator that wants nothing yet.
    #[must_use]
    pub fn new(size: DirectSize, allow_short: bool, n_instruments: usize) -> Self {
        DirectAllocator {
            size,
            allow_short,
            side: vec![0.0; n_instruments],
            target: vec![0; n_instruments],
            backoff: Backoff::default(),
            gone: vec![false; n_instruments],
            n_unpriced: 0,
        }
    }

    /// True if a wish was not met, so that the next decision matters even if no signal changes.
    #[inline]
    #[must_use]
    pub fn has_unmet(&self) -> bool {
        !self.backoff.is_empty()
    }

    /// Says that a wish was refused, or that its order ended without filling: it is tried again after a pause.
    pub fn unmet(&mut self, i: InstrumentId) {
        if self.gone.get(i.index()) == Some(&false) {
            self.backoff.failed(i);
        }
    }

    /// A split of an instrument: the lots that are wanted of it are as many more as those that are held, so that the
    /// split makes no order. A fixed quantity stays as it was told for the next time that the side changes.
    pub fn split(&mut self, i: InstrumentId, split: Split) {
        if let Some(target) = self.target.get_mut(i.index()) {
            let lots = i128::from(*target) * i128::from(split.new) / i128::from(split.old.max(1));
            *target = lots.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
        }
    }

    /// The instrument no longer exists: nothing is wanted of it any more.
    pub fn retire(&mut self, i: InstrumentId) {
        if let (Some(gone), Some(target)) = (self.gone.get_mut(i.index()), self.target.get_mut(i.index())) {
            (*gone, *target) = (true, 0);
        }
        self.backoff.forget(i);
    }

    /// Decisions of one moment. Returns how many wishes had no size, because a price or NAV was missing: they are taken
    /// for a wish of nothing until the side changes again.
    pub fn decide(&mut self, signals: &[SignalRef<'_>], panel: &Panel, books: &Ledger, out: &mut Decisions) -> u64 {
        out.clear();
        self.n_unpriced = 0;
        let n = self.side.len();
        if let [one] = signals
            && one.factors.len() == n
        {
            // One agent with one factor, the usual case: a pass over three columns, eight cells at a time without a
            // branch, that seldom stops.
            let (factors, status) = (&one.factors[..n], &one.status[..n]);
            let whole = all_ok(status);
            for chunk in 0..n.div_ceil(LANES) {
                let cells = chunk * LANES..((chunk + 1) * LANES).min(n);
                let (side, f) = (&self.side[cells.clone()], &factors[cells.clone()]);
                let differ = match (side.as_array(), f.as_array()) {
                    (Some(side), Some(f)) if whole => eight_differ(side, f),
                    _ => true,
                };
                if !differ {
                    continue;
                }
                for i in cells {
                    if status[i] == Status::Ok && side_of_value(factors[i]) != self.side[i] {
                        self.propose(i, signals, panel, books, out);
                    }
                }
            }
        } else {
            for i in 0..n {
                if signals.iter().any(|s| s.is_ok(i)) && side_of(signals, i) != self.side[i] {
                    self.propose(i, signals, panel, books, out);
                }
            }
        }
        if !self.backoff.is_empty() {
            self.try_again(signals, panel, books, out);
        }
        self.n_unpriced
    }

    #[cold]
    fn try_again(&mut self, signals: &[SignalRef<'_>], panel: &Panel, books: &Ledger, out: &mut Decisions) {
        // A side that changed is a new wish with a fresh pause.
        for d in out.as_slice() {
            self.backoff.forget(d.instrument);
        }
        self.backoff.tick();
        let mut k = 0;
        while let Some(i) = self.backoff.due(k) {
            let before = out.as_slice().len();
            self.push(i.index(), signals, panel, books, out);
            if out.as_slice().len() == before {
                self.backoff.forget(i); // it was met meanwhile
            } else {
                k += 1;
            }
        }
    }

    #[inline]
    fn propose(&mut self, i: usize, signals: &[SignalRef<'_>], panel: &Panel, books: &Ledger, out: &mut Decisions) {
        let side = side_of(signals, i);
        self.side[i] = side;
        if self.gone[i] {
            return;
        }
        let lots = self.lots(i, side, panel, books);
        self.n_unpriced += u64::from(lots.is_none());
        self.target[i] = lots.unwrap_or_default();
        self.push(i, signals, panel, books, out);
    }

    /// Adds a decision with its reasons, unless position and open orders make the target already.
    #[inline]
    fn push(&mut self, i: usize, signals: &[SignalRef<'_>], panel: &Panel, books: &Ledger, out: &mut Decisions) {
        let id = InstrumentId(i as u32);
        let Some(lot) = panel.universe().get(id).map(|x| x.lot) else { return };
        let lots = |q: Quantity| q.lots(lot).map_or(0, |(lots, _)| lots.0);
        let position = lots(books.position(id));
        let holds = books.holds();
        let open = lots(holds.buying(id)) - lots(holds.selling(id));
        let target = self.target[i];
        let allowed = if self.allow_short { target } else { target.max(0) };
        let order = allowed - position - open;
        if order == 0 {
            return;
        }
        let d = out.push(id, position + open, WaterfallUnit::Lots);
        reasons(target, signals, i, d);
        d.waterfall.step_to(Step::LongOnly, allowed);
        d.waterfall.lots.target = allowed;
        d.waterfall.lots.position = position;
        d.waterfall.lots.open = open;
        d.waterfall.lots.order = order;
    }

    /// Lots of a side; none without a price or a net asset value.
    fn lots(&self, i: usize, side: f64, panel: &Panel, books: &Ledger) -> Option<i64> {
        let id = InstrumentId(i as u32);
        let lot = panel.universe().get(id)?.lot;
        let size = match self.size {
            DirectSize::Quantity(q) => q.lots(lot).ok()?.0.0,
            DirectSize::WeightNano(w) => {
                let value = mul_div_half_even(books.nav().ok()?, w.into(), NANO.into())?;
                lots_worth(id, value, panel, books).ok()?
            }
        };
        // −1, 0 or 1
        Some(if side > 0.0 {
            size
        } else if side < 0.0 {
            -size
        } else {
            0
        })
    }

    /// Writes what is wanted canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.f64s(&self.side);
        to.i64s(&self.target);
        self.gone.iter().for_each(|g| to.bool(*g));
        self.backoff.save(to);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes do not fit this universe.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        from.f64s_into(&mut self.side)?;
        from.i64s_into(&mut self.target)?;
        for g in &mut self.gone {
            *g = from.bool("delisted")?;
        }
        self.backoff.load(from)
    }
}

/// −1, 0 or 1.
#[inline]
fn side_of_value(value: f64) -> f64 {
    f64::from(u8::from(value > 0.0)) - f64::from(u8::from(value < 0.0))
}

/// True if one of eight opinions has another side than the one given.
#[inline]
fn eight_differ(side: &[f64; LANES], factors: &[f64; LANES]) -> bool {
    let mut any = false;
    for (side, f) in side.iter().zip(factors) {
        any |= side_of_value(*f) != *side;
    }
    any
}

/// The side of the sum of all opinions.
#[inline]
fn side_of(signals: &[SignalRef<'_>], i: usize) -> f64 {
    let value = signals.iter().filter(|s| s.is_ok(i)).fold(0.0, |sum, s| sum + s.value(i));
    side_of_value(value)
}

/// Shares a target among the factors that asked for it, in proportion to what they asked.
#[inline]
fn reasons(target: i64, signals: &[SignalRef<'_>], i: usize, d: &mut crate::decisions::Decision) {
    if let [one] = signals
        && one.factors.len() == one.status.len()
    {
        return d.waterfall.add_base(one.agent, FactorId(0), target);
    }
    let mut weights = [0_i64; 64];
    let mut shares = [0_i64; 64];
    let entries = || {
        signals
            .iter()
            .filter(move |s| s.is_ok(i))
            .flat_map(move |s| (0_u16..).zip(s.factors_of(i)).map(move |(f, x)| (s.agent, f, x)))
    };
    let mut n = 0;
    for ((_, _, x), w) in entries().zip(&mut weights) {
        *w = quantise(x, 1e9).unwrap_or_default();
        n += 1;
    }
    // Without a usable share (weights that cancel out almost entirely) the first factor carries the whole target.
    if apportion(target, &weights[..n], &mut shares[..n]).is_err() {
        shares = [0; 64];
        shares[0] = target;
    }
    for ((agent, f, _), share) in entries().zip(&shares[..n]) {
        d.waterfall.add_base(agent, FactorId(f), *share);
    }
}
