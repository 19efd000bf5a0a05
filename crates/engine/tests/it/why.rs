//! What the last decision meant, for every instrument and decision of a run: the same reasons as in the journal where there was
//! an order, a reason where there was none, and the target without an agent by hand.

use crate::engine::BackTest;
use crate::fixture::{Recorder, Walk, binding, council, council_of_all, decisions, doubtful, staged};
use std::collections::BTreeMap;
use tradegraph_domain::{AgentId, InstrumentId, NANO};
use tradegraph_engine::{AllocatorConfig, Journal, RunConfig};
use tradegraph_portfolio::Stance;

/// Calls `each` after every decision with the run and the decisions on record at that moment.
fn check(
    config: &RunConfig,
    mut each: impl FnMut(&BackTest, &BTreeMap<u32, tradegraph_engine::records::DecisionRecord>),
) {
    let mut run = BackTest::new(config.clone(), None).unwrap();
    let mut journal = Recorder::default();
    journal.append(BackTest::first_group(&binding(config))).unwrap();
    let mut seen = 0;
    for k in 0..config.feeds[0].rows() {
        let ts = config.feeds[0].interval(k).end;
        run.run_to(ts, &mut journal).unwrap();
        let all = decisions(&journal.records());
        let now = all[seen..].iter().filter(|d| d.ts == ts).map(|d| (d.order.instrument.0, d.clone())).collect();
        seen = all.len();
        each(&run, &now);
    }
}

#[test]
fn orders_have_the_reasons_of_the_journal_and_the_rest_has_a_reason() {
    let walk = Walk { n: 4, rows: 250, missing: 30, ..Walk::default() };
    let feeds = vec![doubtful(walk.batch())];
    let all = RunConfig { agents: council_of_all(0), allocator: staged(30, 90, 2, false), ..council(feeds.clone()) };
    let (mut ordered, mut stances) = (0, BTreeMap::new());
    let mut few = all.clone();
    if let AllocatorConfig::Fusion { parameters, .. } = &mut few.allocator {
        // Of four instruments two, by orders of 500 or more.
        (parameters.max_positions, parameters.min_order_nano) = (Some(2), 500 * i128::from(NANO));
    }
    for config in [council(feeds), all, few] {
        let AllocatorConfig::Fusion { parameters, .. } = &config.allocator else { panic!("a council fuses") };
        let smallest = parameters.min_order_nano;
        check(&config, |run, now| {
            for i in 0..4 {
                let found = run.why(InstrumentId(i)).unwrap();
                let w = &found.why;
                assert!(w.waterfall.balances(), "{w:?}");
                *stances.entry(format!("{:?}", w.stance).split(' ').next().unwrap().to_owned()).or_insert(0) += 1;
                match now.get(&i) {
                    Some(d) => {
                        let (mine, theirs) = (&w.waterfall, &d.waterfall);
                        assert_eq!(mine.base, theirs.base);
                        assert!(theirs.steps.starts_with(&mine.steps), "{mine:?}\n{theirs:?}");
                        assert_eq!((mine.regime, mine.resolution), (theirs.regime, theirs.resolution));
                        assert_eq!((&found.evidence, found.price), (&d.evidence, d.price));
                        assert!(matches!(w.stance, Stance::Asked { after } if after == mine.last), "{w:?}");
                        ordered += 1;
                    }
                    None => {
                        match w.stance {
                            // Asked for and not ordered: less than one lot, which is one unit, or than the smallest order.
                            Stance::Asked { after } => {
                                let change =
                                    i128::from(after - w.current).abs() * found.nav_nano.unwrap() / i128::from(NANO);
                                assert!(
                                    change <= i128::from(found.price.nano()).max(smallest),
                                    "{change} {} {w:?}",
                                    found.price
                                );
                            }
                            Stance::NoOpinion | Stance::Gone => {}
                            _ => assert_eq!(w.waterfall.last, w.current, "{w:?}"),
                        }
                        if let Stance::InsideBand { distance, band } = w.stance {
                            assert!(distance < band && distance == (w.target - w.current).abs(), "{w:?}");
                        }
                    }
                }
            }
        });
    }
    assert!(ordered > 100, "{ordered}");
    for stance in ["NoOpinion", "Nothing", "InsideBand", "Asked", "Crowded", "TooSmall"] {
        assert!(stances.contains_key(stance), "{stances:?}");
    }
}

/// Every stage off: a target is the sum of value × confidence × largest weight of the agents that are left, long only.
#[test]
fn without_an_agent_by_hand() {
    let config = council(vec![Walk { rows: 250, ..Walk::default() }.batch()]);
    let (mut compared, mut differ) = (0, 0);
    check(&config, |run, _| {
        let opinions = run.opinions();
        for i in (0..3).map(InstrumentId) {
            let w = run.why(i).unwrap().why;
            if w.stance == Stance::NoOpinion {
                continue;
            }
            let by_hand = |without: Option<AgentId>| {
                let own = opinions.iter().filter(|o| o.instrument == i && Some(o.agent) != without);
                own.map(|o| o.value * o.confidence * 0.3).sum::<f64>().clamp(0.0, 0.3) * NANO as f64
            };
            assert!((w.target as f64 - by_hand(None)).abs() < 10.0, "{w:?} {opinions:?}");
            for (agent, target) in &w.without {
                assert!((*target as f64 - by_hand(Some(*agent))).abs() < 10.0, "{agent:?} {w:?} {opinions:?}");
                differ += usize::from(*target != w.target);
                compared += 1;
            }
        }
    });
    assert!(compared > 500 && differ > 300, "{compared} {differ}");
}
