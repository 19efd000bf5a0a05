//! Bootstraps that keep the order of time within blocks, and the length that the blocks should have.

use super::random::Random;
use super::{finite, moments::Moments};
use tradegraph_columns::sum8;

/// How rows are drawn. One bar a block (`Circular { length: 1 }`) is the bootstrap of independent rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scheme {
    /// Blocks of geometric length, end joined to start. Source: Politis and Romano, Journal of the American Statistical
    /// Association 89 (1994) 1303.
    Stationary {
        /// Mean length of a block in rows, 1 or more.
        mean_length: f64,
    },
    /// Blocks of one length, end joined to start. Source: Politis and Romano in Exploring the Limits of Bootstrap
    /// (1992) 263.
    Circular {
        /// Rows of a block, 1 to the number of rows.
        length: usize,
    },
    /// Blocks of one length that do not pass the end: the first and the last rows come up less often. Source: Künsch,
    /// Annals of Statistics 17 (1989) 1217.
    Moving {
        /// Rows of a block, 1 to the number of rows.
        length: usize,
    },
}

/// A bootstrap as it is to be repeated: the same plan gives the same numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// How rows are drawn.
    pub scheme: Scheme,
    /// Samples drawn, 1 or more. The standard error of a p-value is `√(p (1 − p) / replications)`.
    pub replications: usize,
    /// Seed of [`Random`].
    pub seed: u64,
}

/// What a bootstrap cannot be done with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BootstrapError {
    /// Fewer rows than the method needs.
    TooFewRows {
        /// Rows given.
        rows: usize,
        /// Rows needed.
        least: usize,
    },
    /// No sample was asked for.
    NoReplications,
    /// A block outside 1 to the number of rows, or a mean length below 1 or not finite.
    BlockLength {
        /// Length asked for.
        length: f64,
        /// Rows given.
        rows: usize,
    },
    /// A confidence level outside 0 to 1, both excluded.
    Level {
        /// Level asked for.
        level: f64,
    },
    /// Nothing to compare.
    NoTrials,
    /// A trial with another number of rows than the benchmark.
    Shape {
        /// Its index.
        trial: usize,
        /// Its rows.
        rows: usize,
        /// Rows of the benchmark.
        expected: usize,
    },
    /// A value that is NaN or infinite.
    NotFinite {
        /// Its row.
        row: usize,
    },
    /// A trial that differs from the benchmark by a constant.
    NoVariance {
        /// Its index.
        trial: usize,
    },
    /// The statistic has no value on the data themselves, or on a sample.
    Undefined {
        /// Index of the first such sample; `None` for the data, or for a sample with one row left out.
        replication: Option<usize>,
    },
    /// All samples are on one side of the estimate, so its bias cannot be told.
    OneSided {
        /// Share of the samples below the estimate: 0 or 1.
        share_below: f64,
    },
}

impl std::fmt::Display for BootstrapError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::TooFewRows { rows, least } => write!(f, "{rows} rows, but {least} are needed"),
            Self::NoReplications => write!(f, "no samples to draw: ask for at least one"),
            Self::BlockLength { length, rows } => {
                write!(f, "blocks of {length} rows: with {rows} rows the length must be from 1 to {rows}")
            }
            Self::Level { level } => write!(f, "a confidence level of {level}: it must be between 0 and 1"),
            Self::NoTrials => write!(f, "no trial to compare with the benchmark"),
            Self::Shape { trial, rows, expected } => {
                write!(f, "trial {trial} has {rows} rows, the benchmark {expected}")
            }
            Self::NotFinite { row } => write!(f, "row {row} is not a finite number"),
            Self::NoVariance { trial } => {
                write!(f, "trial {trial} differs from the benchmark by a constant: leave it out")
            }
            Self::Undefined { replication: Some(i) } => write!(f, "the statistic has no value on sample {i}"),
            Self::Undefined { replication: None } => write!(f, "the statistic has no value on the data"),
            Self::OneSided { share_below } => {
                write!(f, "a share of {share_below} of the samples is below the estimate: the bias cannot be told")
            }
        }
    }
}

impl std::error::Error for BootstrapError {}

