//! European options by Black, Scholes and Merton with any cost of carry, and their Greeks.
//!
//! One formula: carry = rate − dividend yield is Black–Scholes–Merton (1973), carry = 0 an option on a future (Black
//! 1976), carry = rate − foreign rate a currency option (Garman and Kohlhagen 1983); Haug (2007), "The complete guide to
//! option pricing formulas", chapters 1 and 2.

use super::normalised::{Points, UPPER, divided_differences, points};
use super::{BLOCK, Right, blocks, load, store};
use crate::vmath::{exp_normal, exp_normals, ln_ratios_usual, several, widest};
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

    /// The premium; with no time or no volatility left, the discounted payoff of the forward; 0 beyond 37.6 standard
    /// deviations out of the money. NaN for a price that is not positive, a negative time or volatility, and for NaN.
    #[must_use]
    pub fn price(&self) -> f64 {
        self.premium()
    }

    /// [`European::price`] inside a kernel.
    #[inline(always)]
    pub(super) fn premium(&self) -> f64 {
        premium(self.right == Right::Call, self.underlying, self.strike, &self.parts())
    }

    /// The premium and all Greeks. With no time or no volatility left they are those of the payoff; exactly at the money
    /// gamma then has no bound and is a number above 1e30.
    #[must_use]
    pub fn greeks(&self) -> Greeks {
        let Self { right, underlying, strike, years, rate, carry, vol } = *self;
        assemble(right == Right::Call, underlying, strike, years, rate, carry, vol, &self.parts())
    }

    #[inline(always)]
    fn parts(&self) -> Parts {
        parts(self.underlying, self.strike, self.years, self.rate, self.carry, self.vol)
    }
}

/// What an option is worth and its Greeks come from: the stages of one computation. A column runs each stage over a block
/// before the next, so that the processor always has independent lanes to work on.
#[derive(Clone, Copy)]
struct Parts {
    /// Present value of one unit of the underlying and of cash, both delivered at expiry.
    share: f64,
    bond: f64,
    /// `ln(F / K)`; NaN for an option outside its range.
    moneyness: f64,
    per_spot: f64,
    root: f64,
    /// `σ√T`, and one over it.
    s: f64,
    per_s: f64,
    /// `d₁` of the option out of the money, and `e^(−d₁²/2)`.
    d: f64,
    density: f64,
    /// [`Points::combine`] of it.
    first: f64,
    second: f64,
    mix: f64,
}

/// `e^((b−r)T)` and `e^(−rT)`.
#[inline(always)]
fn discounts(years: f64, rate: f64, carry: f64) -> (f64, f64) {
    (exp_normal((carry - rate) * years), exp_normal(-rate * years))
}

/// Bounds far outside any market keep products finite where a limit is taken.
#[inline(always)]
fn bounded(vol: f64) -> f64 {
    let vol = if vol < 1e-40 { 1e-40 } else { vol };
    if vol > 1e10 { 1e10 } else { vol }
}

/// `√T`, bounded from below.
#[inline(always)]
fn root_of(years: f64) -> f64 {
    if years < 1e-80 { 1e-80 } else { years }.sqrt()
}

/// `σ√T`; NaN for an option outside its range, and from it everything else.
#[inline(always)]
fn deviation(spot: f64, strike: f64, years: f64, vol: f64, root: f64) -> f64 {
    let valid = spot > 0.0 && strike > 0.0 && years >= 0.0 && vol >= 0.0;
    let valid = valid && spot < f64::INFINITY && strike < f64::INFINITY && years < f64::INFINITY;
    let s = bounded(vol) * root;
    if valid { s } else { f64::NAN }
}

#[inline(always)]
fn parts(spot: f64, strike: f64, years: f64, rate: f64, carry: f64, vol: f64) -> Parts {
    let (share, bond) = discounts(years, rate, carry);
    let per_spot = 1.0 / spot;
    let [ratio] = ln_ratios_usual([strike], [spot]);
    let moneyness = carry * years - ratio;
    let root = root_of(years);
    let s = deviation(spot, strike, years, vol, root);
    let per_s = 1.0 / s;
    let p = points(-moneyness.abs() * per_s, s);
    let ([value], [slope]) = divided_differences([p.tau1], [p.tau2]);
    let (first, second, mix) = p.combine(s, value, slope);
    let d = p.d1;
    Parts { share, bond, moneyness, per_spot, root, s, per_s, d, density: density(d), first, second, mix }
}

