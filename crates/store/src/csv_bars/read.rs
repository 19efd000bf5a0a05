//! Rows of a file to columns of numbers, one pass; what is wrong with a single row is noted on the way.

use std::collections::BTreeMap;
use std::sync::Arc;

use tradegraph_columns::Status;
use tradegraph_domain::{Date, Nanos};

use super::bar::{self, Bar, BarCells, TextRow};
use super::header::{Header, Shape, Time};
use super::{CsvRequest, ImportError, Reason, RowProblem};
use crate::reading::bytes::place;
use crate::reading::cells::{self, Stamp};
use crate::reading::split::{Cell, Rows, Splitter, Wrong};

/// Rows in the order of the file. `close` has `width` cells a row (more than one only in wide tables), the other
/// columns as many, or none where the shape lacks them.
pub(crate) struct Table {
    pub symbols: Vec<String>,
    pub width: usize,
    /// Days for dates, nanoseconds for instants.
    pub keys: Vec<i64>,
    pub lines: Vec<u32>,
    /// Index of the row's symbol; empty unless the shape is long.
    pub symbol: Vec<u32>,
    pub open: Vec<i64>,
    pub high: Vec<i64>,
    pub low: Vec<i64>,
    pub close: Vec<i64>,
    pub volume: Vec<f64>,
    pub status: Vec<Status>,
    pub rows_read: u64,
    pub notes: Notes,
}

/// The problems found, with the names they need.
pub(crate) struct Notes {
    file: Arc<str>,
    columns: Vec<Arc<str>>,
    pub problems: Vec<RowProblem>,
}

const WHOLE_ROW: usize = usize::MAX;

impl Notes {
    fn new(file: &str, names: &[String]) -> Notes {
        Notes { file: file.into(), columns: names.iter().map(|n| n.as_str().into()).collect(), problems: Vec::new() }
    }

    pub(crate) fn add(&mut self, line: u32, column: usize, value: &[u8], reason: Reason, kept: bool) {
        self.problems.push(RowProblem {
            file: self.file.clone(),
            line: u64::from(line),
            column: self.columns.get(column).cloned().unwrap_or_else(|| "".into()),
            value: String::from_utf8_lossy(value).chars().take(64).collect(),
            reason,
            kept,
        });
    }
}

/// The text without its byte-order mark.
pub(crate) fn utf8<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, ImportError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|e| {
        let (line, column) = place(bytes, e.valid_up_to(), 1);
        ImportError::NotUtf8 { file: file.to_owned(), line, column }
    })
}

/// Which symbol a row belongs to. Files are sorted by symbol or by time, so the last symbol, or the one that
/// followed it last time, is nearly always right.
#[derive(Default)]
struct SymbolIndex {
    known: BTreeMap<Box<[u8]>, u32>,
    names: Vec<Box<[u8]>>,
    after: Vec<u32>,
    last: u32,
}

impl SymbolIndex {
    #[inline]
    fn get(&mut self, name: &[u8]) -> u32 {
        let is = |names: &[Box<[u8]>], at: u32| names.get(at as usize).is_some_and(|n| **n == *name);
        if is(&self.names, self.last) {
            return self.last;
        }
        let guess = self.after.get(self.last as usize).copied().unwrap_or_default();
        let found = if is(&self.names, guess) {
            guess
        } else if let Some(at) = self.known.get(name) {
            *at
        } else {
            let at = self.names.len() as u32;
            self.known.insert(name.into(), at);
            self.names.push(name.into());
            self.after.push(0);
            at
        };
        if let Some(after) = self.after.get_mut(self.last as usize) {
            *after = found;
        }
        self.last = found;
        found
    }
}

/// Reads the time of a row to a key; remembers what it found for the last date, since long tables repeat it.
struct Keys<'r> {
    request: &'r CsvRequest<'r>,
    time: Time,
    unit: Option<i64>,
    last: Option<(Date, bool)>,
}

/// The time of a row.
pub(crate) enum Key {
    Row { key: i64, in_session: bool },
    OutOfRange,
    Wrong(Reason),
}

