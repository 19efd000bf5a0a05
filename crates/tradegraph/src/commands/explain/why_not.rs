//! Why nothing was done about an instrument on a day: the run is brought back to that moment, and its allocator asked.

use super::put;
use crate::cli::Context;
use crate::commands::inspect::symbol_of;
use crate::commands::replay::catalog;
use crate::explanation::explain;
use crate::failure::{Failure, Kind};
use crate::mandate::fault::nearest;
use crate::run::Prepared;
use crate::trades::{OrderStory, each, story};
use crate::travel::{Moment, Passing, must_have_begun, reach, run_to};
use serde_json::{Value, json};
use tradegraph_domain::{AgentId, InstrumentId, Order, OrderId, OrderKind, Quantity, Side, TimeInForce};
use tradegraph_engine::records::{DecisionRecord, Record};
use tradegraph_engine::{BackTest, RunConfig, WhyNot};
use tradegraph_portfolio::Stance;
use tradegraph_store::{Catalog, RunRecord, Store};

/// The run at a moment, so that its last decision can be asked about.
fn decided(
    catalog: &Catalog,
    store: &Store,
    record: &RunRecord,
    moment: Moment,
) -> Result<(BackTest, Prepared), Failure> {
    let reached = reach(store, catalog, record, moment, None)?;
    let (mut run, mut prepared) = (reached.run, reached.prepared);
    let mut began = run.seq();
    run_to(&mut run, moment, &mut Passing::default())?;
    // The last decision must be made again, so the way to it begins before it.
    while began > 0 && run.targets().is_some() && run.why(InstrumentId(0)).is_none() {
        let reached = reach(store, catalog, record, Moment::Event(began - 1), None)?;
        began = reached.run.seq();
        (run, prepared) = (reached.run, reached.prepared);
        run_to(&mut run, moment, &mut Passing::default())?;
    }
    Ok((run, prepared))
}

/// What the target of an order's instrument would have been without each agent, as lines and for programs; nothing if
/// the mandate sizes opinions directly.
pub fn counterfactual(
    catalog: &Catalog,
    store: &Store,
    record: &RunRecord,
    order: &DecisionRecord,
) -> Result<Option<(Vec<String>, Value)>, Failure> {
    let (run, prepared) = decided(catalog, store, record, Moment::Event(order.seq))?;
    let found = run.why(order.order.instrument);
    Ok(found.map(|found| (without(&found, &prepared.config), without_json(&found, &prepared.config))))
}

/// Explains what was done about an instrument at the last decision up to a moment, or why nothing was.
pub fn run(context: &Context, store: &Store, record: &RunRecord, symbol: &str, moment: Moment) -> Result<(), Failure> {
    let (run, prepared) = decided(&catalog(&context.home)?, store, record, moment)?;
    must_have_begun(&run, &prepared)?;
    let config = &prepared.config;
    let Some((instrument, _)) = config.universe.iter().find(|(_, x)| x.symbol == symbol) else {
        let near = nearest(symbol, config.universe.iter().map(|(_, x)| x.symbol.as_str()));
        let near = near.map(|n| format!("; the nearest symbol is '{n}'")).unwrap_or_default();
        let what = format!("run '{}' has no instrument '{symbol}'{near}", record.info.id);
        return Err(Failure::new(Kind::NotFound, what).next("inspect RUN --at DATE shows what it has"));
    };
    // Orders of that day, and the last refusal before: both are in the journal.
    let (mut orders, mut refused) = (Vec::new(), None);
    each(&mut store.reader(&record.info.id)?, |r| {
        if let Record::Decision(d) = r
            && d.order.instrument == instrument
            && d.seq <= run.seq()
        {
            if d.ts.date() == run.now().date() {
                orders.push(d.order.id);
            }
            if let Some(refusal) = d.refusal {
                refused = Some(format!("order {} of {} by {}", d.order.id.0, d.ts.date(), refusal.rule.code()));
            }
        }
    })?;
    let mut text = vec![format!("{symbol} at {}, run {}", run.now(), record.info.id)];
    let mut value =
        json!({ "run": record.info.id.as_str(), "symbol": symbol, "ts": run.now().to_string(), "seq": run.seq() });
    if orders.is_empty() {
        let (lines, parts) = nothing_done(&run, config, instrument, refused.as_deref())?;
        text.extend(lines);
        put(&mut value, "no_order", parts);
    } else {
        let mut all = Vec::new();
        for id in orders {
            let explanation = explain(config, &story(&mut store.reader(&record.info.id)?, id)?)?;
            text.push(String::new());
            text.push(explanation.text());
            all.push(explanation.json().clone());
        }
        put(&mut value, "orders", Value::Array(all));
        if let Some(why) = run.why(instrument) {
            text.push(String::new());
            text.extend(without(&why, config));
            put(&mut value, "without", without_json(&why, config));
        }
    }
    context.out.say(&text.join("\n"));
    context.out.result(&value);
    Ok(())
}

