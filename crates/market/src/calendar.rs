//! Sessions of exchanges.
