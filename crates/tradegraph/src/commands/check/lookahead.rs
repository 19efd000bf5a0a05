//! Decisions that know the future: what comes after a moment is changed or cut off, and nothing before it may change.

use super::cut::{actions, perturbed, truncated};
use super::{Subject, worst};
use crate::cli::Context;
use crate::commands::inspect::symbol_of;
use crate::explanation::explain;
use crate::failure::{Failure, Kind};
use crate::trades::OrderStory;
use crate::travel::Passing;
use serde_json::{Value, json};
use std::sync::Arc;
use tradegraph_domain::Timestamp;
use tradegraph_engine::records::{DecisionRecord, Record};
use tradegraph_engine::{BackTest, RunConfig};

/// What was done to the future.
const FUTURES: [&str; 2] = ["changed", "cut off"];

/// Where a decision or an opinion differs.
pub struct Difference {
    /// The moment whose future was changed.
    pub moment: Timestamp,
    /// What was done to it.
    pub future: &'static str,
    /// When the difference shows.
    pub ts: Timestamp,
    /// For people.
    pub text: Vec<String>,
    /// For programs.
    pub json: Value,
}

/// Runs the check; what to say and the document.
pub(super) fn run(
    context: &Context,
    subject: &Subject<'_>,
    moments: usize,
    seed: u64,
) -> Result<(Vec<String>, Value), Failure> {
    let at = spread(subject, moments)?;
    let bar = context.out.bar(at.len() as u64);
    let (found, decisions) = look(subject, &at, seed, &mut |t: Timestamp| {
        bar.set_message(t.date().to_string());
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    let head = format!(
        "lookahead     {}: {} moments from {} to {}, each with its future changed and cut off; {decisions} decisions compared",
        subject.name,
        at.len(),
        at.first().map(Timestamp::to_string).unwrap_or_default(),
        at.last().map(Timestamp::to_string).unwrap_or_default(),
    );
    let mut value = json!({
        "check": "lookahead", "mandate": subject.name, "moments": at.iter().map(Timestamp::to_string).collect::<Vec<_>>(),
        "decisions": decisions, "found": found.is_some(),
    });
    let mut text = vec![head];
    match found {
        None => text.push("result        no decision and no opinion knew the future".to_owned()),
        Some(d) => {
            text.push(format!(
                "result        FOUND: with what comes after {} {}, the decision at {} is another one",
                d.moment, d.future, d.ts
            ));
            text.extend(d.text);
            if let Some(object) = value.as_object_mut() {
                object.insert("difference".to_owned(), d.json);
            }
        }
    }
    Ok((text, value))
}

/// Moments of the first feed, evenly spread; the last lies before the end of the data.
fn spread(subject: &Subject<'_>, n: usize) -> Result<Vec<Timestamp>, Failure> {
    let few = || Failure::new(Kind::Input, "a check needs data of at least ten bars");
    let bars = subject.bars.first().filter(|b| b.rows() >= 10).ok_or_else(few)?;
    let rows = bars.rows();
    // Every feed must have begun.
    let begun = subject.bars.iter().map(|b| b.interval(0).end).max().ok_or_else(few)?;
    let mut at: Vec<Timestamp> =
        (1..=n).map(|k| bars.interval((k * rows / (n + 1)).min(rows - 2)).end).filter(|t| *t >= begun).collect();
    at.dedup();
    if at.is_empty() {
        return Err(Failure::new(Kind::Input, "the feeds of the mandate hardly overlap: no moment can be checked"));
    }
    Ok(at)
}

fn keep(records: Vec<Record>, into: &mut Vec<DecisionRecord>) {
    into.extend(records.into_iter().filter_map(|r| if let Record::Decision(d) = r { Some(*d) } else { None }));
}

/// The first difference, if there is one, and how many decisions were compared.
pub(super) fn look(
    subject: &Subject<'_>,
    moments: &[Timestamp],
    seed: u64,
    progress: &mut dyn FnMut(Timestamp),
) -> Result<(Option<Difference>, usize), Failure> {
    let (mut base, config) = subject.start(&subject.bars, &subject.actions)?;
    let (mut passing, mut known, mut compared) = (Passing::default(), Vec::new(), 0);
    for moment in moments.iter().copied() {
        base.run_to(moment, &mut passing)?;
        keep(std::mem::take(&mut passing.records), &mut known);
        for future in FUTURES {
            let cut = |b| if future == "changed" { perturbed(b, moment, seed) } else { truncated(b, moment) };
            let bars = subject.bars.iter().map(cut).collect::<Result<Vec<_>, _>>()?;
            let kept = match future {
                "changed" => Arc::clone(&subject.actions),
                _ => Arc::new(actions(&subject.actions, |ts| ts <= moment)?),
            };
            let (mut other, theirs) = subject.start(&bars, &kept)?;
            let (mut passing, mut found) = (Passing::default(), Vec::new());
            other.run_to(moment, &mut passing)?;
            keep(passing.records, &mut found);
            compared += known.len();
            let sides = [(&known, &config), (&found, &theirs)];
            if let Some(d) = decisions(sides, moment, future)? {
                return Ok((Some(d), compared));
            }
            if let Some(d) = states(&base, &other, &config, moment, future) {
                return Ok((Some(d), compared));
            }
        }
        progress(moment);
    }
    Ok((None, compared))
}

/// The first decision that only one of them made, or made otherwise.
fn decisions(
    [(a, mine), (b, theirs)]: [(&Vec<DecisionRecord>, &RunConfig); 2],
    moment: Timestamp,
    future: &'static str,
) -> Result<Option<Difference>, Failure> {
    let Some(k) = (0..a.len().max(b.len())).find(|k| a.get(*k) != b.get(*k)) else { return Ok(None) };
    // Of two that stand at the same place, the one that comes first; the other run did nothing then.
    let Some(first) = [a.get(k), b.get(k)].into_iter().flatten().min_by_key(|d| (d.ts, d.order.instrument)) else {
        return Ok(None);
    };
    let (ts, instrument) = (first.ts, first.order.instrument);
    let mut text = vec![format!("instrument    {}", symbol_of(mine, instrument))];
    let mut json = serde_json::Map::new();
    json.insert("moment".to_owned(), json!(moment.to_string()));
    json.insert("future".to_owned(), json!(future));
    json.insert("ts".to_owned(), json!(ts.to_string()));
    json.insert("symbol".to_owned(), json!(symbol_of(mine, instrument)));
    for (name, key, config, d) in [
        ("with the data as they are".to_owned(), "first", mine, a.get(k)),
        (format!("with the future {future}"), "second", theirs, b.get(k)),
    ] {
        text.push(format!("{name}:"));
        let Some(d) = d.filter(|d| d.ts == ts && d.order.instrument == instrument) else {
            text.push("  no order".to_owned());
            json.insert(key.to_owned(), Value::Null);
            continue;
        };
        let story = OrderStory { decision: Some(Box::new(d.clone())), ..OrderStory::default() };
        let explanation = explain(config, &story)?;
        text.extend(explanation.text().lines().map(|line| format!("  {line}")));
        json.insert(key.to_owned(), explanation.json().clone());
    }
    Ok(Some(Difference { moment, future, ts, text, json: Value::Object(json) }))
}

/// Opinions and targets at the moment itself, also where no order came of them.
fn states(
    a: &BackTest,
    b: &BackTest,
    config: &RunConfig,
    moment: Timestamp,
    future: &'static str,
) -> Option<Difference> {
    let opinion = worst(a, b, config).filter(|w| w.difference > 0.0 || w.first.is_some() != w.second.is_some());
    let target = a.targets().zip(b.targets()).and_then(|(a, b)| {
        let k = (0..a.len().max(b.len())).find(|k| a.get(*k) != b.get(*k))?;
        Some((k, a.get(k).copied(), b.get(k).copied()))
    });
    let (text, symbol, detail) = match (opinion, target) {
        (Some(w), _) => (format!("opinion       {}", w.text()), w.symbol.clone(), w.json()),
        (None, Some((k, first, second))) => {
            let symbol = symbol_of(config, tradegraph_domain::InstrumentId(k as u32));
            let share = |n: Option<i64>| n.map_or("none".to_owned(), |n| format!("{:+.7} %", n as f64 / 1e7));
            let text = format!("target        {symbol}: {} and {} of the account", share(first), share(second));
            (text, symbol, json!({ "first": first, "second": second }))
        }
        (None, None) => return None,
    };
    let json = json!({ "moment": moment.to_string(), "future": future, "ts": a.now().to_string(), "symbol": symbol,
        "state": detail });
    Some(Difference { moment, future, ts: a.now(), text: vec![text], json })
}
