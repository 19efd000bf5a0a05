//! Checks of quotes, and of two clocks.

use super::trailing::{Robust, median};
use super::{Check, Findings, MISSING};
use tradegraph_domain::{Price, Timestamp};

/// One series of best bids and asks in the order of its source; prices at 1e-9, `MISSING` where there is none. Sizes
/// may be empty.
#[derive(Clone, Copy, Debug)]
pub struct QuoteColumns<'a> {
    /// When each was known.
    pub ts: &'a [Timestamp],
    /// Best bids.
    pub bid: &'a [i64],
    /// Best asks.
    pub ask: &'a [i64],
    /// Sizes at the bid.
    pub bid_size: &'a [f64],
    /// Sizes at the ask.
    pub ask_size: &'a [f64],
}

/// Spreads and moves that an outlier is measured against.
const WINDOW: usize = 255;
const LEAST: usize = 60;
/// A move of the middle beyond so many robust deviations, and beyond so many spreads, is an outlier.
const FAR: f64 = 25.0;
const SPREADS: f64 = 5.0;
/// And beyond this share of the price.
const SHARE: f64 = 0.0005;
/// Times the median pause after which a quote is stale, and the least time.
const PAUSES: f64 = 500.0;
const LEAST_PAUSE: f64 = 10e9;

/// Crossed, locked and impossible quotes, outliers of the middle, rows out of order or twice, pauses.
///
/// # Panics
/// If `bid` or `ask` has another length than `ts`.
#[must_use]
pub fn check_quotes(quotes: &QuoteColumns<'_>, may_be_negative: bool) -> Findings {
    let n = quotes.ts.len();
    assert!(quotes.bid.len() == n && quotes.ask.len() == n, "every column must have {n} rows");
    let mut found = Findings::new(n);
    let mut robust = Robust::new(WINDOW);
    let mut last: Option<(Timestamp, i64, i64, f64)> = None;
    let pauses = quotes.ts.windows(2).map(|w| w[1].0.saturating_sub(w[0].0) as f64).filter(|p| *p > 0.0).collect();
    let pause = median(pauses);
    for (row, ((ts, bid), ask)) in quotes.ts.iter().zip(quotes.bid).zip(quotes.ask).enumerate() {
        for size in [quotes.bid_size, quotes.ask_size].into_iter().filter_map(|s| s.get(row)) {
            if *size < 0.0 {
                found.mark(Check::Bounds, row, || format!("a size of {size}"));
            }
        }
        if *bid == MISSING || *ask == MISSING {
            if *bid != *ask {
                found.mark(Check::Missing, row, || format!("one side only at {ts}"));
            }
            continue;
        }
        let shown = |p: i64| Price::from_nano(p);
        if (*bid <= 0 || *ask <= 0) && !may_be_negative {
            found.mark(Check::Impossible, row, || format!("bid {} ask {}", shown(*bid), shown(*ask)));
            continue;
        }
        if bid > ask {
            found.mark(Check::Crossed, row, || format!("bid {} is above ask {} at {ts}", shown(*bid), shown(*ask)));
            continue;
        }
        if bid == ask {
            found.mark(Check::Locked, row, || format!("bid and ask are {} at {ts}", shown(*bid)));
        }
        let middle = (*bid as f64 + *ask as f64) / 2.0;
        if let Some((before, last_bid, last_ask, last_middle)) = last {
            if *ts < before {
                found.mark(Check::Disorder, row, || format!("{ts} comes after {before}"));
                continue;
            }
            if (*ts, *bid, *ask) == (before, last_bid, last_ask) {
                found.mark(Check::Duplicate, row, || format!("the quote of {ts} again"));
                continue;
            }
            let gap = ts.0.saturating_sub(before.0) as f64;
            if pause > 0.0 && gap > (PAUSES * pause).max(LEAST_PAUSE) {
                let seconds = gap / 1e9;
                found.note(Check::Stale, Some(row), || format!("nothing for {seconds:.0} s before {ts}"));
            }
            let change = middle - last_middle;
            let spread = (*ask as f64 - *bid as f64).max(last_ask as f64 - last_bid as f64);
            if robust.len() >= LEAST && change.abs() > (SPREADS * spread).max(SHARE * middle) {
                let z = robust.z(change, spread.max(1.0) / 4.0);
                if z > FAR {
                    let text = || format!("the middle moves by {} at {ts}: {z:.0} robust deviations", change / 1e9);
                    found.mark(Check::Outlier, row, text);
                }
            }
            robust.push(change);
        }
        last = Some((*ts, *bid, *ask, middle));
    }
    found
}

/// Notes if data were received before they happened: the receiver's clock is behind the sender's.
pub fn check_clock(received: &[Timestamp], happened: &[Timestamp], found: &mut Findings) {
    let delays: Vec<f64> = received.iter().zip(happened).map(|(r, h)| r.0.saturating_sub(h.0) as f64 / 1e9).collect();
    let early = delays.iter().filter(|d| **d < 0.0).count();
    if early > 0 {
        let (n, typical) = (delays.len(), median(delays));
        found.note(Check::Clock, None, || {
            format!("{early} of {n} rows were received before they happened; the median delay is {typical:+.3} s")
        });
    }
}
