//! One decision of the run, from the opinions to the order: what `explain` says of it, as a section with a waterfall.

use super::Subject;
use super::page::escape;
use crate::explanation::{Explanation, explain};
use serde_json::{Value, json};

/// The explanation of the run's example; nothing for a run that recorded no reasons, and for one that sizes opinions
/// directly: there is nothing between opinion and order.
pub fn example(s: &Subject<'_>) -> Option<Explanation> {
    let explanation = explain(&s.prepared.config, &s.log.example_story()?).ok()?;
    let in_nav = explanation.json().get("unit").is_some_and(|u| u == "nano-NAV");
    (in_nav && !stages(&explanation).is_empty()).then_some(explanation)
}

/// Name, sentence, change and total of each stage that changed something, in per cent of the account.
fn stages(e: &Explanation) -> Vec<(String, String, f64, f64)> {
    let lines = e.json().get("waterfall").and_then(Value::as_array);
    let percent = |l: &Value, key| l.get(key).and_then(Value::as_i64).unwrap_or_default() as f64 / 1e7;
    let stage = |l: &Value| {
        let what = l.get("what")?.as_str()?;
        let name = what.split(" (").next()?.to_owned();
        Some((name, what.to_owned(), percent(l, "amount"), percent(l, "total")))
    };
    lines.into_iter().flatten().filter_map(stage).filter(|(_, _, change, _)| *change != 0.0).collect()
}

/// The section; empty without an example.
pub fn section(s: &Subject<'_>, e: Option<&Explanation>) -> String {
    let Some(e) = e else { return String::new() };
    let list = |items: &[String]| items.iter().map(|i| format!("<li>{}</li>", escape(i))).collect::<String>();
    let order = e.json().get("order").cloned().unwrap_or_default();
    format!(
        "<section><h2>One decision, explained</h2><p>{}</p><div class=\"plot tall\" id=\"decision\"></div><p>Each bar is what a \
         factor or a stage changed, in per cent of the account; the last is what was decided. They add up exactly.</p>\
         <h3>The strongest reasons</h3><ol>{}</ol><p><code>tradegraph explain {} {order}</code> says more of it, and of any \
         other order.</p></section>",
        escape(e.headline()),
        list(&e.reasons),
        escape(s.id.as_str()),
    )
}

/// Names, sentences, changes and the decision, for the waterfall; null without an example.
pub fn trace(e: Option<&Explanation>) -> Value {
    let Some(e) = e else { return Value::Null };
    let stages = stages(e);
    let column = |f: fn(&(String, String, f64, f64)) -> Value| stages.iter().map(f).collect::<Vec<Value>>();
    json!({
        "names": column(|x| json!(x.0)), "sentences": column(|x| json!(x.1)), "changes": column(|x| json!(x.2)),
        "decided": stages.last().map(|x| x.3),
    })
}
