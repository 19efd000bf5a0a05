//! The formulas on the command line.

use crate::Place;
use serde_json::Value;

fn number(v: &Value, path: &str) -> f64 {
    v.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} in {v}"))
}

#[test]
fn a_premium_gives_back_its_volatility() {
    let place = Place::new();
    for model in ["bsm", "black76"] {
        let put =
            ["quant", "option", "put", "--spot", "100", "--strike", "95", "--days", "30", "--rate", "4%", "--model"];
        let priced = place.json(&[&put[..], &[model, "--volatility", "21.5%"]].concat());
        let premium = number(&priced, "/price").to_string();
        let found = place.json(&[&put[..], &[model, "--premium", &premium]].concat());
        assert!((number(&found, "/volatility") - 0.215).abs() < 1e-12, "{found}");
    }
    let (code, text) =
        place.bad(&["quant", "option", "put", "--spot", "9", "--strike", "9", "--days", "1", "--premium", "50"]);
    assert!(code == 3 && text.contains("no volatility"), "{text}");
}

#[test]
fn what_is_told_of_series_adds_up() {
    let place = Place::new();
    let names = ["sample:us20", "--symbols", "AAPL,KO,XOM"];
    let risk = place.json(&[&["quant", "risk"], &names[..], &["--tail", "5%"]].concat());
    let parts: f64 = (0..3).map(|i| number(&risk, &format!("/positions/{i}/component_es"))).sum();
    assert!((parts - number(&risk, "/models/0/es")).abs() < 1e-12, "{risk}");
    let weights = place.json(&[&["quant", "optimise"], &names[..], &["--most", "40%"]].concat());
    let each: Vec<f64> = (0..3).map(|i| number(&weights, &format!("/weights/{i}/weight"))).collect();
    assert!((each.iter().sum::<f64>() - 1.0).abs() < 1e-12 && each.iter().all(|w| *w <= 0.4 + 1e-12), "{each:?}");
    let rsi = place.json(&[&["quant", "indicator", "rsi"], &names[..], &["--set", "n=10"]].concat());
    let values = rsi["lines"][0]["values"].as_array().unwrap();
    assert!(values[9].is_null() && values[10].is_f64(), "{:?}", &values[..12]);
    for (arguments, code, part) in [
        (vec!["quant", "indicator", "rs", "sample:us20"], 4, "'rsi'"),
        (vec!["quant", "indicator", "rsi", "sample:us20", "--set", "n=1.5"], 2, "whole number"),
        (vec!["quant", "risk", "no.csv"], 4, "no such file"),
        (vec!["quant", "optimise", "sample:us20", "--most", "4%"], 3, "bounds"),
        (vec!["quant", "risk", "sample:us20", "--weights", "ABC=10%"], 2, "ABC"),
    ] {
        let (found, text) = place.bad(&arguments);
        assert!(found == code && text.contains(part), "{arguments:?}: {found}: {text}");
    }
}
