//! Double-entry books, holds, positions, lots, settlement: the truth of what happened.
#![forbid(unsafe_code)]
