//! `tradegraph watch`: the council cycle by cycle, of a run that is over or under way, made again from its journal.

use crate::cli::Context;
use crate::commands::inspect::{agent_name, decision, of, state};
use crate::commands::replay::catalog;
use crate::failure::Failure;
use crate::run::Prepared;
use crate::travel::{Moment, Passing, reach};
use serde_json::{Value, json};
use std::time::Duration;
use tradegraph_domain::Timestamp;
use tradegraph_engine::BackTest;
use tradegraph_engine::records::Record;
use tradegraph_store::RunStatus;

/// How often a run under way is asked for more.
const PATIENCE: Duration = Duration::from_millis(200);

/// What can be typed behind `watch`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The run: its id, the beginning of it, or `last`
    pub run: String,
    /// Begin after this event, day or time [default: the start]
    #[arg(long, value_name = "SEQ|DATE|TIME")]
    pub from: Option<Moment>,
    /// Pause there
    #[arg(long, value_name = "SEQ|DATE|TIME")]
    pub until: Option<Moment>,
    /// Also cycles in which no opinion, target or order changed
    #[arg(long)]
    pub all: bool,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let store = context.home.read()?;
    let record = store.find(&arguments.run)?;
    let id = record.info.id.clone();
    let mut stored = store.reader(&id)?;
    let mut from = arguments.from.unwrap_or(Moment::Event(0));
    let catalog = catalog(&context.home)?;
    let mut reached = reach(&store, &catalog, &record, from, None)?;
    if let Some(fork) = store.fork_of(&id)?.filter(|_| reached.id != id) {
        context
            .out
            .stage(&format!("past          up to event {} it is that of run {}", fork.snapshot.seq, fork.parent));
        from = Moment::Event(fork.snapshot.seq);
        reached = reach(&store, &catalog, &record, from, None)?;
    }
    let (mut run, prepared) = (reached.run, reached.prepared);
    let mut journal = Passing::default();
    crate::travel::run_to(&mut run, from, &mut journal)?;
    journal.records.clear();
    let mut shown = (Value::Null, Value::Null);
    let paused = |run: &BackTest| match arguments.until {
        Some(Moment::Event(seq)) => run.seq() >= seq,
        Some(Moment::Time(ts)) => run.now() >= ts,
        None => false,
    };
    let stop = match arguments.until {
        Some(Moment::Time(ts)) => ts,
        _ => Timestamp(i64::MAX),
    };
    loop {
        // The status first: what a run wrote before it ended is in the tip that is read after.
        let status = store.find(id.as_str())?.status;
        let tip = stored.tip()?.map_or(0, |t| (t.first_seq + t.n).saturating_sub(1));
        while run.seq() < tip && !paused(&run) && !run.is_over() {
            let next = run.seq() + 1;
            run.run_to_event(next, &mut journal)?;
            if run.now() > stop {
                break;
            }
            show(context, &run, &prepared, &mut journal, &mut shown, arguments.all);
        }
        if paused(&run) || run.now() > stop || status != RunStatus::Running {
            break;
        }
        std::thread::sleep(PATIENCE);
    }
    if paused(&run) || run.now() > stop {
        context.out.stage(&format!(
            "paused        {} after event {}; go on: watch {id} --from {}; look: inspect {id} --at {}; change: fork {id} --at {}",
            run.now(), run.seq(), run.seq(), run.seq(), run.now().date()
        ));
    }
    Ok(())
}

/// One cycle: what each node wrote, and the values after it.
fn show(
    context: &Context,
    run: &BackTest,
    prepared: &Prepared,
    journal: &mut Passing,
    shown: &mut (Value, Value),
    all: bool,
) {
    let mut orders = Vec::new();
    let mut fills = 0_u64;
    let mut stood_back = Vec::new();
    for record in journal.records.drain(..) {
        match record {
            Record::Decision(d) => orders.push(decision(&d, prepared)),
            Record::Fill { .. } => fills += 1,
            Record::Negotiation(n) => stood_back = n.stood_back().map(|a| agent_name(prepared, a)).collect(),
            _ => {}
        }
    }
    let mut values = state(run, prepared, Vec::new());
    let mut take = |key| values.get_mut(key).map(Value::take).unwrap_or_default();
    let (opinions, targets) = (take("opinions"), take("targets"));
    let changed = (opinions != shown.0, targets != shown.1);
    if !all && !changed.0 && !changed.1 && orders.is_empty() && fills == 0 {
        return;
    }
    let mut updates = serde_json::Map::new();
    for o in opinions.as_array().into_iter().flatten() {
        let (agent, before) = (of(o, "agent").as_str().unwrap_or_default(), shown.0.as_array());
        if before.is_none_or(|b| !b.contains(o)) {
            let row = json!({ "symbol": of(o, "symbol"), "value": of(o, "value"), "confidence": of(o, "confidence") });
            if let Some(list) = updates.entry(agent).or_insert_with(|| json!([])).as_array_mut() {
                list.push(row);
            }
        }
    }
    if changed.1 {
        updates.insert("portfolio_allocator".to_owned(), targets.clone());
    }
    if !orders.is_empty() {
        updates.insert("execution_engine".to_owned(), Value::Array(orders));
    }
    let cycle = json!({
        "run_seq": run.seq(), "ts": run.now().to_string(), "updates": updates, "fills": fills, "stood_back": stood_back,
        "values": { "nav": of(&values, "nav"), "free_cash": of(&values, "free_cash"), "positions": of(&values, "positions") },
    });
    context.out.say(&line(&cycle));
    context.out.result(&cycle);
    *shown = (opinions, targets);
}

fn line(cycle: &Value) -> String {
    let word = |v: &Value| v.as_str().unwrap_or("–").to_owned();
    let mut parts = vec![format!("{}  event {}", word(of(cycle, "ts")), of(cycle, "run_seq"))];
    for (node, wrote) in of(cycle, "updates").as_object().into_iter().flatten() {
        let wrote = wrote.as_array().cloned().unwrap_or_default();
        parts.push(match node.as_str() {
            "execution_engine" => {
                let order = |o: &Value| {
                    format!("{} {} {}", word(of(o, "side")), word(of(o, "quantity")), word(of(o, "symbol")))
                };
                format!("orders: {}", wrote.iter().map(order).collect::<Vec<_>>().join(", "))
            }
            "portfolio_allocator" => format!("{} targets", wrote.len()),
            agent => {
                let one = |o: &Value| {
                    format!("{} {:+.3}", word(of(o, "symbol")), of(o, "value").as_f64().unwrap_or_default())
                };
                let few = wrote.iter().take(3).map(one).collect::<Vec<_>>().join(", ");
                let more = if wrote.len() > 3 { format!(" and {} more", wrote.len() - 3) } else { String::new() };
                format!("{agent}: {few}{more}")
            }
        });
    }
    let stood_back: Vec<&str> =
        of(cycle, "stood_back").as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !stood_back.is_empty() {
        parts.push(format!("stood back: {}", stood_back.join(", ")));
    }
    if of(cycle, "fills") != 0 {
        parts.push(format!("{} fills", of(cycle, "fills")));
    }
    parts.push(format!("NAV {}", word(of(of(cycle, "values"), "nav"))));
    parts.join(" · ")
}
