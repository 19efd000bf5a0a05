//! Rows, versions and typed channels of subgraphs.

use crate::{compiled, idle, named, pool};
use std::sync::Arc;
use tradegraph_graph::{
    At, Channel, Compiled, Durability, GraphBuilder, Keep, MemorySaver, NodeError, NodeId, Query, Retry, RunError,
    START,
};

#[test]
fn rows_are_swapped_not_copied_and_folded_in_their_order() {
    let build = |threads: Option<usize>| {
        let mut g = GraphBuilder::<()>::new("rows");
        let signals = g.channel("signals", Channel::rows_of(vec![vec![0.0_f64; 4]; 3]));
        let sum = g.channel("sum", Channel::last(Vec::new()));
        let fold = g.node_fn("zz_fold", move |(), io| {
            let rows = io.get(signals)?;
            let all = (0..4).map(|i| rows.iter().map(|row| row[i]).sum::<f64>()).collect();
            Ok(io.write(sum, all)?)
        });
        let owners: Vec<NodeId> = (0..3_usize)
            .map(|row| {
                let fill = move |io: &mut tradegraph_graph::Io<'_>| {
                    let before = io.get(signals)?[row][0];
                    Ok(io.fill(signals, row, |spare| spare.fill(before + 0.1 * (row + 1) as f64))?)
                };
                match threads {
                    Some(_) => g.shared_fn(format!("owner {row}"), move |(), io| fill(io)),
                    None => g.node_fn(format!("owner {row}"), move |(), io| fill(io)),
                }
            })
            .collect();
        owners.iter().for_each(|o| _ = g.edge(START, *o));
        g.join(&owners, fold);
        let mut graph = compiled(g);
        if let Some(threads) = threads {
            graph.set_pool(pool(threads), usize::MAX);
        }
        (graph, signals, sum)
    };
    let (mut plain, signals, sum) = build(None);
    let at = |g: &Compiled<()>| g.get(signals).unwrap().iter().map(|row| row.as_ptr()).collect::<Vec<_>>();
    let first = at(&plain);
    plain.run(&mut ()).unwrap();
    let second = at(&plain);
    plain.run(&mut ()).unwrap();
    assert_eq!(at(&plain), first, "two buffers take turns");
    assert!(first.iter().zip(&second).all(|(a, b)| a != b));
    for threads in [1, 2, 16] {
        let (mut shared, _, same) = build(Some(threads));
        (0..2).for_each(|_| _ = shared.run(&mut ()).unwrap());
        assert_eq!(shared.get(same), plain.get(sum), "{threads} threads");
    }
}

#[test]
fn a_row_has_one_owner_a_step_and_must_exist() {
    let run = |rows: [usize; 2]| {
        let mut g = GraphBuilder::<()>::new("owners");
        let signals = g.channel("signals", Channel::rows_of(vec![0_i64; 2]));
        for (name, row) in ["a", "b"].into_iter().zip(rows) {
            let n = g.node_fn(name, move |(), io| Ok(io.fill(signals, row, |spare| *spare = 7)?));
            g.edge(START, n);
        }
        let mut graph = compiled(g);
        graph.run(&mut ()).map(|_| graph.get(signals).unwrap().clone())
    };
    assert_eq!(run([0, 1]).unwrap(), [7, 7]);
    let twice = run([1, 1]).unwrap_err();
    assert!(matches!(&twice, RunError::Conflict { nodes, .. } if nodes == &["a", "b"]), "{twice}");
    assert_eq!(run([0, 2]).unwrap_err().to_string(), "node `b` failed: channel `signals` has no row 2");
}

#[test]
fn a_row_filled_by_a_failed_attempt_is_free_again() {
    for shared in [false, true] {
        let mut g = GraphBuilder::<()>::new("retried");
        let signals = g.channel("signals", Channel::rows_of(vec![0_u32; 1]));
        let act = move |io: &mut tradegraph_graph::Io<'_>| {
            let attempt = io.attempt();
            io.fill(signals, 0, |spare| *spare = attempt)?;
            if attempt < 3 { Err(NodeError::failed("again")) } else { Ok(()) }
        };
        let n = if shared { g.shared_fn("n", move |(), io| act(io)) } else { g.node_fn("n", move |(), io| act(io)) };
        g.node_mut(n).retry(Retry { jitter: false, ..Retry::default() });
        g.edge(START, n);
        let mut graph = compiled(g);
        graph.run(&mut ()).unwrap();
        assert_eq!(graph.get(signals).unwrap(), &[3], "shared: {shared}");
    }
}

#[test]
fn c03_c06_versions_say_whether_a_step_updated_a_channel() {
    let mut g = GraphBuilder::<()>::new("versions");
    let t = g.channel("t", Channel::<Vec<String>, String>::topic().saved());
    let e = g.channel("e", Channel::<i64>::ephemeral().saved());
    let a = g.node_fn("a", move |(), io| {
        io.write(t, "x".to_owned())?;
        Ok(io.write(e, 5)?)
    });
    let [b, c] = ["b", "c"].map(|n| idle(&mut g, n));
    g.edge(START, a).edge(a, b).edge(b, c);
    let mut graph = compiled(g);
    let saver = Arc::new(MemorySaver::new());
    graph.attach(saver.clone(), Durability::Async);
    graph.invoke(&mut (), &At::thread("t"), |_| Ok(())).unwrap();
    let place = tradegraph_graph::Place { thread: "t", ns: "" };
    let mut list = tradegraph_graph::Saver::list(&*saver, place, Query::default()).unwrap();
    list.reverse();
    let version = |step: usize, name: &str| list[step].values.iter().find(|(n, ..)| n == name).map_or(0, |v| v.1);
    for name in ["t", "e"] {
        let versions: Vec<u64> = (2..5).map(|step| version(step, name)).collect();
        assert!(versions[0] < versions[1], "{name}: cleared is updated, {versions:?}");
        assert_eq!(versions[1], versions[2], "{name}: still empty is not updated");
    }
    assert!(graph.get(t).is_err() && graph.get(e).is_err(), "empty");
}

#[test]
fn a_subgraph_gets_its_values_through_typed_channels() {
    let mut inner = GraphBuilder::<()>::new("inner");
    let list = |g: &mut GraphBuilder<()>| {
        g.channel(
            "v",
            Channel::reduce(Vec::new(), |all: &mut Vec<String>, one: String| all.push(one))
                .saved()
                .shared_as(Vec::clone),
        )
    };
    let v = list(&mut inner);
    let s = named(&mut inner, v, "s");
    inner.edge(START, s);
    let mut g = GraphBuilder::<()>::new("outer");
    let v = list(&mut g);
    let a = named(&mut g, v, "a");
    let sub = g.subgraph("sub", compiled(inner), Keep::Run);
    g.edge(START, a).edge(a, sub);
    let mut graph = compiled(g);
    for n in 1..=2 {
        graph.reset();
        graph.run(&mut ()).unwrap();
        // The child's whole list is appended, as in LangGraph.
        assert_eq!(graph.get(v).unwrap(), &["a", "a", "s"], "run {n}");
    }
}
