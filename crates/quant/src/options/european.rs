//! European options by Black, Scholes and Merton with any cost of carry, and their Greeks.
//!
//! One formula: carry = rate − dividend yield is Black–Scholes–Merton (1973), carry = 0 an option on a future (Black
//! 1976), carry = rate − foreign rate a currency option (Garman and Kohlhagen 1983); Haug (2007), "The complete guide to
//! option pricing formulas", chapters 1 and 2.

use super::normalised::tails;
use super::{BLOCK, Right, blocks, load, store};
use crate::vmath::{exp, ln_ratio_by, widest};
use pulp::{Simd, WithSimd};

const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// A European option and its market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct European {
    /// Call or put.
    pub right: Right,
    /// Price of the underlying (of the future for Black's formula), above 0.
    pub underlying: f64,
    /// Strike, above 0.
    pub strike: f64,
    /// Years to expiry, 0 or more.
    pub years: f64,
    /// Rate of a year, continuous; any sign.
    pub rate: f64,
    /// Cost of carry of a year, continuous: rate less dividend yield, 0 for a future; any sign.
    pub carry: f64,
    /// Volatility of a year, 0 or more.
    pub vol: f64,
}

/// A price and its derivatives. Time derivatives are by the passing of time, per year: an option that loses value while
/// nothing moves has a negative theta. Those by volatility or a rate are per 1.00.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Greeks {
    /// The premium.
    pub price: f64,
    /// `∂V/∂S`.
    pub delta: f64,
    /// `∂²V/∂S²`.
    pub gamma: f64,
    /// `∂V/∂σ`.
    pub vega: f64,
    /// `−∂V/∂T`.
    pub theta: f64,
    /// `∂V/∂r` with the dividend yield held, so that carry moves with the rate.
    pub rho: f64,
    /// `∂V/∂b` by the carry with the rate held; minus it is the derivative by the dividend yield.
    pub carry_rho: f64,
    /// `∂V/∂r` with the carry held: the rho of an option on a future.
    pub discount_rho: f64,
    /// `∂²V/∂S∂σ`.
    pub vanna: f64,
    /// `∂²V/∂σ²`.
    pub volga: f64,
    /// `−∂²V/∂S∂T`.
    pub charm: f64,
    /// `∂³V/∂S³`.
    pub speed: f64,
    /// `∂³V/∂S²∂σ`.
    pub zomma: f64,
    /// `−∂³V/∂S²∂T`.
    pub color: f64,
}

impl European {
    /// An option on something held at a cost: a share with a dividend yield, a currency with its own rate.
    #[inline(always)]
    #[must_use]
    pub fn on_spot(right: Right, spot: f64, strike: f64, years: f64, rate: f64, dividend_yield: f64, vol: f64) -> Self {
        Self { right, underlying: spot, strike, years, rate, carry: rate - dividend_yield, vol }
    }

    /// An option on a future or forward price.
    #[must_use]
    pub fn on_future(right: Right, future: f64, strike: f64, years: f64, rate: f64, vol: f64) -> Self {
        Self { right, underlying: future, strike, years, rate, carry: 0.0, vol }
    }

    /// The premium; with no time or no volatility left, the discounted payoff of the forward. NaN for a price that is not
    /// positive, a negative time or volatility, and for NaN.
    #[must_use]
    pub fn price(&self) -> f64 {
        self.greeks().price
    }

    /// [`European::price`] inside a kernel.
    #[inline(always)]
    pub(super) fn premium(&self) -> f64 {
        kernel(self.right.sign(), self.underlying, self.strike, self.years, self.rate, self.carry, self.vol).price
    }

    /// The premium and all Greeks. With no time or no volatility left they are those of the payoff; exactly at the money
    /// gamma then has no bound and is a number above 1e30.
    #[must_use]
    pub fn greeks(&self) -> Greeks {
        kernel(self.right.sign(), self.underlying, self.strike, self.years, self.rate, self.carry, self.vol)
    }
}

