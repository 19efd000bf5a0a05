//! Bad files, one row each: what an import says, what it keeps, and that nothing is lost.

use std::io::Write;
use std::path::{Path, PathBuf};

use tradegraph_domain::{Currency, Date};
use tradegraph_market::calendar::CalendarId;
use tradegraph_store::dataset::{DateForm, Kind, Outcome, StoredType, Zone};
use tradegraph_store::{Catalog, DatasetError, ImportOptions};

/// What must come of a file.
enum Then {
    /// An error with all of these words; nothing is in the catalog.
    Refused(&'static [&'static str]),
    /// Rows read, kept and quarantined, then the problems as `code count` in order of codes.
    Kept(u64, u64, u64, &'static [&'static str]),
}
use Then::{Kept, Refused};

struct Case {
    name: &'static str,
    /// Name of the file.
    file: &'static str,
    bytes: Vec<u8>,
    tell: fn(&mut ImportOptions),
    then: Then,
}

fn text(name: &'static str, text: &str, then: Then) -> Case {
    Case { name, file: "x.csv", bytes: text.as_bytes().to_vec(), tell: |_| {}, then }
}

fn told(name: &'static str, text: &str, tell: fn(&mut ImportOptions), then: Then) -> Case {
    Case { name, file: "x.csv", bytes: text.as_bytes().to_vec(), tell, then }
}

