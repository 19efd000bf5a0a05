//! What a cycle of the eleven nodes costs when each is committed to SQLite, as JSON lines.
//!
//! `cargo run --release -p tradegraph-store --example checkpoints [--quick] [DIR]`. One line a setting: median, tenth and
//! ninetieth percentile of one cycle in microseconds, over cycles of one thread, with the file in DIR (default: the
//! system's temporary folder). LangGraph's side is `scripts/bench/langgraph_sqlite.py`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../../graph/examples/bench/trading.rs"]
mod trading;

use std::sync::Arc;
use std::time::Instant;
use tradegraph_graph::{At, Durability, Saver};
use tradegraph_store::SqliteSaver;

fn main() {
    let quick = std::env::args().any(|a| a == "--quick");
    let dir = std::env::args().skip(1).find(|a| !a.starts_with('-')).map_or_else(std::env::temp_dir, Into::into);
    let cycles = if quick { 500 } else { 5_000 };
    for (name, full, durability) in [
        ("sqlite_normal", false, Durability::Async),
        ("sqlite_normal_alone", false, Durability::Async),
        ("sqlite_normal_exit", false, Durability::Exit),
        ("sqlite_normal_every_step", false, Durability::Sync),
        ("sqlite_full", true, Durability::Async),
        ("sqlite_full_every_step", true, Durability::Sync),
    ] {
        let folder = tempfile::tempdir_in(&dir).unwrap();
        let path = folder.path().join("checkpoints.sqlite");
        let open = if name.ends_with("alone") { SqliteSaver::open_alone } else { SqliteSaver::open };
        let saver = Arc::new(open(&path, full).unwrap());
        let (mut graph, lists) = trading::trading(false);
        graph.attach(saver.clone(), durability);
        let at = At::thread("desk");
        let mut runs = 0_u64;
        let mut times = Vec::with_capacity(cycles);
        for cycle in 0..cycles + cycles / 10 {
            let start = Instant::now();
            graph.invoke(&mut runs, &at, trading::clear(lists)).unwrap();
            if cycle >= cycles / 10 {
                times.push(start.elapsed().as_secs_f64() * 1e6);
            }
        }
        let checkpoints = saver.newest_seq("desk").unwrap();
        drop((graph, saver));
        let bytes = std::fs::metadata(&path).unwrap().len();
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        println!(
            "{{\"scenario\":\"trading11_{name}\",\"median_us\":{:.1},\"p10_us\":{:.1},\"p90_us\":{:.1},\"cycles\":{},\"checkpoints\":{checkpoints},\"file_bytes_a_cycle\":{}}}",
            at(0.5),
            at(0.1),
            at(0.9),
            times.len(),
            bytes / (cycles + cycles / 10) as u64,
        );
    }
}
