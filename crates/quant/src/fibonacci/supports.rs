//! Supports and resistances: prices at which a market turned before.

use super::{Pivot, Reversal, Swings};
use crate::indicators::parts::state;
use crate::indicators::{Bar, Columns, Inputs, Study};
use tradegraph_columns::Status;

/// Which side of the price is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// At or below.
    Support,
    /// At or above.
    Resistance,
}

/// How turning points make a support.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zone {
    /// Turning points that are remembered, at least 2; in a [`Confluence`](super::Confluence) at least 3.
    pub memory: usize,
    /// Prices that are no further apart than this part of the level are one (the field's usual value: 0.005).
    pub tolerance: f64,
    /// Bars after which a turning point counts half, above 0.
    pub half_life: f64,
}

impl Zone {
    /// True if `price` is within the tolerance of `level`.
    #[must_use]
    pub fn has(&self, level: f64, price: f64) -> bool {
        (price - level).abs() <= self.tolerance * level.abs()
    }

    /// Sum of the [`recency`] of the turning points that are within the tolerance of `level`.
    #[must_use]
    pub fn strength(&self, level: f64, pivots: impl Iterator<Item = Pivot>) -> f64 {
        pivots.filter(|p| self.has(level, p.price)).fold(0.0, |sum, p| sum + recency(p.age, self.half_life))
    }
}

/// What a turning point counts after `age` bars: `2^(−age / half_life)`.
#[must_use]
pub fn recency(age: f64, half_life: f64) -> f64 {
    libm::exp2(-age / half_life)
}

/// The nearest support or resistance of the close, for all instruments: the nearest remembered turning point at or beyond it,
/// a high or a low. Lines: level (its price), touches (remembered turning points within the tolerance of it, itself
/// included), strength (sum of their recency).
///
/// - Shape: one value a bar; none before the first turning point is confirmed, nor where none lies on that side.
/// - Units: the level those of the prices; a strength is at most the number of touches.
/// - Source: Murphy, Technical Analysis of the Financial Markets (1999), chapter 4: what turned often and lately weighs more.
///   The weights are ours.
#[derive(Clone, Debug)]
pub struct Supports {
    /// 1 for resistances, −1 for supports.
    sign: f64,
    tolerance: f64,
    half_life: f64,
    swings: Swings,
    zone: Zone,
}

impl Supports {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, reversal: Reversal, side: Side, zone: Zone) -> Columns<Supports, 3> {
        let study = Supports {
            sign: if side == Side::Resistance { 1.0 } else { -1.0 },
            tolerance: zone.tolerance,
            half_life: zone.half_life,
            swings: Swings::new(n_instruments, reversal, zone.memory),
            zone,
        };
        Columns::of(study, n_instruments)
    }
}

impl Study<3> for Supports {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 3], Status> {
        self.swings.advance(i, bar)?;
        let pivots = self.swings.pivots(i, 0);
        let beyond = pivots.clone().map(|p| p.price).filter(|p| self.sign * p >= self.sign * bar.close);
        let nearer = |a: f64, b: f64| if self.sign * b < self.sign * a { b } else { a };
        let level = beyond.reduce(nearer).ok_or(Status::NotApplicable)?;
        let touches = pivots.clone().filter(|p| self.zone.has(level, p.price)).count();
        Ok([level, touches as f64, self.zone.strength(level, pivots)])
    }

    state!(sign, tolerance, half_life, swings);
}
