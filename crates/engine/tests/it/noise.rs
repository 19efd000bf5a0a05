//! On markets in which nothing can be earned, nothing is earned: over 200 seeds the council's result before costs, per unit of
//! exposure, lies within three standard errors of zero, and after costs it is not above zero beyond that.
//!
//! A day's result is divided by the exposure that was held into it, which was known before: under a price without drift each
//! term has mean zero whatever the strategy did before, so the mean of the terms is an unbiased test. Days of real returns are
//! drawn with replacement: without it the last days of a shuffle follow from the first ones, and a strategy that fades moves
//! would truly earn.

use crate::engine::RunConfig;
use crate::fixture::{Draws, START, config, council_of_all, fills, run, staged};
use tradegraph_columns::Status;
use tradegraph_controls::Limits;
use tradegraph_domain::{BarPeriod, BarSpec, Basis, Bps, Commission, Nanos, Price, Timestamp};
use tradegraph_execution::Frictions;
use tradegraph_market::{Batch, BatchParts};

const SEEDS: u64 = 200;
const DAYS: usize = 340;

/// Closes of days from simple returns, row by row.
pub fn market(returns: &[Vec<f64>]) -> Batch {
    let width = returns[0].len();
    let mut price: Vec<f64> = (0..width).map(|i| 20.0 + 13.0 * (i % 7) as f64).collect();
    let mut close = Vec::new();
    for row in returns {
        for (p, r) in price.iter_mut().zip(row) {
            *p *= 1.0 + r;
            close.push(Price::from_f64_half_even(p.max(1e-6)).unwrap().nano());
        }
    }
    let at = |k: usize| Timestamp(START.0 + Nanos::DAY.0 * k as i64);
    Batch::new(BatchParts {
        spec: BarSpec { period: BarPeriod::Fixed(Nanos::DAY), basis: Basis::TotalReturn, has_open: false },
        width,
        starts: (0..returns.len()).map(at).collect(),
        ends: (1..=returns.len()).map(at).collect(),
        open: vec![],
        high: vec![],
        low: vec![],
        volume: vec![0.0; close.len()],
        status: vec![Status::Ok; close.len()],
        close,
    })
    .unwrap()
}

