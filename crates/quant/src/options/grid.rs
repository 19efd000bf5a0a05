//! Finite differences: American and European options with cash dividends, and the second opinion on boundaries.
//!
//! The Black–Scholes equation in `ln S` by Crank and Nicolson's scheme, two implicit half steps after each kink
//! (Rannacher 1984), early exercise inside the elimination (Brennan and Schwartz 1977). The share drops by a dividend
//! (the spot model): values of the moment before are those of the moment after at `S − D`, by cubic interpolation.

use super::{American, Right};
use crate::vmath::{exp, ln};

/// Cash that the underlying pays while the option lives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CashDividend {
    /// Years until it is paid, above 0; later than the option's expiry it does not count.
    pub years: f64,
    /// Amount for one unit of the underlying, 0 or more.
    pub amount: f64,
}

/// When the holder may exercise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exercise {
    /// At expiry.
    European,
    /// At any time.
    American,
}

/// The spot less the present value of the dividends paid until `years`: what the escrowed model puts in the formula of a
/// European option instead of the spot. It sees no drop on the day, so American calls need a [`Grid`].
#[must_use]
pub fn escrowed(spot: f64, years: f64, rate: f64, dividends: &[CashDividend]) -> f64 {
    let paid = dividends.iter().filter(|d| d.years > 0.0 && d.years <= years);
    spot - paid.map(|d| d.amount * exp(-rate * d.years)).sum::<f64>()
}

/// A grid and its buffers; made once, it prices any number of options without allocating.
#[derive(Clone, Debug)]
pub struct Grid {
    steps: usize,
    value: Vec<f64>,
    next: Vec<f64>,
    payoff: Vec<f64>,
    spot: Vec<f64>,
    /// Eliminated coefficients and right-hand sides.
    ratio: Vec<f64>,
    right: Vec<f64>,
}

/// One step in time: coefficients of the neighbours and of the node itself, and the weight of the new time level.
struct Step {
    down: f64,
    middle: f64,
    up: f64,
    dt: f64,
    implicit: f64,
}

impl Grid {
    /// `space` intervals of the price (16 or more; an even number is taken) and `time` steps (4 or more). The error falls
    /// with the square of both and grows with σ√T: 800 and 400 give 2e-5 of the strike over the options of
    /// `docs/options.md`; at σ√T = 1.5, 300 and 150 are 5e-4 off.
    #[must_use]
    pub fn new(space: usize, time: usize) -> Self {
        let nodes = (space.max(16) / 2) * 2 + 1;
        let zeros = || vec![0.0; nodes];
        Self {
            steps: time.max(4),
            value: zeros(),
            next: zeros(),
            payoff: zeros(),
            spot: zeros(),
            ratio: zeros(),
            right: zeros(),
        }
    }

    /// The premium. `dividends` are in order of time. NaN for a price that is not positive, a negative time or volatility
    /// or amount, dividends out of order, and for NaN. With no time or volatility left: the payoff now, or NaN if
    /// there are dividends to come or if it is European or carries a rate.
    pub fn price(&mut self, option: &American, exercise: Exercise, dividends: &[CashDividend]) -> f64 {
        let American { right, underlying, strike, years, rate, carry, vol } = *option;
        let ordered = dividends.windows(2).all(|w| w[0].years <= w[1].years);
        let valid = underlying > 0.0 && strike > 0.0 && years >= 0.0 && vol >= 0.0 && (rate + carry).is_finite();
        let valid = valid && (underlying + strike + years + vol).is_finite();
        if !(valid && ordered && dividends.iter().all(|d| d.amount >= 0.0 && d.years > 0.0)) {
            return f64::NAN;
        }
        if years == 0.0 {
            return right.payoff(underlying, strike);
        }
        let sd = vol * years.sqrt();
        if sd < 1e-6 {
            return f64::NAN;
        }
        let middle = self.value.len() / 2;
        let width = (6.0 * sd).max(ln(underlying / strike).abs() + 4.0 * sd) + (carry * years).abs();
        let dx = width / middle as f64;
        let start = ln(underlying);
        for (i, (s, p)) in self.spot.iter_mut().zip(&mut self.payoff).enumerate() {
            *s = exp(start + (i as f64 - middle as f64) * dx);
            *p = right.payoff(*s, strike);
        }
        self.spot[middle] = underlying;
        self.value.copy_from_slice(&self.payoff);
        self.smooth(right, strike, dx);
        let american = exercise == Exercise::American;
        let variance = vol * vol;
        let drift = carry - 0.5 * variance;
        let mut left = years;
        let mut after = dividends.iter().rev().filter(|d| d.years < years).peekable();
        loop {
            let stop = after.peek().map_or(0.0, |d| d.years);
            let span = left - stop;
            let steps = ((self.steps as f64 * span / years).ceil() as usize).max(4);
            let dt = span / steps as f64;
            let (a, b) = (0.5 * variance / (dx * dx), 0.5 * drift / dx);
            let coefficients = |dt, implicit| Step { down: a - b, middle: -2.0 * a - rate, up: a + b, dt, implicit };
            for step in 0..if span > 0.0 { steps } else { 0 } {
                let parts = if step < 2 { 2 } else { 1 };
                for part in 0..parts {
                    let now = left - dt * (step as f64 + (part + 1) as f64 / f64::from(parts));
                    let s = coefficients(dt / f64::from(parts), if parts == 2 { 1.0 } else { 0.5 });
                    self.step(&s, right, strike, years - now, rate, carry, american);
                }
            }
            left = stop;
            match after.next() {
                Some(d) => self.drop(d.amount, dx, american),
                None => break,
            }
        }
        self.value[middle]
    }

