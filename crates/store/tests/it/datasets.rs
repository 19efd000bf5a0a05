//! Data sets: importing twice, interrupted, without room, without rights; names; damage; types that later rows change.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tradegraph_domain::{BarPeriod, Basis, Date, Nanos, Price, Timestamp};
use tradegraph_market::calendar::CalendarId;
use tradegraph_store::dataset::{BatchPrice, BatchRequest, Kind, Outcome, Parser, Period, StoredType, Zone, fuzz};
use tradegraph_store::{Catalog, CsvRequest, DatasetError, Datasets, ImportOptions, ImportReport, import_csv};

fn samples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../samples")
}

fn datasets(home: &Path) -> Datasets {
    Catalog::open(home).unwrap().datasets()
}

fn import(
    home: &Path,
    name: &str,
    text: &str,
    tell: impl FnOnce(&mut ImportOptions),
) -> Result<ImportReport, DatasetError> {
    let path = home.join(name);
    std::fs::write(&path, text).unwrap();
    let mut options = ImportOptions::default();
    tell(&mut options);
    datasets(home).import(&path, &options, &mut |_| {})
}

/// Every file of the catalog with its bytes and the time of its last change.
fn state(home: &Path) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
    let mut files = Vec::new();
    for folder in ["catalog/data", "catalog/quarantine"] {
        for file in std::fs::read_dir(home.join(folder)).unwrap() {
            let path = file.unwrap().path();
            let changed = std::fs::metadata(&path).unwrap().modified().unwrap();
            files.push((path.clone(), std::fs::read(&path).unwrap(), changed));
        }
    }
    files.sort();
    files
}

const ROWS: &str = "symbol,date,close,note\nA,2024-01-02,1.5,7\nB,2024-01-02,x,8\nA,2024-01-03,2.5,9\n";

#[test]
fn the_same_file_twice_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let first = import(home.path(), "a.csv", ROWS, |_| {}).unwrap();
    assert_eq!((first.outcome, first.manifest.rows.quarantined), (Outcome::Added, 1));
    let before = state(home.path());
    assert_eq!(before.len(), 3, "data, quarantine, lock");
    assert_eq!(import(home.path(), "a.csv", ROWS, |_| {}).unwrap().outcome, Outcome::Unchanged);
    // Another file name is no other content, and neither are lines that were not kept.
    let renamed = import(home.path(), "b.csv", ROWS, |_| {}).unwrap();
    assert_eq!((renamed.id, renamed.outcome), (first.id, Outcome::KnownAs("a".into())));
    let cleaned = ROWS.replace("B,2024-01-02,x,8\n", "");
    assert_eq!(import(home.path(), "b.csv", &cleaned, |_| {}).unwrap().outcome, Outcome::KnownAs("a".into()));
    assert_eq!(state(home.path()), before);
    // What changes the meaning changes the id.
    for tell in [
        (|o| o.basis = Some(Basis::SplitAdjusted)) as fn(&mut ImportOptions),
        |o| o.calendar = Some(CalendarId::Xnys),
        |o| o.lag = Nanos::DAY,
        |o| o.zone = Zone::parse("-05:00"),
        |o| o.kind = Some(Kind::Table),
    ] {
        let other = import(home.path(), "c.csv", ROWS, |o| {
            tell(o);
            o.replace = true;
        });
        assert_ne!(other.unwrap().id, first.id);
    }
}

#[test]
fn free_text_is_kept_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let text =
        "symbol,ts,text\r\n A ,1600000000,  two  \r\nB,1600000001,\"\"\"so\"\",\nhe said \"\r\nC,1600000002,  \r\n";
    let report = import(home.path(), "t.csv", text, |_| {}).unwrap();
    assert_eq!((report.manifest.rows.kept, report.manifest.rows.quarantined), (3, 0));
    let dataset = datasets(home.path()).get("t").unwrap();
    let chunk = dataset.read(&["symbol", "text"]).unwrap().next().unwrap().unwrap();
    let column = |name: &str| (0..3).map(|r| chunk.column(name).unwrap().text(r)).collect::<Vec<_>>();
    assert_eq!(column("symbol"), [Some("A"), Some("B"), Some("C")]);
    assert_eq!(column("text"), [Some("  two  "), Some("\"so\",\nhe said "), None]);
}

