//! Sharpe ratio, its standard error, and how much of it may be chance: the probability that the true ratio is above a
//! benchmark, the same after many trials, and the track record that a claim needs.

use super::moments::Moments;
use super::{RiskFree, excess, finite, normal};

/// Sharpe ratio with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sharpe {
    /// Observations.
    pub n: usize,
    /// Ratio of one bar.
    pub per_period: f64,
    /// Standard error of `per_period`.
    pub error_per_period: f64,
    /// `per_period · √periods_per_year`.
    pub annual: f64,
    /// Standard error of `annual`.
    pub error_annual: f64,
    /// Skewness of the excess returns (population moments; 0 for a normal).
    pub skewness: f64,
    /// Kurtosis of the excess returns (population moments; 3 for a normal).
    pub kurtosis: f64,
}

/// A Sharpe ratio after the number of trials from which it was chosen is accounted for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeflatedSharpe {
    /// Ratio of one bar that the best of the trials is expected to have by chance alone.
    pub benchmark: f64,
    /// Probability, 0 to 1, that the true ratio is above `benchmark`.
    pub probability: f64,
}

/// Sharpe ratio `mean / s` of the excess returns, with its standard error
/// `√((1 − γ₃ SR + (γ₄ − 1)/4 · SR²) / (n − 1))`, both per bar and annualised by `√periods_per_year`.
///
/// For normal returns (γ₃ = 0, γ₄ = 3) the error is Lo's `√((1 + SR²/2) / n)` with `n − 1` for `n`. Serial
/// correlation is not corrected for: where returns trend, the error is too small; see [`super::serial_sharpe`].
///
/// `None` for fewer than two returns, zero variance (also of returns equal up to rounding), or a rate that does not
/// fit. Sources: Sharpe, Journal of Portfolio Management 21 (1994) 49; Lo, Financial Analysts Journal 58 (2002)
/// 36, eq. 9; Bailey and López de Prado, Journal of Risk 15 (2012) 3, the standard deviation of SR̂ there.
#[must_use]
pub fn sharpe(returns: &[f64], risk_free: RiskFree<'_>, periods_per_year: f64) -> Option<Sharpe> {
    let excess = excess(returns, risk_free)?;
    let m = Moments::of(&excess)?;
    Sharpe::from_moments(excess.len(), m.mean / m.variance.sqrt(), m.skewness?, m.kurtosis?, periods_per_year)
}

impl Sharpe {
    /// The ratio with its error from what a publication states: `n` observations, the ratio of one bar, skewness and
    /// kurtosis (3 for a normal) of a bar.
    ///
    /// `None` for fewer than two observations or a number that is not finite.
    #[must_use]
    pub fn from_moments(
        n: usize,
        per_period: f64,
        skewness: f64,
        kurtosis: f64,
        periods_per_year: f64,
    ) -> Option<Sharpe> {
        if n < 2 {
            return None;
        }
        let error = (spread(per_period, skewness, kurtosis) / (n - 1) as f64).sqrt();
        let root = periods_per_year.sqrt();
        Some(Sharpe {
            n,
            per_period: finite(per_period)?,
            error_per_period: finite(error)?,
            annual: finite(per_period * root)?,
            error_annual: finite(error * root)?,
            skewness,
            kurtosis,
        })
    }

    /// Probabilistic Sharpe ratio `Φ((SR − SR*) / error)`: the probability, 0 to 1, that the true ratio is above
    /// `benchmark`, all **per bar**. `None` if the error is 0.
    ///
    /// Source: Bailey and López de Prado, Journal of Risk 15 (2012) 3, the definition of PSR.
    #[must_use]
    pub fn probability_above(&self, benchmark: f64) -> Option<f64> {
        finite((self.per_period - benchmark) / self.error_per_period).map(normal::cdf)
    }

    /// Minimum track record length: the number of bars from which on [`Sharpe::probability_above`] `benchmark` (per
    /// bar) would be `confidence` or more, if ratio, skewness and kurtosis stayed as they are:
    /// `1 + (1 − γ₃ SR + (γ₄ − 1)/4 · SR²) · (Φ⁻¹(confidence) / (SR − SR*))²`. Not rounded.
    ///
    /// `None` unless `confidence` is in `(0.5, 1)` and the ratio is above the benchmark: no length would do. Source:
    /// Bailey and López de Prado, Journal of Risk 15 (2012) 3, the definition of MinTRL.
    #[must_use]
    pub fn minimum_track_record(&self, benchmark: f64, confidence: f64) -> Option<f64> {
        let lead = self.per_period - benchmark;
        if !(confidence > 0.5 && confidence < 1.0 && lead > 0.0) {
            return None;
        }
        let z = normal::inverse(confidence) / lead;
        finite(1.0 + spread(self.per_period, self.skewness, self.kurtosis) * z * z)
    }

