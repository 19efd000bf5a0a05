//! Concurrency limits, retries, handlers, time-outs, caches, drains: what the data cases cannot say.

use crate::{List, attached, compiled, named, pool, saved_list};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tradegraph_graph::{
    At, CachePolicy, Channel, Compiled, End, Event, GraphBuilder, Modes, NodeError, NodeId, Outcome, Retry, RunError,
    START, VerdictOutcome, VirtualClock,
};

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
