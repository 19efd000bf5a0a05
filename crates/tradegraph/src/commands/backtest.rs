//! `tradegraph backtest`: a mandate over history, journalled, with a report.

use crate::cli::Context;
use crate::commands::finish::{Finished, finish, ten_lines};
use crate::failure::{Failure, Kind};
use crate::home::Home;
use crate::mandate::MandateText;
use crate::run::{Prepared, now, tell_problems};
use std::path::Path;
use tradegraph_domain::Timestamp;
use tradegraph_engine::Journal;
use tradegraph_store::{RunId, RunInfo, RunStatus, Store};

/// What can be typed behind `backtest`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The mandate: a TOML file, or one of the binary's own (sample:demo, sample:ema-cross, …)
    #[arg(value_name = "MANDATE.toml")]
    pub mandate: String,
    /// Threads; changes no result [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Name of the run in place of the mandate's own
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let text = MandateText::read(&arguments.mandate)?;
    let finished = execute(context, &text, arguments.name.as_deref(), arguments.threads.map(usize::from))?;
    tell(context, &finished);
    Ok(())
}

/// Says what came out of a run.
pub fn tell(context: &Context, finished: &Finished) {
    let out = context.out;
    out.say("");
    ten_lines(&finished.figures).iter().for_each(|line| out.say(line));
    out.say(&format!("\nreport        {}", finished.report.display()));
    if let Some(d) = &finished.log.example {
        out.say(&format!("explain       {} explain {} {}", program(context), finished.id, d.order.id.0));
    }
    out.result(&finished.json);
}

/// The program's name as it must be typed to meet the same home.
pub fn program(context: &Context) -> String {
    let given = std::env::args_os().any(|a| a.to_string_lossy().starts_with("--home"));
    let home = context.home.path().display().to_string();
    let quoted = if home.contains(' ') { format!("'{home}'") } else { home };
    // A program with own agents has a name of its own.
    let own = std::env::current_exe().ok().filter(|_| !crate::own::agents().is_empty());
    let name = own.as_deref().and_then(Path::file_stem).map_or("tradegraph".into(), |stem| stem.to_string_lossy());
    if given { format!("{name} --home {quoted}") } else { name.into_owned() }
}

/// Keeps the data of a new run and enters it in the store.
pub fn begin(
    home: &Home,
    prepared: &Prepared,
    text: &MandateText,
    name: Option<&str>,
    created: Timestamp,
) -> Result<(Store, RunId), Failure> {
    let (store, catalog) = home.open()?;
    prepared.keep_data(&catalog)?;
    let hash = *blake3::hash(text.text.as_bytes()).as_bytes();
    let info = RunInfo {
        id: RunId::new(created, name.unwrap_or(&prepared.mandate.name), &hash),
        created,
        mandate: text.text.clone(),
        mandate_hash: hash,
        binary: prepared.binding.binary.clone(),
    };
    let id = store.create_run(&info)?;
    Ok((store, id))
}

/// Everything from a mandate's text to the finished report.
pub fn execute(
    context: &Context,
    text: &MandateText,
    name: Option<&str>,
    threads: Option<usize>,
) -> Result<Finished, Failure> {
    let out = context.out;
    let (prepared, loaded) = Prepared::from_text(text, &context.home)?;
    for feed in &prepared.feeds {
        let symbols = feed.symbols.len();
        out.stage(&format!(
            "data      {}: {} bars of {symbols} instrument{}, {} to {}",
            feed.source,
            feed.batch.rows(),
            if symbols == 1 { "" } else { "s" },
            feed.batch.interval(0).start.date(),
            feed.batch.interval(feed.batch.rows().saturating_sub(1)).end.date(),
        ));
    }
    tell_problems(context, &loaded);
    let (store, id) = begin(&context.home, &prepared, text, name, now())?;
    out.stage(&format!("run       {id}"));
    let done: Result<_, Failure> = (|| {
        let mut journal = store.journal(&id)?;
        let done = prepared.drive(&mut journal, None, threads, out)?;
        journal.flush()?;
        Ok(done)
    })();
    let (run, outcome) = match done {
        Ok(done) => done,
        Err(failure) => {
            // The first failure is what the user must see. A run that met a full disk can go on.
            let status = if failure.kind == Kind::Failed { RunStatus::Interrupted } else { RunStatus::Failed };
            let _ = store.set_status(&id, status);
            return Err(failure);
        }
    };
    out.stage(&format!(
        "replayed  {} events, {} orders, {} fills",
        outcome.n_events, outcome.counts.orders, outcome.counts.fills
    ));
    finish(context, &store, &id, &prepared, (&run, &outcome))
}
