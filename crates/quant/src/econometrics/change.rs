//! Where the level of a series changes: all changes of a history, or the next one as it comes.

use super::{EconometricsError, finite};

/// The changes of the mean of `x` that cost least: the sum of squares about the mean of each piece, plus `penalty` for
/// each change. Gives the first row of every piece but the first, in order.
///
/// - Range: `penalty` 0 or more in squared units of `x`; `2 σ² ln n` is the Bayesian criterion for noise of variance σ².
///   Pieces have `least` rows or more, 1 or more.
/// - Errors: `TooFew` for fewer rows than one piece, `NotFinite`, `OutOfRange`.
/// - The exact optimum; most rows are pruned, so time grows with `n` where changes are many, with `n²` where there are
///   none. Equal to ruptures' `Pelt(model="l2", jump=1)`, which prunes pieces of more than one row before they may end, and
///   can miss the optimum there.
/// - Source: Killick, Fearnhead and Eckley, JASA 107 (2012) 1590.
pub fn level_changes(x: &[f64], penalty: f64, least: usize) -> Result<Vec<usize>, EconometricsError> {
    const WHAT: &str = "series with changes of level";
    finite(WHAT, x)?;
    if least == 0 {
        return Err(EconometricsError::OutOfRange {
            what: "rows of a piece",
            got: 0.0,
            least: 1.0,
            most: x.len() as f64,
        });
    }
    if !(penalty >= 0.0 && penalty.is_finite()) {
        return Err(EconometricsError::OutOfRange {
            what: "penalty of a change",
            got: penalty,
            least: 0.0,
            most: f64::MAX,
        });
    }
    let n = x.len();
    if n < least {
        return Err(EconometricsError::TooFew { what: WHAT, got: n, need: least });
    }
    // Sums of deviations from the mean: about a far level they would cancel.
    let mean = super::dense::mean(x);
    let mut sums = Vec::with_capacity(n + 1);
    sums.push((0.0, 0.0));
    let (mut sum, mut squares) = (0.0, 0.0);
    for v in x {
        sum += v - mean;
        squares += (v - mean) * (v - mean);
        sums.push((sum, squares));
    }
    let cost = |from: usize, to: usize| {
        let (s, q) = (sums[to].0 - sums[from].0, sums[to].1 - sums[from].1);
        q - s * s / (to - from) as f64
    };
    // Least cost of the first rows, without the penalty of the piece that begins the series, and where its last piece begins.
    let mut best = vec![f64::INFINITY; n + 1];
    let mut begins = vec![0_usize; n + 1];
    best[0] = -penalty;
    let mut candidates: Vec<(usize, f64)> = Vec::new();
    // Pruned at an end, a start is still needed until pieces from that end on may close.
    let mut leaving = vec![usize::MAX; n + 1];
    for end in least..=n {
        candidates.push((end - least, 0.0));
        for (from, total) in &mut candidates {
            *total = best[*from] + cost(*from, end) + penalty;
            if *total < best[end] {
                best[end] = *total;
                begins[end] = *from;
            }
        }
        for (from, total) in &candidates {
            if leaving[*from] == usize::MAX && *total > best[end] + penalty {
                leaving[*from] = end + least;
            }
        }
        candidates.retain(|(from, _)| leaving[*from] > end + 1);
    }
    let mut changes = Vec::new();
    let mut end = begins[n];
    while end > 0 {
        changes.push(end);
        end = begins[end];
    }
    changes.reverse();
    Ok(changes)
}

/// Page's cumulative sums: an alarm when a series has left its target for long enough, up or down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cusum {
    target: f64,
    slack: f64,
    limit: f64,
    /// Excess over target and slack so far, 0 or more.
    pub above: f64,
    /// Shortfall below target less slack so far, 0 or more.
    pub below: f64,
}

/// An alarm of [`Cusum`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// The level has risen.
    Up,
    /// The level has fallen.
    Down,
}

impl Cusum {
    /// Sums that forgive `slack` a row (half the shift to be found) and alarm above `limit` (four to five standard deviations
    /// give a false alarm every 170 to 470 rows at a slack of half a deviation).
    ///
    /// Errors: `NotFinite` for the target; `OutOfRange` for a slack below 0 or a limit not above 0.
    pub fn new(target: f64, slack: f64, limit: f64) -> Result<Cusum, EconometricsError> {
        finite("target of cumulative sums", &[target])?;
        if !(slack >= 0.0 && slack.is_finite()) {
            return Err(EconometricsError::OutOfRange {
                what: "slack of cumulative sums",
                got: slack,
                least: 0.0,
                most: f64::MAX,
            });
        }
        if !(limit > 0.0 && limit.is_finite()) {
            return Err(EconometricsError::OutOfRange {
                what: "limit of cumulative sums",
                got: limit,
                least: 0.0,
                most: f64::MAX,
            });
        }
        Ok(Cusum { target, slack, limit, above: 0.0, below: 0.0 })
    }

    /// Takes a value; an alarm resets both sums. Errors, without a change: `NotFinite`. Source: Page, Biometrika 41 (1954)
    /// 100; NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.3.
    pub fn update(&mut self, x: f64) -> Result<Option<Shift>, EconometricsError> {
        finite("value of cumulative sums", &[x])?;
        self.above = (self.above + (x - self.target) - self.slack).max(0.0);
        self.below = (self.below - (x - self.target) - self.slack).max(0.0);
        let shift = if self.above > self.limit {
            Some(Shift::Up)
        } else if self.below > self.limit {
            Some(Shift::Down)
        } else {
            None
        };
        if shift.is_some() {
            (self.above, self.below) = (0.0, 0.0);
        }
        Ok(shift)
    }
}
