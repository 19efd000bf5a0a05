//! The kinds of data sets, as data: their columns, the names that these have in the wild, and what tells a kind.
//!
//! Adding a kind is one entry of `KINDS`; adding a name of a column is one word.

use serde::{Deserialize, Serialize};

/// What a data set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Bars: OHLCV, closes, bid and ask, raw and adjusted.
    Bars,
    /// Best bid and ask, tick by tick.
    Quotes,
    /// Trades, tick by tick.
    Trades,
    /// Messages of a venue, kept as they came.
    Messages,
    /// Option chains.
    Chain,
    /// Dated text.
    Text,
    /// Labelled text without dates.
    LabelledText,
    /// Facts about instruments as of one date.
    Snapshot,
    /// Numbers by period: macro series, factors, panels.
    Table,
    /// Properties of instruments: tick, lot, multiplier.
    Properties,
    /// Words with scores.
    Lexicon,
    /// Splits, dividends, renames, delistings.
    Actions,
}

/// What a cell of a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Exact decimal, an integer at 1e-9.
    Price,
    /// Float of 64 bits.
    Number,
    /// Integer of 64 bits.
    Integer,
    /// A short name that comes again: symbol, venue.
    Name,
    /// Free text; may span lines.
    Text,
    /// JSON, checked and kept as it is.
    Json,
    /// One of a few words, each with its other spellings.
    Choice(&'static [(&'static str, &'static [&'static str])]),
    /// Instant in ns since 1970 UTC.
    Time,
    /// Days since 1970.
    Date,
}

/// One column of a kind.
#[derive(Clone, Copy, Debug)]
pub struct ColumnSpec {
    /// Its name in data sets.
    pub name: &'static str,
    /// What its cells are.
    pub kind: ColumnType,
    /// Its other names, in small letters with `_` for anything else.
    pub aliases: &'static [&'static str],
    /// True if a row without it cannot be kept (if the file has the column).
    pub required: bool,
}

/// When a row of a kind is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// At the end of its bar.
    Bar,
    /// At its own time.
    Row,
    /// At the end of its period.
    Period,
    /// At the end of the date of the whole file.
    Snapshot,
    /// When the ex-date begins.
    ExDate,
    /// Never dated.
    Undated,
}

