//! The dense plan: nodes by rank, successor masks, joins as barriers of bits, routes with their targets.

use crate::bits;
use crate::builder::{Choice, GraphBuilder, Limits};
use crate::channel::ChanId;
use crate::error::NodeError;
use crate::io::Access;
use crate::node::{END, NodeId, START};
use crate::packet::{Loader, Packed, Packet};
use std::any::TypeId;
use std::ops::Range;
use std::sync::Arc;
use tradegraph_columns::RollingHash;

pub(crate) struct PlanNode {
    pub(crate) name: String,
    pub(crate) once: bool,
    pub(crate) access: Access,
    /// A hash of the name.
    pub(crate) key: u64,
    /// Declared targets of gotos and of packets.
    pub(crate) goes: Vec<u64>,
    pub(crate) sends: Vec<u64>,
    pub(crate) takes: Option<(TypeId, Loader)>,
    pub(crate) handler: Option<u16>,
    /// Of a subgraph: channels of this graph and of it that are one.
    pub(crate) shares: Vec<(u16, u16)>,
    /// Targets of plain edges.
    pub(crate) next: Vec<u64>,
    /// An edge to END: only drawn.
    pub(crate) ends: bool,
    /// The joins it is a member of.
    pub(crate) joins: Vec<u16>,
    pub(crate) routes: Range<usize>,
}

pub(crate) struct PlanJoin {
    pub(crate) members: Vec<u64>,
    pub(crate) to: u16,
}

pub(crate) struct PlanRoute {
    pub(crate) labels: Vec<String>,
    /// None is END, or a target that was removed.
    pub(crate) targets: Vec<Option<u16>>,
    /// Any number of targets instead of one.
    pub(crate) many: bool,
}

impl PlanRoute {
    /// The place of the chosen option.
    #[inline]
    pub(crate) fn target(&self, choice: Choice) -> Option<Option<u16>> {
        let at = match choice {
            Choice::Index(at) => Some(at),
            Choice::Label(label) => self.labels.iter().position(|l| l == label),
        };
        at.and_then(|at| self.targets.get(at).copied())
    }
}

pub(crate) struct Plan {
    pub(crate) name: String,
    /// By rank: the byte order of the names.
    pub(crate) nodes: Vec<PlanNode>,
    pub(crate) joins: Vec<PlanJoin>,
    /// Grouped by source in rank order, START's last.
    pub(crate) routes: Vec<PlanRoute>,
    pub(crate) entry: Vec<u64>,
    pub(crate) entry_ends: bool,
    pub(crate) entry_routes: Range<usize>,
    /// Of every described node; none if it was removed.
    pub(crate) rank_of: Vec<Option<u16>>,
    pub(crate) removed: Vec<String>,
    pub(crate) limit: u32,
    /// Nodes that run once nothing else is left to run.
    pub(crate) deferred: Vec<u64>,
    /// Nothing in it needs more than the plain step.
    pub(crate) simple: bool,
    /// Of everything that a pause depends on.
    pub(crate) fingerprint: u64,
}

