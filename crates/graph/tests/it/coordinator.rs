//! Priorities, and bids for the end of a cycle.

use crate::{compiled, named, pool, saved_list};
use std::sync::Arc;
use tradegraph_graph::{
    Bid, Budget, Channel, Compiled, Decision, Event, Fallback, GraphBuilder, Modes, Offer, START, VerdictOutcome,
    negotiate,
};

#[test]
fn nodes_worth_more_per_millisecond_run_and_the_decision_is_explained() {
    let offer = |node: &str, value, cost_ns| Offer { node: node.to_owned(), value, cost_ns, missed: 0, priority: 0 };
    let mut offers = vec![
        offer("a", 1.0, 1_000_000),
        offer("b", 6.0, 2_000_000),
        offer("c", 3.0, 1_000_000),
        offer("d", f64::NAN, 1),
    ];
    let Decision { claims, .. } = negotiate(7, 2, 3_500_000, offers.clone());
    assert_eq!(
        claims.iter().map(|c| (c.rank, c.runs)).collect::<Vec<_>>(),
        [(3, false), (1, true), (2, true), (4, true)]
    );
    let told = negotiate(7, 2, 3_500_000, offers.clone()).explain();
    assert_eq!(told[0], "1. b runs: worth 6 for 2 ms, 3 per ms; 3.5 ms were left");
    assert_eq!(told[2], "3. a stands back: worth 1 for 1 ms, 1 per ms; 0.5 ms were left");
    // 3.5 ms: the priority takes 1 of them, and 2.5 are left for what is worth more.
    offers[0].priority = 5;
    let told = negotiate(7, 2, 3_500_000, offers).explain();
    assert_eq!(told[0], "1. a runs: priority 5, worth 1 for 1 ms, 1 per ms; 3.5 ms were left");
    assert_eq!(told[1], "2. b runs: worth 6 for 2 ms, 3 per ms; 2.5 ms were left");
    assert_eq!(told[2], "3. c stands back: worth 3 for 1 ms, 3 per ms; 0.5 ms were left");
}

#[test]
fn a_market_update_reaches_nodes_by_priority_and_the_record_says_so() {
    let build = |shared: bool| {
        let mut g = GraphBuilder::<()>::new("broadcast");
        let price = g.channel("price", Channel::last(0_i64).saved());
        let v = saved_list(&mut g);
        for (name, priority) in [("a", 0), ("b", 5), ("c", -1), ("d", 5)] {
            let see = move |io: &mut tradegraph_graph::Io<'_>| {
                let seen = *io.get(price)?;
                Ok(io.write(v, format!("{name} {seen}"))?)
            };
            let n =
                if shared { g.shared_fn(name, move |(), io| see(io)) } else { g.node_fn(name, move |(), io| see(io)) };
            // Every node is worth the same: priorities alone decide.
            let bid = Bid { value: |_| 1.0, cost_ns: 300 };
            g.node_mut(n).reads(&[price.id()]).priority(priority).bid(bid).fallback(Fallback::Skip);
            g.edge(START, n);
        }
        (compiled(g), price, v)
    };
    for (shared, threads) in [(false, 0), (true, 0), (true, 4)] {
        let (mut graph, price, v) = build(shared);
        if threads > 0 {
            graph.set_pool(pool(threads), usize::MAX);
        }
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let to = seen.clone();
        graph.observe(Modes::TASKS, move |event| {
            if let Event::Task { node, turn, .. } = event {
                to.lock().unwrap().push(((*node).to_owned(), *turn));
            }
        });
        let update = |graph: &mut Compiled<()>, p: i64| {
            seen.lock().unwrap().clear();
            graph.input(price, p).unwrap();
            graph.run(&mut ()).unwrap();
            let turns: Vec<Option<u32>> = seen.lock().unwrap().iter().map(|(_, turn)| *turn).collect();
            turns
        };
        // Time for all: everybody sees the same price, merged by name; the record has the order of starting.
        assert_eq!(update(&mut graph, 7), [Some(3), Some(1), Some(4), Some(2)]);
        assert_eq!(graph.get(v).unwrap(), &["a 7", "b 7", "c 7", "d 7"]);
        assert!(graph.take_decisions().is_empty());
        // Near the deadline there is time for two: the two of the highest priority, which record and verdicts name.
        graph.set_budget(Some(Budget { cycle_ns: 1_000, reserve_ns: 300 }));
        assert_eq!(update(&mut graph, 8), [None, Some(1), None, Some(2)]);
        assert_eq!(graph.get(v).unwrap()[4..], ["b 8", "d 8"]);
        let told = graph.take_decisions()[0].explain();
        assert!(told[0].starts_with("1. b runs: priority 5,") && told[3].starts_with("4. c stands back: priority -1,"));
        let verdicts = graph.take_verdicts();
        let yielded: Vec<_> = verdicts.iter().map(|v| (v.node.as_str(), v.outcome)).collect();
        assert_eq!(yielded, [("a", VerdictOutcome::Yielded), ("c", VerdictOutcome::Yielded)]);
        // The record decides in a replay, without a budget and alone.
        let (mut replay, price, v) = build(false);
        replay.force_verdicts(verdicts);
        for p in [7, 8] {
            replay.input(price, p).unwrap();
            replay.run(&mut ()).unwrap();
        }
        assert_eq!(replay.get(v).unwrap()[4..], ["b 8", "d 8"]);
    }
}

