//! What becomes of one task: its run, its fallback or error handler, its routers, its record.

use super::jobs::attempts;
use super::task::{Env, Status, Task, TaskError};
use super::{Cached, Good, MAX_CACHED, Record};
use crate::bits;
use crate::builder::{Choice, Router};
use crate::compile::Plan;
use crate::error::NodeError;
use crate::io::{Board, Channels, Desk, Io, Out, Reads};
use crate::node::Node;
use crate::packet::Packet;
use crate::policy::{Fallback, Policy};
use std::collections::BTreeMap;
use std::sync::Arc;
use tradegraph_columns::RollingHash;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// The parts of a graph that a task needs while the tasks themselves are borrowed.
pub(super) struct Parts<'a, C> {
    pub(super) plan: &'a Plan,
    pub(super) nodes: &'a mut [Box<dyn Node<C>>],
    pub(super) routers: &'a [Router],
    pub(super) channels: &'a mut Channels,
    pub(super) policies: &'a mut [Policy<C>],
    pub(super) env: &'a Env,
}

impl<C> Parts<'_, C> {
    pub(super) fn run(&mut self, task: &mut Task, writer: u32, ctx: &mut C, apart: bool) {
        let rank = usize::from(task.rank);
        let (Some(node), Some(shape), Some(policy)) =
            (self.nodes.get_mut(rank), self.plan.nodes.get(rank), self.policies.get(rank))
        else {
            return;
        };
        let (plan, env) = (self.plan, self.env);
        let mut parcels = std::mem::take(&mut task.parcels);
        let mut with = (&mut *self.channels, &mut parcels, node, ctx);
        let undo = |_: &mut Task, (channels, parcels, ..): &mut (&mut Channels, &mut Vec<_>, _, _)| {
            if apart { channels.drop_parcels(writer, parcels) } else { channels.retract(writer) }
        };
        attempts(
            task,
            env,
            &policy.retry,
            &mut with,
            |task, (channels, parcels, node, ctx)| {
                let desk = Desk { task, env, plan };
                let board = if apart { Board::Apart(channels, parcels, desk) } else { Board::Direct(channels, desk) };
                node.run(ctx, &mut Io::on(board, writer, &shape.access))
            },
            undo,
        );
        task.parcels = parcels;
    }

    /// Brings a task's output into the channels and asks its routers; a failed task's fallback or handler is run.
    pub(super) fn settle(
        &mut self,
        task: &mut Task,
        writer: u32,
        stored: Option<&Record>,
        ctx: &mut C,
        good: Option<&(u64, Record)>,
    ) {
        if let (Some(record), Status::Done) = (stored, &task.status) {
            if let Err(error) = decode(task, writer, record, self.channels, self.plan) {
                self.channels.retract(writer);
                task.status = Status::Failed(NodeError::failed(error));
            }
            return;
        }
        if task.is_done() {
            for mut parcel in std::mem::take(&mut task.parcels) {
                if let Err(error) = self.channels.deliver(writer, &mut parcel) {
                    task.status = Status::Failed(error.into());
                }
            }
            self.route(task, writer);
        }
        if let Status::Failed(error) = &mut task.status {
            let error = std::mem::replace(error, NodeError::OutOfService);
            self.channels.retract(writer);
            self.stand_in(task, writer, error, ctx, good);
        }
    }

    fn route(&mut self, task: &mut Task, writer: u32) {
        if !task.is_done() {
            return;
        }
        let Some(shape) = self.plan.nodes.get(usize::from(task.acting)) else { return };
        if shape.routes.is_empty() {
            return;
        }
        if let Err(error) = follow(self.plan, self.routers, shape.routes.clone(), self.channels, writer, task) {
            task.status = Status::Failed(error);
        }
        self.channels.forget_seen();
    }

    fn stand_in(&mut self, task: &mut Task, writer: u32, error: NodeError, ctx: &mut C, good: Option<&(u64, Record)>) {
        let rank = usize::from(task.rank);
        let name = self.plan.name_of(u32::from(task.rank));
        let Parts { plan, env, channels, nodes, policies, .. } = &mut *self;
        let Some(policy) = policies.get_mut(rank) else { return };
        let handler = policy.on_error.and_then(|h| plan.rank(h));
        task.clear_attempt();
        match (&mut policy.fallback, handler) {
            (Fallback::Fail, None) => {
                task.status = Status::Failed(error);
                return;
            }
            (Fallback::Fail, Some(handler)) => {
                task.acting = handler;
                task.error = Some(Arc::new(TaskError { node: name, error }));
                task.deadline_ns = None;
                let Some(node) = nodes.get_mut(usize::from(handler)) else { return };
                again(plan, env, channels, node.as_mut(), (task, writer, handler), ctx);
            }
            (Fallback::Node(node), _) => {
                task.error = Some(Arc::new(TaskError { node: name, error }));
                task.deadline_ns = None;
                again(plan, env, channels, node.as_mut(), (task, writer, rank as u16), ctx);
            }
            (Fallback::LastGood { max_age }, _) => {
                task.status = Status::Done;
                let age = |born: u64| env.cycle.saturating_sub(born);
                if let Some((_, record)) = good.filter(|(born, _)| age(*born) <= *max_age)
                    && decode(task, writer, record, channels, plan).is_err()
                {
                    channels.retract(writer);
                }
                // The record has the targets of then; those of now are asked below.
                (task.gotos, task.sends) = (Vec::new(), Vec::new());
                task.error = Some(Arc::new(TaskError { node: name, error }));
            }
            (Fallback::Skip, _) => {
                task.status = Status::Done;
                task.error = Some(Arc::new(TaskError { node: name, error }));
            }
        }
        task.replaced = true;
        self.route(task, writer);
        if matches!(task.status, Status::Failed(_)) {
            self.channels.retract(writer);
        }
    }

    pub(super) fn remember(
        &mut self,
        task: &Task,
        writer: u32,
        good: &mut [Good],
        cache: &mut BTreeMap<(u16, u64), Cached>,
        born: &mut u64,
    ) {
        let rank = usize::from(task.rank);
        let Some(policy) = self.policies.get(rank) else { return };
        let keeps = matches!(policy.fallback, Fallback::LastGood { .. });
        let Some(record) = (keeps || policy.cache.is_some()).then(|| encode(task, writer, self.channels)).flatten()
        else {
            return;
        };
        let record = Arc::new(record);
        if let Some(slot) = good.get_mut(rank).filter(|_| keeps) {
            *slot = Some((self.env.cycle, record.clone()));
        }
        if let (Some(cached), Some(key)) = (policy.cache, cache_key(Some(policy), task, self.plan, self.channels)) {
            *born += 1;
            let until_ns = cached.ttl_ns.map_or(u64::MAX, |ttl| self.env.clock.now_ns().saturating_add(ttl));
            cache.insert((task.rank, key), Cached { until_ns, born: *born, record });
            if cache.len() > MAX_CACHED
                && let Some(oldest) = cache.iter().min_by_key(|(_, c)| c.born).map(|(k, _)| *k)
            {
                cache.remove(&oldest);
            }
        }
    }
}

