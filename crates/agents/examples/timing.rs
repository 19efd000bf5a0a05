//! Nanoseconds an instrument: each agent's decision over 50,000 instruments, and the features that it needs.
//! `cargo run --release -p tradegraph-agents --example timing`
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement"
)]

use std::sync::Arc;
use std::time::Instant;
use tradegraph_agents::{
    Agent, LongTerm, LongTermParameters, MeanReversion, MeanReversionParameters, Momentum, MomentumParameters,
};
use tradegraph_columns::Status;
use tradegraph_domain::{
    AgentId, AssetClass, BarPeriod, BarSpec, Basis, Currency, FeedId, Instrument, NANO, Price, Quantity, SignalColumn,
    Timestamp, TradingStatus,
};
use tradegraph_market::{Batch, BatchParts, Panel, Universe};

const N: usize = 50_000;
const ROWS: usize = 400;
const FEED: FeedId = FeedId(0);

fn market() -> (Arc<Universe>, Arc<Batch>) {
    let instrument = |i| Instrument {
        symbol: format!("S{i:05}"),
        class: AssetClass::Equity,
        currency: Currency::USD,
        venue: "TEST".into(),
        tick: Price::ZERO,
        lot: Quantity::ONE,
        multiplier: Quantity::ONE,
        status: TradingStatus::Active,
    };
    let mut seed = 7_u64;
    let mut draw = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as i64
    };
    let mut last = vec![100 * NANO; N];
    let [mut open, mut high, mut low, mut close] = [(); 4].map(|()| Vec::with_capacity(N * ROWS));
    for _ in 0..ROWS {
        for x in &mut last {
            let was = *x;
            *x += *x / 10_000 * (draw() % 401 - 200);
            open.push(was);
            high.push(was.max(*x) + *x / 10_000 * (draw() % 100));
            low.push(was.min(*x) - *x / 10_000 * (draw() % 100));
            close.push(*x);
        }
    }
    let ends: Vec<Timestamp> = (1..=ROWS as i64).map(|k| Timestamp(k * 86_400 * NANO)).collect();
    let parts = BatchParts {
        spec: BarSpec { period: BarPeriod::Session, basis: Basis::Raw, has_open: true },
        width: N,
        starts: ends.iter().map(|t| Timestamp(t.0 - 1)).collect(),
        ends,
        open,
        high,
        low,
        close,
        volume: vec![],
        status: vec![Status::Ok; N * ROWS],
    };
    let universe = Universe::new((0..N).map(instrument).collect()).unwrap();
    (Arc::new(universe), Arc::new(Batch::new(parts).unwrap()))
}

fn time(name: &str, mut agent: Box<dyn Agent>, universe: &Arc<Universe>, batch: &Arc<Batch>) {
    let mut panel = Panel::new(universe.clone(), vec![batch.clone()], agent.needs());
    agent.bind(&panel.bindings());
    let k = agent.factors().len();
    let (mut factors, mut confidence, mut status) = (vec![0.0; k * N], vec![0.0; N], vec![Status::NoData; N]);
    let (mut features, mut decisions, mut sum) = (vec![], vec![], 0.0);
    for row in 0..ROWS {
        let start = Instant::now();
        panel.advance(FEED, row);
        let middle = Instant::now();
        let view = panel.view(batch.interval(row).end, &[0]);
        agent.decide(&view, &mut SignalColumn::new(&mut factors, &mut confidence, &mut status));
        let end = Instant::now();
        sum += factors.iter().sum::<f64>();
        if row >= 300 {
            features.push((middle - start).as_nanos());
            decisions.push((end - middle).as_nanos());
        }
    }
    let median = |x: &mut Vec<u128>| {
        x.sort_unstable();
        (x[x.len() / 2] as f64 / N as f64, x[x.len() - 1] as f64 / N as f64)
    };
    let ((f, most_f), (d, most_d)) = (median(&mut features), median(&mut decisions));
    println!("{name}: decide {d:.2} ns an instrument (most {most_d:.2}), features {f:.2} (most {most_f:.2}); {sum:.3}");
}

fn main() {
    let (universe, batch) = market();
    let id = AgentId(0);
    let momentum = MomentumParameters::default();
    let reversion = MeanReversionParameters::default();
    let ranks = LongTermParameters::default();
    let all: [(&str, Box<dyn Agent>); 6] = [
        ("momentum", Box::new(Momentum::new(id, FEED, momentum))),
        ("momentum without levels", Box::new(Momentum::new(id, FEED, MomentumParameters { swing_pct: 0, ..momentum }))),
        ("mean reversion", Box::new(MeanReversion::new(id, FEED, N, reversion))),
        (
            "mean reversion without levels",
            Box::new(MeanReversion::new(id, FEED, N, MeanReversionParameters { extension_pm: 0, ..reversion })),
        ),
        ("long term", Box::new(LongTerm::new(id, FEED, N, ranks))),
        (
            "long term, ranked on every bar",
            Box::new(LongTerm::new(id, FEED, N, LongTermParameters { rebalance: 1, ..ranks })),
        ),
    ];
    for (name, agent) in all {
        time(name, agent, &universe, &batch);
    }
}