/// Per cent of the account, as targets are shown.
fn share(nano: i64) -> String {
    format!("{:+.4} % of the account", nano as f64 / 1e7)
}

fn agent(config: &RunConfig, id: AgentId) -> &str {
    config.node(id).unwrap_or("unknown")
}

fn opinions<'a>(run: &BackTest, config: &'a RunConfig, i: InstrumentId) -> Vec<(&'a str, f64, f64)> {
    let own = run.opinions().into_iter().filter(|o| o.instrument == i);
    own.map(|o| (agent(config, o.agent), o.value, o.confidence)).collect()
}

fn nothing_done(
    run: &BackTest,
    config: &RunConfig,
    i: InstrumentId,
    refused: Option<&str>,
) -> Result<(Vec<String>, Value), Failure> {
    let said = opinions(run, config, i);
    let mut text = vec!["No order.".to_owned(), String::new(), "Opinions:".to_owned()];
    if said.is_empty() {
        text.push("  none".to_owned());
    }
    text.extend(said.iter().map(|(agent, v, c)| format!("  {agent}: {v:+.4} with confidence {c:.2}")));
    let opinions: Vec<Value> =
        said.iter().map(|(agent, v, c)| json!({ "agent": agent, "value": v, "confidence": c })).collect();
    if run.targets().is_some() && run.why(i).is_none() {
        let why = "no agent has had an opinion about anything yet, so nothing was decided";
        text.push(format!("\nReason: {why}"));
        return Ok((text, json!({ "opinions": opinions, "stance": "undecided", "reason": why })));
    }
    let Some(found) = run.why(i) else {
        let held = run.state().desk().books().position(i);
        let why =
            "the mandate sizes each opinion directly (allocator \"direct\"): an order comes when an opinion changes";
        text.push(format!("\nReason: {why}; held: {held}"));
        return Ok((
            text,
            json!({ "opinions": opinions, "stance": "direct", "reason": why, "held": held.to_string() }),
        ));
    };
    let (stance, mut reason) = sentence(&found);
    if let (Stance::Waiting, Some(refused)) = (found.why.stance, refused) {
        reason = format!("{reason}; the last refusal: {refused}");
    }
    text.push(format!("\nReason: {reason}"));
    let explanation = explain(config, &as_story(run, &found, i))?;
    if let Some(n) = &found.negotiation {
        text.push("\nThe budget of work was too small for all strategies, so they bid for it:".to_owned());
        text.extend(n.explain(|a| format!("  {}", agent(config, a))));
    }
    if let Some(table) = explanation.waterfall_table() {
        text.push("\nHow what was decided came about:".to_owned());
        text.push(table);
        text.push("\nThe strongest reasons:".to_owned());
        text.extend(explanation.reasons.iter().zip(1..).map(|(r, n)| format!("  {n}. {r}")));
    }
    text.push(String::new());
    text.extend(without(&found, config));
    let w = &found.why;
    let value = json!({
        "opinions": opinions, "stance": stance, "reason": reason, "held_nano_nav": w.current, "target_nano_nav": w.target,
        "waterfall": explanation.json().get("waterfall"), "negotiation": explanation.json().get("negotiation"), "adds_up": w.waterfall.balances(),
        "reasons": explanation.reasons, "without": without_json(&found, config), "symbol": symbol_of(config, i),
    });
    Ok((text, value))
}

