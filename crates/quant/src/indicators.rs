//! Technical indicators. Each has one definition and three forms that agree to the bit:
//!
//! - *batch*: one series in, one value a bar out, NaN where there is none yet, as in TA-Lib. A bar of which a field that
//!   is read is not finite is a bar without datum.
//! - *streaming*: a struct holds one parameter set for all instruments as columns, and takes one slice (one bar and one
//!   status an instrument). An instrument without datum in the slice (`present` is not `Ok`) keeps its state and its
//!   previous cell is repeated. Cells that are not `Ok` hold 0.0: `NoData` before the first datum, then `WarmUp`.
//! - *block*: K consecutive slices, row after row, in one call.
//!
//! A new indicator is a [`Study`] in a file of its own, its line in [`INDICATORS`] and its columns in the oracle script:
//! tests, and agents that ask by name, follow from there. The hottest (EMA, RSI, MACD) have kernels of their own. Of the
//! candlestick patterns ([`Candle`]) each is a function in a file for its number of bars; swings and what follows from them
//! are in [`crate::fibonacci`].
//!
//! Rules for all of them: a datum whose status is `Ok` is finite (the quality checks of `market` see to it; tests
//! assert it) and below 1e150 in magnitude, so no output is ever NaN or infinite. A period below the least one of its
//! indicator is read as that least one; agents check their parameters' ranges before they come here. Slices of a
//! wrong length are a bug of the caller and panic at entry. `load` refuses a state with other parameters; after
//! an error the kernel must be dropped, since it may be half loaded.

mod aroon;
mod atr;
mod average_volume;
mod beta;
mod bollinger;
mod candles;
mod cci;
mod channels;
mod correlation;
mod dema;
mod deviation;
mod directional;
mod donchian;
mod ema;
mod extremes;
mod form;
mod hilbert;
mod hma;
mod hurst;
mod ichimoku;
mod kama;
mod kdj;
mod linear_regression;
mod log_return;
mod macd;
mod midpoint;
mod momentum;
mod oscillators;
mod parabolic_sar;
pub(crate) mod parts;
mod percent_rank;
mod prices;
mod ranges;
mod realised_vol;
mod registry;
mod relative_vigor;
mod rma;
mod rsi;
mod sma;
mod stochastic;
mod t3;
mod tema;
mod trima;
mod variable_average;
mod vhf;
mod volume_flow;
mod volume_index;
mod vwma;
mod wma;
mod z_score;
mod zlema;

pub use aroon::Aroon;
pub use atr::{Atr, TrueRange, atr};
pub use average_volume::{AverageVolume, average_volume};
pub use beta::Beta;
pub use bollinger::{Bollinger, BollingerSeries, bollinger};
pub use candles::Candle;
pub use cci::{AverageDeviation, Cci};
pub use channels::{AccelerationBands, Keltner, SuperTrend};
pub use correlation::{Correlation, correlation};
pub use dema::Dema;
pub use deviation::Deviation;
pub use directional::{Adx, Adxr, Directional};
pub use donchian::Donchian;
pub use ema::{Ema, EmaBank, Seed, ema};
pub use extremes::{RollingHigh, RollingLow, rolling_high, rolling_low};
pub use form::{Bar, Bars, Columns, Inputs, Kernel, Out, Study};
pub use hilbert::{HilbertPeriod, HilbertPhase, HilbertPhasor, HilbertSine, HilbertTrendMode, HilbertTrendline, Mama};
pub use hma::Hma;
pub use hurst::Hurst;
pub(crate) use hurst::{expected as expected_range, mean_range};
pub use ichimoku::Ichimoku;
pub use kama::{EfficiencyRatio, Kama};
pub use kdj::Kdj;
pub use linear_regression::LinearRegression;
pub use log_return::LogReturn;
pub use macd::{Macd, MacdSeries, macd};
pub use midpoint::Midpoint;
pub use momentum::{Momentum, momentum};
pub use oscillators::{
    Awesome, Cmo, Coppock, Dpo, ElderRay, IntradayMomentum, MassIndex, Ppo, QStick, RateOfChange, TrueStrength,
};
pub use parabolic_sar::{Pace, ParabolicSar, ParabolicSarExtended};
pub use percent_rank::PercentRank;
pub use prices::{BalanceOfPower, HeikinAshi, Pivots, Prices};
pub use ranges::{ChaikinVolatility, Natr, Ultimate, Vortex, WilliamsAccumulation};
pub use realised_vol::{RealisedVol, realised_vol};
pub use registry::{INDICATORS, Indicator, Line, Parameter, Scale};
pub use relative_vigor::RelativeVigor;
pub use rma::Rma;
pub use rsi::{Rsi, rsi};
pub use sma::{Sma, sma};
pub use stochastic::{Stochastic, StochasticFast, StochasticMomentum, StochasticRsi, WilliamsR};
pub use t3::T3;
pub use tema::{Tema, Trix};
pub use trima::Trima;
pub use variable_average::{CycleAverage, VariableAverage};
pub use vhf::Vhf;
pub use volume_flow::{
    Accumulation, ChaikinMoneyFlow, ChaikinOscillator, ForceIndex, MoneyFlowIndex, OnBalanceVolume, PriceVolumeTrend,
    Pvo, RelativeVolume,
};
pub use volume_index::VolumeIndex;
pub use vwma::{Vwap, Vwma};
pub use wma::Wma;
pub use z_score::{ZScore, z_score};
pub use zlema::Zlema;

