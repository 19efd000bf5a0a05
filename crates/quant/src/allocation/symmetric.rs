//! Symmetric matrices and what is computed with them, in an order that no processor changes.

use super::AllocationError;
use crate::vmath::widest;
use nalgebra::{DMatrix, SymmetricEigen};
use pulp::{Simd, WithSimd};

/// A symmetric matrix: a covariance, or a correlation. Rows and columns are names, in the caller's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Symmetric {
    n: usize,
    values: Vec<f64>,
}

/// How far `aᵢⱼ` and `aⱼᵢ` may lie apart, of the larger diagonal cell.
const ASYMMETRY: f64 = 1e-9;

impl Symmetric {
    /// From `n × n` cells, row by row; cells across the diagonal may differ by rounding and are averaged.
    ///
    /// # Errors
    /// A wrong number of cells, one that is not finite, or one that differs from its mirror.
    pub fn new(n: usize, mut values: Vec<f64>) -> Result<Self, AllocationError> {
        if n == 0 || values.len() != n * n {
            return Err(AllocationError::Shape { what: "matrix", given: values.len(), expected: n * n });
        }
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            return Err(AllocationError::NotFinite { what: "matrix", row: at / n, column: at % n });
        }
        for i in 0..n {
            for j in 0..i {
                let (a, b) = (values[i * n + j], values[j * n + i]);
                let size = values[i * n + i].abs().max(values[j * n + j].abs());
                if (a - b).abs() > ASYMMETRY * size {
                    return Err(AllocationError::Asymmetric { row: i, column: j });
                }
                let middle = if a.to_bits() == b.to_bits() { a } else { 0.5 * (a + b) };
                (values[i * n + j], values[j * n + i]) = (middle, middle);
            }
        }
        Ok(Symmetric { n, values })
    }

    /// From cells known to be symmetric.
    pub(crate) fn raw(n: usize, values: Vec<f64>) -> Self {
        Symmetric { n, values }
    }

    /// A function of row and column, at or below the diagonal.
    pub(crate) fn from_fn(n: usize, mut cell: impl FnMut(usize, usize) -> f64) -> Self {
        let mut values = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let v = cell(i, j);
                (values[i * n + j], values[j * n + i]) = (v, v);
            }
        }
        Symmetric { n, values }
    }

    /// Rows.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// All cells, row by row.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    pub(super) fn into_values(self) -> Vec<f64> {
        self.values
    }

    /// One row, which is also the column.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.n..(i + 1) * self.n]
    }

    /// One cell.
    ///
    /// # Panics
    /// If there is no such cell.
    #[must_use]
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.row(i)[j]
    }

    /// `out = A x`.
    ///
    /// # Panics
    /// If a length differs from the matrix's.
    pub fn times(&self, x: &[f64], out: &mut [f64]) {
        assert!(x.len() == self.n && out.len() == self.n, "one value a row");
        out.fill(0.0);
        for (row, x) in self.values.chunks_exact(self.n).zip(x) {
            if *x != 0.0 {
                add_scaled(out, *x, row);
            }
        }
    }

    /// `x'A x`.
    ///
    /// # Panics
    /// If the length differs from the matrix's.
    #[must_use]
    pub fn quadratic(&self, x: &[f64]) -> f64 {
        let mut product = vec![0.0; self.n];
        self.times(x, &mut product);
        dot(&product, x)
    }

    /// The correlations of a covariance, and the volatilities.
    ///
    /// # Errors
    /// A variance that is not above 0.
    pub fn correlation(&self) -> Result<(Symmetric, Vec<f64>), AllocationError> {
        let vol: Vec<f64> = (0..self.n).map(|i| self.at(i, i).sqrt()).collect();
        if let Some(name) = vol.iter().position(|v| v.is_nan() || *v <= 0.0) {
            return Err(AllocationError::NoVariance { name });
        }
        let cell = |i: usize, j: usize| if i == j { 1.0 } else { self.at(i, j) / (vol[i] * vol[j]) };
        Ok((Symmetric::from_fn(self.n, cell), vol))
    }

    /// Every row and column scaled: `aᵢⱼ sᵢ sⱼ`.
    pub(crate) fn scaled(&self, s: &[f64]) -> Symmetric {
        Symmetric::from_fn(self.n, |i, j| self.at(i, j) * s[i] * s[j])
    }

    /// The lower Cholesky factor.
    ///
    /// # Errors
    /// A matrix that is not positive definite: a pivot at or below 1e-13 of its diagonal cell.
    pub fn cholesky(&self) -> Result<Cholesky, AllocationError> {
        let n = self.n;
        let mut l = self.values.clone();
        for i in 0..n {
            let (above, rest) = l.split_at_mut(i * n);
            let row = &mut rest[..n];
            for j in 0..i {
                let other = &above[j * n..j * n + j + 1];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
            let pivot = row[i] - dot(&row[..i], &row[..i]);
            if pivot.is_nan() || pivot <= 1e-13 * row[i].abs() || pivot <= 0.0 {
                return Err(AllocationError::Singular { name: i });
            }
            row[i] = pivot.sqrt();
            row[i + 1..].fill(0.0);
        }
        Ok(Cholesky { n, l })
    }

    /// Eigenvalues, largest first, and the eigenvector of each as a row; of a vector the largest component is positive.
    ///
    /// # Errors
    /// If the iteration does not converge.
    pub fn eigen(&self) -> Result<(Vec<f64>, Vec<Vec<f64>>), AllocationError> {
        let m = DMatrix::from_row_slice(self.n, self.n, &self.values);
        let found = SymmetricEigen::try_new(m, f64::EPSILON, 0).ok_or(AllocationError::NoConvergence)?;
        let mut order: Vec<usize> = (0..self.n).collect();
        order.sort_by(|a, b| found.eigenvalues[*b].total_cmp(&found.eigenvalues[*a]).then(a.cmp(b)));
        let vector = |k: &usize| {
            let v: Vec<f64> = found.eigenvectors.column(*k).iter().copied().collect();
            let largest = v.iter().fold(0.0_f64, |m, x| if x.abs() > m.abs() { *x } else { m });
            if largest < 0.0 { v.iter().map(|x| -x).collect() } else { v }
        };
        Ok((order.iter().map(|k| found.eigenvalues[*k]).collect(), order.iter().map(vector).collect()))
    }

    /// `Σ λₖ vₖ vₖ'`.
    pub(crate) fn from_eigen(lambda: &[f64], vectors: &[Vec<f64>]) -> Symmetric {
        let n = lambda.len();
        let mut values = vec![0.0; n * n];
        for (l, v) in lambda.iter().zip(vectors) {
            if *l != 0.0 {
                for (row, x) in values.chunks_exact_mut(n).zip(v) {
                    add_scaled(row, l * x, v);
                }
            }
        }
        Symmetric::from_fn(n, |i, j| 0.5 * (values[i * n + j] + values[j * n + i]))
    }
}

