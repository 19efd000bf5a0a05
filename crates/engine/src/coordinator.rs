//! The coordinator: if a mandate limits the work of a decision, the strategies bid for it. Who is worth most for its work
//! runs; the others keep their last opinion, and the negotiation goes on record.
//!
//! Work is counted, not measured, and a bid rests on the market alone, so that a run decides the same on every machine, with
//! every block size and in every replay.

use crate::config::RunConfig;
use crate::desk::Desk;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{AgentId, Timestamp};
use tradegraph_graph::{Claim, Io, Node, NodeError, Offer, negotiate};
use tradegraph_market::{Bindings, FeatureId, View};

/// The work that the strategies of one decision may do together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComputeBudget {
    /// For one decision, in counted nanoseconds.
    pub cycle_ns: u64,
    /// What the agents of the mandate say.
    pub bids: Vec<AgentBid>,
}

/// An agent's side of the negotiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentBid {
    /// The agent.
    pub agent: AgentId,
    /// Its weight in the council, at 1e-9.
    pub weight_nano: i64,
    /// Work of an opinion about one instrument, in counted nanoseconds.
    pub cost_ns: u64,
    /// A higher one hears of the market first, and is served before any value.
    pub priority: i32,
}

impl AgentBid {
    /// Work of opinions about so many instruments.
    fn work(&self, n_instruments: usize) -> u64 {
        self.cost_ns.saturating_mul(n_instruments as u64)
    }
}

impl ComputeBudget {
    /// An agent that cannot run even if no agent of its own priority does, with the work that it would take.
    pub(crate) fn starves(&self, n_instruments: usize) -> Option<(AgentId, u64)> {
        let needed = |b: &AgentBid| {
            let first = self.bids.iter().filter(|x| x.priority > b.priority).map(|x| x.work(n_instruments));
            first.fold(b.work(n_instruments), u64::saturating_add)
        };
        self.bids.iter().map(|b| (b.agent, needed(b))).find(|(_, needed)| *needed > self.cycle_ns)
    }
}

/// What an agent claimed in one decision, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AgentClaim {
    /// The agent.
    pub agent: AgentId,
    /// Its weight times the mean move of all prices a decision since it last ran, in basis points.
    pub value: f64,
    /// Work of all its opinions, in counted nanoseconds.
    pub cost_ns: u64,
    /// Decisions in which it stood back since it last ran.
    pub missed: u32,
    /// Its priority.
    pub priority: i32,
    /// Its place, from 1.
    pub rank: u32,
    /// Whether it ran.
    pub runs: bool,
    /// Work that was left when its turn came, in counted nanoseconds.
    pub left_ns: u64,
}

/// A decision for which not every strategy could run.
#[derive(Clone, Debug, PartialEq)]
pub struct Negotiation {
    /// The event that decided.
    pub seq: u64,
    /// When.
    pub ts: Timestamp,
    /// Work to be shared, in counted nanoseconds.
    pub budget_ns: u64,
    /// By agent.
    pub claims: Vec<AgentClaim>,
}

impl Negotiation {
    /// One sentence an agent, in the order in which they were served.
    #[must_use]
    pub fn explain(&self, name: impl Fn(AgentId) -> String) -> Vec<String> {
        let mut claims: Vec<&AgentClaim> = self.claims.iter().collect();
        claims.sort_by_key(|c| c.rank);
        let one = |c: &&AgentClaim| {
            let verb = if c.runs { "ran" } else { "stood back" };
            let first = if c.priority == 0 { String::new() } else { format!("priority {}, ", c.priority) };
            let missed = match c.missed {
                0 => String::new(),
                1 => ", 1 decision missed".to_owned(),
                n => format!(", {n} decisions missed"),
            };
            let (cost, left) = (work(c.cost_ns), work(c.left_ns));
            format!("{} {verb}: {first}worth {:.2} bp for {cost}{missed}; {left} was left", name(c.agent), c.value)
        };
        claims.iter().map(one).collect()
    }

    /// The agents that kept an older opinion.
    pub fn stood_back(&self) -> impl Iterator<Item = AgentId> {
        self.claims.iter().filter(|c| !c.runs).map(|c| c.agent)
    }

    /// Whether this agent kept an older opinion.
    #[must_use]
    pub fn waits(&self, agent: AgentId) -> bool {
        self.stood_back().any(|a| a == agent)
    }
}

/// Counted work in the unit that suits it.
fn work(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} µs", ns as f64 / 1e3),
        _ => format!("{} ms", ns as f64 / 1e6),
    }
}

/// A move of all prices that is worth a first opinion: what an agent that never had one has missed, in basis points.
const NEVER_RAN: f64 = 10_000.0;

#[derive(Debug)]
struct Member {
    bid: AgentBid,
    /// Work of all its opinions.
    cost_ns: u64,
    /// Mean moves of all prices since it last ran, summed, in basis points.
    moved: f64,
    missed: u32,
}

