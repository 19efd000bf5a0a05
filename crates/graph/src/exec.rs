//! A super-step with everything that the plain one leaves out: packets, gotos, retries, deadlines, fallbacks, error
//! handlers, caches, deferred nodes, questions. Nodes run one after the other and write straight to the channels; only
//! where shared nodes or priorities change the order of running do writes wait outside, to be delivered in merge order.

pub(crate) mod jobs;
mod settle;
pub(crate) mod task;

pub(crate) use settle::{encode, load_packets, save_packets};

use crate::bits;
use crate::clock::VirtualClock;
use crate::compile::Plan;
use crate::coordinate::{Budget, Decision, Offer, negotiate};
use crate::effect::Effects;
use crate::error::{NodeError, RunError};
use crate::io::{Channels, Reads};
use crate::node::{NodeId, Sharing};
use crate::packet::Packet;
use crate::policy::Policy;
use crate::run::{Compiled, INPUT};
use crate::stream::{Event, Observer, Updates};
use crate::thread::{Pending, Session};
use crate::verdict::{Outcome as Ruling, Verdict, Verdicts};
use jobs::{Around, Job};
use settle::{Parts, cache_key, follow};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use task::{Env, Status, Task};
use tradegraph_columns::RollingHash;

/// Outputs that a graph's cache keeps; the oldest leave first.
const MAX_CACHED: usize = 4096;

/// A task's output as bytes.
type Record = Arc<Vec<u8>>;

/// The last good output of a node, and the run it is of.
type Good = Option<(u64, Record)>;

struct Cached {
    until_ns: u64,
    born: u64,
    record: Record,
}

/// What a graph has beyond the plain run.
pub(crate) struct Full<C> {
    pub(crate) env: Env,
    pub(crate) policies: Vec<Policy<C>>,
    pub(crate) sharing: Vec<Option<Sharing<C>>>,
    pub(crate) pool: Option<Arc<rayon::ThreadPool>>,
    pub(crate) at_once: usize,
    pub(crate) budget: Option<Budget>,
    /// Packets of this step and of the next.
    pub(crate) sends: Vec<Packet>,
    next_sends: Vec<Packet>,
    /// Deferred nodes that were led to.
    pub(crate) waiting: Vec<u64>,
    /// Nodes that edges led to in the last step.
    pub(crate) last: Vec<u64>,
    /// The tasks of this step; those behind `n_tasks` are kept for their memory.
    pub(crate) tasks: Vec<Task>,
    pub(crate) n_tasks: usize,
    /// What a task's output is taken from instead of a run.
    stored: Vec<Option<Record>>,
    order: Vec<usize>,
    pub(crate) observers: Vec<Observer>,
    pub(crate) verdicts: Verdicts,
    pub(crate) decisions: Vec<Decision>,
    /// Runs in which each node stood back since it last ran.
    pub(crate) missed: Vec<u32>,
    cache: BTreeMap<(u16, u64), Cached>,
    born: u64,
    pub(crate) good: Vec<Good>,
    /// Nodes that stopped half-way and hold a state that nobody knows.
    pub(crate) broken: Vec<bool>,
    pub(crate) before: Vec<u64>,
    pub(crate) after: Vec<u64>,
    pub(crate) session: Session,
}

impl<C> Full<C> {
    /// The places of the step's tasks in the order in which `execute` starts them, from 1; none for one that is not run.
    fn turns(&self) -> Vec<Option<u32>> {
        let tasks = self.tasks.get(..self.n_tasks).unwrap_or_default();
        let runs = |at: &usize| tasks.get(*at).is_some_and(|t| matches!(t.status, Status::Waiting));
        let mut order: Vec<usize> = (0..tasks.len()).filter(runs).collect();
        order.sort_by_key(|at| {
            let rank = tasks.get(*at).map_or(0, |t| usize::from(t.rank));
            let alone = self.sharing.get(rank).is_none_or(Option::is_none);
            (alone, std::cmp::Reverse(self.policies.get(rank).map_or(0, |p| p.priority)))
        });
        let mut turns = vec![None; tasks.len()];
        for (turn, at) in (1_u32..).zip(order) {
            if let Some(slot) = turns.get_mut(at) {
                *slot = Some(turn);
            }
        }
        turns
    }
}

