//! Choosing `k` of `n`, in lexicographic order.

/// The combinations of `k` of `0..n`, each ascending.
pub(super) struct Combinations {
    n: usize,
    next: Option<Vec<usize>>,
}

impl Combinations {
    pub(super) fn new(n: usize, k: usize) -> Self {
        Combinations { n, next: if k <= n { Some((0..k).collect()) } else { None } }
    }

    /// How many there are; exact up to `n = 60`.
    pub(super) fn count(n: usize, k: usize) -> u64 {
        // Each step is a binomial coefficient itself, so the division leaves no remainder.
        (0..k as u64).fold(1, |c, i| c * (n as u64 - i) / (i + 1))
    }
}

impl Iterator for Combinations {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        let current = self.next.take()?;
        let k = current.len();
        // The last place that can still move up.
        if let Some(place) = (0..k).rev().find(|i| current[*i] < self.n - k + i) {
            let mut following = current.clone();
            let value = following[place] + 1;
            following[place..].iter_mut().enumerate().for_each(|(i, c)| *c = value + i);
            self.next = Some(following);
        }
        Some(current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(n: usize, k: usize, expected: &[&[usize]]) {
        let all: Vec<Vec<usize>> = Combinations::new(n, k).collect();
        assert_eq!(all, expected, "{k} of {n}");
        assert_eq!(Combinations::count(n, k), expected.len() as u64);
    }

    #[test]
    fn table() {
        check(4, 2, &[&[0, 1], &[0, 2], &[0, 3], &[1, 2], &[1, 3], &[2, 3]]);
        check(3, 3, &[&[0, 1, 2]]);
        check(3, 1, &[&[0], &[1], &[2]]);
        check(2, 0, &[&[]]);
        assert_eq!(Combinations::count(16, 8), 12_870);
        assert_eq!(Combinations::count(60, 30), 118_264_581_564_861_424);
        assert_eq!(Combinations::new(12, 6).count() as u64, Combinations::count(12, 6));
    }
}
