//! `tradegraph bench`: the engine on raw columns of numbers, one JSON line a measurement.
//!
//! `--data` is a folder of little-endian columns without headers, row-major as [symbol][time]: `w1_ts.bin` (i64
//! nanoseconds, start of each bar) and `w1_open.bin` … `w1_volume.bin` (f64) for one instrument by the minute,
//! `w2_open.bin` … for 500 instruments by the day. The rule is long while EMA 10 is above EMA 20. Reading and bringing
//! the columns into the engine's form is timed apart (`setup_seconds`); the run is timed from its configuration to
//! its last hash, journal included.

mod council;
mod crash;
mod data;
mod journal;

use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::home::cannot;
use crate::mandate::{Feed, Feeds, Mandate};
use crate::run::{now, pool};
use cpu_time::ProcessTime;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tradegraph_columns::Status;
use tradegraph_domain::{BarPeriod, BarSpec, Basis, Date, Nanos, Price, Timestamp, format_nano};
use tradegraph_engine::records::{Binding, FORMAT};
use tradegraph_engine::{BackTest, MemoryJournal, Outcome, RecordLevel, RunConfig};
use tradegraph_market::{Batch, BatchParts};
use tradegraph_store::{RunId, RunInfo, Store};

/// What can be typed behind `bench`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Which workload: w1 (one instrument, minutes), w2 (many instruments, days), council (w2 by the whole council), cycle
    /// (one decision over many instruments), repeat (memory over many runs), journal (durable commits; with --data also a
    /// replay), import (a file of 2 million bars), fuzz (spoilt files for the importer), crash (a run that is cut off at
    /// every operation on its disk, and again while it recovers)
    #[arg(value_parser = ["w1", "w2", "council", "cycle", "repeat", "journal", "import", "fuzz", "crash"])]
    pub name: String,
    /// Folder of the raw columns; needed for w1, w2, council and repeat
    #[arg(long, value_name = "DIR", required_if_eq_any = [("name", "w1"), ("name", "w2"), ("name", "council"), ("name", "repeat")])]
    pub data: Option<PathBuf>,
    /// Of fuzz: how long to go on
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub seconds: u64,
    /// Of fuzz and crash: the first seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Of crash: crash points [default: each operation with each kind of survival]
    #[arg(long, value_name = "N")]
    pub points: Option<u64>,
    /// Of crash: this point only
    #[arg(long, value_name = "N", conflicts_with = "points")]
    pub point: Option<u64>,
    /// Of cycle: instruments
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub instruments: u32,
    /// Times that each measurement is repeated; the median is printed
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub reps: u16,
    /// Threads
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: u16,
    /// One measurement only: `reasons`, `outcomes` or `hashes` with `memory` or `sqlite` (reasons-memory, …)
    #[arg(long, value_name = "VARIANT")]
    pub only: Option<String>,
}

/// Instruments of w2.
const W2_WIDTH: usize = 500;

fn mandate(name: &str) -> Result<Mandate, Failure> {
    let cash = if name == "w1" { "1000000" } else { "100000000" };
    let text = format!(
        r#"name = "{name}"
[account]
cash = "{cash}"
[[data]]
path = "raw columns"
calendar = "24/7"
[instruments]
lot = "1"
[schedule]
on = "bars"
[agents.rule]
long = "fast > slow"
[agents.rule.features]
fast = {{ kind = "ema", n = 10, seed = "first" }}
slow = {{ kind = "ema", n = 20, seed = "first" }}
[allocator]
kind = "direct"
quantity = "100"
[limits]
collar = "off"
[costs]
commission = "1bp"
"#
    );
    Ok(Mandate::parse("the bench's mandate", &text)?)
}

/// A median measurement.
struct Measured {
    seconds: f64,
    cpu: f64,
    cpu_min_max: (f64, f64),
    outcome: Outcome,
}