    /// The node nearest to the strike takes the mean of the payoff over its cell.
    fn smooth(&mut self, right: Right, strike: f64, dx: f64) {
        for i in 0..self.value.len() {
            let (low, high) = (self.spot[i] * exp(-0.5 * dx), self.spot[i] * exp(0.5 * dx));
            if low < strike && strike < high {
                // ∫ (S − K) d ln S from K up, or (K − S) down to it, over dx.
                self.value[i] = match right {
                    Right::Call => (high - strike - strike * ln(high / strike)) / dx,
                    Right::Put => (strike * ln(strike / low) - (strike - low)) / dx,
                };
            }
        }
    }

    /// One step back in time, to `passed` years before expiry.
    #[allow(clippy::too_many_arguments, reason = "an option's terms")]
    fn step(&mut self, s: &Step, right: Right, strike: f64, passed: f64, rate: f64, carry: f64, american: bool) {
        let n = self.value.len();
        let (bond, share) = (exp(-rate * passed), exp((carry - rate) * passed));
        let edge = |i: usize, spot: &[f64], payoff: &[f64]| {
            let held = (right.sign() * (spot[i] * share - strike * bond)).max(0.0);
            if american { held.max(payoff[i]) } else { held }
        };
        let (low, high) = (edge(0, &self.spot, &self.payoff), edge(n - 1, &self.spot, &self.payoff));
        let (new, old) = (s.dt * s.implicit, s.dt * (1.0 - s.implicit));
        let (down, middle, up) = (-new * s.down, 1.0 - new * s.middle, -new * s.up);
        for i in 1..n - 1 {
            let (d, m, u) = (self.value[i - 1], self.value[i], self.value[i + 1]);
            self.right[i] = m + old * (s.down * d + s.middle * m + s.up * u);
        }
        self.right[1] -= down * low;
        self.right[n - 2] -= up * high;
        (self.next[0], self.next[n - 1]) = (low, high);
        // Elimination ends at the side where a put (a call) is exercised, so that the bound is met on the way back.
        if right == Right::Put {
            self.ratio[n - 2] = middle;
            for i in (1..n - 2).rev() {
                let w = up / self.ratio[i + 1];
                self.ratio[i] = middle - w * down;
                self.right[i] -= w * self.right[i + 1];
            }
            for i in 1..n - 1 {
                let below = if i == 1 { 0.0 } else { down * self.next[i - 1] };
                self.next[i] = bounded((self.right[i] - below) / self.ratio[i], self.payoff[i], american);
            }
        } else {
            self.ratio[1] = middle;
            for i in 2..n - 1 {
                let w = down / self.ratio[i - 1];
                self.ratio[i] = middle - w * up;
                self.right[i] -= w * self.right[i - 1];
            }
            for i in (1..n - 1).rev() {
                let above = if i == n - 2 { 0.0 } else { up * self.next[i + 1] };
                self.next[i] = bounded((self.right[i] - above) / self.ratio[i], self.payoff[i], american);
            }
        }
        std::mem::swap(&mut self.value, &mut self.next);
    }

    /// The moment before a dividend.
    fn drop(&mut self, amount: f64, dx: f64, american: bool) {
        let n = self.value.len();
        let start = ln(self.spot[0]);
        for i in 0..n {
            let spot = self.spot[i] - amount;
            let at = if spot > self.spot[0] { (ln(spot) - start) / dx } else { 0.0 };
            let j = (at as usize).clamp(1, n - 3);
            let t = at - j as f64;
            let [a, b, c, d] = [self.value[j - 1], self.value[j], self.value[j + 1], self.value[j + 2]];
            let cubic = b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)));
            let value = if at < 1.0 { a + (b - a) * at } else { cubic };
            self.next[i] = bounded(value, self.payoff[i], american);
        }
        std::mem::swap(&mut self.value, &mut self.next);
    }
}

fn bounded(value: f64, payoff: f64, american: bool) -> f64 {
    if american && payoff > value { payoff } else { value }
}
