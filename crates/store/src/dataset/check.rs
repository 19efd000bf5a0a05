//! The quality checks of `market::quality` on whole data sets: which columns go where, series by series, and what a kind
//! as such brings with it (labels that know the future, snapshots, revised numbers).
//!
//! One data set is held in memory, the columns that its checks need.

use std::collections::BTreeMap;

use tradegraph_domain::{Nanos, Price, Timestamp};
use tradegraph_market::calendar::CalendarId;
use tradegraph_market::quality::{
    BarColumns, Check, Findings, MISSING, QuoteColumns, Rules, TradeColumns, check_bars, check_clock, check_quotes,
    check_trades, check_values, compare_volumes,
};

use super::kinds::{Kind, plain_name};
use super::options::Period;
use super::{Column, Dataset, DatasetError, Role, StoredType};
use tradegraph_domain::BarPeriod;

/// What was found in one series, or (without a name) in the data set as a whole.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Venue, segment and symbol, as far as the source says them; empty for the whole data set.
    pub series: String,
    /// Which of its prices: `close`, `bid`, `ask`, the column of a table.
    pub what: String,
    /// Rows that were looked at.
    pub rows: usize,
    /// What was found; rows count from the first of the series.
    pub findings: Findings,
    /// The line of the source of each row.
    pub lines: Vec<i64>,
}

/// What a user may tell about the series for a check.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CheckOptions {
    /// Whose sessions the bars lie in; that of the manifest if not told.
    pub calendar: Option<CalendarId>,
    /// Least and greatest price.
    pub bounds: Option<(Price, Price)>,
}

/// Columns of one series.
struct Series {
    name: [String; 3],
    lines: Vec<i64>,
    times: Vec<Timestamp>,
    /// By the places of the columns asked for; empty for a column that the data set lacks.
    prices: Vec<Vec<i64>>,
    numbers: Vec<Vec<f64>>,
    integers: Vec<Vec<i64>>,
}

impl Series {
    fn name(&self) -> String {
        self.name.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" ")
    }

    fn price(&self, at: usize) -> &[i64] {
        self.prices.get(at).map(Vec::as_slice).unwrap_or_default()
    }

    fn number(&self, at: usize) -> &[f64] {
        self.numbers.get(at).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Which columns a check needs.
struct Wanted<'a> {
    time: &'a str,
    prices: &'a [&'a str],
    numbers: &'a [&'a str],
    integers: &'a [&'a str],
}

impl Dataset {
    /// Checks everything that can be checked.
    ///
    /// # Errors
    /// `DatasetError` if the data set cannot be read.
    pub fn check(&self, options: &CheckOptions) -> Result<Vec<Checked>, DatasetError> {
        let mut found = match self.manifest.kind {
            Kind::Bars => self.check_all_bars(options)?,
            Kind::Quotes => self.check_quotes()?,
            Kind::Trades => self.check_trades()?,
            Kind::Table => self.check_table()?,
            Kind::Chain => self.check_chain()?,
            _ => Vec::new(),
        };
        let whole = self.check_whole()?;
        if whole.counts.iter().any(|n| *n > 0) || found.is_empty() {
            let rows = usize::try_from(self.manifest.rows.kept).unwrap_or(usize::MAX);
            found.push(Checked {
                series: String::new(),
                what: String::new(),
                rows,
                findings: whole,
                lines: Vec::new(),
            });
        }
        Ok(found)
    }

    fn has(&self, column: &str) -> bool {
        self.manifest.columns.iter().any(|c| c.name == column)
    }

