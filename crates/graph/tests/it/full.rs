//! What the data cases cannot say: limits on concurrency, delays, deadlines, caches, drains, and refusals by name.

use crate::{List, idle, list, named};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tradegraph_columns::codec::{Decoder, Encoder};
use tradegraph_graph::{
    At, Bid, Budget, CachePolicy, Channel, CompileError, Compiled, Decision, Durability, End, Event, Fallback,
    GraphBuilder, Keep, Limits, MemorySaver, Modes, NodeError, NodeId, Offer, Outcome, Paused, Query, Retry, RunError,
    START, Value, VerdictOutcome, VirtualClock, check_saver, negotiate,
};

fn pool(threads: usize) -> Arc<rayon::ThreadPool> {
    Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap())
}

fn saved_list<C>(g: &mut GraphBuilder<C>) -> List {
    g.channel("v", Channel::reduce(Vec::new(), |all: &mut Vec<String>, one: String| all.push(one)).saved())
}

fn compiled<C>(g: GraphBuilder<C>) -> Compiled<C> {
    g.compile(Limits::default()).unwrap()
}

fn attached<C>(g: GraphBuilder<C>) -> Compiled<C> {
    let mut graph = compiled(g);
    graph.attach(Arc::new(MemorySaver::new()), Durability::Async);
    graph
}

fn refusal(g: GraphBuilder<()>) -> String {
    g.compile(Limits::default()).err().unwrap().to_string()
}

#[test]
fn c24_no_more_packets_at_once_than_allowed_and_results_in_their_order() {
    #[derive(Default)]
    struct Gauge {
        now: AtomicUsize,
        most: AtomicUsize,
    }
    let mut g = GraphBuilder::<Gauge>::new("c24");
    let v = g.channel("v", Channel::<Vec<i64>, i64>::topic_of_all());
    let w = g.shared_fn("w", move |gauge: &Gauge, io| {
        let now = gauge.now.fetch_add(1, Ordering::SeqCst) + 1;
        gauge.most.fetch_max(now, Ordering::SeqCst);
        let n = io.arg::<i64>()?;
        for _ in 0..(n * 7919 % 40) * 500 {
            std::hint::spin_loop();
        }
        gauge.now.fetch_sub(1, Ordering::SeqCst);
        Ok(io.write(v, n)?)
    });
    g.node_mut(w).takes::<i64>();
    g.fan_out(START, &[w], move |_, out| (0..40_i64).try_for_each(|n| out.send(w, n)));
    let mut graph = compiled(g);
    graph.set_pool(pool(16), 4);
    let mut gauge = Gauge::default();
    graph.run(&mut gauge).unwrap();
    assert_eq!(graph.get(v).unwrap(), &(0..40).collect::<Vec<_>>());
    let most = gauge.most.load(Ordering::SeqCst);
    assert!((1..=4).contains(&most), "{most} at once");
}

fn failing(then: impl FnOnce(&mut GraphBuilder<u32>, NodeId, List)) -> (Compiled<u32>, List, Arc<VirtualClock>) {
    let mut g = GraphBuilder::<u32>::new("c39");
    let v = saved_list(&mut g);
    let f = g.node_fn("f", move |left: &mut u32, io| {
        io.write(v, format!("attempt {}", io.attempt()))?;
        if *left > 0 {
            *left -= 1;
            return Err(NodeError::failed("ValueError"));
        }
        Ok(())
    });
    let rule = Retry { initial_ns: 10_000_000, jitter: false, ..Retry::default() };
    g.node_mut(f).retry(rule);
    g.edge(START, f);
    then(&mut g, f, v);
    let mut graph = compiled(g);
    let clock = Arc::new(VirtualClock::default());
    graph.set_clock(clock.clone());
    (graph, v, clock)
}

#[test]
fn c39_fails_twice_then_works_and_sleeps_longer_each_time() {
    let (mut graph, v, clock) = failing(|_, _, _| {});
    assert_eq!(graph.run(&mut 2).unwrap().nodes_run, 1);
    assert_eq!(graph.get(v).unwrap(), &["attempt 3"], "writes of failed attempts are dropped");
    assert_eq!(clock.take_sleeps(), [10_000_000, 20_000_000]);
}

#[test]
fn c39_exhausted_a_handler_runs_and_the_static_edge_does_not() {
    let (mut graph, v, clock) = failing(|g, f, v| {
        let [after, z] = ["after", "z"].map(|n| named(g, v, n));
        g.edge(f, after);
        let h = g.node_fn("h", move |_, io| {
            let error = io.error().unwrap();
            io.write(v, format!("h:{}:{}", error.node, error.error))?;
            io.goto(z)
        });
        g.node_mut(h).goes_to(&[z]);
        g.node_mut(f).on_error(h);
    });
    graph.run(&mut 9).unwrap();
    assert_eq!(graph.get(v).unwrap(), &["h:f:ValueError", "z"]);
    assert_eq!(clock.take_sleeps(), [10_000_000, 20_000_000]);
}

