//! Rows of a file to columns of numbers, one pass; what is wrong with a single row is noted on the way.

use std::collections::BTreeMap;
use std::sync::Arc;

use tradegraph_columns::Status;
use tradegraph_domain::{Date, Nanos, Price};

use super::cells::{self, Stamp};
use super::header::{BarColumns, Header, Shape, Time};
use super::{CsvRequest, ImportError, Reason, RowProblem};

/// Rows in the order of the file. `close` has `width` cells a row (more than one only in wide tables), the other
/// columns as many, or none where the shape lacks them.
pub(super) struct Table {
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
pub(super) struct Notes {
    file: Arc<str>,
    columns: Vec<Arc<str>>,
    pub problems: Vec<RowProblem>,
}

const WHOLE_ROW: usize = usize::MAX;

impl Notes {
    fn new(file: &str, names: &[String]) -> Notes {
        Notes { file: file.into(), columns: names.iter().map(|n| n.as_str().into()).collect(), problems: Vec::new() }
    }

    pub(super) fn add(&mut self, line: u32, column: usize, value: &[u8], reason: Reason, kept: bool) {
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
pub(super) fn utf8<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, ImportError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|e| {
        let before = bytes.get(..e.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|b| **b == b'\n').count() as u64 + 1;
        let column = before.iter().rev().take_while(|b| **b != b'\n').count() as u64 + 1;
        ImportError::NotUtf8 { file: file.to_owned(), line, column }
    })
}

/// Splits a line at its commas and takes spaces and quotation marks off.
#[inline]
pub(super) fn fields<'a>(line: &'a [u8], into: &mut Vec<&'a [u8]>) -> Result<(), Reason> {
    into.clear();
    if line.contains(&b'"') {
        return quoted_fields(line, into);
    }
    let mut start = 0;
    for (at, b) in line.iter().enumerate() {
        if *b == b',' {
            into.push(line.get(start..at).unwrap_or_default().trim_ascii());
            start = at + 1;
        }
    }
    into.push(line.get(start..).unwrap_or_default().trim_ascii());
    Ok(())
}

/// Commas inside quotation marks do not split. Doubled marks inside a field stay doubled: no market datum has one.
fn quoted_fields<'a>(line: &'a [u8], into: &mut Vec<&'a [u8]>) -> Result<(), Reason> {
    let mut start = 0;
    let mut inside = false;
    for at in 0..=line.len() {
        match line.get(at) {
            Some(b'"') => inside = !inside,
            Some(b',') | None if !inside => {
                let field = line.get(start..at).unwrap_or_default().trim_ascii();
                let bare = field.strip_prefix(b"\"").and_then(|f| f.strip_suffix(b"\""));
                into.push(bare.unwrap_or(field).trim_ascii());
                start = at + 1;
            }
            _ => {}
        }
    }
    if inside { Err(Reason::Quotes) } else { Ok(()) }
}

/// Which symbol a row belongs to. Files are sorted by symbol or by time, so the last symbol, or the one that
/// followed it last time, is nearly always right.
struct SymbolIndex<'a> {
    known: BTreeMap<&'a [u8], u32>,
    names: Vec<&'a [u8]>,
    after: Vec<u32>,
    last: u32,
}

impl<'a> SymbolIndex<'a> {
    fn new() -> Self {
        SymbolIndex { known: BTreeMap::new(), names: Vec::new(), after: Vec::new(), last: 0 }
    }

