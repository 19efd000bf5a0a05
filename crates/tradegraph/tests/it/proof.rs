//! Commands that say how far a result can be trusted.

use crate::{Place, SMALL};

/// The growth that a target needs, and what is never said: that it is likely.
#[test]
fn a_plan_never_flatters() {
    let place = Place::new();
    let plan = ["plan", "--start", "5000", "--target", "10000000", "--months", "24"];
    let told = place.good(&plan);
    assert!(told.contains("37.3 % a month") && told.contains("not as a plan"), "{told}");
    assert!(!place.home().exists(), "a look makes no home");
    let json = place.json(&plan);
    // bc -l: e(l(2000)/24)-1.
    assert!((json["required"]["per_month"].as_f64().unwrap() - 0.372_596_592_737_742_15).abs() < 1e-12);

    place.write("small.toml", SMALL);
    let run = place.json(&["backtest", "small.toml"]);
    let with: Vec<&str> =
        plan.iter().copied().chain(["--run", "last", "--paths", "300", "--html", "plan.html"]).collect();
    let json = place.json(&with);
    assert_eq!(json["basis"]["run"], run["run"]);
    assert_eq!(json["scenarios"][0]["reached"], 0.0);
    assert!(json["scenarios"][0]["reached_at_most"].as_f64().unwrap() >= 0.0099);
    let medians: Vec<f64> = (0..3).map(|k| json["scenarios"][k]["median"].as_f64().unwrap()).collect();
    assert!(medians[0] > medians[1] && medians[1] > medians[2], "{medians:?}");
    assert_eq!(place.json(&with), json, "the same seed, the same plan");
    let page = std::fs::read_to_string(place.path().join("plan.html")).unwrap();
    assert!(page.contains("Futures") && page.contains("id=\"plot-0\"") && !page.contains("<script src"));

    // Simulation and formula agree within four standard errors of 2,000 paths.
    let json = place.json(&[
        "plan",
        "--start",
        "100",
        "--target",
        "130",
        "--months",
        "24",
        "--mean",
        "9%",
        "--volatility",
        "20%",
        "--ruin",
        "25%",
        "--paths",
        "2000",
        "--win",
        "55%",
        "--payoff",
        "1",
        "--stake",
        "5%",
    ]);
    for case in json["scenarios"].as_array().unwrap() {
        for (counted, formula) in [("reached", "formula_reached"), ("ruined", "formula_ruined")] {
            let (counted, p) = (case[counted].as_f64().unwrap(), case[formula].as_f64().unwrap());
            assert!((counted - p).abs() < 4.0 * (p * (1.0 - p) / 2_000.0).sqrt(), "{case}");
        }
    }
    // Five stakes down, six up: ((q/p)^11 − (q/p)^5) / ((q/p)^11 − 1), by bc.
    assert!((json["odds"][0]["ruin"].as_f64().unwrap() - 0.288_377_386_2).abs() < 1e-9, "{}", json["odds"][0]);

    for (arguments, code, part) in [
        (vec!["plan", "--start", "5", "--target", "4", "--months", "2"], 2, "not above"),
        (vec!["plan", "--start", "5", "--target", "9", "--months", "2", "--mean", "0.1", "--volatility", "1%"], 2, "%"),
        (vec!["plan", "--start", "5", "--target", "9", "--months", "2", "--run", "nothing"], 4, "nothing"),
    ] {
        let (found, message) = place.bad(&arguments);
        assert!(found == code && message.contains(part), "{arguments:?}: {found} {message}");
    }
}

/// A check that finds something has an exit code of its own.
#[test]
fn checks_say_what_they_found() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    let clean = place.json(&["check", "lookahead", "small.toml", "--moments", "2"]);
    assert!(clean["found"] == false && clean["decisions"].as_u64().unwrap() > 100, "{clean}");
    let clean = place.json(&["check", "warmup", "small.toml"]);
    assert!(clean["found"] == false && clean["beginnings"].as_array().unwrap().len() == 3, "{clean}");
    // No average forgets everything: what is left of the beginning is below 1e-9 and not 0.
    let found = place.run(&["check", "warmup", "small.toml", "--tolerance", "0", "--json"]);
    assert_eq!(found.status.code(), Some(8));
    let found: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    assert!(found["found"] == true && found["beginnings"][0]["difference_at_end"].as_f64().unwrap() < 1e-9, "{found}");
    assert!(!place.home().exists(), "a check makes no home");
}
