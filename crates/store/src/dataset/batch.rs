//! Bars of a data set as a batch for the engine: the same batch that `import_csv` makes of the same rows.

use std::borrow::Cow;

use tradegraph_domain::{Basis, Date, Timestamp};
use tradegraph_market::calendar::CalendarId;

use super::column::Column;
use super::convert::price_of_float;
use super::error::DatasetError;
use super::kinds::Kind;
use super::manifest::{KnownAt, Role};
use super::options::Period;
use super::time::Zone;
use super::{Chunk, Dataset};
use crate::csv_bars::assemble;
use crate::csv_bars::bar::BarCells;
use crate::csv_bars::header::{BarColumns, Header, Shape, Time};
use crate::csv_bars::read::{Builder, Key};
use crate::csv_bars::{BarLabel, CsvRequest, Imported, PriceColumn, Reason};

/// Which price the bars have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BatchPrice {
    /// `close`, with open, high, low and volume where they are.
    #[default]
    Close,
    /// `adj_close` alone.
    AdjClose,
    /// The bid, with its open, high and low where they are, without volume.
    Bid,
    /// The ask, likewise.
    Ask,
    /// The middle of bid and ask, half-even, likewise.
    Mid,
}

/// What is wanted of a data set.
#[derive(Clone, Debug, Default)]
pub struct BatchRequest {
    /// Instruments of the batch, in this order; all if `None`. For a single series: the one name to give it.
    pub symbols: Option<Vec<String>>,
    /// Where they trade; needed if a symbol trades at several venues.
    pub venue: Option<String>,
    /// Spot, perpetual…; needed if a symbol is in several.
    pub segment: Option<String>,
    /// Which price.
    pub price: BatchPrice,
    /// Whose sessions the dates are; as the manifest says if not told.
    pub calendar: Option<CalendarId>,
    /// What the prices contain; as the manifest says if not told.
    pub basis: Option<Basis>,
    /// True if prices may be zero or below; as the manifest says if not told.
    pub allow_negative: Option<bool>,
    /// First date.
    pub from: Option<Date>,
    /// Last date.
    pub to: Option<Date>,
}

/// Columns that are read, by their place in a chunk.
struct Selection {
    names: Vec<String>,
    shape: Shape,
    time: Time,
    venue: Option<usize>,
    segment: Option<usize>,
    line: usize,
    /// The ask of the bid in a column, for mids.
    second: Vec<Option<usize>>,
}

impl Dataset {
    /// The bars of a data set as a batch. Rows that cannot be bars (a close of zero, a high below its low, a date
    /// without a session, a repeated row) are left out and named in `Imported::quarantine`, as `import_csv` does.
    ///
    /// # Errors
    /// `DatasetError::NoBars` if the data set has none, or none whose end is when they were known; `Batch` as
    /// `import_csv`; `Damaged` or `Io` if it cannot be read.
    pub fn to_batch(&self, request: &BatchRequest) -> Result<Imported, DatasetError> {
        let m = &self.manifest;
        self.check_bars(request)?;
        let zone = self.day_zone(request)?;
        let calendar = request.calendar.unwrap_or_else(|| m.calendar());
        let selection = self.select(request)?;
        let file = format!("{} ({})", m.name, self.id.short());
        let period = match m.period() {
            Some(Period::Fixed(n)) => Some(n),
            _ => None,
        };
        let csv = CsvRequest {
            symbols: request.symbols.clone(),
            calendar,
            basis: request.basis.unwrap_or(match request.price {
                BatchPrice::AdjClose => Basis::TotalReturn,
                _ => m.basis(),
            }),
            price: PriceColumn::Close,
            period,
            label: BarLabel::Start,
            allow_negative: request.allow_negative.unwrap_or(m.allow_negative),
            from: request.from,
            to: request.to,
            ..CsvRequest::bytes(&file, b"", calendar)
        };
        let shown: Vec<String> = selection.names.iter().map(|n| self.name_in_source(n)).collect();
        let ignored = m.columns.iter().filter(|c| c.role != Role::Derived && !selection.names.contains(&c.name));
        let header = Header {
            names: shown,
            time: selection.time,
            shape: selection.shape.clone(),
            ignored: ignored.map(|c| self.name_in_source(&c.name)).collect(),
        };
        let days = zone.filter(|_| calendar == CalendarId::AlwaysOpen);
        let session = |date: Date| match &days {
            Some(zone) => Some((zone.midnight(date), zone.midnight(Date(date.0 + 1)))),
            None => calendar.session(date).map(|s| (s.open, s.close)),
        };
        let mut builder = Builder::new(&csv, &file, &header, usize::try_from(m.rows.kept).unwrap_or_default())?;
        let columns: Vec<&str> = selection.names.iter().map(String::as_str).collect();
        for chunk in self.read(&columns)? {
            fill(&mut builder, &chunk?, &selection, request, &csv, &session);
        }
        let single = m.series.first().map(|s| s.symbol.clone()).unwrap_or_else(|| m.name.clone());
        let table = builder.finish(single)?;
        Ok(assemble::batch(&csv, &file, &header, table, &session)?)
    }

