//! The plots of a report, as Plotly's own JSON. Colours come from the page, which knows light and dark.

use super::Subject;
use super::analysis::Analysis;
use plotly::common::{Fill, HoverInfo, Line, Marker, MarkerSymbol, Mode};
use plotly::{Bar, Scatter, Trace};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tradegraph_domain::Side;

/// Markers that one plot may carry.
const MAX_MARKERS: usize = 2_000;
/// Points of a curve; longer ones are thinned, first and last kept.
const MAX_POINTS: usize = 12_000;

/// Which rows of a curve are drawn.
fn rows(n: usize) -> Vec<usize> {
    let step = n.div_ceil(MAX_POINTS).max(1);
    (0..n).filter(|i| i % step == 0 || i + 1 == n).collect()
}

/// Six significant digits are finer than any screen and keep the file small.
pub(super) fn short(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

pub(super) fn trace(t: Box<dyn Trace>) -> Value {
    serde_json::from_str(&t.to_json()).unwrap_or_default()
}

/// `equity`, `drawdown`, `activity` and, for one instrument, `price`: lists of traces.
pub fn traces(s: &Subject<'_>, a: &Analysis) -> Value {
    let rows = rows(s.curves.dates.len());
    let pick = |values: &[f64]| rows.iter().filter_map(|i| values.get(*i).copied().map(short)).collect::<Vec<f64>>();
    let dates: Vec<String> = rows.iter().filter_map(|i| s.curves.dates.get(*i)).map(ToString::to_string).collect();
    let equity = [
        Scatter::new(dates.clone(), pick(&s.curves.held))
            .name("buy and hold, no costs")
            .mode(Mode::Lines)
            .line(Line::new().width(1.0)),
        Scatter::new(dates.clone(), pick(&s.curves.benchmark))
            .name("equal weight, no costs")
            .mode(Mode::Lines)
            .line(Line::new().width(1.2)),
        Scatter::new(dates.clone(), pick(&s.curves.net))
            .name("account, net of costs")
            .mode(Mode::Lines)
            .line(Line::new().width(1.8)),
    ];
    let fall = |values: &[f64]| {
        let mut peak = f64::MIN;
        let all: Vec<f64> = values
            .iter()
            .map(|v| {
                peak = peak.max(*v);
                if peak > 0.0 { v / peak - 1.0 } else { 0.0 }
            })
            .collect();
        pick(&all)
    };
    let drawdown = [
        Scatter::new(dates.clone(), fall(&s.curves.benchmark))
            .name("equal weight")
            .mode(Mode::Lines)
            .line(Line::new().width(1.0)),
        Scatter::new(dates.clone(), fall(&s.curves.net))
            .name("account")
            .mode(Mode::Lines)
            .fill(Fill::ToZeroY)
            .line(Line::new().width(1.2)),
    ];
    let line = |y: &[f64], name: &str, width: f64| {
        Scatter::new(dates.clone(), pick(y)).name(name).mode(Mode::Lines).line(Line::new().width(width))
    };
    let exposure = if s.curves.gross.is_empty() {
        vec![]
    } else {
        let gross = line(&s.curves.gross, "gross", 0.8).fill(Fill::ToZeroY);
        vec![trace(gross), trace(line(&s.curves.exposure, "net", 1.2))]
    };
    json!({
        "equity": equity.into_iter().map(|t| trace(t)).collect::<Vec<_>>(),
        "drawdown": drawdown.into_iter().map(|t| trace(t)).collect::<Vec<_>>(),
        "exposure": exposure,
        "turnover": turnover(s),
        "rolling": rolling(s, a, &rows),
        "trips": trips(a),
        "activity": activity(s),
        "price": price(s),
        "council": super::council::traces(s),
    })
}

/// Rolling Sharpe ratio and volatility; nothing for short curves.
fn rolling(s: &Subject<'_>, a: &Analysis, rows: &[usize]) -> Vec<Value> {
    let Some(r) = &a.rolling else { return vec![] };
    let of = |cells: &[Option<f64>], name: &str| {
        // A cell belongs to the day at the end of its return.
        let known = rows.iter().filter_map(|i| Some((s.curves.dates.get(*i)?, (*cells.get(i.checked_sub(1)?)?)?)));
        let (x, y): (Vec<String>, Vec<f64>) = known.map(|(d, v)| (d.to_string(), short(v))).unzip();
        trace(Scatter::new(x, y).name(name).mode(Mode::Lines).line(Line::new().width(1.3)))
    };
    vec![of(&r.sharpe, "Sharpe ratio"), of(&r.volatility, "volatility")]
}

/// What was traded a month as a multiple of the account.
fn turnover(s: &Subject<'_>) -> Vec<Value> {
    let mut months: BTreeMap<String, f64> = BTreeMap::new();
    for (date, traded) in s.curves.dates.iter().zip(&s.curves.traded) {
        *months.entry(date.to_string().chars().take(7).collect()).or_default() += traded;
    }
    let (x, y): (Vec<String>, Vec<f64>) = months.into_iter().map(|(m, t)| (m, short(t))).unzip();
    if x.is_empty() { vec![] } else { vec![trace(Bar::new(x, y).name("turnover"))] }
}

/// Each closed round trip: how far it went against the account, and what it gave. Winners, then losers.
fn trips(a: &Analysis) -> Vec<Value> {
    let of = |name: &str, wins: bool| {
        let closed = a.trips.iter().flatten().filter(|t| !t.open && (t.result_nano > 0) == wins).take(MAX_MARKERS);
        let (x, y): (Vec<f64>, Vec<f64>) = closed.map(|t| (short(t.adverse), short(t.gain))).unzip();
        trace(Scatter::new(x, y).name(name).mode(Mode::Markers).marker(Marker::new().size(6)))
    };
    if a.trips.is_none() { vec![] } else { vec![of("gained", true), of("lost", false)] }
}

/// Fills a month (or a day, for runs of a few weeks): buys up, sells down.
fn activity(s: &Subject<'_>) -> Vec<Value> {
    let length = if s.curves.dates.len() > 120 { 7 } else { 10 };
    let mut counts: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for f in &s.log.fills {
        let key: String = f.ts.date().to_string().chars().take(length).collect();
        let slot = counts.entry(key).or_default();
        match f.fill.side {
            Side::Buy => slot.0 += 1,
            Side::Sell => slot.1 -= 1,
        }
    }
    let keys: Vec<String> = counts.keys().cloned().collect();
    let buys: Vec<i64> = counts.values().map(|c| c.0).collect();
    let sells: Vec<i64> = counts.values().map(|c| c.1).collect();
    vec![trace(Bar::new(keys.clone(), buys).name("buys")), trace(Bar::new(keys, sells).name("sells"))]
}

/// The price of the one instrument with its fills; nothing for several.
fn price(s: &Subject<'_>) -> Vec<Value> {
    let Some(feed) = s.prepared.feeds.first().filter(|f| f.symbols.len() == 1) else { return vec![] };
    let rows = rows(feed.batch.rows());
    let (x, y): (Vec<String>, Vec<f64>) = rows
        .iter()
        .filter_map(|k| Some((feed.batch.interval(*k).end.to_string(), short(feed.batch.close(*k, 0)?.to_f64()))))
        .unzip();
    let mut out = vec![trace(Scatter::new(x, y).name("close").mode(Mode::Lines).line(Line::new().width(1.0)))];
    let skip = s.log.fills.len().saturating_sub(MAX_MARKERS);
    for (side, symbol, name) in
        [(Side::Buy, MarkerSymbol::TriangleUp, "buys"), (Side::Sell, MarkerSymbol::TriangleDown, "sells")]
    {
        let of: Vec<_> = s.log.fills.iter().skip(skip).filter(|f| f.fill.side == side).collect();
        let x: Vec<String> = of.iter().map(|f| f.ts.to_string()).collect();
        let y: Vec<f64> = of.iter().map(|f| f.fill.price.to_f64()).collect();
        let text: Vec<String> = of
            .iter()
            .map(|f| {
                format!("order {}: {} {} at {}", f.fill.order.0, f.fill.side.name(), f.fill.quantity, f.fill.price)
            })
            .collect();
        let marker = Marker::new().symbol(symbol).size(7);
        let points = Scatter::new(x, y).name(name).mode(Mode::Markers).marker(marker);
        out.push(trace(points.text_array(text).hover_info(HoverInfo::Text)));
    }
    out
}
