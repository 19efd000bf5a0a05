//! What time or a fault decided about a task, written down so that a replay decides the same without a clock.

use crate::channel::ChannelValue;
use crate::error::NodeError;
use crate::exec::task::Task;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// How a task ended that was late, failed, or stood back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An attempt was late, a later one was not.
    InTime,
    /// The last attempt was late. The node ran to its end and keeps its state; its output was not used.
    Late,
    /// The node panicked, or stopped at its deadline half-way. It does not run again before it is restored.
    Stopped,
    /// The node failed.
    Failed,
    /// The node stood back for others.
    Yielded,
}

impl Outcome {
    pub(crate) fn of(error: &NodeError, task: &Task) -> Self {
        match error {
            NodeError::Yielded => Outcome::Yielded,
            NodeError::OutOfService => Outcome::Stopped,
            _ if task.half_way => Outcome::Stopped,
            NodeError::Late { .. } => Outcome::Late,
            _ => Outcome::Failed,
        }
    }
}

/// A decision about one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The run of the graph.
    pub cycle: u64,
    /// The step of the run.
    pub step: i64,
    /// The node.
    pub node: String,
    /// The place among the step's packets.
    pub index: Option<u32>,
    /// Attempts that were late.
    pub late: u32,
    /// How it ended.
    pub outcome: Outcome,
}

impl Verdict {
    /// Appends the verdict.
    pub fn save(&self, to: &mut Encoder) {
        to.u64(self.cycle);
        to.i64(self.step);
        to.str(&self.node);
        self.index.save(to);
        to.u32(self.late);
        to.u8(self.outcome as u8);
    }

    /// Reads what [`Verdict::save`] wrote.
    ///
    /// # Errors
    /// Bytes that are no verdict.
    pub fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (cycle, step) = (from.u64("cycle")?, from.i64("step")?);
        let node = from.str("node")?.to_owned();
        let (index, late) = (Option::load(from)?, from.u32("late attempts")?);
        let outcome = match from.u8("outcome")? {
            0 => Outcome::InTime,
            1 => Outcome::Late,
            2 => Outcome::Stopped,
            3 => Outcome::Failed,
            4 => Outcome::Yielded,
            found => return Err(DecodeError::Invalid { what: "outcome", at: 0, found: u64::from(found) }),
        };
        Ok(Verdict { cycle, step, node, index, late, outcome })
    }
}

/// Verdicts made, and of a replay those that are forced.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    pub(crate) made: Vec<Verdict>,
    pub(crate) forced: Vec<Verdict>,
}

impl Verdicts {
    pub(crate) fn recorded(&self, cycle: u64, step: i64, node: &str, index: Option<u32>) -> Option<&Verdict> {
        self.forced.iter().find(|v| v.cycle == cycle && v.step == step && v.node == node && v.index == index)
    }
}
