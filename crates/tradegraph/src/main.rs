//! The program without agents of one's own.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    tradegraph::run(&[])
}
