//! Ranges of bars: as a share of the price, against movement, in change.

use super::parts::{Sum, Window, state};
use super::{Atr, Bar, Columns, Ema, Inputs, Seed, Status, Study, TrueRange, percent, period_of};

/// Average true range over `n` bars in per cent of the close.
///
/// - Shape: one value a bar; none before bar `n`. Units: per cent; 0 at a close of 0. `n` in bars, at least 1.
/// - Source: Forman, Technical Analysis of Stocks & Commodities 24 (2006); TA-Lib 0.8 `TA_NATR`.
#[derive(Clone, Debug)]
pub struct Natr(Atr);

impl Natr {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Natr, 1> {
        Columns::of(Natr(Atr::new(n_instruments, n)), n_instruments)
    }
}

impl Study<1> for Natr {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let [range] = self.0.step(i, bar)?;
        Ok([percent(range, bar.close)])
    }

    state!(0);
}

/// Vortex: `Σ |highₜ − lowₜ₋₁|` and `Σ |lowₜ − highₜ₋₁|` over `n` bars, divided by the sum of the true ranges: lines plus,
/// minus.
///
/// - Shape: one value a bar; none before bar `n`. Units: a ratio, 0 without any range. `n` in bars, at least 1.
/// - Source: Botes and Siepman, Technical Analysis of Stocks & Commodities 28 (2010); TA-Lib 0.8 `TA_VORTEX`.
#[derive(Clone, Debug)]
pub struct Vortex {
    range: TrueRange,
    high: Vec<f64>,
    low: Vec<f64>,
    plus: Sum,
    minus: Sum,
    ranges: Sum,
}

impl Vortex {
    /// A kernel without data. Holds `3 n` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Vortex, 2> {
        let sum = Sum::new(n_instruments, period_of(n, 1));
        let study = Vortex {
            range: TrueRange::new(n_instruments),
            high: vec![0.0; n_instruments],
            low: vec![0.0; n_instruments],
            plus: sum.clone(),
            minus: sum.clone(),
            ranges: sum,
        };
        Columns::of(study, n_instruments)
    }
}

impl Study<2> for Vortex {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        let high = std::mem::replace(&mut self.high[i], bar.high);
        let low = std::mem::replace(&mut self.low[i], bar.low);
        let range = self.range.range(i, bar)?;
        let plus = self.plus.step(i, (bar.high - low).abs());
        let minus = self.minus.step(i, (bar.low - high).abs());
        let ranges = self.ranges.step(i, range)?;
        let ratio = |x: f64| if ranges > 0.0 { x / ranges } else { 0.0 };
        Ok([ratio(plus?), ratio(minus?)])
    }

    state!(range, high, low, plus, minus, ranges);
}

/// Ultimate oscillator: buying pressure, `close − min(low, previous close)`, as a share of the true range, over three
/// windows weighted 4, 2 and 1, in per cent.
///
/// - Shape: one value a bar; none before bar `max(a, b, c)`. Range: 0 to 100; a window without any range counts as 0.
///   Periods in bars, at least 1, shortest first (default of the field: 7, 14, 28).
/// - Source: Williams, Technical Analysis of Stocks & Commodities 3 (1985); TA-Lib 0.8 `TA_ULTOSC`.
#[derive(Clone, Debug)]
pub struct Ultimate {
    range: TrueRange,
    previous: Vec<f64>,
    short: Pressure,
    middle: Pressure,
    long: Pressure,
}

impl Ultimate {
    /// A kernel without data. Holds `2 (a + b + c)` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, a: usize, b: usize, c: usize) -> Columns<Ultimate, 1> {
        let mut periods = [a, b, c];
        periods.sort_unstable();
        let [short, middle, long] = periods.map(|n| {
            let sum = Sum::new(n_instruments, period_of(n, 1));
            Pressure { bought: sum.clone(), ranges: sum }
        });
        let (range, previous) = (TrueRange::new(n_instruments), vec![0.0; n_instruments]);
        Columns::of(Ultimate { range, previous, short, middle, long }, n_instruments)
    }
}

impl Study<1> for Ultimate {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let previous = std::mem::replace(&mut self.previous[i], bar.close);
        let range = self.range.range(i, bar)?;
        let bought = bar.close - if bar.low < previous { bar.low } else { previous };
        let short = self.short.step(i, bought, range);
        let middle = self.middle.step(i, bought, range);
        let long = self.long.step(i, bought, range)?;
        Ok([(4.0 * short? + 2.0 * middle? + long) / 7.0])
    }

    state!(range, previous, short, middle, long);
}

/// Sums of buying pressure and of true ranges over one window.
#[derive(Clone, Debug)]
struct Pressure {
    bought: Sum,
    ranges: Sum,
}

impl super::parts::Part for Pressure {
    state!(bought, ranges);
}

impl Pressure {
    fn step(&mut self, i: usize, bought: f64, range: f64) -> Result<f64, Status> {
        let bought = self.bought.step(i, bought);
        let ranges = self.ranges.step(i, range)?;
        Ok(percent(bought?, ranges))
    }
}

/// Chaikin's volatility: change over `change` bars of the exponential average over `n` bars of the range `high − low`.
///
/// - Shape: one value a bar; none before bar `n − 1 + change`. Units: per cent; 0 where there was no range. Periods in bars,
///   at least 1 (default of the field: 10 and 10).
/// - Source: Achelis, Technical Analysis from A to Z (1995); TA-Lib 0.8 `TA_CVI`.
#[derive(Clone, Debug)]
pub struct ChaikinVolatility {
    range: Ema,
    past: Window,
}

impl ChaikinVolatility {
    /// A kernel without data. Holds `change` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize, change: usize) -> Columns<ChaikinVolatility, 1> {
        let past = Window::new(n_instruments, period_of(change, 1));
        Columns::of(ChaikinVolatility { range: Ema::new(n_instruments, n, Seed::Sma), past }, n_instruments)
    }
}

impl Study<1> for ChaikinVolatility {
    const INPUTS: Inputs = Inputs::HIGH.and(Inputs::LOW);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let range = self.range.step(i, bar.high - bar.low)?;
        let past = self.past.push(i, range).ok_or(Status::WarmUp)?;
        Ok([percent(range - past, past)])
    }

    state!(range, past);
}

/// Williams' accumulation and distribution: the sum so far of how far each close that rose lies above the true low, less how
/// far each close that fell lies below the true high; true lows and highs contain the close before.
///
/// - Shape: one value a bar, 0 at the first. Units: those of the prices. Only its changes mean something.
/// - Source: Achelis, Technical Analysis from A to Z (1995); TA-Lib 0.8 `TA_WAD`.
#[derive(Clone, Debug)]
pub struct WilliamsAccumulation {
    value: Vec<f64>,
    previous: Vec<f64>,
    begun: Vec<u32>,
}

impl WilliamsAccumulation {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<WilliamsAccumulation, 1> {
        let zeros = || vec![0.0; n_instruments];
        let study = WilliamsAccumulation { value: zeros(), previous: zeros(), begun: vec![0; n_instruments] };
        Columns::of(study, n_instruments)
    }
}

impl Study<1> for WilliamsAccumulation {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let previous = std::mem::replace(&mut self.previous[i], bar.close);
        if std::mem::replace(&mut self.begun[i], 1) == 0 {
            return Ok([0.0]);
        }
        if bar.close > previous {
            self.value[i] += bar.close - if bar.low < previous { bar.low } else { previous };
        } else if bar.close < previous {
            self.value[i] += bar.close - if bar.high > previous { bar.high } else { previous };
        }
        Ok([self.value[i]])
    }

    state!(value, previous, begun);
}
