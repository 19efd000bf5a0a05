//! Importing: every sample file, every kind of wrong row, any bytes.

use std::path::PathBuf;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sha2::{Digest, Sha256};
use tradegraph_columns::Status;
use tradegraph_domain::{BarPeriod, Basis, Date, Nanos, Price, Timestamp};
use tradegraph_market::calendar::CalendarId;
use tradegraph_store::{
    BarLabel, CsvRequest, CsvSource, ImportError, Imported, PriceColumn, Reason, csv_bars::HeaderFault, import_csv,
};

fn samples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../samples")
}

struct Expected {
    file: &'static str,
    calendar: CalendarId,
    rows_read: u64,
    rows: usize,
    cells: u64,
    /// Sum of all closes kept, in 1e-9: by Python's `decimal` from the files.
    closes: i128,
    problems: usize,
}

const X: CalendarId = CalendarId::Xnys;
const ALWAYS: CalendarId = CalendarId::AlwaysOpen;

#[rustfmt::skip]
const SAMPLES: [Expected; 11] = [
    Expected { file: "commodities/gold_usd_1970_2020.csv", calendar: ALWAYS, rows_read: 10_787, rows: 10_787, cells: 10_787, closes: 7_050_346_890_000_000, problems: 0 },
    Expected { file: "commodities/wti_usd_1986_2019.csv", calendar: ALWAYS, rows_read: 8_611, rows: 8_611, cells: 8_321, closes: 364_242_420_000_000, problems: 0 },
    // 32 bars are in the file twice, and downloads cut two bars off (at 13:46:02 and 06:01:03).
    Expected { file: "crypto/btcusd_15m_2021.csv", calendar: ALWAYS, rows_read: 8_720, rows: 8_686, cells: 8_686, closes: 483_209_989_457_031_250, problems: 34 },
    Expected { file: "crypto/btcusd_1d_2020_2021.csv", calendar: ALWAYS, rows_read: 662, rows: 662, cells: 662, closes: 17_748_875_116_249_000, problems: 0 },
    Expected { file: "equities/us20_adjclose_1990_2022.csv", calendar: X, rows_read: 8_313, rows: 8_313, cells: 166_260, closes: 6_702_873_594_000_000, problems: 0 },
    Expected { file: "equities/us4_ohlcv_2013_2023.csv", calendar: X, rows_read: 10_796, rows: 2_699, cells: 10_796, closes: 1_498_677_141_221_000, problems: 0 },
    Expected { file: "equities/us4_ohlcv_unadjusted_2000_2013.csv", calendar: X, rows_read: 8_884, rows: 3_270, cells: 8_884, closes: 1_634_272_800_800_000, problems: 0 },
    Expected { file: "fx/eurusd_1h_ask_2017.csv", calendar: ALWAYS, rows_read: 6_225, rows: 6_225, cells: 6_225, closes: 7_031_330_800_000, problems: 0 },
    Expected { file: "indices/sp500_close_1990_2022.csv", calendar: X, rows_read: 8_313, rows: 8_313, cells: 8_313, closes: 12_487_471_170_000_000, problems: 0 },
    Expected { file: "indices/sp500_ohlcv_1999_2018.csv", calendar: X, rows_read: 5_031, rows: 5_031, cells: 5_031, closes: 7_524_192_980_268_000, problems: 0 },
    // 46 rows are holidays without a close.
    Expected { file: "indices/vix_close_2014_2019.csv", calendar: X, rows_read: 1_305, rows: 1_259, cells: 1_259, closes: 18_756_980_000_000, problems: 0 },
];

#[test]
fn every_sample_imports() {
    for e in &SAMPLES {
        let got = import_csv(&CsvRequest::path(&samples().join(e.file), e.calendar)).unwrap();
        let closes: i128 = got.batch.closes(0, got.batch.rows()).iter().map(|c| i128::from(*c)).sum();
        let first = got.quarantine.first().map(ToString::to_string);
        assert_eq!(got.quarantine.len(), e.problems, "{}: {first:?}", e.file);
        assert_eq!(
            (got.rows_read, got.batch.rows(), got.cells_kept, closes),
            (e.rows_read, e.rows, e.cells, e.closes),
            "{}",
            e.file
        );
    }
}

