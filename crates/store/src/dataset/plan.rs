//! What each column of a source is: found by names and by the first cells, or told.

use std::path::Path;

use tradegraph_domain::Nanos;

use super::column::StoredType;
use super::error::{DatasetError, HeaderFault};
use super::kinds::{self, ColumnType, KINDS, Kind, KindSpec, Timing, plain_name};
use super::options::{DateForm, ImportOptions, Period};
use super::time::{self, Instants, TimeForm};
use crate::reading::Value;
use crate::reading::cells::{self, Stamp};
use crate::steps::Steps;

/// Where the time of a row is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TimeSource {
    Column { at: usize, form: TimeForm },
    YearQuarter { year: usize, quarter: usize },
    None,
}

/// One source column that is stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub from: usize,
    pub name: String,
    pub kind: ColumnType,
    pub role: super::manifest::Role,
    pub required: bool,
    /// Nanoseconds in a unit of integer times, if the name says it.
    pub unit: Option<i64>,
}

/// Everything that is known of a source before all of it is read.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub kind: Kind,
    pub why: String,
    pub header: Vec<String>,
    pub time: TimeSource,
    pub columns: Vec<Stored>,
    pub ignored: Vec<String>,
    pub period: Option<Period>,
    pub wide: bool,
    pub assumed: Vec<String>,
    /// True once a price was seen that has more than 18 digits.
    pub wide_prices: bool,
}

/// The first rows of a source, a column at a time.
pub(crate) struct Sample<'a> {
    pub columns: Vec<Vec<Value<'a>>>,
}

/// Types of unknown columns that their cells did not keep to: (column, type).
pub(crate) type Demoted = Vec<(usize, ColumnType)>;

impl Plan {
    pub(crate) fn make(
        path: &Path,
        header: Vec<String>,
        sample: &Sample<'_>,
        messages: bool,
        options: &ImportOptions,
        demoted: &Demoted,
    ) -> Result<Plan, DatasetError> {
        let plain: Vec<String> = header.iter().map(|h| plain_name(h)).collect();
        let shown = shorten(&header);
        let not_there = |what, name: &String| DatasetError::NotThere {
            path: path.to_owned(),
            what,
            name: name.clone(),
            columns: shown.clone(),
        };
        for name in &options.ignore {
            if !header.contains(name) && !matches!(path.extension(), Some(e) if e == "parquet") {
                return Err(not_there("the column to ignore", name));
            }
        }
        for name in options.roles.keys() {
            if !header.contains(name) {
                return Err(not_there("the column", name));
            }
        }
        let names = Names { header: &header, plain: &plain, options, sample };
        let (kind, why) = match options.kind {
            Some(kind) => (kind, "told".to_owned()),
            None if messages => (Kind::Messages, "each line is a time and a JSON message".to_owned()),
            None => {
                names.detect().ok_or_else(|| DatasetError::NoKind { path: path.to_owned(), columns: shown.clone() })?
            }
        };
        let spec = kind.spec();
        let mut plan = Plan {
            kind,
            why,
            header: header.clone(),
            time: TimeSource::None,
            columns: Vec::new(),
            ignored: options.ignore.iter().filter(|i| header.contains(i)).cloned().collect(),
            period: options.period,
            wide: false,
            assumed: Vec::new(),
            wide_prices: false,
        };
        let header_fault = |fault| DatasetError::Header { path: path.to_owned(), line: 1, found: shown.clone(), fault };
        plan.time = names.time(spec);
        if let TimeSource::Column { at, form: TimeForm::Date(_) } = plan.time
            && let Some(clock) = names.clock(at)
        {
            return Err(header_fault(HeaderFault::SplitTime(header[at].clone(), header[clock].clone())));
        }
        if plan.time == TimeSource::None && !matches!(spec.timing, Timing::Snapshot | Timing::Undated) {
            return Err(DatasetError::KindNeeds {
                path: path.to_owned(),
                kind: kind.name(),
                missing: "its time",
                example: if spec.timing == Timing::ExDate { "ex_date" } else { "ts" },
                columns: shown,
            });
        }
        plan.map(path, spec, &names, &shown, demoted)?;
        plan.find_period(path, spec, sample, options)?;
        plan.check_options(path, spec, options)?;
        Ok(plan)
    }

