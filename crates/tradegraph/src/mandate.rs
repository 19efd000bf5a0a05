//! A mandate: one TOML file that says what a run trades, how, and within which limits. Numbers are read as exact
//! decimals. Left out: everything about a home or a process (see the command line).

mod agents;
mod compute;
mod config;
mod costs;
mod council;
mod data;
pub mod fault;
mod limits;
mod reader;

pub use config::Feeds;
pub use costs::FinancingPart;
pub use data::{Feed, LoadedData, Unchecked, checked, load, load_unchecked};

use crate::failure::{Failure, Kind};
use agents::{AgentPart, agents};
pub use council::CouncilPart;
use fault::Fault;
use reader::{Document, Item, Section};
use std::path::{Path, PathBuf};
use toml::de::DeTable;
use tradegraph_controls::{AccountKind, Limits, RiskCaps};
use tradegraph_domain::{AgentId, AssetClass, Basis, Currency, Date, Money, NANO, Nanos, Price, Quantity};
use tradegraph_engine::{ComputeBudget, ExitRules, OwnAgent, RecordLevel};
use tradegraph_execution::Frictions;
use tradegraph_market::actions::Derivation;
use tradegraph_market::calendar::CalendarId;
use tradegraph_portfolio::DirectSize;
use tradegraph_store::BarLabel;
use tradegraph_store::dataset::BatchPrice;

/// Largest mandate that is read.
const MAX_BYTES: u64 = 1 << 20;
/// Rows of the busiest feed between two snapshots, unless the mandate says otherwise.
const SNAPSHOT_ROWS: u32 = 50_000;

/// Where bars come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Part of the binary.
    Sample(&'static str),
    /// A file, as the user wrote it.
    Path(String),
    /// A data set of the home's catalog.
    Catalog(String),
}

/// One `[[data]]` entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataPart {
    /// Name by which agents and schedules mean it.
    pub name: String,
    /// Where the bars come from.
    pub source: Source,
    /// Instruments; all of the file if `None`.
    pub symbols: Option<Vec<String>>,
    /// Whose sessions the dates are; what the data set says if `None`.
    pub calendar: Option<CalendarId>,
    /// What the prices contain; what the data set says if `None`.
    pub basis: Option<Basis>,
    /// Which column is the close.
    pub price: BatchPrice,
    /// Venue and segment of a data set with several.
    pub venue: Option<String>,
    /// Spot, perpetual…
    pub segment: Option<String>,
    /// Where splits and dividends come from.
    pub actions: ActionSource,
    /// Length of the bars of a `ts` file.
    pub period: Option<Nanos>,
    /// What a `ts` marks.
    pub label: BarLabel,
    /// True for series whose prices may be zero or below.
    pub allow_negative: bool,
    /// Whether bars that fail a quality check are marked.
    pub checks: bool,
    /// First and last date.
    pub dates: (Option<Date>, Option<Date>),
    /// Kind of the instruments, unless `[instruments]` says otherwise.
    pub class: AssetClass,
}

/// Where the corporate actions of a feed come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionSource {
    /// There are none.
    None,
    /// The steps between raw and adjusted closes of the same source.
    Derived(Derivation),
    /// The columns of dividends and split factors of the same data set.
    Columns,
    /// A data set of actions.
    Catalog(String),
}

/// What `[instruments]` says, for all or for one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstrumentPart {
    lot: Option<Quantity>,
    tick: Option<Price>,
    class: Option<AssetClass>,
    currency: Option<Currency>,
    venue: Option<String>,
    sector: Option<String>,
    locate: Option<Quantity>,
}

/// When the council decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchedulePart {
    /// When bars of an entry of `[[data]]` become known, by its place.
    Bars(usize),
    /// At the close of a calendar.
    Close(CalendarId),
    /// At every multiple of a length of time.
    Every(Nanos),
}

