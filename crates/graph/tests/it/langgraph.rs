//! The same graphs on LangGraph and here: `langgraph.json` holds graphs as data, what was done with them, and what
//! LangGraph did (`scripts/conformance/langgraph.py` writes it). Every case runs with nodes one after the other, and
//! again with shared nodes on four threads.

use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};
use tradegraph_graph::{
    At, CachePolicy, Channel, CheckpointId, Command, CompileError, Compiled, Durability, END, End, Event, GraphBuilder,
    Input, Io, Keep, Limits, MemorySaver, Modes, NodeError, NodeId, Outcome, ParentCommand, Query, Reads, Retry,
    RunError, START, Snapshot, SubgraphState, Update, Value, ValueChan,
};

#[derive(Default)]
pub(crate) struct World {
    runs: Mutex<BTreeMap<String, u64>>,
}

type Ids = Arc<OnceLock<BTreeMap<String, NodeId>>>;
type Chans = BTreeMap<String, ValueChan>;

fn value_of(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap()), Value::Int),
        Json::String(s) => Value::Text(s.clone()),
        Json::Array(a) => Value::List(a.iter().map(value_of).collect()),
        Json::Object(o) => Value::Map(o.iter().map(|(k, v)| (k.clone(), value_of(v))).collect()),
    }
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(i) => json!(i),
        Value::Float(f) => json!(f),
        Value::Text(s) => json!(s),
        Value::List(l) => l.iter().map(json_of).collect(),
        Value::Map(m) => Json::Object(m.iter().map(|(k, v)| (k.clone(), json_of(v))).collect()),
    }
}

/// As Python's `json.dumps` shows it.
fn dumps(value: &Value) -> String {
    match value {
        Value::List(l) => format!("[{}]", l.iter().map(dumps).collect::<Vec<_>>().join(", ")),
        other => json_of(other).to_string(),
    }
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap()
}

fn texts(json: &Json) -> Vec<String> {
    match json {
        Json::String(one) => vec![one.clone()],
        Json::Array(all) => all.iter().map(|s| text(s).to_owned()).collect(),
        _ => vec![],
    }
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

/// A node's operations, carried out.
fn carry_out(
    name: &str,
    ops: &Json,
    world: &World,
    io: &mut Io<'_>,
    chans: &Chans,
    (ids, outer): (&Ids, &Option<(Ids, Chans)>),
) -> Result<(), NodeError> {
    let ran = {
        let mut runs = world.runs.lock().unwrap();
        let ran = runs.entry(name.to_owned()).or_default();
        *ran += u64::from(!name.starts_with("handler"));
        *ran
    };
    let id = |name: &str| if name == "END" { END } else { ids.get().unwrap()[name] };
    let mut answers = Vec::new();
    for op in list(ops) {
        let chan = || chans[text(&op["chan"])];
        let value = |io: &Io<'_>, answers: &[Value]| -> Result<Value, NodeError> {
            let v = &op["value"];
            let one = |s: String| Value::List(vec![s.into()]);
            let read = |key: &str| io.get(chans[text(&v[key])]).ok().cloned();
            let Some(o) = v.as_object() else { return Ok(value_of(v)) };
            Ok(match o.keys().next().map(String::as_str).unwrap() {
                "arg" => Value::List(vec![io.arg::<Value>()?]),
                "read" | "plus" => Value::Int(read("read").unwrap().as_int().unwrap() + v["plus"].as_i64().unwrap()),
                "len" => one(format!("{name}@{}", read("len").unwrap().as_list().unwrap().len())),
                "see" => one(format!("{name} sees {}", read("see").map_or("null".to_owned(), |v| dumps(&v)))),
                "answers" => Value::List(answers.to_vec()),
                "error" => {
                    let error = io.error().unwrap();
                    one(format!("h:{}:{}", error.node, error.error))
                }
                "turns" => {
                    let runs = world.runs.lock().unwrap();
                    let all: u64 = texts(&v["turns"]).iter().filter_map(|n| runs.get(n)).sum();
                    let values = list(&v["values"]);
                    value_of(&values[(all as usize - 1) % values.len()])
                }
                "runs" => one(format!("{name}{ran}")),
                other => panic!("{other}"),
            })
        };
        match text(&op["op"]) {
            "write" => {
                let value = value(io, &answers)?;
                io.write(chan(), value)?;
            }
            "overwrite" => {
                let value = value(io, &answers)?;
                io.overwrite(chan(), value)?;
            }
            "goto" => texts(&op["to"]).iter().try_for_each(|to| io.goto(id(to)))?,
            "plan" => {
                let done = io.get(chans["done"])?.as_list().unwrap().len();
                io.write(chans["done"], Value::List(vec![Value::Int(done as i64)]))?;
                if let Some(next) = op["steps"].get(done) {
                    texts(next).iter().try_for_each(|to| io.goto(id(to)))?;
                }
            }
            "send" => io.send(id(text(&op["to"])), value_of(&op["arg"]))?,
            "parent" => {
                let (ids, chans) = outer.as_ref().unwrap();
                let mut command = ParentCommand::new().goto(ids.get().unwrap()[text(&op["goto"])]);
                if let Some(chan) = op["chan"].as_str() {
                    command = command.write(chans[chan], value_of(&op["value"]));
                }
                return Err(command.into());
            }
            "ask" => {
                let when = &op["when"];
                let skips = when.is_object() && json_of(io.get(chans[text(&when["chan"])])?) != when["equals"];
                answers.push(if skips { value_of(&when["or"]) } else { io.interrupt(value_of(&op["value"]))? });
            }
            "ask_until" => {
                let mut question = &op["value"];
                let answer = loop {
                    let answer = io.interrupt(value_of(question))?;
                    if answer.as_int().unwrap() >= op["least"].as_i64().unwrap() {
                        break answer;
                    }
                    question = &op["again"];
                };
                io.write(chan(), answer)?;
            }
            "fail" if ran <= op["times"].as_u64().unwrap() => return Err(NodeError::failed("ValueError")),
            "fail" => {}
            other => panic!("{other}"),
        }
    }
    Ok(())
}