    /// Gives every source column its place.
    fn map(
        &mut self,
        path: &Path,
        spec: &'static KindSpec,
        names: &Names<'_>,
        shown: &str,
        demoted: &Demoted,
    ) -> Result<(), DatasetError> {
        let mut used: Vec<usize> = match self.time {
            TimeSource::Column { at, .. } => vec![at],
            TimeSource::YearQuarter { year, quarter } => vec![year, quarter],
            TimeSource::None => Vec::new(),
        };
        used.extend(self.header.iter().enumerate().filter(|(_, h)| self.ignored.contains(h)).map(|(at, _)| at));
        for column in spec.columns {
            let Some(from) = names.find(column, &used) else { continue };
            used.push(from);
            self.columns.push(Stored {
                from,
                name: column.name.to_owned(),
                kind: column.kind,
                role: super::manifest::Role::Known,
                required: column.required,
                unit: unit_of_name(&names.plain[from]),
            });
        }
        let has = |name: &str| self.columns.iter().any(|c| c.name == name);
        let rest: Vec<usize> = (0..self.header.len()).filter(|at| !used.contains(at)).collect();
        self.wide = match spec.kind {
            // Closes, one column a symbol.
            Kind::Bars => {
                !["open", "high", "low", "close", "adj_close", "bid_close", "ask_close"].iter().any(|c| has(c))
            }
            Kind::Table => rest.iter().filter(|at| names.is_numeric(**at)).count() > 1,
            _ => false,
        };
        let needs = |missing, example| DatasetError::KindNeeds {
            path: path.to_owned(),
            kind: spec.name,
            missing,
            example,
            columns: shown.to_owned(),
        };
        if let Some(column) =
            spec.columns.iter().find(|c| c.required && c.name != "symbol" && c.name != "underlying" && !has(c.name))
        {
            return Err(needs(column.name, column.aliases.first().copied().unwrap_or(column.name)));
        }
        if self.wide && rest.is_empty() {
            return Err(needs("any price", "close"));
        }
        if spec.kind == Kind::Table && !rest.iter().any(|at| names.is_numeric(*at)) {
            return Err(needs("any column of numbers", "value"));
        }
        if matches!(spec.kind, Kind::Snapshot | Kind::Actions) && !has("symbol") {
            return Err(needs("symbol", "ticker"));
        }
        for from in rest {
            let name = self.free_name(&self.header[from].clone());
            let told = names.options.types.get(&self.header[from]).or_else(|| names.options.types.get(&name));
            let series = match spec.kind {
                Kind::Bars if self.wide => Some(ColumnType::Price),
                Kind::Table if names.is_numeric(from) => Some(ColumnType::Number),
                _ => None,
            };
            if self.wide && series.is_some() {
                let wanted = names.options.symbols.as_ref();
                if wanted.is_some_and(|w| !w.contains(&self.header[from])) {
                    self.ignored.push(self.header[from].clone());
                    continue;
                }
            }
            let lowered = demoted.iter().find(|(at, _)| *at == from).map(|(_, kind)| *kind);
            let kind = series.or(told.map(|t| of_stored(*t))).or(lowered).unwrap_or_else(|| names.guess(from));
            let role = if series.is_some() { super::manifest::Role::Series } else { super::manifest::Role::Extra };
            let unit = unit_of_name(&names.plain[from]);
            self.columns.push(Stored { from, name, kind, role, required: false, unit });
        }
        Ok(())
    }

