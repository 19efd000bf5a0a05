//! Too little work for all strategies: who runs, what the others say meanwhile, and what the journal says about it.

use crate::engine::{BackTest, Negotiation, RunConfig};
use crate::fixture::{
    Recorder, Walk, binding, compute_for, config, council, decisions, long_term, mean_reversion, momentum, run,
    short_of_work, whole_council,
};
use std::collections::BTreeMap;
use tradegraph_domain::{AgentId, InstrumentId, NANO};
use tradegraph_engine::records::Record;
use tradegraph_engine::{AgentBid, AgentConfig, ComputeBudget, Journal, Opinion};

fn negotiations(records: &[Record]) -> Vec<Negotiation> {
    let one = |r: &Record| if let Record::Negotiation(n) = r { Some(n.clone()) } else { None };
    records.iter().filter_map(one).collect()
}

fn walk() -> Walk {
    Walk { n: 4, rows: 300, missing: 30, ..Walk::default() }
}

#[test]
fn enough_work_for_all_changes_nothing() {
    let free = whole_council(vec![walk().batch()]);
    let paid = RunConfig { compute: Some(compute_for(4, &free)), ..free.clone() };
    let ((free, a), (paid, b)) = (run(&free), run(&paid));
    assert_eq!(
        (free.rolling, free.final_nav, free.counts, free.equity),
        (paid.rolling, paid.final_nav, paid.counts, paid.equity)
    );
    assert_eq!(decisions(&a.records()), decisions(&b.records()));
    assert!(negotiations(&b.records()).is_empty());
}

#[test]
fn two_of_four_run_and_everybody_has_a_turn() {
    let c = short_of_work(vec![walk().batch()]);
    let (_, journal) = run(&c);
    let all = negotiations(&journal.records());
    assert_eq!(all.len(), 300, "two of four stand back in every decision");
    let mut ran: BTreeMap<AgentId, u32> = BTreeMap::new();
    for n in &all {
        assert_eq!(n.budget_ns, 80);
        let cost: u64 = n.claims.iter().filter(|c| c.runs).map(|c| c.cost_ns).sum();
        assert_eq!(cost, 80);
        n.claims.iter().filter(|c| c.runs).for_each(|c| *ran.entry(c.agent).or_default() += 1);
        let first = n.claims.iter().find(|c| c.rank == 1).unwrap();
        assert_eq!((first.priority, first.runs, first.left_ns), (1, true, 80), "the priority is served first");
    }
    assert_eq!(ran[&momentum(0).id()], 300);
    // Equal weights and costs: what was missed most comes next, so that the three take turns.
    for agent in [mean_reversion(0), long_term(0), AgentConfig::Rule(crate::fixture::crossing(0))] {
        assert_eq!(ran[&agent.id()], 100, "{agent:?}");
    }
}

#[test]
fn who_stands_back_keeps_its_opinion_and_shows_no_data_for_it() {
    let c = short_of_work(vec![Walk { move_ppm: 4_000, ..walk() }.batch()]);
    let mut test = BackTest::new(c.clone(), None).unwrap();
    let mut journal = Recorder::default();
    journal.append(BackTest::first_group(&binding(&c))).unwrap();
    let of = |all: &[Opinion], agent| -> Vec<Opinion> { all.iter().filter(|o| o.agent == agent).copied().collect() };
    let (mut before, mut kept, mut renewed): (Vec<Opinion>, u32, u32) = (vec![], 0, 0);
    for k in 0..300 {
        let ts = c.feeds[0].interval(k).end;
        test.run_to(ts, &mut journal).unwrap();
        let now = test.opinions();
        let records = journal.records();
        let n = negotiations(&records).pop().unwrap();
        assert_eq!(n.ts, ts);
        let told = test.why(InstrumentId(1)).unwrap();
        assert_eq!(told.negotiation.as_ref().map(|n| &n.claims), Some(&n.claims));
        assert!(told.evidence.iter().all(|e| !n.waits(e.agent)));
        for claim in &n.claims {
            let same = of(&now, claim.agent) == of(&before, claim.agent);
            assert!(claim.runs || same, "{claim:?} at {ts}");
            renewed += u32::from(claim.runs && !same);
            kept += u32::from(!claim.runs && !of(&now, claim.agent).is_empty());
        }
        for d in decisions(&records).iter().filter(|d| d.ts == ts) {
            assert!(d.evidence.iter().all(|e| !n.waits(e.agent)), "{d:?}");
            assert!(d.waterfall.balances());
        }
        before = now;
    }
    assert!(kept > 200 && renewed > 200, "{kept} {renewed}");
}

