//! Volatility that follows its own past: GARCH(1,1), GJR and exponential weights.

mod descent;
mod likelihood;

use super::dense::{mean, sum_of};
use super::{EconometricsError, finite, varied};
use descent::descend;
use likelihood::{Likelihood, natural, raw};

/// The distribution of shocks over their volatility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shocks {
    /// Normal.
    Normal,
    /// Student's with unit variance and fitted degrees of freedom.
    Student,
}

/// What is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GarchModel {
    /// Falls raise volatility by another amount than rises (GJR).
    pub asymmetric: bool,
    /// A constant mean is fitted; else it is 0.
    pub mean: bool,
    /// Distribution of the shocks.
    pub shocks: Shocks,
}

/// Parameters: `rₜ = mean + eₜ`, `σ²ₜ = constant + (arch + asymmetry · [eₜ₋₁ < 0]) e²ₜ₋₁ + garch · σ²ₜ₋₁`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GarchParameters {
    /// Mean return μ.
    pub mean: f64,
    /// ω, above 0.
    pub constant: f64,
    /// α, 0 or more.
    pub arch: f64,
    /// γ, α + γ is 0 or more; 0 without asymmetry.
    pub asymmetry: f64,
    /// β, 0 or more; α + γ/2 + β is below 1.
    pub garch: f64,
    /// Degrees of freedom ν, above 2; infinite for normal shocks.
    pub degrees: f64,
}

impl GarchParameters {
    /// α + γ/2 + β: the part of a shock's variance that is left a bar later.
    #[must_use]
    pub fn persistence(&self) -> f64 {
        self.arch + 0.5 * self.asymmetry + self.garch
    }

    /// Variance in the long run.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.constant / (1.0 - self.persistence())
    }

    /// Variance of the next bar after a return at a variance.
    #[must_use]
    pub fn next(&self, variance: f64, r: f64) -> f64 {
        let e = r - self.mean;
        let arch = if e < 0.0 { self.arch + self.asymmetry } else { self.arch };
        self.constant + arch * e * e + self.garch * variance
    }

    /// Expected variances of the next bars, `next` of the first of them.
    pub fn forecast(&self, next: f64, out: &mut [f64]) {
        let (long, persistence) = (self.variance(), self.persistence());
        let mut away = next - long;
        for v in out {
            *v = long + away;
            away *= persistence;
        }
    }
}

/// A fitted model.
#[derive(Clone, Debug, PartialEq)]
pub struct Garch {
    /// The parameters.
    pub parameters: GarchParameters,
    /// Logarithm of the likelihood.
    pub log_likelihood: f64,
    /// Variance of each bar, from the bars before it.
    pub variances: Vec<f64>,
    /// Variance of the bar after the last.
    pub next: f64,
    /// Steps of the search.
    pub steps: usize,
}

const MOST_STEPS: usize = 2_000;
const START: usize = 75;

/// Variance before the first bar: squares of the first 75 deviations, weighted with 0.94ᵏ.
fn backcast(e: &[f64]) -> f64 {
    let (mut weight, mut sum, mut weights) = (1.0, 0.0, 0.0);
    for e in e.iter().take(START) {
        sum += weight * e * e;
        weights += weight;
        weight *= 0.94;
    }
    sum / weights
}

/// Fits a model by maximum likelihood, as arch does: the same likelihood, start of the recursion, bounds of the
/// variances and grid of starting values; the search (quasi-Newton with exact derivatives, in coordinates that cannot
/// leave the model) goes on until it settles, where arch's stops at 1e-6 unless told otherwise.
///
/// - Shape: 100 returns or more. Units: returns in per cent fit best, as a variance near 1 is best conditioned; any unit
///   works.
/// - Errors: `TooFew`, `NotFinite`, `NoVariance`; `NotConverged` where the likelihood has no maximum inside.
/// - Sources: Bollerslev, Journal of Econometrics 31 (1986) 307; Glosten, Jagannathan and Runkle, Journal of Finance 48
///   (1993) 1779; Bollerslev, Review of Economics and Statistics 69 (1987) 542 for Student's shocks.
pub fn garch(returns: &[f64], model: GarchModel) -> Result<Garch, EconometricsError> {
    varied("returns of a GARCH model", returns, 100)?;
    let centre = if model.mean { mean(returns) } else { 0.0 };
    let e: Vec<f64> = returns.iter().map(|r| r - centre).collect();
    let likelihood = Likelihood::new(returns, &e, model);
    let start = likelihood.start(&e, centre);
    let mut theta = raw(&start, model);
    let steps = descend(&mut theta, MOST_STEPS, &mut |theta, gradient| likelihood.cost(theta, gradient))
        .ok_or(EconometricsError::NotConverged { what: "GARCH model", steps: MOST_STEPS })?;
    let parameters = natural(&theta, model);
    let mut variances = vec![0.0; returns.len()];
    let log_likelihood = likelihood.value(&parameters, &mut variances);
    let last = returns.len() - 1;
    Ok(Garch { next: parameters.next(variances[last], returns[last]), parameters, log_likelihood, variances, steps })
}

/// Log-likelihood of given parameters and the variances, into `variances`. Errors: as [`garch`]; `Shape` for another
/// number of variances than returns.
pub fn garch_log_likelihood(
    returns: &[f64],
    model: GarchModel,
    parameters: &GarchParameters,
    variances: &mut [f64],
) -> Result<f64, EconometricsError> {
    varied("returns of a GARCH model", returns, 2)?;
    if variances.len() != returns.len() {
        let (got, expected) = (variances.len(), returns.len());
        return Err(EconometricsError::Shape { what: "variances of a GARCH model", got, expected });
    }
    let centre = if model.mean { mean(returns) } else { 0.0 };
    let e: Vec<f64> = returns.iter().map(|r| r - centre).collect();
    Ok(Likelihood::new(returns, &e, model).value(parameters, variances))
}

/// Exponentially weighted variances: `σ²ₜ = λ σ²ₜ₋₁ + (1 − λ) r²ₜ₋₁`, each from the bars before it, into `out`, and the
/// variance of the bar after the last. The first is the mean square of the first 75 returns with weights 0.94ᵏ, which a
/// live system does not know: it is forgotten after some `3 / (1 − λ)` bars. Equal to arch's `EWMAVariance`.
///
/// - Range: `λ` above 0 and below 1 (RiskMetrics: 0.94 for days, 0.97 for months).
/// - Errors: `OutOfRange`, `Shape`, `NotFinite`, `TooFew` for no return. Source: RiskMetrics Technical Document (1996), 5.2.
pub fn ewma_variances(returns: &[f64], lambda: f64, out: &mut [f64]) -> Result<f64, EconometricsError> {
    if !(lambda > 0.0 && lambda < 1.0) {
        return Err(EconometricsError::OutOfRange { what: "decay of weights", got: lambda, least: 0.0, most: 1.0 });
    }
    if returns.is_empty() {
        return Err(EconometricsError::TooFew { what: "returns of an exponential variance", got: 0, need: 1 });
    }
    if out.len() != returns.len() {
        let (got, expected) = (out.len(), returns.len());
        return Err(EconometricsError::Shape { what: "variances of the returns", got, expected });
    }
    finite("returns of an exponential variance", returns)?;
    let mut variance = backcast(returns);
    for (out, r) in out.iter_mut().zip(returns) {
        *out = variance;
        variance = lambda * variance + (1.0 - lambda) * r * r;
    }
    Ok(variance)
}

/// Mean square about 0.
fn mean_square(e: &[f64]) -> f64 {
    sum_of(e, |v| v * v) / e.len() as f64
}
