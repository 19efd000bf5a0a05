//! Runs on a thread: a history of checkpoints under a name, in which a run can stop, be answered, gone on with, looked
//! back into, changed and branched. The calls are LangGraph's: `invoke`, `invoke(None)` is [`Compiled::proceed`],
//! `Command(resume=…)` is [`Compiled::answer`], `get_state` is [`Compiled::state`].

mod nested;
mod position;
mod session;
mod state;

pub use nested::SubgraphState;
pub(crate) use session::{Pending, Session};
pub use state::{Snapshot, Update};

use crate::channel::Chan;
use crate::dynamic::Value;
use crate::error::{ChannelError, RunError};
use crate::interrupt::{Ask, InterruptId, Loose};
use crate::io::{Channels, Reads};
use crate::node::NodeId;
use crate::run::{Compiled, Go, INPUT, RunStats, Stop};
use crate::saver::{CheckpointId, Durability, Saver, Source, Spot};
use std::sync::Arc;

/// A thread, at its newest checkpoint or at another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    pub(crate) thread: String,
    pub(crate) checkpoint: Option<CheckpointId>,
    /// The checkpoint of a namespace from which to go, before and after the ones around it are found.
    pub(crate) within: Option<Spot>,
    pub(crate) inside: Vec<Spot>,
}

impl At {
    /// The newest checkpoint of a thread; a thread begins with its first input.
    #[must_use]
    pub fn thread(name: impl Into<String>) -> Self {
        At { thread: name.into(), checkpoint: None, within: None, inside: Vec::new() }
    }

    /// The thread's name.
    #[must_use]
    pub fn thread_name(&self) -> &str {
        &self.thread
    }

    /// Another checkpoint of the thread.
    #[must_use]
    pub fn checkpoint(&self, id: CheckpointId) -> Self {
        At { thread: self.thread.clone(), checkpoint: Some(id), within: None, inside: Vec::new() }
    }

    /// A checkpoint of a subgraph's namespace, to run from: the subgraph goes on there, and the graphs around it where
    /// they were when it was made.
    #[must_use]
    pub fn within(&self, ns: impl Into<String>, id: CheckpointId) -> Self {
        let within = Some((ns.into(), id));
        At { thread: self.thread.clone(), checkpoint: None, within, inside: Vec::new() }
    }
}

/// Why a run returned.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// Nothing is left to run.
    Done,
    /// Questions wait for answers.
    Asked(Vec<Ask>),
    /// The step with these nodes would be next.
    Before(Vec<String>),
    /// The step with these nodes was the last.
    After(Vec<String>),
    /// It was asked to stop at the next step.
    Drained,
}

/// What a run on a thread came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Why it returned.
    pub end: End,
    /// How much it did.
    pub stats: RunStats,
    /// The newest checkpoint; none without a saver.
    pub checkpoint: Option<CheckpointId>,
}

/// Where input and updates are written.
pub struct Input<'a> {
    channels: &'a mut Channels,
    writer: u32,
}

impl Input<'_> {
    /// Writes to a channel, through its reducer.
    ///
    /// # Errors
    /// The channel is only declared or of another graph.
    pub fn write<T, U: Send + Sync + 'static>(&mut self, chan: Chan<T, U>, update: U) -> Result<(), ChannelError> {
        self.channels.write(chan, self.writer, update)
    }

    /// Replaces the value of a channel past its reducer.
    ///
    /// # Errors
    /// As [`Input::write`].
    pub fn overwrite<T: Send + Sync + 'static, U>(&mut self, chan: Chan<T, U>, value: T) -> Result<(), ChannelError> {
        self.channels.overwrite(chan, self.writer, value)
    }

    /// The values before the update.
    #[must_use]
    pub fn reads(&self) -> Reads<'_> {
        Reads::new(self.channels, crate::channel::slot::NOBODY)
    }
}

type Write<'a> = Box<dyn FnOnce(&mut Input<'_>) -> Result<(), ChannelError> + 'a>;

/// How a thread goes on: with answers, a change of its state, nodes to go to; LangGraph's `Command` as an input.
#[derive(Default)]
pub struct Command<'a> {
    answer: Option<Value>,
    answers: Vec<(InterruptId, Value)>,
    update: Option<Write<'a>>,
    gotos: Vec<NodeId>,
}

impl<'a> Command<'a> {
    /// Just goes on.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The answer to the only question that waits.
    #[must_use]
    pub fn answer(mut self, value: impl Into<Value>) -> Self {
        self.answer = Some(value.into());
        self
    }

    /// The answer to a question.
    #[must_use]
    pub fn answer_to(mut self, id: InterruptId, value: impl Into<Value>) -> Self {
        self.answers.push((id, value.into()));
        self
    }

    /// Changes the state before the run goes on.
    #[must_use]
    pub fn update(mut self, write: impl FnOnce(&mut Input<'_>) -> Result<(), ChannelError> + 'a) -> Self {
        self.update = Some(Box::new(write));
        self
    }

    /// Runs a node beside what would run anyway.
    #[must_use]
    pub fn goto(mut self, node: NodeId) -> Self {
        self.gotos.push(node);
        self
    }
}

impl<C> Compiled<C> {
    /// Gives the graph a saver. Runs on threads save their checkpoints there.
    pub fn attach(&mut self, saver: Arc<dyn Saver>, durability: Durability) {
        self.full.session.home = Some((saver, durability));
        self.full.session.current = None;
    }

