//! Many possible futures of an account: how often it reaches a target or ruin first, and how wide its fan is.

use crate::performance::{Bootstrap, BootstrapError, Random, Scheme, normal, quantile};

/// Paths whose levels are kept at most, times the periods at which they are kept.
const MOST_CELLS: usize = 1 << 26;

/// Where the returns of a period come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Returns<'a> {
    /// Measured ones, drawn in blocks so that what follows on each other stays together. `less` is taken from each: the
    /// error of the measured mean, say.
    Measured {
        /// Simple returns a period, oldest first.
        returns: &'a [f64],
        /// How they are drawn.
        scheme: Scheme,
        /// What is subtracted from every return.
        less: f64,
    },
    /// Independent log-normal ones: the logarithm of `1 + r` is normal.
    LogNormal {
        /// Mean of a simple return, above −1.
        mean: f64,
        /// Standard deviation of its logarithm, 0 or more.
        deviation: f64,
    },
}

/// An account and its two ends, as multiples of its start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Venture {
    /// Above 1.
    pub target: f64,
    /// Below 1, 0 or more; at or below it the account stops.
    pub ruin: f64,
    /// Periods until the deadline.
    pub periods: usize,
}

/// What became of the paths.
#[derive(Clone, Debug, PartialEq)]
pub struct Fan {
    /// Paths.
    pub paths: usize,
    /// Share that reached the target at the end of some period before ruin, 0 to 1.
    pub reached: f64,
    /// Share that was ruined before the target, 0 to 1.
    pub ruined: f64,
    /// Share that stood at ruin at any time, also after the target, 0 to 1.
    pub ruined_ever: f64,
    /// Share that ended below the start.
    pub below_start: f64,
    /// Periods at which the quantiles are: the first is 0, the last the deadline.
    pub periods: Vec<usize>,
    /// For each of [`QUANTILES`] the level at those periods, as a multiple of the start. An account stops at ruin; one that
    /// reached its target goes on.
    pub quantiles: Vec<Vec<f64>>,
}

/// The quantiles of a fan.
pub const QUANTILES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/// What no fan can be made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FanError {
    /// A target at or below 1, a ruin outside 0 to 1, no period, or numbers that are not finite.
    Venture,
    /// Log-normal numbers out of their range.
    Returns,
    /// No path, or more paths times periods of the fan than are kept.
    Paths {
        /// Paths asked for.
        paths: usize,
    },
    /// Returns that cannot be drawn.
    Bootstrap(BootstrapError),
}

impl std::fmt::Display for FanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Venture => write!(f, "the target must be above the start, ruin below it, and time left"),
            Self::Returns => write!(f, "the mean must be above -1 and the deviation not below 0"),
            Self::Paths { paths } => {
                write!(f, "{paths} paths: ask for one or more, and for fewer than would fill the memory")
            }
            Self::Bootstrap(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for FanError {}

/// Standard error of a share that was counted on so many paths: `√(p (1 − p) / paths)`.
#[must_use]
pub fn share_error(share: f64, paths: usize) -> f64 {
    (share * (1.0 - share) / paths.max(1) as f64).sqrt()
}

/// Simulates `paths` futures, each period by period; the same seed gives the same fan. `points` is the number of periods at
/// which the fan is kept besides its start.
///
/// Whether target or ruin is reached is looked at once a period, at its end. Measured returns that are shorter than the
/// deadline are drawn again and again, block by block.
///
/// # Errors
/// [`FanError`].
pub fn simulate(
    venture: Venture,
    returns: Returns<'_>,
    paths: usize,
    points: usize,
    seed: u64,
) -> Result<Fan, FanError> {
    let Venture { target, ruin, periods } = venture;
    if !(target.is_finite() && target > 1.0 && (0.0..1.0).contains(&ruin) && periods > 0) {
        return Err(FanError::Venture);
    }
    let points = points.clamp(1, periods);
    if paths == 0 || paths.saturating_mul(points) > MOST_CELLS {
        return Err(FanError::Paths { paths });
    }
    let at: Vec<usize> = (1..=points).map(|k| k * periods / points).collect();
    let mut levels = vec![Vec::with_capacity(paths); points];
    let (mut reached, mut ruined, mut ruined_ever, mut below) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut draw = Draw::new(returns, seed)?;
    for _ in 0..paths {
        draw.begin();
        let mut level = 1.0;
        let (mut has_target, mut has_ruin) = (false, false);
        let mut point = 0;
        for period in 1..=periods {
            if !has_ruin {
                level *= (1.0 + draw.next()?).max(0.0);
                has_ruin = level <= ruin;
                if has_ruin {
                    ruined_ever += 1;
                    ruined += usize::from(!has_target);
                } else if level >= target && !has_target {
                    has_target = true;
                    reached += 1;
                }
            }
            if at.get(point) == Some(&period) {
                levels[point].push(level);
                point += 1;
            }
        }
        below += usize::from(level < 1.0);
    }
    let share = |n: usize| n as f64 / paths as f64;
    let mut quantiles = vec![vec![1.0]; QUANTILES.len()];
    for column in &levels {
        for (line, p) in quantiles.iter_mut().zip(QUANTILES) {
            line.push(quantile(column, p).ok_or(FanError::Returns)?);
        }
    }
    Ok(Fan {
        paths,
        reached: share(reached),
        ruined: share(ruined),
        ruined_ever: share(ruined_ever),
        below_start: share(below),
        periods: std::iter::once(0).chain(at).collect(),
        quantiles,
    })
}

/// Returns one after the other.
struct Draw<'a> {
    returns: Returns<'a>,
    random: Random,
    rows: Vec<usize>,
    at: usize,
}