    /// The name of an unknown column: its own, unless a stored column has it.
    fn free_name(&self, header: &str) -> String {
        let taken = |name: &str| {
            matches!(name, "line" | "start" | "known_at" | "ts" | "date" | "ex_date")
                || self.columns.iter().any(|c| c.name == name)
        };
        let mut name = header.to_owned();
        while taken(&name) {
            name.push('_');
        }
        name
    }

    /// Bars and tables have a length; it is the most frequent step between rows.
    fn find_period(
        &mut self,
        path: &Path,
        spec: &KindSpec,
        sample: &Sample<'_>,
        options: &ImportOptions,
    ) -> Result<(), DatasetError> {
        if self.period.is_some() || !matches!(spec.timing, Timing::Bar | Timing::Period) {
            return Ok(());
        }
        let steps = |values: Vec<i64>| {
            let mut steps = Steps::default();
            values.array_windows().for_each(|[a, b]| steps.add(b - a));
            steps.usual()
        };
        self.period = match &self.time {
            TimeSource::YearQuarter { .. } => Some(Period::Quarter),
            TimeSource::None => None,
            TimeSource::Column { at, form } => match form {
                TimeForm::Month => Some(Period::Month),
                TimeForm::Quarter => Some(Period::Quarter),
                TimeForm::Year => Some(Period::Year),
                TimeForm::Date(form) if spec.timing == Timing::Period => {
                    let cells = sample.columns.get(*at).into_iter().flatten();
                    let days = cells.filter_map(|v| time::date(*form, *v).ok().flatten()).map(i64::from);
                    Some(match steps(days.collect()) {
                        Some(28..=31) => Period::Month,
                        Some(89..=92) => Period::Quarter,
                        Some(365 | 366) => Period::Year,
                        _ => Period::Session,
                    })
                }
                TimeForm::Date(_) => Some(Period::Session),
                TimeForm::Stamp => {
                    let mut instants = Instants::new(self.unit(*at, options), options.zone.as_ref());
                    let cells = sample.columns.get(*at).into_iter().flatten();
                    let found = cells.filter_map(|v| instants.read(*v).ok().flatten()).collect();
                    Some(Period::Fixed(Nanos(steps(found).ok_or_else(|| DatasetError::Tell {
                        path: path.to_owned(),
                        what: "the length of a bar cannot be told from fewer than two rows; tell the period",
                    })?)))
                }
            },
        };
        Ok(())
    }

    /// Nanoseconds in a unit of an integer time column.
    pub(crate) fn unit(&self, at: usize, options: &ImportOptions) -> Option<i64> {
        let name = self.header.get(at).map(|h| plain_name(h)).unwrap_or_default();
        options.time_unit.map(super::options::TimeUnit::nanos).or_else(|| unit_of_name(&name))
    }

    /// True if the rows of the time column are dates or whole periods.
    pub(crate) fn is_dated(&self) -> bool {
        match &self.time {
            TimeSource::Column { form, .. } => *form != TimeForm::Stamp,
            TimeSource::YearQuarter { .. } => true,
            TimeSource::None => false,
        }
    }

