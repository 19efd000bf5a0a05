//! What can go wrong in a run and what stays as it was; channels from run to run; graphs of more than one word.

use crate::{idle, list, named};
use tradegraph_graph::{
    Chan, Channel, ChannelError, Choice, Compiled, END, GraphBuilder, Limits, NodeError, RunError, START,
};

#[derive(Clone, Copy)]
enum Next {
    Good,
    Unknown,
}

impl From<Next> for Choice {
    fn from(next: Next) -> Choice {
        Choice::Label(match next {
            Next::Good => "good",
            Next::Unknown => "nowhere",
        })
    }
}

#[test]
fn a_failing_node_is_named_and_leaves_the_last_barrier() {
    let mut g = GraphBuilder::<bool>::new("fails");
    let v = list(&mut g);
    let [a, b, c] = ["a", "b", "d"].map(|n| named(&mut g, v, n));
    let bad = g.node_fn("c", move |fail, io| {
        io.write(v, "half".to_owned())?;
        if *fail { Err(NodeError::failed("no data")) } else { Ok(()) }
    });
    g.edge(START, a).edge(a, b).edge(a, bad).edge(a, c);
    let mut graph = g.compile(Limits::default()).unwrap();
    let error = graph.run(&mut true).unwrap_err();
    assert_eq!(error.to_string(), "node `c` failed: no data");
    assert_eq!(graph.get(v).unwrap(), &["a"], "b ran, but its step has no barrier");
    // The next run starts from START with nothing left over.
    graph.run(&mut false).unwrap();
    assert_eq!(graph.get(v).unwrap(), &["a", "a", "b", "half", "d"]);
}

#[test]
fn a_caught_panic_leaves_the_last_barrier_too() {
    let mut g = GraphBuilder::<bool>::new("panics");
    let v = list(&mut g);
    let a = named(&mut g, v, "a");
    let b = g.node_fn("b", move |panics, io| {
        io.write(v, "half".to_owned())?;
        assert!(!*panics, "torn");
        Ok(())
    });
    g.edge(START, a).edge(a, b);
    let mut graph = g.compile(Limits::default()).unwrap();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| graph.run(&mut true)));
    assert!(caught.is_err());
    graph.input(v, "i".to_owned()).unwrap();
    graph.run(&mut false).unwrap();
    assert_eq!(graph.get(v).unwrap(), &["a", "i", "a", "half"]);
}

#[test]
fn routers_that_fail_or_choose_what_is_not_there() {
    let run = |router: fn() -> Result<Choice, NodeError>| {
        let mut g = GraphBuilder::<()>::new("router");
        let [a, b] = ["a", "b"].map(|n| idle(&mut g, n));
        g.edge(START, a);
        g.route(a, &[("good", b), ("end", END)], move |_| router());
        g.compile(Limits::default()).unwrap().run(&mut ()).map_err(|e| e.to_string())
    };
    assert_eq!(run(|| Ok(Next::Good.into())).unwrap().steps, 2);
    assert_eq!(run(|| Ok(1.into())).unwrap().steps, 1);
    assert_eq!(
        run(|| Ok(Next::Unknown.into())).unwrap_err(),
        "the router after `a` chose `nowhere`; its route has `good`, `end`"
    );
    assert_eq!(run(|| Ok(2.into())).unwrap_err(), "the router after `a` chose `option 2`; its route has `good`, `end`");
    assert_eq!(run(|| Err(NodeError::failed("torn"))).unwrap_err(), "the router after `a` failed: torn");
}

#[test]
fn channels_that_cannot_be_used() {
    let mut other = GraphBuilder::<()>::new("other");
    let foreign: Chan<String> = other.channel("text", Channel::empty());
    let mut g = GraphBuilder::<Vec<ChannelError>>::new("misuse");
    g.channel("number", Channel::last(0));
    let x = g.channel("x", Channel::<u32>::empty());
    let panel = g.channel("panel", Channel::external());
    let y = g.channel("y", Channel::last(0));
    let a = g.node_fn("a", move |errors, io| {
        errors.extend(io.get(x).err());
        errors.extend(io.get(foreign).err());
        errors.extend(io.write(foreign, String::new()).err());
        errors.extend(io.get(panel).err());
        errors.extend(io.write(panel, ()).err());
        errors.extend(io.get(y).err());
        errors.extend(io.write(y, 1).err());
        errors.extend(io.overwrite(y, 1).err());
        Ok(())
    });
    let all = [foreign.id(), x.id(), panel.id()];
    g.node_mut(a).reads(&all).writes(&all);
    g.edge(START, a);
    let mut errors = Vec::new();
    g.compile(Limits::default()).unwrap().run(&mut errors).unwrap();
    let (panel, y) = (|| "panel".to_owned(), || "y".to_owned());
    let expected = [
        ChannelError::Empty { channel: "x".to_owned() },
        ChannelError::Foreign { index: 0 },
        ChannelError::Foreign { index: 0 },
        ChannelError::HoldsNothing { channel: panel() },
        ChannelError::HoldsNothing { channel: panel() },
        ChannelError::UndeclaredRead { channel: y() },
        ChannelError::UndeclaredWrite { channel: y() },
        ChannelError::UndeclaredWrite { channel: y() },
    ];
    assert_eq!(errors, expected);
}

