//! The journal: kill -9, damage, a full disk, readers beside the writer.

use std::path::Path;
use std::process::Child;

use tradegraph_engine::{CommitGroup, Journal, JournalError, Snapshot};
use tradegraph_store::{RunId, Store};

use crate::runs::{again_as_child, child_home, info, tell, told};

/// Group `index` of a run that could be any: sizes from nothing to some 40 kB, the same in every process.
fn group(index: u64) -> CommitGroup {
    let size = (index * 7_919 % 40_961) as usize * usize::from(index % 5 != 3);
    let mut records = vec![0; size];
    blake3::Hasher::new().update(&index.to_le_bytes()).finalize_xof().fill(&mut records);
    CommitGroup { index, first_seq: 1 + index * 10, n_events: 10, records }
}

fn snapshot(seq: u64, next_group: u64) -> Snapshot {
    let state = vec![seq as u8; 5_000];
    Snapshot { seq, next_group, hash: *blake3::hash(&state).as_bytes(), state }
}

/// A run of `n` groups.
fn filled(home: &Path, n: u64) -> RunId {
    let store = Store::open(home).unwrap();
    let run = store.create_run(&info("journal")).unwrap();
    let mut journal = store.journal(&run).unwrap();
    (0..n).for_each(|i| journal.append(group(i)).unwrap());
    assert_eq!(journal.flush().unwrap(), n * 10);
    run
}

/// Changes the file as no part of the program would.
pub fn sql(home: &Path, statement: &'static str) {
    use sqlx::Connection;
    let url = format!("sqlite://{}", home.join("store.sqlite").display());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut c = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut c).await.unwrap();
        c.close().await.unwrap();
    });
}

#[test]
fn groups_and_snapshots_come_back() {
    let home = tempfile::tempdir().unwrap();
    let run = filled(home.path(), 20);
    let store = Store::open(home.path()).unwrap();
    let mut journal = store.journal(&run).unwrap();
    assert_eq!((journal.durable_seq(), journal.stored_groups()), (200, 20));
    for i in 0..20 {
        assert_eq!(journal.read(i).unwrap(), Some(group(i)));
    }
    assert_eq!(journal.read(20).unwrap(), None);
    assert_eq!(journal.read(u64::MAX).unwrap(), None);
    assert_eq!(journal.latest_snapshot().unwrap(), None);
    for seq in [50, 100, 150] {
        journal.snapshot(snapshot(seq, seq / 10)).unwrap();
    }
    journal.flush().unwrap();
    assert_eq!(journal.latest_snapshot().unwrap(), Some(snapshot(150, 15)));
    // Two are kept.
    assert_eq!(journal.reader().snapshot_before(Some(150)).unwrap(), Some(snapshot(100, 10)));
    assert_eq!(journal.reader().snapshot_before(Some(100)).unwrap(), None);
    // A damaged one is stepped over and said; without a good one a run goes on from its start.
    assert!(
        matches!(journal.reader().newest_good_snapshot(), Ok((Some(s), damaged)) if s.seq == 150 && damaged.is_empty())
    );
    sql(home.path(), "UPDATE snapshots SET blob = zeroblob(5000) WHERE seq = 150");
    let (found, damaged) = journal.reader().newest_good_snapshot().unwrap();
    assert_eq!(found, Some(snapshot(100, 10)));
    assert!(matches!(damaged.as_slice(), [JournalError::Damaged { index: 15, .. }]), "{damaged:?}");
    sql(home.path(), "UPDATE snapshots SET hash = x'00'");
    let (found, damaged) = journal.reader().newest_good_snapshot().unwrap();
    assert_eq!((found, damaged.len()), (None, 2));
}