/// `e^(−d²/2)`.
#[inline(always)]
fn density(d: f64) -> f64 {
    exp_normal(-0.5 * d * d)
}

/// The premium: out of the money from its tails, in the money by parity.
#[inline(always)]
fn premium(is_call: bool, spot: f64, strike: f64, p: &Parts) -> f64 {
    let (a, k) = (spot * p.share, strike * p.bond);
    let call_is_out = p.moneyness <= 0.0;
    let lower = if call_is_out { a } else { k };
    let part = 0.5 * (lower * p.density) * p.mix;
    let out = if p.d > UPPER { lower - part } else { part };
    if is_call == call_is_out { out } else { out + (a - k).abs() }
}

/// Sources: Haug (2007), sections 2.1 to 2.10.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "an option's terms")]
fn assemble(is_call: bool, spot: f64, strike: f64, years: f64, rate: f64, carry: f64, vol: f64, p: &Parts) -> Greeks {
    let Parts { share, bond, moneyness, per_spot, root, s, per_s, d, density, first, second, .. } = *p;
    let price = premium(is_call, spot, strike, p);
    let (a, k) = (spot * share, strike * bond);
    let call_is_out = moneyness <= 0.0;
    let lower = if call_is_out { a } else { k };
    let weight = lower * density;
    // Φ(d₁) and 1 − Φ(d₁) of the option out of the money, and its strike's side.
    let tail = 0.5 * density * first;
    let other = 1.0 - tail;
    let is_out = is_call == call_is_out;
    let mass = if (d > UPPER) == is_out { other } else { tail };
    let side = 0.5 * weight * second;
    // A put out of the money has the sides of its underlying and of its strike exchanged.
    let z = side * per_spot;
    let probability = if call_is_out {
        share * mass
    } else if is_call {
        share - z
    } else {
        z
    };
    let bond_side = if !call_is_out {
        k * mass
    } else if is_call {
        side
    } else {
        k - side
    };
    let sign = if is_call { 1.0 } else { -1.0 };
    let delta = sign * probability;
    let (d1, d2) = if call_is_out { (d, d - s) } else { (s - d, -d) };
    let phi = weight * FRAC_1_SQRT_2PI;
    let vega = phi * root;
    let curve = phi * per_s;
    let gamma = curve * per_spot * per_spot;
    let vol = bounded(vol);
    let per_year = 1.0 / (root * root);
    let share_side = spot * delta;
    // −(b − r) S Δ ∓ r K e^(−rT) Φ(±d₂), with its two large terms taken together.
    let theta = rate * price - carry * share_side - 0.5 * curve * (vol * vol);
    let per_vol = root * per_s;
    let slope = phi * per_spot;
    Greeks {
        price,
        delta,
        gamma,
        vega,
        theta,
        rho: sign * years * bond_side,
        carry_rho: years * share_side,
        discount_rho: -years * price,
        vanna: -slope * d2 * per_vol,
        volga: vega * d1 * d2 * per_vol,
        charm: -(slope * (carry * per_s - 0.5 * d2 * per_year) + (carry - rate) * delta),
        speed: -gamma * (1.0 + d1 * per_s) * per_spot,
        zomma: gamma * (d1 * d2 - 1.0) * per_vol,
        color: gamma * (rate - carry + carry * d1 * per_s + 0.5 * (1.0 - d1 * d2) * per_year),
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
    widest(Premiums { options, price });
}

/// Premiums and five Greeks of a column of European options, the bits of [`European::greeks`].
///
/// # Panics
/// If the columns differ in length.
pub fn greeks(options: OptionColumns<'_>, out: &mut GreeksMut<'_>) {
    let n = options.check();
    let lengths = [&*out.price, out.delta, out.gamma, out.vega, out.theta, out.rho].map(<[f64]>::len);
    assert_eq!(lengths, [n; 6], "option columns of one length");
    widest(Fill { options, out });
}

/// A block of options: where the columns have it, or a copy filled up.
struct Rows<'a> {
    right: &'a [Right; BLOCK],
    spot: &'a [f64; BLOCK],
    strike: &'a [f64; BLOCK],
    years: &'a [f64; BLOCK],
    rate: &'a [f64; BLOCK],
    carry: &'a [f64; BLOCK],
    vol: &'a [f64; BLOCK],
}

/// Room for the last block.
struct Rest {
    right: [Right; BLOCK],
    columns: [[f64; BLOCK]; 6],
}

impl Rest {
    const fn new() -> Self {
        Self { right: [Right::Call; BLOCK], columns: [ZERO; 6] }
    }
}

