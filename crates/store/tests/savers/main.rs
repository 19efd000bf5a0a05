//! Savers of checkpoints against real databases, with processes and servers killed in the middle of a write.
//!
//! A PostgreSQL server is started here, on a free port of this machine, from `/usr/lib/postgresql/*/bin` (Debian:
//! `apt-get install postgresql`) or from the folder that `TRADEGRAPH_POSTGRES_BIN` names. Without one the tests fail.
//! `savers --writer KIND ADDRESS` is the process that is killed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of a test fail the test")]

mod postgres;
mod server;
mod sqlite;
mod writer;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let [_, flag, kind, address] = words.as_slice()
        && flag == "--writer"
    {
        return writer::write_for_ever(kind, address);
    }
    let tests: [(&str, fn()); 11] = [
        ("postgres: does what every saver must", postgres::conforms),
        ("postgres: a council stops, is asked and goes on in another process's saver", postgres::goes_on),
        ("postgres: two programs make the tables at once, and a newer version is refused", postgres::migrates),
        ("postgres: a writer killed in mid-transaction leaves nothing of it", postgres::killed_writer),
        ("postgres: a server killed in mid-transaction keeps what was acknowledged", postgres::killed_server),
        ("postgres: writers killed at any moment leave whole transactions", postgres::killed_at_any_moment),
        ("postgres: addresses and refusals are explained", postgres::explains),
        ("sqlite: writers killed at any moment leave whole transactions", sqlite::killed_at_any_moment),
        ("sqlite: a log cut at any byte holds whole transactions", sqlite::torn),
        ("sqlite: a file of the first version is brought up to date", sqlite::migrates),
        ("sqlite: what cannot be written is written later", sqlite::keeps_what_failed),
    ];
    let trials = tests.map(|(name, test)| Trial::test(name, move || ran(test)));
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit();
}

fn ran(test: fn()) -> Result<(), Failed> {
    std::panic::catch_unwind(test).map_err(|e| {
        let text = e.downcast_ref::<String>().cloned();
        Failed::from(text.or_else(|| e.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default())
    })
}
