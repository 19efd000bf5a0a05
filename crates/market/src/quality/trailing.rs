//! Statistics of the last so many values, for checks that may not look ahead.

use std::collections::VecDeque;

/// The last `window` values with their median and median absolute deviation.
pub(super) struct Robust {
    window: usize,
    order: VecDeque<f64>,
    sorted: Vec<f64>,
}

/// A median absolute deviation of a normal distribution times this is its standard deviation.
const NORMAL: f64 = 1.482_602_218_505_602;

impl Robust {
    pub(super) fn new(window: usize) -> Robust {
        Robust { window, order: VecDeque::with_capacity(window), sorted: Vec::with_capacity(window) }
    }

    pub(super) fn len(&self) -> usize {
        self.sorted.len()
    }

    pub(super) fn push(&mut self, x: f64) {
        if self.order.len() == self.window
            && let Some(old) = self.order.pop_front()
        {
            let at = self.sorted.partition_point(|v| v.total_cmp(&old).is_lt());
            self.sorted.remove(at);
        }
        self.order.push_back(x);
        let at = self.sorted.partition_point(|v| v.total_cmp(&x).is_lt());
        self.sorted.insert(at, x);
    }

    pub(super) fn median(&self) -> f64 {
        middle(self.sorted.len(), |at| self.sorted.get(at).copied().unwrap_or_default())
    }

    /// The value below which the share `q` of the values lies.
    pub(super) fn quantile(&self, q: f64) -> f64 {
        self.sorted.get((q * self.sorted.len() as f64) as usize).copied().unwrap_or_default()
    }

    /// Distance of `x` from the median in robust standard deviations; `floor` is the least deviation that is believed.
    pub(super) fn z(&self, x: f64, floor: f64) -> f64 {
        let median = self.median();
        // Two sorted halves: distances grow to both sides of the median.
        let (mut left, mut right) = (self.sorted.len() / 2, self.sorted.len() / 2);
        let n = self.sorted.len();
        let mut distances = [0.0_f64; 2];
        for taken in 0..=n / 2 {
            let below = left.checked_sub(1).and_then(|at| self.sorted.get(at)).map(|v| median - v);
            let above = self.sorted.get(right).map(|v| v - median);
            let next = match (below, above) {
                (Some(b), Some(a)) if b < a => {
                    left -= 1;
                    b
                }
                (_, Some(a)) => {
                    right += 1;
                    a
                }
                (Some(b), None) => {
                    left -= 1;
                    b
                }
                (None, None) => break,
            };
            distances[taken % 2] = next;
        }
        let deviation = if n.is_multiple_of(2) { (distances[0] + distances[1]) / 2.0 } else { distances[(n / 2) % 2] };
        (x - median).abs() / (deviation * NORMAL).max(floor)
    }
}

/// The median of `n` sorted values.
fn middle(n: usize, value: impl Fn(usize) -> f64) -> f64 {
    match n {
        0 => 0.0,
        n if n % 2 == 1 => value(n / 2),
        n => (value(n / 2 - 1) + value(n / 2)) / 2.0,
    }
}

/// The median of values that are all finite.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    middle(values.len(), |at| values.get(at).copied().unwrap_or_default())
}

/// The last `window` values with their standard deviation (divided by n).
pub(super) struct Deviation {
    window: usize,
    values: VecDeque<f64>,
    sum: f64,
    squares: f64,
}

impl Deviation {
    pub(super) fn new(window: usize) -> Deviation {
        Deviation { window, values: VecDeque::with_capacity(window), sum: 0.0, squares: 0.0 }
    }

    pub(super) fn push(&mut self, x: f64) {
        if self.values.len() == self.window
            && let Some(old) = self.values.pop_front()
        {
            self.sum -= old;
            self.squares -= old * old;
        }
        self.values.push_back(x);
        self.sum += x;
        self.squares += x * x;
    }

    pub(super) fn is_full(&self) -> bool {
        self.values.len() == self.window
    }

    pub(super) fn value(&self) -> f64 {
        let n = self.values.len().max(1) as f64;
        let mean = self.sum / n;
        (self.squares / n - mean * mean).max(0.0).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_robust_z_is_that_of_the_sorted_window(
            values in prop::collection::vec(-5.0_f64..5.0, 1..40), x in -9.0_f64..9.0, window in 1_usize..12,
        ) {
            let mut robust = Robust::new(window);
            let mut deviation = Deviation::new(window);
            for v in &values {
                robust.push(*v);
                deviation.push(*v);
            }
            let last = &values[values.len().saturating_sub(window)..];
            let m = median(last.to_vec());
            let mad = median(last.iter().map(|v| (v - m).abs()).collect());
            let expected = (x - m).abs() / (mad * NORMAL).max(1e-3);
            prop_assert!((robust.z(x, 1e-3) - expected).abs() <= 1e-9 * expected.max(1.0));
            let mean = last.iter().sum::<f64>() / last.len() as f64;
            let variance = last.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / last.len() as f64;
            prop_assert!((deviation.value() - variance.sqrt()).abs() < 1e-6);
        }
    }
}
