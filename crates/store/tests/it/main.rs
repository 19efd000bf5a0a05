//! The store from outside: files, other processes, damage.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers outside #[test] functions fail the test too")]

mod catalog;
mod import;
mod journal;
mod runs;
