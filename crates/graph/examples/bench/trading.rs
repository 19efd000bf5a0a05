//! The eleven nodes of LangGraph's benchmark, for the benchmarks of this crate and of the savers.

use std::sync::Arc;
use tradegraph_graph::{Channel, ChannelError, Compiled, GraphBuilder, Input, Limits, START};

pub type List = tradegraph_graph::Chan<Vec<u32>, u32>;

fn list(g: &mut GraphBuilder<u64>, name: &str) -> List {
    g.channel(name, Channel::reduce(Vec::new(), |all: &mut Vec<u32>, one: u32| all.push(one)).saved())
}

/// The eleven nodes with joins, as in the reference; the route is `risk_check`. With `panel` the ingestor brings a
/// column of 4 MB, kept by its key.
pub fn trading(panel: bool) -> (Compiled<u64>, [List; 3]) {
    let mut g = GraphBuilder::<u64>::new("trading");
    let (log, signals, orders) = (list(&mut g, "log"), list(&mut g, "signals"), list(&mut g, "orders"));
    let route = g.channel("route", Channel::last("risk_check".to_owned()).saved());
    let column: Arc<Vec<f64>> = Arc::new(vec![1.0; 524_288]);
    let kept = column.clone();
    let px = Channel::<Arc<Vec<f64>>>::empty().saved_by_key(|_, to| to.u64(17), move |_| Some(kept.clone()));
    let px = g.channel("panel", px);
    let names = [
        "ingestor",
        "sentiment",
        "momentum",
        "mean_reversion",
        "options",
        "short_seller",
        "long_term",
        "portfolio_allocator",
        "risk_manager",
        "execution_engine",
        "learning",
    ];
    let mut number = 0;
    let ids = names.map(|name| {
        number += 1;
        let (n, column) = (number, column.clone());
        g.node_fn(name, move |runs: &mut u64, io| {
            *runs += 1;
            match n {
                1 if panel => io.write(px, column.clone())?,
                2..=7 => io.write(signals, n)?,
                8 => return Ok(io.write(orders, io.get(signals)?.len() as u32)?),
                _ => {}
            }
            Ok(io.write(log, n)?)
        })
    });
    let [ingest, sentiment, momentum, reversion, options, short, long, allocate, risk, execute, learn] = ids;
    g.edge(START, ingest);
    for s in [sentiment, reversion, options, long] {
        g.edge(ingest, s);
    }
    g.edge(sentiment, short).join(&[ingest, sentiment], momentum);
    g.join(&[momentum, reversion, options, short, long], allocate);
    g.route(allocate, &[("risk_check", risk), ("execute", execute), ("learn", learn)], move |s| {
        Ok(match s.get(route)?.as_str() {
            "risk_check" => 0_usize,
            "execute" => 1,
            _ => 2,
        })
    });
    g.edge(risk, execute).edge(execute, learn);
    (g.compile(Limits::default()).unwrap(), [log, signals, orders])
}

/// Input that begins the values anew, as with a thread of its own.
pub fn clear(lists: [List; 3]) -> impl Fn(&mut Input<'_>) -> Result<(), ChannelError> {
    move |i| lists.into_iter().try_for_each(|list| i.overwrite(list, Vec::new()))
}
