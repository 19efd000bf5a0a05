//! Opinions that hang on where the data begin: the data begin later, and after a while the opinions must be the same.

use super::cut::{actions, begun_at};
use super::{Subject, Worst, worst};
use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::travel::Passing;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};
use std::sync::Arc;
use tradegraph_domain::Timestamp;

/// Later beginnings, as hundredths of the data.
const BEGINNINGS: [usize; 3] = [10, 25, 50];

/// What a later beginning came to.
pub(super) struct Later {
    /// Where the data begin.
    pub from: Timestamp,
    /// Bars of the first feed after it from which on the opinions looked at agree for good; `None` if they never do.
    pub agrees_after: Option<usize>,
    /// The last moment at which they do not, in bars and time, with the largest difference there.
    pub last: Option<(usize, Timestamp, Worst)>,
    /// The largest difference at the end of the data.
    pub end: f64,
    /// Bars from the beginning to the end.
    pub bars: usize,
}

/// Runs the check; what to say and the document.
pub(super) fn run(context: &Context, subject: &Subject<'_>, tolerance: f64) -> Result<(Vec<String>, Value), Failure> {
    if !(tolerance.is_finite() && tolerance >= 0.0) {
        return Err(Failure::new(Kind::Usage, format!("--tolerance {tolerance}: it must be 0 or more")));
    }
    let bar = context.out.bar(BEGINNINGS.len() as u64);
    let mut all = Vec::new();
    for share in BEGINNINGS {
        all.push(later(subject, share, tolerance)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let found = all.iter().any(|l| l.agrees_after.is_none());
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["data from", "bars", "same opinions after", "difference at the end", "last difference"]);
    for l in &all {
        table.add_row([
            l.from.date().to_string(),
            l.bars.to_string(),
            l.agrees_after.map_or("NEVER".to_owned(), |n| format!("{n} bars")),
            format!("{:.1e}", l.end),
            l.last.as_ref().map_or("none".to_owned(), |(n, ts, w)| format!("bar {n}, {}: {}", ts.date(), w.text())),
        ]);
    }
    let mut text = vec![
        format!("warmup        {}: opinions with the data from later on, within {tolerance:e}", subject.name),
        table.to_string(),
    ];
    text.push(if found {
        "result        FOUND: opinions hang on where the data begin; give the mandate more data before it trades".to_owned()
    } else {
        let most = all.iter().filter_map(|l| l.agrees_after).max().unwrap_or_default();
        format!("result        after {most} bars the beginning is forgotten: opinions before that are not yet the mandate's own")
    });
    let json = all.iter().map(|l| {
        json!({ "from": l.from.to_string(), "bars": l.bars, "agrees_after": l.agrees_after, "difference_at_end": l.end,
            "last": l.last.as_ref().map(|(n, ts, w)| json!({ "bar": n, "ts": ts.to_string(), "opinion": w.json() })) })
    });
    let value = json!({ "check": "warmup", "mandate": subject.name, "tolerance": tolerance, "found": found,
        "beginnings": json.collect::<Vec<_>>() });
    Ok((text, value))
}

/// Bars after the beginning at which opinions are compared: each of the first fifty, then ever fewer, and the last.
fn offsets(bars: usize) -> Vec<usize> {
    let mut out = Vec::new();
    let mut at = 1;
    while at < bars {
        out.push(at);
        at += (at / 20).max(1);
    }
    if bars > 0 {
        out.push(bars);
    }
    out
}

/// The data from a later moment on, against all of them.
pub(super) fn later(subject: &Subject<'_>, share: usize, tolerance: f64) -> Result<Later, Failure> {
    let few = || Failure::new(Kind::Input, "a check needs data of at least 100 bars");
    let first = subject.bars.first().filter(|b| b.rows() >= 100).ok_or_else(few)?;
    let row = first.rows() * share / 100;
    let from = first.interval(row).start;
    let bars = subject.bars.iter().map(|b| begun_at(b, from)).collect::<Result<Vec<_>, _>>()?;
    let kept = Arc::new(actions(&subject.actions, |ts| ts >= from)?);
    let (mut whole, config) = subject.start(&subject.bars, &subject.actions)?;
    let (mut part, _) = subject.start(&bars, &kept)?;
    let n = first.rows() - row;
    let (mut last, mut end) = (None, 0.0);
    for offset in offsets(n) {
        let ts = first.interval(row + offset - 1).end;
        whole.run_to(ts, &mut Passing::default())?;
        part.run_to(ts, &mut Passing::default())?;
        let at = worst(&whole, &part, &config);
        end = at.as_ref().map_or(0.0, |w| w.difference);
        if let Some(w) = at.filter(|w| w.difference > tolerance) {
            last = Some((offset, ts, w));
        }
    }
    let agrees_after = match &last {
        None => Some(0),
        Some((offset, ..)) if *offset == n => None,
        Some((offset, ..)) => offsets(n).into_iter().find(|o| o > offset),
    };
    Ok(Later { from, agrees_after, last, end, bars: n })
}
