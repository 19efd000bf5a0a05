//! Random graphs with random writes against a naive interpreter of the same rules, on sets of names.

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tradegraph_graph::{Chan, Channel, CompileError, Compiled, END, GraphBuilder, Limits, RunError, START};

/// Not in byte order, so that ranks differ from the order of description.
const POOL: [&str; 8] = ["b", "10", "B", "9", "a", "z", "Zed", "a1"];
const LIMIT: u32 = 9;

#[derive(Clone, Debug)]
struct Spec {
    /// Of each node: an earlier node or START, so that every node can be reached.
    parents: Vec<Option<usize>>,
    /// Whether the parent's route leads to it, or an edge.
    routed: Vec<bool>,
    edges: Vec<(usize, usize)>,
    joins: Vec<(BTreeSet<usize>, usize)>,
    /// Appends to the list, and whether it writes the scalar.
    writes: Vec<(usize, bool)>,
    salt: usize,
    once: usize,
}

fn specs() -> impl Strategy<Value = Spec> {
    (1..=POOL.len()).prop_flat_map(|n| {
        let parents: Vec<_> = (0..n).map(|i| prop::option::weighted(0.8, 0..i.max(1))).collect();
        (
            parents,
            prop::collection::vec(prop::bool::weighted(0.4), n),
            prop::collection::vec((0..n, 0..n), 0..4),
            prop::collection::vec((prop::collection::btree_set(0..n, 1..4), 0..n), 0..3),
            prop::collection::vec((0..3_usize, prop::bool::weighted(0.25)), n),
            0..50_usize,
            0..n,
        )
            .prop_map(|(mut parents, routed, edges, joins, writes, salt, once)| {
                parents[0] = None;
                Spec { parents, routed, edges, joins, writes, salt, once }
            })
    })
}

impl Spec {
    /// Targets of the route after a node, or after START; none is END, which is an option of every route.
    fn options(&self, from: Option<usize>) -> Vec<Option<usize>> {
        let children = (0..self.parents.len()).filter(|i| self.routed[*i] && self.parents[*i] == from);
        let mut options: Vec<Option<usize>> = children.map(Some).collect();
        if !options.is_empty() {
            options.push(None);
        }
        options
    }

    fn plain(&self, from: Option<usize>) -> BTreeSet<usize> {
        let own = (0..self.parents.len()).filter(|i| !self.routed[*i] && self.parents[*i] == from);
        let extra = self.edges.iter().filter(|(f, _)| Some(*f) == from).map(|(_, to)| *to);
        own.chain(extra).collect()
    }

    fn choice(&self, list: &[String], scalar: usize, options: usize) -> usize {
        (self.salt + list.len() * 7 + scalar) % options
    }

    fn graph(&self, once: bool, full: bool) -> Result<Random, CompileError> {
        let mut g = GraphBuilder::<()>::new("random");
        let list = g.channel("list", Channel::reduce(Vec::new(), |all: &mut Vec<String>, one| all.push(one)));
        let scalar = g.channel("scalar", Channel::last(0_usize));
        let ids: Vec<_> = self
            .writes
            .iter()
            .zip(POOL)
            .map(|((appends, sets), name)| {
                let (appends, sets) = (*appends, *sets);
                g.node_fn(name, move |(), io| {
                    let seen = io.get(list)?.len();
                    for i in 0..appends {
                        io.write(list, format!("{name}.{i}@{seen}"))?;
                    }
                    let before = *io.get(scalar)?;
                    if sets { Ok(io.write(scalar, before + name.len() + seen)?) } else { Ok(()) }
                })
            })
            .collect();
        for from in std::iter::once(None).chain((0..ids.len()).map(Some)) {
            let id = from.map_or(START, |f: usize| ids[f]);
            for to in self.plain(from) {
                g.edge(id, ids[to]);
            }
            let options: Vec<_> =
                self.options(from).into_iter().map(|o| o.map_or(("end", END), |to| (POOL[to], ids[to]))).collect();
            if !options.is_empty() {
                let (spec, n) = (self.clone(), options.len());
                g.route(id, &options, move |s| Ok(spec.choice(s.get(list)?, *s.get(scalar)?, n)));
            }
        }
        for (members, to) in &self.joins {
            let members: Vec<_> = members.iter().map(|m| ids[*m]).collect();
            g.join(&members, ids[*to]);
        }
        if full {
            g.observed();
        }
        if once {
            g.node_mut(ids[self.once]).once();
        }
        Ok(Random { graph: g.compile(Limits { recursion: LIMIT })?, list, scalar })
    }
}

