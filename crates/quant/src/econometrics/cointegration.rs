//! Cointegration of a few series: Engle and Granger's two steps.

use super::adf::{Lags, Regression};
use super::dense::Qr;
use super::mackinnon::{critical_values, p_value};
use super::{EconometricsError, Ols, Trend, varied};

/// Explained part of the variance above which series count as multiples of each other; statsmodels has the same bound.
pub(super) const SAME: f64 = 1.0 - 100.0 * 1.490_116_119_384_765_6e-8;

/// An Engle–Granger test. Its hypothesis is that the series do not hang together.
#[derive(Clone, Debug, PartialEq)]
pub struct EngleGranger {
    /// Dickey–Fuller t-statistic of the residuals.
    pub statistic: f64,
    /// MacKinnon's approximate p-value for so many series.
    pub p: f64,
    /// Lagged differences used.
    pub lags: usize,
    /// Constant, slope as far as the trend has them; then the hedge ratios.
    pub coefficients: Vec<f64>,
    /// `y` less what is explained: the spread.
    pub residuals: Vec<f64>,
    /// Critical values at 1, 5 and 10 per cent.
    pub critical: [f64; 3],
}

/// Regresses `y` on the other series and tests the residuals for a unit root, without a trend. Equal to statsmodels'
/// `coint`.
///
/// - Shape: one to eleven other series as long as `y`; p-values exist up to five. The trend is that of the first step.
/// - Errors: as [`Ols::fit`] and [`adf`](super::adf); `Collinear` also if `y` is explained up to 1.5e-6 of its variance.
/// - Sources: Engle and Granger, Econometrica 55 (1987) 251; MacKinnon (1994, 2010).
pub fn engle_granger(
    y: &[f64],
    others: &[&[f64]],
    trend: Trend,
    lags: Lags,
) -> Result<EngleGranger, EconometricsError> {
    const WHAT: &str = "Engle–Granger test";
    if others.is_empty() || others.len() > 11 {
        let got = others.len() as f64;
        return Err(EconometricsError::OutOfRange {
            what: "other series of an Engle–Granger test",
            got,
            least: 1.0,
            most: 11.0,
        });
    }
    varied(WHAT, y, 4)?;
    others.iter().try_for_each(|x| varied(WHAT, x, 4))?;
    let ols = Ols::fit(y, others, trend)?;
    if ols.r_squared >= SAME {
        return Err(EconometricsError::Collinear { what: WHAT, column: ols.coefficients.len() });
    }
    let fit = Regression::of(&ols.residuals, Trend::None, lags, &mut Qr::default(), &mut Vec::new())?;
    let series = others.len() + 1;
    Ok(EngleGranger {
        statistic: fit.statistic,
        p: p_value(fit.statistic, trend, series),
        lags: fit.lags,
        coefficients: ols.coefficients,
        residuals: ols.residuals,
        critical: if trend == Trend::None { [f64::NAN; 3] } else { critical_values(trend, series, y.len() - 1) },
    })
}
