//! Fills the tables of a home from its journals and its catalog: only those that a question names, and only what has
//! changed since the last question.

use crate::explanation::reasons;
use crate::failure::{Failure, Kind};
use crate::run::Prepared;
use crate::trades::{action_text, each};
use serde_json::Value;
use std::collections::BTreeMap;
use tradegraph_agents::Agent;
use tradegraph_columns::Status;
use tradegraph_domain::{BarPeriod, NANO, OrderId, Price, Regime, Side, Timestamp, WaterfallUnit, format_nano};
use tradegraph_engine::records::{DecisionRecord, Record};
use tradegraph_engine::{Negotiation, build_agents};
use tradegraph_market::Batch;
use tradegraph_store::dataset::{Chunk, Kind as DataKind, Manifest};
use tradegraph_store::{BatchMeta, Catalog, Cell, RunRecord, Store, Tables};

/// The tables that a question may name, with what each holds.
pub const TABLES: [(&str, &str); 7] = [
    ("market_data", "bars that runs used"),
    ("signals", "decisions with their three strongest reasons"),
    ("trades", "executions as booked"),
    ("corporate_actions", "splits, dividends, renames and delistings of runs"),
    ("model_performance", "figures of finished runs"),
    ("market_ticks", "quotes and trades that were imported"),
    ("alternative_data", "texts, snapshots and tables that were imported"),
];

/// True if a question may read a table.
fn names(sql: &str, table: &str) -> bool {
    sql.to_lowercase().contains(table)
}

/// Brings the tables that `sql` names up to date. `tell` hears what is being filled.
pub fn refresh(
    tables: &mut Tables,
    store: Option<&Store>,
    catalog: &Catalog,
    sql: &str,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    if names(sql, "market_data") {
        for entry in catalog.list()?.into_iter().flatten() {
            let part = entry.id.to_string();
            // Names may be replaced without a change of the content.
            let stamp = blake3::hash(entry.meta.symbols.join("\0").as_bytes()).to_hex().to_string();
            if tables.is_current("market_data", &part, &stamp)? {
                continue;
            }
            tell(&format!("market_data: {} bars of {}", entry.rows, entry.meta.source));
            let (batch, meta) = catalog.get(entry.id)?;
            tables.replace(("market_data", "batch"), &part, &stamp, MARKET_DATA, bars(&batch, &meta))?;
        }
    }
    for table in ["market_ticks", "alternative_data"] {
        if names(sql, table) {
            datasets(tables, catalog, table, tell)?;
        }
    }
    if !["signals", "trades", "corporate_actions", "model_performance"].iter().any(|t| names(sql, t)) {
        return Ok(());
    }
    let Some(store) = store else { return Ok(()) };
    for run in store.runs()? {
        let part = run.info.id.as_str().to_owned();
        let groups = store.reader(&run.info.id)?.tip()?.map_or(0, |t| t.index + 1);
        let stamp = format!("{groups} {}", run.status.name());
        let current = |tables: &mut Tables, table| tables.is_current(table, &part, &stamp);
        if names(sql, "model_performance") && !current(tables, "model_performance")? {
            tables.replace(("model_performance", "run"), &part, &stamp, MODEL_PERFORMANCE, performance(&run))?;
        }
        let wanted = |t| names(sql, t);
        let mut journal = false;
        for table in ["signals", "trades", "corporate_actions"] {
            journal |= wanted(table) && !current(tables, table)?;
        }
        if journal && groups > 0 {
            tell(&format!("signals and trades of run {part}"));
            let read = journalled(store, catalog, &run)?;
            tables.replace(("signals", "run"), &part, &stamp, SIGNALS, read.signals)?;
            tables.replace(("trades", "run"), &part, &stamp, TRADES, read.trades)?;
            tables.replace(("corporate_actions", "run"), &part, &stamp, CORPORATE_ACTIONS, read.actions)?;
        }
    }
    Ok(())
}

fn text(t: impl ToString) -> Cell {
    Cell::Text(t.to_string())
}

fn real(nano: i128) -> Cell {
    Cell::Real(nano as f64 / NANO as f64)
}

fn time(ts: Timestamp) -> [Cell; 2] {
    [Cell::Integer(ts.0), text(ts)]
}

fn whole(n: u64) -> Cell {
    i64::try_from(n).map_or(Cell::Null, Cell::Integer)
}

const MARKET_DATA: &[&str] = &[
    "batch",
    "symbol",
    "start_ns",
    "ts_ns",
    "time",
    "period",
    "basis",
    "open",
    "high",
    "low",
    "close",
    "close_exact",
    "volume",
    "status",
    "quality",
];

