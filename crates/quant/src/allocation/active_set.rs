//! The fast way to a quadratic optimum under bounds, a budget, turnover and costs: a primal active-set method.
//!
//! A weight is either fixed (at a bound, or at the present weight, where the cost of trading has a kink) or free on one
//! side of the kink. Each step solves for the free weights exactly, goes there or to the first obstacle, and then frees
//! the fixed weights that promise most. Few weights are free, so that a step costs little; the factor of their
//! covariance is updated, not computed anew. Source: Nocedal and Wright, Numerical Optimization (2006), section 16.5.

use super::symmetric::{add_scaled, dot};
use super::{AllocationError, Constraints, Symmetric};

/// `½ λ w'Σw − m'w`, to be made small.
#[derive(Clone, Copy)]
pub(super) struct Quadratic<'a> {
    pub(super) covariance: &'a Symmetric,
    pub(super) scale: f64,
    pub(super) means: &'a [f64],
}

/// Added to the diagonal, of its mean: a singular covariance then has one optimum.
const RIDGE: f64 = 1e-12;

struct Solver<'a> {
    problem: Quadratic<'a>,
    limits: &'a Constraints,
    /// Present weights and costs; empty without trading.
    from: &'a [f64],
    costs: &'a [f64],
    turnover: f64,
    w: Vec<f64>,
    gradient: Vec<f64>,
    /// Place among the free ones.
    place: Vec<Option<usize>>,
    free: Vec<Free>,
    factor: Factor,
    turnover_binds: bool,
    ridge: f64,
}

#[derive(Clone, Copy)]
struct Free {
    name: usize,
    /// −1 below the present weight, 1 above, 0 without trading.
    side: f64,
    low: f64,
    high: f64,
}

/// The optimum from a feasible start. In a `warm` one the weights between their bounds are free from the first step;
/// from another one, where all are, they are freed as they promise something, since few of them will be in the end.
pub(super) fn solve(
    problem: Quadratic<'_>,
    limits: &Constraints,
    start: Vec<f64>,
    warm: bool,
) -> Result<Vec<f64>, AllocationError> {
    let n = start.len();
    let (from, costs, turnover) = match &limits.trading {
        Some(t) => (t.from.as_slice(), t.costs.as_slice(), t.turnover.unwrap_or(f64::INFINITY)),
        None => (&[][..], &[][..], f64::INFINITY),
    };
    let mean_variance = (0..n).map(|i| problem.covariance.at(i, i)).sum::<f64>() / n as f64;
    let mut solver = Solver {
        problem,
        limits,
        from,
        costs,
        turnover,
        w: start,
        gradient: vec![0.0; n],
        place: vec![None; n],
        free: Vec::new(),
        factor: Factor::default(),
        turnover_binds: false,
        ridge: RIDGE * problem.scale * mean_variance,
    };
    solver.run(warm)?;
    Ok(solver.w)
}