    fn check_options(&mut self, path: &Path, spec: &KindSpec, options: &ImportOptions) -> Result<(), DatasetError> {
        let has = |name: &str| self.columns.iter().any(|c| c.name == name);
        let wrong = |option: &'static str, why: &str| Err(DatasetError::Option { option, why: why.to_owned() });
        if options.symbol.is_some() && (has("symbol") || has("underlying") || self.wide) {
            return wrong("symbol", "the file names its series itself; choose among them with symbols");
        }
        if options.venue.is_some() && has("venue") {
            return wrong("venue", "the file has a column of venues");
        }
        if options.symbols.as_ref().is_some_and(Vec::is_empty) {
            return wrong("symbols", "the list is empty");
        }
        if options.symbols.is_some() && !has("symbol") && !has("underlying") && !self.wide {
            return wrong("symbols", "the file has one series; give it its name with symbol");
        }
        if self.wide
            && let Some(wanted) = &options.symbols
        {
            for name in wanted {
                if !self.header.contains(name) {
                    return Err(DatasetError::NotThere {
                        path: path.to_owned(),
                        what: "the symbol",
                        name: name.clone(),
                        columns: shorten(&self.header),
                    });
                }
            }
        }
        if !options.venue_zones.is_empty() && !has("venue") {
            return wrong("venue_zones", "the file has no column of venues");
        }
        if options.lag.0 < 0 || options.lag.0 > 36_500 * Nanos::DAY.0 {
            return wrong("lag", "a lag is between 0 and 100 years");
        }
        let calendar_periods = matches!(self.period, Some(Period::Month | Period::Quarter | Period::Year));
        if calendar_periods && spec.timing != Timing::Period {
            return wrong("period", "months, quarters and years are periods of tables, not of bars");
        }
        if !self.is_dated() && calendar_periods {
            return wrong("period", "rows with instants have a period of a fixed length");
        }
        if spec.timing == Timing::Bar && !self.is_dated() && self.period == Some(Period::Session) {
            self.period = Some(Period::Fixed(Nanos::DAY));
        }
        if spec.timing == Timing::Bar && self.is_dated() && matches!(self.period, Some(Period::Fixed(_))) {
            return wrong("period", "rows with dates are sessions; bars of a fixed length need instants");
        }
        if self.is_dated() && options.time_unit.is_some() {
            return wrong("time_unit", "the file has dates, not integer times");
        }
        if spec.timing == Timing::Snapshot && options.snapshot.is_none() && self.time == TimeSource::None {
            return Err(DatasetError::Tell {
                path: path.to_owned(),
                what: "a snapshot is known from its date on; tell it (snapshot = YYYY-MM-DD)",
            });
        }
        let known = has("known_at");
        if matches!(spec.timing, Timing::Bar | Timing::Row | Timing::Period) && !known {
            if options.zone.is_none() {
                let what = if self.is_dated() { "dates are days of UTC" } else { "times without an offset are UTC" };
                if !(self.is_dated() && options.calendar.is_some()) {
                    self.assumed.push(format!("{what} (zone not told)"));
                }
            }
            if spec.timing == Timing::Bar && !self.is_dated() && options.label.is_none() {
                self.assumed.push("the time of a bar is its start (label not told)".to_owned());
            }
            if spec.timing == Timing::Period && options.lag.0 == 0 {
                self.assumed.push("values are known when their period ends (publication lag not told)".to_owned());
            }
        }
        let prices = self.columns.iter().any(|c| c.kind == ColumnType::Price);
        if spec.timing == Timing::Bar && prices && options.basis.is_none() {
            self.assumed.push("prices are raw (basis not told)".to_owned());
        }
        Ok(())
    }
}

struct Names<'a> {
    header: &'a [String],
    plain: &'a [String],
    options: &'a ImportOptions,
    sample: &'a Sample<'a>,
}

impl<'a> Names<'a> {
    /// The first kind whose columns are there, and which they are.
    fn detect(&self) -> Option<(Kind, String)> {
        for spec in &KINDS {
            if spec.kind == Kind::Snapshot && self.time(spec) != TimeSource::None {
                continue;
            }
            let whole_periods = match self.time(spec) {
                TimeSource::Column { form, .. } => matches!(form, TimeForm::Month | TimeForm::Quarter | TimeForm::Year),
                TimeSource::YearQuarter { .. } => true,
                TimeSource::None => false,
            };
            if whole_periods && spec.kind != Kind::Table {
                continue;
            }
            let has = |name: &&str| match *name {
                "time" => self.time(spec) != TimeSource::None,
                "ex_date" => self.plain.iter().any(|p| kinds::EX_DATES.contains(&p.as_str())),
                name => spec.columns.iter().any(|c| c.name == name && self.find(c, &[]).is_some()),
            };
            if let Some(list) = spec.told_by.iter().find(|list| list.iter().all(has)) {
                if spec.kind == Kind::Table && !(0..self.header.len()).any(|at| self.is_value(spec, at)) {
                    continue;
                }
                return Some((spec.kind, format!("it has {}", list.join(" and "))));
            }
        }
        None
    }