#[test]
fn a_name_belongs_to_one_content() {
    let home = tempfile::tempdir().unwrap();
    let sets = datasets(home.path());
    let first = import(home.path(), "a.csv", ROWS, |_| {}).unwrap();
    let other = ROWS.replace("1.5", "1.6");
    let text = import(home.path(), "a.csv", &other, |_| {}).unwrap_err().to_string();
    assert!(text.contains("'a' is taken") && text.contains("replace"), "{text}");
    let second = import(home.path(), "a.csv", &other, |o| o.replace = true).unwrap();
    assert_eq!(second.outcome, Outcome::Replaced(first.id));
    assert_eq!(sets.find("a").unwrap(), second.id);
    assert!(!sets.path(first.id).exists() && !sets.quarantine_path(first.id).exists());
    assert_eq!(sets.find(&second.id.to_string()[..6]).unwrap(), second.id);
    let third = import(home.path(), "apple.csv", &ROWS.replace("1.5", "9"), |_| {}).unwrap();
    let text = sets.find("aple").unwrap_err().to_string();
    assert!(text.contains("nearest: 'apple'"), "{text}");
    sets.remove(third.id).unwrap();
    assert_eq!(sets.list().unwrap().len(), 1);
    assert!(matches!(sets.remove(third.id), Err(DatasetError::NotFound { .. })));
}

#[test]
fn later_rows_may_change_what_the_first_ones_suggest() {
    let home = tempfile::tempdir().unwrap();
    // More rows than the first look sees, then text, a fraction, a price of 19 digits and other steps.
    let mut text = "ts,close,count_of,share,tag\n".to_owned();
    let n = 40_000;
    (0..n).for_each(|k| {
        text += &format!("{},1.5,{k},1,1\n", if k < n / 4 { k * 60 } else { n * 15 + (k - n / 4) * 300 })
    });
    text += &format!("{},2000000000.5,7,0.5,007\n", n * 15 + n * 300);
    let report = import(home.path(), "late.csv", &text, |_| {}).unwrap();
    let kind = |name: &str| report.manifest.columns.iter().find(|c| c.name == name).unwrap().kind;
    assert_eq!(
        (kind("count_of"), kind("share"), kind("tag")),
        (StoredType::Integer, StoredType::Number, StoredType::Text)
    );
    assert_eq!(report.manifest.period(), Some(Period::Fixed(Nanos(300 * Nanos::SECOND.0))));
    assert_eq!(report.manifest.rows.kept, n + 1);
    let dataset = datasets(home.path()).get("late").unwrap();
    dataset.verify().unwrap();
    let last = dataset.read(&["close", "tag", "line"]).unwrap().last().unwrap().unwrap();
    let row = last.rows() - 1;
    assert_eq!(last.column("close").unwrap().price(row), Some(Price::parse("2000000000.5").unwrap()));
    assert_eq!(
        (last.column("tag").unwrap().text(row), last.column("line").unwrap().integer(row)),
        (Some("007"), Some(n as i64 + 2))
    );
}