fn choose<'a>(rule: &'a Json, reads: &Reads<'_>, chans: &Chans) -> &'a [Json] {
    let mut at = rule;
    while at.is_object() {
        at = if let Some(least) = at.get("over") {
            let found = reads.get(chans[text(&at["chan"])]).unwrap().as_int();
            if found > least.as_i64() { &at["then"] } else { &at["else"] }
        } else if let Some(expected) = at.get("equals") {
            let found = reads.get(chans[text(&at["chan"])]).ok().map_or(Json::Null, json_of);
            if found == *expected { &at["then"] } else { &at["else"] }
        } else {
            let len = reads.get(chans[text(&at["len"])]).map_or(0, |v| v.as_list().unwrap().len());
            let choices = list(&at["choices"]);
            &choices[len % choices.len()]
        };
    }
    list(at)
}

pub(crate) struct Built {
    pub(crate) graph: Compiled<World>,
    pub(crate) chans: Chans,
    /// The channels of subgraphs, by the names of their nodes from the outside in, joined by `|`.
    inner: BTreeMap<String, Chans>,
}

/// Wires a graph described as data.
pub(crate) fn build(spec: &Json, shared: bool, outer: Option<(Ids, Chans)>) -> Result<Built, CompileError> {
    let mut g = GraphBuilder::<World>::new("case");
    let channels = spec["channels"].as_object().unwrap().iter();
    let chans: Chans = channels.map(|(k, v)| (k.clone(), g.channel(k, Channel::of_values(text(v)).unwrap()))).collect();
    let ids: Ids = Arc::default();
    let (mut map, mut inside) = (BTreeMap::new(), BTreeMap::new());
    let nodes = spec["nodes"].as_object().unwrap();
    for (name, node) in nodes {
        if let Some(inner) = node.get("graph") {
            let keep = match text(&node["keep"]) {
                "run" => Keep::Run,
                "thread" => Keep::Thread,
                _ => Keep::Nothing,
            };
            let child = build(inner, shared, Some((ids.clone(), chans.clone())))?;
            inside.extend(child.inner.into_iter().map(|(path, chans)| (format!("{name}|{path}"), chans)));
            inside.insert(name.clone(), child.chans);
            map.insert(name.clone(), g.subgraph(name, child.graph, keep));
            continue;
        }
        let add = |g: &mut GraphBuilder<World>, name: String, ops: Json| {
            let (chans, ids, outer, label) = (chans.clone(), ids.clone(), outer.clone(), name.clone());
            let run = move |world: &World, io: &mut Io<'_>| carry_out(&name, &ops, world, io, &chans, (&ids, &outer));
            if shared { g.shared_fn(label, run) } else { g.node_fn(label, move |world, io| run(world, io)) }
        };
        let id = add(&mut g, name.clone(), node["ops"].clone());
        map.insert(name.clone(), id);
        if let Some(ops) = node.get("handler") {
            let handler = add(&mut g, format!("handler {name}"), ops.clone());
            map.insert(format!("handler {name}"), handler);
            g.node_mut(id).on_error(handler);
        }
        if let Some(attempts) = node["retry"].as_u64() {
            g.node_mut(id).retry(Retry { attempts: attempts as u32, jitter: false, ..Retry::default() });
        }
        if node["defer"] == true {
            g.node_mut(id).deferred();
        }
        if node["cache"] == true {
            g.node_mut(id).cache(CachePolicy::default());
        }
    }
    let find = |name: &str| match name {
        "START" => START,
        "END" => END,
        _ => map[name],
    };
    let mut packets = BTreeSet::new();
    for (name, node) in nodes {
        let ops = list(&node["ops"]).iter().map(|op| (name.clone(), op));
        let handled = list(&node["handler"]).iter().map(|op| (format!("handler {name}"), op));
        for (from, op) in ops.chain(handled) {
            let gotos = [texts(&op["to"]), list(&op["steps"]).iter().flat_map(texts).collect()].concat();
            let gotos: Vec<NodeId> = gotos.iter().filter(|_| op["op"] != "send").map(|t| find(t)).collect();
            g.node_mut(find(&from)).goes_to(&gotos);
            if op["op"] == "send" {
                packets.insert(text(&op["to"]).to_owned());
                g.node_mut(find(&from)).sends_to(&[find(text(&op["to"]))]);
            }
        }
        if node["graph"].to_string().contains("\"parent\"") {
            let all: Vec<NodeId> = nodes.keys().map(|n| find(n)).collect();
            g.node_mut(find(name)).goes_to(&all);
        }
    }
    // Here a node to which nothing leads is refused; there it is accepted.
    for lost in texts(&spec["unreachable"]) {
        let first = find(list(&spec["edges"])[0][1].as_str().unwrap());
        g.node_mut(first).goes_to(&[find(&lost)]);
    }
    for edge in list(&spec["edges"]) {
        g.edge(find(text(&edge[0])), find(text(&edge[1])));
    }
    for join in list(&spec["joins"]) {
        let members: Vec<NodeId> = list(&join[0]).iter().map(|m| find(text(m))).collect();
        g.join(&members, find(text(&join[1])));
    }
    for route in list(&spec["routes"]) {
        let targets: Vec<NodeId> = texts(&route["targets"]).iter().map(|t| find(t)).collect();
        let (rule, chans, names) = (route["rule"].clone(), chans.clone(), map.clone());
        let mut sent = vec![&route["rule"]];
        while let Some(at) = sent.pop() {
            packets.extend(at.get("send").map(|to| text(to).to_owned()));
            sent.extend(at.as_object().into_iter().flat_map(|o| o.values()));
            sent.extend(list(at));
        }
        g.fan_out(find(text(&route["from"])), &targets, move |reads, out| {
            for chosen in choose(&rule, reads, &chans) {
                match chosen.get("send") {
                    Some(to) => out.send(names[text(to)], value_of(&chosen["arg"]))?,
                    None => out.goto(if chosen == "END" { END } else { names[text(chosen)] })?,
                }
            }
            Ok(())
        });
    }
    for target in packets {
        g.node_mut(map[&target]).takes::<Value>();
    }
    texts(&spec["before"]).iter().for_each(|n| _ = g.interrupt_before(map[n]));
    texts(&spec["after"]).iter().for_each(|n| _ = g.interrupt_after(map[n]));
    let _ = ids.set(map);
    let recursion = spec["limit"].as_u64().unwrap_or(25) as u32;
    Ok(Built { graph: g.compile(Limits { recursion })?, chans, inner: inside })
}

