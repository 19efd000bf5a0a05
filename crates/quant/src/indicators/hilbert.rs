//! The Hilbert family: period and phase of the price's dominant cycle, and what a trader makes of them.

use super::parts::{Cycle, LONGEST, Part, state};
use super::{Bar, Columns, Inputs, Status, Study};
use std::f64::consts::{FRAC_PI_4, TAU};

/// Where TA-Lib's functions begin to look at data, and the bars before their first value.
const EARLY: u32 = 12;
const LATE: u32 = 37;
const SHORT: u32 = 32;
const LONG: u32 = 63;
const DEGREES: f64 = 45.0 / FRAC_PI_4;

/// Period of the dominant cycle.
///
/// - Shape: one value a bar; none before bar 32, and it takes some 30 more until the beginning is forgotten.
/// - Units: bars, up to 50.
/// - Source: Ehlers, Rocket Science for Traders (2001), chapter 7; TA-Lib 0.8 `TA_HT_DCPERIOD`.
#[derive(Clone, Debug)]
pub struct HilbertPeriod(Cycle);

impl HilbertPeriod {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<HilbertPeriod, 1> {
        Columns::of(HilbertPeriod(Cycle::new(n_instruments, EARLY, 0)), n_instruments)
    }

    pub(super) fn new(n_instruments: usize) -> HilbertPeriod {
        HilbertPeriod(Cycle::new(n_instruments, EARLY, 0))
    }
}

impl Part for HilbertPeriod {
    state!(0);
}

impl Study<1> for HilbertPeriod {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        match self.0.step(i, bar.close) {
            Some(pointer) if pointer.bars > SHORT => Ok([pointer.period]),
            _ => Err(Status::WarmUp),
        }
    }

    state!(0);
}

/// The rotating pointer of the cycle: lines in_phase, quadrature.
///
/// - Shape: one value a bar; none before bar 32.
/// - Units: those of the prices.
/// - Source: Ehlers, Rocket Science for Traders (2001), chapter 6; TA-Lib 0.8 `TA_HT_PHASOR`.
#[derive(Clone, Debug)]
pub struct HilbertPhasor(Cycle);

impl HilbertPhasor {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<HilbertPhasor, 2> {
        Columns::of(HilbertPhasor(Cycle::new(n_instruments, EARLY, 0)), n_instruments)
    }
}

impl Study<2> for HilbertPhasor {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        match self.0.step(i, bar.close) {
            Some(pointer) if pointer.bars > SHORT => Ok([pointer.in_phase, pointer.quadrature]),
            _ => Err(Status::WarmUp),
        }
    }

    state!(0);
}

/// Mesa's adaptive moving average and the one that follows it: lines mama, fama.
///
/// `m += a (x − m)` of the close, where a is `fast` over the degrees by which the pointer's phase fell since the bar before,
/// within `slow` to `fast`; `f += a / 2 (m − f)`. Both start at 0, twenty bars before the first value.
///
/// - Shape: one value a bar; none before bar 32.
/// - Units: those of the prices; the limits from 0.01 to 0.99 (default of the field: 0.5 and 0.05).
/// - Source: Ehlers, MESA Adaptive Moving Averages, Technical Analysis of Stocks & Commodities 19:10 (2001); TA-Lib 0.8
///   `TA_MAMA`.
#[derive(Clone, Debug)]
pub struct Mama {
    fast: f64,
    slow: f64,
    cycle: Cycle,
    phase: Vec<f64>,
    mama: Vec<f64>,
    fama: Vec<f64>,
}

impl Mama {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, fast: f64, slow: f64) -> Columns<Mama, 2> {
        let zeros = || vec![0.0; n_instruments];
        let cycle = Cycle::new(n_instruments, EARLY, 0);
        Columns::of(Mama { fast, slow, cycle, phase: zeros(), mama: zeros(), fama: zeros() }, n_instruments)
    }
}

impl Study<2> for Mama {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        let pointer = self.cycle.step(i, bar.close).ok_or(Status::WarmUp)?;
        let phase = match pointer.in_phase {
            0.0 => 0.0,
            part => libm::atan(pointer.quadrature / part) * DEGREES,
        };
        let fallen = std::mem::replace(&mut self.phase[i], phase) - phase;
        let weight = if fallen > 1.0 { self.fast / fallen } else { self.fast };
        let weight = if fallen > 1.0 && weight < self.slow { self.slow } else { weight };
        self.mama[i] = weight * bar.close + (1.0 - weight) * self.mama[i];
        self.fama[i] = 0.5 * weight * self.mama[i] + (1.0 - 0.5 * weight) * self.fama[i];
        if pointer.bars > SHORT { Ok([self.mama[i], self.fama[i]]) } else { Err(Status::WarmUp) }
    }

    state!(fast, slow, cycle, phase, mama, fama);
}