#[test]
fn the_samples_are_the_files_that_the_notice_names() {
    let notice = std::fs::read_to_string(samples().join("NOTICE.md")).unwrap();
    let mut checked = 0;
    for line in notice.lines().filter(|l| l.contains(".csv | ")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let digest = Sha256::digest(std::fs::read(samples().join(cells[1])).unwrap());
        let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(cells[6].trim_matches('`'), hex, "{}", cells[1]);
        assert!(SAMPLES.iter().any(|s| s.file == cells[1]), "{}", cells[1]);
        checked += 1;
    }
    assert_eq!(checked, SAMPLES.len());
    assert!(notice.contains("for testing only"));
}

fn price(text: &str) -> Option<Price> {
    Some(Price::parse(text).unwrap())
}

fn at(text: &str) -> Timestamp {
    let (date, time) = text.split_once('T').unwrap();
    let hm: Vec<i64> = time.split(':').map(|n| n.parse().unwrap()).collect();
    Timestamp(Date::parse(date).unwrap().midnight().0 + hm[0] * Nanos::HOUR.0 + hm[1] * Nanos::MINUTE.0)
}

#[test]
fn bars_have_the_hours_of_their_sessions() {
    let file = samples().join("equities/us4_ohlcv_2013_2023.csv");
    let mut request = CsvRequest::path(&file, X);
    request.basis = Basis::SplitAdjusted;
    request.symbols = Some(vec!["NFLX".into(), "AAPL".into()]);
    let got = import_csv(&request).unwrap();
    let b = &got.batch;
    assert_eq!(got.symbols, ["NFLX", "AAPL"]);
    assert_eq!(got.ignored_columns, ["adj_close"]);
    assert_eq!((b.spec().period, b.spec().basis, b.spec().has_open), (BarPeriod::Session, Basis::SplitAdjusted, true));
    assert_eq!(b.interval(0).start, at("2013-01-02T14:30"));
    assert_eq!(b.interval(0).end, at("2013-01-02T21:00"));
    assert_eq!(b.open(0, 1), price("19.779285"));
    assert_eq!(b.close(0, 1), price("19.608213"));
    assert_eq!(b.volume(0, 1), Some(560_518_000.0));
    let last = b.rows() - 1;
    assert_eq!((b.high(last, 0), b.low(last, 0)), (price("395.899994"), price("383.420013")));
    assert_eq!(b.interval(last).end, at("2023-09-21T20:00"));
    assert!(b.is_complete(last));

    request.price = PriceColumn::AdjClose;
    request.basis = Basis::TotalReturn;
    request.from = Date::parse("2013-01-03");
    request.to = Date::parse("2013-01-04");
    let got = import_csv(&request).unwrap();
    assert_eq!((got.batch.rows(), got.batch.spec().has_open), (2, false));
    assert_eq!((got.batch.close(0, 1), got.batch.volume(0, 1)), (price("16.579241"), None));
    assert!(got.ignored_columns.contains(&"volume".to_owned()));
}

#[test]
fn instants_give_bars_of_a_fixed_length() {
    let got = import_csv(&CsvRequest::path(&samples().join("fx/eurusd_1h_ask_2017.csv"), ALWAYS)).unwrap();
    assert_eq!(got.batch.spec().period, BarPeriod::Fixed(Nanos::HOUR));
    assert_eq!(got.batch.interval(0).start, at("2017-01-01T22:00"));
    assert_eq!(got.batch.interval(0).end, at("2017-01-01T23:00"));
    assert_eq!(got.symbols, ["eurusd_1h_ask_2017"]);
    let got = import_csv(&CsvRequest::path(&samples().join("crypto/btcusd_1d_2020_2021.csv"), ALWAYS)).unwrap();
    assert_eq!(got.batch.interval(0).end, at("2020-01-02T00:00"));
    assert_eq!(got.batch.volume(0, 0), Some(18_565_664_997.0));
    let got = import_csv(&CsvRequest::path(&samples().join("crypto/btcusd_15m_2021.csv"), ALWAYS)).unwrap();
    assert_eq!(got.batch.spec().period, BarPeriod::Fixed(Nanos(15 * Nanos::MINUTE.0)));
    let cut = got.quarantine.iter().find(|p| matches!(p.reason, Reason::Overlap { .. })).unwrap();
    assert_eq!((cut.line, cut.value.as_str(), &*cut.column), (2883, "2021-10-27T13:46:02Z", "ts"));
    assert_eq!(got.quarantine.iter().filter(|p| matches!(p.reason, Reason::Duplicate { .. })).count(), 32);
}

fn read(text: &str, calendar: CalendarId) -> Result<Imported, ImportError> {
    import_csv(&CsvRequest::bytes("some/SPX.csv", text.as_bytes(), calendar))
}