pub(crate) enum StepEnd {
    Ran(u32),
    Asked,
}

impl<C> Full<C> {
    pub(crate) fn new(
        plan: &Plan,
        policies: Vec<Policy<C>>,
        sharing: Vec<Option<Sharing<C>>>,
        effects: Effects,
    ) -> Self {
        let n = plan.nodes.len();
        let env = Env {
            clock: Arc::new(VirtualClock::default()),
            now_ns: 0,
            effects,
            given: Vec::new(),
            loose: None,
            seed: plan.fingerprint,
            cycle: 0,
            step: 0,
            link: None,
            checkpoint: None,
            resuming: false,
            drain: Arc::new(AtomicBool::new(false)),
            replays: false,
        };
        Full {
            env,
            policies,
            sharing,
            pool: None,
            at_once: usize::MAX,
            budget: None,
            sends: Vec::new(),
            next_sends: Vec::new(),
            waiting: vec![0; plan.words()],
            last: vec![0; plan.words()],
            tasks: Vec::new(),
            n_tasks: 0,
            stored: Vec::new(),
            order: Vec::new(),
            observers: Vec::new(),
            verdicts: Verdicts::default(),
            decisions: Vec::new(),
            missed: vec![0; n],
            cache: BTreeMap::new(),
            born: 0,
            good: (0..n).map(|_| None).collect(),
            broken: vec![false; n],
            before: vec![0; plan.words()],
            after: vec![0; plan.words()],
            session: Session::default(),
        }
    }

    pub(crate) fn clear_position(&mut self) {
        self.sends.clear();
        bits::clear(&mut self.waiting);
        bits::clear(&mut self.last);
    }

    /// An answer that may have lost its question goes to the task that asked, or to the first that runs.
    fn lend_loose(&mut self) {
        let Some(loose) = &self.env.loose else { return };
        let pending = &self.session.pending;
        let tasks = self.tasks.iter_mut().take(self.n_tasks);
        let mut first: Option<&mut Task> = None;
        for task in tasks.filter(|task| !task.is_done()) {
            if matches!(pending.get(&task.id), Some(Pending::Asked { asks, .. }) if !asks.is_empty()) {
                first = Some(task);
                break;
            }
            first = first.or(Some(task));
        }
        if let Some(task) = first {
            task.loose = Some(loose.clone());
        }
    }

    fn add_task(&mut self, plan: &Plan, rank: u16, index: Option<u32>, packet: Option<usize>) {
        let at = self.n_tasks;
        if at == self.tasks.len() {
            self.tasks.push(Task::default());
            self.stored.push(None);
        }
        self.n_tasks += 1;
        let mut hash = RollingHash::new(self.env.seed);
        hash.word(self.env.step as u64);
        hash.word(plan.nodes.get(usize::from(rank)).map_or(0, |n| n.key));
        hash.word(index.map_or(0, |i| u64::from(i) + 1));
        let arg = packet.and_then(|i| self.sends.get(i)).map(|p| p.arg.clone());
        if let (Some(task), Some(stored)) = (self.tasks.get_mut(at), self.stored.get_mut(at)) {
            task.prepare(hash.value(), rank, index, arg);
            *stored = None;
            match self.session.pending.get(&task.id) {
                Some(Pending::Done(record)) => {
                    task.reused = true;
                    task.status = Status::Done;
                    *stored = Some(record.clone());
                }
                Some(Pending::Asked { answers, .. }) => task.known.clone_from(answers),
                None => {}
            }
        }
    }
}

impl<C> Compiled<C> {
    /// Runs the frontier and the packets, and puts what runs next in their place. A step that stopped half-way leaves
    /// everything as it was and remembers what was finished.
    pub(crate) fn step_full(&mut self, ctx: &mut C) -> Result<StepEnd, RunError> {
        self.gather();
        self.bargain();
        self.announce();
        self.execute(ctx);
        if let Some(end) = self.stopped()? {
            return Ok(end);
        }
        self.merge_tasks()
    }

