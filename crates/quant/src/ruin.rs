//! Probabilities of ruin and of reaching a goal that have closed forms.
//!
//! The two barriers of a path are distances above 0 from its start: down to ruin, up to the goal. For an account they are
//! distances of its logarithm: `−ln(1 − loss)` and `ln(target / start)`.

use crate::performance::normal;

/// Images that are summed; the sum ends long before.
const MOST_IMAGES: u32 = 10_000;

/// Shift of a barrier, in standard deviations of a step, that makes a path looked at once a step behave like a continuous
/// one: `−ζ(1/2) / √(2π)`. Source: Broadie, Glasserman and Kou, Mathematical Finance 7 (1997) 325, theorem 1.1.
pub const STEP_SHIFT: f64 = 0.582_597_157_939_010_8;

/// Gambler's ruin: probability to lose all of `start` units in bets of one unit won with probability `win`, before `goal`
/// units are held; without a goal, ever.
///
/// `((q/p)^goal − (q/p)^start) / ((q/p)^goal − 1)`; for a fair bet `1 − start / goal`; without a goal `min(1, (q/p)^start)`.
/// `None` unless `win` is in `[0, 1]` and the goal is `start` or more. Source: Feller, An Introduction to Probability
/// Theory 1 (1968), XIV.2, eq. 2.4 to 2.8.
#[must_use]
pub fn gamblers_ruin(win: f64, start: u32, goal: Option<u32>) -> Option<f64> {
    if !(0.0..=1.0).contains(&win) || goal.is_some_and(|g| g < start) {
        return None;
    }
    if start == 0 {
        return Some(1.0);
    }
    if goal == Some(start) || win >= 1.0 {
        return Some(0.0);
    }
    if win <= 0.0 {
        return Some(1.0);
    }
    let odds = libm::log((1.0 - win) / win);
    let start = f64::from(start);
    Some(match goal.map(f64::from) {
        None => libm::exp((odds * start).min(0.0)),
        Some(goal) if odds == 0.0 => 1.0 - start / goal,
        // In the form whose powers are below 1.
        Some(goal) if odds > 0.0 => libm::expm1((start - goal) * odds) / libm::expm1(-goal * odds),
        Some(goal) => libm::exp(start * odds) * libm::expm1((goal - start) * odds) / libm::expm1(goal * odds),
    })
}

/// A Brownian motion: the logarithm of an account, say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Brownian {
    /// Drift of a unit of time.
    pub drift: f64,
    /// Standard deviation of a unit of time, above 0.
    pub deviation: f64,
}

impl Brownian {
    /// A motion; `None` unless both are finite and the deviation is above 0.
    #[must_use]
    pub fn new(drift: f64, deviation: f64) -> Option<Brownian> {
        (drift.is_finite() && deviation.is_finite() && deviation > 0.0).then_some(Brownian { drift, deviation })
    }

    /// Probability to rise by `up` at some moment until `time` (which may be infinite):
    /// `Φ((ν t − u) / (σ √t)) + e^{2 ν u / σ²} Φ((−ν t − u) / (σ √t))`. 1 for a distance not above 0.
    ///
    /// `None` for a time below 0 or NaN. Source: Harrison, Brownian Motion and Stochastic Flow Systems (1985), eq. 1.8.11.
    #[must_use]
    pub fn rises(&self, up: f64, time: f64) -> Option<f64> {
        if time.is_nan() || time < 0.0 || up.is_nan() {
            return None;
        }
        if up <= 0.0 {
            return Some(1.0);
        }
        Some(within(self.passage(up, self.tilt(up), time)))
    }

    /// Probability to fall by `down` at some moment until `time`; as [`Brownian::rises`].
    #[must_use]
    pub fn falls(&self, down: f64, time: f64) -> Option<f64> {
        Brownian { drift: -self.drift, ..*self }.rises(down, time)
    }

    /// Probability to rise by `up` until `time` before falling by `down`. The images of the start beyond both barriers are
    /// summed, each term a first passage; an infinite time has the ratio of scale functions.
    ///
    /// `None` unless both distances are above 0, and for a time below 0 or NaN. Source: Darling and Siegert, Annals of
    /// Mathematical Statistics 24 (1953) 624; the images as in Harrison (1985), section 1.8.
    #[must_use]
    pub fn rises_first(&self, up: f64, down: f64, time: f64) -> Option<f64> {
        if !(time >= 0.0 && up > 0.0 && down > 0.0) {
            return None;
        }
        if time == f64::INFINITY {
            return Some(self.rises_first_ever(up, down));
        }
        let (width, tilt) = (up + down, self.tilt(up));
        let image = |distance: f64| self.passage(distance, tilt, time);
        let mut sum = image(up);
        for k in 1..MOST_IMAGES {
            let shift = 2.0 * f64::from(k) * width;
            let (near, far) = (image(shift - up), image(shift + up));
            sum += far - near;
            if near <= 1e-17 * sum.abs() || near < 1e-300 {
                break;
            }
        }
        Some(within(sum))
    }

