//! Flows of volume: which side of the price the volume was on.

use super::parts::{Mean, Sum, state};
use super::{Bar, Columns, Ema, Inputs, Seed, Status, Study, percent, period_of, typical};

/// Money flow index: typical price times volume of the bars that rose, as a share of that of all bars that moved, over `n`
/// bars.
///
/// - Shape: one value a bar; none before bar `n`.
/// - Range: 0 to 100; 0 where nothing moved. `n` in bars, at least 1. TA-Lib's gives 0 where the flow of the window is
///   below 1 in the units of price times volume; this one does not depend on units.
/// - Source: Quong and Soudack, Technical Analysis of Stocks & Commodities 7 (1989); TA-Lib 0.8 `TA_MFI`.
#[derive(Clone, Debug)]
pub struct MoneyFlowIndex {
    up: Sum,
    down: Sum,
    previous: Vec<f64>,
    begun: Vec<u32>,
}

impl MoneyFlowIndex {
    /// A kernel without data. Holds `2 n` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<MoneyFlowIndex, 1> {
        let sum = Sum::new(n_instruments, period_of(n, 1));
        let (previous, begun) = (vec![0.0; n_instruments], vec![0; n_instruments]);
        Columns::of(MoneyFlowIndex { up: sum.clone(), down: sum, previous, begun }, n_instruments)
    }
}

impl Study<1> for MoneyFlowIndex {
    const INPUTS: Inputs = Inputs::RANGE.and(Inputs::VOLUME);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let price = typical(bar);
        let previous = std::mem::replace(&mut self.previous[i], price);
        if std::mem::replace(&mut self.begun[i], 1) == 0 {
            return Err(Status::WarmUp);
        }
        let flow = price * bar.volume;
        let up = self.up.step(i, if price > previous { flow } else { 0.0 });
        let down = self.down.step(i, if price < previous { flow } else { 0.0 });
        let (up, down) = (up?, down?);
        Ok([percent(up, up + down)])
    }

    state!(up, down, previous, begun);
}

/// On-balance volume: the volume so far of bars that closed higher less that of bars that closed lower; the first bar
/// counts as one that rose.
///
/// - Shape: one value a bar. Units: those of the volume. Only its changes mean something.
/// - Source: Granville, New Key to Stock Market Profits (1963); TA-Lib 0.8 `TA_OBV`.
#[derive(Clone, Debug)]
pub struct OnBalanceVolume {
    value: Vec<f64>,
    previous: Vec<f64>,
    begun: Vec<u32>,
}

impl OnBalanceVolume {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<OnBalanceVolume, 1> {
        let zeros = vec![0.0; n_instruments];
        let study = OnBalanceVolume { value: zeros.clone(), previous: zeros, begun: vec![0; n_instruments] };
        Columns::of(study, n_instruments)
    }
}

impl Study<1> for OnBalanceVolume {
    const INPUTS: Inputs = Inputs::CLOSE.and(Inputs::VOLUME);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let previous = std::mem::replace(&mut self.previous[i], bar.close);
        let first = std::mem::replace(&mut self.begun[i], 1) == 0;
        if first || bar.close > previous {
            self.value[i] += bar.volume;
        } else if bar.close < previous {
            self.value[i] -= bar.volume;
        }
        Ok([self.value[i]])
    }

    state!(value, previous, begun);
}

/// Price-volume trend: the volumes so far, each times the relative change of its close.
///
/// - Shape: one value a bar, 0 on the first. Units: those of the volume. After a close of 0 a change counts as 0.
/// - Source: TA-Lib 0.8 `TA_PVT`.
#[derive(Clone, Debug)]
pub struct PriceVolumeTrend {
    value: Vec<f64>,
    previous: Vec<f64>,
}

impl PriceVolumeTrend {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<PriceVolumeTrend, 1> {
        let zeros = vec![0.0; n_instruments];
        Columns::of(PriceVolumeTrend { value: zeros.clone(), previous: zeros }, n_instruments)
    }
}

impl Study<1> for PriceVolumeTrend {
    const INPUTS: Inputs = Inputs::CLOSE.and(Inputs::VOLUME);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let previous = std::mem::replace(&mut self.previous[i], bar.close);
        if previous != 0.0 {
            self.value[i] += bar.volume * ((bar.close - previous) / previous);
        }
        Ok([self.value[i]])
    }

    state!(value, previous);
}

/// Where the close lies in its bar, from −1 at the low to 1 at the high, times the volume; 0 without a range.
#[inline]
fn accumulated(bar: &Bar) -> f64 {
    let range = bar.high - bar.low;
    if range > 0.0 { ((bar.close - bar.low) - (bar.high - bar.close)) / range * bar.volume } else { 0.0 }
}

/// Accumulation and distribution so far: each bar's volume times where its close lies in the bar, from −1 at the low to 1 at
/// the high.
///
/// - Shape: one value a bar. Units: those of the volume. A bar without a range adds nothing.
/// - Source: Chaikin; TA-Lib 0.8 `TA_AD`.
#[derive(Clone, Debug)]
pub struct Accumulation(Vec<f64>);

impl Accumulation {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<Accumulation, 1> {
        Columns::of(Accumulation(vec![0.0; n_instruments]), n_instruments)
    }
}

impl Study<1> for Accumulation {
    const INPUTS: Inputs = Inputs::RANGE.and(Inputs::VOLUME);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        self.0[i] += accumulated(bar);
        Ok([self.0[i]])
    }

    state!(0);
}

/// Chaikin's oscillator: exponential average over `fast` bars of [`Accumulation`] less that over `slow` bars, both from its
/// first value on.
///
/// - Shape: one value a bar; none before bar `slow − 1`. Units: those of the volume; periods in bars, at least 1, `fast`
///   and `slow` in either order.
/// - Source: Chaikin; TA-Lib 0.8 `TA_ADOSC`.
#[derive(Clone, Debug)]
pub struct ChaikinOscillator {
    value: Vec<f64>,
    fast: Ema,
    slow: Ema,
}

