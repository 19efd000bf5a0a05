//! `Actions`: the corporate actions of a run, checked and hashed. `Adjustments`: what they make of one batch.
//!
//! Each instrument carries two cumulative forward factors that start at 1. At a split of `new` for `old` both are
//! multiplied by new / old; at a dividend D the total factor is multiplied by P / (P − D), P being the last close
//! before the ex-date. Price features run on price × total factor and volume on volume ÷ split factor, so no kernel's
//! state is ever rescaled and nothing later than the row itself is looked at. `derive` and `from_columns` make actions
//! of what sources print.

mod derive;

pub use derive::{
    AdjustedClose, ColumnError, Derivation, Derived, Doubt, DoubtKind, PrintedAction, derive, from_columns,
};

use crate::batch::Batch;
use tradegraph_domain::{ActionKind, CorporateAction, InstrumentId, Price, Timestamp};

/// blake3 of the canonical content of a table of actions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ActionsId(pub [u8; 32]);

/// Actions that do not make a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// A ratio with a zero in it.
    #[error("action {at}: a split of {new} for {old} is none")]
    Ratio {
        /// Place in the table.
        at: usize,
        /// Units after.
        new: u32,
        /// Units before.
        old: u32,
    },
    /// A dividend that is not above zero, or a negative final price.
    #[error("action {at}: an amount of {amount} is none")]
    Amount {
        /// Place in the table.
        at: usize,
        /// Found.
        amount: Price,
    },
    /// A name that the table does not have.
    #[error("action {at}: there is no name {name} in the table")]
    Name {
        /// Place in the table.
        at: usize,
        /// Its index.
        name: u32,
    },
    /// Two of a kind for one instrument at one moment.
    #[error("action {at} repeats the one before it")]
    Twice {
        /// Place in the table.
        at: usize,
    },
    /// Something after the end of an instrument.
    #[error("action {at} comes after the delisting of its instrument")]
    AfterDelisting {
        /// Place in the table.
        at: usize,
    },
}

/// The corporate actions of a run in the order in which they happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actions {
    id: ActionsId,
    items: Vec<CorporateAction>,
    names: Vec<String>,
}

impl Actions {
    /// Sorts, checks and hashes.
    ///
    /// # Errors
    /// `ActionError` naming the place in the sorted table.
    pub fn new(mut items: Vec<CorporateAction>, names: Vec<String>) -> Result<Actions, ActionError> {
        items.sort_unstable();
        for (at, action) in items.iter().enumerate() {
            match action.kind {
                ActionKind::Split { new, old } if new == 0 || old == 0 => {
                    return Err(ActionError::Ratio { at, new, old });
                }
                ActionKind::Dividend { amount, .. } if amount.nano() <= 0 => {
                    return Err(ActionError::Amount { at, amount });
                }
                ActionKind::Delisting { price } if price.nano() < 0 => {
                    return Err(ActionError::Amount { at, amount: price });
                }
                ActionKind::Rename { name } if name as usize >= names.len() => {
                    return Err(ActionError::Name { at, name });
                }
                _ => {}
            }
        }
        let same = |a: &CorporateAction, b: &CorporateAction| {
            (a.ts, a.instrument) == (b.ts, b.instrument)
                && std::mem::discriminant(&a.kind) == std::mem::discriminant(&b.kind)
        };
        if let Some(at) = items.windows(2).position(|w| same(&w[0], &w[1])) {
            return Err(ActionError::Twice { at: at + 1 });
        }
        let mut gone = Vec::new();
        for (at, action) in items.iter().enumerate() {
            if gone.contains(&action.instrument) {
                return Err(ActionError::AfterDelisting { at });
            }
            if matches!(action.kind, ActionKind::Delisting { .. }) {
                gone.push(action.instrument);
            }
        }
        Ok(Actions { id: hash(&items, &names), items, names })
    }

    /// Hash of the content.
    #[must_use]
    pub fn id(&self) -> ActionsId {
        self.id
    }

    /// All actions, in the order in which they happen.
    #[must_use]
    pub fn items(&self) -> &[CorporateAction] {
        &self.items
    }

    /// The action of an index.
    #[must_use]
    pub fn get(&self, at: u32) -> Option<&CorporateAction> {
        self.items.get(at as usize)
    }

    /// The symbol that a rename gives.
    #[must_use]
    pub fn name(&self, name: u32) -> Option<&str> {
        self.names.get(name as usize).map(String::as_str)
    }

