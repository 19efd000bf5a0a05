use super::*;
use proptest::prelude::*;
use tradegraph_columns::{ColRef, Status};
use tradegraph_domain::FeedId;
use tradegraph_market::FeatureKind;

fn parameters(allow_short: bool) -> FusionParameters {
    FusionParameters {
        weights_nano: vec![NANO / 2, NANO, 300_000_000],
        roles: vec![Role::Core, Role::Trend, Role::Reversion],
        max_weight_nano: NANO / 10,
        gross_nano: NANO,
        band_nano: 5_000_000,
        doubt_nano: NANO / 2,
        allow_short,
        stages: Stages::ALL,
        sizing: None,
        cost: 0.0,
        max_positions: None,
        min_order_nano: 0,
    }
}

fn signal<'a>(agent: u16, factors: &'a [f64], confidence: &'a [f64], status: &'a [Status]) -> SignalRef<'a> {
    SignalRef { agent: AgentId(agent), factors, confidence, status }
}

/// The target of the one instrument and its reasons.
fn fused(mut a: FusionAllocator, signals: &[SignalRef<'_>], doubtful: bool) -> (Option<i64>, Waterfall) {
    a.listen(signals);
    a.form_wishes(signals, None);
    let mut w = Waterfall::default();
    let target = a.has_opinion[0].then(|| a.fuse(signals, 0, doubtful, None, &mut w));
    if let Some(target) = target {
        assert_eq!(w.last, target, "recording changes nothing");
        let sure = a.fuse(signals, 0, false, None, &mut Nowhere);
        assert_eq!(a.wanted[0], sure, "all together as one by one");
    }
    (target, w)
}

fn steps(w: &Waterfall) -> Vec<(Step, i64)> {
    w.steps.iter().map(|s| (s.step, s.amount)).collect()
}

#[test]
fn hand_worked_fusion() {
    let new = |short| FusionAllocator::new(parameters(short), 1);
    // Agent 1, weight 1, confidence 0.5: factors 0.5 + 0.25 ask for 0.05 + 0.025 of NAV; half of that is 0.0375.
    let one = signal(1, &[0.5, 0.25], &[0.5], &[Status::Ok]);
    let (target, w) = fused(new(false), &[one], false);
    assert_eq!(target, Some(37_500_000));
    assert_eq!(w.base.iter().map(|b| b.amount).collect::<Vec<_>>(), vec![50_000_000, 25_000_000]);
    assert_eq!(steps(&w), vec![(Step::Weight, -37_500_000)]);
    // A doubtful bar halves what is left: 0.01875.
    let (target, w) = fused(new(false), &[one], true);
    assert_eq!(
        (target, w.steps.last().map(|s| (s.step, s.amount))),
        (Some(18_750_000), Some((Step::Doubt, -18_750_000)))
    );
    let short = SignalRef { factors: &[-0.5, 0.0], ..one };
    assert_eq!(fused(new(false), &[short], false).0, Some(0));
    assert_eq!(fused(new(true), &[short], false).0, Some(-25_000_000));
    assert_eq!(fused(new(true), &[SignalRef { status: &[Status::WarmUp], ..one }], false).0, None);
}

#[test]
fn hand_worked_stages() {
    // The trend follower wants 0.08, the mean-reversion trader (weight 0.3) -0.1: 0.08 and -0.03.
    let signals = [signal(1, &[0.8], &[1.0], &[Status::Ok]), signal(2, &[-1.0], &[1.0], &[Status::Ok])];
    let mut a = FusionAllocator::new(parameters(true), 1);
    // Twice as strong: the stronger side alone.
    let (target, w) = fused(a.clone(), &signals, false);
    assert_eq!(target, Some(80_000_000));
    assert_eq!(steps(&w), vec![(Step::Weight, 70_000_000), (Step::Conflict, 30_000_000)]);
    assert_eq!((w.regime, w.resolution), (Regime::Unknown, Resolution::Confidence));
    // A bad record halves the trend follower, a good one lifts the other by half; learning doubles the other once more;
    // in a calm range the first counts three quarters, the other five quarters: 0.03 and -0.1125.
    a.set_reliability(AgentId(1), NANO / 2);
    a.set_reliability(AgentId(2), 3 * NANO / 2);
    a.set_learned(AgentId(2), 2 * NANO);
    a.regime = Regime::RangeCalm;
    let (target, w) = fused(a.clone(), &signals, false);
    assert_eq!(target, Some(-100_000_000), "the expert's side, clamped to the largest weight");
    let expected = vec![
        (Step::Weight, 70_000_000),
        (Step::Calibrate, 40_000_000 - 45_000_000 - 50_000_000),
        (Step::Regime, 30_000_000 - 56_250_000 + 5_000_000),
        (Step::Learned, -56_250_000),
        (Step::Conflict, -30_000_000),
        (Step::Normalise, 12_500_000),
    ];
    assert_eq!(steps(&w), expected);
    assert_eq!(w.resolution, Resolution::RangeExpert);
    // Every stage can be switched off.
    a.parameters.stages = Stages::NONE;
    let (target, w) = fused(a, &signals, false);
    assert_eq!((target, steps(&w)), (Some(50_000_000), vec![(Step::Weight, 70_000_000)]));
}

/// Two agents, one four times as loud: the loud one is brought down and the quiet one up, to their mean, from the decision
/// after the one by which both are known.
#[test]
fn loudness_is_levelled() {
    let n = 1_000;
    let ok = vec![Status::Ok; n];
    let (loud, quiet, sure) = (vec![0.8; n], vec![0.2; n], vec![1.0; n]);
    let signals = [signal(0, &loud, &sure, &ok), signal(1, &quiet, &sure, &ok)];
    let mut p = parameters(true);
    p.weights_nano = vec![NANO; 2];
    let mut a = FusionAllocator::new(p, n);
    a.listen(&signals);
    assert_eq!(a.multipliers[0], [NANO; 5], "nothing is known yet");
    a.listen(&signals);
    // Mean loudness 0.5: 0.625 and, at most, 2.
    assert_eq!((a.multipliers[0][1], a.multipliers[1][1]), (625_000_000, 2 * NANO));
    // Alone there is nothing to be levelled with.
    a.listen(&signals[..1]);
    assert_eq!(a.multipliers[0][1], NANO);
}

/// Silence is not quietness: an agent that seldom speaks is as loud as it is when it does.
#[test]
fn silence_is_not_quietness() {
    let n = 4_000;
    let ok = vec![Status::Ok; n];
    let seldom: Vec<f64> = (0..n).map(|i| if i % 4 == 0 { 0.5 } else { 0.0 }).collect();
    let (always, sure) = (vec![0.5; n], vec![1.0; n]);
    let signals = [signal(0, &seldom, &sure, &ok), signal(1, &always, &sure, &ok)];
    let mut a = FusionAllocator::new(FusionParameters { weights_nano: vec![NANO; 2], ..parameters(true) }, n);
    a.listen(&signals);
    a.listen(&signals);
    assert_eq!((a.multipliers[0][1], a.multipliers[1][1]), (NANO, NANO));
}

/// The market must look the same for five decisions before its regime changes.
#[test]
fn a_regime_is_confirmed() {
    let mut a = FusionAllocator::new(parameters(true), 1);
    let mut state = 3_u64;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5
    };
    let mut changes = Vec::new();
    for k in 0..2_000 {
        let before = (a.regime, a.looks);
        if a.observe_market(0.01 * noise() + 0.002 * f64::from((k / 150) % 2)) {
            changes.push((before.0, a.regime, a.looks.1));
        }
    }
    assert!(changes.len() > 8, "{changes:?}");
    for (from, to, looks) in changes {
        assert!(
            looks >= CONFIRM || to == Regime::Crisis || from == Regime::Unknown,
            "{from:?} to {to:?} after {looks}"
        );
    }
}