impl Scheme {
    /// Rows of one sample into `out`, as many as there are rows in the data; each is below `out.len()`.
    ///
    /// From the same random numbers they are those of arch's `StationaryBootstrap`, `CircularBlockBootstrap` and
    /// `MovingBlockBootstrap`.
    ///
    /// # Errors
    /// [`BootstrapError::BlockLength`]; also for no rows.
    pub fn draw(&self, random: &mut Random, out: &mut [usize]) -> Result<(), BootstrapError> {
        let n = out.len();
        self.check(n)?;
        match *self {
            Scheme::Stationary { mean_length } => {
                let stop = 1.0 / mean_length;
                let mut row = random.below(n);
                for (i, cell) in out.iter_mut().enumerate() {
                    if i > 0 {
                        row = if random.uniform() > stop { (row + 1) % n } else { random.below(n) };
                    }
                    *cell = row;
                }
            }
            Scheme::Circular { length } => {
                for block in out.chunks_mut(length) {
                    let start = random.below(n);
                    block.iter_mut().enumerate().for_each(|(i, cell)| *cell = (start + i) % n);
                }
            }
            Scheme::Moving { length } => {
                for block in out.chunks_mut(length) {
                    let start = random.below(n - length + 1);
                    block.iter_mut().enumerate().for_each(|(i, cell)| *cell = start + i);
                }
            }
        }
        Ok(())
    }

    /// Mean length of a block.
    pub(super) fn mean_length(&self) -> f64 {
        match *self {
            Scheme::Stationary { mean_length } => mean_length,
            Scheme::Circular { length } | Scheme::Moving { length } => length as f64,
        }
    }

    fn check(&self, rows: usize) -> Result<(), BootstrapError> {
        let length = self.mean_length();
        let most = if matches!(self, Scheme::Stationary { .. }) { f64::MAX } else { rows as f64 };
        if rows == 0 || !(1.0..=most).contains(&length) {
            return Err(BootstrapError::BlockLength { length, rows });
        }
        Ok(())
    }
}

impl Bootstrap {
    /// Calls `sample` with the rows of each sample of data with `rows` rows, and its index, in order.
    ///
    /// # Errors
    /// [`BootstrapError::NoReplications`], those of [`Scheme::draw`] and those of `sample`.
    pub fn for_each(
        &self,
        rows: usize,
        mut sample: impl FnMut(usize, &[usize]) -> Result<(), BootstrapError>,
    ) -> Result<(), BootstrapError> {
        if self.replications == 0 {
            return Err(BootstrapError::NoReplications);
        }
        let mut random = Random::new(self.seed);
        let mut chosen = vec![0; rows];
        for replication in 0..self.replications {
            self.scheme.draw(&mut random, &mut chosen)?;
            sample(replication, &chosen)?;
        }
        Ok(())
    }
}

/// Block lengths that make the variance of a bootstrapped mean most accurate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockLengths {
    /// Mean length for [`Scheme::Stationary`].
    pub stationary: f64,
    /// Length for [`Scheme::Circular`].
    pub circular: f64,
}

