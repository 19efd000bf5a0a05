//! `Reference`: what instruments are, and what they were called when.
//!
//! A symbol is no identity: companies rename, and a symbol that became free goes to another company. So a listing has
//! names with the dates from which they hold, and is found by symbol, venue and date.
//!
//! It is made of the rows of a table (`from_table`), which may have these columns; the second name is that of tables in
//! use elsewhere:
//!
//! | column | | meaning; without it |
//! |---|---|---|
//! | `symbol` | | required; `[*]` or `*` stands for every symbol of its venue and type that has no row |
//! | `venue` | `market` | required |
//! | `class` | `type` | required: a class, or `forex cryptofuture indexoption futureoption` |
//! | `currency` | `quote_currency` | required |
//! | `tick` | `minimum_price_variation` | zero: none |
//! | `lot` | `lot_size` | 1 |
//! | `multiplier` | `contract_multiplier` | 1 |
//! | `calendar` | | XNYS for `usa`, 24/7 for crypto, FX for currencies, else not known |
//! | `id` | | rows of one id, venue and type are names of one instrument |
//! | `from`, `until` | | the first date of the name; the first date on which the instrument no longer traded |
//! | `underlying`, `expiry`, `strike`, `right` | | of contracts; a right is `call` or `put` |
//! | `price_magnifier`, `strike_multiplier` | | prices are quoted in so many parts of the currency; strikes × this are levels of the underlying |
//! | `minimum_order_size` | | smallest order, in whatever the venue counts |
//! | `description`, `market_ticker` | | for people |

use crate::calendar::CalendarId;
use std::collections::BTreeMap;
use tradegraph_domain::{AssetClass, Currency, Date, Instrument, Price, Quantity, Rounding, TradingStatus, parse_nano};

/// The side of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionRight {
    /// To buy.
    Call,
    /// To sell.
    Put,
}

/// A symbol and the first date on which it was the instrument's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The symbol.
    pub symbol: String,
    /// From this date until the next name's.
    pub from: Date,
}

/// One instrument with what is known of it over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The instrument; its symbol is the newest.
    pub instrument: Instrument,
    /// The type that its source gives it: two types of a source may be one class.
    pub kind: String,
    /// When it trades, if that is known.
    pub calendar: Option<CalendarId>,
    /// What a contract is on.
    pub underlying: Option<String>,
    /// The last date of a contract.
    pub expiry: Option<Date>,
    /// The strike of an option.
    pub strike: Option<Price>,
    /// Call or put.
    pub right: Option<OptionRight>,
    /// Prices are quoted in this many parts of the currency (100: cents); 1 for most.
    pub price_magnifier: Quantity,
    /// Strikes times this are levels of the underlying; 1 for most.
    pub strike_multiplier: Quantity,
    /// Smallest order, in whatever the venue counts: units or currency.
    pub minimum_order: Option<Quantity>,
    /// For people.
    pub description: String,
    /// Its symbols, oldest first; never empty.
    pub names: Vec<Name>,
    /// The first date on which it no longer traded.
    pub until: Option<Date>,
}

impl Listing {
    /// Its symbol on a date, if it traded then.
    #[must_use]
    pub fn symbol_on(&self, date: Date) -> Option<&str> {
        let alive = self.until.is_none_or(|until| date < until);
        self.names.iter().rev().find(|n| n.from <= date && alive).map(|n| n.symbol.as_str())
    }

    /// The instrument as it was on a date: with its symbol of then; delisted outside its life.
    #[must_use]
    pub fn instrument_on(&self, date: Date) -> Instrument {
        match self.symbol_on(date) {
            Some(symbol) => {
                Instrument { symbol: symbol.to_owned(), status: TradingStatus::Active, ..self.instrument.clone() }
            }
            None => Instrument { status: TradingStatus::Delisted, ..self.instrument.clone() },
        }
    }
}

