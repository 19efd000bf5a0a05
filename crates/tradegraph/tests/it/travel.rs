//! Travel in time: a run is watched, looked into and forked.

use crate::{Place, recovery};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A council of two agents over a few hundred days.
fn two(place: &Place) {
    let rule = "[agents.rule]\nlong = \"close > slow\"\nfeatures.close = { kind = \"close\" }\nfeatures.slow = { kind = \"ema\", n = 40 }\n[allocator]";
    let text = crate::SMALL.replace("[allocator]", rule).replace("max_weight = \"60%\"", "max_weight = \"40%\"");
    place.write("two.toml", format!("{text}[record]\nsnapshot_rows = 100\n"));
}

fn names(list: &Value, key: &str) -> Vec<String> {
    let mut all: Vec<String> = list.as_array().unwrap().iter().map(|o| o[key].as_str().unwrap().to_owned()).collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn a_fork_without_an_agent_is_a_run_of_its_own() {
    let place = Place::new();
    two(&place);
    let parent = place.json(&["backtest", "two.toml"]);
    let parent_id = parent["run"].as_str().unwrap();
    let fork = place.json(&["fork", parent_id, "--at", "2020-06-30", "--without", "momentum_trader"]);
    let id = fork["run"].as_str().unwrap().to_owned();
    let about = &fork["fork"];
    assert_eq!(about["parent"], parent["run"]);
    assert_eq!(about["nav_parent"], parent["nav_end"]);
    assert_ne!(fork["nav_end"], parent["nav_end"]);
    let nano =
        |v: &Value| tradegraph_domain::parse_nano(v.as_str().unwrap(), tradegraph_domain::Rounding::HalfEven).unwrap();
    assert_eq!(nano(&about["nav_difference"]), nano(&fork["nav_end"]) - nano(&parent["nav_end"]));
    let first = &about["first_difference"];
    assert!(first["ts"].as_str().unwrap() > "2020-06-30", "{first}");
    let explained = [&first["parent"], &first["fork"]].into_iter().filter(|d| !d.is_null());
    assert!(explained.map(|d| assert!(d["explanation"].is_object(), "{d}")).count() > 0);

    // It is a run as any other: its record binds the parent, it replays to the same hashes, its orders are explained.
    let runs = place.json(&["runs"]);
    assert_eq!(runs["runs"].as_array().unwrap().len(), 2);
    let store = tradegraph_store::Store::open_read_only(&place.home()).unwrap();
    let record = store.find(&id).unwrap();
    assert!(record.info.mandate.starts_with(&format!("# Forked from run {parent_id} at ")), "{}", record.info.mandate);
    let bound = store.fork_of(&record.info.id).unwrap().unwrap();
    assert_eq!((bound.parent.as_str(), bound.change.as_str()), (parent_id, "without momentum_trader"));
    assert_eq!(store.fork_of(&store.find(parent_id).unwrap().info.id).unwrap(), None);
    let replayed = place.json(&["replay", &id]);
    assert_eq!((&replayed["same"], &replayed["state_hash"]), (&Value::Bool(true), &fork["state_hash"]));
    assert!(place.good(&["report", &id]).contains("report"));
    for order in ["1", "3"] {
        let (before, after) = (place.json(&["explain", parent_id, order]), place.json(&["explain", &id, order]));
        assert_eq!(before["headline"], after["headline"], "an order of the past that both have");
    }

    // At the fork both hold the same; later only one has the momentum agent.
    let [a, b] = [parent_id, id.as_str()].map(|run| place.json(&["inspect", run, "--at", "2020-06-30"]));
    assert_eq!((&a["positions"], &a["nav"], &a["seq"]), (&b["positions"], &b["nav"], &b["seq"]));
    assert!(!a["positions"].as_array().unwrap().is_empty());
    let [a, b] = [parent_id, id.as_str()].map(|run| place.json(&["inspect", run, "--at", "2021-03-31"]));
    assert_eq!(names(&a["opinions"], "agent"), ["momentum_trader", "rule"]);
    assert_eq!(names(&b["opinions"], "agent"), ["rule"]);
    assert_ne!(a["nav"], b["nav"]);
}

/// Work for one of two agents: who stands back is told wherever its opinion counts.
#[test]
fn a_budget_of_work_is_shared_and_told() {
    let place = Place::new();
    two(&place);
    let text = std::fs::read_to_string(place.path().join("two.toml")).unwrap();
    let budget = |ns| format!("[compute]\nbudget = \"{ns}ns\"\n[allocator]");
    place.write("work.toml", text.replace("[allocator]", &budget(30)));
    place.write("less.toml", text.replace("[allocator]", &budget(29)));
    let (code, message) = place.bad(&["backtest", "less.toml"]);
    assert!(code == 3 && message.contains("'momentum_trader' would never run: 30 ns"), "{code} {message}");
    let run = place.json(&["backtest", "work.toml"]);
    assert_eq!(place.json(&["replay", "last"])["same"], true);
    let report: Value = serde_json::from_str(
        &std::fs::read_to_string(run["report"].as_str().unwrap().replace("report.html", "report.json")).unwrap(),
    )
    .unwrap();
    let council = &report["council"];
    assert!(council["short_of_work"].as_u64().unwrap() > 500, "{council}");
    assert_eq!(names(&council["stood_back"], "agent"), ["momentum_trader", "rule"]);
    let (mut kept, mut fresh) = (0, 0);
    for order in 1..40 {
        let told = place.json(&["explain", "last", &order.to_string()]);
        let claims = told["negotiation"]["claims"].as_array().unwrap();
        let back: Vec<&str> =
            claims.iter().filter(|c| c["runs"] == false).filter_map(|c| c["agent"].as_str()).collect();
        let text = place.good(&["explain", "last", &order.to_string()]);
        assert!(text.contains(&format!("{} stood back: worth", back[0])), "{text}");
        for reason in told["reasons"].as_array().unwrap().iter().filter_map(Value::as_str) {
            let old = reason.starts_with(back[0]);
            assert_eq!(reason.contains("an older opinion, kept because it stood back"), old, "{reason}");
            (kept, fresh) = (kept + u32::from(old), fresh + u32::from(!old));
        }
    }
    assert!(kept > 3 && fresh > 3, "{kept} {fresh}");
    let none = place.json(&["explain", "last", "KO", "2020-05-06"]);
    let claims =
        if none["no_order"].is_object() { &none["no_order"]["negotiation"] } else { &none["orders"][0]["negotiation"] };
    assert_eq!(claims["claims"].as_array().unwrap().len(), 2, "{none}");
    let watched = place.good(&["watch", "last", "--from", "2020-05-01", "--until", "2020-05-08"]);
    assert!(watched.lines().filter(|l| l.contains(" · stood back: ")).count() >= 5, "{watched}");
}

#[test]
fn a_fork_with_another_key_and_one_that_changes_nothing() {
    let place = Place::new();
    two(&place);
    let parent = place.json(&["backtest", "two.toml"]);
    let less = place.json(&["fork", "last", "--at", "2020-06-30", "--set", "allocator.max_weight=10%"]);
    assert_ne!(less["nav_end"], parent["nav_end"]);
    let parent_id = parent["run"].as_str().unwrap();
    // The same value again: the same future.
    let same = place.json(&["fork", parent_id, "--at", "2020-06-30", "--set", "allocator.max_weight=40%"]);
    assert_eq!((&same["nav_end"], &same["orders"]), (&parent["nav_end"], &parent["orders"]));
    assert_eq!(same["fork"]["first_difference"], Value::Null);
    assert_eq!(same["fork"]["nav_difference"], "0");
    // A fork can be forked.
    let again = place.json(&["fork", same["run"].as_str().unwrap(), "--at", "2021-01-29", "--without", "rule"]);
    assert_eq!(again["fork"]["parent"], same["run"]);
    assert_eq!(place.json(&["replay", "last"])["same"], true);

    for (arguments, code, says) in [
        (vec!["--at", "2020-06-30"], 2, "--without"),
        (vec!["--at", "2020-06-30", "--without", "nobody"], 3, "momentum_trader"),
        (vec!["--at", "2020-06-30", "--set", "allocator.bant=1%"], 3, "band"),
        (vec!["--at", "2020-06-30", "--set", "account.cash=5"], 3, "the cash at the start"),
        (vec!["--at", "2020-06-30", "--set", "nothing"], 2, "KEY=VALUE"),
        (vec!["--at", "1970-01-01", "--without", "rule"], 4, "the data begin"),
        (vec!["--at", "2030-01-01", "--without", "rule"], 4, "earlier"),
    ] {
        let n = place.json(&["runs"])["runs"].as_array().unwrap().len();
        let (found, text) = place.bad(&[vec!["fork", parent_id], arguments.clone()].concat());
        assert!(found == code && text.contains(says), "{arguments:?}: {found} {text}");
        assert_eq!(place.json(&["runs"])["runs"].as_array().unwrap().len(), n, "{arguments:?} left a run");
    }
    assert_eq!(place.run(&["inspect", "last", "--at", "yesterday"]).status.code(), Some(2));
}

#[test]
fn a_run_is_watched_paused_and_gone_on_with() {
    let place = Place::new();
    two(&place);
    let parent = place.json(&["backtest", "two.toml"]);
    let cycles = |arguments: &[&str]| -> Vec<Value> {
        let printed = place.good(&[&["watch", "last", "--json"], arguments].concat());
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let whole = cycles(&["--all"]);
    assert_eq!(whole.len(), 757, "a cycle a session of the years 2019 to 2021");
    let orders = |all: &[Value]| -> usize {
        let of = |c: &Value| {
            c["updates"]["execution_engine"]
                .as_array()
                .map_or(0, |orders| orders.iter().filter(|o| o["refused_by"].is_null()).count())
        };
        all.iter().map(of).sum()
    };
    assert_eq!(orders(&whole) as u64, parent["orders"].as_u64().unwrap());
    assert!(whole.iter().any(|c| c["updates"]["momentum_trader"].is_array() && c["updates"]["rule"].is_array()));
    assert_eq!(whole.last().unwrap()["values"]["nav"], parent["nav_end"]);
    // Paused, and gone on with: the two parts are the whole.
    let first = cycles(&["--all", "--until", "2020-06-30"]);
    let seq = first.last().unwrap()["run_seq"].to_string();
    let rest = cycles(&["--all", "--from", &seq]);
    assert_eq!(first.len() + rest.len(), whole.len());
    assert_eq!(first.last(), whole.get(first.len() - 1));
    assert_eq!(rest.last().unwrap()["values"], whole.last().unwrap()["values"]);
    assert_eq!(place.json(&["inspect", "last", "--at", &seq])["nav"], first.last().unwrap()["values"]["nav"]);
    let told = place.good(&["watch", "last", "--from", "2021-12-01"]);
    assert!(told.contains("momentum_trader: ") && told.contains("NAV "), "{told}");
}

/// A command that runs on beside the test.
fn started(place: &Place, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tradegraph"))
        .current_dir(place.path())
        .env_remove("TRADEGRAPH_HOME")
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until the newest of `n` runs has commit groups that are durable; false if the command ended before.
fn under_way(place: &Place, child: &mut Child, n: usize, groups: u64) -> bool {
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if recovery::listed(place) == n && recovery::groups(place, "last") >= groups {
            return true;
        }
    }
}

#[test]
fn a_run_under_way_is_watched_to_its_end() {
    let place = Place::new();
    recovery::long(&place);
    let mut child = started(&place, &["backtest", "long.toml", "--json"]);
    assert!(under_way(&place, &mut child, 1, 2), "it ended before it could be watched");
    let mut watcher = started(&place, &["watch", "last", "--json"]);
    let mut lines = BufReader::new(watcher.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    let alive = child.try_wait().unwrap().is_none();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(watcher.wait().unwrap().success());
    let printed = child.wait_with_output().unwrap();
    assert!(printed.status.success());
    assert!(alive, "the first cycle was shown only when the run was over");
    let result: Value = serde_json::from_slice(&printed.stdout).unwrap();
    // What was seen while it ran is what is seen when it is over, to the last cycle.
    let again = place.good(&["watch", "last", "--json"]);
    let mut again = again.lines();
    assert_eq!(serde_json::from_str::<Value>(again.next().unwrap()).unwrap(), first);
    assert!(again.eq(rest.iter().map(String::as_str)));
    let last: Value = serde_json::from_str(rest.last().unwrap()).unwrap();
    let after = place.json(&["inspect", "last", "--at", &last["run_seq"].to_string()]);
    assert_eq!(after["nav"], last["values"]["nav"]);
    assert_eq!(place.json(&["inspect", "last", "--at", "2030-01-01"])["nav"], result["nav_end"]);
}

#[test]
fn a_fork_that_is_killed_resumes_to_the_hash_of_an_undisturbed_one() {
    let place = Place::new();
    recovery::long(&place);
    let parent = place.json(&["backtest", "long.toml"]);
    let parent = parent["run"].as_str().unwrap();
    let arguments = ["fork", parent, "--at", "2020-09-20", "--set", "allocator.quantity=7"];
    let whole = place.json(&arguments);
    // The groups of the past are there at once: a few more of its own.
    let past = {
        let store = tradegraph_store::Store::open_read_only(&place.home()).unwrap();
        let id = store.find(whole["run"].as_str().unwrap()).unwrap().info.id;
        store.fork_of(&id).unwrap().unwrap().snapshot.next_group
    };
    let mut interrupted = 0;
    for more in [1, 3, 9] {
        let n = recovery::listed(&place) + 1;
        let mut child = started(&place, &[&arguments[..], &["--quiet"]].concat());
        let caught = under_way(&place, &mut child, n, past + more);
        child.kill().unwrap();
        child.wait().unwrap();
        let status = place.json(&["runs"])["runs"].as_array().unwrap().last().unwrap()["status"].clone();
        if !caught || status == "finished" {
            continue;
        }
        interrupted += 1;
        let resumed = place.json(&["resume", "last"]);
        for key in ["state_hash", "rolling_hash", "nav_end", "fees", "orders"] {
            assert_eq!(resumed[key], whole[key], "{key}, {more} groups after the fork");
        }
        assert_eq!(place.json(&["replay", "last"])["same"], true);
    }
    assert!(interrupted > 0, "no fork was caught in the middle");
}