    fn is_value(&self, spec: &KindSpec, at: usize) -> bool {
        let time = match self.time(spec) {
            TimeSource::Column { at: t, .. } => t == at,
            TimeSource::YearQuarter { year, quarter } => at == year || at == quarter,
            TimeSource::None => false,
        };
        !time && self.is_numeric(at)
    }

    /// The source column of a column of a kind: by role, by its own name, by another name.
    fn find(&self, column: &kinds::ColumnSpec, used: &[usize]) -> Option<usize> {
        let free = |at: &usize| !used.contains(at) && !self.options.ignore.contains(&self.header[*at]);
        let role = self.header.iter().position(|h| self.options.roles.get(h).is_some_and(|r| r == column.name));
        let told_other = |at: &usize| self.options.roles.get(&self.header[*at]).is_none_or(|r| r == column.name);
        let by = |name: &str| self.plain.iter().position(|p| p == name).filter(|at| free(at) && told_other(at));
        role.filter(|at| free(at)).or_else(|| by(column.name)).or_else(|| column.aliases.iter().find_map(|a| by(a)))
    }

    fn named(&self, names: &[&str]) -> Option<usize> {
        let free = |at: &usize| {
            !self.options.ignore.contains(&self.header[*at]) && !self.options.roles.contains_key(&self.header[*at])
        };
        names.iter().find_map(|n| self.plain.iter().position(|p| p == n).filter(|at| free(at)))
    }

    /// Where the time is: a column told to be `ts` or `date`, else the best known name.
    fn time(&self, spec: &KindSpec) -> TimeSource {
        if spec.timing == Timing::Undated {
            return TimeSource::None;
        }
        let told = self.header.iter().position(|h| {
            self.options
                .roles
                .get(h)
                .is_some_and(|r| matches!(r.as_str(), "ts" | "date" | "time" | "ex_date" | "period"))
        });
        let ex = (spec.timing == Timing::ExDate).then(|| self.named(kinds::EX_DATES)).flatten();
        let at = told
            .or(ex)
            .or_else(|| self.named(kinds::STAMPS).filter(|at| !self.is_clock(*at)))
            .or_else(|| self.named(kinds::DATES))
            .or_else(|| self.named(kinds::MONTHS));
        if let Some(at) = at {
            return TimeSource::Column { at, form: self.form(at) };
        }
        match (self.named(kinds::YEARS), self.named(kinds::QUARTERS)) {
            (Some(year), Some(quarter)) => TimeSource::YearQuarter { year, quarter },
            (Some(at), None) if spec.kind == Kind::Table => TimeSource::Column { at, form: TimeForm::Year },
            _ => TimeSource::None,
        }
    }

    /// A column of times of day beside the column of dates `date`.
    fn clock(&self, date: usize) -> Option<usize> {
        (0..self.header.len())
            .find(|at| *at != date && kinds::STAMPS.contains(&self.plain[*at].as_str()) && self.is_clock(*at))
    }

    fn is_clock(&self, at: usize) -> bool {
        let mut cells = self.cells(at).peekable();
        cells.peek().is_some()
            && cells.all(|v| match v {
                Value::Text(b) => {
                    matches!(b, [h1, _, b':', ..] | [h1, b':', ..] if h1.is_ascii_digit())
                }
                _ => false,
            })
    }