/// A cell that is missing or cannot be read, a row that contradicts another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// A column that the table does not know.
    #[error("there is no column '{column}' in a table of instruments")]
    UnknownColumn {
        /// Found.
        column: String,
    },
    /// A column that every table needs, or the same one twice.
    #[error("a table of instruments needs one column '{column}'")]
    MissingColumn {
        /// Needed.
        column: &'static str,
    },
    /// A cell.
    #[error("line {line}, column '{column}': '{found}' is {why}")]
    Cell {
        /// Line of the row in its source.
        line: u64,
        /// Column.
        column: &'static str,
        /// What it says.
        found: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A row with more or fewer cells than the header.
    #[error("line {line} has {found} cells, the header has {expected}")]
    Width {
        /// Line of the row in its source.
        line: u64,
        /// Cells.
        found: usize,
        /// Columns.
        expected: usize,
    },
    /// Two instruments of one symbol at one time.
    #[error("line {line}: '{symbol}' on {venue} is an instrument of line {before} at the same time")]
    Duplicate {
        /// Line of the later row.
        line: u64,
        /// Symbol.
        symbol: String,
        /// Venue.
        venue: String,
        /// Line of the earlier row.
        before: u64,
    },
    /// Rows of one instrument that say different things of it.
    #[error("line {line}, column '{column}': not what line {before} says of the same instrument")]
    Contradiction {
        /// Line of the later row.
        line: u64,
        /// Column.
        column: &'static str,
        /// Line of the earlier row.
        before: u64,
    },
}

/// Why a symbol names no single instrument.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// Nothing of this symbol at this time.
    #[error("'{symbol}' was no instrument on {venue} on {date}")]
    Unknown {
        /// Asked for.
        symbol: String,
        /// Asked for.
        venue: String,
        /// Asked for.
        date: Date,
    },
    /// Several types of instrument.
    #[error("'{symbol}' on {venue} is of several types ({}): name one", kinds.join(", "))]
    Several {
        /// Asked for.
        symbol: String,
        /// Asked for.
        venue: String,
        /// The types.
        kinds: Vec<String>,
    },
}

/// Instruments with their symbols over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    listings: Vec<Listing>,
    /// What holds for symbols without a row: by venue and type.
    wildcards: BTreeMap<(String, String), Listing>,
    /// By symbol and venue: each name's first date, the first date after it, and its listing.
    by_symbol: BTreeMap<(String, String), Vec<Span>>,
}

/// The time in which a symbol was a listing's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    from: Date,
    until: Date,
    listing: usize,
}

/// Columns of a table: their name here, and elsewhere.
const COLUMNS: [(&str, &str); 20] = [
    ("symbol", ""),
    ("venue", "market"),
    ("class", "type"),
    ("currency", "quote_currency"),
    ("tick", "minimum_price_variation"),
    ("lot", "lot_size"),
    ("multiplier", "contract_multiplier"),
    ("calendar", ""),
    ("id", ""),
    ("from", ""),
    ("until", ""),
    ("underlying", ""),
    ("expiry", ""),
    ("strike", ""),
    ("right", ""),
    ("price_magnifier", ""),
    ("strike_multiplier", ""),
    ("minimum_order_size", ""),
    ("description", ""),
    ("market_ticker", ""),
];

/// Types of tables elsewhere that have another name here.
const KINDS: [(&str, AssetClass); 4] = [
    ("forex", AssetClass::Fx),
    ("cryptofuture", AssetClass::Perpetual),
    ("indexoption", AssetClass::Option),
    ("futureoption", AssetClass::Option),
];

impl Reference {
    /// Reads the rows of a table: each with its line in the source, for messages. Rows that cannot be used are left out
    /// and reported; the others are all there.
    ///
    /// # Errors
    /// `TableError` for a header that is unknown, incomplete or has a column twice.
    pub fn from_table<H, R>(header: &[H], rows: R) -> Result<(Reference, Vec<TableError>), TableError>
    where
        H: AsRef<str>,
        R: IntoIterator<Item = (u64, Vec<String>)>,
    {
        let columns = columns(header)?;
        let mut out = Reference::default();
        let mut problems = Vec::new();
        // The line of each listing's first row, and the listing of each id.
        let mut lines: Vec<u64> = Vec::new();
        let mut ids: BTreeMap<(String, String, String), usize> = BTreeMap::new();
        for (line, cells) in rows {
            if cells.len() != header.len() {
                problems.push(TableError::Width { line, found: cells.len(), expected: header.len() });
                continue;
            }
            let row = Row { line, cells: &cells, columns: &columns };
            let added = row.listing().and_then(|listing| out.add(&row, listing, &mut lines, &mut ids));
            problems.extend(added.err());
        }
        Ok((out, problems))
    }