fn bars(batch: &Batch, meta: &BatchMeta) -> Vec<Vec<Cell>> {
    let spec = batch.spec();
    let period = match spec.period {
        BarPeriod::Session => "session".to_owned(),
        BarPeriod::Fixed(n) => format!("{} s", n.0 as f64 / 1e9),
    };
    let mut rows = Vec::with_capacity(batch.rows() * batch.width());
    for k in 0..batch.rows() {
        let about = batch.interval(k);
        for (i, symbol) in meta.symbols.iter().enumerate() {
            let status = batch.statuses(k, k + 1).get(i).copied().unwrap_or(Status::NoData);
            if status == Status::NoData {
                continue;
            }
            let price = |p: Option<Price>| p.map_or(Cell::Null, |p| real(p.nano().into()));
            let quality: Vec<&str> =
                batch.marks(k).get(i).into_iter().flat_map(|m| m.iter()).map(|c| c.name()).collect();
            let [ts_ns, time] = time(about.end);
            rows.push(vec![
                text(batch.id()),
                text(symbol),
                Cell::Integer(about.start.0),
                ts_ns,
                time,
                Cell::Text(period.clone()),
                text(spec.basis.name()),
                price(batch.open(k, i)),
                price(batch.high(k, i)),
                price(batch.low(k, i)),
                price(batch.close(k, i)),
                batch.close(k, i).map_or(Cell::Null, text),
                batch.volume(k, i).map_or(Cell::Null, Cell::Real),
                text(status.name()),
                if quality.is_empty() { Cell::Null } else { Cell::Text(quality.join(", ")) },
            ]);
        }
    }
    rows
}

const SIGNALS: &[&str] = &[
    "run",
    "seq",
    "ts_ns",
    "time",
    "order_id",
    "symbol",
    "side",
    "quantity",
    "quantity_exact",
    "price",
    "target",
    "nav",
    "refused_by",
    "top_3_reasons",
    "model_version",
    "market_regime",
];

const TRADES: &[&str] = &[
    "run",
    "seq",
    "ts_ns",
    "time",
    "exec_id",
    "order_id",
    "symbol",
    "side",
    "quantity",
    "quantity_exact",
    "price",
    "price_exact",
    "pnl",
    "pnl_exact",
    "commission",
    "commission_exact",
    "slippage",
    "currency",
    "market_impact",
];

type Rows = Vec<Vec<Cell>>;

const CORPORATE_ACTIONS: &[&str] =
    &["run", "seq", "ts_ns", "time", "symbol", "ex_date", "kind", "what", "before", "after", "cash", "pnl"];

/// What a journal says about a run.
#[derive(Default)]
struct Journalled {
    signals: Rows,
    trades: Rows,
    actions: Rows,
}

