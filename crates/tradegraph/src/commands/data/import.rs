//! `tradegraph data import`: a file becomes a data set of the catalog.

use crate::cli::Context;
use crate::commands::data::{QUARANTINED, datasets, plural};
use crate::failure::{Failure, Kind as FailureKind};
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use tradegraph_domain::{Basis, Currency, Date, Nanos};
use tradegraph_market::calendar::CalendarId;
use tradegraph_store::BarLabel;
use tradegraph_store::dataset::{
    Datasets, DateForm, ImportOptions, KINDS, Kind, Manifest, Outcome, Period, Progress, StoredType, TimeUnit, Zone,
    duration,
};

/// What can be typed behind `data import`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The file: CSV, JSON lines (gzip or not) or Parquet; which of them is seen in its content
    pub file: PathBuf,
    /// Name in the catalog [default: the file's name without its ending]
    #[arg(long)]
    pub name: Option<String>,
    /// What the file holds, where its columns do not say it
    #[arg(long, value_parser = PossibleValuesParser::new(KINDS.iter().map(|k| k.name)))]
    pub kind: Option<String>,
    /// Symbol of a file with one series
    #[arg(long)]
    pub symbol: Option<String>,
    /// Venue of a file without a column of venues
    #[arg(long)]
    pub venue: Option<String>,
    /// Only these symbols
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    pub symbols: Option<Vec<String>>,
    /// Whose sessions the dates are: XNYS, FX, FX UTC-05, 24/5, 24/7
    #[arg(long, value_parser = calendar)]
    pub calendar: Option<CalendarId>,
    /// What the prices contain [default: raw]
    #[arg(long, value_parser = basis)]
    pub basis: Option<Basis>,
    /// Prices × 10^N are prices in the currency: -2 for pence
    #[arg(long, value_name = "N", default_value_t = 0, allow_hyphen_values = true)]
    pub scale: i8,
    /// What the time of a bar marks: start or end [default: start]
    #[arg(long, value_parser = label)]
    pub label: Option<BarLabel>,
    /// Length of a bar or period: session, 1m, 1h, month, quarter, year
    #[arg(long, value_parser = period)]
    pub period: Option<Period>,
    /// How long after the end of its bar or period a row is known: 30d, 45m
    #[arg(long, value_parser = lag, default_value = "0s")]
    pub lag: Nanos,
    /// The day on which a snapshot was taken
    #[arg(long, value_parser = date, value_name = "YYYY-MM-DD")]
    pub snapshot: Option<Date>,
    /// Unit of integer times: s, ms, us, ns
    #[arg(long, value_parser = time_unit)]
    pub time_unit: Option<TimeUnit>,
    /// Zone of times without an offset, and of the days that dates are: UTC, -05:00, America/New_York
    #[arg(long, value_parser = zone, allow_hyphen_values = true)]
    pub zone: Option<Zone>,
    /// Zone of the days of one venue; may be repeated
    #[arg(long, value_name = "VENUE=ZONE", value_parser = pair)]
    pub venue_zone: Vec<(String, String)>,
    /// How dates are written: iso, compact, day-first, month-first
    #[arg(long, value_parser = date_form)]
    pub dates: Option<DateForm>,
    /// What separates fields: comma, semicolon, tab, pipe
    #[arg(long, value_parser = delimiter)]
    pub delimiter: Option<u8>,
    /// What separates decimals: dot or comma
    #[arg(long, value_parser = PossibleValuesParser::new(["dot", "comma"]))]
    pub decimal: Option<String>,
    /// Texts that mark a missing value, besides the empty one
    #[arg(long, value_delimiter = ',', value_name = "NA,-")]
    pub missing: Vec<String>,
    /// Names of the columns of a file without a header
    #[arg(long, value_delimiter = ',', value_name = "A,B,C")]
    pub header: Option<Vec<String>>,
    /// What a column is, where its name does not say it; may be repeated
    #[arg(long, value_name = "COLUMN=ROLE", value_parser = pair)]
    pub column: Vec<(String, String)>,
    /// Columns that are not read
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    pub ignore: Vec<String>,
    /// What the values of an unknown column are: price, number, integer, time, date, name, text; may be repeated
    #[arg(long = "type", value_name = "COLUMN=TYPE", value_parser = pair)]
    pub types: Vec<(String, String)>,
    /// Currency of the prices
    #[arg(long, value_parser = currency)]
    pub currency: Option<Currency>,
    /// Prices may be zero or below
    #[arg(long)]
    pub allow_negative: bool,
    /// Where the file comes from and under which licence, for people
    #[arg(long)]
    pub origin: Option<String>,
    /// Take the place of a data set of the same name
    #[arg(long)]
    pub replace: bool,
    /// Read and check everything, write nothing
    #[arg(long)]
    pub dry_run: bool,
}

