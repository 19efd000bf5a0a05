//! `tradegraph doctor`: is everything here that a run needs?

use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::mandate::{MandateText, load};
use crate::samples::{MANDATES, SAMPLES};
use serde_json::json;
use std::path::Path;
use tradegraph_market::calendar::CalendarId;
use tradegraph_store::{Catalog, CsvRequest, HomeLock, LockError, Store, import_csv};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Note,
    Bad,
}

struct Check {
    name: &'static str,
    verdict: Verdict,
    says: String,
}

/// Runs the command.
pub fn run(context: &Context) -> Result<(), Failure> {
    let mut checks = vec![program()];
    let home = context.home.path();
    checks.push(home_check(home));
    if home.join("store.sqlite").exists() {
        checks.extend(store_checks(home));
    }
    checks.push(samples());
    checks.push(mandates());
    checks.push(calendar());
    let word = |v: Verdict| match v {
        Verdict::Good => "ok",
        Verdict::Note => "note",
        Verdict::Bad => "BAD",
    };
    for c in &checks {
        context.out.say(&format!("{:<5} {:<10} {}", word(c.verdict), c.name, c.says));
    }
    let bad: Vec<_> = checks.iter().filter(|c| c.verdict == Verdict::Bad).map(|c| c.name).collect();
    if bad.is_empty() {
        context.out.result(&json!({ "ok": true, "checks": checks.iter().map(|c| json!({
            "name": c.name, "verdict": word(c.verdict).to_lowercase(), "says": c.says })).collect::<Vec<_>>(),
            "samples": SAMPLES.iter().map(|s| json!({ "name": s.name, "about": s.about })).collect::<Vec<_>>() }));
        return Ok(());
    }
    Err(Failure::new(Kind::Failed, format!("the set-up has a problem with: {}", bad.join(", "))).next(
        checks.iter().filter(|c| c.verdict == Verdict::Bad).map(|c| c.says.clone()).collect::<Vec<_>>().join("; "),
    ))
}

fn check(name: &'static str, verdict: Verdict, says: impl Into<String>) -> Check {
    Check { name, verdict, says: says.into() }
}

fn program() -> Check {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    check("program", Verdict::Good, format!("{} on {os} {arch}, {cores} cores", crate::run::binary()))
}

fn home_check(home: &Path) -> Check {
    if !home.exists() {
        return check("home", Verdict::Note, format!("{} does not exist yet; the first run makes it", home.display()));
    }
    if !home.is_dir() {
        return check("home", Verdict::Bad, format!("{} is no folder; name one with --home DIR", home.display()));
    }
    match HomeLock::acquire(home) {
        Ok(_) => check("home", Verdict::Good, format!("{} can be written and is free", home.display())),
        Err(e @ LockError::Held { .. }) => check("home", Verdict::Note, e.to_string()),
        Err(e) => check("home", Verdict::Bad, e.to_string()),
    }
}

fn store_checks(home: &Path) -> Vec<Check> {
    let runs = Store::open_read_only(home).and_then(|store| Ok((store.runs()?, store)));
    let (runs, store) = match runs {
        Ok(both) => both,
        Err(e) => return vec![check("store", Verdict::Bad, e.to_string())],
    };
    let mut out = vec![check("store", Verdict::Good, format!("{} runs", runs.len()))];
    if let Some(last) = runs.last() {
        let id = &last.info.id;
        let verified =
            store.reader(id).map_err(|e| e.to_string()).and_then(|mut r| r.verify().map_err(|e| e.to_string()));
        out.push(match verified {
            Ok(groups) => check("journal", Verdict::Good, format!("{id}: {groups} commit groups, chain intact")),
            Err(e) => check("journal", Verdict::Bad, format!("{id}: {e}")),
        });
    }
    let listed = Catalog::open(home).and_then(|c| Ok((c.list()?, c)));
    out.push(match listed {
        Err(e) => check("catalog", Verdict::Bad, e.to_string()),
        Ok((entries, catalog)) => {
            let n = entries.len();
            let wrong = entries.into_iter().find_map(|e| e.and_then(|e| catalog.get(e.id)).err());
            match wrong {
                None => check("catalog", Verdict::Good, format!("{n} batches, content as named")),
                Some(e) => check("catalog", Verdict::Bad, e.to_string()),
            }
        }
    });
    out
}

fn samples() -> Check {
    for s in SAMPLES {
        if let Err(e) = import_csv(&CsvRequest::bytes(s.file, s.csv, s.calendar)) {
            return check("samples", Verdict::Bad, format!("sample:{}: {e}", s.name));
        }
    }
    check("samples", Verdict::Good, format!("{} embedded data sets read", SAMPLES.len()))
}

fn mandates() -> Check {
    for (name, _) in MANDATES {
        let whole = MandateText::read(&format!("sample:{name}"))
            .and_then(|t| t.parse())
            .and_then(|m| load(&m, Path::new("."), None).map(|_| ()));
        if let Err(failure) = whole {
            return check("mandates", Verdict::Bad, format!("sample:{name}: {}", failure.what));
        }
    }
    let names: Vec<_> = MANDATES.iter().map(|(n, _)| format!("sample:{n}")).collect();
    check("mandates", Verdict::Good, names.join(" "))
}

fn calendar() -> Check {
    let today = crate::run::now().date();
    let (first, last) = CalendarId::Xnys.range();
    let says = format!("XNYS known from {first} to {last}");
    if last.0.saturating_sub(today.0) > 90 {
        check("calendar", Verdict::Good, says)
    } else {
        check("calendar", Verdict::Note, format!("{says}: ends soon, use a newer version"))
    }
}
