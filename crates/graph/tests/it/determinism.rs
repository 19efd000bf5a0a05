//! The same state, ids and bytes with 1, 2 and 16 threads, whatever takes how long, and in another process.

use std::sync::Arc;
use tradegraph_columns::RollingHash;
use tradegraph_columns::codec::Encoder;
use tradegraph_graph::{At, Channel, Durability, GraphBuilder, Limits, MemorySaver, Modes, Place, Query, START, Saver};

/// A graph of shared nodes that spin for a time that depends on `salt`, with packets, a join and a deferred node.
/// The hash is of everything that comes out: saved bytes, checkpoints with their ids and bytes, events.
fn run(threads: usize, salt: u64) -> u64 {
    let mut g = GraphBuilder::<()>::new("determinism");
    let v = g.channel("v", Channel::reduce(Vec::new(), |all: &mut Vec<String>, one: String| all.push(one)).saved());
    let sum = g.channel("sum", Channel::reduce(0.0_f64, |all: &mut f64, one: f64| *all += one).saved());
    g.effect("model");
    let node = |g: &mut GraphBuilder<()>, name: &'static str| {
        g.shared_fn(name, move |(), io| {
            let spin = (io.task_id() ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50;
            (0..spin).for_each(|_| std::hint::spin_loop());
            let n = if io.has_arg() { io.arg::<i64>()? } else { 0 };
            io.request("model", n)?;
            io.emit(format!("{name} {:x}", io.task_id()));
            // Not associative: another order of folding gives another sum.
            io.write(sum, 0.1 + 1e16 / (n + 3) as f64)?;
            Ok(io.write(v, format!("{name}{n}"))?)
        })
    };
    let [a, b, c, d, w, z] = ["a", "b", "c", "d", "w", "z"].map(|name| node(&mut g, name));
    g.node_mut(w).takes::<i64>();
    g.node_mut(z).deferred();
    g.edge(START, a).edge(START, b).edge(START, c).join(&[a, b], d).edge(c, z);
    g.fan_out(b, &[w], move |_, out| (0..100_i64).try_for_each(|n| out.send(w, n * 7 % 13)));
    let mut graph = g.compile(Limits::default()).unwrap();
    let saver = Arc::new(MemorySaver::new());
    graph.attach(saver.clone(), Durability::Async);
    graph.set_pool(Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()), usize::MAX);
    let events = Arc::new(std::sync::Mutex::new(RollingHash::new(1)));
    let to = events.clone();
    graph.observe(Modes::ALL, move |e| to.lock().unwrap().bytes(format!("{e:?}").as_bytes()));
    for thread in ["one", "two", "one"] {
        graph.invoke(&mut (), &At::thread(thread), |i| i.write(v, "in".to_owned())).unwrap();
    }
    let mut bytes = Encoder::new();
    graph.save(&mut bytes);
    let mut hash = RollingHash::new(events.lock().unwrap().value());
    hash.bytes(bytes.as_bytes());
    for thread in ["one", "two"] {
        for saved in saver.list(Place { thread, ns: "" }, Query::default()).unwrap() {
            hash.bytes(format!("{saved:?}").as_bytes());
        }
    }
    graph.effects().take_requests().iter().for_each(|r| hash.word(r.id.number()));
    hash.value()
}

/// Written down, so that another process, machine or day has to give the same.
const HASH: u64 = 0x1018_897a_cb3b_14c8;

#[test]
fn threads_delays_and_processes_change_nothing() {
    let found: Vec<u64> = [(1, 0), (2, 1), (2, 2), (16, 3), (16, 4), (1, 5)].map(|(t, salt)| run(t, salt)).to_vec();
    assert_eq!(found, vec![HASH; found.len()], "{:#x}", found[0]);
}