impl Plan {
    /// The plan of the kept nodes, and for each of its routes the number of the route in the description.
    pub(crate) fn new<C>(g: &GraphBuilder<C>, kept: &[bool], limits: Limits) -> (Plan, Vec<usize>) {
        let mut by_name: Vec<usize> = (0..g.nodes.len()).filter(|i| kept[*i]).collect();
        by_name.sort_by_key(|i| g.nodes[*i].name.as_bytes());
        let mut rank_of = vec![None; g.nodes.len()];
        for (rank, i) in (0_u16..).zip(&by_name) {
            rank_of[*i] = Some(rank);
        }
        let lost = (0..g.nodes.len()).filter(|i| !kept[*i]);
        let mut plan = Plan {
            name: g.name.clone(),
            nodes: Vec::with_capacity(by_name.len()),
            joins: Vec::new(),
            routes: Vec::with_capacity(g.routes.len()),
            entry: Vec::new(),
            entry_ends: false,
            entry_routes: 0..0,
            rank_of,
            removed: lost.map(|i| g.nodes[i].name.clone()).collect(),
            limit: limits.recursion,
            deferred: Vec::new(),
            simple: true,
            fingerprint: 0,
        };
        plan.removed.sort();
        let mut order = Vec::new();
        for i in &by_name {
            let from = NodeId(*i as u16);
            let (next, ends) = plan.edges_from(g, from);
            let routes = plan.add_routes(g, from, &mut order);
            let spec = &g.nodes[*i];
            let set = |list: &Option<Vec<ChanId>>| {
                list.as_ref().map(|l| bits::set_of(g.channels.len(), l.iter().map(|c| c.0)))
            };
            let access = Access { reads: set(&spec.reads), writes: set(&spec.writes) };
            let ranks = |ids: &[NodeId]| bits::set_of(by_name.len(), ids.iter().filter_map(|id| plan.rank(*id)));
            let (goes, sends) = (ranks(&spec.goes_to), ranks(&spec.sends_to));
            let handler = spec.policy.on_error.and_then(|h| plan.rank(h));
            let mut key = RollingHash::new(0);
            key.bytes(spec.name.as_bytes());
            plan.nodes.push(PlanNode {
                name: spec.name.clone(),
                once: spec.once,
                access,
                key: key.value(),
                goes,
                sends,
                takes: spec.takes,
                handler,
                shares: g.shares(spec),
                next,
                ends,
                joins: Vec::new(),
                routes,
            });
        }
        let kept_specs = || g.nodes.iter().zip(&plan.rank_of).filter_map(|(spec, rank)| rank.map(|r| (spec, r)));
        plan.deferred = bits::set_of(by_name.len(), kept_specs().filter(|(s, _)| s.deferred).map(|(_, r)| r));
        plan.simple = kept_specs().all(|(s, _)| {
            let leads = s.goes_to.is_empty() && s.sends_to.is_empty();
            leads
                && !s.deferred
                && s.inner.is_empty()
                && !s.is_subgraph
                && s.shared.is_none()
                && s.takes.is_none()
                && s.policy.is_plain()
        });
        plan.simple &= !plan.routes.iter().any(|r| r.many) && g.effects.is_empty() && !g.full;
        (plan.entry, plan.entry_ends) = plan.edges_from(g, START);
        plan.entry_routes = plan.add_routes(g, START, &mut order);
        plan.add_joins(g);
        plan.fingerprint = plan.hash();
        (plan, order)
    }

    pub(crate) fn rank(&self, id: NodeId) -> Option<u16> {
        self.rank_of.get(usize::from(id.0)).copied().flatten()
    }

    /// The targets of plain edges, and whether one of them is END.
    fn edges_from<C>(&self, g: &GraphBuilder<C>, from: NodeId) -> (Vec<u64>, bool) {
        let targets = || g.edges.iter().filter(|(f, _)| *f == from).map(|(_, to)| *to);
        let n = self.rank_of.iter().flatten().count();
        (bits::set_of(n, targets().filter_map(|to| self.rank(to))), targets().any(|to| to == END))
    }

    fn add_routes<C>(&mut self, g: &GraphBuilder<C>, from: NodeId, order: &mut Vec<usize>) -> Range<usize> {
        let first = self.routes.len();
        for (i, route) in g.routes.iter().enumerate().filter(|(_, r)| r.from == from) {
            let labels = route.options.iter().map(|(label, _)| label.clone()).collect();
            let targets = route.options.iter().map(|(_, to)| self.rank(*to)).collect();
            let many = matches!(route.router, crate::builder::Router::Many(_));
            self.routes.push(PlanRoute { labels, targets, many });
            order.push(i);
        }
        first..self.routes.len()
    }

    /// Joins of the members that are left; equal joins are one, as equal edges are.
    fn add_joins<C>(&mut self, g: &GraphBuilder<C>) {
        for (members, to) in &g.joins {
            let Some(to) = self.rank(*to) else { continue };
            let members = bits::set_of(self.nodes.len(), members.iter().filter_map(|m| self.rank(*m)));
            let known = self.joins.iter().any(|j| j.to == to && j.members == members);
            if known || bits::is_empty(&members) {
                continue;
            }
            let number = self.joins.len() as u16;
            for member in bits::members(&members) {
                self.nodes[usize::from(member)].joins.push(number);
            }
            self.joins.push(PlanJoin { members, to });
        }
    }

