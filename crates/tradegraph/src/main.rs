//! The product.
#![forbid(unsafe_code)]
fn main() {}
