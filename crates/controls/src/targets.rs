//! What the risk manager does to targets, before there are orders: it cuts, never enlarges.

use tradegraph_domain::mul_div_half_even;

/// Caps on targets, in 1e-9 of NAV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RiskCaps {
    /// |target| of one instrument.
    pub position: Option<i64>,
    /// Σ |target|.
    pub gross: Option<i64>,
}

/// One target under the caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetCut {
    /// What is held now.
    pub current: i64,
    /// What is wanted.
    pub target: i64,
}

impl RiskCaps {
    /// The target after the cap on one position: cut toward zero, and never beyond what is wanted.
    #[must_use]
    pub fn cut_position(&self, target: i64) -> i64 {
        match self.position {
            Some(cap) => target.clamp(cap.saturating_neg(), cap),
            None => target,
        }
    }

    /// Cuts increases so that Σ |target| stays within the cap. `others` is Σ |current| of instruments that do not
    /// change. Increases share what is left in proportion, rounded down; reductions are never touched. `after`
    /// receives each target in order.
    pub fn cut_gross(&self, others: i128, targets: &[TargetCut], mut after: impl FnMut(usize, i64)) {
        let Some(cap) = self.gross else {
            return targets.iter().enumerate().for_each(|(k, t)| after(k, t.target));
        };
        let abs = |x: i64| i128::from(x).saturating_abs();
        let rise = |t: &TargetCut| abs(t.target).saturating_sub(abs(t.current)).max(0);
        // What stays in any case: the smaller of what is held and what is wanted.
        let base = targets.iter().fold(others, |sum, t| sum.saturating_add(abs(t.target).min(abs(t.current))));
        let rises = targets.iter().fold(0_i128, |sum, t| sum.saturating_add(rise(t)));
        let room = i128::from(cap).saturating_sub(base).max(0);
        for (k, t) in targets.iter().enumerate() {
            let wanted = rise(t);
            if rises <= room || wanted == 0 {
                after(k, t.target);
                continue;
            }
            let scaled = mul_div_half_even(wanted, room, rises.max(1)).unwrap_or_default();
            // Half-even may round up; one unit down keeps the sum within the cap.
            let exact = scaled.saturating_mul(rises) <= wanted.saturating_mul(room);
            let allowed = if exact { scaled } else { scaled.saturating_sub(1) }.max(0);
            let size = abs(t.target).saturating_sub(wanted).saturating_add(allowed);
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            after(k, if t.target < 0 { size.saturating_neg() } else { size });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cuts_never_enlarge_and_respect_the_caps(
            others in 0_i128..2_000_000_000,
            targets in prop::collection::vec((-500_000_000_i64..500_000_000, -500_000_000_i64..500_000_000), 0..30),
            cap in 0_i64..3_000_000_000,
        ) {
            let caps = RiskCaps { position: Some(300_000_000), gross: Some(cap) };
            let cuts: Vec<_> = targets.iter().map(|(c, t)| TargetCut { current: *c, target: caps.cut_position(*t) }).collect();
            let mut after = vec![0; cuts.len()];
            caps.cut_gross(others, &cuts, |k, v| after[k] = v);
            let kept: i128 = cuts.iter().map(|t| i128::from(t.target.abs().min(t.current.abs()))).sum::<i128>() + others;
            let sum: i128 = after.iter().map(|v| i128::from(v.abs())).sum::<i128>() + others;
            prop_assert!(sum <= i128::from(cap).max(kept));
            for (t, a) in cuts.iter().zip(&after) {
                prop_assert!(a.abs() <= t.target.abs());
                prop_assert!(*a == 0 || a.signum() == t.target.signum());
                prop_assert!(t.target.abs() <= 300_000_000);
                if t.target.abs() <= t.current.abs() {
                    prop_assert_eq!(*a, t.target, "a reduction is never touched");
                }
            }
        }
    }
}
