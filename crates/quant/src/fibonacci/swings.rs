//! Swings of a price: its turning points, each with the bar at which it could be known.

use super::Zone;
use crate::indicators::parts::{Part, Window, state};
use crate::indicators::{Atr, Bar, Bars, Columns, Inputs, Study};
use tradegraph_columns::{Status, wide};

/// How far a price must come back from an extreme to make it a turning point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reversal {
    /// Per cent of the extreme's price.
    Percent(f64),
    /// Multiples of the average true range over `n` bars, as it was at the extreme's bar.
    Ranges {
        /// Bars of the average, at least 1.
        n: usize,
        /// How many of it.
        width: f64,
    },
}

/// A turning point as it is seen at a later bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pivot {
    /// The high or the low.
    pub price: f64,
    /// True for a high.
    pub is_high: bool,
    /// Bars of the instrument since.
    pub age: f64,
}

/// A turning point of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swing {
    /// The high or the low.
    pub price: f64,
    /// True for a high.
    pub is_high: bool,
    /// Its bar.
    pub bar: usize,
    /// The bar at which the reversal was reached: the first one that may know of it.
    pub confirmed: usize,
}

/// The turning points of all instruments. Lines: pivot (price of the last one), side (1 for a high, −1 for a low), age
/// (bars since its bar), confirmed (bars since it was confirmed), extreme (price of the running leg's extreme so far).
///
/// While a leg rises its extreme is the highest high; the first later bar whose low is below that high by the reversal
/// confirms it as a turning point, and the leg falls from then on; and the other way round. A bar that goes on with the leg
/// does not end it, whatever its other end: the order of its high and low is not known. At the start both a high and a low
/// are looked for, and if one bar confirms both, it is the low.
///
/// - Shape: one value a bar; none before the first turning point is confirmed; ranges also need their own `n` bars.
/// - Units: pivot and extreme those of the prices, ages in bars of the instrument.
/// - Parameters: `memory` turning points are kept, at least 2.
/// - Source: the zigzag of Merrill, Filtered Waves (1977), which marks extremes when they occur; here, when they are known.
#[derive(Clone, Debug)]
pub struct Swings {
    width: f64,
    /// 0 for per cent.
    range_bars: u32,
    range: Atr,
    /// Bars so far.
    bars: Vec<f64>,
    /// 1 for a leg that rises, −1 for one that falls, 0 at the start.
    leg: Vec<f64>,
    high: Extremes,
    low: Extremes,
    prices: Window,
    at: Window,
    /// Bar at which the last turning point was confirmed.
    confirmed: Vec<f64>,
    /// Of the row that was taken last: average true ranges, and the instruments with a new turning point.
    ranges: Vec<f64>,
    turned: Vec<u32>,
    /// Room for the instruments whose legs end with a row.
    ended: Vec<u32>,
}

/// Instruments that a row takes at once.
pub(super) const TILE: usize = 64;

