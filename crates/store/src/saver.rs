//! Checkpoints of state graphs in databases: one SQLite file, or a PostgreSQL server. Both are asked with
//! the same statement; what was put is gathered and written in one transaction.

#[cfg(feature = "postgres")]
mod postgres;
mod shared;
mod sqlite;

#[cfg(feature = "postgres")]
pub use postgres::{PostgresError, PostgresSaver};
pub use sqlite::SqliteSaver;

use std::collections::BTreeMap;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_graph::{CheckpointId, NewCheckpoint, Place, Query, Saved, SaverError, Source, TaskWrite};

/// Bytes that are gathered before they are written unasked.
const GATHER: usize = 1 << 20;

/// Checkpoints by thread and namespace (1, 2), first and last number (3, 4), hash (5) or those before number 4 with
/// hash 6, source (7), step (8), at most so many (9); newest first. Hashes are kept with a sign and compared without.
const SELECT: &str = "
    SELECT seq, hash, parent_seq, parent_hash, step, source, body, versions FROM checkpoints
    WHERE thread = $1 AND ns = $2 AND seq BETWEEN $3 AND $4
    AND ($5 IS NULL OR hash = $5)
    AND ($6 IS NULL OR seq < $4 OR hash < 0 AND $6 < 0 AND hash < $6 OR hash >= 0 AND ($6 < 0 OR hash < $6))
    AND ($7 IS NULL OR source = $7) AND ($8 IS NULL OR step = $8)
    ORDER BY seq DESC, hash < 0 DESC, hash DESC LIMIT $9";

/// The newest number of a thread over its namespaces, which are walked from one to the next in the index.
const NEWEST: &str = "
    WITH RECURSIVE spaces (ns) AS (
        SELECT min(ns) FROM checkpoints WHERE thread = $1
        UNION ALL
        SELECT (SELECT min(ns) FROM checkpoints WHERE thread = $1 AND ns > spaces.ns)
        FROM spaces WHERE spaces.ns IS NOT NULL
    )
    SELECT max((SELECT max(seq) FROM checkpoints WHERE thread = $1 AND ns = spaces.ns))
    FROM spaces WHERE ns IS NOT NULL";

/// The parameters 3 to 9 of [`SELECT`].
#[derive(Clone, Copy)]
pub struct Wanted {
    first: i64,
    last: i64,
    hash: Option<i64>,
    before: Option<i64>,
    source: Option<&'static str>,
    step: Option<i64>,
    limit: i64,
}

impl Wanted {
    const ALL: Wanted =
        Wanted { first: 0, last: i64::MAX, hash: None, before: None, source: None, step: None, limit: i64::MAX };

    fn one(id: Option<CheckpointId>) -> Self {
        match id {
            Some(id) => {
                Wanted { first: kept(id.seq), last: kept(id.seq), hash: Some(kept(id.hash)), limit: 1, ..Wanted::ALL }
            }
            None => Wanted { limit: 1, ..Wanted::ALL },
        }
    }

    fn listed(q: Query) -> Self {
        Wanted {
            last: q.before.map_or(i64::MAX, |id| kept(id.seq)),
            before: q.before.map(|id| kept(id.hash)),
            source: q.source.map(Source::name),
            step: q.step,
            limit: q.limit.and_then(|n| i64::try_from(n).ok()).unwrap_or(i64::MAX),
            ..Wanted::ALL
        }
    }
}

/// Numbers of 64 bits as databases keep them: the same bits with a sign.
fn kept(n: u64) -> i64 {
    n.cast_signed()
}

/// A row of the table of checkpoints.
struct CheckpointRow {
    thread: String,
    ns: String,
    id: CheckpointId,
    parent: Option<CheckpointId>,
    step: i64,
    source: &'static str,
    body: Vec<u8>,
    /// `[["channel",version],…]` as JSON.
    versions: String,
    /// The channels that changed: names with bytes, which [`changed_in`] reads.
    changed: Vec<u8>,
}

/// The channels of a `changed`.
fn changed_in(bytes: &[u8]) -> Result<Vec<(&str, &[u8])>, DecodeError> {
    let mut from = Decoder::new(bytes);
    let n = from.len("channels")?;
    let all = (0..n).map(|_| Ok((from.str("channel")?, from.bytes("value")?))).collect::<Result<_, _>>()?;
    from.finish()?;
    Ok(all)
}

