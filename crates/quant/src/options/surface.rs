//! Implied-volatility surfaces: slices and whole surfaces without static arbitrage, what breaks it, and their shape.
//!
//! `k = ln(K / F)` is the log-moneyness, `w = σ² T` the total implied variance. Sources: Gatheral and Jacquier (2014),
//! "Arbitrage-free SVI volatility surfaces"; Zeliade Systems (2009), "Quasi-explicit calibration of Gatheral's SVI
//! model".

mod arbitrage;
mod fit;
mod shape;
mod simplex;
#[cfg(test)]
mod tests;

pub use arbitrage::{Breach, butterflies, calendars, durrleman};
pub use fit::{FitError, Point, fit_ssvi, fit_svi};
pub use shape::{DeltaQuote, Surface, TermPoint};

/// A slice of total variance as a function of `k`, with its first and second derivative.
pub trait Slice {
    /// `(w, w′, w″)` at `k`.
    fn variance(&self, k: f64) -> (f64, f64, f64);
}

/// Raw SVI: `w(k) = a + b (ρ (k − m) + √((k − m)² + σ²))` (equation 3.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Svi {
    /// Level.
    pub a: f64,
    /// Slope of the wings, 0 or more.
    pub b: f64,
    /// Tilt, −1 to 1.
    pub rho: f64,
    /// Where the slice turns.
    pub m: f64,
    /// How smoothly it turns, above 0.
    pub sigma: f64,
}

impl Slice for Svi {
    fn variance(&self, k: f64) -> (f64, f64, f64) {
        let x = k - self.m;
        let root = (x * x + self.sigma * self.sigma).sqrt();
        let bend = self.b * self.sigma * self.sigma / (root * root * root);
        (self.a + self.b * (self.rho * x + root), self.b * (self.rho + x / root), bend)
    }
}

/// SSVI: `w(k, θ) = θ/2 (1 + ρ φ k + √((φ k + ρ)² + 1 − ρ²))` with `φ = η / (θ^γ (1 + θ)^(1−γ))` (equations 4.1, 4.5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ssvi {
    /// Tilt, −1 to 1.
    pub rho: f64,
    /// Strength of the smile, above 0.
    pub eta: f64,
    /// How fast it flattens with variance, 0 to 1.
    pub gamma: f64,
}

impl Ssvi {
    /// The slice whose total variance at the money is `theta`, above 0.
    #[must_use]
    pub fn slice(&self, theta: f64) -> SsviSlice {
        let phi = self.eta * libm::pow(theta, -self.gamma) * libm::pow(1.0 + theta, self.gamma - 1.0);
        SsviSlice { rho: self.rho, theta, phi }
    }

    /// Theorem 4.2's sufficient conditions at `theta`: `θφ(1 + |ρ|) < 4` and `θφ²(1 + |ρ|) ≤ 4`.
    #[must_use]
    pub fn is_free_of_butterflies(&self, theta: f64) -> bool {
        let SsviSlice { phi, rho, .. } = self.slice(theta);
        let tilt = 1.0 + rho.abs();
        theta * phi * tilt < 4.0 && theta * phi * phi * tilt <= 4.0
    }
}

/// A slice of SSVI.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SsviSlice {
    rho: f64,
    theta: f64,
    phi: f64,
}

impl Slice for SsviSlice {
    fn variance(&self, k: f64) -> (f64, f64, f64) {
        let Self { rho, theta, phi } = *self;
        let x = phi * k + rho;
        let root = (x * x + 1.0 - rho * rho).sqrt();
        let half = 0.5 * theta;
        let bend = half * phi * phi * (1.0 - rho * rho) / (root * root * root);
        (half * (1.0 + rho * phi * k + root), half * phi * (rho + x / root), bend)
    }
}
