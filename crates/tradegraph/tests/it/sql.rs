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
    // What a fill cost against the price at its decision: dear for a buyer is cheap for a seller.
    let cost = ask(
        &place,
        "SELECT count(*), max(abs(t.slippage - iif(t.side = 'buy', t.price - s.price, s.price - t.price) * t.quantity)), \
         count(DISTINCT t.side) FROM trades t JOIN signals s USING (run, order_id)",
    );
    assert_eq!((&cost[0][0], &cost[0][2]), (&run["fills"], &Value::from(2)));
    assert!(cost[0][1].as_f64() < Some(1e-6), "{cost:?}");
    // A reason in the table is the reason of `explain`.
    let explained = place.json(&["explain", id, "1"]);
    let reasons = ask(&place, "SELECT top_3_reasons FROM signals WHERE order_id = 1");
    assert_eq!(serde_json::from_str::<Value>(reasons[0][0].as_str().unwrap()).unwrap(), explained["reasons"]);
    // The mandate models no impact; the council's regime is known from the 60th decision on.
    assert_eq!(ask(&place, "SELECT count(market_impact) FROM trades")[0][0], 0);
    let regimes = ask(&place, "SELECT count(DISTINCT market_regime), count(*) - count(market_regime) FROM signals");
    assert!(regimes[0][0].as_u64() < Some(6), "{regimes:?}");
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
fn what_was_imported_can_be_asked_without_a_run() {
    let place = Place::new();
    place.write("q.csv", "symbol,recv_ns,exch_ms,bid,bid_size,ask,ask_size\nX,1000000000,999,1.5,2,1.6,3\n");
    place.write("t.csv", "symbol,recv_ns,trade_id,price,size,aggressor\nX,2000000000,7,1.55,4,buy\n");
    place.write("m.csv", "month,cpi,rate\n2024-01,101.5,\n2024-02,102,3.25\n");
    for file in ["q.csv", "t.csv", "m.csv"] {
        place.good(&["data", "import", file]);
    }
    let ticks = ask(
        &place,
        "SELECT kind, ts_ns, exchange_ns, bid, ask_size, price, size, aggressor FROM market_ticks ORDER BY ts_ns",
    );
    assert_eq!(
        ticks[0],
        serde_json::from_str::<Vec<Value>>("[\"quote\",1000000000,999000000,1.5,3.0,null,null,null]").unwrap()
    );
    assert_eq!(
        ticks[1],
        serde_json::from_str::<Vec<Value>>("[\"trade\",2000000000,null,null,null,1.55,4.0,\"buy\"]").unwrap()
    );
    let cells = ask(&place, "SELECT field, value, ts_ns / 86400000000000 FROM alternative_data ORDER BY ts_ns, field");
    // A month is known when it is over: 2024-02-01 and 2024-03-01.
    let expected = "[[\"cpi\",101.5,19754],[\"cpi\",102.0,19783],[\"rate\",3.25,19783]]";
    assert_eq!(cells, serde_json::from_str::<Vec<Vec<Value>>>(expected).unwrap());
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
