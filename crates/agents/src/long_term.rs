//! Long-term core.
//!
//! **What it trades**: the better half of the universe long and the worse half short (where the mandate allows it), by
//! rank, with few changes.
//!
//! **Why it should pay**: past winners go on winning for some months (Jegadeesh and Titman 1993; Asness, Moskowitz and
//! Pedersen 2013); calm stocks earn as much as wild ones or more, since many investors cannot borrow and buy risk instead
//! (Frazzini and Pedersen 2014; Baker, Bradley and Wurgler 2011); the last month reverses (Jegadeesh 1990).
//!
//! **Inputs**: closes of one feed, through two returns and a volatility. Value, quality and size need fundamentals, of
//! which there is no feature: they are left out, not replaced (turnover in dollars measures liquidity, not size). An
//! instrument without one of the three features has no opinion and is not ranked, nor is one without a bar in the last
//! `rebalance` rows.
//!
//! **Formula and source**: of the m instruments that are ranked, rank R = 1 is the worst and equal ones share the mean of
//! their ranks; the score is (2 R − (m + 1)) / m on (−1, 1), 0 for an only one. momentum: the return from `momentum` to
//! `skip` bars ago, high is good; low volatility: the deviation of the last `volatility` log returns, low is good;
//! reversal: the return of the last `reversal` bars, low is good. A factor is its score × its weight / sum of the
//! weights. The value is the sum of the three in this order, hence on (−1, 1). Confidence is |sum| / Σ|factor|.
//! Turnover: ranks are taken every `rebalance` bars, from the first at which there is something to rank, and an
//! opinion is replaced only if its value moves by `band` or more; in between it is held as it is. Reversal counts half of
//! the others because it alone does not survive costs (Novy-Marx and Velikov 2016).
//!
//! **Parameters (unit, default, range)**: `momentum` (bars, 252, 2–1000), `skip` (bars, 21, 0–250, below `momentum`),
//! `volatility` (bars, 252, 5–1000), `reversal` (bars, 21, 1–250), `rebalance` (bars, 21, 1–1000), `band` (of a full
//! opinion, 10 %, 0–100 %), `momentum_weight`, `low_volatility_weight`, `reversal_weight` (numbers, 1, 1, 0.5, 0–10, not all 0).
//!
//! **Fails when**: momentum crashes in a rebound (spring 2009), calm stocks lag a rally of the wild ones (1999, 2020),
//! and in universes so small that ranks say little. The day of the rebalance is luck of its own.

use crate::Agent;
use crate::parts::agreement;
use tradegraph_columns::Status;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{AgentId, FeedId, InstrumentId, ModelVersion, SignalColumn};
use tradegraph_market::{Bindings, FeatureId, FeatureKind, FeatureSpec, View};

/// Parameters, in bars where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongTermParameters {
    /// To the base of the long return.
    pub momentum: u16,
    /// Latest bars that the long return leaves out.
    pub skip: u16,
    /// Of the volatility.
    pub volatility: u16,
    /// Of the short return.
    pub reversal: u16,
    /// Between two rankings.
    pub rebalance: u16,
    /// Hundredths of a full opinion by which one must move to be replaced.
    pub band_pct: u16,
    /// Hundredths that momentum, low volatility and reversal weigh.
    pub weights_pct: [u16; 3],
}

impl Default for LongTermParameters {
    fn default() -> Self {
        LongTermParameters {
            momentum: 252,
            skip: 21,
            volatility: 252,
            reversal: 21,
            rebalance: 21,
            band_pct: 10,
            weights_pct: [100, 100, 50],
        }
    }
}

impl LongTermParameters {
    /// Says which parameter is out of its range.
    ///
    /// # Errors
    /// The parameter's name and its range.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let within = |n: u16, low: u16, high: u16| (low..=high).contains(&n);
        let weights = ["momentum_weight", "low_volatility_weight", "reversal_weight"];
        let heavy = weights.into_iter().zip(self.weights_pct).find(|(_, w)| *w > 1_000);
        match () {
            () if !within(self.momentum, 2, 1_000) => Err(("momentum", "2 to 1000 bars")),
            () if !within(self.skip, 0, 250) => Err(("skip", "0 to 250 bars")),
            () if self.skip >= self.momentum => Err(("skip", "below `momentum`")),
            () if !within(self.volatility, 5, 1_000) => Err(("volatility", "5 to 1000 bars")),
            () if !within(self.reversal, 1, 250) => Err(("reversal", "1 to 250 bars")),
            () if !within(self.rebalance, 1, 1_000) => Err(("rebalance", "1 to 1000 bars")),
            () if self.band_pct > 100 => Err(("band", "0% to 100%")),
            () if self.weights_pct == [0; 3] => Err(("momentum_weight", "above 0 if the other two are 0")),
            () => heavy.map_or(Ok(()), |(name, _)| Err((name, "0 to 10"))),
        }
    }
}

