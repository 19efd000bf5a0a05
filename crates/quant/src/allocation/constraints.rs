//! What a portfolio may look like.

use super::{AllocationError, Infeasible, one_each};

/// A linear limit: `low ≤ Σ loadingᵢ wᵢ ≤ high`. A sector has loadings of 0 and 1, a factor its exposures.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// For messages.
    pub label: String,
    /// One a name.
    pub loadings: Vec<f64>,
    /// Least sum; may be −∞.
    pub low: f64,
    /// Largest sum; may be ∞.
    pub high: f64,
}

/// The way from present weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Trading {
    /// Present weights.
    pub from: Vec<f64>,
    /// Largest `Σ |wᵢ − fromᵢ|`: buying and selling both count. `None`: no limit.
    pub turnover: Option<f64>,
    /// Cost of each unit of weight traded, 0 or more, subtracted from the return; one a name.
    pub costs: Vec<f64>,
}

/// Limits on weights: `low ≤ w ≤ high`, `Σ w = budget`, groups and trading.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraints {
    /// Lower bounds, one a name.
    pub low: Vec<f64>,
    /// Upper bounds, one a name.
    pub high: Vec<f64>,
    /// Sum of the weights.
    pub budget: f64,
    /// Linear limits.
    pub groups: Vec<Group>,
    /// Turnover and costs.
    pub trading: Option<Trading>,
}

/// Sums of bounds may miss a limit by this much through rounding.
pub(super) const SLACK: f64 = 1e-12;

impl Constraints {
    /// Fully invested without short positions.
    #[must_use]
    pub fn long_only(names: usize) -> Self {
        Self::within(names, 0.0, 1.0)
    }

    /// Fully invested, every weight from `low` to `high`.
    #[must_use]
    pub fn within(names: usize, low: f64, high: f64) -> Self {
        Constraints { low: vec![low; names], high: vec![high; names], budget: 1.0, groups: Vec::new(), trading: None }
    }

    /// Names.
    #[must_use]
    pub fn names(&self) -> usize {
        self.low.len()
    }

    /// Checks shapes and ranges, and what can be told about feasibility without solving anything; gives the portfolio
    /// that is nearest to present weights by turnover, groups left out.
    pub(super) fn nearest(&self, names: usize) -> Result<Vec<f64>, AllocationError> {
        one_each("lower bounds", &self.low, names)?;
        one_each("upper bounds", &self.high, names)?;
        if !self.budget.is_finite() {
            return Err(AllocationError::NotFinite { what: "budget", row: 0, column: 0 });
        }
        for (name, (low, high)) in self.low.iter().zip(&self.high).enumerate() {
            if low > high {
                return Err(AllocationError::Infeasible(Infeasible::Bounds { name, low: *low, high: *high }));
            }
        }
        let (low, high) = (self.low.iter().sum::<f64>(), self.high.iter().sum::<f64>());
        let slack = SLACK * names as f64;
        if low > self.budget + slack || high < self.budget - slack {
            return Err(AllocationError::Infeasible(Infeasible::Budget { budget: self.budget, low, high }));
        }
        self.check_groups(names)?;
        let from = match &self.trading {
            Some(trading) => {
                one_each("present weights", &trading.from, names)?;
                one_each("costs", &trading.costs, names)?;
                if let Some(value) = trading.costs.iter().find(|c| **c < 0.0) {
                    return Err(AllocationError::Range { what: "cost", value: *value, expected: "not below 0" });
                }
                trading.from.clone()
            }
            None => vec![self.budget / names as f64; names],
        };
        let mut w: Vec<f64> = from.iter().zip(&self.low).zip(&self.high).map(|((f, l), h)| f.clamp(*l, *h)).collect();
        self.reach_budget(&mut w);
        if let Some(Trading { turnover: Some(limit), .. }) = &self.trading {
            let needed: f64 = w.iter().zip(&from).map(|(w, f)| (w - f).abs()).sum();
            if limit.is_nan() || *limit < needed - slack {
                return Err(AllocationError::Infeasible(Infeasible::Turnover { limit: *limit, needed }));
            }
        }
        Ok(w)
    }

    fn check_groups(&self, names: usize) -> Result<(), AllocationError> {
        for g in &self.groups {
            one_each("group loadings", &g.loadings, names)?;
            let bound = |up: bool| -> f64 {
                let cells = g.loadings.iter().zip(&self.low).zip(&self.high);
                cells.map(|((a, l), h)| if (*a > 0.0) == up { a * h } else { a * l }).sum()
            };
            let (least, most) = (bound(false), bound(true));
            let short = (g.low - g.high).max(least - g.high).max(g.low - most);
            if g.low.is_nan() || g.high.is_nan() || short > SLACK * names as f64 {
                let (label, low, high) = (g.label.clone(), g.low, g.high);
                return Err(AllocationError::Infeasible(Infeasible::Group { label, low, high, short }));
            }
        }
        Ok(())
    }

    /// Moves weights one way, each by the same share of its room, until they add up to the budget.
    fn reach_budget(&self, w: &mut [f64]) {
        for _ in 0..3 {
            let missing = self.budget - w.iter().sum::<f64>();
            let bounds = if missing > 0.0 { &self.high } else { &self.low };
            let room: f64 = w.iter().zip(bounds).map(|(w, b)| b - w).sum();
            if missing == 0.0 || room == 0.0 {
                return;
            }
            let share = (missing / room).min(1.0);
            w.iter_mut().zip(bounds).for_each(|(w, b)| *w += share * (b - *w));
            w.iter_mut().zip(&self.low).zip(&self.high).for_each(|((w, l), h)| *w = w.clamp(*l, *h));
        }
    }
}