    fn cells(&self, at: usize) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let column = self.sample.columns.get(at).map(Vec::as_slice).unwrap_or_default();
        column.iter().copied().filter(|v| !matches!(v, Value::Missing))
    }

    /// How the times of a column are written: as most of the first cells are.
    fn form(&self, at: usize) -> TimeForm {
        let name = self.plain[at].as_str();
        let date_name = kinds::DATES.contains(&name) || kinds::EX_DATES.contains(&name);
        let told = self.options.dates;
        let mut forms: Vec<(TimeForm, usize)> = Vec::new();
        let (mut stamps, mut midnights) = (0_usize, 0_usize);
        for value in self.cells(at).take(1_000) {
            let form = match value {
                Value::Date(_) => Some(TimeForm::Date(told.unwrap_or(DateForm::Iso))),
                Value::Stamp { units, nanos, .. } => {
                    stamps += 1;
                    let day = units.checked_mul(nanos).is_some_and(|n| n.rem_euclid(Nanos::DAY.0) == 0);
                    midnights += usize::from(day);
                    Some(TimeForm::Stamp)
                }
                Value::Integer(n) if date_name && (10_000_000..=99_999_999).contains(&n) => {
                    Some(TimeForm::Date(DateForm::Compact))
                }
                Value::Integer(_) => Some(TimeForm::Stamp),
                Value::Text(b) => text_form(b, date_name, told),
                _ => None,
            };
            if let Some(form) = form {
                match forms.iter_mut().find(|(f, _)| *f == form) {
                    Some((_, n)) => *n += 1,
                    None => forms.push((form, 1)),
                }
            }
        }
        // pandas keeps dates as times at midnight.
        if date_name && stamps > 0 && midnights == stamps {
            return TimeForm::Date(DateForm::Iso);
        }
        let best = forms.into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map_or(if date_name { TimeForm::Date(told.unwrap_or(DateForm::Iso)) } else { TimeForm::Stamp }, |(f, _)| f)
    }

    /// True if most of the first cells are numbers.
    fn is_numeric(&self, at: usize) -> bool {
        let comma = self.options.decimal_comma == Some(true);
        let (mut numbers, mut all) = (0_usize, 0_usize);
        for value in self.cells(at).take(1_000) {
            all += 1;
            numbers += usize::from(match value {
                Value::Text(b) if comma => {
                    let dotted: Vec<u8> = b.iter().map(|b| if *b == b',' { b'.' } else { *b }).collect();
                    cells::number(&dotted).is_some()
                }
                Value::Text(b) => cells::number(b).is_some(),
                Value::Doubled(_) | Value::Date(_) | Value::Stamp { .. } | Value::Missing => false,
                _ => true,
            });
        }
        all > 0 && numbers * 2 > all
    }

    /// The narrowest type that all first cells of an unknown column have.
    fn guess(&self, at: usize) -> ColumnType {
        let comma = self.options.decimal_comma == Some(true);
        let mut kind = ColumnType::Integer;
        let mut any = false;
        for value in self.cells(at) {
            any = true;
            kind = wider(kind, value, comma);
            if kind == ColumnType::Text {
                break;
            }
        }
        if any { kind } else { ColumnType::Integer }
    }
}

/// The narrowest type, from `kind` on, that keeps a cell of an unknown column as it is.
pub(crate) fn wider(kind: ColumnType, value: Value<'_>, comma: bool) -> ColumnType {
    let fits = |kind: ColumnType| match (kind, value) {
        (_, Value::Missing) => true,
        (ColumnType::Integer, Value::Integer(_)) => true,
        (ColumnType::Integer, Value::Text(b)) => whole(b),
        (ColumnType::Number, Value::Integer(n)) => n.unsigned_abs() <= 1 << 53,
        (ColumnType::Number, Value::Float(_) | Value::Float32(_)) => true,
        (ColumnType::Number, Value::Text(b)) => !comma && exact_float(b),
        _ => false,
    };
    let ladder = [ColumnType::Integer, ColumnType::Number];
    let from = ladder.iter().position(|k| *k == kind).unwrap_or(ladder.len());
    ladder.into_iter().skip(from).find(|k| fits(*k)).unwrap_or(ColumnType::Text)
}

