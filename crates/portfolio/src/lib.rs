//! Fuses signals into targets and says why.
#![forbid(unsafe_code)]
