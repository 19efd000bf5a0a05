//! Hedge: weights over experts that learn from what each of them gained.

/// One update of the weights of experts. An awake expert's weight is multiplied by `exp(rate · gain)` and the awake ones
/// are brought back to their sum; sleeping ones (`None`) keep theirs. Then every weight is mixed with the equal one,
/// `(1 − floor) · w + floor / n`, so that no expert is ever lost: one that was wrong for years may be right tomorrow.
///
/// - Shape: a gain for each weight. Units: gains on [−1, 1] (clamped; one that is no number counts as 0), `rate` above 0
///   (0.1 to 0.5 is usual: √(8 ln n / T) is the best for T rounds), `floor` 0 to 1. Weights are above 0 and sum to 1.
/// - Sources: Freund and Schapire, J. Computer and System Sciences 55 (1997) 119, figure 1 (with losses −gain);
///   Freund, Schapire, Singer and Warmuth, STOC (1997) 334, sleeping experts; Herbster and Warmuth, Machine Learning 32
///   (1998) 151, the share that keeps every expert alive.
pub fn hedge(weights: &mut [f64], gains: &[Option<f64>], rate: f64, floor: f64) {
    assert_eq!(weights.len(), gains.len(), "one gain a weight");
    let awake = |w: &[f64]| w.iter().zip(gains).filter(|(_, g)| g.is_some()).fold(0.0, |sum, (w, _)| sum + w);
    let before = awake(weights);
    for (w, gain) in weights.iter_mut().zip(gains) {
        if let Some(g) = gain.filter(|g| g.is_finite()) {
            *w *= libm::exp(rate * g.clamp(-1.0, 1.0));
        }
    }
    let after = awake(weights);
    let n = weights.len() as f64;
    for (w, gain) in weights.iter_mut().zip(gains) {
        if gain.is_some() && after > 0.0 {
            *w *= before / after;
        }
        *w = (1.0 - floor) * *w + floor / n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hand_worked_update() {
        // Equal weights, gains 1 and 0, rate ln 2: 2/3 and 1/3; a floor of 0.3 mixes in 0.15 each.
        let rate = std::f64::consts::LN_2;
        let mut w = [0.5, 0.5];
        hedge(&mut w, &[Some(1.0), Some(0.0)], rate, 0.0);
        assert!((w[0] - 2.0 / 3.0).abs() < 1e-15 && (w[1] - 1.0 / 3.0).abs() < 1e-15);
        let mut w = [0.5, 0.5];
        hedge(&mut w, &[Some(1.0), Some(0.0)], rate, 0.3);
        assert!((w[0] - (0.7 * 2.0 / 3.0 + 0.15)).abs() < 1e-15);
        // Asleep: untouched by what the others did.
        let mut w = [0.25, 0.25, 0.5];
        hedge(&mut w, &[Some(1.0), Some(0.0), None], rate, 0.0);
        assert!((w[0] - 1.0 / 3.0).abs() < 1e-15 && (w[1] - 1.0 / 6.0).abs() < 1e-15 && w[2] == 0.5);
    }

    proptest! {
        #[test]
        fn weights_stay_weights(
            raw in prop::collection::vec(0.01_f64..1.0, 1..8),
            gains in prop::collection::vec(prop::option::of(any::<f64>()), 8),
            floor in 0.0_f64..1.0,
        ) {
            let sum: f64 = raw.iter().sum();
            let mut w: Vec<f64> = raw.iter().map(|w| w / sum).collect();
            let n = w.len() as f64;
            hedge(&mut w, &gains[..raw.len()], 0.25, floor);
            prop_assert!((w.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            prop_assert!(w.iter().all(|w| *w >= floor / n - 1e-15));
        }

        /// Freund and Schapire's bound: with the rate √(8 ln n / T), the gain of the weighted mean is at most
        /// √(T ln n / 2) (for gains within 1 of each other) below that of the best expert.
        #[test]
        fn regret_is_bounded(gains in prop::collection::vec(prop::collection::vec(0.0_f64..1.0, 4), 50..200)) {
            let (t, n) = (gains.len() as f64, 4.0_f64);
            let rate = (8.0 * n.ln() / t).sqrt();
            let mut w = [0.25; 4];
            let mut mine = 0.0;
            for row in &gains {
                mine += w.iter().zip(row).map(|(w, g)| w * g).sum::<f64>();
                let row: Vec<_> = row.iter().map(|g| Some(*g)).collect();
                hedge(&mut w, &row, rate, 0.0);
            }
            let best = (0..4).map(|a| gains.iter().map(|g| g[a]).sum::<f64>()).fold(f64::MIN, f64::max);
            prop_assert!(best - mine <= (t * n.ln() / 2.0).sqrt() + 1e-9);
        }
    }
}