    fn add(
        &mut self,
        row: &Row<'_>,
        listing: Listing,
        lines: &mut Vec<u64>,
        ids: &mut BTreeMap<(String, String, String), usize>,
    ) -> Result<(), TableError> {
        let (symbol, venue) = (listing.instrument.symbol.clone(), listing.instrument.venue.clone());
        let duplicate =
            |before| TableError::Duplicate { line: row.line, symbol: symbol.clone(), venue: venue.clone(), before };
        if symbol == "[*]" || symbol == "*" {
            let key = (venue.clone(), listing.kind.clone());
            if self.wildcards.contains_key(&key) {
                return Err(duplicate(0));
            }
            self.wildcards.insert(key, listing);
            return Ok(());
        }
        let id = row.text("id").map(|id| (id.to_owned(), venue.clone(), listing.kind.clone()));
        let known = id.as_ref().and_then(|id| ids.get(id)).copied();
        let (at, merged) = match known {
            Some(at) => (at, renamed(&self.listings[at], listing, row.line, lines[at])?),
            None => (self.listings.len(), listing),
        };
        // Every name's span again, since a new name ends the one before it.
        let spans = spans(&merged, at);
        for (symbol, span) in &spans {
            let others = self.by_symbol.get(&(symbol.clone(), venue.clone())).map_or(&[][..], Vec::as_slice);
            let clash = others.iter().find(|o| {
                o.listing != at
                    && self.listings[o.listing].kind == merged.kind
                    && o.from < span.until
                    && span.from < o.until
            });
            if let Some(other) = clash {
                return Err(duplicate(lines[other.listing]));
            }
        }
        for of in self.by_symbol.values_mut().filter(|_| known.is_some()) {
            of.retain(|s| s.listing != at);
        }
        for (symbol, span) in spans {
            self.by_symbol.entry((symbol, venue.clone())).or_default().push(span);
        }
        if known.is_some() {
            self.listings[at] = merged;
        } else {
            self.listings.push(merged);
            lines.push(row.line);
        }
        if let Some(id) = id {
            ids.insert(id, at);
        }
        Ok(())
    }

    /// All instruments in the order of their first rows.
    #[must_use]
    pub fn listings(&self) -> &[Listing] {
        &self.listings
    }

    /// The instrument that a symbol named on a date; `kind` is needed where a venue has it in several types.
    ///
    /// # Errors
    /// `LookupError` if there is none, or several.
    pub fn find(&self, symbol: &str, venue: &str, date: Date, kind: Option<&str>) -> Result<&Listing, LookupError> {
        let spans = self.by_symbol.get(&(symbol.to_owned(), venue.to_owned())).map_or(&[][..], Vec::as_slice);
        let then = spans.iter().filter(|s| s.from <= date && date < s.until);
        let found: Vec<&Listing> =
            then.map(|s| &self.listings[s.listing]).filter(|l| kind.is_none_or(|k| l.kind == k)).collect();
        let (symbol, venue) = (symbol.to_owned(), venue.to_owned());
        match found.as_slice() {
            [one] => Ok(one),
            [] => Err(LookupError::Unknown { symbol, venue, date }),
            several => {
                let kinds = several.iter().map(|l| l.kind.clone()).collect();
                Err(LookupError::Several { symbol, venue, kinds })
            }
        }
    }

