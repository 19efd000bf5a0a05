//! Econometrics of price and return series: regressions, unit roots, cointegration, mean reversion, serial dependence,
//! volatility, regimes, changes of level, factors.
//!
//! Rows are bars, oldest first, without gaps. Whatever cannot be computed (too few rows, a value that is not finite,
//! no variance, columns that depend on each other) is an [`EconometricsError`] with its place, never NaN. Nothing here
//! draws random numbers; sums run in eight fixed lanes, logarithms and the like come from `libm`, so that the same
//! series gives the same bits on every machine.
//!
//! `docs/econometrics.md` lists every function with its convention, its source and its distance from other libraries.

mod adf;
mod change;
mod cointegration;
mod dense;
mod distribution;
mod fault;
mod garch;
mod hmm;
mod johansen;
mod kalman;
mod kpss;
mod mackinnon;
mod ols;
mod pca;
mod reversion;
mod screen;
mod serial;

pub use adf::{Adf, Lags, adf};
pub use change::{Cusum, Shift, level_changes};
pub use cointegration::{EngleGranger, engle_granger};
pub use distribution::{chi_squared_above, f_above, student_two_sided};
pub use fault::EconometricsError;
pub use garch::{Garch, GarchModel, GarchParameters, Shocks, ewma_variances, garch, garch_log_likelihood};
pub use hmm::{Hmm, HmmFilter, HmmFit, HmmProbabilities, HmmSearch};
pub use johansen::{Johansen, johansen};
pub use kalman::{KalmanHedge, KalmanStep};
pub use kpss::{Bandwidth, Kpss, kpss};
pub use mackinnon::{critical_values, p_value};
pub use ols::{Covariance, Inference, Ols, Trend};
pub use pca::Pca;
pub use reversion::{
    HurstExponent, Reversion, VarianceRatio, detrended_fluctuation, half_life, rescaled_range, variance_ratio,
};
pub use screen::{PairScreen, PairTest};
pub use serial::{Portmanteau, jarque_bera, ljung_box, partial_autocorrelations};

use fault::{finite, varied};

#[cfg(test)]
mod tests;
