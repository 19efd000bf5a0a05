//! What is refused, what is shown, and what is drawn.

use crate::{attached, compiled, idle, pool, saved_list};
use std::sync::Arc;
use tradegraph_graph::{
    At, Bid, CachePolicy, Channel, Fallback, GraphBuilder, Keep, Limits, Modes, NodeId, Retry, RunError, START,
};

fn refusal(g: GraphBuilder<()>) -> String {
    g.compile(Limits::default()).err().unwrap().to_string()
}

#[test]
fn c40_each_invalid_graph_is_refused_and_told_what_to_do() {
    let start = |wire: &dyn Fn(&mut GraphBuilder<()>, NodeId)| {
        let mut g = GraphBuilder::<()>::new("refused");
        let a = idle(&mut g, "a");
        g.edge(START, a);
        wire(&mut g, a);
        refusal(g)
    };
    let check = |wire: &dyn Fn(&mut GraphBuilder<()>, NodeId), expected: &str| {
        let found = start(wire);
        assert!(found.contains(expected), "{found}");
    };
    check(&|g, a| _ = g.node_mut(a).sends_to(&[a]), "`a` sends packets to `a`, which takes none; declare their type");
    check(&|g, a| _ = g.node_mut(a).takes::<i64>().once(), "`once` and takes packets");
    check(&|g, a| _ = g.node_mut(a).goes_to(&[START]), "START cannot be a target");
    check(&|g, a| _ = g.node_mut(a).fail_closed().fallback(Fallback::Skip), "must fail closed");
    check(&|g, a| _ = g.node_mut(a).bid(Bid { value: |_| 1.0, cost_ns: 1 }), "has no fallback for when it stands back");
    check(&|g, a| _ = g.node_mut(a).retry(Retry { attempts: 0, ..Retry::default() }), "at least one");
    check(
        &|g, a| {
            g.channel("x", Channel::last(0_i64));
            g.node_mut(a).cache(CachePolicy::default());
        },
        "channel `x` has no encoding",
    );
    check(
        &|g, a| {
            let b = idle(g, "b");
            g.node_mut(a).goes_to(&[b]);
            g.edge(a, b);
            g.edge(b, a);
            g.node_mut(b).once();
        },
        "`b` is `once` but can run twice in one run: START > a > b > a > b",
    );
    check(
        &|g, a| {
            let mut inner = GraphBuilder::<()>::new("inner");
            inner.channel("x", Channel::last(0_u8));
            let s = idle(&mut inner, "s");
            inner.edge(START, s);
            g.channel("x", Channel::last(String::new()));
            let sub = g.subgraph("sub", compiled(inner), Keep::Run);
            g.edge(a, sub);
        },
        "channel `x` of `sub` and of the graph around it cannot be shared",
    );
    let mut g = GraphBuilder::<()>::new("handler");
    let [a, h] = ["a", "h"].map(|n| idle(&mut g, n));
    g.node_mut(a).on_error(h);
    g.edge(START, a).edge(h, a);
    g.node_mut(a).once();
    let found = refusal(g);
    assert!(found.contains("`a` is `once` but can run twice"), "the handler leads back: {found}");
}

#[test]
fn what_is_not_declared_is_refused_at_run() {
    let run = |declare: bool| {
        let mut g = GraphBuilder::<()>::new("targets");
        let b = idle(&mut g, "b");
        let a = g.node_fn("a", move |(), io| io.goto(b));
        let other = idle(&mut g, "other");
        g.edge(START, a).edge(a, b);
        if declare {
            g.node_mut(a).goes_to(&[other]);
        }
        g.edge(b, other);
        compiled(g).run(&mut ()).unwrap_err().to_string()
    };
    assert_eq!(run(false), "node `a` failed: `goto` needs its declaration: add `goes_to` to the node or the graph");
    assert_eq!(run(true), "node `a` failed: `b` is not among the declared targets; add it to `goes_to`");
}

#[test]
fn a_plain_run_cannot_be_answered() {
    let mut g = GraphBuilder::<()>::new("asks");
    let a = g.node_fn("a", |(), io| io.interrupt("really?").map(drop));
    g.edge(START, a);
    g.observed();
    let error = compiled(g).run(&mut ()).unwrap_err();
    assert!(matches!(&error, RunError::Unanswerable { node } if node == "a"), "{error}");
}

#[test]
fn events_come_in_merge_order_whatever_runs_first() {
    let events = |threads: usize| {
        let mut g = GraphBuilder::<()>::new("events");
        let v = saved_list(&mut g);
        for (name, spin) in [("a", 30_000), ("b", 10), ("c", 3_000)] {
            let n = g.shared_fn(name, move |(), io| {
                (0..spin).for_each(|_| std::hint::spin_loop());
                io.emit(format!("{name} half-way"));
                Ok(io.write(v, name.to_owned())?)
            });
            g.edge(START, n);
        }
        let mut graph = attached(g);
        graph.set_pool(pool(threads), usize::MAX);
        let shown = Arc::new(std::sync::Mutex::new(Vec::new()));
        let to = shown.clone();
        graph.observe(Modes::ALL, move |e| to.lock().unwrap().push(format!("{e:?}")));
        graph.invoke(&mut (), &At::thread("t"), |i| i.write(v, "in".to_owned())).unwrap();
        std::mem::take(&mut *shown.lock().unwrap())
    };
    let expected = [
        "-1 checkpoint input",
        "0 values",
        "0 checkpoint loop",
        "1 task a None false Some(1)",
        "1 task b None false Some(2)",
        "1 task c None false Some(3)",
        "1 custom a Text(\"a half-way\")",
        "1 updates a [\"v\"] false",
        "1 custom b Text(\"b half-way\")",
        "1 updates b [\"v\"] false",
        "1 custom c Text(\"c half-way\")",
        "1 updates c [\"v\"] false",
        "1 values",
        "1 checkpoint loop",
    ];
    for threads in [1, 2, 16] {
        assert_eq!(events(threads), expected, "{threads} threads");
    }
}

#[test]
fn what_leads_to_a_node_is_drawn() {
    let mut g = GraphBuilder::<()>::new("drawn");
    let [a, b, h, w] = ["a", "b", "h", "w"].map(|n| idle(&mut g, n));
    g.node_mut(a).goes_to(&[b]).sends_to(&[w]).on_error(h);
    g.node_mut(b).deferred();
    g.node_mut(w).takes::<i64>();
    g.edge(START, a);
    let expected = "flowchart TD\n    START([START])\n    n0[\"a\"]\n    n1{{\"b\"}}\n    n2[\"h\"]\n    n3[\"w\"]\n    \
                    END([END])\n    START --> n0\n    n0 -.->|goto| n1\n    n0 -.->|packets| n3\n    \
                    n0 -.->|error| n2\n    n1 --> END\n    n2 --> END\n    n3 --> END\n";
    assert_eq!(compiled(g).mermaid(), expected);
}
