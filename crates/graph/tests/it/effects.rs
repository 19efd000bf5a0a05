//! Requests to the outside: deterministic ids, answers with an age, replays that call nobody.

use std::sync::Arc;
use tradegraph_columns::codec::{Decoder, Encoder};
use tradegraph_graph::{
    Ask, At, Channel, Client, Command, Compiled, Durability, End, GraphBuilder, Journal, Limits, MemorySaver, Request,
    START, Value, VirtualClock,
};

type Log = tradegraph_graph::Chan<Vec<String>, String>;

/// A node that asks for news each run and writes what it knows with its age.
fn news() -> (Compiled<()>, Log, Arc<VirtualClock>) {
    let mut g = GraphBuilder::<()>::new("news");
    let v = g.channel("v", Channel::reduce(Vec::new(), |all: &mut Vec<String>, one: String| all.push(one)).saved());
    g.effect("news");
    let mut runs = 0;
    let n = g.node_fn("sentiment", move |(), io| {
        runs += 1;
        io.request("news", format!("headlines {runs}"))?;
        let text = match io.newest("news")? {
            Some(a) if a.age_ns <= 150 => format!("{:?}, {} old", a.value, a.age_ns),
            Some(_) => "stale".to_owned(),
            None => "neutral".to_owned(),
        };
        Ok(io.write(v, text)?)
    });
    g.edge(START, n);
    let mut graph = g.compile(Limits::default()).unwrap();
    let clock = Arc::new(VirtualClock::default());
    graph.set_clock(clock.clone());
    (graph, v, clock)
}

struct Answers(u32);

impl Client for Answers {
    fn call(&mut self, request: &Request) -> (Value, u64) {
        self.0 += 1;
        (Value::from(format!("re: {}", request.value.as_str().unwrap())), u64::from(self.0) * 100)
    }
}

/// Stands where a live client would stand.
struct Nobody;

impl Client for Nobody {
    fn call(&mut self, request: &Request) -> (Value, u64) {
        panic!("called for {request:?}")
    }
}

#[test]
fn a_cycle_never_waits_and_a_replay_calls_nobody() {
    let (mut live, v, clock) = news();
    let (mut journal, mut client) = (Journal::default(), Answers(0));
    for _ in 0..4 {
        live.run(&mut ()).unwrap();
        journal.record(live.effects(), &mut client).unwrap();
        clock.advance_ns(125);
    }
    let expected = [
        "neutral",
        "Text(\"re: headlines 1\"), 25 old",
        "Text(\"re: headlines 2\"), 50 old",
        "Text(\"re: headlines 3\"), 75 old",
    ];
    assert_eq!(live.get(v).unwrap(), &expected);
    let mut bytes = Encoder::new();
    journal.save(&mut bytes);

    let (mut replay, v, clock) = news();
    let mut recorded = Journal::load(&mut Decoder::new(bytes.as_bytes())).unwrap();
    let mut nobody = Nobody;
    for _ in 0..4 {
        replay.run(&mut ()).unwrap();
        recorded.replay(replay.effects()).unwrap();
        clock.advance_ns(125);
    }
    // The requests were answered from the journal, so there is nothing left to call for.
    Journal::default().record(replay.effects(), &mut nobody).unwrap();
    assert_eq!(replay.get(v).unwrap(), &expected);
    let (mut a, mut b) = (Encoder::new(), Encoder::new());
    live.save(&mut a);
    replay.save(&mut b);
    assert_eq!(a.as_bytes(), b.as_bytes(), "the answers are part of the state");
}

#[test]
fn a_replay_that_leaves_the_recorded_path_is_told() {
    let (mut live, ..) = news();
    let mut journal = Journal::default();
    live.run(&mut ()).unwrap();
    journal.record(live.effects(), &mut Answers(0)).unwrap();
    journal.rewind();
    let (mut replay, ..) = news();
    replay.set_cycle(7);
    replay.run(&mut ()).unwrap();
    let error = journal.replay(replay.effects()).unwrap_err();
    assert!(error.to_string().contains("`news` is not in the journal at this place"), "{error}");
}

#[test]
fn an_undeclared_effect_is_an_error() {
    let mut g = GraphBuilder::<()>::new("undeclared");
    g.effect("news");
    let n = g.node_fn("n", |(), io| io.request("prices", 1).map(drop));
    g.edge(START, n);
    let error = g.compile(Limits::default()).unwrap().run(&mut ()).unwrap_err();
    assert!(error.to_string().contains("`prices` is not declared; add it with `GraphBuilder::effect`"), "{error}");
}

#[test]
fn a_step_that_awaits_goes_on_when_the_answer_is_there() {
    let build = || {
        let mut g = GraphBuilder::<()>::new("await");
        let v = g.channel("v", Channel::reduce(Vec::new(), |all: &mut Vec<String>, one: String| all.push(one)).saved());
        for name in ["a", "b"] {
            let n = g.node_fn(name, move |(), io| {
                let first = io.await_effect("model", format!("{name}?"))?;
                let second = io.await_effect("model", format!("{} again?", first.as_str().unwrap()))?;
                Ok(io.write(v, format!("{name}: {}", second.as_str().unwrap()))?)
            });
            g.edge(START, n);
        }
        let mut graph = g.compile(Limits::default()).unwrap();
        graph.attach(Arc::new(MemorySaver::new()), Durability::Async);
        (graph, v)
    };
    let reply = |asks: &[Ask]| -> Vec<(tradegraph_graph::InterruptId, String)> {
        asks.iter().map(|a| (a.id, format!("<{}>", a.value.as_str().unwrap()))).collect()
    };
    let at = At::thread("t");
    let mut ids = Vec::new();
    for round in 0..2 {
        let (mut graph, v) = build();
        let mut end = graph.invoke(&mut (), &at, |_| Ok(())).unwrap().end;
        let mut seen = Vec::new();
        while let End::Asked(asks) = &end {
            assert!(asks.iter().all(|a| a.effect.as_deref() == Some("model")));
            seen.extend(asks.iter().map(|a| a.id));
            let command = reply(asks).into_iter().fold(Command::new(), |c, (id, value)| c.answer_to(id, value));
            end = graph.command(&mut (), &at, command).unwrap().end;
        }
        assert_eq!(graph.get(v).unwrap(), &["a: <<a?> again?>", "b: <<b?> again?>"]);
        assert_eq!(seen.len(), 4);
        if round == 1 {
            assert_eq!(seen, ids, "the same ids in every run");
        }
        ids = seen;
    }
}
