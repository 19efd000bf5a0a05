//! Directional movement: whether ranges extend upwards or downwards, and how much of a trend that makes.

use super::atr::true_range;
use super::parts::{Window, state};
use super::{Bar, Bars, Columns, Ema, Inputs, Status, Study, TrueRange, percent, period_of};
use tradegraph_columns::wide;

/// Wilder's directional indicators over `n` bars and their index: lines plus, minus, dx.
///
/// Of a bar whose high rises by more than its low falls the rise counts as movement up, and the other way round. Sums of
/// both and of the true range start over the first `n − 1` moves and go on with `s += x − s / n`; plus and minus are 100
/// times their quotients with the range, `dx = 100 |plus − minus| / (plus + minus)`, which is that of the sums.
///
/// - Shape: one value a bar; none before bar `n`.
/// - Range: 0 to 100; plus and minus are 0 without any range, and dx keeps its last value (0 at first) where both are.
///   `n` in bars, at least 2.
/// - Source: Wilder, New Concepts in Technical Trading Systems (1978), section IV; TA-Lib 0.8 `TA_PLUS_DI`, `TA_MINUS_DI`,
///   `TA_DX`.
#[derive(Clone, Debug)]
pub struct Directional {
    period: u32,
    range: TrueRange,
    high: Vec<f64>,
    low: Vec<f64>,
    up: Vec<f64>,
    down: Vec<f64>,
    sum: Vec<f64>,
    dx: Vec<f64>,
    /// Moves so far, at most `period`.
    seen: Vec<u32>,
}

impl Directional {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Directional, 3> {
        Columns::of(Directional::new(n_instruments, n), n_instruments)
    }

    fn new(n_instruments: usize, n: usize) -> Directional {
        let zeros = || vec![0.0; n_instruments];
        Directional {
            period: period_of(n, 2),
            range: TrueRange::new(n_instruments),
            high: zeros(),
            low: zeros(),
            up: zeros(),
            down: zeros(),
            sum: zeros(),
            dx: zeros(),
            seen: vec![0; n_instruments],
        }
    }

    fn weight(&self) -> f64 {
        1.0 / f64::from(self.period)
    }

    /// Bars of instruments that are all past warm-up.
    fn rows(&mut self, bars: &Bars<'_>) {
        let weight = self.weight();
        let (high, low, close) = (&mut self.high[..], &mut self.low[..], self.range.previous());
        let (up, down, sum) = (&mut self.up[..], &mut self.down[..], &mut self.sum[..]);
        move_row(weight, bars.high, bars.low, bars.close, high, low, close, up, down, sum, &mut self.dx);
    }
}

impl super::parts::Part for Directional {
    state!(period, range, high, low, up, down, sum, dx, seen);
}

impl Study<3> for Directional {
    const INPUTS: Inputs = Inputs::RANGE;

    #[inline(always)]
    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 3], Status> {
        let (high, low) = (self.high[i], self.low[i]);
        (self.high[i], self.low[i]) = (bar.high, bar.low);
        let range = self.range.range(i, bar)?;
        self.seen[i] = self.period.min(self.seen[i] + 1);
        let (up, down) = up_and_down(bar.high - high, low - bar.low);
        let ready = self.seen[i] == self.period;
        let weight = if ready { self.weight() } else { 0.0 };
        for (sum, x) in [(&mut self.up[i], up), (&mut self.down[i], down), (&mut self.sum[i], range)] {
            *sum += x - *sum * weight;
        }
        if !ready {
            return Err(Status::WarmUp);
        }
        let (up, down, sum) = (self.up[i], self.down[i], self.sum[i]);
        self.dx[i] = index(up, down, sum, self.dx[i]);
        Ok([percent(up, sum), percent(down, sum), self.dx[i]])
    }

    fn row(&mut self, bars: &Bars<'_>, [plus, minus, dx]: &mut [&mut [f64]; 3]) -> bool {
        if self.seen.iter().any(|seen| *seen < self.period) {
            return false;
        }
        self.rows(bars);
        dx.copy_from_slice(&self.dx);
        for (i, (plus, minus)) in plus.iter_mut().zip(minus.iter_mut()).enumerate() {
            (*plus, *minus) = (percent(self.up[i], self.sum[i]), percent(self.down[i], self.sum[i]));
        }
        true
    }

    state!(period, range, high, low, up, down, sum, dx, seen);
}