/// Sources: Haug (2007), sections 2.1 to 2.10; the premium out of the money by [`tails`], in the money by parity.
#[inline(always)]
fn kernel(sign: f64, spot: f64, strike: f64, years: f64, rate: f64, carry: f64, vol: f64) -> Greeks {
    let valid = spot > 0.0 && strike > 0.0 && years >= 0.0 && vol >= 0.0;
    let valid = valid && spot < f64::INFINITY && strike < f64::INFINITY && years < f64::INFINITY;
    let (share, bond) = (exp((carry - rate) * years), exp(-rate * years));
    let (a, k) = (spot * share, strike * bond);
    let per_spot = 1.0 / spot;
    let moneyness = carry * years - ln_ratio_by(strike, spot, strike * per_spot);
    // Bounds far outside any market keep products finite where a limit is taken.
    let years = if years < 1e-80 { 1e-80 } else { years };
    let vol = if vol < 1e-40 { 1e-40 } else { vol };
    let vol = if vol > 1e10 { 1e10 } else { vol };
    let root = years.sqrt();
    let s = vol * root;
    let call_is_out = moneyness <= 0.0;
    let lower = if call_is_out { a } else { k };
    let per_s = 1.0 / s;
    let w = tails(-moneyness.abs() * per_s, s);
    let d = w.h + w.t;
    let density = exp(-0.5 * d * d);
    let weight = lower * density;
    let out = if w.upper { lower - 0.5 * weight * w.mix } else { 0.5 * weight * w.mix };
    let is_call = sign > 0.0;
    let is_out = is_call == call_is_out;
    let price = if is_out { out } else { out + (a - k).abs() };

    // Φ(d₁) and 1 − Φ(d₁) of the option out of the money, and its strike's side.
    let tail = 0.5 * density * w.first;
    let (below, above) = if w.upper { (1.0 - tail, tail) } else { (tail, 1.0 - tail) };
    let side = 0.5 * weight * w.second;
    let probability = if call_is_out {
        share * if is_call { below } else { above }
    } else {
        let z = side * per_spot;
        if is_call { share - z } else { z }
    };
    let bond_side =
        if call_is_out { if is_call { side } else { k - side } } else { lower * if is_call { above } else { below } };
    let delta = sign * probability;
    let (d1, d2) = if call_is_out { (d, w.h - w.t) } else { (w.t - w.h, -d) };
    let phi = weight * FRAC_1_SQRT_2PI;
    let vega = phi * root;
    let gamma = phi * per_spot * per_spot * per_s;
    let per_year = 1.0 / years;
    let share_side = spot * delta;
    // −(b − r) S Δ ∓ r K e^(−rT) Φ(±d₂), with its two large terms taken together.
    let theta = -0.5 * phi * vol * vol * per_s - carry * share_side + rate * price;
    let rho = sign * years * bond_side;
    let per_vol = root * per_s;
    let slope = phi * per_spot;
    let nan = if valid { 0.0 } else { f64::NAN };
    Greeks {
        price: price + nan,
        delta: delta + nan,
        gamma: gamma + nan,
        vega: vega + nan,
        theta: theta + nan,
        rho: rho + nan,
        carry_rho: years * share_side + nan,
        discount_rho: -years * price + nan,
        vanna: -slope * d2 * per_vol + nan,
        volga: vega * d1 * d2 * per_vol + nan,
        charm: -(slope * (carry * per_s - 0.5 * d2 * per_year) + (carry - rate) * delta) + nan,
        speed: -gamma * (1.0 + d1 * per_s) * per_spot + nan,
        zomma: gamma * (d1 * d2 - 1.0) * per_vol + nan,
        color: gamma * (rate - carry + carry * d1 * per_s + 0.5 * (1.0 - d1 * d2) * per_year) + nan,
    }
}