use form::{batch_of, lines_of};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::{Status, all_ok};

/// Panics unless all slices have `cells` cells.
#[inline]
fn check_shape(cells: usize, close: &[f64], present: &[Status], out: &[Out<'_>]) {
    let same =
        close.len() == cells && present.len() == cells && out.iter().all(|(v, s)| v.len() == cells && s.len() == cells);
    assert!(same, "every slice must have {cells} cells");
    debug_assert!(
        close.iter().zip(present).all(|(x, s)| *s != Status::Ok || x.is_finite()),
        "a close with status Ok must be finite"
    );
}

/// Status of an instrument that has `seen` of the `need` data.
#[inline]
fn status_of(seen: u32, need: u32) -> Status {
    match seen {
        s if s >= need => Status::Ok,
        0 => Status::NoData,
        _ => Status::WarmUp,
    }
}

/// The cell of an instrument that has `seen` of the `need` data.
#[inline]
fn cell(value: f64, seen: u32, need: u32) -> (f64, Status) {
    let status = status_of(seen, need);
    (if status == Status::Ok { value } else { 0.0 }, status)
}

/// A period as it is kept: at least `least`, small enough that `period + 1` fits.
fn period_of(n: usize, least: u32) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX).clamp(least, u32::MAX / 4)
}

/// `part / whole` in per cent, 0 where there is no whole, as TA-Lib has it.
#[inline]
fn percent(part: f64, whole: f64) -> f64 {
    if whole != 0.0 { 100.0 * (part / whole) } else { 0.0 }
}

/// Typical price of a bar.
#[inline]
fn typical(bar: &Bar) -> f64 {
    (bar.high + bar.low + bar.close) / 3.0
}

fn save_counts(to: &mut Encoder, counts: &[u32]) {
    to.len(counts.len());
    counts.iter().for_each(|c| to.u32(*c));
}

/// Reads counts that are at most `max`.
fn load_counts(from: &mut Decoder<'_>, counts: &mut [u32], max: u32) -> Result<(), DecodeError> {
    expect_u64(from, "instruments", counts.len() as u64)?;
    for (at, c) in counts.iter_mut().enumerate() {
        *c = from.u32("count of data")?;
        if *c > max {
            let found = u64::from(*c);
            return Err(DecodeError::Invalid { what: "count of data", at, found });
        }
    }
    Ok(())
}

/// Reads a number that must be `expected`.
fn expect_u64(from: &mut Decoder<'_>, what: &'static str, expected: u64) -> Result<(), DecodeError> {
    let found = from.u64(what)?;
    if found == expected { Ok(()) } else { Err(DecodeError::Mismatch { what, found, expected }) }
}

#[cfg(test)]
mod tests;
