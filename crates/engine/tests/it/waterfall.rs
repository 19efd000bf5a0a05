//! Reasons add up by integer equality through all stages, for any weights, caps, bands, lots and markets.

use crate::engine::records::{DecisionRecord, Record};
use crate::engine::{AgentConfig, AllocatorConfig, RunConfig};
use crate::fixture::{
    Walk, config, council, crossing, decisions, doubtful, fills, fusion, momentum, roads, run, units, usd,
};
use crate::noise::{council as council_of, market, real_returns};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use tradegraph_controls::{Limits, RiskCaps};
use tradegraph_domain::{Lots, NANO, OrderId, Quantity, Side, Step, WaterfallUnit, mul_div_half_even};
use tradegraph_learning::HedgerParameters;
use tradegraph_market::Universe;
use tradegraph_portfolio::{DirectSize, FusionParameters, Stages};

/// Checks every decision of a run and returns the stages that moved one.
fn check(c: &RunConfig) -> BTreeSet<u8> {
    let (_, journal) = run(c);
    let records = journal.records();
    let all = decisions(&records);
    let filled: BTreeSet<OrderId> = fills(&records).iter().map(|(_, _, f)| f.order).collect();
    let mut seen = BTreeSet::new();
    for d in &all {
        let w = &d.waterfall;
        assert!(w.balances(), "{d:?}");
        assert!(!w.base.is_empty(), "somebody asked for it: {d:?}");
        let lot = c.universe.get(d.order.instrument).unwrap().lot;
        let signed = d.order.side.signed(d.order.quantity);
        assert_eq!(i128::from(w.lots.order) * lot.nano(), signed.nano(), "the order is the line: {d:?}");
        assert_eq!(w.lots.order > 0, d.order.side == Side::Buy);
        let place = |step: Step| Step::ALL.iter().position(|(s, ..)| *s == step);
        assert!(w.steps.windows(2).all(|p| place(p[0].step) < place(p[1].step)), "stages in their order: {d:?}");
        assert!(d.refusal.is_none() || !filled.contains(&d.order.id), "refused, yet filled: {d:?}");
        match w.unit {
            WaterfallUnit::Lots => assert_eq!(w.last, w.lots.target, "{d:?}"),
            WaterfallUnit::NanoNav => check_target(c, d, lot),
        }
        seen.extend(w.steps.iter().map(|s| s.step as u8));
    }
    seen
}

/// The target of the council within all limits, and the same before and after it was cut into lots.
fn check_target(c: &RunConfig, d: &DecisionRecord, lot: Quantity) {
    let AllocatorConfig::Fusion { parameters: p, .. } = &c.allocator else { panic!("direct runs decide in lots") };
    let w = &d.waterfall;
    let worth = |lots: i64| d.price.notional_nano(Lots(lots).quantity(lot).unwrap()).unwrap();
    let share = |lots: i64| i64::try_from(worth(lots) * i128::from(NANO) / d.nav_nano).unwrap();
    assert_eq!(share(w.lots.target), w.last, "{d:?}");
    let before_lots = w.last - w.steps.iter().filter(|s| s.step == Step::Lot).map(|s| s.amount).sum::<i64>();
    let value = mul_div_half_even(before_lots.into(), d.nav_nano, NANO.into()).unwrap();
    let a_lot = i128::from(d.price.nano()) * lot.nano();
    assert_eq!(i128::from(w.lots.target), value * i128::from(NANO) / a_lot, "whole lots toward zero: {d:?}");
    assert!(before_lots.abs() <= p.max_weight_nano && before_lots.abs() <= p.gross_nano, "{d:?}");
    assert!(p.allow_short || before_lots >= 0, "{d:?}");
    let adds = before_lots.abs() > share(w.lots.position + w.lots.open).abs();
    if let (Some(cap), true) = (c.caps.position, adds) {
        assert!(before_lots.abs() <= cap, "{d:?}");
    }
    if let (Some(cap), true) = (c.caps.gross, adds) {
        assert!(before_lots.abs() <= cap, "{d:?}");
    }
}