/// How signals become targets.
#[derive(Clone, Debug, PartialEq)]
pub enum AllocatorPart {
    /// A fixed quantity or weight.
    Direct(DirectSize),
    /// The council's fusion.
    Council(CouncilPart),
}

/// A mandate that was read and checked. `Debug` is its canonical form: equal mandates print alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Mandate {
    /// Name for people.
    pub name: String,
    /// Seed of all random streams.
    pub seed: u64,
    /// Currency of the account.
    pub base: Currency,
    /// Cash at the start.
    pub cash: Money,
    /// Business days to settlement.
    pub settlement_days: Option<u8>,
    /// Feeds.
    pub data: Vec<DataPart>,
    instruments: InstrumentPart,
    overrides: Vec<(String, InstrumentPart)>,
    /// When the council decides.
    pub schedule: SchedulePart,
    agents: Vec<AgentPart>,
    /// How much work the strategies of one decision may do; `None` for as much as they want.
    pub compute: Option<ComputeBudget>,
    /// How signals become targets.
    pub allocator: AllocatorPart,
    /// Whether positions may be short.
    pub allow_short: bool,
    /// The risk manager's caps.
    pub caps: RiskCaps,
    /// The gate's limits.
    pub limits: Limits,
    /// What trading costs.
    pub frictions: Frictions,
    /// What nights cost and earn.
    pub financing: Option<FinancingPart>,
    /// Stops that protect positions.
    pub exits: Option<ExitRules>,
    /// What is recorded.
    pub record: RecordLevel,
    /// Rows between snapshots.
    pub snapshot_rows: u32,
}

/// The text of a mandate with the name that messages give it and the folder that its paths start from.
#[derive(Clone, Debug)]
pub struct MandateText {
    /// Name for messages.
    pub file: String,
    /// The TOML.
    pub text: String,
    /// Where relative paths start.
    pub folder: PathBuf,
}

impl MandateText {
    /// Reads a file, or the embedded mandate that `sample:NAME` means.
    pub fn read(path: &str) -> Result<MandateText, Failure> {
        if let Some(name) = path.strip_prefix("sample:") {
            let text = crate::samples::mandate(name).ok_or_else(|| {
                let known: Vec<_> = crate::samples::MANDATES.iter().map(|(n, _)| *n).collect();
                Failure::new(Kind::NotFound, format!("there is no embedded mandate 'sample:{name}'"))
                    .next(format!("choose one of sample:{}", known.join(", sample:")))
            })?;
            return Ok(MandateText { file: path.to_owned(), text: text.to_owned(), folder: PathBuf::from(".") });
        }
        let missing = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::NotFound => Failure::new(Kind::NotFound, format!("{path}: there is no such file"))
                .next("write a starter mandate with: tradegraph init"),
            _ => Failure::new(Kind::Failed, format!("{path}: the file cannot be read: {e}")),
        };
        let about = std::fs::metadata(path).map_err(missing)?;
        if about.is_dir() {
            return Err(Failure::new(Kind::Input, format!("{path}: this is a folder")).next("name one mandate file"));
        }
        if about.len() > MAX_BYTES {
            let what = format!("{path}: {} bytes are no mandate (at most {MAX_BYTES})", about.len());
            return Err(Failure::new(Kind::Input, what).next("bars belong into a CSV file that the mandate names"));
        }
        let bytes = std::fs::read(path).map_err(missing)?;
        let text = String::from_utf8(bytes).map_err(|e| {
            let at = e.utf8_error().valid_up_to();
            Failure::new(Kind::Input, format!("{path}: byte {at} is not UTF-8")).next("a mandate is a TOML text file")
        })?;
        let folder = Path::new(path).parent().unwrap_or(Path::new(".")).to_owned();
        Ok(MandateText { file: path.to_owned(), text, folder })
    }

    /// Reads and checks the mandate.
    pub fn parse(&self) -> Result<Mandate, Failure> {
        Ok(Mandate::parse(&self.file, &self.text)?)
    }
}

