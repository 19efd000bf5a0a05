//! Confluence: a price at a Fibonacci level at which the market turned before.

use super::levels::{SHAPE, level};
use super::swings::TILE;
use super::{EXTENSIONS, LEVELS, Pivot, RETRACEMENTS, Reversal, Swings, Zone, levels, recency};
use crate::indicators::parts::Part;
use crate::indicators::{Bar, Bars, Columns, Inputs, Study};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::{Status, wide};

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
    let (nearest, _) = nearest(price, from, to, zone.tolerance);
    let none = Meeting { level: nearest, score: 0.0 };
    let strength = |level| zone.strength(level, earlier.clone());
    levels(from, to).into_iter().fold(none, |best, level| better(best, price, level, zone, strength))
}

/// The better one of a meeting and that at `level`, of which `strength` says the strength.
#[inline]
fn better(best: Meeting, price: f64, level: f64, zone: &Zone, strength: impl FnOnce(f64) -> f64) -> Meeting {
    let (distance, reach) = ((price - level).abs(), zone.tolerance * level.abs());
    // The most that the score can be: nothing is gained by the strength of a level that cannot win.
    let most = if distance <= reach && reach > 0.0 { 1.0 - distance / reach } else { 0.0 };
    let strength = if most > best.score { strength(level) } else { 0.0 };
    let score = if strength > 0.0 { most * (1.0 - libm::exp2(-strength)) } else { 0.0 };
    if score > best.score { Meeting { level, score } } else { best }
}

/// The level of a leg that is nearest to a price, the first of equals, and which levels are within the tolerance of it, as a
/// sum of 2^place. NaN where there is no leg.
#[inline(always)]
fn nearest(price: f64, from: f64, to: f64, tolerance: f64) -> (f64, f64) {
    let (mut found, mut least, mut within, mut place) = (from, f64::INFINITY, 0.0, 1.0);
    let leg = to - from;
    let mut look = |base: f64, ratio: f64| {
        let here = base + ratio * leg;
        let distance = (price - here).abs();
        within += if distance <= tolerance * here.abs() { place } else { 0.0 };
        found = if distance < least { here } else { found };
        least = if distance < least { distance } else { least };
        place *= 2.0;
    };
    // In the order of `levels`; T − r (T − F) is T + (−r) (T − F) to the bit.
    let ([a, b, c, d, e], [f, g, h, i]) = (RETRACEMENTS, EXTENSIONS);
    look(to, -a);
    look(to, -b);
    look(to, -c);
    look(to, -d);
    look(to, -e);
    look(from, f);
    look(from, g);
    look(from, h);
    look(from, i);
    look(to, -f);
    look(to, -g);
    look(to, -h);
    look(to, -i);
    (found, within)
}

/// An instrument whose price is within the tolerance of levels, and their bits.
#[derive(Clone, Copy, Debug, Default)]
struct Met {
    instrument: u32,
    levels: u16,
}

wide! {
    /// The nearest levels of all instruments, and a list of the instruments that meet one: gives how many.
    fn nearest_row<'a>(
        price: &'a [f64],
        from: &'a [f64],
        to: &'a [f64],
        tolerance: f64,
        found: &'a mut [f64],
        met: &'a mut [Met],
    ) -> usize {
        let (n, mut n_met) = (price.len(), 0);
        for first in (0..n).step_by(TILE) {
            let cells = first..n.min(first + TILE);
            let (price, from, to) = (&price[cells.clone()], &from[cells.clone()], &to[cells.clone()]);
            let found = &mut found[cells.clone()];
            let mut within = [0.0; TILE];
            for l in 0..cells.len() {
                (found[l], within[l]) = nearest(price[l], from[l], to[l], tolerance);
            }
            for (i, within) in cells.zip(within).filter(|(_, within)| *within > 0.0) {
                met[n_met] = Met { instrument: i as u32, levels: within as u16 };
                n_met += 1;
            }
        }
        n_met
    }
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
    /// The last legs: NaN without one.
    from: Vec<f64>,
    to: Vec<f64>,
    /// The turning points near each level of the leg, as far as they have been looked for.
    near: Vec<Near>,
    /// The levels that are known to have none, as bits: most bars meet only such levels.
    barren: Vec<u16>,
    /// Room for the instruments that meet a level in a row.
    met: Vec<Met>,
}

/// For each level of a leg the earlier turning points within its tolerance, as bits by their place; `known` has the bits of
/// the levels for which this has been worked out since the leg began.
#[derive(Clone, Copy, Debug, Default)]
struct Near {
    known: u16,
    pivots: [u32; LEVELS],
    /// Bars of the instrument up to the latest of them: where there is one only, which is usual, its window is not looked at.
    latest: [u32; LEVELS],
}

/// Ages whose recency is kept; older ones are computed.
const AGES: u32 = 1_024;