fn bytes(name: &'static str, file: &'static str, bytes: Vec<u8>, then: Then) -> Case {
    Case { name, file, bytes, tell: |_| {}, then }
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

fn utf16(text: &str, mark: bool) -> Vec<u8> {
    let mark = if mark { vec![0xFF, 0xFE] } else { vec![] };
    mark.into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

/// Ten good rows of minutes, enough for a gzip file to be cut in.
fn minutes(n: usize) -> String {
    let rows =
        (0..n).map(|k| format!("{},{}.{:03},{}\n", 1_600_000_000 + 60 * k, 100 + k % 7, k % 1_000, k * 7_919 % 10_007));
    "ts,close,volume\n".to_owned() + &rows.collect::<String>()
}

const BARS: &str = "date,open,high,low,close,volume\n2024-01-02,5,6,4,5,10\n";

fn bars(rows: &str) -> String {
    format!("{BARS}{rows}")
}

fn cases() -> Vec<Case> {
    let cut = gzip(minutes(20_000).as_bytes());
    let mut damaged = cut.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40].fill(0x55);
    let types = fixture("types.parquet");
    let mut footer = types.clone();
    let end = footer.len();
    footer[end - 60..end - 20].fill(0xAA);
    vec![
        // Headers
        text("empty", "", Refused(&["x.csv", "the file is empty"])),
        bytes("nothing but a byte-order mark", "x.csv", b"\xEF\xBB\xBF".to_vec(), Refused(&["the file is empty"])),
        text("header only", "date,close\n", Refused(&["nothing can be kept of 0 rows"])),
        text("blank lines only", "\n\n\n", Refused(&["x.csv:1", "it is empty"])),
        text(
            "columns of no kind",
            "a,b\nx,y\n",
            Refused(&["cannot be told from its columns (a, b)", "tell the kind", "bars"]),
        ),
        text("no price", "date,volume_text\n2024-01-02,x\n", Refused(&["cannot be told"])),
        told(
            "a kind without its columns",
            "date,x\n2024-01-02,1\n",
            |o| o.kind = Some(Kind::Trades),
            Refused(&["for trades a column is missing: price", "px"]),
        ),
        told(
            "a kind without its time",
            "symbol,close\nA,1\n",
            |o| o.kind = Some(Kind::Bars),
            Refused(&["missing: its time", "ts"]),
        ),
        text("a header twice", "date,close,close\n2024-01-02,1,2\n", Refused(&["'close' is there twice"])),
        text("a column without a name", "date,,close\n2024-01-02,1,2\n", Refused(&["column 2 has no name"])),
        text("no header at all", "2024-01-02,5\n2024-01-03,6\n", Refused(&["looks like data", "tell the names"])),
        told(
            "no header, names told",
            "2024-01-02,5\n2024-01-03,6\n",
            |o| o.header = Some(vec!["date".into(), "close".into()]),
            Kept(2, 2, 0, &[]),
        ),
        told(
            "too few names told",
            "2024-01-02,5\n",
            |o| o.header = Some(vec!["date".into()]),
            Refused(&["1 names were told, the first row has 2"]),
        ),
        text(
            "date and time of day apart",
            "date,time,close\n2024-01-02,09:30,5\n2024-01-02,09:31,5\n",
            Refused(&["'date' has dates and 'time' times of day", "join them"]),
        ),
        told(
            "a role of no column",
            BARS,
            |o| {
                o.roles.insert("klose".into(), "close".into());
            },
            Refused(&["'klose' was told", "date, open"]),
        ),
        told("nothing to ignore", BARS, |o| o.ignore = vec!["x".into()], Refused(&["'x' was told"])),
        // Numbers
        text("text in a number", &bars("2024-01-03,5,6,4,five,10\n"), Kept(2, 1, 1, &["number 1"])),
        text("NaN", &bars("2024-01-03,5,6,4,NaN,10\n"), Kept(2, 1, 1, &["missing-marker 1"])),
        told(
            "NaN told to be missing",
            &bars("2024-01-03,5,6,4,NaN,10\n"),
            |o| o.missing = vec!["NaN".into()],
            Kept(2, 2, 0, &[]),
        ),
        text("infinity", &bars("2024-01-03,5,6,4,5,inf\n"), Kept(2, 1, 1, &["infinite 1"])),
        text("a volume of 1e400", &bars("2024-01-03,5,6,4,5,1e400\n"), Kept(2, 1, 1, &["out-of-range 1"])),
        text(
            "a price that does not fit",
            &bars("2024-01-03,5,10000000000,4,5,1\n"),
            Kept(2, 1, 1, &["out-of-range 1"]),
        ),
        text(
            "thousands separators",
            &bars("2024-01-03,5,6,4,5,\"1,000\"\n"),
            Kept(2, 1, 1, &["thousands-separator 1"]),
        ),
        text("a decimal comma among dots", &bars("2024-01-03,\"5,5\",6,4,5,1\n"), Kept(2, 1, 1, &["decimal-mark 1"])),
        text("a currency sign", &bars("2024-01-03,$5,6,4,5,1\n"), Kept(2, 1, 1, &["number 1"])),
        text("two wrong cells of a row", &bars("2024-01-03,a,6,b,5,1\n"), Kept(2, 1, 1, &["number 2"])),
        text(
            "a wrong cell of a wide table",
            "date,eur,usd\n2024-01-02,1,2\n2024-01-03,x,3\n2024-01-04,2,3\n",
            Kept(3, 3, 0, &["number 1"]),
        ),
        // Implausible, not unreadable: kept for the quality checks.
        text("zero and negative prices", &bars("2024-01-03,0,6,-4,5,1\n"), Kept(2, 2, 0, &[])),
        text("a print of a hundred times the price", &bars("2024-01-03,500,600,400,500,1\n"), Kept(2, 2, 0, &[])),
        text("an unadjusted split", &bars("2024-01-03,2.5,3,2,2.5,20\n"), Kept(2, 2, 0, &[])),
        text("a high below the low", &bars("2024-01-03,5,4,6,5,1\n"), Kept(2, 2, 0, &[])),
        text("a row twice", &bars("2024-01-02,5,6,4,5,10\n"), Kept(2, 2, 0, &[])),
        text("out of order", &bars("2023-12-29,5,6,4,5,10\n"), Kept(2, 2, 0, &[])),
        text("a row of empty cells", &bars("2024-01-03,,,,,\n"), Kept(2, 2, 0, &[])),
        text("crossed quotes", "ts,bid,ask\n1600000000,2,1\n1600000001,1,2\n", Kept(2, 2, 0, &[])),
        told(
            "a day without a session",
            &bars("2024-01-01,5,6,4,5,10\n2031-01-02,5,6,4,5,1\n"),
            |o| o.calendar = Some(CalendarId::Xnys),
            Kept(3, 3, 0, &["no-session 1", "outside-calendar 1"]),
        ),
        // Required cells
        text(
            "a trade without a price",
            "ts,price,size\n1600000000,5,1\n1600000001,,1\n",
            Kept(2, 1, 1, &["missing 1"]),
        ),
        text(
            "a row without a symbol",
            "symbol,date,close\nA,2024-01-02,1\n,2024-01-03,2\n",
            Kept(2, 1, 1, &["missing 1"]),
        ),
        text("a row without a time", "symbol,date,close\nA,2024-01-02,1\nA,,2\n", Kept(2, 1, 1, &["missing 1"])),
        text(
            "actions",
            "symbol,ex_date,kind,ratio,amount,to\nA,2024-01-02,split,2:1,,\nA,2024-01-03,split,two,,\nA,2024-01-03,spin-off,,,\nA,2024-01-04,dividend,,0,\nA,2024-01-04,dividend,,,\nA,2024-01-05,rename,,,B\nA,2024-01-08,rename,,,\n",
            Kept(7, 2, 5, &["action 4", "unknown-word 1"]),
        ),
        text(
            "an option that is neither call nor put",
            "date,underlying,strike,expiration,type\n2024-01-02,A,5,2024-02-16,call\n2024-01-02,A,5,2024-02-16,straddle\n",
            Kept(2, 1, 1, &["unknown-word 1"]),
        ),
        // Dates and times
        text(
            "impossible dates",
            &bars("2023-02-29,5,6,4,5,1\n2024-13-01,5,6,4,5,1\n"),
            Kept(3, 1, 2, &["impossible-date 2"]),
        ),
        text("dates of another form", &bars("03/01/2024,5,6,4,5,1\n"), Kept(2, 1, 1, &["date 1"])),
        told(
            "dates of another form, told",
            "date,close\n03/01/2024,5\n31/01/2024,6\n",
            |o| o.dates = Some(DateForm::DayFirst),
            Kept(2, 2, 0, &[]),
        ),
        text("a date before all calendars", &bars("0001-01-01,5,6,4,5,1\n"), Kept(2, 1, 1, &["far-time 1"])),
        text(
            "no time",
            "ts,close\n2024-01-02T00:00:00Z,1\n2024-01-02T00:01:00Z,2\nnoon,3\n",
            Kept(3, 2, 1, &["time 1"]),
        ),
        text(
            "times of several zones",
            "ts,close\n2024-01-02T00:00:00Z,1\n2024-01-02T01:01:00+01:00,2\n2024-01-01T19:02:00-05:00,3\n",
            Kept(3, 3, 0, &[]),
        ),
        text(
            "times without an offset among others",
            "ts,close\n2024-01-02T00:00:00Z,1\n2024-01-02T00:01:00Z,2\n2024-01-02T00:02:00,3\n",
            Kept(3, 2, 1, &["no-offset 1"]),
        ),
        told(
            "the hour that comes twice and the one that never comes",
            "ts,close\n2021-11-07 00:30:00,1\n2021-11-07 01:30:00,2\n2021-11-07 02:30:00,3\n2021-03-14 02:30:00,4\n",
            |o| o.zone = Zone::parse("America/New_York"),
            Kept(4, 2, 2, &["ambiguous-time 1", "nonexistent-time 1"]),
        ),
        text("one bar of an unknown length", "ts,close\n1600000000,1\n", Refused(&["tell the period"])),
        told("a lag into the past", BARS, |o| o.lag = tradegraph_domain::Nanos(-1), Refused(&["lag"])),
        // Shape
        text(
            "too many and too few fields",
            &bars("2024-01-03,5,6,4,5,10,11\n2024-01-04,5,6\n2024-01-05,5,6,4,5,1\n"),
            Kept(4, 2, 2, &["fields 2"]),
        ),
        text(
            "a file cut in the middle of a row",
            &bars("2024-01-03,5,6,4,5,1\n2024-01-04,5,6"),
            Kept(3, 2, 1, &["fields 1"]),
        ),
        text(
            "a quotation mark that is not closed",
            &bars("2024-01-03,\"5,6,4,5,1\n2024-01-04,5,6,4,5,1\n2024-01-05,5,6,4,5,1\n"),
            Kept(4, 3, 1, &["quotes 1"]),
        ),
        text(
            "a mark in free text",
            "ts,text\n1600000000,\"fine\"\n1600000001,\"not closed\n1600000002,fine\n1600000003,5\" nails\n",
            Kept(4, 3, 1, &["quotes 1"]),
        ),
        bytes(
            "NUL bytes",
            "x.csv",
            bars("2024-01-03,5,6,4,5,1\0\n2024-01-04,5,6,4,5,1\n").into_bytes(),
            Kept(3, 2, 1, &["nul-byte 1", "number 1"]),
        ),
        text("CRLF", &bars("2024-01-03,5,6,4,5,1\n").replace('\n', "\r\n"), Kept(2, 2, 0, &[])),
        text("CR alone", &bars("2024-01-03,5,6,4,5,1\n").replace('\n', "\r"), Refused(&["CR alone", "LF"])),
        bytes("a byte-order mark", "x.csv", [b"\xEF\xBB\xBF", BARS.as_bytes()].concat(), Kept(1, 1, 0, &[])),
        text(
            "semicolons and decimal commas",
            "date;close;volume\n2024-01-02;5,25;1000\n2024-01-03;1.234,5;7\n",
            Kept(2, 1, 1, &["thousands-separator 1"]),
        ),
        text(
            "commas that may be either",
            "date;close\n2024-01-02;1,234\n",
            Refused(&["may be thousands or decimals", "decimal_comma"]),
        ),
        told(
            "commas that may be either, told",
            "date;close\n2024-01-02;1,234\n",
            |o| o.decimal_comma = Some(true),
            Kept(1, 1, 0, &[]),
        ),
        text("tabs", "date\tclose\n2024-01-02\t5\n", Kept(1, 1, 0, &[])),
        text("bars", "date|close\n2024-01-02|5\n", Kept(1, 1, 0, &[])),
        told(
            "a line without an end",
            &format!("date,close\n2024-01-02,{}\n", "9".repeat(400_000)),
            |o| o.line_limit = 300_000,
            Refused(&["x.csv:2", "longer than 300000 bytes"]),
        ),
        // Encodings and formats
        bytes(
            "Latin-1",
            "x.csv",
            b"symbol,date,close\nSoci\xE9t\xE9,2024-01-02,1\n".to_vec(),
            Refused(&["x.csv:2: byte 5", "0xE9", "'é' in Latin-1", "UTF-8"]),
        ),
        bytes("UTF-16 with a mark", "x.csv", utf16(BARS, true), Refused(&["UTF-16", "save the file as UTF-8"])),
        bytes("UTF-16 without a mark", "x.csv", utf16(BARS, false), Refused(&["UTF-16"])),
        bytes("a gzip file", "x.csv.gz", gzip(minutes(10).as_bytes()), Kept(10, 10, 0, &[])),
        bytes(
            "a gzip file cut short",
            "x.csv.gz",
            cut[..cut.len() * 2 / 3].to_vec(),
            Refused(&["cut off after 1", "whole rows", "nothing was imported"]),
        ),
        bytes("a damaged gzip file", "x.csv.gz", damaged, Refused(&["gzip file is damaged after", "whole rows"])),
        bytes("a gzip file called CSV", "x.csv", gzip(minutes(10).as_bytes()), Kept(10, 10, 0, &[])),
        bytes("an archive", "x.csv", b"PK\x03\x04rest".to_vec(), Refused(&["a zip archive or an Excel workbook"])),
        bytes("a page", "x.csv", b"<!DOCTYPE html><p>404".to_vec(), Refused(&["HTML", "download"])),
        bytes("CSV called Parquet", "x.parquet", BARS.as_bytes().to_vec(), Kept(1, 1, 0, &[])),
        bytes("Parquet called CSV", "x.csv", types.clone(), Kept(3, 3, 0, &[])),
        bytes(
            "messages",
            "x.jsonl",
            b"17 {\"a\":1}\n18 {\"a\":\nnoise\nx {}\n{\"ts\":19}\n{\"a\":20}\n".to_vec(),
            Kept(6, 2, 4, &["json 1", "message 1", "missing 1", "time 1"]),
        ),
        // Parquet of others
        bytes("Parquet of all types", "x.parquet", types.clone(), Kept(3, 3, 0, &[])),
        bytes(
            "Parquet with NaN and infinity",
            "x.parquet",
            fixture("midnights.parquet"),
            Kept(3, 1, 2, &["infinite 1", "missing-marker 1"]),
        ),
        bytes(
            "Parquet with a price that does not fit",
            "x.parquet",
            fixture("range.parquet"),
            Kept(3, 2, 1, &["out-of-range 1"]),
        ),
        bytes("old Parquet times", "x.parquet", fixture("int96.parquet"), Kept(3, 3, 0, &[])),
        bytes(
            "nested Parquet",
            "x.parquet",
            fixture("nested.parquet"),
            Refused(&["column 'book' is nested", "ignore"]),
        ),
        Case {
            tell: |o| o.ignore = vec!["book".into()],
            ..bytes("nested Parquet, ignored", "x.parquet", fixture("nested.parquet"), Kept(3, 3, 0, &[]))
        },
        bytes(
            "Parquet with times of day",
            "x.parquet",
            fixture("clock.parquet"),
            Refused(&["column 'clock'", "not read"]),
        ),
        bytes(
            "Parquet packed in another way",
            "x.parquet",
            fixture("brotli.parquet"),
            Refused(&["Parquet file cannot be read", "brotli"]),
        ),
        bytes(
            "Parquet without rows",
            "x.parquet",
            fixture("empty.parquet"),
            Refused(&["nothing can be kept of 0 rows"]),
        ),
        bytes(
            "Parquet cut short",
            "x.parquet",
            types[..types.len() / 2].to_vec(),
            Refused(&["Parquet file cannot be read"]),
        ),
        bytes("Parquet with a damaged footer", "x.parquet", footer, Refused(&["Parquet file cannot be read"])),
        // Told
        told("a snapshot without its date", "symbol,eps\nA,1\n", |_| {}, Refused(&["snapshot", "tell it"])),
        told("a snapshot", "symbol,eps\nA,1\nB,n/a\n", |o| o.snapshot = Date::parse("2024-01-02"), Kept(2, 2, 0, &[])),
        told(
            "a type that the cells do not keep to",
            "symbol,eps\nA,1\nB,n/a\n",
            |o| {
                o.snapshot = Date::parse("2024-01-02");
                o.types.insert("eps".into(), StoredType::Number);
            },
            Kept(2, 1, 1, &["missing-marker 1"]),
        ),
        told(
            "a symbol for a file of many",
            "symbol,date,close\nA,2024-01-02,1\n",
            |o| o.symbol = Some("B".into()),
            Refused(&["symbol", "names its series itself"]),
        ),
        told(
            "no symbol of those asked for",
            "symbol,date,close\nA,2024-01-02,1\n",
            |o| o.symbols = Some(vec!["B".into()]),
            Refused(&["nothing can be kept of 1 rows"]),
        ),
        told(
            "a column that is not there",
            "date,eur,usd\n2024-01-02,1,2\n",
            |o| o.symbols = Some(vec!["gbp".into()]),
            Refused(&["'gbp' was told", "eur, usd"]),
        ),
        told(
            "months of a file of bars",
            BARS,
            |o| o.period = tradegraph_store::dataset::Period::parse("month"),
            Refused(&["period", "tables, not of bars"]),
        ),
        told("a name that is none", BARS, |o| o.name = Some("a\nb".into()), Refused(&["name", "printable"])),
    ]
}

#[test]
fn every_bad_file_has_its_outcome() {
    let all = cases();
    assert!(all.len() >= 40, "{}", all.len());
    for case in all {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(case.file);
        std::fs::write(&path, &case.bytes).unwrap();
        let datasets = Catalog::open(place.path()).unwrap().datasets();
        let mut options = ImportOptions::default();
        (case.tell)(&mut options);
        let name = case.name;
        match (datasets.import(&path, &options, &mut |_| {}), case.then) {
            (Err(e), Refused(words)) => {
                let text = e.to_string();
                assert!(words.iter().all(|w| text.contains(w)), "{name}: {text}");
                assert!(datasets.list().unwrap().is_empty(), "{name}");
                assert_eq!(leftovers(place.path()), Vec::<String>::new(), "{name}");
            }
            (Ok(report), Kept(read, kept, quarantined, problems)) => {
                let rows = report.manifest.rows;
                let found: Vec<String> = report.manifest.problems.iter().map(|(c, n)| format!("{c} {n}")).collect();
                let first = report.manifest.first_problems.first().map(ToString::to_string);
                assert_eq!(
                    (rows.read, rows.kept, rows.quarantined, found),
                    (read, kept, quarantined, problems.iter().map(ToString::to_string).collect()),
                    "{name}: {first:?}"
                );
                assert_eq!(report.outcome, Outcome::Added, "{name}");
                nothing_is_lost(&case.bytes, &report, quarantined, name);
                datasets.open(report.id).unwrap().verify().unwrap();
            }
            (Ok(report), Refused(_)) => panic!("{name}: imported {:?}", report.manifest.rows),
            (Err(e), Kept(..)) => panic!("{name}: {e}"),
        }
    }
}

/// The quarantine file has each row that was not kept, as it was.
fn nothing_is_lost(source: &[u8], report: &tradegraph_store::ImportReport, quarantined: u64, name: &str) {
    let Some(path) = &report.quarantine else {
        assert_eq!((quarantined, report.manifest.rows.cells_left_out), (0, 0), "{name}");
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.starts_with("file,line,column,value,reason,row\n"), "{name}");
    let mut lines: Vec<&str> = text.lines().skip(1).filter_map(|l| l.split(',').nth(1)).collect();
    lines.dedup();
    let whole = report.manifest.rows.cells_left_out + quarantined;
    assert_eq!(lines.len() as u64, whole, "{name}: {text}");
    if report.manifest.source.format == "csv" {
        let source = String::from_utf8_lossy(source).into_owned();
        for line in lines {
            let row = source.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
            assert!(text.contains(&row.replace('"', "\"\"")) || text.contains(row), "{name}: {row} is not in {text}");
        }
    }
}

/// Files that an import left besides data sets and quarantines.
fn leftovers(home: &Path) -> Vec<String> {
    let folders = ["catalog/data", "catalog/quarantine"];
    let names = folders.iter().filter_map(|f| std::fs::read_dir(home.join(f)).ok()).flatten();
    names.map(|f| f.unwrap().file_name().into_string().unwrap()).filter(|n| n != ".lock").collect()
}

#[test]
fn the_message_names_file_line_column_and_reason() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("SPX.csv");
    std::fs::write(&path, bars("2024-01-03,5,\"1,234.5\",4,5,10\n2024-01-04,5,6\n")).unwrap();
    let datasets = Catalog::open(place.path()).unwrap().datasets();
    let report = datasets.import(&path, &ImportOptions::default(), &mut |_| {}).unwrap();
    let shown: Vec<String> = report.manifest.first_problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "3: high '1,234.5' has thousands separators; write the number without them",
            "4: '2024-01-04,5,6' has 3 fields where the header has 6"
        ]
    );
    let quarantine = std::fs::read_to_string(report.quarantine.unwrap()).unwrap();
    let file = path.display();
    assert_eq!(
        quarantine,
        format!(
            "file,line,column,value,reason,row\n\
             {file},3,high,\"1,234.5\",has thousands separators; write the number without them,\"2024-01-03,5,\"\"1,234.5\"\",4,5,10\"\n\
             {file},4,,\"2024-01-04,5,6\",has 3 fields where the header has 6,\"2024-01-04,5,6\"\n"
        )
    );
}

