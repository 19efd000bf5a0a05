//! Covariances from returns, raw, weighted and shrunk.

use super::gram::gram;
use super::symmetric::{add_scaled, dot};
use super::{AllocationError, Symmetric};

/// Returns of names, row by row: a row is a bar, oldest first, a column a name.
#[derive(Clone, Copy, Debug)]
pub struct Returns<'a> {
    values: &'a [f64],
    names: usize,
}

impl<'a> Returns<'a> {
    /// `values` has `names` cells a bar; simple returns (0.01 is one per cent).
    ///
    /// # Errors
    /// No name or no bar, cells that do not fill the last bar, or a cell that is not finite.
    pub fn new(values: &'a [f64], names: usize) -> Result<Self, AllocationError> {
        if names == 0 || !values.len().is_multiple_of(names) {
            return Err(AllocationError::Shape { what: "returns", given: values.len(), expected: names });
        }
        if values.is_empty() {
            return Err(AllocationError::TooFewRows { rows: 0, least: 1 });
        }
        match values.iter().position(|v| !v.is_finite()) {
            Some(at) => Err(AllocationError::NotFinite { what: "returns", row: at / names, column: at % names }),
            None => Ok(Returns { values, names }),
        }
    }

    /// Bars.
    #[must_use]
    pub fn bars(&self) -> usize {
        self.values.len() / self.names
    }

    /// Names.
    #[must_use]
    pub fn names(&self) -> usize {
        self.names
    }

    /// The bars, oldest first.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &'a [f64]> + Clone + use<'a> {
        self.values.chunks_exact(self.names)
    }

    pub(crate) fn values(&self) -> &'a [f64] {
        self.values
    }

    /// Mean return of each name, a bar.
    #[must_use]
    pub fn means(&self) -> Vec<f64> {
        let mut means = vec![0.0; self.names];
        self.rows().for_each(|r| add_scaled(&mut means, 1.0, r));
        let n = self.bars() as f64;
        means.iter_mut().for_each(|m| *m /= n);
        means
    }

    fn at_least(&self, least: usize) -> Result<(), AllocationError> {
        let rows = self.bars();
        if rows < least { Err(AllocationError::TooFewRows { rows, least }) } else { Ok(()) }
    }
}

/// Sample covariance a bar, divisor `bars − 1`. Singular if there are not more bars than names.
///
/// # Errors
/// Fewer than two bars. Equal to numpy's `cov`.
pub fn sample_covariance(returns: Returns<'_>) -> Result<Symmetric, AllocationError> {
    returns.at_least(2)?;
    Ok(gram(returns.values(), returns.names(), &returns.means(), 1.0 / (returns.bars() - 1) as f64, |_| {}))
}

/// Exponentially weighted covariance a bar: weights `λ^age` that add up to 1, of returns as they are or less their mean
/// weighted the same way. RiskMetrics: λ = 0.94, no mean.
///
/// # Errors
/// `decay` outside 0 to 1 (0 excluded). Source: J.P. Morgan, RiskMetrics Technical Document (1996), section 5.2; with
/// `centred` equal to pandas' `ewm(adjust=True).cov(bias=True)`.
pub fn weighted_covariance(returns: Returns<'_>, decay: f64, centred: bool) -> Result<Symmetric, AllocationError> {
    if decay.is_nan() || decay <= 0.0 || decay > 1.0 {
        return Err(AllocationError::Range { what: "decay", value: decay, expected: "above 0 and at most 1" });
    }
    let (bars, names) = (returns.bars(), returns.names());
    let mut weights = vec![1.0; bars];
    for t in (1..bars).rev() {
        weights[t - 1] = weights[t] * decay;
    }
    let total: f64 = weights.iter().rev().sum();
    let mut mean = vec![0.0; names];
    if centred {
        returns.rows().zip(&weights).for_each(|(r, w)| add_scaled(&mut mean, w / total, r));
    }
    let mut rooted = Vec::with_capacity(bars * names);
    for (row, w) in returns.rows().zip(&weights) {
        let root = (w / total).sqrt();
        rooted.extend(row.iter().zip(&mean).map(|(r, m)| (r - m) * root));
    }
    Ok(gram(&rooted, names, &vec![0.0; names], 1.0, |_| {}))
}

/// A covariance pulled towards a simpler one.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk {
    /// `(1 − intensity) sample + intensity target`, a bar.
    pub covariance: Symmetric,
    /// 0 (the sample) to 1 (the target).
    pub intensity: f64,
}

/// Ledoit and Wolf's shrinkage towards the mean variance times the identity; sample with divisor `bars`.
///
/// # Errors
/// Fewer than two bars. Source: Ledoit and Wolf, Journal of Multivariate Analysis 88 (2004) 365; equal to sklearn's
/// `ledoit_wolf`.
pub fn ledoit_wolf(returns: Returns<'_>) -> Result<Shrunk, AllocationError> {
    let mut fourth = 0.0;
    let sample = central(returns, |row| {
        let size = dot(row, row);
        fourth += size * size;
    })?;
    let (n, bars) = (returns.names() as f64, returns.bars() as f64);
    let (mean, squares) = identity_parts(&sample);
    let spread = squares - n * mean * mean;
    let noise = (fourth / bars - squares) / bars;
    Ok(towards_identity(sample, mean, if noise > 0.0 { (noise / spread).min(1.0) } else { 0.0 }))
}

