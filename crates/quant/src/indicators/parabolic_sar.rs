//! Parabolic stop and reverse: a stop that follows a trend ever faster.

use super::parts::{Part, state};
use super::{Bar, Columns, Inputs, Status, Study};

/// Wilder's stop of the trend that is assumed: `s += a (e − s)` from bar to bar, where e is the extreme of the trend so far
/// and a starts at `step` and grows by it with every new extreme up to `most`. The stop never enters the range of the two
/// bars before; a bar that touches it turns the trend, whose extreme becomes the stop. The first trend is down if the low
/// fell by more than the high rose from the first bar to the second, else up.
///
/// - Shape: one value a bar, from the second on: the stop that was in force in it, or the new one if it turned.
/// - Units: those of the prices; `step` and `most` above 0 (default of the field: 0.02 and 0.2).
/// - Source: Wilder, New Concepts in Technical Trading Systems (1978), section II; TA-Lib 0.8 `TA_SAR`.
#[derive(Clone, Debug)]
pub struct ParabolicSar {
    step: f64,
    most: f64,
    stop: Stop,
}

impl ParabolicSar {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, step: f64, most: f64) -> Columns<ParabolicSar, 1> {
        let step = step.min(most);
        Columns::of(ParabolicSar { step, most, stop: Stop::new(n_instruments) }, n_instruments)
    }
}

impl Study<1> for ParabolicSar {
    const INPUTS: Inputs = Inputs::HIGH.and(Inputs::LOW);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let pace = Pace { first: self.step, step: self.step, most: self.most };
        let (stop, _) = self.stop.step(i, bar, [pace; 2], 0.0, 0.0)?;
        Ok([stop])
    }

    state!(step, most, stop);
}

/// How fast a stop follows one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Share of the way to the extreme at first.
    pub first: f64,
    /// What every new extreme adds.
    pub step: f64,
    /// The largest share.
    pub most: f64,
}

impl Pace {
    fn bounded(self) -> Pace {
        Pace { first: self.first.min(self.most), step: self.step.min(self.most), most: self.most }
    }
}

impl Part for Pace {
    state!(first, step, most);
}

/// The parabolic stop with a pace for each direction, a start that may be chosen, and a distance at turns: lines stop, and
/// trend, which is 1 for up and −1 for down. A stop that turns is moved away from the price by the share `offset` of itself.
/// `start` above 0 is the first stop of a trend up, below 0 the negative of that of a trend down; 0 lets the first two bars
/// decide as in [`ParabolicSar`]. TA-Lib shows the stop of a trend down with a minus.
///
/// - Shape: as [`ParabolicSar`]. Units: those of the prices; paces and `offset` at least 0 (default of the field: 0.02, 0.02
///   and 0.2 for both paces, 0 for the others).
/// - Source: Wilder, New Concepts in Technical Trading Systems (1978), section II; TA-Lib 0.8 `TA_SAREXT`.
#[derive(Clone, Debug)]
pub struct ParabolicSarExtended {
    start: f64,
    offset: f64,
    up: Pace,
    down: Pace,
    stop: Stop,
}

impl ParabolicSarExtended {
    /// A kernel without data.
    #[must_use]
    pub fn columns(
        n_instruments: usize,
        start: f64,
        offset: f64,
        up: Pace,
        down: Pace,
    ) -> Columns<ParabolicSarExtended, 2> {
        let (up, down) = (up.bounded(), down.bounded());
        let stop = Stop::new(n_instruments);
        Columns::of(ParabolicSarExtended { start, offset, up, down, stop }, n_instruments)
    }
}

impl Study<2> for ParabolicSarExtended {
    const INPUTS: Inputs = Inputs::HIGH.and(Inputs::LOW);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        let (stop, trend) = self.stop.step(i, bar, [self.up, self.down], self.start, self.offset)?;
        Ok([stop, trend])
    }

    state!(start, offset, up, down, stop);
}

/// The stop and its trend, one an instrument.
#[derive(Clone, Debug)]
struct Stop {
    stop: Vec<f64>,
    extreme: Vec<f64>,
    factor: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    /// 1 for a trend up, −1 for one down, 0 before it is known.
    trend: Vec<f64>,
    begun: Vec<u32>,
}

impl Part for Stop {
    state!(stop, extreme, factor, high, low, trend, begun);
}

impl Stop {
    fn new(n_instruments: usize) -> Stop {
        let zeros = || vec![0.0; n_instruments];
        Stop {
            stop: zeros(),
            extreme: zeros(),
            factor: zeros(),
            high: zeros(),
            low: zeros(),
            trend: zeros(),
            begun: vec![0; n_instruments],
        }
    }

    /// One bar: the stop that it shows and the trend after it.
    fn step(
        &mut self,
        i: usize,
        bar: &Bar,
        [rising, falling]: [Pace; 2],
        start: f64,
        offset: f64,
    ) -> Result<(f64, f64), Status> {
        let mut before = (std::mem::replace(&mut self.high[i], bar.high), std::mem::replace(&mut self.low[i], bar.low));
        if std::mem::replace(&mut self.begun[i], 1) == 0 {
            return Err(Status::WarmUp);
        }
        let (trend, stop, extreme) = (&mut self.trend[i], &mut self.stop[i], &mut self.extreme[i]);
        if *trend == 0.0 {
            let (rise, fall) = (bar.high - before.0, before.1 - bar.low);
            let falls = if start == 0.0 { fall > 0.0 && fall > rise } else { start < 0.0 };
            *trend = if falls { -1.0 } else { 1.0 };
            let first = if falls { before.0 } else { before.1 };
            *stop = if start == 0.0 { first } else { start.abs() };
            *extreme = if falls { bar.low } else { bar.high };
            self.factor[i] = if falls { falling.first } else { rising.first };
            // The second bar stands for the one before it.
            before = (bar.high, bar.low);
        }
        // Seen from above: a trend down is a trend up of the prices' negatives.
        let up = *trend > 0.0;
        let (high, low, floor) = if up { (bar.high, bar.low, before.1) } else { (-bar.low, -bar.high, -before.0) };
        let (s, e) = if up { (*stop, *extreme) } else { (-*stop, -*extreme) };
        let (pace, other) = if up { (rising, falling) } else { (falling, rising) };
        let (shown, next);
        if low <= s {
            // The trend turns: from now on it is seen from the other side, where the bars' highs are the floor.
            let ceiling = if up { larger(before.0, bar.high) } else { larger(-before.1, -bar.low) };
            let turned = larger(e, ceiling);
            let turned = if up { turned + offset * turned } else { turned - offset * turned };
            self.factor[i] = other.first;
            shown = turned;
            next = larger(turned + other.first * (low - turned), ceiling);
            *extreme = if up { low } else { -low };
            *trend = -*trend;
        } else {
            shown = s;
            let e = if high > e {
                self.factor[i] = smaller(self.factor[i] + pace.step, pace.most);
                high
            } else {
                e
            };
            next = smaller(s + self.factor[i] * (e - s), smaller(floor, low));
            *extreme = if up { e } else { -e };
        }
        *stop = if up { next } else { -next };
        Ok((if up { shown } else { -shown }, *trend))
    }
}

#[inline]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

#[inline]
fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}
