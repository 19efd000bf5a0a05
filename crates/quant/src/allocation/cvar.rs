//! The least expected shortfall over scenarios.

use super::interior::{Outcome, Program, constrain, culprit, weights_of};
use super::{AllocationError, Constraints, Infeasible, Returns, one_each};

/// What [`minimise_cvar`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct LeastCvar {
    /// Weights.
    pub weights: Vec<f64>,
    /// Expected shortfall of the worst `tail` of scenarios at these weights, a loss is positive.
    pub es: f64,
    /// Value at risk there.
    pub var: f64,
}

/// Weights with the least expected shortfall of the worst `tail` of equally likely scenarios, under constraints and, if
/// given, a least mean return. Costs of trading are added to the shortfall that is made small.
///
/// A linear program with one variable a scenario, solved by clarabel; the value is within 1e-8 of the optimum.
///
/// # Errors
/// Shapes and values that do not fit, `tail` outside 0 to 1 (both excluded), constraints that contradict each other (it
/// says which). Source: Rockafellar and Uryasev, Journal of Risk 2 (2000) 21, equation 17.
pub fn minimise_cvar(
    scenarios: Returns<'_>,
    tail: f64,
    least_return: Option<f64>,
    limits: &Constraints,
) -> Result<LeastCvar, AllocationError> {
    let n = scenarios.names();
    if tail.is_nan() || tail <= 0.0 || tail >= 1.0 {
        return Err(AllocationError::Range { what: "tail", value: tail, expected: "above 0 and below 1" });
    }
    limits.nearest(n)?;
    let mut program = Program::default();
    (0..n).for_each(|_| {
        program.variable(0.0);
    });
    constrain(&mut program, limits, false);
    let border = program.variable(1.0);
    let each = 1.0 / (tail * scenarios.bars() as f64);
    for row in scenarios.rows() {
        let beyond = program.variable(each);
        program.below.push((vec![(beyond, -1.0)], 0.0));
        let mut loss: Vec<(usize, f64)> =
            row.iter().enumerate().filter(|r| *r.1 != 0.0).map(|(i, r)| (i, -r)).collect();
        loss.extend([(border, -1.0), (beyond, -1.0)]);
        program.below.push((loss, 0.0));
    }
    let means = scenarios.means();
    if let Some(least) = least_return {
        one_each("least return", &[least], 1)?;
        program.below.push((means.iter().enumerate().map(|(i, m)| (i, -m)).collect(), -least));
    }
    match program.run()? {
        Outcome::Solved(x) => {
            let weights = weights_of(&x[..n], limits);
            let pnl: Vec<f64> = scenarios.rows().map(|r| r.iter().zip(&weights).map(|(r, w)| r * w).sum()).collect();
            let found = crate::risk::historical(&pnl, tail).map_err(|_| AllocationError::NoConvergence)?;
            Ok(LeastCvar { weights, es: found.es, var: found.var })
        }
        Outcome::Infeasible => Err(blame(&means, least_return, limits)?),
    }
}

/// The least return, if no allowed portfolio has it; else what else is wrong.
fn blame(means: &[f64], least: Option<f64>, limits: &Constraints) -> Result<AllocationError, AllocationError> {
    let Some(least) = least else { return culprit(limits) };
    let mut program = Program::default();
    for m in means {
        program.variable(-m);
    }
    let mut free = limits.clone();
    if let Some(trading) = &mut free.trading {
        trading.costs.fill(0.0);
    }
    constrain(&mut program, &free, false);
    match program.run()? {
        Outcome::Solved(x) => {
            let best = weights_of(&x[..means.len()], limits).iter().zip(means).map(|(w, m)| w * m).sum();
            Ok(AllocationError::Infeasible(Infeasible::Return { least, best }))
        }
        Outcome::Infeasible => culprit(limits),
    }
}
