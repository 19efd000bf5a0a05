//! Performance of an equity curve or of its returns, with the uncertainty of what is claimed.
//!
//! Rows are bars, oldest first. Returns are simple and per bar (0.01 is one per cent). `periods_per_year` is the
//! number of bars in a year and always the caller's to name (252, 365, 12 …). Whatever is undefined (too few
//! observations, zero variance, a value that is not finite, an equity that starts at 0 or below) is `None`, never
//! NaN. Standard deviations have the divisor `n − 1`; sums run in the fixed order of `sum8`.

use tradegraph_columns::sum8;

/// What a return is measured against. It has a name because two ratios compare only if theirs is the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RiskFree<'a> {
    /// Nothing is subtracted.
    Zero,
    /// A constant rate a bar.
    PerPeriod(f64),
    /// A constant yearly rate `r`, compounded: `(1 + r)^(1 / periods_per_year) − 1` a bar.
    PerYear {
        /// Rate of a year, above −1.
        rate: f64,
        /// Bars in a year, above 0.
        periods_per_year: f64,
    },
    /// A rate for each bar; as many as there are returns.
    Series(&'a [f64]),
}

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

/// The deepest fall from a peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawdown {
    /// Fall as a fraction of the peak, 0 or more; above 1 if equity fell below zero.
    pub depth: f64,
    /// Row of the peak: the last row at that height before the fall.
    pub start: usize,
    /// First row of the lowest value.
    pub trough: usize,
    /// First row after the trough at or above the peak; `None` if it never came back.
    pub recovery: Option<usize>,
}

/// Simple returns `eₜ / eₜ₋₁ − 1` of an equity curve: one fewer than rows. `None` for fewer than two rows, or if
/// a row that is divided by is not above 0 or any is not finite.
#[must_use]
pub fn returns(equity: &[f64]) -> Option<Vec<f64>> {
    if equity.len() < 2 {
        return None;
    }
    let step = |w: &[f64]| if w[0] > 0.0 { finite(w[1] / w[0] - 1.0) } else { None };
    equity.windows(2).map(step).collect()
}

/// Returns less the risk-free rate of their bar. `None` if a series of rates has another length or any number is
/// not finite.
#[must_use]
pub fn excess(returns: &[f64], risk_free: RiskFree<'_>) -> Option<Vec<f64>> {
    let rate = match risk_free {
        RiskFree::Zero => 0.0,
        RiskFree::PerPeriod(rate) => rate,
        RiskFree::PerYear { rate, periods_per_year } => {
            if rate <= -1.0 || periods_per_year <= 0.0 {
                return None;
            }
            libm::expm1(libm::log1p(rate) / periods_per_year)
        }
        RiskFree::Series(rates) => {
            if rates.len() != returns.len() {
                return None;
            }
            return returns.iter().zip(rates).map(|(r, f)| finite(r - f)).collect();
        }
    };
    returns.iter().map(|r| finite(r - rate)).collect()
}

/// Total return `e_last / e_first − 1`, a fraction. `None` for fewer than two rows or a start not above 0.
#[must_use]
pub fn total_return(equity: &[f64]) -> Option<f64> {
    match equity {
        [first, .., last] if *first > 0.0 => finite(last / first - 1.0),
        _ => None,
    }
}

/// Compound annual growth rate `(e_last / e_first)^(periods_per_year / (rows − 1)) − 1`, a fraction.
///
/// `None` as [`total_return`], for an end below 0, or if the result is not finite; an end of 0 is −1.
/// Source: GIPS Standards (2020), annualised geometric return; equal to empyrical's `annual_return`.
#[must_use]
pub fn cagr(equity: &[f64], periods_per_year: f64) -> Option<f64> {
    let total = total_return(equity)?;
    if total < -1.0 || periods_per_year.is_nan() || periods_per_year <= 0.0 {
        return None;
    }
    let years = (equity.len() - 1) as f64 / periods_per_year;
    finite(libm::expm1(libm::log1p(total) / years))
}

/// Annualised volatility `s · √periods_per_year`, `s` the sample standard deviation of the returns. A constant
/// series has 0; fewer than two returns have `None`. The root of time assumes uncorrelated returns.
#[must_use]
pub fn volatility(returns: &[f64], periods_per_year: f64) -> Option<f64> {
    let Moments { variance, .. } = Moments::of(returns)?;
    finite(variance.sqrt() * periods_per_year.sqrt())
}

/// Sharpe ratio `mean / s` of the excess returns, with its standard error
/// `√((1 − γ₃ SR + (γ₄ − 1)/4 · SR²) / (n − 1))`, both per bar and annualised by `√periods_per_year`.
///
/// For normal returns (γ₃ = 0, γ₄ = 3) the error is Lo's `√((1 + SR²/2) / n)` with `n − 1` for `n`. Serial
/// correlation is not corrected for: where returns trend, the error is too small.
///
/// `None` for fewer than two returns, zero variance (also of returns equal up to rounding), or a rate that does not
/// fit. Sources: Sharpe, Journal of Portfolio Management 21 (1994) 49; Lo, Financial Analysts Journal 58 (2002)
/// 36, eq. 9; Bailey and López de Prado, Journal of Risk 15 (2012) 3, the standard deviation of SR̂ there.
#[must_use]
pub fn sharpe(returns: &[f64], risk_free: RiskFree<'_>, periods_per_year: f64) -> Option<Sharpe> {
    let excess = excess(returns, risk_free)?;
    let m = Moments::of(&excess)?;
    let (skewness, kurtosis) = (m.skewness?, m.kurtosis?);
    let n = excess.len();
    let sr = m.mean / m.variance.sqrt();
    // Kurtosis ≥ 1 + skewness² keeps the bracket at or above 0; rounding may not.
    let bracket = 1.0 - skewness * sr + (kurtosis - 1.0) / 4.0 * sr * sr;
    let error = (bracket.max(0.0) / (n - 1) as f64).sqrt();
    let root = periods_per_year.sqrt();
    Some(Sharpe {
        n,
        per_period: finite(sr)?,
        error_per_period: finite(error)?,
        annual: finite(sr * root)?,
        error_annual: finite(error * root)?,
        skewness,
        kurtosis,
    })
}

