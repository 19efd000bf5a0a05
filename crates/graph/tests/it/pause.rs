//! Pauses: a prefix that runs once, a suffix that runs as often as wanted.

use crate::council::{Log, council};
use crate::{idle, list, named};
use tradegraph_graph::{Channel, CompileError, END, GraphBuilder, Limits, RunError, START};

#[test]
fn pause_and_resume_equal_a_straight_run() {
    for route in ["learn", "execute", "risk_check"] {
        let (mut g, ids) = council(true, &[]);
        g.breakpoint(ids["portfolio_allocator"]);
        let mut graph = g.compile(Limits::default()).unwrap();
        let mut straight = Log { route, ..Log::default() };
        let whole = graph.run(&mut straight).unwrap();

        let mut halves = Log { route, ..Log::default() };
        let paused = graph.run_until(&mut halves, ids["portfolio_allocator"]).unwrap();
        assert_eq!(halves.ran.len(), 7);
        let rest = graph.resume(&mut halves, &paused).unwrap();
        assert_eq!(halves.ran, straight.ran);
        assert_eq!(paused.stats().steps + rest.steps, whole.steps);
        assert_eq!(paused.stats().nodes_run + rest.nodes_run, whole.nodes_run);
    }
}

#[test]
fn one_pause_is_resumed_many_times() {
    let (g, ids) = council(true, &[]);
    let mut graph = g.compile(Limits::default()).unwrap();
    let mut log = Log::default();
    let paused = graph.run_until(&mut log, ids["portfolio_allocator"]).unwrap();
    for (route, expected) in [("risk_check", 4), ("learn", 2), ("execute", 3), ("risk_check", 4)] {
        log = Log { route, ..Log::default() };
        assert_eq!(graph.resume(&mut log, &paused).unwrap().nodes_run, expected);
        assert_eq!(log.ran.len(), expected as usize);
    }
    // A straight run in between changes nothing.
    graph.run(&mut log).unwrap();
    assert_eq!(graph.resume(&mut log, &paused).unwrap().nodes_run, 4);
}

#[test]
fn half_filled_joins_are_part_of_the_pause() {
    let mut g = GraphBuilder::<()>::new("half");
    let v = list(&mut g);
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|n| named(&mut g, v, n));
    // At the breakpoint b, a has arrived at the join and c has not.
    g.edge(START, a).edge(a, b).edge(b, c).join(&[a, c], d);
    let mut graph = g.compile(Limits::default()).unwrap();
    let paused = graph.run_until(&mut (), b).unwrap();
    for n in 1..=2 {
        graph.resume(&mut (), &paused).unwrap();
        let tail = &graph.get(v).unwrap()[1 + (n - 1) * 3..];
        assert_eq!(tail, ["b", "c", "d"]);
    }
}

#[test]
fn the_recursion_limit_counts_the_prefix() {
    for (recursion, works) in [(3, false), (4, true)] {
        let mut g = GraphBuilder::<()>::new("limit");
        let [a, b, c] = ["a", "b", "c"].map(|n| idle(&mut g, n));
        g.edge(START, a).edge(a, b).edge(b, c);
        let mut graph = g.compile(Limits { recursion }).unwrap();
        let paused = graph.run_until(&mut (), c).unwrap();
        assert_eq!(graph.resume(&mut (), &paused).is_ok(), works);
    }
}

#[test]
fn input_reaches_a_resume() {
    let mut g = GraphBuilder::<Vec<i64>>::new("input");
    let x = g.channel("x", Channel::last(0));
    let a = idle(&mut g, "a");
    let b = g.node_fn("b", move |seen, io| {
        seen.push(*io.get(x)?);
        Ok(())
    });
    g.edge(START, a).edge(a, b);
    let mut graph = g.compile(Limits::default()).unwrap();
    let mut seen = Vec::new();
    let paused = graph.run_until(&mut seen, b).unwrap();
    for slice in 1..=3 {
        graph.input(x, slice).unwrap();
        graph.resume(&mut seen, &paused).unwrap();
    }
    assert_eq!(seen, [1, 2, 3]);
}

/// Two branches of different length to b: b beside c2, and a route that may skip both.
fn unfit() -> (GraphBuilder<()>, [tradegraph_graph::NodeId; 3]) {
    let mut g = GraphBuilder::new("unfit");
    let [a, b, c] = ["a", "b", "c"].map(|n| idle(&mut g, n));
    g.edge(START, a).edge(START, c);
    g.route(a, &[("b", b), ("end", END)], |_| Ok("b"));
    g.edge(c, b);
    (g, [a, b, c])
}

#[test]
fn a_breakpoint_beside_other_nodes_is_an_error_at_run_and_at_compile() {
    let (g, [a, ..]) = unfit();
    let error = g.compile(Limits::default()).unwrap().run_until(&mut (), a).unwrap_err();
    assert!(
        matches!(&error, RunError::BreakpointShared { node, others } if node == "a" && others == &["c"]),
        "{error}"
    );
    let (mut g, [a, ..]) = unfit();
    g.breakpoint(a);
    let error = g.compile(Limits::default()).err().unwrap();
    let steps = vec![vec!["a".to_owned(), "c".to_owned()]];
    assert_eq!(error, CompileError::BreakpointShared { node: "a".into(), steps });
}

#[test]
fn a_breakpoint_that_is_missed_is_an_error_at_run_and_at_compile() {
    let build = |declare: bool| {
        let mut g = GraphBuilder::<()>::new("missed");
        let [a, b] = ["a", "b"].map(|n| idle(&mut g, n));
        g.edge(START, a);
        g.route(a, &[("b", b), ("end", END)], |_| Ok("end"));
        if declare {
            g.breakpoint(b);
        }
        (g.compile(Limits::default()), b)
    };
    let (graph, b) = build(false);
    let error = graph.unwrap().run_until(&mut (), b).unwrap_err();
    assert!(matches!(&error, RunError::BreakpointMissed { node } if node == "b"), "{error}");
    let error = build(true).0.err().unwrap();
    assert_eq!(
        error.to_string(),
        "a run may end without passing the breakpoint `b`: START > a > END; choose a node on every path"
    );
}

#[test]
fn a_pause_or_breakpoint_of_another_graph_is_refused() {
    let (g, ids) = council(true, &[]);
    let mut graph = g.compile(Limits::default()).unwrap();
    let paused = graph.run_until(&mut Log::default(), ids["portfolio_allocator"]).unwrap();
    let (g, _) = council(true, &["options_trader"]);
    let mut other = g.compile(Limits::default()).unwrap();
    assert!(matches!(other.resume(&mut Log::default(), &paused), Err(RunError::ForeignPause)));
    let gone = other.run_until(&mut Log::default(), ids["options_trader"]);
    assert!(matches!(gone, Err(RunError::NoSuchBreakpoint { index: 6 })));
    assert!(matches!(other.run_until(&mut Log::default(), START), Err(RunError::NoSuchBreakpoint { .. })));
}
