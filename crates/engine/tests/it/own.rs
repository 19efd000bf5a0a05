//! Agents of one's own: any number of them, with a state of their own.

use crate::engine::{AgentConfig, Key, Misfit, OwnAgent, OwnConfig, RunConfig, Setup, StateError, build_agents};
use crate::fixture::{Walk, config, run, staged};
use tradegraph_agents::{AGENTS, Agent};
use tradegraph_columns::Status;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{AgentId, FeedId, ModelVersion, SignalColumn};
use tradegraph_engine::records::Record;
use tradegraph_market::{Bindings, FeatureId, FeatureKind, FeatureSpec, View};
use tradegraph_portfolio::Role;

/// Keeps a side until the drift has been on the other one for a while.
struct Stubborn {
    id: AgentId,
    needs: [FeatureSpec; 1],
    column: Option<FeatureId>,
    side: Vec<f64>,
}

impl Agent for Stubborn {
    fn id(&self) -> AgentId {
        self.id
    }
    fn version(&self) -> ModelVersion {
        ModelVersion(1)
    }
    fn needs(&self) -> &[FeatureSpec] {
        &self.needs
    }
    fn factors(&self) -> &[&'static str] {
        &["side"]
    }
    fn bind(&mut self, bindings: &Bindings) {
        self.column = bindings.find(&self.needs[0]);
    }
    fn decide(&mut self, view: &View<'_>, out: &mut SignalColumn<'_>) {
        let Some(column) = self.column else { return out.clear(Status::NoData) };
        let drift = view.feature(column);
        for (i, side) in self.side.iter_mut().enumerate() {
            match drift.get(i) {
                Ok(x) => {
                    *side = (0.75 * *side + 0.25 * x.signum()).clamp(-1.0, 1.0);
                    out.set(i, &[*side], 1.0);
                }
                Err(why) => out.set_none(i, why),
            }
        }
    }
    fn explain(&self, _: usize, _: &[Option<f64>]) -> String {
        "it keeps its side".to_owned()
    }
    fn save(&self, to: &mut Encoder) {
        to.f64s(&self.side);
    }
    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        from.f64s_into(&mut self.side)
    }
}

fn build(setup: &Setup<'_>) -> Result<Box<dyn Agent>, Misfit> {
    let kind = FeatureKind::Momentum { n: setup.whole("n")?, skip: 0 };
    let needs = [FeatureSpec { kind, feed: setup.feed }];
    Ok(Box::new(Stubborn { id: setup.id, needs, column: None, side: vec![0.0; setup.n_instruments] }))
}

const KEYS: &[Key] = &[Key { name: "n", default: 3.0, least: 1.0, most: 50.0, whole: true }];
const NODES: [&str; 24] = [
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w",
    "x",
];

fn own(place: usize) -> AgentConfig {
    let agent = OwnAgent { node: NODES[place], about: "stubborn", role: Role::Trend, keys: KEYS, build };
    AgentConfig::Own(OwnConfig::new(place, agent, FeedId(0), vec![1.0 + place as f64]))
}

fn many() -> RunConfig {
    let c = config(vec![Walk { rows: 120, missing: 50, ..Walk::default() }.batch()]);
    let mut allocator = staged(30, 90, 1, false);
    if let tradegraph_engine::AllocatorConfig::Fusion { parameters, .. } = &mut allocator {
        parameters.weights_nano = vec![300_000_000; AGENTS.len() + NODES.len()];
    }
    let agents = [crate::fixture::momentum(0)].into_iter().chain((0..NODES.len()).map(own)).collect();
    RunConfig { agents, allocator, snapshot_rows: 13, block_rows: Some(7), ..c }
}

/// More than the council's own seven and more than fit on the stack; each is asked, on record, and goes through snapshots.
#[test]
fn any_number_of_own_agents_takes_part_and_resumes() {
    let c = many();
    assert_eq!(c.n_agents(), AGENTS.len() + 24);
    assert_eq!(c.node(AgentId(AGENTS.len() as u16 + 23)), Some("x"));
    assert_eq!((c.node(AgentId(1)), c.node(AgentId(99))), (Some("momentum_trader"), None));
    crate::resume::check_every_snapshot("own agents", &c);
    let (_, journal) = run(&c);
    let mut seen = std::collections::BTreeSet::new();
    for group in &journal.groups {
        for record in tradegraph_engine::records::decode(&group.records).unwrap() {
            if let Record::Decision(d) = record {
                assert!(d.waterfall.balances());
                seen.extend(d.waterfall.base.iter().map(|b| usize::from(b.agent.0)));
            }
        }
    }
    assert!((AGENTS.len()..c.n_agents()).all(|id| seen.contains(&id)), "{seen:?}");
}