impl Keys<'_> {
    #[inline]
    fn read(&mut self, bytes: &[u8]) -> Key {
        match self.time {
            Time::Date(_) => {
                let Some(date) = cells::date(bytes) else { return Key::Wrong(Reason::Date) };
                if self.outside(date) {
                    return Key::OutOfRange;
                }
                let in_session = match self.last {
                    Some((last, known)) if last == date => known,
                    _ => self.request.calendar.session(date).is_some(),
                };
                self.last = Some((date, in_session));
                Key::Row { key: i64::from(date.0), in_session }
            }
            Time::Stamp(_) => {
                let nanos = match cells::stamp(bytes) {
                    Some(Stamp::Nanos(nanos)) => Some(nanos),
                    // The first integer decides the unit of the whole file.
                    Some(Stamp::Integer(n)) => n.checked_mul(*self.unit.get_or_insert_with(|| cells::unit_of(n))),
                    Some(Stamp::Local(_)) | None => None,
                };
                // A bar starts a period before its end; the period is not known yet, a century is more than enough.
                let Some(nanos) = nanos.filter(|n| n.unsigned_abs() < FARTHEST) else {
                    return Key::Wrong(Reason::Time);
                };
                if self.outside(tradegraph_domain::Timestamp(nanos).date()) {
                    return Key::OutOfRange;
                }
                Key::Row { key: nanos, in_session: true }
            }
        }
    }

    fn outside(&self, date: Date) -> bool {
        self.request.from.is_some_and(|from| date < from) || self.request.to.is_some_and(|to| date > to)
    }
}

/// 250 years from 1970.
const FARTHEST: u64 = 250 * 365 * Nanos::DAY.0 as u64;

/// Reads the lines after the header.
pub(crate) fn rows(
    request: &CsvRequest<'_>,
    file: &str,
    header: &Header,
    stem: String,
    text: &str,
) -> Result<Table, ImportError> {
    let mut keys = Keys { request, time: header.time, unit: None, last: None };
    let mut builder = Builder::new(request, file, header, text.len() / 40)?;
    let width = header.names.len();
    let mut splitter = Splitter { delimiter: b',', width, free_text: false, keep_blanks: false, line: 2 };
    let mut rows = Rows::default();
    let bytes = text.as_bytes();
    let (mut from, mut size) = (0, BLOCK);
    while from < bytes.len() {
        let to = from.saturating_add(size).min(bytes.len());
        let block = bytes.get(from..to).unwrap_or_default();
        let taken = splitter.split(block, to == bytes.len(), &mut rows);
        if u32::try_from(splitter.line).is_err() || (taken == 0 && size >= LONGEST_LINE) {
            return Err(ImportError::TooLong { file: file.to_owned() });
        }
        size = if taken == 0 { size * 2 } else { BLOCK };
        from += taken;
        for m in &rows.misshapen {
            let reason = match m.wrong {
                Wrong::Quotes => Reason::Quotes,
                Wrong::Fields(found) => Reason::Fields { found, expected: width },
            };
            builder.table.rows_read += 1;
            builder.table.notes.add(m.line as u32, WHOLE_ROW, m.row.of(block).trim_ascii_end(), reason, false);
        }
        for (cells, line) in rows.cells.chunks_exact(width.max(1)).zip(&rows.lines) {
            let cell = |column: usize| cells.get(column).map_or(&[][..], |c: &Cell| c.of(block));
            builder.row(*line as u32, TextRow(cell), |column| keys.read(cell(column)));
        }
    }
    builder.finish(stem)
}

/// Bytes that are split at once: the cells of a block stay in the cache.
const BLOCK: usize = 1 << 16;
/// A line of 1 GB is no line.
const LONGEST_LINE: usize = 1 << 30;

/// Rows of any source on their way to a table.
pub(crate) struct Builder<'r> {
    request: &'r CsvRequest<'r>,
    file: &'r str,
    header: &'r Header,
    wanted: Option<Vec<usize>>,
    index: SymbolIndex,
    skipped: Vec<bool>,
    pub table: Table,
}

