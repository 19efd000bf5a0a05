//! Whether forecasts of value at risk came true.

use super::{RiskError, in_tail};
use crate::vmath;

/// A likelihood-ratio test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backtest {
    /// Likelihood ratio, 0 or more.
    pub statistic: f64,
    /// The probability of one at least as large if the forecasts are right (asymptotic).
    pub p_value: f64,
}

/// Christoffersen's three tests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    /// Whether losses beyond the value at risk are as frequent as they should be: [`kupiec`].
    pub unconditional: Backtest,
    /// Whether one does not make the next more likely (one degree of freedom).
    pub independence: Backtest,
    /// Both (two degrees of freedom).
    pub conditional: Backtest,
}

/// `n ln p`, 0 if there is nothing to weigh.
fn weigh(n: usize, p: f64) -> f64 {
    if n == 0 { 0.0 } else { n as f64 * libm::log(p) }
}

/// Log-likelihood of `hits` among `hits + misses` at their own rate.
fn own_rate(misses: usize, hits: usize) -> f64 {
    let n = (misses + hits) as f64;
    if n == 0.0 { 0.0 } else { weigh(misses, misses as f64 / n) + weigh(hits, hits as f64 / n) }
}

/// Upper tail of χ² with one or two degrees of freedom.
fn tested(statistic: f64, freedom: u8) -> Backtest {
    let statistic = statistic.max(0.0);
    let half = 0.5 * statistic;
    let p_value = if freedom == 1 { vmath::erfc(half.sqrt()) } else { libm::exp(-half) };
    Backtest { statistic, p_value }
}

/// Kupiec's proportion of failures: `exceeded` of `bars` losses were beyond the value at risk at `tail`; χ² with one
/// degree of freedom.
///
/// # Errors
/// No bar, more exceedances than bars, `tail` out of range. Source: Kupiec, Journal of Derivatives 3 (1995) 73.
pub fn kupiec(exceeded: usize, bars: usize, tail: f64) -> Result<Backtest, RiskError> {
    in_tail(tail)?;
    if bars == 0 {
        return Err(RiskError::TooFew { what: "bars", given: 0, least: 1 });
    }
    if exceeded > bars {
        return Err(RiskError::Shape { what: "exceedances", given: exceeded, expected: bars });
    }
    let misses = bars - exceeded;
    let claimed = if misses == 0 { 0.0 } else { misses as f64 * libm::log1p(-tail) } + weigh(exceeded, tail);
    Ok(tested(2.0 * (own_rate(misses, exceeded) - claimed), 1))
}

/// Kupiec's test, Christoffersen's test of independence against a first-order Markov chain, and their sum. `exceeded`
/// tells for each bar whether the loss was beyond the value at risk. The conditional test adds the two statistics, as the
/// paper does; the first bar counts in the unconditional one only.
///
/// # Errors
/// Fewer than two bars, `tail` out of range. Source: Christoffersen, International Economic Review 39 (1998) 841.
pub fn christoffersen(exceeded: &[bool], tail: f64) -> Result<Coverage, RiskError> {
    if exceeded.len() < 2 {
        return Err(RiskError::TooFew { what: "bars", given: exceeded.len(), least: 2 });
    }
    let unconditional = kupiec(exceeded.iter().filter(|e| **e).count(), exceeded.len(), tail)?;
    let mut from = [[0_usize; 2]; 2];
    for pair in exceeded.windows(2) {
        from[usize::from(pair[0])][usize::from(pair[1])] += 1;
    }
    let chain = own_rate(from[0][0], from[0][1]) + own_rate(from[1][0], from[1][1]);
    let even = own_rate(from[0][0] + from[1][0], from[0][1] + from[1][1]);
    let independence = tested(2.0 * (chain - even), 1);
    let conditional = tested(unconditional.statistic + independence.statistic, 2);
    Ok(Coverage { unconditional, independence, conditional })
}