struct Random {
    graph: Compiled<()>,
    list: crate::List,
    scalar: Chan<usize>,
}

#[derive(Debug, PartialEq)]
enum End {
    Done { steps: u32, nodes_run: u32 },
    Conflict(Vec<String>),
    Limit(Vec<String>),
}

struct Naive {
    end: End,
    list: Vec<String>,
    scalar: usize,
    runs: BTreeMap<usize, u32>,
}

fn interpret(spec: &Spec) -> Naive {
    let names = |set: &BTreeMap<&str, usize>| set.keys().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let by_name = |set: BTreeSet<usize>| set.into_iter().map(|i| (POOL[i], i)).collect::<BTreeMap<_, _>>();
    let joins: BTreeSet<(BTreeSet<usize>, usize)> = spec.joins.iter().cloned().collect();
    let mut arrived: BTreeMap<(BTreeSet<usize>, usize), BTreeSet<usize>> = BTreeMap::new();
    let mut out = Naive { end: End::Limit(vec![]), list: vec![], scalar: 0, runs: BTreeMap::new() };
    let mut first = spec.plain(None);
    let options = spec.options(None);
    if !options.is_empty() {
        first.extend(options[spec.choice(&[], 0, options.len())]);
    }
    let mut frontier = by_name(first);
    let mut steps = 0;
    loop {
        if steps == LIMIT {
            out.end = End::Limit(names(&frontier));
            return out;
        }
        if frontier.is_empty() {
            out.end = End::Done { steps, nodes_run: out.runs.values().sum() };
            return out;
        }
        let (mut appended, mut setters, mut scalar, mut next) = (vec![], vec![], out.scalar, BTreeSet::new());
        for (name, node) in &frontier {
            *out.runs.entry(*node).or_default() += 1;
            let (appends, sets) = spec.writes[*node];
            let own: Vec<String> = (0..appends).map(|i| format!("{name}.{i}@{}", out.list.len())).collect();
            let own_scalar = if sets { out.scalar + name.len() + out.list.len() } else { out.scalar };
            if sets {
                setters.push((*name).to_owned());
                scalar = own_scalar;
            }
            next.extend(spec.plain(Some(*node)));
            for join in joins.iter().filter(|(members, _)| members.contains(node)) {
                arrived.entry(join.clone()).or_default().insert(*node);
            }
            let options = spec.options(Some(*node));
            if !options.is_empty() {
                let seen: Vec<String> = out.list.iter().chain(&own).cloned().collect();
                next.extend(options[spec.choice(&seen, own_scalar, options.len())]);
            }
            appended.extend(own);
        }
        if setters.len() > 1 {
            out.end = End::Conflict(setters);
            return out;
        }
        (out.list, out.scalar) = (out.list.into_iter().chain(appended).collect(), scalar);
        arrived.retain(|(members, to), seen| {
            let full = seen == members;
            if full {
                next.insert(*to);
            }
            !full
        });
        frontier = by_name(next);
        steps += 1;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_graphs_agree_with_a_naive_interpreter(spec in specs()) {
        let naive = interpret(&spec);
        // Plain steps and full ones, each twice: nothing of the first run may be left in frontier or joins.
        for full in [false, true] {
        let Random { mut graph, list, scalar } = spec.graph(false, full).unwrap();
        for _ in 0..2 {
            graph.reset();
            let end = match graph.run(&mut ()) {
                Ok(stats) => End::Done { steps: stats.steps, nodes_run: stats.nodes_run },
                Err(RunError::Conflict { nodes, .. }) => End::Conflict(nodes),
                Err(RunError::RecursionLimit { pending, .. }) => End::Limit(pending),
                Err(other) => panic!("{other}"),
            };
            prop_assert_eq!(&end, &naive.end);
            prop_assert_eq!((graph.get(list), graph.get(scalar)), (Ok(&naive.list), Ok(&naive.scalar)));
        }
        }
    }

    /// Accepted as `once`: the naive run runs it at most once. Refused: the shown run has it twice.
    #[test]
    fn what_is_accepted_as_once_runs_once(spec in specs()) {
        let name = POOL[spec.once];
        match spec.graph(true, false) {
            Ok(_) => prop_assert!(interpret(&spec).runs.get(&spec.once).copied().unwrap_or(0) <= 1),
            Err(CompileError::RunsTwice { node, steps }) => {
                prop_assert_eq!(&node, name);
                prop_assert_eq!(steps.iter().filter(|s| s.contains(&node)).count(), 2);
            }
            Err(other) => panic!("{other}"),
        }
    }
}
