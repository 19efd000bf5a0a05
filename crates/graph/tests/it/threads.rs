//! Threads over a saver: other processes, subgraphs, what is kept and what is refused.

use crate::{attached, compiled, idle, named, saved_list};
use std::sync::Arc;
use tradegraph_columns::codec::{Decoder, Encoder};
use tradegraph_graph::{
    At, Channel, Durability, End, GraphBuilder, Keep, MemorySaver, NodeId, Paused, Query, RunError, START, Value,
    check_saver,
};

#[test]
fn the_memory_saver_does_what_a_saver_must() {
    check_saver(&|| Box::new(MemorySaver::new())).unwrap();
}

#[test]
fn a_thread_goes_on_in_another_process_with_the_same_saver() {
    let build = || {
        let mut g = GraphBuilder::<()>::new("restart");
        let v = saved_list(&mut g);
        let a = g.node_fn("a", move |(), io| {
            let answer = io.interrupt("go?")?;
            Ok(io.write(v, answer.as_str().unwrap_or("?").to_owned())?)
        });
        let ok = named(&mut g, v, "ok");
        g.edge(START, a).edge(START, ok);
        (compiled(g), v)
    };
    let saver = Arc::new(MemorySaver::new());
    let at = At::thread("t");
    let (mut first, v) = build();
    first.attach(saver.clone(), Durability::Sync);
    let End::Asked(asks) = first.invoke(&mut (), &at, |i| i.write(v, "in".to_owned())).unwrap().end else { panic!() };
    assert_eq!((asks[0].node.as_str(), &asks[0].value), ("a", &Value::from("go?")));
    let (mut second, v) = build();
    second.attach(saver, Durability::Sync);
    assert_eq!(second.answer(&mut (), &at, "yes").unwrap().end, End::Done);
    assert_eq!(second.get(v).unwrap(), &["in", "yes", "ok"]);
    let history = second.history(&at, Query::default()).unwrap();
    assert_eq!(history.len(), 3);
    assert_eq!(second.value_in(&history[0], v).unwrap().unwrap().len(), 3);
}

#[test]
fn a_subgraph_is_looked_into_at_any_of_its_checkpoints() {
    let mut inner = GraphBuilder::<()>::new("inner");
    let x = inner.channel("x", Channel::reduce(Vec::new(), |all: &mut Vec<String>, one: String| all.push(one)).saved());
    let [a, b] = ["a", "b"].map(|n| named(&mut inner, x, n));
    inner.edge(START, a).edge(a, b);
    inner.interrupt_before(b);
    let mut g = GraphBuilder::<()>::new("outer");
    let v = saved_list(&mut g);
    let sub = g.subgraph("sub", compiled(inner), Keep::Run);
    let last = named(&mut g, v, "last");
    g.edge(START, sub).edge(sub, last);
    let mut graph = attached(g);
    let at = At::thread("t");
    graph.invoke(&mut (), &at, |_| Ok(())).unwrap();

    let found = graph.subgraphs(&at).unwrap();
    let ns = found[0].ns.clone();
    let state = found[0].state.as_ref().unwrap();
    assert_eq!((found.len(), found[0].node.as_str(), state.next.as_slice()), (1, "sub", &["b".to_owned()][..]));
    assert_eq!(graph.value_within(&ns, state, x).unwrap(), Some(vec!["a".to_owned()]));
    let history = graph.history_within(&at, &ns, Query::default()).unwrap();
    let nexts: Vec<_> = history.iter().map(|s| s.next.join(" ")).collect();
    assert_eq!(nexts, ["b", "a", "START"]);
    assert_eq!(graph.state_within(&at.checkpoint(history[1].id), &ns).unwrap().unwrap().next, ["a"]);
    assert_eq!(graph.state_within(&at, "sub:0").unwrap(), None);
    for wrong in ["", "other", "sub|deep"] {
        let error = graph.state_within(&at, wrong).unwrap_err().to_string();
        let known = if wrong == "sub|deep" { "" } else { "sub" };
        assert_eq!(error, format!("no subgraph has the namespace `{wrong}`; subgraphs there are: {known}"));
    }

    // The run goes on where it was, whatever was looked at last.
    graph.state_within(&at.checkpoint(history[2].id), &ns).unwrap();
    assert_eq!(graph.proceed(&mut (), &at).unwrap().end, End::Done);
    assert_eq!(graph.get(v).unwrap(), &["last"]);
    let ended = graph.state_within(&at, &ns).unwrap().unwrap();
    assert_eq!(graph.value_within(&ns, &ended, x).unwrap(), Some(vec!["a".to_owned(), "b".to_owned()]));
    assert!(graph.subgraphs(&at).unwrap().is_empty());
    assert_eq!(graph.history_within(&at, &ns, Query::default()).unwrap().len(), 4);
}

