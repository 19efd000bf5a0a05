//! Prices as batches, and an agent's opinions about them.

use proptest::prelude::*;
use std::sync::Arc;
use tradegraph_agents::{
    Agent, LongTerm, LongTermParameters, MeanReversion, MeanReversionParameters, Momentum, MomentumParameters,
};
use tradegraph_columns::Status;
use tradegraph_columns::codec::{Decoder, Encoder};
use tradegraph_domain::{
    AgentId, AssetClass, BarPeriod, BarSpec, Basis, Currency, FeedId, Instrument, NANO, Price, Quantity, SignalColumn,
    Timestamp, TradingStatus,
};
use tradegraph_market::{Batch, BatchParts, Panel, Universe};

pub const FEED: FeedId = FeedId(0);

pub fn universe(n: usize) -> Arc<Universe> {
    let instrument = |i| Instrument {
        symbol: format!("S{i:05}"),
        class: AssetClass::Equity,
        currency: Currency::USD,
        venue: "TEST".into(),
        tick: Price::ZERO,
        lot: Quantity::from_units(1).unwrap(),
        multiplier: Quantity::ONE,
        status: TradingStatus::Active,
    };
    Arc::new(Universe::new((0..n).map(instrument).collect()).unwrap())
}

/// High, low and close in 1e-9; `None` where there is no bar.
pub type Bar = Option<[i64; 3]>;

/// A batch of `rows` of bars, an instrument a column; without highs and lows if `closes` holds.
pub fn batch(rows: &[Vec<Bar>], closes: bool) -> Arc<Batch> {
    let cell = |at: usize| rows.iter().flatten().map(|b| b.map_or(0, |b| b[at])).collect::<Vec<i64>>();
    let ends: Vec<Timestamp> = (1..=rows.len() as i64).map(|k| Timestamp(k * 86_400 * NANO)).collect();
    let range = |at| if closes { vec![] } else { cell(at) };
    let status = |b: &Bar| if b.is_some() { Status::Ok } else { Status::NoData };
    let parts = BatchParts {
        spec: BarSpec { period: BarPeriod::Session, basis: Basis::Raw, has_open: !closes },
        width: rows.first().map_or(0, Vec::len),
        starts: ends.iter().map(|t| Timestamp(t.0 - 1)).collect(),
        ends,
        open: range(2),
        high: range(0),
        low: range(1),
        close: cell(2),
        volume: vec![],
        status: rows.iter().flatten().map(status).collect(),
    };
    Arc::new(Batch::new(parts).unwrap())
}

/// Makes an agent for so many instruments.
pub type Make = dyn Fn(usize) -> Box<dyn Agent>;

/// Factors and confidence of one instrument, or why there are none.
pub type Opinion = Result<(Vec<f64>, f64), Status>;

/// What an agent says after every row, an entry an instrument. Rows are prepared `block` at a time, and the agent is
/// saved and loaded into a fresh one after row `restart`.
pub fn opinions(make: &Make, batch: &Arc<Batch>, block: usize, restart: usize) -> Vec<Vec<Opinion>> {
    let n = batch.width();
    let mut agent = make(n);
    let mut panel = Panel::new(universe(n), vec![batch.clone()], agent.needs());
    panel.limit_block(block);
    agent.bind(&panel.bindings());
    let k = agent.factors().len();
    let mut out = vec![];
    while out.len() < batch.rows() {
        let from = out.len();
        panel.prepare(FEED, from + block, None);
        let to = (from + block.min(panel.block_rows())).min(batch.rows());
        for row in from..to {
            let (mut f, mut c, mut s) = (vec![0.0; k * n], vec![0.0; n], vec![Status::NoData; n]);
            let ahead = [(row + 1 - from) as u32];
            agent.decide(&panel.view(batch.interval(row).end, &ahead), &mut SignalColumn::new(&mut f, &mut c, &mut s));
            let cell = |i: usize| match s[i] {
                Status::Ok => Ok(((0..k).map(|at| f[at * n + i]).collect(), c[i])),
                why => {
                    assert!(c[i] == 0.0 && (0..k).all(|at| f[at * n + i] == 0.0), "a cell without opinion holds zeros");
                    Err(why)
                }
            };
            out.push((0..n).map(cell).collect());
            if row == restart {
                let mut to = Encoder::new();
                agent.save(&mut to);
                let bytes = to.into_bytes();
                agent = make(n);
                agent.bind(&panel.bindings());
                let mut from = Decoder::new(&bytes);
                agent.load(&mut from).unwrap();
                from.finish().unwrap();
            }
        }
        (from..to).for_each(|row| panel.advance(FEED, row));
    }
    out
}

pub fn all(make: &Make, batch: &Arc<Batch>) -> Vec<Vec<Opinion>> {
    opinions(make, batch, 1, usize::MAX)
}

/// Every agent with short windows, so that a few hundred bars take it through all it does.
pub fn agents() -> Vec<(&'static str, Box<Make>)> {
    let momentum = MomentumParameters { fast: 4, slow: 12, rsi: 5, volatility: 8, swing_pct: 100 };
    let reversion = MeanReversionParameters {
        window: 6,
        width_pct: 120,
        exit_pct: 10,
        hold: 5,
        trend: 15,
        extension_pm: 1272,
        swing_pct: 100,
    };
    let ranks = LongTermParameters {
        momentum: 12,
        skip: 3,
        volatility: 9,
        reversal: 3,
        rebalance: 4,
        band_pct: 15,
        weights_pct: [100, 60, 40],
    };
    vec![
        ("momentum", Box::new(move |_| Box::new(Momentum::new(AgentId(1), FEED, momentum)))),
        ("mean reversion", Box::new(move |n| Box::new(MeanReversion::new(AgentId(2), FEED, n, reversion)))),
        ("long term", Box::new(move |n| Box::new(LongTerm::new(AgentId(5), FEED, n, ranks)))),
    ]
}

/// Random walks of `n` instruments, a bar missing here and there.
pub fn walks(n: usize, rows: usize, missing: bool) -> impl Strategy<Value = Vec<Vec<Bar>>> {
    let cell = (-300_i64..=300, 0_i64..150, 0_i64..150, 0_u8..30);
    prop::collection::vec(prop::collection::vec(cell, n), rows).prop_map(move |rows| {
        let mut close = vec![100 * NANO; rows.first().map_or(0, Vec::len)];
        let bar = |(last, (step, up, down, gap)): (&mut i64, (i64, i64, i64, u8))| {
            if missing && gap == 0 {
                return None;
            }
            // Steps in parts of ten thousand.
            let open = *last;
            *last = (open + open / 10_000 * step).max(NANO);
            let (top, bottom) = (open.max(*last), open.min(*last));
            Some([top + top / 10_000 * up, bottom - bottom / 10_000 * down, *last])
        };
        rows.into_iter().map(|row| close.iter_mut().zip(row).map(bar).collect()).collect()
    })
}
