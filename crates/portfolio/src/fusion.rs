//! The council's allocator: fuses all opinions into targets, in integers.
//!
//! In 1e-9 of NAV, for each instrument: every factor asks for factor × `max_weight` (base); the agents' weights and
//! confidence scale each agent's sum (weight); where a bar of the instrument failed a quality check lately, what is left
//! counts for `doubt` of it (data quality); the total is clamped to ± `max_weight` (normalise) and to zero from below
//! if the mandate forbids shorts (long-only); if all targets together exceed `gross`, each is scaled down alike
//! (construct); a change smaller than `band` is not made (turnover).

use crate::backoff::Backoff;
use crate::decisions::{Decisions, SignalRef};
use crate::lots::nano_nav_of;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{
    AgentId, FactorId, InstrumentId, NANO, Quantity, Step, Waterfall, WaterfallUnit, div_nano_half_even,
};
use tradegraph_ledger::{Ledger, NavMissing};
use tradegraph_market::Panel;
use tradegraph_quant::attribution::quantise;

/// Parameters in 1e-9 (of NAV, of a weight).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FusionParameters {
    /// Weight of each agent in the council, by agent id.
    pub weights_nano: Vec<i64>,
    /// |target| of one instrument at full signal.
    pub max_weight_nano: i64,
    /// Σ |target|.
    pub gross_nano: i64,
    /// Smallest change that is made.
    pub band_nano: i64,
    /// What opinions about an instrument with doubtful bars are worth, in 1e-9 of what they say.
    pub doubt_nano: i64,
    /// Whether targets may be negative.
    pub allow_short: bool,
}

/// The council's allocator.
#[derive(Clone, Debug)]
pub struct FusionAllocator {
    parameters: FusionParameters,
    /// Targets before `construct`; what is held where there is no opinion.
    wanted: Vec<i64>,
    current: Vec<i64>,
    has_opinion: Vec<bool>,
    /// Instruments that no longer exist: opinions about them count for nothing.
    gone: Vec<bool>,
    backoff: Backoff,
}

/// Where the reasons go: nowhere in the pass over all instruments, into a waterfall for those that change.
trait Record {
    fn base(&mut self, agent: AgentId, factor: FactorId, amount: i64);
    fn step(&mut self, step: Step, after: i64);
}

struct Nowhere;

impl Record for Nowhere {
    #[inline]
    fn base(&mut self, _: AgentId, _: FactorId, _: i64) {}
    #[inline]
    fn step(&mut self, _: Step, _: i64) {}
}

impl Record for Waterfall {
    fn base(&mut self, agent: AgentId, factor: FactorId, amount: i64) {
        self.add_base(agent, factor, amount);
    }
    fn step(&mut self, step: Step, after: i64) {
        self.step_to(step, after);
    }
}

impl FusionAllocator {
    /// An allocator for `n_instruments`.
    #[must_use]
    pub fn new(parameters: FusionParameters, n_instruments: usize) -> Self {
        FusionAllocator {
            parameters,
            wanted: vec![0; n_instruments],
            current: vec![0; n_instruments],
            has_opinion: vec![false; n_instruments],
            gone: vec![false; n_instruments],
            backoff: Backoff::default(),
        }
    }

    /// The parameters.
    #[must_use]
    pub fn parameters(&self) -> &FusionParameters {
        &self.parameters
    }

    /// What is held and on order, by instrument, at the last decision.
    #[must_use]
    pub fn current(&self) -> &[i64] {
        &self.current
    }

    /// Says that a wish was refused: the instrument is left alone for a pause, except to reduce it.
    pub fn unmet(&mut self, i: InstrumentId) {
        if self.gone.get(i.index()) == Some(&false) {
            self.backoff.failed(i);
        }
    }

    /// The instrument no longer exists: nothing is wanted of it any more.
    pub fn retire(&mut self, i: InstrumentId) {
        if let Some(gone) = self.gone.get_mut(i.index()) {
            *gone = true;
        }
        self.backoff.forget(i);
    }

    /// Writes what lasts from one decision to the next.
    pub fn save(&self, to: &mut Encoder) {
        self.gone.iter().for_each(|g| to.bool(*g));
        self.backoff.save(to);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        for g in &mut self.gone {
            *g = from.bool("delisted")?;
        }
        self.backoff.load(from)
    }

