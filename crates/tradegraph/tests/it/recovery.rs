//! A run that is killed goes on and ends as if nothing had happened.

use crate::Place;
use std::io::Read;
use std::process::{Command, Stdio};

/// A mandate over bars of one minute, long enough to be killed in the middle.
pub(crate) fn long(place: &Place) {
    let mut csv = "ts,open,high,low,close,volume\n".to_owned();
    let mut price = 10_000_i64;
    let mut seed = 7_u64;
    for minute in 0..120_000_i64 {
        // A small linear congruential walk: any prices do.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let close = (price + (seed >> 59) as i64 - 16).max(1_000);
        let (low, high) = (price.min(close), price.max(close));
        let show = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
        let ts = 1_600_000_020 + minute * 60;
        csv += &format!("{ts},{},{},{},{},100\n", show(price), show(high), show(low), show(close));
        price = close;
    }
    place.write("minutes.csv", csv);
    place.write(
        "long.toml",
        "name = \"long\"\n[account]\ncash = 1000000\n[[data]]\npath = \"minutes.csv\"\ncalendar = \"24/7\"\n[agents.rule]\nlong = \"fast > slow\"\nfeatures.fast = { kind = \"ema\", n = 3 }\nfeatures.slow = { kind = \"ema\", n = 7 }\n[allocator]\nkind = \"direct\"\nquantity = 10\n[record]\nsnapshot_rows = 2000\n",
    );
}

/// Groups that are durable, by the store's own reader.
pub(crate) fn groups(place: &Place, run: &str) -> u64 {
    let count = || {
        let store = tradegraph_store::Store::open_read_only(&place.home()).ok()?;
        let run = store.find(run).ok()?.info.id;
        let mut reader = store.reader(&run).ok()?;
        reader.tip().ok()?.map(|tip| tip.index)
    };
    count().unwrap_or_default()
}

#[test]
fn a_killed_run_resumes_to_the_hash_of_an_undisturbed_one() {
    let place = Place::new();
    long(&place);
    let whole = place.json(&["backtest", "long.toml", "--home", "other"]);
    let mut interrupted = 0;
    for wanted in [1, 4, 12] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tradegraph"))
            .current_dir(place.path())
            .env_remove("TRADEGRAPH_HOME")
            .args(["backtest", "long.toml", "--quiet"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Watches for durable groups of the new run; a run that ended first is simply finished.
        let before = listed(&place);
        let ended = loop {
            if child.try_wait().unwrap().is_some() {
                break true;
            }
            if listed(&place) > before && groups(&place, "last") >= wanted {
                break false;
            }
        };
        child.kill().unwrap();
        let mut rest = String::new();
        let _ = child.stdout.take().unwrap().read_to_string(&mut rest);
        child.wait().unwrap();
        let status = place.json(&["runs"])["runs"].as_array().unwrap().last().unwrap()["status"].clone();
        if ended || status == "finished" {
            continue;
        }
        interrupted += 1;
        assert_eq!(place.bad(&["replay", "last"]).0, 1);
        let resumed = place.json(&["resume", "last"]);
        assert_eq!(resumed["state_hash"], whole["state_hash"]);
        assert_eq!(resumed["rolling_hash"], whole["rolling_hash"]);
        assert_eq!(resumed["nav_end"], whole["nav_end"]);
        assert_eq!(resumed["fees"], whole["fees"]);
        assert_eq!(place.json(&["replay", "last"])["same"], true);
    }
    assert!(interrupted > 0, "no run was caught in the middle");
}

pub(crate) fn listed(place: &Place) -> usize {
    tradegraph_store::Store::open_read_only(&place.home()).and_then(|s| s.runs()).map_or(0, |r| r.len())
}
