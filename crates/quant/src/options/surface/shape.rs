//! A surface of SVI slices: volatility anywhere, skew, and term structure.

use super::{Slice, Svi};
use crate::vmath::{exp, normal_inverse};

/// SVI slices in order of expiry; between two, total variance is linear in time at one log-moneyness, which keeps a
/// surface without calendar arbitrage free of it; before the first and after the last, volatility is that of the slice.
#[derive(Clone, Debug, PartialEq)]
pub struct Surface {
    slices: Vec<(f64, Svi)>,
}

/// Volatilities of the puts and calls of one delta.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeltaQuote {
    /// Volatility at the money forward.
    pub atm: f64,
    /// Volatility of the put.
    pub put: f64,
    /// Volatility of the call.
    pub call: f64,
}

impl DeltaQuote {
    /// Call less put: below 0 where falls are feared.
    #[must_use]
    pub fn risk_reversal(&self) -> f64 {
        self.call - self.put
    }

    /// Mean of both less that at the money.
    #[must_use]
    pub fn butterfly(&self) -> f64 {
        0.5 * (self.call + self.put) - self.atm
    }
}

/// One expiry of the term structure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TermPoint {
    /// Years to expiry.
    pub years: f64,
    /// Volatility at the money forward.
    pub atm: f64,
    /// Volatility from the expiry before to this one, `√(Δw / ΔT)`; NaN where variance falls.
    pub forward: f64,
}

impl Surface {
    /// Slices as (years, slice). None if there is none, or if years are not above 0 and rising.
    #[must_use]
    pub fn new(slices: Vec<(f64, Svi)>) -> Option<Self> {
        let rising = slices.windows(2).all(|w| w[0].0 < w[1].0);
        (rising && slices.first().is_some_and(|s| s.0 > 0.0)).then_some(Self { slices })
    }

    /// The slices, by years.
    #[must_use]
    pub fn slices(&self) -> &[(f64, Svi)] {
        &self.slices
    }

    /// Volatility at log-moneyness `k` and `years`, above 0; NaN where a slice has no variance.
    #[must_use]
    pub fn vol(&self, k: f64, years: f64) -> f64 {
        let after = self.slices.partition_point(|s| s.0 < years);
        let w = |i: usize| (self.slices[i].0, self.slices[i].1.variance(k).0);
        let last = self.slices.len() - 1;
        let variance = if after == 0 || after > last {
            let (t, v) = w(after.min(last));
            v / t
        } else {
            let ((t0, w0), (t1, w1)) = (w(after - 1), w(after));
            (w0 + (w1 - w0) * (years - t0) / (t1 - t0)) / years
        };
        if years > 0.0 { variance.sqrt() } else { f64::NAN }
    }

    /// `∂σ/∂k` at the money: the skew, per 1.00 of log-moneyness; central difference over 0.002.
    #[must_use]
    pub fn skew(&self, years: f64) -> f64 {
        (self.vol(1e-3, years) - self.vol(-1e-3, years)) / 2e-3
    }

    /// Volatilities at forward delta `delta` (0 to ½, 0.25 is usual): the strike and its volatility are found together by
    /// iteration, 50 rounds at most. NaN if they do not meet.
    #[must_use]
    pub fn at_delta(&self, delta: f64, years: f64) -> DeltaQuote {
        let atm = self.vol(0.0, years);
        let root = years.sqrt();
        let of = |sign: f64| {
            // A call's forward delta is Φ(d₁), a put's −Φ(−d₁).
            let d1 = sign * normal_inverse(delta);
            let mut vol = atm;
            for _ in 0..50 {
                let s = vol * root;
                let new = self.vol(s * (0.5 * s - d1), years);
                if (new - vol).abs() <= 1e-13 * vol {
                    return new;
                }
                vol = 0.5 * (vol + new);
            }
            if (self.vol(vol * root * (0.5 * vol * root - d1), years) - vol).abs() < 1e-9 { vol } else { f64::NAN }
        };
        DeltaQuote { atm, put: of(-1.0), call: of(1.0) }
    }

    /// Volatility at the money at each slice, and between slices.
    pub fn term_structure(&self) -> impl Iterator<Item = TermPoint> + '_ {
        (0..self.slices.len()).map(|i| {
            let at = |i: usize| (self.slices[i].0, self.slices[i].1.variance(0.0).0);
            let (years, w) = at(i);
            let (t0, w0) = if i == 0 { (0.0, 0.0) } else { at(i - 1) };
            TermPoint { years, atm: (w / years).sqrt(), forward: ((w - w0) / (years - t0)).sqrt() }
        })
    }

    /// The strike of a log-moneyness.
    #[must_use]
    pub fn strike(k: f64, forward: f64) -> f64 {
        forward * exp(k)
    }
}
