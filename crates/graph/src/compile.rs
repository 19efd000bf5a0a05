//! From a described graph to a dense plan: checks what was described, removes what is disabled, ranks nodes by name,
//! proves what `once`, declared writes and breakpoints ask for.
//!
//! The order is: names and ends, structural reachability of the whole graph, removal of disabled nodes, plan, proof.

mod checks;
mod explore;
mod plan;

pub(crate) use plan::{Plan, PlanNode};

use crate::bits;
use crate::builder::{GraphBuilder, Limits, Router};
use crate::channel::ChannelKind;
use crate::effect::Effects;
use crate::error::CompileError;
use crate::exec::Full;
use crate::io::Channels;
use crate::node::{NodeId, START};
use crate::run::Compiled;
use explore::{Questions, Rivals};

impl<C> GraphBuilder<C> {
    /// Validates the graph and makes it runnable.
    ///
    /// # Errors
    /// The first thing that is wrong, with the nodes' names and the remedy.
    pub fn compile(self, limits: Limits) -> Result<Compiled<C>, CompileError> {
        self.check_names()?;
        self.check_ends()?;
        let all = vec![true; self.nodes.len()];
        // A disabled node may hang in the air: it is about to be removed anyway.
        let mut lost = self.nodes.iter().zip(self.reached(&all)).filter(|(node, reached)| !reached && !node.disabled);
        if let Some((node, _)) = lost.next() {
            return Err(CompileError::Unreachable { node: node.name.clone() });
        }
        let kept = self.kept()?;
        let (plan, routes) = Plan::new(&self, &kept, limits);
        self.check_policies(&plan)?;
        let questions = self.questions(&plan);
        explore::prove(&plan, &questions)?;
        Ok(self.assemble(plan, &routes))
    }

    /// The nodes that are left without the disabled ones and without those that only they led to.
    fn kept(&self) -> Result<Vec<bool>, CompileError> {
        let enabled: Vec<bool> = self.nodes.iter().map(|n| !n.disabled).collect();
        let kept = self.reached(&enabled);
        let stays = |to: NodeId| kept.get(usize::from(to.0)).copied().unwrap_or(true);
        let edges = self.edges.iter().copied();
        let options = self.routes.iter().flat_map(|r| r.options.iter().map(|(_, to)| (r.from, *to)));
        if !edges.chain(options).any(|(from, to)| from == START && stays(to)) {
            return Err(CompileError::NoEntry { graph: self.name.clone() });
        }
        match self.breakpoints.iter().find(|b| !stays(**b)) {
            Some(b) => Err(CompileError::BreakpointRemoved { node: self.name_of(*b) }),
            None => Ok(kept),
        }
    }

    /// Which nodes an edge, a route or any member of a join leads to from START, through allowed nodes only.
    fn reached(&self, allowed: &[bool]) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len()];
        let mut open = vec![START];
        while let Some(from) = open.pop() {
            let edges = self.edges.iter().filter(|(f, _)| *f == from).map(|(_, to)| *to);
            let joins = self.joins.iter().filter(|(members, _)| members.contains(&from)).map(|(_, to)| *to);
            let routes = self.routes.iter().filter(|r| r.from == from).flat_map(|r| r.options.iter().map(|o| o.1));
            let own = self.nodes.get(usize::from(from.0)).into_iter();
            let own = own.flat_map(|n| n.goes_to.iter().chain(&n.sends_to).chain(&n.policy.on_error)).copied();
            for to in edges.chain(joins).chain(routes).chain(own) {
                let at = usize::from(to.0);
                if allowed.get(at).is_some_and(|a| *a) && reached.get(at).is_some_and(|r| !*r) {
                    reached[at] = true;
                    open.push(to);
                }
            }
        }
        reached
    }

    fn questions(&self, plan: &Plan) -> Questions {
        let n = plan.nodes.len();
        let ranked = || self.nodes.iter().zip(&plan.rank_of).filter_map(|(spec, rank)| rank.map(|r| (spec, r)));
        let once = bits::set_of(n, ranked().filter(|(spec, _)| spec.once).map(|(_, r)| r));
        let breakpoints = bits::set_of(n, self.breakpoints.iter().filter_map(|b| plan.rank(*b)));
        let mut rivals = Vec::new();
        for (channel, at) in self.channels.iter().zip(0_u16..).filter(|(c, _)| c.kind == ChannelKind::Last) {
            let writes = |node: &PlanNode| node.access.writes.as_ref().is_some_and(|w| bits::has(w, at));
            let writers = plan.nodes.iter().zip(0_u16..).filter(|(node, _)| writes(node)).map(|(_, rank)| rank);
            let writers = bits::set_of(n, writers);
            if bits::count(&writers) > 1 {
                rivals.push(Rivals { channel: channel.name.clone(), writers });
            }
        }
        Questions { once, breakpoints, rivals }
    }

    /// Sorts nodes and routers into the plan's order.
    fn assemble(self, plan: Plan, routes: &[usize]) -> Compiled<C> {
        let mut ranked: Vec<_> = self.nodes.into_iter().zip(&plan.rank_of).filter(|(_, rank)| rank.is_some()).collect();
        ranked.sort_by_key(|(_, rank)| **rank);
        let n = ranked.len();
        let (mut nodes, mut policies, mut sharing) =
            (Vec::with_capacity(n), Vec::with_capacity(n), Vec::with_capacity(n));
        for (spec, _) in ranked {
            nodes.push(spec.node);
            policies.push(spec.policy);
            sharing.push(spec.shared);
        }
        let mut effects = Effects::default();
        self.effects.into_iter().for_each(|effect| effects.declare(effect));
        let mut full = Box::new(Full::new(&plan, policies, sharing, effects));
        full.before = bits::set_of(n, self.before.iter().filter_map(|b| plan.rank(*b)));
        full.after = bits::set_of(n, self.after.iter().filter_map(|a| plan.rank(*a)));
        let mut routers: Vec<Option<Router>> = self.routes.into_iter().map(|r| Some(r.router)).collect();
        let routers = routes.iter().filter_map(|r| routers.get_mut(*r).and_then(Option::take)).collect();
        let mut plan = plan;
        let channels = Channels::new(self.channels);
        plan.simple &= !channels.has_moods();
        full.session.name_everything(&channels, &plan);
        Compiled::new(plan, nodes, routers, channels, full)
    }
}