impl ChaikinOscillator {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, fast: usize, slow: usize) -> Columns<ChaikinOscillator, 1> {
        let ema = |n| Ema::new(n_instruments, n, Seed::First);
        let study =
            ChaikinOscillator { value: vec![0.0; n_instruments], fast: ema(fast.min(slow)), slow: ema(fast.max(slow)) };
        Columns::of(study, n_instruments)
    }
}

impl Study<1> for ChaikinOscillator {
    const INPUTS: Inputs = Inputs::RANGE.and(Inputs::VOLUME);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        self.value[i] += accumulated(bar);
        let fast = self.fast.step(i, self.value[i]);
        let slow = self.slow.step(i, self.value[i])?;
        Ok([fast? - slow])
    }

    state!(value, fast, slow);
}

/// Chaikin money flow: what [`Accumulation`] adds over `n` bars, as a share of their volume.
///
/// - Shape: one value a bar; none before bar `n − 1`. Range: −1 to 1; 0 without any volume. `n` in bars, at least 1.
/// - Source: Chaikin; TA-Lib 0.8 `TA_CMF`.
#[derive(Clone, Debug)]
pub struct ChaikinMoneyFlow {
    flow: Sum,
    volume: Sum,
}

impl ChaikinMoneyFlow {
    /// A kernel without data. Holds `2 n` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<ChaikinMoneyFlow, 1> {
        let sum = Sum::new(n_instruments, period_of(n, 1));
        Columns::of(ChaikinMoneyFlow { flow: sum.clone(), volume: sum }, n_instruments)
    }
}

impl Study<1> for ChaikinMoneyFlow {
    const INPUTS: Inputs = Inputs::RANGE.and(Inputs::VOLUME);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let flow = self.flow.step(i, accumulated(bar));
        let volume = self.volume.step(i, bar.volume)?;
        Ok([if volume > 0.0 { flow? / volume } else { 0.0 }])
    }

    state!(flow, volume);
}

/// Elder's force index: exponential average over `n` bars of the change of the close times the volume, from its simple mean
/// on.
///
/// - Shape: one value a bar; none before bar `n`. Units: price times volume; `n` in bars, at least 1.
/// - Source: Elder, Trading for a Living (1993); TA-Lib 0.8 `TA_EFI`.
#[derive(Clone, Debug)]
pub struct ForceIndex {
    average: Ema,
    previous: Vec<f64>,
    begun: Vec<u32>,
}

impl ForceIndex {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<ForceIndex, 1> {
        let average = Ema::new(n_instruments, n, Seed::Sma);
        let (previous, begun) = (vec![0.0; n_instruments], vec![0; n_instruments]);
        Columns::of(ForceIndex { average, previous, begun }, n_instruments)
    }
}

impl Study<1> for ForceIndex {
    const INPUTS: Inputs = Inputs::CLOSE.and(Inputs::VOLUME);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let previous = std::mem::replace(&mut self.previous[i], bar.close);
        match std::mem::replace(&mut self.begun[i], 1) {
            0 => Err(Status::WarmUp),
            _ => Ok([self.average.step(i, (bar.close - previous) * bar.volume)?]),
        }
    }

    state!(average, previous, begun);
}

/// Percentage volume oscillator: exponential average of the volume over `fast` bars less that over `slow` bars, in per cent
/// of the slow one; both start at a simple mean of their own first bars.
///
/// - Shape: one value a bar; none before bar `slow − 1`. Units: per cent; 0 without volume. Periods in bars, at least 1, in
///   either order (default of the field: 12 and 26).
/// - Source: TA-Lib 0.8 `TA_PVO` with exponential averages.
#[derive(Clone, Debug)]
pub struct Pvo {
    fast: Ema,
    slow: Ema,
}

impl Pvo {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, fast: usize, slow: usize) -> Columns<Pvo, 1> {
        let ema = |n| Ema::new(n_instruments, n, Seed::Sma);
        Columns::of(Pvo { fast: ema(fast.min(slow)), slow: ema(fast.max(slow)) }, n_instruments)
    }
}

impl Study<1> for Pvo {
    const INPUTS: Inputs = Inputs::VOLUME;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let fast = self.fast.step(i, bar.volume);
        let slow = self.slow.step(i, bar.volume)?;
        Ok([percent(fast? - slow, slow)])
    }

    state!(fast, slow);
}

/// Relative volume: the volume over the mean volume of the `n` bars before.
///
/// - Shape: one value a bar; none before bar `n`. Range: 0 and above, 1 for as much as usual; no value after `n` bars without
///   volume. `n` in bars, at least 1.
/// - Source: TA-Lib 0.8 `TA_RVOL`.
#[derive(Clone, Debug)]
pub struct RelativeVolume {
    mean: Mean,
    /// The mean up to the bar before; below 0 if there is none.
    before: Vec<f64>,
}

impl RelativeVolume {
    /// A kernel without data. Holds `n` volumes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<RelativeVolume, 1> {
        let mean = Mean::new(n_instruments, period_of(n, 1));
        Columns::of(RelativeVolume { mean, before: vec![-1.0; n_instruments] }, n_instruments)
    }
}

impl Study<1> for RelativeVolume {
    const INPUTS: Inputs = Inputs::VOLUME;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let now = self.mean.step(i, bar.volume).unwrap_or(-1.0);
        match std::mem::replace(&mut self.before[i], now) {
            before if before < 0.0 => Err(Status::WarmUp),
            before => Ok([bar.volume / before]),
        }
    }

    state!(mean, before);
}