    /// The tasks of the step that is next, finished ones marked.
    pub(crate) fn list_tasks(&mut self) {
        let full = &mut *self.full;
        full.n_tasks = 0;
        for rank in bits::members(&self.frontier) {
            full.add_task(&self.plan, rank, None, None);
        }
        for i in 0..full.sends.len() {
            if let Some(to) = full.sends.get(i).map(|p| p.to) {
                full.add_task(&self.plan, to, Some(i as u32), Some(i));
            }
        }
        full.lend_loose();
    }

    fn gather(&mut self) {
        self.list_tasks();
        let full = &mut *self.full;
        for at in 0..full.n_tasks {
            let Some(task) = full.tasks.get_mut(at) else { continue };
            let (rank, node) = (usize::from(task.rank), u32::from(task.rank));
            task.deadline_ns = full.policies.get(rank).and_then(|p| p.deadline_ns);
            if task.is_done() {
                continue;
            }
            if full.broken.get(rank) == Some(&true) {
                task.status = Status::Failed(NodeError::OutOfService);
            }
            if full.env.replays {
                let name = self.plan.name_of(node);
                if let Some(verdict) = full.verdicts.recorded(full.env.cycle, full.env.step, &name, task.index) {
                    task.late_before = verdict.late;
                    match verdict.outcome {
                        Ruling::Stopped => task.status = Status::Failed(NodeError::OutOfService),
                        Ruling::Yielded => task.status = Status::Failed(NodeError::Yielded),
                        Ruling::InTime | Ruling::Late | Ruling::Failed => {}
                    }
                }
            }
            if matches!(task.status, Status::Waiting)
                && let Some(key) = cache_key(full.policies.get(rank), task, &self.plan, &self.channels)
                && let Some(hit) = full.cache.get(&(task.rank, key))
                && full.env.clock.now_ns() < hit.until_ns
                && let Some(stored) = full.stored.get_mut(at)
            {
                *stored = Some(hit.record.clone());
                task.cached = true;
                task.status = Status::Done;
            }
        }
    }

    /// Lets nodes with a bid stand back when the time that is left does not do for all.
    fn bargain(&mut self) {
        let full = &mut *self.full;
        let Some(budget) = full.budget.filter(|_| !full.env.replays) else { return };
        let mut offers = Vec::new();
        for (at, task) in full.tasks.iter().enumerate().take(full.n_tasks) {
            let policy = full.policies.get(usize::from(task.rank));
            let priority = policy.map_or(0, |p| p.priority);
            if let (Some(bid), Status::Waiting) = (policy.and_then(|p| p.bid), &task.status) {
                let value = (bid.value)(&Reads::new(&self.channels, crate::channel::slot::NOBODY));
                let node = self.plan.name_of(u32::from(task.rank));
                let missed = full.missed.get(usize::from(task.rank)).copied().unwrap_or(0);
                offers.push((at, Offer { node, value, cost_ns: bid.cost_ns, missed, priority }));
            }
        }
        if offers.is_empty() {
            return;
        }
        let used_ns = full.env.clock.now_ns().saturating_sub(full.env.now_ns).saturating_add(full.session.worked_ns);
        let left_ns = budget.cycle_ns.saturating_sub(used_ns).saturating_sub(budget.reserve_ns);
        let (places, offers): (Vec<usize>, Vec<Offer>) = offers.into_iter().unzip();
        let decision = negotiate(full.env.cycle, full.env.step, left_ns, offers);
        for (at, claim) in places.into_iter().zip(&decision.claims) {
            let Some(task) = full.tasks.get_mut(at) else { continue };
            if let Some(missed) = full.missed.get_mut(usize::from(task.rank)) {
                *missed = if claim.runs { 0 } else { missed.saturating_add(1) };
            }
            if !claim.runs {
                task.status = Status::Failed(NodeError::Yielded);
            }
        }
        if decision.claims.iter().any(|c| !c.runs) {
            full.decisions.push(decision);
        }
    }

    fn announce(&mut self) {
        let full = &mut *self.full;
        if full.observers.is_empty() {
            return;
        }
        let turns = full.turns();
        for (task, turn) in full.tasks.iter().take(full.n_tasks).zip(turns) {
            let node = self.plan.nodes.get(usize::from(task.rank)).map_or("", |n| n.name.as_str());
            let cached = task.cached || task.reused;
            let event = Event::Task { step: full.env.step, id: task.id, node, packet: task.index, cached, turn };
            full.observers.iter_mut().for_each(|o| o.show(&event));
        }
    }

