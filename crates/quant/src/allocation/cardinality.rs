//! Few names: a heuristic, since the exact problem takes exponential time.

use super::{AllocationError, Constraints, Infeasible};

/// The best weights that it finds with at most `most` names held, for any optimiser: `solve` gets constraints in which
/// names that may not be held have bounds of 0, `loss` tells how good weights are (smaller is better).
///
/// Names are dropped in rounds, the smallest weights first and at most a quarter at a time; then each name held is
/// exchanged for one that is not, among the `tries` largest of the unrestricted optimum, as long as that helps.
///
/// # Errors
/// What `solve` returns for the unrestricted problem; a lower bound above 0 on more names than allowed, or bounds with
/// which so few names cannot reach the budget. Groups may leave no portfolio on the way: then the last error of `solve`.
/// Source: in the spirit of Chang, Meade, Beasley and Sharaiha, Computers and Operations Research 27 (2000) 1271.
pub fn few_names(
    limits: &Constraints,
    most: usize,
    tries: usize,
    mut solve: impl FnMut(&Constraints) -> Result<Vec<f64>, AllocationError>,
    loss: impl Fn(&[f64]) -> f64,
) -> Result<Vec<f64>, AllocationError> {
    let n = limits.names();
    let needed = needed_names(limits);
    if most < needed {
        return Err(AllocationError::Infeasible(Infeasible::Names { most, needed }));
    }
    let all = solve(limits)?;
    let size = |w: &[f64], i: usize| w[i].abs();
    let forced = |i: usize| limits.low[i] > 0.0 || limits.high[i] < 0.0;
    let ranked = |w: &[f64]| {
        let mut order: Vec<usize> = (0..n).filter(|i| size(w, *i) > 0.0 || forced(*i)).collect();
        order.sort_by(|a, b| forced(*b).cmp(&forced(*a)).then(size(w, *b).total_cmp(&size(w, *a))).then(a.cmp(b)));
        order
    };
    let mut held = ranked(&all);
    let mut w = all.clone();
    while held.len() > most {
        let next = most.max(held.len() - held.len().div_ceil(4));
        held.truncate(next);
        w = solve(&only(limits, &held))?;
        held = ranked(&w).into_iter().take(held.len()).collect();
    }
    let candidates: Vec<usize> = ranked(&all).into_iter().take(tries.max(most)).collect();
    let mut best = loss(&w);
    let mut better = true;
    while better {
        better = false;
        for k in 0..held.len() {
            for name in candidates.iter().copied().filter(|c| !forced(held[k]) && !held.contains(c)).collect::<Vec<_>>()
            {
                let mut other = held.clone();
                other[k] = name;
                let Ok(found) = solve(&only(limits, &other)) else { continue };
                let value = loss(&found);
                if value < best - 1e-12 * best.abs() {
                    (best, w, held, better) = (value, found, other, true);
                }
            }
        }
    }
    Ok(w)
}

/// Names without which the bounds do not reach the budget.
fn needed_names(limits: &Constraints) -> usize {
    let forced: Vec<usize> = (0..limits.names()).filter(|i| limits.low[*i] > 0.0 || limits.high[*i] < 0.0).collect();
    let bound = |i: usize| if limits.budget >= 0.0 { limits.high[i] } else { -limits.low[i] };
    let mut reach: f64 = forced.iter().map(|i| bound(*i)).sum();
    let mut others: Vec<f64> = (0..limits.names()).filter(|i| !forced.contains(i)).map(bound).collect();
    others.sort_by(|a, b| b.total_cmp(a));
    let mut names = forced.len();
    for room in others {
        if reach >= limits.budget.abs() - 1e-12 {
            break;
        }
        reach += room;
        names += 1;
    }
    names
}

fn only(limits: &Constraints, held: &[usize]) -> Constraints {
    let mut out = limits.clone();
    for i in (0..limits.names()).filter(|i| !held.contains(i)) {
        (out.low[i], out.high[i]) = (0.0, 0.0);
    }
    out
}
