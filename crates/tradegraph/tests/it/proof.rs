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

/// A sweep runs each member once, counts it as a trial, and never shows the best one alone.
#[test]
fn a_sweep_says_how_much_is_luck() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    let fast = "agents.momentum_trader.fast=5,10,20,40";
    let sweep = ["sweep", "small.toml", "--set", fast, "--set", "agents.momentum_trader.slow=30,90"];
    let first = place.json(&sweep);
    // 40 and 30 is no mandate.
    assert!(first["left_out"] == 1 && first["kept"] == 0, "{first}");
    let members = first["members"].as_array().unwrap();
    assert_eq!(members.len(), 7);
    let v = &first["verdict"];
    assert_eq!(v["trials"], 7);
    for key in ["median_sharpe", "luck", "deflated_sharpe", "overfitting", "walk_forward", "equal_weight"] {
        assert!(v[key].is_number(), "{key}: {v}");
    }
    let best = v["best"].as_u64().unwrap() as usize;
    assert!(members.iter().all(|m| m["sharpe"].as_f64() <= members[best]["sharpe"].as_f64()));

    // The member with the mandate's own values is the mandate, to the last bit, and no trial of its own.
    let run = place.json(&["backtest", "small.toml"]);
    let same = |m: &&serde_json::Value| {
        m["values"]["agents.momentum_trader.fast"] == "10" && m["values"]["agents.momentum_trader.slow"] == "30"
    };
    let own = members.iter().find(same).unwrap();
    assert_eq!((&own["sharpe"], &own["orders"]), (&run["net"]["sharpe"], &run["orders"]));
    assert_eq!(run["trials"], 7);

    // What a killed sweep had is kept; a spoilt file is made again, and threads change nothing.
    let folder = std::fs::read_dir(place.home().join("sweeps")).unwrap();
    let folder = folder.map(|e| e.unwrap().path()).find(|p| p.is_dir()).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|f| !f.ends_with("data.json"));
    files.sort();
    assert_eq!(files.len(), 7);
    std::fs::remove_file(&files[0]).unwrap();
    std::fs::write(&files[1], "{\"half").unwrap();
    let again: Vec<&str> =
        sweep.iter().copied().chain(["--threads", "1", "--to", "all.csv", "--to", "all.parquet"]).collect();
    let again = place.json(&again);
    assert_eq!(again["kept"], 5);
    assert_eq!((&again["members"], &again["verdict"]), (&first["members"], &first["verdict"]));
    let csv = std::fs::read_to_string(place.path().join("all.csv")).unwrap();
    assert_eq!(csv.lines().count(), 8);
    assert!(std::fs::read(place.path().join("all.parquet")).unwrap().starts_with(b"PAR1"));
    let page = std::fs::read_to_string(again["page"].as_str().unwrap()).unwrap();
    assert!(page.contains("heatmap") && page.contains("More than luck"));

    for (arguments, code, part) in [
        (vec!["sweep", "small.toml", "--set", "agents.momentum_trader.fast=5..9"], 2, "--random"),
        (vec!["sweep", "small.toml", "--set", "agents.momentum_trader.fats=5,9"], 3, "fats"),
        (vec!["sweep", "small.toml", "--set", "nothing"], 2, "KEY"),
        (vec!["sweep", "small.toml", "--set", fast, "--to", "all.xlsx"], 2, ".csv"),
    ] {
        let (found, message) = place.bad(&arguments);
        assert!(found == code && message.contains(part), "{arguments:?}: {found} {message}");
    }
}

/// A day without an order has its reason, its waterfall, and what it would have been without an agent.
#[test]
fn no_order_is_explained() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    place.json(&["backtest", "small.toml"]);
    let (mut nothing, mut orders) = (0, 0);
    for day in ["2019-01-18", "2020-03-03", "2020-05-05", "2020-05-06", "2020-05-07", "2021-06-01", "2021-06-02"] {
        for symbol in ["KO", "XOM"] {
            let told = place.json(&["explain", "last", symbol, day]);
            assert_eq!(&told["ts"].as_str().unwrap()[..10], day);
            let without = if told["no_order"].is_object() {
                let none = &told["no_order"];
                nothing += 1;
                assert!(none["adds_up"] == true && none["stance"].is_string(), "{none}");
                &none["without"]
            } else {
                orders += 1;
                let order = &told["orders"][0];
                let mut same = place.json(&["explain", "last", &order["order"].to_string()]);
                let fields = same.as_object_mut().unwrap();
                fields.remove("run");
                assert_eq!(fields.remove("without").as_ref(), told.get("without"));
                assert_eq!(*order, same);
                &told["without"]
            };
            // One agent alone: without it nothing is wanted.
            assert_eq!(without[0]["agent"], "momentum_trader");
            assert_eq!(without[0]["target_nano_nav"], 0);
        }
    }
    assert!(nothing >= 3 && orders >= 1, "{nothing} {orders}");
    // The run ends with a snapshot: its last decision is made again all the same.
    let end = place.json(&["explain", "last", "AAPL", "2021-12-31"]);
    let held = &place.json(&["inspect", "last", "--at", "2021-12-31"])["positions"];
    assert!(held.as_array().unwrap().iter().any(|p| p["symbol"] == "AAPL"), "{held}");
    let none = end["no_order"].as_object().map(|n| n["held_nano_nav"].as_i64().unwrap());
    assert!(none.is_none_or(|held| held > 10_000_000), "{end}");
    assert!(end["orders"].is_array() || none.is_some(), "{end}");
    let text = place.good(&["explain", "last", "KO", "2020-03-03"]);
    assert!(
        text.contains("No order.") && text.contains("the council wants nothing") && text.contains("stage"),
        "{text}"
    );
    for (arguments, code, part) in [
        (vec!["explain", "last", "KO"], 2, "add a date"),
        (vec!["explain", "last", "KOO", "2020-03-03"], 4, "'KO'"),
        (vec!["explain", "last", "KO", "1999-03-03"], 4, "begin"),
    ] {
        let (found, message) = place.bad(&arguments);
        assert!(found == code && message.contains(part), "{arguments:?}: {found} {message}");
    }
}