    fn no_bars<T>(&self, why: impl Into<String>) -> Result<T, DatasetError> {
        Err(DatasetError::NoBars { name: self.manifest.name.clone(), why: why.into() })
    }

    /// Bars of a batch are known at their end. Data that are known later would be seen too early.
    fn check_bars(&self, request: &BatchRequest) -> Result<(), DatasetError> {
        let m = &self.manifest;
        if !matches!(m.kind, Kind::Bars | Kind::Table) {
            return self.no_bars(format!("its kind is {}, not bars or a table", m.kind));
        }
        if matches!(m.period(), Some(Period::Month | Period::Quarter | Period::Year)) {
            return self.no_bars("its rows are months, quarters or years, which no session begins and ends with");
        }
        if m.facts.lag_ns > 0 || m.known_at == KnownAt::Given {
            return self.no_bars("its rows are known later than their bars end; a batch would show them too early");
        }
        let fits = |own: &Option<String>, asked: &Option<String>| asked.is_none() || own == asked;
        let mut series: Vec<_> = m
            .series
            .iter()
            .filter(|s| fits(&s.venue, &request.venue) && fits(&s.segment, &request.segment))
            .filter(|s| request.symbols.as_ref().is_none_or(|w| w.contains(&s.symbol)) || m.series.len() == 1)
            .collect();
        let list = |of: &mut dyn Iterator<Item = Option<String>>| {
            let mut names: Vec<String> = of.flatten().collect();
            names.sort();
            names.dedup();
            names.join(", ")
        };
        if series.is_empty() && request.symbols.is_none() {
            let venues = list(&mut m.series.iter().map(|s| s.venue.clone()));
            let segments = list(&mut m.series.iter().map(|s| s.segment.clone()));
            return self.no_bars(format!(
                "it has no series of that venue and segment; venues: {venues}; segments: {segments}"
            ));
        }
        series.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        if let Some([a, b]) = series.array_windows().find(|[a, b]| a.symbol == b.symbol) {
            let place = |s: &super::SeriesInfo| {
                [s.venue.clone(), s.segment.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ")
            };
            return self.no_bars(format!(
                "'{}' is in it twice, at {} and at {}; choose the venue or the segment",
                a.symbol,
                place(a),
                place(b)
            ));
        }
        Ok(())
    }

    /// The zone of the days that dates are, if it is not UTC. Venues with different days cannot share a batch.
    fn day_zone(&self, request: &BatchRequest) -> Result<Option<Zone>, DatasetError> {
        let facts = &self.manifest.facts;
        let all = facts.day_zone.clone();
        if facts.venue_zones.is_empty() {
            return Ok(all.as_deref().and_then(Zone::parse));
        }
        let venues = self.manifest.series.iter().filter(|s| request.venue.is_none() || s.venue == request.venue);
        let mut zones: Vec<Option<String>> = venues
            .map(|s| s.venue.as_ref().and_then(|v| facts.venue_zones.get(v).cloned()).or_else(|| all.clone()))
            .collect();
        zones.sort();
        zones.dedup();
        match zones.as_slice() {
            [one] => Ok(one.as_deref().and_then(Zone::parse)),
            _ => self.no_bars("the days of its venues begin at different times; choose the venue"),
        }
    }

    fn name_in_source(&self, name: &str) -> String {
        let column = self.manifest.columns.iter().find(|c| c.name == name);
        column.and_then(|c| c.from.clone()).unwrap_or_else(|| name.to_owned())
    }

    fn select(&self, request: &BatchRequest) -> Result<Selection, DatasetError> {
        let m = &self.manifest;
        let has = |name: &str| m.columns.iter().any(|c| c.name == name && c.role != Role::Extra);
        let mut names: Vec<String> = Vec::new();
        let mut add = |name: &str| {
            names.push(name.to_owned());
            names.len() - 1
        };
        let line = add("line");
        let time = match ["date", "start", "ts"].into_iter().find(|t| has(t)) {
            Some("date") => Time::Date(add("date")),
            Some(other) => Time::Stamp(add(other)),
            None => return self.no_bars("it has no column of times"),
        };
        let venue = request.venue.as_ref().filter(|_| has("venue")).map(|_| add("venue"));
        let segment = request.segment.as_ref().filter(|_| has("segment")).map(|_| add("segment"));
        let series: Vec<&str> = m.columns.iter().filter(|c| c.role == Role::Series).map(|c| c.name.as_str()).collect();
        let mut second: Vec<Option<usize>> = Vec::new();
        let shape = if m.shape.wide || (m.kind == Kind::Table && !has("symbol") && series.len() == 1) {
            if request.price != BatchPrice::Close {
                return self.no_bars("it has one price for each series");
            }
            Shape::Wide { columns: series.iter().map(|s| add(s)).collect() }
        } else {
            let (prefix, other) = match request.price {
                BatchPrice::Close => ("", None),
                BatchPrice::AdjClose => ("adj_", None),
                BatchPrice::Bid => ("bid_", None),
                BatchPrice::Ask => ("ask_", None),
                BatchPrice::Mid => ("bid_", Some("ask_")),
            };
            let table = (m.kind == Kind::Table).then(|| series.first().copied()).flatten();
            let close = table.map_or_else(|| format!("{prefix}close"), str::to_owned);
            let all = |stem: &str| has(&format!("{prefix}{stem}")) && other.is_none_or(|o| has(&format!("{o}{stem}")));
            if table.is_none() && !all("close") {
                let columns: Vec<&str> = m.columns.iter().map(|c| c.name.as_str()).collect();
                return self
                    .no_bars(format!("there is no column '{close}' for this price; it has {}", columns.join(", ")));
            }
            let symbol = has("symbol").then(|| add("symbol"));
            let close = add(&close);
            let ranged = request.price != BatchPrice::AdjClose && ["open", "high", "low"].iter().all(|s| all(s));
            let range = ranged.then(|| ["open", "high", "low"].map(|s| add(&format!("{prefix}{s}"))));
            let volume = (request.price == BatchPrice::Close && has("volume")).then(|| add("volume"));
            if let Some(other) = other {
                second.resize(names.len(), None);
                let pairs = [
                    ("close", Some(close)),
                    ("open", range.map(|r| r[0])),
                    ("high", range.map(|r| r[1])),
                    ("low", range.map(|r| r[2])),
                ];
                for (stem, at) in pairs {
                    if let Some(place) = at.and_then(|at| second.get_mut(at)) {
                        names.push(format!("{other}{stem}"));
                        *place = Some(names.len() - 1);
                    }
                }
            }
            let bar = BarColumns { close, range, volume };
            match symbol {
                Some(symbol) => Shape::Long { symbol, bar },
                None => Shape::Single { bar },
            }
        };
        Ok(Selection { names, shape, time, venue, segment, line, second })
    }
}

fn fill(
    builder: &mut Builder<'_>,
    chunk: &Chunk,
    selection: &Selection,
    request: &BatchRequest,
    csv: &CsvRequest<'_>,
    session: &dyn Fn(Date) -> Option<(Timestamp, Timestamp)>,
) {
    let columns = chunk.columns();
    let is = |at: Option<usize>, asked: &Option<String>, row: usize| {
        at.and_then(|at| columns.get(at)).is_none_or(|c| c.text(row) == asked.as_deref())
    };
    let outside = |date: Date| csv.from.is_some_and(|from| date < from) || csv.to.is_some_and(|to| date > to);
    let mut last: Option<(Date, bool)> = None;
    for row in 0..chunk.rows() {
        if !is(selection.venue, &request.venue, row) || !is(selection.segment, &request.segment, row) {
            continue;
        }
        let line = columns.get(selection.line).and_then(|c| c.integer(row)).unwrap_or_default();
        let cells = StoredRow { columns, row, second: &selection.second };
        builder.row(u32::try_from(line).unwrap_or(u32::MAX), cells, |at| {
            let column = columns.get(at);
            if let Some(date) = column.and_then(|c| c.date(row)) {
                if outside(date) {
                    return Key::OutOfRange;
                }
                let in_session = match last {
                    Some((known, there)) if known == date => there,
                    _ => session(date).is_some(),
                };
                last = Some((date, in_session));
                return Key::Row { key: i64::from(date.0), in_session };
            }
            match column.and_then(|c| c.time(row)) {
                Some(ts) if outside(ts.date()) => Key::OutOfRange,
                Some(ts) => Key::Row { key: ts.0, in_session: true },
                None => Key::Wrong(Reason::Time),
            }
        });
    }
}

/// Cells of a row of a chunk.
struct StoredRow<'a> {
    columns: &'a [Column],
    row: usize,
    second: &'a [Option<usize>],
}