/// One kind.
#[derive(Clone, Copy, Debug)]
pub struct KindSpec {
    /// The kind.
    pub kind: Kind,
    /// Its name for users.
    pub name: &'static str,
    /// What it holds, for users.
    pub about: &'static str,
    /// When its rows are known.
    pub timing: Timing,
    /// Its columns besides the time.
    pub columns: &'static [ColumnSpec],
    /// A file is of this kind if it has all columns of one of these lists; `time` is any column of times.
    pub told_by: &'static [&'static [&'static str]],
}

const fn column(name: &'static str, kind: ColumnType, aliases: &'static [&'static str]) -> ColumnSpec {
    ColumnSpec { name, kind, aliases, required: false }
}

const fn needed(name: &'static str, kind: ColumnType, aliases: &'static [&'static str]) -> ColumnSpec {
    ColumnSpec { name, kind, aliases, required: true }
}

use ColumnType::{Choice, Date, Integer, Json, Name, Number, Price, Text, Time};

/// Names of a column of dates.
pub const DATES: &[&str] = &["date", "day", "trade_date", "session", "quotedate", "quote_date", "data_date"];
/// Names of a column of instants.
pub const STAMPS: &[&str] = &[
    "ts",
    "timestamp",
    "time",
    "datetime",
    "date_time",
    "recv_ns",
    "recv_ts",
    "received",
    "open_time",
    "bar_start",
    "ts_ns",
    "ts_ms",
    "ts_us",
    "created_at",
    "published",
    "published_at",
    "time_utc",
    "timestamp_utc",
];
/// Names of a column of months, `YYYY-MM`.
pub const MONTHS: &[&str] = &["month", "period", "year_month"];
/// Names of the year and the quarter of a period.
pub const YEARS: &[&str] = &["year"];
/// Names of an ex-date.
pub const EX_DATES: &[&str] = &["ex_date", "exdate", "ex_dividend_date", "effective_date"];
/// See `YEARS`.
pub const QUARTERS: &[&str] = &["quarter", "qtr"];

const VENUE: ColumnSpec = column("venue", Name, &["exchange", "mic", "broker", "feed"]);
const SYMBOL: ColumnSpec = needed("symbol", Name, &["ticker", "instrument", "sym", "code", "security_id", "pair"]);
const KNOWN: ColumnSpec = column("known_at", Time, &["available_at", "published_known_at", "release_date"]);
const EXCHANGE_TIME: ColumnSpec =
    column("exch_ts", Time, &["exch_ms", "exch_ns", "exchange_time", "exchange_ts", "event_time", "transact_time"]);

/// All kinds. The first whose columns a file has is its kind.
pub static KINDS: [KindSpec; 12] = [
    KindSpec {
        kind: Kind::Messages,
        name: "messages",
        about: "messages of a venue, one JSON a line with its receive time, kept as they came",
        timing: Timing::Row,
        columns: &[needed("message", Json, &[])],
        told_by: &[],
    },
    KindSpec {
        kind: Kind::Actions,
        name: "actions",
        about: "corporate actions: symbol, ex_date, kind and what the kind needs",
        timing: Timing::ExDate,
        columns: &[
            VENUE,
            SYMBOL,
            needed(
                "kind",
                Choice(&[
                    ("split", &["stock_split", "reverse_split"]),
                    ("dividend", &["div", "cash_dividend", "special_dividend"]),
                    ("rename", &["symbol_change", "ticker_change"]),
                    ("delisting", &["delist", "delisted"]),
                ]),
                &["type", "action", "event"],
            ),
            column("ratio", Text, &["split_ratio", "split_factor", "splitfactor"]),
            column("new", Integer, &["new_units", "split_to"]),
            column("old", Integer, &["old_units", "split_from"]),
            column("amount", Price, &["dividend", "cash", "value", "cash_amount"]),
            column("pay_date", Date, &["payment_date", "payable_date"]),
            column("to", Name, &["new_symbol", "to_symbol"]),
            column("price", Price, &["final_price"]),
            column("currency", Name, &[]),
            KNOWN,
        ],
        told_by: &[&["symbol", "ex_date", "kind"]],
    },
    KindSpec {
        kind: Kind::Chain,
        name: "chain",
        about: "option chains: quotes of options with strike, expiry and right",
        timing: Timing::Row,
        columns: &[
            VENUE,
            column("symbol", Name, &["option", "option_symbol", "contract", "optionroot", "contract_symbol"]),
            needed("underlying", Name, &["underlying_symbol", "root"]),
            needed("expiration", Date, &["expiry", "expiration_date", "exp_date", "maturity"]),
            needed("strike", Price, &["strike_price"]),
            needed("right", Choice(&[("call", &["c"]), ("put", &["p"])]), &["type", "option_type", "put_call", "cp"]),
            column("last", Price, &["last_price", "trade_price"]),
            column("bid", Price, &["bid_price", "best_bid"]),
            column("ask", Price, &["ask_price", "best_offer", "offer"]),
            column("bid_size", Number, &["bidsize"]),
            column("ask_size", Number, &["asksize"]),
            column("underlying_price", Price, &["underlying_last", "spot", "underlying_close"]),
            column("volume", Number, &["vol"]),
            column("open_interest", Number, &["openinterest", "oi"]),
            column("implied_vol", Number, &["impliedvol", "iv", "implied_volatility"]),
            column("delta", Number, &[]),
            column("gamma", Number, &[]),
            column("theta", Number, &[]),
            column("vega", Number, &[]),
            column("rho", Number, &[]),
            KNOWN,
        ],
        told_by: &[&["time", "strike", "expiration", "right"]],
    },
    KindSpec {
        kind: Kind::Trades,
        name: "trades",
        about: "trades, tick by tick",
        timing: Timing::Row,
        columns: &[
            VENUE,
            column("segment", Name, &["kind", "asset_class", "market_type"]),
            SYMBOL,
            EXCHANGE_TIME,
            column("trade_id", Integer, &["id", "tid"]),
            needed("price", Price, &["px", "trade_price"]),
            needed("size", Number, &["qty", "quantity", "amount"]),
            column("aggressor", Name, &["side", "taker_side", "is_buyer_maker"]),
            KNOWN,
        ],
        told_by: &[&["time", "price", "size"], &["time", "price", "aggressor"]],
    },
    KindSpec {
        kind: Kind::Bars,
        name: "bars",
        about: "bars of a session or of a fixed length: OHLCV, closes, bid and ask, raw and adjusted",
        timing: Timing::Bar,
        columns: &[
            VENUE,
            column("segment", Name, &["kind", "type", "asset_class", "market_type"]),
            SYMBOL,
            column("open", Price, &["o", "open_price", "first"]),
            column("high", Price, &["h", "high_price", "max"]),
            column("low", Price, &["l", "low_price", "min"]),
            column(
                "close",
                Price,
                &["c", "price", "close_price", "last", "close_last", "px_last", "settle", "settlement"],
            ),
            column("volume", Number, &["v", "vol", "base_volume", "shares"]),
            column("adj_open", Price, &["adjopen", "adjusted_open"]),
            column("adj_high", Price, &["adjhigh", "adjusted_high"]),
            column("adj_low", Price, &["adjlow", "adjusted_low"]),
            column("adj_close", Price, &["adjclose", "adjusted_close", "close_adj", "adj_price"]),
            column("adj_volume", Number, &["adjvolume", "adjusted_volume"]),
            column("dividend", Price, &["divcash", "dividends", "div_cash", "dividend_amount"]),
            column("split_factor", Number, &["splitfactor", "stock_splits", "split_ratio", "split_coefficient"]),
            column("bid_open", Price, &["openbid", "open_bid"]),
            column("bid_high", Price, &["highbid", "high_bid"]),
            column("bid_low", Price, &["lowbid", "low_bid"]),
            column("bid_close", Price, &["closebid", "close_bid"]),
            column("bid_size", Number, &["bidsize"]),
            column("ask_open", Price, &["openask", "open_ask"]),
            column("ask_high", Price, &["highask", "high_ask"]),
            column("ask_low", Price, &["lowask", "low_ask"]),
            column("ask_close", Price, &["closeask", "close_ask"]),
            column("ask_size", Number, &["asksize"]),
            column("vwap", Price, &["average", "wap"]),
            column("trades", Number, &["trade_count", "n_trades", "number_of_trades", "count"]),
            column("open_interest", Number, &["openinterest", "oi"]),
            column("currency", Name, &[]),
            KNOWN,
        ],
        told_by: &[
            &["time", "close"],
            &["time", "adj_close"],
            &["time", "bid_close", "ask_close"],
            &["time", "bid_close"],
        ],
    },
    KindSpec {
        kind: Kind::Quotes,
        name: "quotes",
        about: "best bid and ask, tick by tick",
        timing: Timing::Row,
        columns: &[
            VENUE,
            column("segment", Name, &["kind", "asset_class", "market_type"]),
            SYMBOL,
            EXCHANGE_TIME,
            column("bid", Price, &["bid_price", "best_bid", "bid_px"]),
            column("bid_size", Number, &["bidsize", "bid_qty", "bid_volume"]),
            column("ask", Price, &["ask_price", "best_ask", "ask_px", "offer"]),
            column("ask_size", Number, &["asksize", "ask_qty", "ask_volume"]),
            KNOWN,
        ],
        told_by: &[&["time", "bid", "ask"]],
    },
    KindSpec {
        kind: Kind::Text,
        name: "text",
        about: "dated text: news, tweets, filings",
        timing: Timing::Row,
        columns: &[
            SYMBOL,
            needed("text", Text, &["headline", "title", "content", "body", "message", "tweet", "news"]),
            column("source", Name, &["publisher"]),
            column("label", Name, &["sentiment"]),
            KNOWN,
        ],
        told_by: &[&["time", "text"]],
    },
    KindSpec {
        kind: Kind::LabelledText,
        name: "labelled-text",
        about: "text with labels and without dates, for training and for tests",
        timing: Timing::Undated,
        columns: &[
            column("id", Name, &["doc", "index", "doc_id"]),
            needed("text", Text, &["headline", "title", "content", "body", "sentence", "tweet"]),
            needed("label", Text, &["sentiment", "entity_sentiment", "polarity"]),
            column("entity", Text, &["target"]),
            column("start", Integer, &["begin"]),
            column("end", Integer, &[]),
        ],
        told_by: &[&["text", "label"]],
    },
    KindSpec {
        kind: Kind::Lexicon,
        name: "lexicon",
        about: "words with scores",
        timing: Timing::Undated,
        columns: &[
            needed("token", Text, &["word", "term", "phrase"]),
            needed("score", Number, &["mean_valence", "valence", "weight", "polarity"]),
            column("std", Number, &["stdev", "sd"]),
        ],
        told_by: &[&["token", "score"]],
    },
    KindSpec {
        kind: Kind::Properties,
        name: "properties",
        about: "properties of instruments: tick, lot, multiplier, currency",
        timing: Timing::Undated,
        columns: &[
            column("venue", Name, &["market", "exchange", "mic"]),
            SYMBOL,
            column("type", Name, &["asset_class", "security_type", "kind"]),
            column("description", Text, &["name"]),
            column("currency", Name, &["quote_currency"]),
            column("multiplier", Number, &["contract_multiplier", "contract_size"]),
            column("tick", Number, &["minimum_price_variation", "tick_size", "min_tick", "price_increment"]),
            column("lot", Number, &["lot_size", "size_increment", "step_size"]),
            column("venue_symbol", Name, &["market_ticker", "native_symbol"]),
            column("min_order", Number, &["minimum_order_size", "min_qty"]),
        ],
        told_by: &[&["symbol", "tick"], &["symbol", "multiplier"], &["symbol", "lot"]],
    },
    KindSpec {
        kind: Kind::Table,
        name: "table",
        about: "numbers by period: macro series, factors, panels",
        timing: Timing::Period,
        columns: &[
            column("symbol", Name, &["ticker", "series", "series_id", "country", "entity", "indicator", "currency"]),
            KNOWN,
        ],
        told_by: &[&["time"]],
    },
    KindSpec {
        kind: Kind::Snapshot,
        name: "snapshot",
        about: "facts about instruments as of one date: fundamentals, members of an index",
        timing: Timing::Snapshot,
        columns: &[
            SYMBOL,
            column("name", Text, &["security", "company", "company_name"]),
            column("sector", Name, &["gics_sector"]),
        ],
        told_by: &[&["symbol"]],
    },
];

impl Kind {
    /// Its entry in the table.
    #[must_use]
    pub fn spec(self) -> &'static KindSpec {
        // A test holds that every kind is in the table.
        KINDS.iter().find(|s| s.kind == self).unwrap_or(&KINDS[0])
    }

    /// Its name for users.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Kind> {
        KINDS.iter().find(|s| s.name == name).map(|s| s.kind)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A header as it is compared: small letters, `_` for everything that is neither letter nor digit.
#[must_use]
pub fn plain_name(header: &str) -> String {
    let small = header.trim().to_lowercase();
    let parts = small.split(|c: char| !c.is_alphanumeric()).filter(|p| !p.is_empty());
    parts.collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let mut kinds: Vec<Kind> = KINDS.iter().map(|s| s.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), KINDS.len());
        assert!(kinds.contains(&Kind::Bars) && kinds.contains(&Kind::Actions));
        for spec in &KINDS {
            assert_eq!(Kind::parse(spec.name), Some(spec.kind));
            assert_eq!(serde_json::to_string(&spec.kind).unwrap(), format!("\"{}\"", spec.name));
            let mut names: Vec<&str> =
                spec.columns.iter().flat_map(|c| c.aliases.iter().copied().chain([c.name])).collect();
            assert!(names.iter().all(|n| *n == plain_name(n)), "{}", spec.name);
            let n = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), n, "{} has a name twice", spec.name);
            let known = |c: &str| matches!(c, "time" | "ex_date") || spec.columns.iter().any(|s| s.name == c);
            assert!(spec.told_by.iter().all(|list| list.iter().all(|c| known(c))), "{}", spec.name);
        }
    }

    #[test]
    fn headers_are_compared_plainly() {
        for (header, plain) in
            [("Adj Close", "adj_close"), ("Close/Last", "close_last"), ("<DATE>", "date"), (" P/E ", "p_e")]
        {
            assert_eq!(plain_name(header), plain);
        }
    }
}