/// The turning points before the leg: those of the leg are the last two.
const EARLIER: u32 = 2;

impl Confluence {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, reversal: Reversal, zone: Zone) -> Columns<Confluence, 5> {
        let study = Confluence {
            tolerance: zone.tolerance,
            half_life: zone.half_life,
            swings: Swings::new(n_instruments, reversal, zone.memory.max(3)),
            zone,
            recency: (0..AGES).map(|age| recency(f64::from(age), zone.half_life)).collect(),
            from: vec![f64::NAN; n_instruments],
            to: vec![f64::NAN; n_instruments],
            near: vec![Near::default(); n_instruments],
            barren: vec![0; n_instruments],
            met: vec![Met::default(); n_instruments],
        };
        Columns::of(study, n_instruments)
    }

    /// Takes over the last leg of instrument `i`.
    fn begin(&mut self, i: usize) {
        (self.from[i], self.to[i]) = self.swings.leg(i).unwrap_or((f64::NAN, f64::NAN));
        self.near[i].known = 0;
        self.barren[i] = 0;
    }

    /// The meeting of a price of instrument `i` with the levels whose bits are set, all that are within the tolerance of it.
    fn meet(&mut self, i: usize, price: f64, nearest: f64, within: u16) -> Meeting {
        let Confluence { swings, zone, recency: kept, near, barren, .. } = self;
        let (near, barren) = (&mut near[i], &mut barren[i]);
        let (from, to) = (self.from[i], self.to[i]);
        let mut best = Meeting { level: nearest, score: 0.0 };
        let mut left = within & !*barren;
        while left != 0 {
            let at = left.trailing_zeros() as usize;
            left &= left - 1;
            let here = level(from, to, SHAPE[at]);
            let strength = |level| {
                if near.known >> at & 1 == 0 {
                    near.pivots[at] = swings.near(i, EARLIER, level, zone);
                    near.known |= 1 << at;
                    near.latest[at] = swings.bar(i, near.pivots[at].trailing_zeros());
                    if near.pivots[at] == 0 && swings.held(i) <= u32::BITS {
                        *barren |= 1 << at;
                    }
                }
                let count = |age: f64| kept.get(age as usize).copied().unwrap_or_else(|| recency(age, zone.half_life));
                let (mut bits, mut sum) = (near.pivots[at], 0.0);
                if bits != 0 {
                    sum += count(swings.bars(i) - f64::from(near.latest[at]));
                    bits &= bits - 1;
                }
                while bits != 0 {
                    sum += count(swings.age(i, bits.trailing_zeros()));
                    bits &= bits - 1;
                }
                // Further back than there are bits.
                swings
                    .pivots(i, u32::BITS)
                    .filter(|p| zone.has(level, p.price))
                    .fold(sum, |sum, p| sum + recency(p.age, zone.half_life))
            };
            best = better(best, price, here, zone, strength);
        }
        best
    }
}

impl Study<5> for Confluence {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 5], Status> {
        if self.swings.advance(i, bar)? {
            self.begin(i);
        }
        let (from, to) = (self.from[i], self.to[i]);
        if from.is_nan() {
            return Err(Status::WarmUp);
        }
        let (level, within) = nearest(bar.close, from, to, self.tolerance);
        let meeting = self.meet(i, bar.close, level, within as u16);
        Ok([meeting.boost(), meeting.score, meeting.level, from, to])
    }

    fn row(&mut self, bars: &Bars<'_>, lines: &mut [&mut [f64]; 5]) -> bool {
        if !self.swings.advance_row(bars) {
            return false;
        }
        for k in 0..self.swings.turned().len() {
            self.begin(self.swings.turned()[k] as usize);
        }
        let [boost, score, level, from, to] = lines;
        from.copy_from_slice(&self.from);
        to.copy_from_slice(&self.to);
        boost.fill(0.0);
        score.fill(0.0);
        let n_met = nearest_row(bars.close, &self.from, &self.to, self.tolerance, level, &mut self.met);
        for k in 0..n_met {
            let Met { instrument, levels } = self.met[k];
            let i = instrument as usize;
            if levels & !self.barren[i] == 0 {
                continue;
            }
            let meeting = self.meet(i, bars.close[i], level[i], levels);
            (boost[i], score[i], level[i]) = (meeting.boost(), meeting.score, meeting.level);
        }
        true
    }

    fn missing(&self, _: usize) -> Status {
        Status::WarmUp
    }

    fn save(&self, to: &mut Encoder) {
        self.tolerance.save(to);
        self.half_life.save(to);
        Part::save(&self.swings, to);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.tolerance.load(from)?;
        self.half_life.load(from)?;
        Part::load(&mut self.swings, from)?;
        (0..self.from.len()).for_each(|i| self.begin(i));
        Ok(())
    }
}
