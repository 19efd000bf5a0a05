//! Runs a typed state graph: channels, reducers, super-steps, routing.
//!
//! A graph is built once ([`GraphBuilder`]), validated and turned into a dense plan ([`GraphBuilder::compile`]) and
//! then run many times ([`Compiled::run`]). The semantics are LangGraph's: the nodes of one super-step all see the
//! channels as the previous step left them, their writes are merged at the barrier in the byte order of the nodes'
//! names, and an edge, a filled join or a router's choice decides what runs next. What differs on purpose: a label
//! that a route does not have is an error and not a silent end, unreachable nodes and `once` nodes that could run
//! twice are refused at compile, and joins start empty in every run.
//!
//! Left out, for a later layer: sends, commands, subgraphs, interrupts, savers, retries, deadlines. This crate knows
//! nothing about trading, starts no threads and does no input or output.
//!
//! ```
//! use tradegraph_graph::{Channel, END, GraphBuilder, Limits, START};
//!
//! let mut g = GraphBuilder::<Vec<&'static str>>::new("desk");
//! let size = g.channel("size", Channel::last(0_i64));
//! let log = g.channel("log", Channel::reduce(Vec::new(), |all: &mut Vec<i64>, one: i64| all.push(one)));
//! let size_up = g.node_fn("size_up", move |_, io| {
//!     io.write(log, 40)?;
//!     Ok(io.write(size, 40)?)
//! });
//! let check = g.node_fn("check", |calls, _| {
//!     calls.push("checked");
//!     Ok(())
//! });
//! g.node_mut(check).once().reads(&[size.id()]);
//! g.edge(START, size_up);
//! g.route(size_up, &[("big", check), ("small", END)], move |state| {
//!     Ok(if *state.get(size)? > 10 { "big" } else { "small" })
//! });
//! let mut graph = g.compile(Limits::default())?;
//! let mut calls = Vec::new();
//! assert_eq!(graph.run(&mut calls)?.steps, 2);
//! assert_eq!(calls, ["checked"]);
//! assert_eq!(graph.get(log)?, &[40]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod bits;
mod builder;
mod channel;
mod compile;
mod error;
mod io;
mod mermaid;
mod node;
mod run;
mod save;

pub use builder::{Choice, GraphBuilder, Limits, NodeMut};
pub use channel::{Chan, ChanId, Channel, ChannelKind, ChannelValue};
pub use error::{ChannelError, CompileError, LoadError, NodeError, RunError};
pub use io::{Io, Reads};
pub use node::{END, Node, NodeId, START};
pub use run::{Compiled, Paused, RunStats};
