//! Drawings of a compiled graph as Mermaid text. Lines: `-->` edge, `==>` join, `-.->` option of a route. A node
//! with a double border is `once`, a hexagon is deferred; gotos, packets and error handlers are labelled dotted lines. Drawings are stable: nodes in rank order, then each node's lines.

use crate::bits;
use crate::channel::ChannelKind;
use crate::run::Compiled;
use std::fmt::Write;

impl<C> Compiled<C> {
    /// The flow of control.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut out = String::from("flowchart TD\n    START([START])\n");
        self.draw_nodes(&mut out);
        out.push_str("    END([END])\n");
        self.draw_edges(&mut out, "START", &self.plan.entry, self.plan.entry_ends);
        self.draw_routes(&mut out, "START", self.plan.entry_routes.clone());
        for (rank, node) in (0_u16..).zip(&self.plan.nodes) {
            let from = format!("n{rank}");
            // What nothing follows ends the branch, as an edge to END would.
            let leads = !bits::is_empty(&node.goes) || !bits::is_empty(&node.sends);
            let last = bits::is_empty(&node.next) && node.joins.is_empty() && node.routes.is_empty() && !leads;
            self.draw_edges(&mut out, &from, &node.next, node.ends || last);
            self.draw_routes(&mut out, &from, node.routes.clone());
            for (label, targets) in [("goto", &node.goes), ("packets", &node.sends)] {
                bits::members(targets)
                    .for_each(|to| line(&mut out, &from, &format!("-.->|{label}|"), &format!("n{to}")));
            }
            if let Some(handler) = node.handler {
                line(&mut out, &from, "-.->|error|", &format!("n{handler}"));
            }
        }
        for join in &self.plan.joins {
            let members: Vec<String> = bits::members(&join.members).map(|m| format!("n{m}")).collect();
            line(&mut out, &members.join(" & "), "==>", &format!("n{}", join.to));
        }
        out
    }

    /// The flow of data: which nodes declare reading and writing which channels.
    #[must_use]
    pub fn mermaid_data(&self) -> String {
        let mut out = String::from("flowchart LR\n");
        self.draw_nodes(&mut out);
        for (at, channel) in self.channels.entries.iter().enumerate() {
            let kind = match channel.kind {
                ChannelKind::Last => "last",
                ChannelKind::Any => "any",
                ChannelKind::Reduce => "reduce",
                ChannelKind::Topic => "topic",
                ChannelKind::Ephemeral => "ephemeral",
                ChannelKind::Untracked => "untracked",
                ChannelKind::AfterFinish => "after finish",
                ChannelKind::External => "external",
                ChannelKind::Rows => "rows",
            };
            let _ = writeln!(out, "    c{at}[(\"{} ({kind})\")]", text(&channel.name));
        }
        for (rank, node) in self.plan.nodes.iter().enumerate() {
            for chan in node.access.reads.iter().flat_map(|set| bits::members(set)) {
                line(&mut out, &format!("c{chan}"), "-->", &format!("n{rank}"));
            }
            for chan in node.access.writes.iter().flat_map(|set| bits::members(set)) {
                line(&mut out, &format!("n{rank}"), "-->", &format!("c{chan}"));
            }
        }
        out
    }

    fn draw_nodes(&self, out: &mut String) {
        for (rank, node) in self.plan.nodes.iter().enumerate() {
            let deferred = bits::has(&self.plan.deferred, rank as u16);
            let (open, close) = match (node.once, deferred) {
                (true, _) => ("[[", "]]"),
                (_, true) => ("{{", "}}"),
                _ => ("[", "]"),
            };
            let _ = writeln!(out, "    n{rank}{open}\"{}\"{close}", text(&node.name));
        }
    }

    fn draw_edges(&self, out: &mut String, from: &str, next: &[u64], ends: bool) {
        for to in bits::members(next) {
            line(out, from, "-->", &format!("n{to}"));
        }
        if ends {
            line(out, from, "-->", "END");
        }
    }

    fn draw_routes(&self, out: &mut String, from: &str, routes: std::ops::Range<usize>) {
        for route in self.plan.routes.get(routes).unwrap_or_default() {
            for (label, target) in route.labels.iter().zip(&route.targets) {
                let to = target.map_or_else(|| "END".to_owned(), |t| format!("n{t}"));
                line(out, from, &format!("-.->|\"{}\"|", text(label)), &to);
            }
        }
    }
}

fn line(out: &mut String, from: &str, arrow: &str, to: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "    {from} {arrow} {to}");
}

/// Mermaid ends a quoted text at `"` and reads `#` as the start of an entity.
fn text(name: &str) -> String {
    name.replace('#', "#35;").replace('"', "#quot;")
}
