//! Fibonacci levels.
//!
//! **What it trades**: nothing by itself. It finds the turning points of a price, the levels of the last leg between two of
//! them, the supports and resistances that earlier ones left, and where both meet. Momentum times its entries with it, mean
//! reversion its exits, and a rule of a mandate may read every line.
//!
//! **Why it should pay**: many traders look at the same levels and place orders there (Osler 2003 shows it for round
//! numbers). That the ratios themselves foretell turns is not shown: Batchelor and Ramyar (2006) find no more of them in the
//! Dow Jones than chance. So it adds a fifth to an opinion at most and makes none of its own.
//!
//! **Inputs**: highs, lows and closes of one feed. A series of closes has none of it: `NotApplicable`.
//!
//! **Formula and source**: a turning point ([`Swings`]; Merrill 1977) is known only at the bar that has moved away from it by
//! the reversal that is asked for, and is used from that bar on, never before: nothing here looks ahead. With the last leg
//! from F to T, [`Retracements`] are T − r (T − F) for r = 23.6, 38.2, 50, 61.8, 78.6 %; [`Extensions`] are F + r (T − F) beyond
//! its end and T − r (T − F) beyond its start for r = 127.2, 141.4, 161.8, 261.8 % (Fischer 1993). [`Supports`] are earlier turning
//! points at or beyond the close, each counting 2^(−age / half-life). [`Confluence`] (Boroden 2008) is the largest over all
//! levels of (1 − d) (1 − 2^(−s)): d is the close's distance from the level over the tolerance, s what the earlier
//! turning points within the tolerance of the level count; the boost is 0.2 times that. The weights are ours.
//!
//! **Parameters (unit, default, range)**: `width` (per cent of the extreme, or average true ranges if `range` is above 0, 5,
//! 0.01–100), `range` (bars of the average true range, 0 = per cent, 0–10000), `tolerance` (per cent of a level, 0.5,
//! 0–100), `half_life` (bars, 60, 1–10000). In a mandate they are the indicators `swings`, `fibonacci_retracements`,
//! `fibonacci_extensions`, `support`, `resistance` and `confluence` of [indicators.md](indicators.md):
//! `level = { kind = "fibonacci_retracements", width = 3, range = 14, line = "back_618" }`.
//!
//! **Fails when**: the reversal is so small that every bar turns, or so large that none does.
//!
//! All are studies of `indicators`: batch, streaming and block form of one definition, which agree to the bit.

mod confluence;
mod levels;
mod supports;
mod swings;

pub use confluence::{Confluence, MOST_BOOST, Meeting, meeting};
pub use levels::{EXTENSIONS, Extensions, LEVELS, RETRACEMENTS, Retracements, extension, levels, retracement};
pub use supports::{Side, Supports, Zone, recency};
pub use swings::{Pivot, Reversal, Swing, Swings, swings};

#[cfg(test)]
mod tests;