fn calendar(text: &str) -> Result<CalendarId, String> {
    let all = CalendarId::ALL.map(CalendarId::name).join(", ");
    CalendarId::parse(text).ok_or_else(|| format!("no such calendar; there are {all} and FX UTC-12 to FX UTC+14"))
}

fn basis(text: &str) -> Result<Basis, String> {
    let all = Basis::ALL.map(|(_, name)| name).join(", ");
    Basis::ALL.iter().find(|(_, name)| *name == text).map(|(b, _)| *b).ok_or_else(|| format!("one of {all}"))
}

fn label(text: &str) -> Result<BarLabel, String> {
    match text {
        "start" => Ok(BarLabel::Start),
        "end" => Ok(BarLabel::End),
        _ => Err("start or end".to_owned()),
    }
}

fn period(text: &str) -> Result<Period, String> {
    Period::parse(text).ok_or_else(|| "session, month, quarter, year, or a length such as 15m or 1h".to_owned())
}

fn lag(text: &str) -> Result<Nanos, String> {
    duration(text).ok_or_else(|| "a length of time such as 30d, 12h or 45m".to_owned())
}

fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "a date such as 2024-01-31".to_owned())
}

fn time_unit(text: &str) -> Result<TimeUnit, String> {
    match text {
        "s" => Ok(TimeUnit::Seconds),
        "ms" => Ok(TimeUnit::Millis),
        "us" => Ok(TimeUnit::Micros),
        "ns" => Ok(TimeUnit::Nanos),
        _ => Err("s, ms, us or ns".to_owned()),
    }
}

fn zone(text: &str) -> Result<Zone, String> {
    Zone::parse(text).ok_or_else(|| "UTC, a distance such as -05:00, or a name such as Europe/London".to_owned())
}

fn date_form(text: &str) -> Result<DateForm, String> {
    match text {
        "iso" => Ok(DateForm::Iso),
        "compact" => Ok(DateForm::Compact),
        "day-first" => Ok(DateForm::DayFirst),
        "month-first" => Ok(DateForm::MonthFirst),
        _ => Err("iso, compact, day-first or month-first".to_owned()),
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "comma" | "," => Ok(b','),
        "semicolon" | ";" => Ok(b';'),
        "tab" | "\t" => Ok(b'\t'),
        "pipe" | "|" => Ok(b'|'),
        _ => Err("comma, semicolon, tab or pipe".to_owned()),
    }
}

