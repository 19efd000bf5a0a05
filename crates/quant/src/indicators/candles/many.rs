//! Patterns of four and five bars, and the hikkake, which a later bar confirms.

use super::{Candles, NEAR, mark};

/// `CDL3LINESTRIKE`: three bars of one colour that go on, and one of the other that takes all of it back.
pub(in crate::indicators) fn three_line_strike(c: Candles<'_>) -> i32 {
    let opens_near = |b: u32| {
        let near = c.limit(NEAR, b + 1);
        c.open(b) >= c.bottom(b + 1) - near && c.open(b) <= c.top(b + 1) + near
    };
    let strikes = || match c.color(1) {
        1 => c.close(1) > c.close(2) && c.close(2) > c.close(3) && c.open(0) > c.close(1) && c.close(0) < c.open(3),
        _ => c.close(1) < c.close(2) && c.close(2) < c.close(3) && c.open(0) < c.close(1) && c.close(0) > c.open(3),
    };
    let colors = (1..4).all(|b| c.color(b) == c.color(1)) && c.color(0) == -c.color(1);
    mark(c.color(1), colors && opens_near(2) && opens_near(1) && strikes())
}

/// `CDLCONCEALBABYSWALL`: two black marubozu, a black bar below them that reaches back up, and a black one around it.
pub(in crate::indicators) fn concealing_baby_swallow(c: Candles<'_>) -> i32 {
    let is = (0..4).all(|b| c.is_black(b))
        && (2..4).all(|b| c.is_bare_below(b) && c.is_bare_above(b))
        && c.body_below(1, 2)
        && c.upper(1) > c.limit(super::VERY_SHORT_SHADOW, 1)
        && c.high(1) > c.close(2)
        && c.high(0) > c.high(1)
        && c.low(0) < c.low(1);
    mark(1, is)
}

/// `CDLBREAKAWAY`: a gap after a long body, two more bars beyond, and one back that closes in the gap.
pub(in crate::indicators) fn breakaway(c: Candles<'_>) -> i32 {
    let goes_on = |b: u32| match c.is_black(4) {
        true => c.high(b) < c.high(b + 1) && c.low(b) < c.low(b + 1),
        false => c.high(b) > c.high(b + 1) && c.low(b) > c.low(b + 1),
    };
    let closes_in_the_gap = || match c.is_black(4) {
        true => c.body_below(3, 4) && c.close(0) > c.open(3) && c.close(0) < c.close(4),
        false => c.body_above(3, 4) && c.close(0) < c.open(3) && c.close(0) > c.close(4),
    };
    let is = c.is_long(4)
        && c.color(4) == c.color(3)
        && c.color(3) == c.color(1)
        && c.color(1) == -c.color(0)
        && goes_on(2)
        && goes_on(1)
        && closes_in_the_gap();
    mark(c.color(0), is)
}

/// `CDLLADDERBOTTOM`: three black bars that step down, a fourth with a shadow above, and a white one over its high.
pub(in crate::indicators) fn ladder_bottom(c: Candles<'_>) -> i32 {
    let is = (1..5).all(|b| c.is_black(b))
        && (2..4).all(|b| c.open(b + 1) > c.open(b) && c.close(b + 1) > c.close(b))
        && c.upper(1) > c.limit(super::VERY_SHORT_SHADOW, 1)
        && c.is_white(0)
        && c.open(0) > c.open(1)
        && c.close(0) > c.high(1);
    mark(1, is)
}

/// `CDLMATHOLD`: after a long white body three short ones that fall into it but not deep, and a white bar over them all.
pub(in crate::indicators) fn mat_hold(c: Candles<'_>) -> i32 {
    let floor = c.close(4) - c.body(4) * c.penetration;
    let is = c.is_long(4)
        && (1..4).all(|b| c.is_short(b))
        && c.is_white(4)
        && c.is_black(3)
        && c.is_white(0)
        && c.body_above(3, 4)
        && (1..3).all(|b| c.bottom(b) < c.close(4) && c.bottom(b) > floor)
        && c.top(2) < c.open(3)
        && c.top(1) < c.top(2)
        && c.open(0) > c.close(1)
        && (1..4).all(|b| c.close(0) > c.high(b));
    mark(1, is)
}

/// `CDLRISEFALL3METHODS`: a long body, three short ones of the other colour in its range, and a long one that goes on.
pub(in crate::indicators) fn rise_fall_three_methods(c: Candles<'_>) -> i32 {
    let sign = f64::from(c.color(4));
    let after = |x: f64, y: f64| x * sign > y * sign;
    let is = c.is_long(4)
        && (1..4).all(|b| c.is_short(b))
        && c.is_long(0)
        && c.color(4) == -c.color(3)
        && c.color(3) == c.color(2)
        && c.color(2) == c.color(1)
        && c.color(1) == -c.color(0)
        && (1..4).all(|b| c.bottom(b) < c.high(4) && c.top(b) > c.low(4))
        && after(c.close(3), c.close(2))
        && after(c.close(2), c.close(1))
        && after(c.open(0), c.close(1))
        && after(c.close(0), c.close(4));
    mark(c.color(4), is)
}

/// `CDLHIKKAKE`: an inside bar that the next one breaks out of; the trade is against the break.
pub(in crate::indicators) fn hikkake(c: Candles<'_>) -> i32 {
    confirmed(c, |c| {
        let inside = c.high(1) < c.high(2) && c.low(1) > c.low(2);
        mark(1, inside && breaks_down(c)) + mark(-1, inside && breaks_up(c))
    })
}

/// `CDLHIKKAKEMOD`: two inside bars, of which the first closes at the end that the break leaves.
pub(in crate::indicators) fn hikkake_modified(c: Candles<'_>) -> i32 {
    confirmed(c, |c| {
        let inside = (1..3).all(|b| c.high(b) < c.high(b + 1) && c.low(b) > c.low(b + 1));
        let low = || c.close(2) <= c.low(2) + c.limit(NEAR, 2);
        let high = || c.close(2) >= c.high(2) - c.limit(NEAR, 2);
        mark(1, inside && breaks_down(c) && low()) + mark(-1, inside && breaks_up(c) && high())
    })
}

fn breaks_down(c: Candles<'_>) -> bool {
    c.high(0) < c.high(1) && c.low(0) < c.low(1)
}

fn breaks_up(c: Candles<'_>) -> bool {
    c.high(0) > c.high(1) && c.low(0) > c.low(1)
}

/// The pattern of this bar, or twice that of one of the three before if this close is the first beyond the inside bar.
fn confirmed(c: Candles<'_>, pattern: fn(Candles<'_>) -> i32) -> i32 {
    let now = pattern(c);
    if now != 0 {
        return now;
    }
    let Some((b, before)) = (1..4).map(|b| (b, pattern(c.before(b)))).find(|(_, p)| *p != 0) else { return 0 };
    let beyond = |at: u32| match before > 0 {
        true => c.close(at) > c.high(b + 1),
        false => c.close(at) < c.low(b + 1),
    };
    if beyond(0) && !(1..b).any(beyond) { 2 * before } else { 0 }
}
