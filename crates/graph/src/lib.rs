//! Runs a typed state graph: channels, reducers, super-steps, routing.
#![forbid(unsafe_code)]
