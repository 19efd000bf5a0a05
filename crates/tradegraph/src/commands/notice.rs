//! `tradegraph notice`: origin and licences of the sample data, which the binary carries wherever it is copied.

use crate::cli::Context;
use crate::failure::Failure;
use crate::samples::{LICENCES, NOTICE};
use serde_json::json;

/// Runs the command.
pub fn run(context: &Context) -> Result<(), Failure> {
    context.out.say(NOTICE.trim_end());
    for (file, text) in LICENCES {
        context.out.say(&format!("\n---- {file} ----\n\n{}", text.trim_end()));
    }
    let licences: Vec<_> = LICENCES.iter().map(|(file, text)| json!({ "file": file, "text": text })).collect();
    context.out.result(&json!({ "notice": NOTICE, "licences": licences }));
    Ok(())
}
