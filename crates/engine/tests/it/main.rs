//! Runs of the whole engine over seeded markets: determinism, resuming, books, no look-ahead, behaviour.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers outside #[test] functions fail the test too")]

mod actions;
mod behaviour;
mod books;
mod coordinator;
mod costs;
mod determinism;
mod exits;
mod fixture;
mod golden;
mod limits;
mod look_ahead;
mod noise;
mod own;
mod resume;
mod waterfall;
mod why;

use tradegraph_engine as engine;
