//! The SQLite saver when it is killed, cut off, or refused.

use super::writer::{AT, BATCH, check, kill_at_any_moment as rounds, put_batch};
use std::path::Path;
use tradegraph_graph::Saver;
use tradegraph_store::SqliteSaver;

fn open(path: &Path) -> SqliteSaver {
    SqliteSaver::open(path, true).unwrap()
}

pub fn killed_at_any_moment() {
    let home = tempfile::tempdir().unwrap();
    rounds("sqlite", home.path().join("c.sqlite").to_str().unwrap(), 12);
}

/// As a power cut leaves it: the write-ahead log ends anywhere in the second transaction.
pub fn torn() {
    let home = tempfile::tempdir().unwrap();
    let (path, log) = (home.path().join("c.sqlite"), home.path().join("c.sqlite-wal"));
    let saver = open(&path);
    put_batch(&saver, 1);
    saver.flush().unwrap();
    let first = std::fs::metadata(&log).unwrap().len() as usize;
    put_batch(&saver, BATCH + 1);
    saver.flush().unwrap();
    let (file, bytes) = (std::fs::read(&path).unwrap(), std::fs::read(&log).unwrap());
    assert!(bytes.len() > first + 8 * 4_096, "the second transaction is long enough to be cut: {}", bytes.len());
    let mut seen = Vec::new();
    for end in (first..bytes.len()).step_by(3_001).chain([bytes.len() - 1, bytes.len()]) {
        let cut = tempfile::tempdir().unwrap();
        let path = cut.path().join("c.sqlite");
        std::fs::write(&path, &file).unwrap();
        std::fs::write(cut.path().join("c.sqlite-wal"), &bytes[..end]).unwrap();
        seen.push(check(&open(&path), BATCH));
    }
    let whole = seen.pop();
    assert_eq!(whole, Some(2 * BATCH), "the log as it is");
    assert!(seen.iter().all(|newest| *newest == BATCH), "{seen:?}");
}

pub fn migrates() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("c.sqlite");
    let old = "CREATE TABLE checkpoints (
        thread TEXT NOT NULL, ns TEXT NOT NULL, seq INTEGER NOT NULL, hash INTEGER NOT NULL,
        parent_seq INTEGER, parent_hash INTEGER, step INTEGER NOT NULL, source TEXT NOT NULL,
        body BLOB NOT NULL, versions TEXT NOT NULL, PRIMARY KEY (thread, ns, seq, hash)) WITHOUT ROWID;
        CREATE TABLE channels (
        thread TEXT NOT NULL, ns TEXT NOT NULL, channel TEXT NOT NULL, version INTEGER NOT NULL, bytes BLOB NOT NULL,
        PRIMARY KEY (thread, ns, channel, version)) WITHOUT ROWID;
        CREATE TABLE task_writes (
        thread TEXT NOT NULL, ns TEXT NOT NULL, seq INTEGER NOT NULL, hash INTEGER NOT NULL,
        task INTEGER NOT NULL, idx INTEGER NOT NULL, bytes BLOB NOT NULL,
        PRIMARY KEY (thread, ns, seq, hash, task, idx)) WITHOUT ROWID;
        INSERT INTO checkpoints VALUES ('desk', '', 1, -7, NULL, NULL, -1, 'input', x'01', '[[\"a\",1]]');
        INSERT INTO channels VALUES ('desk', '', 'a', 1, x'2a')";
    run(&path, old);
    let saved = open(&path).get(AT, None).unwrap().unwrap();
    assert_eq!((saved.id.hash, saved.values), (-7_i64 as u64, vec![("a".to_owned(), 1, vec![42])]));
    assert_eq!(open(&path).newest_seq("desk").unwrap(), 1, "a second opening changes nothing");
    run(&path, "PRAGMA user_version = 99");
    let refused = SqliteSaver::open(&path, true).unwrap_err().to_string();
    assert!(refused.contains("version 99") && refused.contains("c.sqlite"), "{refused}");
}

/// The disk refuses a transaction (a trigger stands for it), and later it does not.
pub fn keeps_what_failed() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("c.sqlite");
    let saver = open(&path);
    put_batch(&saver, 1);
    saver.flush().unwrap();
    run(&path, "CREATE TRIGGER full BEFORE INSERT ON task_writes BEGIN SELECT raise(ABORT, 'disk full'); END");
    put_batch(&saver, BATCH + 1);
    let refused = saver.flush().unwrap_err().to_string();
    assert!(refused.contains("disk full") && refused.contains("c.sqlite"), "{refused}");
    check(&open(&path), BATCH);
    saver.flush().unwrap_err();
    run(&path, "DROP TRIGGER full");
    saver.flush().unwrap();
    assert_eq!(check(&open(&path), BATCH), 2 * BATCH);
}

/// SQL in a connection of its own.
fn run(path: &Path, sql: &'static str) {
    use sqlx::{ConnectOptions, Connection};
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let mut c = options.connect().await.unwrap();
        sqlx::raw_sql(sql).execute(&mut c).await.unwrap();
        c.close().await.unwrap();
    });
}
