//! Sizes by risk: smaller positions in instruments that move more, and all together no more than the mandate wants.

use tradegraph_columns::ColRef;
use tradegraph_domain::{NANO, mul_nano};
use tradegraph_market::FeatureSpec;
use tradegraph_quant::attribution::quantise;
use tradegraph_quant::single_index::SingleIndex;

/// How positions are sized by risk. Volatilities are per bar of the features' feed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VolatilitySizing {
    /// Volatility of one instrument, per bar.
    pub volatility: FeatureSpec,
    /// Its correlation with the market.
    pub correlation: FeatureSpec,
    /// An instrument that moves more than this gets a position smaller in proportion; `None` for equal sizes.
    pub instrument: Option<f64>,
    /// The portfolio is to move no more than this; `None` for no target.
    pub portfolio: Option<f64>,
}

/// The columns at one decision.
#[derive(Clone, Copy, Debug)]
pub struct RiskColumns<'a> {
    /// Volatility of each instrument, per bar.
    pub volatility: ColRef<'a, f64>,
    /// Its correlation with the market.
    pub correlation: ColRef<'a, f64>,
}

impl VolatilitySizing {
    /// What a position in instrument `i` is multiplied by, at 1e-9: reference / volatility, at most 1. An instrument whose
    /// volatility is not known yet gets half: unknown risk is not small risk.
    #[inline]
    pub(crate) fn factor(&self, columns: &RiskColumns<'_>, i: usize) -> i64 {
        let Some(reference) = self.instrument else { return NANO };
        match columns.volatility.get(i) {
            Ok(v) if v <= reference => NANO,
            Ok(v) => quantise((reference / v).min(1.0), 1e9).unwrap_or(NANO / 2),
            Err(_) => NANO / 2,
        }
    }

    /// What all positions are multiplied by so that the portfolio of `wanted` (1e-9 of NAV) moves no more than the target, at
    /// 1e-9, at most 1. Positions whose risk is not known count with the largest known volatility and correlation 1.
    pub(crate) fn scale(&self, columns: &RiskColumns<'_>, wanted: &[i64]) -> i64 {
        let Some(target) = self.portfolio else { return NANO };
        let mut sum = SingleIndex::default();
        let (mut largest, mut unknown) = (0.0_f64, 0.0_f64);
        for (i, w) in wanted.iter().enumerate().filter(|(_, w)| **w != 0) {
            let weight = *w as f64 / 1e9;
            match (columns.volatility.get(i), columns.correlation.get(i)) {
                (Ok(v), Ok(c)) => {
                    largest = largest.max(v);
                    sum.add(weight, v, c);
                }
                _ => unknown += weight.abs(),
            }
        }
        sum.add(unknown, largest, 1.0);
        let volatility = sum.volatility();
        if volatility <= target { NANO } else { quantise(target / volatility, 1e9).unwrap_or(NANO) }
    }
}

/// `wanted` times a factor at 1e-9, toward the same sign and never larger.
#[inline]
pub(crate) fn shrink(wanted: i64, factor: i64) -> i64 {
    if factor >= NANO { wanted } else { mul_nano(wanted, factor) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradegraph_columns::Status;
    use tradegraph_domain::FeedId;
    use tradegraph_market::FeatureKind;

    fn sizing(instrument: Option<f64>, portfolio: Option<f64>) -> VolatilitySizing {
        let spec = |kind| FeatureSpec { kind, feed: FeedId(0) };
        VolatilitySizing {
            volatility: spec(FeatureKind::RealisedVol { n: 60 }),
            correlation: spec(FeatureKind::MarketCorrelation { n: 60 }),
            instrument,
            portfolio,
        }
    }

    #[test]
    fn hand_worked_sizes() {
        let (ok, none) = (Status::Ok, Status::WarmUp);
        let status = [ok, ok, none];
        let columns = RiskColumns {
            volatility: ColRef::new(&[0.01, 0.04, 0.0], &status),
            correlation: ColRef::new(&[0.5, 1.0, 0.0], &status),
        };
        let s = sizing(Some(0.02), None);
        assert_eq!([0, 1, 2].map(|i| s.factor(&columns, i)), [NANO, NANO / 2, NANO / 2]);
        assert_eq!(s.scale(&columns, &[NANO, NANO, NANO]), NANO);
        // One position of 1 in the second: it moves 4 % a bar, so a target of 1 % leaves a quarter.
        let s = sizing(None, Some(0.01));
        assert_eq!(s.factor(&columns, 1), NANO);
        assert_eq!(s.scale(&columns, &[0, NANO, 0]), NANO / 4);
        assert_eq!(s.scale(&columns, &[0, -NANO, 0]), NANO / 4);
        assert_eq!(s.scale(&columns, &[NANO, 0, 0]), NANO, "0.01 is within the target");
        // Unknown: as bad as the worst, together with it 8 %.
        assert_eq!(s.scale(&columns, &[0, NANO, NANO]), NANO / 8);
    }
}
