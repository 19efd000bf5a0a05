//! Every command that the README and the documentation show is run, in their order, in one folder each.

use crate::{Place, SMALL};

const DOCUMENTS: [(&str, &str); 20] = [
    ("README.md", include_str!("../../../../README.md")),
    ("docs/commands.md", include_str!("../../../../docs/commands.md")),
    ("docs/first-hour.md", include_str!("../../../../docs/first-hour.md")),
    ("docs/sweeps.md", include_str!("../../../../docs/sweeps.md")),
    ("docs/tables.md", include_str!("../../../../docs/tables.md")),
    ("docs/basis.md", include_str!("../../../../docs/basis.md")),
    ("docs/data/README.md", include_str!("../../../../docs/data/README.md")),
    ("docs/data/bars.md", include_str!("../../../../docs/data/bars.md")),
    ("docs/data/quotes.md", include_str!("../../../../docs/data/quotes.md")),
    ("docs/data/trades.md", include_str!("../../../../docs/data/trades.md")),
    ("docs/data/messages.md", include_str!("../../../../docs/data/messages.md")),
    ("docs/data/chain.md", include_str!("../../../../docs/data/chain.md")),
    ("docs/data/text.md", include_str!("../../../../docs/data/text.md")),
    ("docs/data/snapshot.md", include_str!("../../../../docs/data/snapshot.md")),
    ("docs/data/table.md", include_str!("../../../../docs/data/table.md")),
    ("docs/data/reference.md", include_str!("../../../../docs/data/reference.md")),
    ("docs/quant.md", include_str!("../../../../docs/quant.md")),
    ("docs/add-an-agent.md", include_str!("../../../../docs/add-an-agent.md")),
    ("docs/data/actions.md", include_str!("../../../../docs/data/actions.md")),
    ("docs/recovery.md", include_str!("../../../../docs/recovery.md")),
];

/// The files that a document shows: blocks whose first line has a name behind the language.
fn files(document: &str) -> Vec<(&str, &str)> {
    let blocks = document.split("\n```").skip(1).step_by(2);
    let named = blocks.filter_map(|block| {
        let (head, body) = block.split_once('\n')?;
        let (_, name) = head.split_once(' ')?;
        Some((name, body))
    });
    named.collect()
}

/// The words of a command; quotation marks keep words together.
fn words(line: &str) -> Vec<&str> {
    let parts = line.split('"').enumerate();
    let words = parts.flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().collect::<Vec<_>>(),
        _ => vec![part],
    });
    words.collect()
}

/// The lines of the shell blocks of a document, without their comments.
fn commands(document: &str) -> Vec<String> {
    let blocks = document.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).map(|l| l.split(" #").next().unwrap_or_default().trim().to_owned());
    lines.filter(|l| !l.is_empty()).collect()
}

#[test]
fn every_command_shown_works() {
    for (name, document) in DOCUMENTS {
        let place = Place::new();
        place.write("mandate.toml", SMALL);
        let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples");
        std::os::unix::fs::symlink(samples, place.path().join("samples")).unwrap();
        for (file, text) in files(document) {
            place.write(file, format!("{text}\n"));
        }
        let mut n = 0;
        for line in commands(document) {
            let words = words(&line);
            match words.split_first() {
                Some((&"cargo", rest)) => assert!(
                    rest == ["run", "--release"] || rest == ["test", "--workspace", "--locked"],
                    "{name}: {line}"
                ),
                Some((&"tradegraph", rest)) => {
                    place.good(rest);
                    n += 1;
                }
                _ => panic!("{name}: '{line}' is no command of ours"),
            }
        }
        assert!(n >= 1, "{name}: {n}");
    }
}

/// The page of indicators says what the registry says; `UPDATE_GOLDEN=1` writes it.
#[test]
fn every_indicator_is_listed() {
    use std::fmt::Write;
    let mut page = include_str!("../../../../docs/indicators.md").split("| name |").next().unwrap().to_owned();
    page += "| name | parameters (usual value, range) | lines |\n|---|---|---|\n";
    for i in tradegraph_quant::indicators::INDICATORS {
        let of = |p: &tradegraph_quant::indicators::Parameter| {
            format!("`{}` {} ({} to {})", p.name, p.default, p.least, p.most)
        };
        let parameters: Vec<String> = i.parameters.iter().map(of).collect();
        let lines: Vec<&str> = i.lines.iter().map(|l| l.name).filter(|n| !n.is_empty()).collect();
        let _ = writeln!(page, "| `{}` | {} | {} |", i.name, parameters.join(", "), lines.join(", "));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/indicators.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), page, "UPDATE_GOLDEN=1 writes the page again");
}

#[test]
fn every_check_is_explained() {
    let page = include_str!("../../../../docs/data/README.md");
    for (_, name, severity, sentence) in tradegraph_market::quality::Check::ALL {
        let row = format!("| {name} | {} | {sentence} |", severity.name());
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
fn the_tables_are_shown_as_they_are() {
    assert!(DOCUMENTS[4].1.contains(tradegraph_store::tables::SCHEMA.trim_end()));
}

#[test]
fn the_readme_has_exactly_two_commands_of_cargo() {
    let (_, readme) = DOCUMENTS[0];
    let cargo: Vec<_> = commands(readme).into_iter().filter(|l| l.starts_with("cargo ")).collect();
    assert_eq!(cargo, ["cargo run --release", "cargo test --workspace --locked"]);
}
