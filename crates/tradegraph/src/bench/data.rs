//! The importer measured, and fed with spoilt files for as long as asked.

use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::home::cannot;
use cpu_time::ProcessTime;
use serde_json::json;
use std::fmt::Write;
use std::time::{Duration, Instant};
use tradegraph_domain::{Nanos, Timestamp};
use tradegraph_store::Catalog;
use tradegraph_store::dataset::{ImportOptions, Parser, fuzz};

/// Rows of the file that is imported.
const ROWS: usize = 2_000_000;

/// A file of minute bars that no two lines of which are the same.
fn bars() -> String {
    let mut text = String::with_capacity(80 * ROWS);
    text.push_str("ts,open,high,low,close,volume\n");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut price = 10_000_000_i64;
    for k in 0..ROWS as i64 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let close = (price + (state % 2_001) as i64 - 1_000).max(1_000);
        let (high, low) =
            (price.max(close) + (state >> 20 & 511) as i64, price.min(close) - (state >> 30 & 511) as i64);
        let shown = |p: i64| (p / 10_000, p % 10_000);
        let ([o, h, l, c], volume) = ([price, high, low, close].map(shown), state >> 40 & 0xffff);
        let ts = Timestamp(1_262_304_000_000_000_000 + k * Nanos::MINUTE.0);
        let _ =
            writeln!(text, "{ts},{}.{:04},{}.{:04},{}.{:04},{}.{:04},{volume}", o.0, o.1, h.0, h.1, l.0, l.1, c.0, c.1);
        price = close;
    }
    text
}

/// Imports a file of minute bars and reads it back, `reps` times: one JSON line with the medians.
pub fn import(context: &Context, reps: u16) -> Result<(), Failure> {
    let folder = context.home.path().join("bench-import");
    let made = std::fs::create_dir_all(&folder);
    made.map_err(|e| cannot("made", &folder, &e))?;
    let file = folder.join("bars.csv");
    let text = bars();
    std::fs::write(&file, &text).map_err(|e| cannot("written", &file, &e))?;
    let (mut seconds, mut cpu, mut back) = (Vec::new(), Vec::new(), Vec::new());
    let mut rows = 0;
    for rep in 0..reps.max(1) {
        let home = folder.join(format!("home{rep}"));
        let sets = Catalog::open(&home)?.datasets();
        let (wall, used) = (Instant::now(), ProcessTime::now());
        let report = sets.import(&file, &ImportOptions::default(), &mut |_| {})?;
        cpu.push(used.elapsed().as_secs_f64());
        seconds.push(wall.elapsed().as_secs_f64());
        rows = report.manifest.rows.kept;
        let used = ProcessTime::now();
        let mut values = 0_usize;
        for chunk in sets.open(report.id)?.read(&["start", "open", "high", "low", "close", "volume"])? {
            let chunk = chunk?;
            values += chunk.rows() * chunk.columns().len();
        }
        back.push(values as f64 / used.elapsed().as_secs_f64());
        let _ = std::fs::remove_dir_all(&home);
    }
    let _ = std::fs::remove_dir_all(&folder);
    let median = |mut v: Vec<f64>| {
        v.sort_unstable_by(f64::total_cmp);
        v.get(v.len() / 2).copied().unwrap_or_default()
    };
    let (cpu, seconds, back) = (median(cpu), median(seconds), median(back));
    context.out.line(&json!({
        "bench": "import", "rows": ROWS, "bytes": text.len(), "rows_kept": rows, "exact": rows == ROWS as u64,
        "cpu_seconds": cpu, "seconds": seconds, "rows_per_cpu_second": ROWS as f64 / cpu,
        "bytes_per_cpu_second": text.len() as f64 / cpu, "values_read_back_per_cpu_second": back, "reps": reps,
    }));
    Ok(())
}

/// Feeds every parser with spoilt files for so long; the seeds go up from `seed`.
pub fn spoil(context: &Context, seed: u64, seconds: u64) -> Result<(), Failure> {
    const AT_ONCE: u64 = 200;
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut next = seed;
    loop {
        for (parser, name) in Parser::ALL {
            let done = fuzz(next, parser, AT_ONCE).map_err(|what| {
                Failure::new(Kind::Failed, format!("{name}, seed {next}: {what}"))
                    .next(format!("please report it; `tradegraph bench fuzz --seed {next} --seconds 0` shows it again"))
            })?;
            context.out.line(&json!({
                "bench": "fuzz", "parser": name, "seed": next, "files": done.cases, "imported": done.imported,
                "refused": done.refused, "rows_kept": done.kept, "rows_in_quarantine": done.quarantined,
            }));
        }
        next = next.wrapping_add(1);
        if Instant::now() >= end {
            return Ok(());
        }
    }
}