impl Solver<'_> {
    fn run(&mut self, warm: bool) -> Result<(), AllocationError> {
        let n = self.w.len();
        // A weight a rounding off its kink is on it: hundreds would have to be freed and fixed again, one by one.
        for (name, (w, f)) in self.w.iter_mut().zip(self.from).enumerate() {
            let near = 1e-14 * (f.abs() + self.limits.budget.abs() / n as f64);
            let inside = *f >= self.limits.low[name] && *f <= self.limits.high[name];
            *w = if inside && (*w - f).abs() <= near { *f } else { *w };
        }
        self.measure_gradient();
        for name in 0..n {
            let (low, high) = (self.limits.low[name], self.limits.high[name]);
            let on_kink = self.from.get(name).is_some_and(|f| *f == self.w[name]);
            if warm && self.w[name] > low && self.w[name] < high && !on_kink {
                let side = self.side(name, true);
                self.release(name, side)?;
            }
        }
        if self.free.is_empty() {
            // Any weight that may move; without one the start is the only portfolio.
            let Some(name) = (0..n).find(|i| self.limits.low[*i] < self.limits.high[*i]) else { return Ok(()) };
            let up = self.w[name] < self.limits.high[name];
            let side = self.side(name, up);
            self.release(name, side)?;
        }
        let mut still = 0;
        for turn in 0..60 * n + 200 {
            let (step, nu, tau) = self.step();
            if !nu.is_finite() || !tau.is_finite() {
                return Err(AllocationError::NoConvergence);
            }
            let (length, obstacle) = self.room(&step);
            self.go(&step, length);
            if turn % 200 == 199 {
                self.measure_gradient();
            }
            let moved = step.iter().any(|d| (d * length).abs() > 1e-15);
            still = if moved { 0 } else { still + 1 };
            match obstacle {
                Some(Obstacle::Turnover) => self.turnover_binds = true,
                Some(Obstacle::End(place, value)) => self.fix(place, value),
                // In place of the steepest, the first of all that promise something ends a cycle of idle steps.
                None => {
                    let releases = self.promising(nu, tau, still > 20);
                    if releases.is_empty() {
                        return Ok(());
                    }
                    for release in releases {
                        match release {
                            Release::Turnover => self.turnover_binds = false,
                            Release::Weight(name, side) => self.release(name, side)?,
                        }
                    }
                }
            }
        }
        Err(AllocationError::NoConvergence)
    }

    fn measure_gradient(&mut self) {
        self.problem.covariance.times(&self.w, &mut self.gradient);
        for ((g, m), w) in self.gradient.iter_mut().zip(self.problem.means).zip(&self.w) {
            *g = self.problem.scale * *g + self.ridge * w - m;
        }
    }

    /// On which side of the kink a weight is that moves up or down.
    fn side(&self, name: usize, up: bool) -> f64 {
        match self.from.get(name) {
            None => 0.0,
            Some(f) if self.w[name] > *f => 1.0,
            Some(f) if self.w[name] < *f => -1.0,
            Some(_) => {
                if up {
                    1.0
                } else {
                    -1.0
                }
            }
        }
    }

    fn cost(&self, name: usize) -> f64 {
        self.costs.get(name).copied().unwrap_or(0.0)
    }

    fn release(&mut self, name: usize, side: f64) -> Result<(), AllocationError> {
        let (mut low, mut high) = (self.limits.low[name], self.limits.high[name]);
        if side > 0.0 {
            low = low.max(self.from[name]);
        } else if side < 0.0 {
            high = high.min(self.from[name]);
        }
        let row = self.problem.covariance.row(name);
        let scale = self.problem.scale;
        let cells = self.free.iter().map(|f| scale * row[f.name]);
        if !self.factor.push(cells, scale * row[name] + self.ridge) {
            return Err(AllocationError::Singular { name });
        }
        self.place[name] = Some(self.free.len());
        self.free.push(Free { name, side, low, high });
        Ok(())
    }

    fn fix(&mut self, place: usize, value: f64) {
        let gone = self.free.remove(place);
        self.factor.remove(place);
        let change = value - self.w[gone.name];
        if change != 0.0 {
            self.w[gone.name] = value;
            add_scaled(&mut self.gradient, change * self.problem.scale, self.problem.covariance.row(gone.name));
            self.gradient[gone.name] += change * self.ridge;
        }
        self.place[gone.name] = None;
        for (k, f) in self.free.iter().enumerate().skip(place) {
            self.place[f.name] = Some(k);
        }
    }

    fn traded(&self) -> f64 {
        self.w.iter().zip(self.from).map(|(w, f)| (w - f).abs()).sum()
    }

    /// The step to the optimum over the free weights, with the prices of the budget and of turnover.
    fn step(&self) -> (Vec<f64>, f64, f64) {
        let k = self.free.len();
        let mut h: Vec<f64> = self.free.iter().map(|f| self.gradient[f.name] + f.side * self.cost(f.name)).collect();
        let mut ones = vec![1.0; k];
        self.factor.solve(&mut h);
        self.factor.solve(&mut ones);
        let missing = self.limits.budget - self.w.iter().sum::<f64>();
        let sum = |x: &[f64]| x.iter().sum::<f64>();
        let (mut nu, mut tau) = ((missing + sum(&h)) / sum(&ones), 0.0);
        let mut sides: Vec<f64> = Vec::new();
        if self.turnover_binds {
            let signs: Vec<f64> = self.free.iter().map(|f| f.side).collect();
            sides = signs.clone();
            self.factor.solve(&mut sides);
            let (a, b, d) = (sum(&ones), sum(&sides), dot(&signs, &sides));
            let (p, q) = (missing + sum(&h), self.turnover - self.traded() + dot(&signs, &h));
            // a ν − b τ = p, b ν − d τ = q.
            let determinant = b * b - a * d;
            (nu, tau) = ((b * q - d * p) / determinant, (a * q - b * p) / determinant);
        }
        let corner = k <= 1 + usize::from(self.turnover_binds);
        let step = (0..k)
            .map(|i| if corner { 0.0 } else { nu * ones[i] - h[i] - tau * sides.get(i).copied().unwrap_or(0.0) })
            .collect();
        (step, nu, tau)
    }

    /// How much of the step can be gone, and what is in the way.
    fn room(&self, step: &[f64]) -> (f64, Option<Obstacle>) {
        let (mut length, mut obstacle) = (1.0, None);
        for (place, (f, d)) in self.free.iter().zip(step).enumerate() {
            let w = self.w[f.name];
            let end = if *d > 0.0 { f.high } else { f.low };
            let far = (end - w).abs();
            if d.abs() > 1e-15 && far < d.abs() * length {
                (length, obstacle) = (far / d.abs(), Some(Obstacle::End(place, end)));
            }
        }
        if !self.turnover_binds && self.turnover.is_finite() {
            let rise: f64 = self.free.iter().zip(step).map(|(f, d)| f.side * d).sum();
            let far = (self.turnover - self.traded()).max(0.0);
            if rise > 1e-15 && far < rise * length {
                (length, obstacle) = (far / rise, Some(Obstacle::Turnover));
            }
        }
        (length, obstacle)
    }

    fn go(&mut self, step: &[f64], length: f64) {
        if length == 0.0 {
            return;
        }
        for (f, d) in self.free.iter().zip(step) {
            let d = d * length;
            self.w[f.name] += d;
            self.gradient[f.name] += self.ridge * d;
            add_scaled(&mut self.gradient, self.problem.scale * d, self.problem.covariance.row(f.name));
        }
    }

    /// What is worth freeing, the best first: all that promise a quarter of the best, at most eight and half of what is free.
    fn promising(&self, nu: f64, tau: f64, first: bool) -> Vec<Release> {
        let size = self.gradient.iter().fold(nu.abs(), |m, g| m.max(g.abs())).max(f64::MIN_POSITIVE);
        let least = 1e-12 * size;
        let mut found = Vec::new();
        if self.turnover_binds && -tau > least {
            found.push((-tau, Release::Turnover));
        }
        for name in (0..self.w.len()).filter(|i| self.place[*i].is_none()) {
            let (w, price) = (self.w[name], self.cost(name) + tau);
            for up in [true, false] {
                if if up { w >= self.limits.high[name] } else { w <= self.limits.low[name] } {
                    continue;
                }
                let side = self.side(name, up);
                let slope = self.gradient[name] + side * price - nu;
                let gain = if up { -slope } else { slope };
                if gain > least {
                    found.push((gain, Release::Weight(name, side)));
                    break;
                }
            }
            if first && !found.is_empty() {
                break;
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let best = found.first().map_or(0.0, |f| f.0);
        let most = 8 + self.free.len() / 2;
        found.into_iter().take(most).take_while(|f| f.0 >= 0.25 * best).map(|f| f.1).collect()
    }
}

enum Obstacle {
    End(usize, f64),
    Turnover,
}

enum Release {
    Weight(usize, f64),
    Turnover,
}

/// A Cholesky factor whose rows come and go.
#[derive(Default)]
struct Factor {
    rows: Vec<Vec<f64>>,
}

impl Factor {
    /// One more row of the matrix: its cells with the rows before, and its diagonal. False if it is not positive definite.
    fn push(&mut self, cells: impl Iterator<Item = f64>, diagonal: f64) -> bool {
        let mut row: Vec<f64> = Vec::with_capacity(self.rows.len() + 1);
        for (cell, other) in cells.zip(&self.rows) {
            let k = row.len();
            let value = (cell - dot(&row, &other[..k])) / other[k];
            row.push(value);
        }
        let pivot = diagonal - dot(&row, &row);
        if pivot.is_nan() || pivot <= 1e-15 * diagonal {
            return false;
        }
        row.push(pivot.sqrt());
        self.rows.push(row);
        true
    }

    /// Takes a row and its column out; rotations bring what follows back to a triangle.
    fn remove(&mut self, at: usize) {
        self.rows.remove(at);
        for k in at..self.rows.len() {
            let (a, b) = (self.rows[k][k], self.rows[k][k + 1]);
            let r = (a * a + b * b).sqrt();
            let (c, s) = (a / r, b / r);
            for row in &mut self.rows[k..] {
                let (x, y) = (row[k], row[k + 1]);
                (row[k], row[k + 1]) = (c * x + s * y, c * y - s * x);
            }
            self.rows[k].pop();
        }
    }

    fn solve(&self, b: &mut [f64]) {
        for (i, row) in self.rows.iter().enumerate() {
            b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
        }
        for (i, row) in self.rows.iter().enumerate().rev() {
            let (before, rest) = b.split_at_mut(i);
            rest[0] /= row[i];
            add_scaled(before, -rest[0], &row[..i]);
        }
    }
}
