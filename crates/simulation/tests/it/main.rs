//! The writers of the store, cut off at every operation: a file is the old one or the new one, a data set is there or not.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use tradegraph_domain::Timestamp;
use tradegraph_engine::{CommitGroup, Journal};
use tradegraph_simulation::{Image, Op, Random, RecordingDisk, Survival, Trouble};
use tradegraph_store::{Catalog, Disk, ImportOptions, RunId, RunInfo, Store, disk};

const SURVIVALS: [Survival; 4] = [Survival::Nothing, Survival::Everything, Survival::Torn, Survival::Some];

/// Every operation with each kind of survival, the seeded kinds a few times.
fn images(base: &Image, ops: &[Op]) -> Vec<(String, Image)> {
    let places =
        (0..=ops.len()).flat_map(|at| SURVIVALS.into_iter().flat_map(move |s| (0..4).map(move |n| (at, s, n))));
    let seeded = |s| matches!(s, Survival::Torn | Survival::Some);
    let points = places.filter(|(_, s, n)| *n == 0 || seeded(*s));
    let image = |(at, s, n): (usize, Survival, u64)| {
        let name = format!("operation {at} of {}, {}, {n}", ops.len(), s.name());
        (name, base.after(ops, at, s, &mut Random::new(n, at as u64)))
    };
    points.map(image).collect()
}

fn put(disk: &RecordingDisk, bytes: &[u8]) -> io::Result<()> {
    disk::replace(disk, &disk.root().join("report.html"), |e| e, |file| file.write_all(bytes))
}

#[test]
fn a_replaced_file_is_the_old_one_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RecordingDisk::new(folder.path(), &Image::default(), 1_000).unwrap();
    let (old, new) = (vec![b'o'; 30_000], vec![b'n'; 50_000]);
    put(&disk, &old).unwrap();
    let base = Image::read(folder.path()).unwrap();
    let disk = RecordingDisk::new(folder.path(), &base, 1_000).unwrap();
    put(&disk, &new).unwrap();
    let ops = disk.take();
    let mut seen = [0; 2];
    for (name, image) in images(&base, &ops) {
        let found = image.file("report.html").unwrap();
        assert!(found == old || found == new, "{name}");
        seen[usize::from(found == new)] += 1;
    }
    assert!(seen.iter().all(|n| *n > 0), "{seen:?}");
    // Once it is acknowledged it is the new one.
    let last = base.after(&ops, ops.len(), Survival::Nothing, &mut Random::new(0, 0));
    assert_eq!(last.file("report.html"), Some(new.as_slice()));
}

fn import(home: &Path, disk: &RecordingDisk, csv: &Path) -> Result<tradegraph_store::ImportReport, String> {
    let catalog = Catalog::open_on(home, Arc::new(disk.clone())).map_err(|e| e.to_string())?;
    catalog.datasets().import(csv, &ImportOptions::default(), &mut |_| {}).map_err(|e| e.to_string())
}