/// Ranks of small universes often move by the band exactly, which sums of floats miss by less than this.
const ROUNDING: f64 = 1e-12;

/// Factors.
const FACTORS: usize = 3;

/// The long-term agent.
#[derive(Clone, Debug)]
pub struct LongTerm {
    feed: FeedId,
    id: AgentId,
    parameters: LongTermParameters,
    /// Weights that sum to 1.
    weights: [f64; FACTORS],
    needs: [FeatureSpec; FACTORS],
    columns: Option<[FeatureId; FACTORS]>,
    /// Known rows at the last ranking; 0 before the first.
    ranked_at: u32,
    /// The opinions that are held, as a signal column.
    held: Held,
    /// Of the ranking that is being made.
    scores: [Vec<f64>; FACTORS],
    status: Vec<Status>,
    order: Ranking,
}

#[derive(Clone, Debug)]
struct Held {
    factors: Vec<f64>,
    confidence: Vec<f64>,
    status: Vec<Status>,
}

impl LongTerm {
    /// The agent over one feed.
    #[must_use]
    pub fn new(id: AgentId, feed: FeedId, n_instruments: usize, parameters: LongTermParameters) -> Self {
        let (p, n) = (parameters, n_instruments);
        let kinds = [
            FeatureKind::Momentum { n: p.momentum, skip: p.skip },
            FeatureKind::RealisedVol { n: p.volatility },
            FeatureKind::Momentum { n: p.reversal, skip: 0 },
        ];
        let sum = p.weights_pct.iter().map(|w| f64::from(*w)).sum::<f64>().max(1.0);
        LongTerm {
            feed,
            id,
            parameters,
            weights: p.weights_pct.map(|w| f64::from(w) / sum),
            needs: kinds.map(|kind| FeatureSpec { kind, feed }),
            columns: None,
            ranked_at: 0,
            held: Held { factors: vec![0.0; FACTORS * n], confidence: vec![0.0; n], status: vec![Status::WarmUp; n] },
            scores: std::array::from_fn(|_| vec![0.0; n]),
            status: vec![Status::WarmUp; n],
            order: Ranking::new(n),
        }
    }

    /// Ranks the universe and replaces the opinions that have moved by the band. True if there was something to rank.
    fn rank(&mut self, view: &View<'_>, columns: [FeatureId; FACTORS]) -> bool {
        let [momentum, volatility, reversal] = columns.map(|id| view.feature(id));
        let window = usize::from(self.parameters.rebalance);
        for (i, status) in self.status.iter_mut().enumerate() {
            let worst = momentum.status(i).worst(volatility.status(i)).worst(reversal.status(i));
            let is_dead = worst == Status::Ok && !view.has_traded(self.feed, InstrumentId(i as u32), window);
            *status = if is_dead { Status::Stale } else { worst };
        }
        let good = [(momentum, 1.0), (volatility, -1.0), (reversal, -1.0)];
        for (((column, sign), scores), weight) in good.into_iter().zip(&mut self.scores).zip(self.weights) {
            let values = column.iter().zip(&self.status).filter(|(_, s)| **s == Status::Ok);
            let values = values.map(|(x, _)| x.map_or(0.0, |x| sign * x));
            let members = self.status.iter().enumerate().filter(|(_, s)| **s == Status::Ok).map(|(i, _)| i);
            self.order.rank(members.zip(values));
            self.order.scores(weight, scores);
        }
        self.replace();
        self.status.contains(&Status::Ok)
    }

    /// Replaces opinions by those of the new scores.
    fn replace(&mut self) {
        let (n, band) = (self.status.len(), f64::from(self.parameters.band_pct) / 100.0);
        for (i, status) in self.status.iter().enumerate() {
            let is = *status == Status::Ok;
            let new = self.scores.each_ref().map(|s| s.get(i).copied().filter(|_| is).unwrap_or_default());
            let old: [f64; FACTORS] =
                std::array::from_fn(|f| self.held.factors.get(f * n + i).copied().unwrap_or_default());
            let moved = (new.iter().sum::<f64>() - old.iter().sum::<f64>()).abs();
            if is && self.held.status.get(i) == Some(&Status::Ok) && moved < band - ROUNDING {
                continue;
            }
            for (f, new) in new.into_iter().enumerate() {
                if let Some(held) = self.held.factors.get_mut(f * n + i) {
                    *held = new;
                }
            }
            if let (Some(c), Some(s)) = (self.held.confidence.get_mut(i), self.held.status.get_mut(i)) {
                (*c, *s) = (agreement(&new), *status);
            }
        }
    }
}