impl Mandate {
    /// Reads a mandate. Files that it names are not opened.
    pub fn parse(file: &str, text: &str) -> Result<Mandate, Fault> {
        Mandate::parse_with(file, text, crate::own::agents())
    }

    /// Reads a mandate for a program with these own agents.
    pub fn parse_with(file: &str, text: &str, own: &[OwnAgent]) -> Result<Mandate, Fault> {
        let document = Document { file, text };
        let table = DeTable::parse(text).map_err(|e| {
            let at = e.span().map_or(0, |s| s.start);
            document.fault(at, format!("this is not TOML: {}", e.message().trim()))
        })?;
        let known = [
            "name",
            "seed",
            "account",
            "data",
            "instruments",
            "schedule",
            "agents",
            "compute",
            "allocator",
            "risk",
            "limits",
            "breakers",
            "costs",
            "financing",
            "exits",
            "record",
        ];
        let root = Section::root(document, &table).knows(&known)?;
        let (base, cash, settlement_days, kind) = account(&root.need("account")?.section()?)?;
        let data = root.need("data")?.list()?;
        if data.is_empty() || data.len() > 64 {
            return Err(root.need("data")?.fault("needs 1 to 64 entries"));
        }
        let data = data.iter().map(|item| data_part(&item.section()?)).collect::<Result<Vec<_>, _>>()?;
        for (i, part) in data.iter().enumerate() {
            if data.iter().take(i).any(|p| p.name == part.name) {
                let what = format!("has two entries called '{}'; give one a `name` of its own", part.name);
                return Err(root.need("data")?.fault(what));
            }
        }
        let (instruments, overrides) = instruments(root.section("instruments")?)?;
        let (allocator, allow_short) = allocator(&root.need("allocator")?.section()?)?;
        if kind == AccountKind::Cash && allow_short {
            let item = root.need("allocator")?.section()?.need("allow_short")?;
            return Err(item.fault("needs a margin account: a cash account cannot be short (12 CFR 220.8, 220.12(c))"));
        }
        let frictions = costs::costs(root.section("costs")?)?;
        let mut gate = limits::limits(root.section("limits")?, allow_short, &frictions)?;
        gate.breakers = limits::breakers(root.section("breakers")?)?;
        gate.account = kind;
        let (record, snapshot_rows) = record(root.section("record")?)?;
        let agents = agents(&root.need("agents")?.section()?, &data, own)?;
        let compute = compute::compute(root.section("compute")?, &agents)?;
        if let (Some(_), AllocatorPart::Direct(_)) = (&compute, &allocator) {
            let item = root.need("compute")?;
            return Err(item.fault("needs a council: with allocator.kind = \"direct\" every agent runs"));
        }
        Ok(Mandate {
            name: root.need("name")?.name()?,
            seed: match root.get("seed") {
                Some(seed) => seed.integer(0..=i64::MAX)?.unsigned_abs(),
                None => 1,
            },
            base,
            cash,
            settlement_days,
            schedule: schedule(root.section("schedule")?, &data)?,
            agents,
            compute,
            data,
            instruments,
            overrides,
            allocator,
            allow_short,
            caps: risk(root.section("risk")?)?,
            limits: gate,
            frictions,
            financing: costs::financing(root.section("financing")?)?,
            exits: costs::exits(root.section("exits")?)?,
            record,
            snapshot_rows,
        })
    }

    /// The name by which the mandate means an agent.
    pub fn node(&self, id: AgentId) -> &'static str {
        self.agents.iter().find(|part| part.config.id() == id).map_or("an agent", AgentPart::node)
    }

    /// A hash of what the mandate decides, without its name and what it records: equal for two texts that differ in
    /// comments or layout.
    pub fn fingerprint(&self) -> [u8; 32] {
        let same =
            Mandate { name: String::new(), record: RecordLevel::Reasons, snapshot_rows: SNAPSHOT_ROWS, ..self.clone() };
        *blake3::hash(format!("{same:?}").as_bytes()).as_bytes()
    }
}

