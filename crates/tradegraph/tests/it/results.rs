//! What commands give: the demonstration, the shapes of JSON, the same hashes again.

use crate::{Place, SMALL};
use serde_json::Value;

#[test]
fn the_demonstration_runs_alone_in_an_empty_folder() {
    let place = Place::new();
    let alone = place.path().join(format!("alone{}", std::env::consts::EXE_SUFFIX));
    std::fs::copy(env!("CARGO_BIN_EXE_tradegraph"), &alone).unwrap();
    let out = assert_cmd::Command::new(&alone).current_dir(place.path()).env_clear().output().unwrap();
    let printed = crate::text(&out.stdout);
    assert_eq!(out.status.code(), Some(0), "{printed}{}", crate::text(&out.stderr));
    for line in [
        "period ",
        "account ",
        "growth ",
        "Sharpe ",
        "drawdown ",
        "costs ",
        "invested ",
        "equal weight ",
        "orders ",
        "trials        1 mandate",
    ] {
        assert!(printed.lines().any(|l| l.starts_with(line)), "{line} in\n{printed}");
    }
    for reason in ["_trader asked for", "  2. ", "  3. "] {
        assert!(printed.contains(reason), "{printed}");
    }
    let report = printed.lines().find_map(|l| l.strip_prefix("report ")).unwrap().trim();
    assert!(std::path::Path::new(report).is_absolute());
    let size = std::fs::metadata(report).unwrap().len();
    assert!(size > 4_000_000 && size < 8_000_000, "{size}");
    let html = std::fs::read_to_string(report).unwrap();
    let (page, rest) = html.split_once("plotly.js v").unwrap();
    let ours = [page, rest.rsplit_once("<script id=\"data\"").unwrap().1].concat();
    assert!(!ours.contains("http://") && !ours.contains("https://") && !ours.contains("{{"));
    assert!(ours.contains("survivorship-biased") && ours.contains("next close"));
    // The command that it names to try next works as printed.
    let next = printed.lines().find_map(|l| l.strip_prefix("try next ")).unwrap().trim().to_owned();
    let arguments: Vec<&str> = next.split(' ').skip(1).collect();
    assert!(place.good(&arguments).contains("adds up exactly"));
}

#[test]
fn json_has_its_shape_and_nothing_else_is_printed() {
    let place = Place::new();
    place.write("m.toml", SMALL);
    let run = place.json(&["backtest", "m.toml", "--name", "shape"]);
    assert!(run["run"].as_str().unwrap().contains("-shape-"));
    for key in ["state_hash", "rolling_hash", "nav_end", "fees", "report", "binary", "currency"] {
        assert!(run[key].is_string(), "{key}");
    }
    for path in
        ["/net/cagr", "/net/sharpe", "/net/sharpe_error", "/net/max_drawdown", "/benchmark/cagr", "/cost_per_year"]
    {
        assert!(run.pointer(path).is_some_and(Value::is_f64), "{path}");
    }
    assert_eq!(run["trials"], 1);
    assert_eq!(run["data"][0]["symbols"].as_array().unwrap().len(), 3);
    let listed = place.json(&["runs"]);
    assert_eq!(listed["runs"][0]["state_hash"], run["state_hash"]);
    assert_eq!(listed["runs"][0]["status"], "finished");
    let order = place.json(&["explain", "last", "1"]);
    assert_eq!((&order["order"], &order["adds_up"]), (&Value::from(1), &Value::from(true)));
    let sum: i64 = order["waterfall"].as_array().unwrap().iter().map(|l| l["amount"].as_i64().unwrap()).sum();
    assert_eq!(order["target"], sum);
    assert!(order["reasons"].as_array().unwrap().len() <= 3);
    let report = place.json(&["report", "last"]);
    let facts: Value = serde_json::from_slice(&std::fs::read(report["json"].as_str().unwrap()).unwrap()).unwrap();
    assert_eq!(facts["summary"]["state_hash"], run["state_hash"]);
    assert_eq!(facts["curves"]["date"].as_array().unwrap().len(), run["days"]);
    assert!(place.json(&["graph", "m.toml"])["mermaid"].as_str().unwrap().contains("momentum_trader"));
    assert_eq!(place.json(&["doctor"])["ok"], true);
    assert_eq!(place.json(&["init", "new"])["mandate"], "new/mandate.toml");
    assert!(place.json(&["backtest", "new/mandate.toml"])["orders"].as_u64().unwrap() > 0);
}

#[test]
fn a_replay_is_the_same_in_another_process_and_with_other_threads() {
    let place = Place::new();
    place.write("m.toml", SMALL);
    let first = place.json(&["backtest", "m.toml", "--threads", "1"]);
    let second = place.json(&["backtest", "m.toml", "--threads", "2"]);
    assert_eq!(first["state_hash"], second["state_hash"]);
    assert_eq!(first["rolling_hash"], second["rolling_hash"]);
    for threads in ["1", "2"] {
        let replay = place.json(&["replay", "last", "--threads", threads]);
        assert_eq!((&replay["same"], &replay["state_hash"]), (&Value::from(true), &first["state_hash"]));
    }
    // The same mandate twice is one trial; another is a second one.
    assert_eq!(second["trials"], 1);
    place.write("m2.toml", SMALL.replace("fast = 10", "fast = 11"));
    assert_eq!(place.json(&["backtest", "m2.toml"])["trials"], 2);
}

