//! Rule.
//!
//! **What it trades**: what its conditions say, long or short, at full signal.
//!
//! **Why it should pay**: it says nothing about that. It lets a user test one idea, and lets us run the same single
//! rule as other engines do.
//!
//! **Inputs**: the features that the mandate names.
//!
//! **Formula and source**: +1 while `long` holds, −1 while `short` holds, else 0. With an `exit`, a side that was
//! entered is kept until `exit` holds or the other side begins.
//!
//! **Parameters (unit, default, range)**: `features` (a table), `long`, `short`, `exit` (conditions over them).
//!
//! **Fails when**: its idea does.

use crate::expression::{Condition, ExpressionError};
use crate::{Agent, Cellwise};
use tradegraph_columns::Status;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{AgentId, ModelVersion, SignalColumn};
use tradegraph_market::{Bindings, FeatureId, FeatureSpec, View};

/// A rule as the mandate states it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSpec {
    /// Names that the conditions use, with their features.
    pub features: Vec<(String, FeatureSpec)>,
    /// Long while this holds.
    pub long: Option<String>,
    /// Short while this holds.
    pub short: Option<String>,
    /// Keeps a side until this holds.
    pub exit: Option<String>,
}

/// A rule that cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Neither long nor short.
    #[error("a rule needs `long` or `short`")]
    Empty,
    /// A condition that does not parse.
    #[error("`{key}` = \"{text}\": {error}")]
    Condition {
        /// `long`, `short` or `exit`.
        key: &'static str,
        /// The condition.
        text: String,
        /// What is wrong.
        error: ExpressionError,
    },
}

/// The rule agent.
#[derive(Clone, Debug)]
pub struct Rule {
    id: AgentId,
    names: Vec<String>,
    needs: Vec<FeatureSpec>,
    columns: Vec<FeatureId>,
    long: Option<Condition>,
    short: Option<Condition>,
    exit: Option<Condition>,
    texts: [String; 2],
    /// Side of each instrument: −1, 0, 1; used with `exit` only.
    side: Vec<i8>,
}

impl Rule {
    /// Compiles a rule.
    ///
    /// # Errors
    /// `RuleError` naming the key and the place.
    pub fn new(id: AgentId, n_instruments: usize, spec: &RuleSpec) -> Result<Self, RuleError> {
        let names: Vec<String> = spec.features.iter().map(|(name, _)| name.clone()).collect();
        let parse = |key: &'static str, text: &Option<String>| match text {
            Some(text) => Condition::parse(text, &names).map(Some).map_err(|error| RuleError::Condition {
                key,
                text: text.clone(),
                error,
            }),
            None => Ok(None),
        };
        let (long, short, exit) =
            (parse("long", &spec.long)?, parse("short", &spec.short)?, parse("exit", &spec.exit)?);
        if long.is_none() && short.is_none() {
            return Err(RuleError::Empty);
        }
        let side = if exit.is_some() { vec![0; n_instruments] } else { vec![] };
        Ok(Rule {
            id,
            needs: spec.features.iter().map(|(_, s)| *s).collect(),
            columns: vec![],
            names,
            long,
            short,
            exit,
            texts: [spec.long.clone().unwrap_or_default(), spec.short.clone().unwrap_or_default()],
            side,
        })
    }
}

impl Agent for Rule {
    fn id(&self) -> AgentId {
        self.id
    }

    fn version(&self) -> ModelVersion {
        ModelVersion(1)
    }

    fn needs(&self) -> &[FeatureSpec] {
        &self.needs
    }

    fn factors(&self) -> &[&'static str] {
        &["rule"]
    }

    fn bind(&mut self, bindings: &Bindings) {
        self.columns = self.needs.iter().filter_map(|spec| bindings.find(spec)).collect();
    }

    fn decide(&mut self, view: &View<'_>, out: &mut SignalColumn<'_>) {
        if self.columns.len() != self.needs.len() {
            return out.clear(Status::NoData);
        }
        if let Some(rule) = self.cellwise() {
            return rule.evaluate(|id| view.feature(id), out);
        }
        for i in 0..out.len() {
            let feature = |at: usize| view.feature(self.columns[at]).get(i);
            let holds = |c: &Option<Condition>| c.as_ref().map_or(Ok(false), |c| c.holds(feature));
            let sides = (|| Ok((holds(&self.long)?, holds(&self.short)?, holds(&self.exit)?)))();
            match sides {
                Ok((long, short, exit)) => {
                    let now = i8::from(long) - i8::from(short && !long);
                    let side = match self.side.get_mut(i) {
                        Some(kept) => {
                            *kept = if now != 0 {
                                now
                            } else if exit {
                                0
                            } else {
                                *kept
                            };
                            *kept
                        }
                        None => now,
                    };
                    out.set(i, &[f64::from(side)], 1.0);
                }
                Err(why) => out.set_none(i, why),
            }
        }
    }

    fn cellwise(&self) -> Option<Cellwise<'_>> {
        match (&self.long, &self.short, &self.exit) {
            (Some(condition), None, None) if self.columns.len() == self.needs.len() => {
                Some(Cellwise { condition, columns: &self.columns })
            }
            _ => None,
        }
    }

    fn explain(&self, _factor: usize, data: &[Option<f64>]) -> String {
        let values: Vec<String> = self
            .names
            .iter()
            .zip(data)
            .map(|(name, v)| v.map_or_else(|| format!("{name} = ?"), |v| format!("{name} = {v:.6}")))
            .collect();
        let [long, short] = &self.texts;
        let rule = match (long.is_empty(), short.is_empty()) {
            (false, false) => format!("long while {long}, short while {short}"),
            (true, _) => format!("short while {short}"),
            _ => format!("long while {long}"),
        };
        format!("the rule \"{rule}\" with {}", values.join(", "))
    }

    fn save(&self, to: &mut Encoder) {
        to.len(self.side.len());
        self.side.iter().for_each(|s| to.u8((*s).to_le_bytes()[0]));
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let found = from.len("sides of a rule")?;
        if found != self.side.len() {
            let (found, expected) = (found as u64, self.side.len() as u64);
            return Err(DecodeError::Mismatch { what: "sides of a rule", found, expected });
        }
        for s in &mut self.side {
            *s = i8::from_le_bytes([from.u8("side of a rule")?]);
        }
        Ok(())
    }
}
