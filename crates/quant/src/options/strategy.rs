//! Option strategies at expiry: payoff, break-evens, largest gain and loss, and the margin of Regulation T accounts.
//!
//! All legs share one underlying, multiplier and expiry. Payoffs are piecewise linear, so that everything follows from the
//! strikes.

use super::Right;

/// What a leg is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instrument {
    /// The underlying.
    Underlying,
    /// An option at a strike, above 0.
    Option {
        /// Call or put.
        right: Right,
        /// Strike.
        strike: f64,
    },
}

/// A position in one instrument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leg {
    /// What it is.
    pub instrument: Instrument,
    /// Units, negative if sold.
    pub quantity: f64,
    /// Price of a unit when the strategy was opened.
    pub price: f64,
}

/// What a strategy can bring at expiry, from its cost on.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Prices of the underlying at which nothing is gained or lost, ascending; ends of a flat stretch at 0 count.
    pub break_evens: Vec<f64>,
    /// Largest gain; infinite if it has no bound.
    pub largest_gain: f64,
    /// Largest loss, as a number of 0 or more; infinite if it has no bound.
    pub largest_loss: f64,
}

/// Gain (positive) or loss at expiry at a price of the underlying.
#[must_use]
pub fn gain_at(legs: &[Leg], underlying: f64) -> f64 {
    let of = |leg: &Leg| {
        let worth = match leg.instrument {
            Instrument::Underlying => underlying,
            Instrument::Option { right, strike } => right.payoff(underlying, strike),
        };
        leg.quantity * (worth - leg.price)
    };
    legs.iter().map(of).sum()
}

/// Units that gain without bound as the underlying rises: calls and the underlying.
fn slope_above(legs: &[Leg]) -> f64 {
    let rises = |leg: &&Leg| !matches!(leg.instrument, Instrument::Option { right: Right::Put, .. });
    legs.iter().filter(rises).map(|l| l.quantity).sum()
}

/// The outcome of a strategy; None without legs, for a number that is not finite or a strike that is not positive.
#[must_use]
pub fn outcome(legs: &[Leg]) -> Option<Outcome> {
    let good = |l: &Leg| match l.instrument {
        Instrument::Underlying => true,
        Instrument::Option { strike, .. } => strike > 0.0 && strike.is_finite(),
    };
    if legs.is_empty() || !legs.iter().all(|l| good(l) && l.quantity.is_finite() && l.price.is_finite()) {
        return None;
    }
    let mut corners = vec![0.0];
    corners.extend(legs.iter().filter_map(|l| match l.instrument {
        Instrument::Option { strike, .. } => Some(strike),
        Instrument::Underlying => None,
    }));
    corners.sort_by(f64::total_cmp);
    corners.dedup();
    let gains: Vec<f64> = corners.iter().map(|k| gain_at(legs, *k)).collect();
    let slope = slope_above(legs);
    let mut break_evens = Vec::new();
    for (k, g) in corners.windows(2).zip(gains.windows(2)) {
        if g[0] == 0.0 {
            break_evens.push(k[0]);
        } else if g[0] * g[1] < 0.0 {
            break_evens.push(k[0] - g[0] * (k[1] - k[0]) / (g[1] - g[0]));
        }
    }
    if let (Some(k), Some(g)) = (corners.last(), gains.last()) {
        if *g == 0.0 {
            break_evens.push(*k);
        } else if *g * slope < 0.0 {
            break_evens.push(k - g / slope);
        }
    }
    let most = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = gains.iter().copied().fold(f64::INFINITY, f64::min);
    let largest_gain = if slope > 0.0 { f64::INFINITY } else { most };
    let largest_loss = if slope < 0.0 { f64::INFINITY } else { (-least).max(0.0) };
    Some(Outcome { break_evens, largest_gain, largest_loss })
}

