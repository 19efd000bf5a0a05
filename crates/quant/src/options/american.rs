//! American options without cash dividends, by the exercise boundary.
//!
//! The boundary `B(τ)` solves an integral equation; it is found as a fixed point on Chebyshev nodes of `√τ`, for which
//! `ln²(B / X)` is nearly a low polynomial, from the start that Li's QD+ gives; the premium of early exercise is one more
//! integral. Sources: Andersen, Lake and Offengenden (2016), "High-performance American option pricing", sections 4 and
//! 5, system FP-A; Li (2010), "Analytical approximations for the critical stock prices of American options" (QD+).
//! A call is the put with spot and strike, rate and yield exchanged (McDonald and Schroder 1998).

mod boundary;
mod scheme;

pub use scheme::AmericanScheme;

use super::{BLOCK, OptionColumns, Right, blocks, load, store};
use crate::vmath::{exp, ln, widest};
use boundary::{Put, puts};
use pulp::{Simd, WithSimd};

/// An American option: exercise at any time. Units as in [`super::European`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct American {
    /// Call or put.
    pub right: Right,
    /// Price of the underlying, above 0.
    pub underlying: f64,
    /// Strike, above 0.
    pub strike: f64,
    /// Years to expiry, 0 or more.
    pub years: f64,
    /// Rate of a year, continuous.
    pub rate: f64,
    /// Cost of carry of a year: rate less dividend yield.
    pub carry: f64,
    /// Volatility of a year, 0 or more.
    pub vol: f64,
}

impl American {
    /// The premium. NaN where [`super::European::price`] is, and where exercise is worth while only between two
    /// boundaries: a put with yield < rate < 0, a call with rate < yield < 0. [`super::Grid`] prices those.
    #[must_use]
    pub fn price(&self, scheme: &AmericanScheme) -> f64 {
        let p = reflect(self.right.sign(), self.underlying, self.strike, self.years, self.rate, self.carry, self.vol);
        let usual = usual(&p);
        let [v] = puts::<1, 1>(scheme, &[p.ratio], &[p.rate], &[p.dividend_yield], &[p.vol], &[p.years]);
        if usual { v * p.scale } else { special(&p) }
    }
}

/// The put of which an option is a reflection, with a strike of one.
#[inline(always)]
fn reflect(sign: f64, spot: f64, strike: f64, years: f64, rate: f64, carry: f64, vol: f64) -> Put {
    let dividend_yield = rate - carry;
    let valid = spot > 0.0 && strike > 0.0 && years >= 0.0 && vol >= 0.0;
    let valid = valid && spot < f64::INFINITY && strike < f64::INFINITY;
    let put = sign < 0.0;
    Put {
        ratio: if put { spot / strike } else { strike / spot },
        scale: if !valid {
            f64::NAN
        } else if put {
            strike
        } else {
            spot
        },
        rate: if put { rate } else { dividend_yield },
        dividend_yield: if put { dividend_yield } else { rate },
        vol,
        years,
    }
}

/// Whether the boundary exists and is one, and the volatility is not negligible.
#[inline(always)]
fn usual(p: &Put) -> bool {
    p.rate > 1e-12 && p.vol * p.vol * p.years > 1e-12 && p.vol < 10.0 && p.years < 100.0 && p.scale > 0.0
}

/// Limits: never exercised early, no volatility, double boundary.
#[cold]
#[inline(never)]
fn special(p: &Put) -> f64 {
    let Put { ratio, scale, rate, dividend_yield, vol, years } = *p;
    let european = super::European::on_spot(Right::Put, ratio, 1.0, years, rate, dividend_yield, vol).price();
    let now = (1.0 - ratio).max(0.0);
    if !(european * scale).is_finite() {
        return f64::NAN;
    }
    if rate <= 0.0 {
        return if dividend_yield >= rate || rate == 0.0 { european.max(now) * scale } else { f64::NAN };
    }
    if rate <= 1e-12 {
        return european.max(now) * scale;
    }
    if vol * vol * years > 1e-12 {
        return f64::NAN;
    }
    // Without volatility: the best moment to exercise.
    let best = if dividend_yield > rate && dividend_yield * ratio > rate {
        (ln(dividend_yield * ratio / rate) / (dividend_yield - rate)).min(years)
    } else {
        0.0
    };
    let then = exp(-rate * best) - ratio * exp(-dividend_yield * best);
    then.max(now).max(european) * scale
}

/// Premiums of a column of American options, the bits of [`American::price`].
///
/// # Panics
/// If the columns differ in length.
pub fn american_prices(scheme: &AmericanScheme, options: OptionColumns<'_>, price: &mut [f64]) {
    assert_eq!(options.check(), price.len(), "option columns of one length");
    widest(Fill { scheme, options, price });
}

struct Fill<'a> {
    scheme: &'a AmericanScheme,
    options: OptionColumns<'a>,
    price: &'a mut [f64],
}

impl WithSimd for Fill<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { scheme, options: o, price } = self;
        let zero = [0.0; BLOCK];
        let (mut ratio, mut rate, mut dividends, mut vol, mut years) = (zero, zero, zero, zero, zero);
        for (at, length) in blocks(price.len()) {
            let sign = load(o.right, at, length, Right::Put).map(Right::sign);
            let (spot, strike) = (load(o.underlying, at, length, 1.0), load(o.strike, at, length, 1.0));
            let (t, v) = (load(o.years, at, length, 1.0), load(o.vol, at, length, 1.0));
            let (r, b) = (load(o.rate, at, length, 0.05), load(o.carry, at, length, 0.05));
            for i in 0..BLOCK {
                let p = reflect(sign[i], spot[i], strike[i], t[i], r[i], b[i], v[i]);
                (ratio[i], rate[i], dividends[i], vol[i], years[i]) =
                    (p.ratio, p.rate, p.dividend_yield, p.vol, p.years);
            }
            let mut value = puts::<BLOCK, 4>(scheme, &ratio, &rate, &dividends, &vol, &years);
            for i in 0..length {
                let p = reflect(sign[i], spot[i], strike[i], t[i], r[i], b[i], v[i]);
                value[i] = if usual(&p) { value[i] * p.scale } else { special(&p) };
            }
            store(price, at, length, &value);
        }
    }
}
