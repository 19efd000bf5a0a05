//! Ordinary least squares with the errors that the residuals call for.

use super::dense::{Qr, dot, mean, sum_of};
use super::distribution::student_two_sided;
use super::{EconometricsError, finite};
use crate::vmath;

/// What is in a regression beside its columns, before them in the order of the coefficients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trend {
    /// Nothing.
    None,
    /// A constant.
    Constant,
    /// A constant and the row number, from 1 on.
    Linear,
    /// A constant, the row number and its square.
    Quadratic,
}

impl Trend {
    /// Columns it adds: 0 to 3.
    #[must_use]
    pub fn columns(self) -> usize {
        self as usize
    }

    /// Its column number `j` at a row, counted from 0.
    pub(super) fn at(self, j: usize, row: usize) -> f64 {
        let t = (row + 1) as f64;
        match j {
            0 => 1.0,
            1 => t,
            _ => t * t,
        }
    }
}

/// The covariance of the coefficients, by what is assumed of the residuals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covariance {
    /// Equal variance, no correlation. p-values are Student's with `n − k` degrees of freedom, below normal.
    Classic,
    /// White: any variance, no correlation.
    Hc0,
    /// White with `n / (n − k)`.
    Hc1,
    /// White, squares over `1 − h` with the leverage `h` of their row.
    Hc2,
    /// White, squares over `(1 − h)²`.
    Hc3,
    /// Newey and West: any variance, correlation up to `lags` rows apart, weights `1 − j / (lags + 1)`.
    NeweyWest {
        /// Rows apart, below the number of rows.
        lags: usize,
        /// Multiplied with `n / (n − k)`.
        small_sample: bool,
    },
}

/// Errors of coefficients.
#[derive(Clone, Debug, PartialEq)]
pub struct Inference {
    /// Covariance, `k × k` by rows.
    pub covariance: Vec<f64>,
    /// Standard errors.
    pub errors: Vec<f64>,
    /// Coefficient over error.
    pub t: Vec<f64>,
    /// Two-sided p-values.
    pub p: Vec<f64>,
}

/// A regression of `y` on a trend and columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Ols {
    /// Coefficients: constant, slope, square as far as there are; then those of the columns.
    pub coefficients: Vec<f64>,
    /// `y` less what is explained, a row each.
    pub residuals: Vec<f64>,
    /// Sum of squared residuals.
    pub rss: f64,
    /// `1 − rss / tss`, about the mean of `y` if there is a constant, else about 0.
    pub r_squared: f64,
    design: Vec<f64>,
    inverse: Vec<f64>,
}

impl Ols {
    /// Least squares by Householder's QR.
    ///
    /// - Shape: each column as long as `y`; more rows than coefficients.
    /// - Errors: `Shape`, `TooFew`, `NotFinite`, `Collinear` (a column that is another's multiple, or constant beside a
    ///   constant), `NoVariance` for a `y` without any where there is a constant, or of zeros.
    /// - Source: Greene, Econometric Analysis (2018), chapter 3.
    pub fn fit(y: &[f64], columns: &[&[f64]], trend: Trend) -> Result<Ols, EconometricsError> {
        const WHAT: &str = "regression";
        let (n, k) = (y.len(), trend.columns() + columns.len());
        if let Some(c) = columns.iter().find(|c| c.len() != n) {
            return Err(EconometricsError::Shape { what: "column of a regression", got: c.len(), expected: n });
        }
        if n <= k || k == 0 {
            return Err(EconometricsError::TooFew { what: WHAT, got: n, need: k.max(1) + 1 });
        }
        finite("explained series", y)?;
        columns.iter().try_for_each(|c| finite("column of a regression", c))?;
        let mut qr = Qr::default();
        qr.reset(n, k);
        let mut design = vec![0.0; n * k];
        for (j, to) in design.chunks_exact_mut(n).enumerate() {
            match j.checked_sub(trend.columns()) {
                Some(c) => to.copy_from_slice(columns[c]),
                None => to.iter_mut().enumerate().for_each(|(row, x)| *x = trend.at(j, row)),
            }
            qr.column_mut(j).copy_from_slice(to);
        }
        qr.factor().map_err(|column| EconometricsError::Collinear { what: WHAT, column })?;
        let mut coefficients = y.to_vec();
        qr.rotate(&mut coefficients);
        let mut residuals = coefficients.clone();
        residuals[..k].fill(0.0);
        qr.rotate_back(&mut residuals);
        qr.solve(&mut coefficients);
        coefficients.truncate(k);
        let rss = dot(&residuals, &residuals);
        let centre = if trend == Trend::None { 0.0 } else { mean(y) };
        let tss = sum_of(y, |v| (v - centre) * (v - centre));
        // Equal values leave deviations of the size of the rounding of their mean.
        let rounding = 4.0 * f64::EPSILON * centre;
        if tss <= n as f64 * rounding * rounding {
            return Err(EconometricsError::NoVariance { what: "explained series" });
        }
        let inverse = qr.inverse_gram();
        Ok(Ols { coefficients, residuals, rss, r_squared: 1.0 - rss / tss, design, inverse })
    }