impl<'a> Draw<'a> {
    fn new(returns: Returns<'a>, seed: u64) -> Result<Draw<'a>, FanError> {
        let mut rows = Vec::new();
        match returns {
            Returns::Measured { returns, scheme, less } => {
                if returns.len() < 2 {
                    return Err(FanError::Bootstrap(BootstrapError::TooFewRows { rows: returns.len(), least: 2 }));
                }
                if let Some(row) = returns.iter().position(|r| !(r - less).is_finite()) {
                    return Err(FanError::Bootstrap(BootstrapError::NotFinite { row }));
                }
                // The plan is checked before the first path.
                let plan = Bootstrap { scheme, replications: 1, seed };
                plan.for_each(returns.len(), |_, _| Ok(())).map_err(FanError::Bootstrap)?;
                rows = vec![0; returns.len()];
            }
            Returns::LogNormal { mean, deviation } => {
                if !(mean.is_finite() && mean > -1.0 && deviation.is_finite() && deviation >= 0.0) {
                    return Err(FanError::Returns);
                }
            }
        }
        Ok(Draw { returns, random: Random::new(seed), at: rows.len(), rows })
    }

    /// A new path: its first rows are drawn anew.
    fn begin(&mut self) {
        self.at = self.rows.len();
    }

    fn next(&mut self) -> Result<f64, FanError> {
        match self.returns {
            Returns::Measured { returns, scheme, less } => {
                if self.at == self.rows.len() {
                    scheme.draw(&mut self.random, &mut self.rows).map_err(FanError::Bootstrap)?;
                    self.at = 0;
                }
                let row = self.rows[self.at];
                self.at += 1;
                Ok(returns[row] - less)
            }
            Returns::LogNormal { mean, deviation } => {
                // The middle of the 2⁵³ cells of the unit interval: never 0 and never 1.
                let u = self.random.uniform() + 0.5 / (1_u64 << 53) as f64;
                let drift = libm::log1p(mean) - 0.5 * deviation * deviation;
                Ok(libm::expm1(drift + deviation * normal::inverse(u)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ruin::{Brownian, STEP_SHIFT, gamblers_ruin};

    fn near(actual: f64, expected: f64, paths: usize) {
        let error = share_error(expected, paths);
        assert!((actual - expected).abs() <= 4.0 * error, "{actual} is not {expected} ± {error}");
    }

    /// Log-normal paths against the first passage of Brownian motion, the barriers moved by what looking once a period
    /// misses.
    #[test]
    fn simulation_meets_the_closed_form() {
        for (mean, deviation, target, ruin, periods) in
            [(0.0004, 0.01, 1.3, 0.8, 504_usize), (0.002, 0.03, 4.0, 0.5, 250), (-0.0005, 0.02, 1.5, 0.7, 300)]
        {
            let venture = Venture { target, ruin, periods };
            let fan = simulate(venture, Returns::LogNormal { mean, deviation }, 20_000, 12, 7);
            let fan = fan.unwrap_or_else(|e| panic!("{e}"));
            let b = Brownian { drift: libm::log1p(mean) - 0.5 * deviation * deviation, deviation };
            let shift = STEP_SHIFT * deviation;
            let (up, down, time) = (libm::log(target) + shift, shift - libm::log(ruin), periods as f64);
            near(fan.reached, b.rises_first(up, down, time).unwrap_or(f64::NAN), 20_000);
            near(fan.ruined, b.falls_first(up, down, time).unwrap_or(f64::NAN), 20_000);
            assert!(fan.ruined_ever >= fan.ruined);
            // Without barriers in the way the median is that of a log-normal.
            assert_eq!((fan.periods.first(), fan.periods.last()), (Some(&0), Some(&periods)));
        }
    }

    /// Bets of one unit on the logarithm, drawn from measured results, against Feller's formula.
    #[test]
    fn bootstrap_meets_gamblers_ruin() {
        // 11 wins to 9 losses; a win multiplies by 1.1, a loss divides by it; 5 steps to ruin or to the target.
        let results: Vec<f64> = (0..20).map(|k| if k < 11 { 0.1 } else { 1.0 / 1.1 - 1.0 }).collect();
        let venture = Venture { target: 1.1_f64.powi(5) - 1e-9, ruin: 1.1_f64.powi(-5) + 1e-9, periods: 2_000 };
        let returns = Returns::Measured { returns: &results, scheme: Scheme::Circular { length: 1 }, less: 0.0 };
        let fan = simulate(venture, returns, 10_000, 1, 3).unwrap_or_else(|e| panic!("{e}"));
        let ruin = gamblers_ruin(0.55, 5, Some(10)).unwrap_or(f64::NAN);
        near(fan.ruined, ruin, 10_000);
        near(fan.reached, 1.0 - ruin, 10_000);
    }

    #[test]
    fn a_fan_without_chance_is_a_line() {
        let venture = Venture { target: 2.0, ruin: 0.5, periods: 10 };
        let fan = simulate(venture, Returns::LogNormal { mean: 0.1, deviation: 0.0 }, 3, 5, 1);
        let fan = fan.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(fan.periods, [0, 2, 4, 6, 8, 10]);
        for line in &fan.quantiles {
            for (level, period) in line.iter().zip(&fan.periods) {
                assert!((level / 1.1_f64.powi(*period as i32) - 1.0).abs() < 1e-12);
            }
        }
        assert_eq!((fan.reached, fan.ruined, fan.below_start), (1.0, 0.0, 0.0));
        let lost = Returns::Measured { returns: &[-1.0, -1.0], scheme: Scheme::Circular { length: 1 }, less: 0.0 };
        let fan = simulate(venture, lost, 4, 2, 1).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((fan.reached, fan.ruined, fan.below_start), (0.0, 1.0, 1.0));
        assert_eq!(fan.quantiles[3], [1.0, 0.0, 0.0]);
    }

    #[test]
    fn the_seed_is_the_fan_and_errors_say_why() {
        let results = [0.02, -0.01, 0.005, -0.02, 0.015, 0.0, 0.01, -0.005];
        let venture = Venture { target: 1.5, ruin: 0.5, periods: 60 };
        let scheme = Scheme::Stationary { mean_length: 2.0 };
        let returns = Returns::Measured { returns: &results, scheme, less: 0.0 };
        let of = |seed| simulate(venture, returns, 200, 6, seed).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(of(5), of(5));
        assert_ne!(of(5).quantiles, of(6).quantiles);
        let lower = Returns::Measured { returns: &results, scheme, less: 0.01 };
        let lower = simulate(venture, lower, 200, 6, 5).unwrap_or_else(|e| panic!("{e}"));
        assert!(lower.quantiles[3].last() < of(5).quantiles[3].last());
        let bad = |v: Venture, r, n| simulate(v, r, n, 3, 1).err();
        assert_eq!(bad(Venture { target: 1.0, ..venture }, returns, 5), Some(FanError::Venture));
        assert_eq!(bad(Venture { ruin: 1.0, ..venture }, returns, 5), Some(FanError::Venture));
        assert_eq!(bad(venture, returns, 0), Some(FanError::Paths { paths: 0 }));
        assert_eq!(bad(venture, Returns::LogNormal { mean: -1.0, deviation: 0.1 }, 5), Some(FanError::Returns));
        let short = Returns::Measured { returns: &[0.1], scheme, less: 0.0 };
        let few = FanError::Bootstrap(BootstrapError::TooFewRows { rows: 1, least: 2 });
        assert_eq!(bad(venture, short, 5), Some(few));
    }
}