/// One instrument at 100, 101, 101, 100 (first and last move 100 and 99.0099 bp), two agents of weights 1 and 0.5, work
/// for one.
#[test]
fn bids_are_weight_times_what_the_market_did_since() {
    let batch = crate::fixture::bars(&[(100, 100), (101, 101), (101, 101), (101, 100)]);
    let mut c = council(vec![batch]);
    c.agents = vec![momentum(0), mean_reversion(0)];
    let bid = |a: &AgentConfig, weight_nano| AgentBid { agent: a.id(), weight_nano, cost_ns: 2_000_000, priority: 0 };
    let bids = vec![bid(&c.agents[0], NANO), bid(&c.agents[1], NANO / 2)];
    c.compute = Some(ComputeBudget { cycle_ns: 3_000_000, bids });
    let all = negotiations(&run(&c).1.records());
    // Value, decisions missed, and whether it runs: of momentum and of mean reversion.
    let seen: Vec<_> =
        all.iter().map(|n| [0, 1].map(|at| (n.claims[at].value, n.claims[at].missed, n.claims[at].runs))).collect();
    let move_1 = (101.0_f64 / 100.0 - 1.0) * 1e4;
    let move_3 = (1.0 - 100.0_f64 / 101.0) * 1e4;
    let near = |x: f64, y: f64| (x - y).abs() < 1e-9;
    let expected = [
        [(10_000.0, 0, true), (5_000.0, 0, false)],
        [(move_1, 0, false), (0.5 * (10_000.0 + move_1) / 2.0, 1, true)],
        [(move_1 / 2.0, 1, true), (0.0, 0, false)],
        [(move_3, 0, true), (0.5 * move_3 / 2.0, 1, false)],
    ];
    assert_eq!(seen.len(), 4);
    for (k, (seen, expected)) in seen.iter().zip(expected).enumerate() {
        for (s, e) in seen.iter().zip(expected) {
            assert!(near(s.0, e.0) && (s.1, s.2) == (e.1, e.2), "decision {k}: {s:?} {e:?}");
        }
    }
    let told = all[1].explain(|a| format!("agent {}", a.0));
    assert_eq!(told[0], "agent 2 ran: worth 2525.00 bp for 2 ms, 1 decision missed; 3 ms was left");
    assert_eq!(told[1], "agent 1 stood back: worth 100.00 bp for 2 ms; 1 ms was left");
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let c = config(vec![walk().batch()]);
    let compute = Some(compute_for(1, &c));
    let refused = BackTest::new(RunConfig { compute, ..c }, None).unwrap_err().to_string();
    assert!(refused.contains("a council only"), "{refused}");

    // An agent that could never run is a mistake of the mandate.
    let c = short_of_work(vec![walk().batch()]);
    let budget = c.compute.clone().unwrap();
    for (cycle_ns, who) in
        [(79, "mean_reversion_trader' would never run: 80 ns"), (39, "momentum_trader' would never run: 40 ns")]
    {
        let compute = Some(ComputeBudget { cycle_ns, ..budget.clone() });
        let refused = BackTest::new(RunConfig { compute, ..c.clone() }, None).unwrap_err().to_string();
        assert!(refused.contains(who), "{refused}");
    }
}