    /// Reads the columns and parts them by series, in the order in which series appear.
    fn gather(&self, wanted: &Wanted<'_>) -> Result<Vec<Series>, DatasetError> {
        let names = ["venue", "segment", "symbol"];
        // Rows without a session have a date and no start.
        let all = names
            .iter()
            .chain([&"line", &wanted.time, &"date"])
            .chain(wanted.prices)
            .chain(wanted.numbers)
            .chain(wanted.integers);
        let mut columns: Vec<&str> = all.copied().filter(|c| self.has(c)).collect();
        let mut seen = Vec::new();
        columns.retain(|c| {
            !seen.contains(c) && {
                seen.push(*c);
                true
            }
        });
        let (mut series, mut places): (Vec<Series>, BTreeMap<[String; 3], usize>) = Default::default();
        for chunk in self.read(&columns)? {
            let chunk = chunk?;
            let column = |name: &str| chunk.column(name);
            let keys = names.map(column);
            let (line, time, date) = (column("line"), column(wanted.time), column("date"));
            let prices: Vec<Option<&Column>> = wanted.prices.iter().map(|c| column(c)).collect();
            let numbers: Vec<Option<&Column>> = wanted.numbers.iter().map(|c| column(c)).collect();
            let integers: Vec<Option<&Column>> = wanted.integers.iter().map(|c| column(c)).collect();
            let mut last: Option<([&str; 3], usize)> = None;
            for row in 0..chunk.rows() {
                let key = keys.map(|c| c.and_then(|c| c.text(row)).unwrap_or_default());
                let at = match last {
                    Some((same, at)) if same == key => at,
                    _ => *places.entry(key.map(str::to_owned)).or_insert_with_key(|name| {
                        series.push(Series {
                            name: name.clone(),
                            lines: Vec::new(),
                            times: Vec::new(),
                            prices: vec![Vec::new(); prices.len()],
                            numbers: vec![Vec::new(); numbers.len()],
                            integers: vec![Vec::new(); integers.len()],
                        });
                        series.len() - 1
                    }),
                };
                last = Some((key, at));
                let Some(s) = series.get_mut(at) else { continue };
                s.lines.push(line.and_then(|c| c.integer(row)).unwrap_or_default());
                let day = || date.and_then(|c| c.date(row)).map(|d| d.midnight());
                s.times.push(time.and_then(|c| c.time(row)).or_else(day).unwrap_or_default());
                for (to, from) in s.prices.iter_mut().zip(&prices) {
                    to.extend(from.map(|c| c.price(row).map_or(MISSING, Price::nano)));
                }
                for (to, from) in s.numbers.iter_mut().zip(&numbers) {
                    to.extend(from.map(|c| c.number(row).unwrap_or(f64::NAN)));
                }
                for (to, from) in s.integers.iter_mut().zip(&integers) {
                    to.extend(from.map(|c| c.integer(row).unwrap_or_default()));
                }
            }
        }
        Ok(series)
    }

    fn rules(&self, options: &CheckOptions) -> Rules {
        let period = match self.manifest.period() {
            Some(Period::Fixed(n)) => BarPeriod::Fixed(n),
            _ => BarPeriod::Session,
        };
        Rules {
            calendar: options.calendar.unwrap_or_else(|| self.manifest.calendar()),
            period,
            may_be_negative: self.manifest.allow_negative,
            bounds: options.bounds,
        }
    }