/// The word that JSON carries, and the reason as a sentence.
fn sentence(found: &WhyNot) -> (&'static str, String) {
    let w = &found.why;
    match w.stance {
        Stance::Gone => ("gone", "the instrument no longer exists".to_owned()),
        Stance::NoOpinion => {
            ("no opinion", format!("no agent has an opinion, so what is held stays ({})", share(w.current)))
        }
        Stance::Nothing => ("nothing", "the council wants nothing, and nothing is held".to_owned()),
        Stance::AtTarget => ("at target", format!("what is wanted is held: {}", share(w.current))),
        Stance::Crowded => {
            ("crowded", "it is wanted, but as many instruments as max_positions allows are wanted more".to_owned())
        }
        Stance::TooSmall { change, least } => (
            "too small",
            format!(
                "the target is {}, held and on order are {}: an order of {:.4} % would be smaller than the smallest of {:.4} %",
                share(w.target),
                share(w.current),
                change as f64 / 1e7,
                least as f64 / 1e7
            ),
        ),
        Stance::InsideBand { distance, band } => (
            "inside the band",
            format!(
                "the target is {}, held and on order are {}: the change of {:.4} % is inside the no-trade band of {:.4} %",
                share(w.target),
                share(w.current),
                distance as f64 / 1e7,
                band as f64 / 1e7
            ),
        ),
        Stance::Waiting => (
            "waiting",
            format!("the target is {}, but such a wish was refused and waits to be tried again", share(w.target)),
        ),
        Stance::Asked { after } => (
            "asked",
            format!(
                "the council asked for {} with {} held, and what came after left nothing to trade: the risk manager's caps, less \
                 than one lot or than min_order, or no price",
                share(after),
                share(w.current)
            ),
        ),
    }
}

/// What the target would have been without each agent.
fn without(found: &WhyNot, config: &RunConfig) -> Vec<String> {
    let w = &found.why;
    let mut out = vec![format!("Target before the no-trade band: {}", share(w.target))];
    out.extend(w.without.iter().map(|(name, target)| {
        let same = if *target == w.target { ", the same" } else { "" };
        format!("  without {} it would have been {}{same}", agent(config, *name), share(*target))
    }));
    out
}

fn without_json(found: &WhyNot, config: &RunConfig) -> Value {
    found.why.without.iter().map(|(a, t)| json!({ "agent": agent(config, *a), "target_nano_nav": t })).collect()
}

/// The decision as a record of a journal would have it, for its table and sentences.
fn as_story(run: &BackTest, found: &WhyNot, i: InstrumentId) -> OrderStory {
    let order = Order {
        id: OrderId(0),
        instrument: i,
        side: if found.why.target < found.why.current { Side::Sell } else { Side::Buy },
        kind: OrderKind::Market,
        tif: TimeInForce::ImmediateOrCancel,
        quantity: Quantity::ZERO,
    };
    let decision = DecisionRecord {
        seq: run.seq(),
        ts: run.now(),
        order,
        refusal: None,
        price: found.price,
        nav_nano: found.nav_nano.unwrap_or_default(),
        waterfall: found.why.waterfall.clone(),
        evidence: found.evidence.clone(),
    };
    let negotiation = found.negotiation.clone();
    OrderStory { decision: Some(Box::new(decision)), negotiation, ..OrderStory::default() }
}
