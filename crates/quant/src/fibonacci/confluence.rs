//! Confluence: a price at a Fibonacci level at which the market turned before.

use super::{Pivot, Reversal, Swings, Zone, levels, recency};
use crate::indicators::parts::state;
use crate::indicators::{Bar, Columns, Inputs, Study};
use tradegraph_columns::Status;

/// The most that a confluence adds to a confidence.
pub const MOST_BOOST: f64 = 0.2;

/// Where a price, a level and turning points meet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meeting {
    /// The level that gives the score; the nearest one if the score is 0.
    pub level: f64,
    /// 0 where nothing meets, below 1.
    pub score: f64,
}

impl Meeting {
    /// What it adds to a confidence: [`MOST_BOOST`] times the score.
    #[must_use]
    pub fn boost(&self) -> f64 {
        MOST_BOOST * self.score
    }
}

/// How well `price` meets a level of the leg from `from` to `to` at which one of the earlier turning points lies: the
/// largest over all [`levels`] of `(1 − d) (1 − 2^(−s))`. There d is the distance of the price from the level over the
/// tolerance (a level further away than that is not met), and s the level's strength: the sum of what the turning points
/// within the tolerance of it count by their age. One fresh turning point at the very level and price scores 0.5, two 0.75.
///
/// - Units: prices in their own; the score is 0 to 1. The first level wins a tie.
/// - Source: confluence of levels with earlier highs and lows: Boroden, Fibonacci Trading (2008), chapter 6. The score is ours.
#[must_use]
pub fn meeting(price: f64, from: f64, to: f64, earlier: impl Iterator<Item = Pivot> + Clone, zone: &Zone) -> Meeting {
    meeting_of(price, from, to, zone, |level| zone.strength(level, earlier.clone()))
}

/// [`meeting`] for what gives the strength of a level.
fn meeting_of(price: f64, from: f64, to: f64, zone: &Zone, strength: impl Fn(f64) -> f64) -> Meeting {
    let mut best = Meeting { level: from, score: 0.0 };
    let mut nearest = f64::INFINITY;
    for level in levels(from, to) {
        let (distance, reach) = ((price - level).abs(), zone.tolerance * level.abs());
        // The most that the score can be: nothing is gained by the strength of a level that cannot win.
        let most = if distance <= reach && reach > 0.0 { 1.0 - distance / reach } else { 0.0 };
        let strength = if most > best.score { strength(level) } else { 0.0 };
        let score = if strength > 0.0 { most * (1.0 - libm::exp2(-strength)) } else { 0.0 };
        if score > best.score || (best.score <= 0.0 && distance < nearest) {
            best = Meeting { level, score };
        }
        nearest = if distance < nearest { distance } else { nearest };
    }
    best
}

/// The [`meeting`] of the close with the last confirmed leg and the turning points remembered from before it, for all
/// instruments. Lines: boost (0 to [`MOST_BOOST`]), score, level, from and to (the turning points of the leg).
///
/// - Shape: one value a bar; none before two turning points are confirmed.
#[derive(Clone, Debug)]
pub struct Confluence {
    tolerance: f64,
    half_life: f64,
    swings: Swings,
    zone: Zone,
    /// What a turning point of so many bars counts.
    recency: Vec<f64>,
}

/// Ages whose recency is kept; older ones are computed.
const AGES: u32 = 1_024;

impl Confluence {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, reversal: Reversal, zone: Zone) -> Columns<Confluence, 5> {
        let swings = Swings::new(n_instruments, reversal, zone.memory.max(3));
        let recency = (0..AGES).map(|age| recency(f64::from(age), zone.half_life)).collect();
        let study = Confluence { tolerance: zone.tolerance, half_life: zone.half_life, swings, zone, recency };
        Columns::of(study, n_instruments)
    }
}

impl Study<5> for Confluence {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 5], Status> {
        self.swings.advance(i, bar)?;
        let (from, to) = self.swings.leg(i).ok_or(Status::WarmUp)?;
        let kept = |age: f64| self.recency.get(age as usize).copied();
        let counts = |age| kept(age).unwrap_or_else(|| recency(age, self.zone.half_life));
        let strength = |level| self.swings.strength(i, 2, level, &self.zone, counts);
        let meeting = meeting_of(bar.close, from, to, &self.zone, strength);
        Ok([meeting.boost(), meeting.score, meeting.level, from, to])
    }

    state!(tolerance, half_life, swings);
}
