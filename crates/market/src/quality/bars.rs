//! Checks of one series of bars.

use super::trailing::{Deviation, Robust, median};
use super::{Check, Findings, Marks, Rules};
use crate::calendar::CalendarId;
use tradegraph_columns::Status;
use tradegraph_domain::{BarPeriod, Date, Nanos, Price, Timestamp};

/// The price of a cell without one.
pub const MISSING: i64 = i64::MIN;

/// One series in the order of its source. Prices are at 1e-9, `MISSING` where there is none; a column that the series
/// lacks is empty, else it has one value a row.
#[derive(Clone, Copy, Debug)]
pub struct BarColumns<'a> {
    /// First instants.
    pub starts: &'a [Timestamp],
    /// Opens.
    pub open: &'a [i64],
    /// Highs.
    pub high: &'a [i64],
    /// Lows.
    pub low: &'a [i64],
    /// Closes.
    pub close: &'a [i64],
    /// Volumes, NaN where there is none.
    pub volume: &'a [f64],
}

/// Returns that an outlier is measured against, and how many of them there must be.
const WINDOW: usize = 63;
const LEAST: usize = 20;
/// Moves whose small ones tell the step of the price, how many of them there must be, and which of a hundred tells it:
/// a dividend shifts the grid of an adjusted price and makes a few moves of no step at all.
const MOVES: usize = 63;
const LEAST_MOVES: usize = 20;
const SMALL_MOVE: f64 = 0.1;
/// Shares of a day's volatility above which a step makes moves of its own: of the step in which the source prints, and
/// of the step in which the market trades, which real eighths of a dollar bring to a fifth.
const COARSE_PRINT: f64 = 0.1;
const COARSE_TICK: f64 = 0.5;
/// Robust deviations of an outlier: a fall as on 1987-10-19 is one, a bad week is none.
const FAR: f64 = 12.0;
/// Bars without a change that are stale: a week of days, an hour of minutes.
const STALE_SESSIONS: usize = 5;
const STALE_BARS: usize = 60;
/// Bars of a fixed length that must be missing for a doubt: quiet minutes have no bar.
const GAP_BARS: i64 = 5;
/// Open or close this much of the price outside of low to high is rounding.
const ROUNDING: i64 = 10_000;

/// All checks of a series.
///
/// # Panics
/// If a column is neither empty nor as long as `starts`.
#[must_use]
pub fn check_bars(bars: &BarColumns<'_>, rules: &Rules) -> Findings {
    let mut found = trailing(bars, rules);
    whole(bars, rules, &mut found);
    found
}

/// The marks of each row, from the row and those before it.
///
/// # Panics
/// As `check_bars`.
#[must_use]
pub fn mark(bars: &BarColumns<'_>, rules: &Rules) -> Vec<Marks> {
    trailing(bars, rules).marks
}

fn shown(nano: i64) -> Price {
    Price::from_nano(nano)
}

fn at(column: &[i64], row: usize) -> Option<i64> {
    column.get(row).copied().filter(|v| *v != MISSING)
}

fn trailing(bars: &BarColumns<'_>, rules: &Rules) -> Findings {
    let n = bars.starts.len();
    let fits = |len: usize| len == 0 || len == n;
    assert!(
        [bars.open, bars.high, bars.low, bars.close].iter().all(|c| fits(c.len())) && fits(bars.volume.len()),
        "every column must have {n} rows or none"
    );
    let mut found = Findings::new(n);
    let repeated = repeated(bars.starts);
    let mut latest: Option<usize> = None;
    let mut moves = Moves::new(rules);
    for (row, start) in bars.starts.iter().enumerate() {
        if repeated.binary_search(&row).is_ok() {
            found.mark(Check::Duplicate, row, || format!("{start} is there before"));
            continue;
        }
        if let Some(before) = latest.and_then(|k| bars.starts.get(k))
            && start < before
        {
            found.mark(Check::Disorder, row, || format!("{start} comes after {before}"));
            continue;
        }
        // Holidays that a source lists without a price are no bars.
        if prices(bars, row, rules, &mut found) {
            in_session(*start, rules, row, &mut found);
            if let Some(before) = latest.and_then(|k| bars.starts.get(k)) {
                gap(*before, *start, rules, row, &mut found);
            }
            latest = Some(row);
        }
        if let Some(close) = at(bars.close, row) {
            let usable = found.marks.get(row).is_none_or(|m| m.severity() != Some(super::Severity::Fault));
            let flat = at(bars.high, row) == at(bars.low, row);
            if usable {
                moves.take(close, flat, row, &mut found);
            }
            let moved = !flat || row > 0 && at(bars.close, row - 1).is_some_and(|c| c != close);
            if moved && bars.volume.get(row) == Some(&0.0) {
                found.note(Check::NoVolume, Some(row), || format!("volume 0 at {start}"));
            }
        }
    }
    found
}

