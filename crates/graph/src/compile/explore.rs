//! Proofs by walking all states that a run can be in: frontier, arrivals at barriers, which watched nodes have run.
//!
//! Every router takes every option, one at a time, so that branches of a route exclude each other, joins are filled
//! as they are at run time, and a refusal can show the shortest run that goes wrong. A structural argument would have
//! to approximate all three. The price is a bound on the states, reached only by many parallel routes.

use super::plan::Plan;
use crate::bits;
use crate::error::CompileError;
use std::collections::BTreeSet;

/// States that are looked at; a council of a dozen nodes has some dozen.
const MAX_STATES: usize = 1 << 16;
/// Transitions that are looked at, those to known states included.
const MAX_TRANSITIONS: usize = 1 << 18;

/// Declared writers of a channel that takes one write a step.
pub(super) struct Rivals {
    pub(super) channel: String,
    pub(super) writers: Vec<u64>,
}

/// What is to be proved beside "every node can run".
pub(super) struct Questions {
    pub(super) once: Vec<u64>,
    pub(super) breakpoints: Vec<u64>,
    pub(super) rivals: Vec<Rivals>,
}

impl Questions {
    fn none(&self) -> bool {
        bits::is_empty(&self.once) && bits::is_empty(&self.breakpoints) && self.rivals.is_empty()
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    /// Nodes that edges, joins and routes led to.
    frontier: Vec<u64>,
    /// Nodes that packets were sent to.
    pushed: Vec<u64>,
    arrived: Vec<u64>,
    /// Deferred nodes that were led to.
    waiting: Vec<u64>,
    /// The `once` nodes and breakpoints that have run, this frontier included.
    ran: Vec<u64>,
}

/// What a choice adds to the next step: nothing, a run, a packet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Move {
    Nothing,
    Run(u16),
    Packet(u16),
}

struct Walk<'a> {
    plan: &'a Plan,
    questions: &'a Questions,
    watched: Vec<u64>,
    known: BTreeSet<State>,
    /// In the order of discovery, with the place of the state before: breadth first, hence shortest examples.
    states: Vec<(State, Option<usize>)>,
    transitions: usize,
    /// Nodes that some state runs, as error handlers too.
    ever: Vec<u64>,
}

struct TooMany;

pub(super) fn prove(plan: &Plan, questions: &Questions) -> Result<(), CompileError> {
    let mut watched = questions.once.clone();
    bits::add(&mut watched, &questions.breakpoints);
    let ever = vec![0; plan.words()];
    let (known, states) = (BTreeSet::new(), Vec::new());
    let mut walk = Walk { plan, questions, watched, known, states, transitions: 0, ever };
    match walk.run()? {
        Ok(()) => {}
        // Without questions, structural reachability was checked and the proof is not owed.
        Err(TooMany) if questions.none() => return Ok(()),
        Err(TooMany) => return Err(CompileError::TooManyStates { graph: plan.name.clone(), limit: MAX_STATES }),
    }
    let idle = (0_u16..).zip(&plan.nodes).find(|(rank, _)| !bits::has(&walk.ever, *rank));
    idle.map_or(Ok(()), |(_, node)| Err(CompileError::NeverRuns { node: node.name.clone() }))
}