impl<'r> Builder<'r> {
    /// `guess` is about how many rows will come.
    pub(crate) fn new(
        request: &'r CsvRequest<'r>,
        file: &'r str,
        header: &'r Header,
        guess: usize,
    ) -> Result<Builder<'r>, ImportError> {
        let wanted = match &header.shape {
            Shape::Wide { columns } => Some(wide_symbols(request, file, header, columns)?),
            _ => None,
        };
        let (range, volume) = match &header.shape {
            Shape::Long { bar, .. } | Shape::Single { bar } => (bar.range.is_some(), bar.volume.is_some()),
            Shape::Wide { .. } => (false, false),
        };
        check_list(request, file)?;
        let reserve = |used: bool| if used { guess } else { 0 };
        let table = Table {
            symbols: Vec::new(),
            width: wanted.as_ref().map_or(1, Vec::len),
            keys: Vec::with_capacity(guess),
            lines: Vec::with_capacity(guess),
            symbol: Vec::new(),
            open: Vec::with_capacity(reserve(range)),
            high: Vec::with_capacity(reserve(range)),
            low: Vec::with_capacity(reserve(range)),
            close: Vec::with_capacity(guess),
            volume: Vec::with_capacity(reserve(volume)),
            status: Vec::with_capacity(guess),
            rows_read: 0,
            notes: Notes::new(file, &header.names),
        };
        Ok(Builder { request, file, header, wanted, index: SymbolIndex::default(), skipped: Vec::new(), table })
    }

    /// Takes one row. `key` reads the time in a column.
    #[inline]
    pub(crate) fn row(&mut self, line: u32, cells: impl BarCells, key: impl FnOnce(usize) -> Key) {
        let (header, table, request) = (self.header, &mut self.table, self.request);
        let negative = request.allow_negative;
        table.rows_read += 1;
        let mut symbol = 0;
        if let Shape::Long { symbol: column, .. } = &header.shape {
            let name = cells.text(*column);
            if name.is_empty() {
                table.notes.add(line, *column, b"", Reason::Symbol, false);
                return;
            }
            symbol = self.index.get(&name);
            if symbol as usize == self.skipped.len() {
                let listed = request.symbols.as_ref().is_none_or(|s| s.iter().any(|n| n.as_bytes() == &*name));
                self.skipped.push(!listed);
            }
            if self.skipped.get(symbol as usize).copied().unwrap_or_default() {
                return;
            }
        }
        let time = header.time.column();
        let (key, in_session) = match key(time) {
            Key::Row { key, in_session } => (key, in_session),
            Key::OutOfRange => return,
            Key::Wrong(reason) => {
                table.notes.add(line, time, &cells.text(time), reason, false);
                return;
            }
        };
        if !in_session {
            let price_columns = match &header.shape {
                Shape::Wide { columns } => columns.as_slice(),
                Shape::Long { bar, .. } | Shape::Single { bar } => std::slice::from_ref(&bar.close),
            };
            if price_columns.iter().any(|c| !cells.is_empty(*c)) {
                let reason = no_session(request, Date(i32::try_from(key).unwrap_or_default()));
                table.notes.add(line, time, &cells.text(time), reason, false);
            }
            return;
        }
        match (&header.shape, &self.wanted) {
            (Shape::Wide { .. }, Some(wanted)) => {
                for column in wanted {
                    let read = match cells.is_empty(*column) {
                        true => None,
                        false => bar::price(negative, &cells, *column)
                            .map_err(|reason| table.notes.add(line, *column, &cells.text(*column), reason, false))
                            .ok(),
                    };
                    table.close.push(read.unwrap_or_default());
                    table.status.push(if read.is_some() { Status::Ok } else { Status::NoData });
                }
            }
            (Shape::Long { bar: columns, .. } | Shape::Single { bar: columns }, _) => {
                let (good, note) = match bar::read(negative, columns, &cells) {
                    Ok(read) => read,
                    Err((column, reason)) => {
                        table.notes.add(line, column, &cells.text(column), reason, false);
                        return;
                    }
                };
                if let Some((column, reason)) = note {
                    table.notes.add(line, column, &cells.text(column), reason, true);
                }
                let (status, [open, high, low, close], v) = match good {
                    Bar::Good { open, high, low, close, volume } => (Status::Ok, [open, high, low, close], volume),
                    Bar::Empty => (Status::NoData, [0; 4], 0.0),
                };
                if columns.range.is_some() {
                    table.open.push(open);
                    table.high.push(high);
                    table.low.push(low);
                }
                table.close.push(close);
                if columns.volume.is_some() {
                    table.volume.push(v);
                }
                table.status.push(status);
                if matches!(header.shape, Shape::Long { .. }) {
                    table.symbol.push(symbol);
                }
            }
            (Shape::Wide { .. }, None) => {}
        }
        table.keys.push(key);
        table.lines.push(line);
    }

    /// Gives the series of the table their names, in the order asked for.
    pub(crate) fn finish(self, stem: String) -> Result<Table, ImportError> {
        let Builder { request, file, header, index, mut table, .. } = self;
        match &header.shape {
            Shape::Single { .. } => {
                table.symbols = match request.symbols.as_deref() {
                    None => vec![stem],
                    Some([one]) => vec![one.clone()],
                    Some(more) => return Err(ImportError::OneSeries { file: file.to_owned(), found: more.len() }),
                };
            }
            Shape::Wide { columns } => {
                let all = || columns.iter().filter_map(|c| header.names.get(*c).cloned()).collect();
                table.symbols = request.symbols.clone().unwrap_or_else(all);
            }
            Shape::Long { .. } => {
                let known: Vec<String> = index.names.iter().map(|n| String::from_utf8_lossy(n).into_owned()).collect();
                let Some(wanted) = &request.symbols else {
                    table.symbols = known;
                    table.width = table.symbols.len();
                    return Ok(table);
                };
                let mut place = vec![0_u32; known.len()];
                for (at, symbol) in wanted.iter().enumerate() {
                    match known.iter().position(|k| k == symbol) {
                        Some(found) => place[found] = at as u32,
                        None => return Err(unknown(file, symbol, known)),
                    }
                }
                for symbol in &mut table.symbol {
                    *symbol = place[*symbol as usize];
                }
                table.symbols.clone_from(wanted);
                table.width = wanted.len();
            }
        }
        Ok(table)
    }
}