/// `A = L L'`.
#[derive(Clone, Debug)]
pub struct Cholesky {
    n: usize,
    l: Vec<f64>,
}

impl Cholesky {
    /// The factor's rows; above the diagonal 0.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.l[i * self.n..(i + 1) * self.n]
    }

    /// `b := A⁻¹ b`.
    ///
    /// # Panics
    /// If the length differs from the matrix's.
    pub fn solve(&self, b: &mut [f64]) {
        assert_eq!(b.len(), self.n, "one value a row");
        for i in 0..self.n {
            b[i] = (b[i] - dot(&self.row(i)[..i], &b[..i])) / self.row(i)[i];
        }
        for i in (0..self.n).rev() {
            let (before, rest) = b.split_at_mut(i);
            rest[0] /= self.row(i)[i];
            add_scaled(before, -rest[0], &self.row(i)[..i]);
        }
    }
}

/// `Σ aᵢ bᵢ` in eight lanes, folded in a fixed order.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    widest(Dot { a, b })
}

struct Dot<'a> {
    a: &'a [f64],
    b: &'a [f64],
}

impl WithSimd for Dot<'_> {
    type Output = f64;
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let mut lanes = [0.0_f64; 8];
        let (a, b) = (self.a.chunks_exact(8), self.b.chunks_exact(8));
        let rest: f64 = a.remainder().iter().zip(b.remainder()).fold(0.0, |s, (x, y)| s + x * y);
        for (x, y) in a.zip(b) {
            for k in 0..8 {
                lanes[k] += x[k] * y[k];
            }
        }
        ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7])) + rest
    }
}

/// `to += k x`.
pub(crate) fn add_scaled(to: &mut [f64], k: f64, x: &[f64]) {
    widest(AddScaled { to, k, x });
}

struct AddScaled<'a> {
    to: &'a mut [f64],
    k: f64,
    x: &'a [f64],
}

impl WithSimd for AddScaled<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (t, x) in self.to.iter_mut().zip(self.x) {
            *t += self.k * x;
        }
    }
}
