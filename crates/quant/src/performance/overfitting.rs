//! Probability of backtest overfitting: how often the trial that is best in one half of history is below the median in
//! the other half, over all ways to choose the halves.

use super::benchmark::Line;
use super::combinations::Combinations;
use super::sum_of;

/// Most blocks that the rows may be cut into: 184,756 ways to choose the halves.
pub const MOST_BLOCKS: usize = 20;

/// What combinatorially symmetric cross-validation found. The vectors have one cell a split, in lexicographic order of
/// the blocks that are in sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Overfitting {
    /// Probability of backtest overfitting, 0 to 1: the share of logits at or below 0. Picking blindly has one half.
    pub probability: f64,
    /// Probability of loss, 0 to 1: the share of splits whose selected trial has a ratio below 0 out of sample.
    pub probability_of_loss: f64,
    /// Performance degradation: slope of the line of `out_of_sample` on `in_sample`; below 0 says that what looks better
    /// turns out worse. `None` if all splits select at one ratio.
    pub slope: Option<f64>,
    /// Intercept of that line; `None` with the slope.
    pub intercept: Option<f64>,
    /// Trial selected: the best in sample, of equal ones the first.
    pub selected: Vec<usize>,
    /// Its Sharpe ratio a bar in sample.
    pub in_sample: Vec<f64>,
    /// Its Sharpe ratio a bar out of sample.
    pub out_of_sample: Vec<f64>,
    /// `ln(ω / (1 − ω))` of its relative rank out of sample `ω = rank / (trials + 1)`; rank 1 is the worst, equal ratios
    /// share their mean rank.
    pub logits: Vec<f64>,
    /// Oldest rows left out so that all blocks have one length.
    pub rows_left_out: usize,
}

/// Trials whose overfitting cannot be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverfittingError {
    /// Fewer than two trials.
    TooFewTrials {
        /// Trials given.
        trials: usize,
    },
    /// An odd number of blocks, or one outside 2 to [`MOST_BLOCKS`].
    Blocks {
        /// Blocks asked for.
        blocks: usize,
    },
    /// Not two rows in every half.
    TooFewRows {
        /// Rows given.
        rows: usize,
        /// Rows needed.
        least: usize,
    },
    /// A trial with another number of rows than the first.
    Shape {
        /// Its index.
        trial: usize,
        /// Its rows.
        rows: usize,
        /// Rows of the first.
        expected: usize,
    },
    /// A return that is NaN or infinite.
    NotFinite {
        /// Index of the trial.
        trial: usize,
        /// Its row.
        row: usize,
    },
    /// A trial with one constant return other than 0 in a half of the rows: its ratio is infinite.
    NoVariance {
        /// Index of the trial.
        trial: usize,
    },
}

impl std::fmt::Display for OverfittingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooFewTrials { trials } => write!(f, "{trials} trials: two or more can be ranked"),
            Self::Blocks { blocks } => {
                write!(f, "{blocks} blocks: the number must be even and from 2 to {MOST_BLOCKS}")
            }
            Self::TooFewRows { rows, least } => write!(f, "{rows} rows, but {least} are needed"),
            Self::Shape { trial, rows, expected } => write!(f, "trial {trial} has {rows} rows, trial 0 has {expected}"),
            Self::NotFinite { trial, row } => write!(f, "row {row} of trial {trial} is not a finite number"),
            Self::NoVariance { trial } => {
                write!(f, "trial {trial} has one constant return in a half of the rows: leave it out")
            }
        }
    }
}

impl std::error::Error for OverfittingError {}