    fn check_all_bars(&self, options: &CheckOptions) -> Result<Vec<Checked>, DatasetError> {
        let rules = self.rules(options);
        if self.manifest.shape.wide {
            return self.check_wide_bars(&rules);
        }
        const SIDES: [(&str, [&str; 4], &str); 4] = [
            ("close", ["open", "high", "low", "close"], "volume"),
            ("adjusted close", ["adj_open", "adj_high", "adj_low", "adj_close"], "adj_volume"),
            ("bid", ["bid_open", "bid_high", "bid_low", "bid_close"], "bid_size"),
            ("ask", ["ask_open", "ask_high", "ask_low", "ask_close"], "ask_size"),
        ];
        let sides: Vec<_> = SIDES.iter().filter(|(_, columns, _)| self.has(columns[3])).collect();
        let prices: Vec<&str> = sides.iter().flat_map(|(_, columns, _)| *columns).collect();
        let series = self.gather(&Wanted { time: "start", prices: &prices, numbers: &["volume"], integers: &[] })?;
        let place = |name: &str| prices.iter().position(|p| *p == name);
        let mut out = Vec::new();
        for s in &series {
            for (at, (what, columns, volume)) in sides.iter().enumerate() {
                let [open, high, low, close] = columns.map(|c| place(c).map(|at| s.price(at)).unwrap_or_default());
                let volume = if *volume == "volume" { s.number(0) } else { &[] };
                let mut findings = check_bars(&BarColumns { starts: &s.times, open, high, low, close, volume }, &rules);
                if at > 0 {
                    // What is true of the rows was said with the first price.
                    findings.forget(&[
                        Check::Gap,
                        Check::Duplicate,
                        Check::Disorder,
                        Check::OffSession,
                        Check::TimeZone,
                    ]);
                }
                out.push(Checked::new(s, what, findings));
            }
            if let (Some(bid), Some(ask)) = (place("bid_close"), place("ask_close")) {
                let none: &[f64] = &[];
                let quotes =
                    QuoteColumns { ts: &s.times, bid: s.price(bid), ask: s.price(ask), bid_size: none, ask_size: none };
                let mut findings = check_quotes(&quotes, rules.may_be_negative);
                let own = [Check::Crossed, Check::Locked, Check::Missing];
                let others: Vec<Check> = Check::ALL.iter().map(|c| c.0).filter(|c| !own.contains(c)).collect();
                findings.forget(&others);
                out.push(Checked::new(s, "bid and ask", findings));
            }
        }
        let mut whole = Findings::default();
        between(&series, place("close").or(place("bid_close")), &mut whole);
        if let (Some(bid), Some(ask)) = (place("bid_close"), place("ask_close"))
            && rules.period == BarPeriod::Session
            && self.manifest.facts.venue_zones.is_empty()
        {
            days_apart(&series, bid, ask, &mut whole);
        }
        if whole.counts.iter().any(|n| *n > 0) {
            let rows = series.iter().map(|s| s.times.len()).sum();
            out.push(Checked {
                series: String::new(),
                what: "between series".into(),
                rows,
                findings: whole,
                lines: vec![],
            });
        }
        Ok(out)
    }

    /// A column of closes a series.
    fn check_wide_bars(&self, rules: &Rules) -> Result<Vec<Checked>, DatasetError> {
        let columns: Vec<&str> =
            self.manifest.columns.iter().filter(|c| c.role == Role::Series).map(|c| c.name.as_str()).collect();
        let series = self.gather(&Wanted { time: "start", prices: &columns, numbers: &[], integers: &[] })?;
        let check = |(s, (at, name)): (&Series, (usize, &&str))| {
            let close = s.price(at);
            let bars = BarColumns { starts: &s.times, open: &[], high: &[], low: &[], close, volume: &[] };
            Checked { series: (*name).to_owned(), ..Checked::new(s, "close", check_bars(&bars, rules)) }
        };
        Ok(series.iter().flat_map(|s| columns.iter().enumerate().map(move |c| (s, c))).map(check).collect())
    }

    fn check_quotes(&self) -> Result<Vec<Checked>, DatasetError> {
        let clock = self.has("exch_ts");
        let numbers = ["bid_size", "ask_size"];
        let wanted = Wanted { time: "known_at", prices: &["bid", "ask"], numbers: &numbers, integers: &[] };
        let mut out = Vec::new();
        let happened = if clock { self.exchange_times()? } else { BTreeMap::new() };
        for s in &self.gather(&wanted)? {
            let (bid, ask) = (s.price(0), s.price(1));
            let quotes = QuoteColumns { ts: &s.times, bid, ask, bid_size: s.number(0), ask_size: s.number(1) };
            let mut findings = check_quotes(&quotes, self.manifest.allow_negative);
            two_clocks(s, &happened, &mut findings);
            out.push(Checked::new(s, "bid and ask", findings));
        }
        Ok(out)
    }

