//! What a target asks for, and what a bet is worth.
//!
//! Rates are fractions (0.01 is one per cent). Whatever is undefined is `None`, never NaN.

/// Growth a period that turns `start` into `target` in `periods`: `(target / start)^(1 / periods) − 1`.
///
/// - Units: both amounts in one unit, above 0; `periods` above 0, need not be whole.
/// - `None` for an amount or a number of periods that is not above 0 and finite.
/// - Source: compound interest; the inverse of [`crate::performance::cagr`].
#[must_use]
pub fn required_growth(start: f64, target: f64, periods: f64) -> Option<f64> {
    let usable = [start, target, periods].iter().all(|x| x.is_finite() && *x > 0.0);
    usable.then(|| libm::expm1(libm::log(target / start) / periods)).filter(|r| r.is_finite())
}

/// Periods that `start` needs to become `target` at a growth of `rate` a period: `ln(target / start) / ln(1 + rate)`.
///
/// `None` for amounts as in [`required_growth`], a rate at or below −1, or a rate that never gets there.
#[must_use]
pub fn periods_needed(start: f64, target: f64, rate: f64) -> Option<f64> {
    if !(start > 0.0 && target > 0.0 && rate > -1.0) {
        return None;
    }
    let periods = libm::log(target / start) / libm::log1p(rate);
    (periods.is_finite() && periods >= 0.0).then_some(periods)
}

/// The least Sharpe ratio with which anyone can expect a log growth of `log_growth`, both of one period: `√(2 g)`.
///
/// Log growth at leverage `f` is `f μ − f² σ² / 2`; its largest value over `f`, at Kelly's `μ / σ²`, is half the squared
/// ratio. The volatility of the account is then the ratio itself. `None` for a growth below 0 or not finite. Source: Thorp,
/// Handbook of Asset and Liability Management 1 (2006) 385, eq. 7.3 and 7.4.
#[must_use]
pub fn required_sharpe(log_growth: f64) -> Option<f64> {
    (log_growth.is_finite() && log_growth >= 0.0).then(|| (2.0 * log_growth).sqrt())
}

/// Expected log growth a period at leverage `f` for returns with this mean and deviation: `f μ − f² σ² / 2`.
///
/// Exact for a continuously rebalanced geometric Brownian motion, near it for small returns. Source: as
/// [`required_sharpe`].
#[must_use]
pub fn log_growth(mean: f64, deviation: f64, leverage: f64) -> f64 {
    leverage * mean - 0.5 * (leverage * deviation) * (leverage * deviation)
}

/// A bet with two outcomes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bet {
    /// Probability to win, 0 to 1.
    pub probability: f64,
    /// What a win adds per unit staked, above 0.
    pub win: f64,
    /// What a loss takes per unit staked, above 0; 1 is the whole stake.
    pub loss: f64,
}

impl Bet {
    /// A bet; `None` for numbers out of their ranges.
    #[must_use]
    pub fn new(probability: f64, win: f64, loss: f64) -> Option<Bet> {
        let fits = (0.0..=1.0).contains(&probability) && [win, loss].iter().all(|x| x.is_finite() && *x > 0.0);
        fits.then_some(Bet { probability, win, loss })
    }

    /// Expected value per unit staked: `p b − q a`.
    #[must_use]
    pub fn expected_value(&self) -> f64 {
        self.probability * self.win - (1.0 - self.probability) * self.loss
    }

    /// Kelly's fraction: the stake per unit of wealth with the largest expected log growth, `p / a − q / b`. Not above 0:
    /// do not bet. Source: Thorp (2006), eq. 2.1 with a loss of `a`; with `a = 1` Kelly, Bell System Technical Journal 35
    /// (1956) 917.
    #[must_use]
    pub fn kelly(&self) -> f64 {
        self.probability / self.loss - (1.0 - self.probability) / self.win
    }

