//! A value without a static type: for interrupts and their answers, requests to the outside, configuration, bindings
//! and tests. A graph whose channels all hold it is LangGraph's dictionary state.

use crate::channel::{Chan, Channel, ChannelValue};
use crate::run::Compiled;
use std::collections::BTreeMap;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Nested values that an encoding may have; deeper bytes are refused.
const MAX_DEPTH: u32 = 64;

/// What JSON can say, with integers apart from floats.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// Values by name, in the order of the names.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// The integer, if it is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        if let Value::Int(i) = self { Some(*i) } else { None }
    }

    /// The list, if it is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Value::List(list) = self { Some(list) } else { None }
    }

    /// What a map holds under a name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        if let Value::Map(map) = self { map.get(key) } else { None }
    }

    /// Python's `+`: lists are joined, texts too, numbers are added (integers wrap). What does not fit replaces.
    pub fn add(&mut self, other: Value) {
        match (&mut *self, other) {
            (Value::List(all), Value::List(more)) => all.extend(more),
            (Value::Text(all), Value::Text(more)) => all.push_str(&more),
            (Value::Int(a), Value::Int(b)) => *a = a.wrapping_add(b),
            (Value::Float(a), Value::Float(b)) => *a += b,
            (_, other) => *self = other,
        }
    }

    /// Appends a value to a list; a list is appended value by value.
    pub fn extend(&mut self, other: Value) {
        if let Value::List(all) = self {
            match other {
                Value::List(more) => all.extend(more),
                one => all.push(one),
            }
        }
    }

    /// Enters the names of another map, which win. What is no map replaces.
    pub fn merge(&mut self, other: Value) {
        match (&mut *self, other) {
            (Value::Map(all), Value::Map(more)) => all.extend(more),
            (_, other) => *self = other,
        }
    }

    fn load_at(from: &mut Decoder<'_>, depth: u32) -> Result<Self, DecodeError> {
        let tag = from.u8("value")?;
        let bad = |what, found| Err(DecodeError::Invalid { what, at: 0, found });
        if depth > MAX_DEPTH {
            return bad("depth of a value", u64::from(depth));
        }
        Ok(match tag {
            0 => Value::Null,
            1 => Value::Bool(from.bool("value")?),
            2 => Value::Int(from.i64("value")?),
            3 => Value::Float(from.f64("value")?),
            4 => Value::Text(from.str("value")?.to_owned()),
            5 => {
                let n = from.len("list")?;
                Value::List((0..n).map(|_| Value::load_at(from, depth + 1)).collect::<Result<_, _>>()?)
            }
            6 => {
                let n = from.len("map")?;
                let pair = |from: &mut Decoder<'_>| Ok((from.str("key")?.to_owned(), Value::load_at(from, depth + 1)?));
                Value::Map((0..n).map(|_| pair(from)).collect::<Result<_, DecodeError>>()?)
            }
            other => return bad("value", u64::from(other)),
        })
    }
}

impl ChannelValue for Value {
    fn save(&self, to: &mut Encoder) {
        match self {
            Value::Null => to.u8(0),
            Value::Bool(b) => {
                to.u8(1);
                to.bool(*b);
            }
            Value::Int(i) => {
                to.u8(2);
                to.i64(*i);
            }
            Value::Float(f) => {
                to.u8(3);
                to.f64(*f);
            }
            Value::Text(text) => {
                to.u8(4);
                to.str(text);
            }
            Value::List(list) => {
                to.u8(5);
                to.len(list.len());
                list.iter().for_each(|v| v.save(to));
            }
            Value::Map(map) => {
                to.u8(6);
                to.len(map.len());
                for (key, value) in map {
                    to.str(key);
                    value.save(to);
                }
            }
        }
    }

    fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Value::load_at(from, 0)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

macro_rules! from {
    ($($t:ty => $variant:ident),*) => { $(
        impl From<$t> for Value {
            fn from(v: $t) -> Self {
                Value::$variant(v.into())
            }
        }
    )* };
}

from!(String => Text, bool => Bool, i64 => Int, i32 => Int, f64 => Float, Vec<Value> => List);

/// An untyped channel.
pub type ValueChan = Chan<Value, Value>;

impl Channel<Value, Value> {
    /// An untyped channel by the name of what it does, saved unless it is `untracked`: `last`, `any`, `add` (Python's
    /// `+`, from an empty list), `sum` (from 0), `merge` (of maps), `topic`, `topic_of_all`, `ephemeral`,
    /// `ephemeral_unguarded`, `untracked`, `after_finish`. None for another name.
    #[must_use]
    pub fn of_values(kind: &str) -> Option<Self> {
        Some(match kind {
            "last" => Channel::empty().saved(),
            "any" => Channel::any().saved(),
            "add" => Channel::reduce(Value::List(Vec::new()), Value::add).saved(),
            "sum" => Channel::reduce(Value::Int(0), Value::add).saved(),
            "merge" => Channel::reduce(Value::Map(BTreeMap::new()), Value::merge).saved(),
            "topic" => Channel::value_topic(false).saved(),
            "topic_of_all" => Channel::value_topic(true).saved(),
            "ephemeral" => Channel::ephemeral().saved(),
            "ephemeral_unguarded" => Channel::ephemeral_unguarded().saved(),
            "untracked" => Channel::untracked(),
            "after_finish" => Channel::after_finish().saved(),
            _ => return None,
        })
    }
}

impl<C> Compiled<C> {
    /// The untyped channel of this name; none if there is none or it has a type.
    #[must_use]
    pub fn value_channel(&self, name: &str) -> Option<ValueChan> {
        let type_id = std::any::TypeId::of::<Value>();
        let mut all = (0_u16..).zip(&self.channels.entries);
        let found = all.find(|(_, e)| e.name == name && e.slot.as_ref().is_some_and(|s| s.takes(type_id, false)));
        found.map(|(index, _)| Chan::new(index))
    }
}
