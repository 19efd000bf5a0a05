//! Oscillators made of averages: how far a quick view of the price is from a slow one.

use super::parts::{Mean, Sum, Weighted, Window, state};
use super::{Bar, Columns, Ema, Inputs, Rsi, Seed, Status, Study, percent, period_of};

/// Chande's momentum oscillator with Wilder's averages: `100 (U − D) / (U + D)`, U and D as in the relative strength index.
///
/// - Shape: one value a bar; none before bar `n`. Range: −100 to 100; 0 without movement. `n` in bars, at least 1.
/// - Source: Chande and Kroll, The New Technical Trader (1994); TA-Lib 0.8 `TA_CMO`.
#[derive(Clone, Debug)]
pub struct Cmo(Rsi);

impl Cmo {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Cmo, 1> {
        Columns::of(Cmo(Rsi::new(n_instruments, n)), n_instruments)
    }
}

impl Study<1> for Cmo {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let (up, down) = self.0.step(i, bar.close)?;
        Ok([percent(up - down, up + down)])
    }

    state!(0);
}

/// Percentage price oscillator: exponential average of the close over `fast` bars less that over `slow` bars, in per cent
/// of the slow one; both start at a simple mean of their own first bars.
///
/// - Shape: one value a bar; none before bar `slow − 1`. Units: per cent; periods in bars, at least 1, in either order.
/// - Source: TA-Lib 0.8 `TA_PPO` with exponential averages.
#[derive(Clone, Debug)]
pub struct Ppo {
    fast: Ema,
    slow: Ema,
}

impl Ppo {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, fast: usize, slow: usize) -> Columns<Ppo, 1> {
        let ema = |n| Ema::new(n_instruments, n, Seed::Sma);
        Columns::of(Ppo { fast: ema(fast.min(slow)), slow: ema(fast.max(slow)) }, n_instruments)
    }
}

impl Study<1> for Ppo {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let fast = self.fast.step(i, bar.close);
        let slow = self.slow.step(i, bar.close)?;
        Ok([percent(fast? - slow, slow)])
    }

    state!(fast, slow);
}

/// Awesome oscillator: mean over `fast` bars of the middle `(high + low) / 2` less that over `slow` bars.
///
/// - Shape: one value a bar; none before bar `slow − 1`. Units: those of the prices; periods in bars, at least 1, in either
///   order (default of the field: 5 and 34).
/// - Source: Williams, Trading Chaos (1995); TA-Lib 0.8 `TA_AO`.
#[derive(Clone, Debug)]
pub struct Awesome {
    fast: Mean,
    slow: Mean,
}

impl Awesome {
    /// A kernel without data. Holds `fast + slow` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, fast: usize, slow: usize) -> Columns<Awesome, 1> {
        let mean = |n| Mean::new(n_instruments, period_of(n, 1));
        Columns::of(Awesome { fast: mean(fast.min(slow)), slow: mean(fast.max(slow)) }, n_instruments)
    }
}

impl Study<1> for Awesome {
    const INPUTS: Inputs = Inputs::HIGH.and(Inputs::LOW);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let middle = (bar.high + bar.low) / 2.0;
        let fast = self.fast.step(i, middle);
        let slow = self.slow.step(i, middle)?;
        Ok([fast? - slow])
    }

    state!(fast, slow);
}

/// Coppock curve: weighted mean over `n` bars of the sum of the changes over `short` and over `long` bars, in per cent.
///
/// - Shape: one value a bar; none before bar `n − 1 + max(short, long)`. Units: per cent; periods in bars, at least 1
///   (default of the field, in months: 10, 11, 14). A change from a close of 0 counts as 0.
/// - Source: Coppock, Barron's (15 October 1962); TA-Lib 0.8 `TA_COPPOCK`.
#[derive(Clone, Debug)]
pub struct Coppock {
    short: Window,
    long: Window,
    average: Weighted,
}

impl Coppock {
    /// A kernel without data. Holds `n + short + long` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize, short: usize, long: usize) -> Columns<Coppock, 1> {
        let window = |n| Window::new(n_instruments, period_of(n, 1));
        let average = Weighted::new(n_instruments, period_of(n, 1));
        Columns::of(Coppock { short: window(short), long: window(long), average }, n_instruments)
    }
}

