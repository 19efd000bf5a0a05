//! One import: passes over a source until what is assumed of it is true of all of it, then one file and its quarantine.
//!
//! The first rows suggest the kind, the types of unknown columns and the length of bars. If later rows contradict, the
//! source is read again with what they said, so that the outcome never depends on where a sample ended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::column::{Column, ColumnHash};
use super::convert::TextCells;
use super::error::{DatasetError, HeaderFault};
use super::fault::{Fate, Fault, Problem};
use super::file::{GROUP_ROWS, GROUP_TEXT, Writer};
use super::kinds::Timing;
use super::manifest::{ColumnInfo, Counts, Facts, KnownAt, Manifest, Role, SeriesInfo, Shape, Source, content_id};
use super::options::{ImportOptions, LINE_LIMIT, Period};
use super::plan::{Demoted, Plan, Sample, TimeSource, shorten, stored_type};
use super::quarantine::Quarantine;
use super::rows::{Found, Gatherer, WHOLE_ROW, other_period};
use super::time::TimeForm;
use crate::csv_bars::BarLabel;
use crate::disk::Disk;
use crate::reading::bytes::{self, Content, Probe, Window};
use crate::reading::dialect::{self, Decimal};
use crate::reading::split::{self, Rows, Splitter, Wrong};
use crate::reading::{SourceError, Value, jsonl, parquet};

/// How far an import has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the source that were read.
    pub bytes_done: u64,
    /// Size of the source.
    pub bytes_total: u64,
    /// Rows read.
    pub rows: u64,
    /// Which pass over the source this is, from 1.
    pub pass: u32,
}

/// Problems that a manifest names one by one.
const FIRST_PROBLEMS: usize = 100;
/// Passes after which a source is refused: it changes while it is read.
const MOST_PASSES: u32 = 8;

/// Where a pass writes to.
pub(crate) struct Paths {
    pub data: PathBuf,
    pub quarantine: PathBuf,
    pub disk: Arc<dyn Disk>,
}

/// What a source became, before it has its place in the catalog.
pub(crate) struct Made {
    pub manifest: Manifest,
    pub writer: Option<Writer>,
    pub quarantine: Quarantine,
}

