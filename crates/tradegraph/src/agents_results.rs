//! `docs/agents-results.md`: what each agent earned alone on each sample, made by running it.

use crate::mandate::{Mandate, load};
use std::fmt::Write;
use std::path::Path;
use tradegraph_domain::AgentId;
use tradegraph_engine::records::{Binding, FORMAT};
use tradegraph_engine::{BackTest, MemoryJournal};

/// Name, keys of `[[data]]`, half spread and commission: what such a market costs a small account.
const SAMPLES: [(&str, &str, &str, &str); 7] = [
    ("us20, closes, 1990–2005", "source = \"sample:us20\"\nto = \"2005-12-31\"", "2bp", "1bp"),
    ("us20, closes, 2006–2022", "source = \"sample:us20\"\nfrom = \"2006-01-01\"", "2bp", "1bp"),
    ("us4-2013, bars, 2013–2023", "source = \"sample:us4-2013\"", "2bp", "1bp"),
    ("gold, closes, 1970–2020", "source = \"sample:gold\"", "3bp", "1bp"),
    ("btc-1d, bars, 2020–2021", "source = \"sample:btc-1d\"", "2bp", "10bp"),
    ("btc-15m, bars, 4 months of 2021", "source = \"sample:btc-15m\"", "2bp", "10bp"),
    ("eurusd-1h, bars, 2017", "source = \"sample:eurusd-1h\"\ncalendar = \"FX\"", "0.5bp", "0.2bp"),
];

/// An agent that ranks needs something to rank.
const AGENTS: [(&str, bool); 3] =
    [("momentum_trader", false), ("mean_reversion_trader", false), ("long_term_investor", true)];

struct Measured {
    ic: Option<(f64, f64)>,
    hit_rate: Option<f64>,
    fills: u64,
    /// A year, per unit of the exposure that was asked for.
    before: f64,
    after: f64,
    held: f64,
    width: usize,
}

fn measure(agent: &str, data: &str, spread: &str, commission: &str) -> Measured {
    let text = format!(
        "name = \"{agent}\"\n[account]\ncash = \"10000000\"\n[[data]]\n{data}\n[instruments]\nlot = \"0.000001\"\n\
         [agents.{agent}]\n[allocator]\nkind = \"council\"\nmax_weight = \"5%\"\ngross = \"100%\"\nband = \"0.5%\"\n\
         cost_band = false\nscale = false\ncalibrate = false\nregimes = false\nconflicts = false\nlearn = false\n\
         allow_short = true\n[costs]\ncommission = \"{commission}\"\nhalf_spread = \"{spread}\"\n[record]\n\
         level = \"hashes\"\n[limits]\ncollar = \"50%\"\n"
    );
    let mandate = Mandate::parse("results", &text).unwrap();
    let loaded = load(&mandate, Path::new("."), None).unwrap();
    let config = mandate.config(&loaded.feeds, &loaded.actions).unwrap();
    let batch = std::sync::Arc::clone(&loaded.feeds[0].batch);
    let binding = Binding {
        mandate: text.clone(),
        seed: 1,
        batches: vec![batch.id()],
        symbols: vec![loaded.feeds[0].symbols.clone()],
        actions: Some(config.actions.id()),
        format: FORMAT,
        binary: String::new(),
    };
    let mut run = BackTest::new(config.clone(), None).unwrap();
    let outcome = run.run(&binding, &mut MemoryJournal::default(), &mut |_| {}).unwrap();
    let desk = run.state().desk();
    let at = (0..config.n_agents()).find(|at| config.node(AgentId(*at as u16)) == Some(agent)).unwrap();
    let (score, line) = (desk.scoreboard().scores()[at], desk.statement().unwrap().lines[at]);
    // Both are shares of the value traded: the spread costs a multiple of the commission that was charged.
    let bp = |text: &str| text.trim_end_matches("bp").parse::<f64>().unwrap();
    let years = (batch.interval(batch.rows() - 1).end.0 - batch.interval(0).start.0) as f64 / (365.25 * 86_400e9);
    let exposure = line.exposure as f64 / line.decisions as f64;
    // The same universe held in equal weights, rebalanced at every bar: the mean of the simple returns, summed.
    let mut held = 0.0;
    let mut last: Vec<Option<f64>> = vec![None; batch.width()];
    for k in 0..batch.rows() {
        let (mut sum, mut n) = (0.0, 0.0);
        for (i, last) in last.iter_mut().enumerate() {
            let Some(price) = batch.close(k, i).map(|p| p.to_f64()) else { continue };
            if let Some(before) = last.replace(price) {
                (sum, n) = (sum + price / before - 1.0, n + 1.0);
            }
        }
        held += if n > 0.0 { sum / n } else { 0.0 };
    }
    Measured {
        ic: score.information_coefficient(),
        hit_rate: score.hit_rate(),
        fills: outcome.counts.fills,
        before: line.gross as f64 / exposure / years,
        after: (line.gross as f64 - line.costs as f64 * (1.0 + bp(spread) / bp(commission))) / exposure / years,
        held: held / years,
        width: batch.width(),
    }
}

