//! Retracements and extensions of a leg.

use super::{Reversal, Swings};
use crate::indicators::parts::state;
use crate::indicators::{Bar, Columns, Inputs, Study};
use tradegraph_columns::Status;

/// Parts of a leg that a price takes back: 23.6, 38.2, 50, 61.8 and 78.6 %.
pub const RETRACEMENTS: [f64; 5] = [0.236, 0.382, 0.5, 0.618, 0.786];

/// Multiples of a leg that a price goes on to: 127.2, 141.4, 161.8 and 261.8 %.
pub const EXTENSIONS: [f64; 4] = [1.272, 1.414, 1.618, 2.618];

/// How many levels a leg has.
pub const LEVELS: usize = 13;

/// Price at which `ratio` of the leg from `from` to `to` is taken back: `to − ratio (to − from)`. Above 1 it lies beyond the
/// start of the leg.
#[must_use]
pub fn retracement(from: f64, to: f64, ratio: f64) -> f64 {
    to - ratio * (to - from)
}

/// Price at which the leg from `from` to `to` has become `ratio` times as long: `from + ratio (to − from)`. Above 1 it lies
/// beyond the end of the leg.
#[must_use]
pub fn extension(from: f64, to: f64, ratio: f64) -> f64 {
    from + ratio * (to - from)
}

/// All levels of a leg: its [`RETRACEMENTS`]; its [`EXTENSIONS`] beyond its end; the same multiples taken back, beyond its
/// start.
///
/// - Units: those of the prices; a leg may rise or fall.
/// - Source: Fischer, Fibonacci Applications and Strategies for Traders (1993).
#[must_use]
pub fn levels(from: f64, to: f64) -> [f64; LEVELS] {
    SHAPE.map(|shape| level(from, to, shape))
}

/// A level beyond the end of the leg, or one that takes it back; and its ratio.
#[derive(Clone, Copy)]
pub(super) enum Level {
    Back(f64),
    On(f64),
}

/// All [`levels`] in their order.
pub(super) const SHAPE: [Level; LEVELS] = {
    let [a, b, c, d, e] = RETRACEMENTS;
    let [f, g, h, i] = EXTENSIONS;
    use Level::{Back, On};
    [Back(a), Back(b), Back(c), Back(d), Back(e), On(f), On(g), On(h), On(i), Back(f), Back(g), Back(h), Back(i)]
};

/// The price of a level.
#[inline]
pub(super) fn level(from: f64, to: f64, level: Level) -> f64 {
    match level {
        Level::Back(ratio) => retracement(from, to, ratio),
        Level::On(ratio) => extension(from, to, ratio),
    }
}

/// The retracements of the last leg between two confirmed turning points, for all instruments. Lines: from, to (the turning
/// points), then the [`RETRACEMENTS`].
///
/// - Shape: one value a bar; none before two turning points are confirmed. Units: those of the prices.
#[derive(Clone, Debug)]
pub struct Retracements(Swings);

impl Retracements {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, reversal: Reversal) -> Columns<Retracements, 7> {
        Columns::of(Retracements(Swings::new(n_instruments, reversal, 2)), n_instruments)
    }
}

impl Study<7> for Retracements {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 7], Status> {
        self.0.advance(i, bar)?;
        let (from, to) = self.0.leg(i).ok_or(Status::WarmUp)?;
        let [a, b, c, d, e] = RETRACEMENTS.map(|r| retracement(from, to, r));
        Ok([from, to, a, b, c, d, e])
    }

    state!(0);
}

/// The extensions of the last leg between two confirmed turning points, for all instruments. Lines: the [`EXTENSIONS`] beyond
/// its end, then the same multiples taken back, beyond its start.
///
/// - Shape: one value a bar; none before two turning points are confirmed. Units: those of the prices.
#[derive(Clone, Debug)]
pub struct Extensions(Swings);

impl Extensions {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, reversal: Reversal) -> Columns<Extensions, 8> {
        Columns::of(Extensions(Swings::new(n_instruments, reversal, 2)), n_instruments)
    }
}

impl Study<8> for Extensions {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 8], Status> {
        self.0.advance(i, bar)?;
        let (from, to) = self.0.leg(i).ok_or(Status::WarmUp)?;
        let [a, b, c, d] = EXTENSIONS.map(|r| extension(from, to, r));
        let [e, f, g, h] = EXTENSIONS.map(|r| retracement(from, to, r));
        Ok([a, b, c, d, e, f, g, h])
    }

    state!(0);
}
