//! The state of a market, from its returns alone: calm, volatile or in a crisis, with a trend or in a range.
//!
//! Volatility is a hidden state with three values, followed by Hamilton's filter: after each return the probability of
//! each state given the returns *so far*. A smoother, which also looks at later returns, would look better on paper and
//! cannot be traded. The trend is a z-score: an exponential mean of the returns over its standard deviation under a random
//! walk. Nothing is fitted here: the states are multiples of the market's own long-run volatility, the chances of a change
//! are constants, so that there is nothing to overfit and nothing to refit.
//!
//! Sources: Hamilton, Econometrica 57 (1989) 357, the filter; RiskMetrics Technical Document (1996), the decay 0.94;
//! the states' multiples and the chances of a change are this library's choice, stated below.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Standard deviation of each state's returns in multiples of the long-run one: calm, volatile, crisis.
pub const STATE_VOLATILITY: [f64; 3] = [0.7, 1.4, 3.0];

/// Chance, from one return to the next, to go from the state of the row to that of the column.
pub const TRANSITION: [[f64; 3]; 3] = [[0.985, 0.0135, 0.0015], [0.03, 0.96, 0.01], [0.01, 0.07, 0.92]];

/// Returns before a state is named.
pub const WARM_UP: u64 = 60;

/// Returns over which the long-run volatility is averaged.
const LONG: f64 = 500.0;
/// Decay of the volatility of now, a return.
const DECAY: f64 = 0.94;
/// Weight of a return in the mean that makes the trend: 63 returns, a quarter of a year of days.
const TREND: f64 = 2.0 / 64.0;
/// A trend begins at this z-score and ends below the second one.
const BEGINS: f64 = 1.25;
const ENDS: f64 = 0.5;
/// Probability of the volatile states together by which they begin, and by which they end.
const STORM: f64 = 0.6;
const LULL: f64 = 0.3;
/// Returns count for at most so many long-run deviations in that deviation: a crash must not redefine what is normal.
const MOST_DEVIATIONS: f64 = 4.0;

/// One step of Hamilton's filter: the probabilities of the states before a return, how likely the return is in each, and
/// the chances of a change, to the probabilities after it. Densities need no common scale. If no state explains the return
/// (all densities 0 or not finite), the prediction is kept.
///
/// - Shape: `n` states; `transition[from][to]`, rows sum to 1. Range: probabilities 0 to 1, sum 1.
/// - Source: Hamilton (1989), eq. 4 to 7 (without lags).
#[must_use]
pub fn hamilton_step<const N: usize>(before: &[f64; N], transition: &[[f64; N]; N], density: &[f64; N]) -> [f64; N] {
    let mut predicted = [0.0; N];
    for (row, p) in transition.iter().zip(before) {
        for (to, chance) in predicted.iter_mut().zip(row) {
            *to += p * chance;
        }
    }
    let mut after = [0.0; N];
    let mut sum = 0.0;
    for ((a, p), d) in after.iter_mut().zip(&predicted).zip(density) {
        *a = p * d;
        sum += *a;
    }
    if !(sum.is_finite() && sum > 0.0) {
        return predicted;
    }
    after.iter_mut().for_each(|a| *a /= sum);
    after
}

/// What a market is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarketState {
    /// Probabilities of calm, volatile and crisis, given the returns so far.
    pub probabilities: [f64; 3],
    /// True while the market goes one way.
    pub trending: bool,
    /// The exponential mean of its returns in standard deviations under a random walk: the trend's sign and strength.
    pub trend: f64,
    /// True in a crisis: the third state is the likeliest explanation and the market falls.
    pub crisis: bool,
    /// True while the volatility is above normal: from a probability of 0.6 on, until it is below 0.3.
    pub volatile: bool,
}

/// The filter's state. One `update` a return.
#[derive(Clone, Debug, PartialEq)]
pub struct RegimeFilter {
    n: u64,
    long: f64,
    now: f64,
    mean: f64,
    probabilities: [f64; 3],
    trending: bool,
    volatile: bool,
}

