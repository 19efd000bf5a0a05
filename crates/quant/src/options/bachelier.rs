//! Bachelier's model: the forward moves by normal amounts, so that prices and strikes may be negative.
//!
//! `V = s ψ(|F − K| / s)` out of the money with `s = σ√T` in units of the price and `ψ(d) = φ(d) − d Φ(−d)`; the
//! difference is taken without cancellation, see [`super::normalised`]. Sources: Bachelier (1900); Jäckel (2017), "Implied
//! normal volatility", for what is inverted.

use super::Right;
use super::normalised::falling;
use crate::vmath::{exp, ln, normal_cdf};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;
const SQRT_2PI: f64 = 2.506_628_274_631_000_7;

/// A European option on a forward price under Bachelier's model; undiscounted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bachelier {
    /// Call or put.
    pub right: Right,
    /// Forward price, any sign.
    pub forward: f64,
    /// Strike, any sign.
    pub strike: f64,
    /// Years to expiry, 0 or more.
    pub years: f64,
    /// Volatility of a year in units of the price, 0 or more.
    pub vol: f64,
}

/// Price and derivatives by the forward and the volatility, undiscounted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BachelierGreeks {
    /// Undiscounted premium.
    pub price: f64,
    /// `∂V/∂F`.
    pub delta: f64,
    /// `∂²V/∂F²`.
    pub gamma: f64,
    /// `∂V/∂σ`.
    pub vega: f64,
    /// `∂²V/∂F∂σ`.
    pub vanna: f64,
    /// `∂²V/∂σ²`.
    pub volga: f64,
    /// `−∂V/∂T`.
    pub theta: f64,
}

impl Bachelier {
    /// Premium and Greeks; NaN for a negative time or volatility or for NaN. With no time or volatility left they are
    /// those of the payoff; gamma at the money is then a number above 1e30.
    #[must_use]
    pub fn greeks(&self) -> BachelierGreeks {
        let Self { right, forward, strike, years, vol } = *self;
        let valid =
            years >= 0.0 && vol >= 0.0 && (forward - strike).is_finite() && years.is_finite() && vol.is_finite();
        let nan = if valid { 0.0 } else { f64::NAN };
        let (root, vol) = (years.max(1e-80).sqrt(), vol.max(1e-40));
        let s = vol * root;
        let moneyness = right.sign() * (forward - strike);
        let d = moneyness / s;
        let density = FRAC_1_SQRT_2PI * exp(-0.5 * d * d);
        let out = s * time_value(d.abs());
        BachelierGreeks {
            price: if moneyness > 0.0 { moneyness + out } else { out } + nan,
            delta: right.sign() * normal_cdf(d) + nan,
            gamma: density / s + nan,
            vega: root * density + nan,
            vanna: -right.sign() * density * d / vol + nan,
            volga: root * density * d * d / vol + nan,
            theta: -0.5 * vol * density / root + nan,
        }
    }

    /// Undiscounted premium.
    #[must_use]
    pub fn price(&self) -> f64 {
        self.greeks().price
    }
}

/// `φ(d) − d Φ(−d)` for `d ≥ 0`.
fn time_value(d: f64) -> f64 {
    FRAC_1_SQRT_2PI * exp(-0.5 * d * d) * 0.5 * PI.sqrt() * falling(d * FRAC_1_SQRT_2)
}

/// The volatility, in units of the price, at which an option has this undiscounted premium.
///
/// 0 if it is the intrinsic value; NaN below it, for `years` not above 0 and for NaN. Householder's third order on the
/// logarithm of the time value, from the wing's expansion or the bound `√(2π) (V + |F − K| / 2)`.
#[must_use]
pub fn implied_normal_vol(right: Right, premium: f64, forward: f64, strike: f64, years: f64) -> f64 {
    let apart = (forward - strike).abs();
    let intrinsic = (right.sign() * (forward - strike)).max(0.0);
    let value = premium - intrinsic;
    if !(value >= 0.0 && value.is_finite() && years > 0.0 && apart.is_finite()) {
        return f64::NAN;
    }
    if value == 0.0 {
        return 0.0;
    }
    // Both are bounds: at the money the premium is s / √(2π), and ψ(d) ≥ φ(0) − d / 2.
    let (mut low, mut high) = (SQRT_2PI * value, SQRT_2PI * (value + 0.5 * apart));
    let mut s = high;
    if value < 0.05 * apart {
        let m = -2.0 * ln(value / apart) - 1.84;
        let mut square = m;
        for _ in 0..4 {
            square = (m - 3.0 * ln(square.max(1.0))).max(1.0);
        }
        s = (apart / square.sqrt()).clamp(low, high);
    }
    for _ in 0..64 {
        let d = apart / s;
        let size = 0.25 * std::f64::consts::FRAC_2_PI.sqrt() * PI.sqrt() * s * falling(d * FRAC_1_SQRT_2);
        let f = ln(size / value) - 0.5 * d * d;
        let newton = -f * SQRT_2PI * size;
        let d2 = d * d;
        let second = d2 / s * newton + f;
        let third = d2 * (d2 - 3.0) / (s * s) * newton * newton + f * (3.0 * d2 / s * newton + 2.0 * f);
        let moved = newton * (1.0 + 0.5 * second) / (1.0 + second + third / 6.0);
        let next = s + moved;
        if moved.abs() < 1e-4 * s {
            s = next;
            break;
        }
        if moved > 0.0 {
            low = s
        } else {
            high = s
        }
        s = if next > low && next < high { next } else { (low * high).sqrt() };
    }
    s / years.sqrt()
}