/// Probabilistic Sharpe ratio `Φ((SR − SR*) / error)`: the probability, 0 to 1, that the true ratio is above
/// `benchmark`. All ratios are **per bar**; the error is that of [`sharpe`].
///
/// `None` as [`sharpe`], or if the error is 0. Source: Bailey and López de Prado, Journal of Risk 15 (2012) 3, the
/// definition of PSR.
#[must_use]
pub fn probabilistic_sharpe(returns: &[f64], risk_free: RiskFree<'_>, benchmark: f64) -> Option<f64> {
    let s = sharpe(returns, risk_free, 1.0)?;
    let z = finite((s.per_period - benchmark) / s.error_per_period)?;
    Some(0.5 * libm::erfc(-z / std::f64::consts::SQRT_2))
}

/// Sortino ratio `mean / d · √periods_per_year` of the excess returns, where `d = √(Σ min(xᵢ, 0)² / n)` over all
/// `n` of them.
///
/// `None` without returns or without a loss. Source: Sortino and Price, Journal of Investing 3 (1994) 59; equal to
/// empyrical's `sortino_ratio`.
#[must_use]
pub fn sortino(returns: &[f64], risk_free: RiskFree<'_>, periods_per_year: f64) -> Option<f64> {
    let excess = excess(returns, risk_free)?;
    let n = excess.len() as f64;
    let losses: Vec<f64> = excess.iter().map(|x| x.min(0.0) * x.min(0.0)).collect();
    let downside = (sum8(&losses) / n).sqrt();
    if downside > 0.0 { finite(sum8(&excess) / n / downside * periods_per_year.sqrt()) } else { None }
}

/// Maximum drawdown `max over t of (peakₜ − eₜ) / peakₜ`; of equal depths the first. A curve that never falls has
/// depth 0 at row 0.
///
/// `None` for no rows, a first row not above 0, or a row that is not finite. Source: Magdon-Ismail and Atiya, Risk
/// 17 (2004) 99.
#[must_use]
pub fn max_drawdown(equity: &[f64]) -> Option<Drawdown> {
    let first = *equity.first()?;
    if first <= 0.0 || equity.iter().any(|e| !e.is_finite()) {
        return None;
    }
    let mut worst = Drawdown { depth: 0.0, start: 0, trough: 0, recovery: Some(0) };
    let (mut peak, mut peak_row, mut worst_peak) = (first, 0, first);
    for (row, e) in equity.iter().enumerate() {
        if *e >= peak {
            (peak, peak_row) = (*e, row);
        }
        let depth = (peak - e) / peak;
        if depth > worst.depth {
            worst = Drawdown { depth, start: peak_row, trough: row, recovery: None };
            worst_peak = peak;
        } else if worst.recovery.is_none() && *e >= worst_peak {
            worst.recovery = Some(row);
        }
    }
    Some(worst)
}

/// Share of the returns other than 0 that are above 0. Bars without a return (no position) do not count. `None`
/// if there is no such return or one is NaN.
#[must_use]
pub fn hit_rate(returns: &[f64]) -> Option<f64> {
    let wins = returns.iter().filter(|r| **r > 0.0).count();
    let losses = returns.iter().filter(|r| **r < 0.0).count();
    if wins + losses == 0 || returns.iter().any(|r| r.is_nan()) {
        return None;
    }
    Some(wins as f64 / (wins + losses) as f64)
}

fn finite(x: f64) -> Option<f64> {
    if x.is_finite() { Some(x) } else { None }
}

struct Moments {
    mean: f64,
    /// Sample variance, divisor `n − 1`.
    variance: f64,
    /// Population skewness; `None` without variance.
    skewness: Option<f64>,
    /// Population kurtosis; `None` without variance.
    kurtosis: Option<f64>,
}

impl Moments {
    /// `None` for fewer than two values or values that are not finite.
    fn of(x: &[f64]) -> Option<Moments> {
        if x.len() < 2 {
            return None;
        }
        let n = x.len() as f64;
        let mean = finite(sum8(x) / n)?;
        let mut power: Vec<f64> = x.iter().map(|v| (v - mean) * (v - mean)).collect();
        let squares = finite(sum8(&power))?;
        // Equal values leave deviations of the size of the rounding of their mean: that is no variance.
        let rounding = 4.0 * f64::EPSILON * mean.abs();
        if squares <= n * rounding * rounding {
            return Some(Moments { mean, variance: 0.0, skewness: None, kurtosis: None });
        }
        let m2 = squares / n;
        power.iter_mut().for_each(|p| *p *= *p);
        let m4 = sum8(&power) / n;
        for (p, v) in power.iter_mut().zip(x) {
            let d = v - mean;
            *p = d * d * d;
        }
        let m3 = sum8(&power) / n;
        Some(Moments {
            mean,
            variance: squares / (n - 1.0),
            skewness: finite(m3 / (m2 * m2.sqrt())),
            kurtosis: finite(m4 / (m2 * m2)),
        })
    }
}

#[cfg(test)]
mod tests;