/// SQLite itself has no checksum: a page whose count of rows is damaged looks like a shorter journal.
#[test]
fn a_finished_journal_that_became_shorter_is_damaged() {
    let home = tempfile::tempdir().unwrap();
    let run = filled(home.path(), 6);
    Store::open(home.path()).unwrap().finish_run(&run, tradegraph_domain::Timestamp(7), [1; 32], "{}").unwrap();
    assert_eq!(Store::open_read_only(home.path()).unwrap().reader(&run).unwrap().verify().unwrap(), 6);
    sql(home.path(), "DELETE FROM commit_groups WHERE idx >= 4");
    let store = Store::open_read_only(home.path()).unwrap();
    assert!(matches!(store.reader(&run).unwrap().verify(), Err(JournalError::Damaged { index: 4, .. })));
    // Nor may what its entry says change.
    sql(home.path(), "UPDATE runs SET groups = 4");
    assert!(matches!(store.runs(), Err(tradegraph_store::StoreError::Entry { .. })));
    sql(home.path(), "UPDATE runs SET groups = 6, summary = '{\"nav\":1}'");
    assert!(store.runs().unwrap_err().to_string().contains("does not fit its hash"));
}

/// Stores of version 1 had neither hashes of entries nor counts of groups.
#[test]
fn a_store_of_version_1_is_read_and_brought_up_to_date() {
    let home = tempfile::tempdir().unwrap();
    let run = filled(home.path(), 3);
    sql(
        home.path(),
        "ALTER TABLE runs DROP COLUMN sum; ALTER TABLE runs DROP COLUMN groups; PRAGMA user_version = 1;
         UPDATE runs SET status = 'finished', final_hash = zeroblob(32), summary = '{}', finished_ms = 5",
    );
    let old = Store::open_read_only(home.path()).unwrap();
    assert_eq!((old.find("last").unwrap().groups, old.reader(&run).unwrap().verify().unwrap()), (None, 3));
    drop(old);
    let store = Store::open(home.path()).unwrap();
    assert_eq!((store.find("last").unwrap().groups, store.reader(&run).unwrap().verify().unwrap()), (None, 3));
    store.finish_run(&run, tradegraph_domain::Timestamp(7), [1; 32], "{}").unwrap();
    assert_eq!(store.find("last").unwrap().groups, Some(3));
}

#[test]
fn a_resumed_run_must_make_the_same_groups_again() {
    let home = tempfile::tempdir().unwrap();
    let run = filled(home.path(), 8);
    let store = Store::open(home.path()).unwrap();
    let mut journal = store.journal(&run).unwrap();
    assert!(matches!(journal.append(group(9)), Err(JournalError::OutOfOrder { found: 9, expected: 8 })));
    for i in 5..12 {
        journal.append(group(i)).unwrap();
    }
    assert!(matches!(journal.append(group(3)), Err(JournalError::OutOfOrder { found: 3, expected: 12 })));
    assert_eq!(journal.flush().unwrap(), 120);
    drop(journal);
    let mut journal = store.journal(&run).unwrap();
    assert_eq!(journal.reader().verify().unwrap(), 12);
    let mut other = group(4);
    other.records[17] ^= 1;
    let text = journal.append(other).unwrap_err().to_string();
    assert!(text.contains("group 4") && text.contains("differs"), "{text}");
    let mut other = group(4);
    other.n_events += 1;
    assert!(matches!(journal.append(other), Err(JournalError::Damaged { index: 4, .. })));
    journal.append(group(4)).unwrap();
}