    /// What holds for the symbols of a venue and type that have no row of their own.
    #[must_use]
    pub fn wildcard(&self, venue: &str, kind: &str) -> Option<&Listing> {
        self.wildcards.get(&(venue.to_owned(), kind.to_owned()))
    }
}

/// Place of each column in the header.
fn columns<H: AsRef<str>>(header: &[H]) -> Result<[Option<usize>; COLUMNS.len()], TableError> {
    let mut places = [None; COLUMNS.len()];
    for (at, name) in header.iter().enumerate() {
        let name = name.as_ref().trim();
        let known = COLUMNS.iter().position(|(own, other)| *own == name || (!other.is_empty() && *other == name));
        let Some(k) = known else { return Err(TableError::UnknownColumn { column: name.to_owned() }) };
        if places[k].replace(at).is_some() {
            return Err(TableError::MissingColumn { column: COLUMNS[k].0 });
        }
    }
    match places[..4].iter().position(Option::is_none) {
        Some(k) => Err(TableError::MissingColumn { column: COLUMNS[k].0 }),
        None => Ok(places),
    }
}

/// One row of a table.
struct Row<'a> {
    line: u64,
    cells: &'a [String],
    columns: &'a [Option<usize>; COLUMNS.len()],
}

impl Row<'_> {
    /// What a cell says; `None` if it is empty or its column is not there.
    fn text(&self, column: &str) -> Option<&str> {
        let k = COLUMNS.iter().position(|(own, _)| *own == column)?;
        self.cells.get(self.columns[k]?).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
    }

    /// A cell through a reader; `None` if it is empty.
    fn read<T>(
        &self,
        column: &'static str,
        why: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, TableError> {
        let Some(text) = self.text(column) else { return Ok(None) };
        let wrong = || TableError::Cell { line: self.line, column, found: text.to_owned(), why };
        read(text).map(Some).ok_or_else(wrong)
    }

    fn required<T>(
        &self,
        column: &'static str,
        why: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, TableError> {
        let missing = || TableError::Cell { line: self.line, column, found: String::new(), why: "missing" };
        self.read(column, why, read)?.ok_or_else(missing)
    }

    /// A quantity above zero with at most nine decimals.
    fn above_zero(&self, column: &'static str) -> Result<Option<Quantity>, TableError> {
        let read = |t: &str| Quantity::parse(t).ok().filter(|q| q.signum() > 0);
        self.read(column, "no number above zero with at most nine decimals", read)
    }

    fn date(&self, column: &'static str) -> Result<Option<Date>, TableError> {
        self.read(column, "no date (YYYY-MM-DD)", Date::parse)
    }

    fn listing(&self) -> Result<Listing, TableError> {
        let symbol = self.required("symbol", "no symbol", |t| Some(t.to_owned()))?;
        let venue = self.required("venue", "no venue", |t| Some(t.to_owned()))?;
        let kind = self.required("class", "no type", |t| Some(t.to_owned()))?;
        let class = self.required("class", "no type of instrument", |t| {
            AssetClass::ALL
                .iter()
                .map(|(c, name)| (*name, *c))
                .chain(KINDS)
                .find(|(name, _)| *name == t)
                .map(|(_, c)| c)
        })?;
        let currency = self.required("currency", "no currency of 1 to 8 capital letters or digits", Currency::parse)?;
        let price = |t: &str| i64::try_from(parse_nano(t, Rounding::Exact).ok()?).ok().map(Price::from_nano);
        let tick = self.read("tick", "no price step of zero or above with at most nine decimals", |t| {
            price(t).filter(|p| p.nano() >= 0)
        })?;
        let calendar = self.read("calendar", "no calendar", CalendarId::parse)?;
        let from = self.date("from")?.unwrap_or(Date(i32::MIN));
        let until = self.date("until")?;
        if until.is_some_and(|until| until <= from) {
            let found = self.text("until").unwrap_or_default().to_owned();
            return Err(TableError::Cell { line: self.line, column: "until", found, why: "not after `from`" });
        }
        let status = if until.is_some() { TradingStatus::Delisted } else { TradingStatus::Active };
        let text = |column| self.text(column).map(str::to_owned);
        Ok(Listing {
            calendar: calendar.or(usual_calendar(class, &venue)),
            kind,
            underlying: text("underlying"),
            expiry: self.date("expiry")?,
            strike: self.read("strike", "no price with at most nine decimals", price)?,
            right: self.read("right", "neither 'call' nor 'put'", |t| match t {
                "call" => Some(OptionRight::Call),
                "put" => Some(OptionRight::Put),
                _ => None,
            })?,
            price_magnifier: self.above_zero("price_magnifier")?.unwrap_or(Quantity::ONE),
            strike_multiplier: self.above_zero("strike_multiplier")?.unwrap_or(Quantity::ONE),
            // A threshold, so what is finer than the scale is rounded.
            minimum_order: self.read("minimum_order_size", "no number above zero", |t| {
                parse_nano(t, Rounding::HalfEven).ok().filter(|n| *n > 0).map(Quantity::from_nano)
            })?,
            description: text("description").or(text("market_ticker")).unwrap_or_default(),
            names: vec![Name { symbol: symbol.clone(), from }],
            until,
            instrument: Instrument {
                symbol,
                class,
                currency,
                venue,
                tick: tick.unwrap_or(Price::ZERO),
                lot: self.above_zero("lot")?.unwrap_or(Quantity::ONE),
                multiplier: self.above_zero("multiplier")?.unwrap_or(Quantity::ONE),
                status,
            },
        })
    }
}

fn usual_calendar(class: AssetClass, venue: &str) -> Option<CalendarId> {
    match class {
        AssetClass::Crypto | AssetClass::Perpetual => Some(CalendarId::AlwaysOpen),
        AssetClass::Fx => Some(CalendarId::Fx),
        _ if venue == "usa" => Some(CalendarId::Xnys),
        _ => None,
    }
}

/// A listing with one more name: the other columns must say what they said before.
fn renamed(known: &Listing, mut other: Listing, line: u64, before: u64) -> Result<Listing, TableError> {
    let name = other.names.remove(0);
    let at = known.names.partition_point(|n| n.from < name.from);
    let twice = known.names.iter().any(|n| n.from == name.from);
    let (a, b) = (&known.instrument, &other.instrument);
    let differs = [
        ("from", twice),
        ("currency", a.currency != b.currency),
        ("tick", a.tick != b.tick),
        ("lot", a.lot != b.lot),
        ("multiplier", a.multiplier != b.multiplier),
        ("calendar", known.calendar != other.calendar),
        ("until", known.until != other.until && known.until.is_some() && other.until.is_some()),
        ("underlying", known.underlying != other.underlying),
        ("expiry", known.expiry != other.expiry),
        ("strike", known.strike != other.strike),
        ("right", known.right != other.right),
        ("price_magnifier", known.price_magnifier != other.price_magnifier),
        ("strike_multiplier", known.strike_multiplier != other.strike_multiplier),
    ];
    if let Some((column, _)) = differs.into_iter().find(|(_, differs)| *differs) {
        return Err(TableError::Contradiction { line, column, before });
    }
    let mut listing = known.clone();
    listing.until = known.until.or(other.until);
    if listing.until.is_some() {
        listing.instrument.status = TradingStatus::Delisted;
    }
    listing.names.insert(at, name);
    if let Some(newest) = listing.names.last() {
        listing.instrument.symbol.clone_from(&newest.symbol);
    }
    Ok(listing)
}

/// When each symbol was the listing's.
fn spans(listing: &Listing, at: usize) -> Vec<(String, Span)> {
    let end = listing.until.unwrap_or(Date(i32::MAX));
    let ends = listing.names.iter().skip(1).map(|n| n.from).chain([end]);
    let span = |(name, until): (&Name, Date)| {
        (name.symbol.clone(), Span { from: name.from, until: until.min(end), listing: at })
    };
    listing.names.iter().zip(ends).map(span).filter(|(_, s)| s.from < s.until).collect()
}

#[cfg(test)]
mod tests;
