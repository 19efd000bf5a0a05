//! True ranges as a share of the price, and against movement: NATR, vortex, ultimate oscillator.

use super::parts::{Sum, state};
use super::{Atr, Bar, Columns, Inputs, Status, Study, TrueRange, percent, period_of};

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