#[test]
fn values_last_from_run_to_run_unless_reset() {
    let mut g = GraphBuilder::<()>::new("runs");
    let push = |all: &mut Vec<u8>, one: u8| all.push(one);
    let kept = g.channel("kept", Channel::reduce(Vec::new(), push));
    let fresh = g.channel("fresh", Channel::reduce(vec![0], push).reset_each_run());
    let a = g.node_fn("a", move |(), io| {
        io.write(kept, 1)?;
        Ok(io.write(fresh, 1)?)
    });
    g.edge(START, a);
    let mut graph = g.compile(Limits::default()).unwrap();
    graph.run(&mut ()).unwrap();
    graph.input(fresh, 9).unwrap();
    graph.run(&mut ()).unwrap();
    assert_eq!(
        (graph.get(kept).unwrap().as_slice(), graph.get(fresh).unwrap().as_slice()),
        (&[1, 1][..], &[0, 9, 1][..])
    );
    graph.input(kept, 9).unwrap();
    assert_eq!(graph.get(kept).unwrap(), &[1, 1], "input waits for the next run");
    graph.reset();
    graph.run(&mut ()).unwrap();
    assert_eq!(graph.get(kept).unwrap(), &[1]);
}

#[test]
fn input_that_conflicts_is_an_error_of_start() {
    let mut g = GraphBuilder::<()>::new("input");
    let x = g.channel("x", Channel::last(0));
    let a = idle(&mut g, "a");
    g.edge(START, a);
    let mut graph = g.compile(Limits::default()).unwrap();
    graph.input(x, 1).unwrap();
    graph.input(x, 2).unwrap();
    let error = graph.run(&mut ()).unwrap_err();
    assert!(matches!(error, RunError::Conflict { channel, nodes } if channel == "x" && nodes == ["START", "START"]));
    assert_eq!(graph.run(&mut ()).unwrap().steps, 1, "the conflicting input is dropped");
    assert_eq!(graph.get(x), Ok(&0));
}

#[test]
fn a_cycle_ends_at_the_limit_and_keeps_what_it_committed() {
    let mut g = GraphBuilder::<()>::new("cycle");
    let v = list(&mut g);
    let [a, b] = ["a", "b"].map(|n| named(&mut g, v, n));
    g.edge(START, a).edge(a, b).edge(b, a);
    let mut graph = g.compile(Limits { recursion: 5 }).unwrap();
    let error = graph.run(&mut ()).unwrap_err();
    assert!(matches!(error, RunError::RecursionLimit { limit: 5, pending } if pending == ["b"]));
    assert_eq!(graph.get(v).unwrap(), &["a", "b", "a", "b", "a"]);
}

#[test]
fn two_hundred_nodes_fan_out_and_join() {
    let mut g = GraphBuilder::<u32>::new("wide");
    let members: Vec<_> = (0..200).map(|i| idle(&mut g, &format!("n{i:03}"))).collect();
    let last = g.node_fn("last", |ran, _| {
        *ran += 1;
        Ok(())
    });
    g.node_mut(last).once();
    for (i, m) in members.iter().enumerate() {
        // Depths differ, so only the join makes the last node run once.
        g.edge(if i % 3 == 2 { members[i - 1] } else { START }, *m);
    }
    g.join(&members, last).breakpoint(last);
    let mut graph = g.compile(Limits::default()).unwrap();
    let mut ran = 0;
    let stats = graph.run(&mut ran).unwrap();
    assert_eq!((stats.steps, stats.nodes_run, ran), (3, 201, 1));
    let paused = graph.run_until(&mut ran, last).unwrap();
    assert_eq!((paused.stats().nodes_run, graph.resume(&mut ran, &paused).unwrap().nodes_run, ran), (200, 1, 2));
}

#[test]
fn a_compiled_graph_can_be_sent_to_another_thread() {
    fn check<T: Send>() {}
    check::<Compiled<u8>>();
}
