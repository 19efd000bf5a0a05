//! Reports: the tables beside them, sums that must agree with the books, two runs compared.

use crate::{Place, SMALL};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn folder(run: &Value) -> PathBuf {
    Path::new(run["report"].as_str().unwrap()).parent().unwrap().to_owned()
}

fn column(csv: &str, name: &str) -> Vec<f64> {
    let at = csv.lines().next().unwrap().split(',').position(|c| c == name).unwrap();
    csv.lines().skip(1).map(|l| l.split(',').nth(at).unwrap().parse().unwrap()).collect()
}

fn amount(run: &Value, key: &str) -> f64 {
    run[key].as_str().unwrap().parse().unwrap()
}

#[test]
fn round_trips_are_the_whole_result_of_the_account() {
    // With splits and dividends booked, and without.
    for mandate in ["sample:us4-raw", "sample:us4-ohlcv", "sample:btc-15m"] {
        let place = Place::new();
        let run = place.json(&["backtest", mandate]);
        let read = |name: &str| std::fs::read_to_string(folder(&run).join(name)).unwrap();
        let results: f64 = column(&read("trades.csv"), "result").iter().sum();
        let expected = amount(&run, "nav_end") - amount(&run, "cash_start");
        assert!((results - expected).abs() < 1e-5, "{mandate}: {results} of {expected}");
        let fees: f64 = column(&read("trades.csv"), "fees").iter().sum();
        assert!((fees - amount(&run, "fees")).abs() < 1e-5, "{mandate}");
        let nav = column(&read("equity.csv"), "nav");
        assert!((nav.last().unwrap() - amount(&run, "nav_end")).abs() < 1e-6, "{mandate}");
        let facts: Value = serde_json::from_str(&read("report.json")).unwrap();
        let months = facts["months"].as_array().unwrap();
        let grown: f64 = months.iter().map(|y| y["total"].as_f64().unwrap().ln_1p()).sum();
        assert!((grown - (nav.last().unwrap() / nav[0]).ln()).abs() < 1e-9, "{mandate}");
        assert!(!facts["diagnosis"].as_array().unwrap().is_empty());
        assert!(facts["evidence"]["sharpe_interval"]["low"].as_f64() < facts["evidence"]["sharpe"].as_f64());
        for name in ["equity.parquet", "trades.parquet"] {
            let bytes = std::fs::read(folder(&run).join(name)).unwrap();
            assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{name}");
        }
    }
}

#[test]
fn a_table_of_a_report_can_be_imported_again() {
    let place = Place::new();
    place.write("m.toml", SMALL);
    let run = place.json(&["backtest", "m.toml"]);
    let csv = folder(&run).join("equity.csv").display().to_string();
    let parquet = folder(&run).join("equity.parquet").display().to_string();
    let rows = |file: &str, name: &str| {
        let set = place.json(&["data", "import", file, "--kind", "table", "--name", name]);
        set.pointer("/rows/kept")
            .or(set.pointer("/manifest/rows/kept"))
            .and_then(Value::as_u64)
            .unwrap_or_else(|| panic!("{set}"))
    };
    let days = run["days"].as_u64().unwrap();
    assert_eq!((rows(&csv, "by-csv"), rows(&parquet, "by-parquet")), (days, days));
}

#[test]
fn two_runs_are_compared() {
    let place = Place::new();
    place.write("a.toml", SMALL);
    place.write("b.toml", SMALL.replace("fast = 10", "fast = 20"));
    let a = place.json(&["backtest", "a.toml", "--name", "first"]);
    let b = place.json(&["backtest", "b.toml", "--name", "second"]);
    let (id_a, id_b) = (a["run"].as_str().unwrap(), b["run"].as_str().unwrap());
    let found = place.json(&["report", id_a, id_b]);
    assert_eq!((&found["a"], &found["b"], &found["same_mandate"]), (&a["run"], &b["run"], &Value::from(false)));
    let growth = &found["figures"][0];
    assert_eq!((&growth["a"], &growth["b"]), (&a["net"]["cagr"], &b["net"]["cagr"]));
    assert_eq!(found["curves"]["a_over_b"][0], 0.0);
    let page = std::fs::read_to_string(found["report"].as_str().unwrap()).unwrap();
    assert!(page.contains("A fast = 10") && page.contains("B fast = 20") && page.contains("CAGR"));
    assert_eq!(place.bad(&["report", id_a, id_a]).0, 2);
    std::fs::remove_file(folder(&b).join("report.json")).unwrap();
    let (code, said) = place.bad(&["report", id_a, id_b]);
    assert!(code == 4 && said.contains(&format!("tradegraph report {id_b}")), "{said}");
}

/// The page shows one decision whose stages sum to it, and its reasons as `explain` has them; a direct mandate has none.
#[test]
fn the_page_explains_a_decision() {
    let place = Place::new();
    place.write("m.toml", SMALL);
    let run = place.json(&["backtest", "m.toml"]);
    let page = |run: &Value| std::fs::read_to_string(run["report"].as_str().unwrap()).unwrap();
    let decision = |page: &str| {
        let data = page.split("<script id=\"data\" type=\"application/json\">").nth(1).unwrap();
        serde_json::from_str::<Value>(data.split("</script>").next().unwrap()).unwrap()["decision"].clone()
    };
    let html = page(&run);
    let shown = decision(&html);
    let changes: f64 = shown["changes"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).sum();
    assert!((changes - shown["decided"].as_f64().unwrap()).abs() < 1e-9, "{shown}");
    let section = html.split("<h2>One decision, explained</h2>").nth(1).unwrap();
    let order: u64 = section.split("order ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let told = place.json(&["explain", "last", &order.to_string()]);
    for reason in told["reasons"].as_array().unwrap() {
        assert!(section.contains(&reason.as_str().unwrap().replace('\'', "&#39;").replace('"', "&quot;")), "{reason}");
    }
    let direct = page(&place.json(&["backtest", "sample:ema-cross"]));
    assert!(decision(&direct).is_null() && !direct.contains("One decision, explained"));
}