    #[inline]
    fn get(&mut self, name: &'a [u8]) -> u32 {
        let is = |names: &[&[u8]], at: u32| names.get(at as usize).is_some_and(|n| *n == name);
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
            self.known.insert(name, at);
            self.names.push(name);
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

enum Key {
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
                    None => None,
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

    fn no_session(&self, date: Date) -> Reason {
        let calendar = self.request.calendar;
        let (first, last) = calendar.range();
        if calendar.covers(date) {
            Reason::NotASession { calendar }
        } else {
            Reason::OutsideCalendar { calendar, first, last }
        }
    }
}

/// 250 years from 1970.
const FARTHEST: u64 = 250 * 365 * Nanos::DAY.0 as u64;

/// Open or close may miss low…high by this part of the price: sources that adjust prices round each one alone.
const ROUNDING: i64 = 10_000;

enum Bar {
    Empty,
    Good { open: i64, high: i64, low: i64, close: i64, volume: f64 },
}

pub(super) fn rows(
    request: &CsvRequest<'_>,
    file: &str,
    header: &Header,
    stem: String,
    text: &str,
) -> Result<Table, ImportError> {
    let mut keys = Keys { request, time: header.time, unit: None, last: None };
    let wanted = match &header.shape {
        Shape::Wide { columns } => Some(wide_symbols(request, file, header, columns)?),
        _ => None,
    };
    let (range, volume) = match &header.shape {
        Shape::Long { bar, .. } | Shape::Single { bar } => (bar.range.is_some(), bar.volume.is_some()),
        Shape::Wide { .. } => (false, false),
    };
    check_list(request, file)?;
    let guess = text.len() / 40;
    let width = wanted.as_ref().map_or(1, Vec::len);
    let reserve = |used: bool| if used { guess } else { 0 };
    let mut table = Table {
        symbols: Vec::new(),
        width,
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
    let mut index = SymbolIndex::new();
    let mut skipped: Vec<bool> = Vec::new();
    let mut row: Vec<&[u8]> = Vec::with_capacity(header.names.len());
    let mut line = 1_u32;
    for bytes in Lines(text) {
        line = line.checked_add(1).ok_or_else(|| ImportError::TooLong { file: file.to_owned() })?;
        let bytes = bytes.trim_ascii_end();
        if bytes.is_empty() {
            continue;
        }
        table.rows_read += 1;
        if let Err(reason) = fields(bytes, &mut row) {
            table.notes.add(line, WHOLE_ROW, bytes, reason, false);
            continue;
        }
        if row.len() != header.names.len() {
            let reason = Reason::Fields { found: row.len(), expected: header.names.len() };
            table.notes.add(line, WHOLE_ROW, bytes, reason, false);
            continue;
        }
        let cell = |column: usize| row.get(column).copied().unwrap_or_default();
        let mut symbol = 0;
        if let Shape::Long { symbol: column, .. } = &header.shape {
            if cell(*column).is_empty() {
                table.notes.add(line, *column, b"", Reason::Symbol, false);
                continue;
            }
            symbol = index.get(cell(*column));
            if symbol as usize == skipped.len() {
                let listed = request.symbols.as_ref().is_none_or(|s| s.iter().any(|n| n.as_bytes() == cell(*column)));
                skipped.push(!listed);
            }
            if skipped.get(symbol as usize).copied().unwrap_or_default() {
                continue;
            }
        }
        let time = cell(header.time.column());
        let (key, in_session) = match keys.read(time) {
            Key::Row { key, in_session } => (key, in_session),
            Key::OutOfRange => continue,
            Key::Wrong(reason) => {
                table.notes.add(line, header.time.column(), time, reason, false);
                continue;
            }
        };
        if !in_session {
            let price_columns = match &header.shape {
                Shape::Wide { columns } => columns.as_slice(),
                Shape::Long { bar, .. } | Shape::Single { bar } => std::slice::from_ref(&bar.close),
            };
            if price_columns.iter().any(|c| !cell(*c).is_empty()) {
                let reason = keys.no_session(Date(i32::try_from(key).unwrap_or_default()));
                table.notes.add(line, header.time.column(), time, reason, false);
            }
            continue;
        }
        match (&header.shape, &wanted) {
            (Shape::Wide { .. }, Some(wanted)) => {
                for column in wanted {
                    let read = wide_cell(request, &mut table.notes, line, *column, cell(*column));
                    table.close.push(read.unwrap_or_default());
                    table.status.push(if read.is_some() { Status::Ok } else { Status::NoData });
                }
            }
            (Shape::Long { bar, .. } | Shape::Single { bar }, _) => {
                let read = match read_bar(request, bar, &cell) {
                    Ok(read) => read,
                    Err((column, reason)) => {
                        table.notes.add(line, column, cell(column), reason, false);
                        continue;
                    }
                };
                let (good, note) = read;
                if let Some((column, reason)) = note {
                    table.notes.add(line, column, cell(column), reason, true);
                }
                let (status, [open, high, low, close], v) = match good {
                    Bar::Good { open, high, low, close, volume } => (Status::Ok, [open, high, low, close], volume),
                    Bar::Empty => (Status::NoData, [0; 4], 0.0),
                };
                if range {
                    table.open.push(open);
                    table.high.push(high);
                    table.low.push(low);
                }
                table.close.push(close);
                if volume {
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
    name(request, file, header, stem, &index, &mut table)?;
    Ok(table)
}

/// Gives the series of the table their names, in the order asked for.
fn name(
    request: &CsvRequest<'_>,
    file: &str,
    header: &Header,
    stem: String,
    index: &SymbolIndex<'_>,
    table: &mut Table,
) -> Result<(), ImportError> {
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
                return Ok(());
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
    Ok(())
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
    let near = known.iter().map(|k| (distance(&k.to_uppercase(), &symbol.to_uppercase()), k)).min();
    let nearest = near.filter(|(d, _)| *d <= symbol.chars().count().div_ceil(2)).map(|(_, k)| k.clone());
    ImportError::UnknownSymbol { file: file.to_owned(), symbol: symbol.to_owned(), nearest, known }
}

/// Insertions, deletions and replacements between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replace = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[inline]
fn checked_price(request: &CsvRequest<'_>, bytes: &[u8]) -> Result<i64, Reason> {
    let price = cells::price(bytes).map_err(Reason::Price)?;
    if price <= 0 && !request.allow_negative { Err(Reason::NotPositive) } else { Ok(price) }
}

fn wide_cell(request: &CsvRequest<'_>, notes: &mut Notes, line: u32, column: usize, bytes: &[u8]) -> Option<i64> {
    if bytes.is_empty() {
        return None;
    }
    checked_price(request, bytes).map_err(|reason| notes.add(line, column, bytes, reason, false)).ok()
}

type Note = Option<(usize, Reason)>;

/// A bar, with what is odd about it; or the column for which it is left out.
#[inline]
fn read_bar<'a>(
    request: &CsvRequest<'_>,
    columns: &BarColumns,
    cell: &impl Fn(usize) -> &'a [u8],
) -> Result<(Bar, Note), (usize, Reason)> {
    let at = |column: usize| checked_price(request, cell(column)).map_err(|reason| (column, reason));
    let Some([o, h, l]) = columns.range else {
        if cell(columns.close).is_empty() {
            return Ok((Bar::Empty, None));
        }
        let close = at(columns.close)?;
        let (volume, note) = read_volume(columns, cell)?;
        return Ok((Bar::Good { open: 0, high: 0, low: 0, close, volume }, note));
    };
    let prices = [o, h, l, columns.close];
    if prices.iter().any(|c| cell(*c).is_empty()) {
        return match (prices.iter().all(|c| cell(*c).is_empty()), prices.into_iter().find(|c| cell(*c).is_empty())) {
            (false, Some(empty)) => Err((empty, Reason::MissingPrice)),
            _ => Ok((Bar::Empty, None)),
        };
    }
    let (open, high, low, close) = (at(o)?, at(h)?, at(l)?, at(columns.close)?);
    if high < low {
        return Err((h, Reason::HighBelowLow { low: Price::from_nano(low) }));
    }
    let (volume, mut note) = read_volume(columns, cell)?;
    for (column, price) in [(o, open), (columns.close, close)] {
        if price < low || price > high {
            let reason = Reason::OutsideRange { low: Price::from_nano(low), high: Price::from_nano(high) };
            let excess = low.abs_diff(price).min(high.abs_diff(price));
            if excess > price.unsigned_abs() / ROUNDING.unsigned_abs() {
                return Err((column, reason));
            }
            note = Some((column, reason));
        }
    }
    Ok((Bar::Good { open, high, low, close, volume }, note))
}

#[inline]
fn read_volume<'a>(columns: &BarColumns, cell: &impl Fn(usize) -> &'a [u8]) -> Result<(f64, Note), (usize, Reason)> {
    match columns.volume {
        None => Ok((0.0, None)),
        Some(column) if cell(column).is_empty() => Ok((0.0, Some((column, Reason::MissingVolume)))),
        Some(column) => match cells::volume(cell(column)) {
            Some(volume) => Ok((volume, None)),
            None => Err((column, Reason::Volume)),
        },
    }
}

/// Lines without their line feeds. `str::find` looks at sixteen bytes at a time, which a loop over bytes does not.
struct Lines<'a>(&'a str);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let (line, rest) = match self.0.find('\n') {
            Some(end) => (self.0.get(..end), self.0.get(end + 1..)),
            None => (Some(self.0), None),
        };
        self.0 = rest.unwrap_or_default();
        line.map(str::as_bytes)
    }
}
