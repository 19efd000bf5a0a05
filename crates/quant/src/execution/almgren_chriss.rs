//! Optimal liquidation after Almgren and Chriss.

use super::{ExecutionError, above_zero, at_least_zero, length};
use crate::performance::normal;

/// How a market answers to trading. Prices are in money a share, times in any one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Market {
    /// Standard deviation of the price over one unit of time (money a share, not a fraction), 0 or more: σ.
    pub volatility: f64,
    /// Cost a share whatever the speed (half the spread and the fees), 0 or more: ε.
    pub fixed_cost: f64,
    /// Temporary impact: money a share by which a trade of one share per unit of time is worse, above 0: η.
    pub temporary: f64,
    /// Permanent impact: money by which each share traded moves the price for good, 0 or more: γ.
    pub permanent: f64,
}

/// Expected cost and its variance, of a whole trajectory.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Expected implementation shortfall, in money.
    pub expected: f64,
    /// Variance of the shortfall, in money².
    pub variance: f64,
}

impl Cost {
    /// Cost that is exceeded with probability `1 − confidence`: `E + Φ⁻¹(confidence) √V`. NaN for a confidence outside
    /// `[0, 1]`. Source: Almgren and Chriss (2000), eq. 26.
    #[must_use]
    pub fn at_risk(&self, confidence: f64) -> f64 {
        self.expected + normal::inverse(confidence) * self.variance.sqrt()
    }
}

/// An order that is to be worked off in periods of equal length. A purchase has the same costs as a sale.
///
/// Source: Almgren and Chriss, Journal of Risk 3 (2000) 5, with linear impact and without drift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Liquidation {
    quantity: f64,
    periods: usize,
    period: f64,
    market: Market,
    /// `η − γτ/2`: what of the temporary impact the permanent one does not already count.
    effective: f64,
}

impl Liquidation {
    /// `quantity` shares (0 or more) in `periods` periods (1 or more) of `period` units of time (above 0).
    ///
    /// # Errors
    /// `OutOfRange` names the number that is outside its range; the temporary impact must exceed half the permanent one
    /// of a period (`η > γτ/2`), else trading at once would cost less than nothing.
    pub fn new(quantity: f64, periods: usize, period: f64, market: Market) -> Result<Self, ExecutionError> {
        at_least_zero("quantity", quantity)?;
        above_zero("number of periods", periods as f64)?;
        above_zero("length of a period", period)?;
        at_least_zero("volatility", market.volatility)?;
        at_least_zero("fixed cost", market.fixed_cost)?;
        at_least_zero("permanent impact", market.permanent)?;
        above_zero("temporary impact", market.temporary)?;
        let effective = above_zero(
            "temporary impact less half the permanent impact of a period",
            market.temporary - 0.5 * market.permanent * period,
        )?;
        Ok(Liquidation { quantity, periods, period, market, effective })
    }

    /// Shares to trade.
    #[must_use]
    pub fn quantity(&self) -> f64 {
        self.quantity
    }

    /// `κτ`, the decay of the holdings over a period: `2 cosh(κτ) = 2 + λσ²τ²/(η − γτ/2)`, eq. 16, solved by the half angle,
    /// which loses no digits at small λ.
    fn decay(&self, risk_aversion: f64) -> Result<f64, ExecutionError> {
        at_least_zero("risk aversion", risk_aversion)?;
        let Market { volatility, .. } = self.market;
        let root = (risk_aversion / self.effective).sqrt() * volatility * self.period;
        let decay = 2.0 * libm::asinh(0.5 * root);
        super::within("risk aversion", risk_aversion, "such that the decay is finite", decay.is_finite())?;
        Ok(decay)
    }

    /// `κ`, the urgency, per unit of time: far from the end holdings fall by a factor of e every `1/κ`. 0 without risk
    /// aversion or volatility.
    ///
    /// - Units: `risk_aversion` (λ) in 1/money, 0 or more: money of expected cost that one money² less variance is worth.
    ///
    /// # Errors
    /// `OutOfRange` for a risk aversion below 0 or not finite.
    pub fn urgency(&self, risk_aversion: f64) -> Result<f64, ExecutionError> {
        Ok(self.decay(risk_aversion)? / self.period)
    }