#[test]
fn every_road_explains_itself() {
    for missing in [0, 150] {
        for (_, c) in roads(vec![Walk { missing, ..Walk::default() }.batch()]) {
            check(&c);
        }
    }
}

/// A council whose every stage has something to say.
#[test]
fn every_stage_is_exercised() {
    let base = council(vec![Walk { rows: 1_500, ..Walk::default() }.batch()]);
    let parameters = FusionParameters {
        weights_nano: vec![NANO, 1_700_000_000, 0, 0, 0, 0, 900_000_000],
        band_nano: 1_000_000,
        ..fusion(60, 90, 0, false)
    };
    let learning = HedgerParameters { every: 10, ..HedgerParameters::default() };
    let caps = RiskCaps { position: Some(350_000_000), gross: Some(300_000_000) };
    let run = |parameters: &FusionParameters| {
        let allocator = AllocatorConfig::Fusion { parameters: parameters.clone(), learning };
        check(&RunConfig { allocator, caps, ..base.clone() })
    };
    let mut seen = run(&parameters);
    // The portfolio's target is tighter than `gross`; without it `gross` binds.
    seen.extend(run(&FusionParameters { sizing: None, ..parameters.clone() }));
    let stages = Step::ALL.iter().map(|(step, ..)| *step).filter(|step| *step != Step::Doubt);
    let missing: Vec<Step> = stages.filter(|s| !seen.contains(&(*s as u8))).collect();
    // Long-only needs the clamp from below: the rule is never short, momentum is.
    assert!(missing.is_empty(), "{missing:?}");
    // A stage that is switched off says nothing, and the rest adds up all the same.
    let off = |stages: Stages, step: Step| {
        assert!(!run(&FusionParameters { stages, ..parameters.clone() }).contains(&(step as u8)), "{step:?}");
    };
    let all = parameters.stages;
    off(Stages { scale: false, ..all }, Step::Scale);
    off(Stages { calibrate: false, ..all }, Step::Calibrate);
    off(Stages { regimes: false, ..all }, Step::Regime);
    off(Stages { learn: false, ..all }, Step::Learned);
    off(Stages { conflicts: false, ..all }, Step::Conflict);
    off(Stages { to_edge: false, ..all }, Step::Turnover);
}

/// Every order of the whole council over 33 years of 20 companies, and over eight years with each stage switched off.
#[test]
fn real_years_add_up() {
    let (returns, _) = real_returns();
    let orders = |c: &RunConfig| decisions(&run(c).1.records()).len();
    let all = council_of(market(&returns), true);
    assert!(orders(&all) > 5_000);
    check(&all);
    let few = council_of(market(&returns[6_300..]), true);
    let AllocatorConfig::Fusion { parameters, learning } = few.allocator.clone() else { panic!("the council fuses") };
    let on = parameters.stages;
    for stages in [
        Stages { scale: false, ..on },
        Stages { calibrate: false, ..on },
        Stages { regimes: false, ..on },
        Stages { learn: false, ..on },
        Stages { conflicts: false, ..on },
        Stages { to_edge: false, ..on },
        Stages::NONE,
    ] {
        for sizing in [None, parameters.sizing] {
            let parameters = FusionParameters { stages, sizing, ..parameters.clone() };
            check(&RunConfig { allocator: AllocatorConfig::Fusion { parameters, learning }, ..few.clone() });
        }
    }
}

