//! Questions about a home: the tables say what the run and its report say.

use crate::{Place, SMALL};
use serde_json::Value;

fn fails(place: &Place, query: &str, code: i32, words: &[&str]) {
    let (found, message) = place.bad(&["sql", query]);
    assert_eq!(found, code, "{message}");
    words.iter().for_each(|w| assert!(message.contains(w), "{w} in {message}"));
}

fn ask(place: &Place, query: &str) -> Vec<Vec<Value>> {
    let answer = place.json(&["sql", query]);
    serde_json::from_value(answer["rows"].clone()).unwrap()
}

#[test]
fn the_tables_add_up_to_the_run() {
    let place = Place::new();
    place.write("m.toml", SMALL);
    let run = place.json(&["backtest", "m.toml"]);
    let id = run["run"].as_str().unwrap();
    let trades = ask(&place, "SELECT count(*), sum(commission), min(run), max(exec_id) FROM trades");
    assert_eq!(trades[0][0], run["fills"]);
    assert_eq!(trades[0][2], id);
    let fees: f64 = run["fees"].as_str().unwrap().parse().unwrap();
    assert!((trades[0][1].as_f64().unwrap() - fees).abs() < 1e-6 && fees > 0.0);
    let decisions = run["orders"].as_u64().unwrap() + run["refused"].as_u64().unwrap();
    let signals = ask(
        &place,
        "SELECT count(*), sum(json_array_length(top_3_reasons) BETWEEN 1 AND 3), sum(refused_by IS NOT NULL) FROM signals",
    );
    assert_eq!(signals[0], [decisions.into(), decisions.into(), run["refused"].clone()]);
    // A reason in the table is the reason of `explain`.
    let explained = place.json(&["explain", id, "1"]);
    let reasons = ask(&place, "SELECT top_3_reasons FROM signals WHERE order_id = 1");
    assert_eq!(serde_json::from_str::<Value>(reasons[0][0].as_str().unwrap()).unwrap(), explained["reasons"]);
    let bars =
        ask(&place, "SELECT count(*), count(DISTINCT symbol), sum(close = CAST(close_exact AS REAL)) FROM market_data");
    assert!(bars[0][0].as_u64() > Some(100) && bars[0][0] == bars[0][2], "{bars:?}");
    let figure = ask(&place, "SELECT value FROM model_performance WHERE metric = 'net.total_return'");
    assert_eq!(figure[0][0], run["net"]["total_return"]);
    // They are projections: without their file they are made again, and a second run adds to them.
    for file in ["tables.sqlite", "tables.sqlite-wal", "tables.sqlite-shm"] {
        let _ = std::fs::remove_file(place.home().join(file));
    }
    place.json(&["backtest", "m.toml"]);
    let again = ask(&place, "SELECT count(*), count(DISTINCT run) FROM trades");
    assert_eq!(again[0], [(2 * run["fills"].as_u64().unwrap()).into(), Value::from(2)]);
}

#[test]
fn questions_that_cannot_be_answered() {
    let place = Place::new();
    fails(&place, "SELECT 1", 4, &["there is no store"]);
    place.write("m.toml", SMALL);
    place.good(&["backtest", "m.toml"]);
    fails(&place, "SELECT * FROM fills", 2, &["no such table: fills", "tables are market_data, signals"]);
    fails(&place, "DELETE FROM trades", 2, &["readonly", "ask with SELECT"]);
    fails(&place, "SELEC", 2, &["syntax error"]);
    assert!(place.good(&["sql", "SELECT 'a,b' AS x, 1.5 AS y", "--csv"]).ends_with("x,y\n\"a,b\",1.5\n"));
    assert!(place.good(&["sql"]).contains("CREATE TABLE signals"));
    assert!(place.json(&["sql", "SELECT order_id FROM signals", "--limit", "1"])["more"].as_bool().unwrap());
}
