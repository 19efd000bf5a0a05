//! Formulas on slices, each with its source.
//!
//! Nothing here knows a domain type, reads a clock or does input or output. Logarithms, exponentials and powers
//! come from `libm` or [`vmath`], products and sums are never fused, and reductions run in the fixed order of
//! `tradegraph_columns::sum8`, so that the same input gives the same bits on every machine.
#![forbid(unsafe_code)]

pub mod allocation;
pub mod attribution;
pub mod calibration;
pub mod econometrics;
pub mod execution;
pub mod fan;
pub mod fibonacci;
pub mod growth;
pub mod hedge;
pub mod indicators;
pub mod learners;
pub mod no_trade;
pub mod options;
pub mod performance;
pub mod regime;
pub mod risk;
pub mod ruin;
pub mod single_index;
pub mod vmath;
