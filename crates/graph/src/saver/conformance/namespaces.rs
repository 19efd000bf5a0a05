//! The namespaces of subgraphs through a saver: read, changed, copied and run from, by graphs that are made anew in
//! between, as other processes would.

use super::{Check, must};
use crate::channel::Channel;
use crate::error::RunError;
use crate::interrupt::Ask;
use crate::saver::{CheckpointId, Durability, Query, Saver, Source};
use crate::{At, Chan, Compiled, End, GraphBuilder, Keep, Limits, START, Snapshot, Update};
use std::sync::Arc;

type Words = Chan<Vec<String>, String>;

struct Desk {
    graph: Compiled<()>,
    mine: Words,
}

fn words(g: &mut GraphBuilder<()>, name: &str) -> Words {
    g.channel(name, Channel::reduce(Vec::new(), |all: &mut Vec<String>, one: String| all.push(one)).saved())
}

/// `first` → `desk` (`look` → `ask` → `act`) → `last`; the subgraph's words are its own.
fn desk(saver: &Arc<dyn Saver>, keep: Keep) -> Result<Desk, String> {
    let told = |e: crate::CompileError| e.to_string();
    let mut inner = GraphBuilder::<()>::new("desk");
    let mine = words(&mut inner, "mine");
    let look = inner.node_fn("look", move |(), io| Ok(io.write(mine, "looked".to_owned())?));
    let ask = inner.node_fn("ask", move |(), io| {
        let answer = io.interrupt("buy?")?;
        Ok(io.write(mine, answer.as_str().unwrap_or_default().to_owned())?)
    });
    let act = inner.node_fn("act", move |(), io| Ok(io.write(mine, "acted".to_owned())?));
    inner.edge(START, look).edge(look, ask).edge(ask, act);
    let mut outer = GraphBuilder::<()>::new("office");
    let v = words(&mut outer, "v");
    let first = outer.node_fn("first", move |(), io| Ok(io.write(v, "first".to_owned())?));
    let inner = inner.compile(Limits::default()).map_err(told)?;
    let desk = outer.subgraph("desk", inner, keep);
    let last = outer.node_fn("last", move |(), io| Ok(io.write(v, "last".to_owned())?));
    outer.edge(START, first).edge(first, desk).edge(desk, last);
    let mut graph = outer.compile(Limits::default()).map_err(told)?;
    graph.attach(saver.clone(), Durability::Sync);
    Ok(Desk { graph, mine })
}

impl Desk {
    fn words(&self, ns: &str, s: &Snapshot) -> Result<Vec<String>, String> {
        Ok(ran(self.graph.value_within(ns, s, self.mine))?.unwrap_or_default())
    }

    fn newest(&mut self, ns: &str) -> Result<(Vec<String>, Snapshot), String> {
        let state = ran(self.graph.state_within(&At::thread("t"), ns))?.ok_or("the namespace has no checkpoint")?;
        Ok((self.words(ns, &state)?, state))
    }

    /// As if `look` had seen one more word.
    fn see(&mut self, at: &At, ns: &str, word: &str) -> Result<CheckpointId, String> {
        let (look, mine) = (self.graph.node_within(ns, "look").ok_or("no node `look`")?, self.mine);
        ran(self.graph.update_within(at, ns, Update::of(look, |s| s.write(mine, word.to_owned()))))
    }
}

fn ran<T>(result: Result<T, RunError>) -> Result<T, String> {
    result.map_err(|e| e.to_string())
}

fn asked(end: End) -> Result<Vec<Ask>, String> {
    if let End::Asked(asks) = end { Ok(asks) } else { Err(format!("the run ended with {end:?}")) }
}