fn account(section: &Section<'_>) -> Result<(Currency, Money, Option<u8>, AccountKind), Fault> {
    let section = section.clone().knows(&["currency", "cash", "settlement", "kind"])?;
    let base = match section.get("currency") {
        Some(c) => c.currency()?,
        None => Currency::USD,
    };
    // A thousand billion billion at 1e-9 leaves room for sums in 128 bits.
    let cash = section.need("cash")?.decimal(1..=10_i128.pow(30), "an amount above 0, up to 1e21")?;
    let settlement = match section.get("settlement") {
        None => None,
        Some(item) => {
            item.one_of(&[(None, "immediate"), (Some(0), "T+0"), (Some(1), "T+1"), (Some(2), "T+2"), (Some(3), "T+3")])?
        }
    };
    let kind = match section.get("kind") {
        None => AccountKind::Unrestricted,
        Some(item) => {
            let kind = item.one_of(&AccountKind::ALL)?;
            if kind == AccountKind::Cash && settlement.is_none() {
                let what = "\"cash\" needs `settlement`: what has not settled cannot be spent";
                return Err(item.fault(what).next("give settlement = \"T+1\" (United States since 2024-05-28)"));
            }
            if kind == AccountKind::Margin && base != Currency::USD {
                return Err(item.fault("\"margin\" is by rules of the United States: the account must be in USD"));
            }
            kind
        }
    };
    Ok((base, Money::from_nano(cash, base), settlement, kind))
}

/// Columns that can be the close.
const PRICES: [(BatchPrice, &str); 5] = [
    (BatchPrice::Close, "close"),
    (BatchPrice::AdjClose, "adj_close"),
    (BatchPrice::Bid, "bid"),
    (BatchPrice::Ask, "ask"),
    (BatchPrice::Mid, "mid"),
];

