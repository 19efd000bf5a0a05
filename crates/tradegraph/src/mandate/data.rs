//! Loads what a mandate names: bars of samples and files, put on one universe.

use super::{DataPart, Mandate, Source};
use crate::failure::{Failure, Kind};
use std::path::Path;
use std::sync::Arc;
use tradegraph_columns::Status;
use tradegraph_market::{Batch, BatchParts};
use tradegraph_store::{CsvRequest, CsvSource, RowProblem, import_csv};

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
    /// What was wrong in the files.
    pub problems: Vec<RowProblem>,
}

/// Reads all files of a mandate; relative paths start at `folder`.
pub fn load(mandate: &Mandate, folder: &Path) -> Result<LoadedData, Failure> {
    let mut imported = Vec::new();
    let mut problems = Vec::new();
    for part in &mandate.data {
        let one = import_csv(&request(part, folder)).map_err(|e| {
            let failure = Failure::from(e);
            match failure.kind {
                Kind::NotFound => failure.next("paths in a mandate start at the mandate's own folder"),
                _ => failure,
            }
        })?;
        problems.extend(one.quarantine);
        imported.push((one.batch, one.symbols));
    }
    let mut universe: Vec<String> = Vec::new();
    for symbol in imported.iter().flat_map(|(_, symbols)| symbols) {
        if !universe.contains(symbol) {
            universe.push(symbol.clone());
        }
    }
    let mut feeds = Vec::new();
    for (part, (batch, symbols)) in mandate.data.iter().zip(imported) {
        let batch = if symbols == universe { batch } else { widen(batch, &symbols, &universe)? };
        let source = match &part.source {
            Source::Sample(name) => format!("sample:{name}"),
            Source::Path(path) => folder.join(path).display().to_string(),
        };
        feeds.push(Feed { batch: Arc::new(batch), symbols: universe.clone(), source, calendar: part.calendar.name() });
    }
    Ok(LoadedData { feeds, problems })
}

fn request<'a>(part: &DataPart, folder: &Path) -> CsvRequest<'a> {
    let mut request = match &part.source {
        Source::Path(path) => CsvRequest::path(&folder.join(path), part.calendar),
        Source::Sample(name) => match crate::samples::sample(name) {
            Some(s) => CsvRequest::bytes(&format!("sample:{name}"), s.csv, part.calendar),
            None => CsvRequest::path(Path::new(name), part.calendar),
        },
    };
    if let CsvSource::Bytes { name, .. } = &mut request.source {
        name.push_str(".csv");
    }
    request.symbols = part.symbols.clone();
    request.basis = part.basis;
    request.price = part.price;
    request.period = part.period;
    request.label = part.label;
    request.allow_negative = part.allow_negative;
    (request.from, request.to) = part.dates;
    request
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