impl Default for RegimeFilter {
    fn default() -> Self {
        RegimeFilter {
            n: 0,
            long: 0.0,
            now: 0.0,
            mean: 0.0,
            probabilities: [0.8, 0.18, 0.02],
            trending: false,
            volatile: false,
        }
    }
}

impl RegimeFilter {
    /// Takes the next simple return (0.01 is one per cent) and gives the state after it; `None` until `WARM_UP` returns
    /// that moved. A return that is not finite is left out.
    pub fn update(&mut self, r: f64) -> Option<MarketState> {
        if r.is_finite() {
            // No market makes ten times its value at once; a number like that is a fault of the data.
            let r = r.clamp(-10.0, 10.0);
            let square = r * r;
            let clipped = if self.n == 0 { square } else { square.min(MOST_DEVIATIONS * MOST_DEVIATIONS * self.long) };
            // Until there is any variance every return is taken as it is.
            let clipped = if self.long > 0.0 { clipped } else { square };
            self.n += 1;
            let weight = 1.0 / (self.n as f64).min(LONG);
            self.long += weight * (clipped - self.long);
            self.now = if self.n == 1 { square } else { DECAY * self.now + (1.0 - DECAY) * square };
            self.mean += TREND * (r - self.mean);
            if self.long > 0.0 {
                let density = STATE_VOLATILITY.map(|multiple| {
                    let variance = multiple * multiple * self.long;
                    libm::exp(-0.5 * square / variance) / multiple
                });
                self.probabilities = hamilton_step(&self.probabilities, &TRANSITION, &density);
            }
            let z = self.trend();
            self.trending = z.abs() >= if self.trending { ENDS } else { BEGINS };
            let [calm, ..] = self.probabilities;
            self.volatile = 1.0 - calm >= if self.volatile { LULL } else { STORM };
        }
        self.state()
    }

    /// Standard deviations by which the mean return is away from zero.
    fn trend(&self) -> f64 {
        let deviation = (self.now * TREND / (2.0 - TREND)).sqrt();
        if deviation > 0.0 { self.mean / deviation } else { 0.0 }
    }

    /// The state after the last return; `None` while it is too early to say.
    #[must_use]
    pub fn state(&self) -> Option<MarketState> {
        if self.n < WARM_UP || self.long <= 0.0 {
            return None;
        }
        let [.., crisis] = self.probabilities;
        Some(MarketState {
            probabilities: self.probabilities,
            trending: self.trending,
            trend: self.trend(),
            crisis: crisis >= 0.5 && self.mean < 0.0,
            volatile: self.volatile,
        })
    }

    /// Writes the state canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.u64(self.n);
        [self.long, self.now, self.mean].into_iter().chain(self.probabilities).for_each(|x| to.f64(x));
        to.bool(self.trending);
        to.bool(self.volatile);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.n = from.u64("returns of the regime")?;
        let [p0, p1, p2] = &mut self.probabilities;
        for x in [&mut self.long, &mut self.now, &mut self.mean, p0, p1, p2] {
            *x = from.f64("regime")?;
        }
        self.trending = from.bool("trend")?;
        self.volatile = from.bool("volatility")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> Vec<f64> {
        let table = include_str!("../oracles/regime.csv");
        let mut lines = table.lines().filter(|l| !l.starts_with('#'));
        let at = lines.next().unwrap().split(',').position(|c| c == name).unwrap();
        lines.map(|l| l.split(',').nth(at).unwrap().parse().unwrap()).collect()
    }

