//! Graphs that must be refused, with what the refusal says, and their neighbours that must not be.

use crate::idle;
use tradegraph_graph::{Channel, CompileError, END, GraphBuilder, Limits, NodeId, START};

type G = GraphBuilder<()>;

/// The only caller: nodes a, b, c, d and their wiring; the refusal, or none.
fn verdict(wire: impl FnOnce(&mut G, [NodeId; 4])) -> Option<CompileError> {
    let mut g = G::new("refused");
    let ids = ["a", "b", "c", "d"].map(|n| idle(&mut g, n));
    wire(&mut g, ids);
    g.compile(Limits::default()).err()
}

fn refused(text: &str, wire: impl FnOnce(&mut G, [NodeId; 4])) {
    let verdict = verdict(wire).map(|e| e.to_string());
    assert_eq!(verdict.as_deref(), Some(text));
}

fn accepted(wire: impl FnOnce(&mut G, [NodeId; 4])) {
    assert_eq!(verdict(wire), None);
}

/// START to all of the nodes, so that none is unreachable.
fn start_all(g: &mut G, ids: &[NodeId]) {
    for id in ids {
        g.edge(START, *id);
    }
}

#[test]
fn ends_of_edges_joins_and_routes() {
    refused("edge a -> #9: node #9 is not in this graph; use the handles its own builder returned", |g, ids| {
        let mut other = G::new("other");
        let strays: Vec<NodeId> = (0..10).map(|i| idle(&mut other, &i.to_string())).collect();
        start_all(g, &ids);
        g.edge(ids[0], strays[9]);
    });
    refused("edge END -> a: END cannot be a source; remove it", |g, [a, ..]| {
        g.edge(END, a);
    });
    refused("edge a -> START: START cannot be a target; aim at the first node instead", |g, [a, ..]| {
        g.edge(a, START);
    });
    refused(
        "join [START, a] -> b: START cannot be a member of a join; leave it out, every run begins there",
        |g, [a, b, ..]| {
            g.join(&[START, a], b);
        },
    );
    refused("join [] -> a: the join has no members; name them or remove it", |g, [a, ..]| {
        g.join(&[], a);
    });
    refused("join [a] -> START: START cannot be a target; aim at the first node instead", |g, [a, ..]| {
        g.join(&[a], START);
    });
    refused("route from END: END cannot be a source; remove it", |g, [a, ..]| {
        g.route(END, &[("x", a)], |_| Ok(0));
    });
    refused("route a -x-> START: START cannot be a target; aim at the first node instead", |g, [a, ..]| {
        g.route(a, &[("x", START)], |_| Ok(0));
    });
    refused("the route from `a` has no options; list its labels and their targets", |g, [a, ..]| {
        g.route(a, &[], |_| Ok(0));
    });
    refused("the route from `a` has the label `x` twice; give each option its own", |g, [a, b, c, _]| {
        g.route(a, &[("x", b), ("x", c)], |_| Ok(0));
    });
    for place in ["node_mut", "breakpoint"] {
        let text = format!("{place}: node #65535 is not in this graph; use the handles its own builder returned");
        refused(&text, |g, _| {
            if place == "node_mut" {
                g.node_mut(END).once();
            } else {
                g.breakpoint(END);
            }
        });
    }
}

#[test]
fn names() {
    refused("two nodes are named `a`; names order the merge, so rename one", |g, _| {
        idle(g, "a");
    });
    for name in ["", "START", "END", "__start__", "__end__", "sub:node", "a|b"] {
        let text = format!("`{name}` cannot name a node: it is empty, reserved or contains `:` or `|`; choose another");
        refused(&text, |g, _| {
            idle(g, name);
        });
    }
    refused("two channels are named `x`; rename one", |g, _| {
        g.channel("x", Channel::last(0));
        g.channel("x", Channel::last("other type"));
    });
    refused("node `a` declares channel #0, which is not in this graph; use this builder's handles", |g, [a, ..]| {
        let stray = G::new("other").channel("x", Channel::rows());
        g.node_mut(a).reads(&[stray.id()]);
    });
}