fn portfolio_of(a: &FusionAllocator) -> Portfolio {
    Portfolio { fit: a.fit(a.calmed.iter().map(|w| i128::from(w.abs())).sum()), least: 0 }
}

#[test]
fn hand_worked_bands() {
    let mut a = FusionAllocator::new(parameters(true), 1);
    let mut after = |wanted: i64, current: i64, cost: f64, to_edge: bool| {
        (a.calmed[0], a.current[0], a.has_opinion[0]) = (wanted, current, true);
        (a.parameters.cost, a.parameters.stages.to_edge) = (cost, to_edge);
        a.wish(0, &portfolio_of(&a)).map(|w| w.after)
    };
    assert_eq!(after(50_000_000, 46_000_000, 0.0, false), None, "0.4 % is less than the band of 0.5 %");
    assert_eq!(after(50_000_000, 45_000_000, 0.0, false), Some(50_000_000));
    assert_eq!(after(50_000_000, 44_000_000, 0.0, true), Some(45_000_000));
    assert_eq!(after(-50_000_000, -44_000_000, 0.0, true), Some(-45_000_000));
    assert_eq!(after(0, 1_000_000, 0.01, true), Some(0), "an end is an end");
    // 1.5 · (0.05 · 0.95)² · 0.001 is 3.384375e-6, whose cube root is 1.5014 %.
    assert_eq!(after(50_000_000, 35_500_000, 0.001, false), None);
    assert_eq!(after(50_000_000, 34_900_000, 0.001, false), Some(50_000_000));
}

