//! The Dickey–Fuller regression of a spread, from its autocovariances and its ends.

use super::lanes::Lanes;
use crate::vmath;

/// What is known of the spreads `e = y − b x` of `L` pairs: no row but the first and the last few.
pub(super) struct Spread<const L: usize> {
    /// `Σ e²` over all rows.
    pub(super) squares: Lanes<L>,
    /// `Σ Δeᵤ Δeᵤ₋ₖ` over all rows that have both, by k.
    pub(super) products: Vec<Lanes<L>>,
    /// The first `most + 1` values and differences.
    pub(super) head: Vec<Lanes<L>>,
    pub(super) head_steps: Vec<Lanes<L>>,
    /// The last `most + 1` values and differences, the last first.
    pub(super) tail: Vec<Lanes<L>>,
    pub(super) tail_steps: Vec<Lanes<L>>,
}

impl<const L: usize> Spread<L> {
    pub(super) fn new(most: usize) -> Self {
        let zeros = || vec![Lanes::all(0.0); most + 1];
        Spread {
            squares: Lanes::all(0.0),
            products: zeros(),
            head: zeros(),
            head_steps: zeros(),
            tail: zeros(),
            tail_steps: zeros(),
        }
    }

    /// The t-statistic of the level beside one lag, over `rows` rows: [`Normal`] in closed form, with one root.
    #[inline(always)]
    pub(super) fn one_lag(&self, rows: usize) -> Lanes<L> {
        let all = (self.head.first_chunk(), self.tail.first_chunk(), self.products.first_chunk());
        let (Some([e0, e1]), Some([z0, z1]), Some([p0, p1])) = all else { return Lanes::all(f64::NAN) };
        let square = |x: Lanes<L>| x * x;
        // Of the difference and of the one before it; what both explain is halved because `2 e Δe` telescopes.
        let now = *p0 - square(self.head_steps[0]);
        let before = *p0 - square(self.tail_steps[0]);
        let level = self.squares - square(*z0) - square(*e0);
        let half = Lanes::all(0.5);
        let level_now = half * (square(*z0) - square(*e1) - now);
        let level_before = half * (square(*z1) - square(*e0) + before);
        let share = before.map(|v| 1.0 / v);
        // Less what the lag explains: `a` the covariance, `b` and `c` the variances.
        let a = level_now - level_before * *p1 * share;
        let b = level - square(level_before) * share;
        let c = now - square(*p1) * share;
        let free = (rows - 2) as f64;
        a * (b * c - square(a)).map(|v| (free / v).sqrt())
    }

    /// One lane of it.
    pub(super) fn lane(&self, lane: usize, to: &mut Spread<1>) {
        let copy = |from: &[Lanes<L>], to: &mut [Lanes<1>]| {
            to.iter_mut().zip(from).for_each(|(t, f)| t.0[0] = f.0[lane]);
        };
        to.squares.0[0] = self.squares.0[lane];
        copy(&self.products, &mut to.products);
        copy(&self.head, &mut to.head);
        copy(&self.head_steps, &mut to.head_steps);
        copy(&self.tail, &mut to.tail);
        copy(&self.tail_steps, &mut to.tail_steps);
    }
}

/// Cross products of the regression with some number of lags and their Cholesky factor.
pub(super) struct Normal<const L: usize> {
    width: usize,
    /// Of differences: `moments[a][b]` for `a ≤ b`, the difference `a` and `b` rows back.
    moments: Vec<Lanes<L>>,
    /// Of the level with the differences.
    level: Vec<Lanes<L>>,
    level_square: Lanes<L>,
    factor: Vec<Lanes<L>>,
    inverse: Vec<Lanes<L>>,
    explained: Vec<Lanes<L>>,
}

impl<const L: usize> Normal<L> {
    pub(super) fn new(most: usize) -> Self {
        let width = most + 2;
        let zeros = |n| vec![Lanes::all(0.0); n];
        Normal {
            width,
            moments: zeros(width * width),
            level: zeros(width),
            level_square: Lanes::all(0.0),
            factor: zeros(width * width),
            inverse: zeros(width),
            explained: zeros(width),
        }
    }