    /// The symbol that an instrument had at a moment: that of the last rename until then, if there was one.
    #[must_use]
    pub fn symbol_at(&self, i: InstrumentId, ts: Timestamp) -> Option<&str> {
        let until = self.items.partition_point(|a| a.ts <= ts);
        self.items[..until].iter().rev().find_map(|a| match a.kind {
            ActionKind::Rename { name } if a.instrument == i => self.name(name),
            _ => None,
        })
    }

    /// True without actions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// A table without actions.
impl Default for Actions {
    fn default() -> Self {
        Actions { id: hash(&[], &[]), items: vec![], names: vec![] }
    }
}

fn hash(items: &[CorporateAction], names: &[String]) -> ActionsId {
    let mut h = blake3::Hasher::new();
    h.update(b"tradegraph actions 1");
    for a in items {
        let (tag, x, y): (u8, i64, i64) = match a.kind {
            ActionKind::Split { new, old } => (0, new.into(), old.into()),
            ActionKind::Dividend { amount, pay } => (1, amount.nano(), pay.0.into()),
            ActionKind::Rename { name } => (2, name.into(), 0),
            ActionKind::Delisting { price } => (3, price.nano(), 0),
        };
        h.update(&[tag]);
        for word in [a.ts.0, i64::from(a.instrument.0), i64::from(a.ex.0), x, y] {
            h.update(&word.to_le_bytes());
        }
    }
    for name in names {
        h.update(&(name.len() as u64).to_le_bytes());
        h.update(name.as_bytes());
    }
    ActionsId(*h.finalize().as_bytes())
}

/// Cumulative factors of an instrument from a row of a batch on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adjustment {
    /// The first row that becomes known after the action's moment, at which the action comes after what is known.
    pub row: u32,
    /// Whose.
    pub instrument: InstrumentId,
    /// Product of the splits so far; volume is divided by it.
    pub split: f64,
    /// Product of splits and dividends so far; prices are multiplied by it.
    pub total: f64,
}

/// The factors of one batch, in the order of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Adjustments {
    steps: Vec<Adjustment>,
}

/// What one instrument's factors are so far.
#[derive(Clone, Debug)]
struct Factors {
    split: f64,
    total: f64,
    /// Each split with its first row.
    splits: Vec<(usize, f64)>,
}

impl Adjustments {
    /// The factors that actions make of a batch. They start at 1 in its first row, whatever happened before it. A
    /// dividend that is not below the last close before it, in units after the splits since, or before which there is
    /// no close, changes no factor.
    #[must_use]
    pub fn new(actions: &Actions, batch: &Batch) -> Adjustments {
        let rows = batch.rows();
        let ends = batch.ends(0, rows);
        let mut now = vec![Factors { split: 1.0, total: 1.0, splits: vec![] }; batch.width()];
        let mut steps = Vec::new();
        for action in &actions.items {
            let i = action.instrument.index();
            let Some(of) = now.get_mut(i) else { continue };
            let row = ends.partition_point(|end| *end <= action.ts);
            if row == 0 || row == rows {
                continue;
            }
            match action.kind {
                ActionKind::Split { new, old } => {
                    let ratio = f64::from(new) / f64::from(old);
                    of.split *= ratio;
                    of.total *= ratio;
                    of.splits.push((row, ratio));
                }
                ActionKind::Dividend { amount, .. } => {
                    let Some((at, close)) = (0..row).rev().find_map(|k| Some((k, batch.close(k, i)?))) else {
                        continue;
                    };
                    let since = of.splits.iter().filter(|(first, _)| *first > at).map(|(_, ratio)| ratio);
                    let before = since.fold(close.nano() as f64, |price, ratio| price / ratio);
                    let left = before - amount.nano() as f64;
                    if left <= 0.0 {
                        continue;
                    }
                    of.total *= before / left;
                }
                ActionKind::Rename { .. } | ActionKind::Delisting { .. } => continue,
            }
            steps.push(Adjustment { row: row as u32, instrument: action.instrument, split: of.split, total: of.total });
        }
        Adjustments { steps }
    }

    /// All changes, by row; of several for one instrument at one row the last counts.
    #[must_use]
    pub fn steps(&self) -> &[Adjustment] {
        &self.steps
    }

    /// True if nothing is ever adjusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

#[cfg(test)]
mod tests;