/// The node of the market data ingestor: what is new reaches the strategies by their priority, as far as the work allows.
#[derive(Debug, Default)]
pub(crate) struct Ingestor {
    coordinator: Option<Coordinator>,
}

#[derive(Debug)]
struct Coordinator {
    budget_ns: u64,
    members: Vec<Member>,
    /// The column of closes of each feed.
    closes: Vec<FeatureId>,
    /// Each feed's closes at the last decision, one feed after the other; 0 for none.
    last: Vec<f64>,
    n_instruments: usize,
}

impl Ingestor {
    /// Without a budget every strategy runs.
    pub(crate) fn new(config: &RunConfig, bindings: &Bindings) -> Self {
        let coordinator = config.compute.as_ref().map(|budget| {
            let n_instruments = config.universe.len();
            let closes: Vec<_> = config.closes().iter().filter_map(|spec| bindings.find(spec)).collect();
            let member =
                |bid: &AgentBid| Member { bid: *bid, cost_ns: bid.work(n_instruments), moved: NEVER_RAN, missed: 0 };
            let lives = |bid: &&AgentBid| config.agents.iter().any(|a| a.id() == bid.agent);
            let members = budget.bids.iter().filter(lives).map(member).collect();
            let last = vec![0.0; closes.len() * n_instruments];
            Coordinator { budget_ns: budget.cycle_ns, members, closes, last, n_instruments }
        });
        Ingestor { coordinator }
    }
}

impl Coordinator {
    /// The mean of the absolute moves of all prices since the last decision, in basis points; no price counts for more than
    /// its double. 0 if no price is known at both.
    fn moved(&mut self, view: &View<'_>) -> f64 {
        let (mut sum, mut n) = (0.0, 0_u32);
        let rows = self.last.chunks_exact_mut(self.n_instruments.max(1));
        for (id, last) in self.closes.iter().zip(rows) {
            let closes = view.feature(*id);
            for (i, last) in last.iter_mut().enumerate() {
                let Ok(now) = closes.get(i) else { continue };
                if *last > 0.0 && now > 0.0 {
                    sum += (now / *last - 1.0).abs().min(1.0);
                    n += 1;
                }
                *last = now;
            }
        }
        if n == 0 { 0.0 } else { sum / f64::from(n) * 1e4 }
    }

    /// Shares the work of one decision; `None` if there is enough for all.
    fn share(&mut self, moved: f64) -> Option<Vec<AgentClaim>> {
        for m in &mut self.members {
            m.moved += moved;
        }
        let offer = |m: &Member| {
            // What was missed adds the value once more each: the mean a decision makes all of them the whole move.
            let value = m.bid.weight_nano as f64 / 1e9 * m.moved / (f64::from(m.missed) + 1.0);
            // Agents of equal worth are served in the order of their ids.
            let node = format!("{:05}", m.bid.agent.0);
            Offer { node, value, cost_ns: m.cost_ns, missed: m.missed, priority: m.bid.priority }
        };
        let offers = self.members.iter().map(offer).collect();
        let decision = negotiate(0, 0, self.budget_ns, offers);
        let mut claims = Vec::with_capacity(self.members.len());
        for (m, Claim { offer, rank, runs, left_ns }) in self.members.iter_mut().zip(decision.claims) {
            let Offer { value, cost_ns, missed, priority, .. } = offer;
            claims.push(AgentClaim {
                agent: m.bid.agent,
                value,
                cost_ns,
                missed,
                priority,
                rank: rank as u32,
                runs,
                left_ns,
            });
            (m.moved, m.missed) = if runs { (0.0, 0) } else { (m.moved, m.missed.saturating_add(1)) };
        }
        claims.iter().any(|c| !c.runs).then_some(claims)
    }
}

impl Node<Desk> for Ingestor {
    fn run(&mut self, desk: &mut Desk, _io: &mut Io<'_>) -> Result<(), NodeError> {
        let Some(coordinator) = &mut self.coordinator else { return Ok(()) };
        let n_feeds = desk.present.len();
        desk.points.shared.clear();
        for (k, ts) in desk.points.ts.iter().enumerate() {
            let ahead = desk.points.ahead.get(k * n_feeds..(k + 1) * n_feeds).unwrap_or_default();
            let moved = coordinator.moved(&desk.panel.view(*ts, ahead));
            let (seq, ts, budget_ns) = (0, *ts, coordinator.budget_ns);
            let shared = coordinator.share(moved).map(|claims| Negotiation { seq, ts, budget_ns, claims });
            desk.points.shared.push(shared);
        }
        Ok(())
    }

    fn save(&self, to: &mut Encoder) {
        let Some(c) = &self.coordinator else { return };
        to.f64s(&c.last);
        for m in &c.members {
            to.f64(m.moved);
            to.u32(m.missed);
        }
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let Some(c) = &mut self.coordinator else { return Ok(()) };
        from.f64s_into(&mut c.last)?;
        for m in &mut c.members {
            m.moved = from.f64("move")?;
            m.missed = from.u32("missed")?;
        }
        Ok(())
    }
}
