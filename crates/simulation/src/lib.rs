//! A disk that notes every operation, can fail, and can be cut off at any moment: what recovery is proved with.
//!
//! A scenario runs once on a `RecordingDisk`, below which lie real files. Its operations, those of SQLite included, are
//! kept in order with their bytes (`Op`). `Image::after` says what a disk may hold if the power goes at any of them:
//! everything that was waited for, and of the rest nothing, all, or any part, down to single sectors of a write. An image
//! is put into a folder and the program is started on it. Operations during that start are noted again, so a crash
//! during recovery is one more image. `Trouble` lets the disk fail instead: no space left, or a wait that reports an error.
//!
//! Left out: sectors that are written to a wrong place, and bits that change by themselves; tests flip bytes for these.
//! The file layer under SQLite is the only unsafe code of the workspace (`sqlite_layer`); a program that never calls
//! `RecordingDisk::new` never registers it.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod disk;
mod image;
mod random;
#[allow(unsafe_code, reason = "SQLite's file layer is a table of C functions")]
mod sqlite_layer;

pub use disk::{Op, RecordingDisk, Trouble};
pub use image::{Image, Survival};
pub use random::Random;