/// Rows whose moment an earlier row has, in order.
fn repeated(starts: &[Timestamp]) -> Vec<usize> {
    if starts.is_sorted_by(|a, b| a < b) {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..starts.len()).collect();
    order.sort_by_key(|row| starts.get(*row)); // stable: the first of equals stays first
    let mut rows: Vec<usize> =
        order.windows(2).filter(|w| starts.get(w[0]) == starts.get(w[1])).map(|w| w[1]).collect();
    rows.sort_unstable();
    rows
}

fn in_session(start: Timestamp, rules: &Rules, row: usize, found: &mut Findings) {
    if !rules.calendar.is_open(start) {
        found.note(Check::OffSession, Some(row), || format!("{start} is in no session of {}", rules.calendar));
    }
}

/// Checks the numbers of a bar; false if it has none.
fn prices(bars: &BarColumns<'_>, row: usize, rules: &Rules, found: &mut Findings) -> bool {
    let names = ["open", "high", "low", "close"];
    let columns = [bars.open, bars.high, bars.low, bars.close];
    let cells = columns.map(|c| at(c, row));
    if cells.iter().all(Option::is_none) {
        return false;
    }
    for ((column, cell), name) in columns.iter().zip(cells).zip(names) {
        match cell {
            None if !column.is_empty() => found.mark(Check::Missing, row, || format!("no {name}")),
            Some(p) if p <= 0 && !rules.may_be_negative => {
                found.mark(Check::Impossible, row, || format!("{name} {}", shown(p)));
            }
            Some(p) if rules.bounds.is_some_and(|(least, most)| p < least.nano() || p > most.nano()) => {
                found.mark(Check::Bounds, row, || format!("{name} {}", shown(p)));
            }
            _ => {}
        }
    }
    let [open, high, low, close] = cells;
    let (Some(high), Some(low)) = (high, low) else { return true };
    if high < low {
        found.mark(Check::Range, row, || format!("high {} is below low {}", shown(high), shown(low)));
        return true;
    }
    for (p, name) in [(open, "open"), (close, "close")] {
        let Some(p) = p else { continue };
        let outside = low.saturating_sub(p).max(p.saturating_sub(high));
        if outside > p.saturating_abs() / ROUNDING {
            let text = || format!("{name} {} is outside {} to {}", shown(p), shown(low), shown(high));
            found.mark(Check::Range, row, text);
        }
    }
    true
}

fn gap(before: Timestamp, start: Timestamp, rules: &Rules, row: usize, found: &mut Findings) {
    let missing = missing_between(before, start, rules);
    let what = match rules.period {
        BarPeriod::Session => "sessions",
        BarPeriod::Fixed(_) => "bars",
    };
    let detail = || format!("{missing} {what} of {} are missing between {before} and {start}", rules.calendar);
    match rules.period {
        _ if missing <= 0 => {}
        BarPeriod::Fixed(_) if missing < GAP_BARS => found.note(Check::Gap, Some(row), detail),
        _ => found.mark(Check::Gap, row, detail),
    }
}

/// Bars that the calendar expects between two.
fn missing_between(before: Timestamp, start: Timestamp, rules: &Rules) -> i64 {
    let length = match rules.period {
        BarPeriod::Session => None,
        BarPeriod::Fixed(Nanos(length)) if length > 0 => Some(length),
        BarPeriod::Fixed(_) => return 0,
    };
    let from = before.0.saturating_add(length.unwrap_or(1));
    if from >= start.0 {
        return 0;
    }
    if rules.calendar == CalendarId::AlwaysOpen
        && let Some(length) = length
    {
        return (start.0 - from) / length;
    }
    // Sessions of some calendars begin on the day before their date.
    let days = |t: i64, by: i32| Date(Timestamp(t).date().0.saturating_add(by));
    let sessions = rules.calendar.sessions(days(from, -1), days(start.0, 1));
    match length {
        None => sessions.filter(|s| s.open > before && s.open < start).count() as i64,
        Some(length) => sessions
            .map(|s| (s.close.0.min(start.0) - s.open.0.max(from)).max(0))
            .map(|open| (open + length / 2) / length)
            .sum(),
    }
}