fn values_of(built: &Built) -> Json {
    let all = built.chans.iter().filter_map(|(k, c)| Some((k.clone(), json_of(built.graph.get(*c).ok()?))));
    Json::Object(all.collect())
}

fn shown(built: &Built, s: &Snapshot) -> Json {
    shown_with(s, &built.chans, |c| built.graph.value_in(s, c).unwrap())
}

/// The nodes of a namespace.
fn names_of(ns: &str) -> String {
    ns.split('|').map(|part| part.split(':').next().unwrap()).collect::<Vec<_>>().join("|")
}

/// A snapshot of a subgraph.
fn shown_within(built: &Built, ns: &str, s: &Snapshot) -> Json {
    shown_with(s, &built.inner[&names_of(ns)], |c| built.graph.value_within(ns, s, c).unwrap())
}

fn subgraphs_of(built: &Built, all: &[SubgraphState]) -> Json {
    let one = |s: &SubgraphState| {
        let state = s.state.as_ref().map(|state| shown_within(built, &s.ns, state));
        json!({"node": s.node, "state": state, "subgraphs": subgraphs_of(built, &s.subgraphs)})
    };
    all.iter().map(one).collect()
}

fn shown_with(s: &Snapshot, chans: &Chans, value: impl Fn(ValueChan) -> Option<Value>) -> Json {
    let values = chans.iter().filter_map(|(k, c)| Some((k.clone(), json_of(&value(*c)?))));
    let values = Json::Object(values.collect());
    let mut asks: Vec<String> = s.asks.iter().map(|a| a.value.as_str().unwrap().to_owned()).collect();
    asks.sort();
    // LangGraph lists packets first, then nodes in the order of their definition; here it is the merge order.
    let mut next = s.next.clone();
    next.sort();
    json!({"step": s.step, "source": s.source.name(), "next": next, "asks": asks, "values": values})
}

