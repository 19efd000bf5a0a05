//! Confidence intervals of any statistic, by bootstrap.

use super::resample::{Bootstrap, BootstrapError};
use super::tail::{quantile_of_sorted, sorted};
use super::{finite, normal, sum_of};
use tradegraph_columns::sum8;

/// How an interval is made of the statistic's values on the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntervalMethod {
    /// The quantiles of the values themselves. Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993),
    /// section 13.3.
    Percentile,
    /// The quantiles mirrored at the estimate. Source: Davison and Hinkley, Bootstrap Methods (1997), eq. 5.6.
    Basic,
    /// Quantiles corrected for bias and skewness; the acceleration comes from leaving out one row at a time, which
    /// takes rows as independent. Source: Efron, Journal of the American Statistical Association 82 (1987) 171.
    Bca,
}

/// A confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The statistic of the data.
    pub estimate: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// The two-sided confidence interval of `statistic` at `level` (0.95, say): its bounds have `(1 − level) / 2` of the
/// probability on either side. Quantiles are those of [`super::quantile`].
///
/// `x` has one row a bar, oldest first; `statistic` sees as many values and says `None` where it is undefined. Equal to
/// arch's `conf_int` from the same samples. Cost: `replications` calls of `statistic`, for [`IntervalMethod::Bca`] one
/// more a row.
///
/// # Errors
/// [`BootstrapError`]: a level outside 0 to 1, fewer than two rows, a value that is not finite, the plan's own errors, a
/// statistic that is undefined somewhere, and for [`IntervalMethod::Bca`] samples that are all on one side of the
/// estimate, or a statistic that no single row changes ([`BootstrapError::Undefined`]).
pub fn interval(
    x: &[f64],
    statistic: impl Fn(&[f64]) -> Option<f64>,
    plan: &Bootstrap,
    method: IntervalMethod,
    level: f64,
) -> Result<Interval, BootstrapError> {
    if !(level > 0.0 && level < 1.0) {
        return Err(BootstrapError::Level { level });
    }
    if x.len() < 2 {
        return Err(BootstrapError::TooFewRows { rows: x.len(), least: 2 });
    }
    if let Some(row) = x.iter().position(|v| !v.is_finite()) {
        return Err(BootstrapError::NotFinite { row });
    }
    let undefined = |replication| BootstrapError::Undefined { replication };
    let value = |x: &[f64]| statistic(x).and_then(finite);
    let estimate = value(x).ok_or(undefined(None))?;
    let mut values = Vec::with_capacity(plan.replications);
    let mut sample = Vec::with_capacity(x.len());
    plan.for_each(x.len(), |replication, rows| {
        sample.clear();
        sample.extend(rows.iter().map(|row| x[*row]));
        values.push(value(&sample).ok_or(undefined(Some(replication)))?);
        Ok(())
    })?;
    let tail = (1.0 - level) / 2.0;
    let (from, to) = match method {
        IntervalMethod::Percentile | IntervalMethod::Basic => (tail, 1.0 - tail),
        IntervalMethod::Bca => {
            let share_below = values.iter().filter(|v| **v < estimate).count() as f64 / values.len() as f64;
            let bias = finite(normal::inverse(share_below)).ok_or(BootstrapError::OneSided { share_below })?;
            let acceleration = acceleration(x, value).ok_or(undefined(None))?;
            let corrected = |z: f64| normal::cdf(bias + (bias + z) / (1.0 - acceleration * (bias + z)));
            (corrected(normal::inverse(tail)), corrected(normal::inverse(1.0 - tail)))
        }
    };
    let sorted = sorted(&values).ok_or(undefined(None))?;
    let bound = |p| quantile_of_sorted(&sorted, p).ok_or(undefined(None));
    let (low, high) = (bound(from)?, bound(to)?);
    Ok(match method {
        IntervalMethod::Basic => Interval { estimate, low: 2.0 * estimate - high, high: 2.0 * estimate - low },
        _ => Interval { estimate, low, high },
    })
}

/// `Σ uᵢ³ / (6 (Σ uᵢ²)^1.5)`, uᵢ the mean of the statistics without one row less that without row i.
fn acceleration(x: &[f64], value: impl Fn(&[f64]) -> Option<f64>) -> Option<f64> {
    let mut rest = x.get(1..)?.to_vec();
    let mut without = vec![value(&rest)?];
    for (i, v) in x.iter().take(rest.len()).enumerate() {
        rest[i] = *v;
        without.push(value(&rest)?);
    }
    let mean = sum8(&without) / without.len() as f64;
    let squares = sum_of(without.iter().map(|w| (mean - w) * (mean - w)));
    let cubes = sum_of(without.iter().map(|w| (mean - w) * (mean - w) * (mean - w)));
    finite(cubes / (6.0 * squares * squares.sqrt()))
}
