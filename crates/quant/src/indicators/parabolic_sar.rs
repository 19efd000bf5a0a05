//! Parabolic stop and reverse: a stop that follows a trend ever faster.

use super::parts::state;
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
    stop: Vec<f64>,
    extreme: Vec<f64>,
    factor: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    /// 1 for a trend up, −1 for one down, 0 before it is known.
    trend: Vec<f64>,
    begun: Vec<u32>,
}

impl ParabolicSar {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, step: f64, most: f64) -> Columns<ParabolicSar, 1> {
        let zeros = || vec![0.0; n_instruments];
        let study = ParabolicSar {
            step: step.min(most),
            most,
            stop: zeros(),
            extreme: zeros(),
            factor: zeros(),
            high: zeros(),
            low: zeros(),
            trend: zeros(),
            begun: vec![0; n_instruments],
        };
        Columns::of(study, n_instruments)
    }
}

impl Study<1> for ParabolicSar {
    const INPUTS: Inputs = Inputs::HIGH.and(Inputs::LOW);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let mut before = (std::mem::replace(&mut self.high[i], bar.high), std::mem::replace(&mut self.low[i], bar.low));
        if std::mem::replace(&mut self.begun[i], 1) == 0 {
            return Err(Status::WarmUp);
        }
        let (trend, stop, extreme) = (&mut self.trend[i], &mut self.stop[i], &mut self.extreme[i]);
        if *trend == 0.0 {
            let (rise, fall) = (bar.high - before.0, before.1 - bar.low);
            *trend = if fall > 0.0 && fall > rise { -1.0 } else { 1.0 };
            (*stop, *extreme) = if *trend > 0.0 { (before.1, bar.high) } else { (before.0, bar.low) };
            self.factor[i] = self.step;
            // The second bar stands for the one before it.
            before = (bar.high, bar.low);
        }
        // Seen from above: a trend down is a trend up of the prices' negatives.
        let up = *trend > 0.0;
        let (high, low, floor) = if up { (bar.high, bar.low, before.1) } else { (-bar.low, -bar.high, -before.0) };
        let (s, e) = if up { (*stop, *extreme) } else { (-*stop, -*extreme) };
        let (shown, next);
        if low <= s {
            // The trend turns: from now on it is seen from the other side, where the bars' highs are the floor.
            let ceiling = if up { larger(before.0, bar.high) } else { larger(-before.1, -bar.low) };
            let turned = larger(e, ceiling);
            self.factor[i] = self.step;
            shown = turned;
            next = larger(turned + self.step * (low - turned), ceiling);
            *extreme = if up { low } else { -low };
            *trend = -*trend;
        } else {
            shown = s;
            let e = if high > e {
                self.factor[i] = smaller(self.factor[i] + self.step, self.most);
                high
            } else {
                e
            };
            next = smaller(s + self.factor[i] * (e - s), smaller(floor, low));
            *extreme = if up { e } else { -e };
        }
        *stop = if up { next } else { -next };
        Ok([if up { shown } else { -shown }])
    }

    state!(step, most, stop, extreme, factor, high, low, trend, begun);
}

#[inline]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

#[inline]
fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}
