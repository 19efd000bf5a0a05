//! The journal alone: durable commits of records of 200 bytes, one and 256 at a time; and a stored run made again, every group
//! compared with what is stored.

use super::{Arguments, binding, info, mandate, w1};
use crate::cli::Context;
use crate::failure::Failure;
use crate::mandate::Feed;
use crate::run::{Comparison, now, pool};
use cpu_time::ProcessTime;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tradegraph_engine::{BackTest, CommitGroup, Journal};
use tradegraph_store::Store;

const RECORD_BYTES: usize = 200;
const COMMITS: u64 = 1_500;

/// Runs both; the second needs the columns of w1.
pub(super) fn run(context: &Context, a: &Arguments) -> Result<(), Failure> {
    let home = std::env::temp_dir().join(format!("tradegraph-bench-{}-{}", std::process::id(), now().0));
    let done = in_home(context, a, &home);
    // Leftovers of a bench do no harm.
    let _ = std::fs::remove_dir_all(&home);
    done
}

fn in_home(context: &Context, a: &Arguments, home: &Path) -> Result<(), Failure> {
    let store = Store::open(home)?;
    for records in [1, 256] {
        let commits = if records == 1 { COMMITS } else { COMMITS / 5 };
        let mut journal = store.journal(&store.create_run(&info())?)?;
        let mut waits = Vec::new();
        let (wall, cpu) = (Instant::now(), ProcessTime::now());
        for index in 0..commits {
            let begin = Instant::now();
            // Distinct bytes, as records have.
            let bytes = (0..RECORD_BYTES * records).map(|k| (k as u64).wrapping_mul(index | 1) as u8).collect();
            let n_events = records as u64;
            journal.append(CommitGroup { index, first_seq: index * n_events, n_events, records: bytes })?;
            journal.flush()?;
            waits.push(begin.elapsed().as_secs_f64() * 1e6);
        }
        let (seconds, cpu) = (wall.elapsed().as_secs_f64(), cpu.elapsed().as_secs_f64());
        waits.sort_by(f64::total_cmp);
        let at = |share: usize| waits.get(waits.len() * share / 100).copied();
        let n = commits * records as u64;
        context.out.line(&json!({
            "workload": "JOURNAL", "peer": "tradegraph", "version": env!("CARGO_PKG_VERSION"), "records_a_commit": records,
            "n": n, "seconds": seconds, "cpu_seconds": cpu, "rate": n as f64 / seconds, "rate_cpu": n as f64 / cpu,
            "commits_per_s": commits as f64 / seconds, "p50_us": at(50), "p99_us": at(99), "synchronous": "FULL",
        }));
    }
    if let Some(folder) = a.data.as_deref() {
        replay(context, a, &store, folder)?;
    }
    Ok(())
}

fn replay(context: &Context, a: &Arguments, store: &Store, folder: &Path) -> Result<(), Failure> {
    let (batch, symbols) = w1(folder)?;
    let feeds = vec![Feed { batch: Arc::new(batch), symbols, source: "bench".to_owned(), calendar: "24/7" }];
    let config = mandate("w1")?.config(&feeds, &Arc::default())?;
    let threads = Some(usize::from(a.threads));
    let id = store.create_run(&info())?;
    let bound = binding(&config);
    let first = BackTest::new(config.clone(), pool(threads)?)?.run(&bound, &mut store.journal(&id)?, &mut |_| {})?;
    let mut times = Vec::new();
    for _ in 0..a.reps {
        let mut journal = Comparison::new(store.reader(&id)?);
        let cpu = ProcessTime::now();
        let again = BackTest::new(config.clone(), pool(threads)?)?.run(&bound, &mut journal, &mut |_| {})?;
        times.push(cpu.elapsed().as_secs_f64());
        if again.state_hash != first.state_hash || journal.first_difference.is_some() {
            return Err(Failure::new(crate::failure::Kind::Differs, "the replay differs from what was stored"));
        }
    }
    times.sort_by(f64::total_cmp);
    let cpu = times.get(times.len() / 2).copied().unwrap_or(f64::NAN);
    context.out.line(&json!({
        "workload": "REPLAY", "peer": "tradegraph", "version": env!("CARGO_PKG_VERSION"), "n": first.n_events,
        "cpu_seconds": cpu, "rate_cpu": first.n_events as f64 / cpu, "orders": first.counts.orders, "reps": a.reps,
    }));
    Ok(())
}