#[test]
fn a_cycle_near_its_deadline_lets_the_cheap_claims_wait_for_the_next() {
    let build = || {
        let mut g = GraphBuilder::<()>::new("bids");
        let v = saved_list(&mut g);
        for (name, value) in [("low", 1.0_f64), ("high", 9.0)] {
            let n = named(&mut g, v, name);
            let bid =
                if value > 1.0 { Bid { value: |_| 9.0, cost_ns: 600 } } else { Bid { value: |_| 1.0, cost_ns: 600 } };
            g.node_mut(n).bid(bid).fallback(Fallback::Skip);
            g.edge(START, n);
        }
        (compiled(g), v)
    };
    let (mut graph, v) = build();
    graph.set_budget(Some(Budget { cycle_ns: 1_000, reserve_ns: 100 }));
    graph.run(&mut ()).unwrap();
    assert_eq!(graph.get(v).unwrap(), &["high"]);
    let decisions = graph.take_decisions();
    assert_eq!(decisions[0].left_ns, 900);
    let verdicts = graph.take_verdicts();
    assert_eq!((verdicts[0].node.as_str(), verdicts[0].outcome), ("low", VerdictOutcome::Yielded));
    let (mut replay, v) = build();
    replay.force_verdicts(verdicts);
    replay.run(&mut ()).unwrap();
    assert_eq!(replay.get(v).unwrap(), &["high"], "without a budget, as recorded");
}

#[test]
fn higher_priorities_run_first_and_merge_in_the_order_of_names() {
    let mut g = GraphBuilder::<Vec<&'static str>>::new("priority");
    let v = g.channel("v", Channel::reduce(Vec::new(), |all: &mut Vec<String>, one: String| all.push(one)));
    for (name, priority) in [("a", 0), ("b", 5), ("c", -1), ("d", 5)] {
        let n = g.node_fn(name, move |ran: &mut Vec<_>, io| {
            ran.push(name);
            Ok(io.write(v, name.to_owned())?)
        });
        g.node_mut(n).priority(priority);
        g.edge(START, n);
    }
    let mut ran = Vec::new();
    let mut graph = compiled(g);
    graph.run(&mut ran).unwrap();
    assert_eq!(ran, ["b", "d", "a", "c"]);
    assert_eq!(graph.get(v).unwrap(), &["a", "b", "c", "d"]);
}

#[test]
fn a_node_that_loses_runs_less_often_and_not_never() {
    let mut g = GraphBuilder::<()>::new("cadence");
    let v = saved_list(&mut g);
    for name in ["low", "high"] {
        let n = named(&mut g, v, name);
        let low = Bid { value: |_| 2.0, cost_ns: 600 };
        let bid = if name == "low" { low } else { Bid { value: |_| 5.0, ..low } };
        g.node_mut(n).bid(bid).fallback(Fallback::Skip);
        g.edge(START, n);
    }
    let mut graph = compiled(g);
    graph.set_budget(Some(Budget { cycle_ns: 1_000, reserve_ns: 0 }));
    (0..6).for_each(|_| _ = graph.run(&mut ()).unwrap());
    assert_eq!(graph.get(v).unwrap(), &["high", "high", "low", "high", "high", "low"]);
    assert!(graph.take_decisions()[2].explain()[0].contains("low runs: worth 2 for 0.0006 ms, 2 runs missed"));
}