#[test]
fn damage_is_found_and_located() {
    let cases: [(&'static str, u64, &str); 9] = [
        ("UPDATE commit_groups SET blob = x'00' || substr(blob, 2) WHERE idx = 4", 4, "content"),
        ("UPDATE commit_groups SET blob = substr(blob, 1, length(blob) - 1) WHERE idx = 6", 6, "content"),
        ("UPDATE commit_groups SET blob = blob || x'00' WHERE idx = 0", 0, "content"),
        ("UPDATE commit_groups SET n = n + 1 WHERE idx = 5", 5, "content"),
        ("UPDATE commit_groups SET first_seq = first_seq + 1 WHERE idx = 5", 5, "content"),
        ("DELETE FROM commit_groups WHERE idx = 5", 5, "missing"),
        ("UPDATE commit_groups SET hash = zeroblob(32) WHERE idx = 2", 2, "content"),
        ("UPDATE commit_groups SET prev_hash = zeroblob(32) WHERE idx = 2", 2, "follow"),
        (
            "UPDATE commit_groups SET idx = 100 WHERE idx = 2; UPDATE commit_groups SET idx = 2 WHERE idx = 7;
             UPDATE commit_groups SET idx = 7 WHERE idx = 100",
            2,
            "follow",
        ),
    ];
    let intact = tempfile::tempdir().unwrap();
    let run = filled(intact.path(), 10);
    for (statement, index, what) in cases {
        let home = tempfile::tempdir().unwrap();
        std::fs::copy(intact.path().join("store.sqlite"), home.path().join("store.sqlite")).unwrap();
        sql(home.path(), statement);
        let mut reader = Store::open_read_only(home.path()).unwrap().reader(&run).unwrap();
        match reader.verify() {
            Err(JournalError::Damaged { index: found, what: says }) => {
                assert!(found == index && says.contains(what), "{statement}: group {found}: {says}");
            }
            other => panic!("{statement}: {other:?}"),
        }
    }
    // The last group: nothing may be appended to it.
    let home = tempfile::tempdir().unwrap();
    std::fs::copy(intact.path().join("store.sqlite"), home.path().join("store.sqlite")).unwrap();
    sql(home.path(), "UPDATE commit_groups SET n = 11 WHERE idx = 9");
    let text = Store::open(home.path()).unwrap().journal(&run).unwrap_err().to_string();
    assert!(text.contains("group 9") && text.contains("cannot go on"), "{text}");
}

#[test]
fn flipped_bytes_of_the_file_are_found() {
    let intact = tempfile::tempdir().unwrap();
    let run = filled(intact.path(), 10);
    let good = std::fs::read(intact.path().join("store.sqlite")).unwrap();
    // The middle of each blob, found in the file by its bytes (a blob lies in pieces of up to a page). A page may also
    // hold a stale copy of a row that moved, so every copy is changed.
    for index in (0..10).filter(|i| group(*i).records.len() > 5_000) {
        let records = group(index).records;
        let copies = |w: &[u8]| -> Vec<usize> { (0..good.len() - 64).filter(|at| good[*at..*at + 64] == *w).collect() };
        let found = records.windows(64).skip(records.len() / 2).map(copies).find(|at| !at.is_empty()).unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut bad = good.clone();
        for at in found {
            bad[at + 5] ^= 0x10;
        }
        std::fs::write(home.path().join("store.sqlite"), bad).unwrap();
        let mut reader = Store::open_read_only(home.path()).unwrap().reader(&run).unwrap();
        assert!(
            matches!(reader.verify(), Err(JournalError::Damaged { index: found, .. }) if found == index),
            "{index}"
        );
    }
    let home = tempfile::tempdir().unwrap();
    let run = filled(home.path(), 1);
    {
        let store = Store::open(home.path()).unwrap();
        let mut journal = store.journal(&run).unwrap();
        journal.snapshot(snapshot(7, 1)).unwrap();
        journal.snapshot(snapshot(9, 1)).unwrap();
        journal.flush().unwrap();
    }
    sql(home.path(), "UPDATE snapshots SET blob = x'01' || substr(blob, 2) WHERE seq = 9");
    let mut reader = Store::open_read_only(home.path()).unwrap().reader(&run).unwrap();
    assert!(reader.snapshot_before(None).unwrap_err().to_string().contains("snapshot"));
    assert_eq!(reader.snapshot_before(Some(9)).unwrap(), Some(snapshot(7, 1)));
}

/// Resumes the run a few groups back, makes those again, and goes on for ever; tells what is durable.
fn write_for_ever(home: &Path) {
    let store = Store::open(home).unwrap();
    let run = match store.find("last") {
        Ok(found) => found.info.id,
        Err(_) => store.create_run(&info("journal")).unwrap(),
    };
    let mut journal = store.journal(&run).unwrap();
    let from = journal.stored_groups().saturating_sub(3);
    tell("\n> 0");
    for index in from.. {
        journal.append(group(index)).unwrap();
        if index % 16 == 5 {
            journal.snapshot(snapshot(group(index).first_seq, index + 1)).unwrap();
        }
        if index % 3 == 0 {
            tell(&format!("> {}", journal.durable_seq()));
        }
    }
}

#[test]
fn kill_nine_loses_nothing_that_was_acknowledged() {
    if let Some(home) = child_home() {
        write_for_ever(&home);
    }
    let home = tempfile::tempdir().unwrap();
    let mut total = 0;
    for round in 0..8_u64 {
        let mut child: Child =
            again_as_child("journal::kill_nine_loses_nothing_that_was_acknowledged", home.path(), None);
        let mut acknowledged = 0;
        // Kills after a different number of messages each time, in the middle of whatever it does.
        for line in told(&mut child).skip(1).take(7 + 13 * round as usize) {
            acknowledged = line.parse().unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let store = Store::open(home.path()).unwrap();
        let run = store.find("last").unwrap().info.id;
        let mut reader = store.reader(&run).unwrap();
        let groups = reader.verify().unwrap();
        assert!(groups * 10 >= acknowledged, "{groups} groups, event {acknowledged} was acknowledged");
        for index in 0..groups {
            assert_eq!(reader.read(index).unwrap(), Some(group(index)));
        }
        if let Some(s) = reader.snapshot_before(None).unwrap() {
            assert!(s.next_group <= groups, "a snapshot never runs ahead of its groups");
        }
        total = groups;
    }
    assert!(total > 50, "{total}");
}

#[test]
fn a_file_that_cannot_grow_stops_the_run_with_a_reason() {
    if let Some(home) = child_home() {
        let store = Store::open(&home).unwrap();
        let run = store.create_run(&info("journal")).unwrap();
        let mut journal = store.journal(&run).unwrap();
        for index in 0..10_000 {
            if let Err(e) = journal.append(group(index)) {
                // Said again by every call that follows.
                assert!(journal.flush().is_err() && journal.append(group(index)).is_err());
                use std::error::Error;
                tell(&format!("\n> {}\n> {e}: {}", journal.durable_seq(), e.source().unwrap()));
                return;
            }
        }
        panic!("10,000 groups fitted");
    }
    let home = tempfile::tempdir().unwrap();
    // Files of at most 2 MB; the signal is ignored so that the write fails as on a full disk.
    let limit = "trap '' XFSZ; ulimit -f 4096";
    let name = "journal::a_file_that_cannot_grow_stops_the_run_with_a_reason";
    let mut child = again_as_child(name, home.path(), Some(limit));
    let lines: Vec<String> = told(&mut child).collect();
    assert!(child.wait().unwrap().success(), "{lines:?}");
    let durable: u64 = lines[0].parse().unwrap();
    assert!(
        lines[1].contains("store.sqlite") && lines[1].contains(&format!("after event {durable} were not stored")),
        "{}",
        lines[1]
    );
    assert!(lines[1].contains("disk"), "{}", lines[1]);
    // With room again, the run goes on where it was.
    let store = Store::open(home.path()).unwrap();
    let run = store.find("last").unwrap().info.id;
    let mut journal = store.journal(&run).unwrap();
    assert_eq!(journal.durable_seq(), durable);
    let next = journal.stored_groups();
    journal.append(group(next)).unwrap();
    journal.flush().unwrap();
    assert_eq!(journal.reader().verify().unwrap(), next + 1);
}

#[test]
fn readers_see_a_growing_good_chain_while_it_is_written() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let run = store.create_run(&info("journal")).unwrap();
    let mut journal = store.journal(&run).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut reader = Store::open_read_only(home.path()).unwrap().reader(&run).unwrap();
            let (mut seen, mut passes) = (0, 0);
            while !done.load(std::sync::atomic::Ordering::Acquire) || passes == 0 {
                let now = reader.verify().unwrap();
                assert!(now >= seen);
                (seen, passes) = (now, passes + 1);
            }
            reader.verify().unwrap()
        });
        for index in 0..300 {
            journal.append(group(index)).unwrap();
            if index % 50 == 0 {
                store.set_status(&run, tradegraph_store::RunStatus::Running).unwrap();
            }
        }
        journal.flush().unwrap();
        done.store(true, std::sync::atomic::Ordering::Release);
        assert_eq!(reading.join().unwrap(), 300);
    });
}
