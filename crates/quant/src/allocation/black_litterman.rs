//! Opinions combined with what the market's weights imply.

use super::{AllocationError, Symmetric, one_each};

/// An opinion: the portfolio with these weights will earn `expected`, with variance `uncertainty` about that mean.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Weights, one a name: 1 for an opinion on one name, 1 and −1 for one name against another.
    pub portfolio: Vec<f64>,
    /// Expected return a bar.
    pub expected: f64,
    /// Variance of the opinion; `None`: that of the portfolio under the prior, `p' τΣ p` (He and Litterman 1999).
    pub uncertainty: Option<f64>,
}

/// Means and covariance after the opinions.
#[derive(Clone, Debug, PartialEq)]
pub struct Posterior {
    /// Expected returns a bar.
    pub means: Vec<f64>,
    /// Covariance of returns, with the uncertainty of their means in it.
    pub covariance: Symmetric,
}

/// Excess returns that make these weights optimal: `λ Σ w`.
///
/// # Errors
/// Weights that do not fit. Source: Black and Litterman, Financial Analysts Journal 48 (1992) 28.
pub fn implied_returns(covariance: &Symmetric, weights: &[f64], aversion: f64) -> Result<Vec<f64>, AllocationError> {
    one_each("weights", weights, covariance.n())?;
    one_each("risk aversion", &[aversion], 1)?;
    let mut out = vec![0.0; weights.len()];
    covariance.times(weights, &mut out);
    out.iter_mut().for_each(|m| *m *= aversion);
    Ok(out)
}

/// Bayes' rule with prior means `π` of covariance `τΣ`:
/// `μ = π + τΣP'(PτΣP' + Ω)⁻¹(q − Pπ)` and `Σ + M`, `M = τΣ − τΣP'(PτΣP' + Ω)⁻¹PτΣ`.
///
/// # Errors
/// Values that do not fit, `tau` or an uncertainty not above 0, opinions of which one follows from the others with
/// certainty. Sources: Black and Litterman (1992); He and Litterman, "The intuition behind Black-Litterman model
/// portfolios" (1999). Equal to PyPortfolioOpt's `BlackLittermanModel`.
pub fn black_litterman(
    covariance: &Symmetric,
    prior: &[f64],
    tau: f64,
    views: &[View],
) -> Result<Posterior, AllocationError> {
    let n = covariance.n();
    one_each("prior means", prior, n)?;
    if !tau.is_finite() || tau <= 0.0 {
        return Err(AllocationError::Range { what: "tau", value: tau, expected: "finite and above 0" });
    }
    // Each row is τΣp.
    let mut with: Vec<Vec<f64>> = Vec::new();
    for v in views {
        one_each("view", &v.portfolio, n)?;
        one_each("expected return", &[v.expected], 1)?;
        if let Some(value) = v.uncertainty.filter(|u| !u.is_finite() || *u <= 0.0) {
            return Err(AllocationError::Range { what: "uncertainty", value, expected: "finite and above 0" });
        }
        let mut row = vec![0.0; n];
        covariance.times(&v.portfolio, &mut row);
        row.iter_mut().for_each(|x| *x *= tau);
        with.push(row);
    }
    if views.is_empty() {
        let values = covariance.values().iter().map(|v| v + tau * v).collect();
        return Ok(Posterior { means: prior.to_vec(), covariance: Symmetric::raw(n, values) });
    }
    let product = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let joint = Symmetric::from_fn(views.len(), |a, b| {
        let cell = product(&views[a].portfolio, &with[b]);
        if a == b { cell + views[a].uncertainty.unwrap_or(cell) } else { cell }
    });
    let factor = joint.cholesky()?;
    let mut surprise: Vec<f64> = views.iter().map(|v| v.expected - product(&v.portfolio, prior)).collect();
    factor.solve(&mut surprise);
    let mut means = prior.to_vec();
    for (row, s) in with.iter().zip(&surprise) {
        means.iter_mut().zip(row).for_each(|(m, x)| *m += s * x);
    }
    let solved: Vec<Vec<f64>> = (0..n)
        .map(|i| {
            let mut column: Vec<f64> = with.iter().map(|row| row[i]).collect();
            factor.solve(&mut column);
            column
        })
        .collect();
    let cell = |i: usize, j: usize| {
        let known: f64 = with.iter().zip(&solved[j]).map(|(row, s)| row[i] * s).sum();
        covariance.at(i, j) * (1.0 + tau) - known
    };
    Ok(Posterior { means, covariance: Symmetric::from_fn(n, cell) })
}
