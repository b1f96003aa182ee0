//! The opening of connections and pools.

use std::{path::Path, time::Duration};

use sea_orm::{Database as Driver, DbBackend, DbErr};

use super::{
    Database, DatabaseUrl, TIMEOUT,
    probe::OpenFile,
    scans,
    wal_checkpoint::{self, WalFile},
};
use crate::storage::{FreeSpaceLimit, private_file};

/// The number of SQLite readers beside the one writer; more gain nothing, fewer cost throughput.
const SQLITE_READERS: u32 = 8;

/// The idle time after which the server ends a transaction, with its locks: its client has
/// stopped or is unreachable.
const IDLE_IN_TRANSACTION: &str = "10s";
/// The lifetime and the idle time of a connection to a server: after a change of its address,
/// none to the old one is left.
const MAX_LIFETIME: Duration = Duration::from_mins(10);
const IDLE_TIMEOUT: Duration = Duration::from_mins(5);

impl Database {
    /// Connects; for SQLite, also creates the file and its folder.
    pub async fn connect(url: &DatabaseUrl) -> Result<Self, DbErr> {
        if url.backend == DbBackend::Postgres {
            let mut options = url.options(url.connections, true);
            options.statement_timeout(TIMEOUT);
            options.map_sqlx_postgres_opts(|server| {
                server.options([("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION)])
            });
            options.max_lifetime(MAX_LIFETIME).idle_timeout(IDLE_TIMEOUT);
            let pool = Driver::connect(options).await?;
            return Ok(Self {
                scans: pool.clone(),
                reader: pool.clone(),
                writer: pool,
                wal: WalFile::default(),
                free_space: FreeSpaceLimit::default(),
                file: None,
            });
        }
        let path = url.file().unwrap_or(Path::new(""));
        private_file::make(path).map_err(|error| {
            DbErr::Custom(format!("SQLite at {}: cannot be made: {error}", path.display()))
        })?;
        let mut options = url.options(1, true);
        options.map_sqlx_sqlite_opts(|file| {
            // Created above. A file that vanishes later is not replaced by an empty one.
            file.create_if_missing(false)
                .pragma("journal_mode", "WAL")
                .pragma("synchronous", "FULL")
                .pragma("journal_size_limit", wal_checkpoint::WAL_LIMIT.to_string())
                .busy_timeout(TIMEOUT)
                .foreign_keys(true)
        });
        let writer = Driver::connect(options).await?;
        let read_only = |connections| {
            let mut options = url.options(connections, false);
            options.map_sqlx_sqlite_opts(|file| {
                file.pragma("query_only", "ON").busy_timeout(TIMEOUT).foreign_keys(true)
            });
            options
        };
        let reader = Driver::connect(read_only(SQLITE_READERS)).await?;
        let scans = Driver::connect(scans::bounded(read_only(scans::MAX_SCANS), TIMEOUT)).await?;
        let free_space = url.file().map(|file| FreeSpaceLimit::at(file.to_owned(), url.min_free));
        Ok(Self {
            reader,
            writer,
            scans,
            wal: WalFile::of(url),
            free_space: free_space.unwrap_or_default(),
            file: OpenFile::at(path).ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

    use super::*;

    #[tokio::test]
    async fn sqlite_is_built_and_opened_to_be_fast_and_durable() -> Result<(), DbErr> {
        let folder = std::env::temp_dir().join(format!("db-{}", std::process::id()));
        let url = format!("sqlite://{}/sub/test.db", folder.display());
        let database = Database::connect(&DatabaseUrl::parse(&url, 8).expect("an address")).await?;
        #[expect(clippy::disallowed_methods, reason = "a pragma touches no user's rows")]
        let pragma = async |on: &DatabaseConnection, name: &str| {
            let query = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {name}"));
            let rows = on.query_all_raw(query).await?;
            let text = |row: &sea_orm::QueryResult| {
                row.try_get_by_index::<String>(0)
                    .or_else(|_| row.try_get_by_index::<i64>(0).map(|n| n.to_string()))
            };
            rows.iter().map(text).collect::<Result<Vec<_>, DbErr>>()
        };
        let options = pragma(database.reader(), "compile_options").await?;
        for flag in ["DEFAULT_MEMSTATUS=0", "ENABLE_QPSG"] {
            assert!(options.iter().any(|option| option == flag), "{flag}: {options:?}");
        }
        for on in [database.reader(), database.writer()] {
            assert_eq!(pragma(on, "journal_mode").await?, ["wal"]);
            assert_eq!(pragma(on, "foreign_keys").await?, ["1"]);
        }
        assert_eq!(pragma(database.writer(), "synchronous").await?, ["2"]);
        assert!(database.reader().execute_unprepared("CREATE TABLE t (x)").await.is_err());
        database.close().await?;
        std::fs::remove_dir_all(folder).expect("the folder");
        Ok(())
    }
}
