//! Stochastic oscillators: where the close lies in its recent range.

use super::parts::{Mean, state};
use super::{Bar, Columns, Donchian, Ema, Inputs, Rsi, Seed, Status, Study, percent, period_of, rsi};

/// Raw stochastic of the last `k` bars, `100 (close − lowest low) / (highest high − lowest low)`, and its mean over `d` bars:
/// lines k, d.
///
/// - Shape: one value a bar; none before bar `k + d − 2`.
/// - Range: 0 to 100; 0 where there is no range, as TA-Lib's. Periods in bars, at least 1.
/// - Source: Lane, Technical Analysis of Stocks & Commodities 2 (1984); TA-Lib 0.8 `TA_STOCHF`.
#[derive(Clone, Debug)]
pub struct StochasticFast {
    range: Donchian,
    d: Mean,
}

impl StochasticFast {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, k: usize, d: usize) -> Columns<StochasticFast, 2> {
        Columns::of(StochasticFast::new(n_instruments, k, d), n_instruments)
    }

    fn new(n_instruments: usize, k: usize, d: usize) -> StochasticFast {
        StochasticFast { range: Donchian::new(n_instruments, k), d: Mean::new(n_instruments, period_of(d, 1)) }
    }

    fn of(&mut self, i: usize, high: f64, low: f64, close: f64) -> Result<[f64; 2], Status> {
        let (high, low) = self.range.range(i, high, low)?;
        let k = percent(close - low, high - low);
        Ok([k, self.d.step(i, k)?])
    }
}

impl super::parts::Part for StochasticFast {
    state!(range, d);
}

impl Study<2> for StochasticFast {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        self.of(i, bar.high, bar.low, bar.close)
    }

    state!(range, d);
}

/// Slow stochastic: the raw one over `k` bars, averaged over `slow` bars (line k), and that averaged over `d` bars (line d).
///
/// - Shape: one value a bar; none before bar `k + slow + d − 3`.
/// - Range: 0 to 100. Periods in bars, at least 1 (default of the field: 5, 3, 3).
/// - Source: Lane, Technical Analysis of Stocks & Commodities 2 (1984); TA-Lib 0.8 `TA_STOCH`.
#[derive(Clone, Debug)]
pub struct Stochastic {
    fast: StochasticFast,
    d: Mean,
}

impl Stochastic {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, k: usize, slow: usize, d: usize) -> Columns<Stochastic, 2> {
        let fast = StochasticFast::new(n_instruments, k, slow);
        Columns::of(Stochastic { fast, d: Mean::new(n_instruments, period_of(d, 1)) }, n_instruments)
    }
}

impl Study<2> for Stochastic {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        let [_, slow] = Study::step(&mut self.fast, i, bar)?;
        Ok([slow, self.d.step(i, slow)?])
    }

    state!(fast, d);
}

/// Raw stochastic over `k` bars of the relative strength index over `n` bars, and its mean over `d`: lines k, d.
///
/// - Shape: one value a bar; none before bar `n + k + d − 2`.
/// - Range: 0 to 100; 0 where the index did not move. Periods in bars, at least 1.
/// - Source: Chande and Kroll, The New Technical Trader (1994); TA-Lib 0.8 `TA_STOCHRSI`.
#[derive(Clone, Debug)]
pub struct StochasticRsi {
    rsi: Rsi,
    fast: StochasticFast,
}

impl StochasticRsi {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize, k: usize, d: usize) -> Columns<StochasticRsi, 2> {
        let fast = StochasticFast::new(n_instruments, k, d);
        Columns::of(StochasticRsi { rsi: Rsi::new(n_instruments, n), fast }, n_instruments)
    }
}

impl Study<2> for StochasticRsi {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        let (up, down) = self.rsi.step(i, bar.close)?;
        let strength = rsi::index(up, down);
        self.fast.of(i, strength, strength, strength)
    }

    state!(rsi, fast);
}

/// How far the close lies below the highest high of the last `n` bars, as a share of their range:
/// `−100 (highest high − close) / (highest high − lowest low)`.
///
/// - Shape: one value a bar; none before bar `n − 1`.
/// - Range: −100 to 0; 0 where there is no range, as TA-Lib's. `n` in bars, at least 1.
/// - Source: Williams, How I Made One Million Dollars (1973); TA-Lib 0.8 `TA_WILLR`.
#[derive(Clone, Debug)]
pub struct WilliamsR(Donchian);

impl WilliamsR {
    /// A kernel without data. Holds `2 n` prices an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<WilliamsR, 1> {
        Columns::of(WilliamsR(Donchian::new(n_instruments, n)), n_instruments)
    }
}

impl Study<1> for WilliamsR {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let (high, low) = self.0.range(i, bar.high, bar.low)?;
        Ok([percent(bar.close - high, high - low)])
    }

    state!(0);
}

/// Stochastic momentum: distance of the close from the middle of the range of the last `n` bars, smoothed exponentially over
/// `slow` and then over `fast` bars, in per cent of half that range smoothed alike (line value), and its exponential average
/// over `signal` bars (line signal). All averages start at a simple mean.
///
/// - Shape: one value a bar; none before bar `n + slow + fast + signal − 4`.
/// - Range: −100 to 100; 0 where there is no range. Periods in bars, at least 1 (default of the field: 13, 25, 2, 9).
/// - Source: Blau, Technical Analysis of Stocks & Commodities 11 (1993); TA-Lib 0.8 `TA_SMI`.
#[derive(Clone, Debug)]
pub struct StochasticMomentum {
    range: Donchian,
    distance: [Ema; 2],
    width: [Ema; 2],
    signal: Ema,
}

impl StochasticMomentum {
    /// A kernel without data. Holds `2 n` prices an instrument.
    #[must_use]
    pub fn columns(
        n_instruments: usize,
        n: usize,
        slow: usize,
        fast: usize,
        signal: usize,
    ) -> Columns<StochasticMomentum, 2> {
        let ema = |n| Ema::new(n_instruments, n, Seed::Sma);
        let (distance, width) = ([ema(slow), ema(fast)], [ema(slow), ema(fast)]);
        let range = Donchian::new(n_instruments, n);
        Columns::of(StochasticMomentum { range, distance, width, signal: ema(signal) }, n_instruments)
    }
}

impl Study<2> for StochasticMomentum {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        let (high, low) = self.range.range(i, bar.high, bar.low)?;
        let (distance, width) = (bar.close - (high + low) / 2.0, high - low);
        let (distance, width) = (self.distance[0].step(i, distance), self.width[0].step(i, width));
        let (distance, width) = (self.distance[1].step(i, distance?), self.width[1].step(i, width?));
        let value = percent(distance?, width? / 2.0);
        Ok([value, self.signal.step(i, value)?])
    }

    state!(range, distance, width, signal);
}
