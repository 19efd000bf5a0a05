//! `PostgresSaver`: checkpoints of state graphs on a PostgreSQL server.
//!
//! Whatever is killed, this process or the server, leaves all of a transaction or nothing of it. What
//! could not be written stays gathered and is written by the next call that finds the server.

use super::shared::{Database, DatabaseSaver};
use super::{Blobs, Found, Gathered, NEWEST, SELECT, Wanted, changed_in, kept};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::time::Duration;
use tokio::runtime::Runtime;
use tradegraph_graph::{CheckpointId, Place, Saved, SaverError, TaskWrite};

/// How long the server may take for a call, and for a connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the tables are; every name below is looked up here alone.
const SPACE: &str = "tradegraph_graph";

/// Each brings the tables from its index to the next version.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE checkpoints (
        thread TEXT NOT NULL, ns TEXT NOT NULL, seq BIGINT NOT NULL, hash BIGINT NOT NULL,
        parent_seq BIGINT, parent_hash BIGINT, step BIGINT NOT NULL,
        source TEXT NOT NULL CHECK (source IN ('input', 'loop', 'update', 'fork')),
        body BYTEA NOT NULL, versions TEXT NOT NULL,
        PRIMARY KEY (thread, ns, seq, hash)
    );
    CREATE TABLE channels (
        thread TEXT NOT NULL, ns TEXT NOT NULL, version BIGINT NOT NULL, channel TEXT NOT NULL, bytes BYTEA NOT NULL,
        PRIMARY KEY (thread, ns, version, channel)
    );
    CREATE TABLE task_writes (
        thread TEXT NOT NULL, ns TEXT NOT NULL, seq BIGINT NOT NULL, hash BIGINT NOT NULL,
        task BIGINT NOT NULL, idx BIGINT NOT NULL, bytes BYTEA NOT NULL,
        PRIMARY KEY (thread, ns, seq, hash, task, idx)
    );
"];

/// Why a server could not be used.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The address cannot be read.
    #[error(
        "the address of the PostgreSQL server cannot be read ({source}); it looks like postgres://user@host:5432/database"
    )]
    Address {
        /// Why.
        source: sqlx::Error,
    },
    /// No runtime could be made.
    #[error("PostgreSQL cannot be used: {0}")]
    Runtime(std::io::Error),
    /// The server refused, or is not there.
    #[error(
        "PostgreSQL at {at}: checkpoints cannot be {doing}: {source}; nothing that was put is lost while the program runs, the next call tries again"
    )]
    Sql {
        /// What was tried, as a participle.
        doing: &'static str,
        /// Host, port and database.
        at: String,
        /// Why.
        source: sqlx::Error,
    },
    /// Tables of a later version of this program.
    #[error(
        "PostgreSQL at {at}: the checkpoints have version {found}, this program knows up to {known}; use a newer program"
    )]
    Newer {
        /// Host, port and database.
        at: String,
        /// Their version.
        found: i64,
        /// The newest known.
        known: i64,
    },
}

impl From<PostgresError> for SaverError {
    fn from(e: PostgresError) -> Self {
        SaverError::Failed(Box::new(e))
    }
}

/// Checkpoints on a PostgreSQL server, from version 13 on.
pub type PostgresSaver = DatabaseSaver<Server>;

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresSaver").field("at", &self.at).finish()
    }
}

impl PostgresSaver {
    /// Connects to `postgres://user:password@host:port/database` and makes or updates the tables, which are in the
    /// schema `tradegraph_graph`. `full` waits at every flush until the server has the commit on its disk (and on its
    /// synchronous standbys); without it a crash of the server may take the last flushes with it, whole.
    ///
    /// # Errors
    /// `PostgresError`.
    pub fn open(address: &str, full: bool) -> Result<PostgresSaver, PostgresError> {
        let options = PgConnectOptions::from_str(address).map_err(|source| PostgresError::Address { source })?;
        let at = format!(
            "{}:{}/{}",
            options.get_host(),
            options.get_port(),
            options.get_database().unwrap_or(options.get_username())
        );
        let options = options
            .application_name("tradegraph")
            .options([("search_path", SPACE), ("synchronous_commit", if full { "on" } else { "off" })])
            .disable_statement_logging();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = Some(runtime.map_err(PostgresError::Runtime)?);
        let mut server = Server { runtime, connection: None, options, at };
        server.migrate()?;
        Ok(DatabaseSaver::over(server))
    }
}

