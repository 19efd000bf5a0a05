//! One bar: whether its prices can be what they say. The same for bars of a CSV file and of a data set.

use std::borrow::Cow;

use tradegraph_domain::Price;

use super::Reason;
use super::header::BarColumns;
use crate::reading::cells;

/// The cells of one row.
pub(crate) trait BarCells {
    fn is_empty(&self, column: usize) -> bool;
    /// The price of a cell that is not empty.
    fn price(&self, column: usize) -> Result<i64, Reason>;
    /// The volume of a cell that is not empty; `None` unless it is finite and not below zero.
    fn volume(&self, column: usize) -> Option<f64>;
    /// The cell for a message.
    fn text(&self, column: usize) -> Cow<'_, [u8]>;
}

/// Cells of a line of text.
pub(crate) struct TextRow<'a, F: Fn(usize) -> &'a [u8]>(pub F);

impl<'a, F: Fn(usize) -> &'a [u8]> BarCells for TextRow<'a, F> {
    #[inline]
    fn is_empty(&self, column: usize) -> bool {
        (self.0)(column).is_empty()
    }

    #[inline]
    fn price(&self, column: usize) -> Result<i64, Reason> {
        cells::price((self.0)(column)).map_err(Reason::Price)
    }

    #[inline]
    fn volume(&self, column: usize) -> Option<f64> {
        cells::volume((self.0)(column))
    }

    fn text(&self, column: usize) -> Cow<'_, [u8]> {
        Cow::Borrowed((self.0)(column))
    }
}

pub(crate) enum Bar {
    Empty,
    Good { open: i64, high: i64, low: i64, close: i64, volume: f64 },
}

/// What is odd about a bar that is kept.
pub(crate) type Note = Option<(usize, Reason)>;

/// Open or close may miss low…high by this part of the price: sources that adjust prices round each one alone.
const ROUNDING: i64 = 10_000;

/// A price above zero, or any if that is allowed.
#[inline]
pub(crate) fn price(negative: bool, cells: &impl BarCells, column: usize) -> Result<i64, Reason> {
    let price = cells.price(column)?;
    if price <= 0 && !negative { Err(Reason::NotPositive) } else { Ok(price) }
}

/// A bar, with what is odd about it; or the column for which it is left out.
#[inline]
pub(crate) fn read(
    negative: bool,
    columns: &BarColumns,
    cells: &impl BarCells,
) -> Result<(Bar, Note), (usize, Reason)> {
    let at = |column: usize| price(negative, cells, column).map_err(|reason| (column, reason));
    let Some([o, h, l]) = columns.range else {
        if cells.is_empty(columns.close) {
            return Ok((Bar::Empty, None));
        }
        let close = at(columns.close)?;
        let (volume, note) = volume(columns, cells)?;
        return Ok((Bar::Good { open: 0, high: 0, low: 0, close, volume }, note));
    };
    let prices = [o, h, l, columns.close];
    if prices.iter().any(|c| cells.is_empty(*c)) {
        return match (prices.iter().all(|c| cells.is_empty(*c)), prices.into_iter().find(|c| cells.is_empty(*c))) {
            (false, Some(empty)) => Err((empty, Reason::MissingPrice)),
            _ => Ok((Bar::Empty, None)),
        };
    }
    let (open, high, low, close) = (at(o)?, at(h)?, at(l)?, at(columns.close)?);
    if high < low {
        return Err((h, Reason::HighBelowLow { low: Price::from_nano(low) }));
    }
    let (volume, mut note) = volume(columns, cells)?;
    for (column, price) in [(o, open), (columns.close, close)] {
        if price < low || price > high {
            let reason = Reason::OutsideRange { low: Price::from_nano(low), high: Price::from_nano(high) };
            let excess = low.abs_diff(price).min(high.abs_diff(price));
            if excess > price.unsigned_abs() / ROUNDING.unsigned_abs() {
                return Err((column, reason));
            }
            note = Some((column, reason));
        }
    }
    Ok((Bar::Good { open, high, low, close, volume }, note))
}

#[inline]
fn volume(columns: &BarColumns, cells: &impl BarCells) -> Result<(f64, Note), (usize, Reason)> {
    match columns.volume {
        None => Ok((0.0, None)),
        Some(column) if cells.is_empty(column) => Ok((0.0, Some((column, Reason::MissingVolume)))),
        Some(column) => match cells.volume(column) {
            Some(volume) => Ok((volume, None)),
            None => Err((column, Reason::Volume)),
        },
    }
}
