//! Combinatorial purged cross-validation: every choice of test folds, with the training rows that could know of them
//! left out.

use super::combinations::Combinations;
use std::ops::Range;

/// Most folds that rows may be cut into.
pub const MOST_FOLDS: usize = 60;

/// One way to train and to test. All ranges are of rows, ascending, not empty and apart from each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Rows to train on; neighbouring folds are one range. No range if purging leaves none.
    pub train: Vec<Range<usize>>,
    /// Rows to test on, one range a fold.
    pub test: Vec<Range<usize>>,
    /// For each range of `test` the path that it belongs to: each path goes once through all folds.
    pub path: Vec<usize>,
}

/// All splits of so many rows: an iterator in lexicographic order of the test folds.
pub struct PurgedSplits {
    rows: usize,
    folds: usize,
    test_folds: usize,
    purge: usize,
    embargo: usize,
    combinations: Combinations,
    /// How often each fold was tested.
    tested: Vec<usize>,
}

/// Folds that cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurgedError {
    /// Not 1 or more test folds and more folds than those, at most [`MOST_FOLDS`].
    Folds {
        /// Folds asked for.
        folds: usize,
        /// Folds to test on.
        test_folds: usize,
    },
    /// Purge and embargo leave fewer than two rows of a fold.
    FoldTooShort {
        /// Rows of a fold.
        fold: usize,
        /// Rows that purge and embargo take after a test fold.
        left_out: usize,
    },
}

impl std::fmt::Display for PurgedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folds { folds, test_folds } => write!(
                f,
                "{test_folds} test folds of {folds}: there must be 1 or more, fewer than all, and at most {MOST_FOLDS} folds"
            ),
            Self::FoldTooShort { fold, left_out } => {
                write!(f, "a fold has {fold} rows and purge and embargo take {left_out}: two must be left")
            }
        }
    }
}

impl std::error::Error for PurgedError {}

impl PurgedSplits {
    /// Cuts `rows` rows, oldest first, into `folds` folds of `⌊rows / folds⌋` (the last takes the rest) and tests on
    /// every choice of `test_folds` of them. `purge` training rows are left out on either side of a run of test folds
    /// (as many as a label looks ahead), and `embargo` more after it (as many as features look back).
    ///
    /// Equal to skfolio's `CombinatorialPurgedCV`, which asks for two test folds or more; one is purged k-fold. Source:
    /// López de Prado, Advances in Financial Machine Learning (2018), sections 7.4 and 12.4.
    ///
    /// # Errors
    /// [`PurgedError`].
    pub fn new(
        rows: usize,
        folds: usize,
        test_folds: usize,
        purge: usize,
        embargo: usize,
    ) -> Result<PurgedSplits, PurgedError> {
        if test_folds == 0 || test_folds >= folds || folds > MOST_FOLDS {
            return Err(PurgedError::Folds { folds, test_folds });
        }
        let (fold, left_out) = (rows / folds, purge.saturating_add(embargo));
        if left_out.saturating_add(2) > fold {
            return Err(PurgedError::FoldTooShort { fold, left_out });
        }
        let combinations = Combinations::new(folds, test_folds);
        Ok(PurgedSplits { rows, folds, test_folds, purge, embargo, combinations, tested: vec![0; folds] })
    }

    /// Number of splits, `C(folds, test_folds)`.
    #[must_use]
    pub fn n_splits(&self) -> u64 {
        Combinations::count(self.folds, self.test_folds)
    }

    /// Number of paths, `C(folds − 1, test_folds − 1)`: how often each fold is tested.
    #[must_use]
    pub fn n_paths(&self) -> u64 {
        Combinations::count(self.folds - 1, self.test_folds - 1)
    }

    fn rows_of(&self, fold: usize) -> Range<usize> {
        let length = self.rows / self.folds;
        let end = if fold + 1 == self.folds { self.rows } else { (fold + 1) * length };
        fold * length..end
    }
}

impl Iterator for PurgedSplits {
    type Item = Split;

    fn next(&mut self) -> Option<Split> {
        let chosen = self.combinations.next()?;
        let is_test = |fold: usize| chosen.contains(&fold);
        let mut train: Vec<Range<usize>> = Vec::new();
        for fold in (0..self.folds).filter(|f| !is_test(*f)) {
            let rows = self.rows_of(fold);
            let start = rows.start + if fold > 0 && is_test(fold - 1) { self.purge + self.embargo } else { 0 };
            let end = rows.end - if is_test(fold + 1) { self.purge } else { 0 };
            match train.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ if start < end => train.push(start..end),
                _ => {}
            }
        }
        let path = chosen
            .iter()
            .map(|fold| {
                let path = self.tested[*fold];
                self.tested[*fold] += 1;
                path
            })
            .collect();
        Some(Split { train, test: chosen.iter().map(|fold| self.rows_of(*fold)).collect(), path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(rows: usize, folds: usize, test_folds: usize, left_out: usize, expected: PurgedError) {
        assert_eq!(PurgedSplits::new(rows, folds, test_folds, left_out, 0).err(), Some(expected));
    }

    #[test]
    fn folds_that_cannot_be_cut() {
        for (folds, test_folds) in [(3, 0), (3, 3), (0, 0), (61, 2)] {
            check(500, folds, test_folds, 0, PurgedError::Folds { folds, test_folds });
        }
        check(9, 3, 2, 2, PurgedError::FoldTooShort { fold: 3, left_out: 2 });
        check(9, 3, 2, usize::MAX, PurgedError::FoldTooShort { fold: 3, left_out: usize::MAX });
        check(2, 3, 2, 0, PurgedError::FoldTooShort { fold: 0, left_out: 0 });
    }

    proptest! {
        #[test]
        fn training_keeps_its_distance(
            rows in 20_usize..90, folds in 2_usize..7, test in 1_usize..6, purge in 0_usize..4, embargo in 0_usize..4,
        ) {
            let Ok(splits) = PurgedSplits::new(rows, folds, test, purge, embargo) else { return Ok(()) };
            let (n_splits, n_paths) = (splits.n_splits(), splits.n_paths());
            let all: Vec<Split> = splits.collect();
            prop_assert_eq!(all.len() as u64, n_splits);
            let mut paths = vec![vec![0; rows]; n_paths as usize];
            for split in &all {
                for (range, path) in split.test.iter().zip(&split.path) {
                    range.clone().for_each(|row| paths[*path][row] += 1);
                }
                for row in 0..rows {
                    let in_train = split.train.iter().any(|r| r.contains(&row));
                    // What a training row must not be: in a test range, up to purge before one or up to purge and
                    // embargo after one.
                    let near = split.test.iter().any(|t| row + purge >= t.start && row < t.end + purge + embargo);
                    prop_assert_eq!(in_train, !near, "row {} of {:?}", row, split);
                }
                prop_assert!(split.train.windows(2).all(|w| w[0].end < w[1].start));
            }
            // Every path tests every row once.
            prop_assert!(paths.iter().flatten().all(|n| *n == 1));
        }
    }
}
