//! Programs with general linear constraints, by the interior-point solver clarabel.

use super::active_set::Quadratic;
use super::constraints::{Constraints, Group};
use super::{AllocationError, Infeasible, Trading};
use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettings, DefaultSolver, IPSolver, SolverStatus, SupportedConeT};

/// `a'x = b`, or `a'x ≤ b`.
type Row = (Vec<(usize, f64)>, f64);

/// `½ x'Px + q'x`, to be made small under rows of equalities and inequalities.
#[derive(Default)]
pub(super) struct Program {
    /// Upper triangle, column by column: the cells of each variable that has any.
    pub(super) curvature: Vec<Vec<(usize, f64)>>,
    pub(super) slope: Vec<f64>,
    pub(super) equal: Vec<Row>,
    pub(super) below: Vec<Row>,
}

pub(super) enum Outcome {
    Solved(Vec<f64>),
    Infeasible,
}

impl Program {
    pub(super) fn variable(&mut self, slope: f64) -> usize {
        self.slope.push(slope);
        self.curvature.push(Vec::new());
        self.slope.len() - 1
    }

    pub(super) fn run(&self) -> Result<Outcome, AllocationError> {
        let n = self.slope.len();
        let curvature = columns(n, n, self.curvature.iter().cloned());
        let mut cells = vec![Vec::new(); n];
        for (at, (row, _)) in self.equal.iter().chain(&self.below).enumerate() {
            for (variable, value) in row {
                cells[*variable].push((at, *value));
            }
        }
        let rows = self.equal.len() + self.below.len();
        let matrix = columns(rows, n, cells.into_iter());
        let right: Vec<f64> = self.equal.iter().chain(&self.below).map(|r| r.1).collect();
        let cones = [SupportedConeT::ZeroConeT(self.equal.len()), SupportedConeT::NonnegativeConeT(self.below.len())];
        let settings = DefaultSettings {
            verbose: false,
            max_iter: 200,
            tol_gap_abs: 1e-11,
            tol_gap_rel: 1e-10,
            tol_feas: 1e-10,
            reduced_tol_gap_abs: 1e-8,
            reduced_tol_gap_rel: 1e-8,
            reduced_tol_feas: 1e-8,
            ..DefaultSettings::default()
        };
        let mut solver = DefaultSolver::new(&curvature, &self.slope, &matrix, &right, &cones, settings)
            .map_err(|_| AllocationError::NoConvergence)?;
        solver.solve();
        match solver.solution.status {
            SolverStatus::Solved | SolverStatus::AlmostSolved => Ok(Outcome::Solved(solver.solution.x)),
            SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible => Ok(Outcome::Infeasible),
            _ => Err(AllocationError::NoConvergence),
        }
    }
}

/// Columns of (row, value), rows ascending.
fn columns(rows: usize, n: usize, cells: impl Iterator<Item = Vec<(usize, f64)>>) -> CscMatrix<f64> {
    let (mut starts, mut places, mut values) = (vec![0], Vec::new(), Vec::new());
    for column in cells {
        for (row, value) in column {
            places.push(row);
            values.push(value);
        }
        starts.push(places.len());
    }
    CscMatrix::new(rows, n, starts, places, values)
}

/// Variables `0..n` are weights under the constraints. With `relaxed` the groups and the turnover may be missed, and the
/// sum of the misses is the objective; their variables are returned in the order groups, turnover.
pub(super) fn constrain(program: &mut Program, limits: &Constraints, relaxed: bool) -> Vec<usize> {
    let n = limits.names();
    program.equal.push(((0..n).map(|i| (i, 1.0)).collect(), limits.budget));
    for i in 0..n {
        program.below.push((vec![(i, 1.0)], limits.high[i]));
        program.below.push((vec![(i, -1.0)], -limits.low[i]));
    }
    let mut misses = Vec::new();
    let mut miss = |program: &mut Program, row: &mut Vec<(usize, f64)>| {
        if relaxed {
            let v = program.variable(1.0);
            program.below.push((vec![(v, -1.0)], 0.0));
            row.push((v, -1.0));
            misses.push(v);
        }
    };
    for Group { loadings, low, high, .. } in &limits.groups {
        for (sign, bound) in [(1.0, *high), (-1.0, -*low)] {
            let mut row: Vec<(usize, f64)> =
                loadings.iter().enumerate().filter(|c| *c.1 != 0.0).map(|(i, a)| (i, sign * a)).collect();
            miss(program, &mut row);
            if bound.is_finite() {
                program.below.push((row, bound));
            }
        }
    }
    if let Some(Trading { from, turnover, costs }) = &limits.trading {
        let mut all = Vec::new();
        for i in 0..n {
            let cost = if relaxed { 0.0 } else { costs[i] };
            let (bought, sold) = (program.variable(cost), program.variable(cost));
            program.equal.push((vec![(i, 1.0), (bought, -1.0), (sold, 1.0)], from[i]));
            program.below.push((vec![(bought, -1.0)], 0.0));
            program.below.push((vec![(sold, -1.0)], 0.0));
            all.extend([(bought, 1.0), (sold, 1.0)]);
        }
        if let Some(limit) = turnover {
            miss(program, &mut all);
            program.below.push((all, *limit));
        }
    }
    misses
}

/// Weights within bounds again after an iteration that ends a hair outside.
pub(super) fn weights_of(x: &[f64], limits: &Constraints) -> Vec<f64> {
    x.iter().zip(&limits.low).zip(&limits.high).map(|((w, l), h)| w.clamp(*l, *h)).collect()
}

pub(super) fn quadratic(problem: Quadratic<'_>, limits: &Constraints) -> Result<Vec<f64>, AllocationError> {
    let n = limits.names();
    let mut program = Program::default();
    for i in 0..n {
        program.variable(-problem.means[i]);
        let row = problem.covariance.row(i);
        program.curvature[i] = (0..=i).map(|j| (j, problem.scale * row[j])).collect();
    }
    constrain(&mut program, limits, false);
    match program.run()? {
        Outcome::Solved(x) => Ok(weights_of(&x, limits)),
        Outcome::Infeasible => Err(culprit(limits)?),
    }
}

/// Which constraint is missed most by the portfolio that misses least in all.
pub(super) fn culprit(limits: &Constraints) -> Result<AllocationError, AllocationError> {
    let mut program = Program::default();
    for _ in 0..limits.names() {
        program.variable(0.0);
    }
    let misses = constrain(&mut program, limits, true);
    let Outcome::Solved(x) = program.run()? else { return Err(AllocationError::NoConvergence) };
    let mut worst = (1e-7, None);
    for (k, v) in misses.iter().enumerate() {
        if x[*v] > worst.0 {
            worst = (x[*v], Some(k));
        }
    }
    let (short, Some(k)) = worst else { return Err(AllocationError::NoConvergence) };
    Ok(AllocationError::Infeasible(match limits.groups.get(k / 2) {
        Some(g) => Infeasible::Group { label: g.label.clone(), low: g.low, high: g.high, short },
        None => {
            let limit = limits.trading.as_ref().and_then(|t| t.turnover).unwrap_or(0.0);
            Infeasible::Turnover { limit, needed: limit + short }
        }
    }))
}
