//! The opening of connections and pools.

use std::{path::Path, time::Duration};

use sea_orm::{DbBackend, DbErr};

use super::{
    Database, DatabaseUrl, Pool, TIMEOUT,
    in_place::InPlaceReader,
    pool::MaxAge,
    probe::OpenFile,
    transaction::WriterQueue,
    wal_checkpoint::{self, WalFile},
};
use crate::storage::{FreeSpaceLimit, private_file};

/// The number of SQLite readers beside the one writer; more gain nothing, fewer cost throughput.
const SQLITE_READERS: u32 = 8;
/// The number of SQLite readers for scans of many rows. SQLite has no statement timeout, and a
/// statement continues after its caller is gone, so these have a time limit.
const SQLITE_SCANS: u32 = 3;

/// The idle time after which the server ends a transaction, with its locks: its client has
/// stopped or is unreachable.
const IDLE_IN_TRANSACTION: &str = "10s";
/// The idle time after which a connection to a server is closed.
const MAX_IDLE: Duration = Duration::from_mins(5);

impl Database {
    /// Connects; for SQLite, also creates the file and its folder.
    pub async fn connect(url: &DatabaseUrl) -> Result<Self, DbErr> {
        if url.backend == DbBackend::Postgres {
            let idle = ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION);
            let connector = url.postgres(true, &[idle])?;
            let listens_at = url.listen_servers(&connector)?;
            let max_age = MaxAge { lifetime: url.max_lifetime, idle: MAX_IDLE };
            let pool = Pool::connect(connector, url.connections, Some(max_age)).await?;
            let database = Self {
                scans: pool.clone().repeating_queries(),
                reader: pool.clone().repeating_queries(),
                writer: pool,
                writers: WriterQueue::default(),
                wal: WalFile::default(),
                free_space: FreeSpaceLimit::default(),
                file: None,
                listens_at,
            };
            database.warn_if_clear().await?;
            return Ok(database);
        }
        let path = url.file().unwrap_or(Path::new(""));
        private_file::make(path).map_err(|error| {
            DbErr::Custom(format!("SQLite at {}: cannot be made: {error}", path.display()))
        })?;
        let wal_limit = wal_checkpoint::WAL_LIMIT.to_string();
        let pragmas = [
            ("journal_mode", "WAL".to_owned()),
            ("synchronous", "FULL".to_owned()),
            ("journal_size_limit", wal_limit),
            // What a statement or a savepoint would undo: a file for it costs more than a create.
            ("temp_store", "MEMORY".to_owned()),
        ];
        let writer = Pool::connect(url.sqlite(None, &pragmas)?, 1, None).await?;
        let query_only = [("query_only", "ON".to_owned())];
        let reader = Pool::connect(url.sqlite(None, &query_only)?, SQLITE_READERS, None).await?;
        let reader = reader.reading_in_place(InPlaceReader::new(path));
        let scans = url.sqlite(Some(TIMEOUT), &query_only)?;
        let scans = Pool::connect(scans, SQLITE_SCANS, None).await?;
        let free_space = url.file().map(|file| FreeSpaceLimit::at(file.to_owned(), url.min_free));
        Ok(Self {
            reader,
            writer,
            scans,
            writers: WriterQueue::default(),
            wal: WalFile::of(url),
            free_space: free_space.unwrap_or_default(),
            file: OpenFile::at(path).ok(),
            listens_at: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, Statement};

    use super::*;

    #[tokio::test]
    async fn sqlite_is_built_and_opened_to_be_fast_and_durable() -> Result<(), DbErr> {
        let folder = std::env::temp_dir().join(format!("db-{}", std::process::id()));
        let url = format!("sqlite://{}/sub/test.db", folder.display());
        let database = Database::connect(&DatabaseUrl::parse(&url, 8).expect("an address")).await?;
        #[expect(clippy::disallowed_methods, reason = "a pragma touches no user's rows")]
        let pragma = async |on: &Pool, name: &str| {
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
        assert_eq!(pragma(database.writer(), "temp_store").await?, ["2"]);
        assert!(database.reader().execute_unprepared("CREATE TABLE t (x)").await.is_err());
        database.close().await?;
        std::fs::remove_dir_all(folder).expect("the folder");
        Ok(())
    }
}
