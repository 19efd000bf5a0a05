//! Fibonacci levels of the last swing of a price, the supports and resistances that earlier swings left, and where both meet.
//!
//! [`Swings`] finds the turning points. A turning point is known only at the bar that has moved away from it by the
//! reversal that is asked for, and is used from that bar on, never before: nothing here looks ahead. [`Retracements`] and
//! [`Extensions`] are the levels of the last leg between two of them, [`Supports`] and [`Confluence`] look at the ones before.
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