fn data_part(section: &Section<'_>) -> Result<DataPart, Fault> {
    let known = [
        "name",
        "source",
        "path",
        "symbols",
        "calendar",
        "basis",
        "price",
        "venue",
        "segment",
        "actions",
        "period",
        "label",
        "allow_negative",
        "checks",
        "from",
        "to",
    ];
    let section = section.clone().knows(&known)?;
    let price = match section.get("price") {
        Some(p) => p.one_of(&PRICES)?,
        None => BatchPrice::Close,
    };
    let (source, sample) = match (section.get("source"), section.get("path")) {
        (Some(source), None) if source.text()?.starts_with("catalog:") => {
            let name = source.text()?.trim_start_matches("catalog:");
            if name.is_empty() {
                return Err(source.fault("names no data set").next("`tradegraph data list` shows the names"));
            }
            (Source::Catalog(name.to_owned()), None)
        }
        (Some(source), None) => {
            let text = source.text()?;
            let found = text.strip_prefix("sample:").and_then(crate::samples::sample);
            let sample = found.ok_or_else(|| {
                let names = || crate::samples::SAMPLES.iter().map(|s| s.name);
                let near = fault::nearest(text.trim_start_matches("sample:"), names());
                let near = near.map(|n| format!("; nearest: 'sample:{n}'")).unwrap_or_default();
                let all: Vec<_> = names().collect();
                source.fault(format!("is no sample: '{text}'{near}")).next(format!(
                    "samples are sample:{}; a data set of yours is `catalog:NAME`, a file `path = \"bars.csv\"`",
                    all.join(", sample:")
                ))
            })?;
            (Source::Sample(sample.name), Some(sample))
        }
        (None, Some(path)) => {
            let text = path.text()?;
            if text.is_empty() || text.contains('\0') {
                return Err(path.fault("names no file"));
            }
            (Source::Path(text.to_owned()), None)
        }
        (Some(_), Some(path)) => return Err(path.fault("and `source` exclude each other: give one of them")),
        (None, None) => {
            return Err(section.fault("an entry of [[data]] needs `source = \"sample:…\"` or `path = \"….csv\"`"));
        }
    };
    let calendar = match (section.get("calendar"), sample) {
        (Some(c), _) => Some(match CalendarId::parse(c.text()?) {
            Some(calendar) => calendar,
            None => c.one_of(&CalendarId::ALL.map(|c| (c, c.name())))?,
        }),
        (None, Some(s)) => Some(s.calendar),
        (None, None) if matches!(source, Source::Catalog(_)) => None,
        (None, None) => {
            return Err(section.fault("an entry of [[data]] with a `path` needs `calendar = \"XNYS\"` or \"24/7\""));
        }
    };
    let basis = match (section.get("basis"), sample) {
        (Some(b), _) => Some(b.one_of(&Basis::ALL)?),
        (None, _) if price == BatchPrice::AdjClose => Some(Basis::TotalReturn),
        (None, Some(s)) => Some(s.basis),
        (None, None) if matches!(source, Source::Catalog(_)) => None,
        (None, None) => Some(Basis::Raw),
    };
    let actions = action_source(&section, &source, sample, price)?;
    for key in ["venue", "segment"] {
        if let Some(item) = section.get(key).filter(|_| !matches!(source, Source::Catalog(_))) {
            return Err(item.fault("chooses among the series of a data set: `source = \"catalog:NAME\"`"));
        }
    }
    if matches!(price, BatchPrice::Bid | BatchPrice::Ask | BatchPrice::Mid) && !matches!(source, Source::Catalog(_)) {
        let item = section.need("price")?;
        return Err(item.fault("of bid and ask needs a data set: import the file, then `source = \"catalog:NAME\"`"));
    }
    let symbols = match section.get("symbols") {
        None => sample.and_then(|s| s.symbol).map(|s| vec![s.to_owned()]),
        Some(item) => {
            let list = item.list()?;
            if list.is_empty() {
                return Err(item.fault("is empty: name at least one instrument, or leave the key out for all"));
            }
            Some(list.iter().map(Item::name).collect::<Result<Vec<_>, _>>()?)
        }
    };
    let date = |key| section.get(key).map(|d| d.date()).transpose();
    let dates = (date("from")?, date("to")?);
    if let (Some(from), Some(to)) = dates
        && from > to
    {
        return Err(section.need("to")?.fault(format!("({to}) is before `from` ({from})")));
    }
    let name = match (section.get("name"), &source) {
        (Some(name), _) => name.name()?,
        (None, Source::Sample(name)) => (*name).to_owned(),
        (None, Source::Catalog(name)) => name.clone(),
        (None, Source::Path(path)) => {
            Path::new(path).file_stem().map_or_else(|| path.clone(), |s| s.to_string_lossy().into_owned())
        }
    };
    Ok(DataPart {
        name,
        source,
        symbols,
        calendar,
        basis,
        price,
        venue: section.get("venue").map(|v| v.name()).transpose()?,
        segment: section.get("segment").map(|v| v.name()).transpose()?,
        actions,
        period: section.get("period").map(|p| p.duration()).transpose()?,
        label: match section.get("label") {
            Some(l) => l.one_of(&[(BarLabel::Start, "start"), (BarLabel::End, "end")])?,
            None => BarLabel::Start,
        },
        allow_negative: section.get("allow_negative").map(|b| b.boolean()).transpose()?.unwrap_or(false),
        checks: section.get("checks").map(|b| b.boolean()).transpose()?.unwrap_or(true),
        dates,
        class: sample.map_or(AssetClass::Equity, |s| s.class),
    })
}