impl Study<1> for Coppock {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let x = bar.close;
        let (a, b) = (self.short.push(i, x), self.long.push(i, x));
        let (Some(a), Some(b)) = (a, b) else { return Err(Status::WarmUp) };
        Ok([self.average.mean(i, percent(x - a, a) + percent(x - b, b))?])
    }

    state!(short, long, average);
}

/// QStick: mean of the last `n` bars' close less open.
///
/// - Shape: one value a bar; none before bar `n − 1`. Units: those of the prices; `n` in bars, at least 1.
/// - Source: Chande and Kroll, The New Technical Trader (1994); TA-Lib 0.8 `TA_QSTICK`.
#[derive(Clone, Debug)]
pub struct QStick(Mean);

impl QStick {
    /// A kernel without data. Holds `n` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<QStick, 1> {
        Columns::of(QStick(Mean::new(n_instruments, period_of(n, 1))), n_instruments)
    }
}

impl Study<1> for QStick {
    const INPUTS: Inputs = Inputs::OPEN.and(Inputs::CLOSE);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        Ok([self.0.step(i, bar.close - bar.open)?])
    }

    state!(0);
}

/// True strength index: changes of the close, smoothed exponentially over `first` and then over `second` bars, in per cent
/// of their magnitudes smoothed alike; all averages start at a simple mean.
///
/// - Shape: one value a bar; none before bar `first + second − 1`. Range: −100 to 100; 0 without movement. Periods in bars,
///   at least 1 (default of the field: 25 and 13).
/// - Source: Blau, Technical Analysis of Stocks & Commodities 9 (1991); TA-Lib 0.8 `TA_TSI`.
#[derive(Clone, Debug)]
pub struct TrueStrength {
    moves: Ema,
    moves_again: Ema,
    sizes: Ema,
    sizes_again: Ema,
    previous: Vec<f64>,
    begun: Vec<u32>,
}

impl TrueStrength {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, first: usize, second: usize) -> Columns<TrueStrength, 1> {
        let (once, again) = (Ema::new(n_instruments, first, Seed::Sma), Ema::new(n_instruments, second, Seed::Sma));
        let study = TrueStrength {
            moves: once.clone(),
            moves_again: again.clone(),
            sizes: once,
            sizes_again: again,
            previous: vec![0.0; n_instruments],
            begun: vec![0; n_instruments],
        };
        Columns::of(study, n_instruments)
    }
}

impl Study<1> for TrueStrength {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let change = bar.close - std::mem::replace(&mut self.previous[i], bar.close);
        if std::mem::replace(&mut self.begun[i], 1) == 0 {
            return Err(Status::WarmUp);
        }
        let (moves, sizes) = (self.moves.step(i, change), self.sizes.step(i, change.abs()));
        let (moves, sizes) = (self.moves_again.step(i, moves?), self.sizes_again.step(i, sizes?));
        Ok([percent(moves?, sizes?)])
    }

    state!(moves, moves_again, sizes, sizes_again, previous, begun);
}

/// Mass index: sum over `n` bars of the exponential average over `fast` bars of the range `high − low`, divided by the
/// average of that average; both start at a simple mean.
///
/// - Shape: one value a bar; none before bar `2 (fast − 1) + n − 1`. Units: about `n`; a bar without any range counts as 1.
///   Periods in bars, at least 1 (default of the field: 9 and 25).
/// - Source: Dorsey, Technical Analysis of Stocks & Commodities 10 (1992); TA-Lib 0.8 `TA_MASSI`.
#[derive(Clone, Debug)]
pub struct MassIndex {
    once: Ema,
    twice: Ema,
    sum: Sum,
}

impl MassIndex {
    /// A kernel without data. Holds `n` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, fast: usize, n: usize) -> Columns<MassIndex, 1> {
        let ema = Ema::new(n_instruments, fast, Seed::Sma);
        Columns::of(
            MassIndex { once: ema.clone(), twice: ema, sum: Sum::new(n_instruments, period_of(n, 1)) },
            n_instruments,
        )
    }
}

impl Study<1> for MassIndex {
    const INPUTS: Inputs = Inputs::HIGH.and(Inputs::LOW);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let once = self.once.step(i, bar.high - bar.low)?;
        let twice = self.twice.step(i, once)?;
        Ok([self.sum.step(i, if twice > 0.0 { once / twice } else { 1.0 })?])
    }

    state!(once, twice, sum);
}

