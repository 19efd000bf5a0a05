//! What several agents have in common: scales, agreement, and the features of `quant::fibonacci`.

use tradegraph_columns::{ColRef, Status};
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

/// Instruments whose opinions are made together: their features stay in the first-level cache.
pub(crate) const TILE: usize = 256;

/// What stands for a feature that is switched off or that no instrument has.
pub(crate) const ZEROS: &[f64] = &[0.0; TILE];

/// Cells `from..to` of some columns, if every one of each is `Ok`.
#[inline]
pub(crate) fn whole<'a, const N: usize>(
    columns: [ColRef<'a, f64>; N],
    from: usize,
    to: usize,
) -> Option<[&'a [f64]; N]> {
    let mut found = [&[][..]; N];
    for (found, column) in found.iter_mut().zip(columns) {
        *found = column.cells(from, to).whole().filter(|cells| cells.len() == to - from)?;
    }
    Some(found)
}

/// True if there are no columns, or if one of them has no cell among `from..to` that is `Ok`.
#[inline]
pub(crate) fn none<const N: usize>(columns: Option<[ColRef<'_, f64>; N]>, from: usize, to: usize) -> bool {
    let is_none =
        |c: ColRef<'_, f64>| c.cells(from, to).statuses().iter().fold(true, |none, s| none & (*s != Status::Ok));
    columns.is_none_or(|columns| columns.into_iter().any(is_none))
}

/// x / (1 + |x|): to (−1, 1), without a transcendental function.
#[inline(always)]
pub(crate) fn squash(x: f64) -> f64 {
    x / (1.0 + x.abs())
}

/// |Σ factors| / Σ |factors|: 1 when all agree, 0 where there is none.
#[inline(always)]
pub(crate) fn agreement<const N: usize>(factors: &[f64; N]) -> f64 {
    let (mut sum, mut all) = (0.0_f64, 0.0);
    for f in factors {
        sum += f;
        all += f.abs();
    }
    let share = at_most(sum.abs() / all, 1.0);
    if all > 0.0 { share } else { 0.0 }
}

/// The smaller one; zeros of either sign are `x`. Unlike `f64::min` it has the same bits in every build.
#[inline(always)]
pub(crate) fn at_most(x: f64, most: f64) -> f64 {
    if x > most { most } else { x }
}

/// The larger one; zeros of either sign and NaN are `least`.
#[inline(always)]
pub(crate) fn at_least(x: f64, least: f64) -> f64 {
    if x > least { x } else { least }
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
            [([0.5, -0.25, 0.25], 0.5), ([-0.5, -0.1, 0.0], 1.0), ([0.3, -0.3, 0.0], 0.0), ([0.0, -0.0, 0.0], 0.0)]
        {
            assert!((agreement(&factors) - expected).abs() < 1e-15, "{factors:?}");
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