fn error_of(error: &RunError) -> Json {
    json!(match error {
        RunError::Conflict { .. } => "conflict",
        RunError::RecursionLimit { .. } => "limit",
        RunError::Ambiguous { .. } | RunError::AmbiguousUpdate => "ambiguous",
        RunError::Node { .. } => "failed",
        other => return json!(other.to_string()),
    })
}

type Seen = Arc<Mutex<Vec<(i64, String)>>>;
/// What nodes wrote, with the nodes around them.
type Written = Arc<Mutex<Vec<Json>>>;

fn written(to: Written, path: Vec<String>, chans: Chans) -> impl FnMut(&Event<'_>) + Send {
    move |event| {
        let Event::Updates { node, updates, .. } = event else { return };
        let all = chans.iter().map(|(name, chan)| (name.clone(), updates.of(*chan)));
        let all = all.filter(|(_, values)| !values.is_empty());
        let all: serde_json::Map<_, _> = all.map(|(name, v)| (name, v.iter().map(json_of).collect())).collect();
        to.lock().unwrap().push(json!([path, node, all]));
    }
}

struct Case {
    built: Built,
    world: World,
    seen: Seen,
    written: Written,
    durability: Durability,
    saver: Option<Arc<MemorySaver>>,
    /// What the last change of the state made, and where.
    fork: Option<(String, CheckpointId)>,
    /// The last namespace of these nodes, and the last of all under no name.
    spaces: BTreeMap<String, String>,
}

