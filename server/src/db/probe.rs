//! Whether a database does what calls need of it: it answers, it can be written to, and
//! what was committed is there for others.

use std::{
    fmt,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, QueryResult, RuntimeErr, SqlxError, Statement,
    sqlx::{self, Row},
};
use shared::error::causes;

use super::{Database, full::is_full, read_only};

/// A table with one row, which counts the writes of all probes.
const TABLE: &str = "readiness_probe";

/// How long an answer may take, and how long a write, which may wait for others'.
const ANSWER: Duration = Duration::from_millis(500);
const WRITE: Duration = Duration::from_secs(5);

/// Why calls should go elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It does not answer, or refuses. One time may be chance.
    Silent(String),
    /// The server cannot be written to.
    ReadOnly,
    /// The file is not at its path any more: what is written is lost at the end.
    FileGone,
    /// Another file is at its path.
    FileReplaced,
    /// What was committed cannot be read on another connection.
    NotStored,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(why) => f.write_str(why),
            Self::ReadOnly => f.write_str(read_only::WORDS),
            Self::FileGone => f.write_str(
                "the file is gone from its path: put it back, or stop, restore and start",
            ),
            Self::FileReplaced => {
                f.write_str("another file is at its path than the one in use: start again")
            }
            Self::NotStored => f.write_str("what is committed cannot be read back"),
        }
    }
}

/// Which file a database has open, by its number on its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFile {
    path: PathBuf,
    device: u64,
    number: u64,
}

impl OpenFile {
    /// What is at `path` now.
    pub fn at(path: &Path) -> std::io::Result<Self> {
        let found = std::fs::metadata(path)?;
        Ok(Self { path: path.to_owned(), device: found.dev(), number: found.ino() })
    }

    fn check(&self) -> Result<(), Unfit> {
        match Self::at(&self.path) {
            Ok(found) if found == *self => Ok(()),
            Ok(_) => Err(Unfit::FileReplaced),
            Err(_) => Err(Unfit::FileGone),
        }
    }
}

/// Looks at one database again and again.
#[derive(Clone)]
pub struct Probe {
    database: Database,
    refusals: Arc<AtomicU64>,
}

impl Probe {
    /// Whoever has this database has migrated it.
    pub fn new(database: Database) -> Self {
        let refusals = AtomicU64::new(read_only::refusals()).into();
        Self { database, refusals }
    }

    /// The database that is looked at.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Whether it answers, can be written to as far as it says, and is the same file.
    /// Connections to a server that cannot be written to are closed.
    pub async fn answers(&self) -> Result<(), Unfit> {
        if let Some(file) = self.database.file.clone() {
            let asked = tokio::task::spawn_blocking(move || file.check());
            match tokio::time::timeout(ANSWER, asked).await {
                Ok(Ok(checked)) => checked?,
                _ => return Err(Unfit::Silent("the file system does not answer".to_owned())),
            }
            let asked = tokio::time::timeout(ANSWER, self.database.ping()).await;
            return match asked {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(Unfit::Silent(causes(&error))),
                Err(_elapsed) => Err(Unfit::Silent("does not answer".to_owned())),
            };
        }
        let now = read_only::refusals();
        let was_refused = self.refusals.swap(now, Ordering::Relaxed) != now;
        let looked = self.database.drop_read_only(was_refused);
        match tokio::time::timeout(ANSWER, looked).await {
            Ok(Ok(false)) => Ok(()),
            Ok(Ok(true)) => {
                // All of them next time: until none is left, new ones stay away as well.
                self.refusals.fetch_sub(1, Ordering::Relaxed);
                Err(Unfit::ReadOnly)
            }
            // The pool tells that its time is up, and not why.
            _ => match self.database.diagnosis(ANSWER).await {
                Err(unreachable) if unreachable.is_read_only() => Err(Unfit::ReadOnly),
                Err(unreachable) => Err(Unfit::Silent(unreachable.why().to_owned())),
                // Its connections are all in use. If every replica went away for that, the
                // calls would have nowhere to go.
                Ok(()) => Ok(()),
            },
        }
    }

