//! The council's allocator: fuses all opinions into targets, in integers.
//!
//! In 1e-9 of NAV, for each instrument, stage after stage; each reads an integer, makes an integer and records the
//! difference, and each but the first can be switched off:
//!
//! 1. base: every factor of every agent asks for factor × `max_weight`.
//! 2. weight: each agent's sum times its confidence and its weight in the mandate.
//! 3. scale: agents that speak louder than the others on average are brought down, and the quiet ones up.
//! 4. calibrate: each agent's record so far (hit rate, information coefficient) times its confidence.
//! 5. regime: each strategy by how well the market's regime suits it.
//! 6. learned weight: what the council has learned from its agents' results.
//! 7. conflict: contradicting opinions resolved by a named rule.
//! 8. data quality: opinions about an instrument with doubtful bars count for `doubt` of what they say.
//! 9. normalise: clamped to ± `max_weight`; long-only: no shorts where the mandate forbids them.
//! 10. volatility: an instrument that moves more gets less; volatility target: all together move no more than is wanted.
//! 11. construct: no more than the strongest `max_positions`, all together within `gross`.
//! 12. turnover: a change smaller than the no-trade band is not made; where the mandate says so, a larger one only goes to the
//!     band's edge. No order is smaller than `min_order`, unless it ends a position.
//!
//! Multipliers of an agent are products of its stages at 1e-9, so that one multiplication an agent gives the value of any
//! stage: the same integers come out whether the stages are recorded or not.

mod columns;

use crate::backoff::Backoff;
use crate::conflict::{Role, Sides, regime_weight};
use crate::decisions::{Decisions, SignalRef};
use crate::lots::share_of_nav;
use crate::sizing::{RiskColumns, VolatilitySizing, shrink};
use columns::{TOGETHER, Wishes, amount};
use pulp::{Arch, Simd, WithSimd};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{
    AgentId, FactorId, InstrumentId, NANO, Quantity, Regime, Resolution, Step, Waterfall, WaterfallUnit, mul_nano,
};
use tradegraph_ledger::{Ledger, NavMissing};
use tradegraph_market::{Bindings, FeatureId, FeatureSpec, Panel, View};
use tradegraph_quant::attribution::quantise;
use tradegraph_quant::no_trade::no_trade_half_width;
use tradegraph_quant::regime::{MarketState, RegimeFilter};

/// Decisions for which the market must look the same before its regime changes; a crisis counts at once.
const CONFIRM: u8 = 5;

/// Opinions by which an agent's loudness is known well enough.
const KNOWN_LOUDNESS: f64 = 1_000.0;

/// Parameters in 1e-9 (of NAV, of a weight).
#[derive(Clone, Debug, PartialEq)]
pub struct FusionParameters {
    /// Weight of each agent in the council, by agent id.
    pub weights_nano: Vec<i64>,
    /// What kind of strategy each agent is, by agent id; others where it ends.
    pub roles: Vec<Role>,
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
    /// Stages that can be switched off.
    pub stages: Stages,
    /// Sizes by risk; `None` for equal sizes.
    pub sizing: Option<VolatilitySizing>,
    /// Cost of a trade as a fraction of its value, by which the no-trade band is never narrower than pays; 0 for no cost.
    pub cost: f64,
    /// Most instruments that are held at once; `None` for any number.
    pub max_positions: Option<u32>,
    /// Smallest value of an order that does not end a position, at 1e-9 of the base currency; 0 for none.
    pub min_order_nano: i128,
}

/// Which stages are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stages {
    /// Bring agents to a common loudness.
    pub scale: bool,
    /// Correct confidence by the agents' records.
    pub calibrate: bool,
    /// Weight strategies by the market's regime.
    pub regimes: bool,
    /// Use the weights that the council learned.
    pub learn: bool,
    /// Resolve contradictions by the table of rules; otherwise opinions are summed.
    pub conflicts: bool,
    /// Trade to the edge of the no-trade band instead of to the target.
    pub to_edge: bool,
}

impl Stages {
    /// Everything on; trades go to the target.
    pub const ALL: Stages =
        Stages { scale: true, calibrate: true, regimes: true, learn: true, conflicts: true, to_edge: false };
    /// Everything off: weighted sums.
    pub const NONE: Stages =
        Stages { scale: false, calibrate: false, regimes: false, learn: false, conflicts: false, to_edge: false };
}

