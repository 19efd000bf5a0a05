//! All files of the reference data, as their manifest says, in one import each.
//!
//! The folder is named by `TRADEGRAPH_REFERENCE_DATA`; without it every file is listed as ignored.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test fail the test")]

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use tradegraph_domain::{Basis, Date, Nanos, Timestamp};
use tradegraph_market::calendar::CalendarId;
use tradegraph_market::quality::Check;
use tradegraph_store::dataset::{BatchRequest, CheckOptions, Kind, Zone};
use tradegraph_store::{BarLabel, Catalog, CsvRequest, Datasets, ImportOptions, import_csv};

/// One row of the folder's `manifest.json`.
#[derive(Clone, Debug, serde::Deserialize)]
struct Row {
    path: String,
    rows: u64,
}

fn main() {
    let arguments = Arguments::from_args();
    let Some(folder) = std::env::var_os("TRADEGRAPH_REFERENCE_DATA").map(PathBuf::from) else {
        let waiting = Trial::test("reference data: set TRADEGRAPH_REFERENCE_DATA to their folder", || Ok(()));
        libtest_mimic::run(&arguments, vec![waiting.with_ignored_flag(true)]).exit();
    };
    let text = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
    let rows: Vec<Row> = serde_json::from_str(&text).unwrap();
    let mut trials = vec![Trial::test("the table has every file", {
        let rows = rows.clone();
        move || {
            let missing: Vec<&str> =
                EXPECTED.iter().map(|e| e.path).filter(|p| !rows.iter().any(|r| r.path.ends_with(p))).collect();
            let new: Vec<&String> =
                rows.iter().map(|r| &r.path).filter(|p| !EXPECTED.iter().any(|e| p.ends_with(e.path))).collect();
            if missing.is_empty() && new.is_empty() && rows.len() == 45 {
                return Ok(());
            }
            Err(Failed::from(format!("{} files; missing {missing:?}, new {new:?}", rows.len())))
        }
    })];
    for row in rows {
        let folder = folder.clone();
        trials.push(Trial::test(row.path.clone(), move || check(&folder, &row).map_err(Failed::from)));
    }
    let folder_of_traps = std::env::var_os("TRADEGRAPH_REFERENCE_DATA").map(PathBuf::from).unwrap_or_default();
    for trap in &TRAPS {
        let folder = folder_of_traps.clone();
        let name = format!("known trap of {}", trap.path);
        trials.push(Trial::test(name, move || fall_into(&folder, trap).map_err(Failed::from)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// What is known to be wrong with a file, and how often the check must find it.
struct Trap {
    path: &'static str,
    tell: fn(&mut ImportOptions),
    finds: &'static [(Check, u64)],
}

/// The traps that the folder's notes name. Counts of crossed and locked quotes, of repeated words, of empty and of
/// impossible cells are those of pandas on the same files.
#[rustfmt::skip]
static TRAPS: [Trap; 19] = [
    Trap { path: "shippable/equities/us4_ohlcv_unadjusted_2000_2013.csv", tell: nyse, finds: &[(Check::Split, 4)] },
    Trap { path: "shippable/equities/us20_adjclose_1990_2022.csv", tell: |o| { nyse(o); o.kind = Some(Kind::Bars); }, finds: &[(Check::Stale, 457)] },
    Trap { path: "shippable/crypto/btcusd_15m_2021.csv", tell: |_| {}, finds: &[(Check::NoVolume, 2_078), (Check::Duplicate, 32), (Check::Gap, 9)] },
    Trap { path: "shippable/indices/vix_close_2014_2019.csv", tell: nyse, finds: &[(Check::Missing, 0), (Check::OffSession, 0)] },
    Trap { path: "shippable/macro/us_macro_quarterly_1959_2009.csv", tell: |_| {}, finds: &[(Check::Revised, 1)] },
    Trap { path: "shippable/sentiment/vader_lexicon.csv", tell: |_| {}, finds: &[(Check::Duplicate, 14)] },
    Trap { path: "stored/equities/djia22_ohlcv_2006_2017.parquet", tell: nyse, finds: &[(Check::Missing, 39), (Check::Impossible, 1), (Check::Range, 107)] },
    Trap { path: "stored/news/stock_tweets_2015H1.csv", tell: |_| {}, finds: &[(Check::Future, 2)] },
    Trap { path: "stored/fx/eurusd_1h_bidask_two_brokers_2016_2018.parquet", tell: |o| o.calendar = Some(CalendarId::Fx), finds: &[(Check::Crossed, 44), (Check::OffSession, 302)] },
    Trap { path: "stored/fx/fx3_1d_bidask_2007_2018.parquet", tell: |o| o.calendar = CalendarId::parse("FX UTC+00"), finds: &[(Check::TimeZone, 2), (Check::Crossed, 297)] },
    Trap { path: "stored/fx/eurusd_ticks_two_brokers_20140507.parquet", tell: |_| {}, finds: &[(Check::Crossed, 9_929), (Check::Locked, 12_677)] },
    Trap { path: "stored/crypto/coinbase4_1m_20180404_05.parquet", tell: |_| {}, finds: &[(Check::Impossible, 0)] },
    Trap { path: "stored/crypto/btc_1m_five_instruments_20221213.csv", tell: |_| {}, finds: &[(Check::VolumeUnit, 3), (Check::Gap, 3)] },
    Trap { path: "stored/crypto/btc_topofbook_spot_usdm_coinm_20240808.parquet", tell: |_| {}, finds: &[(Check::Clock, 2)] },
    Trap { path: "stored/crypto/btc_trades_spot_usdm_coinm_20240808.parquet", tell: |_| {}, finds: &[(Check::Clock, 3)] },
    Trap { path: "stored/fundamentals/sp500_fundamentals_snapshot.csv", tell: SNAPSHOT, finds: &[(Check::Snapshot, 1)] },
    Trap { path: "stored/fundamentals/sp500_constituents_sectors.csv", tell: SNAPSHOT, finds: &[(Check::Snapshot, 1)] },
    Trap { path: "stored/indices/vix_ohlc_1990_2026.csv", tell: nyse, finds: &[(Check::OffSession, 33), (Check::Range, 47)] },
    Trap { path: "stored/commodities/wti_brent_1d_1986_2026.csv", tell: |o| { o.kind = Some(Kind::Bars); o.calendar = Some(CalendarId::Weekdays); }, finds: &[(Check::Impossible, 1)] },
];

fn fall_into(folder: &Path, trap: &Trap) -> Result<(), String> {
    let mut options = ImportOptions::default();
    (trap.tell)(&mut options);
    let home = tempfile::tempdir().unwrap();
    let datasets = Catalog::open(home.path()).unwrap().datasets();
    let report = datasets.import(&folder.join(trap.path), &options, &mut |_| {}).map_err(|e| e.to_string())?;
    let found = datasets.open(report.id).and_then(|d| d.check(&CheckOptions::default())).map_err(|e| e.to_string())?;
    for (check, wanted) in trap.finds {
        let n: u64 = found.iter().map(|c| c.findings.count(*check)).sum();
        if n != *wanted {
            return Err(format!("{}: {n}, not {wanted}", check.name()));
        }
    }
    Ok(())
}

/// What a file becomes.
struct Expected {
    path: &'static str,
    kind: Kind,
    /// Series, columns of the source, and rows that have no session.
    series: usize,
    shut: u64,
    /// Facts that the folder's notes state and the file cannot say.
    tell: fn(&mut ImportOptions),
    /// First and last moment at which a row is known.
    known: Option<(&'static str, &'static str)>,
    /// The `BatchId` of `import_csv` must come out.
    batch: bool,
}

const fn file(path: &'static str, kind: Kind, series: usize) -> Expected {
    Expected { path, kind, series, shut: 0, tell: |_| {}, known: None, batch: false }
}

fn nyse(o: &mut ImportOptions) {
    o.calendar = Some(CalendarId::Xnys);
}

const SNAPSHOT: fn(&mut ImportOptions) = |o| o.snapshot = Date::parse("2026-08-21");

#[rustfmt::skip]
static EXPECTED: [Expected; 45] = [
    Expected { tell: |o| { nyse(o); o.kind = Some(Kind::Bars); o.basis = Some(Basis::TotalReturn); }, known: Some(("1990-01-02T21:00:00Z", "2022-12-28T21:00:00Z")), batch: true, ..file("equities/us20_adjclose_1990_2022.csv", Kind::Bars, 20) },
    Expected { tell: nyse, batch: true, ..file("indices/sp500_close_1990_2022.csv", Kind::Bars, 1) },
    Expected { tell: nyse, batch: true, ..file("equities/us4_ohlcv_unadjusted_2000_2013.csv", Kind::Bars, 4) },
    Expected { tell: |o| { nyse(o); o.basis = Some(Basis::SplitAdjusted); }, batch: true, ..file("equities/us4_ohlcv_2013_2023.csv", Kind::Bars, 4) },
    Expected { known: Some(("2021-09-27T14:00:00Z", "2021-12-29T14:00:00Z")), batch: true, ..file("crypto/btcusd_15m_2021.csv", Kind::Bars, 1) },
    Expected { batch: true, ..file("crypto/btcusd_1d_2020_2021.csv", Kind::Bars, 1) },
    Expected { batch: true, ..file("commodities/gold_usd_1970_2020.csv", Kind::Bars, 1) },
    Expected { tell: nyse, batch: true, ..file("indices/sp500_ohlcv_1999_2018.csv", Kind::Bars, 1) },
    // Holidays are rows without a close.
    Expected { tell: nyse, shut: 46, batch: true, ..file("indices/vix_close_2014_2019.csv", Kind::Bars, 1) },
    Expected { batch: true, ..file("commodities/wti_usd_1986_2019.csv", Kind::Bars, 1) },
    Expected { known: Some(("1987-06-01T00:00:00Z", "2020-02-01T00:00:00Z")), ..file("commodities/brent_wti_monthly_1987_2020.csv", Kind::Table, 2) },
    Expected { known: Some(("1926-08-01T00:00:00Z", "2018-12-01T00:00:00Z")), ..file("factors/fama_french_monthly_1926_2018.csv", Kind::Table, 4) },
    Expected { tell: |o| o.lag = Nanos(15 * Nanos::DAY.0), known: Some(("1919-02-16T00:00:00Z", "2019-01-16T00:00:00Z")), ..file("macro/aaa_baa_yield_1919_2018.csv", Kind::Table, 2) },
    Expected { tell: |o| o.lag = Nanos(90 * Nanos::DAY.0), known: Some(("1959-06-30T00:00:00Z", "2009-12-30T00:00:00Z")), ..file("macro/us_macro_quarterly_1959_2009.csv", Kind::Table, 12) },
    Expected { known: Some(("2017-01-01T23:00:00Z", "2017-12-29T22:00:00Z")), batch: true, ..file("fx/eurusd_1h_ask_2017.csv", Kind::Bars, 1) },
    file("sentiment/vader_lexicon.csv", Kind::Lexicon, 0),
    Expected { tell: |o| { nyse(o); o.basis = Some(Basis::SplitAdjusted); }, known: Some(("2006-01-03T21:00:00Z", "2017-12-29T21:00:00Z")), ..file("equities/djia22_ohlcv_2006_2017.parquet", Kind::Bars, 22) },
    Expected { tell: |o| { nyse(o); o.basis = Some(Basis::SplitAdjusted); }, ..file("equities/us50_ohlcv_2012_2017.parquet", Kind::Bars, 50) },
    Expected { known: Some(("2014-12-31T23:02:58Z", "2015-06-30T05:33:13Z")), ..file("news/stock_tweets_2015H1.csv", Kind::Text, 9) },
    file("news/sentfin_headlines_train.csv", Kind::LabelledText, 0),
    file("news/finentity.csv", Kind::LabelledText, 0),
    Expected { known: Some(("2016-01-03T20:00:00Z", "2018-06-29T21:00:00Z")), ..file("fx/eurusd_1h_bidask_two_brokers_2016_2018.parquet", Kind::Bars, 2) },
    // The two brokers' days are not the same interval: FXCM's end at 05:00Z.
    Expected { tell: |o| { o.venue_zones.insert("fxcm".into(), Zone::parse("-05:00").unwrap()); }, known: Some(("2007-01-02T00:00:00Z", "2019-01-01T00:00:00Z")), ..file("fx/fx3_1d_bidask_2007_2018.parquet", Kind::Bars, 6) },
    Expected { known: Some(("2014-05-07T00:00:00.131000000Z", "2014-05-07T23:59:59.796000000Z")), ..file("fx/eurusd_ticks_two_brokers_20140507.parquet", Kind::Quotes, 2) },
    Expected { known: Some(("2014-01-02T00:00:00Z", "2017-12-29T22:00:00Z")), ..file("commodities/xauusd_1h_bidask_2014_2017.parquet", Kind::Bars, 1) },
    file("commodities/xauusd_1d_bidask_2006_2019.parquet", Kind::Bars, 1),
    file("crypto/coinbase4_1m_20180404_05.parquet", Kind::Bars, 4),
    file("fx/eurusd_1m_bidask_two_brokers.parquet", Kind::Bars, 2),
    file("crypto/btc_1m_five_instruments_20221213.csv", Kind::Bars, 5),
    Expected { batch: true, ..file("crypto/btcusd_1d_coinbase_2014_2018.csv", Kind::Bars, 1) },
    file("reference/symbol_properties.csv", Kind::Properties, 0),
    Expected { tell: |o| o.zone = Zone::parse("America/New_York"), known: Some(("2017-01-04T05:00:00Z", "2017-05-20T04:00:00Z")), ..file("options/spx_chain_2017.csv", Kind::Chain, 1) },
    Expected { tell: nyse, ..file("equities/etfs18_raw_adj_divs_2017.csv", Kind::Bars, 18) },
    // Labelled with the end of the bar.
    Expected { tell: |o| o.label = Some(BarLabel::End), known: Some(("2021-12-31T23:01:00Z", "2022-02-01T05:31:00Z")), ..file("crypto/btc_perp_1m_202201.parquet", Kind::Bars, 1) },
    Expected { known: Some(("2024-08-08T23:54:14.087891268Z", "2024-08-08T23:59:59.999231384Z")), ..file("crypto/btc_topofbook_spot_usdm_coinm_20240808.parquet", Kind::Quotes, 3) },
    file("crypto/btc_trades_spot_usdm_coinm_20240808.parquet", Kind::Trades, 3),
    file("crypto/btcusdt_spot_l2_20240808.jsonl.gz", Kind::Messages, 1),
    file("crypto/alt4_btc_5m_201801.parquet", Kind::Bars, 4),
    Expected { tell: SNAPSHOT, known: Some(("2026-08-22T00:00:00Z", "2026-08-22T00:00:00Z")), ..file("fundamentals/sp500_fundamentals_snapshot.csv", Kind::Snapshot, 0) },
    Expected { tell: SNAPSHOT, ..file("fundamentals/sp500_constituents_sectors.csv", Kind::Snapshot, 0) },
    Expected { tell: |o| o.lag = Nanos(60 * Nanos::DAY.0), ..file("macro/shiller_monthly.csv", Kind::Table, 9) },
    // 33 values on days on which New York was shut (2004-06-11 and others).
    Expected { tell: nyse, shut: 33, batch: true, ..file("indices/vix_ohlc_1990_2026.csv", Kind::Bars, 1) },
    Expected { tell: |o| o.allow_negative = true, ..file("commodities/wti_brent_1d_1986_2026.csv", Kind::Table, 2) },
    Expected { known: Some(("1833-02-01T00:00:00Z", "2026-07-01T00:00:00Z")), ..file("commodities/gold_monthly_1833_2026.csv", Kind::Table, 1) },
    Expected { known: Some(("1990-02-01T00:00:00Z", "2026-07-01T00:00:00Z")), ..file("fx/fx_monthly_fed_1990_2026.csv", Kind::Table, 34) },
];

fn check(folder: &Path, row: &Row) -> Result<(), String> {
    let expected = EXPECTED.iter().find(|e| row.path.ends_with(e.path)).ok_or("not in the table")?;
    let path = folder.join(&row.path);
    let mut options = ImportOptions::default();
    (expected.tell)(&mut options);
    let home = tempfile::tempdir().unwrap();
    let datasets = Catalog::open(home.path()).unwrap().datasets();
    let report = datasets.import(&path, &options, &mut |_| {}).map_err(|e| e.to_string())?;
    let m = &report.manifest;
    let same = |what: &str, found: String, wanted: String| {
        if found == wanted {
            Ok(())
        } else {
            Err(format!("{what}: {found}, not {wanted}; problems {:?} {:?}", m.problems, m.first_problems.first()))
        }
    };
    same("kind", m.kind.to_string(), expected.kind.to_string())?;
    same(
        "rows",
        format!("{:?}", (m.rows.read, m.rows.kept, m.rows.quarantined)),
        format!("{:?}", (row.rows, row.rows, 0)),
    )?;
    same("cells left out", m.rows.cells_left_out.to_string(), "0".into())?;
    same("series", m.series.len().to_string(), expected.series.to_string())?;
    same("rows without session", m.rows.without_session.to_string(), expected.shut.to_string())?;
    let counted: u64 = m.series.iter().map(|s| s.rows).sum();
    if !m.shape.wide && !m.series.is_empty() {
        same("rows of all series", counted.to_string(), row.rows.to_string())?;
    }
    let dataset = datasets.open(report.id).map_err(|e| e.to_string())?;
    dataset.verify().map_err(|e| e.to_string())?;
    point_in_time(&dataset, expected)?;
    round_trip(&datasets, &dataset, home.path())?;
    let again = datasets.import(&path, &options, &mut |_| {}).map_err(|e| e.to_string())?;
    same("again", format!("{:?}", again.outcome), "Unchanged".into())?;
    if expected.batch {
        let mut request = CsvRequest::path(&path, m.calendar());
        (request.basis, request.allow_negative, request.label) = (m.basis(), options.allow_negative, BarLabel::Start);
        let csv = import_csv(&request).map_err(|e| e.to_string())?;
        let own = dataset.to_batch(&BatchRequest::default()).map_err(|e| e.to_string())?;
        same("batch", own.batch.id().to_string(), csv.batch.id().to_string())?;
        same("symbols", format!("{:?}", own.symbols), format!("{:?}", csv.symbols))?;
        same("problems", own.quarantine.len().to_string(), csv.quarantine.len().to_string())?;
    } else if m.kind == Kind::Bars {
        batches(&dataset)?;
    }
    Ok(())
}

/// Every bar that is in the file is in a batch of its venue, or named as a problem.
fn batches(dataset: &tradegraph_store::Dataset) -> Result<(), String> {
    use tradegraph_store::dataset::BatchPrice;
    let m = dataset.manifest();
    let has = |name: &str| m.columns.iter().any(|c| c.name == name);
    let prices: &[BatchPrice] = if has("ask_open") {
        &[BatchPrice::Bid, BatchPrice::Ask, BatchPrice::Mid]
    } else if has("bid_close") {
        &[BatchPrice::Close, BatchPrice::Mid]
    } else {
        &[BatchPrice::Close]
    };
    for price in prices {
        let mut places: Vec<_> = m.series.iter().map(|s| (s.venue.clone(), s.segment.clone())).collect();
        places.sort();
        places.dedup();
        for (venue, segment) in places {
            let request = BatchRequest { venue, segment, price: *price, ..BatchRequest::default() };
            let got = match dataset.to_batch(&request) {
                Ok(got) => got,
                // Bybit's series of the five has no quotes.
                Err(e) if e.to_string().contains("no bar is left") && *price == BatchPrice::Mid => continue,
                Err(e) => return Err(format!("{request:?}: {e}")),
            };
            let rows: u64 = m
                .series
                .iter()
                .filter(|s| s.venue == request.venue && s.segment == request.segment)
                .map(|s| s.rows)
                .sum();
            let lost = got.quarantine.iter().filter(|p| !p.kept).count() as u64;
            if got.rows_read != rows || got.cells_kept + lost > rows || got.cells_kept * 10 < rows * 4 {
                return Err(format!(
                    "{request:?}: {} of {rows} rows, {} kept, {lost} left out",
                    got.rows_read, got.cells_kept
                ));
            }
        }
    }
    Ok(())
}

/// No row is handed out before it was known.
fn point_in_time(dataset: &tradegraph_store::Dataset, expected: &Expected) -> Result<(), String> {
    let all = |ts: Timestamp| -> Result<Vec<Timestamp>, String> {
        let mut known = Vec::new();
        for chunk in dataset.read_known_by(ts, &["known_at"]).map_err(|e| e.to_string())? {
            let chunk = chunk.map_err(|e| e.to_string())?;
            known.extend((0..chunk.rows()).filter_map(|r| chunk.column("known_at").and_then(|c| c.time(r))));
        }
        Ok(known)
    };
    if matches!(expected.kind, Kind::Lexicon | Kind::LabelledText | Kind::Properties) {
        return match dataset.read_known_by(Timestamp::MAX, &[]) {
            Err(e) if e.to_string().contains("not dated") => Ok(()),
            _ => Err("undated rows were said to be known at a time".to_owned()),
        };
    }
    let mut known = all(Timestamp::MAX)?;
    known.sort_unstable();
    if known.len() as u64 != dataset.manifest().rows.kept {
        return Err(format!("{} of {} rows are known in the end", known.len(), dataset.manifest().rows.kept));
    }
    let (first, last) = (known[0], known[known.len() - 1]);
    if let Some((f, l)) = expected.known
        && (first.to_string(), last.to_string()) != (f.to_owned(), l.to_owned())
    {
        return Err(format!("rows are known from {first} to {last}, not from {f} to {l}"));
    }
    let middle = known[known.len() / 2];
    let until = all(middle)?;
    let right = known.iter().filter(|k| **k <= middle).count();
    if until.len() != right || until.iter().any(|k| *k > middle) {
        return Err(format!("{} rows are known at {middle}, not {right}", until.len()));
    }
    let early = all(Timestamp(first.0 - 1))?;
    if early.is_empty() { Ok(()) } else { Err("a row is known before the first".to_owned()) }
}

/// An export becomes the same data set.
fn round_trip(datasets: &Datasets, dataset: &tradegraph_store::Dataset, home: &Path) -> Result<(), String> {
    let options = dataset.manifest().options();
    for (name, parquet) in [("export.csv", false), ("export.parquet", true)] {
        let path = home.join(name);
        if parquet { dataset.export_parquet(&path) } else { dataset.export_csv_file(&path) }
            .map_err(|e| e.to_string())?;
        let back = datasets.import(&path, &options, &mut |_| {}).map_err(|e| format!("{name}: {e}"))?;
        if back.id != dataset.id() {
            let own: Vec<_> = dataset.manifest().columns.iter().map(|c| (&c.name, c.kind, &c.blake3)).collect();
            let other: Vec<_> = back.manifest.columns.iter().map(|c| (&c.name, c.kind, &c.blake3)).collect();
            let differs: Vec<_> = own.iter().zip(&other).filter(|(a, b)| a != b).take(3).collect();
            return Err(format!(
                "{name} became another data set: {differs:?} {:?} {:?}",
                dataset.manifest().facts,
                back.manifest.facts
            ));
        }
    }
    Ok(())
}