#[test]
fn reachability() {
    refused("nothing leads from START to `c`; connect it, disable it or remove it", |g, [a, b, c, d]| {
        g.edge(START, a).edge(a, b).edge(c, d).edge(d, c);
    });
    refused("nothing leads from START to `a`; connect it, disable it or remove it", |_, _| {});
    assert!(matches!(
        G::new("empty").compile(Limits::default()),
        Err(CompileError::NoEntry { graph }) if graph == "empty"
    ));
    refused("graph `refused`: nothing enabled follows START; add an edge or a route from START", |g, ids| {
        start_all(g, &ids);
        for id in ids {
            g.node_mut(id).disabled().once().reads(&[]).writes(&[]);
        }
    });
    // b and c exclude each other, so the join of both never fills.
    refused(
        "no run reaches `d`: a join on its way waits for nodes that never run in one run; use edges instead",
        |g, [a, b, c, d]| {
            g.edge(START, a).join(&[b, c], d);
            g.route(a, &[("b", b), ("c", c)], |_| Ok("b"));
        },
    );
}

#[test]
fn disabled_nodes_and_what_only_they_led_to_are_removed() {
    let mut g = G::new("disabled");
    let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(|n| idle(&mut g, n));
    let adrift = idle(&mut g, "adrift");
    g.edge(START, a).edge(START, b).edge(b, c).join(&[b, c], d).join(&[a, c], e);
    for id in [adrift, b] {
        g.node_mut(id).disabled();
    }
    let graph = g.compile(Limits::default()).unwrap();
    // c and d hang on b alone; the join of a and c into e waits for a.
    assert_eq!(graph.removed(), ["adrift", "b", "c", "d"]);
    assert_eq!(graph.nodes().collect::<Vec<_>>(), ["a", "e"]);
    refused("the breakpoint `b` is not in the compiled graph; enable it or move the breakpoint", |g, ids| {
        start_all(g, &ids);
        g.node_mut(ids[1]).disabled();
        g.breakpoint(ids[1]);
    });
}

#[test]
fn once_is_refused_where_two_runs_are_possible() {
    let once = |text: &str, wire: &dyn Fn(&mut G, [NodeId; 4])| {
        let text =
            format!("`d` is `once` but can run twice in one run: {text}; join its predecessors or break the cycle");
        refused(&text, |g, ids| {
            wire(g, ids);
            g.node_mut(ids[3]).once();
        });
    };
    // Plain predecessors at different depths.
    once("START > a + d > b + c + d", &|g, [a, b, c, d]| {
        g.edge(START, a).edge(START, d).edge(a, b).edge(a, c).edge(a, d);
    });
    // A join and an early edge (C17).
    once("START > a > b + c + d > d", &|g, [a, b, c, d]| {
        g.edge(START, a).edge(a, b).edge(a, c).edge(a, d).join(&[b, c], d);
    });
    // A cycle that a router may take.
    once("START > a > b + d > c > d", &|g, [a, b, c, d]| {
        g.edge(START, a).edge(a, b).edge(a, d).edge(b, c);
        g.route(c, &[("again", d), ("end", END)], |_| Ok("end"));
    });
    once("START > a + b + c > d > d", &|g, [a, b, c, d]| {
        g.edge(START, a).edge(START, b).edge(START, c).edge(a, d);
        g.route(d, &[("again", d), ("end", END)], |_| Ok("end"));
    });
    // A join in a cycle is filled again.
    once("START > a + b > d > c > a + b > d", &|g, [a, b, c, d]| {
        g.edge(START, a).edge(START, b).join(&[a, b], d).edge(c, a).edge(c, b);
        g.route(d, &[("again", c), ("end", END)], |_| Ok("end"));
    });
    // Two routes of one node do not exclude each other.
    once("START > a > b + d > c + d", &|g, [a, b, c, d]| {
        g.edge(START, a).edge(b, d).edge(b, c);
        g.route(a, &[("d", d), ("end", END)], |_| Ok("d"));
        g.route(a, &[("b", b)], |_| Ok("b"));
    });
}

