//! Patterns of two bars.

use super::{Candles, EQUAL, mark};

/// `CDLCOUNTERATTACK`: two long bodies of different colour that close alike.
pub(in crate::indicators) fn counterattack(c: Candles<'_>) -> i32 {
    let is = c.color(1) == -c.color(0) && c.is_long(1) && c.is_long(0) && c.same(EQUAL, 1, c.close(0), c.close(1));
    mark(c.color(0), is)
}

/// `CDLDARKCLOUDCOVER`: after a long white body an open above its high and a close deep in it.
pub(in crate::indicators) fn dark_cloud_cover(c: Candles<'_>) -> i32 {
    let is = c.is_white(1)
        && c.is_long(1)
        && c.is_black(0)
        && c.open(0) > c.high(1)
        && c.close(0) > c.open(1)
        && c.closes_into(0, 1, c.penetration);
    mark(-1, is)
}

/// `CDLDOJISTAR`: after a long body a doji beyond its close.
pub(in crate::indicators) fn doji_star(c: Candles<'_>) -> i32 {
    mark(-c.color(1), c.is_long(1) && c.is_doji(0) && is_beyond(c))
}

/// True if the last body lies beyond the one before, in its direction.
fn is_beyond(c: Candles<'_>) -> bool {
    if c.is_white(1) { c.body_above(0, 1) } else { c.body_below(0, 1) }
}

/// `CDLENGULFING`: a body around one of the other colour; 80 if they share an edge.
pub(in crate::indicators) fn engulfing(c: Candles<'_>) -> i32 {
    let (top, bottom) = (c.top(0), c.bottom(0));
    let around = (top >= c.top(1) && bottom < c.bottom(1)) || (top > c.top(1) && bottom <= c.bottom(1));
    match c.color(0) == -c.color(1) && around {
        false => 0,
        true if top > c.top(1) && bottom < c.bottom(1) => 100 * c.color(0),
        true => 80 * c.color(0),
    }
}

/// `CDLHARAMI`: a small body inside a long one; 80 if they share an edge.
pub(in crate::indicators) fn harami(c: Candles<'_>) -> i32 {
    inside(c, c.is_long(1) && c.is_small(0))
}

/// `CDLHARAMICROSS`: a doji inside a long body; 80 if they share an edge.
pub(in crate::indicators) fn harami_cross(c: Candles<'_>) -> i32 {
    inside(c, c.is_long(1) && c.is_doji(0))
}

fn inside(c: Candles<'_>, is: bool) -> i32 {
    if is && c.top(0) < c.top(1) && c.bottom(0) > c.bottom(1) {
        -100 * c.color(1)
    } else if is && c.top(0) <= c.top(1) && c.bottom(0) >= c.bottom(1) {
        -80 * c.color(1)
    } else {
        0
    }
}

/// `CDLHOMINGPIGEON`: a small black body inside a long black one.
pub(in crate::indicators) fn homing_pigeon(c: Candles<'_>) -> i32 {
    let is = c.is_black(1)
        && c.is_black(0)
        && c.is_long(1)
        && c.is_small(0)
        && c.open(0) < c.open(1)
        && c.close(0) > c.close(1);
    mark(1, is)
}

/// A long black body, and a white one that opens below its low.
fn opens_below(c: Candles<'_>) -> bool {
    c.is_black(1) && c.is_long(1) && c.is_white(0) && c.open(0) < c.low(1)
}

/// `CDLINNECK`: … and closes at or just above its close.
pub(in crate::indicators) fn in_neck(c: Candles<'_>) -> i32 {
    let is = opens_below(c) && c.close(0) <= c.close(1) + c.limit(EQUAL, 1) && c.close(0) >= c.close(1);
    mark(-1, is)
}

/// `CDLONNECK`: … and closes at its low.
pub(in crate::indicators) fn on_neck(c: Candles<'_>) -> i32 {
    mark(-1, opens_below(c) && c.same(EQUAL, 1, c.close(0), c.low(1)))
}

/// `CDLTHRUSTING`: … and closes in its lower half, above the neck.
pub(in crate::indicators) fn thrusting(c: Candles<'_>) -> i32 {
    let is =
        opens_below(c) && c.close(0) > c.close(1) + c.limit(EQUAL, 1) && c.close(0) <= c.close(1) + c.body(1) * 0.5;
    mark(-1, is)
}

/// `CDLPIERCING`: … and, long itself, closes in its upper half.
pub(in crate::indicators) fn piercing(c: Candles<'_>) -> i32 {
    mark(1, opens_below(c) && c.is_long(0) && c.close(0) < c.open(1) && c.closes_into(0, 1, 0.5))
}

/// Two marubozu of different colour with a gap between them in the direction of the second.
fn is_kicking(c: Candles<'_>) -> bool {
    c.color(1) == -c.color(0)
        && (0..2).all(|b| c.is_long(b) && c.is_bare_above(b) && c.is_bare_below(b))
        && if c.is_white(0) { c.range_above(0, 1) } else { c.range_below(0, 1) }
}

/// `CDLKICKING`: signed as the second marubozu.
pub(in crate::indicators) fn kicking(c: Candles<'_>) -> i32 {
    mark(c.color(0), is_kicking(c))
}

/// `CDLKICKINGBYLENGTH`: signed as the longer marubozu.
pub(in crate::indicators) fn kicking_by_length(c: Candles<'_>) -> i32 {
    let longer = if c.body(0) > c.body(1) { 0 } else { 1 };
    mark(c.color(longer), is_kicking(c))
}

/// `CDLMATCHINGLOW`: two black bodies that close alike.
pub(in crate::indicators) fn matching_low(c: Candles<'_>) -> i32 {
    mark(1, c.is_black(1) && c.is_black(0) && c.same(EQUAL, 1, c.close(0), c.close(1)))
}

/// `CDLSEPARATINGLINES`: two bodies of different colour that open alike, the second a belt hold.
pub(in crate::indicators) fn separating_lines(c: Candles<'_>) -> i32 {
    let is =
        c.color(1) == -c.color(0) && c.same(EQUAL, 1, c.open(0), c.open(1)) && c.is_long(0) && c.opens_at_the_edge(0);
    mark(c.color(0), is)
}
