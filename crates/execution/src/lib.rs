//! The life of an order, and the simulated exchange.
#![forbid(unsafe_code)]