/// Where splits and dividends come from: what the mandate says, else what the sample is known for.
fn action_source(
    section: &Section<'_>,
    source: &Source,
    sample: Option<&crate::samples::Sample>,
    price: BatchPrice,
) -> Result<ActionSource, Fault> {
    let Some(item) = section.get("actions") else {
        let known = sample.and_then(|s| s.actions).filter(|_| price == BatchPrice::Close);
        return Ok(known.map_or(ActionSource::None, ActionSource::Derived));
    };
    let text = item.text()?;
    if let Some(name) = text.strip_prefix("catalog:").filter(|n| !n.is_empty()) {
        return Ok(ActionSource::Catalog(name.to_owned()));
    }
    if let Some((derivation, _)) = Derivation::ALL.iter().find(|(_, name)| *name == text) {
        return Ok(ActionSource::Derived(*derivation));
    }
    match text {
        "none" => Ok(ActionSource::None),
        "columns" if matches!(source, Source::Catalog(_)) => Ok(ActionSource::Columns),
        "columns" => Err(item.fault("of a file need a data set: import it, then `source = \"catalog:NAME\"`")),
        _ => Err(item.fault(format!("is no source of corporate actions: '{text}'")).next(
            "give \"wiki\" or \"yahoo\" (how the adjusted close was made), \"columns\", \"catalog:NAME\" or \"none\"",
        )),
    }
}

const INSTRUMENT_KEYS: [&str; 7] = ["lot", "tick", "class", "currency", "venue", "sector", "locate"];

type Instruments = (InstrumentPart, Vec<(String, InstrumentPart)>);

fn instruments(section: Option<Section<'_>>) -> Result<Instruments, Fault> {
    let Some(section) = section else { return Ok(Default::default()) };
    let mut overrides = Vec::new();
    for (key, item) in section.entries() {
        if item.is_table() {
            overrides
                .push((key.get_ref().clone().into_owned(), instrument(&item.section()?.knows(&INSTRUMENT_KEYS)?)?));
        } else if !INSTRUMENT_KEYS.contains(&key.get_ref().as_ref()) {
            let fault = section.unknown(key, &INSTRUMENT_KEYS);
            return Err(fault.next(
                "[instruments] knows lot, tick, class, currency, venue, sector, locate, and a table for each symbol",
            ));
        }
    }
    Ok((instrument(&section)?, overrides))
}

fn instrument(section: &Section<'_>) -> Result<InstrumentPart, Fault> {
    let units = |key, expected| section.get(key).map(|i| i.decimal(0..=10_i128.pow(18), expected)).transpose();
    let lot = match section.get("lot") {
        Some(lot) => Some(Quantity::from_nano(lot.decimal(1..=10_i128.pow(18), "a quantity above 0, up to 1e9")?)),
        None => None,
    };
    let tick = units("tick", "a price step of 0 (none) or more, up to 1e9")?;
    Ok(InstrumentPart {
        lot,
        tick: tick.and_then(|t| i64::try_from(t).ok()).map(Price::from_nano),
        class: section.get("class").map(|c| c.one_of(&AssetClass::ALL)).transpose()?,
        currency: section.get("currency").map(|c| c.currency()).transpose()?,
        venue: section.get("venue").map(|v| v.name()).transpose()?,
        sector: section.get("sector").map(|v| v.name()).transpose()?,
        locate: match section.get("locate") {
            Some(n) => Some(Quantity::from_nano(n.decimal(0..=10_i128.pow(24), "units of 0 or more, up to 1e15")?)),
            None => None,
        },
    })
}

/// The place of an entry of `[[data]]` by its name.
fn feed_named(item: &Item<'_>, name: &str, data: &[DataPart]) -> Result<usize, Fault> {
    data.iter().position(|d| d.name == name).ok_or_else(|| {
        let known: Vec<_> = data.iter().map(|d| d.name.as_str()).collect();
        item.fault(format!("names no [[data]] entry: '{name}'")).next(format!("the entries are: {}", known.join(", ")))
    })
}

