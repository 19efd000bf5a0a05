//! Digital options: a fixed sum of cash, or one unit of the underlying, if the option ends in the money.
//!
//! Source: Rubinstein and Reiner (1991); Haug (2007), section 4.19. A European option is one asset-or-nothing less a
//! strike of cash-or-nothing.

use super::European;
use crate::vmath::{exp, ln_ratio, normal_cdf};

impl European {
    /// `(d₁, d₂)` of the formula; infinite with no time or volatility left, 0 then at the money.
    fn moments(&self) -> (f64, f64) {
        let s = (self.vol * self.years.sqrt()).max(1e-80);
        let h = (ln_ratio(self.underlying, self.strike) + self.carry * self.years) / s;
        (h + 0.5 * s, h - 0.5 * s)
    }

    /// The value of one unit of cash paid at expiry if the option ends in the money: `e^(−rT) Φ(±d₂)`. NaN where
    /// [`European::price`] is.
    #[must_use]
    pub fn cash_or_nothing(&self) -> f64 {
        self.price() * 0.0 + exp(-self.rate * self.years) * normal_cdf(self.right.sign() * self.moments().1)
    }

    /// The value of one unit of the underlying delivered at expiry if the option ends in the money:
    /// `S e^((b−r)T) Φ(±d₁)`. NaN where [`European::price`] is.
    #[must_use]
    pub fn asset_or_nothing(&self) -> f64 {
        let share = self.underlying * exp((self.carry - self.rate) * self.years);
        self.price() * 0.0 + share * normal_cdf(self.right.sign() * self.moments().0)
    }
}