    fn check_trades(&self) -> Result<Vec<Checked>, DatasetError> {
        let wanted = Wanted { time: "known_at", prices: &["price"], numbers: &["size"], integers: &["trade_id"] };
        let happened = if self.has("exch_ts") { self.exchange_times()? } else { BTreeMap::new() };
        let mut out = Vec::new();
        for s in &self.gather(&wanted)? {
            let id = s.integers.first().map(Vec::as_slice).unwrap_or_default();
            let trades = TradeColumns { ts: &s.times, price: s.price(0), size: s.number(0), id };
            let mut findings = check_trades(&trades);
            two_clocks(s, &happened, &mut findings);
            out.push(Checked::new(s, "price", findings));
        }
        Ok(out)
    }

    /// The venue's own time of each line.
    fn exchange_times(&self) -> Result<BTreeMap<i64, Timestamp>, DatasetError> {
        let mut times = BTreeMap::new();
        for chunk in self.read(&["line", "exch_ts"])? {
            let chunk = chunk?;
            let (line, time) = (chunk.column("line"), chunk.column("exch_ts"));
            for row in 0..chunk.rows() {
                times.extend(line.and_then(|c| c.integer(row)).zip(time.and_then(|c| c.time(row))));
            }
        }
        Ok(times)
    }

    fn check_table(&self) -> Result<Vec<Checked>, DatasetError> {
        let columns: Vec<&str> = self
            .manifest
            .columns
            .iter()
            .filter(|c| c.kind == StoredType::Number && c.role != Role::Derived)
            .map(|c| c.name.as_str())
            .collect();
        let time = ["date", "ts"].into_iter().find(|c| self.has(c)).unwrap_or("known_at");
        let series = self.gather(&Wanted { time, prices: &[], numbers: &columns, integers: &[] })?;
        let check =
            |(s, (at, name)): (&Series, (usize, &&str))| Checked::new(s, name, check_values(&s.times, s.number(at)));
        Ok(series.iter().flat_map(|s| columns.iter().enumerate().map(move |c| (s, c))).map(check).collect())
    }

    /// Row by row: crossed quotes, numbers that cannot be, contracts quoted after their expiry.
    fn check_chain(&self) -> Result<Vec<Checked>, DatasetError> {
        let mut findings = Findings::default();
        let mut lines = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for chunk in self.read(&[])? {
            let chunk = chunk?;
            for row in 0..chunk.rows() {
                let at = lines.len();
                let column = |name: &str| chunk.column(name);
                lines.push(column("line").and_then(|c| c.integer(row)).unwrap_or_default());
                let price = |name: &str| column(name).and_then(|c| c.price(row));
                let number = |name: &str| column(name).and_then(|c| c.number(row));
                if let Some((bid, ask)) = price("bid").zip(price("ask")) {
                    if bid > ask {
                        findings.note(Check::Crossed, Some(at), || format!("bid {bid} is above ask {ask}"));
                    } else if bid == ask {
                        findings.note(Check::Locked, Some(at), || format!("bid and ask are {bid}"));
                    }
                }
                for name in ["bid", "ask", "last", "strike", "underlying_price"] {
                    if let Some(p) = price(name).filter(|p| p.nano() < 0) {
                        findings.note(Check::Impossible, Some(at), || format!("{name} {p}"));
                    }
                }
                for (name, least, most) in [
                    ("implied_vol", 0.0, 10.0),
                    ("delta", -1.0, 1.0),
                    ("volume", 0.0, f64::MAX),
                    ("open_interest", 0.0, f64::MAX),
                ] {
                    if let Some(x) = number(name).filter(|x| !(least..=most).contains(x)) {
                        findings.note(Check::Bounds, Some(at), || format!("{name} {x}"));
                    }
                }
                let quoted = column("ts").and_then(|c| c.time(row)).map(|t| t.date());
                let quoted = column("date").and_then(|c| c.date(row)).or(quoted);
                let expiry = column("expiration").and_then(|c| c.date(row));
                if let Some((quoted, expiry)) = quoted.zip(expiry).filter(|(q, e)| q > e) {
                    findings.note(Check::Bounds, Some(at), || format!("quoted on {quoted}, expired on {expiry}"));
                }
                let text = |name: &str| column(name).map(|c| c.show(row)).unwrap_or_default();
                let key = ["underlying", "expiration", "strike", "right", "date", "ts", "symbol"].map(text);
                if !seen.insert(key) {
                    findings.note(Check::Duplicate, Some(at), || "the same contract at the same time".to_owned());
                }
            }
        }
        let rows = lines.len();
        Ok(vec![Checked { series: String::new(), what: "contracts".into(), rows, findings, lines }])
    }

