//! Loads what a mandate names: bars of samples, files and data sets, put on one universe, with their corporate actions
//! and the marks of their quality.

use super::{ActionSource, DataPart, Mandate, Source};
use crate::failure::{Failure, Kind};
use std::path::Path;
use std::sync::Arc;
use tradegraph_columns::Status;
use tradegraph_domain::{ActionKind, Basis, CorporateAction, Date, InstrumentId, Price};
use tradegraph_market::actions::{AdjustedClose, PrintedAction, derive, from_columns};
use tradegraph_market::calendar::CalendarId;
use tradegraph_market::quality::{BarColumns, MISSING, Marks, Rules, mark};
use tradegraph_market::{Actions, Batch, BatchParts};
use tradegraph_store::dataset::{BatchPrice, BatchRequest, Column, Dataset, Kind as DataKind};
use tradegraph_store::{Catalog, CsvRequest, CsvSource, Imported, PriceColumn, RowProblem, import_csv};

/// One feed with its bars.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The bars, one cell for each instrument of the universe.
    pub batch: Arc<Batch>,
    /// The universe: the same for every feed.
    pub symbols: Vec<String>,
    /// Where the bars came from, for people.
    pub source: String,
    /// Name of its calendar.
    pub calendar: &'static str,
}

/// What came out of the files of a mandate.
#[derive(Clone, Debug)]
pub struct LoadedData {
    /// The feeds in the order of the mandate.
    pub feeds: Vec<Feed>,
    /// Splits, dividends, renames and delistings of the universe.
    pub actions: Arc<Actions>,
    /// What was wrong in the files.
    pub problems: Vec<RowProblem>,
    /// What could not be made an action, in words.
    pub doubts: Vec<String>,
}

/// One source that was read.
struct Part {
    imported: Imported,
    calendar: CalendarId,
    basis: Basis,
    allow_negative: bool,
}

/// Data of a mandate before their quality was checked.
#[derive(Clone, Debug)]
pub struct Unchecked {
    /// As they were read.
    pub data: LoadedData,
    /// The rules for the bars of each feed; `None` where the mandate wants no check.
    pub rules: Vec<Option<Rules>>,
}

/// Reads everything that a mandate names; relative paths start at `folder`.
pub fn load(mandate: &Mandate, folder: &Path, catalog: Option<&Catalog>) -> Result<LoadedData, Failure> {
    let Unchecked { data, rules } = load_unchecked(mandate, folder, catalog)?;
    let check = |(feed, rules): (Feed, Option<Rules>)| match rules {
        Some(rules) => Ok(Feed { batch: Arc::new(checked(Arc::unwrap_or_clone(feed.batch), &rules)?), ..feed }),
        None => Ok(feed),
    };
    let feeds = data.feeds.into_iter().zip(rules).map(check).collect::<Result<_, Failure>>()?;
    Ok(LoadedData { feeds, ..data })
}

