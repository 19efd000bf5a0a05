//! Candlestick patterns: what the last one to five bars look like beside the ones before them.

pub(super) mod many;
pub(super) mod one;
pub(super) mod three;
pub(super) mod two;

use super::parts::{Window, state};
use super::{Bar, Columns, Inputs, Status, Study};

/// A candlestick pattern: `candle_…` in [`INDICATORS`](super::INDICATORS), each the TA-Lib function of its name
/// (`candle_three_black_crows` is `CDL3BLACKCROWS`).
///
/// What is long, short, near or equal is measured by the bars before, with TA-Lib's own settings: the mean over the last
/// `bars` bars before the one that is judged, of its body (distance of open and close), its range (high − low) or its
/// shadows (half of what of the range is not body), times a factor; with 0 bars, of the bar that is judged itself.
///
/// | measure | of | bars | factor |
/// |---|---|---|---|
/// | long body, short body | body | 10 | 1 |
/// | doji body | range | 10 | 0.1 |
/// | long shadow | body | 0 | 1 |
/// | very long shadow | body | 0 | 2 |
/// | short shadow | shadows | 10 | 1 |
/// | very short shadow | range | 10 | 0.1 |
/// | near, far, equal | range | 5 | 0.2, 0.6, 0.05 |
///
/// - Shape: one value a bar, from the bar on at which TA-Lib has its first: 100 for a bullish pattern, −100 for a bearish
///   one, 80 and −80 where an engulfing or a harami touches the edge of the other body, 200 and −200 at the bar that
///   confirms a hikkake, 0 for none. The sign is TA-Lib's also where the pattern itself has no direction (doji: 100).
/// - Parameter: `penetration`, by what part of the first body the last close must be inside it (0.5 for a dark cloud cover
///   and a mat hold, 0.3 for stars and an abandoned baby).
/// - A value depends on the bars of its pattern and measures alone. TA-Lib carries its sums from the first bar on, so that
///   where a length equals its measure exactly, rounding may decide otherwise there.
/// - Source: TA-Lib 0.8 `TA_CDL…`, after Morris, Candlestick Charting Explained (1995), and Nison, Japanese Candlestick
///   Charting Techniques (1991); hikkake: Chesler, Active Trader (April 2004).
#[derive(Clone, Debug)]
pub struct Candle {
    rule: fn(Candles<'_>) -> i32,
    penetration: f64,
    /// Open, high, low and close of an instrument stand side by side.
    bars: Window,
}

impl Candle {
    /// A kernel without data. The first value comes after `before` bars, which with the last one are what `rule` sees.
    pub(super) fn columns(
        n_instruments: usize,
        before: u32,
        penetration: f64,
        rule: fn(Candles<'_>) -> i32,
    ) -> Columns<Candle, 1> {
        let bars = Window::new(4 * n_instruments, before + 1);
        Columns::of(Candle { rule, penetration, bars }, n_instruments)
    }
}

impl Study<1> for Candle {
    const INPUTS: Inputs = Inputs::OPEN.and(Inputs::RANGE);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let first = 4 * i;
        for (field, x) in [bar.open, bar.high, bar.low, bar.close].into_iter().enumerate() {
            self.bars.push(first + field, x);
        }
        if !self.bars.is_full(first) {
            return Err(Status::WarmUp);
        }
        let candles = Candles { bars: &self.bars, first, back: 0, penetration: self.penetration };
        Ok([f64::from((self.rule)(candles))])
    }

    state!(penetration, bars);
}

/// What a measure averages.
#[derive(Clone, Copy, Debug)]
enum Of {
    Body,
    Range,
    Shadows,
}

/// A measure of the bars before one.
#[derive(Clone, Copy, Debug)]
struct Measure {
    of: Of,
    bars: u32,
    factor: f64,
}

const LONG_BODY: Measure = Measure { of: Of::Body, bars: 10, factor: 1.0 };
const SHORT_BODY: Measure = LONG_BODY;
const DOJI_BODY: Measure = Measure { of: Of::Range, bars: 10, factor: 0.1 };
const LONG_SHADOW: Measure = Measure { of: Of::Body, bars: 0, factor: 1.0 };
const VERY_LONG_SHADOW: Measure = Measure { of: Of::Body, bars: 0, factor: 2.0 };
const SHORT_SHADOW: Measure = Measure { of: Of::Shadows, bars: 10, factor: 1.0 };
const VERY_SHORT_SHADOW: Measure = Measure { of: Of::Range, bars: 10, factor: 0.1 };
const NEAR: Measure = Measure { of: Of::Range, bars: 5, factor: 0.2 };
const FAR: Measure = Measure { of: Of::Range, bars: 5, factor: 0.6 };
const EQUAL: Measure = Measure { of: Of::Range, bars: 5, factor: 0.05 };

/// The last bars of an instrument, counted backwards from the one that is judged, which is 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candles<'a> {
    bars: &'a Window,
    first: usize,
    back: u32,
    penetration: f64,
}

