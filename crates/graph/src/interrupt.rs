//! Questions that a run stops for, and how they are named.

use crate::channel::ChannelValue;
use crate::dynamic::Value;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tradegraph_columns::RollingHash;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// The name of a question: the same in every run of the same graph on the same thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InterruptId(pub(crate) u64);

impl InterruptId {
    pub(crate) fn of(task: u64, index: u32) -> Self {
        let mut hash = RollingHash::new(task);
        hash.bytes(b"ask");
        hash.word(u64::from(index));
        InterruptId(hash.value())
    }

    /// The number, for storing and showing it.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }

    /// An id that was stored or shown.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        InterruptId(number)
    }
}

impl fmt::Display for InterruptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The answer to the only question that waits, which goes to whoever asks first if that question is gone: a change of
/// the subgraph that asked it made other tasks of it.
#[derive(Clone, Debug)]
pub(crate) struct Loose(Arc<Mutex<Option<Value>>>);

impl Loose {
    pub(crate) fn new(answer: Value) -> Self {
        Loose(Arc::new(Mutex::new(Some(answer))))
    }

    /// The answer, once.
    pub(crate) fn take(&self) -> Option<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A question that waits for its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// By what it is answered.
    pub id: InterruptId,
    /// The node that asks, of the graph or a subgraph.
    pub node: String,
    /// The effect that is asked; none is a human.
    pub effect: Option<String>,
    /// The question.
    pub value: Value,
}

impl Ask {
    pub(crate) fn save(&self, to: &mut Encoder) {
        to.u64(self.id.0);
        to.str(&self.node);
        self.effect.save(to);
        self.value.save(to);
    }

    pub(crate) fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let id = InterruptId(from.u64("id of a question")?);
        let node = from.str("node")?.to_owned();
        Ok(Ask { id, node, effect: Option::load(from)?, value: Value::load(from)? })
    }
}

pub(crate) fn save_answers(answers: &[(InterruptId, Value)], to: &mut Encoder) {
    to.len(answers.len());
    for (id, value) in answers {
        to.u64(id.0);
        value.save(to);
    }
}

pub(crate) fn load_answers(from: &mut Decoder<'_>) -> Result<Vec<(InterruptId, Value)>, DecodeError> {
    let n = from.len("answers")?;
    (0..n).map(|_| Ok((InterruptId(from.u64("id of a question")?), Value::load(from)?))).collect()
}