#[test]
fn c39_without_a_handler_the_run_fails() {
    let (mut graph, v, _) = failing(|_, _, _| {});
    assert!(matches!(graph.run(&mut 9), Err(RunError::Node { node, .. }) if node == "f"));
    assert!(graph.get(v).unwrap().is_empty());
}

#[test]
fn only_wanted_errors_are_retried_and_delays_are_capped_and_spread_the_same_way_each_time() {
    let sleeps = |rule: Retry| {
        let mut g = GraphBuilder::<()>::new("retry");
        let f = g.node_fn("f", |(), _| Err(NodeError::failed("no")));
        g.node_mut(f).retry(rule);
        g.edge(START, f);
        let mut graph = compiled(g);
        let clock = Arc::new(VirtualClock::default());
        graph.set_clock(clock.clone());
        assert!(graph.run(&mut ()).is_err());
        clock.take_sleeps()
    };
    let base = Retry { attempts: 4, initial_ns: 100, factor: 10.0, max_ns: 2_000, jitter: false, ..Retry::default() };
    assert_eq!(sleeps(base), [100, 1_000, 2_000]);
    assert!(sleeps(Retry { retry_on: |e| matches!(e, NodeError::Late { .. }), ..base }).is_empty());
    let spread = sleeps(Retry { jitter: true, ..base });
    assert!(spread.iter().zip([100, 1_000, 2_000]).all(|(s, d)| (d..d + 1_000_000_000).contains(s)), "{spread:?}");
    assert_eq!(spread, sleeps(Retry { jitter: true, ..base }));
}

#[test]
fn c40_writes_before_a_timeout_are_dropped_and_a_retry_works() {
    let mut g = GraphBuilder::<()>::new("c40");
    let v = saved_list(&mut g);
    let f = g.node_fn("f", move |(), io| {
        io.write(v, format!("attempt {}", io.attempt()))?;
        io.charge(if io.attempt() == 1 { 200 } else { 50 });
        Ok(())
    });
    g.node_mut(f).deadline_ns(100).retry(Retry { jitter: false, ..Retry::default() });
    g.edge(START, f);
    let mut graph = compiled(g);
    graph.run(&mut ()).unwrap();
    assert_eq!(graph.get(v).unwrap(), &["attempt 2"]);
    let verdicts = graph.take_verdicts();
    assert_eq!((verdicts.len(), verdicts[0].late, verdicts[0].outcome), (1, 1, VerdictOutcome::InTime));
}

#[test]
fn c40_a_drained_run_stops_at_a_step_and_goes_on() {
    let mut g = GraphBuilder::<Option<tradegraph_graph::Drain>>::new("drain");
    let v = saved_list(&mut g);
    let a = g.node_fn("a", move |drain: &mut Option<tradegraph_graph::Drain>, io| {
        if let Some(drain) = drain.take() {
            drain.request();
        }
        Ok(io.write(v, "a".to_owned())?)
    });
    let b = named(&mut g, v, "b");
    g.edge(START, a).edge(a, b);
    let mut graph = attached(g);
    let at = At::thread("t");
    let mut ctx = Some(graph.drain());
    let Outcome { end, .. } = graph.invoke(&mut ctx, &at, |_| Ok(())).unwrap();
    assert_eq!(end, End::Drained);
    assert_eq!(graph.state(&at).unwrap().unwrap().next, ["b"]);
    assert_eq!(graph.proceed(&mut None, &at).unwrap().end, End::Done);
    assert_eq!(graph.get(v).unwrap(), &["a", "b"]);
}

#[test]
fn c40_an_equal_input_is_not_run_again_and_its_output_is_marked() {
    let mut g = GraphBuilder::<u32>::new("cache");
    let x = g.channel("x", Channel::last(0_i64).saved());
    let y = g.channel("y", Channel::last(0_i64).saved());
    let n = g.node_fn("n", move |runs: &mut u32, io| {
        *runs += 1;
        let x = *io.get(x)?;
        Ok(io.write(y, x * 10)?)
    });
    g.node_mut(n).reads(&[x.id()]).writes(&[y.id()]).cache(CachePolicy { ttl_ns: Some(1_000), key: None });
    g.edge(START, n);
    let mut graph = compiled(g);
    let clock = Arc::new(VirtualClock::default());
    graph.set_clock(clock.clone());
    let shown = Arc::new(std::sync::Mutex::new(Vec::new()));
    let to = shown.clone();
    graph.observe(Modes::UPDATES, move |e| {
        if let Event::Updates { cached, updates, .. } = e {
            to.lock().unwrap().push((*cached, updates.of(y)));
        }
    });
    let mut runs = 0;
    for (input, after_ns) in [(1, 0), (1, 0), (2, 0), (1, 2_000)] {
        clock.advance_ns(after_ns);
        graph.input(x, input).unwrap();
        graph.run(&mut runs).unwrap();
        assert_eq!(graph.get(y), Ok(&(input * 10)));
    }
    assert_eq!(runs, 3, "the second equal input comes from the cache, the last is too old");
    assert_eq!(*shown.lock().unwrap(), [(false, vec![10]), (true, vec![10]), (false, vec![20]), (false, vec![10])]);
}

