//! Columns of values with one status byte a cell, folds over chunks of a fixed size, and the canonical encoding
//! that snapshots and hashes are made of.
//!
//! This crate knows nothing about trading and does no input or output. It exists so that every crate above
//! shares one idea of "value or reason why there is none", one order of summation and one byte encoding.
#![forbid(unsafe_code)]

pub mod codec;
mod col;
mod fold;
mod hash;
mod wide;

pub use col::{Block, Col, ColMut, ColRef, Status, all_ok};
pub use fold::{CHUNK, LANES, sum8};
pub use hash::RollingHash;
#[doc(hidden)]
pub use wide::{Simd, WithSimd, widest};
