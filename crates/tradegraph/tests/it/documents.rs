//! Every command that the README and the documentation show is run, in their order, in one folder each.

use crate::{Place, SMALL};

const DOCUMENTS: [(&str, &str); 2] = [
    ("README.md", include_str!("../../../../README.md")),
    ("docs/commands.md", include_str!("../../../../docs/commands.md")),
];

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
        let mut n = 0;
        for line in commands(document) {
            let words: Vec<&str> = line.split_whitespace().collect();
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
        assert!(n >= 5, "{name}: {n}");
    }
}

#[test]
fn the_readme_has_exactly_two_commands_of_cargo() {
    let (_, readme) = DOCUMENTS[0];
    let cargo: Vec<_> = commands(readme).into_iter().filter(|l| l.starts_with("cargo ")).collect();
    assert_eq!(cargo, ["cargo run --release", "cargo test --workspace --locked"]);
}