    /// Commits a write and reads it back on another connection. A full disk is no reason to
    /// go elsewhere: reads go on, and changes are refused with a reason of their own.
    pub async fn stores(&self) -> Result<(), Unfit> {
        let Ok(done) = tokio::time::timeout(WRITE, self.write_and_read()).await else {
            return Err(Unfit::Silent("a write takes too long".to_owned()));
        };
        match done {
            Ok(true) => Ok(()),
            Ok(false) => Err(Unfit::NotStored),
            Err(error) if is_full(&error) => {
                tracing::warn!(database = self.database.place(), "the disk is full");
                Ok(())
            }
            Err(error) => Err(Unfit::Silent(causes(&error))),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the probe's own row is nobody's")]
    async fn write_and_read(&self) -> Result<bool, DbErr> {
        let query = |sql: &str| Statement::from_string(self.database.backend(), sql.to_owned());
        let count = format!(
            "INSERT INTO {TABLE} (id, writes) VALUES (1, 1) \
             ON CONFLICT (id) DO UPDATE SET writes = {TABLE}.writes + 1 RETURNING writes"
        );
        let read = format!("SELECT writes FROM {TABLE} WHERE id = 1");
        // On PostgreSQL the connection that reads is taken first, so that it is another.
        let other = match self.database.backend() {
            DbBackend::Postgres => {
                let pool = self.database.writer.get_postgres_connection_pool();
                let is_alone = pool.options().get_max_connections() < 2;
                if is_alone { None } else { Some(pool.acquire().await.map_err(failed)?) }
            }
            _ => None,
        };
        let transaction = self.database.begin().await?;
        let written = first(&transaction.query_all_raw(query(&count)).await?)?;
        transaction.commit().await?;
        let found = match other {
            Some(mut other) => {
                let read = sqlx::query(sqlx::AssertSqlSafe(read)).persistent(false);
                let row = read.fetch_optional(&mut *other).await.map_err(failed)?;
                row.map(|row| row.try_get::<i64, _>(0)).transpose().map_err(failed)?
            }
            None => first(&self.database.reader.query_all_raw(query(&read)).await?)?,
        };
        // Others may have counted on in between.
        Ok(written.is_some() && found >= written)
    }
}

impl Database {
    /// Makes the table of the probe where it is missing.
    pub(super) async fn prepare_probe(&self) -> Result<(), DbErr> {
        if self.has_table(TABLE).await? {
            return Ok(());
        }
        let make = format!(
            "CREATE TABLE {TABLE} (id INTEGER NOT NULL PRIMARY KEY, writes BIGINT NOT NULL)"
        );
        match self.writer.execute_unprepared(&make).await {
            // Another process was faster.
            Err(_) if self.has_table(TABLE).await? => Ok(()),
            done => done.map(drop),
        }
    }
}

fn first(rows: &[QueryResult]) -> Result<Option<i64>, DbErr> {
    rows.first().map(|row| row.try_get_by_index(0)).transpose()
}

fn failed(error: SqlxError) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::temporary_file::TemporaryFile;

    async fn probed(file: &TemporaryFile) -> (Database, Probe) {
        let database = Database::connect(&file.url()).await.expect("connects");
        database.prepare_probe().await.expect("a table");
        (database.clone(), Probe::new(database))
    }

    #[tokio::test]
    async fn a_write_that_others_do_not_find_is_noticed_and_so_is_a_refused_one() {
        let file = TemporaryFile::new("probe");
        let (database, probe) = probed(&file).await;
        database.prepare_probe().await.expect("the same table");
        assert_eq!(probe.answers().await, Ok(()));
        assert_eq!(probe.stores().await, Ok(()));

        let run = async |sql: &str| database.writer().execute_unprepared(sql).await.map(drop);
        // What comes back from the statement is not what stays.
        let lose = format!(
            "CREATE TRIGGER lose AFTER UPDATE ON {TABLE} BEGIN UPDATE {TABLE} SET writes = 0; END"
        );
        run(&lose).await.expect("a trigger");
        assert_eq!(probe.stores().await, Err(Unfit::NotStored));
        run("DROP TRIGGER lose").await.expect("no trigger");
        assert_eq!(probe.stores().await, Ok(()));

        run(&format!("DROP TABLE {TABLE}")).await.expect("no table");
        assert!(matches!(probe.stores().await, Err(Unfit::Silent(why)) if why.contains(TABLE)));
        drop(probe);
        database.close().await.expect("closes");
    }

    /// A `BEGIN` that the driver does not know of. A connection that comes back is asked about
    /// that now and then, and may be closed before the probe has it: so a few are tried.
    #[tokio::test]
    async fn an_open_outer_transaction_is_noticed_and_loses_nothing_more() {
        let file = TemporaryFile::new("outer");
        let (database, probe) = probed(&file).await;
        let mut found = Ok(());
        for _ in 0..5 {
            database.writer().execute_unprepared("BEGIN IMMEDIATE").await.expect("begun");
            found = probe.stores().await;
            if found.is_err() {
                break;
            }
        }
        let within = "within a transaction";
        assert!(matches!(&found, Err(Unfit::Silent(why)) if why.contains(within)), "{found:?}");
        assert_eq!(probe.stores().await, Ok(()), "that connection is closed");
        drop(probe);
        database.close().await.expect("closes");
    }
}