    /// Sums over the rows that a regression with `lags` lags has. Only ends are taken off the whole sums; the products of
    /// level and differences follow from those of the differences, because `2 e Δe` telescopes.
    #[inline(always)]
    pub(super) fn sum(&mut self, s: &Spread<L>, lags: usize) {
        let w = self.width;
        let half = Lanes::all(0.5);
        for k in 0..=lags {
            let mut first = s.products[k];
            for u in k..lags {
                first = first - s.head_steps[u] * s.head_steps[u - k];
            }
            self.moments[k] = first;
            // Down the diagonal: the window moves back by a row.
            for a in 0..lags - k {
                let b = a + k;
                let gone = s.tail_steps[a] * s.tail_steps[b];
                let come = s.head_steps[lags - 1 - a] * s.head_steps[lags - 1 - b];
                self.moments[(a + 1) * w + b + 1] = self.moments[a * w + b] + come - gone;
            }
        }
        let square = |x: Lanes<L>| x * x;
        let mut level_square = s.squares - square(s.tail[0]);
        for e in &s.head[..lags] {
            level_square = level_square - square(*e);
        }
        self.level_square = level_square;
        self.level[0] = half * (square(s.tail[0]) - square(s.head[lags]) - self.moments[0]);
        for k in 1..=lags {
            let ends = square(s.tail[k]) - square(s.head[lags - k]);
            let mut sum = half * (ends + self.moments[k * w + k]);
            for m in 1..k {
                sum = sum + self.moments[m * w + k];
            }
            self.level[k] = sum;
        }
    }

    /// Factors the products with the columns in an order: `level_at` is the place of the level among the `lags` lags.
    /// Leaves in `explained` what each column explains of the difference after those before it.
    #[inline(always)]
    fn factor(&mut self, lags: usize, level_at: usize) {
        let w = self.width;
        // Lag of the column at a place; 0 stands for the level.
        let lag = |at: usize| match at.cmp(&level_at) {
            std::cmp::Ordering::Less => at + 1,
            std::cmp::Ordering::Equal => 0,
            std::cmp::Ordering::Greater => at,
        };
        for i in 0..=lags {
            let (row, done) = (lag(i), i * w);
            for j in 0..=i {
                let other = lag(j);
                let mut sum = match (row, other) {
                    (0, 0) => self.level_square,
                    (0, k) | (k, 0) => self.level[k],
                    (a, b) => self.moments[a.min(b) * w + a.max(b)],
                };
                for c in 0..j {
                    sum = sum - self.factor[done + c] * self.factor[j * w + c];
                }
                if j < i {
                    self.factor[done + j] = sum * self.inverse[j];
                } else {
                    self.inverse[i] = sum.map(|v| 1.0 / v.sqrt());
                }
            }
            let mut sum = if row == 0 { self.level[0] } else { self.moments[row] };
            for c in 0..i {
                sum = sum - self.factor[done + c] * self.explained[c];
            }
            self.explained[i] = sum * self.inverse[i];
        }
    }

    /// The t-statistic of the level beside `lags` lags, over `rows` rows.
    #[inline(always)]
    pub(super) fn statistic(&mut self, lags: usize, rows: usize) -> Lanes<L> {
        self.factor(lags, lags);
        let mut rss = self.moments[0];
        for e in &self.explained[..=lags] {
            rss = rss - *e * *e;
        }
        let free = (rows - lags - 1) as f64;
        let error = rss.map(|v| 1.0 / (v / free).sqrt());
        self.explained[lags] * error
    }

    /// The number of lags, up to `most`, that a criterion likes best: `rows ln rss + penalty · coefficients`.
    #[inline(always)]
    pub(super) fn best(&mut self, most: usize, rows: usize, penalty: f64) -> [usize; L] {
        self.factor(most, 0);
        let mut rss = self.moments[0] - self.explained[0] * self.explained[0];
        let mut lowest = [f64::INFINITY; L];
        let mut best = [0.0; L];
        for lag in 0..=most {
            if lag > 0 {
                rss = rss - self.explained[lag] * self.explained[lag];
            }
            let score = rss.map(|v| rows as f64 * vmath::ln(v) + penalty * (lag + 1) as f64);
            for ((low, best), score) in lowest.iter_mut().zip(&mut best).zip(score.0) {
                let better = score < *low;
                *low = if better { score } else { *low };
                *best = if better { lag as f64 } else { *best };
            }
        }
        best.map(|b| b as usize)
    }
}
