//! Technical indicators. Each has one definition and up to three forms that agree to the bit:
//!
//! - *batch*: one series in, one value a bar out, NaN where there is none yet, as in TA-Lib. A close that is not
//!   finite is a bar without datum.
//! - *streaming*: a struct holds one parameter set for all instruments as arrays, and `update` takes one slice
//!   (one close and one status an instrument). An instrument without datum in the slice (`present` is not `Ok`)
//!   keeps its state and its previous cell is repeated. Cells that are not `Ok` hold 0.0: `NoData` before the
//!   first datum, then `WarmUp`.
//! - *block*: `update_block` takes K consecutive slices, row after row, in one call.
//!
//! Rules for all of them: a close whose status is `Ok` is finite (the quality checks of `market` see to it; tests
//! assert it) and below 1e150 in magnitude, so no output is ever NaN or infinite. A period below the least one of its
//! indicator is read as that least one; agents check their parameters' ranges before they come here. Slices of a
//! wrong length are a bug of the caller and panic at entry. `load` refuses a state with other parameters; after
//! an error the kernel must be dropped, since it may be half loaded.

mod ema;
mod macd;
mod momentum;
mod realised_vol;
mod rsi;
mod sma;
mod window;

pub use ema::{Ema, EmaBank, Seed, ema};
pub use macd::{Macd, MacdSeries, macd};
pub use momentum::{Momentum, momentum};
pub use realised_vol::{RealisedVol, realised_vol};
pub use rsi::{Rsi, rsi};
pub use sma::{Sma, sma};

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::{Status, all_ok};

/// Values and statuses that a kernel writes: one slice, or K slices row after row.
pub type Out<'a> = (&'a mut [f64], &'a mut [Status]);

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

/// Runs a kernel of one instrument over a series.
fn batch<const M: usize>(close: &[f64], mut update: impl FnMut(&[f64], &[Status], &mut [Out<'_>; M])) -> [Vec<f64>; M] {
    let mut series = std::array::from_fn(|_| Vec::with_capacity(close.len()));
    let mut values = [[0.0_f64]; M];
    let mut statuses = [[Status::NoData]; M];
    for x in close {
        let present = if x.is_finite() { Status::Ok } else { Status::NoData };
        let mut cells = values.iter_mut().zip(statuses.iter_mut());
        let mut out: [Out<'_>; M] = std::array::from_fn(|_| match cells.next() {
            Some((v, s)) => (v.as_mut_slice(), s.as_mut_slice()),
            None => (&mut [][..], &mut [][..]),
        });
        update(&[*x], &[present], &mut out);
        for (to, (v, s)) in series.iter_mut().zip(values.iter().zip(&statuses)) {
            to.push(if s[0] == Status::Ok { v[0] } else { f64::NAN });
        }
    }
    series
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