/// As [`load`], without marks of quality.
pub fn load_unchecked(mandate: &Mandate, folder: &Path, catalog: Option<&Catalog>) -> Result<Unchecked, Failure> {
    let mut parts = Vec::new();
    for part in &mandate.data {
        parts.push(read(part, part.price, folder, catalog)?);
    }
    let mut universe: Vec<String> = Vec::new();
    for symbol in parts.iter().flat_map(|p| &p.imported.symbols) {
        if !universe.contains(symbol) {
            universe.push(symbol.clone());
        }
    }
    let mut gathered = Gathered { universe: &universe, items: Vec::new(), names: Vec::new(), doubts: Vec::new() };
    for (part, read) in mandate.data.iter().zip(&parts) {
        gathered.take(part, read, folder, catalog)?;
    }
    let Gathered { mut items, names, doubts, .. } = gathered;
    // Two feeds of one instrument tell the same actions.
    items.sort_unstable();
    items.dedup();
    let actions =
        Actions::new(items, names).map_err(|e| Failure::new(Kind::Input, format!("corporate actions: {e}")))?;
    let (mut feeds, mut problems, mut all_rules) = (Vec::new(), Vec::new(), Vec::new());
    for (part, read) in mandate.data.iter().zip(parts) {
        let Imported { batch, symbols, quarantine, .. } = read.imported;
        problems.extend(quarantine);
        let batch = if symbols == universe { batch } else { widen(batch, &symbols, &universe)? };
        let rules = Rules {
            calendar: read.calendar,
            period: batch.spec().period,
            may_be_negative: read.allow_negative,
            bounds: None,
        };
        all_rules.push(part.checks.then_some(rules));
        let source = match &part.source {
            Source::Sample(name) => format!("sample:{name}"),
            Source::Path(path) => folder.join(path).display().to_string(),
            Source::Catalog(name) => format!("catalog:{name}"),
        };
        feeds.push(Feed { batch: Arc::new(batch), symbols: universe.clone(), source, calendar: read.calendar.name() });
    }
    Ok(Unchecked { data: LoadedData { feeds, actions: Arc::new(actions), problems, doubts }, rules: all_rules })
}

/// Bars of one source at one of its prices.
fn read(part: &DataPart, price: BatchPrice, folder: &Path, catalog: Option<&Catalog>) -> Result<Part, Failure> {
    if let Source::Catalog(name) = &part.source {
        let dataset = open(catalog, name)?;
        let m = dataset.manifest();
        let calendar = part.calendar.unwrap_or_else(|| m.calendar());
        let basis = match price {
            BatchPrice::AdjClose => Basis::TotalReturn,
            _ => part.basis.unwrap_or_else(|| m.basis()),
        };
        let imported = dataset.to_batch(&BatchRequest {
            symbols: part.symbols.clone(),
            venue: part.venue.clone(),
            segment: part.segment.clone(),
            price,
            calendar: Some(calendar),
            basis: Some(basis),
            allow_negative: Some(part.allow_negative || m.allow_negative),
            from: part.dates.0,
            to: part.dates.1,
        })?;
        return Ok(Part { imported, calendar, basis, allow_negative: part.allow_negative || m.allow_negative });
    }
    let calendar = part.calendar.unwrap_or(CalendarId::AlwaysOpen);
    let basis = match price {
        BatchPrice::AdjClose => Basis::TotalReturn,
        _ => part.basis.unwrap_or(Basis::Raw),
    };
    let mut request = match &part.source {
        Source::Sample(name) => match crate::samples::sample(name) {
            Some(s) => CsvRequest::bytes(&format!("sample:{name}"), s.csv, calendar),
            None => CsvRequest::path(Path::new(name), calendar),
        },
        Source::Path(path) | Source::Catalog(path) => CsvRequest::path(&folder.join(path), calendar),
    };
    if let CsvSource::Bytes { name, .. } = &mut request.source {
        name.push_str(".csv");
    }
    request.symbols = part.symbols.clone();
    request.basis = basis;
    request.price = if price == BatchPrice::AdjClose { PriceColumn::AdjClose } else { PriceColumn::Close };
    request.period = part.period;
    request.label = part.label;
    request.allow_negative = part.allow_negative;
    (request.from, request.to) = part.dates;
    let imported = import_csv(&request).map_err(|e| {
        let failure = Failure::from(e);
        match failure.kind {
            Kind::NotFound => failure.next("paths in a mandate start at the mandate's own folder"),
            _ => failure,
        }
    })?;
    Ok(Part { imported, calendar, basis, allow_negative: part.allow_negative })
}

fn open(catalog: Option<&Catalog>, name: &str) -> Result<Dataset, Failure> {
    let Some(catalog) = catalog else {
        return Err(Failure::new(Kind::NotFound, format!("there is no catalog to find '{name}' in"))
            .next("make one with: tradegraph data import FILE"));
    };
    Ok(catalog.datasets().get(name)?)
}