    /// hmmlearn's forward pass with the same parameters; its `predict_proba` is the smoothed one, which must differ.
    #[test]
    fn probabilities_are_the_filtered_ones_of_hmmlearn() {
        let (r, long) = (column("return"), column("long"));
        let filtered = [column("calm"), column("volatile"), column("crisis")];
        let smoothed = column("smoothed_crisis");
        let mut f = RegimeFilter::default();
        let (mut worst, mut apart) = (0.0_f64, 0.0_f64);
        for (k, r) in r.iter().enumerate() {
            f.update(*r);
            assert!((f.long / long[k] - 1.0).abs() < 1e-12, "row {k}");
            for (p, column) in f.probabilities.iter().zip(&filtered) {
                worst = worst.max((p - column[k]).abs());
            }
            apart = apart.max((f.probabilities[2] - smoothed[k]).abs());
        }
        assert!(r.len() > 1_000 && worst < 1e-9, "{worst}");
        assert!(apart > 0.3, "smoothed probabilities know what comes: {apart}");
    }

    #[test]
    fn the_crash_of_2008_is_a_crisis_and_2017_is_calm() {
        let (r, dates) = (column("return"), column("date"));
        let mut f = RegimeFilter::default();
        let states: Vec<_> = r.iter().map(|r| f.update(*r)).collect();
        let share = |from: f64, to: f64, is: fn(&MarketState) -> bool| {
            let all: Vec<_> =
                states.iter().zip(&dates).filter(|(_, d)| **d >= from && **d < to).filter_map(|(s, _)| *s).collect();
            all.iter().filter(|s| is(s)).count() as f64 / all.len() as f64
        };
        assert!(share(20_081_001.0, 20_081_201.0, |s| s.crisis || s.volatile) > 0.9);
        assert!(share(20_081_001.0, 20_081_201.0, |s| s.crisis) > 0.2);
        assert!(share(20_170_101.0, 20_171_231.0, |s| s.volatile) < 0.1);
        assert!(states[..WARM_UP as usize - 1].iter().all(Option::is_none));
    }

    #[test]
    fn a_storm_that_rises_is_no_crisis() {
        let storm = |sign: f64| {
            let mut f = RegimeFilter::default();
            (0..300).for_each(|k| _ = f.update(if k % 2 == 0 { 0.005 } else { -0.005 }));
            let last = (0..12).map(|k| f.update(sign * if k % 3 == 0 { -0.01 } else { 0.03 })).last();
            last.flatten().unwrap()
        };
        let (up, down) = (storm(1.0), storm(-1.0));
        assert!(up.probabilities[2] > 0.5 && up.volatile && !up.crisis, "{up:?}");
        assert!(down.crisis && down.volatile, "{down:?}");
    }

    #[test]
    fn a_state_goes_on_where_it_was_saved() {
        let r = column("return");
        let (mut one, mut two) = (RegimeFilter::default(), RegimeFilter::default());
        r[..700].iter().for_each(|r| _ = one.update(*r));
        let mut e = Encoder::new();
        one.save(&mut e);
        two.load(&mut Decoder::new(e.as_bytes())).unwrap();
        assert_eq!(one, two);
        assert!(r[700..].iter().all(|r| one.update(*r) == two.update(*r)));
    }

    #[test]
    fn odd_returns_break_nothing() {
        let mut f = RegimeFilter::default();
        for _ in 0..200 {
            assert_eq!(f.update(0.0), None, "a market that never moved has no regime");
        }
        for r in [f64::NAN, f64::INFINITY, 1e300, -1e300, 1e-300, 0.01, -0.01] {
            if let Some(s) = f.update(r) {
                assert!((s.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9 && s.trend.is_finite(), "{r}: {s:?}");
            }
        }
    }

    #[test]
    fn hand_worked_step() {
        // Half and half, no change of state, twice as likely in the first: two thirds and one third.
        let after = hamilton_step(&[0.5, 0.5], &[[1.0, 0.0], [0.0, 1.0]], &[2.0, 1.0]);
        assert!((after[0] - 2.0 / 3.0).abs() < 1e-15 && (after[1] - 1.0 / 3.0).abs() < 1e-15);
        // Nothing explains the return: only the chances of a change act.
        let after = hamilton_step(&[1.0, 0.0], &[[0.9, 0.1], [0.2, 0.8]], &[0.0, 0.0]);
        assert_eq!(after, [0.9, 0.1]);
    }
}
