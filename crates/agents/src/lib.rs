//! Strategy agents, one file each: a view of the market in, one signal for every instrument out. An agent knows no
//! orders, no account, no other agent's state, no clock and no file.
#![forbid(unsafe_code)]

mod absent;
pub mod expression;
mod long_term;
mod mean_reversion;
mod momentum;
mod parts;
mod rule;

pub use absent::Absent;
pub use long_term::{LongTerm, LongTermParameters};
pub use mean_reversion::{MeanReversion, MeanReversionParameters};
pub use momentum::{Momentum, MomentumParameters};
pub use rule::{Rule, RuleError, RuleSpec};

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::{ColMut, ColRef, Status, all_ok};
use tradegraph_domain::{AgentId, ModelVersion, SignalColumn};
use tradegraph_market::{Bindings, FeatureId, FeatureSpec, View};

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

    /// A rule that is a function of one cell: what it says about an instrument at a moment depends on the features of
    /// that instrument at that moment alone. It is data, not code, so the engine may evaluate it for a whole block of
    /// moments in one pass and no look at a later cell can be expressed. Must equal `decide`.
    fn cellwise(&self) -> Option<Cellwise<'_>> {
        None
    }

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

/// A condition over the features of one cell; the single factor is 1 where it holds and 0 elsewhere, with confidence 1.
#[derive(Clone, Copy, Debug)]
pub struct Cellwise<'a> {
    /// The condition.
    pub condition: &'a expression::Condition,
    /// Columns of the features that it names, in their order.
    pub columns: &'a [FeatureId],
}

impl Cellwise<'_> {
    /// Evaluates cells `0..n` of `features` (as many blocks as columns) into factors, confidence and statuses. A cell
    /// with a feature that is not `Ok` has no opinion and the worst status of those it needs.
    pub fn evaluate<'b>(&self, feature: impl Fn(FeatureId) -> ColRef<'b, f64>, out: &mut SignalColumn<'_>) {
        use expression::Op;
        let (factors, confidence, status) = out.parts();
        if let [Op::Feature(a), Op::Feature(b), Op::Greater] = self.condition.ops()
            && let (Some(a), Some(b)) = (self.columns.get(*a), self.columns.get(*b))
        {
            let mut cells = ColMut::new(factors, status);
            feature(*a).zip_into(feature(*b), &mut cells, |x, y| if x > y { 1.0 } else { 0.0 });
        } else {
            for (i, (f, s)) in factors.iter_mut().zip(status.iter_mut()).enumerate() {
                let cell = |at: usize| self.columns.get(at).map_or(Err(Status::NoData), |id| feature(*id).get(i));
                (*f, *s) = match self.condition.holds(cell) {
                    Ok(holds) => (f64::from(u8::from(holds)), Status::Ok),
                    Err(why) => (0.0, why),
                };
            }
        }
        if all_ok(status) {
            return confidence.fill(1.0);
        }
        for (c, s) in confidence.iter_mut().zip(status.iter()) {
            *c = if *s == Status::Ok { 1.0 } else { 0.0 };
        }
    }
}

/// One strategy of the council: its node's name and whether its agent exists yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strategy {
    /// Name of its node in the council, and of its key in a mandate.
    pub node: &'static str,
    /// File of this crate that holds the agent; `None` for one that comes later and says "no data" until then.
    pub file: Option<&'static str>,
    /// Work of an opinion about one instrument, in counted nanoseconds: near what it takes, the same on every machine.
    pub work_ns: u32,
}

/// The strategies of the council in the order of their agent ids. A test compares the files with the folder.
pub const AGENTS: &[Strategy] = &[
    Strategy { node: "sentiment_analyzer", file: None, work_ns: 10 },
    Strategy { node: "momentum_trader", file: Some("momentum.rs"), work_ns: 10 },
    Strategy { node: "mean_reversion_trader", file: Some("mean_reversion.rs"), work_ns: 10 },
    Strategy { node: "options_trader", file: None, work_ns: 10 },
    Strategy { node: "short_seller", file: None, work_ns: 10 },
    Strategy { node: "long_term_investor", file: Some("long_term.rs"), work_ns: 40 },
    Strategy { node: "rule", file: Some("rule.rs"), work_ns: 5 },
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
            .filter(|f| {
                f.ends_with(".rs") && !["lib.rs", "absent.rs", "expression.rs", "parts.rs"].contains(&f.as_str())
            })
            .collect();
        files.sort();
        let mut registered: Vec<&str> = AGENTS.iter().filter_map(|s| s.file).collect();
        registered.sort_unstable();
        assert_eq!(files, registered);
    }

    /// `docs/agents.md` is what the files say about themselves. `UPDATE_GOLDEN=1` writes it anew.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test reads and writes the docs")]
    fn the_docs_say_what_the_files_say() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut page = String::from("# The agents\n\nEach page is the head of the module's own file.\n");
        let agents = AGENTS.iter().filter_map(|s| s.file).map(|file| format!("agents/src/{file}"));
        for file in agents.chain(["quant/src/fibonacci.rs".to_owned()]) {
            let text = std::fs::read_to_string(root.join("..").join(&file)).unwrap();
            let mut head: Vec<String> = text
                .lines()
                .take_while(|l| l.starts_with("//!"))
                .map(|l| l.trim_start_matches("//!").trim_start().replace("[`", "`").replace("`]", "`"))
                .collect();
            for heading in
                ["What it trades", "Why it should pay", "Inputs", "Formula and source", "Parameters", "Fails when"]
            {
                assert!(head.iter().any(|l| l.starts_with(&format!("**{heading}"))), "{file} lacks \"{heading}\"");
            }
            let title = head.remove(0).trim_end_matches('.').to_owned();
            page.push_str(&format!("\n## {title} (`crates/{file}`)\n{}\n", head.join("\n")));
        }
        let docs = root.join("../../docs/agents.md");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&docs, &page).unwrap();
        }
        assert!(
            std::fs::read_to_string(&docs).is_ok_and(|t| t == page),
            "run with UPDATE_GOLDEN=1 to write {}",
            docs.display()
        );
    }
}
