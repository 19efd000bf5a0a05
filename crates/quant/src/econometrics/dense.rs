//! Small dense linear algebra whose bits do not depend on the processor: Householder's QR and Jacobi's eigenvalues.
//!
//! A library that picks fused instructions at run time would make a cointegration test, hence a trade, depend on the
//! machine.

/// Products, as many as the shorter slice has, summed in eight fixed lanes as `sum8` sums.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut lanes = [0.0_f64; 8];
    let ((x, x_rest), (y, y_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (x, y) in x.iter().zip(y) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    for ((lane, x), y) in lanes.iter_mut().zip(x_rest).zip(y_rest) {
        *lane += x * y;
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

/// Sum of a function of each value, in eight fixed lanes.
pub(super) fn sum_of(x: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0_f64; 8];
    let (chunks, rest) = x.as_chunks::<8>();
    for chunk in chunks {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane += f(*v);
        }
    }
    for (lane, v) in lanes.iter_mut().zip(rest) {
        *lane += f(*v);
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

/// Mean; 0 of nothing.
pub(super) fn mean(x: &[f64]) -> f64 {
    tradegraph_columns::sum8(x) / (x.len().max(1)) as f64
}

/// A matrix by columns, factored in place into Q (as reflections) and R. Buffers are kept between uses.
///
/// Source: Householder, Journal of the ACM 5 (1958) 339; Golub and Van Loan, Matrix Computations (2013), 5.2.
#[derive(Clone, Debug, Default)]
pub(super) struct Qr {
    n: usize,
    k: usize,
    a: Vec<f64>,
    diagonal: Vec<f64>,
}

/// A column shorter than this part of itself, once the columns before it are taken out, is theirs.
const COLLINEAR: f64 = 1e-10;

impl Qr {
    /// Makes room for `n` rows and `k` columns, all 0.
    pub(super) fn reset(&mut self, n: usize, k: usize) {
        (self.n, self.k) = (n, k);
        self.a.clear();
        self.a.resize(n * k, 0.0);
        self.diagonal.clear();
        self.diagonal.resize(k, 0.0);
    }

    pub(super) fn column_mut(&mut self, j: usize) -> &mut [f64] {
        &mut self.a[j * self.n..(j + 1) * self.n]
    }

    /// Factors the columns; the index of the first that depends on those before it is the error.
    pub(super) fn factor(&mut self) -> Result<(), usize> {
        for j in 0..self.k {
            let (done, later) = self.a.split_at_mut((j + 1) * self.n);
            let column = &mut done[j * self.n..];
            let whole = dot(column, column).sqrt();
            let v = &mut column[j..];
            let length = dot(v, v).sqrt();
            if length.is_nan() || length <= COLLINEAR * whole {
                return Err(j);
            }
            let diagonal = if v[0] > 0.0 { -length } else { length };
            v[0] -= diagonal;
            // v'v = 2: the reflection is then x − v (v'x).
            let scale = (2.0 / dot(v, v)).sqrt();
            v.iter_mut().for_each(|x| *x *= scale);
            for other in later.chunks_exact_mut(self.n) {
                reflect(v, &mut other[j..]);
            }
            self.diagonal[j] = diagonal;
        }
        Ok(())
    }

    /// `Q'y` in place: the first `k` are explained, the squares of the others sum to the residual sum of squares.
    pub(super) fn rotate(&self, y: &mut [f64]) {
        for j in 0..self.k {
            reflect(&self.a[j * self.n + j..(j + 1) * self.n], &mut y[j..]);
        }
    }

    /// `Qy` in place.
    pub(super) fn rotate_back(&self, y: &mut [f64]) {
        for j in (0..self.k).rev() {
            reflect(&self.a[j * self.n + j..(j + 1) * self.n], &mut y[j..]);
        }
    }

    fn r(&self, i: usize, j: usize) -> f64 {
        if i == j { self.diagonal[j] } else { self.a[j * self.n + i] }
    }

    /// Last diagonal element of R.
    pub(super) fn last_diagonal(&self) -> f64 {
        self.diagonal[self.k - 1]
    }

    /// Solves `R x = z` in place, the first `k` of `z`.
    pub(super) fn solve(&self, z: &mut [f64]) {
        for i in (0..self.k).rev() {
            let rest = (i + 1..self.k).fold(0.0, |sum, j| sum + self.r(i, j) * z[j]);
            z[i] = (z[i] - rest) / self.r(i, i);
        }
    }

    /// `(X'X)⁻¹`, by rows.
    pub(super) fn inverse_gram(&self) -> Vec<f64> {
        let k = self.k;
        let mut inverse = vec![0.0; k * k];
        for j in 0..k {
            let column = &mut inverse[j * k..(j + 1) * k];
            column[j] = 1.0;
            self.solve(column);
        }
        // Rows of `inverse` are the columns of R⁻¹.
        let mut gram = vec![0.0; k * k];
        for i in 0..k {
            for j in 0..k {
                gram[i * k + j] = (0..k).fold(0.0, |sum, c| sum + inverse[c * k + i] * inverse[c * k + j]);
            }
        }
        gram
    }
}

fn reflect(v: &[f64], x: &mut [f64]) {
    let s = dot(v, x);
    for (x, v) in x.iter_mut().zip(v) {
        *x -= s * v;
    }
}

/// Eigenvalues, largest first, and their vectors as rows, of a symmetric matrix by rows, which is used up. Signs: the
/// largest element of a vector is above 0.
///
/// Cyclic Jacobi: `n³` a sweep, six to ten sweeps. Source: Jacobi, Crelle 30 (1846) 51; Golub and Van Loan (2013), 8.5.
pub(super) fn symmetric_eigen(a: &mut [f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut v = vec![0.0; n * n];
    (0..n).for_each(|i| v[i * n + i] = 1.0);
    for _ in 0..60 {
        let (mut off, mut on) = (0.0, 0.0);
        for i in 0..n {
            on += a[i * n + i] * a[i * n + i];
            off += (0..i).fold(0.0, |sum, j| sum + a[i * n + j] * a[i * n + j]);
        }
        if off <= 1e-32 * on {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                let apq = a[p * n + q];
                if apq == 0.0 {
                    continue;
                }
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
                let sign = if theta < 0.0 { -1.0 } else { 1.0 };
                let t = if theta.is_finite() { sign / (theta.abs() + (theta * theta + 1.0).sqrt()) } else { 0.0 };
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    a[k * n + p] = c * x - s * y;
                    a[k * n + q] = s * x + c * y;
                }
                turn(a, n, p, q, c, s);
                turn(&mut v, n, p, q, c, s);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| a[j * n + j].total_cmp(&a[i * n + i]));
    let values = order.iter().map(|i| a[i * n + i]).collect();
    let mut vectors = Vec::with_capacity(n * n);
    for i in order {
        let row = &v[i * n..(i + 1) * n];
        let most = row.iter().fold(0.0_f64, |m, x| if x.abs() > m.abs() { *x } else { m });
        let sign = if most < 0.0 { -1.0 } else { 1.0 };
        vectors.extend(row.iter().map(|x| sign * x));
    }
    (values, vectors)
}

/// Rows `p` and `q` turned by the angle of cosine `c` and sine `s`.
fn turn(a: &mut [f64], n: usize, p: usize, q: usize, c: f64, s: f64) {
    let (head, tail) = a.split_at_mut(q * n);
    for (x, y) in head[p * n..(p + 1) * n].iter_mut().zip(&mut tail[..n]) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

/// Lower Cholesky factor of a symmetric matrix by rows, in place; the first row that depends on those before it is the
/// error. What is above the diagonal is left.
pub(super) fn cholesky(a: &mut [f64], n: usize) -> Result<(), usize> {
    for i in 0..n {
        let whole = a[i * n + i];
        for j in 0..=i {
            let sum = (0..j).fold(a[i * n + j], |sum, c| sum - a[i * n + c] * a[j * n + c]);
            if j < i {
                a[i * n + j] = sum / a[j * n + j];
            } else if sum > 1e-12 * whole {
                a[i * n + i] = sum.sqrt();
            } else {
                return Err(i);
            }
        }
    }
    Ok(())
}

/// Solves `L x = b` in place for a lower triangle by rows.
pub(super) fn lower_solve(l: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        let sum = (0..i).fold(b[i], |sum, j| sum - l[i * n + j] * b[j]);
        b[i] = sum / l[i * n + i];
    }
}