/// What depends on how the price moved before.
struct Moves {
    differences: bool,
    bars_a_day: f64,
    stale_after: usize,
    last: Option<i64>,
    unchanged: usize,
    step: u64,
    robust: Robust,
    moves: Robust,
    deviation: Deviation,
}

impl Moves {
    fn new(rules: &Rules) -> Moves {
        let (bars_a_day, stale_after) = match rules.period {
            BarPeriod::Session => (1.0, STALE_SESSIONS),
            BarPeriod::Fixed(length) if length.0 >= Nanos::DAY.0 => (1.0, STALE_SESSIONS),
            BarPeriod::Fixed(length) => ((Nanos::DAY.0 / length.0.max(1)) as f64, STALE_BARS),
        };
        Moves {
            differences: rules.may_be_negative,
            bars_a_day,
            stale_after,
            last: None,
            unchanged: 0,
            step: 0,
            robust: Robust::new(WINDOW),
            moves: Robust::new(MOVES),
            deviation: Deviation::new(WINDOW),
        }
    }

    fn take(&mut self, close: i64, flat: bool, row: usize, found: &mut Findings) {
        self.step = common(self.step, close.unsigned_abs());
        let Some(last) = self.last.replace(close) else { return };
        self.unchanged = if close == last && flat { self.unchanged + 1 } else { 0 };
        if self.unchanged >= self.stale_after {
            let (n, price) = (self.unchanged, shown(close));
            found.mark(Check::Stale, row, || format!("{price} for {n} bars"));
        }
        let scale = if self.differences { 1e9 } else { last.abs() as f64 };
        if scale == 0.0 {
            return;
        }
        let change = (close as f64 - last as f64) / scale;
        let mut far = false;
        let step = self.step as f64 / scale;
        if self.robust.len() >= LEAST {
            // Where most bars do not move at all, half a standard deviation is the least that is believed.
            let z = self.robust.z(change, step.max(self.deviation.value() / 2.0).max(1e-9));
            far = z > FAR;
            if far {
                let (from, to) = (shown(last), shown(close));
                found.mark(Check::Outlier, row, || format!("{from} to {to}: {z:.0} robust deviations"));
            }
        }
        if self.deviation.is_full() && self.unchanged < self.stale_after {
            let daily = self.deviation.value() * self.bars_a_day.sqrt();
            let tick = if self.moves.len() >= LEAST_MOVES { self.moves.quantile(SMALL_MOVE) } else { 0.0 };
            let coarse = tick > COARSE_TICK * daily;
            if daily > 0.0 && (step > COARSE_PRINT * daily || coarse) {
                let step = if coarse { tick } else { step };
                let text = || {
                    let (step, share) = (step * scale / 1e9, 100.0 * step / daily);
                    format!("a step of {step:.4} at {} is {share:.0} % of a day's volatility", shown(close))
                };
                found.mark(Check::Rounding, row, text);
            }
        }
        self.robust.push(change);
        if change != 0.0 {
            self.moves.push(change.abs());
        }
        // One print of a hundred times the price must not hide the next.
        if !far {
            self.deviation.push(change);
        }
    }
}