/// Line, column, value, reason and whether it was kept, of every problem.
fn check(text: &str, calendar: CalendarId, rows: usize, problems: &[&str]) {
    let got = read(text, calendar).unwrap();
    assert_eq!(got.quarantine.iter().map(ToString::to_string).collect::<Vec<_>>(), problems);
    assert_eq!(got.batch.rows(), rows);
}

#[test]
fn wrong_rows_are_named_and_good_rows_kept() {
    const H: &str = "date,open,high,low,close,volume\n2024-01-02,5,6,4,5,10\n";
    let good = "2024-01-05,5,6,4,5,10\n";
    #[rustfmt::skip]
    let cases: &[(&str, usize, &[&str])] = &[
        ("2024-01-03,5,x,4,5,10\n", 2, &["some/SPX.csv:3: high 'x' is no price: 'x' at character 1 is not part of a decimal number"]),
        ("2024-01-03,5,6,4,0,10\n", 2, &["some/SPX.csv:3: close '0' is not above zero (allow_negative lets it pass)"]),
        ("2024-01-03,5,6,-4,5,10\n", 2, &["some/SPX.csv:3: low '-4' is not above zero (allow_negative lets it pass)"]),
        ("2024-01-03,5,6,4,1e99,10\n", 2, &["some/SPX.csv:3: close '1e99' is no price: out of range"]),
        ("2024-01-03,5,4,6,5,10\n", 2, &["some/SPX.csv:3: high '4' is below the low 6"]),
        ("2024-01-03,5,6,4,7,10\n", 2, &["some/SPX.csv:3: close '7' is outside low 4 to high 6"]),
        ("2024-01-03,5,6,4,6.0005,10\n", 3, &["some/SPX.csv:3: close '6.0005' is outside low 4 to high 6 (kept)"]),
        ("2024-01-03,,6,4,5,10\n", 2, &["some/SPX.csv:3: open '' is empty while other prices of the bar are not"]),
        ("2024-01-03,,,,,\n", 3, &[]),
        ("2024-01-03,5,6,4,5,\n", 3, &["some/SPX.csv:3: volume '' is empty, taken as 0 (kept)"]),
        ("2024-01-03,5,6,4,5,-1\n", 2, &["some/SPX.csv:3: volume '-1' is no volume: a finite number of zero or more is expected"]),
        ("2024-01-03,5,6,4,5,inf\n", 2, &["some/SPX.csv:3: volume 'inf' is no volume: a finite number of zero or more is expected"]),
        ("2024-01-03,5,6,4,5\n", 2, &["some/SPX.csv:3: '2024-01-03,5,6,4,5' has 5 fields where the header has 6"]),
        ("2024-01-03,5,6,4,\"5,10\n", 2, &["some/SPX.csv:3: '2024-01-03,5,6,4,\"5,10' has a quotation mark that is not closed"]),
        ("\"2024-01-03\", 5 ,6,4,\"5\",10\r\n\n", 3, &[]),
        ("03/01/2024,5,6,4,5,10\n", 2, &["some/SPX.csv:3: date '03/01/2024' is no date (YYYY-MM-DD)"]),
        ("2024-01-01,5,6,4,5,10\n", 2, &["some/SPX.csv:3: date '2024-01-01' is no session of the XNYS calendar"]),
        ("2024-01-01,,,,,\n", 2, &[]),
        ("2030-01-02,5,6,4,5,10\n", 2, &["some/SPX.csv:3: date '2030-01-02' is outside the XNYS calendar (1990-01-01 to 2027-12-31)"]),
        ("2024-01-02,7,8,6,7,10\n", 2, &["some/SPX.csv:3: date '2024-01-02' repeats line 2"]),
        // One date far ahead costs one row, not all that follow it.
        ("2025-12-31,5,6,4,5,10\n2024-01-03,5,6,4,5,10\n2024-01-04,5,6,4,5,10\n", 4, &["some/SPX.csv:3: date '2025-12-31' is out of order: line 2 is the row that it does not follow"]),
    ];
    for (row, rows, problems) in cases {
        check(&format!("{H}{row}{good}"), X, *rows, problems);
    }
}

