//! Blocks of a source to rows of a data set: conversion, what a row needs, times, series, and what is wrong.

use std::collections::BTreeMap;

use tradegraph_domain::{Date, Nanos};
use tradegraph_market::calendar::CalendarId;

use super::column::{Column, Values};
use super::convert::{Cells, Numbers, Rule, append};
use super::fault::{Fate, Fault};
use super::kinds::{ColumnType, Kind, Timing};
use super::manifest::{Counts, Role, SeriesInfo};
use super::options::{DateForm, ImportOptions, Period};
use super::plan::{Demoted, Plan, TimeSource, stored_type};
use super::time::{self, Instants, TimeForm, Zone};
use crate::csv_bars::BarLabel;
use crate::steps::Steps;

/// One thing that is wrong in a block.
pub(crate) struct Found {
    /// Row of the block.
    pub row: usize,
    /// Source column; `usize::MAX` for the whole row.
    pub column: usize,
    pub fault: Fault,
    pub fate: Fate,
}

pub(crate) const WHOLE_ROW: usize = usize::MAX;

/// Where the times of rows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// Dated bars: date, start of the session.
    Sessions,
    /// Dated rows: date.
    Dates,
    /// Bars with instants: start.
    Starts,
    /// Rows with instants: ts.
    Stamps,
    /// Snapshots and data without times.
    None,
}

/// Rows that wait to be written, and what is known of all rows so far.
pub(crate) struct Gatherer<'a> {
    plan: &'a Plan,
    options: &'a ImportOptions,
    clock: Clock,
    numbers: Numbers,
    calendar: CalendarId,
    zone: Zone,
    lag: i64,
    times: Instants,
    instants: Vec<Instants>,
    /// line, time columns, `known_at`, then the columns of the plan.
    pub columns: Vec<Column>,
    first_value: usize,
    pub lowest: Vec<Option<ColumnType>>,
    pub prices_too_wide: bool,
    pub series: SeriesTable,
    pub counts: Counts,
    bad: Vec<bool>,
    keep_out: Vec<bool>,
    last_day: Option<(Date, u32, Day)>,
}

/// What the calendar says of a date.
#[derive(Clone, Copy)]
struct Day {
    start: Option<i64>,
    known: i64,
}

/// A decimal of 64 bits has at most 18 digits.
const EIGHTEEN_DIGITS: u64 = 1_000_000_000_000_000_000;

