//! The council: its nodes, and one for each own agent, wired as a state graph over the desk.
//!
//! The part before the allocator depends on the market alone and runs once for a block of decisions; the part from
//! the allocator on depends on the account and is resumed for each decision.

use crate::config::{AllocatorConfig, RecordLevel, RunConfig};
use crate::coordinator::Ingestor;
use crate::desk::{Allocator, Desk};
use crate::records::{Evidence, put_decision, put_regime};
use smallvec::SmallVec;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tradegraph_agents::Agent;
use tradegraph_columns::Status;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_controls::{Approved, TargetCut};
use tradegraph_domain::{
    AgentId, InstrumentId, Lots, Order, OrderKind, Price, Quantity, Refusal, Side, Step, TimeInForce, WaterfallUnit,
};
use tradegraph_graph::{
    Channel, Choice, CompileError, Compiled, GraphBuilder, Io, Limits, Node, NodeError, NodeId, Paused, RunError, START,
};
use tradegraph_market::Bindings;
use tradegraph_portfolio::{Decision, size_in_lots};

/// Where a cycle goes after the allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// Nothing is to change.
    Learn,
    /// Every change reduces exposure.
    Execute,
    /// Something adds risk.
    RiskCheck,
}

impl From<Route> for Choice {
    fn from(r: Route) -> Choice {
        Choice::Label(match r {
            Route::Learn => "learn",
            Route::Execute => "execute",
            Route::RiskCheck => "risk_check",
        })
    }
}

/// The compiled council.
pub(crate) struct Council {
    graph: Compiled<Desk>,
    allocator: NodeId,
    paused: Option<Paused>,
}

impl std::fmt::Debug for Council {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Council").field("nodes", &self.graph.nodes().collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

/// A strategy's node.
struct AgentNode {
    agent: Box<dyn Agent>,
    /// Its place in the signal book.
    row: usize,
    /// Whether it panicked: what it keeps may be half-way, so it is not asked again.
    stopped: bool,
}

/// What a panic said.
fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
    text.unwrap_or("it did not say why").chars().take(1_000).collect()
}

impl Node<Desk> for AgentNode {
    fn run(&mut self, desk: &mut Desk, _io: &mut Io<'_>) -> Result<(), NodeError> {
        let n_feeds = desk.present.len();
        let points = desk.points.ts.len();
        if desk.points.row_by_row
            && desk.points.shared.is_empty()
            && let Some(rule) = self.agent.cellwise()
            && let Some(mut out) = desk.signals.rows_mut(self.row, points)
        {
            rule.evaluate(|id| desk.panel.ahead(id, points), &mut out);
            return Ok(());
        }
        for (k, ts) in desk.points.ts.iter().enumerate() {
            if desk.points.waits(k, self.agent.id()) {
                desk.signals.keep(self.row, k + 1);
                continue;
            }
            let ahead = &desk.points.ahead[k * n_feeds..(k + 1) * n_feeds];
            let view = desk.panel.view(*ts, ahead);
            let mut out = desk.signals.row_mut(self.row, k + 1);
            if !self.stopped {
                // Decision by decision: where it panics does not depend on the block.
                let asked = catch_unwind(AssertUnwindSafe(|| self.agent.decide(&view, &mut out)));
                let Err(payload) = asked else { continue };
                self.stopped = true;
                desk.points.stopped.push((k, self.agent.id(), panic_text(payload.as_ref())));
            }
            out.clear(Status::NoData);
        }
        Ok(())
    }

    fn save(&self, to: &mut Encoder) {
        self.agent.save(to);
        if self.stopped {
            to.bool(true);
        }
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.agent.load(from)?;
        self.stopped = from.left() > 0 && from.bool("agent out of service")?;
        Ok(())
    }
}