pub(super) fn check(saver: &Arc<dyn Saver>) -> Check {
    for keep in [Keep::Run, Keep::Thread] {
        changed(saver, keep).map_err(|why| format!("{keep:?}: {why}"))?;
        ran_from(saver, keep).map_err(|why| format!("{keep:?}, from a checkpoint: {why}"))?;
        saver.delete_thread("t").map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// The next run sees a change; the history has it; copies are beside it.
fn changed(saver: &Arc<dyn Saver>, keep: Keep) -> Check {
    let at = At::thread("t");
    let mut one = desk(saver, keep)?;
    asked(ran(one.graph.invoke(&mut (), &at, |_| Ok(())))?.end)?;
    let found = ran(one.graph.subgraphs(&at))?;
    let ns = found.first().map(|s| s.ns.clone()).ok_or("no subgraph is next")?;
    let before = one.newest(&ns)?;
    must("before", before.0, vec!["looked".to_owned()])?;

    let mut two = desk(saver, keep)?;
    let made = two.see(&at, &ns, "news")?;
    let (words, state) = two.newest(&ns)?;
    must("changed", words, ["looked", "news"].map(str::to_owned).to_vec())?;
    must("its checkpoint", (state.id, state.parent, state.source), (made, Some(before.1.id), Source::Update))?;
    must("next", state.next, vec!["ask".to_owned()])?;
    let old = ran(two.graph.state_within(&at.checkpoint(before.1.id), &ns))?.ok_or("the old one is gone")?;
    must("the old one", two.words(&ns, &old)?, vec!["looked".to_owned()])?;

    let mut three = desk(saver, keep)?;
    must("answered", ran(three.graph.answer(&mut (), &at, "yes"))?.end, End::Done)?;
    let (words, state) = three.newest(&ns)?;
    must("at the end", words, ["looked", "news", "yes", "acted"].map(str::to_owned).to_vec())?;
    let copy = ran(three.graph.copy_within(&at.checkpoint(made), &ns))?;
    let steps = |query| -> Result<Vec<(i64, Source)>, String> {
        let all = ran(desk(saver, keep)?.graph.history_within(&at, &ns, query))?;
        Ok(all.into_iter().map(|s| (s.step, s.source)).collect())
    };
    let (input, ran_one, updated) = ((-1, Source::Input), |step| (step, Source::Loop), (2, Source::Update));
    let all = vec![(3, Source::Fork), ran_one(4), ran_one(3), updated, ran_one(1), ran_one(0), input];
    must("history", steps(Query::default())?, all)?;
    must("limit", steps(Query { limit: Some(2), ..Query::default() })?, vec![(3, Source::Fork), ran_one(4)])?;
    must("source", steps(Query { source: Some(Source::Update), ..Query::default() })?, vec![updated])?;
    must("step", steps(Query { step: Some(0), ..Query::default() })?, vec![ran_one(0)])?;
    must("before", steps(Query { before: Some(made), ..Query::default() })?, vec![ran_one(1), ran_one(0), input])?;
    let copy = ran(three.graph.state_within(&at.checkpoint(copy), &ns))?.ok_or("the copy is gone")?;
    must("the copy", (three.words(&ns, &copy)?.len(), copy.parent), (2, Some(before.1.id)))?;
    must("the end is still there", ran(three.graph.state_within(&at.checkpoint(state.id), &ns))?, Some(state))
}

/// A branch from a changed old checkpoint of the namespace, after the thread came to its end.
fn ran_from(saver: &Arc<dyn Saver>, keep: Keep) -> Check {
    let at = At::thread("u");
    let mut one = desk(saver, keep)?;
    asked(ran(one.graph.invoke(&mut (), &at, |_| Ok(())))?.end)?;
    let ns = ran(one.graph.subgraphs(&at))?.first().map(|s| s.ns.clone()).ok_or("no subgraph is next")?;
    must("the first branch", ran(one.graph.answer(&mut (), &at, "yes"))?.end, End::Done)?;
    let ends = ran(one.graph.state(&at))?;
    let history = ran(one.graph.history_within(&at, &ns, Query::default()))?;
    let asking = history.iter().find(|s| s.next == ["ask"]).ok_or("nothing asks in the history")?;

    let mut two = desk(saver, keep)?;
    let made = two.see(&at.checkpoint(asking.id), &ns, "rumour")?;
    must("the thread as it was", ran(two.graph.state(&at))?, ends)?;
    // The answer goes to the changed checkpoint, since nothing else waits where the graph around it was then.
    let end = ran(desk(saver, keep)?.graph.answer(&mut (), &at.within(&ns, made), "no"))?.end;
    must("the second branch", end, End::Done)?;
    let branch = ran(desk(saver, keep)?.graph.history_within(&at, &ns, Query::default()))?;
    let newest = branch.first().ok_or("no history")?;
    must("its words", two.words(&ns, newest)?, ["looked", "rumour", "no", "acted"].map(str::to_owned).to_vec())?;
    let kept = branch.iter().filter(|s| history.contains(s)).count();
    must("the first branch is kept", kept, history.len())?;
    saver.delete_thread("u").map_err(|e| e.to_string())
}