/// Decisions, executions and corporate actions of a run, from its journal.
fn journalled(store: &Store, catalog: &Catalog, run: &RunRecord) -> Result<Journalled, Failure> {
    let id = run.info.id.as_str();
    let prepared = Prepared::from_run(store, catalog, run)?;
    let universe = &prepared.config.universe;
    let agents = build_agents(&prepared.config).map_err(|e| Failure::new(Kind::Input, e.to_string()))?;
    let versions = versions(&prepared, &agents);
    let symbol = |i| universe.get(i).map_or_else(|| "?".to_owned(), |x| x.symbol.clone());
    let Journalled { mut signals, mut trades, mut actions } = Journalled::default();
    // The price at the decision, until its order has ended; orders that were refused have no fills.
    let mut decided: BTreeMap<OrderId, Price> = BTreeMap::new();
    let mut shared: Option<Negotiation> = None;
    each(&mut store.reader(&run.info.id)?, |record| match record {
        Record::Negotiation(n) => shared = Some(n),
        Record::Decision(d) => {
            if d.refusal.is_none() {
                // A stop is meant to trade at its own price, not at the one of the day on which it was placed.
                decided.insert(d.order.id, d.order.kind.stop().unwrap_or(d.price));
            }
            let why = reasons(&prepared.config, &agents, &d, shared.as_ref().filter(|n| n.seq == d.seq));
            signals.push(signal(id, &d, symbol(d.order.instrument), why, &versions));
        }
        Record::Fill { seq, ts, fill, realised_nano, .. } => {
            let [ts_ns, time] = time(ts);
            let slippage = decided.get(&fill.order).and_then(|p| {
                let worse = i128::from(fill.price.nano()) - i128::from(p.nano());
                let worse = if fill.side == Side::Buy { worse } else { -worse };
                worse.checked_mul(fill.quantity.nano())
            });
            trades.push(vec![
                text(id),
                whole(seq),
                ts_ns,
                time,
                whole(fill.exec.0),
                whole(fill.order.0),
                text(symbol(fill.instrument)),
                text(fill.side.name()),
                real(fill.quantity.nano()),
                text(fill.quantity),
                real(fill.price.nano().into()),
                text(fill.price),
                real(realised_nano),
                text(format_nano(realised_nano)),
                real(fill.fee_nano),
                text(format_nano(fill.fee_nano)),
                slippage.map_or(Cell::Null, |n| Cell::Real(n as f64 / 1e18)),
                universe.get(fill.instrument).map_or(Cell::Null, |x| text(x.currency)),
                Cell::Null,
            ]);
        }
        // The costs of a fill come right after it.
        Record::Costs { costs, .. } => {
            if let Some(cell) = trades.last_mut().and_then(|row| row.last_mut()) {
                *cell = real(costs.impact_nano);
            }
        }
        Record::Action(a) => {
            let [ts_ns, time] = time(a.ts);
            actions.push(vec![
                text(id),
                whole(a.seq),
                ts_ns,
                time,
                text(symbol(a.action.instrument)),
                text(a.action.ex),
                text(a.action.kind.name()),
                text(action_text(&a)),
                real(a.booked.before.nano()),
                real(a.booked.after.nano()),
                real(a.booked.cash_nano),
                real(a.booked.realised_nano),
            ]);
        }
        Record::Cancelled { order, .. } | Record::Rejected { order, .. } => {
            decided.remove(&order);
        }
        _ => {}
    })?;
    Ok(Journalled { signals, trades, actions })
}

fn signal(run: &str, d: &DecisionRecord, symbol: String, reasons: Vec<String>, versions: &str) -> Vec<Cell> {
    let [ts_ns, time] = time(d.ts);
    let target = match d.waterfall.unit {
        WaterfallUnit::NanoNav => real(d.waterfall.last.into()),
        WaterfallUnit::Lots => Cell::Real(d.waterfall.last as f64),
    };
    let recorded = !d.waterfall.base.is_empty() || !d.waterfall.steps.is_empty();
    vec![
        text(run),
        whole(d.seq),
        ts_ns,
        time,
        whole(d.order.id.0),
        Cell::Text(symbol),
        text(d.order.side.name()),
        real(d.order.quantity.nano()),
        text(d.order.quantity),
        real(d.price.nano().into()),
        if recorded { target } else { Cell::Null },
        if d.nav_nano == 0 { Cell::Null } else { real(d.nav_nano) },
        d.refusal.map_or(Cell::Null, |r| text(r.rule.code())),
        text(Value::from(reasons)),
        text(versions),
        if d.waterfall.regime == Regime::Unknown { Cell::Null } else { text(d.waterfall.regime.name()) },
    ]
}

/// The live agents with their versions.
fn versions(prepared: &Prepared, agents: &[Box<dyn Agent>]) -> String {
    let live = prepared.config.agents.iter().map(|a| a.id());
    let named = live.filter_map(|id| {
        let agent = agents.iter().find(|a| a.id() == id)?;
        let node = prepared.config.node(id)?;
        Some(format!("{node} {}", agent.version().0))
    });
    named.collect::<Vec<_>>().join(", ")
}

const MODEL_PERFORMANCE: &[&str] = &["run", "mandate", "model", "model_version", "metric", "value"];

/// The numbers of a run's summary, named by their place in it.
fn performance(run: &RunRecord) -> Rows {
    let summary: Value = run.summary.as_deref().and_then(|s| serde_json::from_str(s).ok()).unwrap_or_default();
    let mandate = blake3::Hash::from_bytes(run.info.mandate_hash).to_hex().to_string();
    let mut numbers = Vec::new();
    flatten("", &summary, &mut numbers);
    let row = |(metric, value): (String, f64)| {
        let (model, version) = (text("council"), text(&run.info.binary));
        vec![text(run.info.id.as_str()), text(&mandate), model, version, Cell::Text(metric), Cell::Real(value)]
    };
    numbers.into_iter().map(row).collect()
}