impl StoredRow<'_> {
    fn one(&self, column: usize) -> Result<i64, Reason> {
        let missing = Reason::Price(tradegraph_domain::ParseNumber::Empty);
        let Some(column) = self.columns.get(column) else { return Err(missing) };
        match (column.price(self.row), column.number(self.row)) {
            (Some(price), _) => Ok(price.nano()),
            (None, Some(v)) => price_of_float(v).map_err(|_| Reason::Price(tradegraph_domain::ParseNumber::OutOfRange)),
            _ => Err(missing),
        }
    }

    fn pair(&self, column: usize) -> Option<usize> {
        self.second.get(column).copied().flatten()
    }
}

impl BarCells for StoredRow<'_> {
    fn is_empty(&self, column: usize) -> bool {
        let empty = |at: usize| !self.columns.get(at).is_some_and(|c| c.is_present(self.row));
        empty(column) || self.pair(column).is_some_and(empty)
    }

    fn price(&self, column: usize) -> Result<i64, Reason> {
        let first = self.one(column)?;
        let Some(other) = self.pair(column) else { return Ok(first) };
        Ok(middle(first, self.one(other)?))
    }

    fn volume(&self, column: usize) -> Option<f64> {
        self.columns.get(column).and_then(|c| c.number(self.row)).filter(|v| *v >= 0.0)
    }

    fn text(&self, column: usize) -> Cow<'_, [u8]> {
        match self.columns.get(column) {
            Some(c) => c
                .text(self.row)
                .map_or_else(|| Cow::Owned(c.show(self.row).into_bytes()), |t| Cow::Borrowed(t.as_bytes())),
            None => Cow::Borrowed(b""),
        }
    }
}

/// Half of the sum, ties to even.
fn middle(a: i64, b: i64) -> i64 {
    let sum = i128::from(a) + i128::from(b);
    let half = sum.div_euclid(2);
    let half = half + i128::from(sum.rem_euclid(2) == 1 && half % 2 != 0);
    // The middle of two numbers lies between them.
    half as i64
}

#[cfg(test)]
mod tests {
    use super::middle;

    #[test]
    fn the_middle_is_half_even() {
        for (a, b, expected) in [(1, 2, 2), (2, 3, 2), (3, 4, 4), (-1, -2, -2), (-2, -3, -2), (0, 1, 0), (5, 5, 5)] {
            assert_eq!(middle(a, b), expected, "{a} {b}");
        }
        assert_eq!(middle(i64::MAX, i64::MAX), i64::MAX);
        assert_eq!(middle(i64::MIN, i64::MAX), 0);
    }
}