    /// Begins a run with input on a thread. Unfinished work of the thread is dropped; its values stay. Without a saver
    /// the run begins with initial values, and cannot be answered or gone on with.
    ///
    /// # Errors
    /// Whatever ended the run early. What was finished of the step is saved, and [`Compiled::proceed`] takes it up.
    pub fn invoke(
        &mut self,
        ctx: &mut C,
        at: &At,
        input: impl FnOnce(&mut Input<'_>) -> Result<(), ChannelError>,
    ) -> Result<Outcome, RunError> {
        self.open(at)?;
        self.take_input(input)?;
        self.finish(ctx, Go::Input)
    }

    /// Goes on where the thread is: past a breakpoint, after a failure, a drain or an update, or again from an old
    /// checkpoint, which begins a new branch. Questions without answers are asked again.
    ///
    /// # Errors
    /// As [`Compiled::invoke`], and without a saver or a checkpoint.
    pub fn proceed(&mut self, ctx: &mut C, at: &At) -> Result<Outcome, RunError> {
        self.command(ctx, at, Command::new())
    }

    /// Answers the only question that waits and goes on.
    ///
    /// # Errors
    /// As [`Compiled::proceed`]; no question or more than one waits.
    pub fn answer(&mut self, ctx: &mut C, at: &At, value: impl Into<Value>) -> Result<Outcome, RunError> {
        self.command(ctx, at, Command::new().answer(value))
    }

    /// Goes on with everything that a command can bring.
    ///
    /// # Errors
    /// As [`Compiled::proceed`] and [`Compiled::answer`].
    pub fn command(&mut self, ctx: &mut C, at: &At, command: Command<'_>) -> Result<Outcome, RunError> {
        if self.full.session.home.is_none() {
            return Err(RunError::NoSaver);
        }
        let at = &*self.settle(at)?;
        if !self.open(at)? {
            return Err(RunError::NoCheckpoint { thread: at.thread.clone() });
        }
        self.apply_nulls()?;
        let Command { answer, answers, update, gotos } = command;
        let loose = answer.clone().map(Loose::new);
        let given = self.match_answers(answer, answers)?;
        let superseded = self.is_superseded(at.checkpoint)?;
        let travels = at.checkpoint.is_some() && given.is_empty();
        if travels || superseded {
            self.full.session.forget_finished(travels);
        }
        (self.full.env.given, self.full.env.loose) = (given, loose);
        let change = self.take_change(update, &gotos)?;
        let edited = matches!(self.full.session.source, Source::Update | Source::Fork);
        let session_id = self.full.session.id;
        let bound = if edited { self.full.session.parent } else { session_id };
        if let Some(link) = &mut self.full.env.link {
            link.before = travels.then_some(bound.map_or(0, |id| id.seq)).filter(|_| at.checkpoint.is_some());
        }
        if travels && (!edited || superseded) {
            self.full.session.pending.clear();
            self.put(Source::Fork)?;
        } else if let Some(record) = change {
            self.keep_null(record)?;
        }
        self.finish(ctx, Go::On)
    }

    /// Asks the runs of this graph to stop at the next step boundary; they end with [`End::Drained`].
    #[must_use]
    pub fn drain(&self) -> Drain {
        Drain { flag: self.full.env.drain.clone() }
    }

    fn take_input(&mut self, input: impl FnOnce(&mut Input<'_>) -> Result<(), ChannelError>) -> Result<(), RunError> {
        self.apply_nulls()?;
        self.channels.discard();
        let written = input(&mut Input { channels: &mut self.channels, writer: INPUT });
        if let Err(error) = written {
            self.channels.discard();
            return Err(error.into());
        }
        Ok(())
    }

    /// Applies a command's change and gives its record.
    fn take_change(&mut self, update: Option<Write<'_>>, gotos: &[NodeId]) -> Result<Option<Vec<u8>>, RunError> {
        if update.is_none() && gotos.is_empty() {
            return Ok(None);
        }
        let mut task = crate::exec::task::Task::default();
        for goto in gotos {
            task.gotos.push(self.rank_or_stray(*goto)?);
        }
        if let Some(update) = update {
            self.take_input(update)?;
        }
        let record = crate::exec::encode(&task, INPUT, &self.channels);
        self.merge()?;
        task.gotos.iter().for_each(|to| crate::bits::insert(&mut self.frontier, *to));
        Ok(record)
    }

    fn match_answers(
        &self,
        bare: Option<Value>,
        mut answers: Vec<(InterruptId, Value)>,
    ) -> Result<Vec<(InterruptId, Value)>, RunError> {
        let waiting = self.full.session.waiting();
        if let Some(value) = bare {
            match waiting.as_slice() {
                [one] => answers.push((*one, value)),
                [] => return Err(RunError::NothingAsked),
                _ => return Err(RunError::Ambiguous { waiting }),
            }
        }
        match answers.iter().find(|(id, _)| !waiting.contains(id)) {
            Some((id, _)) => Err(RunError::NoSuchQuestion { id: *id, waiting }),
            None => Ok(answers),
        }
    }

    /// Runs what was opened, and closes it.
    pub(crate) fn finish(&mut self, ctx: &mut C, go: Go) -> Result<Outcome, RunError> {
        let run = self.go(ctx, go);
        let closed = self.close();
        let (stop, stats) = run?;
        closed?;
        let session = &self.full.session;
        let end = match stop {
            Stop::Ended => End::Done,
            Stop::Asked => End::Asked(session.asks()),
            Stop::Before(nodes) => End::Before(nodes),
            Stop::After(nodes) => End::After(nodes),
            Stop::Drained => {
                self.full.env.drain.store(false, std::sync::atomic::Ordering::SeqCst);
                End::Drained
            }
        };
        Ok(Outcome { end, stats, checkpoint: session.saved })
    }
}

/// Stops runs of a graph from elsewhere.
#[derive(Clone, Debug)]
pub struct Drain {
    flag: Arc<std::sync::atomic::AtomicBool>,
}

impl Drain {
    /// Asks for it. The run that stops takes the request with it.
    pub fn request(&self) {
        self.flag.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}