/// Oracle approximating shrinkage towards the mean variance times the identity; sample with divisor `bars`.
///
/// # Errors
/// Fewer than two bars. Source: Chen, Wiesel, Eldar and Hero, IEEE Transactions on Signal Processing 58 (2010) 5016,
/// equation 23, without the term `−2 tr(S²)/p` as sklearn's `oas`, to which it is equal.
pub fn oracle_approximating(returns: Returns<'_>) -> Result<Shrunk, AllocationError> {
    let sample = central(returns, |_| {})?;
    let (n, bars) = (returns.names() as f64, returns.bars() as f64);
    let (mean, squares) = identity_parts(&sample);
    let alpha = squares / (n * n);
    let (above, below) = (alpha + mean * mean, (bars + 1.0) * (alpha - mean * mean / n));
    Ok(towards_identity(sample, mean, if below > 0.0 { (above / below).min(1.0) } else { 1.0 }))
}

/// Covariance with divisor `bars`; `visit` sees every bar less the means.
fn central(returns: Returns<'_>, visit: impl FnMut(&[f64])) -> Result<Symmetric, AllocationError> {
    returns.at_least(2)?;
    Ok(gram(returns.values(), returns.names(), &returns.means(), 1.0 / returns.bars() as f64, visit))
}

/// Mean variance, and the sum of all squared cells.
fn identity_parts(sample: &Symmetric) -> (f64, f64) {
    let n = sample.n();
    let trace: f64 = (0..n).map(|i| sample.at(i, i)).sum();
    (trace / n as f64, dot(sample.values(), sample.values()))
}

fn towards_identity(sample: Symmetric, mean: f64, intensity: f64) -> Shrunk {
    let n = sample.n();
    let mut values = sample.into_values();
    values.iter_mut().for_each(|v| *v *= 1.0 - intensity);
    (0..n).for_each(|i| values[i * n + i] += intensity * mean);
    Shrunk { covariance: Symmetric::raw(n, values), intensity }
}

/// Ledoit and Wolf's shrinkage towards the sample's variances with one correlation for all pairs, the mean of the
/// sample's. The sample has divisor `bars − 1`, the intensity is estimated with divisor `bars`, as PyPortfolioOpt does.
///
/// # Errors
/// Fewer than two bars or names, or a name without variance. Source: Ledoit and Wolf, Journal of Portfolio Management
/// 30 (2004) 110, appendix B; equal to PyPortfolioOpt's `CovarianceShrinkage.ledoit_wolf("constant_correlation")`.
pub fn ledoit_wolf_constant_correlation(returns: Returns<'_>) -> Result<Shrunk, AllocationError> {
    let sample = sample_covariance(returns)?;
    let (n, bars) = (returns.names(), returns.bars() as f64);
    if n < 2 {
        return Err(AllocationError::Shape { what: "names", given: n, expected: 2 });
    }
    let (correlation, vol) = sample.correlation()?;
    let all: f64 = (0..n).map(|i| correlation.row(i).iter().sum::<f64>()).sum();
    let mean_correlation = (all - n as f64) / (n * (n - 1)) as f64;
    let target =
        Symmetric::from_fn(n, |i, j| if i == j { sample.at(i, i) } else { mean_correlation * (vol[i] * vol[j]) });

    let means = returns.means();
    let less_mean = |r: &[f64]| -> Vec<f64> { r.iter().zip(&means).map(|(v, m)| v - m).collect() };
    let centred: Vec<f64> = returns.rows().flat_map(less_mean).collect();
    let nothing = vec![0.0; n];
    let squared: Vec<f64> = centred.iter().map(|v| v * v).collect();
    // π: asymptotic variances of the cells.
    let fourth = gram(&squared, n, &nothing, 1.0 / bars, |_| {});
    // PyPortfolioOpt's mixture of the divisors `bars` and `bars − 1`.
    let mixture = 2.0 * (bars - 1.0) / bars - 1.0;
    let pi = |i: usize, j: usize| fourth.at(i, j) - mixture * sample.at(i, j) * sample.at(i, j);
    let pi_sum: f64 = (0..n).map(|i| (0..n).map(|j| pi(i, j)).sum::<f64>()).sum();
    // ϑ: of a variance with the covariances of its name.
    let mut cubes = vec![0.0; n * n];
    for row in centred.chunks_exact(n) {
        for (i, x) in row.iter().enumerate() {
            add_scaled(&mut cubes[i * n..(i + 1) * n], x * x * x / bars, row);
        }
    }
    let mut rho = 0.0;
    for i in 0..n {
        rho += pi(i, i);
        for j in (0..n).filter(|j| *j != i) {
            let theta = cubes[i * n + j] - mixture * sample.at(i, i) * sample.at(i, j);
            rho += mean_correlation * vol[j] / vol[i] * theta;
        }
    }
    let distance: Vec<f64> = sample.values().iter().zip(target.values()).map(|(s, t)| s - t).collect();
    let gamma = dot(&distance, &distance);
    let kappa = if gamma > 0.0 { (pi_sum - rho) / gamma } else { f64::INFINITY };
    let intensity = (kappa / bars).clamp(0.0, 1.0);
    let mixed = |i: usize, j: usize| intensity * target.at(i, j) + (1.0 - intensity) * sample.at(i, j);
    Ok(Shrunk { covariance: Symmetric::from_fn(n, mixed), intensity })
}
