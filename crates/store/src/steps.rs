//! How often each step between rows of a series comes: the length of its bars is the most frequent one.

use std::collections::BTreeMap;

/// Steps and how often they came. A step back counts as one forward, since some files run backwards.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    counts: BTreeMap<i64, u64>,
    /// Nearly all steps are the same, so a run of them is one entry.
    run: (i64, u64),
}

/// Different steps that are counted; a series of bars has a few.
const MOST: usize = 1 << 16;

impl Steps {
    #[inline]
    pub(crate) fn add(&mut self, step: i64) {
        if step == self.run.0 {
            self.run.1 += 1;
            return;
        }
        self.settle();
        self.run = (step, 1);
    }

    fn settle(&mut self) {
        let step = self.run.0.saturating_abs();
        if self.run.1 > 0 && (self.counts.len() < MOST || self.counts.contains_key(&step)) {
            *self.counts.entry(step).or_default() += self.run.1;
        }
        self.run.1 = 0;
    }

    /// The most frequent step, the smaller of two. The smallest would be wrong in real files: one bar that was cut
    /// short by a download (62 s among 15 minutes in `samples/crypto/btcusd_15m_2021.csv`) would shorten all.
    pub(crate) fn usual(&mut self) -> Option<i64> {
        self.settle();
        let counted = self.counts.iter().filter(|(step, _)| **step > 0);
        counted.max_by_key(|(step, n)| (**n, std::cmp::Reverse(**step))).map(|(step, _)| *step)
    }
}

#[cfg(test)]
mod tests {
    use super::Steps;

    #[test]
    fn the_most_frequent_step() {
        let mut steps = Steps::default();
        assert_eq!(steps.usual(), None);
        [0, 60, -60, 60, 0, 5, 5, 120, 120].into_iter().for_each(|s| steps.add(s));
        assert_eq!(steps.usual(), Some(60));
        [120].into_iter().for_each(|s| steps.add(s));
        assert_eq!(steps.usual(), Some(60), "the smaller of two");
    }
}
