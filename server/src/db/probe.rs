//! The readiness probe of a database: it responds, it can be written to, and commits are visible
//! to others.

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

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};
use shared::error::causes;

use super::{Database, disk_full::is_disk_full, pool::query_error, read_only};

/// The probe's table: one row, which counts the writes of all probes.
const TABLE: &str = "readiness_probe";

/// The time limits of a response, and of a write, which may wait for others.
const ANSWER: Duration = Duration::from_millis(500);
const WRITE: Duration = Duration::from_secs(5);

/// The reason why a database is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeFailure {
    /// No response, or an error. A single time may be chance.
    Unresponsive(String),
    /// The server is read-only.
    ReadOnly,
    /// The file is gone from its path: writes would be lost.
    FileGone,
    /// Another file is at the path.
    FileReplaced,
    /// A commit is not visible on another connection.
    NotStored,
}

impl fmt::Display for ProbeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unresponsive(why) => f.write_str(why),
            Self::ReadOnly => f.write_str(read_only::MESSAGE),
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

/// The identity of an open file: its inode and device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFile {
    path: PathBuf,
    device: u64,
    number: u64,
}

impl OpenFile {
    /// The file at `path` now.
    pub fn at(path: &Path) -> std::io::Result<Self> {
        let found = std::fs::metadata(path)?;
        Ok(Self { path: path.to_owned(), device: found.dev(), number: found.ino() })
    }

    fn check(&self) -> Result<(), ProbeFailure> {
        match Self::at(&self.path) {
            Ok(found) if found == *self => Ok(()),
            Ok(_) => Err(ProbeFailure::FileReplaced),
            Err(_) => Err(ProbeFailure::FileGone),
        }
    }
}

/// The probe of one database.
#[derive(Clone)]
pub struct Probe {
    database: Database,
    refusals: Arc<AtomicU64>,
}

impl Probe {
    /// A probe of `database`, which is migrated.
    pub fn new(database: Database) -> Self {
        let refusals = AtomicU64::new(read_only::refusals()).into();
        Self { database, refusals }
    }

    /// The probed database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Checks that the database responds, is not read-only, and is still the same file. Connections
    /// to a read-only server are closed.
    pub async fn check_response(&self) -> Result<(), ProbeFailure> {
        if let Some(file) = self.database.file.clone() {
            let attempt = tokio::task::spawn_blocking(move || file.check());
            match tokio::time::timeout(ANSWER, attempt).await {
                Ok(Ok(checked)) => checked?,
                _ => {
                    return Err(ProbeFailure::Unresponsive(
                        "the file system does not answer".to_owned(),
                    ));
                }
            }
            let attempt = tokio::time::timeout(ANSWER, self.database.ping()).await;
            return match attempt {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(ProbeFailure::Unresponsive(causes(&error))),
                Err(_elapsed) => Err(ProbeFailure::Unresponsive("does not answer".to_owned())),
            };
        }
        let now = read_only::refusals();
        let was_refused = self.refusals.swap(now, Ordering::Relaxed) != now;
        let dropped = self.database.drop_read_only(was_refused);
        match tokio::time::timeout(ANSWER, dropped).await {
            Ok(Ok(false)) => Ok(()),
            Ok(Ok(true)) => {
                // All connections next time, until none to a read-only server is left.
                self.refusals.fetch_sub(1, Ordering::Relaxed);
                Err(ProbeFailure::ReadOnly)
            }
            // The pool reports a timeout without its cause.
            _ => match self.database.diagnose(ANSWER).await {
                Err(unreachable) if unreachable.is_read_only() => Err(ProbeFailure::ReadOnly),
                Err(unreachable) => Err(ProbeFailure::Unresponsive(unreachable.why().to_owned())),
                // All connections are in use. If every replica became unready for that, calls would
                // have nowhere to go.
                Ok(()) => Ok(()),
            },
        }
    }

