//! Runs: names, searches, the lock between processes.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tradegraph_domain::{Date, Nanos, Timestamp};
use tradegraph_engine::{CommitGroup, Journal};
use tradegraph_store::{LockError, RunId, RunInfo, RunStatus, Store, StoreError};

/// 2026-11-22T17:42:10.123Z
pub fn created() -> Timestamp {
    Timestamp(Date::from_ymd(2026, 11, 22).unwrap().midnight().0 + 63_730 * Nanos::SECOND.0 + 123_000_000)
}

pub fn info(name: &str) -> RunInfo {
    let mandate_hash = *blake3::hash(name.as_bytes()).as_bytes();
    RunInfo {
        id: RunId::new(created(), name, &mandate_hash),
        created: created(),
        mandate: format!("name = \"{name}\""),
        mandate_hash,
        binary: "tradegraph 0.1.0".to_owned(),
    }
}

/// This test again as a process of its own, with a folder to work on.
pub fn again_as_child(test: &str, home: &Path, through_shell: Option<&str>) -> Child {
    let me = std::env::current_exe().unwrap();
    let mut command = match through_shell {
        None => Command::new(me),
        Some(script) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("{script}; exec \"$0\" \"$@\"")]).arg(me);
            shell
        }
    };
    command
        .args(["--exact", test, "--test-threads=1", "--nocapture"])
        .env("TRADEGRAPH_STORE_TEST_CHILD", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The folder, if this process is such a child.
pub fn child_home() -> Option<std::path::PathBuf> {
    std::env::var_os("TRADEGRAPH_STORE_TEST_CHILD").map(Into::into)
}

/// A line for the parent.
pub fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

/// Lines that the child told, without those of the test harness.
pub fn told(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let out = BufReader::new(child.stdout.take().unwrap());
    out.lines().map_while(Result::ok).filter_map(|l| l.strip_prefix("> ").map(str::to_owned))
}

#[test]
fn names_are_readable_sorted_and_unique() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let info = info("EMA cross!");
    let hash = &blake3::hash(b"EMA cross!").to_hex()[..4];
    assert_eq!(info.id.as_str(), format!("20261122-174210-ema-cross-{hash}"));
    let first = store.create_run(&info).unwrap();
    let second = store.create_run(&info).unwrap();
    assert_eq!(second.as_str(), format!("{first}-2"));
    assert_eq!(RunId::new(Timestamp(0), "«»", &[0; 32]).as_str(), "19700101-000000-run-0000");
    let runs = store.runs().unwrap();
    assert_eq!(runs.iter().map(|r| &r.info.id).collect::<Vec<_>>(), [&first, &second]);
    assert_eq!(runs[0].info, info);
    assert_eq!((runs[0].status, runs[0].finished), (RunStatus::Running, None));
}

#[test]
fn runs_are_found_by_the_beginning_of_their_name() {
    let home = tempfile::tempdir().unwrap();
    assert!(matches!(Store::open_read_only(home.path()), Err(StoreError::NoStore { .. })));
    let store = Store::open(home.path()).unwrap();
    assert!(matches!(store.find("last"), Err(StoreError::NoRuns { .. })));
    let a = store.create_run(&info("alpha")).unwrap();
    let b = store.create_run(&info("beta")).unwrap();
    assert_eq!(store.find("last").unwrap().info.id, b);
    assert_eq!(store.find(a.as_str()).unwrap().info.id, a);
    assert_eq!(store.find("20261122-174210-a").unwrap().info.id, a);
    let text = store.find("2026").unwrap_err().to_string();
    assert!(text.contains(a.as_str()) && text.contains(b.as_str()) && text.contains("type more"), "{text}");
    let text = store.find("1999").unwrap_err().to_string();
    assert!(text.contains("no run begins with '1999'") && text.contains(b.as_str()), "{text}");
    // A name that is also the beginning of another one means itself.
    let again = store.create_run(&info("alpha")).unwrap();
    assert_eq!(store.find(a.as_str()).unwrap().info.id, a);

    store.finish_run(&a, created(), [9; 32], "{\"nav\":1}").unwrap();
    let found = store.find(a.as_str()).unwrap();
    assert_eq!((found.status, found.final_hash, found.finished), (RunStatus::Finished, Some([9; 32]), Some(created())));
    assert_eq!(found.summary.as_deref(), Some("{\"nav\":1}"));
    store.set_status(&b, RunStatus::Failed).unwrap();
    assert!(store.set_status(&info("gamma").id, RunStatus::Failed).is_err());
    drop(store);

    let reader = Store::open_read_only(home.path()).unwrap();
    assert!(matches!(reader.create_run(&info("x")), Err(StoreError::ReadOnly { .. })));
    assert!(matches!(reader.journal(&a), Err(StoreError::ReadOnly { .. })));
    assert_eq!(reader.find(again.as_str()).unwrap().status, RunStatus::Running);
    // The next writer sees that nobody runs it any more.
    let writer = Store::open(home.path()).unwrap();
    assert_eq!(reader.find(again.as_str()).unwrap().status, RunStatus::Interrupted);
    assert_eq!(writer.find(b.as_str()).unwrap().status, RunStatus::Failed);
}

#[test]
fn a_second_writer_is_told_who_is_first() {
    if let Some(home) = child_home() {
        let _store = Store::open(&home).unwrap();
        tell("\n> open");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut child = again_as_child("runs::a_second_writer_is_told_who_is_first", home.path(), None);
    let mut lines = told(&mut child);
    assert_eq!(lines.next().as_deref(), Some("open"));
    let error = Store::open(home.path()).unwrap_err();
    let text = error.to_string();
    assert!(
        matches!(&error, StoreError::Lock(LockError::Held { pid, since: Some(_), .. }) if *pid == Some(child.id()))
    );
    assert!(text.contains(&format!("process {}", child.id())) && text.contains("--home"), "{text}");
    assert_eq!(Store::open_read_only(home.path()).unwrap().runs().unwrap(), []);
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert!(child.wait().unwrap().success());
    let store = Store::open(home.path()).unwrap();
    let run = store.create_run(&info("x")).unwrap();
    // A journal keeps the home locked when the store is gone.
    let journal = store.journal(&run).unwrap();
    drop(store);
    assert!(matches!(Store::open(home.path()), Err(StoreError::Lock(_))));
    drop(journal);
    Store::open(home.path()).unwrap();
}

#[test]
fn a_newer_file_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    drop(Store::open(home.path()).unwrap());
    crate::journal::sql(home.path(), "PRAGMA user_version = 99");
    for result in [Store::open(home.path()), Store::open_read_only(home.path())] {
        assert!(matches!(result, Err(StoreError::Newer { found: 99, known: 2, .. })));
    }
    std::fs::write(home.path().join("store.sqlite"), vec![b'x'; 10_000]).unwrap();
    let text = Store::open(home.path()).unwrap_err().to_string();
    assert!(text.contains("store.sqlite") && text.contains("damaged"), "{text}");
}

#[test]
fn the_store_works_inside_an_async_program() {
    let home = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(home.path()).unwrap();
        let run = store.create_run(&info("x")).unwrap();
        let mut journal = store.journal(&run).unwrap();
        journal.append(CommitGroup { index: 0, first_seq: 1, n_events: 1, records: vec![1] }).unwrap();
        assert_eq!(journal.flush().unwrap(), 1);
    });
}
