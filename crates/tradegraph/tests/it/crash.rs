//! The real program on the real file system, killed at chosen system calls; a folder that may not be written.

use crate::{Place, SMALL};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Hashes and books of a run, without its name.
fn result(run: &serde_json::Value) -> Vec<serde_json::Value> {
    let keys = ["state_hash", "rolling_hash", "nav_end", "fees", "orders", "fills", "events"];
    let values: Vec<_> = keys.iter().map(|k| run[*k].clone()).collect();
    assert!(values.iter().all(|v| !v.is_null()), "{run}");
    values
}

#[test]
fn a_run_killed_at_a_system_call_comes_to_the_same_result() {
    let years = SMALL.replace("2019-01-01", "2009-01-01");
    let mandate = format!("{years}\n[record]\nsnapshot_rows = 100\n");
    let whole = {
        let place = Place::new();
        place.write("small.toml", &mandate);
        result(&place.json(&["backtest", "small.toml"]))
    };
    let (mut killed, mut resumed) = (0, 0);
    // Each thread counts its own calls: the writer of the journal is one of those that get there.
    let writes = [1, 5, 10, 20, 30, 40, 55, 70, 90, 110, 140, 180];
    let waits = [1, 2, 3, 4, 6, 8, 10, 12];
    let calls = writes.map(|n| ("pwrite64", n)).into_iter().chain(waits.map(|n| ("fsync,fdatasync", n)));
    for (call, n) in calls.chain([("rename", 1), ("unlink", 1), ("unlink", 2), ("ftruncate", 1)]) {
        let place = Place::new();
        place.write("small.toml", &mandate);
        let status = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")])
            .args(["-e", &format!("inject={call}:signal=KILL:when={n}")])
            .args([env!("CARGO_BIN_EXE_tradegraph"), "backtest", "small.toml", "--quiet"])
            .current_dir(place.path())
            .env_remove("TRADEGRAPH_HOME")
            .output()
            .expect("strace is installed: apt-get install strace");
        if status.status.success() {
            continue; // the run has fewer such calls
        }
        killed += 1;
        let runs = place.run(&["runs", "--json"]);
        let runs: serde_json::Value = serde_json::from_slice(&runs.stdout).unwrap_or_default();
        let last = runs["runs"].as_array().and_then(|r| r.last()).cloned().unwrap_or_default();
        let came_to = match last["status"].as_str() {
            Some("finished") => {
                assert_eq!(place.json(&["replay", "last"])["same"], true);
                continue;
            }
            Some(_) => {
                let out = place.run(&["resume", "last", "--json"]);
                if out.status.success() {
                    resumed += 1;
                    serde_json::from_slice(&out.stdout).unwrap()
                } else {
                    // Nothing was on record yet, and the program says what to do.
                    let text = String::from_utf8_lossy(&out.stdout).into_owned();
                    assert!(text.contains("before its journal had a first record"), "{call} {n}: {text}");
                    place.json(&["backtest", "small.toml"])
                }
            }
            None => place.json(&["backtest", "small.toml"]),
        };
        assert_eq!(result(&came_to), whole, "{call} {n}");
        assert_eq!(place.json(&["replay", "last"])["same"], true, "{call} {n}");
    }
    assert!(killed >= 12 && resumed >= 4, "{killed} runs were killed, {resumed} of them resumed");
}

#[test]
fn a_folder_that_may_not_be_written_is_named() {
    let place = Place::new();
    place.write("small.toml", SMALL);
    let before = result(&place.json(&["backtest", "small.toml"]));
    let allow = |mode: u32| {
        let home = place.home();
        let inner = [home.join("catalog"), home.join("runs"), home.clone()];
        let files = std::fs::read_dir(&home).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file());
        for path in files {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o666)).unwrap();
        }
        for path in inner {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    allow(0o555);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradegraph"));
        command.current_dir(place.path()).env_remove("TRADEGRAPH_HOME").args(arguments);
        if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
            command.uid(65_534); // permissions do not bind root
        }
        let out = command.output().unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr))
    };
    for arguments in [&["backtest", "small.toml", "--json"], &["resume", "last", "--json"]] {
        let (code, text) = run(arguments);
        assert!(code == Some(1) || code == Some(4), "{arguments:?}: {code:?} {text}");
        assert!(text.contains("tradegraph-data") && !text.contains("panicked"), "{arguments:?}: {text}");
        assert!(text.contains("read-only") || text.contains("writable") || text.contains("written"), "{text}");
    }
    allow(0o755);
    assert_eq!(place.json(&["replay", "last"])["same"], true);
    let again = place.json(&["backtest", "small.toml"]);
    assert_eq!(result(&again), before);
}
