//! Hurst exponent: whether returns go on in one direction or turn back.

use super::log_return::log_return;
use super::parts::{Window, state};
use super::{Bar, Columns, Inputs, Status, Study, period_of};

/// Hurst exponent of the last `n` log returns by rescaled range: lines corrected, plain.
///
/// The returns are cut into runs of `w = n, n/2, n/4, … ≥ 8`, the newest first, what is left over at the old end
/// unused. The rescaled range of a run is the range of the sums of its deviations from its mean, over its standard
/// deviation (divisor w); the plain exponent is the slope of the least-squares line through (ln w, ln of the mean rescaled
/// range). Short runs lift it above 0.5 even for noise; the corrected one is 0.5 plus the slope of ln of the mean rescaled
/// range over what noise is expected to have.
///
/// - Shape: one value a bar; none before bar `n`. A bar costs `n log₂ n` operations: the range has no running form.
/// - Range: mostly 0 to 1; above 0.5 returns persist, below they turn back. `n` counts returns, at least 16. Normal noise
///   gives 0.46 ± 0.11 (mean and deviation) at `n = 64` and 0.47 ± 0.08 at 128; the plain exponent 0.58 and 0.57.
/// - Edges: runs in which the price stood still (deviation below 1e-14) are left out; with fewer than two lengths left there
///   is no value. A price of 0 or below has no return; warm-up begins anew after it.
/// - Source: Hurst, Transactions ASCE 116 (1951) 770; expected range: Anis and Lloyd, Biometrika 63 (1976) 111, with the
///   factor (w − ½)/w of Peters, Fractal Market Analysis (1994), equation 5.6; nolds 0.6 `hurst_rs` (`unbiased=False`,
///   `fit="poly"`; beyond w = 340 it takes Stirling's form of the quotient of gamma functions, which here is exact).
#[derive(Clone, Debug)]
pub struct Hurst {
    returns: Window,
    previous: Vec<f64>,
    begun: Vec<u32>,
    lengths: Vec<Length>,
    run: Vec<f64>,
}

/// A length of runs.
#[derive(Clone, Debug)]
struct Length {
    bars: usize,
    log: f64,
    /// Logarithm of the rescaled range that noise is expected to have.
    expected: f64,
}

/// The shortest runs.
const LEAST: usize = 8;

impl Hurst {
    /// A kernel without data. Holds `n` returns an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Hurst, 2> {
        let period = period_of(n, 2 * LEAST as u32);
        let lengths = std::iter::successors(Some(period as usize), |w| Some(w / 2))
            .take_while(|w| *w >= LEAST)
            .map(|bars| Length { bars, log: libm::log(bars as f64), expected: libm::log(expected(bars)) });
        let study = Hurst {
            returns: Window::new(n_instruments, period),
            previous: vec![0.0; n_instruments],
            begun: vec![0; n_instruments],
            lengths: lengths.collect(),
            run: vec![0.0; period as usize],
        };
        Columns::of(study, n_instruments)
    }
}

impl Study<2> for Hurst {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        let previous = std::mem::replace(&mut self.previous[i], bar.close);
        let r = log_return(previous, bar.close);
        if std::mem::replace(&mut self.begun[i], 1) == 0 || !r.is_finite() {
            self.returns.clear(i);
            return Err(Status::WarmUp);
        }
        self.returns.push(i, r);
        if !self.returns.is_full(i) {
            return Err(Status::WarmUp);
        }
        for (back, r) in (0..).zip(self.run.iter_mut().rev()) {
            *r = self.returns.back(i, back);
        }
        let (mut plain, mut corrected) = (Line::default(), Line::default());
        for length in &self.lengths {
            if let Some(range) = mean_range(&self.run, length.bars) {
                let log = libm::log(range);
                plain.add(length.log, log);
                corrected.add(length.log, log - length.expected);
            }
        }
        Ok([0.5 + corrected.slope(), plain.slope()])
    }

    state!(returns, previous, begun);
}

/// Mean rescaled range of the runs of so many bars.
pub(crate) fn mean_range(returns: &[f64], bars: usize) -> Option<f64> {
    let (mut sum, mut runs) = (0.0, 0.0);
    for run in returns.rchunks_exact(bars) {
        let mean = run.iter().fold(0.0, |sum, r| sum + r) / bars as f64;
        let (mut total, mut least, mut most, mut squares) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
        for r in run {
            let d = r - mean;
            total += d;
            squares += d * d;
            least = if total < least { total } else { least };
            most = if total > most { total } else { most };
        }
        let deviation = (squares / bars as f64).sqrt();
        if deviation > 1e-14 {
            sum += (most - least) / deviation;
            runs += 1.0;
        }
    }
    (runs > 0.0).then(|| sum / runs)
}

/// Rescaled range that `n` returns of noise are expected to have.
pub(crate) fn expected(n: usize) -> f64 {
    let size = n as f64;
    // Γ((n − 1)/2) / (√π Γ(n/2)), from its value at 2 or 3 by steps of 2.
    let (first, start) = if n.is_multiple_of(2) { (1.0, 2) } else { (2.0 / std::f64::consts::PI, 3) };
    let quotient = (start..n).step_by(2).fold(first, |q, k| q * (k as f64 - 1.0) / k as f64);
    let sum = (1..n).fold(0.0, |sum, i| sum + ((size - i as f64) / i as f64).sqrt());
    (size - 0.5) / size * quotient * sum
}

/// Sums of a least-squares line.
#[derive(Default)]
struct Line {
    n: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
}

impl Line {
    fn add(&mut self, x: f64, y: f64) {
        self.n += 1.0;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.xy += x * y;
    }

    /// Not finite with fewer than two points.
    fn slope(&self) -> f64 {
        if self.n < 2.0 {
            f64::NAN
        } else {
            (self.n * self.xy - self.x * self.y) / (self.n * self.xx - self.x * self.x)
        }
    }
}