/// Reads a source; with `paths`, into temporary files.
pub(crate) fn make(
    path: &Path,
    options: &ImportOptions,
    paths: Option<&Paths>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Made, DatasetError> {
    let probe = bytes::probe(path)?;
    let mut demoted: Demoted = Vec::new();
    let mut period: Option<Period> = None;
    let mut wide_prices = false;
    for pass in 1..=MOST_PASSES {
        let mut opened = Opened::open(&probe, options)?;
        let told = opened.options(options);
        let mut plan = opened.plan(&probe, &told, &demoted)?;
        plan.period = period.or(plan.period);
        plan.wide_prices = wide_prices;
        let sink = Sink {
            probe: &probe,
            plan: &plan,
            options: &told,
            rows: Gatherer::new(&plan, &told, told.decimal_comma == Some(true)),
            hashes: Vec::new(),
            writer: None,
            paths,
            quarantine: Quarantine::new(&probe.path, paths.map(|p| (p.quarantine.as_path(), &p.disk))),
            problems: BTreeMap::new(),
            first: Vec::new(),
            broken: false,
            progress,
            pass,
            found: Vec::new(),
        };
        match run(sink, &mut opened)? {
            Outcome::Made(made) => return Ok(*made),
            Outcome::Again { lowered, other, wide } => {
                for (at, kind) in lowered {
                    demoted.retain(|(d, _)| *d != at);
                    demoted.push((at, kind));
                }
                period = other.or(period);
                wide_prices |= wide;
            }
        }
    }
    Err(SourceError::Changed { path: probe.path }.into())
}

enum Outcome {
    Made(Box<Made>),
    Again { lowered: Demoted, other: Option<Period>, wide: bool },
}

/// An opened source at its first row.
enum Opened {
    Text { window: Window, splitter: Splitter, header: Vec<String>, comma: bool },
    Messages { window: Window },
    Table(Box<parquet::Table>),
}

impl Opened {
    fn open(probe: &Probe, options: &ImportOptions) -> Result<Opened, DatasetError> {
        if probe.content == Content::Parquet {
            return Ok(Opened::Table(Box::new(parquet::Table::open(&probe.path, &options.ignore)?)));
        }
        let limit = if options.line_limit == 0 { LINE_LIMIT } else { options.line_limit };
        let mut window = Window::open(probe, limit)?;
        if jsonl::is_jsonl(window.bytes()) {
            return Ok(Opened::Messages { window });
        }
        // The header must be whole before anything else can be said.
        while !window.is_last() && !window.bytes().contains(&b'\n') {
            if window.bytes().iter().filter(|b| **b == b'\r').count() > 1 {
                break;
            }
            window.fill(1, 0)?;
        }
        let head = window.bytes();
        let end = head.iter().position(|b| *b == b'\n').unwrap_or(head.len());
        let line = head.get(..end).unwrap_or_default();
        if line.trim_ascii().contains(&b'\r') {
            return Err(SourceError::BareCr { path: probe.path.clone() }.into());
        }
        bytes::check_utf8(&probe.path, line, 1)?;
        let delimiter = options.delimiter.unwrap_or_else(|| dialect::delimiter(head, window.is_last()));
        let names = split::record(line, delimiter);
        let fault = |fault| DatasetError::Header {
            path: probe.path.clone(),
            line: 1,
            found: String::from_utf8_lossy(line).trim().chars().take(200).collect(),
            fault,
        };
        let found = names.ok_or_else(|| fault(HeaderFault::Quotes))?;
        if found.is_empty() {
            return Err(fault(HeaderFault::Empty));
        }
        let (header, skip) = match &options.header {
            Some(told) if told.len() != found.len() => {
                return Err(fault(HeaderFault::Count { told: told.len(), found: found.len() }));
            }
            Some(told) => (told.clone(), 0),
            None => (found, (end + 1).min(head.len())),
        };
        check_header(&header, options.header.is_none()).map_err(fault)?;
        let comma = match options.decimal_comma {
            Some(comma) => comma,
            None => match sniff_decimal(head.get(skip..).unwrap_or_default(), delimiter, header.len()) {
                Decimal::Dot => false,
                Decimal::Comma => true,
                Decimal::Unclear => return Err(fault(HeaderFault::Commas)),
            },
        };
        window.take(skip);
        let splitter = Splitter {
            delimiter,
            width: header.len(),
            free_text: true,
            keep_blanks: true,
            line: 1 + u64::from(skip > 0),
        };
        Ok(Opened::Text { window, splitter, header, comma })
    }

    /// What is told, with what the dialect says.
    fn options(&self, options: &ImportOptions) -> ImportOptions {
        let mut told = options.clone();
        told.decimal_comma = Some(matches!(self, Opened::Text { comma: true, .. }));
        told
    }

    /// What the source holds, by its header and its first rows.
    fn plan(&mut self, probe: &Probe, options: &ImportOptions, demoted: &Demoted) -> Result<Plan, DatasetError> {
        let path = &probe.path;
        let missing = |v: Value<'_>| match v {
            Value::Text(b) => b.is_empty() || options.missing.iter().any(|m| m.as_bytes() == b),
            _ => false,
        };
        match self {
            Opened::Table(table) => {
                let header = table.names.clone();
                check_header(&header, false).map_err(|fault| DatasetError::Header {
                    path: path.clone(),
                    line: 1,
                    found: shorten(&header),
                    fault,
                })?;
                let first = table.next()?;
                let (rows, batch) = first.unwrap_or_default();
                let mut columns = Vec::with_capacity(batch.len());
                for c in &batch {
                    let cell = |row| Some(c.value(row)).filter(|v| !missing(*v)).unwrap_or(Value::Missing);
                    columns.push((0..rows.min(4_096)).map(cell).collect());
                }
                let sample = Sample { columns };
                let plan = Plan::make(path, header, &sample, false, options, demoted)?;
                table.rewind();
                Ok(plan)
            }
            Opened::Text { window, splitter, header, .. } => {
                let mut rows = Rows::default();
                splitter.clone().split(window.bytes(), window.is_last(), &mut rows);
                let width = header.len();
                let cells = |at: usize| TextCells::of(window.bytes(), &rows, width, at);
                let column = |at: usize| -> Vec<Value<'_>> {
                    let c = cells(at);
                    (0..rows.lines.len())
                        .map(|row| Some(c.get(row)).filter(|v| !missing(*v)).unwrap_or(Value::Missing))
                        .collect()
                };
                let sample = Sample { columns: (0..width).map(column).collect() };
                let plan = Plan::make(path, header.clone(), &sample, false, options, demoted)?;
                splitter.free_text = plan
                    .columns
                    .iter()
                    .any(|c| matches!(c.kind, super::kinds::ColumnType::Text | super::kinds::ColumnType::Json));
                Ok(plan)
            }
            Opened::Messages { .. } => {
                let header = vec!["ts".to_owned(), "message".to_owned()];
                let sample = Sample { columns: vec![Vec::new(); 2] };
                Plan::make(path, header, &sample, true, options, demoted)
            }
        }
    }
}

