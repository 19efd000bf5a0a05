//! The demonstration: what `tradegraph` does without a command.

use crate::cli::Context;
use crate::commands::backtest::{execute, program};
use crate::commands::finish::ten_lines;
use crate::explanation::explain;
use crate::failure::Failure;
use crate::mandate::MandateText;
use crate::run::Prepared;
use crate::trades::story;
use serde_json::json;

/// Runs the demonstration.
pub fn run(context: &Context) -> Result<(), Failure> {
    let out = context.out;
    out.stage("tradegraph demonstration: a council of agents trades 20 US stocks, 1990 to 2022, on real daily closes.");
    out.stage("It shows how the system works. It is no advice and promises no profit.\n");
    let text = MandateText::read("sample:demo")?;
    let finished = execute(context, &text, None, None)?;
    out.stage("summary");
    out.say("");
    ten_lines(&finished.figures).iter().for_each(|line| out.say(line));
    out.say(
        "\nRead these numbers with care: the 20 companies are known survivors, prices include reinvested dividends,",
    );
    out.say("orders fill at the next close, and today's costs are charged to years when trading was much dearer.");
    let mut result = finished.json.clone();
    if let Some(d) = &finished.log.example {
        let (prepared, _) = Prepared::from_text(&text, &context.home)?;
        let order = d.order.id;
        let explanation = explain(&prepared.config, &story(&mut context.home.read()?.reader(&finished.id)?, order)?)?;
        out.say(&format!("\nOne decision: {}", explanation.headline()));
        explanation.reason_lines().iter().for_each(|line| out.say(line));
        out.say(&format!("\nreport        {}", finished.report.display()));
        let command = format!("{} explain {} {}", program(context), finished.id, order.0);
        out.say(&format!("try next      {command}"));
        if let Some(object) = result.as_object_mut() {
            object.insert(
                "example".to_owned(),
                json!({ "order": order.0, "reasons": explanation.reasons, "command": command }),
            );
        }
    } else {
        out.say(&format!("\nreport        {}", finished.report.display()));
    }
    out.result(&result);
    Ok(())
}