/// Rate of change over `n` bars: lines change (the difference) and percent.
///
/// - Shape: one value a bar; none before bar `n`. Units: those of the prices, and per cent; a change from a close of 0 is 0
///   per cent, as TA-Lib's ([`super::Momentum`] says that there is none). `n` in bars, at least 1.
/// - Source: TA-Lib 0.8 `TA_MOM`, `TA_ROC`.
#[derive(Clone, Debug)]
pub struct RateOfChange(Window);

impl RateOfChange {
    /// A kernel without data. Holds `n` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<RateOfChange, 2> {
        Columns::of(RateOfChange(Window::new(n_instruments, period_of(n, 1))), n_instruments)
    }
}

impl Study<2> for RateOfChange {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        let old = self.0.push(i, bar.close).ok_or(Status::WarmUp)?;
        Ok([bar.close - old, percent(bar.close - old, old)])
    }

    state!(0);
}

/// Detrended price oscillator: the close `n/2 + 1` bars ago less the mean of the last `n` closes. Nothing looks ahead: the
/// value of a bar, which tells of the cycle half a period ago, is known at that bar.
///
/// - Shape: one value a bar; none before bar `max(n − 1, n/2 + 1)`. Units: those of the prices; `n` in bars, at least 2.
/// - Source: Achelis, Technical Analysis from A to Z (1995); TA-Lib 0.8 `TA_DPO`.
#[derive(Clone, Debug)]
pub struct Dpo {
    past: Window,
    mean: Mean,
}

impl Dpo {
    /// A kernel without data. Holds `1.5 n` closes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Dpo, 1> {
        let n = period_of(n, 2);
        Columns::of(
            Dpo { past: Window::new(n_instruments, n / 2 + 1), mean: Mean::new(n_instruments, n) },
            n_instruments,
        )
    }
}

impl Study<1> for Dpo {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let past = self.past.push(i, bar.close);
        let mean = self.mean.step(i, bar.close)?;
        Ok([past.ok_or(Status::WarmUp)? - mean])
    }

    state!(past, mean);
}

/// Elder ray: lines bull (the high) and bear (the low), each less the exponential average of the last `n` closes.
///
/// - Shape: one value a bar; none before bar `n − 1`. Units: those of the prices; `n` in bars, at least 1 (default of the
///   field: 13).
/// - Source: Elder, Trading for a Living (1993), section 41; TA-Lib 0.8 `TA_ERI`.
#[derive(Clone, Debug)]
pub struct ElderRay(Ema);

impl ElderRay {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<ElderRay, 2> {
        Columns::of(ElderRay(Ema::new(n_instruments, n, Seed::Sma)), n_instruments)
    }
}

impl Study<2> for ElderRay {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        let middle = self.0.step(i, bar.close)?;
        Ok([bar.high - middle, bar.low - middle])
    }

    state!(0);
}

/// Intraday momentum index: the bodies of the rising bars of the last `n`, in per cent of all bodies.
///
/// - Shape: one value a bar; none before bar `n − 1`. Range: 0 to 100; 50 without a body. `n` in bars, at least 1.
/// - Source: Chande and Kroll, The New Technical Trader (1994); TA-Lib 0.8 `TA_IMI`.
#[derive(Clone, Debug)]
pub struct IntradayMomentum {
    up: Sum,
    down: Sum,
}

impl IntradayMomentum {
    /// A kernel without data. Holds `2 n` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<IntradayMomentum, 1> {
        let sum = Sum::new(n_instruments, period_of(n, 1));
        Columns::of(IntradayMomentum { up: sum.clone(), down: sum }, n_instruments)
    }
}

impl Study<1> for IntradayMomentum {
    const INPUTS: Inputs = Inputs::OPEN.and(Inputs::CLOSE);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let body = bar.close - bar.open;
        let (up, down) = if body > 0.0 { (body, 0.0) } else { (0.0, -body) };
        let (up, down) = (self.up.step(i, up), self.down.step(i, down));
        let (up, down) = (up?, down?);
        Ok([if up + down > 0.0 { percent(up, up + down) } else { 50.0 }])
    }

    state!(up, down);
}
