//! What getting out costs, on top of what the market moves.

use super::{RiskError, all_finite};

/// Cost of selling at the bid on a bad day, to be added to the value at risk: `½ Σ |xᵢ| (mᵢ + k sᵢ)` with exposures `x`
/// in money, mean `m` and deviation `s` of the relative spread `(ask − bid) / mid`, and `k` deviations of the bad day
/// (2 to 4.5 by the paper).
///
/// # Errors
/// Lengths that differ, values that are not finite, a spread, deviation or `k` below 0. Source: Bangia, Diebold,
/// Schuermann and Stroughair, Risk 12 (1999) 68.
pub fn spread_cost(exposures: &[f64], spreads: &[f64], deviations: &[f64], k: f64) -> Result<f64, RiskError> {
    for (what, values) in [("spreads", spreads), ("deviations", deviations)] {
        if values.len() != exposures.len() {
            return Err(RiskError::Shape { what, given: values.len(), expected: exposures.len() });
        }
    }
    for (what, values) in [("exposures", exposures), ("spreads", spreads), ("deviations", deviations), ("k", &[k])] {
        all_finite(what, values)?;
        if what != "exposures"
            && let Some(value) = values.iter().find(|v| **v < 0.0)
        {
            return Err(RiskError::Range { what, value: *value, expected: "not below 0" });
        }
    }
    let parts = exposures.iter().zip(spreads).zip(deviations).map(|((x, m), s)| x.abs() * (m + k * s));
    Ok(0.5 * parts.sum::<f64>())
}

/// By what the one-bar value at risk of a position grows while it is sold in equal parts, one at the end of each bar:
/// `√((n + 1)(2n + 1) / 6n)` for `n = ⌈|quantity| / (participation · volume)⌉` bars; 1 if one bar is enough.
///
/// # Errors
/// A quantity that is not finite, a volume or participation not above 0. Source: the sum of `(k/n)²` over the bars;
/// Jorion, Value at Risk (2006), section 13.3.
pub fn liquidation_factor(quantity: f64, volume: f64, participation: f64) -> Result<f64, RiskError> {
    all_finite("quantity", &[quantity])?;
    for (what, value) in [("volume", volume), ("participation", participation)] {
        if !value.is_finite() || value <= 0.0 {
            return Err(RiskError::Range { what, value, expected: "finite and above 0" });
        }
    }
    let bars = (quantity.abs() / (participation * volume)).ceil().max(1.0);
    Ok(((bars + 1.0) * (2.0 * bars + 1.0) / (6.0 * bars)).sqrt())
}