#[test]
fn the_strongest_are_kept() {
    let mut a = FusionAllocator::new(parameters(true), 6);
    let kept = |a: &mut FusionAllocator, most| {
        a.parameters.max_positions = most;
        a.keep_strongest();
        (0..6).filter(|i| a.kept[*i]).collect::<Vec<_>>()
    };
    // In thousandths of NAV: 20, 40, -30, 30, none, none; the band is 5.
    a.calmed = vec![20_000_000, 40_000_000, -30_000_000, 30_000_000, 0, 0];
    a.has_opinion = vec![true; 6];
    assert_eq!(kept(&mut a, None), [0, 1, 2, 3, 4, 5]);
    assert_eq!(kept(&mut a, Some(4)), [0, 1, 2, 3]);
    assert_eq!(kept(&mut a, Some(2)), [1, 2], "equals by their place, whatever their side");
    a.current[3] = 1;
    assert_eq!(kept(&mut a, Some(2)), [1, 3], "what is held gives way only to what is stronger by more than the band");
    a.calmed[2] = -35_000_001;
    assert_eq!(kept(&mut a, Some(2)), [1, 2]);
    // Held and without an opinion: it stays and takes a place.
    (a.calmed[4], a.current[4], a.has_opinion[4]) = (1_000_000, 1_000_000, false);
    assert_eq!(kept(&mut a, Some(2)), [1, 4]);
    // What gives way is sold to the last unit, whatever the band.
    a.current = vec![1_000_000; 6];
    let out = a.wish(0, &Portfolio { fit: NANO, least: u64::MAX }).unwrap();
    assert_eq!((out.target, out.after), (0, 0));
}

#[test]
fn small_orders_are_not_made() {
    let mut a = FusionAllocator::new(parameters(true), 1);
    a.parameters.min_order_nano = 25 * i128::from(NANO);
    // 25 of 3,000 are 0.008333333…, rounded up.
    let least = a.least_order(3_000 * i128::from(NANO));
    assert_eq!(least, 8_333_334);
    let mut after = |wanted: i64, current: i64| {
        (a.calmed[0], a.current[0], a.has_opinion[0]) = (wanted, current, true);
        a.wish(0, &Portfolio { fit: NANO, least }).map(|w| w.after)
    };
    assert_eq!(after(50_000_000, 41_666_667), None, "24.999999 of 3,000");
    assert_eq!(after(50_000_000, 41_666_666), Some(50_000_000));
    assert_eq!(after(0, 1_000_000), Some(0), "an end is an end");
    assert!(a.is_too_small(24_999_999_999) && !a.is_too_small(-25_000_000_000));
}