/// A connection that is made when it is needed, with the runtime that drives it.
pub struct Server {
    runtime: Option<Runtime>,
    connection: Option<PgConnection>,
    options: PgConnectOptions,
    at: String,
}

impl Server {
    fn migrate(&mut self) -> Result<(), PostgresError> {
        let known = MIGRATIONS.len() as i64;
        let found = self.call("set up", async |c| migrate(c).await)?;
        if found > known {
            return Err(PostgresError::Newer { at: self.at.clone(), found, known });
        }
        Ok(())
    }

    /// Does the work on the connection. A connection that was lost is made anew once, so the work must be such that
    /// doing it twice does it once.
    fn call<T: Send>(
        &mut self,
        doing: &'static str,
        work: impl AsyncFn(&mut PgConnection) -> Result<T, sqlx::Error> + Sync,
    ) -> Result<T, PostgresError> {
        let had_one = self.connection.is_some();
        let done = outside(|| match self.attempt(&work) {
            Err(e) if had_one && was_lost(&e) => self.attempt(&work),
            done => done,
        });
        done.map_err(|source| PostgresError::Sql { doing, at: self.at.clone(), source })
    }

    fn attempt<T: Send>(
        &mut self,
        work: &(impl AsyncFn(&mut PgConnection) -> Result<T, sqlx::Error> + Sync),
    ) -> Result<T, sqlx::Error> {
        let Server { runtime: Some(runtime), connection, options, .. } = self else {
            return Err(sqlx::Error::WorkerCrashed);
        };
        let whole = async {
            let c = match connection.as_mut() {
                Some(c) => c,
                None => connection.insert(options.connect().await?),
            };
            work(c).await
        };
        let late = |_| sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer within 30 s"));
        let timed = async { tokio::time::timeout(PATIENCE, whole).await.map_err(late)? };
        let done = runtime.block_on(timed);
        if done.as_ref().is_err_and(was_lost) {
            self.connection = None;
        }
        done
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        outside(|| {
            let Some(runtime) = self.runtime.take() else { return };
            if let Some(connection) = self.connection.take() {
                // Everything that was acknowledged is durable already; this only says good-bye.
                let _ =
                    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(1), connection.close()).await });
            }
            runtime.shutdown_background();
        });
    }
}

/// A runtime can neither wait nor be dropped inside another one (the server's): there, a thread of its own does it.
fn outside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if tokio::runtime::Handle::try_current().is_err() {
        return work();
    }
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

async fn migrate(c: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let mut t = c.begin().await?;
    // Two programs that begin at once: the second waits here and finds the tables made.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext($1))").bind(SPACE).execute(&mut *t).await?;
    sqlx::raw_sql(
        "CREATE SCHEMA IF NOT EXISTS tradegraph_graph; \
         CREATE TABLE IF NOT EXISTS tradegraph_graph.migrations (version BIGINT PRIMARY KEY, \
         at TIMESTAMPTZ NOT NULL DEFAULT now())",
    )
    .execute(&mut *t)
    .await?;
    let newest = "SELECT coalesce(max(version), 0) FROM migrations";
    let found: i64 = sqlx::query_scalar(newest).fetch_one(&mut *t).await?;
    for (version, script) in (1_i64..).zip(MIGRATIONS).skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        sqlx::raw_sql(script).execute(&mut *t).await?;
        sqlx::query("INSERT INTO migrations VALUES ($1)").bind(version).execute(&mut *t).await?;
    }
    t.commit().await?;
    Ok(found)
}

