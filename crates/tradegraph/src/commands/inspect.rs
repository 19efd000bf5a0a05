//! `tradegraph inspect`: what the council held at any past moment: opinions, targets, decisions, books.

use crate::cli::Context;
use crate::commands::replay::catalog;
use crate::failure::Failure;
use crate::run::Prepared;
use crate::travel::{Moment, Passing, must_have_begun, reach, run_to};
use serde_json::{Value, json};
use std::fmt::Write;
use tradegraph_domain::{AgentId, InstrumentId, Quantity, format_nano};
use tradegraph_engine::records::{DecisionRecord, Record};
use tradegraph_engine::{BackTest, RunConfig};

/// What can be typed behind `inspect`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The run: its id, the beginning of it, or `last`
    pub run: String,
    /// The number of an event, a day (its end) or a time in UTC
    #[arg(long, value_name = "SEQ|DATE|TIME")]
    pub at: Moment,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let store = context.home.read()?;
    let record = store.find(&arguments.run)?;
    let id = &record.info.id;
    let reached = reach(&store, &catalog(&context.home)?, &record, arguments.at, None)?;
    let (mut run, prepared) = (reached.run, reached.prepared);
    run_to(&mut run, arguments.at, &mut Passing::default())?;
    must_have_begun(&run, &prepared)?;
    // The decisions of the day, from the journal: a snapshot holds what came of them.
    let mut decisions = Vec::new();
    crate::trades::each(&mut store.reader(id)?, |r| {
        if let Record::Decision(d) = r
            && d.seq <= run.seq()
            && d.ts.date() == run.now().date()
        {
            decisions.push(d);
        }
    })?;
    let value = state(&run, &prepared, decisions.iter().map(|d| decision(d, &prepared)).collect());
    context.out.say(&text(id.as_str(), &value));
    let mut value = value;
    if let Some(object) = value.as_object_mut() {
        object.insert("run".to_owned(), json!(id.as_str()));
    }
    context.out.result(&value);
    Ok(())
}

/// An agent's name in the council.
pub fn agent_name(prepared: &Prepared, id: AgentId) -> &'static str {
    prepared.config.node(id).unwrap_or("unknown")
}

/// An instrument's symbol.
pub fn symbol(prepared: &Prepared, i: InstrumentId) -> String {
    symbol_of(&prepared.config, i)
}

/// An instrument's symbol.
pub fn symbol_of(config: &RunConfig, i: InstrumentId) -> String {
    config.universe.get(i).map_or_else(|| format!("instrument {}", i.0), |x| x.symbol.clone())
}

/// A decision in one object.
pub fn decision(d: &DecisionRecord, prepared: &Prepared) -> Value {
    json!({
        "order": d.order.id.0, "ts": d.ts.to_string(), "symbol": symbol(prepared, d.order.instrument),
        "side": d.order.side.name(), "quantity": d.order.quantity.to_string(),
        "refused_by": d.refusal.map(|r| r.rule.code()),
    })
}

/// A part of an object; null if it has none of the name.
pub fn of<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&Value::Null)
}

/// What the council holds.
pub fn state(run: &BackTest, prepared: &Prepared, decisions: Vec<Value>) -> Value {
    let books = run.state().desk().books();
    let ids = || (0..prepared.config.universe.len()).map(|i| InstrumentId(i as u32));
    let opinions: Vec<Value> = run
        .opinions()
        .iter()
        .map(|o| {
            json!({
                "agent": agent_name(prepared, o.agent), "symbol": symbol(prepared, o.instrument), "value": o.value,
                "confidence": o.confidence,
            })
        })
        .collect();
    let targets = run.targets().map(|t| {
        let held = ids().zip(t).filter(|(_, target)| **target != 0);
        held.map(|(i, target)| json!({ "symbol": symbol(prepared, i), "nano_nav": target })).collect::<Vec<_>>()
    });
    let positions: Vec<Value> = ids()
        .filter(|i| books.position(*i) != Quantity::ZERO)
        .map(|i| json!({ "symbol": symbol(prepared, i), "quantity": books.position(i).to_string() }))
        .collect();
    json!({
        "ts": run.now().to_string(), "seq": run.seq(), "opinions": opinions, "targets": targets,
        "decisions": decisions, "positions": positions, "nav": books.nav().ok().map(format_nano),
        "free_cash": format_nano(books.free_cash(InstrumentId(0))),
    })
}

fn text(id: &str, v: &Value) -> String {
    let word = |v: &Value| v.as_str().unwrap_or("–").to_owned();
    let list = |key: &str| v.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut out = format!("run {id} after event {}, {}\n", of(v, "seq"), word(of(v, "ts")));
    // Writing to a String cannot fail.
    let _ = writeln!(out, "account       {} net, {} free cash", word(of(v, "nav")), word(of(v, "free_cash")));
    let mut part = |name: &str, rows: Vec<String>| {
        let first = if rows.is_empty() { "none".to_owned() } else { rows.join("\n              ") };
        let _ = writeln!(out, "{name:<14}{first}");
    };
    let opinion = |o: &Value| {
        let (value, confidence) =
            (of(o, "value").as_f64().unwrap_or_default(), of(o, "confidence").as_f64().unwrap_or_default());
        format!("{:<22} {:<8} {value:+.4} (confidence {confidence:.2})", word(of(o, "agent")), word(of(o, "symbol")))
    };
    part("opinions", list("opinions").iter().map(opinion).collect());
    let percent = |t: &Value| of(t, "nano_nav").as_i64().unwrap_or_default() as f64 / 1e7;
    part(
        "targets",
        list("targets").iter().map(|t| format!("{:<8} {:+.2} %", word(of(t, "symbol")), percent(t))).collect(),
    );
    part(
        "positions",
        list("positions").iter().map(|p| format!("{:<8} {}", word(of(p, "symbol")), word(of(p, "quantity")))).collect(),
    );
    let order = |d: &Value| {
        let verdict = of(d, "refused_by").as_str().map_or("sent".to_owned(), |rule| format!("refused by {rule}"));
        format!(
            "order {} {} {} {} {verdict}",
            of(d, "order"),
            word(of(d, "side")),
            word(of(d, "quantity")),
            word(of(d, "symbol"))
        )
    };
    part("decided today", list("decisions").iter().map(order).collect());
    out.trim_end().to_owned()
}
