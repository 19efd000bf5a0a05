//! Momentum.
//!
//! **What it trades**: instruments whose price has been rising, long; falling, short (where the mandate allows it).
//!
//! **Why it should pay**: returns over weeks to months persist, because investors under-react to news and herd
//! (Jegadeesh and Titman 1993; Moskowitz, Ooi and Pedersen 2012). The premium is paid for crash risk.
//!
//! **Inputs**: closes of one feed, through five features: two exponential averages, RSI, MACD histogram, volatility.
//!
//! **Formula and source**: with s(x) = x / (1 + |x|) and σ the standard deviation of a bar's log return,
//! cross = 0.5 × s((EMA_fast − EMA_slow) / (EMA_slow × σ × d)), breakout = 0.25 × (RSI − 50) / 50 (Wilder 1978),
//! macd = 0.25 × s(histogram / (EMA_slow × σ)) (Appel 2005). d = (slow − fast) / (2 √(slow + fast)) is the standard
//! deviation of the difference of the two averages for a random walk of unit steps (from the variance of
//! Σ ε (a^k − b^k) with a, b = 1 − 2 / (n + 1), to first order in 1 / n), so that the cross is in standard deviations.
//! The value is the sum of the three, hence on (−1, 1). Confidence is |sum| / Σ|factor|: 1 when all three agree.
//!
//! **Parameters (unit, default, range)**: `fast` (bars, 20, 2–250), `slow` (bars, 100, 3–500, above `fast`), `rsi`
//! (bars, 14, 2–100), `volatility` (bars, 60, 5–500). MACD is 12, 26, 9.
//!
//! **Fails when**: trends turn at once (spring 2009), in ranges, and when costs exceed the slow drift it harvests.

use crate::Agent;
use tradegraph_columns::Status;
use tradegraph_domain::{AgentId, FeedId, ModelVersion, SignalColumn};
use tradegraph_market::{Bindings, EmaSeed, FeatureId, FeatureKind, FeatureSpec, MacdLine, View};

/// Parameters, in bars.
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
}

impl Default for MomentumParameters {
    fn default() -> Self {
        MomentumParameters { fast: 20, slow: 100, rsi: 14, volatility: 60 }
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
            () => Ok(()),
        }
    }
}

/// The momentum agent.
#[derive(Clone, Debug)]
pub struct Momentum {
    id: AgentId,
    needs: [FeatureSpec; 5],
    columns: Option<[FeatureId; 5]>,
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
        Momentum {
            id,
            needs: [
                ema(parameters.fast),
                ema(parameters.slow),
                spec(FeatureKind::Rsi { n: parameters.rsi }),
                spec(macd),
                spec(FeatureKind::RealisedVol { n: parameters.volatility }),
            ],
            columns: None,
            spread: (f64::from(parameters.slow) - f64::from(parameters.fast))
                / (2.0 * (f64::from(parameters.slow) + f64::from(parameters.fast)).sqrt()),
            parameters,
        }
    }
}

/// x / (1 + |x|): to (−1, 1), without a transcendental function.
#[inline]
fn squash(x: f64) -> f64 {
    x / (1.0 + x.abs())
}

impl Agent for Momentum {
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
        &["ema cross", "rsi breakout", "macd"]
    }

    fn bind(&mut self, bindings: &Bindings) {
        let ids: Vec<_> = self.needs.iter().filter_map(|spec| bindings.find(spec)).collect();
        self.columns = ids.try_into().ok();
    }

    fn decide(&mut self, view: &View<'_>, out: &mut SignalColumn<'_>) {
        let Some(columns) = self.columns else { return out.clear(Status::NoData) };
        let [fast, slow, rsi, histogram, vol] = columns.map(|id| view.feature(id));
        for i in 0..out.len() {
            let cells = (|| Ok((fast.get(i)?, slow.get(i)?, rsi.get(i)?, histogram.get(i)?, vol.get(i)?)))();
            match cells {
                Ok((fast, slow, rsi, histogram, vol)) => {
                    // A constant price has no volatility and no trend: 0 / tiny is 0.
                    let scale = (slow * vol).abs().max(f64::MIN_POSITIVE);
                    let cross = 0.5 * squash((fast - slow) / (scale * self.spread));
                    let breakout = 0.25 * ((rsi - 50.0) / 50.0);
                    let macd = 0.25 * squash(histogram / scale);
                    let all = cross.abs() + breakout.abs() + macd.abs();
                    let confidence = if all > 0.0 { ((cross + breakout + macd).abs() / all).min(1.0) } else { 0.0 };
                    out.set(i, &[cross, breakout, macd], confidence);
                }
                Err(why) => out.set_none(i, why),
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
            _ => format!("the MACD histogram is {} (positive: the trend accelerates)", show(3)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_checked_and_named() {
        let p = MomentumParameters::default();
        assert_eq!(p.check(), Ok(()));
        assert_eq!(MomentumParameters { slow: 20, ..p }.check(), Err(("slow", "above `fast`")));
        assert_eq!(MomentumParameters { rsi: 1, ..p }.check().unwrap_err().0, "rsi");
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

    #[test]
    fn squash_is_odd_bounded_and_monotone() {
        let xs: Vec<f64> = (-100..=100).map(|i| f64::from(i) / 7.0).collect();
        assert!(xs.windows(2).all(|w| squash(w[0]) < squash(w[1])));
        assert!(xs.iter().all(|x| squash(*x).abs() < 1.0 && squash(-*x).to_bits() == (-squash(*x)).to_bits()));
    }
}
