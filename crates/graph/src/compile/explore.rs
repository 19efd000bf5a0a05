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
    frontier: Vec<u64>,
    arrived: Vec<u64>,
    /// The `once` nodes and breakpoints that have run, this frontier included.
    ran: Vec<u64>,
}

struct Walk<'a> {
    plan: &'a Plan,
    questions: &'a Questions,
    watched: Vec<u64>,
    known: BTreeSet<State>,
    /// In the order of discovery, with the place of the state before: breadth first, hence shortest examples.
    states: Vec<(State, Option<usize>)>,
    transitions: usize,
}

struct TooMany;

pub(super) fn prove(plan: &Plan, questions: &Questions) -> Result<(), CompileError> {
    let mut watched = questions.once.clone();
    bits::add(&mut watched, &questions.breakpoints);
    let mut walk = Walk { plan, questions, watched, known: BTreeSet::new(), states: Vec::new(), transitions: 0 };
    match walk.run()? {
        Ok(()) => {}
        // Without questions, structural reachability was checked and the proof is not owed.
        Err(TooMany) if questions.none() => return Ok(()),
        Err(TooMany) => return Err(CompileError::TooManyStates { graph: plan.name.clone(), limit: MAX_STATES }),
    }
    let mut ever = vec![0; plan.words()];
    walk.states.iter().for_each(|(state, _)| bits::add(&mut ever, &state.frontier));
    let idle = (0_u16..).zip(&plan.nodes).find(|(rank, _)| !bits::has(&ever, *rank));
    idle.map_or(Ok(()), |(_, node)| Err(CompileError::NeverRuns { node: node.name.clone() }))
}

impl Walk<'_> {
    fn run(&mut self) -> Result<Result<(), TooMany>, CompileError> {
        let plan = self.plan;
        let nothing = vec![0; plan.barrier_words()];
        let ran = vec![0; plan.words()];
        if self.spread(plan.entry.clone(), &nothing, &ran, plan.entry_routes.clone(), None)?.is_err() {
            return Ok(Err(TooMany));
        }
        let mut at = 0;
        while let Some((state, _)) = self.states.get(at) {
            let State { frontier, mut arrived, ran } = state.clone();
            let mut next = vec![0; plan.words()];
            let mut routes = Vec::new();
            for rank in bits::members(&frontier) {
                let node = &plan.nodes[usize::from(rank)];
                plan.leave(rank, node, &mut next, &mut arrived);
                routes.extend(node.routes.clone());
            }
            plan.release(&mut next, &mut arrived);
            if !bits::is_empty(&frontier) && self.spread(next, &arrived, &ran, routes, Some(at))?.is_err() {
                return Ok(Err(TooMany));
            }
            at += 1;
        }
        Ok(Ok(()))
    }

    /// Adds a state for every combination of options of the routes.
    fn spread(
        &mut self,
        next: Vec<u64>,
        arrived: &[u64],
        ran: &[u64],
        routes: impl IntoIterator<Item = usize>,
        before: Option<usize>,
    ) -> Result<Result<(), TooMany>, CompileError> {
        let mut frontiers = BTreeSet::from([next]);
        for route in routes {
            let targets: BTreeSet<Option<u16>> = self.plan.routes[route].targets.iter().copied().collect();
            let mut wider = BTreeSet::new();
            for frontier in &frontiers {
                for target in &targets {
                    let mut frontier = frontier.clone();
                    target.iter().for_each(|t| bits::insert(&mut frontier, *t));
                    wider.insert(frontier);
                }
                if wider.len() > MAX_STATES {
                    return Ok(Err(TooMany));
                }
            }
            frontiers = wider;
        }
        self.transitions += frontiers.len();
        for frontier in frontiers {
            self.add(frontier, arrived, ran, before)?;
            if self.states.len() > MAX_STATES || self.transitions > MAX_TRANSITIONS {
                return Ok(Err(TooMany));
            }
        }
        Ok(Ok(()))
    }

    fn add(
        &mut self,
        frontier: Vec<u64>,
        arrived: &[u64],
        ran: &[u64],
        before: Option<usize>,
    ) -> Result<(), CompileError> {
        self.judge(&frontier, ran, before)?;
        let mut ran = ran.to_vec();
        bits::add(&mut ran, &bits::both(&frontier, &self.watched));
        let state = State { frontier, arrived: arrived.to_vec(), ran };
        if self.known.insert(state.clone()) {
            self.states.push((state, before));
        }
        Ok(())
    }

    fn judge(&self, frontier: &[u64], ran: &[u64], before: Option<usize>) -> Result<(), CompileError> {
        let q = self.questions;
        let again = bits::both(&bits::both(frontier, ran), &q.once);
        if let Some(rank) = bits::members(&again).next() {
            let (node, steps) = (self.plan.name_of(rank), self.steps(frontier, before));
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
            let (node, steps) = (self.plan.name_of(rank), self.steps(frontier, before));
            return Err(CompileError::BreakpointShared { node, steps });
        }
        let missed = bits::members(&q.breakpoints).find(|b| !bits::has(ran, *b));
        if bits::is_empty(frontier)
            && let Some(rank) = missed
        {
            let (node, steps) = (self.plan.name_of(rank), self.steps(frontier, before));
            return Err(CompileError::BreakpointMissed { node, steps });
        }
        Ok(())
    }

    /// The frontiers from START to this one; an empty one is shown as END.
    fn steps(&self, frontier: &[u64], mut before: Option<usize>) -> Vec<Vec<String>> {
        let shown = |set: &[u64]| if bits::is_empty(set) { vec!["END".to_owned()] } else { self.plan.names(set) };
        let mut steps = vec![shown(frontier)];
        while let Some((state, earlier)) = before.and_then(|at| self.states.get(at)) {
            steps.push(shown(&state.frontier));
            before = *earlier;
        }
        steps.reverse();
        steps
    }
}