    /// Expected log growth a bet at a stake of `fraction` of wealth: `p ln(1 + f b) + q ln(1 − f a)`; −∞ if a loss takes
    /// everything.
    #[must_use]
    pub fn log_growth(&self, fraction: f64) -> f64 {
        let term = |p: f64, x: f64| {
            if p <= 0.0 {
                0.0
            } else if x <= -1.0 {
                f64::NEG_INFINITY
            } else {
                p * libm::log1p(x)
            }
        };
        term(self.probability, fraction * self.win) + term(1.0 - self.probability, -fraction * self.loss)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(actual: Option<f64>, expected: f64) {
        let actual = actual.unwrap_or(f64::NAN);
        assert!((actual - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{actual} is not {expected}");
    }

    #[test]
    fn hand_worked_targets() {
        // bc -l: e(l(2000)/24)-1, l(2000)/l(1.1), sqrt(l(2000)).
        check(required_growth(5_000.0, 10_000_000.0, 24.0), 0.372_596_592_737_742_15);
        check(periods_needed(5_000.0, 10_000_000.0, 0.1), 79.749_114_681_632_14);
        check(required_sharpe(libm::log(2_000.0) / 2.0), 2.756_973_423_800_469);
        check(required_growth(100.0, 121.0, 2.0), 0.1);
        check(required_growth(100.0, 100.0, 7.0), 0.0);
        check(required_growth(100.0, 25.0, 2.0), -0.5);
        for (start, target, periods) in [(0.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 2.0, 0.0), (f64::NAN, 1.0, 1.0)] {
            assert_eq!(required_growth(start, target, periods), None);
        }
        assert_eq!(periods_needed(1.0, 2.0, 0.0), None);
        assert_eq!(periods_needed(1.0, 2.0, -0.1), None);
        assert_eq!(required_sharpe(-0.1), None);
    }

    #[test]
    fn bets_of_the_literature() {
        // Thorp (2006), section 2: p = 0.53 at even money stakes 6 % and grows by 0.0018 a bet.
        let coin = Bet::new(0.53, 1.0, 1.0).unwrap_or(Bet { probability: 0.0, win: 1.0, loss: 1.0 });
        check(Some(coin.kelly()), 0.06);
        check(Some(coin.expected_value()), 0.06);
        assert!((coin.log_growth(0.06) - 0.0018).abs() < 5e-6);
        // Two to one on a fair coin: stake a quarter.
        check(Bet::new(0.5, 2.0, 1.0).map(|b| b.kelly()), 0.25);
        check(Bet::new(0.5, 2.0, 1.0).map(|b| b.expected_value()), 0.5);
        assert_eq!(coin.log_growth(1.0), f64::NEG_INFINITY);
        assert_eq!(Bet::new(1.1, 1.0, 1.0), None);
        assert_eq!(Bet::new(0.5, 0.0, 1.0), None);
        // A mean of 10 % with a deviation of 20 %: most at two and a half times, nothing left at five times.
        check(Some(log_growth(0.1, 0.2, 2.5)), 0.125);
        check(Some(log_growth(0.1, 0.2, 5.0)), 0.0);
    }

    proptest! {
        #[test]
        fn nothing_grows_faster_than_kelly(p in 0.05..0.95_f64, b in 0.1..5.0_f64, a in 0.1..1.0_f64, off in -0.2..0.2_f64) {
            let bet = Bet { probability: p, win: b, loss: a };
            prop_assume!(bet.kelly() + off > -1.0 / b && off.abs() > 1e-6);
            prop_assert!(bet.log_growth(bet.kelly() + off) <= bet.log_growth(bet.kelly()) + 1e-12);
        }

        #[test]
        fn growth_gets_there(start in 1.0..1e6_f64, times in 0.01..1e4_f64, n in 0.5..500.0_f64) {
            let rate = required_growth(start, start * times, n).unwrap_or(f64::NAN);
            prop_assert!((libm::pow(1.0 + rate, n) / times - 1.0).abs() < 1e-9);
        }
    }
}