/// Corporate actions of a universe, as they are found.
struct Gathered<'a> {
    universe: &'a [String],
    items: Vec<CorporateAction>,
    names: Vec<String>,
    doubts: Vec<String>,
}

impl Gathered<'_> {
    fn id(&self, symbol: &str) -> Option<InstrumentId> {
        let at = self.universe.iter().position(|u| u == symbol)?;
        u32::try_from(at).ok().map(InstrumentId)
    }

    fn take(&mut self, part: &DataPart, read: &Part, folder: &Path, catalog: Option<&Catalog>) -> Result<(), Failure> {
        if part.actions != ActionSource::None && read.basis != Basis::Raw {
            let what = format!(
                "[[data]] '{}': corporate actions go with prices as traded; these are {}",
                part.name,
                read.basis.name()
            );
            return Err(Failure::new(Kind::Input, what)
                .next("leave `actions` out, or choose `price = \"close\"` of raw prices"));
        }
        match &part.actions {
            ActionSource::None => {}
            ActionSource::Derived(how) => {
                let adjusted = self::read(part, BatchPrice::AdjClose, folder, catalog)?.imported;
                let (raw, calendar) = (&read.imported, read.calendar);
                for (at, symbol) in raw.symbols.iter().enumerate() {
                    let Some(other) = adjusted.symbols.iter().position(|s| s == symbol) else { continue };
                    let Some(id) = self.id(symbol) else { continue };
                    let days = both_closes(&raw.batch, at, &adjusted.batch, other, calendar);
                    let derived = derive(*how, id, calendar, &days);
                    self.items.extend(derived.actions);
                    self.doubts.extend(derived.doubts.iter().map(|d| {
                        format!(
                            "{symbol} {}: a step of the adjustment by {:.6} is no action: {}",
                            d.date,
                            d.ratio,
                            d.kind.sentence()
                        )
                    }));
                }
            }
            ActionSource::Columns => {
                if let Source::Catalog(name) = &part.source {
                    self.printed(&open(catalog, name)?, read.calendar)?;
                }
            }
            ActionSource::Catalog(name) => self.listed(&open(catalog, name)?, read.calendar)?,
        }
        Ok(())
    }

    /// Dividends and split factors that the bars print.
    fn printed(&mut self, dataset: &Dataset, calendar: CalendarId) -> Result<(), Failure> {
        let m = dataset.manifest();
        let has = |name: &str| m.columns.iter().any(|c| c.name == name);
        let wanted: Vec<&str> = ["symbol", "date", "dividend", "split_factor"].into_iter().filter(|c| has(c)).collect();
        if !has("date") || !(has("dividend") || has("split_factor")) {
            let what = format!("data set '{}' has no columns of dividends and split factors by date", m.name);
            return Err(Failure::new(Kind::Input, what).next("give `actions` another source"));
        }
        let mut rows: Vec<(String, PrintedAction)> = Vec::new();
        for chunk in dataset.read(&wanted)? {
            let chunk = chunk?;
            let column = |name: &str| chunk.column(name);
            for row in 0..chunk.rows() {
                let dividend = column("dividend").and_then(|c| c.price(row)).unwrap_or(Price::ZERO);
                let factor = column("split_factor").and_then(|c| c.number(row));
                let factor = factor.and_then(|f| Price::parse(&f.to_string()).ok()).unwrap_or(Price::ZERO);
                let Some(date) = column("date").and_then(|c| c.date(row)) else { continue };
                if dividend != Price::ZERO || factor != Price::ZERO {
                    let symbol = column("symbol").and_then(|c| c.text(row)).or(m.facts.symbol.as_deref());
                    let action = PrintedAction { date, dividend, split_factor: factor };
                    rows.push((symbol.unwrap_or(&m.name).to_owned(), action));
                }
            }
        }
        rows.sort_by(|a, b| (&a.0, a.1.date).cmp(&(&b.0, b.1.date)));
        for of_symbol in rows.chunk_by(|a, b| a.0 == b.0) {
            let Some(id) = of_symbol.first().and_then(|(symbol, _)| self.id(symbol)) else { continue };
            let printed: Vec<PrintedAction> = of_symbol.iter().map(|(_, p)| *p).collect();
            let found = from_columns(id, calendar, &printed);
            self.items.extend(found.map_err(|e| Failure::new(Kind::Input, format!("data set '{}': {e}", m.name)))?);
        }
        Ok(())
    }

    /// A data set of actions.
    fn listed(&mut self, dataset: &Dataset, calendar: CalendarId) -> Result<(), Failure> {
        let m = dataset.manifest();
        if m.kind != DataKind::Actions {
            let what = format!("data set '{}' holds {}, not corporate actions", m.name, m.kind.spec().about);
            return Err(Failure::new(Kind::Input, what).next("name one of kind `actions`: `tradegraph data list`"));
        }
        for chunk in dataset.read(&[])? {
            let chunk = chunk?;
            let column = |name: &str| chunk.column(name);
            for row in 0..chunk.rows() {
                let text = |name: &str| column(name).and_then(|c| c.text(row));
                let price = |name: &str| column(name).and_then(|c| c.price(row));
                let line = column("line").and_then(|c| c.integer(row)).unwrap_or_default();
                let wrong = |why: &str| {
                    Failure::new(Kind::Input, format!("{}:{line}: {why}", m.source.file))
                        .next("correct the row and import the file with --replace")
                };
                let Some(instrument) = text("symbol").and_then(|s| self.id(s)) else { continue };
                let ex =
                    column("ex_date").and_then(|c| c.date(row)).ok_or_else(|| wrong("an action needs an ex_date"))?;
                let kind = match text("kind").unwrap_or_default() {
                    "split" => ratio(text("ratio"), column("new"), column("old"), row)
                        .map(|(new, old)| ActionKind::Split { new, old })
                        .ok_or_else(|| wrong("a split needs a ratio such as 2:1"))?,
                    "dividend" => ActionKind::Dividend {
                        amount: price("amount").ok_or_else(|| wrong("a dividend needs an amount"))?,
                        pay: column("pay_date").and_then(|c| c.date(row)).unwrap_or(ex),
                    },
                    "rename" => {
                        let to = text("to").ok_or_else(|| wrong("a rename needs the new symbol"))?;
                        self.names.push(to.to_owned());
                        ActionKind::Rename { name: u32::try_from(self.names.len() - 1).unwrap_or_default() }
                    }
                    "delisting" => {
                        let price = price("price").or(price("amount"));
                        ActionKind::Delisting {
                            price: price.ok_or_else(|| wrong("a delisting needs the final price"))?,
                        }
                    }
                    other => return Err(wrong(&format!("'{other}' is no kind of action"))),
                };
                let session = calendar.session(ex).or_else(|| calendar.next_session(ex));
                let ts = session.map_or_else(|| ex.midnight(), |s| s.open);
                self.items.push(CorporateAction { ts, instrument, kind, ex });
            }
        }
        Ok(())
    }
}