impl<'a> Rows<'a> {
    /// The block from `start` on; what is beyond the end of the columns is an option that every kernel can work on.
    #[inline(always)]
    fn at(o: &OptionColumns<'a>, start: usize, length: usize, rest: &'a mut Rest) -> Self {
        if length < BLOCK {
            rest.right = load(o.right, start, length, Right::Call);
            let columns = [o.underlying, o.strike, o.years, o.rate, o.carry, o.vol];
            for ((block, column), usual) in rest.columns.iter_mut().zip(columns).zip([1.0, 1.0, 1.0, 0.0, 0.0, 1.0]) {
                *block = load(column, start, length, usual);
            }
        }
        let Rest { right, columns: [spot, strike, years, rate, carry, vol] } = rest;
        Self {
            right: o.right[start..].first_chunk().unwrap_or(right),
            spot: o.underlying[start..].first_chunk().unwrap_or(spot),
            strike: o.strike[start..].first_chunk().unwrap_or(strike),
            years: o.years[start..].first_chunk().unwrap_or(years),
            rate: o.rate[start..].first_chunk().unwrap_or(rate),
            carry: o.carry[start..].first_chunk().unwrap_or(carry),
            vol: o.vol[start..].first_chunk().unwrap_or(vol),
        }
    }
}

const WIDE: usize = 4;
const PART: usize = BLOCK / WIDE;
const ZERO: [f64; BLOCK] = [0.0; BLOCK];

/// [`Parts`] of a block.
#[repr(align(64))]
struct PartRows {
    share: [f64; BLOCK],
    bond: [f64; BLOCK],
    moneyness: [f64; BLOCK],
    per_spot: [f64; BLOCK],
    root: [f64; BLOCK],
    s: [f64; BLOCK],
    per_s: [f64; BLOCK],
    d: [f64; BLOCK],
    density: [f64; BLOCK],
    first: [f64; BLOCK],
    second: [f64; BLOCK],
    mix: [f64; BLOCK],
    both: [f64; BLOCK],
    r1: [f64; BLOCK],
    r2: [f64; BLOCK],
    tau1: [f64; BLOCK],
    tau2: [f64; BLOCK],
    value: [f64; BLOCK],
    slope: [f64; BLOCK],
}

impl PartRows {
    const fn new() -> Self {
        Self {
            share: ZERO,
            bond: ZERO,
            moneyness: ZERO,
            per_spot: ZERO,
            root: ZERO,
            s: ZERO,
            per_s: ZERO,
            d: ZERO,
            density: ZERO,
            first: ZERO,
            second: ZERO,
            mix: ZERO,
            both: ZERO,
            r1: ZERO,
            r2: ZERO,
            tau1: ZERO,
            tau2: ZERO,
            value: ZERO,
            slope: ZERO,
        }
    }

    /// The bits of [`parts`].
    #[inline(always)]
    fn compute(&mut self, o: &Rows<'_>) {
        for i in 0..PART {
            let row = |j: usize| i + j * PART;
            let bond = exp_normals::<WIDE>(several(|j| -o.rate[row(j)] * o.years[row(j)]));
            for j in 0..WIDE {
                self.bond[row(j)] = bond[j];
                self.root[row(j)] = root_of(o.years[row(j)]);
            }
        }
        // Without dividends the share is 1, on a future it is the bond.
        let mut differ = 0;
        for i in 0..BLOCK {
            differ |= u64::from(o.carry[i] != o.rate[i]);
        }
        if differ == 0 {
            self.share = [1.0; BLOCK];
        } else {
            for i in 0..BLOCK {
                self.share[i] = exp_normal((o.carry[i] - o.rate[i]) * o.years[i]);
            }
        }
        for i in 0..PART {
            let row = |j: usize| i + j * PART;
            let ratio = ln_ratios_usual::<WIDE>(several(|j| o.strike[row(j)]), several(|j| o.spot[row(j)]));
            for j in 0..WIDE {
                let k = row(j);
                self.moneyness[k] = o.carry[k] * o.years[k] - ratio[j];
                self.s[k] = deviation(o.spot[k], o.strike[k], o.years[k], o.vol[k], self.root[k]);
                self.per_s[k] = 1.0 / self.s[k];
            }
        }
        for i in 0..BLOCK {
            let p = points(-self.moneyness[i].abs() * self.per_s[i], self.s[i]);
            (self.d[i], self.both[i]) = (p.d1, p.both);
            (self.r1[i], self.r2[i], self.tau1[i], self.tau2[i]) = (p.r1, p.r2, p.tau1, p.tau2);
        }
        for i in 0..BLOCK / 2 {
            let row = |j: usize| i + j * (BLOCK / 2);
            let (value, slope) =
                divided_differences::<2>(several(|j| self.tau1[row(j)]), several(|j| self.tau2[row(j)]));
            for j in 0..2 {
                (self.value[row(j)], self.slope[row(j)]) = (value[j], slope[j]);
            }
        }
        for i in 0..BLOCK {
            let p = Points {
                d1: self.d[i],
                both: self.both[i],
                r1: self.r1[i],
                r2: self.r2[i],
                tau1: self.tau1[i],
                tau2: self.tau2[i],
            };
            (self.first[i], self.second[i], self.mix[i]) = p.combine(self.s[i], self.value[i], self.slope[i]);
        }
        for i in 0..PART {
            let density = exp_normals::<WIDE>(several(|j| -0.5 * self.d[i + j * PART] * self.d[i + j * PART]));
            for j in 0..WIDE {
                self.density[i + j * PART] = density[j];
                self.per_spot[i + j * PART] = 1.0 / o.spot[i + j * PART];
            }
        }
    }

