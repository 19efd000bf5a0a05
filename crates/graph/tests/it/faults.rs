//! Panics and missed deadlines: the fallback, the verdict, the replay.

use crate::{List, compiled, list, named, saved_list};
use tradegraph_columns::codec::{Decoder, Encoder};
use tradegraph_graph::{
    Channel, CompileError, Compiled, Fallback, GraphBuilder, Limits, NodeError, RunError, START, VerdictOutcome,
};

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