#[test]
fn wide_tables_lose_only_the_wrong_cell() {
    let text = "date,LOW,OPEN\n2024-01-02,5,6\n2024-01-03,,bad\n2024-01-04,7,-8\n";
    let got = read(text, X).unwrap();
    assert_eq!(got.symbols, ["LOW", "OPEN"]);
    assert_eq!(
        got.batch.statuses(0, 3),
        [Status::Ok, Status::Ok, Status::NoData, Status::NoData, Status::Ok, Status::NoData]
    );
    assert_eq!(got.quarantine.iter().map(|p| (p.line, &*p.column)).collect::<Vec<_>>(), [(3, "OPEN"), (4, "OPEN")]);
    let mut request = CsvRequest::bytes("w.csv", text.as_bytes(), X);
    request.allow_negative = true;
    request.symbols = Some(vec!["OPEN".into()]);
    let got = import_csv(&request).unwrap();
    assert_eq!((got.batch.width(), got.batch.close(2, 0)), (1, price("-8")));
}

#[test]
fn tables_of_several_symbols_line_up_by_time() {
    let by_date = "symbol,date,close\nB,2024-01-02,1\nA,2024-01-02,2\nB,2024-01-03,3\nA,2024-01-04,4\n,2024-01-04,4\n";
    let got = read(by_date, X).unwrap();
    assert_eq!(got.symbols, ["B", "A"]);
    let nano = |v: i64| v * 1_000_000_000;
    assert_eq!(got.batch.closes(0, 3), [nano(1), nano(2), nano(3), 0, 0, nano(4)]);
    assert_eq!(got.quarantine[0].reason, Reason::Symbol);
    // From new to old, and minutes of two symbols of which one is half a minute off.
    let backwards = "date,close\n2024-01-04,3\n2024-01-03,2\n2024-01-02,1\n";
    assert_eq!(read(backwards, X).unwrap().batch.closes(0, 3), [nano(1), nano(2), nano(3)]);
    let off = "ts,symbol,close\n0,A,1\n60,A,2\n120,A,3\n90,B,9\n";
    let got = read(off, ALWAYS).unwrap();
    assert_eq!((got.batch.rows(), got.quarantine.len()), (3, 1));
    assert_eq!(got.quarantine[0].reason, Reason::Overlap { line: 3, period: Nanos::MINUTE });
}

#[test]
fn a_label_at_the_end_is_the_end() {
    let mut request = CsvRequest::bytes("x.csv", b"ts,close\n60,1\n120,2\n", ALWAYS);
    request.label = BarLabel::End;
    let got = import_csv(&request).unwrap();
    assert_eq!((got.batch.interval(0).start, got.batch.interval(0).end), (Timestamp(0), Timestamp(60_000_000_000)));
    // Intraday bars outside the session are named.
    let text = "ts,close\n2024-01-02T14:29:00Z,1\n2024-01-02T14:30:00Z,1\n2024-01-02T14:31:00Z,1\n";
    check(text, X, 2, &["some/SPX.csv:2: ts '2024-01-02T14:29:00Z' is no session of the XNYS calendar"]);
}

#[test]
fn large_and_small_numbers() {
    let text = "date,open,high,low,close,volume\n2024-01-02,0.00000001,0.00000001,0.00000001,1e-8,10000000000000\n\
                2024-01-03,9223372036.854775807,9223372036.854775807,1,4.186662803811,18565664997.0\n";
    let got = read(text, X).unwrap();
    assert!(got.quarantine.is_empty());
    assert_eq!((got.batch.close(0, 0), got.batch.volume(0, 0)), (Some(Price::from_nano(10)), Some(1e13)));
    assert_eq!(got.batch.open(1, 0), Some(Price::from_nano(i64::MAX)));
    assert_eq!(got.batch.close(1, 0), price("4.186662804"));
}

