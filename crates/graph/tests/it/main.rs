//! The graph crate's tests through its public interface: LangGraph's behaviours, refusals, pauses, saving, drawings,
//! and a comparison with a naive interpreter.
// Helpers outside `#[test]` functions unwrap as well; clippy's allowance for tests does not see them.
#![allow(clippy::unwrap_used)]

mod channels;
mod conformance;
mod coordinator;
mod council;
mod determinism;
mod drawing;
mod effects;
mod faults;
mod full;
mod langgraph;
mod pause;
mod policies;
mod reference;
mod refusals;
mod run;
mod save;
mod threads;

use std::sync::Arc;
use tradegraph_graph::{Chan, Channel, Compiled, Durability, GraphBuilder, Limits, MemorySaver, NodeId};

/// The list channel `v` of the conformance page: an append reducer.
pub(crate) type List = Chan<Vec<String>, String>;

pub(crate) fn list<C>(g: &mut GraphBuilder<C>) -> List {
    g.channel("v", Channel::reduce(Vec::new(), |all: &mut Vec<String>, one: String| all.push(one)))
}

/// "X writes X": a node that appends its own name.
pub(crate) fn named<C>(g: &mut GraphBuilder<C>, v: List, name: &'static str) -> NodeId {
    g.node_fn(name, move |_, io| Ok(io.write(v, name.to_owned())?))
}

/// A node that does nothing.
pub(crate) fn idle<C>(g: &mut GraphBuilder<C>, name: &str) -> NodeId {
    g.node_fn(name, |_, _| Ok(()))
}

pub(crate) fn pool(threads: usize) -> Arc<rayon::ThreadPool> {
    Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap())
}

pub(crate) fn saved_list<C>(g: &mut GraphBuilder<C>) -> List {
    g.channel("v", Channel::reduce(Vec::new(), |all: &mut Vec<String>, one: String| all.push(one)).saved())
}

pub(crate) fn compiled<C>(g: GraphBuilder<C>) -> Compiled<C> {
    g.compile(Limits::default()).unwrap()
}

pub(crate) fn attached<C>(g: GraphBuilder<C>) -> Compiled<C> {
    let mut graph = compiled(g);
    graph.attach(Arc::new(MemorySaver::new()), Durability::Async);
    graph
}
