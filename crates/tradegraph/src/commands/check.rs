//! `tradegraph check`: does a mandate know the future, and does it hang on where its data begin?

mod cut;
mod lookahead;
mod warmup;

use crate::cli::Context;
use crate::commands::inspect::{of, symbol_of};
use crate::failure::Failure;
use crate::mandate::{Feed, Mandate, MandateText, Unchecked, checked, load_unchecked};
use crate::run::pool;
use serde_json::Value;
use std::process::ExitCode;
use std::sync::Arc;
use tradegraph_engine::{BackTest, RecordLevel, RunConfig};
use tradegraph_market::{Actions, Batch};

/// Exit code of a check that found something.
const FOUND: u8 = 8;

/// What can be typed behind `check`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    check: Check,
}

#[derive(Debug, clap::Subcommand)]
enum Check {
    /// Change and cut what comes after several moments; no decision before may change
    Lookahead(LookaheadArguments),
    /// Begin the data later; opinions must come to the same after a while
    Warmup(WarmupArguments),
}

#[derive(clap::Args, Debug)]
struct Common {
    /// The mandate: a TOML file, or one of the binary's own (sample:demo, sample:ema-cross, …)
    #[arg(value_name = "MANDATE")]
    mandate: String,
    /// Threads; changes no result [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

#[derive(clap::Args, Debug)]
struct LookaheadArguments {
    #[command(flatten)]
    common: Common,
    /// Moments, spread evenly over the data
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=200))]
    moments: u16,
    /// Seed of the changed futures
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

#[derive(clap::Args, Debug)]
struct WarmupArguments {
    #[command(flatten)]
    common: Common,
    /// Largest difference of an opinion (value from -1 to 1 times confidence) that counts as none
    #[arg(long, value_name = "X", default_value_t = 1e-6)]
    tolerance: f64,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (text, value) = match &arguments.check {
        Check::Lookahead(a) => {
            let subject = Subject::read(context, &a.common)?;
            lookahead::run(context, &subject, usize::from(a.moments), a.seed)?
        }
        Check::Warmup(a) => warmup::run(context, &Subject::read(context, &a.common)?, a.tolerance)?,
    };
    text.iter().for_each(|line| context.out.say(line));
    context.out.result(&value);
    let found = of(&value, "found").as_bool().unwrap_or(true);
    Ok(if found { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
}

/// How bars as they were read become what the engine runs on.
type Build<'a> = dyn Fn(&[Batch], &Arc<Actions>) -> Result<RunConfig, Failure> + 'a;

/// What is checked: bars as they were read, and the way from them to a run. The whole way is made anew for every changed
/// future, so that marks of quality that look ahead would show as well.
struct Subject<'a> {
    name: String,
    bars: Vec<Batch>,
    actions: Arc<Actions>,
    build: Box<Build<'a>>,
    threads: Option<usize>,
}

impl Subject<'static> {
    fn read(context: &Context, common: &Common) -> Result<Subject<'static>, Failure> {
        let text = MandateText::read(&common.mandate)?;
        let mandate = text.parse()?;
        let unchecked = load_unchecked(&mandate, &text.folder, context.home.catalog()?.as_ref())?;
        Ok(Subject::of(mandate, unchecked, common.threads.map(usize::from)))
    }

    fn of(mandate: Mandate, unchecked: Unchecked, threads: Option<usize>) -> Subject<'static> {
        let Unchecked { data, rules } = unchecked;
        let bars = data.feeds.iter().map(|f| (*f.batch).clone()).collect();
        let (name, actions, feeds) = (mandate.name.clone(), data.actions, data.feeds);
        let build = move |bars: &[Batch], actions: &Arc<Actions>| {
            let feed = |((feed, bars), rules): ((&Feed, &Batch), &Option<_>)| {
                let batch = match rules {
                    Some(rules) => checked(bars.clone(), rules)?,
                    None => bars.clone(),
                };
                Ok(Feed { batch: Arc::new(batch), ..feed.clone() })
            };
            let feeds = feeds.iter().zip(bars).zip(&rules).map(feed).collect::<Result<_, Failure>>()?;
            Ok(RunConfig { record: RecordLevel::Reasons, ..mandate.config(&feeds, actions)? })
        };
        Subject { name, bars, actions, build: Box::new(build), threads }
    }
}

impl Subject<'_> {
    fn start(&self, bars: &[Batch], actions: &Arc<Actions>) -> Result<(BackTest, RunConfig), Failure> {
        let config = (self.build)(bars, actions)?;
        Ok((BackTest::new(config.clone(), pool(self.threads)?)?, config))
    }
}

/// Opinions of two runs side by side: where the largest difference is, as agent, instrument and both values.
#[derive(Clone, Debug)]
struct Worst {
    agent: &'static str,
    symbol: String,
    first: Option<f64>,
    second: Option<f64>,
    difference: f64,
}

/// The largest difference of value × confidence; an opinion that one of them lacks counts as 0 there.
fn worst(a: &BackTest, b: &BackTest, config: &RunConfig) -> Option<Worst> {
    let of = |run: &BackTest| -> std::collections::BTreeMap<_, f64> {
        run.opinions().iter().map(|o| ((o.agent.0, o.instrument), o.value * o.confidence)).collect()
    };
    let (a, b) = (of(a), of(b));
    let mut keys: Vec<_> = a.keys().chain(b.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    let all = keys.into_iter().map(|key| {
        let (first, second) = (a.get(&key).copied(), b.get(&key).copied());
        let difference = (first.unwrap_or_default() - second.unwrap_or_default()).abs();
        let agent = config.node(tradegraph_domain::AgentId(key.0)).unwrap_or("unknown");
        Worst { agent, symbol: symbol_of(config, key.1), first, second, difference }
    });
    all.max_by(|a, b| a.difference.total_cmp(&b.difference))
}

impl Worst {
    fn text(&self) -> String {
        let show = |x: Option<f64>| x.map_or("no opinion".to_owned(), |x| format!("{x:+.9}"));
        format!("{} on {}: {} and {}", self.agent, self.symbol, show(self.first), show(self.second))
    }

    fn json(&self) -> Value {
        serde_json::json!({ "agent": self.agent, "symbol": self.symbol, "first": self.first, "second": self.second,
            "difference": self.difference })
    }
}

#[cfg(test)]
mod tests;