#[test]
fn no_row_is_read_before_it_was_known() {
    let home = tempfile::tempdir().unwrap();
    let at = |text: &str| Timestamp(Date::parse(text).unwrap().midnight().0);
    let known = |name: &str, ts: Timestamp| -> u64 {
        let dataset = datasets(home.path()).get(name).unwrap();
        dataset.read_known_by(ts, &["line"]).unwrap().map(|c| c.unwrap().rows() as u64).sum()
    };
    let monthly = "month,cpi\n2024-01,1\n2024-02,2\n2024-03,3\n";
    import(home.path(), "cpi.csv", monthly, |o| o.lag = Nanos(10 * Nanos::DAY.0)).unwrap();
    assert_eq!(
        [known("cpi", at("2024-02-10")), known("cpi", at("2024-02-11")), known("cpi", at("2024-04-11"))],
        [0, 1, 3]
    );
    // A file that says itself when its rows were known, in another order.
    let given =
        "date,gdp,known_at\n2024-01-01,1,2024-06-01T00:00:00Z\n2024-01-01,2,2024-03-01T00:00:00Z\n2024-04-01,3,\n";
    let report = import(home.path(), "gdp.csv", given, |_| {}).unwrap();
    assert_eq!((report.manifest.rows.kept, report.manifest.rows.quarantined), (2, 1));
    assert_eq!(
        [known("gdp", at("2024-02-29")), known("gdp", at("2024-03-01")), known("gdp", at("2024-06-01"))],
        [0, 1, 2]
    );
    // The close of a session, not the end of the day; of another zone's day, its end.
    import(home.path(), "ny.csv", "date,close\n2024-01-02,1\n", |o| o.calendar = Some(CalendarId::Xnys)).unwrap();
    assert_eq!(
        [
            known("ny", Timestamp(at("2024-01-02").0 + 21 * Nanos::HOUR.0 - 1)),
            known("ny", Timestamp(at("2024-01-02").0 + 21 * Nanos::HOUR.0))
        ],
        [0, 1]
    );
    import(home.path(), "fx.csv", "date,close\n2024-01-02,1\n", |o| o.zone = Zone::parse("-05:00")).unwrap();
    assert_eq!([known("fx", at("2024-01-03")), known("fx", Timestamp(at("2024-01-03").0 + 5 * Nanos::HOUR.0))], [0, 1]);
    let batch = datasets(home.path()).get("fx").unwrap().to_batch(&BatchRequest::default()).unwrap().batch;
    assert_eq!(batch.interval(0).end, Timestamp(at("2024-01-03").0 + 5 * Nanos::HOUR.0));
    let text = datasets(home.path()).get("cpi").unwrap().to_batch(&BatchRequest::default()).unwrap_err().to_string();
    assert!(text.contains("months"), "{text}");
    let actions = "symbol,ex_date,kind,ratio\nAAPL,2020-08-31,split,4:1\n";
    import(home.path(), "splits.csv", actions, |o| o.calendar = Some(CalendarId::Xnys)).unwrap();
    let open = Timestamp(at("2020-08-31").0 + 13 * Nanos::HOUR.0 + 30 * Nanos::MINUTE.0);
    assert_eq!([known("splits", Timestamp(open.0 - 1)), known("splits", open)], [0, 1]);
}

#[test]
fn bars_of_bid_and_ask_become_batches() {
    let home = tempfile::tempdir().unwrap();
    let text = "venue,symbol,ts,bid_close,ask_close,close,adj_close,volume\n\
                x,A,0,1.000000001,1.000000002,5,2.5,1\ny,A,0,3,4,,,\nx,A,60,2,2.5,6,3,1\nx,B,60,7,,8,4,-1\n";
    import(home.path(), "q.csv", text, |_| {}).unwrap();
    let dataset = datasets(home.path()).get("q").unwrap();
    let batch = |price: BatchPrice, venue: &str| {
        let request = BatchRequest {
            price,
            venue: Some(venue.into()),
            symbols: Some(vec!["A".into()]),
            ..BatchRequest::default()
        };
        dataset.to_batch(&request).map(|i| (i.batch.closes(0, i.batch.rows()).to_vec(), i.batch.spec()))
    };
    assert_eq!(batch(BatchPrice::Bid, "x").unwrap().0, [1_000_000_001, 2_000_000_000]);
    assert_eq!(batch(BatchPrice::Mid, "x").unwrap().0, [1_000_000_002, 2_250_000_000]);
    assert_eq!(batch(BatchPrice::Close, "x").unwrap().0, [5_000_000_000, 6_000_000_000]);
    let (closes, spec) = batch(BatchPrice::AdjClose, "x").unwrap();
    assert_eq!(
        (closes, spec.basis, spec.period),
        (vec![2_500_000_000, 3_000_000_000], Basis::TotalReturn, BarPeriod::Fixed(Nanos::MINUTE))
    );
    let text = dataset.to_batch(&BatchRequest::default()).unwrap_err().to_string();
    assert!(text.contains("'A' is in it twice, at x and at y"), "{text}");
    let all = dataset.to_batch(&BatchRequest { venue: Some("x".into()), ..BatchRequest::default() }).unwrap();
    assert_eq!(all.quarantine.iter().map(ToString::to_string).collect::<Vec<_>>().len(), 1, "a volume below zero");
}