/// The greatest number of which both are multiples.
fn common(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Checks that need what comes after.
fn whole(bars: &BarColumns<'_>, rules: &Rules, found: &mut Findings) {
    let rows: Vec<usize> = (0..bars.starts.len())
        .filter(|row| at(bars.close, *row).is_some_and(|c| c > 0))
        .filter(|row| found.marks.get(*row).is_some_and(|m| !m.has(Check::Duplicate) && !m.has(Check::Disorder)))
        .collect();
    let close: Vec<f64> = rows.iter().map(|row| at(bars.close, *row).unwrap_or_default() as f64 / 1e9).collect();
    let outliers: Vec<bool> =
        rows.iter().map(|row| found.marks.get(*row).is_some_and(|m| m.has(Check::Outlier))).collect();
    for ((k, row), _) in rows.iter().enumerate().zip(&outliers).filter(|(_, outlier)| **outlier) {
        if let Some(jump) = close.get(k.wrapping_sub(1)).zip(close.get(k)).map(|(a, b)| b / a - 1.0)
            && let Some(after) = close.get(k.wrapping_sub(1)).zip(close.get(k + 1)).map(|(a, b)| b / a - 1.0)
            && after.abs() < 0.2 * jump.abs()
        {
            found.note(Check::Spike, Some(*row), || format!("{:+.1} % and back", 100.0 * jump));
        }
        split(&close, k, *row, found);
    }
    time_zone(bars, rules, found);
    let volume: Vec<(usize, f64)> =
        bars.volume.iter().copied().enumerate().filter(|(_, v)| *v > 0.0 && v.is_finite()).collect();
    volume_steps(&volume, found);
}

/// Splits that happen: units after for units before.
const RATIOS: [(u32, u32); 15] = [
    (2, 1),
    (3, 1),
    (4, 1),
    (5, 1),
    (7, 1),
    (10, 1),
    (20, 1),
    (50, 1),
    (3, 2),
    (1, 2),
    (1, 3),
    (1, 4),
    (1, 5),
    (1, 10),
    (1, 20),
];

fn split(close: &[f64], k: usize, row: usize, found: &mut Findings) {
    let (Some(before), Some(now)) = (k.checked_sub(1).and_then(|b| close.get(b)), close.get(k)) else { return };
    let jump = before / now;
    let near = RATIOS.iter().find(|(new, old)| (jump * f64::from(*old) / f64::from(*new) - 1.0).abs() < 0.05);
    let around = |from: usize, to: usize| median(close.get(from..to.min(close.len())).unwrap_or_default().to_vec());
    let stays = |level: f64, own: f64| (level / own - 1.0).abs() < 0.15;
    if let Some((new, old)) = near
        && stays(around(k.saturating_sub(5), k), *before)
        && stays(around(k, k + 5), *now)
    {
        found.note(Check::Split, Some(row), || format!("{before} to {now}: {new} for {old}?"));
    }
}

/// Bars that lie outside of their sessions and would lie inside if the clock were another.
fn time_zone(bars: &BarColumns<'_>, rules: &Rules, found: &mut Findings) {
    if rules.calendar == CalendarId::AlwaysOpen || rules.period == BarPeriod::Session || bars.starts.is_empty() {
        return;
    }
    let outside = |hours: i64| {
        let by = hours * Nanos::HOUR.0;
        let shut = bars.starts.iter().filter(|t| !rules.calendar.is_open(Timestamp(t.0.saturating_add(by))));
        shut.count() as f64 / bars.starts.len() as f64
    };
    let now = outside(0);
    if now < 0.02 {
        return;
    }
    let best = (-14..=14).filter(|h| *h != 0).map(|h| (outside(h), h)).min_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((share, hours)) = best.filter(|(share, _)| *share < now / 5.0) {
        found.note(Check::TimeZone, None, || {
            format!(
                "{:.1} % of the bars are outside of the sessions of {}; shifted by {hours:+} h it would be {:.1} %",
                100.0 * now,
                rules.calendar,
                100.0 * share
            )
        });
    }
}

/// Volumes of a block to compare with the block before.
const VOLUME_BLOCK: usize = 60;
/// Medians further apart than this are another unit.
const VOLUME_STEP: f64 = 100.0;

fn volume_steps(volume: &[(usize, f64)], found: &mut Findings) {
    let mut before: Option<f64> = None;
    for block in volume.chunks_exact(VOLUME_BLOCK) {
        let now = median(block.iter().map(|(_, v)| *v).collect());
        if let Some(old) = before
            && (now / old > VOLUME_STEP || old / now > VOLUME_STEP)
        {
            let row = block.first().map(|(row, _)| *row);
            found.note(Check::VolumeUnit, row, || format!("the median goes from {old:.4} to {now:.4}"));
        }
        before = Some(now);
    }
}

/// Series of one asset (symbols that begin with the same three letters, median closes within 2 %) whose median volumes
/// differ by more than a thousand: pairs of places with the ratio of the second to the first. A series is its symbol, its
/// median close and its median volume.
#[must_use]
pub fn compare_volumes(series: &[(&str, f64, f64)]) -> Vec<(usize, usize, f64)> {
    let base = |symbol: &str| symbol.chars().take(3).collect::<String>();
    let mut pairs = Vec::new();
    for (a, (symbol_a, price_a, volume_a)) in series.iter().enumerate() {
        for (b, (symbol_b, price_b, volume_b)) in series.iter().enumerate().skip(a + 1) {
            let near = *price_a > 0.0 && (price_b / price_a - 1.0).abs() < 0.02;
            let same_asset = near && base(symbol_a) == base(symbol_b);
            let ratio = volume_b / volume_a;
            if same_asset && *volume_a > 0.0 && *volume_b > 0.0 && !(1e-3..=1e3).contains(&ratio) {
                pairs.push((a, b, ratio));
            }
        }
    }
    pairs
}

impl Rules {
    /// The status that marks give a cell in the panel.
    #[must_use]
    pub fn status(marks: Marks) -> Status {
        if marks.severity() == Some(super::Severity::Fault) { Status::Suspect } else { Status::Ok }
    }
}