    fn execute(&mut self, ctx: &mut C) {
        let Compiled { plan, nodes, routers, channels, full, .. } = self;
        let Full { env, policies, sharing, pool, at_once, tasks, n_tasks, stored, order, good, cache, born, .. } =
            &mut **full;
        let n = *n_tasks;
        let tasks = tasks.get_mut(..n).unwrap_or_default();
        let shared = |task: &Task| sharing.get(usize::from(task.rank)).and_then(Option::as_ref);
        let runs = |task: &Task| matches!(task.status, Status::Waiting);
        let priority = |task: &Task| policies.get(usize::from(task.rank)).map_or(0, |p| p.priority);
        let fan = tasks.iter().filter(|t| runs(t)).find_map(shared).map(|s| s.run);
        let apart = fan.is_some() || tasks.iter().any(|t| priority(t) != 0);
        order.clear();
        order.extend(0..n);
        if apart {
            order.sort_by_key(|at| std::cmp::Reverse(tasks.get(*at).map_or(0, priority)));
        }
        if let Some(fan) = fan {
            let around = Around { channels, env, plan, pool: pool.as_deref(), at_once: *at_once };
            let mut jobs = Vec::new();
            for (writer, task) in (0_u32..).zip(tasks.iter_mut()) {
                let rank = usize::from(task.rank);
                let sharing = sharing.get(rank).and_then(Option::as_ref);
                let (Status::Waiting, Some(s), Some(policy), Some(shape)) =
                    (&task.status, sharing, policies.get(rank), plan.nodes.get(rank))
                else {
                    continue;
                };
                jobs.push(Job { node: s.node.as_ref(), task, retry: &policy.retry, access: &shape.access, writer });
            }
            // Jobs start in the order of priority; they are few.
            jobs.sort_by_key(|job| {
                std::cmp::Reverse(policies.get(usize::from(job.task.rank)).map_or(0, |p| p.priority))
            });
            fan(&around, ctx, jobs);
        }
        let mut parts = Parts { plan, nodes, routers, channels, policies, env };
        if apart {
            for at in order.iter() {
                if let Some(task) = tasks.get_mut(*at)
                    && matches!(task.status, Status::Waiting)
                {
                    parts.run(task, *at as u32, ctx, true);
                }
            }
        }
        for (writer, (task, stored)) in (0_u32..).zip(tasks.iter_mut().zip(stored.iter())) {
            if matches!(task.status, Status::Waiting) {
                parts.run(task, writer, ctx, false);
            }
            let rank = usize::from(task.rank);
            parts.settle(task, writer, stored.as_ref(), ctx, good.get(rank).and_then(Option::as_ref));
            if task.is_done() && !task.reused && !task.cached && !task.replaced {
                parts.remember(task, writer, good, cache, born);
            }
        }
    }

    /// Whether the step cannot end: then what was finished is remembered, and channels are as before the step.
    fn stopped(&mut self) -> Result<Option<StepEnd>, RunError> {
        self.rule();
        let full = &mut *self.full;
        let tasks = full.tasks.get_mut(..full.n_tasks).unwrap_or_default();
        if tasks.iter().all(Task::is_done) {
            return Ok(None);
        }
        self.keep_finished();
        let full = &mut *self.full;
        let tasks = full.tasks.get_mut(..full.n_tasks).unwrap_or_default();
        self.channels.discard();
        let mut up = None;
        for task in tasks {
            match std::mem::take(&mut task.status) {
                Status::Failed(source) => {
                    return Err(source.at(self.plan.name_of(u32::from(task.acting))));
                }
                Status::Up(command) if up.is_none() => up = Some(command),
                _ => {}
            }
        }
        up.map_or(Ok(Some(StepEnd::Asked)), |command| Err(RunError::ToParent(command)))
    }

