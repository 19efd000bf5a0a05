//! The one place that writes to the terminal. With `--json`, standard output carries one JSON document and nothing
//! else; what people read goes to standard error. A reader that went away (`| head`) ends no command.

use crate::failure::Failure;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};

/// Where a command's words go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    /// An output as the command line asks for it.
    pub fn new(json: bool, quiet: bool) -> Output {
        Output { json, quiet }
    }

    /// The result of a command, for people.
    pub fn say(self, text: &str) {
        if !self.json {
            write_line(&mut std::io::stdout().lock(), text);
        }
    }

    /// A stage of the work, for people; silent with `--quiet`.
    pub fn stage(self, text: &str) {
        if self.quiet {
            return;
        }
        if self.json {
            write_line(&mut std::io::stderr().lock(), text);
        } else {
            write_line(&mut std::io::stdout().lock(), text);
        }
    }

    /// Something that a person should know although the work goes on; never silent.
    pub fn warn(self, text: &str) {
        write_line(&mut std::io::stderr().lock(), &format!("warning: {text}"));
    }

    /// The result of a command, for programs.
    pub fn result(self, value: &Value) {
        if self.json {
            write_line(&mut std::io::stdout().lock(), &value.to_string());
        }
    }

    /// One line for programs, whether or not `--json` was given.
    pub fn line(self, value: &Value) {
        write_line(&mut std::io::stdout().lock(), &value.to_string());
    }

    /// Why a command failed.
    pub fn failure(self, failure: &Failure) {
        let mut text = format!("error: {}", failure.what);
        if let Some(next) = &failure.next {
            text += &format!("\n  next: {next}");
        }
        write_line(&mut std::io::stderr().lock(), &text);
        self.result(&json!({ "error": {
            "code": failure.kind as u8, "kind": failure.kind.name(), "message": failure.what, "next": failure.next,
        }}));
    }

    /// A bar over `total` rows; drawn on a terminal only.
    pub fn bar(self, total: u64) -> ProgressBar {
        let draw = !self.quiet && std::io::stderr().is_terminal();
        let target = if draw { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        let style =
            ProgressStyle::with_template("  {bar:40.cyan/blue} {percent:>3} %  {msg}  {elapsed} of about {duration}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar
    }
}

fn write_line(to: &mut impl Write, text: &str) {
    // A closed pipe is the reader's wish, not an error of ours.
    let _ = to.write_all(text.as_bytes());
    let _ = to.write_all(b"\n");
    let _ = to.flush();
}
