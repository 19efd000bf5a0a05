//! What the graph itself costs, as JSON lines: the scenarios of LangGraph's own benchmark with trivial nodes.
//!
//! `cargo run --release -p tradegraph-graph --example bench [--quick]`. One line a scenario: the median, tenth and
//! ninetieth percentile in nanoseconds of one run, over batches; steps and nodes of a run; bytes that a run leaves in
//! the saver. Nodes do what the reference's do: count themselves, write one entry of a log.
#![allow(clippy::unwrap_used, clippy::disallowed_types, clippy::disallowed_methods, clippy::print_stdout)]

mod trading;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use tradegraph_graph::{At, Channel, Compiled, Durability, GraphBuilder, Limits, MemorySaver, RunStats, START};
use trading::{clear, trading};

fn chain(n: usize) -> Compiled<u64> {
    let mut g = GraphBuilder::<u64>::new("chain");
    let x = g.channel("x", Channel::last(0_i64).saved());
    let mut before = START;
    for i in 0..n {
        let node = g.node_fn(format!("n{i:03}"), move |runs: &mut u64, io| {
            *runs += 1;
            let seen = *io.get(x)?;
            Ok(io.write(x, seen + 1)?)
        });
        g.edge(before, node);
        before = node;
    }
    g.compile(Limits { recursion: 1_000 }).unwrap()
}

fn fan_out(n: i64) -> (Compiled<u64>, tradegraph_graph::Chan<Vec<i64>, i64>) {
    let mut g = GraphBuilder::<u64>::new("fan_out");
    let out = g.channel("out", Channel::reduce(Vec::new(), |all: &mut Vec<i64>, one: i64| all.push(one)).saved());
    let w = g.node_fn("worker", move |runs: &mut u64, io| {
        *runs += 1;
        let n = io.arg::<i64>()?;
        Ok(io.write(out, n)?)
    });
    g.node_mut(w).takes::<i64>();
    g.fan_out(START, &[w], move |_, to| (0..n).try_for_each(|i| to.send(w, i)));
    (g.compile(Limits::default()).unwrap(), out)
}

fn measure(name: &str, batch: u32, batches: usize, saver: Option<&MemorySaver>, mut run: impl FnMut(u32) -> RunStats) {
    let mut stats = RunStats::default();
    let mut times: Vec<f64> = Vec::with_capacity(batches);
    // The first tenth warms up the memory that the saver's buffers come from.
    let warm = batches / 10 + 1;
    for b in 0..batches + warm {
        if let Some(saver) = saver {
            tradegraph_graph::Saver::delete_thread(saver, "t").unwrap();
        }
        let start = Instant::now();
        for i in 0..batch {
            stats = black_box(run(i));
        }
        if b >= warm {
            times.push(start.elapsed().as_nanos() as f64 / f64::from(batch));
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let bytes = saver.map_or("null".to_owned(), |s| (s.bytes("t") / batch as usize).to_string());
    println!(
        "{{\"scenario\":\"{name}\",\"median_ns\":{:.1},\"p10_ns\":{:.1},\"p90_ns\":{:.1},\"steps\":{},\"node_runs\":{},\"saver_bytes\":{bytes}}}",
        at(0.5),
        at(0.1),
        at(0.9),
        stats.steps,
        stats.nodes_run
    );
}

fn main() {
    let quick = std::env::args().any(|a| a == "--quick");
    let n = if quick { 11 } else { 101 };
    let mut runs = 0_u64;
    let at = At::thread("t");

    let (mut graph, lists) = trading(false);
    measure("trading11_none", 1_000, n, None, |_| {
        graph.reset();
        graph.run(&mut runs).unwrap()
    });
    for (name, durability) in [("trading11_memory", Durability::Async), ("trading11_memory_exit", Durability::Exit)] {
        let saver = Arc::new(MemorySaver::new());
        let (mut graph, lists) = trading(false);
        graph.attach(saver.clone(), durability);
        measure(name, 100, n, Some(&saver), |_| graph.invoke(&mut runs, &at, clear(lists)).unwrap().stats);
    }
    let saver = Arc::new(MemorySaver::new());
    let (mut panel, _) = trading(true);
    panel.attach(saver.clone(), Durability::Async);
    measure("trading11_panel4mb_memory", 100, n, Some(&saver), |_| {
        panel.invoke(&mut runs, &at, clear(lists)).unwrap().stats
    });
    let mut graph = chain(100);
    measure("chain100_none", 200, n, None, |_| graph.run(&mut runs).unwrap());
    let saver = Arc::new(MemorySaver::new());
    graph.attach(saver.clone(), Durability::Async);
    measure("chain100_memory", 20, n, Some(&saver), |_| graph.invoke(&mut runs, &at, |_| Ok(())).unwrap().stats);
    let (mut graph, _) = fan_out(1_000);
    measure("send1000_none", 10, n, None, |_| {
        graph.reset();
        graph.run(&mut runs).unwrap()
    });
    let (mut graph, out) = fan_out(1_000);
    let saver = Arc::new(MemorySaver::new());
    graph.attach(saver.clone(), Durability::Async);
    measure("send1000_memory", 10, n, Some(&saver), |_| {
        graph.invoke(&mut runs, &at, |i| i.overwrite(out, Vec::new())).unwrap().stats
    });
    black_box(runs);
}