    #[inline(always)]
    fn row(&self, i: usize) -> Parts {
        Parts {
            share: self.share[i],
            bond: self.bond[i],
            moneyness: self.moneyness[i],
            per_spot: self.per_spot[i],
            root: self.root[i],
            s: self.s[i],
            per_s: self.per_s[i],
            d: self.d[i],
            density: self.density[i],
            first: self.first[i],
            second: self.second[i],
            mix: self.mix[i],
        }
    }
}

struct Premiums<'a> {
    options: OptionColumns<'a>,
    price: &'a mut [f64],
}

impl WithSimd for Premiums<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (mut rest, mut p, mut price) = (Rest::new(), PartRows::new(), ZERO);
        for (start, length) in blocks(self.price.len()) {
            let o = Rows::at(&self.options, start, length, &mut rest);
            p.compute(&o);
            for i in 0..BLOCK {
                price[i] = premium(o.right[i] == Right::Call, o.spot[i], o.strike[i], &p.row(i));
            }
            store(self.price, start, length, &price);
        }
    }
}

struct Fill<'a, 'b> {
    options: OptionColumns<'a>,
    out: &'a mut GreeksMut<'b>,
}

impl WithSimd for Fill<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { options, out } = self;
        let (mut rest, mut p) = (Rest::new(), PartRows::new());
        for (start, length) in blocks(options.right.len()) {
            let o = Rows::at(&options, start, length, &mut rest);
            p.compute(&o);
            let whole = (
                out.price[start..].first_chunk_mut(),
                out.delta[start..].first_chunk_mut(),
                out.gamma[start..].first_chunk_mut(),
                out.vega[start..].first_chunk_mut(),
                out.theta[start..].first_chunk_mut(),
                out.rho[start..].first_chunk_mut(),
            );
            if let (Some(price), Some(delta), Some(gamma), Some(vega), Some(theta), Some(rho)) = whole {
                write(&o, &p, price, delta, gamma, vega, theta, rho);
            } else {
                let [mut price, mut delta, mut gamma, mut vega, mut theta, mut rho] = [ZERO; 6];
                write(&o, &p, &mut price, &mut delta, &mut gamma, &mut vega, &mut theta, &mut rho);
                store(out.price, start, length, &price);
                store(out.delta, start, length, &delta);
                store(out.gamma, start, length, &gamma);
                store(out.vega, start, length, &vega);
                store(out.theta, start, length, &theta);
                store(out.rho, start, length, &rho);
            }
        }
    }
}

/// The last stage of a block. The columns are arguments of their own, so that they are known not to overlap.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "as above")]
fn write(
    o: &Rows<'_>,
    p: &PartRows,
    price: &mut [f64; BLOCK],
    delta: &mut [f64; BLOCK],
    gamma: &mut [f64; BLOCK],
    vega: &mut [f64; BLOCK],
    theta: &mut [f64; BLOCK],
    rho: &mut [f64; BLOCK],
) {
    for i in 0..BLOCK {
        let is_call = o.right[i] == Right::Call;
        let g = assemble(is_call, o.spot[i], o.strike[i], o.years[i], o.rate[i], o.carry[i], o.vol[i], &p.row(i));
        (price[i], delta[i], gamma[i]) = (g.price, g.delta, g.gamma);
        (vega[i], theta[i], rho[i]) = (g.vega, g.theta, g.rho);
    }
}
