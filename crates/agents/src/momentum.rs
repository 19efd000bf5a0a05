//! Momentum.
//!
//! **What it trades**: instruments whose price has been rising, long; falling, short (where the mandate allows it).
//!
//! **Why it should pay**: returns over weeks to months persist, because investors under-react to news and herd
//! (Jegadeesh and Titman 1993; Moskowitz, Ooi and Pedersen 2012). The premium is paid for crash risk.
//!
//! **Inputs**: closes of one feed, through two exponential averages, RSI, MACD histogram and volatility; highs and lows,
//! through swings and Fibonacci confluence. A series without highs and lows, or without a complete leg yet, has a
//! Fibonacci factor of 0; the rest goes on.
//!
//! **Formula and source**: with s(x) = x / (1 + |x|) and σ the standard deviation of a bar's log return,
//! cross = 0.5 × s((EMA_fast − EMA_slow) / (EMA_slow × σ × d)), breakout = 0.25 × (RSI − 50) / 50 (Wilder 1978),
//! macd = 0.25 × s(histogram / (EMA_slow × σ)) (Appel 2005). d = (slow − fast) / (2 √(slow + fast)) is the standard
//! deviation of the difference of the two averages for a random walk of unit steps (from the variance of
//! Σ ε (a^k − b^k) with a, b = 1 − 2 / (n + 1), to first order in 1 / n), so that the cross is in standard deviations.
//! Entry timing: trend = cross + breakout + macd; where the last complete leg between two turning points goes the
//! trend's way and the price has come back to a level of it at which it turned before, fibonacci = trend × boost, with
//! boost = 0.2 × score on [0, 0.2] (Boroden 2008; the score is that of the Fibonacci page), else 0. limit takes off
//! what passes ±1. The value is the sum of the five in this order, hence on [−1, 1]. Confidence is
//! |trend| / (|cross| + |breakout| + |macd|): 1 when all three agree. The boost is in the value alone, so that an
//! opinion grows by a fifth at most.
//!
//! **Parameters (unit, default, range)**: `fast` (bars, 20, 2–250), `slow` (bars, 100, 3–500, above `fast`), `rsi`
//! (bars, 14, 2–100), `volatility` (bars, 60, 5–500), `swing` (average true ranges of 14 bars that a price must come
//! back to end a leg, 3, 0.5–20, or off). MACD is 12, 26, 9. Prices within 0.5 % are one level, and an earlier turning
//! point counts half after 60 bars.
//!
//! **Fails when**: trends turn at once (spring 2009), in ranges, and when costs exceed the slow drift it harvests.
//! That Fibonacci levels foretell anything is not shown (Batchelor and Ramyar 2006 find nothing for the Dow Jones):
//! switch them off by `swing = "off"` if you do not want them.

use crate::Agent;
use crate::parts::{SWING, TILE, ZEROS, agreement, at_least, at_most, none, squash, swing_features, whole};
use tradegraph_columns::{ColRef, Status, wide};
use tradegraph_domain::{AgentId, FeedId, ModelVersion, SignalColumn};
use tradegraph_market::{Bindings, EmaSeed, FeatureId, FeatureKind, FeatureSpec, MacdLine, View};

/// Parameters, in bars where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MomentumParameters {
    /// Fast average.
    pub fast: u16,
    /// Slow average.
    pub slow: u16,
    /// Relative strength index.
    pub rsi: u16,
    /// Volatility.
    pub volatility: u16,
    /// Hundredths of an average true range that end a leg; 0 for no Fibonacci levels.
    pub swing_pct: u16,
}

impl Default for MomentumParameters {
    fn default() -> Self {
        MomentumParameters { fast: 20, slow: 100, rsi: 14, volatility: 60, swing_pct: 300 }
    }
}

impl MomentumParameters {
    /// Says which parameter is out of its range.
    ///
    /// # Errors
    /// The parameter's name and its range.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let within = |n: u16, low: u16, high: u16| (low..=high).contains(&n);
        match () {
            () if !within(self.fast, 2, 250) => Err(("fast", "2 to 250 bars")),
            () if !within(self.slow, 3, 500) => Err(("slow", "3 to 500 bars")),
            () if self.slow <= self.fast => Err(("slow", "above `fast`")),
            () if !within(self.rsi, 2, 100) => Err(("rsi", "2 to 100 bars")),
            () if !within(self.volatility, 5, 500) => Err(("volatility", "5 to 500 bars")),
            () if self.swing_pct != 0 && !SWING.contains(&self.swing_pct) => Err(("swing", "0.5 to 20, or off")),
            () => Ok(()),
        }
    }
}

