//! `OwnAgent`: a strategy that is not part of this project and joins the council as one more node. What a program adds is a
//! list of them; which of them take part, and with which numbers, a mandate says.

use std::fmt;
use tradegraph_agents::{AGENTS, Agent, RuleError};
use tradegraph_domain::{AgentId, FeedId};
use tradegraph_portfolio::Role;

/// Nodes of the council that are no strategies.
const NODES: [&str; 5] =
    ["market_data_ingestor", "portfolio_allocator", "risk_manager", "execution_engine", "learning_optimizer"];
/// Keys that every agent has.
const COMMON_KEYS: [&str; 2] = ["data", "weight"];

/// One number that a mandate can give to an agent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// Its name in the mandate.
    pub name: &'static str,
    /// Its value where the mandate says nothing.
    pub default: f64,
    /// Smallest value.
    pub least: f64,
    /// Largest value.
    pub most: f64,
    /// Whether it is a whole number.
    pub whole: bool,
}

/// A strategy of the user's own.
#[derive(Clone, Copy)]
pub struct OwnAgent {
    /// Name of its node in the council, and of its table in a mandate: `[agents.NODE]`.
    pub node: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// What kind of strategy it is: by it the council weights regimes and resolves contradictions.
    pub role: Role,
    /// The numbers that a mandate can give it, beside `weight` and `data`.
    pub keys: &'static [Key],
    /// Makes the agent of one run.
    pub build: fn(&Setup<'_>) -> Result<Box<dyn Agent>, Misfit>,
}

/// Two are equal that read the same mandates: where a function lies in memory says nothing.
impl PartialEq for OwnAgent {
    fn eq(&self, other: &Self) -> bool {
        (self.node, self.role, self.keys) == (other.node, other.role, other.keys)
    }
}

impl fmt::Debug for OwnAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnAgent").field("node", &self.node).field("role", &self.role).finish_non_exhaustive()
    }
}

/// What an agent is made from.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// The id that the agent must answer with.
    pub id: AgentId,
    /// The feed whose bars it reads, as the mandate's `data` says; the first otherwise.
    pub feed: FeedId,
    /// Instruments of the run.
    pub n_instruments: usize,
    keys: &'a [Key],
    values: &'a [f64],
}

impl Setup<'_> {
    /// The value of a key, within its range.
    ///
    /// # Errors
    /// `Misfit` for a key that the agent does not have.
    pub fn number(&self, key: &str) -> Result<f64, Misfit> {
        let at = self.keys.iter().position(|k| k.name == key);
        at.and_then(|at| self.values.get(at).copied()).ok_or_else(|| Misfit::new(key, "among the agent's `keys`"))
    }

    /// The value of a key that is a whole number.
    ///
    /// # Errors
    /// `Misfit` for a key that the agent does not have, or a value that is not a whole number from 0 to 65,535.
    pub fn whole(&self, key: &str) -> Result<u16, Misfit> {
        let x = self.number(key)?;
        let whole = x.fract() == 0.0 && (0.0..=f64::from(u16::MAX)).contains(&x);
        if whole { Ok(x as u16) } else { Err(Misfit::new(key, "a whole number from 0 to 65535")) }
    }
}

/// A key whose value cannot be used, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{key}' must be {expected}")]
pub struct Misfit {
    /// The key.
    pub key: String,
    /// What it must be: "above `fast`".
    pub expected: String,
}

impl Misfit {
    /// A value that does not fit.
    #[must_use]
    pub fn new(key: &str, expected: &str) -> Misfit {
        Misfit { key: key.to_owned(), expected: expected.to_owned() }
    }
}

/// One own agent of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnConfig {
    /// Its id: behind those of `AGENTS`, in the order of the nodes' names.
    pub id: AgentId,
    /// What it is.
    pub agent: OwnAgent,
    /// Its bars.
    pub feed: FeedId,
    /// The values of its keys, in their order.
    pub values: Vec<f64>,
}

impl OwnConfig {
    /// An agent with id `AGENTS.len()` + `place`, its place among the run's own agents by name.
    #[must_use]
    pub fn new(place: usize, agent: OwnAgent, feed: FeedId, values: Vec<f64>) -> OwnConfig {
        let id = u16::try_from(AGENTS.len() + place).unwrap_or(u16::MAX);
        OwnConfig { id: AgentId(id), agent, feed, values }
    }

    /// Makes the agent.
    ///
    /// # Errors
    /// `BuildError` if it cannot be made from its values, or answers with another id.
    pub fn build(&self, n_instruments: usize) -> Result<Box<dyn Agent>, BuildError> {
        let OwnConfig { id, feed, .. } = *self;
        let setup = Setup { id, feed, n_instruments, keys: self.agent.keys, values: &self.values };
        let node = self.agent.node;
        let agent = (self.agent.build)(&setup).map_err(|misfit| BuildError::Own { node, misfit })?;
        if agent.id() != id {
            return Err(BuildError::Id { node, expected: id.0, found: agent.id().0 });
        }
        if agent.factors().is_empty() {
            return Err(BuildError::NoFactors { node });
        }
        Ok(agent)
    }
}

