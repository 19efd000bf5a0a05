//! The council of eleven nodes as architecture.md section 6 wires it, and the trap that its joins avoid.

use std::collections::BTreeMap;
use tradegraph_graph::{CompileError, Compiled, GraphBuilder, Limits, NodeId, START};

/// The world of a test run: who ran, and where the router goes.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) ran: Vec<&'static str>,
    pub(crate) route: &'static str,
}

pub(crate) const NAMES: [&str; 11] = [
    "market_data_ingestor",
    "sentiment_analyzer",
    "momentum_trader",
    "mean_reversion_trader",
    "short_seller",
    "long_term_investor",
    "options_trader",
    "portfolio_allocator",
    "risk_manager",
    "execution_engine",
    "learning_optimizer",
];

pub(crate) type Ids = BTreeMap<&'static str, NodeId>;

pub(crate) fn council(with_joins: bool, disabled: &[&str]) -> (GraphBuilder<Log>, Ids) {
    let mut g = GraphBuilder::<Log>::new("council");
    let route = g.channel("route", tradegraph_graph::Channel::last("learn"));
    let mut ids = Ids::new();
    for name in NAMES {
        let id = g.node_fn(name, move |log: &mut Log, io| {
            log.ran.push(name);
            if name == "portfolio_allocator" { Ok(io.write(route, log.route)?) } else { Ok(()) }
        });
        if disabled.contains(&name) {
            g.node_mut(id).disabled();
        }
        ids.insert(name, id);
    }
    let [ingest, sentiment, momentum, reversion, short, long, options, allocate, risk, execute, learn] =
        NAMES.map(|n| ids[n]);
    let mut join = |members: &[NodeId], to| {
        if with_joins {
            g.join(members, to);
        } else {
            for member in members {
                g.edge(*member, to);
            }
        }
    };
    join(&[ingest, sentiment], momentum);
    join(&[sentiment], short);
    join(&[momentum, reversion, short, long, options], allocate);
    g.edge(START, ingest);
    for strategy in [sentiment, reversion, options, long] {
        g.edge(ingest, strategy);
    }
    g.route(allocate, &[("learn", learn), ("execute", execute), ("risk_check", risk)], move |s| Ok(*s.get(route)?));
    g.edge(risk, execute).edge(execute, learn);
    for once in [allocate, risk, execute, learn] {
        g.node_mut(once).once();
    }
    (g, ids)
}

fn compiled(disabled: &[&str]) -> Compiled<Log> {
    council(true, disabled).0.compile(Limits::default()).unwrap()
}

fn check(disabled: &[&str], route: &'static str, expected: &[&str]) {
    let mut log = Log { route, ..Log::default() };
    let stats = compiled(disabled).run(&mut log).unwrap();
    assert_eq!(log.ran, expected, "{route} without {disabled:?}");
    assert_eq!(stats.nodes_run as usize, expected.len());
}

const STRATEGIES: [&str; 7] = [
    "market_data_ingestor",
    "long_term_investor",
    "mean_reversion_trader",
    "options_trader",
    "sentiment_analyzer",
    "momentum_trader",
    "short_seller",
];

#[test]
fn every_route_runs_each_node_at_most_once() {
    for (route, tail) in [
        ("learn", &["portfolio_allocator", "learning_optimizer"][..]),
        ("execute", &["portfolio_allocator", "execution_engine", "learning_optimizer"]),
        ("risk_check", &["portfolio_allocator", "risk_manager", "execution_engine", "learning_optimizer"]),
    ] {
        check(&[], route, &[&STRATEGIES[..], tail].concat());
    }
}

#[test]
fn with_plain_edges_the_allocator_would_run_twice() {
    match council(false, &[]).0.compile(Limits::default()) {
        Err(CompileError::RunsTwice { node, steps }) => {
            assert_eq!(node, "portfolio_allocator");
            assert_eq!(steps.len(), 4, "{steps:?}");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn with_plain_edges_all_four_run_twice_as_measured_in_langgraph() {
    // The same wiring without `once`: the trap that the refusal above prevents.
    let mut g = GraphBuilder::<Vec<&'static str>>::new("trap");
    let ids = NAMES.map(|name| {
        g.node_fn(name, move |ran: &mut Vec<&'static str>, _| {
            ran.push(name);
            Ok(())
        })
    });
    let [ingest, sentiment, momentum, reversion, short, long, options, allocate, risk, execute, learn] = ids;
    g.edge(START, ingest).edge(ingest, momentum).edge(sentiment, momentum).edge(sentiment, short);
    for s in [sentiment, reversion, options, long] {
        g.edge(ingest, s);
    }
    for s in [momentum, reversion, short, long, options] {
        g.edge(s, allocate);
    }
    g.route(allocate, &[("risk_check", risk)], |_| Ok(0));
    g.edge(risk, execute).edge(execute, learn);
    let mut ran = Vec::new();
    g.compile(Limits::default()).unwrap().run(&mut ran).unwrap();
    for name in &NAMES[7..] {
        assert_eq!(ran.iter().filter(|r| r == &name).count(), 2, "{name}");
    }
}

#[test]
fn a_disabled_strategy_leaves_its_joins() {
    let rest: Vec<&str> = STRATEGIES.into_iter().filter(|s| *s != "options_trader").collect();
    check(&["options_trader"], "learn", &[&rest[..], &["portfolio_allocator", "learning_optimizer"]].concat());
    assert_eq!(compiled(&["options_trader"]).removed(), ["options_trader"]);
}

#[test]
fn without_sentiment_momentum_waits_for_the_ingestor_alone_and_the_short_seller_goes() {
    check(
        &["sentiment_analyzer"],
        "learn",
        &[
            "market_data_ingestor",
            "long_term_investor",
            "mean_reversion_trader",
            "momentum_trader",
            "options_trader",
            "portfolio_allocator",
            "learning_optimizer",
        ],
    );
    assert_eq!(compiled(&["sentiment_analyzer"]).removed(), ["sentiment_analyzer", "short_seller"]);
}

#[test]
fn a_route_to_a_disabled_node_ends_there() {
    check(&["learning_optimizer"], "learn", &[&STRATEGIES[..], &["portfolio_allocator"]].concat());
}