/// The momentum agent.
#[derive(Clone, Debug)]
pub struct Momentum {
    id: AgentId,
    needs: Vec<FeatureSpec>,
    columns: Option<[FeatureId; 5]>,
    /// Boost, start and end of the last leg, unless they are switched off.
    levels: Option<[FeatureId; 3]>,
    /// Standard deviation of the averages' difference for a random walk of unit steps.
    spread: f64,
    parameters: MomentumParameters,
}

impl Momentum {
    /// The agent over one feed.
    #[must_use]
    pub fn new(id: AgentId, feed: FeedId, parameters: MomentumParameters) -> Self {
        let spec = |kind| FeatureSpec { kind, feed };
        let ema = |n| spec(FeatureKind::Ema { n, seed: EmaSeed::Sma });
        let macd = FeatureKind::Macd { fast: 12, slow: 26, signal: 9, seed: EmaSeed::Sma, line: MacdLine::Histogram };
        let mut needs = vec![
            ema(parameters.fast),
            ema(parameters.slow),
            spec(FeatureKind::Rsi { n: parameters.rsi }),
            spec(macd),
            spec(FeatureKind::RealisedVol { n: parameters.volatility }),
        ];
        needs.extend(swing_features(feed, parameters.swing_pct, &["boost", "from", "to", "level"]));
        Momentum {
            id,
            needs,
            columns: None,
            levels: None,
            spread: (f64::from(parameters.slow) - f64::from(parameters.fast))
                / (2.0 * (f64::from(parameters.slow) + f64::from(parameters.fast)).sqrt()),
            parameters,
        }
    }
}

impl Agent for Momentum {
    fn id(&self) -> AgentId {
        self.id
    }

    fn version(&self) -> ModelVersion {
        ModelVersion(2)
    }

    fn needs(&self) -> &[FeatureSpec] {
        &self.needs
    }

    fn factors(&self) -> &[&'static str] {
        &["ema cross", "rsi breakout", "macd", "fibonacci confluence", "limit"]
    }

    fn bind(&mut self, bindings: &Bindings) {
        let find = |at: usize| self.needs.get(at).and_then(|spec| bindings.find(spec));
        let ids: Option<Vec<_>> = (0..5).map(find).collect();
        self.columns = ids.and_then(|ids| ids.try_into().ok());
        let levels: Option<Vec<_>> = (5..8).map(find).collect();
        self.levels = levels.and_then(|ids| ids.try_into().ok());
    }

    fn decide(&mut self, view: &View<'_>, out: &mut SignalColumn<'_>) {
        let Some(columns) = self.columns else { return out.clear(Status::NoData) };
        let columns = columns.map(|id| view.feature(id));
        let levels = self.levels.map(|ids| ids.map(|id| view.feature(id)));
        let n = out.len();
        for from in (0..n).step_by(TILE) {
            let to = n.min(from + TILE);
            let legs = match levels.and_then(|levels| whole(levels, from, to)) {
                None if none(levels, from, to) => Some([ZEROS; 3]),
                legs => legs,
            };
            let read = whole(columns, from, to).zip(legs);
            if !read.is_some_and(|(columns, levels)| self.decide_tile(columns, levels, from, to, out)) {
                (from..to).for_each(|i| self.decide_cell(columns, levels, i, out));
            }
        }
    }

    fn explain(&self, factor: usize, data: &[Option<f64>]) -> String {
        let show = |at: usize| data.get(at).copied().flatten().map_or("?".into(), |v| format!("{v:.4}"));
        let p = self.parameters;
        let (fast, slow) = (data.first().copied().flatten(), data.get(1).copied().flatten());
        match factor {
            0 => {
                let side = if fast >= slow { "above" } else { "below" };
                format!("the {}-bar average {} stands {side} the {}-bar average {}", p.fast, show(0), p.slow, show(1))
            }
            1 => format!("the relative strength index over {} bars is {} (50 is neutral)", p.rsi, show(2)),
            2 => format!("the MACD histogram is {} (positive: the trend accelerates)", show(3)),
            3 => self.explain_level(data.get(5..).unwrap_or_default()),
            _ => "an opinion is 1 at most".into(),
        }
    }
}