    /// `1/κ`, which the paper calls the half-life of the trade, in units of time; infinite without urgency. Section 2.3.
    ///
    /// # Errors
    /// As [`Liquidation::urgency`].
    pub fn half_life(&self, risk_aversion: f64) -> Result<f64, ExecutionError> {
        Ok(1.0 / self.urgency(risk_aversion)?)
    }

    /// The best holdings: `sinh(κ(T − t)) / sinh(κT)` of the quantity, a straight line without urgency. Eq. 17.
    ///
    /// - Shape: `periods + 1` cells: the quantity first, 0 last.
    ///
    /// # Errors
    /// As [`Liquidation::urgency`], and `Length`.
    pub fn holdings(&self, risk_aversion: f64, out: &mut [f64]) -> Result<(), ExecutionError> {
        length("holdings", out.len(), self.periods + 1)?;
        let decay = self.decay(risk_aversion)?;
        for (k, x) in out.iter_mut().enumerate() {
            *x = self.held(decay, k);
        }
        Ok(())
    }

    /// Holdings after `k` periods, with powers of numbers below 1 only.
    fn held(&self, decay: f64, k: usize) -> f64 {
        let (n, k) = (self.periods as f64, k as f64);
        let whole = libm::expm1(-2.0 * decay * n);
        if whole == 0.0 {
            return self.quantity * ((n - k) / n);
        }
        self.quantity * (libm::exp(-decay * k) * (libm::expm1(-2.0 * decay * (n - k)) / whole))
    }

    /// Expected cost and variance of any holdings from the quantity to 0: `½γX² + ε Σ|n| + (η − γτ/2)/τ Σn²` and
    /// `σ²τ Σx²` (what is held *after* each trade is at risk until the next). Eq. 4 and 5.
    ///
    /// # Errors
    /// `Length`; `OutOfRange` if they do not begin with the quantity and end with 0, or are not finite.
    pub fn cost(&self, holdings: &[f64]) -> Result<Cost, ExecutionError> {
        length("holdings", holdings.len(), self.periods + 1)?;
        let (first, last) = (holdings[0], holdings[self.periods]);
        super::within("first holding", first, "the quantity", first == self.quantity)?;
        super::within("last holding", last, "0", last == 0.0)?;
        for x in holdings {
            super::within("holding", *x, "finite", true)?;
        }
        Ok(self.sums(holdings.iter().copied()))
    }

    fn sums(&self, holdings: impl Iterator<Item = f64>) -> Cost {
        let Market { volatility, fixed_cost, permanent, .. } = self.market;
        let (mut traded, mut squares, mut held) = (0.0, 0.0, 0.0);
        let mut before = self.quantity;
        for x in holdings.skip(1) {
            let n = before - x;
            traded += n.abs();
            squares += n * n;
            held += x * x;
            before = x;
        }
        let expected = 0.5 * permanent * self.quantity * self.quantity
            + fixed_cost * traded
            + self.effective / self.period * squares;
        Cost { expected, variance: volatility * volatility * self.period * held }
    }

    /// What the best trajectory costs: one point of the efficient frontier. Nothing is allocated.
    ///
    /// # Errors
    /// As [`Liquidation::urgency`].
    pub fn optimum(&self, risk_aversion: f64) -> Result<Cost, ExecutionError> {
        let decay = self.decay(risk_aversion)?;
        Ok(self.sums((0..=self.periods).map(|k| self.held(decay, k))))
    }

    /// The efficient frontier at these risk aversions: along it expected cost rises as variance falls, and its slope is
    /// `dE/dV = −λ`. Section 2.4.
    ///
    /// - Shape: a cell a risk aversion.
    ///
    /// # Errors
    /// As [`Liquidation::urgency`], and `Length`.
    pub fn frontier(&self, risk_aversions: &[f64], out: &mut [Cost]) -> Result<(), ExecutionError> {
        length("frontier", out.len(), risk_aversions.len())?;
        for (cost, lambda) in out.iter_mut().zip(risk_aversions) {
            *cost = self.optimum(*lambda)?;
        }
        Ok(())
    }
}