#[test]
fn nothing_imported_says_why() {
    let says = |result: Result<Imported, ImportError>, parts: &[&str]| {
        let text = result.unwrap_err().to_string();
        assert!(parts.iter().all(|p| text.contains(p)), "{text}");
    };
    let folder = tempfile::tempdir().unwrap();
    let path = |p: PathBuf| import_csv(&CsvRequest::path(&p, X));
    says(path(folder.path().join("none.csv")), &["none.csv", "no such file"]);
    says(path(folder.path().to_owned()), &["this is a folder"]);
    says(read("", X), &["some/SPX.csv:1", "the file is empty", "date,close"]);
    says(read("a,b\n1,2\n", X), &["'a,b'", "date or ts", "symbol,date,open,high,low,close"]);
    says(read("date\n2024-01-02\n", X), &["no column holds prices"]);
    says(read("date,close,close\n", X), &["'close' is there twice"]);
    says(read("date,close\n", X), &["no bar is left of 0 rows"]);
    says(read("date,close\n2024-01-01,5\n", X), &["no bar is left of 1 rows", "SPX.csv:2", "no session"]);
    says(read("ts,close\n0,5\n", ALWAYS), &["give the period"]);
    says(
        import_csv(&CsvRequest::bytes("x.csv", b"date,close\n2024-01-02,\xff5\n", X)),
        &["x.csv:2", "byte 12", "UTF-8"],
    );
    assert!(matches!(read("token,mean_valence,std\n", X), Err(ImportError::Header { fault: HeaderFault::NoTime, .. })));
    let mut request = CsvRequest::path(&samples().join("equities/us4_ohlcv_2013_2023.csv"), X);
    request.symbols = Some(vec!["APPL".into()]);
    says(import_csv(&request), &["no 'APPL'", "nearest: 'AAPL'", "META"]);
    request.symbols = Some(vec!["AAPL".into(), "AAPL".into()]);
    says(import_csv(&request), &["'AAPL' is in it twice"]);
    request.symbols = Some(vec![]);
    says(import_csv(&request), &["it is empty"]);
    let mut request = CsvRequest::bytes("x.csv", b"date,close\n2024-01-02,5\n", X);
    request.price = PriceColumn::AdjClose;
    says(import_csv(&request), &["no column 'adj_close'", "date, close"]);
    request.price = PriceColumn::Close;
    request.symbols = Some(vec!["A".into(), "B".into()]);
    says(import_csv(&request), &["one series", "2 names"]);
    // 20,000 symbols on 20,000 dates would need 400 million cells.
    let mut text = "symbol,ts,close\n".to_owned();
    (0..20_000).for_each(|n| text += &format!("S{n},{},1\n", n * 60));
    says(read(&text, ALWAYS), &["20000 symbols"]);
}

/// A few rows of each shape, to be spoilt.
const SEEDS: [&str; 5] = [
    "symbol,date,open,high,low,close,volume,adj_close\nAAPL,2013-01-02,19.77,19.82,19.34,19.6,560518000,16.7\nMSFT,2013-01-02,5,6,4,5,1,5\nAAPL,2013-01-03,19.5,19.6,19.3,19.3,352965200,16.5\n",
    "date,open,high,low,close,adj_close,volume\n1999-01-04,1229.22998,1248.810059,1219.099976,1228.099976,1228.099976,877000000\n1999-01-05,1228.0,1246.1,1228.0,1244.7,1244.7,775000000\n",
    "ts,open,high,low,close,volume\n2017-01-01T22:00:00Z,1.05236,1.05253,1.05221,1.05227,143539993.3\n2017-01-01T23:00:00Z,1.05227,1.05426,1.05226,1.05282,253139999.4\n1483315200,1,1,1,1,1\n",
    "date,AAPL,AMD\n1990-01-02,0.264,4.125\n1990-01-03,0.266,4.0\n1990-01-04,,\"4.1\"\n",
    "date,price\n1986-01-02,25.56\n1986-01-03,26.0\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic_and_no_row_vanishes(
        seed in 0..SEEDS.len(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0_u8..6, any::<u8>()), 0..12),
        options in (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let mut bytes = SEEDS[seed].as_bytes().to_vec();
        for (at, kind, byte) in edits {
            if bytes.is_empty() {
                break;
            }
            let i = at.index(bytes.len());
            match kind {
                0 => bytes[i] = byte,
                1 => bytes.insert(i, byte),
                2 => { bytes.remove(i); }
                3 => bytes.truncate(i),
                4 => bytes[i] = b"0123456789.,-\n\"eE+:TZ "[usize::from(byte) % 22],
                _ => { let copy = bytes[i..].to_vec(); bytes.extend(copy); }
            }
        }
        let mut request = CsvRequest {
            source: CsvSource::Bytes { name: "x.csv".to_owned(), bytes: &bytes },
            ..CsvRequest::bytes("", b"", if options.0 { X } else { ALWAYS })
        };
        request.allow_negative = options.1;
        request.price = if options.2 { PriceColumn::Close } else { PriceColumn::AdjClose };
        request.label = if options.3 { BarLabel::Start } else { BarLabel::End };
        match import_csv(&request) {
            Ok(got) => {
                prop_assert!(got.cells_kept > 0 && got.symbols.len() == got.batch.width());
                prop_assert!(got.quarantine.iter().all(|p| p.line > 1 && !p.to_string().is_empty()));
                let again = import_csv(&request).unwrap();
                prop_assert_eq!(again.batch.id(), got.batch.id());
            }
            Err(e) => prop_assert!(e.to_string().len() > 10),
        }
    }
}
