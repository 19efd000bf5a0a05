//! What every saver must do, as a function that a saver's own tests call.

mod namespaces;

use super::{CheckpointId, NewCheckpoint, Place, Query, Saved, Saver, Source, TaskWrite};
use std::sync::Arc;

type Check = Result<(), String>;
type Named = (&'static str, fn(&dyn Saver) -> Check);

/// Runs all checks, each on a saver of its own, and says which failed first and how.
///
/// # Errors
/// The name of the check with what was expected and found.
pub fn check_saver(make: &dyn Fn() -> Box<dyn Saver>) -> Result<(), String> {
    let checks: [Named; 8] = [
        ("an empty saver has nothing", empty),
        ("what is put is got", round_trip),
        ("unchanged channels are not written again", unchanged),
        ("the list is newest first and filtered", listed),
        ("writes are kept by task and index", writes),
        ("threads and namespaces are apart", apart),
        ("branches keep their own versions", branches),
        ("a deleted thread is gone", deleted),
    ];
    for (name, check) in checks {
        let saver = make();
        check(saver.as_ref()).map_err(|why| format!("{name}: {why}"))?;
    }
    namespaces::check(&Arc::from(make())).map_err(|why| format!("a subgraph's namespace is read and changed: {why}"))
}

const T: Place<'static> = Place { thread: "t", ns: "" };

fn id(seq: u64) -> CheckpointId {
    CheckpointId { seq, hash: seq.wrapping_mul(0x9e37_79b9_7f4a_7c15) }
}

fn must<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Check {
    if found == expected { Ok(()) } else { Err(format!("{what}: found {found:?}, expected {expected:?}")) }
}

fn done<T>(result: Result<T, super::SaverError>) -> Result<T, String> {
    result.map_err(|e| e.to_string())
}

fn names() -> Vec<String> {
    ["a", "b"].map(str::to_owned).to_vec()
}

/// Puts a checkpoint whose channels have these versions; those of the checkpoint's own are written as "name=seq".
fn put(saver: &dyn Saver, place: Place<'_>, n: u64, parent: Option<u64>, versions: &[(u16, u64)]) -> Check {
    let names = names();
    let mut blobs = Vec::new();
    let mut changed = Vec::new();
    for (at, _) in versions.iter().filter(|(_, version)| *version == n) {
        let first = blobs.len();
        blobs.extend_from_slice(format!("{}={n}", names[usize::from(*at)]).as_bytes());
        changed.push((*at, first..blobs.len()));
    }
    let body = [n as u8, 0, 255];
    let source = if n == 1 { Source::Input } else { Source::Loop };
    let new = NewCheckpoint::new(
        (id(n), parent.map(id)),
        (n as i64 - 2, source),
        &body,
        (&names, versions),
        (&changed, &blobs),
    );
    done(saver.put(place, &new))
}

fn expected(n: u64, parent: Option<u64>, versions: &[(u16, u64)]) -> Saved {
    let names = names();
    let value = |(at, v): &(u16, u64)| {
        let name = names[usize::from(*at)].clone();
        let bytes = format!("{name}={v}").into_bytes();
        (name, *v, bytes)
    };
    Saved {
        id: id(n),
        parent: parent.map(id),
        step: n as i64 - 2,
        source: if n == 1 { Source::Input } else { Source::Loop },
        body: vec![n as u8, 0, 255],
        values: versions.iter().map(value).collect(),
        writes: Vec::new(),
    }
}

fn empty(saver: &dyn Saver) -> Check {
    must("get", done(saver.get(T, None))?, None)?;
    must("list", done(saver.list(T, Query::default()))?, Vec::new())?;
    must("newest", done(saver.newest_seq("t"))?, 0)
}

fn round_trip(saver: &dyn Saver) -> Check {
    put(saver, T, 1, None, &[(0, 1), (1, 1)])?;
    done(saver.flush())?;
    must("by id", done(saver.get(T, Some(id(1))))?, Some(expected(1, None, &[(0, 1), (1, 1)])))?;
    must("newest", done(saver.get(T, None))?, Some(expected(1, None, &[(0, 1), (1, 1)])))?;
    must("another id", done(saver.get(T, Some(id(2))))?, None)?;
    must("newest seq", done(saver.newest_seq("t"))?, 1)
}

fn unchanged(saver: &dyn Saver) -> Check {
    put(saver, T, 1, None, &[(0, 1), (1, 1)])?;
    put(saver, T, 2, Some(1), &[(0, 1), (1, 2)])?;
    must("newest", done(saver.get(T, None))?, Some(expected(2, Some(1), &[(0, 1), (1, 2)])))?;
    must("before", done(saver.get(T, Some(id(1))))?, Some(expected(1, None, &[(0, 1), (1, 1)])))
}

fn listed(saver: &dyn Saver) -> Check {
    for n in 1..=5 {
        put(saver, T, n, (n > 1).then(|| n - 1), &[(0, n)])?;
    }
    let list =
        |query| -> Result<Vec<u64>, String> { Ok(done(saver.list(T, query))?.into_iter().map(|s| s.id.seq).collect()) };
    must("all", list(Query::default())?, vec![5, 4, 3, 2, 1])?;
    must("limit", list(Query { limit: Some(2), ..Query::default() })?, vec![5, 4])?;
    must("before", list(Query { before: Some(id(3)), ..Query::default() })?, vec![2, 1])?;
    must("before, limit", list(Query { before: Some(id(4)), limit: Some(1), ..Query::default() })?, vec![3])?;
    must("source", list(Query { source: Some(Source::Input), ..Query::default() })?, vec![1])?;
    must("step", list(Query { step: Some(1), ..Query::default() })?, vec![3])
}

fn writes(saver: &dyn Saver) -> Check {
    put(saver, T, 1, None, &[(0, 1)])?;
    let write = |task, index, text: &str| TaskWrite { task, index, bytes: text.as_bytes().to_vec() };
    done(saver.put_writes(T, id(1), &[write(u64::MAX, 0, "x"), write(3, 1, "b")]))?;
    done(saver.put_writes(T, id(1), &[write(3, 0, "a"), write(3, 1, "c"), write(3, 1, "d")]))?;
    let saved = done(saver.get(T, None))?.map(|s| s.writes).unwrap_or_default();
    must("writes", saved, vec![write(3, 0, "a"), write(3, 1, "d"), write(u64::MAX, 0, "x")])?;
    put(saver, T, 2, Some(1), &[(0, 1)])?;
    must("of the next", done(saver.get(T, None))?.map(|s| s.writes), Some(Vec::new()))
}

fn apart(saver: &dyn Saver) -> Check {
    let other = Place { thread: "u", ns: "" };
    let child = Place { thread: "t", ns: "child:1" };
    put(saver, T, 1, None, &[(0, 1)])?;
    put(saver, child, 2, None, &[(0, 2)])?;
    must("other thread", done(saver.get(other, None))?, None)?;
    must("parent", done(saver.get(T, None))?.map(|s| s.id.seq), Some(1))?;
    must("child", done(saver.get(child, None))?.map(|s| s.id.seq), Some(2))?;
    must("list of the child", done(saver.list(child, Query::default()))?.len(), 1)?;
    must("newest of the thread", done(saver.newest_seq("t"))?, 2)
}

fn branches(saver: &dyn Saver) -> Check {
    put(saver, T, 1, None, &[(0, 1)])?;
    put(saver, T, 2, Some(1), &[(0, 2)])?;
    put(saver, T, 3, Some(1), &[(0, 1), (1, 3)])?;
    must("first branch", done(saver.get(T, Some(id(2))))?, Some(expected(2, Some(1), &[(0, 2)])))?;
    must("second branch", done(saver.get(T, Some(id(3))))?, Some(expected(3, Some(1), &[(0, 1), (1, 3)])))
}

fn deleted(saver: &dyn Saver) -> Check {
    put(saver, T, 1, None, &[(0, 1)])?;
    put(saver, Place { thread: "t", ns: "c" }, 2, None, &[(0, 2)])?;
    put(saver, Place { thread: "u", ns: "" }, 1, None, &[(0, 1)])?;
    done(saver.delete_thread("t"))?;
    must("thread", done(saver.get(T, None))?, None)?;
    must("its namespaces", done(saver.newest_seq("t"))?, 0)?;
    must("the other", done(saver.get(Place { thread: "u", ns: "" }, None))?.map(|s| s.id.seq), Some(1))
}
