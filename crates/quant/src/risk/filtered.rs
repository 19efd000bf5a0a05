//! Filtered historical simulation: yesterday's shocks at today's volatility.

use super::{RiskError, Tail, all_finite, historical};

/// Volatility of each bar known before it, from exponentially weighted squared returns:
/// `σ²ₜ₊₁ = λ σ²ₜ + (1 − λ) r²ₜ`, started with the mean square of the first `warm` returns. One more row than returns: the
/// last is the forecast for the next bar.
///
/// # Errors
/// A decay outside 0 to 1 (both excluded), no warm-up or fewer returns than it has, a return that is not finite.
/// Source: J.P. Morgan, RiskMetrics Technical Document (1996), equation 5.3.
pub fn weighted_volatilities(returns: &[f64], decay: f64, warm: usize) -> Result<Vec<f64>, RiskError> {
    if decay.is_nan() || decay <= 0.0 || decay >= 1.0 {
        return Err(RiskError::Range { what: "decay", value: decay, expected: "above 0 and below 1" });
    }
    if warm == 0 || returns.len() < warm {
        return Err(RiskError::TooFew { what: "returns", given: returns.len(), least: warm.max(1) });
    }
    all_finite("returns", returns)?;
    let mut variance = returns[..warm].iter().map(|r| r * r).sum::<f64>() / warm as f64;
    let mut out = Vec::with_capacity(returns.len() + 1);
    out.push(variance.sqrt());
    for r in returns {
        variance = decay * variance + (1.0 - decay) * r * r;
        out.push(variance.sqrt());
    }
    Ok(out)
}

/// Value at risk and expected shortfall of the next bar: each return less `mean` is divided by the volatility of its bar
/// and multiplied by the forecast. `volatilities` has one more row than returns, the forecast last: of
/// [`weighted_volatilities`] or of a GARCH model.
///
/// # Errors
/// Rows that do not fit, values that are not finite, a volatility of a bar not above 0, `tail` out of range. Sources:
/// Barone-Adesi, Giannopoulos and Vosper, Journal of Futures Markets 19 (1999) 583; Hull and White, Journal of Risk 1
/// (1998) 5.
pub fn filtered_historical(returns: &[f64], volatilities: &[f64], mean: f64, tail: f64) -> Result<Tail, RiskError> {
    if volatilities.len() != returns.len() + 1 {
        return Err(RiskError::Shape { what: "volatilities", given: volatilities.len(), expected: returns.len() + 1 });
    }
    all_finite("returns", returns)?;
    all_finite("volatilities", volatilities)?;
    all_finite("mean", &[mean])?;
    if let Some(value) = volatilities.iter().find(|v| **v <= 0.0) {
        return Err(RiskError::Range { what: "volatility", value: *value, expected: "above 0" });
    }
    let forecast = volatilities[returns.len()];
    let rescaled: Vec<f64> = returns.iter().zip(volatilities).map(|(r, v)| mean + (r - mean) / v * forecast).collect();
    historical(&rescaled, tail)
}