fn schedule(section: Option<Section<'_>>, data: &[DataPart]) -> Result<SchedulePart, Fault> {
    let Some(section) = section else { return Ok(SchedulePart::Bars(0)) };
    let section = section.knows(&["on", "every"])?;
    match (section.get("on"), section.get("every")) {
        (Some(on), None) => {
            let text = on.text()?;
            if text == "bars" {
                return Ok(SchedulePart::Bars(0));
            }
            if let Some(name) = text.strip_prefix("bars ") {
                return feed_named(&on, name.trim(), data).map(SchedulePart::Bars);
            }
            let calendar = text.strip_prefix("close ").and_then(|c| CalendarId::parse(c.trim()));
            calendar.map(SchedulePart::Close).ok_or_else(|| {
                on.fault(format!("must be \"bars\", \"bars NAME\", \"close XNYS\" or \"close 24/7\", found \"{text}\""))
            })
        }
        (None, Some(every)) => every.duration().map(SchedulePart::Every),
        (Some(_), Some(every)) => Err(every.fault("and `on` exclude each other: give one of them")),
        (None, None) => {
            Err(section.fault("[schedule] needs `on = \"bars\"`, `on = \"close XNYS\"` or `every = \"1h\"`"))
        }
    }
}

/// A hundred times the account is far beyond any broker's leverage.
const MAX_SHARE: i64 = 100 * NANO;

fn allocator(section: &Section<'_>) -> Result<(AllocatorPart, bool), Fault> {
    let short = |section: &Section<'_>| section.get("allow_short").map_or(Ok(false), |b| b.boolean());
    match section.need("kind")?.one_of(&[(true, "direct"), (false, "council")])? {
        true => {
            let section = section.clone().knows(&["kind", "quantity", "weight", "allow_short"])?;
            let size = match (section.get("quantity"), section.get("weight")) {
                (Some(q), None) => {
                    let units = q.decimal(1..=10_i128.pow(24), "a quantity above 0, up to 1e15")?;
                    DirectSize::Quantity(Quantity::from_nano(units))
                }
                (None, Some(w)) => DirectSize::WeightNano(
                    w.share(1..=MAX_SHARE, "a share of the account such as \"10%\", above 0, up to \"10000%\"")?,
                ),
                (Some(_), Some(w)) => return Err(w.fault("and `quantity` exclude each other: give one of them")),
                (None, None) => {
                    return Err(section.fault("a direct allocator needs `quantity = \"100\"` or `weight = \"10%\"`"));
                }
            };
            Ok((AllocatorPart::Direct(size), short(&section)?))
        }
        false => Ok((AllocatorPart::Council(council::council(section)?), short(section)?)),
    }
}

/// A share that may be `"off"`.
fn cap(section: &Section<'_>, key: &str) -> Result<Option<i64>, Fault> {
    match section.get(key) {
        Some(item) if !item.is_off() => {
            item.share(0..=MAX_SHARE, "a share of the account such as \"10%\", up to \"10000%\", or \"off\"").map(Some)
        }
        _ => Ok(None),
    }
}

fn risk(section: Option<Section<'_>>) -> Result<RiskCaps, Fault> {
    let Some(section) = section else { return Ok(RiskCaps { position: None, gross: None }) };
    let section = section.knows(&["max_position", "max_gross"])?;
    Ok(RiskCaps { position: cap(&section, "max_position")?, gross: cap(&section, "max_gross")? })
}

fn record(section: Option<Section<'_>>) -> Result<(RecordLevel, u32), Fault> {
    let Some(section) = section else { return Ok((RecordLevel::Reasons, SNAPSHOT_ROWS)) };
    let section = section.knows(&["level", "snapshot_rows"])?;
    let level = match section.get("level") {
        Some(l) => l.one_of(&[
            (RecordLevel::Reasons, "reasons"),
            (RecordLevel::Outcomes, "outcomes"),
            (RecordLevel::Hashes, "hashes"),
        ])?,
        None => RecordLevel::Reasons,
    };
    let rows = match section.get("snapshot_rows") {
        Some(n) => u32::try_from(n.integer(100..=100_000_000)?).unwrap_or(SNAPSHOT_ROWS),
        None => SNAPSHOT_ROWS,
    };
    Ok((level, rows))
}

#[cfg(test)]
mod tests;