wide! {
    /// Takes the next bars of all instruments whose legs go on, counts the bars, and lists the instruments whose legs end or
    /// that have none yet, of which nothing else changes: gives how many. `read` has highs, lows, legs and ranges; `up` and
    /// `down` have price, bar and turn of the extremes of legs that rise and of those that fall.
    fn extend_row<'a>(
        read: [&'a [f64]; 4],
        bars: &'a mut [f64],
        up: [&'a mut [f64]; 3],
        down: [&'a mut [f64]; 3],
        width: f64,
        is_range: bool,
        listed: &'a mut [u32],
    ) -> usize {
        let ([high, low, leg, range], [high_price, high_bar, high_turn], [low_price, low_bar, low_turn]) = (read, up, down);
        extend(high, low, leg, range, bars, high_price, high_bar, high_turn, low_price, low_bar, low_turn, width, is_range, listed)
    }
}

/// [`extend_row`] with its columns apart, so that they are known not to overlap.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "columns that are known not to overlap")]
fn extend(
    high: &[f64],
    low: &[f64],
    leg: &[f64],
    range: &[f64],
    bars: &mut [f64],
    high_price: &mut [f64],
    high_bar: &mut [f64],
    high_turn: &mut [f64],
    low_price: &mut [f64],
    low_bar: &mut [f64],
    low_turn: &mut [f64],
    width: f64,
    is_range: bool,
    listed: &mut [u32],
) -> usize {
    let (n, mut n_listed) = (bars.len(), 0);
    for from in (0..n).step_by(TILE) {
        let to = n.min(from + TILE);
        let (high, low, leg, range) = (&high[from..to], &low[from..to], &leg[from..to], &range[from..to]);
        let bars = &mut bars[from..to];
        let high_side = (&mut high_price[from..to], &mut high_bar[from..to], &mut high_turn[from..to]);
        let low_side = (&mut low_price[from..to], &mut low_bar[from..to], &mut low_turn[from..to]);
        let mut ends = [0_u64; TILE];
        let mut any = 0;
        for l in 0..to - from {
            let (leg, now, rises) = (leg[l], bars[l], leg[l] > 0.0);
            let price = if rises { high_side.0[l] } else { low_side.0[l] };
            let turn = if rises { high_side.2[l] } else { low_side.2[l] };
            let (forth, back) = (if rises { high[l] } else { low[l] }, if rises { low[l] } else { high[l] });
            let goes_on = leg * forth > leg * price;
            let distance = leg * (price - back);
            let is_end = (leg == 0.0) | (!goes_on & (distance > 0.0) & (distance >= turn));
            let reach = (if is_range { range[l] } else { forth.abs() }) * width;
            let (up, down) = (goes_on & rises, goes_on & !rises);
            high_side.0[l] = if up { forth } else { high_side.0[l] };
            high_side.1[l] = if up { now } else { high_side.1[l] };
            high_side.2[l] = if up { reach } else { high_side.2[l] };
            low_side.0[l] = if down { forth } else { low_side.0[l] };
            low_side.1[l] = if down { now } else { low_side.1[l] };
            low_side.2[l] = if down { reach } else { low_side.2[l] };
            bars[l] = now + 1.0;
            ends[l] = u64::from(is_end);
            any |= ends[l];
        }
        if any == 0 {
            continue;
        }
        for (i, _) in (from..to).zip(ends).filter(|(_, ends)| *ends > 0) {
            listed[n_listed] = i as u32;
            n_listed += 1;
        }
    }
    n_listed
}

impl Swings {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, reversal: Reversal, memory: usize) -> Columns<Swings, 5> {
        Columns::of(Swings::new(n_instruments, reversal, memory), n_instruments)
    }

    pub(super) fn new(n_instruments: usize, reversal: Reversal, memory: usize) -> Swings {
        let (width, n) = match reversal {
            Reversal::Percent(percent) => (percent / 100.0, 0),
            Reversal::Ranges { n, width } => (width, n.clamp(1, 1 << 20)),
        };
        let memory = memory.clamp(2, 1 << 20) as u32;
        Swings {
            width,
            range_bars: n as u32,
            range: Atr::new(n_instruments, n),
            bars: vec![0.0; n_instruments],
            leg: vec![0.0; n_instruments],
            high: Extremes::new(n_instruments),
            low: Extremes::new(n_instruments),
            prices: Window::new(n_instruments, memory),
            at: Window::new(n_instruments, memory),
            confirmed: vec![0.0; n_instruments],
            ranges: vec![0.0; n_instruments],
            turned: Vec::with_capacity(n_instruments),
            ended: vec![0; n_instruments],
        }
    }

    /// Takes a bar of instrument `i`; true if it confirms a turning point.
    ///
    /// # Errors
    /// `WarmUp` before the first turning point is confirmed.
    pub(super) fn advance(&mut self, i: usize, bar: &Bar) -> Result<bool, Status> {
        let now = self.bars[i];
        self.bars[i] += 1.0;
        let range = if self.range_bars == 0 { 0.0 } else { self.range.step(i, bar)?[0] };
        self.take(i, bar, range, now)
    }

    /// Takes bar `now` of instrument `i`, at which its average true range is `range`.
    fn take(&mut self, i: usize, bar: &Bar, range: f64, now: f64) -> Result<bool, Status> {
        let turn = |price: f64| if self.range_bars == 0 { price.abs() * self.width } else { range * self.width };
        let leg = self.leg[i];
        let rises = leg <= 0.0 && !self.low.take(i, -1.0, bar.low, now, turn) && self.low.turns(i, -1.0, bar.high);
        let falls = leg >= 0.0 && !self.high.take(i, 1.0, bar.high, now, turn) && self.high.turns(i, 1.0, bar.low);
        let ended = match (rises, falls) {
            (true, _) => &self.low,
            (_, true) => &self.high,
            _ if self.prices.held(i) == 0 => return Err(Status::WarmUp),
            _ => return Ok(false),
        };
        self.prices.push(i, ended.price[i]);
        self.at.push(i, ended.bar[i]);
        self.confirmed[i] = now;
        if rises {
            self.leg[i] = 1.0;
            self.high.begin(i, bar.high, now, turn(bar.high));
        } else {
            self.leg[i] = -1.0;
            self.low.begin(i, bar.low, now, turn(bar.low));
        }
        Ok(true)
    }

    /// Takes a bar of every instrument as [`Swings::advance`] does, if the ranges of all are past warm-up; else it changes
    /// nothing and is false. [`Swings::turned`] tells the new turning points.
    pub(super) fn advance_row(&mut self, bars: &Bars<'_>) -> bool {
        if self.range_bars > 0 && !self.range.row(bars, &mut [&mut self.ranges]) {
            return false;
        }
        self.turned.clear();
        let (high, low) = (&mut self.high, &mut self.low);
        let n_ended = extend_row(
            [bars.high, bars.low, &self.leg, &self.ranges],
            &mut self.bars,
            [&mut high.price, &mut high.bar, &mut high.turn],
            [&mut low.price, &mut low.bar, &mut low.turn],
            self.width,
            self.range_bars > 0,
            &mut self.ended,
        );
        for k in 0..n_ended {
            let i = self.ended[k] as usize;
            let bar = Bar { high: bars.high[i], low: bars.low[i], ..Bar::default() };
            if self.take(i, &bar, self.ranges[i], self.bars[i] - 1.0) == Ok(true) {
                self.turned.push(i as u32);
            }
        }
        true
    }

    /// The instruments to which the last row brought a turning point.
    pub(super) fn turned(&self) -> &[u32] {
        &self.turned
    }

    /// The turning point of instrument `i` that came `back` ones before the last, if it is remembered.
    pub(super) fn pivot(&self, i: usize, back: u32) -> Option<Pivot> {
        (back < self.prices.held(i)).then(|| Pivot {
            price: self.prices.back(i, back),
            is_high: (self.leg[i] < 0.0) == back.is_multiple_of(2),
            age: self.bars[i] - 1.0 - self.at.back(i, back),
        })
    }

    /// Turning points of instrument `i` that are remembered.
    pub(super) fn held(&self, i: usize) -> u32 {
        self.prices.held(i)
    }

    /// Bars of instrument `i` so far.
    pub(super) fn bars(&self, i: usize) -> f64 {
        self.bars[i]
    }

    /// Bars of instrument `i` up to the turning point that came `back` ones before the last, itself included; 0 if it is not
    /// remembered.
    pub(super) fn bar(&self, i: usize, back: u32) -> u32 {
        if back < self.at.held(i) { self.at.back(i, back) as u32 + 1 } else { 0 }
    }

    /// Bars since the turning point of instrument `i` that came `back` ones before the last, which is remembered.
    pub(super) fn age(&self, i: usize, back: u32) -> f64 {
        self.bars[i] - 1.0 - self.at.back(i, back)
    }

    /// The turning points of instrument `i` from the one `back` before the last on, newest first.
    pub(super) fn pivots(&self, i: usize, back: u32) -> impl Iterator<Item = Pivot> + Clone + '_ {
        (back..self.prices.held(i)).filter_map(move |back| self.pivot(i, back))
    }

    /// The turning points of instrument `i` from the one `back` before the last on that are within the tolerance of a
    /// level, as bits: 1 for the last one. Those beyond the 32nd are left out.
    pub(super) fn near(&self, i: usize, back: u32, level: f64, zone: &Zone) -> u32 {
        let held = self.prices.held(i).min(u32::BITS);
        let near = (back..held).filter(|back| zone.has(level, self.prices.back(i, *back)));
        near.fold(0, |bits, back| bits | 1 << back)
    }

    /// Start and end of the last leg between two turning points.
    pub(super) fn leg(&self, i: usize) -> Option<(f64, f64)> {
        (self.prices.held(i) > 1).then(|| (self.prices.back(i, 1), self.prices.back(i, 0)))
    }
}