fn currency(text: &str) -> Result<Currency, String> {
    Currency::parse(text).ok_or_else(|| "three capital letters such as USD".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| "two words with = between them".to_owned())?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl Arguments {
    fn options(&self) -> Result<ImportOptions, Failure> {
        let wrong = |option: &str, text: &str, expected: String| {
            Failure::new(FailureKind::Usage, format!("--{option} {text}: {expected}"))
        };
        let zones = self.venue_zone.iter().map(|(venue, text)| match zone(text) {
            Ok(zone) => Ok((venue.clone(), zone)),
            Err(e) => Err(wrong("venue-zone", text, e)),
        });
        let types = self.types.iter().map(|(column, text)| {
            let all = [
                ("price", StoredType::Price),
                ("number", StoredType::Number),
                ("integer", StoredType::Integer),
                ("time", StoredType::Time),
                ("date", StoredType::Date),
                ("name", StoredType::Name),
                ("text", StoredType::Text),
            ];
            let found = all.iter().find(|(name, _)| name == text).map(|(_, t)| (column.clone(), *t));
            found.ok_or_else(|| wrong("type", text, format!("one of {}", all.map(|(name, _)| name).join(", "))))
        });
        Ok(ImportOptions {
            name: self.name.clone(),
            kind: self.kind.as_deref().and_then(Kind::parse),
            symbol: self.symbol.clone(),
            venue: self.venue.clone(),
            symbols: self.symbols.clone(),
            calendar: self.calendar,
            basis: self.basis,
            price_exponent: self.scale,
            label: self.label,
            period: self.period,
            lag: self.lag,
            snapshot: self.snapshot,
            time_unit: self.time_unit,
            zone: self.zone.clone(),
            venue_zones: zones.collect::<Result<_, _>>()?,
            dates: self.dates,
            delimiter: self.delimiter,
            decimal_comma: self.decimal.as_deref().map(|d| d == "comma"),
            missing: self.missing.clone(),
            header: self.header.clone(),
            roles: self.column.iter().cloned().collect(),
            ignore: self.ignore.clone(),
            types: types.collect::<Result<_, _>>()?,
            currency: self.currency,
            allow_negative: self.allow_negative,
            origin: self.origin.clone(),
            replace: self.replace,
            line_limit: 0,
        })
    }
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let options = arguments.options()?;
    let out = context.out;
    let bar = out.bar(0);
    let mut progress = |p: Progress| {
        bar.set_length(p.bytes_total);
        bar.set_position(p.bytes_done.min(p.bytes_total));
        bar.set_message(match p.pass {
            1 => format!("{} rows", p.rows),
            n => format!("{} rows, pass {n}", p.rows),
        });
    };
    let report = if arguments.dry_run {
        Datasets::inspect(&arguments.file, &options, &mut progress)
    } else {
        datasets(context)?.import(&arguments.file, &options, &mut progress)
    };
    bar.finish_and_clear();
    let report = report?;
    let manifest = &report.manifest;
    let word = match &report.outcome {
        Outcome::DryRun => "would be imported".to_owned(),
        Outcome::Added => "imported".to_owned(),
        Outcome::Unchanged => "was there already: nothing changed".to_owned(),
        Outcome::KnownAs(name) => format!("is there already as '{name}': nothing changed"),
        Outcome::Replaced(id) => format!("took the place of {}", id.short()),
    };
    out.say(&text(manifest, &word));
    if let Some(path) = &report.quarantine {
        out.say(&format!("quarantine    {}", path.display()));
    }
    if !arguments.dry_run {
        out.say(&format!("try next      tradegraph data check {}", manifest.name));
    }
    out.result(&json!({
        "outcome": word,
        "quarantine": report.quarantine.as_ref().map(|p| p.display().to_string()),
        "manifest": serde_json::to_value(manifest).unwrap_or(Value::Null),
    }));
    Ok(if manifest.has_losses() { ExitCode::from(QUARANTINED) } else { ExitCode::SUCCESS })
}

/// What was made, for people.
fn text(m: &Manifest, word: &str) -> String {
    let mut lines = vec![format!("{:<13} {word} ({}: {})", m.name, m.kind, m.kind_why)];
    let mut line = |name: &str, text: String| lines.push(format!("{name:<13} {text}"));
    let r = &m.rows;
    let mut rows = format!("{} read, {} kept", r.read, r.kept);
    for (n, what) in [(r.quarantined, "in quarantine"), (r.filtered, "of other symbols")] {
        if n > 0 {
            rows += &format!(", {n} {what}");
        }
    }
    if r.cells_left_out > 0 {
        rows += &format!("; {} left out", plural(r.cells_left_out, "cell"));
    }
    line("rows", rows);
    line("series", super::series_text(m));
    if let Some((first, last)) = m.span() {
        line("period", format!("{first} to {last}"));
    }
    line("known", m.known_at_words.clone());
    for (at, assumed) in m.assumed.iter().enumerate() {
        line(if at == 0 { "assumed" } else { "" }, assumed.clone());
    }
    for (at, note) in m.shape.notes.iter().enumerate() {
        line(if at == 0 { "noted" } else { "" }, note.clone());
    }
    for (at, (reason, n)) in m.problems.iter().enumerate() {
        line(if at == 0 { "problems" } else { "" }, format!("{n} × {reason}"));
    }
    for problem in m.first_problems.iter().take(3) {
        line("", format!("{}:{problem}", m.source.file));
    }
    line("content", m.id.clone());
    lines.join("\n")
}
