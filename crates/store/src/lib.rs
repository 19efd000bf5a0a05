//! SQLite journal and run store, CSV catalog.
#![forbid(unsafe_code)]