impl Walk<'_> {
    fn run(&mut self) -> Result<Result<(), TooMany>, CompileError> {
        let plan = self.plan;
        let none = vec![0; plan.words()];
        let begin = State {
            frontier: plan.entry.clone(),
            pushed: none.clone(),
            arrived: vec![0; plan.barrier_words()],
            waiting: none.clone(),
            ran: none.clone(),
        };
        let mut choices = Vec::new();
        self.add_choices(plan.entry_routes.clone(), &mut choices);
        if self.spread(begin, &choices, None)?.is_err() {
            return Ok(Err(TooMany));
        }
        let mut at = 0;
        while let Some((state, _)) = self.states.get(at) {
            let state = state.clone();
            let mut running = state.frontier.clone();
            bits::add(&mut running, &state.pushed);
            if !bits::is_empty(&running) {
                for acting in self.casts(&running) {
                    let mut after = State { frontier: none.clone(), pushed: none.clone(), ..state.clone() };
                    let mut choices = Vec::new();
                    for rank in acting {
                        let node = &plan.nodes[usize::from(rank)];
                        if !bits::has(&running, rank) {
                            self.note_handler(rank, &mut after, at)?;
                        }
                        plan.leave(rank, node, &mut after.frontier, &mut after.arrived);
                        self.add_choices(node.routes.clone(), &mut choices);
                        choices.extend(bits::members(&node.goes).map(|to| vec![Move::Nothing, Move::Run(to)]));
                        choices.extend(bits::members(&node.sends).map(|to| vec![Move::Nothing, Move::Packet(to)]));
                    }
                    plan.release(&mut after.frontier, &mut after.arrived);
                    if self.spread(after, &choices, Some(at))?.is_err() {
                        return Ok(Err(TooMany));
                    }
                }
            }
            at += 1;
        }
        Ok(Ok(()))
    }

    /// Whose edges are followed: each node's own or those of its error handler, in all combinations.
    fn casts(&self, running: &[u64]) -> Vec<Vec<u16>> {
        let mut casts = vec![Vec::new()];
        for rank in bits::members(running) {
            let handler = self.plan.nodes[usize::from(rank)].handler;
            let failed: Vec<Vec<u16>> = match handler {
                Some(handler) => casts.iter().map(|cast| [cast.as_slice(), &[handler]].concat()).collect(),
                None => Vec::new(),
            };
            casts.iter_mut().for_each(|cast| cast.push(rank));
            casts.extend(failed);
            if casts.len() > MAX_STATES {
                break;
            }
        }
        casts
    }

    /// An error handler runs inside the step of the node that failed.
    fn note_handler(&mut self, handler: u16, after: &mut State, at: usize) -> Result<(), CompileError> {
        bits::insert(&mut self.ever, handler);
        if bits::has(&self.questions.once, handler) && bits::has(&after.ran, handler) {
            let (node, steps) = (self.plan.name_of(u32::from(handler)), self.steps(&after.frontier, Some(at)));
            return Err(CompileError::RunsTwice { node, steps });
        }
        if bits::has(&self.watched, handler) {
            bits::insert(&mut after.ran, handler);
        }
        Ok(())
    }

    fn add_choices(&self, routes: std::ops::Range<usize>, choices: &mut Vec<Vec<Move>>) {
        for route in &self.plan.routes[routes] {
            if !route.many {
                let one = |target: &Option<u16>| target.map_or(Move::Nothing, Move::Run);
                let moves: BTreeSet<Move> = route.targets.iter().map(one).collect();
                choices.push(moves.into_iter().collect());
                continue;
            }
            for to in route.targets.iter().flatten() {
                choices.push(vec![Move::Nothing, Move::Run(*to)]);
                if self.plan.nodes[usize::from(*to)].takes.is_some() {
                    choices.push(vec![Move::Nothing, Move::Packet(*to)]);
                }
            }
        }
    }

    /// Adds a state for every combination of choices.
    fn spread(
        &mut self,
        base: State,
        choices: &[Vec<Move>],
        before: Option<usize>,
    ) -> Result<Result<(), TooMany>, CompileError> {
        let mut ends = BTreeSet::from([(base.frontier.clone(), base.pushed.clone())]);
        for moves in choices {
            let mut wider = BTreeSet::new();
            for (frontier, pushed) in &ends {
                for chosen in moves {
                    let (mut frontier, mut pushed) = (frontier.clone(), pushed.clone());
                    match chosen {
                        Move::Nothing => {}
                        Move::Run(to) => bits::insert(&mut frontier, *to),
                        Move::Packet(to) => bits::insert(&mut pushed, *to),
                    }
                    wider.insert((frontier, pushed));
                }
                if wider.len() > MAX_STATES {
                    return Ok(Err(TooMany));
                }
            }
            ends = wider;
        }
        self.transitions += ends.len();
        for (frontier, pushed) in ends {
            self.add(State { frontier, pushed, ..base.clone() }, before)?;
            if self.states.len() > MAX_STATES || self.transitions > MAX_TRANSITIONS {
                return Ok(Err(TooMany));
            }
        }
        Ok(Ok(()))
    }

    fn add(&mut self, mut state: State, before: Option<usize>) -> Result<(), CompileError> {
        self.defer(&mut state);
        let mut running = state.frontier.clone();
        bits::add(&mut running, &state.pushed);
        self.judge(&running, &state.ran, before)?;
        bits::add(&mut self.ever, &running);
        bits::add(&mut state.ran, &bits::both(&running, &self.watched));
        if self.known.insert(state.clone()) {
            self.states.push((state, before));
        }
        Ok(())
    }

    /// As at run time: deferred nodes wait until no edge leads anywhere else.
    fn defer(&self, state: &mut State) {
        let deferred = &self.plan.deferred;
        if bits::is_empty(deferred) {
            return;
        }
        let led = bits::both(&state.frontier, deferred);
        bits::add(&mut state.waiting, &led);
        state.frontier.iter_mut().zip(deferred).for_each(|(f, d)| *f &= !d);
        if bits::is_empty(&state.frontier) {
            std::mem::swap(&mut state.frontier, &mut state.waiting);
            self.plan.release_deferred(&mut state.frontier, &mut state.arrived);
        }
    }

    fn judge(&self, frontier: &[u64], ran: &[u64], before: Option<usize>) -> Result<(), CompileError> {
        let q = self.questions;
        let again = bits::both(&bits::both(frontier, ran), &q.once);
        if let Some(rank) = bits::members(&again).next() {
            let (node, steps) = (self.plan.name_of(u32::from(rank)), self.steps(frontier, before));
            return Err(CompileError::RunsTwice { node, steps });
        }
        for rivals in &q.rivals {
            let together = bits::both(frontier, &rivals.writers);
            if bits::count(&together) > 1 {
                let (channel, nodes) = (rivals.channel.clone(), self.plan.names(&together));
                return Err(CompileError::RivalWriters { channel, nodes, steps: self.steps(frontier, before) });
            }
        }
        if bits::count(frontier) > 1
            && let Some(rank) = bits::members(&bits::both(frontier, &q.breakpoints)).next()
        {
            let (node, steps) = (self.plan.name_of(u32::from(rank)), self.steps(frontier, before));
            return Err(CompileError::BreakpointShared { node, steps });
        }
        let missed = bits::members(&q.breakpoints).find(|b| !bits::has(ran, *b));
        if bits::is_empty(frontier)
            && let Some(rank) = missed
        {
            let (node, steps) = (self.plan.name_of(u32::from(rank)), self.steps(frontier, before));
            return Err(CompileError::BreakpointMissed { node, steps });
        }
        Ok(())
    }

    /// The frontiers from START to this one; an empty one is shown as END.
    fn steps(&self, frontier: &[u64], mut before: Option<usize>) -> Vec<Vec<String>> {
        let shown = |set: &[u64]| if bits::is_empty(set) { vec!["END".to_owned()] } else { self.plan.names(set) };
        let mut steps = vec![shown(frontier)];
        while let Some((state, earlier)) = before.and_then(|at| self.states.get(at)) {
            let mut running = state.frontier.clone();
            bits::add(&mut running, &state.pushed);
            steps.push(shown(&running));
            before = *earlier;
        }
        steps.reverse();
        steps
    }
}