/// Units after and before, from `2:1`, `2/1`, `1.5`, or two columns.
fn ratio(text: Option<&str>, new: Option<&Column>, old: Option<&Column>, row: usize) -> Option<(u32, u32)> {
    let count = |c: Option<&Column>| c.and_then(|c| c.integer(row)).and_then(|n| u32::try_from(n).ok());
    if let (Some(new), Some(old)) = (count(new), count(old)) {
        return Some((new, old));
    }
    let text = text?;
    match text.split_once([':', '/']) {
        Some((new, old)) => Some((new.trim().parse().ok()?, old.trim().parse().ok()?)),
        None => {
            let factor = Price::parse(text).ok()?.nano();
            let found = (1..=1_000_u32)
                .find(|old| factor.checked_mul(i64::from(*old)).is_some_and(|n| n % 1_000_000_000 == 0))?;
            Some((u32::try_from(factor * i64::from(found) / 1_000_000_000).ok()?, found))
        }
    }
}

/// Days on which both series have a close.
fn both_closes(raw: &Batch, i: usize, adjusted: &Batch, j: usize, calendar: CalendarId) -> Vec<AdjustedClose> {
    let mut days = Vec::new();
    let mut other = 0;
    for row in 0..raw.rows() {
        let start = raw.interval(row).start;
        while other < adjusted.rows() && adjusted.interval(other).start < start {
            other += 1;
        }
        if other == adjusted.rows() || adjusted.interval(other).start != start {
            continue;
        }
        if let (Some(close), Some(adjusted)) = (raw.close(row, i), adjusted.close(other, j)) {
            let date: Date = calendar.session_at(start).map_or_else(|| start.date(), |s| s.date);
            days.push(AdjustedClose { date, raw: close, adjusted });
        }
    }
    days
}

