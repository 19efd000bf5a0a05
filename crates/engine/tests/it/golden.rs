//! One rule over 5,000 minutes against a loop of plain floating-point numbers that shares no code with the engine.

use crate::engine::{AgentConfig, AllocatorConfig, RunConfig};
use crate::fixture::{Walk, config, decisions, ema, fills, run, units, usd};
use tradegraph_agents::RuleSpec;
use tradegraph_controls::Limits;
use tradegraph_domain::{Bps, Commission, Side};
use tradegraph_execution::Frictions;
use tradegraph_market::EmaSeed;
use tradegraph_portfolio::DirectSize;

const FAST: usize = 10;
const SLOW: usize = 30;
const SIZE: f64 = 100.0;

struct Naive {
    cash: f64,
    position: f64,
    trades: Vec<(usize, f64)>,
}

/// Averages start at the first close and count from their n-th on; long 100 while fast is above slow; an order of one
/// close fills at the next open and pays 1 bp.
fn naive(open: &[f64], close: &[f64]) -> Naive {
    let (mut fast, mut slow) = (close[0], close[0]);
    let mut account = Naive { cash: 100_000.0, position: 0.0, trades: vec![] };
    let mut wanted = 0.0;
    for k in 0..close.len() {
        let order = wanted - account.position;
        if order != 0.0 {
            account.cash -= order * open[k] + order.abs() * open[k] * 1e-4;
            account.position = wanted;
            account.trades.push((k, order));
        }
        if k > 0 {
            fast += 2.0 / (FAST as f64 + 1.0) * (close[k] - fast);
            slow += 2.0 / (SLOW as f64 + 1.0) * (close[k] - slow);
        }
        if k + 1 >= SLOW {
            wanted = if fast > slow { SIZE } else { 0.0 };
        }
    }
    account
}

#[test]
fn a_crossing_of_averages_is_what_a_naive_loop_says() {
    for seed in [11, 12, 13] {
        let batch = Walk { seed, n: 1, rows: 5_000, move_ppm: 1_500, ..Walk::default() }.batch();
        let units_of = |v: &[i64]| v.iter().map(|x| *x as f64 / 1e9).collect::<Vec<_>>();
        let (open, close) = (units_of(&batch.parts().open), units_of(&batch.parts().close));
        let expected = naive(&open, &close);

        let commission = Commission { rate: Bps::from_units(1), ..Commission::default() };
        let rule = RuleSpec {
            features: vec![
                ("fast".into(), ema(0, FAST as u16, EmaSeed::First)),
                ("slow".into(), ema(0, SLOW as u16, EmaSeed::First)),
            ],
            long: Some("fast > slow".into()),
            ..RuleSpec::default()
        };
        let c = config(vec![batch]);
        let c = RunConfig {
            cash: usd(100_000),
            agents: vec![AgentConfig::Rule(rule)],
            allocator: AllocatorConfig::Direct { size: DirectSize::Quantity(units(SIZE as i64)), allow_short: false },
            limits: Limits { commission, ..Limits::default() },
            frictions: Frictions { commission, ..Frictions::default() },
            ..c
        };
        let (outcome, journal) = run(&c);
        let records = journal.records();
        let signed = |side, q: f64| if side == Side::Buy { q } else { -q };
        let traded: Vec<_> = fills(&records)
            .iter()
            .map(|(_, ts, f)| {
                let row = (ts.0 - crate::fixture::START.0) / crate::fixture::MINUTE;
                (row as usize, signed(f.side, f.quantity.to_f64()))
            })
            .collect();
        assert!(traded.len() > 100, "{}", traded.len());
        assert_eq!(traded, expected.trades, "seed {seed}");
        assert_eq!(outcome.counts.fills as usize, expected.trades.len());
        // An order of the last close never fills.
        assert!(decisions(&records).len() - expected.trades.len() <= 1);
        let equity = expected.cash + expected.position * close[close.len() - 1];
        let nav = outcome.final_nav.unwrap() as f64 / 1e9;
        assert!((equity - nav).abs() < 1e-6, "seed {seed}: {equity} against {nav}");
    }
}
