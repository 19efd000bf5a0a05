//! Patterns of a single bar, and of one bar beside the place of the bar before.

use super::{Candles, LONG_SHADOW, NEAR, SHORT_SHADOW, VERY_LONG_SHADOW, mark};

/// `CDLBELTHOLD`: a long body that opens at its edge.
pub(in crate::indicators) fn belt_hold(c: Candles<'_>) -> i32 {
    mark(c.color(0), c.is_long(0) && c.opens_at_the_edge(0))
}

/// `CDLCLOSINGMARUBOZU`: a long body that closes at its edge.
pub(in crate::indicators) fn closing_marubozu(c: Candles<'_>) -> i32 {
    mark(c.color(0), c.is_long(0) && c.closes_at_the_edge(0))
}

/// `CDLDOJI`: open and close are one.
pub(in crate::indicators) fn doji(c: Candles<'_>) -> i32 {
    mark(1, c.is_doji(0))
}

/// `CDLDRAGONFLYDOJI`: a doji with a shadow below alone.
pub(in crate::indicators) fn dragonfly_doji(c: Candles<'_>) -> i32 {
    mark(1, c.is_doji(0) && c.is_bare_above(0) && c.lower(0) > c.limit(super::VERY_SHORT_SHADOW, 0))
}

/// `CDLGRAVESTONEDOJI`: a doji with a shadow above alone.
pub(in crate::indicators) fn gravestone_doji(c: Candles<'_>) -> i32 {
    mark(1, c.is_doji(0) && c.is_bare_below(0) && c.upper(0) > c.limit(super::VERY_SHORT_SHADOW, 0))
}

/// A short body on a long shadow.
fn is_hammer(c: Candles<'_>) -> bool {
    c.is_short(0) && c.lower(0) > c.limit(LONG_SHADOW, 0) && c.is_bare_above(0)
}

/// A short body under a long shadow.
fn is_turned_hammer(c: Candles<'_>) -> bool {
    c.is_short(0) && c.upper(0) > c.limit(LONG_SHADOW, 0) && c.is_bare_below(0)
}

/// `CDLHAMMER`: a hammer near or below the low before.
pub(in crate::indicators) fn hammer(c: Candles<'_>) -> i32 {
    mark(1, is_hammer(c) && c.bottom(0) <= c.low(1) + c.limit(NEAR, 1))
}

/// `CDLHANGINGMAN`: a hammer near or above the high before.
pub(in crate::indicators) fn hanging_man(c: Candles<'_>) -> i32 {
    mark(-1, is_hammer(c) && c.bottom(0) >= c.high(1) - c.limit(NEAR, 1))
}

/// `CDLHIGHWAVE`: a short body between two very long shadows.
pub(in crate::indicators) fn high_wave(c: Candles<'_>) -> i32 {
    let limit = c.limit(VERY_LONG_SHADOW, 0);
    mark(c.color(0), c.is_short(0) && c.upper(0) > limit && c.lower(0) > limit)
}

/// `CDLINVERTEDHAMMER`: a turned hammer whose body lies below the one before.
pub(in crate::indicators) fn inverted_hammer(c: Candles<'_>) -> i32 {
    mark(1, is_turned_hammer(c) && c.body_below(0, 1))
}

/// `CDLLONGLEGGEDDOJI`: a doji with a long shadow.
pub(in crate::indicators) fn long_legged_doji(c: Candles<'_>) -> i32 {
    let limit = c.limit(LONG_SHADOW, 0);
    mark(1, c.is_doji(0) && (c.lower(0) > limit || c.upper(0) > limit))
}

/// `CDLLONGLINE`: a long body between short shadows.
pub(in crate::indicators) fn long_line(c: Candles<'_>) -> i32 {
    mark(c.color(0), c.is_long(0) && has_short_shadows(c))
}

/// `CDLMARUBOZU`: a long body almost without shadows.
pub(in crate::indicators) fn marubozu(c: Candles<'_>) -> i32 {
    mark(c.color(0), c.is_long(0) && c.is_bare_above(0) && c.is_bare_below(0))
}

/// `CDLRICKSHAWMAN`: a long-legged doji with the body in the middle.
pub(in crate::indicators) fn rickshaw_man(c: Candles<'_>) -> i32 {
    let (limit, near) = (c.limit(LONG_SHADOW, 0), c.limit(NEAR, 0));
    let middle = c.low(0) + c.range(0) / 2.0;
    let legs = c.lower(0) > limit && c.upper(0) > limit;
    mark(1, c.is_doji(0) && legs && c.bottom(0) <= middle + near && c.top(0) >= middle - near)
}

/// `CDLSHOOTINGSTAR`: a turned hammer whose body lies above the one before.
pub(in crate::indicators) fn shooting_star(c: Candles<'_>) -> i32 {
    mark(-1, is_turned_hammer(c) && c.body_above(0, 1))
}

/// `CDLSHORTLINE`: a short body between short shadows.
pub(in crate::indicators) fn short_line(c: Candles<'_>) -> i32 {
    mark(c.color(0), c.is_short(0) && has_short_shadows(c))
}

/// `CDLSPINNINGTOP`: a short body between shadows that are longer.
pub(in crate::indicators) fn spinning_top(c: Candles<'_>) -> i32 {
    mark(c.color(0), c.is_short(0) && c.upper(0) > c.body(0) && c.lower(0) > c.body(0))
}

/// `CDLTAKURI`: a dragonfly doji whose shadow is very long.
pub(in crate::indicators) fn takuri(c: Candles<'_>) -> i32 {
    mark(1, c.is_doji(0) && c.is_bare_above(0) && c.lower(0) > c.limit(VERY_LONG_SHADOW, 0))
}

fn has_short_shadows(c: Candles<'_>) -> bool {
    let limit = c.limit(SHORT_SHADOW, 0);
    c.upper(0) < limit && c.lower(0) < limit
}
