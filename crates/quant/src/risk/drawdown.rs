//! Drawdown as a measure of risk: its mean, its tail and its root mean square over the bars of a curve.

use super::{RiskError, Tail, all_finite, historical};

/// Measures of the fall below the running peak over all bars; fractions of the peak, 0 or more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawdowns {
    /// The deepest.
    pub max: f64,
    /// Mean over the bars, those at a peak count as 0.
    pub average: f64,
    /// Drawdown at risk: exceeded on a share `tail` of the bars.
    pub at_risk: f64,
    /// Conditional drawdown at risk: mean over the worst share `tail` of the bars.
    pub conditional: f64,
    /// Ulcer index: root of the mean square.
    pub ulcer: f64,
}

/// Of an equity curve: its first row is where it starts and is no bar; all rows above 0.
///
/// # Errors
/// Fewer than two rows, a row that is not finite or not above 0, `tail` out of range. Sources: Chekhlov, Uryasev and
/// Zabarankin, International Journal of Theoretical and Applied Finance 8 (2005) 13; Martin and McCann (1989).
pub fn drawdown_measures(equity: &[f64], tail: f64) -> Result<Drawdowns, RiskError> {
    if equity.len() < 2 {
        return Err(RiskError::TooFew { what: "equity", given: equity.len(), least: 2 });
    }
    all_finite("equity", equity)?;
    if let Some(value) = equity.iter().find(|e| **e <= 0.0) {
        return Err(RiskError::Range { what: "equity", value: *value, expected: "above 0" });
    }
    let mut peak = equity[0];
    let mut falls: Vec<f64> = Vec::with_capacity(equity.len() - 1);
    for e in &equity[1..] {
        peak = peak.max(*e);
        falls.push((e - peak) / peak);
    }
    let Tail { var, es } = historical(&falls, tail)?;
    let n = falls.len() as f64;
    Ok(Drawdowns {
        max: -falls.iter().copied().fold(0.0, f64::min),
        average: -falls.iter().sum::<f64>() / n,
        at_risk: var,
        conditional: es,
        ulcer: (falls.iter().map(|f| f * f).sum::<f64>() / n).sqrt(),
    })
}