impl Council {
    /// Wires and compiles the council. With the direct allocator it holds live nodes only.
    pub(crate) fn new(
        config: &RunConfig,
        agents: Vec<Box<dyn Agent>>,
        bindings: &Bindings,
    ) -> Result<Self, CompileError> {
        let direct = matches!(config.allocator, AllocatorConfig::Direct { .. });
        let mut g = GraphBuilder::<Desk>::new("council");
        let route = g.channel("route", Channel::last(Route::Learn));
        let panel = g.channel::<(), ()>("market", Channel::external());
        let signals = g.channel::<(), ()>("signals", Channel::rows());
        let targets = g.channel::<(), ()>("targets", Channel::external());
        let books = g.channel::<(), ()>("books", Channel::external());

        let ingest = g.node("market_data_ingestor", Ingestor::new(config, bindings));
        g.node_mut(ingest).once().writes(&[panel.id()]);
        g.edge(START, ingest);

        let mut strategies = Vec::new();
        for (row, agent) in agents.into_iter().enumerate() {
            let Some(name) = config.node(agent.id()) else { continue };
            let live = config.agents.iter().any(|a| a.id() == agent.id());
            if name == "rule" && !live {
                continue; // the council of eleven has a rule agent only if the mandate does
            }
            let id = g.node(name, AgentNode { agent, row, stopped: false });
            let node = g.node_mut(id).once().reads(&[panel.id()]).writes(&[signals.id()]);
            if direct && !live {
                node.disabled();
            }
            strategies.push((name, id));
        }
        let find = |name: &str| strategies.iter().find(|(n, _)| *n == name).map(|(_, id)| *id);
        let sentiment = find("sentiment_analyzer");
        for (name, id) in &strategies {
            match (*name, sentiment) {
                ("momentum_trader", Some(sentiment)) => g.join(&[ingest, sentiment], *id),
                ("short_seller", Some(sentiment)) => g.join(&[sentiment], *id),
                _ => g.edge(ingest, *id),
            };
        }

        let allocator = g.node_fn("portfolio_allocator", move |desk: &mut Desk, io: &mut Io<'_>| {
            Ok(io.write(route, allocate(desk))?)
        });
        g.node_mut(allocator).once().reads(&[panel.id(), signals.id(), books.id()]).writes(&[route.id(), targets.id()]);
        let risk = g.node_fn("risk_manager", |desk: &mut Desk, _: &mut Io<'_>| {
            cut_targets(desk);
            Ok(())
        });
        g.node_mut(risk).once().fail_closed().reads(&[targets.id(), books.id()]).writes(&[targets.id()]);
        let execution = g.node_fn("execution_engine", |desk: &mut Desk, _: &mut Io<'_>| {
            execute(desk);
            Ok(())
        });
        g.node_mut(execution).once().fail_closed().reads(&[targets.id(), panel.id()]).writes(&[books.id()]);
        let learning = g.node_fn("learning_optimizer", |desk: &mut Desk, _: &mut Io<'_>| {
            learn(desk);
            Ok(())
        });
        let node = g.node_mut(learning).once().reads(&[signals.id(), panel.id()]);
        if direct {
            // A fixed quantity has no target to cut and no weight to learn; every order still passes the gate.
            node.disabled();
            g.node_mut(risk).disabled();
        }
        let members: Vec<NodeId> = strategies.iter().map(|(_, id)| *id).collect();
        g.join(&members, allocator);
        let options = [("learn", learning), ("execute", execution), ("risk_check", risk)];
        g.route(allocator, &options, move |state| Ok(*state.get(route)?));
        g.edge(risk, execution).edge(execution, learning).breakpoint(allocator);
        let graph = g.compile(Limits::default())?;
        Ok(Council { graph, allocator, paused: None })
    }

    /// Runs the market part for the desk's block of decisions.
    pub(crate) fn prepare(&mut self, desk: &mut Desk) -> Result<(), RunError> {
        self.paused = Some(self.graph.run_until(desk, self.allocator)?);
        Ok(())
    }

    /// Runs the account part for one decision.
    #[inline]
    pub(crate) fn decide(&mut self, desk: &mut Desk) -> Result<(), RunError> {
        match &self.paused {
            Some(paused) => self.graph.resume(desk, paused).map(|_| ()),
            None => Ok(()),
        }
    }

    /// The council as a Mermaid drawing.
    pub(crate) fn mermaid(&self) -> String {
        self.graph.mermaid()
    }

    /// The council as a picture.
    pub(crate) fn svg(&self) -> String {
        self.graph.svg()
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        self.graph.save(to);
    }

    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), tradegraph_graph::LoadError> {
        self.paused = None;
        self.graph.load(from)
    }
}

