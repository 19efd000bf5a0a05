//! What is wrong with a graph before it has a plan: names, ends of edges, joins and routes.

use super::Plan;
use crate::bits;
use crate::builder::GraphBuilder;
use crate::channel::ChannelKind;
use crate::error::CompileError;
use crate::node::{END, MAX_ITEMS, NodeId, START};
use crate::policy::Fallback;
use std::collections::BTreeSet;

/// Names that drawings and messages give to START and END.
const RESERVED: [&str; 4] = ["START", "END", "__start__", "__end__"];

impl<C> GraphBuilder<C> {
    pub(super) fn check_names(&self) -> Result<(), CompileError> {
        for (what, found) in [("nodes", self.nodes.len()), ("channels", self.channels.len())] {
            if found > MAX_ITEMS {
                return Err(CompileError::TooMany { what, found, limit: MAX_ITEMS });
            }
        }
        let mut names = BTreeSet::new();
        for node in &self.nodes {
            let name = node.name.clone();
            if name.is_empty() || RESERVED.contains(&name.as_str()) || name.contains([':', '|']) {
                return Err(CompileError::ReservedName { name });
            }
            if !names.insert(&node.name) {
                return Err(CompileError::DuplicateNode { name });
            }
            let declared = node.reads.iter().chain(&node.writes).flatten();
            if let Some(stray) = declared.into_iter().find(|c| usize::from(c.0) >= self.channels.len()) {
                return Err(CompileError::UnknownChannel { node: name, index: stray.0 });
            }
        }
        let mut names = BTreeSet::new();
        match self.channels.iter().find(|c| !names.insert(&c.name)) {
            Some(twice) => Err(CompileError::DuplicateChannel { name: twice.name.clone() }),
            None => Ok(()),
        }
    }

    pub(super) fn check_ends(&self) -> Result<(), CompileError> {
        for (from, to) in &self.edges {
            let place = || format!("edge {} -> {}", self.name_of(*from), self.name_of(*to));
            self.check_source(*from, &place)?;
            self.check_target(*to, &place)?;
        }
        for (members, to) in &self.joins {
            let names: Vec<String> = members.iter().map(|m| self.name_of(*m)).collect();
            let place = || format!("join [{}] -> {}", names.join(", "), self.name_of(*to));
            if members.is_empty() {
                return Err(CompileError::EmptyJoin { place: place() });
            }
            for member in members {
                self.check_source(*member, &place)?;
                if *member == START {
                    return Err(CompileError::StartInJoin { place: place() });
                }
            }
            self.check_target(*to, &place)?;
        }
        for route in &self.routes {
            let node = self.name_of(route.from);
            self.check_source(route.from, &|| format!("route from {node}"))?;
            if route.options.is_empty() {
                return Err(CompileError::EmptyRoute { node });
            }
            let mut labels = BTreeSet::new();
            for (label, to) in &route.options {
                self.check_target(*to, &|| format!("route {node} -{label}-> {}", self.name_of(*to)))?;
                if !labels.insert(label) {
                    return Err(CompileError::DuplicateLabel { node, label: label.clone() });
                }
            }
        }
        for node in &self.nodes {
            for (how, targets) in [("goes_to", &node.goes_to), ("sends_to", &node.sends_to)] {
                for to in targets {
                    self.check_target(*to, &|| format!("`{how}` of {}", node.name))?;
                }
            }
        }
        self.check_packets()?;
        let stops = [(&self.before, "interrupt_before"), (&self.after, "interrupt_after")];
        for (ids, place) in [(&self.strays, "node_mut"), (&self.breakpoints, "breakpoint")].into_iter().chain(stops) {
            if let Some(stray) = ids.iter().find(|id| !self.is_node(**id)) {
                return Err(CompileError::UnknownNode { place: place.to_owned(), index: stray.0 });
            }
        }
        Ok(())
    }

    fn check_source(&self, id: NodeId, place: &dyn Fn() -> String) -> Result<(), CompileError> {
        match id {
            END => Err(CompileError::EndAsSource { place: place() }),
            _ if id == START || self.is_node(id) => Ok(()),
            _ => Err(CompileError::UnknownNode { place: place(), index: id.0 }),
        }
    }

    fn check_target(&self, id: NodeId, place: &dyn Fn() -> String) -> Result<(), CompileError> {
        match id {
            START => Err(CompileError::StartAsTarget { place: place() }),
            _ if id == END || self.is_node(id) => Ok(()),
            _ => Err(CompileError::UnknownNode { place: place(), index: id.0 }),
        }
    }

    fn is_node(&self, id: NodeId) -> bool {
        usize::from(id.0) < self.nodes.len()
    }

    /// Whoever is sent to must say what it takes, and may not be `once`: nothing bounds the packets.
    fn check_packets(&self) -> Result<(), CompileError> {
        for node in &self.nodes {
            for to in node.sends_to.iter().filter_map(|to| self.nodes.get(usize::from(to.0))) {
                if to.takes.is_none() {
                    return Err(CompileError::TakesNothing { node: node.name.clone(), target: to.name.clone() });
                }
            }
        }
        match self.nodes.iter().find(|n| n.takes.is_some() && n.once) {
            Some(n) => Err(CompileError::OncePacket { node: n.name.clone() }),
            None => Ok(()),
        }
    }

    pub(super) fn check_policies(&self, plan: &Plan) -> Result<(), CompileError> {
        for (spec, rank) in self.nodes.iter().zip(&plan.rank_of) {
            let Some(shape) = rank.and_then(|r| plan.nodes.get(usize::from(r))) else { continue };
            let node = || spec.name.clone();
            let policy = &spec.policy;
            let fails = matches!(policy.fallback, Fallback::Fail);
            if policy.fail_closed && !(fails && policy.on_error.is_none()) {
                return Err(CompileError::MustFailClosed { node: node() });
            }
            if policy.bid.is_some() && fails {
                return Err(CompileError::BidWithoutFallback { node: node() });
            }
            if let Some(handler) = policy.on_error
                && plan.rank(handler).is_none()
            {
                return Err(CompileError::UnknownNode { place: format!("`on_error` of {}", node()), index: handler.0 });
            }
            for (name, _, inner) in &spec.inner {
                let outer = self.channels.iter().find(|e| e.name == *name).and_then(|e| e.slot.as_ref());
                if outer.is_some_and(|o| inner.is_none() || o.shares() != *inner) {
                    return Err(CompileError::NotShared { node: node(), channel: name.clone() });
                }
            }
            if let Some(retry) = policy.retry.iter().find(|r| r.attempts == 0) {
                return Err(CompileError::NoAttempt { node: node(), attempts: retry.attempts });
            }
            // What is stored and used again must have an encoding.
            let stores = policy.cache.is_some() || matches!(policy.fallback, Fallback::LastGood { .. });
            let may = |declared: &Option<Vec<u64>>, i: u16| declared.as_ref().is_none_or(|set| bits::has(set, i));
            for (index, entry) in (0_u16..).zip(&self.channels) {
                let Some(slot) = &entry.slot else { continue };
                let untracked = entry.kind == ChannelKind::Untracked;
                let written = stores && may(&shape.access.writes, index) && !slot.saves_updates();
                let read = policy.cache.is_some_and(|c| c.key.is_none())
                    && may(&shape.access.reads, index)
                    && !slot.is_saved()
                    && !untracked;
                if written || read {
                    return Err(CompileError::NotStorable { node: node(), channel: entry.name.clone() });
                }
            }
        }
        Ok(())
    }
}
