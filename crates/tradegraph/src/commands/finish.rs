//! What happens after the last event: figures, the run's entry in the store, the report.

use crate::cli::Context;
use crate::failure::Failure;
use crate::figures::{Curves, Figures, count, growth, money, percent, trials};
use crate::report::{Subject, write};
use crate::run::{Prepared, hex, now};
use crate::trades::TradeLog;
use serde_json::{Value, json};
use std::path::PathBuf;
use tradegraph_domain::Timestamp;
use tradegraph_engine::{BackTest, Outcome};
use tradegraph_store::{RunId, Store};

/// A run that is over, with what it came to.
#[derive(Debug)]
pub struct Finished {
    /// Its name.
    pub id: RunId,
    /// What it came to.
    pub figures: Figures,
    /// Orders and fills.
    pub log: TradeLog,
    /// The report's full path.
    pub report: PathBuf,
    /// Hashes and figures, for programs.
    pub json: Value,
}

/// Works out the figures, notes the end of the run in the store and writes the report.
pub fn finish(
    context: &Context,
    store: &Store,
    id: &RunId,
    prepared: &Prepared,
    (run, outcome): (&BackTest, &Outcome),
) -> Result<Finished, Failure> {
    let Entered { log, curves, figures, summary } = enter(store, id, prepared, outcome, now())?;
    let subject = Subject { id, prepared, run, figures: &figures, log: &log, curves: &curves, summary: &summary };
    let report = write(&context.home.run_folder(id)?, &subject)?;
    let mut json = summary;
    if let Some(object) = json.as_object_mut() {
        object.insert("report".to_owned(), json!(report.display().to_string()));
    }
    Ok(Finished { id: id.clone(), figures, log, report, json })
}

/// What a run came to, as the store has it now.
pub struct Entered {
    log: TradeLog,
    curves: Curves,
    figures: Figures,
    /// Hashes and figures.
    pub summary: Value,
}

/// Works out the figures and notes the end of the run in the store.
pub fn enter(
    store: &Store,
    id: &RunId,
    prepared: &Prepared,
    outcome: &Outcome,
    finished: Timestamp,
) -> Result<Entered, Failure> {
    let log = TradeLog::read(&mut store.reader(id)?)?;
    let curves = Curves::of(outcome, &prepared.feeds, &prepared.config.actions, &log, prepared.mandate.cash.nano());
    let mut figures = Figures::of(&prepared.mandate, &prepared.feeds, outcome, &log, &curves);
    (figures.trials, figures.trial_sharpes) = trials(store, &prepared.mandate, &figures.data);
    let summary = summary(id, prepared, outcome, &figures);
    store.finish_run(id, finished, outcome.state_hash, &summary.to_string())?;
    Ok(Entered { log, curves, figures, summary })
}

/// Hashes and figures of a run.
pub fn summary(id: &RunId, prepared: &Prepared, outcome: &Outcome, figures: &Figures) -> Value {
    let mut value = serde_json::to_value(figures).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.insert("run".to_owned(), json!(id.as_str()));
        object.insert("mandate".to_owned(), json!(prepared.mandate.name));
        object.insert("events".to_owned(), json!(outcome.n_events));
        object.insert("state_hash".to_owned(), json!(hex(&outcome.state_hash)));
        object.insert("rolling_hash".to_owned(), json!(format!("{:016x}", outcome.rolling)));
        object.insert("binary".to_owned(), json!(prepared.binding.binary));
    }
    value
}

/// The summary in ten lines.
pub fn ten_lines(f: &Figures) -> Vec<String> {
    let ratio = |c: &crate::figures::Curve| match (c.sharpe, c.sharpe_error) {
        (Some(s), Some(e)) => format!("{s:.2} ± {e:.2}"),
        _ => "–".to_owned(),
    };
    let dates = f.net.drawdown_dates.iter().map(|d| d.as_deref().unwrap_or("not yet")).collect::<Vec<_>>();
    let fall = match dates.as_slice() {
        [peak, low, back] if f.net.max_drawdown.is_some_and(|d| d > 0.0) => {
            format!(" (peak {peak}, low {low}, recovered {back})")
        }
        _ => String::new(),
    };
    let refusals: Vec<String> = f.refused_by.iter().map(|(rule, n)| format!("{rule} {n}")).collect();
    let refusals = if refusals.is_empty() { String::new() } else { format!(" ({})", refusals.join(", ")) };
    let years = match (&f.from, &f.to) {
        (Some(a), Some(b)) => format!("{a} to {b}"),
        _ => "no day".to_owned(),
    };
    let end = f.nav_end.as_deref().map_or("unknown".to_owned(), money);
    let yearly = f.cost_per_year.map_or("–".to_owned(), |x| format!("{:.2} %", x * 100.0));
    let mut lines = vec![
        format!("period        {years}, {} days on the curve", f.days),
        format!("account       {} {c} → {end} {c} after all costs", money(&f.cash_start), c = f.currency),
        format!(
            "growth        {} net ({})",
            growth(&f.net),
            if f.net.cagr.is_some() { "CAGR" } else { "less than a year, so not annualised" }
        ),
        format!("Sharpe        {} a year (± standard error, against zero)", ratio(&f.net)),
        format!("drawdown      {} at most{fall}", percent(f.net.max_drawdown)),
        match f.costs.text() {
            Some(kinds) => format!("costs         {yearly} of the account a year: {kinds} {}", f.currency),
            None => format!(
                "costs         {} {c} fees + {} {c} half-spreads{}: {yearly} of the account a year",
                money(&f.fees),
                money(&f.spread),
                if f.itemised { "" } else { " (estimate)" },
                c = f.currency
            ),
        },
        format!(
            "invested      {} of the account on average; {} × the account traded a year",
            percent(f.invested_average),
            f.turnover_per_year.map_or("–".to_owned(), |t| format!("{t:.1}"))
        ),
        format!(
            "equal weight  {}, Sharpe {}, drawdown {} (same universe, rebalanced every bar, no costs)",
            growth(&f.benchmark),
            ratio(&f.benchmark),
            percent(f.benchmark.max_drawdown)
        ),
        format!(
            "orders        {} sent, {} fills, {} refused{refusals}",
            count(f.orders),
            count(f.fills),
            count(f.refused)
        ),
        format!(
            "trials        {} {} run on overlapping data in this home",
            f.trials,
            if f.trials == 1 { "mandate" } else { "different mandates" }
        ),
    ];
    lines.extend(f.breakers.iter().map(|b| format!("breaker       {b}")));
    lines.extend(f.stopped.iter().map(|s| format!("STOPPED       {s}; it has had no opinion since")));
    if f.corporate_actions > 0 {
        let text = format!(
            "actions       {} of what was held; dividends {} {}",
            f.corporate_actions,
            money(&f.dividends),
            f.currency
        );
        lines.insert(6, text);
    }
    lines
}