#[test]
fn a_refused_order_is_explained() {
    let place = Place::new();
    place.write("m.toml", SMALL);
    let run = place.json(&["backtest", "m.toml"]);
    assert!(run["refused"].as_u64().unwrap() > 0, "{run}");
    let last = run["orders"].as_u64().unwrap() + run["refused"].as_u64().unwrap();
    let refused = (1..=last)
        .map(|n| n.to_string())
        .find(|n| place.json(&["explain", "last", n])["outcome"] == "refused")
        .unwrap();
    let text = place.good(&["explain", "last", &refused]);
    assert!(text.contains("REFUSED") && text.contains("Refused by ORDER_NOTIONAL: the limit is 8000 USD"), "{text}");
    assert!(text.contains("adds up exactly") && text.contains("none for order"), "{text}");
}

#[test]
fn another_build_warns_and_replays_the_same() {
    let place = Place::new();
    place.write("m.toml", SMALL);
    place.json(&["backtest", "m.toml"]);
    // The same program with a byte behind its end is another build.
    let other = place.path().join("other");
    std::fs::copy(env!("CARGO_BIN_EXE_tradegraph"), &other).unwrap();
    let mut bytes = std::fs::read(&other).unwrap();
    bytes.push(0);
    std::fs::write(&other, bytes).unwrap();
    let out = assert_cmd::Command::new(&other).current_dir(place.path()).args(["replay", "last"]).output().unwrap();
    assert_eq!(out.status.code(), Some(0));
    assert!(crate::text(&out.stderr).contains("warning: run"), "{}", crate::text(&out.stderr));
    assert!(crate::text(&out.stdout).contains("the replay is the same"));
}

#[test]
fn a_file_of_ones_own_is_traded_and_its_faults_are_told() {
    let place = Place::new();
    let mut csv = "date,open,high,low,close,volume\n".to_owned();
    for day in 1..=28 {
        csv += &format!("2024-01-{day:02},{p},{h},{l},{p},1000\n", p = 100 + day % 7, h = 110, l = 90);
    }
    csv += "2024-01-29,1,2,3,1,5\n";
    place.write("own <b>.csv", csv);
    place.write(
        "m.toml",
        "name = \"</script><b>\"\n[account]\ncash = 10000\n[[data]]\npath = \"own <b>.csv\"\ncalendar = \"24/7\"\n[agents.rule]\nlong = \"c > m\"\nfeatures.c = { kind = \"close\" }\nfeatures.m = { kind = \"sma\", n = 3 }\n[allocator]\nkind = \"direct\"\nquantity = 5\n",
    );
    let out = place.run(&["backtest", "m.toml", "--json"]);
    assert_eq!(out.status.code(), Some(0), "{}", crate::text(&out.stderr));
    assert!(crate::text(&out.stderr).contains("own <b>.csv:30: "), "{}", crate::text(&out.stderr));
    let run: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert!(run["orders"].as_u64().unwrap() > 2);
    let html = std::fs::read_to_string(run["report"].as_str().unwrap()).unwrap();
    assert!(html.contains("&lt;/script&gt;&lt;b&gt;") && !html.contains("<b>.csv") && !html.contains("</script><b>"));
    // The file is not needed again.
    std::fs::remove_file(place.path().join("own <b>.csv")).unwrap();
    assert_eq!(place.json(&["replay", "last"])["same"], true);
}

/// The catalog keeps content under its hash, and names are no content: a second run of the same numbers under another
/// name must not rename the first.
#[test]
fn a_run_keeps_its_own_names() {
    let place = Place::new();
    let rows: String = (1..=20).map(|d| format!("2021-03-{d:02},{},{0},{0},{0},10\n", 100 + d * (d % 3))).collect();
    place.write("one.csv", format!("date,open,high,low,close,volume\n{rows}"));
    let mandate = |symbol: &str| {
        format!(
            "name = \"{symbol}\"\n[account]\ncash = 100000\n[[data]]\npath = \"one.csv\"\nsymbols = [\"{symbol}\"]\ncalendar = \"24/7\"\n[agents.rule]\nlong = \"c > 110\"\nfeatures.c = {{ kind = \"close\" }}\n[allocator]\nkind = \"direct\"\nquantity = 1\n"
        )
    };
    place.write("a.toml", mandate("AAA"));
    place.write("b.toml", mandate("BBB"));
    let first = place.json(&["backtest", "a.toml"])["run"].as_str().unwrap().to_owned();
    place.good(&["backtest", "b.toml"]);
    assert_eq!(place.json(&["explain", &first, "1"])["symbol"], "AAA");
    assert_eq!(place.json(&["explain", "last", "1"])["symbol"], "BBB");
    place.good(&["replay", &first]);
}
