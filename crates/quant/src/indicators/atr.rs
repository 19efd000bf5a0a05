//! Average true range: how far a price moves in a bar, its gap from the bar before included.

use super::parts::{Part, state};
use super::{Bar, Bars, Columns, Ema, Inputs, Status, Study};
use tradegraph_columns::wide;

/// Wilder's average true range of one series.
///
/// The true range is the largest of `high − low`, `|high − previous close|` and `|low − previous close|`; its average
/// starts at the mean of the first `n` and goes on with `a += (r − a) / n`.
///
/// - Shape: one value a bar, oldest first; NaN before bar `n` (n ranges need n + 1 bars).
/// - Units: those of the prices; `n` in bars, at least 1.
/// - Source: Wilder, New Concepts in Technical Trading Systems (1978), section III; TA-Lib 0.8 `TA_ATR`.
///
/// # Panics
/// If the slices differ in length.
#[must_use]
pub fn atr(high: &[f64], low: &[f64], close: &[f64], n: usize) -> Vec<f64> {
    let [values] = Atr::columns(1, n).series(&Bars::ranges(high, low, close));
    values
}

/// One average true range for all instruments. Definition: [`atr`].
#[derive(Clone, Debug)]
pub struct Atr {
    ranges: TrueRange,
    average: Ema,
}

impl Atr {
    /// A kernel without data; `n` is the period in bars, at least 1.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Atr, 1> {
        Columns::of(Atr::new(n_instruments, n), n_instruments)
    }

    pub(crate) fn new(n_instruments: usize, n: usize) -> Self {
        Atr { ranges: TrueRange::new(n_instruments), average: Ema::wilder(n_instruments, n) }
    }
}

impl Study<1> for Atr {
    const INPUTS: Inputs = Inputs::RANGE;

    #[inline(always)]
    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let range = self.ranges.range(i, bar)?;
        Ok([self.average.step(i, range)?])
    }

    fn row(&mut self, bars: &Bars<'_>, [line]: &mut [&mut [f64]; 1]) -> bool {
        let Some((weight, average)) = self.average.warm() else { return false };
        average_row(weight, bars.high, bars.low, bars.close, &mut self.ranges.previous, average, line);
        true
    }

    state!(ranges, average);
}

/// The largest of `high − low`, `|high − previous close|` and `|low − previous close|`.
///
/// - Shape: one value a bar, from the second on. Units: those of the prices.
/// - Source: Wilder, New Concepts in Technical Trading Systems (1978), section III; TA-Lib 0.8 `TA_TRANGE`.
#[derive(Clone, Debug)]
pub struct TrueRange {
    previous: Vec<f64>,
    begun: Vec<u32>,
}

impl TrueRange {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<TrueRange, 1> {
        Columns::of(TrueRange::new(n_instruments), n_instruments)
    }

    pub(super) fn new(n_instruments: usize) -> Self {
        TrueRange { previous: vec![0.0; n_instruments], begun: vec![0; n_instruments] }
    }

    /// One bar, as a part of another indicator.
    #[inline(always)]
    pub(super) fn range(&mut self, i: usize, bar: &Bar) -> Result<f64, Status> {
        let previous = std::mem::replace(&mut self.previous[i], bar.close);
        match std::mem::replace(&mut self.begun[i], 1) {
            0 => Err(Status::WarmUp),
            _ => Ok(true_range(bar.high, bar.low, previous)),
        }
    }

    /// The closes before, for a pass over bars of instruments that all have one.
    pub(super) fn previous(&mut self) -> &mut [f64] {
        &mut self.previous
    }
}

impl Part for TrueRange {
    state!(previous, begun);
}

impl Study<1> for TrueRange {
    const INPUTS: Inputs = Inputs::RANGE;

    #[inline(always)]
    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        Ok([self.range(i, bar)?])
    }

    state!(previous, begun);
}

impl Part for Atr {
    state!(ranges, average);
}

wide! {
    /// Averages of the true ranges of a row, whose closes become the previous ones.
    fn average_row<'a>(
        weight: f64,
        high: &'a [f64],
        low: &'a [f64],
        close: &'a [f64],
        previous: &'a mut [f64],
        average: &'a mut [f64],
        out: &'a mut [f64],
    ) {
        let prices = high.iter().zip(low).zip(close);
        let state = previous.iter_mut().zip(average);
        for ((((high, low), close), (previous, average)), o) in prices.zip(state).zip(out) {
            *average += weight * (true_range(*high, *low, *previous) - *average);
            *previous = *close;
            *o = *average;
        }
    }
}

#[inline(always)]
pub(super) fn true_range(high: f64, low: f64, previous: f64) -> f64 {
    let (range, up, down) = (high - low, (high - previous).abs(), (low - previous).abs());
    let gap = if up > down { up } else { down };
    if range > gap { range } else { gap }
}
