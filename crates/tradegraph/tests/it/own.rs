//! An agent of one's own from the command that writes it to its replay, and the mandates to start from.

use crate::{Place, text};
use assert_cmd::Command;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs cargo in a folder without the network, with the libraries that this project's tests were built with.
fn cargo(folder: &Path, arguments: &[&str]) {
    let target = Path::new(env!("CARGO_BIN_EXE_tradegraph")).ancestors().nth(2).unwrap();
    let mut command = Command::new(env!("CARGO"));
    let out = command.args(arguments).arg("--offline").current_dir(folder).env("CARGO_TARGET_DIR", target).output();
    let out = out.unwrap();
    assert!(out.status.success(), "cargo {arguments:?}\n{}{}", text(&out.stdout), text(&out.stderr));
}

#[test]
fn an_agent_of_ones_own_is_written_built_and_takes_part() {
    let place = Place::new();
    let said = place.json(&["new", "agent", "my_trend", "--source", root().to_str().unwrap()]);
    assert_eq!((&said["agent"], &said["folder"]), (&Value::from("my_trend"), &Value::from("my_trend")));
    let folder = place.path().join("my_trend");
    cargo(&folder, &["test"]);
    cargo(&folder, &["build"]);
    let program =
        Path::new(env!("CARGO_BIN_EXE_tradegraph")).with_file_name(format!("my_trend{}", std::env::consts::EXE_SUFFIX));
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        let out = command.current_dir(&folder).env_remove("TRADEGRAPH_HOME").args(arguments).output().unwrap();
        (out.status.code(), text(&out.stdout), text(&out.stderr))
    };
    let (code, printed, errors) = run(&["backtest", "mandate.toml", "--json"]);
    assert_eq!(code, Some(0), "{errors}");
    let result: Value = serde_json::from_str(&printed).unwrap();
    assert!(result["fills"].as_u64().unwrap() > 100, "{result}");
    // It is weighed, scored and paid as the project's agents are.
    let report: Value = serde_json::from_slice(
        &std::fs::read(Path::new(result["report"].as_str().unwrap()).with_extension("json")).unwrap(),
    )
    .unwrap();
    let agents = report["council"]["agents"].as_array().unwrap();
    let names: Vec<_> = agents.iter().map(|a| a["agent"].as_str().unwrap()).collect();
    assert_eq!(names, ["mean_reversion_trader", "my_trend"]);
    let mine = &agents[1];
    let hits = mine["hits"].as_u64().unwrap() + mine["misses"].as_u64().unwrap();
    assert!(hits > 10_000 && mine["ic"].is_f64() && mine["earned"] != "0" && mine["weight"] != 1.0, "{mine}");
    assert!(run(&["graph", "mandate.toml"]).1.contains("my_trend"));
    let query = "SELECT order_id FROM signals WHERE top_3_reasons LIKE '%my_trend asked for%' LIMIT 3";
    let asked: Value = serde_json::from_str(&run(&["sql", query, "--json"]).1).unwrap();
    let asked = asked["rows"].as_array().unwrap();
    assert_eq!(asked.len(), 3);
    for order in asked {
        let explained = run(&["explain", "last", &order[0].to_string()]).1;
        for words in ["adds up exactly", "my_trend · trend", "my_trend asked for", "the last year returned"] {
            assert!(explained.contains(words), "{words} in {explained}");
        }
    }
    let (code, printed, errors) = run(&["replay", "last"]);
    assert_eq!(code, Some(0), "{printed}{errors}");
    assert!(printed.contains("the replay is the same"));
    let versions = run(&["sql", "SELECT DISTINCT model_version FROM signals", "--csv"]).1;
    assert!(versions.contains("my_trend 1"), "{versions}");
    // Its keys are checked as ours are.
    let good = std::fs::read_to_string(folder.join("mandate.toml")).unwrap();
    for (from, to, expected) in [
        (
            "lookback = 252",
            "lokback = 252",
            "unknown key 'agents.my_trend.lokback' in [agents.my_trend]; the nearest known key is 'lookback'",
        ),
        ("lookback = 252", "lookback = 4", "'agents.my_trend.lookback' must be a whole number from 5 to 1000"),
        ("full = 2", "full = 11", "must be a number from 0.5 to 10"),
        ("skip = 21", "skip = 250\nvolatility = 60", ""),
        ("lookback = 252", "lookback = 20", "'agents.my_trend.skip' must be below `lookback`"),
        ("[agents.my_trend]", "[agents.my_trent]", "the nearest known key is 'my_trend'"),
    ] {
        assert!(good.contains(from));
        std::fs::write(folder.join("other.toml"), good.replace(from, to)).unwrap();
        let (code, _, errors) = run(&["graph", "other.toml"]);
        assert_eq!(code, Some(if expected.is_empty() { 0 } else { 3 }), "{to}: {errors}");
        assert!(errors.contains(expected), "{to}: {errors}");
    }
    // A program without it says what is missing.
    let home = folder.join("tradegraph-data");
    for command in [["replay", "last"], ["explain", "last"]] {
        let mut arguments = vec!["--home", home.to_str().unwrap()];
        arguments.extend(command);
        if command[0] == "explain" {
            arguments.push("1");
        }
        let (code, message) = place.bad(&arguments);
        assert_eq!(code, 3, "{message}");
        for words in ["unknown key 'agents.my_trend'", "an agent of your own is part of the program"] {
            assert!(message.contains(words), "{message}");
        }
    }
}