    /// What the kind of the data as such brings with it.
    fn check_whole(&self) -> Result<Findings, DatasetError> {
        let m = &self.manifest;
        let mut found = Findings::default();
        if m.kind == Kind::Snapshot {
            let date = m.facts.snapshot.as_deref().unwrap_or("?");
            found.note(Check::Snapshot, None, || {
                format!("it shows what existed on {date}: what was gone by then is missing, and nothing in it was known before")
            });
        }
        if m.kind == Kind::Table && matches!(m.period(), Some(Period::Month | Period::Quarter | Period::Year)) {
            found.note(Check::Revised, None, || {
                "series by month, quarter or year are often revised after they are published; the lag does not undo that"
                    .to_owned()
            });
        }
        if m.kind == Kind::Text {
            for column in &m.columns {
                let name = plain_name(column.from.as_deref().unwrap_or(&column.name));
                let future = ["next_", "future", "forward", "fwd", "ahead", "target"].iter().any(|w| name.contains(w));
                if future || name == "label" {
                    found.note(Check::Future, None, || format!("column '{}' ({name})", column.name));
                }
            }
        }
        let keys: &[&str] = match m.kind {
            Kind::Snapshot => &["symbol"],
            Kind::Properties => &["venue", "symbol", "type"],
            Kind::Lexicon => &["token"],
            Kind::Text => &["symbol", "ts", "text"],
            Kind::Actions => &["symbol", "ex_date", "kind"],
            Kind::Messages => return self.order_of_messages(found),
            _ => return Ok(found),
        };
        let keys: Vec<&str> = keys.iter().copied().filter(|c| self.has(c)).collect();
        let mut seen = std::collections::BTreeSet::new();
        let mut rows = 0;
        for chunk in self.read(&keys)? {
            let chunk = chunk?;
            for row in 0..chunk.rows() {
                let key: Vec<String> = chunk.columns().iter().map(|c| c.show(row)).collect();
                if seen.contains(&key) {
                    let text = key.join(", ");
                    let text: String = text.chars().take(80).collect();
                    found.note(Check::Duplicate, Some(rows), || format!("'{text}' again"));
                } else {
                    seen.insert(key);
                }
                rows += 1;
            }
        }
        Ok(found)
    }

    fn order_of_messages(&self, mut found: Findings) -> Result<Findings, DatasetError> {
        let mut last: Option<Timestamp> = None;
        let mut rows = 0;
        for chunk in self.read(&["known_at"])? {
            let chunk = chunk?;
            for row in 0..chunk.rows() {
                let ts = chunk.columns().first().and_then(|c| c.time(row));
                if let Some((before, ts)) = last.zip(ts).filter(|(before, ts)| ts < before) {
                    found.note(Check::Disorder, Some(rows), || format!("{ts} comes after {before}"));
                }
                last = ts.max(last);
                rows += 1;
            }
        }
        Ok(found)
    }
}