proptest! {
    /// Columns give what one instrument at a time gives, sizes by risk and marks of changes included, whatever the numbers.
    #[test]
    fn all_together_are_as_one_by_one(
        cells in prop::collection::vec((
            prop_oneof![8 => -1.0_f64..1.0, 1 => any::<f64>()], prop_oneof![8 => 0.0_f64..1.0, 1 => any::<f64>()],
            0_u8..3, prop_oneof![8 => 0.001_f64..0.1, 1 => any::<f64>()], -100_000_000_i64..100_000_000,
        ), 300),
        weight in prop_oneof![3 => 0_i64..2 * NANO, 1 => any::<i64>()],
        (regime, allow_short, gone) in (0_u8..6, any::<bool>(), 0_usize..300),
        (calm, fit, n_known) in (0_i64..2 * NANO, 0_i64..2 * NANO, 0_usize..300),
    ) {
        let n = cells.len() / 2;
        let spec = |kind| FeatureSpec { kind, feed: FeedId(0) };
        let mut p = parameters(allow_short);
        p.weights_nano[1] = weight;
        p.sizing = Some(VolatilitySizing {
            volatility: spec(FeatureKind::RealisedVol { n: 60 }),
            correlation: spec(FeatureKind::MarketCorrelation { n: 60 }),
            instrument: Some(0.02),
            portfolio: None,
        });
        let factors: Vec<f64> = cells.iter().map(|c| c.0).collect();
        let confidence: Vec<f64> = cells.iter().map(|c| c.1).collect();
        let status: Vec<Status> = cells.iter().map(|c| [Status::Ok, Status::Ok, Status::WarmUp][usize::from(c.2)]).collect();
        let volatility: Vec<f64> = cells.iter().map(|c| c.3).take(n_known).collect();
        let column = ColRef::new(&volatility, &status[..n_known]);
        let risk = RiskColumns { volatility: column, correlation: column };
        let signals = [1, 2].map(|k| {
            let at = usize::from(k - 1) * n..usize::from(k) * n;
            signal(k, &factors[at.clone()], &confidence[at.clone()], &status[at])
        });
        let mut a = FusionAllocator::new(p, n);
        a.regime = Regime::from_byte(regime).unwrap();
        if let Some(gone) = a.gone.get_mut(gone) {
            *gone = true;
        }
        a.listen(&signals);
        a.form_wishes(&signals, Some(&risk));
        for i in 0..n {
            let any = signals.iter().any(|s| s.is_ok(i)) && !a.gone[i];
            prop_assert_eq!(a.has_opinion[i], any);
            if any {
                prop_assert_eq!(a.wanted[i], a.fuse(&signals, i, false, Some(&risk), &mut Nowhere), "instrument {}", i);
            }
        }
        columns::shrink(&a.wanted, calm, &mut a.calmed);
        for (w, c) in a.wanted.iter().zip(&a.calmed) {
            prop_assert_eq!(shrink(*w, calm), *c);
        }
        for (current, c) in a.current.iter_mut().zip(&cells) {
            *current = c.4;
        }
        let portfolio = Portfolio { fit, least: 0 };
        let mut marks = vec![false; n];
        a.mark_changes(0, n, &portfolio, &mut marks);
        for (i, mark) in marks.iter().enumerate() {
            prop_assert!(*mark || a.wish(i, &portfolio).is_none());
        }
    }

    /// Reasons sum to the target by integer equality, and recording them changes nothing, for any opinions, numbers that
    /// are none included, any state of the council, and any stages switched off.
    #[test]
    fn contributions_sum_to_the_decision(
        factors in prop::collection::vec(prop_oneof![4 => -1.0_f64..1.0, 1 => any::<f64>()], 9),
        confidence in prop::collection::vec(prop_oneof![4 => 0.0_f64..1.0, 1 => any::<f64>()], 3),
        ok in prop::collection::vec(any::<bool>(), 3),
        (allow_short, doubtful) in (any::<bool>(), any::<bool>()),
        (calm, fit) in (0_i64..NANO, 0_i64..NANO),
        switches in prop::collection::vec(any::<bool>(), 6),
        reliability in prop::collection::vec(0_i64..2 * NANO, 3),
        learned in prop::collection::vec(0_i64..3 * NANO, 3),
        regime in 0_u8..6,
        current in -100_000_000_i64..100_000_000,
    ) {
        let status: Vec<Status> = ok.iter().map(|b| if *b { Status::Ok } else { Status::NoData }).collect();
        let signals: Vec<SignalRef> = (0..3)
            .map(|a| signal(a as u16, &factors[3 * a..3 * a + 3], &confidence[a..=a], &status[a..=a]))
            .collect();
        let mut a = FusionAllocator::new(parameters(allow_short), 1);
        a.parameters.stages = Stages {
            scale: switches[0], calibrate: switches[1], regimes: switches[2], learn: switches[3],
            conflicts: switches[4], to_edge: switches[5],
        };
        a.regime = Regime::from_byte(regime).unwrap();
        for k in 0..3 {
            a.set_reliability(AgentId(k as u16), reliability[k]);
            a.set_learned(AgentId(k as u16), learned[k]);
        }
        let (silent, mut w) = fused(a.clone(), &signals, doubtful);
        prop_assert_eq!(silent.is_some(), ok.contains(&true));
        if let Some(target) = silent {
            prop_assert_eq!(w.last, target);
            prop_assert!(w.balances());
            prop_assert!(target.unsigned_abs() <= 100_000_000);
            prop_assert!(allow_short || target >= 0);
            (a.calmed[0], a.current[0], a.has_opinion[0]) = (shrink(target, calm), current, true);
            if let Some(wish) = a.wish(0, &Portfolio { fit, least: 0 }) {
                w.step_to(Step::VolatilityTarget, a.calmed[0]);
                w.step_to(Step::Construct, wish.target);
                w.step_to(Step::Turnover, wish.after);
                prop_assert_eq!(w.last, wish.after);
                prop_assert!(w.balances());
                let between = |x: i64, a: i64, b: i64| x >= a.min(b) && x <= a.max(b);
                prop_assert!(between(wish.after, current, wish.target), "never beyond the target");
                prop_assert!(wish.target.unsigned_abs() <= target.unsigned_abs());
            }
        }
    }

    #[test]
    fn a_state_goes_on_where_it_was_saved(returns in prop::collection::vec(-0.05_f64..0.05, 80), regime in 0_u8..6) {
        let status = [Status::Ok, Status::Ok];
        let signals = [signal(1, &[0.5, -0.25], &[0.5, 1.0], &status)];
        let mut a = FusionAllocator::new(parameters(true), 2);
        a.listen(&signals);
        returns.iter().for_each(|r| _ = a.observe_market(*r));
        a.set_learned(AgentId(1), 5);
        a.regime = Regime::from_byte(regime).unwrap();
        let mut e = Encoder::new();
        a.save(&mut e);
        let mut b = FusionAllocator::new(parameters(true), 2);
        b.load(&mut Decoder::new(e.as_bytes())).unwrap();
        let mut again = Encoder::new();
        b.save(&mut again);
        prop_assert_eq!(e.as_bytes(), again.as_bytes());
        prop_assert_eq!(b.asked().map(|(a, x)| (a, x.to_vec())).collect::<Vec<_>>(), vec![(AgentId(1), vec![50_000_000, -25_000_000])]);
    }
}
