//! A hedge ratio that drifts: Kalman's filter of a regression whose coefficients are random walks.

use super::{EconometricsError, finite};

/// The regression `y = intercept + hedge · x + noise` before its next row: both coefficients move by independent normal
/// steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KalmanHedge {
    /// Intercept given the rows so far.
    pub intercept: f64,
    /// Hedge ratio given the rows so far: units of `x` against one of `y`.
    pub hedge: f64,
    /// Variances of the two, and their covariance between.
    covariance: [f64; 3],
    drift: [f64; 2],
    noise: f64,
}

/// What a row said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KalmanStep {
    /// `y` less its prediction from the rows before: the spread to trade.
    pub innovation: f64,
    /// Its variance, as predicted.
    pub variance: f64,
    /// Log-density of the innovation; their sum is the log-likelihood.
    pub log_density: f64,
}

impl KalmanHedge {
    /// A filter before any row. `start` is the variance of each coefficient about 0 (large: nothing is known), `drift` the
    /// variances of their steps a row, `noise` that of `y` about the line.
    ///
    /// Errors: `OutOfRange` unless start and noise are above 0 and the drifts 0 or more, all finite.
    pub fn new(start: [f64; 2], drift: [f64; 2], noise: f64) -> Result<KalmanHedge, EconometricsError> {
        let refuse = |what, got| EconometricsError::OutOfRange { what, got, least: 0.0, most: f64::MAX };
        for v in start.into_iter().chain([noise]) {
            if !(v > 0.0 && v.is_finite()) {
                return Err(refuse("variance of a Kalman hedge", v));
            }
        }
        if let Some(v) = drift.into_iter().find(|v| !(*v >= 0.0 && v.is_finite())) {
            return Err(refuse("drift of a Kalman hedge", v));
        }
        Ok(KalmanHedge { intercept: 0.0, hedge: 0.0, covariance: [start[0], 0.0, start[1]], drift, noise })
    }

    /// Takes a row. The innovation is that of the coefficients before it.
    ///
    /// Errors, without a change of the filter: `NotFinite` (row 0 is `x`, 1 is `y`). Source: Kalman, Journal of Basic
    /// Engineering 82 (1960) 35, with Joseph's form of the covariance; Chan, Algorithmic Trading (2013), chapter 3.
    pub fn update(&mut self, x: f64, y: f64) -> Result<KalmanStep, EconometricsError> {
        finite("row of a Kalman hedge", &[x, y])?;
        let [a, c, b] = self.covariance;
        let (pa, pb) = (a + c * x, c + b * x);
        let variance = pa + pb * x + self.noise;
        let innovation = y - (self.intercept + self.hedge * x);
        let (ga, gb) = (pa / variance, pb / variance);
        self.intercept += ga * innovation;
        self.hedge += gb * innovation;
        // (I − gh')P(I − gh')' + g R g', which stays positive.
        let (keep_a, keep_b) = (1.0 - ga, 1.0 - gb * x);
        let (aa, ac) = (keep_a * a - ga * x * c, keep_a * c - ga * x * b);
        let (ca, cc) = (keep_b * c - gb * a, keep_b * b - gb * c);
        self.covariance = [
            keep_a * aa - ga * x * ac + self.noise * ga * ga + self.drift[0],
            keep_b * ac - gb * aa + self.noise * ga * gb,
            keep_b * cc - gb * ca + self.noise * gb * gb + self.drift[1],
        ];
        let log_density =
            -0.5 * (libm::log(2.0 * std::f64::consts::PI * variance) + innovation * innovation / variance);
        Ok(KalmanStep { innovation, variance, log_density })
    }

    /// Standard errors of intercept and hedge ratio before the next row.
    #[must_use]
    pub fn errors(&self) -> [f64; 2] {
        [self.covariance[0].max(0.0).sqrt(), self.covariance[2].max(0.0).sqrt()]
    }
}
