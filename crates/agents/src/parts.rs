//! What several agents have in common: scales, agreement, and the features of `quant::fibonacci`.

use tradegraph_domain::FeedId;
use tradegraph_market::{FeatureKind, FeatureSpec, IndicatorSpec};

/// Bars of the average true range that swings are measured in.
const RANGE_BARS: f64 = 14.0;
/// Per cent of a level within which prices are one.
const TOLERANCE: f64 = 0.5;
/// Bars after which an earlier turning point counts half.
const HALF_LIFE: f64 = 60.0;

/// Least and most reversal of a swing in hundredths of an average true range.
pub(crate) const SWING: std::ops::RangeInclusive<u16> = 50..=2_000;

/// x / (1 + |x|): to (−1, 1), without a transcendental function.
#[inline]
pub(crate) fn squash(x: f64) -> f64 {
    x / (1.0 + x.abs())
}

/// |Σ factors| / Σ |factors|: 1 when all agree, 0 where there is none.
#[inline]
pub(crate) fn agreement(factors: &[f64]) -> f64 {
    let (sum, all) = factors.iter().fold((0.0_f64, 0.0), |(sum, all), f| (sum + f, all + f.abs()));
    if all > 0.0 { (sum.abs() / all).min(1.0) } else { 0.0 }
}

/// Lines of the Fibonacci confluence with swings of `swing_pct` hundredths of the average true range; none for 0, which is
/// "off". All agents read the same kernel, which is the cheapest way to the legs too.
pub(crate) fn swing_features(feed: FeedId, swing_pct: u16, lines: &[&str]) -> Vec<FeatureSpec> {
    let parameters = [f64::from(swing_pct) / 100.0, RANGE_BARS, TOLERANCE, HALF_LIFE];
    let spec = |line: &&str| {
        let kind = FeatureKind::Indicator(IndicatorSpec::new("confluence", &parameters, line).ok()?);
        Some(FeatureSpec { kind, feed })
    };
    if swing_pct == 0 { vec![] } else { lines.iter().filter_map(spec).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squash_is_odd_bounded_and_monotone() {
        let xs: Vec<f64> = (-100..=100).map(|i| f64::from(i) / 7.0).collect();
        assert!(xs.windows(2).all(|w| squash(w[0]) < squash(w[1])));
        assert!(xs.iter().all(|x| squash(*x).abs() < 1.0 && squash(-*x).to_bits() == (-squash(*x)).to_bits()));
    }

    #[test]
    fn agreement_by_hand() {
        for (factors, expected) in
            [(&[0.5, -0.25, 0.25][..], 0.5), (&[-0.5, -0.1], 1.0), (&[0.3, -0.3], 0.0), (&[], 0.0)]
        {
            assert!((agreement(factors) - expected).abs() < 1e-15, "{factors:?}");
        }
    }

    #[test]
    fn every_swing_in_the_range_has_its_features() {
        let lines = ["boost", "level", "from", "to"];
        for swing in SWING {
            assert_eq!(swing_features(FeedId(0), swing, &lines).len(), 4, "{swing}");
        }
        assert!(swing_features(FeedId(0), 0, &lines).is_empty());
    }
}
