//! Import speed, data sets in and out, and journal throughput on this machine, as JSON lines:
//! `cargo run --release -p tradegraph-store --example journal_speed`. Not a test: nothing is asserted about time.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for the terminal; any failure ends it")]

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Instant;

use cpu_time::ProcessTime;
use tradegraph_domain::{Date, Timestamp};
use tradegraph_engine::{CommitGroup, Journal};
use tradegraph_market::calendar::CalendarId;
use tradegraph_store::{BatchMeta, Catalog, CsvRequest, ImportOptions, Imported, RunId, RunInfo, Store, import_csv};

fn main() {
    import("single daily", &single());
    import("minutes", &minutes(1_000_000));
    let long = import("long, 20 symbols", &long_of(50_000));
    import("wide, 500 columns", &wide());
    catalog(long);
    data_set("minutes", &minutes(2_000_000));
    data_set("long, 20 symbols", &long_of(80_000));
    for (groups, bytes) in [(20_000_u64, 1_000_usize), (5_000, 64_000), (500, 1_000_000)] {
        journal(groups, bytes, false);
    }
    journal(500, 1_000, true);
}

fn home() -> PathBuf {
    std::env::temp_dir().join(format!("tradegraph-bench-{}", std::process::id()))
}

fn import(name: &str, text: &str) -> Imported {
    let rows = text.lines().count() - 1;
    let mut best = f64::INFINITY;
    let mut last = None;
    for _ in 0..5 {
        let start = Instant::now();
        let got = import_csv(&CsvRequest::bytes("x.csv", text.as_bytes(), CalendarId::AlwaysOpen)).unwrap();
        best = best.min(start.elapsed().as_secs_f64());
        assert!(got.quarantine.is_empty());
        last = Some(got);
    }
    println!(
        "{{\"import\":\"{name}\",\"rows\":{rows},\"bytes\":{},\"rows_per_s\":{:.0},\"mb_per_s\":{:.0}}}",
        text.len(),
        rows as f64 / best,
        text.len() as f64 / best / 1e6
    );
    last.unwrap()
}

fn catalog(imported: Imported) {
    let catalog = Catalog::open(&home()).unwrap();
    let meta = BatchMeta { symbols: imported.symbols, calendar: "24/7".into(), source: "bench".into() };
    let start = Instant::now();
    let id = catalog.put(&imported.batch, &meta).unwrap();
    let put = start.elapsed().as_secs_f64();
    let start = Instant::now();
    catalog.get(id).unwrap();
    let get = start.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(catalog.path(id)).unwrap().len();
    let cells = imported.cells_kept;
    println!("{{\"catalog\":{cells},\"put_s\":{put:.3},\"get_s\":{get:.3},\"file_bytes\":{bytes}}}");
    std::fs::remove_dir_all(home()).unwrap();
}

/// CSV to a data set and back, by the processor time of the whole process.
fn data_set(name: &str, text: &str) {
    std::fs::create_dir_all(home()).unwrap();
    let path = home().join("bars.csv");
    std::fs::write(&path, text).unwrap();
    let datasets = Catalog::open(&home()).unwrap().datasets();
    let (mut into, mut out) = (f64::INFINITY, f64::INFINITY);
    let (mut rows, mut values, mut bytes) = (0, 0, 0);
    for _ in 0..5 {
        let start = ProcessTime::now();
        let report = datasets.import(&path, &ImportOptions::default(), &mut |_| {}).unwrap();
        into = into.min(start.elapsed().as_secs_f64());
        rows = report.manifest.rows.kept;
        bytes = std::fs::metadata(datasets.path(report.id)).unwrap().len();
        let dataset = datasets.open(report.id).unwrap();
        let start = ProcessTime::now();
        let read = dataset.read(&[]).unwrap().map(|c| c.map(|c| c.rows() * c.columns().len()));
        values = read.sum::<Result<usize, _>>().unwrap();
        out = out.min(start.elapsed().as_secs_f64());
        datasets.remove(report.id).unwrap();
    }
    println!(
        "{{\"data_set\":\"{name}\",\"rows\":{rows},\"source_bytes\":{},\"file_bytes\":{bytes},\"rows_in_per_cpu_s\":{:.0},\"values_out_per_cpu_s\":{:.0}}}",
        text.len(),
        rows as f64 / into,
        values as f64 / out,
    );
    std::fs::remove_dir_all(home()).unwrap();
}

/// One row with prices of six decimals.
fn line(text: &mut String, key: impl std::fmt::Display, n: u64) {
    let close = 100_000_000 + (n * 7_919) % 9_000_000;
    write!(text, "{key}").unwrap();
    for x in [close + 1_000, close + 9_000, close - 9_000, close] {
        write!(text, ",{}.{:06}", x / 1_000_000, x % 1_000_000).unwrap();
    }
    writeln!(text, ",{}", 10_000 + n * 104_729 % 90_000_000).unwrap();
}

fn single() -> String {
    let mut text = "date,open,high,low,close,volume\n".to_owned();
    (0..100_000).for_each(|n| line(&mut text, Date(n as i32 - 20_000), n));
    text
}

fn minutes(n: u64) -> String {
    let mut text = "ts,open,high,low,close,volume\n".to_owned();
    (0..n).for_each(|n| line(&mut text, Timestamp(n as i64 * 60_000_000_000), n));
    text
}

fn long_of(n: u64) -> String {
    let mut text = "symbol,date,open,high,low,close,volume\n".to_owned();
    for s in 0..20 {
        (0..n).for_each(|n| line(&mut text, format_args!("SYM{s},{}", Date(n as i32)), n));
    }
    text
}

fn wide() -> String {
    let mut text = "date".to_owned();
    (0..500).for_each(|s| write!(text, ",S{s}").unwrap());
    for n in 0..2_000 {
        write!(text, "\n{}", Date(n)).unwrap();
        (0..500).for_each(|s| write!(text, ",{}.{:02}", 100 + s, n % 100).unwrap());
    }
    text
}

fn journal(groups: u64, bytes: usize, wait: bool) {
    let store = Store::open(&home()).unwrap();
    let info = RunInfo {
        id: RunId::new(Timestamp(0), "bench", &[0; 32]),
        created: Timestamp(0),
        mandate: String::new(),
        mandate_hash: [0; 32],
        binary: String::new(),
    };
    let run = store.create_run(&info).unwrap();
    let mut journal = store.journal(&run).unwrap();
    let start = Instant::now();
    for index in 0..groups {
        let group = CommitGroup { index, first_seq: index, n_events: 1, records: vec![index as u8; bytes] };
        journal.append(group).unwrap();
        if wait {
            journal.flush().unwrap();
        }
    }
    journal.flush().unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let start = Instant::now();
    journal.reader().verify().unwrap();
    let read = start.elapsed().as_secs_f64();
    println!(
        "{{\"journal\":\"{bytes} B a group{}\",\"groups_per_s\":{:.0},\"mb_per_s\":{:.1},\"verify_groups_per_s\":{:.0}}}",
        if wait { ", flushed one by one" } else { "" },
        groups as f64 / seconds,
        (groups as usize * bytes) as f64 / seconds / 1e6,
        groups as f64 / read,
    );
    drop((journal, store));
    std::fs::remove_dir_all(home()).unwrap();
}