/// Optimal block lengths of a series, in rows and not rounded; below 1 where rows hardly depend on each other (take 1
/// then). At most `⌈min(3 √n, n / 3)⌉`.
///
/// `None` for fewer than 12 values, zero variance, or a value that is not finite. Sources: Politis and White, Econometric
/// Reviews 23 (2004) 53, corrected by Patton, Politis and White, Econometric Reviews 28 (2009) 372. Equal to arch's
/// `optimal_block_length`, whose autocorrelations are scaled by the sums of squares that one further lag leaves.
#[must_use]
pub fn optimal_block_length(x: &[f64]) -> Option<BlockLengths> {
    let m = Moments::of(x)?;
    if x.len() < 12 || m.variance == 0.0 {
        return None;
    }
    let n = x.len() as f64;
    let x: Vec<f64> = x.iter().map(|v| v - m.mean).collect();
    let product = |a: &[f64], b: &[f64]| sum8(&a.iter().zip(b).map(|(a, b)| a * b).collect::<Vec<_>>());
    let run = 5.max(libm::log10(n) as usize);
    let most_lags = n.sqrt().ceil() as usize + run;
    let band = 2.0 * (libm::log10(n) / n).sqrt();
    let (mut covariances, mut correlations) = (Vec::new(), Vec::new());
    for lag in 0..=most_lags {
        let cross = product(&x[lag..], &x);
        let (late, early) = (&x[lag + 1..], &x[..x.len() - lag - 1]);
        covariances.push(cross / n);
        correlations.push(cross.abs() / (product(late, late) * product(early, early)).sqrt());
    }
    // The first lag from which on `run` correlations are insignificant.
    let quiet = correlations[..most_lags].windows(run).position(|w| w.iter().all(|r| *r < band));
    let lags = quiet.map_or(most_lags, |lag| (2 * lag.max(1)).min(most_lags));
    let (mut slope, mut variance) = (0.0, covariances[0]);
    for (k, covariance) in covariances.iter().enumerate().take(lags + 1).skip(1) {
        // Flat-top kernel.
        let share = k as f64 / lags as f64;
        let weight = if share <= 0.5 { 1.0 } else { 2.0 * (1.0 - share) };
        slope += 2.0 * weight * k as f64 * covariance;
        variance += 2.0 * weight * covariance;
    }
    let most = (3.0 * n.sqrt()).min(n / 3.0).ceil();
    let length = |scale: f64| {
        let bias = 2.0 * slope * slope / (scale * variance * variance);
        finite(libm::cbrt(bias) * libm::cbrt(n)).map(|b| b.min(most))
    };
    Some(BlockLengths { stationary: length(2.0)?, circular: length(4.0 / 3.0)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(scheme: Scheme, rows: usize, expected: Result<(), f64>) {
        let mut out = vec![0; rows];
        let expected = expected.map_err(|length| BootstrapError::BlockLength { length, rows });
        assert_eq!(scheme.draw(&mut Random::new(1), &mut out), expected, "{scheme:?} of {rows}");
    }

    #[test]
    fn block_lengths_are_checked() {
        check(Scheme::Stationary { mean_length: 1.0 }, 3, Ok(()));
        check(Scheme::Stationary { mean_length: 50.0 }, 3, Ok(()));
        check(Scheme::Stationary { mean_length: 0.5 }, 3, Err(0.5));
        check(Scheme::Stationary { mean_length: f64::INFINITY }, 3, Err(f64::INFINITY));
        check(Scheme::Circular { length: 3 }, 3, Ok(()));
        check(Scheme::Circular { length: 4 }, 3, Err(4.0));
        check(Scheme::Moving { length: 0 }, 3, Err(0.0));
        check(Scheme::Moving { length: 1 }, 0, Err(1.0));
        let nan = Scheme::Stationary { mean_length: f64::NAN };
        assert!(nan.draw(&mut Random::new(1), &mut [0; 3]).is_err());
    }

    #[test]
    fn stationary_blocks_have_their_mean_length() {
        let mut out = vec![0; 100_000];
        Scheme::Stationary { mean_length: 8.0 }.draw(&mut Random::new(3), &mut out).unwrap();
        let breaks = out.windows(2).filter(|w| w[1] != (w[0] + 1) % 100_000).count() as f64;
        // Binomial with p = 1/8: standard deviation 105.
        assert!((breaks - 12_500.0).abs() < 420.0, "{breaks}");
    }

    #[test]
    fn no_block_length_without_variance_or_data() {
        for x in [vec![], vec![1.0; 50], (0..11).map(f64::from).collect(), vec![f64::NAN; 50]] {
            assert_eq!(optimal_block_length(&x), None, "{x:?}");
        }
    }

    proptest! {
        #[test]
        fn rows_are_in_range_and_blocks_run_on(rows in 1_usize..60, length in 1_usize..60, seed in any::<u64>()) {
            let length = length.min(rows);
            let mut out = vec![usize::MAX; rows];
            for scheme in [Scheme::Circular { length }, Scheme::Moving { length }] {
                scheme.draw(&mut Random::new(seed), &mut out).unwrap();
                prop_assert!(out.iter().all(|r| *r < rows));
                for block in out.chunks(length) {
                    prop_assert!(block.windows(2).all(|w| w[1] == (w[0] + 1) % rows));
                    let wraps = block.windows(2).any(|w| w[1] < w[0]);
                    prop_assert!(!wraps || scheme == (Scheme::Circular { length }), "{:?}", scheme);
                }
            }
            Scheme::Stationary { mean_length: length as f64 }.draw(&mut Random::new(seed), &mut out).unwrap();
            prop_assert!(out.iter().all(|r| *r < rows));
        }

        #[test]
        fn block_length_does_not_depend_on_the_unit(
            x in prop::collection::vec(-1.0..1.0_f64, 30..80), power in -20_i32..20,
        ) {
            let scaled: Vec<f64> = x.iter().map(|v| v * 2.0_f64.powi(power)).collect();
            prop_assert_eq!(optimal_block_length(&scaled), optimal_block_length(&x));
        }
    }
}