#[test]
fn c40_each_invalid_graph_is_refused_and_told_what_to_do() {
    let start = |wire: &dyn Fn(&mut GraphBuilder<()>, NodeId)| {
        let mut g = GraphBuilder::<()>::new("refused");
        let a = idle(&mut g, "a");
        g.edge(START, a);
        wire(&mut g, a);
        refusal(g)
    };
    let check = |wire: &dyn Fn(&mut GraphBuilder<()>, NodeId), expected: &str| {
        let found = start(wire);
        assert!(found.contains(expected), "{found}");
    };
    check(&|g, a| _ = g.node_mut(a).sends_to(&[a]), "`a` sends packets to `a`, which takes none; declare their type");
    check(&|g, a| _ = g.node_mut(a).takes::<i64>().once(), "`once` and takes packets");
    check(&|g, a| _ = g.node_mut(a).goes_to(&[START]), "START cannot be a target");
    check(&|g, a| _ = g.node_mut(a).fail_closed().fallback(Fallback::Skip), "must fail closed");
    check(&|g, a| _ = g.node_mut(a).bid(Bid { value: |_| 1.0, cost_ns: 1 }), "has no fallback for when it stands back");
    check(&|g, a| _ = g.node_mut(a).retry(Retry { attempts: 0, ..Retry::default() }), "at least one");
    check(
        &|g, a| {
            g.channel("x", Channel::last(0_i64));
            g.node_mut(a).cache(CachePolicy::default());
        },
        "channel `x` has no encoding",
    );
    check(
        &|g, a| {
            let b = idle(g, "b");
            g.node_mut(a).goes_to(&[b]);
            g.edge(a, b);
            g.edge(b, a);
            g.node_mut(b).once();
        },
        "`b` is `once` but can run twice in one run: START > a > b > a > b",
    );
    check(
        &|g, a| {
            let mut inner = GraphBuilder::<()>::new("inner");
            inner.channel("x", Channel::last(0_u8));
            let s = idle(&mut inner, "s");
            inner.edge(START, s);
            g.channel("x", Channel::last(String::new()));
            let sub = g.subgraph("sub", compiled(inner), Keep::Run);
            g.edge(a, sub);
        },
        "channel `x` of `sub` and of the graph around it cannot be shared",
    );
    let mut g = GraphBuilder::<()>::new("handler");
    let [a, h] = ["a", "h"].map(|n| idle(&mut g, n));
    g.node_mut(a).on_error(h);
    g.edge(START, a).edge(h, a);
    g.node_mut(a).once();
    let found = refusal(g);
    assert!(found.contains("`a` is `once` but can run twice"), "the handler leads back: {found}");
}

#[test]
fn what_is_not_declared_is_refused_at_run() {
    let run = |declare: bool| {
        let mut g = GraphBuilder::<()>::new("targets");
        let b = idle(&mut g, "b");
        let a = g.node_fn("a", move |(), io| io.goto(b));
        let other = idle(&mut g, "other");
        g.edge(START, a).edge(a, b);
        if declare {
            g.node_mut(a).goes_to(&[other]);
        }
        g.edge(b, other);
        compiled(g).run(&mut ()).unwrap_err().to_string()
    };
    assert_eq!(run(false), "node `a` failed: `goto` needs its declaration: add `goes_to` to the node or the graph");
    assert_eq!(run(true), "node `a` failed: `b` is not among the declared targets; add it to `goes_to`");
}

#[test]
fn a_plain_run_cannot_be_answered() {
    let mut g = GraphBuilder::<()>::new("asks");
    let a = g.node_fn("a", |(), io| io.interrupt("really?").map(drop));
    g.edge(START, a);
    g.observed();
    let error = compiled(g).run(&mut ()).unwrap_err();
    assert!(matches!(&error, RunError::Unanswerable { node } if node == "a"), "{error}");
}

/// A node that panics, is late or fails, beside a healthy one, with each kind of fallback.
fn faulty(
    fault: &'static str,
    fallback: Fallback<()>,
    deadline: bool,
) -> (Compiled<()>, List, tradegraph_graph::Chan<i64>) {
    let mut g = GraphBuilder::<()>::new("faulty");
    let v = saved_list(&mut g);
    let n = g.channel("n", Channel::last(0_i64).saved());
    let mut runs = 0;
    let bad = g.node_fn("bad", move |(), io| {
        runs += 1;
        io.write(n, runs)?;
        io.write(v, format!("bad {runs}"))?;
        match (runs, fault) {
            (2.., "panic") => panic!("on purpose"),
            (2.., "late") => io.charge(1_000),
            (2.., "half-way") => {
                io.charge(1_000);
                if io.over_budget() {
                    return Ok(());
                }
            }
            (2.., "fail") => return Err(NodeError::failed("no data")),
            _ => io.charge(10),
        }
        Ok(())
    });
    let [good, after] = ["good", "z"].map(|x| named(&mut g, v, x));
    g.edge(START, bad).edge(START, good).edge(bad, after);
    g.node_mut(bad).fallback(fallback);
    if deadline {
        g.node_mut(bad).deadline_ns(100);
    }
    (compiled(g), v, n)
}