/// The connection can no longer be used: it broke, or the server is going (class 57P), as opposed to a refusal.
fn was_lost(e: &sqlx::Error) -> bool {
    match e {
        sqlx::Error::Database(e) => e.code().is_some_and(|c| c.starts_with("57P") || c.starts_with("08")),
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

impl Database for Server {
    fn write(&mut self, gathered: &Gathered) -> Result<(), SaverError> {
        Ok(self.call("written", async |c| insert(c, gathered).await)?)
    }

    fn read(&mut self, place: Place<'_>, wanted: Wanted) -> Result<Vec<Saved>, SaverError> {
        let (thread, ns) = (place.thread, place.ns);
        let (found, blobs) = self.call("read", async |c| select(c, thread, ns, wanted).await)?;
        found.into_iter().map(|f| f.with(&blobs)).collect()
    }

    fn newest(&mut self, thread: &str) -> Result<Option<i64>, SaverError> {
        Ok(self.call("read", async |c| sqlx::query_scalar(NEWEST).bind(thread).fetch_one(c).await)?)
    }

    fn forget(&mut self, thread: &str) -> Result<(), SaverError> {
        self.call("changed", async |c| {
            let mut t = c.begin().await?;
            for table in ["checkpoints", "channels", "task_writes"] {
                let sql = format!("DELETE FROM {table} WHERE thread = $1");
                sqlx::query(sqlx::AssertSqlSafe(sql)).bind(thread).execute(&mut *t).await?;
            }
            t.commit().await
        })?;
        Ok(())
    }
}

/// One statement a table. Of rows with one key the last counts: PostgreSQL refuses to change a row twice in one
/// statement.
async fn insert(c: &mut PgConnection, gathered: &Gathered) -> Result<(), sqlx::Error> {
    let mut t = c.begin().await?;
    let last: BTreeMap<_, _> = gathered.checkpoints.iter().map(|r| ((&r.thread, &r.ns, r.id), r)).collect();
    let rows: Vec<_> = last.into_values().collect();
    if !rows.is_empty() {
        sqlx::query(
            "INSERT INTO checkpoints SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], \
             $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::bytea[], $10::text[]) \
             ON CONFLICT (thread, ns, seq, hash) DO UPDATE SET parent_seq = excluded.parent_seq, \
             parent_hash = excluded.parent_hash, step = excluded.step, source = excluded.source, \
             body = excluded.body, versions = excluded.versions",
        )
        .bind(rows.iter().map(|r| r.thread.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.ns.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| kept(r.id.seq)).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| kept(r.id.hash)).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.parent.map(|p| kept(p.seq))).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.parent.map(|p| kept(p.hash))).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.step).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.source).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.body.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.versions.as_str()).collect::<Vec<_>>())
        .execute(&mut *t)
        .await?;
    }
    let mut last = BTreeMap::new();
    for r in &gathered.checkpoints {
        for (channel, bytes) in changed_in(&r.changed).map_err(|e| sqlx::Error::Encode(e.into()))? {
            last.insert((r.thread.as_str(), r.ns.as_str(), kept(r.id.seq), channel), bytes);
        }
    }
    if !last.is_empty() {
        sqlx::query(
            "INSERT INTO channels SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], \
             $5::bytea[]) ON CONFLICT (thread, ns, version, channel) DO UPDATE SET bytes = excluded.bytes",
        )
        .bind(last.keys().map(|(thread, ..)| *thread).collect::<Vec<_>>())
        .bind(last.keys().map(|(_, ns, ..)| *ns).collect::<Vec<_>>())
        .bind(last.keys().map(|(_, _, version, _)| *version).collect::<Vec<_>>())
        .bind(last.keys().map(|(.., channel)| *channel).collect::<Vec<_>>())
        .bind(last.values().copied().collect::<Vec<_>>())
        .execute(&mut *t)
        .await?;
    }
    let key = |r: &super::WriteRow| (r.id, r.write.task, r.write.index);
    let last: BTreeMap<_, _> = gathered.writes.iter().map(|r| ((&r.thread, &r.ns, key(r)), r)).collect();
    let rows: Vec<_> = last.into_values().collect();
    if !rows.is_empty() {
        sqlx::query(
            "INSERT INTO task_writes SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], \
             $5::bigint[], $6::bigint[], $7::bytea[]) \
             ON CONFLICT (thread, ns, seq, hash, task, idx) DO UPDATE SET bytes = excluded.bytes",
        )
        .bind(rows.iter().map(|r| r.thread.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.ns.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| kept(r.id.seq)).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| kept(r.id.hash)).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| kept(r.write.task)).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| i64::from(r.write.index)).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.write.bytes.as_slice()).collect::<Vec<_>>())
        .execute(&mut *t)
        .await?;
    }
    t.commit().await
}

