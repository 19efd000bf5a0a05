//! The behaviours of LangGraph that this layer has, by their ids in `reference/langgraph-conformance.md`; the
//! expected values are that page's.

use crate::{List, idle, list, named};
use tradegraph_columns::codec::{Decoder, Encoder};
use tradegraph_graph::{Channel, ChannelError, Compiled, END, GraphBuilder, Limits, RunError, START};

fn build(wire: impl FnOnce(&mut GraphBuilder<()>, List)) -> (Compiled<()>, List) {
    let mut g = GraphBuilder::new("conformance");
    let v = list(&mut g);
    wire(&mut g, v);
    (g.compile(Limits::default()).unwrap(), v)
}

/// The only caller: wires, runs with the input, compares the list.
fn check(input: &[&str], expected: &[&str], wire: impl FnOnce(&mut GraphBuilder<()>, List)) {
    let (mut graph, v) = build(wire);
    for i in input {
        graph.input(v, (*i).to_owned()).unwrap();
    }
    graph.run(&mut ()).unwrap();
    assert_eq!(graph.get(v).unwrap(), expected);
}

#[test]
fn c01_two_nodes_write_a_last_value_in_one_step() {
    let mut g = GraphBuilder::<()>::new("c01");
    let last = g.channel("last", Channel::last(0));
    let other = g.channel("other", Channel::last(0));
    for name in ["b", "a"] {
        let n = g.node_fn(name, move |_, io| {
            if name == "a" {
                io.write(other, 7)?;
            }
            Ok(io.write(last, 1)?)
        });
        g.edge(START, n);
    }
    let mut graph = g.compile(Limits::default()).unwrap();
    match graph.run(&mut ()) {
        Err(RunError::Conflict { channel, nodes }) => {
            assert_eq!((channel.as_str(), nodes), ("last", vec!["a".into(), "b".into()]))
        }
        other => panic!("{other:?}"),
    }
    // Validated before anything is committed: the sibling channel is untouched too.
    assert_eq!((graph.get(last), graph.get(other)), (Ok(&0), Ok(&0)));
}

#[test]
fn c02_last_value_empty_written_twice_restored() {
    let make = || {
        let mut g = GraphBuilder::<()>::new("c02");
        let x = g.channel("x", Channel::<i64>::empty().saved());
        let a = idle(&mut g, "a");
        g.edge(START, a);
        (g.compile(Limits::default()).unwrap(), x)
    };
    let (mut graph, x) = make();
    assert_eq!(graph.get(x), Err(ChannelError::Empty { channel: "x".into() }));
    for value in [3, 4] {
        graph.input(x, value).unwrap();
        graph.run(&mut ()).unwrap();
        assert_eq!(graph.get(x), Ok(&value));
    }
    let mut saved = Encoder::new();
    graph.save(&mut saved);
    let (mut restored, x) = make();
    restored.load(&mut Decoder::new(saved.as_bytes())).unwrap();
    assert_eq!(restored.get(x), Ok(&4));
}

#[test]
fn c04_aggregate_starts_at_zero_folds_and_is_restored() {
    let make = || {
        let mut g = GraphBuilder::<()>::new("c04");
        let sum = g.channel("sum", Channel::reduce(0, |all: &mut i64, one: i64| *all += one).saved());
        let a = idle(&mut g, "a");
        g.edge(START, a);
        (g.compile(Limits::default()).unwrap(), sum)
    };
    let (mut graph, sum) = make();
    assert_eq!(graph.get(sum), Ok(&0));
    for (writes, expected) in [(vec![1, 2, 3], 6), (vec![4], 10)] {
        for w in writes {
            graph.input(sum, w).unwrap();
        }
        graph.run(&mut ()).unwrap();
        assert_eq!(graph.get(sum), Ok(&expected));
    }
    let mut saved = Encoder::new();
    graph.save(&mut saved);
    let (mut restored, sum) = make();
    restored.load(&mut Decoder::new(saved.as_bytes())).unwrap();
    assert_eq!(restored.get(sum), Ok(&10));
}

#[test]
fn c07_input_passes_the_reducer_before_the_first_node() {
    check(&["i", "j"], &["i", "j", "saw 2"], |g, v| {
        let a = g.node_fn("a", move |(), io| {
            let seen = io.get(v)?.len();
            Ok(io.write(v, format!("saw {seen}"))?)
        });
        g.edge(START, a);
    });
}

#[test]
fn c08_overwrite_in_a_later_step() {
    check(&["S"], &["b"], |g, v| {
        let a = named(g, v, "a");
        let b = g.node_fn("b", move |(), io| Ok(io.overwrite(v, vec!["b".to_owned()])?));
        g.edge(START, a).edge(a, b);
    });
}

#[test]
fn c09_overwrite_beside_a_sibling_wins() {
    check(&[], &["b", "d"], |g, v| {
        let a = named(g, v, "a");
        let b = g.node_fn("b", move |(), io| Ok(io.overwrite(v, vec!["b".to_owned()])?));
        let [c, d] = ["c", "d"].map(|n| named(g, v, n));
        g.edge(START, a).edge(a, b).edge(a, c).edge(b, d).edge(c, d);
    });
}

#[test]
fn c09_two_overwrites_are_an_error() {
    let (mut graph, v) = build(|g, v| {
        for name in ["b", "c"] {
            let n = g.node_fn(name, move |(), io| Ok(io.overwrite(v, vec![])?));
            g.edge(START, n);
        }
    });
    assert!(
        matches!(graph.run(&mut ()), Err(RunError::Conflict { channel, nodes }) if channel == "v" && nodes == ["b", "c"])
    );
    assert!(graph.get(v).unwrap().is_empty());
}