    /// Probability to fall by `down` until `time` before rising by `up`; as [`Brownian::rises_first`].
    #[must_use]
    pub fn falls_first(&self, up: f64, down: f64, time: f64) -> Option<f64> {
        Brownian { drift: -self.drift, ..*self }.rises_first(down, up, time)
    }

    fn rises_first_ever(&self, up: f64, down: f64) -> f64 {
        let slope = 2.0 * self.drift / (self.deviation * self.deviation);
        if slope == 0.0 {
            return down / (up + down);
        }
        if slope > 0.0 {
            libm::expm1(-slope * down) / libm::expm1(-slope * (up + down))
        } else {
            libm::exp(slope * up) * libm::expm1(slope * down) / libm::expm1(slope * (up + down))
        }
    }

    /// `ν u / σ²`: what the drift adds to the log likelihood of ending at `u`.
    fn tilt(&self, up: f64) -> f64 {
        self.drift * up / (self.deviation * self.deviation)
    }

    /// `e^tilt ∫₀ᵗ c / (σ √(2π) s^{3/2}) · exp(−c² / (2 σ² s) − ν² s / (2 σ²)) ds` for `c > 0`.
    fn passage(&self, distance: f64, tilt: f64, time: f64) -> f64 {
        let drift = self.drift.abs();
        let far = drift * distance / (self.deviation * self.deviation);
        if time == 0.0 {
            return 0.0;
        }
        if time == f64::INFINITY {
            return libm::exp(tilt - far);
        }
        let spread = self.deviation * time.sqrt();
        tilted(tilt - far, (distance - drift * time) / spread) + tilted(tilt + far, (distance + drift * time) / spread)
    }
}

/// `e^tilt · Φ(−z)`, also where the power would overflow and the tail vanish.
fn tilted(tilt: f64, z: f64) -> f64 {
    if z < 30.0 {
        return libm::exp(tilt) * normal::cdf(-z);
    }
    // Abramowitz and Stegun (1964) 26.2.12: the next term is below 2e-12.
    let w = 1.0 / (z * z);
    let series = 1.0 - w * (1.0 - 3.0 * w * (1.0 - 5.0 * w * (1.0 - 7.0 * w)));
    libm::exp(tilt - 0.5 * z * z) / (z * (2.0 * std::f64::consts::PI).sqrt()) * series
}