    /// Deflated Sharpe ratio: [`Sharpe::probability_above`] the ratio that [`expected_maximum_sharpe`] grants to the
    /// best of `trials` independent ones whose ratios **per bar** have the variance `variance`
    /// ([`super::sample_variance`] of them).
    ///
    /// Trials that resemble each other count as fewer. `None` as those two. Source: Bailey and López de Prado, Journal
    /// of Portfolio Management 40 (2014) 94, the definition of DSR.
    #[must_use]
    pub fn deflated(&self, trials: usize, variance: f64) -> Option<DeflatedSharpe> {
        let benchmark = expected_maximum_sharpe(trials, variance)?;
        Some(DeflatedSharpe { benchmark, probability: self.probability_above(benchmark)? })
    }
}

/// `n` times the variance of the estimated ratio. Kurtosis is at least `1 + skewness²`, which keeps it at 0 or above;
/// rounding may not.
fn spread(sharpe: f64, skewness: f64, kurtosis: f64) -> f64 {
    let spread = 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe;
    if spread < 0.0 { 0.0 } else { spread }
}

/// [`Sharpe::probability_above`] of the returns' own [`sharpe`], with `benchmark` **per bar**; `None` as those two.
#[must_use]
pub fn probabilistic_sharpe(returns: &[f64], risk_free: RiskFree<'_>, benchmark: f64) -> Option<f64> {
    sharpe(returns, risk_free, 1.0)?.probability_above(benchmark)
}

/// The ratio that the best of `trials` independent ones is expected to show when every true ratio is 0 and the
/// estimates have the variance `variance`: `√variance · ((1 − γ) Φ⁻¹(1 − 1/N) + γ Φ⁻¹(1 − 1/(N e)))`, γ Euler's
/// constant. In the unit of the ratios whose variance it is.
///
/// One trial has 0. The formula is asymptotic: at two trials it gives 0.520 standard deviations where 0.564 is exact,
/// at ten 1.575 where 1.539 is. `None` for no trials or a variance below 0 or not finite. Source: Bailey and López de
/// Prado, Journal of Portfolio Management 40 (2014) 94, expected maximum.
#[must_use]
pub fn expected_maximum_sharpe(trials: usize, variance: f64) -> Option<f64> {
    if trials == 0 || !variance.is_finite() || variance < 0.0 {
        return None;
    }
    if trials == 1 {
        return Some(0.0);
    }
    let n = trials as f64;
    // Φ⁻¹(1 − p) = −Φ⁻¹(p), without the rounding of 1 − p.
    let first = -normal::inverse(1.0 / n);
    let second = -normal::inverse(1.0 / (n * std::f64::consts::E));
    finite(variance.sqrt() * ((1.0 - EULER_GAMMA) * first + EULER_GAMMA * second))
}

/// Euler's constant.
const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

/// Annualised Sharpe ratio of every window of `window` bars, at its last bar: one cell a return, `None` in the first
/// `window − 1` and where a window has no variance.
///
/// `None` for a window of fewer than 2 or more than all returns, a return that is not finite, or a rate that does not
/// fit. Equal to empyrical's `roll_sharpe_ratio` and quantstats' `rolling_sharpe`. Each window is summed anew: the cost
/// is that of `n · window` additions.
#[must_use]
pub fn rolling_sharpe(
    returns: &[f64],
    risk_free: RiskFree<'_>,
    window: usize,
    periods_per_year: f64,
) -> Option<Vec<Option<f64>>> {
    if window < 2 || window > returns.len() {
        return None;
    }
    let excess = excess(returns, risk_free)?;
    let root = finite(periods_per_year.sqrt())?;
    let mut cells = vec![None; window - 1];
    cells.extend(excess.windows(window).map(|w| {
        let m = Moments::of(w)?;
        finite(m.mean / m.variance.sqrt() * root)
    }));
    Some(cells)
}
