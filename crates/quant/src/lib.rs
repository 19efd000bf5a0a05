//! Formulas on slices, each with its source.
#![forbid(unsafe_code)]
