//! `tradegraph new agent NAME`: a program of one file with an agent of your own in the council.

use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::home::cannot;
use serde_json::json;
use std::path::{Path, PathBuf};
use tradegraph_engine::check_node;

/// What can be typed behind `new`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// A strategy in Rust, beside those of the project
    Agent(AgentArguments),
}

#[derive(clap::Args, Debug)]
struct AgentArguments {
    /// Its name: small letters, digits and '_'
    #[arg(value_name = "NAME")]
    name: String,
    /// The folder that is made for it [default: NAME]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Folder of tradegraph's source code [default: where this program was built, or the folder around you]
    #[arg(long, env = "TRADEGRAPH_SOURCE", value_name = "DIR")]
    source: Option<PathBuf>,
}

const MAIN: &str = include_str!("../template/main.rs.txt");
const CARGO: &str = include_str!("../template/Cargo.toml.txt");
const MANDATE: &str = include_str!("../template/mandate.toml");

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    let What::Agent(a) = &arguments.what;
    let source = source(a.source.as_deref())?;
    let name = a.name.as_str();
    check_node(name).map_err(|e| Failure::new(Kind::Usage, e.to_string()))?;
    let folder = a.folder.clone().unwrap_or_else(|| PathBuf::from(name));
    if folder.exists() {
        return Err(Failure::new(Kind::Failed, format!("{}: exists and is left as it is", folder.display()))
            .next("name another folder: --folder DIR"));
    }
    let path = json!(source.join("crates/tradegraph").display().to_string()).to_string();
    let fill =
        |text: &str| text.replace("{{node}}", name).replace("{{Type}}", &type_name(name)).replace("{{source}}", &path);
    let src = folder.join("src");
    std::fs::create_dir_all(&src).map_err(|e| cannot("made", &src, &e))?;
    let files = [
        (folder.join("Cargo.toml"), fill(CARGO)),
        (src.join("main.rs"), fill(MAIN)),
        (folder.join("mandate.toml"), fill(MANDATE)),
        (folder.join(".gitignore"), "/target\n/tradegraph-data\n".to_owned()),
    ];
    for (path, text) in &files {
        std::fs::write(path, text).map_err(|e| cannot("written", path, &e))?;
    }
    // The same versions of everything below; without it cargo chooses.
    let lock = source.join("Cargo.lock");
    if lock.is_file() {
        std::fs::copy(&lock, folder.join("Cargo.lock")).map_err(|e| cannot("copied", &lock, &e))?;
    }
    context.out.say(&format!("wrote         {}", folder.display()));
    context.out.say(&format!("try next      cd {} && cargo test", folder.display()));
    context.out.say("              cargo run --release -- backtest mandate.toml");
    context.out.result(&json!({ "agent": name, "folder": folder.display().to_string() }));
    Ok(())
}

/// `my_agent` → `MyAgent`.
fn type_name(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |c| c.to_ascii_uppercase().to_string() + letters.as_str())
    };
    name.split('_').map(capital).collect()
}

/// The folder of the source code: what was named, or one around this program or around the user.
fn source(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let is = |folder: &Path| folder.join("crates/tradegraph/Cargo.toml").is_file();
    let whole = |folder: &Path| folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    if let Some(folder) = named {
        return if is(folder) {
            Ok(whole(folder))
        } else {
            Err(Failure::new(Kind::NotFound, format!("{}: holds no source code of tradegraph", folder.display()))
                .next("name the folder that has crates/tradegraph in it"))
        };
    }
    let around = [std::env::current_exe().and_then(|p| p.canonicalize()).ok(), std::env::current_dir().ok()];
    let found = around.iter().flatten().flat_map(|p| p.ancestors()).find(|folder| is(folder));
    found.map(whole).ok_or_else(|| {
        Failure::new(Kind::NotFound, "tradegraph's source code is not around this program, and an agent is built on it")
            .next("name its folder: --source DIR")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types() {
        for (name, expected) in [("dip", "Dip"), ("my_own_agent", "MyOwnAgent"), ("a1__b", "A1B")] {
            assert_eq!(type_name(name), expected);
        }
    }
}