impl Case {
    fn new(spec: &Json, shared: bool) -> Result<Self, CompileError> {
        let mut built = build(spec, shared, None)?;
        let saver = (spec["saver"] != false).then(|| Arc::new(MemorySaver::new()));
        if let Some(saver) = &saver {
            built.graph.attach(saver.clone(), Durability::Async);
        }
        if shared {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
            built.graph.set_pool(Arc::new(pool), usize::MAX);
        }
        let seen = Seen::default();
        let to = seen.clone();
        built.graph.observe(Modes::TASKS, move |event| {
            if let Event::Task { step, node, .. } = event {
                to.lock().unwrap().push((*step, (*node).to_owned()));
            }
        });
        let shown = Written::default();
        built.graph.observe(Modes::UPDATES, written(shown.clone(), Vec::new(), built.chans.clone()));
        for (ns, chans) in &built.inner {
            let path = ns.split('|').map(str::to_owned).collect();
            built.graph.observe_within(ns, Modes::UPDATES, written(shown.clone(), path, chans.clone())).unwrap();
        }
        Ok(Case {
            built,
            world: World::default(),
            seen,
            durability: Durability::Async,
            saver,
            fork: None,
            written: shown,
            spaces: BTreeMap::new(),
        })
    }

    fn at(&mut self, action: &Json) -> At {
        let at = At::thread(action["thread"].as_str().unwrap_or("1"));
        if action["at"] == "fork" {
            let (ns, id) = self.fork.clone().unwrap();
            return if ns.is_empty() { at.checkpoint(id) } else { at.within(ns, id) };
        }
        if action["at"].is_null() {
            return at;
        }
        let within = self.enter(&at, &action["at"]);
        let graph = &mut self.built.graph;
        let mut history = match &within {
            Some(ns) => graph.history_within(&at, ns, Query::default()),
            None => graph.history(&at, Query::default()),
        }
        .unwrap();
        let mut nth = action["at"].as_i64();
        if let Some(next) = action["at"]["next"].as_str() {
            let asks = action["at"]["asks"] == true;
            history.retain(|s| s.next == [next] && (!s.asks.is_empty() || !asks));
            nth = action["at"]["nth"].as_i64();
        }
        let nth = nth.unwrap();
        let nth = if nth < 0 { history.len() as i64 + nth } else { nth };
        let id = history[nth as usize].id;
        match within {
            // A change takes the namespace and the checkpoint apart.
            Some(ns) if text(&action["do"]) == "proceed" => at.within(ns, id),
            _ => at.checkpoint(id),
        }
    }

    /// The namespace that an action names by the nodes on the way, by itself, or as one named before (`@`).
    fn enter(&mut self, at: &At, place: &Json) -> Option<String> {
        if place.get("ns").is_none() && place.get("path").is_none() {
            return None;
        }
        let mut ns = place["ns"].as_str().unwrap_or("").to_owned();
        if let Some(names) = ns.strip_prefix('@') {
            ns = self.spaces[names].clone();
        }
        if place.get("path").is_some_and(|p| !list(p).is_empty()) {
            let mut level = self.built.graph.subgraphs(&At::thread(at.thread_name())).unwrap();
            for name in texts(&place["path"]) {
                let found = level.into_iter().find(|s| s.node == name).unwrap();
                (ns, level) = (found.ns, found.subgraphs);
            }
        }
        self.spaces.insert(String::new(), ns.clone());
        self.spaces.insert(names_of(&ns), ns.clone());
        Some(ns)
    }

    fn act(&mut self, action: &Json) -> Json {
        let at = self.at(action);
        let durability = match action["durability"].as_str() {
            Some("sync") => Durability::Sync,
            Some("exit") => Durability::Exit,
            _ => Durability::Async,
        };
        if let (Some(saver), true) = (&self.saver, durability != self.durability) {
            self.built.graph.attach(saver.clone(), durability);
            self.durability = durability;
        }
        self.seen.lock().unwrap().clear();
        self.written.lock().unwrap().clear();
        let mut out = self.done(&at, action).unwrap_or_else(|error| json!({"error": error_of(&error)}));
        let runs = self.world.runs.lock().unwrap();
        let runs: serde_json::Map<_, _> =
            runs.iter().filter(|(_, n)| **n > 0).map(|(k, n)| (k.clone(), json!(n))).collect();
        out["runs"] = Json::Object(runs);
        out
    }