fn sniff_decimal(head: &[u8], delimiter: u8, width: usize) -> Decimal {
    let mut rows = Rows::default();
    Splitter { delimiter, width, free_text: true, keep_blanks: false, line: 1 }.split(head, false, &mut rows);
    dialect::decimal(delimiter, rows.cells.iter().take(4_096).map(|c| c.of(head)))
}

fn check_header(names: &[String], from_file: bool) -> Result<(), HeaderFault> {
    if names.iter().all(String::is_empty) {
        return Err(HeaderFault::Empty);
    }
    if let Some(at) = names.iter().position(String::is_empty) {
        return Err(HeaderFault::Unnamed(at + 1));
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    if let Some([twice, _]) = sorted.array_windows().find(|[a, b]| a == b) {
        return Err(HeaderFault::Twice((*twice).clone()));
    }
    let data = |name: &String| {
        let bytes = name.as_bytes();
        crate::reading::cells::number(bytes).is_some() || crate::reading::cells::date(bytes).is_some()
    };
    // A column may be called 2020; a header in which half the names are values is a row.
    if from_file && names.iter().filter(|n| data(n)).count() * 2 > names.len() {
        return Err(HeaderFault::Data);
    }
    Ok(())
}

/// What a pass fills.
struct Sink<'a> {
    probe: &'a Probe,
    plan: &'a Plan,
    options: &'a ImportOptions,
    rows: Gatherer<'a>,
    hashes: Vec<ColumnHash>,
    writer: Option<Writer>,
    paths: Option<&'a Paths>,
    quarantine: Quarantine,
    problems: BTreeMap<&'static str, u64>,
    first: Vec<Problem>,
    /// True once it is known that another pass follows: nothing is written any more.
    broken: bool,
    progress: &'a mut dyn FnMut(Progress),
    pass: u32,
    found: Vec<Found>,
}

fn run(mut sink: Sink<'_>, opened: &mut Opened) -> Result<Outcome, DatasetError> {
    let path = sink.probe.path.clone();
    let hash = match opened {
        Opened::Text { window, splitter, .. } => {
            let mut rows = Rows::default();
            loop {
                let line = splitter.line;
                let taken = splitter.split(window.bytes(), window.is_last(), &mut rows);
                bytes::check_utf8(&path, window.bytes().get(..taken).unwrap_or_default(), line)?;
                sink.text(window.bytes(), taken, &rows, splitter.width)?;
                if window.is_last() {
                    break;
                }
                window.take(taken);
                sink.report(window.done());
                window.fill(splitter.line, sink.rows.counts.read)?;
            }
            window.hash()?
        }
        Opened::Messages { window } => {
            let mut rows = Rows::default();
            let mut line = 1;
            loop {
                let first = line;
                let taken = jsonl::split(window.bytes(), window.is_last(), &mut line, &mut rows);
                bytes::check_utf8(&path, window.bytes().get(..taken).unwrap_or_default(), first)?;
                sink.text(window.bytes(), taken, &rows, 2)?;
                if window.is_last() {
                    break;
                }
                window.take(taken);
                sink.report(window.done());
                window.fill(line, sink.rows.counts.read)?;
            }
            window.hash()?
        }
        Opened::Table(table) => {
            let total = table.rows.max(1);
            while let Some((rows, batch)) = table.next()? {
                sink.table(rows, &batch)?;
                let done = u128::from(sink.rows.counts.read) * u128::from(sink.probe.size) / u128::from(total);
                sink.report(u64::try_from(done).unwrap_or(sink.probe.size));
            }
            bytes::hash_file(&path)?
        }
    };
    sink.finish(opened, hash)
}