impl Checked {
    fn new(s: &Series, what: &str, findings: Findings) -> Checked {
        Checked { series: s.name(), what: what.to_owned(), rows: s.times.len(), findings, lines: s.lines.clone() }
    }

    /// The line of the source of a row.
    #[must_use]
    pub fn line(&self, row: Option<usize>) -> Option<i64> {
        self.lines.get(row?).copied().filter(|l| *l > 0)
    }
}

fn two_clocks(s: &Series, happened: &BTreeMap<i64, Timestamp>, findings: &mut Findings) {
    let pairs = s.lines.iter().zip(&s.times).filter_map(|(line, ts)| Some((*ts, *happened.get(line)?)));
    let (received, happened): (Vec<Timestamp>, Vec<Timestamp>) = pairs.unzip();
    if !received.is_empty() {
        check_clock(&received, &happened, findings);
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.retain(|v| v.is_finite());
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Volumes of one asset in two units, and series that stop before the others.
fn between(series: &[Series], price: Option<usize>, found: &mut Findings) {
    let Some(price) = price else { return };
    let closes =
        |s: &Series| median(s.price(price).iter().filter(|p| **p != MISSING).map(|p| *p as f64 / 1e9).collect());
    let volume = |s: &Series| median(s.number(0).iter().copied().filter(|v| *v > 0.0).collect());
    let levels: Vec<_> = series.iter().map(|s| (s.name[2].as_str(), closes(s), volume(s))).collect();
    for (a, b, ratio) in compare_volumes(&levels) {
        if let (Some(a), Some(b)) = (series.get(a), series.get(b)) {
            found.note(Check::VolumeUnit, None, || {
                format!("the median volume of {} is {ratio:.6} times that of {}, at one price", b.name(), a.name())
            });
        }
    }
    let ends: Vec<Option<Timestamp>> = series.iter().map(|s| s.times.iter().max().copied()).collect();
    let first = series.iter().filter_map(|s| s.times.iter().min()).min();
    if let (Some(first), Some(last)) = (first, ends.iter().flatten().max()) {
        let span = last.0.saturating_sub(first.0);
        for (s, end) in series.iter().zip(&ends) {
            if let Some(end) = end.filter(|e| last.0.saturating_sub(e.0) > span / 20 && span > 0) {
                found.note(Check::Gap, None, || format!("{} ends at {end}, others go on to {last}", s.name()));
            }
        }
    }
}

/// Days of one symbol at two venues that end at different hours: their closes are far apart for their spreads.
fn days_apart(series: &[Series], bid: usize, ask: usize, found: &mut Findings) {
    let middle = |s: &Series| -> BTreeMap<i64, (f64, f64)> {
        let sides = s.price(bid).iter().zip(s.price(ask)).filter(|(b, a)| **b != MISSING && **a != MISSING);
        let rows = s.times.iter().zip(sides);
        rows.map(|(t, (b, a))| (t.0.div_euclid(Nanos::DAY.0), ((*b as f64 + *a as f64) / 2.0, (*a - *b).abs() as f64)))
            .collect()
    };
    for (k, a) in series.iter().enumerate() {
        for b in series.iter().skip(k + 1).filter(|b| b.name[2] == a.name[2] && b.name[0] != a.name[0]) {
            let (of_a, of_b) = (middle(a), middle(b));
            let both: Vec<(f64, f64)> =
                of_a.iter().filter_map(|(day, x)| Some(((x.0 - of_b.get(day)?.0).abs(), x.1))).collect();
            let (apart, spread) =
                (median(both.iter().map(|x| x.0).collect()), median(both.iter().map(|x| x.1).collect()));
            if both.len() >= 60 && spread > 0.0 && apart > 5.0 * spread {
                found.note(Check::TimeZone, None, || {
                    format!(
                        "closes of {} and {} differ by {:.0} spreads in the median: their days end at different hours",
                        a.name(),
                        b.name(),
                        apart / spread
                    )
                });
            }
        }
    }
}