/// What became known since the last decision: each opinion is judged and paid by it, and the regime follows the market.
fn observe(desk: &mut Desk) {
    let Allocator::Fusion(allocator) = &mut desk.allocator else { return };
    let panel = &desk.panel;
    desk.moves.update(|i| panel.last(InstrumentId(i as u32)).map_or(0, |(p, _)| p.nano()));
    let returns = desk.moves.returns_nano();
    for (agent, asked) in allocator.asked() {
        desk.scoreboard.judge(agent, asked, returns);
        desk.results.pay(agent, asked, returns);
    }
    desk.results.open(desk.books.nav().ok());
    for (at, score) in (0_u16..).zip(desk.scoreboard.scores()) {
        allocator.set_reliability(AgentId(at), score.reliability_nano());
    }
    if let Some(mean) = desk.moves.mean()
        && allocator.observe_market(mean)
        && desk.record >= RecordLevel::Outcomes
    {
        put_regime(&mut desk.out.records, desk.seq.0, desk.ts, allocator.regime());
    }
}

fn allocate(desk: &mut Desk) -> Route {
    observe(desk);
    let mut decisions = std::mem::take(&mut desk.decisions);
    // The allocator is taken out while it reads the rest of the desk.
    let k = desk.points.at + 1;
    // An agent without factors has no opinion about anything. On the stack up to 16 agents.
    let signals: SmallVec<[_; 16]> = desk.signals.live().iter().map(|at| desk.signals.row(*at, k)).collect();
    let signals = signals.as_slice();
    let missing = match &mut desk.allocator {
        Allocator::Direct(a) => a.decide(signals, &desk.panel, &desk.books, &mut decisions),
        Allocator::Fusion(a) => {
            let view = desk.panel.view(desk.ts, &desk.present);
            u64::from(a.decide(signals, &desk.panel, &view, &desk.books, &mut decisions).is_err())
        }
    };
    desk.counts.unpriced += missing;
    let all = decisions.as_slice();
    let direct = matches!(desk.allocator, Allocator::Direct(_));
    let route = if all.is_empty() {
        Route::Learn
    } else if direct || all.iter().all(|d| d.reduces()) {
        Route::Execute
    } else {
        Route::RiskCheck
    };
    desk.decisions = decisions;
    route
}

/// The risk manager: caps each target, then all together.
fn cut_targets(desk: &mut Desk) {
    let Allocator::Fusion(fusion) = &desk.allocator else { return };
    let all = desk.decisions.as_mut_slice();
    let held: i128 = fusion.current().iter().map(|c| i128::from(c.unsigned_abs())).sum();
    let changing: i128 = all.iter().map(|d| i128::from(d.current.unsigned_abs())).sum();
    let cuts = &mut desk.cuts;
    cuts.clear();
    for d in all.iter_mut() {
        let capped = desk.caps.cut_position(d.waterfall.last);
        d.waterfall.step_to(Step::RiskPosition, capped);
        cuts.push(TargetCut { current: d.current, target: capped });
    }
    desk.caps.cut_gross(held - changing, cuts, |k, after| all[k].waterfall.step_to(Step::RiskGross, after));
}

