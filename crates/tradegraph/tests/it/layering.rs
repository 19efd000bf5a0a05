//! The house rules that a compiler does not hold: floors point down, and the table in ARCHITECTURE.md is true.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Crates of the workspace with the crates of ours that they use (dev-dependencies apart).
fn metadata() -> BTreeMap<String, BTreeSet<String>> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let short = |name: &str| name.strip_prefix("tradegraph-").unwrap_or(name).to_owned();
    json["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| {
            let uses = p["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|d| d["kind"].is_null() && d["name"].as_str().unwrap().starts_with("tradegraph-"))
                .map(|d| short(d["name"].as_str().unwrap()))
                .collect();
            (short(p["name"].as_str().unwrap()), uses)
        })
        .collect()
}

/// Rows of the table in ARCHITECTURE.md: crate → (floor, uses).
fn table() -> BTreeMap<String, (u32, BTreeSet<String>)> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    text.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
            let floor = cells.first()?.parse().ok()?;
            let uses = cells.get(2)?.split(',').map(str::trim).filter(|u| *u != "–").map(str::to_owned).collect();
            Some((cells.get(1)?.to_string(), (floor, uses)))
        })
        .collect()
}

#[test]
fn the_table_of_crates_is_what_cargo_builds() {
    let (built, written) = (metadata(), table());
    assert_eq!(built.keys().collect::<Vec<_>>(), written.keys().collect::<Vec<_>>());
    for (name, uses) in &built {
        assert_eq!(uses, &written[name].1, "crate {name}: what it uses");
    }
}

#[test]
fn floors_point_down() {
    let table = table();
    for (name, (floor, uses)) in &table {
        for other in uses {
            let below = table[other].0 < *floor;
            let allowed = other == "columns" && ["domain", "quant", "graph"].contains(&name.as_str());
            assert!(below || allowed, "{name} (floor {floor}) uses {other} (floor {})", table[other].0);
        }
    }
}

/// `forbid(unsafe_code)` in every crate, and no crate below floor 5 with a clippy.toml of its own that could relax the
/// ban of clocks, files and maps with a random order.
#[test]
fn every_crate_forbids_unsafe_and_the_core_keeps_the_bans() {
    for (name, (floor, _)) in table() {
        let dir = root().join("crates").join(&name);
        let main = ["src/lib.rs", "src/main.rs"].map(|f| dir.join(f)).into_iter().find(|f| f.exists()).unwrap();
        let text = std::fs::read_to_string(&main).unwrap();
        // One file of one crate talks to SQLite's file layer; the workspace denies unsafe code in the others of it.
        let confined = name == "simulation" && text.matches("allow(unsafe_code").count() == 1;
        assert!(confined || text.contains("#![forbid(unsafe_code)]"), "{}", main.display());
        assert_eq!(dir.join("clippy.toml").exists(), floor >= 5, "clippy.toml of {name}");
    }
}

/// ARCHITECTURE.md stays readable in one sitting.
#[test]
fn the_architecture_page_is_short() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(text.lines().count() <= 200);
}

/// Besides the tests on reference data and the counting of allocations, which need a binary of their own.
const OWN_BINARIES: [&str; 2] = ["reference.rs", "allocations.rs"];

/// No crate has more than one integration binary, and every file of it is reached from its main.rs.
#[test]
fn no_test_file_is_forgotten() {
    for name in table().keys() {
        let tests = root().join("crates").join(name).join("tests");
        let Ok(entries) = std::fs::read_dir(&tests) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if OWN_BINARIES.iter().any(|name| path.ends_with(name)) || path.ends_with("fixtures") {
                continue;
            }
            assert!(path.is_dir(), "{} would be a binary of its own", path.display());
            let main = path.join("main.rs");
            let text = std::fs::read_to_string(&main).unwrap_or_default();
            for file in std::fs::read_dir(&path).unwrap() {
                let file = file.unwrap().path();
                let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
                if file.extension().is_some_and(|e| e == "rs") && stem != "main" {
                    assert!(text.contains(&format!("mod {stem};")), "{} is not in {}", file.display(), main.display());
                }
            }
        }
    }
}