    /// Rows less coefficients.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> usize {
        self.residuals.len() - self.coefficients.len()
    }

    /// Errors of the coefficients. p-values are normal except with [`Covariance::Classic`].
    ///
    /// - Errors: `OutOfRange` for as many lags as rows or more, or for [`Covariance::Hc2`] and `Hc3` if one row alone
    ///   determines a coefficient (leverage 1).
    /// - Sources: White, Econometrica 48 (1980) 817; MacKinnon and White, Journal of Econometrics 29 (1985) 305;
    ///   Newey and West, Econometrica 55 (1987) 703.
    pub fn inference(&self, covariance: Covariance) -> Result<Inference, EconometricsError> {
        let (n, k) = (self.residuals.len(), self.coefficients.len());
        let free = self.degrees_of_freedom() as f64;
        let small = n as f64 / free;
        let covariance_matrix = match covariance {
            Covariance::Classic => self.inverse.iter().map(|v| v * self.rss / free).collect(),
            Covariance::Hc0 => self.sandwich(&self.meat(&self.residuals, 0), 1.0),
            Covariance::Hc1 => self.sandwich(&self.meat(&self.residuals, 0), small),
            Covariance::Hc2 | Covariance::Hc3 => {
                let mut weighted = self.residuals.clone();
                for (row, e) in weighted.iter_mut().enumerate() {
                    let left = 1.0 - self.leverage(row);
                    if left <= 1e-12 {
                        return Err(EconometricsError::OutOfRange {
                            what: "leverage of a row",
                            got: 1.0 - left,
                            least: 0.0,
                            most: 1.0 - 1e-12,
                        });
                    }
                    *e /= if covariance == Covariance::Hc2 { left.sqrt() } else { left };
                }
                self.sandwich(&self.meat(&weighted, 0), 1.0)
            }
            Covariance::NeweyWest { lags, small_sample } => {
                if lags >= n {
                    return Err(EconometricsError::OutOfRange {
                        what: "lags of Newey and West",
                        got: lags as f64,
                        least: 0.0,
                        most: (n - 1) as f64,
                    });
                }
                self.sandwich(&self.meat(&self.residuals, lags), if small_sample { small } else { 1.0 })
            }
        };
        let errors: Vec<f64> = (0..k).map(|j| covariance_matrix[j * k + j].max(0.0).sqrt()).collect();
        let t: Vec<f64> = self.coefficients.iter().zip(&errors).map(|(b, e)| b / e).collect();
        let p = t.iter().map(|t| match covariance {
            Covariance::Classic => student_two_sided(*t, free),
            _ => 2.0 * vmath::normal_cdf(-t.abs()),
        });
        let p = p.collect();
        Ok(Inference { covariance: covariance_matrix, errors, t, p })
    }

    /// `x'(X'X)⁻¹x` of a row: how far it determines its own fit, 0 to 1.
    #[must_use]
    pub fn leverage(&self, row: usize) -> f64 {
        let (n, k) = (self.residuals.len(), self.coefficients.len());
        let x = |j: usize| self.design[j * n + row];
        (0..k).fold(0.0, |sum, i| sum + x(i) * (0..k).fold(0.0, |inner, j| inner + self.inverse[i * k + j] * x(j)))
    }

    /// `Σ wⱼ (Γⱼ + Γⱼ')` of the rows times their residuals.
    fn meat(&self, residuals: &[f64], lags: usize) -> Vec<f64> {
        let (n, k) = (residuals.len(), self.coefficients.len());
        let mut scores = self.design.clone();
        for column in scores.chunks_exact_mut(n) {
            column.iter_mut().zip(residuals).for_each(|(x, e)| *x *= e);
        }
        let column = |j: usize| &scores[j * n..(j + 1) * n];
        let mut meat = vec![0.0; k * k];
        for i in 0..k {
            for j in 0..k {
                let mut sum = dot(column(i), column(j));
                for lag in 1..=lags {
                    let weight = 1.0 - lag as f64 / (lags + 1) as f64;
                    let ahead = dot(&column(i)[lag..], column(j)) + dot(&column(j)[lag..], column(i));
                    sum += weight * ahead;
                }
                meat[i * k + j] = sum;
            }
        }
        meat
    }

    fn sandwich(&self, meat: &[f64], factor: f64) -> Vec<f64> {
        let k = self.coefficients.len();
        let product = |a: &[f64], b: &[f64]| -> Vec<f64> {
            let cell = |at: usize| (0..k).fold(0.0, |sum, c| sum + a[at / k * k + c] * b[c * k + at % k]);
            (0..k * k).map(cell).collect()
        };
        let half = product(&self.inverse, meat);
        product(&half, &self.inverse).into_iter().map(|v| v * factor).collect()
    }
}