/// Runs the command.
pub fn run(context: &Context, a: &Arguments) -> Result<(), Failure> {
    match a.name.as_str() {
        "import" => return data::import(context, a.reps),
        "fuzz" => return data::spoil(context, a.seed, a.seconds),
        "crash" => return crash::run(context, a.seed, a.points, a.point),
        "cycle" => return council::cycle(context, a),
        "repeat" => return council::repeat(context, a),
        "journal" => return journal::run(context, a),
        _ => {}
    }
    let begin = Instant::now();
    let mandate = if a.name == "council" { council::mandate()? } else { mandate(&a.name)? };
    let folder = a.data.as_deref().unwrap_or(Path::new("."));
    let (batch, symbols) = if a.name == "w1" { w1(folder)? } else { w2(folder)? };
    let items = (batch.rows() as u64).saturating_mul(batch.width() as u64);
    let feeds: Feeds = vec![Feed { batch: Arc::new(batch), symbols, source: "bench".to_owned(), calendar: "24/7" }];
    let config = mandate.config(&feeds, &Arc::default())?;
    let setup = begin.elapsed().as_secs_f64();
    let levels =
        [("reasons", RecordLevel::Reasons), ("outcomes", RecordLevel::Outcomes), ("hashes", RecordLevel::Hashes)];
    let mut done = 0;
    for journal in ["memory", "sqlite"] {
        for (level, record) in levels {
            let variant = format!("{level}-{journal}");
            if a.only.as_ref().is_some_and(|only| *only != variant) {
                continue;
            }
            let config = RunConfig { record, ..config.clone() };
            let m = measure(&config, a, journal == "sqlite")?;
            done += 1;
            context.out.line(&json!({
                "workload": a.name.to_uppercase(), "peer": "tradegraph", "version": env!("CARGO_PKG_VERSION"),
                "n": items, "seconds": m.seconds, "cpu_seconds": m.cpu,
                "rate": items as f64 / m.seconds, "rate_cpu": items as f64 / m.cpu, "peak_rss_mb": peak_rss_mb(),
                "cpu_min_max": [m.cpu_min_max.0, m.cpu_min_max.1],
                "setup_seconds": setup, "record": level, "journal": journal, "threads": a.threads, "reps": a.reps,
                "orders": m.outcome.counts.orders, "fills": m.outcome.counts.fills, "refused": m.outcome.counts.refused,
                "equity": m.outcome.final_nav.ok().map(|n| n as f64 / 1e9),
                "equity_exact": m.outcome.final_nav.ok().map(format_nano),
                "state_hash": crate::run::hex(&m.outcome.state_hash),
                "limits_off": ["collar", "participation", "position", "gross", "order size"],
            }));
        }
    }
    if done == 0 {
        let what = format!("there is no measurement '{}'", a.only.as_deref().unwrap_or_default());
        return Err(Failure::new(Kind::Usage, what).next("reasons, outcomes or hashes, then -memory or -sqlite"));
    }
    Ok(())
}

fn measure(config: &RunConfig, a: &Arguments, sqlite: bool) -> Result<Measured, Failure> {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..a.reps {
        let config = config.clone();
        let pool = pool(Some(usize::from(a.threads)))?;
        let binding = binding(&config);
        // A home of its own for each repetition, so that none starts with a warm store.
        let home = std::env::temp_dir().join(format!("tradegraph-bench-{}-{}", std::process::id(), now().0));
        let done = (|| {
            let store = if sqlite { Some(Store::open(&home)?) } else { None };
            let journal = store.as_ref().map(|s| s.journal(&s.create_run(&info())?)).transpose()?;
            let (wall, cpu) = (Instant::now(), ProcessTime::now());
            let mut run = BackTest::new(config, pool)?;
            let outcome = match journal {
                Some(mut journal) => run.run(&binding, &mut journal, &mut |_| {})?,
                None => run.run(&binding, &mut MemoryJournal::default(), &mut |_| {})?,
            };
            Ok::<_, Failure>((cpu.elapsed().as_secs_f64(), wall.elapsed().as_secs_f64(), outcome))
        })();
        if sqlite {
            // Leftovers of a bench do no harm.
            let _ = std::fs::remove_dir_all(&home);
        }
        let (cpu, wall, outcome) = done?;
        times.push((cpu, wall));
        last = Some(outcome);
    }
    times.sort_by(|x, y| x.0.total_cmp(&y.0));
    let nothing = || Failure::new(Kind::Failed, "nothing was measured");
    let (cpu, seconds) = times.get(times.len() / 2).copied().ok_or_else(nothing)?;
    let cpu_min_max = times.first().zip(times.last()).map(|(a, b)| (a.0, b.0)).ok_or_else(nothing)?;
    Ok(Measured { seconds, cpu, cpu_min_max, outcome: last.ok_or_else(nothing)? })
}

fn binding(config: &RunConfig) -> Binding {
    Binding {
        mandate: String::new(),
        seed: config.seed,
        batches: config.feeds.iter().map(|f| f.id()).collect(),
        symbols: vec![],
        actions: Some(config.actions.id()),
        format: FORMAT,
        binary: String::new(),
    }
}

fn info() -> RunInfo {
    let created = now();
    RunInfo {
        id: RunId::new(created, "bench", &[0; 32]),
        created,
        mandate: String::new(),
        mandate_hash: [0; 32],
        binary: String::new(),
    }
}

