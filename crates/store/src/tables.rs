//! `Tables`: what journals and catalog hold, as plain tables for questions in SQL. They are projections: the file can be
//! deleted at any time and is made again.

use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Column, Connection, Executor, Row, SqlSafeStr, Statement, TypeInfo, ValueRef};

use crate::StoreError;
use crate::sqlite::{BUSY, Database};

/// Name of the file in its home.
const FILE: &str = "tables.sqlite";

/// The schema, with a comment on each column.
pub const SCHEMA: &str = include_str!("tables.sql");

/// Version of the schema: a file of another version is made again.
const VERSION: i64 = 3;

/// Values in one statement; SQLite allows 32,766.
const VALUES: usize = 16_000;

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// None.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number; NaN and infinities are stored as none.
    Real(f64),
    /// Text.
    Text(String),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

/// The answer to a question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows, at most as many as were asked for.
    pub rows: Vec<Vec<Cell>>,
    /// True if there were more.
    pub more: bool,
}

/// Tables of a home.
pub struct Tables {
    database: Database,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").field("file", &self.database.path()).finish()
    }
}

impl Tables {
    /// Opens the tables of a home, which must exist; makes them if they are missing or of another version.
    ///
    /// # Errors
    /// `StoreError` naming the file.
    pub fn open(home: &Path) -> Result<Tables, StoreError> {
        let path = home.join(FILE);
        let mut database = connect(path.clone())?;
        let found: i64 = database.call("opened", |c| {
            Box::pin(async move { sqlx::query_scalar("PRAGMA user_version").fetch_one(c).await })
        })?;
        if found != 0 && found != VERSION {
            drop(database);
            for end in ["", "-wal", "-shm"] {
                let file = home.join(format!("{FILE}{end}"));
                match std::fs::remove_file(&file) {
                    Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                        return Err(StoreError::Io { doing: "made again", path: file, source });
                    }
                    _ => {}
                }
            }
            database = connect(path)?;
        }
        database.call("set up", |c| {
            Box::pin(async move {
                let mut transaction = c.begin_with("BEGIN IMMEDIATE").await?;
                let now: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *transaction).await?;
                if now != VERSION {
                    sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await?;
                    sqlx::raw_sql("PRAGMA user_version = 3").execute(&mut *transaction).await?;
                }
                transaction.commit().await
            })
        })?;
        Ok(Tables { database })
    }

    /// True if a part was projected in this state.
    ///
    /// # Errors
    /// `StoreError`.
    pub fn is_current(&mut self, table: &str, part: &str, stamp: &str) -> Result<bool, StoreError> {
        let (table, part, stamp) = (table.to_owned(), part.to_owned(), stamp.to_owned());
        self.database.call("read", move |c| {
            Box::pin(async move {
                let found: Option<String> =
                    sqlx::query_scalar("SELECT stamp FROM projected WHERE name = ? AND part = ?")
                        .bind(table)
                        .bind(part)
                        .fetch_optional(c)
                        .await?;
                Ok(found.is_some_and(|s| s == stamp))
            })
        })
    }

    /// Replaces a part of a table. `key` is the column that names the part; a row has a cell for each of `columns`. All
    /// or nothing.
    ///
    /// # Errors
    /// `StoreError`.
    pub fn replace(
        &mut self,
        (table, key): (&'static str, &'static str),
        part: &str,
        stamp: &str,
        columns: &'static [&'static str],
        rows: Vec<Vec<Cell>>,
    ) -> Result<(), StoreError> {
        let (part, stamp) = (part.to_owned(), stamp.to_owned());
        self.database.call("filled", move |c| {
            Box::pin(async move {
                let mut transaction = c.begin_with("BEGIN IMMEDIATE").await?;
                let delete = format!("DELETE FROM {table} WHERE {key} = ?");
                sqlx::query(sqlx::AssertSqlSafe(delete)).bind(&part).execute(&mut *transaction).await?;
                insert(&mut transaction, table, columns, rows).await?;
                sqlx::query("INSERT OR REPLACE INTO projected (name, part, stamp) VALUES (?, ?, ?)")
                    .bind(table)
                    .bind(&part)
                    .bind(&stamp)
                    .execute(&mut *transaction)
                    .await?;
                transaction.commit().await
            })
        })
    }

    /// Answers a question with at most `limit` rows. Nothing can be changed.
    ///
    /// # Errors
    /// `StoreError::Sql` with SQLite's own words.
    pub fn ask(&mut self, sql: &str, limit: usize) -> Result<Answer, StoreError> {
        let sql = sql.to_owned();
        self.database.call("asked", move |c| {
            Box::pin(async move {
                c.execute("PRAGMA query_only = ON").await?;
                let answer = read(c, sql, limit).await;
                c.execute("PRAGMA query_only = OFF").await?;
                answer
            })
        })
    }
}

fn connect(path: PathBuf) -> Result<Database, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // Lost after a power cut, they are made again.
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY);
    Database::connect(path, options)
}