impl Momentum {
    /// Opinions of instruments that have all features, and a leg or none of them. False, and nothing done, if the column has
    /// other factors.
    fn decide_tile(
        &self,
        [fast, slow, rsi, histogram, vol]: [&[f64]; 5],
        [boost, start, end]: [&[f64]; 3],
        from: usize,
        to: usize,
        out: &mut SignalColumn<'_>,
    ) -> bool {
        let n = out.len();
        let (factors, confidence, status) = out.parts();
        let mut rows = factors.chunks_exact_mut(n).filter_map(|row| row.get_mut(from..to));
        let (Some(cross), Some(breakout), Some(macd), Some(fibonacci), Some(limit), None) =
            (rows.next(), rows.next(), rows.next(), rows.next(), rows.next(), rows.next())
        else {
            return false;
        };
        let (Some(confidence), Some(status)) = (confidence.get_mut(from..to), status.get_mut(from..to)) else {
            return false;
        };
        opinions(
            self.spread,
            fast,
            slow,
            rsi,
            histogram,
            vol,
            boost,
            start,
            end,
            cross,
            breakout,
            macd,
            fibonacci,
            limit,
            confidence,
        );
        status.fill(Status::Ok);
        true
    }

    /// The opinion about one instrument, or why there is none.
    fn decide_cell(
        &self,
        [fast, slow, rsi, histogram, vol]: [ColRef<'_, f64>; 5],
        levels: Option<[ColRef<'_, f64>; 3]>,
        i: usize,
        out: &mut SignalColumn<'_>,
    ) {
        match (|| Ok((fast.get(i)?, slow.get(i)?, rsi.get(i)?, histogram.get(i)?, vol.get(i)?)))() {
            Ok(cells) => {
                let leg = match levels.map(|[boost, from, to]| (boost.get(i), from.get(i), to.get(i))) {
                    Some((Ok(boost), Ok(from), Ok(to))) => (boost, from, to),
                    _ => (0.0, 0.0, 0.0),
                };
                let (factors, confidence) = opinion(self.spread, cells, leg);
                out.set(i, &factors, confidence);
            }
            Err(why) => out.set_none(i, why),
        }
    }

    /// A sentence for boost, start and end of the leg, and level.
    fn explain_level(&self, data: &[Option<f64>]) -> String {
        match *data {
            [Some(boost), Some(from), Some(to), Some(level)] if boost > 0.0 => {
                let leg = if to > from { "rise" } else { "fall" };
                let per_cent = 100.0 * boost;
                format!(
                    "the price is at {level:.4}, a Fibonacci level of the last {leg} at which it turned before: \
                     {per_cent:.1} % for an opinion of that direction"
                )
            }
            [Some(_), Some(_), Some(_), Some(level)] => {
                format!("the price meets no Fibonacci level at which it turned before; the nearest is {level:.4}")
            }
            [] => "Fibonacci levels are switched off".into(),
            _ => "there is no Fibonacci level: the series has no highs and lows, or no complete leg yet".into(),
        }
    }
}

/// Factors and confidence of one opinion, given fast and slow average, index, histogram and volatility, and boost, start and
/// end of the last leg, all 0 without one.
#[inline(always)]
fn opinion(
    spread: f64,
    (fast, slow, rsi, histogram, vol): (f64, f64, f64, f64, f64),
    (boost, from, to): (f64, f64, f64),
) -> ([f64; 5], f64) {
    // A constant price has no volatility and no trend: 0 / tiny is 0.
    let scale = at_least((slow * vol).abs(), f64::MIN_POSITIVE);
    let cross = 0.5 * squash((fast - slow) / (scale * spread));
    let breakout = 0.25 * ((rsi - 50.0) / 50.0);
    let macd = 0.25 * squash(histogram / scale);
    let trend = cross + breakout + macd;
    let boosted = trend * boost;
    let fibonacci = if (to - from) * trend > 0.0 { boosted } else { 0.0 };
    let value = trend + fibonacci;
    let limit = at_least(at_most(value, 1.0), -1.0) - value;
    ([cross, breakout, macd, fibonacci, limit], agreement(&[cross, breakout, macd]))
}

wide! {
    /// [`opinion`] of a column of instruments.
    fn opinions<'a>(
        spread: f64,
        fast: &'a [f64],
        slow: &'a [f64],
        rsi: &'a [f64],
        histogram: &'a [f64],
        vol: &'a [f64],
        boost: &'a [f64],
        from: &'a [f64],
        to: &'a [f64],
        cross: &'a mut [f64],
        breakout: &'a mut [f64],
        macd: &'a mut [f64],
        fibonacci: &'a mut [f64],
        limit: &'a mut [f64],
        confidence: &'a mut [f64],
    ) {
        let cells = fast.iter().zip(slow).zip(rsi).zip(histogram.iter().zip(vol)).zip(boost.iter().zip(from).zip(to));
        let out = cross.iter_mut().zip(breakout).zip(macd).zip(fibonacci.iter_mut().zip(limit).zip(confidence));
        for (((((fast, slow), rsi), (histogram, vol)), ((boost, from), to)), (((cross, breakout), macd), rest)) in cells.zip(out) {
            let ((fibonacci, limit), confidence) = rest;
            let (factors, sure) = opinion(spread, (*fast, *slow, *rsi, *histogram, *vol), (*boost, *from, *to));
            [*cross, *breakout, *macd, *fibonacci, *limit] = factors;
            *confidence = sure;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_checked_and_named() {
        let p = MomentumParameters::default();
        assert_eq!(p.check(), Ok(()));
        assert_eq!(MomentumParameters { slow: 20, ..p }.check(), Err(("slow", "above `fast`")));
        assert_eq!(MomentumParameters { rsi: 1, ..p }.check().unwrap_err().0, "rsi");
        assert_eq!(MomentumParameters { swing_pct: 49, ..p }.check().unwrap_err().0, "swing");
        assert_eq!(MomentumParameters { swing_pct: 0, ..p }.check(), Ok(()));
    }

    proptest! {
        /// A column and each of its cells have the same bits, whatever is left over by vectors.
        #[test]
        fn columns_equal_cells(cells in prop::collection::vec(
            [1.0_f64..9.0, 1.0_f64..9.0, 0.0_f64..100.0, -1.0_f64..1.0, 0.0_f64..0.1, 0.0_f64..0.2, 1.0_f64..9.0, 1.0_f64..9.0],
            1..40,
        )) {
            let column = |at: usize| cells.iter().map(|c| c[at]).collect::<Vec<f64>>();
            let mut out = vec![vec![7.0; cells.len()]; 6];
            let [cross, breakout, macd, fibonacci, limit, confidence] = &mut out[..] else { unreachable!() };
            opinions(
                4.0, &column(0), &column(1), &column(2), &column(3), &column(4), &column(5), &column(6), &column(7),
                cross, breakout, macd, fibonacci, limit, confidence,
            );
            for (i, c) in cells.iter().enumerate() {
                let (factors, sure) = opinion(4.0, (c[0], c[1], c[2], c[3], c[4]), (c[5], c[6], c[7]));
                for (factor, expected) in factors.iter().enumerate() {
                    prop_assert_eq!(out[factor][i].to_bits(), expected.to_bits());
                }
                prop_assert_eq!(out[5][i].to_bits(), sure.to_bits());
            }
        }
    }

    /// The scale of the cross, against a simulated random walk.
    #[test]
    fn the_cross_is_in_standard_deviations() {
        for (fast, slow) in [(20_u16, 100_u16), (50, 200)] {
            let agent = Momentum::new(AgentId(1), FeedId(0), MomentumParameters { fast, slow, ..Default::default() });
            let (a, b) = (2.0 / (f64::from(fast) + 1.0), 2.0 / (f64::from(slow) + 1.0));
            let (mut x, mut f, mut s, mut sum, mut seed) = (0.0_f64, 0.0, 0.0, 0.0, 7_u64);
            let n = 2_000_000;
            for _ in 0..n {
                // A step of ±1 from the top bit of a linear congruential generator (Knuth's constants).
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                x += if seed >> 63 == 0 { 1.0 } else { -1.0 };
                f += a * (x - f);
                s += b * (x - s);
                sum += (f - s) * (f - s);
            }
            let measured = (sum / f64::from(n)).sqrt();
            assert!((measured / agent.spread - 1.0).abs() < 0.05, "{fast}/{slow}: {measured} against {}", agent.spread);
        }
    }
}
