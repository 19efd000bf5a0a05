//! Channels whose width follows the ranges of bars: Keltner, SuperTrend, acceleration bands.

use super::parts::{Mean, state};
use super::{Atr, Bar, Columns, Ema, Inputs, Seed, Status, Study, TrueRange, period_of, typical};

/// Keltner channel: exponential average over `n` bars of the typical price `(high + low + close) / 3`, and `width` average
/// true ranges over `range` bars on both sides: lines upper, middle, lower.
///
/// - Shape: one value a bar; none before bar `max(n − 1, range)`, at which both averages start: each at the mean of the data
///   up to that bar, as TA-Lib's.
/// - Units: those of the prices; periods in bars, at least 1 (default of the field: 20, 10 and 2).
/// - Source: Keltner, How to Make Money in Commodities (1960), with Raschke's range; TA-Lib 0.8 `TA_KC`.
#[derive(Clone, Debug)]
pub struct Keltner {
    width: f64,
    /// Bars that each average leaves out, so that both start at the same bar.
    leaves: [u32; 2],
    seen: Vec<u32>,
    middle: Ema,
    ranges: TrueRange,
    range: Ema,
}

impl Keltner {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize, range: usize, width: f64) -> Columns<Keltner, 3> {
        let (middle, range) = (Ema::new(n_instruments, n, Seed::Sma), Ema::wilder(n_instruments, range));
        let (n, bars) = (middle.period(), range.period());
        let study = Keltner {
            width,
            leaves: [(bars + 1).saturating_sub(n), n.saturating_sub(bars + 1)],
            seen: vec![0; n_instruments],
            middle,
            ranges: TrueRange::new(n_instruments),
            range,
        };
        Columns::of(study, n_instruments)
    }
}

impl Study<3> for Keltner {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 3], Status> {
        let at = self.seen[i];
        self.seen[i] = (at + 1).min(self.leaves[0].max(self.leaves[1]) + 1);
        let middle = if at >= self.leaves[0] { self.middle.step(i, typical(bar)) } else { Err(Status::WarmUp) };
        let range = self.ranges.range(i, bar)?;
        let range = if at > self.leaves[1] { self.range.step(i, range)? } else { return Err(Status::WarmUp) };
        let (middle, band) = (middle?, self.width * range);
        Ok([middle + band, middle, middle - band])
    }

    state!(width, seen, middle, ranges, range);
}

/// SuperTrend: a stop `width` average true ranges over `n` bars away from the middle of the bar, that only moves in the
/// direction of the trend until a close is beyond it: lines stop, trend (1 for up, −1 for down).
///
/// - Shape: one value a bar; none before bar `n`; the first trend is up.
/// - Units: those of the prices; `n` in bars, at least 1 (default of the field: 10 and 3).
/// - Source: Seban, Tout le monde mérite d'être riche (2008); TA-Lib 0.8 `TA_SUPERTREND`.
#[derive(Clone, Debug)]
pub struct SuperTrend {
    width: f64,
    range: Atr,
    upper: Vec<f64>,
    lower: Vec<f64>,
    previous: Vec<f64>,
    /// 0 before the first.
    trend: Vec<f64>,
}

impl SuperTrend {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize, width: f64) -> Columns<SuperTrend, 2> {
        let zeros = || vec![0.0; n_instruments];
        let range = Atr::new(n_instruments, n);
        let study = SuperTrend { width, range, upper: zeros(), lower: zeros(), previous: zeros(), trend: zeros() };
        Columns::of(study, n_instruments)
    }
}

impl Study<2> for SuperTrend {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        let [range] = self.range.step(i, bar)?;
        let previous = std::mem::replace(&mut self.previous[i], bar.close);
        let middle = (bar.high + bar.low) / 2.0;
        let (above, below) = (middle + self.width * range, middle - self.width * range);
        let (upper, lower, trend) = (&mut self.upper[i], &mut self.lower[i], &mut self.trend[i]);
        if *trend == 0.0 {
            (*upper, *lower, *trend) = (above, below, 1.0);
        } else {
            if above < *upper || previous > *upper {
                *upper = above;
            }
            if below > *lower || previous < *lower {
                *lower = below;
            }
            if *trend > 0.0 && bar.close < *lower {
                *trend = -1.0;
            } else if *trend < 0.0 && bar.close > *upper {
                *trend = 1.0;
            }
        }
        Ok([if *trend > 0.0 { *lower } else { *upper }, *trend])
    }

    state!(width, range, upper, lower, previous, trend);
}

/// Acceleration bands: means over `n` bars of `high (1 + 4 r)`, of the close and of `low (1 − 4 r)`, where r is the range
/// `(high − low) / (high + low)`: lines upper, middle, lower.
///
/// - Shape: one value a bar; none before bar `n − 1`. Units: those of the prices; `n` in bars, at least 1.
/// - Source: Headley, Big Trends in Trading (2002); TA-Lib 0.8 `TA_ACCBANDS`.
#[derive(Clone, Debug)]
pub struct AccelerationBands {
    upper: Mean,
    middle: Mean,
    lower: Mean,
}

impl AccelerationBands {
    /// A kernel without data. Holds `3 n` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<AccelerationBands, 3> {
        let mean = Mean::new(n_instruments, period_of(n, 1));
        let study = AccelerationBands { upper: mean.clone(), middle: mean.clone(), lower: mean };
        Columns::of(study, n_instruments)
    }
}

impl Study<3> for AccelerationBands {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 3], Status> {
        let sum = bar.high + bar.low;
        let range = if sum != 0.0 { 4.0 * (bar.high - bar.low) / sum } else { 0.0 };
        let upper = self.upper.step(i, bar.high * (1.0 + range));
        let middle = self.middle.step(i, bar.close);
        let lower = self.lower.step(i, bar.low * (1.0 - range));
        Ok([upper?, middle?, lower?])
    }

    state!(upper, middle, lower);
}
