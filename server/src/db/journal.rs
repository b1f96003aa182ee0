//! SQLite's write-ahead log. SQLite writes it back into the file by and by, but begins it anew
//! only when no reader needs it just then, so under load it may grow for ever: now and then
//! somebody has to wait for that moment.

use std::{path::PathBuf, time::Duration};

use sea_orm::{ConnectionTrait, Database as Driver, DbErr, Statement};
use tokio::time::MissedTickBehavior;

use super::{Database, DatabaseUrl};
use crate::cli::doctor::Report;

/// Beyond that it is begun anew as soon as it can be, and what is left of it is cut off.
pub const LIMIT: u64 = 64 * 1024 * 1024;

/// Beyond that something keeps it from being begun anew, and an operator should know.
const TOO_LONG: u64 = 4 * LIMIT;

/// How often to look.
const PERIOD: Duration = Duration::from_secs(5);

/// How long writers wait at most for the readers that are at work.
const PATIENCE: Duration = Duration::from_millis(250);

/// The log of a database, if it has one.
#[derive(Clone, Default)]
pub struct Journal(Option<DatabaseUrl>);

impl Journal {
    pub fn of(url: &DatabaseUrl) -> Self {
        Self(url.file().is_some().then(|| url.clone()))
    }
}

impl Database {
    /// Keeps SQLite's write-ahead log from growing for ever. Does not end, but on PostgreSQL.
    pub async fn keep_journal_short(self) {
        let Journal(Some(url)) = self.journal else { return };
        let mut rounds = tokio::time::interval(PERIOD);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_told = false;
        loop {
            rounds.tick().await;
            if size(&url) <= LIMIT {
                is_told = false;
                continue;
            }
            if let Err(error) = begin_anew(&url).await {
                tracing::debug!(%error, "cannot begin the write-ahead log anew");
            }
            let bytes = size(&url);
            if bytes > TOO_LONG && !is_told {
                tracing::warn!(bytes, "readers keep the write-ahead log from being begun anew");
            }
            is_told = bytes > TOO_LONG;
        }
    }
}

/// On a connection of its own, which waits for others shorter than the writer's does.
#[expect(clippy::disallowed_methods, reason = "a pragma touches nobody's rows")]
async fn begin_anew(url: &DatabaseUrl) -> Result<(), DbErr> {
    let mut options = url.options(1, false);
    options.map_sqlx_sqlite_opts(|file| file.create_if_missing(false).busy_timeout(PATIENCE));
    let connection = Driver::connect(options).await?;
    let backend = connection.get_database_backend();
    let pragma = Statement::from_string(backend, "PRAGMA wal_checkpoint(TRUNCATE)");
    let done = connection.query_one_raw(pragma).await;
    connection.close().await?;
    done.map(drop)
}

/// Notes how long the log is.
pub fn examine(report: &mut Report, url: &DatabaseUrl) {
    let (size, mib) = (size(url), size(url) >> 20);
    if size > TOO_LONG {
        report.warn(
            "journal",
            format!(
                "the write-ahead log has {mib} MiB: something reads without an end, perhaps a \
                 program of yours that has the file open"
            ),
        );
    } else if url.file().is_some() {
        report.ok("journal", format!("the write-ahead log has {mib} MiB"));
    }
}

fn size(url: &DatabaseUrl) -> u64 {
    let path = url.file().map(|file| {
        let mut path = file.as_os_str().to_owned();
        path.push("-wal");
        PathBuf::from(path)
    });
    path.and_then(|path| std::fs::metadata(path).ok()).map_or(0, |found| found.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::doctor::Verdict, db::temporary_file::TemporaryFile};

    #[tokio::test]
    async fn a_log_that_a_reader_kept_long_is_begun_anew_when_it_can_be() -> Result<(), DbErr> {
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
        assert!(size(&url) > LIMIT, "{}", size(&url));
        begin_anew(&url).await?;
        assert!(size(&url) > LIMIT, "a reader needs it");
        reading.rollback().await;
        let keeping = tokio::spawn(database.clone().keep_journal_short());
        let is_short = async {
            while size(&url) > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), is_short).await.expect("begun anew");
        keeping.abort();
        let mut report = Report::default();
        examine(&mut report, &url);
        assert_eq!(report.findings()[0].message, "the write-ahead log has 0 MiB");
        database.close().await?;
        Ok(())
    }

    #[test]
    fn a_log_that_nothing_shortens_is_a_warning() {
        let file = TemporaryFile::new("long-journal");
        let url = file.url();
        let log = std::fs::File::create(file.folder.join("test.db-wal")).expect("a file");
        for (size, verdict) in [(TOO_LONG, Verdict::Ok), (TOO_LONG + 1, Verdict::Warn)] {
            // It has a length and takes no room.
            log.set_len(size).expect("a length");
            let mut report = Report::default();
            examine(&mut report, &url);
            assert_eq!(report.findings()[0].verdict, verdict, "{size}");
        }
    }
}