    fn hash(&self) -> u64 {
        let mut hash = RollingHash::new(0);
        for node in &self.nodes {
            hash.bytes(node.name.as_bytes());
            node.next.iter().for_each(|w| hash.word(*w));
            hash.word(node.routes.end as u64);
        }
        for join in &self.joins {
            join.members.iter().for_each(|w| hash.word(*w));
            hash.word(u64::from(join.to));
        }
        for route in &self.routes {
            for (label, target) in route.labels.iter().zip(&route.targets) {
                hash.bytes(label.as_bytes());
                hash.word(u64::from(target.unwrap_or(END.0)));
            }
        }
        hash.value()
    }

    /// Words of a frontier.
    pub(crate) fn words(&self) -> usize {
        bits::words_for(self.nodes.len())
    }

    /// Words of all barriers: one set of arrived members a join.
    pub(crate) fn barrier_words(&self) -> usize {
        self.joins.len() * self.words()
    }

    /// Notes that a node has run: its plain successors and its arrival at barriers. True if a barrier saw it.
    #[inline]
    pub(crate) fn leave(&self, rank: u16, node: &PlanNode, next: &mut [u64], arrived: &mut [u64]) -> bool {
        bits::add(next, &node.next);
        let words = next.len();
        for join in &node.joins {
            let first = usize::from(*join) * words;
            bits::insert(&mut arrived[first..first + words], rank);
        }
        !node.joins.is_empty()
    }

    /// Releases the barriers that are full: their targets run next, and they wait for all members again.
    #[inline]
    pub(crate) fn release(&self, next: &mut [u64], arrived: &mut [u64]) {
        let words = next.len();
        for (join, seen) in self.joins.iter().zip(arrived.chunks_exact_mut(words)) {
            if bits::covers(seen, &join.members) && !bits::has(&self.deferred, join.to) {
                bits::insert(next, join.to);
                seen.fill(0);
            }
        }
    }

    /// As `release`, for the joins into deferred nodes.
    pub(crate) fn release_deferred(&self, next: &mut [u64], arrived: &mut [u64]) {
        let words = next.len();
        for (join, seen) in self.joins.iter().zip(arrived.chunks_exact_mut(words)) {
            if bits::has(&self.deferred, join.to) && bits::covers(seen, &join.members) {
                bits::insert(next, join.to);
                seen.fill(0);
            }
        }
    }

    /// The rank of a target that a node or router chose by itself; none is END or a target that was removed.
    pub(crate) fn target(
        &self,
        id: NodeId,
        declared: impl Fn(u16) -> bool,
        how: &'static str,
    ) -> Result<Option<u16>, NodeError> {
        if id == END {
            return Ok(None);
        }
        match self.rank_of.get(usize::from(id.0)) {
            Some(Some(rank)) if declared(*rank) => Ok(Some(*rank)),
            Some(Some(rank)) => Err(NodeError::UndeclaredTarget { target: self.name_of(u32::from(*rank)), how }),
            Some(None) => Ok(None),
            None => Err(NodeError::UnknownTarget { index: id.0 }),
        }
    }

    /// A packet for the node of a rank.
    pub(crate) fn packet<A: Packed>(&self, to: u16, arg: A) -> Result<Packet, NodeError> {
        let takes = self.nodes.get(usize::from(to)).and_then(|n| n.takes.as_ref()).map(|(id, _)| *id);
        if takes == Some(TypeId::of::<A>()) {
            return Ok(Packet { to, arg: Arc::new(arg) });
        }
        Err(NodeError::WrongPacket { target: self.name_of(u32::from(to)), sent: std::any::type_name::<A>() })
    }

    pub(crate) fn names(&self, set: &[u64]) -> Vec<String> {
        bits::members(set).map(|rank| self.name_of(u32::from(rank))).collect()
    }

    /// The name of a rank; any other number is the input, which START brings.
    pub(crate) fn name_of(&self, rank: u32) -> String {
        self.nodes.get(rank as usize).map_or_else(|| "START".to_owned(), |n| n.name.clone())
    }
}