    /// Commits a write and reads it back on another connection. A full disk does not make a replica
    /// unready: reads continue, and writes are refused with a reason of their own.
    pub async fn check_write(&self) -> Result<(), ProbeFailure> {
        let Ok(done) = tokio::time::timeout(WRITE, self.write_and_read()).await else {
            return Err(ProbeFailure::Unresponsive("a write takes too long".to_owned()));
        };
        match done {
            Ok(true) => Ok(()),
            Ok(false) => Err(ProbeFailure::NotStored),
            Err(error) if is_disk_full(&error) => {
                tracing::warn!(database = self.database.location(), "the disk is full");
                Ok(())
            }
            Err(error) => Err(ProbeFailure::Unresponsive(causes(&error))),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the probe's own row has no user")]
    async fn write_and_read(&self) -> Result<bool, DbErr> {
        let query = |sql: &str| Statement::from_string(self.database.backend(), sql.to_owned());
        let count = format!(
            "INSERT INTO {TABLE} (id, writes) VALUES (1, 1) \
             ON CONFLICT (id) DO UPDATE SET writes = {TABLE}.writes + 1 RETURNING writes"
        );
        let read = format!("SELECT writes FROM {TABLE} WHERE id = 1");
        // On PostgreSQL the reading connection is acquired first, so that it is another.
        let other = match self.database.backend() {
            DbBackend::Postgres if self.database.writer.size() > 1 => {
                Some(self.database.writer.acquire().await?)
            }
            _ => None,
        };
        let transaction = self.database.begin().await?;
        let written = first(&transaction.query_all_raw(query(&count)).await?)?;
        transaction.commit().await?;
        let found = match other {
            Some(mut other) => first(&other.query_all(query(&read)).await.map_err(query_error)?)?,
            None => first(&self.database.reader.query_all_raw(query(&read)).await?)?,
        };
        // Other probes may have written meanwhile.
        Ok(written.is_some() && found >= written)
    }
}

impl Database {
    /// Creates the probe's table where it is missing.
    pub(super) async fn prepare_probe(&self) -> Result<(), DbErr> {
        if self.has_table(TABLE).await? {
            return Ok(());
        }
        let make = format!(
            "CREATE TABLE {TABLE} (id INTEGER NOT NULL PRIMARY KEY, writes BIGINT NOT NULL)"
        );
        match self.writer.execute_unprepared(&make).await {
            // Another process has created it.
            Err(_) if self.has_table(TABLE).await? => Ok(()),
            done => done.map(drop),
        }
    }
}

fn first(rows: &[QueryResult]) -> Result<Option<i64>, DbErr> {
    rows.first().map(|row| row.try_get_by_index(0)).transpose()
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
        assert_eq!(probe.check_response().await, Ok(()));
        assert_eq!(probe.check_write().await, Ok(()));

        let run = async |sql: &str| database.writer().execute_unprepared(sql).await.map(drop);
        // The statement returns a row that the table does not keep.
        let lose = format!(
            "CREATE TRIGGER lose AFTER UPDATE ON {TABLE} BEGIN UPDATE {TABLE} SET writes = 0; END"
        );
        run(&lose).await.expect("a trigger");
        assert_eq!(probe.check_write().await, Err(ProbeFailure::NotStored));
        run("DROP TRIGGER lose").await.expect("no trigger");
        assert_eq!(probe.check_write().await, Ok(()));

        run(&format!("DROP TABLE {TABLE}")).await.expect("no table");
        assert!(
            matches!(probe.check_write().await, Err(ProbeFailure::Unresponsive(why)) if why.contains(TABLE))
        );
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
            found = probe.check_write().await;
            if found.is_err() {
                break;
            }
        }
        let within = "within a transaction";
        assert!(
            matches!(&found, Err(ProbeFailure::Unresponsive(why)) if why.contains(within)),
            "{found:?}"
        );
        assert_eq!(probe.check_write().await, Ok(()), "that connection is closed");
        drop(probe);
        database.close().await.expect("closes");
    }
}
