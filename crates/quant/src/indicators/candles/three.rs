//! Patterns of three bars.

use super::{Candles, EQUAL, FAR, LONG_SHADOW, NEAR, SHORT_SHADOW, mark};

/// `CDL2CROWS`: after a long white body a black one above it, and a black one that opens in that and closes in the first.
pub(in crate::indicators) fn two_crows(c: Candles<'_>) -> i32 {
    let is = c.is_white(2)
        && c.is_long(2)
        && c.is_black(1)
        && c.body_above(1, 2)
        && c.is_black(0)
        && c.open(0) < c.open(1)
        && c.open(0) > c.close(1)
        && c.close(0) > c.open(2)
        && c.close(0) < c.close(2);
    mark(-1, is)
}

/// `CDLUPSIDEGAP2CROWS`: … and a black one around the second that closes above the first.
pub(in crate::indicators) fn upside_gap_two_crows(c: Candles<'_>) -> i32 {
    let is = c.is_white(2)
        && c.is_long(2)
        && c.is_black(1)
        && c.is_small(1)
        && c.body_above(1, 2)
        && c.is_black(0)
        && c.open(0) > c.open(1)
        && c.close(0) < c.close(1)
        && c.close(0) > c.close(2);
    mark(-1, is)
}

/// `CDL3BLACKCROWS`: after a white bar three black bodies, each opening in the one before and closing at its low.
pub(in crate::indicators) fn three_black_crows(c: Candles<'_>) -> i32 {
    let is = c.is_white(3)
        && (0..3).all(|b| c.is_black(b) && c.is_bare_below(b))
        && (0..2).all(|b| c.open(b) < c.open(b + 1) && c.open(b) > c.close(b + 1))
        && c.high(3) > c.close(2)
        && (0..2).all(|b| c.close(b + 1) > c.close(b));
    mark(-1, is)
}

/// `CDLIDENTICAL3CROWS`: three black bodies that fall, each opening at the close before and closing at its low.
pub(in crate::indicators) fn identical_three_crows(c: Candles<'_>) -> i32 {
    let is = (0..3).all(|b| c.is_black(b) && c.is_bare_below(b))
        && (0..2).all(|b| c.close(b + 1) > c.close(b) && c.same(EQUAL, b + 1, c.open(b), c.close(b + 1)));
    mark(-1, is)
}

/// `CDL3INSIDE`: a harami whose third bar closes beyond the first body's open.
pub(in crate::indicators) fn three_inside(c: Candles<'_>) -> i32 {
    let out =
        if c.is_white(2) { c.is_black(0) && c.close(0) < c.open(2) } else { c.is_white(0) && c.close(0) > c.open(2) };
    let is = c.is_long(2) && c.is_small(1) && c.top(1) < c.top(2) && c.bottom(1) > c.bottom(2) && out;
    mark(-c.color(2), is)
}

/// `CDL3OUTSIDE`: an engulfing that the third bar's close goes on with.
pub(in crate::indicators) fn three_outside(c: Candles<'_>) -> i32 {
    let around = c.color(1) == -c.color(2) && c.top(1) > c.top(2) && c.bottom(1) < c.bottom(2);
    let on = if c.is_white(1) { c.close(0) > c.close(1) } else { c.close(0) < c.close(1) };
    mark(c.color(1), around && on)
}

/// `CDL3STARSINSOUTH`: three ever smaller black bodies with ever higher lows.
pub(in crate::indicators) fn three_stars_in_south(c: Candles<'_>) -> i32 {
    let is = (0..3).all(|b| c.is_black(b))
        && c.is_long(2)
        && c.lower(2) > c.limit(LONG_SHADOW, 2)
        && c.body(1) < c.body(2)
        && c.open(1) > c.close(2)
        && c.open(1) <= c.high(2)
        && c.low(1) < c.close(2)
        && c.low(1) >= c.low(2)
        && c.lower(1) > c.limit(super::VERY_SHORT_SHADOW, 1)
        && c.is_short(0)
        && c.is_bare_below(0)
        && c.is_bare_above(0)
        && c.low(0) > c.low(1)
        && c.high(0) < c.high(1);
    mark(1, is)
}

