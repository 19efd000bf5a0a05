//! The header of a file: which shape it is and which column is what.

use super::{HeaderFault, ImportError, PriceColumn};
use crate::reading::split;

/// Where the time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// A session date.
    Date(usize),
    /// An instant.
    Stamp(usize),
}

impl Time {
    pub(crate) fn column(self) -> usize {
        match self {
            Time::Date(c) | Time::Stamp(c) => c,
        }
    }
}

/// Columns of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BarColumns {
    pub close: usize,
    pub range: Option<[usize; 3]>, // open, high, low
    pub volume: Option<usize>,
}

/// What a row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Long {
        symbol: usize,
        bar: BarColumns,
    },
    Single {
        bar: BarColumns,
    },
    /// Columns of closes.
    Wide {
        columns: Vec<usize>,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub names: Vec<String>,
    pub time: Time,
    pub shape: Shape,
    pub ignored: Vec<String>,
}

const STAMPS: [&str; 4] = ["ts", "timestamp", "time", "datetime"];

pub(crate) fn read(file: &str, line: &str, price: PriceColumn) -> Result<Header, ImportError> {
    let line = line.trim_end_matches('\r');
    let fault = |fault| ImportError::Header { file: file.to_owned(), found: line.chars().take(200).collect(), fault };
    if line.trim().is_empty() {
        return Err(fault(HeaderFault::Empty));
    }
    let names = split::record(line.as_bytes(), b',').ok_or_else(|| fault(HeaderFault::NoTime))?;
    let plain: Vec<String> = names.iter().map(|n| n.to_lowercase().replace([' ', '-'], "_")).collect();
    let find = |wanted: &[&str]| plain.iter().position(|n| wanted.contains(&n.as_str()));
    let time = match (find(&["date"]), find(&STAMPS)) {
        (_, Some(stamp)) => Time::Stamp(stamp),
        (Some(date), None) => Time::Date(date),
        (None, None) => return Err(fault(HeaderFault::NoTime)),
    };
    if let Some(at) = names.iter().position(String::is_empty) {
        return Err(fault(HeaderFault::Unnamed(at + 1)));
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    if let Some([twice, _]) = sorted.array_windows().find(|[a, b]| a == b) {
        return Err(fault(HeaderFault::Twice((*twice).clone())));
    }
    let symbol = find(&["symbol", "ticker"]);
    let raw = find(&["close"]).or_else(|| find(&["price"]));
    let adjusted = find(&["adj_close", "adjclose", "adjusted_close"]);
    if symbol.is_none() && raw.is_none() && adjusted.is_none() {
        let columns: Vec<usize> = (0..names.len()).filter(|c| *c != time.column()).collect();
        return match (columns.is_empty(), price) {
            (true, _) => Err(fault(HeaderFault::NoPrice)),
            (false, PriceColumn::AdjClose) => {
                Err(ImportError::NoAdjustedClose { file: file.to_owned(), columns: names })
            }
            (false, PriceColumn::Close) => {
                Ok(Header { names, time, shape: Shape::Wide { columns }, ignored: Vec::new() })
            }
        };
    }
    let range = match (find(&["open"]), find(&["high"]), find(&["low"])) {
        (Some(open), Some(high), Some(low)) => Some([open, high, low]),
        _ => None,
    };
    let bar = match (price, raw, adjusted) {
        (PriceColumn::Close, Some(close), _) => BarColumns { close, range, volume: find(&["volume"]) },
        (PriceColumn::AdjClose, _, Some(close)) => BarColumns { close, range: None, volume: None },
        (PriceColumn::Close, None, _) => return Err(fault(HeaderFault::NoPrice)),
        (PriceColumn::AdjClose, _, None) => {
            return Err(ImportError::NoAdjustedClose { file: file.to_owned(), columns: names });
        }
    };
    let mut used = vec![time.column(), bar.close];
    used.extend(symbol);
    used.extend(bar.range.into_iter().flatten());
    used.extend(bar.volume);
    let ignored = names.iter().enumerate().filter(|(c, _)| !used.contains(c)).map(|(_, n)| n.clone()).collect();
    let shape = match symbol {
        Some(symbol) => Shape::Long { symbol, bar },
        None => Shape::Single { bar },
    };
    Ok(Header { names, time, shape, ignored })
}
