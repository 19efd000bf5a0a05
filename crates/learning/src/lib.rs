//! Scores decisions. It changes nothing by itself: what it learns becomes an event.
#![forbid(unsafe_code)]

mod scoreboard;

pub use scoreboard::{Score, Scoreboard};
