//! What is wrong with a graph before it has a plan: names, ends of edges, joins and routes.

use crate::builder::GraphBuilder;
use crate::error::CompileError;
use crate::node::{END, MAX_ITEMS, NodeId, START};
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
        for (ids, place) in [(&self.strays, "node_mut"), (&self.breakpoints, "breakpoint")] {
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
}