    fn done(&mut self, at: &At, action: &Json) -> Result<Json, RunError> {
        let mut ns = self.enter(at, action);
        if action["at"].is_object() && ns.is_none() {
            ns = self.enter(at, &action["at"]);
        }
        let changes = matches!(text(&action["do"]), "update" | "copy");
        let place = ns.clone().filter(|_| changes).unwrap_or_default();
        let chans = if place.is_empty() { &self.built.chans } else { &self.built.inner[&names_of(&place)] }.clone();
        let write = |values: &Json| {
            let values: Vec<_> =
                values.as_object().into_iter().flatten().map(|(k, v)| (chans[k], value_of(v))).collect();
            move |input: &mut Input<'_>| values.into_iter().try_for_each(|(chan, value)| input.write(chan, value))
        };
        let graph = &mut self.built.graph;
        let node = |graph: &Compiled<World>, name: &str| {
            if place.is_empty() { graph.node_id(name) } else { graph.node_within(&place, name) }.unwrap()
        };
        let outcome: Outcome = match text(&action["do"]) {
            "invoke" => graph.invoke(&mut self.world, at, write(&action["input"]))?,
            "proceed" => graph.proceed(&mut self.world, at)?,
            "answer" => {
                let mut command = Command::new().answer(value_of(&action["value"]));
                if action.get("update").is_some() {
                    command = command.update(write(&action["update"]));
                }
                graph.command(&mut self.world, at, command)?
            }
            "answer_by" => {
                let asks = graph.state(at)?.unwrap().asks;
                let mut command = Command::new();
                for ask in asks {
                    if let Some(value) = action["values"].get(ask.value.as_str().unwrap()) {
                        command = command.answer_to(ask.id, value_of(value));
                    }
                }
                graph.command(&mut self.world, at, command)?
            }
            "command" => {
                let mut command = Command::new().update(write(&action["update"]));
                for to in texts(&action["goto"]) {
                    command = command.goto(node(graph, &to));
                }
                graph.command(&mut self.world, at, command)?
            }
            "state" => {
                let state = graph.state(at)?.unwrap();
                return Ok(shown(&self.built, &state));
            }
            "history" => {
                let all = graph.history(at, Query::default())?;
                return Ok(json!({"history": all.iter().map(|s| shown(&self.built, s)).collect::<Vec<_>>()}));
            }
            "subgraphs" => {
                let all = graph.subgraphs(at)?;
                return Ok(json!({"subgraphs": subgraphs_of(&self.built, &all)}));
            }
            "within" => {
                let ns = ns.unwrap();
                let state = graph.state_within(at, &ns)?.unwrap();
                let history = graph.history_within(at, &ns, Query::default())?;
                let history: Vec<Json> = history.iter().map(|s| shown_within(&self.built, &ns, s)).collect();
                return Ok(json!({"state": shown_within(&self.built, &ns, &state), "history": history}));
            }
            "update" => {
                let update = match action["as"].as_str() {
                    Some("START") => Update::of(START, write(&action["values"])),
                    Some("END") => Update::of(END, |_| Ok(())),
                    Some(name) => Update::of(node(graph, name), write(&action["values"])),
                    None => Update::of_last(write(&action["values"])),
                };
                let id = if place.is_empty() {
                    graph.update_state(at, update)?
                } else {
                    graph.update_within(at, &place, update)?
                };
                self.fork = Some((place, id));
                return Ok(json!({}));
            }
            "bulk" => {
                let one = |u: &Json| Update::of(node(graph, text(&u["as"])), write(&u["values"]));
                let steps = list(&action["steps"]).iter().map(|step| list(step).iter().map(one).collect()).collect();
                graph.bulk_update(at, steps)?;
                return Ok(json!({}));
            }
            "copy" => {
                let id = if place.is_empty() { graph.copy_checkpoint(at)? } else { graph.copy_within(at, &place)? };
                self.fork = Some((place, id));
                return Ok(json!({}));
            }
            other => panic!("{other}"),
        };
        let mut tasks: Vec<(i64, Vec<String>)> = Vec::new();
        for (step, node) in self.seen.lock().unwrap().iter() {
            match tasks.last_mut().filter(|(s, _)| s == step) {
                Some((_, names)) => names.push(node.clone()),
                None => tasks.push((*step, vec![node.clone()])),
            }
        }
        tasks.iter_mut().for_each(|(_, names)| names.sort());
        let mut values = values_of(&self.built);
        if matches!(outcome.end, End::Asked(_) | End::Before(_)) && self.saver.is_some() {
            // There a run that stops in a step returns what finished siblings wrote as well; here `state` does.
            let state = self.built.graph.state(&At::thread(at.thread_name()))?.unwrap();
            values = shown(&self.built, &state)["values"].clone();
        }
        let updates = std::mem::take(&mut *self.written.lock().unwrap());
        Ok(json!({"values": values, "tasks": tasks, "updates": updates}))
    }
}