    /// Decisions of one moment.
    ///
    /// # Errors
    /// `NavMissing` if there is no net asset value: then nothing is decided.
    pub fn decide(
        &mut self,
        signals: &[SignalRef<'_>],
        panel: &Panel,
        books: &Ledger,
        out: &mut Decisions,
    ) -> Result<(), NavMissing> {
        out.clear();
        let nav = books.nav()?;
        self.backoff.tick();
        let mut sum = 0_i128;
        for i in 0..self.wanted.len() {
            let id = InstrumentId(i as u32);
            let held = books.position(id).nano() + books.holds().buying(id).nano() - books.holds().selling(id).nano();
            let current = nano_nav_of(id, Quantity::from_nano(held), nav, panel, books).unwrap_or_default();
            let fused = if self.gone[i] { None } else { self.fuse(signals, i, panel.is_doubtful(id), &mut Nowhere) };
            self.current[i] = current;
            self.has_opinion[i] = fused.is_some();
            self.wanted[i] = fused.unwrap_or(current);
            sum += i128::from(self.wanted[i].unsigned_abs());
        }
        if !self.backoff.is_empty() {
            let mut backoff = std::mem::take(&mut self.backoff);
            backoff.forget_met(|i| !self.is_wish(i.index(), sum));
            self.backoff = backoff;
        }
        for i in 0..self.wanted.len() {
            if !self.is_wish(i, sum) {
                continue;
            }
            let (target, current) = (self.construct(self.wanted[i], sum), self.current[i]);
            let d = out.push(InstrumentId(i as u32), current, WaterfallUnit::NanoNav);
            let id = InstrumentId(i as u32);
            self.fuse(signals, i, panel.is_doubtful(id), &mut d.waterfall);
            d.waterfall.step_to(Step::Construct, target);
            let reduces = d.reduces();
            if !reduces && self.backoff.is_waiting(InstrumentId(i as u32)) {
                out.pop();
            }
        }
        Ok(())
    }

    /// True if the target is a change worth making.
    #[inline]
    fn is_wish(&self, i: usize, sum: i128) -> bool {
        let (target, current) = (self.construct(self.wanted[i], sum), self.current[i]);
        let small = target.abs_diff(current) < self.parameters.band_nano.unsigned_abs() && target != 0;
        self.has_opinion[i] && !small && target != current
    }

    /// The target of one instrument before `construct`, or `None` if no agent has an opinion. The same integers come
    /// out whether the reasons are recorded or not.
    #[inline]
    fn fuse(&self, signals: &[SignalRef<'_>], i: usize, doubtful: bool, record: &mut impl Record) -> Option<i64> {
        let p = &self.parameters;
        let scale = p.max_weight_nano as f64;
        let mut weighted = 0_i128;
        let mut any = false;
        for s in signals.iter().filter(|s| s.is_ok(i)) {
            any = true;
            let mut own = 0_i64;
            for (f, x) in (0_u16..).zip(s.factors_of(i)) {
                // Factors lie on [−1, 1]; one that does not (or is no number) asks for nothing.
                let amount = quantise(x, scale).filter(|a| a.unsigned_abs() <= 8 * NANO as u64).unwrap_or_default();
                record.base(s.agent, FactorId(f), amount);
                own += amount;
            }
            let weight = p.weights_nano.get(usize::from(s.agent.0)).copied().unwrap_or_default();
            let confidence = quantise(s.confidence[i], 1e9).unwrap_or_default().clamp(0, NANO);
            let both = div_nano_half_even(i128::from(weight) * i128::from(confidence));
            weighted += div_nano_half_even(i128::from(own) * both);
        }
        if !any {
            return None;
        }
        let total = weighted.clamp(i128::from(i64::MIN / 2), i128::from(i64::MAX / 2)) as i64;
        record.step(Step::Weight, total);
        let sure =
            if doubtful { div_nano_half_even(i128::from(total) * i128::from(p.doubt_nano)) } else { total.into() };
        let sure = sure.clamp(i128::from(i64::MIN / 2), i128::from(i64::MAX / 2)) as i64;
        record.step(Step::Doubt, sure);
        let clamped = sure.clamp(-p.max_weight_nano, p.max_weight_nano);
        record.step(Step::Normalise, clamped);
        let allowed = if p.allow_short { clamped } else { clamped.max(0) };
        record.step(Step::LongOnly, allowed);
        Some(allowed)
    }

    /// Scales a target so that all together stay within `gross`, toward zero.
    #[inline]
    fn construct(&self, wanted: i64, sum: i128) -> i64 {
        let gross = i128::from(self.parameters.gross_nano);
        if sum <= gross { wanted } else { (i128::from(wanted) * gross / sum) as i64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tradegraph_columns::Status;

    fn allocator(allow_short: bool) -> FusionAllocator {
        let parameters = FusionParameters {
            weights_nano: vec![NANO / 2, NANO, 300_000_000],
            max_weight_nano: NANO / 10,
            gross_nano: NANO,
            band_nano: 5_000_000,
            doubt_nano: NANO / 2,
            allow_short,
        };
        FusionAllocator::new(parameters, 1)
    }

    #[test]
    fn hand_worked_fusion() {
        // Agent 1, weight 1, confidence 0.5: factors 0.5 + 0.25 ask for 0.05 + 0.025 of NAV; half of that is 0.0375.
        let signal = SignalRef { agent: AgentId(1), factors: &[0.5, 0.25], confidence: &[0.5], status: &[Status::Ok] };
        let mut w = Waterfall::default();
        assert_eq!(allocator(false).fuse(&[signal], 0, false, &mut w), Some(37_500_000));
        assert_eq!(w.base.iter().map(|b| b.amount).collect::<Vec<_>>(), vec![50_000_000, 25_000_000]);
        assert_eq!(w.steps.iter().map(|s| (s.step, s.amount)).collect::<Vec<_>>(), vec![(Step::Weight, -37_500_000)]);
        // A doubtful bar halves what is left: 0.01875.
        let mut w = Waterfall::default();
        assert_eq!(allocator(false).fuse(&[signal], 0, true, &mut w), Some(18_750_000));
        assert_eq!(w.steps.last().map(|s| (s.step, s.amount)), Some((Step::Doubt, -18_750_000)));
        let short = SignalRef { factors: &[-0.5, 0.0], ..signal };
        assert_eq!(allocator(false).fuse(&[short], 0, false, &mut w), Some(0));
        assert_eq!(allocator(true).fuse(&[short], 0, false, &mut w), Some(-25_000_000));
        let silent = SignalRef { status: &[Status::WarmUp], ..signal };
        assert_eq!(allocator(true).fuse(&[silent], 0, false, &mut w), None);
    }

    proptest! {
        /// Reasons sum to the target by integer equality, and recording them changes nothing, for any opinions,
        /// numbers that are none included.
        #[test]
        fn contributions_sum_to_the_decision(
            factors in prop::collection::vec(prop_oneof![4 => -1.0_f64..1.0, 1 => any::<f64>()], 9),
            confidence in prop::collection::vec(prop_oneof![4 => 0.0_f64..1.0, 1 => any::<f64>()], 3),
            ok in prop::collection::vec(any::<bool>(), 3),
            allow_short in any::<bool>(),
            sum in 0_i128..5_000_000_000,
            doubtful in any::<bool>(),
        ) {
            let status: Vec<Status> = ok.iter().map(|b| if *b { Status::Ok } else { Status::NoData }).collect();
            let signals: Vec<SignalRef> = (0..3).map(|a| SignalRef {
                agent: AgentId(a as u16), factors: &factors[3 * a..3 * a + 3], confidence: &confidence[a..=a], status: &status[a..=a],
            }).collect();
            let allocator = allocator(allow_short);
            let mut w = Waterfall::default();
            let silent = allocator.fuse(&signals, 0, doubtful, &mut Nowhere);
            prop_assert_eq!(allocator.fuse(&signals, 0, doubtful, &mut w), silent);
            prop_assert_eq!(silent.is_some(), ok.contains(&true));
            if let Some(target) = silent {
                let after = allocator.construct(target, sum);
                w.step_to(Step::Construct, after);
                prop_assert_eq!(w.last, after);
                prop_assert!(w.balances());
                prop_assert!(after.unsigned_abs() <= 100_000_000);
                prop_assert!(allow_short || after >= 0);
            }
        }
    }
}