/// The phase of the cycle: the angle of the sum over one cycle of the smoothed prices times a turning pointer.
#[derive(Clone, Debug)]
struct Phase {
    cycle: Cycle,
    degrees: Vec<f64>,
    /// Sines and cosines of a turn in n steps, for n from 1 to the longest period, one after the other.
    turns: Vec<[f64; 2]>,
}

impl Part for Phase {
    state!(cycle, degrees);
}

/// A bar's phase.
struct Angle {
    bars: u32,
    degrees: f64,
    period: f64,
    /// Whole bars of the period.
    steps: u32,
    /// False if the price stood still over the cycle, so that there is no phase.
    turns: bool,
}

/// Sums of a turn that are below this share of what is summed are rounding.
const ROUNDING: f64 = 1e-12;

impl Phase {
    fn new(n_instruments: usize) -> Phase {
        let angle = |k: u32, n: u32| f64::from(k) * TAU / f64::from(n);
        let turn = |n: u32| (0..n).map(move |k| [libm::sin(angle(k, n)), libm::cos(angle(k, n))]);
        Phase {
            cycle: Cycle::new(n_instruments, LATE, LONGEST),
            degrees: vec![0.0; n_instruments],
            turns: (1..=LONGEST).flat_map(turn).collect(),
        }
    }

    fn step(&mut self, i: usize, x: f64) -> Option<Angle> {
        let pointer = self.cycle.step(i, x)?;
        let steps = steps(pointer.period);
        let from = (steps * steps.saturating_sub(1) / 2) as usize;
        let (mut real, mut imaginary, mut size) = (0.0, 0.0, 0.0);
        for ([sin, cos], x) in self.turns[from..].iter().zip(self.cycle.smooth(i, steps)) {
            real += sin * x;
            imaginary += cos * x;
            size += x.abs();
        }
        let turns = real.abs() + imaginary.abs() > ROUNDING * size;
        if !turns {
            (real, imaginary) = (0.0, 0.0);
        }
        let before = self.degrees[i];
        let mut degrees = if imaginary != 0.0 {
            libm::atan(real / imaginary) * DEGREES
        } else if real < 0.0 {
            before - 90.0
        } else if real > 0.0 {
            before + 90.0
        } else {
            before
        };
        // The weighted mean lags by a bar.
        degrees += 90.0;
        degrees += 360.0 / pointer.period;
        if imaginary < 0.0 {
            degrees += 180.0;
        }
        if degrees > 315.0 {
            degrees -= 360.0;
        }
        self.degrees[i] = degrees;
        Some(Angle { bars: pointer.bars, degrees, period: pointer.period, steps, turns })
    }
}

/// Whole bars of a period.
fn steps(period: f64) -> u32 {
    ((period + 0.5) as u32).min(LONGEST)
}

/// Sines of a phase in degrees, and of one 45 degrees ahead.
fn sines(degrees: f64) -> [f64; 2] {
    [libm::sin(degrees * (1.0 / DEGREES)), libm::sin((degrees + 45.0) * (1.0 / DEGREES))]
}

/// Phase of the dominant cycle.
///
/// - Shape: one value a bar; none before bar 63, nor while the price has stood still for a whole cycle (TA-Lib shows the
///   angle of rounding errors there).
/// - Units: degrees, −45 to 315.
/// - Source: Ehlers, Rocket Science for Traders (2001), chapter 9; TA-Lib 0.8 `TA_HT_DCPHASE`.
#[derive(Clone, Debug)]
pub struct HilbertPhase(Phase);

impl HilbertPhase {
    /// A kernel without data. Holds 117 values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<HilbertPhase, 1> {
        Columns::of(HilbertPhase(Phase::new(n_instruments)), n_instruments)
    }
}

impl Study<1> for HilbertPhase {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let angle = self.0.step(i, bar.close).filter(|angle| angle.bars > LONG).ok_or(Status::WarmUp)?;
        if angle.turns { Ok([angle.degrees]) } else { Err(Status::NotApplicable) }
    }

    state!(0);
}

/// Sines of the phase and of one 45 degrees ahead, whose crossings foretell turns of a cycle: lines sine, lead.
///
/// - Shape: as [`HilbertPhase`]. Range: −1 to 1.
/// - Source: Ehlers, Rocket Science for Traders (2001), chapter 9; TA-Lib 0.8 `TA_HT_SINE`.
#[derive(Clone, Debug)]
pub struct HilbertSine(Phase);

impl HilbertSine {
    /// A kernel without data. Holds 117 values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<HilbertSine, 2> {
        Columns::of(HilbertSine(Phase::new(n_instruments)), n_instruments)
    }
}