/// What the samples become through a data set is what `import_csv` makes of them.
#[test]
fn samples_become_the_same_batches() {
    let home = tempfile::tempdir().unwrap();
    let mut seen = 0;
    for folder in ["commodities", "crypto", "equities", "fx", "indices"] {
        for file in std::fs::read_dir(samples().join(folder)).unwrap() {
            let path = file.unwrap().path();
            let shares = matches!(folder, "equities" | "indices");
            let calendar = if shares { CalendarId::Xnys } else { CalendarId::AlwaysOpen };
            let wide = path.to_str().unwrap().contains("us20");
            let options = ImportOptions {
                calendar: Some(calendar),
                kind: wide.then_some(Kind::Bars),
                ..ImportOptions::default()
            };
            let report = datasets(home.path()).import(&path, &options, &mut |_| {}).unwrap();
            assert_eq!((report.manifest.rows.quarantined, report.manifest.rows.read), (0, report.manifest.rows.kept));
            let dataset = datasets(home.path()).open(report.id).unwrap();
            let own = dataset.to_batch(&BatchRequest::default()).unwrap();
            let csv = import_csv(&CsvRequest::path(&path, calendar)).unwrap();
            assert_eq!(own.batch.id(), csv.batch.id(), "{}", path.display());
            let problems = |i: &tradegraph_store::Imported| {
                i.quarantine.iter().map(|p| (p.line, p.column.clone(), p.reason.clone())).collect::<Vec<_>>()
            };
            assert_eq!(
                (own.symbols.clone(), own.cells_kept, problems(&own)),
                (csv.symbols.clone(), csv.cells_kept, problems(&csv))
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 11);
}

#[test]
fn damage_is_found() {
    let home = tempfile::tempdir().unwrap();
    let sets = datasets(home.path());
    let report = import(home.path(), "a.csv", ROWS, |_| {}).unwrap();
    let path = sets.path(report.id);
    let good = std::fs::read(&path).unwrap();
    let mut found = 0;
    for at in (0..good.len()).step_by(3) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        std::fs::write(&path, &bad).unwrap();
        match sets.open(report.id).and_then(|d| d.verify()) {
            Ok(()) => {} // a byte that nobody reads
            Err(e) => {
                assert!(e.to_string().contains(path.to_str().unwrap()), "{e}");
                found += 1;
            }
        }
    }
    assert!(found * 4 > good.len() / 3, "{found}");
    std::fs::write(&path, &good[..good.len() - 9]).unwrap();
    assert!(sets.list().unwrap()[0].is_err());
    // Importing again repairs it; a damaged file can also be removed.
    assert_eq!(import(home.path(), "a.csv", ROWS, |_| {}).unwrap().outcome, Outcome::Added);
    assert!(sets.get("a").unwrap().verify().is_ok());
    std::fs::write(&path, b"PAR1").unwrap();
    let id = sets.find(&report.id.to_string()[..8]).unwrap();
    sets.remove(id).unwrap();
    assert!(sets.list().unwrap().is_empty());
}

/// This test binary again, as another process that imports `file` into `home`.
fn child(home: &Path, file: &Path, wrap: &[&str]) -> Command {
    let own = std::env::current_exe().unwrap();
    let mut words = wrap.iter().map(ToString::to_string).chain([own.to_str().unwrap().to_owned()]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(["--exact", "datasets::in_another_process", "--nocapture"]);
    command.env("STORE_TEST_HOME", home).env("STORE_TEST_FILE", file).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Not a test of its own: what `child` runs. Without its environment it does nothing.
#[test]
fn in_another_process() {
    let (Some(home), Some(file)) = (std::env::var_os("STORE_TEST_HOME"), std::env::var_os("STORE_TEST_FILE")) else {
        return;
    };
    let waits = std::env::var_os("STORE_TEST_WAITS").is_some();
    let outcome = datasets(Path::new(&home)).import(Path::new(&file), &ImportOptions::default(), &mut |p| {
        if waits && p.bytes_done * 2 > p.bytes_total {
            println!("half");
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
    });
    match outcome {
        Ok(report) => println!("imported {}", report.manifest.rows.kept),
        Err(e) => println!("refused: {e}"),
    }
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// About 20 MB in rows that do not pack well.
fn large(path: &Path) {
    let mut text = "ts,open,high,low,close,volume\n".to_owned();
    let mut x = 1_u64;
    for k in 0..300_000_u64 {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let p = x >> 40;
        text += &format!("{},{p}.{:06},{p}.5,{p}.25,{p}.75,{}\n", k * 60, x % 1_000_000, x >> 20);
    }
    std::fs::write(path, text).unwrap();
}

#[test]
fn an_import_that_is_killed_leaves_the_catalog_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    import(home.path(), "a.csv", ROWS, |_| {}).unwrap();
    let before = state(home.path());
    let path = home.path().join("large.csv");
    large(&path);
    let mut running = child(home.path(), &path, &[]).env("STORE_TEST_WAITS", "1").spawn().unwrap();
    let mut out = std::io::BufReader::new(running.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("half") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut out, &mut line).unwrap() > 0, "the import ended by itself");
    }
    // Nobody else imports meanwhile, and everybody can read.
    assert!(matches!(import(home.path(), "b.csv", ROWS, |_| {}), Err(DatasetError::Busy { .. })));
    assert_eq!(datasets(home.path()).list().unwrap().len(), 1);
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!(datasets(home.path()).list().unwrap().len(), 1);
    datasets(home.path()).get("a").unwrap().verify().unwrap();
    assert_eq!(state(home.path()).len(), before.len() + 1, "one temporary file");
    // The next import removes what is left and finds everything else as it was.
    assert_eq!(import(home.path(), "a.csv", ROWS, |_| {}).unwrap().outcome, Outcome::Unchanged);
    assert_eq!(state(home.path()), before);
    assert!(said(&mut child(home.path(), &path, &[])).contains("imported 300000"));
}

#[test]
fn a_full_disk_leaves_the_catalog_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    import(home.path(), "a.csv", ROWS, |_| {}).unwrap();
    let before = state(home.path());
    let path = home.path().join("large.csv");
    large(&path);
    // Files of at most 200 × 512 or 1024 bytes; the signal is ignored, so that the write fails as on a full disk.
    let limit = "trap '' XFSZ; ulimit -f 200; exec \"$0\" \"$@\"";
    let said = said(&mut child(home.path(), &path, &["sh", "-c", limit]));
    assert!(
        said.contains("refused: ") && said.contains("cannot be written") && said.contains("catalog/data"),
        "{said}"
    );
    assert_eq!(state(home.path()), before);
}

#[test]
fn a_file_without_the_right_to_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("secret.csv");
    std::fs::write(&path, ROWS).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o0)).unwrap();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let said = if std::fs::File::open(&path).is_err() {
        datasets(home.path()).import(&path, &ImportOptions::default(), &mut |_| {}).unwrap_err().to_string()
    } else {
        // Root reads everything: ask as somebody else, with a copy of this program that anybody may run.
        let copy = home.path().join("program");
        std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
        std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy);
        command.args(["--exact", "datasets::in_another_process", "--nocapture"]).current_dir(home.path());
        command.env("STORE_TEST_HOME", home.path()).env("STORE_TEST_FILE", &path);
        said(&mut command)
    };
    assert!(said.contains("secret.csv: the file cannot be read: Permission denied"), "{said}");
}

#[test]
fn spoilt_files_end_well() {
    for (parser, name) in Parser::ALL {
        let done = fuzz(20_240_102, parser, 400).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(done.cases, 400);
        assert!(done.imported > 0 && done.refused > 0, "{name}: {done:?}");
    }
}