/// Margin of a strategy in a Regulation T account, for one unit of its multiplier, at the prices of `legs` and a price
/// of the underlying. None where this table has no rule, so that the caller must ask the broker.
///
/// - Long options alone: their price.
/// - Options whose loss is bounded at every price by the other options (spreads, iron condors, butterflies): the largest
///   loss at expiry from the credit on: FINRA rule 4210(f)(2)(H) with Regulatory Notice 12-44.
/// - Short options of one kind and strike, uncovered: price + 20 % of the underlying − amount out of the money, at least
///   price + 10 % of the underlying (call) or of the strike (put): FINRA rule 4210(f)(2)(E) for listed equity options. The
///   price received counts towards it.
#[must_use]
pub fn regulation_t_margin(legs: &[Leg], underlying: f64) -> Option<f64> {
    let o = outcome(legs)?;
    if !(underlying > 0.0) || legs.iter().any(|l| l.instrument == Instrument::Underlying) {
        return None;
    }
    if let [leg] = legs
        && leg.quantity < 0.0
        && let Instrument::Option { right, strike } = leg.instrument
    {
        let out = (right.sign() * (strike - underlying)).max(0.0);
        let base = if right == Right::Call { underlying } else { strike };
        return Some(-leg.quantity * (leg.price + (0.2 * underlying - out).max(0.1 * base)));
    }
    // A short put that no long put covers has a bounded loss too, but is not a spread.
    let puts: f64 = legs
        .iter()
        .filter(|l| matches!(l.instrument, Instrument::Option { right: Right::Put, .. }))
        .map(|l| l.quantity)
        .sum();
    (o.largest_loss.is_finite() && puts >= 0.0).then_some(o.largest_loss)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(right: Right, strike: f64, quantity: f64, price: f64) -> Leg {
        Leg { instrument: Instrument::Option { right, strike }, quantity, price }
    }

    fn check(legs: &[Leg], break_evens: &[f64], gain: f64, loss: f64) {
        let o = outcome(legs).unwrap();
        assert_eq!((o.largest_gain, o.largest_loss), (gain, loss), "{legs:?}");
        assert_eq!(o.break_evens, break_evens, "{legs:?}");
        for b in break_evens {
            assert!(gain_at(legs, *b).abs() < 1e-12);
        }
    }

    #[test]
    fn known_strategies() {
        use Right::{Call, Put};
        let inf = f64::INFINITY;
        // Hull, chapter 12: bull spread of calls at 30 (3) and 35 (1); butterfly at 55, 60, 65 for 10, 7, 5.
        check(&[leg(Call, 30.0, 1.0, 3.0), leg(Call, 35.0, -1.0, 1.0)], &[32.0], 3.0, 2.0);
        check(
            &[leg(Call, 55.0, 1.0, 10.0), leg(Call, 60.0, -2.0, 7.0), leg(Call, 65.0, 1.0, 5.0)],
            &[56.0, 64.0],
            4.0,
            1.0,
        );
        check(&[leg(Call, 50.0, 1.0, 4.0), leg(Put, 50.0, 1.0, 3.0)], &[43.0, 57.0], inf, 7.0);
        check(&[leg(Call, 50.0, -1.0, 4.0)], &[54.0], 4.0, inf);
        check(&[leg(Put, 50.0, -1.0, 3.0)], &[47.0], 3.0, 47.0);
        let share = Leg { instrument: Instrument::Underlying, quantity: 1.0, price: 100.0 };
        check(&[share, leg(Call, 110.0, -1.0, 2.0)], &[98.0], 12.0, 98.0);
        check(&[share, leg(Put, 90.0, 1.0, 2.0)], &[102.0], inf, 12.0);
        assert_eq!(outcome(&[]), None);
        assert_eq!(outcome(&[leg(Call, 0.0, 1.0, 1.0)]), None);
    }

    #[test]
    fn margins() {
        use Right::{Call, Put};
        let check = |legs: &[Leg], underlying: f64, expected: Option<f64>| {
            let m = regulation_t_margin(legs, underlying);
            assert!(m == expected || (m.unwrap() - expected.unwrap()).abs() < 1e-12, "{legs:?}: {m:?}");
        };
        // Short call 120 at 8.40 with the share at 128.50: 8.40 + 25.70; short put 80 at 2 with the share at 95: the
        // amount out of the money leaves 19 − 15 = 4, below 10 % of the strike.
        check(&[leg(Call, 120.0, -1.0, 8.4)], 128.5, Some(34.1));
        check(&[leg(Put, 80.0, -1.0, 2.0)], 95.0, Some(10.0));
        check(&[leg(Call, 30.0, 1.0, 3.0), leg(Call, 35.0, -1.0, 1.0)], 31.0, Some(2.0));
        check(&[leg(Put, 30.0, -1.0, 3.0), leg(Put, 25.0, 1.0, 1.0)], 31.0, Some(3.0));
        check(&[leg(Put, 30.0, -2.0, 3.0), leg(Put, 25.0, 1.0, 1.0)], 31.0, None);
        check(&[leg(Call, 50.0, -1.0, 4.0), leg(Put, 50.0, -1.0, 3.0)], 50.0, None);
        check(&[leg(Call, 50.0, 1.0, 4.0)], 50.0, Some(4.0));
    }
}
