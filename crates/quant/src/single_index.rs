//! The volatility of a portfolio when instruments move together only through the market.

/// Sums over positions, from which the volatility follows: one `add` a position.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SingleIndex {
    common: f64,
    own: f64,
}

impl SingleIndex {
    /// A position of `weight` (signed, of wealth) in an instrument with `volatility` and `correlation` with the market.
    #[inline]
    pub fn add(&mut self, weight: f64, volatility: f64, correlation: f64) {
        let risk = weight * volatility;
        self.common += risk * correlation;
        self.own += risk * risk * (1.0 - correlation * correlation);
    }

    /// `√((Σ wσρ)² + Σ (wσ)²(1 − ρ²))`, in the units of the volatilities.
    ///
    /// Source: Sharpe, Management Science 9 (1963) 277, with betas as `ρ σ / σ_market`.
    #[must_use]
    pub fn volatility(&self) -> f64 {
        (self.common * self.common + self.own.max(0.0)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against w'Σw with the covariances of the model written out.
    #[test]
    fn equals_the_whole_matrix() {
        let w = [0.3, -0.2, 0.5];
        let (vol, rho) = ([0.2, 0.3, 0.1], [0.8, 0.5, 0.0]);
        let mut sum = 0.0;
        for i in 0..3 {
            for j in 0..3 {
                let corr = if i == j { 1.0 } else { rho[i] * rho[j] };
                sum += w[i] * w[j] * vol[i] * vol[j] * corr;
            }
        }
        let mut s = SingleIndex::default();
        (0..3).for_each(|i| s.add(w[i], vol[i], rho[i]));
        assert!((s.volatility() - f64::sqrt(sum)).abs() < 1e-15);
    }
}