/// The agents' lines and what is left sum to the account's result exactly, at every lesson and at the end.
#[test]
fn results_add_up_to_the_account() {
    for (name, c) in roads(vec![Walk { rows: 300, ..Walk::default() }.batch()]) {
        let (outcome, recorder) = run(&c);
        let nav = outcome.final_nav.unwrap();
        let mut n = 0;
        let mut last = None;
        for r in recorder.records() {
            if let Record::Results { nav_nano, statement, .. } = r {
                let lines: i128 = statement.lines.iter().map(|l| l.net()).sum();
                assert_eq!(lines + statement.construction, statement.total, "{name}");
                assert_eq!(statement.total, nav_nano - c.cash.nano(), "{name}");
                let fees: i128 = statement.lines.iter().map(|l| l.costs).sum();
                n += 1;
                last = Some((nav_nano, fees));
            }
        }
        let council = matches!(c.allocator, AllocatorConfig::Fusion { .. });
        assert_eq!(n > 0, council, "{name}: {n}");
        assert!(n > 10 || !council || c.agents.len() < 2, "{name}: lessons are on record");
        let all_fees: i128 = fills(&recorder.records()).iter().map(|(_, _, f)| f.fee_nano).sum();
        if let Some((end, fees)) = last {
            assert_eq!(end, nav, "{name}");
            assert!(fees > 0 && fees <= all_fees, "{name}: {fees} of {all_fees}");
        }
    }
}

/// A doubtful bar halves what opinions ask for, for a while, and the waterfall says so.
#[test]
fn doubtful_bars_cut_what_is_asked_for() {
    let batch = Walk { rows: 400, ..Walk::default() }.batch();
    let seen = |batch| check(&council(vec![batch])).contains(&(Step::Doubt as u8));
    assert!(!seen(batch.clone()));
    assert!(seen(doubtful(batch)));
}

fn weight() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), 1_i64..2 * NANO, Just(NANO)]
}

fn cap() -> impl Strategy<Value = Option<i64>> {
    prop::option::of(1_000_000_i64..NANO)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_council_adds_up(
        seed in any::<u64>(),
        weights in prop::collection::vec(weight(), 7),
        max_weight in 1_000_000_i64..NANO,
        gross in 10_000_000_i64..2 * NANO,
        band in prop_oneof![Just(0), 0_i64..200_000_000],
        allow_short in any::<bool>(),
        (position, all) in (cap(), cap()),
        lot in prop_oneof![Just(1_i128), Just(10), Just(1_000), Just(i128::from(NANO)), Just(37 * i128::from(NANO))],
        missing in 0_u64..300,
    ) {
        let c = council(vec![Walk { seed, n: 4, rows: 60, missing, ..Walk::default() }.batch()]);
        let lots = |x: &tradegraph_domain::Instrument| {
            tradegraph_domain::Instrument { lot: Quantity::from_nano(lot), ..x.clone() }
        };
        let universe = Arc::new(Universe::new(c.universe.iter().map(|(_, x)| lots(x)).collect()).unwrap());
        let parameters = FusionParameters {
            weights_nano: weights, max_weight_nano: max_weight, gross_nano: gross, band_nano: band, doubt_nano: 0,
            ..fusion(1, 1, 0, allow_short)
        };
        let learning = HedgerParameters { every: 5, ..HedgerParameters::default() };
        let limits = Limits { allow_short, ..c.limits.clone() };
        let (caps, allocator) = (RiskCaps { position, gross: all }, AllocatorConfig::Fusion { parameters, learning });
        check(&RunConfig { universe, allocator, caps, limits, ..c });
    }

    #[test]
    fn direct_orders_add_up(
        seed in any::<u64>(),
        size in prop_oneof![
            (0_i64..500).prop_map(|n| DirectSize::Quantity(units(n))),
            (0_i64..2 * NANO).prop_map(DirectSize::WeightNano),
        ],
        allow_short in any::<bool>(),
        cash in 1_i64..20_000,
        two in any::<bool>(),
        missing in 0_u64..300,
    ) {
        let c = config(vec![Walk { seed, n: 4, rows: 60, missing, ..Walk::default() }.batch()]);
        let agents = if two { vec![momentum(0), AgentConfig::Rule(crossing(0))] } else { vec![momentum(0)] };
        let limits = Limits { allow_short, ..c.limits.clone() };
        let allocator = AllocatorConfig::Direct { size, allow_short };
        check(&RunConfig { agents, limits, allocator, cash: usd(cash), ..c });
    }
}
