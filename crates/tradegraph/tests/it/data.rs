//! Data sets from the command line: a file becomes one, wrong rows are kept apart, a mandate trades it.

use crate::{Place, SMALL};
use serde_json::Value;

const PRICES: &str = "symbol,date,open,high,low,close,volume\n\
    ACME,2024-01-02,10,10.4,9.9,10.3,1200\n\
    ACME,2024-01-03,10.3,10.35,10.05,ten,980\n\
    ACME,2024-01-04,10.1,10,10.1,10.55,1430\n\
    ACME,2024-01-05,10.5,10.6,10.4,10.5,1100\n\
    ACME,2024-01-05,10.5,10.6,10.4,10.5,1100\n";

fn code(place: &Place, arguments: &[&str]) -> (i32, Value) {
    let out = place.run(&arguments.iter().copied().chain(["--json"]).collect::<Vec<_>>());
    (out.status.code().unwrap(), serde_json::from_slice(&out.stdout).unwrap())
}

#[test]
fn wrong_rows_are_kept_apart_and_doubtful_ones_found() {
    let place = Place::new();
    place.write("prices.csv", PRICES);
    let (exit, first) = code(&place, &["data", "import", "prices.csv", "--calendar", "XNYS"]);
    assert_eq!(exit, 7);
    let rows = &first["manifest"]["rows"];
    assert_eq!(
        (rows["read"].as_u64(), rows["kept"].as_u64(), rows["quarantined"].as_u64()),
        (Some(5), Some(4), Some(1))
    );
    let quarantine = std::fs::read_to_string(place.path().join(first["quarantine"].as_str().unwrap())).unwrap();
    assert!(quarantine.contains("prices.csv,3,close,ten,"), "{quarantine}");
    assert!(quarantine.contains("ACME,2024-01-03,10.3,10.35,10.05,ten,980"), "{quarantine}");
    let (_, again) = code(&place, &["data", "import", "prices.csv", "--calendar", "XNYS"]);
    assert_eq!(again["outcome"], "was there already: nothing changed");
    assert_eq!(again["manifest"], first["manifest"]);

    let (exit, checked) = code(&place, &["data", "check", "prices"]);
    assert_eq!((exit, &checked["worst"]), (7, &Value::from("fault")));
    let examples = checked["series"][0]["examples"].as_array().unwrap();
    let at = |check: &str| examples.iter().find(|e| e["check"] == check).map(|e| e["line"].as_u64().unwrap());
    assert_eq!((at("range"), at("duplicate"), at("gap")), (Some(4), Some(6), Some(4)), "{examples:?}");

    place.good(&["data", "export", "prices", "--to", "again.csv"]);
    let known = code(&place, &["data", "show", "prices", "--known-by", "2024-01-05"]).1;
    assert_eq!(known["rows"].as_array().unwrap().len(), 2); // the bar of the 5th ends at its close
    place.good(&["data", "verify"]);
    place.good(&["data", "remove", "prices"]);
    assert_eq!(code(&place, &["data", "list"]).1["datasets"], Value::Array(vec![]));
}

/// The same bars from a file and from the catalog are the same run.
#[test]
fn a_data_set_trades_as_its_file_does() {
    let place = Place::new();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/equities/us20_adjclose_1990_2022.csv");
    std::fs::copy(sample, place.path().join("us20.csv")).unwrap();
    let told = ["--kind", "bars", "--calendar", "XNYS", "--basis", "total-return"];
    place.good(&[&["data", "import", "us20.csv"], &told[..]].concat());
    let with = |name: &str, lines: &str| {
        place.write(name, SMALL.replace("source = \"sample:us20\"", lines));
        place.json(&["backtest", name])
    };
    let file = with("file.toml", "path = \"us20.csv\"\ncalendar = \"XNYS\"\nbasis = \"total-return\"");
    let catalog = with("catalog.toml", "source = \"catalog:us20\"");
    for key in ["fills", "fees", "nav_end", "net"] {
        assert_eq!(file[key], catalog[key], "{key}");
    }
    assert_eq!(file["data"][0]["batch"], catalog["data"][0]["batch"]);
    assert!(file["fills"].as_u64() > Some(0));
    // A run can be made again without its data set.
    place.good(&["data", "remove", "us20"]);
    assert_eq!(place.json(&["replay", "last"])["same"], true);
}

#[test]
fn prices_as_traded_and_their_actions() {
    let place = Place::new();
    let run = place.json(&["backtest", "sample:us4-raw"]);
    let rows = place.json(&["sql", "SELECT ex_date, symbol, what FROM corporate_actions WHERE what LIKE '%3.08%' OR kind = 'split' OR what LIKE '%2.65%' ORDER BY ts_ns, symbol"]);
    let found: Vec<String> = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r.as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        found,
        [
            "2000-06-21 AAPL split 2 for 1",
            "2003-02-18 MSFT split 2 for 1",
            "2004-11-15 MSFT dividend 3.08",
            "2005-02-28 AAPL split 2 for 1",
            "2012-08-09 AAPL dividend 2.65",
            "2012-11-07 AAPL dividend 2.65",
            "2013-02-07 AAPL dividend 2.65",
        ]
    );
    // The figures of docs/basis.md.
    let page = include_str!("../../../../docs/basis.md");
    let nav = |run: &Value| format!("{:.2}", run["nav_end"].as_str().unwrap().parse::<f64>().unwrap());
    let mandate = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../mandates/us4-raw.toml")).unwrap();
    let adjusted: Vec<&str> = mandate.lines().filter(|l| !l.starts_with("actions")).collect();
    let adjusted = adjusted.join("\n").replace("\"sample:us4-raw\"", "\"sample:us4-raw\"\nprice = \"adj_close\"");
    place.write("adjusted.toml", adjusted.replace("lot = \"1\"", "lot = \"0.000001\""));
    let other = place.json(&["backtest", "adjusted.toml"]);
    for nav in [nav(&run), nav(&other)] {
        let shown = format!("{},{}", &nav[..3], &nav[3..]);
        assert!(page.contains(&shown), "{shown}");
    }
    assert_eq!((&run["orders"], &run["fills"]), (&other["orders"], &other["fills"]));
    // The benchmark goes through splits and dividends too, and so does what is said to be invested.
    let near = |path: &str, within: f64| {
        let [a, b] = [&run, &other].map(|r| r.pointer(path).and_then(Value::as_f64).unwrap());
        assert!((a - b).abs() < within, "{path}: {a} and {b}");
    };
    near("/benchmark/cagr", 0.0005);
    near("/benchmark/max_drawdown", 0.002);
    near("/invested_average", 0.01);
    assert_eq!(place.json(&["replay", "last"])["same"], true);
}