    /// Remembers what was finished and what was asked in a step that does not end.
    fn keep_finished(&mut self) {
        let full = &mut *self.full;
        let tasks = full.tasks.get_mut(..full.n_tasks).unwrap_or_default();
        for (writer, task) in (0_u32..).zip(tasks.iter_mut()) {
            let pending = match &task.status {
                Status::Done if !task.reused => {
                    encode(task, writer, &self.channels).map(|r| Pending::Done(Arc::new(r)))
                }
                Status::Asked => {
                    Some(Pending::Asked { answers: std::mem::take(&mut task.known), asks: task.asks.clone() })
                }
                _ => None,
            };
            if let Some(pending) = pending {
                full.session.pending.insert(task.id, pending);
                full.session.unsaved.push(task.id);
            }
        }
    }

    /// Writes down what time or a fault decided, so that a replay can be made to decide the same.
    fn rule(&mut self) {
        let full = &mut *self.full;
        for task in full.tasks.iter().take(full.n_tasks) {
            full.session.worked_ns += if full.env.clock.counts_work() { task.charged } else { 0 };
            let outcome = match (&task.status, task.replaced, &task.error) {
                (Status::Done, false, None) if task.late == 0 => continue,
                (Status::Done, false, None) => Ruling::InTime,
                (Status::Asked | Status::Up(_) | Status::Waiting, ..) => continue,
                (Status::Failed(error), ..) => Ruling::of(error, task),
                (Status::Done, ..) => task.error.as_ref().map_or(Ruling::InTime, |e| Ruling::of(&e.error, task)),
            };
            let node = self.plan.name_of(u32::from(task.rank));
            let rank = usize::from(task.rank);
            if outcome == Ruling::Stopped
                && full.sharing.get(rank).is_some_and(Option::is_none)
                && let Some(broken) = full.broken.get_mut(rank)
            {
                *broken = true;
            }
            let (cycle, step, index, late) = (full.env.cycle, full.env.step, task.index, task.late);
            full.verdicts.made.push(Verdict { cycle, step, node, index, late, outcome });
        }
    }

    /// Every task is done: their writes become the state, their targets the next frontier.
    fn merge_tasks(&mut self) -> Result<StepEnd, RunError> {
        self.show_updates();
        self.merge_step(true)?;
        let Compiled { plan, channels, next, frontier, arrived, full, .. } = self;
        let Full { env, tasks, n_tasks, sends, next_sends, waiting, last, observers, session, .. } = &mut **full;
        bits::clear(next);
        next_sends.clear();
        // Who wrote last is asked of nodes that edges led to.
        if tasks.iter().take(*n_tasks).any(|t| t.index.is_none()) {
            bits::clear(last);
            let led_to = tasks.iter().take(*n_tasks).filter(|t| t.index.is_none());
            led_to.for_each(|t| bits::insert(last, t.rank));
        }
        let mut any_arrived = false;
        for task in tasks.iter_mut().take(*n_tasks) {
            let Some(shape) = plan.nodes.get(usize::from(task.acting)) else { continue };
            any_arrived |= plan.leave(task.acting, shape, next, arrived);
            task.gotos.drain(..).for_each(|to| bits::insert(next, to));
            next_sends.append(&mut task.sends);
            task.requests.drain(..).for_each(|request| env.effects.emit(request));
        }
        std::mem::swap(sends, next_sends);
        session.pending.clear();
        session.unsaved.clear();
        session.nulls.clear();
        turn(plan, channels, next, arrived, waiting, any_arrived);
        std::mem::swap(frontier, next);
        if !observers.is_empty() {
            let event = Event::Values { step: env.step, channels };
            observers.iter_mut().for_each(|o| o.show(&event));
        }
        Ok(StepEnd::Ran(*n_tasks as u32))
    }

    fn show_updates(&mut self) {
        let full = &mut *self.full;
        if full.observers.is_empty() {
            return;
        }
        for (writer, task) in (0_u32..).zip(full.tasks.iter().take(full.n_tasks)) {
            let node = self.plan.nodes.get(usize::from(task.acting)).map_or("", |n| n.name.as_str());
            for value in &task.customs {
                let event = Event::Custom { step: full.env.step, node, value };
                full.observers.iter_mut().for_each(|o| o.show(&event));
            }
            let updates = Updates::new(&self.channels, writer);
            let event = Event::Updates { step: full.env.step, node, cached: task.cached || task.reused, updates };
            full.observers.iter_mut().for_each(|o| o.show(&event));
        }
    }