#[test]
fn files_that_are_none() {
    let place = tempfile::tempdir().unwrap();
    let datasets = Catalog::open(place.path()).unwrap().datasets();
    let says = |path: &Path, words: &[&str]| {
        let text = datasets.import(path, &ImportOptions::default(), &mut |_| {}).unwrap_err().to_string();
        assert!(words.iter().all(|w| text.contains(w)) && text.contains(path.to_str().unwrap()), "{text}");
    };
    says(place.path(), &["this is a folder"]);
    says(&place.path().join("none.csv"), &["there is no such file"]);
    says(Path::new("/dev/null"), &["no regular file"]);
    assert!(
        Currency::parse("EURO?").is_none() && Currency::parse("EUR").is_some(),
        "unknown currencies are no options"
    );
    assert!(matches!(datasets.get("x"), Err(DatasetError::NotFound { .. })));
}

#[test]
fn parquet_of_others_is_read_as_its_writer_meant_it() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("types.parquet");
    std::fs::write(&path, fixture("types.parquet")).unwrap();
    let datasets = Catalog::open(place.path()).unwrap().datasets();
    let minute = tradegraph_store::dataset::Period::parse("1m");
    let report = datasets.import(&path, &ImportOptions { period: minute, ..Default::default() }, &mut |_| {}).unwrap();
    let dataset = datasets.open(report.id).unwrap();
    let chunk = dataset.read(&[]).unwrap().next().unwrap().unwrap();
    let show = |name: &str| (0..3).map(|r| chunk.column(name).unwrap().show(r)).collect::<Vec<_>>();
    assert_eq!(show("start"), ["2024-01-02T14:30:00Z", "2024-01-02T14:31:00Z", "2024-01-02T14:32:00Z"]);
    assert_eq!(show("known_at"), ["2024-01-02T14:31:00Z", "2024-01-02T14:32:00Z", "2024-01-02T14:33:00Z"]);
    assert_eq!(show("symbol"), ["A", "B", "A"]);
    assert_eq!(show("open"), ["1.1", "2.2", "3.3"]); // float32: by its own shortest decimal
    assert_eq!(show("high"), ["1.2", "2.3", ""]);
    assert_eq!(show("low"), ["1", "2", "3"]);
    assert_eq!(chunk.column("volume").unwrap().numbers(), Some(&[1.0, 2.0, 9_223_372_036_854_775_808.0][..]));
    assert_eq!(show("flag"), ["true", "", "false"]);
    assert_eq!(show("settled"), ["2024-01-02", "2024-01-03", "2024-01-04"]);
    assert_eq!(show("note"), ["x", "", ""]);
    assert_eq!(show("wide"), ["1234567890123456789015e-1", "-5e-1", ""]);
    assert_eq!(show("line"), ["1", "2", "3"]);

    std::fs::write(&path, fixture("int96.parquet")).unwrap();
    let report =
        datasets.import(&path, &ImportOptions { name: Some("old".into()), ..Default::default() }, &mut |_| {}).unwrap();
    let chunk = datasets.open(report.id).unwrap();
    let chunk = chunk.read(&["ts"]).unwrap().next().unwrap().unwrap();
    assert_eq!(chunk.column("ts").unwrap().show(2), "2024-01-02T14:32:00Z");
}