/// Combinatorially symmetric cross-validation of `trials`, one slice of returns a bar each, all of the same bars: the
/// rows are cut into `blocks` equal blocks (an even number; 16 is usual), and every half of them is once in sample and
/// once out of sample. Performance is the Sharpe ratio of a bar (divisor `n − 1`); a trial that earned exactly 0 on
/// every bar of a half has ratio 0 there.
///
/// The trials must be all that were looked at: leaving out the bad ones hides the overfitting. Cost: one pass over the
/// returns, then `trials · blocks` a split. Source: Bailey, Borwein, López de Prado and Zhu, Journal of Computational
/// Finance 20 (2017) 39, section 2.3.
///
/// # Errors
/// [`OverfittingError`].
pub fn backtest_overfitting(trials: &[&[f64]], blocks: usize) -> Result<Overfitting, OverfittingError> {
    let rows = checked_rows(trials, blocks)?;
    let length = rows / blocks;
    let rows_left_out = rows % blocks;
    let trials: Vec<Vec<Block>> = trials.iter().map(|t| blocks_of(&t[rows_left_out..], length)).collect();
    let n_splits = Combinations::count(blocks, blocks / 2) as usize;
    let mut found = Overfitting {
        probability: 0.0,
        probability_of_loss: 0.0,
        slope: None,
        intercept: None,
        selected: Vec::with_capacity(n_splits),
        in_sample: Vec::with_capacity(n_splits),
        out_of_sample: Vec::with_capacity(n_splits),
        logits: Vec::with_capacity(n_splits),
        rows_left_out,
    };
    let mut ratios = [Vec::with_capacity(trials.len()), Vec::with_capacity(trials.len())];
    let mut half = Vec::with_capacity(blocks / 2);
    for chosen in Combinations::new(blocks, blocks / 2) {
        let inside: Vec<bool> = (0..blocks).map(|b| chosen.contains(&b)).collect();
        for (side, ratios) in [true, false].into_iter().zip(&mut ratios) {
            ratios.clear();
            for (trial, all) in trials.iter().enumerate() {
                half.clear();
                half.extend(all.iter().zip(&inside).filter(|(_, i)| **i == side).map(|(b, _)| *b));
                ratios.push(ratio(&half, length as f64).ok_or(OverfittingError::NoVariance { trial })?);
            }
        }
        let [before, after] = &ratios;
        let mut best = 0;
        for (trial, ratio) in before.iter().enumerate() {
            if *ratio > before[best] {
                best = trial;
            }
        }
        let below = after.iter().filter(|r| **r < after[best]).count() as f64;
        let equal = after.iter().filter(|r| **r == after[best]).count() as f64;
        let rank = below + (equal + 1.0) / 2.0;
        found.selected.push(best);
        found.in_sample.push(before[best]);
        found.out_of_sample.push(after[best]);
        found.logits.push(libm::log(rank / (trials.len() as f64 + 1.0 - rank)));
    }
    let share = |n: usize| n as f64 / n_splits as f64;
    found.probability = share(found.logits.iter().filter(|l| **l <= 0.0).count());
    found.probability_of_loss = share(found.out_of_sample.iter().filter(|r| **r < 0.0).count());
    let line = Line::through(&found.in_sample, &found.out_of_sample);
    (found.slope, found.intercept) = (line.as_ref().map(|l| l.slope), line.as_ref().map(|l| l.intercept));
    Ok(found)
}

fn checked_rows(trials: &[&[f64]], blocks: usize) -> Result<usize, OverfittingError> {
    let [first, _, ..] = trials else {
        return Err(OverfittingError::TooFewTrials { trials: trials.len() });
    };
    if !blocks.is_multiple_of(2) || !(2..=MOST_BLOCKS).contains(&blocks) {
        return Err(OverfittingError::Blocks { blocks });
    }
    // Two rows in a half of one block, one row a block otherwise.
    let (rows, least) = (first.len(), blocks.max(4));
    if rows < least {
        return Err(OverfittingError::TooFewRows { rows, least });
    }
    for (trial, returns) in trials.iter().enumerate() {
        if returns.len() != rows {
            return Err(OverfittingError::Shape { trial, rows: returns.len(), expected: rows });
        }
        if let Some(row) = returns.iter().position(|r| !r.is_finite()) {
            return Err(OverfittingError::NotFinite { trial, row });
        }
    }
    Ok(rows)
}

/// Of one block alone, so that trials with equal returns in it have equal bits and share their rank.
#[derive(Clone, Copy)]
struct Block {
    mean: f64,
    /// Sum of squares about `mean`.
    squares: f64,
    /// All returns are 0.
    flat: bool,
}

fn blocks_of(returns: &[f64], length: usize) -> Vec<Block> {
    let block = |rows: &[f64]| {
        let mean = sum_of(rows.iter().copied()) / length as f64;
        let squares = sum_of(rows.iter().map(|r| (r - mean) * (r - mean)));
        Block { mean, squares, flat: rows.iter().all(|r| *r == 0.0) }
    };
    returns.chunks_exact(length).map(block).collect()
}

/// Sharpe ratio of the rows of several blocks of `length`. `None` for a constant other than 0. Source of the sums: Chan,
/// Golub and LeVeque, American Statistician 37 (1983) 242.
fn ratio(half: &[Block], length: f64) -> Option<f64> {
    if half.iter().all(|b| b.flat) {
        return Some(0.0);
    }
    let blocks = half.len() as f64;
    let mean = half.iter().map(|b| b.mean).sum::<f64>() / blocks;
    let squares = half.iter().map(|b| b.squares + length * (b.mean - mean) * (b.mean - mean)).sum::<f64>();
    let rows = blocks * length;
    // Equal returns leave deviations of the size of the rounding of their mean.
    let rounding = 8.0 * f64::EPSILON * mean;
    if squares <= rows * rounding * rounding { None } else { Some(mean / (squares / (rows - 1.0)).sqrt()) }
}

#[cfg(test)]
mod tests {
    use super::super::random::Random;
    use super::*;
    use proptest::prelude::*;