async fn select(
    c: &mut PgConnection,
    thread: &str,
    ns: &str,
    wanted: Wanted,
) -> Result<(Vec<Found>, Blobs), sqlx::Error> {
    // The three questions see one moment: another program may forget the thread meanwhile.
    let mut t = c.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let rows = sqlx::query(SELECT)
        .bind(thread)
        .bind(ns)
        .bind(wanted.first)
        .bind(wanted.last)
        .bind(wanted.hash)
        .bind(wanted.before)
        .bind(wanted.source)
        .bind(wanted.step)
        .bind(wanted.limit)
        .fetch_all(&mut *t)
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, parent) = ((row.try_get(0)?, row.try_get(1)?), (row.try_get(2)?, row.try_get(3)?));
        let one = Found::new(id, parent, row.try_get(4)?, row.try_get(5)?, row.try_get(6)?, row.try_get(7)?);
        found.push(one.map_err(|e| sqlx::Error::Decode(Box::new(e)))?);
    }
    let named: BTreeSet<&(String, u64)> = found.iter().flat_map(|f| &f.versions).collect();
    let rows = sqlx::query(
        "SELECT channel, version, bytes FROM channels JOIN unnest($3::text[], $4::bigint[]) AS named (channel, version) \
         USING (channel, version) WHERE thread = $1 AND ns = $2",
    )
    .bind(thread)
    .bind(ns)
    .bind(named.iter().map(|(channel, _)| channel.as_str()).collect::<Vec<_>>())
    .bind(named.iter().map(|(_, version)| kept(*version)).collect::<Vec<_>>())
    .fetch_all(&mut *t)
    .await?;
    let mut blobs = Blobs::new();
    for row in rows {
        blobs.insert((row.try_get(0)?, row.try_get::<i64, _>(1)?.cast_unsigned()), row.try_get(2)?);
    }
    let at: BTreeMap<CheckpointId, usize> = found.iter().enumerate().map(|(at, f)| (f.saved.id, at)).collect();
    let rows = sqlx::query(
        "SELECT seq, hash, task, idx, bytes FROM task_writes JOIN unnest($3::bigint[], $4::bigint[]) AS named (seq, hash) \
         USING (seq, hash) WHERE thread = $1 AND ns = $2",
    )
    .bind(thread)
    .bind(ns)
    .bind(at.keys().map(|id| kept(id.seq)).collect::<Vec<_>>())
    .bind(at.keys().map(|id| kept(id.hash)).collect::<Vec<_>>())
    .fetch_all(&mut *t)
    .await?;
    for row in rows {
        let number = |at: usize| row.try_get::<i64, _>(at).map(i64::cast_unsigned);
        let id = CheckpointId { seq: number(0)?, hash: number(1)? };
        let index = u32::try_from(row.try_get::<i64, _>(3)?).unwrap_or_default();
        let write = TaskWrite { task: number(2)?, index, bytes: row.try_get(4)? };
        if let Some(f) = at.get(&id).and_then(|at| found.get_mut(*at)) {
            f.saved.writes.push(write);
        }
    }
    t.commit().await?;
    Ok((found, blobs))
}
