//! The council at work: the w2 columns decided by every agent that exists, one decision over very many instruments, and the
//! memory of many runs in one process.

use super::{Arguments, binding, peak_rss_mb, w2};
use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::mandate::{Feed, Mandate};
use cpu_time::ProcessTime;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use tradegraph_columns::Status;
use tradegraph_domain::{
    BarPeriod, BarSpec, Basis, BatchRef, Date, Event, FeedId, Interval, Nanos, Payload, ScheduleId, Timestamp,
};
use tradegraph_engine::{BackTest, Effects, MemoryJournal, RunConfig, State, step};
use tradegraph_market::{Batch, BatchParts};

/// Rows of the cycle: all but the last warm the features up.
const WARM_ROWS: usize = 300;
const TIMED_ROWS: usize = 40;

/// The whole council with every stage, limits that bind and costs.
pub(super) fn mandate() -> Result<Mandate, Failure> {
    let text = r#"name = "council"
[account]
cash = "100000000"
[[data]]
path = "raw columns"
calendar = "24/7"
[instruments]
lot = "1"
[schedule]
on = "bars"
[agents.momentum_trader]
[agents.mean_reversion_trader]
[agents.long_term_investor]
[allocator]
kind = "council"
max_weight = "2%"
gross = "100%"
band = "0.2%"
instrument_volatility = "30%"
portfolio_volatility = "15%"
[risk]
max_position = "2%"
max_gross = "100%"
[limits]
position = "3%"
gross = "110%"
[costs]
commission = "1bp"
half_spread = "1bp"
"#;
    Ok(Mandate::parse("the bench's mandate", text)?)
}

fn config(batch: Batch, symbols: Vec<String>) -> Result<RunConfig, Failure> {
    let feeds = vec![Feed { batch: Arc::new(batch), symbols, source: "bench".to_owned(), calendar: "24/7" }];
    mandate()?.config(&feeds, &Arc::default())
}

/// Prices that walk: the numbers do not matter, their bits must not all be alike.
fn walk(width: usize, rows: usize) -> Result<Batch, Failure> {
    let cells = width * rows;
    let (mut open, mut high, mut low, mut close) =
        (Vec::with_capacity(cells), Vec::with_capacity(cells), Vec::with_capacity(cells), Vec::with_capacity(cells));
    let mut last: Vec<i64> = (0..width).map(|i| 20_000_000_000 + 10_000_000 * (i as i64 % 9_973)).collect();
    let mut seed = 1_u64;
    let mut draw = || {
        // Knuth's linear congruential generator; the high bits.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as i64 % 40_001 - 20_000
    };
    for _ in 0..rows {
        for p in &mut last {
            let (a, b) = (*p, (*p + *p / 1_000_000 * draw()).max(1_000_000));
            open.push(a);
            close.push(b);
            high.push(a.max(b) + a / 500);
            low.push((a.min(b) - a / 500).max(1));
            *p = b;
        }
    }
    let first = Date::from_ymd(2015, 1, 1).unwrap_or_default().0;
    let day = |k: usize| Date(first.saturating_add(i32::try_from(k).unwrap_or(i32::MAX))).midnight();
    super::batch(BatchParts {
        spec: BarSpec { period: BarPeriod::Fixed(Nanos::DAY), basis: Basis::Raw, has_open: true },
        width,
        starts: (0..rows).map(day).collect(),
        ends: (1..=rows).map(day).collect(),
        open,
        high,
        low,
        close,
        volume: vec![1e6; cells],
        status: vec![Status::Ok; cells],
    })
}

/// One decision cycle: bars of all instruments become known, features, opinions, fusion, risk, orders.
pub(super) fn cycle(context: &Context, a: &Arguments) -> Result<(), Failure> {
    let width = a.instruments as usize;
    let symbols = (0..width).map(|i| format!("S{i:06}")).collect();
    let config = config(walk(width, WARM_ROWS + TIMED_ROWS)?, symbols)?;
    let Some(feed) = config.feeds.first().cloned() else { return Err(Failure::new(Kind::Failed, "no bars")) };
    let mut state = State::new(&config).map_err(|e| Failure::new(Kind::Input, e.to_string()))?;
    let mut out = Effects::default();
    let mut times = Vec::new();
    for row in 0..feed.rows() {
        let about = feed.interval(row);
        let at = BatchRef { feed: FeedId(0), row: u32::try_from(row).unwrap_or_default() };
        let mut tell = |ts: Timestamp, about: Interval, payload| {
            let seq = state.next_seq();
            step(&mut state, &Event { seq, ts, about, payload }, &mut out);
        };
        tell(about.start, about, Payload::Open(at));
        let begin = ProcessTime::now();
        tell(about.end, about, Payload::Bars(at));
        tell(about.end, Interval { start: about.end, end: about.end }, Payload::Decide(ScheduleId(0)));
        if row >= WARM_ROWS {
            times.push(begin.elapsed().as_secs_f64());
        }
        out.records.clear();
    }
    if let Some(fault) = state.fault() {
        return Err(Failure::new(Kind::Failed, fault.to_string()));
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((share * (times.len() - 1) as f64).round() as usize).map(|t| t * 1e3);
    context.out.line(&json!({
        "workload": "CYCLE", "peer": "tradegraph", "version": env!("CARGO_PKG_VERSION"), "n": width,
        "cpu_ms_median": at(0.5), "cpu_ms_p99": at(0.99), "cpu_ms_min": at(0.0), "cycles": times.len(),
        "ns_per_instrument": at(0.5).map(|ms| ms * 1e6 / width as f64),
        "orders": state.desk().counts().orders, "agents": agents(&config), "peak_rss_mb": peak_rss_mb(),
    }));
    Ok(())
}

fn agents(config: &RunConfig) -> Vec<&'static str> {
    let name = |a: &tradegraph_engine::AgentConfig| config.node(a.id()).unwrap_or("?");
    config.agents.iter().map(name).collect()
}

/// Memory after many runs of the w2 columns in one process.
pub(super) fn repeat(context: &Context, a: &Arguments) -> Result<(), Failure> {
    let (batch, symbols) = w2(a.data.as_deref().unwrap_or(Path::new(".")))?;
    let config = config(batch, symbols)?;
    let mut first = None;
    for n in 1..=a.reps {
        let mut run = BackTest::new(config.clone(), None)?;
        run.run(&binding(&config), &mut MemoryJournal::default(), &mut |_| {})?;
        drop(run);
        // The first runs fill caches and let the allocator find its size.
        if n == a.reps.min(10) {
            first = rss_mb();
        }
    }
    let last = rss_mb();
    context.out.line(&json!({
        "workload": "REPEAT", "runs": a.reps, "rss_mb_after_10": first, "rss_mb_at_end": last,
        "growth_mb": first.zip(last).map(|(a, b)| b - a), "peak_rss_mb": peak_rss_mb(), "agents": agents(&config),
    }));
    Ok(())
}

/// Memory that the process holds now; absent where the system does not say.
fn rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kb: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kb / 1024.0)
}