impl Study<5> for Swings {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 5], Status> {
        self.advance(i, bar)?;
        let last = self.pivot(i, 0).ok_or(Status::WarmUp)?;
        let (side, extreme) = if last.is_high { (1.0, self.low.price[i]) } else { (-1.0, self.high.price[i]) };
        Ok([last.price, side, last.age, self.bars[i] - 1.0 - self.confirmed[i], extreme])
    }

    state!(width, range_bars, range, bars, leg, high, low, prices, at, confirmed);
}

impl Part for Swings {
    state!(width, range_bars, range, bars, leg, high, low, prices, at, confirmed);
}

/// The extreme so far of a leg, its bar, and how far from it the leg ends. Signs turn lows into highs.
#[derive(Clone, Debug)]
struct Extremes {
    price: Vec<f64>,
    /// −1 before the first.
    bar: Vec<f64>,
    turn: Vec<f64>,
}

impl Part for Extremes {
    state!(price, bar, turn);
}

impl Extremes {
    fn new(n_instruments: usize) -> Extremes {
        Extremes { price: vec![0.0; n_instruments], bar: vec![-1.0; n_instruments], turn: vec![0.0; n_instruments] }
    }

    fn begin(&mut self, i: usize, price: f64, bar: f64, turn: f64) {
        (self.price[i], self.bar[i], self.turn[i]) = (price, bar, turn);
    }