/// True for whole numbers that are printed as they are read: not `007`, `+1`, `-0`.
fn whole(bytes: &[u8]) -> bool {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let plain = match digits {
        [b'0'] => digits.len() == bytes.len(),
        [b'1'..=b'9', ..] => true,
        _ => false,
    };
    plain && cells::integer(bytes).is_some()
}

/// True for decimals that a float keeps to the last digit: not `007`, `1e5`, or 20 digits.
fn exact_float(bytes: &[u8]) -> bool {
    let body = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let leading = matches!(body, [b'0', b'0'..=b'9', ..]);
    if leading
        || !body.first().is_some_and(u8::is_ascii_digit)
        || !body.iter().all(|b| b.is_ascii_digit() || *b == b'.')
    {
        return false;
    }
    let Some(value) = cells::number(bytes) else { return false };
    if body.len() <= 16 {
        return true;
    }
    let trimmed = |t: &[u8]| -> Vec<u8> {
        let end =
            if t.contains(&b'.') { t.len() - t.iter().rev().take_while(|b| **b == b'0').count() } else { t.len() };
        t.get(..end).unwrap_or_default().strip_suffix(b".").unwrap_or(t.get(..end).unwrap_or_default()).to_vec()
    };
    trimmed(value.to_string().as_bytes()) == trimmed(bytes)
}

fn text_form(bytes: &[u8], date_name: bool, told: Option<DateForm>) -> Option<TimeForm> {
    let value = Value::Text(bytes);
    if let Some(form) = told
        && time::date(form, value).is_ok()
    {
        return Some(TimeForm::Date(form));
    }
    if time::date(DateForm::Iso, value).is_ok() {
        return Some(TimeForm::Date(DateForm::Iso));
    }
    if date_name && bytes.len() == 8 && time::date(DateForm::Compact, value).is_ok() {
        return Some(TimeForm::Date(DateForm::Compact));
    }
    let period = [TimeForm::Month, TimeForm::Quarter].into_iter().find(|f| time::first_day(*f, value).is_ok());
    period.or_else(|| match cells::stamp(bytes)? {
        Stamp::Integer(_) if date_name => None,
        _ => Some(TimeForm::Stamp),
    })
}

fn unit_of_name(plain: &str) -> Option<i64> {
    let units = [("_ns", 1), ("_us", 1_000), ("_ms", 1_000_000), ("_s", 1_000_000_000)];
    units.iter().find(|(end, _)| plain.ends_with(end)).map(|(_, n)| *n)
}

fn of_stored(kind: StoredType) -> ColumnType {
    match kind {
        StoredType::Price => ColumnType::Price,
        StoredType::Number => ColumnType::Number,
        StoredType::Integer => ColumnType::Integer,
        StoredType::Time => ColumnType::Time,
        StoredType::Date => ColumnType::Date,
        StoredType::Name => ColumnType::Name,
        StoredType::Text => ColumnType::Text,
    }
}

pub(crate) fn stored_type(kind: ColumnType) -> StoredType {
    match kind {
        ColumnType::Price => StoredType::Price,
        ColumnType::Number => StoredType::Number,
        ColumnType::Integer => StoredType::Integer,
        ColumnType::Time => StoredType::Time,
        ColumnType::Date => StoredType::Date,
        ColumnType::Name | ColumnType::Choice(_) => StoredType::Name,
        ColumnType::Text | ColumnType::Json => StoredType::Text,
    }
}

/// The first twelve names.
pub(crate) fn shorten(names: &[String]) -> String {
    match names.get(..12) {
        Some(some) if names.len() > 12 => format!("{} and {} more", some.join(", "), names.len() - 12),
        _ => names.join(", "),
    }
}