/// Three white bars with rising closes.
fn rises(c: Candles<'_>) -> bool {
    (0..3).all(|b| c.is_white(b)) && (0..2).all(|b| c.close(b) > c.close(b + 1))
}

/// True if bar `b` opens in the white body before or just above it.
fn opens_on(c: Candles<'_>, b: u32) -> bool {
    c.open(b) > c.open(b + 1) && c.open(b) <= c.close(b + 1) + c.limit(NEAR, b + 1)
}

/// `CDL3WHITESOLDIERS`: three white bodies that rise without shadows above and without growing much shorter.
pub(in crate::indicators) fn three_white_soldiers(c: Candles<'_>) -> i32 {
    let is = rises(c)
        && opens_on(c, 1)
        && opens_on(c, 0)
        && (0..3).all(|b| c.is_bare_above(b))
        && (0..2).all(|b| c.body(b) > c.body(b + 1) - c.limit(FAR, b + 1))
        && c.body(0) > c.limit(super::SHORT_BODY, 0);
    mark(1, is)
}

/// `CDLADVANCEBLOCK`: three white bodies that rise ever less.
pub(in crate::indicators) fn advance_block(c: Candles<'_>) -> i32 {
    let shrinks = || c.body(0) < c.body(1);
    let weakens = || {
        (c.body(1) < c.body(2) - c.limit(FAR, 2) && c.body(0) < c.body(1) + c.limit(NEAR, 1))
            || c.body(0) < c.body(1) - c.limit(FAR, 1)
            || (shrinks()
                && c.body(1) < c.body(2)
                && (c.upper(0) > c.limit(SHORT_SHADOW, 0) || c.upper(1) > c.limit(SHORT_SHADOW, 1)))
            || (shrinks() && c.upper(0) > c.limit(LONG_SHADOW, 0))
    };
    let is = rises(c) && opens_on(c, 1) && opens_on(c, 0);
    mark(-1, is && c.is_long(2) && c.upper(2) < c.limit(SHORT_SHADOW, 2) && weakens())
}

/// `CDLSTALLEDPATTERN`: two long white bodies, and a short one that stays near the last close.
pub(in crate::indicators) fn stalled_pattern(c: Candles<'_>) -> i32 {
    let is = rises(c)
        && opens_on(c, 1)
        && c.is_long(2)
        && c.is_long(1)
        && c.is_bare_above(1)
        && c.is_short(0)
        && c.open(0) >= c.close(1) - c.body(0) - c.limit(NEAR, 1);
    mark(-1, is)
}

/// A long body of a colour, and a body beyond it.
fn is_star(c: Candles<'_>, white: bool) -> bool {
    c.is_white(2) == white && c.is_long(2) && if white { c.body_above(1, 2) } else { c.body_below(1, 2) }
}

/// A body of the other colour than the first that is not short and closes deep in the first.
fn turns_back(c: Candles<'_>) -> bool {
    c.color(0) == -c.color(2) && c.body(0) > c.limit(super::SHORT_BODY, 0) && c.closes_into(0, 2, c.penetration)
}

/// `CDLEVENINGSTAR`: after a long white body a small one above it, and a black one that closes deep in the first.
pub(in crate::indicators) fn evening_star(c: Candles<'_>) -> i32 {
    mark(-1, is_star(c, true) && c.is_small(1) && turns_back(c))
}

/// `CDLEVENINGDOJISTAR`: an evening star whose star is a doji.
pub(in crate::indicators) fn evening_doji_star(c: Candles<'_>) -> i32 {
    mark(-1, is_star(c, true) && c.is_doji(1) && turns_back(c))
}

/// `CDLMORNINGSTAR`: after a long black body a small one below it, and a white one that closes deep in the first.
pub(in crate::indicators) fn morning_star(c: Candles<'_>) -> i32 {
    mark(1, is_star(c, false) && c.is_small(1) && turns_back(c))
}

