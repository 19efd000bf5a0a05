//! Other mandates that were tried on the same data: a result that is the best of many is luck in part.

use super::DataUsed;
use crate::mandate::Mandate;
use serde_json::Value;
use std::collections::BTreeMap;
use tradegraph_store::{RunRecord, Store};

/// How many different mandates of a home ran on overlapping data (a common instrument and a common day), the one that is
/// given included, and the annualised Sharpe ratios of the others, each mandate once, as far as they were stored.
pub fn trials(store: &Store, mandate: &Mandate, data: &[DataUsed]) -> (usize, Vec<f64>) {
    let mut seen: BTreeMap<[u8; 32], Option<f64>> = BTreeMap::new();
    let own = mandate.fingerprint();
    for run in store.runs().unwrap_or_default() {
        if let Some((other, sharpe)) = other(&run, data).filter(|(other, _)| *other != own) {
            seen.insert(other, sharpe);
        }
    }
    (seen.len() + 1, seen.into_values().flatten().collect())
}

fn other(run: &RunRecord, data: &[DataUsed]) -> Option<([u8; 32], Option<f64>)> {
    let summary: Value = serde_json::from_str(run.summary.as_deref()?).ok()?;
    let overlaps = summary.get("data")?.as_array()?.iter().any(|theirs| {
        let text = |key: &str| theirs.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (from, to) = (text("from"), text("to"));
        let symbols = theirs.get("symbols").and_then(Value::as_array).cloned().unwrap_or_default();
        data.iter().any(|ours| {
            // Dates of one form order as text does.
            ours.from <= to
                && from <= ours.to
                && symbols.iter().filter_map(Value::as_str).any(|s| ours.symbols.iter().any(|o| o == s))
        })
    });
    let fingerprint = Mandate::parse("", &run.info.mandate).ok()?.fingerprint();
    overlaps.then(|| (fingerprint, summary.pointer("/net/sharpe").and_then(Value::as_f64)))
}