const HEAD: &str = "# What each agent earned alone

Made by a test from the data that are part of the program (`UPDATE_GOLDEN=1 cargo test -p tradegraph agents_results` writes it
again); every number is a measurement of this version.

Each agent runs **alone**, with its default parameters, long and short, every stage of the allocator switched off, on the whole
sample. That is **out of sample** in this sense: the defaults are those of the literature that [agents.md](agents.md) names,
published before most of these bars, and none was chosen on these data. It is no proof for the future: many people knew these
samples when they wrote the literature, the stocks of us20 and us4 are known survivors, the samples of Bitcoin and EURUSD are
short, and as many rows have as many chances to look good by luck.

- **IC**: correlation of opinion and next move, with its standard error; across instruments at each decision where there are
  enough of them, over all pairs otherwise. Above two errors it is worth a second look, not more.
- **hit rate**: share of opinions followed by a move their way. 50 % is a coin.
- **before, after costs**: result a year for each unit of the exposure that it asked for, and the same less commission and
  half the spread of the trades that it asked for.
  Results are summed, not compounded: costs can take more than the exposure in a year.
- **holding**: the same universe in equal weights, rebalanced at every bar without costs, a year, simple returns summed.

";

#[test]
fn the_page_says_what_the_agents_earn() {
    let mut page = HEAD.to_owned();
    page += "| agent | sample | IC | hit rate | fills | before costs | after costs | holding |\n|---|---|---|---|---|---|---|---|\n";
    let percent = |x: f64| format!("{:.1} %", 100.0 * x).replace("-0.0 %", "0.0 %");
    let (mut nothing, mut less, mut more, mut known) = (vec![], vec![], vec![], vec![]);
    for (agent, ranks) in AGENTS {
        for (name, data, spread, commission) in SAMPLES {
            let single = data.contains("btc") || data.contains("eurusd") || data.contains("gold");
            if ranks && single {
                continue;
            }
            let m = measure(agent, data, spread, commission);
            assert!(m.fills > 0 && m.before.is_finite() && (m.width > 1 || !ranks), "{agent} {name}");
            assert!(m.after < m.before, "{agent} {name}: costs are above zero");
            let ic = m.ic.map_or("–".to_owned(), |(ic, e)| format!("{ic:+.4} ± {e:.4}"));
            let _ = writeln!(
                page,
                "| {agent} | {name} | {ic} | {} | {} | {} | {} | {} |",
                m.hit_rate.map_or("–".to_owned(), percent),
                m.fills,
                percent(m.before),
                percent(m.after),
                percent(m.held),
            );
            let row = format!("- {agent} on {name}: {} a year", percent(m.after));
            match () {
                () if m.after <= 0.0 => nothing.push(row),
                () if m.after < m.held => less.push(format!("{row}, holding {}", percent(m.held))),
                () => more.push(format!("{row}, holding {}", percent(m.held))),
            }
            if m.ic.is_some_and(|(ic, e)| ic > 2.0 * e) {
                known.push(format!("- {agent} on {name}: {ic}"));
            }
        }
    }
    let mut list = |title: &str, rows: &[String]| {
        let rows = if rows.is_empty() { "None.".to_owned() } else { rows.join("\n") };
        let _ = write!(page, "\n## {title}\n\n{rows}\n");
    };
    list("Earned nothing or lost, after costs", &nothing);
    list("Earned less than holding", &less);
    list("Earned at least as much as holding", &more);
    list("An IC above two standard errors", &known);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/agents-results.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    for (a, b) in page.lines().zip(written.lines()) {
        assert_eq!(a, b, "UPDATE_GOLDEN=1 writes the page again");
    }
    assert!(page == written, "UPDATE_GOLDEN=1 writes the page again");
}
