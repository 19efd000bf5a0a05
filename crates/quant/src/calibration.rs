//! How much a forecaster's word is worth, from how often and how well it was right so far.

/// Hit rate that a forecaster with this record probably has: the posterior mean under a Beta prior centred on one half
/// that weighs as much as `prior` forecasts. Without a record it is 0.5.
///
/// - Range: `prior` above 0. Source: Gelman et al., Bayesian Data Analysis, 3rd ed. (2013), section 2.4.
#[must_use]
pub fn shrunk_hit_rate(hits: u64, misses: u64, prior: f64) -> f64 {
    (hits as f64 + 0.5 * prior) / (hits as f64 + misses as f64 + prior)
}

/// Information coefficient that a forecaster probably has, from the mean `ic` of `n` observations: shrunk toward zero as if
/// `prior` observations of zero had come first.
#[must_use]
pub fn shrunk_ic(ic: f64, n: f64, prior: f64) -> f64 {
    ic * n / (n + prior)
}

/// Hit rate above one half, and information coefficient, that count as good: 55 % and 0.05. A good equity signal has about
/// that (Grinold and Kahn, Active Portfolio Management, 2nd ed. (1999), chapter 10).
pub const GOOD: f64 = 0.05;

/// Least and most that a record makes of a forecaster's word.
pub const RELIABILITY: (f64, f64) = (0.25, 1.5);

/// What a forecaster's confidence is multiplied by: `1 + ((hit rate − ½) / 0.05 + IC / 0.05) / 4`, on [0.25, 1.5]. One whose
/// record says nothing counts in full; a good one for half as much again; one that is wrong ever less, but never nothing
/// and never the opposite: a record that bad is more likely to be luck than a signal.
#[must_use]
pub fn reliability(hit_rate: f64, ic: f64) -> f64 {
    let (least, most) = RELIABILITY;
    let value = 1.0 + ((hit_rate - 0.5) / GOOD + ic / GOOD) / 4.0;
    if value.is_finite() { value.clamp(least, most) } else { 1.0 }
}

/// Pearson's correlation from the sums of `n` pairs; `None` for fewer than two pairs or without variance.
#[must_use]
pub fn correlation_of_sums(n: f64, x: f64, y: f64, xx: f64, yy: f64, xy: f64) -> Option<f64> {
    let (vx, vy) = (n * xx - x * x, n * yy - y * y);
    // Differences of nearly equal sums leave noise of their last bits.
    if n < 2.0 || vx <= 1e-12 * n * xx || vy <= 1e-12 * n * yy {
        return None;
    }
    Some(((n * xy - x * y) / (vx * vy).sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_records() {
        assert!((shrunk_hit_rate(0, 0, 200.0) - 0.5).abs() < 1e-15);
        // 60 of 100 with a prior of 100 at one half: 110 of 200.
        assert!((shrunk_hit_rate(60, 40, 100.0) - 0.55).abs() < 1e-15);
        assert!((shrunk_ic(0.10, 50.0, 50.0) - 0.05).abs() < 1e-15);
        assert!((reliability(0.5, 0.0) - 1.0).abs() < 1e-15);
        assert!((reliability(0.55, 0.05) - 1.5).abs() < 1e-15);
        assert!((reliability(0.475, -0.025) - 0.75).abs() < 1e-15);
        assert!((reliability(0.0, -1.0) - 0.25).abs() < 1e-15);
        assert!((reliability(f64::NAN, 0.0) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn correlation_is_the_textbook_one() {
        // scipy.stats.pearsonr([1, 2, 3, 4], [1, 3, 2, 5]).statistic
        let (x, y) = ([1.0_f64, 2.0, 3.0, 4.0], [1.0_f64, 3.0, 2.0, 5.0]);
        let sum = |f: fn(f64, f64) -> f64| x.iter().zip(&y).map(|(x, y)| f(*x, *y)).sum::<f64>();
        let of = |y_scale: f64| {
            let sums = [sum(|x, _| x), sum(|_, y| y), sum(|x, _| x * x), sum(|_, y| y * y), sum(|x, y| x * y)];
            correlation_of_sums(
                4.0,
                sums[0],
                y_scale * sums[1],
                sums[2],
                y_scale * y_scale * sums[3],
                y_scale * sums[4],
            )
        };
        assert!((of(1.0).unwrap() - 0.8315218406202999).abs() < 1e-14);
        assert_eq!(of(0.0), None);
        assert_eq!(correlation_of_sums(1.0, 1.0, 1.0, 1.0, 1.0, 1.0), None);
    }
}