    /// Merges the step's writes. If they cannot be merged, what was finished can be remembered.
    pub(crate) fn merge_step(&mut self, keep: bool) -> Result<(), RunError> {
        if self.channels.untouched() && !self.channels.has_moods() {
            return Ok(());
        }
        let Err(chan) = self.channels.commit_step() else { return Ok(()) };
        if keep {
            self.keep_finished();
        }
        let writers = self.channels.writers(chan);
        let tasks = &self.full.tasks;
        let name = |writer: u32| match tasks.get(writer as usize) {
            Some(task) if writer != INPUT => self.plan.name_of(u32::from(task.acting)),
            _ => "START".to_owned(),
        };
        let nodes = writers.into_iter().map(name).collect();
        self.channels.discard();
        Err(RunError::Conflict { channel: self.channels.name(chan), nodes })
    }

    /// START's own step: the input becomes the state and START's edges and routes the frontier.
    pub(crate) fn start_step(&mut self) -> Result<(), RunError> {
        let Compiled { plan, routers, channels, next, full, .. } = self;
        next.copy_from_slice(&plan.entry);
        let task = &mut Task::default();
        let routed = follow(plan, routers, plan.entry_routes.clone(), channels, INPUT, task);
        if let Err(error) = routed {
            channels.discard();
            return Err(error.at("START".to_owned()));
        }
        channels.forget_seen();
        let sends = std::mem::take(&mut task.sends);
        task.gotos.iter().for_each(|to| bits::insert(next, *to));
        full.n_tasks = 0;
        self.merge_step(false)?;
        let Compiled { plan, channels, next, frontier, arrived, full, .. } = self;
        full.clear_position();
        full.sends = sends;
        turn(plan, channels, next, arrived, &mut full.waiting, false);
        std::mem::swap(frontier, next);
        let event = Event::Values { step: full.env.step, channels };
        full.observers.iter_mut().for_each(|o| o.show(&event));
        Ok(())
    }

    /// As if these nodes, and no others, had just run: what `update_state` does. The writers are their places.
    pub(crate) fn act_as(&mut self, nodes: &[u16]) -> Result<(), RunError> {
        self.full.n_tasks = 0;
        for rank in nodes {
            self.full.add_task(&self.plan, *rank, None, None);
        }
        let Compiled { plan, routers, channels, full, .. } = self;
        for (writer, task) in (0_u32..).zip(full.tasks.iter_mut().take(full.n_tasks)) {
            task.status = Status::Done;
            let routes = plan.nodes.get(usize::from(task.rank)).map_or(0..0, |n| n.routes.clone());
            if let Err(error) = follow(plan, routers, routes, channels, writer, task) {
                channels.discard();
                return Err(error.at(plan.name_of(u32::from(task.rank))));
            }
            channels.forget_seen();
        }
        // Only nodes that ran count when a later update asks who wrote last.
        let last = self.full.last.clone();
        self.merge_tasks()?;
        self.full.last = last;
        Ok(())
    }

    pub(crate) fn rank_or_stray(&self, id: NodeId) -> Result<u16, RunError> {
        self.plan.rank(id).ok_or(RunError::NoSuchBreakpoint { index: id.0 })
    }
}

/// Takes deferred nodes out of what runs next, fills joins, and lets what waited for the end go when nothing else is
/// left. Packets on their way do not hold it back, as in LangGraph.
fn turn(
    plan: &Plan,
    channels: &mut Channels,
    next: &mut [u64],
    arrived: &mut [u64],
    waiting: &mut [u64],
    any_arrived: bool,
) {
    if any_arrived {
        plan.release(next, arrived);
    }
    if !bits::is_empty(&plan.deferred) {
        for ((next, waiting), deferred) in next.iter_mut().zip(waiting.iter_mut()).zip(&plan.deferred) {
            *waiting |= *next & deferred;
            *next &= !deferred;
        }
    }
    if bits::is_empty(next) {
        channels.finish();
        if !bits::is_empty(&plan.deferred) {
            bits::add(next, waiting);
            bits::clear(waiting);
            plan.release_deferred(next, arrived);
        }
    }
}
