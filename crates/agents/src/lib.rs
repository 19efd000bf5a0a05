//! One file per strategy agent: view in, signals out.
#![forbid(unsafe_code)]
