//! Strategy agents, one file each: a view of the market in, one signal for every instrument out. An agent knows no
//! orders, no account, no other agent's state, no clock and no file.
#![forbid(unsafe_code)]

mod absent;
pub mod expression;
mod momentum;
mod rule;

pub use absent::Absent;
pub use momentum::{Momentum, MomentumParameters};
pub use rule::{Rule, RuleError, RuleSpec};

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{AgentId, ModelVersion, SignalColumn};
use tradegraph_market::{Bindings, FeatureSpec, View};

/// The whole contract of a strategy.
pub trait Agent: Send {
    /// Its place in the council.
    fn id(&self) -> AgentId;

    /// The version of the model, part of every signal's record.
    fn version(&self) -> ModelVersion;

    /// The features it reads; equal specs of all agents are one column.
    fn needs(&self) -> &[FeatureSpec];

    /// Upstream agents whose signals it reads; the council joins it on exactly these.
    fn reads(&self) -> &[AgentId] {
        &[]
    }

    /// The names of its factors, in the order in which they are summed.
    fn factors(&self) -> &[&'static str];

    /// Takes the columns of its features, once, before the first decision.
    fn bind(&mut self, bindings: &Bindings);

    /// Gives an opinion about every instrument at one moment. Called in the order of time, once a decision.
    fn decide(&mut self, view: &View<'_>, out: &mut SignalColumn<'_>);

    /// A plain sentence for one factor, given the values of `needs()` at the decision (`None` where there was none).
    fn explain(&self, factor: usize, data: &[Option<f64>]) -> String;

    /// Writes its own state (opinions, not features) canonically.
    fn save(&self, _to: &mut Encoder) {}

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes do not fit this agent.
    fn load(&mut self, _from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// One strategy of the council: its node's name and whether its agent exists yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strategy {
    /// Name of its node in the council, and of its key in a mandate.
    pub node: &'static str,
    /// File of this crate that holds the agent; `None` for one that comes later and says "no data" until then.
    pub file: Option<&'static str>,
}

/// The strategies of the council in the order of their agent ids. A test compares the files with the folder.
pub const AGENTS: &[Strategy] = &[
    Strategy { node: "sentiment_analyzer", file: None },
    Strategy { node: "momentum_trader", file: Some("momentum.rs") },
    Strategy { node: "mean_reversion_trader", file: None },
    Strategy { node: "options_trader", file: None },
    Strategy { node: "short_seller", file: None },
    Strategy { node: "long_term_investor", file: None },
    Strategy { node: "rule", file: Some("rule.rs") },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_agent_file_is_registered() {
        let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files: Vec<String> = std::fs::read_dir(here)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .filter(|f| f.ends_with(".rs") && !["lib.rs", "absent.rs", "expression.rs"].contains(&f.as_str()))
            .collect();
        files.sort();
        let registered: Vec<&str> = AGENTS.iter().filter_map(|s| s.file).collect();
        assert_eq!(files, registered);
    }
}
