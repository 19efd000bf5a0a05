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

/// Columns of a panel: three vectors of 512 bits.
const PANEL: usize = 24;
/// Rows summed before the sum goes to memory, so that two panels stay in the nearest cache.
const DEPTH: usize = 128;

/// `X'X` of `rows × n` cells, row by row, from which `shift` was taken: a cell is summed over rows in their order,
/// in parts of 128.
pub(crate) fn gram(x: &[f64], n: usize, shift: &[f64], scale: f64) -> Symmetric {
    let rows = x.len() / n;
    let panels = n.div_ceil(PANEL);
    let mut packed = vec![0.0; panels * PANEL * rows];
    for (t, row) in x.chunks_exact(n).enumerate() {
        for (p, part) in row.chunks(PANEL).enumerate() {
            let to = &mut packed[(p * rows + t) * PANEL..][..part.len()];
            for ((o, v), s) in to.iter_mut().zip(part).zip(&shift[p * PANEL..]) {
                *o = v - s;
            }
        }
    }
    let wide = panels * PANEL;
    let mut sums = vec![0.0; wide * wide];
    widest(Gram { packed: &packed, rows, panels, sums: &mut sums });
    let mut values = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let v = sums[j * wide + i] * scale;
            values[i * n + j] = v;
            values[j * n + i] = v;
        }
    }
    Symmetric::raw(n, values)
}

struct Gram<'a> {
    packed: &'a [f64],
    rows: usize,
    panels: usize,
    sums: &'a mut [f64],
}

impl WithSimd for Gram<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F64_LANES {
            8 => self.run::<S, 8, 3>(simd),
            4 => self.run::<S, 4, 3>(simd),
            _ => self.run::<S, 4, 2>(simd),
        }
    }
}

impl Gram<'_> {
    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const VECTORS: usize>(self, simd: S) {
        let wide = self.panels * PANEL;
        let across = VECTORS * S::F64_LANES;
        for from in (0..self.rows).step_by(DEPTH) {
            let depth = DEPTH.min(self.rows - from);
            let panel = |p: usize| &self.packed[(p * self.rows + from) * PANEL..][..depth * PANEL];
            for j in 0..self.panels {
                for i in 0..=j {
                    for a in (0..PANEL).step_by(ROWS) {
                        for b in (0..PANEL).step_by(across) {
                            let to = &mut self.sums[(i * PANEL + a) * wide + j * PANEL + b..];
                            tile::<S, ROWS, VECTORS>(simd, &panel(i)[a..], &panel(j)[b..], depth, to, wide);
                        }
                    }
                }
            }
        }
    }
}

/// Adds the products of `ROWS` columns with `VECTORS` vectors of columns, summed over `depth` rows.
#[inline(always)]
fn tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: &[f64],
    right: &[f64],
    depth: usize,
    to: &mut [f64],
    wide: usize,
) {
    let lanes = S::F64_LANES;
    let mut sums = [[simd.splat_f64s(0.0); VECTORS]; ROWS];
    for (l, r) in left.chunks(PANEL).zip(right.chunks(PANEL)).take(depth) {
        let (l, r) = (&l[..ROWS], &r[..VECTORS * lanes]);
        let mut columns = [simd.splat_f64s(0.0); VECTORS];
        for (v, c) in columns.iter_mut().enumerate() {
            *c = simd.partial_load_f64s(&r[v * lanes..(v + 1) * lanes]);
        }
        for (row, x) in sums.iter_mut().zip(l) {
            let x = simd.splat_f64s(*x);
            for (sum, c) in row.iter_mut().zip(columns) {
                *sum = simd.add_f64s(*sum, simd.mul_f64s(x, c));
            }
        }
    }
    for (a, row) in sums.iter().enumerate() {
        for (v, sum) in row.iter().enumerate() {
            let cells = &mut to[a * wide + v * lanes..][..lanes];
            let total = simd.add_f64s(simd.partial_load_f64s(cells), *sum);
            simd.partial_store_f64s(cells, total);
        }
    }
}