/// An agent that cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BuildError {
    /// A rule that cannot run.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// An own agent that cannot use a value.
    #[error("agents.{node}: {misfit}")]
    Own {
        /// The agent.
        node: &'static str,
        /// The key.
        misfit: Misfit,
    },
    /// An own agent that answers with an id of its choice.
    #[error("agents.{node}: `id()` gives {found}; it must give the id {expected} of its setup")]
    Id {
        /// The agent.
        node: &'static str,
        /// The id of its setup.
        expected: u16,
        /// What it gave.
        found: u16,
    },
    /// An own agent that can have no opinion.
    #[error("agents.{node}: `factors()` is empty; an opinion is the sum of at least one factor")]
    NoFactors {
        /// The agent.
        node: &'static str,
    },
}

/// A list of own agents that a program cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("own agent '{node}': {what}")]
pub struct RegistryError {
    /// The agent.
    pub node: String,
    /// What is wrong, and what it must be.
    pub what: String,
}

/// A word that can be a name in a mandate without quotation marks.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Checks the name of an own agent.
///
/// # Errors
/// `RegistryError` for a name that is taken or no plain word.
pub fn check_node(node: &str) -> Result<(), RegistryError> {
    let wrong = |what: &str| Err(RegistryError { node: node.to_owned(), what: what.to_owned() });
    if !is_plain(node) {
        return wrong("a name is 1 to 64 small letters, digits and '_', a letter first");
    }
    if AGENTS.iter().any(|s| s.node == node) || NODES.contains(&node) {
        return wrong("another node of the council has this name; choose one of its own");
    }
    Ok(())
}

/// Checks what a program adds to the council.
///
/// # Errors
/// `RegistryError` for a name that is taken or no plain word, and for a key that no mandate could give.
pub fn check_own(own: &[OwnAgent]) -> Result<(), RegistryError> {
    for (at, agent) in own.iter().enumerate() {
        let wrong = |what: String| Err(RegistryError { node: agent.node.to_owned(), what });
        check_node(agent.node)?;
        if own.iter().take(at).any(|other| other.node == agent.node) {
            return wrong("another node of the council has this name; choose one of its own".to_owned());
        }
        for (k, key) in agent.keys.iter().enumerate() {
            let twice = agent.keys.iter().take(k).any(|other| other.name == key.name);
            if !is_plain(key.name) || twice || COMMON_KEYS.contains(&key.name) {
                return wrong(format!("key '{}' must be a plain word, once, and not weight or data", key.name));
            }
            // A mandate's numbers have nine decimals and fit 64 bits.
            if !(key.least <= key.default && key.default <= key.most && key.least.abs() <= 1e9 && key.most <= 1e9) {
                return wrong(format!("key '{}' needs least <= default <= most, within -1e9 and 1e9", key.name));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradegraph_agents::Absent;

    const KEY: Key = Key { name: "n", default: 3.0, least: 1.0, most: 9.0, whole: true };

    fn absent(setup: &Setup<'_>) -> Result<Box<dyn Agent>, Misfit> {
        match setup.whole("n")? {
            1 => Ok(Box::new(Absent::new(AgentId(0)))),
            2 => Err(Misfit::new("n", "no two")),
            _ => Ok(Box::new(Absent::new(setup.id))),
        }
    }

    const MINE: OwnAgent = OwnAgent { node: "mine", about: "", role: Role::Other, keys: &[KEY], build: absent };

    #[test]
    fn what_a_program_adds_is_checked() {
        let says = |agent: OwnAgent| check_own(&[MINE, agent]).unwrap_err().to_string();
        assert_eq!(check_own(&[MINE]), Ok(()));
        assert!(says(MINE).contains("another node"));
        assert!(says(OwnAgent { node: "rule", ..MINE }).contains("another node"));
        assert!(says(OwnAgent { node: "risk_manager", ..MINE }).contains("another node"));
        assert!(says(OwnAgent { node: "Two words", ..MINE }).contains("small letters"));
        let keys = |keys| OwnAgent { node: "other", keys, ..MINE };
        assert!(says(keys(const { &[KEY, KEY] })).contains("once"));
        assert!(says(keys(const { &[Key { name: "weight", ..KEY }] })).contains("not weight"));
        assert!(says(keys(const { &[Key { default: 10.0, ..KEY }] })).contains("least <= default"));
    }

    #[test]
    fn an_agent_that_does_not_keep_the_contract_is_refused() {
        let build = |n: f64| OwnConfig::new(0, MINE, FeedId(0), vec![n]).build(1).err().unwrap();
        assert_eq!(build(1.0), BuildError::Id { node: "mine", expected: AGENTS.len() as u16, found: 0 });
        assert_eq!(build(2.0).to_string(), "agents.mine: 'n' must be no two");
        assert_eq!(build(3.0), BuildError::NoFactors { node: "mine" });
        assert_eq!(build(2.5).to_string(), "agents.mine: 'n' must be a whole number from 0 to 65535");
        let none = OwnConfig::new(0, MINE, FeedId(0), vec![]).build(1).err().unwrap();
        assert!(none.to_string().contains("among the agent's `keys`"));
    }
}
