//! Runs a typed state graph: channels, reducers, super-steps, routing, packets, questions, checkpoints.
//!
//! A graph is built once ([`GraphBuilder`]), validated and turned into a dense plan ([`GraphBuilder::compile`]) and
//! then run many times ([`Compiled::run`]), or on threads with a history ([`Compiled::invoke`]). The semantics are
//! LangGraph's: the nodes of one super-step all see the channels as the previous step left them, their writes are
//! merged at the barrier in the byte order of the nodes' names and then in the order of packets, and an edge, a filled
//! join, a router's choice, a goto or a packet decides what runs next. What differs on purpose is in
//! `docs/langgraph.md`, which also shows both side by side.
//!
//! Graphs that use nothing beyond channels, edges, joins and one-choice routes take a plain step that allocates
//! nothing; everything else takes the full step. This crate knows nothing about trading, starts no threads, reads no
//! clock and does no input or output: pools, clocks and savers are passed in.
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

/// The page for people who know LangGraph: its examples are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/langgraph.md")]
struct ForPeopleWhoKnowLangGraph;

mod bits;
mod builder;
mod channel;
mod clock;
mod compile;
mod coordinate;
mod dynamic;
mod effect;
mod error;
mod exec;
mod interrupt;
mod io;
mod mermaid;
mod node;
mod packet;
mod policy;
mod run;
mod save;
mod saver;
mod stream;
mod subgraph;
mod svg;
mod thread;
mod verdict;

pub use builder::{Choice, GraphBuilder, Limits, NodeMut};
pub use channel::{Chan, ChanId, Channel, ChannelKind, ChannelValue};
pub use clock::{Clock, VirtualClock};
pub use coordinate::{Budget, Claim, Decision, Offer, negotiate};
pub use dynamic::{Value, ValueChan};
pub use effect::{Aged, Client, Effects, Journal, Request, RequestId};
pub use error::{ChannelError, CompileError, LoadError, NodeError, RunError};
pub use exec::task::{ParentCommand, TaskError};
pub use interrupt::{Ask, InterruptId};
pub use io::{Io, Out, Reads};
pub use node::{END, Node, NodeId, START, SharedNode};
pub use packet::Packed;
pub use policy::{Bid, CachePolicy, Fallback, Retry};
pub use run::{Compiled, Paused, RunStats};
pub use saver::{
    CheckpointId, Durability, MemorySaver, NewCheckpoint, Place, Query, Saved, Saver, SaverError, Source, TaskWrite,
    check_saver,
};
pub use stream::{Event, Modes, State, Updates};
pub use subgraph::Keep;
pub use thread::{At, Command, Drain, End, Input, Outcome, Snapshot, SubgraphState, Update};
pub use verdict::{Outcome as VerdictOutcome, Verdict};