impl Sink<'_> {
    fn report(&mut self, bytes_done: u64) {
        let rows = self.rows.counts.read;
        (self.progress)(Progress { bytes_done, bytes_total: self.probe.size, rows, pass: self.pass });
    }

    /// One block of text.
    fn text(&mut self, block: &[u8], taken: usize, rows: &Rows, width: usize) -> Result<(), DatasetError> {
        let n = rows.lines.len();
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let whole = block.get(..taken).unwrap_or_default();
        if whole.contains(&0) {
            let broken = rows.texts.iter().enumerate().filter(|(_, t)| t.of(block).contains(&0));
            found.extend(broken.map(|(row, _)| Found {
                row,
                column: WHOLE_ROW,
                fault: Fault::Nul,
                fate: Fate::Quarantined,
            }));
        }
        let line = |row: usize| rows.lines.get(row).copied().unwrap_or_default();
        self.rows.take(n, line, |at| TextCells::of(block, rows, width, at), &mut found);
        let misshapen = rows.misshapen.iter();
        let shapes: Vec<(u64, &[u8], Fault)> = misshapen
            .map(|m| {
                let fault = match m.wrong {
                    Wrong::Quotes => Fault::Quotes,
                    Wrong::Fields(_) if self.plan.kind == super::Kind::Messages && width == 2 => Fault::Message,
                    Wrong::Fields(found) => Fault::Fields { found, expected: width },
                };
                (m.line, m.row.of(block), fault)
            })
            .collect();
        self.rows.counts.read += shapes.len() as u64;
        self.rows.counts.quarantined += shapes.len() as u64;
        let raw = |row: usize| {
            rows.texts.get(row).map(|t| String::from_utf8_lossy(t.of(block)).into_owned()).unwrap_or_default()
        };
        let value = |row: usize, at: usize| TextCells::of(block, rows, width, at).get(row).to_string();
        self.note(&found, shapes, line, raw, value)?;
        self.found = found;
        self.flush(false)
    }

    /// One batch of a Parquet file.
    fn table(&mut self, rows: usize, batch: &[parquet::RawColumn]) -> Result<(), DatasetError> {
        let first = self.rows.counts.read + 1;
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let line = |row: usize| first + row as u64;
        self.rows.take(rows, line, |at| &batch[at], &mut found);
        let raw = |row: usize| {
            let cells: Vec<String> = batch.iter().map(|c| super::export::quoted(&c.value(row).to_string())).collect();
            cells.join(",")
        };
        let value = |row: usize, at: usize| batch.get(at).map(|c| c.value(row).to_string()).unwrap_or_default();
        self.note(&found, Vec::new(), line, raw, value)?;
        self.found = found;
        self.flush(false)
    }

    /// Puts the problems of a block on record, in order of lines.
    fn note(
        &mut self,
        found: &[Found],
        shapes: Vec<(u64, &[u8], Fault)>,
        line: impl Fn(usize) -> u64,
        raw: impl Fn(usize) -> String,
        value: impl Fn(usize, usize) -> String,
    ) -> Result<(), DatasetError> {
        if found.is_empty() && shapes.is_empty() {
            return Ok(());
        }
        enum Either<'f> {
            Cell(&'f Found),
            Row(&'f [u8], &'f Fault),
        }
        let mut all: Vec<(u64, usize, Either<'_>)> =
            found.iter().map(|f| (line(f.row), f.column, Either::Cell(f))).collect();
        all.extend(shapes.iter().map(|(line, text, fault)| (*line, WHOLE_ROW, Either::Row(text, fault))));
        all.sort_by_key(|(line, column, _)| (*line, *column));
        for (line, column, what) in all {
            let (fault, fate, value, raw) = match what {
                Either::Row(text, fault) => {
                    let text = String::from_utf8_lossy(text).into_owned();
                    (fault, Fate::Quarantined, text.clone(), text)
                }
                Either::Cell(f) => {
                    let bad = self.rows.is_bad(f.row);
                    // What is kept of a row that is quarantined for something else is no news.
                    if f.fate != Fate::Quarantined && bad {
                        continue;
                    }
                    let shown = if column == WHOLE_ROW { raw(f.row) } else { value(f.row, column) };
                    let raw = if f.fate == Fate::Kept { String::new() } else { raw(f.row) };
                    (&f.fault, f.fate, shown, raw)
                }
            };
            *self.problems.entry(fault.code()).or_default() += 1;
            let name = self.plan.header.get(column).map(String::as_str).unwrap_or_default();
            if self.first.len() < FIRST_PROBLEMS {
                self.first.push(Problem {
                    line,
                    column: name.to_owned(),
                    value: value_shown(&value),
                    code: fault.code().to_owned(),
                    reason: fault.to_string(),
                    fate,
                });
            }
            if fate != Fate::Kept && !self.broken {
                self.quarantine.add(line, name, &value, fault, &raw)?;
            }
        }
        Ok(())
    }

    /// Writes the rows that wait, if they are many or the last.
    fn flush(&mut self, last: bool) -> Result<(), DatasetError> {
        self.broken |= !self.rows.demoted().is_empty() || (self.rows.prices_too_wide && !self.plan.wide_prices);
        let many = self.rows.rows() >= GROUP_ROWS || self.rows.text_bytes() >= GROUP_TEXT;
        if !many && !last {
            return Ok(());
        }
        if !self.broken {
            self.hashes.resize_with(self.rows.columns.len(), ColumnHash::new);
            for (hash, column) in self.hashes.iter_mut().zip(&self.rows.columns) {
                hash.update(column);
            }
            if let (None, Some(paths)) = (&self.writer, self.paths) {
                self.writer =
                    Some(Writer::create(&*paths.disk, &paths.data, &self.rows.columns, !self.plan.wide_prices)?);
            }
            if let Some(writer) = &mut self.writer {
                writer.group(&self.rows.columns)?;
            }
        }
        self.rows.columns.iter_mut().for_each(Column::clear);
        Ok(())
    }

    fn finish(mut self, opened: &Opened, hash: [u8; 32]) -> Result<Outcome, DatasetError> {
        self.flush(true)?;
        let lowered = self.rows.demoted();
        let other = other_period(self.plan, self.options, &mut self.rows.series.steps);
        let wide = self.rows.prices_too_wide && !self.plan.wide_prices;
        if !lowered.is_empty() || other.is_some() || wide {
            return Ok(Outcome::Again { lowered, other, wide });
        }
        let counts = self.rows.counts;
        if counts.kept == 0 {
            let (path, read) = (self.probe.path.clone(), counts.read);
            let first = self.first.into_iter().next().map(Box::new);
            return Err(DatasetError::NothingKept { path, read, first });
        }
        if let Some(writer) = &self.writer
            && writer.rows() != counts.kept
        {
            return Err(SourceError::Changed { path: self.probe.path.clone() }.into());
        }
        self.quarantine.close()?;
        let manifest = self.manifest(opened, hash);
        Ok(Outcome::Made(Box::new(Made { manifest, writer: self.writer, quarantine: self.quarantine })))
    }

    fn manifest(&mut self, opened: &Opened, hash: [u8; 32]) -> Manifest {
        let (plan, options, probe) = (self.plan, self.options, self.probe);
        let stem = probe.path.file_stem().map_or_else(|| "series".to_owned(), |s| s.to_string_lossy().into_owned());
        let stem = stem.strip_suffix(".csv").or_else(|| stem.strip_suffix(".jsonl")).unwrap_or(&stem).to_owned();
        let columns = self.columns();
        let facts = facts(plan, options);
        let id = content_id(plan.kind, plan.wide, &facts, &columns);
        let known_at = known_at(plan);
        let counts: Counts = self.rows.counts;
        let table = std::mem::take(&mut self.rows.series);
        let series: Vec<SeriesInfo> = table.finish(options.symbol.as_deref().unwrap_or(&stem));
        Manifest {
            version: super::VERSION,
            id: id.to_string(),
            name: options.name.clone().unwrap_or_else(|| stem.clone()),
            kind: plan.kind,
            kind_why: plan.why.clone(),
            source: Source {
                file: probe.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
                bytes: probe.size,
                blake3: blake3::Hash::from_bytes(hash).to_hex().to_string(),
                format: format(opened, probe).to_owned(),
                origin: options.origin.clone(),
            },
            shape: shape(plan, options, opened, probe),
            known_at_words: words(known_at, plan, options),
            known_at,
            facts,
            assumed: plan.assumed.clone(),
            allow_negative: options.allow_negative,
            columns,
            series,
            rows: counts,
            problems: self.problems.iter().map(|(code, n)| ((*code).to_owned(), *n)).collect(),
            first_problems: std::mem::take(&mut self.first),
            replaces: None,
        }
    }

    fn columns(&self) -> Vec<ColumnInfo> {
        let first = self.rows.first_value();
        let time = self.rows.time_column().map(str::to_owned);
        let header = |at: usize| self.plan.header.get(at).cloned();
        let from_time = match &self.plan.time {
            TimeSource::Column { at, .. } => header(*at),
            TimeSource::YearQuarter { year, quarter } => {
                header(*year).zip(header(*quarter)).map(|(y, q)| format!("{y}, {q}"))
            }
            TimeSource::None => None,
        };
        let hash = |at: usize| {
            let found = self.hashes.get(at).map(ColumnHash::finish);
            found.map(|h| blake3::Hash::from_bytes(h).to_hex().to_string()).unwrap_or_default()
        };
        let info = |(at, column): (usize, &Column)| {
            let name = column.name.to_string();
            let (from, role, kind) = match at.checked_sub(first).and_then(|at| self.plan.columns.get(at)) {
                Some(of) => (header(of.from), of.role, stored_type(of.kind)),
                None if Some(&name) == time.as_ref() => (from_time.clone(), Role::Known, column.kind),
                None => (None, Role::Derived, column.kind),
            };
            ColumnInfo { name, from, kind, role, blake3: hash(at) }
        };
        self.rows.columns.iter().enumerate().map(info).collect()
    }
}

