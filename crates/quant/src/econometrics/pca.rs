//! Principal components: the few directions in which many series move.

use super::dense::{dot, mean, symmetric_eigen};
use super::{EconometricsError, varied};

/// Principal components, the largest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Pca {
    /// Variance along each component, divisor `n − 1`.
    pub variances: Vec<f64>,
    /// Part of the whole variance.
    pub shares: Vec<f64>,
    /// Weights of the series, a component each; length 1, the largest weight above 0.
    pub components: Vec<Vec<f64>>,
    /// Means of the series; with standardised series also their deviations.
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Pca {
    /// Components of the covariance of the series, or of their correlation if `standardise`. A combination of series that does
    /// not vary has the variance 0 (up to rounding).
    ///
    /// - Shape: one or more series of one length, two rows or more. Time: `k² n + 10 k³` for `k` series.
    /// - Errors: `TooFew`, `Shape`, `NotFinite`, `NoVariance`.
    /// - Source: Jolliffe, Principal Component Analysis (2002), 2.1.
    pub fn fit(series: &[&[f64]], standardise: bool) -> Result<Pca, EconometricsError> {
        const WHAT: &str = "series of principal components";
        let Some(first) = series.first() else {
            return Err(EconometricsError::TooFew { what: WHAT, got: 0, need: 1 });
        };
        let (k, n) = (series.len(), first.len());
        let (mut means, mut deviations) = (Vec::with_capacity(k), Vec::with_capacity(k));
        let mut centred: Vec<Vec<f64>> = Vec::with_capacity(k);
        for x in series {
            if x.len() != n {
                return Err(EconometricsError::Shape { what: WHAT, got: x.len(), expected: n });
            }
            varied(WHAT, x, 2)?;
            let centre = mean(x);
            let mut z: Vec<f64> = x.iter().map(|v| v - centre).collect();
            let deviation = if standardise { (dot(&z, &z) / (n - 1) as f64).sqrt() } else { 1.0 };
            z.iter_mut().for_each(|v| *v /= deviation);
            centred.push(z);
            means.push(centre);
            deviations.push(deviation);
        }
        let mut covariance = vec![0.0; k * k];
        for i in 0..k {
            for j in 0..=i {
                let c = dot(&centred[i], &centred[j]) / (n - 1) as f64;
                covariance[i * k + j] = c;
                covariance[j * k + i] = c;
            }
        }
        let (variances, vectors) = symmetric_eigen(&mut covariance, k);
        let variances: Vec<f64> = variances.into_iter().map(|v| v.max(0.0)).collect();
        let whole = tradegraph_columns::sum8(&variances);
        Ok(Pca {
            shares: variances.iter().map(|v| v / whole).collect(),
            variances,
            components: vectors.chunks_exact(k).map(<[f64]>::to_vec).collect(),
            means,
            deviations,
        })
    }

    /// A row of the series along the components, as many as `out` holds; what is not explained is left out.
    ///
    /// Errors: `Shape` for a row of another number of series.
    pub fn scores(&self, row: &[f64], out: &mut [f64]) -> Result<(), EconometricsError> {
        if row.len() != self.means.len() {
            let (got, expected) = (row.len(), self.means.len());
            return Err(EconometricsError::Shape { what: "row of principal components", got, expected });
        }
        for (to, weights) in out.iter_mut().zip(&self.components) {
            let parts = row.iter().zip(&self.means).zip(&self.deviations).zip(weights);
            *to = parts.fold(0.0, |sum, (((x, m), d), w)| sum + w * (x - m) / d);
        }
        Ok(())
    }
}