fn csv(folder: &Path) -> std::path::PathBuf {
    let mut text = "date,open,high,low,close,volume\n".to_owned();
    for day in 1..=28 {
        text += &format!("2021-02-{day:02},{day}.5,{day}.9,{day}.1,{day}.7,1000\n");
    }
    text += "2021-03-01,x,1,1,1,1\n"; // goes to quarantine
    let path = folder.join("bars.csv");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn an_import_is_there_whole_or_not_at_all() {
    let source = tempfile::tempdir().unwrap();
    let csv = csv(source.path());
    let folder = tempfile::tempdir().unwrap();
    let disk = RecordingDisk::new(folder.path(), &Image::default(), 1_000).unwrap();
    let home = disk.root().join("home");
    let whole = import(&home, &disk, &csv).unwrap();
    assert!(whole.quarantine.is_some());
    let ops = disk.take();
    let (mut there, mut absent) = (0, 0);
    for (name, image) in images(&Image::default(), &ops) {
        let place = tempfile::tempdir().unwrap();
        image.write(place.path()).unwrap();
        let disk = RecordingDisk::new(place.path(), &image, 1_000).unwrap();
        let home = disk.root().join("home");
        let sets = Catalog::open_on(&home, Arc::new(disk.clone())).unwrap().datasets();
        match sets.list().unwrap().as_slice() {
            [] => absent += 1,
            [Ok(entry)] => {
                assert_eq!(entry.id, whole.id, "{name}");
                sets.open(entry.id).unwrap().verify().unwrap();
                there += 1;
            }
            other => panic!("{name}: {other:?}"),
        }
        let again = import(&home, &disk, &csv).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((again.id, &again.manifest.rows), (whole.id, &whole.manifest.rows), "{name}");
        sets.open(again.id).unwrap().verify().unwrap();
        assert_eq!(sets.list().unwrap().len(), 1, "{name}");
    }
    assert!(there > 0 && absent > 0, "{there} {absent}");
    let last = Image::default().after(&ops, ops.len(), Survival::Nothing, &mut Random::new(0, 0));
    assert!(last.files().any(|(p, _)| p.ends_with(format!("{}.parquet", whole.id))), "acknowledged and lost");
}

#[test]
fn an_import_on_a_full_disk_says_so_and_leaves_nothing() {
    let source = tempfile::tempdir().unwrap();
    let csv = csv(source.path());
    let mut refused = 0;
    for from in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let disk = RecordingDisk::new(folder.path(), &Image::default(), 1_000).unwrap();
        let home = disk.root().join("home");
        disk.trouble(Trouble::Full { from });
        let outcome = import(&home, &disk, &csv);
        if !disk.heal() {
            outcome.unwrap();
            break;
        }
        let text = outcome.unwrap_err();
        assert!(text.contains("No space left") && text.contains("home"), "{from}: {text}");
        refused += 1;
        let sets = Catalog::open_on(&home, Arc::new(disk.clone())).unwrap().datasets();
        assert!(sets.list().unwrap().is_empty());
        import(&home, &disk, &csv).unwrap();
    }
    assert!(refused >= 5, "{refused}");
}

/// A flush that is sent while the write before it is failing must be answered. It once waited for ever: the message
/// stayed in the channel of a writer that had gone.
#[test]
fn a_flush_behind_a_failing_write_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RecordingDisk::new(folder.path(), &Image::default(), 1_000).unwrap();
    let store = Store::open_on(&disk.root().join("home"), &disk).unwrap();
    let created = Timestamp(1_600_000_000_000_000_000);
    let id = RunId::new(created, "full", &[0; 32]);
    let info = RunInfo { id, created, mandate: String::new(), mandate_hash: [0; 32], binary: String::new() };
    let mut journal = store.journal(&store.create_run(&info).unwrap()).unwrap();
    // While another connection writes, the journal's waits for it.
    let other = rusqlite::Connection::open(disk.root().join("home/store.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    disk.trouble(Trouble::Full { from: 0 });
    journal.append(CommitGroup { index: 0, first_seq: 1, n_events: 1, records: vec![7; 50_000] }).unwrap();
    let flushed = std::thread::spawn(move || journal.flush());
    // Long enough for the flush to be queued behind the write; if it was not, nothing is tested, and nothing fails.
    std::thread::sleep(std::time::Duration::from_millis(200));
    other.execute_batch("ROLLBACK").unwrap();
    let text = flushed.join().unwrap().unwrap_err().to_string();
    assert!(text.contains("disk is full") && text.contains("store.sqlite"), "{text}");
}

/// The double is a disk: what goes in comes out, and a folder is made with those above it.
#[test]
fn the_double_writes_real_files() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RecordingDisk::new(folder.path(), &Image::default(), 1_000).unwrap();
    disk.make_folders(&disk.root().join("a/b")).unwrap();
    let mut file = disk.create(&disk.root().join("a/b/c")).unwrap();
    file.write_all(b"bytes").unwrap();
    file.sync().unwrap();
    assert_eq!(std::fs::read(folder.path().join("a/b/c")).unwrap(), b"bytes");
    let ops = disk.take();
    assert!(
        matches!(
            ops.as_slice(),
            [
                Op::Folder(_),
                Op::SyncFolder(_),
                Op::Folder(_),
                Op::SyncFolder(_),
                Op::Create(0, _),
                Op::Write(0, 0, _),
                Op::Sync(0)
            ]
        ),
        "{ops:?}"
    );
    disk.trouble(Trouble::SyncFails { at: 0 });
    assert_eq!(file.sync().unwrap_err().raw_os_error(), Some(5));
    file.sync().unwrap();
    assert!(disk.heal());
}
