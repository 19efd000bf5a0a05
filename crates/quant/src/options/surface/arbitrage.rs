//! What breaks a surface: butterflies within a slice, calendar spreads between two.

use super::Slice;

/// A place where a surface can be bought for less than nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breach {
    /// Log-moneyness.
    pub k: f64,
    /// Durrleman's function, below 0; or the total variance lost from the earlier slice to the later, below 0.
    pub by: f64,
}

/// `g(k) = (1 − k w′/2w)² − w′²/4 (1/w + 1/4) + w″/2`: the density of the price is of its sign. NaN where `w` is not
/// positive. Source: Gatheral and Jacquier (2014), equation 2.1.
#[must_use]
pub fn durrleman(slice: &impl Slice, k: f64) -> f64 {
    let (w, w1, w2) = slice.variance(k);
    if w > 0.0 {
        let tilt = 1.0 - 0.5 * k * w1 / w;
        tilt * tilt - 0.25 * w1 * w1 * (1.0 / w + 0.25) + 0.5 * w2
    } else {
        f64::NAN
    }
}

/// The points of the grid where a butterfly has a negative price, or where there is no variance (`by` is NaN).
pub fn butterflies<'a>(slice: &'a impl Slice, grid: &'a [f64]) -> impl Iterator<Item = Breach> + 'a {
    grid.iter().map(move |k| Breach { k: *k, by: durrleman(slice, *k) }).filter(|b| !(b.by >= 0.0))
}

/// The points of the grid where the later slice has less total variance than the earlier one.
pub fn calendars<'a>(
    earlier: &'a impl Slice,
    later: &'a impl Slice,
    grid: &'a [f64],
) -> impl Iterator<Item = Breach> + 'a {
    grid.iter().map(|k| Breach { k: *k, by: later.variance(*k).0 - earlier.variance(*k).0 }).filter(|b| !(b.by >= 0.0))
}
