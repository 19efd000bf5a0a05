//! Kaufman's adaptive moving average: quick in a trend, slow in noise. With it the efficiency ratio that steers it.

use super::parts::{Sum, Window, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of};

/// Net movement over `n` bars as a share of all movement from close to close.
///
/// - Shape: one value a bar; none before bar `n`.
/// - Range: 0 to 1; 1 without any movement, as TA-Lib's. `n` in bars, at least 1.
/// - Source: Kaufman, Smarter Trading (1995); TA-Lib 0.8 `TA_ER`.
#[derive(Clone, Debug)]
pub struct EfficiencyRatio(Path);

impl EfficiencyRatio {
    /// A kernel without data. Holds `2 n` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<EfficiencyRatio, 1> {
        Columns::of(EfficiencyRatio(Path::new(n_instruments, period_of(n, 1))), n_instruments)
    }
}

impl Study<1> for EfficiencyRatio {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let (net, all) = self.0.step(i, bar.close)?;
        Ok([share(net, all)])
    }

    state!(0);
}

/// `k += s² (x − k)` of the close, where `s = e (2/3 − 2/31) + 2/31` and e is the efficiency ratio over `n` bars; it starts
/// at the close of bar `n − 1`.
///
/// - Shape: one value a bar; none before bar `n`.
/// - Units: those of the prices; `n` in bars, at least 2. Without any movement e counts as 1, as TA-Lib's.
/// - Source: Kaufman, Smarter Trading (1995); TA-Lib 0.8 `TA_KAMA`.
#[derive(Clone, Debug)]
pub struct Kama {
    path: Path,
    value: Vec<f64>,
    begun: Vec<u32>,
}

impl Kama {
    /// A kernel without data. Holds `2 n` values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Kama, 1> {
        let path = Path::new(n_instruments, period_of(n, 2));
        Columns::of(Kama { path, value: vec![0.0; n_instruments], begun: vec![0; n_instruments] }, n_instruments)
    }
}

impl Study<1> for Kama {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let previous = self.path.previous[i];
        let (net, all) = self.path.step(i, bar.close)?;
        if self.begun[i] == 0 {
            (self.begun[i], self.value[i]) = (1, previous);
        }
        let s = share(net, all) * (2.0 / 3.0 - 2.0 / 31.0) + 2.0 / 31.0;
        self.value[i] += s * s * (bar.close - self.value[i]);
        Ok([self.value[i]])
    }

    state!(path, value, begun);
}

/// Net movement and the sum of all movements over the last `n` bars.
#[derive(Clone, Debug)]
struct Path {
    closes: Window,
    moves: Sum,
    previous: Vec<f64>,
    begun: Vec<u32>,
}

impl super::parts::Part for Path {
    state!(closes, moves, previous, begun);
}

impl Path {
    fn new(n_instruments: usize, period: u32) -> Path {
        Path {
            closes: Window::new(n_instruments, period),
            moves: Sum::new(n_instruments, period),
            previous: vec![0.0; n_instruments],
            begun: vec![0; n_instruments],
        }
    }

    fn step(&mut self, i: usize, x: f64) -> Result<(f64, f64), Status> {
        let previous = std::mem::replace(&mut self.previous[i], x);
        let old = self.closes.push(i, x);
        if std::mem::replace(&mut self.begun[i], 1) == 0 {
            return Err(Status::WarmUp);
        }
        let all = self.moves.step(i, (x - previous).abs());
        let old = old.ok_or(Status::WarmUp)?;
        Ok(((x - old).abs(), all?))
    }
}

/// At most 1, which it is without any movement: rounding may leave the sum of the movements just below the net one.
#[inline]
fn share(net: f64, all: f64) -> f64 {
    if net < all { net / all } else { 1.0 }
}