impl<'a> Gatherer<'a> {
    pub(crate) fn new(plan: &'a Plan, options: &'a ImportOptions, decimal_comma: bool) -> Gatherer<'a> {
        let timing = plan.kind.spec().timing;
        let clock = match (timing, plan.is_dated(), plan.time == TimeSource::None) {
            (_, _, true) => Clock::None,
            (Timing::Bar, true, _) => Clock::Sessions,
            (Timing::Bar, false, _) => Clock::Starts,
            (_, true, _) => Clock::Dates,
            (_, false, _) => Clock::Stamps,
        };
        use super::column::StoredType::{Date, Integer, Time};
        let mut columns = vec![Column::new("line", Integer)];
        match clock {
            Clock::Sessions => columns.extend([Column::new("date", Date), Column::new("start", Time)]),
            Clock::Dates if timing == Timing::ExDate => columns.push(Column::new("ex_date", Date)),
            Clock::Dates => columns.push(Column::new("date", Date)),
            Clock::Starts => columns.push(Column::new("start", Time)),
            Clock::Stamps => columns.push(Column::new("ts", Time)),
            Clock::None => {}
        }
        let given = plan.columns.iter().any(|c| c.name == "known_at");
        if timing != Timing::Undated && !given {
            columns.push(Column::new("known_at", Time));
        }
        let first_value = columns.len();
        columns.extend(plan.columns.iter().map(|c| Column::new(&c.name, stored_type(c.kind))));
        let instants = plan.columns.iter().map(|c| {
            Instants::new(c.unit.or(options.time_unit.map(super::options::TimeUnit::nanos)), options.zone.as_ref())
        });
        let unit = match &plan.time {
            TimeSource::Column { at, .. } => plan.unit(*at, options),
            _ => None,
        };
        // A told type is a promise: cells that break it are reported, not followed.
        let free = |c: &super::plan::Stored| {
            let told = options.types.contains_key(&c.name) || options.types.contains_key(&plan.header[c.from]);
            let lowers = matches!(c.kind, ColumnType::Integer | ColumnType::Number);
            (c.role == Role::Extra && lowers && !told).then_some(c.kind)
        };
        Gatherer {
            clock,
            numbers: Numbers {
                decimal_comma,
                missing: options.missing.iter().map(|m| m.clone().into_bytes()).collect(),
                exponent: options.price_exponent,
            },
            calendar: options.calendar.unwrap_or(CalendarId::AlwaysOpen),
            zone: options.zone.clone().unwrap_or(Zone::UTC),
            lag: options.lag.0,
            times: Instants::new(unit, options.zone.as_ref()),
            instants: instants.collect(),
            lowest: plan.columns.iter().map(free).collect(),
            series: SeriesTable::new(plan, options),
            plan,
            options,
            columns,
            first_value,
            prices_too_wide: false,
            counts: Counts::default(),
            bad: Vec::new(),
            keep_out: Vec::new(),
            last_day: None,
        }
    }

    /// Rows that wait.
    pub(crate) fn rows(&self) -> usize {
        self.columns.first().map_or(0, Column::len)
    }

    /// Bytes of text that wait.
    pub(crate) fn text_bytes(&self) -> usize {
        self.columns.iter().map(Column::text_bytes).sum()
    }

    /// What unknown columns turned out to be.
    pub(crate) fn demoted(&self) -> Demoted {
        let pairs = self.plan.columns.iter().zip(&self.lowest);
        pairs.filter_map(|(c, lowest)| lowest.filter(|l| *l != c.kind).map(|l| (c.from, l))).collect()
    }

    /// Takes the rows of a block. `broken` are rows that are bad whatever their cells say. Afterwards `is_bad` and
    /// `is_kept_out` tell what became of each.
    pub(crate) fn take<C: Cells>(
        &mut self,
        rows: usize,
        line: impl Fn(usize) -> u64,
        column: impl Fn(usize) -> C,
        found: &mut Vec<Found>,
    ) {
        let from = self.rows();
        self.bad.clear();
        self.bad.resize(rows, false);
        if let Values::Integer(lines) = &mut self.columns[0].values {
            lines.extend((0..rows).map(|row| line(row) as i64));
        }
        self.convert(rows, &column, found);
        self.read_times(rows, &column, found);
        self.mark(found);
        self.check_rows(rows, from, found);
        self.mark(found);
        self.filter(rows, from);
        self.fill_times(rows, from, found);
        self.count(rows, from, found);
        let lost = self.bad.iter().zip(&self.keep_out).any(|(b, k)| *b || *k);
        if lost {
            let out: Vec<bool> = self.bad.iter().zip(&self.keep_out).map(|(b, k)| *b || *k).collect();
            self.columns.iter_mut().for_each(|c| c.retain(from, &out));
        }
        self.columns.iter_mut().for_each(Column::settle);
        self.series.see(self.plan, &self.columns, self.first_value, from, self.clock_column());
    }

    fn mark(&mut self, found: &[Found]) {
        for f in found.iter().filter(|f| f.fate == Fate::Quarantined) {
            if let Some(bad) = self.bad.get_mut(f.row) {
                *bad = true;
            }
        }
    }

    fn convert<C: Cells>(&mut self, rows: usize, column: &impl Fn(usize) -> C, found: &mut Vec<Found>) {
        let stored = self.columns.get_mut(self.first_value..).unwrap_or_default();
        let each = self.plan.columns.iter().zip(stored).zip(&mut self.instants).zip(&mut self.lowest);
        for (((of, to), instants), lowest) in each {
            let fate = if of.role == Role::Series && self.plan.wide { Fate::CellLeftOut } else { Fate::Quarantined };
            let rule = Rule {
                kind: of.kind,
                numbers: &self.numbers,
                dates: self.options.dates.unwrap_or(DateForm::Iso),
                lower: lowest.as_mut(),
            };
            let before = to.len();
            let cells = match of.kind {
                ColumnType::Text => column(of.from).exact(),
                _ => column(of.from),
            };
            append(to, &cells, rows, rule, instants, &mut |row, fault| {
                found.push(Found { row, column: of.from, fault, fate });
            });
            if let Values::Price(v) = &to.values
                && !self.prices_too_wide
            {
                let new = v.get(before..).unwrap_or_default();
                // One pass without a branch per value.
                self.prices_too_wide = new.iter().fold(false, |any, p| any | (p.unsigned_abs() >= EIGHTEEN_DIGITS));
            }
        }
    }

    /// Reads the times as they stand in the file: dates, first days of periods, instants.
    fn read_times<C: Cells>(&mut self, rows: usize, column: &impl Fn(usize) -> C, found: &mut Vec<Found>) {
        let (at, form) = match &self.plan.time {
            TimeSource::Column { at, form } => (*at, Some(*form)),
            TimeSource::YearQuarter { year, .. } => (*year, None),
            TimeSource::None => return,
        };
        let target = &mut self.columns[1];
        let mut wrong = |row: usize, fault: Fault| {
            found.push(Found { row, column: at, fault, fate: Fate::Quarantined });
        };
        match (form, &mut target.values) {
            (Some(TimeForm::Stamp), Values::Time(out)) => {
                let cells = column(at);
                let shift = match (self.clock, self.plan.period, self.options.label) {
                    (Clock::Starts, Some(Period::Fixed(n)), Some(BarLabel::End)) => n.0,
                    _ => 0,
                };
                out.reserve(rows);
                for row in 0..rows {
                    match self.times.read(cells.value(row)) {
                        Ok(Some(n)) => out.push(n - shift),
                        Ok(None) => {
                            wrong(row, Fault::Missing);
                            out.push(0);
                        }
                        Err(e) => {
                            wrong(row, e);
                            out.push(0);
                        }
                    }
                }
            }
            (form, Values::Date(out)) => {
                let cells = column(at);
                let quarters = match &self.plan.time {
                    TimeSource::YearQuarter { quarter, .. } => Some(column(*quarter)),
                    _ => None,
                };
                for row in 0..rows {
                    let read = match (form, &quarters) {
                        (Some(TimeForm::Date(form)), _) => time::date(form, cells.value(row)),
                        (Some(form), _) => time::first_day(form, cells.value(row)),
                        (None, Some(quarters)) => year_and_quarter(&cells, quarters, row),
                        (None, None) => Ok(None),
                    };
                    match read {
                        Ok(Some(d)) => out.push(d),
                        Ok(None) => {
                            wrong(row, Fault::Missing);
                            out.push(0);
                        }
                        Err(e) => {
                            wrong(row, e);
                            out.push(0);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// Rows that lack what their kind requires although they have something else.
    fn check_rows(&mut self, rows: usize, from: usize, found: &mut Vec<Found>) {
        let values = self.columns.get(self.first_value..).unwrap_or_default();
        let any_value = |row: usize| {
            let pairs = self.plan.columns.iter().zip(values);
            pairs.filter(|(of, _)| !is_key(of.kind)).any(|(_, c)| c.is_present(row))
        };
        for (of, column) in self.plan.columns.iter().zip(values) {
            let needed = of.required || of.name == "known_at";
            if !needed || column.is_complete() {
                continue;
            }
            for row in 0..rows {
                if column.is_present(from + row) || self.bad[row] {
                    continue;
                }
                if is_key(of.kind) || any_value(from + row) {
                    let fault = Fault::Missing;
                    found.push(Found { row, column: of.from, fault, fate: Fate::Quarantined });
                }
            }
        }
        if self.plan.kind == Kind::Actions {
            for row in 0..rows {
                if let Some((name, fault)) = wrong_action(self.plan, values, from + row) {
                    let at = self.plan.columns.iter().find(|c| c.name == name).map_or(WHOLE_ROW, |c| c.from);
                    found.push(Found { row, column: at, fault, fate: Fate::Quarantined });
                }
            }
        }
    }

    /// Marks rows of symbols that were not asked for.
    fn filter(&mut self, rows: usize, from: usize) {
        self.keep_out.clear();
        self.keep_out.resize(rows, false);
        let Some(wanted) = self.options.symbols.as_ref().filter(|_| !self.plan.wide) else { return };
        let at = self.plan.columns.iter().position(|c| matches!(c.name.as_str(), "symbol" | "underlying"));
        let Some(column) = at.and_then(|at| self.columns.get(self.first_value + at)) else { return };
        for (row, out) in self.keep_out.iter_mut().enumerate() {
            *out = !self.bad[row] && column.text(from + row).is_some_and(|s| !wanted.iter().any(|w| w == s));
        }
    }

    /// Fills what follows from the times: starts of sessions and when rows are known.
    fn fill_times(&mut self, rows: usize, from: usize, found: &mut Vec<Found>) {
        let timing = self.plan.kind.spec().timing;
        let given = self.plan.columns.iter().any(|c| c.name == "known_at");
        let known_at = (timing != Timing::Undated && !given).then(|| self.first_value - 1);
        match self.clock {
            Clock::None => {
                if let (Some(at), Some(date)) = (known_at, self.options.snapshot) {
                    let known = self.day_end(date, None);
                    self.push_times(at, std::iter::repeat_n(known, rows));
                }
            }
            Clock::Starts | Clock::Stamps => {
                let Some(at) = known_at else { return };
                let length = match (timing, self.plan.period, self.options.label) {
                    (Timing::Bar, Some(Period::Fixed(n)), _) => n.0,
                    (Timing::Period, Some(Period::Fixed(n)), label) if label != Some(BarLabel::End) => n.0,
                    _ => 0,
                };
                let later = length.saturating_add(self.lag);
                let (times, known) = self.columns.split_at_mut(at);
                if let (Some(Values::Time(times)), Some(Values::Time(known))) =
                    (times.get(1).map(|c| &c.values), known.first_mut().map(|c| &mut c.values))
                {
                    let new = times.get(from..).unwrap_or_default();
                    known.extend(new.iter().map(|t| t.saturating_add(later)));
                }
            }
            Clock::Dates | Clock::Sessions => {
                let date_column = self.plan_time_column();
                let venue = self.plan.columns.iter().position(|c| c.name == "venue");
                for row in 0..rows {
                    let date = self.columns[1].dates().and_then(|d| d.get(from + row)).map_or(Date(0), |d| Date(*d));
                    let zone = venue.and_then(|at| self.columns.get(self.first_value + at)).and_then(|c| {
                        let place = self.options.venue_zones.keys().position(|k| c.text(from + row) == Some(k));
                        place.map(|p| p as u32 + 1)
                    });
                    let day = match self.last_day {
                        Some((last, z, day)) if last == date && z == zone.unwrap_or_default() => day,
                        _ => self.day(timing, date, zone),
                    };
                    self.last_day = Some((date, zone.unwrap_or_default(), day));
                    if self.clock == Clock::Sessions {
                        let start = &mut self.columns[2];
                        if let Values::Time(v) = &mut start.values {
                            v.push(day.start.unwrap_or_default());
                        }
                        if day.start.is_none() {
                            start.mark_last_missing();
                            if !self.bad[row] && !self.keep_out[row] {
                                let fault = self.no_session(date);
                                found.push(Found { row, column: date_column, fault, fate: Fate::Kept });
                            }
                        } else {
                            start.settle();
                        }
                    }
                    if let Some(at) = known_at
                        && let Values::Time(v) = &mut self.columns[at].values
                    {
                        v.push(day.known);
                    }
                }
            }
        }
    }

    fn plan_time_column(&self) -> usize {
        match &self.plan.time {
            TimeSource::Column { at, .. } => *at,
            TimeSource::YearQuarter { year, .. } => *year,
            TimeSource::None => WHOLE_ROW,
        }
    }

    fn push_times(&mut self, at: usize, values: impl Iterator<Item = i64>) {
        if let Values::Time(v) = &mut self.columns[at].values {
            v.extend(values);
        }
    }

    fn no_session(&self, date: Date) -> Fault {
        let (first, last) = self.calendar.range();
        let calendar = self.calendar.name();
        if self.calendar.covers(date) {
            Fault::NoSession { calendar }
        } else {
            Fault::OutsideCalendar { calendar, first, last }
        }
    }

    fn day(&self, timing: Timing, date: Date, zone: Option<u32>) -> Day {
        // Without an exchange a date is a day of a zone: from midnight to midnight on its clocks.
        let session = || match self.options.calendar {
            Some(calendar) if calendar != CalendarId::AlwaysOpen => {
                calendar.session(date).map(|s| (s.open.0, s.close.0))
            }
            _ => Some((self.zone_of(zone).midnight(date).0, self.day_end(date, zone))),
        };
        let end = self.day_end(date, zone);
        let (start, known) = match timing {
            Timing::Bar | Timing::Row => session().map_or((None, end), |(open, close)| (Some(open), close)),
            Timing::ExDate => (None, session().map_or_else(|| self.zone_of(zone).midnight(date).0, |(open, _)| open)),
            Timing::Period => {
                let after = time::after_period(self.plan.period.unwrap_or(Period::Session), date);
                let after = if self.options.label == Some(BarLabel::End) { Date(date.0 + 1) } else { after };
                (None, self.zone_of(zone).midnight(after).0)
            }
            Timing::Snapshot | Timing::Undated => (None, end),
        };
        let lag = if timing == Timing::ExDate { 0 } else { self.lag };
        Day { start, known: known.saturating_add(lag) }
    }

    fn zone_of(&self, zone: Option<u32>) -> &Zone {
        let told = zone.and_then(|z| self.options.venue_zones.values().nth(z as usize - 1));
        told.unwrap_or(&self.zone)
    }

    fn day_end(&self, date: Date, zone: Option<u32>) -> i64 {
        self.zone_of(zone).midnight(Date(date.0.saturating_add(1))).0
    }

    fn count(&mut self, rows: usize, from: usize, found: &[Found]) {
        let quarantined = self.bad.iter().filter(|b| **b).count() as u64;
        let filtered = self.keep_out.iter().filter(|k| **k).count() as u64;
        self.counts.read += rows as u64;
        self.counts.quarantined += quarantined;
        self.counts.filtered += filtered;
        self.counts.kept += rows as u64 - quarantined - filtered;
        let good = |f: &&Found| !self.bad[f.row] && !self.keep_out[f.row];
        self.counts.cells_left_out += found.iter().filter(good).filter(|f| f.fate == Fate::CellLeftOut).count() as u64;
        if self.clock == Clock::Sessions && !self.columns[2].is_complete() {
            let shut =
                (0..rows).filter(|r| !self.bad[*r] && !self.keep_out[*r] && !self.columns[2].is_present(from + r));
            self.counts.without_session += shut.count() as u64;
        }
    }

    /// True if the row of the last block is in the quarantine.
    pub(crate) fn is_bad(&self, row: usize) -> bool {
        self.bad.get(row).copied().unwrap_or_default()
    }

    /// Index of the column of times that series are measured by.
    fn clock_column(&self) -> Option<usize> {
        (self.clock != Clock::None).then_some(1)
    }

    /// Index of the first column of the plan.
    pub(crate) fn first_value(&self) -> usize {
        self.first_value
    }

    /// Names of the time columns that the source has.
    pub(crate) fn time_column(&self) -> Option<&str> {
        self.clock_column().and_then(|at| self.columns.get(at)).map(|c| &*c.name)
    }
}

fn is_key(kind: ColumnType) -> bool {
    matches!(kind, ColumnType::Name | ColumnType::Choice(_))
}

fn year_and_quarter<C: Cells>(years: &C, quarters: &C, row: usize) -> Result<Option<i32>, Fault> {
    let whole = |text: String| text.strip_suffix(".0").unwrap_or(&text).to_owned();
    let (year, quarter) = (whole(years.value(row).to_string()), whole(quarters.value(row).to_string()));
    if year.is_empty() && quarter.is_empty() {
        return Ok(None);
    }
    let quarter = quarter.trim_start_matches(['Q', 'q']).to_owned();
    let text = format!("{year}Q{quarter}");
    time::first_day(TimeForm::Quarter, crate::reading::Value::Text(text.as_bytes()))
}

/// What an action lacks, with the column to blame.
fn wrong_action(plan: &Plan, values: &[Column], row: usize) -> Option<(&'static str, Fault)> {
    let column = |name: &str| plan.columns.iter().position(|c| c.name == name).and_then(|at| values.get(at));
    let price = |name: &str| column(name).and_then(|c| c.price(row));
    let whole = |name: &str| column(name).and_then(|c| c.integer(row));
    let text = |name: &str| column(name).and_then(|c| c.text(row));
    match text("kind")? {
        "split" => match (text("ratio"), whole("new"), whole("old")) {
            (Some(ratio), _, _) if !is_ratio(ratio) => {
                Some(("ratio", Fault::Action("is no ratio (2, 0.1, 2:1 or 3/2)")))
            }
            (Some(_), _, _) => None,
            (None, Some(new), Some(old)) if new > 0 && old > 0 => None,
            (None, Some(_), Some(_)) => Some(("new", Fault::Action("is no split: new and old units are above zero"))),
            _ => Some(("kind", Fault::Action("needs a ratio, or new and old units"))),
        },
        "dividend" => match price("amount") {
            Some(amount) if amount.is_positive() => None,
            Some(_) => Some(("amount", Fault::Action("is no dividend: it is above zero"))),
            None => Some(("kind", Fault::Action("needs an amount"))),
        },
        "rename" => text("to").is_none().then_some(("kind", Fault::Action("needs the new symbol (to)"))),
        _ => match price("price") {
            Some(price) if price.nano() < 0 => Some(("price", Fault::Action("is no price of a delisting"))),
            _ => None,
        },
    }
}

fn is_ratio(text: &str) -> bool {
    let positive = |t: &str| t.trim().parse::<f64>().is_ok_and(|v| v.is_finite() && v > 0.0);
    match text.split_once([':', '/']) {
        Some((new, old)) => positive(new) && positive(old),
        None => positive(text),
    }
}

/// The series of a data set with their rows and times.
#[derive(Debug, Default)]
pub(crate) struct SeriesTable {
    keys: Vec<Option<usize>>,
    single: (Option<String>, String),
    wide: bool,
    undated: bool,
    infos: Vec<SeriesInfo>,
    last_times: Vec<i64>,
    known: BTreeMap<[String; 3], usize>,
    after: Vec<usize>,
    last: usize,
    pub steps: Steps,
}

impl SeriesTable {
    fn new(plan: &Plan, options: &ImportOptions) -> SeriesTable {
        let at = |name: &str| plan.columns.iter().position(|c| c.name == name);
        let mut symbol = if plan.kind == Kind::Chain { at("underlying") } else { at("symbol") };
        if plan.kind == Kind::Table && symbol.is_none() && !plan.wide {
            // A table in long form names its series in its first column of text.
            symbol = plan.columns.iter().position(|c| matches!(c.kind, ColumnType::Text | ColumnType::Name));
        }
        let named = plan.kind.spec().timing != Timing::Undated && plan.kind != Kind::Snapshot;
        let keys = if named { vec![at("venue"), at("segment"), symbol] } else { vec![None; 3] };
        SeriesTable {
            keys,
            single: (options.venue.clone(), options.symbol.clone().unwrap_or_default()),
            wide: plan.wide,
            undated: !named,
            infos: Vec::new(),
            last_times: Vec::new(),
            known: BTreeMap::new(),
            after: Vec::new(),
            last: 0,
            steps: Steps::default(),
        }
    }

    /// All series; `stem` names one that has no name.
    pub(crate) fn finish(self, stem: &str) -> Vec<SeriesInfo> {
        let mut infos = self.infos;
        for info in &mut infos {
            if info.symbol.is_empty() {
                info.symbol = stem.to_owned();
            }
        }
        infos
    }

    fn see(&mut self, plan: &Plan, columns: &[Column], first_value: usize, from: usize, clock: Option<usize>) {
        let rows = columns.first().map_or(0, Column::len);
        if self.undated || from == rows {
            return;
        }
        if self.wide {
            return self.see_wide(plan, columns, first_value, from, clock);
        }
        let times = clock.and_then(|at| columns.get(at));
        let in_days = times.and_then(Column::dates);
        let in_nanos = times.and_then(Column::times);
        let key = |at: usize| self.keys.get(at).copied().flatten().and_then(|k| columns.get(first_value + k));
        let keyed = [key(0), key(1), key(2)];
        let one = keyed.iter().all(Option::is_none);
        let count_steps = in_nanos.is_some();
        for row in from..rows {
            let at = if one && !self.infos.is_empty() { 0 } else { self.find(&keyed, row) };
            let time = match (in_nanos, in_days) {
                (Some(n), _) => n.get(row).copied(),
                (_, Some(d)) => d.get(row).map(|d| Date(*d).midnight().0),
                _ => None,
            };
            let (Some(info), Some(last)) = (self.infos.get_mut(at), self.last_times.get_mut(at)) else { continue };
            let Some(time) = time else {
                info.rows += 1;
                continue;
            };
            if count_steps && info.rows > 0 {
                self.steps.add(time.wrapping_sub(*last));
            }
            info.rows += 1;
            *last = time;
            span(info, time);
        }
    }

    fn find(&mut self, keyed: &[Option<&Column>; 3], row: usize) -> usize {
        let parts = keyed.map(|c| match c.map(|c| &c.values) {
            Some(Values::Text(t)) => Some(t.get(row)),
            _ => None,
        });
        let same = |info: &SeriesInfo| {
            let is = |part: Option<&[u8]>, own: &str| part.is_none_or(|p| p == own.as_bytes());
            is(parts[0], info.venue.as_deref().unwrap_or_default())
                && is(parts[1], info.segment.as_deref().unwrap_or_default())
                && is(parts[2], &info.symbol)
        };
        if self.infos.get(self.last).is_some_and(same) {
            return self.last;
        }
        let guess = self.after.get(self.last).copied().unwrap_or_default();
        let found = if self.infos.get(guess).is_some_and(same) {
            guess
        } else {
            let text = |p: Option<&[u8]>| String::from_utf8_lossy(p.unwrap_or_default()).into_owned();
            let key = [text(parts[0]), text(parts[1]), text(parts[2])];
            match self.known.get(&key) {
                Some(at) => *at,
                None => self.open(key),
            }
        };
        if let Some(after) = self.after.get_mut(self.last) {
            *after = found;
        }
        self.last = found;
        found
    }

    fn open(&mut self, key: [String; 3]) -> usize {
        let at = self.infos.len();
        let some = |t: &String| (!t.is_empty()).then(|| t.clone());
        self.infos.push(SeriesInfo {
            venue: some(&key[0]).or_else(|| self.single.0.clone()),
            segment: some(&key[1]),
            symbol: if key[2].is_empty() { self.single.1.clone() } else { key[2].clone() },
            rows: 0,
            first_ns: None,
            last_ns: None,
        });
        self.last_times.push(0);
        self.after.push(0);
        self.known.insert(key, at);
        at
    }

    fn see_wide(&mut self, plan: &Plan, columns: &[Column], first_value: usize, from: usize, clock: Option<usize>) {
        let times = clock.and_then(|at| columns.get(at));
        let rows = columns.first().map_or(0, Column::len);
        let time = |row: usize| match times.map(|c| &c.values) {
            Some(Values::Time(v)) => v.get(row).copied(),
            Some(Values::Date(v)) => v.get(row).map(|d| Date(*d).midnight().0),
            _ => None,
        };
        if let Some(Values::Time(v)) = times.map(|c| &c.values) {
            let start = from.saturating_sub(1);
            v.get(start..).unwrap_or_default().array_windows().for_each(|[a, b]| self.steps.add(b.wrapping_sub(*a)));
        }
        let series = plan.columns.iter().enumerate().filter(|(_, c)| c.role == Role::Series);
        for (place, (at, stored)) in series.enumerate() {
            if place == self.infos.len() {
                self.open([String::new(), String::new(), stored.name.clone()]);
            }
            let (Some(info), Some(column)) = (self.infos.get_mut(place), columns.get(first_value + at)) else {
                continue;
            };
            for row in (from..rows).filter(|r| column.is_present(*r)) {
                info.rows += 1;
                if let Some(t) = time(row) {
                    span(info, t);
                }
            }
        }
    }
}

#[inline]
fn span(info: &mut SeriesInfo, time: i64) {
    info.first_ns = Some(info.first_ns.map_or(time, |f| f.min(time)));
    info.last_ns = Some(info.last_ns.map_or(time, |l| l.max(time)));
}

/// The period that the rows say, if it is another than the plan's.
pub(crate) fn other_period(plan: &Plan, options: &ImportOptions, steps: &mut Steps) -> Option<Period> {
    let Some(Period::Fixed(n)) = plan.period.filter(|_| options.period.is_none()) else { return None };
    steps.usual().filter(|usual| *usual != n.0).map(|usual| Period::Fixed(Nanos(usual)))
}