fn column(folder: &Path, name: &str) -> Result<Vec<[u8; 8]>, Failure> {
    let path = folder.join(format!("{name}.bin"));
    let bytes = std::fs::read(&path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::new(Kind::NotFound, format!("{}: there is no such file", path.display()))
                .next("--data names a folder of raw columns (see docs/commands.md)")
        }
        _ => cannot("read", &path, &e),
    })?;
    let (cells, rest) = bytes.as_chunks::<8>();
    if cells.is_empty() || !rest.is_empty() {
        let what = format!("{}: {} bytes are no column of 8-byte numbers", path.display(), bytes.len());
        return Err(Failure::new(Kind::Input, what));
    }
    Ok(cells.to_vec())
}

fn prices(folder: &Path, name: &str, expected: Option<usize>) -> Result<Vec<i64>, Failure> {
    let cells = column(folder, name)?;
    if let Some(expected) = expected.filter(|n| *n != cells.len()) {
        let what = format!("{name}.bin has {} numbers where {expected} are expected", cells.len());
        return Err(Failure::new(Kind::Input, what));
    }
    cells
        .into_iter()
        .enumerate()
        .map(|(i, c)| {
            let x = f64::from_le_bytes(c);
            Price::from_f64_half_even(x)
                .map(Price::nano)
                .map_err(|_| Failure::new(Kind::Input, format!("{name}.bin: number {i} ({x}) is no price")))
        })
        .collect()
}

fn batch(parts: BatchParts) -> Result<Batch, Failure> {
    Batch::new(parts).map_err(|e| Failure::new(Kind::Input, format!("the columns make no bars: {e}")))
}

fn w1(folder: &Path) -> Result<(Batch, Vec<String>), Failure> {
    let starts: Vec<Timestamp> =
        column(folder, "w1_ts")?.into_iter().map(|c| Timestamp(i64::from_le_bytes(c))).collect();
    let n = starts.len();
    let spec = BarSpec { period: BarPeriod::Fixed(Nanos::MINUTE), basis: Basis::Raw, has_open: true };
    let batch = batch(BatchParts {
        spec,
        width: 1,
        ends: starts.iter().map(|t| Timestamp(t.0.saturating_add(Nanos::MINUTE.0))).collect(),
        starts,
        open: prices(folder, "w1_open", Some(n))?,
        high: prices(folder, "w1_high", Some(n))?,
        low: prices(folder, "w1_low", Some(n))?,
        close: prices(folder, "w1_close", Some(n))?,
        volume: column(folder, "w1_volume")?.into_iter().map(f64::from_le_bytes).collect(),
        status: vec![Status::Ok; n],
    })?;
    Ok((batch, vec!["W1".to_owned()]))
}

fn w2(folder: &Path) -> Result<(Batch, Vec<String>), Failure> {
    let close = prices(folder, "w2_close", None)?;
    let cells = close.len();
    let rows = cells / W2_WIDTH;
    if rows == 0 || rows * W2_WIDTH != cells {
        return Err(Failure::new(Kind::Input, format!("w2_close.bin: {cells} numbers are no rows of {W2_WIDTH}")));
    }
    let first = Date::from_ymd(2010, 1, 1).unwrap_or_default().0;
    let day = |k: usize| Date(first.saturating_add(i32::try_from(k).unwrap_or(i32::MAX))).midnight();
    let turned = |column: &[i64]| turn(column, rows, 0);
    let volume: Vec<f64> = column(folder, "w2_volume")?.into_iter().map(f64::from_le_bytes).collect();
    let batch = batch(BatchParts {
        spec: BarSpec { period: BarPeriod::Fixed(Nanos::DAY), basis: Basis::Raw, has_open: true },
        width: W2_WIDTH,
        starts: (0..rows).map(day).collect(),
        ends: (1..=rows).map(day).collect(),
        open: turned(&prices(folder, "w2_open", Some(cells))?),
        high: turned(&prices(folder, "w2_high", Some(cells))?),
        low: turned(&prices(folder, "w2_low", Some(cells))?),
        close: turned(&close),
        volume: turn(&volume, rows, 0.0),
        status: vec![Status::Ok; cells],
    })?;
    Ok((batch, (0..W2_WIDTH).map(|i| format!("S{i:03}")).collect()))
}

/// From [symbol][time] to [time][symbol].
fn turn<T: Copy>(column: &[T], rows: usize, empty: T) -> Vec<T> {
    let mut out = vec![empty; column.len()];
    for (i, series) in column.chunks_exact(rows).enumerate() {
        for (value, row) in series.iter().zip(out.chunks_exact_mut(W2_WIDTH)) {
            if let Some(cell) = row.get_mut(i) {
                *cell = *value;
            }
        }
    }
    out
}

/// Most memory that the process held so far; absent where the system does not say.
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kb: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((kb / 1024.0 * 10.0).round() / 10.0)
}
