//! Is the best of many trials better than a benchmark, or only the luckiest: White's reality check and Hansen's test of
//! superior predictive ability.

use super::resample::{Bootstrap, BootstrapError};
use super::{finite, moments::Moments};
use tradegraph_columns::sum8;

/// What of each trial is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Superiority {
    /// Mean difference: White's statistic, and that of arch's `SPA`. A trial with wild returns can hide a good one.
    Mean,
    /// Mean difference over its standard error, not below 0: Hansen's own. It needs many blocks: with ten independent
    /// trials without skill, 20 blocks of 10 rows reject 12 % at the 5 % level, 100 blocks 5 %.
    Studentised,
}

/// Result of the test that no trial beats the benchmark.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SuperiorAbility {
    /// Index of the trial with the best statistic; of equal ones the first.
    pub best: usize,
    /// Its statistic: the mean difference, or √n times that over its standard deviation.
    pub statistic: f64,
    /// Least p-value: trials worse than the benchmark are taken to be as bad as they look.
    pub lower: f64,
    /// Consistent p-value: only trials clearly worse than the benchmark are.
    pub consistent: f64,
    /// Greatest p-value: every trial is taken to be as good as the benchmark. With [`Superiority::Mean`] it is White's.
    pub upper: f64,
}

/// Tests the hypothesis that none of the trials has a higher expected return than the benchmark: Hansen's three
/// p-values, the share of bootstrap samples whose best recentred statistic exceeds the one seen.
///
/// Each trial is one slice of returns a bar, as long as `benchmark` (zeros for "no strategy is better than cash");
/// ratios of other things than returns work too, larger being better. The variance that decides which trials are
/// clearly worse is that of the stationary bootstrap with the plan's mean block length. With [`Superiority::Mean`] equal
/// to arch's `SPA` from the same samples. Cost: `replications · trials · rows`, and `trials · rows²` for the variances.
///
/// # Errors
/// [`BootstrapError`]: no trial, other lengths, fewer than three rows, a value that is not finite, the plan's own errors,
/// and for [`Superiority::Studentised`] a trial whose difference has no variance. Sources: White, Econometrica 68 (2000)
/// 1097; Hansen, Journal of Business and Economic Statistics 23 (2005) 365.
pub fn superior_ability(
    trials: &[&[f64]],
    benchmark: &[f64],
    plan: &Bootstrap,
    superiority: Superiority,
) -> Result<SuperiorAbility, BootstrapError> {
    let differences = differences(trials, benchmark)?;
    let n = benchmark.len() as f64;
    let mut models = Vec::with_capacity(differences.len());
    for (trial, difference) in differences.iter().enumerate() {
        let mean = sum8(difference) / n;
        let variance = stationary_variance(difference, mean, plan.scheme.mean_length());
        let scale = match superiority {
            Superiority::Mean => 1.0,
            Superiority::Studentised => {
                let variance = variance.filter(|v| *v > 0.0).ok_or(BootstrapError::NoVariance { trial })?;
                (n / variance).sqrt()
            }
        };
        let clearly_worse = mean < -(variance.unwrap_or(0.0) / n * 2.0 * libm::log(libm::log(n))).sqrt();
        let centres = [mean.max(0.0), if clearly_worse { 0.0 } else { mean }, mean];
        models.push(Model { difference, mean, scale, centres });
    }
    let floor = if superiority == Superiority::Studentised { 0.0 } else { f64::NEG_INFINITY };
    let (mut best, mut statistic) = (0, f64::NEG_INFINITY);
    for (trial, model) in models.iter().enumerate() {
        if model.mean * model.scale > statistic {
            (best, statistic) = (trial, model.mean * model.scale);
        }
    }
    let seen = statistic.max(floor);
    let mut exceeded = [0_usize; 3];
    let mut sample = vec![0.0; benchmark.len()];
    plan.for_each(benchmark.len(), |_, rows| {
        let mut most = [floor; 3];
        for model in &models {
            sample.iter_mut().zip(rows).for_each(|(cell, row)| *cell = model.difference[*row]);
            let mean = sum8(&sample) / n;
            for (most, centre) in most.iter_mut().zip(model.centres) {
                *most = most.max((mean - centre) * model.scale);
            }
        }
        exceeded.iter_mut().zip(most).for_each(|(count, most)| *count += usize::from(most > seen));
        Ok(())
    })?;
    let [lower, consistent, upper] = exceeded.map(|count| count as f64 / plan.replications as f64);
    Ok(SuperiorAbility { best, statistic, lower, consistent, upper })
}

/// White's reality check: the p-value of the hypothesis that no trial has a higher expected return than the benchmark,
/// [`SuperiorAbility::upper`] with [`Superiority::Mean`].
///
/// # Errors
/// As [`superior_ability`]. Source: White, Econometrica 68 (2000) 1097.
pub fn reality_check(trials: &[&[f64]], benchmark: &[f64], plan: &Bootstrap) -> Result<f64, BootstrapError> {
    superior_ability(trials, benchmark, plan, Superiority::Mean).map(|s| s.upper)
}

struct Model<'a> {
    difference: &'a [f64],
    mean: f64,
    scale: f64,
    /// What samples are recentred by for the lower, consistent and upper p-value.
    centres: [f64; 3],
}

fn differences(trials: &[&[f64]], benchmark: &[f64]) -> Result<Vec<Vec<f64>>, BootstrapError> {
    let rows = benchmark.len();
    if trials.is_empty() {
        return Err(BootstrapError::NoTrials);
    }
    // ln ln n has no value at 1 and is below 0 at 2.
    if rows < 3 {
        return Err(BootstrapError::TooFewRows { rows, least: 3 });
    }
    let difference = |(trial, returns): (usize, &&[f64])| {
        if returns.len() != rows {
            return Err(BootstrapError::Shape { trial, rows: returns.len(), expected: rows });
        }
        let cells = returns.iter().zip(benchmark).enumerate();
        cells.map(|(row, (r, b))| finite(r - b).ok_or(BootstrapError::NotFinite { row })).collect()
    };
    trials.iter().enumerate().map(difference).collect()
}

/// `n` times the variance that the mean has under the stationary bootstrap; `None` for a constant. Source: Hansen (2005),
/// the kernel of his section 3.
fn stationary_variance(x: &[f64], mean: f64, mean_length: f64) -> Option<f64> {
    if Moments::of(x)?.variance == 0.0 {
        return None;
    }
    let n = x.len() as f64;
    let x: Vec<f64> = x.iter().map(|v| v - mean).collect();
    let go_on = 1.0 - 1.0 / mean_length;
    let mut powers = vec![1.0; x.len() + 1];
    for i in 1..powers.len() {
        powers[i] = powers[i - 1] * go_on;
    }
    let terms: Vec<f64> = (0..x.len())
        .map(|lag| {
            let products: Vec<f64> = x.iter().skip(lag).zip(&x).map(|(a, b)| a * b).collect();
            let share = lag as f64 / n;
            let weight = (1.0 - share) * powers[lag] + share * powers[x.len() - lag];
            sum8(&products) / n * if lag == 0 { 1.0 } else { 2.0 * weight }
        })
        .collect();
    Some(sum8(&terms).max(0.0))
}
