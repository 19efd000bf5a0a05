//! A compiled graph as a node of another. Channels of one name are shared by value: in at its start, out at its end.

use crate::error::{NodeError, RunError};
use crate::io::Io;
use crate::node::Node;
use crate::run::{Compiled, Go, INPUT, Stop};
use crate::saver::Link;
use tradegraph_columns::RollingHash;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// What a subgraph keeps between its runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Every run begins anew; a run that stopped is gone on with (LangGraph's `checkpointer=None`).
    Run,
    /// Its state goes on from run to run of the thread, under the node's name (`checkpointer=True`).
    Thread,
    /// Nothing: a run that stopped begins again from its start (`checkpointer=False`).
    Nothing,
}

pub(crate) struct Subgraph<C> {
    graph: Compiled<C>,
    keep: Keep,
}

impl<C> Subgraph<C> {
    pub(crate) fn new(graph: Compiled<C>, keep: Keep) -> Self {
        Subgraph { graph, keep }
    }
}

/// Where the checkpoints of a subgraph are: under its node's name in the graph around it, for [`Keep::Run`] with the task.
pub(crate) fn namespace(outer: &str, name: &str, keep: Keep, task: u64) -> String {
    let outer = if keep == Keep::Thread { of_thread(outer) } else { outer.to_owned() };
    let mut ns = if outer.is_empty() { name.to_owned() } else { format!("{outer}|{name}") };
    if keep == Keep::Run {
        ns.push_str(&format!(":{task:016x}"));
    }
    ns
}

/// The namespace without its tasks: what a subgraph kept by thread has in every run.
pub(crate) fn of_thread(ns: &str) -> String {
    let names: Vec<&str> = ns.split('|').map(|part| part.split_once(':').map_or(part, |(name, _)| name)).collect();
    names.join("|")
}

impl<C> Node<C> for Subgraph<C> {
    fn run(&mut self, ctx: &mut C, io: &mut Io<'_>) -> Result<(), NodeError> {
        let Some(desk) = io.desk() else { return Err(NodeError::Plain { call: "subgraph", declare: "subgraph" }) };
        let (env, task) = (desk.env, &mut *desk.task);
        let name = desk.plan.name_of(u32::from(task.rank));
        let shares = desk.plan.nodes.get(usize::from(task.rank)).map(|n| n.shares.clone()).unwrap_or_default();
        let resuming = env.resuming;
        let link = env.link.as_ref().filter(|_| self.keep != Keep::Nothing).map(|link| {
            let ns = namespace(&link.ns, &name, self.keep, task.id);
            let outer = env.checkpoint.map(|id| (link.ns.clone(), id));
            Link { ns, outer, ..link.clone() }
        });
        let inner = &mut self.graph.full.env;
        (inner.clock, inner.cycle, inner.replays) = (env.clock.clone(), env.cycle, env.replays);
        inner.drain = env.drain.clone();
        let mut seed = RollingHash::new(task.id);
        seed.bytes(name.as_bytes());
        inner.seed = seed.value();
        let goes_on = self.graph.open_nested(link, resuming).map_err(NodeError::failed)?;
        self.graph.full.env.loose = task.loose.clone();
        self.graph.full.env.given = env.given.iter().chain(&task.known).cloned().collect();
        // Answers belong to the task as well, for a subgraph that keeps nothing and begins again.
        for answer in &env.given {
            if !task.known.contains(answer) {
                task.known.push(answer.clone());
            }
        }
        if !goes_on {
            for (outer, inner) in &shares {
                if let Some(value) = io.export(*outer) {
                    self.graph.channels.import(*inner, INPUT, value);
                }
            }
        }
        let run = self.graph.go(ctx, if goes_on { Go::On } else { Go::Input });
        let asks = self.graph.full.session.asks();
        if matches!(run, Ok((Stop::Ended, _))) && self.keep == Keep::Run {
            self.graph.forget_owed();
        }
        let closed = self.graph.close();
        let stop = match run {
            Ok((stop, _)) => stop,
            Err(RunError::ToParent(command)) => {
                for parcel in command.parcels {
                    io.deliver(parcel)?;
                }
                return command.gotos.into_iter().try_for_each(|to| io.goto(to));
            }
            Err(error) => return Err(NodeError::failed(error)),
        };
        closed.map_err(NodeError::failed)?;
        match stop {
            Stop::Asked => {
                if let Some(desk) = io.desk() {
                    desk.task.asks.extend(asks);
                }
                return Err(NodeError::Interrupted);
            }
            Stop::Ended => {}
            Stop::Before(_) | Stop::After(_) | Stop::Drained => return Err(NodeError::Interrupted),
        }
        for (outer, inner) in &shares {
            if let Some(value) = self.graph.channels.export(*inner) {
                io.import(*outer, value);
            }
        }
        Ok(())
    }

    /// On a thread its state is in checkpoints of its own; only nodes that keep state outside channels have more.
    fn save(&self, to: &mut Encoder) {
        self.graph.save_nodes(to);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.graph.load_nodes(from)
    }

    fn subgraph(&self) -> Option<(&Compiled<C>, Keep)> {
        Some((&self.graph, self.keep))
    }

    fn subgraph_mut(&mut self) -> Option<(&mut Compiled<C>, Keep)> {
        Some((&mut self.graph, self.keep))
    }
}