/// Average directional index: Wilder's average over `n` bars of dx of [`Directional`], and its mean with its own value
/// `n − 1` bars before (the rating): lines adx, adxr.
///
/// - Shape: one value a bar; none before bar `3 n − 2`, since both lines begin together (adx alone would at `2 n − 1`: see
///   [`Adx`]).
/// - Range: 0 to 100; `n` in bars, at least 2.
/// - Source: Wilder, New Concepts in Technical Trading Systems (1978), section IV; TA-Lib 0.8 `TA_ADXR`.
#[derive(Clone, Debug)]
pub struct Adxr {
    adx: Adx,
    lag: Window,
}

impl Adxr {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Adxr, 2> {
        let lag = Window::new(n_instruments, period_of(n, 2) - 1);
        Columns::of(Adxr { adx: Adx::new(n_instruments, n), lag }, n_instruments)
    }
}

impl Study<2> for Adxr {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        let [adx] = Study::step(&mut self.adx, i, bar)?;
        let before = self.lag.push(i, adx).ok_or(Status::WarmUp)?;
        Ok([adx, (adx + before) / 2.0])
    }

    state!(adx, lag);
}

/// Wilder's average over `n` bars of dx of [`Directional`]: how strong a trend is, whatever its direction.
///
/// - Shape: one value a bar; none before bar `2 n − 1`.
/// - Range: 0 to 100; `n` in bars, at least 2.
/// - Source: Wilder, New Concepts in Technical Trading Systems (1978), section IV; TA-Lib 0.8 `TA_ADX`.
#[derive(Clone, Debug)]
pub struct Adx {
    movement: Directional,
    average: Ema,
}

impl Adx {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Adx, 1> {
        Columns::of(Adx::new(n_instruments, n), n_instruments)
    }

    fn new(n_instruments: usize, n: usize) -> Adx {
        Adx { movement: Directional::new(n_instruments, n), average: Ema::wilder(n_instruments, n.max(2)) }
    }
}

impl super::parts::Part for Adx {
    state!(movement, average);
}

impl Study<1> for Adx {
    const INPUTS: Inputs = Inputs::RANGE;

    #[inline(always)]
    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let [.., dx] = Study::step(&mut self.movement, i, bar)?;
        Ok([self.average.step(i, dx)?])
    }

    fn row(&mut self, bars: &Bars<'_>, [line]: &mut [&mut [f64]; 1]) -> bool {
        if !self.average.is_warm() {
            return false;
        }
        self.movement.rows(bars);
        line.copy_from_slice(&self.movement.dx);
        self.average.row(line)
    }

    state!(movement, average);
}

wide! {
    /// One bar of every instrument, past warm-up; its prices become the ones before.
    fn move_row<'a>(
        weight: f64,
        high: &'a [f64],
        low: &'a [f64],
        close: &'a [f64],
        high_before: &'a mut [f64],
        low_before: &'a mut [f64],
        close_before: &'a mut [f64],
        up: &'a mut [f64],
        down: &'a mut [f64],
        sum: &'a mut [f64],
        dx: &'a mut [f64],
    ) {
        let before = high_before.iter_mut().zip(low_before).zip(close_before);
        let sums = up.iter_mut().zip(down).zip(sum).zip(dx);
        let bars = high.iter().zip(low).zip(close);
        for ((((high, low), close), ((hb, lb), cb)), (((up, down), sum), dx)) in bars.zip(before).zip(sums) {
            let (rise, fall) = up_and_down(*high - *hb, *lb - *low);
            let range = true_range(*high, *low, *cb);
            (*hb, *lb, *cb) = (*high, *low, *close);
            *up += rise - *up * weight;
            *down += fall - *down * weight;
            *sum += range - *sum * weight;
            *dx = index(*up, *down, *sum, *dx);
        }
    }
}

/// Movement up and down of a bar: the larger of rise and fall, if it is above 0.
#[inline(always)]
fn up_and_down(rise: f64, fall: f64) -> (f64, f64) {
    let up = if rise > 0.0 && rise > fall { rise } else { 0.0 };
    let down = if fall > 0.0 && fall > rise { fall } else { 0.0 };
    (up, down)
}

/// dx of the sums: the quotients with the range have the range in common.
#[inline(always)]
fn index(up: f64, down: f64, range: f64, before: f64) -> f64 {
    let both = up + down;
    let index = 100.0 * ((up - down).abs() / both);
    if range > 0.0 && both > 0.0 { index } else { before }
}