fn flatten(path: &str, value: &Value, numbers: &mut Vec<(String, f64)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, value, numbers);
            }
        }
        Value::Number(n) => numbers.extend(n.as_f64().map(|x| (path.to_owned(), x))),
        // Exact amounts are text.
        Value::String(t) => {
            numbers.extend(t.parse::<f64>().ok().filter(|x| x.is_finite()).map(|x| (path.to_owned(), x)))
        }
        _ => {}
    }
}

const MARKET_TICKS: &[&str] = &[
    "dataset",
    "venue",
    "symbol",
    "ts_ns",
    "exchange_ns",
    "kind",
    "bid",
    "bid_size",
    "ask",
    "ask_size",
    "price",
    "size",
    "aggressor",
];

const ALTERNATIVE_DATA: &[&str] = &["dataset", "series", "ts_ns", "field", "value", "text"];

/// Quotes and trades, or texts, snapshots and tables, of the data sets of a catalog.
fn datasets(
    tables: &mut Tables,
    catalog: &Catalog,
    table: &'static str,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    let sets = catalog.datasets();
    let ticks = table == "market_ticks";
    for entry in sets.list()?.into_iter().flatten() {
        let m = &entry.manifest;
        let wanted = match m.kind {
            DataKind::Quotes | DataKind::Trades => ticks,
            DataKind::Text | DataKind::LabelledText | DataKind::Snapshot | DataKind::Table => !ticks,
            _ => false,
        };
        if !wanted || tables.is_current(table, &m.name, &m.id)? {
            continue;
        }
        tell(&format!("{table}: {} rows of {}", m.rows.kept, m.name));
        let dataset = sets.open(entry.id)?;
        let mut rows = Vec::new();
        for chunk in dataset.read(&[])? {
            let chunk = chunk?;
            if ticks {
                tick_rows(m, &chunk, &mut rows);
            } else {
                field_rows(m, &chunk, &mut rows);
            }
        }
        let columns = if ticks { MARKET_TICKS } else { ALTERNATIVE_DATA };
        tables.replace((table, "dataset"), &m.name, &m.id, columns, rows)?;
    }
    Ok(())
}

fn tick_rows(m: &Manifest, chunk: &Chunk, rows: &mut Rows) {
    let kind = if m.kind == DataKind::Quotes { "quote" } else { "trade" };
    for row in 0..chunk.rows() {
        let name = |column: &str| chunk.column(column).and_then(|c| c.text(row));
        let time =
            |column: &str| chunk.column(column).and_then(|c| c.time(row)).map_or(Cell::Null, |t| Cell::Integer(t.0));
        let price = |column: &str| {
            chunk.column(column).and_then(|c| c.price(row)).map_or(Cell::Null, |p| real(p.nano().into()))
        };
        let number = |column: &str| chunk.column(column).and_then(|c| c.number(row)).map_or(Cell::Null, Cell::Real);
        rows.push(vec![
            text(&m.name),
            name("venue").or(m.facts.venue.as_deref()).map_or(Cell::Null, text),
            text(name("symbol").or(m.facts.symbol.as_deref()).unwrap_or(&m.name)),
            time("known_at"),
            time("exch_ts"),
            text(kind),
            price("bid"),
            number("bid_size"),
            price("ask"),
            number("ask_size"),
            price("price"),
            number("size"),
            name("aggressor").map_or(Cell::Null, text),
        ]);
    }
}

/// One row a cell.
fn field_rows(m: &Manifest, chunk: &Chunk, rows: &mut Rows) {
    let keys = ["symbol", "id", "line", "start", "known_at", "date", "ts"];
    let fields: Vec<_> = chunk.columns().iter().filter(|c| !keys.contains(&&*c.name)).collect();
    for row in 0..chunk.rows() {
        let key = ["symbol", "id"].into_iter().find_map(|k| chunk.column(k).filter(|c| c.is_present(row)));
        let series = key.map_or_else(|| m.facts.symbol.clone().unwrap_or_else(|| m.name.clone()), |c| c.show(row));
        let known = chunk.column("known_at").and_then(|c| c.time(row)).map_or(Cell::Null, |t| Cell::Integer(t.0));
        for field in fields.iter().filter(|c| c.is_present(row)) {
            let value = field.number(row).or(field.integer(row).map(|n| n as f64));
            let value = value.or(field.price(row).map(|p| p.to_f64()));
            let (value, words) = match value {
                Some(x) => (Cell::Real(x), Cell::Null),
                None => (Cell::Null, Cell::Text(field.show(row))),
            };
            let [dataset, series, name] = [text(&m.name), text(&series), text(&field.name)];
            rows.push(vec![dataset, series, known.clone(), name, value, words]);
        }
    }
}