#[test]
fn a_program_is_never_written_over_another() {
    let place = Place::new();
    place.good(&["new", "agent", "mine"]);
    assert_eq!(place.bad(&["new", "agent", "mine"]).0, 1);
    place.good(&["new", "agent", "mine", "--folder", "other"]);
    for (name, words) in [("rule", "another node"), ("risk_manager", "another node"), ("My Agent", "small letters")] {
        let (code, message) = place.bad(&["new", "agent", name]);
        assert!(code == 2 && message.contains(words), "{message}");
    }
    let (code, message) = place.bad(&["new", "agent", "more", "--source", "other"]);
    assert!(code == 4 && message.contains("holds no source code"), "{message}");
}

/// Positions after each moment, and the value and sign of every fill, from the table of trades.
fn fills(place: &Place) -> (usize, Vec<(f64, bool)>) {
    let query = "SELECT ts_ns, symbol, side, price * quantity, quantity FROM trades ORDER BY seq";
    let answer = place.json(&["sql", query, "--limit", "1000000"]);
    let (mut held, mut most, mut all) = (BTreeMap::<String, f64>::new(), 0, Vec::new());
    let rows = answer["rows"].as_array().unwrap();
    for (at, row) in rows.iter().enumerate() {
        let sign = if row[2] == "buy" { 1.0 } else { -1.0 };
        let position = held.entry(row[1].as_str().unwrap().to_owned()).or_default();
        *position += sign * row[4].as_f64().unwrap();
        all.push((row[3].as_f64().unwrap(), position.abs() < 1e-9));
        if rows.get(at + 1).is_none_or(|next| next[0] != row[0]) {
            most = most.max(held.values().filter(|q| q.abs() > 1e-9).count());
        }
    }
    (most, all)
}

#[test]
fn a_student_risks_what_the_profile_says() {
    let place = Place::new();
    place.good(&["init", "small", "--profile", "student"]);
    let run = place.json(&["backtest", "small/mandate.toml"]);
    // Worst cases with all open orders at their collars: the gate refuses few.
    let (refused, orders) = (run["refused"].as_u64().unwrap(), run["orders"].as_u64().unwrap());
    assert!(refused * 50 < orders, "{refused} of {orders}");
    let (most, fills) = fills(&place);
    assert_eq!(most, 10, "the limit binds");
    assert!(fills.len() > 1_000, "{}", fills.len());
    // An order of $5 at its decision fills at the next close, a few per cent away.
    assert!(fills.iter().all(|(value, ends)| *value > 4.5 || *ends));
    assert!(place.good(&["explain", "last", "1"]).contains("adds up exactly"));
    // 10 % of the account, three standard deviations, a month of 23 % a year.
    let text = std::fs::read_to_string(place.path().join("small/mandate.toml")).unwrap();
    for key in [
        "cash = \"5000\"",
        "max_weight = \"10%\"",
        "instrument_volatility = \"23%\"",
        "max_positions = 10",
        "stop_loss = \"20%\"",
    ] {
        assert!(text.contains(key), "{key}");
    }
    let risk = 0.10 * 3.0 * 0.23 * (1.0_f64 / 12.0).sqrt();
    assert!(risk <= 0.02 && text.contains(&format!("= {:.2} %", 100.0 * risk)), "{risk}");
    assert_eq!(place.json(&["replay", "last"])["same"], true);
}

#[test]
fn an_institution_has_every_agent_and_sells_short() {
    let place = Place::new();
    place.good(&["init", "large", "--profile", "institutional"]);
    let run = place.json(&["backtest", "large/mandate.toml"]);
    let report: Value = serde_json::from_slice(
        &std::fs::read(Path::new(run["report"].as_str().unwrap()).with_extension("json")).unwrap(),
    )
    .unwrap();
    let agents = report["council"]["agents"].as_array().unwrap().len();
    let text = std::fs::read_to_string(place.path().join("large/mandate.toml")).unwrap();
    let built = tradegraph_agents::AGENTS.iter().filter(|a| a.file.is_some());
    assert_eq!(agents, built.clone().count());
    built.for_each(|a| assert!(text.contains(&format!("[agents.{}]", a.node)), "{}", a.node));
    let query = "SELECT count(*) FROM signals WHERE target < 0";
    let short = &place.json(&["sql", query])["rows"][0][0];
    assert!(short.as_u64().unwrap() > 50, "{short}");
    assert_eq!(place.json(&["replay", "last"])["same"], true);
    assert_eq!(place.bad(&["init", "x", "--profile", "studnet"]).0, 2);
}