fn check(id: &str, case: &Json, shared: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut run = match Case::new(&case["graph"], shared) {
        Ok(run) => run,
        // Accepted there; but then LangGraph, too, never ran it.
        Err(CompileError::NeverRuns { node }) => {
            let ran = list(&case["expected"]).iter().any(|e| e["runs"].get(&node).is_some());
            return ran.then(|| format!("{id}: `{node}` is said never to run")).into_iter().collect();
        }
        Err(other) => panic!("{other}"),
    };
    for (i, (action, expected)) in list(&case["actions"]).iter().zip(list(&case["expected"])).enumerate() {
        let found = run.act(action);
        let keys = expected.as_object().unwrap().keys().filter(|k| expected[*k] != found[*k]);
        // A run that shows no values there wrote nothing; here the channels can be asked all the same.
        for key in keys {
            wrong.push(format!(
                "{id} (shared: {shared}), action {i} {}: {key}\n  expected {}\n  found    {}",
                action["do"], expected[key], found[key]
            ));
        }
        if expected.get("error").is_none() && found.get("error").is_some() {
            wrong.push(format!("{id} (shared: {shared}), action {i} {}: {}", action["do"], found["error"]));
        }
    }
    wrong
}

pub(crate) fn cases() -> Vec<Json> {
    let all: Json = serde_json::from_str(include_str!("langgraph.json")).unwrap();
    list(&all["cases"]).to_vec()
}