fn format(opened: &Opened, probe: &Probe) -> &'static str {
    match (opened, probe.content) {
        (Opened::Table(_), _) => "parquet",
        (Opened::Messages { .. }, Content::Gzip) => "jsonl.gz",
        (Opened::Messages { .. }, _) => "jsonl",
        (Opened::Text { .. }, Content::Gzip) => "csv.gz",
        (Opened::Text { .. }, _) => "csv",
    }
}

fn shape(plan: &Plan, options: &ImportOptions, opened: &Opened, probe: &Probe) -> Shape {
    let mut notes = Vec::new();
    let extension = probe.path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let real = format(opened, probe);
    let named_parquet = matches!(extension.as_str(), "parquet" | "pq");
    if named_parquet != (real == "parquet") {
        notes.push(format!("the file is called .{extension}, but it is {real}"));
    } else if (extension == "gz") != real.ends_with(".gz") {
        notes.push(format!(
            "by its name the file is{} packed, but it is {real}",
            if extension == "gz" { "" } else { " not" }
        ));
    }
    if options.price_exponent != 0 {
        notes.push(format!("prices of the file were multiplied by 10^{}", options.price_exponent));
    }
    let bars = plan.kind.spec().timing == Timing::Bar && !plan.is_dated();
    Shape {
        delimiter: match opened {
            Opened::Text { splitter, .. } => Some(match splitter.delimiter {
                b'\t' => "tab".to_owned(),
                other => char::from(other).to_string(),
            }),
            _ => None,
        },
        decimal_comma: options.decimal_comma == Some(true),
        times: match &plan.time {
            TimeSource::Column { form, .. } => Some(
                match form {
                    TimeForm::Date(form) => form.example(),
                    TimeForm::Stamp => "instant",
                    TimeForm::Month => "month",
                    TimeForm::Quarter => "quarter",
                    TimeForm::Year => "year",
                }
                .to_owned(),
            ),
            TimeSource::YearQuarter { .. } => Some("year and quarter".to_owned()),
            TimeSource::None => None,
        },
        label: bars.then(|| if options.label == Some(BarLabel::End) { "end" } else { "start" }.to_owned()),
        wide: plan.wide,
        ignored: plan.ignored.clone(),
        notes,
    }
}

