//! `X'X`: the sums of products of every two columns, by tiles that stay in registers.

use super::Symmetric;
use crate::vmath::widest;
use pulp::{Simd, WithSimd};

/// Columns of a panel: three vectors of 512 bits.
const PANEL: usize = 24;
/// Rows summed before the sum goes to memory, so that two panels stay in the nearest cache.
const DEPTH: usize = 128;

/// `X'X` of `rows × n` cells, row by row, from which `shift` was taken: a cell is summed over rows in their order,
/// in parts of 128. `visit` sees every row less its shift.
pub(crate) fn gram(x: &[f64], n: usize, shift: &[f64], scale: f64, mut visit: impl FnMut(&[f64])) -> Symmetric {
    let depth = DEPTH.min(x.len() / n);
    let panels = n.div_ceil(PANEL);
    let wide = panels * PANEL;
    // One row more than there are, or rows of all panels would compete for the same lines of the cache.
    let mut packed = vec![0.0; wide * (depth + 1)];
    let mut sums = vec![0.0; wide * wide];
    let mut row = vec![0.0; wide];
    for block in x.chunks(DEPTH * n) {
        for (t, cells) in block.chunks_exact(n).enumerate() {
            row.iter_mut().zip(cells).zip(shift).for_each(|((o, v), s)| *o = v - s);
            visit(&row[..n]);
            for (part, panel) in row.chunks_exact(PANEL).zip(packed.chunks_exact_mut((depth + 1) * PANEL)) {
                panel[t * PANEL..(t + 1) * PANEL].copy_from_slice(part);
            }
        }
        widest(Gram { packed: &packed, stride: (depth + 1) * PANEL, depth: block.len() / n, panels, sums: &mut sums });
    }
    mirror(&mut sums, n, wide, scale);
    Symmetric::raw(n, sums)
}

/// Scales the cells at and above the diagonal, copies them below, and closes the gaps between rows of `wide` cells.
fn mirror(sums: &mut Vec<f64>, n: usize, wide: usize, scale: f64) {
    let mut across = [[0.0; PANEL]; PANEL];
    for i in (0..wide).step_by(PANEL) {
        for j in (i..wide).step_by(PANEL) {
            for a in 0..PANEL {
                let row = &mut sums[(i + a) * wide + j..][..PANEL];
                for (cell, across) in row.iter_mut().zip(&mut across) {
                    *cell *= scale;
                    across[a] = *cell;
                }
            }
            for (b, row) in across.iter().enumerate() {
                let upto = if i == j { b } else { PANEL };
                sums[(j + b) * wide + i..][..upto].copy_from_slice(&row[..upto]);
            }
        }
    }
    (1..n).for_each(|i| sums.copy_within(i * wide..i * wide + n, i * n));
    sums.truncate(n * n);
}

struct Gram<'a> {
    packed: &'a [f64],
    /// Cells of a panel, of which `depth` rows count.
    stride: usize,
    depth: usize,
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
        let panel = |p: usize| &self.packed[p * self.stride..][..self.depth * PANEL];
        for j in 0..self.panels {
            let right = panel(j);
            for i in 0..j {
                let left = panel(i);
                for a in (0..PANEL).step_by(ROWS) {
                    for b in (0..PANEL).step_by(across) {
                        let to = &mut self.sums[(i * PANEL + a) * wide + j * PANEL + b..];
                        tile::<S, ROWS, VECTORS>(simd, &left[a..], &right[b..], to, wide);
                    }
                }
            }
            // On the diagonal single vectors, as far as they reach above it.
            for a in (0..PANEL).step_by(ROWS) {
                for b in (0..PANEL).step_by(S::F64_LANES).filter(|b| b + S::F64_LANES > a) {
                    let to = &mut self.sums[(j * PANEL + a) * wide + j * PANEL + b..];
                    tile::<S, ROWS, 1>(simd, &right[a..], &right[b..], to, wide);
                }
            }
        }
    }
}

/// Adds the products of `ROWS` columns with `VECTORS` vectors of columns, summed over the panels' rows.
#[inline(always)]
fn tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: &[f64],
    right: &[f64],
    to: &mut [f64],
    wide: usize,
) {
    let mut sums = [[simd.splat_f64s(0.0); VECTORS]; ROWS];
    for (l, r) in left.chunks(PANEL).zip(right.chunks(PANEL)) {
        let (l, r) = (&l[..ROWS], &S::as_simd_f64s(&r[..VECTORS * S::F64_LANES]).0[..VECTORS]);
        for (row, x) in sums.iter_mut().zip(l) {
            let x = simd.splat_f64s(*x);
            for (sum, c) in row.iter_mut().zip(r) {
                *sum = simd.add_f64s(*sum, simd.mul_f64s(x, *c));
            }
        }
    }
    for (a, row) in sums.iter().enumerate() {
        let cells = S::as_mut_simd_f64s(&mut to[a * wide..][..VECTORS * S::F64_LANES]).0;
        for (cell, sum) in cells.iter_mut().zip(row) {
            *cell = simd.add_f64s(*cell, *sum);
        }
    }
}
