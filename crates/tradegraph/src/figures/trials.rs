//! Other mandates that were tried on the same data: a result that is the best of many is luck in part.

use super::DataUsed;
use crate::mandate::Mandate;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use tradegraph_store::{RunRecord, Store};

/// The mandates that were tried, with their annualised Sharpe ratios as far as they were stored.
type Tried = BTreeMap<[u8; 32], Option<f64>>;

/// How many different mandates of a home ran on overlapping data (a common instrument and a common day), members of sweeps and
/// the one that is given included, and the annualised Sharpe ratios of the other runs, each mandate once, as far as they
/// were stored.
pub fn trials(store: &Store, mandate: &Mandate, data: &[DataUsed]) -> (usize, Vec<f64>) {
    let mut seen = tried(Some(store), store.home(), data);
    seen.remove(&mandate.fingerprint());
    (seen.len() + 1, seen.into_values().flatten().collect())
}

/// As [`trials`], of all that a home has; a home without a store may have sweeps.
pub fn trials_of(store: Option<&Store>, home: &Path, data: &[DataUsed]) -> usize {
    tried(store, home, data).len()
}

fn tried(store: Option<&Store>, home: &Path, data: &[DataUsed]) -> Tried {
    let members = crate::sweeps::tried(home, &|theirs| overlaps(theirs, data));
    let mut seen: Tried = members.into_iter().map(|fingerprint| (fingerprint, None)).collect();
    let runs = store.and_then(|s| s.runs().ok()).unwrap_or_default();
    seen.extend(runs.iter().filter_map(|run| other(run, data)));
    seen
}

fn other(run: &RunRecord, data: &[DataUsed]) -> Option<([u8; 32], Option<f64>)> {
    let summary: Value = serde_json::from_str(run.summary.as_deref()?).ok()?;
    if !overlaps(&summary, data) {
        return None;
    }
    let fingerprint = Mandate::parse("", &run.info.mandate).ok()?.fingerprint();
    Some((fingerprint, summary.pointer("/net/sharpe").and_then(Value::as_f64)))
}

/// True if the `data` of a document share an instrument and a day with ours.
fn overlaps(document: &Value, ours: &[DataUsed]) -> bool {
    let all = document.get("data").and_then(Value::as_array);
    all.into_iter().flatten().any(|theirs| {
        let text = |key: &str| theirs.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (from, to) = (text("from"), text("to"));
        let symbols = theirs.get("symbols").and_then(Value::as_array).cloned().unwrap_or_default();
        ours.iter().any(|ours| {
            // Dates of one form order as text does.
            ours.from <= to
                && from <= ours.to
                && symbols.iter().filter_map(Value::as_str).any(|s| ours.symbols.iter().any(|o| o == s))
        })
    })
}
