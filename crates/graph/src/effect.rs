//! The outside: a node emits a request and reads answers that were brought in as events. Nothing here calls anybody.
//!
//! A request has an id made of the graph, the run, the step, the node and the order of calls, so a replay emits the
//! same ids. Answers come in with [`Effects::answer`], in the order of the runner's journal. A live runner hands
//! requests to a [`Client`] and writes the answers down in a [`Journal`]; a replay feeds the journal and has no client.

use crate::channel::ChannelValue;
use crate::dynamic::Value;
use crate::error::NodeError;
use std::collections::{BTreeMap, VecDeque};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Requests that may be open; when there are more, the oldest are forgotten, and an ambient node asks again anyway.
const MAX_OPEN: usize = 65_536;

/// The name of a request: the same in every replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub(crate) u64);

impl RequestId {
    /// The number, for the journal.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }

    /// An id from the journal.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        RequestId(number)
    }
}

/// What a node wants from the outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// By what it is answered.
    pub id: RequestId,
    /// The effect.
    pub effect: String,
    /// The node that asks.
    pub node: String,
    /// What is asked.
    pub value: Value,
}

/// An answer and how old it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aged<'a> {
    /// The answer.
    pub value: &'a Value,
    /// The request that it answers.
    pub request: RequestId,
    /// Nanoseconds between the answer and this run.
    pub age_ns: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Answer {
    request: RequestId,
    at_ns: u64,
    value: Value,
}

/// The declared effects with their newest answers, and the requests that have not been taken yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    newest: BTreeMap<String, Option<Answer>>,
    requests: Vec<Request>,
    /// Emitted and not answered, so that a step taken up again does not ask twice; oldest first.
    open: VecDeque<RequestId>,
}

impl Effects {
    pub(crate) fn declare(&mut self, effect: String) {
        self.newest.insert(effect, None);
    }

    pub(crate) fn none(&self) -> bool {
        self.newest.is_empty()
    }

    pub(crate) fn must_have(&self, effect: &str) -> Result<(), NodeError> {
        let known = self.newest.contains_key(effect);
        if known { Ok(()) } else { Err(NodeError::UnknownEffect { effect: effect.to_owned() }) }
    }

    pub(crate) fn newest(&self, effect: &str, now_ns: u64) -> Result<Option<Aged<'_>>, NodeError> {
        let entry = self.newest.get(effect).ok_or_else(|| NodeError::UnknownEffect { effect: effect.to_owned() })?;
        let aged = |a: &'_ Answer| (a.request, now_ns.saturating_sub(a.at_ns));
        Ok(entry.as_ref().map(|a| {
            let (request, age_ns) = aged(a);
            Aged { value: &a.value, request, age_ns }
        }))
    }

    pub(crate) fn emit(&mut self, request: Request) {
        if self.open.contains(&request.id) {
            return;
        }
        if self.open.len() == MAX_OPEN
            && let Some(oldest) = self.open.pop_front()
        {
            self.requests.retain(|r| r.id != oldest);
        }
        self.open.push_back(request.id);
        self.requests.push(request);
    }

    /// Takes the requests that were emitted since the last call, in merge order.
    pub fn take_requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.requests)
    }

    /// Brings an answer in. Of answers to one effect the one brought in last is the newest.
    ///
    /// # Errors
    /// The effect is not declared.
    pub fn answer(&mut self, effect: &str, to: RequestId, value: Value, at_ns: u64) -> Result<(), NodeError> {
        self.must_have(effect)?;
        self.open.retain(|id| *id != to);
        self.newest.insert(effect.to_owned(), Some(Answer { request: to, at_ns, value }));
        Ok(())
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        to.len(self.newest.len());
        for (effect, answer) in &self.newest {
            to.str(effect);
            to.bool(answer.is_some());
            if let Some(answer) = answer {
                to.u64(answer.request.0);
                to.u64(answer.at_ns);
                answer.value.save(to);
            }
        }
    }

    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.requests.clear();
        self.open.clear();
        for _ in 0..from.len("effects")? {
            let effect = from.str("effect")?.to_owned();
            let answer = match from.bool("answer")? {
                true => Some(Answer {
                    request: RequestId(from.u64("request")?),
                    at_ns: from.u64("time of an answer")?,
                    value: Value::load(from)?,
                }),
                false => None,
            };
            self.newest.insert(effect, answer);
        }
        Ok(())
    }
}

/// Somebody outside who answers: a language model, a vendor, a broker. Lives outside this crate.
pub trait Client {
    /// The answer to a request, and when it came in nanoseconds.
    fn call(&mut self, request: &Request) -> (Value, u64);
}

/// The answers of a run in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    entries: Vec<(String, Answer)>,
    next: usize,
}

impl Journal {
    /// Live: asks the client for every request that is open, writes the answers down, and brings them in.
    ///
    /// # Errors
    /// The effect is not declared.
    pub fn record(&mut self, effects: &mut Effects, client: &mut dyn Client) -> Result<(), NodeError> {
        for request in effects.take_requests() {
            let (value, at_ns) = client.call(&request);
            self.entries.push((request.effect.clone(), Answer { request: request.id, at_ns, value: value.clone() }));
            effects.answer(&request.effect, request.id, value, at_ns)?;
        }
        Ok(())
    }

    /// Replay: brings in the recorded answers to the requests that are open. Nobody is called.
    ///
    /// # Errors
    /// A request that the journal does not have at this place: the replay has left the recorded path.
    pub fn replay(&mut self, effects: &mut Effects) -> Result<(), NodeError> {
        for request in effects.take_requests() {
            let entry = self.entries.get(self.next).filter(|(_, answer)| answer.request == request.id);
            let Some((effect, answer)) = entry else {
                return Err(NodeError::NotRecorded { effect: request.effect });
            };
            effects.answer(effect, answer.request, answer.value.clone(), answer.at_ns)?;
            self.next += 1;
        }
        Ok(())
    }

    /// Goes back to the first answer.
    pub fn rewind(&mut self) {
        self.next = 0;
    }

    /// Appends the journal.
    pub fn save(&self, to: &mut Encoder) {
        to.len(self.entries.len());
        for (effect, answer) in &self.entries {
            to.str(effect);
            to.u64(answer.request.0);
            to.u64(answer.at_ns);
            answer.value.save(to);
        }
    }

    /// Reads what [`Journal::save`] wrote.
    ///
    /// # Errors
    /// Bytes that are no journal.
    pub fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut entries = Vec::new();
        for _ in 0..from.len("answers")? {
            let effect = from.str("effect")?.to_owned();
            let (request, at_ns) = (RequestId(from.u64("request")?), from.u64("time of an answer")?);
            entries.push((effect, Answer { request, at_ns, value: Value::load(from)? }));
        }
        Ok(Journal { entries, next: 0 })
    }
}
