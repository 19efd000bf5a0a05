//! What put-call parity says of quoted premiums.
//!
//! European: `C − P = S e^((b−r)T) − K e^(−rT)` (Stoll 1969). American: `S e^((b−r)T) − K ≤ C − P ≤ S − K e^(−rT)` for
//! rates and yields that are not negative (Hull, "Options, futures, and other derivatives", chapter 11).

use crate::vmath::{exp, ln};

/// What a pair of call and put says against parity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parity {
    /// `C − P − (S e^((b−r)T) − K e^(−rT))`: above 0 the call is dear against the put.
    pub residual: f64,
    /// The forward at which the pair is fair, `K + (C − P) e^(rT)`.
    pub implied_forward: f64,
    /// The carry at which it is fair, per year; NaN where the forward is not positive or no time is left.
    pub implied_carry: f64,
}

/// Parity of European premiums of one strike and expiry; units as in [`super::European`].
#[must_use]
pub fn parity(call: f64, put: f64, spot: f64, strike: f64, years: f64, rate: f64, carry: f64) -> Parity {
    let apart = call - put;
    let fair = spot * exp((carry - rate) * years) - strike * exp(-rate * years);
    let implied_forward = strike + apart * exp(rate * years);
    let usable = implied_forward > 0.0 && spot > 0.0 && years > 0.0;
    let implied_carry = if usable { ln(implied_forward / spot) / years } else { f64::NAN };
    Parity { residual: apart - fair, implied_forward, implied_carry }
}

/// How far `C − P` of American premiums is outside its bounds: 0 inside, positive above, negative below. Rate and dividend
/// yield (rate less carry) are 0 or more, else NaN.
#[must_use]
pub fn american_parity_breach(call: f64, put: f64, spot: f64, strike: f64, years: f64, rate: f64, carry: f64) -> f64 {
    if !(rate >= 0.0 && rate - carry >= 0.0) {
        return f64::NAN;
    }
    let apart = call - put;
    let (low, high) = (spot * exp((carry - rate) * years) - strike, spot - strike * exp(-rate * years));
    if apart > high {
        apart - high
    } else if apart < low {
        apart - low
    } else {
        apart * 0.0
    }
}