fn no_session(request: &CsvRequest<'_>, date: Date) -> Reason {
    let calendar = request.calendar;
    let (first, last) = calendar.range();
    if calendar.covers(date) {
        Reason::NotASession { calendar }
    } else {
        Reason::OutsideCalendar { calendar, first, last }
    }
}

fn check_list(request: &CsvRequest<'_>, file: &str) -> Result<(), ImportError> {
    let Some(symbols) = &request.symbols else { return Ok(()) };
    let mut sorted: Vec<&String> = symbols.iter().collect();
    sorted.sort_unstable();
    let twice = sorted.array_windows().find(|[a, b]| a == b).map(|[a, _]| (*a).clone());
    if twice.is_some() || symbols.is_empty() {
        return Err(ImportError::Symbols { file: file.to_owned(), symbol: twice });
    }
    Ok(())
}

fn wide_symbols(
    request: &CsvRequest<'_>,
    file: &str,
    header: &Header,
    columns: &[usize],
) -> Result<Vec<usize>, ImportError> {
    let Some(wanted) = &request.symbols else { return Ok(columns.to_vec()) };
    let find = |symbol: &String| {
        columns.iter().copied().find(|c| header.names.get(*c) == Some(symbol)).ok_or_else(|| {
            unknown(file, symbol, columns.iter().filter_map(|c| header.names.get(*c).cloned()).collect())
        })
    };
    wanted.iter().map(find).collect()
}

fn unknown(file: &str, symbol: &str, known: Vec<String>) -> ImportError {
    let nearest = crate::text::nearest(symbol, known.iter().map(String::as_str));
    ImportError::UnknownSymbol { file: file.to_owned(), symbol: symbol.to_owned(), nearest, known }
}