struct WriteRow {
    thread: String,
    ns: String,
    id: CheckpointId,
    write: TaskWrite,
}

/// What was put and is not written yet.
#[derive(Default)]
pub struct Gathered {
    checkpoints: Vec<CheckpointRow>,
    writes: Vec<WriteRow>,
    bytes: usize,
}

impl Gathered {
    fn is_empty(&self) -> bool {
        self.checkpoints.is_empty() && self.writes.is_empty()
    }

    fn is_full(&self) -> bool {
        self.bytes > GATHER
    }

    fn clear(&mut self) {
        self.checkpoints.clear();
        self.writes.clear();
        self.bytes = 0;
    }

    fn put(&mut self, place: Place<'_>, new: &NewCheckpoint<'_>) -> Result<(), SaverError> {
        let versions: Vec<(&str, u64)> = new.versions().collect();
        let versions = serde_json::to_string(&versions).map_err(|e| SaverError::Failed(Box::new(e)))?;
        let (thread, ns) = (place.thread, place.ns);
        let mut changed = Encoder::with_capacity(8 + new.changed().map(|(c, b)| c.len() + b.len() + 16).sum::<usize>());
        changed.len(new.changed().count());
        for (channel, bytes) in new.changed() {
            changed.str(channel);
            changed.bytes(bytes);
        }
        let changed = changed.into_bytes();
        self.bytes += new.body.len() + versions.len() + changed.len();
        self.checkpoints.push(CheckpointRow {
            thread: thread.to_owned(),
            ns: ns.to_owned(),
            id: new.id,
            parent: new.parent,
            step: new.step,
            source: new.source.name(),
            body: new.body.to_vec(),
            versions,
            changed,
        });
        Ok(())
    }

    fn put_writes(&mut self, place: Place<'_>, id: CheckpointId, writes: &[TaskWrite]) {
        for write in writes {
            self.bytes += write.bytes.len() + 16;
            let (thread, ns) = (place.thread.to_owned(), place.ns.to_owned());
            self.writes.push(WriteRow { thread, ns, id, write: write.clone() });
        }
    }
}

/// A row that nobody of ours wrote.
#[derive(Debug, thiserror::Error)]
#[error("checkpoint {id} has unreadable {what}")]
struct BadRow {
    id: CheckpointId,
    what: &'static str,
    /// Its place in [`SELECT`].
    column: usize,
}

/// A checkpoint as its row has it.
struct Found {
    saved: Saved,
    versions: Vec<(String, u64)>,
}

impl Found {
    fn new(
        (seq, hash): (i64, i64),
        parent: (Option<i64>, Option<i64>),
        step: i64,
        source: &str,
        body: Vec<u8>,
        versions: &str,
    ) -> Result<Found, BadRow> {
        let id = CheckpointId { seq: seq.cast_unsigned(), hash: hash.cast_unsigned() };
        let wrong = |what, column| BadRow { id, what, column };
        let parent = match parent {
            (Some(seq), Some(hash)) => Some(CheckpointId { seq: seq.cast_unsigned(), hash: hash.cast_unsigned() }),
            _ => None,
        };
        let source = Source::of_name(source).ok_or(wrong("source", 5))?;
        let versions = serde_json::from_str(versions).map_err(|_| wrong("versions", 7))?;
        let saved = Saved { id, parent, step, source, body, values: Vec::new(), writes: Vec::new() };
        Ok(Found { saved, versions })
    }

    /// With the values of its channels.
    fn with(mut self, blobs: &Blobs) -> Result<Saved, SaverError> {
        for (channel, version) in self.versions {
            match blobs.get(&(channel.clone(), version)) {
                Some(bytes) => self.saved.values.push((channel, version, bytes.clone())),
                None => return Err(SaverError::MissingBlob { channel, version }),
            }
        }
        self.saved.writes.sort_by_key(|w| (w.task, w.index));
        Ok(self.saved)
    }
}

/// Bytes of channels by name and version.
type Blobs = BTreeMap<(String, u64), Vec<u8>>;