fn quietly<R>(act: impl FnOnce() -> R) -> R {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let out = act();
    std::panic::set_hook(hook);
    out
}

#[test]
fn a_fault_uses_the_fallback_the_cycle_finishes_and_the_verdict_is_recorded() {
    for (fault, outcome, broken) in [
        ("panic", VerdictOutcome::Stopped, true),
        ("late", VerdictOutcome::Late, false),
        ("half-way", VerdictOutcome::Stopped, true),
        ("fail", VerdictOutcome::Failed, false),
    ] {
        let stand_in = |io: &mut tradegraph_graph::Io<'_>, v: List| io.write(v, "stand-in".to_owned());
        let probe = faulty(fault, Fallback::Skip, true);
        let v = probe.1;
        for (fallback, second) in [
            (Fallback::Skip, &["good", "z"][..]),
            (Fallback::LastGood { max_age: 5 }, &["bad 1", "good", "z"]),
            (
                Fallback::node(move |_: &mut (), io: &mut tradegraph_graph::Io<'_>| Ok(stand_in(io, v)?)),
                &["stand-in", "good", "z"],
            ),
        ] {
            let (mut graph, v, _) = faulty(fault, fallback, true);
            {
                quietly(|| (0..2).for_each(|_| _ = graph.run(&mut ()).unwrap()));
                assert_eq!(&graph.get(v).unwrap()[3..], second, "{fault}");
                let verdicts = graph.take_verdicts();
                assert_eq!(verdicts.len(), 1, "{fault}");
                assert_eq!((verdicts[0].node.as_str(), verdicts[0].outcome), ("bad", outcome));
                assert_eq!(graph.out_of_service().count(), usize::from(broken), "{fault}");
                quietly(|| graph.run(&mut ())).unwrap();
                assert_eq!(graph.take_verdicts()[0].outcome, outcome, "it stays out of service or is late again");
            }
        }
        let (mut graph, v, _) = faulty(fault, Fallback::Fail, true);
        quietly(|| {
            graph.run(&mut ()).unwrap();
            let error = graph.run(&mut ()).unwrap_err();
            assert!(matches!(&error, RunError::Node { node, .. } if node == "bad"), "{error}");
            assert_eq!(graph.get(v).unwrap().len(), 3, "closed: nothing of the failed step is committed");
        });
    }
}

#[test]
fn a_replay_decides_as_recorded_whatever_the_clock_says() {
    for fault in ["panic", "late", "half-way"] {
        let (mut live, v, n) = faulty(fault, Fallback::LastGood { max_age: 9 }, true);
        quietly(|| (0..4).for_each(|_| _ = live.run(&mut ()).unwrap()));
        let verdicts = live.take_verdicts();
        let mut bytes = Encoder::new();
        verdicts.iter().for_each(|v| v.save(&mut bytes));
        let mut from = Decoder::new(bytes.as_bytes());
        let read: Vec<_> = verdicts.iter().map(|_| tradegraph_graph::Verdict::load(&mut from).unwrap()).collect();
        assert_eq!(read, verdicts);
        // No fault of its own: what happens is only what was recorded.
        let (mut replay, ..) = faulty("none", Fallback::LastGood { max_age: 9 }, true);
        replay.force_verdicts(read);
        (0..4).for_each(|_| _ = replay.run(&mut ()).unwrap());
        assert_eq!(replay.get(v), live.get(v), "{fault}");
        assert_eq!(replay.get(n), live.get(n), "{fault}");
    }
}

#[test]
fn a_node_restored_runs_again() {
    let (mut graph, v, _) = faulty("panic", Fallback::Skip, false);
    quietly(|| (0..2).for_each(|_| _ = graph.run(&mut ()).unwrap()));
    assert_eq!(graph.out_of_service().collect::<Vec<_>>(), ["bad"]);
    // Saved with the state, so a restart does not bring it back by accident.
    let mut bytes = Encoder::new();
    graph.save(&mut bytes);
    let (mut other, ..) = faulty("none", Fallback::Skip, false);
    other.load(&mut Decoder::new(bytes.as_bytes())).unwrap();
    other.run(&mut ()).unwrap();
    assert_eq!(&other.get(v).unwrap()[5..], ["good", "z"]);
    let bad = other.node_id("bad").unwrap();
    other.restore_node(bad);
    other.run(&mut ()).unwrap();
    assert_eq!(&other.get(v).unwrap()[7..], ["bad 1", "good", "z"]);
}

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
fn the_memory_saver_does_what_a_saver_must() {
    check_saver(&|| Box::new(MemorySaver::new())).unwrap();
}

#[test]
fn a_thread_goes_on_in_another_process_with_the_same_saver() {
    let build = || {
        let mut g = GraphBuilder::<()>::new("restart");
        let v = saved_list(&mut g);
        let a = g.node_fn("a", move |(), io| {
            let answer = io.interrupt("go?")?;
            Ok(io.write(v, answer.as_str().unwrap_or("?").to_owned())?)
        });
        let ok = named(&mut g, v, "ok");
        g.edge(START, a).edge(START, ok);
        (compiled(g), v)
    };
    let saver = Arc::new(MemorySaver::new());
    let at = At::thread("t");
    let (mut first, v) = build();
    first.attach(saver.clone(), Durability::Sync);
    let End::Asked(asks) = first.invoke(&mut (), &at, |i| i.write(v, "in".to_owned())).unwrap().end else { panic!() };
    assert_eq!((asks[0].node.as_str(), &asks[0].value), ("a", &Value::from("go?")));
    let (mut second, v) = build();
    second.attach(saver, Durability::Sync);
    assert_eq!(second.answer(&mut (), &at, "yes").unwrap().end, End::Done);
    assert_eq!(second.get(v).unwrap(), &["in", "yes", "ok"]);
    let history = second.history(&at, Query::default()).unwrap();
    assert_eq!(history.len(), 3);
    assert_eq!(second.value_in(&history[0], v).unwrap().unwrap().len(), 3);
}

#[test]
fn a_subgraph_is_looked_into_at_any_of_its_checkpoints() {
    let mut inner = GraphBuilder::<()>::new("inner");
    let x = inner.channel("x", Channel::reduce(Vec::new(), |all: &mut Vec<String>, one: String| all.push(one)).saved());
    let [a, b] = ["a", "b"].map(|n| named(&mut inner, x, n));
    inner.edge(START, a).edge(a, b);
    inner.interrupt_before(b);
    let mut g = GraphBuilder::<()>::new("outer");
    let v = saved_list(&mut g);
    let sub = g.subgraph("sub", compiled(inner), Keep::Run);
    let last = named(&mut g, v, "last");
    g.edge(START, sub).edge(sub, last);
    let mut graph = attached(g);
    let at = At::thread("t");
    graph.invoke(&mut (), &at, |_| Ok(())).unwrap();

    let found = graph.subgraphs(&at).unwrap();
    let ns = found[0].ns.clone();
    let state = found[0].state.as_ref().unwrap();
    assert_eq!((found.len(), found[0].node.as_str(), state.next.as_slice()), (1, "sub", &["b".to_owned()][..]));
    assert_eq!(graph.value_within(&ns, state, x).unwrap(), Some(vec!["a".to_owned()]));
    let history = graph.history_within(&at, &ns, Query::default()).unwrap();
    let nexts: Vec<_> = history.iter().map(|s| s.next.join(" ")).collect();
    assert_eq!(nexts, ["b", "a", "START"]);
    assert_eq!(graph.state_within(&at.checkpoint(history[1].id), &ns).unwrap().unwrap().next, ["a"]);
    assert_eq!(graph.state_within(&at, "sub:0").unwrap(), None);
    for wrong in ["", "other", "sub|deep"] {
        let error = graph.state_within(&at, wrong).unwrap_err().to_string();
        let known = if wrong == "sub|deep" { "" } else { "sub" };
        assert_eq!(error, format!("no subgraph has the namespace `{wrong}`; subgraphs there are: {known}"));
    }

    // The run goes on where it was, whatever was looked at last.
    graph.state_within(&at.checkpoint(history[2].id), &ns).unwrap();
    assert_eq!(graph.proceed(&mut (), &at).unwrap().end, End::Done);
    assert_eq!(graph.get(v).unwrap(), &["last"]);
    let ended = graph.state_within(&at, &ns).unwrap().unwrap();
    assert_eq!(graph.value_within(&ns, &ended, x).unwrap(), Some(vec!["a".to_owned(), "b".to_owned()]));
    assert!(graph.subgraphs(&at).unwrap().is_empty());
    assert_eq!(graph.history_within(&at, &ns, Query::default()).unwrap().len(), 4);
}

#[test]
fn a_subgraph_kept_by_thread_runs_again_after_a_breakpoint_before_it() {
    let mut inner = GraphBuilder::<()>::new("inner");
    let v = saved_list(&mut inner);
    let s = named(&mut inner, v, "s");
    inner.edge(START, s);
    let mut outer = GraphBuilder::<()>::new("outer");
    let sub = outer.subgraph("sub", compiled(inner), Keep::Thread);
    outer.edge(START, sub).interrupt_before(sub);
    let mut graph = attached(outer);
    let at = At::thread("t");
    for runs in 1..=3 {
        let stopped = graph.invoke(&mut (), &at, |_| Ok(())).unwrap().end;
        assert_eq!(stopped, End::Before(vec!["sub".to_owned()]));
        assert_eq!(graph.proceed(&mut (), &at).unwrap().end, End::Done);
        let state = graph.state_within(&at, "sub").unwrap().unwrap();
        assert_eq!(graph.value_within("sub", &state, v).unwrap().unwrap().len(), runs);
    }
}

#[test]
fn answers_that_nobody_waits_for_are_refused() {
    let mut g = GraphBuilder::<()>::new("answers");
    let a = idle(&mut g, "a");
    g.edge(START, a);
    let mut graph = compiled(g);
    let at = At::thread("t");
    assert!(matches!(graph.proceed(&mut (), &at), Err(RunError::NoSaver)));
    graph.attach(Arc::new(MemorySaver::new()), Durability::Async);
    assert!(matches!(graph.proceed(&mut (), &at), Err(RunError::NoCheckpoint { thread }) if thread == "t"));
    graph.invoke(&mut (), &at, |_| Ok(())).unwrap();
    assert!(matches!(graph.answer(&mut (), &at, 1), Err(RunError::NothingAsked)));
}

#[test]
fn unchanged_channels_are_not_written_again_and_columns_are_kept_by_key() {
    let panel: Arc<Vec<f64>> = Arc::new(vec![1.0; 524_288]);
    let kept = panel.clone();
    let mut g = GraphBuilder::<()>::new("panel");
    let px = g.channel(
        "px",
        Channel::<Arc<Vec<f64>>>::empty()
            .saved_by_key(|_, to| to.u64(17), move |key| (key == 17).then(|| kept.clone())),
    );
    let v = saved_list(&mut g);
    let names: Vec<NodeId> = ["a", "b", "c"].map(|n| named(&mut g, v, n)).to_vec();
    g.edge(START, names[0]).edge(names[0], names[1]).edge(names[1], names[2]);
    let mut graph = compiled(g);
    let saver = Arc::new(MemorySaver::new());
    graph.attach(saver.clone(), Durability::Async);
    let at = At::thread("t");
    // The input's own record is not kept: an update of this channel has no encoding.
    graph.invoke(&mut (), &at, |i| i.write(px, panel.clone())).unwrap();
    let bytes = saver.bytes("t");
    assert!(bytes < 2_048, "{bytes} bytes for a cycle with a panel of 4 MB");
    let old = graph.history(&at, Query { step: Some(1), ..Query::default() }).unwrap();
    let then = graph.value_in(&old[0], px).unwrap().unwrap();
    assert!(Arc::ptr_eq(&then, &panel));
}

#[test]
fn events_come_in_merge_order_whatever_runs_first() {
    let events = |threads: usize| {
        let mut g = GraphBuilder::<()>::new("events");
        let v = saved_list(&mut g);
        for (name, spin) in [("a", 30_000), ("b", 10), ("c", 3_000)] {
            let n = g.shared_fn(name, move |(), io| {
                (0..spin).for_each(|_| std::hint::spin_loop());
                io.emit(format!("{name} half-way"));
                Ok(io.write(v, name.to_owned())?)
            });
            g.edge(START, n);
        }
        let mut graph = attached(g);
        graph.set_pool(pool(threads), usize::MAX);
        let shown = Arc::new(std::sync::Mutex::new(Vec::new()));
        let to = shown.clone();
        graph.observe(Modes::ALL, move |e| to.lock().unwrap().push(format!("{e:?}")));
        graph.invoke(&mut (), &At::thread("t"), |i| i.write(v, "in".to_owned())).unwrap();
        std::mem::take(&mut *shown.lock().unwrap())
    };
    let expected = [
        "-1 checkpoint input",
        "0 values",
        "0 checkpoint loop",
        "1 task a None false Some(1)",
        "1 task b None false Some(2)",
        "1 task c None false Some(3)",
        "1 custom a Text(\"a half-way\")",
        "1 updates a [\"v\"] false",
        "1 custom b Text(\"b half-way\")",
        "1 updates b [\"v\"] false",
        "1 custom c Text(\"c half-way\")",
        "1 updates c [\"v\"] false",
        "1 values",
        "1 checkpoint loop",
    ];
    for threads in [1, 2, 16] {
        assert_eq!(events(threads), expected, "{threads} threads");
    }
}

#[test]
fn a_pause_is_saved_and_gone_on_with_elsewhere() {
    let build = || {
        let mut g = GraphBuilder::<()>::new("pause");
        let v = saved_list(&mut g);
        let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(|n| named(&mut g, v, n));
        g.edge(START, a).edge(a, b).edge(b, c).join(&[a, c], d).edge(a, e);
        g.node_mut(e).deferred();
        (compiled(g), v, b)
    };
    let (mut first, v, b) = build();
    let paused = first.run_until(&mut (), b).unwrap();
    let (mut state, mut pause) = (Encoder::new(), Encoder::new());
    first.save(&mut state);
    paused.save(&mut pause);
    first.resume(&mut (), &paused).unwrap();
    let (mut second, ..) = build();
    second.load(&mut Decoder::new(state.as_bytes())).unwrap();
    let loaded = Paused::load(&mut Decoder::new(pause.as_bytes())).unwrap();
    assert_eq!(loaded, paused);
    second.resume(&mut (), &loaded).unwrap();
    assert_eq!(second.get(v), first.get(v));
    assert_eq!(first.get(v).unwrap(), &["a", "b", "c", "d", "e"], "the deferred node waits over the pause");
    for cut in 0..pause.as_bytes().len() {
        assert!(Paused::load(&mut Decoder::new(&pause.as_bytes()[..cut])).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_checkpoint_of_another_shape_is_refused() {
    let build = |more: bool| {
        let mut g = GraphBuilder::<()>::new("shape");
        let a = idle(&mut g, "a");
        g.edge(START, a);
        if more {
            let b = idle(&mut g, "b");
            g.edge(a, b);
        }
        compiled(g)
    };
    let saver = Arc::new(MemorySaver::new());
    let at = At::thread("t");
    let mut first = build(false);
    first.attach(saver.clone(), Durability::Async);
    first.invoke(&mut (), &at, |_| Ok(())).unwrap();
    let mut second = build(true);
    second.attach(saver, Durability::Async);
    let error = second.proceed(&mut (), &at).unwrap_err();
    assert!(error.to_string().contains("of a graph with other nodes, edges or routes"), "{error}");
    assert!(matches!(error, RunError::BadCheckpoint { .. }));
}

#[test]
fn a_subgraph_gets_its_values_through_typed_channels() {
    let mut inner = GraphBuilder::<()>::new("inner");
    let list = |g: &mut GraphBuilder<()>| {
        g.channel(
            "v",
            Channel::reduce(Vec::new(), |all: &mut Vec<String>, one: String| all.push(one))
                .saved()
                .shared_as(Vec::clone),
        )
    };
    let v = list(&mut inner);
    let s = named(&mut inner, v, "s");
    inner.edge(START, s);
    let mut g = GraphBuilder::<()>::new("outer");
    let v = list(&mut g);
    let a = named(&mut g, v, "a");
    let sub = g.subgraph("sub", compiled(inner), Keep::Run);
    g.edge(START, a).edge(a, sub);
    let mut graph = compiled(g);
    for n in 1..=2 {
        graph.reset();
        graph.run(&mut ()).unwrap();
        // The child's whole list is appended, as in LangGraph.
        assert_eq!(graph.get(v).unwrap(), &["a", "a", "s"], "run {n}");
    }
}

#[test]
fn once_and_fail_closed_hold_together_with_the_rest() {
    let mut g = GraphBuilder::<()>::new("closed");
    let v = list(&mut g);
    let gate = named(&mut g, v, "gate");
    g.node_mut(gate).once().fail_closed().deadline_ns(10);
    g.edge(START, gate);
    assert!(matches!(g.compile(Limits::default()).map(|mut graph| graph.run(&mut ()).map(|s| s.nodes_run)), Ok(Ok(1))));
    let unknown = CompileError::OncePacket { node: "x".into() };
    assert!(unknown.to_string().contains("remove one of the two"));
}

#[test]
fn rows_are_swapped_not_copied_and_folded_in_their_order() {
    let build = |threads: Option<usize>| {
        let mut g = GraphBuilder::<()>::new("rows");
        let signals = g.channel("signals", Channel::rows_of(vec![vec![0.0_f64; 4]; 3]));
        let sum = g.channel("sum", Channel::last(Vec::new()));
        let fold = g.node_fn("zz_fold", move |(), io| {
            let rows = io.get(signals)?;
            let all = (0..4).map(|i| rows.iter().map(|row| row[i]).sum::<f64>()).collect();
            Ok(io.write(sum, all)?)
        });
        let owners: Vec<NodeId> = (0..3_usize)
            .map(|row| {
                let fill = move |io: &mut tradegraph_graph::Io<'_>| {
                    let before = io.get(signals)?[row][0];
                    Ok(io.fill(signals, row, |spare| spare.fill(before + 0.1 * (row + 1) as f64))?)
                };
                match threads {
                    Some(_) => g.shared_fn(format!("owner {row}"), move |(), io| fill(io)),
                    None => g.node_fn(format!("owner {row}"), move |(), io| fill(io)),
                }
            })
            .collect();
        owners.iter().for_each(|o| _ = g.edge(START, *o));
        g.join(&owners, fold);
        let mut graph = compiled(g);
        if let Some(threads) = threads {
            graph.set_pool(pool(threads), usize::MAX);
        }
        (graph, signals, sum)
    };
    let (mut plain, signals, sum) = build(None);
    let at = |g: &Compiled<()>| g.get(signals).unwrap().iter().map(|row| row.as_ptr()).collect::<Vec<_>>();
    let first = at(&plain);
    plain.run(&mut ()).unwrap();
    let second = at(&plain);
    plain.run(&mut ()).unwrap();
    assert_eq!(at(&plain), first, "two buffers take turns");
    assert!(first.iter().zip(&second).all(|(a, b)| a != b));
    for threads in [1, 2, 16] {
        let (mut shared, _, same) = build(Some(threads));
        (0..2).for_each(|_| _ = shared.run(&mut ()).unwrap());
        assert_eq!(shared.get(same), plain.get(sum), "{threads} threads");
    }
}

#[test]
fn a_row_has_one_owner_a_step_and_must_exist() {
    let run = |rows: [usize; 2]| {
        let mut g = GraphBuilder::<()>::new("owners");
        let signals = g.channel("signals", Channel::rows_of(vec![0_i64; 2]));
        for (name, row) in ["a", "b"].into_iter().zip(rows) {
            let n = g.node_fn(name, move |(), io| Ok(io.fill(signals, row, |spare| *spare = 7)?));
            g.edge(START, n);
        }
        let mut graph = compiled(g);
        graph.run(&mut ()).map(|_| graph.get(signals).unwrap().clone())
    };
    assert_eq!(run([0, 1]).unwrap(), [7, 7]);
    let twice = run([1, 1]).unwrap_err();
    assert!(matches!(&twice, RunError::Conflict { nodes, .. } if nodes == &["a", "b"]), "{twice}");
    assert_eq!(run([0, 2]).unwrap_err().to_string(), "node `b` failed: channel `signals` has no row 2");
}

#[test]
fn a_row_filled_by_a_failed_attempt_is_free_again() {
    for shared in [false, true] {
        let mut g = GraphBuilder::<()>::new("retried");
        let signals = g.channel("signals", Channel::rows_of(vec![0_u32; 1]));
        let act = move |io: &mut tradegraph_graph::Io<'_>| {
            let attempt = io.attempt();
            io.fill(signals, 0, |spare| *spare = attempt)?;
            if attempt < 3 { Err(NodeError::failed("again")) } else { Ok(()) }
        };
        let n = if shared { g.shared_fn("n", move |(), io| act(io)) } else { g.node_fn("n", move |(), io| act(io)) };
        g.node_mut(n).retry(Retry { jitter: false, ..Retry::default() });
        g.edge(START, n);
        let mut graph = compiled(g);
        graph.run(&mut ()).unwrap();
        assert_eq!(graph.get(signals).unwrap(), &[3], "shared: {shared}");
    }
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

#[test]
fn c03_c06_versions_say_whether_a_step_updated_a_channel() {
    let mut g = GraphBuilder::<()>::new("versions");
    let t = g.channel("t", Channel::<Vec<String>, String>::topic().saved());
    let e = g.channel("e", Channel::<i64>::ephemeral().saved());
    let a = g.node_fn("a", move |(), io| {
        io.write(t, "x".to_owned())?;
        Ok(io.write(e, 5)?)
    });
    let [b, c] = ["b", "c"].map(|n| idle(&mut g, n));
    g.edge(START, a).edge(a, b).edge(b, c);
    let mut graph = compiled(g);
    let saver = Arc::new(MemorySaver::new());
    graph.attach(saver.clone(), Durability::Async);
    graph.invoke(&mut (), &At::thread("t"), |_| Ok(())).unwrap();
    let place = tradegraph_graph::Place { thread: "t", ns: "" };
    let mut list = tradegraph_graph::Saver::list(&*saver, place, Query::default()).unwrap();
    list.reverse();
    let version = |step: usize, name: &str| list[step].values.iter().find(|(n, ..)| n == name).map_or(0, |v| v.1);
    for name in ["t", "e"] {
        let versions: Vec<u64> = (2..5).map(|step| version(step, name)).collect();
        assert!(versions[0] < versions[1], "{name}: cleared is updated, {versions:?}");
        assert_eq!(versions[1], versions[2], "{name}: still empty is not updated");
    }
    assert!(graph.get(t).is_err() && graph.get(e).is_err(), "empty");
}

#[test]
fn what_leads_to_a_node_is_drawn() {
    let mut g = GraphBuilder::<()>::new("drawn");
    let [a, b, h, w] = ["a", "b", "h", "w"].map(|n| idle(&mut g, n));
    g.node_mut(a).goes_to(&[b]).sends_to(&[w]).on_error(h);
    g.node_mut(b).deferred();
    g.node_mut(w).takes::<i64>();
    g.edge(START, a);
    let expected = "flowchart TD\n    START([START])\n    n0[\"a\"]\n    n1{{\"b\"}}\n    n2[\"h\"]\n    n3[\"w\"]\n    \
                    END([END])\n    START --> n0\n    n0 -.->|goto| n1\n    n0 -.->|packets| n3\n    \
                    n0 -.->|error| n2\n    n1 --> END\n    n2 --> END\n    n3 --> END\n";
    assert_eq!(compiled(g).mermaid(), expected);
}