impl Agent for LongTerm {
    fn id(&self) -> AgentId {
        self.id
    }

    fn version(&self) -> ModelVersion {
        ModelVersion(1)
    }

    fn needs(&self) -> &[FeatureSpec] {
        &self.needs
    }

    fn factors(&self) -> &[&'static str] {
        &["momentum 12-1", "low volatility", "short-term reversal"]
    }

    fn bind(&mut self, bindings: &Bindings) {
        let ids: Vec<_> = self.needs.iter().filter_map(|spec| bindings.find(spec)).collect();
        self.columns = ids.try_into().ok();
    }

    fn decide(&mut self, view: &View<'_>, out: &mut SignalColumn<'_>) {
        let Some(columns) = self.columns else { return out.clear(Status::NoData) };
        let row = u32::try_from(view.known(self.feed)).unwrap_or(u32::MAX);
        let due = self.ranked_at == 0 || row.saturating_sub(self.ranked_at) >= u32::from(self.parameters.rebalance);
        if due && self.rank(view, columns) {
            self.ranked_at = row;
        }
        let (factors, confidence, status) = out.parts();
        if factors.len() != self.held.factors.len() || status.len() != self.held.status.len() {
            return out.clear(Status::NoData);
        }
        factors.copy_from_slice(&self.held.factors);
        confidence.copy_from_slice(&self.held.confidence);
        status.copy_from_slice(&self.held.status);
    }

    fn explain(&self, factor: usize, data: &[Option<f64>]) -> String {
        let p = self.parameters;
        let show = |at: usize| data.get(at).copied().flatten().map_or("?".into(), |v| format!("{:.2} %", 100.0 * v));
        let what = match factor {
            0 => format!(
                "its return over {} bars without the last {} is {}; winners are wanted",
                p.momentum,
                p.skip,
                show(0)
            ),
            1 => format!("its volatility over {} bars is {} a bar; calm ones are wanted", p.volatility, show(1)),
            _ => format!("its return over the last {} bars is {}; what fell is wanted", p.reversal, show(2)),
        };
        format!("{what} (ranked among the universe every {} bars)", p.rebalance)
    }

    fn save(&self, to: &mut Encoder) {
        to.len(self.held.status.len());
        to.u32(self.ranked_at);
        to.f64s(&self.held.factors);
        to.f64s(&self.held.confidence);
        to.statuses(&self.held.status);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let found = from.len("opinions of the long-term core")?;
        if found != self.held.status.len() {
            let (found, expected) = (found as u64, self.held.status.len() as u64);
            return Err(DecodeError::Mismatch { what: "opinions of the long-term core", found, expected });
        }
        self.ranked_at = from.u32("last ranking")?;
        from.f64s_into(&mut self.held.factors)?;
        from.f64s_into(&mut self.held.confidence)?;
        from.statuses_into(&mut self.held.status)
    }
}

/// A value's bits, turned so that they sort as it does, and its instrument.
type Key = (u64, u32);

/// Bits of a digit, and how many digits a key has.
const DIGIT: u32 = 11;
const DIGITS: usize = 6;
const BUCKETS: usize = 1 << DIGIT;

/// Instruments in the order of a value.
#[derive(Clone, Debug)]
struct Ranking {
    keys: Vec<Key>,
    spare: Vec<Key>,
    /// Keys below each digit's value, digit after digit.
    counts: Vec<u32>,
}

impl Ranking {
    fn new(n: usize) -> Self {
        Ranking { keys: Vec::with_capacity(n), spare: Vec::with_capacity(n), counts: vec![0; DIGITS * BUCKETS] }
    }