/// `CDLMORNINGDOJISTAR`: a morning star whose star is a doji.
pub(in crate::indicators) fn morning_doji_star(c: Candles<'_>) -> i32 {
    mark(1, is_star(c, false) && c.is_doji(1) && turns_back(c))
}

/// `CDLABANDONEDBABY`: a doji star with gaps between its range and those on both sides.
pub(in crate::indicators) fn abandoned_baby(c: Candles<'_>) -> i32 {
    let alone = || match c.is_white(2) {
        true => c.range_above(1, 2) && c.range_below(0, 1),
        false => c.range_below(1, 2) && c.range_above(0, 1),
    };
    mark(c.color(0), c.is_long(2) && c.is_doji(1) && turns_back(c) && alone())
}

/// `CDLTRISTAR`: three doji, the middle one beyond the others.
pub(in crate::indicators) fn tristar(c: Candles<'_>) -> i32 {
    let limit = c.limit(super::DOJI_BODY, 2);
    if !(0..3).all(|b| c.body(b) <= limit) {
        return 0;
    }
    mark(-1, c.body_above(1, 2) && c.top(0) < c.top(1)) + mark(1, c.body_below(1, 2) && c.bottom(0) > c.bottom(1))
}

/// `CDLGAPSIDESIDEWHITE`: two white bodies of one size and open, beside each other beyond the first.
pub(in crate::indicators) fn gap_side_side_white(c: Candles<'_>) -> i32 {
    let (up, down) = (c.body_above(1, 2) && c.body_above(0, 2), c.body_below(1, 2) && c.body_below(0, 2));
    let is = (up || down)
        && c.is_white(1)
        && c.is_white(0)
        && c.same(NEAR, 1, c.body(0), c.body(1))
        && c.same(EQUAL, 1, c.open(0), c.open(1));
    mark(if up { 1 } else { -1 }, is)
}

/// `CDLTASUKIGAP`: a gap between two bodies, and a third of the other colour that reaches into it but does not fill it.
pub(in crate::indicators) fn tasuki_gap(c: Candles<'_>) -> i32 {
    let is = match c.is_white(1) {
        true => c.body_above(1, 2) && c.is_black(0) && c.close(0) < c.open(1) && c.close(0) > c.top(2),
        false => c.body_below(1, 2) && c.is_white(0) && c.close(0) > c.open(1) && c.close(0) < c.bottom(2),
    };
    let opens_inside = c.open(0) < c.top(1) && c.open(0) > c.bottom(1);
    mark(c.color(1), is && opens_inside && (c.body(1) - c.body(0)).abs() < c.limit(NEAR, 1))
}

/// `CDLXSIDEGAP3METHODS`: a gap between two bodies of one colour, and a third of the other that fills it.
pub(in crate::indicators) fn gap_three_methods(c: Candles<'_>) -> i32 {
    let is = c.color(2) == c.color(1)
        && c.color(1) == -c.color(0)
        && c.open(0) < c.top(1)
        && c.open(0) > c.bottom(1)
        && c.close(0) < c.top(2)
        && c.close(0) > c.bottom(2)
        && if c.is_white(2) { c.body_above(1, 2) } else { c.body_below(1, 2) };
    mark(c.color(2), is)
}

/// `CDLSTICKSANDWICH`: two black bodies that close alike around a white one above that close.
pub(in crate::indicators) fn stick_sandwich(c: Candles<'_>) -> i32 {
    let is = c.is_black(2)
        && c.is_white(1)
        && c.is_black(0)
        && c.low(1) > c.close(2)
        && c.same(EQUAL, 2, c.close(0), c.close(2));
    mark(1, is)
}

/// `CDLUNIQUE3RIVER`: after a long black body a black one inside it with a lower low, and a short white one above that low.
pub(in crate::indicators) fn unique_three_river(c: Candles<'_>) -> i32 {
    let is = c.is_long(2)
        && c.is_black(2)
        && c.is_black(1)
        && c.close(1) > c.close(2)
        && c.open(1) <= c.open(2)
        && c.low(1) < c.low(2)
        && c.is_short(0)
        && c.is_white(0)
        && c.open(0) > c.low(1);
    mark(1, is)
}