async fn insert(
    c: &mut SqliteConnection,
    table: &str,
    columns: &[&str],
    rows: Vec<Vec<Cell>>,
) -> Result<(), sqlx::Error> {
    let at_once = (VALUES / columns.len().max(1)).max(1);
    let place = format!("({})", vec!["?"; columns.len()].join(", "));
    for chunk in rows.chunks(at_once) {
        let places = vec![place.as_str(); chunk.len()].join(", ");
        let sql = format!("INSERT INTO {table} ({}) VALUES {places}", columns.join(", "));
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for cell in chunk.iter().flatten() {
            query = match cell {
                Cell::Null => query.bind(None::<i64>),
                Cell::Integer(n) => query.bind(*n),
                Cell::Real(x) => query.bind(x.is_finite().then_some(*x)),
                Cell::Text(t) => query.bind(t.clone()),
            };
        }
        query.execute(&mut *c).await?;
    }
    Ok(())
}

async fn read(c: &mut SqliteConnection, sql: String, limit: usize) -> Result<Answer, sqlx::Error> {
    use futures_util::TryStreamExt;
    let statement = c.prepare(sqlx::AssertSqlSafe(sql.clone()).into_sql_str()).await?;
    let mut answer = Answer {
        columns: statement.columns().iter().map(|column| column.name().to_owned()).collect(),
        ..Answer::default()
    };
    let mut rows = statement.query().fetch(c);
    while let Some(row) = rows.try_next().await? {
        if answer.rows.len() == limit {
            answer.more = true;
            break;
        }
        let cells = (0..row.len()).map(|at| {
            let raw = row.try_get_raw(at)?;
            Ok(match raw.type_info().name() {
                _ if raw.is_null() => Cell::Null,
                "INTEGER" | "BOOLEAN" => Cell::Integer(row.try_get_unchecked(at)?),
                "REAL" => Cell::Real(row.try_get_unchecked(at)?),
                "BLOB" => {
                    Cell::Text(row.try_get_unchecked::<Vec<u8>, _>(at)?.iter().map(|b| format!("{b:02x}")).collect())
                }
                _ => Cell::Text(row.try_get_unchecked(at)?),
            })
        });
        answer.rows.push(cells.collect::<Result<_, sqlx::Error>>()?);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_replaced_and_questions_change_nothing() {
        let home = tempfile::tempdir().unwrap();
        let mut tables = Tables::open(home.path()).unwrap();
        let columns: &[&str] = &["run", "mandate", "model", "model_version", "metric", "value"];
        let rows = |n: usize| -> Vec<Vec<Cell>> {
            (0..n)
                .map(|k| {
                    let metric = Cell::Text(format!("m{k}"));
                    let value = if k == 1 { Cell::Real(f64::NAN) } else { Cell::Real(k as f64 / 3.0) };
                    vec!["r'1".into(), "demo".into(), "council".into(), "1".into(), metric, value]
                })
                .collect()
        };
        assert!(!tables.is_current("model_performance", "r'1", "a").unwrap());
        tables.replace(("model_performance", "run"), "r'1", "a", columns, rows(9_000)).unwrap();
        assert!(tables.is_current("model_performance", "r'1", "a").unwrap());
        assert!(!tables.is_current("model_performance", "r'1", "b").unwrap());
        tables.replace(("model_performance", "run"), "r'1", "b", columns, rows(3)).unwrap();
        drop(tables);
        let mut tables = Tables::open(home.path()).unwrap();
        let all = tables.ask("SELECT metric, value, 7, x'0aff' FROM model_performance ORDER BY metric", 2).unwrap();
        assert_eq!(all.columns, ["metric", "value", "7", "x'0aff'"]);
        assert_eq!(all.rows[0], [Cell::from("m0"), Cell::Real(0.0), Cell::Integer(7), Cell::from("0aff")]);
        assert_eq!(all.rows[1][1], Cell::Null);
        assert!(all.more);
        for wrong in ["DELETE FROM model_performance", "DROP TABLE signals", "SELEC", "SELECT * FROM nothing"] {
            assert!(tables.ask(wrong, 10).is_err(), "{wrong}");
        }
        let n = tables.ask("SELECT count(*) FROM model_performance", 10).unwrap();
        assert_eq!((n.rows, n.more), (vec![vec![Cell::Integer(3)]], false));
        let none = tables.ask("SELECT * FROM trades", 10).unwrap();
        assert_eq!((none.columns.len(), none.rows.len()), (19, 0));
    }

    #[test]
    fn another_version_is_made_again() {
        let home = tempfile::tempdir().unwrap();
        let mut tables = Tables::open(home.path()).unwrap();
        tables
            .database
            .call("changed", |c| Box::pin(async move { sqlx::raw_sql("PRAGMA user_version = 99").execute(c).await }))
            .unwrap();
        drop(tables);
        let mut tables = Tables::open(home.path()).unwrap();
        assert_eq!(tables.ask("PRAGMA user_version", 1).unwrap().rows, [[Cell::Integer(VERSION)]]);
    }
}
