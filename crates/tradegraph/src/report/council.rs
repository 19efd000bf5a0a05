//! The council's part of a report: what each agent earned and how often it was right, what was learned, the market's regimes.

use super::Subject;
use super::charts::{short, trace};
use super::page::escape;
use crate::figures::money;
use crate::trades::TradeLog;
use plotly::Scatter;
use plotly::common::{Line, LineShape, Mode};
use serde_json::{Value, json};
use std::fmt::Write;
use tradegraph_domain::{AgentId, Regime, Timestamp, format_nano};
use tradegraph_learning::{Score, Statement};

/// One agent's line.
struct Row {
    /// Its agent's id.
    at: usize,
    name: &'static str,
    line: tradegraph_learning::Line,
    score: Score,
    /// Weight learned, at 1e-9.
    learned: i64,
}

fn statement(s: &Subject<'_>) -> Option<Statement> {
    s.run.state().desk().fusion()?;
    s.run.state().desk().statement()
}

fn rows(s: &Subject<'_>, statement: &Statement) -> Vec<Row> {
    let desk = s.run.state().desk();
    let Some(fusion) = desk.fusion() else { return vec![] };
    let mut out = Vec::new();
    for (at, line) in statement.lines.iter().enumerate() {
        let live = s.prepared.config.agents.iter().any(|a| usize::from(a.id().0) == at);
        let (Some(name), Some(score), true) = (
            s.prepared.config.node(AgentId(u16::try_from(at).unwrap_or(u16::MAX))),
            desk.scoreboard().scores().get(at),
            live,
        ) else {
            continue;
        };
        let learned = fusion.learned().get(at).copied().unwrap_or_default();
        out.push(Row { at, name, line: *line, score: *score, learned });
    }
    out
}

/// Days in each regime: the share of the run's time, by regime.
fn shares(log: &TradeLog, from: Timestamp, to: Timestamp) -> Vec<(Regime, f64)> {
    let length = (to.0 - from.0) as f64;
    let mut out: Vec<(Regime, f64)> = Regime::ALL.iter().map(|(r, _)| (*r, 0.0)).collect();
    let (mut at, mut since) = (Regime::Unknown, from);
    for (ts, regime) in log.regimes.iter().copied().chain([(to, Regime::Unknown)]) {
        if let Some(slot) = out.iter_mut().find(|(r, _)| *r == at) {
            slot.1 += (ts.0 - since.0) as f64 / length.max(1.0);
        }
        (at, since) = (regime, ts);
    }
    out
}

/// Start and end of the run.
fn period(s: &Subject<'_>) -> (Timestamp, Timestamp) {
    let edge = |d: Option<&tradegraph_domain::Date>| d.map_or(Timestamp(0), |d| d.midnight());
    (edge(s.curves.dates.first()), edge(s.curves.dates.last()))
}

/// The section; empty for a direct mandate.
pub fn section(s: &Subject<'_>) -> String {
    let Some(statement) = statement(s) else { return String::new() };
    let percent = |x: Option<f64>| x.map_or("–".to_owned(), |x| format!("{:.1} %", x * 100.0));
    let mut table = String::new();
    for r in rows(s, &statement) {
        let ic = r.score.information_coefficient();
        let wrong = |(n, wrong): (u64, u64)| if n == 0 { None } else { Some(wrong as f64 / n as f64) };
        let net = r.line.net();
        let _ = write!(
            table,
            "<tr><th>{}</th><td>{}</td><td>{}</td><td class=\"{}\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.2}</td></tr>",
            escape(r.name),
            money(&format_nano(r.line.gross)),
            money(&format_nano(r.line.costs)),
            if net < 0 { "down" } else { "up" },
            money(&format_nano(net)),
            percent(r.line.per_exposure()),
            percent(r.score.hit_rate()),
            percent(wrong(r.score.long)),
            percent(wrong(r.score.short)),
            ic.map_or("–".to_owned(), |(ic, e)| format!("{ic:.4} <small>±&#8239;{e:.4}</small>")),
            r.learned as f64 / 1e9,
        );
    }
    let _ = write!(
        table,
        "<tr><th>construction and execution</th><td></td><td></td><td>{}</td><td></td><td></td><td></td><td></td><td></td><td></td></tr>\
         <tr><th>account</th><td></td><td></td><td><b>{}</b></td><td></td><td></td><td></td><td></td><td></td><td></td></tr>",
        money(&format_nano(statement.construction)),
        money(&format_nano(statement.total)),
    );
    let (from, to) = period(s);
    let regimes: Vec<String> = shares(s.log, from, to)
        .iter()
        .filter(|(_, share)| *share > 0.0)
        .map(|(r, share)| format!("{} {:.0} %", r.name(), share * 100.0))
        .collect();
    format!(
        "<section><h2>The council</h2><p>An agent is paid for what it asked for, at every decision, and charged its share of \
         the fees of the trades that it asked for. What is left is the work of construction and execution: weights, sizes, \
         limits, fills. The lines sum to the account's result exactly. False positives are opinions that a price should rise \
         which were followed by a fall, false negatives the opposite; IC is the mean correlation across instruments of opinion \
         and next move.</p><div class=\"scroll\"><table class=\"numbers dense\"><thead><tr><th></th><th>earned</th><th>fees</th>\
         <th>net</th><th>per exposure</th><th>hit rate</th><th>false positives</th><th>false negatives</th><th>IC</th>\
         <th>weight now</th></tr></thead><tbody>{table}</tbody></table></div>\
         <h3>What each agent earned, after fees</h3><div class=\"plot\" id=\"agents\"></div>\
         <h3>Weights that the council learned</h3><p>1 is the equal weight. A lesson is an event of the journal.</p>\
         <div class=\"plot\" id=\"weights\"></div>\
         <h3>Regimes of the market</h3><p>{}. They follow the returns so far, never later ones.</p>\
         <div class=\"plot\" id=\"regimes\"></div>{}</section>",
        if regimes.is_empty() { "Nothing is known yet".to_owned() } else { escape(&regimes.join(" · ")) },
        work(s),
    )
}