/// Panics at its hundredth decision, half-way through its opinions.
struct Broken(Stubborn, u32);

impl Agent for Broken {
    fn id(&self) -> AgentId {
        self.0.id
    }
    fn version(&self) -> ModelVersion {
        ModelVersion(1)
    }
    fn needs(&self) -> &[FeatureSpec] {
        &self.0.needs
    }
    fn factors(&self) -> &[&'static str] {
        &["side"]
    }
    fn bind(&mut self, bindings: &Bindings) {
        self.0.bind(bindings);
    }
    fn decide(&mut self, view: &View<'_>, out: &mut SignalColumn<'_>) {
        self.0.decide(view, out);
        self.1 += 1;
        assert!(self.1 < 100, "decision {} is one too many", self.1);
    }
    fn explain(&self, _: usize, _: &[Option<f64>]) -> String {
        "it breaks".to_owned()
    }
    fn save(&self, to: &mut Encoder) {
        self.0.save(to);
        to.u32(self.1);
    }
    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.0.load(from)?;
        self.1 = from.u32("decisions")?;
        Ok(())
    }
}

fn build_broken(setup: &Setup<'_>) -> Result<Box<dyn Agent>, Misfit> {
    let kind = FeatureKind::Momentum { n: setup.whole("n")?, skip: 0 };
    let needs = [FeatureSpec { kind, feed: setup.feed }];
    Ok(Box::new(Broken(Stubborn { id: setup.id, needs, column: None, side: vec![0.0; setup.n_instruments] }, 0)))
}

/// The cycle finishes without it, on every road and after every restart; the journal says when and why it stopped.
#[test]
fn an_agent_that_panics_is_out_of_service_and_the_council_goes_on() {
    let mut c = many();
    c.feeds = config(vec![Walk { rows: 300, missing: 50, ..Walk::default() }.batch()]).feeds;
    let Some(AgentConfig::Own(broken)) = c.agents.last_mut() else { panic!("no own agent") };
    (broken.agent.build, broken.values) = (build_broken, vec![3.0]);
    let id = AgentId(AGENTS.len() as u16 + 23);
    crate::resume::check_every_snapshot("a broken agent", &c);
    let (outcome, journal) = run(&c);
    for block_rows in [Some(1), Some(64), None] {
        let (again, _) = run(&RunConfig { block_rows, ..c.clone() });
        assert_eq!((again.state_hash, again.rolling), (outcome.state_hash, outcome.rolling), "{block_rows:?}");
    }
    let hundredth = c.feeds[0].interval(99).end;
    let (mut stopped, mut after) = (0, 0);
    for record in journal.records() {
        match record {
            Record::AgentStopped { ts, agent, what, .. } => {
                assert_eq!((ts, agent, what.as_str()), (hundredth, id, "decision 100 is one too many"));
                stopped += 1;
            }
            Record::Decision(d) => {
                let spoke = d.waterfall.base.iter().any(|b| b.agent == id);
                assert!(!spoke || d.ts < hundredth, "it spoke at {}", d.ts);
                after += u32::from(d.ts > hundredth);
            }
            _ => {}
        }
    }
    assert_eq!(stopped, 1);
    assert!(after > 20, "{after} decisions after it stopped");
}

#[test]
fn an_own_agent_that_cannot_be_made_stops_the_run_before_it_begins() {
    let mut c = many();
    let Some(AgentConfig::Own(last)) = c.agents.last_mut() else { panic!("no own agent") };
    last.values = vec![1.5];
    assert_eq!(build_agents(&c).err().unwrap().to_string(), "agents.x: 'n' must be a whole number from 0 to 65535");
    assert!(matches!(tradegraph_engine::State::new(&c), Err(StateError::Agent(_))));
}