impl Study<2> for HilbertSine {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 2], Status> {
        let angle = self.0.step(i, bar.close).filter(|angle| angle.bars > LONG).ok_or(Status::WarmUp)?;
        if angle.turns { Ok(sines(angle.degrees)) } else { Err(Status::NotApplicable) }
    }

    state!(0);
}

/// Means over one cycle of prices, smoothed by the weights 4, 3, 2, 1.
#[derive(Clone, Debug)]
struct Means([Vec<f64>; 3]);

impl Part for Means {
    state!(0);
}

impl Means {
    fn new(n_instruments: usize) -> Means {
        Means(std::array::from_fn(|_| vec![0.0; n_instruments]))
    }

    fn step(&mut self, i: usize, cycle: &Cycle, steps: u32) -> f64 {
        let sum = cycle.prices(i, steps).fold(0.0, |sum, x| sum + x);
        let mean = if steps > 0 { sum / f64::from(steps) } else { sum };
        let [a, b, c] = self.0.each_mut().map(|m| &mut m[i]);
        let line = (4.0 * mean + 3.0 * *a + 2.0 * *b + *c) / 10.0;
        (*a, *b, *c) = (mean, *a, *b);
        line
    }
}

/// The instantaneous trendline: the mean price over one dominant cycle, smoothed by the weights 4, 3, 2, 1, so that the cycle
/// itself is gone.
///
/// - Shape: one value a bar; none before bar 63. Units: those of the prices.
/// - Source: Ehlers, Rocket Science for Traders (2001), chapter 10; TA-Lib 0.8 `TA_HT_TRENDLINE`.
#[derive(Clone, Debug)]
pub struct HilbertTrendline {
    cycle: Cycle,
    means: Means,
}

impl HilbertTrendline {
    /// A kernel without data. Holds 119 values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<HilbertTrendline, 1> {
        let cycle = Cycle::new(n_instruments, LATE, LONGEST);
        Columns::of(HilbertTrendline { cycle, means: Means::new(n_instruments) }, n_instruments)
    }
}

impl Study<1> for HilbertTrendline {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let pointer = self.cycle.step(i, bar.close).ok_or(Status::WarmUp)?;
        let line = self.means.step(i, &self.cycle, steps(pointer.period));
        if pointer.bars > LONG { Ok([line]) } else { Err(Status::WarmUp) }
    }

    state!(cycle, means);
}

/// Whether the price trends (1) or cycles (0). It cycles for half a period from a crossing of the two sines on, and while the
/// phase advances by 0.67 to 1.5 times its even pace; yet it trends where the smoothed price is 1.5 % or more away from the
/// trendline.
///
/// - Shape: as [`HilbertPhase`]. Range: 0 or 1.
/// - Source: Ehlers, Rocket Science for Traders (2001), chapter 11; TA-Lib 0.8 `TA_HT_TRENDMODE`.
#[derive(Clone, Debug)]
pub struct HilbertTrendMode {
    phase: Phase,
    means: Means,
    sine: Vec<f64>,
    lead: Vec<f64>,
    /// Bars since the sines crossed.
    since: Vec<f64>,
}

impl HilbertTrendMode {
    /// A kernel without data. Holds 123 values an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<HilbertTrendMode, 1> {
        let zeros = || vec![0.0; n_instruments];
        let (phase, means) = (Phase::new(n_instruments), Means::new(n_instruments));
        Columns::of(HilbertTrendMode { phase, means, sine: zeros(), lead: zeros(), since: zeros() }, n_instruments)
    }
}

impl Study<1> for HilbertTrendMode {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let before = self.phase.degrees[i];
        let angle = self.phase.step(i, bar.close).ok_or(Status::WarmUp)?;
        let line = self.means.step(i, &self.phase.cycle, angle.steps);
        let [sine, lead] = sines(angle.degrees);
        let (sine_before, lead_before) = (self.sine[i], self.lead[i]);
        (self.sine[i], self.lead[i]) = (sine, lead);
        let crossed = (sine > lead && sine_before <= lead_before) || (sine < lead && sine_before >= lead_before);
        self.since[i] = if crossed { 1.0 } else { self.since[i] + 1.0 };
        let (turned, pace) = (angle.degrees - before, 360.0 / angle.period);
        let cycles = crossed || self.since[i] < 0.5 * angle.period || (turned > 0.67 * pace && turned < 1.5 * pace);
        let smooth = self.phase.cycle.smooth(i, 1).next().unwrap_or(line);
        let away = line != 0.0 && ((smooth - line) / line).abs() >= 0.015;
        match angle {
            Angle { bars: ..=LONG, .. } => Err(Status::WarmUp),
            Angle { turns: false, .. } => Err(Status::NotApplicable),
            _ => Ok([if away || !cycles { 1.0 } else { 0.0 }]),
        }
    }

    state!(phase, means, sine, lead, since);
}