/// Multipliers of one agent after weight, scale, calibrate, regime and learned weight, at 1e-9.
type Multipliers = [i64; 5];
const MULTIPLIED: [Step; 5] = [Step::Weight, Step::Scale, Step::Calibrate, Step::Regime, Step::Learned];

/// The council's allocator.
#[derive(Clone, Debug)]
pub struct FusionAllocator {
    parameters: FusionParameters,
    risk: Option<(FeatureId, FeatureId)>,
    /// Targets before the portfolio's stages; what is held where there is no opinion.
    wanted: Vec<i64>,
    /// The same, all together no more volatile than is wanted.
    calmed: Vec<i64>,
    current: Vec<i64>,
    has_opinion: Vec<bool>,
    /// Instruments that no longer exist: opinions about them count for nothing.
    gone: Vec<bool>,
    /// Instruments that are among the strongest, and room to find them.
    kept: Vec<bool>,
    ranks: Vec<(u64, u32)>,
    backoff: Backoff,
    /// Who spoke at the last decision, and what they asked for: speaker after speaker, 0 without an opinion.
    speakers: Vec<AgentId>,
    asked: Vec<i64>,
    /// By agent id: squares of what was asked for (full signal is 1) and their number.
    loudness: Vec<(f64, f64)>,
    /// By agent id, at 1e-9.
    reliability: Vec<i64>,
    learned: Vec<i64>,
    multipliers: Vec<Multipliers>,
    filter: RegimeFilter,
    regime: Regime,
    /// What the market looks like now, and for how many decisions.
    looks: (Regime, u8),
    /// False until a decision was made since it was made or loaded: then there is none to be asked about.
    has_decided: bool,
}

/// Where the reasons go: nowhere in the pass over all instruments, into a waterfall for those that change.
trait Record {
    fn base(&mut self, agent: AgentId, factor: FactorId, amount: i64);
    fn step(&mut self, step: Step, after: i64);
    fn resolved(&mut self, regime: Regime, by: Resolution);
}

struct Nowhere;

impl Record for Nowhere {
    #[inline]
    fn base(&mut self, _: AgentId, _: FactorId, _: i64) {}
    #[inline]
    fn step(&mut self, _: Step, _: i64) {}
    #[inline]
    fn resolved(&mut self, _: Regime, _: Resolution) {}
}

impl Record for Waterfall {
    fn base(&mut self, agent: AgentId, factor: FactorId, amount: i64) {
        self.add_base(agent, factor, amount);
    }
    fn step(&mut self, step: Step, after: i64) {
        self.step_to(step, after);
    }
    fn resolved(&mut self, regime: Regime, by: Resolution) {
        (self.regime, self.resolution) = (regime, by);
    }
}

impl FusionAllocator {
    /// An allocator for `n_instruments`.
    #[must_use]
    pub fn new(parameters: FusionParameters, n_instruments: usize) -> Self {
        let n_agents = parameters.weights_nano.len();
        FusionAllocator {
            parameters,
            risk: None,
            wanted: vec![0; n_instruments],
            calmed: vec![0; n_instruments],
            current: vec![0; n_instruments],
            has_opinion: vec![false; n_instruments],
            gone: vec![false; n_instruments],
            kept: vec![true; n_instruments],
            ranks: vec![],
            backoff: Backoff::default(),
            speakers: vec![],
            asked: vec![],
            loudness: vec![(0.0, 0.0); n_agents],
            reliability: vec![NANO; n_agents],
            learned: vec![NANO; n_agents],
            multipliers: vec![[NANO; 5]; n_agents],
            filter: RegimeFilter::default(),
            regime: Regime::Unknown,
            looks: (Regime::Unknown, 0),
            has_decided: false,
        }
    }

    /// The features that sizing reads.
    #[must_use]
    pub fn needs(parameters: &FusionParameters) -> Vec<FeatureSpec> {
        parameters.sizing.iter().flat_map(|s| [s.volatility, s.correlation]).collect()
    }