/// Uniform on [0, 1).
fn uniform(d: &mut Draws) -> f64 {
    (d.next() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Simple returns with mean zero given the past: a common factor, clustering volatility, jumps; symmetric in every row.
fn martingale(seed: u64, width: usize) -> Vec<Vec<f64>> {
    let mut d = Draws(seed);
    // The sum of four uniforms is close enough to a normal, symmetric and bounded.
    let mut z = move || {
        let sum: f64 = (0..4).map(|_| uniform(&mut d)).sum();
        let jump = if uniform(&mut d) < 0.01 { 4.0 } else { 1.0 };
        (sum - 2.0) * 3.0_f64.sqrt() * jump
    };
    let mut variance = 1.0_f64;
    (0..DAYS)
        .map(|_| {
            let common = z() * variance.sqrt();
            variance = 0.05 + 0.9 * variance + 0.05 * common * common;
            (0..width).map(|_| (0.008 * common + 0.010 * z() * variance.sqrt()).clamp(-0.5, 0.5)).collect()
        })
        .collect()
}

/// Days of ten real companies, drawn with replacement.
fn drawn(seed: u64, real: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut d = Draws(seed);
    let mut day = || real[(d.next() % real.len() as u64) as usize].iter().step_by(2).copied().collect();
    (0..DAYS).map(|_| day()).collect()
}

pub fn real_returns() -> (Vec<Vec<f64>>, Vec<f64>) {
    let text = include_str!("../../../../samples/equities/us20_adjclose_1990_2022.csv");
    let rows: Vec<Vec<f64>> =
        text.lines().skip(1).map(|l| l.split(',').skip(1).map(|x| x.parse().unwrap()).collect()).collect();
    let returns: Vec<Vec<f64>> =
        rows.windows(2).map(|w| w[0].iter().zip(&w[1]).map(|(a, b)| b / a - 1.0).collect()).collect();
    let n = returns.len() as f64;
    let means = (0..returns[0].len()).map(|i| returns.iter().map(|r| r[i]).sum::<f64>() / n).collect();
    (returns, means)
}

/// Mean over the days of result / exposure; `means` is what holding the same exposure earns a day. The second number is the
/// costs per unit of exposure and day.
fn result(c: &RunConfig, means: &[f64]) -> (f64, f64) {
    let (_, recorder) = run(c);
    let all = fills(&recorder.records());
    let batch = &c.feeds[0];
    let mut held = vec![0.0; batch.width()];
    let (mut at, mut sum, mut exposures, mut n, mut costs) = (0, 0.0, 0.0, 0.0, 0.0);
    for k in 0..batch.rows() - 1 {
        while let Some((_, _, fill)) = all.get(at).filter(|(_, ts, _)| *ts <= batch.interval(k).end) {
            let i = fill.instrument.index();
            held[i] += fill.side.signed(fill.quantity).to_f64();
            let close = batch.close(k, i).unwrap().to_f64();
            costs += fill.fee_nano as f64 / 1e9 + (fill.price.to_f64() - close).abs() * fill.quantity.to_f64();
            at += 1;
        }
        let price = |k: usize, i: usize| batch.close(k, i).unwrap().to_f64();
        let exposure: f64 = held.iter().enumerate().map(|(i, q)| (q * price(k, i)).abs()).sum();
        if exposure > 1.0 {
            let pnl: f64 = held
                .iter()
                .enumerate()
                .map(|(i, q)| q * (price(k + 1, i) - price(k, i) - price(k, i) * means.get(i).copied().unwrap_or(0.0)))
                .sum();
            (sum, exposures, n) = (sum + pnl / exposure, exposures + exposure, n + 1.0);
        }
    }
    (sum / f64::max(n, 1.0), costs / f64::max(exposures, 1.0))
}

/// Every agent and every stage; costs or none.
pub fn council(feed: Batch, costs: bool) -> RunConfig {
    let c = config(vec![feed]);
    let (commission, half_spread) = if costs {
        (Commission { rate: Bps::from_units(2), ..Commission::default() }, Bps::from_units(3))
    } else {
        (Commission::default(), Bps::ZERO)
    };
    let limits = Limits { allow_short: true, commission, half_spread, ..c.limits.clone() };
    RunConfig {
        agents: council_of_all(0),
        allocator: staged(20, 100, 1, true),
        frictions: Frictions { commission, half_spread, ..c.frictions },
        limits,
        ..c
    }
}

/// Mean and standard error.
fn estimate(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

fn check(name: &str, means: &[f64], market_of: impl Fn(u64) -> Vec<Vec<f64>>) {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for seed in 0..SEEDS {
        let returns = market_of(seed);
        before.push(result(&council(market(&returns), false), means).0);
        let (gross, costs) = result(&council(market(&returns), true), means);
        assert!(costs > 0.0, "{name}: nothing was traded with seed {seed}");
        after.push(gross - costs);
    }
    let ((mean, error), (net, net_error)) = (estimate(&before), estimate(&after));
    let say = |m: f64, e: f64| format!("{:.3} ± {:.3} bp a day", m * 1e4, e * 1e4);
    assert!(mean.abs() <= 3.0 * error, "{name}: before costs {}", say(mean, error));
    assert!(net <= 3.0 * net_error, "{name}: after costs {}", say(net, net_error));
}

#[test]
fn prices_without_drift_pay_nothing() {
    check("martingales", &[], |seed| martingale(seed * 7_919 + 1, 8));
}

#[test]
fn real_days_without_their_mean_pay_nothing() {
    let (mut real, means) = real_returns();
    real.iter_mut().for_each(|row| row.iter_mut().zip(&means).for_each(|(r, m)| *r -= m));
    check("real days without their mean", &[], |seed| drawn(seed, &real));
}

#[test]
fn real_days_pay_no_more_than_holding_the_same_exposure() {
    let (real, means) = real_returns();
    let means: Vec<f64> = means.iter().step_by(2).copied().collect();
    check("real days in excess of holding", &means, |seed| drawn(seed + 1_000, &real));
}