    /// True if the price goes on with the leg.
    fn take(&mut self, i: usize, sign: f64, price: f64, bar: f64, turn: impl Fn(f64) -> f64) -> bool {
        let is = self.bar[i] < 0.0 || sign * price > sign * self.price[i];
        if is {
            self.begin(i, price, bar, turn(price));
        }
        is
    }

    /// True if `price` is far enough from the extreme to end the leg.
    fn turns(&self, i: usize, sign: f64, price: f64) -> bool {
        let distance = sign * (self.price[i] - price);
        distance > 0.0 && distance >= self.turn[i]
    }
}

/// All turning points of a series, oldest first; bars without finite prices are passed over. What is known at bar t are
/// those whose `confirmed` is at most t. Definition: [`Swings`].
///
/// # Panics
/// If high, low and close differ in length.
#[must_use]
pub fn swings(bars: &Bars<'_>, reversal: Reversal) -> Vec<Swing> {
    let Bars { high, low, close, .. } = *bars;
    assert!(high.len() == close.len() && low.len() == close.len(), "high, low and close must have one length");
    let mut columns = Swings::new(1, reversal, 2);
    let mut at = Vec::with_capacity(close.len());
    let mut found = Vec::new();
    for (t, ((high, low), close)) in high.iter().zip(low).zip(close).enumerate() {
        if !(high.is_finite() && low.is_finite() && close.is_finite()) {
            continue;
        }
        at.push(t);
        let bar = Bar { high: *high, low: *low, close: *close, ..Bar::default() };
        if columns.advance(0, &bar) == Ok(true)
            && let Some(pivot) = columns.pivot(0, 0)
        {
            let bar = at[at.len() - 1 - pivot.age as usize];
            found.push(Swing { price: pivot.price, is_high: pivot.is_high, bar, confirmed: t });
        }
    }
    found
}