#[test]
fn every_case_does_what_langgraph_does() {
    let cases = cases();
    assert!(cases.len() > 200, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let id = text(&case["id"]);
        for shared in [false, true] {
            let found = std::panic::catch_unwind(|| check(id, case, shared));
            wrong.extend(found.unwrap_or_else(|cause| {
                let why = cause.downcast_ref::<String>().cloned().unwrap_or_default();
                vec![format!("{id} (shared: {shared}): panicked: {why}")]
            }));
        }
    }
    let ids: BTreeSet<&str> = wrong.iter().map(|w| w.split(" (").next().unwrap()).collect();
    assert!(wrong.is_empty(), "{} of {} cases differ: {ids:?}\n{}", ids.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn every_public_test_that_is_run_here_is_in_the_page() {
    let page = include_str!("../../../../docs/langgraph.md");
    let cases = cases();
    let public: Vec<&str> = cases.iter().map(|c| text(&c["id"])).filter(|id| id.starts_with("test_")).collect();
    assert!(public.len() >= 28, "{}", public.len());
    let missing: Vec<_> = public.iter().filter(|id| !page.contains(&format!("`{id}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

fn check_id(id: &str) {
    let of_id = |case: &Json| text(&case["id"]).split(' ').next() == Some(id);
    let cases: Vec<Json> = cases().into_iter().filter(of_id).collect();
    assert!(!cases.is_empty(), "{id}");
    let one = |case: &Json| [false, true].map(|shared| check(text(&case["id"]), case, shared)).concat();
    let wrong: Vec<String> = cases.iter().flat_map(one).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One test for each behaviour of the conformance page that can be said as data; `conformance`, `policies`, `channels` and `full` have the rest.
macro_rules! behaviours {
    ($($name:ident $id:literal)*) => { $(
        #[test]
        fn $name() {
            check_id($id);
        }
    )* };
}

behaviours! {
    c01 "C01"
    c03 "C03"
    c05 "C05"
    c06 "C06"
    c07 "C07"
    c08 "C08"
    c09 "C09"
    c10 "C10"
    c11 "C11"
    c12 "C12"
    c13 "C13"
    c14 "C14"
    c15 "C15"
    c16 "C16"
    c17 "C17"
    c18 "C18"
    c19 "C19"
    c20 "C20"
    c21 "C21"
    c22 "C22"
    c23 "C23"
    c25 "C25"
    c26 "C26"
    c27 "C27"
    c28 "C28"
    c29 "C29"
    c30 "C30"
    c31 "C31"
    c32 "C32"
    c33 "C33"
    c34 "C34"
    c35 "C35"
    c36 "C36"
    c37 "C37"
    c38 "C38"
    c39 "C39"
    c40 "C40"
}

// LangGraph's public tests by their names: test_time_travel.py, test_interruption.py, test_pregel.py, test_large_cases.py.
behaviours! {
    test_multiple_forks_from_same_checkpoint "test_multiple_forks_from_same_checkpoint"
    test_replay_from_before_interrupt_refires "test_replay_from_before_interrupt_refires"
    test_replay_from_interrupt_checkpoint_refires "test_replay_from_interrupt_checkpoint_refires"
    test_replay_interrupt_stable_across_replays "test_replay_interrupt_stable_across_replays"
    test_fork_from_before_interrupt_refires "test_fork_from_before_interrupt_refires"
    test_fork_from_interrupt_checkpoint_refires "test_fork_from_interrupt_checkpoint_refires"
    test_sequential_interrupts_fork_from_middle "test_sequential_interrupts_fork_from_middle"
    test_multiple_interrupts_in_one_node "test_multiple_interrupts_in_one_node"
    test_subgraph_replay_from_before "test_subgraph_replay_from_before"
    test_subgraph_fork_from_before "test_subgraph_fork_from_before"
    test_subgraph_interrupt_replay_from_parent "test_subgraph_interrupt_replay_from_parent"
    test_subgraph_interrupt_fork_from_parent "test_subgraph_interrupt_fork_from_parent"
    test_subgraph_interrupt_replay_from_interrupt_checkpoint "test_subgraph_interrupt_replay_from_interrupt_checkpoint"
    test_subgraph_interrupt_fork_no_sub_checkpointer "test_subgraph_interrupt_fork_no_sub_checkpointer"
    test_subgraph_interrupt_fork_from_interrupt_checkpoint "test_subgraph_interrupt_fork_from_interrupt_checkpoint"
    test_subgraph_interrupt_full_flow_no_sub_checkpointer "test_subgraph_interrupt_full_flow_no_sub_checkpointer"
    test_copy_fork_retriggers_interrupt "test_copy_fork_retriggers_interrupt"
    test_copy_fork_creates_sibling_checkpoint "test_copy_fork_creates_sibling_checkpoint"
    test_update_state_with_none_values "test_update_state_with_none_values"
    test_stateful_subgraph_retains_state_on_parent_replay "test_stateful_subgraph_retains_state_on_parent_replay"
    test_stateful_subgraph_retains_state_on_parent_fork "test_stateful_subgraph_retains_state_on_parent_fork"
    test_stateless_subgraph_starts_fresh_on_parent_replay "test_stateless_subgraph_starts_fresh_on_parent_replay"
    test_interruption_without_state_updates "test_interruption_without_state_updates"
    test_simple_multi_edge "test_simple_multi_edge"
    test_interrupt_loop "test_interrupt_loop"
    test_run_from_checkpoint_id_retains_previous_writes "test_run_from_checkpoint_id_retains_previous_writes"
    test_nested_graph_interrupts_parallel "test_nested_graph_interrupts_parallel"
    test_dynamic_interrupt "test_dynamic_interrupt"
    test_nested_graph_state "test_nested_graph_state"
    test_doubly_nested_graph_state "test_doubly_nested_graph_state"
    test_get_state_with_subgraphs_returns_subgraph_state "test_get_state_with_subgraphs_returns_subgraph_state"
    states_of_subgraphs "subgraph"
    test_subgraph_interrupt_fork_from_subgraph_checkpoint "test_subgraph_interrupt_fork_from_subgraph_checkpoint"
    test_subgraph_interrupt_full_flow "test_subgraph_interrupt_full_flow"
    changes_of_namespaces "namespace"
}