/// European options as columns of one length; a row is an option. Units as in [`European`].
#[derive(Clone, Copy, Debug)]
pub struct OptionColumns<'a> {
    /// Calls and puts.
    pub right: &'a [Right],
    /// Prices of the underlying.
    pub underlying: &'a [f64],
    /// Strikes.
    pub strike: &'a [f64],
    /// Years to expiry.
    pub years: &'a [f64],
    /// Rates.
    pub rate: &'a [f64],
    /// Costs of carry.
    pub carry: &'a [f64],
    /// Volatilities.
    pub vol: &'a [f64],
}

impl OptionColumns<'_> {
    pub(super) fn check(&self) -> usize {
        let n = self.right.len();
        let columns = [self.underlying, self.strike, self.years, self.rate, self.carry, self.vol];
        assert!(columns.iter().all(|c| c.len() == n), "option columns of one length");
        n
    }
}

/// The premium and the five Greeks of a risk report, as columns to be filled.
#[derive(Debug)]
pub struct GreeksMut<'a> {
    /// Premiums.
    pub price: &'a mut [f64],
    /// Deltas.
    pub delta: &'a mut [f64],
    /// Gammas.
    pub gamma: &'a mut [f64],
    /// Vegas.
    pub vega: &'a mut [f64],
    /// Thetas.
    pub theta: &'a mut [f64],
    /// Rhos, with the dividend yield held.
    pub rho: &'a mut [f64],
}

/// Premiums of a column of European options, the bits of [`European::price`].
///
/// # Panics
/// If the columns differ in length.
pub fn prices(options: OptionColumns<'_>, price: &mut [f64]) {
    let n = options.check();
    assert_eq!(price.len(), n, "option columns of one length");
    widest(Fill { options, n, write: |start, length, g: &Rows| store(price, start, length, &g.price) });
}

/// Premiums and five Greeks of a column of European options, the bits of [`European::greeks`].
///
/// # Panics
/// If the columns differ in length.
pub fn greeks(options: OptionColumns<'_>, out: &mut GreeksMut<'_>) {
    let n = options.check();
    let lengths = [&*out.price, out.delta, out.gamma, out.vega, out.theta, out.rho].map(<[f64]>::len);
    assert_eq!(lengths, [n; 6], "option columns of one length");
    let write = |start, length, g: &Rows| {
        store(out.price, start, length, &g.price);
        store(out.delta, start, length, &g.delta);
        store(out.gamma, start, length, &g.gamma);
        store(out.vega, start, length, &g.vega);
        store(out.theta, start, length, &g.theta);
        store(out.rho, start, length, &g.rho);
    };
    widest(Fill { options, n, write });
}

/// A block of results.
struct Rows {
    price: [f64; BLOCK],
    delta: [f64; BLOCK],
    gamma: [f64; BLOCK],
    vega: [f64; BLOCK],
    theta: [f64; BLOCK],
    rho: [f64; BLOCK],
}

struct Fill<'a, W> {
    options: OptionColumns<'a>,
    n: usize,
    write: W,
}

impl<W: FnMut(usize, usize, &Rows)> WithSimd for Fill<'_, W> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let zero = [0.0; BLOCK];
        let mut g = Rows { price: zero, delta: zero, gamma: zero, vega: zero, theta: zero, rho: zero };
        for (start, length) in blocks(self.n) {
            let o = &self.options;
            let sign = load(o.right, start, length, Right::Call).map(Right::sign);
            let spot = load(o.underlying, start, length, 1.0);
            let strike = load(o.strike, start, length, 1.0);
            let years = load(o.years, start, length, 1.0);
            let rate = load(o.rate, start, length, 0.0);
            let carry = load(o.carry, start, length, 0.0);
            let vol = load(o.vol, start, length, 1.0);
            for i in 0..BLOCK {
                let one = kernel(sign[i], spot[i], strike[i], years[i], rate[i], carry[i], vol[i]);
                g.price[i] = one.price;
                g.delta[i] = one.delta;
                g.gamma[i] = one.gamma;
                g.vega[i] = one.vega;
                g.theta[i] = one.theta;
                g.rho[i] = one.rho;
            }
            (self.write)(start, length, &g);
        }
    }
}