#[test]
fn once_is_accepted_where_one_run_is_certain() {
    let once = |wire: &dyn Fn(&mut G, [NodeId; 4])| {
        accepted(|g, ids| {
            wire(g, ids);
            for id in ids {
                g.node_mut(id).once();
            }
        });
    };
    // Predecessors of the same step.
    once(&|g, [a, b, c, d]| {
        g.edge(START, a).edge(a, b).edge(a, c).edge(b, d).edge(c, d);
    });
    // A join of different depths.
    once(&|g, [a, b, c, d]| {
        g.edge(START, a).edge(START, b).edge(b, c).join(&[a, c], d);
    });
    // The branches of one choice exclude each other although their depths differ.
    once(&|g, [a, b, c, d]| {
        g.edge(START, a).edge(b, c).edge(c, d);
        g.route(a, &[("long", b), ("middle", c), ("short", d)], |_| Ok(0));
    });
    // A join inside a branch that only sometimes fills.
    once(&|g, [a, b, c, d]| {
        g.edge(START, a).edge(START, b).join(&[b, c], d);
        g.route(a, &[("c", c), ("end", END)], |_| Ok("c"));
    });
}

#[test]
fn declared_writers_of_one_step() {
    let wire = |channel: Channel<u8>, order: bool| {
        move |g: &mut G, [a, b, c, d]: [NodeId; 4]| {
            let x = g.channel("x", channel);
            for id in [a, c] {
                g.node_mut(id).writes(&[x.id()]);
            }
            if order {
                g.edge(START, a).edge(a, c).edge(START, b).edge(b, d);
            } else {
                g.edge(START, a).edge(START, b).edge(b, c).edge(a, d).edge(d, a);
            }
        }
    };
    accepted(wire(Channel::last(0), false));
    accepted(wire(Channel::last(0), true));
    let together = |kind: Channel<u8>| {
        move |g: &mut G, [a, b, c, d]: [NodeId; 4]| {
            let x = g.channel("x", kind);
            for id in [b, c] {
                g.node_mut(id).writes(&[x.id()]);
            }
            g.edge(START, a).edge(a, b).edge(a, c).edge(c, d);
        }
    };
    refused(
        "`b`, `c` may run in the same step and all declare writing `x`, which takes one write a step: START > a > b + c; \
         give it a reducer or order the nodes",
        together(Channel::last(0)),
    );
    accepted(together(Channel::reduce(0, |all: &mut u8, one: u8| *all += one)));
    for declared in [Channel::rows, Channel::external] {
        accepted(move |g: &mut G, ids| {
            let x = g.channel("x", declared());
            start_all(g, &ids);
            for id in ids {
                g.node_mut(id).writes(&[x.id()]);
            }
        });
    }
    // Branches of one choice are never in the same step.
    accepted(|g, [a, b, c, d]| {
        let x = g.channel("x", Channel::last(0));
        for id in [b, c, d] {
            g.node_mut(id).writes(&[x.id()]);
        }
        g.edge(START, a);
        g.route(a, &[("b", b), ("c", c), ("d", d)], |_| Ok(0));
    });
}

/// Twenty routed branches side by side have 2^20 continuations: too many to prove anything, no reason to refuse.
#[test]
fn a_graph_too_wide_for_the_proof_is_refused_only_if_a_proof_is_asked_for() {
    let wide = |once: bool| {
        let mut g = G::new("wide");
        for i in 0..20 {
            let [from, to] = ["from", "to"].map(|n| idle(&mut g, &format!("{n}{i}")));
            g.edge(START, from);
            g.route(from, &[("to", to), ("end", END)], |_| Ok(0));
            if once {
                g.node_mut(to).once();
            }
        }
        g.compile(Limits::default()).err()
    };
    assert_eq!(wide(false), None);
    assert!(matches!(wide(true), Some(CompileError::TooManyStates { graph, .. }) if graph == "wide"));
}
