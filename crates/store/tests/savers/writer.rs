//! The process that writes until it is killed, and what must be there afterwards.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tradegraph_graph::{CheckpointId, NewCheckpoint, Place, Query, Saver, Source, TaskWrite};
use tradegraph_store::{PostgresSaver, SqliteSaver};

/// Checkpoints of one transaction.
pub const BATCH: u64 = 24;
pub const AT: Place<'static> = Place { thread: "desk", ns: "" };

pub fn open(kind: &str, address: &str) -> Box<dyn Saver> {
    match kind {
        "sqlite" => Box::new(SqliteSaver::open(Path::new(address), true).unwrap()),
        "postgres" => Box::new(PostgresSaver::open(address, true).unwrap()),
        other => panic!("no saver {other}"),
    }
}

pub fn id(seq: u64) -> CheckpointId {
    CheckpointId { seq, hash: seq.wrapping_mul(0x9e37_79b9_7f4a_7c15) }
}

/// What channel `a` holds at a checkpoint: long enough that writing takes most of the time.
pub fn value(seq: u64) -> Vec<u8> {
    (0..8_192_u64).map(|k| (seq.wrapping_mul(31) ^ k) as u8).collect()
}

/// Puts checkpoints `first..first + BATCH`: `a` changes in each, `b` in every third, and the last has a task's write.
pub fn put_batch(saver: &dyn Saver, first: u64) {
    let names = ["a".to_owned(), "b".to_owned()];
    for seq in first..first + BATCH {
        let third = seq - (seq - 1) % 3;
        let mut blobs = value(seq);
        let mut changed = vec![(0, 0..blobs.len())];
        if third == seq {
            blobs.extend_from_slice(&seq.to_le_bytes());
            changed.push((1, blobs.len() - 8..blobs.len()));
        }
        let versions = [(0, seq), (1, third)];
        let parent = (seq > 1).then(|| id(seq - 1));
        let from = (seq as i64 - 2, Source::Loop);
        let body = seq.to_be_bytes();
        let new = NewCheckpoint::new((id(seq), parent), from, &body, (&names, &versions), (&changed, &blobs));
        saver.put(AT, &new).unwrap();
    }
    let write = TaskWrite { task: u64::MAX - first, index: 1, bytes: first.to_be_bytes().to_vec() };
    saver.put_writes(AT, id(first + BATCH - 1), &[write]).unwrap();
}

/// Writes batch after batch and says after each that it is durable.
pub fn write_for_ever(kind: &str, address: &str) {
    let saver = open(kind, address);
    let mut next = saver.newest_seq(AT.thread).unwrap() + 1;
    loop {
        put_batch(saver.as_ref(), next);
        saver.flush().unwrap();
        next += BATCH;
        println!("{}", next - 1);
        std::io::stdout().flush().unwrap();
    }
}

/// A writer in a process of its own.
pub struct Writer {
    process: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Writer {
    pub fn start(kind: &str, address: &str) -> Writer {
        let mut c = Command::new(std::env::current_exe().unwrap());
        let mut process =
            c.args(["--writer", kind, address]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Writer { process, lines }
    }

    /// Waits for the next acknowledgement; none if the process ended.
    pub fn acknowledged(&mut self) -> Option<u64> {
        self.lines.next().map(|line| line.unwrap().parse().unwrap())
    }

    /// kill -9. Gives the last acknowledgement that got through.
    pub fn kill(mut self) -> u64 {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.lines.map_while(Result::ok).filter_map(|line| line.parse().ok()).max().unwrap_or(0)
    }
}

/// Everything acknowledged is there, whole batches only, and every checkpoint loads with the values it was put with.
pub fn check(saver: &dyn Saver, acknowledged: u64) -> u64 {
    let newest = saver.newest_seq(AT.thread).unwrap();
    assert!(newest >= acknowledged, "{acknowledged} was acknowledged, {newest} is the newest");
    assert_eq!(newest % BATCH, 0, "a part of a transaction is there");
    let all = saver.list(AT, Query::default()).unwrap();
    assert_eq!(all.len() as u64, newest);
    for (saved, seq) in all.iter().zip((1..=newest).rev()) {
        let third = seq - (seq - 1) % 3;
        assert_eq!((saved.id, saved.parent, saved.step), (id(seq), (seq > 1).then(|| id(seq - 1)), seq as i64 - 2));
        assert_eq!(saved.body, seq.to_be_bytes());
        let values = [("a".to_owned(), seq, value(seq)), ("b".to_owned(), third, third.to_le_bytes().to_vec())];
        assert!(saved.values == values, "values of {seq}");
        assert_eq!(saved.writes.len(), usize::from(seq % BATCH == 0), "writes of {seq}");
    }
    newest
}

/// Rounds of writing, killing after another while each time, and looking; returns how many rounds ended with a
/// transaction that nobody had been told of.
pub fn kill_at_any_moment(kind: &str, address: &str, rounds: u64) {
    let mut newest = 0;
    for round in 0..rounds {
        let mut writer = Writer::start(kind, address);
        let mut acknowledged = writer.acknowledged().expect("the writer writes");
        // Later each round, by steps that are no multiple of the time that a batch takes.
        std::thread::sleep(std::time::Duration::from_micros(1_700 + 2_903 * round));
        acknowledged = acknowledged.max(writer.kill());
        let now = check(open(kind, address).as_ref(), acknowledged);
        assert!(now > newest, "round {round} wrote nothing");
        newest = now;
    }
    let saver = open(kind, address);
    put_batch(saver.as_ref(), newest + 1);
    saver.flush().unwrap();
    check(saver.as_ref(), newest + BATCH);
}