/// The execution engine: targets become orders, each passes the gate, and what passes is sent.
fn execute(desk: &mut Desk) {
    let mut decisions = std::mem::take(&mut desk.decisions);
    let nav = desk.books.nav();
    desk.gate.advance(desk.ts);
    for d in decisions.as_mut_slice() {
        let i = d.instrument;
        if d.waterfall.unit == WaterfallUnit::NanoNav {
            let sized = nav.map_err(Into::into).and_then(|nav| size_in_lots(d, nav, &desk.panel, &desk.books));
            if sized.is_err() {
                desk.counts.unpriced += 1;
                continue;
            }
        }
        let lots = d.waterfall.lots.order;
        if lots == 0 {
            continue;
        }
        let lot = desk.panel.universe().get(i).map_or(Quantity::ZERO, |x| x.lot);
        if is_too_small(desk, d, lot) {
            continue;
        }
        let quantity = Lots(lots.saturating_abs()).quantity(lot).unwrap_or(Quantity::ZERO);
        let side = if lots < 0 { Side::Sell } else { Side::Buy };
        let id = desk.orders.next_id();
        let order =
            Order { id, instrument: i, side, kind: OrderKind::Market, tif: TimeInForce::ImmediateOrCancel, quantity };
        // A halt lets through only what says that it reduces.
        let line = d.waterfall.lots;
        let held = line.position.saturating_add(line.open);
        let reduces = held.signum() == -lots.signum() && lots.unsigned_abs() <= held.unsigned_abs();
        let paused = match &desk.exits {
            // A turn through zero is another opinion; it also closes what there is.
            Some(exits) if held.signum() != -lots.signum() => exits.refusal(i, side, quantity, desk.ts),
            _ => None,
        };
        crate::exits::withdraw(desk, i, side);
        let answer = if let Some(refusal) = paused {
            Err(refusal)
        } else if reduces && desk.gate.is_halted() {
            desk.gate.approve_reduction(order, &desk.panel, &mut desk.books).map(Approved::into_order)
        } else {
            desk.gate.approve(order, &desk.panel, &mut desk.books)
        };
        record(desk, &order, answer.as_ref().err(), nav.unwrap_or_default(), d);
        match answer {
            Ok(approved) => {
                let open = desk.orders.send(approved);
                desk.counts.orders += 1;
                match &mut desk.exchange {
                    Some(exchange) => exchange.submit(open.order, open.hold, &mut desk.out.reports),
                    None => desk.out.sends.push(open.order),
                }
            }
            Err(_) => {
                desk.counts.refused += 1;
                match &mut desk.allocator {
                    Allocator::Direct(a) => a.unmet(i),
                    Allocator::Fusion(a) => a.unmet(i),
                }
            }
        }
    }
    desk.decisions = decisions;
}

/// True for an order below the mandate's smallest value that does not end a position: cuts and rounding made it small.
fn is_too_small(desk: &Desk, d: &Decision, lot: Quantity) -> bool {
    let Allocator::Fusion(fusion) = &desk.allocator else { return false };
    if fusion.parameters().min_order_nano <= 0 || d.waterfall.lots.target == 0 {
        return false;
    }
    let price = desk.panel.last(d.instrument).map(|(p, _)| p);
    let quantity = Lots(d.waterfall.lots.order.saturating_abs()).quantity(lot).ok();
    let value = price.zip(quantity).and_then(|(p, q)| p.notional_nano(q).ok());
    let value = value.and_then(|v| desk.books.to_base(d.instrument, v).ok());
    value.is_some_and(|v| fusion.is_too_small(v))
}

/// Puts a decision on record before anything leaves.
#[inline]
fn record(desk: &mut Desk, order: &Order, refusal: Option<&Refusal>, nav_nano: i128, d: &Decision) {
    if desk.record < RecordLevel::Outcomes {
        return;
    }
    let price = desk.panel.last(order.instrument).map_or(Price::ZERO, |(p, _)| p);
    let reasons = desk.record >= RecordLevel::Reasons;
    let view = desk.panel.view(desk.ts, &desk.present);
    let i = order.instrument.index();
    let k = desk.points.at + 1;
    let signals = &desk.signals;
    let evidence = |put: &mut dyn FnMut(Evidence)| {
        for at in signals.live().iter().filter(|at| signals.row(**at, k).is_ok(i)) {
            let (agent, columns) = &desk.evidence[*at];
            if desk.points.waits(desk.points.at, *agent) {
                continue; // what is known now is not what its opinion rests on
            }
            for (need, id) in (0_u16..).zip(columns) {
                put(Evidence { agent: *agent, need, value: view.feature(*id).get(i).ok() });
            }
        }
    };
    let waterfall = reasons.then_some(&d.waterfall);
    put_decision(&mut desk.out.records, desk.seq.0, desk.ts, order, refusal, price, nav_nano, waterfall, evidence);
}

/// The learning optimizer: a lesson, when one is due.
fn learn(desk: &mut Desk) {
    desk.out.lesson = desk.hedger.lesson(desk.results.lines());
}
