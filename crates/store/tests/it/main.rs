//! The store from outside: files, other processes, damage.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers outside #[test] functions fail the test too")]

mod bad_files;
mod catalog;
mod datasets;
mod import;
mod journal;
mod runs;