/// Runs another node for a task: its fallback or its error handler.
fn again<C>(
    plan: &Plan,
    env: &Env,
    channels: &mut Channels,
    node: &mut dyn Node<C>,
    (task, writer, rank): (&mut Task, u32, u16),
    ctx: &mut C,
) {
    let Some(shape) = plan.nodes.get(usize::from(rank)) else { return };
    // Gotos are checked against the declarations of the node that is run.
    let led_to = std::mem::replace(&mut task.rank, rank);
    let attempt = task.attempt;
    attempts(
        task,
        env,
        &[],
        &mut (channels, node, ctx),
        |task, (channels, node, ctx)| {
            node.run(ctx, &mut Io::on(Board::Direct(channels, Desk { task, env, plan }), writer, &shape.access))
        },
        |_, (channels, ..)| channels.retract(writer),
    );
    (task.rank, task.attempt) = (led_to, attempt);
}

/// Asks routers and adds what they chose to a task.
pub(crate) fn follow(
    plan: &Plan,
    routers: &[Router],
    routes: std::ops::Range<usize>,
    channels: &Channels,
    reader: u32,
    task: &mut Task,
) -> Result<(), NodeError> {
    for at in routes {
        let (Some(router), Some(route)) = (routers.get(at), plan.routes.get(at)) else { continue };
        let reads = Reads::new(channels, reader);
        match router {
            Router::One(router) => {
                let choice = router(&reads).map_err(|e| NodeError::InRouter(Box::new(e)))?;
                match route.target(choice) {
                    Some(target) => task.gotos.extend(target),
                    None => {
                        let label = match choice {
                            Choice::Label(label) => label.to_owned(),
                            Choice::Index(index) => format!("option {index}"),
                        };
                        return Err(NodeError::UnknownLabel { label, known: route.labels.clone() });
                    }
                }
            }
            Router::Many(router) => {
                let (targets, gotos, sends) = (&route.targets, &mut task.gotos, &mut task.sends);
                let mut out = Out { plan, targets, gotos, sends };
                router(&reads, &mut out).map_err(|e| NodeError::InRouter(Box::new(e)))?;
            }
        }
    }
    Ok(())
}

