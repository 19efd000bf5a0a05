//! Homes: where they are, who may write, what damage does.

use crate::{Place, SMALL};
use std::io::Write;

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let place = Place::new();
    place.write("m.toml", SMALL);
    place.json(&["backtest", "m.toml"]);
    // The lock is the system's, so holding the file's lock is what another process does.
    let mut lock = std::fs::OpenOptions::new().read(true).write(true).open(place.home().join("lock")).unwrap();
    lock.lock().unwrap();
    lock.write_all(b"pid 4242\nsince 2026-01-01T00:00:00Z\n").unwrap();
    let (code, message) = place.bad(&["backtest", "m.toml"]);
    assert_eq!(code, 5, "{message}");
    assert!(message.contains("in use by process 4242 since 2026-01-01T00:00:00Z"), "{message}");
    assert_eq!(place.bad(&["resume", "last"]).0, 5);
    for reader in [&["runs"][..], &["replay", "last"], &["explain", "last", "1"], &["report", "last"], &["doctor"]] {
        place.json(reader);
    }
    drop(lock);
    place.json(&["backtest", "m.toml"]);
}

#[test]
fn the_option_is_stronger_than_the_variable_and_both_than_the_folder() {
    let place = Place::new();
    place.write("m.toml", SMALL);
    let run = |arguments: &[&str]| {
        let out = place.command(arguments).env("TRADEGRAPH_HOME", "by-variable").output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{}", crate::text(&out.stderr));
    };
    run(&["backtest", "m.toml"]);
    run(&["backtest", "m.toml", "--home", "by option"]);
    assert!(place.path().join("by-variable/store.sqlite").exists());
    assert!(place.path().join("by option/store.sqlite").exists());
    assert!(!place.home().exists());
    let printed = place.good(&["--home", "by option", "backtest", "m.toml"]);
    assert!(printed.contains("explain       tradegraph --home 'by option' explain "), "{printed}");
}

#[test]
fn runs_are_meant_by_id_by_beginning_and_by_last() {
    let place = Place::new();
    place.write("m.toml", SMALL);
    let first = place.json(&["backtest", "m.toml", "--name", "one"])["run"].as_str().unwrap().to_owned();
    let second = place.json(&["backtest", "m.toml", "--name", "two"])["run"].as_str().unwrap().to_owned();
    assert_eq!(place.json(&["replay", &first])["run"], first.as_str());
    assert_eq!(place.json(&["replay", "last"])["run"], second.as_str());
    let short = &first[..first.find("-one").unwrap() + 3];
    assert_eq!(place.json(&["replay", short])["run"], first.as_str());
    let (code, message) = place.bad(&["replay", "2"]);
    assert!(code == 4 && message.contains("is the beginning of 2 runs"), "{message}");
}

#[test]
fn damage_is_told_from_difference() {
    let place = Place::new();
    place.write("m.toml", SMALL);
    place.json(&["backtest", "m.toml"]);
    // A byte of the catalog changes.
    let batch = std::fs::read_dir(place.home().join("catalog"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "parquet"))
        .unwrap();
    let good = std::fs::read(&batch).unwrap();
    let mut bytes = good.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&batch, &bytes).unwrap();
    assert_eq!(place.bad(&["replay", "last"]).0, 6);
    assert_eq!(place.bad(&["doctor"]).0, 1);
    std::fs::remove_file(&batch).unwrap();
    let (code, message) = place.bad(&["explain", "last", "1"]);
    assert!(code == 4 && message.contains("is not in the catalog"), "{message}");
    std::fs::write(&batch, &good).unwrap();
    assert_eq!(place.json(&["replay", "last"])["same"], true);
    // A record of the journal changes: the chain tells.
    let store = place.home().join("store.sqlite");
    let mut bytes = std::fs::read(&store).unwrap();
    let name = b"name = \"small\"";
    let mut changed = 0;
    for at in 0..bytes.len() - name.len() {
        if &bytes[at..at + name.len()] == name {
            bytes[at + 8] = b'S';
            changed += 1;
        }
    }
    assert!(changed >= 1);
    std::fs::write(&store, &bytes).unwrap();
    let (code, message) = place.bad(&["replay", "last"]);
    assert!(code == 6 && message.contains("damaged"), "{code}: {message}");
    // No database at all.
    std::fs::write(
        &store,
        b"this is no database, but it is long enough to have a header of one hundred bytes or so. ".repeat(20),
    )
    .unwrap();
    let (code, message) = place.bad(&["runs"]);
    assert!(code == 1 && message.contains("store.sqlite"), "{code}: {message}");
}

#[cfg(unix)]
#[test]
fn a_home_that_cannot_be_written_is_an_error_with_advice() {
    let place = Place::new();
    place.write("m.toml", SMALL);
    // A file where the folder should be, and a device that takes no folder: also root meets these.
    place.write("file", "x");
    for home in ["file/home", "/dev/null/home", "/proc/home"] {
        let (code, message) = place.bad(&["backtest", "m.toml", "--home", home]);
        assert!(code == 1 && message.contains(home), "{home}: {code}: {message}");
    }
}