    fn check(trials: &[Vec<f64>], blocks: usize, expected: OverfittingError) {
        let trials: Vec<&[f64]> = trials.iter().map(Vec::as_slice).collect();
        assert_eq!(backtest_overfitting(&trials, blocks).unwrap_err(), expected);
    }

    fn noise(trials: usize, rows: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut random = Random::new(seed);
        (0..trials).map(|_| (0..rows).map(|_| random.uniform() - 0.5).collect()).collect()
    }

    fn measure(trials: &[Vec<f64>], blocks: usize) -> Overfitting {
        let trials: Vec<&[f64]> = trials.iter().map(Vec::as_slice).collect();
        backtest_overfitting(&trials, blocks).unwrap()
    }

    #[test]
    fn what_cannot_be_measured() {
        let good = noise(3, 24, 1);
        check(&good[..1], 4, OverfittingError::TooFewTrials { trials: 1 });
        for blocks in [0, 3, 22] {
            check(&good, blocks, OverfittingError::Blocks { blocks });
        }
        check(&noise(3, 3, 1), 2, OverfittingError::TooFewRows { rows: 3, least: 4 });
        check(&noise(3, 7, 1), 8, OverfittingError::TooFewRows { rows: 7, least: 8 });
        let with = |trial: Vec<f64>| vec![good[0].clone(), trial];
        check(&with(vec![0.1; 23]), 4, OverfittingError::Shape { trial: 1, rows: 23, expected: 24 });
        check(&with(vec![f64::NAN; 24]), 4, OverfittingError::NotFinite { trial: 1, row: 0 });
        check(&with(vec![0.1; 24]), 4, OverfittingError::NoVariance { trial: 1 });
        let steps = (0..24).map(|i| if i < 12 { 0.1 } else { 0.3 }).collect();
        check(&with(steps), 4, OverfittingError::NoVariance { trial: 1 });
    }

    #[test]
    fn skill_is_found_and_luck_is_not() {
        // One trial earns 0.3 standard deviations a bar: it wins everywhere.
        let mut skilled = noise(20, 800, 2);
        skilled[7].iter_mut().for_each(|r| *r += 0.3 / 12.0_f64.sqrt());
        let found = measure(&skilled, 10);
        assert_eq!((found.probability, found.probability_of_loss), (0.0, 0.0));
        assert!(found.selected.iter().all(|s| *s == 7));
        // Trials without any mean: what is best in one half is worst in the other.
        let mut empty = noise(20, 800, 3);
        for trial in &mut empty {
            let mean = trial.iter().sum::<f64>() / 800.0;
            trial.iter_mut().for_each(|r| *r -= mean);
        }
        let found = measure(&empty, 10);
        assert_eq!((found.probability, found.probability_of_loss), (1.0, 1.0));
        assert!((found.slope.unwrap() + 1.0).abs() < 0.1, "{:?}", found.slope);
    }

    #[test]
    fn a_trial_that_never_traded_earns_nothing() {
        let found = measure(&[vec![0.0; 24], noise(1, 24, 4).remove(0)], 4);
        assert!(found.in_sample.iter().all(|r| *r >= 0.0));
    }

    #[test]
    fn trials_that_agree_in_a_half_share_their_rank() {
        // The second differs from the first only in the last block, so wherever that one is out of sample they are equal
        // in sample and the first is selected; where it is in sample they share the rank out of sample.
        let mut matrix = noise(2, 40, 5);
        matrix[1] = matrix[0].clone();
        matrix[1][30..].iter_mut().for_each(|r| *r *= 1.5);
        let found = measure(&matrix, 4);
        for (split, chosen) in Combinations::new(4, 2).enumerate() {
            if chosen.contains(&3) {
                assert_eq!(found.logits[split], 0.0);
            } else {
                assert_eq!(found.selected[split], 0);
            }
        }
    }

    proptest! {
        #[test]
        fn order_and_size_of_trials_do_not_matter(seed in any::<u64>(), trials in 2_usize..8, power in -8_i32..8) {
            let mut matrix = noise(trials, 61, seed);
            let found = measure(&matrix, 6);
            prop_assert_eq!(found.rows_left_out, 1);
            prop_assert_eq!(found.logits.len(), 20);
            prop_assert!((0.0..=1.0).contains(&found.probability));
            matrix.iter_mut().flatten().for_each(|r| *r *= 2.0_f64.powi(power));
            prop_assert_eq!(&measure(&matrix, 6), &found);
            matrix.reverse();
            let reversed = measure(&matrix, 6);
            prop_assert_eq!(&reversed.logits, &found.logits);
            prop_assert!(reversed.selected.iter().zip(&found.selected).all(|(a, b)| a + b == trials - 1));
        }
    }
}