impl<'a> Candles<'a> {
    /// The same as they were `bars` bars ago.
    fn before(self, bars: u32) -> Candles<'a> {
        Candles { back: self.back + bars, ..self }
    }

    fn open(self, b: u32) -> f64 {
        self.bars.back(self.first, self.back + b)
    }

    fn high(self, b: u32) -> f64 {
        self.bars.back(self.first + 1, self.back + b)
    }

    fn low(self, b: u32) -> f64 {
        self.bars.back(self.first + 2, self.back + b)
    }

    fn close(self, b: u32) -> f64 {
        self.bars.back(self.first + 3, self.back + b)
    }

    /// True if the bar did not fall.
    fn is_white(self, b: u32) -> bool {
        self.close(b) >= self.open(b)
    }

    fn is_black(self, b: u32) -> bool {
        !self.is_white(b)
    }

    /// 1 for white, −1 for black.
    fn color(self, b: u32) -> i32 {
        if self.is_white(b) { 1 } else { -1 }
    }

    /// The larger of open and close.
    fn top(self, b: u32) -> f64 {
        if self.is_white(b) { self.close(b) } else { self.open(b) }
    }

    /// The smaller of open and close.
    fn bottom(self, b: u32) -> f64 {
        if self.is_white(b) { self.open(b) } else { self.close(b) }
    }

    fn body(self, b: u32) -> f64 {
        (self.close(b) - self.open(b)).abs()
    }

    fn upper(self, b: u32) -> f64 {
        self.high(b) - self.top(b)
    }

    fn lower(self, b: u32) -> f64 {
        self.bottom(b) - self.low(b)
    }

    fn range(self, b: u32) -> f64 {
        self.high(b) - self.low(b)
    }

    /// The length that bar `b` is measured by.
    fn limit(self, measure: Measure, b: u32) -> f64 {
        let length = |b: u32| match measure.of {
            Of::Body => self.body(b),
            Of::Range => self.range(b),
            Of::Shadows => self.upper(b) + self.lower(b),
        };
        let mean = match measure.bars {
            0 => length(b),
            n => (b + 1..=b + n).rev().fold(0.0, |sum, b| sum + length(b)) / f64::from(n),
        };
        let sides = if matches!(measure.of, Of::Shadows) { 2.0 } else { 1.0 };
        measure.factor * mean / sides
    }

    fn is_long(self, b: u32) -> bool {
        self.body(b) > self.limit(LONG_BODY, b)
    }

    fn is_short(self, b: u32) -> bool {
        self.body(b) < self.limit(SHORT_BODY, b)
    }

    /// Short, or just as long as the mean.
    fn is_small(self, b: u32) -> bool {
        self.body(b) <= self.limit(SHORT_BODY, b)
    }

    fn is_doji(self, b: u32) -> bool {
        self.body(b) <= self.limit(DOJI_BODY, b)
    }

    /// Hardly a shadow above.
    fn is_bare_above(self, b: u32) -> bool {
        self.upper(b) < self.limit(VERY_SHORT_SHADOW, b)
    }

    /// Hardly a shadow below.
    fn is_bare_below(self, b: u32) -> bool {
        self.lower(b) < self.limit(VERY_SHORT_SHADOW, b)
    }

    /// No shadow to speak of on the side that `color` opened from.
    fn opens_at_the_edge(self, b: u32) -> bool {
        if self.is_white(b) { self.is_bare_below(b) } else { self.is_bare_above(b) }
    }

    fn closes_at_the_edge(self, b: u32) -> bool {
        if self.is_white(b) { self.is_bare_above(b) } else { self.is_bare_below(b) }
    }

    /// True if the body of `b` lies above that of the earlier bar `a`.
    fn body_above(self, b: u32, a: u32) -> bool {
        self.bottom(b) > self.top(a)
    }

    fn body_below(self, b: u32, a: u32) -> bool {
        self.top(b) < self.bottom(a)
    }

    /// True if the whole range of `b` lies above that of the earlier bar `a`.
    fn range_above(self, b: u32, a: u32) -> bool {
        self.low(b) > self.high(a)
    }

    fn range_below(self, b: u32, a: u32) -> bool {
        self.high(b) < self.low(a)
    }

    /// True if the close of `b` is inside the body of the bar before by more than `part` of it, seen from its close.
    fn closes_into(self, b: u32, a: u32, part: f64) -> bool {
        let depth = self.body(a) * part;
        if self.is_white(a) { self.close(b) < self.close(a) - depth } else { self.close(b) > self.close(a) + depth }
    }

    /// True if `x` and `y` are within the measure of bar `b`.
    fn same(self, measure: Measure, b: u32, x: f64, y: f64) -> bool {
        let limit = self.limit(measure, b);
        x <= y + limit && x >= y - limit
    }
}

/// 100 with the sign of `color`, or 0.
fn mark(color: i32, is: bool) -> i32 {
    if is { 100 * color } else { 0 }
}
