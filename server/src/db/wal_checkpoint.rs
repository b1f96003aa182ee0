//! The checkpoint of SQLite's write-ahead log. SQLite copies pages back into the database file
//! continuously, but truncates the log only when no reader needs it, so under load the log would
//! grow without limit: from time to time a checkpoint waits for the readers.

use std::{path::PathBuf, time::Duration};

use sea_orm::{DbErr, Statement};
use tokio::time::MissedTickBehavior;

use super::{Database, DatabaseUrl, connector::connection_error, pool::query_error};

/// The size from which a checkpoint is attempted, and to which SQLite truncates the log.
pub const WAL_LIMIT: u64 = 64 * 1024 * 1024;

/// The size that shows that a reader blocks the checkpoint: reported to the operator.
pub const WAL_TOO_LONG: u64 = 4 * WAL_LIMIT;

/// The time between two checks of the size.
const PERIOD: Duration = Duration::from_secs(5);

/// The longest that writers wait for the readers in progress.
const BUSY_TIMEOUT: Duration = Duration::from_millis(250);

/// The write-ahead log of a SQLite database; `None` on PostgreSQL.
#[derive(Clone, Default)]
pub struct WalFile(Option<DatabaseUrl>);

impl WalFile {
    pub fn of(url: &DatabaseUrl) -> Self {
        Self(url.file().is_some().then(|| url.clone()))
    }
}

impl Database {
    /// Truncates SQLite's write-ahead log whenever it is too large. Runs forever, except on
    /// PostgreSQL, where it returns at once.
    pub async fn limit_wal_size(self) {
        let WalFile(Some(url)) = self.wal else { return };
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_logged = false;
        loop {
            ticks.tick().await;
            if url.wal_bytes() <= WAL_LIMIT {
                is_logged = false;
                continue;
            }
            if let Err(error) = checkpoint(&url).await {
                tracing::debug!(%error, "cannot begin the write-ahead log anew");
            }
            let bytes = url.wal_bytes();
            if bytes > WAL_TOO_LONG && !is_logged {
                tracing::warn!(bytes, "readers keep the write-ahead log from being begun anew");
            }
            is_logged = bytes > WAL_TOO_LONG;
        }
    }
}

/// One checkpoint, on a connection of its own with a shorter busy timeout than the writer's.
#[expect(clippy::disallowed_methods, reason = "a pragma touches no user's rows")]
async fn checkpoint(url: &DatabaseUrl) -> Result<(), DbErr> {
    let busy_timeout = BUSY_TIMEOUT.as_millis().to_string();
    let connector = url.sqlite(None, &[("busy_timeout", busy_timeout)])?;
    let mut connection = connector.open().await.map_err(connection_error)?;
    let pragma = Statement::from_string(connector.backend(), "PRAGMA wal_checkpoint(TRUNCATE)");
    let done = connection.query_one(pragma).await;
    connection.close().await.map_err(connection_error)?;
    done.map(drop).map_err(query_error)
}

impl DatabaseUrl {
    /// The size of the write-ahead log of a SQLite database, in bytes; 0 where there is none.
    pub(crate) fn wal_bytes(&self) -> u64 {
        let path = self.file().map(|file| {
            let mut path = file.as_os_str().to_owned();
            path.push("-wal");
            PathBuf::from(path)
        });
        path.and_then(|path| std::fs::metadata(path).ok()).map_or(0, |found| found.len())
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait;

    use super::*;
    use crate::db::temporary_file::TemporaryFile;

    #[tokio::test]
    async fn a_log_that_a_reader_blocked_is_truncated_by_a_later_checkpoint() -> Result<(), DbErr> {
        let file = TemporaryFile::new("journal");
        let url = file.url();
        let database = Database::connect(&url).await?;
        let on = database.writer();
        on.execute_unprepared("CREATE TABLE t (x)").await?;
        let reading = database.begin_snapshot().await?;
        reading.execute_unprepared("SELECT count(*) FROM t").await?;
        for _ in 0..40 {
            let some = "INSERT INTO t VALUES (randomblob(2000000))";
            on.execute_unprepared(some).await?;
        }
        assert!(url.wal_bytes() > WAL_LIMIT, "{}", url.wal_bytes());
        checkpoint(&url).await?;
        assert!(url.wal_bytes() > WAL_LIMIT, "a reader needs it");
        reading.rollback().await?;
        let limiting = tokio::spawn(database.clone().limit_wal_size());
        let is_truncated = async {
            while url.wal_bytes() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), is_truncated).await.expect("begun anew");
        limiting.abort();
        database.close().await?;
        Ok(())
    }
}