#[test]
fn c10_writes_of_one_node_keep_their_order() {
    check(&["input"], &["input", "one.0", "one.1", "two"], |g, v| {
        let one = g.node_fn("one", move |(), io| {
            io.write(v, "one.0".to_owned())?;
            Ok(io.write(v, "one.1".to_owned())?)
        });
        let two = named(g, v, "two");
        g.edge(START, one).edge(one, two);
    });
}

#[test]
fn c11_a_chain_sees_the_previous_step() {
    check(&[], &["step1", "step2 after step1"], |g, v| {
        let last = g.channel("scalar", Channel::last(String::new()));
        let one = g.node_fn("one", move |(), io| {
            io.write(last, "step1".to_owned())?;
            assert_eq!(io.get(last)?, "", "a node does not see its own writes");
            Ok(io.write(v, "step1".to_owned())?)
        });
        let two = g.node_fn("two", move |(), io| {
            let text = format!("step2 after {}", io.get(last)?);
            Ok(io.write(v, text)?)
        });
        g.edge(START, one).edge(one, two);
    });
}

#[test]
fn c12_siblings_merge_by_name_in_byte_order() {
    check(&[], &["10", "9", "B", "a", "b"], |g, v| {
        for name in ["b", "a", "B", "9", "10"] {
            let n = named(g, v, name);
            g.edge(START, n);
        }
    });
}

#[test]
fn c13_a_router_sees_its_own_node_and_not_the_sibling() {
    check(&["i"], &["i", "a", "b", "yes"], |g, v| {
        let scalar = g.channel("scalar", Channel::last(0));
        let a = g.node_fn("a", move |(), io| {
            io.write(scalar, 5)?;
            Ok(io.write(v, "a".to_owned())?)
        });
        let b = named(g, v, "b");
        let [yes, no] = ["yes", "no"].map(|n| named(g, v, n));
        g.edge(START, a).edge(START, b);
        g.route(a, &[("yes", yes), ("no", no)], move |state| {
            Ok(if state.get(v)? == &["i", "a"] && *state.get(scalar)? == 5 { "yes" } else { "no" })
        });
        // The sibling's router is asked after both have written and still sees only [i, b] and the old scalar.
        g.route(b, &[("no", no), ("end", END)], move |state| {
            Ok(if state.get(v)? == &["i", "b"] && *state.get(scalar)? == 0 { "end" } else { "no" })
        });
    });
}

#[test]
fn c14_predecessors_of_one_step_trigger_once() {
    check(&[], &["a", "b", "c", "d"], |g, v| {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|n| named(g, v, n));
        g.edge(START, a).edge(a, b).edge(a, c).edge(b, d).edge(c, d);
    });
}

#[test]
fn c15_predecessors_of_different_depths_trigger_twice() {
    check(&[], &["a", "b", "c", "c2", "d", "d"], |g, v| {
        let [a, b, c, c2, d] = ["a", "b", "c", "c2", "d"].map(|n| named(g, v, n));
        g.edge(START, a).edge(a, b).edge(a, c).edge(c, c2).edge(b, d).edge(c2, d);
    });
}

#[test]
fn c16_a_join_of_different_depths_triggers_once() {
    check(&[], &["a", "b", "c", "c2", "d"], |g, v| {
        let [a, b, c, c2, d] = ["a", "b", "c", "c2", "d"].map(|n| named(g, v, n));
        g.edge(START, a).edge(a, b).edge(a, c).edge(c, c2).join(&[b, c2], d);
    });
}

#[test]
fn c17_a_join_and_an_early_edge_trigger_early_and_again() {
    check(&[], &["a", "b", "c", "c2", "d", "d"], |g, v| {
        let [a, b, c, c2, d] = ["a", "b", "c", "c2", "d"].map(|n| named(g, v, n));
        g.edge(START, a).edge(a, b).edge(a, c).edge(c, c2).join(&[b, c2], d).edge(b, d);
    });
}

#[test]
fn c19_a_join_of_members_reached_by_a_router_fires_when_all_arrived() {
    check(&[], &["a", "b", "c", "c2", "d"], |g, v| {
        let [a, b, c, c2, d] = ["a", "b", "c", "c2", "d"].map(|n| named(g, v, n));
        g.edge(START, a).edge(a, c).edge(c, c2).join(&[b, c2], d);
        g.route(a, &[("b", b)], |_| Ok("b"));
    });
}

#[test]
fn c20_a_router_to_end_ends_with_the_state() {
    let wire = |entry: &'static str| {
        move |g: &mut GraphBuilder<()>, v| {
            let a = named(g, v, "a");
            g.route(START, &[("go", a), ("stop", END)], move |_| Ok(entry));
        }
    };
    check(&["i"], &["i", "a"], wire("go"));
    check(&["i"], &["i"], wire("stop"));
}

#[test]
fn c21_a_chain_of_three_needs_a_limit_of_four() {
    let run = |recursion| {
        let mut g = GraphBuilder::<()>::new("c21");
        let [a, b, c] = ["a", "b", "c"].map(|n| idle(&mut g, n));
        g.edge(START, a).edge(a, b).edge(b, c).edge(c, END);
        g.compile(Limits { recursion }).unwrap().run(&mut ())
    };
    assert!(matches!(run(3), Err(RunError::RecursionLimit { limit: 3, pending }) if pending.is_empty()));
    assert_eq!(run(4).unwrap().steps, 3);
}
