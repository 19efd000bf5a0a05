//! The same rules as other engines ran: their trades and their final account, written by `scripts/peers/compare.py`.

use crate::Place;
use serde_json::Value;
use std::collections::BTreeMap;

const RESULTS: &str = include_str!("comparison.json");
/// Fills of one bar are one; `bar` counts from 0.
type Fills = Vec<(usize, i64)>;

fn results() -> Value {
    serde_json::from_str(RESULTS).unwrap()
}

/// `57+1000 66-1000`: a purchase of 1000 at the open of bar 57, a sale at that of bar 66.
fn listed(fills: &str) -> Fills {
    let one = |word: &str| {
        let (bar, quantity) = word.split_at(word.find(['+', '-']).unwrap());
        (bar.parse().unwrap(), quantity.parse().unwrap())
    };
    fills.split(' ').map(one).collect()
}

/// Starts of the bars of a place whose runs all used one series.
fn starts(place: &Place) -> BTreeMap<i64, usize> {
    let bars = place.json(&["sql", "SELECT start_ns FROM market_data ORDER BY start_ns", "--limit", "100000"]);
    bars["rows"].as_array().unwrap().iter().enumerate().map(|(at, row)| (row[0].as_i64().unwrap(), at)).collect()
}

/// Every fill of every peer at the open of its bar, and each peer's account at the last close.
fn check(series: &str) {
    let results = results();
    let cases: Vec<&Value> = results["cases"].as_array().unwrap().iter().filter(|c| c["series"] == series).collect();
    assert_eq!(cases.len(), 12, "{series}: six rules, free and with costs");
    let place = Place::new();
    let run = |case: &&Value| {
        place.write("mandate.toml", case["mandate"].as_str().unwrap());
        place.json(&["backtest", "mandate.toml"])
    };
    let runs: Vec<Value> = cases.iter().map(run).collect();
    let starts = starts(&place);
    let sql = "SELECT run, ts_ns, CASE side WHEN 'buy' THEN quantity ELSE -quantity END FROM trades ORDER BY exec_id";
    let trades = place.json(&["sql", sql, "--limit", "100000"]);
    for (case, run) in cases.iter().zip(&runs) {
        let name = case["name"].as_str().unwrap();
        assert_eq!(starts.len() as u64, case["bars"].as_u64().unwrap(), "{name}");
        let own = trades["rows"].as_array().unwrap().iter().filter(|t| t[0] == run["run"]);
        let own: Fills = own.map(|t| (starts[&t[1].as_i64().unwrap()], t[2].as_f64().unwrap() as i64)).collect();
        assert_eq!(own, listed(case["fills"].as_str().unwrap()), "{name}");

        // Peers hold prices as doubles, ours have nine digits: half a unit of the last one for each unit traded, the fee
        // on it, and the six digits of the file.
        let units: i64 = own.iter().map(|(_, quantity)| quantity.abs()).sum();
        let most = 0.6e-9 * units as f64 + 1e-6;
        let end: f64 = run["nav_end"].as_str().unwrap().parse().unwrap();
        let peers = case["peers"].as_object().unwrap();
        assert!(peers.len() >= 3, "{name}");
        for (peer, theirs) in peers {
            assert!(theirs["fills"] == own.len() && theirs["agreeing"] == own.len(), "{name}: {peer}: {theirs}");
            let account = theirs["end"].as_f64().unwrap();
            assert!((account - end).abs() <= most, "{name}: {peer} ends with {account}, we with {end}");
            let explained = TIES.iter().any(|(start, who)| name.starts_with(start) && peer == who);
            assert_eq!(theirs.get("tie").is_some(), explained, "{name}: {peer}");
        }
    }
}

/// Where a close equals the mean of the bands to its last digit, and rounding decides: docs/comparison.md tells it.
const TIES: [(&str, &str); 2] =
    [("EURUSD 1h, bollinger", "backtesting.py"), ("EURUSD 1h, bollinger", "nautilus_trader")];

#[test]
fn shares_as_other_engines_trade_them() {
    check("AAPL 1d");
    check("NFLX 1d");
}

#[test]
fn an_index_fund_as_other_engines_trade_it() {
    check("SP500 1d");
}

#[test]
fn coins_as_other_engines_trade_them() {
    check("BTCUSD 1d");
    check("BTCUSD 15m");
}

#[test]
fn a_currency_as_other_engines_trade_it() {
    check("EURUSD 1h");
}

/// The page shows the fills that the peers wrote down, and their versions.
#[test]
fn the_page_says_what_was_compared() {
    let (page, results) = (include_str!("../../../../docs/comparison.md"), results());
    for (engine, version) in results["engines"].as_object().unwrap() {
        assert!(page.contains(&format!("| {engine} {} |", version.as_str().unwrap())), "{engine} {version}");
    }
    let mut rows: Vec<(&str, Vec<usize>)> = vec![];
    for case in results["cases"].as_array().unwrap() {
        let (series, n) = (case["series"].as_str().unwrap(), listed(case["fills"].as_str().unwrap()).len());
        match rows.last_mut().filter(|(s, _)| *s == series) {
            Some((_, cells)) => cells.push(n),
            None => rows.push((series, vec![n])),
        }
    }
    for (series, cells) in &rows {
        let row: Vec<String> = cells.chunks(2).map(|c| format!("| {} ", c[0])).collect();
        assert!(cells.chunks(2).all(|c| c[0] == c[1]) && page.contains(&format!(" {}|\n", row.concat())), "{series}");
    }
    assert_eq!(rows.iter().flat_map(|(_, cells)| cells).sum::<usize>(), 2 * 5_118);
    assert!(page.contains("all 5,118 fills without costs and all 5,118 with costs agree"));
}
