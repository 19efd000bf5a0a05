//! How far a position may drift before trading pays.

/// Half the width of the no-trade region around the optimal weight `weight`, for proportional costs `cost` of a trade's
/// value and a relative risk aversion `aversion`: `(3 / (2γ) · w² (1 − w)² · c)^(1/3)`. Inside it the loss from being off
/// target is less than what the trade costs; it is the leading term for small costs.
///
/// - Units: weights as fractions of wealth, signed; `cost` as a fraction (0.0005 is five basis points); `aversion` above 0, 1
///   is logarithmic utility. 0 for a cost of zero, a weight of 0 or 1, or a number out of range.
/// - Source: Janeček and Shreve, Finance and Stochastics 8 (2004) 181, theorem 2; Rogers (2004) has the same cube root.
#[must_use]
pub fn no_trade_half_width(weight: f64, cost: f64, aversion: f64) -> f64 {
    if !(cost > 0.0 && aversion > 0.0 && weight.is_finite()) {
        return 0.0;
    }
    let product = weight * (1.0 - weight);
    libm::cbrt(1.5 / aversion * product * product * cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_widths() {
        // 1.5 · 0.25² · 0.01 = 0.0009375, whose cube root is 0.0978… (bc -l: e(l(.0009375)/3)).
        assert!((no_trade_half_width(0.5, 0.01, 1.0) - 0.097_871_691_029_221).abs() < 1e-12);
        // Eight times the cost, twice the width; eight times the aversion, half.
        let w = no_trade_half_width(0.1, 0.001, 2.0);
        assert!((no_trade_half_width(0.1, 0.008, 2.0) / w - 2.0).abs() < 1e-12);
        assert!((no_trade_half_width(0.1, 0.001, 16.0) / w - 0.5).abs() < 1e-12);
        for (w, c, a) in [(0.5, 0.0, 1.0), (0.0, 0.1, 1.0), (1.0, 0.1, 1.0), (0.5, 0.1, 0.0), (f64::NAN, 0.1, 1.0)] {
            assert!(no_trade_half_width(w, c, a).abs() < 1e-300);
        }
    }
}
