//! Scores decisions.
#![forbid(unsafe_code)]