/// How often work was too little for all strategies; nothing without a budget.
fn work(s: &Subject<'_>) -> String {
    if s.prepared.config.compute.is_none() {
        return String::new();
    }
    let name = |a: &AgentId| escape(s.prepared.config.node(*a).unwrap_or("?"));
    let waited: Vec<String> = s.log.stood_back.iter().map(|(a, n)| format!("{} {n} times", name(a))).collect();
    let who =
        if waited.is_empty() { "Nobody stood back".to_owned() } else { format!("Stood back: {}", waited.join(", ")) };
    format!(
        "<h3>Work</h3><p>In {} decisions the budget of work was too small for all strategies, which bid for it. \
         {who}; an agent that stands back keeps its last opinion. Work is counted, not measured.</p>",
        s.log.n_short_of_work
    )
}

/// `agents`, `weights` and `regimes`: lists of traces; empty for a direct mandate.
pub fn traces(s: &Subject<'_>) -> Value {
    let Some(statement) = statement(s) else { return json!({ "agents": [], "weights": [], "regimes": [] }) };
    let live = rows(s, &statement);
    let days: Vec<String> = s.log.results.iter().map(|(ts, _)| ts.date().to_string()).collect();
    let earned = |of: &dyn Fn(&Statement) -> i128| -> Vec<f64> {
        s.log.results.iter().map(|(_, r)| short(of(r) as f64 / 1e9)).collect()
    };
    let line = |name: &str, x: &[String], y: Vec<f64>, shape: LineShape| {
        trace(Scatter::new(x.to_vec(), y).name(name).mode(Mode::Lines).line(Line::new().width(1.4).shape(shape)))
    };
    let mut agents = Vec::new();
    for r in &live {
        let at = r.at;
        agents.push(line(r.name, &days, earned(&|x| x.lines.get(at).map_or(0, |l| l.net())), LineShape::Linear));
    }
    agents.push(line("construction and execution", &days, earned(&|x| x.construction), LineShape::Linear));
    let lessons: Vec<String> = s.log.lessons.iter().map(|(ts, _)| ts.date().to_string()).collect();
    let mut weights = Vec::new();
    for r in &live {
        let at = r.at;
        let of = |l: &tradegraph_learning::Lesson| {
            l.agents.iter().find(|(a, ..)| usize::from(a.0) == at).map_or(1.0, |(_, w, _)| *w as f64 / 1e9)
        };
        let y = s.log.lessons.iter().map(|(_, l)| short(of(l))).collect();
        weights.push(line(r.name, &lessons, y, LineShape::Hv));
    }
    let (from, to) = period(s);
    let mut days = vec![from.date().to_string()];
    let mut names = vec![Regime::Unknown.name()];
    for (ts, regime) in &s.log.regimes {
        days.push(ts.date().to_string());
        names.push(regime.name());
    }
    days.push(to.date().to_string());
    names.extend(names.last().copied());
    let steps = Scatter::new(days, names).name("regime").mode(Mode::Lines);
    json!({
        "agents": agents,
        "weights": weights,
        "regimes": [trace(steps.line(Line::new().width(1.2).shape(LineShape::Hv)))],
    })
}

/// The council in `report.json`; null for a direct mandate.
pub fn json_of(s: &Subject<'_>) -> Value {
    let Some(statement) = statement(s) else { return Value::Null };
    let (from, to) = period(s);
    json!({
        "agents": rows(s, &statement).iter().map(|r| {
            let ic = r.score.information_coefficient();
            json!({
                "agent": r.name, "earned": format_nano(r.line.gross), "fees": format_nano(r.line.costs),
                "net": format_nano(r.line.net()), "net_per_exposure": r.line.per_exposure(),
                "decisions": r.line.decisions, "hit_rate": r.score.hit_rate(),
                "hits": r.score.hits, "misses": r.score.misses,
                "rises_expected": r.score.long.0, "false_positives": r.score.long.1,
                "falls_expected": r.score.short.0, "false_negatives": r.score.short.1,
                "ic": ic.map(|x| x.0), "ic_error": ic.map(|x| x.1), "weight": r.learned as f64 / 1e9,
            })
        }).collect::<Vec<_>>(),
        "construction_and_execution": format_nano(statement.construction),
        "result": format_nano(statement.total),
        "lessons": s.log.lessons.len(),
        "short_of_work": s.log.n_short_of_work,
        "stood_back": s.log.stood_back.iter().map(|(a, n)| json!({ "agent": s.prepared.config.node(*a), "decisions": n })).collect::<Vec<_>>(),
        "regimes": shares(s.log, from, to).iter().map(|(r, x)| json!({ "regime": r.name(), "share": x })).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_regimes_sum_to_one() {
        let ts = Timestamp;
        let log =
            TradeLog { regimes: vec![(ts(20), Regime::RangeCalm), (ts(70), Regime::Crisis)], ..TradeLog::default() };
        let known: Vec<_> = shares(&log, ts(0), ts(100)).into_iter().filter(|(_, x)| *x > 0.0).collect();
        assert_eq!(known, vec![(Regime::Unknown, 0.2), (Regime::RangeCalm, 0.5), (Regime::Crisis, 0.3)]);
    }
}
