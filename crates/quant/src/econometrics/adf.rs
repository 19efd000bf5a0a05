//! The augmented Dickey–Fuller test of a unit root.

use super::dense::{Qr, sum_of};
use super::mackinnon::{critical_values, p_value};
use super::{EconometricsError, Trend, varied};

/// How many lagged differences a regression holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lags {
    /// So many.
    Fixed(usize),
    /// As many, up to `most`, as Akaike's criterion likes best; `None` for Schwert's `12 (n / 100)^¼`, rounded up.
    Aic {
        /// Largest number tried.
        most: Option<usize>,
    },
    /// As many as the Bayesian criterion likes best.
    Bic {
        /// Largest number tried.
        most: Option<usize>,
    },
}

/// A Dickey–Fuller test. Its hypothesis is a unit root; a low p-value speaks for a series that turns back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adf {
    /// t-statistic of the level.
    pub statistic: f64,
    /// MacKinnon's approximate p-value.
    pub p: f64,
    /// Lagged differences used.
    pub lags: usize,
    /// Rows of the regression.
    pub rows: usize,
    /// Coefficient of the level: the part of a deviation that is gone after a bar, with its sign.
    pub reversion: f64,
    /// Critical values at 1, 5 and 10 per cent.
    pub critical: [f64; 3],
}

/// `Δxₜ = trend + ρ xₜ₋₁ + Σ φₖ Δxₜ₋ₖ + eₜ`: the t-statistic of ρ.
///
/// The criterion compares numbers of lags over the rows that the largest number leaves; the chosen one is then fitted
/// over all of its own rows. Equal to statsmodels' `adfuller`.
///
/// - Errors: `TooFew` if the rows do not determine the regression, `NotFinite`, `NoVariance`, `Collinear` (a straight
///   line, say, whose differences do not vary).
/// - Sources: Dickey and Fuller, JASA 74 (1979) 427; Said and Dickey, Biometrika 71 (1984) 599; Schwert, Journal of
///   Business and Economic Statistics 7 (1989) 147; [`p_value`] and [`critical_values`].
pub fn adf(x: &[f64], trend: Trend, lags: Lags) -> Result<Adf, EconometricsError> {
    varied("series of a Dickey–Fuller test", x, 4)?;
    let fit = Regression::of(x, trend, lags, &mut Qr::default(), &mut Vec::new())?;
    Ok(Adf {
        statistic: fit.statistic,
        p: p_value(fit.statistic, trend, 1),
        lags: fit.lags,
        rows: fit.rows,
        reversion: fit.reversion,
        critical: critical_values(trend, 1, fit.rows),
    })
}

/// Schwert's number of lags, cut to what `n` rows determine.
pub(super) fn schwert(n: usize, trend: Trend) -> Option<usize> {
    let most = libm::ceil(12.0 * libm::pow(n as f64 / 100.0, 0.25)) as usize;
    (n / 2).checked_sub(trend.columns() + 1).map(|bound| most.min(bound))
}

/// What a criterion adds for a coefficient; `None` if there is none.
pub(super) fn penalty(lags: Lags, rows: usize) -> Option<f64> {
    match lags {
        Lags::Fixed(_) => None,
        Lags::Aic { .. } => Some(2.0),
        Lags::Bic { .. } => Some(libm::log(rows as f64)),
    }
}

/// The largest number of lags to try.
pub(super) fn largest(lags: Lags, n: usize, trend: Trend) -> Result<usize, EconometricsError> {
    let least = EconometricsError::TooFew { what: "Dickey–Fuller test", got: n, need: 2 * (trend.columns() + 1) };
    match lags {
        Lags::Fixed(most) | Lags::Aic { most: Some(most) } | Lags::Bic { most: Some(most) } => {
            // One residual at least, and as many rows as the regression of the largest number leaves.
            let need = 2 * most.saturating_add(1) + trend.columns() + 1;
            if n < need {
                return Err(EconometricsError::TooFew { what: "Dickey–Fuller test", got: n, need });
            }
            Ok(most)
        }
        Lags::Aic { most: None } | Lags::Bic { most: None } => schwert(n, trend).ok_or(least),
    }
}

/// The regression behind the tests.
pub(super) struct Regression {
    pub(super) statistic: f64,
    pub(super) reversion: f64,
    pub(super) lags: usize,
    pub(super) rows: usize,
}

impl Regression {
    pub(super) fn of(
        x: &[f64],
        trend: Trend,
        lags: Lags,
        qr: &mut Qr,
        y: &mut Vec<f64>,
    ) -> Result<Regression, EconometricsError> {
        let mut lag = largest(lags, x.len(), trend)?;
        let collinear = |column| EconometricsError::Collinear { what: "Dickey–Fuller regression", column };
        let rows = x.len() - 1 - lag;
        if let Some(penalty) = penalty(lags, rows) {
            // Trend, level, then the lags in their order: every number of lags is a prefix of one factorisation.
            let first = trend.columns() + 1;
            fill(x, trend, lag, true, qr, y);
            qr.factor().map_err(collinear)?;
            qr.rotate(y);
            let mut rss = sum_of(&y[first + lag..], |v| v * v);
            let mut best = (f64::INFINITY, lag);
            for candidate in (0..=lag).rev() {
                let score = rows as f64 * libm::log(rss) + penalty * (first + candidate) as f64;
                if score <= best.0 {
                    best = (score, candidate);
                }
                let explained = y[first + candidate.saturating_sub(1)];
                rss += explained * explained;
            }
            lag = best.1;
        }
        // Level last: its t-statistic is the last explained part over the error of the residuals.
        let k = trend.columns() + lag + 1;
        fill(x, trend, lag, false, qr, y);
        qr.factor().map_err(collinear)?;
        qr.rotate(y);
        let rows = y.len();
        let variance = sum_of(&y[k..], |v| v * v) / (rows - k) as f64;
        let (explained, diagonal) = (y[k - 1], qr.last_diagonal());
        let sign = if diagonal < 0.0 { -1.0 } else { 1.0 };
        let statistic = sign * explained / variance.sqrt();
        if !statistic.is_finite() {
            return Err(EconometricsError::NoVariance { what: "residuals of a Dickey–Fuller regression" });
        }
        Ok(Regression { statistic, reversion: explained / diagonal, lags: lag, rows })
    }
}

/// Columns of the regression into `qr`, the differences into `y`.
fn fill(x: &[f64], trend: Trend, lags: usize, level_first: bool, qr: &mut Qr, y: &mut Vec<f64>) {
    let rows = x.len() - 1 - lags;
    let c = trend.columns();
    qr.reset(rows, c + 1 + lags);
    for j in 0..c {
        qr.column_mut(j).iter_mut().enumerate().for_each(|(row, v)| *v = trend.at(j, row));
    }
    let (level, first) = if level_first { (c, c + 1) } else { (c + lags, c) };
    qr.column_mut(level).copy_from_slice(&x[lags..x.len() - 1]);
    for k in 1..=lags {
        let pairs = x[lags - k..].windows(2);
        qr.column_mut(first + k - 1).iter_mut().zip(pairs).for_each(|(v, w)| *v = w[1] - w[0]);
    }
    y.clear();
    y.extend(x[lags..].windows(2).map(|w| w[1] - w[0]));
}
