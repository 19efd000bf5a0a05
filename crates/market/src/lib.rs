//! What is known of the market now and nothing later.
#![forbid(unsafe_code)]