    /// Orders finite values, smallest first; equal ones as they come.
    fn rank(&mut self, values: impl Iterator<Item = (usize, f64)>) {
        self.keys.clear();
        self.keys.extend(values.map(|(i, x)| {
            // −0 and 0 are one value; the sign bit turns the order of what is below 0.
            let bits = (x + 0.0).to_bits();
            (if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }, i as u32)
        }));
        if self.keys.len() < BUCKETS { self.keys.sort_unstable() } else { self.by_digits() }
    }

    /// Sorts in time that grows with the number of keys alone: digit by digit from the last, each pass keeping the order of
    /// the one before (Knuth, The Art of Computer Programming 3, 5.2.5).
    fn by_digits(&mut self) {
        let digit = |key: u64, at: usize| (key >> (DIGIT * at as u32)) as usize % BUCKETS;
        self.counts.fill(0);
        for (key, _) in &self.keys {
            for (at, counts) in self.counts.chunks_exact_mut(BUCKETS).enumerate() {
                counts[digit(*key, at)] += 1;
            }
        }
        self.spare.clear();
        self.spare.resize(self.keys.len(), (0, 0));
        for (at, counts) in self.counts.chunks_exact_mut(BUCKETS).enumerate() {
            let mut below = 0;
            for count in counts.iter_mut() {
                below += std::mem::replace(count, below);
            }
            for key in &self.keys {
                let place = &mut counts[digit(key.0, at)];
                self.spare[*place as usize] = *key;
                *place += 1;
            }
            std::mem::swap(&mut self.keys, &mut self.spare);
        }
    }

    /// Writes weight × (2 R − (m + 1)) / m for every instrument that was ranked, R being the mean rank of its equals.
    fn scores(&self, weight: f64, to: &mut [f64]) {
        let m = self.keys.len() as f64;
        let mut below = 0.0;
        for equals in self.keys.chunk_by(|a, b| a.0 == b.0) {
            let n = equals.len() as f64;
            // Twice the mean of ranks below + 1 to below + n.
            let score = weight * ((2.0 * below + n + 1.0 - (m + 1.0)) / m);
            for (_, i) in equals {
                if let Some(slot) = to.get_mut(*i as usize) {
                    *slot = score;
                }
            }
            below += n;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_checked_and_named() {
        let p = LongTermParameters::default();
        assert_eq!(p.check(), Ok(()));
        assert_eq!(LongTermParameters { skip: 2, momentum: 2, ..p }.check(), Err(("skip", "below `momentum`")));
        assert_eq!(LongTermParameters { weights_pct: [0; 3], ..p }.check().unwrap_err().0, "momentum_weight");
        assert_eq!(
            LongTermParameters { weights_pct: [0, 1_001, 0], ..p }.check().unwrap_err().0,
            "low_volatility_weight"
        );
        assert_eq!(LongTermParameters { band_pct: 101, ..p }.check().unwrap_err().0, "band");
    }

    fn scores(values: &[f64]) -> Vec<f64> {
        let (mut ranking, mut out) = (Ranking::new(values.len()), vec![9.0; values.len()]);
        ranking.rank(values.iter().copied().enumerate());
        ranking.scores(1.0, &mut out);
        out
    }

    #[test]
    fn scores_worked_by_hand() {
        assert_eq!(scores(&[]), Vec::<f64>::new());
        assert_eq!(scores(&[7.0]), [0.0]);
        assert_eq!(scores(&[2.0, -1.0]), [0.5, -0.5]);
        // Ranks 4, 1.5, 1.5, 3 of four.
        assert_eq!(scores(&[3.0, -0.0, 0.0, 1e-300]), [0.75, -0.5, -0.5, 0.25]);
        assert_eq!(scores(&[-1.0, -2.0, -3.0, -4.0]), [0.75, 0.25, -0.25, -0.75]);
        assert_eq!(scores(&[5.0; 6]), [0.0; 6]);
    }

    proptest! {
        #[test]
        fn digits_sort_like_comparisons(values in prop::collection::vec(prop_oneof![(-4_i32..5).prop_map(f64::from), -1e9_f64..1e9, any::<i64>().prop_map(|x| x as f64 * 1e-300)], 0..300)) {
            let mut ranking = Ranking::new(4);
            ranking.rank(values.into_iter().enumerate());
            let mut expected = ranking.keys.clone();
            ranking.keys.reverse();
            ranking.keys.sort_by_key(|key| key.1);
            ranking.by_digits();
            expected.sort();
            prop_assert_eq!(ranking.keys, expected);
        }

        /// Against the definition: one more than the number of smaller ones, and half of the other equals.
        #[test]
        fn ranks_are_those_of_the_definition(values in prop::collection::vec(prop_oneof![(-4_i32..5).prop_map(f64::from), -1e9_f64..1e9], 0..60)) {
            let m = values.len() as f64;
            for (score, x) in scores(&values).into_iter().zip(&values) {
                let smaller = values.iter().filter(|y| *y < x).count() as f64;
                let equal = values.iter().filter(|y| *y == x).count() as f64;
                let rank = smaller + 0.5 * (equal + 1.0);
                prop_assert!((score - (2.0 * rank - (m + 1.0)) / m).abs() < 1e-15);
            }
        }
    }
}