/// Marks the bars that fail a quality check; see `quality` of the market crate for what each does.
pub fn checked(batch: Batch, rules: &Rules) -> Result<Batch, Failure> {
    let (parts, width) = (batch.parts(), batch.width());
    let mut marks = vec![Marks::NONE; parts.status.len()];
    for i in 0..width {
        let of = |cells: &[i64]| -> Vec<i64> {
            let series = cells.iter().zip(&parts.status).skip(i).step_by(width);
            series.map(|(p, s)| if *s == Status::Ok { *p } else { MISSING }).collect()
        };
        let series = [&parts.open, &parts.high, &parts.low, &parts.close].map(|c| of(c));
        let volume: Vec<f64> = parts.volume.iter().skip(i).step_by(width).copied().collect();
        let [open, high, low, close] = &series;
        let columns = BarColumns { starts: &parts.starts, open, high, low, close, volume: &volume };
        for (cell, mark) in marks.iter_mut().skip(i).step_by(width).zip(mark(&columns, rules)) {
            *cell = mark;
        }
    }
    batch.with_marks(marks).map_err(|e| Failure::new(Kind::Input, e.to_string()))
}

/// Puts a batch on a universe that has more instruments.
fn widen(batch: Batch, symbols: &[String], universe: &[String]) -> Result<Batch, Failure> {
    let (from, to) = (symbols.len(), universe.len());
    let places: Vec<usize> = symbols.iter().filter_map(|s| universe.iter().position(|u| u == s)).collect();
    let parts = batch.parts();
    let too_large =
        || Failure::new(Kind::Input, "the feeds together have more cells than fit; use fewer symbols or dates");
    let cells = batch.rows().checked_mul(to).filter(|n| *n <= 1 << 32).ok_or_else(too_large)?;
    let wide = BatchParts {
        spec: parts.spec,
        width: to,
        starts: parts.starts.clone(),
        ends: parts.ends.clone(),
        open: spread(&parts.open, from, to, &places, cells, 0),
        high: spread(&parts.high, from, to, &places, cells, 0),
        low: spread(&parts.low, from, to, &places, cells, 0),
        close: spread(&parts.close, from, to, &places, cells, 0),
        volume: spread(&parts.volume, from, to, &places, cells, 0.0),
        status: spread(&parts.status, from, to, &places, cells, Status::NoData),
    };
    Batch::new(wide).map_err(|e| Failure::new(Kind::Input, e.to_string()))
}

fn spread<T: Copy>(column: &[T], from: usize, to: usize, places: &[usize], cells: usize, empty: T) -> Vec<T> {
    if column.is_empty() {
        return vec![];
    }
    let mut out = vec![empty; cells];
    for (row, wide) in column.chunks_exact(from).zip(out.chunks_exact_mut(to)) {
        for (value, place) in row.iter().zip(places) {
            if let Some(cell) = wide.get_mut(*place) {
                *cell = *value;
            }
        }
    }
    out
}