#[test]
fn a_subgraph_kept_by_thread_runs_again_after_a_breakpoint_before_it() {
    let mut inner = GraphBuilder::<()>::new("inner");
    let v = saved_list(&mut inner);
    let s = named(&mut inner, v, "s");
    inner.edge(START, s);
    let mut outer = GraphBuilder::<()>::new("outer");
    let sub = outer.subgraph("sub", compiled(inner), Keep::Thread);
    outer.edge(START, sub).interrupt_before(sub);
    let mut graph = attached(outer);
    let at = At::thread("t");
    for runs in 1..=3 {
        let stopped = graph.invoke(&mut (), &at, |_| Ok(())).unwrap().end;
        assert_eq!(stopped, End::Before(vec!["sub".to_owned()]));
        assert_eq!(graph.proceed(&mut (), &at).unwrap().end, End::Done);
        let state = graph.state_within(&at, "sub").unwrap().unwrap();
        assert_eq!(graph.value_within("sub", &state, v).unwrap().unwrap().len(), runs);
    }
}

#[test]
fn answers_that_nobody_waits_for_are_refused() {
    let mut g = GraphBuilder::<()>::new("answers");
    let a = idle(&mut g, "a");
    g.edge(START, a);
    let mut graph = compiled(g);
    let at = At::thread("t");
    assert!(matches!(graph.proceed(&mut (), &at), Err(RunError::NoSaver)));
    graph.attach(Arc::new(MemorySaver::new()), Durability::Async);
    assert!(matches!(graph.proceed(&mut (), &at), Err(RunError::NoCheckpoint { thread }) if thread == "t"));
    graph.invoke(&mut (), &at, |_| Ok(())).unwrap();
    assert!(matches!(graph.answer(&mut (), &at, 1), Err(RunError::NothingAsked)));
}

#[test]
fn unchanged_channels_are_not_written_again_and_columns_are_kept_by_key() {
    let panel: Arc<Vec<f64>> = Arc::new(vec![1.0; 524_288]);
    let kept = panel.clone();
    let mut g = GraphBuilder::<()>::new("panel");
    let px = g.channel(
        "px",
        Channel::<Arc<Vec<f64>>>::empty()
            .saved_by_key(|_, to| to.u64(17), move |key| (key == 17).then(|| kept.clone())),
    );
    let v = saved_list(&mut g);
    let names: Vec<NodeId> = ["a", "b", "c"].map(|n| named(&mut g, v, n)).to_vec();
    g.edge(START, names[0]).edge(names[0], names[1]).edge(names[1], names[2]);
    let mut graph = compiled(g);
    let saver = Arc::new(MemorySaver::new());
    graph.attach(saver.clone(), Durability::Async);
    let at = At::thread("t");
    // The input's own record is not kept: an update of this channel has no encoding.
    graph.invoke(&mut (), &at, |i| i.write(px, panel.clone())).unwrap();
    let bytes = saver.bytes("t");
    assert!(bytes < 2_048, "{bytes} bytes for a cycle with a panel of 4 MB");
    let old = graph.history(&at, Query { step: Some(1), ..Query::default() }).unwrap();
    let then = graph.value_in(&old[0], px).unwrap().unwrap();
    assert!(Arc::ptr_eq(&then, &panel));
}

#[test]
fn a_checkpoint_of_another_shape_is_refused() {
    let build = |more: bool| {
        let mut g = GraphBuilder::<()>::new("shape");
        let a = idle(&mut g, "a");
        g.edge(START, a);
        if more {
            let b = idle(&mut g, "b");
            g.edge(a, b);
        }
        compiled(g)
    };
    let saver = Arc::new(MemorySaver::new());
    let at = At::thread("t");
    let mut first = build(false);
    first.attach(saver.clone(), Durability::Async);
    first.invoke(&mut (), &at, |_| Ok(())).unwrap();
    let mut second = build(true);
    second.attach(saver, Durability::Async);
    let error = second.proceed(&mut (), &at).unwrap_err();
    assert!(error.to_string().contains("of a graph with other nodes, edges or routes"), "{error}");
    assert!(matches!(error, RunError::BadCheckpoint { .. }));
}

#[test]
fn a_pause_is_saved_and_gone_on_with_elsewhere() {
    let build = || {
        let mut g = GraphBuilder::<()>::new("pause");
        let v = saved_list(&mut g);
        let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(|n| named(&mut g, v, n));
        g.edge(START, a).edge(a, b).edge(b, c).join(&[a, c], d).edge(a, e);
        g.node_mut(e).deferred();
        (compiled(g), v, b)
    };
    let (mut first, v, b) = build();
    let paused = first.run_until(&mut (), b).unwrap();
    let (mut state, mut pause) = (Encoder::new(), Encoder::new());
    first.save(&mut state);
    paused.save(&mut pause);
    first.resume(&mut (), &paused).unwrap();
    let (mut second, ..) = build();
    second.load(&mut Decoder::new(state.as_bytes())).unwrap();
    let loaded = Paused::load(&mut Decoder::new(pause.as_bytes())).unwrap();
    assert_eq!(loaded, paused);
    second.resume(&mut (), &loaded).unwrap();
    assert_eq!(second.get(v), first.get(v));
    assert_eq!(first.get(v).unwrap(), &["a", "b", "c", "d", "e"], "the deferred node waits over the pause");
    for cut in 0..pause.as_bytes().len() {
        assert!(Paused::load(&mut Decoder::new(&pause.as_bytes()[..cut])).is_err(), "cut at {cut}");
    }
}