/// A finished task as bytes: whose edges are followed, where it goes, what it sends, what it writes. None if something
/// of it has no encoding.
pub(crate) fn encode(task: &Task, writer: u32, channels: &Channels) -> Option<Vec<u8>> {
    let mut to = Encoder::new();
    to.u16(task.acting);
    to.len(task.gotos.len());
    task.gotos.iter().for_each(|rank| to.u16(*rank));
    save_packets(&task.sends, &mut to);
    channels.save_writes(writer, &mut to).then(|| to.into_bytes())
}

fn decode(
    task: &mut Task,
    writer: u32,
    record: &[u8],
    channels: &mut Channels,
    plan: &Plan,
) -> Result<(), DecodeError> {
    let mut from = Decoder::new(record);
    task.acting = from.u16("node")?;
    task.gotos = (0..from.len("targets")?).map(|_| from.u16("target")).collect::<Result<_, _>>()?;
    task.sends = load_packets(&mut from, plan)?;
    channels.load_writes(writer, &mut from)
}

pub(crate) fn save_packets(packets: &[Packet], to: &mut Encoder) {
    to.len(packets.len());
    for packet in packets {
        to.u16(packet.to);
        packet.arg.save(to);
    }
}

pub(crate) fn load_packets(from: &mut Decoder<'_>, plan: &Plan) -> Result<Vec<Packet>, DecodeError> {
    let n = from.len("packets")?;
    let mut packets = Vec::new();
    for _ in 0..n {
        let to = from.u16("target of a packet")?;
        let loader = plan.nodes.get(usize::from(to)).and_then(|n| n.takes.as_ref()).map(|(_, load)| *load);
        let load = loader.ok_or(DecodeError::Invalid { what: "target of a packet", at: 0, found: u64::from(to) })?;
        packets.push(Packet { to, arg: load(from)? });
    }
    Ok(packets)
}

/// What a cached output is found by: the bytes of what the node may read, and of its packet.
pub(super) fn cache_key<C>(policy: Option<&Policy<C>>, task: &Task, plan: &Plan, channels: &Channels) -> Option<u64> {
    let cache = policy?.cache?;
    let mut bytes = Encoder::new();
    if let Some(arg) = &task.arg {
        arg.save(&mut bytes);
    }
    match cache.key {
        Some(key) => bytes.u64(key(&Reads::new(channels, crate::channel::slot::NOBODY))),
        None => {
            let access = &plan.nodes.get(usize::from(task.rank))?.access;
            for (index, entry) in (0_u16..).zip(&channels.entries) {
                if access.reads.as_ref().is_none_or(|set| bits::has(set, index))
                    && let Some(slot) = &entry.slot
                {
                    slot.save(&mut bytes);
                }
            }
        }
    }
    let mut hash = RollingHash::new(0);
    hash.bytes(bytes.as_bytes());
    Some(hash.value())
}