fn facts(plan: &Plan, options: &ImportOptions) -> Facts {
    let timing = plan.kind.spec().timing;
    let dated = plan.is_dated() || timing == Timing::Snapshot;
    Facts {
        symbol: options.symbol.clone(),
        venue: options.venue.clone(),
        basis: options.basis.unwrap_or(tradegraph_domain::Basis::Raw).name().to_owned(),
        calendar: options.calendar.map(|c| c.name().to_owned()),
        day_zone: options.zone.as_ref().filter(|_| dated).map(ToString::to_string),
        venue_zones: options.venue_zones.iter().filter(|_| dated).map(|(v, z)| (v.clone(), z.to_string())).collect(),
        period: plan.period.map(|p| p.to_string()),
        lag_ns: options.lag.0,
        snapshot: options.snapshot.map(|d| d.to_string()),
        currency: options.currency.map(|c| c.code().to_owned()),
    }
}

fn known_at(plan: &Plan) -> KnownAt {
    if plan.columns.iter().any(|c| c.name == "known_at") {
        return KnownAt::Given;
    }
    match plan.kind.spec().timing {
        Timing::Bar => KnownAt::BarEnd,
        Timing::Row => KnownAt::RowTime,
        Timing::Period => KnownAt::PeriodEnd,
        Timing::Snapshot => KnownAt::SnapshotDate,
        Timing::ExDate => KnownAt::ExDate,
        Timing::Undated => KnownAt::Undated,
    }
}