fn within(p: f64) -> f64 {
    p.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(actual: Option<f64>, expected: f64, relative: f64) {
        let actual = actual.unwrap_or(f64::NAN);
        assert!((actual - expected).abs() <= relative * expected.abs(), "{actual} is not {expected}");
    }

    /// Feller (1968), XIV.2, the table of the effect of changing stakes.
    #[test]
    fn tables_of_the_classical_ruin_problem() {
        for (win, start, goal, ruin, decimals) in [
            (0.5, 9, 10, 0.1, 3),
            (0.5, 90, 100, 0.1, 3),
            (0.5, 900, 1_000, 0.1, 3),
            (0.5, 950, 1_000, 0.05, 3),
            (0.5, 8_000, 10_000, 0.2, 3),
            (0.45, 9, 10, 0.210, 3),
            (0.45, 90, 100, 0.866, 3),
            (0.45, 99, 100, 0.182, 3),
            (0.4, 90, 100, 0.983, 3),
            (0.4, 99, 100, 0.333, 3),
        ] {
            let actual = gamblers_ruin(win, start, Some(goal)).unwrap_or(f64::NAN);
            assert!((actual - ruin).abs() <= 0.5001 * 10_f64.powi(-decimals), "{win} {start} {goal}: {actual}");
        }
        check(gamblers_ruin(0.6, 3, None), 8.0 / 27.0, 1e-14);
        assert_eq!(gamblers_ruin(0.4, 3, None), Some(1.0));
        assert_eq!(gamblers_ruin(0.5, 0, Some(4)), Some(1.0));
        assert_eq!(gamblers_ruin(0.5, 4, Some(4)), Some(0.0));
        assert_eq!(gamblers_ruin(0.5, 5, Some(4)), None);
        assert_eq!(gamblers_ruin(1.5, 1, Some(4)), None);
        assert_eq!(gamblers_ruin(0.0, 1, None), Some(1.0));
        assert_eq!(gamblers_ruin(1.0, 1, None), Some(0.0));
    }

    /// From `scripts/oracles/ruin.py`: mpmath, 40 digits, by another way: the series of eigenfunctions for two barriers, a
    /// numerical integral of the passage density for one.
    #[test]
    fn passages_against_another_method() {
        let table = include_str!("../oracles/ruin.csv");
        let mut rows = 0;
        for line in table.lines().skip(1) {
            let x: Vec<f64> = line.split(',').filter_map(|v| v.parse().ok()).collect();
            let [drift, deviation, up, down, time, rises, falls, rises_first, falls_first] = x[..] else {
                panic!("'{line}' has not nine numbers")
            };
            let b = Brownian { drift, deviation };
            check(b.rises(up, time), rises, 2e-12);
            check(b.falls(down, time), falls, 2e-12);
            check(b.rises_first(up, down, time), rises_first, 2e-9);
            check(b.falls_first(up, down, time), falls_first, 2e-9);
            rows += 1;
        }
        assert!(rows >= 12, "{rows}");
    }

    #[test]
    fn known_limits() {
        // Full Kelly: a drift of half the variance. The chance of ever halving is one half (Thorp 2006, eq. 7.13).
        let kelly = Brownian { drift: 0.5 * 0.3 * 0.3, deviation: 0.3 };
        check(kelly.falls(std::f64::consts::LN_2, f64::INFINITY), 0.5, 1e-14);
        // And of doubling before halving, two thirds.
        check(kelly.rises_first(std::f64::consts::LN_2, std::f64::consts::LN_2, f64::INFINITY), 2.0 / 3.0, 1e-14);
        let level = Brownian { drift: 0.0, deviation: 1.0 };
        check(level.rises_first(3.0, 1.0, f64::INFINITY), 0.25, 1e-14);
        // Reflection: twice the chance to end above.
        check(level.rises(1.0, 1.0), 2.0 * normal::cdf(-1.0), 1e-14);
        assert_eq!(level.rises(1.0, 0.0), Some(0.0));
        assert_eq!(level.rises(0.0, 1.0), Some(1.0));
        assert_eq!(level.rises(1.0, -1.0), None);
        assert_eq!(level.rises_first(1.0, 0.0, 1.0), None);
        assert_eq!(Brownian::new(0.0, 0.0), None);
    }

    proptest! {
        #[test]
        fn probabilities_hold_together(
            drift in -2.0..2.0_f64, deviation in 0.05..2.0_f64, up in 0.05..4.0_f64, down in 0.05..4.0_f64,
            time in 0.05..20.0_f64,
        ) {
            let b = Brownian { drift, deviation };
            let of = |p: Option<f64>| p.unwrap_or(f64::NAN);
            let (rise, fall) = (of(b.rises_first(up, down, time)), of(b.falls_first(up, down, time)));
            prop_assert!(rise + fall <= 1.0 + 1e-9, "{rise} {fall}");
            prop_assert!(rise <= of(b.rises(up, time)) + 1e-9 && fall <= of(b.falls(down, time)) + 1e-9);
            prop_assert!(rise <= of(b.rises_first(up, down, f64::INFINITY)) + 1e-9);
            prop_assert!(rise <= of(b.rises_first(up, down, 2.0 * time)) + 1e-9);
            let ever = of(b.rises_first(up, down, f64::INFINITY)) + of(b.falls_first(up, down, f64::INFINITY));
            prop_assert!((ever - 1.0).abs() < 1e-9);
        }

        #[test]
        fn a_bet_more_is_a_chance_more(win in 0.01..0.99_f64, start in 1_u32..40, more in 1_u32..40) {
            // What happens after one bet, averaged, is what happens: the recursion that defines the problem.
            let goal = start + more;
            let ruin = |units: u32| gamblers_ruin(win, units, Some(goal)).unwrap_or(f64::NAN);
            let next = win * ruin(start + 1) + (1.0 - win) * ruin(start - 1);
            prop_assert!((ruin(start) - next).abs() < 1e-12, "{} {next}", ruin(start));
        }
    }
}