    /// Takes the columns of its features, once.
    pub fn bind(&mut self, bindings: &Bindings) {
        let find = |s: &VolatilitySizing| Some((bindings.find(&s.volatility)?, bindings.find(&s.correlation)?));
        self.risk = self.parameters.sizing.as_ref().and_then(find);
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

    /// What each agent asked for at the last decision, in 1e-9 of NAV before any stage; 0 without an opinion.
    pub fn asked(&self) -> impl Iterator<Item = (AgentId, &[i64])> {
        self.speakers.iter().copied().zip(self.asked.chunks_exact(self.wanted.len().max(1)))
    }

    /// The market's regime at the last decision.
    #[must_use]
    pub fn regime(&self) -> Regime {
        self.regime
    }

    /// The market's state behind the regime.
    #[must_use]
    pub fn market_state(&self) -> Option<MarketState> {
        self.filter.state()
    }

    /// The weights learned so far, by agent id, at 1e-9: 1 for all at first.
    #[must_use]
    pub fn learned(&self) -> &[i64] {
        &self.learned
    }

    /// What the agents' records make of their confidence, by agent id, at 1e-9.
    #[must_use]
    pub fn reliability(&self) -> &[i64] {
        &self.reliability
    }

    /// Takes the market's mean simple return since the last decision; true if the regime changed.
    pub fn observe_market(&mut self, mean_return: f64) -> bool {
        let before = self.regime;
        let looks = match self.filter.update(mean_return) {
            None => Regime::Unknown,
            Some(s) => match (s.crisis, s.trending, s.volatile) {
                (true, ..) => Regime::Crisis,
                (_, true, false) => Regime::TrendCalm,
                (_, true, true) => Regime::TrendVolatile,
                (_, false, false) => Regime::RangeCalm,
                (_, false, true) => Regime::RangeVolatile,
            },
        };
        self.looks = if looks == self.looks.0 { (looks, self.looks.1.saturating_add(1)) } else { (looks, 1) };
        if looks == Regime::Crisis || before == Regime::Unknown || self.looks.1 >= CONFIRM {
            self.regime = looks;
        }
        self.regime != before
    }

    /// Takes what an agent's record makes of its confidence, at 1e-9.
    pub fn set_reliability(&mut self, agent: AgentId, nano: i64) {
        if let Some(slot) = self.reliability.get_mut(usize::from(agent.0)) {
            *slot = nano;
        }
    }

    /// Takes the weight that an agent has earned, at 1e-9; 1 is what it had at first.
    pub fn set_learned(&mut self, agent: AgentId, nano: i64) {
        if let Some(slot) = self.learned.get_mut(usize::from(agent.0)) {
            *slot = nano;
        }
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

    /// Writes what it knows of the account: what no longer exists, and which wishes were refused.
    pub fn save_account(&self, to: &mut Encoder) {
        self.gone.iter().for_each(|g| to.bool(*g));
        self.backoff.save(to);
    }

    /// Reads what `save_account` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged.
    pub fn load_account(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        for g in &mut self.gone {
            *g = from.bool("delisted")?;
        }
        self.backoff.load(from)
    }

    /// Writes what lasts from one decision to the next.
    pub fn save(&self, to: &mut Encoder) {
        self.save_account(to);
        to.len(self.speakers.len());
        self.speakers.iter().for_each(|a| to.u32(a.0.into()));
        to.i64s(&self.asked);
        self.loudness.iter().for_each(|(sum, n)| {
            to.f64(*sum);
            to.f64(*n);
        });
        to.i64s(&self.reliability);
        to.i64s(&self.learned);
        self.filter.save(to);
        [self.regime as u8, self.looks.0 as u8, self.looks.1].into_iter().for_each(|b| to.u8(b));
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.load_account(from)?;
        let n = from.len("speakers")?;
        let found = n as u64;
        if n > usize::from(u16::MAX) {
            return Err(DecodeError::Invalid { what: "speakers", at: 0, found });
        }
        self.speakers.clear();
        for _ in 0..n {
            let id = from.u32("speaker")?;
            let invalid = DecodeError::Invalid { what: "speaker", at: 0, found: id.into() };
            self.speakers.push(AgentId(u16::try_from(id).map_err(|_| invalid)?));
        }
        self.asked.resize(n * self.wanted.len(), 0);
        from.i64s_into(&mut self.asked)?;
        for (sum, n) in &mut self.loudness {
            (*sum, *n) = (from.f64("loudness")?, from.f64("loudness")?);
        }
        from.i64s_into(&mut self.reliability)?;
        from.i64s_into(&mut self.learned)?;
        self.filter.load(from)?;
        let mut regime = || {
            let byte = from.u8("regime")?;
            Regime::from_byte(byte).ok_or(DecodeError::Invalid { what: "regime", at: 0, found: byte.into() })
        };
        self.regime = regime()?;
        self.looks.0 = regime()?;
        self.looks.1 = from.u8("regime")?;
        self.has_decided = false;
        Ok(())
    }

    /// Decisions of one moment. `view` shows the same moment.
    ///
    /// # Errors
    /// `NavMissing` if there is no net asset value: then nothing is decided.
    pub fn decide(
        &mut self,
        signals: &[SignalRef<'_>],
        panel: &Panel,
        view: &View<'_>,
        books: &Ledger,
        out: &mut Decisions,
    ) -> Result<(), NavMissing> {
        out.clear();
        let nav = books.nav()?;
        self.backoff.tick();
        self.listen(signals);
        let risk = self.risk.map(|(v, c)| RiskColumns { volatility: view.feature(v), correlation: view.feature(c) });
        self.form_wishes(signals, risk.as_ref());
        let (holds, has_doubts) = (books.holds(), panel.has_doubts());
        let is_idle = holds.is_empty();
        for i in 0..self.wanted.len() {
            let id = InstrumentId(i as u32);
            let open = if is_idle { 0 } else { holds.buying(id).nano() - holds.selling(id).nano() };
            let held = Quantity::from_nano(books.position(id).nano() + open);
            let current =
                if held.is_zero() { 0 } else { share_of_nav(id, held, nav, panel, books).unwrap_or_default() };
            self.current[i] = current;
            if !self.has_opinion[i] {
                self.wanted[i] = current;
            } else if has_doubts && panel.is_doubtful(id) {
                self.wanted[i] = self.fuse(signals, i, true, risk.as_ref(), &mut Nowhere);
            }
        }
        let calm = match (&self.parameters.sizing, &risk) {
            (Some(sizing), Some(columns)) => sizing.scale(columns, &self.wanted),
            _ => NANO,
        };
        Arch::new().dispatch(
            #[inline(always)]
            || columns::shrink(&self.wanted, calm, &mut self.calmed),
        );
        self.keep_strongest();
        let sizes = self.calmed.iter().zip(&self.kept).map(|(w, kept)| if *kept { w.unsigned_abs() } else { 0 });
        let sum = sizes.fold(0_i128, |sum, size| sum + i128::from(size));
        let portfolio = Portfolio { fit: self.fit(sum), least: self.least_order(nav) };
        if !self.backoff.is_empty() {
            let mut backoff = std::mem::take(&mut self.backoff);
            backoff.forget_met(|i| self.wish(i.index(), &portfolio).is_none());
            self.backoff = backoff;
        }
        let mut marks = [false; TOGETHER];
        for from in (0..self.wanted.len()).step_by(TOGETHER) {
            let to = self.wanted.len().min(from + TOGETHER);
            let marks = &mut marks[..to - from];
            self.mark_changes(from, to, &portfolio, marks);
            for i in (from..to).zip(marks).filter(|(_, mark)| **mark).map(|(i, _)| i) {
                let Some(wish) = self.wish(i, &portfolio) else { continue };
                let id = InstrumentId(i as u32);
                let d = out.push(id, self.current[i], WaterfallUnit::NanoNav);
                self.fuse(signals, i, panel.is_doubtful(id), risk.as_ref(), &mut d.waterfall);
                d.waterfall.step_to(Step::VolatilityTarget, self.calmed[i]);
                d.waterfall.step_to(Step::Construct, wish.target);
                d.waterfall.step_to(Step::Turnover, wish.after);
                if !d.reduces() && self.backoff.is_waiting(id) {
                    out.pop();
                }
            }
        }
        Ok(())
    }

    /// Marks the changes of some instruments that may be worth making: all for which `wish` has one, and few others.
    fn mark_changes(&self, from: usize, to: usize, portfolio: &Portfolio, marks: &mut [bool]) {
        let wishes = Wishes {
            calmed: &self.calmed[from..to],
            kept: &self.kept[from..to],
            has_opinion: &self.has_opinion[from..to],
            current: &self.current[from..to],
        };
        let least = self.parameters.band_nano.unsigned_abs();
        Arch::new().dispatch(
            #[inline(always)]
            || columns::mark_changes(&wishes, portfolio.fit, least, marks),
        );
    }

    /// Forms `wanted` wherever there is an opinion, as if no bar were doubtful.
    fn form_wishes(&mut self, signals: &[SignalRef<'_>], risk: Option<&RiskColumns<'_>>) {
        Arch::new().dispatch(FormWishes { allocator: self, signals, risk });
    }

    #[inline(always)]
    fn form_wishes_widest(&mut self, signals: &[SignalRef<'_>], risk: Option<&RiskColumns<'_>>) {
        let n = self.wanted.len();
        let p = &self.parameters;
        let rules = columns::Rules {
            conflicts: p.stages.conflicts,
            regime: self.regime,
            max_weight: p.max_weight_nano,
            allow_short: p.allow_short,
            reference: p.sizing.as_ref().filter(|_| risk.is_some()).and_then(|s| s.instrument),
        };
        let usual = rules.are_usual();
        let mut sides = columns::Sides::NONE;
        for from in (0..n).step_by(TOGETHER) {
            let to = n.min(from + TOGETHER);
            let mut fits = usual;
            sides.clear(to - from);
            for (s, asked) in signals.iter().zip(self.asked.chunks_exact(n.max(1))) {
                let weight = self.multipliers(s.agent)[MULTIPLIED.len() - 1];
                let (confidence, status) = (&s.confidence[from..to], &s.status[from..to]);
                fits &= sides.add(self.role(s.agent), &asked[from..to], confidence, status, weight);
            }
            let told = self.has_opinion[from..to].iter_mut().zip(&self.gone[from..to]).zip(&sides.any);
            told.for_each(|((has_opinion, gone), any)| *has_opinion = *any & !*gone);
            if fits {
                let values = &mut self.wanted[from..to];
                sides.resolve(&rules, values);
                let known = risk.map(|r| r.volatility).map(|v| v.cells(from.min(v.len()), to.min(v.len())));
                columns::size(&rules, known, values);
                continue;
            }
            for i in from..to {
                self.wanted[i] = self.fuse(signals, i, false, risk, &mut Nowhere);
            }
        }
    }

    /// Takes what every agent asks for, and with it the multipliers of each.
    fn listen(&mut self, signals: &[SignalRef<'_>]) {
        let n = self.wanted.len();
        self.has_decided = true;
        self.speakers.clear();
        self.speakers.extend(signals.iter().map(|s| s.agent));
        // Every cell is written anew.
        self.asked.resize(signals.len() * n, 0);
        // The multipliers first: they rest on what was said before this decision.
        self.weigh();
        let full = self.parameters.max_weight_nano as f64;
        for (s, asked) in signals.iter().zip(self.asked.chunks_exact_mut(n.max(1))) {
            let (squares, spoken) = columns::ask(s.factors, s.status, full, asked);
            if let Some((sum, count)) = self.loudness.get_mut(usize::from(s.agent.0)) {
                *sum += squares / (full * full);
                *count += spoken as f64;
            }
        }
    }

    /// The multipliers of each agent, from what is known before this decision.
    fn weigh(&mut self) {
        let p = &self.parameters;
        let loud = |(sum, n): &(f64, f64)| (*n >= KNOWN_LOUDNESS).then(|| (sum / n).sqrt()).filter(|l| *l > 0.0);
        let known = |a: &&AgentId| self.loudness.get(usize::from(a.0)).and_then(loud);
        let (mut sum, mut n) = (0.0, 0.0);
        for l in self.speakers.iter().filter_map(|a| known(&a)) {
            (sum, n) = (sum + l, n + 1.0);
        }
        for a in &self.speakers {
            let at = usize::from(a.0);
            let Some(slot) = self.multipliers.get_mut(at) else { continue };
            let weight = p.weights_nano.get(at).copied().unwrap_or_default();
            let on = |on: bool, factor: Option<i64>| factor.filter(|_| on).unwrap_or(NANO);
            let scale = self
                .loudness
                .get(at)
                .and_then(loud)
                .filter(|_| n > 1.0)
                .and_then(|l| quantise((sum / n / l).clamp(0.5, 2.0), 1e9));
            let role = p.roles.get(at).copied().unwrap_or_default();
            let factors = [
                weight,
                on(p.stages.scale, scale),
                on(p.stages.calibrate, self.reliability.get(at).copied()),
                on(p.stages.regimes, Some(regime_weight(role, self.regime))),
                on(p.stages.learn, self.learned.get(at).copied()),
            ];
            let mut product = NANO;
            for (m, factor) in slot.iter_mut().zip(factors) {
                product = mul_nano(product, factor);
                *m = product;
            }
        }
    }

    /// The change of one instrument that is worth making, if there is one.
    #[inline]
    fn wish(&self, i: usize, portfolio: &Portfolio) -> Option<Wish> {
        if !self.has_opinion[i] {
            return None;
        }
        let current = self.current[i];
        // Toward zero, so that the sum is within the limit.
        let kept = if self.kept[i] { self.calmed[i] } else { 0 };
        let target = if portfolio.fit >= NANO { kept } else { down(kept, portfolio.fit) };
        if target == current {
            return None;
        }
        let (p, distance) = (&self.parameters, target.abs_diff(current));
        // An end is an end, however small.
        if target == 0 {
            return Some(Wish { target, after: 0 });
        }
        let least = p.band_nano.unsigned_abs();
        if distance < least {
            return None;
        }
        let pays = no_trade_half_width(target as f64 / 1e9, p.cost, 1.0);
        let band = least.max(quantise(pays, 1e9).unwrap_or_default().unsigned_abs());
        if distance < band {
            return None;
        }
        let short_of = if p.stages.to_edge { i64::try_from(band).unwrap_or_default() } else { 0 };
        let after = if target > current { target - short_of } else { target + short_of };
        (after.abs_diff(current) >= portfolio.least.max(1)).then_some(Wish { target, after })
    }

    /// Marks the strongest targets. What nobody has an opinion about stays as it is and takes a place first; what is held
    /// gives way only to what is stronger by more than the no-trade band, so that ranks that hardly differ are not traded.
    fn keep_strongest(&mut self) {
        let Some(most) = self.parameters.max_positions else { return };
        let band = self.parameters.band_nano.unsigned_abs();
        self.ranks.clear();
        for (i, w) in (0_u32..).zip(&self.calmed) {
            let (at, size) = (i as usize, w.unsigned_abs());
            let strength = match (size, self.current[at]) {
                (0, _) => 0,
                (_, _) if !self.has_opinion[at] => u64::MAX,
                (size, 0) => size,
                (size, _) => size.saturating_add(band),
            };
            self.kept[at] = strength > 0;
            if strength > 0 {
                self.ranks.push((strength, i));
            }
        }
        let most = most as usize;
        if self.ranks.len() > most {
            // Equals by their index: the order is total, so the same ones are kept whatever the algorithm.
            self.ranks.select_nth_unstable_by_key(most, |(strength, i)| (std::cmp::Reverse(*strength), *i));
            for (_, i) in self.ranks.drain(most..) {
                self.kept[i as usize] = false;
            }
        }
    }

    /// `min_order` in 1e-9 of NAV, rounded up.
    fn least_order(&self, nav: i128) -> u64 {
        let least = self.parameters.min_order_nano;
        if least <= 0 || nav <= 0 {
            return 0;
        }
        let share = least.checked_mul(NANO.into()).map(|x| x / nav + i128::from(x % nav != 0));
        share.and_then(|x| u64::try_from(x).ok()).unwrap_or(u64::MAX)
    }

    /// True if an order of this value at 1e-9 of the base currency, which leaves a position, is smaller than is wanted.
    #[must_use]
    pub fn is_too_small(&self, value_nano: i128) -> bool {
        value_nano.abs() < self.parameters.min_order_nano
    }

    fn role(&self, agent: AgentId) -> Role {
        self.parameters.roles.get(usize::from(agent.0)).copied().unwrap_or_default()
    }

    fn multipliers(&self, agent: AgentId) -> Multipliers {
        self.multipliers.get(usize::from(agent.0)).copied().unwrap_or([0; MULTIPLIED.len()])
    }

    /// The target of one instrument before the portfolio's stages with its reasons: the one that `decide` came to.
    fn fuse(
        &self,
        signals: &[SignalRef<'_>],
        i: usize,
        doubtful: bool,
        risk: Option<&RiskColumns<'_>>,
        record: &mut impl Record,
    ) -> i64 {
        let (n, full) = (self.wanted.len(), self.parameters.max_weight_nano as f64);
        let mut sides = Sides::default();
        let mut after = [0_i64; MULTIPLIED.len()];
        for (k, s) in signals.iter().enumerate().filter(|(_, s)| s.is_ok(i)) {
            for (f, x) in (0_u16..).zip(s.factors_of(i)) {
                record.base(s.agent, FactorId(f), amount(x, full));
            }
            let sure = sure(self.asked[k * n + i], s.confidence[i]);
            let multipliers = self.multipliers(s.agent);
            for (sum, m) in after.iter_mut().zip(multipliers) {
                *sum = sum.saturating_add(mul_nano(sure, m));
            }
            let [.., last] = multipliers;
            sides.add(self.role(s.agent), mul_nano(sure, last));
        }
        MULTIPLIED.iter().zip(after).for_each(|(step, sum)| record.step(*step, sum));
        self.conclude(&sides, i, doubtful, risk, record)
    }

    /// One value of both sides, after the stages of one instrument.
    #[inline]
    fn conclude(
        &self,
        sides: &Sides,
        i: usize,
        doubtful: bool,
        risk: Option<&RiskColumns<'_>>,
        record: &mut impl Record,
    ) -> i64 {
        let p = &self.parameters;
        let (total, resolution) = if p.stages.conflicts {
            sides.resolve(self.regime, p.max_weight_nano / 100)
        } else {
            (sides.up.saturating_add(sides.down), Resolution::Agreement)
        };
        record.resolved(self.regime, resolution);
        record.step(Step::Conflict, total);
        let sure = if doubtful { mul_nano(total, p.doubt_nano) } else { total };
        record.step(Step::Doubt, sure);
        let clamped = sure.clamp(-p.max_weight_nano, p.max_weight_nano);
        record.step(Step::Normalise, clamped);
        let allowed = if p.allow_short { clamped } else { clamped.max(0) };
        record.step(Step::LongOnly, allowed);
        let sized = match (&p.sizing, risk) {
            (Some(sizing), Some(columns)) if allowed != 0 => shrink(allowed, sizing.factor(columns, i)),
            _ => allowed,
        };
        record.step(Step::Volatility, sized);
        sized
    }

    /// What targets that sum to `sum` are multiplied by so that they stay within `gross`, at 1e-9, rounded down.
    fn fit(&self, sum: i128) -> i64 {
        let gross = i128::from(self.parameters.gross_nano);
        if sum <= gross { NANO } else { (gross * i128::from(NANO) / sum) as i64 }
    }
}

/// `FusionAllocator::form_wishes` with the widest instructions of the processor. A type of its own: a closure this large is
/// called instead of compiled for them.
struct FormWishes<'a, 'b> {
    allocator: &'a mut FusionAllocator,
    signals: &'a [SignalRef<'b>],
    risk: Option<&'a RiskColumns<'b>>,
}

impl WithSimd for FormWishes<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.allocator.form_wishes_widest(self.signals, self.risk);
    }
}

/// What holds for all instruments.
struct Portfolio {
    /// What targets are multiplied by at 1e-9 for the gross limit.
    fit: i64,
    /// Smallest order, in 1e-9 of NAV.
    least: u64,
}

/// A change worth making: the target after the last two of the portfolio's stages.
struct Wish {
    target: i64,
    after: i64,
}

/// `amount` × a factor below 1 at 1e-9, toward zero.
#[inline]
fn down(amount: i64, factor: i64) -> i64 {
    let wide = || (i128::from(amount) * i128::from(factor) / i128::from(NANO)) as i64;
    amount.checked_mul(factor).map_or_else(wide, |product| product / NANO)
}

/// What an agent asks for times its confidence.
#[inline]
fn sure(asked: i64, confidence: f64) -> i64 {
    mul_nano(asked, quantise(confidence, 1e9).unwrap_or_default().clamp(0, NANO))
}

mod why;

pub use why::{Stance, Why};

#[cfg(test)]
mod tests;