fn words(known_at: KnownAt, plan: &Plan, options: &ImportOptions) -> String {
    let lag = match options.lag.0 {
        0 => String::new(),
        n if n % 86_400_000_000_000 == 0 => format!(", {} days later", n / 86_400_000_000_000),
        n => format!(", {} s later", n as f64 / 1e9),
    };
    let zone = options.zone.as_ref().map_or_else(|| "UTC".to_owned(), ToString::to_string);
    let day = match options.calendar.filter(|c| *c != tradegraph_market::calendar::CalendarId::AlwaysOpen) {
        Some(calendar) => format!("the close of its {calendar} session (without one: the end of its day in {zone})"),
        None => format!("the end of its day in {zone}"),
    };
    let period = plan.period.map(|p| p.to_string()).unwrap_or_default();
    match known_at {
        KnownAt::BarEnd if plan.is_dated() => format!("a bar is known at {day}{lag}"),
        KnownAt::BarEnd => format!("a bar of {period} is known at its end{lag}"),
        KnownAt::RowTime if plan.is_dated() => format!("a row is known at {day}{lag}"),
        KnownAt::RowTime => format!("a row is known at its own time{lag}"),
        KnownAt::PeriodEnd => format!("a row is known at the end of its {period}{lag}"),
        KnownAt::SnapshotDate => "all rows are known at the end of the date of the snapshot, none before".to_owned(),
        KnownAt::ExDate => "an action is known when its ex-date begins".to_owned(),
        KnownAt::Given => "each row says itself when it is known".to_owned(),
        KnownAt::Undated => "rows are not dated: they say nothing about when they were known".to_owned(),
    }
}

fn value_shown(value: &str) -> String {
    value.chars().take(64).collect()
}
